//! `ThreadMXBean`: what threads are doing, deadlocks, processor time.

use super::{jmm_entry, memory, unsupported};
use crate::exceptions::{throw, VmResult};
use crate::heap::access::{load, set_array_ref, store};
use crate::heap::{alloc, walk};
use crate::heap::layout::{BasicType, Oop};
use crate::heap::roots::Handle;
use crate::interpreter::call::call;
use crate::observe::thread_dump;
use crate::jvm::threads::stack_trace_array;
use crate::link::load as loading;
use crate::meta::symbol::Symbol;
use crate::meta::well_known::{Known, KnownField};
use crate::threads::status::{self, Status};
use crate::threads::waits::{self, blocker_of};
use crate::threads::stackwalk::{self, Trace};
use crate::threads::{lifecycle::cpu_time, registry, safepoint, JavaThread};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

/// JMM_THREAD_STATE_FLAG_NATIVE
const FLAG_NATIVE: i32 = 0x0040_0000;
/// JMM_THREAD_STATE_FLAG_SUSPENDED
const FLAG_SUSPENDED: i32 = 0x0010_0000;

/// One thread at one time.
struct Snapshot {
    thread: Handle,
    status: i32,
    /// What the thread waits for, and who has it; null if nothing, nobody.
    blocker: Handle,
    owner: Handle,
    blocked_count: u64,
    waited_count: u64,
    /// Milliseconds, -1 if they are not measured.
    blocked_time: i64,
    waited_time: i64,
    trace: Trace,
    /// Objects locked, and the depth of the frame that did.
    monitors: Vec<(Handle, i32)>,
    /// The ownable synchronizers that the thread has.
    synchronizers: Vec<Handle>,
}

fn tid(thread: Oop) -> i64 {
    load::<i64>(thread, KnownField::ThreadTid.offset())
}

fn snapshot(
    all: &[&JavaThread],
    x: &JavaThread,
    depth: usize,
    monitors: bool,
    owned: &HashMap<usize, Vec<Oop>>,
) -> Snapshot {
    let thread = x.thread_object.get();
    let mut status = load::<i32>(thread, KnownField::ThreadStatus.offset());
    let (mut blocker, owner) = blocker_of(all, x, false);
    if status == Status::BlockedOnMonitorEnter as i32 && owner.is_null() {
        // The monitor has been left meanwhile.
        status = Status::Runnable as i32;
        blocker = Oop::NULL;
    }
    let views: Vec<_> = stackwalk::frames(x).take(depth).collect();
    if status == Status::Runnable as i32 && views.first().is_some_and(|f| f.method.is_native()) {
        status |= FLAG_NATIVE;
    }
    if safepoint::is_suspended(x) {
        status |= FLAG_SUSPENDED;
    }
    let mut locked = Vec::new();
    if monitors {
        for (i, f) in views.iter().enumerate() {
            // Innermost first, and not what the thread is only about to enter.
            let held = f.monitors().into_iter().rev().filter(|o| !o.is_null() && *o != blocker);
            locked.extend(held.map(|o| (Handle::new(o), i as i32)));
        }
    }
    Snapshot {
        thread: Handle::new(thread),
        status,
        blocker: Handle::new(blocker),
        owner: Handle::new(owner),
        blocked_count: x.vm.blocked_count.load(Ordering::Relaxed),
        waited_count: x.vm.waited_count.load(Ordering::Relaxed),
        blocked_time: measured(&x.vm.blocked_nanos),
        waited_time: measured(&x.vm.waited_nanos),
        trace: Trace::of(views.iter().map(|f| (f.method, f.bci))),
        monitors: locked,
        synchronizers: owned.get(&thread.address()).into_iter().flatten().map(|o| Handle::new(*o)).collect(),
    }
}

/// The milliseconds of a time, -1 if times are not measured.
fn measured(nanos: &AtomicU64) -> i64 {
    if status::is_contention_measured() { (nanos.load(Ordering::Relaxed) / 1_000_000) as i64 } else { -1 }
}

/// `JMM_STAT_THREAD_CONTENTION_…`: lets counts (802), times (803) or both (804) of a thread (0: of all) start anew.
pub(super) fn reset_contention(t: &JavaThread, id: i64, statistic: i32) -> VmResult<()> {
    if id < 0 {
        return Err(throw(t, "java/lang/IllegalArgumentException", Some("Invalid thread ID entry".into())));
    }
    let reset = |x: &JavaThread| {
        if statistic != 803 {
            status::reset_contention_counts(x);
        }
        if statistic != 802 {
            status::reset_contention_times(x);
        }
    };
    registry::with_all(|all| {
        let meant = |x: &&&JavaThread| id == 0 || x.is_visible() && tid(x.thread_object.get()) == id;
        all.iter().filter(meant).for_each(|x| reset(x));
    });
    Ok(())
}

