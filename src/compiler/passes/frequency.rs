//! How often blocks run, relative to the entry, from the probabilities of branches.
//!
//! Each block runs as often as its predecessors lead to it; a loop's header as often as it is entered, times the
//! number of iterations that its branches make likely. Inner loops are worked out before outer ones.

use super::loops::{self, Loop};
use crate::compiler::ir::dominators::Dominators;
use crate::compiler::ir::{Block, Function, Terminator};
use cranelift_entity::SecondaryMap;

/// Iterations that a loop is taken to have at most.
const MOST_ITERATIONS: f32 = 1000.0;
/// How likely an exceptional edge is.
const EXCEPTION: f32 = 1.0 / 65536.0;

/// Sets the frequency of every reachable block.
pub fn run(f: &mut Function) -> bool {
    let dom = Dominators::new(f);
    let loops = loops::find(f, &dom);
    let mut iterations: SecondaryMap<Block, f32> = SecondaryMap::with_default(1.0);
    // Inner ones first.
    for l in loops.iter().rev() {
        let inside = propagate(f, &dom, l.header, Some(l), &iterations);
        let again: f32 = l.back.iter().map(|&b| inside[b] * share(f, b, l.header)).sum();
        iterations[l.header] = 1.0 / (1.0 - again).max(1.0 / MOST_ITERATIONS);
    }
    let all = propagate(f, &dom, f.entry, None, &iterations);
    let mut changed = false;
    for &b in &dom.order {
        changed |= f.blocks[b].frequency != all[b];
        f.blocks[b].frequency = all[b];
    }
    changed
}

/// Frequencies relative to `start`, of all blocks or of a loop's; back-edges count as the headers' iterations.
/// (Within its own loop a header runs once.)
fn propagate(
    f: &Function,
    dom: &Dominators,
    start: Block,
    within: Option<&Loop>,
    iterations: &SecondaryMap<Block, f32>,
) -> SecondaryMap<Block, f32> {
    let mut inside: SecondaryMap<Block, bool> = SecondaryMap::with_default(within.is_none());
    if let Some(l) = within {
        l.body.iter().for_each(|&b| inside[b] = true);
    }
    let mut frequency: SecondaryMap<Block, f32> = SecondaryMap::with_capacity(f.blocks.len());
    frequency[start] = 1.0;
    for &b in &dom.order[dom.place(start)..] {
        if !inside[b] {
            continue;
        }
        if within.is_none_or(|l| l.header != b) {
            frequency[b] *= iterations[b];
        }
        let here = frequency[b];
        let mut seen: Vec<Block> = Vec::new();
        for e in f.blocks[b].term.edges() {
            if dom.place(e.block) > dom.place(b) && !seen.contains(&e.block) {
                seen.push(e.block);
                frequency[e.block] += here * share(f, b, e.block);
            }
        }
    }
    frequency
}

/// How likely it is that `b` leads to `to`.
fn share(f: &Function, b: Block, to: Block) -> f32 {
    let to_it = |e: &crate::compiler::ir::Edge, p: f32| if e.block == to { p } else { 0.0 };
    match &f.blocks[b].term {
        Terminator::Branch { then, other, probability, .. } => {
            let p = f32::from(*probability) / 65536.0;
            to_it(then, p) + to_it(other, 1.0 - p)
        }
        Terminator::Switch { cases, default, .. } => {
            let each = 1.0 / (cases.len() + 1) as f32;
            cases.iter().map(|c| to_it(&c.1, each)).sum::<f32>() + to_it(default, each)
        }
        Terminator::Try(normal, handler) => to_it(normal, 1.0 - EXCEPTION) + to_it(handler, EXCEPTION),
        Terminator::Jump(e) => to_it(e, 1.0),
        _ => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compiler::ir::{Edge, Type};

    /// A loop left once in four iterations, with a branch taken once in eight of them, and an inner loop that goes
    /// on every other time.
    #[test]
    fn loops_multiply_and_branches_divide() {
        let mut f = Function::new("f".into(), &[Type::I32], None);
        let cond = f.blocks[f.entry].params[0];
        let [header, rare, inner, exit] = [(); 4].map(|()| f.new_block());
        let branch = |a, b, probability| Terminator::Branch {
            cond,
            then: Edge::new(a, vec![]),
            other: Edge::new(b, vec![]),
            probability,
        };
        let entry = f.entry;
        f.blocks[entry].term = Terminator::Jump(Edge::new(header, vec![]));
        f.blocks[header].term = branch(rare, inner, 1 << 13);
        f.blocks[rare].term = Terminator::Jump(Edge::new(inner, vec![]));
        let latch = f.new_block();
        f.blocks[inner].term = branch(inner, latch, 1 << 15);
        f.blocks[latch].term = branch(header, exit, 3 << 14);
        f.blocks[exit].term = Terminator::Return(None);
        assert!(run(&mut f));
        let of = |b: Block| f.blocks[b].frequency;
        assert_eq!([entry, header, rare, inner, latch, exit].map(of), [1.0, 4.0, 0.5, 8.0, 4.0, 1.0]);
        assert!(!run(&mut f), "nothing has changed");
    }
}
