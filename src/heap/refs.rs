//! `java.lang.ref`: soft, weak, final and phantom references, the pending list that the class
//! library's ReferenceHandler thread empties, and everything else the collector treats weakly.
//!
//! Order in a pause: soft references are decided when they are met; weak references; final
//! references, whose referents live on; what those kept alive is traced and the steps repeat;
//! phantom references, then JNI weak references, the string table and monitors.

mod times;

pub(super) use times::report as report_times;

use super::access::{load, load_ref, store};
use super::layout::Oop;
use super::mmtk_binding::{from_mmtk, mmtk, to_mmtk, Kiln, Slot};
use super::roots::{self, RootSlot};
use super::string_table;
use super::unloading;
use crate::exceptions::VmResult;
use crate::meta::class::ReferenceKind;
use crate::meta::well_known::{method, Known, KnownField};
use crate::threads::{monitor, stale, state, JavaThread};
use mmtk::scheduler::GCWorker;
use mmtk::vm::{ObjectTracer, ObjectTracerContext};
use parking_lot::{Condvar, Mutex};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Instant;
use times::Step;

/// References met in this pause whose referent is not (yet) strongly reachable.
#[derive(Default)]
struct Discovered {
    /// Those that the policy gives up.
    soft: Vec<usize>,
    weak: Vec<usize>,
    finals: Vec<usize>,
    phantom: Vec<usize>,
}

static DISCOVERED: Mutex<Discovered> =
    Mutex::new(Discovered { soft: Vec::new(), weak: Vec::new(), finals: Vec::new(), phantom: Vec::new() });

/// Head of the pending list, linked through `Reference.discovered`. A root.
static PENDING: RootSlot = RootSlot::new(Oop::NULL);
static PENDING_LOCK: Mutex<()> = Mutex::new(());
static PENDING_CHANGED: Condvar = Condvar::new();

static MS_PER_MB: AtomicU64 = AtomicU64::new(1000);
static MAX_HEAP: AtomicUsize = AtomicUsize::new(0);
/// Soft references idle longer than this (in ms of the soft-reference clock) are given up.
static SOFT_LIMIT_MS: AtomicU64 = AtomicU64::new(u64::MAX);
static CLEAR_ALL_SOFT: AtomicBool = AtomicBool::new(false);
/// The next full collection is to give up all soft references.
static CLEAR_ALL_WANTED: AtomicBool = AtomicBool::new(false);
/// Full collections that have done so.
static CLEARED_ALL: AtomicU64 = AtomicU64::new(0);

/// How many full collections have given up all soft references.
pub(super) fn collections_without_soft() -> u64 {
    CLEARED_ALL.load(Ordering::SeqCst)
}

/// Has the next full collection give up all soft references.
pub(super) fn give_up_soft() {
    CLEAR_ALL_WANTED.store(true, Ordering::SeqCst)
}

/// Sets -XX:SoftRefLRUPolicyMSPerMB and the maximum heap size in bytes.
pub(super) fn configure(ms_per_mb: u64, max_heap: usize) {
    MS_PER_MB.store(ms_per_mb, Ordering::Relaxed);
    MAX_HEAP.store(max_heap, Ordering::Relaxed);
}

/// The maximum heap size in bytes.
pub(super) fn max_heap_bytes() -> usize {
    MAX_HEAP.load(Ordering::Relaxed)
}

/// Start of a pause: decides how long unused soft references may stay, by the memory that
/// would be free if the heap grew to its maximum (HotSpot's LRUMaxHeapPolicy).
pub(super) fn prepare() {
    let d = DISCOVERED.lock();
    assert!(d.soft.is_empty() && d.weak.is_empty() && d.finals.is_empty() && d.phantom.is_empty(), "left over from the last pause");
    let nursery = mmtk().get_plan().generational().is_some_and(|g| g.is_current_gc_nursery());
    let all = mmtk().is_emergency_collection() || !nursery && CLEAR_ALL_WANTED.swap(false, Ordering::SeqCst);
    CLEAR_ALL_SOFT.store(all, Ordering::Relaxed);
    if all && !nursery {
        CLEARED_ALL.fetch_add(1, Ordering::SeqCst);
    }
    let free_mb = max_heap_bytes().saturating_sub(USED_AFTER_LAST.load(Ordering::Relaxed)) as u64 >> 20;
    SOFT_LIMIT_MS.store(free_mb.saturating_mul(MS_PER_MB.load(Ordering::Relaxed)), Ordering::Relaxed);
}

