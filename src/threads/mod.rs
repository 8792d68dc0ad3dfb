//! Java threads: OS threads, states, safepoints, monitors (design.md section 4).

pub mod monitor;
pub mod park;
pub mod stackwalk;
pub mod thread;
pub mod thread_data;

pub use thread::JavaThread;
