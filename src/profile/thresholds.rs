//! When a method changes tier: HotSpot's predicates (`CompilationPolicy`) over its counters.

use crate::options::Flags;

/// The flags that the policy acts on.
#[derive(Clone, Debug)]
pub struct Thresholds {
    /// By the tier that code is compiled for: tier 3 (from the interpreter), tier 4 (from tier 3).
    pub quick: Limits,
    pub optimized: Limits,
    /// log2 of the calls and back-edges between two looks at the counters.
    pub tier0_invoke_notify: u32,
    pub tier0_backedge_notify: u32,
    pub tier3_invoke_notify: u32,
    pub tier3_backedge_notify: u32,
    /// With more than this many tasks a thread waiting for tier 4, methods are compiled without profiling.
    pub delay_on: usize,
    /// `-XX:TieredStopAtLevel`.
    pub highest_tier: u8,
    /// False: straight from the interpreter to tier 4.
    pub tiered: bool,
    /// `-Xcomp`.
    pub always: bool,
    pub background: bool,
    pub osr: bool,
    pub quick_threads: usize,
    pub optimized_threads: usize,
}

/// HotSpot's Tier*InvocationThreshold, MinInvocation, Compile, BackEdge and LoadFeedback.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub invocations: f64,
    pub min_invocations: f64,
    pub compile: f64,
    pub backedges: f64,
    pub load_feedback: f64,
}

impl Limits {
    /// Whether a method invoked `i` times with `b` back-edges is to be compiled, `s` being the queue's length
    /// factor.
    pub fn call(&self, i: u32, b: u32, s: f64) -> bool {
        let (i, b) = (f64::from(i), f64::from(b));
        i >= self.invocations * s || i >= self.min_invocations * s && i + b >= self.compile * s
    }

    /// Whether a loop is to be compiled on its own.
    pub fn loops(&self, b: u32, s: f64) -> bool {
        f64::from(b) >= self.backedges * s
    }
}

impl Thresholds {
    /// From the command line. `processors` decides how many compiler threads there are unless
    /// `-XX:CICompilerCount` does.
    pub fn new(flags: &Flags, always: bool, processors: usize) -> Thresholds {
        let scale = flags.double("CompileThresholdScaling");
        let tiered = flags.bool("TieredCompilation");
        let limits = |tier: u32| {
            let flag = |suffix: &str| flags.signed(&format!("Tier{tier}{suffix}")) as f64;
            Limits {
                invocations: flag("InvocationThreshold") * scale,
                min_invocations: flag("MinInvocationThreshold") * scale,
                compile: flag("CompileThreshold") * scale,
                backedges: flag("BackEdgeThreshold") * scale,
                load_feedback: flag("LoadFeedback").max(1.0),
            }
        };
        let mut optimized = limits(4);
        if !tiered {
            let threshold = flags.signed("CompileThreshold") as f64 * scale;
            let osr = threshold * flags.signed("OnStackReplacePercentage") as f64 / 100.0;
            optimized = Limits {
                invocations: threshold,
                min_invocations: threshold,
                compile: threshold,
                backedges: osr,
                load_feedback: optimized.load_feedback,
            };
        }
        let log = |name: &str| scaled_log(flags.signed(name).clamp(0, 30) as u32, scale);
        let threads = if flags.is_default("CICompilerCount") {
            compiler_count(processors)
        } else {
            (flags.signed("CICompilerCount").max(1)) as usize
        };
        let quick_threads = (threads / 3).max(1);
        Thresholds {
            quick: limits(3),
            optimized,
            tier0_invoke_notify: log("Tier0InvokeNotifyFreqLog"),
            tier0_backedge_notify: log("Tier0BackedgeNotifyFreqLog"),
            tier3_invoke_notify: if always { 0 } else { log("Tier3InvokeNotifyFreqLog") },
            tier3_backedge_notify: log("Tier3BackedgeNotifyFreqLog"),
            delay_on: flags.signed("Tier3DelayOn").max(0) as usize,
            highest_tier: flags.signed("TieredStopAtLevel").clamp(0, 4) as u8,
            tiered,
            always,
            background: flags.bool("BackgroundCompilation"),
            osr: flags.bool("UseOnStackReplacement"),
            quick_threads,
            optimized_threads: threads.saturating_sub(quick_threads).max(1),
        }
    }
}

/// HotSpot's count of compiler threads: log2(n) * log2(log2(n)) * 3 / 2, at least 2.
fn compiler_count(processors: usize) -> usize {
    let log = usize::BITS - processors.max(1).leading_zeros() - 1;
    let loglog = if log > 0 { u32::BITS - log.leading_zeros() - 1 } else { 0 };
    (log as usize * loglog as usize * 3 / 2).max(2)
}

/// A notification frequency under `-XX:CompileThresholdScaling`.
fn scaled_log(log: u32, scale: f64) -> u32 {
    if scale == 1.0 || log == 0 {
        return log;
    }
    let n = f64::from(1u32 << log) * scale;
    if n < 1.0 {
        0
    } else {
        (n.log2() as u32).min(30)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIER3: Limits =
        Limits { invocations: 200.0, min_invocations: 100.0, compile: 2000.0, backedges: 60000.0, load_feedback: 5.0 };

    #[test]
    fn invocations_or_both_counters() {
        assert!(!TIER3.call(199, 1800, 1.0));
        assert!(TIER3.call(200, 0, 1.0));
        assert!(TIER3.call(100, 1900, 1.0));
        assert!(!TIER3.call(99, 100_000, 1.0));
        assert!(!TIER3.call(200, 0, 1.5));
        assert!(TIER3.loops(60_000, 1.0) && !TIER3.loops(60_000, 1.1));
    }

    #[test]
    fn compiler_threads_by_processors() {
        assert_eq!([1, 2, 4, 8, 16, 64].map(compiler_count), [2, 2, 3, 4, 12, 18]);
    }

    #[test]
    fn notifications_scale_with_thresholds() {
        assert_eq!([scaled_log(10, 1.0), scaled_log(10, 0.01), scaled_log(7, 0.001), scaled_log(7, 4.0)], [10, 3, 0, 9]);
    }
}
