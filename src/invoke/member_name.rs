//! `java.lang.invoke.MemberName`: a symbolic reference that resolution ties to a method or
//! field of the VM (HotSpot's `MethodHandles::{init,resolve,expand}_MemberName`).

use super::{intrinsics, method_type, resolved_method};
use crate::classfile::access::*;
use crate::exceptions::{throw, Thrown, VmResult};
use crate::heap::access::{load, load_ref, store, store_ref};
use crate::heap::layout::{BasicType, Oop};
use crate::heap::strings;
use crate::link::load::{mirror_to_class, primitive_mirror, MirrorOf};
use crate::link::constraints;
use crate::link::resolve::{self, FieldUse, InvokeKind, Reference};
use crate::link::init;
use crate::meta::class::ClassRef;
use crate::meta::field::FieldRef;
use crate::meta::method::{method_flags, MethodKind, MethodRef, NONVIRTUAL_INDEX};
use crate::meta::symbol::Symbol;
use crate::meta::well_known::{Known, KnownField};
use crate::threads::JavaThread;
use std::sync::atomic::Ordering;

/// `MethodHandleNatives.Constants.MN_*` and `LM_*`.
pub mod constants {
    pub const IS_METHOD: i32 = 0x0001_0000;
    pub const IS_CONSTRUCTOR: i32 = 0x0002_0000;
    pub const IS_FIELD: i32 = 0x0004_0000;
    pub const IS_TYPE: i32 = 0x0008_0000;
    pub const ALL_KINDS: i32 = IS_METHOD | IS_CONSTRUCTOR | IS_FIELD | IS_TYPE;
    pub const CALLER_SENSITIVE: i32 = 0x0010_0000;
    pub const TRUSTED_FINAL: i32 = 0x0020_0000;
    pub const SEARCH_SUPERCLASSES: i32 = 0x0010_0000;
    pub const SEARCH_INTERFACES: i32 = 0x0020_0000;
    pub const REFERENCE_KIND_SHIFT: i32 = 24;
    pub const REFERENCE_KIND_MASK: i32 = 0xf;
    pub const NESTMATE_CLASS: i32 = 1;
    pub const HIDDEN_CLASS: i32 = 2;
    pub const STRONG_LOADER_LINK: i32 = 4;
    pub const ACCESS_VM_ANNOTATIONS: i32 = 8;
    pub const LM_MODULE: i32 = 0x10;
    pub const LM_UNCONDITIONAL: i32 = 0x20;
    pub const LM_TRUSTED: i32 = -1;
}
use constants::*;

/// Reference kinds of CONSTANT_MethodHandle (JVMS table 5.4.3.5-A).
pub mod ref_kind {
    pub const GET_FIELD: u8 = 1;
    pub const GET_STATIC: u8 = 2;
    pub const PUT_FIELD: u8 = 3;
    pub const PUT_STATIC: u8 = 4;
    pub const INVOKE_VIRTUAL: u8 = 5;
    pub const INVOKE_STATIC: u8 = 6;
    pub const INVOKE_SPECIAL: u8 = 7;
    pub const NEW_INVOKE_SPECIAL: u8 = 8;
    pub const INVOKE_INTERFACE: u8 = 9;
}

/// `JVM_RECOGNIZED_METHOD_MODIFIERS`
const METHOD_MODIFIERS: u16 = 0x1dff;
/// `JVM_RECOGNIZED_FIELD_MODIFIERS`
const FIELD_MODIFIERS: u16 = 0x50df;

/// The flags that a reference kind implies.
pub fn flags_of_kind(kind: u8) -> i32 {
    let what = match kind {
        ref_kind::GET_FIELD..=ref_kind::PUT_STATIC => IS_FIELD,
        ref_kind::NEW_INVOKE_SPECIAL => IS_CONSTRUCTOR,
        _ => IS_METHOD,
    };
    what | i32::from(kind) << REFERENCE_KIND_SHIFT
}

/// The reference kind in a MemberName's flags; `None` if it is not one.
pub fn kind_of_flags(flags: i32) -> Option<u8> {
    let kind = (flags >> REFERENCE_KIND_SHIFT & REFERENCE_KIND_MASK) as u8;
    (ref_kind::GET_FIELD..=ref_kind::INVOKE_INTERFACE).contains(&kind).then_some(kind)
}

