//! What `-Xlog:gc*` and `-verbose:gc` tell of the heap and its collections, in HotSpot's form, and what `GarbageCollector`
//! and memory pool beans show of the last one.

use super::{mmtk_binding, refs, total_bytes, used_bytes, HeapConfig, Plan};
use crate::log;
use crate::meta::metaspace;
use parking_lot::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// Why a collection is wanted (HotSpot's `GCCause`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Cause {
    AllocationFailure,
    SystemGc,
    DiagnosticCommand,
    HeapInspection,
    HeapDump,
    WhiteBox,
}

impl Cause {
    const ALL: [Cause; 6] = [
        Cause::AllocationFailure,
        Cause::SystemGc,
        Cause::DiagnosticCommand,
        Cause::HeapInspection,
        Cause::HeapDump,
        Cause::WhiteBox,
    ];

    /// HotSpot's name of it.
    pub fn name(self) -> &'static str {
        match self {
            Cause::AllocationFailure => "Allocation Failure",
            Cause::SystemGc => "System.gc()",
            Cause::DiagnosticCommand => "Diagnostic Command",
            Cause::HeapInspection => "Heap Inspection Initiated GC",
            Cause::HeapDump => "Heap Dump Initiated GC",
            Cause::WhiteBox => "WhiteBox Initiated Full GC",
        }
    }
}

/// Of the collection that somebody waits for; those that an allocation starts have none of their own.
static REQUESTED: AtomicU8 = AtomicU8::new(Cause::AllocationFailure as u8);

/// The next collection is wanted for this.
pub(super) fn request(cause: Cause) {
    REQUESTED.store(cause as u8, Ordering::Relaxed);
}

/// The sizes of what memory pools stand for, in bytes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sizes {
    /// The Java heap: in use, and had from the system.
    pub heap: usize,
    pub heap_total: usize,
    pub metaspace: usize,
    pub code: usize,
}

impl Sizes {
    /// Those of now.
    pub fn now() -> Sizes {
        let heap = used_bytes();
        HEAP_PEAK.fetch_max(heap, Ordering::Relaxed);
        Sizes {
            heap,
            heap_total: total_bytes().max(heap),
            metaspace: metaspace::used_bytes(),
            code: crate::code::cache::get().map_or(0, |c| c.usage().1),
        }
    }
}

/// Most bytes of the heap that were seen in use.
pub static HEAP_PEAK: AtomicUsize = AtomicUsize::new(0);

/// A collection that is over. Times count from the VM's start.
#[derive(Clone, Copy, Debug)]
pub struct Record {
    /// 1 for the first.
    pub number: u64,
    pub nursery: bool,
    pub cause: Cause,
    pub start: Duration,
    pub end: Duration,
    pub before: Sizes,
    pub after: Sizes,
}

static LAST: Mutex<Option<Record>> = Mutex::new(None);

/// The last collection.
pub fn last() -> Option<Record> {
    *LAST.lock()
}

/// Who is told of every collection, at the end of its pause.
static OBSERVER: OnceLock<fn(&Record)> = OnceLock::new();

/// Has `observer` called at the end of every pause of a collection, on a thread of the collector's. There is one.
pub fn observe(observer: fn(&Record)) {
    OBSERVER.get_or_init(|| observer);
}

/// Who watches how much of the heap is in use between collections, too.
static USAGE_WATCHER: OnceLock<fn()> = OnceLock::new();
static USAGE_WATCHED: AtomicBool = AtomicBool::new(false);

/// From now on, or no longer, `watcher` is called when a thread has got new memory to allocate from. There is one; it
/// may neither allocate nor stop.
pub fn set_usage_watcher(on: bool, watcher: fn()) {
    USAGE_WATCHER.get_or_init(|| watcher);
    USAGE_WATCHED.store(on, Ordering::Release);
}

#[inline]
pub(super) fn watch_usage() {
    if USAGE_WATCHED.load(Ordering::Acquire) {
        if let Some(watcher) = USAGE_WATCHER.get() {
            watcher();
        }
    }
}

/// The collection that is on.
struct Collection {
    title: String,
    nursery: bool,
    cause: Cause,
    start: Instant,
    uptime: Duration,
    cpu: (Duration, Duration),
    before: Sizes,
}

static CURRENT: Mutex<Option<Collection>> = Mutex::new(None);

/// Processor time of the process: in user mode, and in the system.
fn cpu_times() -> (Duration, Duration) {
    // SAFETY: a structure of numbers, which the call fills in.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::getrusage(libc::RUSAGE_SELF, &mut usage);
        usage
    };
    let time = |t: libc::timeval| Duration::new(t.tv_sec as u64, t.tv_usec as u32 * 1000);
    (time(usage.ru_utime), time(usage.ru_stime))
}

