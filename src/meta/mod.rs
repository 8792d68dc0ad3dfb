//! Classes, methods, fields, loaders, modules: what the VM knows of the program
//! (JVMS 2.5.4, 5.3). All of it lies in [`metaspace`], below 4 GiB.

pub mod class;
pub mod constants;
pub mod describe;
pub mod field;
pub mod loader;
pub mod metaspace;
pub mod method;
pub mod symbol;
pub mod well_known;
