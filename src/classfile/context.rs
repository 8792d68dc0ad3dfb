//! What every check needs to know: the class's name for messages, its version, how strict to be.

use super::error::FormatError;
use super::mutf8;

/// The longest message, in bytes of modified UTF-8: HotSpot formats into a buffer of 1024.
const MAX_MESSAGE: usize = 1023;

/// The class file at hand.
pub(super) struct Context<'n> {
    /// Internal name, modified UTF-8: the one asked for, or once it is read the one found.
    pub class_name: &'n [u8],
    /// Its major version; 0 until it is read.
    pub major_version: u16,
    /// [`super::ParseOptions::check_format`]
    pub check_format: bool,
    /// [`super::ParseOptions::relax_names`]
    pub relax_names: bool,
}

impl Context<'_> {
    /// A ClassFormatError; the first `%s` in `text` is the class.
    #[cold]
    pub fn error(&self, text: &str) -> FormatError {
        class_format(text.replacen("%s", &mutf8::to_string(self.class_name), 1))
    }

    /// A ClassFormatError; `%u` in `text` is `number` and `%s` the class.
    #[cold]
    pub fn error_with(&self, text: &str, number: u32) -> FormatError {
        self.error(&text.replacen("%u", &number.to_string(), 1))
    }

    /// A ClassFormatError about the texts `about`, which replace the first `%s`s in `text`; the
    /// next `%s` is the class.
    #[cold]
    pub fn error_about(&self, text: &str, about: &[&[u8]]) -> FormatError {
        let mut arguments = about.iter().copied().chain([self.class_name]).map(mutf8::to_string);
        let mut message = String::new();
        for (n, part) in text.split("%s").enumerate() {
            if n > 0 {
                message.push_str(&arguments.next().unwrap_or_default());
            }
            message.push_str(part);
        }
        class_format(message)
    }

    /// A name or descriptor that does not go with `kind` ("Method", "Field", ...).
    #[cold]
    pub fn illegal_signature(&self, kind: &str, name: &[u8], descriptor: &[u8]) -> FormatError {
        class_format(format!(
            "{kind} \"{}\" in class {} has illegal signature \"{}\"",
            mutf8::to_string(name),
            mutf8::to_string(self.class_name),
            mutf8::to_string(descriptor)
        ))
    }

    /// Fails with `text` about the class unless `holds`.
    #[inline]
    pub fn require(&self, holds: bool, text: &str) -> Result<(), FormatError> {
        if holds {
            Ok(())
        } else {
            Err(self.error(text))
        }
    }

    /// Fails with `text` about `number` and the class unless `holds`.
    #[inline]
    pub fn require_with(&self, holds: bool, text: &str, number: u32) -> Result<(), FormatError> {
        if holds {
            Ok(())
        } else {
            Err(self.error_with(text, number))
        }
    }
}

#[cold]
fn class_format(mut message: String) -> FormatError {
    if message.len() > MAX_MESSAGE {
        let end = (0..=MAX_MESSAGE).rev().find(|&at| message.is_char_boundary(at)).unwrap_or(0);
        message.truncate(end);
    }
    FormatError::class_format(message)
}
