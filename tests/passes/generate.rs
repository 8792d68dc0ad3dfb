//! Random functions: see `oracle`.

use crate::world::World;
use jvm::compiler::ir::parse::Names;
use jvm::compiler::ir::{
    Action, Binary, Block, Cond, Convert, Edge, FrameState, Mem, MethodIx, MethodName, Monitor, Op, Order, Reason,
    RefFacts, Resume, Runtime, Slot, State, Target, Terminator, Type, Unary, Value,
};
use jvm::meta::class::ClassRef;
use std::collections::HashMap;

/// What a variable holds.
pub mod kind {
    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    pub enum Kind {
        I32,
        I64,
        F64,
        /// Any object, or null.
        OBJECT,
        /// An int array, or null.
        INTS,
        /// An array of objects, or null.
        OBJECTS,
    }
    pub use Kind::*;
}
use kind::Kind;

/// The variables: parameters, then loop counters by depth.
pub const PARAMS: [Kind; 12] = [
    Kind::I32, Kind::I32, Kind::I32, Kind::I32, Kind::I64, Kind::I64, Kind::F64, Kind::OBJECT, Kind::OBJECT,
    Kind::OBJECT, Kind::INTS, Kind::OBJECTS,
];
const DEPTHS: usize = 3;
const VARIABLES: usize = PARAMS.len() + DEPTHS;

fn kind_of(v: usize) -> Kind {
    PARAMS.get(v).copied().unwrap_or(Kind::I32)
}

fn type_of(v: usize) -> Type {
    match kind_of(v) {
        Kind::I32 => Type::I32,
        Kind::I64 => Type::I64,
        Kind::F64 => Type::F64,
        Kind::OBJECT | Kind::INTS | Kind::OBJECTS => Type::Ref,
    }
}

/// Steele, Lea and Flood's splitmix64.
#[derive(Clone)]
pub struct Rng(u64);

impl Rng {
    pub fn new(seed: u64) -> Rng {
        Rng(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let x = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    }

    pub fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    fn of<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as u64) as usize]
    }

    /// Edges, small numbers and any.
    pub fn int(&mut self) -> i32 {
        match self.below(4) {
            0 => self.of(&[0, 1, -1, 2, 31, 32, 255, i32::MIN, i32::MAX]),
            1 => self.next() as i32,
            _ => self.below(12) as i32 - 3,
        }
    }

    pub fn long(&mut self) -> i64 {
        match self.below(4) {
            0 => self.of(&[0, 1, -1, 63, 1 << 32, i64::MIN, i64::MAX]),
            1 => self.next() as i64,
            _ => i64::from(self.int()),
        }
    }

    pub fn double(&mut self) -> f64 {
        match self.below(3) {
            0 => self.of(&[0.0, -0.0, 1.0, f64::NAN, f64::INFINITY, f64::MIN_POSITIVE, 1e19]),
            _ => f64::from(self.int()) / 4.0,
        }
    }
}

type Var = usize;

/// A statement; its number is the bytecode index of its states.
struct Node {
    id: u16,
    what: What,
}

