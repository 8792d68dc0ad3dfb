//! Loops of each form, and what is left of their range checks.

use super::*;
use crate::compiler::ir::{verify, Edge, FrameState, MethodName, Resume};

/// What a loop is made of.
struct Shape {
    start: fn(&mut Make) -> Value,
    limit: fn(&mut Make) -> Value,
    /// Goes on while this holds ...
    cond: Cond,
    /// ... tested after the body, on the stepped variable.
    at_end: bool,
    step: i64,
    index: fn(&mut Make, Value) -> Value,
    marked: bool,
}

const PLAIN: Shape = Shape {
    start: |m| m.int(0),
    limit: |m| m.length,
    cond: Cond::Lt,
    at_end: false,
    step: 1,
    index: |_, i| i,
    marked: true,
};

struct Make {
    f: Function,
    at: Block,
    n: Value,
    length: Value,
}

impl Make {
    fn op(&mut self, op: Op, args: &[Value]) -> Value {
        self.f.append(self.at, op, args.to_vec(), Some(Type::I32), None, (self.f.methods.keys().next().unwrap(), 0)).unwrap()
    }

    fn int(&mut self, c: i64) -> Value {
        self.op(Op::Const(c), &[])
    }

    fn plus(&mut self, v: Value, c: i64) -> Value {
        let c = self.int(c);
        self.op(Op::Binary(Binary::Add), &[v, c])
    }
}

/// Builds the loop, runs the pass; how many checks are left, and what is in the block before the loop after the
/// start and the limit.
fn run_on(s: Shape) -> (usize, Vec<String>) {
    // (array, n) -> i32
    let mut f = Function::new("f".into(), &[Type::Ref, Type::I32], Some(Type::I32));
    let method = f.methods.push(MethodName { method: None, name: "f".into() });
    let (array, n) = (f.blocks[f.entry].params[0], f.blocks[f.entry].params[1]);
    f.values[array].facts.non_null = true;
    let frame = |bci| FrameState {
        parent: None,
        method,
        bci,
        resume: Resume::Execute,
        locals: vec![],
        stack: vec![],
        monitors: vec![],
        virtuals: vec![],
    };
    let (before, inside) = (f.states.push(frame(1)), f.states.push(frame(2)));
    let entry = f.entry;
    let length = f.append(entry, Op::ArrayLength, vec![array], Some(Type::I32), None, (method, 0)).unwrap();
    let mut m = Make { f, at: entry, n, length };
    let (start, limit) = ((s.start)(&mut m), (s.limit)(&mut m));
    let made = m.f.blocks[entry].insts.len();
    if s.marked {
        m.f.append(entry, Op::LoopEntry, vec![], None, Some(before), (method, 1));
    }
    let [header, body, exit] = [(); 3].map(|()| m.f.new_block());
    let i = m.f.add_param(header, Type::I32);
    m.f.blocks[entry].term = Terminator::Jump(Edge::new(header, vec![start]));
    let branch = |cond, yes, no| Terminator::Branch { cond, then: yes, other: no, probability: 60_000 };
    m.at = header;
    if !s.at_end {
        let c = m.op(Op::Compare(s.cond), &[i, limit]);
        m.f.blocks[header].term = branch(c, Edge::new(body, vec![]), Edge::new(exit, vec![]));
    } else {
        m.f.blocks[header].term = Terminator::Jump(Edge::new(body, vec![]));
    }
    m.at = body;
    let index = (s.index)(&mut m, i);
    let checked = m.f.append(body, Op::BoundsCheck, vec![index, length], Some(Type::I32), Some(inside), (method, 2));
    m.op(Op::LoadElement(Mem::I32), &[array, checked.unwrap()]);
    let next = m.plus(i, s.step);
    m.f.blocks[body].term = if s.at_end {
        let c = m.op(Op::Compare(s.cond), &[next, limit]);
        branch(c, Edge::new(header, vec![next]), Edge::new(exit, vec![]))
    } else {
        Terminator::Jump(Edge::new(header, vec![next]))
    };
    m.f.blocks[exit].term = Terminator::Return(Some(i));
    let mut f = m.f;
    assert_eq!(verify::verify(&f), Vec::<String>::new());
    run(&mut f);
    assert_eq!(verify::verify(&f), Vec::<String>::new(), "{f}");
    let left = f.blocks[body].insts.iter().filter(|&&i| f.insts[i].op == Op::BoundsCheck).count();
    let text = f.to_string();
    let block = text.split("\nb1(").next().unwrap().lines().filter(|l| l.starts_with("  "));
    let lines = block.skip(made).map(|l| l.split("  ;").next().unwrap().trim().to_string());
    (left, lines.filter(|l| !l.starts_with("jump")).collect())
}

