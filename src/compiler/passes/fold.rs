//! Constant folding and algebraic simplification, with Java's arithmetic (JVMS 2.11, 2.8).

use super::rewrite::{const_bits, is_non_null, is_null, make_const};
use crate::compiler::ir::{Binary, Cond, Convert, Function, Op, Type, Unary, Value};

/// What an instruction comes to.
pub enum Outcome {
    /// Another value.
    Value(Value),
    /// A constant of its type.
    Const(i64),
    /// A simpler operation.
    Op(Op, Vec<Value>),
    Same,
}

pub fn run(f: &mut Function) -> bool {
    f.resolve_aliases();
    let mut changed = false;
    loop {
        let mut again = false;
        for b in f.reverse_postorder() {
            let insts = std::mem::take(&mut f.blocks[b].insts);
            let mut kept = Vec::with_capacity(insts.len());
            for i in insts {
                for n in 0..f.insts[i].args.len() {
                    f.insts[i].args[n] = f.resolve(f.insts[i].args[n]);
                }
                let outcome = match f.insts[i].op {
                    // A satisfied guard has no value to replace.
                    Op::Guard(..) => match f.as_const(f.insts[i].args[0]) {
                        Some(c) if c as i32 != 0 => {
                            again = true;
                            continue;
                        }
                        _ => Outcome::Same,
                    },
                    _ => simplify(f, &f.insts[i].op, &f.insts[i].args),
                };
                match outcome {
                    Outcome::Same => {}
                    Outcome::Const(c) => {
                        make_const(f, i, c);
                        again = true;
                    }
                    Outcome::Value(v) => {
                        let r = f.insts[i].result.expect("replaced by a value");
                        f.replace(r, v);
                        again = true;
                        continue;
                    }
                    Outcome::Op(op, args) => {
                        f.insts[i].op = op;
                        f.insts[i].args = args;
                        again = true;
                    }
                }
                kept.push(i);
            }
            f.blocks[b].insts = kept;
        }
        f.resolve_aliases();
        if !again {
            return changed;
        }
        changed = true;
    }
}

/// What an operation on these arguments, which stand for themselves, comes to.
pub fn simplify(f: &Function, op: &Op, a: &[Value]) -> Outcome {
    match op {
        Op::Binary(op) => binary(f, *op, f.ty(a[0]), a[0], a[1]),
        Op::Unary(op) => unary(f, *op, a[0]),
        Op::Convert(c) => convert(f, *c, a[0]),
        Op::Compare(c) => compare(f, *c, a[0], a[1]),
        Op::FCompare(c, nan) => match (const_bits(f, a[0]), const_bits(f, a[1])) {
            (Some(x), Some(y)) => {
                let (x, y) = (as_f64(f.ty(a[0]), x), as_f64(f.ty(a[0]), y));
                Outcome::Const(i64::from(x.partial_cmp(&y).map_or(*nan, |o| holds(*c, o))))
            }
            _ => Outcome::Same,
        },
        Op::Compare3 => match (f.as_const(a[0]), f.as_const(a[1])) {
            (Some(x), Some(y)) => Outcome::Const(x.cmp(&y) as i64),
            _ if a[0] == a[1] => Outcome::Const(0),
            _ => Outcome::Same,
        },
        Op::FCompare3(nan) => match (const_bits(f, a[0]), const_bits(f, a[1])) {
            (Some(x), Some(y)) => {
                let (x, y) = (as_f64(f.ty(a[0]), x), as_f64(f.ty(a[0]), y));
                Outcome::Const(x.partial_cmp(&y).map_or(i64::from(*nan), |o| o as i64))
            }
            _ => Outcome::Same,
        },
        Op::Select => match f.as_const(a[0]) {
            Some(c) => Outcome::Value(if c as i32 != 0 { a[1] } else { a[2] }),
            None if a[1] == a[2] => Outcome::Value(a[1]),
            None => Outcome::Same,
        },
        Op::NullCheck if is_non_null(f, a[0]) => Outcome::Value(a[0]),
        Op::BoundsCheck => match (f.as_const(a[0]), f.as_const(a[1])) {
            (Some(x), Some(n)) if (x as u32) < n as u32 => Outcome::Value(a[0]),
            _ => Outcome::Same,
        },
        Op::DivZeroCheck => match f.as_const(a[0]) {
            Some(c) if c != 0 => Outcome::Value(a[0]),
            _ => Outcome::Same,
        },
        Op::CheckCast(c) => {
            if is_null(f, a[0]) || class_of(f, a[0]).is_some_and(|(k, _)| k.is_subclass_of(c)) {
                Outcome::Value(a[0])
            } else {
                Outcome::Same
            }
        }
        Op::ExactClass(c, ..) => match class_of(f, a[0]) {
            Some((k, true)) if k == *c && is_non_null(f, a[0]) => Outcome::Value(a[0]),
            _ => Outcome::Same,
        },
        Op::InstanceOf(c) => {
            if is_null(f, a[0]) {
                return Outcome::Const(0);
            }
            match class_of(f, a[0]) {
                Some((k, _)) if k.is_subclass_of(c) && is_non_null(f, a[0]) => Outcome::Const(1),
                Some((k, true)) if !k.is_subclass_of(c) => Outcome::Const(0),
                _ => Outcome::Same,
            }
        }
        Op::ArrayLength => match f.def(a[0]).map(|d| (&d.op, &d.args)) {
            // A negative length has left compiled code.
            Some((Op::NewArray(_), args)) => Outcome::Value(f.resolve(args[0])),
            _ => Outcome::Same,
        },
        _ => Outcome::Same,
    }
}

