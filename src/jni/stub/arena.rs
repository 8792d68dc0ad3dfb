//! Memory for stubs: one anonymous file mapped twice, writable here and executable there, so
//! that no page is ever both.

use parking_lot::Mutex;

/// Bytes mapped at a time.
const CHUNK: usize = 256 << 10;
/// Alignment of entries: a cache line on most processors.
const ALIGN: usize = 64;

struct Chunk {
    writable: usize,
    executable: usize,
    used: usize,
}

static CURRENT: Mutex<Option<Chunk>> = Mutex::new(None);

/// Copies position-independent code to executable memory, where it stays; its address.
pub fn publish(code: &[u8]) -> usize {
    assert!(code.len() <= CHUNK, "a stub of {} bytes", code.len());
    let mut current = CURRENT.lock();
    if current.as_ref().is_none_or(|c| c.used + code.len() > CHUNK) {
        *current = Some(map_chunk());
    }
    let chunk = current.as_mut().expect("just mapped");
    let (to, entry) = (chunk.writable + chunk.used, chunk.executable + chunk.used);
    // SAFETY: within the chunk, behind everything published before.
    unsafe { std::ptr::copy_nonoverlapping(code.as_ptr(), to as *mut u8, code.len()) };
    chunk.used += (code.len() + ALIGN - 1) & !(ALIGN - 1);
    flush(to, code.len());
    flush(entry, code.len());
    entry
}

fn map_chunk() -> Chunk {
    let fail = |what: &str| -> ! {
        let error = std::io::Error::last_os_error();
        eprintln!("Error: no memory for native call stubs: {what}: {error}");
        std::process::abort()
    };
    // SAFETY: plain system calls; the mappings are new and stay for good.
    unsafe {
        let fd = libc::memfd_create(c"kiln-stubs".as_ptr(), libc::MFD_CLOEXEC);
        if fd < 0 {
            fail("memfd_create");
        }
        if libc::ftruncate(fd, CHUNK as libc::off_t) != 0 {
            fail("ftruncate");
        }
        let map = |protection| {
            let p = libc::mmap(std::ptr::null_mut(), CHUNK, protection, libc::MAP_SHARED, fd, 0);
            if p == libc::MAP_FAILED {
                fail("mmap");
            }
            p as usize
        };
        let writable = map(libc::PROT_READ | libc::PROT_WRITE);
        let executable = map(libc::PROT_READ | libc::PROT_EXEC);
        libc::close(fd);
        Chunk { writable, executable, used: 0 }
    }
}

/// Makes instruction fetch see what was written (a no-op on x86-64).
#[cfg(not(target_arch = "aarch64"))]
fn flush(_address: usize, _bytes: usize) {}

/// Makes instruction fetch see what was written: clean the data cache to the point of
/// unification, then invalidate the instruction cache, by the line sizes that CTR_EL0 gives.
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
