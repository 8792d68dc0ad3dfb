//! Kiln's `libjvm.so`: the crate map is in ARCHITECTURE.md.

pub mod classfile;
pub mod classpath;
pub mod options;
pub mod verify;
