//! Field and method descriptors (JVMS 4.3), and the class names within them.

use std::fmt;

/// The type of a field, parameter or return value (JVMS 4.3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FieldType<'a> {
    /// `B`
    Byte,
    /// `C`
    Char,
    /// `D`
    Double,
    /// `F`
    Float,
    /// `I`
    Int,
    /// `J`
    Long,
    /// `S`
    Short,
    /// `Z`
    Boolean,
    /// `V`: only as what a method returns.
    Void,
    /// `Lname;`: the internal name.
    Object(&'a [u8]),
    /// `[`...: an array.
    Array {
        /// Number of dimensions, 1 to 255.
        dims: u8,
        /// The descriptor of the elements of the innermost dimension: a primitive or `Lname;`.
        elem: &'a [u8],
    },
}

impl<'a> FieldType<'a> {
    /// Reads one type off the front of `bytes`; the rest comes with it. `None` if that is not a
    /// type. Names are taken up to the `;` without a look at their characters.
    pub fn parse_prefix(bytes: &'a [u8]) -> Option<(FieldType<'a>, &'a [u8])> {
        let (&first, rest) = bytes.split_first()?;
        let simple = match first {
            b'B' => FieldType::Byte,
            b'C' => FieldType::Char,
            b'D' => FieldType::Double,
            b'F' => FieldType::Float,
            b'I' => FieldType::Int,
            b'J' => FieldType::Long,
            b'S' => FieldType::Short,
            b'Z' => FieldType::Boolean,
            b'V' => FieldType::Void,
            b'L' => {
                let end = rest.iter().position(|&byte| byte == b';')?;
                if end == 0 {
                    return None;
                }
                return Some((FieldType::Object(&rest[..end]), &rest[end + 1..]));
            }
            b'[' => {
                let dims = bytes.iter().position(|&byte| byte != b'[')?;
                let elem_on = &bytes[dims..];
                let (elem, after) = FieldType::parse_prefix(elem_on)?;
                if elem == FieldType::Void {
                    return None;
                }
                let elem = &elem_on[..elem_on.len() - after.len()];
                return Some((FieldType::Array { dims: u8::try_from(dims).ok()?, elem }, after));
            }
            _ => return None,
        };
        Some((simple, rest))
    }

    /// A whole field descriptor; `None` if it is none (`V` is none).
    pub fn parse(descriptor: &'a [u8]) -> Option<FieldType<'a>> {
        match FieldType::parse_prefix(descriptor)? {
            (FieldType::Void, _) => None,
            (field_type, []) => Some(field_type),
            _ => None,
        }
    }

    /// Local variable or operand stack slots: 2 for long and double, 0 for void, else 1.
    pub fn slots(self) -> u16 {
        match self {
            FieldType::Void => 0,
            FieldType::Long | FieldType::Double => 2,
            _ => 1,
        }
    }

    /// Whether it is an object or array.
    pub fn is_reference(self) -> bool {
        matches!(self, FieldType::Object(_) | FieldType::Array { .. })
    }

    /// The letter that starts its descriptor.
    pub fn letter(self) -> u8 {
        match self {
            FieldType::Byte => b'B',
            FieldType::Char => b'C',
            FieldType::Double => b'D',
            FieldType::Float => b'F',
            FieldType::Int => b'I',
            FieldType::Long => b'J',
            FieldType::Short => b'S',
            FieldType::Boolean => b'Z',
            FieldType::Void => b'V',
            FieldType::Object(_) => b'L',
            FieldType::Array { .. } => b'[',
        }
    }
}

/// As in Java source: `int`, `java.lang.String[]`.
impl fmt::Display for FieldType<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match *self {
            FieldType::Byte => "byte",
            FieldType::Char => "char",
            FieldType::Double => "double",
            FieldType::Float => "float",
            FieldType::Int => "int",
            FieldType::Long => "long",
            FieldType::Short => "short",
            FieldType::Boolean => "boolean",
            FieldType::Void => "void",
            FieldType::Object(name) => {
                return f.write_str(&super::mutf8::to_string(name).replace('/', "."));
            }
            FieldType::Array { dims, elem } => {
                match FieldType::parse(elem) {
                    Some(elem) => elem.fmt(f)?,
                    None => f.write_str(&super::mutf8::to_string(elem))?,
                }
                return f.write_str(&"[]".repeat(usize::from(dims)));
            }
        })
    }
}

