//! `jdk.internal.misc.ScopedMemoryAccess`: closing a memory scope while other threads may be
//! about to touch its memory.

use crate::exceptions::VmResult;
use crate::heap::layout::Oop;
use crate::meta::method::method_flags;
use crate::threads::{safepoint, stackwalk, JavaThread};

/// An accessor lies at most this deep: what calls it is no access any more.
const MAX_DEPTH: usize = 10;

/// `closeScope0(Scope, ScopedAccessError)`: false if a thread stands within an access (a
/// `@Scoped` method) to memory of the scope, between its check and the access. The threads
/// have passed a safepoint afterwards, so all see the scope as closed.
fn close_scope(t: &JavaThread, args: *const u64) -> VmResult<u64> {
    // SAFETY: receiver, scope, exception: three reference arguments.
    let scope = unsafe { Oop::from_address(*args.add(1) as usize) };
    let in_use = safepoint::stop_the_world(t, "CloseScopedMemory", |threads| {
        threads.iter().any(|thread| accesses(thread, scope))
    });
    Ok(u64::from(!in_use))
}

/// Whether the innermost access of a standing thread is to `scope`, one of its locals then.
fn accesses(t: &JavaThread, scope: Oop) -> bool {
    let scoped = stackwalk::frames(t).take(MAX_DEPTH).find(|f| f.method.has_flag(method_flags::SCOPED));
    // A number that looks like the scope only makes the caller try again.
    scoped.is_some_and(|f| f.may_hold(scope.address() as u64))
}

/// The natives of this file.
pub(super) const TABLE: super::ClassNatives = (
    "jdk/internal/misc/ScopedMemoryAccess",
    &[
        ("registerNatives", "()V", super::register_natives),
        (
            "closeScope0",
            "(Ljdk/internal/misc/ScopedMemoryAccess$Scope;Ljdk/internal/misc/ScopedMemoryAccess$Scope$ScopedAccessError;)Z",
            close_scope,
        ),
    ],
);
