//! What must hold of every function between passes. Run after each pass in debug builds and under
//! `-XX:+VerifyIR`.

use super::dominators::Dominators;
use super::function::{Block, Edge, Function, Inst, Terminator, Value, ValueDef};
use super::op::{Op, Runtime, Unary};
use super::print::operation;
use super::state::{Resume, Slot, State};
use super::types::{Cond, Type};
use cranelift_entity::SecondaryMap;

/// Everything that is wrong with `f`; empty if it is well formed.
pub fn verify(f: &Function) -> Vec<String> {
    let mut v = Verifier { f, dom: Dominators::new(f), at: SecondaryMap::new(), problems: Vec::new() };
    v.place_instructions();
    for b in v.dom.order.clone() {
        v.block(b);
    }
    v.problems
}

/// # Panics
/// With what is wrong and the function's text, if it is not well formed. `when` says after what.
pub fn assert_valid(f: &Function, when: &str) {
    let problems = verify(f);
    assert!(problems.is_empty(), "IR is broken {when}:\n{}\n{f}", problems.join("\n"));
}

struct Verifier<'a> {
    f: &'a Function,
    dom: Dominators,
    /// Block and place of each instruction in a reachable block.
    at: SecondaryMap<Inst, Option<(Block, u32)>>,
    problems: Vec<String>,
}

