//! Reference processing without Java: weak, final, phantom and soft references, JNI weak slots
//! and monitors, after collections of each plan. One process per plan, as in heap_stress.rs.

mod heap_support;

use heap_support::{class, class_with, FieldSpec};
use jvm::heap::layout::{BasicType, Oop};
use jvm::heap::mmtk_binding::{collections, last_collection_was_nursery};
use jvm::heap::{access, alloc, refs, roots, HeapConfig, Plan};
use jvm::meta::class::{Class, ClassRef, InstanceKind, OopMapBlock, ReferenceKind};
use jvm::meta::well_known::{Known, KnownField};
use jvm::threads::{lifecycle, monitor, JavaThread};
use std::hint::black_box;

const PLANS: [(&str, Plan); 3] =
    [("sticky", Plan::StickyImmix), ("defrag", Plan::ImmixDefrag), ("marksweep", Plan::MarkSweep)];
const N: usize = 3000;
/// Objects that stale words on the stack may keep alive.
const SLACK: usize = 8;

const REFERENT: usize = 8;
const NEXT: usize = 16;
const DISCOVERED: usize = 20;
const VALUE: usize = 8;

#[test]
fn references_are_processed_in_order_with_every_plan() {
    if let Ok(name) = std::env::var("KILN_REFERENCES_PLAN") {
        return child(PLANS.iter().find(|p| p.0 == name).expect("a plan's name").1);
    }
    for (name, _) in PLANS {
        let status = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "references_are_processed_in_order_with_every_plan", "--nocapture"])
            .env("KILN_REFERENCES_PLAN", name)
            .status()
            .unwrap();
        assert!(status.success(), "plan {name}: {status}");
    }
}

struct Classes {
    value: ClassRef,
    refs: ClassRef,
    kinds: [ClassRef; 4],
}

const WEAK: usize = 0;
const FINAL: usize = 1;
const PHANTOM: usize = 2;
const SOFT: usize = 3;

fn classes() -> Classes {
    const FIELDS: [FieldSpec; 4] = [
        ("referent", "Ljava/lang/Object;", BasicType::Object, REFERENT as u32),
        ("queue", "Ljava/lang/ref/ReferenceQueue;", BasicType::Object, 12),
        ("next", "Ljava/lang/ref/Reference;", BasicType::Object, NEXT as u32),
        ("discovered", "Ljava/lang/ref/Reference;", BasicType::Object, DISCOVERED as u32),
    ];
    let map = [OopMapBlock { offset: 8, count: 4 }];
    let make = |name: &str, kind| class_with(name, 24, InstanceKind::Reference, kind, &map, &FIELDS);
    Known::Reference.set(make("java/lang/ref/Reference", ReferenceKind::None));
    KnownField::resolve_all_of(Known::Reference).unwrap();
    Classes {
        value: class("Value", 16, InstanceKind::Plain, &[]),
        refs: class("[LReference;", Class::array_layout(BasicType::Object), InstanceKind::ObjectArray, &[]),
        kinds: [
            make("W", ReferenceKind::Weak),
            make("F", ReferenceKind::Final),
            make("P", ReferenceKind::Phantom),
            make("S", ReferenceKind::Soft),
        ],
    }
}

fn child(plan: Plan) {
    let config = HeapConfig { max: 64 << 20, initial: 64 << 20, plan, gc_threads: Some(2), ..HeapConfig::default() };
    jvm::heap::init(&config).unwrap();
    let classes = classes();
    let t = lifecycle::attach(false).unwrap();
    exercise(t, &classes);
    lifecycle::detach(t);
    println!("{plan:?}: {} collections", collections());
}

/// Roots: references by kind and number, and the referents held strongly.
struct Held {
    refs: [roots::Handle; 4],
    strong: roots::Handle,
    weak_slots: Vec<&'static roots::WeakSlot>,
}

#[inline(never)]
fn scrub() {
    black_box([0usize; 2048]);
}

