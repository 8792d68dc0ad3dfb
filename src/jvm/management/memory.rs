//! Memory pools and managers: one pool for the Java heap, managed by the collector, one for class metadata and one for
//! compiled code.

use super::jmm_entry;
use super::sensors;
use crate::exceptions::{throw, VmResult};
use crate::heap::access::set_array_ref;
use crate::heap::layout::Oop;
use crate::heap::log::{self, Sizes};
use crate::heap::roots::RootSlot;
use crate::heap::{self, alloc, roots, strings};
use crate::interpreter::call::call;
use crate::link::{init, load};
use crate::meta::class::ClassRef;
use crate::meta::loader;
use crate::meta::symbol::Symbol;
use crate::options::Plan;
use crate::threads::JavaThread;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::OnceLock;

/// The pools; each has the manager of the same index.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Pool {
    Heap = 0,
    Metaspace = 1,
    Code = 2,
}

/// How many there are.
pub(super) const COUNT: usize = 3;
pub(super) const POOLS: [Pool; COUNT] = [Pool::Heap, Pool::Metaspace, Pool::Code];

static POOL_OBJECTS: [OnceLock<&'static RootSlot>; COUNT] = [const { OnceLock::new() }; COUNT];
static MANAGER_OBJECTS: [OnceLock<&'static RootSlot>; COUNT] = [const { OnceLock::new() }; COUNT];
static PEAKS: [AtomicUsize; COUNT] = [const { AtomicUsize::new(0) }; COUNT];

/// Bytes; `None` is undefined (-1 in Java).
#[derive(Clone, Copy, Debug)]
pub(super) struct Usage {
    init: usize,
    pub used: usize,
    committed: usize,
    max: Option<usize>,
}

impl Usage {
    pub const NONE: Usage = Usage { init: 0, used: 0, committed: 0, max: Some(0) };
}

impl Pool {
    fn name(self) -> &'static str {
        match self {
            Pool::Heap => "Kiln Heap",
            Pool::Metaspace => "Metaspace",
            Pool::Code => "CodeCache",
        }
    }

    fn manager_name(self) -> &'static str {
        match (self, crate::vm::get().options.settings.plan) {
            (Pool::Code, _) => "CodeCacheManager",
            (Pool::Metaspace, _) => "Metaspace Manager",
            (Pool::Heap, Plan::StickyImmix) => "Kiln StickyImmix",
            (Pool::Heap, Plan::ImmixDefrag) => "Kiln ImmixDefrag",
            (Pool::Heap, Plan::MarkSweep) => "Kiln MarkSweep",
            (Pool::Heap, Plan::None) => "Kiln None",
        }
    }

    /// Of now.
    pub fn usage(self) -> Usage {
        let u = self.usage_of(&Sizes::now());
        PEAKS[self as usize].fetch_max(u.used, Ordering::Relaxed);
        u
    }

    /// When the sizes were these.
    pub fn usage_of(self, sizes: &Sizes) -> Usage {
        let vm = crate::vm::get();
        match self {
            Pool::Heap => Usage {
                init: vm.options.settings.initial_heap,
                used: sizes.heap,
                // Memory is handed out in blocks: what is used is committed.
                committed: sizes.heap_total,
                max: Some(heap::max_bytes().max(sizes.heap_total)),
            },
            Pool::Metaspace => {
                let max = vm.options.flags.unsigned("MaxMetaspaceSize");
                Usage {
                    init: 0,
                    used: sizes.metaspace,
                    committed: sizes.metaspace,
                    max: (max != u64::MAX).then(|| (max as usize).max(sizes.metaspace)),
                }
            }
            Pool::Code => {
                let reserved = crate::code::cache::get().map_or(0, |c| c.usage().0);
                let init = (vm.options.flags.unsigned("InitialCodeCacheSize") as usize).min(reserved);
                // Pages are touched as code is installed.
                Usage { init, used: sizes.code, committed: sizes.code.max(init), max: Some(reserved) }
            }
        }
    }
}

/// A class of java.management, initialized. Throws NoClassDefFoundError.
pub(super) fn class(t: &JavaThread, name: &str) -> VmResult<ClassRef> {
    let c = load::load_or_no_class_def(t, loader::boot(), Symbol::of(name))?;
    init::initialize(t, c)?;
    Ok(c)
}

/// Calls a static factory method.
fn create(t: &JavaThread, class: ClassRef, name: &str, descriptor: &str, args: &[u64]) -> VmResult<Oop> {
    let m = class
        .find_declared(Symbol::of(name), Symbol::of(descriptor))
        .unwrap_or_else(|| panic!("{class}.{name}{descriptor} is not in this class library (JDK 17 is needed)"));
    call(t, m, args).map(|r| Oop::from_address(r as usize))
}

