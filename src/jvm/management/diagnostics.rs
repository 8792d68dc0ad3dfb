//! `DiagnosticCommandMBean` and `HotSpotDiagnosticMXBean.dumpHeap`.

use super::{jmm_entry, vm_flags};
use crate::exceptions::{throw, Thrown, VmResult};
use crate::heap::access::array_ref;
use crate::heap::dump;
use crate::heap::layout::Oop;
use crate::heap::strings;
use crate::observe::dcmd::{self, Command, Failure, Source};
use crate::threads::JavaThread;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::ffi::{c_char, c_void, CString};
use std::path::Path;

/// `dcmdInfo`.
#[repr(C)]
struct CommandInfo {
    name: *const c_char,
    description: *const c_char,
    impact: *const c_char,
    permission_class: *const c_char,
    permission_name: *const c_char,
    permission_action: *const c_char,
    arguments: i32,
    enabled: u8,
}

/// `dcmdArgInfo`.
#[repr(C)]
struct ArgumentInfo {
    name: *const c_char,
    description: *const c_char,
    ty: *const c_char,
    default: *const c_char,
    mandatory: u8,
    option: u8,
    multiple: u8,
    position: i32,
}

/// A text of the table as a C string; each is made once.
fn c_text(text: &'static str) -> *const c_char {
    static TEXTS: Mutex<Option<HashMap<&'static str, CString>>> = Mutex::new(None);
    let mut texts = TEXTS.lock();
    let made = texts.get_or_insert_with(HashMap::new).entry(text);
    made.or_insert_with(|| CString::new(text).expect("no text of the table has a 0 in it")).as_ptr()
}

fn c_text_or_null(text: Option<&'static str>) -> *const c_char {
    text.map_or(std::ptr::null(), c_text)
}

fn null_pointer(t: &JavaThread, message: &str) -> Thrown {
    throw(t, "java/lang/NullPointerException", Some(message.into()))
}

fn illegal(t: &JavaThread, message: String) -> Thrown {
    throw(t, "java/lang/IllegalArgumentException", Some(message))
}

fn find(t: &JavaThread, name: Oop) -> VmResult<&'static Command> {
    let found = dcmd::find(Source::MBean, &strings::to_rust(name));
    found.ok_or_else(|| illegal(t, "Unknown diagnostic command".into()))
}

jmm_entry! {
    fn get_diagnostic_commands(t) -> Oop {
        let names: Vec<&str> = dcmd::commands(Source::MBean).map(|c| c.name).collect();
        vm_flags::string_array(t, &names)
    }

    /// Fills in a `dcmdInfo` for each name.
    fn get_diagnostic_command_info(t, commands: Oop, out: *mut c_void) -> () {
        if commands.is_null() || out.is_null() {
            return Err(throw(t, "java/lang/NullPointerException", None));
        }
        let out = out as *mut CommandInfo;
        for i in 0..commands.array_length() {
            let name = array_ref(commands, i);
            if name.is_null() {
                return Err(null_pointer(t, "Command name cannot be null."));
            }
            let c = find(t, name)?;
            out.add(i).write(CommandInfo {
                name: c_text(c.name),
                description: c_text(c.description),
                impact: c_text(c.impact),
                permission_class: c_text_or_null(c.permission.map(|p| p.0)),
                permission_name: c_text_or_null(c.permission.map(|p| p.1)),
                permission_action: c_text_or_null(c.permission.and_then(|p| p.2)),
                arguments: c.arguments.len() as i32,
                enabled: 1,
            });
        }
        Ok(())
    }

    /// Fills in a `dcmdArgInfo` for each argument of the command.
    fn get_diagnostic_command_arguments_info(t, command: Oop, out: *mut c_void, count: i32) -> () {
        if command.is_null() {
            return Err(null_pointer(t, "Command line cannot be null."));
        }
        let c = find(t, command)?;
        if c.arguments.len() != count as usize {
            let m = "jmm_GetDiagnosticCommandArgumentsInfo count mismatch";
            return Err(throw(t, "java/lang/InternalError", Some(m.into())));
        }
        let out = out as *mut ArgumentInfo;
        for (i, a) in c.arguments.iter().enumerate() {
            out.add(i).write(ArgumentInfo {
                name: c_text(a.name),
                description: c_text(a.description),
                ty: c_text(a.ty.name()),
                default: c_text_or_null(a.default),
                mandatory: u8::from(a.mandatory),
                option: u8::from(a.is_option),
                multiple: 0,
                position: if a.is_option { -1 } else { i as i32 },
            });
        }
        Ok(())
    }

    fn execute_diagnostic_command(t, command: Oop) -> Oop {
        if command.is_null() {
            return Err(null_pointer(t, "Command line cannot be null."));
        }
        let line = strings::to_rust(command);
        let mut out = String::new();
        match dcmd::execute(t, Source::MBean, &line, &mut out) {
            Ok(()) => strings::new(t, &out),
            Err(Failure::Illegal(message)) => Err(illegal(t, message)),
            Err(Failure::Thrown(thrown)) => Err(thrown),
        }
    }

    /// Throws IOException with the system's text.
    fn dump_heap(t, file: Oop, live: bool) -> i32 {
        if file.is_null() {
            return Err(null_pointer(t, "Output file name cannot be null."));
        }
        let file = strings::to_rust(file);
        let request = dump::Request {
            path: Path::new(&file),
            live,
            gzip_level: None,
            overwrite: false,
            out_of_memory: false,
        };
        match dump::dump(t, &request) {
            Ok(_) => Ok(0),
            Err(e) => Err(throw(t, "java/io/IOException", Some(e.text().into()))),
        }
    }
}
