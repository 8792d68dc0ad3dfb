//! Crash reports, against HotSpot's: what is printed, the log file, the exit status; and the hooks
//! that an embedder gives (`exit`, `abort`, `vfprintf`).

use std::io::{BufRead, BufReader};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// Crashes at an address that is not mapped, or waits for somebody to send a signal.
const CRASH: &str = r#"
public class Crash {
    public static void main(String[] args) throws Exception {
        java.lang.reflect.Field f = sun.misc.Unsafe.class.getDeclaredField("theUnsafe");
        f.setAccessible(true);
        sun.misc.Unsafe u = (sun.misc.Unsafe) f.get(null);
        if (args.length > 0) {
            new ProcessBuilder("kill", "-" + args[0], "" + ProcessHandle.current().pid()).start();
            Thread.sleep(60000);
        }
        u.putAddress(16, 1);
        System.out.println("survived");
    }
}
"#;

fn java_home() -> PathBuf {
    let default = || "/usr/lib/jvm/java-17-openjdk-amd64".into();
    std::env::var_os("JAVA_HOME").map_or_else(default, PathBuf::from)
}

/// A fresh directory with `Crash` compiled.
fn work(name: &str) -> PathBuf {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("crash-{name}"));
    if dir.exists() {
        std::fs::remove_dir_all(&dir).expect("the directory is ours");
    }
    std::fs::create_dir_all(&dir).expect("the target directory is ours");
    std::fs::write(dir.join("Crash.java"), CRASH).expect("the directory is writable");
    let javac = Command::new(java_home().join("bin/javac")).args(["-nowarn", "Crash.java"]).current_dir(&dir).output();
    assert!(javac.expect("javac is installed").status.success());
    dir
}

fn run(vm: &Path, dir: &Path, args: &[&str]) -> Output {
    // Without a core dump, whatever this machine's limit is.
    let mut command = Command::new("/bin/sh");
    command.args(["-c", "ulimit -c 0; exec \"$0\" \"$@\""]).arg(vm).args(["-cp", "."]).args(args);
    command.current_dir(dir).stdin(Stdio::null()).output().expect("sh is there")
}

fn kiln() -> PathBuf {
    env!("CARGO_BIN_EXE_kiln").into()
}

/// What both VMs must print alike: addresses and numbers replaced, the lines left out that name
/// the VM, the frame and where to report bugs.
fn normal(output: &Output) -> Vec<String> {
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    let mut lines = Vec::new();
    let mut skip_next = false;
    for line in text.lines() {
        if std::mem::take(&mut skip_next) || line.starts_with("# Java VM:") || line == "#" {
            continue;
        }
        if line.starts_with("# If you would like") || line.starts_with("# Problematic frame") {
            skip_next = true;
            continue;
        }
        if line.starts_with("# The crash happened outside") || line.starts_with("# See problematic frame") {
            continue;
        }
        let mut out = String::new();
        let mut digits = false;
        for c in line.chars() {
            let digit = c.is_ascii_hexdigit() && (digits || c.is_ascii_digit());
            if digit && !digits {
                out.push('N');
            } else if !digit {
                out.push(c);
            }
            digits = digit;
        }
        lines.push(out);
    }
    lines
}

/// Runs both VMs in directories of their own; they must print the same and abort. What Kiln
/// printed, and where it ran.
fn same(name: &str, args: &[&str]) -> (String, PathBuf) {
    let (theirs, ours) = (work(&format!("{name}-java")), work(&format!("{name}-kiln")));
    let expected = run(&java_home().join("bin/java"), &theirs, args);
    let actual = run(&kiln(), &ours, args);
    let place = |d: &Path| d.display().to_string();
    let lines = |o: &Output, d: &Path| {
        normal(o).into_iter().map(|l| l.replace(&normal_text(&place(d)), "DIR")).collect::<Vec<_>>()
    };
    assert_eq!(lines(&actual, &ours), lines(&expected, &theirs), "{args:?}");
    assert_eq!(expected.status.signal(), Some(libc::SIGABRT), "HotSpot {args:?}");
    assert_eq!(actual.status.signal(), Some(libc::SIGABRT), "{args:?}");
    (String::from_utf8_lossy(&actual.stdout).into_owned(), ours)
}

