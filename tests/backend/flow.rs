//! Control flow, memory, calls, allocation and the ways out of compiled code.

use super::run::{callee, Code, Outcome, Registers, SCRATCH};
use super::{all_options, method, world, Build};
use jvm::code::abi::INT_ARGS;
use jvm::code::assembled::{Assembled, PointKind, Stub, Where};
use jvm::compiler::backend::{compile, Options};
use jvm::compiler::ir::*;
use jvm::threads::thread::offsets as thread;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Compiles with every combination of options.
fn each(f: &Function, mut run: impl FnMut(&Code, &Assembled)) {
    verify::assert_valid(f, "in the test");
    for o in all_options() {
        let o = Options { barrier: true, ..o };
        let a = compile(f, &o).unwrap_or_else(|e| panic!("{e}\n{f}"));
        run(&Code::new(&a), &a)
    }
}

fn int(v: i32) -> (Type, u64) {
    (Type::I32, v as u64)
}

/// What the state of the debug point left by says of its innermost frame's locals.
fn locals(a: &Assembled, outcome: Outcome, r: &Registers) -> Vec<u64> {
    let Outcome::Left(_, pc) = outcome else { panic!("{outcome:?}") };
    let p = a.points.iter().find(|p| p.pc == pc).expect("a debug point at the return address");
    p.frames[0].locals.iter().filter(|&&w| w != Where::Dead).map(|&w| r.value(w)).collect()
}

#[test]
fn loops() {
    // for (i = 0; i < n; i++) sum = sum * 3 + i
    let mut b = Build::new(&[Type::I32], Type::I32);
    let n = b.param(0);
    let zero = b.int(0);
    let (head, body, exit) = (b.f.new_block(), b.f.new_block(), b.f.new_block());
    b.jump(head, &[zero, zero]);
    let (i, sum) = (b.f.add_param(head, Type::I32), b.f.add_param(head, Type::I32));
    b.at = head;
    let c = b.op(Op::Compare(Cond::Lt), &[i, n], Type::I32);
    b.branch(c, Edge::new(body, vec![]), Edge::new(exit, vec![]));
    b.at = body;
    let (three, one) = (b.int(3), b.int(1));
    let s = b.op(Op::Binary(Binary::Mul), &[sum, three], Type::I32);
    let s = b.op(Op::Binary(Binary::Add), &[s, i], Type::I32);
    let next = b.op(Op::Binary(Binary::Add), &[i, one], Type::I32);
    let state = b.state(7, Resume::Execute, &[n, next, s]);
    b.with_state(Op::Safepoint, &[], None, state);
    b.jump(head, &[next, s]);
    b.at = exit;
    let f = b.ret(sum);
    each(&f, |code, a| {
        for n in [-5, 0, 1, 2, 100, 1000] {
            let want = (0..n).fold(0i32, |s, i| s.wrapping_mul(3).wrapping_add(i));
            assert_eq!(code.run(&[int(n)]).int(), want);
        }
        let (o, r) = code.run_with(&[int(10)], |r| r.set_thread(thread::POLL & !7, 1 << (8 * (thread::POLL & 7))));
        assert!(matches!(o, Outcome::Left(Stub::Safepoint, _)), "{o:?}");
        assert_eq!(locals(a, o, &r), [10, 1, 0]);
    });
}

