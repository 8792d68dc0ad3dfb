//! Resolution of symbolic references (JVMS 5.4.3) and method selection (5.4.6), with
//! HotSpot's message texts.

use crate::exceptions::VmResult;
use crate::meta::class::ClassRef;
use crate::meta::field::FieldRef;
use crate::meta::method::MethodRef;
use crate::meta::symbol::Symbol;
use crate::threads::JavaThread;

/// The bytecode (or method-handle kind) a reference is resolved for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum InvokeKind {
    Static,
    Special,
    Virtual,
    Interface,
}

/// ... and for fields.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FieldUse {
    GetField,
    PutField,
    GetStatic,
    PutStatic,
}

/// Class entry `index` of `holder`'s pool, loaded and access-checked, not initialized.
pub fn class(_t: &JavaThread, _holder: ClassRef, _index: u16) -> VmResult<ClassRef> {
    unimplemented!("link::resolve::class")
}

/// Fieldref `index` used by `method` in the given way: static-ness, access and final rules
/// checked; for static uses the class is initialized.
pub fn field(_t: &JavaThread, _method: MethodRef, _index: u16, _usage: FieldUse) -> VmResult<FieldRef> {
    unimplemented!("link::resolve::field")
}

/// Methodref or InterfaceMethodref `index` of `holder`'s pool. For `Static` the class is
/// initialized; for `Special` the method is the one selected (JVMS 6.5.invokespecial).
/// Signature-polymorphic methods are the invoke module's: check `is_signature_polymorphic`
/// first.
pub fn method(_t: &JavaThread, _holder: ClassRef, _index: u16, _kind: InvokeKind) -> VmResult<MethodRef> {
    unimplemented!("link::resolve::method")
}

/// Whether Methodref `index` names MethodHandle.invoke*, or a VarHandle access method.
pub fn is_signature_polymorphic(_t: &JavaThread, _holder: ClassRef, _index: u16) -> VmResult<bool> {
    unimplemented!("link::resolve::is_signature_polymorphic")
}

/// The method that `invokevirtual` of resolved method `m` selects for a receiver of `class`.
/// Throws AbstractMethodError, IncompatibleClassChangeError.
pub fn select_virtual(_t: &JavaThread, _m: MethodRef, _class: ClassRef) -> VmResult<MethodRef> {
    unimplemented!("link::resolve::select_virtual")
}

/// The same for `invokeinterface`.
pub fn select_interface(_t: &JavaThread, _m: MethodRef, _class: ClassRef) -> VmResult<MethodRef> {
    unimplemented!("link::resolve::select_interface")
}

/// Field lookup by name in `class` (JVMS 5.4.3.2), no checks.
pub fn lookup_field(_class: ClassRef, _name: Symbol, _descriptor: Symbol) -> Option<FieldRef> {
    unimplemented!("link::resolve::lookup_field")
}

/// Method lookup by name (JVMS 5.4.3.3 / 5.4.3.4 by `class.is_interface()`), no checks.
pub fn lookup_method(_class: ClassRef, _name: Symbol, _descriptor: Symbol) -> Option<MethodRef> {
    unimplemented!("link::resolve::lookup_method")
}
