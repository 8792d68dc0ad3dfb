//! The list of Java threads and the lock that orders attaching, leaving and pauses.
//!
//! A `JavaThread` is freed after it has left the list. So a reference to another thread may
//! be used only under the registry's lock ([`with_all`], [`with_thread`]), during a
//! pause, or by the thread itself. Who holds the lock must not reach a safepoint.

use super::JavaThread;
use parking_lot::{Condvar, Mutex, MutexGuard};

/// State guarded by the lock.
pub(super) struct Registry {
    pub threads: Vec<&'static JavaThread>,
    /// A pause is on, or is being brought about: a collection's or a VM operation's.
    pub paused: bool,
    /// Collections ended so far.
    pub collections: u64,
}

pub(super) static REGISTRY: Mutex<Registry> =
    Mutex::new(Registry { threads: Vec::new(), paused: false, collections: 0 });

/// Signalled when a thread stops.
pub(super) static STOPPED: Condvar = Condvar::new();
/// Signalled when a pause ends, or a handshake is done.
pub(super) static RESUMED: Condvar = Condvar::new();
/// Signalled when a thread has left the list.
pub(super) static LEFT: Condvar = Condvar::new();

pub(super) fn lock() -> MutexGuard<'static, Registry> {
    REGISTRY.lock()
}

/// All threads, for use during a pause only.
pub(crate) fn all_unguarded() -> Vec<&'static JavaThread> {
    REGISTRY.lock().threads.clone()
}

/// How many threads are attached.
pub fn count() -> usize {
    REGISTRY.lock().threads.len()
}

/// Calls `f` with every attached thread. `f` must not reach a safepoint, allocate or lock what
/// a thread at a safepoint may hold.
pub fn with_all<R>(f: impl FnOnce(&[&JavaThread]) -> R) -> R {
    f(&REGISTRY.lock().threads)
}

/// Calls `f` with the thread whose `java.lang.Thread` has `eetop` in it, if it is still there.
/// `f` as for [`with_all`].
pub fn with_thread<R>(eetop: i64, f: impl FnOnce(&JavaThread) -> R) -> Option<R> {
    let r = REGISTRY.lock();
    let t = r.threads.iter().find(|t| **t as *const JavaThread as i64 == eetop)?;
    Some(f(t))
}