/// Many values at once, of both classes, parallel moves around a loop that rotates them.
#[test]
fn register_pressure() {
    const N: usize = 24;
    let mut b = Build::new(&[Type::I32], Type::I32);
    let n = b.param(0);
    let ints: Vec<Value> = (0..N).map(|k| b.int(k as i32 * 7 + 1)).collect();
    let floats: Vec<Value> =
        (0..N).map(|k| b.op(Op::FConst((k as f64 + 0.5).to_bits()), &[], Type::F64)).collect();
    let (head, body, exit) = (b.f.new_block(), b.f.new_block(), b.f.new_block());
    let mut args = vec![n];
    args.extend(&ints);
    args.extend(&floats);
    b.jump(head, &args);
    let i = b.f.add_param(head, Type::I32);
    let p: Vec<Value> = (0..N).map(|_| b.f.add_param(head, Type::I32)).collect();
    let q: Vec<Value> = (0..N).map(|_| b.f.add_param(head, Type::F64)).collect();
    b.at = head;
    let zero = b.int(0);
    let c = b.op(Op::Compare(Cond::Gt), &[i, zero], Type::I32);
    b.branch(c, Edge::new(body, vec![]), Edge::new(exit, vec![]));
    b.at = body;
    let minus = b.int(-1);
    let mut args = vec![b.op(Op::Binary(Binary::Add), &[i, minus], Type::I32)];
    // Rotate, and change one of each.
    let changed = b.op(Op::Binary(Binary::Xor), &[p[0], i], Type::I32);
    args.extend(p[1..].iter().chain([&changed]));
    let fchanged = b.op(Op::Binary(Binary::Add), &[q[0], q[1]], Type::F64);
    args.extend(q[1..].iter().chain([&fchanged]));
    b.jump(head, &args);
    b.at = exit;
    let mut sum = b.int(0);
    for k in 0..N {
        let w = b.int(k as i32 + 1);
        let x = b.op(Op::Binary(Binary::Mul), &[p[k], w], Type::I32);
        sum = b.op(Op::Binary(Binary::Add), &[sum, x], Type::I32);
        let y = b.op(Op::Convert(Convert::F64ToI32), &[q[k]], Type::I32);
        let y = b.op(Op::Binary(Binary::Mul), &[y, w], Type::I32);
        sum = b.op(Op::Binary(Binary::Sub), &[sum, y], Type::I32);
    }
    let f = b.ret(sum);
    let rust = |n: i32| {
        let mut p: Vec<i32> = (0..N).map(|k| k as i32 * 7 + 1).collect();
        let mut q: Vec<f64> = (0..N).map(|k| k as f64 + 0.5).collect();
        for i in (1..=n).rev() {
            let (x, y) = (p[0] ^ i, q[0] + q[1]);
            p.rotate_left(1);
            q.rotate_left(1);
            p[N - 1] = x;
            q[N - 1] = y;
        }
        (0..N).fold(0i32, |s, k| {
            let w = k as i32 + 1;
            s.wrapping_add(p[k].wrapping_mul(w)).wrapping_sub((q[k] as i32).wrapping_mul(w))
        })
    };
    each(&f, |code, _| {
        for n in [0, 1, 2, 23, 24, 25, 77] {
            assert_eq!(code.run(&[int(n)]).int(), rust(n), "{n} rounds");
        }
    });
}

#[test]
fn switches() {
    for keys in [vec![3], vec![1, 2, 3, 4, 5, 7, 9], vec![-100, -1, 0, 5, 1000, 100000, i32::MAX], vec![i32::MIN, 4], vec![]] {
        let mut b = Build::new(&[Type::I32], Type::I32);
        let key = b.param(0);
        let exit = b.f.new_block();
        let r = b.f.add_param(exit, Type::I32);
        let mut cases = Vec::new();
        for (n, &k) in keys.iter().enumerate() {
            // Every third case shares its edge with the first.
            let v = if n % 3 == 0 && n > 0 { 1 } else { n as i32 + 1 };
            let existing = cases.iter().find(|(_, e): &&(i32, Edge)| b.f.as_const(e.args[0]) == Some(v as i64)).cloned();
            let edge = match existing {
                Some((_, e)) => e,
                None => Edge::new(exit, vec![b.int(v)]),
            };
            cases.push((k, edge));
        }
        let default = Edge::new(exit, vec![key]);
        b.f.blocks[b.at].term = Terminator::Switch { key, cases, default };
        b.at = exit;
        let f = b.ret(r);
        each(&f, |code, _| {
            let around = keys.iter().flat_map(|&k| [k.wrapping_sub(1), k, k.wrapping_add(1)]);
            for k in around.chain([0, -1, i32::MAX, i32::MIN]) {
                let want = match keys.iter().position(|&x| x == k) {
                    Some(n) if n % 3 == 0 && n > 0 => 1,
                    Some(n) => n as i32 + 1,
                    None => k,
                };
                assert_eq!(code.run(&[int(k)]).int(), want, "{k} of {keys:?}");
            }
        });
    }
}

