//! Natives of `java.lang.System`: `arraycopy`, `identityHashCode`.

use super::slots::*;
use super::ClassNatives;
use crate::exceptions::{throw, VmResult};
use crate::heap::access::{array_ref, copy_elements, set_array_ref};
use crate::heap::layout::Oop;
use crate::jvm_entry;
use crate::threads::{monitor, JavaThread};

const STORE: &str = "java/lang/ArrayStoreException";
const BOUNDS: &str = "java/lang/ArrayIndexOutOfBoundsException";

pub(super) static TABLE: &[ClassNatives] = &[(
    "java/lang/System",
    &[
        ("arraycopy", "(Ljava/lang/Object;ILjava/lang/Object;II)V", arraycopy_native),
        ("identityHashCode", "(Ljava/lang/Object;)I", identity_hash_code),
    ],
)];

fn identity_hash_code(t: &JavaThread, args: *const u64) -> VmResult<u64> {
    // SAFETY: bound to a method with one reference argument.
    let object = unsafe { reference(args, 0) };
    Ok(of_int(if object.is_null() { 0 } else { monitor::identity_hash(t, object) }))
}

fn arraycopy_native(t: &JavaThread, args: *const u64) -> VmResult<u64> {
    // SAFETY: bound to arraycopy, whose arguments these are.
    unsafe {
        arraycopy(t, reference(args, 0), int(args, 1), reference(args, 2), int(args, 3), int(args, 4))?;
    }
    Ok(0)
}

/// The checks that do not depend on element types; messages name an array `what` it holds.
#[inline]
fn check_ranges(t: &JavaThread, src: Oop, src_pos: i32, dst: Oop, dst_pos: i32, length: i32) -> VmResult<()> {
    let (sl, dl) = (src.array_length() as u32, dst.array_length() as u32);
    let negative = src_pos < 0 || dst_pos < 0 || length < 0;
    // Sums of two non-negative ints do not overflow a u32.
    if !negative && length as u32 + src_pos as u32 <= sl && length as u32 + dst_pos as u32 <= dl {
        return Ok(());
    }
    Err(range_error(t, src, src_pos, dst, dst_pos, length))
}

#[cold]
fn range_error(t: &JavaThread, src: Oop, src_pos: i32, dst: Oop, dst_pos: i32, length: i32) -> crate::exceptions::Thrown {
    let shape = |a: Oop| {
        let c = a.class();
        let what = if c.is_object_array() { "object array" } else { c.element_type.java_name() };
        format!("{what}[{}]", a.array_length())
    };
    let last = |pos: i32| (length as u32).wrapping_add(pos as u32);
    let m = if src_pos < 0 {
        format!("arraycopy: source index {src_pos} out of bounds for {}", shape(src))
    } else if dst_pos < 0 {
        format!("arraycopy: destination index {dst_pos} out of bounds for {}", shape(dst))
    } else if length < 0 {
        format!("arraycopy: length {length} is negative")
    } else if last(src_pos) > src.array_length() as u32 {
        format!("arraycopy: last source index {} out of bounds for {}", last(src_pos), shape(src))
    } else {
        format!("arraycopy: last destination index {} out of bounds for {}", last(dst_pos), shape(dst))
    };
    throw(t, BOUNDS, Some(m))
}

/// `System.arraycopy`. Throws NullPointerException, ArrayStoreException (also halfway, with the
/// elements before the offending one copied), ArrayIndexOutOfBoundsException.
pub fn arraycopy(t: &JavaThread, src: Oop, src_pos: i32, dst: Oop, dst_pos: i32, length: i32) -> VmResult<()> {
    if src.is_null() || dst.is_null() {
        return Err(throw(t, "java/lang/NullPointerException", None));
    }
    let (sc, dc) = (src.class(), dst.class());
    if std::ptr::eq(sc, dc) && sc.is_array() {
        check_ranges(t, src, src_pos, dst, dst_pos, length)?;
        copy_elements(t, src, src_pos as usize, dst, dst_pos as usize, length as usize);
        return Ok(());
    }
    if let Some(m) = type_mismatch(src, dst) {
        return Err(throw(t, STORE, Some(m)));
    }
    check_ranges(t, src, src_pos, dst, dst_pos, length)?;
    let (from, to) = (
        sc.component.expect("an array of references has a component class"),
        dc.component.expect("an array of references has a component class"),
    );
    if from.is_subclass_of(to) {
        copy_elements(t, src, src_pos as usize, dst, dst_pos as usize, length as usize);
        return Ok(());
    }
    for i in 0..length as usize {
        let element = array_ref(src, src_pos as usize + i);
        if !element.is_null() && !element.class().is_subclass_of(to) {
            let m = if to.is_subclass_of(from) {
                format!(
                    "arraycopy: element type mismatch: can not cast one of the elements of {from}[] to the type of the destination array, {to}"
                )
            } else {
                format!("arraycopy: type mismatch: can not copy {from}[] into {to}[]")
            };
            return Err(throw(t, STORE, Some(m)));
        }
        set_array_ref(t, dst, dst_pos as usize + i, element);
    }
    Ok(())
}

/// Why two objects of different classes are no pair of arrays to copy between; `None` if both
/// are arrays of references.
fn type_mismatch(src: Oop, dst: Oop) -> Option<String> {
    let (sc, dc) = (src.class(), dst.class());
    let what = |c: crate::meta::class::ClassRef| {
        if c.is_object_array() {
            "object array".to_string()
        } else {
            c.element_type.java_name().to_string()
        }
    };
    if !sc.is_array() {
        return Some(format!("arraycopy: source type {sc} is not an array"));
    }
    if !dc.is_array() {
        return Some(format!("arraycopy: destination type {dc} is not an array"));
    }
    if sc.is_primitive_array() || dc.is_primitive_array() {
        // "object array[]" too, as HotSpot says it.
        return Some(format!("arraycopy: type mismatch: can not copy {}[] into {}[]", what(sc), what(dc)));
    }
    None
}

jvm_entry! {
    /// `System.arraycopy`.
    fn JVM_ArrayCopy(t, _system: Oop, src: Oop, src_pos: i32, dst: Oop, dst_pos: i32, length: i32) -> () {
        arraycopy(t, src, src_pos, dst, dst_pos, length)
    }
}
