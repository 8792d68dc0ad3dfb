//! Bytecode to IR.
//!
//! A method's bytecode blocks are translated once each, in reverse postorder, by abstract interpretation: the
//! frame of a block says which value each local and stack slot holds. A block that several edges reach gets a
//! parameter for every live slot; `prune` then removes those that stand for one value only. Inlined methods are
//! translated where they are called, into the same function.

mod arithmetic;
pub mod bytecode;
pub(crate) mod constant;
mod exceptions;
mod flow;
mod frame;
mod hierarchy;
mod inline;
mod intrinsics;
mod invoke;
mod liveness;
mod meet;
mod memory;
mod prune;
mod resolve;
mod same;
mod scope;
mod translate;

pub use intrinsics::is_intrinsic;

use super::dependencies::Dependencies;
use super::inlining;
use super::passes::fold::{self, Outcome};
use super::ir::{
    Action, Block, Edge, FrameState, Function, MethodIx, Monitor, Op, Reason, RefFacts, Resume, Runtime, Slot, State,
    Terminator, Type, Value,
};
use super::refusal::Refusal;
use crate::meta::method::{method_flags, MethodKind, MethodRef};
use crate::heap::roots::{Handle, RootSlot};
use crate::profile::MethodProfile;
use scope::Scope;
use rustc_hash::FxHashMap;

/// Which pipeline the function is built for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tier {
    /// Tiers 1 to 3: no speculation, next to no inlining.
    Quick,
    /// Tier 4: inlines and speculates by profile.
    Optimized,
}

/// What to count in the code (tiers 2 and 3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Counting {
    /// Branches, calls and receiver types too (tier 3).
    pub sites: bool,
    /// Invocations and back-edges between two looks of the policy, less 1.
    pub invoke_mask: u32,
    pub backedge_mask: u32,
}

/// A compile as asked for.
#[derive(Clone, Copy)]
pub struct Request {
    /// Loop header to enter at; there must be nothing on the operand stack.
    pub osr_bci: Option<u16>,
    pub tier: Tier,
    pub counting: Option<Counting>,
    /// The profile of a method: `profile::data::if_attached`, or `profile::data::of_method` if the code counts.
    pub profile: fn(MethodRef) -> Option<&'static MethodProfile>,
    /// Blocks, instructions and values that a compile may make before it is given up.
    pub node_limit: usize,
    /// `None`: `-XX:-Inline`.
    pub inlining: Option<inlining::Limits>,
    /// What `-XX:CompileCommand` says about inlining a method.
    pub ordered: fn(MethodRef) -> Option<inlining::Ordered>,
    /// Bytes of a method's own tier-4 code, if it has any.
    pub code_size: fn(MethodRef) -> Option<usize>,
}

impl Request {
    /// A compile from the method's start, without profile.
    pub fn new(tier: Tier) -> Request {
        Request {
            osr_bci: None,
            tier,
            counting: None,
            profile: |_| None,
            node_limit: 120_000,
            inlining: Some(match tier {
                Tier::Quick => inlining::Limits::QUICK,
                Tier::Optimized => inlining::Limits::OPTIMIZED,
            }),
            ordered: |_| None,
            code_size: |_| None,
        }
    }
}

/// What was built.
#[derive(Debug)]
pub struct Built {
    pub function: Function,
    /// What it takes for granted.
    pub dependencies: Dependencies,
    /// What became of each call, in the order of translation.
    pub inlining: Vec<inlining::Decision>,
    /// Bytecodes translated, those of inlined methods included.
    pub bytecodes: usize,
}

/// Builds the IR of `method`.
///
/// # Errors
/// Why it cannot be compiled.
pub fn build(method: MethodRef, request: &Request) -> Result<Built, Refusal> {
    if method.kind() != MethodKind::Java || method.code.is_empty() {
        return Err(Refusal::NoCode);
    }
    if method.has_flag(method_flags::OBJECT_INIT) {
        return Err(Refusal::ObjectInit);
    }
    if method.has_flag(method_flags::MATH_ABS) {
        return Err(Refusal::InterpreterIntrinsic);
    }
    // Methods that turned out not to be compilable after they had been inlined.
    let mut banned = Vec::new();
    loop {
        match attempt(method, request, &banned) {
            Err((refusal, culprit)) if std::ptr::eq(culprit, method) => return Err(refusal),
            Err((_, culprit)) => banned.push(culprit),
            Ok(built) => return Ok(built),
        }
    }
}

