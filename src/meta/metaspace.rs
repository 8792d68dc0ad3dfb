//! Memory for class metadata, all of it below 4 GiB: a class word in an object header, a
//! method in a quickened instruction and a root slot in a call site are then 32-bit addresses.
//! Each class loader owns an arena, given back whole when the loader is unloaded; what may be given
//! back can be told by its address ([`owner`]).

use parking_lot::Mutex;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::OnceLock;

/// Candidate base addresses, lowest first; the region must end below 4 GiB.
const BASES: [usize; 6] = [0x2000_0000, 0x1000_0000, 0x4000_0000, 0x6000_0000, 0x8000_0000, 0xa000_0000];
/// Bytes reserved, HotSpot's CompressedClassSpaceSize default. Pages are touched on use only.
const REGION_BYTES: usize = 1 << 30;
/// Arenas take memory in chunks of a multiple of this: small, since most loaders have one class, a hidden one.
const GRANULE_BYTES: usize = 1 << 10;
/// Chunks grow with their arena up to this.
const CHUNK_BYTES: usize = 64 << 10;
/// Free memory of at least this size goes back to the operating system.
const RETURN_BYTES: usize = 64 << 10;

struct Region {
    base: usize,
    end: usize,
    state: Mutex<RegionState>,
    /// By granule: the tag of the arena that has it, 0 for none.
    owners: &'static [AtomicUsize],
}

struct RegionState {
    cursor: usize,
    free: FreeMemory,
    used: usize,
}

/// Chunks given back, neighbours joined; by address, and by size for the best fit.
#[derive(Default)]
struct FreeMemory {
    by_address: BTreeMap<usize, usize>,
    by_size: BTreeSet<(usize, usize)>,
}

impl FreeMemory {
    fn insert(&mut self, address: usize, bytes: usize) {
        self.by_address.insert(address, bytes);
        self.by_size.insert((bytes, address));
    }

    fn remove(&mut self, address: usize, bytes: usize) {
        self.by_address.remove(&address);
        self.by_size.remove(&(bytes, address));
    }

    /// Takes `bytes` out of the smallest piece that has them.
    fn take(&mut self, bytes: usize) -> Option<usize> {
        let &(found, address) = self.by_size.range((bytes, 0)..).next()?;
        self.remove(address, found);
        if found > bytes {
            self.insert(address + bytes, found - bytes);
        }
        Some(address)
    }

    /// Gives a piece back; what it is part of now.
    fn give_back(&mut self, address: usize, bytes: usize) -> (usize, usize) {
        let (mut address, mut bytes) = (address, bytes);
        if let Some((&before, &n)) = self.by_address.range(..address).next_back() {
            if before + n == address {
                self.remove(before, n);
                (address, bytes) = (before, n + bytes);
            }
        }
        if let Some(&n) = self.by_address.get(&(address + bytes)) {
            self.remove(address + bytes, n);
            bytes += n;
        }
        self.insert(address, bytes);
        (address, bytes)
    }
}

static REGION: OnceLock<Region> = OnceLock::new();

fn region() -> &'static Region {
    REGION.get_or_init(|| {
        let fail = |what: &str, bytes: usize| -> ! {
            eprintln!("Error: could not reserve {bytes} bytes {what}");
            std::process::exit(1)
        };
        let base =
            BASES.into_iter().find(|&b| map(b, REGION_BYTES) == Some(b)).unwrap_or_else(|| fail("below 4 GiB for class metadata", REGION_BYTES));
        let granules = REGION_BYTES / GRANULE_BYTES;
        let bytes = granules * std::mem::size_of::<AtomicUsize>();
        let owners = map(0, bytes).unwrap_or_else(|| fail("for the owners of class metadata", bytes));
        Region {
            base,
            end: base + REGION_BYTES,
            state: Mutex::new(RegionState { cursor: base, free: FreeMemory::default(), used: 0 }),
            // SAFETY: fresh zeroed memory of that size, never unmapped; zero is a valid atomic.
            owners: unsafe { std::slice::from_raw_parts(owners as *const AtomicUsize, granules) },
        }
    })
}

/// Maps zeroed memory, at `at` if that is not 0: then nowhere else.
fn map(at: usize, bytes: usize) -> Option<usize> {
    let fixed = if at == 0 { 0 } else { libc::MAP_FIXED_NOREPLACE };
    // SAFETY: MAP_FIXED_NOREPLACE never replaces a mapping; older kernels treat the address as a hint, hence the
    // comparison below.
    let p = unsafe {
        libc::mmap(
            at as *mut _,
            bytes,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE | fixed,
            -1,
            0,
        )
    };
    if p == libc::MAP_FAILED {
        return None;
    }
    if at != 0 && p as usize != at {
        // SAFETY: just mapped by us at an unwanted place.
        unsafe { libc::munmap(p, bytes) };
        return None;
    }
    Some(p as usize)
}

