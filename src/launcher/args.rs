//! The launcher's view of a command line: which arguments are options, which of them are Kiln's own,
//! and where the option that selects the VM goes.
//!
//! `libjli` decides all of this again for itself. Only as much is repeated here as is needed to take
//! out our options and to put one in.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// Launcher options that take their value from the next argument.
const OPTIONS_WITH_OPERAND: &[&[u8]] = &[
    b"-classpath",
    b"-cp",
    b"--class-path",
    b"--module",
    b"-m",
    b"--describe-module",
    b"-d",
    b"--source",
    b"--module-path",
    b"-p",
    b"--upgrade-module-path",
    b"--add-modules",
    b"--enable-native-access",
    b"--limit-modules",
    b"--add-exports",
    b"--add-opens",
    b"--add-reads",
    b"--patch-module",
];

const JAVA_HOME_OPTION: &[u8] = b"--java-home";

/// A command line after Kiln's own options were taken out.
#[derive(Debug, PartialEq, Eq)]
pub struct OwnOptions {
    /// The operand of the last `--java-home`.
    pub java_home: Option<OsString>,
    /// All other arguments, `argv[0]` included, in order.
    pub rest: Vec<OsString>,
}

/// Takes `--java-home X` and `--java-home=X` out of the options that precede the main class, jar or
/// module.
///
/// # Errors
/// When `--java-home` is the last argument, or its value is empty.
pub fn take_own_options(argv: Vec<OsString>) -> Result<OwnOptions, String> {
    let mut java_home = None;
    let mut rest = Vec::with_capacity(argv.len());
    let mut argv = argv.into_iter();
    rest.extend(argv.next());
    while let Some(arg) = argv.next() {
        let bytes = arg.as_bytes();
        if bytes == JAVA_HOME_OPTION {
            java_home = Some(argv.next().unwrap_or_default());
        } else if let Some(value) = bytes.strip_prefix(b"--java-home=") {
            java_home = Some(OsString::from_vec(value.to_vec()));
        } else if OPTIONS_WITH_OPERAND.contains(&bytes) {
            rest.push(arg);
            rest.extend(argv.next());
        } else if bytes.starts_with(b"-") || bytes.starts_with(b"@") {
            rest.push(arg);
        } else {
            rest.push(arg);
            rest.extend(argv);
            break;
        }
        if java_home.as_deref().is_some_and(OsStr::is_empty) {
            return Err("--java-home requires the home directory of a JDK".to_string());
        }
    }
    Ok(OwnOptions { java_home, rest })
}

/// The index in `argv` (with argument files already expanded) at which `-XXaltjvm=` must stand.
///
/// `libjli` looks for options that select a VM (`-server`, `-client`, `-XXaltjvm=`) up to the first
/// argument that is neither an option nor an option's operand, and the last one wins. Ours therefore
/// goes to the end of that stretch; `libjli` removes it before it looks at the arguments otherwise.
pub fn alternate_vm_position<T: AsRef<[u8]>>(argv: &[T]) -> usize {
    let mut i = 1;
    while i < argv.len() {
        let arg = argv[i].as_ref();
        if OPTIONS_WITH_OPERAND.contains(&arg) {
            if i + 1 == argv.len() {
                // The operand is missing: behind this option, ours would be taken for it.
                return i;
            }
            i += 2;
        } else if arg.starts_with(b"-") {
            i += 1;
        } else {
            break;
        }
    }
    i.min(argv.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(args: &[&str]) -> Result<OwnOptions, String> {
        take_own_options(args.iter().map(OsString::from).collect())
    }

    #[test]
    fn java_home_is_taken_from_the_options_only() {
        let own = take(&["kiln", "-cp", "--java-home", "--java-home", "/a", "Main", "--java-home=/b"]);
        assert_eq!(
            own,
            Ok(OwnOptions {
                java_home: Some("/a".into()),
                rest: ["kiln", "-cp", "--java-home", "Main", "--java-home=/b"].map(OsString::from).to_vec(),
            })
        );
        assert_eq!(take(&["kiln", "--java-home=/b", "-version"]).unwrap().java_home, Some("/b".into()));
        assert_eq!(take(&["kiln", "@f", "--java-home=/b", "M"]).unwrap().java_home, Some("/b".into()));
    }

    #[test]
    fn java_home_without_a_value_is_an_error() {
        assert!(take(&["kiln", "--java-home"]).is_err());
        assert!(take(&["kiln", "--java-home=", "Main"]).is_err());
    }

    #[test]
    fn the_vm_option_goes_behind_every_option_that_selects_a_vm() {
        let at = |args: &[&str]| alternate_vm_position(args);
        assert_eq!(at(&["kiln"]), 1);
        assert_eq!(at(&["kiln", "-version"]), 2);
        assert_eq!(at(&["kiln", "-cp", "x", "-server", "Main", "-client"]), 4);
        assert_eq!(at(&["kiln", "-jar", "a.jar", "-server"]), 2);
        assert_eq!(at(&["kiln", "-m", "m/c", "-server", "x"]), 4);
        assert_eq!(at(&["kiln", "-server", "-cp"]), 2);
    }
}
