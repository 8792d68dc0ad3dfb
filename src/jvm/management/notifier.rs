//! The Notification Thread: it calls the Java code that is told of low memory and of collections. It is started when
//! there is somebody to tell.

use super::{collections, sensors};
use crate::exceptions::VmResult;
use crate::heap::log::Record;
use crate::threads::{lifecycle, stale, state, JavaThread};
use parking_lot::{Condvar, Mutex};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};

struct Work {
    /// A sensor is to be told something.
    sensors: bool,
    /// Listeners are to be told of these.
    collections: VecDeque<Record>,
}

static WORK: Mutex<Work> = Mutex::new(Work { sensors: false, collections: VecDeque::new() });
static CHANGED: Condvar = Condvar::new();

/// Starts the thread, once. Throws OutOfMemoryError.
pub(super) fn start(t: &JavaThread) -> VmResult<()> {
    static STARTED: AtomicBool = AtomicBool::new(false);
    if STARTED.swap(true, Ordering::SeqCst) {
        return Ok(());
    }
    let started = lifecycle::start_hidden_service(t, "Notification Thread", 9, serve);
    if started.is_err() {
        STARTED.store(false, Ordering::SeqCst);
    }
    started
}

/// A sensor is to be told something.
pub(super) fn wake() {
    WORK.lock().sensors = true;
    CHANGED.notify_one();
}

/// Listeners are to be told of a collection.
pub(super) fn tell_of(record: &Record) {
    WORK.lock().collections.push_back(*record);
    CHANGED.notify_one();
}

/// The thread's life.
fn serve(t: &JavaThread) {
    loop {
        let wait = || {
            let mut work = WORK.lock();
            while !work.sensors && work.collections.is_empty() {
                CHANGED.wait(&mut work);
            }
            work.sensors = false;
            work.collections.pop_front()
        };
        let collection = stale::without_references(t, || state::blocked(t, wait));
        while sensors::are_due() {
            sensors::tell_all(t);
        }
        if let Some(record) = collection {
            if collections::notify(t, &record).is_err() {
                t.take_exception();
            }
        }
    }
}
