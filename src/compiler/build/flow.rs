//! The bytecode's basic blocks and the order they are translated in.

use super::super::refusal::Refusal;
use super::bytecode::Code;
use crate::classfile::ExceptionTableEntry;

/// Index of a bytecode block.
pub type BlockIx = usize;

/// A run of instructions entered at its start only, all under the same exception handlers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BytecodeBlock {
    pub start: u16,
    /// First bytecode behind it.
    pub end: u32,
    /// Where its last instruction leads: targets, then the next block if it goes on. One entry an edge.
    pub successors: Vec<BlockIx>,
    /// Exception table entries that cover it, in the table's order.
    pub handlers: Vec<usize>,
    /// Edges into it from reachable blocks, exceptions not counted.
    pub predecessors: u32,
    /// Reached by exceptions.
    pub is_handler: bool,
    /// Reached from blocks that come later in the order: those that lead back here, exceptions included.
    pub back_edges: Vec<BlockIx>,
}

/// See the module comment.
#[derive(Debug)]
pub struct Flow {
    pub blocks: Vec<BytecodeBlock>,
    /// Reachable blocks in reverse postorder, the first being where execution enters.
    pub order: Vec<BlockIx>,
    /// Place of each block in the order that there is from the method's start; `usize::MAX` for those not in it.
    place: Vec<usize>,
    /// Bytecode indices at which instructions start.
    starts: Vec<bool>,
}

impl Flow {
    /// Finds the blocks of `code`, entered at `entry`.
    ///
    /// # Errors
    /// [`Refusal::Subroutine`], [`Refusal::Malformed`].
    pub fn discover(code: Code<'_>, table: &[ExceptionTableEntry], entry: u16) -> Result<Flow, Refusal> {
        let n = code.len();
        let mut starts = vec![false; n];
        let mut leader = vec![false; n + 1];
        let mark = |leader: &mut Vec<bool>, at: usize| leader[at.min(n)] = true;
        mark(&mut leader, 0);
        mark(&mut leader, entry as usize);
        let mut bci = 0;
        while bci < n {
            starts[bci] = true;
            let next = bci + code.length(bci)?;
            let targets = code.targets(bci)?;
            for &t in &targets {
                mark(&mut leader, t as usize);
            }
            if !targets.is_empty() || code.ends_flow(bci) {
                mark(&mut leader, next);
            }
            bci = next;
        }
        for e in table {
            for at in [e.start_pc, e.end_pc, e.handler_pc] {
                mark(&mut leader, at as usize);
            }
        }
        if let Some(bad) = (0..n).find(|&i| leader[i] && !starts[i]) {
            return Err(Refusal::Malformed(bad as u16));
        }
        let mut blocks = Vec::new();
        let mut at = 0;
        while at < n {
            let end = (at + 1..=n).find(|&i| leader[i] || i == n).unwrap_or(n);
            let handlers = (0..table.len())
                .filter(|&i| (table[i].start_pc as usize) <= at && at < table[i].end_pc as usize)
                .collect();
            blocks.push(BytecodeBlock {
                start: at as u16,
                end: end as u32,
                successors: vec![],
                handlers,
                predecessors: 0,
                is_handler: false,
                back_edges: vec![],
            });
            at = end;
        }
        let mut flow = Flow { blocks, order: vec![], place: vec![], starts };
        flow.link(code)?;
        flow.sort(table, flow.at(entry));
        Ok(flow)
    }

    /// The block that starts at `bci`.
    ///
    /// # Panics
    /// If none does: targets, handlers and the entry all do.
    pub fn at(&self, bci: u16) -> BlockIx {
        self.blocks.binary_search_by_key(&bci, |b| b.start).expect("targets start blocks")
    }

    /// Whether an edge between these reachable blocks goes against the order from the method's start: back to the
    /// header of a loop. (An on-stack replacement enters an inner loop first: in the order from there all loops around
    /// it are one with it.)
    pub fn is_backward(&self, from: BlockIx, to: BlockIx) -> bool {
        self.place[from] >= self.place[to]
    }

    /// Whether an instruction starts at `bci`.
    pub fn is_instruction(&self, bci: u16) -> bool {
        self.starts.get(bci as usize).copied().unwrap_or(false)
    }

    /// The blocks of the loop with this header: those that lead to one of its back-edges without going through the
    /// header. (Where the loop has other entries: more than those.)
    pub fn loop_of(&self, table: &[ExceptionTableEntry], header: BlockIx) -> Vec<BlockIx> {
        let mut inside = vec![false; self.blocks.len()];
        inside[header] = true;
        let mut body = vec![header];
        let mut todo = self.blocks[header].back_edges.clone();
        let mut predecessors = vec![Vec::new(); self.blocks.len()];
        for &b in &self.order {
            let handlers = self.blocks[b].handlers.iter().map(|&h| self.at(table[h].handler_pc));
            for s in handlers.chain(self.blocks[b].successors.iter().copied().filter(|&s| s != usize::MAX)) {
                predecessors[s].push(b);
            }
        }
        while let Some(b) = todo.pop() {
            if !std::mem::replace(&mut inside[b], true) {
                body.push(b);
                todo.extend(&predecessors[b]);
            }
        }
        body
    }

    /// The bytecode index of the block's last instruction.
    pub fn last(&self, b: BlockIx) -> usize {
        let b = &self.blocks[b];
        (b.start as usize..b.end as usize).rev().find(|&i| self.starts[i]).unwrap_or(b.start as usize)
    }

