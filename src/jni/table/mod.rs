//! The JNI function table, in the order of jni.h; one file per area.

mod arrays;
mod buffers;
mod calls;
pub mod checked;
pub mod classes;
pub mod exceptions;
mod fields;
mod members;
mod references;
mod registration;
mod strings;

use arrays::*;
use buffers::*;
use calls::*;
use classes::*;
use exceptions::*;
use fields::*;
use members::*;
use references::*;
use registration::*;
use std::ffi::c_void;
use strings::*;

/// Entries of the table that no version of JNI uses, at its start.
const RESERVED: usize = 4;
/// Functions of JNI 10.
const FUNCTIONS: usize = 230;

#[repr(transparent)]
struct Table([*const c_void; RESERVED + FUNCTIONS]);

// SAFETY: addresses of functions, never written.
unsafe impl Sync for Table {}

/// The table that every `JNIEnv*` points to, or the one that checks what it is called with (`-Xcheck:jni`).
pub fn functions(check: bool) -> *const c_void {
    let table = if check { &CHECKED } else { &TABLE };
    table as *const Table as *const c_void
}

macro_rules! table {
    ($($name:ident),* $(,)?) => {
        static TABLE: Table = Table([
            std::ptr::null(),
            std::ptr::null(),
            std::ptr::null(),
            std::ptr::null(),
            $($name as *const c_void),*
        ]);

        static CHECKED: Table = Table([
            std::ptr::null(),
            std::ptr::null(),
            std::ptr::null(),
            std::ptr::null(),
            $(checked::$name as *const c_void),*
        ]);

        #[cfg(test)]
        const NAMES: [&str; FUNCTIONS] = [$(stringify!($name)),*];
    };
}

