//! Making `java.lang.reflect` objects of the VM's fields and methods, and finding the field or
//! method that such an object stands for.

use super::class_info::is_record;
use super::support::*;
use crate::classfile::access::ACC_STATIC;
use crate::classfile::RecordComponent;
use crate::exceptions::VmResult;
use crate::heap::access::{load, load_ref, set_array_ref, store, store_ref};
use crate::heap::layout::Oop;
use crate::heap::{alloc, strings};
use crate::link::load::mirror_of_descriptor;
use crate::link::{init, resolve};
use crate::meta::class::ClassRef;
use crate::meta::field::FieldRef;
use crate::meta::method::MethodRef;
use crate::meta::symbol::Symbol;
use crate::meta::well_known::{Known, KnownField as F};
use crate::threads::JavaThread;

/// Field modifiers that reflection shows (`JVM_RECOGNIZED_FIELD_MODIFIERS`).
pub const FIELD_MODIFIERS: u16 = 0x50df;
/// Method modifiers that reflection shows (`JVM_RECOGNIZED_METHOD_MODIFIERS`).
pub const METHOD_MODIFIERS: u16 = 0x1dff;

/// A new instance of a known class, initialized first.
fn new_instance(t: &JavaThread, class: Known) -> VmResult<Oop> {
    init::initialize(t, class.get())?;
    alloc::instance(t, class.get())
}

/// Stores a reference that is made last: nothing can move between making and storing it.
fn set(t: &JavaThread, object: Oop, field: F, value: Oop) {
    store_ref(t, object, field.offset(), value)
}

/// Splits a method descriptor into its parameter descriptors and the return descriptor.
pub fn split_descriptor(descriptor: &[u8]) -> (Vec<&[u8]>, &[u8]) {
    let mut parameters = Vec::new();
    let mut at = 1;
    while descriptor[at] != b')' {
        let start = at;
        while descriptor[at] == b'[' {
            at += 1;
        }
        if descriptor[at] == b'L' {
            while descriptor[at] != b';' {
                at += 1;
            }
        }
        at += 1;
        parameters.push(&descriptor[start..at]);
    }
    (parameters, &descriptor[at + 1..])
}

/// The parameter types as a `Class[]`, loaded through the declaring class's loader.
pub fn parameter_types(t: &JavaThread, m: MethodRef) -> VmResult<Oop> {
    let (parameters, _) = split_descriptor(m.descriptor.as_bytes());
    let array = object_array(t, Known::Class, parameters.len())?;
    for (i, p) in parameters.into_iter().enumerate() {
        let mirror = mirror_of_descriptor(t, m.class().loader, p)?;
        set_array_ref(t, array, i, mirror);
    }
    Ok(array)
}

fn exception_types(t: &JavaThread, m: MethodRef) -> VmResult<Oop> {
    let listed = m.member().map_or(&[][..], |f| &f.exceptions);
    let array = object_array(t, Known::Class, listed.len())?;
    for (i, &index) in listed.iter().enumerate() {
        let class = resolve::class(t, m.class(), index)?;
        set_array_ref(t, array, i, class.mirror());
    }
    Ok(array)
}

fn signature(holder: ClassRef, index: Option<u16>) -> Option<Symbol> {
    index.map(|i| holder.constants.symbol(i))
}

/// A `java.lang.reflect.Method` for `m`, which is no constructor.
pub fn new_method(t: &JavaThread, m: MethodRef) -> VmResult<Oop> {
    let class = m.class();
    let object = new_instance(t, Known::Method)?;
    set(t, object, F::MethodClazz, class.mirror());
    store::<i32>(object, F::MethodSlot.offset(), i32::from(m.index));
    store::<i32>(object, F::MethodModifiers.offset(), i32::from(m.access_flags & METHOD_MODIFIERS));
    let types = parameter_types(t, m)?;
    set(t, object, F::MethodParameterTypes, types);
    let (_, returned) = split_descriptor(m.descriptor.as_bytes());
    let returned = mirror_of_descriptor(t, class.loader, returned)?;
    set(t, object, F::MethodReturnType, returned);
    let exceptions = exception_types(t, m)?;
    set(t, object, F::MethodExceptionTypes, exceptions);
    let name = strings::intern_symbol(t, m.name)?;
    set(t, object, F::MethodName, name);
    if let Some(member) = m.member() {
        let text = string_of(t, signature(class, member.signature))?;
        set(t, object, F::MethodSignature, text);
        let bytes = byte_array(t, member.annotations.visible)?;
        set(t, object, F::MethodAnnotations, bytes);
        let bytes = byte_array(t, member.annotations.visible_parameter)?;
        set(t, object, F::MethodParameterAnnotations, bytes);
        let bytes = byte_array(t, member.annotations.default)?;
        set(t, object, F::MethodAnnotationDefault, bytes);
    }
    Ok(object)
}

/// A `java.lang.reflect.Constructor` for `m`, an `<init>`.
pub fn new_constructor(t: &JavaThread, m: MethodRef) -> VmResult<Oop> {
    let class = m.class();
    let object = new_instance(t, Known::Constructor)?;
    set(t, object, F::ConstructorClazz, class.mirror());
    store::<i32>(object, F::ConstructorSlot.offset(), i32::from(m.index));
    store::<i32>(object, F::ConstructorModifiers.offset(), i32::from(m.access_flags & METHOD_MODIFIERS));
    let types = parameter_types(t, m)?;
    set(t, object, F::ConstructorParameterTypes, types);
    let exceptions = exception_types(t, m)?;
    set(t, object, F::ConstructorExceptionTypes, exceptions);
    if let Some(member) = m.member() {
        let text = string_of(t, signature(class, member.signature))?;
        set(t, object, F::ConstructorSignature, text);
        let bytes = byte_array(t, member.annotations.visible)?;
        set(t, object, F::ConstructorAnnotations, bytes);
        let bytes = byte_array(t, member.annotations.visible_parameter)?;
        set(t, object, F::ConstructorParameterAnnotations, bytes);
    }
    Ok(object)
}

