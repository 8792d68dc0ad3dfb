//! From SSA to machine code: lowering, register allocation, emission; x86-64 and ARM64 on any host.
//!
//! What the processors share is here and in [`lir`], [`regalloc`], [`emit`]; a processor implements [`Machine`].

pub mod arm64;
pub mod disassemble;
pub mod emit;
pub mod lir;
pub mod machine;
pub mod pipeline;
pub mod regalloc;
pub mod x64;

pub use machine::{Machine, Operands};

use super::ir::Function;
use super::refusal::Refusal;
use crate::code::assembled::Assembled;

/// A processor to compile for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Arch {
    X64,
    Arm64,
}

impl Arch {
    /// What this VM runs on.
    pub const HOST: Arch = if cfg!(target_arch = "aarch64") { Arch::Arm64 } else { Arch::X64 };
}

/// Instructions beyond the architecture's first version that may be used.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Features {
    /// x86-64: popcnt and SSE4.1.
    pub v2: bool,
    /// x86-64: lzcnt, BMI1, BMI2.
    pub v3: bool,
    /// ARM64: the atomic instructions of ARMv8.1.
    pub lse: bool,
}

impl Features {
    /// Those of the processor that runs this.
    pub fn host() -> Features {
        #[cfg(target_arch = "x86_64")]
        return Features {
            v2: is_x86_feature_detected!("popcnt") && is_x86_feature_detected!("sse4.1"),
            v3: is_x86_feature_detected!("lzcnt") && is_x86_feature_detected!("bmi1") && is_x86_feature_detected!("bmi2"),
            lse: false,
        };
        #[cfg(target_arch = "aarch64")]
        return Features { v2: false, v3: false, lse: std::arch::is_aarch64_feature_detected!("lse") };
    }
}

/// How to compile.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Options {
    pub arch: Arch,
    pub features: Features,
    /// The fast register allocator.
    pub quick: bool,
    /// Fill in `Assembled::comments`.
    pub comments: bool,
    /// The collector wants write barriers.
    pub barrier: bool,
    /// Null checks by faulting accesses: what runs the code has the VM's signal handler.
    pub implicit_nulls: bool,
    /// Have regalloc2's checker verify each allocation (slow), and panic if it is wrong.
    pub check: bool,
}

impl Options {
    /// Those for `arch` with its first version's instructions, without barriers, null checks by tests.
    pub fn new(arch: Arch) -> Options {
        Options { arch, features: Features::default(), quick: false, comments: false, barrier: false, implicit_nulls: false, check: false }
    }
}

/// Compiles a function for the processor that the options name.
pub fn compile(f: &Function, options: &Options) -> Result<Assembled, Refusal> {
    match options.arch {
        Arch::X64 => pipeline::compile::<x64::X64, x64::X64Emitter>(f, options),
        Arch::Arm64 => pipeline::compile::<arm64::Arm64, arm64::Arm64Emitter>(f, options),
    }
}
