//! What happens when the VM itself or native code fails: a report on standard output and, with
//! more in it, in `hs_err_pidN.log`; then abort (exit status 134), as HotSpot does.
//!
//! This runs in whatever state the failure left: in a signal handler, with locks held, with a
//! heap that is not to be trusted. So the report is made in steps; a failure inside one ends that
//! step only, and an alarm ends the process if one hangs (`-XX:ErrorLogTimeout`).

mod chain;
mod guarded;
mod report;
mod skip;

pub use guarded::{guarded, memory_fault};
pub use report::native_frames;

use crate::options::flags::Flags;
use std::cell::{Cell, RefCell};
use std::ffi::{c_int, c_void, CStr};
use std::sync::atomic::{AtomicPtr, AtomicU32, AtomicUsize, Ordering};

/// Signals that mean a bug in the VM or in native code.
const FATAL: [(c_int, &str); 4] =
    [(libc::SIGSEGV, "SIGSEGV"), (libc::SIGBUS, "SIGBUS"), (libc::SIGILL, "SIGILL"), (libc::SIGFPE, "SIGFPE")];

/// Signals that only say what a system call reports too: nobody need end for them. A handler,
/// not SIG_IGN, which processes that Java starts would inherit.
const HARMLESS: [c_int; 2] = [libc::SIGPIPE, libc::SIGXFSZ];

/// Bytes of the alternate signal stack of a thread.
const ALTERNATE_STACK: usize = 256 << 10;

/// Seconds that a report may take before there are options to say so.
const DEFAULT_TIMEOUT: u32 = 120;

/// Failures while reporting after which nothing more is tried.
const MAX_NESTED: usize = 30;

/// What failed.
pub(super) struct Failure {
    /// "SIGSEGV (0xb) at pc=0x…" or "Internal Error (file:line)".
    pub what: String,
    /// Behind the line that has it: the message of a panic.
    pub message: Option<String>,
    /// The signal's context, if it was one.
    pub signal: Option<Signal>,
    /// OS thread that failed.
    pub tid: c_int,
}

/// What the kernel says of a signal.
pub(super) struct Signal {
    pub number: c_int,
    pub name: &'static str,
    pub info: *const libc::siginfo_t,
    pub context: *mut libc::ucontext_t,
}

/// The first failure; never freed.
static FIRST: AtomicPtr<Failure> = AtomicPtr::new(std::ptr::null_mut());
/// The step of the report that is being done.
static STEP: AtomicUsize = AtomicUsize::new(0);
static NESTED: AtomicU32 = AtomicU32::new(0);

/// Has panics reported, which threads without a handler may do.
pub fn install_panic_hook() {
    std::panic::set_hook(Box::new(|info| {
        if CONTAINED.get() {
            let place = info.location().map_or_else(String::new, |l| format!(" at {}:{}", l.file(), l.line()));
            PLACE.set(place);
            return;
        }
        let text = info.payload().downcast_ref::<&str>().map(|s| s.to_string());
        let text = text.or_else(|| info.payload().downcast_ref::<String>().cloned());
        let place = info.location().map_or_else(|| "Internal Error".into(), internal_error);
        fail(place, Some(format!("Error: {}", text.unwrap_or_else(|| "no message".into()))), None)
    }));
}

/// Installs the handlers of fatal and harmless signals, in front of those that the program has for them.
pub fn install_handlers(flags: &Flags) {
    let keep_others = flags.bool("AllowUserSignalHandlers");
    chain::installing(flags, || {
        for (signal, _) in FATAL {
            // A failure while reporting must come to the handler too.
            let how = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_NODEFER;
            chain::set_handler(signal, on_fatal as *const () as usize, how, keep_others);
        }
        for signal in HARMLESS {
            let how = libc::SA_SIGINFO | libc::SA_RESTART;
            chain::set_handler(signal, on_harmless as *const () as usize, how, keep_others);
        }
    });
    use_alternate_stack();
}

fn set_handler(signal: c_int, handler: usize, flags: c_int) {
    // SAFETY: `action` is set in full; the handlers are made for what they are installed for.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = handler;
        action.sa_flags = flags;
        libc::sigemptyset(&mut action.sa_mask);
        libc::sigaction(signal, &action, std::ptr::null_mut());
    }
}

extern "C" fn on_harmless(number: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    chain::pass_on(number, info, context);
}

thread_local! {
    static CONTAINED: Cell<bool> = const { Cell::new(false) };
    static PLACE: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Runs `f`, whose panics are no crash: the error says what and where. For work that leaves nothing half done
/// when it stops anywhere, such as a compile.
pub fn contain<R>(f: impl FnOnce() -> R) -> Result<R, String> {
    let outer = CONTAINED.replace(true);
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(f));
    CONTAINED.set(outer);
    result.map_err(|payload| {
        let text = payload.downcast_ref::<&str>().map(|s| s.to_string());
        let text = text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| "panic".into());
        text + &PLACE.take()
    })
}

