//! The assumptions of installed code: recorded when it is installed, checked when a class is linked, before it can
//! have instances. One lock orders the two, so that code either sees the class when it is installed or is found
//! by the class when that is linked.

use super::compiled::{CodeState, CompiledMethod};
use super::sweep;
use crate::compiler::dependencies::{Dependencies, Dependency};
use crate::meta::class::{class_flags, Class, ClassRef};
use crate::meta::method::{MethodRef, INVALID_INDEX};
use crate::threads::JavaThread;
use parking_lot::Mutex;
use std::collections::{HashMap, HashSet};
use std::sync::atomic::Ordering;

/// Bit of `Class::dependencies`: the class has been checked, code must reckon with it.
const CHECKED: u64 = 1;

/// Assumptions by the class they are about (its address).
type Table = HashMap<usize, Vec<(Dependency, &'static CompiledMethod)>>;

static TABLE: Mutex<Option<Table>> = Mutex::new(None);

fn address(c: &Class) -> usize {
    c as *const Class as usize
}

/// The class whose subclasses may break the assumption.
fn context(d: &Dependency) -> ClassRef {
    match *d {
        Dependency::LeafClass(c) | Dependency::NoFinalizableSubclasses(c) => c,
        Dependency::UniqueConcreteMethod { class, .. } | Dependency::UniqueConcreteSubclass { class, .. } => class,
        Dependency::UniqueImplementor { interface, .. } => interface,
    }
}

/// Whether `class`, a proper subclass (or an implementor) of the assumption's class, breaks it.
fn breaks(d: &Dependency, class: ClassRef) -> bool {
    let has_instances = !class.is_interface() && !class.is_abstract();
    match *d {
        Dependency::LeafClass(_) => true,
        Dependency::UniqueConcreteMethod { resolved, target, .. } => {
            has_instances && selected(resolved, class) != Some(target)
        }
        Dependency::UniqueImplementor { implementor, .. } => {
            !class.is_interface() && !class.is_subclass_of(implementor)
        }
        Dependency::UniqueConcreteSubclass { subclass, .. } => has_instances && !class.is_subclass_of(subclass),
        Dependency::NoFinalizableSubclasses(_) => class.has_flag(class_flags::HAS_FINALIZER),
    }
}

/// What instances of `class` respond to `resolved` by.
fn selected(resolved: MethodRef, class: ClassRef) -> Option<MethodRef> {
    if resolved.class().is_interface() {
        let index = resolved.itable_index.load(Ordering::Relaxed);
        if index == INVALID_INDEX {
            return None;
        }
        return class.itable_lookup(resolved.class(), usize::try_from(index).ok()?).flatten();
    }
    match usize::try_from(resolved.vtable_index.load(Ordering::Relaxed)) {
        Ok(i) if i < class.vtable_length as usize => Some(class.vtable(i)),
        Ok(_) => None,
        // Never dispatched dynamically.
        Err(_) => Some(resolved),
    }
}

/// Whether the assumption holds for all classes that code must reckon with.
fn holds(d: &Dependency) -> bool {
    let mut seen = HashSet::new();
    let mut waiting: Vec<ClassRef> = context(d).subclasses.lock().clone();
    while let Some(c) = waiting.pop() {
        if !seen.insert(address(c)) {
            continue;
        }
        if c.dependencies.load(Ordering::Relaxed) & CHECKED != 0 && breaks(d, c) {
            return false;
        }
        waiting.extend(c.subclasses.lock().iter().copied());
    }
    true
}

/// Enters `code`, which `publish` makes callable, if all its assumptions hold; whether they do.
pub(super) fn register(code: &'static CompiledMethod, dependencies: &Dependencies, publish: impl FnOnce()) -> bool {
    if dependencies.is_empty() {
        publish();
        return true;
    }
    let mut table = TABLE.lock();
    if !dependencies.iter().all(holds) {
        return false;
    }
    let table = table.get_or_insert_default();
    for d in dependencies.iter() {
        let list = table.entry(address(context(d))).or_default();
        if list.len() == list.capacity() {
            list.retain(|(_, c)| c.state() != CodeState::Freed);
        }
        list.push((*d, code));
    }
    publish();
    true
}

/// `class` is about to be linked: gives up the code whose assumptions it breaks, in a pause. No lock may be held.
pub fn class_linked(t: &JavaThread, class: ClassRef) {
    if super::stubs::get().is_none() {
        return;
    }
    let broken = {
        let mut table = TABLE.lock();
        class.dependencies.fetch_or(CHECKED, Ordering::Relaxed);
        let Some(table) = table.as_mut().filter(|t| !t.is_empty()) else { return };
        let mut broken: Vec<&'static CompiledMethod> = Vec::new();
        let mut about = |c: ClassRef| {
            let Some(list) = table.get_mut(&address(c)) else { return };
            list.retain(|(d, code)| {
                // Also code that is not entrant any more may have frames.
                let gone = code.state() == CodeState::Freed || breaks(d, class);
                if gone && code.state() != CodeState::Freed && !broken.iter().any(|x| std::ptr::eq(*x, *code)) {
                    broken.push(code);
                }
                !gone
            });
        };
        let mut super_class = class.super_class;
        while let Some(c) = super_class {
            about(c);
            super_class = c.super_class;
        }
        class.all_interfaces().for_each(&mut about);
        broken
    };
    sweep::invalidate(t, &broken, &format_args!("class {class} was linked"));
}
