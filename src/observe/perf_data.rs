//! Performance data: counters and constants in a file that other processes map, `/tmp/hsperfdata_USER/PID`, in the
//! format of HotSpot's `PerfMemory` (version 2.0). `jps` and `jcmd -l` find VMs by it.
//!
//! The file has what these tools read and what Java code adds (`jdk.internal.perf.Perf`). The counters that HotSpot
//! samples (`jstat`) are not there.

use crate::log;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::ffi::{CStr, CString, OsStr};
use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// `PerfData::Units`.
pub mod units {
    pub const NONE: u8 = 1;
    pub const STRING: u8 = 5;
    pub const HERTZ: u8 = 6;
}

/// `PerfData::Variability`.
pub mod variability {
    pub const CONSTANT: u8 = 1;
}

/// Bytes before the first entry.
const PROLOGUE_BYTES: usize = 32;
/// Bytes of an entry before its name.
const ENTRY_BYTES: usize = 20;
/// Longest text of a constant; the rest is cut off.
const MAX_STRING: usize = 1024;
/// As it lies in the file, whatever the byte order.
const MAGIC: [u8; 4] = [0xca, 0xfe, 0xc0, 0xc0];
/// An entry that tools may rely on.
const SUPPORTED: u8 = 1;

/// Offsets in the prologue.
mod prologue {
    pub const BYTE_ORDER: usize = 4;
    pub const ACCESSIBLE: usize = 7;
    pub const USED: usize = 8;
    pub const OVERFLOW: usize = 12;
    pub const MODIFIED: usize = 16;
    pub const FIRST_ENTRY: usize = 24;
    pub const ENTRIES: usize = 28;
}

/// What an entry holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A number of 8 bytes.
    Long,
    /// So many bytes, of a text that ends with 0.
    Text(usize),
}

/// The memory for entries: mapped from the file, or the process's own.
struct Memory {
    start: *mut u8,
    capacity: usize,
    used: usize,
    entries: u32,
    overflow: usize,
    /// Where the value of each entry is.
    values: HashMap<Vec<u8>, usize>,
}

// SAFETY: the memory is this process's, stays mapped, and is only touched under the lock.
unsafe impl Send for Memory {}

static MEMORY: Mutex<Option<Memory>> = Mutex::new(None);
static FILE: OnceLock<CString> = OnceLock::new();

impl Memory {
    fn over(start: *mut u8, capacity: usize) -> Memory {
        let m = Memory { start, capacity, used: PROLOGUE_BYTES, entries: 0, overflow: 0, values: HashMap::new() };
        m.put(0, &MAGIC);
        // Byte order, then version 2.0.
        m.put(prologue::BYTE_ORDER, &[u8::from(cfg!(target_endian = "little")), 2, 0]);
        m.put(prologue::FIRST_ENTRY, &(PROLOGUE_BYTES as u32).to_ne_bytes());
        m.update();
        m
    }

    /// Memory of the process alone.
    fn private(capacity: usize) -> Memory {
        let words: &'static mut [u64] = vec![0; capacity.max(PROLOGUE_BYTES).div_ceil(8)].leak();
        let bytes = words.len() * 8;
        Memory::over(words.as_mut_ptr().cast(), bytes)
    }

    fn put(&self, offset: usize, bytes: &[u8]) {
        assert!(offset + bytes.len() <= self.capacity);
        // SAFETY: within the memory.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), self.start.add(offset), bytes.len()) }
    }

    fn update(&self) {
        self.put(prologue::USED, &(self.used as u32).to_ne_bytes());
        self.put(prologue::OVERFLOW, &(self.overflow as u32).to_ne_bytes());
        self.put(prologue::ENTRIES, &self.entries.to_ne_bytes());
        let now = super::log::uptime().as_nanos() as u64;
        self.put(prologue::MODIFIED, &now.to_ne_bytes());
    }

