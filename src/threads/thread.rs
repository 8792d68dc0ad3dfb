//! `JavaThread`: what the VM keeps for one Java thread. Its first fields are read by machine
//! code.

use crate::heap::layout::Oop;
use crate::heap::roots::RootSlot;
use crate::interpreter::frame::Frame;
use std::cell::{Cell, UnsafeCell};
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicU8, AtomicUsize, Ordering};

/// Thread states; in `Native` and `Blocked` a safepoint does not wait for the thread.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum ThreadState {
    New = 0,
    InJava = 1,
    InVm = 2,
    InNative = 3,
    Blocked = 4,
    Terminated = 5,
}

/// One Java thread. `'static` by convention while the thread is registered.
#[repr(C)]
pub struct JavaThread {
    // ---- machine code reads these: fixed offsets, see `offsets`
    /// Non-zero: stop at the next poll.
    pub poll: AtomicU32,
    pub state: AtomicU8,
    /// The allocator's bump pointer (cursor, limit); see `heap::alloc`.
    pub bump: Cell<*mut mmtk::util::alloc::BumpPointer>,
    /// Base of the valid-object bit table.
    pub vo_base: Cell<usize>,
    /// Base of the side log bits (write barrier), 0 if the plan has none.
    pub log_base: Cell<usize>,
    /// Topmost frame on the Java stack.
    pub top_frame: Cell<*mut Frame>,
    /// First free slot of the Java stack above `top_frame` (valid at calls out of the loop).
    pub stack_top: Cell<*mut u64>,
    /// End of the usable Java stack; beyond it lies the reserve for StackOverflowError.
    pub stack_limit: Cell<*mut u64>,
    /// Pending exception, null if none. A scanned root.
    pub exception: RootSlot,
    /// The JNI environment: its address is the `JNIEnv*`.
    pub jni_env: JniEnv,
    /// Lowest usable address of the native stack; compiled methods compare with it.
    pub native_stack_limit: Cell<usize>,
    /// The `java.lang.Thread`, a scanned root.
    pub thread_object: RootSlot,
    /// Where compiled code has called the run-time: the frame's sp and the return address into it.
    pub anchor_sp: Cell<usize>,
    pub anchor_pc: Cell<usize>,
    /// Where stubs go on after leaving compiled code: stack and frame pointer, pc, and the result's bits.
    pub resume_sp: Cell<usize>,
    pub resume_fp: Cell<usize>,
    pub resume_pc: Cell<usize>,
    pub resume_result: Cell<u64>,
    // ---- Rust code only
    /// Invocations and back-edges in the interpreter between two looks of the tier policy, less 1.
    pub invoke_mask: Cell<u32>,
    pub backedge_mask: Cell<u32>,
    /// MMTk's `Mutator<Kiln>`, owned; see `heap::mmtk_binding`.
    pub mutator: Cell<*mut std::ffi::c_void>,
    /// VM-wide serial number, never 0; identifies lock owners.
    pub id: u64,
    /// Highest address of the native stack.
    pub native_stack_base: Cell<usize>,
    /// Stack pointer when the thread last left for native code or blocked, callee-saved
    /// registers spilled above it; 0 while running.
    pub saved_sp: AtomicUsize,
    /// Java stack memory.
    pub java_stack_base: Cell<*mut u64>,
    pub java_stack_end: Cell<*mut u64>,
    /// Objects fast-locked by this thread, innermost last (wide addresses; scanned).
    pub lock_stack: UnsafeCell<Vec<Oop>>,
    /// JNI local references.
    pub locals: UnsafeCell<crate::jni::refs::LocalRefs>,
    /// OS thread id (gettid) once running.
    pub os_tid: AtomicU64,
    /// pthread_t once running.
    pub pthread: AtomicUsize,
    /// `LockSupport` permit and parking, see `threads::park`.
    pub parker: crate::threads::park::Parker,
    /// Interrupt status is in the Java object; this wakes sleepers and waiters.
    pub interrupt: crate::threads::park::InterruptEvent,
    /// Compiled frames that deoptimize when control returns to them.
    pub lazy_deopt: crate::deopt::lazy::Patches,
    /// What an on-stack replacement has left, on its way to the interpreter's loop.
    pub osr_left: Cell<Option<crate::code::osr::Left>>,
    /// The on-stack replacement that takes the place of an interpreter's run.
    pub osr_handover: crate::code::osr::Handover,
    /// Scratch data of the VM parts, by area.
    pub vm: crate::threads::thread_data::ThreadData,
}

/// What a `JNIEnv*` points at: the function table first, as JNI requires.
#[repr(C)]
pub struct JniEnv {
    pub functions: Cell<*const std::ffi::c_void>,
}