static USED_AFTER_LAST: AtomicUsize = AtomicUsize::new(0);

/// End of a pause, threads still standing: advances the soft-reference clock.
pub(super) fn finish() {
    USED_AFTER_LAST.store(super::used_bytes(), Ordering::Relaxed);
    LAST_COLLECTION_MS.store(now_ms(), Ordering::Relaxed);
    if let Some(clock) = soft_clock() {
        // SAFETY: the static field's storage in the mirror, 8-byte aligned.
        unsafe { (*(clock as *const AtomicU64)).store(now_ms(), Ordering::Relaxed) }
    }
}

/// Address of `SoftReference.clock`, once the class is there.
fn soft_clock() -> Option<usize> {
    let mirror = Known::SoftReference.try_get()?.mirror();
    (!mirror.is_null()).then(|| mirror.address() + KnownField::SoftReferenceClock.offset())
}

/// Milliseconds of a monotonic clock, starting at 1.
fn now_ms() -> u64 {
    static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    START.get_or_init(Instant::now).elapsed().as_millis() as u64 + 1
}

/// The collector met Reference object `r` with a referent. Whether the referent is to be
/// treated weakly; if not it is an ordinary field.
pub(super) fn discover(r: Oop, kind: ReferenceKind) -> bool {
    let mut d = match kind {
        ReferenceKind::None => return false,
        ReferenceKind::Soft => {
            if !is_soft_expired(r) {
                return false;
            }
            DISCOVERED.lock()
        }
        // An enqueued final reference is inactive (`next` is itself) and keeps its referent.
        ReferenceKind::Final if !load_ref(r, KnownField::ReferenceNext.offset()).is_null() => return false,
        _ => DISCOVERED.lock(),
    };
    match kind {
        ReferenceKind::Final => d.finals.push(r.address()),
        ReferenceKind::Phantom => d.phantom.push(r.address()),
        ReferenceKind::Soft => d.soft.push(r.address()),
        _ => d.weak.push(r.address()),
    }
    true
}

fn is_soft_expired(r: Oop) -> bool {
    if CLEAR_ALL_SOFT.load(Ordering::Relaxed) {
        return true;
    }
    let Some(clock) = soft_clock() else { return false };
    // SAFETY: as in `finish`.
    let clock = unsafe { (*(clock as *const AtomicU64)).load(Ordering::Relaxed) };
    let timestamp: u64 = load(r, KnownField::SoftReferenceTimestamp.offset());
    clock.saturating_sub(timestamp) > SOFT_LIMIT_MS.load(Ordering::Relaxed)
}

/// Milliseconds since the last collection, or since the VM was started.
pub fn millis_since_collection() -> u64 {
    now_ms().saturating_sub(LAST_COLLECTION_MS.load(Ordering::Relaxed))
}

static LAST_COLLECTION_MS: AtomicU64 = AtomicU64::new(0);

/// What became of an object in this pause.
enum Fate {
    Dead,
    Alive,
    Moved(usize),
}

fn fate(address: usize) -> Fate {
    let o = to_mmtk(Oop::from_address(address));
    if !o.is_reachable() {
        Fate::Dead
    } else if let Some(new) = o.get_forwarded_object() {
        Fate::Moved(from_mmtk(new).address())
    } else {
        Fate::Alive
    }
}

/// Where the object at `address` is now; `None` if it is dead. For the sweeps of weak tables.
pub(crate) fn survivor(address: usize) -> Option<usize> {
    match fate(address) {
        Fate::Dead => None,
        Fate::Alive => Some(address),
        Fate::Moved(a) => Some(a),
    }
}

/// Updates the slot for a live object, empties it for a dead one. Whether it was emptied.
fn update_or_clear(slot: Slot) -> bool {
    match slot.get() {
        0 => false,
        a => match fate(a) {
            Fate::Alive => false,
            Fate::Moved(n) => {
                slot.set(n);
                false
            }
            Fate::Dead => {
                slot.set(0);
                true
            }
        },
    }
}

fn referent_slot(r: usize) -> Slot {
    Slot::narrow(r + KnownField::ReferenceReferent.offset())
}

/// Links `r` into the pending list.
fn enqueue(r: usize) {
    Slot::narrow(r + KnownField::ReferenceDiscovered.offset()).set(PENDING.get().address());
    PENDING.set(Oop::from_address(r));
}