/// `MemberName.flags`.
pub fn flags(mname: Oop) -> i32 {
    load::<i32>(mname, KnownField::MemberNameFlags.offset())
}

/// `vmindex`: vtable or itable index, [`NONVIRTUAL_INDEX`], or a field's offset.
#[inline]
pub fn index(mname: Oop) -> i64 {
    load::<i64>(mname, KnownField::MemberNameVmindex.offset())
}

/// `method.vmtarget`: the method that a resolved MemberName stands for.
#[inline]
pub fn target(mname: Oop) -> Option<MethodRef> {
    load_ref(mname, KnownField::MemberNameMethod.offset()).non_null().and_then(resolved_method::method_of)
}

/// `MemberName.clazz`.
pub fn class_mirror(mname: Oop) -> Oop {
    load_ref(mname, KnownField::MemberNameClazz.offset())
}

fn name(mname: Oop) -> Oop {
    load_ref(mname, KnownField::MemberNameName.offset())
}

fn type_of(mname: Oop) -> Oop {
    load_ref(mname, KnownField::MemberNameType.offset())
}

/// How a resolved method is called, and the index for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CallKind {
    Direct,
    Vtable(i32),
    Itable(i32),
}

/// HotSpot's `Method::can_be_statically_bound`.
fn is_statically_bound(m: MethodRef) -> bool {
    m.is_static()
        || m.is_private()
        || m.is_constructor()
        || m.is_final() && !m.class().is_interface()
        || !m.class().is_interface() && m.vtable_index.load(Ordering::Relaxed) == NONVIRTUAL_INDEX
}

/// How `m`, resolved in `class`, is called by invokevirtual or invokeinterface.
fn classify(m: MethodRef, class: ClassRef) -> CallKind {
    if is_statically_bound(m) {
        return CallKind::Direct;
    }
    if m.class().is_interface() && class.is_interface() {
        return match m.itable_index.load(Ordering::Relaxed) {
            i if i >= 0 => CallKind::Itable(i),
            _ => CallKind::Direct,
        };
    }
    match resolve::vtable_index(class, m) {
        Some(i) => CallKind::Vtable(i as i32),
        None => CallKind::Direct,
    }
}

/// Ties a MemberName to a method resolved in `class`.
fn init_method(t: &JavaThread, mname: Oop, m: MethodRef, class: ClassRef, call: CallKind) -> VmResult<()> {
    let mut holder = m.class();
    let access = i32::from(m.access_flags & METHOD_MODIFIERS);
    let (what, kind, index) = match call {
        CallKind::Itable(i) => (IS_METHOD, ref_kind::INVOKE_INTERFACE, i),
        CallKind::Vtable(i) => {
            if holder.is_interface() {
                // A default or miranda method: the index means something in a class only.
                holder = if class.is_interface() { Known::Object.get() } else { class };
            }
            (IS_METHOD, ref_kind::INVOKE_VIRTUAL, i)
        }
        CallKind::Direct if m.is_static() => (IS_METHOD, ref_kind::INVOKE_STATIC, NONVIRTUAL_INDEX),
        CallKind::Direct if m.is_constructor() => (IS_CONSTRUCTOR, ref_kind::INVOKE_SPECIAL, NONVIRTUAL_INDEX),
        CallKind::Direct => (IS_METHOD, ref_kind::INVOKE_SPECIAL, NONVIRTUAL_INDEX),
    };
    let mut flags = access | what | i32::from(kind) << REFERENCE_KIND_SHIFT;
    if m.has_flag(method_flags::CALLER_SENSITIVE) {
        flags |= CALLER_SENSITIVE;
    }
    let resolved = resolved_method::find(t, m)?;
    store::<i32>(mname, KnownField::MemberNameFlags.offset(), flags);
    store_ref(t, mname, KnownField::MemberNameMethod.offset(), resolved);
    store::<i64>(mname, KnownField::MemberNameVmindex.offset(), i64::from(index));
    store_ref(t, mname, KnownField::MemberNameClazz.offset(), holder.mirror());
    Ok(())
}

/// Final fields that not even reflection may write: static ones, those of hidden classes and
/// of records.
pub fn is_trusted_final(f: FieldRef) -> bool {
    let holder = f.class();
    let record = || holder.super_class.is_some_and(|s| s == Known::Record.get()) && holder.file().attributes.record.is_some();
    f.is_final() && (f.is_static() || holder.is_hidden() || record())
}

