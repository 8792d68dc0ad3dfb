//! Method tables: vtables with overriding (JVMS 5.4.5), default methods and mirandas
//! (5.4.6), itables.

use crate::classfile::access::{ACC_ABSTRACT, ACC_PRIVATE, ACC_STATIC};
use crate::meta::class::{Class, ClassRef};
use crate::meta::loader::LoaderRef;
use crate::meta::method::{Method, MethodKind, MethodRef, NONVIRTUAL_INDEX};
use crate::meta::class::class_flags;
use crate::meta::symbol::Symbol;
use std::sync::atomic::Ordering;

/// What the class being built is, as far as overriding needs to know (it has no address yet).
pub struct Target<'a> {
    pub name: Symbol,
    pub package: &'a [u8],
    pub loader: LoaderRef,
    pub is_final: bool,
    pub is_interface: bool,
    pub super_class: Option<ClassRef>,
    pub all_interfaces: &'a [ClassRef],
    pub methods: &'a [MethodRef],
}

/// Selection that fails (JVMS 5.4.6) in a class with default methods: the vtable entry becomes
/// an overpass that throws.
pub struct Conflict {
    pub slot: usize,
    /// `ConflictingDefaults`, or `Abstract` where only abstract methods were found.
    pub kind: MethodKind,
    pub name: Symbol,
    pub descriptor: Symbol,
    pub message: String,
}

/// The vtable to be, with the slots that overpasses must fill.
pub struct VtablePlan {
    pub entries: Vec<MethodRef>,
    pub conflicts: Vec<Conflict>,
}

fn is_instance_candidate(m: &Method) -> bool {
    m.access_flags & (ACC_STATIC | ACC_PRIVATE) == 0 && m.name.as_bytes().first() != Some(&b'<')
}

/// Whether a method declared in `t` overrides entry `i` of the superclass chain.
fn overrides(t: &Target<'_>, i: usize) -> bool {
    let mut class = t.super_class;
    while let Some(c) = class {
        if i >= c.vtable_length as usize {
            return false;
        }
        let m = c.vtable(i);
        if m.is_public() || m.is_protected() {
            return true;
        }
        let holder = m.class();
        if !m.is_private() && std::ptr::eq(holder.loader, t.loader) && holder.package_name() == t.package {
            return true;
        }
        class = c.super_class;
    }
    false
}

/// The class whose method entry `i` of `class`'s vtable, `selected`, replaces there; `None` if it
/// overrides none (as HotSpot sees it: for a transitive override, the class below the one that
/// declares what is overridden).
pub fn overridden_in(class: ClassRef, i: usize, selected: MethodRef) -> Option<ClassRef> {
    let replaced = class.super_class?.vtable(i);
    let may_override = |m: &Method| {
        m.is_public() || m.is_protected() || (!m.is_private() && class.is_same_package(m.class()))
    };
    if selected.class().is_interface() || may_override(replaced) {
        return Some(replaced.class());
    }
    let mut below = replaced.class();
    while let Some(above) = below.super_class {
        if i >= above.vtable_length as usize {
            return None;
        }
        if may_override(above.vtable(i)) {
            return Some(below);
        }
        below = above;
    }
    None
}

