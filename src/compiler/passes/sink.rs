//! Sinking: what nothing but a block that leaves compiled code needs is computed there, not on the way past it.
//!
//! Where a branch never taken has become an exit, the operands of the bytecode that the interpreter will execute
//! again are often needed for nothing else: three-way comparisons, or what was on the stack.

use crate::compiler::ir::{Block, Function, Inst, Op, State, Terminator, Value};
use cranelift_entity::SecondaryMap;

/// Where a value is read.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
enum Place {
    #[default]
    Nowhere,
    In(Block),
    InSeveral,
}

impl Place {
    fn add(&mut self, b: Block) {
        *self = match *self {
            Place::Nowhere => Place::In(b),
            Place::In(at) if at == b => Place::In(b),
            _ => Place::InSeveral,
        }
    }
}

pub fn run(f: &mut Function) -> bool {
    f.resolve_aliases();
    let order = f.reverse_postorder();
    let mut places: SecondaryMap<Value, Place> = SecondaryMap::with_capacity(f.values.len());
    for &b in &order {
        f.blocks[b].term.clone().for_each_use(|v| places[*v].add(b));
        if let Terminator::Deopt { state, .. } = f.blocks[b].term {
            state_is_in(f, state, b, &mut places);
        }
    }
    // What has been moved to each block, last first.
    let mut moved: SecondaryMap<Block, Vec<Inst>> = SecondaryMap::with_capacity(f.blocks.len());
    // Uses before definitions: where the operands of what has been moved are read is known in time.
    for &b in order.iter().rev() {
        let mut kept = Vec::new();
        for i in std::mem::take(&mut f.blocks[b].insts).into_iter().rev() {
            let home = match f.insts[i].result.map(|r| places[r]) {
                Some(Place::In(to)) if to != b && is_exit(f, to) && may_move(f, i) => to,
                _ => b,
            };
            for n in 0..f.insts[i].args.len() {
                places[f.insts[i].args[n]].add(home);
            }
            if let Some(state) = f.insts[i].state {
                state_is_in(f, state, home, &mut places);
            }
            if home == b { &mut kept } else { &mut moved[home] }.push(i);
        }
        kept.reverse();
        f.blocks[b].insts = kept;
    }
    let mut changed = false;
    for &b in &order {
        let insts = &mut f.blocks[b].insts;
        // A handler starts with taking the exception.
        let at = usize::from(insts.first().is_some_and(|&i| f.insts[i].op == Op::TakeException));
        changed |= !moved[b].is_empty();
        insts.splice(at..at, moved[b].drain(..).rev());
    }
    changed
}

/// The state and its callers' are read in `b`.
fn state_is_in(f: &Function, state: State, b: Block, places: &mut SecondaryMap<Value, Place>) {
    let mut at = Some(state);
    while let Some(s) = at {
        f.states[s].uses().into_iter().for_each(|v| places[v].add(b));
        at = f.states[s].parent;
    }
}

/// Executed at most once for each run of the function.
fn is_exit(f: &Function, b: Block) -> bool {
    matches!(f.blocks[b].term, Terminator::Deopt { .. } | Terminator::Throw(_) | Terminator::Unreachable)
}

fn may_move(f: &Function, i: Inst) -> bool {
    match f.insts[i].op {
        // Made where they are used anyway.
        Op::Const(_) | Op::FConst(_) | Op::Null | Op::Object(_) | Op::Mirror(_) => false,
        ref op => op.is_pure() && !op.is_check(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compiler::ir::*;

    #[test]
    fn what_only_an_exit_reads_is_computed_there() {
        let mut f = Function::new("test".into(), &[Type::F64, Type::F64], Some(Type::I32));
        let method = f.methods.push(MethodName { method: None, name: "test".into() });
        let origin = (method, 0);
        let (entry, exit, end) = (f.entry, f.new_block(), f.new_block());
        let (x, y) = (f.blocks[entry].params[0], f.blocks[entry].params[1]);
        let op = |f: &mut Function, op, args, ty| f.append(entry, op, args, Some(ty), None, origin).expect("a result");
        let sum = op(&mut f, Op::Binary(Binary::Add), vec![x, y], Type::F64);
        let both = op(&mut f, Op::Binary(Binary::Mul), vec![x, y], Type::F64);
        let order = op(&mut f, Op::FCompare3(-1), vec![sum, y], Type::I32);
        let cond = op(&mut f, Op::FCompare(Cond::Lt, false), vec![both, y], Type::I32);
        let state = f.states.push(FrameState {
            parent: None,
            method,
            bci: 0,
            resume: Resume::Execute,
            locals: vec![Slot::Value(both)],
            stack: vec![Slot::Value(order)],
            monitors: vec![],
            virtuals: vec![],
        });
        f.blocks[entry].term = Terminator::Branch { cond, then: Edge::new(exit, vec![]), other: Edge::new(end, vec![]), probability: 0 };
        f.blocks[exit].term = Terminator::Deopt { reason: Reason::UnstableIf, action: Action::Reinterpret, state };
        f.blocks[end].term = Terminator::Return(Some(cond));
        assert!(run(&mut f));
        let made = |f: &Function, b: Block| f.blocks[b].insts.iter().map(|&i| f.insts[i].result).collect::<Vec<_>>();
        assert_eq!(made(&f, entry), [Some(both), Some(cond)], "what the branch needs stays");
        assert_eq!(made(&f, exit), [Some(sum), Some(order)], "in order");
        assert!(!run(&mut f));
    }
}
