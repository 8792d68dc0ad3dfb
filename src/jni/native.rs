//! Native methods: finding their function (JNI specification, "Resolving Native Method
//! Names"; `ClassLoader.findNative`), and calling it.

use super::{refs, stub};
use crate::exceptions::{throw, Thrown, VmResult};
use crate::heap::layout::BasicType;
use crate::heap::strings;
use crate::interpreter::call::call as call_java;
use crate::link::init;
use crate::meta::method::MethodRef;
use crate::meta::well_known::{method, Known};
use crate::threads::{state, JavaThread};
use std::ffi::{c_char, c_void, CStr, CString};
use std::os::unix::ffi::OsStrExt;
use std::sync::atomic::Ordering;
use std::sync::OnceLock;

/// Calls native method `m` (not static-synchronized handling: the interpreter locks) with its
/// argument slots at `args`. The caller has pushed a Native frame whose locals are `args`.
/// Links the method on first use; throws UnsatisfiedLinkError.
pub fn call(t: &JavaThread, m: MethodRef, args: *mut u64) -> VmResult<u64> {
    let mut function = m.native_function.load(Ordering::Acquire);
    if function == 0 {
        function = link(t, m)?;
    }
    let stub = match m.native_stub.load(Ordering::Acquire) {
        0 => {
            let made = stub::for_method(m);
            m.native_stub.store(made as usize, Ordering::Release);
            made
        }
        // SAFETY: only addresses of stubs are stored, and stubs are never freed.
        p => unsafe { std::mem::transmute::<usize, stub::Stub>(p) },
    };
    let class = if m.is_static() { m.class().mirror.address() as *mut c_void } else { std::ptr::null_mut() };
    let env = t.env();
    // SAFETY: this thread's own local references; no borrow is held over the call.
    let mark = unsafe { refs::locals(t) }.enter();
    // SAFETY: the stub was made for the method's signature, `args` are its arguments; the
    // function is what the library or RegisterNatives gives for this signature.
    let raw = state::in_native(t, || unsafe { stub(args, env, class, function as *const c_void) });
    let result = match m.return_type {
        // SAFETY: a native method returns a valid reference or null.
        BasicType::Object | BasicType::Array => unsafe { refs::resolve(raw as usize as *mut c_void) }.address() as u64,
        _ => raw,
    };
    // SAFETY: as above.
    unsafe { refs::locals(t) }.leave(mark);
    if t.has_pending_exception() {
        return Err(Thrown::pending(t));
    }
    Ok(result)
}

/// Binds `m` to its function. Throws UnsatisfiedLinkError naming the method.
fn link(t: &JavaThread, m: MethodRef) -> VmResult<usize> {
    let short = short_name(m);
    let long = format!("{short}__{}", mangle(parameters_of(m)));
    for name in [&short, &long] {
        if let Some(f) = find(t, m, name)? {
            if m.native_function.compare_exchange(0, f, Ordering::AcqRel, Ordering::Acquire).is_ok() {
                crate::log!(Debug, [jni, resolve], "[Dynamic-linking native method {}.{} ... JNI]", m.class(), m.name);
            }
            return Ok(m.native_function.load(Ordering::Acquire));
        }
    }
    Err(throw(t, "java/lang/UnsatisfiedLinkError", Some(format!("'{}'", m.external_name()))))
}

fn parameters_of(m: MethodRef) -> &'static [u8] {
    let d = m.descriptor.as_bytes();
    let end = d.iter().rposition(|&b| b == b')').unwrap_or(d.len());
    &d[1..end]
}

/// `Java_pkg_Class_method`.
fn short_name(m: MethodRef) -> String {
    format!("Java_{}_{}", mangle(m.class().name.as_bytes()), mangle(m.name.as_bytes()))
}

/// JNI name mangling of modified UTF-8: `/` becomes `_`, `_` `_1`, `;` `_2`, `[` `_3`, and what
/// is not an ASCII letter or digit `_0xxxx`, per UTF-16 code unit.
pub fn mangle(name: &[u8]) -> String {
    let mut out = String::with_capacity(name.len() + 8);
    for unit in crate::classfile::mutf8::utf16(name) {
        match u8::try_from(unit) {
            Ok(b'/') => out.push('_'),
            Ok(b'_') => out.push_str("_1"),
            Ok(b';') => out.push_str("_2"),
            Ok(b'[') => out.push_str("_3"),
            Ok(c) if c.is_ascii_alphanumeric() => out.push(c as char),
            _ => out.push_str(&format!("_0{unit:04x}")),
        }
    }
    out
}

