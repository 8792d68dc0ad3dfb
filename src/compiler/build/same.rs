//! Whether two values are one reference: what `monitorexit` unlocks must be what was locked last. A check in
//! between (a cast of the locked object on one way, say) gives a reference a new value.

use crate::compiler::ir::dominators::Dominators;
use crate::compiler::ir::{Block, Function, Op, Value, ValueDef};

/// What `v` was before it was checked.
fn unchecked(f: &Function, v: Value) -> Value {
    let mut v = f.resolve(v);
    while let ValueDef::Result(i) = f.values[v].def {
        if !matches!(f.insts[i].op, Op::NullCheck | Op::CheckCast(_) | Op::ExactClass(..)) {
            break;
        }
        v = f.resolve(f.insts[i].args[0]);
    }
    v
}

/// Whether `x` is always the reference that `y` is.
///
/// A parameter is one if all its arguments are, and its block is strictly dominated by what `y` comes from: then
/// it cannot hold the value of an earlier time round a loop.
pub fn is_same(f: &Function, x: Value, y: Value) -> bool {
    let (x, y) = (unchecked(f, x), unchecked(f, y));
    if x == y {
        return true;
    }
    let dominators = Dominators::new(f);
    let made_in = match f.values[y].def {
        ValueDef::Param(b, _) => Some(b),
        ValueDef::Result(i) => f.blocks.keys().find(|&b| f.blocks[b].insts.contains(&i)),
        ValueDef::Alias(_) => None,
    };
    let Some(made_in) = made_in else { return false };
    let (mut seen, mut open) = (vec![x], vec![x]);
    while let Some(v) = open.pop() {
        let ValueDef::Param(b, n) = f.values[v].def else { return false };
        if b == made_in || !dominators.dominates(made_in, b) {
            return false;
        }
        for a in arguments(f, b, n as usize) {
            let a = unchecked(f, a);
            if a != y && !seen.contains(&a) {
                seen.push(a);
                open.push(a);
            }
        }
    }
    true
}

/// The arguments for parameter `n` of `b`.
fn arguments(f: &Function, b: Block, n: usize) -> Vec<Value> {
    let reached = f.reverse_postorder();
    let edges = reached.iter().flat_map(|&p| f.blocks[p].term.edges());
    edges.filter(|e| e.block == b).map(|e| e.args[n]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compiler::ir::{Edge, MethodIx, Terminator, Type};

    /// A diamond: on one way the object is checked again.
    fn diamond(back: bool) -> (Function, Value, Value) {
        let mut f = Function::new("t".into(), &[Type::Ref, Type::I32], None);
        let (object, cond) = (f.blocks[f.entry].params[0], f.blocks[f.entry].params[1]);
        let (inner, one, two, join) = (f.new_block(), f.new_block(), f.new_block(), f.new_block());
        let looped = f.add_param(inner, Type::Ref);
        let met = f.add_param(join, Type::Ref);
        f.blocks[f.entry].term = Terminator::Jump(Edge::new(inner, vec![object]));
        let branch = |then, other| Terminator::Branch {
            cond,
            then: Edge::new(then, vec![]),
            other: Edge::new(other, vec![]),
            probability: 1 << 15,
        };
        f.blocks[inner].term = branch(one, two);
        let state = f.states.push(crate::compiler::ir::FrameState {
            parent: None,
            method: MethodIx::from_u32(0),
            bci: 0,
            resume: crate::compiler::ir::Resume::Execute,
            locals: vec![],
            stack: vec![],
            monitors: vec![],
            virtuals: vec![],
        });
        let origin = (MethodIx::from_u32(0), 0);
        let checked = f.append(one, Op::NullCheck, vec![looped], Some(Type::Ref), Some(state), origin).unwrap();
        f.blocks[one].term = Terminator::Jump(Edge::new(join, vec![checked]));
        f.blocks[two].term = Terminator::Jump(Edge::new(join, vec![looped]));
        f.blocks[join].term = if back {
            Terminator::Jump(Edge::new(inner, vec![met]))
        } else {
            Terminator::Return(None)
        };
        (f, looped, met)
    }

    #[test]
    fn checks_and_merges_do_not_change_a_reference() {
        let (f, locked, met) = diamond(false);
        assert!(is_same(&f, met, locked));
        assert!(!is_same(&f, f.blocks[f.entry].params[1], locked));
    }

    #[test]
    fn what_went_round_a_loop_may_be_another() {
        let (f, locked, met) = diamond(true);
        // In this loop it is the same all the same, but only by what the loop carries.
        assert!(is_same(&f, met, locked));
        assert!(!is_same(&f, locked, met));
    }
}
