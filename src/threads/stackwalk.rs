//! Walking a thread's Java frames.

use crate::code::assembled::Where;
use crate::code::frames::{self, Activation, Activations};
use crate::heap::layout::Oop;
use crate::heap::roots::Handle;
use crate::interpreter::frame::{Frame, FrameKind};
use crate::interpreter::monitors;
use crate::interpreter::slot_types::{self, Kind};
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

    /// What the local variables hold, then what the operand stack holds without the arguments of a call that is
    /// going on: those are the callee's. A long or double value is in the second of its two slots, as on HotSpot.
    pub fn contents(&self) -> (Vec<Content>, Vec<Content>) {
        match &self.place {
            // SAFETY: the frame is on the stack of a thread that stands or is the current one.
            Place::Interpreted(f) => unsafe { interpreted_contents(self.method, &**f, self.bci) },
            Place::Compiled(a, depth) => {
                let f = &a.point().frames[*depth];
                let mut locals = compiled_contents(a, &f.locals);
                locals.resize(f.method.max_locals as usize, Content::Unknown);
                (locals, compiled_contents(a, &f.stack))
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

/// What a slot of a frame holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Content {
    /// Nothing that is used any more, or of a type that differs from way to way.
    Unknown,
    Word(u64),
    /// An object, which may move unless the frame keeps it in its place; null for one that compiled code does without,
    /// as on HotSpot.
    Reference(Oop),
}

unsafe fn interpreted_contents(m: MethodRef, f: &Frame, bci: usize) -> (Vec<Content>, Vec<Content>) {
    let read = |kinds: &[Kind], at: *const u64| -> Vec<Content> {
        let content = |(i, kind): (usize, &Kind)| match kind {
            Kind::Unknown | Kind::Return(_) => Content::Unknown,
            Kind::Reference => Content::Reference(Oop::from_address(*at.add(i) as usize)),
            Kind::Word => Content::Word(*at.add(i)),
            Kind::Long => Content::Word(0),
            Kind::Rest => Content::Word(*at.add(i - 1)),
        };
        kinds.iter().enumerate().map(content).collect()
    };
    if f.kind == FrameKind::Native {
        return (read(&slot_types::arguments(m), f.locals), vec![]);
    }
    let Some(mut slots) = slot_types::before(m, bci) else {
        return (vec![Content::Unknown; m.max_locals as usize], vec![]);
    };
    let kept = slots.stack.len() - slot_types::taken_by_call(m, bci).min(slots.stack.len());
    slots.stack.truncate(kept);
    (read(&slots.locals, f.locals), read(&slots.stack, f.stack_base()))
}

fn compiled_contents(a: &Activation, places: &[Where]) -> Vec<Content> {
    use crate::compiler::ir::Type;
    // The value of a long or double, for its second slot.
    let mut rest = None;
    let content = |w: &Where| {
        if let Some(value) = rest.take() {
            return Content::Word(value);
        }
        // SAFETY: the frame is on the stack of a thread that stands or is the current one.
        let value = unsafe { a.value(w) };
        match (w, value) {
            (Where::Virtual(_), _) => Content::Reference(Oop::NULL),
            (Where::Object(_) | Where::Mirror(_), Some(v)) => Content::Reference(Oop::from_address(v as usize)),
            (Where::Frame(ty, _) | Where::Const(ty, _), Some(v)) => match ty {
                Type::Ref => Content::Reference(Oop::from_address(v as usize)),
                Type::I32 | Type::F32 => Content::Word(v),
                Type::I64 | Type::F64 => {
                    rest = Some(v);
                    Content::Word(0)
                }
                Type::Ptr => Content::Unknown,
            },
            _ => Content::Unknown,
        }
    };
    places.iter().map(content).collect()
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

/// A stack trace that is looked at when its thread has gone on: the methods' classes are kept meanwhile.
pub struct Trace {
    /// Methods and bytecode indices, innermost first.
    pub frames: Vec<(MethodRef, usize)>,
    /// Mirrors of those classes that may be unloaded.
    _kept: Vec<Handle>,
}

impl Trace {
    /// Of these frames, which still stand.
    pub fn of(frames: impl Iterator<Item = (MethodRef, usize)>) -> Trace {
        let frames: Vec<(MethodRef, usize)> = frames.collect();
        let mut classes: Vec<ClassRef> = Vec::new();
        for class in frames.iter().map(|f| f.0.class()).filter(|c| c.kept_by.unloadable) {
            if !classes.iter().any(|c| std::ptr::eq(*c, class)) {
                classes.push(class);
            }
        }
        Trace { frames, _kept: classes.into_iter().map(|c| Handle::new(c.mirror())).collect() }
    }
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
