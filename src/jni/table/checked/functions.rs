//! All functions but those that call methods.

use super::check::{enter, give_out, in_vm, Checker, When};
use super::guarded::{self, Source};
use crate::heap::layout::BasicType;
use crate::jni::refs::{Handle, RefType};
use std::ffi::c_void;

/// Defines checked functions: `when name(arguments) -> result { checks of c }`.
macro_rules! checked {
    ($($when:ident $name:ident($($arg:ident: $t:ty),*) -> $r:ty |$c:ident| $check:expr;)*) => { $(
        /// See the unchecked function.
        ///
        /// # Safety
        /// For native code; what its arguments must be is checked.
        #[allow(non_snake_case)] // the names are the specification's
        pub unsafe extern "C" fn $name(env: *mut c_void $(, $arg: $t)*) -> $r {
            enter(env, When::$when, |$c| {
                let () = $check;
            });
            super::super::$name(env $(, $arg)*)
        }
    )* };
}

/// Checks nothing.
fn nothing(_c: Checker) {}

fn capacity(c: Checker, n: i32) {
    if n < 0 {
        c.fatal("negative capacity");
    }
}

fn reference(c: Checker, handle: Handle) {
    if !handle.is_null() {
        c.handle(handle);
    }
}

/// The class of a reference that is to be deleted must be one of these.
fn deletable(c: Checker, handle: Handle, kind: RefType, message: &str) {
    if !handle.is_null() && crate::jni::refs::ref_type(c.0, handle) != kind {
        c.fatal(message);
    }
}

checked! {
    Clean GetVersion() -> i32 |c| nothing(c);
    Clean DefineClass(name: *const c_void, loader: Handle, bytes: *const u8, length: i32) -> Handle |c| { c.object(loader); };
    Clean FindClass(name: *const c_void) -> Handle |c| c.class_name(name);
    Clean ToReflectedMethod(class: Handle, id: *const c_void, is_static: u8) -> Handle |c| c.call(Some(class), std::ptr::null_mut(), id);
    Clean ToReflectedField(class: Handle, id: *const c_void, is_static: u8) -> Handle |c| { c.class(class, false); };
    Clean GetSuperclass(class: Handle) -> Handle |c| { c.class(class, true); };
    Clean IsAssignableFrom(sub: Handle, sup: Handle) -> u8 |c| { c.class(sub, true); c.class(sup, true); };
    Clean Throw(throwable: Handle) -> i32 |c| c.throwable(throwable);
    Clean ThrowNew(class: Handle, message: *const c_void) -> i32 |c| if let Some(class) = c.class(class, false) { c.throwable_class(class) };
    OutsideCritical ExceptionDescribe() -> () |c| nothing(c);
    OutsideCritical PushLocalFrame(n: i32) -> i32 |c| capacity(c, n);
    OutsideCritical PopLocalFrame(result: Handle) -> Handle |c| nothing(c);
    Clean NewGlobalRef(object: Handle) -> Handle |c| reference(c, object);
    Clean NewLocalRef(object: Handle) -> Handle |c| reference(c, object);
    Clean NewWeakGlobalRef(object: Handle) -> Handle |c| reference(c, object);
    OutsideCritical DeleteGlobalRef(object: Handle) -> () |c| { c.object(object); deletable(c, object, RefType::Global, "Invalid global JNI handle passed to DeleteGlobalRef") };
    OutsideCritical DeleteLocalRef(object: Handle) -> () |c| { c.object(object); deletable(c, object, RefType::Local, "Invalid local JNI handle passed to DeleteLocalRef") };
    OutsideCritical DeleteWeakGlobalRef(object: Handle) -> () |c| deletable(c, object, RefType::WeakGlobal, "Invalid weak global JNI handle passed to DeleteWeakGlobalRef");
    OutsideCritical IsSameObject(a: Handle, b: Handle) -> u8 |c| { reference(c, a); reference(c, b) };
    Clean EnsureLocalCapacity(n: i32) -> i32 |c| capacity(c, n);
    Clean AllocObject(class: Handle) -> Handle |c| { c.class(class, false); };
    Clean GetObjectClass(object: Handle) -> Handle |c| { c.object(object); };
    Clean IsInstanceOf(object: Handle, class: Handle) -> u8 |c| { c.object(object); c.class(class, true); };
    Clean NewString(units: *const u16, length: i32) -> Handle |c| nothing(c);
    Clean GetStringLength(string: Handle) -> i32 |c| c.string(string);
    Clean NewStringUTF(text: *const c_void) -> Handle |c| nothing(c);
    Clean GetStringUTFLength(string: Handle) -> i32 |c| c.string(string);
    Clean GetStringRegion(string: Handle, start: i32, length: i32, buffer: *mut u16) -> () |c| c.string(string);
    Clean GetStringUTFRegion(string: Handle, start: i32, length: i32, buffer: *mut u8) -> () |c| c.string(string);
    Clean GetArrayLength(array: Handle) -> i32 |c| { c.array(array); };
    Clean NewObjectArray(length: i32, class: Handle, initial: *mut c_void) -> Handle |c| nothing(c);
    Clean GetObjectArrayElement(array: Handle, index: i32) -> Handle |c| c.object_array(array);
    Clean SetObjectArrayElement(array: Handle, index: i32, value: Handle) -> () |c| c.object_array(array);
    Clean RegisterNatives(class: Handle, methods: *const c_void, count: i32) -> i32 |c| nothing(c);
    Clean UnregisterNatives(class: Handle) -> i32 |c| nothing(c);
    Clean MonitorEnter(object: Handle) -> i32 |c| { c.object(object); };
    OutsideCritical MonitorExit(object: Handle) -> i32 |c| { c.object(object); };
    Clean GetJavaVM(vm: *mut c_void) -> i32 |c| nothing(c);
    Clean NewDirectByteBuffer(address: *mut c_void, capacity: i64) -> Handle |c| nothing(c);
    Clean GetDirectBufferAddress(buffer: *mut c_void) -> *mut c_void |c| nothing(c);
    Clean GetDirectBufferCapacity(buffer: *mut c_void) -> i64 |c| nothing(c);
    Clean GetObjectRefType(object: *mut c_void) -> i32 |c| { c.object(object); };
    Clean GetModule(class: Handle) -> Handle |c| nothing(c);
}

