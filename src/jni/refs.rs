//! JNI references. A `jobject` is the address of a 64-bit slot holding a wide reference
//! (null for the null reference): a slot of the thread's local frames, of the global root
//! table (tag bit 1), of the weak table (tag bit 0), or, for the arguments of a native method,
//! the slot on the Java stack itself, or, for the class of a static one, `Class::mirror`.

use crate::heap::layout::Oop;
use crate::heap::roots::{self, RootSlot, WeakSlot};
use crate::threads::JavaThread;
use std::ffi::c_void;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What native code holds: the address of a slot, tagged in its low bits.
pub type Handle = *mut c_void;

/// Tag of a weak global reference.
pub const TAG_WEAK: usize = 0b001;
/// Tag of a global reference.
pub const TAG_GLOBAL: usize = 0b010;
/// The bits that tags take; slots are 8-byte aligned.
pub const TAG_MASK: usize = 0b111;

/// `jobjectRefType` (JNI, GetObjectRefType).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(i32)]
pub enum RefType {
    Invalid = 0,
    Local = 1,
    Global = 2,
    WeakGlobal = 3,
}

/// Slots of one block. Natives rarely need more than JNI's guaranteed sixteen.
const BLOCK_SLOTS: usize = 64;

type Block = [RootSlot; BLOCK_SLOTS];

/// Local reference frames of one thread: a stack of slots in blocks that never move, cut into
/// frames. Every native call and every PushLocalFrame opens one.
#[derive(Default)]
pub struct LocalRefs {
    /// Kept once made; the slots in use are those below `top`.
    blocks: Vec<Box<Block>>,
    /// Slots in use, over all frames.
    top: usize,
    /// Frames above the thread's bottom frame, innermost last.
    frames: Vec<LocalFrame>,
    /// Slots given back by DeleteLocalRef, those of the innermost frame last.
    free: Vec<usize>,
}

#[derive(Clone, Copy, Default)]
struct LocalFrame {
    /// First slot of the frame.
    base: usize,
    /// Free slots of the frame start here in `LocalRefs::free`.
    free_base: usize,
}

/// Depth of the frame stack at some time; [`LocalRefs::leave`] goes back to it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FrameMark(usize);

impl LocalRefs {
    /// Opens a frame.
    #[inline]
    pub fn enter(&mut self) -> FrameMark {
        let mark = FrameMark(self.frames.len());
        self.frames.push(LocalFrame { base: self.top, free_base: self.free.len() });
        mark
    }

    /// Closes the frame that `enter` opened with this mark and all that were opened since.
    #[inline]
    pub fn leave(&mut self, mark: FrameMark) {
        let frame = self.frames[mark.0];
        self.frames.truncate(mark.0);
        self.top = frame.base;
        self.free.truncate(frame.free_base);
    }

    /// Closes the innermost frame; false if only the thread's bottom frame is left.
    pub fn pop(&mut self) -> bool {
        match self.frames.len() {
            0 => false,
            n => {
                self.leave(FrameMark(n - 1));
                true
            }
        }
    }

    /// A slot of the innermost frame holding `object` (not null).
    #[inline]
    pub fn add(&mut self, object: Oop) -> &RootSlot {
        let frame = self.frames.last().copied().unwrap_or_default();
        let index = if self.free.len() > frame.free_base {
            self.free.pop().unwrap_or(self.top)
        } else {
            self.top += 1;
            self.top - 1
        };
        if index / BLOCK_SLOTS == self.blocks.len() {
            self.blocks.push(Box::new([const { RootSlot::new(Oop::NULL) }; BLOCK_SLOTS]));
        }
        let slot = &self.blocks[index / BLOCK_SLOTS][index % BLOCK_SLOTS];
        slot.set(object);
        slot
    }