/// Clears and enqueues those of `references` whose referents are dead; how many.
fn clear_dead(references: &[usize]) -> usize {
    let mut cleared = 0;
    for &r in references {
        if update_or_clear(referent_slot(r)) {
            enqueue(r);
            cleared += 1;
        }
    }
    cleared
}

/// Keeps the dead referents of final references for their finalizers, and enqueues the references.
fn keep_alive(tracer: &mut impl ObjectTracer, references: &[usize]) {
    for &r in references {
        let next = Slot::narrow(r + KnownField::ReferenceNext.offset());
        if next.get() != 0 {
            continue; // met twice
        }
        let slot = referent_slot(r);
        let kept = tracer.trace_object(to_mmtk(Oop::from_address(slot.get())));
        slot.set(from_mmtk(kept).address());
        next.set(r);
        enqueue(r);
    }
}

/// Weak processing; called again after everything newly traced has been visited if it returns
/// true.
pub(super) fn process(worker: &mut GCWorker<Kiln>, context: impl ObjectTracerContext<Kiln>) -> bool {
    let (soft, weak, finals) = {
        let mut d = DISCOVERED.lock();
        (std::mem::take(&mut d.soft), std::mem::take(&mut d.weak), std::mem::take(&mut d.finals))
    };
    times::step(ReferenceKind::Soft, Step::ClearSoft, soft.len(), || clear_dead(&soft));
    times::step(ReferenceKind::Weak, Step::ClearWeak, weak.len(), || clear_dead(&weak));
    let mut dead = Vec::new();
    times::step(ReferenceKind::Final, Step::FindFinal, finals.len(), || {
        for &r in &finals {
            let slot = referent_slot(r);
            match slot.get() {
                0 => {}
                a => match fate(a) {
                    Fate::Alive => {}
                    Fate::Moved(n) => slot.set(n),
                    Fate::Dead => dead.push(r),
                },
            }
        }
        dead.len()
    });
    if !dead.is_empty() {
        // One tracer for all of them: each `with_tracer` costs a work packet.
        times::step(ReferenceKind::Final, Step::KeepFinal, dead.len(), || {
            context.with_tracer(worker, |tracer| keep_alive(tracer, &dead));
            0
        });
        return true;
    }
    let phantom = std::mem::take(&mut DISCOVERED.lock().phantom);
    times::step(ReferenceKind::Phantom, Step::ClearPhantom, phantom.len(), || clear_dead(&phantom));
    roots::for_each_weak(&mut |slot| {
        update_or_clear(slot);
    });
    string_table::sweep(&survivor);
    unloading::sweep();
    monitor::sweep(&survivor);
    false
}

/// The roots of this module.
pub(super) fn for_each_root(f: &mut dyn FnMut(&RootSlot)) {
    f(&PENDING)
}

/// Wakes the waiters of [`wait_for_pending`] after a pause.
pub(super) fn notify_pending() {
    if has_pending() {
        let _guard = PENDING_LOCK.lock();
        PENDING_CHANGED.notify_all();
    }
}

/// Whether references wait to be enqueued (`JVM_HasReferencePendingList`).
pub fn has_pending() -> bool {
    !PENDING.get().is_null()
}

/// The pending list, which is empty afterwards (`JVM_GetAndClearReferencePendingList`).
pub fn take_pending(_t: &JavaThread) -> Oop {
    // No safepoint in between, so the list cannot grow under our hands; and only the
    // ReferenceHandler thread takes it.
    let _guard = PENDING_LOCK.lock();
    let head = PENDING.get();
    PENDING.set(Oop::NULL);
    head
}

/// Waits until the pending list is not empty (`JVM_WaitForReferencePendingList`).
pub fn wait_for_pending(t: &JavaThread) {
    let wait = || {
        let mut guard = PENDING_LOCK.lock();
        while !has_pending() {
            PENDING_CHANGED.wait(&mut guard);
        }
    };
    stale::without_references(t, || state::blocked(t, wait))
}

/// `Reference.clear0`: to running code the referent is an ordinary field. No barrier: nothing
/// is stored that the collector must find.
pub fn clear(r: Oop) {
    store::<u32>(r, KnownField::ReferenceReferent.offset(), 0)
}

/// Registers a new object that has a finalizer: calls `Finalizer.register`.
pub fn register_finalizer(t: &JavaThread, object: Oop) -> VmResult<()> {
    let register = method(Known::Finalizer, "register", "(Ljava/lang/Object;)V");
    crate::link::init::initialize(t, Known::Finalizer.get())?;
    crate::interpreter::call::call(t, register, &[object.address() as u64]).map(drop)
}
