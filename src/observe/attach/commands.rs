//! What a tool that has attached can ask for.

use super::ARGUMENTS;
use crate::heap::access::load_ref;
use crate::heap::layout::Oop;
use crate::heap::{dump, histogram, strings};
use crate::meta::well_known::KnownField;
use crate::observe::{dcmd, thread_dump};
use crate::options::flags::{ManageError, Origin};
use crate::os::signals;
use crate::threads::JavaThread;
use std::fmt::Write as _;
use std::path::Path;

/// The command has failed; its output says how.
pub(super) struct Failed;

type Outcome = Result<(), Failed>;
type Operation = fn(&JavaThread, &[String; ARGUMENTS], &mut String) -> Outcome;

const OPERATIONS: &[(&str, Operation)] = &[
    ("agentProperties", |t, _, out| properties(t, "serializeAgentPropertiesToByteArray", out)),
    ("datadump", data_dump),
    ("dumpheap", dump_heap),
    ("load", load_agent),
    ("properties", |t, _, out| properties(t, "serializePropertiesToByteArray", out)),
    ("threaddump", thread_dump),
    ("inspectheap", inspect_heap),
    ("setflag", set_flag),
    ("printflag", print_flag),
    ("jcmd", jcmd),
];

pub(super) fn execute(t: &JavaThread, command: &str, arguments: &[String; ARGUMENTS], out: &mut String) -> Outcome {
    match OPERATIONS.iter().find(|(name, _)| *name == command) {
        Some((_, run)) => run(t, arguments, out),
        None => {
            let _ = write!(out, "Operation {command} not recognized!");
            Err(Failed)
        }
    }
}

/// `java.lang.Error: message`.
pub(super) fn describe(exception: Oop) -> String {
    let name = exception.class().external_name();
    match load_ref(exception, KnownField::ThrowableDetailMessage.offset()).non_null() {
        Some(m) => format!("{name}: {}", strings::to_rust(m)),
        None => name,
    }
}

fn properties(t: &JavaThread, method: &str, out: &mut String) -> Outcome {
    match dcmd::properties(t, method) {
        Ok(text) => {
            *out += &text;
            Ok(())
        }
        Err(_) => {
            *out += &describe(t.take_exception());
            Err(Failed)
        }
    }
}

/// What SIGQUIT does.
fn data_dump(_: &JavaThread, _: &[String; ARGUMENTS], _: &mut String) -> Outcome {
    if !crate::vm::get().options.settings.reduce_signal_usage {
        signals::raise(libc::SIGQUIT);
    }
    Ok(())
}

fn load_agent(_: &JavaThread, arguments: &[String; ARGUMENTS], out: &mut String) -> Outcome {
    if !crate::vm::get().options.flags.bool("EnableDynamicAgentLoading") {
        *out +=
            "Dynamic agent loading is not enabled. Use -XX:+EnableDynamicAgentLoading to launch target VM.";
        return Err(Failed);
    }
    let _ = writeln!(out, "{} was not loaded.\nKiln has no JVM TI, which agents need", arguments[0]);
    Err(Failed)
}

fn thread_dump(t: &JavaThread, arguments: &[String; ARGUMENTS], out: &mut String) -> Outcome {
    let what = thread_dump::What { locks: arguments[0].contains('l'), extended: arguments[0].contains('e') };
    *out += &thread_dump::text(t, what);
    Ok(())
}

/// `-live` (also if nothing is given) or `-all`.
fn is_live(argument: &str, operation: &str, out: &mut String) -> Result<bool, Failed> {
    match argument {
        "" | "-live" => Ok(true),
        "-all" => Ok(false),
        other => {
            let _ = writeln!(out, "Invalid argument to {operation} operation: {other}");
            Err(Failed)
        }
    }
}

fn dump_heap(t: &JavaThread, arguments: &[String; ARGUMENTS], out: &mut String) -> Outcome {
    let [path, what, level] = arguments;
    if path.is_empty() {
        *out += "No dump file specified\n";
        return Ok(());
    }
    let live = is_live(what, "dumpheap", out)?;
    let gzip_level = match level.as_str() {
        "" => None,
        text => match text.parse::<u64>() {
            Ok(n) if (1..=9).contains(&n) => Some(n as u32),
            Ok(n) => {
                let _ = writeln!(out, "Compression level out of range (1-9): {n}");
                return Err(Failed);
            }
            Err(_) => {
                let _ = writeln!(out, "Invalid compress level: [{text}]");
                return Err(Failed);
            }
        },
    };
    let request =
        dump::Request { path: Path::new(path), live, gzip_level, overwrite: false, out_of_memory: false };
    // That it failed is told in words only, as on HotSpot.
    dump::dump_and_tell(t, &request, &mut |line| *out += line);
    Ok(())
}

fn inspect_heap(t: &JavaThread, arguments: &[String; ARGUMENTS], out: &mut String) -> Outcome {
    let [what, path, threads] = arguments;
    let live = is_live(what, "inspectheap", out)?;
    if !threads.is_empty() && threads.parse::<u64>().is_err() {
        let _ = writeln!(out, "Invalid parallel thread number: [{threads}]");
        return Err(Failed);
    }
    let text = histogram::text(t, live);
    if path.is_empty() {
        *out += &text;
        return Ok(());
    }
    match std::fs::write(path, text) {
        Ok(()) => {
            let _ = writeln!(out, "Heap inspection file created: {path}");
            Ok(())
        }
        Err(e) => {
            let _ = writeln!(out, "Could not create {path}: {e}");
            Err(Failed)
        }
    }
}

fn set_flag(_: &JavaThread, arguments: &[String; ARGUMENTS], out: &mut String) -> Outcome {
    let [name, value, _] = arguments;
    if name.is_empty() {
        *out += "flag name is missing\n";
        return Err(Failed);
    }
    match crate::vm::get().options.flags.manage(name, Some(value), Origin::Attach) {
        Ok(()) => return Ok(()),
        Err(ManageError::NotWriteable) => {
            let _ = writeln!(out, "flag '{name}' cannot be changed");
        }
        Err(e) => {
            let _ = writeln!(out, "{e}");
        }
    }
    Err(Failed)
}

fn print_flag(_: &JavaThread, arguments: &[String; ARGUMENTS], out: &mut String) -> Outcome {
    let name = &arguments[0];
    if name.is_empty() {
        *out += "flag name is missing\n";
        return Err(Failed);
    }
    let _ = match crate::vm::get().options.flags.as_option(name) {
        Some(option) => writeln!(out, "{option}"),
        None => writeln!(out, "no such flag '{name}'"),
    };
    Ok(())
}

fn jcmd(t: &JavaThread, arguments: &[String; ARGUMENTS], out: &mut String) -> Outcome {
    match dcmd::execute(t, dcmd::Source::Attach, &arguments[0], out) {
        Ok(()) => return Ok(()),
        Err(dcmd::Failure::Illegal(message)) => {
            let _ = writeln!(out, "java.lang.IllegalArgumentException: {message}");
        }
        Err(dcmd::Failure::Thrown(_)) => {
            let _ = writeln!(out, "{}", describe(t.take_exception()));
        }
    }
    Err(Failed)
}
