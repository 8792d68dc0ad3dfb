//! Signals that Java code may handle (`jdk.internal.misc.Signal`), and SIGQUIT's thread dump.
//!
//! The handler only counts and posts a semaphore; the Signal Dispatcher thread does the rest.

use crate::exceptions::VmResult;
use crate::interpreter::call::call;
use crate::link::{init, load};
use crate::meta::loader;
use crate::meta::symbol::Symbol;
use crate::threads::{lifecycle, state, JavaThread};
use std::cell::UnsafeCell;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::OnceLock;

/// The signals of Linux, numbered below this.
const SIGNALS: usize = 65;

/// Signals that came and were not dispatched yet.
static PENDING: [AtomicU32; SIGNALS] = [const { AtomicU32::new(0) }; SIGNALS];

/// The semaphore that the dispatcher sleeps on; posting one is all that a handler may do.
struct Semaphore(UnsafeCell<libc::sem_t>);

// SAFETY: semaphores are made for sharing; initialized once, before the first handler.
unsafe impl Sync for Semaphore {}
// SAFETY: as above.
unsafe impl Send for Semaphore {}

static WAKE: OnceLock<Box<Semaphore>> = OnceLock::new();

/// What `Signal.handle0` calls Java's own handler.
pub const JAVA_HANDLER: usize = 2;

fn semaphore() -> *mut libc::sem_t {
    WAKE.get_or_init(|| {
        // SAFETY: sem_t is plain memory that sem_init initializes in its final place.
        let s = Box::new(Semaphore(UnsafeCell::new(unsafe { std::mem::zeroed() })));
        // SAFETY: as above.
        let e = unsafe { libc::sem_init(s.0.get(), 0, 0) };
        assert!(e == 0, "sem_init failed");
        s
    })
    .0
    .get()
}

extern "C" fn on_signal(signal: i32) {
    if let (Some(n), Some(s)) = (PENDING.get(signal as usize), WAKE.get()) {
        n.fetch_add(1, Ordering::SeqCst);
        // SAFETY: sem_post is async-signal-safe.
        unsafe { libc::sem_post(s.0.get()) };
    }
}

/// Waits for a signal; its number.
fn wait() -> i32 {
    loop {
        for (i, n) in PENDING.iter().enumerate() {
            let took = n.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |v| v.checked_sub(1));
            if took.is_ok() {
                return i as i32;
            }
        }
        // SAFETY: initialized by `semaphore`. Interrupted waits look again.
        unsafe { libc::sem_wait(semaphore()) };
    }
}

/// Number of a signal by its name without "SIG"; -1 if this system has none of that name.
pub fn number(name: &str) -> i32 {
    const NAMES: &[(&str, i32)] = &[
        ("ABRT", libc::SIGABRT),
        ("ALRM", libc::SIGALRM),
        ("BUS", libc::SIGBUS),
        ("CHLD", libc::SIGCHLD),
        ("CLD", libc::SIGCHLD),
        ("CONT", libc::SIGCONT),
        ("FPE", libc::SIGFPE),
        ("HUP", libc::SIGHUP),
        ("ILL", libc::SIGILL),
        ("INT", libc::SIGINT),
        ("IO", libc::SIGIO),
        ("IOT", libc::SIGIOT),
        ("KILL", libc::SIGKILL),
        ("PIPE", libc::SIGPIPE),
        ("POLL", libc::SIGPOLL),
        ("PROF", libc::SIGPROF),
        ("PWR", libc::SIGPWR),
        ("QUIT", libc::SIGQUIT),
        ("SEGV", libc::SIGSEGV),
        ("STKFLT", libc::SIGSTKFLT),
        ("STOP", libc::SIGSTOP),
        ("SYS", libc::SIGSYS),
        ("TERM", libc::SIGTERM),
        ("TRAP", libc::SIGTRAP),
        ("TSTP", libc::SIGTSTP),
        ("TTIN", libc::SIGTTIN),
        ("TTOU", libc::SIGTTOU),
        ("URG", libc::SIGURG),
        ("USR1", libc::SIGUSR1),
        ("USR2", libc::SIGUSR2),
        ("VTALRM", libc::SIGVTALRM),
        ("WINCH", libc::SIGWINCH),
        ("XCPU", libc::SIGXCPU),
        ("XFSZ", libc::SIGXFSZ),
    ];
    let name = name.strip_prefix("SIG").unwrap_or(name);
    NAMES.iter().find(|(n, _)| *n == name).map_or(-1, |(_, number)| *number)
}

/// Whether the process ignores the signal.
pub fn is_ignored(signal: i32) -> bool {
    // SAFETY: only reads the disposition.
    unsafe {
        let mut old: libc::sigaction = std::mem::zeroed();
        libc::sigaction(signal, std::ptr::null(), &mut old) == 0 && old.sa_sigaction == libc::SIG_IGN
    }
}

