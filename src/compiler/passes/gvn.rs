//! Global value numbering over the dominator tree: an operation that depends on its arguments alone and has
//! been computed on every path here is not computed again. Checks count: the dominating one has succeeded.

use crate::compiler::ir::dominators::Dominators;
use crate::compiler::ir::{Binary, Block, Cond, Function, Op, Type, Value};
use rustc_hash::FxHashMap;

type Key = (Op, Vec<Value>, Option<Type>);

pub fn run(f: &mut Function) -> bool {
    f.resolve_aliases();
    let dom = Dominators::new(f);
    let mut children: Vec<Vec<Block>> = vec![vec![]; dom.order.len()];
    for &b in &dom.order[1..] {
        if let Some(d) = dom.immediate(b) {
            children[dom.place(d)].push(b);
        }
    }
    let mut table: FxHashMap<Key, Option<Value>> = FxHashMap::default();
    let mut changed = false;
    // Enter a block, or leave it and forget what it added.
    enum Step {
        Enter(Block),
        Leave(Vec<Key>),
    }
    let mut work = vec![Step::Enter(f.entry)];
    while let Some(step) = work.pop() {
        match step {
            Step::Leave(keys) => keys.iter().for_each(|k| {
                table.remove(k);
            }),
            Step::Enter(b) => {
                let mut added = Vec::new();
                let insts = std::mem::take(&mut f.blocks[b].insts);
                let mut kept = Vec::with_capacity(insts.len());
                for i in insts {
                    for n in 0..f.insts[i].args.len() {
                        f.insts[i].args[n] = f.resolve(f.insts[i].args[n]);
                    }
                    let data = &f.insts[i];
                    if !data.op.is_pure() {
                        kept.push(i);
                        continue;
                    }
                    let key = key(f, i);
                    match table.get(&key) {
                        Some(&earlier) => {
                            if let (Some(v), Some(e)) = (f.insts[i].result, earlier) {
                                f.replace(v, e);
                            }
                            changed = true;
                        }
                        None => {
                            table.insert(key.clone(), f.insts[i].result);
                            added.push(key);
                            kept.push(i);
                        }
                    }
                }
                f.blocks[b].insts = kept;
                work.push(Step::Leave(added));
                work.extend(children[dom.place(b)].iter().map(|&c| Step::Enter(c)));
            }
        }
    }
    f.resolve_aliases();
    changed
}

fn key(f: &Function, i: crate::compiler::ir::Inst) -> Key {
    let d = &f.insts[i];
    let mut args = d.args.clone();
    let commutes = matches!(
        d.op,
        Op::Binary(
            Binary::Add | Binary::Mul | Binary::And | Binary::Or | Binary::Xor | Binary::MulHigh | Binary::UMulHigh
        ) | Op::Compare(Cond::Eq | Cond::Ne)
    );
    // Floating-point sums and products commute too, but for the bits of a NaN that is one of two.
    let float = args.first().is_some_and(|&a| f.ty(a).is_float());
    if commutes && !float {
        args.sort_unstable();
    }
    (d.op.clone(), args, d.result.map(|r| f.ty(r)))
}
