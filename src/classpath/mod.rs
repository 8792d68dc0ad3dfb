//! Where the bytes of classes and resources come from: the run-time image, jars and directories.

#![forbid(unsafe_code)]

mod boot_path;
mod directory;
mod error;
mod jar;
mod jimage;
mod manifest;

pub use boot_path::{BootPath, Found, Origin};
pub use directory::Directory;
pub use error::{ClassPathError, ErrorKind};
pub use jar::Jar;
pub use jimage::{Entry as ImageEntry, JImage, Resource};
pub use manifest::Manifest;
