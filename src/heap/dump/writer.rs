//! The file of a heap dump: big-endian numbers, records with a length before their body, and heap dump segments,
//! which are filled up to a size before their length is known.

use flate2::{Compression, GzBuilder};
use std::ffi::CStr;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// A segment is written when it would get larger than this many bytes.
const SEGMENT_BYTES: usize = 1 << 20;
/// Tag, time and length of a record.
const RECORD_HEADER: usize = 9;
/// HPROF_HEAP_DUMP_SEGMENT
const HEAP_DUMP_SEGMENT: u8 = 0x1c;
/// HPROF_HEAP_DUMP_END
const HEAP_DUMP_END: u8 = 0x2c;

enum Output {
    Plain(File),
    Gzip(Blocks),
}

/// Bytes of the dump in one part of a compressed file.
const BLOCK_BYTES: usize = 1 << 20;

/// A file compressed in parts, each a gzip file by itself, so that readers can start at any. The first says how many
/// bytes of the dump each has.
struct Blocks {
    file: File,
    level: Compression,
    block: Vec<u8>,
    is_first: bool,
}

impl Blocks {
    fn end_block(&mut self) -> io::Result<()> {
        if self.block.is_empty() {
            return Ok(());
        }
        let mut builder = GzBuilder::new();
        if std::mem::take(&mut self.is_first) {
            builder = builder.comment(format!("HPROF BLOCKSIZE={BLOCK_BYTES}"));
        }
        let mut encoder = builder.write(Vec::new(), self.level);
        encoder.write_all(&self.block)?;
        self.block.clear();
        self.file.write_all(&encoder.finish()?)
    }

    fn add(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(BLOCK_BYTES - self.block.len()));
            self.block.extend_from_slice(now);
            if self.block.len() == BLOCK_BYTES {
                self.end_block()?;
            }
            bytes = later;
        }
        Ok(())
    }
}

impl Output {
    fn add(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Output::Plain(f) => f.write_all(bytes),
            Output::Gzip(blocks) => blocks.add(bytes),
        }
    }
}

/// See the module comment. The first error stops all further output and is reported by [`Writer::finish`].
pub(super) struct Writer {
    out: Output,
    buffer: Vec<u8>,
    /// The buffer begins with a segment's header, whose length is not filled in yet.
    in_segment: bool,
    error: Option<io::Error>,
}

/// The system's text for an error, as C programs print it.
pub(super) fn error_text(e: &io::Error) -> String {
    match e.raw_os_error() {
        // SAFETY: strerror gives a C string that stays at least until its next call; it is copied at once.
        Some(code) => unsafe { CStr::from_ptr(libc::strerror(code)) }.to_string_lossy().into_owned(),
        None => e.to_string(),
    }
}

impl Writer {
    /// Creates the file, readable by the user only. An existing one is an error unless it may be overwritten.
    pub fn create(path: &Path, gzip_level: Option<u32>, overwrite: bool) -> io::Result<Writer> {
        let mut options = OpenOptions::new();
        options.write(true).mode(0o600);
        if overwrite {
            options.create(true).truncate(true);
        } else {
            options.create_new(true);
        }
        let file = options.open(path)?;
        let out = match gzip_level {
            Some(level) => {
                Output::Gzip(Blocks { file, level: Compression::new(level), block: Vec::new(), is_first: true })
            }
            None => Output::Plain(file),
        };
        Ok(Writer { out, buffer: Vec::with_capacity(2 * SEGMENT_BYTES), in_segment: false, error: None })
    }

    fn flush(&mut self) {
        if self.error.is_none() {
            self.error = self.out.add(&self.buffer).err();
        }
        self.buffer.clear();
    }

    pub fn bytes(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
        if !self.in_segment && self.buffer.len() >= SEGMENT_BYTES {
            self.flush();
        }
    }

    pub fn u1(&mut self, v: u8) {
        self.bytes(&[v])
    }

    pub fn u2(&mut self, v: u16) {
        self.bytes(&v.to_be_bytes())
    }

    pub fn u4(&mut self, v: u32) {
        self.bytes(&v.to_be_bytes())
    }

    pub fn u8(&mut self, v: u64) {
        self.bytes(&v.to_be_bytes())
    }

    /// An identifier: the address of what it stands for.
    pub fn id(&mut self, address: usize) {
        self.u8(address as u64)
    }

    /// The header of a record outside the heap dump, whose body of `length` bytes follows.
    pub fn record(&mut self, tag: u8, length: u32) {
        debug_assert!(!self.in_segment);
        self.u1(tag);
        // Microseconds since the time stamp of the file.
        self.u4(0);
        self.u4(length);
    }

    /// Begins a sub-record of the heap dump, of `bytes` bytes in all, which the caller writes next.
    pub fn sub_record(&mut self, bytes: usize) {
        if self.in_segment && self.buffer.len() + bytes > SEGMENT_BYTES {
            self.end_segment();
        }
        if bytes > SEGMENT_BYTES {
            // A segment of its own, which goes to the file as it is made.
            if self.in_segment {
                self.end_segment();
            }
            self.record(HEAP_DUMP_SEGMENT, u32::try_from(bytes).expect("arrays are cut to what a segment holds"));
        } else if !self.in_segment {
            self.flush();
            self.record(HEAP_DUMP_SEGMENT, 0);
            self.in_segment = true;
        }
    }

    fn end_segment(&mut self) {
        let length = (self.buffer.len() - RECORD_HEADER) as u32;
        self.buffer[RECORD_HEADER - 4..RECORD_HEADER].copy_from_slice(&length.to_be_bytes());
        self.in_segment = false;
        self.flush();
    }

    /// Ends dump and file; its size in bytes, or the first error there was.
    pub fn finish(mut self) -> io::Result<u64> {
        if self.in_segment {
            self.end_segment();
        }
        self.record(HEAP_DUMP_END, 0);
        self.flush();
        if let Some(e) = self.error {
            return Err(e);
        }
        let file = match self.out {
            Output::Plain(f) => f,
            Output::Gzip(mut blocks) => {
                blocks.end_block()?;
                blocks.file
            }
        };
        file.metadata().map(|m| m.len())
    }
}
