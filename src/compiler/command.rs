//! `-XX:CompileCommand=`, `-XX:CompileCommandFile=` and `-XX:CompileOnly=` (HotSpot's CompilerOracle).
//!
//! A command is an option, a method pattern (`pkg.Class::method(Descriptor)`, `pkg/Class.method`, with `*` at
//! either end of class and method name) and for options that are not boolean a value.

use crate::meta::method::MethodRef;

/// What a command asks for, of all options those that Kiln acts on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CommandKind {
    CompileOnly,
    Exclude,
    Inline,
    DontInline,
    Print,
    Log,
    /// `false`: whoever asks for a compile of the method waits for it.
    BackgroundCompilation,
    /// Its inlining decisions are printed.
    PrintInlining,
    /// The compile's IR as built and as optimized, and the machine code, to standard output.
    PrintIr,
}

impl CommandKind {
    /// Its option's name.
    pub fn name(self) -> &'static str {
        match self {
            CommandKind::CompileOnly => "compileonly",
            CommandKind::Exclude => "exclude",
            CommandKind::Inline => "inline",
            CommandKind::DontInline => "dontinline",
            CommandKind::Print => "print",
            CommandKind::Log => "log",
            CommandKind::BackgroundCompilation => "BackgroundCompilation",
            CommandKind::PrintInlining => "PrintInlining",
            CommandKind::PrintIr => "PrintIR",
        }
    }
}

/// Type of an option's value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OptionType {
    Bool,
    Intx,
    Uintx,
    Ccstr,
    Ccstrlist,
    Double,
}

impl OptionType {
    const ALL: [OptionType; 6] = [
        OptionType::Bool,
        OptionType::Intx,
        OptionType::Uintx,
        OptionType::Ccstr,
        OptionType::Ccstrlist,
        OptionType::Double,
    ];

    fn name(self) -> &'static str {
        match self {
            OptionType::Bool => "bool",
            OptionType::Intx => "intx",
            OptionType::Uintx => "uintx",
            OptionType::Ccstr => "const char*",
            OptionType::Ccstrlist => "const char*",
            OptionType::Double => "double",
        }
    }

    /// By the name that the `option` command uses.
    fn parse(text: &str) -> Option<OptionType> {
        let names = ["bool", "intx", "uintx", "ccstr", "ccstrlist", "double"];
        names.iter().position(|n| n.eq_ignore_ascii_case(text)).map(|i| OptionType::ALL[i])
    }

    /// A value in its usual form; `None` if this is none.
    fn value(self, text: &str) -> Option<String> {
        let word = |more: &[char]| {
            let ok = |c: char| c.is_ascii_alphanumeric() || c == '_' || more.contains(&c);
            (!text.is_empty() && text.chars().all(ok)).then(|| text.to_string())
        };
        match self {
            OptionType::Bool => {
                ["true", "false"].iter().find(|b| b.eq_ignore_ascii_case(text)).map(|b| b.to_string())
            }
            OptionType::Intx => text.parse::<i64>().ok().map(|v| v.to_string()),
            OptionType::Uintx => text.parse::<u64>().ok().map(|v| v.to_string()),
            OptionType::Ccstr => word(&[]),
            OptionType::Ccstrlist => word(&['+', '-', ' ', ',']).map(|list| list.replace(',', " ")),
            OptionType::Double => text.parse::<f64>().ok().map(|v| format!("{v:.6}")),
        }
    }
}

