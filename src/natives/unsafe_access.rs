//! `jdk.internal.misc.Unsafe`: loads, stores, compare-and-set, fences.
//!
//! A location is an object and a byte offset within it, or null and an address. Java's own
//! fallbacks derive the opaque, acquire, release, get-and-add and sub-word forms from these.

use crate::exceptions::VmResult;
use crate::heap::access;
use crate::heap::layout::Oop;
use crate::threads::JavaThread;
use crate::vm::crash::{guarded, memory_fault};
use std::sync::atomic::{fence, AtomicI16, AtomicI8, AtomicU16, AtomicU32, AtomicU64, AtomicU8, Ordering};

/// Argument slot `i`.
///
/// # Safety
/// The method must have that many argument slots.
#[inline(always)]
pub(super) unsafe fn slot(args: *const u64, i: usize) -> u64 {
    *args.add(i)
}

/// Argument slot `i` as a reference.
///
/// # Safety
/// The slot must hold a reference.
#[inline(always)]
pub(super) unsafe fn reference(args: *const u64, i: usize) -> Oop {
    Oop::from_address(*args.add(i) as usize)
}

/// Address of the location that slots `i` (object or null) and `i + 1` (offset) name. Valid
/// until the next safepoint.
///
/// # Safety
/// The slots must hold a reference and a long.
#[inline(always)]
pub(super) unsafe fn location(args: *const u64, i: usize) -> usize {
    (slot(args, i) as usize).wrapping_add(slot(args, i + 1) as usize)
}

/// How a value of a Java type sits in a slot and in memory.
trait Value: Copy {
    fn to_slot(self) -> u64;
    fn from_slot(slot: u64) -> Self;
}

macro_rules! values {
    ($($t:ty: $to:expr, $from:expr;)*) => { $(
        impl Value for $t {
            #[inline(always)]
            fn to_slot(self) -> u64 { let f: fn($t) -> u64 = $to; f(self) }
            #[inline(always)]
            fn from_slot(slot: u64) -> $t { let f: fn(u64) -> $t = $from; f(slot) }
        }
    )* };
}

values! {
    i8: |v| v as i32 as u32 as u64, |s| s as i8;
    i16: |v| v as i32 as u32 as u64, |s| s as i16;
    u16: |v| v as u64, |s| s as u16;
    u32: |v| v as u64, |s| s as u32;
    u64: |v| v, |s| s;
}

/// `boolean`: any non-zero byte reads as true, as HotSpot normalizes it.
#[derive(Clone, Copy)]
#[repr(transparent)]
struct Bool(u8);

impl Value for Bool {
    #[inline(always)]
    fn to_slot(self) -> u64 {
        u64::from(self.0 != 0)
    }
    #[inline(always)]
    fn from_slot(slot: u64) -> Bool {
        Bool((slot & 1) as u8)
    }
}

/// Runs `f`, which accesses the location that slots 1 and 2 name. Throws InternalError if that is outside the heap and
/// has been taken away.
///
/// # Safety
/// The slots must hold a reference and a long.
#[inline(always)]
unsafe fn access_at<R: Copy>(t: &JavaThread, args: *const u64, f: impl FnOnce() -> R) -> VmResult<R> {
    if reference(args, 1).is_null() {
        guarded(f).ok_or_else(|| memory_fault(t))
    } else {
        Ok(f())
    }
}

// Unaligned, because programs use sun.misc.Unsafe so where the processor allows it; an aligned
// access is still one instruction.
fn get<T: Value>(t: &JavaThread, args: *const u64) -> VmResult<u64> {
    // SAFETY: (Object, long); that the location is valid is the contract of Unsafe.
    unsafe { access_at(t, args, || (location(args, 1) as *const T).read_unaligned().to_slot()) }
}

fn put<T: Value>(t: &JavaThread, args: *const u64) -> VmResult<u64> {
    // SAFETY: (Object, long, T); as above.
    unsafe {
        access_at(t, args, || (location(args, 1) as *mut T).write_unaligned(T::from_slot(slot(args, 4))))?;
    }
    Ok(0)
}

