//! Helpful NullPointerException messages (JEP 358): which action failed, and what was null.
//!
//! An abstract interpretation of the bytecode finds which instruction pushed the null
//! reference; walking back over such sources gives an expression like the source's. The texts
//! and their limits (how deep, which sources) are HotSpot's.

use super::slot_types::shuffled;
use crate::classfile::{Constant, MemberRef};
use crate::heap::layout::BasicType;
use crate::meta::method::{external_types, parse_types, Method, MethodRef};

/// Expressions are followed this far.
const MAX_DETAIL: i32 = 5;
/// Give up on methods whose simulated stacks hold more slots than this in all.
const MAX_SLOTS: usize = 1_000_000;

/// The message for a NullPointerException that the instruction at `bci` of `method` raised;
/// `None` if that instruction raises none, or the exception was made by a constructor call.
pub fn message(method: MethodRef, bci: usize) -> Option<String> {
    // Reflection's NativeConstructorAccessorImpl makes exceptions on behalf of others.
    if method.class().name == "jdk/internal/reflect/NativeConstructorAccessorImpl" {
        return None;
    }
    Analysis::new(method, bci)?.message(bci)
}

/// The message of a Throwable, from the top of its backtrace: `None` also when the top frame
/// was hidden, for then the recorded one is not where it happened.
pub fn message_of(throwable: crate::heap::layout::Oop) -> Option<String> {
    if crate::exceptions::backtrace::top_was_hidden(throwable) {
        return None;
    }
    let (method, bci) = crate::exceptions::backtrace::recorded(throwable).into_iter().next()?;
    if method.is_native() {
        return None;
    }
    message(method, bci)
}

/// One operand stack slot: its type, and the instruction that pushed it if there is but one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Slot {
    source: Option<u16>,
    /// `Void`: of no one type.
    ty: BasicType,
}

impl Slot {
    fn merge(self, other: Slot) -> Slot {
        let ty = if self.ty == other.ty {
            self.ty
        } else if self.ty.is_reference() && other.ty.is_reference() {
            BasicType::Object
        } else {
            return Slot { source: None, ty: BasicType::Void };
        };
        Slot { source: if self.source == other.source { self.source } else { None }, ty }
    }
}

/// The operand stack before an instruction, and the locals that were written on the way
/// (locals beyond 63 count as written).
#[derive(Clone, Default, Debug)]
struct State {
    stack: Vec<Slot>,
    written: u64,
}

impl State {
    fn push(&mut self, bci: usize, ty: BasicType) {
        let slot = Slot { source: Some(bci as u16), ty };
        self.stack.extend(std::iter::repeat_n(slot, ty.slots()));
    }

    fn pop(&mut self, slots: usize) {
        self.stack.truncate(self.stack.len().saturating_sub(slots));
    }

    /// Slot at `depth` from the top.
    fn at(&self, depth: usize) -> Option<Slot> {
        self.stack.len().checked_sub(depth + 1).map(|i| self.stack[i])
    }

    fn is_written(&self, local: usize) -> bool {
        local > 63 || self.written & 1 << local != 0
    }

    fn write(&mut self, local: usize) {
        if local <= 63 {
            self.written |= 1 << local;
        }
    }
}

struct Analysis {
    method: &'static Method,
    states: Vec<Option<State>>,
    slots: usize,
}

/// What an instruction does to control flow.
#[derive(Default)]
struct Flow {
    targets: Vec<usize>,
    ends: bool,
}

impl Analysis {
    fn new(method: MethodRef, wanted: usize) -> Option<Analysis> {
        let code = method.code_attribute()?;
        let length = code.code.len();
        let mut a = Analysis { method, states: vec![None; length + 1], slots: 0 };
        a.states[0] = Some(State::default());
        for e in &code.exception_table {
            let at = e.handler_pc as usize;
            if a.states[at].is_none() {
                let mut s = State::default();
                s.push(at, BasicType::Object);
                a.states[at] = Some(s);
            }
        }
        // Straight passes until one reaches everything, or nothing new.
        loop {
            let (mut complete, mut added) = (true, false);
            let mut bci = 0;
            while bci < length {
                let next = bci + a.length_at(bci)?;
                match a.states[bci].clone() {
                    None => complete = false,
                    Some(mut state) => match a.step(bci, &mut state) {
                        None => {
                            complete = false;
                            added = false;
                        }
                        Some(mut flow) => {
                            if !flow.ends {
                                flow.targets.insert(0, next);
                            }
                            for to in flow.targets {
                                added |= a.merge(to, &mut state)?;
                            }
                        }
                    },
                }
                bci = next;
                if bci == wanted && a.states[bci].is_some() {
                    return Some(a);
                }
                if a.slots > MAX_SLOTS {
                    return Some(a);
                }
            }
            if complete || !added {
                return Some(a);
            }
        }
    }

