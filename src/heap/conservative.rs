//! Conservative stack scanning: every word that looks like a reference to (or into) a live
//! object pins that object.

use super::layout::{widen, Oop};
use super::mmtk_binding::mmtk;
use super::unloading;
use crate::code::frames;
use crate::interpreter::frame::{Frame, FrameKind};
use crate::interpreter::slot_types;
use crate::meta::class::InstanceKind;
use crate::threads::thread::ThreadState;
use crate::threads::JavaThread;
use crate::{log, log_enabled};
use mmtk::memory_manager;
use mmtk::util::{Address, ObjectReference};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::LazyLock;

static HEAP_START: AtomicUsize = AtomicUsize::new(0);
static HEAP_END: AtomicUsize = AtomicUsize::new(0);

/// Records where heap addresses lie.
pub(super) fn set_heap_range(start: usize, end: usize) {
    HEAP_START.store(start, Ordering::Relaxed);
    HEAP_END.store(end.min(super::HEAP_END), Ordering::Relaxed);
}

/// Lowest address of the heap, and its end.
pub fn heap_range() -> (usize, usize) {
    (HEAP_START.load(Ordering::Relaxed), HEAP_END.load(Ordering::Relaxed))
}

/// Locals of frames, by method and call, that hold no reference; `None` where that is not known.
type Dead = HashMap<(usize, usize), Option<Vec<bool>>>;

static DEAD: LazyLock<Mutex<Dead>> = LazyLock::new(Mutex::default);

/// Start of a pause.
pub(super) fn prepare() {
    if unloading::is_active() {
        // A method's address may be another one's after this. What is on a stack now is not freed in this pause.
        DEAD.lock().clear();
    }
    debug_assert!(HEAP_START.load(Ordering::Relaxed) != 0, "the heap range is set at start-up");
}

/// Whether code may have this address within the object `o` in hand. A number that looks like an address is found out
/// where it does not lie at an element: large arrays are hit most.
#[inline]
fn may_point_into(o: ObjectReference, word: usize) -> bool {
    let start = o.to_raw_address().as_usize();
    let class = Oop::from_address(start).class();
    match class.instance_kind {
        // The header's parts are 4 bytes.
        InstanceKind::ObjectArray | InstanceKind::PrimitiveArray => (word - start) % (1 << class.array_log2().min(2)) == 0,
        _ => true,
    }
}

/// Finds objects for words of a stack.
struct Scan {
    start: usize,
    extent: usize,
    found: Vec<ObjectReference>,
    /// `-Xlog:gc+marking=trace`: every word that keeps an object alive.
    trace: bool,
    /// Classes are being unloaded: their memory must not be freed while a word may be an address in it.
    unloads: bool,
    /// Which locals of interpreted callers may hold references is looked up. Collections of the young generation alone
    /// do without: what is kept by mistake is kept until the next full one anyway.
    exact: bool,
}

impl Scan {
    fn new() -> Scan {
        let start = HEAP_START.load(Ordering::Relaxed);
        let extent = HEAP_END.load(Ordering::Relaxed) - start;
        let nursery = mmtk().get_plan().generational().is_some_and(|g| g.is_current_gc_nursery());
        Scan { start, extent, found: Vec::new(), trace: log_enabled!(Trace, [gc, marking]), unloads: unloading::is_active(), exact: !nursery }
    }

    /// A wide word: a reference or an interior pointer.
    #[inline(always)]
    fn wide(&mut self, word: usize) {
        if word.wrapping_sub(self.start) < self.extent {
            // SAFETY: only an address. The search is bounded by the largest object: large ones
            // are found page by page.
            let a = unsafe { Address::from_usize(word & !7) };
            if let Some(o) = memory_manager::find_object_from_internal_pointer(a, usize::MAX >> 1) {
                if may_point_into(o, word) {
                    self.found.push(o);
                }
            }
        }
    }

    /// A narrow word: the Rust compiler may keep a reference in the form it has in the heap.
    #[inline(always)]
    fn narrow(&mut self, word: u32) {
        let address = widen(word);
        if address.wrapping_sub(self.start) < self.extent {
            // SAFETY: only an address.
            if let Some(o) = memory_manager::is_mmtk_object(unsafe { Address::from_usize(address) }) {
                self.found.push(o);
            }
        }
    }

    /// Logs the objects found since there were `before`, in the word at `p` of one of the stacks.
    #[inline(always)]
    fn log_since(&self, before: usize, stack: &str, p: usize) {
        if self.trace {
            for o in &self.found[before..] {
                let address = o.to_raw_address().as_usize();
                let class = Oop::from_address(address).class();
                // SAFETY: the caller has just read it.
                let word = unsafe { (p as *const usize).read_volatile() };
                log!(Trace, [gc, marking], "{p:#x} ({stack} stack) holds {word:#x}: {} at {address:#x}", class.name);
            }
        }
    }

