//! `kiln`: runs Java programs as `java` does, on Kiln's `libjvm.so`.
//!
//! The launcher only finds a JDK and our library; everything else (options, argument files,
//! manifests, messages) is done by the JDK's own `libjli`, see [`launcher`].
//!
//! There is no Rust `main`: Rust's runtime would ignore SIGPIPE and install SIGSEGV handlers before
//! the VM starts, and both would be inherited by the VM and by the processes that Java code starts.
#![cfg_attr(not(test), no_main)]

mod launcher;


/// The C entry point. The arguments are taken from `std::env::args_os`, which glibc fills in before
/// `main` is called, so that nothing here reads through `_argv`.
#[cfg(not(test))]
#[no_mangle]
pub extern "C" fn main(_argc: std::ffi::c_int, _argv: *const *const std::ffi::c_char) -> std::ffi::c_int {
    match launcher::run(std::env::args_os().collect()) {
        Ok(code) => code,
        Err(message) => {
            eprintln!("Error: {message}");
            1
        }
    }
}

/// Under test the harness brings its own `main`; this keeps the launcher in the build.
#[cfg(test)]
const _: fn(Vec<std::ffi::OsString>) -> Result<i32, String> = launcher::run;
