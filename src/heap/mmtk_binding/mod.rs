//! MMTk binding (design.md section 10): the traits through which MMTk sees Kiln's objects,
//! slots, threads and roots. One file per trait.

mod active_plan;
mod collection;
mod object_model;
mod scanning;
mod slots;

pub use collection::{collections, last_collection_was_nursery};
pub use slots::{Slice, Slot};

use super::layout::Oop;
use crate::threads::JavaThread;
use mmtk::util::opaque_pointer::{OpaquePointer, VMMutatorThread, VMThread};
use mmtk::util::{Address, ObjectReference};
use mmtk::vm::VMBinding;
use mmtk::{Mutator, MMTK};
use std::sync::OnceLock;

/// The VM type MMTk is parameterized with.
#[derive(Default)]
pub struct Kiln;

impl VMBinding for Kiln {
    type VMObjectModel = Kiln;
    type VMScanning = Kiln;
    type VMCollection = Kiln;
    type VMActivePlan = Kiln;
    type VMReferenceGlue = Kiln;
    type VMSlot = Slot;
    type VMMemorySlice = Slice;
    const ALIGNMENT_VALUE: u8 = 0;
    const MIN_ALIGNMENT: usize = super::layout::OBJECT_ALIGNMENT;
    const MAX_ALIGNMENT: usize = super::layout::OBJECT_ALIGNMENT;
    const USE_ALLOCATION_OFFSET: bool = false;
    const ALLOC_END_ALIGNMENT: usize = super::layout::OBJECT_ALIGNMENT;
}

static MMTK: OnceLock<&'static MMTK<Kiln>> = OnceLock::new();

/// The one MMTk instance; `heap::init` has made it.
#[inline]
pub fn mmtk() -> &'static MMTK<Kiln> {
    MMTK.get().expect("the heap is not initialized")
}

/// Whether `heap::init` has run.
pub fn is_initialized() -> bool {
    MMTK.get().is_some()
}

/// Publishes the instance.
pub(super) fn set_mmtk(m: &'static MMTK<Kiln>) {
    assert!(MMTK.set(m).is_ok(), "the heap is initialized once");
}

/// MMTk's name for a Java thread: its address.
pub fn tls_of(t: &JavaThread) -> VMMutatorThread {
    VMMutatorThread(VMThread(OpaquePointer::from_address(Address::from_ref(t))))
}

/// The thread of [`tls_of`].
fn thread_of(tls: VMMutatorThread) -> &'static JavaThread {
    // SAFETY: mutators are bound with `tls_of` of a registered thread, and destroyed before it is.
    unsafe { &*tls.0 .0.to_address().to_ptr::<JavaThread>() }
}

/// The thread's mutator.
///
/// # Safety
/// Only the thread itself, or the collector while the thread stands, may use it, one at a time.
#[allow(clippy::mut_from_ref)] // the owner of the mutator is the thread, see the contract
pub unsafe fn mutator_of(t: &JavaThread) -> &'static mut Mutator<Kiln> {
    debug_assert!(!t.mutator.get().is_null());
    &mut *(t.mutator.get() as *mut Mutator<Kiln>)
}

/// A non-null reference in MMTk's form.
#[inline(always)]
pub fn to_mmtk(object: Oop) -> ObjectReference {
    debug_assert!(!object.is_null());
    // SAFETY: not null, and objects are aligned.
    unsafe { ObjectReference::from_raw_address_unchecked(Address::from_usize(object.address())) }
}

/// MMTk's form as a reference.
#[inline(always)]
pub fn from_mmtk(object: ObjectReference) -> Oop {
    Oop::from_address(object.to_raw_address().as_usize())
}