    /// Enters a value of zeros; its address. `None` if the name is taken.
    fn add(&mut self, name: &[u8], kind: Kind, units: u8, variability: u8) -> Option<usize> {
        if self.values.contains_key(name) {
            return None;
        }
        let (bytes, length, ty, alignment) = match kind {
            Kind::Long => (8, 0, b'J', 8),
            Kind::Text(bytes) => (bytes, bytes, b'B', 1),
        };
        let value = (ENTRY_BYTES + name.len() + 1).next_multiple_of(alignment);
        let total = (value + bytes).next_multiple_of(8);
        let address = if self.used + total > self.capacity {
            // The file is full: only this process sees the value.
            self.overflow += total;
            vec![0u64; bytes.div_ceil(8)].leak().as_mut_ptr() as usize
        } else {
            let entry = self.used;
            let supported = name.starts_with(b"java.") || name.starts_with(b"com.sun.");
            let mut header = Vec::with_capacity(value);
            for v in [total as u32, ENTRY_BYTES as u32, length as u32] {
                header.extend_from_slice(&v.to_ne_bytes());
            }
            header.extend_from_slice(&[ty, if supported { SUPPORTED } else { 0 }, units, variability]);
            header.extend_from_slice(&(value as u32).to_ne_bytes());
            header.extend_from_slice(name);
            self.put(entry, &header);
            self.used += total;
            self.entries += 1;
            self.start as usize + entry + value
        };
        self.update();
        self.values.insert(name.to_vec(), address);
        Some(address)
    }
}

/// Enters a value of zeros, which stays for good; its address. `None` if the name is taken.
pub fn create(name: &[u8], kind: Kind, units: u8, variability: u8) -> Option<usize> {
    let mut memory = MEMORY.lock();
    memory.get_or_insert_with(|| Memory::private(PROLOGUE_BYTES)).add(name, kind, units, variability)
}

fn long_constant(name: &str, units: u8, value: i64) {
    let address = create(name.as_bytes(), Kind::Long, units, variability::CONSTANT);
    let address = address.unwrap_or_else(|| panic!("performance counter {name} is there already"));
    // SAFETY: eight bytes of our own, aligned.
    unsafe { *(address as *mut i64) = value }
}

fn text_constant(name: &str, value: &OsStr) {
    let bytes = &value.as_bytes()[..value.len().min(MAX_STRING)];
    let kind = Kind::Text(bytes.len() + 1);
    let address = create(name.as_bytes(), kind, units::STRING, variability::CONSTANT);
    let address = address.unwrap_or_else(|| panic!("performance counter {name} is there already"));
    // SAFETY: room for the text and a 0.
    unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), address as *mut u8, bytes.len()) }
}

/// Makes the file, unless the options want none, with the constants that tools look for. That it cannot be made is
/// only logged, as on HotSpot.
pub fn initialize() {
    let vm = crate::vm::get();
    let flags = &vm.options.flags;
    if !flags.bool("UsePerfData") {
        return;
    }
    let page = 4096;
    let capacity = (flags.signed("PerfDataMemorySize") as usize).next_multiple_of(page);
    let memory = if flags.bool("PerfDisableSharedMem") {
        Memory::private(capacity)
    } else {
        share(capacity).unwrap_or_else(|e| {
            log!(Debug, [perf, memops], "no performance data file: {e}");
            Memory::private(capacity)
        })
    };
    *MEMORY.lock() = Some(memory);
    add_constants();
    if let Some(m) = &*MEMORY.lock() {
        m.put(prologue::ACCESSIBLE, &[1]);
    }
}