/// Names that the VM itself answers, wherever the class library asks for them.
fn special(name: &str) -> Option<usize> {
    let export = match name {
        "Java_jdk_internal_misc_Unsafe_registerNatives" => c"JVM_RegisterJDKInternalMiscUnsafeMethods",
        "Java_java_lang_invoke_MethodHandleNatives_registerNatives" => c"JVM_RegisterMethodHandleMethods",
        "Java_jdk_internal_foreign_abi_UpcallStubs_registerNatives" => c"JVM_RegisterUpcallHandlerMethods",
        "Java_jdk_internal_foreign_abi_ProgrammableUpcallHandler_registerNatives" => {
            c"JVM_RegisterProgrammableUpcallHandlerMethods"
        }
        "Java_jdk_internal_foreign_abi_ProgrammableInvoker_registerNatives" => c"JVM_RegisterProgrammableInvokerMethods",
        "Java_jdk_internal_invoke_NativeEntryPoint_registerNatives" => c"JVM_RegisterNativeEntryPointMethods",
        "Java_jdk_internal_perf_Perf_registerNatives" => c"JVM_RegisterPerfMethods",
        "Java_sun_hotspot_WhiteBox_registerNatives" => c"JVM_RegisterWhiteBoxMethods",
        "Java_jdk_test_whitebox_WhiteBox_registerNatives" => c"JVM_RegisterWhiteBoxMethods",
        "Java_jdk_internal_vm_vector_VectorSupport_registerNatives" => c"JVM_RegisterVectorSupportMethods",
        "Java_jdk_internal_misc_ScopedMemoryAccess_registerNatives" => {
            c"JVM_RegisterJDKInternalMiscScopedMemoryAccessMethods"
        }
        _ => return None,
    };
    own_symbol(export)
}

/// A symbol that this library exports.
fn own_symbol(name: &CStr) -> Option<usize> {
    static OWN: OnceLock<usize> = OnceLock::new();
    let handle = *OWN.get_or_init(|| {
        // SAFETY: Dl_info is plain data; dladdr fills it for an address of this library.
        let mut info: libc::Dl_info = unsafe { std::mem::zeroed() };
        // SAFETY: as above; dlopen of the path it names only counts a reference.
        unsafe {
            if libc::dladdr(own_symbol as *const c_void, &mut info) == 0 {
                return 0;
            }
            libc::dlopen(info.dli_fname, libc::RTLD_LAZY | libc::RTLD_NOLOAD) as usize
        }
    });
    lookup(handle, name)
}

fn lookup(handle: usize, name: &CStr) -> Option<usize> {
    if handle == 0 {
        return None;
    }
    // SAFETY: a handle that dlopen gave, and a NUL-terminated name.
    let p = unsafe { libc::dlsym(handle as *mut c_void, name.as_ptr()) } as usize;
    (p != 0).then_some(p)
}

/// `libjava.so`, which the VM loads itself: it holds the natives of the first classes.
fn libjava() -> Result<usize, String> {
    static HANDLE: OnceLock<Result<usize, String>> = OnceLock::new();
    HANDLE
        .get_or_init(|| {
            let path = crate::vm::get().paths.boot_library_path.join("libjava.so");
            let c_path = CString::new(path.as_os_str().as_bytes()).map_err(|e| e.to_string())?;
            // SAFETY: the JDK's library; its JNI_OnLoad is called below as HotSpot does.
            let h = unsafe { libc::dlopen(c_path.as_ptr(), libc::RTLD_LAZY) } as usize;
            if h == 0 {
                // SAFETY: dlerror gives a NUL-terminated text or null.
                let why = unsafe { libc::dlerror() as *const c_char };
                let why = if why.is_null() {
                    String::new()
                } else {
                    // SAFETY: as above.
                    unsafe { CStr::from_ptr(why) }.to_string_lossy().into_owned()
                };
                return Err(format!("Unable to load native library: {why}"));
            }
            Ok(h)
        })
        .clone()
}

fn find(t: &JavaThread, m: MethodRef, name: &str) -> VmResult<Option<usize>> {
    let loader = m.class().loader.object.get();
    if loader.is_null() {
        if let Some(f) = special(name) {
            return Ok(Some(f));
        }
        let handle = libjava().map_err(|e| throw(t, "java/lang/UnsatisfiedLinkError", Some(e)))?;
        let c_name = CString::new(name).expect("mangled names have no NUL");
        if let Some(f) = lookup(handle, &c_name) {
            return Ok(Some(f));
        }
    }
    // static long findNative(ClassLoader loader, String entryName)
    init::initialize(t, Known::ClassLoader.get())?;
    let entry = strings::new(t, name)?;
    let find_native = method(Known::ClassLoader, "findNative", "(Ljava/lang/ClassLoader;Ljava/lang/String;)J");
    let found = call_java(t, find_native, &[loader.address() as u64, entry.address() as u64])?;
    Ok((found != 0).then_some(found as usize))
}

#[cfg(test)]
mod tests {
    use super::mangle;

    #[test]
    fn names_are_mangled_as_jni_says() {
        assert_eq!(mangle(b"java/lang/Object"), "java_lang_Object");
        assert_eq!(mangle(b"my_method$1"), "my_1method_000241");
        assert_eq!(mangle(b"[Ljava/lang/String;I"), "_3Ljava_lang_String_2I");
        assert_eq!(mangle("\u{e9}".as_bytes()), "_000e9");
    }
}
