//! Arguments of diagnostic commands: `value`, `option` and `option=value`, separated by blanks, in quotes or not.
//! Messages are those of HotSpot's `DCmdParser`.

/// The type of an argument, as help and the MBean show it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Type {
    String,
    Boolean,
    Int,
}

impl Type {
    pub fn name(self) -> &'static str {
        match self {
            Type::String => "STRING",
            Type::Boolean => "BOOLEAN",
            Type::Int => "INT",
        }
    }
}

/// An argument or option of a command.
pub struct Argument {
    pub name: &'static str,
    pub description: &'static str,
    pub ty: Type,
    pub mandatory: bool,
    pub default: Option<&'static str>,
    /// Given by name rather than by position.
    pub is_option: bool,
}

impl Argument {
    /// An argument given by position.
    pub const fn positional(name: &'static str, description: &'static str, mandatory: bool) -> Argument {
        Argument { name, description, ty: Type::String, mandatory, default: None, is_option: false }
    }

    /// An option.
    pub const fn option(
        name: &'static str,
        description: &'static str,
        ty: Type,
        default: Option<&'static str>,
    ) -> Argument {
        Argument { name, description, ty, mandatory: false, default, is_option: true }
    }

    /// A switch that is off unless it is given.
    pub const fn switch(name: &'static str, description: &'static str) -> Argument {
        Argument::option(name, description, Type::Boolean, Some("false"))
    }
}

/// The values that the arguments of a command were given, in the table's order.
pub struct Values<'a> {
    arguments: &'static [Argument],
    /// Outer `None`: not given; inner: given without a value.
    given: Vec<Option<Option<&'a str>>>,
}

impl<'a> Values<'a> {
    fn index(&self, name: &str) -> usize {
        let found = self.arguments.iter().position(|a| a.name == name);
        found.unwrap_or_else(|| panic!("no argument is called {name}"))
    }

    /// Whether the argument was given.
    pub fn is_given(&self, name: &str) -> bool {
        self.given[self.index(name)].is_some()
    }

    /// The text that was given, or else the default.
    pub fn text(&self, name: &str) -> Option<&'a str> {
        let i = self.index(name);
        self.given[i].unwrap_or(self.arguments[i].default)
    }

    /// Whether a switch is on.
    pub fn is_on(&self, name: &str) -> bool {
        let i = self.index(name);
        match self.given[i] {
            Some(value) => boolean(value) == Some(true),
            None => self.arguments[i].default == Some("true"),
        }
    }

    /// The number that was given, or else the default, or 0.
    pub fn number(&self, name: &str) -> i64 {
        self.text(name).and_then(|v| v.parse().ok()).unwrap_or(0)
    }
}

fn boolean(value: Option<&str>) -> Option<bool> {
    match value {
        None | Some("") => Some(true),
        Some(v) if v.eq_ignore_ascii_case("true") => Some(true),
        Some(v) if v.eq_ignore_ascii_case("false") => Some(false),
        Some(_) => None,
    }
}

fn check(a: &Argument, value: Option<&str>) -> Result<(), String> {
    let name = a.name;
    match a.ty {
        Type::String => Ok(()),
        Type::Boolean if boolean(value).is_some() => Ok(()),
        Type::Boolean => {
            let v = value.unwrap_or("");
            Err(format!("Boolean parsing error in command argument '{name}'. Could not parse: {v}.\n"))
        }
        Type::Int if value.is_some_and(|v| v.parse::<i64>().is_ok()) => Ok(()),
        Type::Int => {
            let v = value.unwrap_or("<null>");
            let shown: String = v.chars().take(64).collect();
            let more = if shown.len() < v.len() { "..." } else { "" };
            Err(format!("Integer parsing error in command argument '{name}'. Could not parse: {shown}{more}.\n"))
        }
    }
}

/// Takes a word off `text`: up to a blank or one of `ends`, or what is between quotes.
fn word<'a>(text: &mut &'a str, ends: &[char]) -> Result<&'a str, String> {
    let rest: &'a str = text;
    if let Some(quote) = rest.chars().next().filter(|c| matches!(c, '"' | '\'')) {
        let inner = &rest[1..];
        let closing = inner.match_indices(quote).find(|(i, _)| !inner[..*i].ends_with('\\'));
        let Some((end, _)) = closing else {
            return Err("Format error in diagnostic command arguments".into());
        };
        *text = &inner[end + 1..];
        return Ok(&inner[..end]);
    }
    let end = rest.find(|c: char| c == ' ' || ends.contains(&c)).unwrap_or(rest.len());
    *text = &rest[end..];
    Ok(&rest[..end])
}

