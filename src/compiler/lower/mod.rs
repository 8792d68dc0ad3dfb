//! From SSA to the low-level IR.
//!
//! Blocks are visited after all that they dominate and their instructions backwards, so that every use of a value is seen before
//! its definition: an instruction without effect that nothing has asked a register of is not emitted, be it
//! unused or part of what used it (a comparison in its branch, a constant in an immediate).
//!
//! Constants have no registers: each use makes its own. Values that are another one in the machine (checked
//! values, parameters of blocks with one predecessor, truncations) share its register.

mod arith;
mod blocks;
mod call;
mod divide;
mod layout;
mod memory;
mod nulls;
mod state;
mod tests_of;
mod values;

use super::backend::lir::{self, Block as LBlock, Inst, InstData, Reg};
use super::backend::{Machine, Options};
use super::ir::{self, Function, Type};
use super::refusal::Refusal;
use cranelift_entity::packed_option::PackedOption;
use cranelift_entity::SecondaryMap;
use regalloc2::RegClass;
use rustc_hash::FxHashMap;
use std::marker::PhantomData;

/// Lowers `f` for processor `M`.
pub fn lower<M: Machine>(f: &Function, options: &Options) -> Result<lir::Function, Refusal> {
    let mut l = Lower::<M>::new(f, options);
    l.blocks()?;
    Ok(l.finish())
}

struct Lower<'a, M> {
    f: &'a Function,
    options: &'a Options,
    /// Register of each value that one was asked of.
    regs: SecondaryMap<ir::Value, Option<Reg>>,
    /// What each value stands for: see [`Lower::strip`].
    stand_in: SecondaryMap<ir::Value, Option<ir::Value>>,
    /// Whether the upper half of an i32's register is zero.
    clean: SecondaryMap<ir::Value, bool>,
    /// How many instructions, edges and states use a value.
    uses: SecondaryMap<ir::Value, u32>,
    states: FxHashMap<ir::State, u32>,
    /// The null check that each access can do without a test.
    null_check_of: SecondaryMap<ir::Inst, PackedOption<ir::Inst>>,
    /// The instruction behind such an access.
    behind: SecondaryMap<ir::Inst, PackedOption<ir::Inst>>,
    /// Null checks that an access does.
    implicit: SecondaryMap<ir::Inst, bool>,
    /// Instructions for the operation being lowered, in order.
    buf: Vec<InstData>,
    origin: Option<ir::Inst>,
    out: lir::Function,
    /// Instructions of each block in order.
    code: Vec<Vec<InstData>>,
    /// Number of the low-level block of each block.
    block_of: SecondaryMap<ir::Block, u32>,
    /// The interpreter's locals, in an on-stack replacement.
    osr_buffer: Option<Reg>,
    machine: PhantomData<M>,
}

/// The register class of values of a type.
fn class_of(ty: Type) -> RegClass {
    if ty.is_float() {
        RegClass::Float
    } else {
        RegClass::Int
    }
}

/// Integer width of a type.
fn size_of(ty: Type) -> lir::Size {
    match ty {
        Type::I32 => lir::Size::S32,
        _ => lir::Size::S64,
    }
}

fn fsize_of(ty: Type) -> lir::FSize {
    match ty {
        Type::F32 => lir::FSize::F32,
        _ => lir::FSize::F64,
    }
}

impl<'a, M: Machine> Lower<'a, M> {
    fn new(f: &'a Function, options: &'a Options) -> Self {
        let mut l = Lower {
            f,
            options,
            regs: SecondaryMap::with_capacity(f.values.len()),
            stand_in: SecondaryMap::with_capacity(f.values.len()),
            clean: SecondaryMap::with_capacity(f.values.len()),
            uses: SecondaryMap::with_capacity(f.values.len()),
            states: FxHashMap::default(),
            null_check_of: SecondaryMap::with_capacity(f.insts.len()),
            behind: SecondaryMap::with_capacity(f.insts.len()),
            implicit: SecondaryMap::with_capacity(f.insts.len()),
            buf: vec![],
            origin: None,
            out: lir::Function { name: f.name.clone(), ..Default::default() },
            code: vec![],
            block_of: SecondaryMap::with_capacity(f.blocks.len()),
            osr_buffer: None,
            machine: PhantomData,
        };
        l.analyse();
        l
    }

    /// A new virtual register.
    fn fresh(&mut self, class: RegClass) -> Reg {
        self.out.vregs += 1;
        Reg::new(self.out.vregs - 1, class)
    }

    fn int(&mut self) -> Reg {
        self.fresh(RegClass::Int)
    }

    fn emit(&mut self, inst: Inst) {
        self.buf.push(InstData { inst, state: None, null: None, origin: self.origin })
    }

    fn emit_with(&mut self, inst: Inst, state: u32) {
        self.buf.push(InstData { inst, state: Some(state), null: None, origin: self.origin })
    }

    /// Emits an access to memory that may find null where its object should be, if it can.
    fn emit_access(&mut self, inst: Inst) -> Result<(), Refusal> {
        let leave = self.take_null_check()?;
        let (state, null) = leave.map_or((None, None), |(state, why)| (Some(state), Some(why)));
        self.buf.push(InstData { inst, state, null, origin: self.origin });
        Ok(())
    }

    fn finish(mut self) -> lir::Function {
        for (b, code) in self.code.into_iter().enumerate() {
            self.out.blocks[b].first = self.out.insts.len() as u32;
            self.out.insts.extend(code);
            self.out.blocks[b].end = self.out.insts.len() as u32;
        }
        self.out
    }

    fn new_block(&mut self, origin: Option<ir::Block>) -> u32 {
        self.out.blocks.push(LBlock { origin, ..Default::default() });
        self.code.push(vec![]);
        self.out.blocks.len() as u32 - 1
    }
}
