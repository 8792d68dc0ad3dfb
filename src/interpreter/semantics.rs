//! Arithmetic as Java defines it where Rust's operators differ (JVMS 2.8, 6.5).

/// `idiv` by a non-zero divisor: `MIN / -1` wraps.
#[inline(always)]
pub fn idiv(a: i32, b: i32) -> i32 {
    a.wrapping_div(b)
}

/// `fcmpl` / `fcmpg`: `nan` is the result if either is NaN.
#[inline(always)]
pub fn fcmp(a: f32, b: f32, nan: i32) -> i32 {
    if a > b {
        1
    } else if a == b {
        0
    } else if a < b {
        -1
    } else {
        nan
    }
}

/// `dcmpl` / `dcmpg`.
#[inline(always)]
pub fn dcmp(a: f64, b: f64, nan: i32) -> i32 {
    if a > b {
        1
    } else if a == b {
        0
    } else if a < b {
        -1
    } else {
        nan
    }
}

/// `lcmp`.
#[inline(always)]
pub fn lcmp(a: i64, b: i64) -> i32 {
    i32::from(a > b) - i32::from(a < b)
}

/// `drem`: C's fmod, not IEEE remainder; exact.
pub fn drem(a: f64, b: f64) -> f64 {
    // SAFETY: a pure function.
    unsafe { libc_fmod(a, b) }
}

/// `frem`. Exact in double: both operands and every remainder of them are representable.
pub fn frem(a: f32, b: f32) -> f32 {
    drem(f64::from(a), f64::from(b)) as f32
}

extern "C" {
    #[link_name = "fmod"]
    fn libc_fmod(a: f64, b: f64) -> f64;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn divisions_and_shifts_wrap() {
        assert_eq!(idiv(i32::MIN, -1), i32::MIN);
        assert_eq!(idiv(-7, 2), -3);
        assert_eq!(i32::MIN.wrapping_rem(-1), 0);
        assert_eq!(1i32.wrapping_shl(33), 2);
        assert_eq!((-1i32 as u32).wrapping_shr(32), u32::MAX);
    }

    #[test]
    fn float_to_int_saturates_and_nan_is_zero() {
        assert_eq!(f32::NAN as i32, 0);
        assert_eq!(f32::INFINITY as i32, i32::MAX);
        assert_eq!(f64::NEG_INFINITY as i64, i64::MIN);
        assert_eq!(3e9f64 as i32, i32::MAX);
        assert_eq!(-1.9f64 as i32, -1);
    }

    #[test]
    fn remainders_take_the_dividends_sign() {
        assert_eq!(drem(-7.5, 2.0), -1.5);
        assert_eq!(frem(7.5, -2.0), 1.5);
        assert!(drem(1.0, 0.0).is_nan() && drem(f64::INFINITY, 2.0).is_nan());
        assert_eq!(drem(5.0, f64::INFINITY), 5.0);
        assert!(drem(-0.0, 3.0).is_sign_negative());
    }

    #[test]
    fn comparisons_order_nan_as_asked() {
        assert_eq!(fcmp(f32::NAN, 1.0, -1), -1);
        assert_eq!(dcmp(1.0, f64::NAN, 1), 1);
        assert_eq!(dcmp(-0.0, 0.0, 1), 0);
        assert_eq!(lcmp(i64::MIN, i64::MAX), -1);
    }
}
