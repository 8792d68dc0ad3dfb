//! `java.lang.String` objects and the intern table. Strings are compact: a byte[] with one
//! byte per character (`coder` LATIN1) if every character is below U+0100, else the UTF-16
//! code units in native byte order, as always under `-XX:-CompactStrings`.

use super::access::{bytes, bytes_mut, load, load_ref, store, store_ref};
use super::alloc;
use super::layout::{BasicType, Oop};
use super::string_table;
use crate::classfile::mutf8;
use crate::exceptions::{throw, VmResult};
use crate::meta::symbol::Symbol;
use crate::meta::well_known::{Known, KnownField};
use crate::threads::JavaThread;
use std::sync::atomic::{AtomicBool, Ordering};

/// `String.LATIN1`
pub const LATIN1: i8 = 0;
/// `String.UTF16`
pub const UTF16: i8 = 1;
/// `-XX:±CompactStrings`.
static COMPACT: AtomicBool = AtomicBool::new(true);

/// `-XX:±CompactStrings`: without it the Strings that the VM makes take two bytes a character
/// always. To be called before the first String is made.
pub fn set_compact(compact: bool) {
    COMPACT.store(compact, Ordering::Relaxed);
}

/// Tells class String, just initialized, what [`set_compact`] was told.
pub fn publish_compact() {
    let string = Known::String.get();
    match string.find_declared_field(Symbol::of("COMPACT_STRINGS"), Symbol::of("Z")) {
        Some(f) => store::<u8>(string.mirror(), f.offset as usize, u8::from(is_compact())),
        None => panic!("String.COMPACT_STRINGS is not in this class library (JDK 17 is needed)"),
    }
}

fn is_compact() -> bool {
    COMPACT.load(Ordering::Relaxed)
}

/// A new String with this text.
pub fn new(t: &JavaThread, text: &str) -> VmResult<Oop> {
    if text.is_ascii() {
        from_latin1(t, text.as_bytes())
    } else {
        from_utf16(t, &text.encode_utf16().collect::<Vec<u16>>())
    }
}

/// A new String from UTF-16 code units (compact strings as the class library expects).
pub fn from_utf16(t: &JavaThread, units: &[u16]) -> VmResult<Oop> {
    if is_compact() && units.iter().all(|&u| u < 0x100) {
        return from_latin1(t, &units.iter().map(|&u| u as u8).collect::<Vec<u8>>());
    }
    let value = new_value(t, units.len(), 2)?;
    // SAFETY: a fresh byte[] that only we know.
    for (to, unit) in unsafe { bytes_mut(value) }.chunks_exact_mut(2).zip(units) {
        to.copy_from_slice(&unit.to_ne_bytes());
    }
    with_value(t, value, UTF16)
}

/// A new String of characters below U+0100.
pub fn from_latin1(t: &JavaThread, chars: &[u8]) -> VmResult<Oop> {
    if !is_compact() {
        return from_utf16(t, &chars.iter().map(|&c| u16::from(c)).collect::<Vec<u16>>());
    }
    let value = new_value(t, chars.len(), 1)?;
    // SAFETY: a fresh byte[] that only we know.
    unsafe { bytes_mut(value) }.copy_from_slice(chars);
    with_value(t, value, LATIN1)
}

/// A new String from modified UTF-8.
pub fn from_mutf8(t: &JavaThread, text: &[u8]) -> VmResult<Oop> {
    if text.is_ascii() {
        return from_latin1(t, text);
    }
    from_utf16(t, &mutf8::utf16(text).collect::<Vec<u16>>())
}

fn new_value(t: &JavaThread, chars: usize, bytes_per_char: usize) -> VmResult<Oop> {
    let Ok(length) = i32::try_from(chars * bytes_per_char) else {
        return Err(throw(t, "java/lang/OutOfMemoryError", Some("Requested array size exceeds VM limit".into())));
    };
    alloc::array(t, crate::link::load::primitive_array_class(BasicType::Byte), length)
}

