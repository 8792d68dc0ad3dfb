//! The words of the textual form: one table per enumeration, for the printer and the parser.

use super::op::{Binary, Convert, Fence, Rmw, Runtime, Unary};
use super::types::Order;

macro_rules! names {
    ($($name:ident { $($variant:ident = $text:literal,)* })*) => {
        $(impl $name {
            /// Every variant.
            pub const ALL: &'static [$name] = &[$($name::$variant,)*];
            /// The word for it in the textual form.
            pub const fn name(self) -> &'static str {
                match self { $($name::$variant => $text,)* }
            }
            /// The variant with this word.
            pub fn by_name(name: &str) -> Option<$name> {
                $name::ALL.iter().copied().find(|x| x.name() == name)
            }
        })*
    };
}

names! {
    Binary {
        Add = "add", Sub = "sub", Mul = "mul", Div = "div", Rem = "rem", And = "and", Or = "or", Xor = "xor",
        Shl = "shl", Shr = "shr", Ushr = "ushr", Min = "min", Max = "max", MulHigh = "mul_high",
        UMulHigh = "umul_high",
    }
    Unary {
        Neg = "neg", Abs = "abs", Sqrt = "sqrt", Ceil = "ceil", Floor = "floor", Rint = "rint",
        BitCount = "bit_count", LeadingZeros = "leading_zeros", TrailingZeros = "trailing_zeros",
        ReverseBytes = "reverse_bytes", SignExtend8 = "sign_extend8", SignExtend16 = "sign_extend16",
        ZeroExtend16 = "zero_extend16",
    }
    Convert {
        I32ToI64 = "i32_to_i64", U32ToI64 = "u32_to_i64", I64ToI32 = "i64_to_i32", I32ToF32 = "i32_to_f32",
        I32ToF64 = "i32_to_f64", I64ToF32 = "i64_to_f32", I64ToF64 = "i64_to_f64", F32ToI32 = "f32_to_i32",
        F32ToI64 = "f32_to_i64", F32ToF64 = "f32_to_f64", F64ToI32 = "f64_to_i32", F64ToI64 = "f64_to_i64",
        F64ToF32 = "f64_to_f32", F32Bits = "f32_bits", F64Bits = "f64_bits", BitsF32 = "bits_f32",
        BitsF64 = "bits_f64",
    }
    Rmw { Add = "add", Exchange = "exchange", }
    Fence { Load = "load", Store = "store", StoreStore = "store_store", Full = "full", }
    Order { Plain = "plain", AcquireRelease = "acquire_release", Volatile = "volatile", }
    Runtime {
        MultiNewArray = "multi_new_array", MonitorEnter = "monitor_enter", MonitorExit = "monitor_exit",
        RegisterFinalizer = "register_finalizer", ThrowNullPointer = "throw_null_pointer",
        ThrowIndexOutOfBounds = "throw_index_out_of_bounds", ThrowDivisionByZero = "throw_division_by_zero",
        ThrowClassCast = "throw_class_cast", ThrowArrayStore = "throw_array_store", DRem = "drem", FRem = "frem",
        CounterOverflow = "counter_overflow", ArrayCopy = "array_copy", BytesEqual = "bytes_equal", Sin = "sin", Cos = "cos", Tan = "tan",
        Exp = "exp", Log = "log", Log10 = "log10", Pow = "pow",
    }
}
