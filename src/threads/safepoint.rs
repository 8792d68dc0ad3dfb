//! Pauses (collections and VM operations, one at a time) and handshakes.
//!
//! A pause sets every thread's poll word and waits until no thread is in `InJava` or `InVm`.
//! Collections are brought about by MMTk's workers, VM operations by the Java thread that wants
//! them; both take the same right to pause, so that they exclude each other. A thread that waits
//! for that right counts as stopped. A VM operation must not allocate.
//!
//! A suspended thread (`Thread.suspend`) stands in the places where it holds no lock of the VM's: polls of Java code,
//! returns to Java code from native code and calls into it, entries into the VM from native code, after parking,
//! sleeping and waiting. It gives up a monitor that it got while it was suspended.

use super::stale;
use super::registry::{self, Registry, RESUMED, STOPPED};
use super::state::with_spilled_registers;
use super::thread::ThreadState;
use super::JavaThread;
use parking_lot::{Mutex, MutexGuard};
use std::sync::atomic::{fence, AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Poll word bit: a pause is wanted or on.
pub const POLL_PAUSE: u32 = 1;
/// Poll word bit: a handshake waits for this thread.
pub const POLL_HANDSHAKE: u32 = 2;
/// Poll word bit: another thread sent an exception (`Thread.stop`).
pub const POLL_ASYNC_EXCEPTION: u32 = 4;
/// Poll word bit: the thread is to stand until it is resumed (`Thread.suspend`).
pub const POLL_SUSPEND: u32 = 8;

/// Longest time between two looks at the threads' states: a thread that goes native without
/// seeing its poll bit does not tell.
const RECHECK: Duration = Duration::from_micros(200);

fn is_stopped(t: &JavaThread) -> bool {
    !matches!(t.state(), ThreadState::InJava | ThreadState::InVm)
}

/// Waits for the right to pause, takes it, and waits until all threads but `requester` stand.
fn begin(r: &mut MutexGuard<'_, Registry>, requester: Option<&JavaThread>) {
    while r.paused {
        RESUMED.wait(r);
    }
    r.paused = true;
    for t in &r.threads {
        t.poll.fetch_or(POLL_PAUSE, Ordering::SeqCst);
    }
    fence(Ordering::SeqCst);
    let stopped = |t: &&'static JavaThread| requester.is_some_and(|q| std::ptr::eq(*t, q)) || is_stopped(t);
    while !r.threads.iter().all(stopped) {
        STOPPED.wait_for(r, RECHECK);
    }
}

fn end(r: &mut MutexGuard<'_, Registry>) {
    debug_assert!(r.paused);
    r.paused = false;
    for t in &r.threads {
        t.poll.fetch_and(!POLL_PAUSE, Ordering::SeqCst);
    }
    RESUMED.notify_all();
}

/// Stops all Java threads for a collection; on a collector thread.
pub(crate) fn begin_collection() {
    begin(&mut registry::lock(), None);
    *COLLECTION_START.lock() = Some(Instant::now());
}

static COLLECTION_START: Mutex<Option<Instant>> = Mutex::new(None);
static COLLECTION_NANOS: AtomicU64 = AtomicU64::new(0);

/// Collections so far, and how long threads have stood for them.
pub fn collection_totals() -> (u64, Duration) {
    (registry::lock().collections, Duration::from_nanos(COLLECTION_NANOS.load(Ordering::Relaxed)))
}

/// Lets them go on.
pub(crate) fn end_collection() {
    let mut r = registry::lock();
    r.collections += 1;
    if let Some(start) = COLLECTION_START.lock().take() {
        COLLECTION_NANOS.fetch_add(start.elapsed().as_nanos() as u64, Ordering::Relaxed);
    }
    end(&mut r);
}

/// Whether a thread that stands stays where it is when it is suspended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Suspension {
    /// It does: it holds no lock of the VM's.
    Obeyed,
    /// It goes on to the next place that does.
    Later,
}

