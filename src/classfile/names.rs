//! Which names and descriptors are legal (JVMS 4.2.2, 4.3), with HotSpot's stricter rules for class
//! files before version 49.
//!
//! Those rules want Java identifiers. HotSpot asks `java.lang.Character` about characters beyond
//! ASCII; we let all of them pass, as JVMS has since said for class files of any version.

use super::context::Context;
use super::error::FormatError;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Class,
    Field,
    Method,
}

/// JVMS 4.2.2: no `.`, `;` or `[`; `/` only between the parts of class names; `<` and `>` not in
/// method names.
fn is_unqualified(name: &[u8], kind: Kind) -> bool {
    if name.is_empty() {
        return false;
    }
    let mut after_slash = true;
    for &byte in name {
        match byte {
            b'.' | b';' | b'[' => return false,
            b'/' if kind != Kind::Class || after_slash => return false,
            b'<' | b'>' if kind == Kind::Method => return false,
            _ => {}
        }
        after_slash = byte == b'/';
    }
    !(after_slash && kind == Kind::Class)
}

/// Whether `name` will do for a package in internal form, or a module: HotSpot checks both like
/// class names.
pub fn is_legal_package_or_module_name(name: &[u8]) -> bool {
    is_unqualified(name, Kind::Class)
}

/// The length of the identifier at the start of `bytes`, with `/` between identifiers if
/// `slashes`. `None`: there is none, or there are two slashes in a row.
fn identifier_length(bytes: &[u8], slashes: bool) -> Option<usize> {
    let mut last_is_slash = false;
    for (at, &byte) in bytes.iter().enumerate() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'_' | b'$' | 0x80.. => last_is_slash = false,
            b'0'..=b'9' if at > 0 => last_is_slash = false,
            b'/' if slashes => {
                if last_is_slash {
                    return None;
                }
                last_is_slash = true;
            }
            _ => return (at > 0).then_some(at),
        }
    }
    (!bytes.is_empty()).then_some(bytes.len())
}

