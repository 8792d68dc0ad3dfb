//! Executes a function on an abstract memory: what its code means, told independently of passes and back ends.
//! Tests run a function before and after a pass and compare what can be seen from outside.
//!
//! Calls, and what other threads might do, are an [`Environment`]'s. Leaving compiled code ends the execution with
//! the interpreter's frame, scalar-replaced objects made and elided locks taken. What no compile may do (an
//! element access out of bounds, a field of null, a division by 0) is a [`Stuck::Contract`].

mod arithmetic;
mod heap;

pub use heap::{Heap, Object};

use super::{Function, Inst, MethodIx, Mem, Op, Order, Reason, Resume, Runtime, Slot, State, Terminator, Type, Value};
use super::Block;
use arithmetic::{binary, compare, compare3, convert, fcompare, fcompare3, unary};

/// Why an execution does not go on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Stuck {
    /// The code breaks a rule that passes rely on.
    Contract(String),
    /// The interpreter does not know this operation.
    Unsupported(String),
    /// As many instructions as were allowed have been executed.
    Steps,
}

/// What a call does.
pub enum Called {
    /// The raw result (anything for void).
    Returned(u64),
    /// This exception leaves it.
    Threw(u64),
}

/// The world around a function.
pub trait Environment {
    /// Executes an `Op::Call` or a non-leaf `Op::CallRuntime` other than a monitor's.
    fn call(&mut self, op: &Op, args: &[(Type, u64)], heap: &mut Heap) -> Called;

    /// Whether the frame is to be left at this call (after it) or poll.
    fn leaves(&mut self, _op: &Op) -> bool {
        false
    }
}

/// The innermost interpreter frame that takes over.
#[derive(Clone, PartialEq, Debug)]
pub struct Taken {
    /// `None`: the environment asked for it.
    pub reason: Option<Reason>,
    pub method: MethodIx,
    pub bci: u16,
    pub resume: Resume,
    /// `None` where the state says dead.
    pub locals: Vec<Option<u64>>,
    pub stack: Vec<Option<u64>>,
    pub monitors: Vec<u64>,
    /// What the call that has ended returned.
    pub result: Option<u64>,
}

/// How an execution ends.
#[derive(Clone, PartialEq, Debug)]
pub enum Exit {
    Returned(Option<u64>),
    Threw(u64),
    Left(Taken),
}

/// An execution under way.
pub struct Machine<'a, E: Environment> {
    f: &'a Function,
    values: Vec<Option<u64>>,
    pub heap: Heap,
    pub environment: E,
    steps: usize,
    exception: u64,
}

type Step<T> = Result<T, Stuck>;

/// What comes after an instruction.
enum Next {
    On,
    Threw,
    Exit(Exit),
}

fn contract<T>(text: impl Into<String>) -> Step<T> {
    Err(Stuck::Contract(text.into()))
}

impl<'a, E: Environment> Machine<'a, E> {
    /// `steps`: how many instructions may be executed.
    pub fn new(f: &'a Function, heap: Heap, environment: E, steps: usize) -> Self {
        Machine { f, values: vec![None; f.values.len()], heap, environment, steps, exception: 0 }
    }

    /// Gives a value its bits, before the start in the middle of a function.
    pub fn set(&mut self, v: Value, bits: u64) {
        let v = self.f.resolve(v);
        self.values[v.as_u32() as usize] = Some(bits);
    }

    /// Executes from the start with the arguments' bits.
    ///
    /// # Errors
    /// See [`Stuck`].
    pub fn run(&mut self, args: &[u64]) -> Step<Exit> {
        let entry = self.f.entry;
        if args.len() != self.f.blocks[entry].params.len() {
            return contract("as many arguments as parameters");
        }
        for (&p, &bits) in self.f.blocks[entry].params.iter().zip(args) {
            self.set(p, bits);
        }
        self.run_from(entry, 0)
    }

