//! Class unloading (JLS 12.7, HotSpot's `ClassLoaderDataGraph`).
//!
//! The unit is the loader; a hidden class that is not strong has one of its own (`Class::kept_by`). Those that a
//! program may lose (`Loader::unloadable`) are no roots of a full collection; one is kept when the collector meets its
//! object, the mirror of one of its classes or an instance of one, when a frame runs one of its methods, or when a
//! loader that is kept depends on it (`Loader::dependencies`: what its classes have been linked with). A loader kept
//! brings along all that its classes refer to. What has not been kept by the end of the marking is gone: nothing can
//! reach it any more.
//!
//! Nursery collections keep everything, and so does one that comes while something is being compiled: compilers
//! know classes that nothing refers to yet.
//!
//! The classes' mirrors, statics and constants are freed with this, and all that others have seen of them is forgotten
//! ([`forget`]). Their metadata is freed at the end of the pause, unless a word on a machine stack may be an address in
//! it: some function of the VM may be at work with a class that it has just found. Such metadata waits for a later
//! collection ([`WAITING`]). Who keeps addresses of metadata elsewhere while collections may happen uses
//! [`while_compiling`].

use super::mmtk_binding::{from_mmtk, mmtk, Slot};
use super::layout::Oop;
use crate::code::{frames, unload};
use crate::compiler::build::constant;
use crate::interpreter::frame::FrameKind;
use crate::invoke::{call_site, resolved_method};
use crate::jvm::modules;
use crate::link::constraints;
use crate::link::load::{loader_data, mirror_to_class, MirrorOf};
use crate::log;
use crate::meta::class::{class_flags, Class, ClassRef, InstanceKind};
use crate::meta::loader::{self, Loader, LoaderRef};
use crate::meta::metaspace;
use crate::meta::method::Method;
use crate::profile::data;
use crate::threads::{registry, JavaThread};
use mmtk::util::ObjectReference;
use parking_lot::lock_api::RawRwLock as _;
use parking_lot::lock_api::RawRwLockTimed as _;
use parking_lot::{Mutex, RawRwLock};
use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

/// Whether the collection that is on unloads classes.
static ACTIVE: AtomicBool = AtomicBool::new(false);
/// Number of the last collection that does.
static EPOCH: AtomicU32 = AtomicU32::new(0);
/// Loaders unloaded whose memory may be in use.
static WAITING: Mutex<Vec<LoaderRef>> = Mutex::new(Vec::new());
/// `-XX:+ClassUnloading`.
static WANTED: AtomicBool = AtomicBool::new(true);
static UNLOADED_CLASSES: AtomicU64 = AtomicU64::new(0);

/// Held shared by who compiles, exclusively by a collection that unloads.
static COMPILING: RawRwLock = RawRwLock::INIT;
/// How long one that the program asks for waits for compiles to end, the program running on.
const COMPILE: Duration = Duration::from_secs(1);
/// How long a collection that comes before an OutOfMemoryError waits for compiles to end.
const PATIENCE: Duration = Duration::from_millis(100);

/// Sets `-XX:±ClassUnloading`.
pub(super) fn configure(wanted: bool) {
    WANTED.store(wanted, Ordering::Relaxed);
}

/// Classes unloaded so far.
pub fn unloaded_classes() -> u64 {
    UNLOADED_CLASSES.load(Ordering::Relaxed)
}

/// Runs a compile, during which no class is unloaded. Waits, in state Blocked, while a collection unloads.
pub fn while_compiling<R>(t: &JavaThread, f: impl FnOnce() -> R) -> R {
    struct Shared;
    impl Drop for Shared {
        fn drop(&mut self) {
            // SAFETY: taken below.
            unsafe { COMPILING.unlock_shared() }
        }
    }
    crate::threads::state::blocked(t, || COMPILING.lock_shared());
    let _shared = Shared;
    f()
}

/// The current thread holds `COMPILING` for the collection that it asks for.
static HELD: AtomicBool = AtomicBool::new(false);

/// Runs `f`, a collection that the program has asked for, when nothing is being compiled, if that can be had soon.
pub(super) fn between_compiles<R>(t: &JavaThread, f: impl FnOnce() -> R) -> R {
    let held = crate::threads::state::blocked(t, || COMPILING.try_lock_exclusive_for(COMPILE));
    HELD.store(held, Ordering::Relaxed);
    let result = f();
    if held {
        HELD.store(false, Ordering::Relaxed);
        // SAFETY: taken above.
        unsafe { COMPILING.unlock_exclusive() }
    }
    result
}

