//! A function in SSA form: a control-flow graph of blocks with parameters.

use super::op::Op;
use super::reason::{Action, Reason};
use super::state::{FrameState, State};
use super::types::Type;
use crate::meta::class::ClassRef;
use crate::meta::method::MethodRef;
use cranelift_entity::{entity_impl, PrimaryMap};
use smallvec::{smallvec, SmallVec};

/// A basic block.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Block(u32);
entity_impl!(Block, "b");

/// An instruction.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Inst(u32);
entity_impl!(Inst, "i");

/// An SSA value.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Value(u32);
entity_impl!(Value, "v");

/// A method that frame states refer to: the compiled one is 0, then those inlined.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MethodIx(u32);
entity_impl!(MethodIx, "m");

/// Where a value comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ValueDef {
    Result(Inst),
    Param(Block, u32),
    /// Replaced by another value.
    Alias(Value),
}

/// What is known of a reference beyond its being one.
#[derive(Clone, Copy, PartialEq, Default, Debug)]
pub struct RefFacts {
    /// An instance of this class or a subclass, or null.
    pub class: Option<ClassRef>,
    /// ... of exactly this class.
    pub exact: bool,
    pub non_null: bool,
}

#[derive(Clone, PartialEq, Debug)]
pub struct ValueData {
    pub ty: Type,
    pub def: ValueDef,
    pub facts: RefFacts,
    /// The reference is what `valueOf` of its (exact) class gives for this value.
    pub boxed: Option<Value>,
}

#[derive(Clone, PartialEq, Debug)]
pub struct InstData {
    pub op: Op,
    pub args: Vec<Value>,
    pub result: Option<Value>,
    /// See [`Op::needs_state`].
    pub state: Option<State>,
    /// Method and bytecode it stems from, for listings and traps.
    pub origin: (MethodIx, u16),
}

/// A successor with the arguments for its parameters.
#[derive(Clone, PartialEq, Debug)]
pub struct Edge {
    pub block: Block,
    pub args: Vec<Value>,
}

impl Edge {
    pub fn new(block: Block, args: Vec<Value>) -> Edge {
        Edge { block, args }
    }
}

/// How a block ends.
#[derive(Clone, PartialEq, Debug)]
pub enum Terminator {
    /// Still being built.
    None,
    Jump(Edge),
    /// If the i32 is not zero `then`, else `other`; how often out of 2^16 `then` is expected.
    Branch { cond: Value, then: Edge, other: Edge, probability: u16 },
    /// On an i32: the edge with this key, else the default. Keys ascend.
    Switch { key: Value, cases: Vec<(i32, Edge)>, default: Edge },
    Return(Option<Value>),
    /// Leaves with the exception (not null), after the method's own handlers have been dealt with.
    Throw(Value),
    /// Goes on in the interpreter.
    Deopt { reason: Reason, action: Action, state: State },
    /// The block's last instruction is an [`Op::Call`] or [`Op::CallRuntime`] that, when it throws, goes to the
    /// second edge. Its result may be used on the first edge only. (The handler block starts with
    /// `TakeException`.)
    Try(Edge, Edge),
    /// After a call that never returns.
    Unreachable,
}

/// Where a terminator goes: two places at most, but for a switch.
pub type Edges<'a> = SmallVec<[&'a Edge; 2]>;

