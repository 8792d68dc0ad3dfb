//! Machine code of one function per instruction family, for both processors on any host.

use super::{one_op, world, Build};
use jvm::compiler::backend::disassemble::disassemble;
use jvm::compiler::backend::{compile, Arch, Features, Options};
use jvm::compiler::ir::*;

/// A function with the operations `make` appends; it returns what that gives.
fn function(params: &[Type], ret: Type, make: impl FnOnce(&mut Build, &[Value]) -> Value) -> Function {
    let mut b = Build::new(params, ret);
    let args: Vec<Value> = (0..params.len()).map(|n| b.param(n)).collect();
    let v = make(&mut b, &args);
    b.ret(v)
}

fn functions() -> Vec<(&'static str, Function)> {
    use Type::*;
    let w = world();
    vec![
        ("add", one_op(Op::Binary(Binary::Add), &[I32, I32], I32)),
        ("divide", one_op(Op::Binary(Binary::Div), &[I64, I64], I64)),
        ("shift", one_op(Op::Binary(Binary::Ushr), &[I32, I32], I32)),
        ("minimum", one_op(Op::Binary(Binary::Min), &[F64, F64], F64)),
        ("float_to_int", one_op(Op::Convert(Convert::F64ToI32), &[F64], I32)),
        ("compare3", one_op(Op::Compare3, &[I64, I64], I32)),
        ("fcompare", one_op(Op::FCompare(Cond::Eq, false), &[F32, F32], I32)),
        ("constants", function(&[I64], I64, |b, p| {
            let mut v = p[0];
            for (op, c) in [(Binary::Add, 1), (Binary::And, 0xff00), (Binary::Xor, 0x1234_5678_9abc), (Binary::Sub, 4096)] {
                let c = b.op(Op::Const(c), &[], I64);
                v = b.op(Op::Binary(op), &[v, c], I64);
            }
            v
        })),
        ("pairs", function(&[I64, I64, I32], I64, |b, p| {
            let (x, y, i) = (p[0], p[1], p[2]);
            let long = |b: &mut Build, c: i64| b.op(Op::Const(c), &[], I64);
            let pair = |b: &mut Build, first: Op, a: Value, c: Option<i64>, second: Binary, other: Value| {
                let mut args = vec![a];
                if let Some(c) = c {
                    let shift = matches!(first, Op::Binary(Binary::Shl | Binary::Shr | Binary::Ushr));
                    args.push(b.op(Op::Const(c), &[], if shift { I32 } else { I64 }));
                }
                let v = b.op(first, &args, I64);
                b.op(Op::Binary(second), &[other, v], I64)
            };
            let mut v = pair(b, Op::Binary(Binary::Shl), y, Some(3), Binary::Add, x);
            v = pair(b, Op::Binary(Binary::Shr), y, Some(40), Binary::Sub, v);
            v = pair(b, Op::Binary(Binary::Ushr), y, Some(5), Binary::Xor, v);
            v = pair(b, Op::Binary(Binary::Xor), y, Some(-1), Binary::And, v);
            v = pair(b, Op::Convert(Convert::I32ToI64), i, None, Binary::Sub, v);
            for (op, by) in [(Binary::Sub, x), (Binary::Add, y)] {
                let product = b.op(Op::Binary(Binary::Mul), &[v, by], I64);
                v = b.op(Op::Binary(op), &[y, product], I64);
            }
            let (five, byte, word) = (b.int(5), long(b, 255), long(b, 0xffff_ffff));
            let shifted = b.op(Op::Binary(Binary::Ushr), &[v, five], I64);
            let field = b.op(Op::Binary(Binary::And), &[shifted, byte], I64);
            let up = b.op(Op::Binary(Binary::Shl), &[field, five], I64);
            let wide = b.op(Op::Convert(Convert::I32ToI64), &[i], I64);
            let low = b.op(Op::Binary(Binary::And), &[wide, word], I64);
            b.op(Op::Binary(Binary::Or), &[up, low], I64)
        })),
        ("bits", {
            let mut b = Build::new(&[I32, I64], I32);
            let exit = b.f.new_block();
            for (p, c) in [(0, 16), (1, 1 << 40)] {
                let p = b.param(p);
                let ty = b.f.ty(p);
                let (mask, zero) = (b.op(Op::Const(c), &[], ty), b.op(Op::Const(0), &[], ty));
                let bit = b.op(Op::Binary(Binary::And), &[p, mask], ty);
                for (cond, v) in [(Cond::Ne, bit), (Cond::Lt, p)] {
                    let c = b.op(Op::Compare(cond), &[v, zero], I32);
                    let next = b.f.new_block();
                    b.branch(c, Edge::new(exit, vec![]), Edge::new(next, vec![]));
                    b.at = next;
                }
            }
            let one = b.int(1);
            b.f.blocks[b.at].term = Terminator::Return(Some(one));
            b.at = exit;
            let none = b.int(0);
            b.ret(none)
        }),
        ("array_element", function(&[Ref, I32], I32, |b, p| {
            let s = b.state(5, Resume::Execute, &[p[0], p[1]]);
            let a = b.with_state(Op::NullCheck, &[p[0]], Some(Ref), s).unwrap();
            let n = b.op(Op::ArrayLength, &[a], I32);
            let i = b.with_state(Op::BoundsCheck, &[p[1], n], Some(I32), s).unwrap();
            b.op(Op::LoadElement(Mem::I32), &[a, i], I32)
        })),
        ("references", function(&[Ref, Ref], Ref, |b, p| {
            let v = b.op(Op::Load(Mem::Ref, 12, Order::Plain), &[p[0]], Ref);
            b.effect(Op::Store(Mem::Ref, 16, Order::Plain), &[p[1], v]);
            v
        })),
        ("volatiles", function(&[Ref, I64], I32, |b, p| {
            b.effect(Op::Store(Mem::I64, 24, Order::Volatile), &[p[0], p[1]]);
            b.effect(Op::Store(Mem::I64, 32, Order::AcquireRelease), &[p[0], p[1]]);
            b.effect(Op::Fence(Fence::StoreStore), &[]);
            b.op(Op::Load(Mem::I32, 16, Order::Volatile), &[p[0]], I32)
        })),
        ("atomics", function(&[Ref, I64, I32, I32], I32, |b, p| {
            let v = b.op(Op::CompareExchange(Mem::I32), &[p[0], p[1], p[2], p[3]], I32);
            b.op(Op::Rmw(Rmw::Add, Mem::I32), &[p[0], p[1], v], I32)
        })),
        ("new_instance", function(&[], Ref, |b, _| {
            let s = b.state(0, Resume::Execute, &[]);
            b.with_state(Op::NewInstance(w.node), &[], Some(Ref), s).unwrap()
        })),
        ("new_array", function(&[I32], Ref, |b, p| {
            let s = b.state(0, Resume::Execute, &[p[0]]);
            b.with_state(Op::NewArray(w.ints), &[p[0]], Some(Ref), s).unwrap()
        })),
        ("cast", function(&[Ref], Ref, |b, p| {
            let s = b.state(1, Resume::Execute, &[p[0]]);
            let v = b.with_state(Op::CheckCast(w.node), &[p[0]], Some(Ref), s).unwrap();
            b.with_state(Op::CheckCast(w.interface), &[v], Some(Ref), s).unwrap()
        })),
        ("store_check", function(&[Ref, Ref], Ref, |b, p| {
            let s = b.state(1, Resume::Execute, &[p[0], p[1]]);
            b.with_state(Op::StoreCheck, &[p[0], p[1]], Some(Ref), s).unwrap()
        })),
        ("calls", function(&[Ref, I32], I32, |b, p| {
            let s = b.state(1, Resume::AfterCall, &[p[0], p[1]]);
            let v = b.with_state(Op::Call(Target::Direct(w.method)), &[p[0], p[1]], Some(I32), s).unwrap();
            let s = b.state(4, Resume::AfterCall, &[p[0], v]);
            b.with_state(Op::Call(Target::Interface(w.method)), &[p[0], v], Some(I32), s).unwrap()
        })),
        ("remainder", one_op(Op::Binary(Binary::Rem), &[F64, F64], F64)),
        ("switch", {
            let mut b = Build::new(&[I32], I32);
            let key = b.param(0);
            let exit = b.f.new_block();
            let r = b.f.add_param(exit, I32);
            let cases: Vec<(i32, Edge)> = (1..7).map(|k| (k, Edge::new(exit, vec![b.int(k * k)]))).collect();
            b.f.blocks[b.at].term = Terminator::Switch { key, cases, default: Edge::new(exit, vec![key]) };
            b.at = exit;
            b.ret(r)
        }),
        ("loop", {
            let mut b = Build::new(&[I32], I32);
            let (n, zero, one) = (b.param(0), b.int(0), b.int(1));
            let (head, exit) = (b.f.new_block(), b.f.new_block());
            b.jump(head, &[zero]);
            let i = b.f.add_param(head, I32);
            b.at = head;
            let next = b.op(Op::Binary(Binary::Add), &[i, one], I32);
            let s = b.state(3, Resume::Execute, &[n, next]);
            b.with_state(Op::Safepoint, &[], None, s);
            let c = b.op(Op::Compare(Cond::Lt), &[next, n], I32);
            b.branch(c, Edge::new(head, vec![next]), Edge::new(exit, vec![]));
            b.at = exit;
            b.ret(next)
        }),
        ("while_loop", {
            // Left from its header, with a branch that is seldom taken: that comes last, and the test behind the body.
            let mut b = Build::new(&[I32, Ref], I32);
            let (n, array, zero) = (b.param(0), b.param(1), b.int(0));
            let [head, body, rare, next, exit] = [(); 5].map(|()| b.f.new_block());
            b.jump(head, &[zero, zero]);
            let (i, sum) = (b.f.add_param(head, I32), b.f.add_param(head, I32));
            let total = b.f.add_param(next, I32);
            b.at = head;
            let c = b.op(Op::Compare(Cond::Lt), &[i, n], I32);
            b.branch(c, Edge::new(body, vec![]), Edge::new(exit, vec![]));
            b.at = body;
            let x = b.op(Op::LoadElement(Mem::I32), &[array, i], I32);
            let s = b.op(Op::Binary(Binary::Add), &[sum, x], I32);
            let negative = b.op(Op::Compare(Cond::Lt), &[x, zero], I32);
            b.branch(negative, Edge::new(rare, vec![]), Edge::new(next, vec![s]));
            b.at = rare;
            let less = b.op(Op::Binary(Binary::Sub), &[s, i], I32);
            b.jump(next, &[less]);
            b.at = next;
            let one = b.int(1);
            let j = b.op(Op::Binary(Binary::Add), &[i, one], I32);
            b.jump(head, &[j, total]);
            b.at = exit;
            b.f.blocks[rare].frequency = 0.001;
            b.ret(sum)
        }),
        // Checks that faults make.
        ("null_field", function(&[Ref, Ref], Ref, |b, p| {
            let s = b.state(5, Resume::Execute, &[p[0], p[1]]);
            let a = b.with_state(Op::NullCheck, &[p[0]], Some(Ref), s).unwrap();
            let v = b.op(Op::Load(Mem::Ref, 12, Order::Plain), &[a], Ref);
            let s = b.state(8, Resume::Execute, &[p[0], p[1], v]);
            let c = b.with_state(Op::NullCheck, &[p[1]], Some(Ref), s).unwrap();
            b.effect(Op::Store(Mem::Ref, 16, Order::Plain), &[c, v]);
            v
        })),
        ("null_array", function(&[Ref, I32], I32, |b, p| {
            let s = b.state(5, Resume::Execute, &[p[0], p[1]]);
            let a = b.with_state(Op::NullCheck, &[p[0]], Some(Ref), s).unwrap();
            let n = b.op(Op::ArrayLength, &[a], I32);
            let i = b.with_state(Op::BoundsCheck, &[p[1], n], Some(I32), s).unwrap();
            b.op(Op::LoadElement(Mem::I32), &[a, i], I32)
        })),
        ("null_but_too_late", function(&[Ref, I32], I32, |b, p| {
            // The store comes before the access, and must come after the check.
            let s = b.state(5, Resume::Execute, &[p[0], p[1]]);
            let a = b.with_state(Op::NullCheck, &[p[0]], Some(Ref), s).unwrap();
            let address = b.op(Op::Const(0x1000), &[], Ptr);
            b.effect(Op::StoreRaw(Mem::I32, 0), &[address, p[1]]);
            b.op(Op::Load(Mem::I32, 12, Order::Plain), &[a], I32)
        })),
        ("profile", function(&[Ref], I32, |b, p| {
            b.effect(Op::Count(0x1000), &[]);
            b.effect(Op::ProfileType(0x2000), &[p[0]]);
            let s = b.state(0, Resume::Execute, &[p[0]]);
            b.with_state(Op::CountAndNotify { cell: 0x3000, mask: 1023, method: w.method, bci: -1 }, &[], None, s);
            b.int(0)
        })),
        ("throw", {
            let mut b = Build::new(&[Ref], I32);
            let e = b.param(0);
            b.f.blocks[b.at].term = Terminator::Throw(e);
            b.f
        }),
        ("deopt", {
            let mut b = Build::new(&[Ref, F64], I32);
            let (p, x) = (b.param(0), b.param(1));
            let state = b.state(17, Resume::Execute, &[p, x]);
            b.f.blocks[b.at].term = Terminator::Deopt { reason: Reason::Unloaded, action: Action::Reinterpret, state };
            b.f
        }),
    ]
}