impl Context<'_> {
    fn names_are_checked(&self) -> bool {
        self.check_format && !self.relax_names
    }

    /// Before version 49 a name must be an identifier.
    fn is_old_identifier(&self, name: &[u8], slashes: bool) -> bool {
        identifier_length(name, slashes) == Some(name.len())
    }

    fn illegal_name(&self, kind: &str, name: &[u8], place: &str) -> FormatError {
        let text = format!("Illegal {kind} name \"%s\" in {place} %s");
        self.error_about(&text, &[name])
    }

    /// The name of a Class entry: a class's internal name or an array type's descriptor.
    pub fn check_class_name(&self, name: &[u8]) -> Result<(), FormatError> {
        if !self.names_are_checked() {
            return Ok(());
        }
        let legal = if name.first() == Some(&b'[') {
            self.field_descriptor_length(name, false)? == Some(name.len())
        } else if self.major_version < 49 {
            self.is_old_identifier(name, true)
        } else {
            is_unqualified(name, Kind::Class)
        };
        if legal {
            Ok(())
        } else {
            Err(self.illegal_name("class", name, "class file"))
        }
    }

    /// The name of a field or local variable.
    pub fn check_field_name(&self, name: &[u8]) -> Result<(), FormatError> {
        if !self.names_are_checked() {
            return Ok(());
        }
        let legal = if self.major_version < 49 {
            self.is_old_identifier(name, false)
        } else {
            is_unqualified(name, Kind::Field)
        };
        if legal {
            Ok(())
        } else {
            Err(self.illegal_name("field", name, "class"))
        }
    }

    /// The name of a method.
    pub fn check_method_name(&self, name: &[u8]) -> Result<(), FormatError> {
        if !self.names_are_checked() {
            return Ok(());
        }
        let legal = match name {
            b"<init>" | b"<clinit>" => true,
            [b'<', ..] => false,
            _ if self.major_version < 49 => self.is_old_identifier(name, false),
            _ => is_unqualified(name, Kind::Method),
        };
        if legal {
            Ok(())
        } else {
            Err(self.illegal_name("method", name, "class"))
        }
    }

    /// The length of the field descriptor (or `V` if `void`) at the start of `bytes`; `None` if
    /// there is none.
    fn field_descriptor_length(
        &self,
        bytes: &[u8],
        void: bool,
    ) -> Result<Option<usize>, FormatError> {
        let dims = bytes.iter().take_while(|&&byte| byte == b'[').count();
        if dims > 255 {
            return Err(
                self.error("Array type descriptor has more than 255 dimensions in class file %s")
            );
        }
        let Some((&first, rest)) = bytes[dims..].split_first() else { return Ok(None) };
        Ok(match first {
            b'V' => (void && dims == 0).then_some(1),
            b'B' | b'C' | b'D' | b'F' | b'I' | b'J' | b'S' | b'Z' => Some(dims + 1),
            b'L' if self.major_version < 49 => {
                identifier_length(rest, true)
                    .filter(|&length| rest.get(length) == Some(&b';'))
                    .map(|length| dims + length + 2)
            }
            b'L' => match rest.iter().position(|&byte| byte == b';') {
                Some(length) if is_unqualified(&rest[..length], Kind::Class) => {
                    Some(dims + length + 2)
                }
                Some(_) => {
                    return Err(self.error(
                        "Class name is empty or contains illegal character in descriptor \
                         in class file %s",
                    ));
                }
                None => None,
            },
            _ => None,
        })
    }

    /// `descriptor`, of a field called `name`, must be a field descriptor.
    pub fn check_field_descriptor(
        &self,
        name: &[u8],
        descriptor: &[u8],
    ) -> Result<(), FormatError> {
        if self.field_descriptor_length(descriptor, false)? == Some(descriptor.len()) {
            Ok(())
        } else {
            Err(self.illegal_signature("Field", name, descriptor))
        }
    }

    /// `descriptor`, of a method called `name`, must be a method descriptor. Returns the slots that
    /// its parameters take, without the receiver.
    pub fn check_method_descriptor(
        &self,
        name: &[u8],
        descriptor: &[u8],
    ) -> Result<u32, FormatError> {
        let illegal = || self.illegal_signature("Method", name, descriptor);
        if name == b"<clinit>" && descriptor != b"()V" && self.major_version >= 51 {
            return Err(illegal());
        }
        let mut rest = descriptor.strip_prefix(b"(").ok_or_else(illegal)?;
        let mut slots = 0;
        while let Some(length) = self.field_descriptor_length(rest, false)? {
            slots += if matches!(rest[0], b'J' | b'D') { 2 } else { 1 };
            rest = &rest[length..];
        }
        let result = rest.strip_prefix(b")").ok_or_else(illegal)?;
        let legal = if name.first() == Some(&b'<') {
            result == b"V"
        } else {
            self.field_descriptor_length(result, true)? == Some(result.len()) && !result.is_empty()
        };
        if legal {
            Ok(slots)
        } else {
            Err(illegal())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context(major_version: u16) -> Context<'static> {
        Context { class_name: b"p/A", major_version, check_format: true, relax_names: false }
    }

    #[test]
    fn class_names() {
        let new = context(61);
        for good in [&b"A"[..], b"a/B", b"a b/<c>", b"[I", b"[[La/B;", b"-"] {
            assert_eq!(new.check_class_name(good), Ok(()), "{}", good.escape_ascii());
        }
        for bad in [&b""[..], b"a.b", b"/a", b"a/", b"a//b", b"a;", b"a[", b"[V", b"[La", b"["] {
            let error = new.check_class_name(bad).expect_err("illegal");
            let bad = String::from_utf8_lossy(bad);
            assert_eq!(
                error.message,
                format!("Illegal class name \"{bad}\" in class file p/A")
            );
        }
        let old = context(48);
        assert!(old.check_class_name(b"a/B9$_").is_ok());
        assert!(old.check_class_name("a/é".as_bytes()).is_ok());
        for bad in [&b"a b"[..], b"9a", b"a//b", b"<a>"] {
            assert!(old.check_class_name(bad).is_err(), "{}", bad.escape_ascii());
        }
    }

    #[test]
    fn member_names() {
        let new = context(61);
        assert!(new.check_method_name(b"<init>").is_ok());
        assert!(new.check_method_name(b"a-b").is_ok());
        assert!(new.check_field_name(b"<x>").is_ok());
        for bad in [&b""[..], b"<x>", b"a<", b"a/b", b"a.b", b"a;b", b"a[b"] {
            assert!(new.check_method_name(bad).is_err(), "{}", bad.escape_ascii());
        }
        assert_eq!(
            new.check_field_name(b"a/b").expect_err("slash").message,
            "Illegal field name \"a/b\" in class p/A"
        );
        assert!(context(48).check_method_name(b"a-b").is_err());
    }

    #[test]
    fn descriptors() {
        let new = context(61);
        assert_eq!(new.check_method_descriptor(b"m", b"(IJ[D[[La/B;La/B;)V"), Ok(6));
        assert_eq!(new.check_method_descriptor(b"m", b"()[I"), Ok(0));
        for bad in [&b""[..], b"(", b"()", b"()VV", b"(V)V", b"I", b"(I", b"()[V"] {
            assert_eq!(
                new.check_method_descriptor(b"m", bad).expect_err("illegal").message,
                format!(
                    "Method \"m\" in class p/A has illegal signature \"{}\"",
                    String::from_utf8_lossy(bad)
                )
            );
        }
        assert!(new.check_method_descriptor(b"<init>", b"()I").is_err());
        assert!(new.check_method_descriptor(b"<clinit>", b"(I)V").is_err());
        assert!(context(50).check_method_descriptor(b"<clinit>", b"(I)V").is_ok());
        assert_eq!(
            new.check_field_descriptor(b"f", b"La.b;").expect_err("dot").message,
            "Class name is empty or contains illegal character in descriptor in class file p/A"
        );
        let mut deep = vec![b'['; 256];
        deep.push(b'I');
        assert_eq!(
            new.check_field_descriptor(b"f", &deep).expect_err("deep").message,
            "Array type descriptor has more than 255 dimensions in class file p/A"
        );
    }
}