    fn link(&mut self, code: Code<'_>) -> Result<(), Refusal> {
        for i in 0..self.blocks.len() {
            let last = self.last(i);
            let mut successors: Vec<BlockIx> = code.targets(last)?.into_iter().map(|t| self.at(t)).collect();
            if !code.ends_flow(last) {
                if self.blocks[i].end as usize >= code.len() {
                    // Runs off the end: an error only if it is reached, see `sort`.
                    successors.push(usize::MAX);
                } else {
                    successors.push(i + 1);
                }
            }
            self.blocks[i].successors = successors;
        }
        Ok(())
    }

    /// Where a block leads, exceptions included.
    fn next(&self, table: &[ExceptionTableEntry], b: BlockIx) -> Vec<BlockIx> {
        let b = &self.blocks[b];
        let handlers = b.handlers.iter().map(|&h| self.at(table[h].handler_pc));
        // Visited last, hence earliest in the order: what comes next in the text.
        handlers.chain(b.successors.iter().copied().filter(|&s| s != usize::MAX)).collect()
    }

    /// The blocks reachable from `entry` in reverse postorder.
    fn order_from(&self, table: &[ExceptionTableEntry], entry: BlockIx) -> Vec<BlockIx> {
        let mut seen = vec![false; self.blocks.len()];
        let mut order = Vec::new();
        let mut stack = vec![(entry, self.next(table, entry), 0)];
        seen[entry] = true;
        while let Some((b, successors, k)) = stack.last_mut() {
            if let Some(&to) = successors.get(*k) {
                *k += 1;
                if !std::mem::replace(&mut seen[to], true) {
                    let s = self.next(table, to);
                    stack.push((to, s, 0));
                }
            } else {
                order.push(*b);
                stack.pop();
            }
        }
        order.reverse();
        order
    }

    fn places(&self, order: &[BlockIx]) -> Vec<usize> {
        let mut place = vec![usize::MAX; self.blocks.len()];
        for (i, &b) in order.iter().enumerate() {
            place[b] = i;
        }
        place
    }

    fn sort(&mut self, table: &[ExceptionTableEntry], entry: BlockIx) {
        let order = self.order_from(table, entry);
        let place = self.places(&order);
        self.place = if entry == 0 { place.clone() } else { self.places(&self.order_from(table, 0)) };
        for &b in &order {
            for s in self.next(table, b) {
                if place[s] <= place[b] && !self.blocks[s].back_edges.contains(&b) {
                    self.blocks[s].back_edges.push(b);
                }
            }
        }
        for &b in &order {
            for s in self.blocks[b].successors.clone() {
                if s != usize::MAX {
                    self.blocks[s].predecessors += 1;
                }
            }
            for h in self.blocks[b].handlers.clone() {
                let at = self.at(table[h].handler_pc);
                self.blocks[at].is_handler = true;
            }
        }
        self.order = order;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 0 iconst_0; 1 istore_1; 2 iload_1; 3 iload_0; 4 if_icmpge 15; 7 iinc 1 1; 10 goto 2; 13 nop; 14 nop;
    /// 15 iload_1; 16 ireturn
    const LOOP: [u8; 17] =
        [0x03, 0x3c, 0x1b, 0x1a, 0xa2, 0, 11, 0x84, 1, 1, 0xa7, 0xff, 0xf8, 0x00, 0x00, 0x1b, 0xac];

    #[test]
    fn a_loop_has_its_blocks() {
        let f = Flow::discover(Code(&LOOP), &[], 0).unwrap();
        let starts: Vec<u16> = f.blocks.iter().map(|b| b.start).collect();
        assert_eq!(starts, [0, 2, 7, 13, 15]);
        assert_eq!(f.blocks[1].successors, [4, 2]);
        assert_eq!((&f.blocks[1].back_edges[..], &f.blocks[2].back_edges[..]), (&[2][..], &[][..]));
        let mut body = f.loop_of(&[], 1);
        body.sort_unstable();
        assert_eq!(body, [1, 2]);
        assert_eq!(f.blocks[1].predecessors, 2);
        assert!(f.is_backward(2, 1) && !f.is_backward(0, 1));
        assert_eq!(f.order, [0, 1, 2, 4], "what is not reached is left out");
    }

    #[test]
    fn entering_an_inner_loop_does_not_turn_it_inside_out() {
        // 0 iconst_0; 1 istore_0; 2 iinc 0 1; 5 iload_0; 6 ifne 5; 9 goto 2
        let code = [0x03, 0x3b, 0x84, 0, 1, 0x1a, 0x9a, 0xff, 0xff, 0xa7, 0xff, 0xf9];
        let f = Flow::discover(Code(&code), &[], 5).unwrap();
        let (outer, inner, rest) = (f.at(2), f.at(5), f.at(9));
        assert_eq!(f.order[0], inner);
        assert!(f.blocks[inner].back_edges.contains(&outer), "in the order from there");
        assert!(!f.is_backward(outer, inner) && f.is_backward(inner, inner) && f.is_backward(rest, outer));
    }

    #[test]
    fn try_ranges_split_blocks() {
        // 0 nop; 1 nop; 2 nop; 3 return; 4 pop; 5 return, bytecodes 1 and 2 under a handler at 4
        let table = [ExceptionTableEntry { start_pc: 1, end_pc: 3, handler_pc: 4, catch_type: 0 }];
        let f = Flow::discover(Code(&[0, 0, 0, 0xb1, 0x57, 0xb1]), &table, 0).unwrap();
        let blocks: Vec<(u16, usize)> = f.blocks.iter().map(|b| (b.start, b.handlers.len())).collect();
        assert_eq!(blocks, [(0, 0), (1, 1), (3, 0), (4, 0)]);
        assert!(f.blocks[3].is_handler && f.order.contains(&3));
    }

    #[test]
    fn branches_into_instructions_are_malformed() {
        let e = Flow::discover(Code(&[0x10, 1, 0xa7, 0xff, 0xff]), &[], 0).unwrap_err();
        assert_eq!(e, Refusal::Malformed(1));
    }
}
