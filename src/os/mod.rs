//! What the operating system is asked for directly.

pub mod mmap;
