//! Integer arithmetic.

use super::emit::Arm64Emitter;
use super::super::lir::{Alu, AluUnary, Inst, Modifier, RegImm, Size};
use super::{is_add_imm, is_logical_imm, VALUE_SCRATCH};
use dynasmrt::{dynasm, DynasmApi};

/// Emits the 32- or the 64-bit form of an instruction.
macro_rules! sized {
    ($self:ident, $size:expr, $op:tt $d:expr, $a:expr) => {
        match $size {
            Size::S32 => dynasm!($self.sink.ops; .arch aarch64; $op W($d), W($a)),
            Size::S64 => dynasm!($self.sink.ops; .arch aarch64; $op X($d), X($a)),
        }
    };
    ($self:ident, $size:expr, $op:tt $d:expr, $a:expr, $b:expr) => {
        match $size {
            Size::S32 => dynasm!($self.sink.ops; .arch aarch64; $op W($d), W($a), W($b)),
            Size::S64 => dynasm!($self.sink.ops; .arch aarch64; $op X($d), X($a), X($b)),
        }
    };
}

impl Arm64Emitter {
    /// The register that holds `x`: its own, or x16 loaded with the immediate.
    pub(super) fn in_reg(&mut self, x: RegImm, size: Size) -> u8 {
        match x {
            RegImm::Reg(r) => r.hw(),
            RegImm::Imm(i) => {
                self.imm(VALUE_SCRATCH, size, i);
                VALUE_SCRATCH
            }
        }
    }

    pub(super) fn integer(&mut self, inst: &Inst) {
        match inst {
            Inst::Alu { op, size, dst, a, b } => self.alu(*op, *size, dst.hw(), a.hw(), *b),
            Inst::Unary { op, size, dst, a } => self.unary(*op, *size, dst.hw(), a.hw()),
            // sdiv gives MIN for MIN / -1, as Java wants it.
            Inst::Div { size, rem: false, dst, a, b, .. } => sized!(self, *size, sdiv dst.hw(), a.hw(), b.hw()),
            Inst::Div { size, rem: true, dst, a, b, tmp } => {
                let (d, a, b, q) = (dst.hw(), a.hw(), b.hw(), tmp.hw());
                sized!(self, *size, sdiv q, a, b);
                match size {
                    Size::S32 => dynasm!(self.sink.ops; .arch aarch64; msub W(d), W(q), W(b), W(a)),
                    Size::S64 => dynasm!(self.sink.ops; .arch aarch64; msub X(d), X(q), X(b), X(a)),
                }
            }
            Inst::MulHigh { signed: true, dst, a, b, .. } => {
                dynasm!(self.sink.ops; .arch aarch64; smulh X(dst.hw()), X(a.hw()), X(b.hw()))
            }
            Inst::MulHigh { signed: false, dst, a, b, .. } => {
                dynasm!(self.sink.ops; .arch aarch64; umulh X(dst.hw()), X(a.hw()), X(b.hw()))
            }
            Inst::AluModified { op, size, dst, a, b, modifier } => {
                self.modified(*op, *size, *modifier, dst.hw(), a.hw(), b.hw())
            }
            Inst::MulAdd { subtract, size, dst, a, b, addend } => {
                let (d, a, b, c) = (dst.hw(), a.hw(), b.hw(), addend.hw());
                match (subtract, size) {
                    (false, Size::S32) => dynasm!(self.sink.ops; .arch aarch64; madd W(d), W(a), W(b), W(c)),
                    (false, Size::S64) => dynasm!(self.sink.ops; .arch aarch64; madd X(d), X(a), X(b), X(c)),
                    (true, Size::S32) => dynasm!(self.sink.ops; .arch aarch64; msub W(d), W(a), W(b), W(c)),
                    (true, Size::S64) => dynasm!(self.sink.ops; .arch aarch64; msub X(d), X(a), X(b), X(c)),
                }
            }
            Inst::BitField { signed, size, dst, a, rotate, top } => {
                let base: u32 = match (signed, size) {
                    (false, Size::S32) => 0x5300_0000,
                    (false, Size::S64) => 0xd340_0000,
                    (true, Size::S32) => 0x1300_0000,
                    (true, Size::S64) => 0x9340_0000,
                };
                let fields = u32::from(*rotate) << 16 | u32::from(*top) << 10;
                self.word(base | fields | u32::from(a.hw()) << 5 | u32::from(dst.hw()))
            }
            Inst::Lea { dst, addr } => self.address(dst.hw(), addr),
            Inst::Compare3 { dst, a, b } => {
                let d = dst.hw();
                dynasm!(self.sink.ops; .arch aarch64
                    ; cmp X(a.hw()), X(b.hw())
                    ; cset W(d), ne
                    ; cneg W(d), W(d), lt
                )
            }
            other => unreachable!("{other:?} is no integer arithmetic"),
        }
    }

