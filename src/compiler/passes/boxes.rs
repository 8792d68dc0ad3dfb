//! Boxes: what `Integer.valueOf` and its like have made is unboxed without looking into it, and not made where only
//! frame states name it (HotSpot's EliminateAutoBox).
//!
//! The builder tells which values are boxes, and of what ([`crate::compiler::ir::ValueData::boxed`]); so are block
//! parameters that get boxes of one class on every edge, with a parameter for what is in them. A box that a frame
//! state names is made by `valueOf` when the interpreter takes over, so that boxes from the cache keep their
//! identity. As those beyond the cache have one too, a box is done without only if nothing but its contents and its
//! class is asked for, and if no frame state names two that might be one.

use super::rewrite::{is_null, make_const};
use crate::compiler::ir::{
    Block, Cond, FrameState, Function, Inst, Mem, Op, Slot, State, Terminator, Type, Value, ValueDef, VirtualIx,
    VirtualObject,
};
use crate::meta::class::ClassRef;
use rustc_hash::FxHashMap;
use std::collections::{BTreeMap, BTreeSet};

pub fn run(f: &mut Function) -> bool {
    f.resolve_aliases();
    if !f.values.values().any(|v| v.boxed.is_some()) {
        return false;
    }
    let Some(mut b) = Boxes::new(f) else { return false };
    b.find_needed(f);
    b.rewrite(f)
}

/// The class of a box, and where its contents lie.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Kind {
    class: ClassRef,
    offset: u32,
    mem: Mem,
}

struct Boxes {
    order: Vec<Block>,
    /// Every box.
    kinds: BTreeMap<Value, Kind>,
    /// Those that are parameters of a block where boxes meet.
    params: BTreeSet<Value>,
    /// Boxes that meet are of one group.
    groups: FxHashMap<Value, Value>,
    /// Groups whose boxes are needed as objects, by representative.
    needed: BTreeSet<Value>,
}

fn kind_of(f: &Function, v: Value) -> Option<Kind> {
    f.values[v].boxed?;
    let class = f.values[v].facts.class.filter(|_| f.values[v].facts.exact)?;
    let field = class.fields.iter().find(|x| !x.is_static() && x.name == "value")?;
    Some(Kind { class, offset: field.offset, mem: Mem::of(field.basic_type) })
}

impl Boxes {
    /// Finds the boxes. `None` if there are none.
    fn new(f: &Function) -> Option<Boxes> {
        let order = f.reverse_postorder();
        let mut b = Boxes {
            order,
            kinds: BTreeMap::new(),
            params: BTreeSet::new(),
            groups: FxHashMap::default(),
            needed: BTreeSet::new(),
        };
        let mut args: BTreeMap<Value, Vec<Value>> = BTreeMap::new();
        for &block in &b.order {
            let params = f.blocks[block].params.iter().copied();
            let results = f.blocks[block].insts.iter().filter_map(|&i| f.insts[i].result);
            for v in params.clone().chain(results) {
                if let Some(k) = kind_of(f, v) {
                    b.kinds.insert(v, k);
                }
            }
            for p in params.filter(|&p| block != f.entry && f.ty(p) == Type::Ref) {
                args.entry(p).or_default();
            }
        }
        if b.kinds.is_empty() {
            return None;
        }
        for &block in &b.order {
            for e in f.blocks[block].term.edges() {
                for (&a, &p) in e.args.iter().zip(&f.blocks[e.block].params) {
                    if let Some(list) = args.get_mut(&p) {
                        list.push(a);
                    }
                }
            }
        }
        args.retain(|p, _| !b.kinds.contains_key(p));
        // Every parameter is one, until an argument says no.
        let mut maybe: BTreeMap<Value, Option<Kind>> = args.keys().map(|&p| (p, None)).collect();
        loop {
            let mut changed = false;
            for (&p, list) in &args {
                let Some(&known) = maybe.get(&p) else { continue };
                let mut kind = known;
                let mut fits = true;
                for &a in list {
                    let a = root(f, a, |v| b.kinds.contains_key(&v) || maybe.contains_key(&v), |_| None);
                    let k = match b.kinds.get(&a) {
                        Some(&k) => Some(k),
                        None => match maybe.get(&a) {
                            Some(&k) => k,
                            None => {
                                fits = false;
                                break;
                            }
                        },
                    };
                    fits &= k.is_none() || kind.is_none() || k == kind;
                    kind = kind.or(k);
                }
                if !fits {
                    maybe.remove(&p);
                    changed = true;
                } else if kind != known {
                    maybe.insert(p, kind);
                    changed = true;
                }
            }
            if !changed {
                break;
            }
        }
        for (p, kind) in maybe {
            if let Some(k) = kind {
                b.kinds.insert(p, k);
                b.params.insert(p);
            }
        }
        // What remains without a kind gets boxes from nowhere: it is none, nor is what gets it.
        loop {
            let gone: Vec<Value> = b
                .params
                .iter()
                .copied()
                .filter(|p| args[p].iter().any(|&a| b.of(f, a).is_none()))
                .collect();
            if gone.is_empty() {
                break;
            }
            for p in gone {
                b.params.remove(&p);
                b.kinds.remove(&p);
            }
        }
        for (&p, list) in args.iter().filter(|(p, _)| b.params.contains(p)).collect::<Vec<_>>() {
            for &a in list {
                if let Some(a) = b.of(f, a) {
                    b.join(p, a);
                }
            }
        }
        Some(b)
    }

