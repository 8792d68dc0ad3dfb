//! `java.lang.StackWalker`: `StackStreamFactory.AbstractStackWalker` hands in a buffer, the VM
//! fills it with frames and calls `doStackWalk`, which may ask for further batches.
//!
//! The buffer is a `Class[]` (`FILL_CLASS_REFS_ONLY`) or holds StackFrameInfo objects. Its
//! element 0 is the VM's: while a walk is on, it is the walking `Thread`, the proof that a
//! later batch belongs to it. The walk is known to Java by its `anchor`, the address of a
//! [`Walk`] on the stack of the thread.
#![allow(non_snake_case)] // the names are jvm.h's

use crate::exceptions::{backtrace, throw, Thrown, VmResult};
use crate::heap::access::{array_ref, load_ref, set_array_ref, store, store_ref};
use crate::heap::alloc;
use crate::heap::layout::Oop;
use crate::interpreter::call::call;
use crate::invoke::resolved_method;
use crate::jvm_entry;
use crate::link::{init, load as loading};
use crate::meta::class::ClassRef;
use crate::meta::method::{method_flags, MethodRef};
use crate::meta::well_known::{method, Known, KnownField};
use crate::threads::stackwalk::{frames, Content, FrameView, Frames};
use crate::threads::JavaThread;
use std::cell::RefCell;
use std::iter::Peekable;
use std::sync::atomic::Ordering;

const FILL_CLASS_REFS_ONLY: i64 = 0x2;
const GET_CALLER_CLASS: i64 = 0x4;
const SHOW_HIDDEN_FRAMES: i64 = 0x20;
const FILL_LIVE_STACK_FRAMES: i64 = 0x100;

/// `LiveStackFrameInfo.mode`.
const MODE_INTERPRETED: i32 = 1;
const MODE_COMPILED: i32 = 2;

/// MemberName's flags (`MethodHandleNatives.Constants`).
const IS_METHOD: i32 = 0x0001_0000;
const IS_CONSTRUCTOR: i32 = 0x0002_0000;
const CALLER_SENSITIVE: i32 = 0x0010_0000;
const REFERENCE_KIND_SHIFT: i32 = 24;
const REF_INVOKE_VIRTUAL: i32 = 5;
const REF_INVOKE_STATIC: i32 = 6;
const REF_INVOKE_SPECIAL: i32 = 7;
const REF_INVOKE_INTERFACE: i32 = 9;
/// vmindex of what is called directly (HotSpot's `Method::nonvirtual_vtable_index`).
const DIRECT: i64 = -2;

/// A walk that is on.
struct Walk<'t> {
    thread: u64,
    frames: RefCell<Peekable<Frames<'t>>>,
}

fn internal_error(t: &JavaThread, message: &str) -> Thrown {
    throw(t, "java/lang/InternalError", Some(message.to_string()))
}

/// Fills `buffer` from `start` with at most `count` frames; the index after the last.
fn fill(
    t: &JavaThread,
    walk: &mut Peekable<Frames<'_>>,
    mode: i64,
    count: i32,
    start: i32,
    buffer: Oop,
) -> VmResult<i32> {
    let show_hidden = backtrace::SHOW_HIDDEN.load(Ordering::Relaxed);
    let skip_hidden = !show_hidden && (mode & SHOW_HIDDEN_FRAMES == 0 || mode & GET_CALLER_CLASS != 0);
    let class_only = mode & FILL_CLASS_REFS_ONLY != 0;
    let mut index = start;
    while index < start + count {
        let Some(f) = walk.next() else { break };
        if skip_hidden && f.method.has_flag(method_flags::HIDDEN) {
            continue;
        }
        if class_only
            && mode & GET_CALLER_CLASS != 0
            && index == start
            && f.method.has_flag(method_flags::CALLER_SENSITIVE)
        {
            let m = format!(
                "StackWalker::getCallerClass called from @CallerSensitive '{}' method",
                f.method.external_name()
            );
            return Err(throw(t, "java/lang/UnsupportedOperationException", Some(m)));
        }
        if class_only {
            set_array_ref(t, buffer, index as usize, f.method.class().mirror());
        } else {
            let info = array_ref(buffer, index as usize);
            fill_frame_info(t, info, &f)?;
            if mode & FILL_LIVE_STACK_FRAMES != 0 {
                fill_live_frame(t, info, &f)?;
            }
        }
        index += 1;
    }
    Ok(index)
}

