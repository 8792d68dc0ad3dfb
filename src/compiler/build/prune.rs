//! Removal of block parameters that stand for one value only: construction makes one for every slot of every
//! merge.

use super::super::ir::{Block, Function, Terminator, Value, ValueDef};
use rustc_hash::FxHashMap;

/// Predecessors of a block, with the place of the edge among those of its terminator.
type Sources = FxHashMap<Block, Vec<(Block, usize)>>;

/// Replaces each parameter whose arguments are all one value (or itself) by that value, and each that has the
/// same arguments as another of its block by the other; removes them, and those that nothing uses.
/// `wanted`: values used besides.
pub fn prune(f: &mut Function, wanted: &[Value]) {
    let order = f.reverse_postorder();
    // Where the arguments of each block's parameters come from: (predecessor, edge).
    let mut sources = Sources::default();
    for &b in &order {
        for (k, e) in f.blocks[b].term.edges().iter().enumerate() {
            sources.entry(e.block).or_default().push((b, k));
        }
    }
    let merges: Vec<Block> =
        order.iter().copied().filter(|&b| b != f.entry && !f.blocks[b].params.is_empty()).collect();
    remove_unused(f, &order, &sources, &merges, wanted);
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

/// Removes parameters that only parameters use which are not used themselves.
fn remove_unused(f: &mut Function, order: &[Block], sources: &Sources, merges: &[Block], wanted: &[Value]) {
    let mut used = vec![false; f.values.len()];
    let mut todo = Vec::new();
    let mut states = Vec::new();
    let mut mark = |v: Value, todo: &mut Vec<Value>| {
        if !std::mem::replace(&mut used[v.as_u32() as usize], true) {
            todo.push(v)
        }
    };
    wanted.iter().for_each(|&v| mark(v, &mut todo));
    for &b in order {
        let data = &f.blocks[b];
        for &i in &data.insts {
            f.insts[i].args.iter().for_each(|&v| mark(v, &mut todo));
            states.extend(f.insts[i].state);
        }
        let mut term = data.term.clone();
        if let Terminator::Deopt { state, .. } = &term {
            states.push(*state);
        }
        term.edges_mut().iter_mut().for_each(|e| e.args.clear());
        term.for_each_use(|v| mark(*v, &mut todo));
    }
    let mut seen = vec![false; f.states.len()];
    while let Some(s) = states.pop() {
        if !std::mem::replace(&mut seen[s.as_u32() as usize], true) {
            f.states[s].uses().into_iter().for_each(|v| mark(v, &mut todo));
            states.extend(f.states[s].parent);
        }
    }
    while let Some(v) = todo.pop() {
        if let ValueDef::Param(b, k) = f.values[v].def {
            for &(from, e) in sources.get(&b).map_or(&[][..], |s| s) {
                mark(f.blocks[from].term.edges()[e].args[k as usize], &mut todo);
            }
        }
    }
    for &b in merges {
        let keep: Vec<bool> = f.blocks[b].params.iter().map(|p| used[p.as_u32() as usize]).collect();
        drop_params(f, b, &sources[&b], &keep);
    }
}

/// Removes the parameters that are not to be kept, with their arguments.
fn drop_params(f: &mut Function, b: Block, sources: &[(Block, usize)], keep: &[bool]) {
    if keep.iter().all(|&k| k) {
        return;
    }
    let mut kept = keep.iter();
    f.blocks[b].params.retain(|_| *kept.next().unwrap_or(&true));
    for (i, p) in f.blocks[b].params.clone().into_iter().enumerate() {
        f.values[p].def = ValueDef::Param(b, i as u32);
    }
    for &(from, k) in sources {
        let mut kept = keep.iter();
        f.blocks[from].term.edges_mut()[k].args.retain(|_| *kept.next().unwrap_or(&true));
    }
}

fn prune_block(f: &mut Function, b: Block, sources: &[(Block, usize)]) -> bool {
    let params = f.blocks[b].params.clone();
    let table: Vec<Vec<Value>> =
        sources.iter().map(|&(from, k)| f.blocks[from].term.edges()[k].args.clone()).collect();
    let mut keep = vec![true; params.len()];
    let mut same: FxHashMap<Vec<Value>, Value> = FxHashMap::default();
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
    drop_params(f, b, sources, &keep);
    keep.contains(&false)
}

#[cfg(test)]
mod tests {
    use super::super::super::ir::{verify, Binary, Edge, MethodName, Op, Type};
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
        prune(&mut f, &[]);
        assert_eq!(f.blocks[header].params, [x]);
        assert_eq!(f.blocks[exit].term, Terminator::Return(Some(a)));
        assert_eq!(verify::verify(&f), Vec::<String>::new());
    }

    #[test]
    fn parameters_that_only_feed_themselves_go() {
        let mut f = Function::new("f".into(), &[Type::I32, Type::I32], None);
        let (entry, a, c) = (f.entry, f.blocks[f.entry].params[0], f.blocks[f.entry].params[1]);
        let [header, body, exit] = [(); 3].map(|()| f.new_block());
        let p = f.add_param(header, Type::I32);
        f.blocks[entry].term = Terminator::Jump(Edge::new(header, vec![a]));
        f.blocks[header].term = Terminator::Branch {
            cond: c,
            then: Edge::new(body, vec![]),
            other: Edge::new(exit, vec![]),
            probability: 1 << 15,
        };
        // Not the same value on both edges, and nobody looks at it.
        f.blocks[body].term = Terminator::Jump(Edge::new(header, vec![c]));
        f.blocks[exit].term = Terminator::Return(None);
        let mut kept = f.clone();
        prune(&mut f, &[]);
        assert_eq!(f.blocks[header].params, []);
        prune(&mut kept, &[p]);
        assert_eq!(kept.blocks[header].params, [p]);
    }

    #[test]
    fn parameters_with_equal_arguments_become_one() {
        let mut f = Function::new("f".into(), &[Type::I32, Type::I32], Some(Type::I32));
        let m = f.methods.push(MethodName { method: None, name: "f".into() });
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
        let sum = f.append(join, Op::Binary(Binary::Add), vec![p, q], Some(Type::I32), None, (m, 0)).unwrap();
        f.blocks[join].term = Terminator::Return(Some(sum));
        prune(&mut f, &[]);
        assert_eq!(f.blocks[join].params, [p]);
        assert_eq!(f.def(sum).unwrap().args.iter().map(|&v| f.resolve(v)).collect::<Vec<_>>(), [p, p]);
    }
}
