//! Beginning and end of Java threads: attaching OS threads, `Thread.start`, exit.

use super::registry::{self, LEFT, RESUMED};
use super::status::{self, Status};
use super::thread::ThreadState;
use super::{monitor, safepoint, state, JavaThread};
use crate::exceptions::{throw, VmResult};
use crate::heap::access::{load, load_ref, store};
use crate::heap::{alloc, strings};
use crate::heap::layout::Oop;
use crate::interpreter::call::call_virtual;
use crate::meta::class::ClassRef;
use crate::meta::well_known::{method, Known, KnownField};
use crate::os::signals;
use std::ffi::c_void;
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

/// Bytes of Java stack beyond the limit, for raising and handling StackOverflowError.
const JAVA_STACK_RESERVE: usize = 64 << 10;
/// Bytes of native stack below the limit, for the VM's own calls and StackOverflowError.
const NATIVE_STACK_RESERVE: usize = 160 << 10;
/// Native stack that the VM's own frames need on top of what Java code asked for.
const NATIVE_STACK_EXTRA: usize = 512 << 10;

/// -Xss in bytes.
static STACK_BYTES: AtomicUsize = AtomicUsize::new(1 << 20);
/// The JNI function table of new threads.
static JNI_FUNCTIONS: AtomicPtr<c_void> = AtomicPtr::new(std::ptr::null_mut());

/// Sets -Xss (bytes) for threads to come.
pub fn set_stack_bytes(bytes: usize) {
    STACK_BYTES.store(bytes.max(256 << 10), Ordering::Relaxed)
}

/// Sets the function table that the `JNIEnv` of threads to come points to.
pub fn set_jni_functions(table: *const c_void) {
    JNI_FUNCTIONS.store(table as *mut c_void, Ordering::Release)
}

/// An unregistered thread with a Java stack. Errors: no memory for the stack.
fn create(stack_bytes: usize) -> Option<Box<JavaThread>> {
    let t = Box::new(JavaThread::unregistered(JNI_FUNCTIONS.load(Ordering::Acquire)));
    // Interpreter frames are larger than compiled ones; the stack is touched only as far as used.
    let page = page_bytes();
    let usable = (2 * stack_bytes + JAVA_STACK_RESERVE + page - 1) & !(page - 1);
    // SAFETY: fresh memory, the last page a guard.
    unsafe {
        let p = libc::mmap(
            std::ptr::null_mut(),
            usable + page,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE,
            -1,
            0,
        );
        if p == libc::MAP_FAILED {
            return None;
        }
        let end = p as usize + usable;
        libc::mprotect(end as *mut c_void, page, libc::PROT_NONE);
        t.java_stack_base.set(p as *mut u64);
        t.java_stack_end.set(end as *mut u64);
        t.stack_limit.set((end - JAVA_STACK_RESERVE) as *mut u64);
        t.stack_top.set(p as *mut u64);
    }
    Some(t)
}

/// Frees an unregistered thread.
fn destroy(t: Box<JavaThread>) {
    let base = t.java_stack_base.get();
    let bytes = t.java_stack_end.get() as usize - base as usize + page_bytes();
    // SAFETY: mapped by `create`, used no more.
    unsafe { libc::munmap(base as *mut c_void, bytes) };
}

fn page_bytes() -> usize {
    // SAFETY: no preconditions.
    unsafe { libc::sysconf(libc::_SC_PAGESIZE) as usize }
}

/// Registers a thread: from here on it has an allocator, its roots are scanned and pauses count
/// it. `current`: the Java thread that does so, if it is one, which then is at a safepoint.
fn register(t: Box<JavaThread>, current: Option<&JavaThread>) -> &'static JavaThread {
    let t: &'static JavaThread = Box::leak(t);
    let add = || {
        let mut r = registry::lock();
        while r.paused {
            RESUMED.wait(&mut r);
        }
        alloc::attach_allocator(t);
        r.threads.push(t);
        if t.vm.hidden.load(Ordering::Relaxed) {
            return;
        }
        STARTED.fetch_add(1, Ordering::Relaxed);
        PEAK.fetch_max(visible(&r.threads), Ordering::Relaxed);
    };
    match current {
        Some(c) => state::blocked(c, add),
        None => add(),
    }
    t
}

