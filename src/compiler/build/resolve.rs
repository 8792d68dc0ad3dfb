//! Symbolic references as a compile sees them: resolved already, resolvable among the classes loaded, or unknown.
//! Nothing here loads, initializes or throws.

use crate::classfile::access::{ACC_PRIVATE, ACC_PROTECTED, ACC_PUBLIC, ACC_STATIC};
use crate::classfile::descriptor::FieldType;
use crate::classfile::tag;
use crate::heap::layout::BasicType;
use crate::heap::roots::RootSlot;
use crate::invoke::{call_site, intrinsics, member_name};
use crate::link::access::{self, ClassAccess};
use crate::link::load::primitive_array_class;
use crate::link::resolve::{lookup_field, lookup_method};
use crate::meta::class::{ClassRef, ClassState};
use crate::meta::field::FieldRef;
use crate::meta::loader::LoaderRef;
use crate::meta::method::{MethodKind, MethodRef};
use crate::meta::symbol::Symbol;
use crate::meta::well_known::Known;

/// Class entry `index`.
pub fn class(holder: ClassRef, index: u16) -> Option<ClassRef> {
    holder.constants.class(index).or_else(|| loaded_class(holder, index))
}

/// The class at an unresolved entry, if the loader is known to mean a loaded one that `holder` has access to.
fn loaded_class(holder: ClassRef, index: u16) -> Option<ClassRef> {
    if holder.constants.error(index).is_some() || holder.is_hidden() && index == holder.file().this_class {
        return None;
    }
    let name = holder.constants.class_name(index);
    let c = match name.as_bytes() {
        [b'[', element @ ..] => array_of(holder.loader, element)?,
        _ => holder.loader.find(name)?,
    };
    (access::class_access(holder, c, false) == ClassAccess::Ok).then_some(c)
}

/// The array class whose elements have this descriptor, if it has been made.
fn array_of(loader: LoaderRef, element: &[u8]) -> Option<ClassRef> {
    match element {
        [b'[', inner @ ..] => array_of(loader, inner)?.array_class_if_made(),
        [b'L', name @ .., b';'] => loader.find(Symbol::intern(name))?.array_class_if_made(),
        [c] => {
            let t = BasicType::from_descriptor(*c).filter(|t| !t.is_reference() && *t != BasicType::Void)?;
            Some(primitive_array_class(t))
        }
        _ => None,
    }
}

/// The class that a descriptor names to `loader`, if it has been loaded: what is declared to be of it is, as the
/// verifier has seen to. Not interfaces and arrays of such, for which the verifier lets any object pass.
pub fn declared(loader: LoaderRef, descriptor: &[u8]) -> Option<ClassRef> {
    let class = match descriptor {
        [b'L', name @ .., b';'] => loader.find(Symbol::intern(name))?,
        [b'[', element @ ..] => array_of(loader, element)?,
        _ => return None,
    };
    let mut innermost = class;
    while let Some(c) = innermost.component {
        innermost = c;
    }
    (!innermost.is_interface()).then_some(class)
}

/// What `declared` says of a method's parameters, the receiver not among them.
pub fn declared_parameters(m: MethodRef) -> Vec<Option<ClassRef>> {
    let mut rest = m.descriptor.as_bytes().get(1..).unwrap_or(&[]);
    let mut out = Vec::new();
    while let Some((_, after)) = FieldType::parse_prefix(rest) {
        out.push(declared(m.class().loader, &rest[..rest.len() - after.len()]));
        rest = after;
    }
    out
}

/// What `declared` says of a method's result.
pub fn declared_result(m: MethodRef) -> Option<ClassRef> {
    let descriptor = m.descriptor.as_bytes();
    let end = descriptor.iter().rposition(|&c| c == b')')?;
    declared(m.class().loader, &descriptor[end + 1..])
}

/// A member reference that has not been resolved, as far as that can be done here: the class it names, name and
/// descriptor.
fn unresolved(holder: ClassRef, index: u16) -> Option<(ClassRef, Symbol, Symbol)> {
    if holder.constants.error(index).is_some() {
        return None;
    }
    let r = holder.constants.file().member_ref(index)?;
    Some((class(holder, r.class_index)?, Symbol::intern(r.name), Symbol::intern(r.descriptor)))
}

/// Whether resolution would let `from` use a member of `declaring`, named through `named`, without a doubt: private
/// members of nestmates and loading constraints that may fail are left to the interpreter.
fn may_use(from: ClassRef, named: ClassRef, declaring: ClassRef, flags: u16, descriptor: Symbol) -> bool {
    let accessible = flags & ACC_PUBLIC != 0
        || std::ptr::eq(from, declaring)
        || flags & ACC_PRIVATE == 0 && from.is_same_package(declaring)
        || flags & ACC_PROTECTED != 0
            && !from.is_interface()
            && from.is_subclass_of(declaring)
            && (flags & ACC_STATIC != 0 || named.is_subclass_of(from) || from.is_subclass_of(named));
    accessible && loaders_agree(from.loader, declaring.loader, descriptor.as_bytes())
}

