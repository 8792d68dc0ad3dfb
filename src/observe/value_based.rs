//! `-XX:DiagnoseSyncOnValueBasedClasses`: tells where programs lock objects of value-based classes (JEP 390), or ends
//! the VM there.

use super::thread_dump;
use crate::heap::layout::Oop;
use crate::log;
use crate::options::flags::Flags;
use crate::threads::{monitor, JavaThread};

/// The flag's value that makes it fatal; the other one logs.
const FATAL: i64 = 1;

fn flag(flags: &Flags) -> i64 {
    flags.signed("DiagnoseSyncOnValueBasedClasses")
}

/// Has [`report`] called if the flag is set.
pub fn start(flags: &Flags) {
    if flag(flags) != 0 {
        monitor::diagnose_value_based()
    }
}

/// The current thread, whose frames are saved, is about to lock `object`, which is of a value-based class.
#[cold]
pub fn report(t: &JavaThread, object: Oop) {
    let what = format!("Synchronizing on object {:#018x} of klass {}", object.address(), object.class().external_name());
    let stack = if t.thread_object.get().is_null() { String::new() } else { thread_dump::stack_of(t) };
    if flag(&crate::vm::get().options.flags) == FATAL {
        let place = stack.lines().next().unwrap_or("").trim_start();
        crate::vm::crash::fatal_error(&format!("{what} {place}"));
    }
    log!(Info, [valuebasedclasses], "{what}");
    if stack.is_empty() {
        log!(Info, [valuebasedclasses], "Cannot find the last Java frame");
    }
    for line in stack.lines() {
        log!(Info, [valuebasedclasses], "{line}");
    }
}
