//! Finding, loading and defining classes (`Class.forName0`, `ClassLoader`, `Lookup`).

use super::support::*;
use crate::exceptions::{throw, VmResult};
use crate::heap::layout::{BasicType, Oop};
use crate::heap::{access, strings};
use crate::interpreter::call::call;
use crate::jvm_entry;
use crate::link::load::{self, DefineOptions, HiddenOptions};
use crate::link::{access as link_access, init};
use crate::meta::class::ClassRef;
use crate::meta::loader::{self, LoaderRef};
use crate::meta::symbol::Symbol;
use crate::meta::well_known::{method, Known, KnownField};
use crate::threads::stackwalk::{self, frames};
use crate::threads::JavaThread;
use std::ffi::CStr;

const CLASS_NOT_FOUND: &str = "java/lang/ClassNotFoundException";
const NO_CLASS_DEF_FOUND: &str = "java/lang/NoClassDefFoundError";

/// What a class without a source of its own is logged as coming from.
const DEFINE_SOURCE: &str = "__JVM_DefineClass__";

/// `Lookup.defineClass` flags (`MethodHandleNatives.Constants`).
mod define_flags {
    pub const NESTMATE: i32 = 1;
    pub const HIDDEN: i32 = 2;
    pub const STRONG: i32 = 4;
    pub const ACCESS_VM_ANNOTATIONS: i32 = 8;
}

fn find(t: &JavaThread, loader: LoaderRef, name: Symbol, initialize: bool) -> VmResult<ClassRef> {
    let class = load::load_class(t, loader, name)?;
    if initialize && !class.is_array() {
        init::initialize(t, class)?;
    }
    Ok(class)
}

/// A security manager's say on whether a protection domain may see a class.
fn check_package_access(t: &JavaThread, class: ClassRef, loader: Oop, domain: Oop) -> VmResult<()> {
    if loader.is_null() || domain.is_null() {
        return Ok(());
    }
    let check = method(Known::ClassLoader, "checkPackageAccess", "(Ljava/lang/Class;Ljava/security/ProtectionDomain;)V");
    call(t, check, &[loader.address() as u64, class.mirror().address() as u64, domain.address() as u64])?;
    Ok(())
}

/// The bytes that native code passes as a class file.
///
/// # Safety
/// `bytes` must point at `length` bytes that stay as they are for 'a.
unsafe fn class_bytes<'a>(bytes: *const i8, length: i32) -> &'a [u8] {
    if length <= 0 || bytes.is_null() {
        return &[];
    }
    std::slice::from_raw_parts(bytes as *const u8, length as usize)
}

/// # Safety
/// `name` and `source` must be null or C strings, `bytes` as for [`class_bytes`].
unsafe fn define(
    t: &JavaThread,
    name: *const u8,
    loader: Oop,
    bytes: &[u8],
    domain: Oop,
    source: *const u8,
) -> VmResult<Oop> {
    let name = match name.is_null() {
        true => None,
        false => Some(class_name_argument(t, name, NO_CLASS_DEF_FOUND)?),
    };
    let source = match source.is_null() {
        true => DEFINE_SOURCE.into(),
        false => CStr::from_ptr(source as *const _).to_string_lossy(),
    };
    let options = DefineOptions { protection_domain: domain, source: Some(&source), hidden: None };
    let class = load::define_class(t, load::loader_of(t, loader), name, bytes, options)?;
    Ok(class.mirror())
}

