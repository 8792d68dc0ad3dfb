//! Resolution of symbolic references (JVMS 5.4.3) and method selection (5.4.6), with
//! HotSpot's message texts.

use super::access::{self, ClassAccess};
use super::{constraints, init, load, vtable};
use crate::exceptions::{throw, throw_with_cause, Thrown, VmResult};
use crate::heap::layout::Oop;
use crate::heap::strings;
use crate::meta::class::ClassRef;
use crate::meta::constants::ResolutionError;
use crate::meta::field::FieldRef;
use crate::meta::method::{Method, MethodKind, MethodRef};
use crate::meta::symbol::Symbol;
use crate::meta::well_known::{Known, KnownField};
use crate::threads::JavaThread;
use std::sync::atomic::Ordering;

/// The bytecode (or method-handle kind) a reference is resolved for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum InvokeKind {
    Static,
    Special,
    Virtual,
    Interface,
}

/// ... and for fields.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FieldUse {
    GetField,
    PutField,
    GetStatic,
    PutStatic,
}

impl FieldUse {
    pub fn is_static(self) -> bool {
        matches!(self, FieldUse::GetStatic | FieldUse::PutStatic)
    }
    pub fn is_put(self) -> bool {
        matches!(self, FieldUse::PutField | FieldUse::PutStatic)
    }
}

/// A reference with its class resolved: what a pool entry or a MemberName says.
#[derive(Clone, Copy)]
pub struct Reference {
    pub class: ClassRef,
    pub name: Symbol,
    pub descriptor: Symbol,
    /// The class that refers; `None`: no access checks.
    pub from: Option<ClassRef>,
    /// The pool entry is a Methodref (`Some(false)`) or InterfaceMethodref (`Some(true)`).
    pub interface_entry: Option<bool>,
    /// Loading constraints (JVMS 5.3.4) are recorded and checked, if there is a referring class.
    pub loader_constraints: bool,
}

const ICCE: &str = "java/lang/IncompatibleClassChangeError";
const IAE: &str = "java/lang/IllegalAccessError";
const NSME: &str = "java/lang/NoSuchMethodError";
const AME: &str = "java/lang/AbstractMethodError";

/// Throws again what a pool entry failed with (JVMS 5.4.3).
pub(crate) fn recorded(t: &JavaThread, holder: ClassRef, index: u16) -> Option<Thrown> {
    holder.constants.error(index).map(|e| throw_again(t, e))
}

/// Throws a recorded failure of resolution.
pub(crate) fn throw_again(t: &JavaThread, e: ResolutionError) -> Thrown {
    let class = e.class.to_text();
    match e.cause {
        None => throw(t, &class, e.message),
        Some((cause_class, cause_message)) => {
            let thrown = throw(t, &cause_class.to_text(), cause_message);
            let _ = thrown; // the cause object is taken; what is thrown is the error around it
            let cause = t.take_exception();
            throw_with_cause(t, &class, e.message, cause)
        }
    }
}

fn text_of(throwable: Oop) -> (Symbol, Option<String>) {
    let m = crate::heap::access::load_ref(throwable, KnownField::ThrowableDetailMessage.offset());
    (throwable.class().name, m.non_null().map(strings::to_rust))
}

/// What to remember of a failure of resolution: LinkageErrors only, others may pass.
pub(crate) fn error_to_record(e: Oop) -> Option<ResolutionError> {
    e.class().is_subclass_of(Known::LinkageError.get()).then(|| {
        let (class, message) = text_of(e);
        let cause = crate::heap::access::load_ref(e, KnownField::ThrowableCause.offset());
        let cause = cause.non_null().filter(|c| *c != e).map(text_of);
        ResolutionError { class, message, cause }
    })
}

/// Class entry `index` of `holder`'s pool, loaded and access-checked, not initialized. A LinkageError is remembered, so
/// that later attempts throw the same one; what comes first of success and failure holds for all threads.
pub fn class(t: &JavaThread, holder: ClassRef, index: u16) -> VmResult<ClassRef> {
    if let Some(c) = holder.constants.class(index) {
        return Ok(c);
    }
    if let Some(thrown) = recorded(t, holder, index) {
        return Err(thrown);
    }
    let thrown = match class_uncached(t, holder, index) {
        Ok(resolved) => {
            holder.kept_by.depend_on(resolved.kept_by);
            // Another thread may have been faster, and have failed: so has everybody then.
            return match holder.constants.set_class(index, resolved) {
                Some(first) => Ok(first),
                None => Err(recorded(t, holder, index).expect("what is settled and no class is a failure")),
            };
        }
        Err(thrown) => thrown,
    };
    let Some(error) = error_to_record(t.exception.get()) else { return Err(thrown) };
    if holder.constants.set_error(index, error) {
        return Err(thrown);
    }
    // Another thread was faster.
    t.take_exception();
    match holder.constants.class(index) {
        Some(first) => Ok(first),
        None => Err(recorded(t, holder, index).expect("what is settled and no class is a failure")),
    }
}

