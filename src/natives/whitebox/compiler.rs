//! The white box's view of the compilers: what is compiled, for which tier, what may be; asking for compiles,
//! holding them back, giving code up.

use super::super::slots::*;
use super::super::Native;
use crate::code::compiled::{self, CompiledMethod};
use crate::code::sweep;
use crate::compiler::broker::{self, Broker};
use crate::compiler::{build, log};
use crate::exceptions::{throw, VmResult};
use crate::heap::access::{set_array_ref, store};
use crate::heap::layout::{BasicType, Oop};
use crate::heap::{alloc, strings};
use crate::invoke::bootstrap::object_array;
use crate::jvm::boxing::box_value;
use crate::jvm::reflect_objects::method_of;
use crate::link::load::{mirror_to_class, primitive_array_class, MirrorOf};
use crate::meta::method::{method_flags, MethodRef};
use crate::profile::data;
use crate::threads::JavaThread;
use crate::{link, sym};
use std::sync::atomic::Ordering;

pub(super) static TABLE: &[Native] = &[
    ("isMethodCompiled0", "(Ljava/lang/reflect/Executable;Z)Z", is_method_compiled),
    ("isMethodCompilable0", "(Ljava/lang/reflect/Executable;IZ)Z", is_method_compilable),
    ("isMethodQueuedForCompilation0", "(Ljava/lang/reflect/Executable;)Z", is_method_queued),
    (
        "isIntrinsicAvailable0",
        "(Ljava/lang/reflect/Executable;Ljava/lang/reflect/Executable;I)Z",
        is_intrinsic_available,
    ),
    ("makeMethodNotCompilable0", "(Ljava/lang/reflect/Executable;IZ)V", make_method_not_compilable),
    ("getMethodCompilationLevel0", "(Ljava/lang/reflect/Executable;Z)I", method_compilation_level),
    ("getMethodEntryBci0", "(Ljava/lang/reflect/Executable;)I", method_entry_bci),
    ("testSetDontInlineMethod0", "(Ljava/lang/reflect/Executable;Z)Z", set_dont_inline),
    ("testSetForceInlineMethod0", "(Ljava/lang/reflect/Executable;Z)Z", set_force_inline),
    ("getCompileQueueSize", "(I)I", queue_size),
    ("enqueueMethodForCompilation0", "(Ljava/lang/reflect/Executable;II)Z", enqueue_method),
    ("enqueueInitializerForCompilation0", "(Ljava/lang/Class;I)Z", enqueue_initializer),
    ("clearMethodState0", "(Ljava/lang/reflect/Executable;)V", clear_method_state),
    ("markMethodProfiled", "(Ljava/lang/reflect/Executable;)V", mark_method_profiled),
    ("lockCompilation", "()V", lock_compilation),
    ("unlockCompilation", "()V", unlock_compilation),
    ("deoptimizeMethod0", "(Ljava/lang/reflect/Executable;Z)I", deoptimize_method),
    ("deoptimizeFrames", "(Z)I", deoptimize_frames),
    ("deoptimizeAll", "()V", deoptimize_all),
    ("forceNMethodSweep", "()V", force_sweep),
    ("getCompilationActivityMode", "()I", activity_mode),
    ("getNMethod0", "(Ljava/lang/reflect/Executable;Z)[Ljava/lang/Object;", code_of_method),
    ("getMethodBooleanOption", "(Ljava/lang/reflect/Executable;Ljava/lang/String;)Ljava/lang/Boolean;", boolean_option),
    ("getMethodIntxOption", "(Ljava/lang/reflect/Executable;Ljava/lang/String;)Ljava/lang/Long;", integer_option),
    ("getMethodUintxOption", "(Ljava/lang/reflect/Executable;Ljava/lang/String;)Ljava/lang/Long;", integer_option),
    ("getMethodDoubleOption", "(Ljava/lang/reflect/Executable;Ljava/lang/String;)Ljava/lang/Double;", double_option),
    ("getMethodStringOption", "(Ljava/lang/reflect/Executable;Ljava/lang/String;)Ljava/lang/String;", string_option),
];

/// HotSpot's `CompLevel_any` and `CompLevel_all`.
const ANY: i32 = -1;

/// HotSpot's `InvocationEntryBci`.
const INVOCATION: i32 = -1;

/// Argument `i`, an Executable.
///
/// # Safety
/// As [`reference`].
unsafe fn method(t: &JavaThread, args: *const u64, i: usize) -> VmResult<MethodRef> {
    match reference(args, i).non_null() {
        Some(executable) => Ok(method_of(executable)),
        None => Err(throw(t, "java/lang/NullPointerException", None)),
    }
}

