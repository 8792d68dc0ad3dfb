//! Allocation: the formulas of `heap::alloc`.

use super::encode::{Cc, Ea};
use super::{Before, SlowPath, X64Emitter, R11, R15, RAX, RSI};
use crate::code::assembled::{PointKind, Stub};
use crate::compiler::backend::emit::At;
use crate::compiler::backend::lir::Inst;
use crate::heap::alloc::LARGE_OBJECT_BYTES;
use crate::heap::layout::{ARRAY_LENGTH_OFFSET, CLASS_OFFSET, OBJECT_ALIGNMENT};
use crate::threads::thread::offsets;
use dynasmrt::{dynasm, DynasmApi, DynasmLabelApi};

/// Offsets in MMTk's bump pointer.
const CURSOR: i32 = 0;
const LIMIT: i32 = 8;

impl X64Emitter {
    pub(super) fn allocate(&mut self, inst: &Inst, at: &At) {
        let (class, stub) = match inst {
            Inst::NewInstance { class, .. } => (class, Stub::NewInstance),
            Inst::NewArray { class, .. } => (class, Stub::NewArray),
            _ => unreachable!("{inst:?}"),
        };
        let word = class.word();
        let what = SlowPath::Stub {
            stub,
            point: at.point(),
            kind: PointKind::Allocation,
            before: Before::Rax(word),
        };
        let (slow, back) = self.slow(what);
        match inst {
            Inst::NewInstance { bytes: 0, .. } => {
                dynasm!(self.s.ops ; .arch x64 ; jmp =>slow ; =>back);
                return;
            }
            Inst::NewInstance { bytes, tmp, .. } => {
                let (end, other) = (tmp[0].hw(), tmp[1].hw());
                self.cursor();
                self.rm(None, true, &[0x8d], end, Ea::base(RAX, *bytes as i32));
                self.bump(end, word, slow);
                self.valid_object_bit(end, other)
            }
            Inst::NewArray { length, tmp, .. } => {
                debug_assert_eq!(length.hw(), RSI);
                let (end, other) = (tmp[0].hw(), tmp[1].hw());
                let (base, log2) = (class.array_base() as i32, class.array_log2() as u8);
                // Longer ones, and negative ones as unsigned, take the slow path.
                let longest = (LARGE_OBJECT_BYTES as i32 - base) >> log2;
                self.reg_imm(false, 7, RSI, longest);
                self.jcc(Cc::A, slow);
                // The size, rounded up.
                dynasm!(self.s.ops ; .arch x64 ; mov Rd(end), esi);
                let round = OBJECT_ALIGNMENT as i32 - 1;
                if log2 == 0 {
                    self.rm(None, false, &[0x8d], end, Ea::base(end, base + round))
                } else {
                    self.shift(false, 4, end, log2);
                    self.reg_imm(false, 0, end, base + round)
                }
                self.reg_imm(false, 4, end, -(OBJECT_ALIGNMENT as i32));
                self.cursor();
                dynasm!(self.s.ops ; .arch x64 ; add Rq(end), rax);
                self.bump(end, word, slow);
                self.rm(None, false, &[0x89], RSI, Ea::base(RAX, ARRAY_LENGTH_OFFSET as i32));
                self.valid_object_bit(end, other)
            }
            _ => unreachable!("matched above"),
        }
        self.s.bind(back)
    }

    /// Bump pointer to r11, cursor to rax.
    fn cursor(&mut self) {
        self.rm(None, true, &[0x8b], R11, Ea::base(R15, offsets::BUMP as i32));
        self.rm(None, true, &[0x8b], RAX, Ea::base(R11, CURSOR))
    }

    /// Takes the memory between rax and `end`, and stores the class word.
    fn bump(&mut self, end: u8, class: u32, slow: dynasmrt::DynamicLabel) {
        self.rm(None, true, &[0x3b], end, Ea::base(R11, LIMIT));
        self.jcc(Cc::A, slow);
        self.rm(None, true, &[0x89], end, Ea::base(R11, CURSOR));
        self.rm(None, false, &[0xc7], 0, Ea::base(RAX, CLASS_OFFSET as i32));
        self.s.ops.push_i32(class as i32)
    }

    /// Sets the valid-object bit of the object in rax, in a unit of 32 bits: these stand for the 256 bytes of a
    /// line, which the thread owns.
    fn valid_object_bit(&mut self, a: u8, b: u8) {
        dynasm!(self.s.ops ; .arch x64 ; mov r11, rax ; shr r11, 8);
        self.rm(None, true, &[0x8b], a, Ea::base(R15, offsets::VO_BASE as i32));
        self.rm(None, true, &[0x8d], R11, Ea::index(a, R11, 2, 0));
        self.rm(None, false, &[0x8b], a, Ea::base(R11, 0));
        dynasm!(self.s.ops ; .arch x64 ; mov Rq(b), rax ; shr Rq(b), 3 ; bts Rd(a), Rd(b));
        self.rm(None, false, &[0x89], a, Ea::base(R11, 0))
    }
}
