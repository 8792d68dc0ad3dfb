//! Lazy deoptimization. In a pause, the return addresses into code that has become invalid are replaced by that
//! of a stub, in all frames but the innermost ones' own: wherever control comes back to such a frame, by a return
//! or by an exception, it goes on in the interpreter. What was there is kept by the thread; all walkers ask it.

use super::rebuild::{leave, Entry};
use crate::code::{frames, stubs};
use crate::interpreter::frame::FrameKind;
use crate::threads::JavaThread;
use std::cell::UnsafeCell;
use std::collections::HashSet;

/// A thread's replaced return addresses: (sp of the frame they lead to, original), deepest frame last. Touched by
/// the thread itself, or in a pause.
#[derive(Default)]
pub struct Patches(UnsafeCell<Vec<(usize, usize)>>);

impl Patches {
    #[allow(clippy::mut_from_ref)] // one user at a time, see the type's comment
    fn list(&self) -> &mut Vec<(usize, usize)> {
        // SAFETY: the thread itself or a pause, and no reference outlives a function of this type.
        unsafe { &mut *self.0.get() }
    }

    /// The return address that the frame at `sp` was compiled with.
    ///
    /// # Panics
    /// If it was not replaced.
    pub fn original(&self, sp: usize) -> usize {
        let found = self.list().iter().rev().find(|p| p.0 == sp);
        found.expect("a replaced return address is on record").1
    }

    /// Takes the frame at `sp` off the list: its original return address if it was replaced.
    pub fn take(&self, sp: usize) -> Option<usize> {
        let list = self.list();
        // Frames nearer the top of the stack are gone.
        while list.last().is_some_and(|p| p.0 < sp) {
            list.pop();
        }
        if list.last().is_some_and(|p| p.0 == sp) {
            return list.pop().map(|p| p.1);
        }
        None
    }

    /// Whether the return address of the frame at `sp` is replaced.
    pub fn contains(&self, sp: usize) -> bool {
        self.list().iter().any(|p| p.0 == sp)
    }
}

/// Makes the frames of `t`, which stands, deoptimize that are in `invalid` code (by entry address), and enters the
/// code of all its compiled frames into `active`. How many frames that are.
///
/// # Safety
/// In a pause.
pub(crate) unsafe fn mark_thread(t: &JavaThread, invalid: &HashSet<usize>, active: &mut HashSet<usize>) -> usize {
    let Some(stubs) = stubs::get() else { return 0 };
    let mut found: Vec<(usize, usize)> = Vec::new();
    let mut next = t.top_frame.get();
    while let Some(frame) = next.as_ref() {
        if frame.kind == FrameKind::Compiled {
            for a in frames::behind(t, frame) {
                active.insert(a.code.entry);
                if invalid.contains(&a.code.entry) {
                    found.push((a.sp, a.pc));
                }
            }
        }
        next = frame.prev;
    }
    patch(t, stubs.lazy_deopt, &found);
    found.len()
}

/// Replaces the return addresses of the frames `found` (sp, return address), unless they are already.
///
/// # Safety
/// By the thread itself, or in a pause; frames of `t`.
unsafe fn patch(t: &JavaThread, stub: usize, found: &[(usize, usize)]) {
    // Innermost first; the list wants the outermost first. Entries of frames that are gone leave.
    let list = t.lazy_deopt.list();
    let live: Vec<(usize, usize)> =
        list.drain(..).filter(|p| *((p.0 - 8) as *const usize) == stub).collect();
    let mut all = live;
    for &(sp, pc) in found {
        let cell = (sp - 8) as *mut usize;
        if *cell != stub {
            debug_assert!(*cell == pc, "a frame's return address lies below its sp");
            *cell = stub;
            all.push((sp, pc));
        }
    }
    all.sort_unstable_by_key(|p| std::cmp::Reverse(p.0));
    all.dedup_by_key(|p| p.0);
    *list = all;
}

/// Makes those of the current thread's compiled frames deoptimize that `chosen` says, as [`mark_thread`] does.
///
/// # Safety
/// `t` is the current thread, and its innermost compiled frames have a border.
pub(super) unsafe fn mark_own(t: &JavaThread, mut chosen: impl FnMut() -> bool) {
    let Some(stubs) = stubs::get() else { return };
    let mut found: Vec<(usize, usize)> = Vec::new();
    let mut next = t.top_frame.get();
    while let Some(frame) = next.as_ref() {
        if frame.kind == FrameKind::Compiled {
            found.extend(frames::behind(t, frame).filter(|_| chosen()).map(|a| (a.sp, a.pc)));
        }
        next = frame.prev;
    }
    patch(t, stubs.lazy_deopt, &found);
}

/// The stub that replaced return addresses lead to: control has come back to the frame at `sp` with this result.
pub(crate) unsafe extern "C" fn returned(t: &JavaThread, sp: usize, int: u64, float: u64) {
    let pc = t.lazy_deopt.take(sp).expect("a replaced return address is on record");
    leave(t, sp, pc, None, Entry::Returned { int, float })
}
