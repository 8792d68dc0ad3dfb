//! Joins pairs of instructions that the processor has as one: an operand that is shifted or extended on the way into
//! an addition or a logical operation, a product that is added or subtracted, a field that is cut out of a word.
//!
//! The first of the two must have no other use, and both be in one block: then it is left out.

use super::super::lir::{Alu, AluUnary, Function, Inst, Modifier, Reg, RegImm, Size};
use super::super::machine::{Machine, Operands};
use super::Arm64;
use regalloc2::{PReg, PRegSet};
use rustc_hash::FxHashMap;

/// Counts what instructions read.
struct Uses<'a>(&'a mut [u32]);

impl Uses<'_> {
    fn one(&mut self, r: &Reg) {
        self.0[r.vreg().vreg()] += 1
    }
}

impl Operands for Uses<'_> {
    fn reg(&mut self, r: &mut Reg) {
        self.one(r)
    }
    fn late(&mut self, r: &mut Reg) {
        self.one(r)
    }
    fn fixed(&mut self, r: &mut Reg, _: PReg) {
        self.one(r)
    }
    fn def(&mut self, _: &mut Reg) {}
    fn fixed_def(&mut self, _: &mut Reg, _: PReg) {}
    fn reuse_def(&mut self, _: &mut Reg, _: usize) {}
    fn temp(&mut self, _: &mut Reg) {}
    fn fixed_temp(&mut self, _: &mut Reg, _: PReg) {}
    fn clobber(&mut self, _: PRegSet) {}
}

/// How often each register is read, by instructions, edges and states.
fn uses(f: &mut Function) -> Vec<u32> {
    let mut counts = vec![0; f.vregs];
    for i in &mut f.insts {
        Arm64::operands(&mut i.inst, &mut Uses(&mut counts));
        if let Some(s) = i.state {
            f.states[s as usize].uses.iter().for_each(|r| Uses(&mut counts).one(r));
        }
    }
    for b in &f.blocks {
        b.succs.iter().flat_map(|s| &s.1).for_each(|r| Uses(&mut counts).one(r));
    }
    counts
}

/// See the module comment.
pub(super) fn combine(f: &mut Function) {
    let uses = uses(f);
    let mut left_out = vec![false; f.insts.len()];
    for b in 0..f.blocks.len() {
        // The instructions of this block that make a register which is read once.
        let mut made: FxHashMap<usize, usize> = FxHashMap::default();
        for i in f.blocks[b].first as usize..f.blocks[b].end as usize {
            let maker = |r: Reg| made.get(&r.vreg().vreg()).map(|&d| (&f.insts[d].inst, d));
            if let Some((inst, first)) = join(&f.insts[i].inst, &maker) {
                f.insts[i].inst = inst;
                left_out[first] = true;
            }
            if let Some(dst) = result(&f.insts[i].inst).filter(|r| uses[r.vreg().vreg()] == 1) {
                made.insert(dst.vreg().vreg(), i);
            }
        }
    }
    let mut kept = Vec::with_capacity(f.insts.len());
    let mut insts = std::mem::take(&mut f.insts).into_iter().enumerate();
    // The blocks' instructions follow each other.
    for b in &mut f.blocks {
        let first = kept.len() as u32;
        let n = (b.end - b.first) as usize;
        kept.extend(insts.by_ref().take(n).filter(|(i, _)| !left_out[*i]).map(|(_, data)| data));
        (b.first, b.end) = (first, kept.len() as u32);
    }
    f.insts = kept;
}

/// What the instructions that may be left out make.
fn result(inst: &Inst) -> Option<Reg> {
    match *inst {
        Inst::Alu { dst, .. } | Inst::Unary { dst, .. } => Some(dst),
        _ => None,
    }
}

fn bits(size: Size) -> u32 {
    match size {
        Size::S32 => 32,
        Size::S64 => 64,
    }
}