/// Start of a pause, all threads standing: decides whether it unloads.
pub(super) fn prepare() {
    let full = mmtk().get_plan().generational().is_none_or(|g| !g.is_current_gc_nursery());
    let any = || loader::all().iter().any(|l| l.unloadable);
    if !WANTED.load(Ordering::Relaxed) || !full || !any() {
        return;
    }
    let exclusive = HELD.load(Ordering::Relaxed)
        || COMPILING.try_lock_exclusive()
        || mmtk().is_emergency_collection() && COMPILING.try_lock_exclusive_for(PATIENCE);
    if exclusive {
        EPOCH.fetch_add(1, Ordering::Relaxed);
        ACTIVE.store(true, Ordering::Relaxed);
    }
}

/// End of a pause.
pub(super) fn finish() {
    if !ACTIVE.load(Ordering::Relaxed) {
        return;
    }
    free_waiting();
    ACTIVE.store(false, Ordering::Relaxed);
    if !HELD.load(Ordering::Relaxed) {
        // SAFETY: taken by `prepare`.
        unsafe { COMPILING.unlock_exclusive() }
    }
}

/// Frees the memory of loaders that are unloaded, unless the stacks scanned in this pause show an address in it or in
/// that of one that refers to it.
fn free_waiting() {
    let epoch = EPOCH.load(Ordering::Relaxed);
    let mut waiting = WAITING.lock();
    let mut in_use: Vec<LoaderRef> =
        waiting.iter().copied().filter(|l| l.sighted_in.load(Ordering::Relaxed) == epoch).collect();
    while let Some(l) = in_use.pop() {
        for d in l.dependencies.lock().values() {
            if d.sighted_in.swap(epoch, Ordering::Relaxed) != epoch {
                in_use.push(d);
            }
        }
    }
    let (stay, go): (Vec<LoaderRef>, Vec<LoaderRef>) =
        waiting.drain(..).partition(|l| l.sighted_in.load(Ordering::Relaxed) == epoch);
    *waiting = stay;
    for l in go {
        // SAFETY: unloaded, forgotten by all data of the VM, and on no stack.
        unsafe { l.free() }
    }
}

/// A machine stack holds this word: if it is an address in the memory of a loader, that is not to be freed now.
#[inline(always)]
pub(super) fn sight(word: usize) {
    if metaspace::contains(word) {
        if let Some(l) = Loader::owning(word) {
            l.sighted_in.store(EPOCH.load(Ordering::Relaxed), Ordering::Relaxed);
        }
    }
}

/// Whether the collection that is on unloads classes: the loaders that it may unload are no roots then.
#[inline(always)]
pub(super) fn is_active() -> bool {
    ACTIVE.load(Ordering::Relaxed)
}

/// Keeps what an object that the collector has met stands for: its class's loader, and the loader that it is, or
/// that defined the class that it is the mirror of.
pub(super) fn keep_object(object: ObjectReference, class: &Class, visit: &mut dyn FnMut(Slot)) {
    let o = from_mmtk(object);
    keep_class(class, visit);
    match class.instance_kind {
        InstanceKind::Mirror => {
            if let MirrorOf::Class(c) = mirror_to_class(o) {
                keep_class(c, visit);
            }
        }
        InstanceKind::ClassLoader => {
            if let Some(l) = loader_data(o).filter(|l| l.unloadable) {
                keep(l, visit);
            }
        }
        _ => {}
    }
}

#[inline(always)]
fn keep_class(class: &Class, visit: &mut dyn FnMut(Slot)) {
    if class.kept_by.unloadable {
        keep(class.kept_by, visit);
    }
}

/// Keeps a loader and all that its classes refer to, once in a collection.
fn keep(loader: LoaderRef, visit: &mut dyn FnMut(Slot)) {
    let epoch = EPOCH.load(Ordering::Relaxed);
    let mut waiting = vec![loader];
    while let Some(l) = waiting.pop() {
        if l.kept_in.swap(epoch, Ordering::AcqRel) != epoch {
            // Not visited under their locks: a visitor may go on to scan objects, which keep loaders too.
            let mut slots = Vec::new();
            for_each_root(l, &mut |s| slots.push(s));
            slots.into_iter().for_each(&mut *visit);
            waiting.extend(l.dependencies.lock().values());
        }
    }
}

