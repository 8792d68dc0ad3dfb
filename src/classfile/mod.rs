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

mod class;
mod constant_pool;
mod error;
mod reader;

pub use class::{
    Annotations, ClassAttributes, ClassFile, Code, EnclosingMethod, ExceptionTableEntry,
    InnerClass, LineNumber, LocalVariable, MemberInfo, MethodParameter, RecordComponent,
    VmAnnotations,
};
pub use class::BootstrapMethod;
pub use constant_pool::{tag, Constant, ConstantPool, MemberRef, NameAndType};
pub use descriptor::FieldType;
pub use error::{FormatError, ParseOptions};
