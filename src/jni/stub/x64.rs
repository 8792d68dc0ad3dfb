//! Native call stubs for the System V AMD64 calling convention.

use super::{Kind, Signature};
use crate::heap::layout::BasicType;
use dynasmrt::{dynasm, DynasmApi, ExecutableBuffer};

/// Integer argument registers behind env and class/this: rdx, rcx, r8, r9.
const INTEGER: [u8; 4] = [2, 1, 8, 9];

/// Assembles the stub. In: rdi args, rsi env, rdx class, rcx function.
pub(super) fn assemble(signature: &Signature) -> ExecutableBuffer {
    let mut ops = dynasmrt::x64::Assembler::new().expect("memory for a native call stub");
    let mut on_stack = 0;
    let (mut integers, mut floats) = (0, 0);
    for k in signature.parameters.iter() {
        match k {
            Kind::Float | Kind::Double if floats < 8 => floats += 1,
            Kind::Float | Kind::Double => on_stack += 1,
            _ if integers < INTEGER.len() => integers += 1,
            _ => on_stack += 1,
        }
    }
    // rbx and rbp are pushed above; the call needs a 16-byte aligned stack.
    let bytes = ((on_stack * 8 + 15) & !15) + 8;
    dynasm!(ops
        ; .arch x64
        ; push rbp
        ; mov rbp, rsp
        ; push rbx
        ; sub rsp, bytes as i32
        ; mov rbx, rdi
        ; mov r11, rcx
        ; mov rdi, rsi
    );
    let mut slot = 0;
    if signature.is_static {
        dynasm!(ops ; .arch x64 ; mov rsi, rdx);
    } else {
        dynasm!(ops ; .arch x64 ; mov rsi, rbx);
        slot = 1;
    }
    let (mut integers, mut floats, mut stacked) = (0, 0, 0);
    for &k in signature.parameters.iter() {
        let at = slot * 8;
        slot += k.slots() as i32;
        match k {
            Kind::Float | Kind::Double if floats < 8 => {
                let r = floats as u8;
                floats += 1;
                match k {
                    Kind::Float => dynasm!(ops ; .arch x64 ; movss Rx(r), DWORD [rbx + at]),
                    _ => dynasm!(ops ; .arch x64 ; movsd Rx(r), QWORD [rbx + at]),
                }
            }
            Kind::Int | Kind::Long | Kind::Reference if integers < INTEGER.len() => {
                let r = INTEGER[integers];
                integers += 1;
                match k {
                    Kind::Int => dynasm!(ops ; .arch x64 ; movsxd Rq(r), DWORD [rbx + at]),
                    Kind::Long => dynasm!(ops ; .arch x64 ; mov Rq(r), QWORD [rbx + at]),
                    _ => dynasm!(ops
                        ; .arch x64
                        ; xor eax, eax
                        ; lea Rq(r), [rbx + at]
                        ; cmp QWORD [rbx + at], 0
                        ; cmove Rq(r), rax
                    ),
                }
            }
            _ => {
                let to = stacked * 8;
                stacked += 1;
                match k {
                    Kind::Int => dynasm!(ops ; .arch x64 ; movsxd r10, DWORD [rbx + at]),
                    Kind::Reference => dynasm!(ops
                        ; .arch x64
                        ; xor eax, eax
                        ; lea r10, [rbx + at]
                        ; cmp QWORD [rbx + at], 0
                        ; cmove r10, rax
                    ),
                    Kind::Float => dynasm!(ops ; .arch x64 ; mov r10d, DWORD [rbx + at]),
                    _ => dynasm!(ops ; .arch x64 ; mov r10, QWORD [rbx + at]),
                }
                dynasm!(ops ; .arch x64 ; mov QWORD [rsp + to], r10);
            }
        }
    }
    dynasm!(ops ; .arch x64 ; call r11);
    let code = signature.result.0;
    if code == BasicType::Boolean as u8 {
        dynasm!(ops ; .arch x64 ; xor ecx, ecx ; test al, al ; setne cl ; mov eax, ecx);
    } else if code == BasicType::Byte as u8 {
        dynasm!(ops ; .arch x64 ; movsx eax, al);
    } else if code == BasicType::Char as u8 {
        dynasm!(ops ; .arch x64 ; movzx eax, ax);
    } else if code == BasicType::Short as u8 {
        dynasm!(ops ; .arch x64 ; movsx eax, ax);
    } else if code == BasicType::Int as u8 {
        dynasm!(ops ; .arch x64 ; mov eax, eax);
    } else if code == BasicType::Float as u8 {
        dynasm!(ops ; .arch x64 ; movd eax, xmm0);
    } else if code == BasicType::Double as u8 {
        dynasm!(ops ; .arch x64 ; movq rax, xmm0);
    } else if code == BasicType::Void as u8 {
        dynasm!(ops ; .arch x64 ; xor eax, eax);
    }
    dynasm!(ops
        ; .arch x64
        ; mov rbx, QWORD [rbp - 8]
        ; leave
        ; ret
    );
    ops.finalize().expect("the stub has no unresolved labels")
}
