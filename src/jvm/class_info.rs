//! What `java.lang.Class` asks of its class: flags, name, interfaces, signers, attributes,
//! assertion status.

use super::support::*;
use crate::classfile::access::{ACC_ABSTRACT, ACC_FINAL, ACC_PUBLIC};
use crate::exceptions::VmResult;
use crate::heap::layout::Oop;
use crate::heap::{access, alloc, strings};
use crate::jvm_entry;
use crate::link::load::{self, mirror_to_class, MirrorOf};
use crate::meta::class::ClassRef;
use crate::meta::well_known::{Known, KnownField};
use crate::threads::JavaThread;
use std::sync::atomic::Ordering;

/// Modifiers of the primitive types.
const PRIMITIVE_MODIFIERS: u16 = ACC_ABSTRACT | ACC_FINAL | ACC_PUBLIC;
/// The bits that class files write in access flags.
const WRITTEN_FLAGS: u16 = 0x7fff;

/// `Class.getModifiers` of the type that `mirror` stands for.
pub fn modifiers(mirror: Oop) -> i32 {
    i32::from(class_of(mirror).map_or(PRIMITIVE_MODIFIERS, |c| c.modifiers.load(Ordering::Relaxed)))
}

/// `Reflection.getClassAccessFlags`: the flags of the class file itself.
pub fn access_flags(mirror: Oop) -> i32 {
    i32::from(class_of(mirror).map_or(PRIMITIVE_MODIFIERS, |c| c.access_flags & WRITTEN_FLAGS))
}

/// `Class.isRecord` as the VM sees it: final, a direct subclass of `java.lang.Record`, and with
/// a Record attribute.
pub fn is_record(class: ClassRef) -> bool {
    class.is_final()
        && class.super_class.is_some_and(|s| std::ptr::eq(s, Known::Record.get()))
        && class.class_file.as_ref().is_some_and(|f| f.attributes.record.is_some())
}

/// The name of a class as an interned String, kept in `Class.name`.
fn init_name(t: &JavaThread, mirror: Oop) -> VmResult<Oop> {
    let name = match mirror_to_class(mirror) {
        MirrorOf::Primitive(p) => strings::new(t, p.java_name())?,
        MirrorOf::Class(c) if c.has_hidden_name() => strings::new(t, &c.external_name())?,
        MirrorOf::Class(c) => strings::from_mutf8(t, &c.name.dotted_bytes())?,
    };
    let name = strings::intern(t, name)?;
    access::store_ref(t, mirror, KnownField::ClassName.offset(), name);
    Ok(name)
}

