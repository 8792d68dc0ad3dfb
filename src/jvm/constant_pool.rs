//! `jdk.internal.reflect.ConstantPool`: a class's constant pool as reflection on annotations
//! and debuggers read it.

use super::reflect_objects::{new_executable, new_field};
use super::support::*;
use crate::classfile::{tag, Constant, ConstantPool};
use crate::exceptions::{throw, VmResult};
use crate::heap::access::{load_ref, set_array_ref};
use crate::heap::layout::Oop;
use crate::heap::strings;
use crate::jvm_entry;
use crate::link::load::find_loaded;
use crate::link::{init, resolve};
use crate::meta::class::ClassRef;
use crate::meta::method::MethodRef;
use crate::meta::symbol::Symbol;
use crate::meta::well_known::{Known, KnownField};
use crate::threads::JavaThread;

/// The class whose pool a ConstantPool object reads: `constantPoolOop` holds its mirror.
fn holder(pool: Oop) -> ClassRef {
    declared_class(load_ref(pool, KnownField::ConstantPoolOop.offset()))
}

fn file(pool: Oop) -> &'static ConstantPool<'static> {
    holder(pool).constants.file()
}

fn wrong_type<T>(t: &JavaThread) -> VmResult<T> {
    illegal_argument(t, Some("Wrong type at constant pool index"))
}

/// The index, if it is within the pool. Throws IllegalArgumentException.
fn in_bounds(t: &JavaThread, pool: Oop, index: i32) -> VmResult<u16> {
    match u16::try_from(index) {
        Ok(i) if usize::from(i) < file(pool).len() => Ok(i),
        _ => illegal_argument(t, Some("Constant pool index out of bounds")),
    }
}

fn constant(t: &JavaThread, pool: Oop, index: i32) -> VmResult<Constant<'static>> {
    Ok(file(pool).get(in_bounds(t, pool, index)?))
}

/// Class entry `index`, resolved if `resolve_it`, else only if it has been loaded.
fn class_at(t: &JavaThread, pool: Oop, index: u16, resolve_it: bool) -> VmResult<Option<ClassRef>> {
    let class = holder(pool);
    if resolve_it {
        return resolve::class(t, class, index).map(Some);
    }
    match class.constants.class(index) {
        Some(c) => Ok(Some(c)),
        None => find_loaded(t, class.loader, class.constants.class_name(index)),
    }
}

/// The method of this name that `class` or a superclass declares.
fn find_method(class: ClassRef, name: Symbol, descriptor: Symbol) -> Option<MethodRef> {
    let mut next = Some(class);
    while let Some(c) = next {
        if let Some(m) = c.find_declared(name, descriptor) {
            return Some(m);
        }
        next = c.super_class;
    }
    None
}

fn method_at(t: &JavaThread, pool: Oop, index: i32, resolve_it: bool) -> VmResult<Oop> {
    let (class, name_and_type) = match constant(t, pool, index)? {
        Constant::Methodref { class, name_and_type } | Constant::InterfaceMethodref { class, name_and_type } => {
            (class, name_and_type)
        }
        _ => return wrong_type(t),
    };
    let Some(class) = class_at(t, pool, class, resolve_it)? else { return Ok(Oop::NULL) };
    let (name, descriptor) = holder(pool).constants.name_and_type(name_and_type);
    let class = if class.is_array() { Known::Object.get() } else { class };
    match find_method(class, name, descriptor) {
        Some(m) => {
            init::link(t, m.class())?;
            new_executable(t, m)
        }
        None => {
            let m = "Unable to look up method in target class";
            Err(throw(t, "java/lang/RuntimeException", Some(m.into())))
        }
    }
}

fn field_at(t: &JavaThread, pool: Oop, index: i32, resolve_it: bool) -> VmResult<Oop> {
    let Constant::Fieldref { class, name_and_type } = constant(t, pool, index)? else { return wrong_type(t) };
    let Some(class) = class_at(t, pool, class, resolve_it)? else { return Ok(Oop::NULL) };
    let (name, descriptor) = holder(pool).constants.name_and_type(name_and_type);
    match resolve::lookup_field(class, name, descriptor) {
        Some(f) => new_field(t, f),
        None => {
            let m = "Unable to look up field in target class";
            Err(throw(t, "java/lang/RuntimeException", Some(m.into())))
        }
    }
}

fn string_array(t: &JavaThread, texts: &[&[u8]]) -> VmResult<Oop> {
    let array = object_array(t, Known::String, texts.len())?;
    for (i, text) in texts.iter().enumerate() {
        let string = strings::from_mutf8(t, text)?;
        set_array_ref(t, array, i, string);
    }
    Ok(array)
}

/// Class and NameAndType index of a Fieldref, Methodref or InterfaceMethodref.
fn member_indices(c: Constant<'_>) -> Option<(u16, u16)> {
    match c {
        Constant::Fieldref { class, name_and_type }
        | Constant::Methodref { class, name_and_type }
        | Constant::InterfaceMethodref { class, name_and_type } => Some((class, name_and_type)),
        _ => None,
    }
}

