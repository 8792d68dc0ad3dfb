//! Arithmetic, conversions, comparisons (JVMS 6.5).

use super::super::ir::{Binary, Convert, Op, Runtime, Type, Unary, Value};
use super::super::refusal::Refusal;
use super::Builder;
use crate::heap::layout::BasicType;

const TYPES: [Type; 4] = [Type::I32, Type::I64, Type::F32, Type::F64];

impl Builder<'_> {
    /// iadd (0x60) to lxor.
    pub(super) fn arithmetic(&mut self, op: u8) -> Result<(), Refusal> {
        let k = op as usize - 0x60;
        match op {
            0x60..=0x73 => {
                const OPS: [Binary; 5] = [Binary::Add, Binary::Sub, Binary::Mul, Binary::Div, Binary::Rem];
                let (ty, binary) = (TYPES[k % 4], OPS[k / 4]);
                if matches!(binary, Binary::Div | Binary::Rem) && !ty.is_float() {
                    return self.divide(binary, ty);
                }
                let b = self.pop(ty)?;
                let a = self.pop(ty)?;
                let op = match (binary, ty) {
                    (Binary::Rem, Type::F32) => Op::CallRuntime(Runtime::FRem),
                    (Binary::Rem, _) => Op::CallRuntime(Runtime::DRem),
                    _ => Op::Binary(binary),
                };
                let v = self.value(op, vec![a, b], ty);
                self.push(v)
            }
            0x74..=0x77 => {
                let ty = TYPES[k % 4];
                let a = self.pop(ty)?;
                let v = self.value(Op::Unary(Unary::Neg), vec![a], ty);
                self.push(v)
            }
            0x78..=0x7d => {
                const OPS: [Binary; 3] = [Binary::Shl, Binary::Shr, Binary::Ushr];
                let k = op as usize - 0x78;
                let ty = TYPES[k % 2];
                let count = self.pop(Type::I32)?;
                let a = self.pop(ty)?;
                let v = self.value(Op::Binary(OPS[k / 2]), vec![a, count], ty);
                self.push(v)
            }
            _ => {
                const OPS: [Binary; 3] = [Binary::And, Binary::Or, Binary::Xor];
                let k = op as usize - 0x7e;
                let ty = TYPES[k % 2];
                let b = self.pop(ty)?;
                let a = self.pop(ty)?;
                let v = self.value(Op::Binary(OPS[k / 2]), vec![a, b], ty);
                self.push(v)
            }
        }
        Ok(())
    }

    fn divide(&mut self, binary: Binary, ty: Type) -> Result<(), Refusal> {
        let state = self.execute();
        let b = self.pop(ty)?;
        let a = self.pop(ty)?;
        let b = if self.f.as_const(b).is_some_and(|c| c != 0) { b } else { self.div_zero_check(b, ty, state)? };
        let v = self.value(Op::Binary(binary), vec![a, b], ty);
        self.push(v);
        Ok(())
    }

    /// i2l (0x85) to dcmpg.
    pub(super) fn conversion(&mut self, op: u8) -> Result<(), Refusal> {
        const CONVERTS: [Convert; 12] = [
            Convert::I32ToI64,
            Convert::I32ToF32,
            Convert::I32ToF64,
            Convert::I64ToI32,
            Convert::I64ToF32,
            Convert::I64ToF64,
            Convert::F32ToI32,
            Convert::F32ToI64,
            Convert::F32ToF64,
            Convert::F64ToI32,
            Convert::F64ToI64,
            Convert::F64ToF32,
        ];
        let v = match op {
            0x85..=0x90 => {
                let convert = CONVERTS[op as usize - 0x85];
                let (from, to) = convert.types();
                let a = self.pop(from)?;
                self.value(Op::Convert(convert), vec![a], to)
            }
            0x91..=0x93 => {
                const OPS: [Unary; 3] = [Unary::SignExtend8, Unary::ZeroExtend16, Unary::SignExtend16];
                let a = self.pop(Type::I32)?;
                self.value(Op::Unary(OPS[op as usize - 0x91]), vec![a], Type::I32)
            }
            _ => {
                let (ty, op) = match op {
                    0x94 => (Type::I64, Op::Compare3),
                    0x95 | 0x96 => (Type::F32, Op::FCompare3(if op == 0x95 { -1 } else { 1 })),
                    _ => (Type::F64, Op::FCompare3(if op == 0x97 { -1 } else { 1 })),
                };
                let b = self.pop(ty)?;
                let a = self.pop(ty)?;
                self.value(op, vec![a, b], Type::I32)
            }
        };
        self.push(v);
        Ok(())
    }

    /// An int cut to what a method that returns, or a field that holds, a `t` makes of it (JVMS 6.5.ireturn,
    /// putfield). Stores of memory's own width cut by themselves.
    pub(super) fn narrow(&mut self, v: Value, t: BasicType) -> Value {
        let unary = match t {
            BasicType::Boolean => {
                let one = self.iconst(1);
                return self.value(Op::Binary(Binary::And), vec![v, one], Type::I32);
            }
            BasicType::Byte => Unary::SignExtend8,
            BasicType::Char => Unary::ZeroExtend16,
            BasicType::Short => Unary::SignExtend16,
            _ => return v,
        };
        self.value(Op::Unary(unary), vec![v], Type::I32)
    }
}
