//! Heap dumps in the format that HotSpot writes and other tools read: hprof, "JAVA PROFILE 1.0.2" (described at the top
//! of HotSpot's `heapDumper.cpp`). Identifiers are addresses: of objects, for classes of their mirrors, for names of
//! their symbols.
//!
//! A dump is made in one pause, in this order: names, classes, threads with their stacks, then in the heap dump's
//! segments all classes with their statics, all other objects, and the roots.

mod classes;
mod objects;
mod roots;
mod stacks;
mod writer;

use crate::heap::Cause;
use super::walk::{self, Walk};
use crate::meta::symbol::Symbol;
use crate::threads::JavaThread;
use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime, UNIX_EPOCH};
use writer::{error_text, Writer};

/// HPROF_UTF8
const UTF8: u8 = 0x01;
/// Serial number of the stack trace, an empty one, that stands for "not known".
const NO_TRACE: u32 = 1;

/// What to dump, and where to.
pub struct Request<'a> {
    pub path: &'a Path,
    /// Collect first, so that little but what is reachable is in the dump.
    pub live: bool,
    /// Compress by gzip, at a level from 1 to 9.
    pub gzip_level: Option<u32>,
    /// Replace a file of this name.
    pub overwrite: bool,
    /// The current thread throws OutOfMemoryError: its stack begins with that error's constructor, which tools look for.
    pub out_of_memory: bool,
}

/// Why there is no dump, or no whole one; each with the system's text.
pub enum Error {
    Create(String),
    Write(String),
}

impl Error {
    /// The system's text.
    pub fn text(&self) -> &str {
        match self {
            Error::Create(text) | Error::Write(text) => text,
        }
    }
}

/// Writes the dump; its size in bytes. Call it without a lock of the VM's: all threads stop for it.
pub fn dump(t: &JavaThread, request: &Request<'_>) -> Result<u64, Error> {
    let writer = Writer::create(request.path, request.gzip_level, request.overwrite)
        .map_err(|e| Error::Create(error_text(&e)))?;
    // Names that the dump adds are made before the pause.
    let names = Names::new();
    walk::inspect(t, request.live.then_some(Cause::HeapDump), "HeapDumper", |heap| {
        write(heap, writer, names, request.out_of_memory.then_some(t))
    })
    .map_err(|e| Error::Write(error_text(&e)))
}

/// The same with HotSpot's messages, each printed as soon as there is something to tell; whether the dump is whole.
pub fn dump_and_tell(t: &JavaThread, request: &Request<'_>, print: &mut dyn FnMut(&str)) -> bool {
    let path = request.path.display();
    print(&format!("Dumping heap to {path} ...\n"));
    let start = Instant::now();
    let result = dump(t, request);
    match &result {
        Ok(bytes) => {
            print(&format!("Heap dump file created [{bytes} bytes in {:.3} secs]\n", start.elapsed().as_secs_f64()))
        }
        Err(Error::Create(text)) => print(&format!("Unable to create {path}: {text}\n")),
        Err(Error::Write(text)) => print(&format!("Dump file is incomplete: {text}\n")),
    }
    result.is_ok()
}

/// Where the dump of an OutOfMemoryError goes: `-XX:HeapDumpPath=`, a file or a directory; `java_pid123.hprof` in it or
/// in the current directory.
pub fn default_path(heap_dump_path: Option<&str>, gzip: bool) -> PathBuf {
    let name = format!("java_pid{}.hprof{}", std::process::id(), if gzip { ".gz" } else { "" });
    match heap_dump_path.filter(|p| !p.is_empty()) {
        None => PathBuf::from(name),
        Some(p) if Path::new(p).is_dir() => Path::new(p).join(name),
        Some(p) => PathBuf::from(p),
    }
}

/// Names to be written, each once.
struct Names {
    seen: HashSet<Symbol>,
    all: Vec<Symbol>,
    /// The static field that a class's constants are shown under.
    resolved_references: Symbol,
    constructor: Symbol,
    no_arguments: Symbol,
}

impl Names {
    fn new() -> Names {
        let resolved_references = Symbol::of("<resolved_references>");
        let (constructor, no_arguments) = (Symbol::of("<init>"), Symbol::of("()V"));
        let mut names =
            Names { seen: HashSet::new(), all: Vec::new(), resolved_references, constructor, no_arguments };
        for name in [resolved_references, constructor, no_arguments] {
            names.add(name);
        }
        names
    }

    fn add(&mut self, name: Symbol) {
        if self.seen.insert(name) {
            self.all.push(name);
        }
    }
}

/// In the pause.
fn write(heap: &Walk<'_>, mut w: Writer, mut names: Names, failing: Option<&JavaThread>) -> io::Result<u64> {
    let classes = classes::Classes::collect(&mut names);
    let stacks = stacks::Stacks::collect(heap, &mut names);
    w.bytes(b"JAVA PROFILE 1.0.2\0");
    w.u4(8);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    w.u8(now.as_millis() as u64);
    for name in &names.all {
        let text = name.as_bytes();
        w.record(UTF8, 8 + text.len() as u32);
        w.id(name.address());
        w.bytes(text);
    }
    classes.write_loads(&mut w);
    stacks.write(&mut w, &classes, &names, failing);
    classes.write_dumps(&mut w, &names);
    objects::write(heap, &mut w);
    roots::write(&mut w, &stacks, &classes);
    w.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_dumps() {
        let pid = std::process::id();
        assert_eq!(default_path(None, false), PathBuf::from(format!("java_pid{pid}.hprof")));
        assert_eq!(default_path(Some(""), true), PathBuf::from(format!("java_pid{pid}.hprof.gz")));
        assert_eq!(default_path(Some("/"), false), PathBuf::from(format!("/java_pid{pid}.hprof")));
        assert_eq!(default_path(Some("/no/such/x"), false), PathBuf::from("/no/such/x"));
    }
}
