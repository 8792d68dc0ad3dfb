//! Resolution of loadable constants (JVMS 5.4.3.5, 5.4.3.6): what `ldc` pushes, and the static
//! arguments of bootstrap methods.

use super::bootstrap::{wrap, Specifier};
use super::member_name::{self, flags_of_kind, ref_kind};
use super::{boxes, method_type, natives_call, slot};
use crate::classfile::tag;
use crate::classfile::Constant;
use crate::exceptions::{throw, Thrown, VmResult};
use crate::heap::access::{store, store_ref};
use crate::heap::alloc;
use crate::heap::layout::{BasicType, Oop};
use crate::heap::roots::{free_slot_of, new_slot_of};
use crate::heap::strings;
use crate::link::{init, resolve};
use crate::meta::class::ClassRef;
use crate::meta::method::external_types;
use crate::meta::symbol::Symbol;
use crate::meta::well_known::{Known, KnownField};
use crate::threads::JavaThread;

/// Resolves a loadable constant for `ldc` (String, Class, MethodHandle, MethodType, Dynamic).
/// For a Dynamic of primitive type the result is the boxed value.
pub fn resolve_constant(t: &JavaThread, holder: ClassRef, index: u16) -> VmResult<Oop> {
    let constant = holder.constants.file().get(index);
    if let Constant::Class { .. } = constant {
        return Ok(resolve::class(t, holder, index)?.mirror());
    }
    if let Some(slot) = holder.constants.slot(index) {
        return Ok(slot.get());
    }
    if let Some(thrown) = resolve::recorded(t, holder, index) {
        return Err(thrown);
    }
    let value = match constant {
        Constant::String { utf8 } => strings::intern_symbol(t, holder.constants.symbol(utf8))?,
        Constant::MethodType { descriptor } => {
            let descriptor = holder.constants.symbol(descriptor);
            method_type::find(t, descriptor, Some(holder)).map_err(|e| record(t, holder, index, e))?
        }
        Constant::MethodHandle { kind, reference } => {
            method_handle(t, holder, index, kind, reference).map_err(|e| record(t, holder, index, e))?
        }
        Constant::Dynamic { .. } => dynamic(t, holder, index)?,
        other => unreachable!("{other:?} is not a loadable reference constant"),
    };
    let fresh = new_slot_of(holder.kept_by, value);
    match holder.constants.set_slot(index, fresh) {
        Some(first) => {
            if !std::ptr::eq(first, fresh) {
                // SAFETY: ours was not published.
                unsafe { free_slot_of(holder.kept_by, fresh) }
            }
            Ok(first.get())
        }
        None => {
            // SAFETY: as above.
            unsafe { free_slot_of(holder.kept_by, fresh) }
            Err(resolve::recorded(t, holder, index).expect("another thread has recorded its failure"))
        }
    }
}

/// Any loadable constant as an object: numbers are boxed.
pub fn constant_object(t: &JavaThread, holder: ClassRef, index: u16) -> VmResult<Oop> {
    match number(holder, index) {
        Some((ty, bits)) => boxes::new(t, ty, bits),
        None => resolve_constant(t, holder, index),
    }
}

/// The same if it takes no resolution that can fail or run Java code, else `None`.
pub fn cached_constant(t: &JavaThread, holder: ClassRef, index: u16) -> VmResult<Option<Oop>> {
    let pool = holder.constants.file();
    Ok(match pool.tag(index) {
        tag::CLASS => holder.constants.class(index).map(|c| c.mirror()),
        tag::METHOD_HANDLE | tag::METHOD_TYPE | tag::DYNAMIC => holder.constants.slot(index).map(|s| s.get()),
        _ => Some(constant_object(t, holder, index)?),
    })
}

/// The value of an Integer, Float, Long or Double.
fn number(holder: ClassRef, index: u16) -> Option<(BasicType, u64)> {
    Some(match holder.constants.file().get(index) {
        Constant::Integer(v) => (BasicType::Int, u64::from(v as u32)),
        Constant::Float(bits) => (BasicType::Float, u64::from(bits)),
        Constant::Long(v) => (BasicType::Long, v as u64),
        Constant::Double(bits) => (BasicType::Double, bits),
        _ => return None,
    })
}

/// Records a LinkageError against the entry. One without a message gets what HotSpot puts in
/// its place when it is thrown again.
fn record(t: &JavaThread, holder: ClassRef, index: u16, thrown: Thrown) -> Thrown {
    if let Some(mut e) = resolve::error_to_record(t.exception.get()) {
        e.message = e.message.or_else(|| {
            let pool = holder.constants.file();
            let bytes = match pool.get(index) {
                Constant::MethodHandle { reference, .. } => pool.member_ref(reference)?.name,
                Constant::MethodType { descriptor } => pool.utf8(descriptor)?,
                Constant::Dynamic { .. } => pool.dynamic(index)?.1.name,
                _ => return None,
            };
            Some(String::from_utf8_lossy(bytes).into_owned())
        });
        holder.constants.set_error(index, e);
    }
    thrown
}

