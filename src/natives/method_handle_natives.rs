//! Natives of `java.lang.invoke.MethodHandleNatives`.

use super::{register_natives, ClassNatives, Native};
use crate::classfile::access::ACC_STATIC;
use crate::code::dependencies;
use crate::exceptions::{throw, VmResult};
use crate::heap::access::{load, set_array_ref};
use crate::heap::layout::{BasicType, Oop};
use crate::heap::strings;
use crate::invoke::bootstrap::{object_array, Specifier, Unresolved};
use crate::invoke::constants::constant_object;
use crate::invoke::member_name::{self, constants::*};
use crate::invoke::boxes;
use crate::link::load::{mirror_to_class, primitive_array_class, MirrorOf};
use crate::meta::class::ClassRef;
use crate::meta::symbol::Symbol;
use crate::threads::JavaThread;

/// The table to bind.
pub static TABLE: &[ClassNatives] = &[("java/lang/invoke/MethodHandleNatives", NATIVES)];

static NATIVES: &[Native] = &[
    ("registerNatives", "()V", register_natives),
    ("init", "(Ljava/lang/invoke/MemberName;Ljava/lang/Object;)V", init),
    ("expand", "(Ljava/lang/invoke/MemberName;)V", expand),
    ("resolve", "(Ljava/lang/invoke/MemberName;Ljava/lang/Class;IZ)Ljava/lang/invoke/MemberName;", resolve),
    ("getNamedCon", "(I[Ljava/lang/Object;)I", get_named_con),
    (
        "getMembers",
        "(Ljava/lang/Class;Ljava/lang/String;Ljava/lang/String;ILjava/lang/Class;I[Ljava/lang/invoke/MemberName;)I",
        get_members,
    ),
    ("objectFieldOffset", "(Ljava/lang/invoke/MemberName;)J", object_field_offset),
    ("staticFieldOffset", "(Ljava/lang/invoke/MemberName;)J", static_field_offset),
    ("staticFieldBase", "(Ljava/lang/invoke/MemberName;)Ljava/lang/Object;", static_field_base),
    ("getMemberVMInfo", "(Ljava/lang/invoke/MemberName;)Ljava/lang/Object;", get_member_vm_info),
    (
        "setCallSiteTargetNormal",
        "(Ljava/lang/invoke/CallSite;Ljava/lang/invoke/MethodHandle;)V",
        set_call_site_target,
    ),
    (
        "setCallSiteTargetVolatile",
        "(Ljava/lang/invoke/CallSite;Ljava/lang/invoke/MethodHandle;)V",
        set_call_site_target,
    ),
    (
        "copyOutBootstrapArguments",
        "(Ljava/lang/Class;[III[Ljava/lang/Object;IZLjava/lang/Object;)V",
        copy_out_bootstrap_arguments,
    ),
    (
        "clearCallSiteContext",
        "(Ljava/lang/invoke/MethodHandleNatives$CallSiteContext;)V",
        clear_call_site_context,
    ),
];

/// Argument slot `i` as a reference.
fn object(args: *const u64, i: usize) -> Oop {
    // SAFETY: the caller passes as many slots as the native's descriptor has.
    Oop::from_address(unsafe { *args.add(i) } as usize)
}

/// Argument slot `i` as an int.
fn int(args: *const u64, i: usize) -> i32 {
    // SAFETY: as above.
    unsafe { *args.add(i) as i32 }
}

fn internal_error<T>(t: &JavaThread, text: &str) -> VmResult<T> {
    Err(throw(t, "java/lang/InternalError", Some(text.into())))
}

fn null_pointer<T>(t: &JavaThread) -> VmResult<T> {
    Err(throw(t, "java/lang/NullPointerException", None))
}

fn init(t: &JavaThread, args: *const u64) -> VmResult<u64> {
    let (mname, member) = (object(args, 0), object(args, 1));
    if mname.is_null() {
        return internal_error(t, "mname is null");
    }
    if member.is_null() {
        return internal_error(t, "target is null");
    }
    member_name::init(t, mname, member).map(|()| 0)
}

fn expand(t: &JavaThread, args: *const u64) -> VmResult<u64> {
    let mname = object(args, 0);
    if mname.is_null() {
        return internal_error(t, "mname is null");
    }
    member_name::expand(t, mname).map(|()| 0)
}

