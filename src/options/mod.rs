//! The VM's options as HotSpot's `arguments.cpp` has them: what `JNI_CreateJavaVM` gets in
//! `JavaVMInitArgs` (the launcher's own options are gone by then), the environment variables
//! `JAVA_TOOL_OPTIONS` and `_JAVA_OPTIONS`, option files, flags, and what follows from all of
//! them. Messages and the order of things are HotSpot's.
//!
//! Parsing has no effect outside itself: it gives an [`Options`] or an [`OptionError`], both with
//! what is to be printed. [`Options::install`] prints and sets up logging.

use std::ffi::OsString;

mod assertions;
mod command_line;
mod ergonomics;
mod flag_args;
pub mod flags;
mod memory;
mod messages;
mod parser;
mod processor;
mod properties;
mod size;
mod sources;
mod special;

pub use assertions::Assertions;
pub use flags::Flags;
pub use messages::{Messages, OptionError, Outcome, Stream};
pub use properties::{Properties, Property};

pub(crate) use flags::similarity;
pub(crate) use size::parse_size;

use crate::observe::{log, set_warnings_enabled};

/// `-Xint`, `-Xmixed`, `-Xcomp`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ExecutionMode {
    Interpreted,
    Mixed,
    Compiled,
}

impl ExecutionMode {
    /// The words for the property `java.vm.info`.
    pub fn info(self) -> &'static str {
        match self {
            ExecutionMode::Interpreted => "interpreted mode",
            ExecutionMode::Mixed => "mixed mode",
            ExecutionMode::Compiled => "compiled mode",
        }
    }
}

/// The collector: `-XX:KilnGC=`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Plan {
    StickyImmix,
    ImmixDefrag,
    MarkSweep,
    None,
}

/// What the VM acts on, resolved from the flags once. Sizes are in bytes.
#[derive(Clone, Debug)]
pub struct Settings {
    pub mode: ExecutionMode,
    /// Processors that the VM may use (`Runtime.availableProcessors`).
    pub processors: usize,
    pub max_heap: usize,
    pub initial_heap: usize,
    pub min_heap: usize,
    /// Stack of a Java thread for which the program asks no size.
    pub thread_stack: usize,
    pub plan: Plan,
    /// Allocated bytes between two forced collections under `-XX:+GCStress`.
    pub gc_stress_interval: Option<usize>,
    pub stress_seed: u32,
    pub safepoint_stress: bool,
    pub deopt_stress: bool,
    pub verify_ir: bool,
    /// `-XX:±ShowCodeDetailsInExceptionMessages`.
    pub helpful_null_pointer_messages: bool,
    /// Verify classes of the boot loader.
    pub verify_boot_classes: bool,
    /// Verify classes of all other loaders.
    pub verify_other_classes: bool,
    pub check_jni: bool,
    /// `-Xrs`: no shutdown hooks on signals, no thread dump on SIGQUIT.
    pub reduce_signal_usage: bool,
    pub class_unloading: bool,
    /// `-XX:+DisableExplicitGC`: `System.gc()` does nothing.
    pub explicit_gc_disabled: bool,
    pub stack_trace_in_throwable: bool,
    /// Frames kept in a stack trace; 0: all.
    pub max_stack_trace_depth: usize,
    /// Stack traces show frames of hidden methods.
    pub show_hidden_frames: bool,
    /// `-XX:MaxDirectMemorySize`; 0: as much as the heap.
    pub max_direct_memory: u64,
    pub white_box: bool,
    /// `-XX:MallocMaxTestWords`: words after which `Unsafe` gets no more memory outside the heap.
    pub malloc_limit: Option<u64>,
    /// How `@Contended` is honoured; `None` under `-XX:-EnableContended`.
    pub contended_padding: Option<ContendedPadding>,
}

/// The flags on `@Contended`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ContendedPadding {
    /// Bytes that keep contended fields apart.
    pub width: u32,
    /// Only classes of the class library may ask for it.
    pub restricted: bool,
}

/// The parsed options.
pub struct Options {
    pub flags: Flags,
    /// What the VM defines, and every `-D`, in order. The caller fills in what depends on the
    /// JDK: see [`Properties::define`].
    pub properties: Properties,
    pub assertions: Assertions,
    pub settings: Settings,
    /// `-Xbootclasspath/a:`, joined with colons.
    pub boot_class_path_append: OsString,
    /// `--patch-module`: module and path, in order.
    pub module_patches: Vec<(String, OsString)>,
    pub enable_preview: bool,
    /// The main class or jar with its arguments, as the launcher gives it.
    pub java_command: Option<OsString>,
    /// All options of all sources but those that only the launcher adds (`getInputArguments`).
    pub vm_args: Vec<OsString>,
    messages: Messages,
    log: log::Configuration,
}

impl Options {
    /// Parses the options in HotSpot's order: `JAVA_TOOL_OPTIONS`, `args`, `_JAVA_OPTIONS`, each
    /// with its `-XX:VMOptionsFile=` expanded; the file of `-XX:Flags=` before all of them. `env`
    /// gives environment variables; `ignore_unrecognized` is that field of `JavaVMInitArgs`.
    ///
    /// # Errors
    /// An option is wrong, or asks only for something to be printed (`-Xlog:help`); see
    /// [`OptionError::report`].
    pub fn parse(
        args: &[OsString],
        env: &dyn Fn(&str) -> Option<OsString>,
        ignore_unrecognized: bool,
    ) -> Result<Options, OptionError> {
        let mut parser = parser::Parser::new(env);
        match parser.run(args, ignore_unrecognized) {
            Ok(settings) => Ok(parser.into_options(settings)),
            Err(outcome) => Err(OptionError { messages: parser.messages, outcome }),
        }
    }

    /// What parsing wants printed.
    pub fn messages(&self) -> &Messages {
        &self.messages
    }

    /// Prints what is to be printed and makes the logging options and `-XX:±PrintWarnings` those
    /// of the process. To be called once.
    pub fn install(&mut self) {
        self.messages.emit();
        let file = match self.flags.text("LogFile") {
            Some(name) => name.replace("%p", &std::process::id().to_string()),
            None => format!("hotspot_pid{}.log", std::process::id()),
        };
        if let Some(Err(error)) = self.messages.write_log(file.as_ref()) {
            crate::vm_warning!("Cannot open log file: {file} ({error})");
        }
        self.messages = Messages::default();
        log::install(std::mem::take(&mut self.log));
        set_warnings_enabled(self.flags.bool("PrintWarnings"));
    }
}
