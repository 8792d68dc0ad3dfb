//! Links the cdylib under the name that the JDK's launcher and natives expect.
fn main() {
    println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libjvm.so");
    println!("cargo:rerun-if-changed=build.rs");
}
