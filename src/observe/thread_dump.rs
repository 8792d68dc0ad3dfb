//! Thread dumps (SIGQUIT, `jstack`, `Thread.print`) in HotSpot's format: what threads do, which monitors they hold and
//! wait for, and deadlocks. A dump is made in one pause.

use crate::heap::access::{load, load_ref};
use crate::heap::layout::Oop;
use crate::heap::walk::{self, Walk};
use crate::heap::{roots, strings};
use crate::jni::refs;
use crate::link::load::{mirror_to_class, MirrorOf};
use crate::meta::class::{ClassRef, ClassState, InstanceKind};
use crate::meta::method::MethodRef;
use crate::meta::well_known::{Known, KnownField};
use crate::threads::{lifecycle, stackwalk, waits, JavaThread};
use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::atomic::Ordering;

/// What a dump tells beside the stacks.
#[derive(Clone, Copy, Default)]
pub struct What {
    /// The ownable synchronizers that each thread holds (`-l`): found by a walk of the heap.
    pub locks: bool,
    /// `-e`: what Kiln does not measure, allocated bytes and defined classes, is left out.
    pub extended: bool,
}

/// `jdk.internal.misc.VM.toThreadState` of a `threadStatus`, as dumps show it.
fn state_text(status: i32) -> &'static str {
    match status {
        0 => "NEW",
        s if s & 0x2 != 0 => "TERMINATED",
        s if s & 0x4 != 0 => "RUNNABLE",
        s if s & 0x400 != 0 => "BLOCKED (on object monitor)",
        s if s & 0x40 != 0 => "TIMED_WAITING (sleeping)",
        s if s & 0x120 == 0x120 => "TIMED_WAITING (on object monitor)",
        s if s & 0x100 != 0 => "WAITING (on object monitor)",
        s if s & 0x220 == 0x220 => "TIMED_WAITING (parking)",
        s if s & 0x200 != 0 => "WAITING (parking)",
        _ => "UNKNOWN",
    }
}

/// Class, method and source position of a frame: `java.lang.Object.wait(java.base@17.0.15/Native Method)`.
fn frame_text(method: MethodRef, bci: usize) -> String {
    let class = method.class();
    let mut s = format!("{}.{}(", class.external_name(), method.name);
    if let Some(m) = class.module().filter(|m| m.is_named()) {
        if let Some(name) = m.name {
            let _ = write!(s, "{name}");
        }
        if let Some(v) = &m.version {
            let _ = write!(s, "@{v}");
        }
        s.push('/');
    }
    let file = crate::exceptions::backtrace::source_file(class);
    match (method.is_native(), file, method.line_number(bci)) {
        (true, ..) => s.push_str("Native Method"),
        (_, Some(f), Some(line)) => {
            let _ = write!(s, "{f}:{line}");
        }
        (_, Some(f), None) => {
            let _ = write!(s, "{f}");
        }
        _ => s.push_str("Unknown Source"),
    }
    s.push(')');
    s
}

/// `2026-11-21 12:31:37`, local time.
fn local_time() -> String {
    // SAFETY: `parts` is plain data that localtime_r fills in; strftime ends what it writes in
    // the buffer with 0 or reports 0 bytes.
    unsafe {
        let now = libc::time(std::ptr::null_mut());
        let mut parts: libc::tm = std::mem::zeroed();
        libc::localtime_r(&now, &mut parts);
        let mut text = [0u8; 32];
        let n = libc::strftime(text.as_mut_ptr().cast(), text.len(), c"%Y-%m-%d %H:%M:%S".as_ptr(), &parts);
        String::from_utf8_lossy(&text[..n]).into_owned()
    }
}

/// What the thread is doing, as its first line ends.
fn activity_text(x: &JavaThread, status: i32) -> &'static str {
    match status {
        _ if awaited_class(x).is_some() => "in Object.wait()",
        s if s & 0x400 != 0 => "waiting for monitor entry",
        s if s & 0x100 != 0 => "in Object.wait()",
        s if s & 0x240 != 0 => "waiting on condition",
        _ => "runnable",
    }
}

/// `<0x00000000ffd02f40> (a java.lang.Object)`.
fn object_text(o: Oop) -> String {
    let class = o.class();
    let what = match (class.instance_kind, o) {
        (InstanceKind::Mirror, mirror) => match mirror_to_class(mirror) {
            MirrorOf::Class(c) => format!("java.lang.Class for {}", c.external_name()),
            MirrorOf::Primitive(p) => format!("java.lang.Class for {}", p.java_name()),
        },
        _ => class.external_name(),
    };
    format!("<{:#018x}> (a {what})", o.address())
}

