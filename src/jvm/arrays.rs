//! `java.lang.reflect.Array`.

use super::boxing::{box_value, int_slot, load_primitive, store_primitive, unbox, widen};
use super::support::*;
use crate::exceptions::{throw, VmResult};
use crate::heap::access::{array_ref, load, set_array_ref};
use crate::heap::alloc;
use crate::heap::layout::{BasicType, Oop};
use crate::jvm_entry;
use crate::link::load::{array_class, primitive_array_class};
use crate::meta::class::ClassRef;
use crate::threads::JavaThread;

/// Most dimensions an array type has (JVMS 4.3.2).
const MAX_DIMENSIONS: usize = 255;

fn negative(t: &JavaThread, length: i32) -> crate::exceptions::Thrown {
    throw(t, "java/lang/NegativeArraySizeException", Some(length.to_string()))
}

fn dimensions(class: ClassRef) -> usize {
    class.name.as_bytes().iter().take_while(|&&b| b == b'[').count()
}

/// The class of arrays whose elements are what `mirror` stands for, `extra` dimensions deep.
/// Throws NullPointerException, IllegalArgumentException (void, too many dimensions).
fn class_of_arrays(t: &JavaThread, mirror: Oop, extra: usize) -> VmResult<ClassRef> {
    if mirror.is_null() {
        return Err(throw(t, NULL_POINTER, None));
    }
    let mut class = match class_of(mirror) {
        None => match primitive_of(mirror) {
            Some(BasicType::Void) | None => return illegal_argument(t, None),
            Some(p) => primitive_array_class(p),
        },
        Some(c) if dimensions(c) + extra > MAX_DIMENSIONS => return illegal_argument(t, None),
        Some(c) => array_class(t, c)?,
    };
    for _ in 1..extra {
        class = array_class(t, class)?;
    }
    Ok(class)
}

/// `Array.newArray`.
pub fn new_array(t: &JavaThread, element: Oop, length: i32) -> VmResult<Oop> {
    if element.is_null() {
        return Err(throw(t, NULL_POINTER, None));
    }
    if length < 0 {
        return Err(negative(t, length));
    }
    let class = class_of_arrays(t, element, 1)?;
    alloc::array(t, class, length)
}

/// `Array.multiNewArray`; `dims` is an `int[]`.
pub fn new_multi_array(t: &JavaThread, element: Oop, dims: Oop) -> VmResult<Oop> {
    if element.is_null() || dims.is_null() {
        return Err(throw(t, NULL_POINTER, None));
    }
    let count = dims.array_length();
    if count == 0 || count > MAX_DIMENSIONS {
        return illegal_argument(t, None);
    }
    let lengths: Vec<i32> = (0..count).map(|i| load::<i32>(dims, dims.class().array_base() + 4 * i)).collect();
    if let Some(&n) = lengths.iter().find(|n| **n < 0) {
        return Err(negative(t, n));
    }
    let class = class_of_arrays(t, element, count)?;
    alloc::multi_array(t, class, &lengths)
}

/// Throws unless `array` is an array, with `primitive` one of primitives.
fn check_array(t: &JavaThread, array: Oop, primitive: bool) -> VmResult<()> {
    if array.is_null() {
        return Err(throw(t, NULL_POINTER, None));
    }
    if !array.class().is_array() {
        return illegal_argument(t, Some("Argument is not an array"));
    }
    if primitive && !array.class().is_primitive_array() {
        return illegal_argument(t, Some("Argument is not an array of primitive type"));
    }
    Ok(())
}

fn check_index(t: &JavaThread, array: Oop, index: i32) -> VmResult<usize> {
    match usize::try_from(index) {
        Ok(i) if i < array.array_length() => Ok(i),
        _ => Err(throw(t, "java/lang/ArrayIndexOutOfBoundsException", None)),
    }
}

fn element_offset(array: Oop, index: usize) -> usize {
    let class = array.class();
    class.array_base() + (index << class.array_log2())
}

/// `Array.getLength`.
pub fn length(t: &JavaThread, array: Oop) -> VmResult<i32> {
    check_array(t, array, false)?;
    Ok(array.array_length() as i32)
}

