//! Conditions.

use super::encode::{Cc, Ea};
use super::{X64Emitter, RAX, R11};
use crate::code::assembled::Stub;
use crate::compiler::backend::lir::{Reg, RegImm, Size, Test};
use crate::compiler::ir::Cond;
use crate::heap::layout::CLASS_OFFSET;
use crate::meta::class::offsets;
use dynasmrt::{dynasm, DynamicLabel, DynasmApi, DynasmLabelApi};
use regalloc2::RegClass;

/// What the flags must be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flags {
    Is(Cc),
    /// Equal and ordered.
    EqualOrdered,
    /// Not equal or unordered.
    NotEqualUnordered,
}

fn int_cc(cond: Cond) -> Cc {
    match cond {
        Cond::Eq => Cc::E,
        Cond::Ne => Cc::Ne,
        Cond::Lt => Cc::L,
        Cond::Ge => Cc::Ge,
        Cond::Gt => Cc::G,
        Cond::Le => Cc::Le,
        Cond::ULt => Cc::B,
        Cond::UGe => Cc::Ae,
        Cond::UGt => Cc::A,
        Cond::ULe => Cc::Be,
    }
}

impl X64Emitter {
    /// Sets the flags for a test that needs only them.
    fn flags(&mut self, t: &Test) -> Flags {
        match *t {
            Test::Int { size, cond, a, b } => {
                let wide = size == Size::S64;
                match b {
                    RegImm::Reg(b) => self.rr(wide, &[0x39], b.hw(), a.hw()),
                    RegImm::Imm(0) => self.rr(wide, &[0x85], a.hw(), a.hw()),
                    RegImm::Imm(c) => self.reg_imm(wide, 7, a.hw(), c as i32),
                }
                Flags::Is(int_cc(cond))
            }
            Test::Bits { size, cond, a, b } => {
                match b {
                    RegImm::Reg(b) => self.rr(size == Size::S64, &[0x85], b.hw(), a.hw()),
                    RegImm::Imm(c) => {
                        // A mask without sign needs no 64 bits.
                        self.rr(size == Size::S64 && c < 0, &[0xf7], 0, a.hw());
                        self.s.ops.push_i32(c as i32)
                    }
                }
                Flags::Is(int_cc(cond))
            }
            Test::Mem32 { cond, addr, imm } => {
                let ea = self.ea(&addr);
                self.cmp_mem(ea, imm);
                Flags::Is(int_cc(cond))
            }
            Test::RegMem32 { cond, a, addr } => {
                let ea = self.ea(&addr);
                self.rm(None, false, &[0x3b], a.hw(), ea);
                Flags::Is(int_cc(cond))
            }
            Test::Float { size, cond, nan, a, b } => {
                // Unordered sets carry, zero and parity: what a NaN must give chooses the order of operands.
                let (a, b) = (a.hw(), b.hw());
                let (swap, flags) = match (cond, nan) {
                    (Cond::Gt, false) => (false, Flags::Is(Cc::A)),
                    (Cond::Ge, false) => (false, Flags::Is(Cc::Ae)),
                    (Cond::Lt, false) => (true, Flags::Is(Cc::A)),
                    (Cond::Le, false) => (true, Flags::Is(Cc::Ae)),
                    (Cond::Lt, true) => (false, Flags::Is(Cc::B)),
                    (Cond::Le, true) => (false, Flags::Is(Cc::Be)),
                    (Cond::Gt, true) => (true, Flags::Is(Cc::B)),
                    (Cond::Ge, true) => (true, Flags::Is(Cc::Be)),
                    (Cond::Eq, false) => (false, Flags::EqualOrdered),
                    (Cond::Eq, true) => (false, Flags::Is(Cc::E)),
                    (Cond::Ne, false) => (false, Flags::Is(Cc::Ne)),
                    (Cond::Ne, true) => (false, Flags::NotEqualUnordered),
                    (cond, _) => unreachable!("{cond:?} of floating point"),
                };
                if swap {
                    self.ucomis(size, b, a)
                } else {
                    self.ucomis(size, a, b)
                }
                flags
            }
            _ => unreachable!("{t:?} has no flags"),
        }
    }