macro_rules! volatile {
    ($get:ident, $put:ident, $value:ty, $atomic:ty, $wrap:expr, $bits:expr) => {
        fn $get(t: &JavaThread, args: *const u64) -> VmResult<u64> {
            // SAFETY: (Object, long); that the location is valid and aligned is the contract of
            // Unsafe.
            let raw = unsafe {
                access_at(t, args, || (*(location(args, 1) as *const $atomic)).load(Ordering::SeqCst))?
            };
            Ok($wrap(raw).to_slot())
        }

        fn $put(t: &JavaThread, args: *const u64) -> VmResult<u64> {
            // SAFETY: (Object, long, T); as above.
            unsafe {
                let value = $bits(<$value>::from_slot(slot(args, 4)));
                access_at(t, args, || (*(location(args, 1) as *const $atomic)).store(value, Ordering::SeqCst))?;
            }
            Ok(0)
        }
    };
    ($get:ident, $put:ident, $value:ty, $atomic:ty) => {
        volatile!($get, $put, $value, $atomic, std::convert::identity, std::convert::identity);
    };
}

volatile!(get_boolean_volatile, put_boolean_volatile, Bool, AtomicU8, Bool, |b: Bool| b.0);
volatile!(get_byte_volatile, put_byte_volatile, i8, AtomicI8);
volatile!(get_short_volatile, put_short_volatile, i16, AtomicI16);
volatile!(get_char_volatile, put_char_volatile, u16, AtomicU16);
volatile!(get_int_volatile, put_int_volatile, u32, AtomicU32);
volatile!(get_long_volatile, put_long_volatile, u64, AtomicU64);

fn get_reference(_t: &JavaThread, args: *const u64) -> VmResult<u64> {
    // SAFETY: (Object, long).
    let (o, offset) = unsafe { (reference(args, 1), slot(args, 2) as usize) };
    Ok(access::load_ref(o, offset).address() as u64)
}

fn put_reference(t: &JavaThread, args: *const u64) -> VmResult<u64> {
    // SAFETY: (Object, long, Object).
    let (o, offset, x) = unsafe { (reference(args, 1), slot(args, 2) as usize, reference(args, 4)) };
    access::store_ref(t, o, offset, x);
    Ok(0)
}

fn get_reference_volatile(_t: &JavaThread, args: *const u64) -> VmResult<u64> {
    // SAFETY: (Object, long).
    let (o, offset) = unsafe { (reference(args, 1), slot(args, 2) as usize) };
    Ok(access::load_ref_volatile(o, offset).address() as u64)
}

fn put_reference_volatile(t: &JavaThread, args: *const u64) -> VmResult<u64> {
    // SAFETY: (Object, long, Object).
    let (o, offset, x) = unsafe { (reference(args, 1), slot(args, 2) as usize, reference(args, 4)) };
    access::store_ref_volatile(t, o, offset, x);
    Ok(0)
}

/// `getUncompressedObject(address)`: a wide reference stored outside the heap.
fn get_uncompressed_object(_t: &JavaThread, args: *const u64) -> VmResult<u64> {
    // SAFETY: (long); that a reference is stored there is the contract of Unsafe.
    Ok(unsafe { *(slot(args, 1) as usize as *const u64) })
}

/// The witness of an atomic compare-and-exchange of 4 bytes.
///
/// # Safety
/// The arguments must be (Object, long, int, int) naming a valid, aligned location.
#[inline(always)]
unsafe fn exchange_u32(t: &JavaThread, args: *const u64) -> VmResult<(u32, u32)> {
    let (expected, new) = (slot(args, 4) as u32, slot(args, 5) as u32);
    let cell = &*(location(args, 1) as *const AtomicU32);
    let witness = access_at(t, args, || cell.compare_exchange(expected, new, Ordering::SeqCst, Ordering::SeqCst))?;
    Ok((expected, witness.unwrap_or_else(|w| w)))
}

