//! Prepared code: the private copy of a method's bytecode that the interpreter runs.
//!
//! Every bytecode becomes one fixed-width instruction with its operands decoded, so that the
//! mapping between bytecode indices and instructions is one table, and quickening replaces one
//! instruction by a single 64-bit store.

/// One prepared instruction. Rewritten as a whole (`AtomicU64`), never torn.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(C, align(8))]
pub struct Insn {
    /// Operation, see `interpreter::op`.
    pub op: u16,
    /// Small operand: local index, dimensions, argument slots.
    pub a: u16,
    /// Large operand: constant, branch displacement in instructions, field offset, or the
    /// 32-bit address of metadata (Class, Method, Field, RootSlot, CallSite).
    pub b: u32,
}

/// The prepared instructions of a method with the two-way map to bytecode indices.
pub struct PreparedCode {
    pub insns: Box<[std::sync::atomic::AtomicU64]>,
    /// Bytecode index of each instruction.
    pub bci: Box<[u16]>,
    /// Instruction at each bytecode index (u32::MAX between instructions).
    pub by_bci: Box<[u32]>,
    /// Switch tables, referred to by index.
    pub tables: Box<[SwitchTable]>,
}

/// A `tableswitch` or `lookupswitch` with targets as instruction numbers.
pub enum SwitchTable {
    Table { low: i32, targets: Box<[u32]>, default: u32 },
    Lookup { keys: Box<[i32]>, targets: Box<[u32]>, default: u32 },
}
