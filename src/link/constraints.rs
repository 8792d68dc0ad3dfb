//! Loading constraints (JVMS 5.3.4): where one class names a type in a reference to another
//! class's member, and the two have different defining loaders, both loaders must mean the same
//! class by that name.
//!
//! A constraint is recorded when a method or field is resolved ([`check_method`],
//! [`check_field`]) and when the method tables of a class are linked ([`check_tables`]). It is
//! checked when it is recorded, and later whenever a class is entered in a loader's dictionary
//! ([`enter`]).

use super::resolve::Reference;
use super::vtable;
use crate::classfile::{FieldType, MethodDescriptor};
use crate::exceptions::{throw, Thrown, VmResult};
use crate::meta::class::{class_flags, ClassRef};
use crate::meta::field::FieldRef;
use crate::meta::loader::{Loader, LoaderRef};
use crate::meta::method::{method_flags, Method, MethodRef};
use crate::meta::symbol::Symbol;
use crate::threads::JavaThread;
use parking_lot::Mutex;
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

const LINKAGE_ERROR: &str = "java/lang/LinkageError";

/// Loaders that must agree about one name, and the class it is, once one of them has it.
#[derive(Debug, PartialEq)]
struct Group<C, L> {
    class: Option<C>,
    loaders: Vec<L>,
}

/// The constraints on one name: groups of loaders, no loader in two of them.
#[derive(Debug)]
struct Groups<C, L>(Vec<Group<C, L>>);

impl<C: Copy + PartialEq, L: Copy + PartialEq> Groups<C, L> {
    fn of(&self, loader: L) -> Option<usize> {
        self.0.iter().position(|g| g.loaders.contains(&loader))
    }

    /// Makes `a` and `b` agree, which have (if they do) these classes by the name. `false`, and
    /// nothing changed: they do not.
    fn unite(&mut self, a: (L, Option<C>), b: (L, Option<C>)) -> bool {
        let (in_a, in_b) = (self.of(a.0), self.of(b.0));
        let recorded = |g: Option<usize>| g.and_then(|g| self.0[g].class);
        let mut class = None;
        for c in [a.1, b.1, recorded(in_a), recorded(in_b)].into_iter().flatten() {
            if *class.get_or_insert(c) != c {
                return false;
            }
        }
        let group = match (in_a, in_b) {
            (None, None) => {
                self.0.push(Group { class: None, loaders: vec![a.0, b.0] });
                self.0.len() - 1
            }
            (Some(g), None) => {
                self.0[g].loaders.push(b.0);
                g
            }
            (None, Some(g)) => {
                self.0[g].loaders.push(a.0);
                g
            }
            (Some(g), Some(h)) if g == h => g,
            (Some(g), Some(h)) => {
                let moved = std::mem::take(&mut self.0[h].loaders);
                self.0[g].loaders.extend(moved);
                self.0[g].class = class;
                self.0.swap_remove(h);
                // The last group has moved to `h`.
                if g == self.0.len() { h } else { g }
            }
        };
        self.0[group].class = class;
        true
    }

    /// Forgets loaders and classes that are gone. A loader alone is not constrained.
    fn purge(&mut self, is_gone: impl Fn(L) -> bool, is_class_gone: impl Fn(C) -> bool) {
        for g in &mut self.0 {
            g.loaders.retain(|&l| !is_gone(l));
            g.class = g.class.filter(|&c| !is_class_gone(c));
        }
        self.0.retain(|g| g.loaders.len() > 1);
    }

    /// Whether `loader` may have `class` by the name; if so that is recorded. The error is the
    /// class that its constraints demand.
    fn admit(&mut self, loader: L, class: C) -> Result<(), C> {
        let Some(g) = self.of(loader) else { return Ok(()) };
        match self.0[g].class {
            Some(other) if other != class => Err(other),
            _ => {
                self.0[g].class = Some(class);
                Ok(())
            }
        }
    }
}

