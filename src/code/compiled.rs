//! Installed compiled methods: placing, looking up, making not entrant, freeing.
//!
//! A method calls go to is entrant: `Method::compiled_entry` leads to it and `Method::compiled` names it. Not
//! entrant code may still run in frames that were there before. It becomes free when a pause finds no frame
//! in it any more.

use super::assembled::{Assembled, DebugPoint};
use super::cache::{self, CacheFull};
use super::dependencies;
use super::inline_cache::{self, Caches, InlineCache};
use super::{stubs, unload};
use crate::compiler::broker;
use crate::compiler::dependencies::Dependencies;
use crate::interpreter::prepare::{self, PrepareError};
use crate::meta::metaspace::MetaspaceExhausted;
use crate::meta::method::{method_flags, Method, MethodKind, MethodRef};
use crate::profile::data;
use parking_lot::Mutex;
use std::cell::UnsafeCell;
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU32, AtomicU8, Ordering};

/// How a compiled method stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum CodeState {
    /// New calls (or loops, for on-stack replacements) enter it.
    Entrant = 0,
    /// Only frames that were there before run it.
    NotEntrant = 1,
    /// Its memory is given back; only this record is left.
    Freed = 2,
}

/// See the module comment. Never deallocated (its code and metadata are).
pub struct CompiledMethod {
    /// HotSpot's compile id, from the compile task.
    pub id: u32,
    pub method: MethodRef,
    /// Tier, 1 to 4.
    pub tier: u8,
    /// Where an on-stack replacement enters; `None` for a whole method.
    pub osr_bci: Option<u16>,
    /// First instruction.
    pub entry: usize,
    /// Bytes of code.
    pub bytes: usize,
    /// caller_sp - sp, see `code::abi`.
    pub frame_size: usize,
    state: AtomicU8,
    metadata: UnsafeCell<Metadata>,
}

#[derive(Default)]
struct Metadata {
    points: Box<[DebugPoint]>,
    handlers: Box<[(u32, u32)]>,
    faults: Box<[(u32, u32)]>,
    comments: Box<[(u32, String)]>,
    caches: Caches,
    mentions: Box<[u32]>,
}

// SAFETY: the metadata is set before publication and dropped in a pause in which no frame is in the code.
unsafe impl Sync for CompiledMethod {}
unsafe impl Send for CompiledMethod {}

impl CompiledMethod {
    pub fn state(&self) -> CodeState {
        match self.state.load(Ordering::Acquire) {
            0 => CodeState::Entrant,
            1 => CodeState::NotEntrant,
            _ => CodeState::Freed,
        }
    }

    pub fn is_entrant(&self) -> bool {
        self.state() == CodeState::Entrant
    }

    fn metadata(&self) -> &Metadata {
        // SAFETY: see the `Sync` implementation: who asks stands in the code or has just compiled it.
        unsafe { &*self.metadata.get() }
    }

    /// The debug point at return address `pc`.
    pub fn point(&self, pc: usize) -> Option<&DebugPoint> {
        let offset = u32::try_from(pc.wrapping_sub(self.entry)).ok()?;
        let points = &self.metadata().points;
        points.binary_search_by_key(&offset, |p| p.pc).ok().map(|i| &points[i])
    }

    /// All debug points, by ascending pc.
    pub fn points(&self) -> &[DebugPoint] {
        &self.metadata().points
    }

    /// Address of the handler for what a call with return address `pc` throws.
    pub fn handler(&self, pc: usize) -> Option<usize> {
        let offset = u32::try_from(pc.wrapping_sub(self.entry)).ok()?;
        let handlers = &self.metadata().handlers;
        handlers.binary_search_by_key(&offset, |h| h.0).ok().map(|i| self.entry + handlers[i].1 as usize)
    }

    /// Where the access at `pc` goes on when it has faulted for want of an object; `None` if it is not one that
    /// may. (Called from a signal handler.)
    pub fn fault_exit(&self, pc: usize) -> Option<usize> {
        let offset = u32::try_from(pc.wrapping_sub(self.entry)).ok()?;
        let faults = &self.metadata().faults;
        faults.binary_search_by_key(&offset, |f| f.0).ok().map(|i| self.entry + faults[i].1 as usize)
    }

    /// The listing, if one was asked for.
    pub fn comments(&self) -> &[(u32, String)] {
        &self.metadata().comments
    }

    /// The inline caches of its call sites.
    pub fn inline_caches(&self) -> impl Iterator<Item = &'static InlineCache> + '_ {
        self.metadata().caches.iter()
    }

    /// Addresses that the code names in memory of classes that may be unloaded: one of each loader but its own method's.
    pub fn mentions(&self) -> &[u32] {
        &self.metadata().mentions
    }