/// Runs `f` in state Blocked with the registry locked, and comes back in the state before;
/// when `f` returns no pause may be on.
fn standing<R>(t: &JavaThread, suspension: Suspension, f: impl FnOnce(&mut MutexGuard<'_, Registry>) -> R) -> R {
    let saved = t.saved_sp.load(Ordering::Relaxed);
    let result = with_spilled_registers(|sp| {
        let before = t.state();
        t.saved_sp.store(stale::scan_from(t, sp), Ordering::Relaxed);
        let mut r = registry::lock();
        t.state.store(ThreadState::Blocked as u8, Ordering::SeqCst);
        t.vm.passing.store(suspension == Suspension::Later, Ordering::Relaxed);
        STOPPED.notify_all();
        let result = f(&mut r);
        debug_assert!(!r.paused);
        t.vm.passing.store(false, Ordering::Relaxed);
        // Under the lock: the next pause sees us run.
        t.state.store(before as u8, Ordering::SeqCst);
        result
    });
    t.saved_sp.store(saved, Ordering::Relaxed);
    result
}

/// The slow path of a poll: stands while a pause is on, then runs handshakes. Comes back in the
/// state that the thread had.
#[cold]
#[inline(never)]
pub fn block(t: &JavaThread) {
    standing(t, Suspension::Later, |r| {
        while r.paused {
            RESUMED.wait(r);
        }
        run_handshakes(t);
    })
}

/// The same where the thread holds no lock of the VM's: it stands while it is suspended, too.
#[cold]
#[inline(never)]
pub fn block_in_java(t: &JavaThread) {
    standing(t, Suspension::Obeyed, |r| stay(t, r))
}

/// What [`block_in_java`] does, in a place that no pause needs: between waiting and going on to Java code.
#[inline(always)]
pub fn poll_suspension(t: &JavaThread) {
    if t.poll.load(Ordering::Relaxed) & POLL_SUSPEND != 0 {
        block_in_java(t);
    }
}

fn stay(t: &JavaThread, r: &mut MutexGuard<'_, Registry>) {
    while r.paused || is_suspended(t) {
        RESUMED.wait(r);
    }
    run_handshakes(t);
}

/// Whether the thread is to stand until [`resume`].
pub fn is_suspended(t: &JavaThread) -> bool {
    t.poll.load(Ordering::SeqCst) & POLL_SUSPEND != 0
}

/// `Thread.suspend0`, by `eetop`: the thread executes no Java code after this until it is resumed. Nothing happens
/// to one that is suspended already, or has ended. Call it without a lock of the VM's: the current thread may be
/// suspended itself, by this call or meanwhile.
pub fn suspend(t: &JavaThread, eetop: i64) {
    standing(t, Suspension::Obeyed, |r| {
        // By number: the thread may end, and another get its place.
        let find = |r: &Registry| r.threads.iter().copied().find(|x| *x as *const JavaThread as i64 == eetop);
        if let Some(target) = find(r) {
            let id = target.id;
            target.poll.fetch_or(POLL_SUSPEND, Ordering::SeqCst);
            fence(Ordering::SeqCst);
            let runs = |x: &JavaThread| x.id == id && is_suspended(x) && !stays(x);
            while find(r).is_some_and(runs) {
                STOPPED.wait_for(r, RECHECK);
            }
        }
        stay(t, r)
    })
}

/// Whether a thread that is suspended can no longer get to Java code; the registry is locked.
fn stays(t: &JavaThread) -> bool {
    is_stopped(t) && !t.vm.passing.load(Ordering::Relaxed)
}

/// `Thread.resume0`, by `eetop`.
pub fn resume(eetop: i64) {
    let r = registry::lock();
    if let Some(target) = r.threads.iter().find(|x| **x as *const JavaThread as i64 == eetop) {
        target.poll.fetch_and(!POLL_SUSPEND, Ordering::SeqCst);
        RESUMED.notify_all();
    }
}

/// Stands until a collection that this thread has asked for is over. The collection cannot end
/// before this is called: it waits for this thread.
pub(crate) fn block_for_collection(t: &JavaThread) {
    standing(t, Suspension::Later, |r| {
        let before = r.collections;
        while r.collections == before || r.paused {
            RESUMED.wait(r);
        }
        run_handshakes(t);
    })
}

/// Tells who waits for threads to stop.
pub(super) fn notify_stopped() {
    let _r = registry::lock();
    STOPPED.notify_all();
}

/// Runs `f` while all other Java threads stand: a VM operation named `reason`. `f` sees all
/// threads and must not allocate, call Java or reach a safepoint.
pub fn stop_the_world<R>(t: &JavaThread, reason: &'static str, f: impl FnOnce(&[&'static JavaThread]) -> R) -> R {
    log::debug!(target: "safepoint", "{reason}");
    standing(t, Suspension::Later, |r| {
        begin(r, Some(t));
        let threads = r.threads.clone();
        let result = MutexGuard::unlocked(r, || f(&threads));
        end(r);
        result
    })
}