/// The plan, once the heap has been made.
static PLAN: OnceLock<Plan> = OnceLock::new();

fn plan() -> Plan {
    PLAN.get().copied().unwrap_or_default()
}

/// A pause for a collection has begun; `nursery`: it leaves the old generation alone.
pub(super) fn begin(nursery: bool) {
    let cause = Cause::ALL[REQUESTED.swap(Cause::AllocationFailure as u8, Ordering::Relaxed) as usize];
    let id = mmtk_binding::collections();
    let title = format!("GC({id}) Pause {} ({})", if nursery { "Young" } else { "Full" }, cause.name());
    log!(Info, [gc, start], "{title}");
    *CURRENT.lock() = Some(Collection {
        title,
        nursery,
        cause,
        start: Instant::now(),
        uptime: crate::observe::log::uptime(),
        cpu: cpu_times(),
        before: Sizes::now(),
    });
}

/// It is over.
pub(super) fn end() {
    let Some(c) = CURRENT.lock().take() else { return };
    let (used, total) = (used_bytes(), total_bytes());
    let record = Record {
        number: mmtk_binding::collections() + 1,
        nursery: c.nursery,
        cause: c.cause,
        start: c.uptime,
        end: crate::observe::log::uptime(),
        before: c.before,
        after: Sizes::now(),
    };
    *LAST.lock() = Some(record);
    if let Some(observer) = OBSERVER.get() {
        observer(&record);
    }
    let id = c.title.split(' ').next().unwrap_or_default();
    let kb = |bytes: usize| bytes >> 10;
    let mb = |bytes: usize| bytes >> 20;
    let plan = plan();
    refs::report_times(id);
    log!(Info, [gc, heap], "{id} {plan:?}: {0}K({2}K)->{1}K({2}K)", kb(c.before.heap), kb(used), kb(total));
    let (before, after) = (kb(c.before.metaspace), kb(record.after.metaspace));
    log!(Info, [gc, metaspace], "{id} Metaspace: {before}K({before}K)->{after}K({after}K)");
    let pause = c.start.elapsed();
    let millis = pause.as_secs_f64() * 1000.0;
    log!(Info, [gc], "{} {}M->{}M({}M) {millis:.3}ms", c.title, mb(c.before.heap), mb(used), mb(total));
    let (user, system) = cpu_times();
    log!(
        Info,
        [gc, cpu],
        "{id} User={:.2}s Sys={:.2}s Real={:.2}s",
        (user - c.cpu.0).as_secs_f64(),
        (system - c.cpu.1).as_secs_f64(),
        pause.as_secs_f64()
    );
}

/// Collector threads.
static WORKERS: AtomicUsize = AtomicUsize::new(0);

/// How many threads the collector has.
pub fn workers() -> usize {
    WORKERS.load(Ordering::Relaxed)
}

/// The heap has been made.
pub(super) fn init(config: &HeapConfig) {
    PLAN.get_or_init(|| config.plan);
    WORKERS.store(super::worker_count(config), Ordering::Relaxed);
    log!(Info, [gc], "Using {:?}", config.plan);
    let processors = std::thread::available_parallelism().map_or(1, |n| n.get());
    let mb = |bytes: usize| bytes >> 20;
    log!(Info, [gc, init], "Version: {} (release)", crate::vm::VM_VERSION);
    log!(Info, [gc, init], "CPUs: {processors} total, {processors} available");
    log!(Info, [gc, init], "Compressed Oops: Enabled (32-bit)");
    log!(Info, [gc, init], "Heap Initial Capacity: {}M", mb(config.initial));
    log!(Info, [gc, init], "Heap Max Capacity: {}M", mb(config.max));
    if config.plan != Plan::None {
        log!(Info, [gc, init], "Workers: {}", super::worker_count(config));
    }
}

/// The heap at the end of the VM.
pub fn exit() {
    log!(Info, [gc, heap, exit], "Heap");
    for line in summary().lines() {
        log!(Info, [gc, heap, exit], "{line}");
    }
}

/// The heap's sizes, as `GC.heap_info` shows them.
pub fn summary() -> String {
    let (start, end) = super::conservative::heap_range();
    let (used, total) = (used_bytes(), total_bytes().min(refs::max_heap_bytes()));
    let metaspace = metaspace::used_bytes() >> 10;
    format!(
        " {:?} heap   total {}K, used {}K [{start:#018x}, {end:#018x})\n Metaspace       used {metaspace}K, \
         committed {metaspace}K, reserved {}K\n",
        plan(),
        total.max(used) >> 10,
        used >> 10,
        metaspace::reserved_bytes() >> 10
    )
}