/// The class that a reference is known to be of, and whether exactly.
fn class_of(f: &Function, v: Value) -> Option<(crate::meta::class::ClassRef, bool)> {
    let v = f.resolve(v);
    let facts = f.values[v].facts;
    match f.def(v).map(|d| &d.op) {
        Some(Op::NewInstance(c) | Op::NewArray(c) | Op::ExactClass(c, ..)) => Some((c, true)),
        Some(Op::CheckCast(c)) if facts.class.is_none() => Some((c, c.is_final() && !c.is_array())),
        Some(Op::NullCheck) if facts.class.is_none() => class_of(f, f.def(v)?.args[0]),
        _ => facts.class.map(|c| (c, facts.exact)),
    }
}

fn as_f64(ty: Type, bits: i64) -> f64 {
    if ty == Type::F32 {
        f64::from(f32::from_bits(bits as u32))
    } else {
        f64::from_bits(bits as u64)
    }
}

fn holds(c: Cond, o: std::cmp::Ordering) -> bool {
    match c {
        Cond::Eq => o.is_eq(),
        Cond::Ne => o.is_ne(),
        Cond::Lt | Cond::ULt => o.is_lt(),
        Cond::Ge | Cond::UGe => o.is_ge(),
        Cond::Gt | Cond::UGt => o.is_gt(),
        Cond::Le | Cond::ULe => o.is_le(),
    }
}

/// Whether the condition compares unsigned.
fn is_unsigned(c: Cond) -> bool {
    matches!(c, Cond::ULt | Cond::UGe | Cond::UGt | Cond::ULe)
}

fn binary(f: &Function, op: Binary, ty: Type, a: Value, b: Value) -> Outcome {
    if ty.is_float() {
        return match (const_bits(f, a), const_bits(f, b)) {
            (Some(x), Some(y)) => float_binary(ty, op, x, y).map_or(Outcome::Same, Outcome::Const),
            _ => Outcome::Same,
        };
    }
    let bits = if ty == Type::I64 { 64 } else { 32 };
    let (x, y) = (f.as_const(a), f.as_const(b));
    if let (Some(x), Some(y)) = (x, y) {
        return int_binary(bits, op, x, y).map_or(Outcome::Same, Outcome::Const);
    }
    // Constants to the right.
    let commutes = matches!(op, Binary::Add | Binary::Mul | Binary::And | Binary::Or | Binary::Xor);
    if commutes && x.is_some() {
        return Outcome::Op(Op::Binary(op), vec![b, a]);
    }
    if a == b {
        match op {
            Binary::Sub | Binary::Xor => return Outcome::Const(0),
            Binary::And | Binary::Or | Binary::Min | Binary::Max => return Outcome::Value(a),
            _ => {}
        }
    }
    let Some(y) = y else { return Outcome::Same };
    match (op, y) {
        (Binary::Add | Binary::Sub | Binary::Or | Binary::Xor, 0) => Outcome::Value(a),
        (Binary::Mul | Binary::Div, 1) => Outcome::Value(a),
        (Binary::Mul | Binary::And, 0) => Outcome::Const(0),
        (Binary::And, -1) => Outcome::Value(a),
        (Binary::Or, -1) => Outcome::Const(-1),
        (Binary::Rem, 1 | -1) => Outcome::Const(0),
        (Binary::Mul | Binary::Div, -1) => Outcome::Op(Op::Unary(Unary::Neg), vec![a]),
        (Binary::Shl | Binary::Shr | Binary::Ushr, n) if n & (bits - 1) == 0 => Outcome::Value(a),
        _ => Outcome::Same,
    }
}