/// The table of the VM. Held while dictionaries are read and written, so that a class cannot
/// slip in between a check and the record of it; never across a safepoint.
static TABLE: LazyLock<Mutex<HashMap<Symbol, Groups<ClassRef, usize>>>> = LazyLock::new(Mutex::default);

fn key(l: LoaderRef) -> usize {
    l as *const Loader as usize
}

/// Forgets the loaders `dead` and their classes; in a pause.
pub(crate) fn purge(dead: &[LoaderRef]) {
    let keys: HashSet<usize> = dead.iter().map(|&l| key(l)).collect();
    let mut table = TABLE.lock();
    for groups in table.values_mut() {
        groups.purge(|l| keys.contains(&l), |c| c.has_flag(class_flags::UNLOADED));
    }
    table.retain(|_, groups| !groups.0.is_empty());
}

/// Constrains `a` and `b` to agree about the class `name`; `false` if they do not.
fn constrain(name: Symbol, a: LoaderRef, b: LoaderRef) -> bool {
    let both = |a: Option<ClassRef>, b: Option<ClassRef>| a.is_some() && a == b;
    // A dictionary keeps what it has: where both have the class, no constraint is needed.
    if both(a.find(name), b.find(name)) {
        return true;
    }
    let mut table = TABLE.lock();
    let (in_a, in_b) = (a.find(name), b.find(name));
    if both(in_a, in_b) {
        return true;
    }
    table.entry(name).or_insert(Groups(Vec::new())).unite((key(a), in_a), (key(b), in_b))
}

/// Constrains two loaders to agree about every class named in `descriptor` (of a method or
/// field). The first type they disagree about: the class name, or descriptor of an array.
fn disagreement(descriptor: Symbol, a: LoaderRef, b: LoaderRef) -> Option<Symbol> {
    if std::ptr::eq(a, b) {
        return None;
    }
    let failing = |t: FieldType<'_>| match t {
        FieldType::Object(name) => {
            let name = Symbol::intern(name);
            (!constrain(name, a, b)).then_some(name)
        }
        FieldType::Array { dims, elem: [b'L', name @ .., b';'] } => (!constrain(Symbol::intern(name), a, b)).then(|| {
            let mut array = vec![b'['; usize::from(dims)];
            array.extend_from_slice(b"L");
            array.extend_from_slice(name);
            array.extend_from_slice(b";");
            Symbol::intern(&array)
        }),
        _ => None,
    };
    match MethodDescriptor::parse(descriptor.as_bytes()) {
        Some(m) => m.parameters().chain(std::iter::once(m.return_type())).find_map(failing),
        None => FieldType::parse(descriptor.as_bytes()).and_then(failing),
    }
}

/// Constrains the loaders of the referring class and of the class that declares `found`, which
/// `r` resolved to. `what`: "method" or "interface method". Throws LinkageError.
pub(super) fn check_method(t: &JavaThread, r: &Reference, found: MethodRef, what: &str) -> VmResult<()> {
    let Some(from) = r.from.filter(|_| r.loader_constraints) else { return Ok(()) };
    let holder = found.class();
    let Some(failed) = disagreement(r.descriptor, from.loader, holder.loader) else { return Ok(()) };
    let text = format!(
        "loader constraint violation: when resolving {what} {} the class loader {} of the current class, {}, \
         and the class loader {} for the method's defining class, {}, have different Class objects for the type {} \
         used in the signature ({}; {})",
        super::resolve::quoted(r.class, r.name, r.descriptor),
        from.loader.name_and_id(),
        from.name,
        holder.loader.name_and_id(),
        holder.name,
        failed,
        from.in_module_of_loader(false, true),
        holder.in_module_of_loader(false, true)
    );
    Err(throw(t, LINKAGE_ERROR, Some(text)))
}

