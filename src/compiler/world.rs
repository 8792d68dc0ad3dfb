//! `-XX:+CompileTheWorld` (HotSpot had it until JDK 11): compiles every method of a module's packages at start-up,
//! runs none of the code, prints counts and each refusal, and ends the VM.
//!
//! Both pipelines, for both processors whatever the host: tier 4 as without a profile, tier 3 with its counting.
//! Every class is loaded, linked and initialized first (errors of static initializers are ignored), so that little
//! is left unresolved. `-XX:+VerifyIR` verifies after every pass, and register allocations too.

use super::backend::{Arch, Features};
use super::refusal::Refusal;
use super::{broker, log};
use crate::link::{init, load};
use crate::meta::class::ClassRef;
use crate::meta::loader;
use crate::meta::method::{MethodKind, MethodRef};
use crate::meta::symbol::Symbol;
use crate::options::Options;
use crate::threads::{lifecycle, state, JavaThread};
use crate::vm_out;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Native stack of the threads that compile, as of a compiler thread.
const STACK_BYTES: usize = 8 << 20;

/// What is compiled for: the optimized pipeline first, since the quick one attaches (empty) profiles.
const ROUNDS: [(u8, Arch); 4] = [(4, Arch::X64), (4, Arch::Arm64), (3, Arch::X64), (3, Arch::Arm64)];

/// Newest instructions there are, for either processor: the host need not have them.
const FEATURES: Features = Features { v2: true, v3: true, lse: true };

/// Figures of one round.
#[derive(Default)]
struct Round {
    methods: usize,
    bytecodes: usize,
    code_bytes: usize,
    time: Duration,
    refused: Vec<(MethodRef, Refusal)>,
}

/// Does it, if the options ask for it: whether they do. False in the second place: less than 99.9% of the methods
/// of a round were compiled.
///
/// # Errors
/// A text: there are no compilers, the image is damaged, or a thread cannot be started.
pub fn run(t: &'static JavaThread, options: &Options) -> Result<Option<bool>, String> {
    let flags = &options.flags;
    if !flags.bool("CompileTheWorld") {
        return Ok(None);
    }
    if broker::get().is_none() {
        return Err("CompileTheWorld needs the compilers: no -Xint".into());
    }
    let begin = Instant::now();
    let module = flags.text("CompileTheWorldModule").unwrap_or_default();
    let prefix = flags.text("CompileTheWorldPrefix").unwrap_or_default();
    let first = flags.unsigned("CompileTheWorldStartAt") as usize;
    let last = flags.unsigned("CompileTheWorldStopAt") as usize;
    vm_out!("CompileTheWorld : Compiling all classes of {module}, packages {prefix}*\n");
    let names = class_names(module, prefix)?;
    let mut classes = Vec::new();
    for (i, name) in names.iter().enumerate().filter(|(i, _)| (first..=last).contains(&(i + 1))) {
        match prepare(t, Symbol::of(name)) {
            Some(class) => classes.push(class),
            None => vm_out!("CompileTheWorld ({}) : Skipping {name}\n", i + 1),
        }
    }
    let methods: Vec<MethodRef> = classes
        .iter()
        .flat_map(|c| c.methods.iter().copied())
        .filter(|m| m.kind() == MethodKind::Java && !m.code.is_empty())
        .collect();
    let mut good = true;
    for (tier, arch) in ROUNDS {
        let round = state::blocked(t, || compile_all(&methods, tier, arch, options.settings.processors))?;
        good &= report(&round, tier, arch);
    }
    let milliseconds = begin.elapsed().as_millis();
    vm_out!("CompileTheWorld : Done ({} classes, {} methods, {milliseconds} ms)\n", classes.len(), methods.len());
    Ok(Some(good))
}

