//! Monitors of frames: structured locking (JVMS 2.11.10).
//!
//! A frame records the objects it has locked, so that leaving it releases them whatever
//! happens. Its records number as many as the method has `monitorenter` instructions (and one
//! for a synchronized method). Code that holds more at a time than that, by entering in a loop,
//! is not structured; its surplus monitors are not recorded, which JVMS permits.

use super::frame::Frame;
use crate::exceptions::{throw, VmResult};
use crate::heap::layout::Oop;
use crate::meta::method::MethodRef;
use crate::threads::{monitor, JavaThread};

/// First record and how many there are.
///
/// # Safety
/// `frame` must be a frame on a thread's stack.
pub unsafe fn records(frame: *const Frame) -> (*mut u64, usize) {
    let n = (*frame).prepared().map_or(0, |p| p.monitor_slots as usize);
    ((frame as *mut u64).sub(n), n)
}

/// `monitorenter`, recorded in the frame.
///
/// # Safety
/// `frame` must be the thread's topmost frame, saved.
pub unsafe fn enter(t: &JavaThread, frame: *mut Frame, object: Oop) -> VmResult<()> {
    monitor::enter(t, object)?;
    let (base, capacity) = records(frame);
    let used = (*frame).monitors as usize;
    if used < capacity {
        *base.add(used) = object.address() as u64;
        (*frame).monitors += 1;
    }
    Ok(())
}

/// `monitorexit`: the frame must have entered the object's monitor.
///
/// # Safety
/// As for [`enter`].
pub unsafe fn exit(t: &JavaThread, frame: *mut Frame, object: Oop) -> VmResult<()> {
    let (base, capacity) = records(frame);
    let used = (*frame).monitors as usize;
    let Some(at) = (0..used).rev().find(|&i| *base.add(i) == object.address() as u64) else {
        // A surplus monitor, see above, or one this frame does not hold.
        if used == capacity && capacity > 0 && monitor::holds(t, object) {
            return monitor::exit(t, object);
        }
        return Err(throw(t, "java/lang/IllegalMonitorStateException", None));
    };
    for i in at + 1..used {
        *base.add(i - 1) = *base.add(i);
    }
    (*frame).monitors -= 1;
    monitor::exit(t, object)
}

/// The object whose monitor a synchronized method holds.
pub fn method_object(m: MethodRef, locals: *const u64) -> Oop {
    if m.is_static() {
        m.class().mirror()
    } else {
        // SAFETY: local 0 is the receiver on entry.
        Oop::from_address(unsafe { *locals } as usize)
    }
}

/// Releases the frame's monitors on return. Monitors left beside the method's own are
/// released, then IllegalMonitorStateException is thrown, as is when the method's own is gone.
///
/// # Safety
/// As for [`enter`].
pub unsafe fn release_on_return(t: &JavaThread, frame: *mut Frame) -> VmResult<()> {
    let expected = u32::from((*frame).method().is_some_and(|m| m.is_synchronized()));
    let balanced = (*frame).monitors == expected;
    let mut result = Ok(());
    while let Some(object) = take_last(frame) {
        let r = monitor::exit(t, object);
        if result.is_ok() {
            result = r;
        }
    }
    result?;
    if balanced {
        Ok(())
    } else {
        Err(throw(t, "java/lang/IllegalMonitorStateException", None))
    }
}

unsafe fn take_last(frame: *mut Frame) -> Option<Oop> {
    let (base, _) = records(frame);
    if (*frame).monitors == 0 {
        return None;
    }
    (*frame).monitors -= 1;
    Some(Oop::from_address(*base.add((*frame).monitors as usize) as usize))
}

/// Releases the frame's monitors when an exception leaves it. The pending exception stays
/// unless releasing throws another.
///
/// # Safety
/// As for [`enter`].
#[cold]
pub unsafe fn release_on_unwind(t: &JavaThread, frame: *mut Frame) {
    let mut pending = t.take_exception();
    while let Some(object) = take_last(frame) {
        if monitor::exit(t, object).is_err() {
            pending = t.take_exception();
        }
    }
    t.exception.set(pending);
}
