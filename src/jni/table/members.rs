//! Field and method IDs. A `jfieldID` is the address of a [`Field`], a `jmethodID` that of a
//! [`Method`]: both lie in metaspace and live as long as their class.

use super::classes::initialize;
use crate::exceptions::{throw, VmResult};
use crate::heap::access::{load, load_ref};
use crate::heap::layout::Oop;
use crate::jni::border::c_bytes;
use crate::link::{load as loading, resolve};
use crate::meta::class::ClassRef;
use crate::meta::field::{Field, FieldRef};
use crate::meta::method::{Method, MethodRef};
use crate::meta::symbol::Symbol;
use crate::meta::well_known::{Known, KnownField};
use crate::native_fn;
use crate::threads::JavaThread;
use std::ffi::c_void;

/// The method of a `jmethodID`.
///
/// # Safety
/// `id` must come from this VM and its class must be alive.
pub unsafe fn method_of(id: *const c_void) -> MethodRef {
    &*(id as *const Method)
}

/// The field of a `jfieldID`.
///
/// # Safety
/// As for [`method_of`].
pub unsafe fn field_of(id: *const c_void) -> FieldRef {
    &*(id as *const Field)
}

fn text(bytes: &[u8]) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

/// The class's name as a descriptor.
fn signature_name(class: loading::MirrorOf) -> String {
    match class {
        loading::MirrorOf::Primitive(p) => (p.descriptor() as char).to_string(),
        loading::MirrorOf::Class(c) if c.is_array() => c.name.to_string(),
        loading::MirrorOf::Class(c) => format!("L{};", c.name),
    }
}

unsafe fn method_id(
    t: &JavaThread,
    mirror: Oop,
    name: *const c_void,
    descriptor: *const c_void,
    is_static: bool,
) -> VmResult<*const c_void> {
    let name = c_bytes(name).unwrap_or(b"<init>");
    let descriptor = c_bytes(descriptor).unwrap_or(b"");
    let missing = |message: String| Err(throw(t, "java/lang/NoSuchMethodError", Some(message)));
    // Names that nobody has interned are names that no loaded class uses.
    let (Some(n), Some(d)) = (Symbol::lookup(name), Symbol::lookup(descriptor)) else {
        return missing(text(name).into());
    };
    let of = loading::mirror_to_class(mirror);
    let full = || {
        let prefix = if is_static { "static " } else { "" };
        format!("{prefix}{}.{}{}", signature_name(of), text(name), text(descriptor))
    };
    let loading::MirrorOf::Class(class) = of else { return missing(full()) };
    initialize(t, class)?;
    let found = if name.first() == Some(&b'<') {
        class.find_declared(n, d)
    } else {
        resolve::lookup_method(class, n, d)
    };
    match found {
        Some(m) if m.is_static() == is_static => Ok(m as *const Method as *const c_void),
        _ => missing(full()),
    }
}

unsafe fn field_id(
    t: &JavaThread,
    mirror: Oop,
    name: *const c_void,
    descriptor: *const c_void,
    is_static: bool,
) -> VmResult<*const c_void> {
    let name = c_bytes(name).unwrap_or(b"");
    let descriptor = c_bytes(descriptor).unwrap_or(b"");
    let of = loading::mirror_to_class(mirror);
    let missing = || {
        let class = match of {
            loading::MirrorOf::Class(c) => c.external_name(),
            loading::MirrorOf::Primitive(p) => p.java_name().into(),
        };
        let message = if is_static {
            text(name).into()
        } else {
            format!("{class}.{} {}", text(name), text(descriptor))
        };
        Err(throw(t, "java/lang/NoSuchFieldError", Some(message)))
    };
    let (Some(n), Some(d)) = (Symbol::lookup(name), Symbol::lookup(descriptor)) else { return missing() };
    let loading::MirrorOf::Class(class) = of else { return missing() };
    initialize(t, class)?;
    if class.is_array() {
        return missing();
    }
    match field_of_kind(class, n, d, is_static) {
        Some(f) => Ok(f as *const Field as *const c_void),
        None => missing(),
    }
}

/// Field lookup (JVMS 5.4.3.2) that goes on past a field of the other kind, as HotSpot's does.
fn field_of_kind(class: ClassRef, name: Symbol, descriptor: Symbol, is_static: bool) -> Option<FieldRef> {
    std::iter::successors(Some(class), |c| c.super_class)
        .filter_map(|c| resolve::lookup_field(c, name, descriptor))
        .find(|f| f.is_static() == is_static)
}

native_fn! {
    /// `GetMethodID`.
    fn GetMethodID(t, class: Oop, name: *const c_void, descriptor: *const c_void) -> *const c_void {
        method_id(t, class, name, descriptor, false)
    }

    /// `GetStaticMethodID`.
    fn GetStaticMethodID(t, class: Oop, name: *const c_void, descriptor: *const c_void) -> *const c_void {
        method_id(t, class, name, descriptor, true)
    }

    /// `GetFieldID`.
    fn GetFieldID(t, class: Oop, name: *const c_void, descriptor: *const c_void) -> *const c_void {
        field_id(t, class, name, descriptor, false)
    }

    /// `GetStaticFieldID`.
    fn GetStaticFieldID(t, class: Oop, name: *const c_void, descriptor: *const c_void) -> *const c_void {
        field_id(t, class, name, descriptor, true)
    }

    /// `FromReflectedMethod`: of a Method or Constructor.
    fn FromReflectedMethod(t, reflected: Oop) -> *const c_void {
        let (clazz, slot) = if reflected.class() == Known::Constructor.get() {
            (KnownField::ConstructorClazz, KnownField::ConstructorSlot)
        } else {
            (KnownField::MethodClazz, KnownField::MethodSlot)
        };
        let class = super::classes::class_of_mirror(load_ref(reflected, clazz.offset()));
        initialize(t, class)?;
        let index = load::<i32>(reflected, slot.offset()) as usize;
        Ok(class.methods.get(index).map_or(std::ptr::null(), |&m| m as *const Method as *const c_void))
    }

    /// `FromReflectedField`.
    fn FromReflectedField(t, reflected: Oop) -> *const c_void {
        let class = super::classes::class_of_mirror(load_ref(reflected, KnownField::FieldClazz.offset()));
        initialize(t, class)?;
        let index = load::<i32>(reflected, KnownField::FieldSlot.offset()) as usize;
        Ok(class.fields.get(index).map_or(std::ptr::null(), |&f| f as *const Field as *const c_void))
    }

    /// `ToReflectedMethod`.
    fn ToReflectedMethod(t, _class: Oop, id: *const c_void, _is_static: bool) -> Oop {
        crate::jvm::reflect_objects::new_executable(t, method_of(id))
    }

    /// `ToReflectedField`.
    fn ToReflectedField(t, _class: Oop, id: *const c_void, _is_static: bool) -> Oop {
        crate::jvm::reflect_objects::new_field(t, field_of(id))
    }
}
