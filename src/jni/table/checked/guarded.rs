//! Copies of characters and elements for native code, with guards around them. The copies are known by their address:
//! what native code gives back is not read before it is found to be one.

use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::ffi::c_void;

/// Which function has handed a copy out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Source {
    /// `Get<Type>ArrayElements`.
    Elements,
    /// `GetPrimitiveArrayCritical`.
    Critical,
    /// `GetStringChars`.
    String,
    /// `GetStringUTFChars`.
    Utf,
}

/// One copy.
#[derive(Clone, Copy, Debug)]
pub struct Copy {
    pub source: Source,
    /// Bytes between the guards.
    pub bytes: usize,
    /// The memory that was copied, as the unchecked function gave it.
    pub original: usize,
}

/// Bytes of each guard; a multiple of what elements are aligned to.
const GUARD: usize = 16;
/// What a guard consists of.
const GUARD_BYTE: u8 = 0xab;
/// What a copy is filled with before it is freed.
const FREED_BYTE: u8 = 0xba;

static COPIES: Mutex<BTreeMap<usize, Copy>> = Mutex::new(BTreeMap::new());

/// A guarded copy of the `bytes` bytes at `original`; null if there is no memory.
///
/// # Safety
/// They must be readable.
pub unsafe fn copy(source: Source, original: *const c_void, bytes: usize) -> *mut c_void {
    let base = libc::malloc(bytes + 2 * GUARD) as *mut u8;
    if base.is_null() {
        return std::ptr::null_mut();
    }
    let user = base.add(GUARD);
    base.write_bytes(GUARD_BYTE, GUARD);
    std::ptr::copy_nonoverlapping(original as *const u8, user, bytes);
    user.add(bytes).write_bytes(GUARD_BYTE, GUARD);
    COPIES.lock().insert(user as usize, Copy { source, bytes, original: original as usize });
    user as *mut c_void
}

/// The copy at this address, if it is one and its guards are whole.
pub fn find(user: *const c_void) -> Option<Copy> {
    let found = *COPIES.lock().get(&(user as usize))?;
    // SAFETY: a copy that has not been freed, with its guards.
    unsafe {
        let whole = |p: *const u8| (0..GUARD).all(|i| *p.add(i) == GUARD_BYTE);
        let user = user as *const u8;
        (whole(user.sub(GUARD)) && whole(user.add(found.bytes))).then_some(found)
    }
}

/// Writes a copy back to its original.
///
/// # Safety
/// `found` must be what [`find`] says of `user`, and the original still be there.
pub unsafe fn write_back(user: *const c_void, found: &Copy) {
    std::ptr::copy_nonoverlapping(user as *const u8, found.original as *mut u8, found.bytes);
}

/// Frees a copy; not its original.
///
/// # Safety
/// `found` must be what [`find`] says of `user`; nobody uses the copy afterwards.
pub unsafe fn free(user: *mut c_void, found: &Copy) {
    COPIES.lock().remove(&(user as usize));
    (user as *mut u8).write_bytes(FREED_BYTE, found.bytes);
    libc::free((user as *mut u8).sub(GUARD) as *mut c_void);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_are_known_and_guarded() {
        let mut data = [1u8, 2, 3];
        // SAFETY: memory of the test's own; the byte behind the copy belongs to its guard.
        unsafe {
            let p = copy(Source::Utf, data.as_ptr() as *const c_void, 3);
            let found = find(p).expect("it is one");
            assert_eq!((found.source, found.bytes), (Source::Utf, 3));
            *(p as *mut u8) = 9;
            write_back(p, &Copy { original: data.as_mut_ptr() as usize, ..found });
            assert_eq!(data, [9, 2, 3]);
            let behind = (p as *mut u8).add(3);
            *behind = 0;
            assert!(find(p).is_none(), "a guard is broken");
            *behind = GUARD_BYTE;
            free(p, &found);
            assert!(find(p).is_none(), "it is freed");
        }
        assert!(find(data.as_ptr() as *const c_void).is_none());
    }
}
