//! On-stack replacement: a loop of an interpreter frame goes on in compiled code.

use super::adapters;
use super::compiled::CompiledMethod;
use crate::exceptions::VmResult;
use crate::interpreter::frame::{Frame, FrameKind};
use crate::interpreter::monitors;
use crate::threads::JavaThread;

/// What has become of the interpreter frame.
pub enum Left {
    /// There was no room for the compiled frame: the interpreter frame goes on.
    Stayed,
    /// It is gone and its result is pushed on its caller's stack: go on in the topmost frame, which is saved.
    Resume,
    /// It is gone, its caller is a border, and this is its result.
    Return(u64),
    /// It is gone, and the exception pends in the topmost frame.
    Thrown,
}

/// Replaces `frame`, the topmost, standing at the loop that `code` enters, by a compiled frame, and runs that to its
/// end.
///
/// # Safety
/// The frame must be saved; the code must be an on-stack replacement for its method at its bytecode index.
pub unsafe fn enter(t: &JavaThread, frame: *mut Frame, code: &'static CompiledMethod) -> Left {
    let here = 0u8;
    // A loop that deoptimization has left, entered again here, keeps the dead frame below it: one that is left
    // again and again must not use up the stack.
    const MOST_DEAD_FRAMES: u32 = 64;
    if t.dead_frames.get() > MOST_DEAD_FRAMES {
        return Left::Stayed;
    }
    // The prologue must find room: its StackOverflowError would leave the frame's monitors locked.
    const MARGIN: usize = 4096;
    if (&here as *const u8 as usize) < t.native_stack_limit.get() + code.frame_size + MARGIN {
        return Left::Stayed;
    }
    let method = code.method;
    let max_locals = method.max_locals as usize;
    // The buffer is read before anything can stop: the collector need not see it.
    let (records, _) = monitors::records(frame);
    let mut buffer: Vec<u64> = Vec::with_capacity(max_locals + (*frame).monitors as usize);
    buffer.extend((0..max_locals).map(|i| *(*frame).locals.add(i)));
    buffer.extend((0..(*frame).monitors as usize).map(|i| *records.add(i)));
    let (caller, base) = ((*frame).prev, (*frame).locals);
    t.top_frame.set(caller);
    // Arguments of this frame may lie above the operands that its caller has left.
    t.stack_top.set((*caller).end.max(base));
    let result = run(t, code, &buffer);
    debug_assert!(t.top_frame.get() == caller, "frames are balanced");
    let value = match result {
        Ok(v) => v,
        Err(_pending) => return Left::Thrown,
    };
    if (*caller).kind != FrameKind::Java {
        return Left::Return(value);
    }
    *base = value;
    (*caller).sp = base.add(method.return_type.slots());
    (*caller).pc = (*caller).pc.add(1);
    Left::Resume
}

unsafe fn run(t: &JavaThread, code: &CompiledMethod, buffer: &[u64]) -> VmResult<u64> {
    adapters::call_osr(t, code, buffer.as_ptr())
}
