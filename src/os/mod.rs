//! What the operating system is asked for directly.

pub mod java_home;
pub mod console;
pub mod jio;
pub mod mmap;
pub mod signals;