    /// The machine code.
    pub fn code(&self) -> &[u8] {
        // SAFETY: the block is this method's until it is freed.
        unsafe { std::slice::from_raw_parts(self.entry as *const u8, self.bytes) }
    }
}

impl std::fmt::Debug for CompiledMethod {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let at = self.osr_bci.map_or(String::new(), |b| format!(" @ {b}"));
        write!(f, "{} (tier {}{at}, {:?}, {:#x}+{})", self.method.name_and_signature(), self.tier, self.state(), self.entry, self.bytes)
    }
}

/// Why code was not installed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum InstallError {
    /// No room: compiling stops until code has been freed.
    CacheFull,
    /// An assumption was broken meanwhile: compile again.
    BrokenDependency,
    /// An interpreter frame could not be made when the code gives up.
    Unpreparable,
}

impl std::fmt::Display for InstallError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            InstallError::CacheFull => "code cache is full",
            InstallError::BrokenDependency => "a class or call site it depends on has changed",
            InstallError::Unpreparable => "a method in it cannot be interpreted",
        })
    }
}

/// What is to be installed.
pub struct Compilation {
    pub id: u32,
    pub method: MethodRef,
    pub tier: u8,
    pub osr_bci: Option<u16>,
    pub assembled: Assembled,
    pub dependencies: Dependencies,
    /// See `compiler::pipeline::Artifact`.
    pub names: Vec<u32>,
}

impl Compilation {
    /// Nothing yet, for `method`.
    pub fn new(method: MethodRef) -> Compilation {
        Compilation { id: 0, method, tier: 4, osr_bci: None, assembled: Assembled::default(), dependencies: Dependencies::default(), names: vec![] }
    }
}

/// All code that is not freed, and what calls and loops enter. The lock also orders changes of
/// `Method::{compiled, compiled_entry, interpreted}`; nothing that may stop at a safepoint happens under it.
#[derive(Default)]
struct Registry {
    /// By entry address.
    all: BTreeMap<usize, &'static CompiledMethod>,
    /// On-stack replacements by (address of the method, bci).
    osr: HashMap<(usize, u16), &'static CompiledMethod>,
    /// Bytes of code that is not entrant.
    dead_bytes: usize,
}

static REGISTRY: Mutex<Option<Registry>> = Mutex::new(None);
static INSTALLED: AtomicU32 = AtomicU32::new(0);

fn address(m: &Method) -> usize {
    m as *const Method as usize
}

/// Places code and makes it what its method's calls enter, in place of what they entered before (which becomes
/// not entrant). Any thread may call this.
pub fn install(c: Compilation) -> Result<&'static CompiledMethod, InstallError> {
    let (Some(cache), Some(stubs)) = (cache::get(), stubs::get()) else {
        panic!("code is installed in a VM without compilers");
    };
    prepare_methods(&c)?;
    let mentions = unload::mentions(&c);
    let Assembled { mut code, frame_size, relocations, cache_sites, points, handlers, faults, comments } = c.assembled;
    let caches = Caches::new(&cache_sites).map_err(|MetaspaceExhausted| InstallError::CacheFull)?;
    for (site, cache) in cache_sites.iter().zip(caches.iter()) {
        inline_cache::relocate(&mut code, site.offset as usize, cache);
    }
    seal(&mut code, points.last().map(|p| p.pc).max(handlers.last().map(|h| h.0)));
    let bytes = code.len();
    let entry = match cache.allocate(bytes) {
        Ok(at) => at,
        Err(CacheFull(_)) => return Err(InstallError::CacheFull),
    };
    for r in &relocations {
        relocate(&mut code, r.offset as usize, entry, stubs.address(r.target));
    }
    cache.write(entry, &code);
    debug_assert!(points.windows(2).all(|w| w[0].pc < w[1].pc), "debug points ascend");
    debug_assert!(handlers.windows(2).all(|w| w[0].0 < w[1].0), "handlers ascend");
    let method: &'static CompiledMethod = Box::leak(Box::new(CompiledMethod {
        id: c.id,
        method: c.method,
        tier: c.tier,
        osr_bci: c.osr_bci,
        entry,
        bytes,
        frame_size: frame_size as usize,
        state: AtomicU8::new(CodeState::Entrant as u8),
        metadata: UnsafeCell::new(Metadata {
            points: points.into(),
            handlers: handlers.into(),
            faults: faults.into(),
            comments: comments.into(),
            caches,
            mentions,
        }),
    }));
    let mut replaced = None;
    let published = dependencies::register(method, &c.dependencies, || {
        cache.set_owner(entry, bytes, method as *const CompiledMethod as *mut CompiledMethod);
        let mut r = REGISTRY.lock();
        let r = r.get_or_insert_default();
        r.all.insert(entry, method);
        let before = match c.osr_bci {
            Some(bci) => r.osr.insert((address(c.method), bci), method),
            None => {
                // SAFETY: never deallocated.
                let before = unsafe { c.method.compiled.load(Ordering::Relaxed).as_ref() };
                c.method.compiled.store(method as *const _ as *mut _, Ordering::Release);
                set_entries(c.method);
                before
            }
        };
        replaced = before.filter(|b| retire(r, b));
    });
    if !published {
        method.state.store(CodeState::Freed as u8, Ordering::Release);
        // SAFETY: nobody has seen it.
        unsafe { *method.metadata.get() = Metadata::default() };
        cache.free(entry, bytes);
        return Err(InstallError::BrokenDependency);
    }
    INSTALLED.fetch_add(1, Ordering::Relaxed);
    if let (Some(before), Some(b)) = (replaced, broker::get()) {
        b.report_not_entrant(before);
    }
    Ok(method)
}