/// A text as [`normal`] leaves it.
fn normal_text(text: &str) -> String {
    let fake = Output { status: std::process::ExitStatus::default(), stdout: text.into(), stderr: Vec::new() };
    normal(&fake).concat()
}

/// The log files in a directory.
fn logs(dir: &Path, prefix: &str) -> Vec<String> {
    let entries = std::fs::read_dir(dir).expect("the directory is there").map(|e| e.expect("readable").path());
    let logs = entries.filter(|p| p.file_name().is_some_and(|n| n.to_string_lossy().starts_with(prefix)));
    logs.map(|p| std::fs::read_to_string(p).expect("a text")).collect()
}

#[test]
fn a_segmentation_fault_leaves_a_report() {
    let (out, dir) = same("segv", &["Crash"]);
    assert!(out.contains("#  SIGSEGV (0xb) at pc=0x"), "{out}");
    assert!(out.contains("# V  [libjvm.so+0x"), "{out}");
    let logs = logs(&dir, "hs_err_pid");
    assert_eq!(logs.len(), 1);
    let at = |what: &str| logs[0].find(what).unwrap_or_else(|| panic!("no {what:?} in {}", logs[0]));
    let order = [
        at("# A fatal error has been detected"),
        at("JavaThread \"main\""),
        at("si_addr: 0x0000000000000010"),
        at("Registers:"),
        at("Java frames:"),
        at("j  jdk.internal.misc.Unsafe.putAddress(JJ)V+4"),
        at("j  Crash.main([Ljava/lang/String;)V+"),
        at("JavaThread \"Finalizer\""),
        at("libjava.so"),
    ];
    assert!(order.is_sorted(), "{order:?}");
    assert!(!logs[0].contains("error occurred during error reporting"), "{}", logs[0]);
}

#[test]
fn signals_from_outside_are_reported_as_such() {
    for signal in ["SEGV", "BUS", "ILL", "FPE"] {
        let (out, _) = same(&format!("kill-{signal}"), &["Crash", signal]);
        assert!(out.contains(&format!("#  SIG{signal} (0x")) && out.contains("(sent by kill)"), "{out}");
    }
}

#[test]
fn options_say_where_reports_go() {
    let (_, dir) = same("file", &["-XX:ErrorFile=mine_%p.txt", "Crash"]);
    assert_eq!(logs(&dir, "mine_").len(), 1);
    assert_eq!(logs(&dir, "hs_err").len(), 0);
    let (_, dir) = same("badfile", &["-XX:ErrorFile=no/such/directory/x", "Crash"]);
    assert_eq!(logs(&dir, "hs_err").len(), 1);
    let (out, dir) = same("suppress", &["-XX:+SuppressFatalErrorMessage", "Crash"]);
    assert_eq!(out, "");
    assert_eq!(logs(&dir, "hs_err").len(), 0);
    let (out, _) = same("onerror", &["-XX:OnError=echo one %p; echo two", "-XX:OnError=echo three", "Crash"]);
    assert!(out.contains("\none ") && out.contains("\ntwo\n") && out.contains("\nthree\n"), "{out}");
    // The whole report goes to these, which no two VMs share.
    for (option, to_stderr) in [("-XX:+ErrorFileToStdout", false), ("-XX:+ErrorFileToStderr", true)] {
        let dir = work("streams");
        let o = run(&kiln(), &dir, &[option, "Crash"]);
        let text = String::from_utf8_lossy(if to_stderr { &o.stderr } else { &o.stdout }).into_owned();
        assert!(text.contains("j  Crash.main([Ljava/lang/String;)V+"), "{text}");
        assert_eq!(text.matches("# A fatal error has been detected").count(), 1, "{text}");
        assert_eq!(logs(&dir, "hs_err").len(), 0);
        assert_eq!(o.status.signal(), Some(libc::SIGABRT));
    }
}