/// Loads and stores of every kind, at constant offsets, with Unsafe's addressing, and in arrays.
#[test]
fn memory() {
    for mem in Mem::ALL {
        let ty = mem.value_type();
        if ty == Type::Ref {
            continue;
        }
        // Copies a field and an element: to(20) = from(12); to[j] = from[i].
        let mut b = Build::new(&[Type::Ref, Type::Ref, Type::I32, Type::I32, Type::I64], Type::I32);
        let (from, to, i, j, at) = (b.param(0), b.param(1), b.param(2), b.param(3), b.param(4));
        let v = b.op(Op::Load(mem, 16, Order::Plain), &[from], ty);
        b.effect(Op::Store(mem, 24, Order::Volatile), &[to, v]);
        if !matches!(mem, Mem::Ptr32 | Mem::Ptr64) {
            let v = b.op(Op::LoadElement(mem), &[from, i], ty);
            b.effect(Op::StoreElement(mem), &[to, j, v]);
        }
        let v = b.op(Op::LoadUnsafe(mem, Order::Volatile), &[from, at], ty);
        b.effect(Op::StoreUnsafe(mem, Order::Plain), &[to, at, v]);
        let c = match ty {
            Type::F32 => b.op(Op::FConst(0x1234_5678), &[], ty),
            Type::F64 => b.op(Op::FConst(0x1234_5678_9abc_def0), &[], ty),
            ty => b.op(Op::Const(0x5a), &[], ty),
        };
        b.effect(Op::Store(mem, 200, Order::Plain), &[to, c]);
        let f = b.ret(i);
        let n = 1usize << mem.log2_bytes();
        let source: Vec<u8> = (0..256).map(|k| (k * 37 + 11) as u8).collect();
        each(&f, |code, _| {
            let from = source.clone();
            let mut to = vec![0u8; 256];
            let (i, j, at) = (7i32, 3i32, 128i64);
            code.run(&[
                (Type::Ref, from.as_ptr() as u64),
                (Type::Ref, to.as_mut_ptr() as u64),
                int(i),
                int(j),
                (Type::I64, at as u64),
            ]);
            let mut want = vec![0u8; 256];
            want[24..24 + n].copy_from_slice(&source[16..16 + n]);
            if !matches!(mem, Mem::Ptr32 | Mem::Ptr64) {
                let base = mem.array_base();
                let (i, j) = (base + i as usize * n, base + j as usize * n);
                want[j..j + n].copy_from_slice(&source[i..i + n]);
            }
            want[128..128 + n].copy_from_slice(&source[128..128 + n]);
            let c: u64 = match mem {
                Mem::F32 => 0x1234_5678,
                Mem::F64 => 0x1234_5678_9abc_def0,
                _ => 0x5a,
            };
            want[200..200 + n].copy_from_slice(&c.to_le_bytes()[..n]);
            assert_eq!(to, want, "{mem}");
        });
    }
    // The value of each kind of load.
    for (mem, want) in [
        (Mem::I8, 0x87u32 as i8 as i32),
        (Mem::U8, 0x87),
        (Mem::I16, 0x9987u16 as i16 as i32),
        (Mem::U16, 0x9987),
        (Mem::I32, 0xbbaa_9987u32 as i32),
    ] {
        let mut b = Build::new(&[Type::Ref], Type::I32);
        let p = b.param(0);
        let v = b.op(Op::Load(mem, 8, Order::Plain), &[p], Type::I32);
        let f = b.ret(v);
        let memory = [0u64, 0xbbaa_9987];
        each(&f, |code, _| assert_eq!(code.run(&[(Type::Ref, memory.as_ptr() as u64)]).int(), want));
    }
}

/// Memory below 32 GiB, for references.
fn low_memory() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(5 << 30);
    let hint = NEXT.fetch_add(1 << 20, Ordering::Relaxed);
    // SAFETY: a fresh mapping where there is room.
    let p = unsafe {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        libc::mmap(hint as *mut _, 1 << 16, libc::PROT_READ | libc::PROT_WRITE, flags, -1, 0)
    } as usize;
    assert!(p < 32 << 30, "{p:#x}");
    p
}

