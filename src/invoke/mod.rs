//! Method handles, call sites, dynamic constants (JVMS 5.4.3.5, 5.4.3.6, 6.5.invokedynamic),
//! through the class library's `java.lang.invoke`.
//!
//! The library builds lambda forms and compiles them to bytecode; the VM gives it what bytecode
//! cannot express: resolved members ([`member_name`]), the intrinsics that call them
//! ([`intrinsics`]), and the linking of instructions ([`call_site`]) and constants
//! ([`constants`]) through up-calls to `MethodHandleNatives`.

pub mod boxes;
pub mod bootstrap;
pub mod call_site;
pub mod constants;
pub mod intrinsics;
pub mod member_name;
pub mod method_type;
pub mod resolved_method;

pub use call_site::{link_dynamic, link_handle_call};
pub use constants::resolve_constant;
pub use intrinsics::{basic_target, intrinsic, link_to_target};

use crate::exceptions::VmResult;
use crate::heap::layout::Oop;
use crate::interpreter::call::call;
use crate::link::init;
use crate::meta::method::{MethodKind, MethodRef};
use crate::meta::symbol::Symbol;
use crate::meta::well_known::{method, Known};
use crate::threads::JavaThread;

/// What a linked `invokedynamic` or `invokehandle` does: push the appendix (unless null) and
/// call the adapter, a static method.
#[derive(Clone, Copy)]
pub struct LinkedCall {
    pub adapter: MethodRef,
    pub appendix: Oop,
}

/// Calls a static method of `java.lang.invoke.MethodHandleNatives` that returns a reference.
fn natives_call(t: &JavaThread, name: &str, descriptor: &str, args: &[u64]) -> VmResult<Oop> {
    init::initialize(t, Known::MethodHandleNatives.get())?;
    let bits = call(t, method(Known::MethodHandleNatives, name, descriptor), args)?;
    Ok(Oop::from_address(bits as usize))
}

/// An argument slot holding a reference.
fn slot(o: Oop) -> u64 {
    o.address() as u64
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
        if let Some(kind) = intrinsics::kind_by_name(method) {
            return Some(kind);
        }
    }
    (access_flags & ACC_VARARGS != 0).then_some(MethodKind::InvokeGeneric)
}
