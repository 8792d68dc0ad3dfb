//! `java.lang.String` objects and the intern table.

use super::layout::Oop;
use crate::exceptions::VmResult;
use crate::meta::symbol::Symbol;
use crate::threads::JavaThread;

/// A new String with this text.
pub fn new(_t: &JavaThread, _text: &str) -> VmResult<Oop> {
    unimplemented!("heap::strings::new")
}

/// A new String from UTF-16 code units (compact strings as the class library expects).
pub fn from_utf16(_t: &JavaThread, _units: &[u16]) -> VmResult<Oop> {
    unimplemented!("heap::strings::from_utf16")
}

/// A new String from modified UTF-8.
pub fn from_mutf8(_t: &JavaThread, _bytes: &[u8]) -> VmResult<Oop> {
    unimplemented!("heap::strings::from_mutf8")
}

/// The String's text; unpaired surrogates are replaced.
pub fn to_rust(_string: Oop) -> String {
    unimplemented!("heap::strings::to_rust")
}

/// The String's UTF-16 code units.
pub fn to_utf16(_string: Oop) -> Vec<u16> {
    unimplemented!("heap::strings::to_utf16")
}

/// The String in modified UTF-8.
pub fn to_mutf8(_string: Oop) -> Vec<u8> {
    unimplemented!("heap::strings::to_mutf8")
}

/// `String.intern`: the canonical String equal to `string`. The table holds its Strings weakly.
pub fn intern(_t: &JavaThread, _string: Oop) -> VmResult<Oop> {
    unimplemented!("heap::strings::intern")
}

/// The interned String of a CONSTANT_Utf8.
pub fn intern_symbol(_t: &JavaThread, _text: Symbol) -> VmResult<Oop> {
    unimplemented!("heap::strings::intern_symbol")
}
