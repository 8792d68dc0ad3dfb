//! What `libverify`, the verifier of class files before version 50, asks about the class it
//! looks at. Methods and fields go by their position in the class file, strings are C strings
//! that the caller gives back through `JVM_ReleaseUTF`.

use super::reflect_objects::{FIELD_MODIFIERS, METHOD_MODIFIERS};
use super::support::*;
use crate::classfile::{tag, ExceptionTableEntry, MemberRef};
use crate::heap::layout::Oop;
use crate::jvm_entry;
use crate::meta::class::ClassRef;
use crate::meta::method::MethodRef;
use crate::meta::symbol::Symbol;
use std::ffi::CString;

/// `JVM_ExceptionTableEntryType`.
#[repr(C)]
struct ExceptionEntry {
    start_pc: i32,
    end_pc: i32,
    handler_pc: i32,
    catch_type: i32,
}

/// A copy for the C side; [`JVM_ReleaseUTF`] frees it.
fn c_string(bytes: &[u8]) -> *const u8 {
    let text = CString::new(bytes).expect("modified UTF-8 has no zero byte");
    text.into_raw() as *const u8
}

fn method(class: Oop, index: i32) -> MethodRef {
    declared_class(class).methods[index as usize]
}

fn checked_exceptions(class: Oop, index: i32) -> &'static [u16] {
    method(class, index).member().map_or(&[], |m| &m.exceptions)
}

fn exception_table(class: Oop, index: i32) -> &'static [ExceptionTableEntry] {
    method(class, index).code_attribute().map_or(&[], |c| &c.exception_table)
}

/// The member reference at `index`; libverify has checked the tag.
fn member_ref(class: Oop, index: i32, function: &str) -> (ClassRef, MemberRef<'static>) {
    let c = declared_class(class);
    let found = c.constants.file().member_ref(index as u16);
    (c, found.unwrap_or_else(|| panic!("{function}: illegal constant at {index} of {c}")))
}

fn field_ref(class: Oop, index: i32, function: &str) -> MemberRef<'static> {
    let (c, r) = member_ref(class, index, function);
    assert!(c.constants.file().tag(index as u16) == tag::FIELDREF, "{function}: illegal constant at {index} of {c}");
    r
}

fn method_ref(class: Oop, index: i32, function: &str) -> MemberRef<'static> {
    let (c, r) = member_ref(class, index, function);
    assert!(c.constants.file().tag(index as u16) != tag::FIELDREF, "{function}: illegal constant at {index} of {c}");
    r
}