/// Run by [`a_panic_leaves_a_report`] in a process of its own.
#[test]
fn child_panics() {
    if std::env::var_os("CRASH_TEST_PANIC").is_some() {
        jvm::vm::crash::install_panic_hook();
        let nothing: Option<u8> = None;
        nothing.expect("a reason to fail");
    }
}

#[test]
fn a_panic_leaves_a_report() {
    let dir = work("panic");
    let me = std::env::current_exe().expect("a test has a path");
    let mut child = Command::new(me);
    child.args(["--exact", "child_panics", "--nocapture", "--test-threads=1"]).env("CRASH_TEST_PANIC", "1");
    let output = child.current_dir(&dir).output().expect("the test runs");
    assert_eq!(output.status.signal(), Some(libc::SIGABRT));
    let out = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(out.contains("#  Internal Error (crash.rs:"), "{out}");
    assert!(out.contains("#  Error: a reason to fail"), "{out}");
    let logs = logs(&dir, "hs_err_pid");
    assert_eq!(logs.len(), 1);
    assert!(logs[0].contains("child_panics"), "the native stack names the function: {}", logs[0]);
}

/// A pipe that nobody reads is an IOException (or nothing, for System.out), not the end.
#[test]
fn broken_pipes_do_not_end_the_process() {
    let dir = work("pipe");
    let source = "public class Pipe { public static void main(String[] a) throws Exception { \
        for (int i = 0; i < 100; i++) System.out.println(\"x\".repeat(1000)); \
        System.err.println(System.out.checkError()); } }";
    std::fs::write(dir.join("Pipe.java"), source).expect("the directory is writable");
    let javac = Command::new(java_home().join("bin/javac")).arg("Pipe.java").current_dir(&dir).status();
    assert!(javac.expect("javac is installed").success());
    for vm in [java_home().join("bin/java"), kiln()] {
        // SIGPIPE as a shell has it, not as this process does.
        let script = "trap - PIPE; (\"$0\" -cp . Pipe; echo $? >code) | true";
        let o = Command::new("/bin/sh").args(["-c", script]).arg(&vm).current_dir(&dir).output().expect("sh is there");
        assert_eq!(String::from_utf8_lossy(&o.stderr).trim(), "true", "{vm:?}");
        assert_eq!(std::fs::read_to_string(dir.join("code")).expect("written by sh").trim(), "0", "{vm:?}");
    }
}

/// Compiles the program `tests/jni/NAME.c` in a fresh directory.
fn compile_program(name: &str) -> PathBuf {
    let dir = work(name);
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/jni/{name}.c"));
    let jdk = java_home();
    let cc = Command::new("cc")
        .args(["-O1", "-Wall", "-o", name])
        .arg("-I")
        .arg(jdk.join("include"))
        .arg("-I")
        .arg(jdk.join("include/linux"))
        .arg(source)
        .arg("-ldl")
        .current_dir(&dir)
        .status();
    assert!(cc.expect("a C compiler is installed").success());
    dir
}

/// `tests/jni/signals.c` with each VM's library: the program's own handlers get the signals that the VM has no use for.
#[test]
fn signals_are_passed_on_to_the_program() {
    let (dir, jdk) = (compile_program("signals"), java_home());
    let ours = Path::new(env!("CARGO_BIN_EXE_kiln")).with_file_name("libjvm.so");
    let cases: [&[&str]; 5] = [
        &["before"],
        &["before", "-Xint"],
        &["before", "-Xrs"],
        &["once"],
        &["after"],
    ];
    for case in cases {
        let run = |library: &Path| {
            let mut c = Command::new("./signals");
            c.arg(library).args(case).current_dir(&dir).env("_KILN_JAVA_HOME", &jdk);
            if case[0] == "after" {
                c.env("LD_PRELOAD", jdk.join("lib/libjsig.so"));
            }
            let o = c.output().expect("it was built");
            (o.status.code(), o.status.signal(), String::from_utf8_lossy(&o.stdout).into_owned())
        };
        let expected = run(&jdk.join("lib/server/libjvm.so"));
        assert!(expected.2.ends_with("end\n"), "{case:?}: {expected:?}");
        assert_eq!(run(&ours), expected, "{case:?}");
    }
}

