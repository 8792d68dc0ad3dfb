//! What callers have in registers, as the collector sees it: it scans stacks conservatively, and finds what a function
//! further in has saved of them.

use super::{stale, JavaThread};
use std::ffi::c_void;

// `spill_and_call(f, arg)`: callee-saved registers onto the stack, then `f(sp, arg)`.
#[cfg(target_arch = "x86_64")]
std::arch::global_asm!(
    ".hidden kiln_spill_and_call",
    ".globl kiln_spill_and_call",
    "kiln_spill_and_call:",
    ".cfi_startproc",
    "push rbp",
    ".cfi_def_cfa_offset 16",
    ".cfi_offset rbp, -16",
    "mov rbp, rsp",
    ".cfi_def_cfa_register rbp",
    "push rbx",
    ".cfi_offset rbx, -24",
    "push r12",
    ".cfi_offset r12, -32",
    "push r13",
    ".cfi_offset r13, -40",
    "push r14",
    ".cfi_offset r14, -48",
    "push r15",
    ".cfi_offset r15, -56",
    "sub rsp, 8",
    "mov rax, rdi",
    "mov rdi, rsp",
    "call rax",
    "add rsp, 8",
    "pop r15",
    "pop r14",
    "pop r13",
    "pop r12",
    "pop rbx",
    "pop rbp",
    ".cfi_def_cfa rsp, 8",
    "ret",
    ".cfi_endproc",
);
#[cfg(target_arch = "aarch64")]
std::arch::global_asm!(
    ".hidden kiln_spill_and_call",
    ".globl kiln_spill_and_call",
    "kiln_spill_and_call:",
    ".cfi_startproc",
    "stp x29, x30, [sp, #-160]!",
    ".cfi_def_cfa_offset 160",
    ".cfi_offset x29, -160",
    ".cfi_offset x30, -152",
    "mov x29, sp",
    ".cfi_def_cfa_register x29",
    "stp x19, x20, [sp, #16]",
    "stp x21, x22, [sp, #32]",
    "stp x23, x24, [sp, #48]",
    "stp x25, x26, [sp, #64]",
    "stp x27, x28, [sp, #80]",
    ".cfi_offset x19, -144",
    ".cfi_offset x20, -136",
    ".cfi_offset x21, -128",
    ".cfi_offset x22, -120",
    ".cfi_offset x23, -112",
    ".cfi_offset x24, -104",
    ".cfi_offset x25, -96",
    ".cfi_offset x26, -88",
    ".cfi_offset x27, -80",
    ".cfi_offset x28, -72",
    "stp d8, d9, [sp, #96]",
    "stp d10, d11, [sp, #112]",
    "stp d12, d13, [sp, #128]",
    "stp d14, d15, [sp, #144]",
    "mov x9, x0",
    "mov x0, sp",
    "blr x9",
    "ldp d8, d9, [sp, #96]",
    "ldp d10, d11, [sp, #112]",
    "ldp d12, d13, [sp, #128]",
    "ldp d14, d15, [sp, #144]",
    "ldp x19, x20, [sp, #16]",
    "ldp x21, x22, [sp, #32]",
    "ldp x23, x24, [sp, #48]",
    "ldp x25, x26, [sp, #64]",
    "ldp x27, x28, [sp, #80]",
    "ldp x29, x30, [sp], #160",
    ".cfi_def_cfa sp, 0",
    "ret",
    ".cfi_endproc",
);

