//! Integer arithmetic.

use super::encode::{Cc, Ea};
use super::{X64Emitter, RAX, RCX, RDX};
use crate::compiler::backend::lir::{Alu, AluUnary, Inst, RegImm, Size};
use dynasmrt::{dynasm, DynasmApi, DynasmLabelApi};

impl X64Emitter {
    /// An instruction in both sizes.
    fn reg_reg(&mut self, wide: bool, opcode: u8, rm: u8, reg: u8) {
        self.rr(wide, &[opcode], reg, rm)
    }

    /// add, or, and, sub, xor, cmp (by the number in their modrm byte) with an immediate.
    pub(super) fn reg_imm(&mut self, wide: bool, op: u8, rm: u8, imm: i32) {
        match i8::try_from(imm) {
            Ok(b) => {
                self.rr(wide, &[0x83], op, rm);
                self.s.ops.push_i8(b)
            }
            _ => {
                self.rr(wide, &[0x81], op, rm);
                self.s.ops.push_i32(imm)
            }
        }
    }

    pub(super) fn alu(&mut self, op: Alu, size: Size, dst: u8, a: u8, b: RegImm) {
        let wide = size == Size::S64;
        // For 32 bits the immediate is sign-extended: always fits. Otherwise lowering has asked.
        let imm = |c: i64| i32::try_from(c).expect("an immediate of 32 bits");
        match (op, b) {
            (Alu::Add, RegImm::Reg(b)) => {
                let b = b.hw();
                if dst == a {
                    self.reg_reg(wide, 0x01, dst, b)
                } else if dst == b {
                    self.reg_reg(wide, 0x01, dst, a)
                } else {
                    self.rm(None, wide, &[0x8d], dst, Ea::index(a, b, 0, 0))
                }
            }
            (Alu::Add, RegImm::Imm(c)) if dst == a => self.reg_imm(wide, 0, dst, imm(c)),
            (Alu::Add, RegImm::Imm(c)) => self.rm(None, wide, &[0x8d], dst, Ea::base(a, imm(c))),
            (Alu::Mul, RegImm::Reg(b)) => self.rr(wide, &[0x0f, 0xaf], dst, b.hw()),
            (Alu::Mul, RegImm::Imm(c)) => match i8::try_from(c) {
                Ok(c) => {
                    self.rr(wide, &[0x6b], dst, a);
                    self.s.ops.push_i8(c)
                }
                _ => {
                    self.rr(wide, &[0x69], dst, a);
                    self.s.ops.push_i32(imm(c))
                }
            },
            (Alu::Shl | Alu::Shr | Alu::Ushr, b) => {
                let ext = match op {
                    Alu::Shl => 4,
                    Alu::Shr => 7,
                    _ => 5,
                };
                match b {
                    RegImm::Reg(b) => {
                        debug_assert_eq!(b.hw(), RCX);
                        self.rr(wide, &[0xd3], ext, dst)
                    }
                    RegImm::Imm(c) => self.shift(wide, ext, dst, c as u8),
                }
            }
            (Alu::Min | Alu::Max, RegImm::Reg(b)) => {
                self.reg_reg(wide, 0x39, dst, b.hw());
                self.cmov(if op == Alu::Min { Cc::G } else { Cc::L }, wide, dst, b.hw())
            }
            (Alu::Min | Alu::Max, RegImm::Imm(_)) => unreachable!("{op:?} takes no immediate"),
            (Alu::Xor, RegImm::Imm(-1)) => self.rr(wide, &[0xf7], 2, dst),
            (op, b) => {
                // Number of the operation in the modrm byte; times 8 its opcode.
                let n = match op {
                    Alu::Sub => 5,
                    Alu::And => 4,
                    Alu::Or => 1,
                    Alu::Xor => 6,
                    op => unreachable!("{op:?} is above"),
                };
                match b {
                    RegImm::Reg(b) => self.reg_reg(wide, n << 3 | 1, dst, b.hw()),
                    RegImm::Imm(c) => self.reg_imm(wide, n, dst, imm(c)),
                }
            }
        }
    }

    /// shl (4), shr (5), sar (7) by an immediate.
    pub(super) fn shift(&mut self, wide: bool, ext: u8, dst: u8, count: u8) {
        self.rr(wide, &[0xc1], ext, dst);
        self.s.ops.push(count)
    }

