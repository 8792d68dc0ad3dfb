//! `-XX:+DeoptStress`: deoptimization where nothing asks for it, at intervals drawn from `-XX:StressSeed`.
//!
//! Compiled code counts a cell down at its checks, polls and allocations (`compiler::passes::stress`) and gives up
//! when that is used up; on such an occasion some frames further out are made to deoptimize when control returns
//! to them. Calls of the run-time and of the interpreter count as well.

use super::lazy;
use crate::code::frames::Border;
use crate::threads::JavaThread;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU64, Ordering};

/// Longest interval between two deoptimizations, in places where one is possible.
const LONGEST: u64 = 200;

static ON: AtomicBool = AtomicBool::new(false);
/// What compiled code counts down.
static CELL: AtomicI32 = AtomicI32::new(1);
/// State of the generator, never 0.
static RANDOM: AtomicU64 = AtomicU64::new(1);

/// Switches it on, before anything is compiled.
pub fn start(seed: u32) {
    RANDOM.store(u64::from(seed) << 32 | 0x9e37_79b9, Ordering::Relaxed);
    rearm();
    ON.store(true, Ordering::Relaxed);
}

/// Address of the cell that compiled code counts down, if it is to.
pub fn cell() -> Option<usize> {
    ON.load(Ordering::Relaxed).then_some(CELL.as_ptr() as usize)
}

/// The next number: xorshift64*. Threads that draw at the same time may draw the same.
fn random() -> u64 {
    let mut x = RANDOM.load(Ordering::Relaxed);
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    RANDOM.store(x, Ordering::Relaxed);
    x.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32
}

fn rearm() {
    CELL.store(1 + (random() % LONGEST) as i32, Ordering::Relaxed);
}

/// Whether the frame that has come to the run-time is to be left.
#[inline]
pub fn is_due() -> bool {
    ON.load(Ordering::Relaxed) && counted()
}

#[cold]
fn counted() -> bool {
    let due = CELL.fetch_sub(1, Ordering::Relaxed) <= 1;
    if due {
        rearm();
    }
    due
}

/// A countdown in the frame at `sp`, which is being left, is used up: some of the frames it returns to shall be
/// left as well.
///
/// # Safety
/// The frame is the thread's innermost and stands at `pc`.
pub(super) unsafe fn on_trap(t: &JavaThread, sp: usize, pc: usize) {
    rearm();
    let _border = Border::push(t, sp, pc);
    let mut innermost = true;
    lazy::mark_own(t, || !std::mem::take(&mut innermost) && random() & 3 == 0);
}

/// Compiled code has called the run-time or the interpreter, and its border is pushed: now and then some of the
/// frames, that of the caller included, are left when control returns to them.
///
/// # Safety
/// `t` is the current thread, and its innermost compiled frames have a border.
#[inline]
pub(crate) unsafe fn at_call(t: &JavaThread) {
    if is_due() {
        lazy::mark_own(t, || random() & 1 == 0);
    }
}