static STARTED: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

/// Threads of the program; the VM's own do not count.
fn visible(threads: &[&JavaThread]) -> usize {
    threads.iter().filter(|t| !t.vm.hidden.load(Ordering::Relaxed)).count()
}

/// Threads attached now, but for the VM's own.
pub fn live_count() -> usize {
    registry::with_all(visible)
}

/// Threads ever attached or started.
pub fn started_count() -> usize {
    STARTED.load(Ordering::Relaxed)
}

/// The most threads there have been at once, since the VM's start or [`reset_peak_count`].
pub fn peak_count() -> usize {
    PEAK.load(Ordering::Relaxed)
}

/// Lets the peak start anew from the present number.
pub fn reset_peak_count() {
    let r = registry::lock();
    PEAK.store(visible(&r.threads), Ordering::Relaxed);
}

/// Takes a thread off the list and frees it. The caller is the thread itself, in a running
/// state, or `current` starts a thread that never ran.
fn unregister(t: &'static JavaThread, current: &JavaThread) {
    safepoint::leave(current, |r| {
        r.threads.retain(|x| !std::ptr::eq(*x, t));
        alloc::detach_allocator(t);
        t.state.store(ThreadState::Terminated as u8, Ordering::SeqCst);
        LEFT.notify_all();
    });
}

/// Makes the OS thread that calls this the Java thread `t`.
fn adopt(t: &'static JavaThread) {
    let (low, high) = native_stack();
    t.native_stack_base.set(high);
    t.native_stack_limit.set(low + NATIVE_STACK_RESERVE.min((high - low) / 2));
    // SAFETY: no preconditions.
    unsafe {
        t.os_tid.store(libc::syscall(libc::SYS_gettid) as u64, Ordering::Relaxed);
        t.pthread.store(libc::pthread_self() as usize, Ordering::Relaxed);
    }
    t.vm.started_at.store(crate::observe::log::uptime().as_micros() as u64, Ordering::Relaxed);
    t.vm.caller_signals.set(Some(signals::enter()));
    JavaThread::set_current(Some(t));
}

/// Lowest and highest address of the current thread's stack.
fn native_stack() -> (usize, usize) {
    // SAFETY: the attributes are initialized by pthread_getattr_np and destroyed after use.
    unsafe {
        let mut attributes: libc::pthread_attr_t = std::mem::zeroed();
        let e = libc::pthread_getattr_np(libc::pthread_self(), &mut attributes);
        assert!(e == 0, "pthread_getattr_np: error {e}");
        let (mut low, mut bytes) = (std::ptr::null_mut(), 0);
        let e = libc::pthread_attr_getstack(&attributes, &mut low, &mut bytes);
        assert!(e == 0, "pthread_attr_getstack: error {e}");
        libc::pthread_attr_destroy(&mut attributes);
        (low as usize, low as usize + bytes)
    }
}

/// Attaches the current OS thread (the main thread, JNI AttachCurrentThread). It comes back in
/// state InVm and without a `java.lang.Thread`, which the caller makes ([`set_thread_object`]);
/// [`to_native`] then lets it go. Errors: no memory for the Java stack.
pub fn attach(daemon: bool) -> Result<&'static JavaThread, String> {
    assert!(JavaThread::current().is_none(), "the thread is attached already");
    let t = create(STACK_BYTES.load(Ordering::Relaxed)).ok_or("no memory for a thread's Java stack")?;
    t.vm.daemon.store(daemon, Ordering::Relaxed);
    let t = register(t, None);
    adopt(t);
    state::arrive(t);
    Ok(t)
}

