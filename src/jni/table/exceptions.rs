//! Throwing and asking for exceptions.

use super::classes::class_of_mirror;
use crate::exceptions::{throw, Thrown, VmResult};
use crate::heap::access::load_ref;
use crate::heap::layout::Oop;
use crate::heap::{alloc, strings};
use crate::interpreter::call::{call, call_virtual};
use crate::jni::border::c_bytes;
use crate::link::init;
use crate::meta::well_known::{method, Known, KnownField};
use crate::meta::class::ClassRef;
use crate::{native_fn, sym};
use crate::threads::JavaThread;
use std::ffi::c_void;

native_fn! {
    /// `Throw`.
    raw fn Throw(t, throwable: Oop) -> i32 {
        if !throwable.is_null() {
            let Thrown { .. } = t.set_exception(throwable);
        }
        Ok(0)
    }

    /// `ThrowNew`: the constructor with a String, or the one without for a null message.
    raw fn ThrowNew(t, class: Oop, message: *const c_void) -> i32 {
        t.exception.set(Oop::NULL);
        let class = class_of_mirror(class);
        init::initialize(t, class)?;
        let e = construct(t, class, c_bytes(message))?;
        let Thrown { .. } = t.set_exception(e);
        Ok(0)
    }

    /// `ExceptionOccurred`.
    raw fn ExceptionOccurred(t) -> Oop {
        Ok(t.exception.get())
    }

    /// `ExceptionCheck`.
    raw fn ExceptionCheck(t) -> bool {
        Ok(t.has_pending_exception())
    }

    /// `ExceptionClear`.
    raw fn ExceptionClear(t) -> () {
        t.exception.set(Oop::NULL);
        Ok(())
    }

    /// `ExceptionDescribe`: prints the pending exception and clears it. What its
    /// `printStackTrace` throws is dropped.
    raw fn ExceptionDescribe(t) -> () {
        describe_pending(t);
        Ok(())
    }

    /// `FatalError`.
    raw fn FatalError(t, message: *const c_void) -> () {
        let text = c_bytes(message).map_or("(null)".into(), String::from_utf8_lossy);
        fatal_error(t, &text)
    }
}

/// Ends the process because of what native code did: the message and where the thread is.
pub(super) fn fatal_error(t: &JavaThread, text: &str) -> ! {
    crate::vm_out!("FATAL ERROR in native method: {text}\n");
    print_jni_stack(t);
    crate::vm::crash::die()
}

/// Prints where the current thread is: its Java stack, or the native one of a thread that no Java code has called.
pub(super) fn print_jni_stack(t: &JavaThread) {
    let mut native = true;
    for f in crate::threads::stackwalk::frames(t) {
        native = false;
        let class = f.method.class();
        crate::vm_out!("\tat {}.{}({})\n", class, f.method.name, place(f.method, f.bci));
    }
    if native {
        crate::vm_out!("{}", crate::vm::crash::native_frames());
    }
}

/// A Throwable of any initialized class, through exactly the constructor that `ThrowNew` promises.
/// Throws NoSuchMethodError if the class has none such.
fn construct(t: &JavaThread, class: ClassRef, message: Option<&[u8]>) -> VmResult<Oop> {
    let (descriptor, parameters) = match message {
        Some(_) => (sym!("(Ljava/lang/String;)V"), "java.lang.String"),
        None => (sym!("()V"), ""),
    };
    let Some(constructor) = class.find_declared(sym!("<init>"), descriptor) else {
        let text = format!("{}: method 'void <init>({parameters})' not found", class.external_name());
        return Err(throw(t, "java/lang/NoSuchMethodError", Some(text)));
    };
    let e = alloc::instance(t, class)?;
    match message {
        Some(m) => {
            let text = strings::from_mutf8(t, m)?;
            call(t, constructor, &[e.address() as u64, text.address() as u64])?;
        }
        None => {
            call(t, constructor, &[e.address() as u64])?;
        }
    }
    Ok(e)
}

/// "File.java:12", "Native Method" or "Unknown Source".
fn place(m: crate::meta::method::MethodRef, bci: usize) -> String {
    use crate::exceptions::backtrace::{line_number, source_file};
    if m.is_native() {
        return "Native Method".into();
    }
    match (source_file(m.class()), line_number(m, bci)) {
        (Some(file), line) if line >= 0 => format!("{file}:{line}"),
        (Some(file), _) => file.to_string(),
        (None, _) => "Unknown Source".into(),
    }
}

/// Prints the pending exception as the launcher and native code expect: "Exception in thread
/// "main" " and its stack trace. Nothing for ThreadDeath, nor if none is pending.
pub fn describe_pending(t: &JavaThread) {
    let e = t.take_exception();
    if e.is_null() || e.class().is_subclass_of(Known::ThreadDeath.get()) {
        return;
    }
    crate::vm_err!("Exception ");
    if let Some(thread) = t.thread_object.get().non_null() {
        if let Some(name) = load_ref(thread, KnownField::ThreadName.offset()).non_null() {
            crate::vm_err!("in thread \"{}\" ", strings::to_rust(name));
        }
    }
    let print = method(Known::Throwable, "printStackTrace", "()V");
    if let Err(Thrown { .. }) = call_virtual(t, print, &[e.address() as u64]) {
        t.exception.set(Oop::NULL);
    }
}