/// `StackFrameInfo`: method and bytecode index.
fn fill_frame_info(t: &JavaThread, info: Oop, f: &FrameView) -> VmResult<()> {
    let member = load_ref(info, KnownField::SfiMemberName.offset());
    init_member_name(t, member, f.method)?;
    store::<i32>(info, KnownField::SfiBci.offset(), f.bci as i32);
    let version = f.method.class().redefinition_count.load(Ordering::Relaxed);
    store::<i16>(info, KnownField::SfiVersion.offset(), version as i16);
    Ok(())
}

/// `LiveStackFrameInfo`: local variables, operand stack and monitors.
fn fill_live_frame(t: &JavaThread, info: Oop, f: &FrameView) -> VmResult<()> {
    let objects = loading::array_class(t, Known::Object.get())?;
    let make = |n: usize| if n == 0 { Ok(Oop::NULL) } else { alloc::array(t, objects, n as i32) };
    let (locals, operands) = f.contents();
    let (locals, operands, monitors) = (make(locals.len())?, make(operands.len())?, make(f.monitors().len())?);
    // Read anew: what compiled code names as constants may have moved.
    let (in_locals, in_operands) = f.contents();
    let in_monitors: Vec<Content> = f.monitors().into_iter().map(Content::Reference).collect();
    let all = [
        (locals, &in_locals, KnownField::LsfLocals),
        (operands, &in_operands, KnownField::LsfOperands),
        (monitors, &in_monitors, KnownField::LsfMonitors),
    ];
    let kept = || all.iter().filter(|x| !x.0.is_null());
    for (array, contents, field) in kept() {
        for (i, c) in contents.iter().enumerate() {
            if let Content::Reference(o) = *c {
                set_array_ref(t, *array, i, o);
            }
        }
        store_ref(t, info, field.offset(), *array);
    }
    init::initialize(t, Known::LiveStackFrameInfo.get())?;
    for (array, contents, _) in kept() {
        for (i, c) in contents.iter().enumerate() {
            match *c {
                Content::Reference(_) => {}
                Content::Word(bits) => set_array_ref(t, *array, i, primitive_slot(t, bits)?),
                Content::Unknown => set_array_ref(t, *array, i, primitive_slot(t, 0)?),
            }
        }
    }
    let mode = if f.activation().is_some() { MODE_COMPILED } else { MODE_INTERPRETED };
    store::<i32>(info, KnownField::LsfMode.offset(), mode);
    Ok(())
}

/// A `LiveStackFrame.PrimitiveSlot` of 64 bits.
fn primitive_slot(t: &JavaThread, bits: u64) -> VmResult<Oop> {
    let make = method(Known::LiveStackFrameInfo, "asPrimitive", "(J)Ljava/lang/LiveStackFrame$PrimitiveSlot;");
    Ok(Oop::from_address(call(t, make, &[bits, 0])? as usize))
}

