//! Compiled code at run time: the code cache, compiled methods and their metadata, stubs.

pub mod abi;
pub mod assembled;
