//! Conditions: comparing, and what branches, sets and selects on the outcome.

use super::address::Access;
use super::emit::Arm64Emitter;
use super::super::lir::{Addr, FSize, Inst, Reg, RegImm, Size, Test};
use super::{is_add_imm, is_logical_imm, VALUE_SCRATCH};
use crate::code::assembled::Stub;
use crate::compiler::ir::Cond;
use crate::heap::layout::CLASS_OFFSET;
use crate::meta::class::{offsets, Class};
use dynasmrt::{dynasm, DynamicLabel, DynasmApi, DynasmLabelApi};
use regalloc2::RegClass;

/// A4.2 condition codes, by their encoding.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(super) enum Code {
    Eq = 0,
    Ne = 1,
    Hs = 2,
    Lo = 3,
    Mi = 4,
    Pl = 5,
    Hi = 8,
    Ls = 9,
    Ge = 10,
    Lt = 11,
    Gt = 12,
    Le = 13,
}

impl Code {
    fn of(c: Cond) -> Code {
        match c {
            Cond::Eq => Code::Eq,
            Cond::Ne => Code::Ne,
            Cond::Lt => Code::Lt,
            Cond::Ge => Code::Ge,
            Cond::Gt => Code::Gt,
            Cond::Le => Code::Le,
            Cond::ULt => Code::Lo,
            Cond::UGe => Code::Hs,
            Cond::UGt => Code::Hi,
            Cond::ULe => Code::Ls,
        }
    }

    /// After fcmp (unordered: N 0, Z 0, C 1, V 1); `None` where no single code says it.
    fn of_float(c: Cond, nan: bool) -> Option<Code> {
        Some(match (c, nan) {
            (Cond::Eq, false) => Code::Eq,
            (Cond::Ne, true) => Code::Ne,
            (Cond::Lt, false) => Code::Mi,
            (Cond::Lt, true) => Code::Lt,
            (Cond::Le, false) => Code::Ls,
            (Cond::Le, true) => Code::Le,
            (Cond::Gt, false) => Code::Gt,
            (Cond::Gt, true) => Code::Hi,
            (Cond::Ge, false) => Code::Ge,
            (Cond::Ge, true) => Code::Pl,
            _ => return None,
        })
    }

    fn negate(self) -> Code {
        match self {
            Code::Eq => Code::Ne,
            Code::Ne => Code::Eq,
            Code::Hs => Code::Lo,
            Code::Lo => Code::Hs,
            Code::Mi => Code::Pl,
            Code::Pl => Code::Mi,
            Code::Hi => Code::Ls,
            Code::Ls => Code::Hi,
            Code::Ge => Code::Lt,
            Code::Lt => Code::Ge,
            Code::Gt => Code::Le,
            Code::Le => Code::Gt,
        }
    }
}

/// Whether flags alone say how the test ends.
pub(super) fn by_flags(test: &Test) -> bool {
    match *test {
        Test::Int { .. } | Test::Bits { .. } | Test::Mem32 { .. } | Test::RegMem32 { .. } => true,
        Test::Float { cond, nan, .. } => Code::of_float(cond, nan).is_some(),
        Test::Instance { .. } | Test::Subclass { .. } | Test::ArrayStore { .. } => false,
    }
}

/// The bit that `mask` consists of, if it is one.
fn one_bit(size: Size, mask: i64) -> Option<u32> {
    let mask = if size == Size::S32 { u64::from(mask as u32) } else { mask as u64 };
    mask.is_power_of_two().then(|| mask.trailing_zeros())
}

impl Arm64Emitter {
    /// Sets the flags so that the code says whether the test holds; `None` if it needs jumps.
    fn flags(&mut self, test: &Test) -> Option<Code> {
        match *test {
            Test::Int { size, cond, a, b } => {
                self.compare(size, a.hw(), b);
                Some(Code::of(cond))
            }
            Test::Bits { size, cond, a, b } => {
                self.test_bits(size, a.hw(), b);
                Some(Code::of(cond))
            }
            Test::Mem32 { cond, addr, imm } => {
                self.access(Access::LOAD32, VALUE_SCRATCH, &addr);
                if is_add_imm(i64::from(imm)) {
                    self.compare(Size::S32, VALUE_SCRATCH, RegImm::Imm(i64::from(imm)));
                } else {
                    self.imm(super::ADDRESS_SCRATCH, Size::S32, i64::from(imm));
                    dynasm!(self.sink.ops; .arch aarch64; cmp w16, w17);
                }
                Some(Code::of(cond))
            }
            Test::RegMem32 { cond, a, addr } => {
                self.access(Access::LOAD32, VALUE_SCRATCH, &addr);
                dynasm!(self.sink.ops; .arch aarch64; cmp W(a.hw()), w16);
                Some(Code::of(cond))
            }
            Test::Float { size, cond, nan, a, b } => {
                let code = Code::of_float(cond, nan)?;
                self.compare_float(size, a, b);
                Some(code)
            }
            Test::Instance { .. } | Test::Subclass { .. } | Test::ArrayStore { .. } => None,
        }
    }

