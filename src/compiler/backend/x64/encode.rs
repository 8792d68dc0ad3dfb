//! Encoding of instructions with a memory operand or a condition code, which `dynasm!` has no short or variable
//! form of.

use super::{X64Emitter, R11, R15};
use crate::compiler::backend::lir::{Addr, Base};
use dynasmrt::{dynasm, DynamicLabel, DynasmApi, DynasmLabelApi};

/// An effective address.
#[derive(Clone, Copy)]
pub(super) struct Ea {
    base: Option<u8>,
    /// Register, log2 of the scale.
    index: Option<(u8, u8)>,
    disp: i32,
}

impl Ea {
    pub fn base(base: u8, disp: i32) -> Ea {
        Ea { base: Some(base), index: None, disp }
    }

    pub fn index(base: u8, index: u8, shift: u8, disp: i32) -> Ea {
        Ea { base: Some(base), index: Some((index, shift)), disp }
    }

    pub fn plus(self, disp: i32) -> Ea {
        Ea { disp: self.disp + disp, ..self }
    }

    pub fn uses(self, r: u8) -> bool {
        self.base == Some(r) || self.index.is_some_and(|i| i.0 == r)
    }
}

/// Condition codes as encoded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(super) enum Cc {
    O = 0,
    B = 2,
    Ae = 3,
    E = 4,
    Ne = 5,
    Be = 6,
    A = 7,
    S = 8,
    P = 10,
    Np = 11,
    L = 12,
    Ge = 13,
    Le = 14,
    G = 15,
}

impl Cc {
    pub fn negate(self) -> Cc {
        match self {
            Cc::B => Cc::Ae,
            Cc::Ae => Cc::B,
            Cc::E => Cc::Ne,
            Cc::Ne => Cc::E,
            Cc::Be => Cc::A,
            Cc::A => Cc::Be,
            Cc::P => Cc::Np,
            Cc::Np => Cc::P,
            Cc::L => Cc::Ge,
            Cc::Ge => Cc::L,
            Cc::Le => Cc::G,
            Cc::G => Cc::Le,
            Cc::O | Cc::S => unreachable!("never negated"),
        }
    }
}

impl X64Emitter {
    /// [prefix] [rex] opcode modrm with a memory operand.
    pub(super) fn rm(&mut self, prefix: Option<u8>, wide: bool, opcode: &[u8], reg: u8, ea: Ea) {
        self.rm_rex(prefix, wide, false, opcode, reg, ea)
    }

    /// The same for an 8-bit register, which needs a rex prefix from 4 on.
    pub(super) fn rm_byte(&mut self, opcode: &[u8], reg: u8, ea: Ea) {
        self.rm_rex(None, false, reg >= 4, opcode, reg, ea)
    }

    fn rm_rex(&mut self, prefix: Option<u8>, wide: bool, force: bool, opcode: &[u8], reg: u8, ea: Ea) {
        self.s.access_here();
        let ops = &mut self.s.ops;
        if let Some(p) = prefix {
            ops.push(p);
        }
        let (base, index) = (ea.base.unwrap_or(0), ea.index.map_or(0, |i| i.0));
        let rex = 0x40 | u8::from(wide) << 3 | (reg >> 3) << 2 | (index >> 3) << 1 | base >> 3;
        if rex != 0x40 || force {
            ops.push(rex);
        }
        opcode.iter().for_each(|&b| ops.push(b));
        let reg = (reg & 7) << 3;
        let Some(base) = ea.base else {
            // Absolute: no base, maybe an index, 32 bits of displacement.
            let (i, s) = ea.index.unwrap_or((4, 0));
            ops.push(reg | 4);
            ops.push(s << 6 | (i & 7) << 3 | 5);
            return ops.push_i32(ea.disp);
        };
        let mode = match ea.disp {
            0 if base & 7 != 5 => 0,
            -128..=127 => 0x40,
            _ => 0x80,
        };
        match ea.index {
            Some((i, s)) => {
                debug_assert_ne!(i, 4, "rsp is no index");
                ops.push(mode | reg | 4);
                ops.push(s << 6 | (i & 7) << 3 | base & 7);
            }
            None if base & 7 == 4 => {
                ops.push(mode | reg | 4);
                ops.push(0x24);
            }
            None => ops.push(mode | reg | base & 7),
        }
        match mode {
            0 => {}
            0x40 => ops.push_i8(ea.disp as i8),
            _ => ops.push_i32(ea.disp),
        }
    }

