//! The heap without Java: threads that allocate, link, lock and hash objects of made-up classes
//! while every few kilobytes of allocation cause a collection. What they hold in locals (wide,
//! as an interior pointer, narrow), in root slots and in old objects must keep its content;
//! identity hashes, monitors and weak slots must survive moving.
//!
//! Each plan needs a process of its own: the test starts itself again with KILN_STRESS_PLAN set.

mod heap_support;

use heap_support::class;
use jvm::heap::layout::{narrow, widen, BasicType, Oop};
use jvm::heap::mmtk_binding::collections;
use jvm::heap::{access, alloc, roots, HeapConfig, Plan};
use jvm::meta::class::{Class, ClassRef, InstanceKind, OopMapBlock};
use jvm::threads::{lifecycle, monitor, safepoint, JavaThread};
use std::hint::black_box;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::OnceLock;

const PLANS: [(&str, Plan); 3] =
    [("sticky", Plan::StickyImmix), ("defrag", Plan::ImmixDefrag), ("marksweep", Plan::MarkSweep)];

#[test]
fn objects_survive_stress_collections_with_every_plan() {
    if let Ok(name) = std::env::var("KILN_STRESS_PLAN") {
        let plan = PLANS.iter().find(|p| p.0 == name).expect("a plan's name").1;
        return child(plan);
    }
    for (name, _) in PLANS {
        let status = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "objects_survive_stress_collections_with_every_plan", "--nocapture"])
            .env("KILN_STRESS_PLAN", name)
            .status()
            .unwrap();
        assert!(status.success(), "plan {name}: {status}");
    }
}

fn child(plan: Plan) {
    let stress = std::env::var("KILN_STRESS_BYTES").map_or(64 << 10, |s| s.parse().unwrap());
    let rounds = std::env::var("KILN_STRESS_ROUNDS").map_or(2000, |s| s.parse().unwrap());
    let config = HeapConfig {
        max: 64 << 20,
        initial: 64 << 20,
        plan,
        gc_threads: Some(2),
        stress_bytes: Some(stress),
        ..HeapConfig::default()
    };
    jvm::heap::init(&config).unwrap();
    let shared = Shared::new();
    let workers: Vec<_> = (0..WORKERS as u64)
        .map(|i| std::thread::Builder::new().stack_size(4 << 20).spawn(move || worker(shared, i, rounds)).unwrap())
        .collect();
    for w in workers {
        w.join().unwrap();
    }
    assert_eq!(shared.counter.load(Ordering::Relaxed), WORKERS * rounds, "increments under the shared monitor");
    assert_eq!(shared.turns.load(Ordering::Relaxed), 0, "nobody is inside");
    let handshakes: usize = shared.handshakes.iter().map(|h| h.load(Ordering::Relaxed)).sum();
    assert!(handshakes > rounds / 16, "only {handshakes} handshakes");
    println!("{plan:?}: {handshakes} handshakes, {} collections, {} inflated monitors", collections(), monitor::inflated_count());
    assert!(collections() > 50, "only {} collections", collections());
}

/// What all workers use.
struct Shared {
    node: ClassRef,
    refs: ClassRef,
    bytes: ClassRef,
    lock: OnceLock<&'static roots::RootSlot>,
    counter: AtomicUsize,
    turns: AtomicUsize,
    /// Addresses of the workers' threads (what `eetop` holds), and handshakes with each.
    threads: [AtomicUsize; WORKERS],
    handshakes: [AtomicUsize; WORKERS],
}

const WORKERS: usize = 3;

impl Shared {
    fn new() -> &'static Shared {
        // A node: left @8, right @12, value @16.
        let node = class("Node", 24, InstanceKind::Plain, &[OopMapBlock { offset: 8, count: 2 }]);
        let refs = class("[LNode;", Class::array_layout(BasicType::Object), InstanceKind::ObjectArray, &[]);
        let bytes = class("[B", Class::array_layout(BasicType::Byte), InstanceKind::PrimitiveArray, &[]);
        Box::leak(Box::new(Shared {
            node,
            refs,
            bytes,
            lock: OnceLock::new(),
            counter: AtomicUsize::new(0),
            turns: AtomicUsize::new(0),
            threads: Default::default(),
            handshakes: Default::default(),
        }))
    }
}

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
    fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }
}

