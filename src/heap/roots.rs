//! Registered root slots: the only places outside stacks and heap objects where Rust code
//! may keep a reference.

use super::layout::Oop;
use std::sync::atomic::{AtomicU64, Ordering};

/// A cell holding a wide reference that the collector visits and updates.
///
/// A `RootSlot` is a handle to a slot of the global root table, or, embedded as a field
/// (`Class::mirror`), a slot that its owner's scan function reports: its address must then not
/// change. Reads and writes are atomic; the collector writes only while all threads stand.
#[repr(transparent)]
pub struct RootSlot(AtomicU64);

impl RootSlot {
    /// A slot holding `value`. The owner must report it to the collector.
    pub const fn new(value: Oop) -> RootSlot {
        RootSlot(AtomicU64::new(value.address() as u64))
    }

    #[inline(always)]
    pub fn get(&self) -> Oop {
        Oop::from_address(self.0.load(Ordering::Acquire) as usize)
    }

    #[inline(always)]
    pub fn set(&self, value: Oop) {
        self.0.store(value.address() as u64, Ordering::Release)
    }

    /// Sets the slot if it is null; the value it has afterwards.
    pub fn set_if_null(&self, value: Oop) -> Oop {
        match self.0.compare_exchange(0, value.address() as u64, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => value,
            Err(first) => Oop::from_address(first as usize),
        }
    }

    /// Address of the slot, 8-byte aligned: JNI handles and quickened instructions point here.
    pub fn address(&self) -> usize {
        self as *const RootSlot as usize
    }
}

/// A new slot in the global root table (in metaspace: its address fits 32 bits).
pub fn new_slot(_value: Oop) -> &'static RootSlot {
    unimplemented!("heap::roots::new_slot")
}

/// Gives a slot of the global root table back.
///
/// # Safety
/// Nothing may use the slot any more.
pub unsafe fn free_slot(_slot: &'static RootSlot) {
    unimplemented!("heap::roots::free_slot")
}