/// `inst` joined with the instruction that makes one of its operands, and which that is.
fn join<'a>(inst: &Inst, maker: &dyn Fn(Reg) -> Option<(&'a Inst, usize)>) -> Option<(Inst, usize)> {
    match *inst {
        Inst::Alu { op: op @ (Alu::Add | Alu::Sub | Alu::And | Alu::Or | Alu::Xor), size, dst, a, b: RegImm::Reg(b) } => {
            let second = maker(b).and_then(|(m, d)| Some((second_operand(op, size, dst, a, m)?, d)));
            // The others commute.
            second.or_else(|| {
                let (m, d) = maker(a).filter(|_| op != Alu::Sub)?;
                Some((second_operand(op, size, dst, b, m)?, d))
            })
        }
        Inst::Alu { op: Alu::And, size, dst, a, b: RegImm::Imm(mask) } => {
            let (m, d) = maker(a)?;
            Some((cut(size, dst, m, low_bits(size, mask)?, false)?, d))
        }
        Inst::Alu { op: Alu::Shl, size, dst, a, b: RegImm::Imm(shift) } => {
            let (m, d) = maker(a)?;
            Some((put(size, dst, m, shift as u32)?, d))
        }
        Inst::Unary { op, size, dst, a } => {
            let (width, signed) = match op {
                AluUnary::SignExtend8 => (8, true),
                AluUnary::SignExtend16 => (16, true),
                AluUnary::ZeroExtend16 => (16, false),
                _ => return None,
            };
            let (m, d) = maker(a)?;
            Some((cut(size, dst, m, width, signed)?, d))
        }
        _ => None,
    }
}

/// `dst = a op made`.
fn second_operand(op: Alu, size: Size, dst: Reg, a: Reg, made: &Inst) -> Option<Inst> {
    let adds = matches!(op, Alu::Add | Alu::Sub);
    match *made {
        Inst::Alu { op: shift @ (Alu::Shl | Alu::Shr | Alu::Ushr), size: s, a: b, b: RegImm::Imm(n), .. } if s == size => {
            let n = n as u8;
            let modifier = match shift {
                Alu::Shl => Modifier::Shl(n),
                Alu::Shr => Modifier::Shr(n),
                _ => Modifier::Ushr(n),
            };
            Some(Inst::AluModified { op, size, dst, a, b, modifier })
        }
        Inst::Alu { op: Alu::Xor, size: s, a: b, b: RegImm::Imm(-1), .. } if s == size && !adds => {
            Some(Inst::AluModified { op, size, dst, a, b, modifier: Modifier::Not })
        }
        Inst::Alu { op: Alu::Mul, size: s, a: x, b: RegImm::Reg(y), .. } if s == size && adds => {
            Some(Inst::MulAdd { subtract: op == Alu::Sub, size, dst, a: x, b: y, addend: a })
        }
        Inst::Unary { op: extend @ (AluUnary::SignExtend32 | AluUnary::ZeroExtend32), a: b, .. }
            if size == Size::S64 && adds =>
        {
            let signed = extend == AluUnary::SignExtend32;
            let modifier = if signed { Modifier::SignExtend32 } else { Modifier::ZeroExtend32 };
            Some(Inst::AluModified { op, size, dst, a, b, modifier })
        }
        _ => None,
    }
}

/// How many low bits `mask` leaves, if it leaves just those.
fn low_bits(size: Size, mask: i64) -> Option<u32> {
    let mask = if size == Size::S32 { u64::from(mask as u32) } else { mask as u64 };
    let width = mask.trailing_ones();
    (width > 0 && width < bits(size) && mask >> width == 0).then_some(width)
}

/// The low `width` bits of what a shift to the right or an extension makes.
fn cut(size: Size, dst: Reg, made: &Inst, width: u32, signed: bool) -> Option<Inst> {
    match *made {
        Inst::Alu { op: Alu::Shr | Alu::Ushr, size: s, a, b: RegImm::Imm(n), .. }
            if s == size && n as u32 + width <= bits(size) =>
        {
            let rotate = n as u8;
            Some(Inst::BitField { signed, size, dst, a, rotate, top: rotate + width as u8 - 1 })
        }
        Inst::Unary { op: AluUnary::SignExtend32 | AluUnary::ZeroExtend32, a, .. } if width <= 32 && !signed => {
            Some(Inst::BitField { signed, size, dst, a, rotate: 0, top: width as u8 - 1 })
        }
        _ => None,
    }
}

/// The low bits that `made` leaves, shifted to the left.
fn put(size: Size, dst: Reg, made: &Inst, shift: u32) -> Option<Inst> {
    match *made {
        Inst::Alu { op: Alu::And, size: s, a, b: RegImm::Imm(mask), .. } if s == size && shift > 0 => {
            let width = low_bits(size, mask)?.min(bits(size) - shift);
            let rotate = (bits(size) - shift) as u8;
            Some(Inst::BitField { signed: false, size, dst, a, rotate, top: width as u8 - 1 })
        }
        _ => None,
    }
}