fn class_uncached(t: &JavaThread, holder: ClassRef, index: u16) -> VmResult<ClassRef> {
    let name = holder.constants.class_name(index);
    // A hidden class finds itself under the name in its own class file.
    if holder.is_hidden() && index == holder.file().this_class {
        return Ok(holder);
    }
    let c = load::load_or_no_class_def(t, holder.loader, name)?;
    check_class_access(t, holder, c)?;
    Ok(c)
}

/// Throws IllegalAccessError unless `from` may refer to `to`.
pub fn check_class_access(t: &JavaThread, from: ClassRef, to: ClassRef) -> VmResult<()> {
    let verdict = access::class_access(from, to, false);
    if verdict == ClassAccess::Ok {
        return Ok(());
    }
    let target = to.bottom_class();
    let m = access::class_access_message(t, from, target, verdict).unwrap_or_else(|| {
        format!("failed to access class {} from class {} ({})", target, from, target.with_in_modules(from))
    });
    Err(throw(t, IAE, Some(m)))
}

fn reference(t: &JavaThread, holder: ClassRef, index: u16) -> VmResult<Reference> {
    let m = holder.constants.file().member_ref(index).expect("format checking accepted the entry");
    let interface_entry = holder.constants.file().tag(index) == 11;
    Ok(Reference {
        class: class(t, holder, m.class_index)?,
        name: Symbol::intern(m.name),
        descriptor: Symbol::intern(m.descriptor),
        from: Some(holder),
        interface_entry: Some(interface_entry),
        loader_constraints: true,
    })
}

// ---------------------------------------------------------------- fields

/// Fieldref `index` used by `method` in the given way: static-ness, access and final rules and
/// loading constraints checked; for static uses the class is initialized. A failure is not
/// remembered (nor is it on HotSpot): another instruction may use the entry in a way it allows.
pub fn field(t: &JavaThread, method: MethodRef, index: u16, usage: FieldUse) -> VmResult<FieldRef> {
    let holder = method.class();
    let r = reference(t, holder, index)?;
    let f = resolve_field(t, &r, usage, Some(method))?;
    if usage.is_static() {
        init::initialize(t, f.class())?;
    }
    constraints::check_field(t, &r, f)?;
    holder.constants.set_field(index, f);
    Ok(f)
}

/// Field resolution (JVMS 5.4.3.2) with the checks of the instruction. `method`: the accessing
/// one, for the rules on final fields.
pub fn resolve_field(t: &JavaThread, r: &Reference, usage: FieldUse, method: Option<MethodRef>) -> VmResult<FieldRef> {
    let Some(f) = lookup_field(r.class, r.name, r.descriptor) else {
        return Err(throw(t, "java/lang/NoSuchFieldError", Some(r.name.to_text().into_owned())));
    };
    let Some(from) = r.from else { return Ok(f) };
    if !access::member_access(t, from, r.class, f.class(), f.access_flags, false)? {
        let kind = match f.access_flags & 7 {
            4 => "protected ",
            2 => "private ",
            _ => "",
        };
        let m = format!(
            "class {} tried to access {}field {}.{} ({})",
            from,
            kind,
            f.class(),
            f.name,
            from.with_in_modules(f.class())
        );
        let errors = if f.access_flags & crate::classfile::access::ACC_PRIVATE != 0 { access::nest_host_errors(from, f.class()) } else { String::new() };
        let m = m + &errors;
        return Err(throw(t, IAE, Some(m)));
    }
    if f.is_static() != usage.is_static() {
        let expected = if usage.is_static() { "static" } else { "non-static" };
        return Err(throw(t, ICCE, Some(format!("Expected {expected} field {}.{}", r.class, f.name))));
    }
    if usage.is_put() && f.is_final() {
        let kind = if usage.is_static() { "static" } else { "non-static" };
        if !std::ptr::eq(f.class(), from) {
            let m = format!(
                "Update to {kind} final field {}.{} attempted from a different class ({}) than the field's declaring class",
                r.class, f.name, from
            );
            return Err(throw(t, IAE, Some(m)));
        }
        if let Some(m) = method {
            let initializer = if usage.is_static() { "<clinit>" } else { "<init>" };
            // Class files before version 53 may write them anywhere in the class.
            if from.file().major_version >= 53 && m.name.as_bytes() != initializer.as_bytes() {
                let text = format!(
                    "Update to {kind} final field {}.{} attempted from a different method ({}) than the initializer method {initializer} ",
                    r.class, f.name, m.name
                );
                return Err(throw(t, IAE, Some(text)));
            }
        }
    }
    Ok(f)
}

