//! Walking a thread's Java frames.

use crate::code::frames::{self, Activation, Activations};
use crate::heap::layout::Oop;
use crate::interpreter::frame::{Frame, FrameKind};
use crate::interpreter::monitors;
use crate::meta::class::ClassRef;
use crate::meta::method::{method_flags, MethodRef};
use crate::meta::well_known::Known;
use crate::threads::JavaThread;

/// One Java or native method activation, innermost first. A frame of compiled code shows as one view for each
/// inlined method.
#[derive(Clone, Copy)]
pub struct FrameView {
    pub method: MethodRef,
    /// Bytecode index; 0 for a native method.
    pub bci: usize,
    place: Place,
}

#[derive(Clone, Copy)]
enum Place {
    /// The interpreter's frame.
    Interpreted(*const Frame),
    /// A machine frame, and which of its inlined methods, the innermost being 0.
    Compiled(Activation, usize),
}

impl FrameView {
    /// Local variable `i` as a slot: `None` if compiled code does not keep it where it stands.
    pub fn local(&self, i: usize) -> Option<u64> {
        // SAFETY: the frame is on the stack of a thread that stands or is the current one, and has this many
        // locals.
        unsafe {
            match &self.place {
                Place::Interpreted(f) => (i < self.method.max_locals as usize).then(|| *(**f).locals.add(i)),
                Place::Compiled(a, depth) => a.value(a.point().frames[*depth].locals.get(i)?),
            }
        }
    }

    /// Whether `word` may be a local variable. Of a compiled frame all words count.
    pub fn may_hold(&self, word: u64) -> bool {
        match &self.place {
            Place::Interpreted(_) => (0..self.method.max_locals as usize).any(|i| self.local(i) == Some(word)),
            // SAFETY: as above; registers of a frame that stands at a poll lie below its sp.
            Place::Compiled(a, _) => unsafe {
                const REGISTERS: usize = std::mem::size_of::<crate::code::stubs::Registers>() + 64;
                let mut p = a.sp - REGISTERS;
                while p < a.caller_sp() {
                    if *(p as *const u64) == word {
                        return true;
                    }
                    p += 8;
                }
                false
            },
        }
    }

    /// Objects whose monitors the activation holds, innermost last.
    pub fn monitors(&self) -> Vec<Oop> {
        // SAFETY: as above; records lie below a frame's fixed part.
        unsafe {
            match &self.place {
                Place::Interpreted(f) => {
                    let f = &**f;
                    let records = monitors::records(f).0;
                    (0..f.monitors as usize).map(|i| Oop::from_address(*records.add(i) as usize)).collect()
                }
                Place::Compiled(a, depth) => frames::locked(a, *depth),
            }
        }
    }

    /// The machine frame, of compiled code.
    pub fn activation(&self) -> Option<Activation> {
        match self.place {
            Place::Interpreted(_) => None,
            Place::Compiled(a, _) => Some(a),
        }
    }
}

/// See [`frames`].
pub struct Frames<'t> {
    t: &'t JavaThread,
    next: *const Frame,
    /// The run of machine frames behind the last border.
    run: Option<Activations<'t>>,
    /// The machine frame being shown, and its next inlined method.
    inlined: Option<(Activation, usize)>,
}

impl Iterator for Frames<'_> {
    type Item = FrameView;

    fn next(&mut self) -> Option<FrameView> {
        loop {
            if let Some((a, depth)) = self.inlined {
                let frames = &a.point().frames;
                if let Some(f) = frames.get(depth) {
                    self.inlined = Some((a, depth + 1));
                    return Some(FrameView { method: f.method, bci: f.bci as usize, place: Place::Compiled(a, depth) });
                }
                self.inlined = None;
            }
            if let Some(a) = self.run.as_mut().and_then(Iterator::next) {
                self.inlined = Some((a, 0));
                continue;
            }
            self.run = None;
            // SAFETY: frames are linked down to null.
            let frame = unsafe { self.next.as_ref()? };
            self.next = frame.prev;
            match frame.kind {
                FrameKind::Entry => {}
                // SAFETY: the thread stands or is the current one.
                FrameKind::Compiled => self.run = Some(unsafe { frames::behind(self.t, frame) }),
                FrameKind::Java | FrameKind::Native => {
                    if let Some(method) = frame.method() {
                        return Some(FrameView { method, bci: frame.bci(), place: Place::Interpreted(frame) });
                    }
                }
            }
        }
    }
}

/// The Java frames of `t`, innermost first: natives included, borders not. `t` is the current
/// thread, or stands at a safepoint.
pub fn frames(t: &JavaThread) -> Frames<'_> {
    Frames { t, next: t.top_frame.get(), run: None, inlined: None }
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