jvm_entry! {
    /// `Class.initClassName`.
    fn JVM_InitClassName(t, class: Oop) -> Oop {
        init_name(t, class)
    }

    /// `Class.getInterfaces0`.
    fn JVM_GetClassInterfaces(t, class: Oop) -> Oop {
        match class_of(class) {
            None => class_array(t, &[]),
            Some(c) if c.is_array() => class_array(t, &[Known::Cloneable.get(), Known::Serializable.get()]),
            Some(c) => class_array(t, &c.interfaces),
        }
    }

    /// `Class.isInterface`.
    fn JVM_IsInterface(_t, class: Oop) -> bool {
        Ok(instance_class_of(class).is_some_and(|c| c.is_interface()))
    }

    /// `Class.isArray`.
    fn JVM_IsArrayClass(_t, class: Oop) -> bool {
        Ok(class_of(class).is_some_and(|c| c.is_array()))
    }

    /// `Class.isPrimitive`.
    fn JVM_IsPrimitiveClass(_t, class: Oop) -> bool {
        Ok(class_of(class).is_none())
    }

    /// `Class.isHidden`.
    fn JVM_IsHiddenClass(_t, class: Oop) -> bool {
        Ok(class_of(class).is_some_and(|c| c.is_hidden()))
    }

    /// `Class.isRecord0`.
    fn JVM_IsRecord(_t, class: Oop) -> bool {
        Ok(instance_class_of(class).is_some_and(is_record))
    }

    /// `Class.getModifiers`.
    fn JVM_GetClassModifiers(_t, class: Oop) -> i32 {
        Ok(modifiers(class))
    }

    /// `Reflection.getClassAccessFlags`.
    fn JVM_GetClassAccessFlags(_t, class: Oop) -> i32 {
        Ok(access_flags(class))
    }

    /// `Class.getSigners`: a copy of the array.
    fn JVM_GetClassSigners(t, class: Oop) -> Oop {
        if class_of(class).is_none() {
            return Ok(Oop::NULL);
        }
        match access::load_ref(class, KnownField::ClassSigners.offset()).non_null() {
            Some(signers) => alloc::shallow_copy(t, signers),
            None => Ok(Oop::NULL),
        }
    }

    /// `Class.setSigners`; ignored for primitives and arrays.
    fn JVM_SetClassSigners(t, class: Oop, signers: Oop) -> () {
        if instance_class_of(class).is_some() {
            access::store_ref(t, class, KnownField::ClassSigners.offset(), signers);
        }
        Ok(())
    }

    /// `Class.getProtectionDomain0`.
    fn JVM_GetProtectionDomain(t, class: Oop) -> Oop {
        if class.is_null() {
            return Err(crate::exceptions::throw(t, NULL_POINTER, None));
        }
        match mirror_to_class(class) {
            MirrorOf::Primitive(_) => Ok(Oop::NULL),
            MirrorOf::Class(c) => {
                // An array has the domain of its elements' class.
                let mirror = c.bottom_class().mirror();
                Ok(access::load_ref(mirror, KnownField::ClassProtectionDomain.offset()))
            }
        }
    }

    /// `Class.getGenericSignature0`.
    fn JVM_GetClassSignature(t, class: Oop) -> Oop {
        let signature = instance_class_of(class).and_then(|c| Some(c.constants.symbol(c.file().attributes.signature?)));
        string_of(t, signature)
    }

    /// `Class.getRawAnnotations`.
    fn JVM_GetClassAnnotations(t, class: Oop) -> Oop {
        byte_array(t, instance_class_of(class).and_then(|c| c.file().attributes.annotations.visible))
    }

    /// `Class.getRawTypeAnnotations`.
    fn JVM_GetClassTypeAnnotations(t, class: Oop) -> Oop {
        byte_array(t, instance_class_of(class).and_then(|c| c.file().attributes.annotations.visible_type))
    }

    /// `Class.getConstantPool`: an object that reads the class's constant pool.
    fn JVM_GetClassConstantPool(t, class: Oop) -> Oop {
        let Some(c) = instance_class_of(class) else { return Ok(Oop::NULL) };
        let pool_class = Known::ConstantPool.get();
        crate::link::init::initialize(t, pool_class)?;
        let pool = alloc::instance(t, pool_class)?;
        access::store_ref(t, pool, KnownField::ConstantPoolOop.offset(), c.mirror());
        Ok(pool)
    }

    /// `Class.desiredAssertionStatus0`.
    fn JVM_DesiredAssertionStatus(_t, _unused: Oop, class: Oop) -> bool {
        let Some(c) = instance_class_of(class) else { return Ok(false) };
        let assertions = &crate::vm::get().options.assertions;
        Ok(assertions.enabled(&c.name.to_text(), c.loader.is_boot()))
    }

    /// `ClassLoader.retrieveDirectives`: the command line's assertion options.
    fn JVM_AssertionStatusDirectives(t, _unused: Oop) -> Oop {
        assertion_directives(t)
    }

    /// Whether two classes (neither primitive nor array) share a run-time package.
    fn JVM_IsSameClassPackage(_t, a: Oop, b: Oop) -> bool {
        Ok(declared_class(a).is_same_package(declared_class(b)))
    }
}

fn assertion_directives(t: &JavaThread) -> VmResult<Oop> {
    let assertions = &crate::vm::get().options.assertions;
    let class = Known::AssertionStatusDirectives.get();
    crate::link::init::initialize(t, class)?;
    let directives = alloc::instance(t, class)?;
    let field = |name: &str, descriptor: &str| {
        let found = class.fields.iter().find(|f| f.name == name && f.descriptor == descriptor);
        found.unwrap_or_else(|| panic!("AssertionStatusDirectives.{name} is not in this class library")).offset as usize
    };
    let set = |list: &[(String, bool)], names: &str, flags: &str| -> VmResult<()> {
        let texts = object_array(t, Known::String, list.len())?;
        let booleans = load::primitive_array_class(crate::heap::layout::BasicType::Boolean);
        let enabled = alloc::array(t, booleans, list.len() as i32)?;
        // In the order of the options: the class library lets the latest win.
        for (i, (name, enable)) in list.iter().enumerate() {
            let text = strings::new(t, &name.replace('/', "."))?;
            access::set_array_ref(t, texts, i, text);
            access::store::<u8>(enabled, booleans.array_base() + i, u8::from(*enable));
        }
        access::store_ref(t, directives, field(names, "[Ljava/lang/String;"), texts);
        access::store_ref(t, directives, field(flags, "[Z"), enabled);
        Ok(())
    };
    set(&assertions.classes, "classes", "classEnabled")?;
    set(&assertions.packages, "packages", "packageEnabled")?;
    access::store::<u8>(directives, field("deflt", "Z"), u8::from(assertions.user_default));
    Ok(directives)
}
