//! Objects in a dump: HPROF_GC_INSTANCE_DUMP, HPROF_GC_OBJ_ARRAY_DUMP, HPROF_GC_PRIM_ARRAY_DUMP.

use super::classes::{declared, lineage, type_tag, value_bytes, write_value};
use super::writer::Writer;
use super::NO_TRACE;
use crate::heap::layout::{BasicType, Oop, REF_BYTES};
use crate::heap::walk::Walk;
use crate::link::load::{mirror_to_class, MirrorOf};
use crate::meta::class::{ClassRef, InstanceKind};
use rustc_hash::FxHashMap;

const INSTANCE_DUMP: u8 = 0x21;
const OBJECT_ARRAY_DUMP: u8 = 0x22;
const PRIMITIVE_ARRAY_DUMP: u8 = 0x23;

/// Offset and type of every instance field, those of the class itself first.
type Layout = Vec<(usize, BasicType)>;

/// Every object but the mirrors of classes, which the classes themselves stand for.
pub(super) fn write(heap: &Walk<'_>, w: &mut Writer) {
    let mut layouts: FxHashMap<u32, Layout> = FxHashMap::default();
    heap.each_object(|o| {
        let class = o.class();
        // The mirror of one that is just being made.
        if class.mirror().is_null() {
            return;
        }
        match class.instance_kind {
            InstanceKind::ObjectArray => write_object_array(w, o),
            InstanceKind::PrimitiveArray => write_primitive_array(w, o),
            InstanceKind::Mirror if matches!(mirror_to_class(o), MirrorOf::Class(_)) => {}
            _ => write_instance(w, o, layouts.entry(class.word()).or_insert_with(|| layout(class))),
        }
    })
}

fn layout(class: ClassRef) -> Layout {
    lineage(class).flat_map(|c| declared(c, false)).map(|f| (f.offset as usize, f.basic_type)).collect()
}

fn write_instance(w: &mut Writer, o: Oop, fields: &Layout) {
    let bytes: usize = fields.iter().map(|f| value_bytes(f.1)).sum();
    w.sub_record(1 + 8 + 4 + 8 + 4 + bytes);
    w.u1(INSTANCE_DUMP);
    w.id(o.address());
    w.u4(NO_TRACE);
    w.id(o.class().mirror().address());
    w.u4(bytes as u32);
    for &(offset, ty) in fields {
        // SAFETY: a field of the object; the world stands.
        unsafe { write_value(w, ty, o.address() + offset) };
    }
}

/// How many elements of the array a record can hold beside its header: its length has 32 bits.
fn kept_length(o: Oop, element: BasicType, header: usize) -> usize {
    let most = (u32::MAX as usize - header) / value_bytes(element);
    let length = o.array_length();
    if length > most {
        crate::vm_warning!(
            "cannot dump array of type {}[] with length {length}; truncating to length {most}",
            element.java_name()
        );
    }
    length.min(most)
}

fn write_object_array(w: &mut Writer, o: Oop) {
    const HEADER: usize = 1 + 8 + 4 + 4 + 8;
    let length = kept_length(o, BasicType::Object, HEADER);
    w.sub_record(HEADER + 8 * length);
    w.u1(OBJECT_ARRAY_DUMP);
    w.id(o.address());
    w.u4(NO_TRACE);
    w.u4(length as u32);
    w.id(o.class().mirror().address());
    let first = o.address() + o.class().array_base();
    for i in 0..length {
        // SAFETY: an element of the array; the world stands.
        unsafe { write_value(w, BasicType::Object, first + i * REF_BYTES) };
    }
}

fn write_primitive_array(w: &mut Writer, o: Oop) {
    const HEADER: usize = 1 + 8 + 4 + 4 + 1;
    let class = o.class();
    let element = class.element_type;
    let length = kept_length(o, element, HEADER);
    w.sub_record(HEADER + length * element.heap_bytes());
    w.u1(PRIMITIVE_ARRAY_DUMP);
    w.id(o.address());
    w.u4(NO_TRACE);
    w.u4(length as u32);
    w.u1(type_tag(element));
    let first = o.address() + class.array_base();
    for i in 0..length {
        // SAFETY: as above.
        unsafe { write_value(w, element, first + i * element.heap_bytes()) };
    }
}
