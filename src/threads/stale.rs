//! What dead frames leave on a machine stack. It is scanned conservatively: a slot that a new frame does not write
//! for long shows what an old one had there, and keeps that alive. That is rarely noticed; but when memory has run
//! out, what the failed allocation's frames had in hand is the very thing that the handler has let go of.

use super::state::with_spilled_registers;
use super::JavaThread;
use crate::interpreter::frame::FrameKind;
use std::hint::black_box;
use std::mem::MaybeUninit;

/// Bytes of stack that are cleared before a handler: more than the run-time's way to a failing allocation takes.
pub const CLEARED: usize = 32 << 10;

/// Bytes of stack that the collector's allocator uses, roughly.
const ALLOCATOR: usize = 3 << 10;

/// From where a collection is to scan the stack of the current thread, which stands at `sp`.
#[inline(always)]
pub(super) fn scan_from(t: &JavaThread, sp: usize) -> usize {
    match t.vm.scan_from.get() {
        0 => sp,
        above => above,
    }
}

/// An allocation has failed: have the stack cleared when its exception has found where it goes.
pub fn request(t: &JavaThread) {
    t.vm.stale_stack.set(true);
    t.vm.scarce.set(SCARCE);
}

/// How often the stack is cleared, after an allocation has failed, before the interpreter does something that takes
/// memory and much stack: what calls have left there since the handler began is as dead as what it found.
const SCARCE: u32 = 64;
/// Bytes that are cleared then.
const CLEARED_WHEN_SCARCE: usize = 4 << 10;

/// Clears some of the stack below the caller's frame if memory has run out lately.
#[inline(always)]
pub(super) fn clear_when_scarce(t: &JavaThread) {
    match t.vm.scarce.get() {
        0 => {}
        n => {
            t.vm.scarce.set(n - 1);
            clear_here::<CLEARED_WHEN_SCARCE>();
        }
    }
}

/// Clears the stack below the caller's frame if that is wanted. Called where frames have been left for a handler.
#[inline(always)]
pub fn clear(t: &JavaThread) {
    if t.vm.stale_stack.get() {
        clear_below(t);
    }
}

#[cold]
#[inline(never)]
fn clear_below(t: &JavaThread) {
    let here = 0u8;
    if take_request(t, &here as *const u8 as usize) {
        clear_here::<CLEARED>();
    }
}

/// Whether [`CLEARED`] bytes below `sp`, where a handler goes on, are to be cleared; they are there then. For code
/// that runs further below and leaves the clearing to a stub.
#[inline(always)]
pub fn take_request(t: &JavaThread, sp: usize) -> bool {
    t.vm.stale_stack.take() && sp >= t.native_stack_limit.get() + CLEARED
}

/// Runs `f`, the collector's allocator. No reference lies in its frames, but addresses of memory that it looks at
/// do, and the first object of a block has that block's address: a collection scans the stack from above these
/// frames, and nothing of them stays behind.
pub fn allocating<R>(t: &JavaThread, f: impl FnOnce() -> R) -> R {
    let result = with_spilled_registers(|sp| {
        t.vm.scan_from.set(sp);
        let result = f();
        t.vm.scan_from.set(0);
        result
    });
    clear_here::<ALLOCATOR>();
    result
}

/// Runs `f`, in which the running native method of the VM's holds no reference: a collection that it asks for, or a long
/// wait. Native code holds its references in handles, and what the VM's frames on the way to it need lies on the Java
/// stack, the interpreters' included: a collection scans the stack from above all these, which is where compiled code or
/// Rust code has called. Their dead words, which may be anything, then keep nothing alive that the program knows to have
/// let go of.
pub fn without_references<R>(t: &JavaThread, f: impl FnOnce() -> R) -> R {
    // SAFETY: the frames on the thread's own Java stack.
    let sp = unsafe {
        let mut frame = t.top_frame.get().as_ref();
        while let Some(f) = frame.filter(|f| matches!(f.kind, FrameKind::Java | FrameKind::Native)) {
            frame = f.prev.as_ref();
        }
        frame.map_or(0, |border| match border.kind {
            FrameKind::Compiled => border.sp as usize,
            _ => border.pc as usize,
        })
    };
    let before = t.vm.scan_from.replace(sp);
    let result = f();
    t.vm.scan_from.set(before);
    result
}

#[inline(never)]
fn clear_here<const BYTES: usize>() {
    let mut area = MaybeUninit::<[u8; BYTES]>::zeroed();
    black_box(&mut area);
}