    pub(super) fn unary(&mut self, op: AluUnary, size: Size, dst: u8, a: u8) {
        let wide = size == Size::S64;
        let bits = if wide { 64 } else { 32 };
        let v2 = self.features.v2;
        let v3 = self.features.v3;
        let ops = &mut self.s.ops;
        match op {
            AluUnary::Neg => self.rr(wide, &[0xf7], 3, dst),
            AluUnary::Abs => {
                self.rr(wide, &[0x8b], dst, a);
                self.rr(wide, &[0xf7], 3, dst);
                // Negative now: it was positive (or MIN, which is its own opposite).
                self.cmov(Cc::S, wide, dst, a)
            }
            AluUnary::BitCount if v2 => {
                ops.push(0xf3);
                self.rr(wide, &[0x0f, 0xb8], dst, a)
            }
            AluUnary::BitCount => self.bit_count(wide, dst, a),
            AluUnary::LeadingZeros if v3 => {
                ops.push(0xf3);
                self.rr(wide, &[0x0f, 0xbd], dst, a)
            }
            AluUnary::TrailingZeros if v3 => {
                ops.push(0xf3);
                self.rr(wide, &[0x0f, 0xbc], dst, a)
            }
            AluUnary::LeadingZeros => {
                // bsr leaves its destination undefined for 0.
                dynasm!(ops ; .arch x64 ; mov r11d, 2 * bits - 1);
                self.rr(wide, &[0x0f, 0xbd], dst, a);
                self.cmov(Cc::E, false, dst, 11);
                dynasm!(self.s.ops ; .arch x64 ; xor Rd(dst), bits - 1)
            }
            AluUnary::TrailingZeros => {
                dynasm!(ops ; .arch x64 ; mov r11d, bits);
                self.rr(wide, &[0x0f, 0xbc], dst, a);
                self.cmov(Cc::E, false, dst, 11)
            }
            AluUnary::ReverseBytes if wide => dynasm!(ops ; .arch x64 ; bswap Rq(dst)),
            AluUnary::ReverseBytes => dynasm!(ops ; .arch x64 ; bswap Rd(dst)),
            AluUnary::SignExtend8 => dynasm!(ops ; .arch x64 ; movsx Rd(dst), Rb(a)),
            AluUnary::SignExtend16 => dynasm!(ops ; .arch x64 ; movsx Rd(dst), Rw(a)),
            AluUnary::ZeroExtend16 => dynasm!(ops ; .arch x64 ; movzx Rd(dst), Rw(a)),
            AluUnary::SignExtend32 => dynasm!(ops ; .arch x64 ; movsxd Rq(dst), Rd(a)),
            AluUnary::ZeroExtend32 => dynasm!(ops ; .arch x64 ; mov Rd(dst), Rd(a)),
            // A wide reference is below 2^35.
            AluUnary::Narrow => self.shift(true, 5, dst, 3),
            AluUnary::Widen => self.shift(true, 4, dst, 3),
        }
    }

    /// Without popcnt: one bit at a time would be slow, but such processors are too old to matter.
    fn bit_count(&mut self, wide: bool, dst: u8, a: u8) {
        debug_assert_ne!(dst, 11);
        self.rr(wide, &[0x8b], 11, a);
        dynasm!(self.s.ops ; .arch x64 ; xor Rd(dst), Rd(dst) ; again: ; add r11, r11 ; adc Rd(dst), 0 ; test r11, r11 ; jne <again)
    }

    pub(super) fn arith(&mut self, inst: &Inst) {
        match *inst {
            Inst::Move { dst, src } => {
                use crate::compiler::backend::emit::{Emitter, Place};
                use regalloc2::PReg;
                let place = |r: crate::compiler::backend::lir::Reg| Place::Reg(PReg::new(r.hw() as usize, r.class()));
                if dst != src {
                    self.mov(place(src), place(dst))
                }
            }
            Inst::Imm { dst, size, value } => self.load_imm(dst.hw(), if size == Size::S32 { value as u32 as i64 } else { value }),
            Inst::Div { size, rem, b, .. } => self.divide(size, rem, b.hw()),
            Inst::MulHigh { signed, b, .. } => self.rr(true, &[0xf7], if signed { 5 } else { 4 }, b.hw()),
            Inst::Lea { dst, addr } => {
                let ea = self.ea(&addr);
                self.rm(None, true, &[0x8d], dst.hw(), ea)
            }
            Inst::Compare3 { dst, a, b } => {
                self.rr(true, &[0x39], b.hw(), a.hw());
                self.difference(Cc::G, Cc::L, dst.hw())
            }
            _ => unreachable!("{inst:?}"),
        }
    }

    /// dst = (plus holds) - (minus holds).
    pub(super) fn difference(&mut self, plus: Cc, minus: Cc, dst: u8) {
        self.setcc(minus, 11);
        self.setcc(plus, dst);
        dynasm!(self.s.ops ; .arch x64 ; sub Rb(dst), r11b ; movsx Rd(dst), Rb(dst))
    }

    /// Loads a 64-bit constant.
    pub(super) fn load_imm(&mut self, dst: u8, value: i64) {
        let ops = &mut self.s.ops;
        if value == 0 {
            dynasm!(ops ; .arch x64 ; xor Rd(dst), Rd(dst))
        } else if let Ok(v) = u32::try_from(value) {
            dynasm!(ops ; .arch x64 ; mov Rd(dst), DWORD v as i32)
        } else if let Ok(v) = i32::try_from(value) {
            dynasm!(ops ; .arch x64 ; mov Rq(dst), DWORD v)
        } else {
            dynasm!(ops ; .arch x64 ; mov Rq(dst), QWORD value)
        }
    }

    /// rax by `b`, quotient in rax, remainder in rdx. The processor traps on MIN / -1.
    fn divide(&mut self, size: Size, rem: bool, b: u8) {
        let wide = size == Size::S64;
        let (minus_one, done) = (self.s.label(), self.s.label());
        self.reg_imm(wide, 7, b, -1);
        self.jcc(Cc::E, minus_one);
        if wide {
            dynasm!(self.s.ops ; .arch x64 ; cqo)
        } else {
            dynasm!(self.s.ops ; .arch x64 ; cdq)
        }
        self.rr(wide, &[0xf7], 7, b);
        dynasm!(self.s.ops ; .arch x64 ; jmp =>done ; =>minus_one);
        if rem {
            dynasm!(self.s.ops ; .arch x64 ; xor Rd(RDX), Rd(RDX))
        } else {
            self.rr(wide, &[0xf7], 3, RAX)
        }
        self.s.bind(done)
    }
}
