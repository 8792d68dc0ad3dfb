//! Registered root slots: the only places outside stacks and heap objects where Rust code
//! may keep a reference.

use super::layout::Oop;
use super::mmtk_binding::{to_mmtk, Slot};
use super::unloading;
use crate::meta::loader::LoaderRef;
use crate::meta::metaspace::Arena;
use crate::threads::JavaThread;
use mmtk::util::ObjectReference;
use parking_lot::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::LazyLock;

/// A cell holding a wide reference that the collector visits and updates.
///
/// A `RootSlot` is a handle to a slot of the global root table, or, embedded as a field
/// (`Class::mirror`), a slot that its owner's scan function reports: its address must then not
/// change. Reads and writes are atomic; the collector writes only while all threads stand.
#[repr(transparent)]
pub struct RootSlot(AtomicU64);

impl Default for RootSlot {
    fn default() -> RootSlot {
        RootSlot::new(Oop::NULL)
    }
}

impl RootSlot {
    /// A slot holding `value`. The owner must report it to the collector.
    pub const fn new(value: Oop) -> RootSlot {
        RootSlot(AtomicU64::new(value.address() as u64))
    }

    #[inline(always)]
    pub fn get(&self) -> Oop {
        Oop::from_address(self.0.load(Ordering::Acquire) as usize)
    }

    #[inline(always)]
    pub fn set(&self, value: Oop) {
        self.0.store(value.address() as u64, Ordering::Release)
    }

    /// Sets the slot if it is null; the value it has afterwards.
    pub fn set_if_null(&self, value: Oop) -> Oop {
        match self.0.compare_exchange(0, value.address() as u64, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => value,
            Err(first) => Oop::from_address(first as usize),
        }
    }

    /// Address of the slot, 8-byte aligned: JNI handles and quickened instructions point here.
    pub fn address(&self) -> usize {
        self as *const RootSlot as usize
    }
}

/// A table of root slots, in metaspace, in an arena of its own.
pub struct Table {
    arena: Arena,
    /// Slots in a piece of the table.
    chunk: usize,
    state: Mutex<TableState>,
}

#[derive(Default)]
struct TableState {
    /// Pieces of the table, and how many slots of the last are in use.
    chunks: Vec<usize>,
    used_in_last: usize,
    free: Vec<usize>,
}

const CHUNK: usize = 512;

static STRONG: LazyLock<Table> = LazyLock::new(|| Table::new(CHUNK));
static WEAK: LazyLock<Table> = LazyLock::new(|| Table::new(CHUNK));

impl Table {
    /// An empty table that grows by so many slots.
    pub fn new(chunk: usize) -> Table {
        Table { arena: Arena::default(), chunk, state: Mutex::default() }
    }

    /// See [`Arena::set_tag`].
    pub fn set_tag(&self, tag: usize) {
        self.arena.set_tag(tag)
    }

    fn take(&self, value: Oop) -> &'static RootSlot {
        let mut s = self.state.lock();
        let address = s.free.pop().unwrap_or_else(|| {
            if s.chunks.is_empty() || s.used_in_last == self.chunk {
                let chunk = self.arena.alloc(self.chunk * 8).unwrap_or_else(|_| {
                    eprintln!("Error: class metadata space exhausted by {} references", s.chunks.len() * self.chunk);
                    std::process::abort()
                });
                s.chunks.push(chunk);
                s.used_in_last = 0;
            }
            let last = s.chunks[s.chunks.len() - 1];
            s.used_in_last += 1;
            last + (s.used_in_last - 1) * 8
        });
        // SAFETY: a slot of the table, which lives as long as whoever is given slots of it, and not in use.
        let slot = unsafe { &*(address as *const RootSlot) };
        slot.set(value);
        slot
    }

    fn give_back(&self, slot: &'static RootSlot) {
        slot.set(Oop::NULL);
        self.state.lock().free.push(slot.address());
    }

    /// Calls `f` for every slot, in use or not (null).
    pub(super) fn for_each(&self, f: &mut dyn FnMut(&'static RootSlot)) {
        let s = self.state.lock();
        for (i, &chunk) in s.chunks.iter().enumerate() {
            let n = if i + 1 == s.chunks.len() { s.used_in_last } else { self.chunk };
            for k in 0..n {
                // SAFETY: within a chunk of the table.
                f(unsafe { &*((chunk + k * 8) as *const RootSlot) });
            }
        }
    }
}

