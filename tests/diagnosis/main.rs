//! Diagnosis from outside: the JDK's `jcmd`, `jstack`, `jmap`, `jinfo` and `jps` against a Kiln process, compared with
//! what they say of HotSpot; heap dumps read back.
//!
//! `DIAGNOSIS_VM=scripts/kiln-arm64` runs another VM than `target/release/kiln`.

mod hprof;

use hprof::Dump;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// Keeps objects to be found, a thread that waits, one that parks and two in a deadlock; with an argument runs out of
/// memory.
const PROGRAM: &str = r#"
import java.util.concurrent.locks.*;
public class Target {
    static class Node { long number; Node next; byte b = 7; String text = "text of a node"; }
    static class Sub extends Node { int more = 42; double d = 2.5; char c = 'x'; boolean z = true; float f = 1.5f; short s = -2; }
    static Node[] nodes = new Node[1000];
    static int[] ints = { 1, -2, 3 };
    static long[][] longs = { { 1L << 40 }, null };
    static char[] large = new char[1 << 20];
    static final Object LOCK = new Object();
    static final ReentrantLock OWNED = new ReentrantLock();
    static void waits() { synchronized (LOCK) { try { LOCK.wait(); } catch (InterruptedException e) { } } }
    static void parks() { OWNED.lock(); synchronized (nodes) { LockSupport.park(LOCK); } }
    static void locks(Object a, Object b, java.util.concurrent.CyclicBarrier both) {
        synchronized (a) { try { both.await(); } catch (Exception e) { throw new Error(e); } synchronized (b) { System.out.println("?"); } }
    }
    static class Slow { static int n; static { waits(); } }
    static void initializes() { Slow.n = 1; }
    static void start(String name, Runnable r) { Thread t = new Thread(r, name); t.setDaemon(true); t.start(); }
    public static void main(String[] args) throws Exception {
        if (args.length > 0) { java.util.List<Object> l = new java.util.ArrayList<>(); try { while (true) l.add(new byte[10000]); } catch (OutOfMemoryError e) { l = null; System.out.println("caught " + e.getMessage()); } return; }
        for (int i = 0; i < 1000; i++) { nodes[i] = i % 10 == 0 ? new Sub() : new Node(); nodes[i].number = i; if (i > 0) nodes[i].next = nodes[i - 1]; }
        large[0] = 'L'; large[large.length - 1] = 'E';
        Node local = new Node(); local.number = 123456789;
        start("waiting", Target::waits);
        start("initializing", Target::initializes);
        Thread.sleep(200);
        start("needing", Target::initializes);
        start("parking", Target::parks);
        Object a = new Object(), b = new Object();
        var both = new java.util.concurrent.CyclicBarrier(2);
        start("first", () -> locks(a, b, both));
        start("second", () -> locks(b, a, both));
        Thread.sleep(500);
        System.out.println("ready");
        while (true) { Thread.sleep(100); if (local.number == 0) break; }
    }
}
"#;

fn java_home() -> PathBuf {
    let default = || "/usr/lib/jvm/java-17-openjdk-amd64".into();
    std::env::var_os("JAVA_HOME").map_or_else(default, PathBuf::from)
}

fn vm() -> PathBuf {
    match std::env::var_os("DIAGNOSIS_VM") {
        Some(vm) => std::fs::canonicalize(vm).expect("DIAGNOSIS_VM names a VM"),
        None => env!("CARGO_BIN_EXE_kiln").into(),
    }
}

/// A directory of the test's own; the program's classes are in `../classes`.
fn work(name: &str) -> PathBuf {
    static CLASSES: OnceLock<()> = OnceLock::new();
    let top = Path::new(env!("CARGO_TARGET_TMPDIR")).join("diagnosis");
    CLASSES.get_or_init(|| {
        let classes = top.join("classes");
        std::fs::create_dir_all(&classes).expect("the target directory is ours");
        std::fs::write(classes.join("Target.java"), PROGRAM).expect("the directory is writable");
        let javac = Command::new(java_home().join("bin/javac")).arg("Target.java").current_dir(&classes).status();
        assert!(javac.expect("javac is installed").success());
    });
    let dir = top.join(name);
    if dir.exists() {
        std::fs::remove_dir_all(&dir).expect("the directory is ours");
    }
    std::fs::create_dir_all(&dir).expect("the directory is ours");
    dir
}