#[test]
fn references_and_write_barrier() {
    let m = low_memory();
    // b.f12 = a.f16; returns a.f16
    let mut b = Build::new(&[Type::Ref, Type::Ref], Type::Ref);
    let (from, to) = (b.param(0), b.param(1));
    let v = b.op(Op::Load(Mem::Ref, 16, Order::Plain), &[from], Type::Ref);
    b.effect(Op::Store(Mem::Ref, 12, Order::Plain), &[to, v]);
    let f = b.ret(v);
    each(&f, |code, _| {
        // SAFETY: our memory.
        let word = |at: usize| unsafe { &mut *(at as *mut u32) };
        *word(m + 16) = ((m + 0x800) >> 3) as u32;
        for to in [m + 0x400, m + 0x408, m + 0x5f8] {
            for logged in [false, true] {
                *word(to + 12) = 0;
                // The log bits: of the whole memory at an 8th of its address.
                let mut bits = vec![if logged { 0u8 } else { 0xff }; 1 << 10];
                let bit = (to - m) >> 3;
                bits[bit >> 3] ^= 1 << (bit & 7);
                let base = bits.as_ptr() as usize - (m >> 6);
                let args = [(Type::Ref, m as u64), (Type::Ref, to as u64)];
                let (o, r) = code.run_with(&args, |r| r.set_thread(thread::LOG_BASE, base as u64));
                assert_eq!(*word(to + 12), ((m + 0x800) >> 3) as u32);
                if logged {
                    assert!(matches!(o, Outcome::Left(Stub::Barrier, _)), "{o:?}");
                    assert_eq!(r.saved_ints[SCRATCH], to as u64, "the object in the scratch register");
                } else {
                    assert_eq!(o.long(), (m + 0x800) as i64);
                }
            }
        }
    });
}

#[test]
fn allocation() {
    let m = low_memory();
    let w = world();
    let mut b = Build::new(&[Type::I32], Type::Ref);
    let n = b.param(0);
    let state = b.state(3, Resume::Execute, &[n]);
    let x = b.with_state(Op::NewInstance(w.node), &[], Some(Type::Ref), state).unwrap();
    let state = b.state(4, Resume::Execute, &[n, x]);
    let y = b.with_state(Op::NewArray(w.ints), &[n], Some(Type::Ref), state).unwrap();
    let zero = b.int(0);
    let c = b.op(Op::Compare(Cond::Eq), &[n, zero], Type::I32);
    let v = b.op(Op::Select, &[c, x, y], Type::Ref);
    let f = b.ret(v);
    each(&f, |code, a| {
        let run = |n: i32, room: usize| {
            // SAFETY: our memory.
            unsafe { std::ptr::write_bytes(m as *mut u8, 0, 1 << 16) };
            let bump = [m as u64 + 0x100, (m + 0x100 + room) as u64];
            let mut valid = vec![0u8; 1 << 10];
            let base = valid.as_mut_ptr() as usize - (m >> 6);
            let (o, r) = code.run_with(&[int(n)], |r| {
                r.set_thread(thread::BUMP, bump.as_ptr() as u64);
                r.set_thread(thread::VO_BASE, base as u64)
            });
            // SAFETY: the code has written there.
            let cursor = unsafe { std::ptr::read_volatile(&bump[0]) } as usize - m;
            let bits: Vec<usize> =
                (0..8 << 10).filter(|b| valid[b >> 3] >> (b & 7) & 1 != 0).map(|b| b * 8).collect();
            (o, r, cursor, bits)
        };
        // SAFETY: our memory.
        let word = |at: usize| unsafe { *((m + at) as *const u32) };
        for n in [0, 1, 2, 3, 100] {
            let bytes = (12 + 4 * n as usize).next_multiple_of(8);
            let (o, _, cursor, bits) = run(n, 24 + bytes);
            assert_eq!(o.long() as usize, m + if n == 0 { 0x100 } else { 0x118 });
            assert_eq!((word(0x100), word(0x104)), (0, w.node.word()));
            assert_eq!((word(0x11c), word(0x120)), (w.ints.word(), n as u32));
            assert_eq!(cursor, 0x118 + bytes);
            assert_eq!(bits, [0x100, 0x118]);
            // One byte too few for the array.
            let (o, r, cursor, bits) = run(n, 24 + bytes - 8);
            assert!(matches!(o, Outcome::Left(Stub::NewArray, _)), "{o:?}");
            assert_eq!(locals(a, o, &r), [n as u64, m as u64 + 0x100]);
            assert_eq!((r.saved_ints[0], r.saved_ints[INT_ARGS[0] as usize] as i32), (w.ints.word() as u64, n));
            assert_eq!((cursor, bits), (0x118, vec![0x100]));
            let (o, r, ..) = run(n, 16);
            assert!(matches!(o, Outcome::Left(Stub::NewInstance, _)), "{o:?}");
            assert_eq!(locals(a, o, &r), [n as u64]);
            assert_eq!(r.saved_ints[0], w.node.word() as u64);
        }
        for n in [-1, i32::MIN, 1 << 20, i32::MAX] {
            assert!(matches!(run(n, 1 << 12).0, Outcome::Left(Stub::NewArray, _)));
        }
        assert!(a.points.iter().all(|p| p.kind == PointKind::Allocation));
    });
}

