//! The functions of the JNI table: defined like the `JVM_*` functions of [`crate::jvm::entry`],
//! but not exported.

use crate::exceptions::VmResult;
use crate::heap::layout::Oop;
use crate::threads::JavaThread;
use std::ffi::{c_char, c_void, CStr};

/// Runs `body` with no exception pending: one that was pending before is pending again
/// afterwards, unless `body` threw. Native code may call most functions of the table with an
/// exception pending, and they may run Java code.
#[inline(always)]
pub fn preserving<R>(t: &JavaThread, body: impl FnOnce() -> VmResult<R>) -> VmResult<R> {
    if !t.has_pending_exception() {
        return body();
    }
    let before: Oop = t.take_exception();
    let result = body();
    if !t.has_pending_exception() {
        t.exception.set(before);
    }
    result
}

/// The bytes of a C string argument; `None` for null.
///
/// # Safety
/// `p` must be null or point to a NUL-terminated string that outlives `'a`.
pub unsafe fn c_bytes<'a>(p: *const c_void) -> Option<&'a [u8]> {
    (!p.is_null()).then(|| CStr::from_ptr(p as *const c_char).to_bytes())
}

/// Stores through an optional `jboolean*` argument (isCopy).
///
/// # Safety
/// `p` must be null or point to a `jboolean`.
pub unsafe fn set_flag(p: *mut u8, value: bool) {
    if !p.is_null() {
        *p = u8::from(value);
    }
}

/// Defines functions that native code calls through the JNI table. The body runs in the VM
/// state with `t` the current thread and is a `VmResult`; arguments and result are converted as
/// [`crate::jvm::entry`] says (an `Oop` is a `jobject` outside). A pending exception is put
/// aside meanwhile ([`preserving`]), except in functions marked `raw`.
///
/// ```ignore
/// native_fn! {
///     /// `GetVersion`.
///     fn GetVersion(t) -> i32 { Ok(0x000A_0000) }
/// }
/// ```
#[macro_export]
macro_rules! native_fn {
    () => {};
    ($(#[$attribute:meta])* fn $name:ident($t:ident $(, $arg:ident: $type:ty)* $(,)?) -> $result:ty $body:block $($rest:tt)*) => {
        $crate::native_fn! {
            $(#[$attribute])*
            raw fn $name($t $(, $arg: $type)*) -> $result {
                $crate::jni::border::preserving($t, || $body)
            }
        }
        $crate::native_fn! { $($rest)* }
    };
    ($(#[$attribute:meta])* raw fn $name:ident($t:ident $(, $arg:ident: $type:ty)* $(,)?) -> $result:ty $body:block $($rest:tt)*) => {
        $(#[$attribute])*
        ///
        /// # Safety
        /// For native code: the first argument must be the calling thread's `JNIEnv*`, the
        /// others as the JNI specification demands.
        #[allow(non_snake_case)] // the names are the specification's
        pub unsafe extern "C" fn $name(
            env: *mut std::ffi::c_void
            $(, $arg: <$type as $crate::jvm::entry::Argument>::C)*
        ) -> <$result as $crate::jvm::entry::Reply>::C {
            $crate::jvm::entry::enter::<$result>(env, |$t| {
                $(let $arg = <$type as $crate::jvm::entry::Argument>::from_c($arg);)*
                $body
            })
        }
        $crate::native_fn! { $($rest)* }
    };
}