/// Offsets for machine code.
pub mod offsets {
    use super::JavaThread;
    use std::mem::offset_of;
    pub const POLL: usize = offset_of!(JavaThread, poll);
    pub const STATE: usize = offset_of!(JavaThread, state);
    pub const BUMP: usize = offset_of!(JavaThread, bump);
    pub const VO_BASE: usize = offset_of!(JavaThread, vo_base);
    pub const LOG_BASE: usize = offset_of!(JavaThread, log_base);
    pub const TOP_FRAME: usize = offset_of!(JavaThread, top_frame);
    pub const STACK_TOP: usize = offset_of!(JavaThread, stack_top);
    pub const STACK_LIMIT: usize = offset_of!(JavaThread, stack_limit);
    pub const EXCEPTION: usize = offset_of!(JavaThread, exception);
    pub const JNI_ENV: usize = offset_of!(JavaThread, jni_env);
    pub const THREAD_OBJECT: usize = offset_of!(JavaThread, thread_object);
    pub const NATIVE_STACK_LIMIT: usize = offset_of!(JavaThread, native_stack_limit);
    pub const SAVED_SP: usize = offset_of!(JavaThread, saved_sp);
    pub const ANCHOR_SP: usize = offset_of!(JavaThread, anchor_sp);
    pub const ANCHOR_PC: usize = offset_of!(JavaThread, anchor_pc);
    pub const RESUME_SP: usize = offset_of!(JavaThread, resume_sp);
    pub const RESUME_FP: usize = offset_of!(JavaThread, resume_fp);
    pub const RESUME_PC: usize = offset_of!(JavaThread, resume_pc);
    pub const RESUME_RESULT: usize = offset_of!(JavaThread, resume_result);
}

// SAFETY: the Cells are touched by the owning thread only, or by the collector while it stands.
unsafe impl Sync for JavaThread {}
unsafe impl Send for JavaThread {}

thread_local! {
    static CURRENT: Cell<*const JavaThread> = const { Cell::new(std::ptr::null()) };
}

impl JavaThread {
    /// The current thread, if it is attached.
    #[inline(always)]
    pub fn current() -> Option<&'static JavaThread> {
        // SAFETY: set only to a registered thread, cleared on detach.
        CURRENT.with(|c| unsafe { c.get().as_ref() })
    }

    /// Makes `t` the OS thread's Java thread (attach), or none (detach).
    pub fn set_current(t: Option<&'static JavaThread>) {
        CURRENT.with(|c| c.set(t.map_or(std::ptr::null(), |t| t)))
    }

    /// The thread whose `JNIEnv*` this is.
    ///
    /// # Safety
    /// `env` must be a pointer that the VM handed out and the thread must still be attached.
    #[inline(always)]
    pub unsafe fn from_env<'a>(env: *mut std::ffi::c_void) -> &'a JavaThread {
        &*((env as usize - offsets::JNI_ENV) as *const JavaThread)
    }

    /// A thread that is not registered yet, state New, without stacks or allocator.
    pub(super) fn unregistered(functions: *const std::ffi::c_void) -> JavaThread {
        static NEXT_ID: AtomicU64 = AtomicU64::new(1);
        JavaThread {
            poll: AtomicU32::new(0),
            state: AtomicU8::new(ThreadState::New as u8),
            bump: Cell::new(std::ptr::null_mut()),
            vo_base: Cell::new(0),
            log_base: Cell::new(0),
            top_frame: Cell::new(std::ptr::null_mut()),
            stack_top: Cell::new(std::ptr::null_mut()),
            stack_limit: Cell::new(std::ptr::null_mut()),
            exception: RootSlot::new(Oop::NULL),
            jni_env: JniEnv { functions: Cell::new(functions) },
            invoke_mask: Cell::new(crate::profile::policy::notify_masks().0),
            backedge_mask: Cell::new(crate::profile::policy::notify_masks().1),
            mutator: Cell::new(std::ptr::null_mut()),
            thread_object: RootSlot::new(Oop::NULL),
            id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
            native_stack_base: Cell::new(0),
            native_stack_limit: Cell::new(0),
            saved_sp: AtomicUsize::new(0),
            java_stack_base: Cell::new(std::ptr::null_mut()),
            java_stack_end: Cell::new(std::ptr::null_mut()),
            lock_stack: UnsafeCell::default(),
            locals: UnsafeCell::default(),
            os_tid: AtomicU64::new(0),
            pthread: AtomicUsize::new(0),
            parker: Default::default(),
            interrupt: Default::default(),
            anchor_sp: Cell::new(0),
            anchor_pc: Cell::new(0),
            resume_sp: Cell::new(0),
            resume_fp: Cell::new(0),
            resume_pc: Cell::new(0),
            resume_result: Cell::new(0),
            lazy_deopt: Default::default(),
            osr_left: Cell::new(None),
            osr_handover: Default::default(),
            vm: Default::default(),
        }
    }

    /// The `JNIEnv*`.
    pub fn env(&self) -> *mut std::ffi::c_void {
        &self.jni_env as *const JniEnv as *mut std::ffi::c_void
    }

    /// Whether the program may see the thread: it has a `java.lang.Thread` and is not the VM's own.
    pub fn is_visible(&self) -> bool {
        !self.thread_object.get().is_null() && !self.vm.hidden.load(Ordering::Relaxed)
    }

    pub fn state(&self) -> ThreadState {
        // SAFETY: only values of ThreadState are stored.
        unsafe { std::mem::transmute::<u8, ThreadState>(self.state.load(Ordering::Acquire)) }
    }

    #[inline(always)]
    pub fn has_pending_exception(&self) -> bool {
        !self.exception.get().is_null()
    }

    /// Takes the pending exception (null if none).
    pub fn take_exception(&self) -> Oop {
        let e = self.exception.get();
        self.exception.set(Oop::NULL);
        e
    }

    /// Makes `e` pending.
    pub fn set_exception(&self, e: Oop) -> crate::exceptions::Thrown {
        debug_assert!(!e.is_null());
        self.exception.set(e);
        crate::exceptions::Thrown::pending(self)
    }
}
