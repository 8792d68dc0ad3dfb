//! Exceptions in compiled frames: they cost nothing until thrown, handlers are found by return address.

use super::compiled;
use super::frames::{self, Border};
use super::stubs;
use crate::compiler::ir::Resume;
use crate::heap::layout::Oop;
use crate::interpreter::slow::overflow;
use crate::threads::{stale, JavaThread};

/// Sets where the stub goes that has called the run-time for good.
pub fn set_resume(t: &JavaThread, sp: usize, fp: usize, pc: usize, result: u64) {
    t.resume_sp.set(sp);
    t.resume_fp.set(fp);
    t.resume_pc.set(pc);
    t.resume_result.set(result);
}

/// Finds where the pending exception goes from the compiled frame at `sp` that stands at return address `pc`
/// (`fp` is its frame pointer): a handler in compiled code, a frame that must go on in the interpreter, or out of
/// compiled code. Frames without use for it are dropped.
///
/// # Safety
/// On the thread itself, the frame being its innermost.
pub unsafe fn unwind(t: &JavaThread, sp: usize, pc: usize, fp: usize) {
    debug_assert!(t.has_pending_exception());
    let stubs = stubs::get().expect("there is compiled code");
    let (mut sp, mut pc, mut fp) = (sp, pc, fp);
    loop {
        if frames::is_end(pc) {
            return set_resume(t, sp, fp, pc, 0);
        }
        let original = if pc == stubs.lazy_deopt { t.lazy_deopt.take(sp) } else { None };
        let invalid = original.is_some();
        let pc_as_compiled = original.unwrap_or(pc);
        let Some(code) = compiled::find(pc_as_compiled) else {
            panic!("an exception in no compiled code: return address {pc_as_compiled:#x}, sp {sp:#x}")
        };
        let frame_pointer = sp + code.frame_size - 16;
        let handler = code.handler(pc_as_compiled);
        if let (Some(handler), false) = (handler, invalid) {
            if stale::take_request(t, sp) {
                return set_resume(t, sp, frame_pointer, stubs.clear_and_go, handler as u64);
            }
            return set_resume(t, sp, frame_pointer, handler, 0);
        }
        if handler.is_some() || needs_interpreter(code, pc_as_compiled) {
            // `deopt::raise` gets the return address as its result.
            return set_resume(t, sp, frame_pointer, stubs.raise_deopt, pc_as_compiled as u64);
        }
        sp += code.frame_size;
        fp = *((sp - 16) as *const usize);
        pc = *((sp - 8) as *const usize);
    }
}

/// Whether a frame may catch, or holds monitors that must be released.
fn needs_interpreter(code: &compiled::CompiledMethod, pc: usize) -> bool {
    let Some(point) = code.point(pc) else {
        panic!("a call that throws has no debug point: {pc:#x} in {code:?}")
    };
    point.frames.iter().any(|f| {
        let bci = usize::from(f.bci);
        !f.monitors.is_empty()
            || f.resume != Resume::MethodEntry
                && f.method.code_attribute().is_some_and(|c| {
                    c.exception_table.iter().any(|e| (usize::from(e.start_pc)..usize::from(e.end_pc)).contains(&bci))
                })
    })
}

/// What stubs call when a run-time function has left an exception pending.
pub(super) unsafe extern "C" fn unwind_entry(t: &JavaThread, sp: usize, pc: usize, fp: usize) {
    unwind(t, sp, pc, fp)
}

/// `Stub::Throw`: `exception` leaves a frame that is gone already; `sp` and `pc` are the caller's.
pub(super) unsafe extern "C" fn throw(t: &JavaThread, sp: usize, pc: usize, fp: usize, exception: usize) {
    debug_assert!(exception != 0);
    t.exception.set(Oop::from_address(exception));
    unwind(t, sp, pc, fp)
}

/// `Stub::StackOverflow`: a prologue has found no room; `sp` and `pc` are the caller's.
pub(super) unsafe extern "C" fn stack_overflow(t: &JavaThread, sp: usize, pc: usize, fp: usize, _: usize) {
    {
        let _border = Border::push(t, sp, frames::return_address(t, sp));
        let _pending = overflow(t);
    }
    unwind(t, sp, pc, fp)
}
