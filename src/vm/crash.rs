//! What happens when the VM itself fails: a report on stdout and in `hs_err_pidN.log`, then abort
//! (exit status 134), as HotSpot does.

use crate::threads::{stackwalk, JavaThread};
use std::ffi::{c_int, c_void, CStr};
use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};

/// Set by the first failure; a second one while reporting ends at once.
static REPORTING: AtomicBool = AtomicBool::new(false);

/// Signals that mean a bug in the VM or in native code.
const FATAL: [(c_int, &str); 4] =
    [(libc::SIGSEGV, "SIGSEGV"), (libc::SIGBUS, "SIGBUS"), (libc::SIGILL, "SIGILL"), (libc::SIGFPE, "SIGFPE")];

/// Bytes of the alternate signal stack of a thread.
const ALTERNATE_STACK: usize = 64 << 10;

/// Installs the panic hook and the handlers of fatal signals.
pub fn install() {
    std::panic::set_hook(Box::new(|info| {
        let text = info.payload().downcast_ref::<&str>().map(|s| s.to_string());
        let text = text.or_else(|| info.payload().downcast_ref::<String>().cloned());
        let text = text.unwrap_or_else(|| "no message".into());
        let place = info.location().map_or_else(String::new, |l| format!(" ({}:{})", l.file(), l.line()));
        let native = std::backtrace::Backtrace::force_capture().to_string();
        report(&format!("Internal Error{place}: {text}"), Some(&native));
    }));
    for (signal, _) in FATAL {
        // SAFETY: the handler is async-signal-tolerant enough for a process about to abort.
        unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = on_signal as *const () as usize;
            action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
            libc::sigemptyset(&mut action.sa_mask);
            libc::sigaction(signal, &action, std::ptr::null_mut());
        }
    }
    use_alternate_stack();
}

/// Gives the current OS thread a stack for signal handlers: its own may be what overflowed.
pub fn use_alternate_stack() {
    // SAFETY: fresh memory handed to the kernel for the life of the thread.
    unsafe {
        let p = libc::mmap(
            std::ptr::null_mut(),
            ALTERNATE_STACK,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
            -1,
            0,
        );
        if p == libc::MAP_FAILED {
            return;
        }
        let stack = libc::stack_t { ss_sp: p, ss_flags: 0, ss_size: ALTERNATE_STACK };
        libc::sigaltstack(&stack, std::ptr::null_mut());
    }
}

extern "C" fn on_signal(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    let name = FATAL.iter().find(|(s, _)| *s == signal).map_or("signal", |(_, n)| n);
    let pc = program_counter(context);
    // SAFETY: the kernel passes a valid siginfo.
    let address = unsafe { (*info).si_addr() } as usize;
    let mut head = format!("{name} (0x{signal:x}) at pc={pc:#018x}, address={address:#x}");
    if let Some(frame) = native_frame(pc) {
        let _ = write!(head, "\n#\n# Problematic frame:\n# C  [{frame}]");
    }
    report(&head, None);
}

#[cfg(target_arch = "x86_64")]
fn program_counter(context: *mut c_void) -> usize {
    // SAFETY: the kernel passes a ucontext to SA_SIGINFO handlers.
    unsafe { (*(context as *const libc::ucontext_t)).uc_mcontext.gregs[libc::REG_RIP as usize] as usize }
}

#[cfg(target_arch = "aarch64")]
fn program_counter(context: *mut c_void) -> usize {
    // SAFETY: as on x86-64.
    unsafe { (*(context as *const libc::ucontext_t)).uc_mcontext.pc as usize }
}

fn native_frame(pc: usize) -> Option<String> {
    // SAFETY: Dl_info is plain data that dladdr fills in.
    let mut info: libc::Dl_info = unsafe { std::mem::zeroed() };
    // SAFETY: any address may be asked for; the names it gives are NUL-terminated.
    unsafe {
        if libc::dladdr(pc as *const c_void, &mut info) == 0 || info.dli_fname.is_null() {
            return None;
        }
        let file = CStr::from_ptr(info.dli_fname).to_string_lossy();
        let short = file.rsplit('/').next().unwrap_or(&file).to_string();
        let symbol = if info.dli_sname.is_null() {
            String::new()
        } else {
            format!("  {}", CStr::from_ptr(info.dli_sname).to_string_lossy())
        };
        Some(format!("{short}+{:#x}{symbol}", pc - info.dli_fbase as usize))
    }
}

/// Prints the report and aborts.
fn report(what: &str, native_stack: Option<&str>) -> ! {
    if REPORTING.swap(true, Ordering::SeqCst) {
        // SAFETY: ends the process without running anything else.
        unsafe { libc::_exit(134) };
    }
    let pid = std::process::id();
    // SAFETY: no arguments, always succeeds.
    let tid = unsafe { libc::gettid() };
    let mut text = String::new();
    let _ = writeln!(text, "#\n# A fatal error has been detected by Kiln:\n#\n#  {what}, pid={pid}, tid={tid}\n#");
    let _ = writeln!(text, "# Java VM: {} ({})\n#", super::VM_NAME, super::VM_VERSION);
    let mut details = String::new();
    match JavaThread::current() {
        Some(t) => {
            let _ = writeln!(details, "\nCurrent thread: Java thread #{} ({:?})\n\nJava frames:", t.id, t.state());
            for f in stackwalk::frames(t).take(64) {
                let line = crate::exceptions::backtrace::line_number(f.method, f.bci);
                let _ = writeln!(details, "j  {}+{} (line {line})", f.method.name_and_signature(), f.bci);
            }
        }
        None => details.push_str("\nCurrent thread: not a Java thread\n"),
    }
    if let Some(n) = native_stack {
        let _ = writeln!(details, "\nNative frames:\n{n}");
    }
    let mut out = std::io::stdout().lock();
    // Writing may fail where nobody reads: there is nobody left to tell.
    let _ = out.write_all(text.as_bytes());
    let file = format!("hs_err_pid{pid}.log");
    let place = std::env::current_dir().map(|d| d.join(&file)).unwrap_or_else(|_| file.into());
    let saved = std::fs::write(&place, format!("{text}{details}")).is_ok();
    if saved {
        let _ = writeln!(out, "# An error report file with more information is saved as:\n# {}\n#", place.display());
    }
    let _ = out.write_all(details.as_bytes());
    let _ = out.flush();
    drop(out);
    std::process::abort()
}
