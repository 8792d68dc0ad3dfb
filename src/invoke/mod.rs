//! Method handles, call sites, dynamic constants (JVMS 5.4.3.5, 5.4.3.6, 6.5.invokedynamic),
//! through the class library's `java.lang.invoke`.

use crate::exceptions::VmResult;
use crate::heap::layout::Oop;
use crate::meta::class::ClassRef;
use crate::meta::method::{MethodKind, MethodRef};
use crate::meta::symbol::Symbol;
use crate::threads::JavaThread;

/// What a linked `invokedynamic` or `invokehandle` does: push the appendix (unless null) and
/// call the adapter, a static method.
#[derive(Clone, Copy)]
pub struct LinkedCall {
    pub adapter: MethodRef,
    pub appendix: Oop,
}

/// Links the `invokedynamic` at `bci` of `method` (pool index `index`); each instruction once,
/// the caller caches. Failures are remembered per instruction by the caller through the error
/// thrown.
pub fn link_dynamic(_t: &JavaThread, _method: MethodRef, _bci: usize, _index: u16) -> VmResult<LinkedCall> {
    unimplemented!("invoke::link_dynamic")
}

/// Links a signature-polymorphic Methodref (MethodHandle.invoke/invokeExact, VarHandle access
/// mode) of `holder`'s pool through `MethodHandleNatives.linkMethod`; for
/// invokeBasic/linkToX the adapter is the intrinsic and the appendix null.
pub fn link_handle_call(_t: &JavaThread, _holder: ClassRef, _index: u16) -> VmResult<LinkedCall> {
    unimplemented!("invoke::link_handle_call")
}

/// The VM-made method of an intrinsic kind with this (basic) descriptor.
pub fn intrinsic(_kind: MethodKind, _descriptor: Symbol) -> MethodRef {
    unimplemented!("invoke::intrinsic")
}

/// Resolves a loadable constant for `ldc` (String, Class, MethodHandle, MethodType, Dynamic).
/// For a Dynamic of primitive type the result is the boxed value.
pub fn resolve_constant(_t: &JavaThread, _holder: ClassRef, _index: u16) -> VmResult<Oop> {
    unimplemented!("invoke::resolve_constant")
}

/// The target of `invokeBasic` on this MethodHandle: `mh.form.vmentry.method.vmtarget`.
pub fn basic_target(_mh: Oop) -> MethodRef {
    unimplemented!("invoke::basic_target")
}

/// The method in a MemberName (the trailing argument of linkToStatic/Special/Virtual/
/// Interface): its `method.vmtarget`; with the receiver's class for the virtual kinds
/// (vmindex dispatch).
pub fn link_to_target(_t: &JavaThread, _kind: MethodKind, _member_name: Oop, _receiver: Oop) -> VmResult<MethodRef> {
    unimplemented!("invoke::link_to_target")
}

/// The kind of a native method of MethodHandle or VarHandle that is signature polymorphic
/// (JVMS 2.9.3): the intrinsics by name, everything else native and varargs is generic.
pub fn signature_polymorphic_kind(class: Symbol, method: Symbol, access_flags: u16) -> Option<MethodKind> {
    use crate::classfile::access::{ACC_NATIVE, ACC_VARARGS};
    let handle = class == "java/lang/invoke/MethodHandle";
    if !handle && class != "java/lang/invoke/VarHandle" || access_flags & ACC_NATIVE == 0 {
        return None;
    }
    if handle {
        match method.as_bytes() {
            b"invokeBasic" => return Some(MethodKind::InvokeBasic),
            b"linkToVirtual" => return Some(MethodKind::LinkToVirtual),
            b"linkToStatic" => return Some(MethodKind::LinkToStatic),
            b"linkToSpecial" => return Some(MethodKind::LinkToSpecial),
            b"linkToInterface" => return Some(MethodKind::LinkToInterface),
            b"linkToNative" => return Some(MethodKind::LinkToNative),
            _ => {}
        }
    }
    (access_flags & ACC_VARARGS != 0).then_some(MethodKind::InvokeGeneric)
}