fn keep(cell: &OnceLock<&'static RootSlot>, object: Oop) -> Oop {
    cell.get_or_init(|| roots::new_slot(object)).get()
}

fn pool_object(t: &JavaThread, pool: Pool) -> VmResult<Oop> {
    let cell = &POOL_OBJECTS[pool as usize];
    if let Some(s) = cell.get() {
        return Ok(s.get());
    }
    let factory = class(t, "sun/management/ManagementFactoryHelper")?;
    let name = strings::new(t, pool.name())?.address() as u64;
    // Thresholds: 0 is supported and off, -1 not supported: only the collector empties a pool.
    let after_collection = if pool == Pool::Heap { 0 } else { -1i64 as u64 };
    let args = [name, u64::from(pool == Pool::Heap), 0, 0, after_collection, 0];
    let descriptor = "(Ljava/lang/String;ZJJ)Ljava/lang/management/MemoryPoolMXBean;";
    Ok(keep(cell, create(t, factory, "createMemoryPool", descriptor, &args)?))
}

fn manager_object(t: &JavaThread, pool: Pool) -> VmResult<Oop> {
    let cell = &MANAGER_OBJECTS[pool as usize];
    if let Some(s) = cell.get() {
        return Ok(s.get());
    }
    let object = match pool {
        Pool::Metaspace | Pool::Code => {
            let factory = class(t, "sun/management/ManagementFactoryHelper")?;
            let name = strings::new(t, pool.manager_name())?.address() as u64;
            let descriptor = "(Ljava/lang/String;)Ljava/lang/management/MemoryManagerMXBean;";
            create(t, factory, "createMemoryManager", descriptor, &[name])?
        }
        Pool::Heap => {
            // jdk.management may be missing from the image.
            let extension = Symbol::of("com/sun/management/internal/GarbageCollectorExtImpl");
            let factory = match load::try_load_class(t, loader::boot(), extension)? {
                Some(c) => {
                    init::initialize(t, c)?;
                    c
                }
                None => class(t, "sun/management/ManagementFactoryHelper")?,
            };
            let name = strings::new(t, pool.manager_name())?.address() as u64;
            let descriptor =
                "(Ljava/lang/String;Ljava/lang/String;)Ljava/lang/management/GarbageCollectorMXBean;";
            create(t, factory, "createGarbageCollector", descriptor, &[name, 0])?
        }
    };
    Ok(keep(cell, object))
}

/// Whether the MXBean is that of the collector.
pub(super) fn is_collector(_t: &JavaThread, manager: Oop) -> bool {
    MANAGER_OBJECTS[Pool::Heap as usize].get().is_some_and(|s| s.get() == manager)
}

/// The collector's MXBean, if anybody has asked for it.
pub(super) fn collector() -> Option<Oop> {
    MANAGER_OBJECTS[Pool::Heap as usize].get().map(|s| s.get())
}

/// Its name.
pub(super) fn collector_name() -> &'static str {
    Pool::Heap.manager_name()
}

/// The pool whose MXBean this is. Throws NullPointerException and InternalError.
pub(super) fn pool_of(t: &JavaThread, object: Oop) -> VmResult<Pool> {
    find(t, &POOL_OBJECTS, object)
}

