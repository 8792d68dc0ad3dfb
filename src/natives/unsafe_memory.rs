//! `jdk.internal.misc.Unsafe`: blocks of memory, within objects and outside the heap.

use super::unsafe_access::{location, reference, slot};
use crate::exceptions::VmResult;
use crate::heap::layout::Oop;
use crate::threads::{state, JavaThread};
use crate::vm::crash::{guarded, memory_fault};
use std::sync::atomic::{AtomicU64, Ordering};

/// Copies and fills of at least this many bytes outside the heap do not hold up a safepoint.
const LARGE: usize = 1 << 20;

/// Whether `-XX:MallocMaxTestWords` lets nobody have that much more; else it counts as used, for good.
fn is_withheld(bytes: u64) -> bool {
    static USED: AtomicU64 = AtomicU64::new(0);
    let Some(limit) = crate::vm::get().options.settings.malloc_limit else { return false };
    let words = bytes / 8;
    if USED.load(Ordering::Relaxed).saturating_add(words) > limit {
        return true;
    }
    USED.fetch_add(words, Ordering::Relaxed);
    false
}

/// `allocateMemory0(bytes)`: 0 if there is no memory.
fn allocate_memory(_t: &JavaThread, args: *const u64) -> VmResult<u64> {
    // SAFETY: (long); malloc takes any size.
    unsafe {
        let bytes = slot(args, 1);
        Ok(if is_withheld(bytes) { 0 } else { libc::malloc(bytes as usize) as u64 })
    }
}

/// `reallocateMemory0(address, bytes)`: 0 if there is no memory.
fn reallocate_memory(_t: &JavaThread, args: *const u64) -> VmResult<u64> {
    // SAFETY: (long, long); that the block came from here is the contract of Unsafe.
    unsafe {
        let bytes = slot(args, 3);
        let block = slot(args, 1) as *mut libc::c_void;
        Ok(if is_withheld(bytes) { 0 } else { libc::realloc(block, bytes as usize) as u64 })
    }
}

fn free_memory(_t: &JavaThread, args: *const u64) -> VmResult<u64> {
    // SAFETY: (long); that the block came from here is the contract of Unsafe.
    unsafe { libc::free(slot(args, 1) as *mut libc::c_void) };
    Ok(0)
}

/// Fills in the widest units that address and size allow: no unit is seen torn.
///
/// # Safety
/// `address..address + bytes` must be writable.
unsafe fn fill(address: usize, bytes: usize, value: u8) {
    match (address | bytes) & 7 {
        0 => std::slice::from_raw_parts_mut(address as *mut u64, bytes / 8).fill(u64::from(value) * 0x0101_0101_0101_0101),
        4 => std::slice::from_raw_parts_mut(address as *mut u32, bytes / 4).fill(u32::from(value) * 0x0101_0101),
        2 | 6 => std::slice::from_raw_parts_mut(address as *mut u16, bytes / 2).fill(u16::from(value) * 0x0101),
        _ => std::ptr::write_bytes(address as *mut u8, value, bytes),
    }
}

/// Copies, overlap allowed, in the widest units that addresses and size allow.
///
/// # Safety
/// Both ranges must be valid.
unsafe fn copy(from: usize, to: usize, bytes: usize) {
    match (from | to | bytes) & 7 {
        0 => std::ptr::copy(from as *const u64, to as *mut u64, bytes / 8),
        4 => std::ptr::copy(from as *const u32, to as *mut u32, bytes / 4),
        2 | 6 => std::ptr::copy(from as *const u16, to as *mut u16, bytes / 2),
        _ => std::ptr::copy(from as *const u8, to as *mut u8, bytes),
    }
}

/// Copies elements of `size` bytes (2, 4 or 8) with their bytes reversed, overlap allowed.
///
/// # Safety
/// Both ranges must be valid.
unsafe fn copy_swapped(from: usize, to: usize, bytes: usize, size: usize) {
    let one = |i: usize| {
        let (f, t) = (from + i * size, to + i * size);
        match size {
            2 => (t as *mut u16).write_unaligned((f as *const u16).read_unaligned().swap_bytes()),
            4 => (t as *mut u32).write_unaligned((f as *const u32).read_unaligned().swap_bytes()),
            _ => (t as *mut u64).write_unaligned((f as *const u64).read_unaligned().swap_bytes()),
        }
    };
    let n = bytes / size;
    if to > from && to < from + bytes {
        (0..n).rev().for_each(one);
    } else {
        (0..n).for_each(one);
    }
}