// `hide_and_call(f, arg)`: callee-saved registers onto the stack as their complements, and zeroed; then `f(sp, arg)`. An
// unwinder finds their values by the expression not(*(CFA - offset)).
#[cfg(target_arch = "x86_64")]
std::arch::global_asm!(
    ".hidden kiln_hide_and_call",
    ".globl kiln_hide_and_call",
    "kiln_hide_and_call:",
    ".cfi_startproc",
    "push rbp",
    ".cfi_def_cfa_offset 16",
    ".cfi_offset rbp, -16",
    "mov rbp, rsp",
    ".cfi_def_cfa_register rbp",
    "not rbx",
    "not r12",
    "not r13",
    "not r14",
    "not r15",
    "push rbx",
    "push r12",
    "push r13",
    "push r14",
    "push r15",
    "sub rsp, 8",
    ".cfi_escape 0x16, 3, 5, 0x08, 24, 0x1c, 0x06, 0x20",
    ".cfi_escape 0x16, 12, 5, 0x08, 32, 0x1c, 0x06, 0x20",
    ".cfi_escape 0x16, 13, 5, 0x08, 40, 0x1c, 0x06, 0x20",
    ".cfi_escape 0x16, 14, 5, 0x08, 48, 0x1c, 0x06, 0x20",
    ".cfi_escape 0x16, 15, 5, 0x08, 56, 0x1c, 0x06, 0x20",
    "xor ebx, ebx",
    "xor r12d, r12d",
    "xor r13d, r13d",
    "xor r14d, r14d",
    "xor r15d, r15d",
    "mov rax, rdi",
    "mov rdi, rsp",
    "call rax",
    "add rsp, 8",
    "pop r15",
    "pop r14",
    "pop r13",
    "pop r12",
    "pop rbx",
    "not r15",
    "not r14",
    "not r13",
    "not r12",
    "not rbx",
    "pop rbp",
    ".cfi_def_cfa rsp, 8",
    "ret",
    ".cfi_endproc",
);
#[cfg(target_arch = "aarch64")]
std::arch::global_asm!(
    ".hidden kiln_hide_and_call",
    ".globl kiln_hide_and_call",
    "kiln_hide_and_call:",
    ".cfi_startproc",
    "stp x29, x30, [sp, #-96]!",
    ".cfi_def_cfa_offset 96",
    ".cfi_offset x29, -96",
    ".cfi_offset x30, -88",
    "mov x29, sp",
    ".cfi_def_cfa_register x29",
    "mvn x19, x19",
    "mvn x20, x20",
    "mvn x21, x21",
    "mvn x22, x22",
    "mvn x23, x23",
    "mvn x24, x24",
    "mvn x25, x25",
    "mvn x26, x26",
    "mvn x27, x27",
    "mvn x28, x28",
    "stp x19, x20, [sp, #16]",
    "stp x21, x22, [sp, #32]",
    "stp x23, x24, [sp, #48]",
    "stp x25, x26, [sp, #64]",
    "stp x27, x28, [sp, #80]",
    ".cfi_escape 0x16, 19, 5, 0x08, 80, 0x1c, 0x06, 0x20",
    ".cfi_escape 0x16, 20, 5, 0x08, 72, 0x1c, 0x06, 0x20",
    ".cfi_escape 0x16, 21, 5, 0x08, 64, 0x1c, 0x06, 0x20",
    ".cfi_escape 0x16, 22, 5, 0x08, 56, 0x1c, 0x06, 0x20",
    ".cfi_escape 0x16, 23, 5, 0x08, 48, 0x1c, 0x06, 0x20",
    ".cfi_escape 0x16, 24, 5, 0x08, 40, 0x1c, 0x06, 0x20",
    ".cfi_escape 0x16, 25, 5, 0x08, 32, 0x1c, 0x06, 0x20",
    ".cfi_escape 0x16, 26, 5, 0x08, 24, 0x1c, 0x06, 0x20",
    ".cfi_escape 0x16, 27, 5, 0x08, 16, 0x1c, 0x06, 0x20",
    ".cfi_escape 0x16, 28, 5, 0x08, 8, 0x1c, 0x06, 0x20",
    "mov x19, xzr",
    "mov x20, xzr",
    "mov x21, xzr",
    "mov x22, xzr",
    "mov x23, xzr",
    "mov x24, xzr",
    "mov x25, xzr",
    "mov x26, xzr",
    "mov x27, xzr",
    "mov x28, xzr",
    "mov x9, x0",
    "mov x0, sp",
    "blr x9",
    "ldp x19, x20, [sp, #16]",
    "ldp x21, x22, [sp, #32]",
    "ldp x23, x24, [sp, #48]",
    "ldp x25, x26, [sp, #64]",
    "ldp x27, x28, [sp, #80]",
    "mvn x19, x19",
    "mvn x20, x20",
    "mvn x21, x21",
    "mvn x22, x22",
    "mvn x23, x23",
    "mvn x24, x24",
    "mvn x25, x25",
    "mvn x26, x26",
    "mvn x27, x27",
    "mvn x28, x28",
    "ldp x29, x30, [sp], #96",
    ".cfi_def_cfa sp, 0",
    "ret",
    ".cfi_endproc",
);

/// What a trampoline calls: with the stack pointer, and the argument that it was given.
type Callee = extern "C-unwind" fn(usize, *mut c_void);

