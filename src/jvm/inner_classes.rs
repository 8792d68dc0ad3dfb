//! Member, local and enclosing classes, nests, sealed classes (`Class.getDeclaredClasses`,
//! `getDeclaringClass`, `getNestMembers`, …).

use super::support::*;
use crate::classfile::InnerClass;
use crate::exceptions::{throw, VmResult};
use crate::heap::access;
use crate::heap::layout::Oop;
use crate::jvm_entry;
use crate::link::access::{are_nestmates, nest_host};
use crate::link::resolve;
use crate::meta::class::ClassRef;
use crate::meta::well_known::Known;
use crate::threads::JavaThread;

/// Whether an InnerClasses index of `holder`'s pool names `class`.
fn names(holder: ClassRef, index: u16, class: ClassRef) -> bool {
    holder.constants.class_name(index) == class.name
        || (holder.is_hidden() && std::ptr::eq(holder, class) && index == holder.file().this_class)
}

/// The InnerClasses entry of `class` for itself.
fn own_entry(class: ClassRef) -> Option<InnerClass> {
    let entries = &class.file().attributes.inner_classes;
    entries.iter().find(|e| names(class, e.inner_class, class)).copied()
}

fn disagree(t: &JavaThread, outer: ClassRef, inner: ClassRef) -> crate::exceptions::Thrown {
    let text = format!("{outer} and {inner} disagree on InnerClasses attribute");
    throw(t, "java/lang/IncompatibleClassChangeError", Some(text))
}

/// Throws IncompatibleClassChangeError unless `outer`'s InnerClasses attribute has `inner`, as a
/// member or, with `member` false, as a local or anonymous class.
fn check_declares(t: &JavaThread, outer: ClassRef, inner: ClassRef, member: bool) -> VmResult<()> {
    if outer.is_array() {
        return Err(disagree(t, outer, inner));
    }
    for e in &outer.file().attributes.inner_classes {
        if !names(outer, e.inner_class, inner) {
            continue;
        }
        let fits = match e.outer_class {
            Some(o) => {
                member && names(outer, o, outer) && std::ptr::eq(resolve::class(t, outer, o)?, outer)
            }
            None => !member,
        };
        if fits && std::ptr::eq(resolve::class(t, outer, e.inner_class)?, inner) {
            return Ok(());
        }
    }
    Err(disagree(t, outer, inner))
}

fn declared_classes(t: &JavaThread, class: ClassRef) -> VmResult<Vec<ClassRef>> {
    let mut members = Vec::new();
    for e in &class.file().attributes.inner_classes {
        let Some(o) = e.outer_class else { continue };
        if !names(class, o, class) || !std::ptr::eq(resolve::class(t, class, o)?, class) {
            continue;
        }
        let inner = resolve::class(t, class, e.inner_class)?;
        check_declares(t, class, inner, true)?;
        members.push(inner);
    }
    Ok(members)
}

/// `Class.getDeclaringClass`: the class that `class` is a member of.
pub fn declaring_class(t: &JavaThread, class: ClassRef) -> VmResult<Option<ClassRef>> {
    let Some(entry) = own_entry(class) else { return Ok(None) };
    if let Some(o) = entry.outer_class {
        let outer = resolve::class(t, class, o)?;
        check_declares(t, outer, class, true)?;
        return Ok(Some(outer));
    }
    if let Some(e) = class.file().attributes.enclosing_method {
        let outer = resolve::class(t, class, e.class)?;
        check_declares(t, outer, class, false)?;
    }
    Ok(None)
}

/// Resolves the classes of an attribute, leaving out what cannot be resolved; errors of the VM
/// itself are thrown.
fn resolvable(t: &JavaThread, holder: ClassRef, indices: &[u16]) -> VmResult<Vec<ClassRef>> {
    let mut found = Vec::with_capacity(indices.len());
    for &i in indices {
        match resolve::class(t, holder, i) {
            Ok(c) => found.push(c),
            Err(thrown) if t.exception.get().class().is_subclass_of(Known::VirtualMachineError.get()) => {
                return Err(thrown)
            }
            Err(_) => {
                t.take_exception();
            }
        }
    }
    Ok(found)
}

jvm_entry! {
    /// `Class.getDeclaredClasses0`.
    fn JVM_GetDeclaredClasses(t, class: Oop) -> Oop {
        let members = match instance_class_of(class) {
            Some(c) => declared_classes(t, c)?,
            None => Vec::new(),
        };
        class_array(t, &members)
    }

    /// `Class.getDeclaringClass0`.
    fn JVM_GetDeclaringClass(t, class: Oop) -> Oop {
        let Some(c) = instance_class_of(class) else { return Ok(Oop::NULL) };
        Ok(declaring_class(t, c)?.map_or(Oop::NULL, |d| d.mirror()))
    }

    /// `Class.getSimpleBinaryName0`.
    fn JVM_GetSimpleBinaryName(t, class: Oop) -> Oop {
        let name = instance_class_of(class).and_then(|c| Some(c.constants.symbol(own_entry(c)?.inner_name?)));
        string_of(t, name)
    }

    /// `Class.getEnclosingMethod0`: class, method name and descriptor, the latter two null for an
    /// initializer.
    fn JVM_GetEnclosingMethodInfo(t, class: Oop) -> Oop {
        let Some(c) = instance_class_of(class) else { return Ok(Oop::NULL) };
        let Some(e) = c.file().attributes.enclosing_method else { return Ok(Oop::NULL) };
        let info = object_array(t, Known::Object, 3)?;
        let outer = resolve::class(t, c, e.class)?;
        access::set_array_ref(t, info, 0, outer.mirror());
        if let Some(m) = e.method {
            let (name, descriptor) = c.constants.name_and_type(m);
            let name = string_of(t, Some(name))?;
            access::set_array_ref(t, info, 1, name);
            let descriptor = string_of(t, Some(descriptor))?;
            access::set_array_ref(t, info, 2, descriptor);
        }
        Ok(info)
    }

    /// `Class.getNestHost0`.
    fn JVM_GetNestHost(t, class: Oop) -> Oop {
        Ok(nest_host(t, declared_class(class))?.mirror())
    }

    /// `Class.getNestMembers0`: the host first.
    fn JVM_GetNestMembers(t, class: Oop) -> Oop {
        let host = nest_host(t, declared_class(class))?;
        let listed = host.file().attributes.nest_members.as_deref().unwrap_or(&[]);
        let mut members = vec![host];
        for c in resolvable(t, host, listed)? {
            if !c.is_array() && std::ptr::eq(nest_host(t, c)?, host) {
                members.push(c);
            }
        }
        class_array(t, &members)
    }

    /// `Reflection.areNestMates`.
    fn JVM_AreNestMates(t, a: Oop, b: Oop) -> bool {
        are_nestmates(t, declared_class(a), declared_class(b))
    }

    /// `Class.getPermittedSubclasses0`: null for a class that is not sealed.
    fn JVM_GetPermittedSubclasses(t, class: Oop) -> Oop {
        let c = declared_class(class);
        let Some(listed) = c.file().attributes.permitted_subclasses.as_deref() else { return Ok(Oop::NULL) };
        let found: Vec<ClassRef> = resolvable(t, c, listed)?.into_iter().filter(|c| !c.is_array()).collect();
        class_array(t, &found)
    }
}
