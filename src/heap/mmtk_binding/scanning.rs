//! Roots and object scanning.

use super::{from_mmtk, thread_of, Kiln, Slot};
use crate::heap::layout::{mirror_static_slots, Oop, REF_BYTES};
use crate::heap::{conservative, refs, roots, unloading};
use crate::meta::class::{Class, InstanceKind, ReferenceKind};
use crate::meta::well_known::KnownField;
use mmtk::scheduler::GCWorker;
use mmtk::util::opaque_pointer::VMWorkerThread;
use mmtk::util::ObjectReference;
use mmtk::vm::{ObjectTracerContext, ReferenceGlue, RootsWorkFactory, Scanning, SlotVisitor};
use mmtk::{Mutator, MutatorContext};

/// Roots handed to MMTk in one packet.
const PACKET: usize = 4096;

/// Collects root slots into packets.
struct Packets<'a, F: RootsWorkFactory<Slot>> {
    factory: &'a mut F,
    slots: Vec<Slot>,
}

impl<'a, F: RootsWorkFactory<Slot>> Packets<'a, F> {
    fn new(factory: &'a mut F) -> Self {
        Packets { factory, slots: Vec::with_capacity(PACKET) }
    }

    fn add(&mut self, slot: Slot) {
        if slot.get() == 0 {
            return;
        }
        self.slots.push(slot);
        if self.slots.len() == PACKET {
            let full = std::mem::replace(&mut self.slots, Vec::with_capacity(PACKET));
            self.factory.create_process_roots_work(full);
        }
    }

    fn finish(self) {
        if !self.slots.is_empty() {
            self.factory.create_process_roots_work(self.slots);
        }
    }
}

impl Scanning<Kiln> for Kiln {
    const UNIQUE_OBJECT_ENQUEUING: bool = true;

    #[inline]
    fn scan_object<V: SlotVisitor<Slot>>(_: VMWorkerThread, object: ObjectReference, visitor: &mut V) {
        let o = from_mmtk(object);
        let class = o.class();
        if unloading::is_active() {
            unloading::keep_object(object, class, &mut |s| {
                if s.get() != 0 {
                    visitor.visit_slot(s)
                }
            });
        }
        match class.instance_kind {
            InstanceKind::Plain | InstanceKind::ClassLoader => visit_fields(o, class, visitor),
            InstanceKind::PrimitiveArray => {}
            InstanceKind::ObjectArray => {
                let first = o.address() + class.array_base();
                for i in 0..o.array_length() {
                    visitor.visit_slot(Slot::narrow(first + i * REF_BYTES));
                }
            }
            InstanceKind::Mirror => {
                visit_fields(o, class, visitor);
                let (first, count) = mirror_static_slots(o);
                for i in 0..count {
                    visitor.visit_slot(Slot::narrow(first + i * REF_BYTES));
                }
            }
            InstanceKind::Reference => visit_reference(o, class, visitor),
        }
    }

    #[inline]
    fn has_no_references(object: ObjectReference) -> bool {
        let class = from_mmtk(object).class();
        let none = match class.instance_kind {
            InstanceKind::PrimitiveArray => true,
            InstanceKind::Plain => class.oop_maps.is_empty(),
            _ => false,
        };
        none && !(unloading::is_active() && class.kept_by.unloadable)
    }

    fn notify_initial_thread_scan_complete(_: bool, _: VMWorkerThread) {}

    fn scan_roots_in_mutator_thread(
        _: VMWorkerThread,
        mutator: &'static mut Mutator<Kiln>,
        mut factory: impl RootsWorkFactory<Slot>,
    ) {
        let t = thread_of(mutator.get_tls());
        let pinned = conservative::scan_thread(t);
        if !pinned.is_empty() {
            factory.create_process_pinning_roots_work(pinned);
        }
        let mut packets = Packets::new(&mut factory);
        roots::for_each_of_thread(t, &mut |s| packets.add(s));
        packets.finish();
    }

    fn scan_vm_specific_roots(_: VMWorkerThread, mut factory: impl RootsWorkFactory<Slot>) {
        let pinned = roots::pinned_objects();
        if !pinned.is_empty() {
            factory.create_process_pinning_roots_work(pinned);
        }
        let mut packets = Packets::new(&mut factory);
        roots::for_each_of_vm(&mut |s| packets.add(s));
        packets.finish();
    }

    fn supports_return_barrier() -> bool {
        false
    }

    fn prepare_for_roots_re_scanning() {}

    fn process_weak_refs(worker: &mut GCWorker<Kiln>, context: impl ObjectTracerContext<Kiln>) -> bool {
        refs::process(worker, context)
    }
}

#[inline(always)]
fn visit_fields<V: SlotVisitor<Slot>>(o: Oop, class: &Class, visitor: &mut V) {
    for block in class.oop_maps.iter() {
        let first = o.address() + block.offset as usize;
        for i in 0..block.count as usize {
            visitor.visit_slot(Slot::narrow(first + i * REF_BYTES));
        }
    }
}

/// All fields of a Reference but `referent`, which is strong only if `refs::discover` says so.
/// `discovered` links the pending list and nothing else, so it is strong whether or not the
/// oop map has it.
fn visit_reference<V: SlotVisitor<Slot>>(o: Oop, class: &Class, visitor: &mut V) {
    debug_assert!(class.reference_kind != ReferenceKind::None);
    let referent = o.address() + KnownField::ReferenceReferent.offset();
    let discovered = o.address() + KnownField::ReferenceDiscovered.offset();
    for block in class.oop_maps.iter() {
        let first = o.address() + block.offset as usize;
        for i in 0..block.count as usize {
            let slot = first + i * REF_BYTES;
            if slot != referent && slot != discovered {
                visitor.visit_slot(Slot::narrow(slot));
            }
        }
    }
    visitor.visit_slot(Slot::narrow(discovered));
    let slot = Slot::narrow(referent);
    if slot.get() != 0 && !refs::discover(o, class.reference_kind) {
        visitor.visit_slot(slot);
    }
}

impl ReferenceGlue<Kiln> for Kiln {
    type FinalizableType = ObjectReference;

    fn clear_referent(_: ObjectReference) {
        unreachable!("references are processed by heap::refs")
    }

    fn get_referent(_: ObjectReference) -> Option<ObjectReference> {
        unreachable!("references are processed by heap::refs")
    }

    fn set_referent(_: ObjectReference, _: ObjectReference) {
        unreachable!("references are processed by heap::refs")
    }

    fn enqueue_references(_: &[ObjectReference], _: VMWorkerThread) {
        unreachable!("references are processed by heap::refs")
    }
}
