//! The exports `jio_printf`, `jio_fprintf`, `jio_vfprintf`, `jio_snprintf` and `jio_vsnprintf`, which the
//! JDK's natives import from `libjvm.so`.
//!
//! They are variadic, so they are written in C (`jio.c`). A cdylib exports Rust's symbols only; each export
//! here is therefore one jump that leaves the registers and the stack, and so the variadic arguments, as
//! the caller set them.

use std::arch::naked_asm;
use std::ffi::{c_char, c_int, c_void};

/// The embedder's replacement for `vfprintf`; its last argument is a C `va_list`.
pub type VfprintfHook = unsafe extern "C" fn(file: *mut libc::FILE, format: *const c_char, args: *mut c_void) -> c_int;

extern "C" {
    fn kiln_jio_set_vfprintf_hook(hook: Option<VfprintfHook>);
    fn kiln_jio_write_to_hook(to_stderr: c_int, text: *const c_char, length: c_int) -> c_int;
    fn kiln_jio_printf();
    fn kiln_jio_fprintf();
    fn kiln_jio_vfprintf();
    fn kiln_jio_snprintf();
    fn kiln_jio_vsnprintf();
}

/// Installs (or with `None` removes) the `vfprintf` option of `JNI_CreateJavaVM`.
///
/// # Safety
/// No other thread may be printing; the hook must be callable for as long as the VM exists.
pub unsafe fn set_vfprintf_hook(hook: Option<VfprintfHook>) {
    kiln_jio_set_vfprintf_hook(hook);
}

/// Prints through the embedder's hook; `false` if there is none.
pub fn write_to_hook(to_stderr: bool, text: &[u8]) -> bool {
    let length = c_int::try_from(text.len()).unwrap_or(c_int::MAX);
    // SAFETY: `length` bytes can be read; a precision keeps C from reading more.
    unsafe { kiln_jio_write_to_hook(c_int::from(to_stderr), text.as_ptr().cast(), length) != 0 }
}

macro_rules! forward {
    ($($(#[$doc:meta])* $export:ident => $implementation:ident;)*) => {$(
        $(#[$doc])*
        ///
        /// # Safety
        /// As for the C function of the same name without `jio_`; called from C only, with its arguments.
        #[unsafe(naked)]
        #[no_mangle]
        pub unsafe extern "C" fn $export() {
            #[cfg(target_arch = "x86_64")]
            naked_asm!("jmp {}", sym $implementation);
            #[cfg(target_arch = "aarch64")]
            naked_asm!("b {}", sym $implementation);
        }
    )*};
}

forward! {
    /// `int jio_printf(const char *format, ...)`: to standard output.
    jio_printf => kiln_jio_printf;
    /// `int jio_fprintf(FILE *file, const char *format, ...)`.
    jio_fprintf => kiln_jio_fprintf;
    /// `int jio_vfprintf(FILE *file, const char *format, va_list args)`.
    jio_vfprintf => kiln_jio_vfprintf;
    /// `int jio_snprintf(char *buffer, size_t size, const char *format, ...)`: -1 when it does not fit.
    jio_snprintf => kiln_jio_snprintf;
    /// `int jio_vsnprintf(char *buffer, size_t size, const char *format, va_list args)`.
    jio_vsnprintf => kiln_jio_vsnprintf;
}

#[cfg(test)]
mod tests {
    use super::*;

    type Snprintf = unsafe extern "C" fn(*mut c_char, usize, *const c_char, ...) -> c_int;

    /// Formats an int, a double and a string through the export; the result and the text.
    fn print(size: usize) -> (c_int, String) {
        let mut buffer = [0u8; 64];
        // SAFETY: the export is the C function of this type; the buffer holds at least `size` bytes
        // for the sizes that it writes to, and the arguments are what the format says.
        let length = unsafe {
            let snprintf = std::mem::transmute::<unsafe extern "C" fn(), Snprintf>(jio_snprintf);
            snprintf(buffer.as_mut_ptr().cast(), size, c"%d %.2f %s".as_ptr(), 42 as c_int, 1.5f64, c"text".as_ptr())
        };
        let end = buffer.iter().position(|&b| b == 0).unwrap();
        (length, String::from_utf8_lossy(&buffer[..end]).into_owned())
    }

    #[test]
    fn variadic_arguments_arrive() {
        assert_eq!(print(64), (12, "42 1.50 text".to_string()));
    }

    #[test]
    fn truncation_and_bad_sizes_give_minus_one() {
        assert_eq!(print(5), (-1, "42 1".to_string()));
        assert_eq!(print(0), (-1, String::new()));
        assert_eq!(print(usize::MAX), (-1, String::new()));
    }
}
