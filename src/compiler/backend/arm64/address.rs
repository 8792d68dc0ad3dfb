//! Addressing modes, and loads and stores by encoding (Arm ARM C4.1, loads and stores): which of the three
//! forms a load or store takes depends on its address.

use super::emit::Arm64Emitter;
use super::super::lir::{Addr, Base, Index, Size};
use super::{is_add_imm, ADDRESS_SCRATCH};
use dynasmrt::{dynasm, DynasmApi};

/// A load or store: the fields of its encoding that do not depend on the address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Access {
    /// log2 of the bytes.
    pub size: u32,
    /// 1: a floating-point register.
    pub v: u32,
    /// 0 store, 1 load (zero-extending), 2 load sign-extending to 64 bits, 3 to 32 bits.
    pub opc: u32,
}

impl Access {
    pub const LOAD32: Access = Access { size: 2, v: 0, opc: 1 };
    pub const LOAD64: Access = Access { size: 3, v: 0, opc: 1 };

    fn bits(self) -> u32 {
        self.size << 30 | 0b111 << 27 | self.v << 26 | self.opc << 22
    }
}

impl Arm64Emitter {
    /// Emits the access to register `r` at `addr`. Uses x17 where one instruction does not reach.
    pub(super) fn access(&mut self, access: Access, r: u8, addr: &Addr) {
        let rt = u32::from(r);
        if let (Base::Reg(b), Some(i), 0) = (addr.base, addr.index, addr.disp) {
            if i.shift == 0 || u32::from(i.shift) == access.size {
                let option = if i.zero_extend { 0b010 } else { 0b011 };
                let s = u32::from(i.shift != 0);
                self.sink.access_here();
                self.word(
                    access.bits()
                        | 1 << 21
                        | u32::from(i.reg.hw()) << 16
                        | option << 13
                        | s << 12
                        | 0b10 << 10
                        | u32::from(b.hw()) << 5
                        | rt,
                );
                return;
            }
        }
        let (base, disp) = self.base_and_disp(addr);
        let rn = u32::from(base) << 5;
        let scaled = disp >> access.size;
        if disp >= 0 && scaled << access.size == disp && scaled < 1 << 12 {
            self.sink.access_here();
            self.word(access.bits() | 1 << 24 | (scaled as u32) << 10 | rn | rt);
        } else if (-256..256).contains(&disp) {
            self.sink.access_here();
            self.word(access.bits() | ((disp as u32) & 0x1ff) << 12 | rn | rt);
        } else {
            self.add_imm(ADDRESS_SCRATCH, base, i64::from(disp));
            self.sink.access_here();
            self.word(access.bits() | 1 << 24 | u32::from(ADDRESS_SCRATCH) << 5 | rt);
        }
    }

    /// Register and displacement of an address: x17 is the sum if there is an index, or an absolute base.
    fn base_and_disp(&mut self, addr: &Addr) -> (u8, i32) {
        let base = match addr.base {
            Base::Reg(r) => r.hw(),
            Base::Thread => Self::THREAD,
            Base::Absolute(a) => {
                self.imm(ADDRESS_SCRATCH, Size::S64, i64::from(a) + i64::from(addr.disp));
                if let Some(i) = addr.index {
                    self.add_index(ADDRESS_SCRATCH, ADDRESS_SCRATCH, i);
                }
                return (ADDRESS_SCRATCH, 0);
            }
        };
        match addr.index {
            None => (base, addr.disp),
            // Adding a displacement afterwards must not need another register: x16 may hold the value.
            Some(i) if !is_add_imm(i64::from(addr.disp)) => {
                self.imm(ADDRESS_SCRATCH, Size::S64, i64::from(addr.disp));
                dynasm!(self.sink.ops; .arch aarch64; add x17, x17, X(base));
                self.add_index(ADDRESS_SCRATCH, ADDRESS_SCRATCH, i);
                (ADDRESS_SCRATCH, 0)
            }
            Some(i) => {
                self.add_index(ADDRESS_SCRATCH, base, i);
                (ADDRESS_SCRATCH, addr.disp)
            }
        }
    }

    /// `dst = base + index`.
    fn add_index(&mut self, dst: u8, base: u8, i: Index) {
        let shift = u32::from(i.shift);
        if i.zero_extend {
            dynasm!(self.sink.ops; .arch aarch64; add XSP(dst), XSP(base), W(i.reg.hw()), uxtw shift);
        } else {
            dynasm!(self.sink.ops; .arch aarch64; add X(dst), X(base), X(i.reg.hw()), lsl shift);
        }
    }

    /// The address in `dst`.
    pub(super) fn address(&mut self, dst: u8, addr: &Addr) {
        let (base, disp) = self.base_and_disp(addr);
        if disp != 0 {
            self.add_imm(dst, base, i64::from(disp));
        } else if dst != base {
            dynasm!(self.sink.ops; .arch aarch64; mov X(dst), X(base));
        }
    }

    /// `dst = src + imm`, 64 bits. `dst` may be `src`; an immediate that does not fit goes through x17, which
    /// `src` then is not.
    pub(super) fn add_imm(&mut self, dst: u8, src: u8, imm: i64) {
        if is_add_imm(imm) {
            let n = imm.unsigned_abs() as u32;
            let (n, shifted) = if n < 1 << 12 { (n, 0) } else { (n >> 12, 1) };
            let base: u32 = if imm < 0 { 0xd100_0000 } else { 0x9100_0000 };
            self.word(base | shifted << 22 | n << 10 | u32::from(src) << 5 | u32::from(dst));
            return;
        }
        assert_ne!(src, ADDRESS_SCRATCH, "x17 is to hold the immediate");
        self.imm(ADDRESS_SCRATCH, Size::S64, imm);
        dynasm!(self.sink.ops; .arch aarch64; add X(dst), X(src), x17);
    }
}
