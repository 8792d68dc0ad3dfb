//! `OpenJDK 64-Bit Server VM warning: …` on standard error.

use std::sync::atomic::{AtomicBool, Ordering};

/// The VM's name: the property `java.vm.name` and the start of every warning. Tools look for
/// "OpenJDK" in it and compare warnings with HotSpot's, so it is HotSpot's name.
pub const VM_NAME: &str = "OpenJDK 64-Bit Server VM";

static ENABLED: AtomicBool = AtomicBool::new(true);

/// Turns warnings on or off: `-XX:±PrintWarnings`.
pub fn set_warnings_enabled(enabled: bool) {
    ENABLED.store(enabled, Ordering::Relaxed);
}

/// Prints a warning to standard error, unless warnings are off. Use [`crate::vm_warning!`].
pub fn warning(message: std::fmt::Arguments<'_>) {
    if ENABLED.load(Ordering::Relaxed) {
        crate::vm_err!("{VM_NAME} warning: {message}\n");
    }
}

/// Prints `OpenJDK 64-Bit Server VM warning: …` to standard error; takes `format!`'s arguments.
#[macro_export]
macro_rules! vm_warning {
    ($($arg:tt)+) => { $crate::observe::warning(::std::format_args!($($arg)+)) };
}