/// Whether `address` lies in the metadata region.
pub fn contains(address: usize) -> bool {
    REGION.get().is_some_and(|r| address >= r.base && address < r.end)
}

/// Bytes of address space kept for metadata.
pub fn reserved_bytes() -> usize {
    REGION_BYTES
}

/// Bytes that arenas may hold in all.
static LIMIT: AtomicUsize = AtomicUsize::new(REGION_BYTES);

/// Arenas shall not hold more than `bytes` in all (-XX:MaxMetaspaceSize).
pub fn set_limit(bytes: usize) {
    LIMIT.store(bytes.min(REGION_BYTES), Ordering::Relaxed)
}

/// Bytes that arenas may still take: at most, since pieces given back may be too small.
pub fn left_bytes() -> usize {
    LIMIT.load(Ordering::Relaxed).saturating_sub(used_bytes())
}

/// Bytes that arenas hold at present.
pub fn used_bytes() -> usize {
    REGION.get().map_or(0, |r| r.state.lock().used)
}

/// The tag ([`Arena::set_tag`]) of the arena that has this address; 0 if none has, or one without a tag.
#[inline]
pub fn owner(address: usize) -> usize {
    let Some(r) = REGION.get() else { return 0 };
    match r.owners.get(address.wrapping_sub(r.base) / GRANULE_BYTES) {
        Some(o) => o.load(Ordering::Acquire),
        None => 0,
    }
}

fn set_owner(address: usize, bytes: usize, tag: usize) {
    let r = region();
    let first = (address - r.base) / GRANULE_BYTES;
    r.owners[first..first + bytes / GRANULE_BYTES].iter().for_each(|o| o.store(tag, Ordering::Release));
}

/// `bytes` of the region, a multiple of the granule, zeroed.
fn take_chunk(bytes: usize) -> Option<usize> {
    let r = region();
    let mut s = r.state.lock();
    if s.used + bytes > LIMIT.load(Ordering::Relaxed) {
        return None;
    }
    let found = s.free.take(bytes);
    if let Some(address) = found {
        s.used += bytes;
        drop(s);
        // SAFETY: the chunk is ours and nobody else's.
        unsafe { std::ptr::write_bytes(address as *mut u8, 0, bytes) };
        return Some(address);
    }
    if s.cursor + bytes > r.end {
        return None;
    }
    let address = s.cursor;
    s.cursor += bytes;
    s.used += bytes;
    Some(address)
}

fn give_back_chunk(s: &mut RegionState, address: usize, bytes: usize) {
    s.used -= bytes;
    let (at, free) = s.free.give_back(address, bytes);
    if free >= RETURN_BYTES {
        // Of a large piece what is new, and what is left of the pages at its ends.
        const PAGE: usize = 4096;
        let low = at.max(address.saturating_sub(RETURN_BYTES)).next_multiple_of(PAGE);
        let high = (at + free).min(address + bytes + RETURN_BYTES) & !(PAGE - 1);
        if low < high {
            // SAFETY: free memory of the region; what is there next is written first.
            unsafe { libc::madvise(low as *mut _, high - low, libc::MADV_DONTNEED) };
        }
    }
}

/// The metadata memory of one class loader.
#[derive(Default)]
pub struct Arena {
    state: Mutex<ArenaState>,
    tag: AtomicUsize,
}

#[derive(Default)]
struct ArenaState {
    cursor: usize,
    limit: usize,
    chunks: Vec<(usize, usize)>,
    /// Bytes of the chunks.
    total: usize,
}

/// The region is full: the caller throws `OutOfMemoryError: Metaspace`.
#[derive(Debug)]
pub struct MetaspaceExhausted;

impl Arena {
    /// What [`owner`] says of the arena's memory. Before anything is allocated.
    pub fn set_tag(&self, tag: usize) {
        self.tag.store(tag, Ordering::Relaxed)
    }