#[test]
fn machine_code() {
    let w = world();
    let bless = std::env::var_os("KILN_BLESS").is_some();
    let mut different = Vec::new();
    for (arch, dir) in [(Arch::X64, "x64"), (Arch::Arm64, "arm64")] {
        let dir = format!("{}/tests/golden/{dir}", env!("CARGO_MANIFEST_DIR"));
        std::fs::create_dir_all(&dir).unwrap();
        for (name, f) in functions() {
            verify::assert_valid(&f, name);
            let features = Features { v2: true, v3: true, lse: true };
            let implicit_nulls = name.starts_with("null_");
            let o = Options { features, barrier: true, implicit_nulls, check: true, ..Options::new(arch) };
            let a = compile(&f, &o).unwrap_or_else(|e| panic!("{name}: {e}"));
            let mut text = disassemble(arch, &a);
            // Addresses that differ from run to run.
            for (class, name) in [(w.node, "<Node>"), (w.interface, "<Marker>"), (w.ints, "<int[]>")] {
                text = replace_word(text, class.word(), name);
            }
            text = replace_word(text, w.method as *const _ as usize as u32, "<test>");
            text = name_fields(text);
            let path = format!("{dir}/{name}.txt");
            if bless {
                std::fs::write(&path, &text).unwrap();
            } else {
                let want = std::fs::read_to_string(&path).unwrap_or_default();
                if want != text {
                    different.push(format!("{path}:\n{text}"));
                }
            }
        }
    }
    assert!(different.is_empty(), "differs from (KILN_BLESS=1 renews):\n{}", different.join("\n"));
}

