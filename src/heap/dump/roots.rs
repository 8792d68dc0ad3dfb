//! The roots in a dump.
//!
//! Words of native stacks that happen to look like references keep objects too, but are not told: nobody knows whether
//! they are any.

use super::classes::Classes;
use super::stacks::{Stack, Stacks};
use super::writer::Writer;
use crate::heap::layout::Oop;
use crate::heap::roots as heap_roots;
use crate::threads::stackwalk::Content;

const ROOT_UNKNOWN: u8 = 0xff;
const ROOT_JNI_GLOBAL: u8 = 0x01;
const ROOT_JNI_LOCAL: u8 = 0x02;
const ROOT_JAVA_FRAME: u8 = 0x03;
const ROOT_STICKY_CLASS: u8 = 0x05;
const ROOT_THREAD_BLOCK: u8 = 0x06;
const ROOT_MONITOR_USED: u8 = 0x07;
const ROOT_THREAD_OBJECT: u8 = 0x08;
/// Number of a frame that is not known.
const NO_FRAME: u32 = u32::MAX;

/// A root: its kind, the object, then numbers of 4 bytes.
fn root(w: &mut Writer, kind: u8, object: Oop, numbers: &[u32]) {
    if object.is_null() {
        return;
    }
    w.sub_record(1 + 8 + 4 * numbers.len());
    w.u1(kind);
    w.id(object.address());
    numbers.iter().for_each(|n| w.u4(*n));
}

pub(super) fn write(w: &mut Writer, stacks: &Stacks, classes: &Classes) {
    for s in &stacks.0 {
        root(w, ROOT_THREAD_OBJECT, s.thread.thread_object.get(), &[s.serial, s.trace]);
        write_frames(w, s);
        write_of_thread(w, s);
    }
    heap_roots::for_each_strong(&mut |slot| {
        if let Some(o) = slot.get().non_null() {
            w.sub_record(1 + 8 + 8);
            w.u1(ROOT_JNI_GLOBAL);
            w.id(o.address());
            w.id(slot.address());
        }
    });
    heap_roots::for_each_other(&mut |slot| root(w, ROOT_UNKNOWN, slot.get(), &[]));
    for c in classes.all.iter().filter(|c| !c.kept_by.unloadable) {
        root(w, ROOT_STICKY_CLASS, c.mirror(), &[]);
    }
}

fn write_frames(w: &mut Writer, s: &Stack) {
    for (depth, f) in s.frames.iter().enumerate() {
        let (locals, stack) = f.contents();
        for c in locals.iter().chain(&stack) {
            if let Content::Reference(o) = c {
                root(w, ROOT_JAVA_FRAME, *o, &[s.serial, depth as u32]);
            }
        }
        for o in f.monitors() {
            root(w, ROOT_MONITOR_USED, o, &[]);
        }
    }
}

/// JNI local references, and what the VM keeps for the thread.
fn write_of_thread(w: &mut Writer, s: &Stack) {
    let t = s.thread;
    // SAFETY: the thread stands, so that its references do not change, and they are live.
    unsafe {
        (*t.locals.get()).for_each_slot(&mut |slot| root(w, ROOT_JNI_LOCAL, (*slot).get(), &[s.serial, NO_FRAME]))
    };
    root(w, ROOT_THREAD_BLOCK, t.exception.get(), &[s.serial]);
    t.vm.for_each_root(&mut |slot| root(w, ROOT_THREAD_BLOCK, slot.get(), &[s.serial]));
}
