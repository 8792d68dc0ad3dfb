//! What the machine, or the container the process runs in, has.

use std::fs;
use std::path::{Path, PathBuf};

fn page_count() -> u64 {
    // SAFETY: sysconf takes a number and returns one; both names exist on Linux.
    let (pages, size) = unsafe { (libc::sysconf(libc::_SC_PHYS_PAGES), libc::sysconf(libc::_SC_PAGESIZE)) };
    u64::try_from(pages).unwrap_or(0) * u64::try_from(size).unwrap_or(0)
}

/// The directories of the process's control group and its parents, nearest first.
fn group_directories(controller: &str) -> Vec<PathBuf> {
    let Ok(groups) = fs::read_to_string("/proc/self/cgroup") else { return Vec::new() };
    let mut directories = Vec::new();
    for line in groups.lines() {
        let mut fields = line.splitn(3, ':');
        let (Some(_), Some(controllers), Some(path)) = (fields.next(), fields.next(), fields.next())
        else {
            continue;
        };
        let root = if controllers.is_empty() {
            PathBuf::from("/sys/fs/cgroup")
        } else if controllers.split(',').any(|name| name == controller) {
            Path::new("/sys/fs/cgroup").join(controller)
        } else {
            continue;
        };
        // Inside a container the path may be the host's; the root directory is the group then.
        let full = root.join(path.trim_start_matches('/'));
        directories.extend(full.ancestors().take_while(|d| d.starts_with(&root)).map(PathBuf::from));
    }
    directories
}

fn read_number(path: &Path) -> Option<u64> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

fn container_memory_limit() -> Option<u64> {
    let directories = group_directories("memory");
    let limits = directories.iter().flat_map(|directory| {
        // Version 2 and version 1 of control groups; "max" is no number and no limit.
        ["memory.max", "memory.limit_in_bytes"].map(|file| read_number(&directory.join(file)))
    });
    limits.flatten().min()
}

/// Bytes of physical memory, or of the container's limit if that is less.
pub(super) fn physical_memory(containers: bool) -> u64 {
    let machine = page_count();
    match container_memory_limit().filter(|_| containers) {
        Some(limit) => machine.min(limit),
        None => machine,
    }
}

fn container_processors() -> Option<usize> {
    let quotas = group_directories("cpu").into_iter().filter_map(|directory| {
        let (quota, period) = match fs::read_to_string(directory.join("cpu.max")) {
            Ok(text) => {
                let mut fields = text.split_whitespace().map(str::parse::<u64>);
                (fields.next()?.ok()?, fields.next()?.ok()?)
            }
            Err(_) => (
                read_number(&directory.join("cpu.cfs_quota_us"))?,
                read_number(&directory.join("cpu.cfs_period_us"))?,
            ),
        };
        (period > 0).then(|| quota.div_ceil(period).max(1) as usize)
    });
    quotas.min()
}

/// Processors that the process may use.
pub(super) fn processors(containers: bool) -> usize {
    // SAFETY: cpu_set_t is plain data; the call writes at most its size.
    let allowed = unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        match libc::sched_getaffinity(0, size_of::<libc::cpu_set_t>(), &mut set) {
            0 => usize::try_from(libc::CPU_COUNT(&set)).ok(),
            _ => None,
        }
    };
    // More processors than the set has room for: fall back on what the system counts.
    let allowed = allowed.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, |n| n.get()));
    match container_processors().filter(|_| containers) {
        Some(quota) => allowed.min(quota),
        None => allowed,
    }
}

/// The limit on address space (`ulimit -v`), if there is one.
pub(super) fn address_space_limit() -> Option<u64> {
    // SAFETY: rlimit is plain data that the call writes.
    let limit = unsafe {
        let mut limit: libc::rlimit = std::mem::zeroed();
        (libc::getrlimit(libc::RLIMIT_AS, &mut limit) == 0).then_some(limit.rlim_cur)
    }?;
    (limit != libc::RLIM_INFINITY).then_some(limit)
}
