//! Runs machine code that the back ends made: maps it, calls it through a trampoline with registers as compiled
//! code has them, and sees by which stub it left.

use jvm::code::abi::{assign, Location, INT_ARGS};
use jvm::code::assembled::{Assembled, Stub, Where};
use jvm::compiler::ir::Type;
use std::arch::global_asm;

/// How a run ended.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Outcome {
    /// Integer and floating-point result register.
    Returned(u64, u64),
    /// Left by this stub (its call's return address).
    Left(Stub, u32),
}

impl Outcome {
    pub fn int(self) -> i32 {
        self.long() as i32
    }
    pub fn long(self) -> i64 {
        match self {
            Outcome::Returned(i, _) => i as i64,
            o => panic!("{o:?}"),
        }
    }
    pub fn float(self) -> f32 {
        match self {
            Outcome::Returned(_, f) => f32::from_bits(f as u32),
            o => panic!("{o:?}"),
        }
    }
    pub fn double(self) -> f64 {
        match self {
            Outcome::Returned(_, f) => f64::from_bits(f),
            o => panic!("{o:?}"),
        }
    }
}

/// Executable code.
pub struct Code {
    memory: *mut u8,
    size: usize,
    stubs: Vec<Stub>,
}

/// Hardware numbers of the registers of each class.
const REGISTERS: usize = if cfg!(target_arch = "x86_64") { 16 } else { 32 };
/// The scratch register that stubs take an argument in, by its hardware number.
pub const SCRATCH: usize = if cfg!(target_arch = "x86_64") { 11 } else { 16 };

/// What r15/x28 points at: a `JavaThread`'s first fields, all zero, then these.
#[repr(C)]
pub struct Registers {
    thread: [u64; 256],
    /// Stack pointer to leave with.
    sp: u64,
    /// Number of the stub left by, plus one; its return address.
    left: u64,
    left_at: u64,
    ints: [u64; 8],
    floats: [u64; 8],
    stack: [u64; 8],
    result: u64,
    fresult: u64,
    /// Registers at the stub left by, and the stack from its caller's stack pointer up.
    pub saved_ints: [u64; REGISTERS],
    pub saved_floats: [u64; REGISTERS],
    pub saved_stack: [u64; 32],
}

impl Registers {
    /// The value that a debug point says is there.
    pub fn value(&self, w: Where) -> u64 {
        let (ty, bits) = match w {
            Where::Int(ty, r) => (ty, self.saved_ints[r as usize]),
            Where::Float(ty, r) => (ty, self.saved_floats[r as usize]),
            Where::Frame(ty, at) => (ty, self.saved_stack[at as usize / 8]),
            Where::Const(ty, bits) => (ty, bits),
            other => panic!("{other:?}"),
        };
        if matches!(ty, Type::I32 | Type::F32) {
            bits & 0xffff_ffff
        } else {
            bits
        }
    }

    pub fn set_thread(&mut self, offset: usize, value: u64) {
        self.thread[offset / 8] = value
    }
}

