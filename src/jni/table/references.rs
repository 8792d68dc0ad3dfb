//! Global, weak and local references.

use crate::heap::layout::Oop;
use crate::jni::refs::{self, Handle};
use crate::native_fn;
use std::ffi::c_void;

/// JNI_ERR.
const ERR: i32 = -1;
/// HotSpot's MaxJNILocalCapacity.
const MAX_LOCAL_CAPACITY: i32 = 65536;

fn capacity_result(capacity: i32) -> i32 {
    if (0..=MAX_LOCAL_CAPACITY).contains(&capacity) {
        0
    } else {
        ERR
    }
}

native_fn! {
    /// `PushLocalFrame`.
    raw fn PushLocalFrame(t, capacity: i32) -> i32 {
        let result = capacity_result(capacity);
        if result == 0 {
            refs::locals(t).enter();
        }
        Ok(result)
    }

    /// `PopLocalFrame`: the reference that survives is made anew in the frame below.
    raw fn PopLocalFrame(t, result: *mut c_void) -> *mut c_void {
        let object = refs::resolve(result);
        Ok(if refs::locals(t).pop() { refs::new_local(t, object) } else { result })
    }

    /// `NewGlobalRef`.
    raw fn NewGlobalRef(_t, object: Oop) -> *mut c_void {
        Ok(refs::new_global(object))
    }

    /// `DeleteGlobalRef`.
    raw fn DeleteGlobalRef(_t, reference: *mut c_void) -> () {
        refs::delete_global(reference);
        Ok(())
    }

    /// `DeleteLocalRef`.
    raw fn DeleteLocalRef(t, reference: *mut c_void) -> () {
        refs::locals(t).delete(reference as usize);
        Ok(())
    }

    /// `IsSameObject`.
    raw fn IsSameObject(_t, a: Oop, b: Oop) -> bool {
        Ok(a == b)
    }

    /// `NewLocalRef`.
    raw fn NewLocalRef(_t, object: Oop) -> Oop {
        Ok(object)
    }

    /// `EnsureLocalCapacity`: frames grow as needed.
    raw fn EnsureLocalCapacity(_t, capacity: i32) -> i32 {
        Ok(capacity_result(capacity))
    }

    /// `NewWeakGlobalRef`.
    raw fn NewWeakGlobalRef(_t, object: Oop) -> *mut c_void {
        Ok(refs::new_weak_global(object))
    }

    /// `DeleteWeakGlobalRef`.
    raw fn DeleteWeakGlobalRef(_t, reference: *mut c_void) -> () {
        refs::delete_weak_global(reference);
        Ok(())
    }

    /// `GetObjectRefType`.
    raw fn GetObjectRefType(t, reference: *mut c_void) -> i32 {
        Ok(refs::ref_type(t, reference as Handle) as i32)
    }
}
