//! Java threads: OS threads, states, safepoints, monitors (design.md section 4).

pub mod deflation;
pub mod lifecycle;
pub mod monitor;
mod monitor_table;
pub mod park;
mod registers;
pub mod registry;
pub mod safepoint;
pub mod state;
pub mod status;
pub mod stackwalk;
pub mod stale;
pub mod thread;
pub mod thread_data;
pub mod waits;

pub use thread::JavaThread;