/// A new slot in the global root table (in metaspace: its address fits 32 bits).
pub fn new_slot(value: Oop) -> &'static RootSlot {
    STRONG.take(value)
}

/// A new slot that belongs to `loader`: what its classes refer to. It is gone when the loader is unloaded.
pub fn new_slot_of(loader: LoaderRef, value: Oop) -> &'static RootSlot {
    if loader.unloadable { loader.slots.take(value) } else { new_slot(value) }
}

/// Gives back a slot that [`new_slot_of`] has made for `loader`.
///
/// # Safety
/// Nothing may use the slot any more.
pub unsafe fn free_slot_of(loader: LoaderRef, slot: &'static RootSlot) {
    if loader.unloadable { loader.slots.give_back(slot) } else { free_slot(slot) }
}

/// Gives a slot of the global root table back.
///
/// # Safety
/// Nothing may use the slot any more.
pub unsafe fn free_slot(slot: &'static RootSlot) {
    STRONG.give_back(slot)
}

/// A reference kept in a root slot for as long as the handle lives: how Rust data structures
/// hold objects.
pub struct Handle(&'static RootSlot);

impl Handle {
    pub fn new(object: Oop) -> Handle {
        Handle(new_slot(object))
    }

    pub fn get(&self) -> Oop {
        self.0.get()
    }

    pub fn set(&self, object: Oop) {
        self.0.set(object)
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: the handle owned the slot.
        unsafe { free_slot(self.0) }
    }
}

/// A cell that the collector clears when its object dies (after finalization), and updates
/// when it moves: JNI weak global references. In metaspace; the cell has a wide reference.
#[repr(transparent)]
pub struct WeakSlot(RootSlot);

impl WeakSlot {
    /// The object, null if it has died. It is kept alive by the caller's stack from here on.
    pub fn get(&self) -> Oop {
        self.0.get()
    }

    /// Address of the slot, 8-byte aligned.
    pub fn address(&self) -> usize {
        self.0.address()
    }
}

/// A new weak slot.
pub fn new_weak(value: Oop) -> &'static WeakSlot {
    let slot = WEAK.take(value);
    // SAFETY: WeakSlot is a transparent wrapper.
    unsafe { &*(slot as *const RootSlot as *const WeakSlot) }
}

/// Gives a weak slot back.
///
/// # Safety
/// Nothing may use the slot any more.
pub unsafe fn free_weak(slot: &'static WeakSlot) {
    WEAK.give_back(&slot.0)
}

/// Calls `f` for every weak slot in use; for `heap::refs` during a pause.
pub(super) fn for_each_weak(f: &mut dyn FnMut(Slot)) {
    WEAK.for_each(&mut |s| {
        if !s.get().is_null() {
            f(Slot::root(s))
        }
    })
}

/// Reports the strong root slots that a part of the VM keeps elsewhere.
pub type Scanner = fn(&mut dyn FnMut(&RootSlot));

static SCANNERS: Mutex<Vec<Scanner>> = Mutex::new(Vec::new());

/// Adds a root scanner. It runs in every pause: it may lock only what no thread holds at a
/// safepoint.
pub fn register_scanner(scanner: Scanner) {
    SCANNERS.lock().push(scanner)
}

/// Objects pinned for native code, with how often.
static PINNED: Mutex<Vec<(usize, u32)>> = Mutex::new(Vec::new());

