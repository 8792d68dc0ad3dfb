//! Range checks that cannot fail, and those that one test before a loop makes so.
//!
//! What is known of an i32 at some place comes from three sources: what it is computed from, the branches and
//! checks on every way to that place, and, for a loop's induction variable, where it starts and what ends the
//! loop. All of it is put as linear forms over i32 values in the integers, not modulo 2^32: an index that is
//! congruent to a form whose value lies between 0 and the array's length is that value, so no step of the way
//! there needs to be free of overflow. For the induction variable itself, that its increment does not overflow
//! has to be shown, and is.
//!
//! Where something cannot be shown but depends on nothing in the loop, it is tested before the loop by a guard
//! with the state of the loop's [`Op::LoopEntry`] (reason `predicate`): if it fails, the interpreter runs the
//! loop. The builder leaves the mark out where that has happened too often. Marks are gone after this pass.

use super::loops::{self, Loop};
use super::rewrite::make_const;
use crate::compiler::ir::dominators::Dominators;
use crate::compiler::ir::{
    Action, Binary, Block, Cond, Convert, Function, Inst, Mem, Op, Reason, State, Terminator, Type, Unary, Value,
    ValueDef,
};
use cranelift_entity::SecondaryMap;
use std::cell::Cell;
use rustc_hash::FxHashMap;

/// How many bounds are put in for one another in a proof.
const DEPTH: u32 = 3;
/// Steps that one question may take.
const FUEL: u32 = 4000;
/// Guards before one loop.
const MOST_GUARDS: usize = 12;
/// How often, relative to the loop's header, a check must be reached for a guard to be worth it.
const OFTEN: f32 = 0.3;
const LOWEST: i64 = i32::MIN as i64;
const HIGHEST: i64 = i32::MAX as i64;
/// Coefficients and constants up to these cannot overflow 64 bits in the forms made here.
const MOST_COEFFICIENT: i64 = 1 << 20;
const MOST_CONSTANT: i64 = 1 << 52;
const MOST_TERMS: usize = 4;

pub fn run(f: &mut Function) -> bool {
    f.resolve_aliases();
    let dom = Dominators::new(f);
    let loops = loops::find(f, &dom);
    let home = loops::homes(f, &dom);
    let preds = f.predecessors();
    let (facts, fuel) = (FxHashMap::default(), Cell::new(0));
    let mut p =
        Pass { dom: &dom, loops: &loops, home, preds, facts, known: vec![], inductions: vec![], fuel, f };
    p.collect_facts();
    for l in 0..loops.len() {
        p.find_inductions(l);
    }
    let mut changed = p.checks();
    changed |= remove_marks(f, &dom);
    f.resolve_aliases();
    changed
}

/// Drops the marks, whose states would keep values alive.
fn remove_marks(f: &mut Function, dom: &Dominators) -> bool {
    let mut changed = false;
    for &b in &dom.order {
        let mut insts = std::mem::take(&mut f.blocks[b].insts);
        let before = insts.len();
        insts.retain(|&i| f.insts[i].op != Op::LoopEntry);
        changed |= insts.len() != before;
        f.blocks[b].insts = insts;
    }
    changed
}

/// The state of the mark in a loop's preheader, if guards at its end may use it.
pub fn entry_state(f: &Function, preheader: Block) -> Option<State> {
    let insts = &f.blocks[preheader].insts;
    let mark = insts.iter().rposition(|&i| f.insts[i].op == Op::LoopEntry)?;
    let undisturbed = insts[mark + 1..].iter().all(|&i| !f.insts[i].op.has_effect());
    undisturbed.then(|| f.insts[insts[mark]].state).flatten()
}

/// A sum of multiples of i32 values and a constant, in the integers.
#[derive(Clone, PartialEq, Debug)]
struct Linear {
    /// By ascending value, no coefficient 0.
    terms: Vec<(Value, i64)>,
    constant: i64,
}

impl Linear {
    fn constant(constant: i64) -> Linear {
        Linear { terms: vec![], constant }
    }

    fn of(v: Value) -> Linear {
        Linear { terms: vec![(v, 1)], constant: 0 }
    }

    /// self + factor * other; `None` if that grows too large.
    fn plus(&self, factor: i64, other: &Linear) -> Option<Linear> {
        let mut out = self.clone();
        out.constant = out.constant.checked_add(factor.checked_mul(other.constant)?)?;
        for &(v, c) in &other.terms {
            let c = factor.checked_mul(c)?;
            match out.terms.binary_search_by_key(&v, |t| t.0) {
                Ok(n) => out.terms[n].1 = out.terms[n].1.checked_add(c)?,
                Err(n) => out.terms.insert(n, (v, c)),
            }
        }
        out.terms.retain(|t| t.1 != 0);
        let small = out.terms.iter().all(|t| t.1.abs() <= MOST_COEFFICIENT) && out.constant.abs() <= MOST_CONSTANT;
        (small && out.terms.len() <= MOST_TERMS).then_some(out)
    }

