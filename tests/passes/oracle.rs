//! Random functions, executed before and after each pass on random inputs: what can be seen from outside must be
//! the same, wherever compiled code was left on the way (`compiler::ir::interpret`).
//!
//! A function is made of statements over typed variables; a statement is what a bytecode is: its checks come first
//! and have the state before it. Where a pass's function leaves compiled code, the function it was made from goes
//! on from that statement, which is what the bytecode interpreter would do.
//!
//! `ORACLE_SEED` and `ORACLE_COUNT` choose the functions; a failure names its seed.

use crate::generate::{kind as generator_kind, Function as Generated, Generator, Rng, PARAMS};
use crate::world::World;
use jvm::compiler::ir::interpret::{Called, Environment, Exit, Heap, Machine, Object, Stuck, Taken};
use jvm::compiler::ir::parse::Names;
use jvm::compiler::ir::verify::verify;
use jvm::compiler::ir::{Function, Mem, Op, Resume, Runtime, Target, Type};
use jvm::compiler::passes::PASSES;

const STEPS: usize = 20_000;
const INPUTS: u64 = 4;
/// Passes that need not find anything to do here: there are no boxes (`Integer.valueOf`) in this world, and values
/// that exits alone read are not made on purpose.
const NOT_REQUIRED: [&str; 2] = ["boxes", "sink"];

/// Calls see and change memory; what they return comes from the seed.
struct Outside {
    seed: u64,
    calls: u64,
    /// References that have been seen outside.
    roots: Vec<u64>,
    log: String,
    throwable: Object,
    /// Ask for some frames to be left.
    restless: bool,
    asked: u64,
}

fn hash(a: u64, b: u64) -> u64 {
    Rng::new(a ^ b.wrapping_mul(0x9e37_79b9_7f4a_7c15)).next()
}

impl Environment for Outside {
    fn call(&mut self, op: &Op, args: &[(Type, u64)], heap: &mut Heap) -> Called {
        self.calls += 1;
        self.roots.extend(args.iter().filter(|a| a.0 == Type::Ref).map(|a| a.1));
        let mut seen: Vec<(bool, u64)> = args.iter().map(|a| (a.0 == Type::Ref, a.1)).collect();
        seen.extend(self.roots.iter().map(|&r| (true, r)));
        let name = match op {
            Op::Call(t) => t.method().name.to_string(),
            op => format!("{op:?}"),
        };
        self.log += &format!("call {name} {}\n", heap.show(&seen));
        let h = hash(self.seed, self.calls);
        let objects = heap.reachable(&self.roots);
        let o = objects[h as usize % objects.len()];
        let class = heap.class(o).name.to_string();
        let bits = h >> 32;
        match (&class[..], heap.length(o)) {
            ("A" | "B", _) => heap.store(o, 16, Mem::I32, bits, false).unwrap(),
            ("[I", Some(n)) if n > 0 => heap.store(o, (Mem::I32.array_base() as u32) + 4 * (bits as u32 % n), Mem::I32, bits, false).unwrap(),
            _ => {}
        }
        if h % 7 == 0 {
            return Called::Threw(self.throwable.bits());
        }
        let object = match h >> 8 & 3 {
            0 => 0,
            _ => objects[(h >> 16) as usize % objects.len()].bits(),
        };
        let result = match op {
            Op::Call(Target::Direct(m)) if m.name.to_string() == "object" => object,
            _ => (h >> 40) & 0xff,
        };
        // What is returned is known outside.
        if matches!(op, Op::Call(Target::Direct(m)) if m.name.to_string() == "object") {
            self.roots.push(object);
        }
        Called::Returned(result)
    }

    fn leaves(&mut self, _: &Op) -> bool {
        self.asked += 1;
        self.restless && hash(self.seed ^ 77, self.asked) % 5 == 0
    }
}

