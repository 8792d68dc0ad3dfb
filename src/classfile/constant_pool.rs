//! The constant pool (JVMS 4.4): where each entry lies in the class file, decoded on demand.
//!
//! [`ConstantPool::parse`] walks the entries once, then checks every cross reference, so that an
//! entry's indices always lead to entries of the right kind. What names and descriptors must look
//! like is checked in `pool_check`.

use super::error::FormatError;
use super::context::Context;
use super::reader::Reader;

/// Constant pool tags (JVMS table 4.4-A).
pub mod tag {
    /// No entry: index 0 and what follows a long or double.
    pub const UNUSABLE: u8 = 0;
    /// CONSTANT_Utf8
    pub const UTF8: u8 = 1;
    /// CONSTANT_Integer
    pub const INTEGER: u8 = 3;
    /// CONSTANT_Float
    pub const FLOAT: u8 = 4;
    /// CONSTANT_Long
    pub const LONG: u8 = 5;
    /// CONSTANT_Double
    pub const DOUBLE: u8 = 6;
    /// CONSTANT_Class
    pub const CLASS: u8 = 7;
    /// CONSTANT_String
    pub const STRING: u8 = 8;
    /// CONSTANT_Fieldref
    pub const FIELDREF: u8 = 9;
    /// CONSTANT_Methodref
    pub const METHODREF: u8 = 10;
    /// CONSTANT_InterfaceMethodref
    pub const INTERFACE_METHODREF: u8 = 11;
    /// CONSTANT_NameAndType
    pub const NAME_AND_TYPE: u8 = 12;
    /// CONSTANT_MethodHandle
    pub const METHOD_HANDLE: u8 = 15;
    /// CONSTANT_MethodType
    pub const METHOD_TYPE: u8 = 16;
    /// CONSTANT_Dynamic
    pub const DYNAMIC: u8 = 17;
    /// CONSTANT_InvokeDynamic
    pub const INVOKE_DYNAMIC: u8 = 18;
    /// CONSTANT_Module
    pub const MODULE: u8 = 19;
    /// CONSTANT_Package
    pub const PACKAGE: u8 = 20;
}

/// A constant. Fields that are `u16` are constant pool indices unless they say otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Constant<'a> {
    /// Not an entry: index 0, the second half of a long or double, or beyond the end.
    Unusable,
    /// Modified UTF-8 bytes.
    Utf8(&'a [u8]),
    /// An int.
    Integer(i32),
    /// A float, as its IEEE 754 bits.
    Float(u32),
    /// A long.
    Long(i64),
    /// A double, as its IEEE 754 bits.
    Double(u64),
    /// A class or array type.
    Class {
        /// Utf8: internal name, or descriptor for an array type.
        name: u16,
    },
    /// A string.
    String {
        /// Utf8: the characters.
        utf8: u16,
    },
    /// A field.
    Fieldref {
        /// Class
        class: u16,
        /// NameAndType
        name_and_type: u16,
    },
    /// A method of a class.
    Methodref {
        /// Class
        class: u16,
        /// NameAndType
        name_and_type: u16,
    },
    /// A method of an interface.
    InterfaceMethodref {
        /// Class
        class: u16,
        /// NameAndType
        name_and_type: u16,
    },
    /// A name and descriptor.
    NameAndType {
        /// Utf8
        name: u16,
        /// Utf8
        descriptor: u16,
    },
    /// A method handle.
    MethodHandle {
        /// Reference kind, 1 to 9 (JVMS table 5.4.3.5-A).
        kind: u8,
        /// Fieldref, Methodref or InterfaceMethodref
        reference: u16,
    },
    /// A method type.
    MethodType {
        /// Utf8
        descriptor: u16,
    },
    /// A dynamically computed constant.
    Dynamic {
        /// Index into BootstrapMethods.
        bootstrap: u16,
        /// NameAndType with a field descriptor
        name_and_type: u16,
    },
    /// A dynamically computed call site.
    InvokeDynamic {
        /// Index into BootstrapMethods.
        bootstrap: u16,
        /// NameAndType with a method descriptor
        name_and_type: u16,
    },
    /// A module (only in module descriptors).
    Module {
        /// Utf8
        name: u16,
    },
    /// A package (only in module descriptors).
    Package {
        /// Utf8: internal form
        name: u16,
    },
}

/// A NameAndType, looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NameAndType<'a> {
    /// The name.
    pub name: &'a [u8],
    /// The field or method descriptor.
    pub descriptor: &'a [u8],
}

