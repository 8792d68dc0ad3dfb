//! The invocation API (JNI specification, chapter 5): creating, finding and destroying the VM,
//! attaching threads.

use crate::exceptions::{Thrown, VmResult};
use crate::heap::access::{load, store};
use crate::heap::layout::Oop;
use crate::heap::{alloc, strings};
use crate::interpreter::call::call;
use crate::jni::refs;
use crate::meta::well_known::{method, Known, KnownField};
use crate::threads::{lifecycle, safepoint, state, JavaThread};
use crate::vm;
use std::ffi::{c_char, c_int, c_void, CStr, OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

const OK: i32 = 0;
const ERR: i32 = -1;
const EDETACHED: i32 = -2;
const EVERSION: i32 = -3;
const EEXIST: i32 = -5;
/// JNI_VERSION_1_1, which knows another structure of arguments.
const VERSION_1_1: i32 = 0x0001_0001;
/// The versions of JNI that JDK 17 supports, 1.1 apart.
const VERSIONS: [i32; 6] = [0x0001_0002, 0x0001_0004, 0x0001_0006, 0x0001_0008, 0x0009_0000, 0x000A_0000];

fn is_supported(version: i32) -> bool {
    VERSIONS.contains(&version)
}

fn is_supported_or_1_1(version: i32) -> bool {
    version == VERSION_1_1 || is_supported(version)
}

/// `JavaVMOption`.
#[repr(C)]
pub struct VmOption {
    text: *const c_char,
    extra: *mut c_void,
}

/// `JavaVMInitArgs`.
#[repr(C)]
pub struct VmInitArgs {
    version: i32,
    count: i32,
    options: *const VmOption,
    ignore_unrecognized: u8,
}

/// `JDK1_1InitArgs` as far as the launcher reads it: the default stack size.
#[repr(C)]
struct InitArgs1_1 {
    version: i32,
    properties: *mut *mut c_char,
    check_source: i32,
    native_stack_size: i32,
    java_stack_size: i32,
}

/// `JavaVMAttachArgs`.
#[repr(C)]
pub struct AttachArgs {
    version: i32,
    name: *const c_char,
    group: refs::Handle,
}

/// `JNIInvokeInterface_`.
#[repr(C)]
struct InvokeTable {
    reserved: [*const c_void; 3],
    destroy: unsafe extern "C" fn(*mut c_void) -> i32,
    attach: unsafe extern "C" fn(*mut c_void, *mut *mut c_void, *const AttachArgs) -> i32,
    detach: unsafe extern "C" fn(*mut c_void) -> i32,
    get_env: unsafe extern "C" fn(*mut c_void, *mut *mut c_void, i32) -> i32,
    attach_as_daemon: unsafe extern "C" fn(*mut c_void, *mut *mut c_void, *const AttachArgs) -> i32,
}

/// What a `JavaVM*` points at.
#[repr(transparent)]
struct JavaVm(*const InvokeTable);

// SAFETY: constant data.
unsafe impl Sync for InvokeTable {}
unsafe impl Sync for JavaVm {}

static INVOKE_TABLE: InvokeTable = InvokeTable {
    reserved: [std::ptr::null(); 3],
    destroy: destroy_java_vm,
    attach: attach_current_thread,
    detach: detach_current_thread,
    get_env,
    attach_as_daemon: attach_current_thread_as_daemon,
};

static JAVA_VM: JavaVm = JavaVm(&INVOKE_TABLE);

/// The `JavaVM*`.
pub fn java_vm() -> *mut c_void {
    &JAVA_VM as *const JavaVm as *mut c_void
}

/// Creation has begun; a process has one VM in its life.
static BEGUN: AtomicBool = AtomicBool::new(false);
/// The VM exists: created and not yet destroyed.
static CREATED: AtomicBool = AtomicBool::new(false);
/// The VM has existed.
static DESTROYED: AtomicBool = AtomicBool::new(false);
/// Id of the thread that ends the process by `System.exit`: exit handlers that it runs find no
/// VM to use. 0: nobody does.
static EXITING: AtomicU64 = AtomicU64::new(0);

/// The current thread ends the process: it counts as detached from now on.
pub fn leave_by_exit(t: &JavaThread) {
    EXITING.store(t.id, Ordering::Release);
}

/// Whether the current thread has no VM to use any more.
fn is_over() -> bool {
    let exiting = EXITING.load(Ordering::Acquire);
    DESTROYED.load(Ordering::Acquire) || exiting != 0 && JavaThread::current().is_none_or(|t| t.id == exiting)
}

/// Functions of the embedder, from the options `exit` and `abort`; 0 if there is none.
static EXIT_HOOK: AtomicUsize = AtomicUsize::new(0);
static ABORT_HOOK: AtomicUsize = AtomicUsize::new(0);

/// What the embedder wants called instead of `exit`.
pub fn exit_hook() -> Option<extern "C" fn(c_int)> {
    // SAFETY: null, or what the embedder gave under the name of such a function.
    unsafe { std::mem::transmute::<usize, Option<extern "C" fn(c_int)>>(EXIT_HOOK.load(Ordering::Acquire)) }
}

/// What the embedder wants called before the process is aborted.
pub fn abort_hook() -> Option<extern "C" fn()> {
    // SAFETY: as above.
    unsafe { std::mem::transmute::<usize, Option<extern "C" fn()>>(ABORT_HOOK.load(Ordering::Acquire)) }
}

/// Fills in defaults: for 1.1 the stack size, which the launcher asks for this way.
///
/// # Safety
/// `args` must point to a `JavaVMInitArgs`, or for version 1.1 to a `JDK1_1InitArgs`.
#[no_mangle]
pub unsafe extern "C" fn JNI_GetDefaultJavaVMInitArgs(args: *mut c_void) -> i32 {
    let version = *(args as *const i32);
    if version == VERSION_1_1 {
        let old = &mut *(args as *mut InitArgs1_1);
        // HotSpot's ThreadStackSize.
        old.java_stack_size = if cfg!(target_arch = "aarch64") { 2 << 20 } else { 1 << 20 };
    }
    if is_supported(version) {
        OK
    } else {
        ERR
    }
}

/// The VM, if it exists.
///
/// # Safety
/// `vms` must have room for `room` pointers; `count` is null or a place for the number.
#[no_mangle]
pub unsafe extern "C" fn JNI_GetCreatedJavaVMs(vms: *mut *mut c_void, room: i32, count: *mut i32) -> i32 {
    let created = CREATED.load(Ordering::Acquire);
    if !count.is_null() {
        *count = i32::from(created);
    }
    if created && room > 0 {
        *vms = java_vm();
    }
    OK
}

/// Creates the VM; the calling thread becomes its main thread.
///
/// # Safety
/// As the JNI specification says: places for the two results, a valid `JavaVMInitArgs`.
#[no_mangle]
pub unsafe extern "C" fn JNI_CreateJavaVM(vm: *mut *mut c_void, env: *mut *mut c_void, args: *const VmInitArgs) -> i32 {
    if BEGUN.swap(true, Ordering::AcqRel) {
        // A second VM, or another try after a failure.
        return if CREATED.load(Ordering::Acquire) { EEXIST } else { ERR };
    }
    let args = &*args;
    if !is_supported(args.version) {
        BEGUN.store(false, Ordering::Release);
        return EVERSION;
    }
    let options = take_options(args);
    match vm::startup::create(options, args.ignore_unrecognized != 0) {
        Ok(t) => {
            CREATED.store(true, Ordering::Release);
            *vm = java_vm();
            *env = t.env();
            lifecycle::to_native(t);
            OK
        }
        Err(code) => {
            *vm = std::ptr::null_mut();
            *env = std::ptr::null_mut();
            code
        }
    }
}

/// The options' texts; hooks are installed and left out.
unsafe fn take_options(args: &VmInitArgs) -> Vec<OsString> {
    let mut texts = Vec::new();
    if args.count <= 0 {
        return texts;
    }
    for o in std::slice::from_raw_parts(args.options, args.count as usize) {
        if o.text.is_null() {
            continue;
        }
        let text = CStr::from_ptr(o.text).to_bytes();
        match text {
            b"vfprintf" => crate::os::jio::set_vfprintf_hook(std::mem::transmute::<
                *mut c_void,
                Option<crate::os::jio::VfprintfHook>,
            >(o.extra)),
            b"exit" => EXIT_HOOK.store(o.extra as usize, Ordering::Release),
            b"abort" => ABORT_HOOK.store(o.extra as usize, Ordering::Release),
            _ => texts.push(OsStr::from_bytes(text).to_os_string()),
        }
    }
    texts
}

/// `GetEnv`.
unsafe extern "C" fn get_env(_vm: *mut c_void, env: *mut *mut c_void, version: i32) -> i32 {
    *env = std::ptr::null_mut();
    // Start-up loads libraries whose JNI_OnLoad comes here: their thread is one already.
    if is_over() {
        return EDETACHED;
    }
    let Some(t) = JavaThread::current() else { return EDETACHED };
    if !is_supported_or_1_1(version) {
        return EVERSION;
    }
    *env = t.env();
    OK
}

unsafe extern "C" fn attach_current_thread(_vm: *mut c_void, env: *mut *mut c_void, args: *const AttachArgs) -> i32 {
    attach(env, args, false)
}

unsafe extern "C" fn attach_current_thread_as_daemon(
    _vm: *mut c_void,
    env: *mut *mut c_void,
    args: *const AttachArgs,
) -> i32 {
    attach(env, args, true)
}

unsafe fn attach(env: *mut *mut c_void, args: *const AttachArgs, daemon: bool) -> i32 {
    if !CREATED.load(Ordering::Acquire) || is_over() {
        *env = std::ptr::null_mut();
        return ERR;
    }
    if let Some(t) = JavaThread::current() {
        *env = t.env();
        return OK;
    }
    let args = args.as_ref();
    if args.is_some_and(|a| !is_supported_or_1_1(a.version)) {
        return EVERSION;
    }
    let Ok(t) = lifecycle::attach(daemon) else { return ERR };
    let name = args.filter(|a| !a.name.is_null()).map(|a| CStr::from_ptr(a.name).to_bytes());
    let group = args.map_or(std::ptr::null_mut(), |a| a.group);
    if let Err(Thrown { .. }) = make_thread_object(t, name, refs::resolve(group), daemon) {
        t.exception.set(Oop::NULL);
        lifecycle::detach(t);
        return ERR;
    }
    *env = t.env();
    lifecycle::to_native(t);
    OK
}

/// Makes the `java.lang.Thread` of an attached thread, in `group` (null: the main group).
fn make_thread_object(t: &JavaThread, name: Option<&[u8]>, group: Oop, daemon: bool) -> VmResult<()> {
    let group = if group.is_null() { vm::startup::main_thread_group() } else { group };
    let thread = alloc::instance(t, Known::Thread.get())?;
    store::<i32>(thread, KnownField::ThreadPriority.offset(), 5);
    lifecycle::set_thread_object(t, thread);
    let word = |o: Oop| o.address() as u64;
    match name {
        Some(name) => {
            let name = strings::from_mutf8(t, name)?;
            let init = method(Known::Thread, "<init>", "(Ljava/lang/ThreadGroup;Ljava/lang/String;)V");
            call(t, init, &[word(thread), word(group), word(name)])?;
        }
        None => {
            let init = method(Known::Thread, "<init>", "(Ljava/lang/ThreadGroup;Ljava/lang/Runnable;)V");
            call(t, init, &[word(thread), word(group), 0])?;
        }
    }
    // The constructor copied daemon-ness and status from the thread it takes for its parent.
    store::<u8>(thread, KnownField::ThreadDaemon.offset(), u8::from(daemon));
    lifecycle::set_thread_object(t, thread);
    let add = method(Known::ThreadGroup, "add", "(Ljava/lang/Thread;)V");
    call(t, add, &[word(group), word(thread)])?;
    debug_assert!(load::<i64>(thread, KnownField::ThreadEetop.offset()) != 0);
    Ok(())
}

/// `DetachCurrentThread`.
unsafe extern "C" fn detach_current_thread(_vm: *mut c_void) -> i32 {
    if is_over() {
        return ERR;
    }
    let Some(t) = JavaThread::current() else { return OK };
    if !t.top_frame.get().is_null() {
        // Called from a native method: its Java frames would be left without a thread.
        return ERR;
    }
    // The thread is gone afterwards, and with it the state to go back to.
    std::mem::forget(state::vm_scope(t));
    lifecycle::detach(t);
    OK
}

/// `DestroyJavaVM`: waits for the other non-daemon threads, runs the shutdown hooks.
unsafe extern "C" fn destroy_java_vm(_vm: *mut c_void) -> i32 {
    if !CREATED.load(Ordering::Acquire) || is_over() {
        return ERR;
    }
    let mut env = std::ptr::null_mut();
    let args = AttachArgs { version: VERSIONS[0], name: c"DestroyJavaVM".as_ptr(), group: std::ptr::null_mut() };
    let code = attach(&mut env, &args, false);
    if code != OK {
        return code;
    }
    let Some(t) = JavaThread::current() else { return ERR };
    std::mem::forget(state::vm_scope(t));
    vm::shutdown::run(t);
    safepoint::stop_the_world(t, "Exit", |_| vm::shutdown::before_exit());
    lifecycle::detach(t);
    CREATED.store(false, Ordering::Release);
    DESTROYED.store(true, Ordering::Release);
    OK
}