fn init_field(t: &JavaThread, mname: Oop, f: FieldRef, setter: bool) {
    let mut kind = if f.is_static() { ref_kind::GET_STATIC } else { ref_kind::GET_FIELD };
    if setter {
        kind += ref_kind::PUT_FIELD - ref_kind::GET_FIELD;
    }
    let access = i32::from(f.access_flags & FIELD_MODIFIERS);
    let trusted = if is_trusted_final(f) { TRUSTED_FINAL } else { 0 };
    let flags = access | IS_FIELD | i32::from(kind) << REFERENCE_KIND_SHIFT | trusted;
    store::<i32>(mname, KnownField::MemberNameFlags.offset(), flags);
    store_ref(t, mname, KnownField::MemberNameMethod.offset(), Oop::NULL);
    store::<i64>(mname, KnownField::MemberNameVmindex.offset(), i64::from(f.offset));
    store_ref(t, mname, KnownField::MemberNameClazz.offset(), f.class().mirror());
    if let Some(ty) = simple_field_type(f.descriptor.as_bytes()) {
        store_ref(t, mname, KnownField::MemberNameType.offset(), ty);
    }
}

/// The mirror of a field type that needs no loading.
fn simple_field_type(descriptor: &[u8]) -> Option<Oop> {
    match descriptor {
        b"Ljava/lang/Object;" => Some(Known::Object.get().mirror()),
        b"Ljava/lang/Class;" => Some(Known::Class.get().mirror()),
        b"Ljava/lang/String;" => Some(Known::String.get().mirror()),
        [c] => BasicType::from_descriptor(*c).map(primitive_mirror),
        _ => None,
    }
}

/// `MethodHandleNatives.init`: ties a MemberName to a reflected Field, Method or Constructor.
pub fn init(t: &JavaThread, mname: Oop, member: Oop) -> VmResult<()> {
    let class = member.class();
    let (clazz, slot) = if class == Known::Field.get() {
        (KnownField::FieldClazz, KnownField::FieldSlot)
    } else if class == Known::Method.get() {
        (KnownField::MethodClazz, KnownField::MethodSlot)
    } else if class == Known::Constructor.get() {
        (KnownField::ConstructorClazz, KnownField::ConstructorSlot)
    } else {
        return Ok(());
    };
    let index = load::<i32>(member, slot.offset()) as usize;
    let MirrorOf::Class(holder) = mirror_to_class(load_ref(member, clazz.offset())) else {
        return Ok(());
    };
    if class == Known::Field.get() {
        let Some(&f) = holder.fields.get(index) else { return Ok(()) };
        init_field(t, mname, f, false);
        // The reflected name and type are at hand.
        if name(mname).is_null() {
            let n = load_ref(member, KnownField::FieldName.offset());
            store_ref(t, mname, KnownField::MemberNameName.offset(), n);
        }
        if type_of(mname).is_null() {
            let ty = load_ref(member, KnownField::FieldType.offset());
            store_ref(t, mname, KnownField::MemberNameType.offset(), ty);
        }
        return Ok(());
    }
    match holder.methods.get(index) {
        // Signature-polymorphic methods need a concrete descriptor to be resolved.
        Some(m) if !is_polymorphic(m.kind()) => init_method(t, mname, m, holder, classify(m, holder)),
        _ => Ok(()),
    }
}

fn is_polymorphic(kind: MethodKind) -> bool {
    !matches!(kind, MethodKind::Java | MethodKind::Native | MethodKind::Abstract | MethodKind::ConflictingDefaults)
}

/// What a MemberName names, as resolution needs it.
struct Symbolic {
    class: ClassRef,
    name: Symbol,
    descriptor: Symbol,
    kind: u8,
    what: i32,
    /// The signature-polymorphic kind meant, if any.
    polymorphic: Option<MethodKind>,
}

