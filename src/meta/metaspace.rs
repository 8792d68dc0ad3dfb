//! Memory for class metadata, all of it below 4 GiB: a class word in an object header, a
//! method in a quickened instruction and a root slot in a call site are then 32-bit addresses.
//! Each class loader owns an arena, given back whole when the loader is unloaded.

use parking_lot::Mutex;
use std::sync::OnceLock;

/// Candidate base addresses, lowest first; the region must end below 4 GiB.
const BASES: [usize; 6] = [0x2000_0000, 0x1000_0000, 0x4000_0000, 0x6000_0000, 0x8000_0000, 0xa000_0000];
/// Bytes reserved, HotSpot's CompressedClassSpaceSize default. Pages are touched on use only.
const REGION_BYTES: usize = 1 << 30;
/// Granule in which arenas take memory from the region.
const CHUNK_BYTES: usize = 64 << 10;
/// First chunk of an arena: most loaders (one per hidden class holder) stay small.
const SMALL_CHUNK_BYTES: usize = 4 << 10;

struct Region {
    base: usize,
    end: usize,
    state: Mutex<RegionState>,
}

struct RegionState {
    cursor: usize,
    /// Chunks given back: (address, bytes).
    free: Vec<(usize, usize)>,
    used: usize,
}

static REGION: OnceLock<Region> = OnceLock::new();

fn region() -> &'static Region {
    REGION.get_or_init(|| {
        let base = reserve().unwrap_or_else(|| {
            eprintln!("Error: could not reserve {REGION_BYTES} bytes below 4 GiB for class metadata");
            std::process::exit(1)
        });
        Region {
            base,
            end: base + REGION_BYTES,
            state: Mutex::new(RegionState { cursor: base, free: Vec::new(), used: 0 }),
        }
    })
}

fn reserve() -> Option<usize> {
    BASES.into_iter().find(|&base| {
        // SAFETY: MAP_FIXED_NOREPLACE never replaces a mapping; older kernels treat the
        // address as a hint, hence the comparison below.
        let p = unsafe {
            libc::mmap(
                base as *mut _,
                REGION_BYTES,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE | libc::MAP_FIXED_NOREPLACE,
                -1,
                0,
            )
        };
        if p != libc::MAP_FAILED && p as usize != base {
            // SAFETY: just mapped by us at an unwanted place.
            unsafe { libc::munmap(p, REGION_BYTES) };
        }
        p as usize == base
    })
}

/// Whether `address` lies in the metadata region.
pub fn contains(address: usize) -> bool {
    REGION.get().is_some_and(|r| address >= r.base && address < r.end)
}

/// Bytes of address space kept for metadata.
pub fn reserved_bytes() -> usize {
    REGION_BYTES
}

/// Bytes that arenas hold at present.
pub fn used_bytes() -> usize {
    REGION.get().map_or(0, |r| r.state.lock().used)
}

fn take_chunk(bytes: usize) -> Option<usize> {
    let r = region();
    let mut s = r.state.lock();
    if let Some(i) = s.free.iter().position(|&(_, n)| n == bytes) {
        let (address, _) = s.free.swap_remove(i);
        s.used += bytes;
        // SAFETY: the chunk is ours and free; new metadata expects zeroes.
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

/// The metadata memory of one class loader.
#[derive(Default)]
pub struct Arena {
    state: Mutex<ArenaState>,
}

#[derive(Default)]
struct ArenaState {
    cursor: usize,
    limit: usize,
    chunks: Vec<(usize, usize)>,
}

/// The region is full: the caller throws `OutOfMemoryError: Metaspace`.
#[derive(Debug)]
pub struct MetaspaceExhausted;

impl Arena {
    /// Zeroed memory, 8-byte aligned, valid until the arena is dropped.
    pub fn alloc(&self, bytes: usize) -> Result<usize, MetaspaceExhausted> {
        let bytes = (bytes + 7) & !7;
        let mut s = self.state.lock();
        if s.cursor + bytes > s.limit {
            let chunk = if bytes > CHUNK_BYTES / 4 {
                (bytes + SMALL_CHUNK_BYTES - 1) & !(SMALL_CHUNK_BYTES - 1)
            } else if s.chunks.len() < 4 && bytes <= SMALL_CHUNK_BYTES {
                SMALL_CHUNK_BYTES
            } else {
                CHUNK_BYTES
            };
            let address = take_chunk(chunk).ok_or(MetaspaceExhausted)?;
            s.chunks.push((address, chunk));
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
        let all: usize = s.chunks.iter().map(|c| c.1).sum();
        (all, all - (s.limit - s.cursor))
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
        let mut r = region().state.lock();
        for (address, bytes) in s.chunks.drain(..) {
            r.used -= bytes;
            r.free.push((address, bytes));
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
}