fn name_of(x: &JavaThread) -> String {
    let name = load_ref(x.thread_object.get(), KnownField::ThreadName.offset());
    name.non_null().map_or(String::new(), strings::to_rust)
}

fn status_of(x: &JavaThread) -> i32 {
    load::<i32>(x.thread_object.get(), KnownField::ThreadStatus.offset())
}

/// The class that the thread waits for another one to initialize. Of a standing thread.
fn awaited_class(x: &JavaThread) -> Option<ClassRef> {
    let is_running = |c: &ClassRef| c.state() == ClassState::BeingInitialized && c.initializing_thread() != x.id;
    x.vm.awaited_class.get().filter(is_running)
}

/// The frames with the monitors that each holds; at the innermost what the thread waits for.
fn stack_text(all: &[&JavaThread], x: &JavaThread) -> String {
    let status = status_of(x);
    let enters = status & 0x400 != 0;
    let (blocker, _) = waits::blocker_of(all, x, false);
    let mut out = String::new();
    for (depth, f) in stackwalk::frames(x).enumerate() {
        let _ = writeln!(out, "\tat {}", frame_text(f.method, f.bci));
        let innermost = depth == 0;
        if let Some(o) = blocker.non_null().filter(|_| innermost) {
            let what = match status {
                _ if enters => "waiting to lock",
                s if s & 0x200 != 0 => "parking to wait for ",
                _ => "waiting on",
            };
            let _ = writeln!(out, "\t- {what} {}", object_text(o));
        } else if let Some(c) = awaited_class(x).filter(|_| innermost) {
            let _ = writeln!(out, "\t- waiting on the Class initialization monitor for {}", c.external_name());
        }
        for o in f.monitors().into_iter().rev() {
            // One that it only enters is no lock yet.
            if !o.is_null() && !(innermost && enters && o == blocker) {
                let _ = writeln!(out, "\t- locked {}", object_text(o));
            }
        }
    }
    out
}

/// The synchronizers on the heap by the address of the Thread that owns them.
pub fn synchronizers(heap: &Walk<'_>) -> HashMap<usize, Vec<Oop>> {
    let ownable = Known::AbstractOwnableSynchronizer.get();
    let mut found: HashMap<usize, Vec<Oop>> = HashMap::new();
    heap.each_object(|o| {
        if !o.class().is_array() && o.class().is_subclass_of(ownable) {
            if let Some(owner) = load_ref(o, KnownField::OwnerThread.offset()).non_null() {
                found.entry(owner.address()).or_default().push(o);
            }
        }
    });
    found
}

fn thread_text(all: &[&JavaThread], x: &JavaThread) -> String {
    let thread = x.thread_object.get();
    let status = status_of(x);
    let elapsed = crate::observe::log::uptime().as_secs_f64() - x.vm.started_at.load(Ordering::Relaxed) as f64 / 1e6;
    format!(
        "\"{}\" #{}{} prio={} os_prio=0 cpu={:.2}ms elapsed={elapsed:.2}s tid={:#018x} nid={:#x} {}  [{:#018x}]\n   \
         java.lang.Thread.State: {}\n{}",
        name_of(x),
        load::<i64>(thread, KnownField::ThreadTid.offset()),
        if load::<u8>(thread, KnownField::ThreadDaemon.offset()) != 0 { " daemon" } else { "" },
        load::<i32>(thread, KnownField::ThreadPriority.offset()),
        lifecycle::cpu_time(x, true) as f64 / 1e6,
        x as *const JavaThread as usize,
        x.os_tid.load(Ordering::Relaxed),
        activity_text(x, status),
        x.saved_sp.load(Ordering::Relaxed) & !0xfff,
        state_text(status),
        stack_text(all, x),
    )
}

/// A standing thread alone, for who looks at it in a handshake while others run.
pub fn one(x: &JavaThread) -> String {
    thread_text(&[x], x)
}

/// Which threads there are, by the addresses that the dump shows them under.
fn list_text(all: &[&JavaThread]) -> String {
    let mut out = String::from("Threads class SMR info:\n");
    let _ = write!(out, "_java_thread_list={:#018x}, length={}, elements={{\n", all.as_ptr() as usize, all.len());
    let addresses: Vec<String> = all.iter().map(|x| format!("{:#018x}", *x as *const JavaThread as usize)).collect();
    let lines: Vec<String> = addresses.chunks(4).map(|c| c.join(", ")).collect();
    out + &lines.join(",\n") + "\n}\n\n"
}