/// Gives the current OS thread a stack for signal handlers: its own may be what overflowed.
pub fn use_alternate_stack() {
    // SAFETY: fresh memory handed to the kernel for the life of the thread.
    unsafe {
        let p = libc::mmap(
            std::ptr::null_mut(),
            ALTERNATE_STACK,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE,
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

extern "C" fn on_fatal(number: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    let name = FATAL.iter().find(|(s, _)| *s == number).map_or("signal", |(_, n)| n);
    let mut signal = Signal { number, name, info, context: context.cast() };
    if signal.leaves_compiled_code() || signal.leaves_lost_memory() || chain::pass_on(number, info, context) {
        return;
    }
    let by_kill = if signal.sent_by().is_some() { " (sent by kill)" } else { "" };
    let what = format!("{name} (0x{number:x}) at pc={:#018x}{by_kill}", signal.pc());
    fail(what, None, Some(signal))
}

impl Signal {
    /// The process that sent it, if none of the process's own instructions did.
    pub fn sent_by(&self) -> Option<libc::pid_t> {
        // SAFETY: the kernel passes a valid siginfo, whose pid is set for these codes.
        unsafe {
            let sent = matches!((*self.info).si_code, libc::SI_USER | libc::SI_QUEUE | libc::SI_TKILL);
            sent.then(|| (*self.info).si_pid())
        }
    }

    /// The address that was accessed.
    pub fn address(&self) -> usize {
        // SAFETY: the kernel passes a valid siginfo.
        unsafe { (*self.info).si_addr() as usize }
    }

    /// If this is compiled code's way to find out that an object is null (`compiler::lower::nulls`), has it go on
    /// at its exit.
    fn leaves_compiled_code(&mut self) -> bool {
        if self.number != libc::SIGSEGV || self.sent_by().is_some() || self.address() >= super::NULL_PAGE {
            return false;
        }
        let pc = self.pc();
        match crate::code::compiled::find(pc).and_then(|c| c.fault_exit(pc)) {
            Some(exit) => {
                self.set_pc(exit);
                true
            }
            None => false,
        }
    }

    #[cfg(target_arch = "x86_64")]
    fn set_pc(&mut self, pc: usize) {
        // SAFETY: the kernel passes a ucontext to SA_SIGINFO handlers, and takes the registers from it on return.
        unsafe { (*self.context).uc_mcontext.gregs[libc::REG_RIP as usize] = pc as i64 }
    }

    #[cfg(target_arch = "aarch64")]
    fn set_pc(&mut self, pc: usize) {
        // SAFETY: as on x86-64.
        unsafe { (*self.context).uc_mcontext.pc = pc as u64 }
    }

    #[cfg(target_arch = "x86_64")]
    fn set_sp(&mut self, sp: usize) {
        // SAFETY: as for `set_pc`.
        unsafe { (*self.context).uc_mcontext.gregs[libc::REG_RSP as usize] = sp as i64 }
    }

    #[cfg(target_arch = "aarch64")]
    fn set_sp(&mut self, sp: usize) {
        // SAFETY: as on x86-64.
        unsafe { (*self.context).uc_mcontext.sp = sp as u64 }
    }

    /// Sets a general register, by the processor's number, to 0.
    #[cfg(target_arch = "x86_64")]
    fn clear_register(&mut self, number: u8) {
        use libc::*;
        const PLACES: [c_int; 16] = [
            REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI, REG_R8, REG_R9, REG_R10, REG_R11,
            REG_R12, REG_R13, REG_R14, REG_R15,
        ];
        // SAFETY: as for `set_pc`.
        unsafe { (*self.context).uc_mcontext.gregs[PLACES[number as usize] as usize] = 0 }
    }

    /// Sets a general register to 0.
    #[cfg(target_arch = "aarch64")]
    fn clear_register(&mut self, number: u8) {
        // SAFETY: as on x86-64.
        unsafe { (*self.context).uc_mcontext.regs[number as usize] = 0 }
    }

    #[cfg(target_arch = "x86_64")]
    pub fn pc(&self) -> usize {
        // SAFETY: the kernel passes a ucontext to SA_SIGINFO handlers.
        unsafe { (*self.context).uc_mcontext.gregs[libc::REG_RIP as usize] as usize }
    }

    #[cfg(target_arch = "aarch64")]
    pub fn pc(&self) -> usize {
        // SAFETY: as on x86-64.
        unsafe { (*self.context).uc_mcontext.pc as usize }
    }
}

/// `V  [libjvm.so+0x2cbc1c]  symbol`, or `C` for other libraries, for a code address.
pub(super) fn native_frame(pc: usize) -> Option<String> {
    // SAFETY: Dl_info is plain data that dladdr fills in.
    let mut info: libc::Dl_info = unsafe { std::mem::zeroed() };
    // SAFETY: any address may be asked for; the names it gives are NUL-terminated.
    unsafe {
        if libc::dladdr(pc as *const c_void, &mut info) == 0 || info.dli_fname.is_null() {
            return None;
        }
        let file = CStr::from_ptr(info.dli_fname).to_string_lossy();
        let short = file.rsplit('/').next().unwrap_or(&file);
        let kind = if short == "libjvm.so" { 'V' } else { 'C' };
        let symbol = if info.dli_sname.is_null() {
            String::new()
        } else {
            let name = CStr::from_ptr(info.dli_sname).to_string_lossy();
            format!("  {name}+{:#x}", pc - info.dli_saddr as usize)
        };
        Some(format!("{kind}  [{short}+{:#x}]{symbol}", pc - info.dli_fbase as usize))
    }
}

/// Reports what the VM found wrong with itself, and aborts.
#[track_caller]
pub fn fatal_error(message: &str) -> ! {
    fail(internal_error(std::panic::Location::caller()), Some(format!("fatal error: {message}")), None)
}

fn internal_error(l: &std::panic::Location<'_>) -> String {
    format!("Internal Error ({}:{})", l.file().rsplit('/').next().unwrap_or("?"), l.line())
}

/// Reports and aborts.
fn fail(what: String, message: Option<String>, signal: Option<Signal>) -> ! {
    // SAFETY: no arguments, always succeeds.
    let tid = unsafe { libc::gettid() };
    if suppressed() {
        die();
    }
    let mine = Box::into_raw(Box::new(Failure { what, message, signal, tid }));
    if let Err(first) = FIRST.compare_exchange(std::ptr::null_mut(), mine, Ordering::SeqCst, Ordering::SeqCst) {
        // SAFETY: published once and never freed.
        let (first, mine) = unsafe { (&*first, &*mine) };
        if first.tid != tid {
            report::line(1, &format!("[thread {tid} also had an error]"));
            loop {
                // SAFETY: the thread that reports ends the process.
                unsafe { libc::pause() };
            }
        }
        if NESTED.fetch_add(1, Ordering::SeqCst) as usize > MAX_NESTED {
            report::line(1, "[Too many errors, abort]");
            die();
        }
        let step = STEP.fetch_add(1, Ordering::SeqCst);
        report::step_failed(step, &mine.what);
    } else {
        start_alarm();
    }
    // SAFETY: set by this thread, above or before a nested failure.
    let first = unsafe { &*FIRST.load(Ordering::SeqCst) };
    loop {
        let step = STEP.load(Ordering::SeqCst);
        if !report::run_step(step, first) {
            die();
        }
        STEP.store(step + 1, Ordering::SeqCst);
    }
}

fn suppressed() -> bool {
    super::try_get().is_some_and(|vm| vm.options.flags.bool("SuppressFatalErrorMessage"))
}

/// Ends the process if the report hangs, on a lock that the failing thread holds.
fn start_alarm() {
    extern "C" fn on_alarm(_signal: c_int) {
        report::line(1, "[timeout occurred during error reporting]");
        // SAFETY: may be called in a handler.
        unsafe { libc::abort() }
    }
    let flag = super::try_get().map(|vm| vm.options.flags.unsigned("ErrorLogTimeout"));
    let seconds = flag.map_or(DEFAULT_TIMEOUT, |s| u32::try_from(s).unwrap_or(u32::MAX));
    set_handler(libc::SIGALRM, on_alarm as *const () as usize, 0);
    // SAFETY: plain system calls on a set made here. 0 seconds means no limit, as for the flag.
    unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&mut set);
        libc::sigaddset(&mut set, libc::SIGALRM);
        libc::pthread_sigmask(libc::SIG_UNBLOCK, &set, std::ptr::null_mut());
        libc::alarm(seconds);
    }
}

/// Calls the embedder's abort hook and ends the process: by aborting, which leaves a core dump, unless
/// -XX:-CreateCoredumpOnCrash asks for none.
pub fn die() -> ! {
    crate::observe::attach::abort();
    crate::observe::perf_data::remove_file();
    if let Some(hook) = crate::jni::invocation::abort_hook() {
        hook();
    }
    if super::try_get().is_some_and(|vm| !vm.options.flags.bool("CreateCoredumpOnCrash")) {
        // SAFETY: ends the process without running anything of its own.
        unsafe { libc::_exit(1) }
    }
    std::process::abort()
}

/// Runs the commands of `-XX:OnOutOfMemoryError=`.
pub fn run_commands(commands: &str) {
    report::run_commands(commands, "...")
}

/// What there is to say of a VM that has not failed.
pub fn info() -> String {
    report::info()
}