// The second argument of each is the ConstantPool's `constantPoolOop`, which the first has too.
jvm_entry! {
    /// `ConstantPool.getSize0`.
    fn JVM_ConstantPoolGetSize(_t, pool: Oop, _oop: Oop) -> i32 {
        Ok(file(pool).len() as i32)
    }

    /// `ConstantPool.getTagAt0`.
    fn JVM_ConstantPoolGetTagAt(t, pool: Oop, _oop: Oop, index: i32) -> u8 {
        let i = in_bounds(t, pool, index)?;
        Ok(file(pool).tag(i))
    }

    /// `ConstantPool.getClassAt0`.
    fn JVM_ConstantPoolGetClassAt(t, pool: Oop, _oop: Oop, index: i32) -> Oop {
        let i = in_bounds(t, pool, index)?;
        if file(pool).tag(i) != tag::CLASS {
            return wrong_type(t);
        }
        Ok(class_at(t, pool, i, true)?.map_or(Oop::NULL, |c| c.mirror()))
    }

    /// `ConstantPool.getClassAtIfLoaded0`.
    fn JVM_ConstantPoolGetClassAtIfLoaded(t, pool: Oop, _oop: Oop, index: i32) -> Oop {
        let i = in_bounds(t, pool, index)?;
        if file(pool).tag(i) != tag::CLASS {
            return wrong_type(t);
        }
        Ok(class_at(t, pool, i, false)?.map_or(Oop::NULL, |c| c.mirror()))
    }

    /// `ConstantPool.getClassRefIndexAt0`.
    fn JVM_ConstantPoolGetClassRefIndexAt(t, pool: Oop, _oop: Oop, index: i32) -> i32 {
        match member_indices(constant(t, pool, index)?) {
            Some((class, _)) => Ok(i32::from(class)),
            None => wrong_type(t),
        }
    }

    /// `ConstantPool.getMethodAt0`.
    fn JVM_ConstantPoolGetMethodAt(t, pool: Oop, _oop: Oop, index: i32) -> Oop {
        method_at(t, pool, index, true)
    }

    /// `ConstantPool.getMethodAtIfLoaded0`.
    fn JVM_ConstantPoolGetMethodAtIfLoaded(t, pool: Oop, _oop: Oop, index: i32) -> Oop {
        method_at(t, pool, index, false)
    }

    /// `ConstantPool.getFieldAt0`.
    fn JVM_ConstantPoolGetFieldAt(t, pool: Oop, _oop: Oop, index: i32) -> Oop {
        field_at(t, pool, index, true)
    }

    /// `ConstantPool.getFieldAtIfLoaded0`.
    fn JVM_ConstantPoolGetFieldAtIfLoaded(t, pool: Oop, _oop: Oop, index: i32) -> Oop {
        field_at(t, pool, index, false)
    }

    /// `ConstantPool.getMemberRefInfoAt0`: class, name, descriptor.
    fn JVM_ConstantPoolGetMemberRefInfoAt(t, pool: Oop, _oop: Oop, index: i32) -> Oop {
        let i = in_bounds(t, pool, index)?;
        match file(pool).member_ref(i) {
            Some(r) => string_array(t, &[r.class_name, r.name, r.descriptor]),
            None => wrong_type(t),
        }
    }

    /// `ConstantPool.getNameAndTypeRefIndexAt0`.
    fn JVM_ConstantPoolGetNameAndTypeRefIndexAt(t, pool: Oop, _oop: Oop, index: i32) -> i32 {
        match constant(t, pool, index)? {
            Constant::InvokeDynamic { name_and_type, .. } => Ok(i32::from(name_and_type)),
            c => match member_indices(c) {
                Some((_, name_and_type)) => Ok(i32::from(name_and_type)),
                None => wrong_type(t),
            },
        }
    }

    /// `ConstantPool.getNameAndTypeRefInfoAt0`: name, descriptor.
    fn JVM_ConstantPoolGetNameAndTypeRefInfoAt(t, pool: Oop, _oop: Oop, index: i32) -> Oop {
        let i = in_bounds(t, pool, index)?;
        match file(pool).name_and_type(i) {
            Some(n) => string_array(t, &[n.name, n.descriptor]),
            None => wrong_type(t),
        }
    }

    /// `ConstantPool.getIntAt0`.
    fn JVM_ConstantPoolGetIntAt(t, pool: Oop, _oop: Oop, index: i32) -> i32 {
        match constant(t, pool, index)? {
            Constant::Integer(v) => Ok(v),
            _ => wrong_type(t),
        }
    }

    /// `ConstantPool.getLongAt0`.
    fn JVM_ConstantPoolGetLongAt(t, pool: Oop, _oop: Oop, index: i32) -> i64 {
        match constant(t, pool, index)? {
            Constant::Long(v) => Ok(v),
            _ => wrong_type(t),
        }
    }

    /// `ConstantPool.getFloatAt0`.
    fn JVM_ConstantPoolGetFloatAt(t, pool: Oop, _oop: Oop, index: i32) -> f32 {
        match constant(t, pool, index)? {
            Constant::Float(bits) => Ok(f32::from_bits(bits)),
            _ => wrong_type(t),
        }
    }

    /// `ConstantPool.getDoubleAt0`.
    fn JVM_ConstantPoolGetDoubleAt(t, pool: Oop, _oop: Oop, index: i32) -> f64 {
        match constant(t, pool, index)? {
            Constant::Double(bits) => Ok(f64::from_bits(bits)),
            _ => wrong_type(t),
        }
    }

    /// `ConstantPool.getStringAt0`: the interned String that `ldc` loads.
    fn JVM_ConstantPoolGetStringAt(t, pool: Oop, _oop: Oop, index: i32) -> Oop {
        match constant(t, pool, index)? {
            Constant::String { utf8 } => strings::intern_symbol(t, holder(pool).constants.symbol(utf8)),
            _ => wrong_type(t),
        }
    }

    /// `ConstantPool.getUTF8At0`.
    fn JVM_ConstantPoolGetUTF8At(t, pool: Oop, _oop: Oop, index: i32) -> Oop {
        match constant(t, pool, index)? {
            Constant::Utf8(bytes) => strings::from_mutf8(t, bytes),
            _ => wrong_type(t),
        }
    }
}
