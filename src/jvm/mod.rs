//! The `JVM_*` functions: what the class library's native code (libjava, libzip, libverify, …)
//! asks of the VM. `jvm.h` of OpenJDK 17 fixes names and signatures; one file per area.

pub mod entry;

// Threads, stacks, the system.
mod cds;
mod library;
pub mod management;
pub mod objects;
mod signals;
mod stack;
mod stack_walk;
pub mod system;
pub mod threads;

// Classes and reflection.
pub mod arrays;
pub mod boxing;
pub mod class_info;
mod constant_pool;
pub mod find_class;
pub mod inner_classes;
pub mod invoke_method;
pub mod modules;
mod old_verifier;
pub mod reflect_objects;
pub mod reflection;
pub mod support;
