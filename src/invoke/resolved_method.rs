//! `java.lang.invoke.ResolvedMethodName`: the object that stands for a method in MemberNames.
//! One per method, so that MemberNames can be compared, and held weakly; it holds the method's
//! class through `vmholder`.

use crate::exceptions::VmResult;
use crate::heap::access::{load, store, store_ref};
use crate::heap::alloc;
use crate::heap::layout::Oop;
use crate::heap::roots::{free_weak, new_weak, WeakSlot};
use crate::meta::method::{Method, MethodRef};
use crate::meta::well_known::{Known, KnownField};
use crate::threads::JavaThread;
use parking_lot::Mutex;
use std::collections::HashMap;

/// By method address. An entry whose object has died is as good as none; those of unloaded classes are taken out
/// ([`purge`]). Never held across a safepoint.
struct Table {
    entries: HashMap<usize, &'static WeakSlot>,
    /// Dead entries are dropped when there are this many.
    sweep_at: usize,
}

static TABLE: Mutex<Option<Table>> = Mutex::new(None);

const FIRST_SWEEP: usize = 4096;

/// The ResolvedMethodName of `m`, made if there is none.
pub fn find(t: &JavaThread, m: MethodRef) -> VmResult<Oop> {
    let key = m as *const Method as usize;
    let found = |table: &Option<Table>| table.as_ref().and_then(|t| t.entries.get(&key)).and_then(|s| s.get().non_null());
    if let Some(o) = found(&TABLE.lock()) {
        return Ok(o);
    }
    let o = alloc::instance(t, Known::ResolvedMethodName.get())?;
    store::<u64>(o, KnownField::ResolvedMethodNameMethod.offset(), key as u64);
    store_ref(t, o, KnownField::ResolvedMethodNameVmholder.offset(), m.class().mirror());
    let mut table = TABLE.lock();
    if let Some(first) = found(&table) {
        return Ok(first);
    }
    let table = table.get_or_insert_with(|| Table { entries: HashMap::new(), sweep_at: FIRST_SWEEP });
    if table.entries.len() >= table.sweep_at {
        table.sweep();
    }
    if let Some(dead) = table.entries.insert(key, new_weak(o)) {
        // SAFETY: only the table knew the slot.
        unsafe { free_weak(dead) }
    }
    Ok(o)
}

impl Table {
    fn retain(&mut self, wanted: impl Fn(usize, &WeakSlot) -> bool) {
        self.entries.retain(|&method, slot| {
            let stays = wanted(method, slot);
            if !stays {
                // SAFETY: only the table knew the slot.
                unsafe { free_weak(slot) }
            }
            stays
        });
    }

    fn sweep(&mut self) {
        self.retain(|_, slot| !slot.get().is_null());
        self.sweep_at = FIRST_SWEEP.max(self.entries.len() * 2);
    }
}

/// Forgets the methods of classes that are `dead`. In a pause.
pub(crate) fn purge(dead: &dyn Fn(usize) -> bool) {
    if let Some(table) = TABLE.lock().as_mut() {
        table.retain(|method, _| !dead(method));
    }
}

/// The method that a ResolvedMethodName stands for.
pub fn method_of(resolved: Oop) -> Option<MethodRef> {
    let address = load::<u64>(resolved, KnownField::ResolvedMethodNameMethod.offset()) as usize;
    // SAFETY: null, or a method that `vmholder` keeps.
    unsafe { (address as *const Method).as_ref() }
}
