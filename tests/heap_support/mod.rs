//! Classes made up for tests of the heap, which run without a class library.

use jvm::heap::layout::BasicType;
use jvm::heap::roots;
use jvm::meta::class::*;
use jvm::meta::constants::RuntimeConstantPool;
use jvm::meta::field::Field;
use jvm::meta::loader;
use jvm::meta::symbol::Symbol;
use std::sync::atomic::{AtomicPtr, AtomicU16, AtomicU32, AtomicU64, AtomicU8};
use std::sync::OnceLock;

/// An instance field: name, descriptor, type, offset.
pub type FieldSpec = (&'static str, &'static str, BasicType, u32);

/// An initialized class of the boot loader with this layout word.
pub fn class(name: &str, layout: u32, kind: InstanceKind, maps: &[OopMapBlock]) -> ClassRef {
    class_with(name, layout, kind, ReferenceKind::None, maps, &[])
}

/// A plain class that extends another, entered into the hierarchy.
#[allow(dead_code)] // not by every test
pub fn subclass(name: &str, super_class: ClassRef) -> ClassRef {
    let c = extending(name, super_class.layout, InstanceKind::Plain, ReferenceKind::None, &[], &[], Some(super_class));
    super_class.subclasses.lock().push(c);
    c
}

/// The same with fields, and for a Reference class its kind.
pub fn class_with(
    name: &str,
    layout: u32,
    kind: InstanceKind,
    reference_kind: ReferenceKind,
    maps: &[OopMapBlock],
    fields: &[FieldSpec],
) -> ClassRef {
    extending(name, layout, kind, reference_kind, maps, fields, None)
}

fn extending(
    name: &str,
    layout: u32,
    kind: InstanceKind,
    reference_kind: ReferenceKind,
    maps: &[OopMapBlock],
    fields: &[FieldSpec],
    super_class: Option<ClassRef>,
) -> ClassRef {
    let boot = loader::boot();
    // The classes above; its own place, which only tests for the class itself look at, stays empty.
    let depth = super_class.map_or(0, |s| s.depth + 1);
    let mut primary_supers = super_class.map_or([0; PRIMARY_SUPERS], |s| s.primary_supers);
    if let Some(s) = super_class {
        primary_supers[s.depth as usize] = s.word();
    }
    boot.arena
        .place(Class {
            layout,
            super_check_offset: offsets::PRIMARY_SUPERS as u32 + 4 * depth,
            secondary_super_cache: AtomicU32::new(0),
            depth,
            primary_supers,
            state: AtomicU8::new(ClassState::Initialized as u8),
            instance_kind: kind,
            reference_kind,
            element_type: BasicType::Void,
            flags: AtomicU32::new(0),
            mirror: roots::RootSlot::default(),
            vtable_length: 0,
            itable_words: 0,
            access_flags: 0,
            modifiers: AtomicU16::new(0),
            name: Symbol::of(name),
            super_class,
            interfaces: Box::default(),
            secondary_supers: OnceLock::new(),
            loader: boot,
            kept_by: boot,
            module: AtomicPtr::default(),
            package: None,
            class_file: None,
            constants: RuntimeConstantPool::new(None),
            fields: fields
                .iter()
                .enumerate()
                .map(|(i, f)| {
                    let field = Field::new(Symbol::of(f.0), Symbol::of(f.1), 0, f.2, i as u16, None, f.3);
                    &*boot.arena.place(field).unwrap()
                })
                .collect(),
            methods: Box::default(),
            method_index: Box::default(),
            synthetic_methods: OnceLock::new(),
            oop_maps: maps.into(),
            fields_end: 24,
            static_reference_count: 0,
            mirror_bytes: 0,
            component: None,
            array_class: AtomicPtr::default(),
            init: InitLock::default(),
            init_error: roots::RootSlot::default(),
            nest_host: AtomicPtr::default(),
            nest_host_error: Default::default(),
            subclasses: Default::default(),
            id: 0,
            source: OnceLock::new(),
            redefinition_count: AtomicU32::new(0),
            dependencies: AtomicU64::new(0),
        })
        .unwrap()
}
