//! Conditional elimination: where a branch has been decided on the way here, its condition is a constant, and
//! a reference found not to be null needs no check.

use crate::compiler::ir::dominators::Dominators;
use crate::compiler::ir::{Block, Cond, Function, Op, Terminator, Type, Value, ValueDef};
use crate::meta::class::ClassRef;
use rustc_hash::FxHashMap;

pub fn run(f: &mut Function) -> bool {
    f.resolve_aliases();
    let dom = Dominators::new(f);
    let preds = f.predecessors();
    let mut children: Vec<Vec<Block>> = vec![vec![]; dom.order.len()];
    for &b in &dom.order[1..] {
        if let Some(d) = dom.immediate(b) {
            children[dom.place(d)].push(b);
        }
    }
    let mut w = Walk { f, known: FxHashMap::default(), changed: false };
    enum Step {
        Enter(Block),
        Leave(Vec<Fact>),
    }
    let mut work = vec![Step::Enter(w.f.entry)];
    while let Some(step) = work.pop() {
        match step {
            Step::Leave(facts) => facts.into_iter().for_each(|x| {
                w.known.remove(&x);
            }),
            Step::Enter(b) => {
                let mut added = Vec::new();
                // What the only way in has established.
                if let [p] = preds[b][..] {
                    if let Terminator::Branch { cond, then, other, .. } = w.f.blocks[p].term.clone() {
                        if then.block != other.block {
                            w.learn(cond, then.block == b, &mut added);
                        }
                    }
                }
                w.block(b);
                work.push(Step::Leave(added));
                work.extend(children[dom.place(b)].iter().map(|&c| Step::Enter(c)));
            }
        }
    }
    let changed = w.changed;
    f.resolve_aliases();
    changed
}

/// Something known on the way.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
enum Fact {
    /// This value's truth.
    Value(Value),
    /// The truth of a comparison of these.
    Compare(Cond, Value, Value),
    /// Not null.
    NonNull(Value),
    /// Exactly of the class with this class word.
    Class(Value, i64),
    /// An instance of the class or a subclass.
    Instance(Value, ClassRef),
}

struct Walk<'a> {
    f: &'a mut Function,
    known: FxHashMap<Fact, bool>,
    changed: bool,
}

impl Walk<'_> {
    fn add(&mut self, fact: Fact, holds: bool, added: &mut Vec<Fact>) {
        if !self.known.contains_key(&fact) {
            self.known.insert(fact.clone(), holds);
            added.push(fact);
        }
    }

    fn learn(&mut self, cond: Value, truth: bool, added: &mut Vec<Fact>) {
        let cond = self.f.resolve(cond);
        self.add(Fact::Value(cond), truth, added);
        let Some(d) = self.f.def(cond) else { return };
        match (&d.op, &d.args[..]) {
            (Op::Compare(c), &[a, b]) => {
                let (c, a, b) = (*c, self.f.resolve(a), self.f.resolve(b));
                if self.f.ty(a) == Type::Ref {
                    let is_null = |v| matches!(self.f.def(v), Some(i) if i.op == Op::Null);
                    if (c == Cond::Ne) == truth {
                        if is_null(b) {
                            self.add(Fact::NonNull(a), true, added);
                        } else if is_null(a) {
                            self.add(Fact::NonNull(b), true, added);
                        }
                    }
                }
                // Whether it is so that something is so.
                let truths = |v| matches!(self.f.def(v), Some(i) if matches!(i.op, Op::InstanceOf(_)));
                if matches!(c, Cond::Eq | Cond::Ne) && self.f.as_const(b) == Some(0) && truths(a) {
                    self.learn(a, (c == Cond::Ne) == truth, added);
                }
                for (c, x, y) in [(c, a, b), (c.swap(), b, a)] {
                    self.add(Fact::Compare(c, x, y), truth, added);
                    self.add(Fact::Compare(c.negate(), x, y), !truth, added);
                }
                if (c == Cond::Eq) == truth && matches!(c, Cond::Eq | Cond::Ne) {
                    for (class, word) in [(a, b), (b, a)] {
                        if let (Some(Op::LoadClass), Some(w)) = (self.f.def(class).map(|d| &d.op), self.f.as_const(word)) {
                            let object = self.f.resolve(self.f.def(class).expect("a load of a class").args[0]);
                            self.add(Fact::Class(object, w), true, added);
                        }
                    }
                }
            }
            (&Op::InstanceOf(c), &[a]) if truth => {
                let a = self.f.resolve(a);
                self.add(Fact::NonNull(a), true, added);
                self.add(Fact::Instance(a, c), true, added);
            }
            _ => {}
        }
    }

    fn block(&mut self, b: Block) {
        let insts = std::mem::take(&mut self.f.blocks[b].insts);
        let mut kept = Vec::with_capacity(insts.len());
        for i in insts {
            for n in 0..self.f.insts[i].args.len() {
                self.f.insts[i].args[n] = self.f.resolve(self.f.insts[i].args[n]);
            }
            let d = &self.f.insts[i];
            match d.op {
                Op::NullCheck if self.known.contains_key(&Fact::NonNull(d.args[0])) => {
                    let (r, a) = (d.result.expect("a check has a value"), d.args[0]);
                    self.f.replace(r, a);
                    self.changed = true;
                    continue;
                }
                Op::CheckCast(c) if self.known.contains_key(&Fact::Instance(d.args[0], c)) => {
                    let (r, a) = (d.result.expect("a check has a value"), d.args[0]);
                    self.f.replace(r, a);
                    self.changed = true;
                    continue;
                }
                // A call has been split by the receiver's class.
                Op::ExactClass(c, ..) if self.known.contains_key(&Fact::Class(d.args[0], i64::from(c.word()))) => {
                    let (r, a) = (d.result.expect("a check has a value"), d.args[0]);
                    self.f.replace(r, a);
                    self.changed = true;
                    continue;
                }
                Op::Compare(c) => {
                    if let Some(&truth) = self.known.get(&Fact::Compare(c, d.args[0], d.args[1])) {
                        super::rewrite::make_const(self.f, i, i64::from(truth));
                        self.changed = true;
                    }
                }
                Op::BoundsCheck => {
                    let fact = Fact::Compare(Cond::ULt, d.args[0], d.args[1]);
                    if self.known.get(&fact) == Some(&true) {
                        let (r, a) = (d.result.expect("a check has a value"), d.args[0]);
                        self.f.replace(r, a);
                        self.changed = true;
                        continue;
                    }
                }
                _ => {}
            }
            kept.push(i);
        }
        self.f.blocks[b].insts = kept;
        if let Terminator::Branch { cond, then, other, .. } = &self.f.blocks[b].term {
            let cond = self.f.resolve(*cond);
            let constant = matches!(self.f.values[cond].def, ValueDef::Result(i) if matches!(self.f.insts[i].op, Op::Const(_)));
            if let (false, Some(&truth)) = (constant, self.known.get(&Fact::Value(cond))) {
                let e = if truth { then.clone() } else { other.clone() };
                self.f.blocks[b].term = Terminator::Jump(e);
                self.changed = true;
            }
        }
    }
}