/// `resolve(MemberName self, Class caller, int lookupMode, boolean speculativeResolve)`
fn resolve(t: &JavaThread, args: *const u64) -> VmResult<u64> {
    let (mname, caller, lookup_mode, speculative) =
        (object(args, 0), object(args, 1), int(args, 2), int(args, 3) != 0);
    if mname.is_null() {
        return internal_error(t, "mname is null");
    }
    let caller = caller.non_null().and_then(class_of);
    // A lookup that sees only what all modules may see (publicLookup) stands for no loader.
    let loader_constraints = lookup_mode & LM_UNCONDITIONAL == 0;
    if member_name::resolve(t, mname, caller, loader_constraints, speculative)? {
        return Ok(mname.address() as u64);
    }
    if speculative {
        return Ok(0);
    }
    let (class, text) = match member_name::flags(mname) & ALL_KINDS {
        IS_FIELD => ("java/lang/NoSuchFieldError", "field resolution failed"),
        IS_METHOD | IS_CONSTRUCTOR => ("java/lang/NoSuchMethodError", "method resolution failed"),
        _ => ("java/lang/LinkageError", "resolution failed"),
    };
    Err(throw(t, class, Some(text.into())))
}

/// The class of a mirror; `None` for primitives.
fn class_of(mirror: Oop) -> Option<ClassRef> {
    match mirror_to_class(mirror) {
        MirrorOf::Class(c) => Some(c),
        MirrorOf::Primitive(_) => None,
    }
}

/// What `MethodHandleNatives.verifyConstants` compares when system assertions are on.
const NAMED: &[(&str, i32)] = &[
    ("MN_IS_METHOD", IS_METHOD),
    ("MN_IS_CONSTRUCTOR", IS_CONSTRUCTOR),
    ("MN_IS_FIELD", IS_FIELD),
    ("MN_IS_TYPE", IS_TYPE),
    ("MN_CALLER_SENSITIVE", CALLER_SENSITIVE),
    ("MN_TRUSTED_FINAL", TRUSTED_FINAL),
    ("MN_SEARCH_SUPERCLASSES", SEARCH_SUPERCLASSES),
    ("MN_SEARCH_INTERFACES", SEARCH_INTERFACES),
    ("MN_REFERENCE_KIND_SHIFT", REFERENCE_KIND_SHIFT),
    ("MN_REFERENCE_KIND_MASK", REFERENCE_KIND_MASK),
    ("NESTMATE_CLASS", NESTMATE_CLASS),
    ("HIDDEN_CLASS", HIDDEN_CLASS),
    ("STRONG_LOADER_LINK", STRONG_LOADER_LINK),
    ("ACCESS_VM_ANNOTATIONS", ACCESS_VM_ANNOTATIONS),
    ("LM_MODULE", LM_MODULE),
    ("LM_UNCONDITIONAL", LM_UNCONDITIONAL),
    ("LM_TRUSTED", LM_TRUSTED),
];

fn get_named_con(t: &JavaThread, args: *const u64) -> VmResult<u64> {
    let (which, name_box) = (int(args, 0), object(args, 1));
    let Some(&(name, value)) = usize::try_from(which).ok().and_then(|i| NAMED.get(i)) else {
        return Ok(0);
    };
    if !name_box.is_null() && name_box.array_length() > 0 {
        let name = strings::new(t, name)?;
        set_array_ref(t, name_box, 0, name);
    }
    Ok(u64::from(value as u32))
}

/// `getMembers(Class defc, String matchName, String matchSig, int matchFlags, Class caller,
/// int skip, MemberName[] results)`
fn get_members(t: &JavaThread, args: *const u64) -> VmResult<u64> {
    const NO_ANSWER: u64 = -1i32 as u32 as u64;
    let (mirror, results) = (object(args, 0), object(args, 6));
    if mirror.is_null() || results.is_null() {
        return Ok(NO_ANSWER);
    }
    let Some(class) = class_of(mirror).filter(|c| !c.is_array()) else { return Ok(NO_ANSWER) };
    // A name that no class has used matches nothing.
    let symbol = |o: Oop| o.non_null().map(|s| Symbol::lookup(&strings::to_mutf8(s)));
    let (name, descriptor) = (symbol(object(args, 1)), symbol(object(args, 2)));
    if name == Some(None) || descriptor == Some(None) {
        return Ok(0);
    }
    let (name, descriptor) = (name.flatten(), descriptor.flatten());
    let n = member_name::find_members(t, class, name, descriptor, int(args, 3), int(args, 5), results)?;
    Ok(u64::from(n as u32))
}

