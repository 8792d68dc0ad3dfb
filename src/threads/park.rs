//! Parking, sleeping and interruption.

/// The permit of `LockSupport.park`.
#[derive(Default)]
pub struct Parker {}

/// Wakes a thread from sleep and wait when it is interrupted.
#[derive(Default)]
pub struct InterruptEvent {}