// The variadic functions are C (variadic.c): Rust cannot define such.
extern "C" {
    #[link_name = "kiln_jni_NewObject"]
    fn NewObject();
    #[link_name = "kiln_jni_NewObjectV"]
    fn NewObjectV();
    #[link_name = "kiln_jni_CallObjectMethod"]
    fn CallObjectMethod();
    #[link_name = "kiln_jni_CallObjectMethodV"]
    fn CallObjectMethodV();
    #[link_name = "kiln_jni_CallBooleanMethod"]
    fn CallBooleanMethod();
    #[link_name = "kiln_jni_CallBooleanMethodV"]
    fn CallBooleanMethodV();
    #[link_name = "kiln_jni_CallByteMethod"]
    fn CallByteMethod();
    #[link_name = "kiln_jni_CallByteMethodV"]
    fn CallByteMethodV();
    #[link_name = "kiln_jni_CallCharMethod"]
    fn CallCharMethod();
    #[link_name = "kiln_jni_CallCharMethodV"]
    fn CallCharMethodV();
    #[link_name = "kiln_jni_CallShortMethod"]
    fn CallShortMethod();
    #[link_name = "kiln_jni_CallShortMethodV"]
    fn CallShortMethodV();
    #[link_name = "kiln_jni_CallIntMethod"]
    fn CallIntMethod();
    #[link_name = "kiln_jni_CallIntMethodV"]
    fn CallIntMethodV();
    #[link_name = "kiln_jni_CallLongMethod"]
    fn CallLongMethod();
    #[link_name = "kiln_jni_CallLongMethodV"]
    fn CallLongMethodV();
    #[link_name = "kiln_jni_CallFloatMethod"]
    fn CallFloatMethod();
    #[link_name = "kiln_jni_CallFloatMethodV"]
    fn CallFloatMethodV();
    #[link_name = "kiln_jni_CallDoubleMethod"]
    fn CallDoubleMethod();
    #[link_name = "kiln_jni_CallDoubleMethodV"]
    fn CallDoubleMethodV();
    #[link_name = "kiln_jni_CallVoidMethod"]
    fn CallVoidMethod();
    #[link_name = "kiln_jni_CallVoidMethodV"]
    fn CallVoidMethodV();
    #[link_name = "kiln_jni_CallNonvirtualObjectMethod"]
    fn CallNonvirtualObjectMethod();
    #[link_name = "kiln_jni_CallNonvirtualObjectMethodV"]
    fn CallNonvirtualObjectMethodV();
    #[link_name = "kiln_jni_CallNonvirtualBooleanMethod"]
    fn CallNonvirtualBooleanMethod();
    #[link_name = "kiln_jni_CallNonvirtualBooleanMethodV"]
    fn CallNonvirtualBooleanMethodV();
    #[link_name = "kiln_jni_CallNonvirtualByteMethod"]
    fn CallNonvirtualByteMethod();
    #[link_name = "kiln_jni_CallNonvirtualByteMethodV"]
    fn CallNonvirtualByteMethodV();
    #[link_name = "kiln_jni_CallNonvirtualCharMethod"]
    fn CallNonvirtualCharMethod();
    #[link_name = "kiln_jni_CallNonvirtualCharMethodV"]
    fn CallNonvirtualCharMethodV();
    #[link_name = "kiln_jni_CallNonvirtualShortMethod"]
    fn CallNonvirtualShortMethod();
    #[link_name = "kiln_jni_CallNonvirtualShortMethodV"]
    fn CallNonvirtualShortMethodV();
    #[link_name = "kiln_jni_CallNonvirtualIntMethod"]
    fn CallNonvirtualIntMethod();
    #[link_name = "kiln_jni_CallNonvirtualIntMethodV"]
    fn CallNonvirtualIntMethodV();
    #[link_name = "kiln_jni_CallNonvirtualLongMethod"]
    fn CallNonvirtualLongMethod();
    #[link_name = "kiln_jni_CallNonvirtualLongMethodV"]
    fn CallNonvirtualLongMethodV();
    #[link_name = "kiln_jni_CallNonvirtualFloatMethod"]
    fn CallNonvirtualFloatMethod();
    #[link_name = "kiln_jni_CallNonvirtualFloatMethodV"]
    fn CallNonvirtualFloatMethodV();
    #[link_name = "kiln_jni_CallNonvirtualDoubleMethod"]
    fn CallNonvirtualDoubleMethod();
    #[link_name = "kiln_jni_CallNonvirtualDoubleMethodV"]
    fn CallNonvirtualDoubleMethodV();
    #[link_name = "kiln_jni_CallNonvirtualVoidMethod"]
    fn CallNonvirtualVoidMethod();
    #[link_name = "kiln_jni_CallNonvirtualVoidMethodV"]
    fn CallNonvirtualVoidMethodV();
    #[link_name = "kiln_jni_CallStaticObjectMethod"]
    fn CallStaticObjectMethod();
    #[link_name = "kiln_jni_CallStaticObjectMethodV"]
    fn CallStaticObjectMethodV();
    #[link_name = "kiln_jni_CallStaticBooleanMethod"]
    fn CallStaticBooleanMethod();
    #[link_name = "kiln_jni_CallStaticBooleanMethodV"]
    fn CallStaticBooleanMethodV();
    #[link_name = "kiln_jni_CallStaticByteMethod"]
    fn CallStaticByteMethod();
    #[link_name = "kiln_jni_CallStaticByteMethodV"]
    fn CallStaticByteMethodV();
    #[link_name = "kiln_jni_CallStaticCharMethod"]
    fn CallStaticCharMethod();
    #[link_name = "kiln_jni_CallStaticCharMethodV"]
    fn CallStaticCharMethodV();
    #[link_name = "kiln_jni_CallStaticShortMethod"]
    fn CallStaticShortMethod();
    #[link_name = "kiln_jni_CallStaticShortMethodV"]
    fn CallStaticShortMethodV();
    #[link_name = "kiln_jni_CallStaticIntMethod"]
    fn CallStaticIntMethod();
    #[link_name = "kiln_jni_CallStaticIntMethodV"]
    fn CallStaticIntMethodV();
    #[link_name = "kiln_jni_CallStaticLongMethod"]
    fn CallStaticLongMethod();
    #[link_name = "kiln_jni_CallStaticLongMethodV"]
    fn CallStaticLongMethodV();
    #[link_name = "kiln_jni_CallStaticFloatMethod"]
    fn CallStaticFloatMethod();
    #[link_name = "kiln_jni_CallStaticFloatMethodV"]
    fn CallStaticFloatMethodV();
    #[link_name = "kiln_jni_CallStaticDoubleMethod"]
    fn CallStaticDoubleMethod();
    #[link_name = "kiln_jni_CallStaticDoubleMethodV"]
    fn CallStaticDoubleMethodV();
    #[link_name = "kiln_jni_CallStaticVoidMethod"]
    fn CallStaticVoidMethod();
    #[link_name = "kiln_jni_CallStaticVoidMethodV"]
    fn CallStaticVoidMethodV();
}