/// Field lookup by name in `class` (JVMS 5.4.3.2), no checks.
pub fn lookup_field(class: ClassRef, name: Symbol, descriptor: Symbol) -> Option<FieldRef> {
    let mut c = Some(class);
    while let Some(k) = c {
        if let Some(f) = k.find_declared_field(name, descriptor) {
            return Some(f);
        }
        for i in k.interfaces.iter() {
            if let Some(f) = lookup_field(i, name, descriptor) {
                return Some(f);
            }
        }
        c = k.super_class;
    }
    None
}

// ---------------------------------------------------------------- methods

/// Methodref or InterfaceMethodref `index` of `holder`'s pool. For `Static` the class is
/// initialized; for `Special` the method is the one selected (JVMS 6.5.invokespecial).
/// Signature-polymorphic methods are the invoke module's: check `is_signature_polymorphic`
/// first.
pub fn method(t: &JavaThread, holder: ClassRef, index: u16, kind: InvokeKind) -> VmResult<MethodRef> {
    let r = reference(t, holder, index)?;
    let m = resolve_method(t, &r, kind)?;
    // For the compilers. What invokespecial selects depends on more than the reference.
    let resolved = if kind == InvokeKind::Special { resolve_by_class_kind(t, &r)? } else { m };
    holder.constants.set_method(index, resolved);
    if kind == InvokeKind::Static {
        init::initialize(t, m.class())?;
    }
    Ok(m)
}

/// Method resolution (JVMS 5.4.3.3, 5.4.3.4) and the instruction's checks; for `Special` with
/// the selection of JVMS 6.5.invokespecial.
pub fn resolve_method(t: &JavaThread, r: &Reference, kind: InvokeKind) -> VmResult<MethodRef> {
    match kind {
        InvokeKind::Interface => resolve_interface(t, r),
        InvokeKind::Virtual => {
            let m = resolve_class_method(t, r)?;
            if m.class().is_interface() && m.is_private() {
                let from = r.from.map_or_else(|| "<null>".to_string(), |c| c.name.to_text().into_owned());
                let text = format!(
                    "private interface method requires invokespecial, not invokevirtual: method '{}', caller-class: {from}",
                    m.external_name()
                );
                return Err(throw(t, ICCE, Some(text)));
            }
            if m.is_static() {
                return Err(throw(t, ICCE, Some(format!("Expecting non-static method '{}'", m.external_name()))));
            }
            Ok(m)
        }
        InvokeKind::Static => {
            let m = resolve_by_class_kind(t, r)?;
            if !m.is_static() {
                return Err(throw(t, ICCE, Some(format!("Expected static method '{}'", m.external_name()))));
            }
            Ok(m)
        }
        InvokeKind::Special => resolve_special(t, r),
    }
}

/// For invokestatic and invokespecial the class named decides which way to resolve.
fn resolve_by_class_kind(t: &JavaThread, r: &Reference) -> VmResult<MethodRef> {
    if r.class.is_interface() {
        resolve_interface_method(t, r, false)
    } else {
        resolve_class_method(t, r)
    }
}

/// `'int p.C.m(long)'`, as messages show a method that may not exist.
pub(super) fn quoted(class: ClassRef, name: Symbol, descriptor: Symbol) -> String {
    let (params, ret) = crate::meta::method::external_types(descriptor.as_bytes());
    format!("'{} {}.{}({})'", ret, class.external_name(), name, params.join(", "))
}

