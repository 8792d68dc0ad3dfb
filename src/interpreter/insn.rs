//! Prepared code: the private copy of a method's bytecode that the interpreter runs.
//!
//! Every bytecode becomes one fixed-width instruction with its operands decoded, so that the
//! mapping between bytecode indices and instructions is one table, and quickening replaces one
//! instruction by a single 64-bit store.

use super::op::Op;
use crate::heap::roots::RootSlot;
use crate::meta::class::ClassRef;
use crate::meta::method::{Method, MethodRef};
use std::sync::atomic::{AtomicU64, Ordering};

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

impl Insn {
    /// An instruction with both operands.
    pub const fn new(op: Op, a: u16, b: u32) -> Insn {
        Insn { op: op as u16, a, b }
    }

    /// As the loop reads it: operation in bits 0 to 15, `a` in 16 to 31, `b` in 32 to 63.
    pub const fn bits(self) -> u64 {
        self.op as u64 | (self.a as u64) << 16 | (self.b as u64) << 32
    }

    /// The instruction with these bits.
    pub const fn from_bits(bits: u64) -> Insn {
        Insn { op: bits as u16, a: (bits >> 16) as u16, b: (bits >> 32) as u32 }
    }

    /// The operation.
    pub fn operation(self) -> Op {
        Op::ALL[self.op as usize]
    }
}

/// The prepared instructions of a method with the two-way map to bytecode indices.
pub struct PreparedCode {
    pub insns: Box<[AtomicU64]>,
    /// Slots from a frame's first local to its fixed part: locals, then monitor records.
    pub frame_slots: u32,
    /// Of these, monitor records.
    pub monitor_slots: u32,
    /// Slots beyond the fixed part: operand stack.
    pub extent: u32,
    /// Bytecode index of each instruction.
    pub bci: Box<[u16]>,
    /// Instruction at each bytecode index (u32::MAX between instructions).
    pub by_bci: Box<[u32]>,
    /// Switch tables, referred to by index.
    pub tables: Box<[SwitchTable]>,
}

impl PreparedCode {
    /// Address of the instruction at `bci`, which must start a bytecode.
    pub fn at_bci(&self, bci: usize) -> *const Insn {
        &self.insns[self.by_bci[bci] as usize] as *const AtomicU64 as *const Insn
    }
}

/// A `tableswitch` or `lookupswitch` with targets as displacements in instructions from the
/// switch itself.
#[derive(Debug)]
pub enum SwitchTable {
    Table { low: i32, targets: Box<[i32]>, default: i32 },
    Lookup { keys: Box<[i32]>, targets: Box<[i32]>, default: i32 },
}

impl SwitchTable {
    /// Where `key` leads.
    #[inline]
    pub fn target(&self, key: i32) -> i32 {
        match self {
            SwitchTable::Table { low, targets, default } => {
                targets.get(key.wrapping_sub(*low) as u32 as usize).copied().unwrap_or(*default)
            }
            SwitchTable::Lookup { keys, targets, default } => {
                keys.binary_search(&key).map_or(*default, |i| targets[i])
            }
        }
    }
}

/// A call that looks at the receiver's class, with an inline cache.
#[repr(C)]
pub struct ReceiverSite {
    /// Class word in the low half, address of the selected method in the high half: one word,
    /// so that both are always of the same pair.
    pub cache: AtomicU64,
    /// The resolved method.
    pub method: MethodRef,
    pub kind: SiteKind,
}

/// What the call at a `ReceiverSite` asks of its receivers' classes.
#[derive(Clone, Copy)]
pub enum SiteKind {
    /// `invokevirtual` of a method without a vtable index: selects.
    Virtual,
    /// `invokeinterface` that names this interface: they implement it; selects.
    Interface(ClassRef),
    /// `invokespecial` in this interface: they are subtypes of it. Always the resolved method.
    Special(ClassRef),
}

/// In the low half of a `ReceiverSite::cache` whose class has been unloaded: no class word.
const EMPTIED: u64 = 1;

impl ReceiverSite {
    /// Empties the cache if it is for a class that is `dead`. (The site remains one that has been executed.) In a pause.
    pub fn purge(&self, dead: impl Fn(usize) -> bool) {
        if dead(self.cache.load(Ordering::Relaxed) as u32 as usize) {
            self.cache.store(EMPTIED, Ordering::Relaxed);
        }
    }

    /// The cached method if it is for `class_word`.
    #[inline(always)]
    pub fn cached(&self, class_word: u32) -> Option<MethodRef> {
        let pair = self.cache.load(Ordering::Acquire);
        // SAFETY: the high half is the address of a Method that the receiver's class keeps.
        (pair as u32 == class_word).then(|| unsafe { &*((pair >> 32) as usize as *const Method) })
    }
}

/// A linked `invokedynamic` or signature-polymorphic call.
#[repr(C)]
pub struct LinkedSite {
    pub adapter: MethodRef,
    /// `None`: no appendix argument.
    pub appendix: Option<&'static RootSlot>,
}
