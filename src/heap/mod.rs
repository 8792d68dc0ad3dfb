//! The heap: object layout, MMTk binding, allocation, barriers, references, roots
//! (design.md sections 3 and 10).

pub mod access;
pub mod alloc;
pub mod conservative;
pub mod dump;
pub mod histogram;
pub mod layout;
pub mod log;
pub mod metadata;
pub mod mmtk_binding;
pub mod refs;
pub mod unloading;
pub mod roots;
mod string_table;
pub mod strings;
pub mod walk;

pub use log::Cause;

use crate::threads::JavaThread;
use std::sync::atomic::{AtomicUsize, Ordering};
use mmtk::util::heap::vm_layout::VMLayout;
use mmtk::util::opaque_pointer::VMThread;
use mmtk::util::options::{GCTriggerSelector, NurserySize, PlanSelector};
use mmtk::util::Address;
use mmtk::{memory_manager, MMTKBuilder};
use mmtk_binding::{mmtk, tls_of, Kiln};

const GIB: usize = 1 << 30;
/// Lowest heap address: above the class metadata, so that no metadata pointer looks like one.
const HEAP_START: usize = 4 * GIB;
/// Where the heap starts if it is not too large for that. Stacks are scanned conservatively, and much that lies there
/// looks like an address from 4 GiB on: pairs of a number and a 1, class words that would be narrow references to it.
const USUAL_HEAP_START: usize = 8 * GIB;
/// Narrow references reach this far.
const HEAP_END: usize = 32 * GIB;
/// Heaps up to this size use the contiguous layout, which starts fastest.
const CONTIGUOUS_MAX: usize = 4 * GIB - (64 << 20);

/// Which collector.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Plan {
    /// Generational, in place, with opportunistic copying: the default.
    #[default]
    StickyImmix,
    /// Immix that defragments every block: moves as much as it can, for testing.
    ImmixDefrag,
    /// Never moves, no barrier.
    MarkSweep,
    /// Never collects (Epsilon).
    None,
}

/// What the options say about the heap. Sizes are in bytes.
#[derive(Clone, Debug)]
pub struct HeapConfig {
    /// -Xmx
    pub max: usize,
    /// -Xms
    pub initial: usize,
    /// -Xmn: nursery size; `None` lets MMTk choose.
    pub young: Option<usize>,
    pub plan: Plan,
    /// Collector threads; `None`: one per processor, at most 4.
    pub gc_threads: Option<usize>,
    /// -XX:+GCStress: collect whenever this many bytes have been allocated.
    pub stress_bytes: Option<usize>,
    /// -XX:+ClassUnloading
    pub class_unloading: bool,
    /// -XX:SoftRefLRUPolicyMSPerMB
    pub soft_ref_ms_per_mb: u64,
    pub metadata: metadata::Limits,
}

impl Default for HeapConfig {
    fn default() -> HeapConfig {
        HeapConfig {
            max: 256 << 20,
            initial: 64 << 20,
            young: None,
            plan: Plan::default(),
            gc_threads: None,
            stress_bytes: None,
            class_unloading: true,
            soft_ref_ms_per_mb: 1000,
            metadata: metadata::Limits::default(),
        }
    }
}

/// Largest share of the heap that the young generation takes (HotSpot's NewRatio=2): what survives of it is copied, so
/// that a collection needs up to so much memory more.
const YOUNG_SHARE: f64 = 1.0 / 3.0;
/// How much of the heap is kept free to move objects to. With less a heap full of arrays of medium size, which need free
/// blocks, is collected again and again for little.
const DEFRAG_HEADROOM_PERCENT: usize = 10;

