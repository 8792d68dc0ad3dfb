//! `Thread.threadStatus`: what `Thread.getState` and thread dumps show, in JVMTI's bits
//! (HotSpot's `JavaThreadStatus`; `jdk.internal.misc.VM.toThreadState` reads them).

use super::JavaThread;
use crate::heap::access::{load, store};
use crate::heap::layout::Oop;
use crate::meta::well_known::KnownField;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

const ALIVE: i32 = 0x1;
const WAITING: i32 = 0x80;
const INDEFINITELY: i32 = 0x10;
const WITH_TIMEOUT: i32 = 0x20;

/// Values of `threadStatus`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(i32)]
pub enum Status {
    New = 0,
    Terminated = 0x2,
    Runnable = ALIVE | 0x4,
    Sleeping = ALIVE | WAITING | WITH_TIMEOUT | 0x40,
    ObjectWait = ALIVE | WAITING | INDEFINITELY | 0x100,
    ObjectWaitTimed = ALIVE | WAITING | WITH_TIMEOUT | 0x100,
    Parked = ALIVE | WAITING | INDEFINITELY | 0x200,
    ParkedTimed = ALIVE | WAITING | WITH_TIMEOUT | 0x200,
    BlockedOnMonitorEnter = ALIVE | 0x400,
}

/// Whether the time that threads block and wait is measured (`ThreadMXBean.setThreadContentionMonitoringEnabled`).
static MEASURED: AtomicBool = AtomicBool::new(false);

/// Whether it is measured how long threads block and wait.
pub fn is_contention_measured() -> bool {
    MEASURED.load(Ordering::Relaxed)
}

/// Measures it from now on, or no longer.
pub fn measure_contention(on: bool) {
    MEASURED.store(on, Ordering::Relaxed)
}

/// Lets the times of a thread start anew.
pub fn reset_contention_times(x: &JavaThread) {
    x.vm.blocked_nanos.store(0, Ordering::Relaxed);
    x.vm.waited_nanos.store(0, Ordering::Relaxed);
}

/// Lets the counts of a thread start anew.
pub fn reset_contention_counts(x: &JavaThread) {
    x.vm.blocked_count.store(0, Ordering::Relaxed);
    x.vm.waited_count.store(0, Ordering::Relaxed);
}

/// Sets the status of a `java.lang.Thread`.
pub fn set(thread_object: Oop, status: Status) {
    store::<i32>(thread_object, KnownField::ThreadStatus.offset(), status as i32)
}

/// Runs `f` with the current thread's status set to `status`, then restores it. Must be called
/// (and `f` must return) in a running state.
pub fn during<R>(t: &JavaThread, status: Status, f: impl FnOnce() -> R) -> R {
    let o = t.thread_object.get();
    if o.is_null() {
        // Start-up: the main thread's object does not exist yet.
        return f();
    }
    let (counter, time) = match status {
        Status::BlockedOnMonitorEnter => (&t.vm.blocked_count, &t.vm.blocked_nanos),
        _ => (&t.vm.waited_count, &t.vm.waited_nanos),
    };
    counter.fetch_add(1, Ordering::Relaxed);
    let start = is_contention_measured().then(Instant::now);
    let offset = KnownField::ThreadStatus.offset();
    let before = load::<i32>(o, offset);
    store::<i32>(o, offset, status as i32);
    let result = f();
    if let Some(start) = start {
        time.fetch_add(start.elapsed().as_nanos() as u64, Ordering::Relaxed);
    }
    // The object may have moved meanwhile, hence from the root again.
    store::<i32>(t.thread_object.get(), offset, before);
    result
}

#[cfg(test)]
mod tests {
    use super::Status;

    #[test]
    fn values_are_jvmtis() {
        assert_eq!(Status::Runnable as i32, 5);
        assert_eq!(Status::Sleeping as i32, 0xe1);
        assert_eq!(Status::ObjectWait as i32, 0x191);
        assert_eq!(Status::Parked as i32, 0x291);
        assert_eq!(Status::BlockedOnMonitorEnter as i32, 0x401);
    }
}
