//! What is decided once all options are known: collector, heap sizes, consistency.

use super::flags::{Origin, Value};
use super::memory;
use super::messages::Outcome;
use super::parser::Parser;
use super::{ContendedPadding, ExecutionMode, Plan, Settings};
use crate::observe::log::{self, Level};

const K: u64 = 1 << 10;
const M: u64 = 1 << 20;
const G: u64 = 1 << 30;

/// Smallest stack of a Java thread that is accepted, in KiB: HotSpot's on x86-64 with 4 KiB pages.
const MIN_JAVA_STACK: i64 = 136;
/// Smallest stack of a compiler thread that is accepted, in KiB.
const MIN_COMPILER_STACK: i64 = 144;
/// Smallest stack of a VM-internal thread that is accepted, in KiB.
const MIN_VM_STACK: i64 = 64;
/// Default stack of a Java thread, in KiB, where the option says 0.
const DEFAULT_JAVA_STACK: i64 = 1024;
/// Heap sizes are multiples of this: what one page of HotSpot's card table covers.
const MIN_HEAP_ALIGNMENT: u64 = 2 * M;
/// References are 32 bits scaled by 8.
const MAX_COMPRESSED_HEAP: u64 = 32 * G;
/// Smallest code cache that is accepted.
const MIN_CODE_CACHE: u64 = 400 * K;
/// Largest code cache that is accepted.
const MAX_CODE_CACHE: u64 = 2 * G;

const COLLECTORS: [&str; 6] =
    ["UseEpsilonGC", "UseG1GC", "UseParallelGC", "UseSerialGC", "UseShenandoahGC", "UseZGC"];