jvm_entry! {
    /// Internal name of the class.
    fn JVM_GetClassNameUTF(_t, class: Oop) -> *const u8 {
        let name = match class_of(class) {
            Some(c) => c.name,
            None => Symbol::of(primitive_of(class).expect("a mirror").java_name()),
        };
        Ok(c_string(name.as_bytes()))
    }

    /// Constant pool size, 0 for arrays and primitives.
    fn JVM_GetClassCPEntriesCount(_t, class: Oop) -> i32 {
        Ok(instance_class_of(class).map_or(0, |c| c.constants.file().len() as i32))
    }

    /// Constant pool tags, one byte for each index.
    fn JVM_GetClassCPTypes(_t, class: Oop, types: *mut u8) -> () {
        if let Some(c) = instance_class_of(class) {
            let pool = c.constants.file();
            // The caller's array has as many bytes as JVM_GetClassCPEntriesCount says.
            let types = std::slice::from_raw_parts_mut(types, pool.len());
            for (i, slot) in types.iter_mut().enumerate() {
                *slot = pool.tag(i as u16);
            }
        }
        Ok(())
    }

    /// Declared fields.
    fn JVM_GetClassFieldsCount(_t, class: Oop) -> i32 {
        Ok(instance_class_of(class).map_or(0, |c| c.file().fields.len() as i32))
    }

    /// Declared methods.
    fn JVM_GetClassMethodsCount(_t, class: Oop) -> i32 {
        Ok(instance_class_of(class).map_or(0, |c| c.methods.len() as i32))
    }

    /// Modifiers of a field.
    fn JVM_GetFieldIxModifiers(_t, class: Oop, index: i32) -> i32 {
        Ok(i32::from(declared_class(class).fields[index as usize].access_flags & FIELD_MODIFIERS))
    }

    /// Modifiers of a method.
    fn JVM_GetMethodIxModifiers(_t, class: Oop, index: i32) -> i32 {
        Ok(i32::from(method(class, index).access_flags & METHOD_MODIFIERS))
    }

    /// Number of exceptions in a method's throws clause.
    fn JVM_GetMethodIxExceptionsCount(_t, class: Oop, index: i32) -> i32 {
        Ok(checked_exceptions(class, index).len() as i32)
    }

    /// Their Class indices.
    fn JVM_GetMethodIxExceptionIndexes(_t, class: Oop, index: i32, indices: *mut u16) -> () {
        let listed = checked_exceptions(class, index);
        // The caller's array has as many elements as JVM_GetMethodIxExceptionsCount says.
        std::ptr::copy_nonoverlapping(listed.as_ptr(), indices, listed.len());
        Ok(())
    }

    /// Length of a method's code.
    fn JVM_GetMethodIxByteCodeLength(_t, class: Oop, index: i32) -> i32 {
        Ok(method(class, index).code.len() as i32)
    }

    /// A method's code.
    fn JVM_GetMethodIxByteCode(_t, class: Oop, index: i32, code: *mut u8) -> () {
        let bytes = method(class, index).code;
        // The caller's array has as many bytes as JVM_GetMethodIxByteCodeLength says.
        std::ptr::copy_nonoverlapping(bytes.as_ptr(), code, bytes.len());
        Ok(())
    }

    /// Number of exception handlers of a method.
    fn JVM_GetMethodIxExceptionTableLength(_t, class: Oop, index: i32) -> i32 {
        Ok(exception_table(class, index).len() as i32)
    }

    /// One exception handler.
    fn JVM_GetMethodIxExceptionTableEntry(_t, class: Oop, index: i32, entry: i32, out: *mut std::ffi::c_void) -> () {
        let e = exception_table(class, index)[entry as usize];
        // The caller passes a JVM_ExceptionTableEntryType.
        (out as *mut ExceptionEntry).write(ExceptionEntry {
            start_pc: i32::from(e.start_pc),
            end_pc: i32::from(e.end_pc),
            handler_pc: i32::from(e.handler_pc),
            catch_type: i32::from(e.catch_type),
        });
        Ok(())
    }

    /// `max_locals` of a method.
    fn JVM_GetMethodIxLocalsCount(_t, class: Oop, index: i32) -> i32 {
        Ok(i32::from(method(class, index).max_locals))
    }

    /// Argument slots of a method, receiver included.
    fn JVM_GetMethodIxArgsSize(_t, class: Oop, index: i32) -> i32 {
        Ok(i32::from(method(class, index).arg_slots))
    }

    /// `max_stack` of a method.
    fn JVM_GetMethodIxMaxStack(_t, class: Oop, index: i32) -> i32 {
        Ok(i32::from(method(class, index).max_stack))
    }

    /// Whether a method is `<init>`.
    fn JVM_IsConstructorIx(_t, class: Oop, index: i32) -> bool {
        Ok(method(class, index).is_constructor())
    }

    /// Whether a method is not from the class file; such methods have no index here.
    fn JVM_IsVMGeneratedMethodIx(_t, class: Oop, index: i32) -> bool {
        Ok(method(class, index).file_index.is_none())
    }

    /// Name of a method.
    fn JVM_GetMethodIxNameUTF(_t, class: Oop, index: i32) -> *const u8 {
        Ok(c_string(method(class, index).name.as_bytes()))
    }

    /// Descriptor of a method.
    fn JVM_GetMethodIxSignatureUTF(_t, class: Oop, index: i32) -> *const u8 {
        Ok(c_string(method(class, index).descriptor.as_bytes()))
    }

    /// Name in a Fieldref.
    fn JVM_GetCPFieldNameUTF(_t, class: Oop, index: i32) -> *const u8 {
        Ok(c_string(field_ref(class, index, "JVM_GetCPFieldNameUTF").name))
    }

    /// Descriptor in a Fieldref.
    fn JVM_GetCPFieldSignatureUTF(_t, class: Oop, index: i32) -> *const u8 {
        Ok(c_string(field_ref(class, index, "JVM_GetCPFieldSignatureUTF").descriptor))
    }

    /// Class name in a Fieldref.
    fn JVM_GetCPFieldClassNameUTF(_t, class: Oop, index: i32) -> *const u8 {
        Ok(c_string(field_ref(class, index, "JVM_GetCPFieldClassNameUTF").class_name))
    }

    /// Name in a Methodref or InterfaceMethodref.
    fn JVM_GetCPMethodNameUTF(_t, class: Oop, index: i32) -> *const u8 {
        Ok(c_string(method_ref(class, index, "JVM_GetCPMethodNameUTF").name))
    }

    /// Descriptor in a Methodref or InterfaceMethodref.
    fn JVM_GetCPMethodSignatureUTF(_t, class: Oop, index: i32) -> *const u8 {
        Ok(c_string(method_ref(class, index, "JVM_GetCPMethodSignatureUTF").descriptor))
    }

    /// Class name in a Methodref or InterfaceMethodref.
    fn JVM_GetCPMethodClassNameUTF(_t, class: Oop, index: i32) -> *const u8 {
        Ok(c_string(method_ref(class, index, "JVM_GetCPMethodClassNameUTF").class_name))
    }

    /// Name at a Class entry.
    fn JVM_GetCPClassNameUTF(_t, class: Oop, index: i32) -> *const u8 {
        Ok(c_string(declared_class(class).constants.class_name(index as u16).as_bytes()))
    }

    /// Modifiers of the field that a Fieldref names, if `called` declares it; -1 otherwise.
    fn JVM_GetCPFieldModifiers(_t, class: Oop, index: i32, called: Oop) -> i32 {
        let r = field_ref(class, index, "JVM_GetCPFieldModifiers");
        let found = declared_class(called).find_declared_field(Symbol::intern(r.name), Symbol::intern(r.descriptor));
        Ok(found.map_or(-1, |f| i32::from(f.access_flags & FIELD_MODIFIERS)))
    }

    /// Modifiers of the method that a Methodref names, if `called` declares it; -1 otherwise.
    fn JVM_GetCPMethodModifiers(_t, class: Oop, index: i32, called: Oop) -> i32 {
        let r = method_ref(class, index, "JVM_GetCPMethodModifiers");
        let found = declared_class(called).find_declared(Symbol::intern(r.name), Symbol::intern(r.descriptor));
        Ok(found.map_or(-1, |m| i32::from(m.access_flags & METHOD_MODIFIERS)))
    }

    /// Takes back what one of the functions above returned.
    fn JVM_ReleaseUTF(_t; utf: *const u8) -> () {
        if !utf.is_null() {
            drop(CString::from_raw(utf as *mut _));
        }
        Ok(())
    }
}