    /// [rex] opcode modrm with two registers.
    pub(super) fn rr(&mut self, wide: bool, opcode: &[u8], reg: u8, rm: u8) {
        let rex = 0x40 | u8::from(wide) << 3 | (reg >> 3) << 2 | rm >> 3;
        if rex != 0x40 {
            self.s.ops.push(rex);
        }
        opcode.iter().for_each(|&b| self.s.ops.push(b));
        self.s.ops.push(0xc0 | (reg & 7) << 3 | rm & 7);
    }

    /// The effective address of `a`; may use r11.
    pub(super) fn ea(&mut self, a: &Addr) -> Ea {
        let index = a.index.map(|i| (i.reg.hw(), i.shift));
        debug_assert!(!a.index.is_some_and(|i| i.zero_extend));
        match a.base {
            Base::Reg(r) => Ea { base: Some(r.hw()), index, disp: a.disp },
            Base::Thread => Ea { base: Some(R15), index, disp: a.disp },
            Base::Absolute(address) => {
                let whole = i64::from(address) + i64::from(a.disp);
                match i32::try_from(whole) {
                    Ok(disp) if disp >= 0 => Ea { base: None, index, disp },
                    _ => {
                        // Up to 32 bits, zero-extended; beyond that sign-extended displacements do the rest.
                        dynasm!(self.s.ops ; .arch x64 ; mov r11d, DWORD address as i32);
                        Ea { base: Some(R11), index, disp: a.disp }
                    }
                }
            }
        }
    }

    /// The cell at an absolute address; may use r11.
    pub(super) fn absolute(&mut self, address: u32) -> Ea {
        self.ea(&Addr::absolute(address))
    }

    /// Jump on a condition.
    pub(super) fn jcc(&mut self, cc: Cc, to: DynamicLabel) {
        let ops = &mut self.s.ops;
        match cc {
            Cc::O => dynasm!(ops ; .arch x64 ; jo =>to),
            Cc::B => dynasm!(ops ; .arch x64 ; jb =>to),
            Cc::Ae => dynasm!(ops ; .arch x64 ; jae =>to),
            Cc::E => dynasm!(ops ; .arch x64 ; je =>to),
            Cc::Ne => dynasm!(ops ; .arch x64 ; jne =>to),
            Cc::Be => dynasm!(ops ; .arch x64 ; jbe =>to),
            Cc::A => dynasm!(ops ; .arch x64 ; ja =>to),
            Cc::S => dynasm!(ops ; .arch x64 ; js =>to),
            Cc::P => dynasm!(ops ; .arch x64 ; jp =>to),
            Cc::Np => dynasm!(ops ; .arch x64 ; jnp =>to),
            Cc::L => dynasm!(ops ; .arch x64 ; jl =>to),
            Cc::Ge => dynasm!(ops ; .arch x64 ; jge =>to),
            Cc::Le => dynasm!(ops ; .arch x64 ; jle =>to),
            Cc::G => dynasm!(ops ; .arch x64 ; jg =>to),
        }
    }

    /// Sets the low byte of `dst` to 1 or 0.
    pub(super) fn setcc(&mut self, cc: Cc, dst: u8) {
        if dst >= 4 {
            self.s.ops.push(0x40 | dst >> 3);
        }
        [0x0f, 0x90 | cc as u8, 0xc0 | dst & 7].into_iter().for_each(|b| self.s.ops.push(b));
    }

    /// Moves `a` to `dst` on a condition.
    pub(super) fn cmov(&mut self, cc: Cc, wide: bool, dst: u8, a: u8) {
        self.rr(wide, &[0x0f, 0x40 | cc as u8], dst, a)
    }
}
