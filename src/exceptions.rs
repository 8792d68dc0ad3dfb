//! Java exceptions inside the VM: a function that may throw returns [`VmResult`]; the
//! Throwable itself is pending in the thread (a scanned root), so `Err` carries no data.

use crate::threads::JavaThread;

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

/// Creates and throws an exception of the class named (slashes; a boot class) with an optional
/// message, through its Java constructor. Use as `return Err(throw(t, "java/lang/…", Some(m)))`.
/// If creating it fails, the failure is what is pending.
#[cold]
pub fn throw(_t: &JavaThread, _class: &str, _message: Option<String>) -> Thrown {
    unimplemented!("exceptions::throw")
}

/// The same with a cause, itself a Throwable (`initCause`).
#[cold]
pub fn throw_with_cause(_t: &JavaThread, _class: &str, _message: Option<String>, _cause: crate::heap::layout::Oop) -> Thrown {
    unimplemented!("exceptions::throw_with_cause")
}
