//! Verification at link time (JVMS 5.4.1): the type-checking verifier's questions answered from
//! the class hierarchy; older class files go to the JDK's `libverify`.

use super::load::{load_or_no_class_def, mirror_to_class, MirrorOf};
use super::resolve;
use crate::exceptions::{throw, Thrown, VmResult};
use crate::jni::refs;
use crate::meta::class::ClassRef;
use crate::meta::method::MethodRef;
use crate::meta::symbol::Symbol;
use crate::threads::{state, JavaThread};
use crate::verify::{verify_class, verify_hidden_class, VerifyEnv, VerifyFailure, FIRST_MAJOR_VERSION};
use std::ffi::{c_char, c_void, CString};
use std::os::unix::ffi::OsStrExt;
use std::sync::OnceLock;

/// Verifies `class`; throws VerifyError and what loading other classes threw.
pub(super) fn verify(t: &JavaThread, class: ClassRef) -> VmResult<()> {
    let file = class.file();
    if file.major_version < FIRST_MAJOR_VERSION {
        return verify_old(t, class, None);
    }
    let mut env = LinkEnv { t, class };
    let verdict = if class.is_hidden() {
        verify_hidden_class(file, class.name.as_bytes(), &mut env)
    } else {
        verify_class(file, &mut env)
    };
    match verdict {
        Ok(()) => Ok(()),
        Err(VerifyFailure::Error(e)) => Err(throw(t, e.class, Some(e.message))),
        Err(VerifyFailure::NeedsOldVerifier(e)) => verify_old(t, class, Some(e.message)),
        Err(VerifyFailure::Pending(thrown)) => Err(thrown),
    }
}

struct LinkEnv<'a> {
    t: &'a JavaThread,
    class: ClassRef,
}

impl LinkEnv<'_> {
    fn find(&self, name: &[u8]) -> VmResult<ClassRef> {
        // A hidden class is found under its own name here alone. The name in its class file is another's.
        if name == self.class.name.as_bytes() {
            return Ok(self.class);
        }
        load_or_no_class_def(self.t, self.class.loader, Symbol::intern(name))
    }

    fn restricted(&self, holder: ClassRef, is_protected: bool) -> bool {
        is_protected && !self.class.is_same_package(holder)
    }
}

impl VerifyEnv for LinkEnv<'_> {
    type Error = Thrown;

    fn load(&mut self, name: &[u8]) -> VmResult<()> {
        self.find(name).map(|_| ())
    }

    fn is_assignable(&mut self, from: &[u8], to: &[u8], protected_access: bool) -> VmResult<bool> {
        let target = self.find(to)?;
        if target.is_interface() && (!protected_access || from != b"java/lang/Object") {
            let from_array = from.first() == Some(&b'[');
            let array_super = target.loader.is_boot() && matches!(to, b"java/lang/Cloneable" | b"java/io/Serializable");
            return Ok(!from_array || array_super);
        }
        if from.first() == Some(&b'[') {
            return Ok(false);
        }
        Ok(self.find(from)?.is_subclass_of(target))
    }

    fn is_superclass_name(&mut self, name: &[u8]) -> bool {
        let mut c = self.class.super_class;
        while let Some(s) = c {
            if s.name.as_bytes() == name {
                return true;
            }
            c = s.super_class;
        }
        false
    }

    fn is_protected_field(&mut self, class: &[u8], name: &[u8], descriptor: &[u8]) -> VmResult<bool> {
        let c = self.find(class)?;
        if !self.class.is_subclass_of(c) {
            return Ok(false);
        }
        let f = resolve::lookup_field(c, Symbol::intern(name), Symbol::intern(descriptor));
        Ok(f.is_some_and(|f| self.restricted(f.class(), f.access_flags & crate::classfile::access::ACC_PROTECTED != 0)))
    }

    fn is_protected_method(&mut self, class: &[u8], name: &[u8], descriptor: &[u8]) -> VmResult<bool> {
        let c = self.find(class)?;
        if !self.class.is_subclass_of(c) {
            return Ok(false);
        }
        let m = in_superclasses(c, Symbol::intern(name), Symbol::intern(descriptor));
        Ok(m.is_some_and(|m| self.restricted(m.class(), m.is_protected())))
    }
}

fn in_superclasses(class: ClassRef, name: Symbol, descriptor: Symbol) -> Option<MethodRef> {
    let mut c = Some(class);
    while let Some(k) = c {
        if let Some(m) = k.find_declared(name, descriptor) {
            return Some(m);
        }
        c = k.super_class;
    }
    None
}

/// `VerifyClassForMajorVersion` of `libverify`.
type OldVerifier = unsafe extern "C" fn(*mut c_void, *mut c_void, *mut c_char, i32, i32) -> u8;

fn old_verifier() -> Result<OldVerifier, String> {
    static FUNCTION: OnceLock<Result<usize, String>> = OnceLock::new();
    let found = FUNCTION.get_or_init(|| {
        let path = crate::vm::get().paths.boot_library_path.join("libverify.so");
        let c_path = CString::new(path.as_os_str().as_bytes()).map_err(|e| e.to_string())?;
        // SAFETY: the JDK's own library, whose initializers need nothing of us.
        let handle = unsafe { libc::dlopen(c_path.as_ptr(), libc::RTLD_LAZY) };
        if handle.is_null() {
            return Err(format!("Could not load {}", path.display()));
        }
        // SAFETY: a valid handle and a NUL-terminated name.
        let f = unsafe { libc::dlsym(handle, c"VerifyClassForMajorVersion".as_ptr()) };
        if f.is_null() {
            return Err(format!("{} has no VerifyClassForMajorVersion", path.display()));
        }
        Ok(f as usize)
    });
    // SAFETY: the symbol has this signature in every JDK 17.
    found.clone().map(|f| unsafe { std::mem::transmute::<usize, OldVerifier>(f) })
}

/// Runs the inference verifier (class files before version 50, and version 50 after a failure
/// of the type checker, whose message then stands).
fn verify_old(t: &JavaThread, class: ClassRef, message: Option<String>) -> VmResult<()> {
    let verifier = old_verifier().map_err(|m| throw(t, "java/lang/InternalError", Some(m)))?;
    let mut buffer = [0u8; 256];
    let major = i32::from(class.file().major_version);
    let mirror = refs::new_local(t, class.mirror());
    debug_assert_eq!(mirror_to_class(class.mirror()), MirrorOf::Class(class));
    let env = t.env();
    let ok = state::in_native(t, || {
        // SAFETY: env and handle are this thread's own; the buffer's length is given.
        unsafe { verifier(env, mirror, buffer.as_mut_ptr().cast(), buffer.len() as i32, major) }
    });
    if t.has_pending_exception() {
        return Err(Thrown::pending(t));
    }
    if ok == 1 {
        return Ok(());
    }
    let end = buffer.iter().position(|&b| b == 0).unwrap_or(buffer.len());
    let text = String::from_utf8_lossy(&buffer[..end]).into_owned();
    // libverify's codes: 0 verify error, 2 class format error.
    let error = if ok == 2 { "java/lang/ClassFormatError" } else { "java/lang/VerifyError" };
    Err(throw(t, error, Some(message.unwrap_or(text))))
}
