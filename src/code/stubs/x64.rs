//! Stubs for x86-64. See the module above for what each does.
//!
//! At the entry of a stub that compiled code calls, the return address is on top of the stack and `sp` of the
//! caller's frame is 8 above it.

use super::{Layout, Redirect, CLEARED, DROPPED};
use crate::code::inline_cache::WAYS;
use crate::heap::layout::CLASS_OFFSET;
use crate::threads::stale;
use dynasmrt::x64::X64Relocation;
use dynasmrt::{dynasm, DynasmApi, DynasmLabelApi, VecAssembler};

type Asm = VecAssembler<X64Relocation>;

/// Integer argument registers in order: rsi rdx rcx r8 r9 rdi.
const INT_ARGS: [u8; 6] = [6, 2, 1, 8, 9, 7];
/// Registers of a block: 16 integer, 16 floating-point ones.
const REGISTERS: i32 = 256;
/// Argument registers of a block: 8 and 8.
const ARGUMENTS: i32 = 128;

fn new() -> Asm {
    VecAssembler::new(0)
}

fn finish(ops: Asm) -> Vec<u8> {
    ops.finalize().expect("all labels are defined")
}

fn call(ops: &mut Asm, function: usize) {
    dynasm!(ops; .arch x64; mov rax, QWORD function as i64; call rax);
}

/// Goes where the run-time said.
fn resume(ops: &mut Asm, l: &Layout) {
    dynasm!(ops
        ; .arch x64
        ; mov rax, [r15 + l.resume_result]
        ; movq xmm0, rax
        ; mov rsp, [r15 + l.resume_sp]
        ; mov rbp, [r15 + l.resume_fp]
        ; jmp QWORD [r15 + l.resume_pc]
    );
}

/// With the return address on top of the stack: raises the pending exception in the caller.
fn raise_in_caller(ops: &mut Asm, l: &Layout) {
    dynasm!(ops
        ; .arch x64
        ; mov rdi, r15
        ; lea rsi, [rsp + 8]
        ; mov rdx, [rsp]
        ; mov rcx, rbp
        ; sub rsp, 8
    );
    call(ops, l.unwind);
    resume(ops, l);
}

/// Compiled code keeps no register across a call, C does: what it has left there must not get into the frames of
/// an interpreter, in view of the collector.
fn clear_preserved(ops: &mut Asm) {
    dynasm!(ops; .arch x64; xor ebx, ebx; xor r12d, r12d; xor r13d, r13d; xor r14d, r14d);
}

fn save_arguments(ops: &mut Asm) {
    dynasm!(ops; .arch x64; push rbp; mov rbp, rsp; sub rsp, ARGUMENTS);
    for (i, &r) in INT_ARGS.iter().enumerate() {
        dynasm!(ops; .arch x64; mov [rsp + 8 * i as i32], Rq(r));
    }
    for i in 0..8u8 {
        dynasm!(ops; .arch x64; movsd [rsp + 64 + 8 * i as i32], Rx(i));
    }
}

