//! Scalar replacement: an object that nobody else sees is not made; its fields are values.
//!
//! One walk in reverse postorder follows what the fields of each object hold: at a merge they are block
//! parameters. Frame states that name such an object list it with its fields ([`VirtualObject`]): the interpreter
//! gets it made, with its identity, when it takes over. Where an object is needed as such (two of them meet at a
//! merge, an array is indexed by a variable) the walk begins anew without it.

use super::escape::Escape;
use super::rewrite::{const_bits, is_null, make_const};
use crate::compiler::ir::{
    Binary, Block, Cond, Edge, Function, Inst, Mem, Op, Slot, State, Terminator, Type, Unary, Value, VirtualIx,
    VirtualObject,
};
use crate::meta::class::{class_flags, ClassRef};
use rustc_hash::FxHashMap;
use std::collections::{BTreeMap, BTreeSet};

/// Elements of the largest array that is taken apart (HotSpot's EliminateAllocationArraySizeLimit).
const ARRAY_LIMIT: i64 = 64;
/// Walks before it is given up; each but the last has found something that must be made, or fields not known.
const WALKS: usize = 40;

/// An allocation that may be done without.
#[derive(Clone)]
struct Site {
    class: ClassRef,
    /// Elements of an array.
    length: u32,
    /// The fields that are accessed: offset, how they lie in memory.
    fields: BTreeMap<u32, Mem>,
}

type Sites = BTreeMap<Inst, Site>;

pub fn run(f: &mut Function) -> bool {
    f.resolve_aliases();
    let e = Escape::new(f);
    let mut sites: Sites =
        e.sites.iter().filter(|&&s| !e.escapes(s)).filter_map(|&s| Some((s, candidate(f, s)?))).collect();
    for _ in 0..WALKS {
        if sites.is_empty() {
            return false;
        }
        let mut w = Walk::new(f, &sites);
        w.walk();
        let Walk { f: done, banned, new_fields, .. } = w;
        if banned.is_empty() && new_fields.is_empty() {
            *f = done;
            f.resolve_aliases();
            return true;
        }
        for (site, offset, mem) in new_fields {
            if let Some(s) = sites.get_mut(&site) {
                s.fields.insert(offset, mem);
            }
        }
        sites.retain(|s, _| !banned.contains(s));
    }
    false
}

fn candidate(f: &Function, i: Inst) -> Option<Site> {
    let d = &f.insts[i];
    let (class, length) = match d.op {
        Op::NewInstance(c) if !c.has_flag(class_flags::HAS_FINALIZER) => (c, 0),
        Op::NewArray(c) => (c, f.as_const(d.args[0]).filter(|n| (0..=ARRAY_LIMIT).contains(n))?),
        _ => return None,
    };
    Some(Site { class, length: length as u32, fields: BTreeMap::new() })
}

/// What a field holds; what is not listed holds the default value.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Entry {
    Value(Value),
    /// An object that is not made either.
    Object(Inst),
}

/// The objects that exist at a point, with their fields by offset.
type Heap = BTreeMap<Inst, BTreeMap<u32, Entry>>;

struct Walk<'a> {
    f: Function,
    sites: &'a Sites,
    place: FxHashMap<Block, usize>,
    preds: cranelift_entity::SecondaryMap<Block, Vec<Block>>,
    heap: Heap,
    at_start: FxHashMap<Block, Heap>,
    at_end: FxHashMap<Block, Heap>,
    /// References to the objects.
    alias: FxHashMap<Value, Inst>,
    /// Fields that have become parameters of a block, in the order of these.
    params: FxHashMap<Block, Vec<(Inst, u32)>>,
    /// Zeros by type, for the beginning of the function.
    zeros: FxHashMap<Type, (Inst, Value)>,
    /// Frame states rewritten since the heap changed last.
    states: FxHashMap<State, State>,
    banned: BTreeSet<Inst>,
    new_fields: Vec<(Inst, u32, Mem)>,
}