/// Computes the vtable of a class (interfaces have none).
pub fn plan(t: &Target<'_>) -> VtablePlan {
    if t.is_interface {
        number_interface_methods(t.methods);
        return VtablePlan { entries: Vec::new(), conflicts: Vec::new() };
    }
    let inherited = t.super_class.map_or(0, |s| s.vtable_length as usize);
    let mut entries: Vec<MethodRef> =
        (0..inherited).map(|i| t.super_class.expect("inherits").vtable(i)).collect();

    for &m in t.methods {
        if !is_instance_candidate(m) {
            m.vtable_index.store(NONVIRTUAL_INDEX, Ordering::Relaxed);
            continue;
        }
        let mut index = None;
        for i in 0..inherited {
            let e = entries[i];
            if e.name == m.name && e.descriptor == m.descriptor && overrides(t, i) {
                entries[i] = m;
                index = Some(i);
            }
        }
        let final_method = m.access_flags & crate::classfile::access::ACC_FINAL != 0 || t.is_final;
        match index {
            Some(i) => m.vtable_index.store(i as i32, Ordering::Relaxed),
            None if final_method => m.vtable_index.store(NONVIRTUAL_INDEX, Ordering::Relaxed),
            None => {
                m.vtable_index.store(entries.len() as i32, Ordering::Relaxed);
                entries.push(m);
            }
        }
    }

    let mut conflicts = Vec::new();
    let mut seen = std::collections::HashSet::new();
    for &i in t.all_interfaces {
        for &m in i.methods.iter() {
            if !is_instance_candidate(m) || !seen.insert((m.name, m.descriptor)) {
                continue;
            }
            if class_method(t, m.name, m.descriptor).is_some() {
                continue;
            }
            // A slot of the superclass's defaults and mirandas is used again.
            let slot = entries
                .iter()
                .position(|e| e.name == m.name && e.descriptor == m.descriptor && (e.class().is_interface() || is_overpass(e)))
                .unwrap_or(entries.len());
            let chosen = match maximally_specific(t.all_interfaces, m.name, m.descriptor) {
                Selection::Default(d) => d,
                Selection::Abstract(a) => {
                    // A default method that was made abstract again below (HotSpot says so).
                    let has_default = t.all_interfaces.iter().any(|i| {
                        i.has_flag(class_flags::DECLARES_DEFAULTS)
                            && i.find_declared(m.name, m.descriptor)
                                .is_some_and(|d| is_instance_candidate(d) && !d.is_abstract())
                    });
                    if has_default {
                        conflicts.push(Conflict {
                            slot,
                            kind: MethodKind::Abstract,
                            name: m.name,
                            descriptor: m.descriptor,
                            message: format!("Method {}.{}{} is abstract", t.name, m.name, m.descriptor),
                        });
                    }
                    a
                }
                Selection::None => continue,
                Selection::Conflict(ms) => {
                    let list: Vec<String> =
                        ms.iter().map(|d| format!("{}.{}", d.class().name, d.name)).collect();
                    conflicts.push(Conflict {
                        slot,
                        kind: MethodKind::ConflictingDefaults,
                        name: m.name,
                        descriptor: m.descriptor,
                        message: format!("Conflicting default methods: {}", list.join(" ")),
                    });
                    ms[0]
                }
            };
            if slot == entries.len() {
                entries.push(chosen);
            } else {
                entries[slot] = chosen;
            }
        }
    }
    VtablePlan { entries, conflicts }
}

fn is_overpass(m: &Method) -> bool {
    m.has_flag(crate::meta::method::method_flags::SYNTHETIC_VM)
}

/// Gives the dispatchable methods of an interface their itable indices, in class-file order.
fn number_interface_methods(methods: &[MethodRef]) {
    let mut next = 0;
    for m in methods {
        m.vtable_index.store(NONVIRTUAL_INDEX, Ordering::Relaxed);
        if is_instance_candidate(m) {
            m.itable_index.store(next, Ordering::Relaxed);
            next += 1;
        }
    }
}

/// The methods of an interface that have itable entries, in their order.
pub fn itable_methods(interface: &Class) -> impl Iterator<Item = MethodRef> + '_ {
    interface.methods.iter().copied().filter(|m| is_instance_candidate(m))
}

/// Number of itable entries of an interface.
pub fn itable_method_count(interface: &Class) -> usize {
    itable_methods(interface).count()
}

/// The instance method that a class (not an interface) of the chain declares.
fn class_method(t: &Target<'_>, name: Symbol, descriptor: Symbol) -> Option<MethodRef> {
    let own = t
        .methods
        .iter()
        .find(|m| m.name == name && m.descriptor == descriptor && is_instance_candidate(m));
    if let Some(m) = own {
        return Some(m);
    }
    declared_in_chain(t.super_class, name, descriptor)
}

/// The first instance method of this name that `class` or a superclass declares, private and
/// VM-made ones apart.
pub fn declared_in_chain(mut class: Option<ClassRef>, name: Symbol, descriptor: Symbol) -> Option<MethodRef> {
    while let Some(c) = class {
        if let Some(m) = c.find_declared(name, descriptor) {
            if is_instance_candidate(m) {
                return Some(m);
            }
        }
        class = c.super_class;
    }
    None
}