    /// Executes from instruction number `at` of `block`.
    ///
    /// # Errors
    /// See [`Stuck`].
    pub fn run_from(&mut self, mut block: Block, mut at: usize) -> Step<Exit> {
        loop {
            let f = self.f;
            let b = &f.blocks[block];
            let mut threw = false;
            for &i in &b.insts[at..] {
                match self.inst(i)? {
                    Next::On => {}
                    // Only the last instruction is tried.
                    Next::Threw if b.insts.last() != Some(&i) => return Ok(Exit::Threw(self.exception)),
                    Next::Threw => {
                        threw = true;
                        break;
                    }
                    Next::Exit(e) => return Ok(e),
                }
            }
            at = 0;
            let edge = match &b.term {
                Terminator::Try(_, handler) if threw => handler,
                _ if threw => return Ok(Exit::Threw(self.exception)),
                Terminator::Jump(e) | Terminator::Try(e, _) => e,
                Terminator::Branch { cond, then, other, .. } => {
                    if self.get(*cond)? as u32 != 0 {
                        then
                    } else {
                        other
                    }
                }
                Terminator::Switch { key, cases, default } => {
                    let key = self.get(*key)? as i32;
                    cases.iter().find(|c| c.0 == key).map_or(default, |c| &c.1)
                }
                Terminator::Return(v) => return Ok(Exit::Returned(v.map(|v| self.get(v)).transpose()?)),
                Terminator::Throw(v) => return Ok(Exit::Threw(self.get(*v)?)),
                Terminator::Deopt { reason, state, .. } => {
                    return Ok(Exit::Left(self.leave(*state, Some(*reason), None)?))
                }
                Terminator::Unreachable => return contract("unreachable code is reached"),
                Terminator::None => return contract("a block without an end"),
            };
            // All at once: parameters may be arguments of the same edge.
            let bits = edge.args.iter().map(|&a| self.get(a)).collect::<Step<Vec<u64>>>()?;
            block = edge.block;
            for (n, bits) in bits.into_iter().enumerate() {
                self.set(f.blocks[block].params[n], bits);
            }
            self.step()?;
        }
    }

    /// Executes from the end of `block`, whose last instruction is a call that has returned.
    ///
    /// # Errors
    /// See [`Stuck`].
    pub fn run_along(&mut self, block: Block) -> Step<Exit> {
        self.run_from(block, self.f.blocks[block].insts.len())
    }

    fn step(&mut self) -> Step<()> {
        self.steps = self.steps.checked_sub(1).ok_or(Stuck::Steps)?;
        Ok(())
    }

    fn get(&self, v: Value) -> Step<u64> {
        let v = self.f.resolve(v);
        match self.values[v.as_u32() as usize] {
            Some(bits) => Ok(bits),
            None => contract(format!("{v} is used before it is defined")),
        }
    }

    fn ty(&self, v: Value) -> Type {
        self.f.ty(v)
    }

    /// The object that a reference, which must not be null, is to.
    fn object(&self, v: Value) -> Step<Object> {
        match Object::from_bits(self.get(v)?) {
            Some(o) => Ok(o),
            None => contract(format!("{v} is null, and dereferenced")),
        }
    }

