//! The tags of JDK 17's unified logging and the sets of them that messages are logged with; `inlinecache` is
//! Kiln's own.
//!
//! `-Xlog` selects among the sets, so that a selection which matches none can be warned about.
//! A message can only be logged with a set of this table: [`tag_set`] is evaluated at compile
//! time and an unknown set does not compile.

/// All tags, in alphabetical order, as `-Xlog:help` lists them.
pub(super) const TAGS: &[&str] = &[
    "add", "age", "alloc", "annotation", "arguments", "attach", "barrier", "biasedlocking",
    "blocks", "bot", "breakpoint", "bytecode", "cds", "census", "class", "classhisto", "cleanup",
    "codecache", "compaction", "compilation", "condy", "constantpool", "constraints", "container",
    "coops", "cpu", "cset", "data", "datacreation", "dcmd", "decoder", "defaultmethods", "deoptimization", "director",
    "dump", "dynamic", "ergo", "event", "exceptions", "exit", "fingerprint", "free", "freelist",
    "gc", "handshake", "hashtables", "heap", "humongous", "ihop", "iklass", "indy", "init",
    "inlinecache", "inlining", "install", "interpreter", "itables", "jfr", "jit", "jni", "jvmci", "jvmti",
    "lambda", "library", "liveness", "load", "loader", "logging", "malloc", "map", "mark",
    "marking", "membername", "memops", "metadata", "metaspace", "methodcomparator", "methodhandles",
    "mirror", "mmu", "module", "monitorinflation", "monitormismatch", "nestmates", "nmethod", "nmt",
    "normalize", "numa", "objecttagging", "obsolete", "oldobject", "oom", "oopmap", "oops",
    "oopstorage", "os", "owner", "pagesize", "parser", "patch", "path", "perf", "periodic",
    "phases", "plab", "placeholders", "preorder", "preview", "promotion", "protectiondomain",
    "ptrqueue", "purge", "record", "redefine", "ref", "refine", "region", "reloc", "remset",
    "resolve", "safepoint", "sampling", "scavenge", "sealed", "setting", "smr", "stackbarrier",
    "stackmap", "stacktrace", "stackwalk", "start", "startup", "startuptime", "state", "stats",
    "streaming", "stringdedup", "stringtable", "subclass", "survivor", "suspend", "sweep",
    "symboltable", "system", "table", "task", "thread", "throttle", "time", "timer", "tlab",
    "tracking", "trimnative", "unload", "unshareable", "update", "valuebasedclasses",
    "verification", "verify", "vmmutex", "vmoperation", "vmthread", "vtables", "vtablestubs",
    "workgang",
];

/// The most tags a set can have.
pub(super) const MAX_TAGS: usize = 5;