/// The first argument, an Executable, and the second, an int or boolean.
fn method_and_int(t: &JavaThread, args: *const u64) -> VmResult<(MethodRef, i32)> {
    // SAFETY: bound to methods of (Executable, boolean or int, …).
    unsafe { Ok((method(t, args, 1)?, int(args, 2))) }
}

/// The first argument, the only one.
fn only_method(t: &JavaThread, args: *const u64) -> VmResult<MethodRef> {
    // SAFETY: bound to methods of an Executable.
    unsafe { method(t, args, 1) }
}

/// The code that calls enter, or the best that loops do.
fn code(m: MethodRef, osr: bool) -> Option<&'static CompiledMethod> {
    match osr {
        true => compiled::all_osr_of_method(m).first().copied(),
        false => compiled::of_method(m),
    }
}

fn is_method_compiled(t: &JavaThread, args: *const u64) -> VmResult<u64> {
    let (m, osr) = method_and_int(t, args)?;
    Ok(of_bool(code(m, osr != 0).is_some_and(|c| c.is_entrant())))
}

fn method_compilation_level(t: &JavaThread, args: *const u64) -> VmResult<u64> {
    let (m, osr) = method_and_int(t, args)?;
    Ok(of_int(code(m, osr != 0).map_or(0, |c| i32::from(c.tier))))
}

fn method_entry_bci(t: &JavaThread, args: *const u64) -> VmResult<u64> {
    let m = only_method(t, args)?;
    Ok(of_int(code(m, true).and_then(|c| c.osr_bci).map_or(INVOCATION, i32::from)))
}

/// The tier that a level stands for, if there are compilers and this is one of theirs.
fn tier_of(level: i32) -> Option<(&'static Broker, u8)> {
    let b = broker::get()?;
    let tier = u8::try_from(level).ok().filter(|l| (1..=b.thresholds.highest_tier).contains(l))?;
    // Without tiers there is the optimizing compiler only.
    (b.thresholds.tiered || tier == 4).then_some((b, tier))
}

fn compilable(m: MethodRef, level: i32, osr: bool) -> bool {
    let Some(b) = broker::get() else { return false };
    if b.commands.excludes(m) {
        return false;
    }
    match level {
        ANY => (1..=b.thresholds.highest_tier).any(|tier| compilable(m, i32::from(tier), osr)),
        _ => tier_of(level).is_some_and(|(b, tier)| b.is_compilable(m, osr, tier)),
    }
}

fn is_method_compilable(t: &JavaThread, args: *const u64) -> VmResult<u64> {
    let (m, level) = method_and_int(t, args)?;
    // SAFETY: (Executable, int, boolean).
    let osr = unsafe { int(args, 3) } != 0;
    link::init::link(t, m.class())?;
    Ok(of_bool(compilable(m, level, osr)))
}

fn is_method_queued(t: &JavaThread, args: *const u64) -> VmResult<u64> {
    let m = only_method(t, args)?;
    Ok(of_bool(broker::get().is_some_and(|b| b.is_queued(m))))
}

fn is_intrinsic_available(t: &JavaThread, args: *const u64) -> VmResult<u64> {
    let m = only_method(t, args)?;
    // SAFETY: (Executable, Executable, int); the second may be null.
    let level = unsafe { int(args, 3) };
    Ok(of_bool(tier_of(level).is_some() && build::is_intrinsic(m)))
}

fn make_method_not_compilable(t: &JavaThread, args: *const u64) -> VmResult<u64> {
    let (m, level) = method_and_int(t, args)?;
    // SAFETY: (Executable, int, boolean).
    let osr = unsafe { int(args, 3) } != 0;
    if let Some(b) = broker::get() {
        b.give_up(m, u8::try_from(level).ok().filter(|&l| l > 0), osr, "WhiteBox");
    }
    Ok(0)
}

fn set_flag(t: &JavaThread, args: *const u64, flag: u32) -> VmResult<u64> {
    let (m, on) = method_and_int(t, args)?;
    let was = m.has_flag(flag);
    match on != 0 {
        true => m.set_flag(flag),
        false => m.clear_flag(flag),
    }
    Ok(of_bool(was))
}

fn set_dont_inline(t: &JavaThread, args: *const u64) -> VmResult<u64> {
    set_flag(t, args, method_flags::DONT_INLINE)
}

fn set_force_inline(t: &JavaThread, args: *const u64) -> VmResult<u64> {
    set_flag(t, args, method_flags::FORCE_INLINE)
}

