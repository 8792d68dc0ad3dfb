//! Object layout: the one place that knows headers, array shapes and reference encoding
//! (design.md section 3). Compiled code takes every offset and formula from here.
//!
//! ```text
//! offset 0  u32  lock word: bits 0..2 lock state, bits 2..32 identity hash or monitor index
//! offset 4  u32  class word: the address of the object's `Class`, which lies below 4 GiB
//! offset 8  instance fields, or for arrays the u32 length
//! offset 12 elements of arrays of references and of 2- and 4-byte primitives
//! offset 16 elements of byte, boolean, long and double arrays
//! ```
//!
//! byte[] starts at 16, as on HotSpot, so that `byteArrayViewVarHandle` finds the same
//! indices aligned.

use crate::meta::class::{Class, ClassRef, InstanceKind};
use crate::meta::well_known::{Known, KnownField};

/// A reference to a heap object, wide form (64 bits), or null. Rust code may keep it in locals
/// (stacks are scanned conservatively and pin), never in Rust heap memory.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(transparent)]
pub struct Oop(usize);

/// Offset of the lock word.
pub const LOCK_OFFSET: usize = 0;
/// Offset of the class word.
pub const CLASS_OFFSET: usize = 4;
/// Size of the object header in bytes.
pub const HEADER_BYTES: usize = 8;
/// Offset of an array's length (u32).
pub const ARRAY_LENGTH_OFFSET: usize = 8;
/// Objects are aligned to this many bytes.
pub const OBJECT_ALIGNMENT: usize = 8;
/// Shift of narrow references (base 0).
pub const NARROW_SHIFT: u32 = 3;
/// Size of a reference in the heap.
pub const REF_BYTES: usize = 4;

/// Lock word, bits 0..2: not locked; bits 2..32 are the identity hash (0: none yet).
pub const LOCK_UNLOCKED: u32 = 0;
/// Lock word, bits 0..2: locked by the thread whose lock stack holds the object; hash as above.
pub const LOCK_FAST: u32 = 1;
/// Lock word, bits 0..2: inflated; bits 2..32 index the monitor table, which keeps the hash.
pub const LOCK_INFLATED: u32 = 2;
/// Mask of the lock state.
pub const LOCK_STATE_MASK: u32 = 3;
/// Shift of the hash or monitor index in the lock word.
pub const LOCK_PAYLOAD_SHIFT: u32 = 2;

/// Element kinds, with the `newarray` codes of JVMS table 6.5.newarray-A for primitives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum BasicType {
    Boolean = 4,
    Char = 5,
    Float = 6,
    Double = 7,
    Byte = 8,
    Short = 9,
    Int = 10,
    Long = 11,
    Object = 12,
    Array = 13,
    Void = 14,
}

impl BasicType {
    /// The type that a descriptor starting with `c` denotes.
    pub const fn from_descriptor(c: u8) -> Option<BasicType> {
        Some(match c {
            b'Z' => BasicType::Boolean,
            b'C' => BasicType::Char,
            b'F' => BasicType::Float,
            b'D' => BasicType::Double,
            b'B' => BasicType::Byte,
            b'S' => BasicType::Short,
            b'I' => BasicType::Int,
            b'J' => BasicType::Long,
            b'L' => BasicType::Object,
            b'[' => BasicType::Array,
            b'V' => BasicType::Void,
            _ => return None,
        })
    }

    /// The primitive (or void) with this `newarray` code.
    pub const fn from_code(code: u8) -> Option<BasicType> {
        Some(match code {
            4 => BasicType::Boolean,
            5 => BasicType::Char,
            6 => BasicType::Float,
            7 => BasicType::Double,
            8 => BasicType::Byte,
            9 => BasicType::Short,
            10 => BasicType::Int,
            11 => BasicType::Long,
            _ => return None,
        })
    }

    /// The descriptor character.
    pub const fn descriptor(self) -> u8 {
        match self {
            BasicType::Boolean => b'Z',
            BasicType::Char => b'C',
            BasicType::Float => b'F',
            BasicType::Double => b'D',
            BasicType::Byte => b'B',
            BasicType::Short => b'S',
            BasicType::Int => b'I',
            BasicType::Long => b'J',
            BasicType::Object => b'L',
            BasicType::Array => b'[',
            BasicType::Void => b'V',
        }
    }

    /// The Java keyword of a primitive or void ("int"), or "object"/"array".
    pub const fn java_name(self) -> &'static str {
        match self {
            BasicType::Boolean => "boolean",
            BasicType::Char => "char",
            BasicType::Float => "float",
            BasicType::Double => "double",
            BasicType::Byte => "byte",
            BasicType::Short => "short",
            BasicType::Int => "int",
            BasicType::Long => "long",
            BasicType::Object => "object",
            BasicType::Array => "array",
            BasicType::Void => "void",
        }
    }

    /// Bytes that a field or array element of this type takes in the heap.
    pub const fn heap_bytes(self) -> usize {
        1 << self.log2_bytes()
    }

    /// log2 of [`BasicType::heap_bytes`]. Void has none and gives 0.
    pub const fn log2_bytes(self) -> u32 {
        match self {
            BasicType::Boolean | BasicType::Byte | BasicType::Void => 0,
            BasicType::Char | BasicType::Short => 1,
            BasicType::Int | BasicType::Float | BasicType::Object | BasicType::Array => 2,
            BasicType::Long | BasicType::Double => 3,
        }
    }

    /// Stack or local slots (JVMS 2.6.1): 2 for long and double, 0 for void.
    pub const fn slots(self) -> usize {
        match self {
            BasicType::Long | BasicType::Double => 2,
            BasicType::Void => 0,
            _ => 1,
        }
    }

    /// Whether values are references.
    pub const fn is_reference(self) -> bool {
        matches!(self, BasicType::Object | BasicType::Array)
    }

    /// Offset of element 0 in an array of this element type.
    pub const fn array_base(self) -> usize {
        match self {
            BasicType::Byte | BasicType::Boolean | BasicType::Long | BasicType::Double => 16,
            _ => 12,
        }
    }
}