fn resolve_class_method(t: &JavaThread, r: &Reference) -> VmResult<MethodRef> {
    if r.class.is_interface() {
        if r.interface_entry.is_some() || r.from.is_some() {
            let m = format!("Found interface {}, but class was expected", r.class);
            return Err(throw(t, ICCE, Some(m)));
        }
    }
    if r.interface_entry == Some(true) {
        let m = format!("Method {} must be Methodref constant", quoted(r.class, r.name, r.descriptor));
        return Err(throw(t, ICCE, Some(m)));
    }
    let found = lookup_method(r.class, r.name, r.descriptor)
        // MethodHandle.linkToStatic and its like take any descriptor.
        .or_else(|| crate::invoke::intrinsics::lookup(r.class, r.name, r.descriptor));
    let Some(m) = found else {
        return Err(throw(t, NSME, Some(quoted(r.class, r.name, r.descriptor))));
    };
    check_method_access(t, r, m)?;
    constraints::check_method(t, r, m, "method")?;
    Ok(m)
}

fn resolve_interface_method(t: &JavaThread, r: &Reference, no_statics: bool) -> VmResult<MethodRef> {
    if !r.class.is_interface() {
        let m = format!("Found class {}, but interface was expected", r.class);
        return Err(throw(t, ICCE, Some(m)));
    }
    if r.interface_entry == Some(false) {
        let m = format!("Method {} must be InterfaceMethodref constant", quoted(r.class, r.name, r.descriptor));
        return Err(throw(t, ICCE, Some(m)));
    }
    let Some(m) = lookup_method(r.class, r.name, r.descriptor) else {
        return Err(throw(t, NSME, Some(quoted(r.class, r.name, r.descriptor))));
    };
    check_method_access(t, r, m)?;
    constraints::check_method(t, r, m, "interface method")?;
    if no_statics && m.is_static() {
        let text = format!("Expected instance not static method {}", quoted(m.class(), m.name, m.descriptor));
        return Err(throw(t, ICCE, Some(text)));
    }
    Ok(m)
}

fn resolve_interface(t: &JavaThread, r: &Reference) -> VmResult<MethodRef> {
    resolve_interface_method(t, r, true)
}

/// Throws IllegalAccessError unless the referring class has access to `m`.
pub(crate) fn check_method_access(t: &JavaThread, r: &Reference, m: MethodRef) -> VmResult<()> {
    let Some(from) = r.from else { return Ok(()) };
    // Arrays override Object.clone as public (JLS 10.7).
    let array_clone = r.class.is_array() && m.name == "clone";
    if array_clone || access::member_access(t, from, r.class, m.class(), m.access_flags, false)? {
        return Ok(());
    }
    let mut kind = String::new();
    if m.is_abstract() {
        kind.push_str("abstract ");
    }
    if m.is_protected() {
        kind.push_str("protected ");
    }
    if m.is_private() {
        kind.push_str("private ");
    }
    let text = format!(
        "class {} tried to access {}method '{}' ({})",
        from,
        kind,
        m.external_name(),
        from.with_in_modules(m.class())
    );
    let errors = if m.is_private() { access::nest_host_errors(from, m.class()) } else { String::new() };
    Err(throw(t, IAE, Some(text + &errors)))
}

fn resolve_special(t: &JavaThread, r: &Reference) -> VmResult<MethodRef> {
    let m = resolve_by_class_kind(t, r)?;
    if m.is_constructor() && !std::ptr::eq(m.class(), r.class) {
        let (params, ret) = crate::meta::method::external_types(m.descriptor.as_bytes());
        let text = format!("{}: method '{} {}({})' not found", r.class, ret, m.name, params.join(", "));
        return Err(throw(t, NSME, Some(text)));
    }
    let Some(from) = r.from else { return check_special(t, r, m, m) };
    // An interface method must be of a direct superinterface (or of the class itself).
    if r.class.is_interface() && !std::ptr::eq(from, r.class) && !from.is_interface() {
        let direct = from.interfaces.iter().any(|i| std::ptr::eq(*i, r.class));
        if !direct && !from.is_hidden() {
            let text = format!(
                "Interface method reference: '{}', is in an indirect superinterface of {}",
                m.external_name(),
                from
            );
            return Err(throw(t, ICCE, Some(text)));
        }
    }
    let mut selected = m;
    if !m.is_constructor() && !r.class.is_interface() && m.is_private() {
        selected = m;
    } else if !m.is_constructor()
        && !std::ptr::eq(from, r.class)
        && from.is_subclass_of(r.class)
        && !r.class.is_interface()
        && !from.is_interface()
    {
        // ACC_SUPER is on for all classes (JVMS 4.1): search from the direct superclass.
        let start = from.super_class.expect("a subclass has a superclass");
        match lookup_instance_method(start, r.name, r.descriptor) {
            Some(s) => {
                selected = s;
                if selected != m {
                    constraints::check_method(t, r, selected, "method")?;
                }
            }
            None => {
                let text = quoted(r.class, r.name, r.descriptor);
                return Err(throw(t, AME, Some(text)));
            }
        }
    }
    check_special(t, r, m, selected)
}

