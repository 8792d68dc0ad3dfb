//! The `JVM_*` functions: what the class library's native code (libjava, libzip, libverify, …)
//! asks of the VM. `jvm.h` of OpenJDK 17 fixes names and signatures; one file per area.

pub mod entry;
mod cds;
mod library;
mod objects;
mod signals;
mod stack;
mod stack_walk;
pub mod system;
pub mod threads;
