//! Directories of class files.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::error::ClassPathError;

/// A directory on the class path.
#[derive(Clone, Debug)]
pub struct Directory {
    root: PathBuf,
}

impl Directory {
    /// The directory at `root`, which need not exist yet.
    pub fn new(root: &Path) -> Directory {
        Directory { root: root.to_owned() }
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.root
    }

    /// The contents of the file `name`, relative to the directory. A name with a part that is empty,
    /// `.` or `..` names nothing.
    ///
    /// # Errors
    /// When the file is there but cannot be read.
    pub fn find(&self, name: &[u8]) -> Result<Option<Vec<u8>>, ClassPathError> {
        let strange = |part: &[u8]| matches!(part, b"" | b"." | b"..") || part.contains(&0);
        if name.split(|&byte| byte == b'/').any(strange) {
            return Ok(None);
        }
        let path = self.root.join(OsStr::from_bytes(name));
        match fs::read(&path) {
            Ok(contents) => Ok(Some(contents)),
            Err(error) => match error.kind() {
                io::ErrorKind::NotFound
                | io::ErrorKind::NotADirectory
                | io::ErrorKind::IsADirectory
                | io::ErrorKind::InvalidFilename => Ok(None),
                _ => Err(ClassPathError::io(&path, error)),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_files_below_it_only() {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let directory = Directory::new(&source);
        let found = directory.find(b"classpath/directory.rs").expect("readable").expect("there");
        assert!(found.starts_with(b"//! Directories of class files."));
        for name in [&b"../Cargo.toml"[..], b"classpath/nothing", b"lib.rs/x", b"classpath", b"",
            b"./lib.rs", b"/etc/passwd", b"lib.rs\0"]
        {
            assert!(directory.find(name).expect("no error").is_none(), "{}", name.escape_ascii());
        }
    }
}
