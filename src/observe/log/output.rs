//! The outputs that messages go to: stdout, stderr, files with rotation.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use super::decorations::{file_timestamp, Decorations, Decorators, DECORATORS};
use super::tags::TAG_SETS;
use super::{Console, Level};
use crate::options::parse_size;

const DEFAULT_FILE_COUNT: u32 = 5;
const DEFAULT_FILE_SIZE: u64 = 20 << 20;
const MAX_FILE_COUNT: u64 = 1000;

/// The prefix of file outputs, added where an output's name has no type.
pub(super) const FILE_PREFIX: &str = "file=";

enum Target {
    Stdout,
    Stderr,
    File(Box<LogFile>),
}

/// An output with its levels and decorations.
pub(super) struct Output {
    /// `stdout`, `stderr` or `file=…`.
    pub(super) name: String,
    pub(super) decorators: Decorators,
    /// What the output wants, per tag set; `Off` for nothing.
    pub(super) levels: [Level; TAG_SETS.len()],
    target: Target,
    /// The widest each decoration has been: columns only ever grow.
    padding: [usize; DECORATORS.len()],
    error_shown: bool,
}

impl Output {
    fn new(name: &str, target: Target, level: Level) -> Output {
        Output {
            name: name.to_string(),
            decorators: Decorators::default(),
            levels: [level; TAG_SETS.len()],
            target,
            padding: [0; DECORATORS.len()],
            error_shown: false,
        }
    }

    pub(super) fn stdout() -> Output {
        Output::new("stdout", Target::Stdout, Level::Warning)
    }

    pub(super) fn stderr() -> Output {
        Output::new("stderr", Target::Stderr, Level::Off)
    }

    /// Opens the file output `name` (with its prefix). The error is HotSpot's lines.
    pub(super) fn file(name: &str, options: &str) -> Result<Output, Vec<String>> {
        let path = name.strip_prefix(FILE_PREFIX).unwrap_or(name);
        let file = LogFile::open(path, options).map_err(|line| {
            // HotSpot prints a missing option string as C's printf does.
            let options = if options.is_empty() { "(null)" } else { options };
            vec![line, format!("Initialization of output '{name}' using options '{options}' failed.")]
        })?;
        Ok(Output::new(name, Target::File(Box::new(file)), Level::Off))
    }

