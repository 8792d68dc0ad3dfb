//! Boxed primitives (`java.lang.Integer`, …) as the VM makes and reads them, and the widening
//! that reflection allows (JLS 5.1.2).

use super::support::illegal_argument;
use crate::exceptions::VmResult;
use crate::heap::access::{load, store};
use crate::heap::alloc;
use crate::heap::layout::{BasicType, Oop};
use crate::link::init;
use crate::meta::well_known::{Known, KnownField};
use crate::threads::JavaThread;

/// The box classes with what they hold.
const BOXES: [(Known, BasicType, KnownField); 8] = [
    (Known::Boolean, BasicType::Boolean, KnownField::BooleanValue),
    (Known::Character, BasicType::Char, KnownField::CharacterValue),
    (Known::Float, BasicType::Float, KnownField::FloatValue),
    (Known::Double, BasicType::Double, KnownField::DoubleValue),
    (Known::Byte, BasicType::Byte, KnownField::ByteValue),
    (Known::Short, BasicType::Short, KnownField::ShortValue),
    (Known::Integer, BasicType::Int, KnownField::IntegerValue),
    (Known::Long, BasicType::Long, KnownField::LongValue),
];

/// The bits of an int in a stack slot.
pub fn int_slot(v: i32) -> u64 {
    u64::from(v as u32)
}

/// Reads a primitive of type `p` at `offset` of `object` as a stack slot: sub-int types
/// extended to int, floating point as bits.
pub fn load_primitive(p: BasicType, object: Oop, offset: usize) -> u64 {
    match p {
        BasicType::Boolean => int_slot(i32::from(load::<u8>(object, offset) != 0)),
        BasicType::Byte => int_slot(i32::from(load::<i8>(object, offset))),
        BasicType::Char => int_slot(i32::from(load::<u16>(object, offset))),
        BasicType::Short => int_slot(i32::from(load::<i16>(object, offset))),
        BasicType::Int | BasicType::Float => u64::from(load::<u32>(object, offset)),
        BasicType::Long | BasicType::Double => load::<u64>(object, offset),
        BasicType::Void | BasicType::Object | BasicType::Array => unreachable!("{} is not a primitive", p.java_name()),
    }
}

/// Writes a stack slot as a primitive of type `p`, cut to its size (a boolean to its lowest bit).
pub fn store_primitive(p: BasicType, object: Oop, offset: usize, slot: u64) {
    match p {
        BasicType::Boolean => store::<u8>(object, offset, slot as u8 & 1),
        BasicType::Byte => store::<i8>(object, offset, slot as i8),
        BasicType::Char | BasicType::Short => store::<u16>(object, offset, slot as u16),
        BasicType::Int | BasicType::Float => store::<u32>(object, offset, slot as u32),
        BasicType::Long | BasicType::Double => store::<u64>(object, offset, slot),
        BasicType::Void | BasicType::Object | BasicType::Array => unreachable!("{} is not a primitive", p.java_name()),
    }
}

/// A new box of `slot`; null for void, the reference itself for references.
pub fn box_value(t: &JavaThread, p: BasicType, slot: u64) -> VmResult<Oop> {
    if p.is_reference() {
        return Ok(Oop::from_address(slot as usize));
    }
    let Some((class, _, field)) = BOXES.iter().find(|b| b.1 == p) else { return Ok(Oop::NULL) };
    init::initialize(t, class.get())?;
    let object = alloc::instance(t, class.get())?;
    store_primitive(p, object, field.offset(), slot);
    Ok(object)
}

/// What a box holds, as a stack slot; `None` if the object is no box.
pub fn unbox(object: Oop) -> Option<(BasicType, u64)> {
    let class = object.non_null()?.class();
    let (_, p, field) = BOXES.iter().find(|b| std::ptr::eq(b.0.get(), class))?;
    Some((*p, load_primitive(*p, object, field.offset())))
}

/// Widens a stack slot from one primitive type to another; `None` if that is no identity or
/// widening conversion.
pub fn widen(slot: u64, from: BasicType, to: BasicType) -> Option<u64> {
    use BasicType::*;
    if from == to {
        return Some(slot);
    }
    let int = slot as u32 as i32;
    Some(match (from, to) {
        (Byte, Short) | (Byte | Char | Short, Int) => slot,
        (Byte | Char | Short | Int, Long) => i64::from(int) as u64,
        (Byte | Char | Short | Int, Float) => u64::from((int as f32).to_bits()),
        (Byte | Char | Short | Int, Double) => f64::from(int).to_bits(),
        (Long, Float) => u64::from((slot as i64 as f32).to_bits()),
        (Long, Double) => (slot as i64 as f64).to_bits(),
        (Float, Double) => f64::from(f32::from_bits(slot as u32)).to_bits(),
        _ => return None,
    })
}

/// [`unbox`] and [`widen`] for an argument of primitive type `to`. Throws
/// IllegalArgumentException, for null and for what is no box without a message.
pub fn unbox_as(t: &JavaThread, object: Oop, to: BasicType) -> VmResult<u64> {
    if object.is_null() {
        return illegal_argument(t, None);
    }
    match unbox(object).and_then(|(from, slot)| widen(slot, from, to)) {
        Some(slot) => Ok(slot),
        None => illegal_argument(t, Some("argument type mismatch")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widening() {
        use BasicType::*;
        assert_eq!(widen(int_slot(-1), Byte, Long), Some(u64::MAX));
        assert_eq!(widen(int_slot(-1), Byte, Int), Some(int_slot(-1)));
        assert_eq!(widen(int_slot(65535), Char, Double), Some(65535f64.to_bits()));
        assert_eq!(widen(u64::MAX, Long, Float), Some(u64::from((-1f32).to_bits())));
        assert_eq!(widen(int_slot(1), Byte, Char), None);
        assert_eq!(widen(int_slot(1), Boolean, Int), None);
        assert_eq!(widen(1, Long, Int), None);
        assert_eq!(widen(1, Char, Short), None);
    }
}
