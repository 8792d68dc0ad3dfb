//! A method being translated: the compiled one, or one inlined.

use super::super::ir::{Block, Edge, MethodIx, Op, Reason, Resume, State, Terminator, Type, Value};
use super::super::refusal::Refusal;
use super::bytecode::{Code, LocalUse};
use super::flow::{BlockIx, Flow};
use super::frame::Frame;
use super::liveness::{Liveness, Locals};
use super::meet::{facts_of_any, Meeting};
use super::{add_method, Builder, Tier};
use crate::classfile::ExceptionTableEntry;
use crate::meta::method::{method_flags, MethodRef};
use crate::profile::MethodProfile;

/// Where a value of a block's frame lies.
#[derive(Clone, Copy, Debug)]
enum Place {
    Local(usize),
    Stack(usize),
    Monitor(usize),
}

impl Place {
    fn of(self, frame: &mut Frame) -> &mut Value {
        match self {
            Place::Local(i) => frame.locals[i].as_mut().expect("a parameter's place is in use"),
            Place::Stack(i) => frame.stack[i].as_mut().expect("a parameter's place is in use"),
            Place::Monitor(i) => &mut frame.monitors[i],
        }
    }
}

/// How a bytecode block is entered.
#[derive(Default)]
pub(super) struct Entry {
    /// Its first IR block, with the frame on entry, once an edge to it has been made.
    pub at: Option<(Block, Frame)>,
    /// The block in front of a loop's header that edges from outside the loop lead to, with the same parameters.
    before: Option<Block>,
    /// What its parameters are.
    params: Vec<Place>,
    /// The arguments of each edge so far.
    edges: Vec<Vec<Value>>,
}

/// See the module comment.
pub(super) struct Scope {
    pub method: MethodRef,
    pub ix: MethodIx,
    pub code: Code<'static>,
    pub table: &'static [ExceptionTableEntry],
    pub flow: Flow,
    liveness: Liveness,
    pub entries: Vec<Entry>,
    /// Locals that some instruction writes.
    written: Locals,
    /// Values of the locals on entry. Those never written keep them everywhere.
    pub initial: Vec<Option<Value>>,
    /// The frame where translation stands.
    pub frame: Frame,
    /// The block being translated; none on entry.
    current: Option<BlockIx>,
    /// The bytecode being translated.
    pub bci: u16,
    /// Live locals before each instruction of the current block.
    live: Vec<(u16, Locals)>,
    /// The object that a synchronized method has locked.
    pub sync: Option<Value>,
    pub profile: Option<&'static MethodProfile>,
    /// What lies on the stack behind the arguments of the call being translated: the member name of a `linkTo*`.
    pub tail: Option<Value>,
    /// The caller's state, if inlined.
    pub caller: Option<State>,
    /// Where an inlined method's returns lead.
    pub exit: Option<Meeting>,
    /// A final field has been written: its value must be visible before the object can be.
    pub wrote_final: bool,
}

