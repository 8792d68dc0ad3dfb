//! JNI references. A `jobject` is the address of a 64-bit slot holding a wide reference
//! (null for the null reference): a slot of the thread's local frames, of the global root
//! table (tag bit 1), of the weak table (tag bit 0), or, for the arguments of a native method,
//! the slot on the Java stack itself.

use crate::heap::layout::Oop;
use crate::threads::JavaThread;

/// Local reference frames of one thread.
#[derive(Default)]
pub struct LocalRefs {}

/// The object a `jobject` denotes (null handle, or cleared weak: null).
///
/// # Safety
/// `handle` must be a valid reference or null.
pub unsafe fn resolve(_handle: *mut std::ffi::c_void) -> Oop {
    unimplemented!("jni::refs::resolve")
}

/// A new local reference in the current local frame; the null handle for null.
pub fn new_local(_t: &JavaThread, _object: Oop) -> *mut std::ffi::c_void {
    unimplemented!("jni::refs::new_local")
}
