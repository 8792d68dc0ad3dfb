//! Java exceptions inside the VM: a function that may throw returns [`VmResult`]; the
//! Throwable itself is pending in the thread (a scanned root), so `Err` carries no data.

pub mod backtrace;
pub mod out_of_memory;
pub mod preallocated;

use crate::heap::layout::Oop;
use crate::heap::{access, alloc, strings};
use crate::interpreter::call::call;
use crate::link::{init, load};
use crate::meta::class::ClassRef;
use crate::meta::loader;
use crate::meta::symbol::Symbol;
use crate::meta::well_known::KnownField;
use crate::sym;
use crate::threads::JavaThread;
use std::cell::Cell;

/// A Java exception is pending in the current thread. Whoever drops this without handing it
/// on must clear the pending exception.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "a pending Java exception must be propagated or cleared"]
pub struct Thrown(());

/// Result of an operation that may throw a Java exception.
pub type VmResult<T> = Result<T, Thrown>;

impl Thrown {
    /// Evidence that `t` has a pending exception.
    pub fn pending(t: &JavaThread) -> Thrown {
        debug_assert!(t.has_pending_exception());
        Thrown(())
    }
}

thread_local! {
    /// Exceptions being made by this thread.
    static MAKING: Cell<u32> = const { Cell::new(0) };
}

/// How many exceptions may be in the making within one another before only preallocated ones
/// are thrown.
const MAX_MAKING: u32 = 8;

/// Creates and throws an exception of the class named (slashes; a boot class) with an optional
/// message, through its Java constructor. Use as `return Err(throw(t, "java/lang/…", Some(m)))`.
/// If creating it fails, the failure is what is pending.
///
/// OutOfMemoryError and StackOverflowError are made without running Java code, and are
/// preallocated objects if even that fails.
#[cold]
pub fn throw(t: &JavaThread, class: &str, message: Option<String>) -> Thrown {
    throw_with_cause(t, class, message, Oop::NULL)
}

/// The same with a cause, itself a Throwable (`initCause`); null for none.
#[cold]
pub fn throw_with_cause(t: &JavaThread, class: &str, message: Option<String>, cause: Oop) -> Thrown {
    let depth = MAKING.get();
    if depth >= MAX_MAKING {
        return preallocated::throw(t, class, message.as_deref());
    }
    MAKING.set(depth + 1);
    if depth == 0 {
        preallocated::note_request(t, class, message.as_deref());
    }
    crate::log!(
        Info,
        [exceptions],
        "Exception <a '{class}'{}{}> thrown in thread {}{}",
        if message.is_some() { ": " } else { "" },
        message.as_deref().unwrap_or(""),
        t.id,
        preallocated::innermost_frames(t, 1)
    );
    let made = match class {
        "java/lang/OutOfMemoryError" | "java/lang/StackOverflowError" if depth > 0 => Err(None),
        "java/lang/OutOfMemoryError" | "java/lang/StackOverflowError" => {
            raw(t, class, message.as_deref()).map_err(|pending| {
                let Thrown(()) = pending;
                t.take_exception();
                None
            })
        }
        _ => make(t, class, message.as_deref(), cause).map_err(Some),
    };
    MAKING.set(depth);
    match made {
        Ok(e) => t.set_exception(e),
        Err(Some(pending)) => pending,
        Err(None) => preallocated::throw(t, class, message.as_deref()),
    }
}

/// The boot class of this name, initialized.
fn exception_class(t: &JavaThread, name: &str) -> VmResult<ClassRef> {
    let class = load::load_class(t, loader::boot(), Symbol::of(name))?;
    init::initialize(t, class)?;
    Ok(class)
}

/// Creates an exception through its constructor.
pub fn make(t: &JavaThread, class: &str, message: Option<&str>, cause: Oop) -> VmResult<Oop> {
    let class = exception_class(t, class)?;
    let text = match message {
        Some(m) => strings::new(t, m)?,
        None => Oop::NULL,
    };
    new_exception(t, class, message.is_some().then_some(text), cause)
}

/// A new Throwable of `class`, initialized, through `<init>(String)` or `<init>()`.
pub fn new_exception(t: &JavaThread, class: ClassRef, message: Option<Oop>, cause: Oop) -> VmResult<Oop> {
    let object = alloc::instance(t, class)?;
    let init = sym!("<init>");
    match message {
        Some(text) => {
            let with_text = class
                .find_declared(init, sym!("(Ljava/lang/String;)V"))
                .map(|m| (m, true))
                // AssertionError and the like take an Object.
                .or_else(|| class.find_declared(init, sym!("(Ljava/lang/Object;)V")).map(|m| (m, true)))
                .or_else(|| class.find_declared(init, sym!("()V")).map(|m| (m, false)));
            match with_text {
                Some((m, true)) => call(t, m, &[object.address() as u64, text.address() as u64])?,
                Some((m, false)) => {
                    call(t, m, &[object.address() as u64])?;
                    access::store_ref(t, object, KnownField::ThrowableDetailMessage.offset(), text);
                    0
                }
                None => panic!("{class} has no constructor that the VM can call"),
            };
        }
        None => {
            match class.find_declared(init, sym!("()V")) {
                Some(m) => call(t, m, &[object.address() as u64])?,
                // Classes with a message constructor only.
                None => match class.find_declared(init, sym!("(Ljava/lang/String;)V")) {
                    Some(m) => call(t, m, &[object.address() as u64, 0])?,
                    None => panic!("{class} has no constructor that the VM can call"),
                },
            };
        }
    }
    if !cause.is_null() {
        let init_cause = crate::meta::well_known::method(
            crate::meta::well_known::Known::Throwable,
            "initCause",
            "(Ljava/lang/Throwable;)Ljava/lang/Throwable;",
        );
        crate::interpreter::call::call_virtual(t, init_cause, &[object.address() as u64, cause.address() as u64])?;
    }
    Ok(object)
}

/// An exception made without running Java code: HotSpot does the same for
/// StackOverflowError and OutOfMemoryError.
fn raw(t: &JavaThread, class: &str, message: Option<&str>) -> VmResult<Oop> {
    let class = load::load_class(t, loader::boot(), Symbol::of(class))?;
    let object = alloc::instance(t, class)?;
    if let Some(m) = message {
        let text = strings::new(t, m)?;
        access::store_ref(t, object, KnownField::ThrowableDetailMessage.offset(), text);
    }
    backtrace::fill_in_stack_trace(t, object);
    Ok(object)
}
