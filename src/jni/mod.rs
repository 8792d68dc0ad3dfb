//! JNI: the function table, references, native linking and native calls.

pub mod border;
pub mod mangle;
pub mod native;
pub mod refs;
pub mod stub;
