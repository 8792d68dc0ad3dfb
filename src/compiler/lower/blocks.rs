//! Blocks, edges, terminators, and the walk over all instructions.

use super::Lower;
use crate::code::abi::{assign, Location};
use crate::compiler::backend::lir::{Inst, InstData, Reg, Succ};
use crate::compiler::backend::Machine;
use crate::compiler::ir::{self, Binary, Edge, Op, Runtime, Terminator, Type};
use crate::compiler::refusal::Refusal;
use cranelift_entity::SecondaryMap;

/// Executed less often than this, relative to the entry: laid out at the end.
const COLD: f32 = 1.0 / 128.0;

/// A successor: the edge, the low-level block it leads to at first, and whether that is one of its own, made to
/// split it.
struct Exit {
    edge: Edge,
    to: u32,
    split: bool,
}

/// The edges out of a block, equal ones of a switch once.
fn distinct_edges(t: &Terminator) -> Vec<Edge> {
    let mut out: Vec<Edge> = Vec::new();
    let switch = matches!(t, Terminator::Switch { .. });
    for e in t.edges() {
        if !(switch && out.contains(e)) {
            out.push(e.clone());
        }
    }
    out
}

impl<M: Machine> Lower<'_, M> {
    pub(super) fn blocks(&mut self) -> Result<(), Refusal> {
        let f = self.f;
        let handlers: Vec<ir::Block> = f
            .reverse_postorder()
            .iter()
            .filter_map(|&b| match &f.blocks[b].term {
                Terminator::Try(_, handler) => Some(handler.block),
                _ => None,
            })
            .collect();
        let is_cold = |b: ir::Block| {
            f.blocks[b].frequency < COLD
                || matches!(
                    f.blocks[b].term,
                    Terminator::Deopt { .. } | Terminator::Throw(_) | Terminator::Unreachable
                )
                || handlers.contains(&b)
        };
        let (order, headers) = super::layout::order(f, is_cold);
        let preds = f.predecessors();
        if f.osr_bci.is_some() {
            self.osr_buffer = Some(self.int());
        }
        let before_entry = (!preds[f.entry].is_empty()).then(|| self.new_block(None));
        let mut exits: Vec<Vec<Exit>> = order
            .iter()
            .map(|&b| {
                let edges = distinct_edges(&f.blocks[b].term);
                let many = edges.len() > 1;
                let split = |to: ir::Block| many && (preds[to].len() > 1 || to == f.entry);
                edges.into_iter().map(|edge| Exit { split: split(edge.block), edge, to: 0 }).collect()
            })
            .collect();
        // Number the blocks. Those on split edges go before the edges' targets if these come later, so that they
        // fall into them; those on back-edges behind the edges' sources.
        let mut place: SecondaryMap<ir::Block, usize> = SecondaryMap::with_capacity(f.blocks.len());
        let mut incoming: SecondaryMap<ir::Block, Vec<(usize, usize)>> = SecondaryMap::with_capacity(f.blocks.len());
        for (n, &b) in order.iter().enumerate() {
            place[b] = n;
            for (x, exit) in exits[n].iter().enumerate().filter(|(_, x)| x.split) {
                incoming[exit.edge.block].push((n, x));
            }
        }
        for (n, &b) in order.iter().enumerate() {
            for &(source, x) in incoming[b].iter().filter(|i| i.0 < n) {
                exits[source][x].to = self.new_block(None);
            }
            self.block_of[b] = self.new_block(Some(b));
            self.out.blocks[self.block_of[b] as usize].heads_loop = headers[b];
            for x in exits[n].iter_mut().filter(|x| x.split && place[x.edge.block] <= n) {
                x.to = self.new_block(None);
            }
        }
        for x in exits.iter_mut().flatten().filter(|x| !x.split) {
            x.to = self.block_of[x.edge.block];
        }
        for (&b, exits) in order.iter().zip(&exits).rev() {
            for x in exits.iter().rev().filter(|x| x.split) {
                self.edge_block(x);
            }
            self.block(b, exits)?;
        }
        self.entry(before_entry);
        for b in 0..self.out.blocks.len() {
            for s in 0..self.out.blocks[b].succs.len() {
                let to = self.out.blocks[b].succs[s].0;
                self.out.blocks[to as usize].preds.push(b as u32);
            }
        }
        Ok(())
    }

    /// Takes the instructions made since the last call, in reverse order, to `rev`.
    fn flush(&mut self, rev: &mut Vec<InstData>) {
        rev.extend(self.buf.drain(..).rev())
    }

    /// Arguments for the parameters that `edge`'s block has.
    fn edge_args(&mut self, edge: &Edge) -> Vec<Reg> {
        let params = &self.f.blocks[edge.block].params;
        let with_register: Vec<_> =
            params.iter().zip(&edge.args).filter(|(&p, _)| self.stand_in[p].is_none()).map(|(_, &a)| a).collect();
        with_register.into_iter().map(|a| self.reg(a)).collect()
    }

    fn edge_block(&mut self, x: &Exit) {
        self.origin = None;
        let args = self.edge_args(&x.edge);
        self.emit(Inst::Jump);
        let to = self.block_of[x.edge.block];
        self.out.blocks[x.to as usize].succs = vec![(to, args)];
        self.code[x.to as usize] = std::mem::take(&mut self.buf);
    }

    fn block(&mut self, b: ir::Block, exits: &[Exit]) -> Result<(), Refusal> {
        let f = self.f;
        let n = self.block_of[b] as usize;
        let mut rev = Vec::new();
        let data = &f.blocks[b];
        let mut insts = &data.insts[..];
        self.origin = None;
        if let Terminator::Try(..) = data.term {
            let (&last, rest) = insts.split_last().expect("a call before Try");
            insts = rest;
            self.origin = Some(last);
            let (call, state) = self.make_call(&f.insts[last])?;
            self.emit_with(Inst::TryCall(call), state.expect("a call that throws has a state"));
        } else {
            self.terminator(&data.term, exits)?;
        }
        let succs = match exits {
            [x] => vec![(x.to, self.jump_args(&x.edge))],
            _ => exits.iter().map(|x| (x.to, vec![])).collect(),
        };
        self.out.blocks[n].succs = succs;
        self.flush(&mut rev);
        for &i in insts.iter().rev() {
            self.origin = Some(i);
            self.inst(&f.insts[i])?;
            self.flush(&mut rev);
        }
        rev.reverse();
        self.code[n] = rev;
        // A parameter that is a register of its own (all are asked for by the edges).
        if b != f.entry || self.out.blocks[0].origin.is_none() {
            let own: Vec<_> = data.params.iter().copied().filter(|&p| self.stand_in[p].is_none()).collect();
            self.out.blocks[n].params = own.into_iter().map(|p| self.own_reg(p)).collect();
        }
        Ok(())
    }

    /// Constants among the arguments are made before the jump.
    fn jump_args(&mut self, e: &Edge) -> Vec<Reg> {
        let jump = self.buf.pop().expect("the jump");
        let args = self.edge_args(e);
        self.buf.push(jump);
        args
    }

    /// Parameters of the function.
    fn entry(&mut self, before: Option<u32>) {
        let f = self.f;
        self.origin = None;
        let params = &f.blocks[f.entry].params;
        let mut regs = Vec::new();
        let mut own = Vec::new();
        if let Some(buffer) = self.osr_buffer {
            regs.push((buffer, Location::Int(M::INT_ARGS[0])));
        } else {
            let (locations, _) = assign(params.iter().map(|&p| f.ty(p).is_float()), M::INT_ARGS);
            for (&p, &l) in params.iter().zip(&locations) {
                let r = match before {
                    Some(_) => self.fresh(super::class_of(f.ty(p))),
                    None => match self.regs[p] {
                        Some(r) => r,
                        None => continue,
                    },
                };
                own.push(r);
                match l {
                    Location::Stack(slot) => self.emit(Inst::LoadIncoming { dst: r, ty: f.ty(p), slot }),
                    l => regs.push((r, l)),
                }
            }
        }
        // First of all, as it says where registers are.
        self.buf.insert(0, InstData { inst: Inst::Args { regs }, state: None, null: None, origin: None });
        match before {
            Some(b) => {
                self.emit(Inst::Jump);
                self.code[b as usize] = std::mem::take(&mut self.buf);
                self.out.blocks[b as usize].succs = vec![(self.block_of[f.entry], own)];
            }
            None => {
                let entry = self.block_of[f.entry] as usize;
                let code = std::mem::take(&mut self.code[entry]);
                self.code[entry] = self.buf.drain(..).chain(code).collect();
            }
        }
    }

    fn terminator(&mut self, t: &Terminator, exits: &[Exit]) -> Result<(), Refusal> {
        match t {
            // (Also a switch all of whose edges are the same.)
            _ if exits.len() == 1 => self.emit(Inst::Jump),
            Terminator::Branch { cond, .. } => {
                let test = self.test(*cond);
                self.emit(Inst::Branch { test })
            }
            Terminator::Switch { key, cases, default } => {
                let succ = |e: &Edge| exits.iter().position(|x| x.edge == *e).expect("an edge") as Succ;
                let cases: Vec<(i32, Succ)> = cases.iter().map(|(k, e)| (*k, succ(e))).collect();
                self.switch(*key, cases, succ(default))
            }
            Terminator::Return(v) => {
                let value = v.map(|v| self.reg(v));
                self.emit(Inst::Return { value })
            }
            Terminator::Throw(v) => {
                let exception = self.reg(*v);
                self.emit(Inst::Throw { exception })
            }
            Terminator::Deopt { reason, action, state } => {
                let state = self.state(*state)?;
                self.emit_with(Inst::Deopt { reason: *reason, action: *action }, state)
            }
            Terminator::Unreachable => self.emit(Inst::Unreachable),
            Terminator::None | Terminator::Jump(_) | Terminator::Try(..) => unreachable!("lowered elsewhere, or not built"),
        }
        Ok(())
    }

    fn switch(&mut self, key: ir::Value, cases: Vec<(i32, Succ)>, default: Succ) {
        let (low, high) = match cases[..] {
            [(low, _), .., (high, _)] => (low, high),
            _ => (0, i32::MAX),
        };
        let key = self.reg(key);
        let range = (i64::from(high) - i64::from(low) + 1) as usize;
        if cases.len() >= 5 && range <= 4 * cases.len() + 8 {
            let mut targets = vec![default; range];
            for &(k, s) in &cases {
                targets[(k as i64 - low as i64) as usize] = s;
            }
            let tmp = self.int();
            self.emit(Inst::TableSwitch { key, low, targets, default, tmp })
        } else {
            self.emit(Inst::SearchSwitch { key, cases, default })
        }
    }

    /// Lowers an instruction, unless nothing needs it.
    fn inst(&mut self, i: &ir::InstData) -> Result<(), Refusal> {
        let op = &i.op;
        let needed = op.has_effect() || op.is_check() || self.wanted(i.result).is_some();
        if !needed {
            return Ok(());
        }
        match op {
            Op::Const(_) | Op::FConst(_) | Op::Null | Op::Object(_) | Op::Mirror(_) => {
                unreachable!("constants have no registers")
            }
            Op::TakeException => {
                let dst = self.result(i);
                self.emit(Inst::TakeException { dst })
            }
            Op::Binary(Binary::Rem) if self.f.ty(i.args[0]) == Type::F64 => self.remainder(Runtime::DRem, i)?,
            Op::Binary(Binary::Rem) if self.f.ty(i.args[0]) == Type::F32 => self.remainder(Runtime::FRem, i)?,
            Op::Binary(b) => self.binary(*b, i),
            Op::Unary(u) => self.unary(*u, i),
            Op::Convert(c) => self.convert(*c, i),
            Op::Compare(_) | Op::FCompare(..) | Op::InstanceOf(_) | Op::IsSubclass => self.set(i),
            Op::Compare3 => {
                let (dst, a, b) = (self.result(i), self.reg(i.args[0]), self.reg(i.args[1]));
                self.emit(Inst::Compare3 { dst, a, b })
            }
            Op::FCompare3(nan) => {
                let size = super::fsize_of(self.f.ty(i.args[0]));
                let (dst, a, b) = (self.result(i), self.reg(i.args[0]), self.reg(i.args[1]));
                self.emit(Inst::FCompare3 { size, nan: *nan, dst, a, b })
            }
            Op::Select => {
                let dst = self.result(i);
                let test = self.test(i.args[0]);
                let (a, b) = (self.reg(i.args[1]), self.reg(i.args[2]));
                let size = super::size_of(self.f.ty(i.args[1]));
                self.emit(Inst::Select { test, size, dst, a, b })
            }
            Op::NullCheck | Op::BoundsCheck | Op::DivZeroCheck | Op::CheckCast(_) | Op::ExactClass(..)
            | Op::StoreCheck | Op::Guard(..) => self.checks(op, i)?,
            Op::Load(..) | Op::Store(..) | Op::LoadElement(_) | Op::StoreElement(_) | Op::ArrayLength | Op::LoadClass
            | Op::LoadUnsafe(..) | Op::StoreUnsafe(..) | Op::CompareExchange(_) | Op::Rmw(..) | Op::LoadRaw(..)
            | Op::StoreRaw(..) | Op::Fence(_) | Op::CurrentThread | Op::OsrLocal(_) => self.memory(op, i)?,
            Op::NewInstance(_) | Op::NewArray(_) => self.allocate(op, i)?,
            Op::Call(_) | Op::CallRuntime(_) => self.call(i)?,
            Op::Safepoint => {
                let state = self.state(i.state.expect("polls have states"))?;
                self.emit_with(Inst::Safepoint, state)
            }
            Op::LoopEntry => {}
            Op::Count(cell) => self.emit(Inst::Count { cell: *cell }),
            Op::ProfileType(rows) => {
                let object = self.reg(i.args[0]);
                let tmp = [self.int(), self.int()];
                self.emit(Inst::ProfileType { object, rows: *rows, tmp })
            }
            Op::CountAndNotify { cell, mask, method, bci } => {
                let state = self.state(i.state.expect("counters have states"))?;
                let tmp = self.int();
                let (cell, mask, method, bci) = (*cell, *mask, *method, *bci);
                self.emit_with(Inst::CountAndNotify { cell, mask, method, bci, tmp }, state)
            }
        }
        Ok(())
    }
}
