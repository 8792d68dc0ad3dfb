//! The code cache: one reserved region within branch range, mapped twice, writable here and
//! executable there, so that no page is ever both. Blocks are handed out in units of
//! [`UNIT`] bytes, freed ones are used again.

use super::compiled::CompiledMethod;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::OnceLock;

/// Blocks begin at multiples of this, and the table that finds a method by a pc has one entry for each: two
/// cache lines.
pub const UNIT: usize = 128;

/// Largest cache on ARM64: `bl` reaches 128 MiB either way.
pub const MAX_ARM64: usize = 128 << 20;

/// The region. All addresses are of the executable view.
pub struct CodeCache {
    start: usize,
    bytes: usize,
    /// Writable address = executable address + this (wrapping).
    to_writable: usize,
    memfd: i32,
    state: Mutex<Blocks>,
    /// The method that owns each unit: pages are touched only where there is code.
    owners: &'static [AtomicPtr<CompiledMethod>],
}

struct Blocks {
    /// Free blocks by start.
    free: BTreeMap<usize, usize>,
    /// No code has ever been above this.
    high_water: usize,
    used: usize,
    peak: usize,
}

/// There is no room for this many bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CacheFull(pub usize);

static CACHE: OnceLock<CodeCache> = OnceLock::new();

/// The cache; `None` if the VM runs without compilers.
pub fn get() -> Option<&'static CodeCache> {
    CACHE.get()
}

/// Reserves the cache. Errors: what the operating system refused.
pub(super) fn reserve(bytes: usize) -> Result<&'static CodeCache, std::io::Error> {
    let bytes = if cfg!(target_arch = "aarch64") { bytes.min(MAX_ARM64) } else { bytes };
    let cache = CodeCache::map((bytes + UNIT - 1) & !(UNIT - 1))?;
    Ok(CACHE.get_or_init(|| cache))
}

impl CodeCache {
    fn map(bytes: usize) -> Result<CodeCache, std::io::Error> {
        let check = |ok: bool| if ok { Ok(()) } else { Err(std::io::Error::last_os_error()) };
        let page = 1usize << 16;
        let bytes = (bytes + page - 1) & !(page - 1);
        // SAFETY: plain system calls; the mappings are new and stay for good.
        unsafe {
            let fd = libc::memfd_create(c"kiln-code".as_ptr(), libc::MFD_CLOEXEC);
            check(fd >= 0)?;
            check(libc::ftruncate(fd, bytes as libc::off_t) == 0)?;
            let view = |protection| libc::mmap(std::ptr::null_mut(), bytes, protection, libc::MAP_SHARED, fd, 0);
            let writable = view(libc::PROT_READ | libc::PROT_WRITE);
            check(writable != libc::MAP_FAILED)?;
            let start = view(libc::PROT_READ | libc::PROT_EXEC);
            check(start != libc::MAP_FAILED)?;
            let units = bytes / UNIT;
            let owners = libc::mmap(
                std::ptr::null_mut(),
                units * 8,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE,
                -1,
                0,
            );
            check(owners != libc::MAP_FAILED)?;
            Ok(CodeCache {
                start: start as usize,
                bytes,
                to_writable: (writable as usize).wrapping_sub(start as usize),
                memfd: fd,
                state: Mutex::new(Blocks {
                    free: BTreeMap::from([(start as usize, bytes)]),
                    high_water: start as usize,
                    used: 0,
                    peak: 0,
                }),
                owners: std::slice::from_raw_parts(owners as *const AtomicPtr<CompiledMethod>, units),
            })
        }
    }

    /// Whether `pc` lies in the cache.
    #[inline]
    pub fn contains(&self, pc: usize) -> bool {
        pc.wrapping_sub(self.start) < self.bytes
    }

    /// Where the region begins and ends.
    pub fn bounds(&self) -> (usize, usize) {
        (self.start, self.start + self.bytes)
    }

