//! `WhiteBox`, OpenJDK's window into the VM for its tests (`-XX:+WhiteBoxAPI`, the class on the
//! boot path): what describes the VM, its flags, the heap, linking, the module graph and (in
//! `compiler`) the compilers. The methods that look into HotSpot's own parts (code blobs, G1
//! regions, CDS archives) stay unlinked: calling one throws UnsatisfiedLinkError with its name.

mod compiler;
mod threads;

use super::slots::*;
use super::Native;
use crate::exceptions::{throw, VmResult};
use crate::heap::layout::{self, BasicType, Oop};
use crate::heap::{self, strings};
use crate::jvm::boxing::box_value;
use crate::jvm::modules;
use crate::link::load::{mirror_to_class, MirrorOf};
use crate::meta::loader::Loader;
use crate::meta::symbol::Symbol;
use crate::options::flags::{self, FlagInfo, Flags, FlagType, Origin, Value};
use crate::threads::{monitor, safepoint, JavaThread};

/// The names that the class has had.
const CLASSES: [&str; 2] = ["sun/hotspot/WhiteBox", "jdk/test/whitebox/WhiteBox"];

/// The natives of boot class `class` if it is the white box: only its registration, which does
/// nothing, where `-XX:+WhiteBoxAPI` is not given.
pub(super) fn natives_of(class: &Symbol) -> impl Iterator<Item = &'static Native> {
    let parts: [&[Native]; 3] = match CLASSES.iter().any(|name| *class == *name) {
        true if options().bool("WhiteBoxAPI") => [TABLE, compiler::TABLE, threads::TABLE],
        true => [&TABLE[..1], &[], &[]],
        false => [&[]; 3],
    };
    parts.into_iter().flatten()
}

static TABLE: &[Native] = &[
    ("registerNatives", "()V", super::register_natives),
    ("getBooleanVMFlag", "(Ljava/lang/String;)Ljava/lang/Boolean;", boolean_flag),
    ("getIntVMFlag", "(Ljava/lang/String;)Ljava/lang/Long;", int_flag),
    ("getUintVMFlag", "(Ljava/lang/String;)Ljava/lang/Long;", uint_flag),
    ("getIntxVMFlag", "(Ljava/lang/String;)Ljava/lang/Long;", intx_flag),
    ("getUintxVMFlag", "(Ljava/lang/String;)Ljava/lang/Long;", uintx_flag),
    ("getUint64VMFlag", "(Ljava/lang/String;)Ljava/lang/Long;", uint64_flag),
    ("getSizeTVMFlag", "(Ljava/lang/String;)Ljava/lang/Long;", size_flag),
    ("getDoubleVMFlag", "(Ljava/lang/String;)Ljava/lang/Double;", double_flag),
    ("getStringVMFlag", "(Ljava/lang/String;)Ljava/lang/String;", string_flag),
    ("isGCSupported", "(I)Z", is_collector_known),
    ("isGCSupportedByJVMCICompiler", "(I)Z", no),
    ("isGCSelected", "(I)Z", is_collector_selected),
    ("isGCSelectedErgonomically", "()Z", is_collector_ergonomic),
    ("isJVMCISupportedByGC", "()Z", no),
    ("isC2OrJVMCIIncluded", "()Z", has_compilers),
    ("isJFRIncluded", "()Z", no),
    ("isDTraceIncluded", "()Z", no),
    ("isJVMTIIncluded", "()Z", no),
    ("isCDSIncluded", "()Z", no),
    ("isSharingEnabled", "()Z", no),
    ("isShared", "(Ljava/lang/Object;)Z", no),
    ("isSharedClass", "(Ljava/lang/Class;)Z", no),
    ("canWriteJavaHeapArchive", "()Z", no),
    ("getCPUFeatures", "()Ljava/lang/String;", cpu_features),
    ("getLibcName", "()Ljava/lang/String;", libc_name),
    ("getVMPageSize", "()I", page_size),
    ("getHeapOopSize", "()I", reference_size),
    ("fullGC", "()V", collect),
    ("youngGC", "()V", collect),
    ("supportsConcurrentGCBreakpoints", "()Z", no),
    ("isObjectInOldGen0", "(Ljava/lang/Object;)Z", is_in_old_generation),
    ("forceSafepoint", "()V", force_safepoint),
    ("getObjectAddress0", "(Ljava/lang/Object;)J", object_address),
    ("getObjectSize0", "(Ljava/lang/Object;)J", object_size),
    ("isMonitorInflated0", "(Ljava/lang/Object;)Z", is_monitor_inflated),
    ("linkClass", "(Ljava/lang/Class;)V", link_class),
    ("countAliveClasses0", "(Ljava/lang/String;)I", count_alive_classes),
    (
        "DefineModule",
        "(Ljava/lang/Object;ZLjava/lang/String;Ljava/lang/String;[Ljava/lang/Object;)V",
        define_module,
    ),
    ("AddModuleExports", "(Ljava/lang/Object;Ljava/lang/String;Ljava/lang/Object;)V", add_exports),
    ("AddReadsModule", "(Ljava/lang/Object;Ljava/lang/Object;)V", add_reads),
    ("AddModuleExportsToAllUnnamed", "(Ljava/lang/Object;Ljava/lang/String;)V", add_exports_to_unnamed),
    ("AddModuleExportsToAll", "(Ljava/lang/Object;Ljava/lang/String;)V", add_exports_to_all),
];

