//! Stubs for ARM64. See the module above for what each does.
//!
//! At the entry of a stub that compiled code calls, sp is that of the caller's frame and x30 the return
//! address; the stub puts it to sp - 8, where frames are looked for, and returns to what it finds there.

use super::{Layout, Redirect, CLEARED, DROPPED};
use crate::code::inline_cache::WAYS;
use crate::heap::layout::CLASS_OFFSET;
use crate::threads::stale;
use dynasmrt::aarch64::Aarch64Relocation;
use dynasmrt::{dynasm, DynasmApi, DynasmLabelApi, VecAssembler};

type Asm = VecAssembler<Aarch64Relocation>;

/// Integer argument registers in order: x1 to x7, x0.
const INT_ARGS: [u8; 8] = [1, 2, 3, 4, 5, 6, 7, 0];
/// Registers of a block: 32 integer, 32 floating-point ones.
const REGISTERS: u32 = 512;
/// Argument registers of a block: 8 and 8.
const ARGUMENTS: u32 = 128;

fn new() -> Asm {
    VecAssembler::new(0)
}

fn finish(ops: Asm) -> Vec<u8> {
    ops.finalize().expect("all labels are defined")
}

/// X(r) = `value`.
fn constant(ops: &mut Asm, r: u8, value: u64) {
    let part = |i: u32| (value >> (16 * i)) as u16 as u32;
    dynasm!(ops
        ; .arch aarch64
        ; movz X(r), part(0)
        ; movk X(r), part(1), lsl #16
        ; movk X(r), part(2), lsl #32
        ; movk X(r), part(3), lsl #48
    );
}

fn call(ops: &mut Asm, function: usize) {
    constant(ops, 16, function as u64);
    dynasm!(ops; .arch aarch64; blr x16);
}

fn at(offset: i32) -> u32 {
    u32::try_from(offset).expect("offsets in the thread are positive")
}

/// Goes where the run-time said.
fn resume(ops: &mut Asm, l: &Layout) {
    dynasm!(ops
        ; .arch aarch64
        ; ldr x0, [x28, at(l.resume_result)]
        ; fmov d0, x0
        ; ldr x16, [x28, at(l.resume_sp)]
        ; mov sp, x16
        ; ldr x29, [x28, at(l.resume_fp)]
        ; ldr x16, [x28, at(l.resume_pc)]
        ; br x16
    );
}

