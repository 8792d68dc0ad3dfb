/*
 * The jio_* functions that the JDK's natives import from libjvm.so (OpenJDK's jvm_io.h): printf that
 * the embedder can redirect with the "vfprintf" option of JNI_CreateJavaVM, and snprintf that reports
 * truncation as -1. In C because Rust cannot define variadic functions; jio.rs exports them.
 */
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

typedef int (*vfprintf_hook)(FILE *, const char *, va_list);

/* Set once, before the VM starts. */
static vfprintf_hook hook;

int kiln_jio_fprintf(FILE *file, const char *format, ...);

void kiln_jio_set_vfprintf_hook(vfprintf_hook f) { hook = f; }

/* Prints through the hook; 0 if there is none. */
int kiln_jio_write_to_hook(int to_stderr, const char *text, int length) {
    if (hook == NULL) {
        return 0;
    }
    kiln_jio_fprintf(to_stderr ? stderr : stdout, "%.*s", length, text);
    return 1;
}

int kiln_jio_vfprintf(FILE *file, const char *format, va_list args) {
    return hook != NULL ? hook(file, format, args) : vfprintf(file, format, args);
}

int kiln_jio_fprintf(FILE *file, const char *format, ...) {
    va_list args;
    va_start(args, format);
    int written = kiln_jio_vfprintf(file, format, args);
    va_end(args);
    return written;
}

int kiln_jio_printf(const char *format, ...) {
    va_list args;
    va_start(args, format);
    int written = kiln_jio_vfprintf(stdout, format, args);
    va_end(args);
    return written;
}

/* A size that is negative as a signed number is a caller's mistake, not a large buffer. */
int kiln_jio_vsnprintf(char *buffer, size_t size, const char *format, va_list args) {
    if ((intptr_t)size <= 0) {
        return -1;
    }
    int length = vsnprintf(buffer, size, format, args);
    return length >= 0 && (size_t)length >= size ? -1 : length;
}

int kiln_jio_snprintf(char *buffer, size_t size, const char *format, ...) {
    va_list args;
    va_start(args, format);
    int length = kiln_jio_vsnprintf(buffer, size, format, args);
    va_end(args);
    return length;
}
