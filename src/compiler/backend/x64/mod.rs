//! The x86-64 back end.

mod alloc;
mod arith;
mod call;
mod control;
mod encode;
mod float;
mod memory;
mod operands;
mod profile;
mod test;

use super::emit::{At, Emitter, Frame, Place, Sink, CODE_ALIGNMENT};
use super::lir::{Alu, Inst, Size};
use super::{Features, Machine, Operands};
use crate::code::assembled::{PointKind, Stub};
use crate::code::inline_cache;
use crate::compiler::ir::Mem;
use crate::threads::thread::offsets;
use dynasmrt::x64::X64Relocation;
use dynasmrt::{dynasm, DynamicLabel, DynasmApi, DynasmLabelApi};
use encode::Ea;
use regalloc2::{MachineEnv, PReg, PRegSet, RegClass};

/// The processor.
pub struct X64;

const RAX: u8 = 0;
const RCX: u8 = 1;
const RDX: u8 = 2;
const RSI: u8 = 6;
const RSP: u8 = 4;
/// Scratch, never allocated.
const R11: u8 = 11;
/// The `JavaThread`.
const R15: u8 = 15;
const XMM15: u8 = 15;

const fn int(hw: u8) -> PReg {
    PReg::new(hw as usize, RegClass::Int)
}

const fn xmm(hw: u8) -> PReg {
    PReg::new(hw as usize, RegClass::Float)
}

const fn all_ints() -> PRegSet {
    let mut s = PRegSet::empty();
    let mut r = 0;
    while r < 16 {
        // rsp, rbp, r11, r15
        if r != 4 && r != 5 && r != 11 && r != 15 {
            s = s.with(int(r));
        }
        r += 1;
    }
    s
}

const fn all_xmms() -> PRegSet {
    let mut s = PRegSet::empty();
    let mut r = 0;
    while r < 15 {
        s = s.with(xmm(r));
        r += 1;
    }
    s
}

static ENV: MachineEnv = MachineEnv {
    preferred_regs_by_class: [all_ints(), all_xmms(), PRegSet::empty()],
    non_preferred_regs_by_class: [PRegSet::empty(); 3],
    scratch_by_class: [Some(int(R11)), Some(xmm(XMM15)), None],
    fixed_stack_slots: vec![],
};

fn is_i32(x: i64) -> bool {
    i32::try_from(x).is_ok()
}

impl Machine for X64 {
    const INT_ARGS: &'static [u8] = &crate::code::abi::X64_INT_ARGS;
    const DIVIDES_QUICKLY: bool = false;
    const INDEX_ZERO_EXTENDS: bool = false;
    const COMPARES_MEMORY: bool = true;

    fn env() -> &'static MachineEnv {
        &ENV
    }

    fn alu_imm(op: Alu, _: Size, imm: i64) -> bool {
        !matches!(op, Alu::Min | Alu::Max) && is_i32(imm)
    }

    fn compare_imm(_: Size, imm: i64) -> bool {
        is_i32(imm)
    }

    fn bits_imm(_: Size, imm: i64) -> bool {
        is_i32(imm)
    }

    fn store_imm(mem: Mem, imm: i64) -> bool {
        match mem {
            Mem::I64 | Mem::Ptr64 => is_i32(imm),
            Mem::Ref => imm == 0,
            _ => true,
        }
    }

    fn operands(inst: &mut Inst, v: &mut impl Operands) {
        operands::operands(inst, v)
    }
}

/// Something emitted behind the code, jumped to from `start`, that goes back to `back`.
struct Slow {
    start: DynamicLabel,
    back: DynamicLabel,
    what: SlowPath,
}

enum SlowPath {
    /// A stub that keeps all registers, with a debug point.
    Stub { stub: Stub, point: u32, kind: PointKind, before: Before },
    /// Stub without debug point.
    Leaf { stub: Stub, before: Before },
    FloatToInt { from: super::lir::FSize, to: Size, dst: u8, a: u8 },
    /// Inline cache in r11: what to call to r10.
    CacheMiss,
    ProfileNull { cell: u32 },
    ProfileOther { class: u8 },
}

/// What goes before the call of a slow path.
enum Before {
    Nothing,
    /// 32-bit immediate to rax.
    Rax(u32),
    /// 64-bit immediate to r11.
    Scratch(u64),
    /// Register to r11.
    Move(u8),
}