#[test]
fn checks_leave_with_their_state() {
    // a[i] / d, null and bounds and zero checked.
    let mut b = Build::new(&[Type::Ref, Type::I32, Type::I32, Type::F64], Type::I32);
    let (a, i, d, x) = (b.param(0), b.param(1), b.param(2), b.param(3));
    let k = b.int(77);
    let long = b.op(Op::Convert(Convert::I32ToI64), &[i], Type::I64);
    let state = b.state(5, Resume::Execute, &[a, i, d, x, k, long]);
    let a1 = b.with_state(Op::NullCheck, &[a], Some(Type::Ref), state).unwrap();
    let length = b.op(Op::ArrayLength, &[a1], Type::I32);
    let i1 = b.with_state(Op::BoundsCheck, &[i, length], Some(Type::I32), state).unwrap();
    let v = b.op(Op::LoadElement(Mem::I32), &[a1, i1], Type::I32);
    let state = b.state(6, Resume::Execute, &[v, d, x]);
    let d1 = b.with_state(Op::DivZeroCheck, &[d], Some(Type::I32), state).unwrap();
    let v = b.op(Op::Binary(Binary::Div), &[v, d1], Type::I32);
    let f = b.ret(v);
    let array = [0u64, 3 | 100 << 32, 200 | (-300i32 as u32 as u64) << 32];
    each(&f, |code, a| {
        let p = array.as_ptr() as u64;
        let run = |p: u64, i: i32, d: i32| {
            code.run_with(&[(Type::Ref, p), int(i), int(d), (Type::F64, 2.5f64.to_bits())], |_| {})
        };
        for (i, v) in [(0, 100), (1, 200), (2, -300)] {
            assert_eq!(run(p, i, 7).0.int(), v / 7);
            let (o, r) = run(p, i, 0);
            assert_eq!(locals(a, o, &r), [v as u32 as u64, 0, 2.5f64.to_bits()]);
        }
        for i in [3, -1, i32::MAX, i32::MIN] {
            for p in [p, 0] {
                let (o, r) = run(p, i, 1);
                let Outcome::Left(Stub::Deopt, pc) = o else { panic!("{o:?}") };
                let point = a.points.iter().find(|x| x.pc == pc).unwrap();
                let reason = if p == 0 { Reason::NullCheck } else { Reason::RangeCheck };
                assert_eq!(point.kind, PointKind::Deopt(reason, Action::MaybeRecompile));
                assert_eq!((point.frames[0].bci, point.frames[0].locals[5]), (5, Where::Const(Type::I32, 77)));
                let i = i as u32 as u64;
                assert_eq!(locals(a, o, &r), [p, i, 1, 2.5f64.to_bits(), 77, i as i32 as i64 as u64]);
            }
        }
    });
}

