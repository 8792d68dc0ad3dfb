//! Threads and their stacks in a dump: HPROF_FRAME, HPROF_TRACE.

use super::classes::Classes;
use super::writer::Writer;
use super::{Names, NO_TRACE};
use crate::exceptions::backtrace::{line_number, source_file};
use crate::heap::walk::Walk;
use crate::meta::class::ClassRef;
use crate::meta::well_known::Known;
use crate::threads::stackwalk::{self, FrameView};
use crate::threads::JavaThread;

const FRAME: u8 = 0x04;
const TRACE: u8 = 0x05;

/// One thread of the program.
pub(super) struct Stack {
    pub thread: &'static JavaThread,
    /// Number of the thread.
    pub serial: u32,
    /// Number of its stack trace.
    pub trace: u32,
    /// Innermost first.
    pub frames: Vec<FrameView>,
}

/// All threads that have a `java.lang.Thread`.
pub(super) struct Stacks(pub Vec<Stack>);

impl Stacks {
    pub fn collect(heap: &Walk<'_>, names: &mut Names) -> Stacks {
        let threads = heap.threads.iter().copied().filter(|x| !x.thread_object.get().is_null());
        let stack = |(i, thread): (usize, &'static JavaThread)| {
            let serial = i as u32 + 1;
            let frames: Vec<FrameView> = stackwalk::frames(thread).collect();
            for f in &frames {
                names.add(f.method.name);
                names.add(f.method.descriptor);
                source_file(f.method.class()).into_iter().for_each(|s| names.add(s));
            }
            Stack { thread, serial, trace: serial + NO_TRACE, frames }
        };
        let stacks = threads.enumerate().map(stack).collect();
        source_file(Known::OutOfMemoryError.get()).into_iter().for_each(|s| names.add(s));
        Stacks(stacks)
    }

    pub fn write(&self, w: &mut Writer, classes: &Classes, names: &Names, failing: Option<&JavaThread>) {
        w.record(TRACE, 3 * 4);
        for v in [NO_TRACE, 0, 0] {
            w.u4(v);
        }
        let mut last_frame = 0;
        for stack in &self.0 {
            let first = last_frame + 1;
            if failing.is_some_and(|f| std::ptr::eq(f, stack.thread)) {
                last_frame += 1;
                let class = Known::OutOfMemoryError.get();
                let at = (names.constructor.address(), names.no_arguments.address());
                write_frame(w, last_frame, at, class, classes, -1);
            }
            for f in &stack.frames {
                last_frame += 1;
                let line = if f.method.is_native() { -3 } else { line_number(f.method, f.bci) };
                let at = (f.method.name.address(), f.method.descriptor.address());
                write_frame(w, last_frame, at, f.method.class(), classes, line);
            }
            let count = last_frame + 1 - first;
            w.record(TRACE, 3 * 4 + 8 * count as u32);
            w.u4(stack.trace);
            w.u4(stack.serial);
            w.u4(count as u32);
            (first..=last_frame).for_each(|id| w.id(id));
        }
    }
}

/// `line`: -1 not known, -3 native.
fn write_frame(w: &mut Writer, id: usize, at: (usize, usize), class: ClassRef, classes: &Classes, line: i32) {
    w.record(FRAME, 4 * 8 + 4 + 4);
    w.id(id);
    w.id(at.0);
    w.id(at.1);
    w.id(source_file(class).map_or(0, |s| s.address()));
    w.u4(classes.serial(class));
    w.u4(line as u32);
}
