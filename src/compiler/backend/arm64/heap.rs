//! Allocation, write barrier, profiling.

use super::address::Access;
use super::emit::{Arm64Emitter, Before, Slow};
use super::super::emit::At;
use super::super::lir::{Addr, Inst, Reg, RegImm, Size, Test};
use super::{ADDRESS_SCRATCH, VALUE_SCRATCH};
use crate::code::assembled::{PointKind, Stub};
use crate::compiler::ir::Cond;
use crate::heap::alloc::LARGE_OBJECT_BYTES;
use crate::heap::layout::{ARRAY_LENGTH_OFFSET, CLASS_OFFSET};
use crate::meta::class::ClassRef;
use crate::profile::data::TypeRows;
use crate::threads::thread::offsets;
use dynasmrt::{dynasm, DynamicLabel, DynasmApi, DynasmLabelApi};
use mmtk::util::alloc::BumpPointer;
use std::mem::offset_of;

const CURSOR: u32 = offset_of!(BumpPointer, cursor) as u32;
/// One ldp loads both.
const _: () = assert!(offset_of!(BumpPointer, limit) == CURSOR as usize + 8);

impl Arm64Emitter {
    pub(super) fn heap(&mut self, inst: &Inst, at: &At) {
        match inst {
            Inst::NewInstance { class, bytes, dst: _, tmp } => {
                let slow = self.allocation_slow(Stub::NewInstance, class.word(), at);
                if *bytes == 0 {
                    dynasm!(self.sink.ops; .arch aarch64; b =>slow.0);
                } else {
                    let (bump, end) = (tmp[0].hw(), tmp[1].hw());
                    dynasm!(self.sink.ops; .arch aarch64
                        ; ldr X(bump), [x28, offsets::BUMP as u32]
                        ; ldp x0, x16, [X(bump), CURSOR as i32]
                    );
                    self.add_imm(end, 0, i64::from(*bytes));
                    self.take(bump, end, slow.0);
                    self.publish(*class, bump, false);
                }
                self.sink.bind(slow.1);
            }
            Inst::NewArray { class, length: _, dst: _, tmp } => {
                let slow = self.allocation_slow(Stub::NewArray, class.word(), at);
                let (bump, end) = (tmp[0].hw(), tmp[1].hw());
                let (base, log2) = (class.array_base(), class.array_log2());
                let longest = (LARGE_OBJECT_BYTES - base - 7) >> log2;
                let length = Reg::physical(super::X1);
                let short =
                    Test::Int { size: Size::S32, cond: Cond::ULe, a: length, b: RegImm::Imm(longest as i64) };
                self.branch_if(&short, false, slow.0);
                dynasm!(self.sink.ops; .arch aarch64; ubfiz X(end), x1, log2, #32);
                self.add_imm(end, end, base as i64 + 7);
                dynasm!(self.sink.ops; .arch aarch64
                    ; and XSP(end), X(end), !7u64
                    ; ldr X(bump), [x28, offsets::BUMP as u32]
                    ; ldp x0, x16, [X(bump), CURSOR as i32]
                    ; add X(end), X(end), x0
                );
                self.take(bump, end, slow.0);
                self.publish(*class, bump, true);
                self.sink.bind(slow.1);
            }
            Inst::Barrier { object, tmp } => {
                let (o, byte, bit) = (object.hw(), tmp[0].hw(), tmp[1].hw());
                let (entry, back) = (self.sink.label(), self.sink.label());
                dynasm!(self.sink.ops; .arch aarch64
                    ; ldr X(byte), [x28, offsets::LOG_BASE as u32]
                    ; add X(byte), X(byte), X(o), lsr #6
                    ; ldrb W(byte), [X(byte)]
                    ; ubfx W(bit), W(o), #3, #3
                    ; lsr W(byte), W(byte), W(bit)
                    ; tst W(byte), #1
                    ; b.ne =>entry
                    ; =>back
                );
                self.slow.push(Slow::Leaf { entry, back, stub: Stub::Barrier, object: o });
            }
            Inst::Count { cell } => {
                self.imm(ADDRESS_SCRATCH, Size::S64, i64::from(*cell));
                self.increment(0, VALUE_SCRATCH);
            }
            Inst::CountAndNotify { cell, mask, method, bci, tmp } => {
                let (entry, back) = (self.sink.label(), self.sink.label());
                self.imm(ADDRESS_SCRATCH, Size::S64, i64::from(*cell));
                self.increment(0, tmp.hw());
                let round =
                    Test::Bits { size: Size::S32, cond: Cond::Eq, a: *tmp, b: RegImm::Imm(i64::from(*mask as i32)) };
                self.branch_if(&round, true, entry);
                self.sink.bind(back);
                let method = *method as *const _ as usize as u64;
                self.slow.push(Slow::Point {
                    entry,
                    back,
                    stub: Stub::CounterOverflow,
                    point: at.point(),
                    kind: PointKind::Poll,
                    before: Before::Scratch(method | u64::from(*bci as u32) << 32),
                });
            }
            Inst::ProfileType { object, rows, tmp } => self.profile_type(*object, *rows, tmp[0].hw(), tmp[1].hw()),
            other => unreachable!("{other:?} is neither allocation nor profiling"),
        }
    }

    /// Labels of an allocation's slow path and of what follows the allocation.
    fn allocation_slow(&mut self, stub: Stub, class: u32, at: &At) -> (DynamicLabel, DynamicLabel) {
        let (entry, back) = (self.sink.label(), self.sink.label());
        self.slow.push(Slow::Point {
            entry,
            back,
            stub,
            point: at.point(),
            kind: PointKind::Allocation,
            before: Before::Class(class),
        });
        (entry, back)
    }

    /// Moves the cursor to `end` if that is not beyond the limit, x16.
    fn take(&mut self, bump: u8, end: u8, slow: DynamicLabel) {
        dynasm!(self.sink.ops; .arch aarch64
            ; cmp X(end), x16
            ; b.hi =>slow
            ; str X(end), [X(bump), CURSOR]
        );
    }

    /// Header (for arrays the length in w1) and valid-object bit of the new object in x0; then no other
    /// processor may see the object before these.
    fn publish(&mut self, class: ClassRef, tmp: u8, array: bool) {
        self.imm(VALUE_SCRATCH, Size::S32, i64::from(class.word()));
        dynasm!(self.sink.ops; .arch aarch64; str w16, [x0, CLASS_OFFSET as u32]);
        if array {
            dynasm!(self.sink.ops; .arch aarch64; str w1, [x0, ARRAY_LENGTH_OFFSET as u32]);
        }
        dynasm!(self.sink.ops; .arch aarch64
            ; ldr x17, [x28, offsets::VO_BASE as u32]
            ; add x17, x17, x0, lsr #6
            ; ubfx w16, w0, #3, #3
            ; movz W(tmp), #1
            ; lsl W(tmp), W(tmp), w16
            ; ldrb w16, [x17]
            ; orr w16, w16, W(tmp)
            ; strb w16, [x17]
            ; dmb ishst
        );
    }

    /// Adds 1 to the cell at x17 + offset; `tmp` is what it holds then.
    fn increment(&mut self, offset: u32, tmp: u8) {
        dynasm!(self.sink.ops; .arch aarch64
            ; ldr W(tmp), [x17, offset]
            ; add WSP(tmp), WSP(tmp), #1
            ; str W(tmp), [x17, offset]
        );
    }

    fn profile_type(&mut self, object: Reg, rows: u32, word: u8, tmp: u8) {
        let (null, done) = (self.sink.label(), self.sink.label());
        self.imm(ADDRESS_SCRATCH, Size::S64, i64::from(rows));
        dynasm!(self.sink.ops; .arch aarch64; cbz X(object.hw()), =>null);
        self.access(Access::LOAD32, word, &Addr::reg(object, CLASS_OFFSET as i32));
        for row in 0..TypeRows::WIDTH {
            let at = (TypeRows::ROWS + 8 * row) as u32;
            let (hit, next) = (self.sink.label(), self.sink.label());
            dynasm!(self.sink.ops; .arch aarch64
                ; ldr W(tmp), [x17, at]
                ; cmp W(tmp), W(word)
                ; b.eq =>hit
                ; cbnz W(tmp), =>next
                ; str W(word), [x17, at]
                ; =>hit
            );
            self.increment(at + 4, tmp);
            dynasm!(self.sink.ops; .arch aarch64; b =>done; =>next);
        }
        self.increment(TypeRows::OTHER as u32, tmp);
        dynasm!(self.sink.ops; .arch aarch64; b =>done; =>null);
        self.increment(TypeRows::NULLS as u32, tmp);
        self.sink.bind(done);
    }
}
