//! Values and their registers.

use super::{class_of, fsize_of, size_of, Lower};
use crate::code::assembled::Where;
use crate::compiler::backend::lir::{AluUnary, Base, Inst, Reg, RegImm, Size};
use crate::compiler::backend::lir::{Addr, Slot};
use crate::compiler::backend::Machine;
use crate::compiler::ir::{Convert, InstData, Mem, Op, Order, Terminator, Type, Value, ValueDef};

impl<M: Machine> Lower<'_, M> {
    /// Works out what is needed before the first instruction: parameters that are just another value, uses,
    /// clean upper halves.
    pub(super) fn analyse(&mut self) {
        let f = self.f;
        let order = f.reverse_postorder();
        let preds = f.predecessors();
        for &b in &order {
            for e in f.blocks[b].term.edges() {
                if preds[e.block].len() == 1 && e.block != f.entry {
                    for (&p, &a) in f.blocks[e.block].params.iter().zip(&e.args) {
                        self.stand_in[p] = Some(a);
                    }
                }
            }
        }
        let mut count = |v: Value| self.uses[f.resolve(v)] += 1;
        for &b in &order {
            for &i in &f.blocks[b].insts {
                f.insts[i].args.iter().for_each(|&v| count(v));
                let mut state = f.insts[i].state;
                while let Some(s) = state {
                    f.states[s].uses().into_iter().for_each(&mut count);
                    state = f.states[s].parent;
                }
            }
            let mut term = f.blocks[b].term.clone();
            term.for_each_use(|v| count(*v));
            if let Terminator::Deopt { state, .. } = term {
                let mut state = Some(state);
                while let Some(s) = state {
                    f.states[s].uses().into_iter().for_each(&mut count);
                    state = f.states[s].parent;
                }
            }
        }
        self.find_clean(&order);
        if self.options.implicit_nulls {
            order.iter().for_each(|&b| self.plan_null_checks(b));
        }
    }

    /// Which i32 values have registers with a zero upper half: all that an instruction computes; parameters
    /// whose arguments all have.
    fn find_clean(&mut self, order: &[crate::compiler::ir::Block]) {
        let f = self.f;
        let i32s = |v: Value| f.ty(v) == Type::I32;
        for &b in order {
            for &p in f.blocks[b].params.iter().filter(|&&p| i32s(p)) {
                self.clean[p] = b != f.entry;
            }
            for &i in &f.blocks[b].insts {
                if let Some(r) = f.insts[i].result.filter(|&r| i32s(r)) {
                    self.clean[r] = match f.insts[i].op {
                        Op::Call(_) | Op::CallRuntime(_) | Op::Convert(Convert::I64ToI32) => false,
                        // These take their argument's register, below.
                        _ => true,
                    };
                }
            }
        }
        loop {
            let mut changed = false;
            let mut spoil = |l: &mut Self, v: Value, by: Value| {
                let by = f.resolve(by);
                if l.clean[v] && !l.clean[by] {
                    l.clean[v] = false;
                    changed = true;
                }
            };
            for &b in order {
                for &i in &f.blocks[b].insts {
                    if let (Op::BoundsCheck | Op::DivZeroCheck, Some(r)) = (&f.insts[i].op, f.insts[i].result) {
                        spoil(self, r, f.insts[i].args[0]);
                    }
                }
                for e in f.blocks[b].term.edges() {
                    for (&p, &a) in f.blocks[e.block].params.iter().zip(&e.args) {
                        spoil(self, p, a);
                    }
                }
            }
            if !changed {
                return;
            }
        }
    }

    /// The value whose register `v` has: through checks, truncations and parameters with one source.
    pub(super) fn strip(&self, v: Value) -> Value {
        let mut v = self.f.resolve(v);
        loop {
            let next = match self.f.values[v].def {
                ValueDef::Param(..) => self.stand_in[v],
                ValueDef::Result(i) => {
                    let d = &self.f.insts[i];
                    match d.op {
                        Op::NullCheck | Op::BoundsCheck | Op::DivZeroCheck | Op::CheckCast(_) | Op::ExactClass(..) => {
                            Some(d.args[0])
                        }
                        Op::StoreCheck => Some(d.args[1]),
                        Op::Convert(Convert::I64ToI32) => Some(d.args[0]),
                        Op::Convert(Convert::U32ToI64) if self.clean[self.f.resolve(d.args[0])] => Some(d.args[0]),
                        _ => None,
                    }
                }
                ValueDef::Alias(_) => None,
            };
            match next {
                Some(n) => v = self.f.resolve(n),
                None => return v,
            }
        }
    }

    /// The instruction behind `v`, checks and the like stripped.
    pub(super) fn def(&self, v: Value) -> Option<&InstData> {
        match self.f.values[self.strip(v)].def {
            ValueDef::Result(i) => Some(&self.f.insts[i]),
            _ => None,
        }
    }

    /// The integer that `v` is, truncated to its type.
    pub(super) fn constant(&self, v: Value) -> Option<i64> {
        match self.def(v)?.op {
            // A truncation may have been stripped: the low half counts.
            Op::Const(c) if self.f.ty(v) == Type::I32 => Some(c as i32 as i64),
            Op::Const(c) if self.f.ty(self.strip(v)) == Type::I32 && self.f.ty(v) == Type::I64 => Some(c as u32 as i64),
            Op::Const(c) => Some(c),
            Op::Null => Some(0),
            _ => None,
        }
    }

    /// Where a value that needs no register is at a debug point.
    pub(super) fn known(&self, v: Value) -> Option<Where> {
        let ty = self.f.ty(v);
        Some(match &self.def(v)?.op {
            Op::Const(_) | Op::Null => Where::Const(ty, self.constant(v)? as u64),
            Op::FConst(bits) => Where::Const(ty, *bits),
            Op::Object(slot) => Where::Object(*slot),
            Op::Mirror(class) => Where::Mirror(class),
            _ => return None,
        })
    }

    /// Certain not to be null.
    pub(super) fn non_null(&self, v: Value) -> bool {
        let mut v = self.f.resolve(v);
        loop {
            if self.f.values[v].facts.non_null {
                return true;
            }
            let next = match self.f.values[v].def {
                ValueDef::Param(..) => self.stand_in[v],
                ValueDef::Result(i) => {
                    let d = &self.f.insts[i];
                    match d.op {
                        Op::NullCheck | Op::ExactClass(..) | Op::NewInstance(_) | Op::NewArray(_) | Op::Object(_)
                        | Op::Mirror(_) | Op::CurrentThread | Op::TakeException => return true,
                        Op::CheckCast(_) => Some(d.args[0]),
                        Op::StoreCheck => Some(d.args[1]),
                        _ => None,
                    }
                }
                ValueDef::Alias(_) => None,
            };
            match next {
                Some(n) => v = self.f.resolve(n),
                None => return false,
            }
        }
    }

    /// The register of `v`; a constant is made in a new one here.
    pub(super) fn reg(&mut self, v: Value) -> Reg {
        let s = self.strip(v);
        let ty = self.f.ty(v);
        if let Some(d) = self.def(v) {
            match d.op {
                Op::Const(_) | Op::Null => {
                    let value = self.constant(v).expect("a constant");
                    return self.imm(size_of(ty), value);
                }
                Op::FConst(bits) => {
                    let dst = self.fresh(class_of(ty));
                    self.emit(Inst::FImm { dst, size: fsize_of(ty), bits });
                    return dst;
                }
                Op::Object(slot) => {
                    let dst = self.int();
                    let (mem, order) = (Mem::Ptr64, Order::Plain);
                    self.emit(Inst::Load { mem, order, dst, addr: Addr::absolute(slot) });
                    return dst;
                }
                Op::Mirror(class) => {
                    let address = class.mirror().address();
                    return self.imm(Size::S64, address as i64);
                }
                _ => {}
            }
        }
        self.own_reg(s)
    }

    /// The register of a value that is not a constant and stands for itself.
    pub(super) fn own_reg(&mut self, v: Value) -> Reg {
        if let Some(r) = self.regs[v] {
            return r;
        }
        let r = self.fresh(class_of(self.f.ty(v)));
        self.regs[v] = Some(r);
        r
    }

    /// The result's register, if somebody asked for it.
    pub(super) fn wanted(&self, v: Option<Value>) -> Option<Reg> {
        self.regs[v?]
    }

    /// The result's register, asked for or not.
    pub(super) fn result(&mut self, i: &InstData) -> Reg {
        self.own_reg(i.result.expect("the operation has a result"))
    }

    /// A register with this integer.
    pub(super) fn imm(&mut self, size: Size, value: i64) -> Reg {
        let dst = self.int();
        self.emit(Inst::Imm { dst, size, value });
        dst
    }

    /// The value as an immediate if it is a constant that `fits`, else its register.
    pub(super) fn reg_or_imm(&mut self, v: Value, fits: impl Fn(i64) -> bool) -> RegImm {
        match self.constant(v) {
            Some(c) if fits(c) => RegImm::Imm(c),
            _ => RegImm::Reg(self.reg(v)),
        }
    }

    /// The register of an i32 with zero upper half.
    pub(super) fn clean_reg(&mut self, v: Value) -> Reg {
        let a = self.reg(v);
        if self.clean[self.f.resolve(v)] || self.constant(v).is_some() {
            return a;
        }
        let dst = self.int();
        self.emit(Inst::Unary { op: AluUnary::ZeroExtend32, size: Size::S64, dst, a });
        dst
    }

    /// A base for addresses off `v`: constants below 4 GiB need no register.
    pub(super) fn base(&mut self, v: Value) -> Base {
        match self.constant(v) {
            Some(c) if (0..=u32::MAX as i64).contains(&c) => Base::Absolute(c as u32),
            _ => Base::Reg(self.reg(v)),
        }
    }

    /// How a frame state names `v`.
    pub(super) fn slot(&mut self, v: Value, uses: &mut Vec<Reg>) -> Slot {
        if let Some(w) = self.known(v) {
            return Slot::Known(w);
        }
        let r = self.reg(v);
        let at = uses.iter().position(|&u| u == r).unwrap_or_else(|| {
            uses.push(r);
            uses.len() - 1
        });
        Slot::Use(self.f.ty(v), at as u32)
    }
}
