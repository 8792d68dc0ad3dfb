//! Inline caches: what each call site that selects by the receiver's class has seen, beside the code and never
//! in it.
//!
//! A cache maps up to [`WAYS`] classes to the methods that they select. Compiled code compares the receiver's
//! class with the first entry itself; on a miss `Stub::InlineCache` tries the others, and then asks
//! [`select`], which adds the class. A site that has seen more classes is megamorphic: it goes by the vtable or
//! the itable from then on. What a class selects never changes, so entries are only ever added (Hölzle, Chambers
//! and Ungar, "Optimizing Dynamically-Typed Object-Oriented Languages With Polymorphic Inline Caches", 1991).
//!
//! Caches lie in metaspace, so that their addresses fit the 32 bits that code has for them. They belong to a
//! compiled method and are given back with its code.

use super::frames::{self, Border};
use super::stubs::{self, Arguments};
use crate::exceptions::VmResult;
use crate::heap::layout::Oop;
use crate::link::resolve;
use crate::log;
use crate::meta::class::ClassRef;
use crate::meta::metaspace::{Arena, MetaspaceExhausted};
use crate::meta::method::{Method, MethodRef};
use crate::threads::JavaThread;
use parking_lot::Mutex;
use std::mem::{offset_of, size_of};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// Classes that a cache holds.
pub const WAYS: usize = 4;

/// See the module comment. What machine code reads; [`offsets`] names the places.
#[repr(C)]
pub struct InlineCache {
    /// Address of the class in the low half, of the selected method in the high half; 0 is free.
    entries: [AtomicU64; WAYS],
    /// The stub for receivers that the first entry is not for.
    miss: AtomicU64,
    /// The method as resolved.
    method: AtomicU32,
    /// Its vtable index; negative for interface calls.
    vtable_index: AtomicU32,
    /// 1 once more than [`WAYS`] classes have been seen.
    megamorphic: AtomicU32,
    /// How often [`select`] was asked.
    misses: AtomicU32,
}

/// Where machine code finds what.
pub mod offsets {
    use super::*;
    pub const ENTRIES: usize = offset_of!(InlineCache, entries);
    pub const MISS: usize = offset_of!(InlineCache, miss);
    pub const METHOD: usize = offset_of!(InlineCache, method);
    pub const VTABLE_INDEX: usize = offset_of!(InlineCache, vtable_index);
    pub const MEGAMORPHIC: usize = offset_of!(InlineCache, megamorphic);
}

/// How many classes a site has seen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CacheState {
    /// None: it has not been executed.
    Clean,
    Monomorphic,
    /// So many.
    Polymorphic(usize),
    Megamorphic,
}

impl std::fmt::Display for CacheState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            CacheState::Clean => f.write_str("clean"),
            CacheState::Monomorphic => f.write_str("monomorphic"),
            CacheState::Polymorphic(n) => write!(f, "polymorphic ({n})"),
            CacheState::Megamorphic => f.write_str("megamorphic"),
        }
    }
}

impl InlineCache {
    pub fn state(&self) -> CacheState {
        if self.megamorphic.load(Ordering::Acquire) != 0 {
            return CacheState::Megamorphic;
        }
        match self.entries.iter().filter(|e| e.load(Ordering::Acquire) != 0).count() {
            0 => CacheState::Clean,
            1 => CacheState::Monomorphic,
            n => CacheState::Polymorphic(n),
        }
    }

    /// The method that the site names.
    pub fn method(&self) -> MethodRef {
        // SAFETY: set when the cache was made; the code that it belongs to keeps the method.
        unsafe { &*(self.method.load(Ordering::Relaxed) as usize as *const Method) }
    }

    /// How often the class of a receiver was not found in it.
    pub fn misses(&self) -> u32 {
        self.misses.load(Ordering::Relaxed)
    }

    /// Takes out what is for classes that are `dead`. In a pause.
    pub(super) fn purge(&self, dead: &dyn Fn(usize) -> bool) {
        let all = self.entries.each_ref().map(|e| e.load(Ordering::Relaxed));
        if all.iter().any(|&e| dead(e as u32 as usize)) {
            // A free entry ends the search: the others move up.
            let mut left = all.into_iter().filter(|&e| !dead(e as u32 as usize));
            self.entries.iter().for_each(|e| e.store(left.next().unwrap_or(0), Ordering::Relaxed));
        }
    }

    /// Adds what `class` selects, unless another thread has.
    fn add(&self, class: ClassRef, selected: MethodRef) {
        let entry = address(class) as u64 | (address(selected) as u64) << 32;
        for e in &self.entries {
            match e.compare_exchange(0, entry, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return,
                Err(found) if found == entry => return,
                Err(_) => {}
            }
        }
        self.megamorphic.store(1, Ordering::Release);
    }
}

fn address<T>(x: &T) -> usize {
    x as *const T as usize
}

/// A call site of code not yet placed.
#[derive(Clone, Copy, Debug)]
pub struct CacheSite {
    /// Offset of what the cache's address goes into: an imm32 (x86-64), a movz and a movk (ARM64).
    pub offset: u32,
    pub method: MethodRef,
    /// Of a virtual call; `None` for an interface call.
    pub vtable_index: Option<u32>,
}

