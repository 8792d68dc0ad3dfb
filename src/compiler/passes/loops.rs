//! Natural loops, for the passes that work on them.

use crate::compiler::ir::dominators::Dominators;
use crate::compiler::ir::{Block, Function, Inst, Terminator, Value, ValueDef};
use cranelift_entity::SecondaryMap;

/// A natural loop. (Irreducible ones are none.)
pub struct Loop {
    pub header: Block,
    /// The block that enters it and does nothing else, if there is one.
    pub preheader: Option<Block>,
    /// Its blocks, the header first.
    pub body: Vec<Block>,
    /// The blocks in it that lead back to the header.
    pub back: Vec<Block>,
}

impl Loop {
    pub fn contains(&self, b: Block) -> bool {
        self.body.contains(&b)
    }
}

/// The loops, outer ones before those in them.
pub fn find(f: &Function, dom: &Dominators) -> Vec<Loop> {
    let preds = f.predecessors();
    let mut loops = Vec::new();
    for &header in &dom.order {
        let (mut back, enter): (Vec<Block>, Vec<Block>) =
            preds[header].iter().copied().partition(|&p| dom.dominates(header, p));
        if back.is_empty() {
            continue;
        }
        back.dedup();
        let preheader = match enter[..] {
            [p] if matches!(f.blocks[p].term, Terminator::Jump(_)) => Some(p),
            _ => None,
        };
        let mut inside: SecondaryMap<Block, bool> = SecondaryMap::with_capacity(f.blocks.len());
        inside[header] = true;
        let mut body = vec![header];
        let mut work = back.clone();
        while let Some(b) = work.pop() {
            if !std::mem::replace(&mut inside[b], true) {
                body.push(b);
                work.extend(preds[b].iter().copied());
            }
        }
        loops.push(Loop { header, preheader, body, back });
    }
    loops
}

/// The block that each instruction is in.
pub fn homes(f: &Function, dom: &Dominators) -> SecondaryMap<Inst, Option<Block>> {
    let mut home: SecondaryMap<Inst, Option<Block>> = SecondaryMap::with_capacity(f.insts.len());
    for &b in &dom.order {
        for &i in &f.blocks[b].insts {
            home[i] = Some(b);
        }
    }
    home
}

/// The block that defines `v`; `None` for what is in no reachable block.
pub fn definition(f: &Function, home: &SecondaryMap<Inst, Option<Block>>, v: Value) -> Option<Block> {
    match f.values[f.resolve(v)].def {
        ValueDef::Result(i) => home[i],
        ValueDef::Param(b, _) => Some(b),
        ValueDef::Alias(_) => unreachable!("resolved"),
    }
}
