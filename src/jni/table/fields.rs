//! Reading and writing fields.

use super::members::field_of;
use crate::heap::access::{load, load_ref, load_ref_volatile, store, store_ref, store_ref_volatile};
use crate::heap::layout::Oop;
use crate::meta::field::Field;
use crate::native_fn;
use crate::threads::JavaThread;
use std::ffi::c_void;
use std::sync::atomic::{fence, Ordering};

/// A field's reference value, volatile or plain as it is declared.
fn get_ref(object: Oop, f: &Field) -> Oop {
    if f.is_volatile() {
        load_ref_volatile(object, f.offset as usize)
    } else {
        load_ref(object, f.offset as usize)
    }
}

fn put_ref(t: &JavaThread, object: Oop, f: &Field, value: Oop) {
    if f.is_volatile() {
        store_ref_volatile(t, object, f.offset as usize, value)
    } else {
        store_ref(t, object, f.offset as usize, value)
    }
}

/// A field's primitive value; for a volatile one nothing later is done before.
fn get<T: crate::heap::access::HeapPrimitive>(object: Oop, f: &Field) -> T {
    let value = load(object, f.offset as usize);
    if f.is_volatile() {
        fence(Ordering::SeqCst);
    }
    value
}

/// Sets a field's primitive value; for a volatile one between full fences.
fn put<T: crate::heap::access::HeapPrimitive>(object: Oop, f: &Field, value: T) {
    if f.is_volatile() {
        fence(Ordering::SeqCst);
        store(object, f.offset as usize, value);
        fence(Ordering::SeqCst);
    } else {
        store(object, f.offset as usize, value)
    }
}

macro_rules! primitive_fields {
    ($($name:literal $t:ty: $get:ident $set:ident $get_static:ident $set_static:ident;)*) => {
        native_fn! { $(
            #[doc = concat!("`Get", $name, "Field`.")]
            raw fn $get(_t, object: Oop, field: *const c_void) -> $t {
                Ok(get::<$t>(object, field_of(field)))
            }

            #[doc = concat!("`Set", $name, "Field`.")]
            raw fn $set(_t, object: Oop, field: *const c_void, value: $t) -> () {
                put::<$t>(object, field_of(field), value);
                Ok(())
            }

            #[doc = concat!("`GetStatic", $name, "Field`.")]
            raw fn $get_static(_t, _class: Oop, field: *const c_void) -> $t {
                let f = field_of(field);
                Ok(get::<$t>(f.class().mirror(), f))
            }

            #[doc = concat!("`SetStatic", $name, "Field`.")]
            raw fn $set_static(_t, _class: Oop, field: *const c_void, value: $t) -> () {
                let f = field_of(field);
                put::<$t>(f.class().mirror(), f, value);
                Ok(())
            }
        )* }
    };
}

primitive_fields! {
    "Byte" i8: GetByteField SetByteField GetStaticByteField SetStaticByteField;
    "Char" u16: GetCharField SetCharField GetStaticCharField SetStaticCharField;
    "Short" i16: GetShortField SetShortField GetStaticShortField SetStaticShortField;
    "Int" i32: GetIntField SetIntField GetStaticIntField SetStaticIntField;
    "Long" i64: GetLongField SetLongField GetStaticLongField SetStaticLongField;
    "Float" f32: GetFloatField SetFloatField GetStaticFloatField SetStaticFloatField;
    "Double" f64: GetDoubleField SetDoubleField GetStaticDoubleField SetStaticDoubleField;
}

native_fn! {
    /// `GetBooleanField`.
    raw fn GetBooleanField(_t, object: Oop, field: *const c_void) -> u8 {
        Ok(get::<u8>(object, field_of(field)))
    }

    /// `SetBooleanField`: the lowest bit counts.
    raw fn SetBooleanField(_t, object: Oop, field: *const c_void, value: u8) -> () {
        put::<u8>(object, field_of(field), value & 1);
        Ok(())
    }

    /// `GetStaticBooleanField`.
    raw fn GetStaticBooleanField(_t, _class: Oop, field: *const c_void) -> u8 {
        let f = field_of(field);
        Ok(get::<u8>(f.class().mirror(), f))
    }

    /// `SetStaticBooleanField`: the lowest bit counts.
    raw fn SetStaticBooleanField(_t, _class: Oop, field: *const c_void, value: u8) -> () {
        let f = field_of(field);
        put::<u8>(f.class().mirror(), f, value & 1);
        Ok(())
    }

    /// `GetObjectField`.
    raw fn GetObjectField(_t, object: Oop, field: *const c_void) -> Oop {
        Ok(get_ref(object, field_of(field)))
    }

    /// `SetObjectField`.
    raw fn SetObjectField(t, object: Oop, field: *const c_void, value: Oop) -> () {
        put_ref(t, object, field_of(field), value);
        Ok(())
    }

    /// `GetStaticObjectField`.
    raw fn GetStaticObjectField(_t, _class: Oop, field: *const c_void) -> Oop {
        let f = field_of(field);
        Ok(get_ref(f.class().mirror(), f))
    }

    /// `SetStaticObjectField`.
    raw fn SetStaticObjectField(t, _class: Oop, field: *const c_void, value: Oop) -> () {
        let f = field_of(field);
        put_ref(t, f.class().mirror(), f, value);
        Ok(())
    }
}
