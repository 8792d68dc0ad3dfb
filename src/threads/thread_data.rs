//! Per-thread data of the VM's parts that machine code does not touch.

use super::monitor::HashState;
use super::park::Event;
use super::safepoint::Handshakes;
use crate::heap::roots::RootSlot;
use crate::meta::class::ClassRef;
use std::cell::{Cell, RefCell};
use std::sync::atomic::{AtomicBool, AtomicU64};

/// Grouped by the part that owns it.
#[derive(Default)]
pub struct ThreadData {
    /// threads::monitor: what the thread sleeps on while it enters or waits.
    pub monitor_event: Event,
    /// threads::monitor: generator of identity hashes.
    pub hash_state: HashState,
    /// threads::safepoint: operations other threads want done on this one.
    pub handshakes: Handshakes,
    /// threads::safepoint: the thread stands, but goes on even if it is suspended.
    pub passing: AtomicBool,
    /// threads::lifecycle: the VM's uptime in microseconds when the thread came.
    pub started_at: AtomicU64,
    /// threads::lifecycle: attached by JNI as a daemon, or started as one.
    pub daemon: AtomicBool,
    /// threads::lifecycle: a thread of the VM's own, which the program neither sees nor counts.
    pub hidden: AtomicBool,
    /// threads::status: how often the thread blocked to enter a monitor, and how often it
    /// waited, slept or parked.
    pub blocked_count: AtomicU64,
    pub waited_count: AtomicU64,
    /// threads::status: nanoseconds that the thread has blocked and waited while that was measured.
    pub blocked_nanos: AtomicU64,
    pub waited_nanos: AtomicU64,
    /// threads::lifecycle: the signal mask that the thread had when it was attached.
    pub caller_signals: Cell<Option<libc::sigset_t>>,
    /// link::init: the class that another thread initializes, which this one waits for, for thread dumps.
    pub awaited_class: Cell<Option<ClassRef>>,
    /// threads::status: the object whose monitor the thread enters or waits for, for thread dumps.
    pub blocked_on: RootSlot,
    /// threads::stale: the stack below the handler of the exception on its way is to be cleared.
    pub stale_stack: Cell<bool>,
    /// threads::stale: how often more the stack is cleared because memory has run out.
    pub scarce: Cell<u32>,
    /// Places on the machine stack, innermost last, above which the interpreter's loop stands that waits for an
    /// instruction to be resolved.
    pub resolving_from: RefCell<Vec<usize>>,
    /// threads::stale: the stack pointer from which a collection scans, above frames without references: those of
    /// the collector's allocator or of native code; else 0.
    pub scan_from: Cell<usize>,
    /// jni::table::checked: what `-Xcheck:jni` keeps.
    pub jni_checks: crate::jni::table::checked::ThreadChecks,
    /// threads::lifecycle: an exception that another thread sent (`Thread.stop`).
    pub async_exception: RootSlot,
}

impl ThreadData {
    /// Reports the references kept here.
    pub(crate) fn for_each_root(&self, f: &mut dyn FnMut(&RootSlot)) {
        f(&self.blocked_on);
        f(&self.async_exception);
    }
}