    fn compare(&mut self, size: Size, a: u8, b: RegImm) {
        match b {
            RegImm::Imm(i) if is_add_imm(i) => {
                // subs or adds (negative immediate) into the zero register.
                let n = i.unsigned_abs() as u32;
                let (n, shifted) = if n < 1 << 12 { (n, 0) } else { (n >> 12, 1) };
                let base: u32 = if i < 0 { 0x3100_0000 } else { 0x7100_0000 };
                let sf = u32::from(size == Size::S64) << 31;
                self.word(base | sf | shifted << 22 | n << 10 | u32::from(a) << 5 | 31);
            }
            b => {
                let b = self.in_reg(b, size);
                match size {
                    Size::S32 => dynasm!(self.sink.ops; .arch aarch64; cmp W(a), W(b)),
                    Size::S64 => dynasm!(self.sink.ops; .arch aarch64; cmp X(a), X(b)),
                }
            }
        }
    }

    fn test_bits(&mut self, size: Size, a: u8, b: RegImm) {
        match (b, size) {
            (RegImm::Imm(i), Size::S32) if is_logical_imm(size, i) => {
                dynasm!(self.sink.ops; .arch aarch64; tst W(a), i as u32)
            }
            (RegImm::Imm(i), Size::S64) if is_logical_imm(size, i) => {
                dynasm!(self.sink.ops; .arch aarch64; tst X(a), i as u64)
            }
            (b, size) => {
                let b = self.in_reg(b, size);
                match size {
                    Size::S32 => dynasm!(self.sink.ops; .arch aarch64; tst W(a), W(b)),
                    Size::S64 => dynasm!(self.sink.ops; .arch aarch64; tst X(a), X(b)),
                }
            }
        }
    }

    pub(super) fn compare_float(&mut self, size: FSize, a: Reg, b: Reg) {
        match size {
            FSize::F32 => dynasm!(self.sink.ops; .arch aarch64; fcmp S(a.hw()), S(b.hw())),
            FSize::F64 => dynasm!(self.sink.ops; .arch aarch64; fcmp D(a.hw()), D(b.hw())),
        }
    }

    /// `b.cond`.
    pub(super) fn branch_code(&mut self, code: Code, to: DynamicLabel) {
        let ops = &mut self.sink.ops;
        match code {
            Code::Eq => dynasm!(ops; .arch aarch64; b.eq =>to),
            Code::Ne => dynasm!(ops; .arch aarch64; b.ne =>to),
            Code::Hs => dynasm!(ops; .arch aarch64; b.hs =>to),
            Code::Lo => dynasm!(ops; .arch aarch64; b.lo =>to),
            Code::Mi => dynasm!(ops; .arch aarch64; b.mi =>to),
            Code::Pl => dynasm!(ops; .arch aarch64; b.pl =>to),
            Code::Hi => dynasm!(ops; .arch aarch64; b.hi =>to),
            Code::Ls => dynasm!(ops; .arch aarch64; b.ls =>to),
            Code::Ge => dynasm!(ops; .arch aarch64; b.ge =>to),
            Code::Lt => dynasm!(ops; .arch aarch64; b.lt =>to),
            Code::Gt => dynasm!(ops; .arch aarch64; b.gt =>to),
            Code::Le => dynasm!(ops; .arch aarch64; b.le =>to),
        }
    }

