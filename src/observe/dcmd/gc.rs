//! `GC.*`.

use super::parse::{Argument, Type};
use super::{Call, Command, Failure, MONITOR};
use crate::heap::access::{array_ref, load, load_ref};
use crate::heap::layout::Oop;
use crate::heap::{self, dump, histogram, strings};
use crate::interpreter::call::call as call_java;
use crate::link::{init, load as loading};
use crate::meta::symbol::Symbol;
use crate::meta::well_known::{method, Known};
use crate::sym;
use crate::threads::{stale, JavaThread};
use std::fmt::Write as _;
use std::path::Path;

pub(super) static CLASS_HISTOGRAM: Command = Command {
    name: "GC.class_histogram",
    description: "Provide statistics about the Java heap usage.",
    impact: "High: Depends on Java heap size and content.",
    permission: MONITOR,
    arguments: &[
        Argument::switch("-all", "Inspect all objects, including unreachable objects"),
        Argument::option(
            "-parallel",
            "Number of parallel threads to use for heap inspection. 0 (the default) means let the VM determine the \
             number of threads to use. 1 means use one thread (disable parallelism). For any other value the VM will \
             try to use the specified number of threads, but might use fewer.",
            Type::Int,
            Some("0"),
        ),
    ],
    in_mbean: true,
    run: class_histogram,
};

fn class_histogram(t: &JavaThread, call: &Call<'_>, out: &mut String) -> Result<(), Failure> {
    let threads = call.values.number("-parallel");
    if threads < 0 {
        let _ = writeln!(out, "Parallel thread number out of range (>=0): {threads}");
        return Ok(());
    }
    *out += &histogram::text(t, !call.values.is_on("-all"));
    Ok(())
}

pub(super) static HEAP_DUMP: Command = Command {
    name: "GC.heap_dump",
    description: "Generate a HPROF format dump of the Java heap.",
    impact: "High: Depends on Java heap size and content. Request a full GC unless the '-all' option is specified.",
    permission: MONITOR,
    arguments: &[
        Argument::positional("filename", "Name of the dump file", true),
        Argument::switch("-all", "Dump all objects, including unreachable objects"),
        Argument::option(
            "-gz",
            "If specified, the heap dump is written in gzipped format using the given compression level. \
             1 (recommended) is the fastest, 9 the strongest compression.",
            Type::Int,
            Some("1"),
        ),
        Argument::switch("-overwrite", "If specified, the dump file will be overwritten if it exists"),
    ],
    in_mbean: false,
    run: heap_dump,
};

fn heap_dump(t: &JavaThread, call: &Call<'_>, out: &mut String) -> Result<(), Failure> {
    let values = &call.values;
    let gzip_level = values.is_given("-gz").then(|| values.number("-gz"));
    if let Some(level) = gzip_level.filter(|l| !(1..=9).contains(l)) {
        let _ = writeln!(out, "Compression level out of range (1-9): {level}");
        return Ok(());
    }
    let request = dump::Request {
        path: Path::new(values.text("filename").unwrap_or("")),
        live: !values.is_on("-all"),
        gzip_level: gzip_level.map(|l| l as u32),
        overwrite: values.is_on("-overwrite"),
        out_of_memory: false,
    };
    dump::dump_and_tell(t, &request, &mut |line| *out += line);
    Ok(())
}

pub(super) static HEAP_INFO: Command = Command {
    name: "GC.heap_info",
    description: "Provide generic Java heap information.",
    impact: "Medium",
    permission: MONITOR,
    arguments: &[],
    in_mbean: true,
    run: |_, _, out| {
        *out += &heap::log::summary();
        Ok(())
    },
};

pub(super) static RUN: Command = Command {
    name: "GC.run",
    description: "Call java.lang.System.gc().",
    impact: "Medium: Depends on Java heap size and content.",
    permission: None,
    arguments: &[],
    in_mbean: true,
    run: |t, _, _| {
        stale::without_references(t, || heap::collect(t, heap::Cause::DiagnosticCommand));
        Ok(())
    },
};

pub(super) static RUN_FINALIZATION: Command = Command {
    name: "GC.run_finalization",
    description: "Call java.lang.System.runFinalization().",
    impact: "Medium: Depends on Java content.",
    permission: None,
    arguments: &[],
    in_mbean: true,
    run: |t, _, _| {
        call_java(t, method(Known::System, "runFinalization", "()V"), &[])?;
        Ok(())
    },
};

pub(super) static FINALIZER_INFO: Command = Command {
    name: "GC.finalizer_info",
    description: "Provide information about Java finalization queue.",
    impact: "Medium",
    permission: MONITOR,
    arguments: &[],
    in_mbean: true,
    run: finalizer_info,
};

fn finalizer_info(t: &JavaThread, _: &Call<'_>, out: &mut String) -> Result<(), Failure> {
    let boot = crate::meta::loader::boot();
    let class = loading::load_or_no_class_def(t, boot, Symbol::of("java/lang/ref/FinalizerHistogram"))?;
    init::initialize(t, class)?;
    let descriptor = sym!("()[Ljava/lang/ref/FinalizerHistogram$Entry;");
    let m = class
        .find_declared(sym!("getFinalizerHistogram"), descriptor)
        .expect("FinalizerHistogram.getFinalizerHistogram is in JDK 17");
    let entries = Oop::from_address(call_java(t, m, &[])? as usize);
    if entries.array_length() == 0 {
        *out += "No instances waiting for finalization found\n";
        return Ok(());
    }
    *out += "Unreachable instances waiting for finalization\n#instances  class name\n-----------------------\n";
    let entry = array_ref(entries, 0).class();
    let field = |name: &str, descriptor: &str| {
        let f = entry.find_declared_field(Symbol::of(name), Symbol::of(descriptor));
        f.expect("the fields of FinalizerHistogram.Entry are in JDK 17").offset as usize
    };
    let (count, name) = (field("instanceCount", "I"), field("className", "Ljava/lang/String;"));
    for i in 0..entries.array_length() {
        let e = array_ref(entries, i);
        let _ = writeln!(out, "{:10}  {}", load::<i32>(e, count), strings::to_rust(load_ref(e, name)));
    }
    Ok(())
}