/// A VM that is started with signals blocked, as by a thread of another VM, answers tools and ends in good order.
#[test]
fn signals_that_the_starter_blocks_come_through() {
    let dir = work("blocked");
    let (program, class) = ("Waits.java", "Waits");
    let text = "public class Waits { public static void main(String[] a) throws Exception {\n\
                Runtime.getRuntime().addShutdownHook(new Thread(() -> System.out.println(\"hook\")));\n\
                System.out.println(\"up\"); Thread.sleep(60000); } }";
    std::fs::write(dir.join(program), text).expect("the directory is writable");
    let javac = Command::new(java_home().join("bin/javac")).arg(program).current_dir(&dir).status();
    assert!(javac.expect("javac is installed").success());
    for vm in [java_home().join("bin/java"), kiln()] {
        let mut command = Command::new(&vm);
        command.args(["-cp", ".", class]).current_dir(&dir).stdout(Stdio::piped());
        // SAFETY: only system calls between fork and exec.
        unsafe {
            command.pre_exec(|| {
                let mut set: libc::sigset_t = std::mem::zeroed();
                for s in [libc::SIGQUIT, libc::SIGTERM, libc::SIGSEGV] {
                    libc::sigaddset(&mut set, s);
                }
                libc::sigprocmask(libc::SIG_BLOCK, &set, std::ptr::null_mut());
                Ok(())
            });
        }
        let mut child = command.spawn().expect("the VM is there");
        let mut out = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        let mut wait_for = |what: &str| out.by_ref().map_while(Result::ok).any(|l| l.contains(what));
        assert!(wait_for("up"), "{vm:?}");
        for (signal, answer) in [(libc::SIGQUIT, "Full thread dump"), (libc::SIGTERM, "hook")] {
            // SAFETY: our child, which has not been waited for.
            unsafe { libc::kill(child.id() as i32, signal) };
            assert!(wait_for(answer), "{vm:?}: {answer}");
        }
        assert_eq!(child.wait().expect("it is ours").code(), Some(143), "{vm:?}");
    }
}

/// `tests/jni/embed.c` with each VM's library: the embedder's hooks are called as HotSpot does.
#[test]
fn an_embedder_s_hooks_are_called() {
    let (dir, jdk) = (compile_program("embed"), java_home());
    let ours = Path::new(env!("CARGO_BIN_EXE_kiln")).with_file_name("libjvm.so");
    for what in ["return", "exit", "halt", "fatal", "warning", "bad-option"] {
        let run = |library: &Path| {
            let mut c = Command::new("./embed");
            c.arg(library).arg(what).current_dir(&dir).env("_KILN_JAVA_HOME", &jdk);
            let o = c.output().expect("it was built");
            let text = |b: &[u8]| {
                let mut text = String::from_utf8_lossy(b).into_owned();
                // FatalError's native stack is HotSpot's own.
                if let (Some(from), Some(to)) = (text.find("stdout hook: Native frames"), text.find("abort hook")) {
                    text.replace_range(from..to, "");
                }
                text
            };
            (o.status.code(), o.status.signal(), text(&o.stdout), text(&o.stderr))
        };
        let expected = run(&jdk.join("lib/server/libjvm.so"));
        assert!(!expected.2.is_empty(), "{what}: {expected:?}");
        assert_eq!(run(&ours), expected, "{what}");
    }
}
