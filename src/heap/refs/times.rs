//! How long a collection takes with references, and how many it meets and clears: `-Xlog:gc+phases+ref=debug` in
//! HotSpot's form.

use crate::log;
use crate::meta::class::ReferenceKind;
use parking_lot::Mutex;
use std::time::{Duration, Instant};

/// What is done with the references that were met, in this order.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    ClearSoft,
    ClearWeak,
    /// Finding the final references whose referents are dead.
    FindFinal,
    /// Keeping those alive. What hangs on them is traced with everything else.
    KeepFinal,
    ClearPhantom,
}

const STEPS: usize = 5;

/// References of one kind.
#[derive(Clone, Copy, Default)]
struct Count {
    discovered: usize,
    cleared: usize,
}

/// What one collection has done.
struct Times {
    steps: [Option<Duration>; STEPS],
    /// Soft, weak, final, phantom.
    counts: [Count; 4],
}

static TIMES: Mutex<Times> = Mutex::new(Times::NONE);

impl Times {
    const NONE: Times = Times { steps: [None; STEPS], counts: [Count { discovered: 0, cleared: 0 }; 4] };

    fn phase(&self, steps: &[Step]) -> Duration {
        steps.iter().filter_map(|s| self.steps[*s as usize]).sum()
    }
}

/// Runs a step with references of `kind` (`met` of them): `f` tells how many it has cleared.
pub(super) fn step(kind: ReferenceKind, step: Step, met: usize, f: impl FnOnce() -> usize) {
    let index = match kind {
        ReferenceKind::None => return,
        ReferenceKind::Soft => 0,
        ReferenceKind::Weak => 1,
        ReferenceKind::Final => 2,
        ReferenceKind::Phantom => 3,
    };
    let start = Instant::now();
    let cleared = f();
    if met == 0 {
        return;
    }
    let elapsed = start.elapsed();
    let mut times = TIMES.lock();
    *times.steps[step as usize].get_or_insert_default() += elapsed;
    // Final references are counted when they are looked for, not again when they are kept.
    if step != Step::KeepFinal {
        times.counts[index].discovered += met;
    }
    times.counts[index].cleared += cleared;
}

fn millis(d: Duration) -> f64 {
    d.as_secs_f64() * 1000.0
}

/// The time of a step: of the worker that has made it, if references are said to be processed in parallel.
fn step_line(name: &str, time: Option<Duration>, by_worker: bool) -> String {
    let time = time.map(millis);
    match (by_worker, time) {
        (true, Some(t)) => format!(
            "{:<25} Min: {t:4.1}, Avg: {t:4.1}, Max: {t:4.1}, Diff: {:4.1}, Sum: {t:4.1}, Workers: 1",
            format!("{name} (ms):"),
            0.0
        ),
        (true, None) => format!("{:<25} skipped", format!("{name} (ms):")),
        (false, Some(t)) => format!("{name}: {t:.1}ms"),
        (false, None) => format!("{name}: skipped"),
    }
}

/// Logs the times of the collection that ends, called `id`, and forgets them. Soft references are decided when they
/// are met, so that nothing remains to be reconsidered.
pub(in crate::heap) fn report(id: &str) {
    let times = std::mem::replace(&mut *TIMES.lock(), Times::NONE);
    if !crate::log_enabled!(Debug, [gc, phases, ref]) {
        return;
    }
    let Some(vm) = crate::vm::try_get() else { return };
    let by_worker = vm.options.flags.bool("ParallelRefProcEnabled");
    // G1 shows it as a part of its pause's phases.
    let base = if vm.options.flags.bool("UseG1GC") { 4 } else { 0 };
    let line = |indent: usize, text: &str| log!(Debug, [gc, phases, ref], "{id} {:1$}{text}", "", base + indent);
    let part = |name: &str, steps: &[Step]| {
        let made = steps.iter().any(|s| times.steps[*s as usize].is_some());
        line(4, &step_line(name, made.then(|| times.phase(steps)), by_worker))
    };
    let phase = |name: &str, steps: &[Step]| line(2, &format!("{name}: {:.1}ms", millis(times.phase(steps))));
    use Step::*;
    let all = [ClearSoft, ClearWeak, FindFinal, KeepFinal, ClearPhantom];
    line(0, &format!("Reference Processing: {:.1}ms", millis(times.phase(&all))));
    phase("Reconsider SoftReferences", &[]);
    part("SoftRef", &[]);
    phase("Notify Soft/WeakReferences", &[ClearSoft, ClearWeak, FindFinal]);
    part("SoftRef", &[ClearSoft]);
    part("WeakRef", &[ClearWeak]);
    part("FinalRef", &[FindFinal]);
    part("Total", &[ClearSoft, ClearWeak, FindFinal]);
    phase("Notify and keep alive finalizable", &[KeepFinal]);
    part("FinalRef", &[KeepFinal]);
    phase("Notify PhantomReferences", &[ClearPhantom]);
    part("PhantomRef", &[ClearPhantom]);
    for (name, count) in ["Soft", "Weak", "Final", "Phantom"].iter().zip(times.counts) {
        line(2, &format!("{name}Reference:"));
        line(4, &format!("Discovered: {}", count.discovered));
        line(4, &format!("Cleared: {}", count.cleared));
    }
}
