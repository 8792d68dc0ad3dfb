//! Which registers instructions want.

use super::{all_ints, all_xmms, int, xmm, RAX, RCX, RDX, RSI};
use crate::code::abi::Location;
use crate::compiler::backend::lir::{self, AluUnary, Call, Inst, RegImm};
use crate::compiler::backend::Operands;
use regalloc2::{PRegSet, RegClass};

pub(super) fn operands(inst: &mut Inst, v: &mut impl Operands) {
    use Inst::*;
    let rax = int(RAX);
    match inst {
        Args { regs } => {
            for (r, l) in regs {
                match l {
                    Location::Int(hw) => v.fixed_def(r, int(*hw)),
                    Location::Float(hw) => v.fixed_def(r, xmm(*hw)),
                    Location::Stack(_) => unreachable!("loaded by LoadIncoming"),
                }
            }
        }
        LoadIncoming { dst, .. } | Imm { dst, .. } | FImm { dst, .. } | TakeException { dst } => v.def(dst),
        Move { dst, src } => {
            v.reg(src);
            v.def(dst)
        }
        Inst::Alu { op, dst, a, b, .. } => match (op, b) {
            // lea; three-operand imul.
            (lir::Alu::Add, b) => {
                v.reg(a);
                v.reg_imm(b);
                v.def(dst)
            }
            (lir::Alu::Mul, RegImm::Imm(_)) => {
                v.reg(a);
                v.def(dst)
            }
            (lir::Alu::Shl | lir::Alu::Shr | lir::Alu::Ushr, RegImm::Reg(b)) => {
                v.reg(a);
                v.fixed(b, int(RCX));
                v.reuse_def(dst, 0)
            }
            (_, b) => {
                v.reg(a);
                v.reg_imm(b);
                v.reuse_def(dst, 0)
            }
        },
        Unary { op, dst, a, .. } => match op {
            AluUnary::Neg | AluUnary::ReverseBytes | AluUnary::Narrow | AluUnary::Widen => {
                v.reg(a);
                v.reuse_def(dst, 0)
            }
            // Read again after a first write.
            AluUnary::Abs => {
                v.late(a);
                v.def(dst)
            }
            _ => {
                v.reg(a);
                v.def(dst)
            }
        },
        AluModified { .. } | MulAdd { .. } | BitField { .. } => unreachable!("for ARM64"),
        Div { rem, dst, a, b, .. } => {
            v.fixed(a, rax);
            v.late(b);
            let (result, other) = if *rem { (RDX, RAX) } else { (RAX, RDX) };
            v.fixed_def(dst, int(result));
            v.clobber(PRegSet::empty().with(int(other)))
        }
        MulHigh { dst, a, b, .. } => {
            v.fixed(a, rax);
            v.reg(b);
            v.fixed_def(dst, int(RDX));
            v.clobber(PRegSet::empty().with(rax))
        }
        Lea { dst, addr } => {
            v.addr(addr, false);
            v.def(dst)
        }
        Compare3 { dst, a, b } | FCompare3 { dst, a, b, .. } => {
            v.reg(a);
            v.reg(b);
            v.def(dst)
        }
        Set { test, dst } => {
            v.test(test, false, rax);
            v.def(dst)
        }
        Select { test, dst, a, b, .. } => {
            v.reg(b);
            v.reg(a);
            v.test(test, false, rax);
            v.reuse_def(dst, 0)
        }
        FAlu { dst, a, b, .. } => {
            v.reg(a);
            v.reg(b);
            v.reuse_def(dst, 0)
        }
        Inst::FUnary { op: lir::FUnary::Neg | lir::FUnary::Abs, dst, a, .. } => {
            v.reg(a);
            v.reuse_def(dst, 0)
        }
        Inst::FUnary { dst, a, .. }
        | IntToFloat { dst, a, .. }
        | FloatToInt { dst, a, .. }
        | FloatToFloat { dst, a, .. }
        | FloatToBits { dst, a, .. }
        | BitsToFloat { dst, a, .. } => {
            v.reg(a);
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
            v.reg(object);
            v.temp(&mut tmp[0])
        }
        CompareExchange { dst, addr, expected, new, .. } => {
            v.fixed(expected, rax);
            v.reg(new);
            v.addr(addr, false);
            v.fixed_def(dst, rax)
        }
        AtomicRmw { dst, addr, src, .. } => {
            v.reg(src);
            v.addr(addr, false);
            v.reuse_def(dst, 0)
        }
        NewInstance { dst, tmp, bytes, .. } => {
            if *bytes > 0 {
                v.temp(&mut tmp[0]);
                v.temp(&mut tmp[1]);
            }
            v.fixed_def(dst, rax)
        }
        NewArray { length, dst, tmp, .. } => {
            v.fixed(length, int(RSI));
            v.temp(&mut tmp[0]);
            v.temp(&mut tmp[1]);
            v.fixed_def(dst, rax)
        }
        Inst::Call(c) | TryCall(c) => call(c, v),
        Check { test, .. } | Branch { test } => v.test(test, false, rax),
        ProfileType { object, tmp, .. } => {
            v.reg(object);
            v.temp(&mut tmp[0])
        }
        CountAndNotify { tmp, .. } => v.temp(tmp),
        TableSwitch { key, tmp, .. } => {
            v.reg(key);
            v.temp(tmp)
        }
        SearchSwitch { key, .. } => v.reg(key),
        Return { value: Some(r) } => {
            let p = if r.class() == RegClass::Int { rax } else { xmm(0) };
            v.fixed(r, p)
        }
        Throw { exception } => v.fixed(exception, rax),
        Fence(_) | Safepoint | Count { .. } | Jump | Return { value: None } | Deopt { .. } | Unreachable => {}
    }
}

fn call(c: &mut Call, v: &mut impl Operands) {
    for (r, l) in &mut c.args {
        match l {
            Location::Int(hw) => v.fixed(r, int(*hw)),
            Location::Float(hw) => v.fixed(r, xmm(*hw)),
            Location::Stack(_) => unreachable!("stored by StoreOutgoing"),
        }
    }
    let mut clobbers = all_ints() | all_xmms();
    if let Some(r) = &mut c.result {
        let p = if r.class() == RegClass::Int { int(RAX) } else { xmm(0) };
        v.fixed_def(r, p);
        clobbers.remove(p);
    }
    v.clobber(clobbers)
}
