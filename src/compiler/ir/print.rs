//! The textual form of a function.
//!
//! ```text
//! function "A.f(I)I" (osr 12) -> i32 {
//! m0 = "A.f(I)I"
//! b0(v0: ref, v1: i32):
//!   v2: ref<"A" non_null> = null_check v0 [s0 m0@3 locals(v0, v1) stack(v0)]  ; m0@3
//!   v3: i32 = load.i32 12 v2  ; m0@3
//!   branch v3, b1(v1), b2(v3), 32768
//! b1(v4: i32), frequency 0.5:
//!   return v4
//! ```
//!
//! A frame state is written out where it is first used and named afterwards; `after` and `entry` behind its
//! bytecode index stand for [`Resume::AfterCall`] and [`Resume::MethodEntry`]; its caller's state stands in it
//! after `parent`. What follows a semicolon is the instruction's origin. Classes and methods are in quotes.

use super::function::{Block, Edge, Function, Inst, RefFacts, Terminator, Value};
use super::op::{Op, Target};
use super::state::{Resume, Slot, State};
use super::types::Order;
use crate::meta::class::ClassRef;
use crate::meta::method::MethodRef;
use cranelift_entity::EntityRef;
use rustc_hash::FxHashMap;
use std::fmt::{self, Display, Write};

/// The function with the numbers that its parts have: the same value has the same name before and after a pass.
impl Display for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut p = Printer { f: self, numbers: None, states: FxHashMap::default() };
        f.write_str(&p.function())
    }
}

/// The function with everything numbered in the order of the text: equal functions print the same.
pub fn canonical(f: &Function) -> String {
    Printer { f, numbers: Some(Numbers::new(f)), states: FxHashMap::default() }.function()
}

/// A class as the textual form names it.
pub fn class_name(c: ClassRef) -> String {
    quote(&c.name.to_text())
}

/// A method as the textual form names it: `"pkg/Class.name(I)V"`.
pub fn method_name(m: MethodRef) -> String {
    quote(&method_text(m))
}

/// The same without its quotes.
pub fn method_text(m: MethodRef) -> String {
    format!("{}.{}{}", m.class().name.to_text(), m.name, m.descriptor)
}

fn quote(s: &str) -> String {
    format!("{s:?}")
}

/// Numbers in order of appearance.
struct Numbers {
    blocks: FxHashMap<Block, usize>,
    values: FxHashMap<Value, usize>,
}

impl Numbers {
    fn new(f: &Function) -> Numbers {
        let mut n = Numbers { blocks: FxHashMap::default(), values: FxHashMap::default() };
        for b in f.reverse_postorder() {
            let i = n.blocks.len();
            n.blocks.insert(b, i);
            let data = &f.blocks[b];
            for v in data.params.iter().copied().chain(data.insts.iter().filter_map(|&i| f.insts[i].result)) {
                let i = n.values.len();
                n.values.insert(v, i);
            }
        }
        n
    }
}

struct Printer<'a> {
    f: &'a Function,
    numbers: Option<Numbers>,
    /// States written out so far, with their numbers.
    states: FxHashMap<State, usize>,
}

