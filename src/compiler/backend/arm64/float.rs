//! Floating point. The instructions have Java's semantics: conversions saturate and turn NaN into 0, fmin and
//! fmax order -0.0 below 0.0 and pass NaN on.

use super::emit::Arm64Emitter;
use super::super::lir::{FAlu, FSize, FUnary, Inst, Size};
use dynasmrt::{dynasm, DynasmApi};

/// Emits the single- or the double-precision form.
macro_rules! sized {
    ($self:ident, $size:expr, $op:tt $d:expr, $a:expr) => {
        match $size {
            FSize::F32 => dynasm!($self.sink.ops; .arch aarch64; $op S($d), S($a)),
            FSize::F64 => dynasm!($self.sink.ops; .arch aarch64; $op D($d), D($a)),
        }
    };
    ($self:ident, $size:expr, $op:tt $d:expr, $a:expr, $b:expr) => {
        match $size {
            FSize::F32 => dynasm!($self.sink.ops; .arch aarch64; $op S($d), S($a), S($b)),
            FSize::F64 => dynasm!($self.sink.ops; .arch aarch64; $op D($d), D($a), D($b)),
        }
    };
}

impl Arm64Emitter {
    pub(super) fn float(&mut self, inst: &Inst) {
        match inst {
            Inst::FAlu { op, size, dst, a, b } => {
                let (d, a, b) = (dst.hw(), a.hw(), b.hw());
                match op {
                    FAlu::Add => sized!(self, size, fadd d, a, b),
                    FAlu::Sub => sized!(self, size, fsub d, a, b),
                    FAlu::Mul => sized!(self, size, fmul d, a, b),
                    FAlu::Div => sized!(self, size, fdiv d, a, b),
                    FAlu::Min => sized!(self, size, fmin d, a, b),
                    FAlu::Max => sized!(self, size, fmax d, a, b),
                }
            }
            Inst::FUnary { op, size, dst, a } => {
                let (d, a) = (dst.hw(), a.hw());
                match op {
                    FUnary::Neg => sized!(self, size, fneg d, a),
                    FUnary::Abs => sized!(self, size, fabs d, a),
                    FUnary::Sqrt => sized!(self, size, fsqrt d, a),
                    FUnary::Ceil => sized!(self, size, frintp d, a),
                    FUnary::Floor => sized!(self, size, frintm d, a),
                    FUnary::Rint => sized!(self, size, frintn d, a),
                }
            }
            Inst::FCompare3 { size, nan, dst, a, b } => {
                self.compare_float(*size, *a, *b);
                let d = dst.hw();
                // Unordered sets C and V, not Z: `lt` is less or unordered, `mi` less alone.
                dynasm!(self.sink.ops; .arch aarch64; cset W(d), ne);
                if *nan < 0 {
                    dynasm!(self.sink.ops; .arch aarch64; cneg W(d), W(d), lt)
                } else {
                    dynasm!(self.sink.ops; .arch aarch64; cneg W(d), W(d), mi)
                }
            }
            Inst::IntToFloat { from, to, dst, a } => {
                let (d, a) = (dst.hw(), a.hw());
                match (from, to) {
                    (Size::S32, FSize::F32) => dynasm!(self.sink.ops; .arch aarch64; scvtf S(d), W(a)),
                    (Size::S32, FSize::F64) => dynasm!(self.sink.ops; .arch aarch64; scvtf D(d), W(a)),
                    (Size::S64, FSize::F32) => dynasm!(self.sink.ops; .arch aarch64; scvtf S(d), X(a)),
                    (Size::S64, FSize::F64) => dynasm!(self.sink.ops; .arch aarch64; scvtf D(d), X(a)),
                }
            }
            Inst::FloatToInt { from, to, dst, a } => {
                let (d, a) = (dst.hw(), a.hw());
                match (from, to) {
                    (FSize::F32, Size::S32) => dynasm!(self.sink.ops; .arch aarch64; fcvtzs W(d), S(a)),
                    (FSize::F64, Size::S32) => dynasm!(self.sink.ops; .arch aarch64; fcvtzs W(d), D(a)),
                    (FSize::F32, Size::S64) => dynasm!(self.sink.ops; .arch aarch64; fcvtzs X(d), S(a)),
                    (FSize::F64, Size::S64) => dynasm!(self.sink.ops; .arch aarch64; fcvtzs X(d), D(a)),
                }
            }
            Inst::FloatToFloat { from: FSize::F32, dst, a } => {
                dynasm!(self.sink.ops; .arch aarch64; fcvt D(dst.hw()), S(a.hw()))
            }
            Inst::FloatToFloat { from: FSize::F64, dst, a } => {
                dynasm!(self.sink.ops; .arch aarch64; fcvt S(dst.hw()), D(a.hw()))
            }
            Inst::FloatToBits { size: FSize::F32, dst, a } => {
                dynasm!(self.sink.ops; .arch aarch64; fmov W(dst.hw()), S(a.hw()))
            }
            Inst::FloatToBits { size: FSize::F64, dst, a } => {
                dynasm!(self.sink.ops; .arch aarch64; fmov X(dst.hw()), D(a.hw()))
            }
            Inst::BitsToFloat { size: FSize::F32, dst, a } => {
                dynasm!(self.sink.ops; .arch aarch64; fmov S(dst.hw()), W(a.hw()))
            }
            Inst::BitsToFloat { size: FSize::F64, dst, a } => {
                dynasm!(self.sink.ops; .arch aarch64; fmov D(dst.hw()), X(a.hw()))
            }
            other => unreachable!("{other:?} is no floating-point instruction"),
        }
    }
}
