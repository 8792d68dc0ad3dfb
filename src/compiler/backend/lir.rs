//! The low-level IR: machine-like instructions over virtual registers, common to both processors.
//!
//! Lowering makes it from SSA, [`super::Machine::operands`] tells the register allocator what each instruction
//! wants, and after allocation the very same fields hold physical registers, from which the emitter writes
//! machine code. An instruction is one as far as the allocator is concerned: its emission may be a whole
//! sequence with inner jumps and an out-of-line part.
//!
//! Rules that every emitter may rely on and must keep:
//! - An `S32` result leaves the upper half of its register zero; an `S32` operand's upper half is garbage.
//! - References are wide (64 bits) in registers.
//! - Processor flags live within one instruction only.
//! - The scratch registers of `code::abi` are the emitter's own within an instruction, and the allocator's
//!   between instructions.
//! - Any [`Addr`] and any immediate must be emitted, if need be through the scratch register: lowering asks
//!   [`super::Machine`] for what is cheap, but does not have to.

use crate::code::abi::Location;
use crate::compiler::ir::{self, Action, Cond, Fence, Mem, Order, Reason, Rmw, Runtime, Type};
use crate::meta::class::ClassRef;
use crate::meta::method::MethodRef;
use regalloc2::{PReg, RegClass, VReg};

/// A virtual register; after allocation a physical one.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Reg(VReg);

impl Reg {
    pub fn new(number: usize, class: RegClass) -> Reg {
        Reg(VReg::new(number, class))
    }

    pub fn vreg(self) -> VReg {
        self.0
    }

    pub fn class(self) -> RegClass {
        self.0.class()
    }

    /// The physical register `p`, as instructions hold it after allocation.
    pub fn physical(p: PReg) -> Reg {
        Reg(VReg::new(p.hw_enc(), p.class()))
    }

    /// Hardware number (after allocation).
    pub fn hw(self) -> u8 {
        self.0.vreg() as u8
    }
}

impl std::fmt::Debug for Reg {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{}", if self.class() == RegClass::Int { "r" } else { "f" }, self.0.vreg())
    }
}

/// Width of an integer operation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Size {
    S32,
    S64,
}

/// Width of a floating-point operation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FSize {
    F32,
    F64,
}

/// A register or an immediate (i32 ones sign-extended).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RegImm {
    Reg(Reg),
    Imm(i64),
}

/// What an address starts from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Base {
    Reg(Reg),
    /// The `JavaThread`.
    Thread,
    /// An address below 4 GiB.
    Absolute(u32),
}

/// The scaled part of an address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Index {
    pub reg: Reg,
    /// Shifted left by this, 0 to 3.
    pub shift: u8,
    /// The low 32 bits count, zero-extended. Not set where the processor has no such mode.
    pub zero_extend: bool,
}

/// base + index + displacement.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Addr {
    pub base: Base,
    pub index: Option<Index>,
    pub disp: i32,
}

impl Addr {
    pub fn reg(base: Reg, disp: i32) -> Addr {
        Addr { base: Base::Reg(base), index: None, disp }
    }

    pub fn thread(offset: usize) -> Addr {
        Addr { base: Base::Thread, index: None, disp: offset as i32 }
    }

    pub fn absolute(address: u32) -> Addr {
        Addr { base: Base::Absolute(address), index: None, disp: 0 }
    }
}

/// Two-operand integer arithmetic.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Alu {
    Add,
    Sub,
    And,
    Or,
    Xor,
    Mul,
    /// Shift counts are masked to the operand's width (immediates already are).
    Shl,
    Shr,
    Ushr,
    Min,
    Max,
}

/// One-operand integer arithmetic, in the size given.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AluUnary {
    Neg,
    Abs,
    /// The result of the counts is an S32 for both sizes.
    BitCount,
    LeadingZeros,
    TrailingZeros,
    ReverseBytes,
    /// S32 only.
    SignExtend8,
    SignExtend16,
    ZeroExtend16,
    /// S64 of the low half.
    SignExtend32,
    /// S64 of the low half; also what cleans the upper half of an S32.
    ZeroExtend32,
    /// S32 of a wide reference: >> 3.
    Narrow,
    /// S64 of a narrow reference: << 3 (upper half zero).
    Widen,
}