/// Rounds a size up to the object alignment.
#[inline(always)]
pub const fn align_object(bytes: usize) -> usize {
    (bytes + OBJECT_ALIGNMENT - 1) & !(OBJECT_ALIGNMENT - 1)
}

/// Heap bytes of a live object, header included.
#[inline]
pub fn object_bytes(object: Oop) -> usize {
    let class = object.class();
    if class.is_array() {
        class.array_bytes(object.array_length())
    } else if class.instance_kind == InstanceKind::Mirror {
        super::access::load::<u32>(object, KnownField::ClassMirrorBytes.offset()) as usize
    } else {
        class.instance_bytes()
    }
}

/// Offset of the first static field in a mirror: static references come first, as narrow slots,
/// directly behind the instance fields of `java.lang.Class`, which must be laid out.
pub fn mirror_statics_offset() -> usize {
    Known::Class.get().instance_bytes()
}

/// Address of the first static reference of a mirror, and how many there are.
#[inline]
pub fn mirror_static_slots(mirror: Oop) -> (usize, usize) {
    let count = super::access::load::<u32>(mirror, KnownField::ClassStaticRefs.offset());
    (mirror.address() + mirror_statics_offset(), count as usize)
}

/// Address of the byte and number of the bit that side metadata with one bit per 8 heap bytes
/// (valid-object bits, log bits) at `base` keeps for `object`.
#[inline(always)]
pub const fn side_bit(base: usize, object: usize) -> (usize, u32) {
    (base + (object >> 6), ((object >> 3) & 7) as u32)
}

/// Narrows a wide address (0 stays 0).
#[inline(always)]
pub const fn narrow(address: usize) -> u32 {
    (address >> NARROW_SHIFT) as u32
}

/// Widens a narrow reference (0 stays 0).
#[inline(always)]
pub const fn widen(narrow: u32) -> usize {
    (narrow as usize) << NARROW_SHIFT
}

impl Oop {
    /// The null reference.
    pub const NULL: Oop = Oop(0);

    /// The reference whose object starts at `address`.
    #[inline(always)]
    pub const fn from_address(address: usize) -> Oop {
        Oop(address)
    }

    /// Address of the object, 0 for null.
    #[inline(always)]
    pub const fn address(self) -> usize {
        self.0
    }

    /// Whether this is null.
    #[inline(always)]
    pub const fn is_null(self) -> bool {
        self.0 == 0
    }

    /// `None` for null.
    #[inline(always)]
    pub fn non_null(self) -> Option<Oop> {
        if self.0 == 0 {
            None
        } else {
            Some(self)
        }
    }

    /// The object's class. The object must not be null.
    #[inline(always)]
    pub fn class(self) -> ClassRef {
        debug_assert!(self.0 != 0);
        // SAFETY: a live object's class word is the address of a live Class.
        unsafe { &*(*((self.0 + CLASS_OFFSET) as *const u32) as usize as *const Class) }
    }

    /// The object's class word.
    #[inline(always)]
    pub fn class_word(self) -> u32 {
        // SAFETY: a live object has a header.
        unsafe { *((self.0 + CLASS_OFFSET) as *const u32) }
    }

    /// Length of an array (as unsigned; Java never makes it larger than `i32::MAX`).
    #[inline(always)]
    pub fn array_length(self) -> usize {
        debug_assert!(self.class().is_array());
        // SAFETY: arrays have their length here.
        unsafe { *((self.0 + ARRAY_LENGTH_OFFSET) as *const u32) as usize }
    }
}

impl std::fmt::Debug for Oop {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Oop({:#x})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn narrow_references_reach_32_gib() {
        for a in [0, 4usize << 30, (32 << 30) - 8] {
            assert_eq!(widen(narrow(a)), a);
        }
    }

    #[test]
    fn side_bits_count_8_byte_granules() {
        assert_eq!(side_bit(0x1000, 0), (0x1000, 0));
        assert_eq!(side_bit(0x1000, 8), (0x1000, 1));
        assert_eq!(side_bit(0x1000, 63 * 8), (0x1007, 7));
    }

    #[test]
    fn arrays_have_the_documented_shapes() {
        for (t, base) in [(BasicType::Byte, 16), (BasicType::Long, 16), (BasicType::Int, 12), (BasicType::Object, 12)] {
            assert_eq!(Class::array_layout(t) as u8 as usize, base);
        }
        assert_eq!(align_object(12 + 4), 16);
        assert_eq!(align_object(17), 24);
    }
}