/// The VM's threads that run no Java code and are no compilers: the collector's. They have no records of their own, so
/// the system is asked.
fn vm_threads_text() -> String {
    let tasks = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let mut ids: Vec<u64> = tasks.filter_map(|e| e.file_name().to_str()?.parse().ok()).collect();
    ids.sort_unstable();
    let mut out = String::new();
    let read = |id: u64, file: &str| std::fs::read_to_string(format!("/proc/self/task/{id}/{file}")).unwrap_or_default();
    let collectors = ids.into_iter().filter(|id| read(*id, "comm").trim_end() == COLLECTOR);
    for (i, id) in collectors.enumerate() {
        // Nanoseconds on a processor come first.
        let nanos = read(id, "schedstat").split(' ').next().and_then(|n| n.parse::<u64>().ok()).unwrap_or(0);
        let elapsed = crate::observe::log::uptime().as_secs_f64();
        let cpu = nanos as f64 / 1e6;
        let _ = writeln!(out, "\"{COLLECTOR}#{i}\" os_prio=0 cpu={cpu:.2}ms elapsed={elapsed:.2}s nid={id:#x} runnable  \n");
    }
    out
}

/// What the collector calls its threads.
const COLLECTOR: &str = "GC Thread";

/// The deadlocks, if there are any, and the stacks of the threads in them.
fn deadlocks_text(all: &[&JavaThread]) -> String {
    let circles = waits::deadlocks(all, false);
    let mut out = String::new();
    for circle in &circles {
        out += "\nFound one Java-level deadlock:\n=============================\n";
        for (i, x) in circle.iter().enumerate() {
            let o = waits::blocker_of(all, x, false).0;
            let class = o.class().external_name();
            let what = if status_of(x) & 0x400 != 0 {
                format!("waiting to lock monitor {:#018x} (object {:#018x}, a {class})", o.address(), o.address())
            } else {
                format!("waiting for ownable synchronizer {:#018x}, (a {class})", o.address())
            };
            let holder = name_of(circle[(i + 1) % circle.len()]);
            let _ = writeln!(out, "\"{}\":\n  {what},\n  which is held by \"{holder}\"\n", name_of(x));
        }
        out += "Java stack information for the threads listed above:\n\
                ===================================================\n";
        for x in circle {
            let _ = write!(out, "\"{}\":\n{}", name_of(x), stack_text(all, x));
        }
    }
    match circles.len() {
        0 => {}
        1 => out += "\nFound 1 deadlock.\n\n",
        n => {
            let _ = write!(out, "\nFound {n} deadlocks.\n\n");
        }
    }
    out
}

/// The whole dump.
pub fn text(t: &JavaThread, what: What) -> String {
    let info = crate::vm::get().options.settings.mode.info();
    let mut out = format!(
        "{}\nFull thread dump {} ({} {info}):\n\n",
        local_time(),
        crate::vm::VM_NAME,
        crate::vm::VM_VERSION
    );
    let deadlocks = walk::inspect(t, None, "PrintThreads", |heap| {
        let all = heap.threads;
        out += &list_text(all);
        let owned = if what.locks { synchronizers(heap) } else { HashMap::new() };
        for x in all.iter().filter(|x| !x.thread_object.get().is_null()) {
            out += &thread_text(all, x);
            if what.locks {
                out += "\n   Locked ownable synchronizers:\n";
                match owned.get(&x.thread_object.get().address()) {
                    Some(of_thread) => of_thread.iter().for_each(|o| {
                        let _ = writeln!(out, "\t- {}", object_text(*o));
                    }),
                    None => out += "\t- None\n",
                }
            }
            out.push('\n');
        }
        deadlocks_text(all)
    });
    if let Some(b) = crate::compiler::broker::get() {
        out += &b.dump_threads();
    }
    out += &vm_threads_text();
    let (globals, weaks) = (refs::global_count(), roots::weak_count());
    let _ = write!(out, "JNI global refs: {globals}, weak refs: {weaks}\n\n");
    out + &deadlocks
}

/// Prints the dump to standard output.
pub fn print(t: &JavaThread) {
    crate::vm_out!("{}", text(t, What::default()));
}
