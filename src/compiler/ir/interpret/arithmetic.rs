//! Java's arithmetic on raw bits: an i32 or f32 in the low half, the rest zero. NaNs come out as Java's own.

use crate::compiler::ir::{Binary, Cond, Convert, Type, Unary};

fn f32_of(bits: u64) -> f32 {
    f32::from_bits(bits as u32)
}

fn f64_of(bits: u64) -> f64 {
    f64::from_bits(bits)
}

fn of_f32(x: f32) -> u64 {
    u64::from(if x.is_nan() { 0x7fc0_0000 } else { x.to_bits() })
}

fn of_f64(x: f64) -> u64 {
    if x.is_nan() {
        0x7ff8_0000_0000_0000
    } else {
        x.to_bits()
    }
}

/// `Math.min` or `max`: -0.0 is less than 0.0.
fn min_max(max: bool, a: f64, b: f64) -> f64 {
    if a.is_nan() || b.is_nan() {
        return f64::NAN;
    }
    let a_first = if a == b { a.is_sign_negative() } else { a < b };
    if a_first == max {
        b
    } else {
        a
    }
}

fn float(op: Binary, a: f64, b: f64) -> f64 {
    match op {
        Binary::Rem => a % b,
        Binary::Min => min_max(false, a, b),
        Binary::Max => min_max(true, a, b),
        op => panic!("{op:?} of floating-point numbers"),
    }
}

/// `None`: a division by 0.
pub fn binary(op: Binary, ty: Type, a: u64, b: u64) -> Option<u64> {
    Some(match ty {
        Type::I32 => u64::from(int(op, a as i32, b as i32)? as u32),
        Type::I64 => long(op, a as i64, b)? as u64,
        Type::F32 => {
            let (x, y) = (f32_of(a), f32_of(b));
            of_f32(match op {
                Binary::Add => x + y,
                Binary::Sub => x - y,
                Binary::Mul => x * y,
                Binary::Div => x / y,
                Binary::Rem => x % y,
                op => float(op, f64::from(x), f64::from(y)) as f32,
            })
        }
        Type::F64 => {
            let (x, y) = (f64_of(a), f64_of(b));
            of_f64(match op {
                Binary::Add => x + y,
                Binary::Sub => x - y,
                Binary::Mul => x * y,
                Binary::Div => x / y,
                op => float(op, x, y),
            })
        }
        Type::Ptr => long(op, a as i64, b)? as u64,
        Type::Ref => panic!("arithmetic of references"),
    })
}

fn int(op: Binary, a: i32, b: i32) -> Option<i32> {
    Some(match op {
        Binary::Add => a.wrapping_add(b),
        Binary::Sub => a.wrapping_sub(b),
        Binary::Mul => a.wrapping_mul(b),
        Binary::Div | Binary::Rem if b == 0 => return None,
        Binary::Div => a.wrapping_div(b),
        Binary::Rem => a.wrapping_rem(b),
        Binary::And => a & b,
        Binary::Or => a | b,
        Binary::Xor => a ^ b,
        Binary::Shl => a << (b & 31),
        Binary::Shr => a >> (b & 31),
        Binary::Ushr => ((a as u32) >> (b & 31)) as i32,
        Binary::Min => a.min(b),
        Binary::Max => a.max(b),
        Binary::MulHigh | Binary::UMulHigh => panic!("{op:?} of ints"),
    })
}

fn long(op: Binary, a: i64, second: u64) -> Option<i64> {
    let (b, count) = (second as i64, second as u32 & 63);
    Some(match op {
        Binary::Add => a.wrapping_add(b),
        Binary::Sub => a.wrapping_sub(b),
        Binary::Mul => a.wrapping_mul(b),
        Binary::Div | Binary::Rem if b == 0 => return None,
        Binary::Div => a.wrapping_div(b),
        Binary::Rem => a.wrapping_rem(b),
        Binary::And => a & b,
        Binary::Or => a | b,
        Binary::Xor => a ^ b,
        Binary::Shl => a << count,
        Binary::Shr => a >> count,
        Binary::Ushr => ((a as u64) >> count) as i64,
        Binary::Min => a.min(b),
        Binary::Max => a.max(b),
        Binary::MulHigh => ((i128::from(a) * i128::from(b)) >> 64) as i64,
        Binary::UMulHigh => ((u128::from(a as u64) * u128::from(second)) >> 64) as i64,
    })
}

pub fn unary(op: Unary, ty: Type, a: u64) -> u64 {
    let int = |x: i32| u64::from(x as u32);
    let wide = ty == Type::I64;
    let real = |g: fn(f64) -> f64| match ty {
        Type::F32 => of_f32(g(f64::from(f32_of(a))) as f32),
        _ => of_f64(g(f64_of(a))),
    };
    match op {
        Unary::Neg if ty == Type::F32 => of_f32(-f32_of(a)),
        Unary::Neg if ty == Type::F64 => of_f64(-f64_of(a)),
        Unary::Neg if wide => (a as i64).wrapping_neg() as u64,
        Unary::Neg => int((a as i32).wrapping_neg()),
        Unary::Abs if ty.is_float() => real(f64::abs),
        Unary::Abs if wide => (a as i64).wrapping_abs() as u64,
        Unary::Abs => int((a as i32).wrapping_abs()),
        Unary::Sqrt if ty == Type::F32 => of_f32(f32_of(a).sqrt()),
        Unary::Sqrt => real(f64::sqrt),
        Unary::Ceil => real(f64::ceil),
        Unary::Floor => real(f64::floor),
        Unary::Rint => real(f64::round_ties_even),
        Unary::BitCount => u64::from(a.count_ones()),
        Unary::LeadingZeros if wide => u64::from(a.leading_zeros()),
        Unary::LeadingZeros => u64::from((a as u32).leading_zeros()),
        Unary::TrailingZeros if wide => u64::from(a.trailing_zeros()),
        Unary::TrailingZeros => u64::from((a as u32).trailing_zeros()),
        Unary::ReverseBytes if wide => a.swap_bytes(),
        Unary::ReverseBytes => u64::from((a as u32).swap_bytes()),
        Unary::SignExtend8 => int(i32::from(a as i8)),
        Unary::SignExtend16 => int(i32::from(a as i16)),
        Unary::ZeroExtend16 => a & 0xffff,
    }
}