/// Runs `f`, which touches what is in the objects `bases` or, where those are null, outside the heap. If nothing is in
/// the heap, a large operation lets safepoints pass. Throws InternalError if memory outside it has been taken away.
fn run(t: &JavaThread, bases: &[Oop], bytes: usize, f: impl FnOnce()) -> VmResult<u64> {
    let outside = |o: &Oop| o.is_null();
    let done = if !bases.iter().any(outside) {
        f();
        Some(())
    } else if bytes >= LARGE && bases.iter().all(outside) {
        state::in_native(t, || guarded(f))
    } else {
        guarded(f)
    };
    match done {
        Some(()) => Ok(0),
        None => Err(memory_fault(t)),
    }
}

/// `setMemory0(Object, offset, bytes, value)`.
fn set_memory(t: &JavaThread, args: *const u64) -> VmResult<u64> {
    // SAFETY: (Object, long, long, byte); that the range is valid is the contract of Unsafe.
    unsafe {
        let (to, bytes, value) = (location(args, 1), slot(args, 4) as usize, slot(args, 6) as u8);
        run(t, &[reference(args, 1)], bytes, || fill(to, bytes, value))
    }
}

/// `copyMemory0(Object, offset, Object, offset, bytes)`.
fn copy_memory(t: &JavaThread, args: *const u64) -> VmResult<u64> {
    // SAFETY: (Object, long, Object, long, long); the contract of Unsafe. The Java side lets
    // arrays of primitives and memory outside the heap through only: no barrier is needed.
    unsafe {
        let (from, to, bytes) = (location(args, 1), location(args, 4), slot(args, 7) as usize);
        run(t, &[reference(args, 1), reference(args, 4)], bytes, || copy(from, to, bytes))
    }
}

/// `copySwapMemory0(Object, offset, Object, offset, bytes, elemSize)`.
fn copy_swap_memory(t: &JavaThread, args: *const u64) -> VmResult<u64> {
    // SAFETY: (Object, long, Object, long, long, long); as for copyMemory0.
    unsafe {
        let (from, to, bytes) = (location(args, 1), location(args, 4), slot(args, 7) as usize);
        let size = slot(args, 9) as usize;
        run(t, &[reference(args, 1), reference(args, 4)], bytes, || copy_swapped(from, to, bytes, size))
    }
}

/// The natives of this file.
pub(super) const TABLE: &[super::Native] = &[
    ("allocateMemory0", "(J)J", allocate_memory),
    ("reallocateMemory0", "(JJ)J", reallocate_memory),
    ("freeMemory0", "(J)V", free_memory),
    ("setMemory0", "(Ljava/lang/Object;JJB)V", set_memory),
    ("copyMemory0", "(Ljava/lang/Object;JLjava/lang/Object;JJ)V", copy_memory),
    ("copySwapMemory0", "(Ljava/lang/Object;JLjava/lang/Object;JJJ)V", copy_swap_memory),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn swapped_copies_may_overlap() {
        let mut a = [0u16, 0x0102, 0x0304, 0x0506];
        let base = a.as_mut_ptr() as usize;
        // SAFETY: within the array.
        unsafe { copy_swapped(base + 2, base, 6, 2) };
        assert_eq!(a, [0x0201, 0x0403, 0x0605, 0x0506]);
        // SAFETY: within the array.
        unsafe { copy_swapped(base, base + 2, 6, 2) };
        assert_eq!(a, [0x0201, 0x0102, 0x0304, 0x0506]);
    }

    #[test]
    fn fills_whole_ranges() {
        let mut a = [0u8; 24];
        let base = a.as_mut_ptr() as usize;
        for (start, n) in [(0, 24), (1, 22), (2, 6), (4, 12)] {
            a.fill(0);
            // SAFETY: within the array.
            unsafe { fill(base + start, n, 0x5a) };
            assert!(a.iter().enumerate().all(|(i, &b)| b == if i >= start && i < start + n { 0x5a } else { 0 }));
        }
    }
}