/// Builds it; if that fails, why and because of which method.
fn attempt(method: MethodRef, request: &Request, banned: &[MethodRef]) -> Result<Built, (Refusal, MethodRef)> {
    let receiver = (!method.is_static()).then_some(Type::Ref);
    let params: Vec<Type> =
        receiver.into_iter().chain(method.parameters.iter().filter_map(|&p| Type::of(p))).collect();
    let name = method.name_and_signature();
    let entry_params = if request.osr_bci.is_some() { &[][..] } else { &params };
    let mut f = Function::new(name, entry_params, Type::of(method.return_type));
    f.osr_bci = request.osr_bci;
    let entry = f.entry;
    let mut b = Builder {
        f,
        request,
        banned,
        scopes: Vec::new(),
        cur: Some(entry),
        dependencies: Dependencies::default(),
        equal: Vec::new(),
        decisions: Vec::new(),
        slots: FxHashMap::default(),
        held: FxHashMap::default(),
        stable: FxHashMap::default(),
        bytecodes: method.code.len(),
    };
    b.whole(method).map_err(|e| (e, b.scopes.last().map_or(method, |s| s.method)))?;
    let wanted: Vec<Value> = b.equal.iter().flat_map(|e| [e.0, e.1]).collect();
    prune::prune(&mut b.f, &wanted);
    for &(x, y, bci, culprit) in &b.equal {
        if !same::is_same(&b.f, x, y) {
            return Err((Refusal::UnstructuredLocking(bci), culprit));
        }
    }
    Ok(Built { function: b.f, dependencies: b.dependencies, inlining: b.decisions, bytecodes: b.bytecodes })
}

struct Builder<'r> {
    f: Function,
    request: &'r Request,
    /// Methods not to inline.
    banned: &'r [MethodRef],
    /// The method compiled, then those being inlined, innermost last.
    scopes: Vec<Scope>,
    /// Block that instructions go to; `None` after the end of the flow.
    cur: Option<Block>,
    dependencies: Dependencies,
    /// Values that must turn out to be the same: what `monitorexit` unlocks and what was locked last; where.
    equal: Vec<(Value, Value, u16, MethodRef)>,
    decisions: Vec<inlining::Decision>,
    /// The slots of known objects, by address.
    slots: FxHashMap<u32, &'static RootSlot>,
    /// Known objects that the code does not keep.
    held: FxHashMap<Value, Handle>,
    /// Known arrays whose elements are constant once they are not 0 (`@Stable`), and the dimensions for which that
    /// holds.
    stable: FxHashMap<Value, u8>,
    /// Bytecodes of the methods translated so far.
    bytecodes: usize,
}