    /// Bytes of the region, bytes in blocks, and the most there ever were.
    pub fn usage(&self) -> (usize, usize, usize) {
        let s = self.state.lock();
        (self.bytes, s.used, s.peak)
    }

    /// A block of at least `bytes`; its address. First fit.
    pub(super) fn allocate(&self, bytes: usize) -> Result<usize, CacheFull> {
        let bytes = (bytes + UNIT - 1) & !(UNIT - 1);
        let mut s = self.state.lock();
        let found = s.free.iter().find(|b| *b.1 >= bytes).map(|(&at, &n)| (at, n));
        let Some((at, n)) = found else { return Err(CacheFull(bytes)) };
        s.free.remove(&at);
        if n > bytes {
            s.free.insert(at + bytes, n - bytes);
        }
        s.used += bytes;
        s.peak = s.peak.max(s.used);
        let reused = at < s.high_water;
        s.high_water = s.high_water.max(at + bytes);
        drop(s);
        if reused {
            self.prepare_reuse(at, bytes);
        }
        Ok(at)
    }

    /// Gives a block back. Nothing may execute in it any more.
    pub(super) fn free(&self, at: usize, bytes: usize) {
        let bytes = (bytes + UNIT - 1) & !(UNIT - 1);
        self.set_owner(at, bytes, std::ptr::null_mut());
        let mut s = self.state.lock();
        s.used -= bytes;
        let (mut at, mut bytes) = (at, bytes);
        if let Some((&before, &n)) = s.free.range(..at).next_back() {
            if before + n == at {
                s.free.remove(&before);
                at = before;
                bytes += n;
            }
        }
        if let Some(n) = s.free.remove(&(at + bytes)) {
            bytes += n;
        }
        s.free.insert(at, bytes);
    }

    /// Writes code into a block that nothing executes yet.
    pub(super) fn write(&self, at: usize, code: &[u8]) {
        assert!(self.contains(at) && self.contains(at + code.len().max(1) - 1));
        let to = at.wrapping_add(self.to_writable);
        // SAFETY: within the writable view; the block is the caller's.
        unsafe { std::ptr::copy_nonoverlapping(code.as_ptr(), to as *mut u8, code.len()) };
        flush(to, code.len());
        flush(at, code.len());
    }

    /// Enters the owner of a block, or none.
    pub(super) fn set_owner(&self, at: usize, bytes: usize, owner: *mut CompiledMethod) {
        let first = (at - self.start) / UNIT;
        for cell in &self.owners[first..first + bytes.div_ceil(UNIT)] {
            cell.store(owner, Ordering::Release);
        }
    }

    /// The method whose code `pc` is in, also as a return address behind its last instruction's start. Takes no
    /// lock: any thread or signal handler may ask.
    #[inline]
    pub fn find(&self, pc: usize) -> Option<&'static CompiledMethod> {
        if !self.contains(pc) {
            return None;
        }
        // SAFETY: owners are null or methods that are never deallocated.
        unsafe { self.owners[(pc - self.start) / UNIT].load(Ordering::Acquire).as_ref() }
    }

    /// Before a block is written that has been executed before: other processors must refetch.
    #[cfg(target_arch = "aarch64")]
    fn prepare_reuse(&self, at: usize, bytes: usize) {
        const PAGE: usize = 1 << 16;
        // qemu-user before 8.1 does not see that code is rewritten through another view, whatever cache
        // maintenance the program does: only a new mapping makes it translate anew. Mapping the same pages over
        // themselves changes nothing for who executes in them.
        // Pages from the region's start, which is aligned to the system's pages, be they smaller: the file begins there.
        let low = self.start + ((at - self.start) & !(PAGE - 1));
        let high = self.start + ((at - self.start + bytes + PAGE - 1) & !(PAGE - 1));
        // SAFETY: the same pages of the same file at the same place, with the same protection.
        let p = unsafe {
            libc::mmap(
                low as *mut libc::c_void,
                high - low,
                libc::PROT_READ | libc::PROT_EXEC,
                libc::MAP_SHARED | libc::MAP_FIXED,
                self.memfd,
                (low - self.start) as libc::off_t,
            )
        };
        assert!(p != libc::MAP_FAILED, "mapping code again: {}", std::io::Error::last_os_error());
        // Processors that run this process's threads must pass a context synchronization event. Where the kernel
        // has no such call, the pause that freed the block has made them.
        const REGISTER_SYNC_CORE: i32 = 1 << 6;
        const SYNC_CORE: i32 = 1 << 5;
        // SAFETY: no memory is involved.
        unsafe {
            libc::syscall(libc::SYS_membarrier, REGISTER_SYNC_CORE, 0, 0);
            libc::syscall(libc::SYS_membarrier, SYNC_CORE, 0, 0);
        }
    }

    /// x86-64 keeps instruction fetch coherent, and the pause that freed the block has serialized.
    #[cfg(not(target_arch = "aarch64"))]
    fn prepare_reuse(&self, _at: usize, _bytes: usize) {
        debug_assert!(self.memfd >= 0);
    }
}