    /// Zeroed memory, 8-byte aligned, valid until the arena is dropped.
    pub fn alloc(&self, bytes: usize) -> Result<usize, MetaspaceExhausted> {
        let bytes = (bytes + 7) & !7;
        let mut s = self.state.lock();
        if s.cursor + bytes > s.limit {
            let wanted = bytes.max((s.total / 2).min(CHUNK_BYTES));
            let chunk = wanted.next_multiple_of(GRANULE_BYTES).max(GRANULE_BYTES);
            let address = take_chunk(chunk).ok_or(MetaspaceExhausted)?;
            match self.tag.load(Ordering::Relaxed) {
                0 => {}
                tag => set_owner(address, chunk, tag),
            }
            s.chunks.push((address, chunk));
            s.total += chunk;
            if chunk - bytes <= s.limit.saturating_sub(s.cursor) {
                // A big piece of its own: go on filling the current chunk.
                return Ok(address);
            }
            s.cursor = address;
            s.limit = address + chunk;
        }
        let address = s.cursor;
        s.cursor += bytes;
        Ok(address)
    }

    /// Bytes of the chunks that the arena has, and how many of them are in use.
    pub fn sizes(&self) -> (usize, usize) {
        let s = self.state.lock();
        (s.total, s.total - (s.limit - s.cursor))
    }

    /// Moves `value` into the arena. Its destructor will not run.
    ///
    /// The reference is `'static` by convention: it lives as long as the arena's loader, and
    /// whoever holds it keeps that loader alive (through the class's mirror).
    pub fn place<T>(&self, value: T) -> Result<&'static mut T, MetaspaceExhausted> {
        assert!(std::mem::align_of::<T>() <= 8);
        let p = self.alloc(std::mem::size_of::<T>())? as *mut T;
        // SAFETY: fresh, aligned memory of the right size.
        unsafe {
            p.write(value);
            Ok(&mut *p)
        }
    }
}

impl Drop for Arena {
    fn drop(&mut self) {
        let s = self.state.get_mut();
        if s.chunks.is_empty() {
            return;
        }
        let tagged = *self.tag.get_mut() != 0;
        let mut r = region().state.lock();
        for (address, bytes) in s.chunks.drain(..) {
            if tagged {
                set_owner(address, bytes, 0);
            }
            give_back_chunk(&mut r, address, bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arenas_reuse_chunks_and_stay_below_4_gib() {
        let a = Arena::default();
        let x = a.alloc(24).unwrap();
        let y = a.alloc(100_000).unwrap();
        let z = a.alloc(8).unwrap();
        assert!(contains(x) && contains(y) && y + 100_000 < 1 << 32);
        assert_eq!(z, x + 24, "a big piece does not end the current chunk");
        drop(a);
        let b = Arena::default();
        assert!(contains(b.alloc(24).unwrap()));
    }

    #[test]
    fn free_memory_is_joined_and_split() {
        let mut free = FreeMemory::default();
        assert_eq!(free.take(1), None);
        assert_eq!(free.give_back(3000, 1000), (3000, 1000));
        assert_eq!(free.give_back(1000, 1000), (1000, 1000));
        assert_eq!(free.take(2000), None, "the pieces are apart");
        assert_eq!(free.give_back(2000, 1000), (1000, 3000), "joined on both sides");
        assert_eq!(free.give_back(9000, 500), (9000, 500));
        assert_eq!(free.take(400), Some(9000), "the smallest that fits");
        assert_eq!(free.take(2500), Some(1000));
        assert_eq!(free.take(500), Some(3500), "the rest of a piece is free");
        assert_eq!(free.take(100), Some(9400));
        assert!(free.by_address.is_empty() && free.by_size.is_empty());
    }

    #[test]
    fn an_address_tells_its_owner_until_the_arena_is_gone() {
        let a = Arena::default();
        a.set_tag(0x1238);
        let (x, y) = (a.alloc(24).unwrap(), a.alloc(5000).unwrap());
        assert_eq!((owner(x), owner(y), owner(y + 4999)), (0x1238, 0x1238, 0x1238));
        assert_eq!((owner(0), owner(usize::MAX)), (0, 0));
        drop(a);
        // Another test may have got the memory: it has no tag.
        assert_eq!((owner(x), owner(y)), (0, 0));
    }

    #[test]
    fn used_again_memory_is_zeroed() {
        let a = Arena::default();
        let x = a.alloc(200 << 10).unwrap();
        // SAFETY: ours.
        unsafe { std::ptr::write_bytes(x as *mut u8, 0xff, 200 << 10) };
        drop(a);
        let b = Arena::default();
        let y = b.alloc(200 << 10).unwrap();
        // SAFETY: ours.
        let bytes = unsafe { std::slice::from_raw_parts(y as *const u8, 200 << 10) };
        assert!(bytes.iter().all(|&x| x == 0));
    }
}