    fn alu(&mut self, op: Alu, size: Size, d: u8, a: u8, b: RegImm) {
        let bits = if size == Size::S32 { 31 } else { 63 };
        match (op, b) {
            (Alu::Add | Alu::Sub, RegImm::Imm(i)) if is_add_imm(i) => {
                let negative = (i < 0) != (op == Alu::Sub);
                let n = i.unsigned_abs() as u32;
                let (n, shifted) = if n < 1 << 12 { (n, 0) } else { (n >> 12, 1) };
                let base: u32 = if negative { 0x5100_0000 } else { 0x1100_0000 };
                let sf = u32::from(size == Size::S64) << 31;
                self.word(base | sf | shifted << 22 | n << 10 | u32::from(a) << 5 | u32::from(d));
            }
            (Alu::And | Alu::Or | Alu::Xor, RegImm::Imm(i)) if is_logical_imm(size, i) => match (op, size) {
                (Alu::And, Size::S32) => dynasm!(self.sink.ops; .arch aarch64; and WSP(d), W(a), i as u32),
                (Alu::And, Size::S64) => dynasm!(self.sink.ops; .arch aarch64; and XSP(d), X(a), i as u64),
                (Alu::Or, Size::S32) => dynasm!(self.sink.ops; .arch aarch64; orr WSP(d), W(a), i as u32),
                (Alu::Or, Size::S64) => dynasm!(self.sink.ops; .arch aarch64; orr XSP(d), X(a), i as u64),
                (_, Size::S32) => dynasm!(self.sink.ops; .arch aarch64; eor WSP(d), W(a), i as u32),
                (_, Size::S64) => dynasm!(self.sink.ops; .arch aarch64; eor XSP(d), X(a), i as u64),
            },
            (Alu::Xor, RegImm::Imm(-1)) => sized!(self, size, mvn d, a),
            (Alu::Shl | Alu::Shr | Alu::Ushr, RegImm::Imm(i)) => {
                let n = i as u32 & bits;
                match (op, size) {
                    (Alu::Shl, Size::S32) => dynasm!(self.sink.ops; .arch aarch64; lsl W(d), W(a), n),
                    (Alu::Shl, Size::S64) => dynasm!(self.sink.ops; .arch aarch64; lsl X(d), X(a), n),
                    (Alu::Shr, Size::S32) => dynasm!(self.sink.ops; .arch aarch64; asr W(d), W(a), n),
                    (Alu::Shr, Size::S64) => dynasm!(self.sink.ops; .arch aarch64; asr X(d), X(a), n),
                    (_, Size::S32) => dynasm!(self.sink.ops; .arch aarch64; lsr W(d), W(a), n),
                    (_, Size::S64) => dynasm!(self.sink.ops; .arch aarch64; lsr X(d), X(a), n),
                }
            }
            (op, b) => {
                let b = self.in_reg(b, size);
                match op {
                    Alu::Add => sized!(self, size, add d, a, b),
                    Alu::Sub => sized!(self, size, sub d, a, b),
                    Alu::And => sized!(self, size, and d, a, b),
                    Alu::Or => sized!(self, size, orr d, a, b),
                    Alu::Xor => sized!(self, size, eor d, a, b),
                    Alu::Mul => sized!(self, size, mul d, a, b),
                    Alu::Shl => sized!(self, size, lsl d, a, b),
                    Alu::Shr => sized!(self, size, asr d, a, b),
                    Alu::Ushr => sized!(self, size, lsr d, a, b),
                    Alu::Min => {
                        sized!(self, size, cmp a, b);
                        match size {
                            Size::S32 => dynasm!(self.sink.ops; .arch aarch64; csel W(d), W(a), W(b), lt),
                            Size::S64 => dynasm!(self.sink.ops; .arch aarch64; csel X(d), X(a), X(b), lt),
                        }
                    }
                    Alu::Max => {
                        sized!(self, size, cmp a, b);
                        match size {
                            Size::S32 => dynasm!(self.sink.ops; .arch aarch64; csel W(d), W(a), W(b), gt),
                            Size::S64 => dynasm!(self.sink.ops; .arch aarch64; csel X(d), X(a), X(b), gt),
                        }
                    }
                }
            }
        }
    }

