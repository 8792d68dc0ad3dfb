//! The calling convention of compiled Java code, and its frames.
//!
//! | | x86-64 | ARM64 |
//! | --- | --- | --- |
//! | integer and reference arguments | rsi rdx rcx r8 r9 rdi | x1 x2 x3 x4 x5 x6 x7 x0 |
//! | floating-point arguments | xmm0 to xmm7 | v0 to v7 |
//! | result | rax, xmm0 | x0, v0 |
//! | the `JavaThread` (always) | r15 | x28 |
//! | the callee's `Method` at a call | rax | x12 |
//! | scratch, never allocated | r11, xmm15 | x16 x17, v31 |
//! | frame pointer, stack pointer | rbp, rsp | x29, sp |
//!
//! Arguments are in the order of the signature, receiver first; those without a register are in 8-byte slots
//! at the stack pointer of the call upwards, in order. No register but thread, frame and stack pointer
//! survives a call: what is live across one is in the frame. The order of the integer registers is that of
//! C's with the first moved to the end, so that a run-time function which takes the thread before the same
//! arguments needs no moves.
//!
//! A call goes through the callee's `Method::compiled_entry`, which is never 0: machine code, or the stub into
//! the interpreter (which is why the method's address must be in its register). No call site is ever patched.
//!
//! A frame, downwards from the stack pointer of the caller's call (`caller_sp`):
//!
//! ```text
//! caller_sp + 8 * i   stack arguments (the caller's outgoing area)
//! caller_sp - 8       return address         (x86-64: pushed by the call; ARM64: x30 saved by the prologue)
//! caller_sp - 16      caller's frame pointer; the frame pointer points here
//! …                   spill slots
//! sp + 8 * i          outgoing stack arguments
//! ```
//!
//! `frame_size` = caller_sp - sp, a multiple of 16. Frames are walked by it: caller_sp = sp + frame_size, the
//! return address lies at caller_sp - 8. (So sp is that of the frame after its prologue, also while a callee
//! runs: on x86-64 the callee's caller_sp is our sp, its return address lies at our sp - 8.)
//!
//! The prologue compares the stack pointer less the frame's size with `JavaThread::native_stack_limit` and
//! jumps to the stub that throws StackOverflowError if it is below.

/// Integer argument registers by hardware number, in order.
pub const X64_INT_ARGS: [u8; 6] = [6, 2, 1, 8, 9, 7];
pub const ARM64_INT_ARGS: [u8; 8] = [1, 2, 3, 4, 5, 6, 7, 0];
/// Those of the processor that this VM runs on.
#[cfg(target_arch = "x86_64")]
pub const INT_ARGS: [u8; 6] = X64_INT_ARGS;
#[cfg(target_arch = "aarch64")]
pub const INT_ARGS: [u8; 8] = ARM64_INT_ARGS;
/// How many floating-point argument registers there are (numbered from 0).
pub const FLOAT_ARGS: usize = 8;

/// Where an argument is passed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Location {
    /// Integer register by hardware number.
    Int(u8),
    /// Floating-point register.
    Float(u8),
    /// Stack slot of 8 bytes, counted from the stack pointer at the call.
    Stack(u32),
}

/// The locations of arguments, `true` standing for floating point, with `int_args` as integer registers; and
/// how many stack slots they take.
pub fn assign(floats: impl IntoIterator<Item = bool>, int_args: &[u8]) -> (Vec<Location>, u32) {
    let (mut ints, mut fps, mut stack) = (0, 0, 0);
    let locations = floats
        .into_iter()
        .map(|float| {
            if float && fps < FLOAT_ARGS {
                fps += 1;
                Location::Float(fps as u8 - 1)
            } else if !float && ints < int_args.len() {
                ints += 1;
                Location::Int(int_args[ints - 1])
            } else {
                stack += 1;
                Location::Stack(stack - 1)
            }
        })
        .collect();
    (locations, stack)
}