impl Terminator {
    /// The outgoing edges in order.
    pub fn edges(&self) -> Edges<'_> {
        match self {
            Terminator::Jump(e) => smallvec![e],
            Terminator::Branch { then, other, .. } => smallvec![then, other],
            Terminator::Switch { cases, default, .. } => cases.iter().map(|c| &c.1).chain([default]).collect(),
            Terminator::Try(a, b) => smallvec![a, b],
            _ => smallvec![],
        }
    }

    pub fn edges_mut(&mut self) -> SmallVec<[&mut Edge; 2]> {
        match self {
            Terminator::Jump(e) => smallvec![e],
            Terminator::Branch { then, other, .. } => smallvec![then, other],
            Terminator::Switch { cases, default, .. } => cases.iter_mut().map(|c| &mut c.1).chain([default]).collect(),
            Terminator::Try(a, b) => smallvec![a, b],
            _ => smallvec![],
        }
    }

    /// Calls `f` on every value used, edge arguments included, frame states not.
    pub fn for_each_use(&mut self, mut f: impl FnMut(&mut Value)) {
        match self {
            Terminator::Branch { cond, .. } => f(cond),
            Terminator::Switch { key, .. } => f(key),
            Terminator::Return(Some(v)) | Terminator::Throw(v) => f(v),
            _ => {}
        }
        for e in self.edges_mut() {
            e.args.iter_mut().for_each(&mut f);
        }
    }
}

#[derive(Clone, PartialEq, Debug)]
pub struct BlockData {
    pub params: Vec<Value>,
    pub insts: Vec<Inst>,
    pub term: Terminator,
    /// Relative execution frequency, 1.0 at the entry.
    pub frequency: f32,
}

/// A method that frame states name. Tests parse functions whose methods do not exist.
#[derive(Clone, PartialEq, Debug)]
pub struct MethodName {
    pub method: Option<MethodRef>,
    pub name: String,
}

/// What is compiled: a method from its start, or from a loop header.
#[derive(Clone, PartialEq, Debug)]
pub struct Function {
    pub name: String,
    /// Bytecode index at which an on-stack replacement enters.
    pub osr_bci: Option<u16>,
    pub entry: Block,
    pub blocks: PrimaryMap<Block, BlockData>,
    pub insts: PrimaryMap<Inst, InstData>,
    pub values: PrimaryMap<Value, ValueData>,
    pub states: PrimaryMap<State, FrameState>,
    pub methods: PrimaryMap<MethodIx, MethodName>,
    pub return_type: Option<Type>,
    /// Values have been replaced since the uses were last rewritten.
    aliased: bool,
}

impl Function {
    /// A function with an entry block whose parameters are those of the signature (none for an on-stack
    /// replacement).
    pub fn new(name: String, params: &[Type], return_type: Option<Type>) -> Function {
        let mut f = Function {
            name,
            osr_bci: None,
            entry: Block(0),
            blocks: PrimaryMap::new(),
            insts: PrimaryMap::new(),
            values: PrimaryMap::new(),
            states: PrimaryMap::new(),
            methods: PrimaryMap::new(),
            return_type,
            aliased: false,
        };
        f.entry = f.new_block();
        for &ty in params {
            f.add_param(f.entry, ty);
        }
        f
    }

    pub fn new_block(&mut self) -> Block {
        self.blocks.push(BlockData { params: vec![], insts: vec![], term: Terminator::None, frequency: 1.0 })
    }

    /// Adds a parameter to `block`; every edge to it must get one more argument.
    pub fn add_param(&mut self, block: Block, ty: Type) -> Value {
        let index = self.blocks[block].params.len() as u32;
        let def = ValueDef::Param(block, index);
        let v = self.values.push(ValueData { ty, def, facts: RefFacts::default(), boxed: None });
        self.blocks[block].params.push(v);
        v
    }

    /// Makes an instruction that is in no block yet, with a result of type `ty`.
    pub fn make_inst(
        &mut self,
        op: Op,
        args: Vec<Value>,
        ty: Option<Type>,
        state: Option<State>,
        origin: (MethodIx, u16),
    ) -> Inst {
        debug_assert!(!op.needs_state() || state.is_some(), "{op:?} needs a frame state");
        let inst = self.insts.push(InstData { op, args, result: None, state, origin });
        if let Some(ty) = ty {
            let def = ValueDef::Result(inst);
            let v = self.values.push(ValueData { ty, def, facts: RefFacts::default(), boxed: None });
            self.insts[inst].result = Some(v);
        }
        inst
    }

