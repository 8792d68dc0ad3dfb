//! `-ea`, `-da`, `-esa`, `-dsa`.

/// Which classes have assertions enabled.
#[derive(Clone, Default, Debug)]
pub struct Assertions {
    /// For classes that no option names, with a class loader of their own.
    pub user_default: bool,
    /// For classes of the boot loader.
    pub system_default: bool,
    /// Class names (with slashes) in the order of the options.
    pub classes: Vec<(String, bool)>,
    /// Package names (with slashes), for the package and all below; empty for the unnamed package.
    pub packages: Vec<(String, bool)>,
}

impl Assertions {
    /// Adds what follows the colon of `-ea:` or `-da:`: a class, or a package and `...`.
    pub(super) fn add(&mut self, name: &str, enable: bool) {
        match name.strip_suffix("...") {
            Some(package) => self.packages.push((package.replace('.', "/"), enable)),
            None => self.classes.push((name.replace('.', "/"), enable)),
        }
    }

    /// Whether assertions are enabled for the class called `name` (internal form, with slashes);
    /// `system`: defined by the boot loader. The latest matching option decides; an option for
    /// the class beats any for a package, and a nearer package a farther one.
    pub fn enabled(&self, name: &str, system: bool) -> bool {
        if let Some((_, enable)) = self.classes.iter().rev().find(|(class, _)| class == name) {
            return *enable;
        }
        let mut package = name.rfind('/').map_or("", |at| &name[..at]);
        loop {
            if let Some((_, enable)) = self.packages.iter().rev().find(|(p, _)| p == package) {
                return *enable;
            }
            match package.rfind('/') {
                Some(at) => package = &package[..at],
                None => break,
            }
        }
        if system {
            self.system_default
        } else {
            self.user_default
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Assertions;

    #[test]
    fn nearest_option_decides() {
        let mut assertions = Assertions { user_default: true, ..Assertions::default() };
        assertions.add("a.b...", false);
        assertions.add("a.b.c...", true);
        assertions.add("a.b.c.D", false);
        assertions.add("...", false);
        assert!(!assertions.enabled("a/b/X", false));
        assert!(assertions.enabled("a/b/c/d/X", false));
        assert!(!assertions.enabled("a/b/c/D", false));
        assert!(!assertions.enabled("Unnamed", false));
        assert!(assertions.enabled("z/X", false));
        assert!(!assertions.enabled("z/X", true));
    }
}