/// The witness of an atomic compare-and-exchange of 8 bytes.
///
/// # Safety
/// The arguments must be (Object, long, long, long) naming a valid, aligned location.
#[inline(always)]
unsafe fn exchange_u64(t: &JavaThread, args: *const u64) -> VmResult<(u64, u64)> {
    let (expected, new) = (slot(args, 4), slot(args, 6));
    let cell = &*(location(args, 1) as *const AtomicU64);
    let witness = access_at(t, args, || cell.compare_exchange(expected, new, Ordering::SeqCst, Ordering::SeqCst))?;
    Ok((expected, witness.unwrap_or_else(|w| w)))
}

fn exchange_ref(t: &JavaThread, args: *const u64) -> (Oop, Oop) {
    // SAFETY: (Object, long, Object, Object).
    let (o, offset, expected, new) =
        unsafe { (reference(args, 1), slot(args, 2) as usize, reference(args, 4), reference(args, 5)) };
    (expected, access::compare_exchange_ref(t, o, offset, expected, new))
}

fn compare_and_set_int(t: &JavaThread, args: *const u64) -> VmResult<u64> {
    // SAFETY: (Object, long, int, int); the contract of Unsafe.
    let (expected, witness) = unsafe { exchange_u32(t, args)? };
    Ok(u64::from(expected == witness))
}

fn compare_and_exchange_int(t: &JavaThread, args: *const u64) -> VmResult<u64> {
    // SAFETY: as above.
    Ok(u64::from(unsafe { exchange_u32(t, args)? }.1))
}

fn compare_and_set_long(t: &JavaThread, args: *const u64) -> VmResult<u64> {
    // SAFETY: (Object, long, long, long); the contract of Unsafe.
    let (expected, witness) = unsafe { exchange_u64(t, args)? };
    Ok(u64::from(expected == witness))
}

fn compare_and_exchange_long(t: &JavaThread, args: *const u64) -> VmResult<u64> {
    // SAFETY: as above.
    Ok(unsafe { exchange_u64(t, args)? }.1)
}

fn compare_and_set_reference(t: &JavaThread, args: *const u64) -> VmResult<u64> {
    let (expected, witness) = exchange_ref(t, args);
    Ok(u64::from(expected == witness))
}

fn compare_and_exchange_reference(t: &JavaThread, args: *const u64) -> VmResult<u64> {
    Ok(exchange_ref(t, args).1.address() as u64)
}

fn load_fence(_t: &JavaThread, _args: *const u64) -> VmResult<u64> {
    fence(Ordering::Acquire);
    Ok(0)
}

fn store_fence(_t: &JavaThread, _args: *const u64) -> VmResult<u64> {
    fence(Ordering::Release);
    Ok(0)
}

fn full_fence(_t: &JavaThread, _args: *const u64) -> VmResult<u64> {
    fence(Ordering::SeqCst);
    Ok(0)
}