/// A last instruction that calls has its return address behind the code, which may be where other code starts:
/// a trap that nothing executes takes it in.
fn seal(code: &mut Vec<u8>, last_return: Option<u32>) {
    if last_return.is_some_and(|pc| pc as usize == code.len()) {
        code.extend_from_slice(TRAP);
    }
}

/// `int3`.
#[cfg(target_arch = "x86_64")]
const TRAP: &[u8] = &[0xcc];
/// `udf #0`.
#[cfg(target_arch = "aarch64")]
const TRAP: &[u8] = &[0; 4];

/// Deoptimization needs the interpreter's form of every method in the code.
fn prepare_methods(c: &Compilation) -> Result<(), InstallError> {
    let mut last: Option<MethodRef> = None;
    for f in c.assembled.points.iter().flat_map(|p| &p.frames) {
        if last == Some(f.method) {
            continue;
        }
        last = Some(f.method);
        match prepare::of_method(f.method) {
            Ok(_) => {}
            Err(PrepareError::Malformed(_) | PrepareError::MetaspaceExhausted) => return Err(InstallError::Unpreparable),
        }
    }
    Ok(())
}

/// Fills in a pc-relative call or jump.
#[cfg(target_arch = "x86_64")]
fn relocate(code: &mut [u8], offset: usize, entry: usize, target: usize) {
    let distance = target as i64 - (entry + offset + 4) as i64;
    let distance = i32::try_from(distance).expect("the code cache is within branch range");
    code[offset..offset + 4].copy_from_slice(&distance.to_le_bytes());
}

/// Fills in the 26 bits of b and bl, the 19 of b.cond, cbz and cbnz, or the 14 of tbz and tbnz.
#[cfg(target_arch = "aarch64")]
fn relocate(code: &mut [u8], offset: usize, entry: usize, target: usize) {
    let distance = (target as i64 - (entry + offset) as i64) >> 2;
    let bytes: [u8; 4] = code[offset..offset + 4].try_into().expect("four bytes");
    let insn = u32::from_le_bytes(bytes);
    let (bits, shift) = if insn & 0x7c00_0000 == 0x1400_0000 {
        (26, 0)
    } else if insn & 0x7e00_0000 == 0x3600_0000 {
        (14, 5)
    } else {
        (19, 5)
    };
    assert!(distance >= -(1 << (bits - 1)) && distance < 1 << (bits - 1), "a stub is out of branch range");
    let mask = ((1u32 << bits) - 1) << shift;
    let insn = insn & !mask | (distance as u32) << shift & mask;
    code[offset..offset + 4].copy_from_slice(&insn.to_le_bytes());
}

/// Sets where calls of the method go, by what code it has. Under the registry's lock.
fn set_entries(m: MethodRef) {
    // SAFETY: never deallocated.
    let code = unsafe { m.compiled.load(Ordering::Relaxed).as_ref() };
    let stub = stubs::get().map_or(0, |s| s.call_out);
    m.compiled_entry.store(code.map_or(stub, |c| c.entry), Ordering::Release);
    m.tier.store(code.map_or(0, |c| c.tier), Ordering::Relaxed);
    let prepared = m.prepared.load(Ordering::Acquire);
    m.interpreted.store(if code.is_some() { std::ptr::null_mut() } else { prepared }, Ordering::Release);
}

/// The interpreter has got its form of the method's code.
pub fn prepared(m: MethodRef) {
    let _registry = REGISTRY.lock();
    set_entries(m);
}

/// Marks code that nothing enters any more; false if it was marked. Under the registry's lock.
fn retire(r: &mut Registry, c: &'static CompiledMethod) -> bool {
    let (old, new) = (CodeState::Entrant as u8, CodeState::NotEntrant as u8);
    let marked = c.state.compare_exchange(old, new, Ordering::AcqRel, Ordering::Acquire).is_ok();
    if marked {
        r.dead_bytes += c.bytes;
    }
    marked
}

