//! `-XX:+PrintFlagsFinal`, `-XX:+PrintFlagsInitial`, `-XX:+PrintFlagsRanges`,
//! `-XX:+PrintCommandLineFlags`.

use std::fmt::Write;

use super::{all, kind, Constant, FlagInfo, FlagType, Flags, Origin, State, Value};

fn write_to(text: &mut String, args: std::fmt::Arguments<'_>) {
    text.write_fmt(args).expect("writing to a String cannot fail");
}

/// Pads the present line to `column`; if it is already there, one blank separates the fields.
fn fill_to(text: &mut String, column: usize) {
    let line = text.len() - text.rfind('\n').map_or(0, |at| at + 1);
    let blanks = if line < column { column - line } else { 1 };
    text.extend(std::iter::repeat_n(' ', blanks));
}

fn kinds(info: &FlagInfo) -> String {
    let names: Vec<&str> =
        kind::NAMES.iter().filter(|(bit, _)| info.kind & bit != 0).map(|(_, name)| *name).collect();
    format!("{{{}}}", names.join(" "))
}

fn origin(state: &State) -> &'static str {
    match state.origin {
        Origin::Default => "{default}",
        Origin::CommandLine => "{command line}",
        Origin::Environment => "{environment}",
        Origin::ConfigFile => "{config file}",
        Origin::Ergonomic if state.was_on_command_line => "{command line, ergonomic}",
        Origin::Ergonomic => "{ergonomic}",
        Origin::Management => "{management}",
        Origin::Attach => "{attach}",
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::Bool(v) => v.to_string(),
        Value::Signed(v) => v.to_string(),
        Value::Unsigned(v) => v.to_string(),
        Value::Double(v) => format!("{v:.6}"),
        Value::Text(v) => v.clone().unwrap_or_default(),
    }
}

fn constant(value: Constant) -> String {
    match value {
        Constant::Integer(v) => v.to_string(),
        Constant::Double(v) => format!("{v:.3}"),
        other => unreachable!("{other:?} is no end of a range"),
    }
}

fn range(info: &FlagInfo) -> String {
    match info.range {
        Some((min, max)) => format!("[ {:<25} ... {:>25} ]", constant(min), constant(max)),
        None => "[                           ...                           ]".to_string(),
    }
}

/// A list has one option for each entry.
fn as_option(name: &str, value: &Value) -> String {
    match value {
        Value::Bool(v) => format!("-XX:{}{name}", if *v { '+' } else { '-' }),
        Value::Text(v) => {
            let entries: Vec<String> =
                v.as_deref().unwrap_or("").split('\n').map(|line| format!("-XX:{name}={line}")).collect();
            entries.join(" ")
        }
        value => format!("-XX:{name}={}", plain(value)),
    }
}

impl Flags {
    fn sorted(&self) -> Vec<(&'static FlagInfo, &State)> {
        let mut rows: Vec<_> = all().iter().copied().zip(self.states.iter().map(State::now)).collect();
        rows.sort_by_key(|(info, _)| info.name);
        rows
    }

    /// The table of all unlocked flags with value, kind and origin.
    pub fn print_table(&self) -> String {
        let mut text = String::from("[Global flags]\n");
        for (info, state) in self.sorted() {
            if info.debug_only() || !self.is_unlocked(info) {
                continue;
            }
            write_to(&mut text, format_args!("{:>9}", info.ty.name()));
            fill_to(&mut text, 10);
            text.push_str(info.name);
            fill_to(&mut text, 50);
            text.push_str(" =");
            fill_to(&mut text, 53);
            // A list prints one line per entry, the later ones with `+=`.
            for (n, line) in plain(&state.value).split('\n').enumerate() {
                if n > 0 {
                    text.push('\n');
                    fill_to(&mut text, 10);
                    text.push_str(info.name);
                    fill_to(&mut text, 50);
                    text.push_str("+=");
                    fill_to(&mut text, 53);
                }
                text.push_str(line);
            }
            fill_to(&mut text, 84);
            write_to(&mut text, format_args!("{:>20}", kinds(info)));
            fill_to(&mut text, 105);
            text.push_str(origin(state));
            text.push('\n');
        }
        text
    }

    /// The table of the ranges of all unlocked numeric flags.
    pub fn print_ranges(&self) -> String {
        let mut text = String::from("[Global flags ranges]\n");
        for (info, state) in self.sorted() {
            let numeric = info.ty != FlagType::bool && !info.ty.is_string();
            if !numeric || info.debug_only() || !self.is_unlocked(info) {
                continue;
            }
            write_to(&mut text, format_args!("{:>9}", info.ty.name()));
            fill_to(&mut text, 10);
            text.push_str(info.name);
            fill_to(&mut text, 61);
            text.push_str(&range(info));
            fill_to(&mut text, 122);
            write_to(&mut text, format_args!("{:>35}", kinds(info)));
            fill_to(&mut text, 158);
            text.push_str(origin(state));
            text.push('\n');
        }
        text
    }

    /// One line with every flag that is not at its default, as options.
    pub fn print_command_line(&self) -> String {
        let mut text = String::new();
        for (info, state) in self.sorted() {
            if state.origin == Origin::Default {
                continue;
            }
            text += &as_option(info.name, &state.value);
            text.push(' ');
        }
        text.push('\n');
        text
    }

    /// The option that gives the flag called `name` its value; `None` if there is no such flag.
    pub fn as_option(&self, name: &str) -> Option<String> {
        super::find(name).filter(|&id| !all()[id].debug_only())?;
        Some(as_option(name, self.value(name)))
    }
}
