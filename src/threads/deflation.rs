//! Taking monitors back from objects that nobody locks or waits at any more: a thread of the VM's own looks after
//! HotSpot's intervals and thresholds, and tells of it as HotSpot does (`-Xlog:monitorinflation`). What there is to
//! take back is taken in a pause.

use super::{lifecycle, monitor, monitor_table as table, registry, safepoint, state, JavaThread};
use crate::log;
use crate::log_enabled;
use crate::options::flags::Flags;
use parking_lot::Mutex;
use std::time::{Duration, Instant};

/// The flags about deflation. An interval of 0 switches off what goes by it.
struct Policy {
    /// How long to wait between two looks.
    wait: Duration,
    interval: Duration,
    guaranteed: Duration,
    /// Of 100 monitors that there may be, how many may be in use; 0: as many as will.
    threshold: usize,
    max_failures: u64,
    per_thread: usize,
    max_at_once: usize,
}

/// What the deflations so far have come to.
#[derive(Default)]
struct Progress {
    /// Deflations in a row that have found nothing.
    failures: u64,
    /// More monitors than the threads' number suggests are usual here.
    raise: usize,
}

static PROGRESS: Mutex<Progress> = Mutex::new(Progress { failures: 0, raise: 0 });

/// Logs as HotSpot does: on level debug if that is wanted, else info.
macro_rules! tell {
    ($($arg:tt)+) => {
        if log_enabled!(Debug, [monitorinflation]) {
            log!(Debug, [monitorinflation], $($arg)+)
        } else {
            log!(Info, [monitorinflation], $($arg)+)
        }
    };
}

impl Policy {
    /// `None` if all intervals are 0.
    fn new(flags: &Flags) -> Option<Policy> {
        let millis = |name| Duration::from_millis(flags.signed(name).max(0) as u64);
        let (interval, guaranteed) = (millis("AsyncDeflationInterval"), millis("GuaranteedAsyncDeflationInterval"));
        // HotSpot once deflated in safepoints: who sets their interval may mean that.
        let waits = [millis("GuaranteedSafepointInterval"), interval, guaranteed];
        Some(Policy {
            wait: waits.into_iter().filter(|d| !d.is_zero()).min()?,
            interval,
            guaranteed,
            threshold: flags.signed("MonitorUsedDeflationThreshold").max(0) as usize,
            max_failures: flags.unsigned("NoAsyncDeflationProgressMax"),
            per_thread: flags.unsigned("AvgMonitorsPerThreadEstimate") as usize,
            max_at_once: flags.signed("MonitorDeflationMax").max(0) as usize,
        })
    }

    /// How many monitors this many threads may well need.
    fn ceiling(&self, p: &Progress) -> usize {
        (registry::count() + 1).saturating_mul(self.per_thread).saturating_add(p.raise)
    }

    /// Whether so many monitors are in use that it is worth a look which of them are idle.
    fn above_threshold(&self, p: &mut Progress) -> bool {
        let (used, most) = table::usage();
        if self.threshold == 0 || used == 0 {
            return false;
        }
        let estimate = self.ceiling(p);
        let mut ceiling = estimate.max(most).max(1);
        if self.max_failures != 0 && p.failures >= self.max_failures {
            let raised = ceiling.saturating_add(ceiling * (100 - self.threshold) / 100 + 1);
            log!(
                Info,
                [monitorinflation],
                "Too many deflations without progress; bumping in_use_list_ceiling from {estimate} to {raised}"
            );
            p.raise += raised - estimate;
            p.failures = 0;
            ceiling = raised;
        }
        let usage = used.saturating_mul(100) / ceiling;
        if usage > self.threshold {
            log!(
                Info,
                [monitorinflation],
                "monitors_used={used}, ceiling={ceiling}, monitor_usage={usage}, threshold={}",
                self.threshold
            );
        }
        usage > self.threshold
    }

    /// Whether it is time for a deflation, and if so, whether only because the last one is long ago.
    fn due(&self, last: Instant) -> Option<bool> {
        let since = last.elapsed();
        if !self.interval.is_zero() && since > self.interval && self.above_threshold(&mut PROGRESS.lock()) {
            log!(Info, [monitorinflation], "Async deflation needed: monitors used are above the threshold");
            return Some(false);
        }
        if !self.guaranteed.is_zero() && since > self.guaranteed {
            log!(
                Info,
                [monitorinflation],
                "Async deflation needed: guaranteed interval ({} ms) is greater than time since last deflation ({} ms)",
                self.guaranteed.as_millis(),
                since.as_millis()
            );
            return Some(true);
        }
        None
    }