/// Defines functions that give out IDs.
macro_rules! ids {
    ($($name:ident($($arg:ident: $t:ty),*) |$c:ident| $check:expr;)*) => { $(
        /// See the unchecked function.
        ///
        /// # Safety
        /// For native code; what its arguments must be is checked.
        #[allow(non_snake_case)] // the names are the specification's
        pub unsafe extern "C" fn $name(env: *mut c_void $(, $arg: $t)*) -> *const c_void {
            enter(env, When::Clean, |$c| {
                let _ = $check;
            });
            give_out(super::super::$name(env $(, $arg)*))
        }
    )* };
}

ids! {
    FromReflectedMethod(method: Handle) |c| c.object(method);
    FromReflectedField(field: Handle) |c| c.object(field);
    GetMethodID(class: Handle, name: *const c_void, descriptor: *const c_void) |c| c.class(class, false);
    GetStaticMethodID(class: Handle, name: *const c_void, descriptor: *const c_void) |c| c.class(class, false);
    GetFieldID(class: Handle, name: *const c_void, descriptor: *const c_void) |c| c.class(class, false);
    GetStaticFieldID(class: Handle, name: *const c_void, descriptor: *const c_void) |c| c.class(class, false);
}

/// Defines functions that ask for, or deal with, exceptions.
macro_rules! asking {
    ($($when:ident $name:ident($($arg:ident: $t:ty),*) -> $r:ty;)*) => { $(
        /// See the unchecked function.
        ///
        /// # Safety
        /// For native code; what its arguments must be is checked.
        #[allow(non_snake_case)] // the names are the specification's
        pub unsafe extern "C" fn $name(env: *mut c_void $(, $arg: $t)*) -> $r {
            super::check::thread(env).vm.jni_checks.unasked.set(None);
            enter(env, When::$when, nothing);
            super::super::$name(env $(, $arg)*)
        }
    )* };
}

asking! {
    OutsideCritical ExceptionOccurred() -> Handle;
    OutsideCritical ExceptionCheck() -> u8;
    OutsideCritical ExceptionClear() -> ();
    Clean FatalError(message: *const c_void) -> ();
}

/// Defines accesses to fields.
macro_rules! fields {
    ($($t:ty, $type:ident: $get:ident $set:ident $get_static:ident $set_static:ident;)*) => {
        checked! { $(
            Clean $get(object: Handle, field: *const c_void) -> $t |c| c.instance_field(object, field, BasicType::$type);
            Clean $set(object: Handle, field: *const c_void, value: $t) -> ()
                |c| c.instance_field(object, field, BasicType::$type);
            Clean $get_static(class: Handle, field: *const c_void) -> $t |c| c.static_field(class, field, BasicType::$type);
            Clean $set_static(class: Handle, field: *const c_void, value: $t) -> ()
                |c| c.static_field(class, field, BasicType::$type);
        )* }
    };
}