/// Makes code not entrant: calls go to the interpreter again. Frames in it go on. False if it was already. A
/// method whose optimized code is given up again and again is not optimized any more.
pub fn make_not_entrant(c: &'static CompiledMethod) -> bool {
    let made = leave_by_new_calls(c);
    if !made {
        return false;
    }
    let broker = broker::get();
    if let Some(b) = broker {
        b.report_not_entrant(c);
    }
    if c.tier == 4 && data::of_method(c.method).is_some_and(|p| p.note_decompile()) {
        match broker {
            Some(b) => b.give_up(c.method, Some(4), false, "decompile_count > PerMethodRecompilationCutoff"),
            None => c.method.set_flag(method_flags::NOT_COMPILABLE),
        }
    }
    true
}

fn leave_by_new_calls(c: &'static CompiledMethod) -> bool {
    leave_by_new_calls_in(REGISTRY.lock().get_or_insert_default(), c)
}

/// Makes all code not entrant that is `lost`, in a pause and without a word; all of that, frames or not. It may have
/// been not entrant before.
pub(super) fn retire_all(lost: impl Fn(&CompiledMethod) -> bool) -> Vec<&'static CompiledMethod> {
    let mut guard = REGISTRY.lock();
    let Some(r) = guard.as_mut() else { return vec![] };
    let found: Vec<&'static CompiledMethod> = r.all.values().copied().filter(|c| lost(c)).collect();
    for c in &found {
        leave_by_new_calls_in(r, c);
    }
    found
}

fn leave_by_new_calls_in(r: &mut Registry, c: &'static CompiledMethod) -> bool {
    if !c.is_entrant() {
        return false;
    }
    retire(r, c);
    match c.osr_bci {
        Some(bci) => {
            let key = (address(c.method), bci);
            if r.osr.get(&key).is_some_and(|x| std::ptr::eq(*x, c)) {
                r.osr.remove(&key);
            }
        }
        None if std::ptr::eq(c.method.compiled.load(Ordering::Relaxed), c) => {
            c.method.compiled.store(std::ptr::null_mut(), Ordering::Release);
            set_entries(c.method);
        }
        None => {}
    }
    true
}

/// The method's compiled code, if calls enter any.
#[inline]
pub fn of_method(m: &Method) -> Option<&'static CompiledMethod> {
    // SAFETY: never deallocated.
    unsafe { m.compiled.load(Ordering::Acquire).as_ref() }
}

/// The code for an on-stack replacement of `m` at `bci`.
pub fn osr_of_method(m: &Method, bci: u16) -> Option<&'static CompiledMethod> {
    REGISTRY.lock().as_ref()?.osr.get(&(address(m), bci)).copied()
}

/// All on-stack replacements of `m`, the best first.
pub fn all_osr_of_method(m: &Method) -> Vec<&'static CompiledMethod> {
    let registry = REGISTRY.lock();
    let all = registry.as_ref().into_iter().flat_map(|r| &r.osr);
    let mut found: Vec<_> = all.filter(|(key, _)| key.0 == address(m)).map(|(_, c)| *c).collect();
    found.sort_by_key(|c| (std::cmp::Reverse(c.tier), c.osr_bci));
    found
}

/// The code that `pc` lies in.
#[inline]
pub fn find(pc: usize) -> Option<&'static CompiledMethod> {
    cache::get()?.find(pc)
}

/// All code there is, by address.
pub fn all() -> Vec<&'static CompiledMethod> {
    REGISTRY.lock().as_ref().map_or(vec![], |r| r.all.values().copied().collect())
}

/// How many methods have been installed, and the bytes that code which is not entrant takes.
pub fn totals() -> (u32, usize) {
    (INSTALLED.load(Ordering::Relaxed), REGISTRY.lock().as_ref().map_or(0, |r| r.dead_bytes))
}

/// Frees code that is not entrant and not among `active`. All Java threads must stand.
pub(super) fn free_unused(active: &std::collections::HashSet<usize>) -> usize {
    let Some(cache) = cache::get() else { return 0 };
    let mut guard = REGISTRY.lock();
    let Some(r) = guard.as_mut() else { return 0 };
    let dead: Vec<&'static CompiledMethod> = r
        .all
        .values()
        .copied()
        .filter(|c| c.state() == CodeState::NotEntrant && !active.contains(&c.entry))
        .collect();
    let mut freed = 0;
    for c in dead {
        r.all.remove(&c.entry);
        c.state.store(CodeState::Freed as u8, Ordering::Release);
        cache.free(c.entry, c.bytes);
        // SAFETY: no frame is in the code, and all threads that could enter one stand.
        unsafe { *c.metadata.get() = Metadata::default() };
        r.dead_bytes -= c.bytes;
        freed += c.bytes;
    }
    freed
}

/// Whether the method has code of its own that a compiler could compile.
pub fn is_compilable_kind(m: &Method) -> bool {
    m.kind() == MethodKind::Java
}
