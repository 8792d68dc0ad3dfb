//! Class-hierarchy analysis: the one method that a call can reach, among the classes loaded so far.

use crate::code::dependencies;
use crate::link::resolve::vtable_index;
use crate::meta::class::{class_flags, ClassRef};
use crate::meta::method::{MethodKind, MethodRef};
use rustc_hash::FxHashSet;
use std::sync::atomic::Ordering;

/// Classes looked at before the analysis gives up: it is not worth more.
const MAX_CLASSES: usize = 1000;

/// The method that a receiver of exactly `class` responds to `m` by; `None` if it has none or it throws.
pub fn select(class: ClassRef, m: MethodRef) -> Option<MethodRef> {
    let selected = if m.class().is_interface() {
        if m.is_private() || !class.is_subclass_of(m.class()) {
            return None;
        }
        let index = usize::try_from(m.itable_index.load(Ordering::Acquire)).ok()?;
        class.itable_lookup(m.class(), index).flatten()?
    } else if !class.is_subclass_of(m.class()) {
        return None;
    } else {
        match vtable_index(class, m) {
            Some(i) if i < class.vtable_length as usize => class.vtable(i),
            Some(_) => return None,
            None => m,
        }
    };
    matches!(selected.kind(), MethodKind::Java | MethodKind::Native).then_some(selected)
}

/// Calls `f` for `class` and the subclasses (for an interface: implementors) that code must reckon with, as loaded so
/// far, until it gives `None`; `None` then, or if they are too many.
fn for_each_subclass(class: ClassRef, mut f: impl FnMut(ClassRef) -> Option<()>) -> Option<()> {
    let mut todo = vec![class];
    let mut seen = FxHashSet::default();
    while let Some(c) = todo.pop() {
        // What is loaded only has no instances: linking it checks what is assumed here.
        if !std::ptr::eq(c, class) && !dependencies::is_reckoned_with(c) || !seen.insert(c.word()) {
            continue;
        }
        if seen.len() > MAX_CLASSES {
            return None;
        }
        f(c)?;
        todo.extend(c.subclasses.lock().iter().copied());
    }
    Some(())
}

/// The one method that all instances of `class` and its subclasses respond to `m` by, as loaded so far. For an
/// interface: those of its implementors.
pub fn unique_target(class: ClassRef, m: MethodRef) -> Option<MethodRef> {
    let mut found: Option<MethodRef> = None;
    for_each_subclass(class, |c| {
        if !c.is_interface() && !c.is_abstract() {
            let target = select(c, m)?;
            match found {
                Some(f) if !std::ptr::eq(f, target) => return None,
                _ => found = Some(target),
            }
        }
        Some(())
    })?;
    found
}

/// Whether neither `class` nor a subclass loaded so far has a finalizer.
pub fn is_never_finalized(class: ClassRef) -> bool {
    for_each_subclass(class, |c| (!c.has_flag(class_flags::HAS_FINALIZER)).then_some(())).is_some()
}