fields! {
    Handle, Object: GetObjectField SetObjectField GetStaticObjectField SetStaticObjectField;
    u8, Boolean: GetBooleanField SetBooleanField GetStaticBooleanField SetStaticBooleanField;
    i8, Byte: GetByteField SetByteField GetStaticByteField SetStaticByteField;
    u16, Char: GetCharField SetCharField GetStaticCharField SetStaticCharField;
    i16, Short: GetShortField SetShortField GetStaticShortField SetStaticShortField;
    i32, Int: GetIntField SetIntField GetStaticIntField SetStaticIntField;
    i64, Long: GetLongField SetLongField GetStaticLongField SetStaticLongField;
    f32, Float: GetFloatField SetFloatField GetStaticFloatField SetStaticFloatField;
    f64, Double: GetDoubleField SetDoubleField GetStaticDoubleField SetStaticDoubleField;
}

/// Bytes of an array's elements.
fn element_bytes(c: Checker, array: Handle) -> usize {
    let array = c.array(array);
    array.array_length() << array.class().array_log2()
}

/// Defines what deals with arrays of one element type.
macro_rules! arrays {
    ($($type:ident: $new:ident $get:ident $release:ident $get_region:ident $set_region:ident;)*) => {
        checked! { $(
            Clean $new(length: i32) -> Handle |c| nothing(c);
            Clean $get_region(array: Handle, start: i32, length: i32, buffer: *mut c_void) -> ()
                |c| c.array_of(array, BasicType::$type);
            Clean $set_region(array: Handle, start: i32, length: i32, buffer: *const c_void) -> ()
                |c| c.array_of(array, BasicType::$type);
        )* }
        $(
            /// See the unchecked function.
            ///
            /// # Safety
            /// For native code; what its arguments must be is checked.
            #[allow(non_snake_case)] // the names are the specification's
            pub unsafe extern "C" fn $get(env: *mut c_void, array: Handle, is_copy: *mut u8) -> *mut c_void {
                let t = enter(env, When::Clean, |c| c.array_of(array, BasicType::$type));
                let elements = super::super::$get(env, array, is_copy);
                if elements.is_null() {
                    return elements;
                }
                in_vm(t, |c| guarded::copy(Source::Elements, elements, element_bytes(c, array)))
            }

            /// See the unchecked function.
            ///
            /// # Safety
            /// For native code; what its arguments must be is checked.
            #[allow(non_snake_case)] // the names are the specification's
            pub unsafe extern "C" fn $release(env: *mut c_void, array: Handle, elements: *mut c_void, mode: i32) {
                let mut original = 0;
                enter(env, When::OutsideCritical, |c| {
                    c.array_of(array, BasicType::$type);
                    let function = concat!("checked_jni_", stringify!($release));
                    original = c.release(function, array, elements, mode, false);
                });
                super::super::$release(env, array, original as *mut c_void, mode)
            }
        )*
    };
}

arrays! {
    Boolean: NewBooleanArray GetBooleanArrayElements ReleaseBooleanArrayElements GetBooleanArrayRegion SetBooleanArrayRegion;
    Byte: NewByteArray GetByteArrayElements ReleaseByteArrayElements GetByteArrayRegion SetByteArrayRegion;
    Char: NewCharArray GetCharArrayElements ReleaseCharArrayElements GetCharArrayRegion SetCharArrayRegion;
    Short: NewShortArray GetShortArrayElements ReleaseShortArrayElements GetShortArrayRegion SetShortArrayRegion;
    Int: NewIntArray GetIntArrayElements ReleaseIntArrayElements GetIntArrayRegion SetIntArrayRegion;
    Long: NewLongArray GetLongArrayElements ReleaseLongArrayElements GetLongArrayRegion SetLongArrayRegion;
    Float: NewFloatArray GetFloatArrayElements ReleaseFloatArrayElements GetFloatArrayRegion SetFloatArrayRegion;
    Double: NewDoubleArray GetDoubleArrayElements ReleaseDoubleArrayElements GetDoubleArrayRegion SetDoubleArrayRegion;
}

/// See the unchecked function.
///
/// # Safety
/// For native code; what its arguments must be is checked.
#[allow(non_snake_case)] // the name is the specification's
pub unsafe extern "C" fn GetStringChars(env: *mut c_void, string: Handle, is_copy: *mut u8) -> *mut u16 {
    enter(env, When::Clean, |c| c.string(string));
    let chars = super::super::GetStringChars(env, string, is_copy);
    if chars.is_null() {
        return chars;
    }
    let bytes = (super::super::GetStringLength(env, string) as usize + 1) * 2;
    hand_out(Source::String, chars as *mut c_void, bytes) as *mut u16
}

