//! The assumptions of installed code: recorded when it is installed, checked when a class is linked, before it can
//! have instances, and when a call site gets another target, before that can be seen. One lock orders the two, so
//! that code either sees the change when it is installed or is found by whoever makes the change.

use super::compiled::{CodeState, CompiledMethod};
use super::sweep;
use crate::compiler::dependencies::{Dependencies, Dependency};
use crate::heap::access;
use crate::heap::layout::Oop;
use crate::meta::class::{class_flags, Class, ClassRef};
use crate::meta::method::{MethodRef, INVALID_INDEX};
use crate::meta::well_known::KnownField;
use crate::threads::JavaThread;
use parking_lot::Mutex;
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};

/// Bit of `Class::dependencies`: the class has been checked, code must reckon with it.
const CHECKED: u64 = 1;

/// What an assumption is about.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Context {
    /// The class of this address.
    Class(usize),
    /// The call site of this number.
    CallSite(u64),
}

/// Assumptions by what they are about.
type Table = HashMap<Context, Vec<(Dependency, &'static CompiledMethod)>>;

static TABLE: Mutex<Option<Table>> = Mutex::new(None);

/// Numbers given to call sites so far.
static CALL_SITES: AtomicU64 = AtomicU64::new(0);

fn address(c: &Class) -> usize {
    c as *const Class as usize
}

/// The class whose subclasses may break the assumption, if that is how it can be broken.
fn context_class(d: &Dependency) -> Option<ClassRef> {
    Some(match *d {
        Dependency::LeafClass(c) | Dependency::NoFinalizableSubclasses(c) => c,
        Dependency::UniqueConcreteMethod { class, .. } | Dependency::UniqueConcreteSubclass { class, .. } => class,
        Dependency::UniqueImplementor { interface, .. } => interface,
        Dependency::CallSiteTarget { .. } => return None,
    })
}

fn context(d: &Dependency) -> Context {
    match (d, context_class(d)) {
        (Dependency::CallSiteTarget { site, .. }, _) => Context::CallSite(*site),
        (_, class) => Context::Class(class.map_or(0, address)),
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
        Dependency::CallSiteTarget { .. } => false,
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

/// Compiled code must reckon with the class: it is linked, or about to be.
pub fn is_reckoned_with(class: ClassRef) -> bool {
    class.dependencies.load(Ordering::Relaxed) & CHECKED != 0
}

/// Whether the assumption holds for all classes that code must reckon with, or for the call site as it is.
fn holds(d: &Dependency) -> bool {
    if let Dependency::CallSiteTarget { object, target, .. } = d {
        return site_target(object.0.get()) == target.0.get();
    }
    let Some(class) = context_class(d) else { return true };
    let mut seen = HashSet::new();
    let mut waiting: Vec<ClassRef> = class.subclasses.lock().clone();
    while let Some(c) = waiting.pop() {
        if !seen.insert(address(c)) {
            continue;
        }
        if is_reckoned_with(c) && breaks(d, c) {
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
        let list = table.entry(context(d)).or_default();
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
            for code in take_broken(table, Context::Class(address(c)), |d| breaks(d, class)) {
                if !broken.iter().any(|x| std::ptr::eq(*x, code)) {
                    broken.push(code);
                }
            }
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

fn site_target(site: Oop) -> Oop {
    access::load_ref_volatile(site, KnownField::CallSiteTarget.offset())
}

/// The `CallSiteContext` of a call site: null until the site is made.
fn site_context(site: Oop) -> Option<Oop> {
    access::load_ref(site, KnownField::CallSiteContextField.offset()).non_null()
}

/// The number that assumptions about this call site go by; `None` if it is still being made. The thread must be
/// in the VM.
pub fn call_site_number(site: Oop) -> Option<u64> {
    let context = site_context(site)?;
    let offset = KnownField::CallSiteContextDependencies.offset();
    // Orders those who number the same site.
    let _table = TABLE.lock();
    let known: u64 = access::load(context, offset);
    if known != 0 {
        return Some(known);
    }
    let fresh = CALL_SITES.fetch_add(1, Ordering::Relaxed) + 1;
    access::store(context, offset, fresh);
    Some(fresh)
}

/// Sets the target of a call site: code that assumes another one is given up first, in a pause, so that no thread
/// that sees the new target runs code with the old one. No lock may be held.
pub fn set_call_site_target(t: &JavaThread, site: Oop, target: Oop) {
    loop {
        let broken = {
            let mut table = TABLE.lock();
            let number = site_context(site).map_or(0, |c| access::load(c, KnownField::CallSiteContextDependencies.offset()));
            let broken = match table.as_mut() {
                Some(table) if number != 0 => take_broken(table, Context::CallSite(number), |d| {
                    matches!(d, Dependency::CallSiteTarget { target: assumed, .. } if assumed.0.get() != target)
                }),
                _ => vec![],
            };
            if broken.is_empty() {
                // Under the lock: what is compiled from now on sees it when it is installed.
                access::store_ref_volatile(t, site, KnownField::CallSiteTarget.offset(), target);
                return;
            }
            broken
        };
        sweep::invalidate(t, &broken, &"a call site has got another target");
    }
}

/// A call site is gone whose context this was: so are the assumptions about it, and the code that made them.
pub fn clear_call_site(t: &JavaThread, context: Oop) {
    let number: u64 = access::load(context, KnownField::CallSiteContextDependencies.offset());
    if number == 0 {
        return;
    }
    let broken = {
        let mut table = TABLE.lock();
        table.as_mut().map_or(vec![], |table| take_broken(table, Context::CallSite(number), |_| true))
    };
    sweep::invalidate(t, &broken, &"a call site is gone");
}

/// Forgets the assumptions about classes that are `dead`, and those that the code in `lost` has made. In a pause.
pub(super) fn purge(dead: &dyn Fn(usize) -> bool, lost: &[&'static CompiledMethod]) {
    let mut table = TABLE.lock();
    let Some(table) = table.as_mut() else { return };
    let lost: HashSet<*const CompiledMethod> = lost.iter().map(|c| *c as *const CompiledMethod).collect();
    table.retain(|context, list| {
        if matches!(context, Context::Class(address) if dead(*address)) {
            return false;
        }
        if !lost.is_empty() {
            list.retain(|(_, c)| !lost.contains(&(*c as *const CompiledMethod)));
        }
        !list.is_empty()
    });
}

/// Takes the assumptions about `context` that are `broken` off the table; the code that made them, each once.
fn take_broken(
    table: &mut Table,
    context: Context,
    broken: impl Fn(&Dependency) -> bool,
) -> Vec<&'static CompiledMethod> {
    let mut found: Vec<&'static CompiledMethod> = Vec::new();
    if let Some(list) = table.get_mut(&context) {
        list.retain(|(d, code)| {
            // Also code that is not entrant any more may have frames.
            let freed = code.state() == CodeState::Freed;
            let gone = freed || broken(d);
            if gone && !freed && !found.iter().any(|x| std::ptr::eq(*x, *code)) {
                found.push(code);
            }
            !gone
        });
    }
    found
}