extern "C-unwind" {
    fn kiln_hide_and_call(f: Callee, arg: *mut c_void);
    fn kiln_spill_and_call(f: Callee, arg: *mut c_void);
}

/// Calls `f` through a trampoline.
#[inline(always)]
fn call_through<R>(trampoline: unsafe extern "C-unwind" fn(Callee, *mut c_void), f: impl FnOnce(usize) -> R) -> R {
    struct Call<F, R> {
        f: Option<F>,
        result: Option<R>,
    }
    extern "C-unwind" fn run<F: FnOnce(usize) -> R, R>(sp: usize, arg: *mut c_void) {
        // SAFETY: `arg` is the Call below, which outlives the call.
        let call = unsafe { &mut *(arg as *mut Call<F, R>) };
        let f = call.f.take().expect("run once");
        call.result = Some(f(sp));
    }
    fn callee<F: FnOnce(usize) -> R, R>(_: &Call<F, R>) -> Callee {
        run::<F, R>
    }
    let mut call = Call { f: Some(f), result: None };
    // SAFETY: `run` gets the Call it is made for.
    unsafe { trampoline(callee(&call), &mut call as *mut Call<_, R> as *mut c_void) }
    call.result.expect("the closure has run")
}

/// Calls `f` with the stack pointer below which nothing of the callers lies: their
/// callee-saved registers are on the stack above it.
#[inline(always)]
pub(crate) fn with_spilled_registers<R>(f: impl FnOnce(usize) -> R) -> R {
    call_through(kiln_spill_and_call, f)
}

/// Calls `f` with what the callers have left in callee-saved registers, and on the stack up to the border of who has
/// called them, out of the collector's sight. For the interpreter's loop, which has no reference there that it goes on to
/// use, but many that are dead.
///
/// # Safety
/// Neither the caller nor who has called it, up to the border beneath, keeps a reference across the call but on the Java
/// stack; who has pushed the border has saved its registers.
#[inline(always)]
pub(crate) unsafe fn hidden<R>(t: &JavaThread, f: impl FnOnce() -> R) -> R {
    call_through(kiln_hide_and_call, |sp| {
        t.vm.resolving_from.borrow_mut().push(sp);
        stale::clear_when_scarce(t);
        let result = f();
        t.vm.resolving_from.borrow_mut().pop();
        result
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    extern "C-unwind" fn answer(_sp: usize, arg: *mut c_void) {
        // SAFETY: the tests pass a u64.
        let n = unsafe { &mut *(arg as *mut u64) };
        assert!(*n != 13, "on purpose");
        *n += 1;
    }

    fn call_hidden(n: u64) -> u64 {
        let mut n = n;
        // SAFETY: no references here.
        unsafe { kiln_hide_and_call(answer, &mut n as *mut u64 as *mut c_void) }
        n
    }

    /// Enough values that are live across the call to fill all callee-saved registers.
    fn keep_many(n: u64) -> u64 {
        let v: [u64; 12] = std::array::from_fn(|i| std::hint::black_box(i as u64 * 0x1_0001));
        let (a, b, c, d, e, f) = (v[0] + 1, v[1] + 1, v[2] + 1, v[3] + 1, v[4] + 1, v[5] + 1);
        let (g, h, i, j, k, l) = (v[6] + 1, v[7] + 1, v[8] + 1, v[9] + 1, v[10] + 1, v[11] + 1);
        let answer = call_hidden(std::hint::black_box(n));
        let all = [a, b, c, d, e, f, g, h, i, j, k, l];
        assert!(all.iter().enumerate().all(|(i, &x)| x == i as u64 * 0x1_0001 + 1), "{all:?}");
        answer
    }

    #[test]
    fn registers_survive_hiding() {
        assert_eq!(keep_many(7), 8);
    }

    #[test]
    fn a_panic_unwinds_through_hidden_registers() {
        let v: [u64; 8] = std::array::from_fn(|i| std::hint::black_box(i as u64 * 77));
        let (a, b, c, d, e, f) = (v[0] + 1, v[1] + 1, v[2] + 1, v[3] + 1, v[4] + 1, v[5] + 1);
        assert!(std::panic::catch_unwind(|| keep_many(13)).is_err());
        assert_eq!([a, b, c, d, e, f], std::array::from_fn(|i| i as u64 * 77 + 1));
    }
}