impl Printer<'_> {
    fn function(&mut self) -> String {
        let f = self.f;
        let mut s = format!("function {}", quote(&f.name));
        if let Some(bci) = f.osr_bci {
            let _ = write!(s, " (osr {bci})");
        }
        if let Some(t) = f.return_type {
            let _ = write!(s, " -> {t}");
        }
        s.push_str(" {\n");
        for (ix, m) in f.methods.iter() {
            let _ = writeln!(s, "{ix} = {}", quote(&m.name));
        }
        for b in f.reverse_postorder() {
            let data = &f.blocks[b];
            let params: Vec<String> = data.params.iter().map(|&v| self.definition(v)).collect();
            let _ = write!(s, "{}({})", self.block(b), params.join(", "));
            if data.frequency != 1.0 {
                let _ = write!(s, ", frequency {}", data.frequency);
            }
            s.push_str(":\n");
            for &i in &data.insts {
                let line = self.inst(i);
                let _ = writeln!(s, "  {line}");
            }
            let line = self.terminator(&data.term);
            let _ = writeln!(s, "  {line}");
        }
        s.push_str("}\n");
        s
    }

    fn block(&self, b: Block) -> String {
        match &self.numbers {
            Some(n) => n.blocks.get(&b).map_or_else(|| format!("b?{}", b.index()), |i| format!("b{i}")),
            None => b.to_string(),
        }
    }

    fn value(&self, v: Value) -> String {
        match &self.numbers {
            Some(n) => n.values.get(&v).map_or_else(|| format!("v?{}", v.index()), |i| format!("v{i}")),
            None => v.to_string(),
        }
    }

    fn definition(&self, v: Value) -> String {
        let d = &self.f.values[v];
        let boxed = d.boxed.map(|b| format!("boxed {}", self.value(b)));
        format!("{}: {}{}", self.value(v), d.ty, facts(&d.facts, boxed))
    }

    fn values(&self, vs: &[Value]) -> String {
        vs.iter().map(|&v| self.value(v)).collect::<Vec<_>>().join(", ")
    }

    fn edge(&self, e: &Edge) -> String {
        format!("{}({})", self.block(e.block), self.values(&e.args))
    }

    fn inst(&mut self, i: Inst) -> String {
        let data = &self.f.insts[i];
        let mut s = String::new();
        if let Some(v) = data.result {
            let _ = write!(s, "{} = ", self.definition(v));
        }
        s.push_str(&operation(&data.op));
        if !data.args.is_empty() {
            let _ = write!(s, " {}", self.values(&data.args));
        }
        if let Some(state) = data.state {
            let _ = write!(s, " {}", self.state(state));
        }
        let _ = write!(s, "  ; {}@{}", data.origin.0, data.origin.1);
        s
    }

    fn terminator(&mut self, t: &Terminator) -> String {
        match t {
            Terminator::None => "none".into(),
            Terminator::Jump(e) => format!("jump {}", self.edge(e)),
            Terminator::Branch { cond, then, other, probability } => {
                format!("branch {}, {}, {}, {probability}", self.value(*cond), self.edge(then), self.edge(other))
            }
            Terminator::Switch { key, cases, default } => {
                let mut s = format!("switch {}", self.value(*key));
                for (k, e) in cases {
                    let _ = write!(s, ", {k}: {}", self.edge(e));
                }
                let _ = write!(s, ", default: {}", self.edge(default));
                s
            }
            Terminator::Return(None) => "return".into(),
            Terminator::Return(Some(v)) => format!("return {}", self.value(*v)),
            Terminator::Throw(v) => format!("throw {}", self.value(*v)),
            Terminator::Deopt { reason, action, state } => format!("deopt {reason} {action} {}", self.state(*state)),
            Terminator::Try(a, b) => format!("try {}, {}", self.edge(a), self.edge(b)),
            Terminator::Unreachable => "unreachable".into(),
        }
    }

    fn state(&mut self, state: State) -> String {
        let number = match (&self.numbers, self.states.get(&state)) {
            (_, Some(n)) => return format!("[s{n}]"),
            (Some(_), None) => self.states.len(),
            (None, None) => state.index(),
        };
        self.states.insert(state, number);
        let f = self.f;
        let d = &f.states[state];
        let mut s = format!("[s{number} {}@{}", d.method, d.bci);
        s.push_str(match d.resume {
            Resume::Execute => "",
            Resume::AfterCall => " after",
            Resume::MethodEntry => " entry",
        });
        let _ = write!(s, " locals({}) stack({})", self.slots(&d.locals), self.slots(&d.stack));
        if !d.monitors.is_empty() {
            let m: Vec<String> = d
                .monitors
                .iter()
                .map(|m| format!("{}{}", self.slot(&m.object), if m.elided { " elided" } else { "" }))
                .collect();
            let _ = write!(s, " monitors({})", m.join(", "));
        }
        for (i, o) in d.virtuals.iter().enumerate() {
            let boxed = if o.boxed { "boxed " } else { "" };
            let _ = write!(s, " o{i} = {boxed}{} length {} locks {} (", class_name(o.class), o.length, o.locks);
            let fields: Vec<String> =
                o.fields.iter().map(|(offset, mem, slot)| format!("{mem} {offset}: {}", self.slot(slot))).collect();
            let _ = write!(s, "{})", fields.join(", "));
        }
        if let Some(p) = d.parent {
            let _ = write!(s, " parent {}", self.state(p));
        }
        s.push(']');
        s
    }

    fn slots(&self, slots: &[Slot]) -> String {
        slots.iter().map(|s| self.slot(s)).collect::<Vec<_>>().join(", ")
    }

    fn slot(&self, s: &Slot) -> String {
        match s {
            Slot::Dead => "_".into(),
            Slot::Value(v) => self.value(*v),
            Slot::Virtual(o) => o.to_string(),
        }
    }
}

