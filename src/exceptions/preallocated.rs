//! Errors made at start-up, for when nothing can be made any more.

use super::Thrown;
use crate::heap::layout::Oop;
use crate::heap::roots::{new_slot, RootSlot};
use crate::heap::{access, alloc, strings};
use crate::meta::well_known::{Known, KnownField};
use crate::threads::JavaThread;
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

/// Throws the ready-made error nearest to what is asked for.
#[cold]
pub fn throw(t: &JavaThread, class: &str, message: Option<&str>) -> Thrown {
    let Some(errors) = ERRORS.get() else {
        eprintln!(
            "Error occurred during initialization of VM\n{}: {}",
            class.replace('/', "."),
            message.unwrap_or("thrown before any exception can be made")
        );
        std::process::exit(1);
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
