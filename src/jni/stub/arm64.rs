//! Native call stubs for AArch64, the procedure call standard as Linux has it (AAPCS64).

use super::{Protocol, Shape};
use crate::threads::thread::ThreadState;
use dynasmrt::aarch64::Aarch64Relocation;
use dynasmrt::{dynasm, DynasmApi, DynasmLabelApi, VecAssembler};

/// Frame: x29 x30, x19 to x28, d8 to d15.
const FRAME: u32 = 160;

/// Assembles the stub for `shape`; see [`super::StubFn`].
pub fn assemble(shape: &Shape, vm: &Protocol) -> Vec<u8> {
    let mut ops: VecAssembler<Aarch64Relocation> = VecAssembler::new(0);
    dynasm!(ops
        ; .arch aarch64
        ; stp x29, x30, [sp, #-160]!
        ; mov x29, sp
        ; stp x19, x20, [sp, #16]
        ; stp x21, x22, [sp, #32]
        ; stp x23, x24, [sp, #48]
        ; stp x25, x26, [sp, #64]
        ; stp x27, x28, [sp, #80]
        ; stp d8, d9, [sp, #96]
        ; stp d10, d11, [sp, #112]
        ; stp d12, d13, [sp, #128]
        ; stp d14, d15, [sp, #144]
        ; mov x19, x0
        ; mov x20, x1
        ; mov x21, x2
        ; mov x22, x3
    );
    // x0 and x1 are the environment and the class or receiver.
    let (mut integers, mut floats, mut stacked) = (if shape.is_static { 2u8 } else { 1 }, 0u8, 0u32);
    let mut moves: Vec<(u8, u32, Place)> = Vec::new();
    for (c, slot) in shape.slots() {
        let place = match c {
            b'F' | b'D' if floats < 8 => {
                floats += 1;
                Place::Float(floats - 1)
            }
            b'F' | b'D' => Place::stack(&mut stacked),
            _ if integers < 8 => {
                integers += 1;
                Place::Integer(integers - 1)
            }
            _ => Place::stack(&mut stacked),
        };
        moves.push((c, slot as u32 * 8, place));
    }
    let bytes = (stacked * 8 + 15) & !15;
    if bytes != 0 {
        dynasm!(ops; .arch aarch64; sub sp, sp, bytes);
    }
    for &(c, offset, place) in &moves {
        match (c, place) {
            (b'L', Place::Integer(r)) => {
                reference(&mut ops, r, offset);
            }
            (b'L', Place::Stack(at)) => {
                reference(&mut ops, 9, offset);
                dynasm!(ops; .arch aarch64; str x9, [sp, at]);
            }
            (b'J', Place::Integer(r)) => dynasm!(ops; .arch aarch64; ldr X(r), [x19, offset]),
            (b'F', Place::Float(r)) => dynasm!(ops; .arch aarch64; ldr S(r), [x19, offset]),
            (b'D', Place::Float(r)) => dynasm!(ops; .arch aarch64; ldr D(r), [x19, offset]),
            (_, Place::Integer(r)) => dynasm!(ops; .arch aarch64; ldr W(r), [x19, offset]),
            (_, _) => {
                let Place::Stack(at) = place else { unreachable!("only floats go to float registers") };
                dynasm!(ops; .arch aarch64; ldr x9, [x19, offset]; str x9, [sp, at])
            }
        }
    }
    if shape.is_static {
        dynasm!(ops; .arch aarch64; mov x1, x21);
    }
    dynasm!(ops; .arch aarch64; mov x0, x20);
    // x23 = address of the state byte, x24 of the poll word, x25 of the saved stack pointer.
    address(&mut ops, 23, vm.state);
    address(&mut ops, 24, vm.poll);
    address(&mut ops, 25, vm.saved_sp);
    let (in_native, in_vm) = (ThreadState::InNative as u32, ThreadState::InVm as u32);
    dynasm!(ops
        ; .arch aarch64
        ; ldr x26, [x25]
        ; mov x9, sp
        ; str x9, [x25]
        ; movz w10, in_native
        ; stlrb w10, [x23]
        ; blr x22
    );
    match shape.result {
        b'V' => dynasm!(ops; .arch aarch64; mov x19, xzr),
        b'Z' => dynasm!(ops; .arch aarch64; tst w0, #0xff; cset w19, ne),
        b'B' => dynasm!(ops; .arch aarch64; sxtb w19, w0),
        b'C' => dynasm!(ops; .arch aarch64; uxth w19, w0),
        b'S' => dynasm!(ops; .arch aarch64; sxth w19, w0),
        b'I' => dynasm!(ops; .arch aarch64; mov w19, w0),
        b'F' => dynasm!(ops; .arch aarch64; fmov w19, s0),
        b'D' => dynasm!(ops; .arch aarch64; fmov x19, d0),
        _ => dynasm!(ops; .arch aarch64; mov x19, x0),
    }
    dynasm!(ops
        ; .arch aarch64
        ; movz w10, in_vm
        ; stlrb w10, [x23]
        // Full fence: the pause sees our state, or we its poll bit.
        ; dmb ish
        ; ldr w10, [x24]
        ; cbnz w10, >slow
        ; done:
        ; str x26, [x25]
        ; mov x0, x19
        ; mov sp, x29
        ; ldp x19, x20, [sp, #16]
        ; ldp x21, x22, [sp, #32]
        ; ldp x23, x24, [sp, #48]
        ; ldp x25, x26, [sp, #64]
        ; ldp x27, x28, [sp, #80]
        ; ldp d8, d9, [sp, #96]
        ; ldp d10, d11, [sp, #112]
        ; ldp d12, d13, [sp, #128]
        ; ldp d14, d15, [sp, #144]
        ; ldp x29, x30, [sp], #160
        ; ret
        ; slow:
    );
    address(&mut ops, 0, vm.thread);
    constant(&mut ops, 9, vm.slow as u64);
    dynasm!(ops; .arch aarch64; blr x9; b <done);
    debug_assert_eq!(FRAME, 160, "the frame size is spelt out in the instructions above");
    ops.finalize().expect("all labels are defined")
}

/// X(r) = address of the slot at `offset`, or null if it holds null.
fn reference(ops: &mut VecAssembler<Aarch64Relocation>, r: u8, offset: u32) {
    dynasm!(ops
        ; .arch aarch64
        ; ldr x10, [x19, offset]
        ; add XSP(r), x19, offset
        ; cmp x10, #0
        ; csel X(r), xzr, X(r), eq
    );
}

/// X(r) = environment + `offset`.
fn address(ops: &mut VecAssembler<Aarch64Relocation>, r: u8, offset: i32) {
    let magnitude = offset.unsigned_abs();
    assert!(magnitude < 4096, "the thread's first fields are near each other");
    if offset < 0 {
        dynasm!(ops; .arch aarch64; sub XSP(r), x20, magnitude);
    } else {
        dynasm!(ops; .arch aarch64; add XSP(r), x20, magnitude);
    }
}

/// X(r) = `value`.
fn constant(ops: &mut VecAssembler<Aarch64Relocation>, r: u8, value: u64) {
    let part = |i: u32| (value >> (16 * i)) as u16 as u32;
    dynasm!(ops
        ; .arch aarch64
        ; movz X(r), part(0)
        ; movk X(r), part(1), lsl #16
        ; movk X(r), part(2), lsl #32
        ; movk X(r), part(3), lsl #48
    );
}

#[derive(Clone, Copy)]
enum Place {
    Integer(u8),
    Float(u8),
    /// Offset from the stack pointer.
    Stack(u32),
}

impl Place {
    fn stack(words: &mut u32) -> Place {
        *words += 1;
        Place::Stack((*words - 1) * 8)
    }
}
