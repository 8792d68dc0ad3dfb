//! Allocation of Java objects. The fast path, here and in compiled code: bump the thread's
//! cursor, store the class word (and array length), set the valid-object bit; no safepoint in
//! between. MMTk hands out zeroed memory.

use super::layout::{side_bit, Oop, ARRAY_LENGTH_OFFSET, CLASS_OFFSET, HEADER_BYTES};
use super::mmtk_binding::{mutator_of, to_mmtk};
use super::{access, layout, log, refs, Cause};
use crate::exceptions::{out_of_memory, throw, Thrown, VmResult};
use crate::meta::class::{class_flags, ClassRef};
use crate::meta::well_known::KnownField;
use crate::threads::{stale, JavaThread};
use mmtk::util::alloc::BumpPointer;
use mmtk::util::Address;
use mmtk::{memory_manager, AllocationSemantics};

/// Objects above this many bytes are allocated in the large-object space. The plans' own limit,
/// which `attach_allocator` checks.
pub const LARGE_OBJECT_BYTES: usize = 16 * 1024;

/// Arrays longer than this are refused without trying, as on HotSpot
/// ("Requested array size exceeds VM limit").
pub const MAX_ARRAY_LENGTH: i32 = i32::MAX - 2;

/// Gives a new thread its allocator: mutator, bump pointer, metadata bases. No pause may be on.
pub(crate) fn attach_allocator(t: &JavaThread) {
    use super::mmtk_binding::{mmtk, tls_of, Kiln};
    use mmtk::util::alloc::AllocatorInfo;
    use mmtk::util::metadata::side_metadata;
    let mutator = Box::into_raw(memory_manager::bind_mutator(mmtk(), tls_of(t)));
    t.mutator.set(mutator as *mut _);
    let selector = memory_manager::get_allocator_mapping(mmtk(), AllocationSemantics::Default);
    t.bump.set(match AllocatorInfo::new::<Kiln>(selector) {
        AllocatorInfo::BumpPointer { bump_pointer_offset } => {
            (mutator as usize + bump_pointer_offset) as *mut BumpPointer
        }
        // MarkSweep has free lists: an empty bump pointer makes every allocation take the slow path.
        AllocatorInfo::Unimplemented | AllocatorInfo::None => Box::into_raw(Box::default()),
    });
    let constraints = mmtk().get_plan().constraints();
    assert!(constraints.max_non_los_default_alloc_bytes >= LARGE_OBJECT_BYTES);
    t.vo_base.set(side_metadata::vo_bit_side_metadata_addr().as_usize());
    t.log_base.set(if !super::needs_barrier() {
        0
    } else {
        side_metadata::global_side_metadata_vm_base_address().as_usize()
    });
}

/// Destroys a leaving thread's allocator. No pause may be on.
pub(crate) fn detach_allocator(t: &JavaThread) {
    // SAFETY: the thread's own mutator, used no more.
    unsafe {
        memory_manager::destroy_mutator(mutator_of(t));
        drop(Box::from_raw(t.mutator.get() as *mut mmtk::Mutator<super::mmtk_binding::Kiln>));
    }
    t.mutator.set(std::ptr::null_mut());
    t.bump.set(std::ptr::null_mut());
}

/// `bytes` (aligned) zeroed bytes with class word; null if there is no memory. A safepoint.
#[inline(always)]
fn raw(t: &JavaThread, bytes: usize, class_word: u32) -> Oop {
    // SAFETY: the bump pointer is the thread's own, and the memory between cursor and limit too.
    unsafe {
        let bump = &mut *t.bump.get();
        let start = bump.cursor.as_usize();
        let end = start + bytes;
        if bytes <= LARGE_OBJECT_BYTES && end <= bump.limit.as_usize() {
            bump.cursor = Address::from_usize(end);
            *((start + CLASS_OFFSET) as *mut u32) = class_word;
            // Not atomic: a byte of these bits covers 64 heap bytes, and a thread owns whole
            // 256-byte lines.
            let (byte, bit) = side_bit(t.vo_base.get(), start);
            *(byte as *mut u8) |= 1 << bit;
            return Oop::from_address(start);
        }
    }
    raw_slow(t, bytes, class_word)
}

#[cold]
#[inline(never)]
fn raw_slow(t: &JavaThread, bytes: usize, class_word: u32) -> Oop {
    if super::is_full_for_good(bytes) {
        return Oop::NULL;
    }
    let before = refs::collections_without_soft();
    let o = raw_once(t, bytes, class_word);
    if !o.is_null() {
        log::watch_usage();
        return o;
    }
    if refs::collections_without_soft() != before {
        return o;
    }
    // What is larger than the heap is refused at once. But before an OutOfMemoryError all soft references must have
    // been cleared, and who catches it counts on the collections that others make then.
    refs::give_up_soft();
    super::collect(t, Cause::AllocationFailure);
    raw_once(t, bytes, class_word)
}

/// One try, which may collect.
fn raw_once(t: &JavaThread, bytes: usize, class_word: u32) -> Oop {
    let semantics =
        if bytes > LARGE_OBJECT_BYTES { AllocationSemantics::Los } else { AllocationSemantics::Default };
    stale::allocating(t, || {
        // SAFETY: on the thread itself.
        let mutator = unsafe { mutator_of(t) };
        let a = memory_manager::alloc(mutator, bytes, layout::OBJECT_ALIGNMENT, 0, semantics);
        if a.is_zero() {
            return Oop::NULL;
        }
        let o = Oop::from_address(a.as_usize());
        // SAFETY: fresh memory.
        unsafe { *((o.address() + CLASS_OFFSET) as *mut u32) = class_word };
        memory_manager::post_alloc(mutator, to_mmtk(o), bytes, semantics);
        o
    })
}

