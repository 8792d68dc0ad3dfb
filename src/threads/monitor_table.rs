//! Inflated monitors, by index. Entries never move; those of dead objects and idle ones are freed in a pause.

use super::park::Event;
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, AtomicU8, Ordering};

/// Owner of a monitor whose object was fast-locked by another thread when it was inflated: that
/// thread finds out by its lock stack.
pub(super) const ANONYMOUS: u64 = u64::MAX;

/// What a queued thread waits for.
pub(super) const ENTERING: u8 = 0;
/// ... `Object.wait`, not notified.
pub(super) const WAITING: u8 = 1;

/// A thread in a queue; lies on its own stack and takes itself out.
pub(super) struct Waiter {
    pub event: *const Event,
    pub phase: AtomicU8,
}

/// A queued [`Waiter`].
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Queued(pub *const Waiter);

// SAFETY: a Waiter is in a queue only while its thread is in `contend` or `wait`, and is touched
// under the queue's lock.
unsafe impl Send for Queued {}

/// The threads at a monitor, in HotSpot's order: new contenders are stacked, and the stack
/// becomes the entry list when that has run dry; notified threads join the entry list if it is
/// empty, else the stack.
#[derive(Default)]
pub(super) struct Queues {
    pub entry: VecDeque<Queued>,
    pub stack: Vec<Queued>,
    pub waiting: VecDeque<Queued>,
}

/// An inflated monitor.
#[derive(Default)]
pub(super) struct Monitor {
    /// The object, weakly; 0 while the entry is free.
    pub object: AtomicU64,
    /// Thread id of the owner, 0 if none, or [`ANONYMOUS`].
    pub owner: AtomicU64,
    /// Entries beyond the first; the owner's.
    pub recursions: AtomicU32,
    /// Identity hash, 0 if none yet.
    pub hash: AtomicU32,
    /// Threads in `entry` and `stack`, and those about to queue themselves that may stop before: lets `exit` skip the
    /// lock, and keeps the monitor from being taken back.
    pub contenders: AtomicU32,
    pub queues: Mutex<Queues>,
}

impl Monitor {
    /// Whether no thread owns it, nor can come to need it but through its object. During a pause; else it may change.
    pub fn is_idle(&self) -> bool {
        self.owner.load(Ordering::SeqCst) == 0
            && self.contenders.load(Ordering::SeqCst) == 0
            && self.queues.lock().waiting.is_empty()
    }
}

const CHUNK: usize = 1024;
const CHUNKS: usize = 1 << 16;

static TABLE: [AtomicPtr<[Monitor; CHUNK]>; CHUNKS] = [const { AtomicPtr::new(std::ptr::null_mut()) }; CHUNKS];

struct Free {
    indices: Vec<u32>,
    chunks: usize,
    /// The most entries that were in use at once.
    most: usize,
}

impl Free {
    fn in_use(&self) -> usize {
        self.chunks * CHUNK - self.indices.len()
    }
}

static FREE: Mutex<Free> = Mutex::new(Free { indices: Vec::new(), chunks: 0, most: 0 });

/// The monitor with this index.
pub(super) fn get(index: u32) -> &'static Monitor {
    let chunk = TABLE[index as usize / CHUNK].load(Ordering::Acquire);
    debug_assert!(!chunk.is_null());
    // SAFETY: indices are handed out by `allocate` only, and chunks are never freed.
    unsafe { &(*chunk)[index as usize % CHUNK] }
}

/// A free entry, reset, for `object`.
pub(super) fn allocate(object: usize, owner: u64, hash: u32) -> u32 {
    let index = {
        let mut free = FREE.lock();
        if free.indices.is_empty() {
            let c = free.chunks;
            assert!(c < CHUNKS, "more than {} inflated monitors", CHUNKS * CHUNK);
            let monitors: Vec<Monitor> = (0..CHUNK).map(|_| Monitor::default()).collect();
            let chunk: Box<[Monitor; CHUNK]> =
                monitors.into_boxed_slice().try_into().unwrap_or_else(|_| unreachable!("exactly CHUNK monitors"));
            TABLE[c].store(Box::into_raw(chunk), Ordering::Release);
            free.chunks += 1;
            free.indices.extend((0..CHUNK).rev().map(|i| (c * CHUNK + i) as u32));
        }
        let index = free.indices.pop().expect("just filled");
        free.most = free.most.max(free.in_use());
        index
    };
    let m = get(index);
    m.owner.store(owner, Ordering::Relaxed);
    m.recursions.store(0, Ordering::Relaxed);
    m.hash.store(hash, Ordering::Relaxed);
    m.object.store(object as u64, Ordering::Release);
    index
}

/// Gives an entry back that nobody uses.
pub(super) fn free(index: u32) {
    get(index).object.store(0, Ordering::Relaxed);
    FREE.lock().indices.push(index)
}

/// Entries in use, and the most that were at once.
pub(super) fn usage() -> (usize, usize) {
    let f = FREE.lock();
    (f.in_use(), f.most)
}

/// Calls `f` for every entry in use; during a pause, or without being sure of any.
pub(super) fn for_each(mut f: impl FnMut(u32, &Monitor)) {
    let chunks = FREE.lock().chunks;
    for c in 0..chunks {
        for i in 0..CHUNK {
            let index = (c * CHUNK + i) as u32;
            let m = get(index);
            if m.object.load(Ordering::Relaxed) != 0 {
                f(index, m);
            }
        }
    }
}