    /// Joins `state` into what is known at `bci`; whether that was reached for the first time.
    fn merge(&mut self, bci: usize, state: &mut State) -> Option<bool> {
        let known = self.states.get_mut(bci)?;
        let first = match known {
            Some(old) => {
                for (s, o) in state.stack.iter_mut().zip(&old.stack) {
                    *s = s.merge(*o);
                }
                state.written |= old.written;
                false
            }
            None => {
                self.slots += state.stack.len();
                true
            }
        };
        *known = Some(state.clone());
        Some(first)
    }

    fn u8(&self, at: usize) -> usize {
        self.method.code.get(at).map_or(0, |&b| usize::from(b))
    }
    fn u16(&self, at: usize) -> u16 {
        (self.u8(at) << 8 | self.u8(at + 1)) as u16
    }
    fn i32(&self, at: usize) -> i32 {
        (i32::from(self.u16(at)) << 16) | i32::from(self.u16(at + 2))
    }
    fn jump(&self, bci: usize, at: usize) -> usize {
        (bci as i64 + i64::from(self.u16(at) as i16)) as usize
    }
    fn far_jump(&self, bci: usize, at: usize) -> usize {
        (bci as i64 + i64::from(self.i32(at))) as usize
    }

    /// The opcode behind a possible `wide` prefix, and the position of its operands.
    fn opcode(&self, bci: usize) -> (u8, usize, bool) {
        if self.u8(bci) == 0xc4 {
            (self.u8(bci + 1) as u8, bci + 2, true)
        } else {
            (self.u8(bci) as u8, bci + 1, false)
        }
    }

    fn length_at(&self, bci: usize) -> Option<usize> {
        let (op, at, wide) = self.opcode(bci);
        let padded = (at + 3) & !3;
        let n = match op {
            _ if wide => if op == 0x84 { 6 } else { 4 },
            0xaa => {
                let n = i64::from(self.i32(padded + 8)) - i64::from(self.i32(padded + 4)) + 1;
                padded + 12 + 4 * usize::try_from(n).ok()? - bci
            }
            0xab => padded + 8 + 8 * usize::try_from(self.i32(padded + 4)).ok()? - bci,
            0x10 | 0x12 | 0x15..=0x19 | 0x36..=0x3a | 0xa9 | 0xbc => 2,
            0x11 | 0x13 | 0x14 | 0x84 | 0x99..=0xa8 | 0xb2..=0xb8 | 0xbb | 0xbd | 0xc0 | 0xc1 | 0xc6 | 0xc7 => 3,
            0xc5 => 4,
            0xb9 | 0xba | 0xc8 | 0xc9 => 5,
            _ => 1,
        };
        Some(n)
    }

