//! Errors made at start-up, for when nothing can be made any more.

use super::Thrown;
use crate::heap::layout::Oop;
use crate::heap::roots::{new_slot, RootSlot};
use crate::heap::{access, alloc, strings};
use crate::meta::well_known::{Known, KnownField};
use crate::threads::JavaThread;
use std::cell::RefCell;
use std::sync::OnceLock;

/// Messages of the OutOfMemoryErrors kept ready.
const OUT_OF_MEMORY: [&str; 6] = [
    "Java heap space",
    "Metaspace",
    "Compressed class space",
    "Requested array size exceeds VM limit",
    "GC overhead limit exceeded",
    "Java heap space: failed reallocation of scalar replaced objects",
];

struct Errors {
    out_of_memory: Vec<&'static RootSlot>,
    stack_overflow: &'static RootSlot,
    /// For anything else: HotSpot's text for a failure while throwing.
    internal: &'static RootSlot,
}

static ERRORS: OnceLock<Errors> = OnceLock::new();

/// Makes the errors. Called once, when `String` and `Throwable` are loaded and laid out.
pub fn initialize(t: &JavaThread) -> super::VmResult<()> {
    let make = |class: Known, message: Option<&str>| -> super::VmResult<&'static RootSlot> {
        let e = alloc::instance(t, class.get())?;
        let slot = new_slot(e);
        if let Some(m) = message {
            let text = strings::new(t, m)?;
            access::store_ref(t, e, KnownField::ThrowableDetailMessage.offset(), text);
        }
        Ok(slot)
    };
    let out_of_memory = OUT_OF_MEMORY
        .iter()
        .map(|m| make(Known::OutOfMemoryError, Some(m)))
        .collect::<super::VmResult<Vec<_>>>()?;
    let errors = Errors {
        out_of_memory,
        stack_overflow: make(Known::StackOverflowError, None)?,
        internal: make(Known::InternalError, Some("Nested exception while an exception was being made"))?,
    };
    // A second initialization would only make the same again.
    let _already_there = ERRORS.set(errors);
    Ok(())
}

thread_local! {
    /// Until the errors are there: the exception that was asked for first, and where.
    static REQUESTED: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Remembers what was to be thrown, in case start-up has not come far enough to do so: the
/// failures that follow from that do not tell what is wrong.
pub(super) fn note_request(t: &JavaThread, class: &str, message: Option<&str>) {
    if ERRORS.get().is_none() {
        let colon = if message.is_some() { ": " } else { "" };
        let name = class.replace('/', ".");
        REQUESTED.set(format!("{name}{colon}{}{}", message.unwrap_or(""), innermost_frames(t, 20)));
    }
}

/// Lines for the innermost `n` frames, each beginning with a line break.
pub(super) fn innermost_frames(t: &JavaThread, n: usize) -> String {
    crate::threads::stackwalk::frames(t)
        .take(n)
        .map(|f| format!("\n\tat {} (bci {})", f.method.name_and_signature(), f.bci))
        .collect()
}

/// Throws the ready-made error nearest to what is asked for.
#[cold]
pub fn throw(t: &JavaThread, class: &str, message: Option<&str>) -> Thrown {
    let Some(errors) = ERRORS.get() else {
        crate::vm_out!("Error occurred during initialization of VM\n{}\n", REQUESTED.take());
        crate::os::console::exit(1);
    };
    let slot = match class {
        "java/lang/StackOverflowError" => errors.stack_overflow,
        "java/lang/OutOfMemoryError" => {
            let i = OUT_OF_MEMORY.iter().position(|m| Some(*m) == message).unwrap_or(0);
            errors.out_of_memory[i]
        }
        _ => errors.internal,
    };
    let e = slot.get();
    debug_assert!(e != Oop::NULL);
    t.set_exception(e)
}