/// What happens to a second operand on its way in (ARM64).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Modifier {
    Shl(u8),
    Shr(u8),
    Ushr(u8),
    /// All bits inverted; with and, or, xor.
    Not,
    /// The low half, extended; with additions and subtractions of S64.
    SignExtend32,
    ZeroExtend32,
}

/// Two-operand floating-point arithmetic; minimum and maximum as `Math` has them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FAlu {
    Add,
    Sub,
    Mul,
    Div,
    Min,
    Max,
}

/// One-operand floating-point arithmetic.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FUnary {
    Neg,
    Abs,
    Sqrt,
    Ceil,
    Floor,
    Rint,
}

/// A condition: what branches, selects and checks ask.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Test {
    /// `a cond b`.
    Int { size: Size, cond: Cond, a: Reg, b: RegImm },
    /// `a & b` is zero (`Eq`) or is not (`Ne`).
    Bits { size: Size, cond: Cond, a: Reg, b: RegImm },
    /// The 32 bits in memory `cond` the immediate.
    Mem32 { cond: Cond, addr: Addr, imm: i32 },
    /// `a cond` the 32 bits in memory.
    RegMem32 { cond: Cond, a: Reg, addr: Addr },
    /// `a cond b`, with a NaN `nan`. Conditions Eq, Ne, Lt, Ge, Gt, Le.
    Float { size: FSize, cond: Cond, nan: bool, a: Reg, b: Reg },
    /// The object (with `null` given: may be null, and then that is the answer) is an instance of the class,
    /// whose `super_check_offset` is `offset`. If that is that of the secondary cache, `result` is used:
    /// fixed to the result register, as `Stub::SearchSecondary` has it. `want` false asks for the opposite.
    Instance { object: Reg, null: Option<bool>, class: u32, offset: u32, result: Reg, want: bool },
    /// Class `sub` is `sup` or a subclass of it. `result` as above, always used.
    Subclass { sub: Reg, sup: Reg, result: Reg, want: bool },
    /// `value` is null or may be stored in the array of references. `result` as above, always used; `tmp`
    /// a temporary.
    ArrayStore { array: Reg, value: Reg, result: Reg, tmp: Reg, want: bool },
}

/// Where a call goes. The method register is loaded by the emitter.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Callee {
    /// Through the method's `compiled_entry`; its address.
    Direct(MethodRef),
    /// Through entry `index` of the vtable of the first argument's class.
    Virtual { index: u32 },
    /// Through an inline cache: the method as resolved, its vtable index if the call is a virtual one.
    Cached(MethodRef, Option<u32>),
    /// `Stub::MethodHandle` with this method.
    MethodHandle(MethodRef),
    /// `Stub::Runtime`.
    Runtime(Runtime),
}

/// A call; see `code::abi`. Clobbers every register.
#[derive(Clone, PartialEq, Debug)]
pub struct Call {
    pub callee: Callee,
    /// Arguments in registers, with the register. (Those on the stack have been stored by `StoreOutgoing`.)
    pub args: Vec<(Reg, Location)>,
    /// In the result register of its class.
    pub result: Option<Reg>,
}

/// A successor by its position in [`Block::succs`].
pub type Succ = u32;

/// One instruction. `dst` is written, `tmp` are temporaries that conflict with all other operands, everything
/// else is read.
#[derive(Clone, PartialEq, Debug)]
pub enum Inst {
    // ---- entry
    /// First in the entry block: parameters that come in registers.
    Args { regs: Vec<(Reg, Location)> },
    /// A parameter from slot `slot` of the caller's outgoing area.
    LoadIncoming { dst: Reg, ty: Type, slot: u32 },

    // ---- moves and constants
    Move { dst: Reg, src: Reg },
    /// For S32 the low 32 bits.
    Imm { dst: Reg, size: Size, value: i64 },
    FImm { dst: Reg, size: FSize, bits: u64 },

    // ---- integers
    Alu { op: Alu, size: Size, dst: Reg, a: Reg, b: RegImm },
    Unary { op: AluUnary, size: Size, dst: Reg, a: Reg },
    /// The divisor is not 0; MIN / -1 is MIN, MIN % -1 is 0. `tmp` for what the processor overwrites.
    Div { size: Size, rem: bool, dst: Reg, a: Reg, b: Reg, tmp: Reg },
    /// High half of the 128-bit product.
    MulHigh { signed: bool, dst: Reg, a: Reg, b: Reg, tmp: Reg },
    /// The address.
    Lea { dst: Reg, addr: Addr },
    /// 1, 0, -1 (S32) as a is greater, equal, less (S64).
    Compare3 { dst: Reg, a: Reg, b: Reg },
    /// The same for floating point; with a NaN `nan` (1 or -1).
    FCompare3 { size: FSize, nan: i8, dst: Reg, a: Reg, b: Reg },
    /// 1 if the test holds, else 0.
    Set { test: Test, dst: Reg },
    /// `a` if the test holds, else `b`. `size` for integers; floating point is moved whole.
    Select { test: Test, size: Size, dst: Reg, a: Reg, b: Reg },

