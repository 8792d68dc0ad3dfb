//! Slots: where references lie. Heap slots are narrow (32 bits), roots wide (64 bits); bit 0
//! of the slot's address tells them apart.

use crate::heap::layout::{narrow, widen, REF_BYTES};
use crate::heap::roots::RootSlot;
use mmtk::util::{Address, ObjectReference};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

const WIDE: usize = 1;

/// A place that holds a reference.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(transparent)]
pub struct Slot(usize);

impl Slot {
    /// The narrow slot at `address` (4-byte aligned, in a heap object).
    #[inline(always)]
    pub fn narrow(address: usize) -> Slot {
        debug_assert!(address & 3 == 0);
        Slot(address)
    }

    /// The wide slot at `address` (8-byte aligned).
    #[inline(always)]
    pub fn wide(address: usize) -> Slot {
        debug_assert!(address & 7 == 0);
        Slot(address | WIDE)
    }

    /// A registered root.
    #[inline(always)]
    pub fn root(slot: &RootSlot) -> Slot {
        Slot::wide(slot.address())
    }

    /// The reference, as an address (0 for null).
    #[inline(always)]
    pub fn get(self) -> usize {
        // SAFETY: slots are made for live objects' fields and registered roots only.
        unsafe {
            if self.0 & WIDE != 0 {
                (*((self.0 & !WIDE) as *const AtomicU64)).load(Ordering::Relaxed) as usize
            } else {
                widen((*(self.0 as *const AtomicU32)).load(Ordering::Relaxed))
            }
        }
    }

    /// Stores an address (0 for null).
    #[inline(always)]
    pub fn set(self, address: usize) {
        // SAFETY: as above.
        unsafe {
            if self.0 & WIDE != 0 {
                (*((self.0 & !WIDE) as *const AtomicU64)).store(address as u64, Ordering::Relaxed)
            } else {
                (*(self.0 as *const AtomicU32)).store(narrow(address), Ordering::Relaxed)
            }
        }
    }
}

impl mmtk::vm::slot::Slot for Slot {
    #[inline(always)]
    fn load(&self) -> Option<ObjectReference> {
        // SAFETY: a reference, or 0, which `from_raw_address` turns into None.
        ObjectReference::from_raw_address(unsafe { Address::from_usize(self.get()) })
    }

    #[inline(always)]
    fn store(&self, object: ObjectReference) {
        self.set(object.to_raw_address().as_usize())
    }
}

/// A run of narrow slots in one object.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Slice {
    pub owner: ObjectReference,
    pub start: usize,
    pub end: usize,
}

/// Iterates over the slots of a [`Slice`].
pub struct SliceIter {
    cursor: usize,
    end: usize,
}

impl Iterator for SliceIter {
    type Item = Slot;

    fn next(&mut self) -> Option<Slot> {
        (self.cursor < self.end).then(|| {
            let s = Slot::narrow(self.cursor);
            self.cursor += REF_BYTES;
            s
        })
    }
}

impl mmtk::vm::slot::MemorySlice for Slice {
    type SlotType = Slot;
    type SlotIterator = SliceIter;

    fn iter_slots(&self) -> SliceIter {
        SliceIter { cursor: self.start, end: self.end }
    }

    /// The owner matters to StickyImmix, where an address does not tell young from old.
    fn object(&self) -> Option<ObjectReference> {
        Some(self.owner)
    }

    fn start(&self) -> Address {
        // SAFETY: only carried, never dereferenced as it is.
        unsafe { Address::from_usize(self.start) }
    }

    fn bytes(&self) -> usize {
        self.end - self.start
    }

    fn copy(source: &Self, target: &Self) {
        // SAFETY: both are runs of slots in live objects, the target as long as the source.
        unsafe {
            std::ptr::copy(source.start as *const u32, target.start as *mut u32, source.bytes() / REF_BYTES)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mmtk::vm::slot::Slot as _;

    #[test]
    fn narrow_and_wide_slots_round_trip() {
        #[repr(align(8))]
        struct Cells(u64, [u32; 2]);
        let mut c = Cells(0, [0; 2]);
        let top = (32usize << 30) - 8;
        let w = Slot::wide(std::ptr::addr_of_mut!(c.0) as usize);
        let n = Slot::narrow(std::ptr::addr_of_mut!(c.1[1]) as usize);
        for s in [w, n] {
            assert!(s.load().is_none());
            s.set(top);
            assert_eq!(s.load().map(|o| o.to_raw_address().as_usize()), Some(top));
        }
        assert_eq!(c.0, top as u64);
        assert_eq!(c.1, [0, u32::MAX]);
    }
}
