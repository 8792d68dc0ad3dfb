//! Mapping files into memory.

use std::fs::File;
use std::io;

use memmap2::Mmap;

/// Maps the whole of `file` for reading, privately. An empty file cannot be mapped: that is an
/// error of kind `InvalidInput`.
pub fn map_read_only(file: &File) -> io::Result<Mmap> {
    // SAFETY: the mapping is read-only. Its contents can change only if another process writes to
    // the file or cuts it short, which for the files of an installed JDK is as much a broken
    // installation as overwriting the program's own code; every JVM maps them so.
    unsafe { Mmap::map(file) }
}
