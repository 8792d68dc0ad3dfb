//! Classes of the library that stand for a part of the VM which Kiln lacks: their
//! `registerNatives` throws UnsatisfiedLinkError and says which.

use crate::exceptions::{throw, VmResult};
use crate::threads::JavaThread;

fn unsatisfied(t: &JavaThread, what: &str) -> VmResult<u64> {
    Err(throw(t, "java/lang/UnsatisfiedLinkError", Some(format!("Kiln has no {what}"))))
}

fn upcalls(t: &JavaThread, _args: *const u64) -> VmResult<u64> {
    unsatisfied(t, "foreign-function upcalls (jdk.internal.foreign.abi)")
}

fn downcalls(t: &JavaThread, _args: *const u64) -> VmResult<u64> {
    unsatisfied(t, "foreign-function calls (jdk.internal.foreign.abi.ProgrammableInvoker)")
}

fn native_entry_point(t: &JavaThread, _args: *const u64) -> VmResult<u64> {
    unsatisfied(t, "foreign-function calls (jdk.internal.invoke.NativeEntryPoint)")
}

fn flight_recorder(t: &JavaThread, _args: *const u64) -> VmResult<u64> {
    unsatisfied(t, "flight recorder (jdk.jfr.internal.JVM)")
}

/// The classes, and what registering their natives does.
pub(super) const TABLES: &[super::ClassNatives] = &[
    ("jdk/internal/foreign/abi/UpcallStubs", &[("registerNatives", "()V", upcalls)]),
    ("jdk/internal/foreign/abi/ProgrammableUpcallHandler", &[("registerNatives", "()V", upcalls)]),
    ("jdk/internal/foreign/abi/ProgrammableInvoker", &[("registerNatives", "()V", downcalls)]),
    ("jdk/internal/invoke/NativeEntryPoint", &[("registerNatives", "()V", native_entry_point)]),
    ("jdk/jfr/internal/JVM", &[("registerNatives", "()V", flight_recorder)]),
];
