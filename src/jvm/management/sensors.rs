//! Thresholds of memory pools: who has registered a `sun.management.Sensor` is told when usage crosses one.
//!
//! A usage threshold is compared when a collection ends, when it is set and, for the heap, whenever a thread gets new
//! memory to allocate from; a collection usage threshold when a collection ends. The sensor is triggered by the
//! Notification Thread.

use super::memory::{self, Pool, Usage, COUNT, POOLS};
use super::notifier;
use crate::exceptions::VmResult;
use crate::heap::layout::Oop;
use crate::heap::log::{self, Record};
use crate::heap::roots::{self, RootSlot};
use crate::interpreter::call::call_virtual;
use crate::meta::class::ClassRef;
use crate::meta::symbol::Symbol;
use crate::threads::JavaThread;
use parking_lot::Mutex;

/// `jmmThresholdType`.
const USAGE_HIGH: i32 = 901;
const USAGE_LOW: i32 = 902;
const COLLECTION_HIGH: i32 = 903;
const COLLECTION_LOW: i32 = 904;

/// One threshold and who is told about it. Between low and high nothing changes; 0 is none.
struct Sensor {
    high: usize,
    low: usize,
    object: Option<&'static RootSlot>,
    /// What the Java object says.
    on: bool,
    /// What it is still to be told.
    triggers: i32,
    clears: i32,
    /// When it was last triggered.
    usage: Usage,
}

impl Sensor {
    const NEW: Sensor = Sensor { high: 0, low: 0, object: None, on: false, triggers: 0, clears: 0, usage: Usage::NONE };

    fn is_over(&self, u: &Usage) -> bool {
        self.high > 0 && u.used >= self.high
    }

    fn is_under(&self, u: &Usage) -> bool {
        self.low > 0 && u.used < self.low
    }

    /// A usage threshold: the sensor tells of each crossing once.
    fn level(&mut self, u: Usage) {
        if self.is_over(&u) {
            if !self.on && self.triggers == 0 || self.clears > 0 {
                self.triggers += 1;
                self.usage = u;
                self.clears = 0;
            }
        } else if self.is_under(&u) && self.clears == 0 && (self.on || self.triggers > 0) {
            self.clears += 1;
        }
    }

    /// A collection usage threshold: it tells of every collection that leaves more.
    fn count(&mut self, u: Usage) {
        if self.is_over(&u) {
            self.triggers += 1;
            self.usage = u;
            self.clears = 0;
        } else if self.is_under(&u) && (self.on || self.triggers > 0) {
            self.clears += 1;
        }
    }

    fn is_due(&self) -> bool {
        self.triggers > 0 || self.clears > 0
    }
}

/// Usage and collection usage, by pool. Held for a moment only, also in pauses.
static SENSORS: Mutex<[[Sensor; 2]; COUNT]> = Mutex::new([const { [Sensor::NEW; 2] }; COUNT]);

/// Which of a pool's sensors.
fn index(kind: i32) -> usize {
    usize::from(matches!(kind, COLLECTION_HIGH | COLLECTION_LOW))
}

/// Registers the Java sensor of a pool's threshold.
pub(super) fn set_object(t: &JavaThread, pool: Pool, kind: i32, sensor: Oop) -> VmResult<()> {
    notifier::start(t)?;
    let slot = roots::new_slot(sensor);
    let before = SENSORS.lock()[pool as usize][index(kind)].object.replace(slot);
    if let Some(before) = before {
        before.set(Oop::NULL);
    }
    log::observe(super::collection_ended);
    Ok(())
}

/// Sets a threshold; the one before, -1 where there can be none.
pub(super) fn set_threshold(pool: Pool, kind: i32, bytes: usize) -> i64 {
    if index(kind) == 1 && pool != Pool::Heap {
        return -1;
    }
    let mut sensors = SENSORS.lock();
    let sensor = &mut sensors[pool as usize][index(kind)];
    let field = match kind {
        USAGE_HIGH | COLLECTION_HIGH => &mut sensor.high,
        USAGE_LOW | COLLECTION_LOW => &mut sensor.low,
        _ => return -1,
    };
    let before = std::mem::replace(field, bytes);
    let watched = sensors[Pool::Heap as usize][0].high > 0;
    drop(sensors);
    log::set_usage_watcher(watched, heap_used);
    if index(kind) == 0 && before != bytes {
        compare(pool, pool.usage());
    }
    before as i64
}

/// A thread has got memory to allocate from.
fn heap_used() {
    compare(Pool::Heap, Pool::Heap.usage());
}

fn compare(pool: Pool, usage: Usage) {
    let mut sensors = SENSORS.lock();
    let sensor = &mut sensors[pool as usize][0];
    sensor.level(usage);
    let due = sensor.is_due();
    drop(sensors);
    if due {
        notifier::wake();
    }
}

/// At the end of a collection's pause.
pub(super) fn collected(record: &Record) {
    let mut sensors = SENSORS.lock();
    let mut due = false;
    for pool in POOLS {
        let usage = pool.usage_of(&record.after);
        let [level, after] = &mut sensors[pool as usize];
        level.level(usage);
        if pool == Pool::Heap {
            after.count(usage);
        }
        due |= level.is_due() || after.is_due();
    }
    drop(sensors);
    if due {
        notifier::wake();
    }
}

/// Whether a sensor is to be told something.
pub(super) fn are_due() -> bool {
    SENSORS.lock().iter().flatten().any(|s| s.is_due())
}

/// Tells the sensors. On the Notification Thread; what they throw is dropped.
pub(super) fn tell_all(t: &JavaThread) {
    for pool in 0..COUNT {
        for kind in 0..2 {
            if tell(t, pool, kind).is_err() {
                t.take_exception();
            }
        }
    }
}

fn tell(t: &JavaThread, pool: usize, kind: usize) -> VmResult<()> {
    let (object, triggers, cleared, usage) = {
        let mut sensors = SENSORS.lock();
        let s = &mut sensors[pool][kind];
        if !s.is_due() {
            return Ok(());
        }
        let cleared = std::mem::take(&mut s.clears) > 0;
        s.on = !cleared;
        (s.object, std::mem::take(&mut s.triggers), cleared, s.usage)
    };
    let Some(sensor) = object.map(|o| o.get()).filter(|o| !o.is_null()) else { return Ok(()) };
    let class = memory::class(t, "sun/management/Sensor")?;
    if cleared {
        let clear = method(class, "clear", "(I)V");
        return call_virtual(t, clear, &[sensor.address() as u64, triggers as u32 as u64]).map(drop);
    }
    let trigger = method(class, "trigger", "(ILjava/lang/management/MemoryUsage;)V");
    let usage = memory::usage_object(t, &usage)?;
    call_virtual(t, trigger, &[sensor.address() as u64, triggers as u32 as u64, usage.address() as u64]).map(drop)
}

fn method(class: ClassRef, name: &str, descriptor: &str) -> crate::meta::method::MethodRef {
    class
        .find_declared(Symbol::of(name), Symbol::of(descriptor))
        .unwrap_or_else(|| panic!("{class}.{name}{descriptor} is not in this class library (JDK 17 is needed)"))
}
