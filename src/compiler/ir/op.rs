//! Operations.
//!
//! An instruction is an [`Op`] with its immediates, its arguments in order, at most one result, and a frame
//! state where it can leave compiled code. The comment of each operation gives its arguments and result.

use super::reason::{Action, Reason};
use super::types::{Cond, Mem, Order, Type};
use crate::meta::class::ClassRef;
use crate::meta::method::MethodRef;

/// Integer or floating-point arithmetic with two operands of the result's type (shifts: the count is i32).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Binary {
    Add,
    Sub,
    Mul,
    /// Integers: the divisor is not 0 (see [`Op::DivZeroCheck`]); MIN / -1 is MIN.
    Div,
    /// As `Div`; MIN % -1 is 0. Floating point: JVMS 6.5.drem (C's fmod).
    Rem,
    And,
    Or,
    Xor,
    /// Shift counts are masked to the operand's width.
    Shl,
    Shr,
    Ushr,
    /// `Math.min` and `max`, floating-point forms with NaN and -0.0 as JLS has them.
    Min,
    Max,
    /// High 64 bits of the signed product (i64).
    MulHigh,
    /// ... of the unsigned product.
    UMulHigh,
}

/// Arithmetic with one operand of the result's type.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Unary {
    Neg,
    /// Floating point: clears the sign. Integers: `Math.abs`.
    Abs,
    Sqrt,
    /// `Math.ceil`, `floor`, `rint`.
    Ceil,
    Floor,
    Rint,
    /// i32 result also for i64 operands.
    BitCount,
    LeadingZeros,
    TrailingZeros,
    ReverseBytes,
    /// Low 8 or 16 bits, sign- or zero-extended (i32).
    SignExtend8,
    SignExtend16,
    ZeroExtend16,
}

/// Conversions (JVMS 2.11.4, 2.8): floating point to integer saturates, NaN gives 0.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Convert {
    I32ToI64,
    /// Zero-extension.
    U32ToI64,
    I64ToI32,
    I32ToF32,
    I32ToF64,
    I64ToF32,
    I64ToF64,
    F32ToI32,
    F32ToI64,
    F32ToF64,
    F64ToI32,
    F64ToI64,
    F64ToF32,
    /// The raw bits.
    F32Bits,
    F64Bits,
    BitsF32,
    BitsF64,
}

impl Convert {
    /// Operand and result types.
    pub fn types(self) -> (Type, Type) {
        use Type::*;
        match self {
            Convert::I32ToI64 | Convert::U32ToI64 => (I32, I64),
            Convert::I64ToI32 => (I64, I32),
            Convert::I32ToF32 | Convert::BitsF32 => (I32, F32),
            Convert::I32ToF64 => (I32, F64),
            Convert::I64ToF32 => (I64, F32),
            Convert::I64ToF64 | Convert::BitsF64 => (I64, F64),
            Convert::F32ToI32 | Convert::F32Bits => (F32, I32),
            Convert::F32ToI64 => (F32, I64),
            Convert::F32ToF64 => (F32, F64),
            Convert::F64ToI32 => (F64, I32),
            Convert::F64ToI64 | Convert::F64Bits => (F64, I64),
            Convert::F64ToF32 => (F64, F32),
        }
    }
}

/// Atomic read-modify-write operations.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Rmw {
    /// Result: the old value.
    Add,
    Exchange,
}

/// Where a Java call goes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Target {
    /// This method: `invokestatic`, `invokespecial`, or devirtualized. The receiver, if any, is not null.
    Direct(MethodRef),
    /// Selected by vtable index from the receiver's class; `MethodRef` is the resolved method.
    Virtual(MethodRef),
    /// Selected from the receiver's class, through an inline cache and the itable. A receiver that lacks the
    /// interface raises IncompatibleClassChangeError.
    Interface(MethodRef),
    /// A method-handle intrinsic (`invokeBasic`, `linkTo*`): the run-time works out the target from the
    /// arguments. `MethodRef` is the VM-made intrinsic method.
    MethodHandle(MethodRef),
}

impl Target {
    /// The method as resolved: it has the signature.
    pub fn method(self) -> MethodRef {
        match self {
            Target::Direct(m) | Target::Virtual(m) | Target::Interface(m) | Target::MethodHandle(m) => m,
        }
    }
}

