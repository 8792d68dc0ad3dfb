//! What the class library learns from the stack: stack traces, helpful NullPointerException
//! messages, access control contexts.
#![allow(non_snake_case)] // the names are jvm.h's

use crate::exceptions::{backtrace, VmResult};
use crate::heap::access::{load_ref, set_array_ref, store, store_ref};
use crate::heap::layout::Oop;
use crate::heap::{alloc, strings};
use crate::interpreter::npe_message;
use crate::jvm_entry;
use crate::link::load;
use crate::meta::well_known::{Known, KnownField};
use crate::threads::stackwalk::frames;
use crate::threads::JavaThread;

/// The protection domain of a class by its mirror.
fn protection_domain(mirror: Oop) -> Oop {
    load_ref(mirror, KnownField::ClassProtectionDomain.offset())
}

/// A new `AccessControlContext` of the VM's making.
fn access_control_context(t: &JavaThread, context: Oop, privileged: bool, outer: Oop) -> VmResult<Oop> {
    let c = alloc::instance(t, Known::AccessControlContext.get())?;
    store_ref(t, c, KnownField::AccContext.offset(), context);
    store_ref(t, c, KnownField::AccPrivilegedContext.offset(), outer);
    store::<u8>(c, KnownField::AccIsPrivileged.offset(), u8::from(privileged));
    store::<u8>(c, KnownField::AccIsAuthorized.offset(), 1);
    Ok(c)
}

jvm_entry! {
    /// `Throwable.fillInStackTrace`.
    fn JVM_FillInStackTrace(t, throwable: Oop) -> () {
        backtrace::fill_in_stack_trace(t, throwable);
        Ok(())
    }

    /// `StackTraceElement.initStackTraceElements`.
    fn JVM_InitStackTraceElementArray(t, elements: Oop, throwable: Oop) -> () {
        backtrace::init_stack_trace_elements(t, elements, throwable)
    }

    /// `StackTraceElement.initStackTraceElement`.
    fn JVM_InitStackTraceElement(t, element: Oop, info: Oop) -> () {
        backtrace::init_stack_trace_element(t, element, info)
    }

    /// `NullPointerException.getExtendedNPEMessage` (JEP 358): null if there is none.
    fn JVM_GetExtendedNPEMessage(t, throwable: Oop) -> Oop {
        if !crate::vm::get().options.settings.helpful_null_pointer_messages {
            return Ok(Oop::NULL);
        }
        match npe_message::message_of(throwable) {
            Some(m) => strings::new(t, &m),
            None => Ok(Oop::NULL),
        }
    }

    /// `AccessController.getStackAccessControlContext`: the protection domains of the callers up
    /// to the first privileged frame; null if all are the system's.
    fn JVM_GetStackAccessControlContext(t, _class: Oop) -> Oop {
        let mut domains: Vec<Oop> = Vec::new();
        let mut privileged = false;
        let mut outer = Oop::NULL;
        for f in frames(t) {
            let class = f.method.class();
            let domain = if class == Known::AccessController.get() && f.method.name == "executePrivileged" {
                privileged = true;
                // executePrivileged(action, AccessControlContext context, Class<?> caller), whose
                // parameters stay in their locals.
                let local = |i| Oop::from_address(f.local(i).expect("reachabilityFence keeps the parameters") as usize);
                outer = local(1);
                protection_domain(local(2))
            } else {
                protection_domain(class.mirror())
            };
            if !domain.is_null() && domains.last() != Some(&domain) {
                domains.push(domain);
            }
            if privileged {
                break;
            }
        }
        if domains.is_empty() {
            if privileged && outer.is_null() {
                return Ok(Oop::NULL);
            }
            return access_control_context(t, Oop::NULL, privileged, outer);
        }
        // What is in the vector is not seen by the collector: protection domains are reachable
        // from the classes on the stack, but may move.
        let roots: Vec<_> = domains.into_iter().map(crate::heap::roots::Handle::new).collect();
        let class = load::array_class(t, Known::ProtectionDomain.get())?;
        let context = alloc::array(t, class, roots.len() as i32)?;
        for (i, domain) in roots.iter().enumerate() {
            set_array_ref(t, context, i, domain.get());
        }
        access_control_context(t, context, privileged, outer)
    }

    /// `AccessController.getInheritedAccessControlContext`.
    fn JVM_GetInheritedAccessControlContext(t, _class: Oop) -> Oop {
        Ok(load_ref(t.thread_object.get(), KnownField::ThreadInheritedAccessControlContext.offset()))
    }

    /// `AccessController.ensureMaterializedForStackWalk`: interpreter frames hold real objects.
    fn JVM_EnsureMaterializedForStackWalk(_t, _object: Oop) -> () {
        Ok(())
    }
}

jvm_entry! {
    /// `SecurityManager.getClassContext`: the classes of the methods on the stack, innermost
    /// first; natives and frames that security walks ignore left out.
    fn JVM_GetClassContext(t) -> Oop {
        let own = frames(t).next().map(|f| f.method);
        let called_by_its_native = own
            .is_some_and(|m| m.class() == Known::SecurityManager.get() && m.name == "getClassContext");
        if !called_by_its_native {
            let message = "JVM_GetClassContext must only be called from SecurityManager.getClassContext";
            return Err(crate::exceptions::throw(t, "java/lang/InternalError", Some(message.into())));
        }
        let holders: Vec<_> = frames(t)
            .map(|f| f.method)
            .filter(|m| !m.is_native() && !crate::threads::stackwalk::is_ignored_by_security_stack_walk(m))
            .map(|m| m.class())
            .collect();
        let array_class = load::array_class(t, Known::Class.get())?;
        let array = alloc::array(t, array_class, holders.len() as i32)?;
        for (i, class) in holders.iter().enumerate() {
            set_array_ref(t, array, i, class.mirror());
        }
        Ok(array)
    }
}
