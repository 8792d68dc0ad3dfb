//! What can go wrong with a place where classes come from.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// A jimage, jar or directory that cannot be read, and why.
#[derive(Debug)]
pub struct ClassPathError {
    /// The file at fault.
    pub path: PathBuf,
    /// What is wrong with it.
    pub kind: ErrorKind,
}

/// What is wrong with a jimage, jar or directory.
#[derive(Debug)]
pub enum ErrorKind {
    /// The operating system said so.
    Io(io::Error),
    /// The contents are not what they should be.
    Corrupt(String),
    /// The contents are of a kind that we do not know.
    Unsupported(String),
}

impl ClassPathError {
    pub(super) fn io(path: &Path, error: io::Error) -> Self {
        ClassPathError { path: path.to_owned(), kind: ErrorKind::Io(error) }
    }
    pub(super) fn corrupt(path: &Path, what: impl Into<String>) -> Self {
        ClassPathError { path: path.to_owned(), kind: ErrorKind::Corrupt(what.into()) }
    }
    pub(super) fn unsupported(path: &Path, what: impl Into<String>) -> Self {
        ClassPathError { path: path.to_owned(), kind: ErrorKind::Unsupported(what.into()) }
    }
}

impl fmt::Display for ClassPathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        match &self.kind {
            ErrorKind::Io(error) => write!(f, "{path}: {error}"),
            ErrorKind::Corrupt(what) => write!(f, "{path} is corrupt: {what}"),
            ErrorKind::Unsupported(what) => write!(f, "{path} is not supported: {what}"),
        }
    }
}

impl std::error::Error for ClassPathError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.kind {
            ErrorKind::Io(error) => Some(error),
            ErrorKind::Corrupt(_) | ErrorKind::Unsupported(_) => None,
        }
    }
}