/// A Method, or a Constructor for `<init>`.
pub fn new_executable(t: &JavaThread, m: MethodRef) -> VmResult<Oop> {
    if m.is_constructor() && !m.is_static() {
        new_constructor(t, m)
    } else {
        new_method(t, m)
    }
}

/// A `java.lang.reflect.Field` for `f`.
pub fn new_field(t: &JavaThread, f: FieldRef) -> VmResult<Oop> {
    let class = f.class();
    let object = new_instance(t, Known::Field)?;
    set(t, object, F::FieldClazz, class.mirror());
    store::<i32>(object, F::FieldSlot.offset(), i32::from(f.index));
    store::<i32>(object, F::FieldModifiers.offset(), i32::from(f.access_flags & FIELD_MODIFIERS));
    // Finals that even setAccessible does not make writable.
    let trusted = f.is_final() && (f.is_static() || class.is_hidden() || is_record(class));
    store::<u8>(object, F::FieldTrustedFinal.offset(), u8::from(trusted));
    let name = strings::intern_symbol(t, f.name)?;
    set(t, object, F::FieldName, name);
    let of_type = mirror_of_descriptor(t, class.loader, f.descriptor.as_bytes())?;
    set(t, object, F::FieldType, of_type);
    if let Some(member) = f.member() {
        let text = string_of(t, signature(class, member.signature))?;
        set(t, object, F::FieldSignature, text);
        let bytes = byte_array(t, member.annotations.visible)?;
        set(t, object, F::FieldAnnotations, bytes);
    }
    Ok(object)
}

/// A `java.lang.reflect.Parameter`.
pub fn new_parameter(t: &JavaThread, executable: Oop, index: usize, name: Option<Symbol>, flags: u16) -> VmResult<Oop> {
    let object = new_instance(t, Known::Parameter)?;
    let name = string_of(t, name)?;
    set(t, object, F::ParameterName, name);
    store::<i32>(object, F::ParameterModifiers.offset(), i32::from(flags));
    store::<i32>(object, F::ParameterIndex.offset(), index as i32);
    set(t, object, F::ParameterExecutable, executable);
    Ok(object)
}

/// A `java.lang.reflect.RecordComponent`.
pub fn new_record_component(t: &JavaThread, class: ClassRef, c: &RecordComponent<'static>) -> VmResult<Oop> {
    let object = new_instance(t, Known::RecordComponent)?;
    set(t, object, F::RecordComponentClazz, class.mirror());
    let name = class.constants.symbol(c.name);
    let descriptor = class.constants.symbol(c.descriptor);
    let text = strings::intern_symbol(t, name)?;
    set(t, object, F::RecordComponentName, text);
    let of_type = mirror_of_descriptor(t, class.loader, descriptor.as_bytes())?;
    set(t, object, F::RecordComponentType, of_type);
    // Interned, unlike other signatures.
    if let Some(text) = signature(class, c.signature) {
        let text = strings::intern_symbol(t, text)?;
        set(t, object, F::RecordComponentSignature, text);
    }
    let bytes = byte_array(t, c.annotations.visible)?;
    set(t, object, F::RecordComponentAnnotations, bytes);
    let bytes = byte_array(t, c.annotations.visible_type)?;
    set(t, object, F::RecordComponentTypeAnnotations, bytes);
    let accessor = Symbol::lookup(&[b"()", descriptor.as_bytes()].concat())
        .and_then(|d| class.find_declared(name, d))
        .filter(|m| m.access_flags & ACC_STATIC == 0);
    if let Some(m) = accessor {
        let method = new_method(t, m)?;
        set(t, object, F::RecordComponentAccessor, method);
    }
    Ok(object)
}

/// The method that a Method or Constructor object stands for.
pub fn method_of(executable: Oop) -> MethodRef {
    let (clazz, slot) = if executable.class() == Known::Constructor.get() {
        (F::ConstructorClazz, F::ConstructorSlot)
    } else {
        (F::MethodClazz, F::MethodSlot)
    };
    let class = declared_class(load_ref(executable, clazz.offset()));
    class.methods[load::<i32>(executable, slot.offset()) as usize]
}

/// The field that a Field object stands for.
pub fn field_of(field: Oop) -> FieldRef {
    let class = declared_class(load_ref(field, F::FieldClazz.offset()));
    class.fields[load::<i32>(field, F::FieldSlot.offset()) as usize]
}

#[cfg(test)]
mod tests {
    use super::split_descriptor;

    #[test]
    fn descriptors_are_split() {
        let (p, r) = split_descriptor(b"(I[[Ljava/lang/String;[JD)[Ljava/lang/Object;");
        assert_eq!(p, [&b"I"[..], b"[[Ljava/lang/String;", b"[J", b"D"]);
        assert_eq!(r, b"[Ljava/lang/Object;");
        assert_eq!(split_descriptor(b"()V"), (vec![], &b"V"[..]));
    }
}
