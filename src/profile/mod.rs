//! Counters, method profiles and the tier policy (issue 3 fills in the policy).

pub mod policy;

use parking_lot::Mutex;

/// What the interpreter learns of one bytecode.
#[derive(Debug, Clone, Default)]
pub struct SiteProfile {
    /// Times reached (calls, type checks) or branch taken.
    pub count: u32,
    /// For branches: times not taken.
    pub not_taken: u32,
    /// A null was seen (type checks, receivers).
    pub null_seen: bool,
    /// Receiver or checked classes (class word, count), most at first come.
    pub types: [(u32, u32); 2],
    /// Times a class not among `types` was seen.
    pub megamorphic: u32,
    /// Deoptimizations at this bytecode.
    pub traps: u32,
}

/// The profile of one method, attached once it is warm.
#[derive(Debug, Default)]
pub struct MethodProfile {
    /// By bytecode index.
    pub sites: Mutex<std::collections::BTreeMap<u16, SiteProfile>>,
}
