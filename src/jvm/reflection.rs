//! `java.lang.Class`'s and `java.lang.reflect`'s view of fields, methods, constructors and
//! record components.

use super::reflect_objects::*;
use super::support::*;
use crate::exceptions::VmResult;
use crate::heap::access;
use crate::heap::layout::Oop;
use crate::jvm_entry;
use crate::link::init;
use crate::meta::field::FieldRef;
use crate::meta::method::MethodRef;
use crate::meta::well_known::Known;
use crate::threads::JavaThread;

/// Objects of class `element`, one for each item.
fn objects<T: Copy>(
    t: &JavaThread,
    element: Known,
    items: &[T],
    make: impl Fn(&JavaThread, T) -> VmResult<Oop>,
) -> VmResult<Oop> {
    let array = object_array(t, element, items.len())?;
    for (i, &item) in items.iter().enumerate() {
        let object = make(t, item)?;
        access::set_array_ref(t, array, i, object);
    }
    Ok(array)
}

fn declared_methods(t: &JavaThread, class: Oop, public_only: bool, constructors: bool) -> VmResult<Vec<MethodRef>> {
    let Some(c) = instance_class_of(class) else { return Ok(Vec::new()) };
    init::link(t, c)?;
    let wanted = |m: &MethodRef| {
        let kind = if constructors {
            m.is_constructor() && !m.is_static()
        } else {
            !m.is_constructor() && !m.is_class_initializer()
        };
        kind && (!public_only || m.is_public())
    };
    let mut methods: Vec<MethodRef> = c.methods.iter().copied().filter(wanted).collect();
    // HotSpot keeps methods by the address of their name, which mostly is the order in which
    // names came up: names known before the class first, its own as declared. The order shows
    // wherever reflection lists methods, and in the text of annotations. These two HotSpot
    // knows before it loads any class.
    let rank = |m: &MethodRef| ["main", "run"].iter().position(|n| m.name == *n).unwrap_or(usize::MAX);
    methods.sort_by_key(|m| (rank(m), m.name.serial()));
    Ok(methods)
}

jvm_entry! {
    /// `Class.getDeclaredFields0`: in class-file order.
    fn JVM_GetClassDeclaredFields(t, class: Oop, public_only: bool) -> Oop {
        let fields: Vec<FieldRef> = match instance_class_of(class) {
            Some(c) => {
                init::link(t, c)?;
                let shown = |f: &FieldRef| !f.injected && (!public_only || f.access_flags & 1 != 0);
                c.fields.iter().copied().filter(shown).collect()
            }
            None => Vec::new(),
        };
        objects(t, Known::Field, &fields, new_field)
    }

    /// `Class.getDeclaredMethods0`.
    fn JVM_GetClassDeclaredMethods(t, class: Oop, public_only: bool) -> Oop {
        let methods = declared_methods(t, class, public_only, false)?;
        objects(t, Known::Method, &methods, new_method)
    }

    /// `Class.getDeclaredConstructors0`.
    fn JVM_GetClassDeclaredConstructors(t, class: Oop, public_only: bool) -> Oop {
        let constructors = declared_methods(t, class, public_only, true)?;
        objects(t, Known::Constructor, &constructors, new_constructor)
    }

    /// `Class.getRecordComponents0`: null without a Record attribute.
    fn JVM_GetRecordComponents(t, class: Oop) -> Oop {
        let c = declared_class(class);
        let Some(components) = c.class_file.as_ref().and_then(|f| f.attributes.record.as_deref()) else {
            return Ok(Oop::NULL);
        };
        let array = object_array(t, Known::RecordComponent, components.len())?;
        for (i, component) in components.iter().enumerate() {
            let object = new_record_component(t, c, component)?;
            access::set_array_ref(t, array, i, object);
        }
        Ok(array)
    }

    /// `Executable.getParameters0`: null without a MethodParameters attribute.
    fn JVM_GetMethodParameters(t, executable: Oop) -> Oop {
        let m = method_of(executable);
        let Some(listed) = m.member().and_then(|f| f.parameters.as_deref()) else { return Ok(Oop::NULL) };
        let pool = m.class().constants.file();
        for p in listed {
            // What is wrong with the attribute is for reflection to report.
            match p.name {
                Some(i) if usize::from(i) >= pool.len() => {
                    return illegal_argument(t, Some("Constant pool index out of bounds"))
                }
                Some(i) if pool.utf8(i).is_none() => {
                    return illegal_argument(t, Some("Wrong type at constant pool index"))
                }
                _ => {}
            }
        }
        let array = object_array(t, Known::Parameter, listed.len())?;
        for (i, p) in listed.iter().enumerate() {
            let name = p.name.map(|n| m.class().constants.symbol(n));
            let parameter = new_parameter(t, executable, i, name, p.access_flags)?;
            access::set_array_ref(t, array, i, parameter);
        }
        Ok(array)
    }

    /// `Executable.getTypeAnnotationBytes0`.
    fn JVM_GetMethodTypeAnnotations(t, executable: Oop) -> Oop {
        byte_array(t, method_of(executable).member().and_then(|m| m.annotations.visible_type))
    }

    /// `Field.getTypeAnnotationBytes0`.
    fn JVM_GetFieldTypeAnnotations(t, field: Oop) -> Oop {
        byte_array(t, field_of(field).member().and_then(|m| m.annotations.visible_type))
    }
}
