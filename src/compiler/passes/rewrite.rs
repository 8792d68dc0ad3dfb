//! What passes share: facts about values, replacing instructions in place.

use crate::compiler::ir::{Function, Inst, Op, Runtime, Type, Value, ValueDef};

/// The value is a reference and not null.
pub fn is_non_null(f: &Function, v: Value) -> bool {
    let v = f.resolve(v);
    if f.values[v].facts.non_null {
        return true;
    }
    match f.values[v].def {
        ValueDef::Result(i) => match f.insts[i].op {
            Op::NullCheck
            | Op::ExactClass(..)
            | Op::NewInstance(_)
            | Op::NewArray(_)
            | Op::Object(_)
            | Op::Mirror(_)
            | Op::TakeException
            | Op::CurrentThread
            | Op::CallRuntime(Runtime::MultiNewArray) => true,
            Op::CheckCast(_) => is_non_null(f, f.insts[i].args[0]),
            _ => false,
        },
        _ => false,
    }
}

/// The value is the null constant.
pub fn is_null(f: &Function, v: Value) -> bool {
    matches!(f.def(v), Some(i) if i.op == Op::Null)
}

/// Turns an instruction into a constant of its result's type.
pub fn make_const(f: &mut Function, i: Inst, bits: i64) {
    let ty = f.ty(f.insts[i].result.expect("a constant is a value"));
    f.insts[i].op = match ty {
        Type::F32 | Type::F64 => Op::FConst(bits as u64),
        Type::Ref => Op::Null,
        _ => Op::Const(bits),
    };
    f.insts[i].args.clear();
    f.insts[i].state = None;
}

/// The bits of a constant of any type but ref: i32 sign-extended, floating point as `FConst` has it.
pub fn const_bits(f: &Function, v: Value) -> Option<i64> {
    match f.def(v)?.op {
        Op::Const(c) => Some(c),
        Op::FConst(b) => Some(b as i64),
        _ => None,
    }
}
