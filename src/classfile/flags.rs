//! Which combinations of access flags are legal (JVMS 4.1, 4.5, 4.6), by class file version.

use super::access::*;
use super::context::Context;
use super::error::FormatError;
use super::mutf8;

/// The flags of a class that count; others are ignored (JVMS 4.1).
pub(super) const CLASS_FLAGS: u16 = ACC_PUBLIC
    | ACC_FINAL
    | ACC_SUPER
    | ACC_INTERFACE
    | ACC_ABSTRACT
    | ACC_ANNOTATION
    | ACC_ENUM
    | ACC_SYNTHETIC;

/// The flags that count in InnerClasses (JVMS 4.7.6), `ACC_SUPER` with them as in HotSpot.
pub(super) const INNER_CLASS_FLAGS: u16 = CLASS_FLAGS | ACC_PRIVATE | ACC_PROTECTED | ACC_STATIC;

/// The flags of a field that count (JVMS 4.5).
pub(super) const FIELD_FLAGS: u16 = ACC_PUBLIC
    | ACC_PRIVATE
    | ACC_PROTECTED
    | ACC_STATIC
    | ACC_FINAL
    | ACC_VOLATILE
    | ACC_TRANSIENT
    | ACC_ENUM
    | ACC_SYNTHETIC;

/// The flags of a method that count (JVMS 4.6).
pub(super) const METHOD_FLAGS: u16 = ACC_PUBLIC
    | ACC_PRIVATE
    | ACC_PROTECTED
    | ACC_STATIC
    | ACC_FINAL
    | ACC_SYNCHRONIZED
    | ACC_BRIDGE
    | ACC_VARARGS
    | ACC_NATIVE
    | ACC_ABSTRACT
    | ACC_STRICT
    | ACC_SYNTHETIC;

fn visibilities(flags: u16) -> u32 {
    (flags & (ACC_PUBLIC | ACC_PRIVATE | ACC_PROTECTED)).count_ones()
}

impl Context<'_> {
    /// The flags of a class or InnerClasses entry, already reduced to those that count, with
    /// `ACC_MODULE` left in from version 53 on.
    pub fn check_class_flags(&self, flags: u16) -> Result<(), FormatError> {
        if flags & ACC_MODULE != 0 {
            return Err(FormatError::no_class_def(format!(
                "{} is not a class because access_flag ACC_MODULE is set",
                mutf8::to_string(self.class_name)
            )));
        }
        if !self.check_format {
            return Ok(());
        }
        let has = |flag: u16| flags & flag != 0;
        let recent = self.major_version >= 49;
        let illegal = (has(ACC_ABSTRACT) && has(ACC_FINAL))
            || (has(ACC_INTERFACE) && !has(ACC_ABSTRACT))
            || (recent && has(ACC_INTERFACE) && has(ACC_SUPER | ACC_ENUM))
            || (recent && !has(ACC_INTERFACE) && has(ACC_ANNOTATION));
        if illegal {
            Err(FormatError::class_format(format!(
                "Illegal class modifiers in class {}: 0x{flags:X}",
                mutf8::to_string(self.class_name)
            )))
        } else {
            Ok(())
        }
    }

    /// The flags of a field, already reduced to those that count.
    pub fn check_field_flags(&self, flags: u16, interface: bool) -> Result<(), FormatError> {
        if !self.check_format {
            return Ok(());
        }
        let has = |flag: u16| flags & flag != 0;
        let illegal = if interface {
            let required = ACC_PUBLIC | ACC_STATIC | ACC_FINAL;
            flags & required != required
                || has(ACC_PRIVATE | ACC_PROTECTED | ACC_VOLATILE | ACC_TRANSIENT)
                || (self.major_version >= 49 && has(ACC_ENUM))
        } else {
            visibilities(flags) > 1 || (has(ACC_FINAL) && has(ACC_VOLATILE))
        };
        if illegal {
            Err(FormatError::class_format(format!(
                "Illegal field modifiers in class {}: 0x{flags:X}",
                mutf8::to_string(self.class_name)
            )))
        } else {
            Ok(())
        }
    }

    /// The flags of a method other than `<clinit>`, as they stand in the class file.
    pub fn check_method_flags(
        &self,
        flags: u16,
        interface: bool,
        name: &[u8],
    ) -> Result<(), FormatError> {
        if !self.check_format {
            return Ok(());
        }
        let has = |flag: u16| flags & flag != 0;
        let major = self.major_version;
        // Until 17 strictfp could not go with abstract.
        let strict = if major < 61 { ACC_STRICT } else { 0 };
        let illegal = if interface {
            if major >= 52 {
                has(ACC_PUBLIC) == has(ACC_PRIVATE)
                    || has(ACC_NATIVE | ACC_PROTECTED | ACC_FINAL | ACC_SYNCHRONIZED)
                    || (has(ACC_ABSTRACT) && has(ACC_PRIVATE | ACC_STATIC | strict))
            } else if major >= 49 {
                !has(ACC_PUBLIC)
                    || !has(ACC_ABSTRACT)
                    || has(ACC_PRIVATE | ACC_PROTECTED | ACC_STATIC | ACC_FINAL)
                    || has(ACC_SYNCHRONIZED | ACC_NATIVE | ACC_STRICT)
            } else {
                !has(ACC_PUBLIC) || !has(ACC_ABSTRACT) || has(ACC_STATIC | ACC_FINAL | ACC_NATIVE)
            }
        } else if visibilities(flags) > 1 {
            true
        } else if name == b"<init>" {
            has(ACC_STATIC | ACC_FINAL | ACC_SYNCHRONIZED | ACC_NATIVE | ACC_ABSTRACT)
                || (major >= 49 && has(ACC_BRIDGE))
        } else {
            has(ACC_ABSTRACT)
                && (has(ACC_FINAL | ACC_NATIVE | ACC_PRIVATE | ACC_STATIC)
                    || (major >= 49 && has(ACC_SYNCHRONIZED | strict)))
        };
        if illegal {
            Err(FormatError::class_format(format!(
                "Method {} in class {} has illegal modifiers: 0x{flags:X}",
                mutf8::to_string(name),
                mutf8::to_string(self.class_name)
            )))
        } else {
            Ok(())
        }
    }
}
