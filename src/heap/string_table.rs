//! The intern table: Strings by content, held weakly. Hash and comparison work on UTF-16 code
//! units, so that a Latin-1 String and text in another form meet.

use super::layout::{narrow, widen, Oop};
use super::strings;
use parking_lot::Mutex;

/// One String: its Java hash and its narrow address.
#[derive(Clone, Copy)]
struct Entry {
    hash: u32,
    string: u32,
}

struct Table {
    /// A power of two of chains.
    buckets: Vec<Vec<Entry>>,
    count: usize,
}

/// Never held across a safepoint: the collector sweeps the table.
static TABLE: Mutex<Table> = Mutex::new(Table { buckets: Vec::new(), count: 0 });

const FIRST_BUCKETS: usize = 8192;

impl Table {
    fn bucket(&mut self, hash: u32) -> &mut Vec<Entry> {
        if self.buckets.is_empty() {
            self.buckets.resize_with(FIRST_BUCKETS, Vec::new);
        } else if self.count > self.buckets.len() * 2 {
            self.grow();
        }
        let i = (hash ^ hash >> 16) as usize & (self.buckets.len() - 1);
        &mut self.buckets[i]
    }

    fn grow(&mut self) {
        let n = self.buckets.len() * 4;
        let old = std::mem::take(&mut self.buckets);
        self.buckets.resize_with(n, Vec::new);
        for e in old.into_iter().flatten() {
            self.buckets[(e.hash ^ e.hash >> 16) as usize & (n - 1)].push(e);
        }
    }
}

/// The interned String with the content that `same` recognizes.
pub(super) fn find(hash: u32, same: impl Fn(Oop) -> bool) -> Option<Oop> {
    let mut t = TABLE.lock();
    t.bucket(hash)
        .iter()
        .filter(|e| e.hash == hash)
        .map(|e| Oop::from_address(widen(e.string)))
        .find(|s| same(*s))
}

/// The interned String equal to `string`, which becomes it if there is none.
pub(super) fn find_or_add(hash: u32, string: Oop) -> Oop {
    let mut t = TABLE.lock();
    let bucket = t.bucket(hash);
    let found = bucket
        .iter()
        .filter(|e| e.hash == hash)
        .map(|e| Oop::from_address(widen(e.string)))
        .find(|s| strings::equal(*s, string));
    if let Some(s) = found {
        return s;
    }
    bucket.push(Entry { hash, string: narrow(string.address()) });
    t.count += 1;
    string
}

/// Strings in the table.
pub fn len() -> usize {
    TABLE.lock().count
}

/// Drops dead Strings and follows moved ones; during a pause.
pub(super) fn sweep(survivor: &dyn Fn(usize) -> Option<usize>) {
    let mut t = TABLE.lock();
    let mut live = 0;
    for bucket in &mut t.buckets {
        bucket.retain_mut(|e| match survivor(widen(e.string)) {
            Some(a) => {
                e.string = narrow(a);
                true
            }
            None => false,
        });
        live += bucket.len();
    }
    t.count = live;
}