/// Makes the heap and starts the collector threads. Called once, before any thread is attached.
/// Errors: a heap size that cannot be had, as text for "Error occurred during initialization of VM".
pub fn init(config: &HeapConfig) -> Result<(), String> {
    if config.max > (HEAP_END - HEAP_START) / 2 {
        return Err(format!("Kiln's heap is limited to {} GB", (HEAP_END - HEAP_START) / 2 / GIB));
    }
    if config.initial > config.max {
        return Err("Initial heap size set to a larger value than the maximum heap size".into());
    }
    let mut builder = MMTKBuilder::new_no_env_vars();
    let o = &mut builder.options;
    let mut ok = o.no_finalizer.set(true) && o.no_reference_types.set(true);
    ok &= o.plan.set(match config.plan {
        Plan::StickyImmix => PlanSelector::StickyImmix,
        Plan::ImmixDefrag => PlanSelector::Immix,
        Plan::MarkSweep => PlanSelector::MarkSweep,
        Plan::None => PlanSelector::NoGC,
    });
    if config.plan == Plan::ImmixDefrag {
        ok &= o.immix_always_defrag.set(true) && o.immix_defrag_every_block.set(true);
        ok &= o.immix_defrag_headroom_percent.set(50);
    }
    // The typed setters: parsing strings costs milliseconds at start-up.
    let page = |bytes: usize| (bytes.max(2 << 20) + 4095) & !4095;
    let (initial, max) = (page(config.initial), page(config.max));
    ok &= o.gc_trigger.set(if config.plan == Plan::None {
        UNCOLLECTED_MAX.store(max, Ordering::Relaxed);
        GCTriggerSelector::FixedHeapSize(max + UNCOLLECTED_SLACK)
    } else if initial >= max {
        GCTriggerSelector::FixedHeapSize(max)
    } else {
        GCTriggerSelector::DynamicHeapSize(initial, max)
    });
    ok &= o.nursery.set(match config.young {
        Some(young) => NurserySize::Fixed(page(young)),
        None => NurserySize::ProportionalBounded { min: YOUNG_SHARE / 4.0, max: YOUNG_SHARE },
    });
    if config.plan == Plan::StickyImmix {
        ok &= o.immix_defrag_headroom_percent.set(DEFRAG_HEADROOM_PERCENT);
    }
    ok &= o.threads.set(worker_count(config));
    if let Some(bytes) = config.stress_bytes {
        ok &= o.stress_factor.set(bytes.max(1));
    }
    if !ok {
        return Err(format!("the heap cannot be set up as {config:?}"));
    }
    builder.set_vm_layout(vm_layout(config.max));
    refs::configure(config.soft_ref_ms_per_mb, config.max);
    unloading::configure(config.class_unloading);
    metadata::configure(config.metadata, config.class_unloading);
    mmtk_binding::set_mmtk(Box::leak(memory_manager::mmtk_init::<Kiln>(&builder)));
    memory_manager::initialize_collection(mmtk(), VMThread::UNINITIALIZED);
    conservative::set_heap_range(
        memory_manager::starting_heap_address().as_usize(),
        memory_manager::last_heap_address().as_usize(),
    );
    log::init(config);
    Ok(())
}

/// Collector threads.
fn worker_count(config: &HeapConfig) -> usize {
    let processors = std::thread::available_parallelism().map_or(1, |n| n.get());
    config.gc_threads.unwrap_or(processors.min(4)).max(1)
}

/// Contiguous spaces of 4 GiB each while they suffice: the plans use at most six, which end
/// below [`HEAP_END`]. Larger heaps share one address range with twice their size.
fn vm_layout(max: usize) -> VMLayout {
    // SAFETY: only an address, nothing is accessed.
    let address = |a| unsafe { Address::from_usize(a) };
    if max <= CONTIGUOUS_MAX {
        VMLayout {
            log_address_space: 36,
            heap_start: address(USUAL_HEAP_START),
            heap_end: address(64 * GIB),
            log_space_extent: 32,
            force_use_contiguous_spaces: true,
        }
    } else {
        let start = if USUAL_HEAP_START + 2 * max <= HEAP_END { USUAL_HEAP_START } else { HEAP_START };
        VMLayout {
            log_address_space: 35,
            heap_start: address(start),
            heap_end: address((start + 2 * max + (1 << 22) - 1) & !((1 << 22) - 1)),
            log_space_extent: 31,
            force_use_contiguous_spaces: false,
        }
    }
}

/// Largest size of a heap that is never collected; 0 where it is.
static UNCOLLECTED_MAX: AtomicUsize = AtomicUsize::new(0);

/// MMTk cannot do without a collection when its heap is full: it is told of one that is larger by what all threads may
/// take at once.
const UNCOLLECTED_SLACK: usize = 64 << 20;

/// Whether `bytes` more do not fit into a heap that is never collected.
fn is_full_for_good(bytes: usize) -> bool {
    let max = UNCOLLECTED_MAX.load(Ordering::Relaxed);
    max != 0 && used_bytes() + bytes > max
}

/// A full collection, waited for.
pub fn collect(t: &JavaThread, cause: Cause) {
    unloading::between_compiles(t, || {
        log::request(cause);
        mmtk().handle_user_collection_request(tls_of(t), true, true)
    });
}

/// Whether the plan has stores of references followed by the write barrier (`access::barrier`).
pub fn needs_barrier() -> bool {
    mmtk().get_plan().constraints().barrier != mmtk::BarrierSelector::NoBarrier
}

/// Bytes in use, garbage not yet collected included.
pub fn used_bytes() -> usize {
    memory_manager::used_bytes(mmtk())
}

/// Bytes the heap has at present (`Runtime.totalMemory`).
pub fn total_bytes() -> usize {
    memory_manager::total_bytes(mmtk())
}

/// Bytes left of [`total_bytes`].
pub fn free_bytes() -> usize {
    total_bytes().saturating_sub(used_bytes())
}

/// The size the heap may grow to (`Runtime.maxMemory`).
pub fn max_bytes() -> usize {
    refs::max_heap_bytes()
}