/// What becomes of an instruction.
enum Fate {
    Keep,
    Remove,
}

impl<'a> Walk<'a> {
    fn new(f: &Function, sites: &'a Sites) -> Walk<'a> {
        let order = f.reverse_postorder();
        Walk {
            f: f.clone(),
            sites,
            place: order.iter().enumerate().map(|(n, &b)| (b, n)).collect(),
            preds: f.predecessors(),
            heap: Heap::new(),
            at_start: FxHashMap::default(),
            at_end: FxHashMap::default(),
            alias: FxHashMap::default(),
            params: FxHashMap::default(),
            zeros: FxHashMap::default(),
            states: FxHashMap::default(),
            banned: BTreeSet::new(),
            new_fields: Vec::new(),
        }
    }

    fn walk(&mut self) {
        for b in self.f.reverse_postorder() {
            self.enter(b);
            self.states.clear();
            let insts = std::mem::take(&mut self.f.blocks[b].insts);
            let mut kept = Vec::with_capacity(insts.len());
            for i in insts {
                match self.step(i, &mut kept) {
                    Fate::Keep => kept.push(i),
                    Fate::Remove => {}
                }
            }
            self.f.blocks[b].insts = kept;
            self.leave(b);
        }
        let mut zeros: Vec<Inst> = self.zeros.values().map(|z| z.0).collect();
        zeros.sort_unstable();
        self.f.blocks[self.f.entry].insts.splice(0..0, zeros);
    }

    // ---------------------------------------------------------------- objects

    /// The object that `v` is a reference to.
    fn object(&mut self, v: Value) -> Option<Inst> {
        let site = *self.alias.get(&self.f.resolve(v))?;
        if !self.heap.contains_key(&site) {
            self.banned.insert(site);
            return None;
        }
        Some(site)
    }

    fn ban(&mut self, site: Inst) {
        self.banned.insert(site);
    }

    /// The objects among `vs` are needed as such.
    fn ban_values(&mut self, vs: &[Value]) {
        for &v in vs {
            if let Some(&s) = self.alias.get(&self.f.resolve(v)) {
                self.ban(s);
            }
        }
    }

    fn entry_of(&mut self, v: Value) -> Entry {
        match self.object(v) {
            Some(s) => Entry::Object(s),
            None => Entry::Value(self.f.resolve(v)),
        }
    }

    /// The zero of a type, computed at the beginning.
    fn zero(&mut self, ty: Type) -> Value {
        if let Some(z) = self.zeros.get(&ty) {
            return z.1;
        }
        let op = match ty {
            Type::F32 | Type::F64 => Op::FConst(0),
            Type::Ref => Op::Null,
            _ => Op::Const(0),
        };
        let origin = (crate::compiler::ir::MethodIx::from_u32(0), 0);
        let i = self.f.make_inst(op, vec![], Some(ty), None, origin);
        let v = self.f.insts[i].result.expect("a constant is a value");
        self.zeros.insert(ty, (i, v));
        v
    }

    /// Whether the field at `offset` of `site` lies in memory as `mem`; notes it if it is new.
    fn is_field(&mut self, site: Inst, offset: u32, mem: Mem) -> bool {
        match self.sites[&site].fields.get(&offset) {
            Some(&m) => m == mem,
            None => {
                self.new_fields.push((site, offset, mem));
                true
            }
        }
    }

    // ---------------------------------------------------------------- control flow

    fn is_behind(&self, from: Block, to: Block) -> bool {
        self.place[&from] >= self.place[&to]
    }

    /// The edges from `p` to `b`, by number.
    fn edges(&self, p: Block, b: Block) -> Vec<usize> {
        let edges = self.f.blocks[p].term.edges();
        edges.iter().enumerate().filter(|(_, e)| e.block == b).map(|(n, _)| n).collect()
    }

    /// Edges into `b` as (predecessor, number), from blocks walked already or not.
    fn edges_into(&self, b: Block, walked: bool) -> Vec<(Block, usize)> {
        let mut preds = self.preds[b].clone();
        preds.sort_unstable();
        preds.dedup();
        preds.retain(|&p| self.is_behind(p, b) != walked);
        preds.into_iter().flat_map(|p| self.edges(p, b).into_iter().map(move |n| (p, n))).collect()
    }

    fn edge(&mut self, (p, n): (Block, usize)) -> &mut Edge {
        self.f.blocks[p].term.edges_mut().swap_remove(n)
    }

    /// Works out the heap at the start of `b`, with new parameters where fields meet.
    fn enter(&mut self, b: Block) {
        let edges = self.edges_into(b, true);
        let is_loop = !self.edges_into(b, false).is_empty();
        let mut heap = match edges.first() {
            Some(e) => self.at_end[&e.0].clone(),
            None => Heap::new(),
        };
        heap.retain(|s, _| edges.iter().all(|e| self.at_end[&e.0].contains_key(s)));
        let old_params = self.f.blocks[b].params.clone();
        let mut added = Vec::new();
        for site in heap.keys().copied().collect::<Vec<_>>() {
            for (&offset, &mem) in &self.sites[&site].fields {
                let entries: Vec<Option<Entry>> =
                    edges.iter().map(|e| self.at_end[&e.0][&site].get(&offset).copied()).collect();
                let same = entries.windows(2).all(|w| w[0] == w[1]);
                let objects = entries.iter().any(|e| matches!(e, Some(Entry::Object(_))));
                // In a loop an object is taken to stay; that is looked at when the loop closes.
                if same && (!is_loop || objects) {
                    continue;
                }
                for e in &entries {
                    if let Some(Entry::Object(o)) = e {
                        self.banned.insert(*o);
                    }
                }
                let p = self.f.add_param(b, mem.value_type());
                for (&e, entry) in edges.iter().zip(entries) {
                    let arg = match entry {
                        Some(Entry::Value(v)) => v,
                        _ => self.zero(mem.value_type()),
                    };
                    self.edge(e).args.push(arg);
                }
                heap.get_mut(&site).expect("listed").insert(offset, Entry::Value(p));
                added.push((site, offset));
            }
        }
        for (n, &p) in old_params.iter().enumerate() {
            if self.f.ty(p) != Type::Ref {
                continue;
            }
            let args: Vec<Value> = edges.iter().map(|&e| self.edge(e).args[n]).collect();
            let objects: Vec<Option<Inst>> =
                args.iter().map(|&a| self.alias.get(&self.f.resolve(a)).copied()).collect();
            match objects.first() {
                Some(&Some(s)) if objects.iter().all(|&o| o == Some(s)) && heap.contains_key(&s) => {
                    self.alias.insert(p, s);
                    let null = self.zero(Type::Ref);
                    for &e in &edges {
                        self.edge(e).args[n] = null;
                    }
                }
                _ => self.banned.extend(objects.into_iter().flatten()),
            }
        }
        self.params.insert(b, added);
        self.at_start.insert(b, heap.clone());
        self.heap = heap;
    }

    /// What leaves `b`: its terminator, and whether loops that close here keep what their heads took for granted.
    fn leave(&mut self, b: Block) {
        match self.f.blocks[b].term.clone() {
            Terminator::Return(Some(v)) | Terminator::Throw(v) => self.ban_values(&[v]),
            Terminator::Deopt { reason, action, state } => {
                let state = self.state(state);
                self.f.blocks[b].term = Terminator::Deopt { reason, action, state };
            }
            _ => {}
        }
        let mut heads: Vec<Block> = self.f.blocks[b].term.edges().iter().map(|e| e.block).collect();
        heads.retain(|&h| self.is_behind(b, h));
        heads.sort_unstable();
        heads.dedup();
        for head in heads {
            for n in self.edges(b, head) {
                self.close(b, n, head);
            }
        }
        let heap = std::mem::take(&mut self.heap);
        self.at_end.insert(b, heap);
    }

    /// Edge `n` of `b` leads back to `head`.
    fn close(&mut self, b: Block, n: usize, head: Block) {
        let start = self.at_start[&head].clone();
        let added = self.params[&head].clone();
        let old = self.f.blocks[head].params.len() - added.len();
        for k in 0..old {
            let p = self.f.blocks[head].params[k];
            if self.f.ty(p) != Type::Ref {
                continue;
            }
            let a = self.edge((b, n)).args[k];
            let a = self.f.resolve(a);
            let (was, is) = (self.alias.get(&p).copied(), self.alias.get(&a).copied());
            if was != is {
                self.banned.extend(was.into_iter().chain(is));
            } else if was.is_some() {
                let null = self.zero(Type::Ref);
                self.edge((b, n)).args[k] = null;
            }
        }
        for (site, fields) in &start {
            let Some(now) = self.heap.get(site).cloned() else {
                self.ban(*site);
                continue;
            };
            for (offset, entry) in fields {
                let Entry::Object(o) = *entry else { continue };
                if now.get(offset) != Some(entry) {
                    self.ban(o);
                    if let Some(Entry::Object(other)) = now.get(offset) {
                        self.ban(*other);
                    }
                }
            }
        }
        for (site, offset) in added {
            let ty = self.sites[&site].fields[&offset].value_type();
            let arg = match self.heap.get(&site).and_then(|o| o.get(&offset)).copied() {
                Some(Entry::Value(v)) => self.f.resolve(v),
                Some(Entry::Object(o)) => {
                    self.ban(o);
                    self.zero(ty)
                }
                None => self.zero(ty),
            };
            self.edge((b, n)).args.push(arg);
        }
    }

    // ---------------------------------------------------------------- instructions

    fn step(&mut self, i: Inst, kept: &mut Vec<Inst>) -> Fate {
        for n in 0..self.f.insts[i].args.len() {
            self.f.insts[i].args[n] = self.f.resolve(self.f.insts[i].args[n]);
        }
        if self.sites.contains_key(&i) {
            if self.heap.insert(i, BTreeMap::new()).is_some() {
                self.ban(i);
            }
            self.states.clear();
            let r = self.f.insts[i].result.expect("an allocation has a value");
            self.alias.insert(r, i);
            return Fate::Remove;
        }
        if let Some(s) = self.f.insts[i].state {
            let s = self.state(s);
            self.f.insts[i].state = Some(s);
        }
        let args = self.f.insts[i].args.clone();
        if args.iter().all(|v| !self.alias.contains_key(v)) {
            return Fate::Keep;
        }
        match self.access(i, &args, kept) {
            Some(fate) => fate,
            None => {
                self.ban_values(&args);
                Fate::Keep
            }
        }
    }

    /// An operation on objects that are not made. `None` if it needs them.
    fn access(&mut self, i: Inst, args: &[Value], kept: &mut Vec<Inst>) -> Option<Fate> {
        let base = self.object(args[0]);
        let result = self.f.insts[i].result;
        let class = base.map(|s| self.sites[&s].class);
        match self.f.insts[i].op.clone() {
            Op::NullCheck => self.same(result?, base?),
            Op::CheckCast(c) if class?.is_subclass_of(c) => self.same(result?, base?),
            Op::ExactClass(c, ..) if class? == c => self.same(result?, base?),
            Op::InstanceOf(c) => self.constant(i, i64::from(class?.is_subclass_of(c))),
            Op::LoadClass => self.constant(i, i64::from(class?.word())),
            Op::ArrayLength => self.constant(i, i64::from(self.sites[&base?].length)),
            Op::Compare(c @ (Cond::Eq | Cond::Ne)) => {
                // Nothing else is this object: all references to it are known.
                let equal = base.is_some() && base == self.object(args[1]);
                self.constant(i, i64::from(equal == (c == Cond::Eq)))
            }
            Op::Load(mem, offset, _) => self.load(result?, base?, offset, mem),
            Op::Store(mem, offset, _) => self.store(i, base?, offset, mem, args[1], kept),
            Op::LoadElement(mem) => {
                let offset = self.element(base?, args[1])?;
                self.load(result?, base?, offset, mem)
            }
            Op::StoreElement(mem) => {
                let offset = self.element(base?, args[1])?;
                self.store(i, base?, offset, mem, args[2], kept)
            }
            Op::StoreCheck => self.store_check(i, class?, args[1]),
            // Nobody needs to see it made.
            Op::Fence(_) if base.is_some() => Some(Fate::Remove),
            _ => None,
        }
    }

    /// `v` is a reference to the object too.
    fn same(&mut self, v: Value, site: Inst) -> Option<Fate> {
        self.alias.insert(v, site);
        Some(Fate::Remove)
    }

    fn constant(&mut self, i: Inst, bits: i64) -> Option<Fate> {
        make_const(&mut self.f, i, bits);
        Some(Fate::Keep)
    }

    /// Offset of the element at a constant index in bounds.
    fn element(&mut self, site: Inst, index: Value) -> Option<u32> {
        let Site { class, length, .. } = self.sites[&site];
        // A check of a constant fails by leaving.
        let index = match self.f.def(index) {
            Some(d) if d.op == Op::BoundsCheck => self.f.resolve(d.args[0]),
            _ => index,
        };
        let index = self.f.as_const(index).filter(|n| (0..i64::from(length)).contains(n))?;
        Some(class.array_base() as u32 + ((index as u32) << class.array_log2()))
    }

    fn load(&mut self, result: Value, site: Inst, offset: u32, mem: Mem) -> Option<Fate> {
        if !self.is_field(site, offset, mem) {
            return None;
        }
        match self.heap.get(&site)?.get(&offset).copied() {
            Some(Entry::Object(o)) => return self.same(result, o),
            Some(Entry::Value(v)) => self.f.replace(result, v),
            None => {
                let zero = self.zero(mem.value_type());
                self.f.replace(result, zero);
            }
        }
        Some(Fate::Remove)
    }

    fn store(
        &mut self,
        i: Inst,
        site: Inst,
        offset: u32,
        mem: Mem,
        value: Value,
        kept: &mut Vec<Inst>,
    ) -> Option<Fate> {
        if !self.is_field(site, offset, mem) {
            return None;
        }
        let value = self.narrowed(i, mem, value, kept);
        let entry = self.entry_of(value);
        self.heap.get_mut(&site)?.insert(offset, entry);
        self.states.clear();
        Some(Fate::Remove)
    }

    /// What a load gives back after `value` has been stored as `mem`.
    fn narrowed(&mut self, i: Inst, mem: Mem, value: Value, kept: &mut Vec<Inst>) -> Value {
        let origin = self.f.insts[i].origin;
        let (op, args) = match mem {
            Mem::I8 => (Op::Unary(Unary::SignExtend8), vec![value]),
            Mem::I16 => (Op::Unary(Unary::SignExtend16), vec![value]),
            Mem::U16 => (Op::Unary(Unary::ZeroExtend16), vec![value]),
            Mem::U8 => {
                let mask = self.f.make_inst(Op::Const(0xff), vec![], Some(Type::I32), None, origin);
                kept.push(mask);
                let mask = self.f.insts[mask].result.expect("a constant is a value");
                (Op::Binary(Binary::And), vec![value, mask])
            }
            _ => return value,
        };
        let narrow = self.f.make_inst(op, args, Some(Type::I32), None, origin);
        kept.push(narrow);
        self.f.insts[narrow].result.expect("a conversion has a value")
    }

    /// A store check on an array that is not made: a cast to its element type.
    fn store_check(&mut self, i: Inst, array: ClassRef, value: Value) -> Option<Fate> {
        let component = array.component?;
        let result = self.f.insts[i].result?;
        let is_root = component.super_class.is_none() && !component.is_interface();
        if let Some(o) = self.object(value) {
            return if self.sites[&o].class.is_subclass_of(component) { self.same(result, o) } else { None };
        }
        let known = self.f.values[value].facts.class;
        if is_root || is_null(&self.f, value) || known.is_some_and(|c| c.is_subclass_of(component)) {
            self.f.replace(result, value);
            return Some(Fate::Remove);
        }
        self.f.insts[i].op = Op::CheckCast(component);
        self.f.insts[i].args = vec![value];
        Some(Fate::Keep)
    }

    // ---------------------------------------------------------------- frame states

    /// The state with the objects as virtual ones.
    fn state(&mut self, state: State) -> State {
        if let Some(&s) = self.states.get(&state) {
            return s;
        }
        let mut chain = Vec::new();
        let mut next = Some(state);
        while let Some(s) = next {
            chain.push(self.f.states[s].clone());
            next = self.f.states[s].parent;
        }
        let mentions = chain.iter().flat_map(|s| s.uses()).any(|v| self.alias.contains_key(&self.f.resolve(v)));
        let new = if mentions { self.with_virtuals(chain) } else { state };
        self.states.insert(state, new);
        new
    }

    fn with_virtuals(&mut self, mut chain: Vec<crate::compiler::ir::FrameState>) -> State {
        let mut virtuals = std::mem::take(&mut chain[0].virtuals);
        let mut found = Found { numbers: BTreeMap::new(), list: Vec::new(), first: virtuals.len() };
        for o in &mut virtuals {
            for field in &mut o.fields {
                self.slot(&mut field.2, &mut found);
            }
        }
        let mut locks: FxHashMap<Slot, u32> = FxHashMap::default();
        for s in &mut chain {
            for slot in s.locals.iter_mut().chain(&mut s.stack) {
                self.slot(slot, &mut found);
            }
            for m in &mut s.monitors {
                self.slot(&mut m.object, &mut found);
                if m.elided {
                    *locks.entry(m.object).or_default() += 1;
                }
            }
        }
        let mut n = 0;
        while n < found.list.len() {
            let site = found.list[n];
            let Site { class, length, fields } = self.sites[&site].clone();
            let entries = self.heap.get(&site).cloned().unwrap_or_default();
            let mut o = VirtualObject { class, length, locks: 0, fields: Vec::new(), boxed: false };
            for (offset, entry) in entries {
                let slot = match entry {
                    Entry::Object(x) => Slot::Virtual(found.number(x)),
                    Entry::Value(v) => {
                        let v = self.f.resolve(v);
                        // The object is zero where nothing is put.
                        if const_bits(&self.f, v) == Some(0) || is_null(&self.f, v) {
                            continue;
                        }
                        Slot::Value(v)
                    }
                };
                let mem = fields.get(&offset).copied();
                o.fields.extend(mem.map(|mem| (offset, mem, slot)));
            }
            o.locks = locks.get(&Slot::Virtual(found.number(site))).copied().unwrap_or(0);
            virtuals.push(o);
            n += 1;
        }
        chain[0].virtuals = virtuals;
        let mut parent = None;
        for mut s in chain.into_iter().rev() {
            s.parent = parent;
            parent = Some(self.f.states.push(s));
        }
        parent.expect("a state has a frame")
    }

    fn slot(&mut self, slot: &mut Slot, found: &mut Found) {
        if let Slot::Value(v) = *slot {
            if let Some(o) = self.object(v) {
                *slot = Slot::Virtual(found.number(o));
            }
        }
    }
}

/// The objects of a frame state, numbered as they are found.
struct Found {
    numbers: BTreeMap<Inst, u32>,
    list: Vec<Inst>,
    /// Number of the first.
    first: usize,
}

impl Found {
    fn number(&mut self, site: Inst) -> VirtualIx {
        let next = (self.first + self.list.len()) as u32;
        let n = *self.numbers.entry(site).or_insert(next);
        if n == next {
            self.list.push(site);
        }
        VirtualIx::from_u32(n)
    }
}
