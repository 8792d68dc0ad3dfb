//! Loads from and stores to heap objects, with the write barrier where it is needed.
//! Offsets are in bytes from the object's start and must lie within it.

use super::layout::{narrow, side_bit, widen, BasicType, Oop, REF_BYTES};
use super::mmtk_binding::{mutator_of, to_mmtk, Slot};
use crate::threads::JavaThread;
use mmtk::MutatorContext;
use std::sync::atomic::{AtomicU32, Ordering};

/// Offset of element 0 of an array of references.
const OBJECT_ARRAY_BASE: usize = BasicType::Object.array_base();

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
pub fn store_ref(t: &JavaThread, object: Oop, offset: usize, value: Oop) {
    store::<u32>(object, offset, narrow(value.address()));
    barrier(t, object);
}

/// The object-remembering write barrier, after the store: an old object that is written to for
/// the first time since the last collection is remembered. Compiled code does the same test.
#[inline(always)]
pub fn barrier(t: &JavaThread, object: Oop) {
    let base = t.log_base.get();
    if base == 0 {
        return;
    }
    let (byte, bit) = side_bit(base, object.address());
    // SAFETY: the log bits of every heap address are mapped if the plan has a barrier.
    if unsafe { *(byte as *const u8) } >> bit & 1 != 0 {
        barrier_slow(t, object)
    }
}

/// Remembers `object`. A leaf: no safepoint.
#[cold]
#[inline(never)]
pub fn barrier_slow(t: &JavaThread, object: Oop) {
    // SAFETY: on the thread itself. The slot is not looked at by an object barrier.
    let mutator = unsafe { mutator_of(t) };
    mutator.barrier().object_reference_write_slow(to_mmtk(object), Slot::narrow(object.address()), None);
}

/// The field as an atomic cell.
#[inline(always)]
fn cell<'a>(object: Oop, offset: usize) -> &'a AtomicU32 {
    debug_assert!(!object.is_null() && offset & 3 == 0);
    // SAFETY: a reference field of a live object; it stays so until the next safepoint.
    unsafe { &*((object.address() + offset) as *const AtomicU32) }
}

/// Volatile load of a reference (sequentially consistent).
#[inline(always)]
pub fn load_ref_volatile(object: Oop, offset: usize) -> Oop {
    Oop::from_address(widen(cell(object, offset).load(Ordering::SeqCst)))
}

/// Volatile store of a reference, with barrier.
#[inline]
pub fn store_ref_volatile(t: &JavaThread, object: Oop, offset: usize, value: Oop) {
    cell(object, offset).store(narrow(value.address()), Ordering::SeqCst);
    barrier(t, object);
}

/// Compare-and-exchange of a reference (sequentially consistent), with barrier; the witness.
#[inline]
pub fn compare_exchange_ref(t: &JavaThread, object: Oop, offset: usize, expected: Oop, new: Oop) -> Oop {
    let (e, n) = (narrow(expected.address()), narrow(new.address()));
    match cell(object, offset).compare_exchange(e, n, Ordering::SeqCst, Ordering::SeqCst) {
        Ok(_) => {
            barrier(t, object);
            expected
        }
        Err(witness) => Oop::from_address(widen(witness)),
    }
}

/// Atomic exchange of a reference, with barrier; the old value.
#[inline]
pub fn exchange_ref(t: &JavaThread, object: Oop, offset: usize, new: Oop) -> Oop {
    let old = cell(object, offset).swap(narrow(new.address()), Ordering::SeqCst);
    barrier(t, object);
    Oop::from_address(widen(old))
}

/// Stores a static reference or another reference slot at an absolute address inside
/// `object`, with barrier: for mirrors, whose static fields have constant addresses.
#[inline(always)]
pub fn store_ref_at(t: &JavaThread, object: Oop, address: usize, value: Oop) {
    store_ref(t, object, address - object.address(), value)
}

/// Element `index` of an array of references (in bounds).
#[inline(always)]
pub fn array_ref(array: Oop, index: usize) -> Oop {
    debug_assert!(index < array.array_length());
    load_ref(array, OBJECT_ARRAY_BASE + REF_BYTES * index)
}

/// Stores element `index` (in bounds, type checked by the caller), with barrier.
#[inline(always)]
pub fn set_array_ref(t: &JavaThread, array: Oop, index: usize, value: Oop) {
    debug_assert!(index < array.array_length());
    store_ref(t, array, OBJECT_ARRAY_BASE + REF_BYTES * index, value)
}

/// Bulk copy between arrays of the same element layout, overlap allowed; references with
/// barrier and element-atomic. Ranges and element types are checked by the caller.
pub fn copy_elements(t: &JavaThread, src: Oop, src_pos: usize, dst: Oop, dst_pos: usize, length: usize) {
    if length == 0 {
        return;
    }
    let class = src.class();
    debug_assert_eq!(class.array_log2(), dst.class().array_log2());
    debug_assert!(src_pos + length <= src.array_length() && dst_pos + length <= dst.array_length());
    let (base, log2) = (class.array_base(), class.array_log2());
    let from = src.address() + base + (src_pos << log2);
    let to = dst.address() + base + (dst_pos << log2);
    // SAFETY: both ranges lie in live arrays, and element addresses are aligned to the element
    // size, so that copying in units of it tears no element.
    unsafe {
        match log2 {
            0 => std::ptr::copy(from as *const u8, to as *mut u8, length),
            1 => std::ptr::copy(from as *const u16, to as *mut u16, length),
            2 => std::ptr::copy(from as *const u32, to as *mut u32, length),
            _ => std::ptr::copy(from as *const u64, to as *mut u64, length),
        }
    }
    if class.is_object_array() {
        barrier(t, dst);
    }
}

/// The elements of a byte[] as a slice; valid until the next safepoint.
///
/// # Safety
/// `array` must be a byte[] or boolean[], and stay reachable and unmodified for 'a.
pub unsafe fn bytes<'a>(array: Oop) -> &'a [u8] {
    std::slice::from_raw_parts((array.address() + BasicType::Byte.array_base()) as *const u8, array.array_length())
}

/// The same to write to.
///
/// # Safety
/// `array` must be a byte[] or boolean[], stay reachable, and not be accessed otherwise for 'a.
pub unsafe fn bytes_mut<'a>(array: Oop) -> &'a mut [u8] {
    std::slice::from_raw_parts_mut((array.address() + BasicType::Byte.array_base()) as *mut u8, array.array_length())
}
