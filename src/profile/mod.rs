//! Counters, method profiles and the tier policy.

pub mod data;
pub mod policy;
pub mod thresholds;

pub use data::MethodProfile;
