//! Interpreter frames on the per-thread Java stack.
//!
//! The stack grows upwards, in 8-byte slots. A callee's locals overlap its caller's operand
//! stack, so arguments are passed without copying:
//!
//! ```text
//! locals[0..max_locals] | monitor records | Frame | operand stack
//! ```
//!
//! An int, float or reference takes one slot (references wide; int in the low half, the high
//! half is zero). A long or double takes two: its value is in the first, the second is not read.
//!
//! A monitor record is the object of a monitor that the frame has entered; `monitors` of them
//! are in use.

use super::insn::{Insn, PreparedCode};
use crate::heap::layout::Oop;
use crate::meta::method::{Method, MethodRef};
use crate::threads::JavaThread;
use std::sync::atomic::Ordering;

/// What made a frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub enum FrameKind {
    /// Runs bytecode.
    Java = 0,
    /// A native method (its locals are its arguments).
    Native = 1,
    /// Border: entered from Rust or native code; `prev` is the frame below the border, `pc` the machine stack pointer
    /// above which all that the callers hold lies, their registers included.
    Entry = 2,
    /// Border: entered from compiled code. `sp` and `pc` are the machine stack pointer and the return address of
    /// the innermost compiled frame, which is the first of a run that ends where the interpreter (or Rust code)
    /// beneath entered compiled code; see `code::frames`.
    Compiled = 3,
}

/// The fixed part of a frame.
#[repr(C)]
pub struct Frame {
    /// The caller's frame, null at the bottom.
    pub prev: *mut Frame,
    /// The method; for borders null.
    pub method: *const Method,
    /// Current instruction (saved when the frame calls or may be walked); for natives 0.
    pub pc: *const Insn,
    pub locals: *mut u64,
    /// Saved operand stack pointer: first free slot.
    pub sp: *mut u64,
    /// First slot beyond the frame's operand stack. (Callees' frames overlap what lies above `sp`.)
    pub end: *mut u64,
    pub kind: FrameKind,
    /// Monitor records in use (the method's own monitor included).
    pub monitors: u32,
}

/// Slots that the fixed part takes.
pub const FRAME_SLOTS: usize = std::mem::size_of::<Frame>() / 8;

impl Frame {
    /// The method; `None` for borders.
    pub fn method(&self) -> Option<MethodRef> {
        // SAFETY: a frame's method is alive while the frame is.
        unsafe { self.method.as_ref() }
    }

    /// First slot of the operand stack.
    pub fn stack_base(&self) -> *mut u64 {
        (self as *const Frame as usize + std::mem::size_of::<Frame>()) as *mut u64
    }

    /// The prepared code of a Java frame's method.
    pub fn prepared(&self) -> Option<&'static PreparedCode> {
        // SAFETY: prepared code lives as long as its method.
        self.method().and_then(|m| unsafe { m.prepared.load(Ordering::Acquire).as_ref() })
    }

    /// Bytecode index of `pc`; 0 for natives.
    pub fn bci(&self) -> usize {
        if self.pc.is_null() {
            return 0;
        }
        let Some(code) = self.prepared() else { return 0 };
        let i = (self.pc as usize - code.insns.as_ptr() as usize) / 8;
        code.bci[i.min(code.bci.len() - 1)] as usize
    }

    /// Local variable `i` as a reference.
    ///
    /// # Safety
    /// The local must hold a reference.
    pub unsafe fn local_ref(&self, i: usize) -> Oop {
        Oop::from_address(*self.locals.add(i) as usize)
    }
}

/// Saves where the running frame stands, so that it can be walked, collected and unwound.
///
/// # Safety
/// `frame` must be the thread's topmost frame, `pc` and `sp` its own.
#[inline(always)]
pub unsafe fn save(t: &JavaThread, frame: *mut Frame, pc: *const u64, sp: *mut u64) {
    (*frame).pc = pc as *const Insn;
    (*frame).sp = sp;
    t.stack_top.set((*frame).end);
}

/// A native method's frame, pushed above its arguments for the time of the call.
pub struct NativeFrame<'t> {
    t: &'t JavaThread,
    prev: *mut Frame,
    stack_top: *mut u64,
}

impl<'t> NativeFrame<'t> {
    /// Pushes the frame of `method`, whose arguments start at `args` and end at `top`; `None`
    /// if the Java stack is exhausted.
    ///
    /// # Safety
    /// `args..top` must be the arguments at the top of the thread's Java stack.
    #[inline(always)]
    pub unsafe fn push(t: &'t JavaThread, method: MethodRef, args: *mut u64, top: *mut u64) -> Option<NativeFrame<'t>> {
        let end = top.add(FRAME_SLOTS);
        if end > t.stack_limit.get() {
            return None;
        }
        let prev = t.top_frame.get();
        let stack_top = t.stack_top.get();
        let frame = top as *mut Frame;
        frame.write(Frame {
            prev,
            method,
            pc: std::ptr::null(),
            locals: args,
            sp: end,
            end,
            kind: FrameKind::Native,
            monitors: 0,
        });
        t.top_frame.set(frame);
        t.stack_top.set(end);
        Some(NativeFrame { t, prev, stack_top })
    }
}

impl Drop for NativeFrame<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        self.t.top_frame.set(self.prev);
        self.t.stack_top.set(self.stack_top);
    }
}
