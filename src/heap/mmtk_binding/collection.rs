//! Starting and ending collections.

use super::{mmtk, mutator_of, thread_of, Kiln};
use crate::heap::{conservative, log, refs, unloading};
use crate::threads::{registry, safepoint};
use mmtk::scheduler::GCWorker;
use mmtk::util::alloc::AllocationError;
use mmtk::util::opaque_pointer::{OpaquePointer, VMMutatorThread, VMThread, VMWorkerThread};
use mmtk::util::Address;
use mmtk::vm::{Collection, GCThreadContext};
use mmtk::{memory_manager, Mutator};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

static COLLECTIONS: AtomicU64 = AtomicU64::new(0);
static LAST_WAS_NURSERY: AtomicBool = AtomicBool::new(false);

/// Collections so far.
pub fn collections() -> u64 {
    COLLECTIONS.load(Ordering::Relaxed)
}

/// Whether the last collection left the old generation alone.
pub fn last_collection_was_nursery() -> bool {
    LAST_WAS_NURSERY.load(Ordering::Relaxed)
}

impl Collection<Kiln> for Kiln {
    fn stop_all_mutators<F: FnMut(&'static mut Mutator<Kiln>)>(_: VMWorkerThread, mut visit: F) {
        safepoint::begin_collection();
        refs::prepare();
        unloading::prepare();
        log::begin(mmtk().get_plan().generational().is_some_and(|g| g.is_current_gc_nursery()));
        conservative::prepare();
        for t in registry::all_unguarded() {
            // SAFETY: the thread stands, and MMTk visits each mutator once.
            visit(unsafe { mutator_of(t) });
        }
    }

    fn resume_mutators(_: VMWorkerThread) {
        let nursery = mmtk().get_plan().generational().is_some_and(|g| !g.last_collection_full_heap());
        LAST_WAS_NURSERY.store(nursery, Ordering::Relaxed);
        refs::finish();
        unloading::finish();
        log::end();
        COLLECTIONS.fetch_add(1, Ordering::Relaxed);
        safepoint::end_collection();
        refs::notify_pending();
    }

    fn block_for_gc(tls: VMMutatorThread) {
        safepoint::block_for_collection(thread_of(tls))
    }

    fn spawn_gc_thread(_: VMThread, context: GCThreadContext<Kiln>) {
        let GCThreadContext::Worker(worker) = context;
        let spawned = std::thread::Builder::new().name("GC Thread".into()).spawn(move || run_worker(worker));
        if let Err(e) = spawned {
            fatal(&format!("could not start a collector thread: {e}"));
        }
    }

    /// Returning makes `alloc` give zero, whereupon the VM throws OutOfMemoryError.
    fn out_of_memory(_: VMThread, kind: AllocationError) {
        if matches!(kind, AllocationError::MmapOutOfMemory) {
            fatal("the operating system has no memory left for the Java heap");
        }
    }
}

fn run_worker(worker: Box<GCWorker<Kiln>>) {
    // SAFETY: the address only serves as the worker's name.
    let id = unsafe { Address::from_usize(&*worker as *const GCWorker<Kiln> as usize) };
    let tls = VMWorkerThread(VMThread(OpaquePointer::from_address(id)));
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        memory_manager::start_worker(mmtk(), tls, worker)
    }));
    if outcome.is_err() {
        // The panic hook has printed where. The heap is in an unknown state and every Java
        // thread would wait for ever.
        fatal("a collector thread failed");
    }
}

/// Ends the process: the heap cannot be trusted or used any more.
fn fatal(message: &str) -> ! {
    crate::vm::crash::fatal_error(message)
}
