//! What the local variables and the operand stack of a method hold before an instruction: references, numbers, halves
//! of long ones. Inferred by following all paths to it, which serves for methods without a StackMapTable (JVMS 4.7.4)
//! too. What paths disagree on is unknown.

use crate::classfile::Constant;
use crate::compiler::build::bytecode::{Code, LocalUse};
use crate::heap::layout::BasicType;
use crate::meta::method::{parse_types, Method, MethodRef};

/// What a slot holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Nothing yet, or different things on different ways.
    Unknown,
    Reference,
    /// An int, or what is like one, or a float.
    Word,
    /// The first slot of a long or double, and its second.
    Long,
    Rest,
    /// The return address of the subroutine that starts there.
    Return(u16),
}

/// The slots before one instruction.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Slots {
    pub locals: Vec<Kind>,
    pub stack: Vec<Kind>,
}

impl Slots {
    fn push(&mut self, ty: BasicType) {
        self.stack.extend_from_slice(kinds(ty));
    }

    fn pop(&mut self, slots: usize) -> Option<()> {
        self.stack.truncate(self.stack.len().checked_sub(slots)?);
        Some(())
    }

    fn set_local(&mut self, i: usize, kinds: &[Kind]) -> Option<()> {
        // A half of a long value that is overwritten leaves the other without meaning.
        if self.locals.get(i) == Some(&Kind::Rest) {
            self.locals[i - 1] = Kind::Unknown;
        }
        let end = i + kinds.len();
        if self.locals.get(end) == Some(&Kind::Rest) {
            self.locals[end] = Kind::Unknown;
        }
        self.locals.get_mut(i..end)?.copy_from_slice(kinds);
        Some(())
    }

    /// Joins what another way to the same instruction brings; whether that changed anything. `None` if the stacks
    /// differ in depth.
    fn merge(&mut self, other: &Slots) -> Option<bool> {
        if self.stack.len() != other.stack.len() {
            return None;
        }
        let mut changed = false;
        let mine = self.locals.iter_mut().chain(&mut self.stack);
        for (a, b) in mine.zip(other.locals.iter().chain(&other.stack)) {
            if a != b && *a != Kind::Unknown {
                *a = Kind::Unknown;
                changed = true;
            }
        }
        Some(changed)
    }
}

fn kinds(ty: BasicType) -> &'static [Kind] {
    match ty {
        BasicType::Void => &[],
        BasicType::Object | BasicType::Array => &[Kind::Reference],
        BasicType::Long | BasicType::Double => &[Kind::Long, Kind::Rest],
        _ => &[Kind::Word],
    }
}

/// What the arguments of a method are, in its first locals.
pub fn arguments(m: &Method) -> Vec<Kind> {
    let receiver = (!m.is_static()).then_some(Kind::Reference);
    receiver.into_iter().chain(m.parameters.iter().flat_map(|&p| kinds(p).iter().copied())).collect()
}

/// The slots before the instruction at `bci` of a method with code; `None` if nothing leads there, or the code is
/// beyond understanding (which only code that was not verified is).
pub fn before(m: MethodRef, bci: usize) -> Option<Slots> {
    Inference::new(m).run()?.states.get_mut(bci)?.take()
}

/// Whether the instruction at `bci` calls a method.
pub fn is_call(m: MethodRef, bci: usize) -> bool {
    matches!(m.code.get(bci), Some(0xb6..=0xba))
}

/// Which local variables hold no reference that could be used from `bci` on: a number, or different things on different
/// ways. `None` where that cannot be told, as in subroutines, which have other types for each of their callers.
pub fn without_references(m: MethodRef, bci: usize) -> Option<Vec<bool>> {
    let inference = Inference::new(m).run()?;
    if !inference.calls.is_empty() {
        return None;
    }
    let slots = inference.states.get(bci)?.as_ref()?;
    Some(slots.locals.iter().map(|k| *k != Kind::Reference).collect())
}

/// Slots that the instruction at `bci`, an invocation, takes off the stack.
pub fn taken_by_call(m: MethodRef, bci: usize) -> usize {
    let i = Inference::new(m);
    match m.code.get(bci) {
        Some(op @ 0xb6..=0xba) => i.call(*op, bci).map_or(0, |c| c.0),
        _ => 0,
    }
}

struct Inference {
    method: MethodRef,
    code: Code<'static>,
    states: Vec<Option<Slots>>,
    /// Instructions whose state has changed since they were simulated.
    work: Vec<usize>,
    /// Subroutines, with where their calls go on and their returns are.
    calls: Vec<(u16, usize)>,
    returns: Vec<(u16, usize)>,
}

