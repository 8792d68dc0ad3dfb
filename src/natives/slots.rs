//! Reading the argument slots of a [`VmNative`](crate::meta::method::VmNative), making its
//! result. Slots count as on the Java stack: long and double take two.

use crate::heap::layout::Oop;

/// The reference in slot `i`.
///
/// # Safety
/// `args` must be the argument slots of a method whose slot `i` holds a reference; likewise below.
#[inline(always)]
pub unsafe fn reference(args: *const u64, i: usize) -> Oop {
    Oop::from_address(*args.add(i) as usize)
}

/// The int (or shorter, or float bits) in slot `i`.
///
/// # Safety
/// See [`reference`].
#[inline(always)]
pub unsafe fn int(args: *const u64, i: usize) -> i32 {
    *args.add(i) as u32 as i32
}

/// The long (or double bits) whose first slot is `i`.
///
/// # Safety
/// See [`reference`].
#[inline(always)]
pub unsafe fn long(args: *const u64, i: usize) -> i64 {
    *args.add(i) as i64
}

/// A result of type int or shorter.
#[inline(always)]
pub fn of_int(v: i32) -> u64 {
    u64::from(v as u32)
}

/// A result of type boolean.
#[inline(always)]
pub fn of_bool(v: bool) -> u64 {
    u64::from(v)
}

/// A result that is a reference.
#[inline(always)]
pub fn of_ref(v: Oop) -> u64 {
    v.address() as u64
}
