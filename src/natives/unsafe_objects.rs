//! `jdk.internal.misc.Unsafe`: offsets, classes, instances, parking.

use super::unsafe_access::{reference, slot};
use crate::classfile::access::ACC_STATIC;
use crate::exceptions::{throw, Thrown, VmResult};
use crate::heap::access::{self, load, load_ref};
use crate::heap::layout::Oop;
use crate::heap::{alloc, strings};
use crate::jvm::support::internal_name;
use crate::link::load::{self as loading, mirror_to_class, DefineOptions, MirrorOf};
use crate::link::init;
use crate::meta::class::ClassRef;
use crate::meta::field::FieldRef;
use crate::meta::symbol::Symbol;
use crate::meta::well_known::{Known, KnownField};
use crate::threads::{park, JavaThread};

fn null_pointer(t: &JavaThread) -> Thrown {
    throw(t, "java/lang/NullPointerException", None)
}

/// The field that a `java.lang.reflect.Field` stands for.
fn field_of(t: &JavaThread, reflected: Oop, is_static: bool) -> VmResult<FieldRef> {
    if reflected.is_null() {
        return Err(null_pointer(t));
    }
    let modifiers = load::<i32>(reflected, KnownField::FieldModifiers.offset());
    if (modifiers & i32::from(ACC_STATIC) != 0) != is_static {
        return Err(throw(t, "java/lang/IllegalArgumentException", None));
    }
    let slot = load::<i32>(reflected, KnownField::FieldSlot.offset()) as usize;
    match mirror_to_class(load_ref(reflected, KnownField::FieldClazz.offset())) {
        MirrorOf::Class(c) if slot < c.fields.len() => Ok(c.fields[slot]),
        _ => Err(throw(t, "java/lang/InternalError", Some(format!("Field with slot {slot}")))),
    }
}

fn object_field_offset(t: &JavaThread, args: *const u64) -> VmResult<u64> {
    // SAFETY: (Field).
    Ok(u64::from(field_of(t, unsafe { reference(args, 1) }, false)?.offset))
}

fn static_field_offset(t: &JavaThread, args: *const u64) -> VmResult<u64> {
    // SAFETY: (Field).
    Ok(u64::from(field_of(t, unsafe { reference(args, 1) }, true)?.offset))
}

fn static_field_base(t: &JavaThread, args: *const u64) -> VmResult<u64> {
    // SAFETY: (Field).
    let f = field_of(t, unsafe { reference(args, 1) }, true)?;
    Ok(f.class().mirror().address() as u64)
}

/// `objectFieldOffset1(Class, String)`: of a declared field, static or not, by name alone.
fn object_field_offset_by_name(t: &JavaThread, args: *const u64) -> VmResult<u64> {
    // SAFETY: (Class, String).
    let (mirror, name) = unsafe { (reference(args, 1), reference(args, 2)) };
    let class = class_of(t, mirror)?;
    let name = strings::to_mutf8(name);
    match class.fields.iter().find(|f| !f.injected && f.name.as_bytes() == name) {
        Some(f) => Ok(u64::from(f.offset)),
        None => Err(throw(t, "java/lang/InternalError", Some(String::from_utf8_lossy(&name).into_owned()))),
    }
}

/// The class of a mirror. Throws NullPointerException, and IllegalArgumentException for a
/// primitive type.
fn class_of(t: &JavaThread, mirror: Oop) -> VmResult<ClassRef> {
    if mirror.is_null() {
        return Err(null_pointer(t));
    }
    match mirror_to_class(mirror) {
        MirrorOf::Class(c) => Ok(c),
        MirrorOf::Primitive(p) => Err(throw(t, "java/lang/IllegalArgumentException", Some(p.java_name().into()))),
    }
}

fn array_class_of(t: &JavaThread, args: *const u64) -> VmResult<ClassRef> {
    // SAFETY: (Class).
    let mirror = unsafe { reference(args, 1) };
    match mirror.non_null().map(mirror_to_class) {
        Some(MirrorOf::Class(c)) if c.is_array() => Ok(c),
        _ => Err(throw(t, "java/io/InvalidClassException", None)),
    }
}

fn array_base_offset(t: &JavaThread, args: *const u64) -> VmResult<u64> {
    Ok(array_class_of(t, args)?.array_base() as u64)
}

fn array_index_scale(t: &JavaThread, args: *const u64) -> VmResult<u64> {
    Ok(1 << array_class_of(t, args)?.array_log2())
}

