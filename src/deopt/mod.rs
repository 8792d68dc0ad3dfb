//! Deoptimization: leaving compiled code for the interpreter, at a failing guard (eager), when control returns
//! to a frame whose code has become invalid (lazy), or for an exception that compiled code has no handler for.
//!
//! The run-time makes interpreter frames of the machine frame; then a stub drops that one, so that it keeps nothing
//! alive, and runs them in its place. When the method returns, the stub goes on in the caller; when one of its loops
//! is to go on in compiled code, that takes the same place.

pub mod lazy;
mod rebuild;
pub mod stress;
pub mod trap;

pub(crate) use rebuild::interpret;
pub use rebuild::{leave, Entry};

use crate::code::assembled::PointKind;
use crate::code::compiled;
use crate::code::stubs::Registers;
use crate::compiler::ir::Reason;
use crate::threads::JavaThread;

/// `Stub::Deopt`: a check has failed in the frame at `sp`; `pc` names its debug point.
pub(crate) unsafe extern "C" fn eager(t: &JavaThread, registers: &Registers, sp: usize, pc: usize) -> usize {
    let code = compiled::find(pc).expect("compiled code calls the stub");
    let Some(point) = code.point(pc) else { panic!("no debug point at {pc:#x} in {code:?}") };
    if let PointKind::Deopt(reason, action) = point.kind {
        trap::on_trap(code, point, pc, reason, action);
        if reason == Reason::Stress {
            stress::on_trap(t, sp, pc);
        }
    }
    leave(t, sp, pc, Some(registers), Entry::Execute);
    1
}

/// Raises the pending exception in the frame at `sp` that stands at return address `pc`.
pub(crate) unsafe extern "C" fn raise(t: &JavaThread, sp: usize, pc: usize, _: u64) {
    leave(t, sp, pc, None, Entry::Raise)
}
