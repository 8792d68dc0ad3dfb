//! Null checks that cost nothing: an access to the object right behind the check faults if there is none, and the
//! signal handler (`vm::crash`) goes on at the check's exit.

use super::Lower;
use crate::compiler::backend::lir::Inst;
use crate::compiler::backend::Machine;
use crate::compiler::ir::{self, Action, Op, Order, Reason, ValueDef};
use crate::compiler::refusal::Refusal;
use crate::vm::NULL_PAGE;

/// How many instructions behind a check are looked at.
const REACH: usize = 24;

impl<M: Machine> Lower<'_, M> {
    /// Finds the accesses that can do the null checks of `b`: nothing in between may be seen from outside, or leave
    /// by another state.
    pub(super) fn plan_null_checks(&mut self, b: ir::Block) {
        let insts = &self.f.blocks[b].insts;
        for (n, &check) in insts.iter().enumerate() {
            let d = &self.f.insts[check];
            if d.op != Op::NullCheck || self.non_null(d.args[0]) {
                continue;
            }
            let object = self.strip(d.args[0]);
            for (m, &i) in insts.iter().enumerate().skip(n + 1).take(REACH) {
                let x = &self.f.insts[i];
                if accesses_near(&x.op) && self.strip(x.args[0]) == object && self.constant(object).is_none() {
                    if self.null_check_of[i].is_none() {
                        self.null_check_of[i] = check.into();
                        self.behind[i] = insts.get(m + 1).copied().into();
                    }
                    break;
                }
                // What needs the object, other than to compare it, must not come before the check.
                let needs = !matches!(x.op, Op::Compare(_)) && x.args.iter().any(|&a| self.strip(a) == object);
                if needs || x.op.has_effect() || x.op.is_check() && x.state != d.state {
                    break;
                }
            }
        }
    }

    /// If the instruction being lowered does a null check: the state to leave by, and why.
    pub(super) fn take_null_check(&mut self) -> Result<Option<(u32, (Reason, Action))>, Refusal> {
        let Some(check) = self.origin.and_then(|i| self.null_check_of[i].expand()) else { return Ok(None) };
        self.implicit[check] = true;
        let state = self.state(self.f.insts[check].state.expect("checks have states"))?;
        Ok(Some((state, (Reason::NullCheck, Action::MaybeRecompile))))
    }

    /// Whether the operation that makes `v` may become part of the instruction being lowered, whose state, if it has
    /// one, is `state`. If it does a null check, the instruction has to do it: second result. (Then it must be the
    /// next one, so that nothing that needs the object comes before it.)
    pub(super) fn fuses(&mut self, v: ir::Value, state: Option<ir::State>) -> (bool, bool) {
        let ValueDef::Result(i) = self.f.values[self.f.resolve(v)].def else { return (true, false) };
        match self.null_check_of[i].expand() {
            None => (true, false),
            Some(check)
                if state.is_some() && self.f.insts[check].state == state && self.behind[i].expand() == self.origin =>
            {
                self.implicit[check] = true;
                (true, true)
            }
            Some(_) => (false, false),
        }
    }

    /// Emits a test that leaves by `state` for `reason` if it fails, and if its memory operand's object is null
    /// for `null`.
    pub(super) fn emit_check(&mut self, inst: Inst, state: u32, null: Option<(Reason, Action)>) {
        self.emit_with(inst, state);
        self.buf.last_mut().expect("just emitted").null = null;
    }
}

/// Plain accesses of the first argument within the page at null, which emission makes with one instruction.
fn accesses_near(op: &Op) -> bool {
    match *op {
        Op::Load(_, offset, Order::Plain) | Op::Store(_, offset, Order::Plain) => offset as usize + 8 <= NULL_PAGE,
        Op::ArrayLength | Op::LoadClass => true,
        _ => false,
    }
}
