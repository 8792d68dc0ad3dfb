//! Verification types (JVMS 4.10.1.2) and the names that they refer to.

use std::borrow::Cow;

/// The number of a class or array name in [`Names`]: equal numbers, equal names.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub(super) struct NameId(u32);

/// What is known of one local variable or operand stack slot.
///
/// The types of JVMS 4.10.1.2, with a long or double as two slots (`Long`, `Long2`), and the types
/// narrower than int, which only arise as return types and array components.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum VType {
    /// Nothing known, not usable.
    Top,
    Integer,
    Float,
    Long,
    Long2,
    Double,
    Double2,
    Null,
    Boolean,
    Byte,
    Short,
    Char,
    /// `this` in a constructor before it has called another one.
    UninitializedThis,
    /// The result of the `new` at this bytecode index, before its constructor has been called.
    Uninitialized(u16),
    /// A class, interface or array.
    Ref(NameId),
}

/// What an instruction asks of an operand without naming a type; or a type.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Want {
    /// Assignable to this type.
    Type(VType),
    /// Any reference, initialized or not.
    Reference,
    /// Any one-slot value.
    Category1,
    /// The first slot of a long or double.
    Category2,
}

impl VType {
    /// Whether it is a one-slot value.
    pub(super) fn is_category1(self) -> bool {
        !matches!(self, VType::Top | VType::Long | VType::Long2 | VType::Double | VType::Double2)
    }
    /// Whether it is the first slot of a two-slot value.
    pub(super) fn is_category2(self) -> bool {
        matches!(self, VType::Long | VType::Double)
    }
    /// Whether it is the second slot of a two-slot value.
    pub(super) fn is_category2_2nd(self) -> bool {
        matches!(self, VType::Long2 | VType::Double2)
    }
    /// Whether it is null, a class or an array.
    pub(super) fn is_reference(self) -> bool {
        matches!(self, VType::Null | VType::Ref(_))
    }
    /// Whether it is an object whose constructor has not been called.
    pub(super) fn is_uninitialized(self) -> bool {
        matches!(self, VType::UninitializedThis | VType::Uninitialized(_))
    }
    /// The second slot that belongs to the first slot of a two-slot value.
    pub(super) fn second(self) -> Option<VType> {
        match self {
            VType::Long => Some(VType::Long2),
            VType::Double => Some(VType::Double2),
            _ => None,
        }
    }
}

/// The names met while a class is verified, each once. Lives as long as one class's verification,
/// so most names are borrowed from the class file.
pub(super) struct Names<'a> {
    names: Vec<Cow<'a, [u8]>>,
    /// Open addressing; 0 is free, otherwise the index in `names` plus one. A power of two long.
    table: Vec<u32>,
}

impl<'a> Names<'a> {
    pub(super) fn new() -> Self {
        Names { names: Vec::with_capacity(64), table: vec![0; 128] }
    }

    /// The number of a name.
    pub(super) fn intern(&mut self, name: Cow<'a, [u8]>) -> NameId {
        if (self.names.len() + 1) * 2 > self.table.len() {
            self.grow();
        }
        let mut slot = self.slot(&name);
        loop {
            match self.table[slot] {
                0 => {
                    self.names.push(name);
                    self.table[slot] = self.names.len() as u32;
                    return NameId(self.names.len() as u32 - 1);
                }
                found if self.names[found as usize - 1] == name => return NameId(found - 1),
                _ => slot = (slot + 1) & (self.table.len() - 1),
            }
        }
    }

    /// The name with this number.
    pub(super) fn get(&self, id: NameId) -> &[u8] {
        &self.names[id.0 as usize]
    }

    /// `id` without its first `skip` and last `drop` bytes, as a name of its own.
    fn part(&mut self, id: NameId, skip: usize, drop: usize) -> NameId {
        let part = match &self.names[id.0 as usize] {
            Cow::Borrowed(name) => Cow::Borrowed(&name[skip..name.len() - drop]),
            Cow::Owned(name) => Cow::Owned(name[skip..name.len() - drop].to_vec()),
        };
        self.intern(part)
    }

