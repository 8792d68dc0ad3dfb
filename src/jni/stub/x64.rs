//! Native call stubs for the System V x86-64 calling convention.

use super::{Protocol, Shape};
use crate::threads::thread::ThreadState;
use dynasmrt::x64::X64Relocation;
use dynasmrt::{dynasm, DynasmApi, DynasmLabelApi, VecAssembler};

/// Callee-saved registers pushed below the saved frame pointer.
const PUSHED: usize = 5;
/// Encodings of the integer argument registers: rdi rsi rdx rcx r8 r9.
const INTEGER: [u8; 6] = [7, 6, 2, 1, 8, 9];

/// Assembles the stub for `shape`; see [`super::StubFn`].
pub fn assemble(shape: &Shape, vm: &Protocol) -> Vec<u8> {
    let mut ops: VecAssembler<X64Relocation> = VecAssembler::new(0);
    // rdi, rsi are the environment and the class or receiver.
    let (mut integers, mut floats, mut stacked) = (if shape.is_static { 2 } else { 1 }, 0u8, 0i32);
    let places: Vec<(u8, i32, Place)> = shape
        .slots()
        .map(|(c, slot)| {
            let place = match c {
                b'F' | b'D' if floats < 8 => {
                    floats += 1;
                    Place::Float(floats - 1)
                }
                b'F' | b'D' => Place::stack(&mut stacked),
                _ if integers < 6 => {
                    integers += 1;
                    Place::Integer(INTEGER[integers - 1])
                }
                _ => Place::stack(&mut stacked),
            };
            (c, slot as i32 * 8, place)
        })
        .collect();
    // Entry: rsp = 8 mod 16; frame pointer and PUSHED registers on top, then aligned again.
    let mut bytes = stacked * 8;
    if (bytes as usize + 8 * PUSHED) % 16 != 0 {
        bytes += 8;
    }
    dynasm!(ops
        ; .arch x64
        ; push rbp
        ; mov rbp, rsp
        ; push rbx
        ; push r12
        ; push r13
        ; push r14
        ; push r15
        ; sub rsp, bytes
        ; mov rbx, rdi
        ; mov r12, rsi
        ; mov r13, rdx
        ; mov r14, rcx
        ; xor r15d, r15d
    );
    for &(c, offset, place) in &places {
        match (c, place) {
            (b'L', Place::Integer(r)) => dynasm!(ops
                ; .arch x64
                ; lea Rq(r), [rbx + offset]
                ; cmp QWORD [rbx + offset], 0
                ; cmove Rq(r), r15
            ),
            (b'L', Place::Stack(at)) => dynasm!(ops
                ; .arch x64
                ; lea rax, [rbx + offset]
                ; cmp QWORD [rbx + offset], 0
                ; cmove rax, r15
                ; mov [rsp + at], rax
            ),
            (b'J', Place::Integer(r)) => dynasm!(ops; .arch x64; mov Rq(r), [rbx + offset]),
            (b'F', Place::Float(r)) => dynasm!(ops; .arch x64; movss Rx(r), [rbx + offset]),
            (b'D', Place::Float(r)) => dynasm!(ops; .arch x64; movsd Rx(r), [rbx + offset]),
            (_, Place::Integer(r)) => dynasm!(ops; .arch x64; mov Rd(r), [rbx + offset]),
            (_, _) => {
                let Place::Stack(at) = place else { unreachable!("only floats go to float registers") };
                dynasm!(ops; .arch x64; mov rax, [rbx + offset]; mov [rsp + at], rax)
            }
        }
    }
    if shape.is_static {
        dynasm!(ops; .arch x64; mov rsi, r13);
    }
    let (in_native, in_vm) = (ThreadState::InNative as i8, ThreadState::InVm as i32);
    dynasm!(ops
        ; .arch x64
        ; mov rdi, r12
        ; mov r15, [r12 + vm.saved_sp]
        ; mov [r12 + vm.saved_sp], rsp
        ; mov BYTE [r12 + vm.state], in_native
        ; call r14
    );
    // The result goes to rbx, which nobody below touches.
    match shape.result {
        b'V' => dynasm!(ops; .arch x64; xor ebx, ebx),
        // Any non-zero low byte is true.
        b'Z' => dynasm!(ops; .arch x64; xor ebx, ebx; test al, al; setne bl),
        b'B' => dynasm!(ops; .arch x64; movsx ebx, al),
        b'C' => dynasm!(ops; .arch x64; movzx ebx, ax),
        b'S' => dynasm!(ops; .arch x64; movsx ebx, ax),
        b'I' => dynasm!(ops; .arch x64; mov ebx, eax),
        b'F' => dynasm!(ops; .arch x64; movd ebx, xmm0),
        b'D' => dynasm!(ops; .arch x64; movq rbx, xmm0),
        _ => dynasm!(ops; .arch x64; mov rbx, rax),
    }
    dynasm!(ops
        ; .arch x64
        // xchg is a full fence: the pause sees our state, or we its poll bit.
        ; mov eax, in_vm
        ; xchg [r12 + vm.state], al
        ; cmp DWORD [r12 + vm.poll], 0
        ; jne >slow
        ; done:
        ; mov [r12 + vm.saved_sp], r15
        ; mov rax, rbx
        ; lea rsp, [rbp - 8 * PUSHED as i32]
        ; pop r15
        ; pop r14
        ; pop r13
        ; pop r12
        ; pop rbx
        ; pop rbp
        ; ret
        ; slow:
        ; lea rdi, [r12 + vm.thread]
        ; mov rax, QWORD vm.slow as i64
        ; call rax
        ; jmp <done
    );
    ops.finalize().expect("all labels are defined")
}

#[derive(Clone, Copy)]
enum Place {
    /// Register encoding.
    Integer(u8),
    Float(u8),
    /// Offset from the stack pointer.
    Stack(i32),
}

impl Place {
    fn stack(words: &mut i32) -> Place {
        *words += 1;
        Place::Stack((*words - 1) * 8)
    }
}