/// A running program; it is killed when this goes.
struct Running {
    child: Child,
    dir: PathBuf,
}

impl Running {
    fn start(name: &str, vm: &Path, options: &[&str]) -> Running {
        let dir = work(name);
        let mut command = Command::new(vm);
        command.args(options).args(["-cp", "../classes", "Target"]).current_dir(&dir);
        let mut child = command.stdout(Stdio::piped()).stdin(Stdio::null()).spawn().expect("the VM starts");
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let ready = lines.find(|line| line.as_ref().is_ok_and(|l| l == "ready"));
        assert!(ready.is_some(), "the program got ready");
        // The rest is read away, so that the program does not wait for us.
        std::thread::spawn(move || lines.for_each(drop));
        Running { child, dir }
    }

    fn kiln(name: &str) -> Running {
        Running::start(name, &vm(), &["-Xmx128m"])
    }

    fn tool(&self, tool: &str, args: &[&str]) -> Output {
        let mut command = Command::new(java_home().join("bin").join(tool));
        command.args(args).arg(self.child.id().to_string()).current_dir(&self.dir);
        command.output().expect("the JDK has the tool")
    }

    /// What a diagnostic command says, without the first line, which is the process's number.
    fn jcmd(&self, command: &str) -> String {
        let mut jcmd = Command::new(java_home().join("bin/jcmd"));
        jcmd.arg(self.child.id().to_string()).args(command.split(' ')).current_dir(&self.dir);
        let output = text(&jcmd.output().expect("the JDK has jcmd"));
        output.replacen(&format!("{}:\n", self.child.id()), "", 1)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Both outputs.
fn text(o: &Output) -> String {
    String::from_utf8_lossy(&o.stdout).into_owned() + &String::from_utf8_lossy(&o.stderr)
}

fn hotspot(name: &str) -> Running {
    Running::start(name, &java_home().join("bin/java"), &["-Xmx128m"])
}

#[test]
fn commands_say_what_hotspots_say() {
    let (kiln, java) = (Running::kiln("same-kiln"), hotspot("same-java"));
    for command in [
        "help GC.heap_dump",
        "help GC.class_histogram",
        "help Thread.print",
        "help VM.log",
        "help VM.flags",
        "help VM.version",
        "help VM.set_flag",
        "help VM.uptime",
        "help help",
        "help nothing",
        "Nothing",
        "GC.heap_dump",
        "GC.heap_dump -gz=10 x.hprof",
        "GC.class_histogram -parallel=x",
        "GC.class_histogram -parallel=-1",
        "Thread.print -x",
        "Thread.print -l -l",
        "Thread.print -l=maybe",
        "VM.set_flag UseSerialGC true",
        "VM.set_flag Bogus 1",
        "VM.set_flag MinHeapFreeRatio",
        "VM.set_flag MinHeapFreeRatio x",
        "VM.set_flag MinHeapFreeRatio 1000",
        "VM.set_flag HeapDumpPath here",
        "VM.command_line",
        "VM.log",
        "VM.log what=nonsense",
        "GC.run",
        "GC.run_finalization",
        "GC.finalizer_info",
        "Compiler.queue",
        "help ManagementAgent.start",
        "help ManagementAgent.stop",
        "help VM.classloader_stats",
        "ManagementAgent.status",
        "ManagementAgent.start_local",
    ] {
        let strip = |s: String| s.replace("same-kiln", "same").replace("same-java", "same");
        assert_eq!(strip(kiln.jcmd(command)), strip(java.jcmd(command)), "jcmd {command}");
    }
    for (tool, args) in [
        ("jinfo", &["-flag", "MaxHeapSize"] as &[&str]),
        ("jinfo", &["-flag", "NoSuchFlag"]),
        ("jinfo", &["-flag", "+HeapDumpOnOutOfMemoryError"]),
        ("jinfo", &["-flag", "HeapDumpOnOutOfMemoryError"]),
        ("jinfo", &["-flag", "-UseSerialGC"]),
    ] {
        assert_eq!(text(&kiln.tool(tool, args)), text(&java.tool(tool, args)), "{tool} {args:?}");
    }
}

#[test]
fn facts_about_the_vm() {
    let kiln = Running::kiln("facts");
    let version = kiln.jcmd("VM.version");
    assert!(version.starts_with("OpenJDK 64-Bit Kiln Server VM version ") && version.contains("\nJDK 17."), "{version}");
    assert!(kiln.jcmd("VM.flags").contains("-XX:MaxHeapSize=134217728 "));
    assert!(kiln.jcmd("VM.flags -all").starts_with("[Global flags]\n"));
    assert!(kiln.jcmd("VM.system_properties").contains("\njava.vm.name=OpenJDK 64-Bit Kiln Server VM\n"));
    let uptime = kiln.jcmd("VM.uptime");
    assert!(uptime.strip_suffix(" s\n").is_some_and(|s| s.parse::<f64>().is_ok_and(|s| s > 0.5)), "{uptime}");
    let info = kiln.jcmd("GC.heap_info");
    assert!(info.contains(" heap   total ") && info.contains(" Metaspace       used "), "{info}");
    let info = kiln.jcmd("VM.info");
    assert!(info.contains("Java Threads:") && info.contains("\nSignal Handlers:\n   SIGSEGV: V  ["), "{info}");
    assert!(kiln.jcmd("VM.log list").contains(" #0: stdout all=warning uptime,level,tags\n"));
    assert_eq!(kiln.jcmd("VM.log output=log.txt what=gc=info"), "Command executed successfully\n");
    kiln.jcmd("GC.run");
    let loaders = kiln.jcmd("VM.classloader_stats");
    assert!(loaders.contains("  <boot class loader>\n") && loaders.contains("   + hidden classes\n"), "{loaders}");
    assert!(loaders.contains("\nTotal = 3 "), "{loaders}");
    assert_eq!(kiln.jcmd("ManagementAgent.start_local"), "Command executed successfully\n");
    let agent = kiln.jcmd("ManagementAgent.status");
    assert!(agent.starts_with("Agent: enabled\n") && agent.contains("service:jmx:rmi://127.0.0.1/stub/"), "{agent}");
    assert!(kiln.jcmd("VM.log list").contains("log.txt"));
    let properties = text(&kiln.tool("jinfo", &["-sysprops"]));
    assert!(properties.contains("java.specification.version=17"), "{properties}");
}

#[test]
fn tools_find_the_process() {
    let kiln = Running::kiln("find");
    let line = format!("{} Target", kiln.child.id());
    for (tool, args) in [("jps", &["-l"] as &[&str]), ("jcmd", &["-l"])] {
        let output = Command::new(java_home().join("bin").join(tool)).args(args).output().expect("the JDK has it");
        assert!(text(&output).lines().any(|l| l == line), "{tool}: {}", text(&output));
    }
    let file = |pid: u32| -> Vec<PathBuf> {
        let all = std::fs::read_dir("/tmp").expect("there is /tmp").flatten();
        let of = all.filter(|e| e.file_name().to_string_lossy().starts_with("hsperfdata_"));
        of.map(|e| e.path().join(pid.to_string())).filter(|p| p.exists()).collect()
    };
    let pid = kiln.child.id();
    assert_eq!(file(pid).len(), 1);
    kiln.jcmd("VM.version");
    let socket = PathBuf::from(format!("/tmp/.java_pid{pid}"));
    assert!(socket.exists());
    // Ended by SIGTERM it takes both files along.
    // SAFETY: the process is ours.
    unsafe { libc::kill(pid as i32, libc::SIGTERM) };
    let begin = Instant::now();
    while !file(pid).is_empty() || socket.exists() {
        assert!(begin.elapsed() < Duration::from_secs(20), "the files go with the process");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn attaching_can_be_switched_off() {
    let kiln = Running::start("off", &vm(), &["-XX:+DisableAttachMechanism"]);
    let listed = Command::new(java_home().join("bin/jcmd")).arg("-l").output().expect("the JDK has jcmd");
    assert!(!text(&listed).contains(&format!("{} Target", kiln.child.id())));
    drop(kiln);
    let kiln = Running::start("listening", &vm(), &["-XX:+StartAttachListener"]);
    assert!(PathBuf::from(format!("/tmp/.java_pid{}", kiln.child.id())).exists(), "it listens from the start");
    assert!(kiln.jcmd("VM.version").starts_with("OpenJDK"));
    let agent = kiln.jcmd("JVMTI.agent_load nothing");
    assert!(agent.contains("Unknown diagnostic command"), "{agent}");
    std::fs::remove_file(format!("/tmp/.java_pid{}", kiln.child.id())).expect("the socket is there");
    assert!(kiln.jcmd("VM.version").starts_with("OpenJDK"), "the listener starts again without its file");
}

/// A thread's part of a dump without what differs from run to run: addresses, times, line ends of its first line.
fn of_thread(dump: &str, name: &str) -> Vec<String> {
    let begin = dump.find(&format!("\"{name}\" #")).unwrap_or_else(|| panic!("{name} is in\n{dump}"));
    let part = dump[begin..].lines().enumerate().take_while(|(i, l)| *i == 0 || !l.starts_with('"'));
    part.map(|(i, line)| {
        let words: Vec<&str> = line.split(' ').map(|w| w.split_once("=0x").map_or(w, |w| w.0)).collect();
        let line = words.into_iter().filter(|w| !w.starts_with("cpu=") && !w.starts_with("elapsed=")).collect::<Vec<_>>();
        let mut line = line.join(" ");
        while let Some(at) = line.find("0x0") {
            let end = line[at + 2..].find(|c: char| !c.is_ascii_hexdigit()).map_or(line.len(), |n| at + 2 + n);
            line.replace_range(at..end, "ADDRESS");
        }
        // The version of the class library, which may be another.
        while let Some(at) = line.find("java.base@") {
            let end = line[at..].find('/').map_or(line.len(), |n| at + n);
            line.replace_range(at..end, "java.base");
        }
        if i == 0 { line.replace(&line[line.find('#').unwrap_or(0)..line.find(" prio").unwrap_or(0)], "") } else { line }
    })
    .filter(|l| !l.contains("$$Lambda$"))
    .collect()
}

#[test]
fn thread_dumps_say_what_hotspots_say() {
    let (kiln, java) = (Running::kiln("threads-kiln"), hotspot("threads-java"));
    let (ours, theirs) = (text(&kiln.tool("jstack", &["-l"])), text(&java.tool("jstack", &["-l"])));
    for name in ["main", "waiting", "initializing", "needing", "parking", "first", "second", "Finalizer", "Common-Cleaner"] {
        assert_eq!(of_thread(&ours, name), of_thread(&theirs, name), "{ours}");
    }
    assert!(ours.contains("Found one Java-level deadlock:\n=============================\n"), "{ours}");
    assert!(ours.contains("which is held by \"first\"") && ours.ends_with("Found 1 deadlock.\n\n"), "{ours}");
    assert!(ours.contains("\t- waiting on the Class initialization monitor for Target$Slow\n"), "{ours}");
    assert!(ours.contains("JNI global refs: "));
    // The lines about threads that are not shown.
    let heads = |dump: &str| dump.lines().filter(|l| l.starts_with("Threads class SMR info:")).count();
    assert_eq!((heads(&ours), heads(&theirs)), (1, 1));
    let first = |dump: &str| dump.lines().filter(|l| l.starts_with("_java_thread_list=0x")).count();
    assert_eq!((first(&ours), first(&theirs)), (1, 1));
    assert!(ours.contains("\n\"GC Thread#0\" os_prio=0 cpu="), "{ours}");
    assert!(kiln.jcmd("Thread.print").contains("\"Attach Listener\" #"));
}

/// HotSpot's threads block SIGQUIT, and what they start inherits that: tools must get through to it all the same.
#[test]
fn blocked_signals_are_taken() {
    let dir = work("blocked");
    let mut command = Command::new("env");
    command.args(["--block-signal=QUIT,SEGV,TERM"]).arg(vm()).args(["-cp", "../classes", "Target"]).current_dir(&dir);
    let mut child = command.stdout(Stdio::piped()).stdin(Stdio::null()).spawn().expect("env is there");
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    assert!(lines.any(|line| line.is_ok_and(|l| l == "ready")), "the program got ready");
    std::thread::spawn(move || lines.for_each(drop));
    let mut kiln = Running { child, dir };
    assert!(kiln.jcmd("VM.version").starts_with("OpenJDK"), "SIGQUIT arrives");
    // SAFETY: the process is ours.
    unsafe { libc::kill(kiln.child.id() as i32, libc::SIGTERM) };
    let begin = Instant::now();
    while kiln.child.try_wait().expect("it is our child").is_none() {
        assert!(begin.elapsed() < Duration::from_secs(20), "SIGTERM ends the VM");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn histograms() {
    let kiln = Running::kiln("histogram");
    for histogram in [kiln.jcmd("GC.class_histogram"), text(&kiln.tool("jmap", &["-histo:live"]))] {
        let lines: Vec<&str> = histogram.lines().collect();
        assert_eq!(lines[0], " num     #instances         #bytes  class name (module)");
        assert_eq!(lines[1], "-".repeat(55));
        let row = |name: &str| -> (u64, u64) {
            let line = lines.iter().find(|l| l.ends_with(&format!("  {name}"))).unwrap_or_else(|| panic!("{histogram}"));
            let words: Vec<&str> = line.split_whitespace().collect();
            assert_eq!(format!("{:>4}: {:>13}  {:>13}  {name}", &words[0][..words[0].len() - 1], words[1], words[2]), **line);
            (words[1].parse().unwrap(), words[2].parse().unwrap())
        };
        assert_eq!(row("Target$Node").0, 901, "900 and the local one");
        assert_eq!(row("Target$Sub").0, 100);
        assert_eq!(row("[LTarget$Node;"), (1, 4016));
        let string = lines.iter().find(|l| l.contains("  java.lang.String (java.base@17."));
        assert!(string.is_some_and(|l| l.ends_with(')')), "{histogram}");
        let bytes: Vec<u64> = lines[2..lines.len() - 1].iter().map(|l| l.split_whitespace().nth(2).unwrap().parse().unwrap()).collect();
        assert!(bytes.is_sorted_by(|a, b| a >= b), "most bytes first");
        let total: Vec<&str> = lines[lines.len() - 1].split_whitespace().collect();
        assert_eq!((total[0], total[2].parse::<u64>().unwrap()), ("Total", bytes.iter().sum()));
    }
}

/// Checks what the program keeps.
fn check(dump: &Dump) {
    let target = &dump.classes[&dump.class_named("Target")];
    let nodes = dump.elements(target.statics["nodes"]);
    assert_eq!(nodes.len(), 1000);
    for (i, &n) in nodes.iter().enumerate() {
        assert_eq!(dump.field(n, "number"), i as u64);
        assert_eq!(dump.field(n, "b"), 7);
        assert_eq!(dump.field(n, "next"), if i == 0 { 0 } else { nodes[i - 1] });
        assert_eq!(dump.text(dump.field(n, "text")), "text of a node");
    }
    let sub = nodes[10];
    let values = ["more", "d", "c", "z", "f", "s"].map(|f| dump.field(sub, f));
    assert_eq!(values, [42, 2.5f64.to_bits(), 'x' as u64, 1, u64::from(1.5f32.to_bits()), 0xfffe]);
    assert_eq!(dump.instances("Target$Sub").len(), 100);
    let ints = dump.primitives(target.statics["ints"]);
    assert_eq!(ints, (10, &[0, 0, 0, 1, 0xff, 0xff, 0xff, 0xfe, 0, 0, 0, 3][..]));
    let longs = dump.elements(target.statics["longs"]);
    assert_eq!((longs.len(), longs[1]), (2, 0));
    assert_eq!(dump.primitives(longs[0]), (11, &[0, 0, 1, 0, 0, 0, 0, 0][..]));
    let (ty, large) = dump.primitives(target.statics["large"]);
    assert_eq!((ty, large.len(), large[1], large[large.len() - 1]), (5, 2 << 20, b'L', b'E'));
    assert_eq!(dump.stack("waiting")[..2], ["wait", "wait"]);
    assert!(dump.stack("parking").contains(&"parks".to_string()));
    assert_eq!(dump.stack("main"), ["sleep", "main"]);
    // The local variable is a root of its frame.
    let local = dump.instances("Target$Node").into_iter().find(|n| dump.field(*n, "number") == 123456789);
    let local = local.expect("the local variable's object is in the dump");
    assert!(dump.roots[&0x03].contains(&local), "a Java frame refers to it");
    let lock = target.statics["LOCK"];
    assert!(dump.roots[&0x07].contains(&target.statics["nodes"]), "its monitor is held");
    assert!(dump.is_there(lock));
    assert!(dump.roots[&0x05].contains(&dump.class_named("java/lang/Object")), "system classes are roots");
}

/// References of objects to what the dump does not have.
fn dangling(dump: &Dump) -> usize {
    let arrays = dump.objects.iter().filter_map(|(id, o)| matches!(o, hprof::Object::Objects { .. }).then_some(*id));
    arrays.flat_map(|a| dump.elements(a)).filter(|e| **e != 0 && !dump.is_there(**e)).count()
}

#[test]
fn heap_dumps_are_read_back() {
    let kiln = Running::kiln("dumps");
    let path = |name: &str| kiln.dir.join(name);
    let made = text(&kiln.tool("jmap", &["-dump:live,format=b,file=live.hprof"]));
    let bytes = std::fs::read(path("live.hprof")).expect("there is a dump");
    let first = format!("Dumping heap to {} ...\nHeap dump file created [{} bytes in ", path("live.hprof").display(), bytes.len());
    assert!(made.starts_with(&first) && made.ends_with(" secs]\n"), "{made}");
    let dump = Dump::read(&bytes);
    check(&dump);
    assert_eq!(dangling(&dump), 0);
    let again = text(&kiln.tool("jmap", &["-dump:live,format=b,file=live.hprof"]));
    assert!(again.ends_with(&format!("Unable to create {}: File exists\n", path("live.hprof").display())), "{again}");
    let all = kiln.jcmd(&format!("GC.heap_dump -all {}", path("all.hprof").display()));
    assert!(all.contains("Heap dump file created ["), "{all}");
    check(&Dump::read(&std::fs::read(path("all.hprof")).expect("there is a dump")));
    let over = kiln.jcmd(&format!("GC.heap_dump -overwrite -gz=1 {}", path("all.hprof").display()));
    assert!(over.contains("Heap dump file created ["), "{over}");
    let mut plain = Vec::new();
    let file = std::fs::File::open(path("all.hprof")).expect("there is a dump");
    std::io::Read::read_to_end(&mut flate2::read::MultiGzDecoder::new(file), &mut plain).expect("it is compressed by gzip");
    check(&Dump::read(&plain));
}

#[test]
fn dumps_of_out_of_memory_errors() {
    let dir = work("memory");
    let run = |options: &[&str]| {
        let mut command = Command::new(vm());
        command.args(["-Xmx20m", "-cp", "../classes"]).args(options).args(["Target", "x"]).current_dir(&dir);
        command.output().expect("the VM starts")
    };
    let o = run(&["-XX:+HeapDumpOnOutOfMemoryError", "-XX:HeapDumpPath=dump.hprof"]);
    let bytes = std::fs::read(dir.join("dump.hprof")).expect("there is a dump");
    let begin = format!(
        "java.lang.OutOfMemoryError: Java heap space\nDumping heap to dump.hprof ...\nHeap dump file created [{} bytes in ",
        bytes.len()
    );
    assert!(text(&o).starts_with(&begin) && text(&o).ends_with(" secs]\ncaught Java heap space\n"), "{}", text(&o));
    let dump = Dump::read(&bytes);
    assert_eq!(dump.stack("main"), ["<init>", "main"], "it begins with the error's constructor");
    let o = run(&["-XX:+HeapDumpOnOutOfMemoryError", "-XX:HeapDumpPath=/nonexistent/x"]);
    assert!(text(&o).contains("Unable to create /nonexistent/x: No such file or directory\n"), "{}", text(&o));
    let o = run(&["-XX:+ExitOnOutOfMemoryError"]);
    assert_eq!((text(&o).as_str(), o.status.code()), ("Terminating due to java.lang.OutOfMemoryError: Java heap space\n", Some(3)));
    let o = run(&["-XX:OnOutOfMemoryError=touch ran-%p; touch ran-too"]);
    assert!(text(&o).contains("# -XX:OnOutOfMemoryError=\"touch ran-%p; touch ran-too\"\n#   Executing /bin/sh -c \"touch ran-"));
    assert!(dir.join("ran-too").exists() && text(&o).ends_with("caught Java heap space\n"), "{}", text(&o));
}
