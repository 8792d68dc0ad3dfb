//! Arrays. Elements handed out are copies made by `malloc`; critical ones are the array itself,
//! pinned.

use super::classes::{class_of_mirror, initialize};
use crate::exceptions::{throw, Thrown, VmResult};
use crate::heap::access::{array_ref, set_array_ref};
use crate::heap::layout::{BasicType, Oop};
use crate::heap::{alloc, roots};
use crate::jni::border::set_flag;
use crate::link::load;
use crate::native_fn;
use crate::threads::JavaThread;
use std::ffi::c_void;

/// JNI_COMMIT: copy back, keep the buffer.
const COMMIT: i32 = 1;
/// JNI_ABORT: free the buffer, copy nothing.
const ABORT: i32 = 2;
const OUT_OF_BOUNDS: &str = "java/lang/ArrayIndexOutOfBoundsException";

/// Address of element 0.
fn elements<T>(array: Oop) -> *mut T {
    (array.address() + array.class().array_base()) as *mut T
}

fn index_error(t: &JavaThread, index: i32, length: usize) -> Thrown {
    throw(t, OUT_OF_BOUNDS, Some(format!("Index {index} out of bounds for length {length}")))
}

fn check_region(t: &JavaThread, array: Oop, start: i32, length: i32) -> VmResult<()> {
    let total = array.array_length();
    let end = i64::from(start) + i64::from(length);
    let message = if length < 0 {
        format!("Length {length} is negative")
    } else if start < 0 || end > total as i64 {
        format!("Array region {start}..{end} out of bounds for length {total}")
    } else {
        return Ok(());
    };
    Err(throw(t, OUT_OF_BOUNDS, Some(message)))
}

/// An address for the elements of an empty array: not null, and not to be written through.
fn no_elements<T>() -> *mut T {
    static NOTHING: u64 = 0;
    &NOTHING as *const u64 as *mut T
}

fn copy_out<T: Copy>(array: Oop) -> *mut T {
    let n = array.array_length();
    // SAFETY: room for the array's elements is asked for, and checked; no safepoint intervenes.
    unsafe {
        let p = libc::malloc(n * std::mem::size_of::<T>()) as *mut T;
        if !p.is_null() {
            std::ptr::copy_nonoverlapping(elements::<T>(array), p, n);
        }
        p
    }
}

/// "int[]" or "java.lang.String": the element type of `array` for a message.
fn element_name(array: Oop) -> String {
    let name = array.class().external_name();
    let inner = crate::classfile::FieldType::parse(array.class().name.as_bytes());
    let full = inner.map_or(name, |t| t.to_string());
    full.strip_suffix("[]").unwrap_or(&full).to_string()
}

native_fn! {
    /// `GetArrayLength`.
    raw fn GetArrayLength(_t, array: Oop) -> i32 {
        Ok(array.array_length() as i32)
    }

    /// `NewObjectArray`.
    fn NewObjectArray(t, length: i32, class: Oop, initial: *mut c_void) -> Oop {
        let class = load::array_class(t, class_of_mirror(class))?;
        initialize(t, class)?;
        let array = alloc::array(t, class, length)?;
        let initial = crate::jni::refs::resolve(initial);
        if !initial.is_null() {
            for i in 0..array.array_length() {
                set_array_ref(t, array, i, initial);
            }
        }
        Ok(array)
    }

    /// `GetObjectArrayElement`.
    fn GetObjectArrayElement(t, array: Oop, index: i32) -> Oop {
        let n = array.array_length();
        match usize::try_from(index) {
            Ok(i) if i < n => Ok(array_ref(array, i)),
            _ => Err(index_error(t, index, n)),
        }
    }

    /// `SetObjectArrayElement`.
    fn SetObjectArrayElement(t, array: Oop, index: i32, value: Oop) -> () {
        let n = array.array_length();
        let i = match usize::try_from(index) {
            Ok(i) if i < n => i,
            _ => return Err(index_error(t, index, n)),
        };
        let element = array.class().component.expect("an array of references has an element class");
        if !value.is_null() && !value.class().is_subclass_of(element) {
            // The index comes before further dimensions.
            let name = element_name(array);
            let bottom = name.trim_end_matches("[]");
            let message = format!(
                "type mismatch: can not store {} to {bottom}[{index}]{}",
                value.class().external_name(),
                &name[bottom.len()..]
            );
            return Err(throw(t, "java/lang/ArrayStoreException", Some(message)));
        }
        set_array_ref(t, array, i, value);
        Ok(())
    }

    /// `GetPrimitiveArrayCritical`.
    raw fn GetPrimitiveArrayCritical(_t, array: Oop, is_copy: *mut u8) -> *mut c_void {
        set_flag(is_copy, false);
        roots::pin(array);
        Ok(elements(array))
    }

    /// `ReleasePrimitiveArrayCritical`.
    raw fn ReleasePrimitiveArrayCritical(_t, array: Oop, _elements: *mut c_void, _mode: i32) -> () {
        roots::unpin(array);
        Ok(())
    }
}

