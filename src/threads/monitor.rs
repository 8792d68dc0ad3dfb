//! Monitors (JVMS 2.11.10, JLS 17): fast locking in the header with a per-thread lock stack,
//! inflated monitors in a side table; identity hashes, which share the lock word.
//!
//! Fast: the lock word goes from unlocked to [`LOCK_FAST`] by compare-and-swap and the object
//! onto the owner's lock stack; once more for each recursive entry. Contention, `wait` and
//! nothing else inflate: the lock word becomes the index of a [`Monitor`]. A thread that
//! inflates another's fast lock leaves the owner anonymous; the owner recognizes itself by its
//! lock stack. Monitors stay inflated until their object dies, or until they have been idle for some time
//! (`super::deflation`). So who has got one must not stop at a safepoint before it owns it, or is queued at it.

use super::monitor_table::{self as table, Monitor, Queued, Waiter, ANONYMOUS, ENTERING, WAITING};
use super::park::{deadline_after, is_interrupted};
use super::{safepoint, stale, state};
use super::status::{during, Status};
use crate::exceptions::{throw, Thrown, VmResult};
use crate::heap::layout::{
    Oop, LOCK_FAST, LOCK_INFLATED, LOCK_OFFSET, LOCK_PAYLOAD_SHIFT, LOCK_STATE_MASK, LOCK_UNLOCKED,
};
use crate::meta::class::class_flags;
use crate::threads::JavaThread;
use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU8, Ordering};
use std::time::{Duration, Instant};

/// Tries at a held lock before blocking.
const SPINS: u32 = 100;

/// The object's lock word. Valid until the next safepoint.
#[inline(always)]
fn lock_word<'a>(object: Oop) -> &'a AtomicU32 {
    debug_assert!(!object.is_null());
    // SAFETY: a live object's header.
    unsafe { &*((object.address() + LOCK_OFFSET) as *const AtomicU32) }
}

/// The current thread's lock stack.
///
/// # Safety
/// `t` must be the current thread, and the reference must not outlive the next use of this.
#[inline(always)]
#[allow(clippy::mut_from_ref)] // the owner of the stack is the thread, see the contract
unsafe fn lock_stack(t: &JavaThread) -> &mut Vec<Oop> {
    &mut *t.lock_stack.get()
}

fn fast_locked_by(t: &JavaThread, object: Oop) -> bool {
    // SAFETY: read and dropped at once.
    unsafe { lock_stack(t) }.iter().rev().any(|o| *o == object)
}

/// `monitorenter` on a non-null object; may block (safepoint-safe).
#[inline]
pub fn enter(t: &JavaThread, object: Oop) -> VmResult<()> {
    if DIAGNOSE_VALUE_BASED.load(Ordering::Relaxed) && object.class().has_flag(class_flags::VALUE_BASED) {
        crate::observe::value_based::report(t, object);
    }
    let cell = lock_word(object);
    let word = cell.load(Ordering::Relaxed);
    if word & LOCK_STATE_MASK == LOCK_UNLOCKED
        && cell.compare_exchange(word, word | LOCK_FAST, Ordering::AcqRel, Ordering::Relaxed).is_ok()
    {
        // SAFETY: on the thread itself.
        unsafe { lock_stack(t) }.push(object);
        return Ok(());
    }
    enter_slow(t, object);
    Ok(())
}

#[cold]
#[inline(never)]
fn enter_slow(t: &JavaThread, object: Oop) {
    let cell = lock_word(object);
    for _ in 0..SPINS {
        let word = cell.load(Ordering::Relaxed);
        match word & LOCK_STATE_MASK {
            LOCK_UNLOCKED => {
                if cell.compare_exchange(word, word | LOCK_FAST, Ordering::AcqRel, Ordering::Relaxed).is_ok() {
                    // SAFETY: on the thread itself.
                    unsafe { lock_stack(t) }.push(object);
                    return;
                }
            }
            LOCK_FAST => {
                if fast_locked_by(t, object) {
                    // SAFETY: on the thread itself.
                    unsafe { lock_stack(t) }.push(object);
                    return;
                }
                std::hint::spin_loop();
            }
            _ => break,
        }
    }
    let m = inflate(t, object);
    if m.owner.load(Ordering::Relaxed) == t.id {
        m.recursions.fetch_add(1, Ordering::Relaxed);
        return;
    }
    for _ in 0..SPINS {
        if acquire(m, t) {
            return;
        }
        std::hint::spin_loop();
    }
    let waiter = Waiter { event: &t.vm.monitor_event, phase: AtomicU8::new(ENTERING) };
    queue(m, &waiter);
    t.vm.blocked_on.set(object);
    during(t, Status::BlockedOnMonitorEnter, || contend(t, m, &waiter));
    t.vm.blocked_on.set(Oop::NULL);
}

