//! Runs machine code that the back ends made: maps it, calls it through a trampoline with registers as compiled
//! code has them, and sees by which stub it left.

use jvm::code::abi::{assign, Location, INT_ARGS};
use jvm::code::assembled::{Assembled, Stub};
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
}

const SP: usize = 2048;

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
    ".globl kiln_test_left", // eax: number; top of stack: return address
    "kiln_test_left:",
    "mov [r15 + 2056], rax; pop rax; mov [r15 + 2064], rax; mov rsp, [r15 + 2048]; jmp 3b",
);

extern "C" {
    fn kiln_test_run(code: *const u8, registers: *mut Registers);
    fn kiln_test_left();
}

impl Code {
    /// Maps `a`, with a stub behind it for each of its relocations.
    #[cfg(target_arch = "x86_64")]
    pub fn new(a: &Assembled) -> Code {
        let mut bytes = a.code.clone();
        let mut stubs = Vec::new();
        for r in &a.relocations {
            let stub = bytes.len();
            stubs.push(r.target);
            bytes.push(0xb8); // mov eax, number
            bytes.extend((stubs.len() as u32).to_le_bytes());
            bytes.extend([0x49, 0xbb]); // mov r11, kiln_test_left
            bytes.extend((kiln_test_left as *const () as u64).to_le_bytes());
            bytes.extend([0x41, 0xff, 0xe3]); // jmp r11
            let at = r.offset as usize;
            bytes[at..at + 4].copy_from_slice(&(stub as i32 - (at as i32 + 4)).to_le_bytes());
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
        });
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
        assert_eq!(std::mem::offset_of!(Registers, sp), SP);
        // SAFETY: code of a function with these arguments; every way out of it is a return or one of the stubs.
        unsafe { kiln_test_run(self.memory, &mut *r) };
        match r.left {
            0 => Outcome::Returned(r.result, r.fresult),
            n => Outcome::Left(self.stubs[n as usize - 1], (r.left_at - self.memory as u64) as u32),
        }
    }
}

impl Drop for Code {
    fn drop(&mut self) {
        // SAFETY: mapped in `map`.
        unsafe { libc::munmap(self.memory as *mut _, self.size) };
    }
}
