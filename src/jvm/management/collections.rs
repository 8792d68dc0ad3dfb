//! `com.sun.management.GarbageCollectorMXBean`: the last collection (`GcInfo`), and notifications of collections.

use super::memory::{self, COUNT, POOLS};
use super::{jmm_entry, notifier};
use crate::exceptions::{throw, VmResult};
use crate::heap::access::set_array_ref;
use crate::heap::layout::{BasicType, Oop};
use crate::heap::log::{self, Record, Sizes};
use crate::heap::roots::Handle;
use crate::heap::{alloc, strings};
use crate::interpreter::call::{call, call_virtual};
use crate::jni::refs;
use crate::jvm::boxing::box_value;
use crate::jvm::entry::Handle as JniHandle;
use crate::link::load;
use crate::meta::method::MethodRef;
use crate::meta::symbol::Symbol;
use crate::meta::well_known::Known;
use crate::threads::JavaThread;
use std::ffi::{c_char, c_void};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// `jmmExtAttributeInfo`.
#[repr(C)]
struct AttributeInfo {
    name: *const c_char,
    ty: c_char,
    description: *const c_char,
}

/// `jmmGCStat`.
#[repr(C)]
struct GcStat {
    number: i64,
    start: i64,
    end: i64,
    before: JniHandle,
    after: JniHandle,
    values_size: i32,
    /// An array of `jvalue`.
    values: *mut u64,
    values_filled: i32,
}

/// Whether anybody listens to notifications.
static LISTENED: AtomicBool = AtomicBool::new(false);

/// At the end of a collection's pause.
pub(super) fn collected(record: &Record) {
    if LISTENED.load(Ordering::Relaxed) {
        notifier::tell_of(record);
    }
}

/// Puts the `MemoryUsage`s of all pools into an array of them.
fn fill(t: &JavaThread, array: &Handle, sizes: &Sizes) -> VmResult<()> {
    for (i, pool) in POOLS.into_iter().enumerate() {
        let usage = memory::usage_object(t, &pool.usage_of(sizes))?;
        set_array_ref(t, array.get(), i, usage);
    }
    Ok(())
}

/// The same, into a new array.
fn usages(t: &JavaThread, sizes: &Sizes) -> VmResult<Handle> {
    let class = memory::class(t, "java/lang/management/MemoryUsage")?;
    let array = Handle::new(alloc::array(t, load::array_class(t, class)?, COUNT as i32)?);
    fill(t, &array, sizes)?;
    Ok(array)
}

fn method(t: &JavaThread, class: &str, name: &str, descriptor: &str) -> VmResult<MethodRef> {
    let found = memory::class(t, class)?.find_declared(Symbol::of(name), Symbol::of(descriptor));
    Ok(found.unwrap_or_else(|| panic!("{class}.{name}{descriptor} is not in this class library (JDK 17 is needed)")))
}

const BEAN: &str = "com/sun/management/internal/GarbageCollectorExtImpl";

/// The `com.sun.management.GcInfo` of a collection.
fn gc_info(t: &JavaThread, bean: &Handle, record: &Record) -> VmResult<Handle> {
    let builder = method(t, BEAN, "getGcInfoBuilder", "()Lcom/sun/management/internal/GcInfoBuilder;")?;
    let builder = call(t, builder, &[bean.get().address() as u64])?;
    let builder = Handle::new(Oop::from_address(builder as usize));
    let (before, after) = (usages(t, &record.before)?, usages(t, &record.after)?);
    let extra = Handle::new(alloc::array(t, load::array_class(t, Known::Object.get())?, 1)?);
    let threads = box_value(t, BasicType::Int, log::workers() as u64)?;
    set_array_ref(t, extra.get(), 0, threads);
    let descriptor = "(Lcom/sun/management/internal/GcInfoBuilder;JJJ[Ljava/lang/management/MemoryUsage;\
                      [Ljava/lang/management/MemoryUsage;[Ljava/lang/Object;)V";
    let init = method(t, "com/sun/management/GcInfo", "<init>", descriptor)?;
    let info = Handle::new(alloc::instance(t, init.class())?);
    let object = |h: &Handle| h.get().address() as u64;
    let (start, end) = (record.start.as_millis() as u64, record.end.as_millis() as u64);
    let args = [
        object(&info),
        object(&builder),
        record.number,
        0,
        start,
        0,
        end,
        0,
        object(&before),
        object(&after),
        object(&extra),
    ];
    call(t, init, &args)?;
    Ok(info)
}

/// Tells the listeners of a collection. On the Notification Thread.
pub(super) fn notify(t: &JavaThread, record: &Record) -> VmResult<()> {
    let Some(bean) = memory::collector() else { return Ok(()) };
    let bean = Handle::new(bean);
    // jdk.management may be missing from the image: nobody can listen then.
    let create = method(
        t,
        BEAN,
        "createGCNotification",
        "(JLjava/lang/String;Ljava/lang/String;Ljava/lang/String;Lcom/sun/management/GcInfo;)V",
    )?;
    let info = gc_info(t, &bean, record)?;
    let action = if record.nursery { "end of minor GC" } else { "end of major GC" };
    let mut texts = Vec::with_capacity(3);
    for text in [memory::collector_name(), action, record.cause.name()] {
        texts.push(Handle::new(strings::new(t, text)?));
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as u64;
    let object = |h: &Handle| h.get().address() as u64;
    let args =
        [object(&bean), now, 0, object(&texts[0]), object(&texts[1]), object(&texts[2]), object(&info)];
    call_virtual(t, create, &args).map(drop)
}

jmm_entry! {
    /// The collector's attributes beyond the standard ones.
    fn get_gc_ext_attribute_info(t, _manager: Oop, info: *mut c_void, count: i32) -> i32 {
        if count == 0 {
            return Ok(0);
        }
        if info.is_null() {
            return Err(throw(t, "java/lang/NullPointerException", None));
        }
        (info as *mut AttributeInfo).write(AttributeInfo {
            name: c"GcThreadCount".as_ptr(),
            ty: b'I' as c_char,
            description: c"Number of GC threads".as_ptr(),
        });
        Ok(1)
    }

    /// Fills in a `jmmGCStat` for the last collection; its number is 0 if there has been none.
    fn get_last_gc_stat(t, _manager: Oop, out: *mut c_void) -> () {
        let out = out as *mut GcStat;
        if (*out).values_size > 0 && (*out).values.is_null() {
            return Err(throw(t, "java/lang/NullPointerException", None));
        }
        let Some(record) = log::last() else {
            (*out).number = 0;
            return Ok(());
        };
        (*out).number = record.number as i64;
        (*out).start = record.start.as_millis() as i64;
        (*out).end = record.end.as_millis() as i64;
        for (array, sizes) in [((*out).before, &record.before), ((*out).after, &record.after)] {
            let array = refs::resolve(array);
            if array.is_null() {
                return Err(throw(t, "java/lang/NullPointerException", None));
            }
            if array.array_length() != COUNT {
                return Err(throw(t, "java/lang/IllegalArgumentException", Some("The length of the given array is wrong".into())));
            }
            fill(t, &Handle::new(array), sizes)?;
        }
        (*out).values_filled = 0;
        if (*out).values_size > 0 {
            // A jvalue's int.
            ((*out).values as *mut i32).write(log::workers() as i32);
        }
        Ok(())
    }

    fn set_gc_notification_enabled(t, _manager: Oop, on: bool) -> () {
        if on {
            notifier::start(t)?;
            log::observe(super::collection_ended);
        }
        LISTENED.store(on, Ordering::Relaxed);
        Ok(())
    }
}