/// Attaches a thread of the VM's own (a compiler), which may read the heap between pauses like any other, but
/// runs no Java code, has no `java.lang.Thread` and is not counted. In state InVm.
pub fn attach_hidden() -> Result<&'static JavaThread, String> {
    let t = create(0).ok_or("no memory for a thread's Java stack")?;
    t.vm.daemon.store(true, Ordering::Relaxed);
    t.vm.hidden.store(true, Ordering::Relaxed);
    let t = register(t, None);
    adopt(t);
    state::arrive(t);
    Ok(t)
}

/// Ties a thread to its `java.lang.Thread`, a live one from here on.
pub fn set_thread_object(t: &JavaThread, object: Oop) {
    t.thread_object.set(object);
    store::<i64>(object, KnownField::ThreadEetop.offset(), t as *const JavaThread as i64);
    status::set(object, Status::Runnable);
}

/// Lets an attached thread go back to the native code that attached it.
pub fn to_native(t: &JavaThread) {
    state::depart(t)
}

/// Ends the current Java thread, which is in the VM: uncaught exception, `Thread.exit`, joiners,
/// registry. The OS thread goes on, unattached.
pub fn detach(t: &'static JavaThread) {
    exit(t);
    let mask = t.vm.caller_signals.get();
    unregister(t, t);
    JavaThread::set_current(None);
    if let Some(before) = mask {
        signals::leave(&before);
    }
    // SAFETY: leaked by `register`, and no longer on the list.
    destroy(unsafe { Box::from_raw(t as *const JavaThread as *mut JavaThread) });
}

/// The Java side of a thread's end.
fn exit(t: &JavaThread) {
    let uncaught = t.take_exception();
    if !t.thread_object.get().is_null() {
        if !uncaught.is_null() {
            if let Some(thrown) = call_void(t, "dispatchUncaughtException", "(Ljava/lang/Throwable;)V", Some(uncaught)) {
                let name = load_ref(t.thread_object.get(), KnownField::ThreadName.offset());
                let name = name.non_null().map_or(String::new(), strings::to_rust);
                crate::vm_err!(
                    "\nException: {} thrown from the UncaughtExceptionHandler in thread \"{name}\"\n",
                    thrown.external_name()
                );
            }
        }
        call_void(t, "exit", "()V", None);
        end_thread_object(t);
    }
}

/// Calls a method of the current thread's `java.lang.Thread`; as on HotSpot, what it throws is
/// dropped, but for its class.
fn call_void(t: &JavaThread, name: &str, descriptor: &str, argument: Option<Oop>) -> Option<ClassRef> {
    let object = t.thread_object.get();
    let declared = method(Known::Thread, name, descriptor);
    // An array: selecting the method may stop at a safepoint, and only stacks are scanned.
    let args = [object.address() as u64, argument.map_or(0, |a| a.address() as u64)];
    let result = call_virtual(t, declared, &args[..1 + usize::from(argument.is_some())]);
    result.err().map(|_pending| t.take_exception().class())
}

/// TERMINATED, no `eetop` any more, and whoever waits in `join` is told.
fn end_thread_object(t: &JavaThread) {
    let object = t.thread_object.get();
    // Neither entering, notifying nor leaving an owned monitor throws.
    let result = monitor::enter(t, object).and_then(|()| {
        let object = t.thread_object.get();
        status::set(object, Status::Terminated);
        store::<i64>(object, KnownField::ThreadEetop.offset(), 0);
        monitor::notify(t, object, true)?;
        monitor::exit(t, object)
    });
    assert!(result.is_ok(), "the monitor of a thread's own object");
}

/// `Thread.start0`: starts an OS thread that runs `object.run()`. Throws
/// IllegalThreadStateException if it was started before, OutOfMemoryError if there can be no
/// more threads.
pub fn start(t: &JavaThread, object: Oop) -> VmResult<()> {
    start_with(t, object, false, run_java)
}