/// Whether two loaders are known to mean the same classes by the names in the descriptor, so that resolution would
/// have no loading constraint to record (JVMS 5.3.4): one may break what is loaded later. Names in `java` mean the
/// same to all loaders, none of which can define such a class itself.
fn loaders_agree(a: LoaderRef, b: LoaderRef, descriptor: &[u8]) -> bool {
    if std::ptr::eq(a, b) {
        return true;
    }
    let mut rest = descriptor;
    while let Some(at) = rest.iter().position(|&c| c == b'L') {
        let end = rest[at..].iter().position(|&c| c == b';').map_or(rest.len(), |e| at + e);
        let name = &rest[at + 1..end];
        rest = &rest[end..];
        if name.starts_with(b"java/") {
            continue;
        }
        let name = Symbol::intern(name);
        match (a.find(name), b.find(name)) {
            (Some(x), Some(y)) if std::ptr::eq(x, y) => {}
            _ => return false,
        }
    }
    true
}

/// The method at a Methodref or InterfaceMethodref entry.
fn method_at(holder: ClassRef, index: u16) -> Option<MethodRef> {
    if let Some(m) = holder.constants.method(index) {
        return Some(m);
    }
    let (named, name, descriptor) = unresolved(holder, index)?;
    let interface_entry = holder.constants.file().tag(index) == tag::INTERFACE_METHODREF;
    if named.is_interface() != interface_entry {
        return None;
    }
    let m = lookup_method(named, name, descriptor)?;
    let plain = matches!(m.kind(), MethodKind::Java | MethodKind::Native | MethodKind::Abstract);
    (plain && may_use(holder, named, m.class(), m.access_flags, descriptor)).then_some(m)
}

/// Fieldref `index` as an instruction of `method` may use it.
pub fn field(method: MethodRef, index: u16, is_static: bool, put: bool) -> Option<FieldRef> {
    let holder = method.class();
    let f = match holder.constants.field(index) {
        Some(f) => f,
        None => {
            let (named, name, descriptor) = unresolved(holder, index)?;
            let f = lookup_field(named, name, descriptor)?;
            if !may_use(holder, named, f.class(), f.access_flags, descriptor) {
                return None;
            }
            f
        }
    };
    if f.is_static() != is_static {
        return None;
    }
    if put && f.is_final() {
        // The rules of JVMS 6.5.putfield, which depend on the instruction.
        let initializer: &[u8] = if is_static { b"<clinit>" } else { b"<init>" };
        let allowed = std::ptr::eq(f.class(), holder)
            && (holder.file().major_version < 53 || method.name.as_bytes() == initializer);
        if !allowed {
            return None;
        }
    }
    Some(f)
}