impl Parser<'_> {
    /// The properties that the VM defines before any option is read. Those that are not writeable
    /// cannot be changed by `-D`.
    pub(super) fn vm_properties(&mut self) {
        let fixed = [
            ("java.vm.specification.name", "Java Virtual Machine Specification"),
            ("java.vm.version", ""),
            ("java.vm.name", crate::observe::VM_NAME),
            ("jdk.debug", "release"),
        ];
        for (key, value) in fixed {
            self.properties.set(key, value, false, false);
        }
        for key in ["sun.boot.library.path", "java.library.path", "java.home", "java.class.path"] {
            self.properties.set(key, "", true, false);
        }
        self.properties.set("jdk.boot.class.path.append", "", true, true);
        self.properties.set("java.vm.info", "", true, false);
        self.properties.set("java.vm.specification.vendor", "Oracle Corporation", false, false);
        self.properties.set("java.vm.specification.version", "17", false, false);
        self.properties.set("java.vm.vendor", "", false, false);
    }

    /// Everything that depends on several options but not on the machine.
    pub(super) fn finish_arguments(&mut self) -> Result<(), Outcome> {
        let scaling = self.flags.double("CompileThresholdScaling");
        let no_threshold =
            !self.flags.bool("TieredCompilation") && self.flags.signed("CompileThreshold") == 0;
        if (self.no_compiler && !self.xdebug) || scaling == 0.0 || no_threshold {
            self.set_mode(ExecutionMode::Interpreted);
        }
        if self.flags.bool("IgnoreEmptyClassPaths") {
            self.drop_empty_class_path_entries();
        }
        let mode = self.flags.text("CompilationMode").unwrap_or("default").to_string();
        let modes = ["default", "normal", "quick-only", "high-only", "high-only-quick-internal"];
        if !modes.contains(&mode.as_str()) {
            self.messages.err(format!(
                "Unsupported compilation mode '{mode}', available modes are: quick-only, high-only, \
                 high-only-quick-internal\n"
            ));
            return Err(Outcome::Error);
        }
        if !self.check_code_cache() {
            return Err(Outcome::Error);
        }
        if self.mode == ExecutionMode::Interpreted {
            self.switch_compilers_off();
        }
        Ok(())
    }

    /// `-Xint`: the flags that ask for compilers lose.
    fn switch_compilers_off(&mut self) {
        for flag in ["UseCompiler", "ProfileInterpreter", "TieredCompilation"] {
            if self.flags.bool(flag) {
                if !self.flags.is_default(flag) {
                    self.warn(&format!("{flag} disabled due to -Xint."));
                }
                self.flags.set_by_rule(flag, Value::Bool(false), Origin::CommandLine);
            }
        }
        if self.flags.bool("SegmentedCodeCache") {
            self.warn("SegmentedCodeCache has no meaningful effect with -Xint");
            self.flags.set_quietly("SegmentedCodeCache", Value::Bool(false));
        }
    }

    fn drop_empty_class_path_entries(&mut self) {
        use std::os::unix::ffi::{OsStrExt, OsStringExt};
        let Some(path) = self.properties.get("java.class.path") else { return };
        let entries: Vec<&[u8]> =
            path.as_bytes().split(|b| *b == b':').filter(|entry| !entry.is_empty()).collect();
        let joined = std::ffi::OsString::from_vec(entries.join(&b':'));
        self.properties.set("java.class.path", joined, true, false);
    }

    fn check_code_cache(&mut self) -> bool {
        let reserved = self.flags.unsigned("ReservedCodeCacheSize");
        let initial = self.flags.unsigned("InitialCodeCacheSize");
        let refill = self.flags.unsigned("TLABRefillWasteFraction");
        let mut good = true;
        if refill == 0 {
            self.messages.err("TLABRefillWasteFraction should be a denominator, not 0\n");
            good = false;
        }
        let line = if reserved < initial {
            format!(
                "Invalid ReservedCodeCacheSize: {}K. Must be at least InitialCodeCacheSize={}K.\n",
                reserved / K,
                initial / K
            )
        } else if reserved < MIN_CODE_CACHE {
            format!(
                "Invalid ReservedCodeCacheSize={}K. Must be at least {}K.\n",
                reserved / K,
                MIN_CODE_CACHE / K
            )
        } else if reserved > MAX_CODE_CACHE {
            format!(
                "Invalid ReservedCodeCacheSize={}M. Must be at most {}M.\n",
                reserved / M,
                MAX_CODE_CACHE / M
            )
        } else {
            return good;
        };
        self.messages.err(line);
        false
    }

    /// `-Xloggc:`, `-XX:+PrintGC`, `-XX:+PrintGCDetails`, and the other checks that follow parsing.
    pub(super) fn finish_logging(&mut self) -> Result<(), Outcome> {
        let details = self.flags.bool("PrintGCDetails");
        let simple = self.flags.bool("PrintGC");
        let gc = log::tag_set(&["gc"]);
        for (set, flag, new) in [(simple, "PrintGC", "gc"), (details, "PrintGCDetails", "gc*")] {
            if set {
                let line = format!("-XX:+{flag} is deprecated. Will use -Xlog:{new} instead.");
                self.log.write(gc, Level::Warning, &line, &mut self.messages);
            }
        }
        if let Some(file) = self.gc_log_file.take() {
            let what = if details { "gc*" } else { "gc" };
            if let Err(lines) = self.log.apply(&file, what, "", "") {
                for line in lines {
                    let logging = log::tag_set(&["logging"]);
                    self.log.write(logging, Level::Error, &line, &mut self.messages);
                }
                return Err(Outcome::Invalid);
            }
        } else if simple || details {
            self.log.set_stdout(Level::Info, !details, &["gc"]);
        }
        let value_based = log::tag_set(&["valuebasedclasses"]);
        let wanted = self.flags.signed("DiagnoseSyncOnValueBasedClasses") == 2;
        if wanted && self.log.lowest_level(value_based).is_none_or(|l| l > Level::Info) {
            self.log.set_stdout(Level::Info, true, &["valuebasedclasses"]);
        }
        let tracking = self.flags.text("NativeMemoryTracking").unwrap_or("");
        if !matches!(tracking, "off" | "summary" | "detail") {
            self.messages
                .err("Syntax error, expecting -XX:NativeMemoryTracking=[off|summary|detail]");
            return Err(Outcome::Error);
        }
        if self.flags.bool("PrintNMTStatistics") && tracking == "off" {
            self.warn("PrintNMTStatistics is disabled, because native memory tracking is not enabled");
            self.flags.set_quietly("PrintNMTStatistics", Value::Bool(false));
        }
        Ok(())
    }

    fn ergo(&mut self, flag: &str, value: u64) {
        self.flags.set_by_rule(flag, Value::Unsigned(value), Origin::Ergonomic);
    }

    /// Decides what depends on the machine and checks the outcome.
    pub(super) fn ergonomics(&mut self) -> Result<Settings, Outcome> {
        let containers = self.flags.bool("UseContainerSupport");
        let memory = memory::physical_memory(containers);
        let processors = match self.flags.signed("ActiveProcessorCount") {
            count if count > 0 => count as usize,
            _ => memory::processors(containers),
        };
        self.select_collector(processors, memory)?;
        self.aggressive_heap(memory);
        self.heap_sizes(memory);
        self.check_heap_sizes()?;
        self.refuse_unused_instructions();
        if self.flags.bool("BytecodeVerificationLocal") {
            self.flags.set_quietly("BytecodeVerificationRemote", Value::Bool(true));
        }
        if self.flags.bool("PrintCommandLineFlags") {
            let line = self.flags.print_command_line();
            self.messages.tty(line);
        }
        let wrong = self.flags.check_after_ergonomics(self.mode == ExecutionMode::Interpreted);
        if !wrong.is_empty() {
            for line in wrong {
                self.messages.err(line);
            }
            return Err(Outcome::Invalid);
        }
        self.check_stack_sizes()?;
        let settings = self.settings(processors)?;
        if self.flags.bool("PrintFlagsFinal") {
            let table = self.flags.print_table();
            self.messages.tty(table);
        }
        if self.flags.bool("PrintFlagsRanges") {
            let table = self.flags.print_ranges();
            self.messages.tty(table);
        }
        Ok(settings)
    }

    /// Kiln's collector is its own; HotSpot's choice is made all the same, so that its errors and
    /// what management beans see agree.
    fn select_collector(&mut self, processors: usize, memory: u64) -> Result<(), Outcome> {
        let selected =
            |parser: &Self| COLLECTORS.iter().filter(|flag| parser.flags.bool(flag)).count();
        if selected(self) == 0 {
            let server = self.flags.bool("AlwaysActAsServerClassMachine")
                || (processors >= 2 && memory >= 2 * G - 256 * M)
                    && !self.flags.bool("NeverActAsServerClassMachine");
            let choice = if server { "UseG1GC" } else { "UseSerialGC" };
            if self.flags.is_default(choice) {
                self.flags.set_by_rule(choice, Value::Bool(true), Origin::Ergonomic);
            }
        }
        match selected(self) {
            1 => self.set_up_collector_threads(processors),
            0 => Err(self.exit_during_initialization(
                "Garbage collector not selected (default collector explicitly disabled)",
            )),
            _ => Err(self.exit_during_initialization("Multiple garbage collectors selected")),
        }
    }

    /// The threads of HotSpot's collectors: five eighths of the processors beyond eight.
    fn set_up_collector_threads(&mut self, processors: usize) -> Result<(), Outcome> {
        let parallel = ["UseG1GC", "UseParallelGC"].into_iter().find(|flag| self.flags.bool(flag));
        let Some(collector) = parallel else { return Ok(()) };
        if self.flags.is_default("ParallelGCThreads") {
            let beyond = processors.saturating_sub(8) * 5 / 8;
            self.ergo("ParallelGCThreads", (processors.min(8) + beyond) as u64);
        } else if self.flags.unsigned("ParallelGCThreads") == 0 && collector == "UseG1GC" {
            return Err(self.exit_during_initialization(
                "The flag -XX:+UseG1GC can not be combined with -XX:ParallelGCThreads=0",
            ));
        } else if self.flags.unsigned("ParallelGCThreads") == 0 {
            self.messages.err("The Parallel GC can not be combined with -XX:ParallelGCThreads=0\n");
            return Err(Outcome::Invalid);
        }
        Ok(())
    }

    fn aggressive_heap(&mut self, memory: u64) {
        if self.flags.bool("AggressiveHeap") && self.flags.is_default("MaxHeapSize") {
            let size = limit_by_address_space((memory / 2).min(memory.saturating_sub(160 * M)));
            for flag in ["MaxHeapSize", "InitialHeapSize", "MinHeapSize"] {
                self.flags.set_by_rule(flag, Value::Unsigned(size), Origin::CommandLine);
            }
        }
    }

    /// The percentage of a flag, or of its deprecated predecessor, a divisor.
    fn ram_percentage(&self, name: &str) -> f64 {
        let (percentage, fraction) = (format!("{name}RAMPercentage"), format!("{name}RAMFraction"));
        if self.flags.is_default(&percentage) && !self.flags.is_default(&fraction) {
            100.0 / self.flags.unsigned(&fraction) as f64
        } else {
            self.flags.double(&percentage)
        }
    }

    /// Sizes that no option gives: by default a quarter of the memory at most, a sixty-fourth to
    /// begin with.
    fn heap_sizes(&mut self, memory: u64) {
        let own_limits = ["MaxRAMPercentage", "MinRAMPercentage", "InitialRAMPercentage", "MaxRAM"]
            .into_iter()
            .chain(["MaxRAMFraction", "MinRAMFraction", "InitialRAMFraction"])
            .any(|flag| !self.flags.is_default(flag));
        let max_ram = self.flags.unsigned("MaxRAM");
        let memory = if !self.flags.is_default("MaxRAM") {
            max_ram
        } else if own_limits {
            self.ergo("MaxRAM", memory);
            memory
        } else {
            memory.min(max_ram)
        };
        let share = |percent: f64| (memory as f64 * percent / 100.0) as u64;

        if self.flags.is_default("MaxHeapSize") {
            let built_in = self.flags.unsigned("MaxHeapSize");
            let small = share(self.ram_percentage("Min"));
            let mut max = if small < built_in {
                small
            } else {
                share(self.ram_percentage("Max")).max(built_in)
            };
            let limit = self.flags.unsigned("ErgoHeapSizeLimit");
            if limit != 0 {
                max = max.min(limit);
            }
            // Below 32 GiB, and with room for the null page and a low base address.
            max = max.min(MAX_COMPRESSED_HEAP - 2 * G - 32 * M);
            max = limit_by_address_space(max);
            if !self.flags.is_default("InitialHeapSize") {
                max = max.max(self.flags.unsigned("InitialHeapSize"));
            } else if !self.flags.is_default("MinHeapSize") {
                max = max.max(self.flags.unsigned("MinHeapSize"));
            }
            self.ergo("MaxHeapSize", max);
        }
        let largest = MAX_COMPRESSED_HEAP - 32 * M;
        if self.flags.unsigned("MaxHeapSize") > largest {
            self.warn(&format!(
                "Max heap size too large for compressed references, which this VM always uses; it is \
                 limited to {}M",
                largest / M
            ));
            self.ergo("MaxHeapSize", largest);
        }
        for flag in ["UseCompressedOops", "UseCompressedClassPointers"] {
            if self.flags.is_default(flag) {
                self.flags.set_by_rule(flag, Value::Bool(true), Origin::Ergonomic);
            }
        }

        let max = self.flags.unsigned("MaxHeapSize");
        let given_min = self.flags.unsigned("MinHeapSize");
        let smallest = self.flags.unsigned("OldSize") + self.flags.unsigned("NewSize");
        let smallest = limit_by_address_space(smallest.min(max));
        if self.flags.unsigned("InitialHeapSize") == 0 {
            let initial = limit_by_address_space(share(self.ram_percentage("Initial")));
            self.ergo("InitialHeapSize", initial.max(smallest).max(given_min).min(max));
        }
        if given_min == 0 {
            let initial = self.flags.unsigned("InitialHeapSize");
            self.ergo("MinHeapSize", smallest.min(initial));
        }
    }

    fn check_heap_sizes(&mut self) -> Result<(), Outcome> {
        let size = |parser: &Self, flag: &str| parser.flags.unsigned(flag);
        let (max, initial) = (size(self, "MaxHeapSize"), size(self, "InitialHeapSize"));
        let min = size(self, "MinHeapSize");
        let given = |flag: &str| self.flags.is_command_line(flag);
        let wrong = if given("MaxHeapSize") && given("InitialHeapSize") && initial > max {
            Some("Initial heap size set to a larger value than the maximum heap size")
        } else if given("MaxHeapSize") && given("MinHeapSize") && max < min {
            Some("Incompatible minimum and maximum heap sizes specified")
        } else if max < 2 * M {
            Some("Too small maximum heap")
        } else if initial < M {
            Some("Too small initial heap")
        } else if min < M {
            Some("Too small minimum heap")
        } else {
            None
        };
        if let Some(reason) = wrong {
            return Err(self.exit_during_initialization(reason));
        }
        let alignment = heap_alignment(max);
        for flag in ["MinHeapSize", "InitialHeapSize", "MaxHeapSize"] {
            let bytes = size(self, flag);
            if bytes % alignment != 0 {
                self.ergo(flag, bytes.next_multiple_of(alignment));
            }
        }
        let (max, initial) = (size(self, "MaxHeapSize"), size(self, "InitialHeapSize"));
        let given = |flag: &str| self.flags.is_command_line(flag);
        if given("InitialHeapSize") && given("MinHeapSize") && initial < size(self, "MinHeapSize") {
            let reason = "Incompatible minimum and initial heap sizes specified";
            return Err(self.exit_during_initialization(reason));
        }
        if initial > max {
            if self.flags.is_default("InitialHeapSize") || self.flags.origin("InitialHeapSize") == Origin::Ergonomic {
                self.ergo("InitialHeapSize", max);
                if max < size(self, "MinHeapSize") {
                    self.ergo("MinHeapSize", max);
                }
            } else {
                self.ergo("MaxHeapSize", initial);
            }
        }
        if self.flags.is_default("SoftMaxHeapSize") {
            let max = size(self, "MaxHeapSize");
            self.ergo("SoftMaxHeapSize", max);
        }
        Ok(())
    }

    fn check_stack_sizes(&mut self) -> Result<(), Outcome> {
        let checks = [
            ("ThreadStackSize", "Java thread stack size", MIN_JAVA_STACK),
            ("CompilerThreadStackSize", "CompilerThreadStackSize", MIN_COMPILER_STACK),
            ("VMThreadStackSize", "VMThreadStackSize", MIN_VM_STACK),
        ];
        for (flag, words, min) in checks {
            let size = self.flags.signed(flag);
            if size != 0 && size < min {
                self.messages.tty(format!(
                    "\nThe {words} specified is too small. Specify at least {min}k\n"
                ));
                return Err(Outcome::Error);
            }
        }
        Ok(())
    }

    fn settings(&mut self, processors: usize) -> Result<Settings, Outcome> {
        let plan = match self.flags.text("KilnGC") {
            None | Some("StickyImmix") => Plan::StickyImmix,
            Some("ImmixDefrag") => Plan::ImmixDefrag,
            Some("MarkSweep") => Plan::MarkSweep,
            Some("None") => Plan::None,
            Some(other) => {
                let line = format!(
                    "Unsupported garbage collector '{other}' in KilnGC, available are: StickyImmix, \
                     ImmixDefrag, MarkSweep, None\n"
                );
                self.messages.err(line);
                return Err(Outcome::Invalid);
            }
        };
        let stack = match self.flags.signed("ThreadStackSize") {
            0 => DEFAULT_JAVA_STACK,
            size => size,
        };
        let flags = &self.flags;
        Ok(Settings {
            mode: self.mode,
            processors,
            max_heap: flags.unsigned("MaxHeapSize") as usize,
            initial_heap: flags.unsigned("InitialHeapSize") as usize,
            min_heap: flags.unsigned("MinHeapSize") as usize,
            thread_stack: stack as usize * 1024,
            plan,
            gc_stress_interval: flags
                .bool("GCStress")
                .then(|| flags.unsigned("GCStressInterval") as usize),
            stress_seed: flags.unsigned("StressSeed") as u32,
            safepoint_stress: flags.bool("SafepointStress"),
            deopt_stress: flags.bool("DeoptStress"),
            verify_ir: flags.bool("VerifyIR"),
            helpful_null_pointer_messages: flags.bool("ShowCodeDetailsInExceptionMessages"),
            verify_boot_classes: flags.bool("BytecodeVerificationLocal"),
            verify_other_classes: flags.bool("BytecodeVerificationRemote"),
            check_jni: self.check_jni || flags.bool("CheckJNICalls"),
            reduce_signal_usage: flags.bool("ReduceSignalUsage"),
            class_unloading: flags.bool("ClassUnloading"),
            explicit_gc_disabled: flags.bool("DisableExplicitGC"),
            stack_trace_in_throwable: flags.bool("StackTraceInThrowable"),
            max_stack_trace_depth: flags.signed("MaxJavaStackTraceDepth").max(0) as usize,
            show_hidden_frames: flags.bool("ShowHiddenFrames"),
            max_direct_memory: flags.unsigned("MaxDirectMemorySize"),
            white_box: flags.bool("WhiteBoxAPI"),
            malloc_limit: Some(flags.unsigned("MallocMaxTestWords")).filter(|w| *w != 0),
            contended_padding: flags.bool("EnableContended").then(|| ContendedPadding {
                width: flags.signed("ContendedPaddingWidth") as u32,
                restricted: flags.bool("RestrictContended"),
            }),
        })
    }
}

/// HotSpot's heap alignment with its default collector: a region, of which there are about 2048,
/// or what a page of the card table covers.
fn heap_alignment(max_heap: u64) -> u64 {
    let region = (max_heap / 2048).clamp(M, 32 * M).next_power_of_two();
    MIN_HEAP_ALIGNMENT.max(region)
}

/// The heap takes at most half of a limited address space.
fn limit_by_address_space(size: u64) -> u64 {
    memory::address_space_limit().map_or(size, |limit| size.min(limit / 2))
}
