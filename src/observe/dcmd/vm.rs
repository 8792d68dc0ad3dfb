//! `VM.*`.

use super::parse::{syntax, Argument, Type};
use super::{Call, Command, Failure, CONTROL, MONITOR};
use crate::exceptions::VmResult;
use crate::heap::access;
use crate::heap::layout::Oop;
use crate::interpreter::call::call as call_java;
use crate::link::{init, load};
use crate::meta::loader;
use crate::meta::symbol::Symbol;
use crate::observe::log;
use crate::options::flags::Origin;
use crate::sym;
use crate::threads::JavaThread;
use std::fmt::Write as _;
use std::time::{SystemTime, UNIX_EPOCH};

pub(super) static VERSION: Command = Command {
    name: "VM.version",
    description: "Print JVM version information.",
    impact: "Low",
    permission: Some(("java.util.PropertyPermission", "java.vm.version", Some("read"))),
    arguments: &[],
    in_mbean: true,
    run: |_, _, out| {
        let jdk = loader::boot().modules.read().get(&sym!("java.base")).and_then(|m| m.version.clone());
        let jdk = jdk.expect("java.base has a version");
        let _ = writeln!(out, "{} version {}\nJDK {jdk}", crate::vm::VM_NAME, crate::vm::VM_VERSION);
        Ok(())
    },
};

pub(super) static COMMAND_LINE: Command = Command {
    name: "VM.command_line",
    description: "Print the command line used to start this VM instance.",
    impact: "Low",
    permission: MONITOR,
    arguments: &[],
    in_mbean: true,
    run: |_, _, out| {
        let o = &crate::vm::get().options;
        *out += "VM Arguments:\n";
        if !o.vm_args.is_empty() {
            *out += "jvm_args: ";
            o.vm_args.iter().for_each(|a| *out += &format!("{} ", a.to_string_lossy()));
            out.push('\n');
        }
        let command = o.java_command.as_ref().map_or("<unknown>".into(), |c| c.to_string_lossy());
        let path = o.properties.get("java.class.path").map_or("".into(), |p| p.to_string_lossy());
        let path = if path.is_empty() { "<not set>" } else { &*path };
        let launcher = o.properties.get("sun.java.launcher").map_or("generic".into(), |l| l.to_string_lossy());
        let _ = writeln!(out, "java_command: {command}\njava_class_path (initial): {path}\nLauncher Type: {launcher}");
        Ok(())
    },
};

pub(super) static SYSTEM_PROPERTIES: Command = Command {
    name: "VM.system_properties",
    description: "Print system properties.",
    impact: "Low",
    permission: Some(("java.util.PropertyPermission", "*", Some("read"))),
    arguments: &[],
    in_mbean: true,
    run: |t, _, out| {
        *out += &properties(t, "serializePropertiesToByteArray")?;
        Ok(())
    },
};

/// What a method of `jdk.internal.vm.VMSupport` gives: properties in the format of `Properties.store`.
pub fn properties(t: &JavaThread, method: &str) -> VmResult<String> {
    let class = load::load_or_no_class_def(t, loader::boot(), Symbol::of("jdk/internal/vm/VMSupport"))?;
    init::initialize(t, class)?;
    let m = class
        .find_declared(Symbol::of(method), sym!("()[B"))
        .unwrap_or_else(|| panic!("VMSupport.{method} is not in this class library (JDK 17 is needed)"));
    let bytes = Oop::from_address(call_java(t, m, &[])? as usize);
    // SAFETY: an array of bytes, copied at once.
    Ok(String::from_utf8_lossy(unsafe { access::bytes(bytes) }).into_owned())
}

pub(super) static FLAGS: Command = Command {
    name: "VM.flags",
    description: "Print VM flag options and their current values.",
    impact: "Low",
    permission: MONITOR,
    arguments: &[Argument::switch("-all", "Print all flags supported by the VM")],
    in_mbean: true,
    run: |_, call, out| {
        let flags = &crate::vm::get().options.flags;
        *out += &if call.values.is_on("-all") { flags.print_table() } else { flags.print_command_line() };
        Ok(())
    },
};

pub(super) static SET_FLAG: Command = Command {
    name: "VM.set_flag",
    description: "Sets VM flag option using the provided value.",
    impact: "Low",
    permission: CONTROL,
    arguments: &[
        Argument::positional("flag name", "The name of the flag we want to set", true),
        Argument::positional("string value", "The value we want to set", false),
    ],
    in_mbean: true,
    run: |_, call, out| {
        let name = call.values.text("flag name").unwrap_or("");
        let flags = &crate::vm::get().options.flags;
        if let Err(e) = flags.manage(name, call.values.text("string value"), Origin::Management) {
            let _ = writeln!(out, "{e}");
        }
        Ok(())
    },
};

