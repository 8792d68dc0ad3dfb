//! Monitors (JVMS 2.11.10, JLS 17): fast locking in the header with a per-thread lock stack,
//! inflated monitors in a side table; identity hashes, which share the lock word.

use crate::exceptions::VmResult;
use crate::heap::layout::Oop;
use crate::threads::JavaThread;

/// `monitorenter` on a non-null object; may block (safepoint-safe).
#[inline]
pub fn enter(_t: &JavaThread, _object: Oop) -> VmResult<()> {
    unimplemented!("monitor::enter")
}

/// `monitorexit`; throws IllegalMonitorStateException if the thread is not the owner.
#[inline]
pub fn exit(_t: &JavaThread, _object: Oop) -> VmResult<()> {
    unimplemented!("monitor::exit")
}

/// `Object.wait(millis)`; 0 waits for ever.
pub fn wait(_t: &JavaThread, _object: Oop, _millis: i64) -> VmResult<()> {
    unimplemented!("monitor::wait")
}

/// `Object.notify` / `notifyAll`.
pub fn notify(_t: &JavaThread, _object: Oop, _all: bool) -> VmResult<()> {
    unimplemented!("monitor::notify")
}

/// Whether the thread owns the object's monitor.
pub fn holds(_t: &JavaThread, _object: Oop) -> bool {
    unimplemented!("monitor::holds")
}

/// `System.identityHashCode` of a non-null object; never 0.
pub fn identity_hash(_t: &JavaThread, _object: Oop) -> i32 {
    unimplemented!("monitor::identity_hash")
}
