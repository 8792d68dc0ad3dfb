//! ARM64 (A64, AArch64): register constraints here, machine code in the other files, one per instruction
//! family.
//!
//! x16 and x17 are scratch: x16 for values (and for what stubs take there), x17 for addresses. v31 likewise for
//! floating point.

mod address;
mod calls;
mod combine;
mod conditions;
mod emit;
mod float;
mod heap;
mod integer;
mod memory;

pub use emit::Arm64Emitter;

use super::lir::{Alu, Call, Inst, RegImm, Size};
use super::machine::{Machine, Operands};
use crate::code::abi::Location;
use crate::compiler::ir::Mem;
use dynasmrt::aarch64::{encode_logical_immediate_32bit, encode_logical_immediate_64bit};
use regalloc2::{MachineEnv, PReg, PRegSet, RegClass};
use std::sync::OnceLock;

/// Result register of integers and references.
const X0: PReg = PReg::new(0, RegClass::Int);
/// First integer argument register.
const X1: PReg = PReg::new(1, RegClass::Int);
/// Result register of floating point.
const V0: PReg = PReg::new(0, RegClass::Float);

/// Hardware numbers of the registers with a role, see `code::abi`.
const METHOD: u8 = 12;
const VALUE_SCRATCH: u8 = 16;
const ADDRESS_SCRATCH: u8 = 17;
const THREAD: u8 = 28;
const FLOAT_SCRATCH: u8 = 31;

/// The processor.
pub struct Arm64;

/// x0 to x15 and x19 to x27.
fn integer_registers() -> impl Iterator<Item = PReg> {
    (0..16).chain(19..28).map(|n| PReg::new(n, RegClass::Int))
}

/// v0 to v30.
fn float_registers() -> impl Iterator<Item = PReg> {
    (0..31).map(|n| PReg::new(n, RegClass::Float))
}

fn set(registers: impl Iterator<Item = PReg>) -> PRegSet {
    registers.fold(PRegSet::empty(), |s, r| s.with(r))
}

/// Whether `imm` fits add and sub (12 bits, or 12 bits shifted by 12), negated if need be.
pub(super) fn is_add_imm(imm: i64) -> bool {
    let n = imm.unsigned_abs();
    n < 1 << 12 || n & 0xfff == 0 && n < 1 << 24
}

/// Whether `imm` is a bit-mask immediate.
pub(super) fn is_logical_imm(size: Size, imm: i64) -> bool {
    match size {
        Size::S32 => encode_logical_immediate_32bit(imm as u32).is_some(),
        Size::S64 => encode_logical_immediate_64bit(imm as u64).is_some(),
    }
}

impl Machine for Arm64 {
    const INT_ARGS: &'static [u8] = &[1, 2, 3, 4, 5, 6, 7, 0];
    // 5 to 12 cycles (Neoverse N1) in one instruction, against about 9 in eight.
    const DIVIDES_QUICKLY: bool = true;
    const INDEX_ZERO_EXTENDS: bool = true;
    const COMPARES_MEMORY: bool = false;

    fn env() -> &'static MachineEnv {
        static ENV: OnceLock<MachineEnv> = OnceLock::new();
        ENV.get_or_init(|| MachineEnv {
            preferred_regs_by_class: [set(integer_registers()), set(float_registers()), PRegSet::empty()],
            non_preferred_regs_by_class: [PRegSet::empty(); 3],
            scratch_by_class: [
                Some(PReg::new(VALUE_SCRATCH as usize, RegClass::Int)),
                Some(PReg::new(FLOAT_SCRATCH as usize, RegClass::Float)),
                None,
            ],
            fixed_stack_slots: vec![],
        })
    }

    fn alu_imm(op: Alu, size: Size, imm: i64) -> bool {
        match op {
            Alu::Add | Alu::Sub => is_add_imm(imm),
            Alu::Xor if imm == -1 => true,
            Alu::And | Alu::Or | Alu::Xor => is_logical_imm(size, imm),
            Alu::Shl | Alu::Shr | Alu::Ushr => true,
            Alu::Mul | Alu::Min | Alu::Max => false,
        }
    }

    fn compare_imm(_: Size, imm: i64) -> bool {
        is_add_imm(imm)
    }

    fn bits_imm(size: Size, imm: i64) -> bool {
        is_logical_imm(size, imm)
    }

    fn store_imm(_: Mem, imm: i64) -> bool {
        imm == 0
    }

    fn combine(f: &mut super::lir::Function) {
        combine::combine(f)
    }

    fn operands(inst: &mut Inst, v: &mut impl Operands) {
        operands(inst, v)
    }
}

fn call(c: &mut Call, v: &mut impl Operands) {
    for (r, at) in &mut c.args {
        match *at {
            Location::Int(n) => v.fixed(r, PReg::new(n as usize, RegClass::Int)),
            Location::Float(n) => v.fixed(r, PReg::new(n as usize, RegClass::Float)),
            Location::Stack(_) => unreachable!("stack arguments have been stored"),
        }
    }
    let mut clobbers = set(integer_registers().chain(float_registers()));
    if let Some(r) = &mut c.result {
        let p = if r.class() == RegClass::Int { X0 } else { V0 };
        v.fixed_def(r, p);
        clobbers.remove(p);
    }
    v.clobber(clobbers);
}