const LEFT: usize = 8;
const RIGHT: usize = 12;
const VALUE: usize = 16;

/// A tree of `depth` levels with random values; `sum` takes them in order of creation.
fn build(t: &JavaThread, s: &Shared, depth: u64, r: &mut Random, sum: &mut u64) -> Oop {
    if depth == 0 {
        return Oop::NULL;
    }
    let left = build(t, s, depth - 1, r, sum);
    let node = alloc::instance(t, s.node).unwrap();
    let value = r.next();
    *sum = sum.wrapping_mul(31).wrapping_add(value);
    access::store(node, VALUE, value);
    let right = build(t, s, depth - 1, r, sum);
    access::store_ref(t, node, LEFT, left);
    access::store_ref(t, node, RIGHT, right);
    node
}

fn check(s: &Shared, node: Oop, sum: &mut u64) -> usize {
    if node.is_null() {
        return 0;
    }
    assert_eq!(node.class_word(), s.node.word(), "class word of {node:?}");
    let n = check(s, access::load_ref(node, LEFT), sum);
    *sum = sum.wrapping_mul(31).wrapping_add(access::load::<u64>(node, VALUE));
    n + 1 + check(s, access::load_ref(node, RIGHT), sum)
}

fn assert_tree(s: &Shared, root: Oop, depth: u64, expected: u64, what: &str) {
    let mut sum = 0;
    assert_eq!(check(s, root, &mut sum), (1usize << depth) - 1, "{what}: nodes");
    assert_eq!(sum, expected, "{what}: values");
}

/// Address of an element of a fresh byte[]; nothing else refers to it.
#[inline(never)]
fn interior(t: &JavaThread, s: &Shared, length: usize, at: usize, seed: u8) -> usize {
    let a = alloc::array(t, s.bytes, length as i32).unwrap();
    for i in 0..length {
        access::store::<u8>(a, 16 + i, seed.wrapping_add(i as u8));
    }
    a.address() + 16 + at
}

#[inline(never)]
fn narrow_tree(t: &JavaThread, s: &Shared, r: &mut Random, sum: &mut u64) -> u32 {
    narrow(build(t, s, 5, r, sum).address())
}

/// Overwrites the dead part of the stack.
#[inline(never)]
fn scrub() {
    black_box([0usize; 512]);
}

fn worker(s: &'static Shared, id: u64, rounds: usize) {
    let t = lifecycle::attach(false).unwrap();
    s.threads[id as usize].store(t as *const JavaThread as usize, Ordering::SeqCst);
    mutate(t, s, id, rounds);
    lifecycle::detach(t);
}