    fn slot(&self, name: &[u8]) -> usize {
        let mut hash: u64 = name.len() as u64;
        for chunk in name.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            hash = (hash.rotate_left(5) ^ u64::from_le_bytes(word))
                .wrapping_mul(0x517c_c1b7_2722_0a95);
        }
        (hash >> 32) as usize & (self.table.len() - 1)
    }

    fn grow(&mut self) {
        self.table = vec![0; self.table.len() * 2];
        for index in 0..self.names.len() {
            let mut slot = self.slot(&self.names[index]);
            while self.table[slot] != 0 {
                slot = (slot + 1) & (self.table.len() - 1);
            }
            self.table[slot] = index as u32 + 1;
        }
    }

    /// Whether the type is an array.
    pub(super) fn is_array(&self, ty: VType) -> bool {
        matches!(ty, VType::Ref(id) if matches!(self.get(id), [b'[', _, ..]))
    }

    /// Whether the type is a class or interface.
    pub(super) fn is_object(&self, ty: VType) -> bool {
        matches!(ty, VType::Ref(id) if matches!(self.get(id), [first, ..] if *first != b'['))
    }

    /// Whether the type is null or an array whose component descriptor starts with `component`.
    pub(super) fn is_array_of(&self, ty: VType, component: u8) -> bool {
        match ty {
            VType::Null => true,
            VType::Ref(id) => matches!(self.get(id), [b'[', c, ..] if *c == component),
            _ => false,
        }
    }

    /// Number of array dimensions.
    pub(super) fn dimensions(&self, ty: VType) -> usize {
        match ty {
            VType::Ref(id) => self.get(id).iter().take_while(|&&c| c == b'[').count(),
            _ => 0,
        }
    }

    /// The component type of an array; `Top` for what is no array descriptor.
    pub(super) fn component(&mut self, array: VType) -> VType {
        let VType::Ref(id) = array else { return VType::Top };
        match self.get(id) {
            [b'[', b'[', ..] => VType::Ref(self.part(id, 1, 0)),
            [b'[', b'L', .., b';'] => VType::Ref(self.part(id, 2, 1)),
            [b'[', primitive] => primitive_type(*primitive).unwrap_or(VType::Top),
            _ => VType::Top,
        }
    }

    /// The array with this component type, which is a class or array.
    pub(super) fn array_of(&mut self, component: NameId) -> NameId {
        let name = self.get(component);
        let mut array = Vec::with_capacity(name.len() + 3);
        array.push(b'[');
        if name.first() == Some(&b'[') {
            array.extend_from_slice(name);
        } else {
            array.push(b'L');
            array.extend_from_slice(name);
            array.push(b';');
        }
        self.intern(Cow::Owned(array))
    }

    /// Appends the type as HotSpot's verifier prints it.
    pub(super) fn print(&self, ty: VType, out: &mut Vec<u8>) {
        let text = match ty {
            VType::Top => "top",
            VType::Integer => "integer",
            VType::Float => "float",
            VType::Long => "long",
            VType::Long2 => "long_2nd",
            VType::Double => "double",
            VType::Double2 => "double_2nd",
            VType::Null => "null",
            VType::Boolean => "boolean",
            VType::Byte => "byte",
            VType::Short => "short",
            VType::Char => "char",
            VType::UninitializedThis => "uninitializedThis",
            VType::Uninitialized(bci) => {
                out.extend_from_slice(format!("uninitialized {bci}").as_bytes());
                return;
            }
            VType::Ref(id) => {
                out.push(b'\'');
                out.extend_from_slice(self.get(id));
                out.push(b'\'');
                return;
            }
        };
        out.extend_from_slice(text.as_bytes());
    }
}

/// The type that a primitive's descriptor character stands for.
pub(super) fn primitive_type(descriptor: u8) -> Option<VType> {
    Some(match descriptor {
        b'Z' => VType::Boolean,
        b'B' => VType::Byte,
        b'C' => VType::Char,
        b'S' => VType::Short,
        b'I' => VType::Integer,
        b'J' => VType::Long,
        b'F' => VType::Float,
        b'D' => VType::Double,
        _ => return None,
    })
}