fn options() -> &'static Flags {
    &crate::vm::get().options.flags
}

/// Slot 0 of every instance method is the white box itself; the arguments begin at 1.
///
/// # Safety
/// As [`reference`].
unsafe fn text(args: *const u64, i: usize) -> Option<String> {
    reference(args, i).non_null().map(strings::to_rust)
}

/// The flag named by the first argument, if it has one of these types. Locked flags count, those
/// of debug builds do not.
fn flag(args: *const u64, wanted: impl Fn(FlagType) -> bool) -> Option<&'static FlagInfo> {
    // SAFETY: bound to methods whose one argument is the name.
    let name = unsafe { text(args, 1) }?;
    let info = flags::all()[flags::find(&name)?];
    (!info.debug_only() && wanted(info.ty)).then_some(info)
}

/// Boxes a number or boolean; null for what is none.
fn boxed(t: &JavaThread, value: Option<&Value>) -> VmResult<u64> {
    let object = match value {
        Some(Value::Bool(v)) => box_value(t, BasicType::Boolean, u64::from(*v))?,
        Some(Value::Signed(v)) => box_value(t, BasicType::Long, *v as u64)?,
        Some(Value::Unsigned(v)) => box_value(t, BasicType::Long, *v)?,
        Some(Value::Double(v)) => box_value(t, BasicType::Double, v.to_bits())?,
        Some(Value::Text(_)) | None => Oop::NULL,
    };
    Ok(of_ref(object))
}

fn flag_of_type(t: &JavaThread, args: *const u64, ty: FlagType) -> VmResult<u64> {
    boxed(t, flag(args, |other| other == ty).map(|info| options().value(info.name)))
}

fn boolean_flag(t: &JavaThread, args: *const u64) -> VmResult<u64> {
    flag_of_type(t, args, FlagType::bool)
}

fn int_flag(t: &JavaThread, args: *const u64) -> VmResult<u64> {
    flag_of_type(t, args, FlagType::int)
}

fn uint_flag(t: &JavaThread, args: *const u64) -> VmResult<u64> {
    flag_of_type(t, args, FlagType::uint)
}

fn intx_flag(t: &JavaThread, args: *const u64) -> VmResult<u64> {
    flag_of_type(t, args, FlagType::intx)
}

fn uintx_flag(t: &JavaThread, args: *const u64) -> VmResult<u64> {
    flag_of_type(t, args, FlagType::uintx)
}

fn uint64_flag(t: &JavaThread, args: *const u64) -> VmResult<u64> {
    flag_of_type(t, args, FlagType::uint64_t)
}

fn size_flag(t: &JavaThread, args: *const u64) -> VmResult<u64> {
    flag_of_type(t, args, FlagType::size_t)
}

fn double_flag(t: &JavaThread, args: *const u64) -> VmResult<u64> {
    flag_of_type(t, args, FlagType::double)
}

fn string_flag(t: &JavaThread, args: *const u64) -> VmResult<u64> {
    match flag(args, FlagType::is_string).and_then(|info| options().text(info.name)) {
        Some(value) => Ok(of_ref(strings::new(t, value)?)),
        None => Ok(of_ref(Oop::NULL)),
    }
}

/// Tier 4 stands where HotSpot has C2.
fn has_compilers(_t: &JavaThread, _args: *const u64) -> VmResult<u64> {
    Ok(of_bool(true))
}

fn no(_t: &JavaThread, _args: *const u64) -> VmResult<u64> {
    Ok(of_bool(false))
}

/// The flag that selects HotSpot's collector of this number (`CollectedHeap::Name`).
fn collector_flag(args: *const u64) -> Option<&'static str> {
    // SAFETY: bound to methods of one int.
    match unsafe { int(args, 1) } {
        1 => Some("UseSerialGC"),
        2 => Some("UseParallelGC"),
        3 => Some("UseG1GC"),
        4 => Some("UseEpsilonGC"),
        5 => Some("UseZGC"),
        6 => Some("UseShenandoahGC"),
        _ => None,
    }
}

/// Kiln takes the flags of all of HotSpot's collectors (and uses its own).
fn is_collector_known(_t: &JavaThread, args: *const u64) -> VmResult<u64> {
    Ok(of_bool(collector_flag(args).is_some()))
}

fn is_collector_selected(_t: &JavaThread, args: *const u64) -> VmResult<u64> {
    Ok(of_bool(collector_flag(args).is_some_and(|flag| options().bool(flag))))
}

fn is_collector_ergonomic(_t: &JavaThread, _args: *const u64) -> VmResult<u64> {
    let by_rule = |flag: &&str| options().bool(flag) && options().origin(flag) == Origin::Ergonomic;
    let choices = ["UseSerialGC", "UseParallelGC", "UseG1GC", "UseEpsilonGC", "UseZGC", "UseShenandoahGC"];
    Ok(of_bool(choices.iter().any(by_rule)))
}