impl Builder<'_> {
    /// Translates the method to be compiled.
    fn whole(&mut self, method: MethodRef) -> Result<(), Refusal> {
        let scope = self.scope(method, None)?;
        self.scopes.push(scope);
        match self.request.osr_bci {
            Some(bci) => self.enter_osr(bci)?,
            None => {
                let args = self.f.blocks[self.f.entry].params.clone();
                self.enter_method(&args)?;
            }
        }
        self.translate()
    }

    fn s(&self) -> &Scope {
        self.scopes.last().expect("a method is being translated")
    }

    fn sm(&mut self) -> &mut Scope {
        self.scopes.last_mut().expect("a method is being translated")
    }

    fn malformed(&self) -> Refusal {
        Refusal::Malformed(self.s().bci)
    }

    // ---------------------------------------------------------------- instructions

    /// Appends an instruction to the current block.
    fn inst(&mut self, op: Op, args: Vec<Value>, ty: Option<Type>, state: Option<State>) -> Option<Value> {
        let block = self.cur.expect("instructions follow no terminator");
        let origin = (self.s().ix, self.s().bci);
        self.f.append(block, op, args, ty, state, origin)
    }

    /// The value of an operation that needs no frame state: folded, if it can be. What is known here decides which
    /// code is translated at all.
    fn value(&mut self, op: Op, args: Vec<Value>, ty: Type) -> Value {
        match fold::simplify(&self.f, &op, &args) {
            Outcome::Value(v) => v,
            Outcome::Const(bits) => {
                let op = match ty {
                    Type::F32 | Type::F64 => Op::FConst(bits as u64),
                    _ => Op::Const(bits),
                };
                self.fresh(op, vec![], ty)
            }
            // What this comes to in turn is left to the passes, constants apart.
            Outcome::Op(op, args) => match fold::simplify(&self.f, &op, &args) {
                Outcome::Value(v) => v,
                _ => self.fresh(op, args, ty),
            },
            Outcome::Same => self.fresh(op, args, ty),
        }
    }

    fn fresh(&mut self, op: Op, args: Vec<Value>, ty: Type) -> Value {
        self.inst(op, args, Some(ty), None).expect("an instruction with a type has a result")
    }

    fn effect(&mut self, op: Op, args: Vec<Value>) {
        self.inst(op, args, None, None);
    }

    fn value_at(&mut self, op: Op, args: Vec<Value>, ty: Type, state: State) -> Value {
        self.inst(op, args, Some(ty), Some(state)).expect("an instruction with a type has a result")
    }

    fn effect_at(&mut self, op: Op, args: Vec<Value>, state: State) {
        self.inst(op, args, None, Some(state));
    }

    fn iconst(&mut self, v: i32) -> Value {
        self.value(Op::Const(i64::from(v)), vec![], Type::I32)
    }

    fn null(&mut self) -> Value {
        self.value(Op::Null, vec![], Type::Ref)
    }

    fn facts(&self, v: Value) -> RefFacts {
        self.f.values[v].facts
    }

    fn set_facts(&mut self, v: Value, facts: RefFacts) {
        self.f.values[v].facts = facts;
    }

    fn mirror(&mut self, class: crate::meta::class::ClassRef) -> Value {
        let v = self.value(Op::Mirror(class), vec![], Type::Ref);
        let facts = RefFacts {
            class: crate::meta::well_known::Known::Class.try_get(),
            exact: true,
            non_null: true,
        };
        self.set_facts(v, facts);
        v
    }

    // ---------------------------------------------------------------- control

    /// Ends the current block.
    fn end(&mut self, term: Terminator) {
        let block = self.cur.take().expect("the flow ends once");
        self.f.blocks[block].term = term;
    }

    fn jump(&mut self, to: Block) {
        self.end(Terminator::Jump(Edge::new(to, vec![])));
    }

    /// A new block, made the current one.
    fn start(&mut self) -> Block {
        let b = self.f.new_block();
        self.cur = Some(b);
        b
    }

    /// Leaves for the interpreter. Where that has happened too often, the code is kept and the interpreter does
    /// the one bytecode.
    fn trap(&mut self, reason: Reason, action: Action, state: State) {
        let action = if self.too_many_traps(reason) { Action::None } else { action };
        self.end(Terminator::Deopt { reason, action, state });
    }

    /// The profile says not to speculate on this any more at the current bytecode.
    fn too_many_traps(&self, reason: Reason) -> bool {
        let s = self.s();
        s.profile.is_some_and(|p| p.too_many_traps(s.bci, reason))
    }

    // ---------------------------------------------------------------- frame states

    /// Where the interpreter executes the current bytecode.
    fn execute(&mut self) -> State {
        let live = self.s().live_here();
        self.state(self.s().bci, Resume::Execute, &live)
    }

    /// Where the current bytecode, a call, has returned; its arguments must have been popped.
    fn after_call(&mut self) -> State {
        let live = self.s().live_here();
        self.state(self.s().bci, Resume::AfterCall, &live)
    }

    fn state(&mut self, bci: u16, resume: Resume, live: &liveness::Locals) -> State {
        self.state_of(self.scopes.len() - 1, bci, resume, live)
    }

    /// The state of scope `at` and its callers.
    fn state_of(&mut self, at: usize, bci: u16, resume: Resume, live: &liveness::Locals) -> State {
        let s = &self.scopes[at];
        let frame = &s.frame;
        let locals = (0..frame.locals.len())
            .map(|i| match frame.locals[i] {
                Some(v) if live.contains(i) => Slot::Value(v),
                _ => Slot::Dead,
            })
            .collect();
        let monitors =
            frame.monitors.iter().map(|&v| Monitor { object: Slot::Value(v), elided: false }).collect();
        let state = FrameState {
            parent: s.caller,
            method: s.ix,
            bci,
            resume,
            locals,
            stack: frame.stack_slots(),
            monitors,
            virtuals: vec![],
        };
        self.f.states.push(state)
    }

    // ---------------------------------------------------------------- entry

    /// Sets up the frame from the arguments, locks, and goes to the first block.
    fn enter_method(&mut self, args: &[Value]) -> Result<(), Refusal> {
        let method = self.s().method;
        // Of an inlined method's arguments the caller knows more.
        if self.scopes.len() == 1 {
            let receiver = usize::from(!method.is_static());
            for (&v, class) in args.iter().skip(receiver).zip(resolve::declared_parameters(method)) {
                self.set_facts(v, RefFacts { class, ..RefFacts::default() });
            }
        }
        let mut at = 0;
        for (i, &v) in args.iter().enumerate() {
            if i == 0 && !method.is_static() {
                // The verifier answers for a class wherever the value is live; an interface it takes on trust,
                // and tests that an inlined method's caller has made of the same value must stand.
                let trusted = method.class();
                let mut facts = self.facts(v);
                facts.non_null = true;
                let told = !trusted.is_interface() || self.scopes.len() == 1;
                if told && facts.class.is_none_or(|c| !c.is_subclass_of(trusted)) {
                    facts.class = Some(trusted);
                }
                self.set_facts(v, facts);
            }
            if at >= self.s().frame.locals.len() {
                return Err(Refusal::Malformed(0));
            }
            self.sm().frame.locals[at] = Some(v);
            at += 1 + usize::from(self.f.ty(v).is_two_slots());
        }
        self.sm().initial = self.s().frame.locals.clone();
        let all = self.s().all_locals();
        if let Some(c) = self.request.counting.filter(|_| self.scopes.len() == 1) {
            if let Some(cell) = self.s().profile.map(|p| p.invocation_cell()) {
                let resume = if method.is_synchronized() { Resume::MethodEntry } else { Resume::Execute };
                let state = self.state(0, resume, &all);
                self.effect_at(Op::CountAndNotify { cell, mask: c.invoke_mask, method, bci: -1 }, vec![], state);
            }
        }
        if self.scopes.len() > 1 && self.request.counting.is_some_and(|c| c.sites) {
            // What its profile says of its sites is weighed by how often it was called.
            if let Some(cell) = self.s().profile.filter(|p| !p.is_empty()).map(|p| p.invocation_cell()) {
                self.effect(Op::Count(cell), vec![]);
            }
        }
        if method.is_synchronized() {
            let object = self.method_object(args)?;
            self.sm().sync = Some(object);
            self.sm().frame.monitors.push(object);
            let state = self.state(0, Resume::Execute, &all);
            self.effect_at(Op::CallRuntime(Runtime::MonitorEnter), vec![object], state);
        }
        let first = self.s().flow.at(0);
        let edge = self.edge_to(first)?;
        self.end(Terminator::Jump(edge));
        Ok(())
    }

    fn method_object(&mut self, args: &[Value]) -> Result<Value, Refusal> {
        let method = self.s().method;
        if method.is_static() {
            return Ok(self.mirror(method.class()));
        }
        args.first().copied().ok_or(Refusal::Malformed(0))
    }

    /// Takes the frame over from the interpreter at a loop header.
    fn enter_osr(&mut self, bci: u16) -> Result<(), Refusal> {
        let s = self.s();
        if !s.flow.is_instruction(bci) || !s.flow.blocks.iter().any(|b| b.start == bci) {
            return Err(Refusal::OsrEntry(bci));
        }
        let block = s.flow.at(bci);
        let types = s.types_at(block);
        let monitors = s.monitors_at(block)?;
        let max_locals = s.frame.locals.len();
        self.sm().bci = bci;
        for (i, ty) in types {
            let v = self.value(Op::OsrLocal(i), vec![], ty);
            let s = self.s();
            if i == 0 && !s.method.is_static() && !s.writes(0) {
                let class = Some(s.method.class());
                self.set_facts(v, RefFacts { class, exact: false, non_null: true });
            }
            self.sm().frame.locals[i as usize] = Some(v);
        }
        self.sm().initial = self.s().frame.locals.clone();
        let synchronized = self.s().method.is_synchronized();
        for k in 0..monitors {
            let v = self.value(Op::OsrLocal((max_locals + k) as u16), vec![], Type::Ref);
            self.set_facts(v, RefFacts { non_null: true, ..RefFacts::default() });
            self.sm().frame.monitors.push(v);
            if k == 0 && synchronized {
                self.sm().sync = Some(v);
            }
        }
        let edge = self.edge_to(block)?;
        self.end(Terminator::Jump(edge));
        Ok(())
    }

    fn nodes(&self) -> usize {
        self.f.insts.len() + self.f.blocks.len()
    }

    /// Whether the function has grown too large.
    fn check_size(&self) -> Result<(), Refusal> {
        let nodes = self.nodes();
        if nodes > self.request.node_limit {
            return Err(Refusal::TooManyNodes { nodes, limit: self.request.node_limit });
        }
        Ok(())
    }
}

/// Names the method in the function's list.
fn add_method(f: &mut Function, method: MethodRef) -> MethodIx {
    f.methods.push(super::ir::MethodName { method: Some(method), name: method.name_and_signature() })
}
