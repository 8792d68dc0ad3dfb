//! Register allocation by regalloc2: the low-level IR as it wants to see it, and the result put back.

use super::lir::{Function, Reg};
use super::machine::{Machine, Operands};
use crate::compiler::refusal::Refusal;
use regalloc2::{
    Algorithm, Allocation, Block, Inst, InstRange, Operand, OperandConstraint, OperandKind, OperandPos, Output, PReg,
    PRegSet, RegAllocError, RegClass, RegallocOptions, VReg,
};

/// A function as the allocator sees it.
pub struct Problem {
    operands: Vec<Operand>,
    /// First operand of each instruction, and the end.
    first: Vec<u32>,
    clobbers: Vec<PRegSet>,
    blocks: Vec<BlockShape>,
    /// (terminator of a block, ends a path).
    ends: Vec<(bool, bool)>,
    vregs: usize,
}

struct BlockShape {
    range: InstRange,
    succs: Vec<Block>,
    preds: Vec<Block>,
    params: Vec<VReg>,
    /// For each successor.
    args: Vec<Vec<VReg>>,
}

/// Collects constraints.
struct Collector<'a> {
    operands: &'a mut Vec<Operand>,
    clobbers: PRegSet,
}

impl Collector<'_> {
    fn push(&mut self, r: &Reg, c: OperandConstraint, kind: OperandKind, pos: OperandPos) {
        self.operands.push(Operand::new(r.vreg(), c, kind, pos))
    }
}

impl Operands for Collector<'_> {
    fn reg(&mut self, r: &mut Reg) {
        self.push(r, OperandConstraint::Reg, OperandKind::Use, OperandPos::Early)
    }
    fn late(&mut self, r: &mut Reg) {
        self.push(r, OperandConstraint::Reg, OperandKind::Use, OperandPos::Late)
    }
    fn fixed(&mut self, r: &mut Reg, p: PReg) {
        self.push(r, OperandConstraint::FixedReg(p), OperandKind::Use, OperandPos::Early)
    }
    fn def(&mut self, r: &mut Reg) {
        self.push(r, OperandConstraint::Reg, OperandKind::Def, OperandPos::Late)
    }
    fn fixed_def(&mut self, r: &mut Reg, p: PReg) {
        self.push(r, OperandConstraint::FixedReg(p), OperandKind::Def, OperandPos::Late)
    }
    fn reuse_def(&mut self, r: &mut Reg, operand: usize) {
        self.push(r, OperandConstraint::Reuse(operand), OperandKind::Def, OperandPos::Late)
    }
    fn temp(&mut self, r: &mut Reg) {
        self.push(r, OperandConstraint::Reg, OperandKind::Def, OperandPos::Early)
    }
    fn fixed_temp(&mut self, r: &mut Reg, p: PReg) {
        self.push(r, OperandConstraint::FixedReg(p), OperandKind::Def, OperandPos::Early)
    }
    fn clobber(&mut self, set: PRegSet) {
        self.clobbers.union_from(set)
    }
}

/// Puts allocations in.
struct Assigner<'a> {
    allocations: &'a [Allocation],
    next: usize,
}

impl Assigner<'_> {
    fn put(&mut self, r: &mut Reg) {
        let p = self.allocations[self.next].as_reg().expect("operands of instructions are in registers");
        debug_assert_eq!(p.class(), r.class());
        *r = Reg::physical(p);
        self.next += 1;
    }
}

impl Operands for Assigner<'_> {
    fn reg(&mut self, r: &mut Reg) {
        self.put(r)
    }
    fn late(&mut self, r: &mut Reg) {
        self.put(r)
    }
    fn fixed(&mut self, r: &mut Reg, _: PReg) {
        self.put(r)
    }
    fn def(&mut self, r: &mut Reg) {
        self.put(r)
    }
    fn fixed_def(&mut self, r: &mut Reg, _: PReg) {
        self.put(r)
    }
    fn reuse_def(&mut self, r: &mut Reg, _: usize) {
        self.put(r)
    }
    fn temp(&mut self, r: &mut Reg) {
        self.put(r)
    }
    fn fixed_temp(&mut self, r: &mut Reg, _: PReg) {
        self.put(r)
    }
    fn clobber(&mut self, _: PRegSet) {}
}

