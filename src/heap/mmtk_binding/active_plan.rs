//! The mutators: Java threads.

use super::{mutator_of, thread_of, Kiln};
use crate::threads::{registry, JavaThread};
use mmtk::util::opaque_pointer::{VMMutatorThread, VMThread};
use mmtk::vm::ActivePlan;
use mmtk::Mutator;

impl ActivePlan<Kiln> for Kiln {
    /// Called on every slow allocation. A collector worker has no current Java thread.
    fn is_mutator(tls: VMThread) -> bool {
        JavaThread::current()
            .is_some_and(|t| t as *const JavaThread as usize == tls.0.to_address().as_usize())
    }

    fn mutator(tls: VMMutatorThread) -> &'static mut Mutator<Kiln> {
        // SAFETY: MMTk asks on the thread itself or during a pause.
        unsafe { mutator_of(thread_of(tls)) }
    }

    fn mutators<'a>() -> Box<dyn Iterator<Item = &'a mut Mutator<Kiln>> + 'a> {
        // SAFETY: MMTk iterates during a pause, when no thread runs or leaves.
        Box::new(registry::all_unguarded().into_iter().map(|t| unsafe { mutator_of(t) }))
    }

    fn number_of_mutators() -> usize {
        registry::count()
    }
}