    fn member(&self, at: usize) -> Option<MemberRef<'static>> {
        self.method.class().constants.file().member_ref(self.u16(at))
    }

    /// Simulates one instruction; `None` for one that is not understood.
    fn step(&self, bci: usize, s: &mut State) -> Option<Flow> {
        use BasicType::{Array, Double, Float, Int, Long, Object};
        let (op, at, wide) = self.opcode(bci);
        let mut flow = Flow::default();
        let index = || if wide { usize::from(self.u16(at)) } else { self.u8(at) };
        // Statics: see the operation tables of `prepare`.
        static IJFDA: [BasicType; 5] = [Int, Long, Float, Double, Object];
        static IJFD: [BasicType; 4] = [Int, Long, Float, Double];
        static ARRAY_LOADS: [BasicType; 8] = [Int, Long, Float, Double, Object, Int, Int, Int];
        match op {
            0x00 | 0x84 | 0xc0 => {}
            0x01 => s.push(bci, Object),
            0x02..=0x08 | 0x10 | 0x11 => s.push(bci, Int),
            0x09 | 0x0a => s.push(bci, Long),
            0x0b..=0x0d => s.push(bci, Float),
            0x0e | 0x0f => s.push(bci, Double),
            0x12..=0x14 => {
                let i = if op == 0x12 { self.u8(at) as u16 } else { self.u16(at) };
                let ty = match self.method.class().constants.file().get(i) {
                    Constant::Integer(_) => Int,
                    Constant::Float(_) => Float,
                    Constant::Long(_) => Long,
                    Constant::Double(_) => Double,
                    Constant::Dynamic { name_and_type, .. } => {
                        let d = self.method.class().constants.file().name_and_type(name_and_type)?.descriptor;
                        BasicType::from_descriptor(*d.first()?)?
                    }
                    _ => Object,
                };
                s.push(bci, ty)
            }
            0x15..=0x19 => s.push(bci, IJFDA[usize::from(op) - 0x15]),
            0x1a..=0x2d => s.push(bci, IJFDA[(usize::from(op) - 0x1a) / 4]),
            0x2e..=0x35 => {
                s.pop(2);
                s.push(bci, ARRAY_LOADS[usize::from(op) - 0x2e])
            }
            0x36..=0x3a => {
                s.write(index());
                s.pop(IJFDA[usize::from(op) - 0x36].slots())
            }
            0x3b..=0x4e => {
                s.write((usize::from(op) - 0x3b) % 4);
                s.pop(IJFDA[(usize::from(op) - 0x3b) / 4].slots())
            }
            0x4f..=0x56 => s.pop(if matches!(op, 0x50 | 0x52) { 4 } else { 3 }),
            0x57 | 0xc2 | 0xc3 => s.pop(1),
            0x58 => s.pop(2),
            0x59..=0x5f => self.shuffle(op, s)?,
            0x60..=0x73 => {
                let ty = IJFD[usize::from(op) % 4];
                s.pop(2 * ty.slots());
                s.push(bci, ty)
            }
            0x74..=0x77 => {
                let ty = IJFD[usize::from(op) % 4];
                s.pop(ty.slots());
                s.push(bci, ty)
            }
            0x78..=0x7d => {
                let ty = IJFD[usize::from(op) % 2];
                s.pop(1 + ty.slots());
                s.push(bci, ty)
            }
            0x7e..=0x83 => {
                let ty = IJFD[usize::from(op) % 2];
                s.pop(2 * ty.slots());
                s.push(bci, ty)
            }
            0x85..=0x93 => {
                const FROM: &[u8; 15] = b"IIIJJJFFFDDDIII";
                const TO: &[u8; 15] = b"JFDIFDIJDIJFIII";
                let i = usize::from(op) - 0x85;
                s.pop(BasicType::from_descriptor(FROM[i])?.slots());
                s.push(bci, BasicType::from_descriptor(TO[i])?)
            }
            0x94..=0x98 => {
                s.pop(if matches!(op, 0x95 | 0x96) { 2 } else { 4 });
                s.push(bci, Int)
            }
            0x99..=0x9e | 0xc6 | 0xc7 => {
                s.pop(1);
                flow.targets.push(self.jump(bci, at))
            }
            0x9f..=0xa6 => {
                s.pop(2);
                flow.targets.push(self.jump(bci, at))
            }
            0xa7 | 0xc8 => {
                flow.targets.push(if op == 0xa7 { self.jump(bci, at) } else { self.far_jump(bci, at) });
                flow.ends = true
            }
            0xa8 | 0xc9 => {
                s.push(bci, Object);
                flow.targets.push(if op == 0xa8 { self.jump(bci, at) } else { self.far_jump(bci, at) });
                flow.ends = true
            }
            0xa9 => flow.ends = true,
            0xaa | 0xab => {
                s.pop(1);
                let p = (at + 3) & !3;
                flow.targets.push(self.far_jump(bci, p));
                let (first, stride, n) = if op == 0xaa {
                    (p + 12, 4, i64::from(self.i32(p + 8)) - i64::from(self.i32(p + 4)) + 1)
                } else {
                    (p + 12, 8, i64::from(self.i32(p + 4)))
                };
                // HotSpot lets a switch also fall through, which only makes stacks less precise.
                for i in 0..usize::try_from(n).ok()? {
                    flow.targets.push(self.far_jump(bci, first + stride * i));
                }
            }
            0xac..=0xb1 | 0xbf => flow.ends = true,
            0xb2..=0xb5 => {
                let ty = BasicType::from_descriptor(*self.member(at)?.descriptor.first()?)?;
                match op {
                    0xb2 => s.push(bci, ty),
                    0xb3 => s.pop(ty.slots()),
                    0xb4 => {
                        s.pop(1);
                        s.push(bci, ty)
                    }
                    _ => s.pop(1 + ty.slots()),
                }
            }
            0xb6..=0xba => {
                let descriptor = if op == 0xba {
                    self.method.class().constants.file().dynamic(self.u16(at))?.1.descriptor
                } else {
                    self.member(at)?.descriptor
                };
                let (parameters, result) = parse_types(descriptor);
                s.pop(parameters.iter().map(|p| p.slots()).sum::<usize>() + usize::from(!matches!(op, 0xb8 | 0xba)));
                s.push(bci, result)
            }
            0xbb => s.push(bci, Object),
            0xbc | 0xbd => {
                s.pop(1);
                s.push(bci, Array)
            }
            0xbe | 0xc1 => {
                s.pop(1);
                s.push(bci, Int)
            }
            0xc5 => {
                s.pop(self.u8(at + 2));
                s.push(bci, Object)
            }
            _ => return None,
        }
        Some(flow)
    }

    /// `dup` to `swap`.
    fn shuffle(&self, op: u8, s: &mut State) -> Option<()> {
        let (pop, order) = shuffled(op);
        let slots = order.iter().map(|&d| s.at(d)).collect::<Option<Vec<_>>>()?;
        s.pop(pop);
        s.stack.extend(slots);
        Some(())
    }

    fn message(&self, bci: usize) -> Option<String> {
        let (op, at, _) = self.opcode(bci);
        let slot = match op {
            0xb4 | 0xbe | 0xbf | 0xc2 | 0xc3 => 0,
            0x2e..=0x35 => 1,
            0x50 | 0x52 => 3,
            0x4f..=0x56 => 2,
            0xb5 => BasicType::from_descriptor(*self.member(at)?.descriptor.first()?)?.slots(),
            0xb6 | 0xb7 | 0xb9 => {
                let m = self.member(at)?;
                if m.name == b"<init>" {
                    return None; // Made by `new NullPointerException()`.
                }
                parse_types(m.descriptor).0.iter().map(|p| p.slots()).sum()
            }
            _ => return None,
        };
        let mut text = self.failed_action(op, at)?;
        let mut cause = String::new();
        if self.cause(&mut cause, bci, slot, MAX_DETAIL, false, " because \"") {
            text.push_str(&cause);
            text.push_str("\" is null");
        }
        Some(text)
    }

    fn failed_action(&self, op: u8, at: usize) -> Option<String> {
        const ARRAYS: [&str; 8] = ["int", "long", "float", "double", "object", "byte/boolean", "char", "short"];
        Some(match op {
            0x2e..=0x35 => format!("Cannot load from {} array", ARRAYS[usize::from(op) - 0x2e]),
            0x4f..=0x56 => format!("Cannot store to {} array", ARRAYS[usize::from(op) - 0x4f]),
            0xbe => "Cannot read the array length".into(),
            0xbf => "Cannot throw exception".into(),
            0xc2 => "Cannot enter synchronized block".into(),
            0xc3 => "Cannot exit synchronized block".into(),
            0xb4 => format!("Cannot read field \"{}\"", text(self.member(at)?.name)),
            0xb5 => format!("Cannot assign field \"{}\"", text(self.member(at)?.name)),
            _ => format!("Cannot invoke \"{}\"", method_text(&self.member(at)?)),
        })
    }

    /// Appends what pushed the slot at `depth` before `bci`; false if that cannot be told
    /// (nothing of use has been appended then).
    fn cause(&self, out: &mut String, bci: usize, depth: usize, detail: i32, inner: bool, prefix: &str) -> bool {
        if detail <= 0 {
            return false;
        }
        let Some(state) = &self.states[bci] else { return false };
        let Some(source) = state.at(depth).and_then(|s| s.source) else { return false };
        let source = usize::from(source);
        let (op, at, wide) = self.opcode(source);
        let is_call = (0xb6..=0xb9).contains(&op);
        if detail == MAX_DETAIL && !is_call {
            out.push_str(prefix);
        }
        let local = |out: &mut String, i: usize| {
            out.push_str(&local_text(self.method, source, i, !state.is_written(i)));
            true
        };
        match op {
            0x15 | 0x19 => local(out, if wide { usize::from(self.u16(at)) } else { self.u8(at) }),
            0x1a..=0x1d => local(out, usize::from(op) - 0x1a),
            0x2a..=0x2d => local(out, usize::from(op) - 0x2a),
            0x01 => append(out, "null"),
            0x02..=0x08 => append(out, &(i32::from(op) - 3).to_string()),
            0x10 => append(out, &(self.u8(at) as i8).to_string()),
            // HotSpot shows the operand of sipush unsigned.
            0x11 => append(out, &self.u16(at).to_string()),
            0x2e | 0x32 => {
                if !self.cause(out, source, 1, detail - 1, inner, "") {
                    out.push_str("<array>");
                }
                out.push('[');
                if !self.cause(out, source, 0, detail, true, "") {
                    out.push_str("...");
                }
                append(out, "]")
            }
            0xb2 => match self.member(at) {
                Some(m) => append(out, &format!("{}.{}", class_text(m.class_name), text(m.name))),
                None => false,
            },
            0xb4 => {
                let Some(m) = self.member(at) else { return false };
                if self.cause(out, source, 0, detail - 1, inner, "") {
                    out.push('.');
                }
                append(out, &text(m.name))
            }
            _ if is_call => {
                let Some(m) = self.member(at) else { return false };
                if detail == MAX_DETAIL && !inner {
                    out.push_str(" because the return value of \"");
                }
                append(out, &method_text(&m))
            }
            _ => false,
        }
    }
}

