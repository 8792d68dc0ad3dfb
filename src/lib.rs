//! Kiln's `libjvm.so`: the crate map is in ARCHITECTURE.md.
