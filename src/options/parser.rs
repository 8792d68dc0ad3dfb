//! The state of parsing and the order of its steps.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use super::flags::{Flags, Origin, Value};
use super::messages::{Messages, Outcome};
use super::sources::Source;
use super::{Assertions, ExecutionMode, Options, Properties};
use crate::observe::{log, VM_NAME};

/// One option: its bytes, and the same as text for matching and messages.
#[derive(Clone, Debug)]
pub(super) struct VmOption {
    pub(super) raw: OsString,
    pub(super) text: String,
}

impl VmOption {
    pub(super) fn new(raw: OsString) -> VmOption {
        VmOption { text: raw.to_string_lossy().into_owned(), raw }
    }

    /// What follows `prefix`, if the option starts with it, in its original bytes.
    pub(super) fn tail(&self, prefix: &str) -> Option<OsString> {
        let tail = self.raw.as_bytes().strip_prefix(prefix.as_bytes())?;
        Some(OsStr::from_bytes(tail).to_os_string())
    }
}

pub(super) struct Parser<'a> {
    pub(super) env: &'a dyn Fn(&str) -> Option<OsString>,
    pub(super) messages: Messages,
    pub(super) log: log::Configuration,
    pub(super) flags: Flags,
    pub(super) properties: Properties,
    pub(super) assertions: Assertions,
    pub(super) mode: ExecutionMode,
    /// How many `jdk.module.` properties of each name there are.
    pub(super) counts: HashMap<&'static str, usize>,
    pub(super) patches: Vec<(String, OsString)>,
    pub(super) boot_append: OsString,
    pub(super) settings_file: Option<OsString>,
    pub(super) gc_log_file: Option<String>,
    pub(super) java_command: Option<OsString>,
    pub(super) vm_args: Vec<OsString>,
    pub(super) enable_preview: bool,
    pub(super) check_jni: bool,
    pub(super) xdebug: bool,
    /// `-Djava.compiler=NONE`: interpreted mode, unless debugging.
    pub(super) no_compiler: bool,
    pub(super) reserved_property_seen: bool,
}

impl<'a> Parser<'a> {
    pub(super) fn new(env: &'a dyn Fn(&str) -> Option<OsString>) -> Parser<'a> {
        Parser {
            env,
            messages: Messages::default(),
            log: log::Configuration::new(),
            flags: Flags::new(),
            properties: Properties::default(),
            assertions: Assertions::default(),
            mode: ExecutionMode::Mixed,
            counts: HashMap::new(),
            patches: Vec::new(),
            boot_append: OsString::new(),
            settings_file: None,
            gc_log_file: None,
            java_command: None,
            vm_args: Vec::new(),
            enable_preview: false,
            check_jni: false,
            xdebug: false,
            no_compiler: false,
            reserved_property_seen: false,
        }
    }

    /// A warning as [`crate::vm_warning!`] prints it, unless `-XX:-PrintWarnings` came before.
    pub(super) fn warn(&mut self, text: &str) {
        if self.flags.bool("PrintWarnings") {
            self.messages.err(format!("{VM_NAME} warning: {text}\n"));
        }
    }

    /// `-Xint`, `-Xmixed`, `-Xcomp` and what means the same. Sets the flags that say how to run,
    /// whatever earlier options said about them.
    pub(super) fn set_mode(&mut self, mode: ExecutionMode) {
        self.mode = mode;
        let (interpreted, compiled) =
            (mode == ExecutionMode::Interpreted, mode == ExecutionMode::Compiled);
        for (flag, value) in [
            ("UseInterpreter", !compiled),
            ("UseCompiler", !interpreted),
            ("UseLoopCounter", !interpreted),
            ("UseOnStackReplacement", !interpreted),
            ("BackgroundCompilation", !compiled),
        ] {
            self.flags.set_quietly(flag, Value::Bool(value));
        }
    }

    /// HotSpot's way to end when initialization fails after parsing.
    pub(super) fn exit_during_initialization(&mut self, reason: &str) -> Outcome {
        self.messages.tty(format!("Error occurred during initialization of VM\n{reason}\n"));
        Outcome::Exit(1)
    }

    /// Parses everything; `args` is the command line.
    pub(super) fn run(
        &mut self,
        args: &[OsString],
        ignore_unrecognized: bool,
    ) -> Result<super::Settings, Outcome> {
        self.vm_properties();
        let mut tool = self.environment_variable("JAVA_TOOL_OPTIONS", "env_var='JAVA_TOOL_OPTIONS'")?;
        let mut java = self.environment_variable("_JAVA_OPTIONS", "env_var='_JAVA_OPTIONS'")?;
        let mut command_line = Source {
            container: "cmd_line_args",
            options: args.iter().cloned().map(VmOption::new).collect(),
            origin: Origin::CommandLine,
            ignore_unrecognized,
        };
        self.expand(&mut tool)?;
        self.expand(&mut command_line)?;
        self.expand(&mut java)?;
        if self.flags.bool("IgnoreUnrecognizedVMOptions") {
            for source in [&mut tool, &mut command_line, &mut java] {
                source.ignore_unrecognized = true;
            }
        }
        let mut hotspotrc_ignored = false;
        match self.settings_file.clone() {
            Some(file) => {
                if !self.process_settings_file(&file, command_line.ignore_unrecognized) {
                    return Err(Outcome::Invalid);
                }
            }
            None => hotspotrc_ignored = std::fs::metadata(".hotspotrc").is_ok(),
        }
        if self.flags.bool("PrintVMOptions") {
            for source in [&tool, &command_line, &java] {
                self.print_vm_options(source);
            }
        }
        for source in [&tool, &command_line, &java] {
            for option in &source.options {
                self.option(option, source)?;
            }
        }
        self.finish_arguments()?;
        // Only now is -XX:-PrintWarnings known.
        if hotspotrc_ignored {
            self.warn(
                ".hotspotrc file is present but has been ignored.  Run with -XX:Flags=.hotspotrc to \
                 load the file.",
            );
        }
        if self.reserved_property_seen {
            self.warn(
                "Ignoring system property options whose names match the '-Djdk.module.*'. names that \
                 are reserved for internal use.",
            );
        }
        self.finish_logging()?;
        self.ergonomics()
    }

    fn print_vm_options(&mut self, source: &Source) {
        for option in &source.options {
            if let Some(tail) = option.text.strip_prefix("-XX:") {
                self.messages.tty(format!("VM option '{tail}'\n"));
            }
        }
    }

    pub(super) fn into_options(self, settings: super::Settings) -> Options {
        Options {
            flags: self.flags,
            properties: self.properties,
            assertions: self.assertions,
            settings,
            boot_class_path_append: self.boot_append,
            module_patches: self.patches,
            enable_preview: self.enable_preview,
            java_command: self.java_command,
            vm_args: self.vm_args,
            messages: self.messages,
            log: self.log,
        }
    }
}