/// Snapshots of the threads with these ids (`None`: of all), taken in one pause; `None` where no
/// such thread lives.
fn snapshots(t: &JavaThread, ids: Option<&[i64]>, max_depth: i32, monitors: bool, synchronizers: bool) -> Vec<Option<Snapshot>> {
    let depth = usize::try_from(max_depth).unwrap_or(usize::MAX);
    walk::inspect(t, None, "ThreadDump", |heap| {
        let owned = if synchronizers { thread_dump::synchronizers(heap) } else { HashMap::new() };
        let all: Vec<&JavaThread> = heap.threads.to_vec();
        let visible: Vec<&JavaThread> = all.iter().copied().filter(|x| x.is_visible()).collect();
        let of = |x: &JavaThread| snapshot(&all, x, depth, monitors, &owned);
        match ids {
            None => visible.iter().map(|x| Some(of(x))).collect(),
            Some(ids) => {
                let find = |id: &i64| visible.iter().find(|x| tid(x.thread_object.get()) == *id);
                ids.iter().map(|id| find(id).map(|x| of(x))).collect()
            }
        }
    })
}

/// A `java.lang.management.ThreadInfo`.
fn thread_info(t: &JavaThread, s: &Snapshot, with_locks: bool, with_stack: bool) -> VmResult<Oop> {
    const PLAIN: &str = "(Ljava/lang/Thread;ILjava/lang/Object;Ljava/lang/Thread;JJJJ[Ljava/lang/StackTraceElement;)V";
    const LOCKS: &str = "(Ljava/lang/Thread;ILjava/lang/Object;Ljava/lang/Thread;JJJJ[Ljava/lang/StackTraceElement;\
                         [Ljava/lang/Object;[I[Ljava/lang/Object;)V";
    let class = memory::class(t, "java/lang/management/ThreadInfo")?;
    let info = alloc::instance(t, class)?;
    let trace = if with_stack { stack_trace_array(t, &s.trace)? } else { Oop::NULL };
    let (mut monitors, mut depths, mut synchronizers) = (Oop::NULL, Oop::NULL, Oop::NULL);
    if with_locks {
        let objects = loading::array_class(t, Known::Object.get())?;
        monitors = alloc::array(t, objects, s.monitors.len() as i32)?;
        depths = alloc::array(t, loading::primitive_array_class(BasicType::Int), s.monitors.len() as i32)?;
        for (i, (object, depth)) in s.monitors.iter().enumerate() {
            set_array_ref(t, monitors, i, object.get());
            store::<i32>(depths, depths.class().array_base() + 4 * i, *depth);
        }
        synchronizers = alloc::array(t, objects, s.synchronizers.len() as i32)?;
        for (i, object) in s.synchronizers.iter().enumerate() {
            set_array_ref(t, synchronizers, i, object.get());
        }
    }
    let descriptor = if with_locks { LOCKS } else { PLAIN };
    let init = class
        .find_declared(Symbol::of("<init>"), Symbol::of(descriptor))
        .expect("ThreadInfo's constructors are those of JDK 17");
    // Nothing is allocated from here to the call: a vector's contents are no roots.
    let handle = |h: &Handle| h.get().address() as u64;
    let mut args = vec![info.address() as u64, handle(&s.thread), u64::from(s.status as u32)];
    args.extend([handle(&s.blocker), handle(&s.owner)]);
    args.extend([s.blocked_count, 0, s.blocked_time as u64, 0, s.waited_count, 0, s.waited_time as u64, 0]);
    args.extend([trace.address() as u64]);
    if with_locks {
        args.extend([monitors, depths, synchronizers].map(|o| o.address() as u64));
    }
    call(t, init, &args)?;
    Ok(info)
}

/// The ids of a `long[]`. Throws IllegalArgumentException if one is not positive.
fn ids_of(t: &JavaThread, array: Oop) -> VmResult<Vec<i64>> {
    let base = array.class().array_base();
    let ids: Vec<i64> = (0..array.array_length()).map(|i| load::<i64>(array, base + 8 * i)).collect();
    if ids.iter().any(|&id| id <= 0) {
        return Err(throw(t, "java/lang/IllegalArgumentException", Some("Invalid thread ID entry".into())));
    }
    Ok(ids)
}

/// Runs `f` on the live thread with this id (0: the current one); `None` if there is none.
fn with_thread<R>(t: &JavaThread, id: i64, f: impl FnOnce(&JavaThread) -> R) -> Option<R> {
    if id == 0 {
        return Some(f(t));
    }
    registry::with_all(|all| {
        let found = all.iter().find(|x| x.is_visible() && tid(x.thread_object.get()) == id);
        found.map(|x| f(x))
    })
}

