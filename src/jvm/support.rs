//! What several areas of `JVM_*` functions need: mirrors, arrays of mirrors, strings, bytes.

use crate::exceptions::{throw, VmResult};
use crate::heap::layout::{BasicType, Oop};
use crate::heap::{access, alloc, strings};
use crate::link::load::{self, mirror_to_class, MirrorOf};
use crate::meta::class::ClassRef;
use crate::meta::symbol::Symbol;
use crate::meta::well_known::Known;
use crate::threads::JavaThread;
use std::ffi::CStr;

pub const ILLEGAL_ARGUMENT: &str = "java/lang/IllegalArgumentException";
pub const NULL_POINTER: &str = "java/lang/NullPointerException";

/// The class or array class of a mirror, `None` for primitives and for null.
pub fn class_of(mirror: Oop) -> Option<ClassRef> {
    match mirror_to_class(mirror.non_null()?) {
        MirrorOf::Class(c) => Some(c),
        MirrorOf::Primitive(_) => None,
    }
}

/// The class of a mirror unless it stands for a primitive or an array.
pub fn instance_class_of(mirror: Oop) -> Option<ClassRef> {
    class_of(mirror).filter(|c| !c.is_array())
}

/// The primitive (or void) that a mirror stands for.
pub fn primitive_of(mirror: Oop) -> Option<BasicType> {
    match mirror_to_class(mirror.non_null()?) {
        MirrorOf::Class(_) => None,
        MirrorOf::Primitive(p) => Some(p),
    }
}

/// The class of a mirror where the class library promises one that is neither primitive nor array.
pub fn declared_class(mirror: Oop) -> ClassRef {
    instance_class_of(mirror).expect("the class library passes a class that is neither primitive nor array")
}

/// A new array of `length` references to `element`.
pub fn object_array(t: &JavaThread, element: Known, length: usize) -> VmResult<Oop> {
    let class = load::array_class(t, element.get())?;
    alloc::array(t, class, length as i32)
}

/// A new `Class[]` with the mirrors of `classes`.
pub fn class_array(t: &JavaThread, classes: &[ClassRef]) -> VmResult<Oop> {
    let array = object_array(t, Known::Class, classes.len())?;
    for (i, c) in classes.iter().enumerate() {
        access::set_array_ref(t, array, i, c.mirror());
    }
    Ok(array)
}

/// A new `byte[]` with these bytes, null for `None`.
pub fn byte_array(t: &JavaThread, bytes: Option<&[u8]>) -> VmResult<Oop> {
    let Some(bytes) = bytes else { return Ok(Oop::NULL) };
    let array = alloc::array(t, load::primitive_array_class(BasicType::Byte), bytes.len() as i32)?;
    // SAFETY: a fresh byte[] of that length, no safepoint in between.
    unsafe { access::bytes_mut(array) }.copy_from_slice(bytes);
    Ok(array)
}

/// A new String of a symbol, null for `None`.
pub fn string_of(t: &JavaThread, symbol: Option<Symbol>) -> VmResult<Oop> {
    match symbol {
        Some(s) => strings::from_mutf8(t, s.as_bytes()),
        None => Ok(Oop::NULL),
    }
}

/// A String's characters with slashes for dots, in modified UTF-8: an internal class or
/// package name.
pub fn internal_name(string: Oop) -> Vec<u8> {
    let mut name = strings::to_mutf8(string);
    name.iter_mut().filter(|b| **b == b'.').for_each(|b| *b = b'/');
    name
}

/// The class name that native code passes. Throws `exception` if it is null or longer than a
/// constant pool can hold.
///
/// # Safety
/// `name` must be null or a C string.
pub unsafe fn class_name_argument(t: &JavaThread, name: *const u8, exception: &str) -> VmResult<Symbol> {
    if name.is_null() {
        return Err(throw(t, exception, Some("No class name given".into())));
    }
    let bytes = CStr::from_ptr(name as *const _).to_bytes();
    if bytes.len() > 65535 {
        let text = format!("Class name exceeds maximum length of 65535: {}", String::from_utf8_lossy(bytes));
        return Err(throw(t, exception, Some(text)));
    }
    Ok(Symbol::intern(bytes))
}

/// Throws `IllegalArgumentException` with or without a message.
pub fn illegal_argument<T>(t: &JavaThread, message: Option<&str>) -> VmResult<T> {
    Err(throw(t, ILLEGAL_ARGUMENT, message.map(str::to_string)))
}