pub fn convert(c: Convert, a: u64) -> u64 {
    let int = |x: i32| u64::from(x as u32);
    match c {
        Convert::I32ToI64 => i64::from(a as i32) as u64,
        Convert::U32ToI64 | Convert::I64ToI32 | Convert::F32Bits | Convert::BitsF32 => u64::from(a as u32),
        Convert::F64Bits | Convert::BitsF64 => a,
        Convert::I32ToF32 => of_f32(a as i32 as f32),
        Convert::I32ToF64 => of_f64(f64::from(a as i32)),
        Convert::I64ToF32 => of_f32(a as i64 as f32),
        Convert::I64ToF64 => of_f64(a as i64 as f64),
        // Rust's casts saturate, and make 0 of NaN.
        Convert::F32ToI32 => int(f32_of(a) as i32),
        Convert::F32ToI64 => f32_of(a) as i64 as u64,
        Convert::F64ToI32 => int(f64_of(a) as i32),
        Convert::F64ToI64 => f64_of(a) as i64 as u64,
        Convert::F32ToF64 => of_f64(f64::from(f32_of(a))),
        Convert::F64ToF32 => of_f32(f64_of(a) as f32),
    }
}

pub fn compare(c: Cond, ty: Type, a: u64, b: u64) -> bool {
    let (s, t) = match ty {
        Type::I32 => (i64::from(a as i32), i64::from(b as i32)),
        _ => (a as i64, b as i64),
    };
    let (u, v) = match ty {
        Type::I32 => (u64::from(a as u32), u64::from(b as u32)),
        _ => (a, b),
    };
    match c {
        Cond::Eq => u == v,
        Cond::Ne => u != v,
        Cond::Lt => s < t,
        Cond::Ge => s >= t,
        Cond::Gt => s > t,
        Cond::Le => s <= t,
        Cond::ULt => u < v,
        Cond::UGe => u >= v,
        Cond::UGt => u > v,
        Cond::ULe => u <= v,
    }
}

/// The operands as doubles, which hold every float.
fn reals(ty: Type, a: u64, b: u64) -> (f64, f64) {
    if ty == Type::F32 {
        (f64::from(f32_of(a)), f64::from(f32_of(b)))
    } else {
        (f64_of(a), f64_of(b))
    }
}

pub fn fcompare(c: Cond, nan: bool, ty: Type, a: u64, b: u64) -> bool {
    let (x, y) = reals(ty, a, b);
    if x.is_nan() || y.is_nan() {
        return nan;
    }
    match c {
        Cond::Eq => x == y,
        Cond::Ne => x != y,
        Cond::Lt => x < y,
        Cond::Ge => x >= y,
        Cond::Gt => x > y,
        Cond::Le => x <= y,
        c => panic!("{c} of floating-point numbers"),
    }
}

pub fn compare3(a: i64, b: i64) -> i32 {
    i32::from(a > b) - i32::from(a < b)
}

pub fn fcompare3(nan: i8, ty: Type, a: u64, b: u64) -> i32 {
    let (x, y) = reals(ty, a, b);
    if x.is_nan() || y.is_nan() {
        return i32::from(nan);
    }
    i32::from(x > y) - i32::from(x < y)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_edges_of_javas_arithmetic() {
        let min = u64::from(i32::MIN as u32);
        assert_eq!(binary(Binary::Div, Type::I32, min, u64::from(u32::MAX)), Some(min));
        assert_eq!(binary(Binary::Rem, Type::I32, min, u64::from(u32::MAX)), Some(0));
        assert_eq!(binary(Binary::Rem, Type::I64, 1, 0), None);
        assert_eq!(binary(Binary::Shl, Type::I64, 1, 65), Some(2));
        assert_eq!(binary(Binary::Ushr, Type::I32, 0xffff_ffff, 33), Some(0x7fff_ffff));
        assert_eq!(convert(Convert::F64ToI32, f64::NAN.to_bits()), 0);
        assert_eq!(convert(Convert::F64ToI64, 1e300f64.to_bits()), i64::MAX as u64);
        let zeros = (0.0f64.to_bits(), (-0.0f64).to_bits());
        assert_eq!(binary(Binary::Min, Type::F64, zeros.0, zeros.1), Some(zeros.1));
        assert_eq!(binary(Binary::Max, Type::F64, zeros.1, zeros.0), Some(zeros.0));
        assert!(compare(Cond::ULt, Type::I32, 1, 0xffff_ffff));
        assert!(!compare(Cond::Lt, Type::I32, 1, 0xffff_ffff));
        assert!(fcompare(Cond::Lt, true, Type::F64, f64::NAN.to_bits(), 0));
        assert_eq!(fcompare3(-1, Type::F32, u64::from(f32::NAN.to_bits()), 0), -1);
    }
}
