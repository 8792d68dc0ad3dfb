//! Flags about instructions and intrinsics that HotSpot's compilers use where the processor has them and Kiln's do
//! not: asking for one is warned about in the words that HotSpot has for a processor without them, and taken back.

use super::flags::Value;
use super::parser::Parser;

/// Each with its warning; the order is that in which HotSpot looks at them.
const UNUSED: [(&str, &str); 9] = [
    ("UseAES", "AES instructions are not available on this CPU"),
    ("UseAESIntrinsics", "AES intrinsics are not available on this CPU"),
    ("UseAESCTRIntrinsics", "AES-CTR intrinsics are not available on this CPU"),
    ("UseBASE64Intrinsics", "Base64 intrinsic requires EVEX instructions on this CPU"),
    ("UseSHA", "SHA instructions are not available on this CPU"),
    ("UseSHA1Intrinsics", "Intrinsics for SHA-1 crypto hash functions not available on this CPU."),
    ("UseSHA256Intrinsics", "Intrinsics for SHA-224 and SHA-256 crypto hash functions not available on this CPU."),
    ("UseSHA512Intrinsics", "Intrinsics for SHA-384 and SHA-512 crypto hash functions not available on this CPU."),
    (
        "UseSHA3Intrinsics",
        "Intrinsics for SHA3-224, SHA3-256, SHA3-384 and SHA3-512 crypto hash functions not available on this CPU.",
    ),
];

impl Parser<'_> {
    /// See the module comment.
    pub(super) fn refuse_unused_instructions(&mut self) {
        for (flag, warning) in UNUSED {
            if !self.flags.bool(flag) {
                continue;
            }
            if !self.flags.is_default(flag) {
                self.warn(warning);
            }
            self.flags.set_quietly(flag, Value::Bool(false));
        }
    }
}