fn add_constants() {
    let vm = crate::vm::get();
    let o = &vm.options;
    text_constant("sun.rt.javaCommand", o.java_command.as_deref().unwrap_or(OsStr::new("Unknown")));
    // The first digit: can be attached to; the second: has heap dumps and the like.
    let capabilities = if o.flags.bool("DisableAttachMechanism") { "01" } else { "11" };
    text_constant("sun.rt.jvmCapabilities", OsStr::new(&format!("{capabilities:0<64}")));
    let args: Vec<&[u8]> = o.vm_args.iter().map(|a| a.as_bytes()).collect();
    text_constant("java.rt.vmArgs", OsStr::from_bytes(&args.join(&b' ')));
    text_constant("java.rt.vmFlags", OsStr::new(""));
    let names = ["vm.specification.name", "vm.specification.version", "vm.specification.vendor", "vm.version", "vm.name"];
    for name in names.into_iter().chain(["vm.vendor", "vm.info", "library.path", "class.path", "home"]) {
        let value = o.properties.get(&format!("java.{name}")).unwrap_or(OsStr::new(""));
        text_constant(&format!("java.property.java.{name}"), value);
    }
    long_constant("sun.os.hrt.frequency", units::HERTZ, 1_000_000_000);
    long_constant("sun.rt.jvmVersion", units::NONE, 17 << 24);
}

/// `/tmp/hsperfdata_USER`.
fn directory(user: &str) -> PathBuf {
    PathBuf::from(format!("/tmp/hsperfdata_{user}"))
}

/// The name of the user that this process acts for.
fn user_name() -> Option<String> {
    let mut buffer = [0; 4096];
    let mut found = std::ptr::null_mut();
    // SAFETY: `entry` is plain data that is filled in, with pointers into `buffer`, which the name is copied from.
    unsafe {
        let mut entry: libc::passwd = std::mem::zeroed();
        libc::getpwuid_r(libc::geteuid(), &mut entry, buffer.as_mut_ptr(), buffer.len(), &mut found);
        (!found.is_null()).then(|| CStr::from_ptr(entry.pw_name).to_string_lossy().into_owned())
    }
}

/// Whether the directory is one that nobody but its owner, `user` or root, writes to.
fn is_secure(directory: &Path, user: u32) -> io::Result<bool> {
    let m = std::fs::symlink_metadata(directory)?;
    Ok(m.is_dir() && (m.uid() == user || m.uid() == 0) && m.mode() & 0o022 == 0)
}

fn share(capacity: usize) -> io::Result<Memory> {
    let user = user_name().ok_or_else(|| io::Error::other("the user has no name"))?;
    let directory = directory(&user);
    match DirBuilder::new().mode(0o755).create(&directory) {
        Err(e) if e.kind() != io::ErrorKind::AlreadyExists => return Err(e),
        _ => {}
    }
    // SAFETY: no preconditions.
    if !is_secure(&directory, unsafe { libc::geteuid() })? {
        return Err(io::Error::other(format!("{} is not secure", directory.display())));
    }
    remove_stale(&directory)?;
    let path = directory.join(std::process::id().to_string());
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).mode(0o600).custom_flags(libc::O_NOFOLLOW);
    let file = options.open(&path)?;
    let m = file.metadata()?;
    if !m.is_file() || m.nlink() != 1 {
        return Err(io::Error::other(format!("{} is no plain file", path.display())));
    }
    file.set_len(0)?;
    // With blocks behind it: a full disk is to be met here, not by SIGBUS.
    // SAFETY: the descriptor is open.
    let e = unsafe { libc::posix_fallocate(file.as_raw_fd(), 0, capacity as libc::off_t) };
    if e != 0 {
        return Err(io::Error::from_raw_os_error(e));
    }
    let start = map(&file, capacity, libc::PROT_READ | libc::PROT_WRITE)?;
    if let Ok(path) = CString::new(path.into_os_string().as_bytes()) {
        if FILE.set(path).is_ok() {
            // SAFETY: the handler only removes a file.
            unsafe { libc::atexit(remove_file) };
        }
    }
    Ok(Memory::over(start, capacity))
}

fn map(file: &File, bytes: usize, protection: i32) -> io::Result<*mut u8> {
    // SAFETY: a new mapping, wherever the system puts it.
    let p = unsafe {
        libc::mmap(std::ptr::null_mut(), bytes, protection, libc::MAP_SHARED, file.as_raw_fd(), 0)
    };
    if p == libc::MAP_FAILED { Err(io::Error::last_os_error()) } else { Ok(p.cast()) }
}

