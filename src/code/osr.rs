//! On-stack replacement: a loop of an interpreter frame goes on in compiled code.

use super::adapters;
use super::compiled::CompiledMethod;
use crate::interpreter::frame::{Frame, FrameKind};
use crate::interpreter::monitors;
use crate::meta::method::Method;
use crate::threads::JavaThread;
use std::cell::{Cell, UnsafeCell};

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

/// An on-stack replacement that waits until the interpreter's run is off the machine stack.
///
/// A frame that deoptimization has made is run by a stub that stands where the compiled frame stood. If its loop
/// goes on in compiled code again, that takes the same place: else a loop that is left and entered again and
/// again would use up the stack.
#[derive(Default)]
pub struct Handover {
    /// The border beneath the frame whose run ends for a replacement of it.
    border: Cell<*mut Frame>,
    /// The method, the code's entry, and then what the code reads: locals and monitors.
    buffer: UnsafeCell<Vec<u64>>,
    waiting: Cell<bool>,
}

/// Words of a [`Handover`]'s buffer before those that the code reads.
pub const HANDOVER_HEADER: usize = 2;

impl Handover {
    /// Runs the interpreter frames above `border`; who calls this enters what [`Handover::take`] says afterwards.
    pub fn during<R>(&self, border: *mut Frame, run: impl FnOnce() -> R) -> R {
        let outer = self.border.replace(border);
        let result = run();
        self.border.set(outer);
        result
    }

    /// Address of the buffer's part for the code, if a replacement waits. It is void when the thread gives
    /// another one.
    pub fn take(&self) -> Option<*const u64> {
        // SAFETY: the thread itself; the reference does not outlive the expression.
        self.waiting.take().then(|| unsafe { (&*self.buffer.get())[HANDOVER_HEADER..].as_ptr() })
    }

    fn give(&self, code: &CompiledMethod, words: &[u64]) {
        // SAFETY: as above.
        let buffer = unsafe { &mut *self.buffer.get() };
        buffer.clear();
        buffer.extend([&*code.method as *const Method as u64, code.entry as u64]);
        buffer.extend_from_slice(words);
        self.waiting.set(true);
    }
}

/// Replaces `frame`, the topmost, standing at the loop that `code` enters, by a compiled frame, and runs that to its
/// end; or has the interpreter's run end, and leaves the rest to who has called that.
///
/// # Safety
/// The frame must be saved; the code must be an on-stack replacement for its method at its bytecode index.
pub unsafe fn enter(t: &JavaThread, frame: *mut Frame, code: &'static CompiledMethod) -> Left {
    let here = 0u8;
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
    if t.osr_handover.border.get() == caller {
        t.osr_handover.give(code, &buffer);
        return Left::Return(0);
    }
    let result = adapters::call_osr(t, code, buffer.as_ptr());
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
