//! Types of values and of memory.

use crate::heap::layout::BasicType;
use std::fmt;

/// The type of an SSA value.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Type {
    /// int, and boolean, byte, char, short as JVMS 2.11.1 widens them. The upper half of its register is
    /// undefined.
    I32,
    I64,
    F32,
    F64,
    /// A wide reference, or null. Only values of this type may point into the heap at a safepoint.
    Ref,
    /// A machine address outside the heap: a `Class`, a `Method`, a cell.
    Ptr,
}

impl Type {
    /// The type in which values of `t` are computed; `None` for void.
    pub fn of(t: BasicType) -> Option<Type> {
        Some(match t {
            BasicType::Boolean | BasicType::Char | BasicType::Byte | BasicType::Short | BasicType::Int => Type::I32,
            BasicType::Long => Type::I64,
            BasicType::Float => Type::F32,
            BasicType::Double => Type::F64,
            BasicType::Object | BasicType::Array => Type::Ref,
            BasicType::Void => return None,
        })
    }

    /// Kept in a floating-point register.
    pub fn is_float(self) -> bool {
        matches!(self, Type::F32 | Type::F64)
    }

    /// Takes two slots in an interpreter frame (JVMS 2.6.1).
    pub fn is_two_slots(self) -> bool {
        matches!(self, Type::I64 | Type::F64)
    }

    pub const ALL: [Type; 6] = [Type::I32, Type::I64, Type::F32, Type::F64, Type::Ref, Type::Ptr];
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Type::I32 => "i32",
            Type::I64 => "i64",
            Type::F32 => "f32",
            Type::F64 => "f64",
            Type::Ref => "ref",
            Type::Ptr => "ptr",
        })
    }
}

/// How a value lies in memory, and how loading it widens it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Mem {
    /// Sign-extended byte.
    I8,
    /// Zero-extended byte (boolean).
    U8,
    I16,
    /// Zero-extended 16 bits (char).
    U16,
    I32,
    I64,
    F32,
    F64,
    /// A narrow reference; widened by the load, narrowed and followed by the write barrier at the store.
    Ref,
    /// An unsigned 32-bit address of metadata (class words, method words): a `Ptr`.
    Ptr32,
    /// A 64-bit address outside the heap: a `Ptr`.
    Ptr64,
    /// A reference in VM data: wide, without a barrier.
    WideRef,
}

impl Mem {
    /// How a field or element of type `t` lies in memory.
    ///
    /// # Panics
    /// For void, which no field has.
    pub fn of(t: BasicType) -> Mem {
        match t {
            BasicType::Boolean => Mem::U8,
            BasicType::Byte => Mem::I8,
            BasicType::Char => Mem::U16,
            BasicType::Short => Mem::I16,
            BasicType::Int => Mem::I32,
            BasicType::Long => Mem::I64,
            BasicType::Float => Mem::F32,
            BasicType::Double => Mem::F64,
            BasicType::Object | BasicType::Array => Mem::Ref,
            BasicType::Void => panic!("no field or element is void"),
        }
    }

    /// Type of a loaded value.
    pub fn value_type(self) -> Type {
        match self {
            Mem::I8 | Mem::U8 | Mem::I16 | Mem::U16 | Mem::I32 => Type::I32,
            Mem::I64 => Type::I64,
            Mem::F32 => Type::F32,
            Mem::F64 => Type::F64,
            Mem::Ref | Mem::WideRef => Type::Ref,
            Mem::Ptr32 | Mem::Ptr64 => Type::Ptr,
        }
    }

    /// log2 of the bytes it takes.
    pub fn log2_bytes(self) -> u32 {
        match self {
            Mem::I8 | Mem::U8 => 0,
            Mem::I16 | Mem::U16 => 1,
            Mem::I32 | Mem::F32 | Mem::Ref | Mem::Ptr32 => 2,
            Mem::I64 | Mem::F64 | Mem::Ptr64 | Mem::WideRef => 3,
        }
    }

