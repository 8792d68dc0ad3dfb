//! Memory pools and managers: one pool for the Java heap, managed by the collector, and one for
//! class metadata.

use super::{jmm_entry, unsupported};
use crate::exceptions::{throw, VmResult};
use crate::heap::access::set_array_ref;
use crate::heap::layout::Oop;
use crate::heap::roots::RootSlot;
use crate::heap::{self, alloc, roots, strings};
use crate::interpreter::call::call;
use crate::link::{init, load};
use crate::meta::class::ClassRef;
use crate::meta::loader;
use crate::meta::metaspace;
use crate::meta::symbol::Symbol;
use crate::options::Plan;
use crate::threads::JavaThread;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::OnceLock;

/// The pools; each has the manager of the same index.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Pool {
    Heap = 0,
    Metaspace = 1,
}

const POOLS: [Pool; 2] = [Pool::Heap, Pool::Metaspace];

static POOL_OBJECTS: [OnceLock<&'static RootSlot>; 2] = [const { OnceLock::new() }; 2];
static MANAGER_OBJECTS: [OnceLock<&'static RootSlot>; 2] = [const { OnceLock::new() }; 2];
static PEAKS: [AtomicUsize; 2] = [const { AtomicUsize::new(0) }; 2];

/// Bytes; `None` is undefined (-1 in Java).
struct Usage {
    init: usize,
    used: usize,
    committed: usize,
    max: Option<usize>,
}

impl Pool {
    fn name(self) -> &'static str {
        match self {
            Pool::Heap => "Kiln Heap",
            Pool::Metaspace => "Metaspace",
        }
    }

    fn manager_name(self) -> &'static str {
        match (self, crate::vm::get().options.settings.plan) {
            (Pool::Metaspace, _) => "Metaspace Manager",
            (Pool::Heap, Plan::StickyImmix) => "Kiln StickyImmix",
            (Pool::Heap, Plan::ImmixDefrag) => "Kiln ImmixDefrag",
            (Pool::Heap, Plan::MarkSweep) => "Kiln MarkSweep",
            (Pool::Heap, Plan::None) => "Kiln None",
        }
    }

    fn usage(self) -> Usage {
        let u = match self {
            Pool::Heap => {
                let used = heap::used_bytes();
                Usage {
                    init: crate::vm::get().options.settings.initial_heap,
                    used,
                    // Memory is handed out in blocks: what is used is committed.
                    committed: heap::total_bytes().max(used),
                    max: Some(heap::max_bytes().max(heap::total_bytes()).max(used)),
                }
            }
            Pool::Metaspace => {
                let used = metaspace::used_bytes();
                Usage { init: 0, used, committed: used, max: None }
            }
        };
        PEAKS[self as usize].fetch_max(u.used, Ordering::Relaxed);
        u
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
    // Thresholds: -1 is not supported.
    let none = -1i64 as u64;
    let args = [name, u64::from(pool == Pool::Heap), none, 0, none, 0];
    let descriptor = "(Ljava/lang/String;ZJJ)Ljava/lang/management/MemoryPoolMXBean;";
    Ok(keep(cell, create(t, factory, "createMemoryPool", descriptor, &args)?))
}

fn manager_object(t: &JavaThread, pool: Pool) -> VmResult<Oop> {
    let cell = &MANAGER_OBJECTS[pool as usize];
    if let Some(s) = cell.get() {
        return Ok(s.get());
    }
    let object = match pool {
        Pool::Metaspace => {
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

/// The index of `object` in `cells`. Throws NullPointerException and InternalError.
fn find(t: &JavaThread, cells: &[OnceLock<&'static RootSlot>; 2], object: Oop) -> VmResult<Pool> {
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
    PEAKS[pool as usize].store(pool.usage().used, Ordering::Relaxed);
    Ok(())
}

/// A `java.lang.management.MemoryUsage`.
fn usage_object(t: &JavaThread, u: &Usage) -> VmResult<Oop> {
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

    /// The highest usage seen when anyone asked.
    fn get_peak_pool_usage(t, pool: Oop) -> Oop {
        let pool = find(t, &POOL_OBJECTS, pool)?;
        let mut usage = pool.usage();
        usage.used = PEAKS[pool as usize].load(Ordering::Relaxed);
        usage.committed = usage.committed.max(usage.used);
        usage.max = usage.max.map(|m| m.max(usage.used));
        usage_object(t, &usage)
    }

    /// Usage after the last collection: not recorded.
    fn get_pool_collection_usage(t, pool: Oop) -> Oop {
        find(t, &POOL_OBJECTS, pool)?;
        Ok(Oop::NULL)
    }

    fn set_pool_sensor(t, _pool: Oop, _kind: i32, _sensor: Oop) -> () {
        Err(unsupported(t, "memory pool sensors"))
    }

    /// Thresholds are not supported, which -1 says.
    fn set_pool_threshold(_t, _pool: Oop, _kind: i32, _threshold: i64) -> i64 {
        Ok(-1)
    }

    /// Of the heap, or of everything else.
    fn get_memory_usage(t, heap: bool) -> Oop {
        usage_object(t, &if heap { Pool::Heap } else { Pool::Metaspace }.usage())
    }
}