fn check_special(t: &JavaThread, r: &Reference, _resolved: MethodRef, selected: MethodRef) -> VmResult<MethodRef> {
    if selected.is_static() {
        let text = format!("Expecting non-static method '{}'", selected.external_name());
        return Err(throw(t, ICCE, Some(text)));
    }
    if selected.is_abstract() {
        let text = quoted(r.class, selected.name, selected.descriptor);
        return Err(throw(t, AME, Some(text)));
    }
    Ok(selected)
}

/// Method lookup by name (JVMS 5.4.3.3 / 5.4.3.4 by `class.is_interface()`), no checks.
pub fn lookup_method(class: ClassRef, name: Symbol, descriptor: Symbol) -> Option<MethodRef> {
    if class.is_interface() {
        if let Some(m) = class.find_declared(name, descriptor) {
            return Some(m);
        }
        // Public instance methods of Object.
        if let Some(m) = Known::Object.get().find_declared(name, descriptor) {
            if m.is_public() && !m.is_static() {
                return Some(m);
            }
        }
    } else {
        let mut c = Some(class);
        while let Some(k) = c {
            if let Some(m) = k.find_declared(name, descriptor) {
                return Some(m);
            }
            c = k.super_class;
        }
    }
    lookup_in_superinterfaces(class, name, descriptor)
}

/// The same for a class, static methods left out, as selection looks for what overrides a method:
/// a static method hides nothing from it.
pub fn lookup_instance_method(class: ClassRef, name: Symbol, descriptor: Symbol) -> Option<MethodRef> {
    std::iter::successors(Some(class), |c| c.super_class)
        .filter_map(|c| c.find_declared(name, descriptor))
        .find(|m| !m.is_static())
        .or_else(|| lookup_in_superinterfaces(class, name, descriptor))
}

fn lookup_in_superinterfaces(class: ClassRef, name: Symbol, descriptor: Symbol) -> Option<MethodRef> {
    let supers: Vec<ClassRef> = class.all_interfaces().collect();
    match vtable::maximally_specific(&supers, name, descriptor) {
        vtable::Selection::Default(m) | vtable::Selection::Abstract(m) => Some(m),
        vtable::Selection::Conflict(ms) => {
            // The overpass of the class throws; resolution itself finds one of them.
            let overpass = class.synthetic_methods.get().and_then(|s| {
                s.iter().find(|m| m.name == name && m.descriptor == descriptor).copied()
            });
            overpass.or_else(|| ms.first().copied())
        }
        vtable::Selection::None => None,
    }
}

/// Whether Methodref `index` names MethodHandle.invoke*, or a VarHandle access method.
pub fn is_signature_polymorphic(_t: &JavaThread, holder: ClassRef, index: u16) -> VmResult<bool> {
    let m = holder.constants.file().member_ref(index).expect("format checking accepted the entry");
    let known = match m.class_name {
        b"java/lang/invoke/MethodHandle" => Known::MethodHandle,
        b"java/lang/invoke/VarHandle" => Known::VarHandle,
        _ => return Ok(false),
    };
    let name = Symbol::intern(m.name);
    Ok(known.try_get().is_some_and(|c| {
        c.methods.iter().any(|x| {
            x.name == name
                && matches!(
                    x.kind(),
                    MethodKind::InvokeGeneric
                        | MethodKind::InvokeBasic
                        | MethodKind::LinkToVirtual
                        | MethodKind::LinkToStatic
                        | MethodKind::LinkToSpecial
                        | MethodKind::LinkToInterface
                        | MethodKind::LinkToNative
                )
        })
    }))
}

// ---------------------------------------------------------------- selection

/// The vtable index under which receivers of `class` (or a subclass) dispatch resolved method
/// `m`; `None`: not dispatched (private, final, static).
pub fn vtable_index(class: ClassRef, m: MethodRef) -> Option<usize> {
    if m.class().is_interface() {
        if m.is_private() {
            return None;
        }
        return vtable::vtable_slot_of_interface_method(class, m.name, m.descriptor);
    }
    usize::try_from(m.vtable_index.load(Ordering::Relaxed)).ok()
}