/// The index of `object` in `cells`. Throws NullPointerException and InternalError.
fn find(t: &JavaThread, cells: &[OnceLock<&'static RootSlot>; COUNT], object: Oop) -> VmResult<Pool> {
    if object.is_null() {
        return Err(throw(t, "java/lang/NullPointerException", None));
    }
    match cells.iter().position(|c| c.get().is_some_and(|s| s.get() == object)) {
        Some(i) => Ok(POOLS[i]),
        None => Err(throw(t, "java/lang/InternalError", Some("not a memory pool or manager of this VM".into()))),
    }
}

/// `MemoryPoolMXBean.resetPeakUsage`.
pub(super) fn reset_peak(t: &JavaThread, pool: Oop) -> VmResult<()> {
    let pool = find(t, &POOL_OBJECTS, pool)?;
    let used = pool.usage().used;
    if pool == Pool::Heap {
        log::HEAP_PEAK.store(used, Ordering::Relaxed);
    }
    PEAKS[pool as usize].store(used, Ordering::Relaxed);
    Ok(())
}

/// A `java.lang.management.MemoryUsage`.
pub(super) fn usage_object(t: &JavaThread, u: &Usage) -> VmResult<Oop> {
    let class = class(t, "java/lang/management/MemoryUsage")?;
    let object = alloc::instance(t, class)?;
    let init = class.find_declared(Symbol::of("<init>"), Symbol::of("(JJJJ)V")).expect("MemoryUsage(long, long, long, long)");
    let max = u.max.map_or(-1i64 as u64, |m| m as u64);
    call(t, init, &[object.address() as u64, u.init as u64, 0, u.used as u64, 0, u.committed as u64, 0, max, 0])?;
    Ok(object)
}

fn bean_array(t: &JavaThread, element: &str, pools: &[Pool], of: fn(&JavaThread, Pool) -> VmResult<Oop>) -> VmResult<Oop> {
    let element = class(t, element)?;
    let array = alloc::array(t, load::array_class(t, element)?, pools.len() as i32)?;
    for (i, &p) in pools.iter().enumerate() {
        let bean = of(t, p)?;
        set_array_ref(t, array, i, bean);
    }
    Ok(array)
}

jmm_entry! {
    /// All pools, or those of a manager.
    fn get_memory_pools(t, manager: Oop) -> Oop {
        let bean = "java/lang/management/MemoryPoolMXBean";
        match manager.non_null() {
            None => bean_array(t, bean, &POOLS, pool_object),
            Some(m) => {
                let of = find(t, &MANAGER_OBJECTS, m)?;
                bean_array(t, bean, &[of], pool_object)
            }
        }
    }

    /// All managers, or those of a pool.
    fn get_memory_managers(t, pool: Oop) -> Oop {
        let bean = "java/lang/management/MemoryManagerMXBean";
        match pool.non_null() {
            None => bean_array(t, bean, &POOLS, manager_object),
            Some(p) => {
                let of = find(t, &POOL_OBJECTS, p)?;
                bean_array(t, bean, &[of], manager_object)
            }
        }
    }

    fn get_pool_usage(t, pool: Oop) -> Oop {
        let usage = find(t, &POOL_OBJECTS, pool)?.usage();
        usage_object(t, &usage)
    }

    /// The highest usage seen when anyone asked; of the heap also when a collection began.
    fn get_peak_pool_usage(t, pool: Oop) -> Oop {
        let pool = find(t, &POOL_OBJECTS, pool)?;
        let mut usage = pool.usage();
        usage.used = PEAKS[pool as usize].load(Ordering::Relaxed);
        if pool == Pool::Heap {
            usage.used = usage.used.max(log::HEAP_PEAK.load(Ordering::Relaxed));
        }
        usage.committed = usage.committed.max(usage.used);
        usage.max = usage.max.map(|m| m.max(usage.used));
        usage_object(t, &usage)
    }

    /// Usage after the last collection, of what is collected.
    fn get_pool_collection_usage(t, pool: Oop) -> Oop {
        match find(t, &POOL_OBJECTS, pool)? {
            Pool::Heap => {
                // All zero before the first.
                let usage = log::last().map_or(Usage::NONE, |r| Pool::Heap.usage_of(&r.after));
                usage_object(t, &usage)
            }
            _ => Ok(Oop::NULL),
        }
    }

    fn set_pool_sensor(t, pool: Oop, kind: i32, sensor: Oop) -> () {
        if pool.is_null() || sensor.is_null() {
            return Err(throw(t, "java/lang/NullPointerException", None));
        }
        let pool = pool_of(t, pool)?;
        sensors::set_object(t, pool, kind, sensor)
    }

    /// Sets a threshold; the one before.
    fn set_pool_threshold(t, pool: Oop, kind: i32, threshold: i64) -> i64 {
        if threshold < 0 {
            return Err(throw(t, "java/lang/IllegalArgumentException", Some("Invalid threshold value".into())));
        }
        let pool = pool_of(t, pool)?;
        Ok(sensors::set_threshold(pool, kind, threshold as usize))
    }

    /// Of the heap, or of everything else.
    fn get_memory_usage(t, heap: bool) -> Oop {
        if heap {
            return usage_object(t, &Pool::Heap.usage());
        }
        let others = [Pool::Metaspace.usage(), Pool::Code.usage()];
        let sum = |of: fn(&Usage) -> usize| others.iter().map(of).sum();
        let max = others.iter().map(|u| u.max).sum::<Option<usize>>();
        usage_object(t, &Usage { init: sum(|u| u.init), used: sum(|u| u.used), committed: sum(|u| u.committed), max })
    }
}
