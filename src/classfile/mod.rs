//! Class files (JVMS 4): a zero-copy reader with the format checks of JVMS 4.8.
//!
//! [`parse`] turns the bytes of a class file into a [`ClassFile`] that borrows from them. Whatever
//! the bytes are, it returns either a class file whose every constant pool index, descriptor and
//! code range may be used without further thought, or the [`FormatError`] that HotSpot would throw
//! for it, with HotSpot's text. It never panics.
//!
//! What needs other classes (does the superclass exist, is it final, does a method override a final
//! one) is not decided here: that belongs to linking.

#![forbid(unsafe_code)]

pub mod access;
pub mod descriptor;
pub mod mutf8;

mod annotations;
mod class;
mod class_attributes;
mod code;
mod constant_pool;
mod context;
mod error;
mod flags;
mod inner_classes;
mod members;
mod names;
mod parser;
mod pool_check;
mod reader;

pub use class::{
    Annotations, BootstrapMethod, ClassAttributes, ClassFile, Code, EnclosingMethod,
    ExceptionTableEntry, InnerClass, LineNumber, LocalVariable, MemberInfo, MethodParameter,
    RecordComponent, VmAnnotations,
};
pub use constant_pool::{tag, Constant, ConstantPool, MemberRef, NameAndType};
pub use descriptor::{FieldType, MethodDescriptor};
pub use error::{
    FormatError, InterfacesRead, ParseOptions, MAX_MAJOR_VERSION, MIN_MAJOR_VERSION, PREVIEW_MINOR_VERSION,
};
pub use names::is_legal_package_or_module_name;
pub use parser::parse;

#[cfg(test)]
mod tests;
