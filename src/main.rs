//! `kiln`: runs Java programs as `java` does, on Kiln's `libjvm.so`.
//!
//! The launcher only finds a JDK and our library; everything else (options, argument files,
//! manifests, messages) is done by the JDK's own `libjli`, see [`launcher`].
//!
//! There is no Rust `main`: Rust's runtime would ignore SIGPIPE and install SIGSEGV handlers before
//! the VM starts, and both would be inherited by the VM and by the processes that Java code starts.
#![no_main]

mod launcher;

use std::ffi::{c_char, c_int};

/// The C entry point. The arguments are taken from `std::env::args_os`, which glibc fills in before
/// `main` is called, so that nothing here reads through `_argv`.
#[no_mangle]
pub extern "C" fn main(_argc: c_int, _argv: *const *const c_char) -> c_int {
    match launcher::run(std::env::args_os().collect()) {
        Ok(code) => code,
        Err(message) => {
            eprintln!("Error: {message}");
            1
        }
    }
}