impl Inference {
    fn new(method: MethodRef) -> Inference {
        let states = vec![None; method.code.len()];
        Inference { method, code: Code(method.code), states, work: vec![], calls: vec![], returns: vec![] }
    }

    /// All states.
    fn run(mut self) -> Option<Inference> {
        let table = &self.method.code_attribute()?.exception_table;
        let mut locals = arguments(self.method);
        locals.resize(self.method.max_locals as usize, Kind::Unknown);
        self.reach(0, &Slots { locals, stack: vec![] })?;
        while let Some(bci) = self.work.pop() {
            let state = self.states[bci].clone()?;
            for e in table.iter().filter(|e| (e.start_pc as usize..e.end_pc as usize).contains(&bci)) {
                let caught = Slots { locals: state.locals.clone(), stack: vec![Kind::Reference] };
                self.reach(e.handler_pc as usize, &caught)?;
            }
            self.step(bci, state)?;
        }
        Some(self)
    }

    fn reach(&mut self, bci: usize, state: &Slots) -> Option<()> {
        let changed = match self.states.get_mut(bci)? {
            Some(known) => known.merge(state)?,
            none => {
                *none = Some(state.clone());
                true
            }
        };
        if changed {
            self.work.push(bci);
        }
        Some(())
    }

    /// Simulates the instruction at `bci` and reaches what follows it.
    fn step(&mut self, bci: usize, mut s: Slots) -> Option<()> {
        let next = bci + self.code.length(bci).ok()?;
        let op = self.code.op(bci);
        let (op, wide) = if op == 0xc4 { (self.code.u8(bci + 1), true) } else { (op, false) };
        match op {
            0xa8 | 0xc9 => {
                let offset = if op == 0xa8 { self.code.i16(bci + 1) } else { self.code.i32(bci + 1) };
                let routine = u16::try_from(bci as i64 + i64::from(offset)).ok()?;
                s.stack.push(Kind::Return(routine));
                self.calls.push((routine, next));
                self.reach(routine as usize, &s)?;
                for (_, ret) in self.returns.clone().into_iter().filter(|r| r.0 == routine) {
                    let state = self.states[ret].clone()?;
                    self.reach(next, &state)?;
                }
                Some(())
            }
            0xa9 => {
                let local = if wide { self.code.u16(bci + 2) as usize } else { usize::from(self.code.u8(bci + 1)) };
                let Kind::Return(routine) = *s.locals.get(local)? else { return None };
                self.returns.push((routine, bci));
                for (_, to) in self.calls.clone().into_iter().filter(|c| c.0 == routine) {
                    self.reach(to, &s)?;
                }
                Some(())
            }
            _ => {
                self.effect(op, bci, &mut s)?;
                for to in self.code.targets(bci).ok()? {
                    self.reach(to as usize, &s)?;
                }
                if !self.code.ends_flow(bci) {
                    self.reach(next, &s)?;
                }
                Some(())
            }
        }
    }

