//! `-XX:CompileCommand=`, `-XX:CompileCommandFile=` and `-XX:CompileOnly=` (HotSpot's CompilerOracle).
//!
//! A command is an option, a method pattern (`pkg.Class::method(Descriptor)`, `pkg/Class.method`, with `*` at
//! either end of class and method name) and for options that are not boolean a value.

use crate::meta::method::MethodRef;

/// What a command asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CommandKind {
    CompileOnly,
    Exclude,
    Inline,
    DontInline,
    Print,
    Log,
    /// Accepted, as on HotSpot; there is nothing to break into.
    Break,
    /// The compile's IR after every pass, to standard output.
    PrintIr,
}

impl CommandKind {
    const ALL: [(CommandKind, &'static str); 8] = [
        (CommandKind::CompileOnly, "compileonly"),
        (CommandKind::Exclude, "exclude"),
        (CommandKind::Inline, "inline"),
        (CommandKind::DontInline, "dontinline"),
        (CommandKind::Print, "print"),
        (CommandKind::Log, "log"),
        (CommandKind::Break, "break"),
        (CommandKind::PrintIr, "PrintIR"),
    ];

    fn name(self) -> &'static str {
        Self::ALL.iter().find(|o| o.0 == self).map_or("", |o| o.1)
    }
}

/// How a name must match.
#[derive(Clone, PartialEq, Eq, Debug)]
struct NamePattern {
    text: String,
    any_prefix: bool,
    any_suffix: bool,
}

impl NamePattern {
    fn parse(text: &str) -> Option<NamePattern> {
        let any_prefix = text.starts_with('*');
        let any_suffix = text.len() > 1 && text.ends_with('*') || text == "*";
        let inner = text.trim_start_matches('*').trim_end_matches('*');
        if text.is_empty() || inner.contains('*') {
            return None;
        }
        Some(NamePattern { text: inner.to_string(), any_prefix, any_suffix })
    }

    fn matches(&self, name: &str) -> bool {
        match (self.any_prefix, self.any_suffix) {
            (false, false) => name == self.text,
            (true, false) => name.ends_with(&self.text),
            (false, true) => name.starts_with(&self.text),
            (true, true) => name.contains(&self.text),
        }
    }

    fn show(&self) -> String {
        if self.text.is_empty() {
            return "*".to_string();
        }
        let star = |on| if on { "*" } else { "" };
        format!("{}{}{}", star(self.any_prefix), self.text, star(self.any_suffix))
    }
}

/// A method pattern.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pattern {
    class: NamePattern,
    method: NamePattern,
    descriptor: Option<String>,
}

impl Pattern {
    /// Reads a pattern. The error is HotSpot's text.
    fn parse(text: &str) -> Result<Pattern, String> {
        let text = text.trim();
        let (names, descriptor) = match text.find('(') {
            Some(i) => (text[..i].trim_end(), Some(text[i..].to_string())),
            None => (text, None),
        };
        let (class, method) = if let Some((c, m)) = names.split_once("::") {
            (c, m)
        } else if let Some((c, m)) = names.split_once([' ', ',']) {
            (c, m.trim_start())
        } else if let Some((c, m)) = names.rsplit_once('.') {
            (c, m)
        } else {
            return Err("Could not parse method pattern".to_string());
        };
        let class = class.replace('.', "/");
        match (NamePattern::parse(&class), NamePattern::parse(method)) {
            (Some(class), Some(method)) => Ok(Pattern { class, method, descriptor }),
            _ => Err("Embedded * not allowed".to_string()),
        }
    }

    fn matches(&self, class: &str, method: &str, descriptor: &str) -> bool {
        self.class.matches(class)
            && self.method.matches(method)
            && self.descriptor.as_ref().is_none_or(|d| descriptor.starts_with(d.as_str()))
    }

    fn show(&self) -> String {
        format!("{}.{}{}", self.class.show(), self.method.show(), self.descriptor.as_deref().unwrap_or(""))
    }
}

/// All commands in force.
#[derive(Clone, Debug, Default)]
pub struct Commands {
    list: Vec<(CommandKind, Pattern)>,
    /// `quiet`: say nothing about exclusions.
    pub quiet: bool,
}