fn operands(inst: &mut Inst, v: &mut impl Operands) {
    use Inst::*;
    match inst {
        Args { regs } => {
            for (r, at) in regs {
                match *at {
                    Location::Int(n) => v.fixed_def(r, PReg::new(n as usize, RegClass::Int)),
                    Location::Float(n) => v.fixed_def(r, PReg::new(n as usize, RegClass::Float)),
                    Location::Stack(_) => unreachable!("stack parameters are loaded"),
                }
            }
        }
        LoadIncoming { dst, .. } | Imm { dst, .. } | FImm { dst, .. } | TakeException { dst } => v.def(dst),
        Move { dst, src } => {
            v.reg(src);
            v.def(dst)
        }
        Alu { dst, a, b, .. } => {
            v.reg(a);
            v.reg_imm(b);
            v.def(dst)
        }
        AluModified { dst, a, b, .. } => {
            v.reg(a);
            v.reg(b);
            v.def(dst)
        }
        MulAdd { dst, a, b, addend, .. } => {
            v.reg(a);
            v.reg(b);
            v.reg(addend);
            v.def(dst)
        }
        BitField { dst, a, .. }
        | Unary { dst, a, .. }
        | FUnary { dst, a, .. }
        | IntToFloat { dst, a, .. }
        | FloatToInt { dst, a, .. }
        | FloatToFloat { dst, a, .. }
        | FloatToBits { dst, a, .. }
        | BitsToFloat { dst, a, .. } => {
            v.reg(a);
            v.def(dst)
        }
        // A remainder is computed from both operands and the quotient.
        Div { rem, dst, a, b, tmp, .. } => {
            if *rem {
                v.late(a);
                v.late(b);
                v.temp(tmp);
            } else {
                v.reg(a);
                v.reg(b);
            }
            v.def(dst)
        }
        MulHigh { dst, a, b, .. } | FAlu { dst, a, b, .. } => {
            v.reg(a);
            v.reg(b);
            v.def(dst)
        }
        Compare3 { dst, a, b } | FCompare3 { dst, a, b, .. } => {
            v.reg(a);
            v.reg(b);
            v.def(dst)
        }
        Lea { dst, addr } => {
            v.addr(addr, false);
            v.def(dst)
        }
        // Where flags say it all, everything has been read when the result is written.
        Set { test, dst } => {
            v.test(test, !conditions::by_flags(test), X0);
            v.def(dst)
        }
        Select { test, dst, a, b, .. } => {
            let by_flags = conditions::by_flags(test);
            v.test(test, !by_flags, X0);
            if by_flags {
                v.reg(a);
                v.reg(b);
            } else {
                v.late(a);
                v.late(b);
            }
            v.def(dst)
        }
        Load { dst, addr, .. } => {
            v.addr(addr, false);
            v.def(dst)
        }
        Store { src, addr, .. } => {
            v.reg_imm(src);
            v.addr(addr, false)
        }
        FStore { src, addr, .. } => {
            v.reg(src);
            v.addr(addr, false)
        }
        StoreOutgoing { src, .. } => v.reg(src),
        Barrier { object, tmp } => {
            v.late(object);
            tmp.iter_mut().for_each(|t| v.temp(t))
        }
        // The loop reads everything again after the result has been written.
        CompareExchange { dst, addr, expected, new, tmp, .. } => {
            v.addr(addr, true);
            v.late(expected);
            v.late(new);
            v.temp(tmp);
            v.def(dst)
        }
        AtomicRmw { dst, addr, src, tmp, .. } => {
            v.addr(addr, true);
            v.late(src);
            v.temp(tmp);
            v.def(dst)
        }
        NewInstance { dst, tmp, .. } => {
            v.fixed_def(dst, X0);
            tmp.iter_mut().for_each(|t| v.temp(t))
        }
        NewArray { length, dst, tmp, .. } => {
            v.fixed(length, X1);
            v.fixed_def(dst, X0);
            tmp.iter_mut().for_each(|t| v.temp(t));
            // The slow path wants the length where it was.
        }
        Call(c) | TryCall(c) => call(c, v),
        Check { test, .. } | Branch { test } => v.test(test, true, X0),
        ProfileType { object, tmp, .. } => {
            v.late(object);
            tmp.iter_mut().for_each(|t| v.temp(t))
        }
        CountAndNotify { tmp, .. } => v.temp(tmp),
        TableSwitch { key, tmp, .. } => {
            v.late(key);
            v.temp(tmp)
        }
        SearchSwitch { key, .. } => v.reg(key),
        Return { value: Some(r) } => {
            let p = if r.class() == RegClass::Int { X0 } else { V0 };
            v.fixed(r, p)
        }
        Throw { exception } => v.fixed(exception, X0),
        Fence(_) | Safepoint | Count { .. } | Jump | Return { value: None } | Deopt { .. } | Unreachable => {}
    }
}

/// The register an immediate operand has been put into, if it was not one.
pub(super) fn is_zero(x: RegImm) -> bool {
    x == RegImm::Imm(0)
}