/// The root slots that a loader and its classes have.
pub(super) fn for_each_root(l: LoaderRef, f: &mut dyn FnMut(Slot)) {
    f(Slot::root(&l.object));
    for m in l.modules.read().values() {
        f(Slot::root(&m.object));
    }
    let unnamed = l.unnamed_module.load(Ordering::Acquire);
    if !unnamed.is_null() {
        // SAFETY: lives as long as its loader.
        f(Slot::root(unsafe { &(*unnamed).object }));
    }
    for c in l.defined.lock().iter() {
        f(Slot::root(&c.mirror));
        f(Slot::root(&c.init_error));
    }
    l.slots.for_each(&mut |s| f(Slot::root(s)));
}

/// Keeps what the loaders that are never unloaded depend on.
pub(super) fn keep_permanent(visit: &mut dyn FnMut(Slot)) {
    for l in loader::all().into_iter().filter(|l| !l.unloadable) {
        let dependencies: Vec<LoaderRef> = l.dependencies.lock().values().copied().collect();
        dependencies.into_iter().for_each(|d| keep(d, visit));
    }
}

/// Keeps the loaders of the methods on the stack of the standing thread `t`.
pub(super) fn keep_frames(t: &JavaThread, visit: &mut dyn FnMut(Slot)) {
    // SAFETY: the thread stands.
    unsafe {
        let mut next = t.top_frame.get();
        while let Some(f) = next.as_ref() {
            if f.kind == FrameKind::Compiled {
                for a in frames::behind(t, f) {
                    keep_class(a.code.method.class(), visit);
                    a.point().metadata(|address| {
                        if let Some(l) = Loader::owning(address) {
                            keep(l, visit);
                        }
                    });
                }
            } else if let Some(m) = (f.method as *const Method).as_ref() {
                keep_class(m.class(), visit);
            }
            next = f.prev;
        }
    }
}

/// All that is alive has been met: drops the loaders that have not been kept.
pub(super) fn sweep() {
    if !is_active() {
        return;
    }
    let epoch = EPOCH.load(Ordering::Relaxed);
    let is_dead = |l: &Loader| l.unloadable && l.kept_in.load(Ordering::Relaxed) != epoch;
    let dead = loader::remove(is_dead);
    if dead.is_empty() {
        return;
    }
    let mut supers: HashSet<*const Class> = HashSet::new();
    let mut count = 0;
    for l in &dead {
        for &c in l.defined.lock().iter() {
            unload(c);
            count += 1;
            supers.extend(c.super_class.iter().chain(c.interfaces.iter()).map(|s| *s as *const Class));
        }
        l.object.set(Oop::NULL);
        l.slots.for_each(&mut |s| s.set(Oop::NULL));
    }
    for s in supers {
        // SAFETY: metadata is freed at the end of the pause.
        let s: ClassRef = unsafe { &*s };
        s.subclasses.lock().retain(|c| !c.has_flag(class_flags::UNLOADED));
    }
    UNLOADED_CLASSES.fetch_add(count, Ordering::Relaxed);
    forget(&dead);
    WAITING.lock().extend(dead);
}

/// Has everyone forget the addresses that they know in the memory of these loaders.
fn forget(dead: &[LoaderRef]) {
    let all: HashSet<*const Loader> = dead.iter().map(|l| *l as *const Loader).collect();
    let ids: HashSet<u32> = dead.iter().map(|l| l.id).collect();
    let is_dead = |address: usize| {
        metaspace::contains(address) && Loader::owning(address).is_some_and(|l| all.contains(&(l as *const Loader)))
    };
    constraints::purge(dead);
    modules::forget_modules_of(dead);
    call_site::purge(&is_dead);
    resolved_method::purge(&is_dead);
    constant::purge(&is_dead, &|id| ids.contains(&id));
    // SAFETY: in a pause without compiles; `keep_frames` has kept what frames are in.
    unsafe { unload::unload(&registry::all_unguarded(), &is_dead) };
    for l in loader::all() {
        l.receiver_sites.lock().iter().for_each(|s| s.purge(is_dead));
        for c in l.allocated.lock().iter() {
            c.methods.iter().filter_map(|m| data::if_attached(m)).for_each(|p| p.purge(&is_dead));
        }
    }
}

fn unload(c: ClassRef) {
    log!(Info, [class, unload], "unloading class {} {:#018x}", c.external_name(), c as *const Class as usize);
    c.flags.fetch_or(class_flags::UNLOADED, Ordering::Relaxed);
    c.mirror.set(Oop::NULL);
    c.init_error.set(Oop::NULL);
}