    /// The shifted-register and, for extensions, extended-register forms (Arm ARM C4.1, data processing).
    fn modified(&mut self, op: Alu, size: Size, modifier: Modifier, d: u8, a: u8, b: u8) {
        let base: u32 = match op {
            Alu::Add => 0x0b00_0000,
            Alu::Sub => 0x4b00_0000,
            Alu::And => 0x0a00_0000,
            Alu::Or => 0x2a00_0000,
            Alu::Xor => 0x4a00_0000,
            op => unreachable!("{op:?} takes no modified operand"),
        };
        let sf = u32::from(size == Size::S64) << 31;
        let shifted = |kind: u32, n: u8| kind << 22 | u32::from(n) << 10;
        let how = match modifier {
            Modifier::Shl(n) => shifted(0, n),
            Modifier::Ushr(n) => shifted(1, n),
            Modifier::Shr(n) => shifted(2, n),
            Modifier::Not => 1 << 21,
            Modifier::ZeroExtend32 => 1 << 21 | 0b010 << 13,
            Modifier::SignExtend32 => 1 << 21 | 0b110 << 13,
        };
        self.word(base | sf | how | u32::from(b) << 16 | u32::from(a) << 5 | u32::from(d))
    }

    fn unary(&mut self, op: AluUnary, size: Size, d: u8, a: u8) {
        match op {
            AluUnary::Neg => sized!(self, size, neg d, a),
            AluUnary::Abs => {
                match size {
                    Size::S32 => dynasm!(self.sink.ops; .arch aarch64; cmp WSP(a), #0; cneg W(d), W(a), mi),
                    Size::S64 => dynasm!(self.sink.ops; .arch aarch64; cmp XSP(a), #0; cneg X(d), X(a), mi),
                }
            }
            AluUnary::BitCount => {
                match size {
                    Size::S32 => dynasm!(self.sink.ops; .arch aarch64; fmov s31, W(a)),
                    Size::S64 => dynasm!(self.sink.ops; .arch aarch64; fmov d31, X(a)),
                }
                dynasm!(self.sink.ops; .arch aarch64
                    ; cnt v31.b8, v31.b8
                    ; addv b31, v31.b8
                    ; fmov W(d), s31
                )
            }
            AluUnary::LeadingZeros => sized!(self, size, clz d, a),
            AluUnary::TrailingZeros => {
                sized!(self, size, rbit d, a);
                sized!(self, size, clz d, d)
            }
            AluUnary::ReverseBytes => sized!(self, size, rev d, a),
            AluUnary::SignExtend8 => dynasm!(self.sink.ops; .arch aarch64; sxtb W(d), W(a)),
            AluUnary::SignExtend16 => dynasm!(self.sink.ops; .arch aarch64; sxth W(d), W(a)),
            AluUnary::ZeroExtend16 => dynasm!(self.sink.ops; .arch aarch64; uxth W(d), W(a)),
            AluUnary::SignExtend32 => dynasm!(self.sink.ops; .arch aarch64; sxtw X(d), W(a)),
            AluUnary::ZeroExtend32 => dynasm!(self.sink.ops; .arch aarch64; mov W(d), W(a)),
            AluUnary::Narrow => dynasm!(self.sink.ops; .arch aarch64; lsr X(d), X(a), #3),
            // ubfiz: the upper half counts as zero.
            AluUnary::Widen => dynasm!(self.sink.ops; .arch aarch64; ubfiz X(d), X(a), #3, #32),
        }
    }
}
