//! Counters and type profiles of tier-3 code. Not exact: threads race.

use super::encode::{Cc, Ea};
use super::{Before, SlowPath, X64Emitter, R11};
use crate::code::assembled::{PointKind, Stub};
use crate::compiler::backend::emit::At;
use crate::compiler::backend::lir::Inst;
use crate::heap::layout::CLASS_OFFSET;
use crate::meta::method::Method;
use crate::profile::data::TypeRows;
use dynasmrt::{dynasm, DynamicLabel, DynasmApi, DynasmLabelApi};

impl X64Emitter {
    /// Adds 1 to 32 bits.
    fn count(&mut self, ea: Ea) {
        self.rm(None, false, &[0x83], 0, ea);
        self.s.ops.push(1)
    }

    pub(super) fn profile(&mut self, inst: &Inst, at: &At) {
        match *inst {
            Inst::Count { cell } => {
                let ea = self.absolute(cell);
                self.count(ea)
            }
            Inst::ProfileType { object, rows, tmp } => {
                let (object, class) = (object.hw(), tmp[0].hw());
                dynasm!(self.s.ops ; .arch x64 ; test Rq(object), Rq(object));
                let (null, done) = self.slow(SlowPath::ProfileNull { cell: rows + TypeRows::NULLS as u32 });
                self.jcc(Cc::E, null);
                self.rm(None, false, &[0x8b], class, Ea::base(object, CLASS_OFFSET as i32));
                dynasm!(self.s.ops ; .arch x64 ; mov r11d, DWORD rows as i32);
                for row in 0..TypeRows::WIDTH {
                    let at = row_at(row);
                    let next = self.s.label();
                    self.rm(None, false, &[0x3b], class, at);
                    self.jcc(Cc::Ne, next);
                    self.count(at.plus(4));
                    dynasm!(self.s.ops ; .arch x64 ; jmp =>done ; =>next);
                }
                let (other, back) = self.slow(SlowPath::ProfileOther { class });
                dynasm!(self.s.ops ; .arch x64 ; jmp =>other ; =>back ; =>done)
            }
            Inst::CountAndNotify { cell, mask, method, bci, tmp } => {
                let tmp = tmp.hw();
                let ea = self.absolute(cell);
                self.rm(None, false, &[0x8b], tmp, ea);
                self.reg_imm(false, 0, tmp, 1);
                self.rm(None, false, &[0x89], tmp, ea);
                dynasm!(self.s.ops ; .arch x64 ; test Rd(tmp), DWORD mask as i32);
                let method = method as *const Method as usize as u32;
                let what = SlowPath::Stub {
                    stub: Stub::CounterOverflow,
                    point: at.point(),
                    kind: PointKind::Poll,
                    before: Before::Scratch(u64::from(bci as u32) << 32 | u64::from(method)),
                };
                let (slow, back) = self.slow(what);
                self.jcc(Cc::E, slow);
                self.s.bind(back)
            }
            _ => unreachable!("{inst:?}"),
        }
    }

    /// A class that has no row: it gets a free one, or is counted among the others. Rows in r11.
    pub(super) fn profile_other(&mut self, class: u8, back: DynamicLabel) {
        for row in 0..TypeRows::WIDTH {
            let at = row_at(row);
            let next = self.s.label();
            self.cmp_mem(at, 0);
            self.jcc(Cc::Ne, next);
            self.rm(None, false, &[0x89], class, at);
            self.count(at.plus(4));
            dynasm!(self.s.ops ; .arch x64 ; jmp =>back ; =>next);
        }
        self.count(Ea::base(R11, TypeRows::OTHER as i32))
    }
}

/// Class word of a row, the rows in r11.
fn row_at(row: usize) -> Ea {
    Ea::base(R11, (TypeRows::ROWS + 8 * row) as i32)
}