    /// Index of the slot in use at `address`.
    fn index_of(&self, address: usize) -> Option<usize> {
        let blocks = self.top.div_ceil(BLOCK_SLOTS);
        self.blocks[..blocks].iter().enumerate().rev().find_map(|(i, block)| {
            let start = block.as_ptr() as usize;
            let offset = address.checked_sub(start)?;
            let index = i * BLOCK_SLOTS + offset / 8;
            (offset < BLOCK_SLOTS * 8 && offset % 8 == 0 && index < self.top).then_some(index)
        })
    }

    /// Gives the slot at `address` back. Addresses that are no live local reference (arguments
    /// on the Java stack, references deleted before) are left alone, as JNI allows deleting
    /// arguments.
    pub fn delete(&mut self, address: usize) {
        let Some(index) = self.index_of(address) else { return };
        let slot = &self.blocks[index / BLOCK_SLOTS][index % BLOCK_SLOTS];
        if slot.get().is_null() {
            return;
        }
        slot.set(Oop::NULL);
        // A slot of an outer frame stays unused until its frame is closed: the list is a stack.
        let base = self.frames.last().map_or(0, |f| f.base);
        if index >= base {
            self.free.push(index);
        }
    }

    /// Whether a live local reference lies at `address`.
    pub fn contains(&self, address: usize) -> bool {
        self.index_of(address).is_some_and(|i| !self.blocks[i / BLOCK_SLOTS][i % BLOCK_SLOTS].get().is_null())
    }

    /// Live references, over all frames.
    pub fn len(&self) -> usize {
        let mut n = 0;
        self.for_each_slot(&mut |_| n += 1);
        n
    }

    /// Whether no local reference is live.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Calls `f` for every non-null slot, for the collector.
    pub fn for_each_slot(&self, f: &mut dyn FnMut(*const RootSlot)) {
        for index in 0..self.top {
            let slot = &self.blocks[index / BLOCK_SLOTS][index % BLOCK_SLOTS];
            if !slot.get().is_null() {
                f(slot);
            }
        }
    }
}

/// The local references of the current thread.
///
/// # Safety
/// `t` must be the current thread, and no other reference from this function may be live.
#[inline(always)]
#[allow(clippy::mut_from_ref)] // the cell belongs to the thread, see the contract
pub unsafe fn locals(t: &JavaThread) -> &mut LocalRefs {
    &mut *t.locals.get()
}

/// The object a `jobject` denotes (null handle, or cleared weak: null).
///
/// # Safety
/// `handle` must be a valid reference or null.
#[inline(always)]
pub unsafe fn resolve(handle: Handle) -> Oop {
    if handle.is_null() {
        return Oop::NULL;
    }
    (*((handle as usize & !TAG_MASK) as *const RootSlot)).get()
}

/// A new local reference in the current local frame; the null handle for null.
#[inline]
pub fn new_local(t: &JavaThread, object: Oop) -> Handle {
    if object.is_null() {
        return std::ptr::null_mut();
    }
    // SAFETY: `t` is the current thread and the borrow ends here.
    unsafe { locals(t).add(object).address() as Handle }
}

/// Global references of native code: the table has the VM's own too.
static GLOBALS: AtomicUsize = AtomicUsize::new(0);

/// How many global references native code has.
pub fn global_count() -> usize {
    GLOBALS.load(Ordering::Relaxed)
}

/// NewGlobalRef: null for null and for a cleared weak reference.
pub fn new_global(object: Oop) -> Handle {
    if object.is_null() {
        return std::ptr::null_mut();
    }
    GLOBALS.fetch_add(1, Ordering::Relaxed);
    (roots::new_slot(object).address() | TAG_GLOBAL) as Handle
}

/// NewWeakGlobalRef: null for null.
pub fn new_weak_global(object: Oop) -> Handle {
    if object.is_null() {
        return std::ptr::null_mut();
    }
    (roots::new_weak(object).address() | TAG_WEAK) as Handle
}

