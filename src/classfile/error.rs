//! What a class file is parsed under, and how its rejection is told.

use std::fmt;

/// The newest class file version (JVMS 4.1) this virtual machine understands: Java SE 17.
pub const MAX_MAJOR_VERSION: u16 = 61;
/// The oldest class file version understood: JDK 1.0.2.
pub const MIN_MAJOR_VERSION: u16 = 45;
/// The minor version that marks a class file compiled with preview features.
pub const PREVIEW_MINOR_VERSION: u16 = 65535;

/// What the loader knows and wants of the class that it hands to [`crate::classfile::parse`].
#[derive(Clone, Copy, Debug)]
pub struct ParseOptions<'o> {
    /// The internal name (modified UTF-8, `java/lang/Object`) that the loader asked for. A class
    /// file that defines another class is a `NoClassDefFoundError`. `None`: any name will do.
    pub expected_name: Option<&'o [u8]>,
    /// Whether the checks of JVMS 4.8 that the virtual machine itself does not rely on are made.
    /// HotSpot (and we) leave them out for the boot and platform loaders: see
    /// `-XX:BytecodeVerificationLocal`. Indices and lengths are checked either way.
    pub check_format: bool,
    /// Whether the characters of names are left unchecked though formats are checked: HotSpot's
    /// `_relax_verify`, true for the boot and platform loaders unless everything is verified.
    pub relax_names: bool,
    /// `--enable-preview`.
    pub preview_enabled: bool,
    /// A hidden class: its `this_class` name is replaced by the caller, so `expected_name` is not
    /// compared.
    pub hidden: bool,
    /// Whether the annotations by which the class library talks to the virtual machine
    /// ([`crate::classfile::VmAnnotations`]) are honoured: true for the boot and platform loaders
    /// and for hidden classes defined with vm access; anybody else could lie.
    pub vm_annotations: bool,
    /// Whether `@Contended` is honoured: of classes that `vm_annotations` is true for, and of all others under
    /// `-XX:-RestrictContended`; of none under `-XX:-EnableContended`.
    pub contended: bool,
}

impl Default for ParseOptions<'_> {
    /// What a class of an application loader is parsed under: everything checked, nothing trusted.
    fn default() -> Self {
        ParseOptions {
            expected_name: None,
            check_format: true,
            relax_names: false,
            preview_enabled: false,
            hidden: false,
            vm_annotations: false,
            contended: false,
        }
    }
}

/// Why a class file was rejected: the Java exception to throw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormatError {
    /// The internal name of the exception's class, `java/lang/ClassFormatError` and the like.
    pub class: &'static str,
    /// Its message, as HotSpot words it.
    pub message: String,
    /// What HotSpot would have looked for before it came to the mistake; where that fails, it is
    /// what is thrown.
    pub interfaces: Option<Box<InterfacesRead>>,
}

/// Direct superinterfaces read before a mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InterfacesRead {
    /// The internal name of the class being read.
    pub class_name: Vec<u8>,
    /// The internal names of the interfaces, in order.
    pub names: Vec<Vec<u8>>,
}

impl FormatError {
    fn new(class: &'static str, message: impl Into<String>) -> Self {
        FormatError { class, message: message.into(), interfaces: None }
    }
    /// A `java.lang.ClassFormatError`.
    pub fn class_format(message: impl Into<String>) -> Self {
        FormatError::new("java/lang/ClassFormatError", message)
    }
    /// A `java.lang.UnsupportedClassVersionError`.
    pub fn unsupported_version(message: impl Into<String>) -> Self {
        FormatError::new("java/lang/UnsupportedClassVersionError", message)
    }
    /// A `java.lang.NoClassDefFoundError`.
    pub fn no_class_def(message: impl Into<String>) -> Self {
        FormatError::new("java/lang/NoClassDefFoundError", message)
    }
    /// A `java.lang.IncompatibleClassChangeError`.
    pub fn incompatible_change(message: impl Into<String>) -> Self {
        FormatError::new("java/lang/IncompatibleClassChangeError", message)
    }
}

impl fmt::Display for FormatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.class.replace('/', "."), self.message)
    }
}

impl std::error::Error for FormatError {}