fn append(out: &mut String, s: &str) -> bool {
    out.push_str(s);
    true
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A class as messages show it: an array's by its descriptor; Object and String without their package.
fn class_text(name: &[u8]) -> String {
    trim(text(name).replace('/', "."))
}

/// Names that only begin like Object's and String's lose the package too, as on HotSpot, in
/// parameter lists.
fn trim_parameter(name: String) -> String {
    match name.strip_prefix("java.lang.") {
        Some(rest) if rest.starts_with("Object") || rest.starts_with("String") => rest.to_string(),
        _ => name,
    }
}

fn trim(name: String) -> String {
    match name.as_str() {
        "java.lang.Object" => "Object".into(),
        "java.lang.String" => "String".into(),
        _ => name,
    }
}

fn method_text(m: &MemberRef<'_>) -> String {
    let parameters: Vec<String> = external_types(m.descriptor).0.into_iter().map(trim_parameter).collect();
    format!("{}.{}({})", class_text(m.class_name), text(m.name), parameters.join(", "))
}

fn local_text(method: MethodRef, bci: usize, slot: usize, is_parameter: bool) -> String {
    if let Some(code) = method.code_attribute() {
        for v in &code.local_variables {
            let start = usize::from(v.start_pc);
            if bci >= start && bci < start + usize::from(v.length) && usize::from(v.index) == slot {
                return method.class().constants.symbol(v.name).to_text().into_owned();
            }
        }
    }
    if !method.is_static() && slot == 0 && is_parameter {
        return "this".into();
    }
    let mut current = usize::from(!method.is_static());
    for (i, p) in method.parameters.iter().enumerate() {
        if slot >= current && slot < current + p.slots() && is_parameter {
            return format!("<parameter{}>", i + 1);
        }
        current += p.slots();
    }
    format!("<local{slot}>")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        assert_eq!(class_text(b"java/lang/String"), "String");
        assert_eq!(class_text(b"java/lang/StringBuilder"), "java.lang.StringBuilder");
        assert_eq!(class_text(b"[Ljava/lang/String;"), "[Ljava.lang.String;");
        let m = MemberRef {
            class_index: 1,
            class_name: b"a/B",
            name: b"f",
            descriptor: b"(Ljava/lang/String;[I)V",
        };
        assert_eq!(method_text(&m), "a.B.f(String, int[])");
    }

    #[test]
    fn merging_slots_keeps_what_agrees() {
        let a = Slot { source: Some(1), ty: BasicType::Object };
        let b = Slot { source: Some(2), ty: BasicType::Array };
        assert_eq!(a.merge(b), Slot { source: None, ty: BasicType::Object });
        assert_eq!(a.merge(Slot { source: Some(1), ty: BasicType::Int }).ty, BasicType::Void);
        assert_eq!(a.merge(a), a);
    }
}