#[cfg(target_arch = "x86_64")]
global_asm!(
    ".globl kiln_test_run",
    "kiln_test_run:", // rdi code, rsi registers
    "push rbp; push rbx; push r12; push r13; push r14; push r15",
    "sub rsp, 72",
    "mov r15, rsi",
    "mov [rsp + 64], rdi",
    "xor eax, eax",
    "2: mov rcx, [r15 + 2200 + rax * 8]; mov [rsp + rax * 8], rcx; inc eax; cmp eax, 8; jb 2b",
    "mov [rsp + 64], rdi",
    "mov r11, rdi",
    "movsd xmm0, [r15 + 2136]; movsd xmm1, [r15 + 2144]; movsd xmm2, [r15 + 2152]; movsd xmm3, [r15 + 2160]",
    "movsd xmm4, [r15 + 2168]; movsd xmm5, [r15 + 2176]; movsd xmm6, [r15 + 2184]; movsd xmm7, [r15 + 2192]",
    "mov rsi, [r15 + 2072]; mov rdx, [r15 + 2080]; mov rcx, [r15 + 2088]",
    "mov r8, [r15 + 2096]; mov r9, [r15 + 2104]; mov rdi, [r15 + 2112]",
    "mov [r15 + 2048], rsp",
    "call r11",
    "3: mov [r15 + 2264], rax; movsd [r15 + 2272], xmm0",
    "add rsp, 72",
    "pop r15; pop r14; pop r13; pop r12; pop rbx; pop rbp",
    "ret",
    ".globl kiln_test_left", // top of stack: return address; number and r11 are stored
    "kiln_test_left:",
    "pop r11; mov [r15 + 2064], r11",
    "mov [r15 + 2280], rax; mov [r15 + 2288], rcx; mov [r15 + 2296], rdx; mov [r15 + 2304], rbx",
    "mov [r15 + 2320], rbp; mov [r15 + 2328], rsi; mov [r15 + 2336], rdi; mov [r15 + 2344], r8",
    "mov [r15 + 2352], r9; mov [r15 + 2360], r10; mov [r15 + 2376], r12; mov [r15 + 2384], r13",
    "mov [r15 + 2392], r14",
    "movsd [r15 + 2408], xmm0; movsd [r15 + 2416], xmm1; movsd [r15 + 2424], xmm2; movsd [r15 + 2432], xmm3",
    "movsd [r15 + 2440], xmm4; movsd [r15 + 2448], xmm5; movsd [r15 + 2456], xmm6; movsd [r15 + 2464], xmm7",
    "movsd [r15 + 2472], xmm8; movsd [r15 + 2480], xmm9; movsd [r15 + 2488], xmm10; movsd [r15 + 2496], xmm11",
    "movsd [r15 + 2504], xmm12; movsd [r15 + 2512], xmm13; movsd [r15 + 2520], xmm14",
    "mov rsi, rsp; lea rdi, [r15 + 2536]; mov ecx, 32; cld; rep movsq",
    "mov rsp, [r15 + 2048]; jmp 3b",
    // A Java method: first + 2 * second + 3 * what is on the stack. Leaves no register as it was.
    ".globl kiln_test_callee",
    "kiln_test_callee:",
    "lea rax, [rsi + 2 * rdx]; mov rcx, [rsp + 8]; lea rcx, [rcx + 2 * rcx]; add rax, rcx",
    "mov rcx, -1; mov rdx, rcx; mov rbx, rcx; mov rsi, rcx; mov rdi, rcx; mov r8, rcx; mov r9, rcx; mov r10, rcx",
    "mov r11, rcx; mov r12, rcx; mov r13, rcx; mov r14, rcx",
    "movq xmm0, rcx; movaps xmm1, xmm0; movaps xmm2, xmm0; movaps xmm3, xmm0; movaps xmm4, xmm0; movaps xmm5, xmm0",
    "movaps xmm6, xmm0; movaps xmm7, xmm0; movaps xmm8, xmm0; movaps xmm9, xmm0; movaps xmm10, xmm0",
    "movaps xmm11, xmm0; movaps xmm12, xmm0; movaps xmm13, xmm0; movaps xmm14, xmm0; movaps xmm15, xmm0",
    "ret",
);

