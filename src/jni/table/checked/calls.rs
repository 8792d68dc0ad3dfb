//! Calls to methods. The variadic forms are C (`variadic.c`).

use super::check::{thread, When};
use crate::jni::refs::Handle;
use std::ffi::{c_char, c_void, CStr};

/// For the functions that call methods, before they do so: `class` and `object` are null where a function has none.
///
/// # Safety
/// `env` must be a `JNIEnv*`.
#[no_mangle]
pub unsafe extern "C" fn kiln_jni_check_call(
    env: *mut c_void,
    has_class: i32,
    class: Handle,
    object: Handle,
    method: *const c_void,
) {
    super::check::enter(env, When::Clean, |c| c.call((has_class != 0).then_some(class), object, method));
}

/// For the functions that call methods, after they have done so: `function` is to be followed by a look for exceptions.
///
/// # Safety
/// `env` must be a `JNIEnv*`, `function` a string that stays.
#[no_mangle]
pub unsafe extern "C" fn kiln_jni_called(env: *mut c_void, function: *const c_char) {
    thread(env).vm.jni_checks.unasked.set(Some(CStr::from_ptr(function)));
}

/// For `variadic.c`: the function of the unchecked table at this index.
#[no_mangle]
pub extern "C" fn kiln_jni_unchecked(index: usize) -> *const c_void {
    crate::jni::table::TABLE.0[index]
}

macro_rules! calls {
    ($($t:ty: $virtual:ident $exact:ident $static:ident;)*) => { $(
        /// See the unchecked function.
        ///
        /// # Safety
        /// For native code; what its arguments must be is checked.
        #[allow(non_snake_case)] // the names are the specification's
        pub unsafe extern "C" fn $virtual(env: *mut c_void, o: Handle, m: *const c_void, values: *const c_void) -> $t {
            kiln_jni_check_call(env, 0, std::ptr::null_mut(), o, m);
            let result = super::super::$virtual(env, o, m, values);
            called(env, concat!(stringify!($virtual), "\0"));
            result
        }

        /// See the unchecked function.
        ///
        /// # Safety
        /// For native code; what its arguments must be is checked.
        #[allow(non_snake_case)] // the names are the specification's
        pub unsafe extern "C" fn $exact(
            env: *mut c_void,
            o: Handle,
            class: Handle,
            m: *const c_void,
            values: *const c_void,
        ) -> $t {
            kiln_jni_check_call(env, 1, class, o, m);
            let result = super::super::$exact(env, o, class, m, values);
            called(env, concat!(stringify!($exact), "\0"));
            result
        }

        /// See the unchecked function.
        ///
        /// # Safety
        /// For native code; what its arguments must be is checked.
        #[allow(non_snake_case)] // the names are the specification's
        pub unsafe extern "C" fn $static(env: *mut c_void, class: Handle, m: *const c_void, values: *const c_void) -> $t {
            kiln_jni_check_call(env, 1, class, std::ptr::null_mut(), m);
            let result = super::super::$static(env, class, m, values);
            called(env, concat!(stringify!($static), "\0"));
            result
        }
    )* };
}

unsafe fn called(env: *mut c_void, name: &'static str) {
    kiln_jni_called(env, name.as_ptr().cast());
}

calls! {
    *mut c_void: CallObjectMethodA CallNonvirtualObjectMethodA CallStaticObjectMethodA;
    u8: CallBooleanMethodA CallNonvirtualBooleanMethodA CallStaticBooleanMethodA;
    i8: CallByteMethodA CallNonvirtualByteMethodA CallStaticByteMethodA;
    u16: CallCharMethodA CallNonvirtualCharMethodA CallStaticCharMethodA;
    i16: CallShortMethodA CallNonvirtualShortMethodA CallStaticShortMethodA;
    i32: CallIntMethodA CallNonvirtualIntMethodA CallStaticIntMethodA;
    i64: CallLongMethodA CallNonvirtualLongMethodA CallStaticLongMethodA;
    f32: CallFloatMethodA CallNonvirtualFloatMethodA CallStaticFloatMethodA;
    f64: CallDoubleMethodA CallNonvirtualDoubleMethodA CallStaticDoubleMethodA;
    (): CallVoidMethodA CallNonvirtualVoidMethodA CallStaticVoidMethodA;
}