    /// Deflates by `take`, which is given the most monitors to deflate, and tells of it; how many have been deflated.
    fn deflate(&self, take: impl FnOnce(usize) -> usize) -> usize {
        let tell_usage = |what: &str| {
            let ((count, most), ceiling) = (table::usage(), self.ceiling(&PROGRESS.lock()));
            tell!("{what} deflating: in_use_list stats: ceiling={ceiling}, count={count}, max={most}");
        };
        let told = log_enabled!(Info, [monitorinflation]);
        if told {
            tell_usage("begin");
        }
        let start = Instant::now();
        let deflated = take(self.max_at_once);
        if told {
            if deflated != 0 || log_enabled!(Debug, [monitorinflation]) {
                tell!("deflated {deflated} monitors in {:.7} secs", start.elapsed().as_secs_f64());
            }
            tell_usage("end");
        }
        deflated
    }
}

/// Starts the thread that deflates, unless the flags leave it nothing to do.
///
/// # Errors
/// A text: the thread cannot be started.
pub fn start(flags: &Flags) -> Result<(), String> {
    let Some(policy) = Policy::new(flags) else {
        crate::vm_warning!("Async deflation is disabled");
        return Ok(());
    };
    std::thread::Builder::new()
        // As much of "Monitor Deflation Thread" as Linux takes.
        .name("Monitor Deflati".into())
        .spawn(move || {
            if let Ok(t) = lifecycle::attach_hidden() {
                serve(t, &policy)
            }
        })
        .map(drop)
        .map_err(|e| format!("cannot start the monitor deflation thread: {e}"))
}

/// The thread's life.
fn serve(t: &JavaThread, policy: &Policy) {
    let mut last = Instant::now();
    loop {
        state::blocked(t, || std::thread::sleep(policy.wait));
        let Some(only_guaranteed) = policy.due(last) else { continue };
        last = Instant::now();
        let deflated = policy.deflate(|most| in_pause(t, most));
        let mut p = PROGRESS.lock();
        match deflated {
            // Nobody has said that there are too many: it is no failure.
            0 if only_guaranteed => {}
            0 => p.failures += 1,
            _ => p.failures = 0,
        }
    }
}

/// Deflates up to `most` idle monitors; how many there were. Without a pause if there are none.
fn in_pause(t: &JavaThread, most: usize) -> usize {
    if !monitor::any_idle() {
        return 0;
    }
    safepoint::stop_the_world(t, "MonitorDeflation", |_| monitor::deflate_idle(most))
}

/// Deflates what is idle now, whatever the flags say; whether there was anything.
pub fn deflate_now(t: &JavaThread) -> bool {
    in_pause(t, usize::MAX) != 0
}

/// The last deflation, in the pause in which the VM ends, and what monitors are left.
pub fn final_audit(flags: &Flags) {
    log!(Info, [monitorinflation], "Starting the final audit.");
    if !log_enabled!(Info, [monitorinflation]) {
        return;
    }
    if let Some(policy) = Policy::new(flags) {
        while policy.deflate(monitor::deflate_idle) != 0 {}
    }
    let (count, most) = table::usage();
    tell!("Checking in_use_list:");
    tell!("count={count}, max={most}");
    let left = monitor::describe_inflated();
    let verdict = if left.len() == count { "equals" } else { "is not equal to" };
    tell!("in_use_count={count} {verdict} ck_in_use_count={}", left.len());
    if left.is_empty() {
        return;
    }
    tell!("In-use monitor info:");
    tell!("(B -> is_busy, H -> has hash code, L -> lock status)");
    tell!("{:>18}  {}  {:>18}  {:>18}", "monitor", "BHL", "object", "object type");
    tell!("==================  ===  ==================  ==================");
    for line in left {
        tell!("{line}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_monitors_there_are_not_too_many() {
        let policy = Policy {
            wait: Duration::from_millis(1),
            interval: Duration::from_millis(1),
            guaranteed: Duration::ZERO,
            threshold: 50,
            max_failures: 3,
            per_thread: 10,
            max_at_once: 1,
        };
        let mut p = Progress { failures: 3, raise: 0 };
        // Nothing is in use in this process: no reason to raise the ceiling either.
        assert!(!policy.above_threshold(&mut p));
        assert_eq!((p.failures, p.raise), (3, 0));
    }
}
