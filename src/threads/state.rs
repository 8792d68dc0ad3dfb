//! Thread states and the transitions between them.
//!
//! A thread in `InJava` or `InVm` may touch the heap and must poll; in `InNative` or `Blocked`
//! it may not, and pauses do not wait for it. Who leaves for `InNative` or `Blocked` must first
//! put its callee-saved registers on the stack and record the stack pointer in `saved_sp`:
//! the stack is scanned conservatively from there. [`in_native`] and [`blocked`] do so; they
//! take closures because a guard object could not keep references in registers from being
//! saved *below* the recorded stack pointer.
//!
//! What a native-call stub in machine code must do instead:
//! 1. push the callee-saved registers (on ARM64 also d8 to d15), `saved_sp = sp`;
//! 2. `state = InNative` (release);
//! 3. call the function;
//! 4. `state = InVm` (or InJava), then a full fence (`mfence` / `dmb ish`, or an `xchg`);
//! 5. if `poll != 0` call `safepoint::block_in_java(t)`, which returns in the same state;
//! 6. restore the previous `saved_sp`, pop the registers.
//!
//! The other direction, native code calling the VM (JNI, `JVM_*`): [`vm_scope`].

pub(crate) use super::registers::{hidden, with_spilled_registers};
use super::safepoint;
use super::stale;
use super::thread::ThreadState;
use super::JavaThread;
use std::sync::atomic::{fence, Ordering};

/// Runs `f`, which touches no Java object, with the thread in state InNative: native methods.
/// The thread must be in the VM or in Java, and is in the same state afterwards.
pub fn in_native<R>(t: &JavaThread, f: impl FnOnce() -> R) -> R {
    outside(t, ThreadState::InNative, f)
}

/// The same in state Blocked: waiting inside the VM.
pub fn blocked<R>(t: &JavaThread, f: impl FnOnce() -> R) -> R {
    outside(t, ThreadState::Blocked, f)
}

fn outside<R>(t: &JavaThread, state: ThreadState, f: impl FnOnce() -> R) -> R {
    let before = t.state();
    debug_assert!(matches!(before, ThreadState::InJava | ThreadState::InVm), "leaving state {before:?}");
    let saved = t.saved_sp.load(Ordering::Relaxed);
    let result = with_spilled_registers(|sp| {
        t.saved_sp.store(stale::scan_from(t, sp), Ordering::Relaxed);
        leave(t, state);
        let result = f();
        enter(t, before);
        result
    });
    t.saved_sp.store(saved, Ordering::Relaxed);
    result
}

/// To a state that pauses do not wait for; `saved_sp` is set.
#[inline]
fn leave(t: &JavaThread, state: ThreadState) {
    t.state.store(state as u8, Ordering::Release);
    if t.poll.load(Ordering::Relaxed) != 0 {
        safepoint::notify_stopped();
    }
}

/// To a state that pauses wait for. Waits for the end of a pause that is on.
#[inline]
fn enter(t: &JavaThread, state: ThreadState) {
    t.state.store(state as u8, Ordering::SeqCst);
    // Either the pause sees our state, or we see its poll bit.
    fence(Ordering::SeqCst);
    if t.poll.load(Ordering::Relaxed) != 0 {
        safepoint::block(t);
    }
}

/// A new thread's first step into the VM, once it knows its stack.
pub(super) fn arrive(t: &JavaThread) {
    debug_assert!(t.state() == ThreadState::New);
    enter(t, ThreadState::InVm);
    safepoint::poll_suspension(t);
}

/// An attached thread's step back to native code that holds no reference outside handles.
pub(super) fn depart(t: &JavaThread) {
    debug_assert!(t.state() == ThreadState::InVm);
    t.saved_sp.store(0, Ordering::Relaxed);
    leave(t, ThreadState::InNative)
}

/// A thread's stay in the VM, called from native code; see [`vm_scope`].
pub struct VmScope<'a> {
    t: &'a JavaThread,
    saved_sp: usize,
    from: ThreadState,
}

/// Native code enters the VM (a JNI or `JVM_*` function): state InVm until the scope is
/// dropped, then InNative again. Nested entries (the VM calling such a function itself) keep
/// the state. The native caller holds handles only, so the older stack pointer serves again.
#[inline]
pub fn vm_scope(t: &JavaThread) -> VmScope<'_> {
    let from = t.state();
    let saved_sp = t.saved_sp.load(Ordering::Relaxed);
    if from != ThreadState::InVm {
        debug_assert!(matches!(from, ThreadState::InNative | ThreadState::InJava), "entering the VM from {from:?}");
        enter(t, ThreadState::InVm);
        safepoint::poll_suspension(t);
    }
    VmScope { t, saved_sp, from }
}

impl Drop for VmScope<'_> {
    #[inline]
    fn drop(&mut self) {
        self.t.saved_sp.store(self.saved_sp, Ordering::Relaxed);
        match self.from {
            ThreadState::InVm => {}
            ThreadState::InNative => leave(self.t, ThreadState::InNative),
            other => self.t.state.store(other as u8, Ordering::Release),
        }
    }
}

impl JavaThread {
    /// See [`vm_scope`].
    #[inline]
    pub fn vm_scope(&self) -> VmScope<'_> {
        vm_scope(self)
    }

    /// Changes between InJava and InVm, which pauses do not distinguish; the old state.
    #[inline(always)]
    pub fn set_running_state(&self, state: ThreadState) -> ThreadState {
        debug_assert!(matches!(state, ThreadState::InJava | ThreadState::InVm));
        let old = self.state();
        debug_assert!(matches!(old, ThreadState::InJava | ThreadState::InVm), "was {old:?}");
        self.state.store(state as u8, Ordering::Relaxed);
        old
    }

    /// A safepoint of Java code: stops here if a pause, a handshake or `Thread.suspend` asks for it.
    #[inline(always)]
    pub fn poll_safepoint(&self) {
        if self.poll.load(Ordering::Relaxed) != 0 {
            safepoint::block_in_java(self)
        }
    }
}
