//! The white box's view of threads: walking the stacks of others in handshakes, and what suspending must not do.

use super::super::slots::*;
use super::super::Native;
use crate::exceptions::VmResult;
use crate::heap::access::load;
use crate::heap::layout::Oop;
use crate::meta::well_known::KnownField;
use crate::observe::thread_dump;
use crate::threads::{registry, safepoint, state, JavaThread};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

pub(super) static TABLE: &[Native] = &[
    ("handshakeWalkStack", "(Ljava/lang/Thread;Z)I", handshake_walk_stack),
    ("asyncHandshakeWalkStack", "(Ljava/lang/Thread;)V", async_handshake_walk_stack),
    ("lockAndBlock", "(Z)V", lock_and_block),
];

fn eetop(thread: Oop) -> i64 {
    load::<i64>(thread, KnownField::ThreadEetop.offset())
}

fn print(x: &JavaThread) {
    crate::vm_out!("{}\n", thread_dump::one(x));
}

/// Prints the stack of a thread, or of all, each in a handshake with it; how many there were.
fn handshake_walk_stack(t: &JavaThread, args: *const u64) -> VmResult<u64> {
    // SAFETY: bound to a method of (Thread, boolean).
    let (thread, all) = unsafe { (reference(args, 1), int(args, 2) != 0) };
    let targets: Vec<i64> = match thread.non_null() {
        _ if all => registry::with_all(|threads| {
            let shown = threads.iter().filter(|x| !x.thread_object.get().is_null());
            shown.map(|x| *x as *const JavaThread as i64).collect()
        }),
        // 0 if it has not been started or has ended.
        Some(thread) => Some(eetop(thread)).filter(|e| *e != 0).into_iter().collect(),
        None => Vec::new(),
    };
    let walked = targets.into_iter().filter_map(|target| safepoint::handshake(t, target, print)).count();
    Ok(of_int(walked as i32))
}

/// The same, without waiting for it.
fn async_handshake_walk_stack(t: &JavaThread, args: *const u64) -> VmResult<u64> {
    // SAFETY: bound to a method of one Thread.
    if let Some(thread) = unsafe { reference(args, 1) }.non_null() {
        safepoint::handshake_later(t, eetop(thread), print);
    }
    Ok(0)
}

/// Takes a lock of the VM's while blocked and gives it back when running again: if a suspended thread stood in between,
/// who has suspended it could not get the lock.
fn lock_and_block(t: &JavaThread, args: *const u64) -> VmResult<u64> {
    static LOCKED: AtomicBool = AtomicBool::new(false);
    // SAFETY: bound to a method of one boolean.
    let suspender = unsafe { int(args, 1) } != 0;
    state::blocked(t, || {
        while LOCKED.swap(true, Ordering::Acquire) {
            std::thread::yield_now();
        }
        // The one that gets suspended sleeps longer, so that the other waits for the lock.
        std::thread::sleep(Duration::from_millis(if suspender { 1 } else { 10 }));
    });
    LOCKED.store(false, Ordering::Release);
    Ok(0)
}