/// All options of HotSpot 17, and Kiln's own. Those that are not a [`CommandKind`] are recorded, and asked for by
/// nothing but the white box: they choose among HotSpot's ways to print, or to compile what Kiln compiles one way.
const OPTIONS: [(&str, OptionType); 39] = [
    ("log", OptionType::Bool),
    ("print", OptionType::Bool),
    ("inline", OptionType::Bool),
    ("dontinline", OptionType::Bool),
    ("blackhole", OptionType::Bool),
    ("compileonly", OptionType::Bool),
    ("exclude", OptionType::Bool),
    ("break", OptionType::Bool),
    ("BreakAtExecute", OptionType::Bool),
    ("BreakAtCompile", OptionType::Bool),
    ("PrintAssembly", OptionType::Bool),
    ("PrintInlining", OptionType::Bool),
    ("PrintIntrinsics", OptionType::Bool),
    ("PrintNMethods", OptionType::Bool),
    ("PrintOptoAssembly", OptionType::Bool),
    ("PrintDebugInfo", OptionType::Bool),
    ("PrintRelocations", OptionType::Bool),
    ("PrintDependencies", OptionType::Bool),
    ("BackgroundCompilation", OptionType::Bool),
    ("RepeatCompilation", OptionType::Intx),
    ("ReplayInline", OptionType::Bool),
    ("DumpReplay", OptionType::Bool),
    ("DumpInline", OptionType::Bool),
    ("CompileThresholdScaling", OptionType::Double),
    ("ControlIntrinsic", OptionType::Ccstrlist),
    ("DisableIntrinsic", OptionType::Ccstrlist),
    ("NoRTMLockEliding", OptionType::Bool),
    ("UseRTMLockEliding", OptionType::Bool),
    ("BlockLayoutByFrequency", OptionType::Bool),
    ("TraceOptoPipelining", OptionType::Bool),
    ("TraceOptoOutput", OptionType::Bool),
    ("TraceSpilling", OptionType::Bool),
    ("PrintIdeal", OptionType::Bool),
    ("IGVPrintLevel", OptionType::Intx),
    ("Vectorize", OptionType::Bool),
    ("VectorizeDebug", OptionType::Uintx),
    ("CloneMapDebug", OptionType::Bool),
    ("IncrementalInlineForceCleanup", OptionType::Bool),
    ("MaxNodeLimit", OptionType::Intx),
];

/// Kiln's own option.
const PRINT_IR: (&str, OptionType) = ("PrintIR", OptionType::Bool);

fn option(name: &str) -> Option<(&'static str, OptionType)> {
    OPTIONS.iter().chain([&PRINT_IR]).find(|o| o.0.eq_ignore_ascii_case(name)).copied()
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

/// One command.
#[derive(Clone, Debug)]
struct Command {
    option: &'static str,
    ty: OptionType,
    pattern: Pattern,
    /// In the form of [`OptionType::value`].
    value: String,
}

impl Command {
    fn show(&self) -> String {
        let (option, ty, pattern, value) = (self.option, self.ty.name(), self.pattern.show(), &self.value);
        match self.ty {
            OptionType::Ccstr | OptionType::Ccstrlist => {
                format!("CompileCommand: {option} {pattern} {ty} {option} = '{value}'")
            }
            _ => format!("CompileCommand: {option} {pattern} {ty} {option} = {value}"),
        }
    }
}

/// All commands in force.
#[derive(Clone, Debug, Default)]
pub struct Commands {
    list: Vec<Command>,
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
        let commands = parse(word, rest).map_err(|why| {
            format!(
                "CompileCommand: An error occurred during parsing\nError: {why}\nLine: '{line}'\n\n\
                 Usage: '-XX:CompileCommand=<option>,<method pattern>' - to set boolean option to true\n\
                 Usage: '-XX:CompileCommand=<option>,<method pattern>,<value>'\n\
                 Use:   '-XX:CompileCommand=help' for more information and to list all option.\n"
            )
        })?;
        let said: Vec<String> = commands.iter().map(Command::show).collect();
        self.list.extend(commands);
        Ok((!self.quiet && !said.is_empty()).then(|| said.join("\n")))
    }

    /// Adds the commands of a file, one a line.
    pub fn add_file(&mut self, text: &str) -> Vec<Result<Option<String>, String>> {
        text.lines().map(|l| self.add(l)).collect()
    }

    /// What the last command about this method gives `option`.
    pub fn value(&self, option: &str, m: MethodRef) -> Option<&str> {
        if !self.list.iter().any(|c| c.option == option) {
            return None;
        }
        let (class, name, descriptor) = (m.class().name.to_text(), m.name.to_text(), m.descriptor.to_text());
        let about = |c: &&Command| c.option == option && c.pattern.matches(&class, &name, &descriptor);
        self.list.iter().rev().find(about).map(|c| c.value.as_str())
    }

    /// A command about this method asks for `option`.
    pub fn asks(&self, option: CommandKind, m: MethodRef) -> bool {
        self.value(option.name(), m) == Some("true")
    }

    /// A command about this method forbids `option`.
    pub fn forbids(&self, option: CommandKind, m: MethodRef) -> bool {
        self.value(option.name(), m) == Some("false")
    }

    /// The method must not be compiled: excluded, or others alone are to be.
    pub fn excludes(&self, m: MethodRef) -> bool {
        if self.asks(CommandKind::Exclude, m) {
            return true;
        }
        let only = self.list.iter().any(|c| c.option == CommandKind::CompileOnly.name() && c.value == "true");
        only && !self.asks(CommandKind::CompileOnly, m)
    }
}