/// Makes instruction fetch see what was written (a no-op on x86-64).
#[cfg(not(target_arch = "aarch64"))]
fn flush(_address: usize, _bytes: usize) {}

/// Makes instruction fetch see what was written: clean the data cache to the point of unification, then
/// invalidate the instruction cache, by the line sizes that CTR_EL0 gives.
#[cfg(target_arch = "aarch64")]
fn flush(address: usize, bytes: usize) {
    use std::arch::asm;
    let end = address + bytes;
    // SAFETY: cache maintenance by address on mapped memory has no other effect.
    unsafe {
        let ctr: usize;
        asm!("mrs {}, ctr_el0", out(reg) ctr);
        let (data, instruction) = (4usize << (ctr >> 16 & 15), 4usize << (ctr & 15));
        let mut p = address & !(data - 1);
        while p < end {
            asm!("dc cvau, {}", in(reg) p);
            p += data;
        }
        asm!("dsb ish");
        let mut p = address & !(instruction - 1);
        while p < end {
            asm!("ic ivau, {}", in(reg) p);
            p += instruction;
        }
        asm!("dsb ish", "isb");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_reused_and_joined() {
        let c = CodeCache::map(1 << 20).expect("memory");
        let a = c.allocate(100).expect("room");
        let b = c.allocate(300).expect("room");
        let d = c.allocate(UNIT).expect("room");
        assert_eq!((a % UNIT, b - a, d - b), (0, UNIT, 3 * UNIT));
        assert_eq!(c.usage(), (1 << 20, 5 * UNIT, 5 * UNIT));
        c.free(a, 100);
        assert_eq!(c.allocate(2 * UNIT).expect("room"), d + UNIT, "the hole is too small");
        c.free(b, 300);
        assert_eq!(c.allocate(4 * UNIT).expect("room"), a, "two holes make one");
        assert_eq!(c.allocate(1 << 20), Err(CacheFull(1 << 20)));
        assert_eq!(c.usage().1, 7 * UNIT);
    }

    #[test]
    fn what_is_written_executes_also_where_code_was_before() {
        let c = CodeCache::map(1 << 20).expect("memory");
        let ret = |value: u8| -> Vec<u8> {
            if cfg!(target_arch = "x86_64") {
                vec![0xb8, value, 0, 0, 0, 0xc3] // mov eax, value; ret
            } else {
                let mov = 0x5280_0000u32 | u32::from(value) << 5; // mov w0, #value
                [mov.to_le_bytes(), 0xd65f_03c0u32.to_le_bytes()].concat()
            }
        };
        for value in [1, 2, 3] {
            let code = ret(value);
            let at = c.allocate(code.len()).expect("room");
            c.write(at, &code);
            // SAFETY: a function without arguments, just written.
            let f: extern "C" fn() -> u32 = unsafe { std::mem::transmute(at) };
            assert_eq!(f(), u32::from(value));
            c.free(at, code.len());
        }
    }
}
