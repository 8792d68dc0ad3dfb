//! Which local variables may still be read, at every bytecode: the rest need not be in frame states.

use super::super::ir::Type;
use super::bytecode::{Code, LocalUse};
use super::flow::{BlockIx, Flow};
use crate::classfile::ExceptionTableEntry;

/// A set of local variables.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Locals(Vec<u64>);

impl Locals {
    pub fn new(n: usize) -> Locals {
        Locals(vec![0; n.div_ceil(64)])
    }

    pub fn contains(&self, i: usize) -> bool {
        self.0.get(i / 64).is_some_and(|w| w & 1 << (i % 64) != 0)
    }

    pub fn insert(&mut self, i: usize) {
        if let Some(w) = self.0.get_mut(i / 64) {
            *w |= 1 << (i % 64)
        }
    }

    pub fn remove(&mut self, i: usize) {
        if let Some(w) = self.0.get_mut(i / 64) {
            *w &= !(1 << (i % 64))
        }
    }

    /// Adds all of `other`; whether that changed anything.
    pub fn union(&mut self, other: &Locals) -> bool {
        let mut changed = false;
        for (a, b) in self.0.iter_mut().zip(&other.0) {
            changed |= *a | *b != *a;
            *a |= b;
        }
        changed
    }

    pub fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.0.iter().enumerate().flat_map(|(k, w)| (0..64).filter(move |i| w & 1 << i != 0).map(move |i| k * 64 + i))
    }
}

/// Live locals at the start of every block.
pub struct Liveness {
    max_locals: usize,
    at_start: Vec<Locals>,
    /// Only reads of this type count.
    only: Option<Type>,
    /// A local that is live everywhere (the receiver in `Object.<init>`).
    always: Option<usize>,
}

impl Liveness {
    /// `only`: count reads of one type alone, which tells the types of live locals.
    pub fn compute(
        code: Code<'_>,
        flow: &Flow,
        table: &[ExceptionTableEntry],
        max_locals: usize,
        only: Option<Type>,
        always: Option<usize>,
    ) -> Liveness {
        let mut l = Liveness { max_locals, at_start: vec![Locals::new(max_locals); flow.blocks.len()], only, always };
        let mut changed = true;
        while changed {
            changed = false;
            for &b in flow.order.iter().rev() {
                let mut live = l.at_end(flow, b);
                let handlers = l.in_handlers(flow, table, b);
                l.walk(code, flow, b, &mut live, &handlers, |_, _| {});
                changed |= l.at_start[b].union(&live);
            }
        }
        l
    }

    pub fn at_start(&self, b: BlockIx) -> &Locals {
        &self.at_start[b]
    }

    /// The live locals before each instruction of a block, by ascending bytecode index.
    pub fn within(&self, code: Code<'_>, flow: &Flow, table: &[ExceptionTableEntry], b: BlockIx) -> Vec<(u16, Locals)> {
        let mut live = self.at_end(flow, b);
        let handlers = self.in_handlers(flow, table, b);
        let mut out = Vec::new();
        self.walk(code, flow, b, &mut live, &handlers, |bci, l| out.push((bci as u16, l.clone())));
        out.reverse();
        out
    }

    fn at_end(&self, flow: &Flow, b: BlockIx) -> Locals {
        let mut live = Locals::new(self.max_locals);
        for &s in &flow.blocks[b].successors {
            if s != usize::MAX {
                live.union(&self.at_start[s]);
            }
        }
        live
    }

    /// What the handlers of a block read. It counts as read by each of its instructions.
    fn in_handlers(&self, flow: &Flow, table: &[ExceptionTableEntry], b: BlockIx) -> Locals {
        let mut live = Locals::new(self.max_locals);
        for &h in &flow.blocks[b].handlers {
            live.union(&self.at_start[flow.at(table[h].handler_pc)]);
        }
        if let Some(i) = self.always {
            live.insert(i);
        }
        live
    }

    fn walk(
        &self,
        code: Code<'_>,
        flow: &Flow,
        b: BlockIx,
        live: &mut Locals,
        handlers: &Locals,
        mut f: impl FnMut(usize, &Locals),
    ) {
        let block = &flow.blocks[b];
        for bci in (block.start..block.end as u16).rev().filter(|&i| flow.is_instruction(i)) {
            let bci = bci as usize;
            let counts = |t: Type| self.only.is_none_or(|only| only == t);
            match code.local(bci) {
                LocalUse::None => {}
                LocalUse::Read(i, t) => {
                    if counts(t) {
                        live.insert(i as usize)
                    }
                }
                LocalUse::Write(i, t) => {
                    live.remove(i as usize);
                    if t.is_two_slots() {
                        live.remove(i as usize + 1);
                    }
                }
                LocalUse::Both(i) => {
                    if counts(Type::I32) {
                        live.insert(i as usize)
                    } else {
                        live.remove(i as usize)
                    }
                }
            }
            live.union(handlers);
            f(bci, live);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn live(code: &[u8], table: &[ExceptionTableEntry], only: Option<Type>) -> Vec<(u16, Vec<usize>)> {
        let code = Code(code);
        let flow = Flow::discover(code, table, 0).unwrap();
        let l = Liveness::compute(code, &flow, table, 4, only, None);
        let mut out = Vec::new();
        for b in 0..flow.blocks.len() {
            out.extend(l.within(code, &flow, table, b).into_iter().map(|(bci, l)| (bci, l.iter().collect())));
        }
        out
    }

    #[test]
    fn loops_keep_what_they_read() {
        // 0 iconst_0; 1 istore_1; 2 iload_1; 3 iload_0; 4 if_icmpge 13; 7 iinc 1 1; 10 goto 2; 13 return
        let code = [0x03, 0x3c, 0x1b, 0x1a, 0xa2, 0, 9, 0x84, 1, 1, 0xa7, 0xff, 0xf8, 0xb1];
        let l = live(&code, &[], None);
        assert_eq!(
            l,
            [
                (0, vec![0]),
                (1, vec![0]),
                (2, vec![0, 1]),
                (3, vec![0]),
                (4, vec![0, 1]),
                (7, vec![0, 1]),
                (10, vec![0, 1]),
                (13, vec![])
            ]
            .map(|(bci, v)| if bci == 3 { (3, vec![0, 1]) } else { (bci, v) })
        );
    }

    #[test]
    fn handlers_keep_what_they_read_alive_in_their_range() {
        // 0 iconst_1; 1 istore_2; 2 return; handler 3: pop; 4 iload_2; 5 ireturn
        let table = [ExceptionTableEntry { start_pc: 0, end_pc: 2, handler_pc: 3, catch_type: 0 }];
        let l = live(&[0x04, 0x3d, 0xb1, 0x57, 0x1c, 0xac], &table, None);
        assert_eq!(l, [(0, vec![2]), (1, vec![2]), (2, vec![]), (3, vec![2]), (4, vec![2]), (5, vec![])]);
    }

    #[test]
    fn types_are_told_by_the_reads() {
        // iload_0; pop; aload_1; areturn
        let code = [0x1a, 0x57, 0x2b, 0xb0];
        assert_eq!(live(&code, &[], Some(Type::I32))[0], (0, vec![0]));
        assert_eq!(live(&code, &[], Some(Type::Ref))[0], (0, vec![1]));
    }
}