/// The method that `invokevirtual` of resolved method `m` selects for a receiver of `class`.
/// Throws AbstractMethodError, IncompatibleClassChangeError.
pub fn select_virtual(t: &JavaThread, m: MethodRef, class: ClassRef) -> VmResult<MethodRef> {
    if m.class().is_interface() && !m.is_private() {
        return select_interface(t, m, class);
    }
    let selected = match vtable_index(class, m) {
        Some(i) => class.vtable(i),
        None => m,
    };
    if selected.is_abstract() {
        return Err(abstract_method_error(t, m, Some(selected), Some(class)));
    }
    Ok(selected)
}

/// What `invokeinterface` asks of its receiver (JVMS 6.5.invokeinterface): that its class
/// implements the interface that the instruction names.
pub fn check_implements(t: &JavaThread, class: ClassRef, interface: ClassRef) -> VmResult<()> {
    if class.is_subclass_of(interface) {
        return Ok(());
    }
    let text = format!("Class {class} does not implement the requested interface {interface}");
    Err(throw(t, ICCE, Some(text)))
}

/// What `invokespecial` of anything but a constructor in an interface asks of its receiver (JVMS
/// 6.5.invokespecial): that it is a subtype of that interface.
pub fn check_special_receiver(t: &JavaThread, class: ClassRef, caller: ClassRef) -> VmResult<()> {
    if class.is_subclass_of(caller) {
        return Ok(());
    }
    let (class, caller) = (class.external_name(), caller.external_name());
    let text = format!("Receiver class {class} must be the current class or a subtype of interface {caller}");
    Err(throw(t, IAE, Some(text)))
}

/// The method that `invokeinterface` of resolved method `m` selects for a receiver of `class`.
/// Throws IncompatibleClassChangeError, IllegalAccessError, AbstractMethodError.
pub fn select_interface(t: &JavaThread, m: MethodRef, class: ClassRef) -> VmResult<MethodRef> {
    if !m.class().is_interface() {
        return select_virtual(t, m, class);
    }
    check_implements(t, class, m.class())?;
    if m.is_private() {
        return Ok(m);
    }
    let index = m.itable_index.load(Ordering::Relaxed);
    if let Ok(i) = usize::try_from(index) {
        if let Some(Some(found)) = class.itable_lookup(m.class(), i) {
            return Ok(found);
        }
    }
    // No entry: find out why (JVMS 6.5.invokeinterface).
    match vtable::declared_in_chain(Some(class), m.name, m.descriptor) {
        Some(found) if !found.is_public() => {
            let mut kind = String::new();
            if found.is_abstract() {
                kind.push_str("abstract ");
            }
            if found.is_protected() {
                kind.push_str("protected ");
            }
            let text = format!(
                "class {} tried to access {}method '{}' ({})",
                m.class(),
                kind,
                found.external_name(),
                m.class().with_in_modules(found.class())
            );
            Err(throw(t, IAE, Some(text)))
        }
        Some(found) => Err(abstract_method_error(t, m, Some(found), Some(class))),
        None => {
            let slot = vtable::vtable_slot_of_interface_method(class, m.name, m.descriptor).map(|i| class.vtable(i));
            Err(abstract_method_error(t, m, slot, Some(class)))
        }
    }
}

/// AbstractMethodError with HotSpot's explanation.
pub fn abstract_method_error(
    t: &JavaThread,
    resolved: MethodRef,
    selected: Option<MethodRef>,
    receiver: Option<ClassRef>,
) -> Thrown {
    let adjectives = |m: &Method| {
        format!("{}{}", if m.is_abstract() { "abstract " } else { "" }, if m.is_private() { "private " } else { "" })
    };
    let mut text = match receiver {
        Some(c) => format!("Receiver class {c} does not define or inherit an implementation of the"),
        None => "Missing implementation of".to_string(),
    };
    let (params, ret) = crate::meta::method::external_types(resolved.descriptor.as_bytes());
    let class = resolved.class();
    text.push_str(&format!(
        " resolved method '{}{} {}({})' of {} {}.",
        adjectives(resolved),
        ret,
        resolved.name,
        params.join(", "),
        if class.is_interface() { "interface" } else { if class.is_abstract() { "abstract class" } else { "class" } },
        class
    ));
    if let Some(s) = selected.filter(|s| !std::ptr::eq(*s, resolved)) {
        text.push_str(&format!(" Selected method is '{}{}'.", adjectives(s), s.external_name()));
    }
    throw(t, AME, Some(text))
}
