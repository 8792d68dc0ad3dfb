//! Calls from Rust into Java.

use crate::exceptions::VmResult;
use crate::meta::method::MethodRef;
use crate::threads::JavaThread;

/// Calls exactly `method` (no dispatch) with argument slots `args` (receiver first; references
/// wide; long and double in the first of two slots) and returns the raw result (0 for void).
/// The thread must be in the VM state; it comes back in it. The class of a static method must
/// be initialized by the caller.
pub fn call(_t: &JavaThread, _method: MethodRef, _args: &[u64]) -> VmResult<u64> {
    unimplemented!("interpreter::call")
}
