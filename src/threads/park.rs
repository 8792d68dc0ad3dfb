//! Parking, sleeping and interruption.

use super::{registry, safepoint, stale};
use super::state;
use super::status::{during, Status};
use super::JavaThread;
use crate::exceptions::{throw, VmResult};
use crate::heap::access::{load, store};
use crate::meta::well_known::KnownField;
use parking_lot::{Condvar, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// A binary semaphore: what a thread sleeps on. Waking before sleeping is not lost.
#[derive(Default)]
pub struct Event {
    set: Mutex<bool>,
    changed: Condvar,
}

impl Event {
    /// Wakes the sleeper, or the next one to come.
    pub fn set(&self) {
        let mut set = self.set.lock();
        *set = true;
        self.changed.notify_one();
    }

    /// Forgets a wake-up.
    pub fn reset(&self) {
        *self.set.lock() = false;
    }

    /// Consumes a wake-up that is there already.
    pub fn try_consume(&self) -> bool {
        std::mem::take(&mut *self.set.lock())
    }

    /// Sleeps until woken (consuming that) or until the deadline; whether it was woken.
    pub fn wait(&self, deadline: Option<Instant>) -> bool {
        let mut set = self.set.lock();
        while !*set {
            match deadline {
                None => self.changed.wait(&mut set),
                Some(d) => {
                    if self.changed.wait_until(&mut set, d).timed_out() {
                        break;
                    }
                }
            }
        }
        std::mem::take(&mut *set)
    }
}

/// The permit of `LockSupport.park`.
#[derive(Default)]
pub struct Parker {
    permit: Event,
}

impl Parker {
    /// Makes the permit available.
    pub fn unpark(&self) {
        self.permit.set()
    }
}

/// Wakes a thread from sleep and wait when it is interrupted.
#[derive(Default)]
pub struct InterruptEvent {
    event: Event,
}

impl InterruptEvent {
    /// Wakes a sleeper, who then looks whether it was interrupted.
    pub fn wake(&self) {
        self.event.set()
    }
}

/// The time `duration` from now; `None` (for ever) if the clock cannot express it.
pub(super) fn deadline_after(duration: Duration) -> Option<Instant> {
    Instant::now().checked_add(duration)
}

/// `Unsafe.park`: `absolute`: until `time` milliseconds after 1970; else for `time` nanoseconds,
/// 0 for ever. Returns at once if the permit is there, the thread is interrupted or the time
/// is over; may return spuriously.
pub fn park(t: &JavaThread, absolute: bool, time: i64) {
    if t.parker.permit.try_consume() || is_interrupted(t, false) {
        return;
    }
    if time < 0 || (absolute && time == 0) {
        return;
    }
    let deadline = if absolute {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        match Duration::from_millis(time as u64).checked_sub(now) {
            Some(left) => deadline_after(left),
            None => return,
        }
    } else if time == 0 {
        None
    } else {
        deadline_after(Duration::from_nanos(time as u64))
    };
    let status = if time == 0 { Status::Parked } else { Status::ParkedTimed };
    // Nothing on the way here is used again but numbers.
    during(t, status, || stale::without_references(t, || state::blocked(t, || t.parker.permit.wait(deadline))));
    safepoint::poll_suspension(t);
}

/// `Unsafe.unpark`, by the thread's `eetop`. A thread that has ended needs no permit.
pub fn unpark(eetop: i64) {
    if eetop != 0 {
        registry::with_thread(eetop, |x| x.parker.unpark());
    }
}

/// `Thread.sleep(millis)`. Throws IllegalArgumentException and InterruptedException.
pub fn sleep(t: &JavaThread, millis: i64) -> VmResult<()> {
    if millis < 0 {
        return Err(throw(t, "java/lang/IllegalArgumentException", Some("timeout value is negative".into())));
    }
    t.interrupt.event.reset();
    if is_interrupted(t, true) {
        return Err(throw(t, "java/lang/InterruptedException", Some("sleep interrupted".into())));
    }
    if millis == 0 {
        state::blocked(t, std::thread::yield_now);
        return Ok(());
    }
    let deadline = deadline_after(Duration::from_millis(millis as u64));
    let interrupted = during(t, Status::Sleeping, || loop {
        let woken = stale::without_references(t, || state::blocked(t, || t.interrupt.event.wait(deadline)));
        safepoint::poll_suspension(t);
        if is_interrupted(t, true) {
            return true;
        }
        if !woken && deadline.is_some() {
            return false;
        }
    });
    if interrupted {
        return Err(throw(t, "java/lang/InterruptedException", Some("sleep interrupted".into())));
    }
    Ok(())
}

/// `Thread.interrupt0`, by `eetop`: wakes the thread. The Java side has set
/// `Thread.interrupted` before.
pub fn interrupt(eetop: i64) {
    registry::with_thread(eetop, |x| {
        x.interrupt.wake();
        x.parker.unpark();
        x.vm.monitor_event.set();
    });
}

/// The current thread's interrupt status; cleared if `clear`.
pub fn is_interrupted(t: &JavaThread, clear: bool) -> bool {
    let o = t.thread_object.get();
    if o.is_null() {
        return false;
    }
    let offset = KnownField::ThreadInterrupted.offset();
    let set = load::<u8>(o, offset) != 0;
    if set && clear {
        store::<u8>(o, offset, 0);
    }
    set
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wake_up_before_sleeping_counts_once() {
        let e = Event::default();
        e.set();
        e.set();
        assert!(e.wait(None));
        assert!(!e.wait(deadline_after(Duration::from_millis(5))));
    }

    #[test]
    fn a_sleeper_is_woken() {
        let e = std::sync::Arc::new(Event::default());
        let f = e.clone();
        let h = std::thread::spawn(move || f.wait(None));
        std::thread::sleep(Duration::from_millis(10));
        e.set();
        assert!(h.join().unwrap());
    }
}