/// How an invocation proceeds.
#[derive(Clone, Copy)]
pub enum Callee {
    Static(MethodRef),
    /// This method, after a null check of the receiver.
    Special(MethodRef),
    Virtual(MethodRef),
    Interface(MethodRef),
    /// A linked call site: the adapter with the root slot of a trailing argument.
    Linked(MethodRef, Option<&'static RootSlot>),
    /// `invokeBasic` or `linkTo*`.
    MethodHandle(MethodRef),
}

impl Callee {
    /// The method that has the signature.
    pub fn method(self) -> MethodRef {
        match self {
            Callee::Static(m)
            | Callee::Special(m)
            | Callee::Virtual(m)
            | Callee::Interface(m)
            | Callee::Linked(m, _)
            | Callee::MethodHandle(m) => m,
        }
    }
}

/// The target of the `invoke*` instruction with opcode `op` at `bci` of `method`; `None` while it is unresolved
/// or if it cannot succeed.
pub fn callee(method: MethodRef, bci: usize, op: u8, index: u16) -> Option<Callee> {
    let holder = method.class();
    match op {
        0xb6 => invoke_virtual(holder, index),
        0xb7 => special(holder, index).map(Callee::Special),
        0xb8 => {
            let m = method_at(holder, index)?;
            match m.kind() {
                _ if !m.is_static() => None,
                MethodKind::LinkToVirtual
                | MethodKind::LinkToStatic
                | MethodKind::LinkToSpecial
                | MethodKind::LinkToInterface => Some(Callee::MethodHandle(m)),
                MethodKind::LinkToNative | MethodKind::InvokeGeneric => None,
                _ => Some(Callee::Static(m)),
            }
        }
        0xb9 => invoke_interface(holder, index),
        0xba => call_site::linked_dynamic(method, bci).map(linked),
        _ => None,
    }
}

fn linked((adapter, appendix): call_site::Linked) -> Callee {
    Callee::Linked(adapter, appendix)
}

fn invoke_virtual(holder: ClassRef, index: u16) -> Option<Callee> {
    let r = holder.constants.file().member_ref(index)?;
    let polymorphic = match r.class_name {
        b"java/lang/invoke/MethodHandle" => Known::MethodHandle.try_get(),
        b"java/lang/invoke/VarHandle" => Known::VarHandle.try_get(),
        _ => None,
    };
    if let Some(class) = polymorphic {
        let name = Symbol::intern(r.name);
        match member_name::polymorphic_kind(class, name) {
            Some(MethodKind::InvokeGeneric) => return call_site::linked_handle(holder, index).map(linked),
            Some(MethodKind::InvokeBasic) if may_call_intrinsics(holder) => {
                let m = intrinsics::lookup(class, name, Symbol::intern(r.descriptor))?;
                return Some(Callee::MethodHandle(m));
            }
            Some(_) => return None,
            None => {}
        }
    }
    let m = method_at(holder, index)?;
    if m.is_static() || m.class().is_interface() && m.is_private() {
        return None;
    }
    Some(dispatched(m))
}

/// The intrinsics of `MethodHandle` are for its package alone.
fn may_call_intrinsics(holder: ClassRef) -> bool {
    holder.is_same_package(Known::MethodHandle.get())
}

/// A call dispatched on the receiver's class, direct where there is nothing to select.
fn dispatched(m: MethodRef) -> Callee {
    use std::sync::atomic::Ordering;
    if m.class().is_interface() {
        return Callee::Interface(m);
    }
    let in_table = m.vtable_index.load(Ordering::Acquire) >= 0;
    if m.is_private() || m.is_final() || !in_table {
        Callee::Special(m)
    } else {
        Callee::Virtual(m)
    }
}

fn invoke_interface(holder: ClassRef, index: u16) -> Option<Callee> {
    let m = method_at(holder, index)?;
    if m.is_static() {
        return None;
    }
    if m.class().is_interface() && m.is_private() {
        return Some(Callee::Special(m));
    }
    Some(dispatched(m))
}

/// What the receiver of a resolved call must be an instance of and nothing else sees to: the verifier takes any
/// object for an interface.
pub fn asked_of_receiver(method: MethodRef, op: u8, index: u16, callee: Callee) -> Option<ClassRef> {
    let holder = method.class();
    match op {
        // An interface call finds its method in the interface's own table.
        0xb9 => named_class(holder, index).filter(|&c| !matches!(callee, Callee::Interface(m) if m.class() == c)),
        0xb7 => Some(holder).filter(|c| c.is_interface() && !callee.method().is_constructor()),
        _ => None,
    }
}

/// The class that member reference `index` names.
fn named_class(holder: ClassRef, index: u16) -> Option<ClassRef> {
    class(holder, holder.constants.file().member_ref(index)?.class_index)
}

/// JVMS 6.5.invokespecial, for a reference that has been resolved.
fn special(holder: ClassRef, index: u16) -> Option<MethodRef> {
    let pool = holder.constants.file();
    let r = pool.member_ref(index)?;
    let m = method_at(holder, index)?;
    let named = class(holder, r.class_index)?;
    if m.is_static() || m.is_constructor() && !std::ptr::eq(m.class(), named) {
        return None;
    }
    let from_super = !m.is_constructor()
        && !m.is_private()
        && !named.is_interface()
        && !holder.is_interface()
        && !std::ptr::eq(holder, named)
        && holder.is_subclass_of(named);
    if named.is_interface() && !std::ptr::eq(holder, named) && !holder.is_interface() && !holder.is_hidden() {
        // Resolved for another kind of call perhaps: only a direct superinterface's method may be meant.
        if !holder.interfaces.iter().any(|i| std::ptr::eq(*i, named)) {
            return None;
        }
    }
    debug_assert!(matches!(pool.tag(index), tag::METHODREF | tag::INTERFACE_METHODREF));
    let selected = if from_super { lookup_method(holder.super_class?, m.name, m.descriptor)? } else { m };
    (!selected.is_static() && !selected.is_abstract()).then_some(selected)
}

/// Whether code of `method` may use static members of `class`, or make instances, without looking whether it is
/// initialized: it is, or whoever runs the code has begun to (HotSpot's `needs_clinit_barrier`). The initializer
/// of a class runs on one thread, and no other gets into static methods and constructors before it is over.
pub fn is_usable(class: ClassRef, method: MethodRef) -> bool {
    class.is_initialized()
        || class.state() == ClassState::BeingInitialized
            && (method.is_static() || method.is_constructor())
            && method.class().is_subclass_of(class)
            && !class.is_interface()
}