impl Builder<'_> {
    /// Prepares the translation of `method`.
    pub(super) fn scope(&mut self, method: MethodRef, caller: Option<State>) -> Result<Scope, Refusal> {
        let code = Code(method.code);
        let table = method.code_attribute().map_or(&[][..], |c| &c.exception_table);
        let max_locals = method.max_locals as usize;
        let entry = if caller.is_none() { self.request.osr_bci.unwrap_or(0) } else { 0 };
        if entry as usize >= code.len() {
            return Err(Refusal::OsrEntry(entry));
        }
        let flow = Flow::discover(code, table, entry)?;
        let always = method.has_flag(method_flags::OBJECT_INIT).then_some(0);
        let liveness = Liveness::compute(code, &flow, table, max_locals, None, always);
        let mut written = Locals::new(max_locals);
        for bci in (0..code.len()).filter(|&i| flow.is_instruction(i as u16)) {
            note_written(&mut written, code.local(bci));
        }
        Ok(Scope {
            method,
            ix: add_method(&mut self.f, method),
            code,
            table,
            entries: flow.blocks.iter().map(|_| Entry::default()).collect(),
            flow,
            liveness,
            written,
            initial: vec![None; max_locals],
            frame: Frame::new(max_locals),
            current: None,
            bci: entry,
            live: Vec::new(),
            sync: None,
            tail: None,
            profile: (self.request.profile)(method),
            caller,
            exit: None,
            wrote_final: false,
        })
    }

    /// An edge from the current frame to a bytecode block.
    pub(super) fn edge_to(&mut self, to: BlockIx) -> Result<Edge, Refusal> {
        let frame = self.s().frame.clone();
        self.edge_from(self.scopes.len() - 1, to, &frame)
    }

    /// An edge to block `to` of scope `s`, where the frame is `frame`.
    pub(super) fn edge_from(&mut self, s: usize, to: BlockIx, frame: &Frame) -> Result<Edge, Refusal> {
        let scope = &self.scopes[s];
        let start = scope.flow.blocks[to].start;
        let malformed = || Refusal::Malformed(start);
        if scope.entries[to].at.is_none() {
            return self.first_edge(s, to, frame);
        }
        let Some((block, entry)) = &scope.entries[to].at else { return Err(malformed()) };
        if entry.stack.len() != frame.stack.len() {
            return Err(malformed());
        }
        if entry.monitors.len() != frame.monitors.len() {
            return Err(Refusal::UnstructuredLocking(start));
        }
        let args = scope.entries[to]
            .params
            .iter()
            .map(|&p| match p {
                Place::Local(i) => frame.locals[i],
                Place::Stack(i) => frame.stack[i],
                Place::Monitor(i) => Some(frame.monitors[i]),
            })
            .collect::<Option<Vec<Value>>>()
            .ok_or_else(malformed)?;
        let params = &self.f.blocks[*block].params;
        if args.iter().zip(params).any(|(&a, &p)| self.f.ty(a) != self.f.ty(p)) {
            return Err(malformed());
        }
        let inside = scope.current.is_some_and(|from| scope.flow.is_backward(from, to));
        let block = if inside { *block } else { scope.entries[to].before.unwrap_or(*block) };
        self.scopes[s].entries[to].edges.push(args.clone());
        Ok(Edge::new(block, args))
    }

    fn first_edge(&mut self, s: usize, to: BlockIx, frame: &Frame) -> Result<Edge, Refusal> {
        let scope = &self.scopes[s];
        let b = &scope.flow.blocks[to];
        let entered_from_outside = scope.flow.order[0] == to;
        let merge = b.predecessors + u32::from(entered_from_outside) != 1 || b.is_handler;
        let live = scope.liveness.at_start(to).clone();
        let block = self.f.new_block();
        let mut inner = frame.clone();
        let (mut places, mut args) = (Vec::new(), Vec::new());
        for i in 0..inner.locals.len() {
            if !live.contains(i) {
                inner.locals[i] = None;
            } else if merge && !self.scopes[s].written.contains(i) {
                // Never written: the value of the beginning, whatever has been found out about it since.
                inner.locals[i] = self.scopes[s].initial[i];
            } else if let (Some(v), true) = (inner.locals[i], merge) {
                places.push(Place::Local(i));
                args.push(v);
                inner.locals[i] = Some(self.f.add_param(block, self.f.ty(v)));
            }
        }
        if merge {
            for i in 0..inner.stack.len() {
                if let Some(v) = inner.stack[i] {
                    places.push(Place::Stack(i));
                    args.push(v);
                    inner.stack[i] = Some(self.f.add_param(block, self.f.ty(v)));
                }
            }
            for i in 0..inner.monitors.len() {
                places.push(Place::Monitor(i));
                args.push(inner.monitors[i]);
                inner.monitors[i] = self.f.add_param(block, Type::Ref);
            }
        }
        let entry = &mut self.scopes[s].entries[to];
        entry.at = Some((block, inner));
        entry.params = places;
        entry.edges.push(args.clone());
        Ok(Edge::new(block, args))
    }
}