macro_rules! primitive_arrays {
    ($($name:literal $element:ident $t:ty: $new:ident $get:ident $release:ident $get_region:ident $set_region:ident;)*) => {
        native_fn! { $(
            #[doc = concat!("`New", $name, "Array`.")]
            fn $new(t, length: i32) -> Oop {
                alloc::array(t, load::primitive_array_class(BasicType::$element), length)
            }

            #[doc = concat!("`Get", $name, "ArrayElements`.")]
            raw fn $get(_t, array: Oop, is_copy: *mut u8) -> *mut c_void {
                if array.array_length() == 0 {
                    set_flag(is_copy, false);
                    return Ok(no_elements());
                }
                set_flag(is_copy, true);
                Ok(copy_out::<$t>(array) as *mut c_void)
            }

            #[doc = concat!("`Release", $name, "ArrayElements`.")]
            raw fn $release(_t, array: Oop, buffer: *mut c_void, mode: i32) -> () {
                let n = array.array_length();
                if n == 0 {
                    return Ok(());
                }
                if mode == 0 || mode == COMMIT {
                    std::ptr::copy_nonoverlapping(buffer as *const $t, elements::<$t>(array), n);
                }
                if mode == 0 || mode == ABORT {
                    libc::free(buffer);
                }
                Ok(())
            }

            #[doc = concat!("`Get", $name, "ArrayRegion`.")]
            fn $get_region(t, array: Oop, start: i32, length: i32, buffer: *mut c_void) -> () {
                check_region(t, array, start, length)?;
                if length > 0 {
                    let from = elements::<$t>(array).add(start as usize);
                    std::ptr::copy_nonoverlapping(from, buffer as *mut $t, length as usize);
                }
                Ok(())
            }

            #[doc = concat!("`Set", $name, "ArrayRegion`.")]
            fn $set_region(t, array: Oop, start: i32, length: i32, buffer: *const c_void) -> () {
                check_region(t, array, start, length)?;
                if length > 0 {
                    let to = elements::<$t>(array).add(start as usize);
                    std::ptr::copy_nonoverlapping(buffer as *const $t, to, length as usize);
                }
                Ok(())
            }
        )* }
    };
}

primitive_arrays! {
    "Boolean" Boolean u8: NewBooleanArray GetBooleanArrayElements ReleaseBooleanArrayElements GetBooleanArrayRegion SetBooleanArrayRegion;
    "Byte" Byte i8: NewByteArray GetByteArrayElements ReleaseByteArrayElements GetByteArrayRegion SetByteArrayRegion;
    "Char" Char u16: NewCharArray GetCharArrayElements ReleaseCharArrayElements GetCharArrayRegion SetCharArrayRegion;
    "Short" Short i16: NewShortArray GetShortArrayElements ReleaseShortArrayElements GetShortArrayRegion SetShortArrayRegion;
    "Int" Int i32: NewIntArray GetIntArrayElements ReleaseIntArrayElements GetIntArrayRegion SetIntArrayRegion;
    "Long" Long i64: NewLongArray GetLongArrayElements ReleaseLongArrayElements GetLongArrayRegion SetLongArrayRegion;
    "Float" Float f32: NewFloatArray GetFloatArrayElements ReleaseFloatArrayElements GetFloatArrayRegion SetFloatArrayRegion;
    "Double" Double f64: NewDoubleArray GetDoubleArrayElements ReleaseDoubleArrayElements GetDoubleArrayRegion SetDoubleArrayRegion;
}