    // ---- what `arm64::combine` makes of two instructions; only ARM64 has them
    /// `a op modified b`, for add, sub, and, or, xor.
    AluModified { op: Alu, size: Size, dst: Reg, a: Reg, b: Reg, modifier: Modifier },
    /// `addend + a * b`, or `addend - a * b`.
    MulAdd { subtract: bool, size: Size, dst: Reg, a: Reg, b: Reg, addend: Reg },
    /// ubfm, or sbfm if `signed`: bits `rotate` to `top` of `a` come down to bit 0 or, where `top` is less than
    /// `rotate`, bits 0 to `top` go up to bit width - `rotate`; the rest is zeros, or the field's sign.
    BitField { signed: bool, size: Size, dst: Reg, a: Reg, rotate: u8, top: u8 },

    // ---- floating point
    FAlu { op: FAlu, size: FSize, dst: Reg, a: Reg, b: Reg },
    FUnary { op: FUnary, size: FSize, dst: Reg, a: Reg },
    IntToFloat { from: Size, to: FSize, dst: Reg, a: Reg },
    /// Saturates, NaN gives 0.
    FloatToInt { from: FSize, to: Size, dst: Reg, a: Reg },
    /// To the other size.
    FloatToFloat { from: FSize, dst: Reg, a: Reg },
    /// Raw bits, between the register classes.
    FloatToBits { size: FSize, dst: Reg, a: Reg },
    BitsToFloat { size: FSize, dst: Reg, a: Reg },

    // ---- memory
    /// Widens as [`Mem`] says; `Mem::Ref` to a wide reference.
    Load { mem: Mem, order: Order, dst: Reg, addr: Addr },
    /// `Mem::Ref` narrows; the barrier is an instruction of its own. (The value's low bits for small types.)
    Store { mem: Mem, order: Order, src: RegImm, addr: Addr },
    /// Store of a floating-point register.
    FStore { size: FSize, order: Order, src: Reg, addr: Addr },
    /// Outgoing stack argument.
    StoreOutgoing { ty: Type, src: Reg, slot: u32 },
    /// The write barrier for `object`, after the store.
    Barrier { object: Reg, tmp: [Reg; 2] },
    /// Compares memory with `expected` and, if equal, stores `new`; `dst` is what was there (as a `Load` of
    /// `mem` would give it). For references all three are narrow and `mem` is I32. No floating point. Full
    /// fence.
    CompareExchange { mem: Mem, dst: Reg, addr: Addr, expected: Reg, new: Reg, tmp: Reg },
    /// The old value in `dst`, otherwise as above.
    AtomicRmw { op: Rmw, mem: Mem, dst: Reg, addr: Addr, src: Reg, tmp: Reg },
    Fence(Fence),
    /// The pending exception, taken from the thread.
    TakeException { dst: Reg },

    // ---- allocation; `dst` is fixed to the result register. Debug point of kind `Allocation` at the return
    // address in the slow path.
    /// `bytes` is 0 if only the stub can do it.
    NewInstance { class: ClassRef, bytes: u32, dst: Reg, tmp: [Reg; 2] },
    /// `length` is fixed to the first integer argument register; the stub raises for a negative one.
    NewArray { class: ClassRef, length: Reg, dst: Reg, tmp: [Reg; 2] },

    // ---- calls and exits
    Call(Call),
    /// Leaves for the interpreter unless the test holds. Debug point of kind `Deopt`.
    Check { test: Test, reason: Reason, action: Action },
    /// Calls `Stub::Safepoint` if the poll word is not 0. Debug point of kind `Poll`.
    Safepoint,

