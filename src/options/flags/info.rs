//! What is known of a flag before the command line is read: name, type, kind, default, range.

/// The type of a flag, by its C++ name in HotSpot (which the printed tables show).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(non_camel_case_types)] // the names are the printed type names
pub enum FlagType {
    bool,
    int,
    uint,
    intx,
    uintx,
    uint64_t,
    size_t,
    double,
    ccstr,
    ccstrlist,
}

impl FlagType {
    /// The name in HotSpot's tables and messages.
    pub fn name(self) -> &'static str {
        match self {
            FlagType::bool => "bool",
            FlagType::int => "int",
            FlagType::uint => "uint",
            FlagType::intx => "intx",
            FlagType::uintx => "uintx",
            FlagType::uint64_t => "uint64_t",
            FlagType::size_t => "size_t",
            FlagType::double => "double",
            FlagType::ccstr => "ccstr",
            FlagType::ccstrlist => "ccstrlist",
        }
    }

    /// Whether a flag of this type holds text.
    pub fn is_string(self) -> bool {
        matches!(self, FlagType::ccstr | FlagType::ccstrlist)
    }

    /// Whether a minus sign is accepted before the number.
    pub fn is_signed(self) -> bool {
        matches!(self, FlagType::int | FlagType::intx)
    }
}

/// A default value or one end of a range, as written in the tables. Integers are held in the
/// 128-bit type so that one variant covers signed and unsigned flags.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Constant {
    /// Text flags without a default, and flags that only exist in debug builds.
    None,
    Bool(bool),
    Integer(i128),
    Double(f64),
    Text(&'static str),
}

/// The kinds a flag can have, as bits: where it belongs and what it takes to set it.
pub mod kind {
    pub const JVMCI: u16 = 1 << 0;
    pub const C1: u16 = 1 << 1;
    pub const C2: u16 = 1 << 2;
    pub const ARCH: u16 = 1 << 3;
    #[allow(non_upper_case_globals)]
    pub const pd: u16 = 1 << 4;
    #[allow(non_upper_case_globals)]
    pub const product: u16 = 1 << 5;
    #[allow(non_upper_case_globals)]
    pub const manageable: u16 = 1 << 6;
    #[allow(non_upper_case_globals)]
    pub const diagnostic: u16 = 1 << 7;
    #[allow(non_upper_case_globals)]
    pub const experimental: u16 = 1 << 8;
    #[allow(non_upper_case_globals)]
    pub const notproduct: u16 = 1 << 9;
    #[allow(non_upper_case_globals)]
    pub const develop: u16 = 1 << 10;
    #[allow(non_upper_case_globals)]
    pub const lp64_product: u16 = 1 << 11;

    /// Names in the order in which the tables print them.
    pub(crate) const NAMES: [(u16, &str); 12] = [
        (JVMCI, "JVMCI"),
        (C1, "C1"),
        (C2, "C2"),
        (ARCH, "ARCH"),
        (pd, "pd"),
        (product, "product"),
        (manageable, "manageable"),
        (diagnostic, "diagnostic"),
        (experimental, "experimental"),
        (notproduct, "notproduct"),
        (develop, "develop"),
        (lp64_product, "lp64_product"),
    ];
}

/// One row of the flag tables.
#[derive(Clone, Copy, Debug)]
pub struct FlagInfo {
    /// The name after `-XX:`.
    pub name: &'static str,
    pub ty: FlagType,
    /// Bits of [`kind`].
    pub kind: u16,
    pub default: Constant,
    /// The inclusive range that the value is checked against.
    pub range: Option<(Constant, Constant)>,
}

impl FlagInfo {
    /// Whether the flag exists in HotSpot's debug builds only; such a flag can be recognized but
    /// never set.
    pub fn debug_only(&self) -> bool {
        self.kind & (kind::develop | kind::notproduct) != 0
    }
}

/// Writes a table of flags: `type Name = default [min, max] {kind ...};`.
macro_rules! flag_table {
    ($($ty:ident $name:ident $(= $default:literal)? $([$min:literal, $max:literal])? {$($kind:ident)+};)*) => {
        /// The rows of this file.
        pub(super) static TABLE: &[$crate::options::flags::FlagInfo] = &[$(
            $crate::options::flags::FlagInfo {
                name: stringify!($name),
                ty: $crate::options::flags::FlagType::$ty,
                kind: 0 $(| $crate::options::flags::kind::$kind)+,
                default: flag_table!(@default $ty $($default)?),
                range: flag_table!(@range $ty $($min, $max)?),
            },
        )*];
    };
    (@default $ty:ident) => { $crate::options::flags::Constant::None };
    (@default $ty:ident $v:literal) => { flag_table!(@constant $ty $v) };
    (@range $ty:ident) => { None };
    (@range $ty:ident $min:literal, $max:literal) => {
        Some((flag_table!(@constant $ty $min), flag_table!(@constant $ty $max)))
    };
    (@constant bool $v:literal) => { $crate::options::flags::Constant::Bool($v) };
    (@constant double $v:literal) => { $crate::options::flags::Constant::Double($v) };
    (@constant ccstr $v:literal) => { $crate::options::flags::Constant::Text($v) };
    (@constant ccstrlist $v:literal) => { $crate::options::flags::Constant::Text($v) };
    (@constant $ty:ident $v:literal) => { $crate::options::flags::Constant::Integer($v) };
}
pub(super) use flag_table;
