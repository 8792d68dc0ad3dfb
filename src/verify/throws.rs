//! A look at exception handlers around a constructor call on `this`: whether they let the object,
//! which has failed to initialize, escape by returning.
//!
//! JVMS 4.10.1.9.invokespecial rejects such code anyway, since `this` is initialized in one of the
//! two frames that reach the handler and not in the other. HotSpot looks first, and says so in words
//! of its own.

use super::method::MethodVerifier;
use super::opcodes as op;
use super::Stop;

/// A walk through code, that goes on at places put off until it reaches an `athrow`.
#[derive(Default)]
struct Walk {
    /// Places put off.
    pending: Vec<usize>,
    /// Handlers of instructions passed; walked when nothing else is left.
    handlers: Vec<usize>,
    handlers_met: Vec<usize>,
    branches_met: Vec<usize>,
}

impl Walk {
    fn next(&mut self) -> Option<usize> {
        self.pending.pop().or_else(|| self.handlers.pop())
    }

    /// Whether the branch at `bci` is new.
    fn meet(&mut self, bci: usize) -> bool {
        let new = !self.branches_met.contains(&bci);
        if new {
            self.branches_met.push(bci);
        }
        new
    }
}

impl<E> MethodVerifier<'_, '_, '_, E> {
    /// Checks the handlers that cover the call at `bci` of a constructor on `this`.
    pub(super) fn check_handlers_throw(&self, bci: usize) -> Result<(), Stop<E>> {
        for entry in &self.code.exception_table {
            let covers = (usize::from(entry.start_pc)..usize::from(entry.end_pc)).contains(&bci);
            if covers && !self.ends_in_athrow(usize::from(entry.handler_pc)) {
                let text = "Bad <init> method call from after the start of a try block";
                return Err(self.bad_code(text));
            }
        }
        Ok(())
    }

    /// Whether all paths from `start` end in `athrow`, as far as HotSpot looks.
    fn ends_in_athrow(&self, start: usize) -> bool {
        let code = self.code.code;
        let mut walk = Walk::default();
        let mut bci = start;
        loop {
            let Some(instruction) = op::decode(code, bci) else { return false };
            for entry in &self.code.exception_table {
                let covered = usize::from(entry.start_pc)..usize::from(entry.end_pc);
                let handler = usize::from(entry.handler_pc);
                if covered.contains(&bci) && !walk.handlers_met.contains(&handler) {
                    walk.handlers.push(handler);
                    walk.handlers_met.push(handler);
                }
            }
            let after = bci + instruction.length;
            // Nothing is at a negative index, so that `decode` ends the walk there.
            let target = |offset: i32| bci.wrapping_add_signed(offset as isize);
            let short = || target(i32::from(op::u16_at(code, bci + 1) as i16));
            let next = match instruction.opcode {
                op::RETURN => return false,
                op::ATHROW => walk.next(),
                op::IFEQ..=op::IF_ACMPNE | op::IFNULL | op::IFNONNULL => {
                    if !walk.meet(bci) {
                        walk.next()
                    } else if short() > bci {
                        walk.pending.push(short());
                        Some(after)
                    } else {
                        walk.pending.push(after);
                        Some(short())
                    }
                }
                op::GOTO if walk.meet(bci) => Some(short()),
                op::GOTO_W if walk.meet(bci) => Some(target(op::i32_at(code, bci + 1))),
                op::TABLESWITCH | op::LOOKUPSWITCH if walk.meet(bci) => {
                    let operands = op::aligned(bci);
                    walk.pending.push(after);
                    let step = if instruction.opcode == op::TABLESWITCH { 4 } else { 8 };
                    for at in (operands + 12..after).step_by(step) {
                        walk.pending.push(target(op::i32_at(code, at)));
                    }
                    Some(target(op::i32_at(code, operands)))
                }
                op::GOTO | op::GOTO_W | op::TABLESWITCH | op::LOOKUPSWITCH => walk.next(),
                _ => Some(after),
            };
            match next {
                Some(next) => bci = next,
                None => return true,
            }
        }
    }
}
