//! Classes, and what objects say of theirs.

use crate::exceptions::{throw, VmResult};
use crate::heap::alloc;
use crate::heap::layout::Oop;
use crate::jni::border::c_bytes;
use crate::jni::native;
use crate::link::{init, load};
use crate::meta::class::ClassRef;
use crate::meta::loader::{boot, LoaderRef};
use crate::meta::symbol::Symbol;
use crate::meta::well_known::{method, Known};
use crate::threads::{stackwalk, JavaThread};
use crate::{log, native_fn};
use std::ffi::c_void;

/// The class a `jclass` denotes. Native code must not pass a primitive type where this is used.
pub fn class_of_mirror(mirror: Oop) -> ClassRef {
    match load::mirror_to_class(mirror) {
        load::MirrorOf::Class(c) => c,
        load::MirrorOf::Primitive(p) => panic!("a JNI function was called with the primitive type {}", p.java_name()),
    }
}

/// Initializes a class; array classes need none.
pub fn initialize(t: &JavaThread, class: ClassRef) -> VmResult<()> {
    if class.is_array() {
        return Ok(());
    }
    init::initialize(t, class)
}

/// The name argument of FindClass and DefineClass.
fn class_name(t: &JavaThread, name: Option<&[u8]>) -> VmResult<Symbol> {
    let error = |m: String| Err(throw(t, "java/lang/NoClassDefFoundError", Some(m)));
    match name {
        None => error("No class name given".into()),
        Some(n) if n.len() > 65535 => {
            error(format!("Class name exceeds maximum length of 65535: {}", String::from_utf8_lossy(n)))
        }
        Some(n) => Ok(Symbol::intern(n)),
    }
}

/// The loader in whose name native code looks classes up: its caller's; the system loader if
/// no Java frame is there.
fn context_loader(t: &JavaThread) -> VmResult<LoaderRef> {
    let caller = match stackwalk::caller_class(t, 0) {
        Some(c) if native::calls_on_load(c) => native::context_of_on_load(t, c)?,
        c => c,
    };
    match caller {
        Some(c) => Ok(load::loader_of(t, c.loader.object.get())),
        None => system_loader(t),
    }
}

/// `ClassLoader.getSystemClassLoader()`; the boot loader until start-up has made it.
fn system_loader(t: &JavaThread) -> VmResult<LoaderRef> {
    if !crate::vm::get().is_booted() {
        return Ok(boot());
    }
    let getter = method(Known::ClassLoader, "getSystemClassLoader", "()Ljava/lang/ClassLoader;");
    let loader = crate::interpreter::call::call(t, getter, &[])?;
    Ok(load::loader_of(t, Oop::from_address(loader as usize)))
}

native_fn! {
    /// `GetVersion`: JNI_VERSION_10.
    raw fn GetVersion(_t) -> i32 {
        Ok(0x000A_0000)
    }

    /// `DefineClass`.
    fn DefineClass(t, name: *const c_void, loader: Oop, bytes: *const u8, length: i32) -> Oop {
        let name = match c_bytes(name) {
            Some(n) => Some(class_name(t, Some(n))?),
            None => None,
        };
        let bytes = if bytes.is_null() { &[] } else { std::slice::from_raw_parts(bytes, length as usize) };
        let options = load::DefineOptions { protection_domain: Oop::NULL, source: None, hidden: None };
        let loader = load::loader_of(t, loader);
        Ok(load::define_class(t, loader, name, bytes, options)?.mirror())
    }

    /// `FindClass`: initializes what it finds. "Lname;" stands for "name", as on HotSpot.
    fn FindClass(t, name: *const c_void) -> Oop {
        let mut name = class_name(t, c_bytes(name))?;
        if let [b'L', inner @ .., b';'] = name.as_bytes() {
            name = Symbol::intern(inner);
        }
        let loader = context_loader(t)?;
        let class = load::load_or_no_class_def(t, loader, name)?;
        initialize(t, class)?;
        log!(Debug, [class, resolve], "{} (JNI FindClass)", class);
        Ok(class.mirror())
    }

    /// `GetSuperclass`: null for interfaces, primitive types and Object.
    raw fn GetSuperclass(_t, class: Oop) -> Oop {
        let load::MirrorOf::Class(c) = load::mirror_to_class(class) else { return Ok(Oop::NULL) };
        if c.is_interface() && !c.is_array() {
            return Ok(Oop::NULL);
        }
        Ok(c.super_class.map_or(Oop::NULL, |s| s.mirror()))
    }

    /// `IsAssignableFrom`.
    raw fn IsAssignableFrom(_t, sub: Oop, sup: Oop) -> bool {
        Ok(match (load::mirror_to_class(sub), load::mirror_to_class(sup)) {
            (load::MirrorOf::Class(a), load::MirrorOf::Class(b)) => a.is_subclass_of(b),
            (a, b) => a == b,
        })
    }

    /// `AllocObject`.
    fn AllocObject(t, class: Oop) -> Oop {
        allocate(t, class)
    }

    /// `GetObjectClass`.
    raw fn GetObjectClass(_t, object: Oop) -> Oop {
        Ok(object.class().mirror())
    }

    /// `IsInstanceOf`: null is an instance of everything.
    raw fn IsInstanceOf(_t, object: Oop, class: Oop) -> bool {
        Ok(object.is_null()
            || match load::mirror_to_class(class) {
                load::MirrorOf::Class(c) => object.class().is_subclass_of(c),
                load::MirrorOf::Primitive(_) => false,
            })
    }

    /// `GetModule`.
    fn GetModule(t, class: Oop) -> Oop {
        if class.is_null() {
            return Err(throw(t, "java/lang/NullPointerException", Some("class is null".into())));
        }
        if class.class() != Known::Class.get() {
            return Err(throw(t, "java/lang/IllegalArgumentException", Some("Invalid class".into())));
        }
        Ok(crate::heap::access::load_ref(class, crate::meta::well_known::KnownField::ClassModule.offset()))
    }
}

/// A new instance of the class of `mirror`, which is initialized first.
/// Throws InstantiationException for what has no instances, IllegalAccessException for Class.
pub fn allocate(t: &JavaThread, mirror: Oop) -> VmResult<Oop> {
    let refuse = |name: String| Err(throw(t, "java/lang/InstantiationException", Some(name)));
    let class = match load::mirror_to_class(mirror) {
        load::MirrorOf::Class(c) => c,
        load::MirrorOf::Primitive(p) => return refuse(p.java_name().into()),
    };
    if class.is_array() || class.is_interface() || class.is_abstract() {
        return refuse(class.external_name());
    }
    if class == Known::Class.get() {
        return Err(throw(t, "java/lang/IllegalAccessException", Some(class.external_name())));
    }
    init::initialize(t, class)?;
    alloc::instance(t, class)
}
