//! Division by constants without dividing.

use super::Lower;
use crate::compiler::backend::lir::{Alu, AluUnary, Inst, Reg, RegImm, Size};
use crate::compiler::backend::Machine;
use crate::compiler::ir::Value;

/// Multiplier and shift for signed division by `d` (at least 3, no power of two): the quotient is the high 32 bits
/// of the product, shifted right by that many, plus 1 for negative numbers. (Warren, Hacker's Delight, chapter 10:
/// 2^p must exceed nc * (d - 2^p mod d), nc the largest number with remainder d - 1.)
fn magic(d: u32) -> (i64, u32) {
    let d = i128::from(d);
    let nc = (1 << 31) - 1 - (1 << 31) % d;
    let mut p = 32;
    while 1 << p <= nc * (d - (1 << p) % d) {
        p += 1;
    }
    (((1 << p) + d - (1 << p) % d) as i64 / d as i64, p - 32)
}

impl<M: Machine> Lower<'_, M> {
    fn alu(&mut self, op: Alu, size: Size, a: Reg, b: RegImm) -> Reg {
        let dst = self.int();
        self.emit(Inst::Alu { op, size, dst, a, b });
        dst
    }

    fn alu_const(&mut self, op: Alu, size: Size, a: Reg, c: i64) -> Reg {
        let b = if matches!(op, Alu::Shl | Alu::Shr | Alu::Ushr) || M::alu_imm(op, size, c) {
            RegImm::Imm(c)
        } else {
            RegImm::Reg(self.imm(size, c))
        };
        self.alu(op, size, a, b)
    }

    /// Divides `a` by the constant `d`, or takes the remainder; false if that needs the instruction.
    pub(super) fn divide_by(&mut self, dst: Reg, size: Size, rem: bool, a: Value, d: i64) -> bool {
        let bits = if size == Size::S32 { 32 } else { 64 };
        let magnitude = d.unsigned_abs();
        let power = magnitude.is_power_of_two();
        if d == 0 || !power && (size == Size::S64 || M::DIVIDES_QUICKLY) {
            return false;
        }
        let a = self.reg(a);
        if magnitude == 1 {
            let inst = match (rem, d < 0) {
                (true, _) => Inst::Imm { dst, size, value: 0 },
                (false, true) => Inst::Unary { op: AluUnary::Neg, size, dst, a },
                (false, false) if size == Size::S32 => Inst::Unary { op: AluUnary::ZeroExtend32, size: Size::S64, dst, a },
                (false, false) => Inst::Move { dst, src: a },
            };
            self.emit(inst);
            return true;
        }
        if power {
            // MIN is the opposite of a power of two too: its magnitude is that.
            let k = magnitude.trailing_zeros() as i64;
            // Negative numbers round up: add 2^k - 1 to them.
            let sign = self.alu_const(Alu::Shr, size, a, bits - 1);
            let bias = self.alu_const(Alu::Ushr, size, sign, bits - k);
            let sum = self.alu(Alu::Add, size, a, RegImm::Reg(bias));
            if rem {
                let low = self.alu_const(Alu::Shr, size, sum, k);
                let low = self.alu_const(Alu::Shl, size, low, k);
                self.emit(Inst::Alu { op: Alu::Sub, size, dst, a, b: RegImm::Reg(low) });
            } else if d > 0 {
                self.emit(Inst::Alu { op: Alu::Shr, size, dst, a: sum, b: RegImm::Imm(k) });
            } else {
                let q = self.alu_const(Alu::Shr, size, sum, k);
                self.emit(Inst::Unary { op: AluUnary::Neg, size, dst, a: q });
            }
            return true;
        }
        let (m, shift) = magic(magnitude as u32);
        let wide = self.int();
        self.emit(Inst::Unary { op: AluUnary::SignExtend32, size: Size::S64, dst: wide, a });
        // At most 32 bits times 33 bits with sign: fits.
        let product = self.alu_const(Alu::Mul, Size::S64, wide, m);
        let high = self.alu_const(Alu::Shr, Size::S64, product, 32 + i64::from(shift));
        // Rounded down so far; minus -1 for negative numbers.
        let sign = self.alu_const(Alu::Shr, Size::S32, a, 31);
        let q = if rem || d < 0 { self.int() } else { dst };
        self.emit(Inst::Alu { op: Alu::Sub, size: Size::S32, dst: q, a: high, b: RegImm::Reg(sign) });
        let q = if d < 0 {
            let negated = if rem { self.int() } else { dst };
            self.emit(Inst::Unary { op: AluUnary::Neg, size: Size::S32, dst: negated, a: q });
            negated
        } else {
            q
        };
        if rem {
            let back = self.alu_const(Alu::Mul, Size::S32, q, d);
            self.emit(Inst::Alu { op: Alu::Sub, size: Size::S32, dst, a, b: RegImm::Reg(back) });
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::magic;

    #[test]
    fn multipliers_divide_exactly() {
        let mut numbers = vec![0, 1, -1, i32::MAX, i32::MIN, i32::MAX - 1, i32::MIN + 1];
        let mut x = 1u32;
        for _ in 0..2000 {
            x = x.wrapping_mul(1664525).wrapping_add(1013904223);
            numbers.push(x as i32);
        }
        for d in (3..2000).chain([641, 1_000_000_007, i32::MAX, i32::MAX - 1, 1 << 30 | 1]) {
            if (d as u32).is_power_of_two() {
                continue;
            }
            let (m, s) = magic(d as u32);
            assert!(0 < m && m < 1 << 32, "{d}: {m:#x}");
            let multiples = [d, d - 1, d + 1, -d, -d - 1].into_iter().chain([i32::MAX / d * d, i32::MIN / d * d]);
            for n in numbers.iter().copied().chain(multiples.flat_map(|n| [n, n.wrapping_sub(1)])) {
                let q = (i64::from(n).wrapping_mul(m) >> (32 + s)) as i32 - (n >> 31);
                assert_eq!(q, n / d, "{n} / {d}");
            }
        }
    }
}