/// Writes x86-64 code.
pub struct X64Emitter {
    s: Sink<X64Relocation>,
    features: Features,
    slow: Vec<Slow>,
    /// Jump tables to come: label of the table, its targets.
    tables: Vec<(DynamicLabel, Vec<DynamicLabel>)>,
    /// 8-byte constants behind the code.
    constants: Vec<(u64, DynamicLabel)>,
}

impl Emitter for X64Emitter {
    type Relocation = X64Relocation;

    fn new(frame: Frame, features: Features, _near: bool) -> Self {
        X64Emitter { s: Sink::new(frame), features, slow: vec![], tables: vec![], constants: vec![] }
    }

    fn sink(&mut self) -> &mut Sink<X64Relocation> {
        &mut self.s
    }

    fn into_sink(self) -> Sink<X64Relocation> {
        self.s
    }

    fn align(&mut self) {
        // Forms of nop that processors take in one go, shortest first.
        const NOPS: [&[u8]; 8] = [
            &[0x90],
            &[0x66, 0x90],
            &[0x0f, 0x1f, 0x00],
            &[0x0f, 0x1f, 0x40, 0],
            &[0x0f, 0x1f, 0x44, 0, 0],
            &[0x66, 0x0f, 0x1f, 0x44, 0, 0],
            &[0x0f, 0x1f, 0x80, 0, 0, 0, 0],
            &[0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0],
        ];
        let mut missing = self.s.offset().wrapping_neg() as usize % CODE_ALIGNMENT;
        while missing > 0 {
            let nop = NOPS[missing.min(NOPS.len()) - 1];
            nop.iter().for_each(|&b| self.s.ops.push(b));
            missing -= nop.len();
        }
    }

    fn prologue(&mut self) {
        // caller_sp - 8 here, for the return address has been pushed.
        let size = self.s.frame.size as i32;
        self.rm(None, true, &[0x8d], R11, Ea::base(RSP, 8 - size));
        self.rm(None, true, &[0x3b], R11, Ea::base(R15, offsets::NATIVE_STACK_LIMIT as i32));
        dynasm!(self.s.ops ; .arch x64 ; .bytes [0x0f, 0x82, 0, 0, 0, 0]); // jb rel32
        self.s.relocate(4, Stub::StackOverflow);
        dynasm!(self.s.ops ; .arch x64 ; push rbp ; mov rbp, rsp);
        if size > 16 {
            self.reg_imm(true, 5, RSP, size - 16);
        }
    }

    fn mov(&mut self, from: Place, to: Place) {
        let slot = |at: u32| Ea::base(RSP, at as i32);
        match (from, to) {
            (Place::Reg(a), Place::Reg(b)) => match a.class() {
                RegClass::Int => dynasm!(self.s.ops ; .arch x64 ; mov Rq(b.hw_enc() as u8), Rq(a.hw_enc() as u8)),
                _ => dynasm!(self.s.ops ; .arch x64 ; movaps Rx(b.hw_enc() as u8), Rx(a.hw_enc() as u8)),
            },
            (Place::Reg(a), Place::Frame(at)) => match a.class() {
                RegClass::Int => self.rm(None, true, &[0x89], a.hw_enc() as u8, slot(at)),
                _ => self.rm(Some(0xf2), false, &[0x0f, 0x11], a.hw_enc() as u8, slot(at)),
            },
            (Place::Frame(at), Place::Reg(b)) => match b.class() {
                RegClass::Int => self.rm(None, true, &[0x8b], b.hw_enc() as u8, slot(at)),
                _ => self.rm(Some(0xf2), false, &[0x0f, 0x10], b.hw_enc() as u8, slot(at)),
            },
            (Place::Frame(_), Place::Frame(_)) => unreachable!("the allocator has a scratch register"),
        }
    }

    fn inst(&mut self, inst: &Inst, at: &At) {
        self.dispatch(inst, at)
    }

    fn finish(&mut self) {
        // A slow path may have one itself.
        while !self.slow.is_empty() {
            for slow in std::mem::take(&mut self.slow) {
                self.slow_path(slow)
            }
        }
        self.s.emit_exits(|s| {
            dynasm!(s.ops ; .arch x64 ; .bytes [0xe8, 0, 0, 0, 0]);
            s.relocate(4, Stub::Deopt);
        });
        for (label, targets) in std::mem::take(&mut self.tables) {
            dynasm!(self.s.ops ; .arch x64 ; .align 4);
            self.s.bind(label);
            self.s.table(&targets);
        }
        if !self.constants.is_empty() {
            dynasm!(self.s.ops ; .arch x64 ; .align 8);
        }
        for (bits, label) in std::mem::take(&mut self.constants) {
            self.s.bind(label);
            self.s.ops.push_u64(bits)
        }
    }
}