impl Problem {
    pub fn new<M: Machine>(f: &mut Function) -> Problem {
        let mut p = Problem {
            operands: vec![],
            first: vec![],
            clobbers: vec![],
            blocks: vec![],
            ends: vec![],
            vregs: f.vregs,
        };
        for i in &mut f.insts {
            p.first.push(p.operands.len() as u32);
            let mut c = Collector { operands: &mut p.operands, clobbers: PRegSet::empty() };
            M::operands(&mut i.inst, &mut c);
            let clobbers = c.clobbers;
            p.clobbers.push(clobbers);
            if let Some(s) = i.state {
                for u in &f.states[s as usize].uses {
                    let (any, late) = (OperandConstraint::Any, OperandPos::Late);
                    p.operands.push(Operand::new(u.vreg(), any, OperandKind::Use, late));
                }
            }
            p.ends.push((i.inst.is_terminator(), i.inst.is_exit()));
        }
        p.first.push(p.operands.len() as u32);
        let vregs = |v: &[Reg]| v.iter().map(|r| r.vreg()).collect::<Vec<_>>();
        for b in &f.blocks {
            p.blocks.push(BlockShape {
                range: InstRange::new(Inst::new(b.first as usize), Inst::new(b.end as usize)),
                succs: b.succs.iter().map(|s| Block::new(s.0 as usize)).collect(),
                preds: b.preds.iter().map(|&b| Block::new(b as usize)).collect(),
                params: vregs(&b.params),
                args: b.succs.iter().map(|s| vregs(&s.1)).collect(),
            });
        }
        p
    }

    /// Allocates. The quick allocator gives up where too many fixed registers meet; the other one does not.
    pub fn solve<M: Machine>(&self, quick: bool) -> Result<Output, Refusal> {
        let options = |algorithm| RegallocOptions { verbose_log: false, validate_ssa: cfg!(debug_assertions), algorithm };
        if quick {
            if let Ok(out) = regalloc2::run(self, M::env(), &options(Algorithm::Fastalloc)) {
                return Ok(out);
            }
        }
        regalloc2::run(self, M::env(), &options(Algorithm::Ion)).map_err(|e| {
            Refusal::RegisterAllocation(match e {
                RegAllocError::TooManyLiveRegs => "too many live registers",
                RegAllocError::TooManyOperands => "too many operands",
                _ => "malformed input",
            })
        })
    }

    /// Replaces virtual by physical registers in instruction `i`; where the values of its state are.
    pub fn assign<'o, M: Machine>(&self, f: &mut Function, out: &'o Output, i: usize) -> &'o [Allocation] {
        let allocations = out.inst_allocs(Inst::new(i));
        let mut a = Assigner { allocations, next: 0 };
        M::operands(&mut f.insts[i].inst, &mut a);
        &allocations[a.next..]
    }

    /// Everything that is wrong with a solution, by regalloc2's own checker (tests).
    pub fn check<M: Machine>(&self, out: &Output) -> Result<(), String> {
        let mut checker = regalloc2::checker::Checker::new(self, M::env());
        checker.prepare(out);
        checker.run().map_err(|e| format!("{e:?}"))
    }
}

impl regalloc2::Function for Problem {
    fn num_insts(&self) -> usize {
        self.clobbers.len()
    }
    fn num_blocks(&self) -> usize {
        self.blocks.len()
    }
    fn entry_block(&self) -> Block {
        Block::new(0)
    }
    fn block_insns(&self, b: Block) -> InstRange {
        self.blocks[b.index()].range
    }
    fn block_succs(&self, b: Block) -> &[Block] {
        &self.blocks[b.index()].succs
    }
    fn block_preds(&self, b: Block) -> &[Block] {
        &self.blocks[b.index()].preds
    }
    fn block_params(&self, b: Block) -> &[VReg] {
        &self.blocks[b.index()].params
    }
    fn is_ret(&self, i: Inst) -> bool {
        self.ends[i.index()].1
    }
    fn is_branch(&self, i: Inst) -> bool {
        self.ends[i.index()] == (true, false)
    }
    fn branch_blockparams(&self, b: Block, _: Inst, succ: usize) -> &[VReg] {
        &self.blocks[b.index()].args[succ]
    }
    fn inst_operands(&self, i: Inst) -> &[Operand] {
        &self.operands[self.first[i.index()] as usize..self.first[i.index() + 1] as usize]
    }
    fn inst_clobbers(&self, i: Inst) -> PRegSet {
        self.clobbers[i.index()]
    }
    fn num_vregs(&self) -> usize {
        self.vregs
    }
    fn spillslot_size(&self, _: RegClass) -> usize {
        1
    }
}