    /// Appends an instruction to `block`; its result, if it has one.
    pub fn append(
        &mut self,
        block: Block,
        op: Op,
        args: Vec<Value>,
        ty: Option<Type>,
        state: Option<State>,
        origin: (MethodIx, u16),
    ) -> Option<Value> {
        let inst = self.make_inst(op, args, ty, state, origin);
        self.blocks[block].insts.push(inst);
        self.insts[inst].result
    }

    /// The value that stands for `v` now.
    pub fn resolve(&self, mut v: Value) -> Value {
        while let ValueDef::Alias(to) = self.values[v].def {
            v = to;
        }
        v
    }

    /// Makes every use of `from` one of `to`. Uses are rewritten by [`Function::resolve_aliases`].
    pub fn replace(&mut self, from: Value, to: Value) {
        let to = self.resolve(to);
        debug_assert_ne!(self.resolve(from), to, "replacing {from} by itself");
        debug_assert_eq!(self.values[from].ty, self.values[to].ty);
        self.values[from].def = ValueDef::Alias(to);
        self.aliased = true;
    }

    /// Rewrites all uses of replaced values.
    pub fn resolve_aliases(&mut self) {
        if !std::mem::take(&mut self.aliased) {
            return;
        }
        let map: Vec<Value> = self.values.keys().map(|v| self.resolve(v)).collect();
        let at = |v: &mut Value| *v = map[v.as_u32() as usize];
        for i in self.insts.values_mut() {
            i.args.iter_mut().for_each(at);
        }
        for b in self.blocks.values_mut() {
            b.term.for_each_use(at);
        }
        for s in self.states.values_mut() {
            s.for_each_use(at);
        }
        for v in self.values.values_mut() {
            v.boxed.iter_mut().for_each(at);
        }
    }

    pub fn ty(&self, v: Value) -> Type {
        self.values[v].ty
    }

    /// The instruction that defines `v`, unless it is a parameter.
    pub fn def(&self, v: Value) -> Option<&InstData> {
        match self.values[self.resolve(v)].def {
            ValueDef::Result(i) => Some(&self.insts[i]),
            _ => None,
        }
    }

    /// The constant that `v` is: i32 sign-extended, i64, ptr.
    pub fn as_const(&self, v: Value) -> Option<i64> {
        match self.def(v)?.op {
            Op::Const(c) => Some(c),
            _ => None,
        }
    }

    /// Predecessors of every block, one entry an edge, reachable blocks only.
    pub fn predecessors(&self) -> cranelift_entity::SecondaryMap<Block, Vec<Block>> {
        let mut preds: cranelift_entity::SecondaryMap<Block, Vec<Block>> =
            cranelift_entity::SecondaryMap::with_capacity(self.blocks.len());
        for b in self.reverse_postorder() {
            for e in self.blocks[b].term.edges() {
                preds[e.block].push(b);
            }
        }
        preds
    }

    /// Reachable blocks, each before its successors but for back-edges; the entry first.
    pub fn reverse_postorder(&self) -> Vec<Block> {
        let mut seen = vec![false; self.blocks.len()];
        let mut order = Vec::new();
        // (block, successors, next successor)
        let mut stack: Vec<(Block, Edges<'_>, usize)> = Vec::new();
        let succs = |b: Block| self.blocks[b].term.edges();
        seen[self.entry.as_u32() as usize] = true;
        stack.push((self.entry, succs(self.entry), 0));
        while let Some((b, s, next)) = stack.last_mut() {
            if let Some(to) = s.get(*next).map(|e| e.block) {
                *next += 1;
                if !std::mem::replace(&mut seen[to.as_u32() as usize], true) {
                    stack.push((to, succs(to), 0));
                }
            } else {
                order.push(*b);
                stack.pop();
            }
        }
        order.reverse();
        order
    }
}
