//! Calls from Rust into Java.

use super::frame::{Frame, FrameKind, FRAME_SLOTS};
use super::run::{run, Start};
use super::slow::{dispatch, invocations, overflow, Dispatch};
use crate::exceptions::VmResult;
use crate::heap::layout::Oop;
use crate::link::resolve;
use crate::meta::method::MethodRef;
use super::insn::Insn;
use crate::threads::safepoint::poll_suspension;
use crate::threads::state::with_spilled_registers;
use crate::threads::thread::ThreadState;
use crate::threads::JavaThread;
use std::sync::atomic::Ordering;

/// Calls exactly `method` (no dispatch) with argument slots `args` (receiver first; references
/// wide; long and double in the first of two slots) and returns the raw result (0 for void).
/// The thread must be in the VM state; it comes back in it. The class of a static method must
/// be initialized by the caller. A suspended thread stands here until it is resumed.
pub fn call(t: &JavaThread, method: MethodRef, args: &[u64]) -> VmResult<u64> {
    debug_assert_eq!(args.len(), method.arg_slots as usize, "{method:?}");
    debug_assert!(!t.has_pending_exception(), "{method:?} called with an exception pending");
    let here = 0u8;
    if (&here as *const u8 as usize) < t.native_stack_limit.get() {
        return Err(overflow(t));
    }
    let (prev, base) = (t.top_frame.get(), t.stack_top.get());
    // SAFETY: stack_top is the first free slot of this thread's Java stack whenever Rust code
    // runs; what is pushed is checked against the limit and popped below.
    unsafe {
        let stack = base.add(FRAME_SLOTS);
        let top = stack.add(args.len());
        if top.add(FRAME_SLOTS) > t.stack_limit.get() {
            return Err(overflow(t));
        }
        let entry = base as *mut Frame;
        entry.write(Frame {
            prev,
            method: std::ptr::null(),
            pc: std::ptr::null(),
            locals: base,
            sp: top,
            end: top,
            kind: FrameKind::Entry,
            monitors: 0,
        });
        std::ptr::copy_nonoverlapping(args.as_ptr(), stack, args.len());
        t.top_frame.set(entry);
        t.stack_top.set(top);
        // Only here, where the collector sees the arguments.
        poll_suspension(t);
        let state = t.state.swap(ThreadState::InJava as u8, Ordering::Relaxed);
        let result = with_spilled_registers(|sp| {
            (*entry).pc = sp as *const Insn;
            enter(t, method, stack, top)
        });
        t.state.store(state, Ordering::Relaxed);
        debug_assert!(t.top_frame.get() == entry, "frames are balanced");
        t.top_frame.set(prev);
        t.stack_top.set(base);
        result
    }
}

/// Runs `method`, arguments at `args..top`, above a border frame.
///
/// # Safety
/// The border must be the topmost frame, the arguments lie above it at the top of the thread's Java stack.
pub(crate) unsafe fn enter(t: &JavaThread, method: MethodRef, args: *mut u64, top: *mut u64) -> VmResult<u64> {
    let (mut method, mut args, mut top) = (method, args, top);
    loop {
        if method.interpreted.load(Ordering::Acquire).is_null() {
            match dispatch(t, method, args, top)? {
                Dispatch::Result(v) => return Ok(v),
                Dispatch::Call(m, end) => {
                    method = m;
                    top = end;
                    args = end.sub(m.arg_slots as usize);
                    continue;
                }
            }
        }
        // Who calls from compiled code counts like who calls from the interpreter.
        let n = method.invocation_counter.load(Ordering::Relaxed).wrapping_add(1);
        method.invocation_counter.store(n, Ordering::Relaxed);
        if n & t.invoke_mask.get() == 0 {
            invocations(t, method, n);
            if method.interpreted.load(Ordering::Acquire).is_null() {
                // Compiled meanwhile.
                continue;
            }
        }
        push_frame(t, method, args)?;
        return run(t, Start::Execute);
    }
}

/// Pushes a Java frame of `method`, prepared, standing at its first instruction. Its locals
/// begin at `args`.
///
/// # Safety
/// The arguments must be at the top of the thread's Java stack.
pub unsafe fn push_frame(t: &JavaThread, method: MethodRef, args: *mut u64) -> VmResult<*mut Frame> {
    let code = &*method.prepared.load(Ordering::Acquire);
    let frame = args.add(code.frame_slots as usize) as *mut Frame;
    let stack = frame.add(1) as *mut u64;
    let end = stack.add(code.extent as usize);
    if end > t.stack_limit.get() {
        return Err(overflow(t));
    }
    frame.write(Frame {
        prev: t.top_frame.get(),
        method,
        pc: code.insns.as_ptr() as *const _,
        locals: args,
        sp: stack,
        end,
        kind: FrameKind::Java,
        monitors: 0,
    });
    t.top_frame.set(frame);
    t.stack_top.set(end);
    Ok(frame)
}

/// Calls the method that `method` selects for its receiver, `args[0]`, which is not null.
pub fn call_virtual(t: &JavaThread, method: MethodRef, args: &[u64]) -> VmResult<u64> {
    let class = Oop::from_address(args[0] as usize).class();
    let selected = if method.is_private() || method.is_constructor() {
        method
    } else if method.class().is_interface() {
        resolve::select_interface(t, method, class)?
    } else {
        resolve::select_virtual(t, method, class)?
    };
    call(t, selected, args)
}