    fn add(mut self, constant: i64) -> Linear {
        self.constant += constant;
        self
    }

    /// With `by` in the place of `v`.
    fn replace(&self, v: Value, by: &Linear) -> Option<Linear> {
        let n = self.terms.binary_search_by_key(&v, |t| t.0).ok()?;
        let mut rest = self.clone();
        let (_, factor) = rest.terms.remove(n);
        rest.plus(factor, by)
    }
}

/// A place in a block: before the instruction of that number.
type At = (Block, usize);

/// The end of a block.
const END: usize = usize::MAX;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    /// At least.
    Low,
    /// At most.
    High,
    Not,
}

/// Something known of a value from a place on.
#[derive(Clone, Debug)]
struct Fact {
    at: At,
    kind: Kind,
    bound: Linear,
}

/// A header's parameter that each iteration moves by constants of one sign.
struct Induction {
    phi: Value,
    looped: usize,
    up: bool,
    start: Linear,
    /// With `up` it is at most the greatest of these in the header, else at least the least.
    far: Vec<Linear>,
    /// It never gets past this, and ends where it is equal.
    end: Option<Linear>,
    /// (value after the step, step), where the step has been shown not to overflow wherever it is computed.
    steps: Vec<(Value, i64)>,
    /// What must not be negative for all this to hold. Empty once it is known to hold.
    unless: Vec<Linear>,
}

struct Pass<'a> {
    f: &'a mut Function,
    dom: &'a Dominators,
    loops: &'a [Loop],
    home: SecondaryMap<Inst, Option<Block>>,
    facts: FxHashMap<Value, Vec<Fact>>,
    /// What guards have made sure is not negative, in the blocks that this one dominates.
    known: Vec<(Block, Linear)>,
    inductions: Vec<Induction>,
    preds: SecondaryMap<Block, Vec<Block>>,
    /// Steps left for the present question: one that takes more is given up.
    fuel: Cell<u32>,
}