    /// Jumps to `to` if the test's outcome is `sense`, else falls through.
    pub(super) fn branch_if(&mut self, test: &Test, sense: bool, to: DynamicLabel) {
        match *test {
            // Comparisons with zero are one instruction.
            Test::Int { size, cond: cond @ (Cond::Eq | Cond::Ne), a, b: RegImm::Imm(0) } => {
                let zero = (cond == Cond::Eq) == sense;
                let a = a.hw();
                match (zero, size) {
                    (true, Size::S32) => dynasm!(self.sink.ops; .arch aarch64; cbz W(a), =>to),
                    (true, Size::S64) => dynasm!(self.sink.ops; .arch aarch64; cbz X(a), =>to),
                    (false, Size::S32) => dynasm!(self.sink.ops; .arch aarch64; cbnz W(a), =>to),
                    (false, Size::S64) => dynasm!(self.sink.ops; .arch aarch64; cbnz X(a), =>to),
                }
            }
            // As are tests of one bit, where they reach.
            Test::Int { size, cond: cond @ (Cond::Lt | Cond::Ge), a, b: RegImm::Imm(0) } if self.near => {
                let sign = if size == Size::S32 { 31 } else { 63 };
                self.branch_bit(a.hw(), sign, (cond == Cond::Lt) == sense, to);
            }
            Test::Bits { size, cond: cond @ (Cond::Eq | Cond::Ne), a, b: RegImm::Imm(mask) }
                if self.near && one_bit(size, mask).is_some() =>
            {
                let bit = one_bit(size, mask).expect("a bit");
                self.branch_bit(a.hw(), bit, (cond == Cond::Ne) == sense, to);
            }
            Test::Mem32 { cond: cond @ (Cond::Eq | Cond::Ne), addr, imm: 0 } => {
                self.access(Access::LOAD32, VALUE_SCRATCH, &addr);
                if (cond == Cond::Eq) == sense {
                    dynasm!(self.sink.ops; .arch aarch64; cbz w16, =>to)
                } else {
                    dynasm!(self.sink.ops; .arch aarch64; cbnz w16, =>to)
                }
            }
            Test::Float { size, cond, a, b, nan } if Code::of_float(cond, nan).is_none() => {
                // Equal or unordered, or its opposite: neither equal nor unordered.
                self.compare_float(size, a, b);
                if (cond == Cond::Eq) == sense {
                    dynasm!(self.sink.ops; .arch aarch64; b.eq =>to; b.vs =>to)
                } else {
                    let not = self.sink.label();
                    dynasm!(self.sink.ops; .arch aarch64; b.eq =>not; b.vc =>to; =>not)
                }
            }
            Test::Instance { object, null, class, offset, result: _, want } => {
                let (yes, no, out) = self.outcome(sense == want, to);
                let o = object.hw();
                match null {
                    Some(true) => dynasm!(self.sink.ops; .arch aarch64; cbz X(o), =>yes),
                    Some(false) => dynasm!(self.sink.ops; .arch aarch64; cbz X(o), =>no),
                    None => {}
                }
                self.access(Access::LOAD32, VALUE_SCRATCH, &Addr::reg(object, CLASS_OFFSET as i32));
                self.imm(super::ADDRESS_SCRATCH, Size::S32, i64::from(class));
                if offset as usize == offsets::SECONDARY_SUPER_CACHE {
                    dynasm!(self.sink.ops; .arch aarch64
                        ; cmp w16, w17
                        ; b.eq =>yes
                        ; mov w0, w17
                        ; ldr w17, [x16, offset]
                        ; cmp w17, w0
                        ; b.eq =>yes
                    );
                    self.call_stub(Stub::SearchSecondary);
                    dynasm!(self.sink.ops; .arch aarch64; cbnz w0, =>yes; b =>no);
                } else {
                    dynasm!(self.sink.ops; .arch aarch64
                        ; ldr w16, [x16, offset]
                        ; cmp w16, w17
                        ; b.eq =>yes
                        ; b =>no
                    );
                }
                self.sink.bind(out);
            }
            Test::Subclass { sub, sup, result: _, want } => {
                let (yes, no, out) = self.outcome(sense == want, to);
                dynasm!(self.sink.ops; .arch aarch64; mov w16, W(sub.hw()); mov w0, W(sup.hw()));
                self.subclass(yes, no);
                self.sink.bind(out);
            }
            Test::ArrayStore { array, value, result: _, tmp: _, want } => {
                let (yes, no, out) = self.outcome(sense == want, to);
                dynasm!(self.sink.ops; .arch aarch64; cbz X(value.hw()), =>yes);
                self.access(Access::LOAD32, VALUE_SCRATCH, &Addr::reg(array, CLASS_OFFSET as i32));
                self.element_class();
                self.access(Access::LOAD32, VALUE_SCRATCH, &Addr::reg(value, CLASS_OFFSET as i32));
                self.subclass(yes, no);
                self.sink.bind(out);
            }
            _ => {
                let code = self.flags(test).expect("the tests that need jumps are above");
                self.branch_code(if sense { code } else { code.negate() }, to);
            }
        }
    }

