//! `jdk.internal.perf.Perf`: performance counters as direct buffers over the VM's memory, and that of others.

use super::unsafe_access::{reference, slot};
use crate::exceptions::{throw, VmResult};
use crate::heap::alloc;
use crate::heap::{access, strings};
use crate::link::init;
use crate::meta::well_known::{method, Known, KnownField};
use crate::observe::perf_data::{self, Kind};
use crate::threads::JavaThread;
use parking_lot::Mutex;
use std::sync::OnceLock;
use std::time::Instant;

/// `PerfData::Units`: U_None is the first, U_Hertz the last, U_String in between.
const UNITS: std::ops::RangeInclusive<i32> = 1..=6;
const UNITS_STRING: i32 = 5;
/// `PerfData::Variability`.
const CONSTANT: i32 = 1;
const MONOTONIC: i32 = 2;
const VARIABLE: i32 = 3;

fn illegal_argument(t: &JavaThread, message: Option<&str>) -> crate::exceptions::Thrown {
    throw(t, "java/lang/IllegalArgumentException", message.map(String::from))
}

/// A direct ByteBuffer over memory that stays.
fn direct_buffer(t: &JavaThread, address: usize, bytes: usize) -> VmResult<u64> {
    let class = Known::DirectByteBuffer.get();
    init::initialize(t, class)?;
    let buffer = alloc::instance(t, class)?;
    let init = method(Known::DirectByteBuffer, "<init>", "(JI)V");
    let object = buffer.address() as u64;
    crate::interpreter::call::call(t, init, &[object, address as u64, 0, bytes as u64])?;
    Ok(object)
}

/// Buffers that [`attach`] has made: their addresses and sizes.
static ATTACHED: Mutex<Vec<(usize, usize)>> = Mutex::new(Vec::new());

/// `attach(String user, int lvmid, int mode)`: another VM's memory. It can only be read.
fn attach(t: &JavaThread, args: *const u64) -> VmResult<u64> {
    // SAFETY: the parameters as above.
    let (user, vmid, mode) = unsafe { (reference(args, 1), slot(args, 2) as i32, slot(args, 3) as i32) };
    match mode {
        0 => {}
        // PERF_MODE_RW
        1 => return Err(illegal_argument(t, Some("Unsupported access mode"))),
        _ => return Err(illegal_argument(t, None)),
    }
    let user = user.non_null().map(strings::to_rust);
    match perf_data::attach(user.as_deref(), vmid) {
        Ok((address, bytes)) => {
            ATTACHED.lock().push((address, bytes));
            direct_buffer(t, address, bytes)
        }
        Err(e) if user.is_none() && e.raw_os_error().is_none() => Err(illegal_argument(t, Some(&e.to_string()))),
        Err(e) => Err(throw(t, "java/io/IOException", Some(e.to_string()))),
    }
}

/// `detach(ByteBuffer)`.
fn detach(t: &JavaThread, args: *const u64) -> VmResult<u64> {
    // SAFETY: (ByteBuffer).
    let buffer = unsafe { reference(args, 1) };
    if buffer.is_null() {
        return Err(throw(t, "java/lang/NullPointerException", None));
    }
    let address = access::load::<i64>(buffer, KnownField::BufferAddress.offset()) as usize;
    let mut attached = ATTACHED.lock();
    match attached.iter().position(|b| b.0 == address) {
        Some(i) => {
            let (address, bytes) = attached.swap_remove(i);
            // SAFETY: Java code detaches a buffer when nothing refers to it any more.
            unsafe { perf_data::detach(address, bytes) };
            Ok(0)
        }
        None => {
            drop(attached);
            let m = "jdk.internal.perf.Perf.detach: the buffer was not attached".to_string();
            Err(throw(t, "java/lang/IllegalArgumentException", Some(m)))
        }
    }
}

fn create_long(t: &JavaThread, args: *const u64) -> VmResult<u64> {
    // SAFETY: (String, int, int, long).
    let (name, variability, units, value) =
        unsafe { (reference(args, 1), slot(args, 2) as i32, slot(args, 3) as i32, slot(args, 4)) };
    if name.is_null() {
        return Err(throw(t, "java/lang/NullPointerException", None));
    }
    if !UNITS.contains(&units) || !(CONSTANT..=VARIABLE).contains(&variability) {
        return Err(illegal_argument(t, None));
    }
    match perf_data::create(&strings::to_mutf8(name), Kind::Long, units as u8, variability as u8) {
        Some(address) => {
            // SAFETY: eight fresh bytes.
            unsafe { *(address as *mut u64) = value };
            direct_buffer(t, address, 8)
        }
        None => Err(illegal_argument(t, Some("PerfLong name already exists"))),
    }
}

/// `createByteArray(String name, int variability, int units, byte[] value, int maxLength)`.
fn create_byte_array(t: &JavaThread, args: *const u64) -> VmResult<u64> {
    // SAFETY: the parameters as above.
    let (name, variability, units, value, max) = unsafe {
        (
            reference(args, 1),
            slot(args, 2) as i32,
            slot(args, 3) as i32,
            reference(args, 4),
            slot(args, 5) as i32,
        )
    };
    if name.is_null() || value.is_null() {
        return Err(throw(t, "java/lang/NullPointerException", None));
    }
    if variability == MONOTONIC || !(CONSTANT..=VARIABLE).contains(&variability) || units != UNITS_STRING {
        return Err(illegal_argument(t, None));
    }
    // SAFETY: copied at once.
    let text = unsafe { access::bytes(value) }.to_vec();
    let max = if variability == CONSTANT { text.len() } else { usize::try_from(max).unwrap_or(0).max(text.len()) };
    let kind = Kind::Text(max + 1);
    match perf_data::create(&strings::to_mutf8(name), kind, units as u8, variability as u8) {
        Some(address) => {
            // SAFETY: max + 1 fresh bytes, and `text` is no longer than `max`.
            unsafe { std::ptr::copy_nonoverlapping(text.as_ptr(), address as *mut u8, text.len()) };
            direct_buffer(t, address, max + 1)
        }
        None => Err(illegal_argument(t, Some("PerfByteArray name already exists"))),
    }
}

/// Nanoseconds since the first call.
fn high_res_counter(_t: &JavaThread, _args: *const u64) -> VmResult<u64> {
    static START: OnceLock<Instant> = OnceLock::new();
    Ok(START.get_or_init(Instant::now).elapsed().as_nanos() as u64)
}

/// Ticks per second.
fn high_res_frequency(_t: &JavaThread, _args: *const u64) -> VmResult<u64> {
    Ok(1_000_000_000)
}

/// The natives of this file.
pub(super) const TABLE: super::ClassNatives = (
    "jdk/internal/perf/Perf",
    &[
        ("registerNatives", "()V", super::register_natives),
        ("attach", "(Ljava/lang/String;II)Ljava/nio/ByteBuffer;", attach),
        ("detach", "(Ljava/nio/ByteBuffer;)V", detach),
        ("createLong", "(Ljava/lang/String;IIJ)Ljava/nio/ByteBuffer;", create_long),
        ("createByteArray", "(Ljava/lang/String;II[BI)Ljava/nio/ByteBuffer;", create_byte_array),
        ("highResCounter", "()J", high_res_counter),
        ("highResFrequency", "()J", high_res_frequency),
    ],
);
