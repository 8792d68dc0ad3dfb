//! Floating-point arithmetic and conversions.

use super::encode::Cc;
use super::{SlowPath, X64Emitter, XMM15};
use crate::compiler::backend::lir::{FAlu, FSize, FUnary, Inst, Size};
use dynasmrt::{dynasm, DynamicLabel, DynasmApi, DynasmLabelApi};

impl X64Emitter {
    /// A scalar SSE instruction `0f opcode`, single or double.
    fn sse(&mut self, size: FSize, opcode: u8, dst: u8, a: u8) {
        self.s.ops.push(if size == FSize::F64 { 0xf2 } else { 0xf3 });
        self.rr(false, &[0x0f, opcode], dst, a)
    }

    /// Compares; sets CF, ZF and PF if unordered.
    pub(super) fn ucomis(&mut self, size: FSize, a: u8, b: u8) {
        if size == FSize::F64 {
            self.s.ops.push(0x66);
        }
        self.rr(false, &[0x0f, 0x2e], a, b)
    }

    fn fp_imm(&mut self, dst: u8, size: FSize, bits: u64) {
        if bits == 0 {
            dynasm!(self.s.ops ; .arch x64 ; xorps Rx(dst), Rx(dst));
            return;
        }
        let at = self.constant(bits);
        match size {
            FSize::F32 => dynasm!(self.s.ops ; .arch x64 ; movss Rx(dst), [=>at]),
            FSize::F64 => dynasm!(self.s.ops ; .arch x64 ; movsd Rx(dst), [=>at]),
        }
    }

    pub(super) fn float(&mut self, inst: &Inst) {
        match *inst {
            Inst::FImm { dst, size, bits } => self.fp_imm(dst.hw(), size, bits),
            Inst::FAlu { op, size, dst, b, .. } => {
                let (dst, b) = (dst.hw(), b.hw());
                match op {
                    FAlu::Add => self.sse(size, 0x58, dst, b),
                    FAlu::Mul => self.sse(size, 0x59, dst, b),
                    FAlu::Sub => self.sse(size, 0x5c, dst, b),
                    FAlu::Div => self.sse(size, 0x5e, dst, b),
                    FAlu::Min => self.min_max(size, true, dst, b),
                    FAlu::Max => self.min_max(size, false, dst, b),
                }
            }
            Inst::FUnary { op, size, dst, a } => self.funary(op, size, dst.hw(), a.hw()),
            Inst::IntToFloat { from, to, dst, a } => {
                // The instruction leaves the upper half, on which it would wait.
                dynasm!(self.s.ops ; .arch x64 ; xorps Rx(dst.hw()), Rx(dst.hw()));
                self.s.ops.push(if to == FSize::F64 { 0xf2 } else { 0xf3 });
                self.rr(from == Size::S64, &[0x0f, 0x2a], dst.hw(), a.hw())
            }
            Inst::FloatToInt { from, to, dst, a } => {
                let wide = to == Size::S64;
                self.s.ops.push(if from == FSize::F64 { 0xf2 } else { 0xf3 });
                self.rr(wide, &[0x0f, 0x2c], dst.hw(), a.hw());
                // Out of range and NaN give MIN, the only number that overflows here.
                self.reg_imm(wide, 7, dst.hw(), 1);
                let (slow, back) = self.slow(SlowPath::FloatToInt { from, to, dst: dst.hw(), a: a.hw() });
                self.jcc(Cc::O, slow);
                self.s.bind(back)
            }
            Inst::FloatToFloat { from, dst, a } => {
                if dst != a {
                    dynasm!(self.s.ops ; .arch x64 ; xorps Rx(dst.hw()), Rx(dst.hw()));
                }
                self.sse(from, 0x5a, dst.hw(), a.hw())
            }
            Inst::FloatToBits { size: FSize::F32, dst, a } => {
                dynasm!(self.s.ops ; .arch x64 ; movd Rd(dst.hw()), Rx(a.hw()))
            }
            Inst::FloatToBits { size: FSize::F64, dst, a } => {
                dynasm!(self.s.ops ; .arch x64 ; movq Rq(dst.hw()), Rx(a.hw()))
            }
            Inst::BitsToFloat { size: FSize::F32, dst, a } => {
                dynasm!(self.s.ops ; .arch x64 ; movd Rx(dst.hw()), Rd(a.hw()))
            }
            Inst::BitsToFloat { size: FSize::F64, dst, a } => {
                dynasm!(self.s.ops ; .arch x64 ; movq Rx(dst.hw()), Rq(a.hw()))
            }
            Inst::FCompare3 { size, nan, dst, a, b } => {
                // Unordered sets the carry: the second of the two.
                if nan < 0 {
                    self.ucomis(size, a.hw(), b.hw());
                    self.difference(Cc::A, Cc::B, dst.hw())
                } else {
                    self.ucomis(size, b.hw(), a.hw());
                    self.difference(Cc::B, Cc::A, dst.hw())
                }
            }
            _ => unreachable!("{inst:?}"),
        }
    }

