//! What a program's user has asked for when memory runs out: `-XX:+HeapDumpOnOutOfMemoryError`,
//! `-XX:OnOutOfMemoryError=`, `-XX:+CrashOnOutOfMemoryError`, `-XX:+ExitOnOutOfMemoryError`.

use crate::heap::dump;
use crate::threads::JavaThread;
use crate::vm::crash;
use std::sync::atomic::{AtomicBool, Ordering};

/// Does what was asked for the first time that the VM throws OutOfMemoryError, before it does so. Call it without a
/// lock of the VM's.
pub fn report(t: &JavaThread, message: &str) {
    static REPORTED: AtomicBool = AtomicBool::new(false);
    let Some(vm) = crate::vm::try_get() else { return };
    if REPORTED.swap(true, Ordering::SeqCst) {
        return;
    }
    let flags = &vm.options.flags;
    if flags.bool("HeapDumpOnOutOfMemoryError") {
        crate::vm_out!("java.lang.OutOfMemoryError: {message}\n");
        dump_heap(t);
    }
    if let Some(commands) = flags.text("OnOutOfMemoryError").filter(|c| !c.is_empty()) {
        crate::vm_out!("#\n# java.lang.OutOfMemoryError: {message}\n# -XX:OnOutOfMemoryError=\"{commands}\"\n");
        crash::run_commands(commands);
    }
    if flags.bool("CrashOnOutOfMemoryError") {
        crate::vm_out!("Aborting due to java.lang.OutOfMemoryError: {message}\n");
        crash::fatal_error(&format!("OutOfMemory encountered: {message}"));
    }
    if flags.bool("ExitOnOutOfMemoryError") {
        crate::vm_out!("Terminating due to java.lang.OutOfMemoryError: {message}\n");
        crate::observe::attach::abort();
        crate::observe::perf_data::remove_file();
        // SAFETY: no preconditions; no exit handler is to be run.
        unsafe { libc::_exit(3) }
    }
}

fn dump_heap(t: &JavaThread) {
    let flags = &crate::vm::get().options.flags;
    let gzip_level = flags.signed("HeapDumpGzipLevel") as u32;
    let path = dump::default_path(flags.text("HeapDumpPath"), gzip_level > 0);
    let request = dump::Request {
        path: &path,
        live: false,
        gzip_level: (gzip_level > 0).then_some(gzip_level),
        overwrite: false,
        out_of_memory: true,
    };
    dump::dump_and_tell(t, &request, &mut |line| crate::vm_out!("{line}"));
}