/// A Fieldref, Methodref or InterfaceMethodref, looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemberRef<'a> {
    /// Constant pool index of the Class entry.
    pub class_index: u16,
    /// The internal name of the class in which the search starts (a descriptor for arrays).
    pub class_name: &'a [u8],
    /// The member's name.
    pub name: &'a [u8],
    /// The member's descriptor.
    pub descriptor: &'a [u8],
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    /// Where the contents of the entry, after its tag, begin in the class file.
    offset: u32,
    tag: u8,
}

/// The constant pool of a class file.
#[derive(Clone, Debug)]
pub struct ConstantPool<'a> {
    bytes: &'a [u8],
    slots: Vec<Slot>,
}

impl<'a> ConstantPool<'a> {
    /// `constant_pool_count`: one more than the largest index.
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether there is no entry at all.
    pub fn is_empty(&self) -> bool {
        self.slots.len() <= 1
    }

    /// The tag at `index`, [`tag::UNUSABLE`] where there is no entry.
    #[inline]
    pub fn tag(&self, index: u16) -> u8 {
        self.slots.get(usize::from(index)).map_or(tag::UNUSABLE, |slot| slot.tag)
    }

    #[inline]
    fn u16_at(&self, offset: u32) -> u16 {
        let at = offset as usize;
        match self.bytes.get(at..at + 2) {
            Some(b) => u16::from_be_bytes([b[0], b[1]]),
            None => 0,
        }
    }

    #[inline]
    fn array_at<const N: usize>(&self, offset: u32) -> [u8; N] {
        let at = offset as usize;
        self.bytes.get(at..at + N).and_then(|b| b.try_into().ok()).unwrap_or([0; N])
    }

    /// The constant at `index`.
    pub fn get(&self, index: u16) -> Constant<'a> {
        let Some(&Slot { offset, tag }) = self.slots.get(usize::from(index)) else {
            return Constant::Unusable;
        };
        let first = || self.u16_at(offset);
        let second = || self.u16_at(offset + 2);
        match tag {
            tag::UTF8 => Constant::Utf8(self.utf8_at(offset)),
            tag::INTEGER => Constant::Integer(i32::from_be_bytes(self.array_at(offset))),
            tag::FLOAT => Constant::Float(u32::from_be_bytes(self.array_at(offset))),
            tag::LONG => Constant::Long(i64::from_be_bytes(self.array_at(offset))),
            tag::DOUBLE => Constant::Double(u64::from_be_bytes(self.array_at(offset))),
            tag::CLASS => Constant::Class { name: first() },
            tag::STRING => Constant::String { utf8: first() },
            tag::FIELDREF => Constant::Fieldref { class: first(), name_and_type: second() },
            tag::METHODREF => Constant::Methodref { class: first(), name_and_type: second() },
            tag::INTERFACE_METHODREF => {
                Constant::InterfaceMethodref { class: first(), name_and_type: second() }
            }
            tag::NAME_AND_TYPE => Constant::NameAndType { name: first(), descriptor: second() },
            tag::METHOD_HANDLE => {
                let [kind] = self.array_at(offset);
                Constant::MethodHandle { kind, reference: self.u16_at(offset + 1) }
            }
            tag::METHOD_TYPE => Constant::MethodType { descriptor: first() },
            tag::DYNAMIC => Constant::Dynamic { bootstrap: first(), name_and_type: second() },
            tag::INVOKE_DYNAMIC => {
                Constant::InvokeDynamic { bootstrap: first(), name_and_type: second() }
            }
            tag::MODULE => Constant::Module { name: first() },
            tag::PACKAGE => Constant::Package { name: first() },
            _ => Constant::Unusable,
        }
    }

    fn utf8_at(&self, offset: u32) -> &'a [u8] {
        let length = usize::from(self.u16_at(offset));
        let at = offset as usize + 2;
        self.bytes.get(at..at + length).unwrap_or(b"")
    }

    /// The bytes of the Utf8 at `index`; `None` if it is something else.
    #[inline]
    pub fn utf8(&self, index: u16) -> Option<&'a [u8]> {
        match self.slots.get(usize::from(index)) {
            Some(&Slot { offset, tag: tag::UTF8 }) => Some(self.utf8_at(offset)),
            _ => None,
        }
    }

    /// The name of the Class at `index`: internal name, or descriptor of an array type.
    #[inline]
    pub fn class_name(&self, index: u16) -> Option<&'a [u8]> {
        match self.slots.get(usize::from(index)) {
            Some(&Slot { offset, tag: tag::CLASS }) => self.utf8(self.u16_at(offset)),
            _ => None,
        }
    }

    /// The characters of the String at `index`, in modified UTF-8.
    pub fn string(&self, index: u16) -> Option<&'a [u8]> {
        match self.get(index) {
            Constant::String { utf8 } => self.utf8(utf8),
            _ => None,
        }
    }

    /// The NameAndType at `index`.
    pub fn name_and_type(&self, index: u16) -> Option<NameAndType<'a>> {
        match self.get(index) {
            Constant::NameAndType { name, descriptor } => Some(NameAndType {
                name: self.utf8(name)?,
                descriptor: self.utf8(descriptor)?,
            }),
            _ => None,
        }
    }

    /// The Fieldref, Methodref or InterfaceMethodref at `index`.
    pub fn member_ref(&self, index: u16) -> Option<MemberRef<'a>> {
        match self.get(index) {
            Constant::Fieldref { class, name_and_type }
            | Constant::Methodref { class, name_and_type }
            | Constant::InterfaceMethodref { class, name_and_type } => {
                let NameAndType { name, descriptor } = self.name_and_type(name_and_type)?;
                let class_name = self.class_name(class)?;
                Some(MemberRef { class_index: class, class_name, name, descriptor })
            }
            _ => None,
        }
    }

    /// The NameAndType of the Dynamic or InvokeDynamic at `index`, with the index into
    /// BootstrapMethods.
    pub fn dynamic(&self, index: u16) -> Option<(u16, NameAndType<'a>)> {
        match self.get(index) {
            Constant::Dynamic { bootstrap, name_and_type }
            | Constant::InvokeDynamic { bootstrap, name_and_type } => {
                Some((bootstrap, self.name_and_type(name_and_type)?))
            }
            _ => None,
        }
    }

    /// All indices that may be asked for, entries or not.
    pub fn indices(&self) -> std::ops::Range<u16> {
        // constant_pool_count is a u2.
        1..self.slots.len() as u16
    }
}