impl Builder<'_> {
    /// Makes `b` the block being translated; its first IR block, if it is reached.
    pub(super) fn begin(&mut self, b: BlockIx) -> Option<Block> {
        let s = self.sm();
        let (block, frame) = s.entries[b].at.clone()?;
        s.current = Some(b);
        s.frame = frame;
        s.live = s.liveness.within(s.code, &s.flow, s.table, b);
        let stays = self.staying(b);
        self.settle(b, block, &stays);
        if self.wants_mark(b) {
            return Some(self.mark_loop(b, block, &stays));
        }
        Some(block)
    }

    /// Which of a block's parameters have the same value whichever back-edge leads to it.
    fn staying(&self, b: BlockIx) -> Vec<bool> {
        let s = self.s();
        let is_loop = !s.flow.blocks[b].back_edges.is_empty();
        let changed = if is_loop { s.written_in_loop(b) } else { Locals::new(s.frame.locals.len()) };
        let stays = |&place: &Place| match place {
            Place::Local(i) => !changed.contains(i),
            Place::Stack(_) | Place::Monitor(_) => !is_loop,
        };
        s.entries[b].params.iter().map(stays).collect()
    }

    /// Whether the loop with header `b`, if it is one, gets a mark ([`Op::LoopEntry`]).
    fn wants_mark(&self, b: BlockIx) -> bool {
        let s = self.s();
        let block = &s.flow.blocks[b];
        if self.request.tier != Tier::Optimized || block.back_edges.is_empty() || block.is_handler {
            return false;
        }
        // What was tested in front of the loop has failed too often.
        let failed = |r: Reason| s.profile.is_some_and(|p| p.too_many_traps(block.start, r));
        ![Reason::Predicate, Reason::NullCheck, Reason::RangeCheck, Reason::ClassCheck].into_iter().any(failed)
    }

    /// Makes `block`, which all edges so far lead to, the one in front of the loop with header `b`: it holds the state
    /// with which tests made there leave. The header proper, which has the same parameters.
    fn mark_loop(&mut self, b: BlockIx, block: Block, stays: &[bool]) -> Block {
        let (start, ix) = (self.s().flow.blocks[b].start, self.s().ix);
        let live = self.s().liveness.at_start(b).clone();
        let state = self.state(start, Resume::Execute, &live);
        self.f.append(block, Op::LoopEntry, vec![], None, Some(state), (ix, start));
        let header = self.f.new_block();
        let params = self.f.blocks[block].params.clone();
        let (_, mut at_header) = self.s().entries[b].at.clone().expect("the block is reached");
        for (k, &p) in params.iter().enumerate() {
            let inner = self.f.add_param(header, self.f.ty(p));
            let place = self.s().entries[b].params[k];
            *place.of(&mut at_header) = inner;
            if !stays[k] {
                *place.of(&mut self.sm().frame) = inner;
            }
        }
        self.f.blocks[block].term = Terminator::Jump(Edge::new(header, params));
        let entry = &mut self.sm().entries[b];
        entry.at = Some((header, at_header));
        entry.before = Some(block);
        header
    }

    /// What the edges made so far tell of a block's parameters, of those that stay what they are. All but the
    /// back-edges have been made.
    fn settle(&mut self, b: BlockIx, block: Block, stays: &[bool]) {
        let entry = &self.s().entries[b];
        let mut known = Vec::new();
        for (k, &place) in entry.params.iter().enumerate().filter(|x| stays[x.0]) {
            let first = entry.edges[0][k];
            if entry.edges.iter().all(|e| e[k] == first) {
                known.push((place, Ok(first)));
            } else if self.f.ty(first) == Type::Ref {
                let facts = facts_of_any(&self.f, entry.edges.iter().map(|e| e[k]));
                known.push((place, Err((self.f.blocks[block].params[k], facts))));
            }
        }
        for (place, what) in known {
            match what {
                // The parameter is there for the back-edges; nobody needs it.
                Ok(v) => *place.of(&mut self.sm().frame) = v,
                Err((param, facts)) => self.set_facts(param, facts),
            }
        }
    }
}

