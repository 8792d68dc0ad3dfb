//! Native methods: finding their function (JNI specification, "Resolving Native Method
//! Names"; `ClassLoader.findNative`), and calling it.

use super::{mangle, refs, stub};
use crate::exceptions::{throw, Thrown, VmResult};
use crate::heap::layout::Oop;
use crate::heap::strings;
use crate::link::load;
use crate::meta::class::ClassRef;
use crate::meta::method::{external_types, Method, MethodRef};
use crate::meta::symbol::Symbol;
use crate::meta::well_known::{self, Known};
use crate::threads::JavaThread;
use crate::{log, sym};
use std::ffi::{c_void, CString};
use std::os::unix::ffi::OsStrExt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::OnceLock;

/// Calls native method `m` (not static-synchronized handling: the interpreter locks) with its
/// argument slots at `args`. The caller has pushed a Native frame whose locals are `args`.
/// Links the method on first use; throws UnsatisfiedLinkError.
pub fn call(t: &JavaThread, m: MethodRef, args: *mut u64) -> VmResult<u64> {
    let mut function = m.native_function.load(Ordering::Acquire);
    if function == 0 {
        function = link(t, m)?;
    }
    let entry = stub::of_method(m);
    let class = m.class().mirror.address() as *mut c_void;
    // SAFETY: the current thread's own.
    let mark = unsafe { refs::locals(t).enter() };
    // SAFETY: the stub was made for this method's types, `args` are its arguments, the thread
    // is in the VM; native code's word must be taken that the function has this signature.
    let mut result = unsafe { entry(args, t.env(), class, function) };
    t.vm.jni_checks.returned();
    if m.return_type.is_reference() {
        // SAFETY: what a native method returns is a reference or null. Resolved before the
        // frame that may hold it is closed; no safepoint lies between here and the caller.
        result = unsafe { refs::resolve(result as *mut c_void) }.address() as u64;
    }
    // SAFETY: the current thread's own, and every frame above `mark` belongs to this call.
    unsafe { refs::locals(t).leave(mark) };
    if t.has_pending_exception() {
        return Err(Thrown::pending(t));
    }
    Ok(result)
}

/// Finds the function of a native method and remembers it. Throws UnsatisfiedLinkError.
#[cold]
pub fn link(t: &JavaThread, m: MethodRef) -> VmResult<usize> {
    let function = find(t, m)?;
    let Some(function) = function else {
        return Err(throw(t, "java/lang/UnsatisfiedLinkError", Some(format!("'{}'", m.external_name()))));
    };
    m.native_function.store(function, Ordering::Release);
    log!(Debug, [jni, resolve], "[Dynamic-linking native method {}.{} ... JNI]", m.class().external_name(), m.name);
    Ok(function)
}

/// The function of a native method by its short, then its long name.
fn find(t: &JavaThread, m: MethodRef) -> VmResult<Option<usize>> {
    let Some(short) = mangle::short_name(m.class().name, m.name) else {
        log!(Debug, [jni, resolve], "[Lookup of native method with non-Java identifier rejected: {}]", m.name);
        return Ok(None);
    };
    if let Some(f) = find_named(t, m.class(), &short)? {
        return Ok(Some(f));
    }
    let Some(suffix) = mangle::long_suffix(m.descriptor) else {
        log!(Debug, [jni, resolve], "[Lookup of native method with non-Java identifier rejected: {}]", m.descriptor);
        return Ok(None);
    };
    find_named(t, m.class(), &(short + &suffix))
}

/// Natives whose function registers VM functions: (mangled name, our export).
const REGISTRARS: &[(&str, &str)] = &[
    ("Java_jdk_internal_misc_Unsafe_registerNatives", "JVM_RegisterJDKInternalMiscUnsafeMethods"),
    ("Java_java_lang_invoke_MethodHandleNatives_registerNatives", "JVM_RegisterMethodHandleMethods"),
    ("Java_jdk_internal_foreign_abi_UpcallStubs_registerNatives", "JVM_RegisterUpcallHandlerMethods"),
    (
        "Java_jdk_internal_foreign_abi_ProgrammableUpcallHandler_registerNatives",
        "JVM_RegisterProgrammableUpcallHandlerMethods",
    ),
    ("Java_jdk_internal_foreign_abi_ProgrammableInvoker_registerNatives", "JVM_RegisterProgrammableInvokerMethods"),
    ("Java_jdk_internal_invoke_NativeEntryPoint_registerNatives", "JVM_RegisterNativeEntryPointMethods"),
    ("Java_jdk_internal_perf_Perf_registerNatives", "JVM_RegisterPerfMethods"),
    ("Java_jdk_internal_vm_vector_VectorSupport_registerNatives", "JVM_RegisterVectorSupportMethods"),
    ("Java_jdk_jfr_internal_JVM_registerNatives", "JVM_RegisterJfrMethods"),
    (
        "Java_jdk_internal_misc_ScopedMemoryAccess_registerNatives",
        "JVM_RegisterJDKInternalMiscScopedMemoryAccessMethods",
    ),
];