/// What the walk over the entries found beside them.
pub(super) struct PoolFacts {
    /// The first Module or Package entry's tag: legal in module descriptors only, so that the
    /// class's flags decide what is thrown.
    pub bad_constant: Option<u8>,
    /// The largest BootstrapMethods index used.
    pub max_bootstrap: Option<u16>,
}

impl<'a> ConstantPool<'a> {
    /// Reads the pool at `reader` (`constant_pool_count` first) and checks its cross references
    /// (JVMS 4.4.1 to 4.4.12). The references are not checked when there is a bad constant.
    pub(super) fn parse(
        reader: &mut Reader<'a>,
        context: &Context<'_>,
    ) -> Result<(Self, PoolFacts), FormatError> {
        let major_version = context.major_version;
        reader.need(3)?; // the count and the first tag or the access flags
        let count = reader.u16()?;
        if count == 0 {
            return Err(context.error_with("Illegal constant pool size %u in class file %s", 0));
        }
        let mut facts = PoolFacts { bad_constant: None, max_bootstrap: None };
        let mut slots = Vec::with_capacity(usize::from(count));
        slots.push(Slot { offset: 0, tag: tag::UNUSABLE });
        while slots.len() < usize::from(count) {
            let index = slots.len() as u32;
            let tag = reader.u8()?;
            let offset = reader.position() as u32;
            slots.push(Slot { offset, tag });
            let unsupported = |minimum: u16| {
                if major_version < minimum {
                    Err(context.error_with(
                        "Class file version does not support constant tag %u in class file %s",
                        u32::from(tag),
                    ))
                } else {
                    Ok(())
                }
            };
            // Each entry is followed at least by another's tag or by the access flags, hence one
            // byte more than it has.
            match tag {
                tag::CLASS | tag::STRING => reader.skip_with_tag(2)?,
                tag::FIELDREF
                | tag::METHODREF
                | tag::INTERFACE_METHODREF
                | tag::NAME_AND_TYPE
                | tag::INTEGER
                | tag::FLOAT => reader.skip_with_tag(4)?,
                tag::LONG | tag::DOUBLE => {
                    if index + 1 >= u32::from(count) {
                        return Err(context
                            .error_with("Invalid constant pool entry %u in class file %s", index));
                    }
                    reader.skip_with_tag(8)?;
                    slots.push(Slot { offset: 0, tag: tag::UNUSABLE });
                }
                tag::METHOD_HANDLE => {
                    unsupported(51)?;
                    reader.skip_with_tag(3)?;
                }
                tag::METHOD_TYPE => {
                    unsupported(51)?;
                    reader.skip_with_tag(2)?;
                }
                tag::DYNAMIC | tag::INVOKE_DYNAMIC => {
                    unsupported(if tag == tag::DYNAMIC { 55 } else { 51 })?;
                    reader.need(5)?;
                    let bootstrap = reader.u16()?;
                    facts.max_bootstrap = facts.max_bootstrap.max(Some(bootstrap));
                    reader.skip(2)?;
                }
                tag::UTF8 => {
                    reader.need(2)?;
                    let length = usize::from(reader.u16()?);
                    reader.need(length + 1)?;
                    let text = reader.bytes(length)?;
                    if context.check_format && !super::mutf8::is_valid(text, major_version <= 47) {
                        return Err(context
                            .error("Illegal UTF8 string in constant pool in class file %s"));
                    }
                }
                tag::MODULE | tag::PACKAGE if major_version >= 53 => {
                    reader.skip_with_tag(2)?;
                    facts.bad_constant = facts.bad_constant.or(Some(tag));
                }
                _ => {
                    return Err(context
                        .error_with("Unknown constant tag %u in class file %s", u32::from(tag)));
                }
            }
        }
        let pool = ConstantPool { bytes: reader.whole(), slots };
        if facts.bad_constant.is_none() {
            pool.check_references(context)?;
        }
        Ok((pool, facts))
    }

