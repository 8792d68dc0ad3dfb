//! The thread dump that SIGQUIT asks for, in HotSpot's format.

use crate::heap::access::{load, load_ref};
use crate::heap::strings;
use crate::meta::method::MethodRef;
use crate::meta::well_known::KnownField;
use crate::threads::{lifecycle, stackwalk, JavaThread};
use std::fmt::Write as _;

/// `jdk.internal.misc.VM.toThreadState` of a `threadStatus`, as dumps show it.
fn state_text(status: i32) -> &'static str {
    match status {
        0 => "NEW",
        s if s & 0x2 != 0 => "TERMINATED",
        s if s & 0x4 != 0 => "RUNNABLE",
        s if s & 0x400 != 0 => "BLOCKED (on object monitor)",
        s if s & 0x40 != 0 => "TIMED_WAITING (sleeping)",
        s if s & 0x120 == 0x120 => "TIMED_WAITING (on object monitor)",
        s if s & 0x100 != 0 => "WAITING (on object monitor)",
        s if s & 0x220 == 0x220 => "TIMED_WAITING (parking)",
        s if s & 0x200 != 0 => "WAITING (parking)",
        _ => "UNKNOWN",
    }
}

/// Class, method and source position of a frame: `java.lang.Object.wait(java.base@17.0.15/Native Method)`.
fn frame_text(method: MethodRef, bci: usize) -> String {
    let class = method.class();
    let mut s = format!("{}.{}(", class.external_name(), method.name);
    if let Some(m) = class.module().filter(|m| m.is_named()) {
        if let Some(name) = m.name {
            let _ = write!(s, "{name}");
        }
        if let Some(v) = &m.version {
            let _ = write!(s, "@{v}");
        }
        s.push('/');
    }
    let file = crate::exceptions::backtrace::source_file(class);
    match (method.is_native(), file, method.line_number(bci)) {
        (true, ..) => s.push_str("Native Method"),
        (_, Some(f), Some(line)) => {
            let _ = write!(s, "{f}:{line}");
        }
        (_, Some(f), None) => {
            let _ = write!(s, "{f}");
        }
        _ => s.push_str("Unknown Source"),
    }
    s.push(')');
    s
}

/// `2026-11-21 12:31:37`, local time.
fn local_time() -> String {
    // SAFETY: `parts` is plain data that localtime_r fills in; strftime ends what it writes in
    // the buffer with 0 or reports 0 bytes.
    unsafe {
        let now = libc::time(std::ptr::null_mut());
        let mut parts: libc::tm = std::mem::zeroed();
        libc::localtime_r(&now, &mut parts);
        let mut text = [0u8; 32];
        let n = libc::strftime(text.as_mut_ptr().cast(), text.len(), c"%Y-%m-%d %H:%M:%S".as_ptr(), &parts);
        String::from_utf8_lossy(&text[..n]).into_owned()
    }
}

/// The whole dump.
pub fn text(t: &JavaThread) -> String {
    let info = crate::vm::get().options.settings.mode.info();
    let mut out = format!(
        "{}\nFull thread dump {} ({} {info}):\n\n",
        local_time(),
        crate::vm::VM_NAME,
        crate::vm::VM_VERSION
    );
    let threads = lifecycle::all_thread_objects();
    let eetops: Vec<i64> = threads.iter().map(|h| load::<i64>(h.get(), KnownField::ThreadEetop.offset())).collect();
    let stacks = crate::threads::safepoint::stop_the_world(t, "PrintThreads", |all| {
        let one = |e: &i64| {
            let x = all.iter().find(|x| **x as *const JavaThread as i64 == *e)?;
            let frames: Vec<_> = stackwalk::frames(x).map(|f| (f.method, f.bci)).collect();
            Some((x.os_tid.load(std::sync::atomic::Ordering::Relaxed), frames))
        };
        eetops.iter().map(one).collect::<Vec<_>>()
    });
    for (thread, stack) in threads.iter().zip(stacks) {
        let Some((os_id, frames)) = stack else { continue };
        let thread = thread.get();
        let name = load_ref(thread, KnownField::ThreadName.offset()).non_null().map_or(String::new(), strings::to_rust);
        let daemon = if load::<u8>(thread, KnownField::ThreadDaemon.offset()) != 0 { " daemon" } else { "" };
        let _ = writeln!(
            out,
            "\"{name}\" #{}{daemon} prio={} tid={:#018x} nid={os_id:#x}\n   java.lang.Thread.State: {}",
            load::<i64>(thread, KnownField::ThreadTid.offset()),
            load::<i32>(thread, KnownField::ThreadPriority.offset()),
            load::<i64>(thread, KnownField::ThreadEetop.offset()),
            state_text(load::<i32>(thread, KnownField::ThreadStatus.offset())),
        );
        for (method, bci) in frames {
            let _ = writeln!(out, "\tat {}", frame_text(method, bci));
        }
        out.push('\n');
    }
    if let Some(b) = crate::compiler::broker::get() {
        out += &b.dump_threads();
    }
    out
}

/// Prints the dump to standard output.
pub fn print(t: &JavaThread) {
    crate::vm_out!("{}", text(t));
}
