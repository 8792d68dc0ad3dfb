//! What a report of a failure says, step by step.

use super::{native_frame, Failure};
use crate::exceptions::backtrace;
use crate::heap::access::load_ref;
use crate::heap::strings;
use crate::meta::well_known::KnownField;
use crate::threads::{registry, stackwalk, JavaThread};
use crate::vm;
use std::ffi::{c_int, CString, OsStr};
use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Frames of a Java stack that are shown.
const MAX_FRAMES: usize = 256;

/// The open log file, or standard output or error in its place.
static LOG: AtomicI32 = AtomicI32::new(1);

/// Writes text to a file descriptor; there is nowhere to report a failure to.
fn write(fd: c_int, text: &str) {
    let mut rest = text.as_bytes();
    while !rest.is_empty() {
        // SAFETY: the slice is readable.
        let n = unsafe { libc::write(fd, rest.as_ptr().cast(), rest.len()) };
        match usize::try_from(n) {
            Ok(n) if n > 0 => rest = &rest[n..],
            _ => return,
        }
    }
}

/// Writes a line.
pub fn line(fd: c_int, text: &str) {
    write(fd, &format!("{text}\n"));
}

/// Name of a step, what it does.
type Step = (&'static str, fn(&Failure));

const STEPS: &[Step] = &[
    ("printing the summary on standard output", print_head),
    ("opening the log file", open_log),
    ("printing fatal error message", |f| log(&head(f))),
    ("printing VM option summary", |_| log(&summary())),
    ("printing current thread", |f| log(&current_thread(f))),
    ("printing siginfo", |f| log(&siginfo(f))),
    ("printing registers", |f| log(&registers(f))),
    ("printing Java stack", |_| log(&java_frames())),
    ("printing native stack", |_| log(&native_frames())),
    ("printing all threads", |_| log(&all_threads())),
    ("printing dynamic libraries", |_| log(&libraries())),
    ("closing the log file", close_log),
    ("printing bug submit message", print_end),
    ("running -XX:OnError", run_on_error),
];

/// Does step number `step`; `false`: there is no such step any more.
pub fn run_step(step: usize, f: &Failure) -> bool {
    match STEPS.get(step) {
        Some((_, run)) => {
            run(f);
            true
        }
        None => false,
    }
}

/// Says in the log that a step failed itself.
pub fn step_failed(step: usize, what: &str) {
    let name = STEPS.get(step).map_or("ending", |(n, _)| n);
    log(&format!("\n[error occurred during error reporting ({name}), {what}]\n\n"));
}

fn log(text: &str) {
    write(LOG.load(Ordering::SeqCst), text);
}

fn flag(name: &str) -> bool {
    vm::try_get().is_some_and(|vm| vm.options.flags.bool(name))
}

fn text_flag(name: &str) -> Option<&'static str> {
    vm::try_get().and_then(|vm| vm.options.flags.text(name)).filter(|t| !t.is_empty())
}

/// What an entry of the JDK's `release` file says.
fn release(key: &str) -> Option<String> {
    let text = std::fs::read_to_string(vm::try_get()?.paths.java_home.join("release")).ok()?;
    let line = text.lines().find_map(|l| l.strip_prefix(key)?.strip_prefix('='))?;
    Some(line.trim_matches('"').to_string())
}

/// The part between the `#`s, without what follows the file's name.
fn head(f: &Failure) -> String {
    let mut out = String::from("#\n# A fatal error has been detected by the Java Runtime Environment:\n#\n");
    let _ = writeln!(out, "#  {}, pid={}, tid={}", f.what, std::process::id(), f.tid);
    if let Some(m) = &f.message {
        let _ = writeln!(out, "#  {}", m.replace('\n', "\n#  "));
    }
    out.push_str("#\n");
    if let Some(build) = release("JAVA_RUNTIME_VERSION") {
        // "17.0.15+6-Debian-1deb12u1": the version is what is in front of the build's name.
        let short = build.split('-').next().unwrap_or(&build);
        let _ = writeln!(out, "# JRE version: OpenJDK Runtime Environment ({short}) (build {build})");
    }
    let mode = vm::try_get().map_or("not yet created", |vm| vm.options.settings.mode.info());
    let arch = if cfg!(target_arch = "aarch64") { "aarch64" } else { "amd64" };
    let _ = writeln!(out, "# Java VM: {} ({}, {mode}, linux-{arch})", vm::VM_NAME, vm::VM_VERSION);
    if let Some(s) = &f.signal {
        let frame = native_frame(s.pc()).unwrap_or_else(|| format!("C  {:#018x}", s.pc()));
        let _ = writeln!(out, "# Problematic frame:\n# {frame}\n#");
    }
    let _ = writeln!(out, "# {}\n#", core_dump());
    out
}

