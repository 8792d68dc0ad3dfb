//! The interpreter (design.md section 5).

pub mod call;
pub mod frame;
pub mod fuse;
pub mod insn;
pub mod messages;
pub mod monitors;
pub mod npe_message;
pub mod op;
pub mod prepare;
pub mod quicken;
pub mod run;
pub mod semantics;
pub mod slot_types;
pub mod slow;
pub mod unwind;