#[inline]
fn acquire(m: &Monitor, t: &JavaThread) -> bool {
    m.owner.load(Ordering::Relaxed) == 0
        && m.owner.compare_exchange(0, t.id, Ordering::SeqCst, Ordering::Relaxed).is_ok()
}

/// Queues `waiter`, which is to live until [`contend`] returns, to enter the monitor.
fn queue(m: &Monitor, waiter: &Waiter) {
    let mut q = m.queues.lock();
    q.stack.push(Queued(waiter));
    m.contenders.fetch_add(1, Ordering::SeqCst);
}

/// Blocks until the monitor is ours; `waiter` is queued to enter and is taken out. A thread that has been suspended
/// gives the monitor up again until it is resumed.
fn contend(t: &JavaThread, m: &Monitor, waiter: &Waiter) {
    contend_once(t, m, waiter);
    while safepoint::is_suspended(t) {
        give_up_while(m, || safepoint::poll_suspension(t));
        queue(m, waiter);
        m.contenders.fetch_sub(1, Ordering::SeqCst);
        contend_once(t, m, waiter);
    }
}

/// Releases the monitor and runs `f`. The monitor is kept meanwhile and afterwards, as if a thread contended: the
/// caller takes that back when it is queued.
fn give_up_while<R>(m: &Monitor, f: impl FnOnce() -> R) -> R {
    m.contenders.fetch_add(1, Ordering::SeqCst);
    release(m);
    f()
}

fn contend_once(t: &JavaThread, m: &Monitor, waiter: &Waiter) {
    state::blocked(t, || {
        while m.owner.compare_exchange(0, t.id, Ordering::SeqCst, Ordering::SeqCst).is_err() {
            t.vm.monitor_event.wait(None);
        }
    });
    let me = Queued(waiter);
    let mut q = m.queues.lock();
    q.entry.retain(|w| *w != me);
    q.stack.retain(|w| *w != me);
    m.contenders.fetch_sub(1, Ordering::SeqCst);
}

/// The object's monitor, inflated; if the current thread has it fast-locked, owned by it.
fn inflate(t: &JavaThread, object: Oop) -> &'static Monitor {
    let cell = lock_word(object);
    loop {
        let word = cell.load(Ordering::Acquire);
        let payload = word >> LOCK_PAYLOAD_SHIFT;
        if word & LOCK_STATE_MASK == LOCK_INFLATED {
            let m = table::get(payload);
            claim(t, object, m);
            return m;
        }
        let owner = if word & LOCK_STATE_MASK == LOCK_FAST { ANONYMOUS } else { 0 };
        let index = table::allocate(object.address(), owner, payload);
        let inflated = index << LOCK_PAYLOAD_SHIFT | LOCK_INFLATED;
        if cell.compare_exchange(word, inflated, Ordering::AcqRel, Ordering::Relaxed).is_ok() {
            let m = table::get(index);
            claim(t, object, m);
            return m;
        }
        table::free(index);
    }
}

/// Makes the current thread the owner if the anonymous owner is it.
fn claim(t: &JavaThread, object: Oop, m: &Monitor) {
    if m.owner.load(Ordering::Acquire) != ANONYMOUS || !fast_locked_by(t, object) {
        return;
    }
    // SAFETY: on the thread itself.
    let stack = unsafe { lock_stack(t) };
    let before = stack.len();
    stack.retain(|o| *o != object);
    m.recursions.store((before - stack.len() - 1) as u32, Ordering::Relaxed);
    m.owner.store(t.id, Ordering::Release);
}

/// `monitorexit`; throws IllegalMonitorStateException if the thread is not the owner.
#[inline]
pub fn exit(t: &JavaThread, object: Oop) -> VmResult<()> {
    // SAFETY: on the thread itself.
    let stack = unsafe { lock_stack(t) };
    if stack.last() == Some(&object) {
        let cell = lock_word(object);
        let word = cell.load(Ordering::Relaxed);
        let recursive = stack.len() >= 2 && stack[..stack.len() - 1].contains(&object);
        if word & LOCK_STATE_MASK == LOCK_FAST
            && (recursive
                || cell
                    .compare_exchange(word, word & !LOCK_STATE_MASK, Ordering::AcqRel, Ordering::Relaxed)
                    .is_ok())
        {
            stack.pop();
            return Ok(());
        }
    }
    exit_slow(t, object)
}

