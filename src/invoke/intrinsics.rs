//! The VM-made methods behind `MethodHandle.invokeBasic` and `linkToX`: one per kind and basic
//! descriptor (HotSpot's method-handle intrinsics), and where a call of one leads.

use super::member_name;
use crate::classfile::access::{ACC_FINAL, ACC_NATIVE, ACC_STATIC, ACC_SYNTHETIC};
use crate::classfile::descriptor::FieldType;
use crate::exceptions::{throw, Thrown, VmResult};
use crate::heap::access::load_ref;
use crate::heap::layout::Oop;
use crate::link::resolve;
use crate::meta::class::ClassRef;
use crate::meta::loader;
use crate::meta::method::{method_flags, Method, MethodKind, MethodRef, NONVIRTUAL_INDEX};
use crate::meta::symbol::Symbol;
use crate::meta::well_known::{Known, KnownField};
use crate::threads::JavaThread;
use parking_lot::RwLock;
use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::LazyLock;

/// (name, descriptor) of the intrinsic method to itself.
static MADE: LazyLock<RwLock<HashMap<(u8, Symbol), MethodRef>>> = LazyLock::new(RwLock::default);

/// The intrinsic kind that a method name of `MethodHandle` stands for.
pub fn kind_by_name(name: Symbol) -> Option<MethodKind> {
    Some(match name.as_bytes() {
        b"invokeBasic" => MethodKind::InvokeBasic,
        b"linkToVirtual" => MethodKind::LinkToVirtual,
        b"linkToStatic" => MethodKind::LinkToStatic,
        b"linkToSpecial" => MethodKind::LinkToSpecial,
        b"linkToInterface" => MethodKind::LinkToInterface,
        b"linkToNative" => MethodKind::LinkToNative,
        _ => return None,
    })
}

fn name_of(kind: MethodKind) -> &'static str {
    match kind {
        MethodKind::InvokeBasic => "invokeBasic",
        MethodKind::LinkToVirtual => "linkToVirtual",
        MethodKind::LinkToStatic => "linkToStatic",
        MethodKind::LinkToSpecial => "linkToSpecial",
        MethodKind::LinkToInterface => "linkToInterface",
        MethodKind::LinkToNative => "linkToNative",
        MethodKind::Java
        | MethodKind::Native
        | MethodKind::Abstract
        | MethodKind::ConflictingDefaults
        | MethodKind::InvokeGeneric => unreachable!("{kind:?} is no method-handle intrinsic"),
    }
}

/// The VM-made method of an intrinsic kind with this (basic) descriptor. Its class is
/// `MethodHandle`; it has no code and is never shown.
pub fn intrinsic(kind: MethodKind, descriptor: Symbol) -> MethodRef {
    let key = (kind as u8, descriptor);
    if let Some(m) = MADE.read().get(&key) {
        return m;
    }
    let mut made = MADE.write();
    if let Some(m) = made.get(&key) {
        return m;
    }
    let statics = if kind == MethodKind::InvokeBasic { 0 } else { ACC_STATIC };
    let flags = ACC_NATIVE | ACC_SYNTHETIC | ACC_FINAL | statics;
    let m = Method::new(Symbol::of(name_of(kind)), descriptor, flags, kind, u16::MAX, None, None);
    m.set_class(Known::MethodHandle.get());
    m.set_flag(method_flags::SYNTHETIC_VM | method_flags::HIDDEN);
    m.vtable_index.store(NONVIRTUAL_INDEX, Ordering::Relaxed);
    let m: MethodRef = loader::boot().arena.place(m).unwrap_or_else(|_| {
        eprintln!("Error: class metadata space exhausted by {} method-handle intrinsics", made.len());
        std::process::abort()
    });
    made.insert(key, m);
    m
}

/// The descriptor with references as Object and the types below int as int, which is all that
/// tells calling conventions apart. `keep_last` leaves the last parameter as it is: a linkToX
/// method's MemberName.
pub fn basic_descriptor(descriptor: Symbol, keep_last: bool) -> Symbol {
    let bytes = descriptor.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    out.push(b'(');
    let basic = |out: &mut Vec<u8>, ty: &FieldType<'_>| match ty.letter() {
        b'L' | b'[' => out.extend_from_slice(b"Ljava/lang/Object;"),
        b'Z' | b'B' | b'C' | b'S' => out.push(b'I'),
        c => out.push(c),
    };
    let mut rest = &bytes[1..];
    while rest[0] != b')' {
        let (ty, after) = FieldType::parse_prefix(rest).expect("descriptor was checked");
        if keep_last && after[0] == b')' {
            out.extend_from_slice(&rest[..rest.len() - after.len()]);
        } else {
            basic(&mut out, &ty);
        }
        rest = after;
    }
    out.push(b')');
    match FieldType::parse_prefix(&rest[1..]) {
        Some((ty, _)) => basic(&mut out, &ty),
        None => out.push(b'V'),
    }
    Symbol::intern(&out)
}