    fn inst(&mut self, i: Inst) -> Step<Next> {
        self.step()?;
        let f = self.f;
        let d = &f.insts[i];
        let a = d.args.iter().map(|&a| self.get(a)).collect::<Step<Vec<u64>>>()?;
        let ty = d.result.map(|r| f.ty(r));
        let of = |n: usize| f.ty(d.args[n]);
        let left = |m: &mut Self, reason: Reason| match d.state {
            Some(s) => Ok(Next::Exit(Exit::Left(m.leave(s, Some(reason), None)?))),
            None => contract(format!("{i} has no state")),
        };
        let class_of = |m: &Self, bits: u64| Object::from_bits(bits).map(|o| m.heap.class(o));
        let result = match &d.op {
            Op::Const(c) if ty == Some(Type::I32) => u64::from(*c as u32),
            Op::Const(c) => *c as u64,
            Op::FConst(c) => *c,
            Op::Null => 0,
            Op::TakeException => std::mem::take(&mut self.exception),
            Op::Binary(op) => match binary(*op, of(0), a[0], a[1]) {
                Some(r) => r,
                None => return contract(format!("{i} divides by 0")),
            },
            Op::Unary(op) => unary(*op, of(0), a[0]),
            Op::Convert(c) => convert(*c, a[0]),
            Op::Compare(c) => u64::from(compare(*c, of(0), a[0], a[1])),
            Op::FCompare(c, nan) => u64::from(fcompare(*c, *nan, of(0), a[0], a[1])),
            Op::Compare3 => u64::from(compare3(a[0] as i64, a[1] as i64) as u32),
            Op::FCompare3(nan) => u64::from(fcompare3(*nan, of(0), a[0], a[1]) as u32),
            Op::Select => {
                if a[0] as u32 != 0 {
                    a[1]
                } else {
                    a[2]
                }
            }

            Op::NullCheck if a[0] == 0 => return left(self, Reason::NullCheck),
            Op::BoundsCheck if a[0] as u32 >= a[1] as u32 => return left(self, Reason::RangeCheck),
            Op::DivZeroCheck if a[0] == 0 => return left(self, Reason::Div0Check),
            Op::CheckCast(c) if class_of(self, a[0]).is_some_and(|k| !k.is_subclass_of(c)) => {
                return left(self, Reason::ClassCheck)
            }
            Op::ExactClass(c, reason, _) if class_of(self, a[0]).is_none_or(|k| k != *c) => {
                return left(self, *reason)
            }
            Op::NullCheck | Op::BoundsCheck | Op::DivZeroCheck | Op::CheckCast(_) | Op::ExactClass(..) => a[0],
            Op::StoreCheck => {
                let array = self.heap.class(self.object(d.args[0])?);
                let Some(component) = array.component else { return contract("a store check of no object array") };
                if class_of(self, a[1]).is_some_and(|k| !k.is_subclass_of(component)) {
                    return left(self, Reason::ArrayCheck);
                }
                a[1]
            }
            Op::Guard(reason, _) if a[0] as u32 == 0 => return left(self, *reason),
            Op::Guard(..) => return Ok(Next::On),

            Op::InstanceOf(c) => u64::from(class_of(self, a[0]).is_some_and(|k| k.is_subclass_of(c))),
            Op::LoadClass => u64::from(self.heap.class(self.object(d.args[0])?).word()),

            Op::Load(mem, offset, _) => {
                let o = self.object(d.args[0])?;
                self.heap.load(o, *offset, *mem)?
            }
            Op::Store(mem, offset, order) => {
                let o = self.object(d.args[0])?;
                self.heap.store(o, *offset, *mem, a[1], *order != Order::Plain)?;
                return Ok(Next::On);
            }
            Op::LoadElement(mem) => {
                let (o, at) = self.element(d.args[0], a[1], *mem)?;
                self.heap.load(o, at, *mem)?
            }
            Op::StoreElement(mem) => {
                let (o, at) = self.element(d.args[0], a[1], *mem)?;
                self.heap.store(o, at, *mem, a[2], false)?;
                return Ok(Next::On);
            }
            Op::ArrayLength => match self.heap.length(self.object(d.args[0])?) {
                Some(n) => u64::from(n),
                None => return contract(format!("{i}: the length of no array")),
            },
            Op::Fence(_) | Op::Count(_) | Op::ProfileType(_) | Op::CountAndNotify { .. } => return Ok(Next::On),

            Op::NewInstance(c) => self.heap.allocate(c, None).bits(),
            Op::NewArray(c) => {
                if (a[0] as i32) < 0 {
                    return left(self, Reason::Unhandled);
                }
                self.heap.allocate(c, Some(a[0] as u32)).bits()
            }

            Op::CallRuntime(Runtime::MonitorEnter) => {
                let o = self.object(d.args[0])?;
                self.heap.lock(o);
                return Ok(Next::On);
            }
            Op::CallRuntime(Runtime::MonitorExit) => {
                let o = self.object(d.args[0])?;
                self.heap.unlock(o)?;
                return Ok(Next::On);
            }
            op if op.is_call() => {
                let args: Vec<(Type, u64)> = d.args.iter().map(|&v| self.ty(v)).zip(a).collect();
                let bits = match self.environment.call(op, &args, &mut self.heap) {
                    Called::Returned(bits) => bits,
                    Called::Threw(exception) => {
                        self.exception = exception;
                        return Ok(Next::Threw);
                    }
                };
                if self.environment.leaves(op) {
                    let Some(s) = d.state else { return contract(format!("{i} has no state")) };
                    return Ok(Next::Exit(Exit::Left(self.leave(s, None, d.result.map(|_| bits))?)));
                }
                bits
            }
            Op::LoopEntry => return Ok(Next::On),
            Op::Safepoint => {
                if self.environment.leaves(&d.op) {
                    let Some(s) = d.state else { return contract(format!("{i} has no state")) };
                    return Ok(Next::Exit(Exit::Left(self.leave(s, None, None)?)));
                }
                return Ok(Next::On);
            }
            op => return Err(Stuck::Unsupported(format!("{op:?}"))),
        };
        if let Some(r) = d.result {
            let bits = if f.ty(r) == Type::I32 { u64::from(result as u32) } else { result };
            self.set(r, bits);
        }
        Ok(Next::On)
    }

