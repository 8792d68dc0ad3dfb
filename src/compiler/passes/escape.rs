//! Escape analysis: which objects made here are seen by nobody else (Choi et al., 1999, within one function).
//!
//! Flow-insensitive: a reference may be any object that reaches it through checks, block parameters, and fields of
//! objects that do not escape themselves. Frame states do not count: what they name can be made, or locked, when
//! the interpreter takes over.

use crate::compiler::ir::{Block, Function, Inst, Op, Runtime, Terminator, Type, Value};
use rustc_hash::FxHashMap;
use std::collections::BTreeSet;

/// What a reference may be.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct Points {
    /// Objects by the instruction that makes them.
    pub sites: BTreeSet<Inst>,
    /// ... or one that is not made here.
    pub unknown: bool,
}

impl Points {
    fn unknown() -> Points {
        Points { sites: BTreeSet::new(), unknown: true }
    }

    /// Adds what `other` may be; whether that is more.
    fn join(&mut self, other: &Points) -> bool {
        let before = (self.sites.len(), self.unknown);
        self.sites.extend(other.sites.iter().copied());
        self.unknown |= other.unknown;
        before != (self.sites.len(), self.unknown)
    }
}

/// See the module comment.
pub struct Escape {
    points: FxHashMap<Value, Points>,
    /// What lies in the fields of each object.
    contents: FxHashMap<Inst, Points>,
    escaped: BTreeSet<Inst>,
    /// Every allocation, in the code's order.
    pub sites: Vec<Inst>,
    unknown: Points,
}

impl Escape {
    /// Analyzes `f`, whose aliases have been resolved.
    pub fn new(f: &Function) -> Escape {
        let mut e = Escape {
            points: FxHashMap::default(),
            contents: FxHashMap::default(),
            escaped: BTreeSet::new(),
            sites: Vec::new(),
            unknown: Points::unknown(),
        };
        let order = f.reverse_postorder();
        for &i in order.iter().flat_map(|&b| &f.blocks[b].insts) {
            if let (Op::NewInstance(_) | Op::NewArray(_), Some(r)) = (&f.insts[i].op, f.insts[i].result) {
                e.sites.push(i);
                e.points.entry(r).or_default().sites.insert(i);
                e.contents.insert(i, Points::default());
            }
        }
        if e.sites.is_empty() {
            return e;
        }
        e.begin(f, &order);
        let mut changed = true;
        while changed {
            changed = false;
            for &b in &order {
                for &i in &f.blocks[b].insts {
                    changed |= e.step(f, i);
                }
                changed |= e.leave(f, &f.blocks[b].term);
            }
        }
        e
    }

    /// What is worked out below is nothing yet; everything else is unknown.
    fn begin(&mut self, f: &Function, order: &[Block]) {
        for &b in order {
            let params = f.blocks[b].params.iter().copied().filter(|_| b != f.entry);
            let results = f.blocks[b].insts.iter().filter_map(|&i| {
                let derived = matches!(
                    f.insts[i].op,
                    Op::NullCheck
                        | Op::CheckCast(_)
                        | Op::ExactClass(..)
                        | Op::StoreCheck
                        | Op::Select
                        | Op::Load(..)
                        | Op::LoadElement(_)
                );
                f.insts[i].result.filter(|_| derived)
            });
            for v in params.chain(results).filter(|&v| f.ty(v) == Type::Ref) {
                self.points.insert(v, Points::default());
            }
        }
    }

    /// What `v` may be.
    pub fn points(&self, f: &Function, v: Value) -> &Points {
        match self.points.get(&f.resolve(v)) {
            Some(p) => p,
            None => &self.unknown,
        }
    }

    /// Somebody else may see the object.
    pub fn escapes(&self, site: Inst) -> bool {
        self.escaped.contains(&site)
    }

    fn flow(&mut self, f: &Function, from: Value, to: Value) -> bool {
        if self.is_null(f, from) {
            self.points.entry(to).or_default();
            return false;
        }
        let p = self.points(f, from).clone();
        self.points.entry(to).or_default().join(&p)
    }

    fn is_null(&self, f: &Function, v: Value) -> bool {
        matches!(f.def(v), Some(d) if d.op == Op::Null)
    }

    /// `v` is seen elsewhere, and all that can be reached from it.
    fn escape(&mut self, f: &Function, v: Value) -> bool {
        let mut work: Vec<Inst> = self.points(f, v).sites.iter().copied().collect();
        let mut changed = false;
        while let Some(s) = work.pop() {
            if self.escaped.insert(s) {
                changed = true;
                work.extend(self.contents[&s].sites.iter().copied());
            }
        }
        changed
    }

    /// `v` is put into a field of `base`.
    fn store(&mut self, f: &Function, base: Value, v: Value) -> bool {
        if f.ty(v) != Type::Ref || self.is_null(f, v) {
            return false;
        }
        let (base, p) = (self.points(f, base).clone(), self.points(f, v).clone());
        let mut changed = false;
        if base.unknown {
            changed |= self.escape(f, v);
        }
        for s in base.sites {
            changed |= self.contents.get_mut(&s).is_some_and(|c| c.join(&p));
            if self.escaped.contains(&s) {
                changed |= self.escape(f, v);
            }
        }
        changed
    }

    fn load(&mut self, f: &Function, base: Value, to: Value) -> bool {
        if f.ty(to) != Type::Ref {
            return false;
        }
        let base = self.points(f, base).clone();
        let mut found = Points { unknown: base.unknown, ..Points::default() };
        for s in base.sites {
            found.join(&self.contents[&s]);
            found.unknown |= self.escaped.contains(&s);
        }
        self.points.entry(to).or_default().join(&found)
    }

    fn step(&mut self, f: &Function, i: Inst) -> bool {
        let d = &f.insts[i];
        let a = &d.args;
        match d.op {
            Op::NewInstance(_) | Op::NewArray(_) => false,
            Op::NullCheck | Op::CheckCast(_) | Op::ExactClass(..) => {
                d.result.is_some_and(|r| self.flow(f, a[0], r))
            }
            Op::StoreCheck => d.result.is_some_and(|r| self.flow(f, a[1], r)),
            Op::Select => d.result.filter(|&r| f.ty(r) == Type::Ref).is_some_and(|r| {
                let first = self.flow(f, a[1], r);
                self.flow(f, a[2], r) | first
            }),
            Op::Load(..) | Op::LoadElement(_) => d.result.is_some_and(|r| self.load(f, a[0], r)),
            Op::Store(..) => self.store(f, a[0], a[1]),
            Op::StoreElement(_) => self.store(f, a[0], a[2]),
            // Look at the object, and tell nobody.
            Op::ArrayLength | Op::LoadClass | Op::InstanceOf(_) | Op::Compare(_) | Op::Fence(_) => false,
            Op::CallRuntime(Runtime::MonitorEnter | Runtime::MonitorExit) => false,
            _ => {
                let mut changed = false;
                for &v in a {
                    changed |= f.ty(v) == Type::Ref && self.escape(f, v);
                }
                changed
            }
        }
    }

    fn leave(&mut self, f: &Function, term: &Terminator) -> bool {
        let mut changed = match term {
            Terminator::Return(Some(v)) | Terminator::Throw(v) => f.ty(*v) == Type::Ref && self.escape(f, *v),
            _ => false,
        };
        for e in term.edges() {
            for (&a, &p) in e.args.iter().zip(&f.blocks[e.block].params) {
                changed |= f.ty(p) == Type::Ref && self.flow(f, a, p);
            }
        }
        changed
    }
}
