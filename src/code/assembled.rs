//! What a backend hands to the code cache: position-independent machine code with its metadata.

use super::inline_cache::CacheSite;
use crate::compiler::ir::{Action, Reason, Resume, Runtime, Type};
use crate::meta::class::ClassRef;
use crate::meta::method::MethodRef;

/// Machine code not yet placed.
#[derive(Debug, Default)]
pub struct Assembled {
    pub code: Vec<u8>,
    /// caller_sp - sp, see `code::abi`.
    pub frame_size: u32,
    /// Calls and jumps to stubs, to be filled in when the code is placed.
    pub relocations: Vec<Relocation>,
    /// Calls with inline caches.
    pub cache_sites: Vec<CacheSite>,
    /// Places where the frame may be looked at or left, by ascending pc.
    pub points: Vec<DebugPoint>,
    /// (pc after a call, offset of the handler to go to when it throws), ascending.
    pub handlers: Vec<(u32, u32)>,
    /// (offset of an access, offset of the exit to go to when its object is null), ascending.
    pub faults: Vec<(u32, u32)>,
    /// Listing for `-XX:+PrintAssembly`: (offset, text) ascending, empty unless asked for.
    pub comments: Vec<(u32, String)>,
}

impl Assembled {
    /// Bytes that what describes the code takes.
    pub fn metadata_bytes(&self) -> usize {
        use std::mem::{size_of, size_of_val};
        let frame = |f: &FrameInfo| {
            size_of::<FrameInfo>()
                + (f.locals.len() + f.stack.len()) * size_of::<Where>()
                + f.monitors.len() * size_of::<(Where, bool)>()
        };
        let point = |p: &DebugPoint| {
            let virtuals: usize = p.virtuals.iter().map(|v| size_of_val(v) + size_of_val(&v.fields[..])).sum();
            size_of::<DebugPoint>() + p.frames.iter().map(frame).sum::<usize>() + virtuals
        };
        self.points.iter().map(point).sum::<usize>() + size_of_val(&self.handlers[..])
    }
}

/// A pc-relative call or jump: rel32 at the offset (x86-64), the b/bl instruction there (ARM64).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Relocation {
    pub offset: u32,
    pub target: Stub,
}

/// Shared pieces of machine code that compiled methods call or jump to; made at start-up.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Stub {
    /// A run-time function: arguments as for a Java call (at most as many as there are registers), the thread
    /// is added; result as for a Java call. Non-leaves record where the frame stands, and go on in the handler
    /// or the caller when they throw.
    Runtime(Runtime),
    /// `call`ed at a failing check: leaves for the interpreter by the debug point at the return address. Every
    /// register is as it was. Never returns.
    Deopt,
    /// `call`ed when the poll word is not 0; keeps every register. Debug point at the return address.
    Safepoint,
    /// Jumped to from a prologue before a frame is made: the caller gets a StackOverflowError.
    StackOverflow,
    /// Jumped to in place of a return, frame popped, exception in the result register: throws it in the caller.
    Throw,
    /// Slow path of an allocation: class word in the result register (rax, x0), and there the object. Keeps every
    /// register but that and the scratch ones. Out of memory leaves by the debug point at the return address,
    /// raising it there.
    NewInstance,
    /// The same for an array; its length (i32) in the first integer argument register, kept too. A negative
    /// length raises NegativeArraySizeException in the same way.
    NewArray,
    /// `call`ed when a counter comes round ([`crate::compiler::ir::Op::CountAndNotify`]): in the scratch register
    /// (r11, x16) the method's address in the low half, the bytecode index (i32) in the high half. Keeps every
    /// register. When asked to leave for on-stack replacement it deoptimizes (reason age) by the debug point at
    /// the return address, of kind `Poll`, instead of returning.
    CounterOverflow,
    /// Slow path of the write barrier: object in the scratch register (r11, x16). Keeps every other register.
    /// Leaf.
    Barrier,
    /// Slow path of the subtype test, when the super class's display offset is that of the secondary cache: sub
    /// class in the scratch register (r11, x16), super class in the result register, and there 1 or 0. Keeps
    /// every other register. Leaf.
    SearchSecondary,
    /// Interface dispatch without a cache: receiver in the first argument register, resolved method in the
    /// method register. Jumps to the selected method's entry with it in the method register.
    Interface,
    /// The first entry of an inline cache is for another class than the receiver's: reached through the cache's
    /// own `miss`, its address in the cache register (r11, x10). Goes on as `Interface` does.
    InlineCache,
    /// Method-handle intrinsics: arguments in place, intrinsic method in the method register.
    MethodHandle,
}

/// Why a debug point is there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PointKind {
    /// Return address of a Java or run-time call.
    Call,
    /// Return address of a call of `Stub::Safepoint` or `CounterOverflow`: values may be in registers, which the
    /// stub has saved.
    Poll,
    /// Return address of a call of `Stub::NewInstance` or `NewArray`: values may be in registers as at a poll; the
    /// state is that before the bytecode.
    Allocation,
    /// Return address of a call of `Stub::Deopt`.
    Deopt(Reason, Action),
}

/// See [`Assembled::points`].
#[derive(Clone, Debug)]
pub struct DebugPoint {
    /// Offset of the return address within the code.
    pub pc: u32,
    pub kind: PointKind,
    /// Innermost frame first.
    pub frames: Vec<FrameInfo>,
    /// Scalar-replaced objects.
    pub virtuals: Vec<VirtualInfo>,
}

/// How to rebuild one interpreter frame.
#[derive(Clone, Debug)]
pub struct FrameInfo {
    pub method: MethodRef,
    pub bci: u16,
    pub resume: Resume,
    pub locals: Vec<Where>,
    pub stack: Vec<Where>,
    pub monitors: Vec<(Where, bool)>,
}

/// How to make a scalar-replaced object.
#[derive(Clone, Debug)]
pub struct VirtualInfo {
    pub class: ClassRef,
    pub length: u32,
    /// Offset in the object, how the value is stored there, the value.
    pub fields: Vec<(u32, crate::compiler::ir::Mem, Where)>,
    pub locks: u32,
    /// It is made by its class's `valueOf` from its only field.
    pub boxed: bool,
}

/// Where a value is at a debug point.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Where {
    Dead,
    /// Integer register by hardware number.
    Int(Type, u8),
    /// Floating-point register.
    Float(Type, u8),
    /// 8-byte slot at this distance from the frame's sp.
    Frame(Type, u32),
    /// The bits (i32 and f32 in the low half).
    Const(Type, u64),
    /// The object in the root slot at this address.
    Object(u32),
    /// The mirror of a class.
    Mirror(ClassRef),
    Virtual(u32),
}
