//! `java.lang.Thread`.
#![allow(non_snake_case)] // the names are jvm.h's

use crate::exceptions::backtrace::new_stack_trace_element;
use crate::exceptions::{throw, VmResult};
use crate::heap::access::{self, load, store};
use crate::heap::layout::Oop;
use crate::heap::{alloc, strings};
use crate::jvm_entry;
use crate::link::load as loading;
use crate::meta::well_known::{Known, KnownField};
use crate::threads::stackwalk::{self, Trace};
use crate::threads::{lifecycle, monitor, park, safepoint, state, JavaThread};

fn eetop(thread: Oop) -> i64 {
    load::<i64>(thread, KnownField::ThreadEetop.offset())
}

/// The stacks of the threads with these `eetop`s, innermost frame first, taken in one pause;
/// `None` for those that have ended.
pub fn stacks_of(t: &JavaThread, eetops: &[i64]) -> Vec<Option<Trace>> {
    safepoint::stop_the_world(t, "ThreadDump", |threads| {
        let find = |e: &i64| threads.iter().find(|x| **x as *const JavaThread as i64 == *e);
        let stack = |x: &&JavaThread| {
            let max = match crate::exceptions::backtrace::MAX_DEPTH.load(std::sync::atomic::Ordering::Relaxed) {
                0 => usize::MAX,
                n => n,
            };
            Trace::of(stackwalk::frames(x).map(|f| (f.method, f.bci)).take(max))
        };
        eetops.iter().map(|e| find(e).map(stack)).collect()
    })
}

/// A `StackTraceElement[]` of the frames.
pub fn stack_trace_array(t: &JavaThread, trace: &Trace) -> VmResult<Oop> {
    let frames = &trace.frames;
    let class = loading::array_class(t, Known::StackTraceElement.get())?;
    let array = alloc::array(t, class, frames.len() as i32)?;
    for (i, &(method, bci)) in frames.iter().enumerate() {
        let element = new_stack_trace_element(t, method, bci)?;
        access::set_array_ref(t, array, i, element);
    }
    Ok(array)
}

jvm_entry! {
    /// `Thread.start0`. Throws IllegalThreadStateException and OutOfMemoryError.
    fn JVM_StartThread(t, thread: Oop) -> () {
        lifecycle::start(t, thread)
    }

    /// `Thread.stop0`: throws `exception` in the thread, at its next safepoint.
    fn JVM_StopThread(t, thread: Oop, exception: Oop) -> () {
        if exception.is_null() {
            return Err(throw(t, "java/lang/NullPointerException", None));
        }
        match eetop(thread) {
            0 => store::<u8>(thread, KnownField::ThreadStillborn.offset(), 1),
            e if e == t as *const JavaThread as i64 => return Err(t.set_exception(exception)),
            e => lifecycle::stop(e, exception),
        }
        Ok(())
    }

    /// `Thread.suspend0`.
    fn JVM_SuspendThread(t, thread: Oop) -> () {
        safepoint::suspend(t, eetop(thread));
        Ok(())
    }

    /// `Thread.resume0`: without effect on a thread that is not suspended.
    fn JVM_ResumeThread(_t, thread: Oop) -> () {
        safepoint::resume(eetop(thread));
        Ok(())
    }

    /// `Thread.setPriority0`. As on HotSpot (`ThreadPriorityPolicy=0`), Linux's scheduler is not told.
    fn JVM_SetThreadPriority(_t, thread: Oop, priority: i32) -> () {
        store::<i32>(thread, KnownField::ThreadPriority.offset(), priority);
        Ok(())
    }

    /// `Thread.yield`.
    fn JVM_Yield(t, _class: Oop) -> () {
        state::blocked(t, std::thread::yield_now);
        Ok(())
    }

    /// `Thread.sleep`. Throws IllegalArgumentException and InterruptedException.
    fn JVM_Sleep(t, _class: Oop, millis: i64) -> () {
        park::sleep(t, millis)
    }

    /// `Thread.currentThread`.
    fn JVM_CurrentThread(t, _class: Oop) -> Oop {
        Ok(t.thread_object.get())
    }

    /// `Thread.interrupt0`.
    fn JVM_Interrupt(_t, thread: Oop) -> () {
        park::interrupt(eetop(thread));
        Ok(())
    }

    /// `Thread.holdsLock`. Throws NullPointerException.
    fn JVM_HoldsLock(t, _class: Oop, object: Oop) -> bool {
        if object.is_null() {
            return Err(throw(t, "java/lang/NullPointerException", None));
        }
        Ok(monitor::holds(t, object))
    }

    /// `Thread.getThreads`: the live threads.
    fn JVM_GetAllThreads(t, _class: Oop) -> Oop {
        let all = lifecycle::all_thread_objects();
        let array = alloc::array(t, loading::array_class(t, Known::Thread.get())?, all.len() as i32)?;
        for (i, thread) in all.iter().enumerate() {
            access::set_array_ref(t, array, i, thread.get());
        }
        Ok(array)
    }

    /// `Thread.setNativeName`: of the current thread only.
    fn JVM_SetNativeThreadName(t, thread: Oop, name: Oop) -> () {
        if eetop(thread) == t as *const JavaThread as i64 {
            lifecycle::set_native_name(t, &strings::to_rust(name));
        }
        Ok(())
    }

    /// `Thread.dumpThreads`: the stack trace of each thread, null for one that does not run.
    /// Throws NullPointerException and IllegalArgumentException.
    fn JVM_DumpThreads(t, _class: Oop, threads: Oop) -> Oop {
        if threads.is_null() {
            return Err(throw(t, "java/lang/NullPointerException", None));
        }
        let n = threads.array_length();
        if n == 0 || threads.class().component != Some(Known::Thread.get()) {
            return Err(throw(t, "java/lang/IllegalArgumentException", None));
        }
        let eetops: Vec<i64> =
            (0..n).map(|i| access::array_ref(threads, i).non_null().map_or(0, eetop)).collect();
        let stacks = stacks_of(t, &eetops);
        let trace_class = loading::array_class(t, Known::StackTraceElement.get())?;
        let result = alloc::array(t, loading::array_class(t, trace_class)?, n as i32)?;
        for (i, stack) in stacks.iter().enumerate() {
            if let Some(frames) = stack {
                let trace = stack_trace_array(t, frames)?;
                access::set_array_ref(t, result, i, trace);
            }
        }
        Ok(result)
    }
}