fn lookup_define(
    t: &JavaThread,
    lookup: ClassRef,
    name: Option<Symbol>,
    bytes: &[u8],
    domain: Oop,
    initialize: bool,
    flags: i32,
    class_data: Oop,
) -> VmResult<Oop> {
    use define_flags::*;
    let nest_host = match flags & NESTMATE != 0 {
        true => Some(link_access::nest_host(t, lookup)?),
        false => None,
    };
    let hidden = flags & HIDDEN != 0;
    if !hidden {
        let problem = if !class_data.is_null() {
            Some("classData is only applicable for hidden classes".to_string())
        } else if nest_host.is_some() {
            Some("dynamic nestmate is only applicable for hidden classes".into())
        } else if flags & STRONG == 0 {
            Some("an ordinary class must be strongly referenced by its defining loader".into())
        } else if flags & ACCESS_VM_ANNOTATIONS != 0 {
            Some("vm annotations only allowed for hidden classes".into())
        } else if flags != STRONG {
            Some(format!("invalid flag 0x{flags:x}"))
        } else {
            None
        };
        if let Some(m) = problem {
            return Err(throw(t, ILLEGAL_ARGUMENT, Some(m)));
        }
    }
    let source = nest_host.map_or_else(|| "__JVM_LookupDefineClass__".to_string(), |h| h.external_name());
    let options = DefineOptions {
        protection_domain: domain,
        source: Some(&source),
        hidden: hidden.then_some(HiddenOptions {
            nest_host,
            strong: flags & STRONG != 0,
            vm_annotations: flags & ACCESS_VM_ANNOTATIONS != 0,
            class_data,
        }),
    };
    let class = load::define_class(t, lookup.loader, name, bytes, options)?;
    // Nothing else keeps a hidden class as yet.
    let mirror = class.mirror();
    if initialize {
        init::initialize(t, class)?;
    } else {
        init::link(t, class)?;
    }
    Ok(std::hint::black_box(mirror))
}

