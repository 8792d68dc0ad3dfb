//! Access and property flags (JVMS tables 4.1-B, 4.5-A, 4.6-A, 4.7.6-A).

/// `public`
pub const ACC_PUBLIC: u16 = 0x0001;
/// `private`
pub const ACC_PRIVATE: u16 = 0x0002;
/// `protected`
pub const ACC_PROTECTED: u16 = 0x0004;
/// `static`
pub const ACC_STATIC: u16 = 0x0008;
/// `final`
pub const ACC_FINAL: u16 = 0x0010;
/// Classes: `invokespecial` selects in the superclass (JVMS 6.5). Always treated as set since Java 8.
pub const ACC_SUPER: u16 = 0x0020;
/// Methods: `synchronized`
pub const ACC_SYNCHRONIZED: u16 = 0x0020;
/// Fields: `volatile`
pub const ACC_VOLATILE: u16 = 0x0040;
/// Methods: a bridge made by the compiler
pub const ACC_BRIDGE: u16 = 0x0040;
/// Fields: `transient`
pub const ACC_TRANSIENT: u16 = 0x0080;
/// Methods: variable number of arguments
pub const ACC_VARARGS: u16 = 0x0080;
/// Methods: `native`
pub const ACC_NATIVE: u16 = 0x0100;
/// An interface
pub const ACC_INTERFACE: u16 = 0x0200;
/// `abstract`
pub const ACC_ABSTRACT: u16 = 0x0400;
/// Methods: `strictfp`
pub const ACC_STRICT: u16 = 0x0800;
/// Not in the source
pub const ACC_SYNTHETIC: u16 = 0x1000;
/// An annotation interface
pub const ACC_ANNOTATION: u16 = 0x2000;
/// An enum class, or a constant of one
pub const ACC_ENUM: u16 = 0x4000;
/// A module descriptor, not a class
pub const ACC_MODULE: u16 = 0x8000;
/// Formal parameters (`MethodParameters`): declared implicitly in the source
pub const ACC_MANDATED: u16 = 0x8000;