/// Operations that other threads want done on one thread.
#[derive(Default)]
pub struct Handshakes {
    waiting: Mutex<Vec<Operation>>,
}

/// One operation.
enum Operation {
    /// It lies on its requester's stack, which waits for `done`.
    Awaited { run: *mut (dyn FnMut(&JavaThread) + 'static), done: *const AtomicBool },
    /// Nobody waits for it.
    Owned(Box<dyn FnOnce(&JavaThread) + Send>),
}

// SAFETY: the requester of an awaited one waits, and gives the closure away until it is done.
unsafe impl Send for Operation {}

/// Runs what waits for `t`, which stands (or is the current thread); the registry is locked.
fn run_handshakes(t: &JavaThread) {
    if t.poll.load(Ordering::SeqCst) & POLL_HANDSHAKE == 0 {
        return;
    }
    let operations = std::mem::take(&mut *t.vm.handshakes.waiting.lock());
    t.poll.fetch_and(!POLL_HANDSHAKE, Ordering::SeqCst);
    for o in operations {
        match o {
            // SAFETY: see `Operation`: both live until `done` is set.
            Operation::Awaited { run, done } => unsafe {
                (*run)(t);
                (*done).store(true, Ordering::Release);
            },
            Operation::Owned(run) => run(t),
        }
    }
    STOPPED.notify_all();
}

/// Runs `f` on the thread whose `java.lang.Thread.eetop` is `eetop`, at a point where it could
/// stop; by itself if it runs, by the current thread if it stands. `None` if it has ended.
/// `f` as for [`registry::with_all`].
pub fn handshake<R>(t: &JavaThread, eetop: i64, f: impl FnOnce(&JavaThread) -> R) -> Option<R> {
    if t as *const JavaThread as i64 == eetop {
        return Some(f(t));
    }
    let mut f = Some(f);
    let mut result = None;
    let done = AtomicBool::new(false);
    let mut run = |target: &JavaThread| {
        if let Some(f) = f.take() {
            result = Some(f(target));
        }
    };
    let run: &mut dyn FnMut(&JavaThread) = &mut run;
    // SAFETY: only the lifetime changes; we stay here until `done`, or take the operation back.
    let run: *mut (dyn FnMut(&JavaThread) + 'static) = unsafe { std::mem::transmute(run) };
    standing(t, Suspension::Later, |r| {
        while r.paused {
            RESUMED.wait(r);
        }
        let Some(target) = r.threads.iter().copied().find(|x| *x as *const JavaThread as i64 == eetop) else {
            return;
        };
        target.vm.handshakes.waiting.lock().push(Operation::Awaited { run, done: &done });
        target.poll.fetch_or(POLL_HANDSHAKE, Ordering::SeqCst);
        fence(Ordering::SeqCst);
        // A leaving thread runs what waits for it, so `target` lives until `done`.
        while !done.load(Ordering::Acquire) {
            if !r.paused && is_stopped(target) {
                // It cannot go on before it gets the registry's lock.
                run_handshakes(target);
            } else {
                STOPPED.wait_for(r, RECHECK);
            }
        }
        while r.paused {
            RESUMED.wait(r);
        }
        run_handshakes(t);
    });
    result
}

/// Has `f` run on the thread with this `eetop` later: when it polls, leaves a wait or the VM, or ends, or when someone
/// else has an operation done on it. By the current thread at once if it is that. Whether the thread is there.
pub fn handshake_later(t: &JavaThread, eetop: i64, f: impl FnOnce(&JavaThread) + Send + 'static) -> bool {
    if t as *const JavaThread as i64 == eetop {
        f(t);
        return true;
    }
    registry::with_thread(eetop, |target| {
        target.vm.handshakes.waiting.lock().push(Operation::Owned(Box::new(f)));
        target.poll.fetch_or(POLL_HANDSHAKE, Ordering::SeqCst);
    })
    .is_some()
}

/// A leaving thread: waits for the end of a pause, then runs its handshakes and `f` with the
/// registry locked.
pub(super) fn leave<R>(t: &JavaThread, f: impl FnOnce(&mut Registry) -> R) -> R {
    standing(t, Suspension::Later, |r| {
        while r.paused {
            RESUMED.wait(r);
        }
        run_handshakes(t);
        f(r)
    })
}
