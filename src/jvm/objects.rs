//! `java.lang.Object`, `String.intern`, `java.lang.ref`.
#![allow(non_snake_case)] // the names are jvm.h's

use crate::exceptions::{throw, VmResult};
use crate::heap::access::load_ref;
use crate::heap::layout::Oop;
use crate::heap::{alloc, refs, strings};
use crate::jvm_entry;
use crate::meta::class::{class_flags, ReferenceKind};
use crate::meta::well_known::KnownField;
use crate::threads::{monitor, JavaThread};

/// `Object.clone` (JLS 10.7, `java.lang.Object`). Throws CloneNotSupportedException.
pub fn clone(t: &JavaThread, object: Oop) -> VmResult<Oop> {
    let class = object.class();
    let cloneable = class.is_array() || class.has_flag(class_flags::CLONEABLE);
    if !cloneable || class.reference_kind != ReferenceKind::None {
        return Err(throw(t, "java/lang/CloneNotSupportedException", Some(class.external_name())));
    }
    alloc::shallow_copy(t, object)
}

jvm_entry! {
    /// `Object.hashCode`, `System.identityHashCode`: 0 for null.
    fn JVM_IHashCode(t, object: Oop) -> i32 {
        Ok(if object.is_null() { 0 } else { monitor::identity_hash(t, object) })
    }

    /// `Object.wait`.
    fn JVM_MonitorWait(t, object: Oop, millis: i64) -> () {
        monitor::wait(t, object, millis)
    }

    /// `Object.notify`.
    fn JVM_MonitorNotify(t, object: Oop) -> () {
        monitor::notify(t, object, false)
    }

    /// `Object.notifyAll`.
    fn JVM_MonitorNotifyAll(t, object: Oop) -> () {
        monitor::notify(t, object, true)
    }

    /// `Object.clone`.
    fn JVM_Clone(t, object: Oop) -> Oop {
        clone(t, object)
    }

    /// `String.intern`.
    fn JVM_InternString(t, string: Oop) -> Oop {
        if string.is_null() {
            return Ok(string);
        }
        strings::intern(t, string)
    }

    /// `Reference.getAndClearReferencePendingList`.
    fn JVM_GetAndClearReferencePendingList(t) -> Oop {
        Ok(refs::take_pending(t))
    }

    /// `Reference.hasReferencePendingList`.
    fn JVM_HasReferencePendingList(_t) -> bool {
        Ok(refs::has_pending())
    }

    /// `Reference.waitForReferencePendingList`.
    fn JVM_WaitForReferencePendingList(t) -> () {
        refs::wait_for_pending(t);
        Ok(())
    }

    /// `Reference.refersTo0`.
    fn JVM_ReferenceRefersTo(_t, reference: Oop, object: Oop) -> bool {
        Ok(load_ref(reference, KnownField::ReferenceReferent.offset()) == object)
    }

    /// `PhantomReference.refersTo0`.
    fn JVM_PhantomReferenceRefersTo(_t, reference: Oop, object: Oop) -> bool {
        Ok(load_ref(reference, KnownField::ReferenceReferent.offset()) == object)
    }

    /// `Reference.clear0`.
    fn JVM_ReferenceClear(_t, reference: Oop) -> () {
        refs::clear(reference);
        Ok(())
    }
}