impl Scope {
    /// The locals that the loop with header `b` writes.
    fn written_in_loop(&self, b: BlockIx) -> Locals {
        let mut written = Locals::new(self.frame.locals.len());
        let body = self.flow.loop_of(self.table, b);
        if b != self.flow.order[0] && body.contains(&self.flow.order[0]) {
            // Another way into the loop: what comes that way is not known here.
            return self.all_locals();
        }
        for i in body {
            let block = &self.flow.blocks[i];
            for bci in (block.start..block.end as u16).filter(|&x| self.flow.is_instruction(x)) {
                note_written(&mut written, self.code.local(bci as usize));
            }
        }
        written
    }

    /// Some instruction writes the local.
    pub fn writes(&self, local: usize) -> bool {
        self.written.contains(local)
    }

    /// The live locals before the current bytecode.
    pub fn live_here(&self) -> Locals {
        match self.live.binary_search_by_key(&self.bci, |l| l.0) {
            Ok(i) => self.live[i].1.clone(),
            Err(_) => self.all_locals(),
        }
    }

    pub fn live_at_start(&self, b: BlockIx) -> &Locals {
        self.liveness.at_start(b)
    }

    pub fn all_locals(&self) -> Locals {
        let mut all = Locals::new(self.frame.locals.len());
        (0..self.frame.locals.len()).for_each(|i| all.insert(i));
        all
    }

    /// The live locals at the start of a block with the types that their reads say they have.
    pub fn types_at(&self, b: BlockIx) -> Vec<(u16, Type)> {
        let mut out = Vec::new();
        for ty in [Type::I32, Type::I64, Type::F32, Type::F64, Type::Ref] {
            let only = Liveness::compute(self.code, &self.flow, self.table, self.frame.locals.len(), Some(ty), None);
            out.extend(only.at_start(b).iter().map(|i| (i as u16, ty)));
        }
        out.sort_by_key(|x| x.0);
        out
    }

    /// How many monitors the frame holds at the start of a block that is reached from the method's start.
    pub fn monitors_at(&self, b: BlockIx) -> Result<usize, Refusal> {
        let own = usize::from(self.method.is_synchronized());
        if !self.method.code.contains(&0xc2) {
            return Ok(own);
        }
        let flow = Flow::discover(self.code, self.table, 0)?;
        let mut depth = vec![None; flow.blocks.len()];
        let goal = flow.blocks.iter().position(|x| x.start == self.flow.blocks[b].start);
        depth[flow.order[0]] = Some(own);
        for &i in &flow.order {
            let Some(mut d) = depth[i] else { continue };
            let block = &flow.blocks[i];
            for bci in (block.start..block.end as u16).filter(|&x| flow.is_instruction(x)) {
                let op = self.code.op(bci as usize);
                // Exceptions of calls alone go to handlers within compiled code.
                if matches!(op, 0xb6..=0xba | 0xbf) {
                    for &h in &block.handlers {
                        merge(&mut depth[flow.at(self.table[h].handler_pc)], d, bci)?;
                    }
                }
                match op {
                    0xc2 => d += 1,
                    0xc3 => d = d.checked_sub(1).ok_or(Refusal::UnstructuredLocking(bci))?,
                    _ => {}
                }
            }
            for &s in block.successors.iter().filter(|&&s| s != usize::MAX) {
                merge(&mut depth[s], d, block.start)?;
            }
        }
        goal.and_then(|g| depth[g]).ok_or(Refusal::OsrEntry(self.flow.blocks[b].start))
    }
}

fn note_written(written: &mut Locals, what: LocalUse) {
    match what {
        LocalUse::Write(i, t) => {
            written.insert(i as usize);
            if t.is_two_slots() {
                written.insert(i as usize + 1);
            }
            if i > 0 {
                // It may cut a long or double in half.
                written.insert(i as usize - 1);
            }
        }
        LocalUse::Both(i) => written.insert(i as usize),
        LocalUse::Read(..) | LocalUse::None => {}
    }
}

fn merge(depth: &mut Option<usize>, d: usize, bci: u16) -> Result<(), Refusal> {
    match *depth {
        Some(known) if known != d => Err(Refusal::UnstructuredLocking(bci)),
        _ => {
            *depth = Some(d);
            Ok(())
        }
    }
}
