//! The compile queue: what waits to be compiled, and which of it is worth most.
//!
//! One queue a pipeline. Tasks are taken by event rate (calls and back-edges per millisecond while waiting);
//! one whose method has gone cold while it waited is dropped (HotSpot's stale tasks).

use crate::meta::method::MethodRef;
use parking_lot::{Condvar, Mutex};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Something to compile.
#[derive(Debug)]
pub struct Task {
    /// Number that `-XX:+PrintCompilation` shows.
    pub id: u32,
    pub method: MethodRef,
    /// Loop header to enter at, for an on-stack replacement.
    pub osr_bci: Option<u16>,
    /// 1 to 4.
    pub tier: u8,
    /// The thread that asked waits.
    pub blocking: bool,
    /// It is to be compiled whatever code there is by then.
    pub forced: bool,
    queued_at: Instant,
    events_when_queued: u64,
    done: (Mutex<bool>, Condvar),
    dropped: AtomicBool,
}

impl Task {
    /// Ends the waiting of whoever asked for it.
    pub fn finish(&self) {
        *self.done.0.lock() = true;
        self.done.1.notify_all();
    }

    /// Waits for [`Task::finish`].
    pub fn wait(&self) {
        let mut done = self.done.0.lock();
        while !*done {
            self.done.1.wait(&mut done);
        }
    }

    /// Taken off the queue without having been compiled.
    pub fn was_dropped(&self) -> bool {
        self.dropped.load(Ordering::Acquire)
    }

    fn matches(&self, method: MethodRef, osr_bci: Option<u16>) -> bool {
        std::ptr::eq(self.method, method) && self.osr_bci == osr_bci
    }
}

/// What is asked of a queue.
#[derive(Clone, Copy, Debug)]
pub struct Request {
    pub method: MethodRef,
    pub osr_bci: Option<u16>,
    pub tier: u8,
    pub blocking: bool,
    pub forced: bool,
}

/// Calls and back-edges of a method so far, in all tiers.
pub type Events = fn(MethodRef) -> u64;

#[derive(Default)]
struct Inner {
    waiting: Vec<Arc<Task>>,
    /// Being compiled.
    running: Vec<Arc<Task>>,
    closed: bool,
}

/// See the module comment.
pub struct CompileQueue {
    inner: Mutex<Inner>,
    added: Condvar,
    events: Events,
    /// A task older than this may be dropped.
    timeout: Duration,
}

impl CompileQueue {
    /// `timeout`: `-XX:TieredCompileTaskTimeout`.
    pub fn new(events: Events, timeout: Duration) -> CompileQueue {
        CompileQueue { inner: Mutex::default(), added: Condvar::new(), events, timeout }
    }

    /// Queues a task unless the same method and entry wait or are being compiled already, or it is not `wanted`;
    /// `id` is asked for only then. The task, new or found. `wanted` is asked under the queue's lock: if a
    /// compile has just ended, its code is there.
    pub fn add(
        &self,
        r: Request,
        wanted: impl FnOnce() -> bool,
        id: impl FnOnce() -> u32,
    ) -> Option<Arc<Task>> {
        let Request { method, osr_bci, tier, blocking, forced } = r;
        let mut q = self.inner.lock();
        if q.closed {
            return None;
        }
        if let Some(t) = q.waiting.iter().chain(&q.running).find(|t| t.matches(method, osr_bci)) {
            return Some(t.clone());
        }
        if !wanted() {
            return None;
        }
        let task = Arc::new(Task {
            id: id(),
            method,
            osr_bci,
            tier,
            blocking,
            forced,
            queued_at: Instant::now(),
            events_when_queued: (self.events)(method),
            done: Default::default(),
            dropped: AtomicBool::new(false),
        });
        q.waiting.push(task.clone());
        self.added.notify_one();
        Some(task)
    }

    /// A compile of `method`, from wherever, waits or is being made.
    pub fn has(&self, method: MethodRef) -> bool {
        let q = self.inner.lock();
        q.waiting.iter().chain(&q.running).any(|t| std::ptr::eq(t.method, method))
    }

    /// Calls `f` with every task that waits.
    pub fn for_each_waiting(&self, f: impl FnMut(&Arc<Task>)) {
        self.inner.lock().waiting.iter().for_each(f)
    }

    /// Tasks waiting.
    pub fn len(&self) -> usize {
        self.inner.lock().waiting.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Takes the best task, waiting for one; `None` when the queue has been closed. [`CompileQueue::done`]
    /// must follow.
    pub fn take(&self) -> Option<Arc<Task>> {
        let mut q = self.inner.lock();
        loop {
            if q.closed {
                return None;
            }
            self.drop_stale(&mut q);
            if let Some(i) = self.best(&q.waiting) {
                let t = q.waiting.remove(i);
                q.running.push(t.clone());
                return Some(t);
            }
            self.added.wait(&mut q);
        }
    }

    /// Drops the tasks for methods that are `dead`, those included that have been taken and not begun.
    pub fn drop_all(&self, dead: &dyn Fn(MethodRef) -> bool) {
        let mut q = self.inner.lock();
        let q = &mut *q;
        for list in [&mut q.waiting, &mut q.running] {
            list.retain(|t| {
                let gone = dead(t.method);
                if gone {
                    t.dropped.store(true, Ordering::Release);
                    t.finish();
                }
                !gone
            });
        }
    }

    /// The task has been dealt with.
    pub fn done(&self, task: &Arc<Task>) {
        self.inner.lock().running.retain(|t| !Arc::ptr_eq(t, task));
        task.finish();
    }

    /// Refuses further tasks, lets go of all that wait, and sends the threads home.
    pub fn close(&self) {
        let mut q = self.inner.lock();
        q.closed = true;
        for t in q.waiting.drain(..) {
            t.dropped.store(true, Ordering::Release);
            t.finish();
        }
        self.added.notify_all();
    }

    fn rate(&self, t: &Task) -> f64 {
        let events = (self.events)(t.method).saturating_sub(t.events_when_queued);
        events as f64 / (t.queued_at.elapsed().as_secs_f64() * 1000.0 + 1.0)
    }

    fn best(&self, waiting: &[Arc<Task>]) -> Option<usize> {
        if let Some(i) = waiting.iter().position(|t| t.blocking) {
            return Some(i);
        }
        // Of equals the oldest.
        let mut best: Option<(usize, f64)> = None;
        for (i, t) in waiting.iter().enumerate() {
            let r = self.rate(t);
            if best.is_none_or(|(_, b)| r > b) {
                best = Some((i, r));
            }
        }
        best.map(|(i, _)| i)
    }

    fn drop_stale(&self, q: &mut Inner) {
        if q.waiting.len() < 2 {
            return;
        }
        q.waiting.retain(|t| {
            let stale = !t.blocking && t.queued_at.elapsed() > self.timeout && self.rate(t) == 0.0;
            if stale {
                t.dropped.store(true, Ordering::Release);
                t.finish();
            }
            !stale
        });
    }
}