/// Functions of the VM that compiled code calls; see `code::runtime` for each one's contract. Those that may
/// throw, allocate or stop need a frame state; leaves need none.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Runtime {
    /// (class: ptr, lengths: i32…) -> ref. `multianewarray`.
    MultiNewArray,
    /// (object) -> (). Slow and fast path alike.
    MonitorEnter,
    /// (object) -> ().
    MonitorExit,
    /// (object) -> (): registers an object with a finalizer (`Object.<init>`).
    RegisterFinalizer,
    /// (object) -> (): throws ArrayStoreException, ClassCastException, … at this bytecode: never returns.
    /// Which one is in the slow path that the builder makes after too many traps.
    ThrowNullPointer,
    /// (array, index).
    ThrowIndexOutOfBounds,
    ThrowDivisionByZero,
    /// (object, class: ptr).
    ThrowClassCast,
    /// (array, value).
    ThrowArrayStore,
    /// (f64, f64) -> f64; leaf. JVMS drem.
    DRem,
    /// (f32, f32) -> f32; leaf.
    FRem,
    /// (method: ptr, bci: i32) -> i32: the counter came round; non-zero asks to leave for on-stack
    /// replacement (`bci` -1 for invocations).
    CounterOverflow,
    /// (src, src_pos, dst, dst_pos, length) with all checks done and same element types; leaf.
    ArrayCopy,
    /// (byte[], byte[]) -> i32: whether two arrays that are not null have the same length and contents; leaf.
    BytesEqual,
    /// StrictMath-free `Math` intrinsics as the class library's fdlibm ports: leaf, f64 -> f64.
    Sin,
    Cos,
    Tan,
    Exp,
    Log,
    Log10,
    /// (f64, f64) -> f64.
    Pow,
}

/// See the module comment.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Op {
    // ---- constants and entry values
    /// `() -> i32 | i64 | ptr`; i32 sign-extended. For ptr: an address below 4 GiB or any other.
    Const(i64),
    /// `() -> f32 | f64`: the bits.
    FConst(u64),
    /// `() -> ref`.
    Null,
    /// `() -> ref`: the object in the root slot at this address (below 4 GiB); never null, never changed.
    Object(u32),
    /// `() -> ref`: the mirror of a class. Mirrors are pinned: an address that never changes.
    Mirror(ClassRef),
    /// `() -> any`: local variable `index` of the interpreter frame that an on-stack replacement enters with
    /// (entry block only).
    OsrLocal(u16),
    /// `() -> ref`: the pending exception, taken from the thread. First in an exception handler's block.
    TakeException,
    /// `() -> ref`: `Thread.currentThread()`.
    CurrentThread,

    // ---- arithmetic
    Binary(Binary),
    Unary(Unary),
    Convert(Convert),
    /// `(a, b) -> i32`: 1 if the condition holds, else 0; a and b are both i32, i64, ref or ptr.
    Compare(Cond),
    /// `(a, b) -> i32` for f32 or f64: 1 if the condition (signed forms only) holds; with a NaN 1 if `true`
    /// is given, else 0.
    FCompare(Cond, bool),
    /// `lcmp`: `(i64, i64) -> i32`.
    Compare3,
    /// `fcmpl`, `fcmpg`, `dcmpl`, `dcmpg`: `(a, b) -> i32`, with a NaN the given value.
    FCompare3(i8),
    /// `(i32 condition, a, b) -> a` if not zero, else b.
    Select,

    // ---- checks: the result is the first argument, checked. Failing, they deoptimize; the state is that
    // before the bytecode, which the interpreter executes again.
    /// `(ref) -> ref`.
    NullCheck,
    /// `(i32 index, i32 length) -> i32`, unsigned comparison.
    BoundsCheck,
    /// `(i32 | i64) -> same`.
    DivZeroCheck,
    /// `(ref) -> ref`: null, or an instance of a subclass of the class.
    CheckCast(ClassRef),
    /// `(ref) -> ref`: not null, and its class is exactly this one. Action and reason as for `Guard`.
    ExactClass(ClassRef, Reason, Action),
    /// `(ref array, ref value) -> ref` value: an element of its class may be stored (`aastore`).
    StoreCheck,
    /// `(i32) -> ()`: goes on if not zero.
    Guard(Reason, Action),

    // ---- types
    /// `(ref) -> i32`: 1 if not null and an instance of the class.
    InstanceOf(ClassRef),
    /// `(ref) -> ptr`: the class of an object that is not null.
    LoadClass,
    /// `(ptr class, ptr class) -> i32`: whether the first is a subclass of the second.
    IsSubclass,

    // ---- memory. Objects are not null, indices in bounds.
    /// `(ref) -> value` at a constant offset.
    Load(Mem, u32, Order),
    /// `(ref, value) -> ()`.
    Store(Mem, u32, Order),
    /// `(ref, i32) -> value`: array element.
    LoadElement(Mem),
    /// `(ref, i32, value) -> ()`: no store check.
    StoreElement(Mem),
    /// `(ref) -> i32`.
    ArrayLength,
    /// `(ref | null, i64 offset) -> value`: Unsafe's addressing; with a null base an absolute address.
    LoadUnsafe(Mem, Order),
    /// `(ref | null, i64 offset, value) -> ()`.
    StoreUnsafe(Mem, Order),
    /// `(ref | null, i64 offset, expected, new) -> ` witness value; volatile semantics.
    CompareExchange(Mem),
    /// `(ref | null, i64 offset, operand) ->` old value; volatile semantics.
    Rmw(Rmw, Mem),
    /// `(ptr) -> value`: VM data at an offset.
    LoadRaw(Mem, i32),
    /// `(ptr, value) -> ()`.
    StoreRaw(Mem, i32),
    /// `() -> ()`, or `(ref) -> ()`: for the sake of this object alone, which others will see (final fields).
    Fence(Fence),

    // ---- allocation: state before the bytecode; out of memory is raised there in the interpreter
    /// `() -> ref`: zeroed instance of an initialized class.
    NewInstance(ClassRef),
    /// `(i32 length) -> ref` of an array class. A negative length deoptimizes.
    NewArray(ClassRef),

    // ---- calls: state after popping the arguments; results are pushed, or the exception raised, there
    /// `(arguments…) -> result`.
    Call(Target),
    /// See [`Runtime`].
    CallRuntime(Runtime),

    // ---- control
    /// `() -> ()`: stops if the thread's poll word says so. State: where to go on from.
    Safepoint,
    /// `() -> ()`: nothing happens. Stands before a loop; state: its first iteration. Passes that test before a
    /// loop what would be tested in it use the state.
    LoopEntry,
    /// `() -> ()`: adds 1 to the 32-bit cell at an address below 4 GiB (profile counters).
    Count(u32),
    /// `(ref) -> ()`: records the class of a non-null receiver, or that null was seen, in the type rows at an
    /// address below 4 GiB (`profile::data::TypeRows`).
    ProfileType(u32),
    /// `() -> ()`: adds 1 to the cell; when (cell & mask) becomes 0 calls `Runtime::CounterOverflow` for the
    /// method at `bci`, and deoptimizes (reason age) if that asks for it. State: where to go on from.
    CountAndNotify { cell: u32, mask: u32, method: MethodRef, bci: i32 },
}

