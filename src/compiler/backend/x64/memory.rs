//! Loads, stores, atomic operations.

use super::encode::Ea;
use super::{Before, SlowPath, X64Emitter, R11, R15, RAX, RSP};
use crate::code::assembled::Stub;
use crate::compiler::backend::lir::{Addr, Base, FSize, Inst, Reg, RegImm};
use crate::compiler::ir::{Fence, Mem, Order, Rmw, Type};
use crate::heap::layout::NARROW_SHIFT;
use crate::threads::thread::offsets;
use dynasmrt::{dynasm, DynasmApi, DynasmLabelApi};

impl X64Emitter {
    pub(super) fn memory(&mut self, inst: &Inst) {
        match *inst {
            Inst::LoadIncoming { dst, ty, slot } => {
                let at = self.s.frame.size + 8 * slot;
                let mem = match ty {
                    Type::I32 => Mem::I32,
                    Type::F32 => Mem::F32,
                    Type::F64 => Mem::F64,
                    Type::I64 | Type::Ref | Type::Ptr => Mem::I64,
                };
                self.load(mem, dst.hw(), Ea::base(RSP, at as i32))
            }
            // Every load is an acquire, and after a volatile store comes a fence.
            Inst::Load { mem, dst, addr, .. } => {
                let ea = self.ea(&addr);
                self.load(mem, dst.hw(), ea)
            }
            Inst::Store { mem, order, src, addr } => {
                self.store(mem, src, &addr);
                self.after_store(order)
            }
            Inst::FStore { size, order, src, addr } => {
                let ea = self.ea(&addr);
                self.rm(Some(prefix(size)), false, &[0x0f, 0x11], src.hw(), ea);
                self.after_store(order)
            }
            Inst::StoreOutgoing { ty, src, slot } => {
                let ea = Ea::base(RSP, 8 * slot as i32);
                match ty {
                    Type::F32 => self.rm(Some(0xf3), false, &[0x0f, 0x11], src.hw(), ea),
                    Type::F64 => self.rm(Some(0xf2), false, &[0x0f, 0x11], src.hw(), ea),
                    _ => self.rm(None, true, &[0x89], src.hw(), ea),
                }
            }
            Inst::Barrier { object, tmp } => self.barrier(object, tmp[0]),
            Inst::CompareExchange { mem, dst, addr, new, .. } => {
                debug_assert_eq!(dst.hw(), RAX);
                let ea = self.ea(&addr);
                self.s.ops.push(0xf0);
                match mem.log2_bytes() {
                    0 => self.rm_byte(&[0x0f, 0xb0], new.hw(), ea),
                    1 => self.rm(Some(0x66), false, &[0x0f, 0xb1], new.hw(), ea),
                    n => self.rm(None, n == 3, &[0x0f, 0xb1], new.hw(), ea),
                }
                self.extend(mem, RAX)
            }
            Inst::AtomicRmw { op, mem, dst, addr, .. } => {
                let ea = self.ea(&addr);
                // xchg locks by itself.
                let (byte, word): (&[u8], &[u8]) = match op {
                    Rmw::Add => {
                        self.s.ops.push(0xf0);
                        (&[0x0f, 0xc0], &[0x0f, 0xc1])
                    }
                    Rmw::Exchange => (&[0x86], &[0x87]),
                };
                match mem.log2_bytes() {
                    0 => self.rm_byte(byte, dst.hw(), ea),
                    1 => self.rm(Some(0x66), false, word, dst.hw(), ea),
                    n => self.rm(None, n == 3, word, dst.hw(), ea),
                }
                self.extend(mem, dst.hw())
            }
            // Only stores followed by loads are ever seen out of order.
            Inst::Fence(Fence::Full) => self.full_fence(),
            Inst::Fence(Fence::Load | Fence::Store | Fence::StoreStore) => {}
            Inst::TakeException { dst } => {
                let ea = Ea::base(R15, offsets::EXCEPTION as i32);
                self.rm(None, true, &[0x8b], dst.hw(), ea);
                self.rm(None, true, &[0xc7], 0, ea);
                self.s.ops.push_i32(0)
            }
            _ => unreachable!("{inst:?}"),
        }
    }

    fn full_fence(&mut self) {
        dynasm!(self.s.ops ; .arch x64 ; lock add DWORD [rsp], 0)
    }

    fn after_store(&mut self, order: Order) {
        if order == Order::Volatile {
            self.full_fence()
        }
    }