/// All tag sets; the tags of a set are in the order of its decoration.
pub(super) const TAG_SETS: &[&[&str]] = &[
    &["arguments"], &["attach"], &["biasedlocking"], &["biasedlocking", "handshake"], &["cds"],
    &["cds", "class"], &["cds", "dynamic"], &["cds", "hashtables"], &["cds", "heap"],
    &["cds", "heap", "mirror"], &["cds", "jvmti"], &["cds", "lambda"], &["cds", "map"],
    &["cds", "mirror"], &["cds", "reloc"], &["cds", "unshareable"], &["cds", "verification"],
    &["cds", "vtables"], &["class"], &["class", "init"], &["class", "load"],
    &["class", "load", "placeholders"], &["class", "loader", "constraints"],
    &["class", "loader", "data"], &["class", "nestmates"], &["class", "path"],
    &["class", "preorder"], &["class", "preview"], &["class", "resolve"], &["class", "sealed"],
    &["class", "unload"], &["class", "unload", "nmethod"], &["codecache"], &["codecache", "sweep"],
    &["codecache", "sweep", "start"], &["compilation"], &["compilation", "codecache"], &["decoder"],
    &["defaultmethods"], &["deoptimization"], &["ergo"], &["exceptions"], &["gc"], &["gc", "age"], &["gc", "alloc"],
    &["gc", "alloc", "region"], &["gc", "alloc", "stats"], &["gc", "barrier"], &["gc", "bot"],
    &["gc", "breakpoint"], &["gc", "classhisto"], &["gc", "classhisto", "start"],
    &["gc", "compaction"], &["gc", "cpu"], &["gc", "director"], &["gc", "ergo"],
    &["gc", "ergo", "cset"], &["gc", "ergo", "heap"], &["gc", "ergo", "ihop"],
    &["gc", "ergo", "refine"], &["gc", "heap"], &["gc", "heap", "coops"], &["gc", "heap", "exit"],
    &["gc", "heap", "numa"], &["gc", "heap", "region"], &["gc", "heap", "verify"],
    &["gc", "humongous"], &["gc", "ihop"], &["gc", "init"], &["gc", "jni"], &["gc", "jvmci"],
    &["gc", "liveness"], &["gc", "load"], &["gc", "marking"], &["gc", "metaspace"],
    &["gc", "metaspace", "freelist"], &["gc", "metaspace", "freelist", "oom"], &["gc", "mmu"],
    &["gc", "nmethod"], &["gc", "nmethod", "oops"], &["gc", "periodic"], &["gc", "phases"],
    &["gc", "phases", "ref"], &["gc", "phases", "start"], &["gc", "phases", "task"],
    &["gc", "plab"], &["gc", "promotion"], &["gc", "ptrqueue", "freelist"], &["gc", "ref"],
    &["gc", "ref", "start"], &["gc", "refine"], &["gc", "refine", "stats"], &["gc", "region"],
    &["gc", "region", "cds"], &["gc", "reloc"], &["gc", "remset"], &["gc", "remset", "exit"],
    &["gc", "remset", "tracking"], &["gc", "start"], &["gc", "stats"], &["gc", "task"],
    &["gc", "task", "start"], &["gc", "task", "time"], &["gc", "tlab"], &["gc", "verify"],
    &["gc", "verify", "start"], &["handshake"], &["handshake", "task"], &["init"],
    &["interpreter", "oopmap"], &["interpreter", "safepoint"], &["itables"], &["jfr"],
    &["jfr", "dcmd"], &["jfr", "event"], &["jfr", "metadata"], &["jfr", "oldobject", "sampling"],
    &["jfr", "setting"], &["jfr", "start"], &["jfr", "startup"], &["jfr", "system"],
    &["jfr", "system", "bytecode"], &["jfr", "system", "event"], &["jfr", "system", "metadata"],
    &["jfr", "system", "parser"], &["jfr", "system", "setting"], &["jfr", "system", "streaming"],
    &["jfr", "system", "throttle"], &["jit", "compilation"], &["jit", "inlinecache"], &["jit", "inlining"],
    &["jit", "thread"], &["jni", "resolve"], &["jvmti"], &["jvmti", "objecttagging"],
    &["jvmti", "table"], &["library"], &["logging"], &["logging", "thread"],
    &["membername", "table"], &["membername", "table", "perf"], &["metaspace"], &["methodhandles"],
    &["methodhandles", "condy"], &["methodhandles", "indy"], &["module"], &["module", "load"],
    &["module", "patch"], &["module", "unload"], &["monitorinflation"],
    &["monitorinflation", "owner"], &["monitormismatch"], &["nmethod", "barrier"],
    &["nmethod", "install"], &["nmt"], &["oopstorage", "blocks"],
    &["oopstorage", "blocks", "stats"], &["oopstorage", "ref"], &["os"], &["os", "container"],
    &["os", "cpu"], &["os", "thread"], &["os", "thread", "timer"], &["pagesize"],
    &["perf", "datacreation"], &["perf", "memops"], &["protectiondomain"],
    &["protectiondomain", "table"], &["redefine", "class"], &["redefine", "class", "annotation"],
    &["redefine", "class", "breakpoint"], &["redefine", "class", "constantpool"],
    &["redefine", "class", "dump"], &["redefine", "class", "iklass", "add"],
    &["redefine", "class", "iklass", "purge"], &["redefine", "class", "interpreter", "oopmap"],
    &["redefine", "class", "load"], &["redefine", "class", "load", "exceptions"],
    &["redefine", "class", "methodcomparator"], &["redefine", "class", "nestmates"],
    &["redefine", "class", "nmethod"], &["redefine", "class", "normalize"],
    &["redefine", "class", "obsolete"], &["redefine", "class", "obsolete", "mark"],
    &["redefine", "class", "obsolete", "metadata"], &["redefine", "class", "oopmap"],
    &["redefine", "class", "record"], &["redefine", "class", "stackmap"],
    &["redefine", "class", "subclass"], &["redefine", "class", "timer"],
    &["redefine", "class", "update"], &["redefine", "class", "update", "constantpool"],
    &["redefine", "class", "update", "itables"], &["redefine", "class", "update", "vtables"],
    &["safepoint"], &["safepoint", "cleanup"], &["safepoint", "stats"], &["stackbarrier"],
    &["stacktrace"], &["stackwalk"], &["startuptime"], &["stringdedup"], &["stringdedup", "init"],
    &["stringdedup", "phases"], &["stringdedup", "phases", "start"], &["stringtable"],
    &["stringtable", "perf"], &["symboltable"], &["symboltable", "perf"], &["thread", "smr"],
    &["thread", "suspend"], &["thread", "table"], &["trimnative"], &["valuebasedclasses"],
    &["verification"], &["vmoperation"], &["vmthread"], &["vtables"], &["vtablestubs"],
];

const fn same(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len() != b.len() {
        return false;
    }
    let mut i = 0;
    while i < a.len() {
        if a[i] != b[i] {
            return false;
        }
        i += 1;
    }
    true
}

const fn contains(set: &[&str], tag: &str) -> bool {
    let mut i = 0;
    while i < set.len() {
        if same(set[i], tag) {
            return true;
        }
        i += 1;
    }
    false
}

/// The number of the set that consists of `tags`, in any order. Panics, at compile time when
/// used through the macros, if the table has no such set.
pub const fn tag_set(tags: &[&str]) -> usize {
    let mut set = 0;
    while set < TAG_SETS.len() {
        if TAG_SETS[set].len() == tags.len() {
            let mut i = 0;
            while i < tags.len() && contains(TAG_SETS[set], tags[i]) {
                i += 1;
            }
            if i == tags.len() {
                return set;
            }
        }
        set += 1;
    }
    panic!("no such tag set: add it to TAG_SETS in observe/log/tags.rs")
}