    /// What an instruction does to the slots.
    fn effect(&self, op: u8, bci: usize, s: &mut Slots) -> Option<()> {
        use BasicType::{Double, Float, Int, Long, Object, Void};
        match self.code.local(bci) {
            LocalUse::Read(i, ty) => {
                let n = if ty.is_two_slots() { 2 } else { 1 };
                let read = s.locals.get(i as usize..i as usize + n)?.to_vec();
                s.stack.extend(read);
                return Some(());
            }
            LocalUse::Write(i, ty) => {
                let n = if ty.is_two_slots() { 2 } else { 1 };
                let written = s.stack.get(s.stack.len().checked_sub(n)?..)?.to_vec();
                s.pop(n)?;
                return s.set_local(i as usize, &written);
            }
            LocalUse::Both(_) => return Some(()),
            LocalUse::None => {}
        }
        // Tables by what opcodes have in common: (int, long, float, double) and the like.
        static IJFD: [BasicType; 4] = [Int, Long, Float, Double];
        static ELEMENTS: [BasicType; 8] = [Int, Long, Float, Double, Object, Int, Int, Int];
        static CONVERSIONS: [(usize, BasicType); 15] = [
            (1, Long), (1, Float), (1, Double), (2, Int), (2, Float), (2, Double), (1, Int), (1, Long), (1, Double),
            (2, Int), (2, Long), (2, Float), (1, Int), (1, Int), (1, Int),
        ];
        let (pops, pushed) = match op {
            0x00 => (0, Void),
            0x01 | 0xbb => (0, Object),
            0x02..=0x08 | 0x10 | 0x11 => (0, Int),
            0x09 | 0x0a => (0, Long),
            0x0b..=0x0d => (0, Float),
            0x0e | 0x0f => (0, Double),
            0x12 => (0, self.constant(u16::from(self.code.u8(bci + 1)))?),
            0x13 | 0x14 => (0, self.constant(self.code.u16(bci + 1))?),
            0x2e..=0x35 => (2, ELEMENTS[op as usize - 0x2e]),
            0x4f..=0x56 => (2 + ELEMENTS[op as usize - 0x4f].slots(), Void),
            0x57 | 0x99..=0x9e | 0xaa | 0xab | 0xbf | 0xc2 | 0xc3 | 0xc6 | 0xc7 => (1, Void),
            0x58 | 0x9f..=0xa6 => (2, Void),
            0x59..=0x5f => return shuffle(op, s),
            0x60..=0x73 => (2 * IJFD[op as usize % 4].slots(), IJFD[op as usize % 4]),
            0x74..=0x77 => (IJFD[op as usize % 4].slots(), IJFD[op as usize % 4]),
            0x78..=0x7d => (1 + IJFD[op as usize % 2].slots(), IJFD[op as usize % 2]),
            0x7e..=0x83 => (2 * IJFD[op as usize % 2].slots(), IJFD[op as usize % 2]),
            0x85..=0x93 => CONVERSIONS[op as usize - 0x85],
            0x94 | 0x97 | 0x98 => (4, Int),
            0x95 | 0x96 => (2, Int),
            0xa7 | 0xc8 | 0xac..=0xb1 => (0, Void),
            0xb2..=0xb5 => {
                let file = self.method.class().constants.file();
                let ty = BasicType::from_descriptor(*file.member_ref(self.code.u16(bci + 1))?.descriptor.first()?)?;
                match op {
                    0xb2 => (0, ty),
                    0xb3 => (ty.slots(), Void),
                    0xb4 => (1, ty),
                    _ => (1 + ty.slots(), Void),
                }
            }
            0xb6..=0xba => self.call(op, bci)?,
            0xbc | 0xbd | 0xc0 => (1, Object),
            0xbe | 0xc1 => (1, Int),
            0xc5 => (usize::from(self.code.u8(bci + 3)), Object),
            _ => return None,
        };
        s.pop(pops)?;
        s.push(pushed);
        Some(())
    }

    /// What an invocation takes, and its result.
    fn call(&self, op: u8, bci: usize) -> Option<(usize, BasicType)> {
        let file = self.method.class().constants.file();
        let index = self.code.u16(bci + 1);
        let descriptor = match op {
            0xba => file.dynamic(index)?.1.descriptor,
            _ => file.member_ref(index)?.descriptor,
        };
        let (parameters, result) = parse_types(descriptor);
        let receiver = usize::from(!matches!(op, 0xb8 | 0xba));
        Some((receiver + parameters.iter().map(|p| p.slots()).sum::<usize>(), result))
    }

    fn constant(&self, index: u16) -> Option<BasicType> {
        let file = self.method.class().constants.file();
        Some(match file.get(index) {
            Constant::Integer(_) => BasicType::Int,
            Constant::Float(_) => BasicType::Float,
            Constant::Long(_) => BasicType::Long,
            Constant::Double(_) => BasicType::Double,
            Constant::Dynamic { name_and_type, .. } => {
                BasicType::from_descriptor(*file.name_and_type(name_and_type)?.descriptor.first()?)?
            }
            _ => BasicType::Object,
        })
    }
}

/// What `dup` to `swap` do to the stack's slots: how many are popped, and the depths of those pushed, deepest first.
pub(super) fn shuffled(op: u8) -> (usize, &'static [usize]) {
    match op {
        0x59 => (1, &[0, 0]),
        0x5a => (2, &[0, 1, 0]),
        0x5b => (3, &[0, 2, 1, 0]),
        0x5c => (2, &[1, 0, 1, 0]),
        0x5d => (3, &[1, 0, 2, 1, 0]),
        0x5e => (4, &[1, 0, 3, 2, 1, 0]),
        _ => (2, &[0, 1]),
    }
}

/// `dup` to `swap`.
fn shuffle(op: u8, s: &mut Slots) -> Option<()> {
    let (pop, order) = shuffled(op);
    let top = s.stack.len();
    let pushed = order.iter().map(|d| Some(s.stack[top.checked_sub(d + 1)?])).collect::<Option<Vec<_>>>()?;
    s.pop(pop)?;
    s.stack.extend(pushed);
    Some(())
}