table! {
    GetVersion,
    DefineClass,
    FindClass,
    FromReflectedMethod,
    FromReflectedField,
    ToReflectedMethod,
    GetSuperclass,
    IsAssignableFrom,
    ToReflectedField,
    Throw,
    ThrowNew,
    ExceptionOccurred,
    ExceptionDescribe,
    ExceptionClear,
    FatalError,
    PushLocalFrame,
    PopLocalFrame,
    NewGlobalRef,
    DeleteGlobalRef,
    DeleteLocalRef,
    IsSameObject,
    NewLocalRef,
    EnsureLocalCapacity,
    AllocObject,
    NewObject,
    NewObjectV,
    NewObjectA,
    GetObjectClass,
    IsInstanceOf,
    GetMethodID,
    CallObjectMethod,
    CallObjectMethodV,
    CallObjectMethodA,
    CallBooleanMethod,
    CallBooleanMethodV,
    CallBooleanMethodA,
    CallByteMethod,
    CallByteMethodV,
    CallByteMethodA,
    CallCharMethod,
    CallCharMethodV,
    CallCharMethodA,
    CallShortMethod,
    CallShortMethodV,
    CallShortMethodA,
    CallIntMethod,
    CallIntMethodV,
    CallIntMethodA,
    CallLongMethod,
    CallLongMethodV,
    CallLongMethodA,
    CallFloatMethod,
    CallFloatMethodV,
    CallFloatMethodA,
    CallDoubleMethod,
    CallDoubleMethodV,
    CallDoubleMethodA,
    CallVoidMethod,
    CallVoidMethodV,
    CallVoidMethodA,
    CallNonvirtualObjectMethod,
    CallNonvirtualObjectMethodV,
    CallNonvirtualObjectMethodA,
    CallNonvirtualBooleanMethod,
    CallNonvirtualBooleanMethodV,
    CallNonvirtualBooleanMethodA,
    CallNonvirtualByteMethod,
    CallNonvirtualByteMethodV,
    CallNonvirtualByteMethodA,
    CallNonvirtualCharMethod,
    CallNonvirtualCharMethodV,
    CallNonvirtualCharMethodA,
    CallNonvirtualShortMethod,
    CallNonvirtualShortMethodV,
    CallNonvirtualShortMethodA,
    CallNonvirtualIntMethod,
    CallNonvirtualIntMethodV,
    CallNonvirtualIntMethodA,
    CallNonvirtualLongMethod,
    CallNonvirtualLongMethodV,
    CallNonvirtualLongMethodA,
    CallNonvirtualFloatMethod,
    CallNonvirtualFloatMethodV,
    CallNonvirtualFloatMethodA,
    CallNonvirtualDoubleMethod,
    CallNonvirtualDoubleMethodV,
    CallNonvirtualDoubleMethodA,
    CallNonvirtualVoidMethod,
    CallNonvirtualVoidMethodV,
    CallNonvirtualVoidMethodA,
    GetFieldID,
    GetObjectField,
    GetBooleanField,
    GetByteField,
    GetCharField,
    GetShortField,
    GetIntField,
    GetLongField,
    GetFloatField,
    GetDoubleField,
    SetObjectField,
    SetBooleanField,
    SetByteField,
    SetCharField,
    SetShortField,
    SetIntField,
    SetLongField,
    SetFloatField,
    SetDoubleField,
    GetStaticMethodID,
    CallStaticObjectMethod,
    CallStaticObjectMethodV,
    CallStaticObjectMethodA,
    CallStaticBooleanMethod,
    CallStaticBooleanMethodV,
    CallStaticBooleanMethodA,
    CallStaticByteMethod,
    CallStaticByteMethodV,
    CallStaticByteMethodA,
    CallStaticCharMethod,
    CallStaticCharMethodV,
    CallStaticCharMethodA,
    CallStaticShortMethod,
    CallStaticShortMethodV,
    CallStaticShortMethodA,
    CallStaticIntMethod,
    CallStaticIntMethodV,
    CallStaticIntMethodA,
    CallStaticLongMethod,
    CallStaticLongMethodV,
    CallStaticLongMethodA,
    CallStaticFloatMethod,
    CallStaticFloatMethodV,
    CallStaticFloatMethodA,
    CallStaticDoubleMethod,
    CallStaticDoubleMethodV,
    CallStaticDoubleMethodA,
    CallStaticVoidMethod,
    CallStaticVoidMethodV,
    CallStaticVoidMethodA,
    GetStaticFieldID,
    GetStaticObjectField,
    GetStaticBooleanField,
    GetStaticByteField,
    GetStaticCharField,
    GetStaticShortField,
    GetStaticIntField,
    GetStaticLongField,
    GetStaticFloatField,
    GetStaticDoubleField,
    SetStaticObjectField,
    SetStaticBooleanField,
    SetStaticByteField,
    SetStaticCharField,
    SetStaticShortField,
    SetStaticIntField,
    SetStaticLongField,
    SetStaticFloatField,
    SetStaticDoubleField,
    NewString,
    GetStringLength,
    GetStringChars,
    ReleaseStringChars,
    NewStringUTF,
    GetStringUTFLength,
    GetStringUTFChars,
    ReleaseStringUTFChars,
    GetArrayLength,
    NewObjectArray,
    GetObjectArrayElement,
    SetObjectArrayElement,
    NewBooleanArray,
    NewByteArray,
    NewCharArray,
    NewShortArray,
    NewIntArray,
    NewLongArray,
    NewFloatArray,
    NewDoubleArray,
    GetBooleanArrayElements,
    GetByteArrayElements,
    GetCharArrayElements,
    GetShortArrayElements,
    GetIntArrayElements,
    GetLongArrayElements,
    GetFloatArrayElements,
    GetDoubleArrayElements,
    ReleaseBooleanArrayElements,
    ReleaseByteArrayElements,
    ReleaseCharArrayElements,
    ReleaseShortArrayElements,
    ReleaseIntArrayElements,
    ReleaseLongArrayElements,
    ReleaseFloatArrayElements,
    ReleaseDoubleArrayElements,
    GetBooleanArrayRegion,
    GetByteArrayRegion,
    GetCharArrayRegion,
    GetShortArrayRegion,
    GetIntArrayRegion,
    GetLongArrayRegion,
    GetFloatArrayRegion,
    GetDoubleArrayRegion,
    SetBooleanArrayRegion,
    SetByteArrayRegion,
    SetCharArrayRegion,
    SetShortArrayRegion,
    SetIntArrayRegion,
    SetLongArrayRegion,
    SetFloatArrayRegion,
    SetDoubleArrayRegion,
    RegisterNatives,
    UnregisterNatives,
    MonitorEnter,
    MonitorExit,
    GetJavaVM,
    GetStringRegion,
    GetStringUTFRegion,
    GetPrimitiveArrayCritical,
    ReleasePrimitiveArrayCritical,
    GetStringCritical,
    ReleaseStringCritical,
    NewWeakGlobalRef,
    DeleteWeakGlobalRef,
    ExceptionCheck,
    NewDirectByteBuffer,
    GetDirectBufferAddress,
    GetDirectBufferCapacity,
    GetObjectRefType,
    GetModule,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Names of the table's functions in a jni.h.
    fn names_in_header(header: &str) -> Vec<&str> {
        let start = header.find("struct JNINativeInterface_ {").expect("jni.h declares the table");
        let body = &header[start..];
        let body = &body[..body.find("\n};").expect("the declaration ends")];
        body.split("JNICALL *").skip(1).map(|part| part.split(')').next().unwrap_or_default().trim()).collect()
    }

    #[test]
    fn the_order_is_that_of_the_jdks_own_jni_h() {
        let jdk = std::env::var_os("JAVA_HOME").unwrap_or_else(|| "/usr/lib/jvm/java-17-openjdk-amd64".into());
        let file = std::path::Path::new(&jdk).join("include/jni.h");
        let header = std::fs::read_to_string(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        assert_eq!(names_in_header(&header), NAMES);
    }

    #[test]
    fn no_entry_is_null() {
        assert!(TABLE.0[RESERVED..].iter().all(|f| !f.is_null()));
        assert!(CHECKED.0[RESERVED..].iter().all(|f| !f.is_null()));
    }
}
