//! Calls.

use super::encode::Ea;
use super::{SlowPath, X64Emitter, RAX, RSI};
use crate::code::assembled::{PointKind, Stub};
use crate::code::inline_cache;
use crate::compiler::backend::emit::At;
use crate::compiler::backend::lir::{Call, Callee};
use crate::heap::layout::CLASS_OFFSET;
use crate::meta::class::offsets;
use crate::meta::method::{Method, MethodRef};
use dynasmrt::{dynasm, DynasmApi, DynasmLabelApi};

/// The method register.
fn word(m: MethodRef) -> i32 {
    m as *const Method as usize as u32 as i32
}

impl X64Emitter {
    pub(super) fn call(&mut self, c: &Call, at: &At) {
        match c.callee {
            Callee::Direct(m) => {
                dynasm!(self.s.ops ; .arch x64 ; mov eax, DWORD word(m));
                self.call_entry()
            }
            Callee::Virtual { index } => {
                self.rm(None, false, &[0x8b], RAX, Ea::base(RSI, CLASS_OFFSET as i32));
                self.rm(None, true, &[0x8b], RAX, Ea::base(RAX, (offsets::VTABLE + 8 * index as usize) as i32));
                self.call_entry()
            }
            Callee::Cached(m, vtable_index) => self.call_cached(m, vtable_index),
            Callee::MethodHandle(m) => {
                dynasm!(self.s.ops ; .arch x64 ; mov eax, DWORD word(m));
                self.call_stub(Stub::MethodHandle)
            }
            Callee::Runtime(r) => self.call_stub(Stub::Runtime(r)),
        }
        if let Some(point) = at.point {
            self.s.place(point, PointKind::Call)
        }
    }

    /// Calls what an inline cache says. One call instruction, whatever it finds: its return address is the
    /// debug point.
    fn call_cached(&mut self, m: MethodRef, vtable_index: Option<u32>) {
        const R10: u8 = 10;
        const R11: u8 = 11;
        dynasm!(self.s.ops ; .arch x64 ; mov r11d, DWORD 0);
        self.s.cache_site(4, m, vtable_index);
        let (miss, call) = self.slow(SlowPath::CacheMiss);
        self.rm(None, false, &[0x8b], R10, Ea::base(RSI, CLASS_OFFSET as i32));
        self.rm(None, true, &[0x8b], RAX, Ea::base(R11, inline_cache::offsets::ENTRIES as i32));
        dynasm!(self.s.ops ; .arch x64 ; cmp eax, r10d ; jne =>miss ; shr rax, 32);
        self.rm(None, true, &[0x8b], R10, Ea::base(RAX, std::mem::offset_of!(Method, compiled_entry) as i32));
        dynasm!(self.s.ops ; .arch x64 ; =>call ; call r10)
    }

    /// Calls the method in rax.
    fn call_entry(&mut self) {
        self.rm(None, false, &[0xff], 2, Ea::base(RAX, std::mem::offset_of!(Method, compiled_entry) as i32))
    }
}