/// A CONSTANT_MethodHandle (JVMS 5.4.3.5).
fn method_handle(t: &JavaThread, holder: ClassRef, index: u16, kind: u8, reference: u16) -> VmResult<Oop> {
    let pool = holder.constants.file();
    let r = pool.member_ref(reference).expect("format checking accepted the entry");
    let callee = resolve::class(t, holder, r.class_index)?;
    let (name, descriptor) = (Symbol::intern(r.name), Symbol::intern(r.descriptor));
    let entry = pool.tag(reference);
    let (found, wanted) = ("CONSTANT_MethodRef", "CONSTANT_InterfaceMethodRef");
    let inconsistent = match entry {
        tag::METHODREF if callee.is_interface() => Some((found, wanted)),
        tag::INTERFACE_METHODREF if !callee.is_interface() => Some((wanted, found)),
        _ => None,
    };
    if let Some((is, should)) = inconsistent {
        let (parameters, ret) = external_types(descriptor.as_bytes());
        let text = format!(
            "Inconsistent constant pool data in classfile for class {}. Method '{} {}({})' at index {} is {} and should be {}",
            callee.name,
            ret,
            name,
            parameters.join(", "),
            index,
            is,
            should
        );
        return Err(throw(t, "java/lang/IncompatibleClassChangeError", Some(text)));
    }
    link_method_handle(t, holder, kind, callee, name, descriptor)
}

/// Resolves the member, then has the library make the handle
/// (`MethodHandleNatives.linkMethodHandleConstant`).
fn link_method_handle(
    t: &JavaThread,
    caller: ClassRef,
    kind: u8,
    callee: ClassRef,
    name: Symbol,
    descriptor: Symbol,
) -> VmResult<Oop> {
    let name_string = strings::from_mutf8(t, name.as_bytes())?;
    let descriptor_string = strings::from_mutf8(t, descriptor.as_bytes())?;
    let class = Known::MemberName.get();
    init::initialize(t, class)?;
    let mname = alloc::instance(t, class)?;
    store_ref(t, mname, KnownField::MemberNameClazz.offset(), callee.mirror());
    store_ref(t, mname, KnownField::MemberNameName.offset(), name_string);
    store_ref(t, mname, KnownField::MemberNameType.offset(), descriptor_string);
    store::<i32>(mname, KnownField::MemberNameFlags.offset(), flags_of_kind(kind));
    // Public signature-polymorphic methods cannot be resolved to a MemberName; the library
    // has a way of its own for them.
    let generic = kind == ref_kind::INVOKE_VIRTUAL
        && member_name::polymorphic_kind(callee, name).is_some()
        && callee.methods.iter().any(|m| m.name == name && m.is_public() && m.is_native() && m.is_varargs());
    if !generic {
        // `false` without an exception: the library's own lookup below says what is wrong.
        member_name::resolve(t, mname, Some(caller), true, false)?;
    }
    let ty = member_name::resolve_type(t, mname, caller)?;
    natives_call(
        t,
        "linkMethodHandleConstant",
        "(Ljava/lang/Class;ILjava/lang/Class;Ljava/lang/String;Ljava/lang/Object;)Ljava/lang/invoke/MethodHandle;",
        &[slot(caller.mirror()), u64::from(kind), slot(callee.mirror()), slot(name_string), slot(ty)],
    )
}

/// A CONSTANT_Dynamic (JVMS 5.4.3.6): the object, a box if its type is primitive.
fn dynamic(t: &JavaThread, holder: ClassRef, index: u16) -> VmResult<Oop> {
    let specifier = Specifier::at(holder, index).expect("format checking accepted the entry");
    let run = || {
        let r = specifier.resolve(t)?;
        natives_call(
            t,
            "linkDynamicConstant",
            "(Ljava/lang/Object;ILjava/lang/Object;Ljava/lang/Object;Ljava/lang/Object;Ljava/lang/Object;)Ljava/lang/Object;",
            &[
                slot(holder.mirror()),
                u64::from(index),
                slot(r.bootstrap_method),
                slot(r.name),
                slot(r.ty),
                slot(r.arguments),
            ],
        )
    };
    let value = run().map_err(|thrown| {
        let thrown = wrap(t, thrown);
        record(t, holder, index, thrown)
    })?;
    let ty = BasicType::from_descriptor(specifier.descriptor.as_bytes()[0]).expect("descriptor was checked");
    if !ty.is_reference() && !boxes::is_box_of(value, ty) {
        let text = if value.is_null() { "null result instead of box" } else { "primitive is not properly boxed" };
        return Err(throw(t, "java/lang/InternalError", Some(text.into())));
    }
    Ok(value)
}