/// Replaces a 32-bit address, whole or in the two halves that mov and movk take, alone or below a -1.
fn replace_word(text: String, word: u32, by: &str) -> String {
    let text = text.replace(&format!("0xffffffff{word:08x}"), &format!("-1:{by}"));
    let text = text.replace(&format!(", #0xffffffffffff{:04x}", word & 0xffff), &format!(", #-1:{:#x}", word & 0xffff));
    let (low, high) = (format!(", #{:#x}", word & 0xffff), format!(", #{:#x}, lsl #16", word >> 16));
    let text = text.replace(&format!("{word:#x}"), by);
    let mut lines: Vec<String> = text.lines().map(str::to_string).collect();
    for n in 1..lines.len() {
        let below = low.replace('#', "#-1:");
        let is_low = lines[n - 1].ends_with(&low) || lines[n - 1].ends_with(&below);
        if lines[n - 1].contains(": mov ") && is_low && lines[n].ends_with(&high) {
            lines[n - 1] = lines[n - 1].replace(&below, &format!(", -1:{by}.low")).replace(&low, &format!(", {by}.low"));
            lines[n] = lines[n].replace(&high, &format!(", {by}.high"));
        }
    }
    lines.join("\n") + "\n"
}

/// Names the thread's fields, whose order is no concern of these tests.
fn name_fields(text: String) -> String {
    use jvm::threads::thread::offsets::*;
    let fields = [
        (BUMP, "bump"),
        (VO_BASE, "vo_base"),
        (LOG_BASE, "log_base"),
        (EXCEPTION, "exception"),
        (THREAD_OBJECT, "thread_object"),
        (NATIVE_STACK_LIMIT, "native_stack_limit"),
    ];
    fields.iter().fold(text, |t, (at, name)| {
        t.replace(&format!("[r15+{}]", number(*at)), &format!("[r15+{name}]"))
            .replace(&format!("[x28, #{at:#x}]"), &format!("[x28, {name}]"))
    })
}

/// As the disassembler writes it.
fn number(n: usize) -> String {
    if n < 10 {
        n.to_string()
    } else {
        format!("{n:#x}")
    }
}
