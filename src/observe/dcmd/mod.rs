//! Diagnostic commands (HotSpot's `DCmd`s): what `jcmd` and `DiagnosticCommandMBean` execute.
//!
//! [`COMMANDS`] is the table of all; one file has the commands of one family.

mod compiler;
mod gc;
mod help;
mod loaders;
mod management;
mod parse;
mod threads;
mod vm;

use crate::exceptions::Thrown;
use crate::threads::JavaThread;
pub use parse::{Argument, Values};
pub use vm::properties;

/// Who executes a command.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Source {
    /// A tool that has attached.
    Attach,
    /// `DiagnosticCommandMBean`.
    MBean,
}

/// Why a command has failed.
pub enum Failure {
    /// It, or an argument, is wrong: an IllegalArgumentException with this message.
    Illegal(String),
    /// What it ran has thrown.
    Thrown(Thrown),
}

impl From<Thrown> for Failure {
    fn from(t: Thrown) -> Failure {
        Failure::Thrown(t)
    }
}

/// The permission that a client of the MBean must have: class, name, action.
pub type Permission = (&'static str, &'static str, Option<&'static str>);

const MONITOR: Option<Permission> = Some(("java.lang.management.ManagementPermission", "monitor", None));
const CONTROL: Option<Permission> = Some(("java.lang.management.ManagementPermission", "control", None));

/// One command.
pub struct Command {
    pub name: &'static str,
    pub description: &'static str,
    /// What it costs the running program, in HotSpot's words.
    pub impact: &'static str,
    pub permission: Option<Permission>,
    /// Arguments in the order in which they are given, then options.
    pub arguments: &'static [Argument],
    /// Whether the MBean has it too.
    pub in_mbean: bool,
    run: fn(&JavaThread, &Call<'_>, &mut String) -> Result<(), Failure>,
}

/// What a command is called with.
pub struct Call<'a> {
    command: &'static Command,
    source: Source,
    values: Values<'a>,
}

/// Every command, by name.
pub static COMMANDS: &[&Command] = &[
    &compiler::CODECACHE,
    &compiler::CODELIST,
    &compiler::QUEUE,
    &gc::CLASS_HISTOGRAM,
    &gc::FINALIZER_INFO,
    &gc::HEAP_DUMP,
    &gc::HEAP_INFO,
    &gc::RUN,
    &gc::RUN_FINALIZATION,
    &management::START,
    &management::START_LOCAL,
    &management::STATUS,
    &management::STOP,
    &threads::PRINT,
    &loaders::STATISTICS,
    &vm::COMMAND_LINE,
    &vm::DYNLIBS,
    &vm::FLAGS,
    &vm::INFO,
    &vm::LOG,
    &vm::SET_FLAG,
    &vm::SYSTEM_PROPERTIES,
    &vm::UPTIME,
    &vm::VERSION,
    &help::HELP,
];

/// The commands that a source may execute.
pub fn commands(source: Source) -> impl Iterator<Item = &'static Command> {
    COMMANDS.iter().copied().filter(move |c| source == Source::Attach || c.in_mbean)
}

/// The command of this name.
pub fn find(source: Source, name: &str) -> Option<&'static Command> {
    commands(source).find(|c| c.name == name)
}

/// Executes the commands of `lines`, one a line: a name, then arguments and options separated by blanks. Their output
/// goes to `out`. Empty lines and those that begin with `#` are passed over; `stop` ends the list.
pub fn execute(t: &JavaThread, source: Source, lines: &str, out: &mut String) -> Result<(), Failure> {
    for (i, line) in lines.split_terminator('\n').enumerate() {
        if source == Source::MBean && i > 0 {
            // Permissions are checked for one command.
            return Err(Failure::Illegal("Invalid syntax".into()));
        }
        let line = line.trim_start();
        let (name, arguments) = line.split_at(line.find(char::is_whitespace).unwrap_or(line.len()));
        if name == "stop" {
            break;
        }
        if name.is_empty() || name.starts_with('#') {
            continue;
        }
        let command = find(source, name).ok_or_else(|| Failure::Illegal("Unknown diagnostic command".into()))?;
        let values = parse::parse(command.arguments, arguments).map_err(Failure::Illegal)?;
        (command.run)(t, &Call { command, source, values }, out)?;
    }
    Ok(())
}
