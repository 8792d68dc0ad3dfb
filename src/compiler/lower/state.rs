//! Frame states.

use super::Lower;
use crate::code::assembled::Where;
use crate::compiler::backend::lir::{Frame, Reg, Slot, State, Virtual};
use crate::compiler::backend::Machine;
use crate::compiler::ir;
use crate::compiler::refusal::Refusal;

impl<M: Machine> Lower<'_, M> {
    /// Number of the low-level state; its values get registers.
    pub(super) fn state(&mut self, state: ir::State) -> Result<u32, Refusal> {
        if let Some(&n) = self.states.get(&state) {
            return Ok(n);
        }
        let mut uses = Vec::new();
        let mut frames = Vec::new();
        let mut next = Some(state);
        while let Some(s) = next {
            let s = &self.f.states[s];
            frames.push(Frame {
                method: self.f.methods[s.method].method.ok_or(Refusal::NoMethod)?,
                bci: s.bci,
                resume: s.resume,
                locals: s.locals.iter().map(|&x| self.state_slot(x, &mut uses)).collect(),
                stack: s.stack.iter().map(|&x| self.state_slot(x, &mut uses)).collect(),
                monitors: s.monitors.iter().map(|m| (self.state_slot(m.object, &mut uses), m.elided)).collect(),
            });
            next = s.parent;
        }
        let virtuals = self.f.states[state]
            .virtuals
            .iter()
            .map(|o| Virtual {
                class: o.class,
                length: o.length,
                fields: o.fields.iter().map(|&(at, mem, x)| (at, mem, self.state_slot(x, &mut uses))).collect(),
                locks: o.locks,
                boxed: o.boxed,
            })
            .collect();
        self.out.states.push(State { uses, frames, virtuals });
        let n = self.out.states.len() as u32 - 1;
        self.states.insert(state, n);
        Ok(n)
    }

    fn state_slot(&mut self, slot: ir::Slot, uses: &mut Vec<Reg>) -> Slot {
        match slot {
            ir::Slot::Dead => Slot::Known(Where::Dead),
            ir::Slot::Virtual(n) => Slot::Known(Where::Virtual(n.as_u32())),
            ir::Slot::Value(v) => self.slot(v, uses),
        }
    }
}
