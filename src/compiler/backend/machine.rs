//! What a processor tells lowering and the register allocator.

use super::lir::{self, Alu, Inst, Reg, RegImm, Size, Test};
use super::lir::{Addr, Base};
use crate::compiler::ir::Mem;
use regalloc2::{MachineEnv, PReg, PRegSet};

/// Receives the operands of an instruction, in an order that depends on nothing but the instruction: called
/// once to collect constraints, once to put in what was allocated.
pub trait Operands {
    /// Read in a register, before anything is written.
    fn reg(&mut self, r: &mut Reg);
    /// Read in a register at any time: shares it with no result, temporary or clobber.
    fn late(&mut self, r: &mut Reg);
    /// Read in this register, before anything is written.
    fn fixed(&mut self, r: &mut Reg, p: PReg);
    /// Written in a register, after everything that is not `late` has been read.
    fn def(&mut self, r: &mut Reg);
    /// Written in this register.
    fn fixed_def(&mut self, r: &mut Reg, p: PReg);
    /// Written in the register of operand number `operand` (counted from 0 in the order of these calls), a
    /// `reg` one.
    fn reuse_def(&mut self, r: &mut Reg, operand: usize);
    /// A register of its own during the instruction.
    fn temp(&mut self, r: &mut Reg);
    /// This register, during the instruction.
    fn fixed_temp(&mut self, r: &mut Reg, p: PReg);
    /// Destroyed by the instruction; no `late` operand, result or temporary may be fixed to one of them.
    fn clobber(&mut self, set: PRegSet);

    /// The registers of an address, as `reg` or `late`.
    fn addr(&mut self, a: &mut Addr, late: bool) {
        let mut one = |r: &mut Reg| if late { self.late(r) } else { self.reg(r) };
        if let Base::Reg(r) = &mut a.base {
            one(r);
        }
        if let Some(i) = &mut a.index {
            one(&mut i.reg);
        }
    }

    fn reg_imm(&mut self, x: &mut RegImm) {
        if let RegImm::Reg(r) = x {
            self.reg(r)
        }
    }

    /// The operands of a test; those it reads as `late` if the instruction writes something before it has read
    /// them all.
    fn test(&mut self, t: &mut Test, late: bool, result: PReg) {
        let read = |s: &mut Self, r: &mut Reg, late: bool| if late { s.late(r) } else { s.reg(r) };
        match t {
            Test::Int { a, b, .. } | Test::Bits { a, b, .. } => {
                read(self, a, late);
                if let RegImm::Reg(b) = b {
                    read(self, b, late)
                }
            }
            Test::Mem32 { addr, .. } => self.addr(addr, late),
            Test::RegMem32 { a, addr, .. } => {
                read(self, a, late);
                self.addr(addr, late)
            }
            Test::Float { a, b, .. } => {
                read(self, a, late);
                read(self, b, late)
            }
            Test::Instance { object, offset, result: tmp, .. } => {
                read(self, object, late);
                if *offset as usize == crate::meta::class::offsets::SECONDARY_SUPER_CACHE {
                    self.fixed_temp(tmp, result)
                }
            }
            Test::Subclass { sub, sup, result: tmp, .. } => {
                read(self, sub, late);
                read(self, sup, late);
                self.fixed_temp(tmp, result)
            }
            Test::ArrayStore { array, value, result: tmp, tmp: other, .. } => {
                read(self, array, late);
                read(self, value, late);
                self.fixed_temp(tmp, result);
                self.temp(other)
            }
        }
    }
}

/// A processor.
pub trait Machine {
    /// Integer argument registers, see `code::abi`.
    const INT_ARGS: &'static [u8];
    /// Whether dividing takes no longer than multiplying by the divisor's inverse with all its corrections.
    const DIVIDES_QUICKLY: bool;
    /// Whether an index register may be taken as a 32-bit value, zero-extended (else lowering extends).
    const INDEX_ZERO_EXTENDS: bool;

    /// Allocatable registers and the allocator's scratch registers.
    fn env() -> &'static MachineEnv;

    /// Whether the immediate is cheap as second operand of `op`.
    fn alu_imm(op: Alu, size: Size, imm: i64) -> bool;
    /// ... of an integer comparison.
    fn compare_imm(size: Size, imm: i64) -> bool;
    /// ... of a test of bits.
    fn bits_imm(size: Size, imm: i64) -> bool;
    /// ... as the value stored by a plain store.
    fn store_imm(mem: Mem, imm: i64) -> bool;
    /// Whether comparing a register or an immediate with memory is one instruction.
    const COMPARES_MEMORY: bool;

    /// Joins instructions that the processor has as one.
    fn combine(_: &mut lir::Function) {}

    /// Tells the operands of `inst`. Those of its state follow, told by the caller.
    fn operands(inst: &mut Inst, v: &mut impl Operands);
}