#[cfg(target_arch = "aarch64")]
global_asm!(
    ".globl kiln_test_run",
    "kiln_test_run:", // x0 code, x1 registers
    "stp x29, x30, [sp, #-160]!; stp x19, x20, [sp, #16]; stp x21, x22, [sp, #32]; stp x23, x24, [sp, #48]",
    "stp x25, x26, [sp, #64]; stp x27, x28, [sp, #80]; stp d8, d9, [sp, #96]; stp d10, d11, [sp, #112]",
    "stp d12, d13, [sp, #128]; stp d14, d15, [sp, #144]",
    "mov x28, x1; mov x16, x0",
    "sub sp, sp, #64; add x9, x28, #2200",
    "ldp x10, x11, [x9]; stp x10, x11, [sp]; ldp x10, x11, [x9, #16]; stp x10, x11, [sp, #16]",
    "ldp x10, x11, [x9, #32]; stp x10, x11, [sp, #32]; ldp x10, x11, [x9, #48]; stp x10, x11, [sp, #48]",
    "add x9, x28, #2136; ldp d0, d1, [x9]; ldp d2, d3, [x9, #16]; ldp d4, d5, [x9, #32]; ldp d6, d7, [x9, #48]",
    "add x9, x28, #2072; ldp x1, x2, [x9]; ldp x3, x4, [x9, #16]; ldp x5, x6, [x9, #32]; ldp x7, x0, [x9, #48]",
    "mov x9, sp; str x9, [x28, #2048]",
    "blr x16",
    "3: str x0, [x28, #2264]; str d0, [x28, #2272]",
    "add sp, sp, #64",
    "ldp x19, x20, [sp, #16]; ldp x21, x22, [sp, #32]; ldp x23, x24, [sp, #48]; ldp x25, x26, [sp, #64]",
    "ldp x27, x28, [sp, #80]; ldp d8, d9, [sp, #96]; ldp d10, d11, [sp, #112]; ldp d12, d13, [sp, #128]",
    "ldp d14, d15, [sp, #144]; ldp x29, x30, [sp], #160",
    "ret",
    ".globl kiln_test_left", // number and x16 are stored
    "kiln_test_left:",
    "str x30, [x28, #2064]; add x16, x28, #2280",
    "stp x0, x1, [x16]; stp x2, x3, [x16, #16]; stp x4, x5, [x16, #32]; stp x6, x7, [x16, #48]",
    "stp x8, x9, [x16, #64]; stp x10, x11, [x16, #80]; stp x12, x13, [x16, #96]; stp x14, x15, [x16, #112]",
    "stp x19, x20, [x16, #152]; stp x21, x22, [x16, #168]; stp x23, x24, [x16, #184]; stp x25, x26, [x16, #200]",
    "str x27, [x16, #216]; add x16, x28, #2536",
    "stp d0, d1, [x16]; stp d2, d3, [x16, #16]; stp d4, d5, [x16, #32]; stp d6, d7, [x16, #48]",
    "stp d8, d9, [x16, #64]; stp d10, d11, [x16, #80]; stp d12, d13, [x16, #96]; stp d14, d15, [x16, #112]",
    "stp d16, d17, [x16, #128]; stp d18, d19, [x16, #144]; stp d20, d21, [x16, #160]; stp d22, d23, [x16, #176]",
    "stp d24, d25, [x16, #192]; stp d26, d27, [x16, #208]; stp d28, d29, [x16, #224]; stp d30, d31, [x16, #240]",
    "add x16, x28, #2792; mov x9, #0",
    "2: ldr x10, [sp, x9, lsl #3]; str x10, [x16, x9, lsl #3]; add x9, x9, #1; cmp x9, #32; b.lo 2b",
    "ldr x16, [x28, #2048]; mov sp, x16; b 3b",
    // A Java method: first + 2 * second + 3 * what is on the stack. Leaves no register as it was.
    ".globl kiln_test_callee",
    "kiln_test_callee:",
    "add x0, x1, x2, lsl #1; ldr x9, [sp]; add x9, x9, x9, lsl #1; add x0, x0, x9",
    "mov x1, #-1; mov x2, x1; mov x3, x1; mov x4, x1; mov x5, x1; mov x6, x1; mov x7, x1; mov x8, x1; mov x9, x1",
    "mov x10, x1; mov x11, x1; mov x12, x1; mov x13, x1; mov x14, x1; mov x15, x1; mov x16, x1; mov x17, x1",
    "mov x19, x1; mov x20, x1; mov x21, x1; mov x22, x1; mov x23, x1; mov x24, x1; mov x25, x1; mov x26, x1",
    "mov x27, x1",
    "fmov d0, x1; fmov d1, x1; fmov d2, x1; fmov d3, x1; fmov d4, x1; fmov d5, x1; fmov d6, x1; fmov d7, x1",
    "fmov d8, x1; fmov d9, x1; fmov d10, x1; fmov d11, x1; fmov d12, x1; fmov d13, x1; fmov d14, x1; fmov d15, x1",
    "fmov d16, x1; fmov d17, x1; fmov d18, x1; fmov d19, x1; fmov d20, x1; fmov d21, x1; fmov d22, x1; fmov d23, x1",
    "fmov d24, x1; fmov d25, x1; fmov d26, x1; fmov d27, x1; fmov d28, x1; fmov d29, x1; fmov d30, x1; fmov d31, x1",
    "ret",
);

extern "C" {
    fn kiln_test_run(code: *const u8, registers: *mut Registers);
    fn kiln_test_left();
    fn kiln_test_callee();
}

/// Entry of a method for compiled code to call.
pub fn callee() -> usize {
    kiln_test_callee as *const () as usize
}

/// Offset of `Registers::left` and of the saved scratch register.
const LEFT: usize = 2056;
const SAVED_SCRATCH: usize = 2280 + 8 * SCRATCH;

impl Code {
    /// Maps `a`, with a stub behind it for each of its relocations.
    #[cfg(target_arch = "x86_64")]
    pub fn new(a: &Assembled) -> Code {
        let mut bytes = a.code.clone();
        let mut stubs = Vec::new();
        for r in &a.relocations {
            let stub = bytes.len();
            stubs.push(r.target);
            bytes.extend([0x4d, 0x89, 0x9f]); // mov [r15 + SAVED_SCRATCH], r11
            bytes.extend((SAVED_SCRATCH as u32).to_le_bytes());
            bytes.extend([0x49, 0xc7, 0x87]); // mov qword [r15 + LEFT], number
            bytes.extend((LEFT as u32).to_le_bytes());
            bytes.extend((stubs.len() as u32).to_le_bytes());
            bytes.extend([0x49, 0xbb]); // mov r11, kiln_test_left
            bytes.extend((kiln_test_left as *const () as u64).to_le_bytes());
            bytes.extend([0x41, 0xff, 0xe3]); // jmp r11
            let at = r.offset as usize;
            bytes[at..at + 4].copy_from_slice(&(stub as i32 - (at as i32 + 4)).to_le_bytes());
        }
        Code::map(&bytes, stubs)
    }