/// What can be seen of an execution. `None`: it takes too long.
fn observe(original: &Generated, f: &Function, transformed: bool, seed: u64) -> Result<Option<String>, String> {
    let world = World::get();
    let class = |n: &str| world.class(n).unwrap();
    let mut rng = Rng::new(seed);
    let mut heap = Heap::default();
    let objects: Vec<u64> = ["A", "B", "Object", "A"].iter().map(|n| heap.add(class(n), None, rng.next()).bits()).collect();
    let ints: Vec<u64> = [0, 3, 9].iter().map(|&n| heap.add(class("[I"), Some(n), rng.next()).bits()).collect();
    let arrays: Vec<u64> =
        ["[LObject;", "[LA;"].iter().map(|n| heap.add(class(n), Some(4), rng.next()).bits()).collect();
    let throwable = heap.add(class("Throwable"), None, rng.next());
    let mut pick = |from: &[u64]| match rng.below(5) {
        0 => 0,
        _ => from[rng.below(from.len() as u64) as usize],
    };
    let any = [&objects[..], &ints, &arrays].concat();
    let (o1, o2, o3) = (pick(&objects), pick(&any), pick(&objects));
    let (i1, a1) = (pick(&ints), pick(&arrays));
    let mut refs = [o1, o2, o3].into_iter();
    let args: Vec<u64> = PARAMS
        .iter()
        .map(|p| match p {
            generator_kind::INTS => i1,
            generator_kind::OBJECTS => a1,
            generator_kind::OBJECT => refs.next().unwrap(),
            generator_kind::I32 => rng.int() as u32 as u64,
            generator_kind::I64 => rng.long() as u64,
            generator_kind::F64 => rng.double().to_bits(),
        })
        .collect();
    let environment = Outside {
        seed,
        calls: 0,
        roots: vec![],
        log: String::new(),
        throwable,
        restless: transformed,
        asked: 0,
    };
    let mut machine = Machine::new(f, heap, environment, STEPS);
    let mut exit = match machine.run(&args) {
        Ok(e) => e,
        Err(Stuck::Steps) => return Ok(None),
        Err(e) => return Err(format!("{e:?}")),
    };
    let (mut heap, mut environment) = (machine.heap, machine.environment);
    if transformed {
        if let Exit::Left(taken) = &exit {
            environment.restless = false;
            let mut machine = Machine::new(&original.f, heap, environment, STEPS);
            exit = match go_on(original, &mut machine, taken) {
                Ok(e) => e,
                Err(Stuck::Steps) => return Ok(None),
                Err(e) => return Err(format!("going on at {} {:?}: {e:?}", taken.bci, taken.resume)),
            };
            (heap, environment) = (machine.heap, machine.environment);
        }
    }
    let (what, mut values) = match exit {
        Exit::Returned(v) => ("returned".to_string(), v.map(|v| (original.f.return_type == Some(Type::Ref), v)).into_iter().collect()),
        Exit::Threw(v) => ("threw".to_string(), vec![(true, v)]),
        Exit::Left(t) => {
            let locals = by_variable(original, &t);
            let refs = original.variables.iter().zip(locals).map(|(&ty, v)| (ty == Type::Ref, v.unwrap_or(0)));
            (format!("left at {}", t.bci), refs.collect::<Vec<_>>())
        }
    };
    values.extend(environment.roots.iter().map(|&r| (true, r)));
    Ok(Some(format!("{}{what} {}", environment.log, heap.show(&values))))
}

/// The locals without the second slots of longs and doubles.
fn by_variable(original: &Generated, t: &Taken) -> Vec<Option<u64>> {
    let mut slot = 0;
    let value = |ty: &Type| {
        let v = t.locals[slot];
        slot += 1 + usize::from(ty.is_two_slots());
        v
    };
    original.variables.iter().map(value).collect()
}

/// What the bytecode interpreter would do.
fn go_on(original: &Generated, m: &mut Machine<'_, Outside>, t: &Taken) -> Result<Exit, Stuck> {
    let p = original.points.get(&(t.bci, t.resume == Resume::AfterCall)).expect("states are those of statements");
    // What is dead may hold anything; a value may be in a live variable as well.
    for &v in &p.variables {
        m.set(v, if original.f.values[v].ty == Type::Ref { 0 } else { 0x5a5a_5a5a });
    }
    for (&v, bits) in p.variables.iter().zip(by_variable(original, t)) {
        if let Some(bits) = bits {
            m.set(v, bits);
        }
    }
    assert_eq!(p.monitors.len(), t.monitors.len(), "monitors at {}", t.bci);
    for (&v, &bits) in p.monitors.iter().zip(&t.monitors) {
        m.set(v, bits);
    }
    if let (Some(v), Some(bits)) = (p.result, t.result) {
        m.set(v, bits);
    }
    match p.next {
        // The call was the last of its block: on along its normal edge.
        None => m.run_along(p.block),
        Some(at) => m.run_from(p.block, at),
    }
}