/// Deletes a global reference; null is ignored.
///
/// # Safety
/// `handle` must be a global reference not deleted before, or null.
pub unsafe fn delete_global(handle: Handle) {
    let address = handle as usize;
    if address & TAG_MASK == TAG_GLOBAL {
        GLOBALS.fetch_sub(1, Ordering::Relaxed);
        roots::free_slot(&*((address & !TAG_MASK) as *const RootSlot));
    }
}

/// Deletes a weak global reference; null is ignored.
///
/// # Safety
/// `handle` must be a weak global reference not deleted before, or null.
pub unsafe fn delete_weak_global(handle: Handle) {
    let address = handle as usize;
    if address & TAG_MASK == TAG_WEAK {
        roots::free_weak(&*((address & !TAG_MASK) as *const WeakSlot));
    }
}

/// GetObjectRefType: what kind of reference `handle` is for thread `t`.
pub fn ref_type(t: &JavaThread, handle: Handle) -> RefType {
    let address = handle as usize & !TAG_MASK;
    let in_metaspace = crate::meta::metaspace::contains(address);
    match handle as usize & TAG_MASK {
        0 if address == 0 => RefType::Invalid,
        0 => {
            let stack = t.java_stack_base.get() as usize..t.java_stack_end.get() as usize;
            // SAFETY: `t` is the current thread; the borrow ends with the call.
            let local = unsafe { locals(t).contains(address) };
            if local || stack.contains(&address) || in_metaspace {
                RefType::Local
            } else {
                RefType::Invalid
            }
        }
        // Both tables lie in metaspace; a slot given back is null.
        // SAFETY: metaspace is always mapped.
        TAG_GLOBAL if in_metaspace && unsafe { !resolve(handle).is_null() } => RefType::Global,
        TAG_WEAK if in_metaspace => RefType::WeakGlobal,
        _ => RefType::Invalid,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn oop(n: usize) -> Oop {
        Oop::from_address(n * 8)
    }

    #[test]
    fn slots_do_not_move_and_frames_nest() {
        let mut l = LocalRefs::default();
        let a = l.add(oop(1)).address();
        let mark = l.enter();
        let first: Vec<usize> = (0..200).map(|i| l.add(oop(i + 2)).address()).collect();
        assert_eq!(l.len(), 201);
        for (i, &address) in first.iter().enumerate() {
            // SAFETY: slots of this frame.
            assert_eq!(unsafe { resolve(address as Handle) }, oop(i + 2));
        }
        let inner = l.enter();
        l.add(oop(500));
        l.leave(inner);
        l.enter();
        l.add(oop(501));
        l.leave(mark);
        assert_eq!(l.len(), 1, "leaving closes what was opened since");
        assert!(l.contains(a));
        assert!(!l.contains(first[0]));
        assert!(!l.pop(), "the bottom frame stays");
    }

    #[test]
    fn deleted_slots_are_reused_in_their_frame_only() {
        let mut l = LocalRefs::default();
        let a = l.add(oop(1)).address();
        let mark = l.enter();
        let b = l.add(oop(2)).address();
        l.delete(b);
        l.delete(b);
        assert_eq!(l.add(oop(3)).address(), b);
        assert_ne!(l.add(oop(4)).address(), b, "deleting twice frees once");
        l.delete(a);
        let c = l.add(oop(5)).address();
        assert_ne!(c, a, "an outer frame's slot must not be handed to an inner one");
        l.leave(mark);
        assert!(l.is_empty());
    }

    #[test]
    fn visits_live_slots() {
        let mut l = LocalRefs::default();
        l.add(oop(1));
        let b = l.add(oop(2)).address();
        l.add(oop(3));
        l.delete(b);
        let mut seen = Vec::new();
        // SAFETY: the slots are live during the visit.
        l.for_each_slot(&mut |s| seen.push(unsafe { (*s).get() }));
        assert_eq!(seen, [oop(1), oop(3)]);
    }

    #[test]
    fn null_handles() {
        // SAFETY: null is allowed.
        assert!(unsafe { resolve(std::ptr::null_mut()) }.is_null());
        assert!(new_global(Oop::NULL).is_null());
    }
}
