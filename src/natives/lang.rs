//! Natives of `java.lang`: Object, Class, Thread, String, boxes, `StrictMath.sqrt`.

use super::slots::*;
use super::ClassNatives;
use crate::exceptions::{throw, VmResult};
use crate::heap::layout::Oop;
use crate::heap::strings;
use crate::jvm::{class_info, objects};
use crate::jvm::support::{class_of, instance_class_of};
use crate::link::load::{mirror_to_class, MirrorOf};
use crate::meta::well_known::Known;
use crate::threads::{monitor, JavaThread};

const NULL_POINTER: &str = "java/lang/NullPointerException";

pub(super) static TABLE: &[ClassNatives] = &[
    (
        "java/lang/Object",
        &[
            ("getClass", "()Ljava/lang/Class;", get_class),
            ("hashCode", "()I", hash_code),
            ("clone", "()Ljava/lang/Object;", clone_object),
            ("notify", "()V", notify),
            ("notifyAll", "()V", notify_all),
            ("wait", "(J)V", wait),
        ],
    ),
    (
        "java/lang/Class",
        &[
            ("isInstance", "(Ljava/lang/Object;)Z", is_instance),
            ("isAssignableFrom", "(Ljava/lang/Class;)Z", is_assignable_from),
            ("isInterface", "()Z", is_interface),
            ("isArray", "()Z", is_array),
            ("isPrimitive", "()Z", is_primitive),
            ("isHidden", "()Z", is_hidden),
            ("getSuperclass", "()Ljava/lang/Class;", get_superclass),
            ("getModifiers", "()I", get_modifiers),
        ],
    ),
    ("java/lang/Thread", &[("currentThread", "()Ljava/lang/Thread;", current_thread)]),
    ("java/lang/String", &[("intern", "()Ljava/lang/String;", intern)]),
    ("java/lang/StringUTF16", &[("isBigEndian", "()Z", is_big_endian)]),
    ("java/lang/Float", &[("floatToRawIntBits", "(F)I", same_int), ("intBitsToFloat", "(I)F", same_int)]),
    ("java/lang/Double", &[("doubleToRawLongBits", "(D)J", same_long), ("longBitsToDouble", "(J)D", same_long)]),
    ("java/lang/StrictMath", &[("sqrt", "(D)D", sqrt)]),
];

// Each of these is bound to the method it is tabled with, so the slots hold what that method's
// descriptor says; receivers are not null. That is what the `unsafe` blocks below rely on.

fn get_class(_t: &JavaThread, args: *const u64) -> VmResult<u64> {
    // SAFETY: see above.
    Ok(of_ref(unsafe { reference(args, 0) }.class().mirror()))
}

fn hash_code(t: &JavaThread, args: *const u64) -> VmResult<u64> {
    // SAFETY: see above.
    Ok(of_int(monitor::identity_hash(t, unsafe { reference(args, 0) })))
}

fn clone_object(t: &JavaThread, args: *const u64) -> VmResult<u64> {
    // SAFETY: see above.
    Ok(of_ref(objects::clone(t, unsafe { reference(args, 0) })?))
}

fn notify(t: &JavaThread, args: *const u64) -> VmResult<u64> {
    // SAFETY: see above.
    monitor::notify(t, unsafe { reference(args, 0) }, false).map(|()| 0)
}

fn notify_all(t: &JavaThread, args: *const u64) -> VmResult<u64> {
    // SAFETY: see above.
    monitor::notify(t, unsafe { reference(args, 0) }, true).map(|()| 0)
}

fn wait(t: &JavaThread, args: *const u64) -> VmResult<u64> {
    // SAFETY: see above.
    let (object, millis) = unsafe { (reference(args, 0), long(args, 1)) };
    monitor::wait(t, object, millis).map(|()| 0)
}

fn is_instance(_t: &JavaThread, args: *const u64) -> VmResult<u64> {
    // SAFETY: see above.
    let (mirror, object) = unsafe { (reference(args, 0), reference(args, 1)) };
    let yes = !object.is_null() && class_of(mirror).is_some_and(|c| object.class().is_subclass_of(c));
    Ok(of_bool(yes))
}

fn is_assignable_from(t: &JavaThread, args: *const u64) -> VmResult<u64> {
    // SAFETY: see above.
    let (to, from) = unsafe { (reference(args, 0), reference(args, 1)) };
    if from.is_null() {
        return Err(throw(t, NULL_POINTER, None));
    }
    Ok(of_bool(match (mirror_to_class(to), mirror_to_class(from)) {
        (MirrorOf::Class(to), MirrorOf::Class(from)) => from.is_subclass_of(to),
        _ => to == from,
    }))
}

fn is_interface(_t: &JavaThread, args: *const u64) -> VmResult<u64> {
    // SAFETY: see above.
    Ok(of_bool(instance_class_of(unsafe { reference(args, 0) }).is_some_and(|c| c.is_interface())))
}

fn is_array(_t: &JavaThread, args: *const u64) -> VmResult<u64> {
    // SAFETY: see above.
    Ok(of_bool(class_of(unsafe { reference(args, 0) }).is_some_and(|c| c.is_array())))
}

fn is_primitive(_t: &JavaThread, args: *const u64) -> VmResult<u64> {
    // SAFETY: see above.
    Ok(of_bool(class_of(unsafe { reference(args, 0) }).is_none()))
}

fn is_hidden(_t: &JavaThread, args: *const u64) -> VmResult<u64> {
    // SAFETY: see above.
    Ok(of_bool(class_of(unsafe { reference(args, 0) }).is_some_and(|c| c.is_hidden())))
}

fn get_superclass(_t: &JavaThread, args: *const u64) -> VmResult<u64> {
    // SAFETY: see above.
    let class = class_of(unsafe { reference(args, 0) });
    let superclass = match class {
        Some(c) if c.is_array() => Some(Known::Object.get()),
        Some(c) if !c.is_interface() => c.super_class,
        _ => None,
    };
    Ok(of_ref(superclass.map_or(Oop::NULL, |s| s.mirror())))
}

fn get_modifiers(_t: &JavaThread, args: *const u64) -> VmResult<u64> {
    // SAFETY: see above.
    Ok(of_int(class_info::modifiers(unsafe { reference(args, 0) })))
}

fn current_thread(t: &JavaThread, _args: *const u64) -> VmResult<u64> {
    Ok(of_ref(t.thread_object.get()))
}

fn intern(t: &JavaThread, args: *const u64) -> VmResult<u64> {
    // SAFETY: see above.
    Ok(of_ref(strings::intern(t, unsafe { reference(args, 0) })?))
}

fn is_big_endian(_t: &JavaThread, _args: *const u64) -> VmResult<u64> {
    Ok(of_bool(cfg!(target_endian = "big")))
}

/// A float and an int, in one slot: the same bits.
fn same_int(_t: &JavaThread, args: *const u64) -> VmResult<u64> {
    // SAFETY: see above.
    Ok(of_int(unsafe { int(args, 0) }))
}

/// A double and a long: the same bits.
fn same_long(_t: &JavaThread, args: *const u64) -> VmResult<u64> {
    // SAFETY: see above.
    Ok(unsafe { long(args, 0) } as u64)
}

/// The only function of StrictMath that IEEE 754 defines bit for bit.
fn sqrt(_t: &JavaThread, args: *const u64) -> VmResult<u64> {
    // SAFETY: see above.
    let v = f64::from_bits(unsafe { long(args, 0) } as u64);
    Ok(v.sqrt().to_bits())
}