#[test]
fn calls_keep_what_is_live() {
    let target = method(world().node, &format!("({})J", "J".repeat(INT_ARGS.len() + 2)), true);
    target.compiled_entry.store(callee(), Ordering::Relaxed);
    // Integer arguments, of which two go on the stack; values of both classes live across.
    let mut b = Build::new(&[Type::I64, Type::I64, Type::F64], Type::F64);
    let (p, q, x) = (b.param(0), b.param(1), b.param(2));
    let ten = b.op(Op::Const(10), &[], Type::I64);
    let state = b.state(9, Resume::AfterCall, &[q, x]);
    let args: Vec<Value> = [p].into_iter().chain(vec![q; INT_ARGS.len() - 1]).chain([ten, q]).collect();
    let r = b.with_state(Op::Call(Target::Direct(target)), &args, Some(Type::I64), state).unwrap();
    let s = b.op(Op::Binary(Binary::Add), &[r, q], Type::I64);
    let s = b.op(Op::Convert(Convert::I64ToF64), &[s], Type::F64);
    let s = b.op(Op::Binary(Binary::Mul), &[s, x], Type::F64);
    let f = b.ret(s);
    each(&f, |code, a| {
        for (p, q, x) in [(1i64, 2i64, 0.5), (-5, 1 << 40, 3.0)] {
            let want = (p + 2 * q + 30 + q) as f64 * x;
            let args = [(Type::I64, p as u64), (Type::I64, q as u64), (Type::F64, f64::to_bits(x))];
            assert_eq!(code.run(&args).double(), want);
        }
        assert_eq!(a.points.len(), 1);
        assert!(a.points[0].frames[0].locals.iter().all(|w| matches!(w, Where::Frame(..) | Where::Dead)), "{:?}", a.points);
        assert_eq!((a.frame_size % 16, a.handlers.len()), (0, 0));
    });
}

/// A call in a try block: the handler's address is in the table, the result is there on the normal edge, and
/// values from before on both.
#[test]
fn try_calls() {
    let target = method(world().node, "(JJ)J", true);
    target.compiled_entry.store(callee(), Ordering::Relaxed);
    let mut b = Build::new(&[Type::I64, Type::I64], Type::I64);
    let (p, q) = (b.param(0), b.param(1));
    let (normal, handler, join) = (b.f.new_block(), b.f.new_block(), b.f.new_block());
    let v = b.f.add_param(join, Type::I64);
    let state = b.state(2, Resume::AfterCall, &[p]);
    let r = b.with_state(Op::Call(Target::Direct(target)), &[p, q], Some(Type::I64), state).unwrap();
    b.f.blocks[b.at].term = Terminator::Try(Edge::new(normal, vec![]), Edge::new(handler, vec![]));
    b.at = normal;
    let s = b.op(Op::Binary(Binary::Add), &[r, p], Type::I64);
    b.jump(join, &[s]);
    b.at = handler;
    let e = b.op(Op::TakeException, &[], Type::Ref);
    let state = b.state(8, Resume::Execute, &[p, q]);
    b.f.blocks[b.at].term = Terminator::Deopt { reason: Reason::Unhandled, action: Action::None, state };
    let _ = e;
    b.at = join;
    let f = b.ret(v);
    each(&f, |code, a| {
        assert_eq!(a.handlers.len(), 1);
        let call = a.points.iter().find(|p| p.kind == PointKind::Call).unwrap().pc;
        assert_eq!(a.handlers[0].0, call);
        assert!((a.handlers[0].1 as usize) < a.code.len());
        let args = |p: i64, q: i64| [(Type::I64, p as u64), (Type::I64, q as u64)];
        let (p, q) = (3, 4);
        // The callee adds three times the word on its stack, which is the trampoline's or a spill: take it off.
        let got = code.run(&args(p, q)).long() - (p + 2 * q) - p;
        assert_eq!(got % 3, 0);
    });
}

