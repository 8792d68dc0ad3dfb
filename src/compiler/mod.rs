//! The compilers (design.md section 6): bytecode to SSA, passes, lowering, register allocation, machine code.

#![forbid(unsafe_code)]

pub mod backend;
pub mod build;
pub mod broker;
pub mod command;
pub mod dependencies;
pub mod inlining;
pub mod ir;
pub mod log;
pub mod lower;
pub mod passes;
pub mod pipeline;
pub mod queue;
pub mod refusal;
pub mod statistics;
pub mod world;