/// Value `i` has a weak, phantom and soft reference and a weak slot, a final one if `i` is odd,
/// and is held strongly if `i` is a multiple of 3. Soft references hold values of their own.
#[inline(never)]
fn make(t: &JavaThread, c: &Classes) -> Held {
    let array = || roots::Handle::new(alloc::array(t, c.refs, N as i32).unwrap());
    let mut held = Held { refs: [array(), array(), array(), array()], strong: array(), weak_slots: Vec::new() };
    for i in 0..N {
        let value = alloc::instance(t, c.value).unwrap();
        access::store(value, VALUE, i as u64);
        for kind in [WEAK, FINAL, PHANTOM, SOFT] {
            if kind == FINAL && i % 2 == 0 {
                continue;
            }
            let referent = if kind == SOFT {
                let own = alloc::instance(t, c.value).unwrap();
                access::store(own, VALUE, i as u64);
                own
            } else {
                value
            };
            let r = alloc::instance(t, c.kinds[kind]).unwrap();
            access::store_ref(t, r, REFERENT, referent);
            access::set_array_ref(t, held.refs[kind].get(), i, r);
        }
        held.weak_slots.push(roots::new_weak(value));
        if i % 3 == 0 {
            access::set_array_ref(t, held.strong.get(), i, value);
        } else if i % 30 == 1 {
            // Inflates; the monitor must go with the object.
            monitor::enter(t, value).unwrap();
            monitor::wait(t, value, 1).unwrap();
            monitor::exit(t, value).unwrap();
        }
    }
    held
}

/// Cleared references of a kind; live referents must have the right content.
#[inline(never)]
fn cleared(held: &Held, kind: usize) -> usize {
    let mut n = 0;
    for i in 0..N {
        let r = access::array_ref(held.refs[kind].get(), i);
        if r.is_null() {
            continue;
        }
        let x = access::load_ref(r, REFERENT);
        if x.is_null() {
            n += 1;
        } else {
            assert_eq!(access::load::<u64>(x, VALUE), i as u64, "referent of kind {kind}");
        }
    }
    n
}

/// Empties the pending list as the ReferenceHandler thread does; per kind, how many. Final
/// references are "finalized": cleared.
#[inline(never)]
fn drain(t: &JavaThread, c: &Classes) -> [usize; 4] {
    let mut n = [0; 4];
    let mut r = refs::take_pending(t);
    while !r.is_null() {
        let kind = c.kinds.iter().position(|k| k.word() == r.class_word()).expect("a reference class");
        n[kind] += 1;
        if kind == FINAL {
            assert!(access::load_ref(r, NEXT) == r, "an enqueued final reference is inactive");
            assert!(!access::load_ref(r, REFERENT).is_null(), "finalizers see their object");
            refs::clear(r);
        }
        let next = access::load_ref(r, DISCOVERED);
        access::store_ref(t, r, DISCOVERED, Oop::NULL);
        r = next;
    }
    assert!(!refs::has_pending());
    n
}

fn assert_about(what: &str, actual: usize, expected: usize) {
    assert!(actual <= expected && actual + SLACK >= expected, "{what}: {actual} instead of {expected}");
}

#[inline(never)]
fn exercise(t: &JavaThread, c: &Classes) {
    let held = make(t, c);
    let monitors = monitor::inflated_count();
    assert_eq!(monitors, N / 30);
    scrub();
    jvm::heap::collect(t, jvm::heap::Cause::SystemGc);
    assert!(!last_collection_was_nursery(), "System.gc is a full collection");
    let dead = N - N / 3;
    let dead_final = (0..N).filter(|i| i % 2 == 1 && i % 3 != 0).count();
    let first = drain(t, c);
    assert_about("weak references enqueued", first[WEAK], dead);
    assert_eq!(cleared(&held, WEAK), first[WEAK]);
    assert_about("final references enqueued", first[FINAL], dead_final);
    assert_about("phantom references enqueued", first[PHANTOM], dead - dead_final);
    assert_eq!(cleared(&held, PHANTOM), first[PHANTOM], "finalizable objects are not phantom reachable");
    assert_eq!((first[SOFT], cleared(&held, SOFT)), (0, 0), "memory is plenty");
    let gone = held.weak_slots.iter().filter(|w| w.get().is_null()).count();
    assert_eq!(gone, first[PHANTOM], "weak slots are cleared after finalization");

    scrub();
    jvm::heap::collect(t, jvm::heap::Cause::SystemGc);
    let second = drain(t, c);
    assert_eq!(second[FINAL], 0, "finalizers run once");
    assert_about("phantom references after finalization", first[PHANTOM] + second[PHANTOM], dead);
    assert_about("monitors freed", monitors - monitor::inflated_count(), N / 30);
    for (i, w) in held.weak_slots.iter().enumerate() {
        if i % 3 == 0 {
            assert_eq!(access::load::<u64>(w.get(), VALUE), i as u64, "weak slot {i}");
        }
    }
    // Old references to old objects stay as they are through collections of the young.
    let strong: Vec<u64> = (0..N)
        .step_by(3)
        .map(|i| access::load::<u64>(access::array_ref(held.strong.get(), i), VALUE))
        .collect();
    assert!(strong.iter().copied().eq((0..N as u64).step_by(3)));
}