/// Makes a MemberName stand for a method that is on the stack.
fn init_member_name(t: &JavaThread, member: Oop, m: MethodRef) -> VmResult<()> {
    let resolved = resolved_method::find(t, m)?;
    let dispatch = m.vtable_index.load(Ordering::Relaxed);
    let itable = m.itable_index.load(Ordering::Relaxed);
    // MemberName's flags: what it is, how it is invoked (JVMS table 5.4.3.5-A), modifiers.
    let (kind, reference_kind, index) = if m.is_static() {
        (IS_METHOD, REF_INVOKE_STATIC, DIRECT)
    } else if m.is_constructor() {
        (IS_CONSTRUCTOR, REF_INVOKE_SPECIAL, DIRECT)
    } else if m.class().is_interface() && itable >= 0 {
        (IS_METHOD, REF_INVOKE_INTERFACE, i64::from(itable))
    } else if dispatch >= 0 && !m.is_final() {
        (IS_METHOD, REF_INVOKE_VIRTUAL, i64::from(dispatch))
    } else {
        (IS_METHOD, REF_INVOKE_SPECIAL, DIRECT)
    };
    let sensitive = if m.has_flag(method_flags::CALLER_SENSITIVE) { CALLER_SENSITIVE } else { 0 };
    let flags = i32::from(m.access_flags) | kind | reference_kind << REFERENCE_KIND_SHIFT | sensitive;
    store::<i32>(member, KnownField::MemberNameFlags.offset(), flags);
    store::<i64>(member, KnownField::MemberNameVmindex.offset(), index);
    store_ref(t, member, KnownField::MemberNameMethod.offset(), resolved);
    store_ref(t, member, KnownField::MemberNameClazz.offset(), m.class().mirror());
    Ok(())
}

/// The buffer belongs to the walk: its element 0 is the walking thread.
fn check_buffer(t: &JavaThread, buffer: Oop) -> bool {
    !buffer.is_null() && buffer.array_length() > 0 && array_ref(buffer, 0) == t.thread_object.get()
}

/// Frames of the stack walker itself are not shown.
fn is_walker(class: ClassRef) -> bool {
    let walker = Known::AbstractStackWalker.get();
    class.name == "java/lang/StackWalker" || class == walker || class.super_class == Some(walker)
}

jvm_entry! {
    /// `AbstractStackWalker.callStackWalk`: the result of `doStackWalk`.
    fn JVM_CallStackWalk(t, stream: Oop, mode: i64, skip: i32, count: i32, start: i32, buffer: Oop) -> Oop {
        if buffer.is_null() {
            return Err(throw(t, "java/lang/NullPointerException", Some("frames_array is NULL".into())));
        }
        let mut walk = frames(t).peekable();
        while walk.next_if(|f| is_walker(f.method.class())).is_some() {}
        for _ in 0..skip {
            walk.next();
        }
        let mut end = start;
        if walk.peek().is_some() {
            end = fill(t, &mut walk, mode, count, start, buffer)?;
            if end == start {
                return Err(internal_error(t, "stack walk: decode failed"));
            }
        }
        let walk = Walk { thread: t.id, frames: RefCell::new(walk) };
        set_array_ref(t, buffer, 0, t.thread_object.get());
        let anchor = &walk as *const Walk<'_> as u64;
        let int = |i: i32| u64::from(i as u32);
        let args = [stream.address() as u64, anchor, 0, int(skip), int(count), int(start), int(end)];
        let result = call(t, method(Known::AbstractStackWalker, "doStackWalk", "(JIIII)Ljava/lang/Object;"), &args);
        let intact = check_buffer(t, buffer);
        set_array_ref(t, buffer, 0, Oop::NULL);
        let result = result?;
        if !intact {
            return Err(internal_error(t, "doStackWalk: corrupted buffers on exit"));
        }
        Ok(Oop::from_address(result as usize))
    }

    /// `AbstractStackWalker.fetchStackFrames`: the index after the last frame filled in.
    fn JVM_MoreStackWalk(t, _stream: Oop, mode: i64, anchor: i64, count: i32, start: i32, buffer: Oop) -> i32 {
        if anchor == 0 || !check_buffer(t, buffer) {
            return Err(internal_error(t, "doStackWalk: corrupted buffers"));
        }
        // The buffer is being walked by this thread, so the walk is alive below us on the stack.
        let walk = &*(anchor as usize as *const Walk<'_>);
        if walk.thread != t.id {
            return Err(internal_error(t, "doStackWalk: corrupted buffers"));
        }
        if count <= 0 {
            return Ok(start);
        }
        let mut walk = walk.frames.borrow_mut();
        if walk.peek().is_none() {
            return Ok(start);
        }
        let end = fill(t, &mut walk, mode, count, start, buffer)?;
        if end == start {
            return Err(internal_error(t, "doStackWalk: later decode failed"));
        }
        Ok(end)
    }
}