/// The intrinsic that a reference to `class.name` of this descriptor means, if it names one of
/// MethodHandle's.
pub fn lookup(class: ClassRef, name: Symbol, descriptor: Symbol) -> Option<MethodRef> {
    if Known::MethodHandle.try_get() != Some(class) || !descriptor.as_bytes().starts_with(b"(") {
        return None;
    }
    let kind = kind_by_name(name)?;
    // A library without the method has no intrinsic either.
    class.methods.iter().find(|m| m.name == name && m.kind() == kind)?;
    Some(intrinsic(kind, basic_descriptor(descriptor, kind != MethodKind::InvokeBasic)))
}

/// The target of `invokeBasic` on this MethodHandle: `mh.form.vmentry.method.vmtarget`.
pub fn basic_target(mh: Oop) -> MethodRef {
    let form = load_ref(mh, KnownField::MethodHandleForm.offset());
    let entry = form.non_null().map(|f| load_ref(f, KnownField::LambdaFormVmentry.offset()));
    entry
        .and_then(Oop::non_null)
        .and_then(member_name::target)
        .expect("the class library prepares a lambda form before it is invoked")
}

/// The method in a MemberName (the trailing argument of linkToStatic/Special/Virtual/
/// Interface): its `method.vmtarget`; with the receiver's class for the virtual kinds
/// (vmindex dispatch).
pub fn link_to_target(t: &JavaThread, kind: MethodKind, member: Oop, receiver: Oop) -> VmResult<MethodRef> {
    let target = member_name::target(member).expect("the class library links through resolved members only");
    match kind {
        MethodKind::LinkToVirtual => match usize::try_from(member_name::index(member)) {
            // What the table holds may be abstract: calling it explains that.
            Ok(i) => Ok(receiver.class().vtable(i)),
            Err(_) => Ok(target),
        },
        MethodKind::LinkToInterface => {
            let class = receiver.class();
            let index = usize::try_from(member_name::index(member)).ok();
            match index.and_then(|i| class.itable_lookup(target.class(), i)) {
                Some(Some(m)) => Ok(m),
                _ => resolve::select_interface(t, target, class),
            }
        }
        _ => Ok(target),
    }
}

/// What reflection and JNI throw that call a signature-polymorphic method as it is declared:
/// HotSpot registers natives that refuse for MethodHandle, and none for VarHandle.
#[cold]
pub fn not_invocable(t: &JavaThread, m: MethodRef) -> Thrown {
    if m.kind() == MethodKind::InvokeGeneric && m.class() == Known::MethodHandle.get() {
        let text = format!("MethodHandle.{} cannot be invoked reflectively", m.name);
        return throw(t, "java/lang/UnsupportedOperationException", Some(text));
    }
    throw(t, "java/lang/UnsatisfiedLinkError", Some(format!("'{}'", m.external_name())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basic_descriptors_erase_references_and_small_integers() {
        let basic = |d, keep| basic_descriptor(Symbol::of(d), keep).to_text().into_owned();
        assert_eq!(
            basic("(ZBCSIJFD[I[[Ljava/lang/String;Lp/C;)Z", false),
            "(IIIIIJFDLjava/lang/Object;Ljava/lang/Object;Ljava/lang/Object;)I"
        );
        assert_eq!(basic("()V", false), "()V");
        assert_eq!(basic("()[J", true), "()Ljava/lang/Object;");
        assert_eq!(
            basic("(Ljava/lang/String;SLjava/lang/invoke/MemberName;)Ljava/lang/String;", true),
            "(Ljava/lang/Object;ILjava/lang/invoke/MemberName;)Ljava/lang/Object;"
        );
    }

    #[test]
    fn intrinsics_go_by_name() {
        for kind in [MethodKind::InvokeBasic, MethodKind::LinkToVirtual, MethodKind::LinkToNative] {
            assert_eq!(kind_by_name(Symbol::of(name_of(kind))), Some(kind));
        }
        assert_eq!(kind_by_name(Symbol::of("invokeExact")), None);
    }
}
