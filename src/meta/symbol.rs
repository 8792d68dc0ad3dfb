//! Interned names and descriptors (modified UTF-8), compared by address.

use parking_lot::RwLock;
use std::collections::HashSet;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::OnceLock;

/// An interned byte string in modified UTF-8 (JVMS 4.4.7). Never freed.
#[derive(Clone, Copy)]
pub struct Symbol(&'static SymbolData);

struct SymbolData {
    bytes: Box<[u8]>,
    hash: u32,
    serial: u32,
}

const SHARDS: usize = 16;

static NEXT_SERIAL: AtomicU32 = AtomicU32::new(0);

#[derive(Default)]
struct Shard {
    set: HashSet<Entry, std::hash::BuildHasherDefault<PassHash>>,
}

struct Entry(&'static SymbolData);

impl PartialEq for Entry {
    fn eq(&self, other: &Entry) -> bool {
        self.0.bytes == other.0.bytes
    }
}
impl Eq for Entry {}
impl Hash for Entry {
    fn hash<H: Hasher>(&self, h: &mut H) {
        self.0.bytes.hash(h)
    }
}
impl std::borrow::Borrow<[u8]> for Entry {
    fn borrow(&self) -> &[u8] {
        &self.0.bytes
    }
}

/// FNV-1a: symbols are short, and start-up interns tens of thousands of them.
#[derive(Default)]
struct PassHash(u64);
impl Hasher for PassHash {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        let mut h = self.0 ^ 0xcbf2_9ce4_8422_2325;
        for &b in bytes {
            h = (h ^ u64::from(b)).wrapping_mul(0x100_0000_01b3);
        }
        self.0 = h;
    }
}

fn hash_of(bytes: &[u8]) -> u32 {
    let mut h = PassHash::default();
    h.write(bytes);
    let x = h.finish();
    (x ^ (x >> 32)) as u32
}

fn shards() -> &'static [RwLock<Shard>; SHARDS] {
    static TABLE: OnceLock<[RwLock<Shard>; SHARDS]> = OnceLock::new();
    TABLE.get_or_init(|| std::array::from_fn(|_| RwLock::new(Shard::default())))
}

impl Symbol {
    /// The symbol with these bytes, made if it is not there yet.
    pub fn intern(bytes: &[u8]) -> Symbol {
        let hash = hash_of(bytes);
        let shard = &shards()[hash as usize % SHARDS];
        if let Some(found) = shard.read().set.get(bytes) {
            return Symbol(found.0);
        }
        let mut shard = shard.write();
        if let Some(found) = shard.set.get(bytes) {
            return Symbol(found.0);
        }
        let serial = NEXT_SERIAL.fetch_add(1, Ordering::Relaxed);
        let data: &'static SymbolData = Box::leak(Box::new(SymbolData { bytes: bytes.into(), hash, serial }));
        shard.set.insert(Entry(data));
        Symbol(data)
    }

    /// The symbol with these bytes if anyone has interned them.
    pub fn lookup(bytes: &[u8]) -> Option<Symbol> {
        let hash = hash_of(bytes);
        shards()[hash as usize % SHARDS].read().set.get(bytes).map(|e| Symbol(e.0))
    }

    /// Shorthand for [`Symbol::intern`] on text.
    pub fn of(text: &str) -> Symbol {
        Symbol::intern(text.as_bytes())
    }

    /// The bytes, modified UTF-8.
    pub fn as_bytes(self) -> &'static [u8] {
        &self.0.bytes
    }

    /// The text for messages; what is not valid UTF-8 is replaced.
    pub fn to_text(self) -> std::borrow::Cow<'static, str> {
        String::from_utf8_lossy(&self.0.bytes)
    }

    /// A class name with dots for slashes, as messages show it.
    pub fn dotted(self) -> String {
        self.to_text().replace('/', ".")
    }

    /// [`Symbol::dotted`] without going through UTF-8.
    pub fn dotted_bytes(self) -> Vec<u8> {
        self.0.bytes.iter().map(|&b| if b == b'/' { b'.' } else { b }).collect()
    }

    /// A hash that is stable within a run.
    pub fn hash_code(self) -> u32 {
        self.0.hash
    }

    /// Position in the order in which symbols were made.
    pub fn serial(self) -> u32 {
        self.0.serial
    }

    /// Address of the symbol, a stable identity for tables in machine code.
    pub fn address(self) -> usize {
        self.0 as *const SymbolData as usize
    }
}

impl PartialEq for Symbol {
    #[inline(always)]
    fn eq(&self, other: &Symbol) -> bool {
        std::ptr::eq(self.0, other.0)
    }
}
impl Eq for Symbol {}
impl PartialEq<&str> for Symbol {
    fn eq(&self, other: &&str) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}
impl Hash for Symbol {
    fn hash<H: Hasher>(&self, h: &mut H) {
        h.write_usize(self.address())
    }
}
impl fmt::Display for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_text())
    }
}
impl fmt::Debug for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.to_text())
    }
}

/// An interned constant name, looked up once per place: `sym!("java/lang/Object")`.
#[macro_export]
macro_rules! sym {
    ($text:expr) => {{
        static SYMBOL: std::sync::OnceLock<$crate::meta::symbol::Symbol> = std::sync::OnceLock::new();
        *SYMBOL.get_or_init(|| $crate::meta::symbol::Symbol::of($text))
    }};
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_bytes_same_symbol() {
        assert_eq!(Symbol::of("a/b"), Symbol::intern(b"a/b"));
        assert_ne!(Symbol::of("a/b"), Symbol::of("a/c"));
        assert_eq!(Symbol::of("a/b").dotted(), "a.b");
        assert!(Symbol::lookup(b"never interned by anyone").is_none());
    }
}
