//! One option of any source.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;

use super::flags::Value;
use super::messages::Outcome;
use super::parser::{Parser, VmOption};
use super::properties::is_reserved;
use super::size::parse_size;
use super::sources::Source;
use super::ExecutionMode;
use crate::observe::log::{self, Level};
use crate::observe::VM_NAME;

/// Module options that may be repeated, and the properties they become.
const NUMBERED: [(&str, &str); 5] = [
    ("--add-reads=", "addreads"),
    ("--add-exports=", "addexports"),
    ("--add-opens=", "addopens"),
    ("--add-modules=", "addmods"),
    ("--enable-native-access=", "enable.native.access"),
];

type Done = Result<(), Outcome>;

/// The most properties of one kind that module options make.
const MAX_NUMBERED_PROPERTIES: usize = 1000;
/// Largest `-Xss`, in bytes.
const MAX_STACK: u64 = 1 << 30;
/// HotSpot's number of bits for an object's age allows this many collections.
const MAX_TENURING_AGE: u64 = 15;

fn invalid_unless(good: bool) -> Done {
    if good {
        Ok(())
    } else {
        Err(Outcome::Invalid)
    }
}

/// The part after one of `names`, which must be followed by nothing or, with `class`, by a colon.
fn assertion_tail<'t>(text: &'t str, names: [&str; 2], class: bool) -> Option<&'t str> {
    names
        .into_iter()
        .filter_map(|name| text.strip_prefix(name))
        .find(|tail| tail.is_empty() || (class && tail.starts_with(':')))
}