    fn format(&mut self, decorations: &Decorations, message: &str) -> String {
        let mut line = String::new();
        for n in 0..DECORATORS.len() {
            if self.decorators.0 >> n & 1 == 0 {
                continue;
            }
            let text = decorations.text(n);
            self.padding[n] = self.padding[n].max(text.len());
            line += &format!("[{text:<width$}]", width = self.padding[n]);
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line += message;
        line.push('\n');
        line
    }

    /// Writes one message. A failure is reported once, on standard error.
    pub(super) fn write(
        &mut self,
        decorations: &Decorations,
        message: &str,
        console: &mut dyn Console,
    ) {
        let line = self.format(decorations, message);
        let result = match &mut self.target {
            Target::Stdout => console.write_out(line.as_bytes()),
            Target::Stderr => console.write_err(line.as_bytes()),
            Target::File(file) => file.write(line.as_bytes()),
        };
        if result.is_err() && !self.error_shown {
            self.error_shown = true;
            // If standard error is gone as well there is nobody left to tell.
            let _ = console.write_err(format!("Could not write log: {}\n", self.name).as_bytes());
        }
    }

    /// Starts a new file, if this is a rotated file.
    pub(super) fn rotate(&mut self) -> std::io::Result<()> {
        match &mut self.target {
            Target::File(file) if file.count > 0 => file.rotate(),
            _ => Ok(()),
        }
    }
}

struct LogFile {
    path: PathBuf,
    file: File,
    /// Number of archived files to keep; 0: no rotation.
    count: u32,
    /// Bytes at which the file is rotated; 0: never by itself.
    limit: u64,
    size: u64,
    /// The number that the next archived file gets.
    next: u32,
}

/// Replaces the first `%p` by the process id and the first `%t` by the start time.
fn expand(name: &str) -> String {
    let pid = name.find("%p").map(|at| (at, std::process::id().to_string()));
    let time = name.find("%t").map(|at| (at, file_timestamp()));
    let mut replacements: Vec<(usize, String)> = pid.into_iter().chain(time).collect();
    // From the back, so that the earlier position stays valid.
    replacements.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    let mut expanded = name.to_string();
    for (at, text) in replacements {
        expanded.replace_range(at..at + 2, &text);
    }
    expanded
}

fn parse_options(options: &str) -> Result<(Option<u32>, u64), String> {
    let (mut count, mut size) = (None, DEFAULT_FILE_SIZE);
    if options.is_empty() {
        return Ok((count, size));
    }
    for option in options.split(',') {
        let invalid = |what: &str| format!("Invalid option '{what}' for log file output.");
        let (key, value) = option.split_once('=').ok_or_else(|| invalid(option))?;
        match key {
            "filecount" => {
                let digits = value.bytes().all(|b| b.is_ascii_digit());
                let number = value.parse::<u64>().ok().filter(|n| digits && *n <= MAX_FILE_COUNT);
                let number = number.ok_or_else(|| {
                    format!("Invalid option: filecount must be in range [0, {MAX_FILE_COUNT}]")
                })?;
                count = Some(number as u32);
            }
            "filesize" => {
                size = parse_size(value).ok_or_else(|| {
                    format!("Invalid option: filesize must be in range [0, {}]", u64::MAX)
                })?;
            }
            _ => return Err(invalid(key)),
        }
    }
    Ok((count, size))
}

impl LogFile {
    fn open(name: &str, options: &str) -> Result<LogFile, String> {
        let (count, limit) = parse_options(options)?;
        let path = PathBuf::from(expand(name));
        let metadata = std::fs::metadata(&path).ok();
        let is_fifo = metadata.as_ref().is_some_and(|m| m.file_type().is_fifo());
        let default_count = if is_fifo { 0 } else { DEFAULT_FILE_COUNT };
        let count = count.unwrap_or(default_count);
        let mut next = 0;
        if let Some(metadata) = metadata.filter(|_| count > 0) {
            let shown = path.display();
            if !metadata.is_file() {
                return Err(format!(
                    "Unable to log to file {shown} with log file rotation: {shown} is not a regular file"
                ));
            }
            next = next_number(&path, count)?;
            if let Err(error) = std::fs::rename(&path, archive_name(&path, count, next)) {
                return Err(format!("Error opening log file '{shown}': {}", plain(&error)));
            }
            next = (next + 1) % count;
        }
        let file = open_append(&path)
            .and_then(|file| {
                if count == 0 && file.metadata()?.is_file() {
                    file.set_len(0)?;
                }
                Ok(file)
            })
            .map_err(|e| format!("Error opening log file '{}': {}", path.display(), plain(&e)))?;
        Ok(LogFile { path, file, count, limit, size: 0, next })
    }

    fn write(&mut self, line: &[u8]) -> std::io::Result<()> {
        self.file.write_all(line)?;
        self.size += line.len() as u64;
        if self.count > 0 && self.limit > 0 && self.size >= self.limit {
            self.rotate()?;
        }
        Ok(())
    }

    fn rotate(&mut self) -> std::io::Result<()> {
        std::fs::rename(&self.path, archive_name(&self.path, self.count, self.next))?;
        self.file = open_append(&self.path)?;
        self.size = 0;
        self.next = (self.next + 1) % self.count;
        Ok(())
    }
}

fn open_append(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().append(true).create(true).open(path)
}

/// The system's words for an error, without Rust's addition of the number.
fn plain(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_string()
}

fn archive_name(path: &Path, count: u32, number: u32) -> PathBuf {
    let digits = (count - 1).to_string().len();
    let mut name = path.as_os_str().to_os_string();
    name.push(format!(".{number:0digits$}"));
    PathBuf::from(name)
}

/// The first unused number, or the one whose file is oldest.
fn next_number(path: &Path, count: u32) -> Result<u32, String> {
    let mut oldest: Option<(u32, std::time::SystemTime)> = None;
    for number in 0..count {
        let name = archive_name(path, count, number);
        let Ok(metadata) = std::fs::metadata(&name) else { return Ok(number) };
        if !metadata.is_file() {
            return Err(format!(
                "Possible rotation target file '{}' already exists but is not a regular file.",
                name.display()
            ));
        }
        let modified = metadata.modified().unwrap_or(std::time::UNIX_EPOCH);
        if oldest.is_none_or(|(_, time)| modified < time) {
            oldest = Some((number, modified));
        }
    }
    Ok(oldest.map_or(0, |(number, _)| number))
}
