//! Collections for the sake of class metadata, since they unload classes: when more of it is in use than a threshold
//! that follows what the last one left, -XX:MetaspaceSize at first, and when -XX:MaxMetaspaceSize is near.

use super::{collect, refs, Cause};
use crate::meta::metaspace;
use crate::threads::JavaThread;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What the options say of class metadata.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// -XX:MetaspaceSize: bytes in use at which the first such collection runs.
    pub first: usize,
    /// -XX:MaxMetaspaceSize, in bytes.
    pub max: usize,
    /// -XX:MinMetaspaceFreeRatio and -XX:MaxMetaspaceFreeRatio: how much of what is allowed until the next collection
    /// shall be free after one, in percent.
    pub min_free: usize,
    pub max_free: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { first: 21 << 20, max: usize::MAX, min_free: 40, max_free: 70 }
    }
}

static FIRST: AtomicUsize = AtomicUsize::new(usize::MAX);
static MIN_FREE: AtomicUsize = AtomicUsize::new(0);
static MAX_FREE: AtomicUsize = AtomicUsize::new(0);
/// Bytes in use at which the next collection runs.
static THRESHOLD: AtomicUsize = AtomicUsize::new(usize::MAX);

/// What a class takes at most, by the bytes of its class file, and the chunks that its arena may begin.
const PER_BYTE: usize = 4;
const SLACK: usize = 64 << 10;

pub(super) fn configure(limits: Limits, unloading: bool) {
    metaspace::set_limit(limits.max);
    if unloading {
        FIRST.store(limits.first, Ordering::Relaxed);
        THRESHOLD.store(limits.first, Ordering::Relaxed);
        MIN_FREE.store(limits.min_free, Ordering::Relaxed);
        MAX_FREE.store(limits.max_free, Ordering::Relaxed);
    }
}

/// A class of a file of so many bytes is about to be built: collects if that is due. Where metadata is short, all soft
/// references are given up before `OutOfMemoryError: Metaspace` is thrown.
pub fn before_class(t: &JavaThread, file_bytes: usize) {
    let threshold = THRESHOLD.load(Ordering::Relaxed);
    if threshold == usize::MAX {
        return;
    }
    let short = || metaspace::left_bytes() < file_bytes * PER_BYTE + SLACK;
    if metaspace::used_bytes() < threshold && !short() {
        return;
    }
    collect(t, Cause::MetadataThreshold);
    if short() {
        refs::give_up_soft();
        collect(t, Cause::LastDitch);
    }
    let next = next_threshold(
        metaspace::used_bytes(),
        threshold,
        MIN_FREE.load(Ordering::Relaxed),
        MAX_FREE.load(Ordering::Relaxed),
    );
    THRESHOLD.store(next.max(FIRST.load(Ordering::Relaxed)), Ordering::Relaxed);
}

/// The threshold after a collection that left `used` bytes: as before if the share of it that is free lies between
/// `min_free` and `max_free` percent, else the nearest that does.
fn next_threshold(used: usize, before: usize, min_free: usize, max_free: usize) -> usize {
    let with_free = |percent: usize| used * 100 / (100 - percent.min(99));
    before.clamp(with_free(min_free), with_free(max_free.max(min_free)))
}

#[cfg(test)]
mod tests {
    use super::next_threshold;

    #[test]
    fn the_threshold_follows_what_is_in_use() {
        assert_eq!(next_threshold(60, 110, 40, 70), 110, "a share between the two is left alone");
        assert_eq!(next_threshold(90, 110, 40, 70), 150, "too little is free");
        assert_eq!(next_threshold(3, 110, 40, 70), 10, "too much is free");
        assert_eq!(next_threshold(100, 50, 0, 0), 100);
    }
}
