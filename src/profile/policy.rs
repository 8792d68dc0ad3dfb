//! The tier policy (HotSpot's `CompilationPolicy`): which method is compiled when, and for which tier.
//!
//! Tiers: 0 interpreter; 1 quick code without counters (trivial methods); 2 quick code with counters only;
//! 3 quick code with full profiling; 4 optimized code. The interpreter counts in the `Method`, tier-3 code in
//! the [`MethodProfile`](super::MethodProfile).

use super::data;
use super::thresholds::Thresholds;
use crate::code::compiled;
use crate::compiler::broker::{self, Broker};
use crate::meta::method::MethodRef;
use crate::threads::JavaThread;
use std::sync::atomic::{AtomicU32, Ordering};

static INVOKE_MASK: AtomicU32 = AtomicU32::new((1 << 7) - 1);
static BACKEDGE_MASK: AtomicU32 = AtomicU32::new((1 << 10) - 1);

/// Sets how often the interpreter comes here, for threads to come (`-XX:Tier0InvokeNotifyFreqLog`,
/// `-XX:Tier0BackedgeNotifyFreqLog`).
pub fn set_notify(th: &Thresholds) {
    INVOKE_MASK.store((1 << th.tier0_invoke_notify) - 1, Ordering::Relaxed);
    BACKEDGE_MASK.store((1 << th.tier0_backedge_notify) - 1, Ordering::Relaxed);
}

/// Invocations and back-edges between two looks at a method, less 1.
pub fn notify_masks() -> (u32, u32) {
    (INVOKE_MASK.load(Ordering::Relaxed), BACKEDGE_MASK.load(Ordering::Relaxed))
}

/// Calls and back-edges of a method so far, in all tiers.
pub fn events(m: MethodRef) -> u64 {
    let interpreted = u64::from(m.invocation_counter.load(Ordering::Relaxed))
        + u64::from(m.backedge_counter.load(Ordering::Relaxed));
    interpreted + data::if_attached(m).map_or(0, |p| u64::from(p.invocations()) + u64::from(p.backedges()))
}

/// The interpreter has counted another `1 << Tier0InvokeNotifyFreqLog` calls of `m`.
pub fn on_invocations(t: &JavaThread, m: MethodRef) {
    let Some(b) = broker::get() else { return };
    call_event(t, b, m, m.tier.load(Ordering::Relaxed));
}

/// The interpreter has counted another `1 << Tier0BackedgeNotifyFreqLog` back-edges of `m`, now to `bci`.
pub fn on_backedges(t: &JavaThread, m: MethodRef, bci: usize) {
    let Some(b) = broker::get() else { return };
    let bci = bci as u16;
    if b.thresholds.osr {
        let tier = compiled::osr_of_method(m, bci).map_or(0, |c| c.tier);
        let next = loop_tier(b, m, tier);
        if next > tier {
            b.request(t, m, Some(bci), next);
        }
    }
    call_event(t, b, m, m.tier.load(Ordering::Relaxed));
}

/// Tier-3 code of `m` has counted round: at a call (`bci` -1) or a back-edge to `bci`. Whether better code for
/// the loop is ready, so that this code is to be left.
pub fn on_compiled_counter(t: &JavaThread, m: MethodRef, bci: i32) -> bool {
    let Some(b) = broker::get() else { return false };
    call_event(t, b, m, 3);
    if bci < 0 || !b.thresholds.osr {
        return false;
    }
    let bci = bci as u16;
    if loop_tier(b, m, 3) > 3 {
        b.request(t, m, Some(bci), 4);
    }
    compiled::osr_of_method(m, bci).is_some_and(|c| c.tier > 3)
}

/// `m` is called for the first time: under `-Xcomp` it is compiled now.
pub fn on_first_call(t: &JavaThread, m: MethodRef) {
    if let Some(b) = broker::get() {
        if b.thresholds.always {
            let tier = limit(&b.thresholds, if b.thresholds.tiered { 3 } else { 4 });
            if tier > 0 {
                b.request(t, m, None, tier);
            }
        }
    }
}

