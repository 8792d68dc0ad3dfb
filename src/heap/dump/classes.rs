//! Classes in a dump: HPROF_LOAD_CLASS, and HPROF_GC_CLASS_DUMP with statics and the description of instance fields.

use super::writer::Writer;
use super::{Names, NO_TRACE};
use crate::heap::access::load_ref;
use crate::heap::layout::{widen, BasicType, Oop};
use crate::heap::roots::RootSlot;
use crate::meta::class::{class_flags, ClassRef};
use crate::meta::field::FieldRef;
use crate::meta::loader::{Loader, LoaderRef};
use crate::meta::well_known::KnownField;
use rustc_hash::{FxHashMap, FxHashSet};

/// HPROF_LOAD_CLASS
const LOAD_CLASS: u8 = 0x02;
/// HPROF_GC_CLASS_DUMP
const CLASS_DUMP: u8 = 0x20;
/// Bytes of a class dump without its fields.
const CLASS_DUMP_BYTES: usize = 1 + 8 + 4 + 6 * 8 + 4 + 2 + 2 + 2;

/// All classes, numbered from 1.
pub(super) struct Classes {
    pub all: Vec<ClassRef>,
    serials: FxHashMap<u32, u32>,
}

/// The tag of a type in fields and arrays.
pub(super) fn type_tag(ty: BasicType) -> u8 {
    match ty {
        // Arrays too: a field that refers to one is an object field.
        BasicType::Object | BasicType::Array | BasicType::Void => 2,
        primitive => primitive as u8,
    }
}

/// Bytes of a value in the file.
pub(super) fn value_bytes(ty: BasicType) -> usize {
    if ty.is_reference() { 8 } else { ty.heap_bytes() }
}

/// The value at an address in the heap.
///
/// # Safety
/// A field or element of this type must be there, in a pause.
pub(super) unsafe fn write_value(w: &mut Writer, ty: BasicType, at: usize) {
    match value_bytes(ty) {
        _ if ty.is_reference() => w.id(widen(*(at as *const u32))),
        1 => w.u1(*(at as *const u8)),
        2 => w.u2(*(at as *const u16)),
        4 => w.u4(*(at as *const u32)),
        _ => w.u8(*(at as *const u64)),
    }
}

/// The fields that Java declares, of instances or static.
pub(super) fn declared(class: ClassRef, is_static: bool) -> impl Iterator<Item = FieldRef> {
    class.fields.iter().copied().filter(move |f| !f.injected && f.is_static() == is_static)
}

/// The supers of a class, itself first.
pub(super) fn lineage(class: ClassRef) -> impl Iterator<Item = ClassRef> {
    std::iter::successors(Some(class), |c| c.super_class)
}

impl Classes {
    pub fn collect(names: &mut Names) -> Classes {
        let mut all = Vec::new();
        let mut serials = FxHashMap::default();
        Loader::for_each_class(|c| {
            // One that is being defined has no mirror yet, one that is gone has none any more.
            if c.mirror().is_null() || c.has_flag(class_flags::UNLOADED) {
                return;
            }
            names.add(c.name);
            c.fields.iter().filter(|f| !f.injected).for_each(|f| names.add(f.name));
            all.push(c);
            serials.insert(c.word(), all.len() as u32);
        });
        Classes { all, serials }
    }

    /// The number of a class, 0 if it is not in the dump.
    pub fn serial(&self, class: ClassRef) -> u32 {
        self.serials.get(&class.word()).copied().unwrap_or(0)
    }

    pub fn write_loads(&self, w: &mut Writer) {
        for (i, c) in self.all.iter().enumerate() {
            w.record(LOAD_CLASS, 4 + 8 + 4 + 8);
            w.u4(i as u32 + 1);
            w.id(c.mirror().address());
            w.u4(NO_TRACE);
            w.id(c.name.address());
        }
    }

    pub fn write_dumps(&self, w: &mut Writer, names: &Names) {
        let mut shown = FxHashSet::default();
        for &c in &self.all {
            // Constants of an unloadable loader's classes are kept by the loader: its first class shows them.
            let loader = c.kept_by;
            let first = loader.unloadable && shown.insert(loader as *const Loader as usize);
            write_dump(w, c, names, if first { constants(loader) } else { Vec::new() });
        }
    }
}

fn constants(loader: LoaderRef) -> Vec<Oop> {
    let mut found = Vec::new();
    loader.slots.for_each(&mut |s: &RootSlot| found.extend(s.get().non_null()));
    found
}

fn write_dump(w: &mut Writer, class: ClassRef, names: &Names, mut constants: Vec<Oop>) {
    let statics: Vec<_> = declared(class, true).collect();
    let fields: Vec<_> = declared(class, false).collect();
    // What does not fit is left out: the count has 16 bits.
    constants.truncate(usize::from(u16::MAX) - statics.len());
    let static_bytes: usize = statics.iter().map(|f| 8 + 1 + value_bytes(f.basic_type)).sum();
    w.sub_record(CLASS_DUMP_BYTES + static_bytes + constants.len() * (8 + 1 + 8) + fields.len() * (8 + 1));
    w.u1(CLASS_DUMP);
    w.id(class.mirror().address());
    w.u4(NO_TRACE);
    // An interface's superclass is nothing that Java shows.
    let super_class = class.super_class.filter(|_| !class.is_interface() || class.is_array());
    w.id(super_class.map_or(0, |s| s.mirror().address()));
    w.id(class.loader.object.get().address());
    let of_mirror = |f: KnownField| load_ref(class.mirror(), f.offset()).address();
    w.id(of_mirror(KnownField::ClassSigners));
    w.id(of_mirror(KnownField::ClassProtectionDomain));
    w.id(0);
    w.id(0);
    w.u4(if class.is_array() { 0 } else { instance_bytes(class) as u32 });
    // No constant pool.
    w.u2(0);
    w.u2((statics.len() + constants.len()) as u16);
    for f in statics {
        w.id(f.name.address());
        w.u1(type_tag(f.basic_type));
        // SAFETY: the mirror, which is pinned, has the field there; the world stands.
        unsafe { write_value(w, f.basic_type, f.static_address()) };
    }
    for o in constants {
        w.id(names.resolved_references.address());
        w.u1(type_tag(BasicType::Object));
        w.id(o.address());
    }
    w.u2(fields.len() as u16);
    for f in fields {
        w.id(f.name.address());
        w.u1(type_tag(f.basic_type));
    }
}

/// Bytes of an instance's values in the file.
pub(super) fn instance_bytes(class: ClassRef) -> usize {
    lineage(class).flat_map(|c| declared(c, false)).map(|f| value_bytes(f.basic_type)).sum()
}
