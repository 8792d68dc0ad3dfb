//! The `JVM_*` functions: what the class library's native code (libjava, libzip, libverify, …)
//! asks of the VM. `jvm.h` of OpenJDK 17 fixes names and signatures; one file per area.

pub mod entry;