fn queue_size(_t: &JavaThread, args: *const u64) -> VmResult<u64> {
    // SAFETY: bound to a method of one int.
    let level = unsafe { int(args, 1) };
    let size = broker::get().map_or(0, |b| match level {
        ANY => b.waiting(4) + b.waiting(3),
        1..=3 => b.waiting(3),
        4 => b.waiting(4),
        _ => 0,
    });
    Ok(of_int(size as i32))
}

/// Compiles `m` for exactly this level, from `bci`; whether that is on its way, or done.
fn compile(t: &JavaThread, m: MethodRef, level: i32, bci: i32) -> VmResult<bool> {
    let Some((b, tier)) = tier_of(level) else {
        match broker::get() {
            Some(b) if level > i32::from(b.thresholds.highest_tier) => {
                log::out(&format!("WB error: invalid compilation level {level}"))
            }
            _ => log::out(&format!("WB error: no compiler for requested compilation level {level}")),
        }
        return Ok(false);
    };
    link::init::link(t, m.class())?;
    let osr_bci = u16::try_from(bci).ok();
    let there = || match osr_bci {
        None => compiled::of_method(m).is_some_and(|c| c.tier == tier),
        Some(bci) => compiled::osr_of_method(m, bci).is_some_and(|c| c.tier >= tier),
    };
    if there() {
        return Ok(true);
    }
    let blocking = b.is_blocking(m);
    let possible = b.is_enabled() && !b.commands.excludes(m) && b.is_compilable(m, osr_bci.is_some(), tier);
    if possible && b.enqueue(t, m, osr_bci, tier, blocking) && (!blocking && b.is_queued(m) || there()) {
        return Ok(true);
    }
    let kind = if blocking { "blocking" } else { "" };
    let name = format!("{}::{}", m.class().external_name(), m.name);
    log::out(&format!("WB error: failed to {kind} compile at level {level} method  {name}"));
    Ok(false)
}

fn enqueue_method(t: &JavaThread, args: *const u64) -> VmResult<u64> {
    let (m, level) = method_and_int(t, args)?;
    // SAFETY: (Executable, int, int).
    let bci = unsafe { int(args, 3) };
    Ok(of_bool(compile(t, m, level, bci)?))
}

fn enqueue_initializer(t: &JavaThread, args: *const u64) -> VmResult<u64> {
    // SAFETY: (Class, int).
    let (mirror, level) = unsafe { (reference(args, 1), int(args, 2)) };
    let initializer = match mirror.non_null().map(mirror_to_class) {
        Some(MirrorOf::Class(c)) => c.find_declared(sym!("<clinit>"), sym!("()V")),
        _ => None,
    };
    match initializer {
        Some(m) => Ok(of_bool(compile(t, m, level, INVOCATION)?)),
        None => Ok(of_bool(false)),
    }
}

fn clear_method_state(t: &JavaThread, args: *const u64) -> VmResult<u64> {
    let m = only_method(t, args)?;
    if let Some(p) = data::if_attached(m) {
        p.clear();
    }
    m.clear_flag(
        method_flags::NOT_COMPILABLE
            | method_flags::NOT_OSR_COMPILABLE
            | method_flags::NOT_QUICK_COMPILABLE
            | method_flags::NOT_QUICK_OSR_COMPILABLE,
    );
    m.invocation_counter.store(0, Ordering::Relaxed);
    m.backedge_counter.store(0, Ordering::Relaxed);
    Ok(0)
}

fn mark_method_profiled(t: &JavaThread, args: *const u64) -> VmResult<u64> {
    let m = only_method(t, args)?;
    link::init::link(t, m.class())?;
    if let (Some(p), Some(b)) = (data::of_method(m), broker::get()) {
        let limits = &b.thresholds.optimized;
        p.clear();
        p.set_counts(limits.min_invocations as u32, limits.compile as u32);
    }
    Ok(0)
}

fn set_locked(locked: bool) {
    if let Some(b) = broker::get() {
        b.set_locked(locked);
    }
}

fn lock_compilation(_t: &JavaThread, _args: *const u64) -> VmResult<u64> {
    set_locked(true);
    Ok(0)
}

fn unlock_compilation(_t: &JavaThread, _args: *const u64) -> VmResult<u64> {
    set_locked(false);
    Ok(0)
}