/// Memory fences.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Fence {
    /// Loads before it are not reordered with accesses after it.
    Load,
    /// Stores after it are not reordered with accesses before it.
    Store,
    /// Stores are not reordered with stores (publication of new objects, final fields).
    StoreStore,
    Full,
}

impl Op {
    /// Address of the class, method, root slot or profile cell that it names, if it names one; of a constant that may be
    /// such an address the constant.
    pub fn metadata(&self) -> Option<usize> {
        Some(match *self {
            Op::Const(bits) => usize::try_from(bits).ok()?,
            Op::Object(address) | Op::Count(address) | Op::ProfileType(address) => address as usize,
            Op::Mirror(c)
            | Op::CheckCast(c)
            | Op::ExactClass(c, ..)
            | Op::InstanceOf(c)
            | Op::NewInstance(c)
            | Op::NewArray(c) => c.word() as usize,
            Op::Call(target) => target.method() as *const _ as usize,
            Op::CountAndNotify { method, .. } => method as *const _ as usize,
            _ => return None,
        })
    }

    /// Has an effect besides its result, or may leave compiled code: must stay where it is, in order with the
    /// other such operations.
    pub fn has_effect(&self) -> bool {
        use Op::*;
        !matches!(
            self,
            Const(_) | FConst(_) | Null | Object(_) | Mirror(_) | OsrLocal(_) | CurrentThread | Binary(_) | Unary(_)
                | Convert(_) | Compare(_) | FCompare(..) | Compare3 | FCompare3(_) | Select | InstanceOf(_)
                | LoadClass | IsSubclass | ArrayLength
        ) && !self.is_check()
            && !self.is_load()
    }

    /// May be merged with an equal operation that dominates it: depends on its arguments alone (checks
    /// included: the dominating one has succeeded).
    pub fn is_pure(&self) -> bool {
        !self.has_effect() && !self.is_load() && !matches!(self, Op::OsrLocal(_))
    }

    /// Reads memory that may be written: ordered with stores, and otherwise without effect.
    pub fn is_load(&self) -> bool {
        matches!(
            self,
            Op::Load(_, _, Order::Plain) | Op::LoadElement(_) | Op::LoadUnsafe(_, Order::Plain) | Op::LoadRaw(..)
        )
    }

    /// Deoptimizes when its condition fails; without other effect. An unused check must stay all the same.
    pub fn is_check(&self) -> bool {
        use Op::*;
        matches!(
            self,
            NullCheck | BoundsCheck | DivZeroCheck | CheckCast(_) | ExactClass(..) | StoreCheck | Guard(..)
        )
    }

    /// Needs a frame state.
    pub fn needs_state(&self) -> bool {
        use Op::*;
        match self {
            CallRuntime(r) => !r.is_leaf(),
            NewInstance(_) | NewArray(_) | Call(_) | Safepoint | LoopEntry | CountAndNotify { .. } => true,
            op => op.is_check(),
        }
    }

    /// Java code, the collector or another thread may run during it: memory may have changed afterwards.
    pub fn is_call(&self) -> bool {
        matches!(self, Op::Call(_)) || matches!(self, Op::CallRuntime(r) if !r.is_leaf())
    }
}

impl Runtime {
    /// Never stops, allocates, throws or looks at the stack.
    pub fn is_leaf(self) -> bool {
        use Runtime::*;
        matches!(self, DRem | FRem | ArrayCopy | BytesEqual | Sin | Cos | Tan | Exp | Log | Log10 | Pow)
    }

    /// Never returns.
    pub fn is_throw(self) -> bool {
        use Runtime::*;
        matches!(
            self,
            ThrowNullPointer | ThrowIndexOutOfBounds | ThrowDivisionByZero | ThrowClassCast | ThrowArrayStore
        )
    }
}
