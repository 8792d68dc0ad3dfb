//! Arithmetic, conversions, checks of numbers.

use super::{fsize_of, size_of, Lower};
use crate::compiler::backend::lir::{Alu, AluUnary, FAlu, FSize, FUnary, Inst, RegImm, Size};
use crate::compiler::backend::Machine;
use crate::compiler::ir::{Binary, Convert, InstData, Unary};

impl<M: Machine> Lower<'_, M> {
    pub(super) fn binary(&mut self, op: Binary, i: &InstData) {
        let dst = self.result(i);
        let ty = self.f.ty(i.result.expect("arithmetic has a result"));
        let (a, b) = (i.args[0], i.args[1]);
        if ty.is_float() {
            let op = match op {
                Binary::Add => FAlu::Add,
                Binary::Sub => FAlu::Sub,
                Binary::Mul => FAlu::Mul,
                Binary::Div => FAlu::Div,
                Binary::Min => FAlu::Min,
                Binary::Max => FAlu::Max,
                op => unreachable!("{op:?} of floating point"),
            };
            let (a, b) = (self.reg(a), self.reg(b));
            return self.emit(Inst::FAlu { op, size: fsize_of(ty), dst, a, b });
        }
        let size = size_of(ty);
        let op = match op {
            Binary::Add => Alu::Add,
            Binary::Sub => Alu::Sub,
            Binary::Mul => Alu::Mul,
            Binary::And => Alu::And,
            Binary::Or => Alu::Or,
            Binary::Xor => Alu::Xor,
            Binary::Shl => Alu::Shl,
            Binary::Shr => Alu::Shr,
            Binary::Ushr => Alu::Ushr,
            Binary::Min => Alu::Min,
            Binary::Max => Alu::Max,
            Binary::Div | Binary::Rem => {
                if let Some(d) = self.constant(b) {
                    if self.divide_by(dst, size, op == Binary::Rem, a, d) {
                        return;
                    }
                }
                let (a, b, tmp) = (self.reg(a), self.reg(b), self.int());
                return self.emit(Inst::Div { size, rem: op == Binary::Rem, dst, a, b, tmp });
            }
            Binary::MulHigh | Binary::UMulHigh => {
                let (a, b, tmp) = (self.reg(a), self.reg(b), self.int());
                return self.emit(Inst::MulHigh { signed: op == Binary::MulHigh, dst, a, b, tmp });
            }
        };
        match op {
            Alu::Shl | Alu::Shr | Alu::Ushr => {
                let a = self.reg(a);
                let b = match self.constant(b) {
                    Some(c) => RegImm::Imm(c & if size == Size::S32 { 31 } else { 63 }),
                    None => RegImm::Reg(self.reg(b)),
                };
                self.emit(Inst::Alu { op, size, dst, a, b })
            }
            _ => {
                let commutes = op != Alu::Sub;
                let (a, b) = if commutes && self.constant(a).is_some() { (b, a) } else { (a, b) };
                let a = self.reg(a);
                // Subtracting a constant is adding its opposite, of which there is one in every size.
                let (op, b) = match self.constant(b) {
                    Some(c) if op == Alu::Sub && M::alu_imm(Alu::Add, size, c.wrapping_neg()) => {
                        let c = c.wrapping_neg();
                        (Alu::Add, RegImm::Imm(if size == Size::S32 { c as i32 as i64 } else { c }))
                    }
                    _ => (op, self.reg_or_imm(b, |c| M::alu_imm(op, size, c))),
                };
                self.emit(Inst::Alu { op, size, dst, a, b })
            }
        }
    }

    pub(super) fn unary(&mut self, op: Unary, i: &InstData) {
        let dst = self.result(i);
        let ty = self.f.ty(i.args[0]);
        let a = self.reg(i.args[0]);
        if ty.is_float() {
            let op = match op {
                Unary::Neg => FUnary::Neg,
                Unary::Abs => FUnary::Abs,
                Unary::Sqrt => FUnary::Sqrt,
                Unary::Ceil => FUnary::Ceil,
                Unary::Floor => FUnary::Floor,
                Unary::Rint => FUnary::Rint,
                op => unreachable!("{op:?} of floating point"),
            };
            return self.emit(Inst::FUnary { op, size: fsize_of(ty), dst, a });
        }
        let op = match op {
            Unary::Neg => AluUnary::Neg,
            Unary::Abs => AluUnary::Abs,
            Unary::BitCount => AluUnary::BitCount,
            Unary::LeadingZeros => AluUnary::LeadingZeros,
            Unary::TrailingZeros => AluUnary::TrailingZeros,
            Unary::ReverseBytes => AluUnary::ReverseBytes,
            Unary::SignExtend8 => AluUnary::SignExtend8,
            Unary::SignExtend16 => AluUnary::SignExtend16,
            Unary::ZeroExtend16 => AluUnary::ZeroExtend16,
            op => unreachable!("{op:?} of integers"),
        };
        self.emit(Inst::Unary { op, size: size_of(ty), dst, a })
    }

    pub(super) fn convert(&mut self, op: Convert, i: &InstData) {
        use FSize::*;
        use Size::*;
        let dst = self.result(i);
        let a = self.reg(i.args[0]);
        self.emit(match op {
            Convert::I32ToI64 => Inst::Unary { op: AluUnary::SignExtend32, size: S64, dst, a },
            Convert::U32ToI64 => Inst::Unary { op: AluUnary::ZeroExtend32, size: S64, dst, a },
            Convert::I64ToI32 => unreachable!("a truncation has its argument's register"),
            Convert::I32ToF32 => Inst::IntToFloat { from: S32, to: F32, dst, a },
            Convert::I32ToF64 => Inst::IntToFloat { from: S32, to: F64, dst, a },
            Convert::I64ToF32 => Inst::IntToFloat { from: S64, to: F32, dst, a },
            Convert::I64ToF64 => Inst::IntToFloat { from: S64, to: F64, dst, a },
            Convert::F32ToI32 => Inst::FloatToInt { from: F32, to: S32, dst, a },
            Convert::F32ToI64 => Inst::FloatToInt { from: F32, to: S64, dst, a },
            Convert::F64ToI32 => Inst::FloatToInt { from: F64, to: S32, dst, a },
            Convert::F64ToI64 => Inst::FloatToInt { from: F64, to: S64, dst, a },
            Convert::F32ToF64 => Inst::FloatToFloat { from: F32, dst, a },
            Convert::F64ToF32 => Inst::FloatToFloat { from: F64, dst, a },
            Convert::F32Bits => Inst::FloatToBits { size: F32, dst, a },
            Convert::F64Bits => Inst::FloatToBits { size: F64, dst, a },
            Convert::BitsF32 => Inst::BitsToFloat { size: F32, dst, a },
            Convert::BitsF64 => Inst::BitsToFloat { size: F64, dst, a },
        })
    }
}