/// `Err(None)`: there is no such member; `Err(Some(_))`: an exception pends.
fn symbolic(t: &JavaThread, mname: Oop) -> Result<Symbolic, Option<Thrown>> {
    let flags = flags(mname);
    let Some(kind) = kind_of_flags(flags) else {
        return Err(Some(throw(t, "java/lang/InternalError", Some("obsolete MemberName format".into()))));
    };
    let (mirror, name_string, ty) = (class_mirror(mname), name(mname), type_of(mname));
    if mirror.is_null() || name_string.is_null() || ty.is_null() {
        return Err(Some(throw(t, "java/lang/IllegalArgumentException", Some("nothing to resolve".into()))));
    }
    let class = match mirror_to_class(mirror) {
        MirrorOf::Primitive(_) => return Err(None),
        // Arrays have Object's members.
        MirrorOf::Class(c) if c.is_array() => Known::Object.get(),
        MirrorOf::Class(c) => c,
    };
    init::link(t, class).map_err(Some)?;
    let name = Symbol::lookup(&strings::to_mutf8(name_string)).ok_or(None)?;
    if name == "<clinit>" {
        return Err(None);
    }
    let what = flags & ALL_KINDS;
    let handle_kind = matches!(kind, ref_kind::INVOKE_VIRTUAL | ref_kind::INVOKE_SPECIAL | ref_kind::INVOKE_STATIC);
    let polymorphic = if what == IS_METHOD && handle_kind {
        polymorphic_kind(class, name).filter(|k| {
            let is_static = !matches!(k, MethodKind::InvokeGeneric | MethodKind::InvokeBasic);
            is_static == (kind == ref_kind::INVOKE_STATIC)
        })
    } else {
        None
    };
    let descriptor = method_type::descriptor_bytes(t, ty).map_err(Some)?;
    let descriptor = match polymorphic {
        Some(_) => Symbol::intern(&descriptor),
        None => Symbol::lookup(&descriptor).ok_or(None)?,
    };
    Ok(Symbolic { class, name, descriptor, kind, what, polymorphic })
}

/// The kind of the signature-polymorphic methods of this name in MethodHandle or VarHandle.
pub fn polymorphic_kind(class: ClassRef, name: Symbol) -> Option<MethodKind> {
    if class != Known::MethodHandle.get() && class != Known::VarHandle.get() {
        return None;
    }
    class.methods.iter().find(|m| m.name == name && is_polymorphic(m.kind())).map(|m| m.kind())
}

/// `MethodHandleNatives.resolve`: ties a symbolic MemberName to what it names, with access
/// checks for `caller` unless it is `None`. `Ok(false)`: there is no such member, or resolution
/// failed and `speculative` asks not to hear why. `loader_constraints`: those between the
/// caller's loader and the member's are recorded and checked.
///
/// # Errors
/// Resolution failed (a LinkageError), or the MemberName is malformed (InternalError,
/// IllegalArgumentException).
pub fn resolve(
    t: &JavaThread,
    mname: Oop,
    caller: Option<ClassRef>,
    loader_constraints: bool,
    speculative: bool,
) -> VmResult<bool> {
    if target(mname).is_some() {
        return Ok(true);
    }
    let s = match symbolic(t, mname) {
        Ok(s) => s,
        Err(None) => return Ok(false),
        Err(Some(thrown)) => return Err(thrown),
    };
    // Field access is checked by the class library.
    let from = if s.what == IS_FIELD { None } else { caller };
    let r = Reference { class: s.class, name: s.name, descriptor: s.descriptor, from, interface_entry: None, loader_constraints };
    let failed = |thrown: Thrown| {
        if speculative {
            t.take_exception();
            Ok(false)
        } else {
            Err(thrown)
        }
    };
    match s.what {
        IS_METHOD => {
            let (m, call) = match resolve_method(t, &s, &r, caller) {
                Ok(x) => x,
                Err(thrown) => return failed(thrown),
            };
            init_method(t, mname, m, s.class, call)?;
            Ok(true)
        }
        IS_CONSTRUCTOR if s.name == "<init>" => {
            let m = match resolve::resolve_method(t, &r, InvokeKind::Special) {
                Ok(m) => m,
                Err(thrown) => return failed(thrown),
            };
            init_method(t, mname, m, s.class, CallKind::Direct)?;
            Ok(true)
        }
        IS_FIELD => {
            let setter = matches!(s.kind, ref_kind::PUT_FIELD | ref_kind::PUT_STATIC);
            let found = resolve::resolve_field(t, &r, FieldUse::GetField, None)
                .and_then(|f| constraints::check_field(t, &Reference { from: caller, ..r }, f).map(|()| f));
            match found {
                Ok(f) => {
                    init_field(t, mname, f, setter);
                    Ok(true)
                }
                Err(thrown) => failed(thrown),
            }
        }
        _ => Err(throw(t, "java/lang/InternalError", Some("unrecognized MemberName format".into()))),
    }
}

