//! Native libraries: loading, symbols; raw monitors, which libzip locks with.
#![allow(non_snake_case)] // the names are jvm.h's

use crate::exceptions::throw;
use crate::jvm_entry;
use crate::log;
use crate::threads::state;
use parking_lot::lock_api::RawMutex as _;
use parking_lot::RawMutex;
use std::ffi::{c_char, c_void, CStr};

/// Loads a library; the dynamic linker's message if it cannot be.
fn open(name: &CStr) -> Result<*mut c_void, String> {
    // SAFETY: initializers of libraries run; that they may is the caller's decision.
    let handle = unsafe { libc::dlopen(name.as_ptr(), libc::RTLD_LAZY) };
    if !handle.is_null() {
        return Ok(handle);
    }
    // SAFETY: the message of this thread's last error, valid until its next call.
    Err(unsafe {
        match libc::dlerror() {
            m if m.is_null() => "dlopen failed".to_string(),
            m => CStr::from_ptr(m).to_string_lossy().into_owned(),
        }
    })
}

jvm_entry! {
    /// `NativeLibraries.load`: a library by its path. Throws UnsatisfiedLinkError if it is asked
    /// to, else returns null.
    fn JVM_LoadLibrary(t; name: *const c_char, throw_exception: bool) -> *mut c_void {
        let name = CStr::from_ptr(name);
        match state::in_native(t, || open(name)) {
            Ok(handle) => {
                log!(Info, [library], "Loaded library {}, handle {:p}", name.to_string_lossy(), handle);
                Ok(handle)
            }
            Err(message) if throw_exception => {
                let m = format!("{}: {message}", name.to_string_lossy());
                Err(throw(t, "java/lang/UnsatisfiedLinkError", Some(m)))
            }
            Err(_) => {
                log!(Info, [library], "Failed to load library {}", name.to_string_lossy());
                Ok(std::ptr::null_mut())
            }
        }
    }
}

/// Unloads a library.
///
/// # Safety
/// `handle` must come from [`JVM_LoadLibrary`], and no code of the library may run any more.
#[no_mangle]
pub unsafe extern "C" fn JVM_UnloadLibrary(handle: *mut c_void) {
    libc::dlclose(handle);
}

/// The address of a symbol, null if there is none.
///
/// # Safety
/// `handle` must be that of a loaded library and `name` a C string.
#[no_mangle]
pub unsafe extern "C" fn JVM_FindLibraryEntry(handle: *mut c_void, name: *const c_char) -> *mut c_void {
    libc::dlsym(handle, name)
}

/// A new mutex. Native code locks it in the native state: safepoints do not wait for it.
#[no_mangle]
pub extern "C" fn JVM_RawMonitorCreate() -> *mut c_void {
    Box::into_raw(Box::new(RawMutex::INIT)) as *mut c_void
}

/// Frees a mutex.
///
/// # Safety
/// `monitor` must come from [`JVM_RawMonitorCreate`] and not be used any more.
#[no_mangle]
pub unsafe extern "C" fn JVM_RawMonitorDestroy(monitor: *mut c_void) {
    drop(Box::from_raw(monitor as *mut RawMutex))
}

/// Locks a mutex; always 0.
///
/// # Safety
/// `monitor` must come from [`JVM_RawMonitorCreate`], and the thread not hold it.
#[no_mangle]
pub unsafe extern "C" fn JVM_RawMonitorEnter(monitor: *mut c_void) -> i32 {
    (*(monitor as *const RawMutex)).lock();
    0
}

/// Unlocks a mutex.
///
/// # Safety
/// `monitor` must come from [`JVM_RawMonitorCreate`], and the thread hold it.
#[no_mangle]
pub unsafe extern "C" fn JVM_RawMonitorExit(monitor: *mut c_void) {
    (*(monitor as *const RawMutex)).unlock()
}