/// Removes the files of processes that are gone.
fn remove_stale(directory: &Path) -> io::Result<()> {
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        let Some(pid) = entry.file_name().to_str().and_then(|n| n.parse::<i32>().ok()) else { continue };
        // SAFETY: signal 0 only asks whether the process is there.
        let gone = unsafe { libc::kill(pid, 0) } != 0
            && io::Error::last_os_error().raw_os_error() == Some(libc::ESRCH);
        if gone {
            // Another process may have done so meanwhile.
            let _ = std::fs::remove_file(entry.path());
        }
    }
    Ok(())
}

/// Removes the file: the VM ends, perhaps without exit handlers being run.
pub extern "C" fn remove_file() {
    if let Some(path) = FILE.get() {
        // SAFETY: a C string.
        unsafe { libc::unlink(path.as_ptr()) };
    }
}

/// Maps the data of the VM with this process number, read only; address and size. `user`: who runs it, if that is
/// known.
pub fn attach(user: Option<&str>, pid: i32) -> io::Result<(usize, usize)> {
    let file = match user {
        Some(user) => open(&directory(user), pid)?,
        None => {
            let mut found = Err(io::Error::other("Process not found"));
            for entry in std::fs::read_dir("/tmp")? {
                let entry = entry?;
                let named = entry.file_name().as_bytes().starts_with(b"hsperfdata_");
                if named && entry.path().join(pid.to_string()).exists() {
                    found = open(&entry.path(), pid);
                    break;
                }
            }
            found?
        }
    };
    let bytes = file.metadata()?.len() as usize;
    if bytes < PROLOGUE_BYTES {
        return Err(io::Error::other("Unexpected file size"));
    }
    Ok((map(&file, bytes, libc::PROT_READ)? as usize, bytes))
}

fn open(directory: &Path, pid: i32) -> io::Result<File> {
    let owner = std::fs::symlink_metadata(directory)?.uid();
    if !is_secure(directory, owner)? {
        return Err(io::Error::other("Permission denied"));
    }
    OpenOptions::new().read(true).custom_flags(libc::O_NOFOLLOW).open(directory.join(pid.to_string()))
}

/// Unmaps what [`attach`] has mapped.
///
/// # Safety
/// Nothing may use the memory any more.
pub unsafe fn detach(address: usize, bytes: usize) {
    libc::munmap(address as *mut _, bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The 4-byte number at an offset.
    fn number(m: &Memory, offset: usize) -> usize {
        // SAFETY: within the memory.
        unsafe { m.start.add(offset).cast::<u32>().read_unaligned() as usize }
    }

    #[test]
    fn entries_follow_each_other() {
        let mut m = Memory::private(256);
        let long = m.add(b"sun.x", Kind::Long, units::HERTZ, variability::CONSTANT).unwrap();
        let text = m.add(b"java.y", Kind::Text(3), units::STRING, variability::CONSTANT).unwrap();
        assert_eq!(m.add(b"sun.x", Kind::Long, units::HERTZ, variability::CONSTANT), None, "taken");
        assert_eq!(number(&m, prologue::ENTRIES), 2);
        let first = number(&m, prologue::FIRST_ENTRY);
        let second = first + number(&m, first);
        assert_eq!(second + number(&m, second), number(&m, prologue::USED));
        assert_eq!(m.start as usize + first + number(&m, first + 16), long);
        assert_eq!(m.start as usize + second + number(&m, second + 16), text);
        assert_eq!(long % 8, 0);
        let far = m.add(b"z", Kind::Text(500), units::STRING, variability::CONSTANT).unwrap();
        assert!(!(m.start as usize..m.start as usize + 256).contains(&far), "what does not fit is elsewhere");
        assert!(number(&m, prologue::OVERFLOW) > 500);
    }
}