impl Commands {
    /// Adds one command as `-XX:CompileCommand=` gives it; what is printed about it.
    ///
    /// # Errors
    /// HotSpot's text about a command that cannot be read; the command is left out.
    pub fn add(&mut self, line: &str) -> Result<Option<String>, String> {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            return Ok(None);
        }
        let (word, rest) = line.split_once([',', ' ']).unwrap_or((line, ""));
        if word == "quiet" {
            self.quiet = true;
            return Ok(None);
        }
        let fail = |why: &str| {
            format!(
                "CompileCommand: An error occurred during parsing\nError: {why}\nLine: '{line}'\n\n\
                 Usage: '-XX:CompileCommand=<option>,<method pattern>' - to set boolean option to true\n\
                 Usage: '-XX:CompileCommand=<option>,<method pattern>,<value>'\n\
                 Use:   '-XX:CompileCommand=help' for more information and to list all option.\n"
            )
        };
        let Some(&(option, _)) = CommandKind::ALL.iter().find(|o| o.1.eq_ignore_ascii_case(word)) else {
            return Err(fail(&format!("Unrecognized option '{word}'")));
        };
        if rest.trim().is_empty() {
            return Err(fail("Method pattern missing from command"));
        }
        let (pattern, value) = split_value(rest);
        let pattern = Pattern::parse(pattern).map_err(|e| fail(&e))?;
        let on = match value.map(str::trim) {
            None | Some("true") => true,
            Some("false") => false,
            Some(_) => {
                return Err(fail(&format!("Value cannot be read for option '{}' of type 'bool'", option.name())));
            }
        };
        let said =
            format!("CompileCommand: {0} {1} bool {0} = {on}", option.name(), pattern.show());
        if on {
            self.list.push((option, pattern));
        } else {
            self.list.retain(|c| c.0 != option || c.1 != pattern);
        }
        Ok((!self.quiet).then_some(said))
    }

    /// Adds the commands of a file, one a line.
    pub fn add_file(&mut self, text: &str) -> Vec<Result<Option<String>, String>> {
        text.lines().map(|l| self.add(l)).collect()
    }

    fn matches(&self, option: CommandKind, m: MethodRef) -> bool {
        !self.list.is_empty()
            && self.list.iter().any(|(o, p)| {
                *o == option
                    && p.matches(
                        &m.class().name.to_text(),
                        &m.name.to_text(),
                        &m.descriptor.to_text(),
                    )
            })
    }

    /// A command about this method asks for `option`.
    pub fn asks(&self, option: CommandKind, m: MethodRef) -> bool {
        self.matches(option, m)
    }

    /// The method must not be compiled: excluded, or others alone are to be.
    pub fn excludes(&self, m: MethodRef) -> bool {
        if self.matches(CommandKind::Exclude, m) {
            return true;
        }
        let only = self.list.iter().any(|c| c.0 == CommandKind::CompileOnly);
        only && !self.matches(CommandKind::CompileOnly, m)
    }
}

/// The pattern, and a value after a comma behind it. (In the old form, `Class,method`, a comma stands within
/// the pattern.)
fn split_value(rest: &str) -> (&str, Option<&str>) {
    let modern = rest.contains("::") || rest.split(',').next().is_some_and(|p| p.contains('.'));
    match rest.rsplit_once(',') {
        Some((p, v)) if modern && !v.contains(')') => (p, Some(v)),
        _ => (rest, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(line: &str) -> String {
        match Commands::default().add(line) {
            Ok(s) => s.unwrap_or_default(),
            Err(e) => e.lines().nth(1).unwrap_or_default().to_string(),
        }
    }

    #[test]
    fn registration_and_errors_read_as_hotspots() {
        for (line, expected) in [
            ("exclude,H.foo", "CompileCommand: exclude H.foo bool exclude = true"),
            ("compileonly,H::foo", "CompileCommand: compileonly H.foo bool compileonly = true"),
            ("inline,java.lang.String::*", "CompileCommand: inline java/lang/String.* bool inline = true"),
            (
                "dontinline,java/lang/String.equals(Ljava/lang/Object;)Z",
                "CompileCommand: dontinline java/lang/String.equals(Ljava/lang/Object;)Z bool dontinline = true",
            ),
            ("exclude *H.f*", "CompileCommand: exclude *H.f* bool exclude = true"),
            ("exclude,H*.*foo", "CompileCommand: exclude H*.*foo bool exclude = true"),
            ("quiet", ""),
            ("# note", ""),
            ("bogus,H.foo", "Error: Unrecognized option 'bogus'"),
            ("exclude,H", "Error: Could not parse method pattern"),
            ("exclude", "Error: Method pattern missing from command"),
            ("exclude,H.foo,3", "Error: Value cannot be read for option 'exclude' of type 'bool'"),
        ] {
            assert_eq!(said(line), expected, "{line}");
        }
    }

    #[test]
    fn patterns_match_by_prefix_suffix_and_descriptor() {
        let p = |t| Pattern::parse(t).unwrap();
        assert!(p("java.util.*::add").matches("java/util/ArrayList", "add", "(I)V"));
        assert!(!p("java.util.*::add").matches("java/util/ArrayList", "addAll", "(I)V"));
        assert!(p("*List::add*").matches("java/util/ArrayList", "addAll", "(I)V"));
        assert!(p("A.m(I)").matches("A", "m", "(I)V") && !p("A.m(J)").matches("A", "m", "(I)V"));
        assert!(p("*::*").matches("A", "m", "()V"));
        assert!(Pattern::parse("a*b.c").is_err());
    }
}