fn field_offset(t: &JavaThread, mname: Oop, is_static: bool) -> VmResult<u64> {
    if mname.is_null() || member_name::class_mirror(mname).is_null() {
        return internal_error(t, "mname not resolved");
    }
    let flags = member_name::flags(mname);
    if flags & IS_FIELD != 0 && (flags & i32::from(ACC_STATIC) != 0) == is_static {
        return Ok(member_name::index(mname) as u64);
    }
    internal_error(t, if is_static { "static field required" } else { "non-static field required" })
}

fn object_field_offset(t: &JavaThread, args: *const u64) -> VmResult<u64> {
    field_offset(t, object(args, 0), false)
}

fn static_field_offset(t: &JavaThread, args: *const u64) -> VmResult<u64> {
    field_offset(t, object(args, 0), true)
}

fn static_field_base(t: &JavaThread, args: *const u64) -> VmResult<u64> {
    let mname = object(args, 0);
    field_offset(t, mname, true)?;
    Ok(member_name::class_mirror(mname).address() as u64)
}

/// `{vmindex as Long, the class of a field or the MemberName of a method}`
fn get_member_vm_info(t: &JavaThread, args: *const u64) -> VmResult<u64> {
    let mname = object(args, 0);
    if mname.is_null() {
        return Ok(0);
    }
    let result = object_array(t, 2)?;
    let index = boxes::new(t, BasicType::Long, member_name::index(mname) as u64)?;
    set_array_ref(t, result, 0, index);
    let target = if member_name::flags(mname) & IS_FIELD != 0 { member_name::class_mirror(mname) } else { mname };
    set_array_ref(t, result, 1, target);
    Ok(result.address() as u64)
}

/// `setCallSiteTargetNormal(CallSite site, MethodHandle target)`, and `...Volatile`: the stronger store serves both.
fn set_call_site_target(t: &JavaThread, args: *const u64) -> VmResult<u64> {
    let (site, target) = (object(args, 0), object(args, 1));
    if site.is_null() || target.is_null() {
        return null_pointer(t);
    }
    dependencies::set_call_site_target(t, site, target);
    Ok(0)
}

fn clear_call_site_context(t: &JavaThread, args: *const u64) -> VmResult<u64> {
    match object(args, 0).non_null() {
        Some(context) => dependencies::clear_call_site(t, context),
        None => return null_pointer(t),
    }
    Ok(0)
}

/// `copyOutBootstrapArguments(Class caller, int[] indexInfo, int start, int end, Object[] buf,
/// int pos, boolean resolve, Object ifNotAvailable)`: negative starts mean the bootstrap method
/// (-4), name (-3), type (-2) and argument count (-1).
fn copy_out_bootstrap_arguments(t: &JavaThread, args: *const u64) -> VmResult<u64> {
    let (caller, info, buffer, replacement) = (object(args, 0), object(args, 1), object(args, 4), object(args, 7));
    let (mut start, end, mut position) = (int(args, 2), int(args, 3), int(args, 5));
    let unresolved = if int(args, 6) != 0 { Unresolved::Resolve } else { Unresolved::Replace(replacement) };
    let Some(holder) = caller.non_null().and_then(class_of).filter(|c| !c.is_array()) else {
        return internal_error(t, "bad caller");
    };
    let int_array = primitive_array_class(BasicType::Int);
    if info.is_null() || info.class() != int_array || info.array_length() < 2 {
        return internal_error(t, "bad index info (0)");
    }
    let base = int_array.array_base();
    let (count, index) = (load::<i32>(info, base), load::<i32>(info, base + 4));
    let specifier = u16::try_from(index).ok().and_then(|i| Specifier::at(holder, i));
    let Some(specifier) = specifier.filter(|s| s.bootstrap.argument_count() as i32 == count) else {
        return internal_error(t, "bad index info (1)");
    };
    while (-4..0).contains(&start) {
        let room = buffer.non_null().map_or(0, |b| b.array_length() as i32);
        if start >= end || position < 0 || position >= room {
            break;
        }
        let value = match start {
            -4 => constant_object(t, holder, specifier.bootstrap.method_ref)?,
            -3 => strings::from_mutf8(t, specifier.name.as_bytes())?,
            -2 => specifier.resolve_type(t)?,
            _ => specifier.boxed_argument_count(t)?,
        };
        set_array_ref(t, buffer, position as usize, value);
        position += 1;
        start += 1;
    }
    let range = (usize::try_from(start), usize::try_from(end), usize::try_from(position));
    let (Ok(start), Ok(end), Ok(position)) = range else {
        return Err(throw(t, "java/lang/LinkageError", Some("bad BSM argument access".into())));
    };
    specifier.copy_arguments(t, start, end, buffer, position, unresolved)?;
    Ok(0)
}
