//! What becomes of code whose speculation has failed.

use crate::code::assembled::DebugPoint;
use crate::code::compiled::{self, CompiledMethod};
use crate::compiler::broker;
use crate::compiler::ir::{Action, Reason};
use crate::log;
use crate::meta::method::{method_flags, MethodRef};
use crate::profile::data;
use std::sync::atomic::{AtomicU64, Ordering};

static TRAPS: [AtomicU64; Reason::ALL.len()] = [const { AtomicU64::new(0) }; Reason::ALL.len()];

/// Deoptimizations for `reason` so far.
pub fn count(reason: Reason) -> u64 {
    TRAPS[reason as usize].load(Ordering::Relaxed)
}

/// The whole of what the deoptimization at debug point `point` (return address `pc`) leads to: notes it in the
/// profile of the innermost method, and deals with the code as `action` says and the history demands.
pub fn on_trap(code: &'static CompiledMethod, point: &DebugPoint, pc: usize, reason: Reason, action: Action) {
    let f = &point.frames[0];
    TRAPS[reason as usize].fetch_add(1, Ordering::Relaxed);
    log!(
        Debug,
        [deoptimization],
        "Uncommon trap: reason={reason} action={action} pc={pc:#018x} relative_pc={:#06x} method={} @ {} {} \
         compile_id={}",
        pc - code.entry,
        f.method.name_and_signature(),
        f.bci,
        compiler_name(code.tier),
        code.id,
    );
    // Nothing is learnt from leaving for other code, or from being asked to leave.
    if matches!(reason, Reason::Age | Reason::Stress) {
        return;
    }
    let Some(profile) = data::of_method(f.method) else {
        if !matches!(action, Action::None) {
            compiled::make_not_entrant(code);
        }
        return;
    };
    let before = profile.traps(f.bci, reason);
    let history = profile.note_trap(f.bci, reason);
    let discard = match action {
        Action::None => false,
        // Keep trapping a few times before compiling anew without the speculation.
        Action::MaybeRecompile => profile.is_over_limit(history, reason),
        Action::Reinterpret | Action::MakeNotEntrant | Action::MakeNotCompilable => true,
    };
    if !discard {
        return;
    }
    // Who finds the code given up already has nothing to add.
    if compiled::make_not_entrant(code) {
        profile.note_recompile(f.bci, reason);
        let again = before.recompiled;
        if again && profile.note_overflow_recompile() {
            give_up(f.method, "overflow_recompile_count > PerBytecodeRecompilationCutoff");
        }
        if again || action == Action::Reinterpret || is_from_profile(reason) {
            point.frames.iter().for_each(|f| reprofile(f.method));
        }
    }
    if action == Action::MakeNotCompilable {
        give_up(code.method, "make_not_compilable");
    }
}

fn compiler_name(tier: u8) -> &'static str {
    if tier == 4 {
        "c2"
    } else {
        "c1"
    }
}

/// The profile had it otherwise: it is out of date.
fn is_from_profile(reason: Reason) -> bool {
    matches!(
        reason,
        Reason::ClassCheck
            | Reason::Bimorphic
            | Reason::UnstableIf
            | Reason::Unreached
            | Reason::SpeculateClassCheck
            | Reason::SpeculateNullCheck
    )
}

/// Has the method run in the interpreter and in profiling code for as long as at first before it is optimized again.
fn reprofile(m: MethodRef) {
    if let Some(p) = data::if_attached(m) {
        p.restart();
    }
    m.invocation_counter.store(0, Ordering::Relaxed);
    m.backedge_counter.store(0, Ordering::Relaxed);
}

fn give_up(m: MethodRef, why: &str) {
    match broker::get() {
        Some(b) => b.give_up(m, Some(4), false, why),
        None => m.set_flag(method_flags::NOT_COMPILABLE),
    }
}
