//! `JVM_GetManagement`: the table of functions that `libmanagement` calls (jmm.h, version 3 of
//! JDK 17), behind `java.lang.management`.
//!
//! What Kiln does not measure is declared unsupported in `GetOptionalSupport`, which makes the
//! class library throw UnsupportedOperationException, or throws that itself.

mod collections;
mod diagnostics;
mod memory;
mod notifier;
mod sensors;
mod thread_info;
mod vm_flags;

use crate::exceptions::{throw, Thrown};
use crate::heap::layout::Oop;
use crate::heap::log::Record;
use crate::heap::unloading::unloaded_classes;
use crate::jvm::entry::Handle;
use crate::meta::loader::Loader;
use crate::observe::log;
use crate::threads::{lifecycle, registry, safepoint, status, JavaThread};
use std::ffi::c_void;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::OnceLock;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Defines functions of the table: like `jvm_entry!`, but not exported.
macro_rules! jmm_entry {
    ($($(#[$meta:meta])* fn $name:ident($t:ident $(, $arg:ident : $ty:ty)* $(,)?) -> $ret:ty $body:block)*) => { $(
        $(#[$meta])*
        ///
        /// # Safety
        /// To be called as jmm.h says: `env` is the current thread's, handles are valid.
        pub(super) unsafe extern "C" fn $name(
            env: *mut std::ffi::c_void
            $(, $arg: <$ty as $crate::jvm::entry::Argument>::C)*
        ) -> <$ret as $crate::jvm::entry::Reply>::C {
            $crate::jvm::entry::enter::<$ret>(env, |$t| {
                $(let $arg = <$ty as $crate::jvm::entry::Argument>::from_c($arg);)*
                $body
            })
        }
    )* };
}
use jmm_entry;

/// Whether processor times of threads are to be had (`ThreadMXBean.setThreadCpuTimeEnabled`).
static CPU_TIME: AtomicBool = AtomicBool::new(true);

/// JMM_VERSION_3: JDK 14 and later.
const VERSION: i32 = 0x2003_0000;

/// `jmmOptionalSupport`, a bit field.
mod support {
    /// Thresholds of memory pools.
    pub const LOW_MEMORY_DETECTION: u32 = 1;
    pub const COMPILATION_TIME: u32 = 1 << 1;
    pub const THREAD_CONTENTION: u32 = 1 << 2;
    pub const CURRENT_THREAD_CPU_TIME: u32 = 1 << 3;
    pub const OTHER_THREAD_CPU_TIME: u32 = 1 << 4;
    pub const OBJECT_MONITOR_USAGE: u32 = 1 << 5;
    /// Deadlocks over ownable synchronizers, and which ones threads hold.
    pub const SYNCHRONIZER_USAGE: u32 = 1 << 6;
    /// `DiagnosticCommandMBean`.
    pub const DIAGNOSTIC_COMMANDS: u32 = 1 << 8;
}

/// UnsupportedOperationException naming the function.
fn unsupported(t: &JavaThread, what: &str) -> Thrown {
    throw(t, "java/lang/UnsupportedOperationException", Some(format!("{what}: not supported by Kiln")))
}

fn start() -> &'static (Instant, SystemTime) {
    static START: OnceLock<(Instant, SystemTime)> = OnceLock::new();
    START.get_or_init(|| (Instant::now(), SystemTime::now()))
}

/// Fixes the time that uptime counts from; called when the VM is created.
pub fn mark_start() {
    start();
}

/// `jmmLongAttribute`s; -1 for those that are not known.
fn long_attribute(t: &JavaThread, manager: Oop, attribute: i32) -> i64 {
    let millis = |d: std::time::Duration| d.as_millis() as i64;
    match attribute {
        // Classes loaded, unloaded.
        1 => {
            let mut n = 0;
            Loader::for_each_class(|_| n += 1);
            n + unloaded_classes() as i64
        }
        2 => unloaded_classes() as i64,
        // Threads: started, live, peak, daemon.
        3 => lifecycle::started_count() as i64,
        4 => lifecycle::live_count() as i64,
        5 => lifecycle::peak_count() as i64,
        6 => registry::with_all(|all| {
            let daemon = |x: &&&JavaThread| {
                x.vm.daemon.load(Ordering::Relaxed) && !x.vm.hidden.load(Ordering::Relaxed)
            };
            all.iter().filter(daemon).count()
        }) as i64,
        // Start time (milliseconds since 1970), time spent compiling.
        7 => millis(start().1.duration_since(UNIX_EPOCH).unwrap_or_default()),
        8 => crate::compiler::broker::get().map_or(0, |b| millis(b.statistics.total_time())),
        // Of one collector: time, collections.
        9 | 10 if !manager.is_null() && !memory::is_collector(t, manager) => 0,
        9 => millis(safepoint::collection_totals().1),
        10 => safepoint::collection_totals().0 as i64,
        11 => millis(start().0.elapsed()),
        104 => vm_flags::count() as i64,
        201 => i64::from(std::process::id()),
        202 => physical_memory(),
        // Attributes of a collector beyond the standard ones: how many threads it has.
        401 => 1,
        _ => -1,
    }
}

/// At the end of a collection's pause, on a thread of the collector's, if anybody wants to know of it.
fn collection_ended(record: &Record) {
    sensors::collected(record);
    collections::collected(record);
}

fn physical_memory() -> i64 {
    // SAFETY: no preconditions.
    unsafe { libc::sysconf(libc::_SC_PHYS_PAGES) * libc::sysconf(libc::_SC_PAGESIZE) }
}

fn bool_attribute(attribute: i32) -> bool {
    match attribute {
        // What `setVerbose` would have done, be it by `-verbose` or `-Xlog`.
        21 => log::reconfigure(|c| c.stdout_informs(true, &["gc"])),
        22 => log::reconfigure(|c| c.stdout_informs(false, &["class", "load"])),
        23 => status::is_contention_measured(),
        // The system always measures processor time; the class library asks whether to give it.
        24 => CPU_TIME.load(Ordering::Relaxed),
        _ => false,
    }
}

extern "C" fn get_version(_env: *mut c_void) -> i32 {
    VERSION
}

unsafe extern "C" fn get_optional_support(_env: *mut c_void, out: *mut u32) -> i32 {
    if out.is_null() {
        return -1;
    }
    *out = support::LOW_MEMORY_DETECTION
        | support::COMPILATION_TIME
        | support::CURRENT_THREAD_CPU_TIME
        | support::OTHER_THREAD_CPU_TIME
        | support::THREAD_CONTENTION
        | support::OBJECT_MONITOR_USAGE
        | support::SYNCHRONIZER_USAGE
        | support::DIAGNOSTIC_COMMANDS;
    0
}

jmm_entry! {
    /// One figure of the VM, or of the collector `manager`.
    fn get_long_attribute(t, manager: Oop, attribute: i32) -> i64 {
        Ok(long_attribute(t, manager, attribute))
    }

    /// Several figures at once; how many are known.
    fn get_long_attributes(t, manager: Oop, attributes: *const i32, count: i32, out: *mut c_void) -> i32 {
        let mut known = 0;
        for i in 0..count as usize {
            let value = long_attribute(t, manager, *attributes.add(i));
            *(out as *mut i64).add(i) = value;
            known += i32::from(value != -1);
        }
        Ok(known)
    }

    fn get_bool_attribute(_t, attribute: i32) -> bool {
        Ok(bool_attribute(attribute))
    }

    /// Sets a switch; its previous value.
    fn set_bool_attribute(t, attribute: i32, on: bool) -> bool {
        let before = bool_attribute(attribute);
        match attribute {
            21 | 22 => log::reconfigure(|c| {
                let level = |on| if on { log::Level::Info } else { log::Level::Off };
                let (exact, tags): (bool, &[&str]) = if attribute == 21 { (true, &["gc"]) } else { (false, &["class", "load"]) };
                c.set_stdout(level(on), exact, tags);
                // Unloading belongs to both.
                let either = c.stdout_informs(true, &["gc"]) || c.stdout_informs(false, &["class", "load"]);
                c.set_stdout(level(either), false, &["class", "unload"]);
            }),
            23 => status::measure_contention(on),
            24 => CPU_TIME.store(on, Ordering::Relaxed),
            _ => return Err(unsupported(t, &format!("management attribute {attribute}"))),
        }
        Ok(before)
    }

    /// `ThreadMXBean.resetPeakThreadCount`, `MemoryPoolMXBean.resetPeakUsage` and the like.
    fn reset_statistic(t, object: u64, statistic: i32) -> bool {
        match statistic {
            801 => lifecycle::reset_peak_count(),
            802..=804 => thread_info::reset_contention(t, object as i64, statistic)?,
            805 => memory::reset_peak(t, crate::jni::refs::resolve(object as Handle))?,
            _ => return Err(unsupported(t, &format!("resetting management statistic {statistic}"))),
        }
        Ok(true)
    }

    fn get_internal_thread_times(t, _names: Oop, _times: Oop) -> i32 {
        Err(unsupported(t, "HotspotThreadMBean.getInternalThreadCpuTimes"))
    }

    /// Clients are told when commands are added or removed, which never happens.
    fn set_diagnostic_notification_enabled(_t, _on: bool) -> () {
        Ok(())
    }
}

/// The table, in the order of `jmmInterface_1_`.
struct Table([*const c_void; 40]);

// SAFETY: addresses of functions.
unsafe impl Sync for Table {}

static TABLE: Table = Table([
    std::ptr::null(),
    std::ptr::null(),
    get_version as *const c_void,
    get_optional_support as *const c_void,
    thread_info::get_thread_info as *const c_void,
    memory::get_memory_pools as *const c_void,
    memory::get_memory_managers as *const c_void,
    memory::get_pool_usage as *const c_void,
    memory::get_peak_pool_usage as *const c_void,
    thread_info::get_one_thread_allocated_memory as *const c_void,
    thread_info::get_thread_allocated_memory as *const c_void,
    memory::get_memory_usage as *const c_void,
    get_long_attribute as *const c_void,
    get_bool_attribute as *const c_void,
    set_bool_attribute as *const c_void,
    get_long_attributes as *const c_void,
    thread_info::find_monitor_deadlocks as *const c_void,
    thread_info::get_thread_cpu_time as *const c_void,
    vm_flags::get_names as *const c_void,
    vm_flags::get_flags as *const c_void,
    get_internal_thread_times as *const c_void,
    reset_statistic as *const c_void,
    memory::set_pool_sensor as *const c_void,
    memory::set_pool_threshold as *const c_void,
    memory::get_pool_collection_usage as *const c_void,
    collections::get_gc_ext_attribute_info as *const c_void,
    collections::get_last_gc_stat as *const c_void,
    thread_info::get_thread_cpu_time_with_kind as *const c_void,
    thread_info::get_thread_cpu_times_with_kind as *const c_void,
    diagnostics::dump_heap as *const c_void,
    thread_info::find_deadlocks as *const c_void,
    vm_flags::set_flag as *const c_void,
    thread_info::get_total_thread_allocated_memory as *const c_void,
    thread_info::dump_threads as *const c_void,
    collections::set_gc_notification_enabled as *const c_void,
    diagnostics::get_diagnostic_commands as *const c_void,
    diagnostics::get_diagnostic_command_info as *const c_void,
    diagnostics::get_diagnostic_command_arguments_info as *const c_void,
    diagnostics::execute_diagnostic_command as *const c_void,
    set_diagnostic_notification_enabled as *const c_void,
]);

/// The table for `version`; null for another than JDK 17's.
#[no_mangle]
#[allow(non_snake_case)] // the name is jvm.h's
pub extern "C" fn JVM_GetManagement(version: i32) -> *const c_void {
    if version == VERSION {
        TABLE.0.as_ptr() as *const c_void
    } else {
        std::ptr::null()
    }
}