/// A new zeroed instance of a class that is initialized (or being so by this thread). Throws
/// OutOfMemoryError ("Java heap space"). An object with a finalizer is registered when
/// `Object.<init>` returns, not here: one that is never constructed is never finalized.
#[inline]
pub fn instance(t: &JavaThread, class: ClassRef) -> VmResult<Oop> {
    let o = raw(t, class.instance_bytes(), class.word());
    if o.is_null() {
        return Err(out_of_memory(t, "Java heap space"));
    }
    Ok(o)
}

/// A new zeroed array of array class `class`. Throws NegativeArraySizeException ("-1") and
/// OutOfMemoryError ("Java heap space", "Requested array size exceeds VM limit").
#[inline]
pub fn array(t: &JavaThread, class: ClassRef, length: i32) -> VmResult<Oop> {
    if length < 0 || length > MAX_ARRAY_LENGTH {
        return Err(bad_length(t, length));
    }
    let o = raw_array(t, class, length as usize);
    if o.is_null() {
        return Err(out_of_memory(t, "Java heap space"));
    }
    Ok(o)
}

#[inline(always)]
fn raw_array(t: &JavaThread, class: ClassRef, length: usize) -> Oop {
    debug_assert!(class.is_array());
    let o = raw(t, class.array_bytes(length), class.word());
    if !o.is_null() {
        access::store::<u32>(o, ARRAY_LENGTH_OFFSET, length as u32);
    }
    o
}

#[cold]
fn bad_length(t: &JavaThread, length: i32) -> Thrown {
    if length < 0 {
        throw(t, "java/lang/NegativeArraySizeException", Some(length.to_string()))
    } else {
        out_of_memory(t, "Requested array size exceeds VM limit")
    }
}

/// `multianewarray`: `class` is the array class, `lengths` outermost first.
pub fn multi_array(t: &JavaThread, class: ClassRef, lengths: &[i32]) -> VmResult<Oop> {
    if let Some(&bad) = lengths.iter().find(|&&n| n < 0) {
        return Err(bad_length(t, bad));
    }
    nested_array(t, class, lengths)
}

fn nested_array(t: &JavaThread, class: ClassRef, lengths: &[i32]) -> VmResult<Oop> {
    let outer = array(t, class, lengths[0])?;
    if lengths.len() > 1 {
        let component = class.component.expect("multianewarray has no more dimensions than its class");
        for i in 0..lengths[0] as usize {
            let inner = nested_array(t, component, &lengths[1..])?;
            access::set_array_ref(t, outer, i, inner);
        }
    }
    Ok(outer)
}

/// Whether the object has not yet survived a collection, where that makes a difference.
pub fn is_young(object: Oop) -> bool {
    let plan = super::mmtk_binding::mmtk().get_plan();
    plan.generational().is_some_and(|g| g.is_object_in_nursery(to_mmtk(object)))
}

/// A mirror of `bytes` bytes for `java.lang.Class` class `class_class`: pinned for good.
/// Its injected size fields are set before it can be seen by the collector.
pub fn mirror(t: &JavaThread, class_class: ClassRef, bytes: usize, static_refs: u32) -> VmResult<Oop> {
    let bytes = layout::align_object(bytes);
    debug_assert!(bytes >= class_class.instance_bytes());
    let o = raw(t, bytes, class_class.word());
    if o.is_null() {
        return Err(out_of_memory(t, "Java heap space"));
    }
    access::store::<u32>(o, KnownField::ClassMirrorBytes.offset(), bytes as u32);
    access::store::<u32>(o, KnownField::ClassStaticRefs.offset(), static_refs);
    // False for plans and spaces that never move.
    memory_manager::pin_object(to_mmtk(o));
    Ok(o)
}

/// `Object.clone`: a shallow copy of an instance of a Cloneable class or of an array.
pub fn shallow_copy(t: &JavaThread, object: Oop) -> VmResult<Oop> {
    let class = object.class();
    let copy = if class.is_array() {
        let length = object.array_length();
        let c = raw_array(t, class, length);
        if !c.is_null() {
            access::copy_elements(t, object, 0, c, 0, length);
        }
        c
    } else {
        let bytes = class.instance_bytes();
        let c = raw(t, bytes, class.word());
        if !c.is_null() {
            // SAFETY: two objects of this size. The new one needs no barrier: it is younger
            // than the last safepoint.
            unsafe {
                std::ptr::copy_nonoverlapping(
                    (object.address() + HEADER_BYTES) as *const u64,
                    (c.address() + HEADER_BYTES) as *mut u64,
                    (bytes - HEADER_BYTES) / 8,
                )
            }
        }
        c
    };
    if copy.is_null() {
        return Err(out_of_memory(t, "Java heap space"));
    }
    if class.has_flag(class_flags::HAS_FINALIZER) {
        super::refs::register_finalizer(t, copy)?;
    }
    Ok(copy)
}

/// Throws OutOfMemoryError with `message`: a preallocated one if making it fails too.
#[cold]
pub fn out_of_memory(t: &JavaThread, message: &str) -> Thrown {
    stale::request(t);
    out_of_memory::report(t, message);
    throw(t, "java/lang/OutOfMemoryError", Some(message.to_string()))
}