#[cold]
#[inline(never)]
fn exit_slow(t: &JavaThread, object: Oop) -> VmResult<()> {
    let cell = lock_word(object);
    loop {
        let word = cell.load(Ordering::Acquire);
        if word & LOCK_STATE_MASK != LOCK_FAST {
            break;
        }
        // SAFETY: on the thread itself.
        let stack = unsafe { lock_stack(t) };
        let Some(last) = stack.iter().rposition(|o| *o == object) else {
            return Err(not_owner(t));
        };
        let recursive = stack[..last].contains(&object);
        if recursive
            || cell
                .compare_exchange(word, word & !LOCK_STATE_MASK, Ordering::AcqRel, Ordering::Relaxed)
                .is_ok()
        {
            stack.remove(last);
            return Ok(());
        }
    }
    let m = owned_monitor(t, object)?;
    let recursions = m.recursions.load(Ordering::Relaxed);
    if recursions > 0 {
        m.recursions.store(recursions - 1, Ordering::Relaxed);
    } else {
        release(m);
    }
    Ok(())
}

/// Gives the monitor up and wakes the next contender, which may find it taken again.
fn release(m: &Monitor) {
    // Sequentially consistent: a contender queues itself and then looks at the owner.
    m.owner.store(0, Ordering::SeqCst);
    if m.contenders.load(Ordering::SeqCst) == 0 {
        return;
    }
    let mut q = m.queues.lock();
    if q.entry.is_empty() {
        let newest_first: Vec<Queued> = q.stack.drain(..).rev().collect();
        q.entry.extend(newest_first);
    }
    if let Some(next) = q.entry.front() {
        // SAFETY: it cannot leave the queue, and so its stack frame, without the lock we hold.
        unsafe { (*(*next.0).event).set() }
    }
}

#[cold]
fn not_owner(t: &JavaThread) -> Thrown {
    throw(t, "java/lang/IllegalMonitorStateException", Some("current thread is not owner".into()))
}

/// The inflated monitor that the current thread owns; throws IllegalMonitorStateException.
fn owned_monitor(t: &JavaThread, object: Oop) -> VmResult<&'static Monitor> {
    if !holds(t, object) {
        return Err(not_owner(t));
    }
    Ok(inflate(t, object))
}

/// `Object.wait(millis)`; 0 waits for ever. Throws IllegalArgumentException,
/// IllegalMonitorStateException, InterruptedException.
pub fn wait(t: &JavaThread, object: Oop, millis: i64) -> VmResult<()> {
    if millis < 0 {
        return Err(throw(t, "java/lang/IllegalArgumentException", Some("timeout value is negative".into())));
    }
    let m = owned_monitor(t, object)?;
    if is_interrupted(t, true) {
        return Err(throw(t, "java/lang/InterruptedException", None));
    }
    let deadline = if millis == 0 { None } else { deadline_after(Duration::from_millis(millis as u64)) };
    let recursions = m.recursions.swap(0, Ordering::Relaxed);
    let waiter = Waiter { event: &t.vm.monitor_event, phase: AtomicU8::new(WAITING) };
    t.vm.monitor_event.reset();
    m.queues.lock().waiting.push_back(Queued(&waiter));
    release(m);
    t.vm.blocked_on.set(object);
    let status = if millis == 0 { Status::ObjectWait } else { Status::ObjectWaitTimed };
    let notified = during(t, status, || await_notify(t, m, &waiter, deadline));
    during(t, Status::BlockedOnMonitorEnter, || contend(t, m, &waiter));
    t.vm.blocked_on.set(Oop::NULL);
    m.recursions.store(recursions, Ordering::Relaxed);
    if !notified && is_interrupted(t, true) {
        return Err(throw(t, "java/lang/InterruptedException", None));
    }
    Ok(())
}

/// Runs `f`, which waits for something, with the object's monitor given up. The current thread must own it, and owns
/// it afterwards as often as before. Throws IllegalMonitorStateException.
pub fn released<R>(t: &JavaThread, object: Oop, f: impl FnOnce() -> R) -> VmResult<R> {
    let m = owned_monitor(t, object)?;
    let recursions = m.recursions.swap(0, Ordering::Relaxed);
    let result = give_up_while(m, f);
    let waiter = Waiter { event: &t.vm.monitor_event, phase: AtomicU8::new(ENTERING) };
    queue(m, &waiter);
    m.contenders.fetch_sub(1, Ordering::SeqCst);
    t.vm.blocked_on.set(object);
    during(t, Status::BlockedOnMonitorEnter, || contend(t, m, &waiter));
    t.vm.blocked_on.set(Oop::NULL);
    m.recursions.store(recursions, Ordering::Relaxed);
    Ok(result)
}