/// Outcome of looking for maximally-specific superinterface methods (JVMS 5.4.3.3).
pub enum Selection {
    None,
    /// Exactly one that is not abstract.
    Default(MethodRef),
    /// Only abstract ones; one of them.
    Abstract(MethodRef),
    /// Several that are not abstract.
    Conflict(Vec<MethodRef>),
}

/// The maximally-specific methods of this name among the interfaces given (all of them
/// superinterfaces of one class).
pub fn maximally_specific(interfaces: &[ClassRef], name: Symbol, descriptor: Symbol) -> Selection {
    let candidates: Vec<MethodRef> = interfaces
        .iter()
        .filter_map(|i| i.find_declared(name, descriptor))
        .filter(|m| is_instance_candidate(m))
        .collect();
    let specific: Vec<MethodRef> = candidates
        .iter()
        .filter(|m| {
            !candidates.iter().any(|o| !std::ptr::eq(o.class(), m.class()) && o.class().is_subclass_of(m.class()))
        })
        .copied()
        .collect();
    let defaults: Vec<MethodRef> =
        specific.iter().filter(|m| m.access_flags & ACC_ABSTRACT == 0).copied().collect();
    match defaults.len() {
        0 => specific.first().map_or(Selection::None, |m| Selection::Abstract(m)),
        1 => Selection::Default(defaults[0]),
        _ => Selection::Conflict(defaults),
    }
}

/// Words of the itable for these interfaces: offset pairs, the ending pair, method pointers.
pub fn itable_words(interfaces: &[ClassRef]) -> usize {
    let with_methods = interfaces.iter().filter(|i| itable_method_count(i) > 0);
    let mut words = 0;
    let mut pairs = 0;
    for i in with_methods {
        pairs += 1;
        words += itable_method_count(i);
    }
    // Interfaces without methods need a pair too: a dispatch on Object's methods checks it.
    pairs += interfaces.iter().filter(|i| itable_method_count(i) == 0).count();
    if interfaces.is_empty() {
        0
    } else {
        words + 2 * (pairs + 1)
    }
}

/// Fills the itable behind the class's vtable. A null entry means that selection must be done
/// (and the error thrown) by `resolve::select_interface`.
pub fn fill_itable(class: ClassRef, interfaces: &[ClassRef]) {
    if class.itable_words == 0 {
        return;
    }
    let table = class.itable();
    let base = class as *const Class as usize;
    let mut methods_at = table as usize + 16 * (interfaces.len() + 1) - base;
    for (n, &i) in interfaces.iter().enumerate() {
        // SAFETY: itable_words accounts for a pair per interface, the end pair, and a word
        // per method.
        unsafe {
            *table.add(2 * n) = i as *const Class as usize as u64;
            *table.add(2 * n + 1) = methods_at as u64;
        }
        for m in itable_methods(i) {
            let implementation = implementation(class, m);
            let word = implementation.map_or(0, |m| m as *const Method as usize as u64);
            // SAFETY: as above.
            unsafe { *((base + methods_at) as *mut u64) = word };
            methods_at += 8;
        }
    }
}

/// The public method that implements interface method `m` in `class`, if selection succeeds.
fn implementation(class: ClassRef, m: MethodRef) -> Option<MethodRef> {
    if let Some(found) = declared_in_chain(Some(class), m.name, m.descriptor) {
        return (found.is_public() && !found.is_abstract()).then_some(found);
    }
    vtable_slot_of_interface_method(class, m.name, m.descriptor)
        .map(|i| class.vtable(i))
        .filter(|f| !f.is_abstract())
}

/// The slot that a default method, miranda or overpass of this name has in `class`'s vtable.
pub fn vtable_slot_of_interface_method(class: ClassRef, name: Symbol, descriptor: Symbol) -> Option<usize> {
    (0..class.vtable_length as usize).find(|&i| {
        let e = class.vtable(i);
        e.name == name && e.descriptor == descriptor && (e.class().is_interface() || is_overpass(e))
    })
}
