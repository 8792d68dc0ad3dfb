//! Calls.

use super::encode::Ea;
use super::{X64Emitter, RAX, RSI};
use crate::code::assembled::{PointKind, Stub};
use crate::compiler::backend::emit::At;
use crate::compiler::backend::lir::{Call, Callee};
use crate::heap::layout::CLASS_OFFSET;
use crate::meta::class::offsets;
use crate::meta::method::{Method, MethodRef};
use dynasmrt::{dynasm, DynasmApi};

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
            Callee::Interface(m) => {
                dynasm!(self.s.ops ; .arch x64 ; mov eax, DWORD word(m));
                self.call_stub(Stub::Interface)
            }
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

    /// Calls the method in rax.
    fn call_entry(&mut self) {
        self.rm(None, false, &[0xff], 2, Ea::base(RAX, std::mem::offset_of!(Method, compiled_entry) as i32))
    }
}
