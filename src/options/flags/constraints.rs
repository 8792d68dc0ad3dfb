//! Constraints that tie flags to each other, checked when all flags are known. What HotSpot checks
//! of its own compilers' code generation is left out: it means nothing here.

use super::{Flags, Origin};

/// Largest `CompileThreshold`: HotSpot's counters have one bit of other use.
const MAX_COMPILE_THRESHOLD: i64 = (i32::MAX >> 1) as i64;

impl Flags {
    /// HotSpot's line about each constraint that does not hold.
    pub(super) fn check_constraints(&self, interpreted: bool) -> Vec<String> {
        let mut lines = self.check_compilation(interpreted);
        let ordered = |low: &str, high: &str, text: &dyn Fn(u64, u64) -> String| {
            let (l, h) = (self.unsigned(low), self.unsigned(high));
            (l > h).then(|| text(l, h))
        };
        if self.bool("UseG1GC") {
            lines.extend(ordered("ConcGCThreads", "ParallelGCThreads", &|l, h| {
                format!("ConcGCThreads ({l}) must be less than or equal to ParallelGCThreads ({h})\n")
            }));
        }
        for (low, high) in
            [("MinHeapFreeRatio", "MaxHeapFreeRatio"), ("MinMetaspaceFreeRatio", "MaxMetaspaceFreeRatio")]
        {
            let at_most = ordered(low, high, &|l, h| {
                format!("{low} ({l}) must be less than or equal to {high} ({h})\n")
            });
            let at_least = ordered(low, high, &|l, h| {
                format!("{high} ({h}) must be greater than or equal to {low} ({l})\n")
            });
            // In HotSpot's order of declaration, which differs between the two pairs.
            if low == "MinHeapFreeRatio" {
                lines.extend(at_most.into_iter().chain(at_least));
            } else {
                lines.extend(at_least.into_iter().chain(at_most));
            }
        }
        if self.bool("UseParallelGC") {
            let (low, high) = ("InitialTenuringThreshold", "MaxTenuringThreshold");
            lines.extend(ordered(low, high, &|l, h| {
                format!("{high} ({h}) must be greater than or equal to {low} ({l})\n")
            }));
            lines.extend(ordered(low, high, &|l, h| {
                format!("{low} ({l}) must be less than or equal to {high} ({h})\n")
            }));
        }
        let interval = self.signed("PerfDataSamplingInterval");
        if interval % 10 != 0 {
            lines.push(format!(
                "PerfDataSamplingInterval ({interval}) must be evenly divisible by PeriodicTask::interval_gran (10)\n"
            ));
        }
        let padding = self.signed("ContendedPaddingWidth");
        if padding % 8 != 0 {
            lines.push(format!("ContendedPaddingWidth ({padding}) must be a multiple of 8\n"));
        }
        lines
    }

    fn check_compilation(&self, interpreted: bool) -> Vec<String> {
        let mut lines = Vec::new();
        let threshold = self.signed("CompileThreshold");
        if !(0..=MAX_COMPILE_THRESHOLD).contains(&threshold) {
            lines.push(
                "OnStackReplacePercentage cannot be validated because CompileThreshold value is invalid\n"
                    .to_string(),
            );
            lines.push(format!(
                "CompileThreshold ({threshold}) must be between 0 and {MAX_COMPILE_THRESHOLD}\n"
            ));
        } else {
            let percentage = self.signed("OnStackReplacePercentage");
            let profile = self.signed("InterpreterProfilePercentage");
            let most = i64::from(i32::MAX) * 100 / threshold.max(1) + profile;
            if percentage < profile {
                lines.push(format!(
                    "OnStackReplacePercentage ({percentage}) must be larger than \
                     InterpreterProfilePercentage ({profile})\n"
                ));
            } else if percentage > most {
                lines.push(format!(
                    "OnStackReplacePercentage ({percentage}) must be between 0 and {most}\n"
                ));
            }
        }
        let two_tiers = self.bool("TieredCompilation") && self.signed("TieredStopAtLevel") > 1;
        let least = match (interpreted, two_tiers) {
            (true, _) => 0,
            (false, true) => 2,
            (false, false) => 1,
        };
        let compilers = self.signed("CICompilerCount");
        // The default suits every mode: HotSpot computes it.
        if self.origin("CICompilerCount") != Origin::Default && compilers < least {
            lines.push(format!("CICompilerCount ({compilers}) must be at least {least} \n"));
        }
        lines
    }
}