/// Interpreter to compiled code: `extern "C" fn(thread, *mut CallIn)`. Also the offset of the return address in it.
pub fn call_in(l: &Layout) -> (Vec<u8>, usize) {
    let mut ops = new();
    dynasm!(ops
        ; .arch x64
        ; push rbp
        ; mov rbp, rsp
        ; push rbx
        ; push r12
        ; push r13
        ; push r14
        ; push r15
        ; push rsi
        ; mov r15, rdi
        ; mov r11, rsi
        ; mov rcx, [r11 + l.in_stack_words]
        ; mov rdx, [r11 + l.in_stack]
        ; lea rax, [rcx + 1]
        ; and rax, -2
        ; shl rax, 3
        ; sub rsp, rax
        ; copy:
        ; test rcx, rcx
        ; je >copied
        ; mov rax, [rdx + rcx * 8 - 8]
        ; mov [rsp + rcx * 8 - 8], rax
        ; mov QWORD [rdx + rcx * 8 - 8], 0
        ; dec rcx
        ; jmp <copy
        ; copied:
    );
    for i in 0..8u8 {
        dynasm!(ops; .arch x64; movsd Rx(i), [r11 + l.in_floats + 8 * i as i32]);
    }
    for (i, &r) in INT_ARGS.iter().enumerate() {
        let place = l.in_ints + 8 * i as i32;
        // The callee has them now, for as long as it needs them.
        dynasm!(ops; .arch x64; mov Rq(r), [r11 + place]; mov QWORD [r11 + place], 0);
    }
    dynasm!(ops; .arch x64; mov rax, [r11 + l.in_method]; call QWORD [r11 + l.in_entry]);
    let back = ops.offset().0;
    dynasm!(ops
        ; .arch x64
        ; lea rsp, [rbp - 48]
        ; pop rsi
        ; mov [rsi + l.in_int_result], rax
        ; movsd [rsi + l.in_float_result], xmm0
        ; pop r15
        ; pop r14
        ; pop r13
        ; pop r12
        ; pop rbx
        ; pop rbp
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
    dynasm!(ops; .arch x64; mov rdi, r15; mov rsi, rax; mov rdx, rsp; lea rcx, [rbp + 16]);
    call(&mut ops, function);
    dynasm!(ops
        ; .arch x64
        ; leave
        ; cmp QWORD [r15 + l.exception], 0
        ; jne >thrown
        ; movq xmm0, rax
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
        // r11: cache, r10: class.
        dynasm!(ops
            ; .arch x64
            ; mov r10d, [rsi + CLASS_OFFSET as i32]
            ; cmp DWORD [r11 + l.cache_megamorphic], 0
            ; jne >megamorphic
        );
        for way in 1..WAYS as i32 {
            dynasm!(ops
                ; .arch x64
                ; mov rax, [r11 + l.cache_entries + 8 * way]
                ; cmp eax, r10d
                ; je >hit
            );
        }
        dynasm!(ops
            ; .arch x64
            ; unknown:
            ; mov rax, r11
            ; jmp >slow
            ; hit:
            ; shr rax, 32
            ; jmp QWORD [rax + l.method_entry]
            ; megamorphic:
            ; movsxd r12, [r11 + l.cache_vtable_index]
            ; mov eax, [r11 + l.cache_method]
            ; test r12, r12
            ; js >interface
            ; mov rax, [r10 + r12 * 8 + l.class_vtable]
            ; jmp QWORD [rax + l.method_entry]
            ; interface:
        );
        itable_scan(&mut ops, l);
        dynasm!(ops; .arch x64; jmp <unknown; slow:);
    }
    if how == Redirect::Interface {
        dynasm!(ops; .arch x64; mov r10d, [rsi + CLASS_OFFSET as i32]);
        itable_scan(&mut ops, l);
    }
    save_arguments(&mut ops);
    dynasm!(ops; .arch x64; mov rdi, r15; mov rsi, rax; mov rdx, rsp; lea rcx, [rbp + 16]);
    call(&mut ops, function);
    dynasm!(ops; .arch x64; test rax, rax; je >thrown);
    for (i, &r) in INT_ARGS.iter().enumerate() {
        dynasm!(ops; .arch x64; mov Rq(r), [rsp + 8 * i as i32]);
    }
    for i in 0..8u8 {
        dynasm!(ops; .arch x64; movsd Rx(i), [rsp + 64 + 8 * i as i32]);
    }
    dynasm!(ops; .arch x64; leave; jmp QWORD [rax + l.method_entry]; thrown: ; leave);
    raise_in_caller(&mut ops, l);
    finish(ops)
}

/// Goes to the method that interface method rax selects for class r10, by the itable; falls through, keeping r11,
/// where that does not say. No registers but these and those of arguments are live.
fn itable_scan(ops: &mut Asm, l: &Layout) {
    // r14: itable entry, rbx: interface.
    dynasm!(ops
        ; .arch x64
        ; mov r12d, [r10 + l.class_itable_words]
        ; test r12d, r12d
        ; je >none
        ; mov r14d, [r10 + l.class_vtable_length]
        ; lea r14, [r10 + r14 * 8 + l.class_vtable]
        ; mov rbx, [rax + l.method_class]
        ; scan:
        ; mov r12, [r14]
        ; cmp r12, rbx
        ; je >found
        ; add r14, 16
        ; test r12, r12
        ; jne <scan
        ; jmp >none
        ; found:
        ; mov r14, [r14 + 8]
        ; add r14, r10
        ; movsxd r12, [rax + l.method_itable_index]
        ; test r12, r12
        ; js >none
        ; mov r14, [r14 + r12 * 8]
        ; test r14, r14
        ; je >none
        ; mov rax, r14
        ; jmp QWORD [rax + l.method_entry]
        ; none:
    );
}

/// A run-time function called with the thread before the arguments, which are where C wants them.
pub fn runtime(l: &Layout, function: usize, leaf: bool) -> Vec<u8> {
    let mut ops = new();
    if !leaf {
        dynasm!(ops
            ; .arch x64
            ; mov r11, [rsp]
            ; mov [r15 + l.anchor_pc], r11
            ; lea r11, [rsp + 8]
            ; mov [r15 + l.anchor_sp], r11
        );
    }
    dynasm!(ops; .arch x64; sub rsp, 8; mov rdi, r15);
    call(&mut ops, function);
    dynasm!(ops; .arch x64; add rsp, 8);
    if leaf {
        dynasm!(ops; .arch x64; ret);
        return finish(ops);
    }
    dynasm!(ops; .arch x64; cmp QWORD [r15 + l.exception], 0; jne >thrown; ret; thrown:);
    raise_in_caller(&mut ops, l);
    finish(ops)
}

/// Keeps every register in a block: `extern "C" fn(thread, *mut Registers, sp, pc) -> usize`; 0 restores them
/// as they are in the block and returns, anything else goes where the run-time said.
pub fn block(l: &Layout, function: usize) -> Vec<u8> {
    let mut ops = new();
    dynasm!(ops; .arch x64; sub rsp, REGISTERS + 8);
    for r in (0..16u8).filter(|&r| r != 4) {
        dynasm!(ops; .arch x64; mov [rsp + 8 * r as i32], Rq(r));
    }
    for r in 0..16u8 {
        dynasm!(ops; .arch x64; movsd [rsp + 128 + 8 * r as i32], Rx(r));
    }
    dynasm!(ops
        ; .arch x64
        ; mov rdi, r15
        ; mov rsi, rsp
        ; lea rdx, [rsp + REGISTERS + 16]
        ; mov rcx, [rsp + REGISTERS + 8]
    );
    call(&mut ops, function);
    dynasm!(ops; .arch x64; test rax, rax; jne >leave);
    for r in (0..16u8).filter(|&r| r != 4) {
        dynasm!(ops; .arch x64; mov Rq(r), [rsp + 8 * r as i32]);
    }
    for r in 0..16u8 {
        dynasm!(ops; .arch x64; movsd Rx(r), [rsp + 128 + 8 * r as i32]);
    }
    dynasm!(ops; .arch x64; add rsp, REGISTERS + 8; ret; leave:);
    resume(&mut ops, l);
    finish(ops)
}

/// Jumped to with the return address on top of the stack: `extern "C" fn(thread, sp, pc, fp, result register)`,
/// then goes where the run-time said.
pub fn leave(l: &Layout, function: usize) -> Vec<u8> {
    let mut ops = new();
    dynasm!(ops
        ; .arch x64
        ; mov rdi, r15
        ; lea rsi, [rsp + 8]
        ; mov rdx, [rsp]
        ; mov rcx, rbp
        ; mov r8, rax
        ; sub rsp, 8
    );
    call(&mut ops, function);
    resume(&mut ops, l);
    finish(ops)
}

/// Reached by a return, or by `resume`, with the stack pointer that of the frame: `extern "C" fn(thread, sp, int
/// result, float result)`, then goes where the run-time said.
pub fn arrive(l: &Layout, function: usize) -> Vec<u8> {
    let mut ops = new();
    dynasm!(ops; .arch x64; mov rdi, r15; mov rsi, rsp; mov rdx, rax; movq rcx, xmm0; sub rsp, 16);
    call(&mut ops, function);
    resume(&mut ops, l);
    finish(ops)
}

/// Reached by `resume`, with the stack pointer [`DROPPED`](super::DROPPED) below that of the caller of a frame that
/// is no more: `extern "C" fn(thread, caller's sp, result)`, then goes where the run-time said.
pub fn interpret(l: &Layout, function: usize) -> Vec<u8> {
    let mut ops = new();
    dynasm!(ops
        ; .arch x64
        ; mov rdx, rax
        ; lea rdi, [rsp - CLEARED as i32]
        ; mov ecx, CLEARED as i32 / 8
        ; xor eax, eax
        ; rep stosq
        ; mov rdi, r15
        ; lea rsi, [rsp + DROPPED as i32]
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
    dynasm!(ops
        ; .arch x64
        ; mov rdx, rax
        ; lea rdi, [rsp - stale::CLEARED as i32]
        ; mov ecx, stale::CLEARED as i32 / 8
        ; xor eax, eax
        ; rep stosq
        ; jmp rdx
    );
    finish(ops)
}

/// Reached likewise, with the address of a handover's buffer as the result: enters the code.
pub fn enter_osr() -> Vec<u8> {
    let mut ops = new();
    // The return address is on top of the stack then.
    dynasm!(ops
        ; .arch x64
        ; mov rsi, rax
        ; mov rax, [rsi - 16]
        ; add rsp, DROPPED as i32 - 8
        ; jmp QWORD [rsi - 8]
    );
    finish(ops)
}
