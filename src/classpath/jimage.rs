//! The run-time image `lib/modules`, format version 1.0.
//!
//! A header of seven 32-bit numbers is followed by four tables (redirect, offsets, locations,
//! strings) and then by the resources. A path such as `/java.base/java/lang/Object.class` is hashed
//! to a slot of the redirect table, which says which slot of the offsets table to use or with which
//! seed to hash again; that slot leads to the location: a list of attributes, among them the parts
//! of the path, which must be compared, and where the resource is. Numbers in the tables are in the
//! byte order of the machine that the image is for: little-endian, for all that we run on.
//!
//! Nothing in the image is believed: every number is checked against the image's size where it is
//! used, so that a damaged one gives an error and never a panic.

use std::borrow::Cow;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use memmap2::Mmap;

use super::error::ClassPathError;
use crate::os::mmap;

const MAGIC: u32 = 0xcafe_dada;
const MAJOR_VERSION: u32 = 1;
const MINOR_VERSION: u32 = 0;
const HEADER_SIZE: usize = 28;
/// Multiplier of the hash, and its seed when the redirect table gives none.
const HASH_MULTIPLIER: u32 = 0x0100_0193;

const RESOURCE_MAGIC: u32 = 0xcafe_fafa;
const RESOURCE_HEADER_SIZE: usize = 29;
/// A resource may be compressed several times over; the class library's tools do it at most twice.
const MAX_COMPRESSIONS: usize = 8;
/// Deflate's best ratio is 1032 to 1: a declared size beyond that is a lie, not worth allocating.
const MAX_DEFLATE_RATIO: u64 = 1032;

/// The contents of a resource: borrowed from the mapped image unless it had to be decompressed.
pub type Resource<'i> = Cow<'i, [u8]>;

/// Where the tables begin.
#[derive(Clone, Copy, Debug)]
struct Layout {
    table_length: u32,
    redirect: usize,
    offsets: usize,
    locations: usize,
    strings: usize,
    resources: usize,
}

/// An opened run-time image.
#[derive(Debug)]
pub struct JImage {
    path: PathBuf,
    bytes: Mmap,
    layout: Layout,
}

/// The attributes of a location.
#[derive(Clone, Copy, Debug, Default)]
struct Location {
    module: u64,
    parent: u64,
    base: u64,
    extension: u64,
    offset: u64,
    compressed: u64,
    uncompressed: u64,
}

/// An entry of the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'i> {
    /// The module; `modules` or `packages` or empty for the image's own directories.
    pub module: &'i str,
    /// The package in internal form, perhaps empty.
    pub parent: &'i str,
    /// The file name without extension.
    pub base: &'i str,
    /// The extension without dot, perhaps empty.
    pub extension: &'i str,
    /// Bytes that the resource has once decompressed.
    pub size: u64,
    /// Where its location is in the locations table.
    location: u32,
}

impl Entry<'_> {
    /// The path within the module: `java/lang/Object.class`.
    pub fn name(&self) -> String {
        let mut name = String::new();
        if !self.parent.is_empty() {
            name.push_str(self.parent);
            name.push('/');
        }
        name.push_str(self.base);
        if !self.extension.is_empty() {
            name.push('.');
            name.push_str(self.extension);
        }
        name
    }
}

fn hash(parts: &[&[u8]], seed: u32) -> u32 {
    parts.iter().copied().flatten().fold(seed, |hash, &byte| {
        hash.wrapping_mul(HASH_MULTIPLIER) ^ u32::from(byte)
    }) & 0x7fff_ffff
}

/// Takes `prefix` off the front of a path that is in several parts.
fn strip<'p>(path: &mut [&'p [u8]], mut prefix: &[u8]) -> Option<()> {
    for part in path.iter_mut() {
        let common = part.len().min(prefix.len());
        let (head, tail): (&'p [u8], &'p [u8]) = part.split_at(common);
        let (expected, rest) = prefix.split_at(common);
        if head != expected {
            return None;
        }
        *part = tail;
        prefix = rest;
        if prefix.is_empty() {
            return Some(());
        }
    }
    prefix.is_empty().then_some(())
}