    /// The box that `v` is a reference to.
    fn of(&self, f: &Function, v: Value) -> Option<Value> {
        let v = root(f, v, |v| self.kinds.contains_key(&v), |v| self.kinds.get(&v).map(|k| k.class));
        self.kinds.contains_key(&v).then_some(v)
    }

    fn group(&self, mut v: Value) -> Value {
        while let Some(&next) = self.groups.get(&v) {
            v = next;
        }
        v
    }

    fn join(&mut self, a: Value, b: Value) {
        let (a, b) = (self.group(a), self.group(b));
        if a != b {
            self.groups.insert(a, b);
        }
    }

    fn need(&mut self, v: Value) {
        let g = self.group(v);
        self.needed.insert(g);
    }

    fn is_needed(&self, v: Value) -> bool {
        self.needed.contains(&self.group(v))
    }

    /// Which boxes something wants as objects.
    fn find_needed(&mut self, f: &Function) {
        for block in self.order.clone() {
            for &i in &f.blocks[block].insts {
                let d = &f.insts[i];
                for (n, &a) in d.args.iter().enumerate() {
                    let Some(w) = self.of(f, a) else { continue };
                    if n > 0 && !matches!(d.op, Op::Compare(_)) || !self.answers(f, i, w) {
                        self.need(w);
                    }
                }
                if let Some(s) = d.state {
                    self.find_twins(f, s);
                }
            }
            let term = &f.blocks[block].term;
            match term {
                Terminator::Return(Some(v)) | Terminator::Throw(v) => {
                    if let Some(w) = self.of(f, *v) {
                        self.need(w);
                    }
                }
                Terminator::Deopt { state, .. } => self.find_twins(f, *state),
                _ => {}
            }
            for e in term.edges() {
                for (&a, &p) in e.args.iter().zip(&f.blocks[e.block].params) {
                    if let Some(w) = self.of(f, a) {
                        if !self.params.contains(&p) {
                            self.need(w);
                        }
                    }
                }
            }
        }
    }

    /// Boxes of one group in one state may be one object.
    fn find_twins(&mut self, f: &Function, s: State) {
        let mut seen: FxHashMap<Value, Value> = FxHashMap::default();
        for v in values_of(f, s) {
            let Some(w) = self.of(f, v) else { continue };
            if *seen.entry(self.group(w)).or_insert(w) != w {
                self.need(w);
            }
        }
    }

