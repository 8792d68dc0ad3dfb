//! Exceptions in frames: handler search (JVMS 2.10) and unwinding.

use super::frame::{Frame, FrameKind};
use super::insn::Insn;
use super::monitors;
use super::op::Op;
use crate::heap::layout::Oop;
use crate::link::resolve;
use crate::meta::method::MethodRef;
use crate::threads::{stale, JavaThread};

/// Finds the handler of the pending exception, dropping frames that have none, down to the
/// nearest border. True: the topmost frame stands at its handler and nothing is pending any
/// more. False: the topmost frame is the border and the exception still pends.
///
/// # Safety
/// The topmost frame's state must have been saved.
#[cold]
#[inline(never)]
pub unsafe fn unwind(t: &JavaThread) -> bool {
    loop {
        let frame = t.top_frame.get();
        match (*frame).kind {
            FrameKind::Entry | FrameKind::Compiled => return false,
            FrameKind::Native => {}
            FrameKind::Java => {
                t.stack_top.set((*frame).end);
                if let Some(bci) = handler_in(t, frame) {
                    stale::clear(t);
                    let code = (*frame).prepared().expect("a Java frame runs prepared code");
                    let sp = (*frame).stack_base();
                    *sp = t.take_exception().address() as u64;
                    (*frame).sp = sp.add(1);
                    (*frame).pc = code.at_bci(bci);
                    return true;
                }
                if (*frame).monitors > 0 {
                    monitors::release_on_unwind(t, frame);
                }
            }
        }
        t.top_frame.set((*frame).prev);
    }
}

unsafe fn handler_in(t: &JavaThread, frame: *mut Frame) -> Option<usize> {
    let method = (*frame).method()?;
    if (*((*frame).pc)).op == Op::SyncEnter as u16 {
        return None; // Not within the method's code yet.
    }
    let mut bci = (*frame).bci();
    loop {
        let exception = t.take_exception();
        match find_handler(t, method, bci, exception) {
            Search::Found(handler) => {
                t.exception.set(exception);
                return Some(handler);
            }
            Search::None => {
                t.exception.set(exception);
                return None;
            }
            // The new exception replaces the old, as if thrown where the handler begins.
            Search::Failed(handler) => {
                debug_assert!(t.has_pending_exception());
                bci = handler;
            }
        }
    }
}

/// Outcome of a handler search.
#[derive(Debug, PartialEq, Eq)]
pub enum Search {
    None,
    /// Handler's bytecode index.
    Found(usize),
    /// Resolving the catch type of this handler threw (pending).
    Failed(usize),
}

/// The handler of `method` for `exception` thrown at `bci`. Catch types are resolved as they
/// are met.
pub fn find_handler(t: &JavaThread, method: MethodRef, bci: usize, exception: Oop) -> Search {
    let Some(code) = method.code_attribute() else { return Search::None };
    for e in &code.exception_table {
        if bci < e.start_pc as usize || bci >= e.end_pc as usize {
            continue;
        }
        let handler = e.handler_pc as usize;
        if e.catch_type == 0 {
            return Search::Found(handler);
        }
        match resolve::class(t, method.class(), e.catch_type) {
            Ok(c) if exception.class().is_subclass_of(c) => return Search::Found(handler),
            Ok(_) => {}
            Err(_pending) => return Search::Failed(handler),
        }
    }
    Search::None
}

const _: () = assert!(std::mem::size_of::<Insn>() == 8);