fn deoptimize_method(t: &JavaThread, args: *const u64) -> VmResult<u64> {
    let (m, osr) = method_and_int(t, args)?;
    let codes = match osr != 0 {
        true => compiled::all_osr_of_method(m),
        false => compiled::of_method(m).into_iter().collect(),
    };
    sweep::invalidate(t, &codes, &"WhiteBox.deoptimizeMethod");
    Ok(of_int(codes.len() as i32))
}

fn deoptimize_frames(t: &JavaThread, args: *const u64) -> VmResult<u64> {
    // SAFETY: bound to a method of one boolean.
    let discard = unsafe { int(args, 1) } != 0;
    Ok(of_int(sweep::deoptimize_frames(t, discard) as i32))
}

fn deoptimize_all(t: &JavaThread, _args: *const u64) -> VmResult<u64> {
    sweep::invalidate(t, &compiled::all(), &"WhiteBox.deoptimizeAll");
    Ok(0)
}

fn force_sweep(t: &JavaThread, _args: *const u64) -> VmResult<u64> {
    sweep::sweep(t);
    Ok(0)
}

/// HotSpot's `CompileBroker::CompilationActivityMode`: 0 stopped, 1 running.
fn activity_mode(_t: &JavaThread, _args: *const u64) -> VmResult<u64> {
    Ok(of_int(i32::from(broker::get().is_some_and(|b| b.is_enabled()))))
}

/// `{{name, size, kind, address}, level, instructions, id, entry}`, or null.
fn code_of_method(t: &JavaThread, args: *const u64) -> VmResult<u64> {
    /// HotSpot's `CodeBlobType::All`: the code cache is one piece.
    const ALL: i32 = 3;
    let (m, osr) = method_and_int(t, args)?;
    let Some(c) = code(m, osr != 0) else { return Ok(of_ref(Oop::NULL)) };
    let int = |v: i32| box_value(t, BasicType::Int, u64::from(v as u32));
    let long = |v: usize| box_value(t, BasicType::Long, v as u64);
    // Every new object is stored before the next is made.
    let (blob, result) = (object_array(t, 4)?, object_array(t, 5)?);
    set_array_ref(t, result, 0, blob);
    set_array_ref(t, blob, 0, strings::new(t, if osr != 0 { "nmethod osr" } else { "nmethod" })?);
    set_array_ref(t, blob, 1, int(c.bytes as i32)?);
    set_array_ref(t, blob, 2, int(ALL)?);
    set_array_ref(t, blob, 3, long(c.entry)?);
    set_array_ref(t, result, 1, int(i32::from(c.tier))?);
    let bytes = c.code();
    let class = primitive_array_class(BasicType::Byte);
    let instructions = alloc::array(t, class, bytes.len() as i32)?;
    for (i, b) in bytes.iter().enumerate() {
        store::<u8>(instructions, class.array_base() + i, *b);
    }
    set_array_ref(t, result, 2, instructions);
    set_array_ref(t, result, 3, int(c.id as i32)?);
    set_array_ref(t, result, 4, long(c.entry)?);
    Ok(of_ref(result))
}

/// What a command gives the option named by the second argument for the method that is the first.
fn option(t: &JavaThread, args: *const u64) -> VmResult<Option<&'static str>> {
    let m = only_method(t, args)?;
    // SAFETY: (Executable, String).
    let name = unsafe { reference(args, 2) }.non_null().map(strings::to_rust);
    Ok(broker::get().zip(name).and_then(|(b, name)| b.commands.value(&name, m)))
}

fn boolean_option(t: &JavaThread, args: *const u64) -> VmResult<u64> {
    match option(t, args)? {
        Some(value) => Ok(of_ref(box_value(t, BasicType::Boolean, u64::from(value == "true"))?)),
        None => Ok(of_ref(Oop::NULL)),
    }
}

fn integer_option(t: &JavaThread, args: *const u64) -> VmResult<u64> {
    match option(t, args)?.and_then(|v| v.parse::<i64>().ok()) {
        Some(value) => Ok(of_ref(box_value(t, BasicType::Long, value as u64)?)),
        None => Ok(of_ref(Oop::NULL)),
    }
}

fn double_option(t: &JavaThread, args: *const u64) -> VmResult<u64> {
    match option(t, args)?.and_then(|v| v.parse::<f64>().ok()) {
        Some(value) => Ok(of_ref(box_value(t, BasicType::Double, value.to_bits())?)),
        None => Ok(of_ref(Oop::NULL)),
    }
}

fn string_option(t: &JavaThread, args: *const u64) -> VmResult<u64> {
    match option(t, args)? {
        Some(value) => Ok(of_ref(strings::new(t, value)?)),
        None => Ok(of_ref(Oop::NULL)),
    }
}