/// Names of the module's classes whose names start with `prefix`, sorted.
fn class_names(module: &str, prefix: &str) -> Result<Vec<String>, String> {
    let mut names = Vec::new();
    for e in crate::vm::get().boot_image().entries() {
        let e = e.map_err(|e| e.to_string())?;
        if e.module == module && e.extension == "class" && e.base != "module-info" {
            let name = format!("{}/{}", e.parent, e.base);
            if name.starts_with(prefix) {
                names.push(name);
            }
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// The class, ready to be compiled.
fn prepare(t: &JavaThread, name: Symbol) -> Option<ClassRef> {
    let class = match load::try_load_class(t, loader::boot(), name) {
        Ok(c) => c?,
        Err(_pending) => {
            t.take_exception();
            return None;
        }
    };
    if init::link(t, class).is_err() {
        t.take_exception();
        return None;
    }
    if init::initialize(t, class).is_err() {
        t.take_exception();
    }
    Some(class)
}

fn compile_all(methods: &[MethodRef], tier: u8, arch: Arch, threads: usize) -> Result<Round, String> {
    let (total, next) = (Mutex::new(Round::default()), AtomicUsize::new(0));
    let begin = Instant::now();
    std::thread::scope(|scope| {
        let worker = || {
            let t = lifecycle::attach_hidden()?;
            while let Some(&m) = methods.get(next.fetch_add(1, Ordering::Relaxed)) {
                let made = compile(t, m, tier, arch);
                let mut total = state::blocked(t, || total.lock()).unwrap_or_else(|e| e.into_inner());
                total.methods += 1;
                match made {
                    Ok((bytecodes, code)) => {
                        total.bytecodes += bytecodes;
                        total.code_bytes += code;
                    }
                    Err(refusal) => total.refused.push((m, refusal)),
                }
            }
            lifecycle::detach(t);
            Ok::<(), String>(())
        };
        let mut workers = Vec::new();
        for _ in 0..threads.max(1) {
            let builder = std::thread::Builder::new().name("CompileTheWorld".into()).stack_size(STACK_BYTES);
            workers.push(builder.spawn_scoped(scope, worker).map_err(|e| e.to_string())?);
        }
        workers.into_iter().try_for_each(|t| t.join().map_err(|_| "a compiling thread has panicked".to_string())?)
    })?;
    let mut total = total.into_inner().unwrap_or_else(|e| e.into_inner());
    total.time = begin.elapsed();
    Ok(total)
}

/// Bytecodes compiled, and bytes of code.
fn compile(t: &JavaThread, m: MethodRef, tier: u8, arch: Arch) -> Result<(usize, usize), Refusal> {
    let b = broker::get().ok_or(Refusal::NoCode)?;
    b.compile(t, m, None, tier, (arch, FEATURES)).map(|a| (a.bytecodes, a.assembled.code.len()))
}

/// Prints the round; whether it compiled 99.9%.
fn report(r: &Round, tier: u8, arch: Arch) -> bool {
    let arch = match arch {
        Arch::X64 => "x86-64",
        Arch::Arm64 => "ARM64",
    };
    let mut kinds: BTreeMap<&'static str, usize> = BTreeMap::new();
    for (m, refusal) in &r.refused {
        *kinds.entry(refusal.kind()).or_default() += 1;
        vm_out!("CompileTheWorld : {arch} tier {tier} refused {}: {refusal}\n", log::name_and_size(*m));
    }
    let done = r.methods - r.refused.len();
    let percent = 100.0 * done as f64 / r.methods.max(1) as f64;
    vm_out!(
        "CompileTheWorld : {arch} tier {tier}: {done} of {} methods ({percent:.3}%), {} bytecodes, {} bytes of code, {} ms\n",
        r.methods,
        r.bytecodes,
        r.code_bytes,
        r.time.as_millis()
    );
    for (kind, count) in kinds {
        vm_out!("CompileTheWorld : {arch} tier {tier}: {count} x {kind}\n");
    }
    r.refused.len() * 1000 <= r.methods
}