/// Sleeps until notified, interrupted or late; then `waiter` is queued to enter. Whether it was
/// notified.
fn await_notify(t: &JavaThread, m: &Monitor, waiter: &Waiter, deadline: Option<Instant>) -> bool {
    while waiter.phase.load(Ordering::Acquire) == WAITING
        && !is_interrupted(t, false)
        && deadline.is_none_or(|d| Instant::now() < d)
    {
        // The object is kept by `blocked_on`; who has called `wait` uses it no more, nor anything else.
        stale::without_references(t, || state::blocked(t, || t.vm.monitor_event.wait(deadline)));
    }
    let me = Queued(waiter);
    let mut q = m.queues.lock();
    if waiter.phase.load(Ordering::Relaxed) == ENTERING {
        return true;
    }
    q.waiting.retain(|w| *w != me);
    q.stack.push(me);
    waiter.phase.store(ENTERING, Ordering::Relaxed);
    m.contenders.fetch_add(1, Ordering::SeqCst);
    false
}

/// `Object.notify` / `notifyAll`: the longest-waiting thread first. Throws
/// IllegalMonitorStateException.
pub fn notify(t: &JavaThread, object: Oop, all: bool) -> VmResult<()> {
    if lock_word(object).load(Ordering::Acquire) & LOCK_STATE_MASK == LOCK_FAST && fast_locked_by(t, object) {
        // Nobody waits: waiting inflates.
        return Ok(());
    }
    let m = owned_monitor(t, object)?;
    let mut q = m.queues.lock();
    while let Some(w) = q.waiting.pop_front() {
        // SAFETY: it cannot leave `wait` without the lock we hold.
        unsafe { (*w.0).phase.store(ENTERING, Ordering::Release) };
        if q.entry.is_empty() {
            q.entry.push_back(w);
        } else {
            q.stack.push(w);
        }
        m.contenders.fetch_add(1, Ordering::SeqCst);
        if !all {
            break;
        }
    }
    Ok(())
}

/// Whether the thread, which must be the current one, owns the object's monitor.
pub fn holds(t: &JavaThread, object: Oop) -> bool {
    let word = lock_word(object).load(Ordering::Acquire);
    match word & LOCK_STATE_MASK {
        LOCK_UNLOCKED => false,
        LOCK_FAST => fast_locked_by(t, object),
        _ => match table::get(word >> LOCK_PAYLOAD_SHIFT).owner.load(Ordering::Acquire) {
            ANONYMOUS => fast_locked_by(t, object),
            owner => owner == t.id,
        },
    }
}

/// Id of the thread that owns the object's inflated monitor; 0 if nobody does, `None` if it is
/// fast-locked (look at the lock stacks). For thread dumps, during a pause.
pub fn inflated_owner(object: Oop) -> Option<u64> {
    let word = lock_word(object).load(Ordering::Acquire);
    match word & LOCK_STATE_MASK {
        LOCK_UNLOCKED => Some(0),
        LOCK_INFLATED => match table::get(word >> LOCK_PAYLOAD_SHIFT).owner.load(Ordering::Acquire) {
            ANONYMOUS => None,
            owner => Some(owner),
        },
        _ => None,
    }
}

/// Whether the object has an inflated monitor, locked or not.
pub fn is_inflated(object: Oop) -> bool {
    lock_word(object).load(Ordering::Acquire) & LOCK_STATE_MASK == LOCK_INFLATED
}

/// State of a thread's generator of identity hashes (Marsaglia's xorshift).
#[derive(Default)]
pub struct HashState(Cell<[u32; 4]>);

impl HashState {
    /// The next hash: 1 to 2^30 - 1, what the lock word holds.
    fn next(&self, seed: u64) -> u32 {
        let [mut x, mut y, mut z, mut w] = self.0.get();
        if w == 0 {
            // The first numbers, as in Marsaglia's paper; x differs from thread to thread.
            [x, y, z, w] = [(seed as u32).wrapping_mul(0x9e37_79b9) | 1, 842_502_087, 0x8767, 273_326_509];
        }
        loop {
            let mut a = x ^ (x << 11);
            [x, y, z] = [y, z, w];
            a = (w ^ (w >> 19)) ^ (a ^ (a >> 8));
            w = a;
            let hash = w >> LOCK_PAYLOAD_SHIFT;
            if hash != 0 {
                self.0.set([x, y, z, w]);
                return hash;
            }
        }
    }
}

