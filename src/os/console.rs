//! What the VM itself prints: to the embedder's `vfprintf` hook if there is one (option of
//! `JNI_CreateJavaVM`), else to the standard streams. And how it ends the process.

use super::jio;
use std::io::Write;

/// A standard stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stream {
    Out,
    Err,
}

/// Prints `text`. That a standard stream is gone there is nowhere to say.
pub fn write(stream: Stream, text: &[u8]) {
    if jio::write_to_hook(stream == Stream::Err, text) {
        return;
    }
    let _ = match stream {
        Stream::Out => {
            let mut out = std::io::stdout().lock();
            out.write_all(text).and_then(|()| out.flush())
        }
        Stream::Err => std::io::stderr().write_all(text),
    };
}

/// Prints to standard output; takes `format!`'s arguments.
#[macro_export]
macro_rules! vm_out {
    ($($arg:tt)+) => { $crate::os::console::write($crate::os::console::Stream::Out, format!($($arg)+).as_bytes()) };
}

/// Prints to standard error; takes `format!`'s arguments.
#[macro_export]
macro_rules! vm_err {
    ($($arg:tt)+) => { $crate::os::console::write($crate::os::console::Stream::Err, format!($($arg)+).as_bytes()) };
}

/// Ends the process: through the embedder's `exit` hook, if there is one and it does not come
/// back, else with the exit handlers of native libraries.
pub fn exit(code: i32) -> ! {
    if let Some(hook) = crate::jni::invocation::exit_hook() {
        hook(code);
    }
    // SAFETY: no preconditions.
    unsafe { libc::exit(code) }
}
