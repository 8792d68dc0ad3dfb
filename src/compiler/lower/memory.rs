//! Memory, types, allocation.

use super::{class_of, fsize_of, Lower};
use crate::compiler::backend::lir::{Addr, AluUnary, Base, Index, Inst, Reg, RegImm, Size, Test};
use crate::compiler::backend::Machine;
use crate::compiler::ir::{Action, Cond, InstData, Mem, Op, Order, Reason, Rmw, Value};
use crate::compiler::refusal::Refusal;
use crate::heap::alloc::LARGE_OBJECT_BYTES;
use crate::heap::layout::{ARRAY_LENGTH_OFFSET, CLASS_OFFSET};
use crate::meta::class::{ClassRef, LAYOUT_SLOW};
use crate::threads::thread::offsets;

impl<M: Machine> Lower<'_, M> {
    fn load(&mut self, i: &InstData, mem: Mem, order: Order, addr: Addr) -> Result<(), Refusal> {
        let dst = self.result(i);
        self.emit_access(Inst::Load { mem, order, dst, addr })
    }

    /// Stores `value`; `object` is what the write barrier is about.
    fn store(
        &mut self,
        mem: Mem,
        order: Order,
        value: Value,
        addr: Addr,
        object: Option<Value>,
    ) -> Result<(), Refusal> {
        if matches!(mem, Mem::F32 | Mem::F64) {
            if let Some(Op::FConst(bits)) = self.def(value).map(|d| &d.op) {
                let (mem, bits) = match mem {
                    Mem::F32 => (Mem::I32, *bits as i32 as i64),
                    _ => (Mem::I64, *bits as i64),
                };
                if M::store_imm(mem, bits) {
                    return self.emit_access(Inst::Store { mem, order, src: RegImm::Imm(bits), addr });
                }
            }
            let src = self.reg(value);
            return self.emit_access(Inst::FStore { size: fsize_of(mem.value_type()), order, src, addr });
        }
        let src = self.reg_or_imm(value, |c| M::store_imm(mem, c));
        self.emit_access(Inst::Store { mem, order, src, addr })?;
        if mem == Mem::Ref && self.constant(value).is_none() {
            self.barrier(object);
        }
        Ok(())
    }

    fn barrier(&mut self, object: Option<Value>) {
        if let Some(object) = object.filter(|&o| self.options.barrier && self.constant(o).is_none()) {
            let object = self.reg(object);
            let tmp = [self.int(), self.int()];
            self.emit(Inst::Barrier { object, tmp })
        }
    }

    fn field(&mut self, object: Value, offset: u32) -> Addr {
        Addr { base: self.base(object), index: None, disp: offset as i32 }
    }

    fn element(&mut self, array: Value, index: Value, mem: Mem) -> Addr {
        let base = Base::Reg(self.reg(array));
        let (first, shift) = (mem.array_base() as i64, mem.log2_bytes());
        match self.constant(index).and_then(|c| i32::try_from(first + ((c as u32 as i64) << shift)).ok()) {
            Some(disp) => Addr { base, index: None, disp },
            None => {
                let zero_extend = M::INDEX_ZERO_EXTENDS && !self.clean[self.f.resolve(index)];
                let reg = if zero_extend { self.reg(index) } else { self.clean_reg(index) };
                Addr { base, index: Some(Index { reg, shift: shift as u8, zero_extend }), disp: first as i32 }
            }
        }
    }

    /// Unsafe's addressing.
    fn unsafe_addr(&mut self, object: Value, offset: Value) -> Addr {
        let null = self.constant(object) == Some(0);
        match self.constant(offset).and_then(|c| i32::try_from(c).ok()) {
            Some(disp) if null && disp >= 0 => Addr::absolute(disp as u32),
            Some(disp) if !null => Addr { base: Base::Reg(self.reg(object)), index: None, disp },
            _ if null => Addr::reg(self.reg(offset), 0),
            _ => {
                let base = Base::Reg(self.reg(object));
                let index = Some(Index { reg: self.reg(offset), shift: 0, zero_extend: false });
                Addr { base, index, disp: 0 }
            }
        }
    }

    pub(super) fn memory(&mut self, op: &Op, i: &InstData) -> Result<(), Refusal> {
        let args = &i.args;
        match *op {
            Op::Load(mem, offset, order) => {
                let addr = self.field(args[0], offset);
                self.load(i, mem, order, addr)?
            }
            Op::Store(mem, offset, order) => {
                let addr = self.field(args[0], offset);
                self.store(mem, order, args[1], addr, Some(args[0]))?
            }
            Op::LoadElement(mem) => {
                let addr = self.element(args[0], args[1], mem);
                self.load(i, mem, Order::Plain, addr)?
            }
            Op::StoreElement(mem) => {
                let addr = self.element(args[0], args[1], mem);
                self.store(mem, Order::Plain, args[2], addr, Some(args[0]))?
            }
            Op::ArrayLength => {
                let addr = self.field(args[0], ARRAY_LENGTH_OFFSET as u32);
                self.load(i, Mem::I32, Order::Plain, addr)?
            }
            Op::LoadClass => {
                let addr = self.field(args[0], CLASS_OFFSET as u32);
                self.load(i, Mem::Ptr32, Order::Plain, addr)?
            }
            Op::LoadUnsafe(mem, order) => {
                let addr = self.unsafe_addr(args[0], args[1]);
                self.load(i, mem, order, addr)?
            }
            Op::StoreUnsafe(mem, order) => {
                let addr = self.unsafe_addr(args[0], args[1]);
                self.store(mem, order, args[2], addr, Some(args[0]))?
            }
            Op::LoadRaw(mem, disp) => {
                let addr = Addr { base: self.base(args[0]), index: None, disp };
                self.load(i, mem, Order::Plain, addr)?
            }
            Op::StoreRaw(mem, disp) => {
                let addr = Addr { base: self.base(args[0]), index: None, disp };
                self.store(mem, Order::Plain, args[1], addr, None)?
            }
            Op::CompareExchange(mem) => {
                let addr = self.unsafe_addr(args[0], args[1]);
                let expected = self.to_memory(mem, args[2]);
                let new = self.to_memory(mem, args[3]);
                let (dst, tmp) = (self.atomic_result(mem, i), self.int());
                let cell = Lower::<M>::as_integer(mem);
                self.emit(Inst::CompareExchange { mem: cell, dst, addr, expected, new, tmp });
                self.from_memory(mem, dst, i, args[0]);
            }
            Op::Rmw(op, mem) => {
                let addr = self.unsafe_addr(args[0], args[1]);
                debug_assert!(op == Rmw::Exchange || mem.value_type() != crate::compiler::ir::Type::Ref);
                let src = self.to_memory(mem, args[2]);
                let (dst, tmp) = (self.atomic_result(mem, i), self.int());
                self.emit(Inst::AtomicRmw { op, mem: Lower::<M>::as_integer(mem), dst, addr, src, tmp });
                self.from_memory(mem, dst, i, args[0]);
            }
            Op::Fence(fence) => self.emit(Inst::Fence(fence)),
            Op::CurrentThread => {
                let addr = Addr::thread(offsets::THREAD_OBJECT);
                self.load(i, Mem::Ptr64, Order::Plain, addr)?
            }
            Op::OsrLocal(n) => {
                let buffer = self.osr_buffer.expect("an on-stack replacement");
                let mem = match self.f.ty(i.result.expect("a local has a value")) {
                    crate::compiler::ir::Type::I32 => Mem::I32,
                    crate::compiler::ir::Type::F32 => Mem::F32,
                    crate::compiler::ir::Type::F64 => Mem::F64,
                    _ => Mem::Ptr64,
                };
                self.load(i, mem, Order::Plain, Addr::reg(buffer, 8 * n as i32))?
            }
            _ => unreachable!("{op:?} is not about memory"),
        }
        Ok(())
    }

    /// How atomic operations see memory of this kind.
    fn as_integer(mem: Mem) -> Mem {
        match mem {
            Mem::Ref | Mem::F32 => Mem::I32,
            Mem::F64 => Mem::I64,
            m => m,
        }
    }

    /// `v` as memory holds it, in an integer register.
    fn to_memory(&mut self, mem: Mem, v: Value) -> Reg {
        let a = self.reg(v);
        let dst = match mem {
            Mem::Ref | Mem::F32 | Mem::F64 => self.int(),
            _ => return a,
        };
        match mem {
            Mem::Ref => self.emit(Inst::Unary { op: AluUnary::Narrow, size: Size::S32, dst, a }),
            _ => self.emit(Inst::FloatToBits { size: fsize_of(mem.value_type()), dst, a }),
        }
        dst
    }

    fn atomic_result(&mut self, mem: Mem, i: &InstData) -> Reg {
        match mem {
            Mem::Ref | Mem::F32 | Mem::F64 => self.int(),
            _ => self.result(i),
        }
    }

    /// Makes the result of what an atomic operation found, and the write barrier.
    fn from_memory(&mut self, mem: Mem, a: Reg, i: &InstData, object: Value) {
        match mem {
            Mem::Ref => {
                if let Some(dst) = self.wanted(i.result) {
                    self.emit(Inst::Unary { op: AluUnary::Widen, size: Size::S64, dst, a });
                }
                self.barrier(Some(object))
            }
            Mem::F32 | Mem::F64 => {
                if let Some(dst) = self.wanted(i.result) {
                    debug_assert_eq!(dst.class(), class_of(mem.value_type()));
                    self.emit(Inst::BitsToFloat { size: fsize_of(mem.value_type()), dst, a });
                }
            }
            _ => {}
        }
    }

    /// Leaves by `state` unless `test` holds.
    pub(super) fn check(&mut self, test: Test, reason: Reason, action: Action, state: u32) {
        self.emit_with(Inst::Check { test, reason, action }, state)
    }

    fn null_check(&mut self, v: Value, reason: Reason, action: Action, state: u32) {
        if !self.non_null(v) {
            let a = self.reg(v);
            let test = Test::Int { size: Size::S64, cond: Cond::Ne, a, b: RegImm::Imm(0) };
            self.check(test, reason, action, state)
        }
    }

    pub(super) fn checks(&mut self, op: &Op, i: &InstData) -> Result<(), Refusal> {
        if self.origin.is_some_and(|i| self.implicit[i]) {
            return Ok(());
        }
        let state = self.state(i.state.expect("checks have states"))?;
        let args = &i.args;
        let maybe = Action::MaybeRecompile;
        match *op {
            Op::NullCheck => self.null_check(args[0], Reason::NullCheck, maybe, state),
            Op::BoundsCheck => {
                let (test, null) = self.compare_for(Cond::ULt, args[0], args[1], i.state);
                let null = null.then_some((Reason::NullCheck, maybe));
                self.emit_check(Inst::Check { test, reason: Reason::RangeCheck, action: maybe }, state, null)
            }
            Op::DivZeroCheck => {
                if self.constant(args[0]).is_none_or(|c| c == 0) {
                    let size = super::size_of(self.f.ty(args[0]));
                    let a = self.reg(args[0]);
                    let test = Test::Int { size, cond: Cond::Ne, a, b: RegImm::Imm(0) };
                    self.check(test, Reason::Div0Check, maybe, state)
                }
            }
            Op::CheckCast(class) => {
                if self.constant(args[0]) != Some(0) {
                    let null = if self.non_null(args[0]) { None } else { Some(true) };
                    let test = self.instance(args[0], class, null, true);
                    self.check(test, Reason::ClassCheck, maybe, state)
                }
            }
            Op::ExactClass(class, reason, action) => {
                let implicit = self.options.implicit_nulls && self.constant(args[0]).is_none();
                if !implicit {
                    self.null_check(args[0], reason, action, state);
                }
                let null = (implicit && !self.non_null(args[0])).then_some((reason, action));
                let test = self.exact(args[0], class);
                self.emit_check(Inst::Check { test, reason, action }, state, null)
            }
            Op::StoreCheck => {
                if self.constant(args[1]) != Some(0) {
                    let (array, value) = (self.reg(args[0]), self.reg(args[1]));
                    let (result, tmp) = (self.int(), self.int());
                    let test = Test::ArrayStore { array, value, result, tmp, want: true };
                    self.check(test, Reason::ArrayCheck, maybe, state)
                }
            }
            Op::Guard(reason, action) => {
                let test = self.test(args[0]);
                self.check(test, reason, action, state)
            }
            _ => unreachable!("{op:?} is not a check"),
        }
        Ok(())
    }

    fn exact(&mut self, object: Value, class: ClassRef) -> Test {
        let addr = Addr { base: self.base(object), index: None, disp: CLASS_OFFSET as i32 };
        Test::Mem32 { cond: Cond::Eq, addr, imm: class.word() as i32 }
    }

    pub(super) fn allocate(&mut self, op: &Op, i: &InstData) -> Result<(), Refusal> {
        let state = self.state(i.state.expect("allocations have states"))?;
        let dst = self.result(i);
        let tmp = [self.int(), self.int()];
        match *op {
            Op::NewInstance(class) => {
                let slow = class.layout & LAYOUT_SLOW != 0 || class.instance_bytes() > LARGE_OBJECT_BYTES;
                let bytes = if slow { 0 } else { class.instance_bytes() as u32 };
                self.emit_with(Inst::NewInstance { class, bytes, dst, tmp }, state)
            }
            Op::NewArray(class) => {
                let length = self.reg(i.args[0]);
                self.emit_with(Inst::NewArray { class, length, dst, tmp }, state)
            }
            _ => unreachable!("{op:?} is not an allocation"),
        }
        Ok(())
    }
}