    /// Object and offset of an element.
    fn element(&self, array: Value, index: u64, mem: Mem) -> Step<(Object, u32)> {
        let o = self.object(array)?;
        match self.heap.length(o) {
            Some(n) if (index as u32) < n => Ok((o, mem.array_base() as u32 + ((index as u32) << mem.log2_bytes()))),
            Some(n) => contract(format!("element {} of {n}", index as i32)),
            None => contract("an element of no array"),
        }
    }

    /// Makes the frame of `state`, with its virtual objects and the locks that were elided.
    fn leave(&mut self, state: State, reason: Option<Reason>, result: Option<u64>) -> Step<Taken> {
        let s = &self.f.states[state];
        if s.parent.is_some() {
            return Err(Stuck::Unsupported("states of inlined methods".into()));
        }
        let made: Vec<Object> = s
            .virtuals
            .iter()
            .map(|v| self.heap.allocate(v.class, v.class.is_array().then_some(v.length)))
            .collect();
        let slot = |m: &Self, s: &Slot| {
            Ok(match *s {
                Slot::Dead => None,
                Slot::Value(v) => Some(m.get(v)?),
                Slot::Virtual(n) => Some(made[n.as_u32() as usize].bits()),
            })
        };
        for (v, &o) in s.virtuals.iter().zip(&made) {
            for (offset, mem, content) in &v.fields {
                if let Some(bits) = slot(self, content)? {
                    self.heap.store(o, *offset, *mem, bits, false)?;
                }
            }
        }
        let mut monitors = Vec::new();
        for m in &s.monitors {
            let Some(bits) = slot(self, &m.object)? else { return contract("a monitor of a dead object") };
            if m.elided {
                let Some(o) = Object::from_bits(bits) else { return contract("a monitor of null") };
                self.heap.lock(o);
            }
            monitors.push(bits);
        }
        Ok(Taken {
            reason,
            method: s.method,
            bci: s.bci,
            resume: s.resume,
            locals: s.locals.iter().map(|x| slot(self, x)).collect::<Step<_>>()?,
            stack: s.stack.iter().map(|x| slot(self, x)).collect::<Step<_>>()?,
            monitors,
            result,
        })
    }
}
