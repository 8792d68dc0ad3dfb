//! Removal of block parameters that stand for one value only: construction makes one for every slot of every
//! merge.

use super::super::ir::{Block, Function, Value};
use std::collections::HashMap;

/// Replaces each parameter whose arguments are all one value (or itself) by that value, and each that has the
/// same arguments as another of its block by the other; removes them.
pub fn prune(f: &mut Function) {
    let order = f.reverse_postorder();
    // Where the arguments of each block's parameters come from: (predecessor, edge).
    let mut sources: HashMap<Block, Vec<(Block, usize)>> = HashMap::new();
    for &b in &order {
        for (k, e) in f.blocks[b].term.edges().iter().enumerate() {
            sources.entry(e.block).or_default().push((b, k));
        }
    }
    let merges: Vec<Block> =
        order.iter().copied().filter(|&b| b != f.entry && !f.blocks[b].params.is_empty()).collect();
    loop {
        let mut changed = false;
        for &b in &merges {
            changed |= prune_block(f, b, &sources[&b]);
        }
        if !changed {
            break;
        }
    }
    f.resolve_aliases();
}

fn prune_block(f: &mut Function, b: Block, sources: &[(Block, usize)]) -> bool {
    let params = f.blocks[b].params.clone();
    let table: Vec<Vec<Value>> =
        sources.iter().map(|&(from, k)| f.blocks[from].term.edges()[k].args.clone()).collect();
    let mut keep = vec![true; params.len()];
    let mut same: HashMap<Vec<Value>, Value> = HashMap::new();
    for (i, &p) in params.iter().enumerate() {
        let args: Vec<Value> = table.iter().map(|row| f.resolve(row[i])).collect();
        let mut others = args.iter().copied().filter(|&a| a != p);
        let first = others.next();
        let stands_for = match first {
            Some(v) if others.all(|a| a == v) => Some(v),
            _ => same.get(&args).copied(),
        };
        match stands_for {
            Some(v) => {
                f.replace(p, v);
                keep[i] = false;
            }
            None => {
                same.insert(args, p);
            }
        }
    }
    if keep.iter().all(|&k| k) {
        return false;
    }
    let mut kept = keep.iter();
    f.blocks[b].params.retain(|_| *kept.next().unwrap_or(&true));
    for (i, p) in f.blocks[b].params.clone().into_iter().enumerate() {
        f.values[p].def = super::super::ir::ValueDef::Param(b, i as u32);
    }
    for &(from, k) in sources {
        let mut kept = keep.iter();
        f.blocks[from].term.edges_mut()[k].args.retain(|_| *kept.next().unwrap_or(&true));
    }
    true
}

#[cfg(test)]
mod tests {
    use super::super::super::ir::{verify, Binary, Edge, MethodName, Op, Terminator, Type};
    use super::*;

    /// entry(a, c) -> header(p = a, q = a, x = c); header -> body | exit; body: y = x + x, back with p, q, y.
    #[test]
    fn loop_invariants_are_no_parameters() {
        let mut f = Function::new("f".into(), &[Type::I32, Type::I32], Some(Type::I32));
        let m = f.methods.push(MethodName { method: None, name: "f".into() });
        let (entry, a, c) = (f.entry, f.blocks[f.entry].params[0], f.blocks[f.entry].params[1]);
        let [header, body, exit] = [(); 3].map(|()| f.new_block());
        let [p, q, x] = [(); 3].map(|()| f.add_param(header, Type::I32));
        f.blocks[entry].term = Terminator::Jump(Edge::new(header, vec![a, a, c]));
        f.blocks[header].term = Terminator::Branch {
            cond: p,
            then: Edge::new(body, vec![]),
            other: Edge::new(exit, vec![]),
            probability: 1 << 15,
        };
        let y = f.append(body, Op::Binary(Binary::Add), vec![x, x], Some(Type::I32), None, (m, 0)).unwrap();
        f.blocks[body].term = Terminator::Jump(Edge::new(header, vec![p, q, y]));
        f.blocks[exit].term = Terminator::Return(Some(q));
        prune(&mut f);
        assert_eq!(f.blocks[header].params, [x]);
        assert_eq!(f.blocks[exit].term, Terminator::Return(Some(a)));
        assert_eq!(verify::verify(&f), Vec::<String>::new());
    }

    #[test]
    fn parameters_with_equal_arguments_become_one() {
        let mut f = Function::new("f".into(), &[Type::I32, Type::I32], Some(Type::I32));
        let (entry, a, c) = (f.entry, f.blocks[f.entry].params[0], f.blocks[f.entry].params[1]);
        let [left, right, join] = [(); 3].map(|()| f.new_block());
        f.blocks[entry].term = Terminator::Branch {
            cond: a,
            then: Edge::new(left, vec![]),
            other: Edge::new(right, vec![]),
            probability: 1 << 15,
        };
        let p = f.add_param(join, Type::I32);
        let q = f.add_param(join, Type::I32);
        f.blocks[left].term = Terminator::Jump(Edge::new(join, vec![a, a]));
        f.blocks[right].term = Terminator::Jump(Edge::new(join, vec![c, c]));
        f.blocks[join].term = Terminator::Return(Some(q));
        prune(&mut f);
        assert_eq!(f.blocks[join].params, [p]);
        assert_eq!(f.blocks[join].term, Terminator::Return(Some(p)));
    }
}
