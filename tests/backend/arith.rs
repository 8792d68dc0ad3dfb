//! Arithmetic, conversions and conditions, compared with Rust.

use super::run::{Code, Outcome};
use super::{all_options, one_op, Build};
use jvm::compiler::backend::compile;
use jvm::compiler::ir::*;

fn bits(ty: Type, v: Num) -> (Type, u64) {
    match (ty, v) {
        (Type::I32, Num::I(v)) => (ty, v as u64),
        (Type::I64, Num::L(v)) => (ty, v as u64),
        (Type::F32, Num::F(v)) => (ty, v.to_bits() as u64),
        (Type::F64, Num::D(v)) => (ty, v.to_bits()),
        other => panic!("{other:?}"),
    }
}

#[derive(Clone, Copy, Debug)]
enum Num {
    I(i32),
    L(i64),
    F(f32),
    D(f64),
}

impl Num {
    fn ty(self) -> Type {
        match self {
            Num::I(_) => Type::I32,
            Num::L(_) => Type::I64,
            Num::F(_) => Type::F32,
            Num::D(_) => Type::F64,
        }
    }

    /// The same bits; any NaN equals any other.
    fn same(self, o: Num) -> bool {
        match (self, o) {
            (Num::I(a), Num::I(b)) => a == b,
            (Num::L(a), Num::L(b)) => a == b,
            (Num::F(a), Num::F(b)) => a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan(),
            (Num::D(a), Num::D(b)) => a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan(),
            _ => false,
        }
    }
}

fn result(ty: Type, o: Outcome) -> Num {
    match ty {
        Type::I32 => Num::I(o.int()),
        Type::I64 => Num::L(o.long()),
        Type::F32 => Num::F(o.float()),
        Type::F64 => Num::D(o.double()),
        _ => panic!("{ty}"),
    }
}

/// Compiles `f` with all options and compares with `expected` on all arguments.
fn check(f: &Function, inputs: &[Vec<Num>], expected: impl Fn(&[Num]) -> Num) {
    verify::assert_valid(f, "in the test");
    for o in all_options() {
        let a = compile(f, &o).unwrap_or_else(|e| panic!("{e}\n{f}"));
        let code = Code::new(&a);
        for args in inputs {
            let got = result(f.return_type.unwrap(), code.run(&args.iter().map(|&a| bits(a.ty(), a)).collect::<Vec<_>>()));
            let want = expected(args);
            assert!(got.same(want), "{f}\n{args:?}: {got:?}, not {want:?}, with {o:?}\n{:02x?}", a.code);
        }
    }
}

fn ints() -> Vec<i32> {
    vec![0, 1, -1, 2, -2, 3, 7, 8, 31, 32, 33, 63, 64, 127, 128, -128, 255, 256, 65535, 65536, 0x1234_5678, i32::MAX, i32::MIN, i32::MIN + 1]
}

fn longs() -> Vec<i64> {
    let mut v: Vec<i64> = ints().into_iter().map(i64::from).collect();
    v.extend([i64::MAX, i64::MIN, i64::MIN + 1, 1 << 32, -(1 << 32), 0x0123_4567_89ab_cdef, u32::MAX as i64]);
    v
}

fn doubles() -> Vec<f64> {
    vec![
        0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 1.5, 2.5, -2.5, 1e10, -1e10, 1e19, -1e19, 1e300, f64::MIN_POSITIVE,
        f64::INFINITY, f64::NEG_INFINITY, f64::NAN, i32::MAX as f64, i32::MIN as f64, i32::MAX as f64 + 1.0,
        i32::MIN as f64 - 1.0, i64::MAX as f64, i64::MIN as f64, 4503599627370497.5, f64::MAX, 5e-324,
    ]
}

fn floats() -> Vec<f32> {
    doubles().into_iter().map(|d| d as f32).collect()
}

fn one<T: Copy>(v: Vec<T>, n: impl Fn(T) -> Num) -> Vec<Vec<Num>> {
    v.into_iter().map(|a| vec![n(a)]).collect()
}

