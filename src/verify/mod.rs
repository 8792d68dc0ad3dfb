//! The type-checking verifier (JVMS 4.10.1), for class files of version 50 and up.
//!
//! [`verify_class`] proves of every method of a class that its instructions are whole and get the
//! operands they need, in one pass that takes what merges where from the StackMapTable attribute.
//! The interpreter and the compilers rely on it: what it has passed, they do not check again.
//!
//! It knows one class file. What it must know of other classes it asks the linker, through
//! [`VerifyEnv`], in the order and only where HotSpot does, because a class loader written in Java
//! sees every question. Failures carry HotSpot's text to the byte.
//!
//! - [`class`]: what belongs to the class: names, translated constants, assignability.
//! - [`method`]: the pass over a method's code, instruction by instruction.
//! - [`operands`], [`members`]: instructions at large, and those that name fields and methods.
//! - [`frame`]: the current types of local variables and operand stack.
//! - [`stackmap`]: the StackMapTable, decoded, and matching frames with it.
//! - [`throws`]: a look at the handlers around constructor calls.
//! - [`opcodes`], [`types`], [`error`]: instruction set, verification types, texts.
//!
//! Class files before version 50 have no stack maps: they go to the JDK's `libverify`.

#![forbid(unsafe_code)]

mod class;
mod error;
mod frame;
mod members;
mod method;
mod opcodes;
mod operands;
mod stackmap;
mod throws;
mod types;

use crate::classfile::{mutf8, ClassFile};

/// The first class file version with StackMapTable (JVMS 4.10): older classes are not ours.
pub const FIRST_MAJOR_VERSION: u16 = 50;

/// The first class file version without the way back to the old verifier.
const NO_FAILOVER_MAJOR_VERSION: u16 = 51;

/// What the verifier asks the virtual machine about other classes.
///
/// Names are internal names in modified UTF-8, or descriptors for array types. To *load* a class
/// means to have the defining loader of the class being verified load it, with that class's
/// protection domain. A hidden class's own name stands for itself and is never loaded.
pub trait VerifyEnv {
    /// An exception pending in the virtual machine, which ends the verification.
    type Error;

    /// Loads the class `name`, for the sake of loading it only.
    ///
    /// # Errors
    /// What loading threw.
    fn load(&mut self, name: &[u8]) -> Result<(), Self::Error>;

    /// Whether a reference of type `from` may be used as one of type `to` (JVMS 4.10.1.2,
    /// `isJavaAssignable`), where that takes loading classes: `to` is a class or interface other
    /// than `java/lang/Object`, `from` is another class or interface, or an array.
    ///
    /// First `to` is loaded. If it is an interface, anything may be used but arrays, which must be
    /// used as `java/lang/Cloneable` or `java/io/Serializable` (those of the boot loader); except
    /// that when `protected_access` is set, and `from` is `java/lang/Object`, an interface is
    /// treated like a class. If it is a class, an array may not be used; otherwise `from` is
    /// loaded, and must be that class or a subclass of it.
    ///
    /// # Errors
    /// What loading threw.
    fn is_assignable(
        &mut self,
        from: &[u8],
        to: &[u8],
        protected_access: bool,
    ) -> Result<bool, Self::Error>;

    /// Whether a proper superclass of the class being verified has this name. Loads nothing: the
    /// superclasses are there already.
    fn is_superclass_name(&mut self, name: &[u8]) -> bool;

    /// Whether access to a field is restricted by JVMS 4.10.1.8: loads `class`, which is the name
    /// of a superclass; whether it is indeed a superclass of the class being verified, and field
    /// lookup (JVMS 5.4.3.2) from there finds a protected field declared in a class of another
    /// runtime package than that of the class being verified. False if no such field is found.
    ///
    /// # Errors
    /// What loading threw.
    fn is_protected_field(
        &mut self,
        class: &[u8],
        name: &[u8],
        descriptor: &[u8],
    ) -> Result<bool, Self::Error>;

