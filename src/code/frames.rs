//! Frames of compiled code: borders on the Java stack and the runs of machine frames behind them.
//!
//! Compiled code that calls the run-time is walked from its border, a `Frame` of kind `Compiled`, which holds
//! the sp and the return address of the innermost machine frame. From there frame sizes lead outwards until
//! the return address is that of the stub through which the interpreter entered compiled code; what called
//! that lies beneath the border on the Java stack.

use super::assembled::{DebugPoint, Where};
use super::compiled::{self, CompiledMethod};
use super::{adapters, stubs};
use crate::compiler::ir::Type;
use crate::heap::layout::Oop;
use crate::heap::roots::RootSlot;
use crate::interpreter::frame::{Frame, FrameKind, FRAME_SLOTS};
use crate::interpreter::insn::Insn;
use crate::threads::JavaThread;

/// A border frame, pushed for the time of a stay in the run-time.
pub struct Border<'t> {
    t: &'t JavaThread,
    frame: *mut Frame,
    prev: *mut Frame,
    stack_top: *mut u64,
}

impl<'t> Border<'t> {
    /// Pushes the border of the compiled frame at `sp` that stands at return address `pc`. There is always room
    /// for it: who may go deeper checks the stack's limit.
    ///
    /// # Safety
    /// The frame must be the thread's innermost.
    pub unsafe fn push(t: &'t JavaThread, sp: usize, pc: usize) -> Border<'t> {
        let (prev, base) = (t.top_frame.get(), t.stack_top.get());
        let frame = base as *mut Frame;
        let top = base.add(FRAME_SLOTS);
        frame.write(Frame {
            prev,
            method: std::ptr::null(),
            pc: pc as *const Insn,
            locals: base,
            sp: sp as *mut u64,
            end: top,
            kind: FrameKind::Compiled,
            monitors: 0,
        });
        t.top_frame.set(frame);
        t.stack_top.set(top);
        Border { t, frame, prev, stack_top: base }
    }

    /// The border of the frame that has called a run-time function.
    ///
    /// # Safety
    /// To be called first thing in such a function.
    #[inline]
    pub unsafe fn of_anchor(t: &'t JavaThread) -> Border<'t> {
        Border::push(t, t.anchor_sp.get(), t.anchor_pc.get())
    }

    /// First slot above the border.
    pub fn top(&self) -> *mut u64 {
        self.stack_top.wrapping_add(FRAME_SLOTS)
    }

    /// Leaves the border on the stack, for [`Border::of_frame`] to take it up again.
    pub fn keep(self) -> *mut Frame {
        std::mem::ManuallyDrop::new(self).frame
    }

    /// A border that [`Border::keep`] has left.
    ///
    /// # Safety
    /// The frame must be such a one, of this thread, and taken up once.
    pub unsafe fn of_frame(t: &'t JavaThread, frame: *mut Frame) -> Border<'t> {
        Border { t, frame, prev: (*frame).prev, stack_top: (*frame).locals }
    }
}

impl Drop for Border<'_> {
    #[inline]
    fn drop(&mut self) {
        debug_assert!(self.t.top_frame.get() == self.frame, "frames are balanced");
        self.t.top_frame.set(self.prev);
        self.t.stack_top.set(self.stack_top);
    }
}

/// One machine frame.
#[derive(Clone, Copy)]
pub struct Activation {
    pub code: &'static CompiledMethod,
    pub sp: usize,
    /// Return address into the code (never that of lazy deoptimization).
    pub pc: usize,
}

impl Activation {
    /// What is known of the frame where it stands.
    ///
    /// # Panics
    /// If `pc` is no debug point: the frame cannot have stopped there.
    pub fn point(&self) -> &'static DebugPoint {
        // The code lives while the frame does.
        match self.code.point(self.pc) {
            // SAFETY: metadata is dropped in a pause that finds no frame in the code.
            Some(p) => unsafe { &*(p as *const DebugPoint) },
            None => panic!("no debug point at {:#x} of {:?}", self.pc - self.code.entry, self.code),
        }
    }

    /// Stack pointer of the caller at the call.
    pub fn caller_sp(&self) -> usize {
        self.sp + self.code.frame_size
    }

    /// A value that lies in the frame or is constant; `None` for registers, dead and virtual values.
    ///
    /// # Safety
    /// The frame must be on the stack of the current thread or one that stands.
    pub unsafe fn value(&self, w: &Where) -> Option<u64> {
        let (ty, bits) = match *w {
            Where::Frame(ty, offset) => (ty, *((self.sp + offset as usize) as *const u64)),
            Where::Const(ty, bits) => (ty, bits),
            Where::Object(slot) => return Some((*(slot as usize as *const RootSlot)).get().address() as u64),
            Where::Mirror(class) => return Some(class.mirror().address() as u64),
            Where::Dead | Where::Int(..) | Where::Float(..) | Where::Virtual(_) => return None,
        };
        Some(slot_bits(ty, bits))
    }
}

/// A value as an interpreter slot holds it: 32-bit ones in the low half, the high half zero.
pub fn slot_bits(ty: Type, bits: u64) -> u64 {
    match ty {
        Type::I32 | Type::F32 => u64::from(bits as u32),
        Type::I64 | Type::F64 | Type::Ref | Type::Ptr => bits,
    }
}

/// The machine frames of one run, innermost first.
#[derive(Clone, Copy)]
pub struct Activations<'t> {
    t: &'t JavaThread,
    sp: usize,
    pc: usize,
}