fn two<A: Copy, B: Copy>(a: Vec<A>, b: Vec<B>, x: impl Fn(A) -> Num, y: impl Fn(B) -> Num) -> Vec<Vec<Num>> {
    a.iter().flat_map(|&p| b.iter().map(|&q| vec![x(p), y(q)]).collect::<Vec<_>>()).collect()
}

/// `op` of longs in Rust.
fn long_rust(op: Binary, a: i64, b: i64) -> i64 {
    match op {
        Binary::Add => a.wrapping_add(b),
        Binary::Sub => a.wrapping_sub(b),
        Binary::Mul => a.wrapping_mul(b),
        Binary::And => a & b,
        Binary::Or => a | b,
        Binary::Xor => a ^ b,
        Binary::Shl => a.wrapping_shl(b as u32),
        Binary::Shr => a.wrapping_shr(b as u32),
        Binary::Ushr => (a as u64).wrapping_shr(b as u32) as i64,
        op => panic!("{op:?}"),
    }
}

/// ... and of ints.
fn int_rust(op: Binary, a: i32, b: i32) -> i32 {
    match op {
        Binary::Shl | Binary::Shr => long_rust(op, i64::from(a), i64::from(b & 31)) as i32,
        Binary::Ushr => (a as u32).wrapping_shr(b as u32) as i32,
        op => long_rust(op, i64::from(a), i64::from(b)) as i32,
    }
}

/// Two operations of which a processor may make one: `(a first b) second c` and `c second (a first b)`, with `b` and
/// `c` parameters or constants.
#[test]
fn pairs_of_operations() {
    use Binary::*;
    for ty in [Type::I32, Type::I64] {
        let bits = if ty == Type::I32 { 32 } else { 64 };
        let constants = [-1, 5, 255, bits - 8];
        let apply = |op, a: i64, b: i64| match ty {
            Type::I32 => i64::from(int_rust(op, a as i32, b as i32)),
            _ => long_rust(op, a, b),
        };
        let number = |v: i64| if ty == Type::I32 { Num::I(v as i32) } else { Num::L(v) };
        let value = |v: Num| match v {
            Num::I(v) => i64::from(v),
            Num::L(v) => v,
            v => panic!("{v:?}"),
        };
        let some = [0, 1, -1, 0x55, -256, 0x1234_5678, i64::from(i32::MIN), 0x0123_4567_89ab_cdef, i64::MIN];
        let inputs: Vec<Vec<Num>> =
            some.iter().flat_map(|&a| some.iter().map(move |&b| vec![number(a), number(b)])).collect();
        for first in [Add, Mul, And, Xor, Shl, Shr, Ushr] {
            for second in [Add, Sub, And, Or, Xor, Shl, Shr, Ushr] {
                // A constant operand (or the second parameter) of each; whether the first's result comes second.
                let operands = [None].into_iter().chain(constants.map(Some));
                for (x, y) in operands.clone().flat_map(|x| operands.clone().map(move |y| (x, y))) {
                    for swap in [false, true] {
                        let mut b = Build::new(&[ty, ty], ty);
                        let (p, q) = (b.param(0), b.param(1));
                        // Shift counts are ints.
                        let count = |op| matches!(op, Shl | Shr | Ushr) && ty == Type::I64;
                        let operand = |b: &mut Build, c: Option<i64>, int: bool| match (c, int) {
                            (Some(c), int) => b.op(Op::Const(c), &[], if int { Type::I32 } else { ty }),
                            (None, true) => b.op(Op::Convert(Convert::I64ToI32), &[q], Type::I32),
                            (None, false) => q,
                        };
                        let k = operand(&mut b, x, count(first));
                        let made = b.op(Op::Binary(first), &[p, k], ty);
                        let made = match swap && count(second) {
                            true => b.op(Op::Convert(Convert::I64ToI32), &[made], Type::I32),
                            false => made,
                        };
                        let other = operand(&mut b, y, !swap && count(second));
                        let args = if swap { [other, made] } else { [made, other] };
                        let v = b.op(Op::Binary(second), &args, ty);
                        check(&b.ret(v), &inputs, |a| {
                            let (p, q) = (value(a[0]), value(a[1]));
                            let made = apply(first, p, x.unwrap_or(q));
                            let other = y.unwrap_or(q);
                            number(if swap { apply(second, other, made) } else { apply(second, made, other) })
                        });
                    }
                }
            }
        }
    }
}