    // ---- profiling
    /// Adds 1 to the 32-bit cell.
    Count { cell: u32 },
    /// See [`ir::Op::ProfileType`].
    ProfileType { object: Reg, rows: u32, tmp: [Reg; 2] },
    /// Adds 1 to the cell and calls `Stub::CounterOverflow` if (cell & mask) is 0. Debug point of kind `Poll`.
    CountAndNotify { cell: u32, mask: u32, method: MethodRef, bci: i32, tmp: Reg },

    // ---- ends of blocks
    Jump,
    /// To successor 0 if the test holds, else to 1.
    Branch { test: Test },
    /// To successor `targets[key - low]` if that is in range, else to `default`.
    TableSwitch { key: Reg, low: i32, targets: Vec<Succ>, default: Succ, tmp: Reg },
    /// To the successor of the equal key (they ascend), else to `default`.
    SearchSwitch { key: Reg, cases: Vec<(i32, Succ)>, default: Succ },
    /// To successor 0, or with an exception to 1: the block's address goes into the handler table.
    TryCall(Call),
    /// The value is in the result register of its class.
    Return { value: Option<Reg> },
    /// Pops the frame and jumps to `Stub::Throw` with the exception in the result register.
    Throw { exception: Reg },
    /// Debug point of kind `Deopt`.
    Deopt { reason: Reason, action: Action },
    /// Traps.
    Unreachable,
}

impl Inst {
    /// Ends a block.
    pub fn is_terminator(&self) -> bool {
        use Inst::*;
        matches!(
            self,
            Jump | Branch { .. } | TableSwitch { .. } | SearchSwitch { .. } | TryCall(_) | Return { .. } | Throw { .. }
                | Deopt { .. } | Unreachable
        )
    }

    /// Ends a block that has no successor.
    pub fn is_exit(&self) -> bool {
        use Inst::*;
        matches!(self, Return { .. } | Throw { .. } | Deopt { .. } | Unreachable)
    }
}

/// A slot of a frame to rebuild.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Slot {
    /// Known already (constants, dead slots, virtual objects).
    Known(crate::code::assembled::Where),
    /// The register at this position of [`State::uses`].
    Use(Type, u32),
}

/// A frame to rebuild; see `code::assembled::FrameInfo`.
#[derive(Clone, Debug)]
pub struct Frame {
    pub method: MethodRef,
    pub bci: u16,
    pub resume: ir::Resume,
    pub locals: Vec<Slot>,
    pub stack: Vec<Slot>,
    pub monitors: Vec<(Slot, bool)>,
}

/// A scalar-replaced object; see `code::assembled::VirtualInfo`.
#[derive(Clone, Debug)]
pub struct Virtual {
    pub class: ClassRef,
    pub length: u32,
    pub fields: Vec<(u32, Mem, Slot)>,
    pub locks: u32,
    pub boxed: bool,
}

/// A frame state with the registers it needs.
#[derive(Clone, Debug)]
pub struct State {
    /// Read where the instruction ends, wherever they are.
    pub uses: Vec<Reg>,
    /// Innermost first.
    pub frames: Vec<Frame>,
    pub virtuals: Vec<Virtual>,
}

/// An instruction with what belongs to it.
#[derive(Clone, Debug)]
pub struct InstData {
    pub inst: Inst,
    /// Index in [`Function::states`], for those that have a debug point.
    pub state: Option<u32>,
    /// The base of its address may be null: the access faults then, and leaves by the state.
    pub null: Option<(Reason, Action)>,
    /// What it was made from, for listings.
    pub origin: Option<ir::Inst>,
}

/// A block: instructions `first .. end` of [`Function::insts`].
#[derive(Clone, Debug, Default)]
pub struct Block {
    pub first: u32,
    pub end: u32,
    pub params: Vec<Reg>,
    /// Successors with the arguments for their parameters.
    pub succs: Vec<(u32, Vec<Reg>)>,
    pub preds: Vec<u32>,
    /// The block of the SSA form; `None` for one on a split edge.
    pub origin: Option<ir::Block>,
    /// The header of a loop.
    pub heads_loop: bool,
}

/// A function in low-level form, without critical edges.
#[derive(Clone, Debug, Default)]
pub struct Function {
    pub name: String,
    pub insts: Vec<InstData>,
    /// As they are laid out, each after its dominators; the entry is 0 and has no parameters.
    pub blocks: Vec<Block>,
    pub states: Vec<State>,
    pub vregs: usize,
    /// Stack slots (8 bytes) that the calls need at most.
    pub outgoing: u32,
}
