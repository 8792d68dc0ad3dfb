//! Class histograms (`GC.class_histogram`, `jmap -histo`): how many instances and bytes each class has on the heap, in
//! HotSpot's format.

use crate::heap::Cause;
use super::layout::object_bytes;
use super::walk;
use crate::meta::class::ClassRef;
use crate::threads::JavaThread;
use rustc_hash::FxHashMap;
use std::fmt::Write as _;

/// What there is of one class.
struct Row {
    class: ClassRef,
    instances: u64,
    bytes: u64,
}

/// The histogram of what is `live` (found by a full collection), or of all that has not been collected yet.
pub fn text(t: &JavaThread, live: bool) -> String {
    format(rows(t, live))
}

fn rows(t: &JavaThread, live: bool) -> Vec<Row> {
    walk::inspect(t, live.then_some(Cause::HeapInspection), "GC_HeapInspection", |heap| {
        let mut rows: FxHashMap<u32, Row> = FxHashMap::default();
        heap.each_object(|o| {
            let row =
                rows.entry(o.class_word()).or_insert_with(|| Row { class: o.class(), instances: 0, bytes: 0 });
            row.instances += 1;
            row.bytes += object_bytes(o) as u64;
        });
        rows.into_values().collect()
    })
}

fn format(mut rows: Vec<Row>) -> String {
    // Most bytes first; among equals arrays before other classes, then by name.
    rows.sort_by_cached_key(|r| (std::cmp::Reverse(r.bytes), !r.class.is_array(), r.class.external_name()));
    let mut out = String::from(
        " num     #instances         #bytes  class name (module)\n\
         -------------------------------------------------------\n",
    );
    let (mut instances, mut bytes) = (0, 0);
    for (i, r) in rows.iter().enumerate() {
        instances += r.instances;
        bytes += r.bytes;
        let _ = writeln!(
            out,
            "{:4}: {:13}  {:13}  {}{}",
            i + 1,
            r.instances,
            r.bytes,
            r.class.external_name(),
            module_text(r.class)
        );
    }
    let _ = writeln!(out, "Total {instances:13}  {bytes:13}");
    out
}

/// ` (java.base@17.0.15)`, or nothing for a class of an unnamed module.
fn module_text(class: ClassRef) -> String {
    // Arrays of primitives belong to java.base, which java.lang.Object names.
    let class = if class.is_primitive_array() { class.super_class.unwrap_or(class) } else { class };
    let Some((module, name)) = class.effective_module().and_then(|m| Some((m, m.name?))) else { return String::new() };
    match &module.version {
        Some(v) => format!(" ({name}@{v})"),
        None => format!(" ({name})"),
    }
}
