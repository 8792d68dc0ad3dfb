//! The control-flow graph: branches on constants, parameters that always have the same value, blocks that
//! belong together.

use crate::compiler::ir::{Block, Edge, Function, Op, Terminator, Value};

pub fn run(f: &mut Function) -> bool {
    let mut changed = false;
    loop {
        f.resolve_aliases();
        let mut again = constant_branches(f);
        again |= skip_empty(f);
        again |= trivial_params(f);
        again |= merge(f);
        if !again {
            return changed;
        }
        changed = true;
    }
}

/// Removes the parameters of `b` for which `keep` is false, and their arguments on all edges; `preds` are its
/// predecessors.
pub fn drop_params(f: &mut Function, b: Block, keep: &[bool], preds: &[Block]) {
    let kept = |values: &[Value]| -> Vec<Value> {
        values.iter().zip(keep).filter(|(_, &k)| k).map(|(&v, _)| v).collect()
    };
    f.blocks[b].params = kept(&f.blocks[b].params);
    for (n, &p) in f.blocks[b].params.clone().iter().enumerate() {
        f.values[p].def = crate::compiler::ir::ValueDef::Param(b, n as u32);
    }
    let mut unique = preds.to_vec();
    unique.sort_unstable();
    unique.dedup();
    for p in unique {
        for e in f.blocks[p].term.edges_mut() {
            if e.block == b {
                e.args = kept(&e.args);
            }
        }
    }
}

fn constant_branches(f: &mut Function) -> bool {
    let mut changed = false;
    for b in f.reverse_postorder() {
        let next = match &f.blocks[b].term {
            Terminator::Branch { cond, then, other, .. } => match f.as_const(*cond) {
                Some(c) => Some(if c as i32 != 0 { then.clone() } else { other.clone() }),
                None if then == other => Some(then.clone()),
                None => None,
            },
            Terminator::Switch { key, cases, default } => f.as_const(*key).map(|k| {
                cases.iter().find(|c| i64::from(c.0) == k).map_or_else(|| default.clone(), |c| c.1.clone())
            }),
            _ => None,
        };
        if let Some(e) = next {
            f.blocks[b].term = Terminator::Jump(e);
            changed = true;
        }
    }
    changed
}

/// Edges to a block that does nothing but jump on lead to its target at once.
fn skip_empty(f: &mut Function) -> bool {
    let mut changed = false;
    for b in f.reverse_postorder() {
        let mut term = std::mem::replace(&mut f.blocks[b].term, Terminator::None);
        // A handler's block begins with TakeException, so the exceptional edge is never one of these.
        for e in term.edges_mut() {
            if let Some(to) = forwarded(f, e) {
                *e = to;
                changed = true;
            }
        }
        f.blocks[b].term = term;
    }
    changed
}

fn forwarded(f: &Function, e: &Edge) -> Option<Edge> {
    let block = &f.blocks[e.block];
    let Terminator::Jump(next) = &block.term else { return None };
    if !block.insts.is_empty() || next.block == e.block || e.block == f.entry {
        return None;
    }
    // With parameters the block is where values meet; the moves would have to be made anyway.
    block.params.is_empty().then(|| next.clone())
}

/// The value that `v` is, by way of checks of it.
fn unchecked(f: &Function, v: Value) -> Value {
    let mut v = f.resolve(v);
    while let Some(d) = f.def(v) {
        v = match d.op {
            Op::NullCheck | Op::CheckCast(_) | Op::ExactClass(..) | Op::BoundsCheck | Op::DivZeroCheck => {
                f.resolve(d.args[0])
            }
            _ => break,
        };
    }
    v
}

/// A parameter that is passed the same value (or itself) on every edge, checked or not, is that value.
fn trivial_params(f: &mut Function) -> bool {
    let mut changed = false;
    let preds = f.predecessors();
    for b in f.reverse_postorder() {
        if b == f.entry || f.blocks[b].params.is_empty() {
            continue;
        }
        let params = f.blocks[b].params.clone();
        let mut keep = vec![true; params.len()];
        for (n, &p) in params.iter().enumerate() {
            let mut args: Vec<Value> = Vec::new();
            for &from in &preds[b] {
                for e in f.blocks[from].term.edges().into_iter().filter(|e| e.block == b) {
                    let a = f.resolve(e.args[n]);
                    if a != p && !args.contains(&a) {
                        args.push(a);
                    }
                }
            }
            // A loop that checks a value goes round with the checked one, which is the same.
            let mut roots: Vec<Value> = args.iter().map(|&a| unchecked(f, a)).filter(|&a| a != p).collect();
            roots.sort_unstable();
            roots.dedup();
            let stands_for = match (&args[..], &roots[..]) {
                (&[v], _) => Some(v),
                (_, &[v]) if args.contains(&v) => Some(v),
                _ => None,
            };
            if let Some(v) = stands_for {
                f.replace(p, v);
                keep[n] = false;
            }
        }
        if keep.contains(&false) {
            drop_params(f, b, &keep, &preds[b]);
            changed = true;
        }
    }
    if changed {
        f.resolve_aliases();
    }
    changed
}

/// A block whose only predecessor only jumps to it becomes part of that.
fn merge(f: &mut Function) -> bool {
    let mut changed = false;
    let preds = f.predecessors();
    for b in f.reverse_postorder() {
        while let Terminator::Jump(e) = &f.blocks[b].term {
            let to = e.block;
            if to == b || to == f.entry || preds[to].len() != 1 {
                break;
            }
            let args = e.args.clone();
            for (p, a) in std::mem::take(&mut f.blocks[to].params).into_iter().zip(args) {
                f.replace(p, a);
            }
            let insts = std::mem::take(&mut f.blocks[to].insts);
            f.blocks[b].insts.extend(insts);
            f.blocks[b].term = std::mem::replace(&mut f.blocks[to].term, Terminator::Unreachable);
            changed = true;
        }
    }
    if changed {
        f.resolve_aliases();
    }
    changed
}