/// With sp that of the caller and the return address in x30: raises the pending exception in the caller.
fn raise_in_caller(ops: &mut Asm, l: &Layout) {
    dynasm!(ops
        ; .arch aarch64
        ; mov x0, x28
        ; mov x1, sp
        ; mov x2, x30
        ; mov x3, x29
        ; stp x29, x30, [sp, #-16]!
    );
    call(ops, l.unwind);
    resume(ops, l);
}

/// Compiled code keeps no register across a call, C does: what it has left there must not get into the frames of
/// an interpreter, in view of the collector.
fn clear_preserved(ops: &mut Asm) {
    for r in 19..28u8 {
        dynasm!(ops; .arch aarch64; mov X(r), xzr);
    }
}

fn save_arguments(ops: &mut Asm) {
    dynasm!(ops; .arch aarch64; stp x29, x30, [sp, #-16]!; mov x29, sp; sub sp, sp, ARGUMENTS);
    for (i, &r) in INT_ARGS.iter().enumerate() {
        dynasm!(ops; .arch aarch64; str X(r), [sp, 8 * i as u32]);
    }
    for i in 0..8u8 {
        dynasm!(ops; .arch aarch64; str D(i), [sp, 64 + 8 * u32::from(i)]);
    }
}

/// Interpreter to compiled code: `extern "C" fn(thread, *mut CallIn)`. Also the offset of the return address in it.
pub fn call_in(l: &Layout) -> (Vec<u8>, usize) {
    let mut ops = new();
    dynasm!(ops
        ; .arch aarch64
        ; stp x29, x30, [sp, #-176]!
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
        ; str x1, [sp, #160]
        ; mov x28, x0
        ; mov x16, x1
        ; ldr x9, [x16, at(l.in_stack_words)]
        ; ldr x10, [x16, at(l.in_stack)]
        ; add x11, x9, #1
        ; and x11, x11, #0xfffffffffffffffe
        ; sub sp, sp, x11, uxtx #3
        ; mov x11, sp
        ; copy:
        ; cbz x9, >copied
        ; sub x9, x9, #1
        ; ldr x13, [x10, x9, lsl #3]
        ; str x13, [x11, x9, lsl #3]
        ; str xzr, [x10, x9, lsl #3]
        ; b <copy
        ; copied:
    );
    for i in 0..8u8 {
        dynasm!(ops; .arch aarch64; ldr D(i), [x16, at(l.in_floats) + 8 * u32::from(i)]);
    }
    for (i, &r) in INT_ARGS.iter().enumerate() {
        let place = at(l.in_ints) + 8 * i as u32;
        // The callee has them now, for as long as it needs them.
        dynasm!(ops; .arch aarch64; ldr X(r), [x16, place]; str xzr, [x16, place]);
    }
    dynasm!(ops
        ; .arch aarch64
        ; ldr x12, [x16, at(l.in_method)]
        ; ldr x16, [x16, at(l.in_entry)]
        ; blr x16
    );
    let back = ops.offset().0;
    dynasm!(ops
        ; .arch aarch64
        ; mov sp, x29
        ; ldr x1, [sp, #160]
        ; str x0, [x1, at(l.in_int_result)]
        ; str d0, [x1, at(l.in_float_result)]
        ; ldp x19, x20, [sp, #16]
        ; ldp x21, x22, [sp, #32]
        ; ldp x23, x24, [sp, #48]
        ; ldp x25, x26, [sp, #64]
        ; ldp x27, x28, [sp, #80]
        ; ldp d8, d9, [sp, #96]
        ; ldp d10, d11, [sp, #112]
        ; ldp d12, d13, [sp, #128]
        ; ldp d14, d15, [sp, #144]
        ; ldp x29, x30, [sp], #176
        ; ret
    );
    (finish(ops), back)
}

/// A call out of compiled code with its arguments in a block: `extern "C" fn(thread, method, *const Arguments,
/// sp) -> u64`.
pub fn call_out(l: &Layout, function: usize) -> Vec<u8> {
    let mut ops = new();
    save_arguments(&mut ops);
    clear_preserved(&mut ops);
    dynasm!(ops; .arch aarch64; mov x0, x28; mov x1, x12; mov x2, sp; add x3, x29, #16);
    call(&mut ops, function);
    dynasm!(ops
        ; .arch aarch64
        ; mov sp, x29
        ; ldp x29, x30, [sp], #16
        ; ldr x17, [x28, at(l.exception)]
        ; cbnz x17, >thrown
        ; fmov d0, x0
        ; ret
        ; thrown:
    );
    raise_in_caller(&mut ops, l);
    finish(ops)
}

/// Finds the method to go on with, the arguments staying in place: `extern "C" fn(thread, method, *const
/// Arguments, sp) -> method`, 0 if an exception pends.
pub fn redirect(l: &Layout, how: Redirect, function: usize) -> Vec<u8> {
    let mut ops = new();
    if how == Redirect::InlineCache {
        // x10: cache, x9: class.
        dynasm!(ops
            ; .arch aarch64
            ; ldr w9, [x1, CLASS_OFFSET as u32]
            ; ldr w13, [x10, at(l.cache_megamorphic)]
            ; cbnz w13, >megamorphic
        );
        for way in 1..WAYS as u32 {
            dynasm!(ops
                ; .arch aarch64
                ; ldr x12, [x10, at(l.cache_entries) + 8 * way]
                ; cmp w9, w12
                ; b.eq >hit
            );
        }
        dynasm!(ops
            ; .arch aarch64
            ; unknown:
            ; mov x12, x10
            ; b >slow
            ; hit:
            ; lsr x12, x12, #32
            ; ldr x16, [x12, at(l.method_entry)]
            ; br x16
            ; megamorphic:
            ; ldrsw x13, [x10, at(l.cache_vtable_index)]
            ; ldr w12, [x10, at(l.cache_method)]
            ; tbnz x13, #63, >interface
            ; add x13, x9, x13, lsl #3
            ; ldr x12, [x13, at(l.class_vtable)]
            ; ldr x16, [x12, at(l.method_entry)]
            ; br x16
            ; interface:
        );
        itable_scan(&mut ops, l);
        dynasm!(ops; .arch aarch64; b <unknown; slow:);
    }
    if how == Redirect::Interface {
        dynasm!(ops; .arch aarch64; ldr w9, [x1, CLASS_OFFSET as u32]);
        itable_scan(&mut ops, l);
    }
    save_arguments(&mut ops);
    dynasm!(ops; .arch aarch64; mov x0, x28; mov x1, x12; mov x2, sp; add x3, x29, #16);
    call(&mut ops, function);
    dynasm!(ops; .arch aarch64; cbz x0, >thrown; mov x12, x0);
    for (i, &r) in INT_ARGS.iter().enumerate() {
        dynasm!(ops; .arch aarch64; ldr X(r), [sp, 8 * i as u32]);
    }
    for i in 0..8u8 {
        dynasm!(ops; .arch aarch64; ldr D(i), [sp, 64 + 8 * u32::from(i)]);
    }
    dynasm!(ops
        ; .arch aarch64
        ; mov sp, x29
        ; ldp x29, x30, [sp], #16
        ; ldr x16, [x12, at(l.method_entry)]
        ; br x16
        ; thrown:
        ; mov sp, x29
        ; ldp x29, x30, [sp], #16
    );
    raise_in_caller(&mut ops, l);
    finish(ops)
}

/// Goes to the method that interface method x12 selects for class x9, by the itable; falls through, keeping x10,
/// where that does not say. No registers but these and those of arguments are live.
fn itable_scan(ops: &mut Asm, l: &Layout) {
    // x14: itable entry, x11: interface.
    dynasm!(ops
        ; .arch aarch64
        ; ldr w13, [x9, at(l.class_itable_words)]
        ; cbz w13, >none
        ; ldr w14, [x9, at(l.class_vtable_length)]
        ; add x14, x9, x14, lsl #3
        ; add x14, x14, at(l.class_vtable)
        ; ldr x11, [x12, at(l.method_class)]
        ; scan:
        ; ldr x13, [x14]
        ; cmp x13, x11
        ; b.eq >found
        ; add x14, x14, #16
        ; cbnz x13, <scan
        ; b >none
        ; found:
        ; ldr x14, [x14, #8]
        ; add x14, x14, x9
        ; ldrsw x13, [x12, at(l.method_itable_index)]
        ; tbnz x13, #63, >none
        ; ldr x14, [x14, x13, lsl #3]
        ; cbz x14, >none
        ; mov x12, x14
        ; ldr x16, [x12, at(l.method_entry)]
        ; br x16
        ; none:
    );
}

/// A run-time function called with the thread before the arguments, which are where C wants them.
pub fn runtime(l: &Layout, function: usize, leaf: bool) -> Vec<u8> {
    let mut ops = new();
    if !leaf {
        dynasm!(ops
            ; .arch aarch64
            ; mov x16, sp
            ; str x30, [x28, at(l.anchor_pc)]
            ; str x16, [x28, at(l.anchor_sp)]
        );
    }
    dynasm!(ops; .arch aarch64; stp x29, x30, [sp, #-16]!; mov x0, x28);
    call(&mut ops, function);
    dynasm!(ops; .arch aarch64; ldp x29, x30, [sp], #16);
    if leaf {
        dynasm!(ops; .arch aarch64; ret);
        return finish(ops);
    }
    dynasm!(ops; .arch aarch64; ldr x17, [x28, at(l.exception)]; cbnz x17, >thrown; ret; thrown:);
    raise_in_caller(&mut ops, l);
    finish(ops)
}

/// Keeps every register in a block: `extern "C" fn(thread, *mut Registers, sp, pc) -> usize`; 0 restores them
/// as they are in the block and returns, anything else goes where the run-time said.
pub fn block(l: &Layout, function: usize) -> Vec<u8> {
    let mut ops = new();
    dynasm!(ops; .arch aarch64; stp x29, x30, [sp, #-16]!; sub sp, sp, REGISTERS);
    for r in 0..31u8 {
        dynasm!(ops; .arch aarch64; str X(r), [sp, 8 * u32::from(r)]);
    }
    for r in 0..32u8 {
        dynasm!(ops; .arch aarch64; str D(r), [sp, 256 + 8 * u32::from(r)]);
    }
    dynasm!(ops
        ; .arch aarch64
        ; mov x0, x28
        ; mov x1, sp
        ; add x2, sp, REGISTERS + 16
        ; mov x3, x30
    );
    call(&mut ops, function);
    dynasm!(ops; .arch aarch64; cbnz x0, >leave);
    // x28 is the thread, x29 and x30 come from the frame: another return address may have been put there.
    for r in 0..28u8 {
        dynasm!(ops; .arch aarch64; ldr X(r), [sp, 8 * u32::from(r)]);
    }
    for r in 0..32u8 {
        dynasm!(ops; .arch aarch64; ldr D(r), [sp, 256 + 8 * u32::from(r)]);
    }
    dynasm!(ops; .arch aarch64; add sp, sp, REGISTERS; ldp x29, x30, [sp], #16; ret; leave:);
    resume(&mut ops, l);
    finish(ops)
}

/// Jumped to with the return address in x30: `extern "C" fn(thread, sp, pc, fp, result register)`, then goes
/// where the run-time said.
pub fn leave(l: &Layout, function: usize) -> Vec<u8> {
    let mut ops = new();
    dynasm!(ops
        ; .arch aarch64
        ; mov x4, x0
        ; mov x0, x28
        ; mov x1, sp
        ; mov x2, x30
        ; mov x3, x29
        ; stp x29, x30, [sp, #-16]!
    );
    call(&mut ops, function);
    resume(&mut ops, l);
    finish(ops)
}

/// Reached by a return, or by `resume`, with the stack pointer that of the frame: `extern "C" fn(thread, sp, int
/// result, float result)`, then goes where the run-time said.
pub fn arrive(l: &Layout, function: usize) -> Vec<u8> {
    let mut ops = new();
    dynasm!(ops
        ; .arch aarch64
        ; mov x2, x0
        ; fmov x3, d0
        ; mov x0, x28
        ; mov x1, sp
        ; sub sp, sp, #16
    );
    call(&mut ops, function);
    resume(&mut ops, l);
    finish(ops)
}

/// Reached by `resume`, with the stack pointer [`DROPPED`](super::DROPPED) below that of the caller of a frame that
/// is no more: `extern "C" fn(thread, caller's sp, result)`, then goes where the run-time said.
pub fn interpret(l: &Layout, function: usize) -> Vec<u8> {
    let mut ops = new();
    dynasm!(ops
        ; .arch aarch64
        ; mov x2, x0
        ; mov x0, sp
        ; sub x1, sp, CLEARED as u32
        ; mov sp, x1
        ; clear:
        ; stp xzr, xzr, [x1], #16
        ; cmp x1, x0
        ; b.ne <clear
        ; mov sp, x0
        ; mov x0, x28
        ; add x1, sp, DROPPED as u32
    );
    clear_preserved(&mut ops);
    call(&mut ops, function);
    resume(&mut ops, l);
    finish(ops)
}

/// Reached by `resume` with the address of an exception handler as the result: clears what the frames that are gone
/// have left below the stack pointer, and goes there.
pub fn clear_and_go() -> Vec<u8> {
    let mut ops = new();
    constant(&mut ops, 16, stale::CLEARED as u64);
    dynasm!(ops
        ; .arch aarch64
        ; mov x2, sp
        ; sub x1, x2, x16
        ; mov sp, x1
        ; clear:
        ; stp xzr, xzr, [x1], #16
        ; cmp x1, x2
        ; b.ne <clear
        ; mov sp, x2
        ; br x0
    );
    finish(ops)
}

/// Reached likewise, with the address of a handover's buffer as the result: enters the code.
pub fn enter_osr() -> Vec<u8> {
    let mut ops = new();
    dynasm!(ops
        ; .arch aarch64
        ; mov x1, x0
        ; ldp x12, x16, [x1, #-16]
        ; ldr x30, [sp, DROPPED as u32 - 8]
        ; add sp, sp, DROPPED as u32
        ; br x16
    );
    finish(ops)
}
