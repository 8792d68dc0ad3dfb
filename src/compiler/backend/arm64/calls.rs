//! Calls, checks, polls, and the ends of blocks.

use super::address::Access;
use super::emit::{Arm64Emitter, Before, Slow, NEAR_FRAME};
use super::super::emit::At;
use super::super::lir::{Addr, Call, Callee, Inst, Reg, Size, Succ};
use super::{is_add_imm, ADDRESS_SCRATCH, METHOD, VALUE_SCRATCH};
use crate::code::assembled::{PointKind, Stub};
use crate::code::inline_cache;
use crate::heap::layout::CLASS_OFFSET;
use crate::meta::class::offsets as class_offsets;
use crate::meta::method::{Method, MethodRef};
use crate::threads::thread::offsets;
use dynasmrt::{dynasm, DynasmApi, DynasmLabelApi};
use regalloc2::{PReg, RegClass};
use std::mem::offset_of;

const ENTRY: u32 = offset_of!(Method, compiled_entry) as u32;

impl Arm64Emitter {
    pub(super) fn control(&mut self, inst: &Inst, at: &At) {
        match inst {
            Inst::Call(c) => self.call(c, at),
            Inst::TryCall(c) => {
                self.call(c, at);
                self.sink.handler(at.succs[1]);
                self.jump_to(0, at);
            }
            Inst::Check { test, reason, action } => {
                let exit = self.sink.exit(at.point(), *reason, *action);
                self.branch_if(test, false, exit);
            }
            Inst::Safepoint => {
                let (entry, back) = (self.sink.label(), self.sink.label());
                dynasm!(self.sink.ops; .arch aarch64
                    ; ldr w16, [x28, offsets::POLL as u32]
                    ; cbnz w16, =>entry
                    ; =>back
                );
                self.slow.push(Slow::Point {
                    entry,
                    back,
                    stub: Stub::Safepoint,
                    point: at.point(),
                    kind: PointKind::Poll,
                    before: Before::Nothing,
                });
            }
            Inst::Jump => self.jump_to(0, at),
            Inst::Branch { test } => {
                if at.next == Some(0) || at.next.is_none() && at.likely == 1 {
                    self.branch_if(test, false, at.succs[1]);
                    self.jump_to(0, at);
                } else {
                    self.branch_if(test, true, at.succs[0]);
                    self.jump_to(1, at);
                }
            }
            Inst::TableSwitch { key, low, targets, default, tmp } => {
                let table = self.sink.label();
                self.sub_constant(tmp.hw(), key.hw(), *low);
                self.compare_with(*tmp, targets.len() as i32);
                dynasm!(self.sink.ops; .arch aarch64
                    ; b.hs =>at.succs[*default as usize]
                    ; adr x17, =>table
                    ; add XSP(17), XSP(17), W(tmp.hw()), uxtw #2
                    ; br x17
                    ; =>table
                );
                for &t in targets {
                    dynasm!(self.sink.ops; .arch aarch64; b =>at.succs[t as usize]);
                }
            }
            Inst::SearchSwitch { key, cases, default } => self.search(*key, cases, *default, at),
            Inst::Return { .. } => {
                self.pop_frame();
                dynasm!(self.sink.ops; .arch aarch64; ret);
            }
            Inst::Throw { .. } => {
                self.pop_frame();
                self.jump_stub(Stub::Throw);
            }
            Inst::Deopt { reason, action } => {
                self.call_stub(Stub::Deopt);
                self.sink.place(at.point(), PointKind::Deopt(*reason, *action));
            }
            Inst::Unreachable => dynasm!(self.sink.ops; .arch aarch64; brk #0),
            other => unreachable!("{other:?} does not direct control"),
        }
    }

    fn jump_to(&mut self, succ: Succ, at: &At) {
        if at.next != Some(succ) {
            dynasm!(self.sink.ops; .arch aarch64; b =>at.succs[succ as usize]);
        }
    }

    /// Restores frame pointer, link register and stack pointer. Goes by the stack pointer alone: a handler may
    /// have been entered by unwinding.
    fn pop_frame(&mut self) {
        let size = self.sink.frame.size;
        let rest = size - 16;
        if rest > 0 && size <= NEAR_FRAME {
            dynasm!(self.sink.ops; .arch aarch64; ldp x29, x30, [sp, rest as i32]; add sp, sp, size);
            return;
        }
        if rest > 0 && rest < 4096 {
            dynasm!(self.sink.ops; .arch aarch64; add sp, sp, rest);
        } else if rest > 0 {
            self.imm(VALUE_SCRATCH, Size::S64, i64::from(rest));
            dynasm!(self.sink.ops; .arch aarch64; add sp, sp, x16);
        }
        dynasm!(self.sink.ops; .arch aarch64; ldp x29, x30, [sp], #16);
    }

    fn call(&mut self, c: &Call, at: &At) {
        let method = |m: MethodRef| m as *const Method as usize as i64;
        match c.callee {
            Callee::Direct(m) => {
                self.imm(METHOD, Size::S64, method(m));
                dynasm!(self.sink.ops; .arch aarch64; ldr x16, [x12, ENTRY]; blr x16);
            }
            Callee::Virtual { index } => {
                let receiver = Reg::physical(PReg::new(1, RegClass::Int));
                self.access(Access::LOAD32, VALUE_SCRATCH, &Addr::reg(receiver, CLASS_OFFSET as i32));
                let class = Reg::physical(PReg::new(VALUE_SCRATCH as usize, RegClass::Int));
                let entry = class_offsets::VTABLE + index as usize * 8;
                self.access(Access::LOAD64, METHOD, &Addr::reg(class, entry as i32));
                dynasm!(self.sink.ops; .arch aarch64; ldr x16, [x12, ENTRY]; blr x16);
            }
            Callee::Cached(m, vtable_index) => self.call_cached(m, vtable_index),
            Callee::MethodHandle(m) => {
                self.imm(METHOD, Size::S64, method(m));
                self.call_stub(Stub::MethodHandle);
            }
            Callee::Runtime(r) => self.call_stub(Stub::Runtime(r)),
        }
        if let Some(point) = at.point {
            self.sink.place(point, PointKind::Call);
        }
    }

    /// Calls what an inline cache says. One call instruction, whatever it finds: its return address is the
    /// debug point. All registers but those of arguments are free at a call: x9 the receiver's class, x10 the
    /// cache.
    fn call_cached(&mut self, m: MethodRef, vtable_index: Option<u32>) {
        let (entry, back) = (self.sink.label(), self.sink.label());
        dynasm!(self.sink.ops; .arch aarch64; movz w10, 0; movk w10, 0, lsl #16);
        self.sink.cache_site(8, m, vtable_index);
        dynasm!(self.sink.ops; .arch aarch64
            ; ldr w9, [x1, CLASS_OFFSET as u32]
            ; ldr x12, [x10, inline_cache::offsets::ENTRIES as u32]
            ; cmp w9, w12
            ; b.ne =>entry
            ; lsr x12, x12, #32
            ; ldr x16, [x12, ENTRY]
            ; =>back
            ; blr x16
        );
        self.slow.push(Slow::CacheMiss { entry, back });
    }

    /// `dst = src - constant`, 32 bits.
    fn sub_constant(&mut self, dst: u8, src: u8, constant: i32) {
        let negated = -i64::from(constant);
        if is_add_imm(negated) {
            self.add_imm(dst, src, negated);
        } else {
            self.imm(VALUE_SCRATCH, Size::S32, i64::from(constant));
            dynasm!(self.sink.ops; .arch aarch64; sub W(dst), W(src), w16);
        }
    }

    fn compare_with(&mut self, a: Reg, constant: i32) {
        if is_add_imm(i64::from(constant)) && constant >= 0 && constant < 4096 {
            dynasm!(self.sink.ops; .arch aarch64; cmp WSP(a.hw()), constant as u32);
        } else {
            self.imm(ADDRESS_SCRATCH, Size::S32, i64::from(constant));
            dynasm!(self.sink.ops; .arch aarch64; cmp W(a.hw()), w17);
        }
    }

    /// Binary search over ascending keys.
    fn search(&mut self, key: Reg, cases: &[(i32, Succ)], default: Succ, at: &At) {
        if cases.len() <= 4 {
            for &(k, succ) in cases {
                self.compare_with(key, k);
                dynasm!(self.sink.ops; .arch aarch64; b.eq =>at.succs[succ as usize]);
            }
            dynasm!(self.sink.ops; .arch aarch64; b =>at.succs[default as usize]);
            return;
        }
        let (low, high) = cases.split_at(cases.len() / 2);
        let lower = self.sink.label();
        self.compare_with(key, high[0].0);
        dynasm!(self.sink.ops; .arch aarch64; b.lt =>lower);
        self.search(key, high, default, at);
        self.sink.bind(lower);
        self.search(key, low, default, at);
    }
}
