//! The dominator tree of a function's reachable blocks (Cooper, Harvey and Kennedy's iteration).

use super::function::{Block, Function};
use cranelift_entity::SecondaryMap;

/// Which blocks every path from the entry to a block runs through.
pub struct Dominators {
    /// Reverse postorder of the reachable blocks.
    pub order: Vec<Block>,
    /// Place in `order`; `u32::MAX` for unreachable blocks.
    place: SecondaryMap<Block, u32>,
    /// By place: place of the immediate dominator (the entry's is itself).
    idom: Vec<u32>,
    /// By place: depth in the tree.
    depth: Vec<u32>,
}

impl Dominators {
    pub fn new(f: &Function) -> Dominators {
        let order = f.reverse_postorder();
        let mut place = SecondaryMap::with_default(u32::MAX);
        for (i, &b) in order.iter().enumerate() {
            place[b] = i as u32;
        }
        let preds = f.predecessors();
        let mut idom = vec![u32::MAX; order.len()];
        idom[0] = 0;
        let mut changed = true;
        while changed {
            changed = false;
            for (i, &b) in order.iter().enumerate().skip(1) {
                let mut new = u32::MAX;
                for &p in &preds[b] {
                    let p = place[p];
                    if idom[p as usize] != u32::MAX {
                        new = if new == u32::MAX { p } else { meet(&idom, new, p) };
                    }
                }
                if idom[i] != new {
                    idom[i] = new;
                    changed = true;
                }
            }
        }
        let mut depth = vec![0; order.len()];
        for i in 1..order.len() {
            depth[i] = depth[idom[i] as usize] + 1;
        }
        Dominators { order, place, idom, depth }
    }

    pub fn is_reachable(&self, b: Block) -> bool {
        self.place[b] != u32::MAX
    }

    /// Place of a reachable block in the reverse postorder.
    pub fn place(&self, b: Block) -> usize {
        self.place[b] as usize
    }

    /// The closest dominator besides the block itself; `None` for the entry and unreachable blocks.
    pub fn immediate(&self, b: Block) -> Option<Block> {
        match self.place[b] {
            0 | u32::MAX => None,
            i => Some(self.order[self.idom[i as usize] as usize]),
        }
    }

    /// Steps from the entry in the dominator tree.
    pub fn depth(&self, b: Block) -> usize {
        self.depth[self.place(b)] as usize
    }

    /// Whether `a` dominates `b` (every block itself), both reachable.
    pub fn dominates(&self, a: Block, b: Block) -> bool {
        let (a, mut b) = (self.place[a], self.place[b]);
        while b > a {
            b = self.idom[b as usize];
        }
        a == b
    }
}

fn meet(idom: &[u32], mut a: u32, mut b: u32) -> u32 {
    while a != b {
        while a > b {
            a = idom[a as usize];
        }
        while b > a {
            b = idom[b as usize];
        }
    }
    a
}

#[cfg(test)]
mod tests {
    use super::super::{Edge, Terminator, Type};
    use super::*;

    #[test]
    fn diamonds_and_loops() {
        // entry -> a | b; a -> c; b -> c; c -> b | exit: b and c make an irreducible loop.
        let mut f = Function::new("f".into(), &[Type::I32], None);
        let entry = f.entry;
        let cond = f.blocks[entry].params[0];
        let [a, b, c, exit] = [(); 4].map(|()| f.new_block());
        let branch = |x, y| Terminator::Branch {
            cond,
            then: Edge::new(x, vec![]),
            other: Edge::new(y, vec![]),
            probability: 1 << 15,
        };
        f.blocks[entry].term = branch(a, b);
        f.blocks[a].term = Terminator::Jump(Edge::new(c, vec![]));
        f.blocks[b].term = Terminator::Jump(Edge::new(c, vec![]));
        f.blocks[c].term = branch(b, exit);
        f.blocks[exit].term = Terminator::Return(None);
        let lost = f.new_block();
        let d = Dominators::new(&f);
        assert!(!d.is_reachable(lost));
        assert_eq!([b, c, exit].map(|x| d.immediate(x)), [Some(entry), Some(entry), Some(c)]);
        assert!(d.dominates(c, exit) && d.dominates(b, b) && !d.dominates(b, c));
        assert_eq!(d.depth(exit), 2);
    }
}