/// Whether and where a core dump will be.
fn core_dump() -> String {
    if !flag("CreateCoredumpOnCrash") && vm::try_get().is_some() {
        return "CreateCoredumpOnCrash turned off, no core file dumped".into();
    }
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: fills in the structure.
    if unsafe { libc::getrlimit(libc::RLIMIT_CORE, &mut limit) } != 0 || limit.rlim_cur == 0 {
        return "No core dump will be written. Core dumps have been disabled. To enable core dumping, try \
                \"ulimit -c unlimited\" before starting Java again"
            .into();
    }
    let pattern = std::fs::read_to_string("/proc/sys/kernel/core_pattern").unwrap_or_default();
    let size = match limit.rlim_cur {
        libc::RLIM_INFINITY => String::new(),
        bytes => format!(
            " (max size {} k). To ensure a full core dump, try \"ulimit -c unlimited\" before starting Java again",
            bytes / 1024
        ),
    };
    let place = match pattern.trim_end() {
        p if p.starts_with('|') => format!("Core dumps may be processed with \"{}\"", &p[1..]),
        p if p.starts_with('/') => p.to_string(),
        p => std::env::current_dir().unwrap_or_default().join(p).display().to_string(),
    };
    format!("Core dump will be written. Default location: {place}{size}")
}

fn print_head(f: &Failure) {
    if !flag("ErrorFileToStdout") {
        write(1, &head(f));
    }
}

/// `%p` is the process id, `%%` a percent sign.
fn expand_pid(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        match (c, rest.as_str().chars().next()) {
            ('%', Some('p')) => {
                let _ = write!(out, "{}", std::process::id());
                rest.next();
            }
            ('%', Some('%')) => {
                out.push('%');
                rest.next();
            }
            _ => out.push(c),
        }
    }
    out
}

/// Opens the first of `-XX:ErrorFile`, the current directory and `/tmp` that can be written.
fn open_log(_: &Failure) {
    let default = format!("hs_err_pid{}.log", std::process::id());
    if flag("ErrorFileToStdout") {
        return LOG.store(1, Ordering::SeqCst);
    }
    if flag("ErrorFileToStderr") {
        return LOG.store(2, Ordering::SeqCst);
    }
    let wanted = text_flag("ErrorFile").map(|t| PathBuf::from(OsStr::new(&expand_pid(t))));
    let here = std::env::current_dir().ok().map(|d| d.join(&default));
    let places = [wanted, here, Some(Path::new("/tmp").join(&default))];
    for place in places.into_iter().flatten() {
        let Ok(path) = CString::new(place.as_os_str().as_bytes()) else { continue };
        // SAFETY: a NUL-terminated path.
        let fd = unsafe {
            libc::open(path.as_ptr(), libc::O_WRONLY | libc::O_CREAT | libc::O_TRUNC | libc::O_CLOEXEC, 0o666)
        };
        if fd >= 0 {
            LOG.store(fd, Ordering::SeqCst);
            write(1, &format!("# An error report file with more information is saved as:\n# {}\n", place.display()));
            return;
        }
    }
    line(1, "# Can not save log file, dump to screen..");
}

fn close_log(_: &Failure) {
    let fd = LOG.swap(1, Ordering::SeqCst);
    if fd > 2 {
        // SAFETY: opened by `open_log`.
        unsafe { libc::close(fd) };
    }
}

