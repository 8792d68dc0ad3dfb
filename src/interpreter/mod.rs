//! The interpreter (design.md section 5).

pub mod call;
pub mod frame;
pub mod insn;