/// A new String around `value`.
fn with_value(t: &JavaThread, value: Oop, coder: i8) -> VmResult<Oop> {
    let s = alloc::instance(t, Known::String.get())?;
    store_ref(t, s, KnownField::StringValue.offset(), value);
    store::<i8>(s, KnownField::StringCoder.offset(), coder);
    Ok(s)
}

/// The characters of a String, valid until the next safepoint.
enum Chars<'a> {
    Latin1(&'a [u8]),
    Utf16(&'a [u8]),
}

impl Chars<'_> {
    fn len(&self) -> usize {
        match self {
            Chars::Latin1(b) => b.len(),
            Chars::Utf16(b) => b.len() / 2,
        }
    }

    fn unit(&self, i: usize) -> u16 {
        match self {
            Chars::Latin1(b) => b[i] as u16,
            Chars::Utf16(b) => u16::from_ne_bytes([b[2 * i], b[2 * i + 1]]),
        }
    }

    fn units(&self) -> impl Iterator<Item = u16> + '_ {
        (0..self.len()).map(|i| self.unit(i))
    }
}

fn chars<'a>(string: Oop) -> Chars<'a> {
    let value = load_ref(string, KnownField::StringValue.offset());
    if value.is_null() {
        // A String whose constructor has not run.
        return Chars::Latin1(&[]);
    }
    // SAFETY: Strings do not change, and callers in this module are done before a safepoint.
    let b = unsafe { bytes(value) };
    if load::<i8>(string, KnownField::StringCoder.offset()) == LATIN1 {
        Chars::Latin1(b)
    } else {
        Chars::Utf16(b)
    }
}

/// Length in UTF-16 code units.
pub fn length(string: Oop) -> usize {
    chars(string).len()
}

/// The String's text; unpaired surrogates are replaced.
pub fn to_rust(string: Oop) -> String {
    match chars(string) {
        Chars::Latin1(b) => b.iter().map(|&c| c as char).collect(),
        c => char::decode_utf16(c.units()).map(|r| r.unwrap_or(char::REPLACEMENT_CHARACTER)).collect(),
    }
}

/// The String's UTF-16 code units.
pub fn to_utf16(string: Oop) -> Vec<u16> {
    chars(string).units().collect()
}

/// The String in modified UTF-8.
pub fn to_mutf8(string: Oop) -> Vec<u8> {
    mutf8::from_utf16(chars(string).units())
}

/// Whether two Strings have the same characters.
pub(super) fn equal(a: Oop, b: Oop) -> bool {
    match (chars(a), chars(b)) {
        (Chars::Latin1(x), Chars::Latin1(y)) | (Chars::Utf16(x), Chars::Utf16(y)) => x == y,
        // A compact String is Latin-1 whenever it can be, others never are.
        _ => false,
    }
}

/// `String.hashCode` of these code units.
pub fn hash_units(units: impl Iterator<Item = u16>) -> u32 {
    units.fold(0u32, |h, u| h.wrapping_mul(31).wrapping_add(u as u32))
}

/// `String.intern`: the canonical String equal to `string`. The table holds its Strings weakly.
pub fn intern(_t: &JavaThread, string: Oop) -> VmResult<Oop> {
    Ok(string_table::find_or_add(hash_units(chars(string).units()), string))
}

/// The interned String of a CONSTANT_Utf8.
pub fn intern_symbol(t: &JavaThread, text: Symbol) -> VmResult<Oop> {
    let encoded = text.as_bytes();
    let hash = hash_units(mutf8::utf16(encoded));
    let found = string_table::find(hash, |s| chars(s).units().eq(mutf8::utf16(encoded)));
    if let Some(s) = found {
        return Ok(s);
    }
    // Another thread may intern the same text meanwhile: the table decides.
    let s = from_mutf8(t, encoded)?;
    Ok(string_table::find_or_add(hash, s))
}

/// Strings in the intern table.
pub fn interned_count() -> usize {
    string_table::len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_of_string_hash_code() {
        assert_eq!(hash_units("".encode_utf16()), 0);
        assert_eq!(hash_units("hello".encode_utf16()), 99162322);
        assert_eq!(hash_units("\u{e9}\u{4e2d}".encode_utf16()), 233 * 31 + 0x4e2d);
    }
}
