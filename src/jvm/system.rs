#![allow(non_snake_case)] // the names are jvm.h's
//! `java.lang.System`, `Runtime`, `Shutdown`, `jdk.internal.misc.VM`: time, properties,
//! arguments, memory, ending the process.

use crate::exceptions::VmResult;
use crate::heap::layout::Oop;
use crate::heap::{self, access, alloc, strings};
use crate::interpreter::call::call_virtual;
use crate::jvm_entry;
use crate::link::load;
use crate::meta::well_known::{method, Known};
use crate::threads::{safepoint, JavaThread};
use std::ffi::{c_char, OsStr};
use std::os::unix::ffi::OsStrExt;
use std::time::{SystemTime, UNIX_EPOCH};

/// Seconds and nanoseconds since 1970.
fn since_epoch() -> (i64, i64) {
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(d) => (d.as_secs() as i64, i64::from(d.subsec_nanos())),
        // A clock set before 1970.
        Err(e) => {
            let nanos = -(e.duration().as_nanos() as i128);
            (nanos.div_euclid(1_000_000_000) as i64, nanos.rem_euclid(1_000_000_000) as i64)
        }
    }
}

/// A String of bytes in the platform's encoding: UTF-8, or Latin-1 where they are not that.
pub(super) fn platform_string(t: &JavaThread, bytes: &[u8]) -> VmResult<Oop> {
    match std::str::from_utf8(bytes) {
        Ok(text) => strings::new(t, text),
        Err(_) => strings::from_latin1(t, bytes),
    }
}

/// A `String[]`.
fn string_array(t: &JavaThread, texts: &[&OsStr]) -> VmResult<Oop> {
    let class = load::array_class(t, Known::String.get())?;
    let array = alloc::array(t, class, texts.len() as i32)?;
    for (i, text) in texts.iter().enumerate() {
        let s = platform_string(t, text.as_bytes())?;
        access::set_array_ref(t, array, i, s);
    }
    Ok(array)
}

/// `System.currentTimeMillis`.
#[no_mangle]
pub extern "C" fn JVM_CurrentTimeMillis(_env: usize, _class: usize) -> i64 {
    let (seconds, nanos) = since_epoch();
    seconds * 1000 + nanos / 1_000_000
}

/// `System.nanoTime`: the monotonic clock.
#[no_mangle]
pub extern "C" fn JVM_NanoTime(_env: usize, _class: usize) -> i64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the clock exists and `now` is writable.
    let e = unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut now) };
    assert!(e == 0, "clock_gettime(CLOCK_MONOTONIC) failed");
    now.tv_sec * 1_000_000_000 + now.tv_nsec
}

/// `VM.getNanoTimeAdjustment`: nanoseconds from `offset_seconds` after 1970 to now; -1 if the
/// offset is further than 2^32 seconds away.
#[no_mangle]
pub extern "C" fn JVM_GetNanoTimeAdjustment(_env: usize, _class: usize, offset_seconds: i64) -> i64 {
    let (seconds, nanos) = since_epoch();
    let difference = seconds.wrapping_sub(offset_seconds);
    if difference >= 1 << 32 || difference <= -(1 << 32) {
        return -1;
    }
    difference * 1_000_000_000 + nanos
}

/// `sun.management.compiler`, shown as `CompilationMXBean.getName`.
const COMPILER_NAME: &str = "HotSpot 64-Bit Tiered Compilers";

