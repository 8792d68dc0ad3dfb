//! Accesses to memory outside the heap that the system may have taken away: a file that is mapped has been cut off
//! since. The SIGBUS becomes an InternalError.
//!
//! The VM's own accesses on a program's behalf run under [`guarded`], and are left where they fault. In compiled code
//! the instruction is skipped ([`super::skip`]) and the error thrown at the next poll, as HotSpot does.

use super::{skip, Signal};
use crate::exceptions::{throw, Thrown};
use crate::threads::{lifecycle, JavaThread};
use std::cell::Cell;

thread_local! {
    /// The stack pointer that `kiln_guarded_call` has saved its caller's registers at; 0 outside of it.
    static GUARD: Cell<usize> = const { Cell::new(0) };
}

extern "C" {
    /// Saves the registers that a function must keep, their place in `*guard`, and calls `function(data)`; 0. If that
    /// is made to go on at `kiln_guarded_fault` with that stack pointer: 1.
    fn kiln_guarded_call(function: unsafe extern "C" fn(*mut u8), data: *mut u8, guard: *mut usize) -> usize;
    fn kiln_guarded_fault();
}

#[cfg(target_arch = "x86_64")]
std::arch::global_asm!(
    ".globl kiln_guarded_call",
    ".hidden kiln_guarded_call",
    ".globl kiln_guarded_fault",
    ".hidden kiln_guarded_fault",
    ".p2align 4",
    "kiln_guarded_call:",
    "push rbp",
    "push rbx",
    "push r12",
    "push r13",
    "push r14",
    "push r15",
    "push rdx",
    "mov [rdx], rsp",
    "mov rax, rdi",
    "mov rdi, rsi",
    "call rax",
    "xor eax, eax",
    "2:",
    "pop rdx",
    "mov qword ptr [rdx], 0",
    "pop r15",
    "pop r14",
    "pop r13",
    "pop r12",
    "pop rbx",
    "pop rbp",
    "ret",
    "kiln_guarded_fault:",
    "cld",
    "mov eax, 1",
    "jmp 2b",
);

#[cfg(target_arch = "aarch64")]
std::arch::global_asm!(
    ".globl kiln_guarded_call",
    ".hidden kiln_guarded_call",
    ".globl kiln_guarded_fault",
    ".hidden kiln_guarded_fault",
    ".p2align 4",
    "kiln_guarded_call:",
    "stp x29, x30, [sp, #-176]!",
    "stp x19, x20, [sp, #16]",
    "stp x21, x22, [sp, #32]",
    "stp x23, x24, [sp, #48]",
    "stp x25, x26, [sp, #64]",
    "stp x27, x28, [sp, #80]",
    "stp d8, d9, [sp, #96]",
    "stp d10, d11, [sp, #112]",
    "stp d12, d13, [sp, #128]",
    "stp d14, d15, [sp, #144]",
    "str x2, [sp, #160]",
    "mov x3, sp",
    "str x3, [x2]",
    "mov x4, x0",
    "mov x0, x1",
    "blr x4",
    "mov x0, #0",
    "2:",
    "ldr x2, [sp, #160]",
    "str xzr, [x2]",
    "ldp x19, x20, [sp, #16]",
    "ldp x21, x22, [sp, #32]",
    "ldp x23, x24, [sp, #48]",
    "ldp x25, x26, [sp, #64]",
    "ldp x27, x28, [sp, #80]",
    "ldp d8, d9, [sp, #96]",
    "ldp d10, d11, [sp, #112]",
    "ldp d12, d13, [sp, #128]",
    "ldp d14, d15, [sp, #144]",
    "ldp x29, x30, [sp], #176",
    "ret",
    "kiln_guarded_fault:",
    "mov x0, #1",
    "b 2b",
);

/// Runs `f`, which only reads and writes memory, to its end or to a SIGBUS; its result, or `None`. Whatever `f` has got
/// that would have to be dropped leaks then.
pub fn guarded<R: Copy>(f: impl FnOnce() -> R) -> Option<R> {
    struct Work<F, R> {
        f: Option<F>,
        result: Option<R>,
    }
    unsafe extern "C" fn run<R, F: FnOnce() -> R>(data: *mut u8) {
        let work = &mut *(data as *mut Work<F, R>);
        work.result = work.f.take().map(|f| f());
    }
    fn run_of<R, F: FnOnce() -> R>(_: &Work<F, R>) -> unsafe extern "C" fn(*mut u8) {
        run::<R, F>
    }
    let mut work = Work { f: Some(f), result: None };
    let function = run_of(&work);
    let guard = GUARD.with(Cell::as_ptr);
    // SAFETY: `function` belongs to `work`. What a fault leaves behind are frames of `f` and of the C library's
    // functions to copy and fill, which hold nothing.
    let faulted = unsafe { kiln_guarded_call(function, (&raw mut work).cast(), guard) } != 0;
    if faulted {
        None
    } else {
        work.result
    }
}

/// Throws what a fault in [`guarded`] means for the program.
#[cold]
pub fn memory_fault(t: &JavaThread) -> Thrown {
    // HotSpot's words, wherever it was.
    let text = "a fault occurred in a recent unsafe memory access operation in compiled Java code";
    throw(t, "java/lang/InternalError", Some(text.into()))
}

impl Signal {
    /// If this is an access of a program's to memory that is no longer there, has it go on behind that.
    pub(super) fn leaves_lost_memory(&mut self) -> bool {
        if self.number != libc::SIGBUS || self.sent_by().is_some() {
            return false;
        }
        let guard = GUARD.get();
        if guard != 0 {
            self.set_pc(kiln_guarded_fault as *const () as usize);
            self.set_sp(guard);
            return true;
        }
        let pc = self.pc();
        let Some(t) = JavaThread::current().filter(|_| crate::code::compiled::find(pc).is_some()) else { return false };
        // SAFETY: the instruction at `pc` has been executed as far as its access.
        let Some(access) = (unsafe { skip::decode(pc as *const u8) }) else { return false };
        if let Some(register) = access.loads {
            // What is there would not be of the type loaded.
            self.clear_register(register);
        }
        self.set_pc(pc + access.length);
        lifecycle::note_memory_fault(t);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_through() {
        let mut a = [0u64; 4];
        assert_eq!(guarded(|| 7), Some(7));
        assert_eq!(guarded(|| a[2] = 5), Some(()));
        assert_eq!((a[2], GUARD.get()), (5, 0));
    }
}