/// The class of a mirror that has an initializer to run.
fn uninitialized(t: &JavaThread, mirror: Oop) -> VmResult<Option<ClassRef>> {
    if mirror.is_null() {
        return Err(null_pointer(t));
    }
    Ok(match mirror_to_class(mirror) {
        MirrorOf::Class(c) if !c.is_array() && !c.is_initialized() => Some(c),
        _ => None,
    })
}

fn should_be_initialized(t: &JavaThread, args: *const u64) -> VmResult<u64> {
    // SAFETY: (Class).
    Ok(u64::from(uninitialized(t, unsafe { reference(args, 1) })?.is_some()))
}

fn ensure_class_initialized(t: &JavaThread, args: *const u64) -> VmResult<u64> {
    // SAFETY: (Class).
    if let Some(c) = uninitialized(t, unsafe { reference(args, 1) })? {
        init::initialize(t, c)?;
    }
    Ok(0)
}

fn allocate_instance(t: &JavaThread, args: *const u64) -> VmResult<u64> {
    // SAFETY: (Class).
    let mirror = unsafe { reference(args, 1) };
    if mirror.is_null() {
        return Err(null_pointer(t));
    }
    let class = match mirror_to_class(mirror) {
        MirrorOf::Class(c) => c,
        MirrorOf::Primitive(p) => {
            return Err(throw(t, "java/lang/InstantiationException", Some(p.java_name().into())))
        }
    };
    if class.is_array() || class.is_interface() || class.is_abstract() {
        return Err(throw(t, "java/lang/InstantiationException", Some(class.external_name())));
    }
    if class == Known::Class.get() {
        return Err(throw(t, "java/lang/IllegalAccessException", Some(class.external_name())));
    }
    init::initialize(t, class)?;
    Ok(alloc::instance(t, class)?.address() as u64)
}

/// `defineClass0(String, byte[], int, int, ClassLoader, ProtectionDomain)`.
fn define_class(t: &JavaThread, args: *const u64) -> VmResult<u64> {
    // SAFETY: the parameters as above.
    let (name, data, offset, length, loader, domain) = unsafe {
        (
            reference(args, 1),
            reference(args, 2),
            slot(args, 3) as u32 as i32,
            slot(args, 4) as u32 as i32,
            reference(args, 5),
            reference(args, 6),
        )
    };
    let name = match name.non_null().map(internal_name) {
        Some(n) if n.len() > 65535 => {
            let m = format!("Class name exceeds maximum length of 65535: {}", String::from_utf8_lossy(&n));
            return Err(throw(t, "java/lang/NoClassDefFoundError", Some(m)));
        }
        n => n.map(|n| Symbol::intern(&n)),
    };
    // SAFETY: copied before anything else happens.
    let all = unsafe { access::bytes(data) };
    let range = usize::try_from(offset).ok().zip(usize::try_from(length).ok());
    let bytes = match range.and_then(|(o, n)| all.get(o..o.checked_add(n)?)) {
        Some(b) => b.to_vec(),
        None => {
            let m = format!(
                "Array region {offset}..{} out of bounds for length {}",
                i64::from(offset) + i64::from(length),
                all.len()
            );
            return Err(throw(t, "java/lang/ArrayIndexOutOfBoundsException", Some(m)));
        }
    };
    let loader = loading::loader_of(t, loader);
    let options = DefineOptions { protection_domain: domain, source: None, hidden: None };
    let class = loading::define_class(t, loader, name, &bytes, options)?;
    Ok(class.mirror().address() as u64)
}

fn throw_exception(t: &JavaThread, args: *const u64) -> VmResult<u64> {
    // SAFETY: (Throwable).
    match unsafe { reference(args, 1) }.non_null() {
        Some(e) => Err(t.set_exception(e)),
        None => Err(null_pointer(t)),
    }
}

/// `park(boolean isAbsolute, long time)`.
fn park(t: &JavaThread, args: *const u64) -> VmResult<u64> {
    // SAFETY: (boolean, long).
    unsafe { park::park(t, slot(args, 1) & 1 != 0, slot(args, 2) as i64) };
    Ok(0)
}

/// `unpark(Object thread)`; null and threads that do not run need no permit.
fn unpark(_t: &JavaThread, args: *const u64) -> VmResult<u64> {
    // SAFETY: (Object), a java.lang.Thread by the contract of Unsafe.
    if let Some(thread) = unsafe { reference(args, 1) }.non_null() {
        park::unpark(load::<i64>(thread, KnownField::ThreadEetop.offset()));
    }
    Ok(0)
}

