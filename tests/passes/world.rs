//! The classes and methods that the functions of these tests name.

use crate::heap_support;
use jvm::classfile::access::{ACC_FINAL, ACC_INTERFACE, ACC_STATIC};
use jvm::compiler::ir::parse::Names;
use jvm::compiler::ir::print::method_text;
use jvm::heap::layout::BasicType;
use jvm::meta::class::{offsets, Class, ClassRef, InstanceKind, ReferenceKind};
use jvm::meta::method::{Method, MethodKind, MethodRef};
use jvm::meta::symbol::Symbol;
use std::mem::offset_of;
use std::sync::OnceLock;

pub struct World {
    classes: Vec<ClassRef>,
    methods: Vec<MethodRef>,
}

/// An instance class below `above`.
fn class(name: &str, above: Option<ClassRef>, access: u16) -> ClassRef {
    let c = heap_support::class(name, 32, InstanceKind::Plain, &[]);
    place(c, above, access);
    c
}

/// A class of boxes.
fn boxes(name: &str, above: ClassRef, value: heap_support::FieldSpec) -> ClassRef {
    let c = heap_support::class_with(name, 32, InstanceKind::Plain, ReferenceKind::None, &[], &[value]);
    place(c, Some(above), ACC_FINAL);
    c
}

fn array(name: &str, element: BasicType, component: Option<ClassRef>, above: ClassRef) -> ClassRef {
    let kind = if component.is_some() { InstanceKind::ObjectArray } else { InstanceKind::PrimitiveArray };
    let c = heap_support::class(name, Class::array_layout(element), kind, &[]);
    place(c, Some(above), ACC_FINAL);
    // SAFETY: nobody else knows the class yet.
    unsafe { field::<Option<ClassRef>>(c, offset_of!(Class, component)).write(component) };
    c
}

/// A field of a class.
fn field<T>(c: ClassRef, offset: usize) -> *mut T {
    (c as *const Class as usize + offset) as *mut T
}

/// Puts a class into the hierarchy.
fn place(c: ClassRef, above: Option<ClassRef>, access: u16) {
    let depth = above.map_or(0, |a| a.depth + 1);
    let mut supers = above.map_or([0; 8], |a| a.primary_supers);
    supers[depth as usize] = c.word();
    let interface = access & ACC_INTERFACE != 0;
    let check = if interface {
        offset_of!(Class, secondary_super_cache)
    } else {
        offsets::PRIMARY_SUPERS + 4 * depth as usize
    };
    // SAFETY: fields of these types; nobody else knows the class yet.
    unsafe {
        field::<u32>(c, offset_of!(Class, depth)).write(depth);
        field::<[u32; 8]>(c, offset_of!(Class, primary_supers)).write(supers);
        field::<u32>(c, offset_of!(Class, super_check_offset)).write(check as u32);
        field::<u16>(c, offset_of!(Class, access_flags)).write(access);
        field::<Option<ClassRef>>(c, offset_of!(Class, super_class)).write(above);
    }
}

impl World {
    pub fn get() -> &'static World {
        static WORLD: OnceLock<World> = OnceLock::new();
        WORLD.get_or_init(World::new)
    }

    fn new() -> World {
        let object = class("Object", None, 0);
        let a = class("A", Some(object), 0);
        let classes = vec![
            object,
            a,
            class("B", Some(a), 0),
            class("Final", Some(object), ACC_FINAL),
            class("Throwable", Some(object), 0),
            boxes("Box", object, ("value", "I", BasicType::Int, 12)),
            boxes("LongBox", object, ("value", "J", BasicType::Long, 16)),
            class("Interface", None, ACC_INTERFACE),
            array("[I", BasicType::Int, None, object),
            array("[J", BasicType::Long, None, object),
            array("[B", BasicType::Byte, None, object),
            array("[C", BasicType::Char, None, object),
            array("[D", BasicType::Double, None, object),
            array("[LObject;", BasicType::Object, Some(object), object),
            array("[LA;", BasicType::Object, Some(a), object),
        ];
        let method = |name, descriptor, is_static| -> MethodRef {
            let access = if is_static { ACC_STATIC } else { 0 };
            let m =
                Method::new(Symbol::of(name), Symbol::of(descriptor), access, MethodKind::Java, 0, None, None);
            m.set_class(a);
            jvm::meta::loader::boot().arena.place(m).unwrap()
        };
        let methods = vec![
            method("use", "(LObject;)V", true),
            method("value", "()I", true),
            method("object", "()LObject;", true),
            method("virtual", "(IJ)D", false),
        ];
        World { classes, methods }
    }
}

impl Names for World {
    fn class(&self, name: &str) -> Option<ClassRef> {
        self.classes.iter().copied().find(|c| c.name.to_text() == name)
    }

    fn method(&self, name: &str) -> Option<MethodRef> {
        self.methods.iter().copied().find(|m| method_text(m) == name)
    }
}
