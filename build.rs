//! Builds the C parts (functions that Rust cannot define: variadic ones) and links the cdylib under the
//! name that the JDK's launcher and natives expect.
const C_SOURCES: &[&str] = &["src/os/jio.c", "src/jni/variadic.c"];

fn main() {
    println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libjvm.so");
    println!("cargo:rerun-if-changed=build.rs");
    for source in C_SOURCES {
        println!("cargo:rerun-if-changed={source}");
    }
    cc::Build::new().files(C_SOURCES).opt_level(2).warnings(true).extra_warnings(true).compile("kiln_c");
}