/// Keeps `object` alive and in place until the matching [`unpin`] (JNI critical sections).
pub fn pin(object: Oop) {
    let mut p = PINNED.lock();
    match p.iter_mut().find(|e| e.0 == object.address()) {
        Some(e) => e.1 += 1,
        None => p.push((object.address(), 1)),
    }
}

/// Takes one [`pin`] back. Unpinning what is not pinned is a defect of the caller.
pub fn unpin(object: Oop) {
    let mut p = PINNED.lock();
    let i = p.iter().position(|e| e.0 == object.address()).expect("unpin of an object that is not pinned");
    p[i].1 -= 1;
    if p[i].1 == 0 {
        p.swap_remove(i);
    }
}

/// The pinned objects, for the collector.
pub(super) fn pinned_objects() -> Vec<ObjectReference> {
    PINNED.lock().iter().map(|e| to_mmtk(Oop::from_address(e.0))).collect()
}

/// Reports the precise roots of one standing thread.
pub(super) fn for_each_of_thread(t: &JavaThread, f: &mut dyn FnMut(Slot)) {
    f(Slot::root(&t.exception));
    f(Slot::root(&t.thread_object));
    // SAFETY: the thread stands, so its Vec does not change.
    for o in unsafe { &*t.lock_stack.get() } {
        f(Slot::wide(o as *const Oop as usize));
    }
    t.vm.for_each_root(&mut |s| f(Slot::root(s)));
    // SAFETY: as above; the slots are the thread's own and live.
    unsafe { (*t.locals.get()).for_each_slot(&mut |s| f(Slot::root(&*s))) };
    if unloading::is_active() {
        unloading::keep_frames(t, f);
    }
}

/// Reports the precise roots of the VM itself.
pub(super) fn for_each_of_vm(f: &mut dyn FnMut(Slot)) {
    STRONG.for_each(&mut |s| f(Slot::root(s)));
    super::refs::for_each_root(&mut |s| f(Slot::root(s)));
    for loader in crate::meta::loader::all() {
        if !(loader.unloadable && unloading::is_active()) {
            unloading::for_each_root(loader, f);
        }
    }
    if unloading::is_active() {
        unloading::keep_permanent(f);
    }
    let scanners = SCANNERS.lock().clone();
    for s in scanners {
        s(&mut |slot| f(Slot::root(slot)));
    }
}

/// Calls `f` with every slot of the global root table, in use or not (null). In a pause.
pub(super) fn for_each_strong(f: &mut dyn FnMut(&RootSlot)) {
    STRONG.for_each(&mut |s| f(s))
}

/// How many weak slots are in use and not cleared.
pub fn weak_count() -> usize {
    let mut n = 0;
    WEAK.for_each(&mut |s| n += usize::from(!s.get().is_null()));
    n
}

/// Calls `f` with the roots that are neither in the global root table nor a thread's or a loader's. In a pause.
pub(super) fn for_each_other(f: &mut dyn FnMut(&RootSlot)) {
    super::refs::for_each_root(&mut |s| f(s));
    let scanners = SCANNERS.lock().clone();
    for s in scanners {
        s(f);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_slots_fit_32_bits_and_are_reused() {
        let a = new_slot(Oop::from_address(0x1_0000_0008));
        assert!(a.address() + 8 <= 1 << 32 && a.address() % 8 == 0);
        let address = a.address();
        // SAFETY: not used any more.
        unsafe { free_slot(a) };
        let again: Vec<_> = (0..2 * CHUNK).map(|_| new_slot(Oop::NULL)).collect();
        assert!(again.iter().any(|s| s.address() == address));
        again.into_iter().for_each(|s| unsafe { free_slot(s) });
    }

    #[test]
    fn a_handle_gives_its_slot_back() {
        let h = Handle::new(Oop::from_address(0x1_0000_0010));
        assert_eq!(h.get(), Oop::from_address(0x1_0000_0010));
        let slot = h.0;
        drop(h);
        assert!(slot.get().is_null());
    }
}