/// See the unchecked function.
///
/// # Safety
/// For native code; what its arguments must be is checked.
#[allow(non_snake_case)] // the name is the specification's
pub unsafe extern "C" fn GetStringUTFChars(env: *mut c_void, string: Handle, is_copy: *mut u8) -> *mut u8 {
    enter(env, When::Clean, |c| c.string(string));
    let text = super::super::GetStringUTFChars(env, string, is_copy);
    if text.is_null() {
        return text;
    }
    hand_out(Source::Utf, text as *mut c_void, libc::strlen(text.cast()) + 1) as *mut u8
}

/// A guarded copy of characters. Nothing refers to theirs then but the copy, through which they are freed.
unsafe fn hand_out(source: Source, chars: *mut c_void, bytes: usize) -> *mut c_void {
    let copy = guarded::copy(source, chars, bytes);
    if copy.is_null() {
        libc::free(chars);
    }
    copy
}

/// See the unchecked function.
///
/// # Safety
/// For native code; what its arguments must be is checked.
#[allow(non_snake_case)] // the name is the specification's
pub unsafe extern "C" fn ReleaseStringChars(env: *mut c_void, string: Handle, chars: *mut u16) {
    let original = release_string(env, "ReleaseStringChars", Source::String, string, chars as *mut c_void);
    super::super::ReleaseStringChars(env, string, original as *mut u16)
}

/// See the unchecked function.
///
/// # Safety
/// For native code; what its arguments must be is checked.
#[allow(non_snake_case)] // the name is the specification's
pub unsafe extern "C" fn ReleaseStringUTFChars(env: *mut c_void, string: Handle, text: *mut u8) {
    let original = release_string(env, "ReleaseStringUTFChars", Source::Utf, string, text as *mut c_void);
    super::super::ReleaseStringUTFChars(env, string, original as *mut u8)
}

unsafe fn release_string(
    env: *mut c_void,
    function: &str,
    source: Source,
    string: Handle,
    chars: *mut c_void,
) -> usize {
    let mut original = 0;
    enter(env, When::OutsideCritical, |c| {
        c.string(string);
        if !chars.is_null() {
            original = c.release_string(function, source, string, chars);
        }
    });
    original
}

/// See the unchecked function.
///
/// # Safety
/// For native code; what its arguments must be is checked.
#[allow(non_snake_case)] // the name is the specification's
pub unsafe extern "C" fn GetPrimitiveArrayCritical(env: *mut c_void, array: Handle, is_copy: *mut u8) -> *mut c_void {
    let t = enter(env, When::NoException, |c| {
        c.primitive_array(array);
        c.critical(1);
    });
    let elements = super::super::GetPrimitiveArrayCritical(env, array, is_copy);
    in_vm(t, |c| guarded::copy(Source::Critical, elements, element_bytes(c, array)))
}

/// See the unchecked function.
///
/// # Safety
/// For native code; what its arguments must be is checked.
#[allow(non_snake_case)] // the name is the specification's
pub unsafe extern "C" fn ReleasePrimitiveArrayCritical(
    env: *mut c_void,
    array: Handle,
    elements: *mut c_void,
    mode: i32,
) {
    let mut original = 0;
    enter(env, When::Always, |c| {
        c.primitive_array(array);
        original = c.release("ReleasePrimitiveArrayCritical", array, elements, mode, true);
        c.critical(-1);
    });
    super::super::ReleasePrimitiveArrayCritical(env, array, original as *mut c_void, mode)
}

/// See the unchecked function.
///
/// # Safety
/// For native code; what its arguments must be is checked.
#[allow(non_snake_case)] // the name is the specification's
pub unsafe extern "C" fn GetStringCritical(env: *mut c_void, string: Handle, is_copy: *mut u8) -> *mut u16 {
    enter(env, When::NoException, |c| {
        c.string(string);
        c.critical(1);
    });
    super::super::GetStringCritical(env, string, is_copy)
}

/// See the unchecked function.
///
/// # Safety
/// For native code; what its arguments must be is checked.
#[allow(non_snake_case)] // the name is the specification's
pub unsafe extern "C" fn ReleaseStringCritical(env: *mut c_void, string: Handle, chars: *mut u16) {
    enter(env, When::Always, |c| {
        c.string(string);
        c.critical(-1);
    });
    super::super::ReleaseStringCritical(env, string, chars)
}
