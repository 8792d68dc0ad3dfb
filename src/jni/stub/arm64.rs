//! Native call stubs for the AAPCS64 calling convention (Linux: every stacked argument takes
//! eight bytes).

use super::{Kind, Signature};
use crate::heap::layout::BasicType;
use dynasmrt::{dynasm, DynasmApi, ExecutableBuffer};

/// Assembles the stub. In: x0 args, x1 env, x2 class, x3 function.
pub(super) fn assemble(signature: &Signature) -> ExecutableBuffer {
    let mut ops = dynasmrt::aarch64::Assembler::new().expect("memory for a native call stub");
    let mut on_stack = 0u32;
    let (mut integers, mut floats) = (2, 0);
    for k in signature.parameters.iter() {
        match k {
            Kind::Float | Kind::Double if floats < 8 => floats += 1,
            Kind::Float | Kind::Double => on_stack += 1,
            _ if integers < 8 => integers += 1,
            _ => on_stack += 1,
        }
    }
    let bytes = (on_stack * 8 + 15) & !15;
    dynasm!(ops
        ; .arch aarch64
        ; stp x29, x30, [sp, #-32]!
        ; mov x29, sp
        ; str x19, [sp, #16]
        ; sub sp, sp, #bytes
        ; mov x19, x0
        ; mov x16, x3
        ; mov x0, x1
    );
    let mut slot = 0u32;
    if signature.is_static {
        dynasm!(ops ; .arch aarch64 ; mov x1, x2);
    } else {
        dynasm!(ops ; .arch aarch64 ; mov x1, x19);
        slot = 1;
    }
    let (mut integers, mut floats, mut stacked) = (2u32, 0u32, 0u32);
    for &k in signature.parameters.iter() {
        let at = slot * 8;
        slot += k.slots() as u32;
        match k {
            Kind::Float | Kind::Double if floats < 8 => {
                let r = floats;
                floats += 1;
                match k {
                    Kind::Float => dynasm!(ops ; .arch aarch64 ; ldr S(r), [x19, at]),
                    _ => dynasm!(ops ; .arch aarch64 ; ldr D(r), [x19, at]),
                }
            }
            Kind::Int | Kind::Long | Kind::Reference if integers < 8 => {
                let r = integers;
                integers += 1;
                match k {
                    Kind::Int => dynasm!(ops ; .arch aarch64 ; ldrsw X(r), [x19, at]),
                    Kind::Long => dynasm!(ops ; .arch aarch64 ; ldr X(r), [x19, at]),
                    _ => dynasm!(ops
                        ; .arch aarch64
                        ; ldr x17, [x19, at]
                        ; add X(r), x19, at
                        ; cmp x17, #0
                        ; csel X(r), X(r), xzr, ne
                    ),
                }
            }
            _ => {
                let to = stacked * 8;
                stacked += 1;
                match k {
                    Kind::Int => dynasm!(ops ; .arch aarch64 ; ldrsw x17, [x19, at]),
                    Kind::Float => dynasm!(ops ; .arch aarch64 ; ldr w17, [x19, at]),
                    Kind::Reference => dynasm!(ops
                        ; .arch aarch64
                        ; ldr x9, [x19, at]
                        ; add x17, x19, at
                        ; cmp x9, #0
                        ; csel x17, x17, xzr, ne
                    ),
                    _ => dynasm!(ops ; .arch aarch64 ; ldr x17, [x19, at]),
                }
                dynasm!(ops ; .arch aarch64 ; str x17, [sp, to]);
            }
        }
    }
    dynasm!(ops ; .arch aarch64 ; blr x16);
    let code = signature.result.0;
    if code == BasicType::Boolean as u8 {
        dynasm!(ops ; .arch aarch64 ; tst w0, #0xff ; cset w0, ne);
    } else if code == BasicType::Byte as u8 {
        dynasm!(ops ; .arch aarch64 ; sxtb w0, w0);
    } else if code == BasicType::Char as u8 {
        dynasm!(ops ; .arch aarch64 ; uxth w0, w0);
    } else if code == BasicType::Short as u8 {
        dynasm!(ops ; .arch aarch64 ; sxth w0, w0);
    } else if code == BasicType::Int as u8 {
        dynasm!(ops ; .arch aarch64 ; mov w0, w0);
    } else if code == BasicType::Float as u8 {
        dynasm!(ops ; .arch aarch64 ; fmov w0, s0);
    } else if code == BasicType::Double as u8 {
        dynasm!(ops ; .arch aarch64 ; fmov x0, d0);
    } else if code == BasicType::Void as u8 {
        dynasm!(ops ; .arch aarch64 ; mov x0, xzr);
    }
    dynasm!(ops
        ; .arch aarch64
        ; mov sp, x29
        ; ldr x19, [sp, #16]
        ; ldp x29, x30, [sp], #32
        ; ret
    );
    // Publishing flushes the data cache and invalidates the instruction cache (dynasmrt).
    ops.finalize().expect("the stub has no unresolved labels")
}
