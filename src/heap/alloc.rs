//! Allocation of Java objects.

use super::layout::Oop;
use crate::exceptions::VmResult;
use crate::meta::class::ClassRef;
use crate::threads::JavaThread;

/// A new zeroed instance of a class that is initialized (or being so by this thread).
/// Throws OutOfMemoryError ("Java heap space").
#[inline]
pub fn instance(_t: &JavaThread, _class: ClassRef) -> VmResult<Oop> {
    unimplemented!("heap::alloc::instance")
}

/// A new zeroed array of array class `class`. Throws NegativeArraySizeException ("-1") and
/// OutOfMemoryError ("Java heap space", "Requested array size exceeds VM limit").
#[inline]
pub fn array(_t: &JavaThread, _class: ClassRef, _length: i32) -> VmResult<Oop> {
    unimplemented!("heap::alloc::array")
}

/// `multianewarray`: `class` is the array class, `lengths` outermost first.
pub fn multi_array(_t: &JavaThread, _class: ClassRef, _lengths: &[i32]) -> VmResult<Oop> {
    unimplemented!("heap::alloc::multi_array")
}

/// A mirror of `bytes` bytes for `java.lang.Class` class `class_class`: pinned for good.
/// Its injected size fields are set before it can be seen by the collector.
pub fn mirror(_t: &JavaThread, _class_class: ClassRef, _bytes: usize, _static_refs: u32) -> VmResult<Oop> {
    unimplemented!("heap::alloc::mirror")
}

/// `Object.clone`: a shallow copy of an instance of a Cloneable class or of an array.
pub fn shallow_copy(_t: &JavaThread, _object: Oop) -> VmResult<Oop> {
    unimplemented!("heap::alloc::shallow_copy")
}
