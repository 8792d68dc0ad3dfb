//! Interpreter frames on the per-thread Java stack.
//!
//! The stack grows upwards, in 8-byte slots. A callee's locals overlap its caller's operand
//! stack, so arguments are passed without copying:
//!
//! ```text
//! locals[0..max_locals] | Frame | operand stack ...
//! ```
//!
//! An int, float or reference takes one slot (references wide; int in the low half). A long or
//! double takes two: its value is in the first, the second is not read.

use crate::heap::layout::Oop;
use crate::meta::method::MethodRef;

/// What made a frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub enum FrameKind {
    /// Runs bytecode.
    Java = 0,
    /// A native method (its locals are its arguments).
    Native = 1,
    /// Border: entered from Rust or native code; `prev` is the frame below the border.
    Entry = 2,
}

/// The fixed part of a frame.
#[repr(C)]
pub struct Frame {
    /// The caller's frame, null at the bottom.
    pub prev: *mut Frame,
    /// The method; for `Entry` frames null.
    pub method: *const crate::meta::method::Method,
    /// Current instruction (saved when the frame calls or may be walked); for natives 0.
    pub pc: *const super::insn::Insn,
    pub locals: *mut u64,
    /// Saved operand stack pointer: first free slot.
    pub sp: *mut u64,
    pub kind: FrameKind,
    /// Monitors that this frame holds on the thread's lock stack (method monitor included).
    pub monitors: u32,
}

impl Frame {
    /// The method; `None` for entry frames.
    pub fn method(&self) -> Option<MethodRef> {
        // SAFETY: a frame's method is alive while the frame is.
        unsafe { self.method.as_ref() }
    }

    /// First slot of the operand stack.
    pub fn stack_base(&self) -> *mut u64 {
        (self as *const Frame as usize + std::mem::size_of::<Frame>()) as *mut u64
    }

    /// Bytecode index of `pc`; 0 for natives.
    pub fn bci(&self) -> usize {
        let Some(m) = self.method() else { return 0 };
        let p = m.prepared.load(std::sync::atomic::Ordering::Acquire);
        if p.is_null() || self.pc.is_null() {
            return 0;
        }
        // SAFETY: prepared code lives as long as its method.
        let code = unsafe { &*p };
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