/// The run of machine frames that begins with the frame at `sp`, which stands at return address `pc`.
///
/// # Safety
/// `t` must be the current thread or stand, and this be a frame on its stack.
pub unsafe fn activations(t: &JavaThread, sp: usize, pc: usize) -> Activations<'_> {
    Activations { t, sp, pc }
}

/// The run behind a border.
///
/// # Safety
/// As above; `border` must be a `Compiled` frame of `t`.
pub unsafe fn behind(t: &JavaThread, border: *const Frame) -> Activations<'_> {
    activations(t, (*border).sp as usize, (*border).pc as usize)
}

impl Iterator for Activations<'_> {
    type Item = Activation;

    fn next(&mut self) -> Option<Activation> {
        if is_end(self.pc) {
            return None;
        }
        let Some(code) = compiled::find(self.pc) else {
            panic!("no compiled code at {:#x}, the return address of a frame at {:#x}", self.pc, self.sp)
        };
        let a = Activation { code, sp: self.sp, pc: self.pc };
        self.sp = a.caller_sp();
        // SAFETY: the frame's return address lies below the caller's sp.
        self.pc = unsafe { return_address(self.t, self.sp) };
        Some(a)
    }
}

/// The stretches (low, high) of a machine stack, innermost first, on which the interpreter's loop stands that has called
/// compiled code, or is having an instruction resolved. Nothing there has to be known to the collector: what the
/// interpreter needs when it goes on lies on the Java stack, and what its own caller had in registers has been saved
/// beyond (`call`; compiled code keeps nothing in registers across calls). What is there besides is what the interpreter
/// has left in registers, and is dead.
///
/// # Safety
/// `t` must be the current thread or stand.
pub unsafe fn interpreter_stretches(t: &JavaThread) -> Vec<(usize, usize)> {
    let mut lows: Vec<usize> = t.vm.resolving_from.borrow().clone();
    let mut highs: Vec<usize> = Vec::new();
    // Where the compiled code further in was entered.
    let mut entered: Option<usize> = None;
    let mut next = t.top_frame.get().as_ref();
    while let Some(f) = next {
        match f.kind {
            FrameKind::Java => {}
            FrameKind::Native => entered = None,
            FrameKind::Entry => {
                lows.extend(entered.take());
                highs.push(f.pc as usize);
            }
            FrameKind::Compiled => {
                lows.extend(entered.take());
                highs.push(f.sp as usize);
                entered = Some(match behind(t, f).last() {
                    // The callee may still read its arguments.
                    Some(a) if a.code.osr_bci.is_none() => a.caller_sp() + 8 * adapters::stack_words(a.code.method),
                    Some(a) => a.caller_sp(),
                    None => f.sp as usize,
                });
            }
        }
        next = f.prev.as_ref();
    }
    lows.sort_unstable();
    let end = |low: usize| highs.iter().copied().find(|&high| high > low);
    lows.into_iter().filter_map(|low| Some((low, end(low)?))).collect()
}

/// Whether `pc` is the return address of the stub that enters compiled code.
pub fn is_end(pc: usize) -> bool {
    stubs::get().is_some_and(|s| s.call_in_return == pc)
}

/// The address at which the frame at `sp` goes on when what it has called returns, as compiled.
///
/// # Safety
/// As for [`activations`].
pub unsafe fn return_address(t: &JavaThread, sp: usize) -> usize {
    let pc = *((sp - 8) as *const usize);
    match stubs::get() {
        Some(s) if s.lazy_deopt == pc => t.lazy_deopt.original(sp),
        _ => pc,
    }
}

/// Objects of the values that are locked in the heap by the inlined method `index` of the frame, innermost last.
///
/// # Safety
/// As for [`Activation::value`].
pub unsafe fn locked(a: &Activation, index: usize) -> Vec<Oop> {
    let f = &a.point().frames[index];
    f.monitors.iter().filter(|m| !m.1).filter_map(|(w, _)| a.value(w)).map(|v| Oop::from_address(v as usize)).collect()
}