impl X64Emitter {
    fn dispatch(&mut self, inst: &Inst, at: &At) {
        use Inst::*;
        match inst {
            Args { .. } => {}
            Alu { op, size, dst, a, b } => self.alu(*op, *size, dst.hw(), a.hw(), *b),
            Unary { op, size, dst, a } => self.unary(*op, *size, dst.hw(), a.hw()),
            Move { .. } | Imm { .. } | Div { .. } | MulHigh { .. } | Lea { .. } | Compare3 { .. } => self.arith(inst),
            FImm { .. } | FAlu { .. } | FUnary { .. } | IntToFloat { .. } | FloatToInt { .. } | FloatToFloat { .. }
            | FloatToBits { .. } | BitsToFloat { .. } | FCompare3 { .. } => self.float(inst),
            AluModified { .. } | MulAdd { .. } | BitField { .. } => unreachable!("{inst:?} is for ARM64"),
            Set { test, dst } => self.set(test, dst.hw()),
            Select { test, size, dst, a, .. } => self.select(test, *size, *dst, *a),
            LoadIncoming { .. } | Load { .. } | Store { .. } | FStore { .. } | StoreOutgoing { .. } | Barrier { .. }
            | CompareExchange { .. } | AtomicRmw { .. } | Fence(_) | TakeException { .. } => self.memory(inst),
            NewInstance { .. } | NewArray { .. } => self.allocate(inst, at),
            Call(c) => self.call(c, at),
            Count { .. } | ProfileType { .. } | CountAndNotify { .. } => self.profile(inst, at),
            Check { test, reason, action } => {
                let exit = self.s.exit(at.point(), *reason, *action);
                self.jump_if(test, false, exit)
            }
            Safepoint | Jump | Branch { .. } | TableSwitch { .. } | SearchSwitch { .. } | TryCall(_) | Return { .. }
            | Throw { .. } | Deopt { .. } | Unreachable => self.control(inst, at),
        }
    }

    /// Code out of line to be reached from the label returned first; it comes back to the second, which is to be
    /// bound.
    fn slow(&mut self, what: SlowPath) -> (DynamicLabel, DynamicLabel) {
        let (start, back) = (self.s.label(), self.s.label());
        self.slow.push(Slow { start, back, what });
        (start, back)
    }

    fn slow_path(&mut self, slow: Slow) {
        self.s.bind(slow.start);
        match slow.what {
            SlowPath::Stub { stub, point, kind, before } => {
                self.before(before);
                self.call_stub(stub);
                self.s.place(point, kind);
            }
            SlowPath::Leaf { stub, before } => {
                self.before(before);
                self.call_stub(stub);
            }
            SlowPath::FloatToInt { from, to, dst, a } => self.float_to_int_slow(from, to, dst, a, slow.back),
            SlowPath::ProfileNull { cell } => {
                let ea = self.absolute(cell);
                self.rm(None, false, &[0x83], 0, ea);
                self.s.ops.push(1);
            }
            SlowPath::CacheMiss => {
                self.rm(None, true, &[0x8b], 10, Ea::base(11, inline_cache::offsets::MISS as i32));
            }
            SlowPath::ProfileOther { class } => self.profile_other(class, slow.back),
        }
        let back = slow.back;
        dynasm!(self.s.ops ; .arch x64 ; jmp =>back);
    }

    fn before(&mut self, b: Before) {
        match b {
            Before::Nothing => {}
            Before::Rax(x) => dynasm!(self.s.ops ; .arch x64 ; mov eax, DWORD x as i32),
            Before::Scratch(x) => dynasm!(self.s.ops ; .arch x64 ; mov r11, QWORD x as i64),
            Before::Move(r) => dynasm!(self.s.ops ; .arch x64 ; mov r11, Rq(r)),
        }
    }

    /// Label of these 8 bytes behind the code.
    fn constant(&mut self, bits: u64) -> DynamicLabel {
        if let Some(c) = self.constants.iter().find(|c| c.0 == bits) {
            return c.1;
        }
        let label = self.s.label();
        self.constants.push((bits, label));
        label
    }

    /// `call` of a stub.
    fn call_stub(&mut self, stub: Stub) {
        dynasm!(self.s.ops ; .arch x64 ; .bytes [0xe8, 0, 0, 0, 0]);
        self.s.relocate(4, stub);
    }
}