/// Ints on their way into operations on longs, and parts of numbers.
#[test]
fn extensions_and_fields() {
    use Binary::*;
    let inputs: Vec<_> = two(longs(), ints(), Num::L, Num::I);
    for (convert, rust) in [
        (Convert::I32ToI64, (|i| i64::from(i)) as fn(i32) -> i64),
        (Convert::U32ToI64, |i| i64::from(i as u32)),
    ] {
        for op in [Add, Sub, And, Or, Mul] {
            let mut b = Build::new(&[Type::I64, Type::I32], Type::I64);
            let (p, q) = (b.param(0), b.param(1));
            let wide = b.op(Op::Convert(convert), &[q], Type::I64);
            let v = b.op(Op::Binary(op), &[p, wide], Type::I64);
            check(&b.ret(v), &inputs, |a| match a {
                [Num::L(p), Num::I(q)] => Num::L(long_rust(op, *p, rust(*q))),
                _ => panic!(),
            });
        }
        for mask in [1, 255, 0x7fff_ffff, 0xffff_ffff, 0x1_ffff_ffff] {
            let mut b = Build::new(&[Type::I32], Type::I64);
            let (q, mask_value) = (b.param(0), b.op(Op::Const(mask), &[], Type::I64));
            let wide = b.op(Op::Convert(convert), &[q], Type::I64);
            let v = b.op(Op::Binary(And), &[wide, mask_value], Type::I64);
            check(&b.ret(v), &one(ints(), Num::I), |a| match a {
                [Num::I(q)] => Num::L(rust(*q) & mask),
                _ => panic!(),
            });
        }
    }
    for (unary, rust) in [
        (Unary::SignExtend8, (|i| i32::from(i as i8)) as fn(i32) -> i32),
        (Unary::SignExtend16, |i| i32::from(i as i16)),
        (Unary::ZeroExtend16, |i| i32::from(i as u16)),
    ] {
        for shift in [Shr, Ushr, Shl] {
            for n in [0, 1, 8, 15, 16, 17, 24, 25, 31] {
                let mut b = Build::new(&[Type::I32], Type::I32);
                let (p, k) = (b.param(0), b.int(n));
                let shifted = b.op(Op::Binary(shift), &[p, k], Type::I32);
                let v = b.op(Op::Unary(unary), &[shifted], Type::I32);
                check(&b.ret(v), &one(ints(), Num::I), |a| match a {
                    [Num::I(p)] => Num::I(rust(int_rust(shift, *p, n))),
                    _ => panic!(),
                });
            }
        }
    }
}

#[test]
fn int_arithmetic() {
    let rust = |op: Binary, a: i32, b: i32| match op {
        Binary::Add => a.wrapping_add(b),
        Binary::Sub => a.wrapping_sub(b),
        Binary::Mul => a.wrapping_mul(b),
        Binary::Div => a.wrapping_div(b),
        Binary::Rem => a.wrapping_rem(b),
        Binary::And => a & b,
        Binary::Or => a | b,
        Binary::Xor => a ^ b,
        Binary::Shl => a.wrapping_shl(b as u32),
        Binary::Shr => a.wrapping_shr(b as u32),
        Binary::Ushr => (a as u32).wrapping_shr(b as u32) as i32,
        Binary::Min => a.min(b),
        Binary::Max => a.max(b),
        op => panic!("{op:?}"),
    };
    use Binary::*;
    for op in [Add, Sub, Mul, Div, Rem, And, Or, Xor, Shl, Shr, Ushr, Min, Max] {
        let divides = matches!(op, Div | Rem);
        let inputs: Vec<_> = two(ints(), ints(), Num::I, Num::I)
            .into_iter()
            .filter(|a| !(divides && matches!(a[1], Num::I(0))))
            .collect();
        let f = one_op(Op::Binary(op), &[Type::I32, Type::I32], Type::I32);
        check(&f, &inputs, |a| match a {
            [Num::I(a), Num::I(b)] => Num::I(rust(op, *a, *b)),
            _ => panic!(),
        });
        for c in ints().into_iter().filter(|&c| !(divides && c == 0)) {
            let mut b = Build::new(&[Type::I32], Type::I32);
            let k = b.int(c);
            let p = b.param(0);
            let v = b.op(Op::Binary(op), &[p, k], Type::I32);
            check(&b.ret(v), &one(ints(), Num::I), |a| match a {
                [Num::I(a)] => Num::I(rust(op, *a, c)),
                _ => panic!(),
            });
        }
    }
}