fn facts(r: &RefFacts, boxed: Option<String>) -> String {
    let mut words = Vec::new();
    if let Some(c) = r.class {
        words.push(class_name(c));
    }
    if r.exact {
        words.push("exact".into());
    }
    if r.non_null {
        words.push("non_null".into());
    }
    words.extend(boxed);
    if words.is_empty() {
        String::new()
    } else {
        format!("<{}>", words.join(" "))
    }
}

/// `.order`, nothing for plain accesses.
fn order(o: Order) -> String {
    match o {
        Order::Plain => String::new(),
        o => format!(".{}", o.name()),
    }
}

/// The operation with its immediates, as the textual form has it.
pub fn operation(op: &Op) -> String {
    match op {
        Op::Const(c) => format!("const {c}"),
        Op::FConst(bits) => format!("fconst {bits:#x}"),
        Op::Null => "null".into(),
        Op::Object(slot) => format!("object {slot:#x}"),
        Op::Mirror(c) => format!("mirror {}", class_name(c)),
        Op::OsrLocal(i) => format!("osr_local {i}"),
        Op::TakeException => "take_exception".into(),
        Op::CurrentThread => "current_thread".into(),
        Op::Binary(b) => b.name().into(),
        Op::Unary(u) => u.name().into(),
        Op::Convert(c) => c.name().into(),
        Op::Compare(c) => format!("compare.{c}"),
        Op::FCompare(c, nan) => format!("fcompare.{c}{}", if *nan { ".nan" } else { "" }),
        Op::Compare3 => "compare3".into(),
        Op::FCompare3(nan) => format!("fcompare3 {nan}"),
        Op::Select => "select".into(),
        Op::NullCheck => "null_check".into(),
        Op::BoundsCheck => "bounds_check".into(),
        Op::DivZeroCheck => "div_zero_check".into(),
        Op::CheckCast(c) => format!("check_cast {}", class_name(c)),
        Op::ExactClass(c, reason, action) => format!("exact_class {} {reason} {action}", class_name(c)),
        Op::StoreCheck => "store_check".into(),
        Op::Guard(reason, action) => format!("guard {reason} {action}"),
        Op::InstanceOf(c) => format!("instance_of {}", class_name(c)),
        Op::LoadClass => "load_class".into(),
        Op::IsSubclass => "is_subclass".into(),
        Op::Load(mem, offset, o) => format!("load.{mem}{} {offset}", order(*o)),
        Op::Store(mem, offset, o) => format!("store.{mem}{} {offset}", order(*o)),
        Op::LoadElement(mem) => format!("load_element.{mem}"),
        Op::StoreElement(mem) => format!("store_element.{mem}"),
        Op::ArrayLength => "array_length".into(),
        Op::LoadUnsafe(mem, o) => format!("load_unsafe.{mem}{}", order(*o)),
        Op::StoreUnsafe(mem, o) => format!("store_unsafe.{mem}{}", order(*o)),
        Op::CompareExchange(mem) => format!("compare_exchange.{mem}"),
        Op::Rmw(r, mem) => format!("rmw_{}.{mem}", r.name()),
        Op::LoadRaw(mem, offset) => format!("load_raw.{mem} {offset}"),
        Op::StoreRaw(mem, offset) => format!("store_raw.{mem} {offset}"),
        Op::Fence(k) => format!("fence.{}", k.name()),
        Op::NewInstance(c) => format!("new_instance {}", class_name(c)),
        Op::NewArray(c) => format!("new_array {}", class_name(c)),
        Op::Call(t) => {
            let kind = match t {
                Target::Direct(_) => "direct",
                Target::Virtual(_) => "virtual",
                Target::Interface(_) => "interface",
                Target::MethodHandle(_) => "method_handle",
            };
            format!("call.{kind} {}", method_name(t.method()))
        }
        Op::CallRuntime(r) => format!("call_runtime.{}", r.name()),
        Op::Safepoint => "safepoint".into(),
        Op::LoopEntry => "loop_entry".into(),
        Op::Count(cell) => format!("count {cell:#x}"),
        Op::ProfileType(cell) => format!("profile_type {cell:#x}"),
        Op::CountAndNotify { cell, mask, method, bci } => {
            format!("count_and_notify {cell:#x} {mask} {} {bci}", method_name(method))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Action, Binary, Cond, FrameState, Mem, MethodName, Reason, Type};
    use super::*;

    /// Two blocks with a state each, and a hole in the numbering of values.
    fn sample() -> Function {
        let mut f = Function::new("A.f(ILjava/lang/Object;)I".into(), &[Type::I32, Type::Ref], Some(Type::I32));
        let m = f.methods.push(MethodName { method: None, name: "A.f(ILjava/lang/Object;)I".into() });
        let (x, o) = (f.blocks[f.entry].params[0], f.blocks[f.entry].params[1]);
        let state = f.states.push(FrameState {
            parent: None,
            method: m,
            bci: 3,
            resume: Resume::Execute,
            locals: vec![Slot::Value(x), Slot::Dead],
            stack: vec![Slot::Value(o)],
            monitors: vec![],
            virtuals: vec![],
        });
        let entry = f.entry;
        f.make_inst(Op::Null, vec![], Some(Type::Ref), None, (m, 0));
        let o = f.append(entry, Op::NullCheck, vec![o], Some(Type::Ref), Some(state), (m, 3)).unwrap();
        let n = f.append(entry, Op::Load(Mem::I32, 8, Order::Volatile), vec![o], Some(Type::I32), None, (m, 3));
        let c = f.append(entry, Op::Compare(Cond::Lt), vec![x, n.unwrap()], Some(Type::I32), None, (m, 6)).unwrap();
        let exit = f.new_block();
        let p = f.add_param(exit, Type::I32);
        let trap = f.new_block();
        f.blocks[trap].term =
            Terminator::Deopt { reason: Reason::UnstableIf, action: Action::Reinterpret, state };
        f.blocks[trap].frequency = 0.25;
        f.blocks[entry].term = Terminator::Branch {
            cond: c,
            then: Edge::new(exit, vec![x]),
            other: Edge::new(trap, vec![]),
            probability: 49152,
        };
        let r = f.append(exit, Op::Binary(Binary::Add), vec![p, x], Some(Type::I32), None, (m, 9));
        f.blocks[exit].term = Terminator::Return(r);
        f
    }

    #[test]
    fn everything_is_written_out_once() {
        let expected = "\
function \"A.f(ILjava/lang/Object;)I\" -> i32 {
m0 = \"A.f(ILjava/lang/Object;)I\"
b0(v0: i32, v1: ref):
  v2: ref = null_check v1 [s0 m0@3 locals(v0, _) stack(v1)]  ; m0@3
  v3: i32 = load.i32.volatile 8 v2  ; m0@3
  v4: i32 = compare.lt v0, v3  ; m0@6
  branch v4, b2(v0), b1(), 49152
b1(), frequency 0.25:
  deopt unstable_if reinterpret [s0]
b2(v5: i32):
  v6: i32 = add v5, v0  ; m0@9
  return v6
}
";
        assert_eq!(canonical(&sample()), expected);
    }

    #[test]
    fn own_numbers_keep_their_holes() {
        let text = sample().to_string();
        assert!(text.contains("v3: ref = null_check v1"), "{text}");
    }
}
