//! What the VM tells about itself: unified logging, warnings.

pub mod attach;
pub mod dcmd;
pub mod log;
pub mod perf_data;
pub mod thread_dump;
pub mod value_based;
mod warning;

pub use warning::{set_warnings_enabled, warning, VM_NAME};
