//! Primitive values as objects: HotSpot's `java_lang_boxing_object`. A fresh box each time, not
//! one of the library's caches.

use crate::exceptions::VmResult;
use crate::heap::access::store;
use crate::heap::alloc;
use crate::heap::layout::{BasicType, Oop};
use crate::link::init;
use crate::meta::well_known::{Known, KnownField};
use crate::threads::JavaThread;

/// The wrapper class of a primitive type; `None` for references and void.
pub fn class_of(ty: BasicType) -> Option<Known> {
    Some(match ty {
        BasicType::Boolean => Known::Boolean,
        BasicType::Char => Known::Character,
        BasicType::Float => Known::Float,
        BasicType::Double => Known::Double,
        BasicType::Byte => Known::Byte,
        BasicType::Short => Known::Short,
        BasicType::Int => Known::Integer,
        BasicType::Long => Known::Long,
        BasicType::Object | BasicType::Array | BasicType::Void => return None,
    })
}

/// A new box around the primitive value that a stack slot holds as `bits`.
pub fn new(t: &JavaThread, ty: BasicType, bits: u64) -> VmResult<Oop> {
    let class = class_of(ty).expect("only primitives are boxed").get();
    init::initialize(t, class)?;
    let o = alloc::instance(t, class)?;
    match ty {
        BasicType::Boolean => store::<u8>(o, KnownField::BooleanValue.offset(), bits as u8 & 1),
        BasicType::Char => store::<u16>(o, KnownField::CharacterValue.offset(), bits as u16),
        BasicType::Float => store::<u32>(o, KnownField::FloatValue.offset(), bits as u32),
        BasicType::Double => store::<u64>(o, KnownField::DoubleValue.offset(), bits),
        BasicType::Byte => store::<u8>(o, KnownField::ByteValue.offset(), bits as u8),
        BasicType::Short => store::<u16>(o, KnownField::ShortValue.offset(), bits as u16),
        BasicType::Int => store::<u32>(o, KnownField::IntegerValue.offset(), bits as u32),
        BasicType::Long => store::<u64>(o, KnownField::LongValue.offset(), bits),
        BasicType::Object | BasicType::Array | BasicType::Void => unreachable!("checked above"),
    }
    Ok(o)
}

/// Whether `object` is a box of this primitive type.
pub fn is_box_of(object: Oop, ty: BasicType) -> bool {
    class_of(ty).is_some_and(|k| !object.is_null() && object.class() == k.get())
}