impl Verifier<'_> {
    fn problem(&mut self, text: String) {
        self.problems.push(text)
    }

    fn place_instructions(&mut self) {
        for b in self.dom.order.clone() {
            for (k, &i) in self.f.blocks[b].insts.iter().enumerate() {
                if self.at[i].replace((b, k as u32)).is_some() {
                    self.problem(format!("{b}: instruction {i} is in the code twice"));
                }
            }
        }
    }

    fn block(&mut self, b: Block) {
        let f = self.f;
        let data = &f.blocks[b];
        for (i, &p) in data.params.iter().enumerate() {
            self.boxed(p, b, 0, "parameters");
            if f.values[p].def != ValueDef::Param(b, i as u32) {
                self.problem(format!("{b}: parameter {p} is defined as {:?}", f.values[p].def));
            }
        }
        for (k, &i) in data.insts.iter().enumerate() {
            self.inst(b, k, i);
        }
        self.terminator(b);
    }

    fn inst(&mut self, b: Block, k: usize, i: Inst) {
        let f = self.f;
        let data = &f.insts[i];
        let what = format!("{b}: {i} {}", operation(&data.op));
        for &a in &data.args {
            self.used(a, b, k, &what);
        }
        if let Some(r) = data.result {
            self.boxed(r, b, k, &what);
            if f.values[r].def != ValueDef::Result(i) {
                self.problem(format!("{what}: result {r} is defined as {:?}", f.values[r].def));
            }
        }
        if let Err(e) = types(f, i) {
            self.problem(format!("{what}: {e}"));
        }
        match data.state {
            None if data.op.needs_state() => self.problem(format!("{what}: no frame state")),
            Some(_) if !data.op.needs_state() => self.problem(format!("{what}: a frame state it does not need")),
            Some(s) => {
                if matches!(data.op, Op::Call(_)) && f.states[s].resume != Resume::AfterCall {
                    self.problem(format!("{what}: the state of a call is that after it"));
                }
                self.state(s, b, k, &what)
            }
            None => {}
        }
        match data.op {
            Op::TakeException if k != 0 => self.problem(format!("{what}: not first in its block")),
            Op::OsrLocal(_) if b != f.entry || f.osr_bci.is_none() => {
                self.problem(format!("{what}: not in the entry of an on-stack replacement"))
            }
            _ => {}
        }
    }

    /// What `v`, defined at place `k`, is the box of.
    fn boxed(&mut self, v: Value, b: Block, k: usize, what: &str) {
        let Some(contents) = self.f.values[v].boxed else { return };
        self.used(contents, b, k, &format!("{what}: contents of {v}"));
        let data = &self.f.values[v];
        if data.ty != Type::Ref || data.facts.class.is_none() || !data.facts.exact {
            self.problem(format!("{what}: {v} is a box of no known class"));
        }
    }

    /// `v` is used before place `k` of block `b`.
    fn used(&mut self, v: Value, b: Block, k: usize, what: &str) {
        let f = self.f;
        if v.as_u32() as usize >= f.values.len() {
            return self.problem(format!("{what}: {v} does not exist"));
        }
        match f.values[v].def {
            ValueDef::Alias(to) => self.problem(format!("{what}: {v} has been replaced by {to}")),
            ValueDef::Param(at, _) => {
                if !self.dom.is_reachable(at) || !self.dom.dominates(at, b) {
                    self.problem(format!("{what}: {v}, parameter of {at}, does not dominate this"));
                }
            }
            ValueDef::Result(i) => {
                let Some((at, place)) = self.at[i] else {
                    return self.problem(format!("{what}: {v} is defined by {i}, which is in no block"));
                };
                if at == b && place as usize >= k || !self.dom.dominates(at, b) {
                    return self.problem(format!("{what}: {v} of {at} does not dominate this"));
                }
                // The result of a call that may go to a handler exists on the normal way only.
                let data = &f.blocks[at];
                if let (Terminator::Try(normal, handler), true) = (&data.term, at != b) {
                    let last = place as usize + 1 == data.insts.len();
                    if last && (normal.block == handler.block || !self.dom.dominates(normal.block, b)) {
                        self.problem(format!("{what}: {v} may not exist: its call may have thrown"));
                    }
                }
            }
        }
    }

    fn state(&mut self, s: State, b: Block, k: usize, what: &str) {
        let f = self.f;
        let (mut at, mut outer) = (Some(s), false);
        let virtuals = f.states[s].virtuals.len();
        while let Some(s) = at {
            let d = &f.states[s];
            if outer && d.resume != Resume::AfterCall {
                self.problem(format!("{what}: {s}, a caller's state, resumes by {:?}", d.resume));
            }
            if outer && !d.virtuals.is_empty() {
                self.problem(format!("{what}: {s}, a caller's state, has virtual objects"));
            }
            for slots in [&d.locals, &d.stack] {
                for (i, slot) in slots.iter().enumerate() {
                    if let Slot::Value(v) = *slot {
                        if f.values[v].ty.is_two_slots() && slots.get(i + 1) != Some(&Slot::Dead) {
                            self.problem(format!("{what}: {s}: slot {} after {v} is in use", i + 1));
                        }
                        if f.values[v].ty == Type::Ptr {
                            self.problem(format!("{what}: {s}: {v} is a machine address"));
                        }
                    }
                }
            }
            let fields = d.virtuals.iter().flat_map(|o| o.fields.iter().map(|x| &x.2));
            let monitors = d.monitors.iter().map(|m| &m.object);
            for slot in d.locals.iter().chain(&d.stack).chain(fields).chain(monitors) {
                if let Slot::Virtual(o) = *slot {
                    if o.as_u32() as usize >= virtuals {
                        self.problem(format!("{what}: {s}: there is no object {o}"));
                    }
                }
            }
            for m in &d.monitors {
                match m.object {
                    Slot::Dead => self.problem(format!("{what}: {s}: a monitor without an object")),
                    Slot::Value(v) if f.values[v].ty != Type::Ref => {
                        self.problem(format!("{what}: {s}: monitor {v} is no reference"))
                    }
                    _ => {}
                }
            }
            for v in d.uses() {
                self.used(v, b, k, &format!("{what}: {s}"));
            }
            (at, outer) = (d.parent, true);
        }
    }

    fn terminator(&mut self, b: Block) {
        let f = self.f;
        let data = &f.blocks[b];
        let end = data.insts.len();
        let what = format!("{b}: terminator");
        data.term.clone().for_each_use(|v| {
            let v = *v;
            self.used(v, b, end, &what)
        });
        for e in data.term.edges() {
            self.edge(e, &what);
        }
        match &data.term {
            Terminator::None => self.problem(format!("{what} is missing")),
            Terminator::Branch { cond, .. } => self.expect(*cond, Type::I32, &what),
            Terminator::Switch { key, cases, .. } => {
                self.expect(*key, Type::I32, &what);
                if cases.windows(2).any(|w| w[0].0 >= w[1].0) {
                    self.problem(format!("{what}: keys do not ascend"));
                }
            }
            Terminator::Return(v) => {
                let ty = v.map(|v| f.ty(v));
                if ty != f.return_type {
                    self.problem(format!("{what}: returns {ty:?}, the function {:?}", f.return_type));
                }
            }
            Terminator::Throw(v) => self.expect(*v, Type::Ref, &what),
            Terminator::Deopt { state, .. } => self.state(*state, b, end, &what),
            Terminator::Try(_, handler) => self.attempt(b, handler),
            Terminator::Unreachable | Terminator::Jump(_) => {}
        }
    }

    fn attempt(&mut self, b: Block, handler: &Edge) {
        let f = self.f;
        let data = &f.blocks[b];
        let last = data.insts.last().map(|&i| &f.insts[i]);
        let calls = |op: &Op| matches!(op, Op::Call(_)) || matches!(op, Op::CallRuntime(r) if !r.is_leaf());
        match last {
            Some(i) if calls(&i.op) => {
                if i.result.is_some_and(|r| handler.args.contains(&r)) {
                    self.problem(format!("{b}: the call's result is passed to its handler"));
                }
            }
            _ => self.problem(format!("{b}: no call before a try")),
        }
        let first = f.blocks[handler.block].insts.first().map(|&i| &f.insts[i].op);
        if first != Some(&Op::TakeException) {
            self.problem(format!("{b}: handler {} does not take the exception", handler.block));
        }
    }

    fn edge(&mut self, e: &Edge, what: &str) {
        let f = self.f;
        if e.block == f.entry {
            self.problem(format!("{what} leads to the entry"));
        }
        let params = &f.blocks[e.block].params;
        if params.len() != e.args.len() {
            let (n, m) = (e.args.len(), params.len());
            return self.problem(format!("{what}: {n} arguments for the {m} parameters of {}", e.block));
        }
        for (&a, &p) in e.args.iter().zip(params) {
            if f.ty(a) != f.ty(p) {
                self.problem(format!("{what}: {a}: {} for {p}: {} of {}", f.ty(a), f.ty(p), e.block));
            }
        }
    }

    fn expect(&mut self, v: Value, ty: Type, what: &str) {
        if self.f.ty(v) != ty {
            self.problem(format!("{what}: {v} is {}, not {ty}", self.f.ty(v)));
        }
    }
}