impl JImage {
    /// Maps the image at `path` and checks its header.
    pub fn open(path: &Path) -> Result<JImage, ClassPathError> {
        let file = File::open(path).map_err(|error| ClassPathError::io(path, error))?;
        let length = file.metadata().map_err(|error| ClassPathError::io(path, error))?.len();
        if length < HEADER_SIZE as u64 {
            return Err(ClassPathError::corrupt(path, "it is too short for an image"));
        }
        let bytes = mmap::map_read_only(&file).map_err(|error| ClassPathError::io(path, error))?;
        let layout = Layout::read(&bytes, path)?;
        Ok(JImage { path: path.to_owned(), bytes, layout })
    }

    fn corrupt(&self, what: impl Into<String>) -> ClassPathError {
        ClassPathError::corrupt(&self.path, what)
    }

    /// The file that was opened.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn u32_at(&self, at: usize) -> Result<u32, ClassPathError> {
        u32_at(&self.bytes, at).ok_or_else(|| self.corrupt("a table is cut short"))
    }

    /// The string at `offset` of the strings table.
    fn string(&self, offset: u64) -> Result<&[u8], ClassPathError> {
        let table = &self.bytes[self.layout.strings..self.layout.resources];
        usize::try_from(offset)
            .ok()
            .and_then(|offset| table.get(offset..))
            .and_then(|rest| Some(&rest[..rest.iter().position(|&byte| byte == 0)?]))
            .ok_or_else(|| self.corrupt(format!("no string at offset {offset}")))
    }

    fn text(&self, offset: u64) -> Result<&str, ClassPathError> {
        std::str::from_utf8(self.string(offset)?)
            .map_err(|_| self.corrupt(format!("the string at offset {offset} is not UTF-8")))
    }

    /// The attributes that begin at `offset` of the locations table.
    fn location(&self, offset: u32) -> Result<Location, ClassPathError> {
        let table = &self.bytes[self.layout.locations..self.layout.strings];
        let cut_short = || self.corrupt("a location is cut short");
        let mut rest = table.get(offset as usize..).ok_or_else(cut_short)?;
        let mut location = Location::default();
        loop {
            let (&first, after) = rest.split_first().ok_or_else(cut_short)?;
            let length = usize::from(first & 7) + 1;
            let attribute = match first >> 3 {
                0 => return Ok(location),
                1 => &mut location.module,
                2 => &mut location.parent,
                3 => &mut location.base,
                4 => &mut location.extension,
                5 => &mut location.offset,
                6 => &mut location.compressed,
                7 => &mut location.uncompressed,
                kind => return Err(self.corrupt(format!("location attribute of kind {kind}"))),
            };
            let value = after.get(..length).ok_or_else(cut_short)?;
            *attribute = value.iter().fold(0, |value, &byte| value << 8 | u64::from(byte));
            rest = &after[length..];
        }
    }

    /// The location of the path that `parts` make up.
    fn find(&self, parts: &[&[u8]]) -> Result<Option<Location>, ClassPathError> {
        let length = self.layout.table_length;
        if length == 0 {
            return Ok(None);
        }
        let first = hash(parts, HASH_MULTIPLIER) % length;
        let redirect = self.u32_at(self.layout.redirect + 4 * first as usize)? as i32;
        let slot = match redirect {
            0 => return Ok(None),
            1.. => hash(parts, redirect as u32) % length,
            _ => !redirect as u32,
        };
        if slot >= length {
            return Err(self.corrupt(format!("redirection to slot {slot} of {length}")));
        }
        let offset = self.u32_at(self.layout.offsets + 4 * slot as usize)?;
        let location = self.location(offset)?;
        Ok(self.is_at(&location, parts)?.then_some(location))
    }

    /// Whether `location` is that of the path that `parts` make up, and not of one with the same
    /// hash.
    fn is_at(&self, location: &Location, parts: &[&[u8]]) -> Result<bool, ClassPathError> {
        let mut rest = [&b""[..]; 6];
        let Some(rest) = rest.get_mut(..parts.len()) else { return Ok(false) };
        rest.copy_from_slice(parts);
        let module = self.string(location.module)?;
        let parent = self.string(location.parent)?;
        let extension = self.string(location.extension)?;
        let base = self.string(location.base)?;
        let mut path: Vec<&[u8]> = Vec::with_capacity(8);
        if !module.is_empty() {
            path.extend([b"/", module, b"/"]);
        }
        if !parent.is_empty() {
            path.extend([parent, b"/"]);
        }
        path.push(base);
        if !extension.is_empty() {
            path.extend([b".", extension]);
        }
        let all = path.into_iter().all(|piece| strip(rest, piece).is_some());
        Ok(all && rest.iter().all(|part| part.is_empty()))
    }

    /// The resource `name` (`java/lang/Object.class`) of `module`.
    ///
    /// # Errors
    /// When the image is damaged, or the resource compressed in a way that we do not know.
    pub fn find_resource(
        &self,
        module: &str,
        name: &str,
    ) -> Result<Option<Resource<'_>>, ClassPathError> {
        self.find_parts(&[b"/", module.as_bytes(), b"/", name.as_bytes()])
    }

    /// The class with the internal name `class_name` (modified UTF-8) of `module`.
    ///
    /// # Errors
    /// As [`JImage::find_resource`].
    pub fn find_class(
        &self,
        module: &str,
        class_name: &[u8],
    ) -> Result<Option<Resource<'_>>, ClassPathError> {
        self.find_parts(&[b"/", module.as_bytes(), b"/", class_name, b".class"])
    }

    fn find_parts(&self, parts: &[&[u8]]) -> Result<Option<Resource<'_>>, ClassPathError> {
        match self.find(parts)? {
            Some(location) => self.contents(&location).map(Some),
            None => Ok(None),
        }
    }

    fn contents(&self, location: &Location) -> Result<Resource<'_>, ClassPathError> {
        let compressed = location.compressed != 0;
        let size = if compressed { location.compressed } else { location.uncompressed };
        let stored = usize::try_from(location.offset)
            .ok()
            .zip(usize::try_from(size).ok())
            .and_then(|(offset, size)| {
                let start = self.layout.resources.checked_add(offset)?;
                self.bytes.get(start..start.checked_add(size)?)
            })
            .ok_or_else(|| self.corrupt("a resource lies outside of the image"))?;
        if compressed {
            self.decompress(stored, location.uncompressed).map(Cow::Owned)
        } else {
            Ok(Cow::Borrowed(stored))
        }
    }

    /// Undoes compression after compression until `size` bytes without a header are left.
    fn decompress(&self, stored: &[u8], size: u64) -> Result<Vec<u8>, ClassPathError> {
        let mut current = Cow::Borrowed(stored);
        for _ in 0..MAX_COMPRESSIONS {
            if u32_at(&current, 0) != Some(RESOURCE_MAGIC) {
                break;
            }
            let next = self.decompress_once(&current)?;
            current = Cow::Owned(next);
        }
        if current.len() as u64 != size {
            return Err(self.corrupt(format!(
                "a compressed resource has {} bytes instead of {size}",
                current.len()
            )));
        }
        Ok(current.into_owned())
    }

    fn decompress_once(&self, resource: &[u8]) -> Result<Vec<u8>, ClassPathError> {
        let cut_short = || self.corrupt("a compressed resource is cut short");
        let (header, rest) =
            resource.split_at_checked(RESOURCE_HEADER_SIZE).ok_or_else(cut_short)?;
        let size = u64_at(header, 4).ok_or_else(cut_short)?;
        let uncompressed = u64_at(header, 12).ok_or_else(cut_short)?;
        let name_offset = u32_at(header, 20).ok_or_else(cut_short)?;
        let data = usize::try_from(size)
            .ok()
            .and_then(|size| rest.get(..size))
            .ok_or_else(cut_short)?;
        match self.text(u64::from(name_offset))? {
            "zip" => self.inflate(data, uncompressed),
            other => Err(ClassPathError::unsupported(
                &self.path,
                format!("resources compressed by jlink's plug-in '{other}'"),
            )),
        }
    }

    fn inflate(&self, data: &[u8], size: u64) -> Result<Vec<u8>, ClassPathError> {
        if size > (data.len() as u64).saturating_mul(MAX_DEFLATE_RATIO) {
            return Err(self.corrupt(format!("{size} bytes cannot come from {}", data.len())));
        }
        let mut out = Vec::with_capacity(size as usize);
        // One byte more than declared, to notice if there is more.
        flate2::read::ZlibDecoder::new(data)
            .take(size + 1)
            .read_to_end(&mut out)
            .map_err(|error| self.corrupt(format!("a compressed resource: {error}")))?;
        if out.len() as u64 != size {
            return Err(self.corrupt(format!("a compressed resource is not {size} bytes")));
        }
        Ok(out)
    }

    /// The module whose package `package` (internal form, `java/lang`) is: the first in which it is
    /// not empty.
    ///
    /// # Errors
    /// When the image is damaged.
    pub fn package_to_module(&self, package: &str) -> Result<Option<&str>, ClassPathError> {
        self.package_bytes_to_module(package.as_bytes())
    }

    pub(super) fn package_bytes_to_module(
        &self,
        package: &[u8],
    ) -> Result<Option<&str>, ClassPathError> {
        let dotted: Vec<u8> =
            package.iter().map(|&byte| if byte == b'/' { b'.' } else { byte }).collect();
        let Some(contents) = self.find_parts(&[b"/packages/", &dotted])? else {
            return Ok(None);
        };
        // Pairs of (is empty, offset of the module's name).
        for pair in contents.chunks_exact(8) {
            if let (Some(0), Some(name)) = (u32_at(pair, 0), u32_at(pair, 4)) {
                return self.text(u64::from(name)).map(Some);
            }
        }
        Ok(None)
    }

    /// All entries, in no particular order, the image's own directories included.
    pub fn entries(&self) -> impl Iterator<Item = Result<Entry<'_>, ClassPathError>> {
        (0..self.layout.table_length as usize).map(|slot| {
            let offset = self.u32_at(self.layout.offsets + 4 * slot)?;
            let location = self.location(offset)?;
            Ok(Entry {
                module: self.text(location.module)?,
                parent: self.text(location.parent)?,
                base: self.text(location.base)?,
                extension: self.text(location.extension)?,
                size: location.uncompressed,
                location: offset,
            })
        })
    }

    /// The contents of `entry`, which must be of this image.
    ///
    /// # Errors
    /// As [`JImage::find_resource`].
    pub fn read(&self, entry: &Entry<'_>) -> Result<Resource<'_>, ClassPathError> {
        self.contents(&self.location(entry.location)?)
    }

    /// The names of all modules, sorted. Looks at every entry, so ask once.
    ///
    /// # Errors
    /// When the image is damaged.
    pub fn modules(&self) -> Result<Vec<&str>, ClassPathError> {
        let mut modules = Vec::new();
        for entry in self.entries() {
            let module = entry?.module;
            let own = matches!(module, "" | "modules" | "packages");
            if !own && modules.last() != Some(&module) {
                modules.push(module);
            }
        }
        modules.sort_unstable();
        modules.dedup();
        Ok(modules)
    }
}

