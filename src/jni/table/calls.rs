//! Calling methods: the forms that take an array of `jvalue`. The variadic ones, in
//! `variadic.c`, end here.

use super::classes::allocate;
use super::members::method_of;
use crate::exceptions::{throw, VmResult};
use crate::heap::layout::{BasicType, Oop};
use crate::interpreter::call::{call, call_virtual};
use crate::jni::refs;
use crate::meta::method::MethodRef;
use crate::native_fn;
use crate::threads::JavaThread;
use std::ffi::c_void;

/// Most argument slots a method can have (JVMS 4.3.3).
const MAX_SLOTS: usize = 255;

/// How the method to run is chosen.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Choice {
    /// By the receiver's class.
    Virtual,
    /// The method itself, on a receiver.
    Exact,
    /// A static method.
    Static,
}

/// Calls method `id` with the `jvalue`s at `values`; the raw result.
unsafe fn invoke(
    t: &JavaThread,
    choice: Choice,
    receiver: Oop,
    id: *const c_void,
    values: *const c_void,
) -> VmResult<u64> {
    let m = method_of(id);
    // A static method's class was initialized when its ID was asked for. While that goes on, whoever
    // has the ID may call: there is no barrier here, as HotSpot has none.
    if choice != Choice::Static && receiver.is_null() {
        // HotSpot would crash here; native code that passes null deserves to be told.
        return Err(throw(t, "java/lang/NullPointerException", None));
    }
    // On the stack, where the collector sees references.
    let mut slots = [0u64; MAX_SLOTS + 1];
    let mut used = 0;
    if choice != Choice::Static {
        slots[0] = receiver.address() as u64;
        used = 1;
    }
    for (i, &p) in m.parameters.iter().enumerate() {
        slots[used] = slot_of((values as *const u64).add(i), p);
        used += p.slots();
    }
    match choice {
        Choice::Virtual => call_virtual(t, m, &slots[..used]),
        Choice::Exact | Choice::Static => call(t, m, &slots[..used]),
    }
}

/// The Java slot for a `jvalue` of type `p`.
unsafe fn slot_of(value: *const u64, p: BasicType) -> u64 {
    match p {
        BasicType::Boolean => u64::from(*(value as *const u8) != 0),
        BasicType::Byte => *(value as *const i8) as i32 as u32 as u64,
        BasicType::Char => u64::from(*(value as *const u16)),
        BasicType::Short => *(value as *const i16) as i32 as u32 as u64,
        BasicType::Int | BasicType::Float => u64::from(*(value as *const u32)),
        BasicType::Object | BasicType::Array => refs::resolve(*value as usize as *mut c_void).address() as u64,
        _ => *value,
    }
}

fn oop(raw: u64) -> Oop {
    Oop::from_address(raw as usize)
}

macro_rules! calls {
    ($($t:ty, |$raw:ident| $convert:expr, $virtual:ident $exact:ident $static:ident;)*) => {
        native_fn! { $(
            /// Calls the method that the receiver's class selects.
            fn $virtual(t, object: Oop, method: *const c_void, arguments: *const c_void) -> $t {
                let $raw = invoke(t, Choice::Virtual, object, method, arguments)?;
                Ok($convert)
            }

            /// Calls exactly this instance method.
            fn $exact(t, object: Oop, _class: Oop, method: *const c_void, arguments: *const c_void) -> $t {
                let $raw = invoke(t, Choice::Exact, object, method, arguments)?;
                Ok($convert)
            }

            /// Calls a static method.
            fn $static(t, _class: Oop, method: *const c_void, arguments: *const c_void) -> $t {
                let $raw = invoke(t, Choice::Static, Oop::NULL, method, arguments)?;
                Ok($convert)
            }
        )* }
    };
}

calls! {
    Oop, |r| oop(r), CallObjectMethodA CallNonvirtualObjectMethodA CallStaticObjectMethodA;
    u8, |r| r as u8, CallBooleanMethodA CallNonvirtualBooleanMethodA CallStaticBooleanMethodA;
    i8, |r| r as i8, CallByteMethodA CallNonvirtualByteMethodA CallStaticByteMethodA;
    u16, |r| r as u16, CallCharMethodA CallNonvirtualCharMethodA CallStaticCharMethodA;
    i16, |r| r as i16, CallShortMethodA CallNonvirtualShortMethodA CallStaticShortMethodA;
    i32, |r| r as i32, CallIntMethodA CallNonvirtualIntMethodA CallStaticIntMethodA;
    i64, |r| r as i64, CallLongMethodA CallNonvirtualLongMethodA CallStaticLongMethodA;
    f32, |r| f32::from_bits(r as u32), CallFloatMethodA CallNonvirtualFloatMethodA CallStaticFloatMethodA;
    f64, |r| f64::from_bits(r), CallDoubleMethodA CallNonvirtualDoubleMethodA CallStaticDoubleMethodA;
    (), |_r| (), CallVoidMethodA CallNonvirtualVoidMethodA CallStaticVoidMethodA;
}

native_fn! {
    /// `NewObjectA`.
    fn NewObjectA(t, class: Oop, constructor: *const c_void, arguments: *const c_void) -> Oop {
        let object = allocate(t, class)?;
        // The reference on this stack pins the object.
        let handle = refs::new_local(t, object);
        let made = invoke(t, Choice::Exact, object, constructor, arguments);
        let object = refs::resolve(handle);
        refs::locals(t).delete(handle as usize);
        made.map(|_| object)
    }
}

/// For `variadic.c`: the types of a method's parameters as `BasicType` codes.
///
/// # Safety
/// `id` must be a `jmethodID` of this VM; `count` a place for the number.
#[no_mangle]
pub unsafe extern "C" fn kiln_jni_parameters(id: *const c_void, count: *mut i32) -> *const u8 {
    let m: MethodRef = method_of(id);
    *count = m.parameters.len() as i32;
    m.parameters.as_ptr() as *const u8
}
