//! Pauses for the code cache: invalidating code whose assumptions are broken, and freeing what nobody runs.

use super::compiled::{self, CompiledMethod};
use super::{cache, make_not_entrant};
use crate::deopt::lazy;
use crate::{log, vm_warning};
use crate::threads::{safepoint, JavaThread};
use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};

/// Dead code is swept once it takes this many bytes.
const SWEEP_BYTES: usize = 2 << 20;

/// Makes `codes` not entrant and every frame in them go on in the interpreter as soon as control comes back to it.
/// A pause: the thread must hold no lock.
pub fn invalidate(t: &JavaThread, codes: &[&'static CompiledMethod], why: &dyn std::fmt::Display) {
    if codes.is_empty() {
        return;
    }
    for c in codes {
        make_not_entrant(c);
        log!(Debug, [deoptimization], "Invalidated compile id={} {}: {why}", c.id, c.method.name_and_signature());
    }
    let invalid = codes.iter().map(|c| c.entry).collect();
    let sweep = compiled::totals().1 > SWEEP_BYTES;
    let frames = pause(t, "Deoptimize", &invalid, sweep).0;
    log!(Debug, [deoptimization], "{frames} frames will be deoptimized");
}

/// Frees code that is not entrant and that no frame is in; how many bytes. A pause.
pub fn sweep(t: &JavaThread) -> usize {
    pause(t, "SweepCodeCache", &HashSet::new(), true).1
}

fn pause(t: &JavaThread, reason: &'static str, invalid: &HashSet<usize>, sweep: bool) -> (usize, usize) {
    safepoint::stop_the_world(t, reason, |threads| {
        let mut active = HashSet::new();
        // SAFETY: all threads stand.
        let frames = threads.iter().map(|x| unsafe { lazy::mark_thread(x, invalid, &mut active) }).sum();
        (frames, if sweep { compiled::free_unused(&active) } else { 0 })
    })
}

/// Frees what can be freed if little room is left: before code is installed.
pub fn make_room(t: &JavaThread) {
    let Some((reserved, used, _)) = cache::get().map(|c| c.usage()) else { return };
    let dead = compiled::totals().1;
    // A sweep that frees next to nothing is not worth the pause.
    if reserved - used < reserved / 10 && dead > reserved / 50 {
        sweep(t);
    }
}

/// Tells once, as HotSpot does, that there is no room for more code.
pub fn report_full() {
    static REPORTED: AtomicBool = AtomicBool::new(false);
    if REPORTED.swap(true, Ordering::Relaxed) {
        return;
    }
    vm_warning!("CodeCache is full. Compiler has been disabled.");
    vm_warning!("Try increasing the code cache size using -XX:ReservedCodeCacheSize=");
    if let Some(c) = cache::get() {
        let (reserved, used, peak) = c.usage();
        println!(
            "CodeCache: size={}Kb used={}Kb max_used={}Kb free={}Kb",
            reserved >> 10,
            used >> 10,
            peak >> 10,
            (reserved - used) >> 10
        );
    }
}
