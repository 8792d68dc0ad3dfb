//! Walking all objects of the heap in a pause: what histograms and dumps are made from.

use super::layout::Oop;
use super::Cause;
use super::mmtk_binding::{from_mmtk, mmtk};
use crate::threads::{safepoint, stale, JavaThread};

/// Runs `f` in a pause in which the heap can be walked, after a full collection if only what is `live` is wanted, for
/// that cause.
/// `f` sees the threads and is bound as that of [`safepoint::stop_the_world`] is. Call it without a lock of the VM's and
/// from native code or a thread of the VM's that holds no reference: what dead words look like is not to count as live.
pub fn inspect<R>(
    t: &JavaThread,
    live: Option<Cause>,
    reason: &'static str,
    f: impl FnOnce(&Walk<'_>) -> R,
) -> R {
    if let Some(cause) = live {
        stale::without_references(t, || super::collect(t, cause));
    }
    safepoint::stop_the_world(t, reason, |threads| f(&Walk { threads }))
}

/// The heap while all threads stand.
pub struct Walk<'a> {
    /// All attached threads.
    pub threads: &'a [&'static JavaThread],
}

impl Walk<'_> {
    /// Calls `f` with every object that has not been collected (so that its class has not been unloaded), reachable or not, in no particular order.
    pub fn each_object(&self, mut f: impl FnMut(Oop)) {
        mmtk().enumerate_objects(|o| f(from_mmtk(o)))
    }
}
