//! Native methods: finding their function (JNI specification, "Resolving Native Method
//! Names"; `ClassLoader.findNative`), and calling it.

use crate::exceptions::VmResult;
use crate::meta::method::MethodRef;
use crate::threads::JavaThread;

/// Calls native method `m` (not static-synchronized handling: the interpreter locks) with its
/// argument slots at `args`. The caller has pushed a Native frame whose locals are `args`.
/// Links the method on first use; throws UnsatisfiedLinkError.
pub fn call(_t: &JavaThread, _m: MethodRef, _args: *mut u64) -> VmResult<u64> {
    unimplemented!("jni::native::call")
}