fn resolve_method(
    t: &JavaThread,
    s: &Symbolic,
    r: &Reference,
    caller: Option<ClassRef>,
) -> VmResult<(MethodRef, CallKind)> {
    Ok(match (s.kind, s.polymorphic) {
        (ref_kind::INVOKE_STATIC, _) => (resolve::resolve_method(t, r, InvokeKind::Static)?, CallKind::Direct),
        (ref_kind::INVOKE_INTERFACE, _) => {
            let m = resolve::resolve_method(t, r, InvokeKind::Interface)?;
            (m, classify(m, s.class))
        }
        (_, Some(MethodKind::InvokeGeneric)) => {
            let Some(caller) = caller else {
                return Err(throw(t, "java/lang/InternalError", Some("bad invokehandle".into())));
            };
            let linked = super::call_site::link_invoker(t, s.class, s.name, s.descriptor, caller)?;
            if !linked.appendix.is_null() {
                // There is no room for it in a MemberName.
                return Err(throw(t, "java/lang/InternalError", Some("appendix".into())));
            }
            (linked.adapter, CallKind::Direct)
        }
        (_, Some(_)) => {
            let m = intrinsics::lookup(s.class, s.name, s.descriptor).expect("MethodHandle declares it");
            resolve::check_method_access(t, r, m)?;
            (m, CallKind::Direct)
        }
        (ref_kind::INVOKE_SPECIAL, None) => (resolve::resolve_method(t, r, InvokeKind::Special)?, CallKind::Direct),
        (ref_kind::INVOKE_VIRTUAL, None) => {
            let m = resolve::resolve_method(t, r, InvokeKind::Virtual)?;
            (m, classify(m, s.class))
        }
        (kind, None) => {
            let text = format!("a method MemberName has reference kind {kind}");
            return Err(throw(t, "java/lang/InternalError", Some(text)));
        }
    })
}

/// The resolved type of a MemberName: its MethodType or Class, made from the descriptor String
/// in `caller`'s context if need be.
pub fn resolve_type(t: &JavaThread, mname: Oop, caller: ClassRef) -> VmResult<Oop> {
    let ty = type_of(mname);
    if ty.class() != Known::String.get() {
        return Ok(ty);
    }
    let descriptor = Symbol::intern(&strings::to_mutf8(ty));
    match flags(mname) & ALL_KINDS {
        IS_METHOD | IS_CONSTRUCTOR => method_type::find(t, descriptor, Some(caller)),
        IS_FIELD => crate::link::load::mirror_of_descriptor(t, caller.loader, descriptor.as_bytes()),
        _ => Err(throw(t, "java/lang/InternalError", Some("unrecognized MemberName format".into()))),
    }
}

/// `MethodHandleNatives.expand`: fills in class, name and type of a resolved MemberName.
pub fn expand(t: &JavaThread, mname: Oop) -> VmResult<()> {
    let (mirror, has_name, has_type) = (class_mirror(mname), !name(mname).is_null(), !type_of(mname).is_null());
    if !mirror.is_null() && has_name && has_type {
        return Ok(());
    }
    let flags = flags(mname);
    let (name, ty) = match flags & ALL_KINDS {
        IS_METHOD | IS_CONSTRUCTOR => {
            let Some(m) = target(mname) else {
                return Err(throw(t, "java/lang/IllegalArgumentException", Some("nothing to expand".into())));
            };
            if mirror.is_null() {
                store_ref(t, mname, KnownField::MemberNameClazz.offset(), m.class().mirror());
            }
            let ty = if has_type { Oop::NULL } else { strings::from_mutf8(t, m.descriptor.as_bytes())? };
            (m.name, ty)
        }
        IS_FIELD => {
            if mirror.is_null() {
                let text = "nothing to expand (as field)";
                return Err(throw(t, "java/lang/IllegalArgumentException", Some(text.into())));
            }
            let is_static = flags & i32::from(ACC_STATIC) != 0;
            let found = match mirror_to_class(mirror) {
                MirrorOf::Class(c) => field_at(c, index(mname), is_static),
                MirrorOf::Primitive(_) => None,
            };
            let Some(f) = found else {
                return Err(throw(t, "java/lang/InternalError", Some("unrecognized MemberName format".into())));
            };
            let ty = match simple_field_type(f.descriptor.as_bytes()) {
                _ if has_type => Oop::NULL,
                Some(m) => m,
                None => strings::from_mutf8(t, f.descriptor.as_bytes())?,
            };
            (f.name, ty)
        }
        _ => return Err(throw(t, "java/lang/InternalError", Some("unrecognized MemberName format".into()))),
    };
    if !has_type {
        store_ref(t, mname, KnownField::MemberNameType.offset(), ty);
    }
    if !has_name {
        let n = strings::intern_symbol(t, name)?;
        store_ref(t, mname, KnownField::MemberNameName.offset(), n);
    }
    Ok(())
}

