//! Numbers as options write them: `512`, `0x200`, `64k`, `2G`.

/// Parses a size: decimal or hexadecimal digits and at most one letter of k, m, g, t in either
/// case, for powers of 1024. `None` if malformed or beyond 64 bits.
pub(crate) fn parse_size(text: &str) -> Option<u64> {
    let bytes = text.as_bytes();
    if !bytes.first()?.is_ascii_digit() {
        return None;
    }
    let hexadecimal = bytes[0] == b'0' && matches!(bytes.get(1), Some(b'x' | b'X'));
    let digits_from = if hexadecimal { 2 } else { 0 };
    let radix = if hexadecimal { 16 } else { 10 };
    let is_digit = |b: &u8| (*b as char).is_digit(radix);
    let length = bytes[digits_from..].iter().take_while(|b| is_digit(b)).count();
    let digits_to = digits_from + length;
    // "0x" with no digit after it is the number 0 followed by an 'x', which is no suffix.
    let number = u64::from_str_radix(text.get(digits_from..digits_to)?, radix).ok()?;
    let shift = match &bytes[digits_to..] {
        [] => 0,
        [b'k' | b'K'] => 10,
        [b'm' | b'M'] => 20,
        [b'g' | b'G'] => 30,
        [b't' | b'T'] => 40,
        _ => return None,
    };
    number.checked_mul(1 << shift)
}

#[cfg(test)]
mod tests {
    use super::parse_size;

    #[test]
    fn sizes() {
        assert_eq!(parse_size("512"), Some(512));
        assert_eq!(parse_size("0x10k"), Some(16 << 10));
        assert_eq!(parse_size("2g"), Some(2 << 30));
        assert_eq!(parse_size("1T"), Some(1 << 40));
        for bad in ["", "k", "-1", " 1", "1kb", "0x", "1.5g", "99999999999999999999", "17592186044416t"] {
            assert_eq!(parse_size(bad), None, "{bad}");
        }
    }
}