#[test]
fn long_arithmetic() {
    let rust = |op: Binary, a: i64, b: i64| match op {
        Binary::Add => a.wrapping_add(b),
        Binary::Sub => a.wrapping_sub(b),
        Binary::Mul => a.wrapping_mul(b),
        Binary::Div => a.wrapping_div(b),
        Binary::Rem => a.wrapping_rem(b),
        Binary::And => a & b,
        Binary::Or => a | b,
        Binary::Xor => a ^ b,
        Binary::Min => a.min(b),
        Binary::Max => a.max(b),
        Binary::MulHigh => ((a as i128 * b as i128) >> 64) as i64,
        Binary::UMulHigh => ((a as u64 as u128 * b as u64 as u128) >> 64) as i64,
        op => panic!("{op:?}"),
    };
    use Binary::*;
    for op in [Add, Sub, Mul, Div, Rem, And, Or, Xor, Min, Max, MulHigh, UMulHigh] {
        let divides = matches!(op, Div | Rem);
        let inputs: Vec<_> = two(longs(), longs(), Num::L, Num::L)
            .into_iter()
            .filter(|a| !(divides && matches!(a[1], Num::L(0))))
            .collect();
        let f = one_op(Op::Binary(op), &[Type::I64, Type::I64], Type::I64);
        check(&f, &inputs, |a| match a {
            [Num::L(a), Num::L(b)] => Num::L(rust(op, *a, *b)),
            _ => panic!(),
        });
        for c in longs().into_iter().filter(|&c| !(divides && c == 0)) {
            let mut b = Build::new(&[Type::I64], Type::I64);
            let k = b.op(Op::Const(c), &[], Type::I64);
            let p = b.param(0);
            let v = b.op(Op::Binary(op), &[p, k], Type::I64);
            check(&b.ret(v), &one(longs(), Num::L), |a| match a {
                [Num::L(a)] => Num::L(rust(op, *a, c)),
                _ => panic!(),
            });
        }
    }
    for op in [Shl, Shr, Ushr] {
        let f = one_op(Op::Binary(op), &[Type::I64, Type::I32], Type::I64);
        check(&f, &two(longs(), ints(), Num::L, Num::I), |a| match a {
            [Num::L(a), Num::I(b)] => Num::L(match op {
                Shl => a.wrapping_shl(*b as u32),
                Shr => a.wrapping_shr(*b as u32),
                _ => (*a as u64).wrapping_shr(*b as u32) as i64,
            }),
            _ => panic!(),
        });
    }
}

fn f64_rust(op: Binary, a: f64, b: f64) -> f64 {
    match op {
        Binary::Add => a + b,
        Binary::Sub => a - b,
        Binary::Mul => a * b,
        Binary::Div => a / b,
        Binary::Min if a.is_nan() || b.is_nan() => f64::NAN,
        Binary::Max if a.is_nan() || b.is_nan() => f64::NAN,
        Binary::Min if a == 0.0 && b == 0.0 => if a.is_sign_negative() { a } else { b },
        Binary::Max if a == 0.0 && b == 0.0 => if a.is_sign_negative() { b } else { a },
        Binary::Min => a.min(b),
        Binary::Max => a.max(b),
        op => panic!("{op:?}"),
    }
}

