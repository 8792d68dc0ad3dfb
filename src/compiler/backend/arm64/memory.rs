//! Loads, stores, atomics, fences.
//!
//! Java's volatile accesses are ldar and stlr, which are sequentially consistent among themselves (Arm ARM
//! B2.3); acquire and release are the same. They take a bare register as address.

use super::address::Access;
use super::emit::Arm64Emitter;
use super::super::lir::{Addr, FSize, Inst, RegImm, Size};
use super::{is_zero, ADDRESS_SCRATCH, VALUE_SCRATCH};
use crate::compiler::ir::{Fence, Mem, Order, Rmw};
use crate::threads::thread::offsets;
use dynasmrt::{dynasm, DynasmApi, DynasmLabelApi};

/// How memory of this kind is loaded into an integer or floating-point register.
fn load_of(mem: Mem) -> Access {
    let (v, opc) = match mem {
        Mem::I8 | Mem::I16 => (0, 3),
        Mem::F32 | Mem::F64 => (1, 1),
        _ => (0, 1),
    };
    Access { size: mem.log2_bytes(), v, opc }
}

fn store_of(mem: Mem) -> Access {
    Access { size: mem.log2_bytes(), v: u32::from(matches!(mem, Mem::F32 | Mem::F64)), opc: 0 }
}