/// The declared field at an offset, in `class` or (instance fields) a superclass.
fn field_at(class: ClassRef, offset: i64, is_static: bool) -> Option<FieldRef> {
    let mut c = Some(class);
    while let Some(k) = c {
        let found = k
            .fields
            .iter()
            .find(|f| !f.injected && f.is_static() == is_static && i64::from(f.offset) == offset);
        if let Some(f) = found {
            return Some(f);
        }
        c = if is_static { None } else { k.super_class };
    }
    None
}

/// `MethodHandleNatives.getMembers`: fills `results` with the members of `class` that match;
/// how many were found, including (up to a limit) those without room.
pub fn find_members(
    t: &JavaThread,
    class: ClassRef,
    name: Option<Symbol>,
    descriptor: Option<Symbol>,
    match_flags: i32,
    skip: i32,
    results: Oop,
) -> VmResult<i32> {
    let mut wanted = match_flags & ALL_KINDS;
    match descriptor.map(|d| d.as_bytes().first() == Some(&b'(')) {
        Some(true) => wanted &= !(IS_FIELD | IS_TYPE),
        Some(false) => wanted &= !(IS_CONSTRUCTOR | IS_METHOD),
        None => {}
    }
    let mut classes = vec![class];
    if match_flags & SEARCH_SUPERCLASSES != 0 {
        classes.extend(std::iter::successors(class.super_class, |c| c.super_class));
    }
    if match_flags & SEARCH_INTERFACES != 0 {
        classes.extend(class.all_interfaces());
    }
    let room = results.array_length() as i32;
    let limit = room + room.max(1000);
    let (mut count, mut to_skip) = (0, skip);
    let mut place = |member: Member| -> VmResult<bool> {
        if to_skip > 0 {
            to_skip -= 1;
            return Ok(true);
        }
        if count < room {
            let mname = crate::heap::access::array_ref(results, count as usize);
            if mname.is_null() || mname.class() != Known::MemberName.get() {
                count = -99;
                return Ok(false);
            }
            match member {
                Member::Field(f) => init_field(t, mname, f, false),
                Member::Method(m) => init_method(t, mname, m, m.class(), classify(m, m.class()))?,
            }
        }
        count += 1;
        Ok(count < limit)
    };
    for c in classes {
        if wanted & IS_FIELD != 0 {
            for &f in c.fields.iter().filter(|f| !f.injected) {
                let matches = name.is_none_or(|n| n == f.name) && descriptor.is_none_or(|d| d == f.descriptor);
                if matches && !place(Member::Field(f))? {
                    return Ok(count);
                }
            }
        }
        for &m in c.methods.iter() {
            let kind = if m.is_constructor() { IS_CONSTRUCTOR } else { IS_METHOD };
            let matches = wanted & kind != 0
                && (!m.is_class_initializer() || name == Some(m.name))
                && name.is_none_or(|n| n == m.name)
                && descriptor.is_none_or(|d| d == m.descriptor);
            if matches && !place(Member::Method(m))? {
                return Ok(count);
            }
        }
    }
    Ok(count)
}

/// A member that matched.
enum Member {
    Field(FieldRef),
    Method(MethodRef),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_and_reference_kinds_are_inverse() {
        for kind in 1..=9 {
            let f = flags_of_kind(kind);
            assert_eq!(kind_of_flags(f), Some(kind));
            let what = match kind {
                1..=4 => IS_FIELD,
                8 => IS_CONSTRUCTOR,
                _ => IS_METHOD,
            };
            assert_eq!(f & ALL_KINDS, what);
        }
        assert_eq!(kind_of_flags(IS_METHOD), None);
        assert_eq!(kind_of_flags(IS_METHOD | 10 << REFERENCE_KIND_SHIFT), None);
    }
}