    /// Compares 32 bits in memory with an immediate.
    pub(super) fn cmp_mem(&mut self, ea: Ea, imm: i32) {
        match i8::try_from(imm) {
            Ok(b) => {
                self.rm(None, false, &[0x83], 7, ea);
                self.s.ops.push_i8(b)
            }
            _ => {
                self.rm(None, false, &[0x81], 7, ea);
                self.s.ops.push_i32(imm)
            }
        }
    }

    fn has_flags(t: &Test) -> bool {
        !matches!(t, Test::Instance { .. } | Test::Subclass { .. } | Test::ArrayStore { .. })
    }

    /// Jumps to `to` if the test's answer is `want`, else goes on.
    pub(super) fn jump_if(&mut self, t: &Test, want: bool, to: DynamicLabel) {
        if !X64Emitter::has_flags(t) {
            return self.jump_if_type(t, want, to);
        }
        match (self.flags(t), want) {
            (Flags::Is(cc), true) => self.jcc(cc, to),
            (Flags::Is(cc), false) => self.jcc(cc.negate(), to),
            (Flags::EqualOrdered, false) | (Flags::NotEqualUnordered, true) => {
                self.jcc(Cc::Ne, to);
                self.jcc(Cc::P, to)
            }
            (Flags::EqualOrdered, true) | (Flags::NotEqualUnordered, false) => {
                let skip = self.s.label();
                self.jcc(Cc::P, skip);
                self.jcc(Cc::E, to);
                self.s.bind(skip)
            }
        }
    }

    fn jump_if_type(&mut self, t: &Test, want: bool, to: DynamicLabel) {
        let skip = self.s.label();
        match *t {
            Test::Instance { object, null, class, offset, want: w, .. } => {
                // Where an instance goes, and where none does.
                let (yes, no) = if want == w { (to, skip) } else { (skip, to) };
                let object = object.hw();
                if let Some(n) = null {
                    dynasm!(self.s.ops ; .arch x64 ; test Rq(object), Rq(object));
                    self.jcc(Cc::E, if n { yes } else { no })
                }
                self.rm(None, false, &[0x8b], R11, Ea::base(object, CLASS_OFFSET as i32));
                self.cmp_mem(Ea::base(R11, offset as i32), class as i32);
                if offset as usize == offsets::SECONDARY_SUPER_CACHE {
                    self.jcc(Cc::E, yes);
                    self.reg_imm(false, 7, R11, class as i32);
                    self.jcc(Cc::E, yes);
                    dynasm!(self.s.ops ; .arch x64 ; mov eax, DWORD class as i32);
                    self.search(yes, no, to)
                } else if yes == to {
                    self.jcc(Cc::E, to)
                } else {
                    self.jcc(Cc::Ne, to)
                }
            }
            Test::Subclass { sub, sup, want: w, .. } => {
                let (yes, no) = if want == w { (to, skip) } else { (skip, to) };
                dynasm!(self.s.ops ; .arch x64 ; mov Rd(RAX), Rd(sup.hw()));
                self.subclass(sub.hw(), yes, no, to)
            }
            Test::ArrayStore { array, value, tmp, want: w, .. } => {
                let (yes, no) = if want == w { (to, skip) } else { (skip, to) };
                let (value, tmp) = (value.hw(), tmp.hw());
                dynasm!(self.s.ops ; .arch x64 ; test Rq(value), Rq(value));
                self.jcc(Cc::E, yes);
                self.rm(None, false, &[0x8b], RAX, Ea::base(array.hw(), CLASS_OFFSET as i32));
                self.rm(None, true, &[0x8b], RAX, Ea::base(RAX, offsets::COMPONENT as i32));
                self.rm(None, false, &[0x8b], tmp, Ea::base(value, CLASS_OFFSET as i32));
                self.subclass(tmp, yes, no, to)
            }
            _ => unreachable!("{t:?} has flags"),
        }
        self.s.bind(skip)
    }