    /// # Safety
    /// `low..high` must be readable, aligned to 8.
    unsafe fn native(&mut self, low: usize, high: usize) {
        let mut p = low;
        while p < high {
            let before = self.found.len();
            let word = (p as *const usize).read_volatile();
            self.wide(word);
            self.narrow(word as u32);
            self.narrow((word >> 32) as u32);
            if self.unloads {
                unloading::sight(word as u32 as usize);
                unloading::sight(word >> 32);
            }
            self.log_since(before, "native", p);
            p += 8;
        }
    }

    /// # Safety
    /// As for `native`.
    unsafe fn java(&mut self, low: usize, high: usize) {
        let mut p = low;
        while p < high {
            let before = self.found.len();
            self.wide((p as *const usize).read_volatile());
            self.log_since(before, "Java", p);
            p += 8;
        }
    }

    /// The frames of a Java stack: of each its locals, monitor records and operand stack. What
    /// lies between and above is stale and must not keep objects alive.
    ///
    /// # Safety
    /// `t` must stand.
    unsafe fn java_stack(&mut self, t: &JavaThread) {
        let mut top = t.stack_top.get() as usize;
        let mut next = t.top_frame.get() as *const Frame;
        let mut callee = None;
        while let Some(f) = next.as_ref() {
            if self.trace {
                log_frame(f);
            }
            let dead = match callee {
                // It stands at the call.
                Some(FrameKind::Java | FrameKind::Native) if self.exact && f.kind == FrameKind::Java => dead_locals(f),
                _ => None,
            };
            match dead {
                // Variables of a scope that the program has left, say in the last iteration of a loop.
                Some(dead) => {
                    let local = |i: usize| f.locals as usize + 8 * i;
                    for i in (0..dead.len()).filter(|i| !dead[*i]) {
                        self.java(local(i), local(i + 1));
                    }
                    self.java(local(dead.len()), f as *const Frame as usize);
                }
                None => self.java(f.locals as usize, f as *const Frame as usize),
            }
            callee = Some(f.kind);
            if f.kind == FrameKind::Java {
                self.java(f.stack_base() as usize, f.sp as usize);
            } else {
                // Arguments on their way into a frame that is not pushed yet may follow.
                self.java(f.stack_base() as usize, top);
            }
            top = f as *const Frame as usize;
            next = f.prev;
        }
    }
}

/// Which locals of an interpreted frame that has called hold no reference.
fn dead_locals(f: &Frame) -> Option<Vec<bool>> {
    let (m, bci) = (f.method()?, f.bci());
    if !slot_types::is_call(m, bci) {
        return None;
    }
    let key = (m as *const _ as usize, bci);
    if let Some(known) = DEAD.lock().get(&key) {
        return known.clone();
    }
    let dead = slot_types::without_references(m, bci);
    DEAD.lock().insert(key, dead.clone());
    dead
}

/// Says where a frame is: what holds an object is found between two of them.
#[cold]
fn log_frame(f: &Frame) {
    let machine_sp = match f.kind {
        FrameKind::Compiled => f.sp as usize,
        FrameKind::Entry => f.pc as usize,
        FrameKind::Java | FrameKind::Native => 0,
    };
    let method = f.method().map_or("border".to_string(), |m| m.name_and_signature().to_string());
    log!(Trace, [gc, marking], "{f:p}: {:?} frame, {method}, machine stack {machine_sp:#x}", f.kind);
}

/// The objects that the stacks of the standing thread `t` may refer to.
pub(super) fn scan_thread(t: &JavaThread) -> Vec<ObjectReference> {
    let mut scan = Scan::new();
    let state = t.state();
    let sp = t.saved_sp.load(Ordering::SeqCst);
    if sp == 0 {
        // Not started yet, or attached and never been in the VM: no reference on its stack. Or,
        // on its first way in, between having said InVm and having stood still for this pause
        // (`state::enter`): it has touched no object yet, and will not before the pause ends.
        assert!(
            state != ThreadState::InJava,
            "thread {} stands in state {state:?} without a saved stack pointer",
            t.id
        );
        return scan.found;
    }
    let base = t.native_stack_base.get();
    assert!(sp < base, "saved stack pointer {sp:#x} is not below the stack's base {base:#x}");
    // SAFETY: the thread's own stack between its stack pointer and its base, and the used part
    // of its Java stack.
    unsafe {
        let mut from = sp & !7;
        for (low, high) in frames::interpreter_stretches(t) {
            if scan.trace {
                log!(Trace, [gc, marking], "{low:#x} to {high:#x} is the interpreter's: not scanned");
            }
            if low > from {
                scan.native(from, low);
            }
            from = from.max(high);
        }
        scan.native(from, base & !7);
        scan.java_stack(t);
    }
    scan.found
}