impl Arm64Emitter {
    pub(super) fn memory(&mut self, inst: &Inst) {
        match inst {
            Inst::Load { mem, order, dst, addr } => self.load(*mem, *order, dst.hw(), addr),
            Inst::Store { mem, order, src, addr } => {
                let src = match (*src, *mem) {
                    (x, _) if is_zero(x) => 31,
                    (RegImm::Reg(r), Mem::Ref) => {
                        dynasm!(self.sink.ops; .arch aarch64; lsr x16, X(r.hw()), #3);
                        VALUE_SCRATCH
                    }
                    (x, _) => self.in_reg(x, Size::S64),
                };
                self.store(*mem, *order, src, addr);
            }
            Inst::FStore { size, order: Order::Plain, src, addr } => {
                let mem = if *size == FSize::F32 { Mem::F32 } else { Mem::F64 };
                self.access(store_of(mem), src.hw(), addr);
            }
            Inst::FStore { size, order, src, addr } => {
                let mem = match size {
                    FSize::F32 => {
                        dynasm!(self.sink.ops; .arch aarch64; fmov w16, S(src.hw()));
                        Mem::I32
                    }
                    FSize::F64 => {
                        dynasm!(self.sink.ops; .arch aarch64; fmov x16, D(src.hw()));
                        Mem::I64
                    }
                };
                self.store(mem, *order, VALUE_SCRATCH, addr);
            }
            Inst::StoreOutgoing { ty, src, slot } => {
                let at = slot * 8;
                if ty.is_float() {
                    dynasm!(self.sink.ops; .arch aarch64; str D(src.hw()), [sp, at]);
                } else {
                    dynasm!(self.sink.ops; .arch aarch64; str X(src.hw()), [sp, at]);
                }
            }
            Inst::CompareExchange { mem, dst, addr, expected, new, tmp } => {
                self.compare_exchange(*mem, dst.hw(), addr, expected.hw(), new.hw(), tmp.hw())
            }
            Inst::AtomicRmw { op, mem, dst, addr, src, tmp } => {
                self.read_modify_write(*op, *mem, dst.hw(), addr, src.hw(), tmp.hw())
            }
            Inst::Fence(f) => match f {
                Fence::Load => dynasm!(self.sink.ops; .arch aarch64; dmb ishld),
                Fence::StoreStore => dynasm!(self.sink.ops; .arch aarch64; dmb ishst),
                // A release fence orders loads too.
                Fence::Store | Fence::Full => dynasm!(self.sink.ops; .arch aarch64; dmb ish),
            },
            Inst::TakeException { dst } => {
                dynasm!(self.sink.ops; .arch aarch64
                    ; ldr X(dst.hw()), [x28, offsets::EXCEPTION as u32]
                    ; str xzr, [x28, offsets::EXCEPTION as u32]
                )
            }
            other => unreachable!("{other:?} accesses no memory"),
        }
    }

    fn load(&mut self, mem: Mem, order: Order, d: u8, addr: &Addr) {
        if order == Order::Plain {
            self.access(load_of(mem), d, addr);
        } else {
            self.address(ADDRESS_SCRATCH, addr);
            let (d, ops) = (d, &mut self.sink.ops);
            match mem {
                Mem::U8 => dynasm!(ops; .arch aarch64; ldarb W(d), [x17]),
                Mem::I8 => dynasm!(ops; .arch aarch64; ldarb W(d), [x17]; sxtb W(d), W(d)),
                Mem::U16 => dynasm!(ops; .arch aarch64; ldarh W(d), [x17]),
                Mem::I16 => dynasm!(ops; .arch aarch64; ldarh W(d), [x17]; sxth W(d), W(d)),
                Mem::I32 | Mem::Ref | Mem::Ptr32 => dynasm!(ops; .arch aarch64; ldar W(d), [x17]),
                Mem::I64 | Mem::Ptr64 | Mem::WideRef => dynasm!(ops; .arch aarch64; ldar X(d), [x17]),
                Mem::F32 => dynasm!(ops; .arch aarch64; ldar w16, [x17]; fmov S(d), w16),
                Mem::F64 => dynasm!(ops; .arch aarch64; ldar x16, [x17]; fmov D(d), x16),
            }
        }
        if mem == Mem::Ref {
            dynasm!(self.sink.ops; .arch aarch64; lsl X(d), X(d), #3);
        }
    }

    /// Stores integer register `src` (31: zero).
    fn store(&mut self, mem: Mem, order: Order, src: u8, addr: &Addr) {
        if order == Order::Plain {
            self.access(Access { v: 0, ..store_of(mem) }, src, addr);
            return;
        }
        self.address(ADDRESS_SCRATCH, addr);
        let ops = &mut self.sink.ops;
        match mem.log2_bytes() {
            0 => dynasm!(ops; .arch aarch64; stlrb W(src), [x17]),
            1 => dynasm!(ops; .arch aarch64; stlrh W(src), [x17]),
            2 => dynasm!(ops; .arch aarch64; stlr W(src), [x17]),
            _ => dynasm!(ops; .arch aarch64; stlr X(src), [x17]),
        }
    }

    /// What was in memory, as a load of `mem` gives it.
    fn extend(&mut self, mem: Mem, d: u8) {
        match mem {
            Mem::I8 => dynasm!(self.sink.ops; .arch aarch64; sxtb W(d), W(d)),
            Mem::I16 => dynasm!(self.sink.ops; .arch aarch64; sxth W(d), W(d)),
            _ => {}
        }
    }

    fn compare_exchange(&mut self, mem: Mem, d: u8, addr: &Addr, expected: u8, new: u8, tmp: u8) {
        self.address(ADDRESS_SCRATCH, addr);
        let ops = &mut self.sink.ops;
        if self.features.lse {
            match mem.log2_bytes() {
                0 => dynasm!(ops; .arch aarch64; mov W(d), W(expected); casalb W(d), W(new), [x17]),
                1 => dynasm!(ops; .arch aarch64; mov W(d), W(expected); casalh W(d), W(new), [x17]),
                2 => dynasm!(ops; .arch aarch64; mov W(d), W(expected); casal W(d), W(new), [x17]),
                _ => dynasm!(ops; .arch aarch64; mov X(d), X(expected); casal X(d), X(new), [x17]),
            }
            self.zero_extend(mem, d);
            self.extend(mem, d);
            return;
        }
        let (again, done) = (self.sink.label(), self.sink.label());
        // The narrow forms compare zero-extended.
        let ops = &mut self.sink.ops;
        match mem.log2_bytes() {
            0 => dynasm!(ops; .arch aarch64
                ; uxtb W(tmp), W(expected)
                ; =>again
                ; ldaxrb W(d), [x17]
                ; cmp W(d), W(tmp)
                ; b.ne =>done
                ; stlxrb w16, W(new), [x17]
            ),
            1 => dynasm!(ops; .arch aarch64
                ; uxth W(tmp), W(expected)
                ; =>again
                ; ldaxrh W(d), [x17]
                ; cmp W(d), W(tmp)
                ; b.ne =>done
                ; stlxrh w16, W(new), [x17]
            ),
            2 => dynasm!(ops; .arch aarch64
                ; =>again
                ; ldaxr W(d), [x17]
                ; cmp W(d), W(expected)
                ; b.ne =>done
                ; stlxr w16, W(new), [x17]
            ),
            _ => dynasm!(ops; .arch aarch64
                ; =>again
                ; ldaxr X(d), [x17]
                ; cmp X(d), X(expected)
                ; b.ne =>done
                ; stlxr w16, X(new), [x17]
            ),
        }
        dynasm!(self.sink.ops; .arch aarch64
            ; cbnz w16, =>again
            ; =>done
            // A full fence: a failed exchange has stored nothing that would order later loads.
            ; dmb ish
        );
        self.extend(mem, d);
    }

    /// casalb and casalh compare the register's low bits and leave its upper ones as loaded; clean them.
    fn zero_extend(&mut self, mem: Mem, d: u8) {
        match mem.log2_bytes() {
            0 => dynasm!(self.sink.ops; .arch aarch64; uxtb W(d), W(d)),
            1 => dynasm!(self.sink.ops; .arch aarch64; uxth W(d), W(d)),
            _ => {}
        }
    }

    fn read_modify_write(&mut self, op: Rmw, mem: Mem, d: u8, addr: &Addr, src: u8, tmp: u8) {
        self.address(ADDRESS_SCRATCH, addr);
        let ops = &mut self.sink.ops;
        if self.features.lse {
            match (op, mem.log2_bytes()) {
                (Rmw::Add, 0) => dynasm!(ops; .arch aarch64; ldaddalb W(src), W(d), [x17]),
                (Rmw::Add, 1) => dynasm!(ops; .arch aarch64; ldaddalh W(src), W(d), [x17]),
                (Rmw::Add, 2) => dynasm!(ops; .arch aarch64; ldaddal W(src), W(d), [x17]),
                (Rmw::Add, _) => dynasm!(ops; .arch aarch64; ldaddal X(src), X(d), [x17]),
                (Rmw::Exchange, 0) => dynasm!(ops; .arch aarch64; swpalb W(src), W(d), [x17]),
                (Rmw::Exchange, 1) => dynasm!(ops; .arch aarch64; swpalh W(src), W(d), [x17]),
                (Rmw::Exchange, 2) => dynasm!(ops; .arch aarch64; swpal W(src), W(d), [x17]),
                (Rmw::Exchange, _) => dynasm!(ops; .arch aarch64; swpal X(src), X(d), [x17]),
            }
            self.extend(mem, d);
            return;
        }
        let again = self.sink.label();
        let ops = &mut self.sink.ops;
        dynasm!(ops; .arch aarch64; =>again);
        match mem.log2_bytes() {
            0 => dynasm!(ops; .arch aarch64; ldaxrb W(d), [x17]),
            1 => dynasm!(ops; .arch aarch64; ldaxrh W(d), [x17]),
            2 => dynasm!(ops; .arch aarch64; ldaxr W(d), [x17]),
            _ => dynasm!(ops; .arch aarch64; ldaxr X(d), [x17]),
        }
        match op {
            Rmw::Add => dynasm!(ops; .arch aarch64; add X(tmp), X(d), X(src)),
            Rmw::Exchange => dynasm!(ops; .arch aarch64; mov X(tmp), X(src)),
        }
        match mem.log2_bytes() {
            0 => dynasm!(ops; .arch aarch64; stlxrb w16, W(tmp), [x17]),
            1 => dynasm!(ops; .arch aarch64; stlxrh w16, W(tmp), [x17]),
            2 => dynasm!(ops; .arch aarch64; stlxr w16, W(tmp), [x17]),
            _ => dynasm!(ops; .arch aarch64; stlxr w16, X(tmp), [x17]),
        }
        dynasm!(ops; .arch aarch64
            ; cbnz w16, =>again
            ; dmb ish
        );
        self.extend(mem, d);
    }
}