    /// Class `sub` against the class in rax (destroyed).
    fn subclass(&mut self, sub: u8, yes: DynamicLabel, no: DynamicLabel, to: DynamicLabel) {
        debug_assert!(sub != RAX && sub != R11);
        dynasm!(self.s.ops ; .arch x64 ; cmp Rd(sub), eax);
        self.jcc(Cc::E, yes);
        self.rm(None, false, &[0x8b], R11, Ea::base(RAX, offsets::SUPER_CHECK_OFFSET as i32));
        self.rm(None, false, &[0x39], RAX, Ea::index(sub, R11, 0, 0));
        self.jcc(Cc::E, yes);
        self.reg_imm(false, 7, R11, offsets::SECONDARY_SUPER_CACHE as i32);
        self.jcc(Cc::Ne, no);
        dynasm!(self.s.ops ; .arch x64 ; mov r11d, Rd(sub));
        self.search(yes, no, to)
    }

    /// Sub class in r11, super class in rax. Goes to `to` or on, as these are where `yes` and `no` lead.
    fn search(&mut self, yes: DynamicLabel, no: DynamicLabel, to: DynamicLabel) {
        debug_assert_ne!(yes, no);
        self.call_stub(Stub::SearchSecondary);
        dynasm!(self.s.ops ; .arch x64 ; test eax, eax);
        self.jcc(if yes == to { Cc::Ne } else { Cc::E }, to)
    }

    pub(super) fn set(&mut self, t: &Test, dst: u8) {
        if !X64Emitter::has_flags(t) {
            let (one, done) = (self.s.label(), self.s.label());
            self.jump_if(t, true, one);
            dynasm!(self.s.ops ; .arch x64 ; xor Rd(dst), Rd(dst) ; jmp =>done ; =>one ; mov Rd(dst), 1 ; =>done);
            return;
        }
        match self.flags(t) {
            Flags::Is(cc) => self.setcc(cc, dst),
            Flags::EqualOrdered => {
                self.setcc(Cc::Np, R11);
                self.setcc(Cc::E, dst);
                dynasm!(self.s.ops ; .arch x64 ; and Rb(dst), r11b)
            }
            Flags::NotEqualUnordered => {
                self.setcc(Cc::P, R11);
                self.setcc(Cc::Ne, dst);
                dynasm!(self.s.ops ; .arch x64 ; or Rb(dst), r11b)
            }
        }
        dynasm!(self.s.ops ; .arch x64 ; movzx Rd(dst), Rb(dst))
    }

    /// `dst` holds what it is when the test fails; becomes `a` when it holds.
    pub(super) fn select(&mut self, t: &Test, size: Size, dst: Reg, a: Reg) {
        if dst.class() == RegClass::Int && X64Emitter::has_flags(t) {
            let wide = size == Size::S64;
            return match self.flags(t) {
                Flags::Is(cc) => self.cmov(cc, wide, dst.hw(), a.hw()),
                Flags::NotEqualUnordered => {
                    self.cmov(Cc::Ne, wide, dst.hw(), a.hw());
                    self.cmov(Cc::P, wide, dst.hw(), a.hw())
                }
                Flags::EqualOrdered => {
                    // Else it stays: from here on "not equal" decides between the two.
                    let skip = self.s.label();
                    self.jcc(Cc::P, skip);
                    self.cmov(Cc::E, wide, dst.hw(), a.hw());
                    self.s.bind(skip);
                    self.clean(size, dst.hw())
                }
            };
        }
        let skip = self.s.label();
        self.jump_if(t, false, skip);
        match dst.class() {
            RegClass::Int => dynasm!(self.s.ops ; .arch x64 ; mov Rq(dst.hw()), Rq(a.hw())),
            _ => dynasm!(self.s.ops ; .arch x64 ; movaps Rx(dst.hw()), Rx(a.hw())),
        }
        self.s.bind(skip);
        if dst.class() == RegClass::Int {
            self.clean(size, dst.hw())
        }
    }

    /// Clears the upper half of a 32-bit result that was moved whole.
    fn clean(&mut self, size: Size, dst: u8) {
        if size == Size::S32 {
            dynasm!(self.s.ops ; .arch x64 ; mov Rd(dst), Rd(dst))
        }
    }
}