/// Starts a daemon thread of the VM's own that runs `body` in state InVm, with a
/// `java.lang.Thread` in the system group. `body` must leave no exception pending.
pub fn start_service(t: &JavaThread, name: &str, priority: i32, body: fn(&JavaThread)) -> VmResult<()> {
    let object = service_object(t, name, priority)?;
    let group = crate::vm::startup::system_thread_group().address() as u64;
    let add = method(Known::ThreadGroup, "add", "(Ljava/lang/Thread;)V");
    crate::interpreter::call::call(t, add, &[group, object.address() as u64])?;
    start_with(t, object, false, body)
}

/// The same for a thread that only thread dumps show: the program neither finds it in its group nor counts it.
pub fn start_hidden_service(t: &JavaThread, name: &str, priority: i32, body: fn(&JavaThread)) -> VmResult<()> {
    let object = service_object(t, name, priority)?;
    start_with(t, object, true, body)
}

/// The `java.lang.Thread` of a service, which is not started yet.
fn service_object(t: &JavaThread, name: &str, priority: i32) -> VmResult<Oop> {
    let object = alloc::instance(t, Known::Thread.get())?;
    let name = crate::heap::strings::new(t, name)?;
    let group = crate::vm::startup::system_thread_group().address() as u64;
    let init = method(Known::Thread, "<init>", "(Ljava/lang/ThreadGroup;Ljava/lang/String;)V");
    crate::interpreter::call::call(t, init, &[object.address() as u64, group, name.address() as u64])?;
    store::<u8>(object, KnownField::ThreadDaemon.offset(), 1);
    store::<i32>(object, KnownField::ThreadPriority.offset(), priority);
    Ok(object)
}

fn start_with(t: &JavaThread, object: Oop, hidden: bool, body: fn(&JavaThread)) -> VmResult<()> {
    if load::<i64>(object, KnownField::ThreadEetop.offset()) != 0
        || load::<i32>(object, KnownField::ThreadStatus.offset()) != Status::New as i32
    {
        return Err(throw(t, "java/lang/IllegalThreadStateException", None));
    }
    let wanted = load::<i64>(object, KnownField::ThreadStackSize.offset());
    let default = STACK_BYTES.load(Ordering::Relaxed);
    let stack_bytes = if wanted <= 0 { default } else { (wanted as usize).clamp(256 << 10, 1 << 30) };
    let Some(child) = create(stack_bytes) else { return Err(no_more_threads(t)) };
    child.vm.daemon.store(load::<u8>(object, KnownField::ThreadDaemon.offset()) != 0, Ordering::Relaxed);
    child.vm.hidden.store(hidden, Ordering::Relaxed);
    // Registering is a safepoint: until then this thread's stack keeps the object, from then on
    // the child's root.
    let child = register(child, Some(t));
    set_thread_object(child, object);
    let spawned = std::thread::Builder::new()
        .stack_size(stack_bytes.max(1 << 20) + NATIVE_STACK_EXTRA)
        .spawn(move || run(child, body));
    if spawned.is_err() {
        store::<i64>(object, KnownField::ThreadEetop.offset(), 0);
        status::set(object, Status::New);
        unregister(child, t);
        // SAFETY: never ran, and no longer on the list.
        destroy(unsafe { Box::from_raw(child as *const JavaThread as *mut JavaThread) });
        return Err(no_more_threads(t));
    }
    Ok(())
}

#[cold]
fn no_more_threads(t: &JavaThread) -> crate::exceptions::Thrown {
    const MESSAGE: &str =
        "unable to create native thread: possibly out of memory or process/resource limits reached";
    throw(t, "java/lang/OutOfMemoryError", Some(MESSAGE.into()))
}

/// A started thread's life.
fn run(t: &'static JavaThread, body: fn(&JavaThread)) {
    adopt(t);
    state::arrive(t);
    body(t);
    detach(t);
}

/// `Thread.run`, unless the thread was stopped before it started.
fn run_java(t: &JavaThread) {
    let object = t.thread_object.get();
    if load::<u8>(object, KnownField::ThreadStillborn.offset()) != 0 {
        return;
    }
    let run = method(Known::Thread, "run", "()V");
    // An exception stays pending for `exit`.
    let _: VmResult<u64> = call_virtual(t, run, &[object.address() as u64]);
}