#[test]
fn floating_point_arithmetic() {
    use Binary::*;
    for op in [Add, Sub, Mul, Div, Min, Max] {
        let f = one_op(Op::Binary(op), &[Type::F64, Type::F64], Type::F64);
        check(&f, &two(doubles(), doubles(), Num::D, Num::D), |a| match a {
            [Num::D(a), Num::D(b)] => Num::D(f64_rust(op, *a, *b)),
            _ => panic!(),
        });
        let f = one_op(Op::Binary(op), &[Type::F32, Type::F32], Type::F32);
        // Rounding to double first and then to float is exact for these operations.
        check(&f, &two(floats(), floats(), Num::F, Num::F), |a| match a {
            [Num::F(a), Num::F(b)] => Num::F(f64_rust(op, *a as f64, *b as f64) as f32),
            _ => panic!(),
        });
    }
    for op in [Unary::Neg, Unary::Abs, Unary::Sqrt, Unary::Ceil, Unary::Floor, Unary::Rint] {
        let f = one_op(Op::Unary(op), &[Type::F64], Type::F64);
        check(&f, &one(doubles(), Num::D), |a| match a {
            [Num::D(a)] => Num::D(match op {
                Unary::Neg => -a,
                Unary::Abs => a.abs(),
                Unary::Sqrt => a.sqrt(),
                Unary::Ceil => a.ceil(),
                Unary::Floor => a.floor(),
                _ => a.round_ties_even(),
            }),
            _ => panic!(),
        });
    }
    for op in [Unary::Neg, Unary::Abs, Unary::Sqrt] {
        let f = one_op(Op::Unary(op), &[Type::F32], Type::F32);
        check(&f, &one(floats(), Num::F), |a| match a {
            [Num::F(a)] => Num::F(match op {
                Unary::Neg => -a,
                Unary::Abs => a.abs(),
                _ => a.sqrt(),
            }),
            _ => panic!(),
        });
    }
}

#[test]
fn unary_integers() {
    use Unary::*;
    for op in [Neg, Abs, BitCount, LeadingZeros, TrailingZeros, ReverseBytes, SignExtend8, SignExtend16, ZeroExtend16] {
        let f = one_op(Op::Unary(op), &[Type::I32], Type::I32);
        check(&f, &one(ints(), Num::I), |a| match a {
            [Num::I(a)] => Num::I(match op {
                Neg => a.wrapping_neg(),
                Abs => a.wrapping_abs(),
                BitCount => a.count_ones() as i32,
                LeadingZeros => a.leading_zeros() as i32,
                TrailingZeros => a.trailing_zeros() as i32,
                ReverseBytes => a.swap_bytes(),
                SignExtend8 => *a as i8 as i32,
                SignExtend16 => *a as i16 as i32,
                _ => *a as u16 as i32,
            }),
            _ => panic!(),
        });
    }
    for op in [Neg, Abs, ReverseBytes] {
        let f = one_op(Op::Unary(op), &[Type::I64], Type::I64);
        check(&f, &one(longs(), Num::L), |a| match a {
            [Num::L(a)] => Num::L(match op {
                Neg => a.wrapping_neg(),
                Abs => a.wrapping_abs(),
                _ => a.swap_bytes(),
            }),
            _ => panic!(),
        });
    }
    for op in [BitCount, LeadingZeros, TrailingZeros] {
        let f = one_op(Op::Unary(op), &[Type::I64], Type::I32);
        check(&f, &one(longs(), Num::L), |a| match a {
            [Num::L(a)] => Num::I(match op {
                BitCount => a.count_ones() as i32,
                LeadingZeros => a.leading_zeros() as i32,
                _ => a.trailing_zeros() as i32,
            }),
            _ => panic!(),
        });
    }
}