    /// Whether `i` gets along with the contents of the box `w`, its argument.
    fn answers(&self, f: &Function, i: Inst, w: Value) -> bool {
        let Kind { class, offset, mem } = self.kinds[&w];
        let d = &f.insts[i];
        match d.op {
            Op::Load(m, at, _) => m == mem && at == offset,
            Op::NullCheck | Op::LoadClass | Op::InstanceOf(_) => true,
            Op::CheckCast(c) => class.is_subclass_of(c),
            Op::ExactClass(c, ..) => class == c,
            Op::Compare(Cond::Eq | Cond::Ne) => d.args.iter().any(|&a| is_null(f, a)),
            _ => false,
        }
    }

    // ---------------------------------------------------------------- rewriting

    fn rewrite(&self, f: &mut Function) -> bool {
        let mut contents: BTreeMap<Value, Value> =
            self.kinds.keys().filter_map(|&w| Some((w, f.values[w].boxed?))).collect();
        let params: Vec<Value> = self.params.iter().copied().filter(|&p| self.is_wanted(f, p)).collect();
        for &p in &params {
            let ValueDef::Param(block, _) = f.values[p].def else { continue };
            let new = f.add_param(block, self.kinds[&p].mem.value_type());
            contents.insert(p, new);
        }
        let mut changed = !params.is_empty();
        if changed {
            let origin = (crate::compiler::ir::MethodIx::from_u32(0), 0);
            let i = f.make_inst(Op::Null, vec![], Some(Type::Ref), None, origin);
            f.blocks[f.entry].insts.insert(0, i);
            let null = f.insts[i].result.expect("null is a value");
            for &block in &self.order {
                self.edges(f, block, &params, &contents, null);
            }
        }
        for &block in &self.order {
            let insts = std::mem::take(&mut f.blocks[block].insts);
            let mut kept = Vec::with_capacity(insts.len());
            for i in insts {
                if let Some(s) = f.insts[i].state {
                    let new = self.state(f, s, &contents);
                    changed |= new != s;
                    f.insts[i].state = Some(new);
                }
                match self.inst(f, i, &contents) {
                    Some(true) => changed = true,
                    Some(false) => {
                        kept.push(i);
                        changed = true;
                    }
                    None => kept.push(i),
                }
            }
            f.blocks[block].insts = kept;
            if let Terminator::Deopt { reason, action, state } = f.blocks[block].term.clone() {
                let new = self.state(f, state, &contents);
                changed |= new != state;
                f.blocks[block].term = Terminator::Deopt { reason, action, state: new };
            }
        }
        f.resolve_aliases();
        changed
    }

    /// A parameter gets one for its contents if the box itself is not needed, or they are.
    fn is_wanted(&self, f: &Function, p: Value) -> bool {
        !self.is_needed(p)
            || self.order.iter().flat_map(|&b| &f.blocks[b].insts).any(|&i| {
                let d = &f.insts[i];
                matches!(d.op, Op::Load(..))
                    && self.of(f, d.args[0]).is_some_and(|w| self.group(w) == self.group(p))
            })
    }

    /// Passes the contents of boxes too, and for those that are not needed null.
    fn edges(&self, f: &mut Function, block: Block, params: &[Value], contents: &BTreeMap<Value, Value>, null: Value) {
        let mut term = std::mem::replace(&mut f.blocks[block].term, Terminator::None);
        for e in term.edges_mut() {
            for &p in params {
                let ValueDef::Param(to, n) = f.values[p].def else { continue };
                if to != e.block {
                    continue;
                }
                let w = self.of(f, e.args[n as usize]).expect("boxes meet here");
                e.args.push(contents[&w]);
                if !self.is_needed(p) {
                    e.args[n as usize] = null;
                }
            }
        }
        f.blocks[block].term = term;
    }