    /// tbnz (`set`) or tbz.
    fn branch_bit(&mut self, a: u8, bit: u32, set: bool, to: DynamicLabel) {
        if set {
            dynasm!(self.sink.ops; .arch aarch64; tbnz X(a), bit, =>to)
        } else {
            dynasm!(self.sink.ops; .arch aarch64; tbz X(a), bit, =>to)
        }
    }

    /// Labels to go to when the answer is yes and no, and the one to bind behind the test; `to` is where `yes`
    /// (if `sense`) or `no` leads.
    fn outcome(&mut self, sense: bool, to: DynamicLabel) -> (DynamicLabel, DynamicLabel, DynamicLabel) {
        let out = self.sink.label();
        if sense {
            (to, out, out)
        } else {
            (out, to, out)
        }
    }

    /// w0 = the class of the elements of array class w16.
    fn element_class(&mut self) {
        let component = std::mem::offset_of!(Class, component) as u32;
        dynasm!(self.sink.ops; .arch aarch64; ldr x0, [x16, component]);
    }

    /// Whether class w16 is w0 or a subclass of it.
    fn subclass(&mut self, yes: DynamicLabel, no: DynamicLabel) {
        dynasm!(self.sink.ops; .arch aarch64
            ; cmp w16, w0
            ; b.eq =>yes
            ; ldr w17, [x0, offsets::SUPER_CHECK_OFFSET as u32]
            ; ldr w17, [x16, x17]
            ; cmp w17, w0
            ; b.eq =>yes
            ; ldr w17, [x0, offsets::SUPER_CHECK_OFFSET as u32]
            ; cmp w17, offsets::SECONDARY_SUPER_CACHE as u32
            ; b.ne =>no
        );
        self.call_stub(Stub::SearchSecondary);
        dynasm!(self.sink.ops; .arch aarch64; cbnz w0, =>yes; b =>no);
    }

    /// `Set` and `Select`.
    pub(super) fn by_test(&mut self, inst: &Inst) {
        match inst {
            Inst::Set { test, dst } => {
                let d = dst.hw();
                match self.flags(test) {
                    // csinc d, wzr, wzr, !code
                    Some(code) => {
                        let inverse = u32::from(code.negate() as u8);
                        self.word(0x1a80_0400 | 31 << 16 | inverse << 12 | 31 << 5 | u32::from(d))
                    }
                    None => {
                        let (yes, end) = (self.sink.label(), self.sink.label());
                        self.branch_if(test, true, yes);
                        dynasm!(self.sink.ops; .arch aarch64
                            ; movz W(d), #0
                            ; b =>end
                            ; =>yes
                            ; movz W(d), #1
                            ; =>end
                        );
                    }
                }
            }
            Inst::Select { test, size, dst, a, b } => {
                let (d, x, y) = (u32::from(dst.hw()), u32::from(a.hw()), u32::from(b.hw()));
                match self.flags(test) {
                    Some(code) => {
                        let base: u32 = match (dst.class(), size) {
                            (RegClass::Int, Size::S32) => 0x1a80_0000,
                            (RegClass::Int, Size::S64) => 0x9a80_0000,
                            // fcsel, double: moved whole.
                            _ => 0x1e60_0c00,
                        };
                        self.word(base | y << 16 | u32::from(code as u8) << 12 | x << 5 | d);
                    }
                    None => {
                        let (yes, end) = (self.sink.label(), self.sink.label());
                        self.branch_if(test, true, yes);
                        self.move_reg(*dst, *b);
                        dynasm!(self.sink.ops; .arch aarch64; b =>end; =>yes);
                        self.move_reg(*dst, *a);
                        if dst.class() == RegClass::Int && *size == Size::S32 {
                            self.sink.bind(end);
                            dynasm!(self.sink.ops; .arch aarch64; mov W(dst.hw()), W(dst.hw()));
                        } else {
                            self.sink.bind(end);
                        }
                    }
                }
            }
            other => unreachable!("{other:?} depends on no test"),
        }
    }
}