jvm_entry! {
    /// A class of the boot loader, null if there is none of this name.
    fn JVM_FindClassFromBootLoader(t, name: *const u8) -> Oop {
        if name.is_null() || CStr::from_ptr(name as *const _).count_bytes() > 65535 {
            return Ok(Oop::NULL);
        }
        let name = class_name_argument(t, name, CLASS_NOT_FOUND)?;
        Ok(load::try_load_class(t, loader::boot(), name)?.map_or(Oop::NULL, |c| c.mirror()))
    }

    /// `Class.forName0`.
    fn JVM_FindClassFromCaller(t, name: *const u8, initialize: bool, loader: Oop, caller: Oop) -> Oop {
        let name = class_name_argument(t, name, CLASS_NOT_FOUND)?;
        let class = load::load_class(t, load::loader_of(t, loader), name)?;
        if let Some(caller) = caller.non_null() {
            let domain = access::load_ref(caller, KnownField::ClassProtectionDomain.offset());
            check_package_access(t, class, loader, domain)?;
        }
        if initialize && !class.is_array() {
            init::initialize(t, class)?;
        }
        Ok(class.mirror())
    }

    /// For the verifier of old class files: as `from` would resolve the name.
    fn JVM_FindClassFromClass(t, name: *const u8, initialize: bool, from: Oop) -> Oop {
        let name = class_name_argument(t, name, CLASS_NOT_FOUND)?;
        let loader = class_of(from).map_or_else(loader::boot, |c| c.loader);
        let class = load::load_or_no_class_def(t, loader, name)?;
        if initialize {
            find(t, loader, name, true)?;
        }
        Ok(class.mirror())
    }

    /// `ClassLoader.findLoadedClass0`.
    fn JVM_FindLoadedClass(t, loader: Oop, name: Oop) -> Oop {
        let Some(name) = name.non_null() else { return Ok(Oop::NULL) };
        let name = internal_name(name);
        // What was never named cannot have been loaded.
        let array = name.first() == Some(&b'[');
        let symbol = if array { Some(Symbol::intern(&name)) } else { Symbol::lookup(&name) };
        let Some(symbol) = symbol else { return Ok(Oop::NULL) };
        let found = load::find_loaded(t, load::loader_of(t, loader), symbol)?;
        Ok(found.map_or(Oop::NULL, |c| c.mirror()))
    }

    /// `Class.getPrimitiveClass`.
    fn JVM_FindPrimitiveClass(t, name: *const u8) -> Oop {
        let text = CStr::from_ptr(name as *const _).to_string_lossy();
        let found = [b'Z', b'C', b'F', b'D', b'B', b'S', b'I', b'J', b'V']
            .into_iter()
            .filter_map(BasicType::from_descriptor)
            .find(|p| p.java_name() == text);
        match found {
            Some(p) => Ok(load::primitive_mirror(p)),
            None => Err(throw(t, CLASS_NOT_FOUND, Some(text.into_owned()))),
        }
    }

    /// JNI's DefineClass for the class library.
    fn JVM_DefineClass(t, name: *const u8, loader: Oop, bytes: *const i8, length: i32, domain: Oop) -> Oop {
        define(t, name, loader, class_bytes(bytes, length), domain, std::ptr::null())
    }

    /// `ClassLoader.defineClass1` and `defineClass2`.
    fn JVM_DefineClassWithSource(
        t, name: *const u8, loader: Oop, bytes: *const i8, length: i32, domain: Oop, source: *const u8
    ) -> Oop {
        define(t, name, loader, class_bytes(bytes, length), domain, source)
    }

    /// `ClassLoader.defineClass0`: `Lookup.defineClass` and `defineHiddenClass`.
    fn JVM_LookupDefineClass(
        t, lookup: Oop, name: *const u8, bytes: *const i8, length: i32, domain: Oop, initialize: bool, flags: i32,
        class_data: Oop
    ) -> Oop {
        let Some(lookup) = instance_class_of(lookup) else {
            return illegal_argument(t, Some("Lookup class is null"));
        };
        let name = match name.is_null() {
            true => None,
            false => Some(class_name_argument(t, name, NO_CLASS_DEF_FOUND)?),
        };
        lookup_define(t, lookup, name, class_bytes(bytes, length), domain, initialize, flags, class_data)
    }

    /// `Reflection.getCallerClass`.
    fn JVM_GetCallerClass(t) -> Oop {
        caller_class(t)
    }

    /// `jdk.internal.misc.VM.latestUserDefinedLoader0`: the loader of the innermost frame whose
    /// class is neither a boot nor a platform class, accessors of reflection apart.
    fn JVM_LatestUserDefinedLoader(t) -> Oop {
        let found = frames(t)
            .map(|f| f.method.class())
            .filter(|c| !c.is_subclass_of(Known::MethodAccessorImpl.get()))
            .filter(|c| !c.is_subclass_of(Known::ConstructorAccessorImpl.get()))
            .map(|c| c.loader)
            .find(|l| !l.is_boot() && !link_access::is_platform_loader(l));
        Ok(found.map_or(Oop::NULL, |l| l.object.get()))
    }

    /// `BootLoader.getSystemPackageLocation`: where a package of the boot loader comes from.
    fn JVM_GetSystemPackage(t, name: Oop) -> Oop {
        let Some(name) = name.non_null() else { return Ok(Oop::NULL) };
        let name = internal_name(name);
        let Some(symbol) = Symbol::lookup(&name) else { return Ok(Oop::NULL) };
        let package = loader::boot().packages.read().get(&symbol).copied();
        match package.filter(|p| p.defined.load(std::sync::atomic::Ordering::Acquire)) {
            Some(p) => match package_location(p) {
                Some(location) => strings::new(t, &location),
                None => Ok(Oop::NULL),
            },
            None => Ok(Oop::NULL),
        }
    }

    /// `BootLoader.getSystemPackageNames`.
    fn JVM_GetSystemPackages(t) -> Oop {
        let mut names: Vec<Symbol> = loader::boot()
            .packages
            .read()
            .values()
            .filter(|p| p.defined.load(std::sync::atomic::Ordering::Acquire) && package_location(p).is_some())
            .map(|p| p.name)
            .collect();
        names.sort_by_key(|n| n.as_bytes());
        let array = object_array(t, Known::String, names.len())?;
        for (i, n) in names.into_iter().enumerate() {
            let text = strings::from_mutf8(t, &n.dotted_bytes())?;
            access::set_array_ref(t, array, i, text);
        }
        Ok(array)
    }
}

/// "jrt:/MODULE" for a named module's package; for the unnamed module the path of the
/// appended directory or jar that a class of it came from.
fn package_location(p: crate::meta::loader::PackageRef) -> Option<String> {
    let module = p.module();
    if module.is_named() {
        return module.location.clone();
    }
    let classes = loader::boot().defined.lock().clone();
    classes
        .into_iter()
        .find(|c| c.package.is_some_and(|q| std::ptr::eq(q, p)))
        .and_then(|c| c.source.get())
        .map(|s| s.strip_prefix("file:").unwrap_or(s).to_string())
}

/// `Reflection.getCallerClass` as the class library sees it: the class that called the
/// `@CallerSensitive` method that asks. Throws InternalError if that one is not annotated.
pub fn caller_class(t: &JavaThread) -> VmResult<Oop> {
    match stackwalk::reflection_caller_class(t) {
        Ok(Some(c)) => Ok(c.mirror()),
        Ok(None) => Ok(Oop::NULL),
        Err(_) => {
            let m = "CallerSensitive annotation expected at frame 1";
            Err(throw(t, "java/lang/InternalError", Some(m.into())))
        }
    }
}