/// The same for a field.
pub(crate) fn check_field(t: &JavaThread, r: &Reference, found: FieldRef) -> VmResult<()> {
    let Some(from) = r.from.filter(|_| r.loader_constraints) else { return Ok(()) };
    let holder = found.class();
    let Some(failed) = disagreement(r.descriptor, from.loader, holder.loader) else { return Ok(()) };
    let failed = failed.to_text().replace('/', ".");
    let text = format!(
        "loader constraint violation: when resolving field \"{}\" of type {failed}, the class loader {} of the \
         current class, {}, and the class loader {} for the field's defining {}, {}, have different Class objects \
         for type {failed} ({}; {})",
        r.name,
        from.loader.name_and_id(),
        from,
        holder.loader.name_and_id(),
        holder.kind_text(),
        holder,
        from.in_module_of_loader(false, true),
        holder.in_module_of_loader(false, true)
    );
    Err(throw(t, LINKAGE_ERROR, Some(text)))
}

/// Constrains the loader of each method selected in the method tables of `class` with that of
/// the class or interface it stands in for (JVMS 5.4.5, 5.4.6). Throws LinkageError.
pub(super) fn check_tables(t: &JavaThread, class: ClassRef) -> VmResult<()> {
    // The boot loader delegates to no other, so all that its classes inherit is its own.
    if class.loader.is_boot() || class.is_interface() {
        return Ok(());
    }
    check_vtable(t, class)?;
    for i in class.all_interfaces() {
        check_itable(t, class, i)?;
    }
    Ok(())
}

fn is_overpass(m: &Method) -> bool {
    m.has_flag(method_flags::SYNTHETIC_VM)
}

fn check_vtable(t: &JavaThread, class: ClassRef) -> VmResult<()> {
    let Some(above) = class.super_class else { return Ok(()) };
    for i in 0..above.vtable_length as usize {
        let (selected, replaced) = (class.vtable(i), above.vtable(i));
        let miranda = selected.class().is_interface() && selected.is_abstract();
        if selected == replaced || miranda || is_overpass(selected) {
            continue;
        }
        let Some(super_type) = vtable::overridden_in(class, i, selected) else { continue };
        let holder = selected.class();
        let Some(failed) = disagreement(selected.descriptor, holder.loader, super_type.loader) else { continue };
        let text = format!(
            "loader constraint violation for class {class}: when selecting overriding method '{}' the class loader {} \
             of the selected method's type {holder}, and the class loader {} for its super type {super_type} have \
             different Class objects for the type {} used in the signature ({}; {})",
            selected.external_name(),
            holder.loader.name_and_id(),
            super_type.loader.name_and_id(),
            failed.to_text().replace('/', "."),
            holder.in_module_of_loader(false, true),
            super_type.in_module_of_loader(false, true)
        );
        return Err(throw(t, LINKAGE_ERROR, Some(text)));
    }
    Ok(())
}

fn check_itable(t: &JavaThread, class: ClassRef, interface: ClassRef) -> VmResult<()> {
    for (i, m) in vtable::itable_methods(interface).enumerate() {
        let Some(Some(selected)) = class.itable_lookup(interface, i) else { continue };
        let holder = selected.class();
        if is_overpass(selected) {
            continue;
        }
        let Some(failed) = disagreement(selected.descriptor, holder.loader, interface.loader) else { continue };
        let text = format!(
            "loader constraint violation in interface itable initialization for class {class}: when selecting method \
             '{}' the class loader {} for super interface {interface}, and the class loader {} of the selected \
             method's {}, {holder} have different Class objects for the type {} used in the signature ({}; {})",
            m.external_name(),
            interface.loader.name_and_id(),
            holder.loader.name_and_id(),
            holder.kind_text(),
            failed.to_text().replace('/', "."),
            interface.in_module_of_loader(false, true),
            holder.in_module_of_loader(false, true)
        );
        return Err(throw(t, LINKAGE_ERROR, Some(text)));
    }
    Ok(())
}

/// What became of a class on its way into a dictionary.
pub(super) enum Entry {
    /// It is there now.
    New,
    /// The loader already had this class of the name.
    Already(ClassRef),
    /// The loader's constraints demand this other class.
    Refused(ClassRef),
}