    /// Rewrites an instruction on a box; whether it goes. `None`: stays as it is.
    fn inst(&self, f: &mut Function, i: Inst, contents: &BTreeMap<Value, Value>) -> Option<bool> {
        let args = f.insts[i].args.clone();
        let w = args.iter().find_map(|&a| self.of(f, a))?;
        if args.len() > 1 && !matches!(f.insts[i].op, Op::Compare(_)) || !self.answers(f, i, w) {
            return None;
        }
        let class = self.kinds[&w].class;
        let result = f.insts[i].result?;
        match f.insts[i].op {
            Op::Load(..) => {
                let v = *contents.get(&w)?;
                f.replace(result, v);
                Some(true)
            }
            Op::NullCheck | Op::CheckCast(_) | Op::ExactClass(..) => {
                f.replace(result, w);
                Some(true)
            }
            Op::LoadClass => {
                make_const(f, i, i64::from(class.word()));
                Some(false)
            }
            Op::InstanceOf(c) => {
                make_const(f, i, i64::from(class.is_subclass_of(c)));
                Some(false)
            }
            Op::Compare(c) => {
                make_const(f, i, i64::from(c == Cond::Ne));
                Some(false)
            }
            _ => None,
        }
    }

    /// The state with boxes that are not needed as virtual objects.
    fn state(&self, f: &mut Function, state: State, contents: &BTreeMap<Value, Value>) -> State {
        let gone = |f: &Function, v: Value| self.of(f, v).filter(|&w| !self.is_needed(w));
        if !values_of(f, state).into_iter().any(|v| gone(f, v).is_some()) {
            return state;
        }
        let mut chain: Vec<FrameState> = Vec::new();
        let mut next = Some(state);
        while let Some(s) = next {
            chain.push(f.states[s].clone());
            next = f.states[s].parent;
        }
        let mut virtuals = std::mem::take(&mut chain[0].virtuals);
        let mut numbers: FxHashMap<Value, u32> = FxHashMap::default();
        let mut made: Vec<VirtualObject> = Vec::new();
        let first = virtuals.len() as u32;
        {
            let slots = chain
                .iter_mut()
                .flat_map(|s| {
                    let monitors = s.monitors.iter_mut().map(|m| &mut m.object);
                    s.locals.iter_mut().chain(&mut s.stack).chain(monitors)
                })
                .chain(virtuals.iter_mut().flat_map(|o| o.fields.iter_mut().map(|x| &mut x.2)));
            for slot in slots {
                let Slot::Value(v) = *slot else { continue };
                let Some(w) = gone(f, v) else { continue };
                let n = *numbers.entry(w).or_insert_with(|| {
                    let Kind { class, offset, mem } = self.kinds[&w];
                    let fields = vec![(offset, mem, Slot::Value(f.resolve(contents[&w])))];
                    made.push(VirtualObject { class, fields, length: 0, locks: 0, boxed: true });
                    first + made.len() as u32 - 1
                });
                *slot = Slot::Virtual(VirtualIx::from_u32(n));
            }
        }
        virtuals.extend(made);
        chain[0].virtuals = virtuals;
        let mut parent = None;
        for mut s in chain.into_iter().rev() {
            s.parent = parent;
            parent = Some(f.states.push(s));
        }
        parent.expect("a state has a frame")
    }
}

/// What `v` was before checks that a box passes. `is_box` tells boxes; `class` the class of one, if known.
fn root(f: &Function, v: Value, is_box: impl Fn(Value) -> bool, class: impl Fn(Value) -> Option<ClassRef>) -> Value {
    let mut at = f.resolve(v);
    let mut checks: Vec<&Op> = Vec::new();
    loop {
        if is_box(at) {
            let passes = |op: &&Op| match op {
                Op::CheckCast(c) => class(at).is_none_or(|k| k.is_subclass_of(c)),
                Op::ExactClass(c, ..) => class(at).is_none_or(|k| k == *c),
                _ => true,
            };
            return if checks.iter().all(passes) { at } else { f.resolve(v) };
        }
        match f.def(at) {
            Some(d) if matches!(d.op, Op::NullCheck | Op::CheckCast(_) | Op::ExactClass(..)) => {
                checks.push(&d.op);
                at = f.resolve(d.args[0]);
            }
            _ => return f.resolve(v),
        }
    }
}

/// The values of a state and its callers' states.
fn values_of(f: &Function, state: State) -> Vec<Value> {
    let mut out = Vec::new();
    let mut next = Some(state);
    while let Some(s) = next {
        out.extend(f.states[s].uses());
        next = f.states[s].parent;
    }
    out
}
