//! Descriptors and `java.lang.invoke.MethodType` / `Class` objects, in both directions.

use super::{natives_call, slot};
use crate::classfile::descriptor::FieldType;
use crate::exceptions::{throw, VmResult};
use crate::heap::access::{array_ref, load_ref, set_array_ref};
use crate::heap::alloc;
use crate::heap::layout::Oop;
use crate::heap::roots::{free_slot, new_slot, RootSlot};
use crate::heap::strings;
use crate::link::load::{self, mirror_of_descriptor, mirror_to_class, MirrorOf};
use crate::link::resolve;
use crate::meta::class::ClassRef;
use crate::meta::loader;
use crate::meta::symbol::Symbol;
use crate::meta::well_known::{Known, KnownField};
use crate::threads::JavaThread;
use parking_lot::RwLock;
use std::collections::HashMap;
use std::sync::LazyLock;

/// MethodTypes of descriptors that mean the same to every loader.
static SHARED: LazyLock<RwLock<HashMap<Symbol, &'static RootSlot>>> = LazyLock::new(RwLock::default);

/// The field descriptors of the parameters and, last, the return type of a method descriptor
/// that passed format checking.
pub fn parts(descriptor: &'static [u8]) -> Vec<&'static [u8]> {
    let mut parts = Vec::new();
    let mut rest = &descriptor[1..];
    while rest[0] != b')' {
        let (_, after) = FieldType::parse_prefix(rest).expect("descriptor was checked");
        parts.push(&rest[..rest.len() - after.len()]);
        rest = after;
    }
    parts.push(&rest[1..]);
    parts
}

/// Whether every loader finds the same class under this field descriptor: primitives and their
/// arrays, and public classes of `java.lang` and `java.lang.invoke` (their arrays too).
fn may_be_shared(descriptor: &[u8]) -> bool {
    let dims = descriptor.iter().take_while(|&&b| b == b'[').count();
    match &descriptor[dims..] {
        [b'L', name @ .., b';'] => {
            let rest = name.strip_prefix(b"java/lang/invoke/").or_else(|| name.strip_prefix(b"java/lang/"));
            rest.is_some_and(|r| !r.contains(&b'/'))
        }
        _ => true,
    }
}

/// The mirror of a shareable descriptor's type as the boot loader has it; `None` if there is no
/// such public class.
fn shared_mirror(t: &JavaThread, descriptor: &[u8]) -> VmResult<Option<Oop>> {
    let name = match descriptor {
        [b'L', name @ .., b';'] => name,
        [b'[', ..] => descriptor,
        _ => return mirror_of_descriptor(t, loader::boot(), descriptor).map(Some),
    };
    let class = load::try_load_class(t, loader::boot(), Symbol::intern(name))?;
    let visible = class.filter(|c| {
        let bottom = c.bottom_class();
        bottom.is_array() || bottom.is_public()
    });
    Ok(visible.map(|c| c.mirror()))
}

/// The mirror of the type that a field descriptor (or `V`) denotes in `from`, which must have
/// access to it. Throws NoClassDefFoundError, IllegalAccessError, ….
pub fn mirror_for(t: &JavaThread, descriptor: &[u8], from: ClassRef) -> VmResult<Oop> {
    let mirror = mirror_of_descriptor(t, from.loader, descriptor)?;
    check_access(t, mirror, from)?;
    Ok(mirror)
}

fn check_access(t: &JavaThread, mirror: Oop, from: ClassRef) -> VmResult<()> {
    match mirror_to_class(mirror) {
        MirrorOf::Class(c) => resolve::check_class_access(t, from, c),
        MirrorOf::Primitive(_) => Ok(()),
    }
}

/// The MethodType of a method descriptor, its types resolved in (and accessible to) `from`;
/// without access checks and in the boot loader if `from` is `None`
/// (`MethodHandleNatives.findMethodHandleType`).
pub fn find(t: &JavaThread, descriptor: Symbol, from: Option<ClassRef>) -> VmResult<Oop> {
    if let Some(slot) = SHARED.read().get(&descriptor) {
        return Ok(slot.get());
    }
    let types = parts(descriptor.as_bytes());
    let (ret, parameters) = types.split_last().expect("there is a return type");
    let class_array = load::array_class(t, Known::Class.get())?;
    let array = alloc::array(t, class_array, parameters.len() as i32)?;
    let mut shared = true;
    let mut mirror_of = |descriptor: &'static [u8]| -> VmResult<Oop> {
        if shared && may_be_shared(descriptor) {
            if let Some(m) = shared_mirror(t, descriptor)? {
                return Ok(m);
            }
        }
        shared = false;
        let loader = from.map_or_else(loader::boot, |f| f.loader);
        let mirror = mirror_of_descriptor(t, loader, descriptor)?;
        if let Some(f) = from {
            check_access(t, mirror, f)?;
        }
        Ok(mirror)
    };
    for (i, p) in parameters.iter().enumerate() {
        let mirror = mirror_of(p)?;
        set_array_ref(t, array, i, mirror);
    }
    let return_mirror = mirror_of(ret)?;
    let ty = natives_call(
        t,
        "findMethodHandleType",
        "(Ljava/lang/Class;[Ljava/lang/Class;)Ljava/lang/invoke/MethodType;",
        &[slot(return_mirror), slot(array)],
    )?;
    if shared {
        let fresh = new_slot(ty);
        let first = *SHARED.write().entry(descriptor).or_insert(fresh);
        if !std::ptr::eq(first, fresh) {
            // SAFETY: ours was not published.
            unsafe { free_slot(fresh) }
        }
        return Ok(first.get());
    }
    Ok(ty)
}

