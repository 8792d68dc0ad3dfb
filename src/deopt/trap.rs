//! What becomes of code whose speculation has failed.

use crate::code::assembled::DebugPoint;
use crate::code::compiled::{self, CompiledMethod};
use crate::compiler::ir::{Action, Reason};
use crate::log;
use crate::meta::method::method_flags;
use crate::profile::data;
use crate::threads::JavaThread;
use std::sync::atomic::{AtomicU64, Ordering};

static TRAPS: [AtomicU64; Reason::ALL.len()] = [const { AtomicU64::new(0) }; Reason::ALL.len()];

/// Deoptimizations for `reason` so far.
pub fn count(reason: Reason) -> u64 {
    TRAPS[reason as usize].load(Ordering::Relaxed)
}

/// Notes a deoptimization in the profile of the innermost method, and deals with the code as `action` says.
pub fn on_trap(
    t: &JavaThread,
    code: &'static CompiledMethod,
    point: &DebugPoint,
    pc: usize,
    reason: Reason,
    action: Action,
) {
    let f = &point.frames[0];
    TRAPS[reason as usize].fetch_add(1, Ordering::Relaxed);
    log!(
        Debug,
        [deoptimization],
        "Uncommon trap bci={} pc={pc:#x}, relative_pc={:#x}, method={}, reason={reason}, action={action}, compile id={}, tier={}, thread={}",
        f.bci,
        pc - code.entry,
        f.method.name_and_signature(),
        code.id,
        code.tier,
        t.id,
    );
    // Nothing is learnt from leaving for other code, or from being asked to leave.
    if matches!(reason, Reason::Age | Reason::Stress) {
        return;
    }
    let profile = data::of_method(f.method);
    if let Some(p) = profile {
        p.note_trap(f.bci, reason);
    }
    let discard = match action {
        Action::None => false,
        // Keep trapping a few times before compiling anew without the speculation.
        Action::MaybeRecompile => profile.is_some_and(|p| p.too_many_traps(f.bci, reason)),
        Action::Reinterpret | Action::MakeNotEntrant => true,
        Action::MakeNotCompilable => {
            code.method.set_flag(method_flags::NOT_COMPILABLE);
            true
        }
    };
    if discard {
        compiled::make_not_entrant(code);
        if action == Action::Reinterpret {
            // Profile anew before the next compile.
            code.method.invocation_counter.store(0, Ordering::Relaxed);
            code.method.backedge_counter.store(0, Ordering::Relaxed);
        }
    }
}