/// Whether arguments and result of an instruction have the types that its operation takes and gives.
fn types(f: &Function, i: Inst) -> Result<(), String> {
    use Type::*;
    let data = &f.insts[i];
    let args: Vec<Type> = data.args.iter().map(|&a| f.ty(a)).collect();
    let result = data.result.map(|r| f.ty(r));
    let is = |want: &[Type], gives: Option<Type>| {
        if args == want && result == gives {
            Ok(())
        } else {
            Err(format!("takes {args:?} and gives {result:?}, not {want:?} and {gives:?}"))
        }
    };
    let first = args.first().copied();
    let same = |n: usize, of: &[Type]| {
        let ok = args.len() == n && args.iter().all(|&a| Some(a) == first) && first.is_some_and(|t| of.contains(&t));
        if ok { Ok(first) } else { Err(format!("takes {args:?}, not {n} of one type of {of:?}")) }
    };
    let gives = |t: Option<Type>| {
        if result == t { Ok(()) } else { Err(format!("gives {result:?}, not {t:?}")) }
    };
    let one_of = |of: &[Type]| {
        if args.is_empty() && result.is_some_and(|t| of.contains(&t)) {
            Ok(())
        } else {
            Err(format!("takes {args:?} and gives {result:?}, not one of {of:?}"))
        }
    };
    match &data.op {
        Op::Const(c) => {
            one_of(&[I32, I64, Ptr])?;
            if result == Some(I32) && i64::from(*c as i32) != *c {
                return Err("an i32 constant is not sign-extended".into());
            }
            Ok(())
        }
        Op::FConst(_) => one_of(&[F32, F64]),
        Op::Null | Op::Object(_) | Op::Mirror(_) | Op::TakeException | Op::CurrentThread => is(&[], Some(Ref)),
        Op::OsrLocal(_) => one_of(&[I32, I64, F32, F64, Ref]),
        Op::Binary(b) => {
            use super::op::Binary::*;
            match b {
                Shl | Shr | Ushr => match args[..] {
                    [t @ (I32 | I64), I32] => gives(Some(t)),
                    _ => Err(format!("takes {args:?}")),
                },
                And | Or | Xor => same(2, &[I32, I64]).and_then(gives),
                MulHigh | UMulHigh => same(2, &[I64]).and_then(gives),
                Add | Sub | Mul | Div | Rem | Min | Max => same(2, &[I32, I64, F32, F64]).and_then(gives),
            }
        }
        Op::Unary(u) => match u {
            Unary::Neg | Unary::Abs => same(1, &[I32, I64, F32, F64]).and_then(gives),
            Unary::Sqrt => same(1, &[F32, F64]).and_then(gives),
            Unary::Ceil | Unary::Floor | Unary::Rint => same(1, &[F64]).and_then(gives),
            Unary::BitCount | Unary::LeadingZeros | Unary::TrailingZeros => {
                same(1, &[I32, I64])?;
                gives(Some(I32))
            }
            Unary::ReverseBytes => same(1, &[I32, I64]).and_then(gives),
            Unary::SignExtend8 | Unary::SignExtend16 | Unary::ZeroExtend16 => is(&[I32], Some(I32)),
        },
        Op::Convert(c) => {
            let (from, to) = c.types();
            is(&[from], Some(to))
        }
        Op::Compare(_) => {
            same(2, &[I32, I64, Ref, Ptr])?;
            gives(Some(I32))
        }
        Op::FCompare(c, _) => {
            if matches!(c, Cond::ULt | Cond::UGe | Cond::UGt | Cond::ULe) {
                return Err("floating point is not compared unsigned".into());
            }
            same(2, &[F32, F64])?;
            gives(Some(I32))
        }
        Op::Compare3 => is(&[I64, I64], Some(I32)),
        Op::FCompare3(_) => {
            same(2, &[F32, F64])?;
            gives(Some(I32))
        }
        Op::Select => match args[..] {
            [I32, a, b] if a == b => gives(Some(a)),
            _ => Err(format!("takes {args:?}")),
        },
        Op::NullCheck | Op::CheckCast(_) | Op::ExactClass(..) => is(&[Ref], Some(Ref)),
        Op::BoundsCheck => is(&[I32, I32], Some(I32)),
        Op::DivZeroCheck => same(1, &[I32, I64]).and_then(gives),
        Op::StoreCheck => is(&[Ref, Ref], Some(Ref)),
        Op::Guard(..) => is(&[I32], None),
        Op::InstanceOf(_) => is(&[Ref], Some(I32)),
        Op::LoadClass => is(&[Ref], Some(Ptr)),
        Op::IsSubclass => is(&[Ptr, Ptr], Some(I32)),
        Op::Load(m, ..) => is(&[Ref], Some(m.value_type())),
        Op::Store(m, ..) => is(&[Ref, m.value_type()], None),
        Op::LoadElement(m) => is(&[Ref, I32], Some(m.value_type())),
        Op::StoreElement(m) => is(&[Ref, I32, m.value_type()], None),
        Op::ArrayLength => is(&[Ref], Some(I32)),
        Op::LoadUnsafe(m, _) => is(&[Ref, I64], Some(m.value_type())),
        Op::StoreUnsafe(m, _) => is(&[Ref, I64, m.value_type()], None),
        Op::CompareExchange(m) => is(&[Ref, I64, m.value_type(), m.value_type()], Some(m.value_type())),
        Op::Rmw(_, m) => is(&[Ref, I64, m.value_type()], Some(m.value_type())),
        Op::LoadRaw(m, _) => is(&[Ptr], Some(m.value_type())),
        Op::StoreRaw(m, _) => is(&[Ptr, m.value_type()], None),
        Op::Fence(_) if args == [Ref] && result.is_none() => Ok(()),
        Op::Fence(_) | Op::Safepoint | Op::LoopEntry | Op::Count(_) | Op::CountAndNotify { .. } => is(&[], None),
        Op::NewInstance(_) => is(&[], Some(Ref)),
        Op::NewArray(_) => is(&[I32], Some(Ref)),
        Op::ProfileType(_) => is(&[Ref], None),
        Op::Call(t) => {
            let m = t.method();
            let receiver = (!m.is_static()).then_some(Ref);
            let params: Vec<Type> = receiver.into_iter().chain(m.parameters.iter().filter_map(|&p| Type::of(p))).collect();
            is(&params, Type::of(m.return_type))
        }
        Op::CallRuntime(r) => match r {
            Runtime::MultiNewArray => match args.split_first() {
                Some((Ptr, lengths)) if lengths.iter().all(|&t| t == I32) && !lengths.is_empty() => gives(Some(Ref)),
                _ => Err(format!("takes {args:?}")),
            },
            Runtime::MonitorEnter | Runtime::MonitorExit | Runtime::RegisterFinalizer | Runtime::ThrowNullPointer => {
                is(&[Ref], None)
            }
            Runtime::ThrowIndexOutOfBounds => is(&[Ref, I32], None),
            Runtime::ThrowDivisionByZero => is(&[], None),
            Runtime::ThrowClassCast => is(&[Ref, Ptr], None),
            Runtime::ThrowArrayStore => is(&[Ref, Ref], None),
            Runtime::DRem | Runtime::Pow => is(&[F64, F64], Some(F64)),
            Runtime::FRem => is(&[F32, F32], Some(F32)),
            Runtime::CounterOverflow => is(&[Ptr, I32], Some(I32)),
            Runtime::ArrayCopy => is(&[Ref, I32, Ref, I32, I32], None),
            Runtime::BytesEqual => is(&[Ref, Ref], Some(I32)),
            Runtime::Sin | Runtime::Cos | Runtime::Tan | Runtime::Exp | Runtime::Log | Runtime::Log10 => {
                is(&[F64], Some(F64))
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Binary, MethodName};
    use super::*;

    fn diamond() -> (Function, [Block; 3]) {
        let mut f = Function::new("f".into(), &[Type::I32, Type::I64], Some(Type::I32));
        let m = f.methods.push(MethodName { method: None, name: "f".into() });
        let (entry, cond) = (f.entry, f.blocks[f.entry].params[0]);
        let [a, b, exit] = [(); 3].map(|()| f.new_block());
        f.blocks[entry].term = Terminator::Branch {
            cond,
            then: Edge::new(a, vec![]),
            other: Edge::new(b, vec![]),
            probability: 1 << 15,
        };
        let p = f.add_param(exit, Type::I32);
        let x = f.append(a, Op::Binary(Binary::Add), vec![cond, cond], Some(Type::I32), None, (m, 1)).unwrap();
        f.blocks[a].term = Terminator::Jump(Edge::new(exit, vec![x]));
        f.blocks[b].term = Terminator::Jump(Edge::new(exit, vec![cond]));
        f.blocks[exit].term = Terminator::Return(Some(p));
        (f, [a, b, exit])
    }

    #[test]
    fn a_good_function_passes() {
        assert_eq!(verify(&diamond().0), Vec::<String>::new());
    }

    #[test]
    fn broken_ones_do_not() {
        type Break = fn(&mut Function, [Block; 3]);
        let cases: [(&str, Break); 5] = [
            ("does not dominate", |f, [a, b, _]| {
                let x = f.insts[f.blocks[a].insts[0]].result.unwrap();
                f.blocks[b].term.edges_mut()[0].args[0] = x;
            }),
            ("0 arguments for the 1 parameters", |f, [_, b, _]| f.blocks[b].term.edges_mut()[0].args.clear()),
            ("is missing", |f, [_, _, exit]| f.blocks[exit].term = Terminator::None),
            ("i64 for", |f, [_, b, _]| {
                let long = f.blocks[f.entry].params[1];
                f.blocks[b].term.edges_mut()[0].args[0] = long
            }),
            ("takes [I32, I64]", |f, [a, _, _]| {
                let long = f.blocks[f.entry].params[1];
                let i = f.blocks[a].insts[0];
                f.insts[i].args[1] = long;
            }),
        ];
        for (text, spoil) in cases {
            let (mut f, blocks) = diamond();
            spoil(&mut f, blocks);
            let problems = verify(&f);
            assert!(problems.len() == 1 && problems[0].contains(text), "{text}: {problems:?}");
        }
    }
}