    /// The same for a method, `<init>` included, that is looked up in `class` and its superclasses
    /// (not in interfaces).
    ///
    /// # Errors
    /// What loading threw.
    fn is_protected_method(
        &mut self,
        class: &[u8],
        name: &[u8],
        descriptor: &[u8],
    ) -> Result<bool, Self::Error>;
}

/// Why a class did not pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VerifyFailure<E> {
    /// Throw this.
    Error(VerifyError),
    /// A class file of version 50: the old verifier (the JDK's `libverify`) decides. If it rejects
    /// the class too, the exception is of the class it says, but its message is this one's.
    NeedsOldVerifier(VerifyError),
    /// The environment has an exception pending.
    Pending(E),
}

/// An error to throw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifyError {
    /// The internal name of its class: `java/lang/VerifyError` or `java/lang/ClassFormatError`.
    pub class: &'static str,
    /// Its message, of several lines. Characters that Unicode does not have (lone surrogates in
    /// names) are U+FFFD in it.
    pub message: String,
}

/// Verifies every method of `cls` that has code, in the order of the class file. (HotSpot takes
/// them in the order of the addresses of their names, which is nobody's to rely on.)
///
/// Which classes are to be verified is the caller's to know. HotSpot leaves out those of the boot
/// loader (unless `-XX:+BytecodeVerificationLocal`), always `java/lang/Object`, `Class`, `String`
/// and `Throwable`, and subclasses of `jdk/internal/reflect/MagicAccessorImpl`.
///
/// # Errors
/// The first failure found, or what `env` had pending.
///
/// # Panics
/// If the class file is older than [`FIRST_MAJOR_VERSION`].
pub fn verify_class<E>(
    cls: &ClassFile,
    env: &mut dyn VerifyEnv<Error = E>,
) -> Result<(), VerifyFailure<E>> {
    verify(cls, None, env)
}

/// The same for a hidden class, whose name is `name` (with its `+` suffix) in place of what
/// `this_class` in the class file says.
///
/// # Errors
/// As for [`verify_class`].
///
/// # Panics
/// As for [`verify_class`].
pub fn verify_hidden_class<E>(
    cls: &ClassFile,
    name: &[u8],
    env: &mut dyn VerifyEnv<Error = E>,
) -> Result<(), VerifyFailure<E>> {
    verify(cls, Some(name), env)
}

fn verify<E>(
    cls: &ClassFile,
    hidden_name: Option<&[u8]>,
    env: &mut dyn VerifyEnv<Error = E>,
) -> Result<(), VerifyFailure<E>> {
    assert!(
        cls.major_version >= FIRST_MAJOR_VERSION,
        "class file version {} has no stack maps to verify by",
        cls.major_version
    );
    let failure = match class::ClassVerifier::new(cls, hidden_name, env).verify() {
        Ok(()) => return Ok(()),
        Err(Stop::Pending(error)) => return Err(VerifyFailure::Pending(error)),
        Err(Stop::Failure(failure)) => *failure,
    };
    let error = VerifyError { class: failure.class, message: mutf8::to_string(&failure.message) };
    if failure.may_fail_over && cls.major_version < NO_FAILOVER_MAJOR_VERSION {
        Err(VerifyFailure::NeedsOldVerifier(error))
    } else {
        Err(VerifyFailure::Error(error))
    }
}

/// What ends a verification early.
enum Stop<E> {
    Failure(Box<Failure>),
    Pending(E),
}

/// A class that is rejected.
struct Failure {
    class: &'static str,
    /// Modified UTF-8.
    message: Vec<u8>,
    /// False for what HotSpot throws at once, without asking the old verifier.
    may_fail_over: bool,
}

const VERIFY_ERROR: &str = "java/lang/VerifyError";
const CLASS_FORMAT_ERROR: &str = "java/lang/ClassFormatError";