fn call_event(t: &JavaThread, b: &'static Broker, m: MethodRef, tier: u8) {
    let next = call_tier(b, m, tier);
    if next > tier || tier == 2 && next == 3 {
        b.request(t, m, None, next);
    }
}

/// No higher than `-XX:TieredStopAtLevel` allows.
fn limit(th: &Thresholds, tier: u8) -> u8 {
    if tier <= th.highest_tier {
        tier
    } else {
        // 2 and 3 exist to collect what tier 4 needs: without it HotSpot still profiles at 3.
        th.highest_tier
    }
}

/// The tier that `m`, now at `tier`, should be compiled for by its calls.
fn call_tier(b: &Broker, m: MethodRef, tier: u8) -> u8 {
    let th = &b.thresholds;
    let (i, bk) = (m.invocation_counter.load(Ordering::Relaxed), m.backedge_counter.load(Ordering::Relaxed));
    let next = match tier {
        0 if !th.tiered => {
            if th.optimized.call(i, bk, b.load(4)) {
                4
            } else {
                0
            }
        }
        0 if is_trivial(m) && th.quick.call(i, bk, b.load(3)) => 1,
        // Optimized code was given up for a reason that the profile has nothing to do with: it is ripe still.
        0 if profiled(m).is_some_and(|(i, bk)| th.optimized.call(i, bk, 1.0)) => 4,
        0 if th.quick.call(i, bk, b.load(3)) => quick_tier(b),
        2 if b.waiting(4) <= th.delay_on / 2 * th.optimized_threads => 3,
        3 => match data::if_attached(m) {
            Some(p) if th.optimized.call(p.invocations(), p.backedges(), b.load(4)) => 4,
            _ => 3,
        },
        _ => tier,
    };
    // What its loops are worth, its calls are: otherwise each would begin in slower code and have to change over.
    let loops = compiled::all_osr_of_method(m).first().map_or(0, |c| c.tier).min(loop_tier(b, m, tier));
    let next = if tier == 3 && loops == 4 {
        let called = data::if_attached(m).is_some_and(|p| p.invocations() >= 1);
        if called { 4 } else { next }
    } else {
        next.max(loops)
    };
    limit(th, next)
}

/// The same for a loop, by its back-edges.
fn loop_tier(b: &Broker, m: MethodRef, tier: u8) -> u8 {
    let th = &b.thresholds;
    let next = match tier {
        0 if !th.tiered => {
            if th.optimized.loops(m.backedge_counter.load(Ordering::Relaxed), b.load(4)) {
                4
            } else {
                0
            }
        }
        0 if profiled(m).is_some_and(|(_, bk)| th.optimized.loops(bk, 1.0)) => 4,
        0 if th.quick.loops(m.backedge_counter.load(Ordering::Relaxed), b.load(3)) => quick_tier(b),
        2 | 3 => match data::if_attached(m) {
            Some(p) if th.optimized.loops(p.backedges(), b.load(4)) => 4,
            _ => tier,
        },
        _ => tier,
    };
    limit(th, next)
}

/// Invocations and back-edges that tier-3 code has counted.
fn profiled(m: MethodRef) -> Option<(u32, u32)> {
    data::if_attached(m).map(|p| (p.invocations(), p.backedges()))
}

/// Full profiling, unless so much waits for tier 4 that profiles would be collected for nothing.
fn quick_tier(b: &Broker) -> u8 {
    if b.waiting(4) > b.thresholds.delay_on * b.thresholds.optimized_threads {
        2
    } else {
        3
    }
}

/// A getter, or a method that returns a constant or nothing: profiling it tells nothing.
pub fn is_trivial(m: MethodRef) -> bool {
    match m.code {
        [0xb1] => true,
        // aload_0, getfield, xreturn
        [0x2a, 0xb4, _, _, 0xac..=0xb0] => !m.is_static(),
        // A constant.
        [0x01..=0x0f, 0xac..=0xb0] | [0x10, _, 0xac] | [0x11, _, _, 0xac] => true,
        _ => false,
    }
}