#[test]
fn type_checks() {
    let w = world();
    let m = low_memory();
    let object = |class: u32, at: usize| {
        // SAFETY: our memory.
        unsafe { *((m + at + 4) as *mut u32) = class };
        (m + at) as u64
    };
    let node = object(w.node.word(), 0x100);
    let other = object(w.ints.word(), 0x200);
    for (how, op) in [(0, Op::InstanceOf(w.node)), (1, Op::CheckCast(w.node)), (2, Op::InstanceOf(w.interface))] {
        let mut b = Build::new(&[Type::Ref], Type::I32);
        let p = b.param(0);
        let v = match op {
            Op::CheckCast(_) => {
                let state = b.state(1, Resume::Execute, &[p]);
                let q = b.with_state(op.clone(), &[p], Some(Type::Ref), state).unwrap();
                let null = b.op(Op::Null, &[], Type::Ref);
                b.op(Op::Compare(Cond::Ne), &[q, null], Type::I32)
            }
            _ => b.op(op.clone(), &[p], Type::I32),
        };
        let f = b.ret(v);
        each(&f, |code, _| {
            let run = |p: u64| code.run_with(&[(Type::Ref, p)], |_| {});
            assert_eq!(run(0).0.int(), 0, "null is no instance, but may be cast");
            match how {
                0 => assert_eq!((run(node).0.int(), run(other).0.int()), (1, 0)),
                1 => {
                    assert_eq!(run(node).0.int(), 1);
                    assert!(matches!(run(other).0, Outcome::Left(Stub::Deopt, _)));
                }
                _ => {
                    let (o, r) = run(node);
                    assert!(matches!(o, Outcome::Left(Stub::SearchSecondary, _)), "{o:?}");
                    assert_eq!((r.saved_ints[SCRATCH], r.saved_ints[0]), (w.node.word() as u64, w.interface.word() as u64));
                    // Once found it is in the cache.
                    w.node.secondary_super_cache.store(w.interface.word(), Ordering::Relaxed);
                    assert_eq!(run(node).0.int(), 1);
                    w.node.secondary_super_cache.store(0, Ordering::Relaxed);
                }
            }
        });
    }
}

#[test]
fn atomics() {
    for mem in [Mem::I8, Mem::U8, Mem::I16, Mem::U16, Mem::I32, Mem::I64] {
        let ty = mem.value_type();
        let n = 8u32 << mem.log2_bytes();
        let mask = if n == 64 { u64::MAX } else { (1 << n) - 1 };
        // As a load of `mem` gives it.
        let loaded = |bits: u64| match mem {
            Mem::I8 => bits as i8 as i64,
            Mem::U8 => bits as u8 as i64,
            Mem::I16 => bits as i16 as i64,
            Mem::U16 => bits as u16 as i64,
            Mem::I32 => bits as i32 as i64,
            _ => bits as i64,
        };
        for op in [Op::CompareExchange(mem), Op::Rmw(Rmw::Add, mem), Op::Rmw(Rmw::Exchange, mem)] {
            let cas = matches!(op, Op::CompareExchange(_));
            let mut params = vec![Type::Ref, Type::I64, ty];
            params.extend(cas.then_some(ty));
            let mut b = Build::new(&params, Type::I64);
            let args: Vec<Value> = (0..params.len()).map(|n| b.param(n)).collect();
            let v = b.op(op.clone(), &args, ty);
            // What is read from the result must be clean.
            let v = if ty == Type::I32 { b.op(Op::Convert(Convert::I32ToI64), &[v], Type::I64) } else { v };
            let f = b.ret(v);
            each(&f, |code, _| {
                for (old, x, new) in [(0x8182_8384_8586_8788u64, 0x8182_8384_8586_8788, 5), (7, 9, u64::MAX), (0, 0, 1)] {
                    let mut cell = [0xaaaa_aaaa_aaaa_aaaau64 & !mask | old & mask, 0x5555];
                    let mut args = vec![(Type::Ref, cell.as_mut_ptr() as u64 - 16), (Type::I64, 16), (ty, loaded(x) as u64)];
                    if cas {
                        args.push((ty, new));
                    }
                    let got = code.run(&args).long();
                    // SAFETY: written by the code.
                    let now = unsafe { std::ptr::read_volatile(&cell[0]) };
                    let want = match op {
                        Op::Rmw(Rmw::Add, _) => old.wrapping_add(x),
                        Op::Rmw(Rmw::Exchange, _) => x,
                        _ if old & mask == x & mask => new,
                        _ => old,
                    };
                    assert_eq!(got, loaded(old), "{op:?}");
                    assert_eq!(now, 0xaaaa_aaaa_aaaa_aaaa & !mask | want & mask, "{op:?}");
                }
            });
        }
    }
}