fn check(original: &Generated, f: &Function, seed: u64, when: &str) {
    let problems = verify(f);
    assert!(problems.is_empty(), "seed {seed}, {when}: {}\nbefore:\n{}\nafter:\n{f}", problems.join("\n"), original.f);
    for input in 0..INPUTS {
        let input_seed = hash(seed, input);
        let wanted = observe(original, &original.f, false, input_seed);
        let wanted = wanted.unwrap_or_else(|e| panic!("seed {seed}: the generator's own function: {e}\n{}", original.f));
        let got = observe(original, f, true, input_seed);
        let ok = match (&wanted, &got) {
            (None, Ok(_)) | (_, Ok(None)) => true,
            (Some(w), Ok(Some(g))) => w == g,
            (_, Err(_)) => false,
        };
        assert!(ok, "seed {seed}, input {input}, {when}:\n{}\nbut before\n{}\nbefore:\n{}\nafter:\n{f}",
            got.map_or_else(|e| e, |g| g.unwrap_or_default()), wanted.unwrap_or_default(), original.f);
    }
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |v| v.parse().expect("a number"))
}

#[test]
fn passes_keep_what_functions_do() {
    let first = number("ORACLE_SEED", 1);
    let mut changed = std::collections::BTreeMap::new();
    for seed in first..first + number("ORACLE_COUNT", 400) {
        let original = Generator::new(seed).function();
        check(&original, &original.f, seed, "as generated");
        // Each alone, and one after the other.
        let mut all = original.f.clone();
        for (n, p) in PASSES.iter().enumerate() {
            if PASSES[..n].iter().all(|q| q.name != p.name) {
                let mut f = original.f.clone();
                if (p.run)(&mut f) {
                    check(&original, &f, seed, p.name);
                }
            }
            let before = if std::env::var_os("ORACLE_VERBOSE").is_some() { all.to_string() } else { String::new() };
            if (p.run)(&mut all) {
                *changed.entry(p.name).or_insert(0) += 1;
                check(&original, &all, seed, &format!("passes to number {n}, {}; before the last\n{before}\n", p.name));
            }
        }
    }
    if number("ORACLE_COUNT", 400) >= 100 {
        for p in PASSES.iter().filter(|p| !NOT_REQUIRED.contains(&p.name)) {
            assert!(changed.contains_key(p.name), "no function has work for {}", p.name);
        }
    }
}

/// The oracle sees what breaks: a function whose store, check or lock is gone is told apart.
#[test]
fn a_wrong_pass_is_noticed() {
    let noticed = |name: &str, wrong: fn(&Op) -> bool| {
        let hits = (1..300).filter(|&seed| {
            let original = Generator::new(seed).function();
            let mut f = original.f.clone();
            for b in f.reverse_postorder() {
                let mut insts = std::mem::take(&mut f.blocks[b].insts);
                insts.retain(|&i| !wrong(&f.insts[i].op) || f.insts[i].result.is_some());
                f.blocks[b].insts = insts;
            }
            (0..INPUTS).any(|n| {
                let input = hash(seed, n);
                let wanted = observe(&original, &original.f, false, input).expect("the generator's function runs");
                wanted.is_some() && observe(&original, &f, true, input) != Ok(wanted)
            })
        });
        assert!(hits.count() > 10, "{name} can be left out unnoticed");
    };
    noticed("stores", |op| matches!(op, Op::Store(..) | Op::StoreElement(_)));
    noticed("monitor exits", |op| matches!(op, Op::CallRuntime(Runtime::MonitorExit)));
}
