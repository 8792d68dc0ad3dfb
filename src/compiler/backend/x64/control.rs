//! Ends of blocks, and polls.

use super::encode::{Cc, Ea};
use super::{Before, SlowPath, X64Emitter, R11, R15, RSP};
use crate::code::assembled::{PointKind, Stub};
use crate::compiler::backend::emit::At;
use crate::compiler::backend::lir::{Inst, Succ};
use crate::threads::thread::offsets;
use dynasmrt::{dynasm, DynamicLabel, DynasmApi, DynasmLabelApi};

impl X64Emitter {
    /// Jumps to a successor, unless it comes next.
    fn go(&mut self, succ: Succ, at: &At) {
        if at.next != Some(succ) {
            let to = at.succs[succ as usize];
            dynasm!(self.s.ops ; .arch x64 ; jmp =>to)
        }
    }

    pub(super) fn control(&mut self, inst: &Inst, at: &At) {
        match inst {
            Inst::Safepoint => {
                self.cmp_mem(Ea::base(R15, offsets::POLL as i32), 0);
                let what = SlowPath::Stub {
                    stub: Stub::Safepoint,
                    point: at.point(),
                    kind: PointKind::Poll,
                    before: Before::Nothing,
                };
                let (slow, back) = self.slow(what);
                self.jcc(Cc::Ne, slow);
                self.s.bind(back)
            }
            Inst::Jump => self.go(0, at),
            Inst::Branch { test } => {
                if at.next == Some(0) || at.next.is_none() && at.likely == 1 {
                    self.jump_if(test, false, at.succs[1]);
                    self.go(0, at)
                } else {
                    self.jump_if(test, true, at.succs[0]);
                    self.go(1, at)
                }
            }
            Inst::TableSwitch { key, low, targets, default, tmp } => {
                let table = self.s.label();
                self.tables.push((table, targets.iter().map(|&t| at.succs[t as usize]).collect()));
                let (key, tmp) = (key.hw(), tmp.hw());
                self.rm(None, false, &[0x8d], R11, Ea::base(key, low.wrapping_neg()));
                self.reg_imm(false, 7, R11, targets.len() as i32);
                self.jcc(Cc::Ae, at.succs[*default as usize]);
                dynasm!(self.s.ops ; .arch x64 ; lea Rq(tmp), [=>table]);
                // movsxd r11, [tmp + r11 * 4]
                self.rm(None, true, &[0x63], R11, Ea::index(tmp, R11, 2, 0));
                dynasm!(self.s.ops ; .arch x64 ; add r11, Rq(tmp) ; jmp r11)
            }
            Inst::SearchSwitch { key, cases, default } => {
                self.search_switch(key.hw(), cases, at.succs[*default as usize], at);
                self.go(*default, at)
            }
            Inst::TryCall(c) => {
                self.call(c, at);
                self.s.handler(at.succs[1]);
                self.go(0, at)
            }
            Inst::Return { .. } => {
                self.leave();
                dynasm!(self.s.ops ; .arch x64 ; ret)
            }
            Inst::Throw { .. } => {
                self.leave();
                dynasm!(self.s.ops ; .arch x64 ; .bytes [0xe9, 0, 0, 0, 0]); // jmp rel32
                self.s.relocate(4, Stub::Throw)
            }
            Inst::Deopt { reason, action } => {
                self.call_stub(Stub::Deopt);
                self.s.place(at.point(), PointKind::Deopt(*reason, *action))
            }
            Inst::Unreachable => dynasm!(self.s.ops ; .arch x64 ; ud2),
            _ => unreachable!("{inst:?}"),
        }
    }

    /// Pops the frame.
    fn leave(&mut self) {
        let size = self.s.frame.size as i32;
        if size > 16 {
            self.reg_imm(true, 0, RSP, size - 16)
        }
        dynasm!(self.s.ops ; .arch x64 ; pop rbp)
    }

    /// Binary search; goes on behind it, or to `default` from within, if no case is the key.
    fn search_switch(&mut self, key: u8, cases: &[(i32, Succ)], default: DynamicLabel, at: &At) {
        if cases.len() <= 4 {
            for &(k, s) in cases {
                self.reg_imm(false, 7, key, k);
                self.jcc(Cc::E, at.succs[s as usize]);
            }
            return;
        }
        let (low, high) = cases.split_at(cases.len() / 2);
        let upper = self.s.label();
        self.reg_imm(false, 7, key, high[0].0);
        self.jcc(Cc::Ge, upper);
        self.search_switch(key, low, default, at);
        dynasm!(self.s.ops ; .arch x64 ; jmp =>default ; =>upper);
        self.search_switch(key, high, default, at)
    }
}