jvm_entry! {
    /// `SystemProps.Raw.vmProperties`: keys and values in turn, then null.
    fn JVM_GetProperties(t) -> Oop {
        let options = &crate::vm::get().options;
        let mut texts: Vec<&OsStr> = Vec::new();
        for p in options.properties.iter().filter(|p| p.key != "sun.nio.MaxDirectMemorySize") {
            texts.extend([OsStr::new(&p.key), p.value.as_os_str()]);
        }
        let direct = options.settings.max_direct_memory.to_string();
        if options.settings.max_direct_memory != 0 {
            texts.extend([OsStr::new("sun.nio.MaxDirectMemorySize"), OsStr::new(&direct)]);
        }
        if options.settings.mode != crate::options::ExecutionMode::Interpreted {
            texts.extend([OsStr::new("sun.management.compiler"), OsStr::new(COMPILER_NAME)]);
        }
        let filled = string_array(t, &texts)?;
        let class = load::array_class(t, Known::String.get())?;
        // A null key ends the list.
        let all = alloc::array(t, class, texts.len() as i32 + 2)?;
        access::copy_elements(t, filled, 0, all, 0, texts.len());
        Ok(all)
    }

    /// `VM.getRuntimeArguments`.
    fn JVM_GetVmArguments(t) -> Oop {
        let args: Vec<&OsStr> = crate::vm::get().options.vm_args.iter().map(|a| a.as_os_str()).collect();
        if args.is_empty() {
            return Ok(Oop::NULL);
        }
        string_array(t, &args)
    }

    /// `VMSupport.initAgentProperties`: what attaching tools read.
    fn JVM_InitAgentProperties(t, properties: Oop) -> Oop {
        let options = &crate::vm::get().options;
        let command = options.java_command.clone().unwrap_or_default();
        let args = options.vm_args.join(OsStr::new(" "));
        let put = method(Known::Properties, "put", "(Ljava/lang/Object;Ljava/lang/Object;)Ljava/lang/Object;");
        for (key, value) in [("sun.java.command", command), ("sun.jvm.flags", Default::default()), ("sun.jvm.args", args)] {
            let key = strings::new(t, key)?;
            let value = platform_string(t, value.as_bytes())?;
            call_virtual(t, put, &[properties.address() as u64, key.address() as u64, value.address() as u64])?;
        }
        Ok(properties)
    }

    /// `VMSupport.getVMTemporaryDirectory`.
    fn JVM_GetTemporaryDirectory(t) -> Oop {
        strings::new(t, "/tmp")
    }

    /// `Shutdown.beforeHalt`: there is nothing to be done before the process ends.
    fn JVM_BeforeHalt(_t;) -> () {
        Ok(())
    }

    /// `Shutdown.halt0`.
    fn JVM_Halt(t; code: i32) -> () {
        exit(t, code)
    }

    /// `Runtime.gc`.
    fn JVM_GC(t;) -> () {
        if !crate::vm::get().options.settings.explicit_gc_disabled {
            crate::threads::stale::without_references(t, || heap::collect(t, heap::Cause::SystemGc));
        }
        Ok(())
    }

    /// Milliseconds since the last collection.
    fn JVM_MaxObjectInspectionAge(_t;) -> i64 {
        Ok(heap::refs::millis_since_collection() as i64)
    }

    /// `Runtime.totalMemory`.
    fn JVM_TotalMemory(_t;) -> i64 {
        Ok(heap::total_bytes() as i64)
    }

    /// `Runtime.freeMemory`.
    fn JVM_FreeMemory(_t;) -> i64 {
        Ok(heap::free_bytes() as i64)
    }

    /// `Runtime.maxMemory`.
    fn JVM_MaxMemory(_t;) -> i64 {
        Ok(heap::max_bytes() as i64)
    }

    /// `Runtime.availableProcessors`.
    fn JVM_ActiveProcessorCount(_t;) -> i32 {
        Ok(crate::vm::get().options.settings.processors as i32)
    }

    /// Whether `-XX:+UseContainerSupport`: the class library reads container metrics then.
    fn JVM_IsUseContainerSupport(_t;) -> bool {
        Ok(crate::vm::get().options.flags.bool("UseContainerSupport"))
    }
}

/// Ends the process with all Java threads standing, so that none runs into libraries being torn
/// down.
pub fn exit(t: &JavaThread, code: i32) -> ! {
    safepoint::stop_the_world(t, "Exit", |_| {
        crate::vm::shutdown::before_exit();
        crate::jni::invocation::leave_by_exit(t);
        // Java threads stand, natives that come back will.
        crate::os::console::exit(code)
    })
}

/// The natives' stat structures and paths need no conversion on Linux.
///
/// # Safety
/// `path` is not looked at.
#[no_mangle]
pub unsafe extern "C" fn JVM_NativePath(path: *mut c_char) -> *mut c_char {
    path
}

/// JNI versions that the VM supports: 1.1 to 10 (JDK 17 has no newer).
#[no_mangle]
pub extern "C" fn JVM_IsSupportedJNIVersion(version: i32) -> u8 {
    u8::from(matches!(version, 0x1_0001 | 0x1_0002 | 0x1_0004 | 0x1_0006 | 0x1_0008 | 0x9_0000 | 0xa_0000))
}

/// `AtomicLong.VMSupportsCS8`.
#[no_mangle]
pub extern "C" fn JVM_SupportsCX8() -> u8 {
    1
}
