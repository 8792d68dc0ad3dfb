//! Loads from and stores to heap objects, with the write barrier where it is needed.
//! Offsets are in bytes from the object's start and must lie within it.

use super::layout::Oop;
use crate::threads::JavaThread;

/// Types that heap memory holds as they are.
pub trait HeapPrimitive: Copy {}
impl HeapPrimitive for u8 {}
impl HeapPrimitive for i8 {}
impl HeapPrimitive for u16 {}
impl HeapPrimitive for i16 {}
impl HeapPrimitive for i32 {}
impl HeapPrimitive for u32 {}
impl HeapPrimitive for i64 {}
impl HeapPrimitive for u64 {}
impl HeapPrimitive for f32 {}
impl HeapPrimitive for f64 {}

/// Plain load of a primitive.
#[inline(always)]
pub fn load<T: HeapPrimitive>(object: Oop, offset: usize) -> T {
    debug_assert!(!object.is_null());
    // SAFETY: callers pass a field or element offset of a live object.
    unsafe { std::ptr::read_volatile((object.address() + offset) as *const T) }
}

/// Plain store of a primitive.
#[inline(always)]
pub fn store<T: HeapPrimitive>(object: Oop, offset: usize, value: T) {
    debug_assert!(!object.is_null());
    // SAFETY: as for `load`.
    unsafe { std::ptr::write_volatile((object.address() + offset) as *mut T, value) }
}

/// Plain load of a reference.
#[inline(always)]
pub fn load_ref(object: Oop, offset: usize) -> Oop {
    Oop::from_address(super::layout::widen(load::<u32>(object, offset)))
}

/// Plain store of a reference, with barrier.
#[inline(always)]
pub fn store_ref(_t: &JavaThread, _object: Oop, _offset: usize, _value: Oop) {
    unimplemented!("heap::access::store_ref")
}

/// Volatile load of a reference (sequentially consistent).
#[inline(always)]
pub fn load_ref_volatile(_object: Oop, _offset: usize) -> Oop {
    unimplemented!("heap::access::load_ref_volatile")
}

/// Volatile store of a reference, with barrier.
pub fn store_ref_volatile(_t: &JavaThread, _object: Oop, _offset: usize, _value: Oop) {
    unimplemented!("heap::access::store_ref_volatile")
}

/// Compare-and-exchange of a reference (sequentially consistent), with barrier; the witness.
pub fn compare_exchange_ref(_t: &JavaThread, _object: Oop, _offset: usize, _expected: Oop, _new: Oop) -> Oop {
    unimplemented!("heap::access::compare_exchange_ref")
}

/// Element `index` of an array of references (in bounds).
#[inline(always)]
pub fn array_ref(array: Oop, index: usize) -> Oop {
    debug_assert!(index < array.array_length());
    load_ref(array, 12 + 4 * index)
}

/// Stores element `index` (in bounds, type checked by the caller), with barrier.
#[inline(always)]
pub fn set_array_ref(t: &JavaThread, array: Oop, index: usize, value: Oop) {
    debug_assert!(index < array.array_length());
    store_ref(t, array, 12 + 4 * index, value)
}

/// Bulk copy between arrays of the same element layout, overlap allowed; references with
/// barrier and element-atomic. Ranges and element types are checked by the caller.
pub fn copy_elements(_t: &JavaThread, _src: Oop, _src_pos: usize, _dst: Oop, _dst_pos: usize, _length: usize) {
    unimplemented!("heap::access::copy_elements")
}

/// The elements of a byte[] as a slice; valid until the next safepoint.
///
/// # Safety
/// `array` must be a byte[] or boolean[], and stay reachable and unmodified for 'a.
pub unsafe fn bytes<'a>(array: Oop) -> &'a [u8] {
    std::slice::from_raw_parts((array.address() + 16) as *const u8, array.array_length())
}
