//! JNI: the function table, references, native linking and native calls, the invocation API.

pub mod border;
pub mod invocation;
pub mod mangle;
pub mod native;
pub mod refs;
pub mod stub;
pub mod table;