    /// Every entry's indices must lead to entries of the right kind. HotSpot leaves some of this
    /// out for trusted loaders; we do not, for everything after relies on it.
    fn check_references(&self, context: &Context<'_>) -> Result<(), FormatError> {
        let expect = |index: u16, wanted: u8| {
            if self.tag(index) == wanted {
                Ok(())
            } else {
                Err(bad_index(context, index, ""))
            }
        };
        for index in self.indices() {
            match self.get(index) {
                Constant::Unusable
                | Constant::Utf8(_)
                | Constant::Integer(_)
                | Constant::Float(_)
                | Constant::Long(_)
                | Constant::Double(_) => {}
                Constant::Class { name } => expect(name, tag::UTF8)?,
                Constant::String { utf8 } => expect(utf8, tag::UTF8)?,
                Constant::Fieldref { class, name_and_type }
                | Constant::Methodref { class, name_and_type }
                | Constant::InterfaceMethodref { class, name_and_type } => {
                    expect(class, tag::CLASS)?;
                    expect(name_and_type, tag::NAME_AND_TYPE)?;
                }
                Constant::NameAndType { name, descriptor } => {
                    expect(name, tag::UTF8)?;
                    expect(descriptor, tag::UTF8)?;
                }
                Constant::MethodHandle { kind, reference } => {
                    self.check_method_handle(context, index, kind, reference)?;
                }
                Constant::MethodType { descriptor } => expect(descriptor, tag::UTF8)?,
                Constant::Dynamic { name_and_type, .. }
                | Constant::InvokeDynamic { name_and_type, .. } => {
                    expect(name_and_type, tag::NAME_AND_TYPE)?;
                }
                Constant::Module { name } | Constant::Package { name } => expect(name, tag::UTF8)?,
            }
        }
        Ok(())
    }

    /// JVMS 4.4.8: what a method handle of each kind may refer to.
    fn check_method_handle(
        &self,
        context: &Context<'_>,
        index: u16,
        kind: u8,
        reference: u16,
    ) -> Result<(), FormatError> {
        if reference == 0 || usize::from(reference) >= self.len() {
            return Err(bad_index(context, reference, ""));
        }
        let referred = self.tag(reference);
        let (fits, what) = match kind {
            1..=4 => (referred == tag::FIELDREF, " (not a field)"),
            5 | 8 => (referred == tag::METHODREF, " (not a method)"),
            6 | 7 => (
                referred == tag::METHODREF
                    || (context.major_version >= 52 && referred == tag::INTERFACE_METHODREF),
                " (not a method)",
            ),
            9 => (referred == tag::INTERFACE_METHODREF, " (not an interface method)"),
            _ => {
                return Err(context.error_with(
                    "Bad method handle kind at constant pool index %u in class file %s",
                    u32::from(index),
                ));
            }
        };
        if fits {
            Ok(())
        } else {
            Err(bad_index(context, reference, what))
        }
    }
}

fn bad_index(context: &Context<'_>, index: u16, what: &str) -> FormatError {
    let mut error = context
        .error_with("Invalid constant pool index %u in class file %s", u32::from(index));
    error.message.push_str(what);
    error
}
