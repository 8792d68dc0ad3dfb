//! Modified UTF-8 (JVMS 4.4.7): UTF-16 code units in one to three bytes each, zero in two.

/// Whether `bytes` is modified UTF-8 as JVMS 4.4.7 has it: no zero byte, none of 0xf0 to 0xff, and
/// every multi-byte form complete. Forms longer than needed pass only if `allow_overlong`, which
/// HotSpot does for class files up to version 47.
pub fn is_valid(bytes: &[u8], allow_overlong: bool) -> bool {
    if is_plain_ascii(bytes) {
        return true;
    }
    let continues = |byte: u8| byte & 0xc0 == 0x80;
    let mut rest = bytes;
    loop {
        rest = match *rest {
            [] => return true,
            [0x01..=0x7f, ref rest @ ..] => rest,
            [first @ 0xc0..=0xdf, second, ref rest @ ..] if continues(second) => {
                // Zero itself is written in two bytes.
                let overlong = first < 0xc2 && (first, second) != (0xc0, 0x80);
                if overlong && !allow_overlong {
                    return false;
                }
                rest
            }
            [first @ 0xe0..=0xef, second, third, ref rest @ ..]
                if continues(second) && continues(third) =>
            {
                if first == 0xe0 && second < 0xa0 && !allow_overlong {
                    return false;
                }
                rest
            }
            _ => return false,
        };
    }
}

/// Whether every byte is 0x01 to 0x7f. Most constants are, so it is decided eight bytes at a time.
fn is_plain_ascii(bytes: &[u8]) -> bool {
    const LOW: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let mut chunks = bytes.chunks_exact(8);
    for chunk in &mut chunks {
        let Ok(chunk) = chunk.try_into() else { return false };
        let word = u64::from_ne_bytes(chunk);
        // A zero byte borrows, a byte of 0x80 or more has its high bit set.
        if (word | word.wrapping_sub(LOW)) & HIGH != 0 {
            return false;
        }
    }
    chunks.remainder().iter().all(|&byte| byte.wrapping_sub(1) < 0x7f)
}

/// The UTF-16 code units of `bytes`. What is not modified UTF-8 yields U+FFFD for each stray byte.
pub fn utf16(bytes: &[u8]) -> Utf16<'_> {
    Utf16 { bytes }
}

/// Iterator of [`utf16`].
#[derive(Clone, Debug)]
pub struct Utf16<'a> {
    bytes: &'a [u8],
}

impl Iterator for Utf16<'_> {
    type Item = u16;

    fn next(&mut self) -> Option<u16> {
        let continues = |byte: u8| byte & 0xc0 == 0x80;
        let (unit, length) = match *self.bytes {
            [] => return None,
            [first @ 0..=0x7f, ..] => (u16::from(first), 1),
            [first @ 0xc0..=0xdf, second, ..] if continues(second) => {
                (u16::from(first & 0x1f) << 6 | u16::from(second & 0x3f), 2)
            }
            [first @ 0xe0..=0xef, second, third, ..] if continues(second) && continues(third) => (
                u16::from(first & 0x0f) << 12
                    | u16::from(second & 0x3f) << 6
                    | u16::from(third & 0x3f),
                3,
            ),
            _ => (0xfffd, 1),
        };
        self.bytes = &self.bytes[length..];
        Some(unit)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.bytes.len().div_ceil(3), Some(self.bytes.len()))
    }
}

/// `bytes` as text for messages; lone surrogates and stray bytes become U+FFFD.
pub fn to_string(bytes: &[u8]) -> String {
    if is_plain_ascii(bytes) {
        return String::from_utf8_lossy(bytes).into_owned();
    }
    char::decode_utf16(utf16(bytes)).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

fn push_unit(unit: u16, out: &mut Vec<u8>) {
    match unit {
        0x01..=0x7f => out.push(unit as u8),
        0 | 0x80..=0x7ff => {
            out.extend_from_slice(&[0xc0 | (unit >> 6) as u8, 0x80 | (unit & 0x3f) as u8]);
        }
        _ => out.extend_from_slice(&[
            0xe0 | (unit >> 12) as u8,
            0x80 | (unit >> 6 & 0x3f) as u8,
            0x80 | (unit & 0x3f) as u8,
        ]),
    }
}

/// Encodes UTF-16 code units, paired surrogates or not.
pub fn from_utf16(units: impl IntoIterator<Item = u16>) -> Vec<u8> {
    let mut out = Vec::new();
    for unit in units {
        push_unit(unit, &mut out);
    }
    out
}

/// Encodes text.
pub fn from_str(text: &str) -> Vec<u8> {
    if is_plain_ascii(text.as_bytes()) {
        return text.as_bytes().to_vec();
    }
    from_utf16(text.encode_utf16())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_unit_survives() {
        for unit in 0..=u16::MAX {
            let bytes = from_utf16([unit]);
            assert!(is_valid(&bytes, false), "{unit:#x}");
            assert_eq!(utf16(&bytes).collect::<Vec<_>>(), [unit]);
        }
    }

    #[test]
    fn zero_and_supplementary_characters() {
        assert_eq!(from_str("a\0b"), [b'a', 0xc0, 0x80, b'b']);
        assert_eq!(from_str("\u{1f600}"), [0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80]);
        assert_eq!(to_string(&from_str("a\0\u{1f600}é")), "a\0\u{1f600}é");
        assert_eq!(to_string(&from_utf16([0xd800, b'x'.into()])), "\u{fffd}x");
    }

    #[test]
    fn overlong_forms_are_for_old_class_files() {
        for bytes in [&[0xc1, 0x81][..], &[0xe0, 0x81, 0x81], &[0xc0, 0x81]] {
            assert!(is_valid(bytes, true), "{bytes:x?}");
            assert!(!is_valid(bytes, false), "{bytes:x?}");
        }
    }

    #[test]
    fn rejects_what_is_not() {
        let bad: [&[u8]; 9] = [
            &[0],
            b"abcdefg\0",
            b"abcdefgh\0",
            &[0x80],
            &[0xc3],
            &[0xe2, 0x82],
            &[0xf0, 0x9f, 0x98, 0x80],
            &[0xc3, 0x29],
            b"abcdef\xff\x01",
        ];
        for bytes in bad {
            assert!(!is_valid(bytes, true), "{bytes:x?}");
            // Decoding goes on regardless.
            assert!(utf16(bytes).count() <= bytes.len());
        }
        assert!(is_valid(b"", false));
        assert!(is_valid(b"abcdefgh\x01\x7fab", false));
    }
}
