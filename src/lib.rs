//! Kiln's `libjvm.so`: the crate map is in ARCHITECTURE.md.

pub mod classfile;
pub mod classpath;
pub mod code;
pub mod compiler;
pub mod deopt;
pub mod exceptions;
pub mod heap;
pub mod interpreter;
pub mod invoke;
pub mod jni;
pub mod jvm;
pub mod link;
pub mod meta;
pub mod natives;
pub mod observe;
pub mod options;
pub mod os;
pub mod profile;
pub mod threads;
pub mod verify;
pub mod vm;

/// The compilers make and drop many small objects, from several threads: a quarter of a compile went to glibc's malloc.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