impl Layout {
    fn read(bytes: &[u8], path: &Path) -> Result<Layout, ClassPathError> {
        let field = |n: usize| {
            u32_at(bytes, 4 * n)
                .ok_or_else(|| ClassPathError::corrupt(path, "it is too short for an image"))
        };
        match field(0)? {
            MAGIC => {}
            magic if magic.swap_bytes() == MAGIC => {
                let what = "the image is for a big-endian machine";
                return Err(ClassPathError::unsupported(path, what));
            }
            magic => {
                let what = format!("it begins with {magic:#010x}: not a run-time image");
                return Err(ClassPathError::corrupt(path, what));
            }
        }
        let version = field(1)?;
        let (major, minor) = (version >> 16, version & 0xffff);
        if (major, minor) != (MAJOR_VERSION, MINOR_VERSION) {
            let what = format!("image format {major}.{minor}; only 1.0 is known");
            return Err(ClassPathError::unsupported(path, what));
        }
        let table_length = field(4)?;
        // In 64 bits none of this can overflow.
        let redirect = HEADER_SIZE as u64;
        let offsets = redirect + 4 * u64::from(table_length);
        let locations = offsets + 4 * u64::from(table_length);
        let strings = locations + u64::from(field(5)?);
        let resources = strings + u64::from(field(6)?);
        if resources > bytes.len() as u64 {
            return Err(ClassPathError::corrupt(path, "its tables are cut short"));
        }
        Ok(Layout {
            table_length,
            redirect: redirect as usize,
            offsets: offsets as usize,
            locations: locations as usize,
            strings: strings as usize,
            resources: resources as usize,
        })
    }
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at.checked_add(8)?)?.try_into().ok()?))
}

#[cfg(test)]
#[path = "jimage_tests.rs"]
mod tests;