/// Reads the commands of a line, which begins with `word`. The error is HotSpot's text.
fn parse(word: &str, rest: &str) -> Result<Vec<Command>, String> {
    let generic = word.eq_ignore_ascii_case("option");
    let named = option(word);
    if !generic && named.is_none() {
        return Err(format!("Unrecognized option '{word}'"));
    }
    if rest.trim().is_empty() {
        return Err("Method pattern missing from command".to_string());
    }
    let (pattern, values) = split_values(rest);
    let pattern = Pattern::parse(pattern)?;
    let read = |(name, ty): (&'static str, OptionType), text: &str| -> Result<Command, String> {
        let value = ty.value(text.trim());
        let value = value
            .ok_or_else(|| format!("Value cannot be read for option '{name}' of type '{}'", ty.name()))?;
        Ok(Command { option: name, ty, pattern: pattern.clone(), value })
    };
    if let Some(o) = named {
        return match values {
            None if o.1 == OptionType::Bool => Ok(vec![read(o, "true")?]),
            None => Err(format!("  Option '{}' is not followed by a value", o.0)),
            Some(text) => Ok(vec![read(o, text)?]),
        };
    }
    // option,pattern,name... or option,pattern,type,name,value.
    let mut words = values.unwrap_or("").split([',', ' ']).map(str::trim).filter(|w| !w.is_empty());
    let mut commands = Vec::new();
    while let Some(word) = words.next() {
        let (ty, name) = match OptionType::parse(word) {
            Some(ty) => (Some(ty), words.next().unwrap_or("")),
            None => (None, word),
        };
        let o = option(name).ok_or_else(|| format!("Unrecognized option '{name}'"))?;
        match ty {
            None if o.1 == OptionType::Bool => commands.push(read(o, "true")?),
            None => return Err(format!("  Missing type '{}' before option '{}'", o.1.name(), o.0)),
            Some(OptionType::Ccstrlist) => {
                let text: Vec<&str> = words.by_ref().collect();
                commands.push(read(o, &text.join(" "))?);
            }
            Some(_) => commands.push(read(o, words.next().unwrap_or(""))?),
        }
    }
    Ok(commands)
}

/// The pattern, and what is behind it. (In the old form, without `::`, a comma, blank or dot stands within the
/// pattern.)
fn split_values(rest: &str) -> (&str, Option<&str>) {
    let rest = rest.trim_start();
    let old = [',', ' ', '.'];
    let from = match rest.contains("::") {
        true => rest.find(')').unwrap_or(0),
        false => rest.find(old).map_or(rest.len(), |i| i + 1),
    };
    match rest[from..].find([',', ' ']) {
        Some(i) if !rest[from + i..].trim_matches([',', ' ']).is_empty() => {
            let at = from + i;
            (&rest[..at], Some(rest[at + 1..].trim_start()))
        }
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
            ("exclude,H.foo,false", "CompileCommand: exclude H.foo bool exclude = false"),
            ("option,H::foo,Vectorize", "CompileCommand: Vectorize H.foo bool Vectorize = true"),
            (
                "option,H::foo,intx,RepeatCompilation,5",
                "CompileCommand: RepeatCompilation H.foo intx RepeatCompilation = 5",
            ),
            ("RepeatCompilation,H::foo,5", "CompileCommand: RepeatCompilation H.foo intx RepeatCompilation = 5"),
            ("option,H::foo,RepeatCompilation", "Error:   Missing type 'intx' before option 'RepeatCompilation'"),
            ("MaxNodeLimit,H::foo", "Error:   Option 'MaxNodeLimit' is not followed by a value"),
            ("DisableIntrinsic,H::foo,_a,_b", "CompileCommand: DisableIntrinsic H.foo const char* DisableIntrinsic = '_a _b'"),
            (
                "CompileThresholdScaling,H::foo,0.5",
                "CompileCommand: CompileThresholdScaling H.foo double CompileThresholdScaling = 0.500000",
            ),
            ("exclude H foo", "CompileCommand: exclude H.foo bool exclude = true"),
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
