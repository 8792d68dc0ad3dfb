//! `Method.invoke` and `Constructor.newInstance` through the VM
//! (`jdk.internal.reflect.NativeMethodAccessorImpl`, `NativeConstructorAccessorImpl`).

use super::boxing::{box_value, unbox_as};
use super::reflect_objects::method_of;
use super::support::*;
use crate::exceptions::{throw, Thrown, VmResult};
use crate::heap::access::{array_ref, load_ref};
use crate::heap::alloc;
use crate::heap::layout::{BasicType, Oop};
use crate::interpreter::call::call;
use crate::jvm_entry;
use crate::link::{init, load as loading, resolve};
use crate::meta::loader;
use crate::meta::method::{external_types, MethodRef};
use crate::meta::well_known::{Known, KnownField};
use crate::sym;
use crate::threads::JavaThread;

/// Argument slots kept on the stack, where the collector sees references among them.
const INLINE_SLOTS: usize = 256;

/// Throws InvocationTargetException around `cause`.
fn wrap(t: &JavaThread, cause: Oop) -> Thrown {
    let make = || -> VmResult<Oop> {
        let name = sym!("java/lang/reflect/InvocationTargetException");
        let class = loading::load_or_no_class_def(t, loader::boot(), name)?;
        init::initialize(t, class)?;
        let object = alloc::instance(t, class)?;
        let constructor = class
            .find_declared(sym!("<init>"), sym!("(Ljava/lang/Throwable;)V"))
            .expect("InvocationTargetException(Throwable) is in this class library");
        call(t, constructor, &[object.address() as u64, cause.address() as u64])?;
        Ok(object)
    };
    match make() {
        Ok(e) => t.set_exception(e),
        Err(thrown) => thrown,
    }
}

/// Takes the pending exception and throws InvocationTargetException around it.
fn wrap_pending(t: &JavaThread) -> Thrown {
    let cause = t.take_exception();
    wrap(t, cause)
}

/// The method that runs for `receiver`; what resolution throws is wrapped.
fn select(t: &JavaThread, m: MethodRef, receiver: Oop) -> VmResult<MethodRef> {
    if m.is_private() || m.is_constructor() {
        return Ok(m);
    }
    let class = receiver.class();
    if m.class().is_interface() {
        return resolve::select_interface(t, m, class).map_err(|_| wrap_pending(t));
    }
    let selected = match resolve::vtable_index(class, m) {
        Some(i) => class.vtable(i),
        None => m,
    };
    if selected.is_abstract() {
        let (parameters, returned) = external_types(selected.descriptor.as_bytes());
        let text = format!("'{returned} {class}.{}({})'", selected.name, parameters.join(", "));
        let _ = throw(t, "java/lang/AbstractMethodError", Some(text));
        return Err(wrap_pending(t));
    }
    Ok(selected)
}

/// Calls `reflected` with boxed arguments; the raw result.
fn invoke(t: &JavaThread, reflected: MethodRef, receiver: Oop, types: Oop, arguments: Oop) -> VmResult<u64> {
    let class = reflected.class();
    init::initialize(t, class)?;
    let method = if reflected.is_static() {
        reflected
    } else {
        if receiver.is_null() {
            return Err(throw(t, NULL_POINTER, None));
        }
        if !receiver.class().is_subclass_of(class) {
            return illegal_argument(t, Some("object is not an instance of declaring class"));
        }
        select(t, reflected, receiver)?
    };
    let count = arguments.non_null().map_or(0, |a| a.array_length());
    if types.array_length() != count {
        return illegal_argument(t, Some("wrong number of arguments"));
    }
    let mut slots = [0u64; INLINE_SLOTS];
    let mut n = 0;
    if !reflected.is_static() {
        slots[0] = receiver.address() as u64;
        n = 1;
    }
    for i in 0..count {
        let wanted = array_ref(types, i);
        let given = array_ref(arguments, i);
        match loading::mirror_to_class(wanted) {
            loading::MirrorOf::Primitive(p) => {
                slots[n] = unbox_as(t, given, p)?;
                n += p.slots();
            }
            loading::MirrorOf::Class(c) => {
                if !given.is_null() && !given.class().is_subclass_of(c) {
                    return illegal_argument(t, Some("argument type mismatch"));
                }
                slots[n] = given.address() as u64;
                n += 1;
            }
        }
    }
    call(t, method, &slots[..n]).map_err(|_| wrap_pending(t))
}

/// `Method.invoke0`.
fn invoke_method(t: &JavaThread, method: Oop, receiver: Oop, arguments: Oop) -> VmResult<Oop> {
    let m = method_of(method);
    let types = load_ref(method, KnownField::MethodParameterTypes.offset());
    let result = invoke(t, m, receiver, types, arguments)?;
    box_value(t, m.return_type, result)
}

/// `Constructor.newInstance0`.
fn new_instance(t: &JavaThread, constructor: Oop, arguments: Oop) -> VmResult<Oop> {
    let m = method_of(constructor);
    let class = m.class();
    init::initialize(t, class)?;
    if class.is_interface() || class.is_abstract() {
        return Err(throw(t, "java/lang/InstantiationException", Some(class.external_name())));
    }
    if class == Known::Class.get() {
        return Err(throw(t, "java/lang/IllegalAccessException", Some(class.external_name())));
    }
    let types = load_ref(constructor, KnownField::ConstructorParameterTypes.offset());
    let object = alloc::instance(t, class)?;
    debug_assert_eq!(m.return_type, BasicType::Void);
    invoke(t, m, object, types, arguments)?;
    Ok(object)
}

jvm_entry! {
    /// `NativeMethodAccessorImpl.invoke0`.
    fn JVM_InvokeMethod(t, method: Oop, receiver: Oop, arguments: Oop) -> Oop {
        if (&receiver as *const _ as usize) < t.native_stack_limit.get() {
            return Err(throw(t, "java/lang/StackOverflowError", None));
        }
        invoke_method(t, method, receiver, arguments)
    }

    /// `NativeConstructorAccessorImpl.newInstance0`.
    fn JVM_NewInstanceFromConstructor(t, constructor: Oop, arguments: Oop) -> Oop {
        new_instance(t, constructor, arguments)
    }
}