    /// Offset of element 0 of an array of such elements. `U8` and `I8` alike: boolean[] and byte[].
    pub fn array_base(self) -> usize {
        match self {
            Mem::I8 | Mem::U8 => BasicType::Byte.array_base(),
            Mem::I16 | Mem::U16 => BasicType::Char.array_base(),
            Mem::I32 => BasicType::Int.array_base(),
            Mem::I64 => BasicType::Long.array_base(),
            Mem::F32 => BasicType::Float.array_base(),
            Mem::F64 => BasicType::Double.array_base(),
            Mem::Ref => BasicType::Object.array_base(),
            Mem::Ptr32 | Mem::Ptr64 | Mem::WideRef => panic!("there are no arrays of addresses"),
        }
    }

    pub const ALL: [Mem; 12] = [
        Mem::I8, Mem::U8, Mem::I16, Mem::U16, Mem::I32, Mem::I64, Mem::F32, Mem::F64, Mem::Ref, Mem::Ptr32, Mem::Ptr64,
        Mem::WideRef,
    ];
}

impl fmt::Display for Mem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Mem::I8 => "i8",
            Mem::U8 => "u8",
            Mem::I16 => "i16",
            Mem::U16 => "u16",
            Mem::I32 => "i32",
            Mem::I64 => "i64",
            Mem::F32 => "f32",
            Mem::F64 => "f64",
            Mem::Ref => "ref",
            Mem::Ptr32 => "ptr32",
            Mem::Ptr64 => "ptr64",
            Mem::WideRef => "wideref",
        })
    }
}

/// Memory order of an access (JLS 17.4, VarHandle modes).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Order {
    Plain,
    /// Load acquire, or store release.
    AcquireRelease,
    /// Volatile: sequentially consistent with all other such accesses.
    Volatile,
}

/// Condition of a comparison. `U` forms compare unsigned.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Cond {
    Eq,
    Ne,
    Lt,
    Ge,
    Gt,
    Le,
    ULt,
    UGe,
    UGt,
    ULe,
}

impl Cond {
    /// True exactly where `self` is false (integers, references).
    pub fn negate(self) -> Cond {
        match self {
            Cond::Eq => Cond::Ne,
            Cond::Ne => Cond::Eq,
            Cond::Lt => Cond::Ge,
            Cond::Ge => Cond::Lt,
            Cond::Gt => Cond::Le,
            Cond::Le => Cond::Gt,
            Cond::ULt => Cond::UGe,
            Cond::UGe => Cond::ULt,
            Cond::UGt => Cond::ULe,
            Cond::ULe => Cond::UGt,
        }
    }

    /// The same condition with its operands exchanged.
    pub fn swap(self) -> Cond {
        match self {
            Cond::Eq => Cond::Eq,
            Cond::Ne => Cond::Ne,
            Cond::Lt => Cond::Gt,
            Cond::Ge => Cond::Le,
            Cond::Gt => Cond::Lt,
            Cond::Le => Cond::Ge,
            Cond::ULt => Cond::UGt,
            Cond::UGe => Cond::ULe,
            Cond::UGt => Cond::ULt,
            Cond::ULe => Cond::UGe,
        }
    }

    pub const ALL: [Cond; 10] = [
        Cond::Eq, Cond::Ne, Cond::Lt, Cond::Ge, Cond::Gt, Cond::Le, Cond::ULt, Cond::UGe, Cond::UGt, Cond::ULe,
    ];
}

impl fmt::Display for Cond {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Cond::Eq => "eq",
            Cond::Ne => "ne",
            Cond::Lt => "lt",
            Cond::Ge => "ge",
            Cond::Gt => "gt",
            Cond::Le => "le",
            Cond::ULt => "ult",
            Cond::UGe => "uge",
            Cond::UGt => "ugt",
            Cond::ULe => "ule",
        })
    }
}
