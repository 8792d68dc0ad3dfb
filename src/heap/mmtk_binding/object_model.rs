//! Object sizes, copying and metadata placement.

use super::{from_mmtk, Kiln};
use crate::heap::layout::{narrow, object_bytes, widen};
use atomic::Ordering as AtomicOrdering;
use mmtk::util::copy::{CopySemantics, GCWorkerCopyContext};
use mmtk::util::metadata::header_metadata::HeaderMetadataSpec;
use mmtk::util::metadata::MetadataValue;
use mmtk::util::{Address, ObjectReference};
use mmtk::vm::{
    ObjectModel, VMGlobalLogBitSpec, VMLocalForwardingBitsSpec, VMLocalForwardingPointerSpec,
    VMLocalLOSMarkNurserySpec, VMLocalMarkBitSpec, VMLocalPinningBitSpec,
};
use std::sync::atomic::{AtomicU32, Ordering};

fn ordering(o: AtomicOrdering) -> Ordering {
    match o {
        AtomicOrdering::Relaxed => Ordering::Relaxed,
        _ => Ordering::SeqCst,
    }
}

/// The low half of the header, where the forwarding pointer of a moved object is kept.
fn low_half(object: ObjectReference) -> &'static AtomicU32 {
    // SAFETY: every object has a header, moved or not.
    unsafe { &*object.to_raw_address().to_ptr::<AtomicU32>() }
}

impl ObjectModel<Kiln> for Kiln {
    const GLOBAL_LOG_BIT_SPEC: VMGlobalLogBitSpec = VMGlobalLogBitSpec::side_first();
    const LOCAL_FORWARDING_POINTER_SPEC: VMLocalForwardingPointerSpec = VMLocalForwardingPointerSpec::in_header(0);
    const LOCAL_LOS_MARK_NURSERY_SPEC: VMLocalLOSMarkNurserySpec = VMLocalLOSMarkNurserySpec::side_first();
    const LOCAL_MARK_BIT_SPEC: VMLocalMarkBitSpec =
        VMLocalMarkBitSpec::side_after(Self::LOCAL_LOS_MARK_NURSERY_SPEC.as_spec());
    const LOCAL_FORWARDING_BITS_SPEC: VMLocalForwardingBitsSpec =
        VMLocalForwardingBitsSpec::side_after(Self::LOCAL_MARK_BIT_SPEC.as_spec());
    const LOCAL_PINNING_BIT_SPEC: VMLocalPinningBitSpec =
        VMLocalPinningBitSpec::side_after(Self::LOCAL_FORWARDING_BITS_SPEC.as_spec());
    const UNIFIED_OBJECT_REFERENCE_ADDRESS: bool = true;
    const OBJECT_REF_OFFSET_LOWER_BOUND: isize = 0;
    const NEED_VO_BITS_DURING_TRACING: bool = true;

    // The only header metadata is the forwarding pointer. As a narrow reference over the lock
    // word it leaves the class word of the old copy readable; the new copy has the lock word.
    fn load_metadata_atomic<T: MetadataValue>(
        _: &HeaderMetadataSpec,
        object: ObjectReference,
        _: Option<T>,
        order: AtomicOrdering,
    ) -> T {
        T::from_usize(widen(low_half(object).load(ordering(order)))).expect("an address fits")
    }

    fn store_metadata_atomic<T: MetadataValue>(
        _: &HeaderMetadataSpec,
        object: ObjectReference,
        value: T,
        _: Option<T>,
        order: AtomicOrdering,
    ) {
        low_half(object).store(narrow(value.to_usize().expect("an address fits")), ordering(order))
    }

    unsafe fn load_metadata<T: MetadataValue>(_: &HeaderMetadataSpec, _: ObjectReference, _: Option<T>) -> T {
        unreachable!("the forwarding pointer is accessed atomically")
    }

    unsafe fn store_metadata<T: MetadataValue>(_: &HeaderMetadataSpec, _: ObjectReference, _: T, _: Option<T>) {
        unreachable!("the forwarding pointer is accessed atomically")
    }

    fn copy(
        from: ObjectReference,
        semantics: CopySemantics,
        context: &mut GCWorkerCopyContext<Kiln>,
    ) -> ObjectReference {
        let bytes = Self::get_current_size(from);
        let target = context.alloc_copy(from, bytes, 8, 0, semantics);
        // SAFETY: MMTk gives `bytes` fresh bytes, and only this worker copies this object.
        let to = unsafe {
            std::ptr::copy_nonoverlapping::<u64>(from.to_raw_address().to_ptr(), target.to_mut_ptr(), bytes / 8);
            ObjectReference::from_raw_address_unchecked(target)
        };
        context.post_copy(to, bytes, semantics);
        to
    }

    fn copy_to(_: ObjectReference, _: ObjectReference, _: Address) -> Address {
        unreachable!("used by mark-compact plans only")
    }

    fn get_reference_when_copied_to(_: ObjectReference, to: Address) -> ObjectReference {
        // SAFETY: an object's reference is its start.
        unsafe { ObjectReference::from_raw_address_unchecked(to) }
    }

    fn get_current_size(object: ObjectReference) -> usize {
        object_bytes(from_mmtk(object))
    }

    fn get_size_when_copied(object: ObjectReference) -> usize {
        Self::get_current_size(object)
    }

    fn get_align_when_copied(_: ObjectReference) -> usize {
        8
    }

    fn get_align_offset_when_copied(_: ObjectReference) -> usize {
        0
    }

    fn get_type_descriptor(_: ObjectReference) -> &'static [i8] {
        unreachable!("used by MMTk's own tests only")
    }

    fn ref_to_object_start(object: ObjectReference) -> Address {
        object.to_raw_address()
    }

    fn ref_to_header(object: ObjectReference) -> Address {
        object.to_raw_address()
    }

    fn dump_object(object: ObjectReference) {
        eprintln!("{object} of class {}", from_mmtk(object).class())
    }
}
