//! Signal chaining: handlers that native code had installed before the VM's, or has installed since where libjsig
//! keeps them back, get the signals that the VM has no use for.

use crate::options::flags::Flags;
use std::ffi::{c_int, c_void};
use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering};
use std::sync::OnceLock;

/// The signals of Linux, numbered below this.
const SIGNALS: usize = 65;

/// What was installed where the VM's handlers are now.
static PREVIOUS: [OnceLock<libc::sigaction>; SIGNALS] = [const { OnceLock::new() }; SIGNALS];
/// The previous handler wanted to be called once only, and was.
static SPENT: [AtomicBool; SIGNALS] = [const { AtomicBool::new(false) }; SIGNALS];
/// libjsig's `JVM_get_signal_action`; null without libjsig.
static KEPT_BACK: AtomicPtr<c_void> = AtomicPtr::new(std::ptr::null_mut());
/// `-XX:+UseSignalChaining`.
static ENABLED: AtomicBool = AtomicBool::new(false);

/// Runs `install`, which installs the VM's handlers by [`set_handler`]. libjsig, if it is there, takes every handler
/// that it meets meanwhile for the VM's.
pub(super) fn installing(flags: &Flags, install: impl FnOnce()) {
    ENABLED.store(flags.bool("UseSignalChaining"), Ordering::Relaxed);
    let begin = symbol(c"JVM_begin_signal_setting");
    let end = symbol(c"JVM_end_signal_setting");
    KEPT_BACK.store(symbol(c"JVM_get_signal_action"), Ordering::Relaxed);
    call(begin);
    install();
    call(end);
}

fn symbol(name: &std::ffi::CStr) -> *mut c_void {
    // SAFETY: any name may be asked for.
    unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) }
}

fn call(function: *mut c_void) {
    if !function.is_null() {
        // SAFETY: both functions of libjsig that are called so are `void f(void)`.
        unsafe { std::mem::transmute::<*mut c_void, extern "C" fn()>(function)() }
    }
}

/// Installs a handler of the VM's and keeps the one before for [`pass_on`]; under `-XX:+AllowUserSignalHandlers` one
/// that is there already stays.
pub(super) fn set_handler(signal: c_int, handler: usize, flags: c_int, keep_others: bool) {
    // SAFETY: only reads the disposition.
    let old = unsafe {
        let mut old: libc::sigaction = std::mem::zeroed();
        libc::sigaction(signal, std::ptr::null(), &mut old);
        old
    };
    if !matches!(old.sa_sigaction, libc::SIG_DFL | libc::SIG_IGN) {
        if keep_others {
            return;
        }
        // A second VM in this process finds the first one's; its cell is set already.
        let _ = PREVIOUS[signal as usize].set(old);
    }
    super::set_handler(signal, handler, flags);
}

/// Calls the handler that the program has for the signal beside the VM's, as the kernel would; false if there is none.
pub(super) fn pass_on(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) -> bool {
    let Some(action) = ENABLED.load(Ordering::Relaxed).then(|| other_action(signal)).flatten() else { return false };
    match action.sa_sigaction {
        libc::SIG_DFL => return false,
        libc::SIG_IGN => return true,
        _ => {}
    }
    if action.sa_flags & libc::SA_RESETHAND != 0 && SPENT[signal as usize].swap(true, Ordering::SeqCst) {
        return false;
    }
    // SAFETY: the program has installed the function to be called with just these arguments; the mask is restored.
    unsafe {
        let mut mask = action.sa_mask;
        if action.sa_flags & libc::SA_NODEFER == 0 {
            libc::sigaddset(&mut mask, signal);
        }
        let mut before: libc::sigset_t = std::mem::zeroed();
        libc::pthread_sigmask(libc::SIG_BLOCK, &mask, &mut before);
        if action.sa_flags & libc::SA_SIGINFO != 0 {
            type Informed = extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void);
            std::mem::transmute::<usize, Informed>(action.sa_sigaction)(signal, info, context);
        } else {
            std::mem::transmute::<usize, extern "C" fn(c_int)>(action.sa_sigaction)(signal);
        }
        libc::pthread_sigmask(libc::SIG_SETMASK, &before, std::ptr::null_mut());
    }
    true
}

/// libjsig's word comes first: it knows what has been installed since.
fn other_action(signal: c_int) -> Option<libc::sigaction> {
    let kept_back = KEPT_BACK.load(Ordering::Relaxed);
    if !kept_back.is_null() {
        // SAFETY: the function's declaration in libjsig; what it returns is null or static.
        let kept = unsafe {
            let get = std::mem::transmute::<*mut c_void, extern "C" fn(c_int) -> *const libc::sigaction>(kept_back);
            get(signal).as_ref()
        };
        if let Some(action) = kept {
            return Some(*action);
        }
    }
    PREVIOUS[signal as usize].get().copied()
}
