//! How native code enters the VM through a `JVM_*` function: one macro for all of them.
//!
//! ```ignore
//! jvm_entry! {
//!     /// `Class.getModifiers`.
//!     fn JVM_GetClassModifiers(t, class: Oop) -> i32 { Ok(…) }
//! }
//! ```
//!
//! exports `extern "C" fn JVM_GetClassModifiers(env: *mut JNIEnv, class: jclass) -> jint`, which
//! - finds the [`JavaThread`] of `env` and takes it into the VM for the time of the call,
//! - turns the arguments into VM types ([`Argument`]: handles become [`Oop`]s),
//! - runs the body, a `VmResult`: an exception it throws stays pending in the thread and the
//!   function returns zero,
//! - turns the result into what native code expects ([`Reply`]: an [`Oop`] becomes a local
//!   reference).
//!
//! A panic does not leave an `extern "C"` function: the panic hook reports it, then the process
//! aborts.

use crate::exceptions::VmResult;
use crate::heap::layout::Oop;
use crate::jni::refs;
use crate::threads::{state, JavaThread};
use std::ffi::{c_char, c_void};

/// A `jobject` as native code holds it.
pub type Handle = *mut c_void;

/// An argument type of a `JVM_*` function.
pub trait Argument {
    /// What the C caller passes.
    type C;
    /// The VM's form of it; the thread is in the VM.
    ///
    /// # Safety
    /// `c` must be what the function's C signature promises (for handles: valid or null).
    unsafe fn from_c(c: Self::C) -> Self;
}

impl Argument for Oop {
    type C = Handle;
    unsafe fn from_c(c: Handle) -> Oop {
        refs::resolve(c)
    }
}

impl Argument for bool {
    type C = u8;
    unsafe fn from_c(c: u8) -> bool {
        c != 0
    }
}

macro_rules! same_in_c {
    ($($t:ty),*) => { $(
        impl Argument for $t {
            type C = $t;
            unsafe fn from_c(c: $t) -> $t {
                c
            }
        }
        impl Reply for $t {
            type C = $t;
            fn reply(self, _t: &JavaThread) -> $t {
                self
            }
            fn zero() -> $t {
                // SAFETY: numbers and pointers: all bits zero is zero and null.
                unsafe { std::mem::zeroed() }
            }
        }
    )* };
}

same_in_c!(
    u8, i8, u16, i16, u32, i32, u64, i64, f32, f64, usize, *mut c_void, *const c_void, *mut u8, *const u8,
    *mut i8, *const i8, *mut i32, *const i32, *mut u16, *const u16, *mut u32, *mut i64, *const *const c_char,
    *const Handle
);

/// A result type of a `JVM_*` function.
pub trait Reply {
    /// What the C caller gets.
    type C;
    /// The C form of the result.
    fn reply(self, t: &JavaThread) -> Self::C;
    /// What is returned with an exception pending.
    fn zero() -> Self::C;
}

impl Reply for Oop {
    type C = Handle;
    fn reply(self, t: &JavaThread) -> Handle {
        refs::new_local(t, self)
    }
    fn zero() -> Handle {
        std::ptr::null_mut()
    }
}

impl Reply for bool {
    type C = u8;
    fn reply(self, _t: &JavaThread) -> u8 {
        u8::from(self)
    }
    fn zero() -> u8 {
        0
    }
}

impl Reply for () {
    type C = ();
    fn reply(self, _t: &JavaThread) {}
    fn zero() {}
}

/// Runs the body of an entry; [`jvm_entry!`](crate::jvm_entry) expands to it.
///
/// # Safety
/// `env` must be the `JNIEnv*` of the current thread.
#[inline(always)]
pub unsafe fn enter<R: Reply>(env: *mut c_void, body: impl FnOnce(&JavaThread) -> VmResult<R>) -> R::C {
    let t = JavaThread::from_env(env);
    debug_assert!(
        JavaThread::current().is_some_and(|c| std::ptr::eq(c, t)),
        "a JNIEnv used by another thread than its own"
    );
    run(t, body)
}

/// The same for functions that have no `JNIEnv*` argument: the current thread's.
#[inline(always)]
pub fn enter_current<R: Reply>(function: &str, body: impl FnOnce(&JavaThread) -> VmResult<R>) -> R::C {
    let Some(t) = JavaThread::current() else {
        panic!("{function} called by a thread that is not attached to the VM");
    };
    run(t, body)
}

#[inline(always)]
fn run<R: Reply>(t: &JavaThread, body: impl FnOnce(&JavaThread) -> VmResult<R>) -> R::C {
    let _in_vm = state::vm_scope(t);
    match body(t) {
        Ok(r) => r.reply(t),
        Err(pending) => {
            // The exception is the thread's; native code finds it by ExceptionCheck.
            let crate::exceptions::Thrown { .. } = pending;
            debug_assert!(t.has_pending_exception());
            R::zero()
        }
    }
}

/// Defines `JVM_*` functions, see the module comment. `fn NAME(t, args…)` takes a `JNIEnv*`
/// first; `fn NAME(t; args…)` takes none and uses the current thread.
#[macro_export]
macro_rules! jvm_entry {
    () => {};
    ($(#[$meta:meta])* fn $name:ident($t:ident $(, $arg:ident : $ty:ty)* $(,)?) -> $ret:ty $body:block $($rest:tt)*) => {
        $(#[$meta])*
        ///
        /// # Safety
        /// To be called as its C signature says: `env` is the current thread's, handles are valid.
        #[no_mangle]
        #[allow(non_snake_case)] // the names are jvm.h's
        pub unsafe extern "C" fn $name(
            env: *mut std::ffi::c_void
            $(, $arg: <$ty as $crate::jvm::entry::Argument>::C)*
        ) -> <$ret as $crate::jvm::entry::Reply>::C {
            $crate::jvm::entry::enter::<$ret>(env, |$t| {
                $(let $arg = <$ty as $crate::jvm::entry::Argument>::from_c($arg);)*
                $body
            })
        }
        $crate::jvm_entry! { $($rest)* }
    };
    ($(#[$meta:meta])* fn $name:ident($t:ident; $($arg:ident : $ty:ty),* $(,)?) -> $ret:ty $body:block $($rest:tt)*) => {
        $(#[$meta])*
        ///
        /// # Safety
        /// To be called as its C signature says, by an attached thread.
        #[no_mangle]
        #[allow(non_snake_case)] // the names are jvm.h's
        pub unsafe extern "C" fn $name(
            $($arg: <$ty as $crate::jvm::entry::Argument>::C),*
        ) -> <$ret as $crate::jvm::entry::Reply>::C {
            $crate::jvm::entry::enter_current::<$ret>(stringify!($name), |$t| {
                $(let $arg = <$ty as $crate::jvm::entry::Argument>::from_c($arg);)*
                $body
            })
        }
        $crate::jvm_entry! { $($rest)* }
    };
}