/// The caches of one compiled method, in the order of their sites.
#[derive(Default)]
pub struct Caches(Box<[&'static InlineCache]>);

impl Caches {
    /// Clean ones.
    ///
    /// # Errors
    /// There is no metaspace for them.
    pub fn new(sites: &[CacheSite]) -> Result<Caches, MetaspaceExhausted> {
        let Some(stubs) = stubs::get() else { panic!("inline caches in a VM without compilers") };
        let mut made = Caches(Box::new([]));
        let mut list = Vec::with_capacity(sites.len());
        for s in sites {
            match take() {
                Ok(c) => list.push(c),
                Err(e) => {
                    made.0 = list.into();
                    return Err(e);
                }
            }
            let c = list[list.len() - 1];
            c.miss.store(stubs.address(super::assembled::Stub::InlineCache) as u64, Ordering::Relaxed);
            c.method.store(address(s.method) as u32, Ordering::Relaxed);
            c.vtable_index.store(s.vtable_index.unwrap_or(u32::MAX), Ordering::Relaxed);
        }
        made.0 = list.into();
        Ok(made)
    }

    pub fn iter(&self) -> impl Iterator<Item = &'static InlineCache> + '_ {
        self.0.iter().copied()
    }
}

impl Drop for Caches {
    /// The code must be gone: nothing but it and the stub looks at a cache.
    fn drop(&mut self) {
        let mut pool = POOL.lock();
        let pool = pool.get_or_insert_default();
        for c in &self.0 {
            c.entries.iter().for_each(|e| e.store(0, Ordering::Relaxed));
            c.megamorphic.store(0, Ordering::Relaxed);
            c.misses.store(0, Ordering::Relaxed);
            pool.free.push(c);
        }
    }
}

#[derive(Default)]
struct Pool {
    arena: Arena,
    free: Vec<&'static InlineCache>,
}

static POOL: Mutex<Option<Pool>> = Mutex::new(None);

fn take() -> Result<&'static InlineCache, MetaspaceExhausted> {
    let mut pool = POOL.lock();
    let pool = pool.get_or_insert_default();
    match pool.free.pop() {
        Some(c) => Ok(c),
        None => {
            let at = pool.arena.alloc(size_of::<InlineCache>())?;
            // SAFETY: fresh, zeroed, aligned memory of the right size, valid for all zero bits, never given back.
            Ok(unsafe { &*(at as *const InlineCache) })
        }
    }
}

/// Fills the address of a cache into the code of its site.
#[cfg(target_arch = "x86_64")]
pub(super) fn relocate(code: &mut [u8], offset: usize, cache: &InlineCache) {
    code[offset..offset + 4].copy_from_slice(&(address(cache) as u32).to_le_bytes());
}

/// Fills the address of a cache into the code of its site.
#[cfg(target_arch = "aarch64")]
pub(super) fn relocate(code: &mut [u8], offset: usize, cache: &InlineCache) {
    let at = address(cache) as u32;
    for (place, half) in [(offset, at & 0xffff), (offset + 4, at >> 16)] {
        let bytes: [u8; 4] = code[place..place + 4].try_into().expect("four bytes");
        let insn = u32::from_le_bytes(bytes) & !(0xffff << 5) | half << 5;
        code[place..place + 4].copy_from_slice(&insn.to_le_bytes());
    }
}

/// `Stub::InlineCache` has not found the receiver's class: the method that it selects, or null and an exception is
/// pending.
pub(super) unsafe extern "C" fn select(
    t: &JavaThread,
    cache: &InlineCache,
    args: *const Arguments,
    sp: usize,
) -> *const Method {
    let class = Oop::from_address((*args).ints[0] as usize).class();
    let _border = Border::push(t, sp, *((sp - 8) as *const usize));
    let selected = match method_for(t, cache, class) {
        Ok(m) => m,
        Err(_pending) => return std::ptr::null(),
    };
    cache.misses.fetch_add(1, Ordering::Relaxed);
    let before = cache.state();
    cache.add(class, selected);
    let after = cache.state();
    if before != after {
        log!(Debug, [jit, inlinecache], "{} {after}: {} for {class}", site(t), cache.method().name_and_signature());
    }
    selected
}

fn method_for(t: &JavaThread, cache: &InlineCache, class: ClassRef) -> VmResult<MethodRef> {
    let m = cache.method();
    if (cache.vtable_index.load(Ordering::Relaxed) as i32) < 0 {
        resolve::select_interface(t, m, class)
    } else {
        resolve::select_virtual(t, m, class)
    }
}

/// Where the innermost compiled frame stands, in words.
///
/// # Safety
/// Its border must be the thread's top frame.
unsafe fn site(t: &JavaThread) -> String {
    let Some(a) = frames::behind(t, t.top_frame.get()).next() else { return String::from("?") };
    let f = &a.point().frames[0];
    format!("{} @ {} (compile id={})", f.method.name_and_signature(), f.bci, a.code.id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn caches_fill_up_and_become_megamorphic() {
        let c = take().unwrap();
        assert_eq!(c.state(), CacheState::Clean);
        // Entries are only compared: any addresses do.
        let add = |n: u64| {
            let free = c.entries.iter().find(|e| e.load(Ordering::Relaxed) == 0);
            match free {
                Some(e) => e.store(n << 32 | n, Ordering::Relaxed),
                None => c.megamorphic.store(1, Ordering::Relaxed),
            }
            c.state()
        };
        assert_eq!(add(8), CacheState::Monomorphic);
        assert_eq!(add(16), CacheState::Polymorphic(2));
        add(24);
        assert_eq!(add(32), CacheState::Polymorphic(4));
        assert_eq!(add(40), CacheState::Megamorphic);
        drop(Caches(Box::new([c])));
        assert!(std::ptr::eq(take().unwrap(), c), "records are used again");
        assert_eq!(c.state(), CacheState::Clean);
    }
}