impl Pass<'_> {
    // ---------------------------------------------------------------- values

    /// The value itself, checked or not.
    fn strip(&self, v: Value) -> Value {
        let mut v = self.f.resolve(v);
        while let Some(d) = self.f.def(v).filter(|d| matches!(d.op, Op::BoundsCheck | Op::DivZeroCheck)) {
            v = self.f.resolve(d.args[0]);
        }
        v
    }

    /// A form congruent to `v` modulo 2^32.
    fn congruent(&self, v: Value, depth: u32) -> Linear {
        let v = self.strip(v);
        self.step(v, |p, a| match depth {
            0 => Linear::of(p.strip(a)),
            _ => p.congruent(a, depth - 1),
        })
        .unwrap_or_else(|| Linear::of(v))
    }

    /// A form equal to `v`: sums are taken apart where they cannot overflow.
    fn exact(&self, v: Value, at: At, depth: u32) -> Linear {
        let v = self.strip(v);
        if let Some(c) = self.f.as_const(v) {
            return Linear::constant(i64::from(c as i32));
        }
        if depth > 0 {
            if let Some(l) = self.step(v, |p, a| p.exact(a, at, depth - 1)) {
                let (low, high) = self.extent(&l, at, depth - 1);
                if low >= i128::from(LOWEST) && high <= i128::from(HIGHEST) {
                    return l;
                }
            }
        }
        Linear::of(v)
    }

    /// The form of an operation, of its operands' forms.
    fn step(&self, v: Value, form: impl Fn(&Self, Value) -> Linear) -> Option<Linear> {
        let d = self.f.def(v)?;
        let a = &d.args;
        match d.op {
            Op::Const(c) => Some(Linear::constant(i64::from(c as i32))),
            Op::Binary(Binary::Add) => form(self, a[0]).plus(1, &form(self, a[1])),
            Op::Binary(Binary::Sub) => form(self, a[0]).plus(-1, &form(self, a[1])),
            Op::Unary(Unary::Neg) => Linear::constant(0).plus(-1, &form(self, a[0])),
            Op::Binary(Binary::Mul) => {
                let factor = self.f.as_const(a[1]).filter(|c| c.abs() <= MOST_COEFFICIENT)?;
                Linear::constant(0).plus(factor, &form(self, a[0]))
            }
            Op::Binary(Binary::Shl) => {
                let n = self.f.as_const(a[1]).filter(|c| (0..=20).contains(c))?;
                Linear::constant(0).plus(1 << n, &form(self, a[0]))
            }
            _ => None,
        }
    }

    // ---------------------------------------------------------------- facts

    fn collect_facts(&mut self) {
        // In this order what facts about bounds say is known before it is asked for.
        for &b in &self.dom.order {
            self.fuel.set(FUEL);
            if let [p] = self.preds[b][..] {
                for (v, kind, bound) in self.edge_facts(p, b) {
                    self.facts.entry(v).or_default().push(Fact { at: (b, 0), kind, bound });
                }
            }
            for n in 0..self.f.blocks[b].insts.len() {
                let d = &self.f.insts[self.f.blocks[b].insts[n]];
                if d.op == Op::BoundsCheck {
                    let (index, length) = (self.strip(d.args[0]), d.args[1]);
                    let last = self.exact(length, (b, n), DEPTH).add(-1);
                    let facts = self.facts.entry(index).or_default();
                    facts.push(Fact { at: (b, n + 1), kind: Kind::Low, bound: Linear::constant(0) });
                    facts.push(Fact { at: (b, n + 1), kind: Kind::High, bound: last });
                }
            }
        }
    }

    /// What holds when `from` goes on to `to`.
    fn edge_facts(&self, from: Block, to: Block) -> Vec<(Value, Kind, Linear)> {
        let Terminator::Branch { cond, then, other, .. } = &self.f.blocks[from].term else { return vec![] };
        let Some(d) = self.f.def(*cond) else { return vec![] };
        let (Op::Compare(c), true) = (&d.op, then.block != other.block) else { return vec![] };
        if self.f.ty(d.args[0]) != Type::I32 {
            return vec![];
        }
        let c = if then.block == to { *c } else { c.negate() };
        let mut out = Vec::new();
        for (c, a, b) in [(c, d.args[0], d.args[1]), (c.swap(), d.args[1], d.args[0])] {
            let a = self.strip(a);
            if self.f.as_const(a).is_none() {
                self.compared(c, a, b, (from, END), &mut out);
            }
        }
        out
    }

    /// What `a c b` says of `a`.
    fn compared(&self, c: Cond, a: Value, b: Value, at: At, out: &mut Vec<(Value, Kind, Linear)>) {
        let bound = self.exact(b, at, DEPTH);
        let operands = |op: Binary| match self.f.def(self.strip(b)) {
            Some(d) if d.op == Op::Binary(op) => d.args.clone(),
            _ => vec![],
        };
        match c {
            Cond::Lt | Cond::Le => {
                let less = i64::from(c == Cond::Lt);
                out.push((a, Kind::High, bound.add(-less)));
                for x in operands(Binary::Min) {
                    out.push((a, Kind::High, self.exact(x, at, DEPTH).add(-less)));
                }
            }
            Cond::Gt | Cond::Ge => {
                let more = i64::from(c == Cond::Gt);
                out.push((a, Kind::Low, bound.add(more)));
                for x in operands(Binary::Max) {
                    out.push((a, Kind::Low, self.exact(x, at, DEPTH).add(more)));
                }
            }
            Cond::Eq => {
                out.push((a, Kind::High, bound.clone()));
                out.push((a, Kind::Low, bound));
            }
            Cond::Ne => out.push((a, Kind::Not, bound)),
            Cond::ULt | Cond::ULe if self.extent(&bound, at, DEPTH).0 >= 0 => {
                out.push((a, Kind::Low, Linear::constant(0)));
                out.push((a, Kind::High, bound.add(-i64::from(c == Cond::ULt))));
            }
            _ => {}
        }
    }

    fn holds_at(&self, fact: At, at: At) -> bool {
        if fact.0 == at.0 {
            fact.1 <= at.1
        } else {
            self.dom.dominates(fact.0, at.0)
        }
    }

    fn facts_of(&self, v: Value, at: At, kind: Kind) -> Vec<Linear> {
        let all = self.facts.get(&v).map_or(&[][..], |x| x);
        all.iter().rev().filter(|x| x.kind == kind && self.holds_at(x.at, at)).map(|x| x.bound.clone()).collect()
    }

    // ---------------------------------------------------------------- bounds

    /// Takes a step; false if there is none left.
    fn burn(&self) -> bool {
        let left = self.fuel.get();
        self.fuel.set(left.saturating_sub(1));
        left > 0
    }

    /// The least and the greatest value of a form.
    fn extent(&self, l: &Linear, at: At, depth: u32) -> (i128, i128) {
        let mut out = (i128::from(l.constant), i128::from(l.constant));
        for &(v, c) in &l.terms {
            let (low, high) = self.interval(v, at, depth);
            let (x, y) = (i128::from(c) * i128::from(low), i128::from(c) * i128::from(high));
            out = (out.0 + x.min(y), out.1 + x.max(y));
        }
        out
    }

    /// The least and the greatest value of an i32 at a place.
    fn interval(&self, v: Value, at: At, depth: u32) -> (i64, i64) {
        let v = self.strip(v);
        let (mut low, mut high) = self.computed(v, at, depth);
        if depth > 0 && self.burn() {
            let least = |l: &Linear| self.extent(l, at, depth - 1).0;
            let most = |l: &Linear| self.extent(l, at, depth - 1).1;
            for l in self.facts_of(v, at, Kind::Low) {
                low = low.max(clamp(least(&l)));
            }
            for l in self.facts_of(v, at, Kind::High) {
                high = high.min(clamp(most(&l)));
            }
            if let Some(i) = self.inductions.iter().find(|i| i.phi == v && i.unless.is_empty()) {
                if i.up {
                    low = low.max(clamp(least(&i.start)));
                    high = high.min(i.far.iter().map(|l| clamp(most(l))).max().unwrap_or(HIGHEST));
                } else {
                    high = high.min(clamp(most(&i.start)));
                    low = low.max(i.far.iter().map(|l| clamp(least(l))).min().unwrap_or(LOWEST));
                }
            }
        }
        // Contradictory bounds: code that is never reached.
        (low, high.max(low))
    }

    /// What an i32's operation says of it.
    fn computed(&self, v: Value, at: At, depth: u32) -> (i64, i64) {
        let all = (LOWEST, HIGHEST);
        let Some(d) = self.f.def(v) else { return all };
        let constant = |n: usize| self.f.as_const(d.args[n]);
        let of = |n: usize| if depth == 0 { all } else { self.interval(d.args[n], at, depth - 1) };
        let small = |mem: Mem| match mem {
            Mem::I8 => (-128, 127),
            Mem::U8 => (0, 255),
            Mem::I16 => (-32768, 32767),
            Mem::U16 => (0, 65535),
            _ => all,
        };
        let whole = |low: i64, high: i64| if low < LOWEST || high > HIGHEST { all } else { (low, high) };
        match d.op {
            Op::Const(c) => (i64::from(c as i32), i64::from(c as i32)),
            Op::ArrayLength => (0, HIGHEST),
            Op::Compare(_) | Op::FCompare(..) | Op::InstanceOf(_) | Op::IsSubclass => (0, 1),
            Op::Compare3 | Op::FCompare3(_) => (-1, 1),
            Op::Load(mem, ..) | Op::LoadElement(mem) => small(mem),
            Op::Unary(Unary::SignExtend8) => small(Mem::I8),
            Op::Unary(Unary::SignExtend16) => small(Mem::I16),
            Op::Unary(Unary::ZeroExtend16) => small(Mem::U16),
            Op::Unary(Unary::BitCount | Unary::LeadingZeros | Unary::TrailingZeros) => (0, 64),
            Op::Binary(Binary::Add) => {
                let (a, b) = (of(0), of(1));
                whole(a.0 + b.0, a.1 + b.1)
            }
            Op::Binary(Binary::Sub) => {
                let (a, b) = (of(0), of(1));
                whole(a.0 - b.1, a.1 - b.0)
            }
            Op::Binary(Binary::Mul) => match constant(1) {
                Some(c) => {
                    let a = of(0);
                    whole((a.0 * c).min(a.1 * c), (a.0 * c).max(a.1 * c))
                }
                None => all,
            },
            Op::Binary(Binary::And) => match (constant(1), of(0).0 >= 0 || of(1).0 >= 0) {
                (Some(c), _) if c >= 0 => (0, c),
                (_, true) => (0, HIGHEST),
                _ => all,
            },
            Op::Binary(Binary::Ushr) => match constant(1) {
                Some(n) if n & 31 != 0 => (0, i64::from(u32::MAX >> (n & 31))),
                _ => all,
            },
            Op::Binary(Binary::Shr) => match constant(1) {
                Some(n) => (of(0).0 >> (n & 31), of(0).1 >> (n & 31)),
                None => all,
            },
            Op::Binary(Binary::Rem) => match constant(1) {
                Some(c) if c != 0 => {
                    let most = c.abs() - 1;
                    (if of(0).0 >= 0 { 0 } else { -most }, most)
                }
                // By an array's length, say: less than it, and at most the dividend.
                _ if of(0).0 >= 0 => (0, of(0).1),
                _ => all,
            },
            Op::Binary(Binary::Div) => match constant(1) {
                Some(c) if c > 0 => (of(0).0 / c, of(0).1 / c),
                _ => all,
            },
            Op::Binary(Binary::Min) => (of(0).0.min(of(1).0), of(0).1.min(of(1).1)),
            Op::Binary(Binary::Max) => (of(0).0.max(of(1).0), of(0).1.max(of(1).1)),
            Op::Select => (of(1).0.min(of(2).0), of(1).1.max(of(2).1)),
            _ => all,
        }
    }

    /// Sets of forms for a value: for each set, the value is at least its least (`Low`) or at most its greatest
    /// (`High`) form.
    fn bounds(&self, v: Value, at: At, kind: Kind) -> Vec<Vec<Linear>> {
        let mut out: Vec<Vec<Linear>> = self.facts_of(v, at, kind).into_iter().map(|l| vec![l]).collect();
        if let Some(i) = self.inductions.iter().find(|i| i.phi == v) {
            if i.unless.is_empty() {
                out.extend(self.induction_bounds(i, at, kind));
            }
        }
        if let Some(d) = self.f.def(v) {
            match (&d.op, kind) {
                (Op::Binary(Binary::Min), Kind::High) | (Op::Binary(Binary::Max), Kind::Low) => {
                    out.extend(d.args.iter().map(|&a| vec![self.exact(a, at, DEPTH)]))
                }
                (Op::Binary(Binary::Rem), Kind::High) if self.interval(d.args[1], at, DEPTH).0 > 0 => {
                    out.push(vec![self.exact(d.args[1], at, DEPTH).add(-1)])
                }
                _ => {}
            }
        }
        out
    }

    /// The bounds of an induction variable that its loop gives, provided that what it is `unless` holds. Those
    /// that a fact gives come first.
    fn induction_bounds(&self, i: &Induction, at: At, kind: Kind) -> Vec<Vec<Linear>> {
        let l = &self.loops[i.looped];
        if i.up == (kind == Kind::Low) {
            return vec![vec![i.start.clone()]];
        }
        let mut out = Vec::new();
        if l.contains(at.0) {
            for &(next, step) in &i.steps {
                out.extend(self.facts_of(next, at, kind).into_iter().map(|b| vec![b.add(-step)]));
            }
        }
        if let Some(end) = &i.end {
            if self.facts_of(i.phi, at, Kind::Not).contains(end) {
                out.push(vec![end.clone().add(if i.up { -1 } else { 1 })]);
            }
        }
        out.push(i.far.clone());
        out
    }

    /// Whether the form is not negative.
    fn prove(&self, l: &Linear, at: At, depth: u32) -> bool {
        if self.extent(l, at, 2).0 >= 0 {
            return true;
        }
        let guarded = self.known.iter().any(|(b, known)| {
            self.dom.dominates(*b, at.0) && l.plus(-1, known).is_some_and(|x| self.extent(&x, at, 1).0 >= 0)
        });
        if guarded {
            return true;
        }
        depth > 0
            && self.burn()
            && l.terms.iter().any(|&(v, c)| {
                let kind = if c > 0 { Kind::Low } else { Kind::High };
                self.bounds(v, at, kind).iter().any(|set| {
                    set.iter().all(|b| {
                        // A bound that is a form of the value itself says nothing.
                        b.terms.iter().all(|t| t.0 != v)
                            && l.replace(v, b).is_some_and(|l| self.prove(&l, at, depth - 1))
                    })
                })
            })
    }

    // ---------------------------------------------------------------- loops

    /// Whether the form is the same in every iteration.
    fn invariant(&self, l: &Linear, looped: &Loop) -> bool {
        l.terms.iter().all(|t| {
            loops::definition(self.f, &self.home, t.0).is_some_and(|b| !looped.contains(b))
        })
    }

    /// A bound like `l` that is the same in every iteration.
    fn settle(&self, l: Linear, looped: &Loop, at: At, kind: Kind) -> Linear {
        if self.invariant(&l, looped) {
            return l;
        }
        let (low, high) = self.extent(&l, at, DEPTH);
        Linear::constant(if kind == Kind::Low { clamp(low) } else { clamp(high) })
    }

    fn find_inductions(&mut self, looped: usize) {
        let l = &self.loops[looped];
        let header = l.header;
        for n in 0..self.f.blocks[header].params.len() {
            let phi = self.f.blocks[header].params[n];
            if self.f.ty(phi) != Type::I32 {
                continue;
            }
            let mut start = None;
            let mut steps: Vec<(Block, Value, i64)> = Vec::new();
            let mut simple = true;
            for &p in &self.preds[header] {
                for e in self.f.blocks[p].term.edges().into_iter().filter(|e| e.block == header) {
                    let a = self.strip(e.args[n]);
                    if !l.back.contains(&p) {
                        simple &= start.is_none_or(|s| s == a);
                        start = Some(a);
                        continue;
                    }
                    let form = self.congruent(a, DEPTH);
                    match (&form.terms[..], form.constant) {
                        (&[(v, 1)], step) if v == phi && (LOWEST..=HIGHEST).contains(&step) => steps.push((p, a, step)),
                        _ => simple = false,
                    }
                }
            }
            let up = steps.iter().any(|s| s.2 > 0);
            let (Some(start), true) = (start, simple && (up || steps.iter().any(|s| s.2 < 0))) else { continue };
            if up && steps.iter().any(|s| s.2 < 0) {
                continue;
            }
            self.fuel.set(FUEL);
            if let Some(i) = self.induction(looped, phi, start, up, &steps) {
                self.inductions.push(i);
            }
        }
    }

    /// Works out how far the variable goes, and what that needs.
    fn induction(
        &self,
        looped: usize,
        phi: Value,
        start: Value,
        up: bool,
        back: &[(Block, Value, i64)],
    ) -> Option<Induction> {
        let l = &self.loops[looped];
        let entry = (self.dom.immediate(l.header)?, END);
        let start = self.exact(start, entry, DEPTH);
        let marked = l.preheader.is_some_and(|p| entry_state(self.f, p).is_some());
        let mut far = vec![start.clone()];
        let mut unless: Vec<Linear> = Vec::new();
        let mut after: Vec<(Value, i64)> = Vec::new();
        let mut end = None;
        let moving = || back.iter().filter(|b| b.2 != 0);
        for &(from, next, step) in moving() {
            let mut limits = self.limits(l, from, (phi, next, step), &start);
            limits.retain(|x| x.needs.iter().all(|n| self.extent(n, entry, DEPTH).1 >= 0));
            let best = limits.into_iter().min_by_key(|x| {
                let proved = x.needs.iter().all(|n| self.prove(n, entry, DEPTH));
                (!proved && !marked, x.weak, !proved)
            })?;
            unless.extend(best.needs);
            if best.ends && !best.after && moving().count() == 1 {
                end = Some(best.bound.clone().add(step));
            }
            if best.after {
                after.push((next, step));
                far.push(best.bound);
            } else {
                far.push(best.bound.add(step));
            }
        }
        far.dedup();
        for &(_, step) in &after {
            for x in &far {
                unless.push(room(x, step)?);
            }
        }
        unless.retain(|x| !self.prove(x, entry, DEPTH));
        unless.dedup();
        let settled = |x: &Linear| self.invariant(x, l) && self.extent(x, entry, DEPTH).1 >= 0;
        unless.iter().all(settled).then_some(Induction { phi, looped, up, start, far, end, steps: after, unless })
    }

    /// What ends the way of the variable before `from` leads back to the header.
    fn limits(&self, l: &Loop, from: Block, (phi, next, step): (Value, Value, i64), start: &Linear) -> Vec<Limit> {
        let at = (from, END);
        let (kind, sign) = if step > 0 { (Kind::High, 1) } else { (Kind::Low, -1) };
        let edge = self.edge_facts(from, l.header);
        let mut out = Vec::new();
        for (v, after) in [(phi, false), (next, true)] {
            let on_edge = edge.iter().filter(|x| x.0 == v).map(|x| (x.1, x.2.clone(), false));
            let facts = self.facts.get(&v).map_or(&[][..], |x| x);
            let on_way = facts.iter().filter(|x| self.holds_at(x.at, at));
            for (k, bound, checked) in on_edge.chain(on_way.map(|x| (x.kind, x.bound.clone(), x.at.1 != 0))) {
                if k == kind {
                    let weak = checked || !self.invariant(&bound, l);
                    let bound = self.settle(bound, l, at, kind);
                    // What comes after the step is looked at when all limits are known.
                    let needs = if after { Some(vec![]) } else { room(&bound, step).map(|r| vec![r]) };
                    out.extend(needs.map(|needs| Limit { bound, after, needs, weak, ends: false }));
                } else if k == Kind::Not && step == sign && self.invariant(&bound, l) {
                    // Going by ones, it does not get past what it must not be equal to.
                    let bound = bound.add(-sign);
                    let short = if sign > 0 { bound.plus(-1, start) } else { start.plus(-1, &bound) };
                    let needs = short.map(|s| vec![if after { s } else { s.add(1) }]);
                    out.extend(needs.map(|needs| Limit { bound, after, needs, weak: false, ends: true }));
                }
            }
        }
        out
    }

    // ---------------------------------------------------------------- what can go

    /// Removes the checks that cannot fail and decides the comparisons that are decided.
    fn checks(&mut self) -> bool {
        let mut dead: Vec<(Block, Inst)> = Vec::new();
        let mut changed = false;
        for &b in &self.dom.order {
            for n in 0..self.f.blocks[b].insts.len() {
                let i = self.f.blocks[b].insts[n];
                let d = &self.f.insts[i];
                self.fuel.set(FUEL);
                match d.op {
                    Op::BoundsCheck => {
                        let (index, length) = (d.args[0], d.args[1]);
                        if self.in_bounds(index, length, (b, n)) {
                            dead.push((b, i));
                        }
                    }
                    Op::Compare(c) if self.f.ty(d.args[0]) == Type::I32 => {
                        if let Some(truth) = self.decide(c, d.args[0], d.args[1], (b, n)) {
                            make_const(self.f, i, i64::from(truth));
                            changed = true;
                        }
                    }
                    _ => {}
                }
            }
        }
        changed |= !dead.is_empty();
        for (b, i) in dead {
            let d = &self.f.insts[i];
            let (r, a) = (d.result.expect("a check has a value"), d.args[0]);
            self.f.replace(r, a);
            self.f.blocks[b].insts.retain(|&x| x != i);
        }
        changed
    }

    fn decide(&self, c: Cond, a: Value, b: Value, at: At) -> Option<bool> {
        let (x, y) = (self.exact(a, at, DEPTH), self.exact(b, at, DEPTH));
        // x <= y + by
        let at_most = |x: &Linear, y: &Linear, by: i64| y.plus(-1, x).is_some_and(|l| self.prove(&l.add(by), at, 2));
        let either = |yes: bool, no: bool| if yes { Some(true) } else { no.then_some(false) };
        let non_negative = |x: &Linear| self.prove(x, at, 2);
        match c {
            Cond::Lt => either(at_most(&x, &y, -1), at_most(&y, &x, 0)),
            Cond::Ge => either(at_most(&y, &x, 0), at_most(&x, &y, -1)),
            Cond::Gt => either(at_most(&y, &x, -1), at_most(&x, &y, 0)),
            Cond::Le => either(at_most(&x, &y, 0), at_most(&y, &x, -1)),
            Cond::ULt if non_negative(&x) => at_most(&x, &y, -1).then_some(true),
            Cond::UGe if non_negative(&x) => at_most(&x, &y, -1).then_some(false),
            _ => None,
        }
    }

    /// Whether the index is in bounds; if guards make it so, they have been made.
    fn in_bounds(&mut self, index: Value, length: Value, at: At) -> bool {
        let last = self.exact(length, at, DEPTH).add(-1);
        let form = self.congruent(index, DEPTH);
        for form in [&Linear::of(self.strip(index)), &form] {
            if self.prove(form, at, DEPTH) && last.plus(-1, form).is_some_and(|l| self.prove(&l, at, DEPTH)) {
                return true;
            }
        }
        for n in (0..self.loops.len()).rev().filter(|&n| self.loops[n].contains(at.0)) {
            let Some(state) = self.loops[n].preheader.and_then(|p| entry_state(self.f, p)) else { continue };
            let header = self.loops[n].header;
            if self.f.blocks[at.0].frequency < OFTEN * self.f.blocks[header].frequency {
                continue;
            }
            for i in 0..self.inductions.len() {
                let phi = self.inductions[i].phi;
                if self.inductions[i].looped != n || form.terms.iter().all(|t| t.0 != phi) {
                    continue;
                }
                if let Some(needs) = self.needs(&form, &last, &self.inductions[i], at) {
                    let guards = self.known.iter().filter(|k| k.0 == header).count();
                    if guards + needs.len() <= MOST_GUARDS {
                        for l in needs {
                            self.guard(&l, n, state);
                        }
                        self.inductions[i].unless.clear();
                        return true;
                    }
                }
            }
        }
        false
    }

    /// What has to be tested before the loop of `i` for `form` to be between 0 and `last`, if that will do.
    fn needs(&self, form: &Linear, last: &Linear, i: &Induction, at: At) -> Option<Vec<Linear>> {
        let l = &self.loops[i.looped];
        let factor = form.terms.iter().find(|t| t.0 == i.phi)?.1;
        let mut needs = i.unless.clone();
        for below in [true, false] {
            let kind = if below == (factor > 0) { Kind::Low } else { Kind::High };
            let here = self.facts_of(i.phi, at, kind).into_iter().map(|b| vec![b]);
            let best = here
                .chain(self.induction_bounds(i, at, kind))
                .filter_map(|set| {
                    let mut open = Vec::new();
                    for b in set {
                        let form = form.replace(i.phi, &b)?;
                        let need = if below { form } else { last.plus(-1, &form)? };
                        if self.prove(&need, at, 2) {
                            continue;
                        }
                        if !self.invariant(&need, l) || self.extent(&need, at, DEPTH).1 < 0 {
                            return None;
                        }
                        open.push(need);
                    }
                    Some(open)
                })
                .min_by_key(|open| open.len())?;
            needs.extend(best);
        }
        needs.dedup();
        Some(needs)
    }

    /// Tests before loop `n` that `l` is not negative.
    fn guard(&mut self, l: &Linear, n: usize, state: State) {
        let preheader = self.loops[n].preheader.expect("a loop with a mark has a preheader");
        self.known.push((self.loops[n].header, l.clone()));
        let origin = self.f.states[state].bci;
        let origin = (self.f.states[state].method, origin);
        let mut make = |op: Op, args: Vec<Value>, ty: Type| {
            let v = self.f.append(preheader, op, args, Some(ty), None, origin).expect("a value");
            if let ValueDef::Result(i) = self.f.values[v].def {
                self.home[i] = Some(preheader);
            }
            v
        };
        let narrow = |c: i64| (LOWEST..=HIGHEST).contains(&c);
        let test = match (&l.terms[..], l.constant) {
            (&[(v, 1)], c) if narrow(-c) => {
                let c = make(Op::Const(-c), vec![], Type::I32);
                make(Op::Compare(Cond::Ge), vec![v, c], Type::I32)
            }
            (&[(v, -1)], c) if narrow(c) => {
                let c = make(Op::Const(c), vec![], Type::I32);
                make(Op::Compare(Cond::Le), vec![v, c], Type::I32)
            }
            (&[(a, 1), (b, -1)] | &[(b, -1), (a, 1)], c @ (0 | -1)) => {
                make(Op::Compare(if c == 0 { Cond::Ge } else { Cond::Gt }), vec![a, b], Type::I32)
            }
            (terms, constant) => {
                let mut sum = None;
                for &(v, factor) in terms {
                    let mut v = make(Op::Convert(Convert::I32ToI64), vec![v], Type::I64);
                    if factor.abs() != 1 {
                        let c = make(Op::Const(factor.abs()), vec![], Type::I64);
                        v = make(Op::Binary(Binary::Mul), vec![v, c], Type::I64);
                    }
                    sum = Some(match (sum, factor > 0) {
                        (None, true) => v,
                        (None, false) => make(Op::Unary(Unary::Neg), vec![v], Type::I64),
                        (Some(s), true) => make(Op::Binary(Binary::Add), vec![s, v], Type::I64),
                        (Some(s), false) => make(Op::Binary(Binary::Sub), vec![s, v], Type::I64),
                    });
                }
                let least = make(Op::Const(-constant), vec![], Type::I64);
                let sum = sum.unwrap_or_else(|| make(Op::Const(0), vec![], Type::I64));
                make(Op::Compare(Cond::Ge), vec![sum, least], Type::I32)
            }
        };
        let op = Op::Guard(Reason::Predicate, Action::MaybeRecompile);
        self.f.append(preheader, op, vec![test], None, Some(state), origin);
    }
}

/// What keeps a variable from going further.
struct Limit {
    /// At most, or at least, this ...
    bound: Linear,
    /// ... after the step rather than before it.
    after: bool,
    /// What must not be negative for the step not to overflow.
    needs: Vec<Linear>,
    /// Other than what the loop's own test says.
    weak: bool,
    /// The loop's test is for being equal to what comes after the bound.
    ends: bool,
}

/// How far a form is from overflow when a step is added: it must not be negative.
fn room(form: &Linear, step: i64) -> Option<Linear> {
    if step > 0 {
        Linear::constant(HIGHEST - step).plus(-1, form)
    } else {
        form.plus(1, &Linear::constant(step - LOWEST))
    }
}

/// As an i32.
fn clamp(x: i128) -> i64 {
    x.clamp(i128::from(LOWEST), i128::from(HIGHEST)) as i64
}

#[cfg(test)]
mod tests;
