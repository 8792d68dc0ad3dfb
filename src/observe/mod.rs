//! What the VM tells about itself: unified logging, warnings.

pub mod log;
mod warning;

pub use warning::{set_warnings_enabled, warning, VM_NAME};
