//! `jdk.internal.misc.Signal`.
#![allow(non_snake_case)] // the names are jvm.h's

use crate::os::signals;
use std::ffi::{c_char, c_void, CStr};

/// The signals that end the VM with its shutdown hooks run.
const SHUTDOWN: [i32; 3] = [libc::SIGHUP, libc::SIGINT, libc::SIGTERM];

fn reduced() -> bool {
    crate::vm::get().options.settings.reduce_signal_usage
}

/// `Signal.findSignal0`: the number of the signal named, -1 if there is none.
///
/// # Safety
/// `name` must be a C string.
#[no_mangle]
pub unsafe extern "C" fn JVM_FindSignal(name: *const c_char) -> i32 {
    signals::number(&CStr::from_ptr(name).to_string_lossy())
}

/// `Signal.handle0`: sets the handler (0 default, 1 ignore, 2 Java's) and returns the one
/// before; -1 if the VM uses the signal itself.
#[no_mangle]
pub extern "C" fn JVM_RegisterSignal(signal: i32, handler: *mut c_void) -> *mut c_void {
    const REFUSED: *mut c_void = usize::MAX as *mut c_void;
    match signal {
        libc::SIGFPE | libc::SIGILL | libc::SIGSEGV | libc::SIGQUIT => return REFUSED,
        s if SHUTDOWN.contains(&s) && reduced() => return REFUSED,
        s if SHUTDOWN.contains(&s) && signals::is_ignored(s) => return 1 as *mut c_void,
        _ => {}
    }
    signals::set_handler(signal, handler as usize).map_or(REFUSED, |old| old as *mut c_void)
}

/// `Signal.raise0`: whether the signal was sent.
#[no_mangle]
pub extern "C" fn JVM_RaiseSignal(signal: i32) -> u8 {
    let shutdown = SHUTDOWN.contains(&signal);
    let refused = if reduced() {
        shutdown || signal == libc::SIGQUIT
    } else {
        shutdown && signals::is_ignored(signal)
    };
    if refused {
        return 0;
    }
    signals::raise(signal);
    1
}
