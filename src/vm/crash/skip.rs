//! Where the next instruction begins behind one of compiled code that has faulted.

/// An instruction with one access to memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Access {
    /// Bytes of the instruction.
    pub length: usize,
    /// Number of the general register that it does nothing but load.
    pub loads: Option<u8>,
}

/// The instruction at `code`; `None` if it is none that compiled code would access a program's memory by.
///
/// # Safety
/// A whole instruction must be readable there.
#[cfg(target_arch = "aarch64")]
pub(super) unsafe fn decode(code: *const u8) -> Option<Access> {
    let word = code.cast::<u32>().read();
    let target = (word & 31) as u8;
    let loads = match word & 0x3f00_0000 {
        // Load or store of one register, by immediate or register offset; atomic operations too, which leave the
        // register as it is.
        0x3800_0000 | 0x3900_0000 => {
            let atomic = word & 0x3f20_0c00 == 0x3820_0000;
            word & 0x00c0_0000 != 0 && !atomic
        }
        // Exclusive ones would be tried again for ever; with bit 23 they are ordered (`ldar`, `stlr`) or `cas`.
        0x0800_0000 if word & 0x0080_0000 != 0 => word & 0x0060_0000 == 0x0040_0000,
        // Those of floating-point registers.
        0x3c00_0000 | 0x3d00_0000 => false,
        _ => return None,
    };
    Some(Access { length: 4, loads: (loads && target != 31).then_some(target) })
}

/// The instruction at `code`; `None` if it is none that compiled code would access a program's memory by.
///
/// # Safety
/// A whole instruction must be readable there.
#[cfg(target_arch = "x86_64")]
pub(super) unsafe fn decode(code: *const u8) -> Option<Access> {
    let mut at = 0;
    // SAFETY: no more is read than the instruction has.
    let mut next = || unsafe {
        at += 1;
        *code.add(at - 1)
    };
    let (mut short, mut rex) = (false, 0);
    let mut opcode = next();
    while matches!(opcode, 0x66 | 0xf0 | 0xf2 | 0xf3) {
        short |= opcode == 0x66;
        opcode = next();
    }
    if opcode & 0xf0 == 0x40 {
        rex = opcode;
        opcode = next();
    }
    let immediate = if short { 2 } else { 4 };
    let mut loads = false;
    let (modrm, tail) = match opcode {
        0x0f => {
            let second = next();
            match second {
                0x38 => {
                    next();
                    (next(), 0)
                }
                0x3a => {
                    next();
                    (next(), 1)
                }
                // Without a memory operand, or ends of the program.
                0x00..=0x0f | 0x30..=0x3f | 0x77 | 0x80..=0x8f | 0xa0..=0xa2 | 0xa8..=0xaa | 0xc8..=0xcf => return None,
                _ => {
                    loads = matches!(second, 0xb6 | 0xb7 | 0xbe | 0xbf);
                    let with_byte = matches!(second, 0x70..=0x73 | 0xa4 | 0xac | 0xba | 0xc2 | 0xc4..=0xc6);
                    (next(), usize::from(with_byte))
                }
            }
        }
        0x00..=0x3f if opcode & 7 < 4 => (next(), 0),
        0x63 | 0x8b => {
            loads = true;
            (next(), 0)
        }
        0x84..=0x8a | 0xd0..=0xd3 | 0xfe => (next(), 0),
        0x6b | 0x80 | 0x83 | 0xc0 | 0xc1 | 0xc6 => (next(), 1),
        0x69 | 0x81 | 0xc7 => (next(), immediate),
        0xf6 | 0xf7 => {
            let modrm = next();
            let test = modrm >> 3 & 7 < 2;
            (modrm, if !test { 0 } else if opcode == 0xf6 { 1 } else { immediate })
        }
        0xff => {
            let modrm = next();
            if modrm >> 3 & 7 > 1 {
                return None;
            }
            (modrm, 0)
        }
        _ => return None,
    };
    let (mode, rm) = (modrm >> 6, modrm & 7);
    if mode == 3 {
        return None;
    }
    let base = if rm == 4 { next() & 7 } else { rm };
    let displacement = match mode {
        0 if base == 5 => 4,
        0 => 0,
        1 => 1,
        _ => 4,
    };
    let register = modrm >> 3 & 7 | (rex & 4) << 1;
    Some(Access { length: at + displacement + tail, loads: loads.then_some(register) })
}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use super::*;

    #[test]
    fn lengths_and_targets() {
        let of = |code: &[u8]| {
            let mut padded = code.to_vec();
            padded.resize(16, 0xcc);
            // SAFETY: longer than any instruction.
            unsafe { decode(padded.as_ptr()) }
        };
        for (code, loads) in [
            // mov eax, [rdi]; mov r9, [rdi + rcx]; mov rbx, [r12 + 8]; mov ecx, [rip + 4]; mov edx, [abs]
            (&[0x8b, 0x07][..], Some(0)),
            (&[0x4c, 0x8b, 0x0c, 0x0f], Some(9)),
            (&[0x49, 0x8b, 0x5c, 0x24, 0x08], Some(3)),
            (&[0x8b, 0x0d, 4, 0, 0, 0], Some(1)),
            (&[0x8b, 0x14, 0x25, 0, 0, 1, 0], Some(2)),
            // movsx esi, byte [rax + rbx]; movzx r10d, word [rbp + 0x100]; movsxd rdx, [rsi]
            (&[0x0f, 0xbe, 0x34, 0x18], Some(6)),
            (&[0x44, 0x0f, 0xb7, 0x95, 0, 1, 0, 0], Some(10)),
            (&[0x48, 0x63, 0x16], Some(2)),
            // mov [rdi], al; mov word [rdi], 5; mov dword [rdi + 4], 5; mov byte [rdi + rsi], 1
            (&[0x88, 0x07], None),
            (&[0x66, 0xc7, 0x07, 5, 0], None),
            (&[0xc7, 0x47, 0x04, 5, 0, 0, 0], None),
            (&[0xc6, 0x04, 0x37, 1], None),
            // cmp byte [rdi], 0; test dword [rdi], 1; lock cmpxchg [rdi], rcx; xchg [rdi], r8d
            (&[0x80, 0x3f, 0], None),
            (&[0xf7, 0x07, 1, 0, 0, 0], None),
            (&[0xf0, 0x48, 0x0f, 0xb1, 0x0f], None),
            (&[0x44, 0x87, 0x07], None),
            // movsd xmm1, [rdi]; movss [rdi + 8], xmm9
            (&[0xf2, 0x0f, 0x10, 0x0f], None),
            (&[0xf3, 0x44, 0x0f, 0x11, 0x4f, 0x08], None),
        ] {
            assert_eq!(of(code), Some(Access { length: code.len(), loads }), "{code:x?}");
        }
        // call [rdi]; add eax, ecx; ret
        for code in [&[0xff, 0x17][..], &[0x01, 0xc8], &[0xc3]] {
            assert_eq!(of(code), None, "{code:x?}");
        }
    }
}
