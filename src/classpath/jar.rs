//! Jar files. Multi-release versions are the application loaders' matter, which are Java code: here
//! only the entries at the top count.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::DeflateDecoder;
use parking_lot::Mutex;
use zip::result::ZipError;
use zip::{CompressionMethod, ZipArchive};

use super::error::ClassPathError;
use super::manifest::Manifest;

/// The largest entry that is read: Java arrays have at most this many elements.
const MAX_ENTRY_SIZE: u64 = i32::MAX as u64;
/// Deflate's best ratio is 1032 to 1: what an entry declares beyond that is not worth allocating.
const MAX_DEFLATE_RATIO: u64 = 1032;

/// An opened jar or zip file.
#[derive(Debug)]
pub struct Jar {
    path: PathBuf,
    // Reading an entry moves the file's position.
    archive: Mutex<ZipArchive<File>>,
}

impl Jar {
    /// Opens the file at `path` and reads its central directory.
    pub fn open(path: &Path) -> Result<Jar, ClassPathError> {
        let file = File::open(path).map_err(|error| ClassPathError::io(path, error))?;
        let archive = ZipArchive::new(file).map_err(|error| zip_error(path, error))?;
        Ok(Jar { path: path.to_owned(), archive: Mutex::new(archive) })
    }

    /// The file that was opened.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The contents of the entry called `name`.
    ///
    /// # Errors
    /// When the entry is damaged, encrypted, compressed other than by deflate, or larger than a
    /// Java array.
    pub fn find(&self, name: &[u8]) -> Result<Option<Vec<u8>>, ClassPathError> {
        let mut archive = self.archive.lock();
        let Some(index) = archive.index_for_name_raw(name) else { return Ok(None) };
        let entry = archive.by_index_raw(index).map_err(|error| zip_error(&self.path, error))?;
        let size = entry.size();
        let about = |what: String| {
            let name = String::from_utf8_lossy(name).into_owned();
            ClassPathError::corrupt(&self.path, format!("entry {name}: {what}"))
        };
        if size > MAX_ENTRY_SIZE {
            return Err(about(format!("{size} bytes are more than a Java array can hold")));
        }
        let plausible = entry.compressed_size().saturating_mul(MAX_DEFLATE_RATIO);
        let mut contents = Vec::with_capacity(size.min(plausible) as usize);
        if entry.encrypted() {
            return Err(about("it is encrypted".into()));
        }
        // One byte more than declared, to notice if there is more. The checksum is not looked at,
        // as HotSpot's boot loader does not: what is wrong with a class file its parser says.
        let limit = size + 1;
        let read = match entry.compression() {
            CompressionMethod::Stored => entry.take(limit).read_to_end(&mut contents),
            CompressionMethod::Deflated => DeflateDecoder::new(entry).take(limit).read_to_end(&mut contents),
            other => return Err(about(format!("its compression method {other} is not supported"))),
        };
        read.map_err(|error| about(error.to_string()))?;
        if contents.len() as u64 != size {
            return Err(about(format!("it does not have the {size} bytes that it declares")));
        }
        Ok(Some(contents))
    }

    /// The names of all entries, directories (which end in `/`) included.
    pub fn names(&self) -> Vec<Vec<u8>> {
        self.archive.lock().file_names_raw().map(<[u8]>::to_vec).collect()
    }

    /// The manifest; `None` if the jar has none.
    ///
    /// # Errors
    /// As [`Jar::find`].
    pub fn manifest(&self) -> Result<Option<Manifest>, ClassPathError> {
        const NAME: &[u8] = b"META-INF/MANIFEST.MF";
        if let Some(contents) = self.find(NAME)? {
            return Ok(Some(Manifest::parse(&contents)));
        }
        // The jar specification wants names in META-INF recognized in any case.
        let other = self.names().into_iter().find(|name| name.eq_ignore_ascii_case(NAME));
        match other {
            Some(name) => Ok(self.find(&name)?.map(|contents| Manifest::parse(&contents))),
            None => Ok(None),
        }
    }
}

fn zip_error(path: &Path, error: ZipError) -> ClassPathError {
    match error {
        ZipError::Io(error) => ClassPathError::io(path, error),
        ZipError::UnsupportedArchive(what) => ClassPathError::unsupported(path, what),
        error => ClassPathError::corrupt(path, error.to_string()),
    }
}

#[cfg(test)]
#[path = "jar_tests.rs"]
mod tests;
