//! Compiled code at run time: the code cache, compiled methods and their metadata, stubs.

pub mod abi;
pub mod adapters;
pub mod assembled;
pub mod cache;
pub mod compiled;
pub mod dependencies;
pub mod frames;
pub mod inline_cache;
pub mod osr;
pub mod runtime;
pub mod stubs;
pub mod sweep;
pub mod unload;
pub mod unwind;

pub use compiled::{install, make_not_entrant, Compilation, CompiledMethod, InstallError};

/// Reserves the code cache and makes the stubs: before the first `Method` is made, if there are to be compilers.
/// Errors: the message of what the operating system refused.
pub fn initialize(reserved_bytes: usize) -> Result<(), String> {
    let cache = cache::reserve(reserved_bytes)
        .map_err(|e| format!("Could not reserve enough space for code cache ({reserved_bytes} bytes): {e}"))?;
    stubs::generate(cache);
    Ok(())
}
