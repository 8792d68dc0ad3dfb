//! A cursor over the class file's bytes.

use super::error::FormatError;

/// Reads big-endian numbers; running out of bytes is "Truncated class file".
#[derive(Clone, Debug)]
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    position: usize,
}

#[cold]
fn truncated() -> FormatError {
    FormatError::class_format("Truncated class file")
}

impl<'a> Reader<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Reader { bytes, position: 0 }
    }

    /// A second cursor over the same bytes, at `position`.
    pub fn at(&self, position: usize) -> Reader<'a> {
        Reader { bytes: self.bytes, position: position.min(self.bytes.len()) }
    }

    /// All the bytes, read or not.
    pub fn whole(&self) -> &'a [u8] {
        self.bytes
    }

    pub fn position(&self) -> usize {
        self.position
    }

    /// Bytes not read yet.
    pub fn remaining(&self) -> usize {
        self.bytes.len() - self.position
    }

    pub fn at_end(&self) -> bool {
        self.position == self.bytes.len()
    }

    /// Fails unless `count` bytes are left.
    #[inline]
    pub fn need(&self, count: usize) -> Result<(), FormatError> {
        if self.bytes.len() - self.position >= count {
            Ok(())
        } else {
            Err(truncated())
        }
    }

    #[inline]
    pub fn bytes(&mut self, count: usize) -> Result<&'a [u8], FormatError> {
        let rest = self.bytes.get(self.position..).unwrap_or(b"");
        let taken = rest.get(..count).ok_or_else(truncated)?;
        self.position += count;
        Ok(taken)
    }

    #[inline]
    pub fn skip(&mut self, count: usize) -> Result<(), FormatError> {
        self.bytes(count).map(drop)
    }

    /// Skips `count` bytes after which there must be one more.
    #[inline]
    pub fn skip_with_tag(&mut self, count: usize) -> Result<(), FormatError> {
        self.need(count + 1)?;
        self.skip(count)
    }

    #[inline]
    fn array<const N: usize>(&mut self) -> Result<[u8; N], FormatError> {
        self.bytes(N)?.try_into().map_err(|_| truncated())
    }

    #[inline]
    pub fn u8(&mut self) -> Result<u8, FormatError> {
        self.array().map(|[byte]| byte)
    }

    #[inline]
    pub fn u16(&mut self) -> Result<u16, FormatError> {
        self.array().map(u16::from_be_bytes)
    }

    #[inline]
    pub fn u32(&mut self) -> Result<u32, FormatError> {
        self.array().map(u32::from_be_bytes)
    }
}