#[inline(never)]
fn mutate(t: &JavaThread, s: &'static Shared, id: u64, rounds: usize) {
    let mut r = Random(0x9E37_79B9_7F4A_7C15 ^ (id + 1).wrapping_mul(0xD1B5_4A32_D192_ED03));
    const SLOTS: usize = 48;
    let fresh = alloc::instance(t, s.node).unwrap();
    let lock = *s.lock.get_or_init(|| roots::new_slot(fresh));
    let lock_hash = monitor::identity_hash(t, lock.get());
    // Held by a local only; soon old.
    let table = alloc::array(t, s.refs, SLOTS as i32).unwrap();
    let mut table_sums = [(0u64, 0u64); SLOTS];
    let handles: Vec<roots::Handle> = (0..16).map(|_| roots::Handle::new(Oop::NULL)).collect();
    let mut handle_sums = [(0u64, 0u64, 0i32); 16];
    let mut moved = 0;
    let mut last = [0usize; 16];
    for round in 0..rounds {
        let (mut sum, depth) = (0, 1 + r.below(7));
        let tree = build(t, s, depth, &mut r, &mut sum);
        let length = match r.below(32) {
            0 => 20_000 + r.below(30_000),
            1..=4 => 300 + r.below(6000),
            _ => 1 + r.below(120),
        } as usize;
        let (at, seed) = (r.below(length as u64) as usize, r.next() as u8);
        let inside = interior(t, s, length, at, seed);
        let mut narrow_sum = 0;
        let hidden = narrow_tree(t, s, &mut r, &mut narrow_sum);
        scrub();

        // A root slot, whose tree may move; its hash must not change.
        let k = r.below(16) as usize;
        let (mut handle_sum, handle_depth) = (0, 1 + r.below(5));
        handles[k].set(build(t, s, handle_depth, &mut r, &mut handle_sum));
        let hash = monitor::identity_hash(t, handles[k].get());
        handle_sums[k] = (handle_depth, handle_sum, hash);
        last[k] = handles[k].get().address() ^ usize::MAX;

        // A weak slot: alive while its object is held.
        let weak = roots::new_weak(handles[k].get());

        // Contended monitor with recursion; safepoints inside.
        let l = lock.get();
        monitor::enter(t, l).unwrap();
        monitor::enter(t, l).unwrap();
        assert_eq!(s.turns.fetch_add(1, Ordering::SeqCst), 0, "mutual exclusion");
        let n = s.counter.load(Ordering::Relaxed);
        let (mut x, d) = (0, 1 + r.below(4));
        let inner = build(t, s, d, &mut r, &mut x);
        assert_tree(s, inner, d, x, "built under a lock");
        s.counter.store(n + 1, Ordering::Relaxed);
        if round % 64 == 0 {
            s.turns.fetch_sub(1, Ordering::SeqCst);
            monitor::wait(t, lock.get(), 1).unwrap();
            assert_eq!(s.turns.fetch_add(1, Ordering::SeqCst), 0, "mutual exclusion after wait");
        }
        monitor::notify(t, lock.get(), true).unwrap();
        s.turns.fetch_sub(1, Ordering::SeqCst);
        monitor::exit(t, lock.get()).unwrap();
        monitor::exit(t, lock.get()).unwrap();
        assert!(!monitor::holds(t, lock.get()));
        assert_eq!(monitor::identity_hash(t, lock.get()), lock_hash);

        assert!(weak.get() == handles[k].get(), "weak slot of a live object");
        // SAFETY: not used any more.
        unsafe { roots::free_weak(weak) };

        assert_tree(s, tree, depth, sum, "held by a local");
        assert_tree(s, Oop::from_address(widen(black_box(hidden))), 5, narrow_sum, "held by a narrow local");
        for i in 0..length {
            // SAFETY: the array is alive because `inside` points into it.
            let b = unsafe { *((inside - at + i) as *const u8) };
            assert_eq!(b, seed.wrapping_add(i as u8), "byte {i} of {length}, held by a pointer to {at}");
        }
        black_box(inside);

        let i = r.below(SLOTS as u64) as usize;
        access::set_array_ref(t, table, i, tree);
        table_sums[i] = (depth, sum);
        let i = r.below(SLOTS as u64) as usize;
        assert_tree(s, access::array_ref(table, i), table_sums[i].0, table_sums[i].1, "in an old array");
        let k = r.below(16) as usize;
        let (d, x, hash) = handle_sums[k];
        assert_tree(s, handles[k].get(), d, x, "in a root slot");
        if d > 0 {
            assert_eq!(monitor::identity_hash(t, handles[k].get()), hash, "identity hash");
            moved += (handles[k].get().address() ^ usize::MAX != last[k]) as usize;
        }
        if round % 500 == 250 {
            let n = safepoint::stop_the_world(t, "test", |threads| threads.len());
            assert!((1..=WORKERS).contains(&n));
        }
        if round % 16 == 8 {
            // Runs on the other thread, or here while it stands; never while it runs elsewhere.
            let other = r.below(WORKERS as u64) as usize;
            let eetop = s.threads[other].load(Ordering::SeqCst) as i64;
            safepoint::handshake(t, eetop, |x| {
                assert_eq!(x as *const JavaThread as i64, eetop);
                s.handshakes[other].fetch_add(1, Ordering::Relaxed);
            });
        }
    }
    let copy = alloc::shallow_copy(t, table).unwrap();
    for i in 0..SLOTS {
        assert!(access::array_ref(copy, i) == access::array_ref(table, i));
    }
    println!("worker {id}: {rounds} rounds, {moved} moved trees seen");
}