    /// Java's minimum: minsd gives the second operand for NaNs and for zeros of either sign.
    fn min_max(&mut self, size: FSize, min: bool, dst: u8, b: u8) {
        let (differ, nan, done) = (self.s.label(), self.s.label(), self.s.label());
        self.ucomis(size, dst, b);
        self.jcc(Cc::Ne, differ);
        self.jcc(Cc::P, nan);
        // Equal: the same but for the sign of a zero.
        match min {
            true => dynasm!(self.s.ops ; .arch x64 ; orps Rx(dst), Rx(b)),
            false => dynasm!(self.s.ops ; .arch x64 ; andps Rx(dst), Rx(b)),
        }
        dynasm!(self.s.ops ; .arch x64 ; jmp =>done ; =>nan);
        self.sse(size, 0x58, dst, b);
        dynasm!(self.s.ops ; .arch x64 ; jmp =>done ; =>differ);
        self.sse(size, if min { 0x5d } else { 0x5f }, dst, b);
        self.s.bind(done)
    }

    fn funary(&mut self, op: FUnary, size: FSize, dst: u8, a: u8) {
        let sign = if size == FSize::F64 { 1 << 63 } else { 1 << 31 };
        match op {
            FUnary::Neg => {
                self.fp_imm(XMM15, size, sign);
                dynasm!(self.s.ops ; .arch x64 ; xorps Rx(dst), Rx(XMM15))
            }
            FUnary::Abs => {
                self.fp_imm(XMM15, size, sign);
                // dst = !sign & dst
                dynasm!(self.s.ops ; .arch x64 ; andnps Rx(XMM15), Rx(dst) ; movaps Rx(dst), Rx(XMM15))
            }
            FUnary::Sqrt => self.sse(size, 0x51, dst, a),
            FUnary::Ceil | FUnary::Floor | FUnary::Rint => {
                // roundsd with precision exceptions off.
                let mode = match op {
                    FUnary::Floor => 9,
                    FUnary::Ceil => 10,
                    _ => 8,
                };
                self.s.ops.push(0x66);
                self.rr(false, &[0x0f, 0x3a, if size == FSize::F64 { 0x0b } else { 0x0a }], dst, a);
                self.s.ops.push(mode)
            }
        }
    }

    /// `dst` is MIN: right for what is below, wrong for NaN and what is above.
    pub(super) fn float_to_int_slow(&mut self, from: FSize, to: Size, dst: u8, a: u8, back: DynamicLabel) {
        let positive = self.s.label();
        dynasm!(self.s.ops ; .arch x64 ; xorps Rx(XMM15), Rx(XMM15));
        self.ucomis(from, a, XMM15);
        self.jcc(Cc::A, positive);
        self.jcc(Cc::Np, back);
        dynasm!(self.s.ops ; .arch x64 ; xor Rd(dst), Rd(dst) ; jmp =>back ; =>positive);
        self.load_imm(dst, if to == Size::S64 { i64::MAX } else { i64::from(i32::MAX) })
    }
}
