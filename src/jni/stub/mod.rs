//! Native call stubs: machine code that moves the arguments of a native method from the Java
//! stack to where the C calling convention wants them, leaves the VM, calls the function and
//! comes back. One stub serves all methods with the same parameter and return types.
//!
//! Both assemblers are built on every host, so that each is tested wherever we build.

pub mod arena;
pub mod arm64;
pub mod x64;

use crate::heap::layout::BasicType;
use crate::meta::method::Method;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::ffi::c_void;
use std::sync::atomic::Ordering;

/// A stub: argument slots, `JNIEnv*`, handle of the class (for static methods; else ignored),
/// the function. The thread must be in the VM state and comes back in it. The result is the
/// C function's, normalised to its type's 64-bit form (int types sign- or zero-extended to 32
/// bits, boolean to 0 or 1); a reference is still a handle.
pub type StubFn = unsafe extern "C" fn(args: *const u64, env: *mut c_void, class: *mut c_void, function: usize) -> u64;

/// What a stub depends on.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Shape {
    /// Receives the class handle rather than a receiver.
    pub is_static: bool,
    /// Descriptor character per parameter (`L` for all references).
    pub parameters: Vec<u8>,
    /// Descriptor character of the result.
    pub result: u8,
}

impl Shape {
    /// The shape of a native method.
    pub fn of(m: &Method) -> Shape {
        Shape {
            is_static: m.is_static(),
            parameters: m.parameters.iter().map(|&p| letter(p)).collect(),
            result: letter(m.return_type),
        }
    }

    /// Java argument slots: (descriptor character, slot number) of everything passed from the
    /// Java stack, the receiver included.
    pub fn slots(&self) -> impl Iterator<Item = (u8, usize)> + '_ {
        let receiver = (!self.is_static).then_some(b'L');
        receiver.into_iter().chain(self.parameters.iter().copied()).scan(0, |next, c| {
            let slot = *next;
            *next += if matches!(c, b'J' | b'D') { 2 } else { 1 };
            Some((c, slot))
        })
    }
}

fn letter(t: BasicType) -> u8 {
    match t {
        BasicType::Array => b'L',
        t => t.descriptor(),
    }
}

/// What the assemblers need to know of the VM.
#[derive(Clone, Copy)]
pub struct Protocol {
    /// Offsets from the `JNIEnv*` of the thread's state (u8), poll word (u32) and saved stack
    /// pointer (u64).
    pub state: i32,
    pub poll: i32,
    pub saved_sp: i32,
    /// Offset from the `JNIEnv*` to the thread.
    pub thread: i32,
    /// `extern "C" fn(thread)`, called in the VM state when the poll word is set.
    pub slow: usize,
}

impl Protocol {
    /// The running VM's.
    pub fn of_vm() -> Protocol {
        use crate::threads::thread::offsets::*;
        let from_env = |offset: usize| offset as i32 - JNI_ENV as i32;
        Protocol {
            state: from_env(STATE),
            poll: from_env(POLL),
            saved_sp: from_env(SAVED_SP),
            thread: from_env(0),
            slow: slow_return as *const () as usize,
        }
    }
}

/// A native method has returned and a safepoint, a handshake or a suspension waits.
unsafe extern "C" fn slow_return(t: *const crate::threads::JavaThread) {
    crate::threads::safepoint::block_in_java(&*t)
}

/// The stub of a native method, made on first use.
pub fn of_method(m: &Method) -> StubFn {
    let known = m.native_stub.load(Ordering::Acquire);
    let entry = if known != 0 {
        known
    } else {
        let entry = of_shape(Shape::of(m));
        m.native_stub.store(entry, Ordering::Release);
        entry
    };
    // SAFETY: the entry of a stub that the assembler made with this signature.
    unsafe { std::mem::transmute::<usize, StubFn>(entry) }
}

fn of_shape(shape: Shape) -> usize {
    static STUBS: Mutex<Option<HashMap<Shape, usize>>> = Mutex::new(None);
    let mut stubs = STUBS.lock();
    let stubs = stubs.get_or_insert_default();
    if let Some(&entry) = stubs.get(&shape) {
        return entry;
    }
    let code = assemble(&shape, &Protocol::of_vm());
    let entry = arena::publish(&code);
    stubs.insert(shape, entry);
    entry
}

fn assemble(shape: &Shape, protocol: &Protocol) -> Vec<u8> {
    if cfg!(target_arch = "x86_64") {
        x64::assemble(shape, protocol)
    } else if cfg!(target_arch = "aarch64") {
        arm64::assemble(shape, protocol)
    } else {
        panic!("native call stubs know x86-64 and AArch64 only")
    }
}

#[cfg(test)]
mod tests;
