//! Conditions: from values that are zero or not to tests.

use super::{fsize_of, size_of, Lower};
use crate::compiler::backend::lir::{Addr, Inst, RegImm, Size, Test};
use crate::compiler::backend::Machine;
use crate::compiler::ir::{Binary, Cond, Op, State, Type, Value};
use crate::heap::layout::{ARRAY_LENGTH_OFFSET, CLASS_OFFSET};
use crate::meta::class::{ClassRef, Class};

/// Whether `a cond b` holds for an ordering of a and b given as -1, 0, 1.
fn holds(cond: Cond, ordering: i64) -> bool {
    match cond {
        Cond::Eq => ordering == 0,
        Cond::Ne => ordering != 0,
        Cond::Lt | Cond::ULt => ordering < 0,
        Cond::Ge | Cond::UGe => ordering >= 0,
        Cond::Gt | Cond::UGt => ordering > 0,
        Cond::Le | Cond::ULe => ordering <= 0,
    }
}

impl<M: Machine> Lower<'_, M> {
    /// The test that holds if the i32 `v` is not zero.
    pub(super) fn test(&mut self, v: Value) -> Test {
        self.test_if(v, true)
    }

    fn test_if(&mut self, v: Value, want: bool) -> Test {
        let f = self.f;
        if let Some(d) = self.def(v) {
            let args = d.args.clone();
            match d.op {
                Op::Compare(cond) => return self.compare(if want { cond } else { cond.negate() }, args[0], args[1]),
                Op::FCompare(cond, nan) if want => return self.fcompare(cond, nan, args[0], args[1]),
                Op::FCompare(cond, nan) => return self.fcompare(cond.negate(), !nan, args[0], args[1]),
                Op::InstanceOf(class) => {
                    let null = if self.non_null(args[0]) { None } else { Some(false) };
                    return self.instance(args[0], class, null, want);
                }
                Op::IsSubclass => {
                    let (sub, sup) = (self.reg(args[0]), self.reg(args[1]));
                    let result = self.int();
                    return Test::Subclass { sub, sup, result, want };
                }
                Op::Binary(Binary::And) if f.ty(v) == Type::I32 => {
                    let cond = if want { Cond::Ne } else { Cond::Eq };
                    return self.bits(cond, args[0], args[1]);
                }
                _ => {}
            }
        }
        let cond = if want { Cond::Ne } else { Cond::Eq };
        let a = self.reg(v);
        Test::Int { size: Size::S32, cond, a, b: RegImm::Imm(0) }
    }

    fn bits(&mut self, cond: Cond, a: Value, b: Value) -> Test {
        let (a, b) = if self.constant(a).is_some() { (b, a) } else { (a, b) };
        let size = size_of(self.f.ty(a));
        let a = self.reg(a);
        let b = self.reg_or_imm(b, |c| M::bits_imm(size, c));
        Test::Bits { size, cond, a, b }
    }

    /// `a cond b` of integers, references or addresses.
    pub(super) fn compare(&mut self, cond: Cond, a: Value, b: Value) -> Test {
        self.compare_for(cond, a, b, None).0
    }

    /// The same for an instruction with state `state`; whether it accesses memory of an object that may be null.
    pub(super) fn compare_for(&mut self, cond: Cond, a: Value, b: Value, state: Option<State>) -> (Test, bool) {
        if self.constant(a).is_some() && self.constant(b).is_none() {
            return self.compare_for(cond.swap(), b, a, state);
        }
        let ty = self.f.ty(a);
        let size = size_of(ty);
        if self.constant(b) == Some(0) {
            // `lcmp` and the like, and conditions, compared with 0 as bytecode has them.
            if let Some(d) = self.def(a) {
                let args = d.args.clone();
                match d.op {
                    Op::Compare3 if ty == Type::I32 && (cond as u8) < (Cond::ULt as u8) => {
                        return (self.compare(cond, args[0], args[1]), false)
                    }
                    Op::FCompare3(nan) if ty == Type::I32 && (cond as u8) < (Cond::ULt as u8) => {
                        return (self.fcompare(cond, holds(cond, nan as i64), args[0], args[1]), false)
                    }
                    Op::Compare(_) | Op::FCompare(..) | Op::InstanceOf(_) | Op::IsSubclass
                        if matches!(cond, Cond::Eq | Cond::Ne) =>
                    {
                        return (self.test_if(a, cond == Cond::Ne), false)
                    }
                    Op::Binary(Binary::And) if matches!(cond, Cond::Eq | Cond::Ne) => {
                        return (self.bits(cond, args[0], args[1]), false)
                    }
                    _ => {}
                }
            }
        }
        // A length or class word is only needed here: compare memory.
        if M::COMPARES_MEMORY {
            if let Some((addr, null)) = self.immutable_word(b, state) {
                let a = self.reg(a);
                return (Test::RegMem32 { cond, a, addr }, null);
            }
            if let Some((addr, null)) = self.immutable_word(a, state) {
                let test = match self.constant(b).and_then(|c| i32::try_from(c as u32 as i32).ok()) {
                    Some(imm) => Test::Mem32 { cond, addr, imm },
                    None => {
                        let b = self.reg(b);
                        Test::RegMem32 { cond: cond.swap(), a: b, addr }
                    }
                };
                return (test, null);
            }
        }
        let a = self.reg(a);
        let b = self.reg_or_imm(b, |c| M::compare_imm(size, c));
        (Test::Int { size, cond, a, b }, false)
    }

    /// The address of the 32 bits in memory that `v` is, if nothing else uses it and they never change; whether the
    /// object may be null.
    fn immutable_word(&mut self, v: Value, state: Option<State>) -> Option<(Addr, bool)> {
        if self.uses[self.f.resolve(v)] != 1 || self.strip(v) != self.f.resolve(v) {
            return None;
        }
        let d = self.def(v)?;
        let offset = match d.op {
            Op::ArrayLength => ARRAY_LENGTH_OFFSET,
            // Classes lie below 4 GiB: comparing 32 bits is comparing addresses.
            Op::LoadClass => CLASS_OFFSET,
            _ => return None,
        };
        let object = d.args[0];
        let (true, null) = self.fuses(v, state) else { return None };
        let base = self.reg(object);
        Some((Addr::reg(base, offset as i32), null))
    }

    fn fcompare(&mut self, cond: Cond, nan: bool, a: Value, b: Value) -> Test {
        let size = fsize_of(self.f.ty(a));
        let (a, b) = (self.reg(a), self.reg(b));
        Test::Float { size, cond, nan, a, b }
    }

    /// `object` is an instance of `class`.
    pub(super) fn instance(&mut self, object: Value, class: ClassRef, null: Option<bool>, want: bool) -> Test {
        let object = self.reg(object);
        let result = self.int();
        let Class { super_check_offset: offset, .. } = *class;
        Test::Instance { object, null, class: class.word(), offset, result, want }
    }

    /// A value computed from a condition: 0 or 1.
    pub(super) fn set(&mut self, i: &crate::compiler::ir::InstData) {
        let dst = self.result(i);
        let v = i.result.expect("conditions have results");
        let test = self.test(v);
        self.emit(Inst::Set { test, dst });
    }
}