/// Sets the handler of a signal: [`JAVA_HANDLER`], SIG_DFL, SIG_IGN or a function; the one
/// before, `None` if the system refuses.
pub fn set_handler(signal: i32, handler: usize) -> Option<usize> {
    semaphore();
    let ours = on_signal as extern "C" fn(i32) as usize;
    // SAFETY: `action` is set in full; our handler is async-signal-safe, another one is the
    // caller's.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        let mut old: libc::sigaction = std::mem::zeroed();
        libc::sigfillset(&mut action.sa_mask);
        // The dispatcher may reinstall itself, and system calls go on.
        action.sa_flags = libc::SA_RESTART;
        action.sa_sigaction = if handler == JAVA_HANDLER { ours } else { handler };
        if libc::sigaction(signal, &action, &mut old) != 0 {
            return None;
        }
        Some(if old.sa_sigaction == ours { JAVA_HANDLER } else { old.sa_sigaction })
    }
}

/// Sends the signal to this process as if it came from outside.
pub fn raise(signal: i32) {
    // SAFETY: no preconditions.
    unsafe { libc::raise(signal) };
}

/// The signals that every Java thread takes, whatever it was started with: those that its own code may raise, which the
/// VM handles, and unless `-Xrs` those that end the VM.
fn taken_by_all() -> &'static libc::sigset_t {
    static TAKEN: OnceLock<libc::sigset_t> = OnceLock::new();
    TAKEN.get_or_init(|| {
        let ending = [libc::SIGHUP, libc::SIGINT, libc::SIGTERM].into_iter().filter(|s| !is_reduced() && !is_ignored(*s));
        set_of([libc::SIGILL, libc::SIGSEGV, libc::SIGBUS, libc::SIGFPE].into_iter().chain(ending))
    })
}

fn is_reduced() -> bool {
    crate::vm::try_get().is_some_and(|vm| vm.options.settings.reduce_signal_usage)
}

fn set_of(signals: impl IntoIterator<Item = i32>) -> libc::sigset_t {
    // SAFETY: sigemptyset initializes the set.
    unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&mut set);
        for signal in signals {
            libc::sigaddset(&mut set, signal);
        }
        set
    }
}

/// Changes the current thread's mask; the one before.
fn change_mask(how: i32, set: &libc::sigset_t) -> libc::sigset_t {
    // SAFETY: both are sets; a thread may change its own mask.
    unsafe {
        let mut before: libc::sigset_t = std::mem::zeroed();
        libc::pthread_sigmask(how, set, &mut before);
        before
    }
}

/// A thread becomes a Java thread: it takes the signals that the VM counts on, whoever has blocked them before (a parent
/// process may have: HotSpot's threads block SIGQUIT, and what they start inherits that), and leaves SIGQUIT to the
/// Signal Dispatcher. The mask before, for [`leave`].
pub fn enter() -> libc::sigset_t {
    let before = change_mask(libc::SIG_UNBLOCK, taken_by_all());
    if !is_reduced() {
        change_mask(libc::SIG_BLOCK, &set_of([libc::SIGQUIT]));
    }
    before
}

/// It is none any more.
pub fn leave(before: &libc::sigset_t) {
    change_mask(libc::SIG_SETMASK, before);
}

/// Starts the Signal Dispatcher thread and makes SIGQUIT print a thread dump (unless `-Xrs`).
/// Called before `System.initPhase1` ends, whose `Terminator` installs INT, TERM and HUP.
pub fn start_dispatcher(t: &JavaThread) -> VmResult<()> {
    semaphore();
    if crate::vm::get().options.settings.reduce_signal_usage {
        return Ok(());
    }
    lifecycle::start_service(t, "Signal Dispatcher", 9, dispatch)?;
    set_handler(libc::SIGQUIT, JAVA_HANDLER);
    Ok(())
}

/// The dispatcher's life.
fn dispatch(t: &JavaThread) {
    change_mask(libc::SIG_UNBLOCK, &set_of([libc::SIGQUIT]));
    loop {
        let signal = state::blocked(t, wait);
        if signal == libc::SIGQUIT {
            if !crate::observe::attach::is_triggered(t) {
                crate::observe::thread_dump::print(t);
            }
            continue;
        }
        if deliver(t, signal).is_err() {
            // Signal.dispatch starts a thread for the handler; that it cannot be started is all
            // that gets here. HotSpot prints a warning and goes on.
            let e = t.take_exception();
            crate::vm_warning!("Exception {} occurred dispatching signal {signal} to handler", e.class());
        }
    }
}

fn deliver(t: &JavaThread, signal: i32) -> VmResult<()> {
    let class = load::load_or_no_class_def(t, loader::boot(), Symbol::of("jdk/internal/misc/Signal"))?;
    init::initialize(t, class)?;
    let method = class
        .find_declared(Symbol::of("dispatch"), Symbol::of("(I)V"))
        .expect("jdk.internal.misc.Signal.dispatch(int) is in JDK 17");
    call(t, method, &[u64::from(signal as u32)]).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers() {
        assert_eq!(number("INT"), 2);
        assert_eq!(number("SIGTERM"), 15);
        assert_eq!(number("NOSUCH"), -1);
    }
}
