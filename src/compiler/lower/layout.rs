//! The order of blocks: loops together, what is seldom executed last.

use crate::compiler::ir::{Block, Function};
use cranelift_entity::SecondaryMap;

/// The reachable blocks, each after its dominators, the entry first, and the headers of loops among them. A block is
/// followed by the successor deepest in loops, most frequent among equals; cold blocks come when nothing else is left.
pub(super) fn order(f: &Function, cold: impl Fn(Block) -> bool) -> (Vec<Block>, SecondaryMap<Block, bool>) {
    let rpo = f.reverse_postorder();
    let (depth, headers) = loop_depths(f, &rpo);
    let mut placed: SecondaryMap<Block, bool> = SecondaryMap::with_capacity(f.blocks.len());
    let mut order = Vec::with_capacity(rpo.len());
    // Blocks that a predecessor of has been placed, the latest last: those of inner loops before those behind.
    let (mut warm, mut late) = (vec![f.entry], Vec::new());
    while let Some(mut b) = warm.pop().or_else(|| late.pop()) {
        while !placed[b] {
            placed[b] = true;
            order.push(b);
            let mut next: Vec<Block> = Vec::new();
            for e in f.blocks[b].term.edges() {
                match placed[e.block] {
                    true => {}
                    false if cold(e.block) => late.push(e.block),
                    false => next.push(e.block),
                }
            }
            next.sort_by(|&x, &y| {
                let by = |b: Block| f.blocks[b].frequency;
                depth[x].cmp(&depth[y]).then(by(x).total_cmp(&by(y)))
            });
            let Some(best) = next.pop() else { break };
            warm.extend(next);
            b = best;
        }
    }
    (order, headers)
}

/// How many loops each block is in, and which ones are their headers.
fn loop_depths(f: &Function, rpo: &[Block]) -> (SecondaryMap<Block, u32>, SecondaryMap<Block, bool>) {
    let preds = f.predecessors();
    let mut place: SecondaryMap<Block, usize> = SecondaryMap::with_capacity(f.blocks.len());
    for (n, &b) in rpo.iter().enumerate() {
        place[b] = n;
    }
    let mut depth: SecondaryMap<Block, u32> = SecondaryMap::with_capacity(f.blocks.len());
    let mut headers: SecondaryMap<Block, bool> = SecondaryMap::with_capacity(f.blocks.len());
    for &header in rpo {
        let mut todo: Vec<Block> = preds[header].iter().copied().filter(|&p| place[p] >= place[header]).collect();
        if todo.is_empty() {
            continue;
        }
        headers[header] = true;
        let mut inside = vec![header];
        let mut seen: SecondaryMap<Block, bool> = SecondaryMap::with_capacity(f.blocks.len());
        seen[header] = true;
        while let Some(b) = todo.pop() {
            // In an irreducible loop there may be ways in from before the header: not followed.
            if !std::mem::replace(&mut seen[b], true) && place[b] > place[header] {
                inside.push(b);
                todo.extend(&preds[b]);
            }
        }
        for b in inside {
            depth[b] += 1;
        }
    }
    (depth, headers)
}