/// Threads that wait for each other in a circle, as a `Thread[]`; null if there are none.
fn deadlocked(t: &JavaThread, monitors_only: bool) -> VmResult<Oop> {
    let found: Vec<Handle> = safepoint::stop_the_world(t, "FindDeadlocks", |all| {
        let circles = waits::deadlocks(all, monitors_only);
        circles.into_iter().flatten().map(|x| Handle::new(x.thread_object.get())).collect()
    });
    if found.is_empty() {
        return Ok(Oop::NULL);
    }
    let array = alloc::array(t, loading::array_class(t, Known::Thread.get())?, found.len() as i32)?;
    for (i, thread) in found.iter().enumerate() {
        set_array_ref(t, array, i, thread.get());
    }
    Ok(array)
}

jmm_entry! {
    /// Fills the ThreadInfo array for the threads with these ids; null for those that have ended.
    /// `max_depth` of the stack traces: -1 all, 0 none.
    fn get_thread_info(t, ids: Oop, max_depth: i32, infos: Oop) -> i32 {
        if ids.is_null() || infos.is_null() {
            return Err(throw(t, "java/lang/NullPointerException", None));
        }
        if max_depth < -1 {
            return Err(throw(t, "java/lang/IllegalArgumentException", Some("Invalid maxDepth".into())));
        }
        let wanted = ids_of(t, ids)?;
        if wanted.len() != infos.array_length() {
            let m = "The length of the given ThreadInfo array does not match the length of the given array of thread IDs";
            return Err(throw(t, "java/lang/IllegalArgumentException", Some(m.into())));
        }
        for (i, s) in snapshots(t, Some(&wanted), max_depth, false, false).iter().enumerate() {
            let info = match s {
                Some(s) => thread_info(t, s, false, max_depth != 0)?,
                None => Oop::NULL,
            };
            set_array_ref(t, infos, i, info);
        }
        Ok(0)
    }

    /// ThreadInfo of the threads with these ids, or of all if there is no array.
    fn dump_threads(t, ids: Oop, monitors: bool, synchronizers: bool, max_depth: i32) -> Oop {
        let wanted = match ids.non_null() {
            Some(a) => Some(ids_of(t, a)?),
            None => None,
        };
        let found = snapshots(t, wanted.as_deref(), max_depth, monitors, synchronizers);
        let class = memory::class(t, "java/lang/management/ThreadInfo")?;
        let array = alloc::array(t, loading::array_class(t, class)?, found.len() as i32)?;
        for (i, s) in found.iter().enumerate() {
            if let Some(s) = s {
                let info = thread_info(t, s, true, true)?;
                set_array_ref(t, array, i, info);
            }
        }
        Ok(array)
    }

    fn find_monitor_deadlocks(t) -> Oop {
        deadlocked(t, true)
    }

    fn find_deadlocks(t, monitors_only: bool) -> Oop {
        deadlocked(t, monitors_only)
    }

    fn get_thread_cpu_time(t, id: i64) -> i64 {
        if id < 0 {
            return Err(throw(t, "java/lang/IllegalArgumentException", Some("Invalid thread ID".into())));
        }
        Ok(with_thread(t, id, |x| cpu_time(x, true)).unwrap_or(-1))
    }

    fn get_thread_cpu_time_with_kind(t, id: i64, with_system: bool) -> i64 {
        if id < 0 {
            return Err(throw(t, "java/lang/IllegalArgumentException", Some("Invalid thread ID".into())));
        }
        Ok(with_thread(t, id, |x| cpu_time(x, with_system)).unwrap_or(-1))
    }

    /// Several at once, into a `long[]` of the same length.
    fn get_thread_cpu_times_with_kind(t, ids: Oop, times: Oop, with_system: bool) -> () {
        if ids.is_null() || times.is_null() {
            return Err(throw(t, "java/lang/NullPointerException", None));
        }
        let wanted = ids_of(t, ids)?;
        if wanted.len() != times.array_length() {
            let m = "The length of the given long array does not match the length of the given array of thread IDs";
            return Err(throw(t, "java/lang/IllegalArgumentException", Some(m.into())));
        }
        let base = times.class().array_base();
        for (i, &id) in wanted.iter().enumerate() {
            let time = with_thread(t, id, |x| cpu_time(x, with_system)).unwrap_or(-1);
            store::<i64>(times, base + 8 * i, time);
        }
        Ok(())
    }

    fn get_one_thread_allocated_memory(t, _id: i64) -> i64 {
        Err(unsupported(t, "ThreadMXBean.getThreadAllocatedBytes"))
    }

    fn get_thread_allocated_memory(t, _ids: Oop, _sizes: Oop) -> () {
        Err(unsupported(t, "ThreadMXBean.getThreadAllocatedBytes"))
    }

    fn get_total_thread_allocated_memory(t) -> i64 {
        Err(unsupported(t, "ThreadMXBean.getTotalThreadAllocatedBytes"))
    }
}