/// Handle of the JDK's `libjava.so`, the home of the boot loader's first natives; the VM loads
/// it itself. Without it nothing can run, not even the constructor of an exception: the
/// process ends with HotSpot's message.
fn java_library() -> *mut c_void {
    static HANDLE: OnceLock<usize> = OnceLock::new();
    let load = || {
        let path = crate::vm::get().paths.boot_library_path.join("libjava.so");
        let name = CString::new(path.as_os_str().as_bytes()).expect("a path that exists has no NUL");
        // SAFETY: a NUL-terminated path; the JDK's own library.
        let handle = unsafe { libc::dlopen(name.as_ptr(), libc::RTLD_LAZY) };
        if handle.is_null() {
            // SAFETY: after a failure dlerror gives a string, valid until the next call.
            let error = unsafe { std::ffi::CStr::from_ptr(libc::dlerror()) };
            crate::vm_out!("Error occurred during initialization of VM\n");
            crate::vm_out!("Unable to load native library: {}\n", error.to_string_lossy());
            crate::os::console::exit(1);
        }
        handle as usize
    };
    *HANDLE.get_or_init(load) as *mut c_void
}

/// A function of the JDK's `libjava.so`.
pub fn java_symbol(name: &str) -> Option<usize> {
    symbol(java_library(), name)
}

/// `dlsym` that knows "not there".
fn symbol(library: *mut c_void, name: &str) -> Option<usize> {
    let name = CString::new(name).ok()?;
    // SAFETY: a handle from dlopen and a NUL-terminated name.
    let address = unsafe { libc::dlsym(library, name.as_ptr()) };
    (!address.is_null()).then_some(address as usize)
}

/// One of our own exports.
fn own_export(name: &str) -> usize {
    static SELF: AtomicUsize = AtomicUsize::new(0);
    let mut handle = SELF.load(Ordering::Acquire);
    if handle == 0 {
        // SAFETY: dladdr fills `info` for the address of one of our functions; the path it
        // gives is that of a loaded object.
        unsafe {
            let mut info: libc::Dl_info = std::mem::zeroed();
            assert!(libc::dladdr(own_export as *const c_void, &mut info) != 0, "the linker knows our code");
            handle = libc::dlopen(info.dli_fname, libc::RTLD_LAZY | libc::RTLD_NOLOAD) as usize;
        }
        SELF.store(handle, Ordering::Release);
    }
    symbol(handle as *mut c_void, name).unwrap_or_else(|| panic!("{name} is not exported by this VM"))
}

/// The function `name` in the libraries of the loader of `class`.
fn find_named(t: &JavaThread, class: ClassRef, name: &str) -> VmResult<Option<usize>> {
    if class.loader.is_boot() {
        if let Some(&(_, export)) = REGISTRARS.iter().find(|r| r.0 == name) {
            return Ok(Some(own_export(export)));
        }
        if let Some(f) = symbol(java_library(), name) {
            return Ok(Some(f));
        }
    }
    let finder = well_known::method(Known::ClassLoader, "findNative", "(Ljava/lang/ClassLoader;Ljava/lang/String;)J");
    crate::link::init::initialize(t, finder.class())?;
    let name = strings::new(t, name)?;
    let loader = class.loader.object.get();
    let f = crate::interpreter::call::call(t, finder, &[loader.address() as u64, name.address() as u64])?;
    Ok((f != 0).then_some(f as usize))
}

/// Binds `function` (0: unbinds) to the native method of `class` with this name and descriptor,
/// as RegisterNatives does. Throws NoSuchMethodError.
pub fn register(t: &JavaThread, class: ClassRef, name: Symbol, descriptor: Symbol, function: usize) -> VmResult<()> {
    let complain = |what: &str| {
        let (parameters, result) = external_types(descriptor.as_bytes());
        let class = class.external_name();
        let text = format!("Method '{result} {class}.{name}({})' {what}", parameters.join(", "));
        Err(throw(t, "java/lang/NoSuchMethodError", Some(text)))
    };
    let Some(m) = crate::link::resolve::lookup_method(class, name, descriptor) else {
        return complain("name or signature does not match");
    };
    if !m.is_native() {
        return complain("is not declared as native");
    }
    bind(m, function);
    log!(Debug, [jni, resolve], "[Registering JNI native method {}.{}]", m.class().external_name(), m.name);
    Ok(())
}

/// Sets a native method's function; 0 leaves it to be linked at the next call.
pub fn bind(m: &Method, function: usize) {
    m.native_function.store(function, Ordering::Release);
}

/// Whether `caller` is the class whose methods call `JNI_OnLoad` and `JNI_OnUnload`.
pub fn calls_on_load(caller: ClassRef) -> bool {
    caller.loader.is_boot() && caller.name == sym!("jdk/internal/loader/NativeLibraries")
}

/// The class in whose context `JNI_OnLoad` runs (none for `JNI_OnUnload`), for a `caller` that
/// [`calls_on_load`]: `NativeLibraries.getFromClass`.
pub fn context_of_on_load(t: &JavaThread, caller: ClassRef) -> VmResult<Option<ClassRef>> {
    let getter = caller
        .find_declared(sym!("getFromClass"), sym!("()Ljava/lang/Class;"))
        .expect("NativeLibraries.getFromClass is in this class library (JDK 17 is needed)");
    let mirror = Oop::from_address(crate::interpreter::call::call(t, getter, &[])? as usize);
    match mirror.non_null().map(load::mirror_to_class) {
        Some(load::MirrorOf::Class(c)) => Ok(Some(c)),
        Some(load::MirrorOf::Primitive(_)) | None => Ok(None),
    }
}