enum What {
    Int(Var, i32),
    Long(Var, i64),
    Double(Var, f64),
    Null(Var),
    Move(Var, Var),
    Binary(Binary, Var, Var, Var),
    /// Integer division or remainder.
    Divide(Binary, Var, Var, Var),
    Unary(Unary, Var, Var),
    Convert(Convert, Var, Var),
    Compare(Cond, Var, Var, Var),
    FCompare(Cond, bool, Var, Var, Var),
    Compare3(Var, Var, Var),
    FCompare3(i8, Var, Var, Var),
    Select(Var, Var, Var, Var),
    New(Var, &'static str),
    NewInts(Var, Size),
    NewObjects(Var, Size),
    /// Field at offset, of an A.
    Get(Var, Var, u32, Order),
    Put(Var, u32, Var, Order),
    Length(Var, Var),
    GetElement(Var, Var, Var),
    PutElement(Var, Var, Var),
    Cast(Var, Var, &'static str),
    Exact(Var, &'static str),
    InstanceOf(Var, Var, &'static str),
    /// Speculation that a variable is not this.
    Not(Var, i32),
    Call(&'static str, Option<Var>, Option<Var>),
    /// A call, and what happens when it throws (the exception goes to a variable).
    Try(&'static str, Option<Var>, Option<Var>, Var, Vec<Node>),
    Sync(Var, Vec<Node>, u16),
    If(Cond, Var, Var, Vec<Node>, Vec<Node>),
    Switch(Var, Vec<(i32, Vec<Node>)>, Vec<Node>),
    /// Counter, how often at most; also ends when the two variables are equal. The second id is the poll's.
    Loop(Var, i32, Option<(Var, Var)>, Vec<Node>, u16),
    Deopt,
    Return(Var),
}

#[derive(Clone, Copy)]
enum Size {
    Constant(i32),
    Variable(Var),
}

/// Where the original function takes up after leaving compiled code.
pub struct Point {
    pub block: Block,
    /// Instruction; `None`: after the last, a call, along its normal edge.
    pub next: Option<usize>,
    pub variables: Vec<Value>,
    pub monitors: Vec<Value>,
    /// What the call returned.
    pub result: Option<Value>,
}

pub struct Function {
    pub f: jvm::compiler::ir::Function,
    /// By (bci, after the call).
    pub points: HashMap<(u16, bool), Point>,
    pub variables: Vec<Type>,
}

pub struct Generator {
    rng: Rng,
    next_id: u16,
    /// Statements still to be made.
    budget: u32,
    locked: u32,
    live: HashMap<u16, Live>,
    live_after: HashMap<u16, Live>,
    f: jvm::compiler::ir::Function,
    cur: Block,
    variables: Vec<Value>,
    monitors: Vec<Value>,
    points: HashMap<(u16, bool), Point>,
    method: MethodIx,
    at: u16,
}

/// Variables as bits.
type Live = u32;

const FIELDS: [(u32, Mem); 3] = [(16, Mem::I32), (20, Mem::Ref), (24, Mem::I64)];

impl Generator {
    pub fn new(seed: u64) -> Generator {
        let params: Vec<Type> = (0..PARAMS.len()).map(type_of).collect();
        let mut f = jvm::compiler::ir::Function::new(format!("random{seed}"), &params, Some(Type::I32));
        let method = f.methods.push(MethodName { method: None, name: "random".into() });
        let entry = f.entry;
        let variables = f.blocks[entry].params.clone();
        Generator {
            rng: Rng::new(seed),
            next_id: 0,
            budget: 8 + (seed % 40) as u32,
            locked: 0,
            live: HashMap::new(),
            live_after: HashMap::new(),
            f,
            cur: entry,
            variables,
            monitors: vec![],
            points: HashMap::new(),
            method,
            at: 0,
        }
    }

    pub fn function(mut self) -> Function {
        let mut body = self.statements(0);
        let result = self.var(Kind::I32);
        body.push(self.node(What::Return(result)));
        self.liveness(&body, 0);
        for _ in 0..DEPTHS {
            let zero = self.value(Op::Const(0), vec![], Type::I32);
            self.variables.push(zero);
        }
        self.emit_all(&body);
        let variables = (0..VARIABLES).map(type_of).collect();
        Function { f: self.f, points: self.points, variables }
    }

    // ---- making statements

    fn node(&mut self, what: What) -> Node {
        let id = self.id();
        Node { id, what }
    }

    fn id(&mut self) -> u16 {
        self.next_id += 1;
        self.next_id
    }

    /// A variable of this kind to read.
    fn var(&mut self, k: Kind) -> Var {
        let all: Vec<Var> = (0..VARIABLES).filter(|&v| kind_of(v) == k).collect();
        self.rng.of(&all)
    }

    /// ... to write: no loop counter.
    fn dst(&mut self, k: Kind) -> Var {
        let all: Vec<Var> = (0..PARAMS.len()).filter(|&v| kind_of(v) == k).collect();
        self.rng.of(&all)
    }

    fn statements(&mut self, depth: usize) -> Vec<Node> {
        let n = 1 + self.rng.below(7);
        let mut out = Vec::new();
        for _ in 0..n {
            if self.budget == 0 {
                break;
            }
            self.budget -= 1;
            let what = self.statement(depth);
            if let (What::Sync(o, ..), true) = (&what, self.rng.below(2) == 0) {
                // An object that may be seen by nobody else.
                let new = What::New(*o, "A");
                out.push(self.node(new));
            }
            out.push(self.node(what));
        }
        out
    }

    fn statement(&mut self, depth: usize) -> What {
        use Kind::*;
        let cond = self.rng.of(&[Cond::Eq, Cond::Ne, Cond::Lt, Cond::Ge, Cond::Gt, Cond::Le, Cond::ULt, Cond::UGe]);
        let class = self.rng.of(&["A", "B", "Object", "Final"]);
        match self.rng.below(if depth < DEPTHS { 52 } else { 40 }) {
            0 => What::Int(self.dst(I32), self.rng.int()),
            1 => What::Long(self.dst(I64), self.rng.long()),
            2 => What::Double(self.dst(F64), self.rng.double()),
            3 => {
                let k = self.rng.of(&[OBJECT, INTS, OBJECTS]);
                What::Null(self.dst(k))
            }
            4 | 5 => {
                let k = self.rng.of(&[I32, I64, OBJECT, OBJECT, INTS, OBJECTS]);
                let from = if k == OBJECT { self.rng.of(&[OBJECT, OBJECT, INTS, OBJECTS]) } else { k };
                What::Move(self.dst(k), self.var(from))
            }
            6..=10 => {
                let k = self.rng.of(&[I32, I32, I32, I64, F64]);
                let op = if k == F64 {
                    self.rng.of(&[Binary::Add, Binary::Sub, Binary::Mul, Binary::Div, Binary::Rem, Binary::Min, Binary::Max])
                } else {
                    self.rng.of(&[
                        Binary::Add, Binary::Sub, Binary::Mul, Binary::And, Binary::Or, Binary::Xor, Binary::Shl,
                        Binary::Shr, Binary::Ushr, Binary::Min, Binary::Max,
                    ])
                };
                let shift = matches!(op, Binary::Shl | Binary::Shr | Binary::Ushr);
                let b = if shift { self.var(I32) } else { self.var(k) };
                What::Binary(op, self.dst(k), self.var(k), b)
            }
            11 | 12 => {
                let k = self.rng.of(&[I32, I64]);
                let op = self.rng.of(&[Binary::Div, Binary::Rem]);
                What::Divide(op, self.dst(k), self.var(k), self.var(k))
            }
            13 => {
                let k = self.rng.of(&[I32, I64, F64]);
                let op = self.rng.of(if k == I32 {
                    &[Unary::Neg, Unary::Abs, Unary::SignExtend8, Unary::SignExtend16, Unary::ZeroExtend16, Unary::BitCount]
                } else {
                    &[Unary::Neg, Unary::Abs]
                });
                What::Unary(op, self.dst(k), self.var(k))
            }
            14 => match self.rng.below(5) {
                0 => What::Convert(Convert::I32ToI64, self.dst(I64), self.var(I32)),
                1 => What::Convert(Convert::I64ToI32, self.dst(I32), self.var(I64)),
                2 => What::Convert(Convert::I32ToF64, self.dst(F64), self.var(I32)),
                3 => What::Convert(Convert::F64ToI32, self.dst(I32), self.var(F64)),
                _ => What::Convert(Convert::F64ToI64, self.dst(I64), self.var(F64)),
            },
            15 => {
                let k = self.rng.of(&[I32, I64]);
                What::Compare(cond, self.dst(I32), self.var(k), self.var(k))
            }
            16 => {
                let c = self.rng.of(&[Cond::Eq, Cond::Ne, Cond::Lt, Cond::Ge, Cond::Gt, Cond::Le]);
                What::FCompare(c, self.rng.below(2) == 0, self.dst(I32), self.var(F64), self.var(F64))
            }
            17 => What::Compare3(self.dst(I32), self.var(I64), self.var(I64)),
            18 => What::FCompare3(self.rng.of(&[-1, 1]), self.dst(I32), self.var(F64), self.var(F64)),
            19 => What::Select(self.dst(I32), self.var(I32), self.var(I32), self.var(I32)),
            20..=22 => What::New(self.dst(OBJECT), self.rng.of(&["A", "A", "B", "Final"])),
            23 => What::NewInts(self.dst(INTS), self.length()),
            24 => What::NewObjects(self.dst(OBJECTS), self.length()),
            25..=27 => {
                let (offset, mem) = self.rng.of(&FIELDS);
                let dst = self.dst(kind_in(mem));
                let order = if mem != Mem::Ref && self.rng.below(8) == 0 { Order::Volatile } else { Order::Plain };
                What::Get(dst, self.var(OBJECT), offset, order)
            }
            28..=30 => {
                let (offset, mem) = self.rng.of(&FIELDS);
                let src = self.var(kind_in(mem));
                let order = if mem != Mem::Ref && self.rng.below(8) == 0 { Order::Volatile } else { Order::Plain };
                What::Put(self.var(OBJECT), offset, src, order)
            }
            31 => {
                let k = self.rng.of(&[INTS, OBJECTS]);
                What::Length(self.dst(I32), self.var(k))
            }
            32..=34 => {
                let (k, e) = self.rng.of(&[(INTS, I32), (INTS, I32), (OBJECTS, OBJECT)]);
                What::GetElement(self.dst(e), self.var(k), self.var(I32))
            }
            35..=36 => {
                let (k, e) = self.rng.of(&[(INTS, I32), (INTS, I32), (OBJECTS, OBJECT)]);
                What::PutElement(self.var(k), self.var(I32), self.var(e))
            }
            37 => What::Cast(self.dst(OBJECT), self.var(OBJECT), class),
            38 => match self.rng.below(2) {
                0 => What::InstanceOf(self.dst(I32), self.var(OBJECT), class),
                _ => What::Exact(self.var(OBJECT), class),
            },
            39 => What::Not(self.var(I32), self.rng.int()),
            40 | 41 => {
                let (name, arg, to) = self.call();
                What::Call(name, arg, to)
            }
            42 => {
                let (name, arg, to) = self.call();
                let caught = self.dst(OBJECT);
                let body = self.statements(depth + 1);
                What::Try(name, arg, to, caught, body)
            }
            43 if self.locked < 2 => {
                self.locked += 1;
                let o = self.var(OBJECT);
                let body = self.statements(depth + 1);
                self.locked -= 1;
                What::Sync(o, body, self.id())
            }
            43..=46 => {
                let k = self.rng.of(&[I32, I32, I64]);
                let (a, b) = (self.var(k), self.var(k));
                let then = self.statements(depth + 1);
                let mut other = if self.rng.below(2) == 0 { vec![] } else { self.statements(depth + 1) };
                if self.rng.below(6) == 0 {
                    let end = if self.locked == 0 && self.rng.below(2) == 0 { What::Return(self.var(I32)) } else { What::Deopt };
                    other.push(self.node(end));
                }
                What::If(cond, a, b, then, other)
            }
            47 => {
                let key = self.var(I32);
                let mut cases: Vec<(i32, Vec<Node>)> = Vec::new();
                for k in [-1, 0, 1, 5] {
                    if self.rng.below(2) == 0 {
                        cases.push((k, self.statements(depth + 1)));
                    }
                }
                let default = self.statements(depth + 1);
                What::Switch(key, cases, default)
            }
            _ => {
                let until = (self.rng.below(3) == 0).then(|| (self.var(I32), self.var(I32)));
                let times = 1 + self.rng.below(5) as i32;
                let body = self.statements(depth + 1);
                What::Loop(PARAMS.len() + depth, times, until, body, self.id())
            }
        }
    }

    fn length(&mut self) -> Size {
        match self.rng.below(4) {
            0 => Size::Variable(self.var(Kind::I32)),
            _ => Size::Constant(self.rng.below(6) as i32),
        }
    }

    /// Name, argument, where the result goes.
    fn call(&mut self) -> (&'static str, Option<Var>, Option<Var>) {
        match self.rng.below(3) {
            0 => ("use(LObject;)V", Some(self.var(Kind::OBJECT)), None),
            1 => ("value()I", None, Some(self.dst(Kind::I32))),
            _ => ("object()LObject;", None, Some(self.dst(Kind::OBJECT))),
        }
    }

    // ---- liveness, backwards

    fn liveness(&mut self, nodes: &[Node], after: Live) -> Live {
        let mut live = after;
        for n in nodes.iter().rev() {
            live = self.before(n, live);
        }
        live
    }

    fn before(&mut self, n: &Node, after: Live) -> Live {
        let bit = |v: &Var| 1u32 << v;
        *self.live_after.entry(n.id).or_default() |= after;
        let simple = |kills: Option<&Var>, uses: &[&Var]| {
            uses.iter().fold(after & !kills.map_or(0, bit), |l, v| l | bit(v))
        };
        use What::*;
        let live = match &n.what {
            Int(d, _) | Long(d, _) | Double(d, _) | Null(d) | New(d, _) => simple(Some(d), &[]),
            NewInts(d, Size::Constant(_)) | NewObjects(d, Size::Constant(_)) => simple(Some(d), &[]),
            NewInts(d, Size::Variable(v)) | NewObjects(d, Size::Variable(v)) => simple(Some(d), &[v]),
            Move(d, a) | Unary(_, d, a) | Convert(_, d, a) | Get(d, a, ..) | What::Length(d, a) | Cast(d, a, _)
            | InstanceOf(d, a, _) => simple(Some(d), &[a]),
            Binary(_, d, a, b) | Divide(_, d, a, b) | Compare(_, d, a, b) | FCompare(_, _, d, a, b)
            | Compare3(d, a, b) | FCompare3(_, d, a, b) | GetElement(d, a, b) => simple(Some(d), &[a, b]),
            Select(d, a, b, c) => simple(Some(d), &[a, b, c]),
            Put(a, _, b, _) => simple(None, &[a, b]),
            PutElement(a, b, c) => simple(None, &[a, b, c]),
            Exact(a, _) | Not(a, _) => simple(None, &[a]),
            Call(_, arg, to) => simple(to.as_ref(), &arg.iter().collect::<Vec<_>>()),
            Try(_, arg, to, caught, handler) => {
                let handler = self.liveness(handler, after) & !bit(caught);
                let live = (after & !to.as_ref().map_or(0, bit)) | handler;
                live | arg.as_ref().map_or(0, bit)
            }
            Sync(o, body, exit) => {
                self.live.insert(*exit, after);
                self.liveness(body, after) | bit(o)
            }
            If(_, a, b, then, other) => self.liveness(then, after) | self.liveness(other, after) | bit(a) | bit(b),
            Switch(key, cases, default) => {
                let mut live = self.liveness(default, after);
                for c in cases {
                    live |= self.liveness(&c.1, after);
                }
                live | bit(key)
            }
            Loop(counter, _, until, body, poll) => {
                let mut header = after | bit(counter) | until.map_or(0, |(a, b)| bit(&a) | bit(&b));
                loop {
                    let next = header | self.liveness(body, header);
                    if next == header {
                        break;
                    }
                    header = next;
                }
                self.live.insert(*poll, header);
                header & !bit(counter)
            }
            Deopt => after,
            Return(v) => bit(v),
        };
        self.live.insert(n.id, live);
        live
    }

    // ---- code

    fn inst(&mut self, op: Op, args: Vec<Value>, ty: Option<Type>, state: Option<State>) -> Option<Value> {
        self.f.append(self.cur, op, args, ty, state, (self.method, self.at))
    }

    fn value(&mut self, op: Op, args: Vec<Value>, ty: Type) -> Value {
        self.inst(op, args, Some(ty), None).expect("a result was asked for")
    }

    fn check(&mut self, op: Op, args: Vec<Value>, state: State) -> Value {
        let ty = self.f.ty(args[if op == Op::StoreCheck { 1 } else { 0 }]);
        self.inst(op, args, Some(ty), Some(state)).expect("a result was asked for")
    }

    fn v(&self, v: Var) -> Value {
        self.variables[v]
    }

    fn state(&mut self, resume: Resume, live: Live) -> State {
        let mut locals = Vec::new();
        for (i, &v) in self.variables.iter().enumerate() {
            locals.push(if live >> i & 1 != 0 { Slot::Value(v) } else { Slot::Dead });
            if type_of(i).is_two_slots() {
                locals.push(Slot::Dead);
            }
        }
        let monitors =
            self.monitors.iter().map(|&v| Monitor { object: Slot::Value(v), elided: false }).collect();
        self.f.states.push(FrameState {
            parent: None,
            method: self.method,
            bci: self.at,
            resume,
            locals,
            stack: vec![],
            monitors,
            virtuals: vec![],
        })
    }

    fn point(&mut self, after: bool, next: Option<usize>, result: Option<Value>) {
        let p = Point {
            block: self.cur,
            next,
            variables: self.variables.clone(),
            monitors: self.monitors.clone(),
            result,
        };
        self.points.insert((self.at, after), p);
    }

    /// The state before the statement.
    fn here(&mut self) -> State {
        self.point(false, Some(self.f.blocks[self.cur].insts.len()), None);
        let live = self.live[&self.at];
        self.state(Resume::Execute, live)
    }

    fn class(name: &str) -> ClassRef {
        World::get().class(name).expect("the world has it")
    }

    /// A new block that has a parameter for each variable, and an edge to it.
    fn block(&mut self) -> Block {
        let b = self.f.new_block();
        for v in 0..self.variables.len() {
            self.f.add_param(b, type_of(v));
        }
        b
    }

    fn edge(&self, to: Block) -> Edge {
        Edge::new(to, self.variables.clone())
    }

    fn enter(&mut self, b: Block) {
        self.cur = b;
        self.variables = self.f.blocks[b].params.clone();
    }

    /// Emits an arm from the current variables, which ends by going to `join`.
    fn arm(&mut self, body: &[Node], join: Block) -> Edge {
        let (cur, variables) = (self.cur, self.variables.clone());
        let b = self.f.new_block();
        self.cur = b;
        if self.emit_all(body) {
            self.f.blocks[self.cur].term = Terminator::Jump(self.edge(join));
        }
        self.cur = cur;
        self.variables = variables;
        Edge::new(b, vec![])
    }

    /// False: the end cannot be reached.
    fn emit_all(&mut self, nodes: &[Node]) -> bool {
        nodes.iter().all(|n| self.emit(n))
    }

    fn set(&mut self, d: Var, op: Op, args: Vec<Value>) {
        self.variables[d] = self.value(op, args, type_of(d));
    }

    /// False: the statement does not end.
    fn emit(&mut self, n: &Node) -> bool {
        self.at = n.id;
        use What::*;
        match &n.what {
            Int(d, c) => self.set(*d, Op::Const(i64::from(*c)), vec![]),
            Long(d, c) => self.set(*d, Op::Const(*c), vec![]),
            Double(d, c) => self.set(*d, Op::FConst(c.to_bits()), vec![]),
            Null(d) => self.set(*d, Op::Null, vec![]),
            Move(d, a) => self.variables[*d] = self.v(*a),
            Binary(op, d, a, b) => self.set(*d, Op::Binary(*op), vec![self.v(*a), self.v(*b)]),
            Divide(op, d, a, b) => {
                let s = self.here();
                let by = self.check(Op::DivZeroCheck, vec![self.v(*b)], s);
                self.set(*d, Op::Binary(*op), vec![self.v(*a), by]);
            }
            Unary(op, d, a) => self.set(*d, Op::Unary(*op), vec![self.v(*a)]),
            Convert(op, d, a) => self.set(*d, Op::Convert(*op), vec![self.v(*a)]),
            Compare(c, d, a, b) => self.set(*d, Op::Compare(*c), vec![self.v(*a), self.v(*b)]),
            FCompare(c, nan, d, a, b) => self.set(*d, Op::FCompare(*c, *nan), vec![self.v(*a), self.v(*b)]),
            Compare3(d, a, b) => self.set(*d, Op::Compare3, vec![self.v(*a), self.v(*b)]),
            FCompare3(nan, d, a, b) => self.set(*d, Op::FCompare3(*nan), vec![self.v(*a), self.v(*b)]),
            Select(d, c, a, b) => self.set(*d, Op::Select, vec![self.v(*c), self.v(*a), self.v(*b)]),
            New(d, c) => {
                let s = self.here();
                let c = Self::class(c);
                self.made(*d, Op::NewInstance(c), vec![], c, s);
            }
            NewInts(d, length) => self.new_array(*d, "[I", *length),
            NewObjects(d, length) => self.new_array(*d, "[LObject;", *length),
            Get(d, o, offset, order) => {
                let o = self.an_a(*o);
                let mem = FIELDS.iter().find(|f| f.0 == *offset).expect("a field").1;
                self.set(*d, Op::Load(mem, *offset, *order), vec![o]);
            }
            Put(o, offset, v, order) => {
                let o = self.an_a(*o);
                let mem = FIELDS.iter().find(|f| f.0 == *offset).expect("a field").1;
                self.inst(Op::Store(mem, *offset, *order), vec![o, self.v(*v)], None, None);
            }
            What::Length(d, a) => {
                let s = self.here();
                let a = self.check(Op::NullCheck, vec![self.v(*a)], s);
                self.set(*d, Op::ArrayLength, vec![a]);
            }
            GetElement(d, a, i) => {
                let (a, i, _) = self.element(*a, *i);
                let mem = if type_of(*d) == Type::Ref { Mem::Ref } else { Mem::I32 };
                self.set(*d, Op::LoadElement(mem), vec![a, i]);
            }
            PutElement(a, i, v) => {
                let (a, i, s) = self.element(*a, *i);
                let mut x = self.v(*v);
                let mem = if type_of(*v) == Type::Ref { Mem::Ref } else { Mem::I32 };
                if mem == Mem::Ref {
                    x = self.check(Op::StoreCheck, vec![a, x], s);
                }
                self.inst(Op::StoreElement(mem), vec![a, i, x], None, None);
            }
            Cast(d, a, c) => {
                let s = self.here();
                self.variables[*d] = self.check(Op::CheckCast(Self::class(c)), vec![self.v(*a)], s);
            }
            Exact(a, c) => {
                let s = self.here();
                self.check(Op::ExactClass(Self::class(c), Reason::ClassCheck, Action::MaybeRecompile), vec![self.v(*a)], s);
            }
            InstanceOf(d, a, c) => self.set(*d, Op::InstanceOf(Self::class(c)), vec![self.v(*a)]),
            Not(a, c) => {
                let s = self.here();
                let c = self.value(Op::Const(i64::from(*c)), vec![], Type::I32);
                let ok = self.value(Op::Compare(Cond::Ne), vec![self.v(*a), c], Type::I32);
                self.inst(Op::Guard(Reason::UnstableIf, Action::Reinterpret), vec![ok], None, Some(s));
            }
            Call(name, arg, to) => {
                let result = self.call_inst(n.id, name, *arg, *to);
                let next = self.f.blocks[self.cur].insts.len();
                if let (Some(to), Some(r)) = (to, result) {
                    self.variables[*to] = r;
                }
                self.point(true, Some(next), result);
            }
            Try(name, arg, to, caught, handler) => {
                let result = self.call_inst(n.id, name, *arg, *to);
                let from = self.cur;
                let (normal, join) = (self.block(), self.block());
                let before = self.variables.clone();
                let handler = {
                    let b = self.f.new_block();
                    self.cur = b;
                    let e = self.value(Op::TakeException, vec![], Type::Ref);
                    self.variables[*caught] = e;
                    if self.emit_all(handler) {
                        self.f.blocks[self.cur].term = Terminator::Jump(self.edge(join));
                    }
                    Edge::new(b, vec![])
                };
                self.cur = from;
                self.variables = before;
                if let (Some(to), Some(r)) = (to, result) {
                    self.variables[*to] = r;
                }
                self.at = n.id;
                self.point(true, None, result);
                self.f.blocks[from].term = Terminator::Try(self.edge(normal), handler);
                self.enter(normal);
                self.f.blocks[normal].term = Terminator::Jump(self.edge(join));
                self.enter(join);
            }
            Sync(o, body, exit) => {
                let s = self.here();
                let o = self.check(Op::NullCheck, vec![self.v(*o)], s);
                self.monitors.push(o);
                // The body's first statement is what comes after the lock was taken.
                let next = self.f.blocks[self.cur].insts.len() + 1;
                self.point(true, Some(next), None);
                let live = body.first().map_or(self.live[exit], |b| self.live[&b.id]);
                let s = self.state(Resume::AfterCall, live);
                self.inst(Op::CallRuntime(Runtime::MonitorEnter), vec![o], None, Some(s));
                if !self.emit_all(body) {
                    self.monitors.pop();
                    return false;
                }
                self.at = *exit;
                let s = self.here();
                self.monitors.pop();
                self.inst(Op::CallRuntime(Runtime::MonitorExit), vec![o], None, Some(s));
            }
            If(c, a, b, then, other) => {
                let cond = self.value(Op::Compare(*c), vec![self.v(*a), self.v(*b)], Type::I32);
                let from = self.cur;
                let join = self.block();
                let then = self.arm(then, join);
                let other = self.arm(other, join);
                self.f.blocks[from].term = Terminator::Branch { cond, then, other, probability: 1 << 15 };
                return self.joined(join);
            }
            Switch(key, cases, default) => {
                let (key, from) = (self.v(*key), self.cur);
                let join = self.block();
                let cases = cases.iter().map(|(k, body)| (*k, self.arm(body, join))).collect();
                let default = self.arm(default, join);
                self.f.blocks[from].term = Terminator::Switch { key, cases, default };
                return self.joined(join);
            }
            Loop(counter, times, until, body, poll) => {
                self.set(*counter, Op::Const(0), vec![]);
                let (header, exit) = (self.block(), self.block());
                self.f.blocks[self.cur].term = Terminator::Jump(self.edge(header));
                self.enter(header);
                self.at = *poll;
                let s = self.here();
                self.inst(Op::Safepoint, vec![], None, Some(s));
                let times = self.value(Op::Const(i64::from(*times)), vec![], Type::I32);
                let more = self.value(Op::Compare(Cond::Lt), vec![self.v(*counter), times], Type::I32);
                let mut inner = self.f.new_block();
                let out = self.edge(exit);
                let term = |cond, to: Block, other: Edge| Terminator::Branch {
                    cond,
                    then: Edge::new(to, vec![]),
                    other,
                    probability: 60_000,
                };
                self.f.blocks[header].term = term(more, inner, out.clone());
                if let Some((a, b)) = until {
                    self.cur = inner;
                    let differ = self.value(Op::Compare(Cond::Ne), vec![self.v(*a), self.v(*b)], Type::I32);
                    let next = self.f.new_block();
                    self.f.blocks[inner].term = term(differ, next, out);
                    inner = next;
                }
                self.cur = inner;
                if self.emit_all(body) {
                    let one = self.value(Op::Const(1), vec![], Type::I32);
                    self.set(*counter, Op::Binary(jvm::compiler::ir::Binary::Add), vec![self.v(*counter), one]);
                    self.f.blocks[self.cur].term = Terminator::Jump(self.edge(header));
                }
                self.enter(exit);
            }
            Deopt => {
                let state = self.here();
                self.f.blocks[self.cur].term =
                    Terminator::Deopt { reason: Reason::UnstableIf, action: Action::Reinterpret, state };
                return false;
            }
            Return(v) => {
                self.f.blocks[self.cur].term = Terminator::Return(Some(self.v(*v)));
                return false;
            }
        }
        true
    }

    /// Goes on where arms have met; false if none arrives.
    fn joined(&mut self, join: Block) -> bool {
        let arrives = self.f.blocks.values().any(|b| b.term.edges().iter().any(|e| e.block == join));
        self.enter(join);
        if !arrives {
            self.f.blocks[join].term = Terminator::Unreachable;
        }
        arrives
    }

    fn made(&mut self, d: Var, op: Op, args: Vec<Value>, class: ClassRef, s: State) {
        let v = self.inst(op, args, Some(Type::Ref), Some(s)).expect("a result was asked for");
        self.f.values[v].facts = RefFacts { class: Some(class), exact: true, non_null: true };
        self.variables[d] = v;
    }

    fn new_array(&mut self, d: Var, class: &str, length: Size) {
        let s = self.here();
        let n = match length {
            Size::Constant(n) => self.value(Op::Const(i64::from(n)), vec![], Type::I32),
            Size::Variable(v) => {
                let mask = self.value(Op::Const(15), vec![], Type::I32);
                self.value(Op::Binary(Binary::And), vec![self.v(v), mask], Type::I32)
            }
        };
        let class = Self::class(class);
        self.made(d, Op::NewArray(class), vec![n], class, s);
    }

    /// The object in a variable, an A and not null.
    fn an_a(&mut self, o: Var) -> Value {
        let s = self.here();
        let o = self.check(Op::CheckCast(Self::class("A")), vec![self.v(o)], s);
        self.check(Op::NullCheck, vec![o], s)
    }

    fn element(&mut self, a: Var, i: Var) -> (Value, Value, State) {
        let s = self.here();
        let a = self.check(Op::NullCheck, vec![self.v(a)], s);
        let length = self.value(Op::ArrayLength, vec![a], Type::I32);
        let i = self.check(Op::BoundsCheck, vec![self.v(i), length], s);
        (a, i, s)
    }

    fn call_inst(&mut self, id: u16, name: &str, arg: Option<Var>, to: Option<Var>) -> Option<Value> {
        let m = World::get().method(name).or_else(|| World::get().method(&format!("A.{name}"))).expect("the world has it");
        let live = self.live_after[&id] & !to.map_or(0, |t| 1 << t);
        let s = self.state(Resume::AfterCall, live);
        let args = arg.map(|a| self.v(a)).into_iter().collect();
        self.inst(Op::Call(Target::Direct(m)), args, to.map(type_of), Some(s))
    }
}

fn kind_in(m: Mem) -> Kind {
    match m {
        Mem::I64 => Kind::I64,
        Mem::Ref => Kind::OBJECT,
        _ => Kind::I32,
    }
}
