//! JNI: the function table, references, native linking and native calls.

pub mod native;
pub mod refs;
mod stub;
