//! The tier policy: where the compilers attach.

use crate::meta::method::MethodRef;
use crate::threads::JavaThread;

/// Called by the interpreter each time a method's invocation counter (every 128 calls, `bci` 0)
/// or back-edge counter (every 1024, `bci` the branch target) comes round: the one place that
/// decides to attach a profile or to compile. There is one tier, the interpreter, so there is
/// nothing to decide.
pub fn on_counter_overflow(_t: &JavaThread, _method: MethodRef, _bci: usize) {}