/// The values that `text` gives to a command's arguments, or what is wrong.
pub(super) fn parse<'a>(arguments: &'static [Argument], mut text: &'a str) -> Result<Values<'a>, String> {
    let mut values = Values { arguments, given: vec![None; arguments.len()] };
    let mut positional = arguments.iter().enumerate().filter(|(_, a)| !a.is_option);
    loop {
        text = text.trim_start_matches([' ', '\t', '\r']);
        if text.is_empty() {
            break;
        }
        let key = word(&mut text, &['='])?;
        let value = match text.strip_prefix('=') {
            Some(rest) => {
                text = rest;
                Some(word(&mut text, &[])?)
            }
            None => None,
        };
        if key.is_empty() {
            break;
        }
        let option = arguments.iter().enumerate().find(|(_, a)| a.is_option && a.name == key);
        let (i, argument, value) = match option {
            Some((i, a)) => (i, a, value),
            None => match positional.next() {
                Some((i, a)) => (i, a, Some(key)),
                None => {
                    let shown: String = key.chars().take(29).collect();
                    return Err(format!("Unknown argument '{shown}' in diagnostic command."));
                }
            },
        };
        if values.given[i].is_some() {
            return Err("Duplicates in diagnostic command arguments\n".into());
        }
        check(argument, value)?;
        values.given[i] = Some(value);
    }
    for (i, a) in arguments.iter().enumerate() {
        if a.mandatory && values.given[i].is_none() {
            let kind = if a.is_option { "option" } else { "argument" };
            return Err(format!("The {kind} '{}' is mandatory.", a.name));
        }
    }
    Ok(values)
}

/// How a command is to be called.
pub(super) fn syntax(name: &str, arguments: &[Argument]) -> String {
    if arguments.is_empty() {
        return format!("Syntax: {name}\n");
    }
    let of_kind = |options: bool| arguments.iter().filter(move |a| a.is_option == options);
    let options = if of_kind(true).next().is_some() { "[options]" } else { "" };
    let mut out = format!("Syntax : {name} {options}");
    for a in of_kind(false) {
        out += &if a.mandatory { format!(" <{}>", a.name) } else { format!(" [<{}>]", a.name) };
    }
    out.push('\n');
    let describe = |a: &Argument| {
        let optional = if a.mandatory { "" } else { "[optional]" };
        let default = a.default.unwrap_or("no default value");
        format!("\t{} : {optional} {} ({}, {default})\n", a.name, a.description, a.ty.name())
    };
    if of_kind(false).next().is_some() {
        out += "\nArguments:\n";
        of_kind(false).for_each(|a| out += &describe(a));
    }
    if !options.is_empty() {
        out += "\nOptions: (options must be specified using the <key> or <key>=<value> syntax)\n";
        of_kind(true).for_each(|a| out += &describe(a));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    static ARGUMENTS: &[Argument] = &[
        Argument::positional("file", "A file", true),
        Argument::switch("-all", "All"),
        Argument::option("-n", "Number", Type::Int, Some("7")),
    ];

    fn error(text: &str) -> String {
        parse(ARGUMENTS, text).err().unwrap_or_default()
    }

    #[test]
    fn values() {
        let v = parse(ARGUMENTS, " 'a b' -all -n=3").expect("well formed");
        assert_eq!((v.text("file"), v.is_on("-all"), v.number("-n")), (Some("a b"), true, 3));
        let v = parse(ARGUMENTS, "-all=FALSE x=y ").expect("well formed");
        assert_eq!((v.text("file"), v.is_on("-all"), v.number("-n")), (Some("x"), false, 7));
        assert!(v.is_given("-all") && !v.is_given("-n"));
        let v = parse(ARGUMENTS, r#"-n="4" "q\"r""#).expect("well formed");
        assert_eq!((v.text("file"), v.number("-n")), (Some("q\\\"r"), 4));
    }

    #[test]
    fn errors_are_hotspots() {
        assert_eq!(error(""), "The argument 'file' is mandatory.");
        assert_eq!(error("a b"), "Unknown argument 'b' in diagnostic command.");
        assert_eq!(error("a -all -all"), "Duplicates in diagnostic command arguments\n");
        assert_eq!(error("a -all=x"), "Boolean parsing error in command argument '-all'. Could not parse: x.\n");
        assert_eq!(error("a -n=x"), "Integer parsing error in command argument '-n'. Could not parse: x.\n");
        assert_eq!(error("'a"), "Format error in diagnostic command arguments");
    }
}