pub(super) static UPTIME: Command = Command {
    name: "VM.uptime",
    description: "Print VM uptime.",
    impact: "Low",
    permission: None,
    arguments: &[Argument::switch("-date", "Add a prefix with current date")],
    in_mbean: true,
    run: |_, call, out| {
        if call.values.is_on("-date") {
            *out += &format!("{}: ", date_stamp());
        }
        let _ = writeln!(out, "{:.3} s", log::uptime().as_secs_f64());
        Ok(())
    },
};

/// `2026-11-22T00:14:39.928+0000`, local time.
fn date_stamp() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let seconds = now.as_secs() as libc::time_t;
    // SAFETY: `parts` is plain data that localtime_r fills in; strftime writes no more than the buffer holds and gives
    // the length.
    let text = |format: &std::ffi::CStr| unsafe {
        let mut parts: libc::tm = std::mem::zeroed();
        libc::localtime_r(&seconds, &mut parts);
        let mut text = [0u8; 32];
        let n = libc::strftime(text.as_mut_ptr().cast(), text.len(), format.as_ptr(), &parts);
        String::from_utf8_lossy(&text[..n]).into_owned()
    };
    format!("{}.{:03}{}", text(c"%Y-%m-%dT%H:%M:%S"), now.subsec_millis(), text(c"%z"))
}

pub(super) static DYNLIBS: Command = Command {
    name: "VM.dynlibs",
    description: "Print loaded dynamic libraries.",
    impact: "Low",
    permission: MONITOR,
    arguments: &[],
    in_mbean: true,
    run: |_, _, out| {
        *out += "Dynamic libraries:\n";
        match std::fs::read_to_string("/proc/self/maps") {
            Ok(maps) => *out += &maps,
            Err(e) => *out += &format!("Can not get library information: {e}\n"),
        }
        Ok(())
    },
};

pub(super) static INFO: Command = Command {
    name: "VM.info",
    description: "Print information about JVM environment and status.",
    impact: "Low",
    permission: MONITOR,
    arguments: &[],
    in_mbean: true,
    run: |_, _, out| {
        *out += &crate::vm::crash::info();
        Ok(())
    },
};

pub(super) static LOG: Command = Command {
    name: "VM.log",
    description: "Lists current log configuration, enables/disables/configures a log output, or rotates all logs.",
    impact: "Low: No impact",
    permission: CONTROL,
    arguments: &[
        Argument::option("output", "The name or index (#<index>) of output to configure.", Type::String, None),
        Argument::option("output_options", "Options for the output.", Type::String, None),
        Argument::option("what", "Configures what tags to log.", Type::String, None),
        Argument::option(
            "decorators",
            "Configures which decorators to use. Use 'none' or an empty value to remove all.",
            Type::String,
            None,
        ),
        Argument::option("disable", "Turns off all logging and clears the log configuration.", Type::Boolean, None),
        Argument::option("list", "Lists current log configuration.", Type::Boolean, None),
        Argument::option("rotate", "Rotates all logs.", Type::Boolean, None),
    ],
    in_mbean: true,
    run: configure_log,
};

fn configure_log(_: &JavaThread, call: &Call<'_>, out: &mut String) -> Result<(), Failure> {
    let values = &call.values;
    let given = |name| values.is_given(name);
    let configures = ["output", "what", "decorators"].into_iter().any(given);
    if given("disable") {
        log::reconfigure(|c| c.disable());
    }
    if configures {
        let text = |name| values.text(name).unwrap_or("");
        let (output, what) = (text("output"), text("what"));
        let result =
            log::reconfigure(|c| c.apply(output, what, text("decorators"), text("output_options")));
        let lines = match &result {
            Ok(lines) | Err(lines) => lines,
        };
        lines.iter().for_each(|line| *out += &format!("{line}\n"));
        if result.is_err() {
            return Ok(());
        }
    }
    if given("list") {
        *out += &log::Configuration::vocabulary();
        *out += &log::reconfigure(|c| c.describe());
    }
    if given("rotate") {
        if let Err(e) = log::reconfigure(|c| c.rotate_all()) {
            let _ = writeln!(out, "Could not rotate the logs: {e}");
        }
    }
    if !configures && !["disable", "list", "rotate"].into_iter().any(given) {
        *out += &syntax(call.command.name, call.command.arguments);
    }
    Ok(())
}
