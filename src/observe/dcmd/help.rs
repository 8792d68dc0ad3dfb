//! `help`.

use super::parse::{syntax, Argument};
use super::{commands, find, Call, Command, Failure};
use crate::threads::JavaThread;
use std::fmt::Write as _;

pub(super) static HELP: Command = Command {
    name: "help",
    description: "For more information about a specific command use 'help <command>'. \
                  With no argument this will show a list of available commands. \
                  'help all' will show help for all commands.",
    impact: "Low",
    permission: None,
    arguments: &[
        Argument::positional("command name", "The name of the command for which we want help", false),
        Argument::switch("-all", "Show help for all commands"),
    ],
    in_mbean: true,
    run,
};

fn run(_: &JavaThread, call: &Call<'_>, out: &mut String) -> Result<(), Failure> {
    if call.values.is_on("-all") {
        for c in commands(call.source) {
            let _ = writeln!(out, "{}\n\t{}\n", c.name, c.description);
        }
    } else if let Some(name) = call.values.text("command name") {
        match find(call.source, name) {
            Some(c) => *out += &of_command(c),
            None => {
                let _ = writeln!(out, "Help unavailable : '{name}' : No such command");
            }
        }
    } else {
        *out += "The following commands are available:\n";
        for c in commands(call.source) {
            let _ = writeln!(out, "{}", c.name);
        }
        *out += "\nFor more information about a specific command use 'help <command>'.\n";
    }
    Ok(())
}

fn of_command(c: &Command) -> String {
    let mut out = format!("{}\n{}\n\nImpact: {}\n", c.name, c.description, c.impact);
    if let Some((class, name, action)) = c.permission {
        let action = action.map_or(String::new(), |a| format!(", {a}"));
        let _ = write!(out, "\nPermission: {class}({name}{action})\n");
    }
    out.push('\n');
    out + &syntax(c.name, c.arguments)
}
