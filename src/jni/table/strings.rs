//! Strings. Characters handed out are copies made by `malloc`.

use crate::classfile::mutf8;
use crate::exceptions::throw;
use crate::heap::access::{load, load_ref};
use crate::heap::layout::Oop;
use crate::heap::{roots, strings};
use crate::jni::border::{c_bytes, set_flag};
use crate::meta::well_known::KnownField;
use crate::native_fn;
use std::ffi::c_void;

fn is_latin1(string: Oop) -> bool {
    load::<i8>(string, KnownField::StringCoder.offset()) == 0
}

/// A String made by `AllocObject`, whose constructor has not run: it has no characters to hand out.
fn is_unconstructed(string: Oop) -> bool {
    load_ref(string, KnownField::StringValue.offset()).is_null()
}

/// A `malloc`ed copy with one zero element behind; null if there is no memory.
fn copy_out<T: Copy + Default>(elements: &[T]) -> *mut T {
    // SAFETY: room for the elements and the zero is asked for, and checked.
    unsafe {
        let p = libc::malloc((elements.len() + 1) * std::mem::size_of::<T>()) as *mut T;
        if !p.is_null() {
            std::ptr::copy_nonoverlapping(elements.as_ptr(), p, elements.len());
            p.add(elements.len()).write(T::default());
        }
        p
    }
}

/// start and length of a region as a range within `total`.
fn region(start: i32, length: i32, total: usize) -> Option<std::ops::Range<usize>> {
    let (start, length) = (usize::try_from(start).ok()?, usize::try_from(length).ok()?);
    (start + length <= total).then_some(start..start + length)
}

native_fn! {
    /// `NewString`.
    fn NewString(t, units: *const u16, length: i32) -> Oop {
        let units = if length <= 0 { &[] } else { std::slice::from_raw_parts(units, length as usize) };
        strings::from_utf16(t, units)
    }

    /// `GetStringLength`.
    raw fn GetStringLength(_t, string: Oop) -> i32 {
        Ok(strings::length(string) as i32)
    }

    /// `GetStringChars`.
    raw fn GetStringChars(_t, string: Oop, is_copy: *mut u8) -> *mut u16 {
        if is_unconstructed(string) {
            return Ok(std::ptr::null_mut());
        }
        let chars = copy_out(&strings::to_utf16(string));
        set_flag(is_copy, true);
        Ok(chars)
    }

    /// `ReleaseStringChars`.
    raw fn ReleaseStringChars(_t, _string: Oop, chars: *mut u16) -> () {
        libc::free(chars as *mut c_void);
        Ok(())
    }

    /// `NewStringUTF`: null for null.
    fn NewStringUTF(t, text: *const c_void) -> Oop {
        match c_bytes(text) {
            Some(text) => strings::from_mutf8(t, text),
            None => Ok(Oop::NULL),
        }
    }

    /// `GetStringUTFLength`.
    raw fn GetStringUTFLength(_t, string: Oop) -> i32 {
        Ok(strings::to_mutf8(string).len() as i32)
    }

    /// `GetStringUTFChars`.
    raw fn GetStringUTFChars(_t, string: Oop, is_copy: *mut u8) -> *mut u8 {
        if is_unconstructed(string) {
            return Ok(std::ptr::null_mut());
        }
        let text = copy_out(&strings::to_mutf8(string));
        set_flag(is_copy, true);
        Ok(text)
    }

    /// `ReleaseStringUTFChars`.
    raw fn ReleaseStringUTFChars(_t, _string: Oop, text: *mut u8) -> () {
        libc::free(text as *mut c_void);
        Ok(())
    }

    /// `GetStringRegion`.
    fn GetStringRegion(t, string: Oop, start: i32, length: i32, buffer: *mut u16) -> () {
        let units = strings::to_utf16(string);
        let Some(range) = region(start, length, units.len()) else {
            return Err(throw(t, "java/lang/StringIndexOutOfBoundsException", None));
        };
        if !range.is_empty() {
            std::ptr::copy_nonoverlapping(units[range.clone()].as_ptr(), buffer, range.len());
        }
        Ok(())
    }

    /// `GetStringUTFRegion`: ends with a zero byte.
    fn GetStringUTFRegion(t, string: Oop, start: i32, length: i32, buffer: *mut u8) -> () {
        let units = strings::to_utf16(string);
        let Some(range) = region(start, length, units.len()) else {
            return Err(throw(t, "java/lang/StringIndexOutOfBoundsException", None));
        };
        let text = mutf8::from_utf16(units[range].iter().copied());
        if !buffer.is_null() {
            std::ptr::copy_nonoverlapping(text.as_ptr(), buffer, text.len());
            *buffer.add(text.len()) = 0;
        }
        Ok(())
    }

    /// `GetStringCritical`: UTF-16 Strings are pinned, Latin-1 ones copied.
    raw fn GetStringCritical(_t, string: Oop, is_copy: *mut u8) -> *mut u16 {
        set_flag(is_copy, is_latin1(string));
        if is_latin1(string) {
            return Ok(copy_out(&strings::to_utf16(string)));
        }
        let value = load_ref(string, KnownField::StringValue.offset());
        roots::pin(value);
        Ok((value.address() + value.class().array_base()) as *mut u16)
    }

    /// `ReleaseStringCritical`.
    raw fn ReleaseStringCritical(_t, string: Oop, chars: *mut u16) -> () {
        if is_latin1(string) {
            libc::free(chars as *mut c_void);
        } else {
            roots::unpin(load_ref(string, KnownField::StringValue.offset()));
        }
        Ok(())
    }
}
