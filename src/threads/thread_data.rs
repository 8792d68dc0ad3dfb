//! Per-thread data of the VM's parts that machine code does not touch.

/// Grouped by the part that owns it.
#[derive(Default)]
pub struct ThreadData {}