fn summary() -> String {
    let mut out = String::from("\n---------------  S U M M A R Y ------------\n\n");
    if let Some(vm) = vm::try_get() {
        let args = vm.options.vm_args.iter().map(|a| a.to_string_lossy());
        let command = vm.options.java_command.iter().map(|a| a.to_string_lossy());
        let all: Vec<_> = args.chain(command).collect();
        let _ = writeln!(out, "Command Line: {}\n", all.join(" "));
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
    let up = crate::observe::log::uptime().as_secs_f64();
    let _ = writeln!(out, "Time: {now} s after 1970-01-01 UTC, elapsed time: {up:.6} seconds\n");
    out
}

/// The name of a Java thread: its object may not be there yet.
fn name_of(t: &JavaThread) -> Option<String> {
    let object = t.thread_object.get().non_null()?;
    load_ref(object, KnownField::ThreadName.offset()).non_null().map(strings::to_rust)
}

fn describe(t: &JavaThread) -> String {
    let name = name_of(t).unwrap_or_else(|| format!("#{}", t.id));
    let tid = t.os_tid.load(Ordering::Relaxed);
    format!("({:p}):  JavaThread \"{name}\" [{:?}, id={tid}]", t as *const JavaThread, t.state())
}

fn current_thread(_: &Failure) -> String {
    let mut out = String::from("---------------  T H R E A D  ---------------\n\n");
    match JavaThread::current() {
        Some(t) => {
            let _ = writeln!(out, "Current thread {}\n", describe(t));
        }
        None => out.push_str("Current thread is native thread\n\n"),
    }
    out
}

fn siginfo(f: &Failure) -> String {
    let Some(s) = &f.signal else { return String::new() };
    // SAFETY: the handler that this runs in was given it.
    let code = unsafe { (*s.info).si_code };
    let mut out = format!("siginfo: si_signo: {} ({}), si_code: {code}", s.number, s.name);
    match s.sent_by() {
        Some(pid) => {
            let _ = writeln!(out, ", sent from pid: {pid}\n");
        }
        None => {
            let _ = writeln!(out, ", si_addr: {:#018x}\n", s.address());
        }
    }
    out
}

fn registers(f: &Failure) -> String {
    let Some(s) = &f.signal else { return String::new() };
    let mut out = String::from("Registers:\n");
    // SAFETY: the context of the handler that this runs in.
    let machine = unsafe { &(*s.context).uc_mcontext };
    let mut values: Vec<(String, u64)> = Vec::new();
    #[cfg(target_arch = "x86_64")]
    {
        const NAMES: [&str; 17] = [
            "R8", "R9", "R10", "R11", "R12", "R13", "R14", "R15", "RDI", "RSI", "RBP", "RBX", "RDX", "RAX", "RCX", "RSP",
            "RIP",
        ];
        values.extend(NAMES.iter().zip(machine.gregs).map(|(n, v)| (n.to_string(), v as u64)));
    }
    #[cfg(target_arch = "aarch64")]
    {
        values.extend(machine.regs.iter().enumerate().map(|(i, v)| (format!("R{i}"), *v)));
        values.extend([("SP".to_string(), machine.sp), ("PC".to_string(), machine.pc)]);
    }
    for row in values.chunks(4) {
        let row: Vec<String> = row.iter().map(|(n, v)| format!("{n:3}={v:#018x}")).collect();
        let _ = writeln!(out, "{}", row.join(", "));
    }
    out.push('\n');
    out
}

fn java_frames() -> String {
    let Some(t) = JavaThread::current() else { return String::new() };
    let mut out = String::from("Java frames: (J=compiled Java code, j=interpreted, Vv=VM code)\n");
    for f in stackwalk::frames(t).take(MAX_FRAMES) {
        let at = match backtrace::line_number(f.method, f.bci) {
            line if line >= 0 => format!(" (line {line})"),
            _ => String::new(),
        };
        let _ = writeln!(out, "j  {}+{}{at}", f.method.name_and_signature(), f.bci);
    }
    out.push('\n');
    out
}

/// Where the current thread is in native code, for a report.
pub fn native_frames() -> String {
    format!("Native frames:\n{}\n", std::backtrace::Backtrace::force_capture())
}

fn all_threads() -> String {
    let mut out = String::from("---------------  P R O C E S S  ---------------\n\nJava Threads:\n");
    let current = JavaThread::current().map_or(std::ptr::null(), |t| t as *const JavaThread);
    registry::with_all(|threads| {
        for t in threads {
            let mark = if std::ptr::eq(*t, current) { "=>" } else { "  " };
            let _ = writeln!(out, "{mark}{}", describe(t));
        }
    });
    out
}

fn libraries() -> String {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap_or_else(|e| e.to_string());
    format!("\nDynamic libraries:\n{maps}\n\nEND.\n")
}

fn print_end(_: &Failure) {
    line(1, "#");
}

fn run_on_error(_: &Failure) {
    let Some(commands) = text_flag("OnError") else { return };
    write(1, &format!("#\n# -XX:OnError=\"{commands}\"\n"));
    run_commands(commands, " ...");
}

/// Runs what `-XX:OnError=` or `-XX:OnOutOfMemoryError=` holds, command after command, and waits for each; `dots`
/// end the line that announces one.
pub fn run_commands(commands: &str, dots: &str) {
    // A newline, between the commands of two such options, the shell understands.
    for command in commands.split(';').map(|c| c.trim_start_matches(' ')).filter(|c| !c.is_empty()) {
        let command = expand_pid(command);
        write(1, &format!("#   Executing /bin/sh -c \"{command}\"{dots}\n"));
        if let Err(e) = std::process::Command::new("/bin/sh").arg("-c").arg(&command).status() {
            line(1, &format!("os::fork_and_exec failed: {e}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_process_id_is_filled_in() {
        let pid = std::process::id();
        assert_eq!(expand_pid("a%pb%%p%"), format!("a{pid}b%p%"));
    }
}

/// What there is to say of a VM that has not failed (`VM.info`).
pub fn info() -> String {
    let mode = vm::try_get().map_or("not yet created", |vm| vm.options.settings.mode.info());
    let mut out = format!("#\n# {} ({}, {mode})", vm::VM_NAME, vm::VM_VERSION);
    if let Some(build) = release("JAVA_RUNTIME_VERSION") {
        let _ = write!(out, " on the class library of OpenJDK {build}");
    }
    out += "\n#\n\n";
    out + &summary() + &all_threads() + &signal_handlers() + &libraries()
}

/// What happens on the signals that the VM has to do with.
fn signal_handlers() -> String {
    let signals = [
        ("SIGSEGV", libc::SIGSEGV),
        ("SIGBUS", libc::SIGBUS),
        ("SIGFPE", libc::SIGFPE),
        ("SIGPIPE", libc::SIGPIPE),
        ("SIGXFSZ", libc::SIGXFSZ),
        ("SIGILL", libc::SIGILL),
        ("SIGTRAP", libc::SIGTRAP),
        ("SIGHUP", libc::SIGHUP),
        ("SIGINT", libc::SIGINT),
        ("SIGTERM", libc::SIGTERM),
        ("SIGQUIT", libc::SIGQUIT),
    ];
    let mut out = String::from("\nSignal Handlers:\n");
    for (name, number) in signals {
        // SAFETY: only reads the disposition.
        let action = unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            (libc::sigaction(number, std::ptr::null(), &mut action) == 0).then_some(action)
        };
        let handler = match action.map(|a| a.sa_sigaction) {
            None => "unknown".to_string(),
            Some(libc::SIG_DFL) => "SIG_DFL".to_string(),
            Some(libc::SIG_IGN) => "SIG_IGN".to_string(),
            Some(f) => native_frame(f).unwrap_or_else(|| format!("{f:#018x}")),
        };
        let flags = action.map_or(0, |a| a.sa_flags);
        let _ = writeln!(out, "{name:>10}: {handler}, flags={flags:#x}");
    }
    out
}