#[test]
fn conversions() {
    for c in [
        Convert::I32ToI64, Convert::U32ToI64, Convert::I64ToI32, Convert::I32ToF32, Convert::I32ToF64,
        Convert::I64ToF32, Convert::I64ToF64, Convert::F32ToI32, Convert::F32ToI64, Convert::F32ToF64,
        Convert::F64ToI32, Convert::F64ToI64, Convert::F64ToF32, Convert::F32Bits, Convert::F64Bits,
        Convert::BitsF32, Convert::BitsF64,
    ] {
        let (from, to) = c.types();
        let f = one_op(Op::Convert(c), &[from], to);
        let inputs = match from {
            Type::I32 => one(ints(), Num::I),
            Type::I64 => one(longs(), Num::L),
            Type::F32 => one(floats(), Num::F),
            _ => one(doubles(), Num::D),
        };
        check(&f, &inputs, |a| match (c, a[0]) {
            (Convert::I32ToI64, Num::I(a)) => Num::L(a as i64),
            (Convert::U32ToI64, Num::I(a)) => Num::L(a as u32 as i64),
            (Convert::I64ToI32, Num::L(a)) => Num::I(a as i32),
            (Convert::I32ToF32, Num::I(a)) => Num::F(a as f32),
            (Convert::I32ToF64, Num::I(a)) => Num::D(a as f64),
            (Convert::I64ToF32, Num::L(a)) => Num::F(a as f32),
            (Convert::I64ToF64, Num::L(a)) => Num::D(a as f64),
            (Convert::F32ToI32, Num::F(a)) => Num::I(a as i32),
            (Convert::F32ToI64, Num::F(a)) => Num::L(a as i64),
            (Convert::F32ToF64, Num::F(a)) => Num::D(a as f64),
            (Convert::F64ToI32, Num::D(a)) => Num::I(a as i32),
            (Convert::F64ToI64, Num::D(a)) => Num::L(a as i64),
            (Convert::F64ToF32, Num::D(a)) => Num::F(a as f32),
            (Convert::F32Bits, Num::F(a)) => Num::I(a.to_bits() as i32),
            (Convert::F64Bits, Num::D(a)) => Num::L(a.to_bits() as i64),
            (Convert::BitsF32, Num::I(a)) => Num::F(f32::from_bits(a as u32)),
            (Convert::BitsF64, Num::L(a)) => Num::D(f64::from_bits(a as u64)),
            other => panic!("{other:?}"),
        });
    }
}

fn holds<T: PartialOrd>(c: Cond, a: T, b: T) -> bool {
    match c {
        Cond::Eq => a == b,
        Cond::Ne => a != b,
        Cond::Lt | Cond::ULt => a < b,
        Cond::Ge | Cond::UGe => a >= b,
        Cond::Gt | Cond::UGt => a > b,
        Cond::Le | Cond::ULe => a <= b,
    }
}

/// Functions that give 1 if a condition of their parameters holds, else 0: as a value, by a branch, by a select of
/// each kind, and compared with 0 in both ways first.
fn condition_forms(op: Op, params: &[Type]) -> Vec<Function> {
    let mut v = vec![one_op(op.clone(), params, Type::I32)];
    for how in 0..5 {
        let mut b = Build::new(params, Type::I32);
        let args: Vec<Value> = (0..params.len()).map(|n| b.param(n)).collect();
        let c = b.op(op.clone(), &args, Type::I32);
        let (one, zero) = (b.int(1), b.int(0));
        match how {
            0 => {
                let (yes, no) = (b.f.new_block(), b.f.new_block());
                let (then, other) = (Edge::new(yes, vec![]), Edge::new(no, vec![]));
                b.f.blocks[b.at].term = Terminator::Branch { cond: c, then, other, probability: 1 << 15 };
                b.f.blocks[yes].term = Terminator::Return(Some(one));
                b.f.blocks[no].term = Terminator::Return(Some(zero));
                v.push(b.f);
            }
            1 => {
                let r = b.op(Op::Select, &[c, one, zero], Type::I32);
                v.push(b.ret(r));
            }
            2 => {
                let (x, y) = (b.op(Op::FConst(1f64.to_bits()), &[], Type::F64), b.op(Op::FConst(0), &[], Type::F64));
                let r = b.op(Op::Select, &[c, x, y], Type::F64);
                let r = b.op(Op::Convert(Convert::F64ToI32), &[r], Type::I32);
                v.push(b.ret(r));
            }
            3 => {
                let n = b.op(Op::Compare(Cond::Eq), &[c, zero], Type::I32);
                let r = b.op(Op::Select, &[n, zero, one], Type::I32);
                v.push(b.ret(r));
            }
            _ => {
                let n = b.op(Op::Compare(Cond::Ne), &[c, zero], Type::I32);
                // The branch to a block with parameters: both edges are critical.
                let join = b.f.new_block();
                let p = b.f.add_param(join, Type::I32);
                let (then, other) = (Edge::new(join, vec![one]), Edge::new(join, vec![zero]));
                b.f.blocks[b.at].term = Terminator::Branch { cond: n, then, other, probability: 1 << 15 };
                b.f.blocks[join].term = Terminator::Return(Some(p));
                v.push(b.f);
            }
        }
    }
    v
}

