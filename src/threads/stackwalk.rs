//! Walking a thread's Java frames.

use crate::interpreter::frame::{Frame, FrameKind};
use crate::meta::class::ClassRef;
use crate::meta::method::{method_flags, MethodRef};
use crate::meta::well_known::Known;
use crate::threads::JavaThread;

/// One Java or native method activation, innermost first. A frame of compiled code would show
/// as one view per inlined method.
#[derive(Clone, Copy)]
pub struct FrameView {
    pub method: MethodRef,
    /// Bytecode index; 0 for a native method.
    pub bci: usize,
    frame: *const Frame,
}

impl FrameView {
    /// First local variable.
    pub fn locals(&self) -> *const u64 {
        // SAFETY: the frame is on the stack of a thread that stands or is the current one.
        unsafe { (*self.frame).locals }
    }

    /// Identity of the activation, increasing towards the innermost.
    pub fn id(&self) -> usize {
        self.frame as usize
    }

    /// The interpreter's frame.
    pub fn frame(&self) -> *const Frame {
        self.frame
    }

    /// Objects whose monitors the activation holds, innermost last.
    pub fn monitors(&self) -> Vec<crate::heap::layout::Oop> {
        // SAFETY: as above; records lie below its fixed part.
        unsafe {
            let f = &*self.frame;
            let records = crate::interpreter::monitors::records(f).0;
            (0..f.monitors as usize)
                .map(|i| crate::heap::layout::Oop::from_address(*records.add(i) as usize))
                .collect()
        }
    }
}

/// See [`frames`].
pub struct Frames {
    next: *const Frame,
}

impl Iterator for Frames {
    type Item = FrameView;

    fn next(&mut self) -> Option<FrameView> {
        loop {
            // SAFETY: frames are linked down to null.
            let frame = unsafe { self.next.as_ref()? };
            self.next = frame.prev;
            if frame.kind == FrameKind::Entry {
                continue;
            }
            if let Some(method) = frame.method() {
                return Some(FrameView { method, bci: frame.bci(), frame });
            }
        }
    }
}

/// The Java frames of `t`, innermost first: natives included, borders not. `t` is the current
/// thread, or stands at a safepoint.
pub fn frames(t: &JavaThread) -> Frames {
    Frames { next: t.top_frame.get() }
}

/// Whether the frame is part of how a method was called rather than a caller (HotSpot's
/// `is_ignored_by_security_stack_walk`): `Method.invoke`, the accessors behind it, intrinsics of
/// method handles and compiled lambda forms. Other hidden methods do count: through one of them,
/// `InjectedInvoker.invoke_V`, method handles to caller-sensitive methods show who made them.
pub fn is_ignored_by_security_stack_walk(m: MethodRef) -> bool {
    let class = m.class();
    if m.name == "invoke" && Known::Method.try_get() == Some(class) {
        return true;
    }
    if Known::MethodAccessorImpl.try_get().is_some_and(|c| class.is_subclass_of(c)) {
        return true;
    }
    is_method_handle_intrinsic(m) || m.has_flag(method_flags::LAMBDA_FORM_COMPILED)
}

fn is_method_handle_intrinsic(m: MethodRef) -> bool {
    use crate::meta::method::MethodKind as K;
    matches!(
        m.kind(),
        K::InvokeBasic | K::LinkToVirtual | K::LinkToStatic | K::LinkToSpecial | K::LinkToInterface | K::LinkToNative
    )
}

/// The class of the caller at `depth` (HotSpot's `security_get_caller_class`): 0 is the
/// innermost frame, whatever it is; frames ignored by security walks do not count.
pub fn caller_class(t: &JavaThread, depth: usize) -> Option<ClassRef> {
    frames(t)
        .filter(|f| !is_ignored_by_security_stack_walk(f.method))
        .nth(depth)
        .map(|f| f.method.class())
}

/// `Reflection.getCallerClass`: the native's own frame is innermost, its caller must be
/// `@CallerSensitive`; the class sought is that one's caller. `Err` names the method that is not
/// caller-sensitive (the caller throws InternalError "CallerSensitive annotation expected at
/// frame 1").
pub fn reflection_caller_class(t: &JavaThread) -> Result<Option<ClassRef>, MethodRef> {
    let mut walk = frames(t);
    walk.next();
    match walk.next() {
        Some(f) if !f.method.has_flag(method_flags::CALLER_SENSITIVE) => return Err(f.method),
        _ => {}
    }
    Ok(walk.find(|f| !is_ignored_by_security_stack_walk(f.method)).map(|f| f.method.class()))
}