    fn load(&mut self, mem: Mem, dst: u8, ea: Ea) {
        match mem {
            Mem::I8 => self.rm(None, false, &[0x0f, 0xbe], dst, ea),
            Mem::U8 => self.rm(None, false, &[0x0f, 0xb6], dst, ea),
            Mem::I16 => self.rm(None, false, &[0x0f, 0xbf], dst, ea),
            Mem::U16 => self.rm(None, false, &[0x0f, 0xb7], dst, ea),
            Mem::I32 | Mem::Ptr32 => self.rm(None, false, &[0x8b], dst, ea),
            Mem::I64 | Mem::Ptr64 | Mem::WideRef => self.rm(None, true, &[0x8b], dst, ea),
            Mem::F32 => self.rm(Some(0xf3), false, &[0x0f, 0x10], dst, ea),
            Mem::F64 => self.rm(Some(0xf2), false, &[0x0f, 0x10], dst, ea),
            Mem::Ref => {
                self.rm(None, false, &[0x8b], dst, ea);
                self.shift(true, 4, dst, NARROW_SHIFT as u8)
            }
        }
    }

    fn store(&mut self, mem: Mem, src: RegImm, addr: &Addr) {
        match src {
            RegImm::Imm(c) => {
                let ea = self.ea(addr);
                match mem.log2_bytes() {
                    0 => {
                        self.rm(None, false, &[0xc6], 0, ea);
                        self.s.ops.push(c as u8)
                    }
                    1 => {
                        self.rm(Some(0x66), false, &[0xc7], 0, ea);
                        self.s.ops.push_i16(c as i16)
                    }
                    n => {
                        self.rm(None, n == 3, &[0xc7], 0, ea);
                        self.s.ops.push_i32(c as i32)
                    }
                }
            }
            RegImm::Reg(r) if mem == Mem::Ref => self.store_ref(r, addr),
            RegImm::Reg(r) => {
                let ea = self.ea(addr);
                match mem.log2_bytes() {
                    0 => self.rm_byte(&[0x88], r.hw(), ea),
                    1 => self.rm(Some(0x66), false, &[0x89], r.hw(), ea),
                    n => self.rm(None, n == 3, &[0x89], r.hw(), ea),
                }
            }
        }
    }

    fn store_ref(&mut self, src: Reg, addr: &Addr) {
        let ea = self.ea(addr);
        let src = src.hw();
        if matches!(addr.base, Base::Absolute(_)) && ea.uses(R11) {
            // No scratch register left: narrow in place and back; references are multiples of 8 below 2^35.
            self.shift(true, 5, src, NARROW_SHIFT as u8);
            self.rm(None, false, &[0x89], src, ea);
            self.shift(true, 4, src, NARROW_SHIFT as u8)
        } else {
            dynasm!(self.s.ops ; .arch x64 ; mov r11, Rq(src));
            self.shift(true, 5, R11, NARROW_SHIFT as u8);
            self.rm(None, false, &[0x89], R11, ea)
        }
    }

    /// What an atomic operation found, as a load would have it.
    fn extend(&mut self, mem: Mem, dst: u8) {
        let ops = &mut self.s.ops;
        match mem {
            Mem::I8 => dynasm!(ops ; .arch x64 ; movsx Rd(dst), Rb(dst)),
            Mem::U8 => dynasm!(ops ; .arch x64 ; movzx Rd(dst), Rb(dst)),
            Mem::I16 => dynasm!(ops ; .arch x64 ; movsx Rd(dst), Rw(dst)),
            Mem::U16 => dynasm!(ops ; .arch x64 ; movzx Rd(dst), Rw(dst)),
            // cmpxchg leaves rax alone when it succeeds.
            Mem::I32 | Mem::Ptr32 => dynasm!(ops ; .arch x64 ; mov Rd(dst), Rd(dst)),
            Mem::I64 | Mem::Ptr64 | Mem::WideRef => {}
            Mem::F32 | Mem::F64 | Mem::Ref => unreachable!("lowered to integers"),
        }
    }

    /// Tests the object's log bit, in units of 32 bits that stand for 256 heap bytes.
    fn barrier(&mut self, object: Reg, tmp: Reg) {
        let (object, tmp) = (object.hw(), tmp.hw());
        dynasm!(self.s.ops ; .arch x64 ; mov r11, Rq(object) ; shr r11, 8);
        self.rm(None, true, &[0x8b], tmp, Ea::base(R15, offsets::LOG_BASE as i32));
        self.rm(None, false, &[0x8b], tmp, Ea::index(tmp, R11, 2, 0));
        dynasm!(self.s.ops ; .arch x64 ; mov r11, Rq(object) ; shr r11, 3 ; bt Rd(tmp), r11d);
        let (slow, back) = self.slow(SlowPath::Leaf { stub: Stub::Barrier, before: Before::Move(object) });
        dynasm!(self.s.ops ; .arch x64 ; jb =>slow ; =>back);
    }
}

fn prefix(size: FSize) -> u8 {
    match size {
        FSize::F32 => 0xf3,
        FSize::F64 => 0xf2,
    }
}