/// `getLoadAverage0(double[], int)`: how many averages were stored, -1 if none are known.
fn get_load_average(_t: &JavaThread, args: *const u64) -> VmResult<u64> {
    // SAFETY: (double[], int).
    let (array, wanted) = unsafe { (reference(args, 1), slot(args, 2) as u32 as i32) };
    let mut averages = [0f64; 3];
    // SAFETY: room for three.
    let found = unsafe { libc::getloadavg(averages.as_mut_ptr(), wanted.clamp(0, 3)) };
    let base = array.class().array_base();
    for (i, a) in averages.iter().enumerate().take(found.max(0) as usize) {
        access::store(array, base + 8 * i, *a);
    }
    Ok(u64::from(found as u32))
}

/// Persistent memory: mapping a file as such (`MapMode.READ_ONLY_SYNC`) already fails because
/// `UnsafeConstants.DATA_CACHE_LINE_FLUSH_SIZE` is 0.
fn writeback(t: &JavaThread, _args: *const u64) -> VmResult<u64> {
    let m = "jdk.internal.misc.Unsafe.writebackMemory: Kiln does not write cache lines back".to_string();
    Err(throw(t, "java/lang/RuntimeException", Some(m)))
}

/// Sets the fields of `jdk.internal.misc.UnsafeConstants`, which the VM injects. To be called
/// once, before `System.initPhase1`.
pub fn set_unsafe_constants(t: &JavaThread) -> VmResult<()> {
    let class = loading::load_or_no_class_def(t, crate::meta::loader::boot(), Symbol::of("jdk/internal/misc/UnsafeConstants"))?;
    init::initialize(t, class)?;
    // SAFETY: no preconditions.
    let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) } as i32;
    let mirror = class.mirror();
    let offset = |name: &str, descriptor: &str| match class.find_declared_field(Symbol::of(name), Symbol::of(descriptor)) {
        Some(f) => f.offset as usize,
        None => panic!("jdk.internal.misc.UnsafeConstants.{name} is not in this class library (JDK 17 is needed)"),
    };
    access::store::<i32>(mirror, offset("ADDRESS_SIZE0", "I"), size_of::<usize>() as i32);
    access::store::<i32>(mirror, offset("PAGE_SIZE", "I"), page);
    access::store::<u8>(mirror, offset("BIG_ENDIAN", "Z"), u8::from(cfg!(target_endian = "big")));
    access::store::<u8>(mirror, offset("UNALIGNED_ACCESS", "Z"), 1);
    access::store::<i32>(mirror, offset("DATA_CACHE_LINE_FLUSH_SIZE", "I"), 0);
    Ok(())
}

/// The natives of this file.
pub(super) const TABLE: &[super::Native] = &[
    ("objectFieldOffset0", "(Ljava/lang/reflect/Field;)J", object_field_offset),
    ("objectFieldOffset1", "(Ljava/lang/Class;Ljava/lang/String;)J", object_field_offset_by_name),
    ("staticFieldOffset0", "(Ljava/lang/reflect/Field;)J", static_field_offset),
    ("staticFieldBase0", "(Ljava/lang/reflect/Field;)Ljava/lang/Object;", static_field_base),
    ("shouldBeInitialized0", "(Ljava/lang/Class;)Z", should_be_initialized),
    ("ensureClassInitialized0", "(Ljava/lang/Class;)V", ensure_class_initialized),
    ("arrayBaseOffset0", "(Ljava/lang/Class;)I", array_base_offset),
    ("arrayIndexScale0", "(Ljava/lang/Class;)I", array_index_scale),
    ("allocateInstance", "(Ljava/lang/Class;)Ljava/lang/Object;", allocate_instance),
    (
        "defineClass0",
        "(Ljava/lang/String;[BIILjava/lang/ClassLoader;Ljava/security/ProtectionDomain;)Ljava/lang/Class;",
        define_class,
    ),
    ("throwException", "(Ljava/lang/Throwable;)V", throw_exception),
    ("park", "(ZJ)V", park),
    ("unpark", "(Ljava/lang/Object;)V", unpark),
    ("getLoadAverage0", "([DI)I", get_load_average),
    ("writeback0", "(J)V", writeback),
    ("writebackPreSync0", "()V", writeback),
    ("writebackPostSync0", "()V", writeback),
];