/// `System.identityHashCode` of a non-null object; never 0.
pub fn identity_hash(t: &JavaThread, object: Oop) -> i32 {
    let cell = lock_word(object);
    loop {
        let word = cell.load(Ordering::Acquire);
        let payload = word >> LOCK_PAYLOAD_SHIFT;
        if word & LOCK_STATE_MASK == LOCK_INFLATED {
            let m = table::get(payload);
            let known = m.hash.load(Ordering::Acquire);
            if known != 0 {
                return known as i32;
            }
            let fresh = t.vm.hash_state.next(t.id);
            return match m.hash.compare_exchange(0, fresh, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => fresh as i32,
                Err(first) => first as i32,
            };
        }
        if payload != 0 {
            return payload as i32;
        }
        let fresh = t.vm.hash_state.next(t.id);
        let new = fresh << LOCK_PAYLOAD_SHIFT | word & LOCK_STATE_MASK;
        if cell.compare_exchange(word, new, Ordering::AcqRel, Ordering::Relaxed).is_ok() {
            return fresh as i32;
        }
    }
}

/// Frees the monitors of dead objects and follows moved ones; during a pause.
pub(crate) fn sweep(survivor: &dyn Fn(usize) -> Option<usize>) {
    table::for_each(|index, m| match survivor(m.object.load(Ordering::Relaxed) as usize) {
        Some(a) => m.object.store(a as u64, Ordering::Relaxed),
        None => table::free(index),
    })
}

/// Monitors that objects have at present.
pub fn inflated_count() -> usize {
    let mut n = 0;
    table::for_each(|_, _| n += 1);
    n
}

/// Whether some monitor seems to be idle.
pub(super) fn any_idle() -> bool {
    let mut any = false;
    table::for_each(|_, m| any = any || m.is_idle());
    any
}

/// Takes the monitors of up to `most` objects back that nobody needs; how many there were. During a pause.
pub(super) fn deflate_idle(most: usize) -> usize {
    let mut deflated = 0;
    table::for_each(|index, m| {
        if deflated < most && m.is_idle() {
            let object = Oop::from_address(m.object.load(Ordering::Relaxed) as usize);
            let hash = m.hash.load(Ordering::Relaxed);
            lock_word(object).store(hash << LOCK_PAYLOAD_SHIFT | LOCK_UNLOCKED, Ordering::Release);
            table::free(index);
            deflated += 1;
        }
    });
    deflated
}

/// A line for every inflated monitor, as HotSpot's `log_in_use_monitor_details` has them. During a pause.
pub(super) fn describe_inflated() -> Vec<String> {
    let mut lines = Vec::new();
    table::for_each(|_, m| {
        let object = Oop::from_address(m.object.load(Ordering::Relaxed) as usize);
        let owner = m.owner.load(Ordering::Relaxed);
        let (contenders, waiters) = (m.contenders.load(Ordering::Relaxed), m.queues.lock().waiting.len());
        let mut line = format!(
            "{:#018x}  {}{}{}  {:#018x}  {}",
            m as *const Monitor as usize,
            u8::from(!m.is_idle()),
            u8::from(m.hash.load(Ordering::Relaxed) != 0),
            u8::from(owner != 0),
            object.address(),
            object.class().external_name()
        );
        if !m.is_idle() {
            line += &format!(" (contentions={contenders}, waiters={waiters}, owner={owner:#x})");
        }
        lines.push(line);
    });
    lines
}

static DIAGNOSE_VALUE_BASED: AtomicBool = AtomicBool::new(false);

/// Has what is entered looked at from now on: `-XX:DiagnoseSyncOnValueBasedClasses`.
pub fn diagnose_value_based() {
    DIAGNOSE_VALUE_BASED.store(true, Ordering::Relaxed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_fit_the_lock_word_and_differ() {
        let (a, b) = (HashState::default(), HashState::default());
        let mut seen = std::collections::HashSet::new();
        for _ in 0..1000 {
            for h in [a.next(1), b.next(2)] {
                assert!(h != 0 && h < 1 << 30);
                seen.insert(h);
            }
        }
        assert!(seen.len() > 1990, "{} different of 2000", seen.len());
    }
}
