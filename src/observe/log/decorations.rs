//! What stands before a message: `[0.012s][info][class,load]`.

use std::ffi::CStr;
use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::tags::TAG_SETS;
use super::Level;

/// Names and abbreviations, in the order in which they are printed.
pub(super) const DECORATORS: [(&str, &str); 12] = [
    ("time", "t"),
    ("utctime", "utc"),
    ("uptime", "u"),
    ("timemillis", "tm"),
    ("uptimemillis", "um"),
    ("timenanos", "tn"),
    ("uptimenanos", "un"),
    ("hostname", "hn"),
    ("pid", "p"),
    ("tid", "ti"),
    ("level", "l"),
    ("tags", "tg"),
];

/// A set of decorators, as bits by position in [`DECORATORS`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Decorators(pub(super) u16);

impl Default for Decorators {
    /// Uptime, level and tags.
    fn default() -> Decorators {
        Decorators(1 << 2 | 1 << 10 | 1 << 11)
    }
}

impl Decorators {
    /// Parses a comma-separated list; empty means the default, `none` no decoration. The error is
    /// HotSpot's line.
    pub(super) fn parse(text: &str) -> Result<Decorators, String> {
        if text.is_empty() {
            return Ok(Decorators::default());
        }
        if text.eq_ignore_ascii_case("none") {
            return Ok(Decorators(0));
        }
        let mut bits = 0;
        for token in text.split(',') {
            let position = DECORATORS.iter().position(|(name, abbreviation)| {
                name.eq_ignore_ascii_case(token) || abbreviation.eq_ignore_ascii_case(token)
            });
            bits |= 1 << position.ok_or_else(|| format!("Invalid decorator '{token}'."))?;
        }
        Ok(Decorators(bits))
    }

    /// The names of the set, joined by commas; `none` if empty.
    pub(super) fn describe(self) -> String {
        let names: Vec<&str> = DECORATORS
            .iter()
            .enumerate()
            .filter(|(n, _)| self.0 >> n & 1 != 0)
            .map(|(_, (name, _))| *name)
            .collect();
        if names.is_empty() {
            "none".to_string()
        } else {
            names.join(",")
        }
    }
}

fn start() -> &'static (Instant, SystemTime) {
    static START: OnceLock<(Instant, SystemTime)> = OnceLock::new();
    START.get_or_init(|| (Instant::now(), SystemTime::now()))
}

/// Time since the VM started; the clock starts with the first call, which `JNI_CreateJavaVM`
/// makes.
pub fn uptime() -> Duration {
    start().0.elapsed()
}

/// The wall-clock time at which the VM started, for log file names.
pub(super) fn start_time() -> SystemTime {
    start();
    start().1
}

fn since_epoch(time: SystemTime) -> Duration {
    // A clock before 1970 is shown as 1970 rather than stopping the log.
    time.duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// The broken-down local or universal time of `time`.
fn broken_down(time: SystemTime, utc: bool) -> libc::tm {
    let seconds = since_epoch(time).as_secs() as libc::time_t;
    // SAFETY: tm is plain data; both functions only write it and take a valid pointer to seconds.
    unsafe {
        let mut tm: libc::tm = std::mem::zeroed();
        if utc {
            libc::gmtime_r(&seconds, &mut tm);
        } else {
            libc::localtime_r(&seconds, &mut tm);
        }
        tm
    }
}

/// ISO 8601 with milliseconds and offset: `2026-11-21T10:52:23.123+0100`.
fn iso8601(time: SystemTime, utc: bool) -> String {
    let tm = broken_down(time, utc);
    let millis = since_epoch(time).subsec_millis();
    let offset = if utc { 0 } else { tm.tm_gmtoff };
    let (sign, minutes) = (if offset < 0 { '-' } else { '+' }, offset.abs() / 60);
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{millis:03}{sign}{:02}{:02}",
        tm.tm_year + 1900,
        tm.tm_mon + 1,
        tm.tm_mday,
        tm.tm_hour,
        tm.tm_min,
        tm.tm_sec,
        minutes / 60,
        minutes % 60
    )
}

/// The VM's start in local time as log file names have it: `2026-11-21_10-52-23`.
pub(super) fn file_timestamp() -> String {
    let tm = broken_down(start_time(), false);
    format!(
        "{:04}-{:02}-{:02}_{:02}-{:02}-{:02}",
        tm.tm_year + 1900,
        tm.tm_mon + 1,
        tm.tm_mday,
        tm.tm_hour,
        tm.tm_min,
        tm.tm_sec
    )
}

fn host_name() -> &'static str {
    static NAME: OnceLock<String> = OnceLock::new();
    NAME.get_or_init(|| {
        let mut buffer = [0u8; 1024];
        // SAFETY: the length passed leaves the buffer's last byte zero, so it stays terminated.
        let status = unsafe { libc::gethostname(buffer.as_mut_ptr().cast(), buffer.len() - 1) };
        match CStr::from_bytes_until_nul(&buffer) {
            Ok(name) if status == 0 => name.to_string_lossy().into_owned(),
            _ => String::new(),
        }
    })
}

/// The kernel's id of the calling thread.
fn thread_id() -> libc::pid_t {
    // SAFETY: gettid has no arguments and cannot fail.
    unsafe { libc::syscall(libc::SYS_gettid) as libc::pid_t }
}

fn monotonic_nanos() -> i128 {
    // SAFETY: timespec is plain data and the clock exists on every Linux.
    let now = unsafe {
        let mut now: libc::timespec = std::mem::zeroed();
        libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut now);
        now
    };
    i128::from(now.tv_sec) * 1_000_000_000 + i128::from(now.tv_nsec)
}

/// The values at the moment of logging; each output prints those that it wants.
pub(super) struct Decorations {
    level: Level,
    set: usize,
    now: SystemTime,
    uptime: Duration,
}

impl Decorations {
    pub(super) fn new(set: usize, level: Level) -> Decorations {
        Decorations { level, set, now: SystemTime::now(), uptime: uptime() }
    }

    /// The text of decorator number `n`.
    pub(super) fn text(&self, n: usize) -> String {
        match DECORATORS[n].0 {
            "time" => iso8601(self.now, false),
            "utctime" => iso8601(self.now, true),
            "uptime" => format!("{:.3}s", self.uptime.as_secs_f64()),
            "timemillis" => format!("{}ms", since_epoch(self.now).as_millis()),
            "uptimemillis" => format!("{}ms", self.uptime.as_millis()),
            "timenanos" => format!("{}ns", monotonic_nanos()),
            "uptimenanos" => format!("{}ns", self.uptime.as_nanos()),
            "hostname" => host_name().to_string(),
            "pid" => std::process::id().to_string(),
            "tid" => thread_id().to_string(),
            "level" => self.level.name().to_string(),
            "tags" => TAG_SETS[self.set].join(","),
            other => unreachable!("decorator {other}"),
        }
    }
}