fn int_binary(bits: i64, op: Binary, x: i64, y: i64) -> Option<i64> {
    let n = (y & (bits - 1)) as u32;
    let wide = bits == 64;
    let (x32, y32) = (x as i32, y as i32);
    let narrow = |v: i32| i64::from(v);
    Some(match op {
        Binary::Add if wide => x.wrapping_add(y),
        Binary::Add => narrow(x32.wrapping_add(y32)),
        Binary::Sub if wide => x.wrapping_sub(y),
        Binary::Sub => narrow(x32.wrapping_sub(y32)),
        Binary::Mul if wide => x.wrapping_mul(y),
        Binary::Mul => narrow(x32.wrapping_mul(y32)),
        // Left to the check that precedes it.
        Binary::Div | Binary::Rem if y == 0 => return None,
        Binary::Div if wide => x.wrapping_div(y),
        Binary::Div => narrow(x32.wrapping_div(y32)),
        Binary::Rem if wide => x.wrapping_rem(y),
        Binary::Rem => narrow(x32.wrapping_rem(y32)),
        Binary::And => x & y,
        Binary::Or => x | y,
        Binary::Xor => x ^ y,
        Binary::Shl if wide => x << n,
        Binary::Shl => narrow(x32 << n),
        Binary::Shr if wide => x >> n,
        Binary::Shr => narrow(x32 >> n),
        Binary::Ushr if wide => ((x as u64) >> n) as i64,
        Binary::Ushr => narrow(((x32 as u32) >> n) as i32),
        Binary::Min => x.min(y),
        Binary::Max => x.max(y),
        Binary::MulHigh => ((i128::from(x) * i128::from(y)) >> 64) as i64,
        Binary::UMulHigh => ((u128::from(x as u64) * u128::from(y as u64)) >> 64) as i64,
    })
}

/// Rust's arithmetic is IEEE 754's, as Java's is; results that are NaN are left to the processor, whose NaN
/// the interpreter shows.
fn float_binary(ty: Type, op: Binary, x: i64, y: i64) -> Option<i64> {
    if ty == Type::F32 {
        let (x, y) = (f32::from_bits(x as u32), f32::from_bits(y as u32));
        let r = match op {
            Binary::Add => x + y,
            Binary::Sub => x - y,
            Binary::Mul => x * y,
            Binary::Div => x / y,
            _ => return None,
        };
        (!r.is_nan()).then(|| i64::from(r.to_bits()))
    } else {
        let (x, y) = (f64::from_bits(x as u64), f64::from_bits(y as u64));
        let r = match op {
            Binary::Add => x + y,
            Binary::Sub => x - y,
            Binary::Mul => x * y,
            Binary::Div => x / y,
            _ => return None,
        };
        (!r.is_nan()).then(|| r.to_bits() as i64)
    }
}

fn unary(f: &Function, op: Unary, a: Value) -> Outcome {
    let ty = f.ty(a);
    let Some(x) = f.as_const(a) else { return Outcome::Same };
    let wide = ty == Type::I64;
    Outcome::Const(match op {
        Unary::Neg if wide => x.wrapping_neg(),
        Unary::Neg => i64::from((x as i32).wrapping_neg()),
        Unary::BitCount if wide => i64::from(x.count_ones()),
        Unary::BitCount => i64::from((x as u32).count_ones()),
        Unary::LeadingZeros if wide => i64::from(x.leading_zeros()),
        Unary::LeadingZeros => i64::from((x as u32).leading_zeros()),
        Unary::TrailingZeros if wide => i64::from(x.trailing_zeros()),
        Unary::TrailingZeros => i64::from((x as u32).trailing_zeros()),
        Unary::SignExtend8 => i64::from(x as i8),
        Unary::SignExtend16 => i64::from(x as i16),
        Unary::ZeroExtend16 => i64::from(x as u16),
        _ => return Outcome::Same,
    })
}