/// A method descriptor (JVMS 4.3.3), whose form has been checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MethodDescriptor<'a> {
    parameters: &'a [u8],
    return_type: FieldType<'a>,
}

impl<'a> MethodDescriptor<'a> {
    /// `None` if `descriptor` is not a method descriptor. The limit of 255 slots is not its matter.
    pub fn parse(descriptor: &'a [u8]) -> Option<MethodDescriptor<'a>> {
        let inner = descriptor.strip_prefix(b"(")?;
        let mut rest = inner;
        while *rest.first()? != b')' {
            match FieldType::parse_prefix(rest)? {
                (FieldType::Void, _) => return None,
                (_, after) => rest = after,
            }
        }
        let parameters = &inner[..inner.len() - rest.len()];
        match FieldType::parse_prefix(&rest[1..])? {
            (return_type, []) => Some(MethodDescriptor { parameters, return_type }),
            _ => None,
        }
    }

    /// The parameters' types, without the receiver.
    pub fn parameters(&self) -> Parameters<'a> {
        Parameters { rest: self.parameters }
    }

    /// What the method returns.
    pub fn return_type(&self) -> FieldType<'a> {
        self.return_type
    }

    /// Slots that the parameters take, without the receiver.
    pub fn parameter_slots(&self) -> u32 {
        self.parameters().map(|parameter| u32::from(parameter.slots())).sum()
    }

    /// One letter per type, the return type's first: `L` for every reference. Methods of the same
    /// shorty pass their arguments alike.
    pub fn shorty(&self) -> Vec<u8> {
        let letter = |t: FieldType<'_>| if t.is_reference() { b'L' } else { t.letter() };
        std::iter::once(self.return_type).chain(self.parameters()).map(letter).collect()
    }
}

/// Iterator of [`MethodDescriptor::parameters`].
#[derive(Clone, Debug)]
pub struct Parameters<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Parameters<'a> {
    type Item = FieldType<'a>;

    fn next(&mut self) -> Option<FieldType<'a>> {
        let (field_type, rest) = FieldType::parse_prefix(self.rest)?;
        self.rest = rest;
        Some(field_type)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields() {
        assert_eq!(FieldType::parse(b"I"), Some(FieldType::Int));
        assert_eq!(FieldType::parse(b"La/B;"), Some(FieldType::Object(b"a/B")));
        let array = FieldType::Array { dims: 2, elem: b"La/B;" };
        assert_eq!(FieldType::parse(b"[[La/B;"), Some(array));
        assert_eq!(array.to_string(), "a.B[][]");
        for bad in [&b""[..], b"V", b"[V", b"[", b"L;", b"La", b"II", b"La;I", b"Q"] {
            assert_eq!(FieldType::parse(bad), None, "{}", bad.escape_ascii());
        }
        let mut deep = vec![b'['; 255];
        deep.push(b'I');
        assert_eq!(FieldType::parse(&deep), Some(FieldType::Array { dims: 255, elem: b"I" }));
        deep.insert(0, b'[');
        assert_eq!(FieldType::parse(&deep), None);
    }

    #[test]
    fn methods() {
        let d = MethodDescriptor::parse(b"(IJ[DLa/B;)Z").expect("well-formed");
        let parameters: Vec<_> = d.parameters().collect();
        assert_eq!(
            parameters,
            [
                FieldType::Int,
                FieldType::Long,
                FieldType::Array { dims: 1, elem: b"D" },
                FieldType::Object(b"a/B")
            ]
        );
        assert_eq!(d.return_type(), FieldType::Boolean);
        assert_eq!(d.parameter_slots(), 5);
        assert_eq!(d.shorty(), b"ZIJLL");
        assert!(MethodDescriptor::parse(b"()V").is_some());
        for bad in [&b""[..], b"()", b"(V)V", b"(", b"(I", b"()VV", b"()I)", b"I", b"(La)V"] {
            assert_eq!(MethodDescriptor::parse(bad), None, "{}", bad.escape_ascii());
        }
    }
}
