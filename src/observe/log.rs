//! Unified logging (JEP 158): `-Xlog` and the messages it selects.
//!
//! A message belongs to a set of tags and has a level: `log!(Info, [class, load], "…")`. Each
//! output (stdout, stderr, files) has a level per tag set. Asking whether a message is wanted is
//! one relaxed load of a byte; formatting and writing happen only then, under one lock.
//!
//! Options are parsed into a [`Configuration`], which [`install`] makes the process's. Until then
//! warnings and errors go to stdout, as in HotSpot.

use std::fmt::Arguments;
use std::io::Write;
use std::sync::atomic::{AtomicU8, Ordering};

use parking_lot::Mutex;

mod configuration;
mod decorations;
mod help;
mod output;
mod selection;
mod tags;

pub use configuration::Configuration;
pub use decorations::uptime;
pub use tags::tag_set;

/// How important a message is. `Off` is no message's level but switches a tag set off.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[repr(u8)]
pub enum Level {
    Off,
    Trace,
    Debug,
    Info,
    Warning,
    Error,
}

impl Level {
    /// All levels in HotSpot's order, which is that of their importance after `Off`.
    pub const ALL: [Level; 6] =
        [Level::Off, Level::Trace, Level::Debug, Level::Info, Level::Warning, Level::Error];

    /// The name in options and decorations.
    pub fn name(self) -> &'static str {
        match self {
            Level::Off => "off",
            Level::Trace => "trace",
            Level::Debug => "debug",
            Level::Info => "info",
            Level::Warning => "warning",
            Level::Error => "error",
        }
    }

    /// The level called `name`, whatever its case.
    fn from_name(name: &str) -> Option<Level> {
        Level::ALL.into_iter().find(|level| level.name().eq_ignore_ascii_case(name))
    }
}

/// Where the outputs `stdout` and `stderr` write to. Option parsing collects what it prints;
/// later it is the process's streams.
pub trait Console {
    /// Writes to standard output.
    fn write_out(&mut self, text: &[u8]) -> std::io::Result<()>;
    /// Writes to standard error.
    fn write_err(&mut self, text: &[u8]) -> std::io::Result<()>;
}

/// The standard streams of the process.
pub struct ProcessConsole;

impl Console for ProcessConsole {
    fn write_out(&mut self, text: &[u8]) -> std::io::Result<()> {
        let mut out = std::io::stdout().lock();
        out.write_all(text)?;
        out.flush()
    }

    fn write_err(&mut self, text: &[u8]) -> std::io::Result<()> {
        std::io::stderr().write_all(text)
    }
}

/// The least important level that some output wants, per tag set; `NEVER` if none wants any.
static THRESHOLDS: [AtomicU8; tags::TAG_SETS.len()] =
    [const { AtomicU8::new(Level::Warning as u8) }; tags::TAG_SETS.len()];

const NEVER: u8 = u8::MAX;

static CONFIGURATION: Mutex<Option<Configuration>> = Mutex::new(None);

/// Whether a message of `level` with tag set number `set` goes anywhere. Use
/// [`crate::log_enabled!`].
#[inline]
pub fn is_enabled(set: usize, level: Level) -> bool {
    THRESHOLDS[set].load(Ordering::Relaxed) <= level as u8
}

/// Writes a message to every output that wants it. Use [`crate::log!`], which asks first.
#[cold]
pub fn write(set: usize, level: Level, message: Arguments<'_>) {
    let text = message.to_string();
    let mut configuration = CONFIGURATION.lock();
    configuration.get_or_insert_with(Configuration::new).write(
        set,
        level,
        &text,
        &mut ProcessConsole,
    );
}

/// Makes `configuration` the process's.
pub fn install(configuration: Configuration) {
    let mut current = CONFIGURATION.lock();
    publish(&configuration);
    *current = Some(configuration);
}

/// Runs `change` on the process's configuration, for changes while the VM runs (`VM.log`).
pub fn reconfigure<R>(change: impl FnOnce(&mut Configuration) -> R) -> R {
    let mut current = CONFIGURATION.lock();
    let configuration = current.get_or_insert_with(Configuration::new);
    let result = change(configuration);
    publish(configuration);
    result
}

fn publish(configuration: &Configuration) {
    for (set, threshold) in THRESHOLDS.iter().enumerate() {
        let lowest = configuration.lowest_level(set).map_or(NEVER, |level| level as u8);
        threshold.store(lowest, Ordering::Relaxed);
    }
}

/// Whether `log!` with this level and these tags would print: `log_enabled!(Debug, [gc, ref])`.
#[macro_export]
macro_rules! log_enabled {
    ($level:ident, [$($tag:tt),+ $(,)?]) => {{
        const SET: usize = $crate::observe::log::tag_set(&[$(::std::stringify!($tag)),+]);
        $crate::observe::log::is_enabled(SET, $crate::observe::log::Level::$level)
    }};
}

/// Logs a message: `log!(Info, [class, load], "{name} source: {source}")`. The arguments are
/// evaluated only if some output wants it.
#[macro_export]
macro_rules! log {
    ($level:ident, [$($tag:tt),+ $(,)?], $($arg:tt)+) => {{
        const SET: usize = $crate::observe::log::tag_set(&[$(::std::stringify!($tag)),+]);
        if $crate::observe::log::is_enabled(SET, $crate::observe::log::Level::$level) {
            $crate::observe::log::write(
                SET,
                $crate::observe::log::Level::$level,
                ::std::format_args!($($arg)+),
            );
        }
    }};
}
