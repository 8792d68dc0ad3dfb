//! What standing threads wait for, and who keeps them waiting: for thread dumps and `ThreadMXBean`.

use super::status::Status;
use super::{monitor, JavaThread};
use crate::heap::access::{load, load_ref};
use crate::heap::layout::Oop;
use crate::meta::well_known::{Known, KnownField};

/// `Status` bit of a parked thread.
const PARKED: i32 = 0x200;

/// The thread that holds the object's monitor. During a pause.
pub fn monitor_owner<'a>(all: &[&'a JavaThread], object: Oop) -> Option<&'a JavaThread> {
    match monitor::inflated_owner(object) {
        Some(0) => None,
        Some(id) => all.iter().copied().find(|x| x.id == id),
        // Fast-locked.
        // SAFETY: the threads stand, so their lock stacks do not change.
        None => all.iter().copied().find(|x| unsafe { (*x.lock_stack.get()).contains(&object) }),
    }
}

/// What a standing thread waits for and the Thread that has it, nulls for nothing and nobody.
pub fn blocker_of(all: &[&JavaThread], x: &JavaThread, monitors_only: bool) -> (Oop, Oop) {
    let status = load::<i32>(x.thread_object.get(), KnownField::ThreadStatus.offset());
    let object = x.vm.blocked_on.get();
    if !object.is_null() {
        return match monitor_owner(all, object) {
            // It has just got the monitor, and stands before it could say so.
            Some(owner) if std::ptr::eq(owner, x) => (Oop::NULL, Oop::NULL),
            owner => (object, owner.map_or(Oop::NULL, |o| o.thread_object.get())),
        };
    }
    if monitors_only || status & PARKED == 0 {
        return (Oop::NULL, Oop::NULL);
    }
    let blocker = load_ref(x.thread_object.get(), KnownField::ThreadParkBlocker.offset());
    let ownable = Known::AbstractOwnableSynchronizer.get();
    let owner = match blocker.non_null() {
        Some(b) if b.class().is_subclass_of(ownable) => load_ref(b, KnownField::OwnerThread.offset()),
        _ => Oop::NULL,
    };
    (blocker, owner)
}

/// Whom the thread waits for in such a way that it cannot go on without: the owner of a monitor or of a synchronizer.
fn awaited<'a>(all: &[&'a JavaThread], x: &JavaThread, monitors_only: bool) -> Option<&'a JavaThread> {
    let status = load::<i32>(x.thread_object.get(), KnownField::ThreadStatus.offset());
    if status != Status::BlockedOnMonitorEnter as i32 && status & PARKED == 0 {
        return None;
    }
    let owner = blocker_of(all, x, monitors_only).1.non_null()?;
    all.iter().copied().find(|y| y.thread_object.get() == owner)
}

/// Circles of threads each of which waits for the next, the last for the first. During a pause.
pub fn deadlocks<'a>(all: &[&'a JavaThread], monitors_only: bool) -> Vec<Vec<&'a JavaThread>> {
    let visible: Vec<&JavaThread> = all.iter().copied().filter(|x| !x.thread_object.get().is_null()).collect();
    let mut circles: Vec<Vec<&JavaThread>> = Vec::new();
    for &start in &visible {
        let mut circle = vec![start];
        let mut at = awaited(all, start, monitors_only);
        while let Some(next) = at.filter(|n| !circle.iter().any(|c| std::ptr::eq(*c, *n))) {
            circle.push(next);
            at = awaited(all, next, monitors_only);
        }
        let closed = at.is_some_and(|n| std::ptr::eq(n, start));
        let known = |c: &Vec<&JavaThread>| c.iter().any(|x| std::ptr::eq(*x, start));
        if closed && !circles.iter().any(known) {
            circles.push(circle);
        }
    }
    circles
}