    /// Maps `a`, with a stub behind it for each of its relocations.
    #[cfg(target_arch = "aarch64")]
    pub fn new(a: &Assembled) -> Code {
        let mut bytes = a.code.clone();
        let mut stubs = Vec::new();
        bytes.resize(bytes.len().next_multiple_of(8), 0);
        for r in &a.relocations {
            let stub = bytes.len();
            stubs.push(r.target);
            for word in [
                0xf900_0390 | (SAVED_SCRATCH as u32 / 8) << 10, // str x16, [x28, SAVED_SCRATCH]
                0xd280_0010 | (stubs.len() as u32) << 5,        // movz x16, number
                0xf900_0390 | (LEFT as u32 / 8) << 10,          // str x16, [x28, LEFT]
                0x5800_0050,                                    // ldr x16, 8 bytes on
                0xd61f_0200,                                    // br x16
            ] {
                bytes.extend(word.to_le_bytes());
            }
            // (Not aligned: the processor does not mind.)
            bytes.extend((kiln_test_left as *const () as u64).to_le_bytes());
            bytes.extend([0; 4]);
            let at = r.offset as usize;
            let jump = u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
            let distance = ((stub - at) / 4) as u32;
            bytes[at..at + 4].copy_from_slice(&(jump | distance).to_le_bytes());
        }
        Code::map(&bytes, stubs)
    }

    fn map(bytes: &[u8], stubs: Vec<Stub>) -> Code {
        // SAFETY: fresh pages of our own, written before they become executable.
        unsafe {
            let size = bytes.len().next_multiple_of(4096);
            let (rw, rx) = (libc::PROT_READ | libc::PROT_WRITE, libc::PROT_READ | libc::PROT_EXEC);
            let memory =
                libc::mmap(std::ptr::null_mut(), size, rw, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS, -1, 0) as *mut u8;
            assert_ne!(memory as isize, -1);
            std::ptr::copy_nonoverlapping(bytes.as_ptr(), memory, bytes.len());
            assert_eq!(libc::mprotect(memory as *mut _, size, rx), 0);
            Code { memory, size, stubs }
        }
    }

    /// Calls the code with these arguments (bits), as types say.
    pub fn run(&self, args: &[(Type, u64)]) -> Outcome {
        self.run_with(args, |_| {}).0
    }

    /// The same with a prepared thread; how the registers were when it left.
    pub fn run_with(&self, args: &[(Type, u64)], prepare: impl FnOnce(&mut Registers)) -> (Outcome, Box<Registers>) {
        let mut r: Box<Registers> = Box::new(Registers {
            thread: [0; 256],
            sp: 0,
            left: 0,
            left_at: 0,
            ints: [0xdead_beef_dead_beef; 8],
            floats: [0; 8],
            stack: [0; 8],
            result: 0,
            fresult: 0,
            saved_ints: [0; REGISTERS],
            saved_floats: [0; REGISTERS],
            saved_stack: [0; 32],
        });
        prepare(&mut r);
        let (locations, _) = assign(args.iter().map(|a| a.0.is_float()), &INT_ARGS);
        for (&(ty, bits), l) in args.iter().zip(locations) {
            // The upper half of an int's register is undefined.
            let bits = if ty == Type::I32 { bits & 0xffff_ffff | 0xabcd_ef01 << 32 } else { bits };
            match l {
                Location::Int(hw) => r.ints[INT_ARGS.iter().position(|&x| x == hw).unwrap()] = bits,
                Location::Float(hw) => r.floats[hw as usize] = bits,
                Location::Stack(n) => r.stack[n as usize] = bits,
            }
        }
        use std::mem::offset_of;
        assert_eq!((offset_of!(Registers, sp), offset_of!(Registers, left)), (2048, LEFT));
        assert_eq!((offset_of!(Registers, saved_ints), offset_of!(Registers, saved_stack)), (2280, 2280 + 16 * REGISTERS));
        // SAFETY: code of a function with these arguments; every way out of it is a return or one of the stubs.
        unsafe { kiln_test_run(self.memory, &mut *r) };
        let outcome = match r.left {
            0 => Outcome::Returned(r.result, r.fresult),
            n => Outcome::Left(self.stubs[n as usize - 1], (r.left_at - self.memory as u64) as u32),
        };
        (outcome, r)
    }
}

impl Drop for Code {
    fn drop(&mut self) {
        // SAFETY: mapped in `map`.
        unsafe { libc::munmap(self.memory as *mut _, self.size) };
    }
}
