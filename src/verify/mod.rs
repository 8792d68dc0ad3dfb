//! The type-checking verifier (JVMS 4.10.1).