#[test]
fn comparisons() {
    for c in Cond::ALL {
        let unsigned = matches!(c, Cond::ULt | Cond::UGe | Cond::UGt | Cond::ULe);
        for f in condition_forms(Op::Compare(c), &[Type::I32, Type::I32]) {
            check(&f, &two(ints(), ints(), Num::I, Num::I), |a| match a {
                [Num::I(a), Num::I(b)] if unsigned => Num::I(holds(c, *a as u32, *b as u32) as i32),
                [Num::I(a), Num::I(b)] => Num::I(holds(c, a, b) as i32),
                _ => panic!(),
            });
        }
        for f in condition_forms(Op::Compare(c), &[Type::I64, Type::I64]) {
            check(&f, &two(longs(), longs(), Num::L, Num::L), |a| match a {
                [Num::L(a), Num::L(b)] if unsigned => Num::I(holds(c, *a as u64, *b as u64) as i32),
                [Num::L(a), Num::L(b)] => Num::I(holds(c, a, b) as i32),
                _ => panic!(),
            });
        }
        if unsigned {
            continue;
        }
        for nan in [false, true] {
            for f in condition_forms(Op::FCompare(c, nan), &[Type::F64, Type::F64]) {
                check(&f, &two(doubles(), doubles(), Num::D, Num::D), |a| match a {
                    [Num::D(a), Num::D(b)] if a.is_nan() || b.is_nan() => Num::I(nan as i32),
                    [Num::D(a), Num::D(b)] => Num::I(holds(c, a, b) as i32),
                    _ => panic!(),
                });
            }
            for f in condition_forms(Op::FCompare(c, nan), &[Type::F32, Type::F32]) {
                check(&f, &two(floats(), floats(), Num::F, Num::F), |a| match a {
                    [Num::F(a), Num::F(b)] if a.is_nan() || b.is_nan() => Num::I(nan as i32),
                    [Num::F(a), Num::F(b)] => Num::I(holds(c, a, b) as i32),
                    _ => panic!(),
                });
            }
        }
    }
    let f = one_op(Op::Compare3, &[Type::I64, Type::I64], Type::I32);
    check(&f, &two(longs(), longs(), Num::L, Num::L), |a| match a {
        [Num::L(a), Num::L(b)] => Num::I(a.cmp(b) as i32),
        _ => panic!(),
    });
    for nan in [-1i8, 1] {
        let three = |a: &[Num]| match a {
            [Num::D(a), Num::D(b)] => a.partial_cmp(b).map_or(nan as i32, |o| o as i32),
            _ => panic!(),
        };
        let f = one_op(Op::FCompare3(nan), &[Type::F64, Type::F64], Type::I32);
        check(&f, &two(doubles(), doubles(), Num::D, Num::D), |a| Num::I(three(a)));
        // As bytecode has it: dcmpl, then a branch on its sign.
        for c in [Cond::Eq, Cond::Ne, Cond::Lt, Cond::Ge, Cond::Gt, Cond::Le] {
            let mut b = Build::new(&[Type::F64, Type::F64], Type::I32);
            let (p, q, zero) = (b.param(0), b.param(1), b.int(0));
            let d = b.op(Op::FCompare3(nan), &[p, q], Type::I32);
            let v = b.op(Op::Compare(c), &[d, zero], Type::I32);
            check(&b.ret(v), &two(doubles(), doubles(), Num::D, Num::D), |a| Num::I(holds(c, three(a), 0) as i32));
        }
    }
}