/// Records `loader` as an initiating loader of `class` (JVMS 5.3), unless it is one of another
/// class of that name, or a constraint forbids it.
pub(super) fn enter(loader: LoaderRef, class: ClassRef) -> Entry {
    let mut table = TABLE.lock();
    let mut dictionary = loader.dictionary.write();
    if let Some(&first) = dictionary.get(&class.name) {
        return Entry::Already(first);
    }
    if let Some(groups) = table.get_mut(&class.name) {
        if let Err(other) = groups.admit(key(loader), class) {
            return Entry::Refused(other);
        }
    }
    loader.depend_on(class.kept_by);
    dictionary.insert(class.name, class);
    Entry::New
}

/// The LinkageError for a class that [`enter`] refused.
pub(super) fn refused(t: &JavaThread, loader: LoaderRef, class: ClassRef, demanded: ClassRef) -> Thrown {
    let id = loader.name_and_id();
    let mut text = format!("loader constraint violation: loader {id} wants to load {} {class}.", class.kind_text());
    if std::ptr::eq(demanded.loader, loader) {
        text.push_str(&format!(" ({})", class.in_module_of_loader(false, true)));
    } else {
        text.push_str(&format!(
            " A different {} with the same name was previously loaded by {}. ({})",
            demanded.kind_text(),
            demanded.loader.name_and_id(),
            demanded.in_module_of_loader(false, true)
        ));
    }
    throw(t, LINKAGE_ERROR, Some(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn none() -> Groups<char, u8> {
        Groups(Vec::new())
    }

    #[test]
    fn loaders_with_different_classes_disagree() {
        let mut g = none();
        assert!(!g.unite((1, Some('a')), (2, Some('b'))));
        assert!(g.0.is_empty());
    }

    #[test]
    fn a_class_is_remembered_for_all_of_the_group() {
        let mut g = none();
        assert!(g.unite((1, None), (2, None)));
        assert!(g.unite((2, None), (3, None)));
        assert_eq!(g.0.len(), 1);
        assert_eq!(g.admit(3, 'a'), Ok(()));
        assert_eq!(g.admit(1, 'b'), Err('a'));
        assert_eq!(g.admit(1, 'a'), Ok(()));
        assert_eq!(g.admit(9, 'b'), Ok(()), "not constrained");
    }

    #[test]
    fn what_is_gone_constrains_nobody() {
        let mut g = none();
        assert!(g.unite((1, Some('a')), (2, None)) && g.unite((2, None), (3, None)) && g.unite((7, None), (8, None)));
        g.purge(|l| l == 1 || l == 7, |c| c == 'a');
        assert_eq!(g.0, [Group { class: None, loaders: vec![2, 3] }]);
        assert_eq!(g.admit(2, 'b'), Ok(()));
        assert_eq!(g.admit(3, 'a'), Err('b'));
    }

    #[test]
    fn groups_merge_and_keep_the_class() {
        for order in [[0, 1], [1, 0]] {
            let mut g = none();
            assert!(g.unite((7, None), (8, None)), "a group that stays as it is");
            assert!(g.unite((1, None), (2, Some('a'))));
            assert!(g.unite((3, None), (4, None)));
            let pair = [(1, None), (3, None)];
            assert!(g.unite(pair[order[0]], pair[order[1]]));
            assert_eq!(g.0.len(), 2);
            assert_eq!(g.admit(4, 'b'), Err('a'));
            assert_eq!(g.admit(7, 'b'), Ok(()));
        }
    }

    #[test]
    fn groups_with_different_classes_do_not_merge() {
        let mut g = none();
        assert!(g.unite((1, Some('a')), (2, None)));
        assert!(g.unite((3, Some('b')), (4, None)));
        assert!(!g.unite((2, None), (4, None)));
        assert_eq!(g.0.len(), 2);
        assert!(!g.unite((2, None), (5, Some('b'))), "a loader outside, against the group's class");
    }
}
