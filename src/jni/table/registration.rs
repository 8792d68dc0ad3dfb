//! Registering natives, monitors, the VM's own handle.

use super::classes::class_of_mirror;
use crate::exceptions::throw;
use crate::heap::layout::Oop;
use crate::jni::border::c_bytes;
use crate::jni::native;
use crate::meta::symbol::Symbol;
use crate::threads::{monitor, stackwalk};
use crate::{log, native_fn};
use std::ffi::{c_char, c_void};

/// JNI_ERR.
const ERR: i32 = -1;

/// `JNINativeMethod`.
#[repr(C)]
struct NativeMethod {
    name: *const c_char,
    signature: *const c_char,
    function: *const c_void,
}

/// Whether to warn: a class of the platform whose natives code of another loader rebinds.
fn is_foreign(t: &crate::threads::JavaThread, class: crate::meta::class::ClassRef) -> bool {
    let platform = match class.loader.object.get().non_null() {
        None => true,
        Some(loader) => loader.class().name == "jdk/internal/loader/ClassLoaders$PlatformClassLoader",
    };
    let named = class.module().is_some_and(|m| m.is_named());
    platform && named && stackwalk::caller_class(t, 1).is_none_or(|c| !std::ptr::eq(c.loader, class.loader))
}

native_fn! {
    /// `RegisterNatives`.
    raw fn RegisterNatives(t, class: Oop, methods: *const c_void, count: i32) -> i32 {
        let class = class_of_mirror(class);
        let warn = is_foreign(t, class);
        let methods = if count <= 0 { &[] } else {
            std::slice::from_raw_parts(methods as *const NativeMethod, count as usize)
        };
        let result = crate::jni::border::preserving(t, || {
            for m in methods {
                let name = c_bytes(m.name as *const c_void).unwrap_or(b"");
                let signature = c_bytes(m.signature as *const c_void).unwrap_or(b"");
                let text = |b| String::from_utf8_lossy(b);
                let (Some(n), Some(s)) = (Symbol::lookup(name), Symbol::lookup(signature)) else {
                    let message = format!("Method {}.{}{} not found", class, text(name), text(signature));
                    return Err(throw(t, "java/lang/NoSuchMethodError", Some(message)));
                };
                if warn {
                    log!(
                        Warning,
                        [jni, resolve],
                        "Re-registering of platform native method: {class}.{n}{s} from code in a different classloader"
                    );
                }
                native::register(t, class, n, s, m.function as usize)?;
            }
            Ok(())
        });
        // The exception is pending; JNI wants a negative number besides.
        Ok(if result.is_ok() { 0 } else { ERR })
    }

    /// `UnregisterNatives`.
    raw fn UnregisterNatives(_t, class: Oop) -> i32 {
        for m in class_of_mirror(class).methods.iter().filter(|m| m.is_native()) {
            native::bind(m, 0);
        }
        Ok(0)
    }

    /// `MonitorEnter`.
    raw fn MonitorEnter(t, object: Oop) -> i32 {
        let entered = crate::jni::border::preserving(t, || {
            if object.is_null() {
                return Err(throw(t, "java/lang/NullPointerException", None));
            }
            monitor::enter(t, object)
        });
        Ok(if entered.is_ok() { 0 } else { ERR })
    }

    /// `MonitorExit`.
    raw fn MonitorExit(t, object: Oop) -> i32 {
        let left = crate::jni::border::preserving(t, || {
            if object.is_null() {
                return Err(throw(t, "java/lang/NullPointerException", None));
            }
            monitor::exit(t, object)
        });
        Ok(if left.is_ok() { 0 } else { ERR })
    }

    /// `GetJavaVM`.
    raw fn GetJavaVM(_t, vm: *mut c_void) -> i32 {
        *(vm as *mut *mut c_void) = crate::jni::invocation::java_vm();
        Ok(0)
    }
}