impl Parser<'_> {
    /// Processes one option.
    pub(super) fn option(&mut self, option: &VmOption, source: &Source) -> Done {
        let launcher_only = ["-Djava.class.path", "-Dsun.java.command", "-Dsun.java.launcher"];
        if !launcher_only.iter().any(|prefix| option.text.starts_with(prefix)) {
            self.vm_args.push(option.raw.clone());
        }
        let handled = self.logging_option(option, source)?
            || self.assertion_option(&option.text)
            || self.path_or_module_option(option)?
            || self.agent_option(option)?
            || self.memory_option(&option.text)?
            || self.mode_option(&option.text, source)?
            || self.property_option(option)?
            || self.flag_group_option(&option.text)?;
        if handled {
            return Ok(());
        }
        if let Some(flag) = option.text.strip_prefix("-XX:") {
            // These two were dealt with before.
            if flag.starts_with("Flags=") || flag.starts_with("VMOptionsFile=") {
                return Ok(());
            }
            return invalid_unless(self.process_flag(flag, source.ignore_unrecognized, source.origin));
        }
        // The hooks come with a function pointer, which the caller of JNI_CreateJavaVM's option
        // conversion takes out of JavaVMOption; their names alone mean nothing.
        if matches!(option.text.as_str(), "vfprintf" | "exit" | "abort") {
            return Ok(());
        }
        self.unknown(option, source, None).map_err(|_| Outcome::Error)
    }

    fn unknown(&mut self, option: &VmOption, source: &Source, kind: Option<&str>) -> Done {
        if source.ignore_unrecognized {
            return Ok(());
        }
        let kind = kind.map(|kind| format!("{kind} ")).unwrap_or_default();
        self.messages.err(format!("Unrecognized {kind}option: {}\n", option.text));
        Err(Outcome::Invalid)
    }

    fn logging_option(&mut self, option: &VmOption, source: &Source) -> Result<bool, Outcome> {
        let text = option.text.as_str();
        if let Some(what) = text.strip_prefix("-verbose") {
            let (level, sets): (Level, &[&[&'static str]]) = match what {
                "" | ":class" => (Level::Info, &[&["class", "load"], &["class", "unload"]]),
                ":module" => (Level::Info, &[&["module", "load"], &["module", "unload"]]),
                ":gc" => (Level::Info, &[&["gc"]]),
                ":jni" => (Level::Debug, &[&["jni", "resolve"]]),
                // Anything else after -verbose is accepted and means nothing, as in HotSpot.
                _ => (Level::Info, &[]),
            };
            for tags in sets {
                self.log.set_stdout(level, true, tags);
            }
        } else if let Some(file) = text.strip_prefix("-Xloggc:") {
            let line = format!("-Xloggc is deprecated. Will use -Xlog:gc:{file} instead.");
            self.log.write(log::tag_set(&["gc"]), Level::Warning, &line, &mut self.messages);
            self.gc_log_file = Some(file.to_string());
        } else if let Some(what) = text.strip_prefix("-Xlog") {
            let good = match what {
                ":help" => {
                    self.messages.out(log::Configuration::help());
                    return Err(Outcome::Exit(0));
                }
                ":disable" => {
                    self.log.disable();
                    true
                }
                ":async" => true,
                "" => self.log.parse_option("", &mut self.messages),
                _ => match what.strip_prefix(':') {
                    Some(what) => self.log.parse_option(what, &mut self.messages),
                    None => false,
                },
            };
            if !good {
                self.messages.err(format!(
                    "Invalid -Xlog option '-Xlog{what}', see error log for details.\n"
                ));
                return Err(Outcome::Invalid);
            }
        } else if let Some(what) = text.strip_prefix("-Xcheck") {
            if what == ":jni" {
                self.check_jni = true;
            } else {
                self.unknown(option, source, Some("check"))?;
            }
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    fn assertion_option(&mut self, text: &str) -> bool {
        let enable = text.as_bytes().get(1) == Some(&b'e');
        let user = assertion_tail(text, ["-da", "-ea"], true)
            .or_else(|| assertion_tail(text, ["-disableassertions", "-enableassertions"], true));
        if let Some(tail) = user {
            match tail.strip_prefix(':') {
                Some(name) => self.assertions.add(name, enable),
                None => self.assertions.user_default = enable,
            }
            return true;
        }
        let system = assertion_tail(text, ["-dsa", "-esa"], false).or_else(|| {
            assertion_tail(text, ["-disablesystemassertions", "-enablesystemassertions"], false)
        });
        if system.is_some() {
            self.assertions.system_default = enable;
        }
        system.is_some()
    }

    fn path_or_module_option(&mut self, option: &VmOption) -> Result<bool, Outcome> {
        for gone in ["-Xbootclasspath:", "-Xbootclasspath/p:"] {
            if option.text.starts_with(gone) {
                let name = gone.trim_end_matches(':');
                self.messages.out(format!("{name} is no longer a supported option.\n"));
                return Err(Outcome::Invalid);
            }
        }
        if let Some(path) = option.tail("-Xbootclasspath/a:") {
            self.append_boot_path(path);
            return Ok(true);
        }
        if let Some(prefix_and_name) = NUMBERED.iter().find(|(p, _)| option.text.starts_with(p)) {
            let (prefix, name) = prefix_and_name;
            let value = option.tail(prefix).unwrap_or_default();
            self.numbered_property(name, value)?;
            return Ok(true);
        }
        let single = [
            ("--limit-modules=", "jdk.module.limitmods", true),
            ("--module-path=", "jdk.module.path", false),
            ("--upgrade-module-path=", "jdk.module.upgrade.path", false),
        ];
        for (prefix, key, internal) in single {
            if let Some(value) = option.tail(prefix) {
                // Writeable, so that the last of several options wins.
                self.properties.set(key, value, true, internal);
                return Ok(true);
            }
        }
        if let Some(value) = option.tail("--patch-module=") {
            self.patch_module(value)?;
        } else if option.text.starts_with("--illegal-access=") {
            self.warn(&format!("Ignoring option {}; support was removed in 17.0", option.text));
        } else if option.text == "--enable-preview" {
            self.enable_preview = true;
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    fn append_boot_path(&mut self, path: OsString) {
        if !self.boot_append.is_empty() {
            self.boot_append.push(":");
        }
        self.boot_append.push(path);
        self.properties.set("jdk.boot.class.path.append", self.boot_append.clone(), true, true);
    }

    /// Adds the property `jdk.module.{name}.{n}`, n counting those of that name.
    fn numbered_property(&mut self, name: &'static str, value: OsString) -> Done {
        let count = self.counts.entry(name).or_insert(0);
        let number = *count;
        *count += 1;
        if number >= MAX_NUMBERED_PROPERTIES {
            self.messages.err(format!(
                "Property count limit exceeded: jdk.module.{name}, limit={MAX_NUMBERED_PROPERTIES}\n"
            ));
            return Err(Outcome::Error);
        }
        self.properties.set(&format!("jdk.module.{name}.{number}"), value, false, true);
        Ok(())
    }

    fn patch_module(&mut self, value: OsString) -> Done {
        let bytes = value.as_bytes();
        let Some(equals) = bytes.iter().position(|b| *b == b'=') else {
            self.messages.out("Missing '=' in --patch-module specification\n");
            return Err(Outcome::Error);
        };
        let module = String::from_utf8_lossy(&bytes[..equals]).into_owned();
        if module == "java.base" && self.patches.iter().any(|(name, _)| *name == module) {
            let reason = "Cannot specify java.base more than once to --patch-module";
            return Err(self.exit_during_initialization(reason));
        }
        let path = std::ffi::OsStr::from_bytes(&bytes[equals + 1..]).to_os_string();
        self.patches.push((module, path));
        self.numbered_property("patch", value)
    }

    /// Agents need JVMTI, which is not there: each is refused by name.
    fn agent_option(&mut self, option: &VmOption) -> Result<bool, Outcome> {
        let text = option.text.as_str();
        let line = if text.starts_with("-javaagent:") {
            format!("Instrumentation agents are not supported in this VM: {text}\n")
        } else if let Some(agent) = text.strip_prefix("-agentlib:") {
            match agent.split('=').next() {
                Some("jdwp") => "Debugging agents are not supported in this VM\n".to_string(),
                _ => format!("JVMTI agents are not supported in this VM: {text}\n"),
            }
        } else if let Some(agent) = text.strip_prefix("-agentpath:") {
            let path = agent.split('=').next().unwrap_or(agent);
            match path.rsplit('/').next() {
                Some("libjdwp.so") => "Debugging agents are not supported in this VM\n".to_string(),
                _ => format!("JVMTI agents are not supported in this VM: {text}\n"),
            }
        } else if let Some(library) = text.strip_prefix("-Xrun") {
            match library.split(':').next() {
                Some("jdwp") => "Debugging agents are not supported in this VM\n".to_string(),
                _ => format!("JVMTI agents are not supported in this VM: {text}\n"),
            }
        } else if ["-XX:StartFlightRecording", "-XX:FlightRecorderOptions"]
            .iter()
            .any(|prefix| text.starts_with(prefix))
        {
            format!("Flight Recorder is not supported in this VM: {text}\n")
        } else {
            return Ok(false);
        };
        self.messages.err(line);
        Err(Outcome::Error)
    }

    /// A size of at least `min` bytes, or HotSpot's complaint that `what` is wrong.
    fn size(&mut self, text: &str, tail: &str, what: &str, min: u64, max: u64) -> Result<u64, Outcome> {
        let size = parse_size(tail);
        if let Some(size) = size.filter(|size| (min..=max).contains(size)) {
            return Ok(size);
        }
        self.messages.err(format!("Invalid {what}: {text}\n"));
        if size.is_some_and(|size| size > max) {
            self.messages.err("The specified size exceeds the maximum representable size.\n");
        }
        Err(Outcome::Invalid)
    }

    fn set_size(&mut self, flag: &str, size: u64) -> Done {
        invalid_unless(self.set_flag(flag, Value::Unsigned(size)))
    }

    fn set_bool(&mut self, flag: &str, value: bool) -> Done {
        invalid_unless(self.set_flag(flag, Value::Bool(value)))
    }

    fn memory_option(&mut self, text: &str) -> Result<bool, Outcome> {
        let first_tail =
            |prefixes: [&str; 2]| prefixes.into_iter().find_map(|prefix| text.strip_prefix(prefix));
        if let Some(tail) = text.strip_prefix("-Xmn") {
            let size = self.size(text, tail, "initial young generation size", 1, u64::MAX)?;
            self.set_size("MaxNewSize", size)?;
            self.set_size("NewSize", size)?;
        } else if let Some(tail) = text.strip_prefix("-Xms") {
            let size = self.size(text, tail, "initial heap size", 0, u64::MAX)?;
            self.set_size("MinHeapSize", size)?;
            self.set_size("InitialHeapSize", size)?;
        } else if let Some(tail) = text.strip_prefix("-Xmaxf") {
            self.free_ratio(text, tail, "max", "MaxHeapFreeRatio")?;
        } else if let Some(tail) = text.strip_prefix("-Xminf") {
            self.free_ratio(text, tail, "min", "MinHeapFreeRatio")?;
        } else if let Some(tail) = text.strip_prefix("-Xss") {
            let size = self.size(text, tail, "thread stack size", 0, MAX_STACK)?;
            let kilobytes = size.div_ceil(1024) as i64;
            invalid_unless(self.set_flag("ThreadStackSize", Value::Signed(kilobytes)))?;
        } else if let Some(tail) = first_tail(["-Xmaxjitcodesize", "-XX:ReservedCodeCacheSize="]) {
            let Some(size) = parse_size(tail).filter(|size| *size > 0) else {
                self.messages.err(format!("Invalid maximum code cache size: {text}.\n"));
                return Err(Outcome::Invalid);
            };
            self.set_size("ReservedCodeCacheSize", size)?;
        } else if let Some(tail) = first_tail(["-Xmx", "-XX:MaxHeapSize="]) {
            let size = self.size(text, tail, "maximum heap size", 1, u64::MAX)?;
            self.set_size("MaxHeapSize", size)?;
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    fn free_ratio(&mut self, text: &str, tail: &str, which: &str, flag: &str) -> Done {
        let Ok(ratio) = tail.parse::<f64>() else {
            self.messages.err(format!("Bad {which} heap free percentage size: {text}\n"));
            return Err(Outcome::Invalid);
        };
        // A negative ratio becomes a huge number, which the flag's range refuses.
        let percent = i64::from((ratio * 100.0) as i32) as u64;
        self.set_size(flag, percent)
    }

    fn mode_option(&mut self, text: &str, source: &Source) -> Result<bool, Outcome> {
        match text {
            "-Xint" => self.set_mode(ExecutionMode::Interpreted),
            "-Xmixed" => self.set_mode(ExecutionMode::Mixed),
            "-Xcomp" => self.set_mode(ExecutionMode::Compiled),
            "-Xbatch" => self.set_bool("BackgroundCompilation", false)?,
            "-Xnoclassgc" => self.set_bool("ClassUnloading", false)?,
            "-Xrs" => self.set_bool("ReduceSignalUsage", true)?,
            "-Xdebug" => self.xdebug = true,
            // Accepted for compatibility with virtual machines of long ago.
            "-Xnoagent" | "-native" => {}
            "-green" => {
                self.messages.err("Green threads support not available\n");
                return Err(Outcome::Invalid);
            }
            "-Xprof" => self.warn("Ignoring option -Xprof; support was removed in 10.0"),
            "-Xinternalversion" => {
                let (version, arch) = (env!("CARGO_PKG_VERSION"), std::env::consts::ARCH);
                self.messages.out(format!("{VM_NAME} (Kiln {version}) for linux-{arch}\n"));
                return Err(Outcome::Exit(0));
            }
            "-Xshare:dump" => {
                self.messages.err("Shared spaces are not supported in this VM\n");
                return Err(Outcome::Error);
            }
            "-Xshare:on" | "-Xshare:auto" | "-Xshare:off" => {
                self.set_bool("UseSharedSpaces", text != "-Xshare:off")?;
                self.set_bool("RequireSharedSpaces", text == "-Xshare:on")?;
            }
            _ => match text.strip_prefix("-Xverify") {
                Some(what) => self.verification(text, what, source)?,
                None => return Ok(false),
            },
        }
        Ok(true)
    }

    fn verification(&mut self, text: &str, what: &str, source: &Source) -> Done {
        let (local, remote) = match what {
            "" | ":all" => (true, true),
            ":remote" => (false, true),
            ":none" => (false, false),
            _ => return self.unknown(&VmOption::new(text.into()), source, Some("verification")),
        };
        self.set_bool("BytecodeVerificationLocal", local)?;
        self.set_bool("BytecodeVerificationRemote", remote)?;
        if !remote {
            self.warn(
                "Options -Xverify:none and -noverify were deprecated in JDK 13 and will likely be \
                 removed in a future release.",
            );
        }
        Ok(())
    }

    fn property_option(&mut self, option: &VmOption) -> Result<bool, Outcome> {
        let Some(definition) = option.tail("-D") else { return Ok(false) };
        let text = &option.text[2..];
        let set_to = |key: &str| {
            let value = text.strip_prefix(key)?.strip_prefix('=')?;
            (!value.is_empty() && value != "\"\"").then(|| value.to_string())
        };
        if let Some(value) = set_to("java.endorsed.dirs") {
            self.messages.out(format!(
                "-Djava.endorsed.dirs={value} is not supported. Endorsed standards and standalone APIs\n\
                 in modular form will be supported via the concept of upgradeable modules.\n"
            ));
            return Err(Outcome::Invalid);
        }
        if let Some(value) = set_to("java.ext.dirs") {
            self.messages.out(format!(
                "-Djava.ext.dirs={value} is not supported.  Use -classpath instead.\n"
            ));
            return Err(Outcome::Invalid);
        }
        if is_reserved(text) {
            self.reserved_property_seen = true;
            return Ok(true);
        }
        self.define_property(definition);
        if text.starts_with("com.sun.management") {
            self.set_bool("ManagementServer", true)?;
            self.numbered_property("addmods", "jdk.management.agent".into())?;
        }
        Ok(true)
    }

    /// Adds `key=value`, or `key` with an empty value.
    pub(super) fn define_property(&mut self, definition: OsString) {
        let bytes = definition.as_bytes();
        let equals = bytes.iter().position(|b| *b == b'=').unwrap_or(bytes.len());
        let key = String::from_utf8_lossy(&bytes[..equals]).into_owned();
        let value = std::ffi::OsStr::from_bytes(bytes.get(equals + 1..).unwrap_or(b""));
        match key.as_str() {
            "java.compiler" => {
                self.no_compiler |=
                    value.is_empty() || value.as_bytes().eq_ignore_ascii_case(b"NONE");
            }
            // Private to launcher and VM.
            "sun.java.launcher.is_altjvm" => return,
            "sun.boot.library.path" => {
                self.properties.append_path(&key, value, false);
                return;
            }
            "sun.java.command" => self.java_command = Some(value.to_os_string()),
            _ => {}
        }
        self.properties.set(&key, value, true, false);
    }

    /// Flags that set others with them.
    fn flag_group_option(&mut self, text: &str) -> Result<bool, Outcome> {
        if let Some(tail) = text.strip_prefix("-XX:MaxTenuringThreshold=") {
            let Some(age) = parse_size(tail) else {
                self.messages.err(format!(
                    "Improperly specified VM option 'MaxTenuringThreshold={tail}'\n"
                ));
                return Err(Outcome::Invalid);
            };
            self.tenuring(age, age == 0, false)?;
            return Ok(true);
        }
        let pair = |on: &'static str, off: &'static str| Some((on, off));
        let switched = match text {
            "-XX:+NeverTenure" => {
                self.tenuring(MAX_TENURING_AGE + 1, false, true)?;
                None
            }
            "-XX:+AlwaysTenure" => {
                self.tenuring(0, true, false)?;
                None
            }
            "-XX:+DisplayVMOutputToStderr" => {
                pair("DisplayVMOutputToStderr", "DisplayVMOutputToStdout")
            }
            "-XX:+DisplayVMOutputToStdout" => {
                pair("DisplayVMOutputToStdout", "DisplayVMOutputToStderr")
            }
            "-XX:+ErrorFileToStderr" => pair("ErrorFileToStderr", "ErrorFileToStdout"),
            "-XX:+ErrorFileToStdout" => pair("ErrorFileToStdout", "ErrorFileToStderr"),
            _ => return Ok(false),
        };
        if let Some((on, off)) = switched {
            self.set_bool(off, false)?;
            self.set_bool(on, true)?;
        }
        Ok(true)
    }

    fn tenuring(&mut self, threshold: u64, always: bool, never: bool) -> Done {
        self.set_size("MaxTenuringThreshold", threshold)?;
        self.set_bool("AlwaysTenure", always)?;
        self.set_bool("NeverTenure", never)
    }
}