/// The processor's features as Linux names them, with HotSpot's names for SSE 4.
fn cpu_features(t: &JavaThread, _args: *const u64) -> VmResult<u64> {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let line = info.lines().find(|l| l.starts_with("flags") || l.starts_with("Features"));
    let names = line.and_then(|l| l.split_once(':')).map_or("", |(_, names)| names);
    let names: Vec<_> = names.split_whitespace().map(|n| n.replace("sse4_", "sse4.")).collect();
    Ok(of_ref(strings::new(t, &names.join(", "))?))
}

fn libc_name(t: &JavaThread, _args: *const u64) -> VmResult<u64> {
    Ok(of_ref(strings::new(t, if cfg!(target_env = "musl") { "musl" } else { "gnu" })?))
}

fn page_size(_t: &JavaThread, _args: *const u64) -> VmResult<u64> {
    // SAFETY: asks the system for a number.
    Ok(of_int(unsafe { libc::sysconf(libc::_SC_PAGESIZE) } as i32))
}

fn reference_size(_t: &JavaThread, _args: *const u64) -> VmResult<u64> {
    Ok(of_int(crate::heap::layout::REF_BYTES as i32))
}

fn collect(t: &JavaThread, _args: *const u64) -> VmResult<u64> {
    crate::threads::stale::without_references(t, || heap::collect(t, heap::Cause::WhiteBox));
    Ok(0)
}

/// Where there are no generations everything is old.
fn is_in_old_generation(_t: &JavaThread, args: *const u64) -> VmResult<u64> {
    // SAFETY: bound to a method of one reference.
    let object = unsafe { reference(args, 1) };
    Ok(of_bool(object.non_null().is_some_and(|o| !heap::alloc::is_young(o))))
}

fn force_safepoint(t: &JavaThread, _args: *const u64) -> VmResult<u64> {
    safepoint::stop_the_world(t, "ForceSafepoint", |_| ());
    Ok(0)
}

fn is_monitor_inflated(_t: &JavaThread, args: *const u64) -> VmResult<u64> {
    // SAFETY: bound to a method of one reference.
    let object = unsafe { reference(args, 1) };
    Ok(of_bool(object.non_null().is_some_and(monitor::is_inflated)))
}

fn object_address(_t: &JavaThread, args: *const u64) -> VmResult<u64> {
    // SAFETY: bound to a method of one reference.
    Ok(unsafe { reference(args, 1) }.address() as u64)
}

fn object_size(t: &JavaThread, args: *const u64) -> VmResult<u64> {
    // SAFETY: bound to a method of one reference.
    match unsafe { reference(args, 1) }.non_null() {
        Some(object) => Ok(layout::object_bytes(object) as u64),
        None => Err(throw(t, "java/lang/NullPointerException", None)),
    }
}

fn link_class(t: &JavaThread, args: *const u64) -> VmResult<u64> {
    // SAFETY: bound to a method of one Class.
    if let Some(MirrorOf::Class(class)) = unsafe { reference(args, 1) }.non_null().map(mirror_to_class) {
        crate::link::init::link(t, class)?;
    }
    Ok(0)
}

/// How many classes of this name (with slashes) there are, over all loaders.
fn count_alive_classes(_t: &JavaThread, args: *const u64) -> VmResult<u64> {
    // SAFETY: bound to a method of one String.
    let name = unsafe { reference(args, 1) }.non_null().and_then(|s| Symbol::lookup(&strings::to_mutf8(s)));
    let mut count = 0;
    if let Some(name) = name {
        Loader::for_each_class(|c| count += i32::from(c.name == name));
    }
    Ok(of_int(count))
}

fn define_module(t: &JavaThread, args: *const u64) -> VmResult<u64> {
    // SAFETY: (Module, boolean, String, String, Object[]).
    let (module, open, version, location, packages) = unsafe {
        (reference(args, 1), int(args, 2) != 0, reference(args, 3), reference(args, 4), reference(args, 5))
    };
    modules::define_module(t, module, open, version, location, packages)?;
    Ok(0)
}

fn add_exports(t: &JavaThread, args: *const u64) -> VmResult<u64> {
    // SAFETY: (Module, String, Module).
    unsafe { modules::add_exports_to(t, reference(args, 1), reference(args, 2), reference(args, 3))? };
    Ok(0)
}

fn add_reads(t: &JavaThread, args: *const u64) -> VmResult<u64> {
    // SAFETY: (Module, Module).
    unsafe { modules::add_reads(t, reference(args, 1), reference(args, 2))? };
    Ok(0)
}

fn add_exports_to_unnamed(t: &JavaThread, args: *const u64) -> VmResult<u64> {
    // SAFETY: (Module, String).
    unsafe { modules::add_exports_to_unnamed(t, reference(args, 1), reference(args, 2))? };
    Ok(0)
}

fn add_exports_to_all(t: &JavaThread, args: *const u64) -> VmResult<u64> {
    // SAFETY: (Module, String).
    unsafe { modules::add_exports(t, reference(args, 1), reference(args, 2), None)? };
    Ok(0)
}
