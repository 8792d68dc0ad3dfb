//! The heap: object layout, MMTk binding, allocation, barriers, references, roots
//! (design.md sections 3 and 10).

pub mod access;
pub mod alloc;
pub mod layout;
pub mod mmtk_binding;
pub mod roots;
pub mod strings;
