//! Linking (verification, preparation, rewriting) and initialization (JVMS 5.4, 5.5).

use crate::exceptions::VmResult;
use crate::meta::class::ClassRef;
use crate::threads::JavaThread;

/// Verifies and prepares the class and its supers.
pub fn link(_t: &JavaThread, _class: ClassRef) -> VmResult<()> {
    unimplemented!("link::init::link")
}

/// Initializes the class (JVMS 5.5); returns at once if the current thread is doing so.
#[inline]
pub fn initialize(_t: &JavaThread, _class: ClassRef) -> VmResult<()> {
    unimplemented!("link::init::initialize")
}