/// Waits until no thread but daemons and the current one is left (JNI DestroyJavaVM).
pub fn await_others(t: &JavaThread) {
    state::blocked(t, || {
        let mut r = registry::lock();
        let holds_up = |x: &&'static JavaThread| !std::ptr::eq(*x, t) && !x.vm.daemon.load(Ordering::Relaxed);
        while r.threads.iter().any(|x| holds_up(x)) {
            LEFT.wait(&mut r);
        }
    })
}

/// The `java.lang.Thread` of every live thread but the VM's own, in order of start (JVM_GetAllThreads).
pub fn all_thread_objects() -> Vec<crate::heap::roots::Handle> {
    registry::with_all(|threads| {
        threads
            .iter()
            .filter(|x| x.is_visible())
            .map(|x| x.thread_object.get())
            .map(crate::heap::roots::Handle::new)
            .collect()
    })
}

/// Gives the OS thread a name that tools show (`Thread.setNativeName`), cut to 15 bytes.
pub fn set_native_name(t: &JavaThread, name: &str) {
    let bytes: Vec<u8> = name.bytes().filter(|&b| b != 0).take(15).chain([0]).collect();
    let pthread = t.pthread.load(Ordering::Relaxed);
    if pthread != 0 {
        // SAFETY: the thread is alive while it is registered, and the name ends with 0.
        unsafe { libc::pthread_setname_np(pthread as libc::pthread_t, bytes.as_ptr().cast()) };
    }
}

/// `Thread.stop0`, by `eetop`: makes `exception` pending in that thread at its next poll in
/// Java code, and wakes it.
pub fn stop(eetop: i64, exception: Oop) {
    registry::with_thread(eetop, |x| {
        x.vm.async_exception.set(exception);
        x.poll.fetch_or(safepoint::POLL_ASYNC_EXCEPTION, Ordering::SeqCst);
        x.interrupt.wake();
        x.parker.unpark();
        x.vm.monitor_event.set();
    });
}

/// Makes an exception that another thread sent pending.
pub fn take_async_exception(t: &JavaThread) -> VmResult<()> {
    if t.poll.fetch_and(!safepoint::POLL_ASYNC_EXCEPTION, Ordering::SeqCst) & safepoint::POLL_ASYNC_EXCEPTION == 0 {
        return Ok(());
    }
    let e = t.vm.async_exception.get();
    t.vm.async_exception.set(Oop::NULL);
    Err(t.set_exception(e))
}

/// Nanoseconds of processor time of a live thread, in user mode only or altogether; -1 if the
/// system does not tell.
pub fn cpu_time(x: &JavaThread, with_system: bool) -> i64 {
    if with_system {
        let thread = x.pthread.load(Ordering::Relaxed) as libc::pthread_t;
        if thread == 0 {
            // It has not begun to run.
            return 0;
        }
        let mut clock: libc::clockid_t = 0;
        let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: the thread lives while it is registered.
        let e = unsafe {
            match libc::pthread_getcpuclockid(thread, &mut clock) {
                0 => libc::clock_gettime(clock, &mut now),
                e => e,
            }
        };
        return if e == 0 { now.tv_sec * 1_000_000_000 + now.tv_nsec } else { -1 };
    }
    let path = format!("/proc/self/task/{}/stat", x.os_tid.load(Ordering::Relaxed));
    let Ok(stat) = std::fs::read_to_string(path) else { return -1 };
    // After the name in parentheses come state, …; utime is the 12th field from there.
    let ticks = stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(11)?.parse::<i64>().ok());
    // SAFETY: no preconditions.
    let per_second = unsafe { libc::sysconf(libc::_SC_CLK_TCK) };
    ticks.map_or(-1, |n| n * (1_000_000_000 / per_second))
}
