//! `-Xcheck:jni`: a second function table, whose functions check what native code passes and then call those of the
//! first. Threads get it when they are made; without the option nothing here runs.
//!
//! Checked, with HotSpot's messages: that the `JNIEnv` is the calling thread's; that nothing else is called between
//! getting and releasing critical elements; that exceptions are looked at, and calls to Java code are followed by such
//! a look; references, and that they are of the kind and class that a function wants; classes, Strings, arrays and
//! their element types; method and field IDs, that they are ones that this table gave out, fit the class or
//! object and, for fields, the type; elements handed out, for writing outside of them and for being released by the
//! wrong function.
//!
//! Not checked: IDs whose class has been unloaded since; the arguments and the result type of calls to methods, and
//! whether the method is static; the values stored into fields and arrays; how many local references a native
//! method makes against what it has asked for; monitors that are held when a native method returns; the
//! characters of `GetStringCritical`.

mod calls;
mod check;
mod functions;
mod guarded;

pub use calls::*;
pub use functions::*;

/// What the checks keep for each thread.
#[derive(Default)]
pub struct ThreadChecks {
    /// Critical elements that have not been released.
    critical: std::cell::Cell<u32>,
    /// The function through which native code has called Java code, and has not asked for an exception since.
    unasked: std::cell::Cell<Option<&'static std::ffi::CStr>>,
}

impl ThreadChecks {
    /// A native method has returned: its caller looks for exceptions.
    #[inline(always)]
    pub fn returned(&self) {
        self.unasked.set(None);
    }
}