/// The element as a type and a stack slot.
fn get(t: &JavaThread, array: Oop, index: i32) -> VmResult<(BasicType, u64)> {
    let i = check_index(t, array, index)?;
    let class = array.class();
    if class.is_object_array() {
        return Ok((BasicType::Object, array_ref(array, i).address() as u64));
    }
    Ok((class.element_type, load_primitive(class.element_type, array, element_offset(array, i))))
}

/// Stores a primitive into an array of primitives, widened. Stores nothing into an array of
/// references, as HotSpot does.
fn set_primitive(t: &JavaThread, array: Oop, index: i32, from: BasicType, slot: u64) -> VmResult<()> {
    let i = check_index(t, array, index)?;
    let class = array.class();
    if class.is_object_array() {
        return Ok(());
    }
    match widen(slot, from, class.element_type) {
        Some(wide) => {
            store_primitive(class.element_type, array, element_offset(array, i), wide);
            Ok(())
        }
        None => illegal_argument(t, Some("argument type mismatch")),
    }
}

fn set(t: &JavaThread, array: Oop, index: i32, value: Oop) -> VmResult<()> {
    check_array(t, array, false)?;
    if array.class().is_primitive_array() {
        // Null fails before the index is looked at, an object that is no box after it.
        if value.is_null() {
            return illegal_argument(t, None);
        }
        check_index(t, array, index)?;
        return match unbox(value) {
            Some((from, slot)) => set_primitive(t, array, index, from, slot),
            None => illegal_argument(t, Some("argument type mismatch")),
        };
    }
    let i = check_index(t, array, index)?;
    let element = array.class().component.expect("an array of references has a component class");
    if !value.is_null() && !value.class().is_subclass_of(element) {
        return illegal_argument(t, Some("array element type mismatch"));
    }
    set_array_ref(t, array, i, value);
    Ok(())
}

/// A `jvalue` of type `p` as a stack slot: only its low bytes count.
fn slot_of_jvalue(p: BasicType, bits: u64) -> u64 {
    match p {
        BasicType::Boolean => int_slot(i32::from(bits as u8)),
        BasicType::Byte => int_slot(i32::from(bits as i8)),
        BasicType::Char => int_slot(i32::from(bits as u16)),
        BasicType::Short => int_slot(i32::from(bits as i16)),
        BasicType::Int | BasicType::Float => u64::from(bits as u32),
        _ => bits,
    }
}

jvm_entry! {
    /// `Array.newArray`.
    fn JVM_NewArray(t, element: Oop, length: i32) -> Oop {
        new_array(t, element, length)
    }

    /// `Array.multiNewArray`.
    fn JVM_NewMultiArray(t, element: Oop, dims: Oop) -> Oop {
        new_multi_array(t, element, dims)
    }

    /// `Array.getLength`.
    fn JVM_GetArrayLength(t, array: Oop) -> i32 {
        length(t, array)
    }

    /// `Array.get`: primitives boxed.
    fn JVM_GetArrayElement(t, array: Oop, index: i32) -> Oop {
        check_array(t, array, false)?;
        let (p, slot) = get(t, array, index)?;
        box_value(t, p, slot)
    }

    /// `Array.getInt` and the like: the element widened to type `code`, as a `jvalue`.
    fn JVM_GetPrimitiveArrayElement(t, array: Oop, index: i32, code: i32) -> u64 {
        check_array(t, array, true)?;
        let (p, slot) = get(t, array, index)?;
        let wide = BasicType::from_code(code as u8).and_then(|to| widen(slot, p, to));
        match wide {
            Some(v) => Ok(v),
            None => illegal_argument(t, Some("argument type mismatch")),
        }
    }

    /// `Array.set`: boxes opened for arrays of primitives.
    fn JVM_SetArrayElement(t, array: Oop, index: i32, value: Oop) -> () {
        set(t, array, index, value)
    }

    /// `Array.setInt` and the like: `value` is a `jvalue` of type `code`.
    fn JVM_SetPrimitiveArrayElement(t, array: Oop, index: i32, value: u64, code: u8) -> () {
        check_array(t, array, true)?;
        let from = BasicType::from_code(code).expect("the class library passes the code of a primitive");
        set_primitive(t, array, index, from, slot_of_jvalue(from, value))
    }
}