/// See the unchecked function.
///
/// # Safety
/// For native code; what its arguments must be is checked.
#[allow(non_snake_case)] // the name is the specification's
pub unsafe extern "C" fn NewObjectA(env: *mut c_void, class: Handle, m: *const c_void, values: *const c_void) -> Handle {
    kiln_jni_check_call(env, 1, class, std::ptr::null_mut(), m);
    super::super::NewObjectA(env, class, m, values)
}

// The variadic functions, from variadic.c.
extern "C" {
    #[link_name = "kiln_checked_jni_NewObject"]
    pub fn NewObject();
    #[link_name = "kiln_checked_jni_NewObjectV"]
    pub fn NewObjectV();
    #[link_name = "kiln_checked_jni_CallObjectMethod"]
    pub fn CallObjectMethod();
    #[link_name = "kiln_checked_jni_CallObjectMethodV"]
    pub fn CallObjectMethodV();
    #[link_name = "kiln_checked_jni_CallBooleanMethod"]
    pub fn CallBooleanMethod();
    #[link_name = "kiln_checked_jni_CallBooleanMethodV"]
    pub fn CallBooleanMethodV();
    #[link_name = "kiln_checked_jni_CallByteMethod"]
    pub fn CallByteMethod();
    #[link_name = "kiln_checked_jni_CallByteMethodV"]
    pub fn CallByteMethodV();
    #[link_name = "kiln_checked_jni_CallCharMethod"]
    pub fn CallCharMethod();
    #[link_name = "kiln_checked_jni_CallCharMethodV"]
    pub fn CallCharMethodV();
    #[link_name = "kiln_checked_jni_CallShortMethod"]
    pub fn CallShortMethod();
    #[link_name = "kiln_checked_jni_CallShortMethodV"]
    pub fn CallShortMethodV();
    #[link_name = "kiln_checked_jni_CallIntMethod"]
    pub fn CallIntMethod();
    #[link_name = "kiln_checked_jni_CallIntMethodV"]
    pub fn CallIntMethodV();
    #[link_name = "kiln_checked_jni_CallLongMethod"]
    pub fn CallLongMethod();
    #[link_name = "kiln_checked_jni_CallLongMethodV"]
    pub fn CallLongMethodV();
    #[link_name = "kiln_checked_jni_CallFloatMethod"]
    pub fn CallFloatMethod();
    #[link_name = "kiln_checked_jni_CallFloatMethodV"]
    pub fn CallFloatMethodV();
    #[link_name = "kiln_checked_jni_CallDoubleMethod"]
    pub fn CallDoubleMethod();
    #[link_name = "kiln_checked_jni_CallDoubleMethodV"]
    pub fn CallDoubleMethodV();
    #[link_name = "kiln_checked_jni_CallVoidMethod"]
    pub fn CallVoidMethod();
    #[link_name = "kiln_checked_jni_CallVoidMethodV"]
    pub fn CallVoidMethodV();
    #[link_name = "kiln_checked_jni_CallNonvirtualObjectMethod"]
    pub fn CallNonvirtualObjectMethod();
    #[link_name = "kiln_checked_jni_CallNonvirtualObjectMethodV"]
    pub fn CallNonvirtualObjectMethodV();
    #[link_name = "kiln_checked_jni_CallNonvirtualBooleanMethod"]
    pub fn CallNonvirtualBooleanMethod();
    #[link_name = "kiln_checked_jni_CallNonvirtualBooleanMethodV"]
    pub fn CallNonvirtualBooleanMethodV();
    #[link_name = "kiln_checked_jni_CallNonvirtualByteMethod"]
    pub fn CallNonvirtualByteMethod();
    #[link_name = "kiln_checked_jni_CallNonvirtualByteMethodV"]
    pub fn CallNonvirtualByteMethodV();
    #[link_name = "kiln_checked_jni_CallNonvirtualCharMethod"]
    pub fn CallNonvirtualCharMethod();
    #[link_name = "kiln_checked_jni_CallNonvirtualCharMethodV"]
    pub fn CallNonvirtualCharMethodV();
    #[link_name = "kiln_checked_jni_CallNonvirtualShortMethod"]
    pub fn CallNonvirtualShortMethod();
    #[link_name = "kiln_checked_jni_CallNonvirtualShortMethodV"]
    pub fn CallNonvirtualShortMethodV();
    #[link_name = "kiln_checked_jni_CallNonvirtualIntMethod"]
    pub fn CallNonvirtualIntMethod();
    #[link_name = "kiln_checked_jni_CallNonvirtualIntMethodV"]
    pub fn CallNonvirtualIntMethodV();
    #[link_name = "kiln_checked_jni_CallNonvirtualLongMethod"]
    pub fn CallNonvirtualLongMethod();
    #[link_name = "kiln_checked_jni_CallNonvirtualLongMethodV"]
    pub fn CallNonvirtualLongMethodV();
    #[link_name = "kiln_checked_jni_CallNonvirtualFloatMethod"]
    pub fn CallNonvirtualFloatMethod();
    #[link_name = "kiln_checked_jni_CallNonvirtualFloatMethodV"]
    pub fn CallNonvirtualFloatMethodV();
    #[link_name = "kiln_checked_jni_CallNonvirtualDoubleMethod"]
    pub fn CallNonvirtualDoubleMethod();
    #[link_name = "kiln_checked_jni_CallNonvirtualDoubleMethodV"]
    pub fn CallNonvirtualDoubleMethodV();
    #[link_name = "kiln_checked_jni_CallNonvirtualVoidMethod"]
    pub fn CallNonvirtualVoidMethod();
    #[link_name = "kiln_checked_jni_CallNonvirtualVoidMethodV"]
    pub fn CallNonvirtualVoidMethodV();
    #[link_name = "kiln_checked_jni_CallStaticObjectMethod"]
    pub fn CallStaticObjectMethod();
    #[link_name = "kiln_checked_jni_CallStaticObjectMethodV"]
    pub fn CallStaticObjectMethodV();
    #[link_name = "kiln_checked_jni_CallStaticBooleanMethod"]
    pub fn CallStaticBooleanMethod();
    #[link_name = "kiln_checked_jni_CallStaticBooleanMethodV"]
    pub fn CallStaticBooleanMethodV();
    #[link_name = "kiln_checked_jni_CallStaticByteMethod"]
    pub fn CallStaticByteMethod();
    #[link_name = "kiln_checked_jni_CallStaticByteMethodV"]
    pub fn CallStaticByteMethodV();
    #[link_name = "kiln_checked_jni_CallStaticCharMethod"]
    pub fn CallStaticCharMethod();
    #[link_name = "kiln_checked_jni_CallStaticCharMethodV"]
    pub fn CallStaticCharMethodV();
    #[link_name = "kiln_checked_jni_CallStaticShortMethod"]
    pub fn CallStaticShortMethod();
    #[link_name = "kiln_checked_jni_CallStaticShortMethodV"]
    pub fn CallStaticShortMethodV();
    #[link_name = "kiln_checked_jni_CallStaticIntMethod"]
    pub fn CallStaticIntMethod();
    #[link_name = "kiln_checked_jni_CallStaticIntMethodV"]
    pub fn CallStaticIntMethodV();
    #[link_name = "kiln_checked_jni_CallStaticLongMethod"]
    pub fn CallStaticLongMethod();
    #[link_name = "kiln_checked_jni_CallStaticLongMethodV"]
    pub fn CallStaticLongMethodV();
    #[link_name = "kiln_checked_jni_CallStaticFloatMethod"]
    pub fn CallStaticFloatMethod();
    #[link_name = "kiln_checked_jni_CallStaticFloatMethodV"]
    pub fn CallStaticFloatMethodV();
    #[link_name = "kiln_checked_jni_CallStaticDoubleMethod"]
    pub fn CallStaticDoubleMethod();
    #[link_name = "kiln_checked_jni_CallStaticDoubleMethodV"]
    pub fn CallStaticDoubleMethodV();
    #[link_name = "kiln_checked_jni_CallStaticVoidMethod"]
    pub fn CallStaticVoidMethod();
    #[link_name = "kiln_checked_jni_CallStaticVoidMethodV"]
    pub fn CallStaticVoidMethodV();
}
