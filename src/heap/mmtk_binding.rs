//! MMTk binding (design.md section 10).

/// The VM type MMTk is parameterized with.
#[derive(Default)]
pub struct Kiln;