fn convert(f: &Function, c: Convert, a: Value) -> Outcome {
    let Some(x) = const_bits(f, a) else {
        return match (c, f.def(a)) {
            // The low half of what was widened.
            (Convert::I64ToI32, Some(d)) if matches!(d.op, Op::Convert(Convert::I32ToI64 | Convert::U32ToI64)) => {
                Outcome::Value(f.resolve(d.args[0]))
            }
            _ => Outcome::Same,
        };
    };
    let (s, d) = (f32::from_bits(x as u32), f64::from_bits(x as u64));
    let single = |v: f32| if v.is_nan() { None } else { Some(i64::from(v.to_bits())) };
    let double = |v: f64| if v.is_nan() { None } else { Some(v.to_bits() as i64) };
    let r = match c {
        Convert::I32ToI64 => Some(i64::from(x as i32)),
        Convert::U32ToI64 => Some(i64::from(x as u32)),
        Convert::I64ToI32 => Some(i64::from(x as i32)),
        Convert::I32ToF32 => single(x as i32 as f32),
        Convert::I32ToF64 => double(f64::from(x as i32)),
        Convert::I64ToF32 => single(x as f32),
        Convert::I64ToF64 => double(x as f64),
        Convert::F32ToI32 => Some(i64::from(s as i32)),
        Convert::F32ToI64 => Some(s as i64),
        Convert::F32ToF64 => double(f64::from(s)),
        Convert::F64ToI32 => Some(i64::from(d as i32)),
        Convert::F64ToI64 => Some(d as i64),
        Convert::F64ToF32 => single(d as f32),
        Convert::F32Bits => Some(i64::from(x as i32)),
        Convert::F64Bits => Some(x),
        Convert::BitsF32 => Some(i64::from(x as u32)),
        Convert::BitsF64 => Some(x),
    };
    r.map_or(Outcome::Same, Outcome::Const)
}

/// The value of `f` is 0 or 1.
fn is_bool(op: &Op) -> bool {
    matches!(op, Op::Compare(_) | Op::FCompare(..) | Op::InstanceOf(_) | Op::IsSubclass)
}

fn compare(f: &Function, c: Cond, a: Value, b: Value) -> Outcome {
    let ty = f.ty(a);
    if ty == Type::Ref {
        let equal = match () {
            _ if a == b => Some(true),
            _ if is_null(f, a) && is_null(f, b) => Some(true),
            _ if is_null(f, a) && is_non_null(f, b) || is_null(f, b) && is_non_null(f, a) => Some(false),
            _ => match (f.def(a).map(|d| &d.op), f.def(b).map(|d| &d.op)) {
                (Some(Op::Mirror(x)), Some(Op::Mirror(y))) => Some(x == y),
                (Some(Op::NewInstance(_) | Op::NewArray(_)), Some(Op::Object(_) | Op::Mirror(_)))
                | (Some(Op::Object(_) | Op::Mirror(_)), Some(Op::NewInstance(_) | Op::NewArray(_))) => Some(false),
                _ => None,
            },
        };
        return equal.map_or(Outcome::Same, |e| Outcome::Const(i64::from(e == (c == Cond::Eq))));
    }
    if a == b {
        return Outcome::Const(i64::from(holds(c, std::cmp::Ordering::Equal)));
    }
    match (f.as_const(a), f.as_const(b)) {
        (Some(x), Some(y)) => {
            let o = match (is_unsigned(c), ty) {
                (false, _) => x.cmp(&y),
                (true, Type::I32) => (x as u32).cmp(&(y as u32)),
                (true, _) => (x as u64).cmp(&(y as u64)),
            };
            return Outcome::Const(i64::from(holds(c, o)));
        }
        (Some(_), None) => return Outcome::Op(Op::Compare(c.swap()), vec![b, a]),
        _ => {}
    }
    let Some(0) = f.as_const(b) else { return Outcome::Same };
    let Some(d) = f.def(a) else { return Outcome::Same };
    let args: Vec<Value> = d.args.iter().map(|&v| f.resolve(v)).collect();
    match (&d.op, c) {
        // x < y asked by way of lcmp or fcmpl.
        (Op::Compare3, _) if !is_unsigned(c) => Outcome::Op(Op::Compare(c), args),
        (Op::FCompare3(nan), _) if !is_unsigned(c) => Outcome::Op(Op::FCompare(c, holds(c, nan.cmp(&0))), args),
        (op, Cond::Ne) if is_bool(op) => Outcome::Value(a),
        (Op::Compare(inner), Cond::Eq) => Outcome::Op(Op::Compare(inner.negate()), args),
        (Op::FCompare(inner, nan), Cond::Eq) => Outcome::Op(Op::FCompare(inner.negate(), !nan), args),
        _ => Outcome::Same,
    }
}
