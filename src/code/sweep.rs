//! Pauses for the code cache: invalidating code whose assumptions are broken, and freeing what nobody runs.

use super::compiled::{self, CompiledMethod};
use super::{cache, make_not_entrant};
use crate::compiler::broker;
use crate::deopt::lazy;
use crate::{log, vm_warning};
use crate::threads::{safepoint, JavaThread};
use std::collections::HashSet;

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

/// Makes every frame in compiled code go on in the interpreter as soon as control comes back to it, and gives the
/// code of all those frames up if `discard`. How many frames. A pause.
pub fn deoptimize_frames(t: &JavaThread, discard: bool) -> usize {
    let all = compiled::all();
    let entries = all.iter().map(|c| c.entry).collect();
    let mut active = HashSet::new();
    let frames = safepoint::stop_the_world(t, "WhiteBoxDeoptimizeFrames", |threads| {
        // SAFETY: all threads stand.
        threads.iter().map(|x| unsafe { lazy::mark_thread(x, &entries, &mut active) }).sum()
    });
    if discard {
        for c in all.iter().filter(|c| active.contains(&c.entry)) {
            make_not_entrant(c);
        }
    }
    frames
}

/// Frees code that is not entrant and that no frame is in; how many bytes. A pause.
pub fn sweep(t: &JavaThread) -> usize {
    pause(t, "SweepCodeCache", &HashSet::new(), true).1
}

fn pause(t: &JavaThread, reason: &'static str, invalid: &HashSet<usize>, sweep: bool) -> (usize, usize) {
    let done = safepoint::stop_the_world(t, reason, |threads| {
        let mut active = HashSet::new();
        // SAFETY: all threads stand.
        let frames = threads.iter().map(|x| unsafe { lazy::mark_thread(x, invalid, &mut active) }).sum();
        (frames, if sweep { compiled::free_unused(&active) } else { 0 })
    });
    if let (1.., Some(b)) = (done.1, broker::get()) {
        b.code_freed();
    }
    done
}

/// There is room enough for compiling to go on: a tenth of the cache, or what any method may need.
pub fn has_room() -> bool {
    const ENOUGH: usize = 2 << 20;
    cache::get().is_some_and(|c| {
        let (reserved, used, _) = c.usage();
        reserved - used >= ENOUGH.min(reserved / 10)
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

/// Tells, as HotSpot does, that there is no room for more code; everyone if it is the `first` time.
pub fn report_full(first: bool) {
    log!(Info, [codecache], "Code cache is full - disabling compilation");
    if !first {
        return;
    }
    let full = "CodeCache is full. Compiler has been disabled.";
    let hint = "Try increasing the code cache size using -XX:ReservedCodeCacheSize=";
    log!(Warning, [codecache], "{full}");
    log!(Warning, [codecache], "{hint}");
    vm_warning!("{full}");
    vm_warning!("{hint}");
    crate::compiler::log::out(&summary());
}

/// The state of the cache in HotSpot's words.
pub fn summary() -> String {
    let Some(c) = cache::get() else { return "CodeCache: none".to_string() };
    let (reserved, used, peak) = c.usage();
    let (low, high) = c.bounds();
    let blobs = compiled::all().len();
    let enabled = broker::get().is_some_and(|b| b.is_enabled());
    let (stops, restarts) = broker::get().map_or((0, 0), |b| b.stops_and_restarts());
    format!(
        "CodeCache: size={}Kb used={}Kb max_used={}Kb free={}Kb\n bounds [{low:#018x}, {:#018x}, {high:#018x}]\n \
         total_blobs={blobs} nmethods={blobs} adapters=0\n compilation: {}\n              \
         stopped_count={stops}, restarted_count={restarts}\n full_count={stops}",
        reserved >> 10,
        used >> 10,
        peak >> 10,
        (reserved - used) >> 10,
        low + peak,
        if enabled { "enabled" } else { "disabled (not enough contiguous free space left)" },
    )
}