#[test]
fn what_can_be_shown_needs_no_guard() {
    // i < length, from 0 or 5
    assert_eq!(run_on(PLAIN), (0, vec![]));
    assert_eq!(run_on(Shape { marked: false, ..PLAIN }), (0, vec![]));
    assert_eq!(run_on(Shape { start: |m| m.int(5), marked: false, ..PLAIN }), (0, vec![]));
    // a[i - 1] from 1
    let previous = Shape { start: |m| m.int(1), index: |m, i| m.plus(i, -1), marked: false, ..PLAIN };
    assert_eq!(run_on(previous), (0, vec![]));
    // a[i + 1] while i < length - 1
    let next = Shape { limit: |m| m.plus(m.length, -1), index: |m, i| m.plus(i, 1), marked: false, ..PLAIN };
    assert_eq!(run_on(next), (0, vec![]));
    // from length - 1 down to 0
    let down = Shape { start: |m| m.plus(m.length, -1), limit: |m| m.int(0), cond: Cond::Ge, step: -1, marked: false, ..PLAIN };
    assert_eq!(run_on(down), (0, vec![]));
    // a[length - 1 - i]
    let back = Shape {
        index: |m, i| {
            let last = m.plus(m.length, -1);
            m.op(Op::Binary(Binary::Sub), &[last, i])
        },
        marked: false,
        ..PLAIN
    };
    assert_eq!(run_on(back), (0, vec![]));
    // i < min(n, length)
    let least = Shape { limit: |m| m.op(Op::Binary(Binary::Min), &[m.n, m.length]), marked: false, ..PLAIN };
    assert_eq!(run_on(least), (0, vec![]));
}

#[test]
fn what_cannot_be_shown_stays() {
    let stays = |s: Shape| assert_eq!(run_on(Shape { marked: false, ..s }), (1, vec![]));
    stays(Shape { limit: |m| m.n, ..PLAIN });
    stays(Shape { start: |m| m.n, ..PLAIN });
    stays(Shape { start: |m| m.int(-1), ..PLAIN });
    stays(Shape { cond: Cond::Le, ..PLAIN });
    stays(Shape { index: |m, i| m.plus(i, 1), ..PLAIN });
    stays(Shape { index: |m, i| m.plus(i, -1), ..PLAIN });
    // Steps of 2 may pass i32's end where the array is that long.
    stays(Shape { step: 2, ..PLAIN });
    // The test comes after the first access.
    stays(Shape { at_end: true, ..PLAIN });
    // Away from the limit.
    stays(Shape { step: -1, ..PLAIN });
    // A limit that may be overflown into: length - 1 is not length - 1 if that is computed from any i32.
    stays(Shape { limit: |m| m.plus(m.n, -1), ..PLAIN });
}

#[test]
fn guards_make_up_for_what_is_not_known() {
    let guarded = |s: Shape| {
        let (left, lines) = run_on(s);
        assert_eq!(left, 0, "{lines:?}");
        lines
    };
    let lines = guarded(Shape { limit: |m| m.n, ..PLAIN });
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[0].contains("compare.ge") && lines[0].ends_with("v2, v1"), "length >= n: {lines:?}");
    let lines = guarded(Shape { start: |m| m.n, ..PLAIN });
    assert_eq!(lines.len(), 3, "n >= 0: {lines:?}");
    // n up to length, inclusive: length - 1 >= n also keeps the step from overflowing
    let lines = guarded(Shape { limit: |m| m.n, cond: Cond::Le, ..PLAIN });
    assert!(lines.iter().filter(|l| l.starts_with("guard")).count() == 2, "{lines:?}");
    // Steps of 2 up to n.
    let lines = guarded(Shape { limit: |m| m.n, step: 2, ..PLAIN });
    assert!(lines.iter().filter(|l| l.starts_with("guard")).count() == 2, "{lines:?}");
    // a[i + 3], a[2 * i]
    let lines = guarded(Shape { limit: |m| m.n, index: |m, i| m.plus(i, 3), ..PLAIN });
    assert!(lines.iter().any(|l| l.contains("i32_to_i64")), "in 64 bits: {lines:?}");
    guarded(Shape {
        limit: |m| m.n,
        index: |m, i| {
            let two = m.int(2);
            m.op(Op::Binary(Binary::Mul), &[i, two])
        },
        ..PLAIN
    });
    // do ... while
    guarded(Shape { at_end: true, ..PLAIN });
    // i != n
    let lines = guarded(Shape { limit: |m| m.n, cond: Cond::Ne, ..PLAIN });
    assert!(lines.iter().filter(|l| l.starts_with("guard")).count() == 2, "{lines:?}");
    // down from n
    guarded(Shape { start: |m| m.n, limit: |m| m.int(0), cond: Cond::Ge, step: -1, ..PLAIN });
}

#[test]
fn what_always_fails_is_left_to_fail() {
    let (left, lines) = run_on(Shape { start: |m| m.int(-1), ..PLAIN });
    assert_eq!((left, lines.len()), (1, 0), "{lines:?}");
}