/// The natives of this file.
pub(super) const TABLE: &[super::Native] = &[
    ("registerNatives", "()V", super::register_natives),
    ("getBoolean", "(Ljava/lang/Object;J)Z", get::<Bool>),
    ("putBoolean", "(Ljava/lang/Object;JZ)V", put::<Bool>),
    ("getByte", "(Ljava/lang/Object;J)B", get::<i8>),
    ("putByte", "(Ljava/lang/Object;JB)V", put::<i8>),
    ("getShort", "(Ljava/lang/Object;J)S", get::<i16>),
    ("putShort", "(Ljava/lang/Object;JS)V", put::<i16>),
    ("getChar", "(Ljava/lang/Object;J)C", get::<u16>),
    ("putChar", "(Ljava/lang/Object;JC)V", put::<u16>),
    ("getInt", "(Ljava/lang/Object;J)I", get::<u32>),
    ("putInt", "(Ljava/lang/Object;JI)V", put::<u32>),
    ("getLong", "(Ljava/lang/Object;J)J", get::<u64>),
    ("putLong", "(Ljava/lang/Object;JJ)V", put::<u64>),
    // Floating-point values travel as their bits.
    ("getFloat", "(Ljava/lang/Object;J)F", get::<u32>),
    ("putFloat", "(Ljava/lang/Object;JF)V", put::<u32>),
    ("getDouble", "(Ljava/lang/Object;J)D", get::<u64>),
    ("putDouble", "(Ljava/lang/Object;JD)V", put::<u64>),
    ("getReference", "(Ljava/lang/Object;J)Ljava/lang/Object;", get_reference),
    ("putReference", "(Ljava/lang/Object;JLjava/lang/Object;)V", put_reference),
    ("getBooleanVolatile", "(Ljava/lang/Object;J)Z", get_boolean_volatile),
    ("putBooleanVolatile", "(Ljava/lang/Object;JZ)V", put_boolean_volatile),
    ("getByteVolatile", "(Ljava/lang/Object;J)B", get_byte_volatile),
    ("putByteVolatile", "(Ljava/lang/Object;JB)V", put_byte_volatile),
    ("getShortVolatile", "(Ljava/lang/Object;J)S", get_short_volatile),
    ("putShortVolatile", "(Ljava/lang/Object;JS)V", put_short_volatile),
    ("getCharVolatile", "(Ljava/lang/Object;J)C", get_char_volatile),
    ("putCharVolatile", "(Ljava/lang/Object;JC)V", put_char_volatile),
    ("getIntVolatile", "(Ljava/lang/Object;J)I", get_int_volatile),
    ("putIntVolatile", "(Ljava/lang/Object;JI)V", put_int_volatile),
    ("getLongVolatile", "(Ljava/lang/Object;J)J", get_long_volatile),
    ("putLongVolatile", "(Ljava/lang/Object;JJ)V", put_long_volatile),
    ("getFloatVolatile", "(Ljava/lang/Object;J)F", get_int_volatile),
    ("putFloatVolatile", "(Ljava/lang/Object;JF)V", put_int_volatile),
    ("getDoubleVolatile", "(Ljava/lang/Object;J)D", get_long_volatile),
    ("putDoubleVolatile", "(Ljava/lang/Object;JD)V", put_long_volatile),
    ("getReferenceVolatile", "(Ljava/lang/Object;J)Ljava/lang/Object;", get_reference_volatile),
    ("putReferenceVolatile", "(Ljava/lang/Object;JLjava/lang/Object;)V", put_reference_volatile),
    ("getUncompressedObject", "(J)Ljava/lang/Object;", get_uncompressed_object),
    ("compareAndSetInt", "(Ljava/lang/Object;JII)Z", compare_and_set_int),
    ("compareAndExchangeInt", "(Ljava/lang/Object;JII)I", compare_and_exchange_int),
    ("compareAndSetLong", "(Ljava/lang/Object;JJJ)Z", compare_and_set_long),
    ("compareAndExchangeLong", "(Ljava/lang/Object;JJJ)J", compare_and_exchange_long),
    (
        "compareAndSetReference",
        "(Ljava/lang/Object;JLjava/lang/Object;Ljava/lang/Object;)Z",
        compare_and_set_reference,
    ),
    (
        "compareAndExchangeReference",
        "(Ljava/lang/Object;JLjava/lang/Object;Ljava/lang/Object;)Ljava/lang/Object;",
        compare_and_exchange_reference,
    ),
    ("loadFence", "()V", load_fence),
    ("storeFence", "()V", store_fence),
    ("fullFence", "()V", full_fence),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_hold_sub_words_as_ints() {
        assert_eq!((-1i8).to_slot(), 0xffff_ffff);
        assert_eq!((-2i16).to_slot(), 0xffff_fffe);
        assert_eq!(0xffffu16.to_slot(), 0xffff);
        assert_eq!(Bool(2).to_slot(), 1);
        assert_eq!(<i8 as Value>::from_slot(0xffff_ff80), -128);
        assert_eq!(Bool::from_slot(3).0, 1);
    }
}