/// Appends the descriptor of the type that a mirror stands for.
pub fn push_descriptor(out: &mut Vec<u8>, mirror: Oop) {
    match mirror_to_class(mirror) {
        MirrorOf::Primitive(b) => out.push(b.descriptor()),
        MirrorOf::Class(c) if c.is_array() => out.extend_from_slice(c.name.as_bytes()),
        MirrorOf::Class(c) => {
            out.push(b'L');
            out.extend_from_slice(c.name.as_bytes());
            out.push(b';');
        }
    }
}

/// The descriptor that a MemberName's type means: a MethodType, a Class, or a String.
pub fn descriptor_bytes(t: &JavaThread, ty: Oop) -> VmResult<Vec<u8>> {
    let class = ty.class();
    let mut out = Vec::new();
    if class == Known::MethodType.get() {
        out.push(b'(');
        let parameters = load_ref(ty, KnownField::MethodTypePtypes.offset());
        for i in 0..parameters.array_length() {
            push_descriptor(&mut out, array_ref(parameters, i));
        }
        out.push(b')');
        push_descriptor(&mut out, load_ref(ty, KnownField::MethodTypeRtype.offset()));
    } else if class == Known::Class.get() {
        push_descriptor(&mut out, ty);
    } else if class == Known::String.get() {
        out = strings::to_mutf8(ty);
    } else {
        return Err(throw(t, "java/lang/InternalError", Some("unrecognized type".into())));
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_descriptor() {
        let p = parts(b"(I[[JLjava/lang/String;)V");
        assert_eq!(p, [&b"I"[..], b"[[J", b"Ljava/lang/String;", b"V"]);
        assert_eq!(parts(b"()[B"), [&b"[B"[..]]);
    }

    #[test]
    fn shared_descriptors_are_those_of_java_lang() {
        for yes in ["I", "V", "[[D", "Ljava/lang/Object;", "[Ljava/lang/String;", "Ljava/lang/invoke/MethodHandle;"] {
            assert!(may_be_shared(yes.as_bytes()), "{yes}");
        }
        for no in ["Ljava/util/List;", "Ljava/lang/ref/Reference;", "[Lapp/C;", "LC;"] {
            assert!(!may_be_shared(no.as_bytes()), "{no}");
        }
    }
}
