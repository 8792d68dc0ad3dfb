//! What the printer writes, the parser reads back as it was: every operation, every terminator, every part of a
//! frame state. (Functions of real compiles go through the same under `-XX:+VerifyIR`.)

use crate::world::World;
use jvm::compiler::ir::parse::{assert_round_trip, parse, Names};
use jvm::compiler::ir::print::{canonical, operation};
use jvm::compiler::ir::*;

/// Names the operation; a new one does not compile until it is in [`every_op`] too.
fn kind(op: &Op) -> usize {
    use Op::*;
    match op {
        Const(_) => 0,
        FConst(_) => 1,
        Null => 2,
        Object(_) => 3,
        Mirror(_) => 4,
        OsrLocal(_) => 5,
        TakeException => 6,
        CurrentThread => 7,
        Binary(_) => 8,
        Unary(_) => 9,
        Convert(_) => 10,
        Compare(_) => 11,
        FCompare(..) => 12,
        Compare3 => 13,
        FCompare3(_) => 14,
        Select => 15,
        NullCheck => 16,
        BoundsCheck => 17,
        DivZeroCheck => 18,
        CheckCast(_) => 19,
        ExactClass(..) => 20,
        StoreCheck => 21,
        Guard(..) => 22,
        InstanceOf(_) => 23,
        LoadClass => 24,
        IsSubclass => 25,
        Load(..) => 26,
        Store(..) => 27,
        LoadElement(_) => 28,
        StoreElement(_) => 29,
        ArrayLength => 30,
        LoadUnsafe(..) => 31,
        StoreUnsafe(..) => 32,
        CompareExchange(_) => 33,
        Rmw(..) => 34,
        LoadRaw(..) => 35,
        StoreRaw(..) => 36,
        Fence(_) => 37,
        NewInstance(_) => 38,
        NewArray(_) => 39,
        Call(_) => 40,
        CallRuntime(_) => 41,
        Safepoint => 42,
        Count(_) => 43,
        ProfileType(_) => 44,
        LoopEntry => 45,
        CountAndNotify { .. } => 46,
    }
}

/// Every operation with every kind of immediate.
fn every_op() -> Vec<Op> {
    let w = World::get();
    let class = |n| w.class(n).unwrap();
    let method = w.method("A.virtual(IJ)D").unwrap();
    let mut ops = vec![
        Op::Const(0),
        Op::Const(-1),
        Op::Const(i64::MIN),
        Op::Const(i64::MAX),
        Op::FConst(u64::MAX),
        Op::FConst(0x7fc0_0000),
        Op::Null,
        Op::Object(0xffff_fff8),
        Op::Mirror(class("[LObject;")),
        Op::OsrLocal(65535),
        Op::TakeException,
        Op::CurrentThread,
        Op::FCompare(Cond::Le, false),
        Op::FCompare(Cond::Gt, true),
        Op::Compare3,
        Op::FCompare3(-1),
        Op::FCompare3(1),
        Op::Select,
        Op::NullCheck,
        Op::BoundsCheck,
        Op::DivZeroCheck,
        Op::CheckCast(class("Interface")),
        Op::StoreCheck,
        Op::InstanceOf(class("[I")),
        Op::LoadClass,
        Op::IsSubclass,
        Op::ArrayLength,
        Op::LoadRaw(Mem::Ptr64, -8),
        Op::StoreRaw(Mem::WideRef, i32::MIN),
        Op::NewInstance(class("A")),
        Op::NewArray(class("[J")),
        Op::Safepoint,
        Op::LoopEntry,
        Op::Count(0x1000),
        Op::ProfileType(0x2000),
        Op::CountAndNotify { cell: 0x3000, mask: 1023, method, bci: -1 },
    ];
    ops.extend(Binary::ALL.iter().map(|&b| Op::Binary(b)));
    ops.extend(Unary::ALL.iter().map(|&u| Op::Unary(u)));
    ops.extend(Convert::ALL.iter().map(|&c| Op::Convert(c)));
    ops.extend(Cond::ALL.iter().map(|&c| Op::Compare(c)));
    ops.extend(Fence::ALL.iter().map(|&k| Op::Fence(k)));
    ops.extend(Runtime::ALL.iter().map(|&r| Op::CallRuntime(r)));
    for t in [Target::Direct, Target::Virtual, Target::Interface, Target::MethodHandle] {
        ops.push(Op::Call(t(method)));
    }
    for &r in Reason::ALL {
        for &a in Action::ALL {
            ops.push(Op::Guard(r, a));
            ops.push(Op::ExactClass(class("B"), r, a));
        }
    }
    for m in Mem::ALL {
        for &o in Order::ALL {
            ops.extend([Op::Load(m, 16, o), Op::Store(m, u32::MAX, o), Op::LoadUnsafe(m, o), Op::StoreUnsafe(m, o)]);
        }
        ops.extend([Op::LoadElement(m), Op::StoreElement(m), Op::CompareExchange(m)]);
        ops.extend(Rmw::ALL.iter().map(|&r| Op::Rmw(r, m)));
    }
    ops
}

#[test]
fn every_operation() {
    let ops = every_op();
    let mut kinds: Vec<usize> = ops.iter().map(kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    assert_eq!(kinds.len(), kind(&Op::CountAndNotify { cell: 0, mask: 0, method: World::get().method("A.value()I").unwrap(), bci: 0 }) + 1);
    for op in ops {
        // Once with, once without arguments, result and state.
        for full in [false, true] {
            let mut f = Function::new("f".into(), &[Type::Ref, Type::I32], None);
            let m = f.methods.push(MethodName { method: None, name: "f".into() });
            let args = f.blocks[f.entry].params.clone();
            let state = f.states.push(FrameState {
                parent: None,
                method: m,
                bci: 0,
                resume: Resume::Execute,
                locals: vec![],
                stack: vec![],
                monitors: vec![],
                virtuals: vec![],
            });
            let (ty, args) = if full { (Some(Type::F64), args) } else { (None, vec![]) };
            let state = (full || op.needs_state()).then_some(state);
            let entry = f.entry;
            f.append(entry, op.clone(), args.clone(), ty, state, (m, 7));
            f.append(entry, Op::Null, vec![], Some(Type::Ref), None, (m, 8));
            f.blocks[entry].term = Terminator::Return(None);
            let back = parse(&f.to_string(), World::get()).unwrap_or_else(|e| panic!("{}: {e}", operation(&op)));
            let inst = |f: &Function| f.insts[f.blocks[f.entry].insts[0]].clone();
            let (got, want) = (inst(&back), inst(&f));
            assert_eq!((&got.op, &got.args, got.result, got.origin), (&want.op, &want.args, want.result, want.origin));
            assert_eq!(got.state, want.state);
            assert_eq!(back.values[*back.blocks[back.entry].params.first().unwrap()].ty, Type::Ref);
            assert_round_trip(&f, &operation(&op));
        }
    }
}

const EVERYTHING: &str = r#"function "A.\"odd\" (I)V" (osr 12) -> f64 {
m0 = "A.value()I"
m1 = "no such method"
b3(v9: ref<"A" exact non_null>, v2: ref<"[I">, v3: i32, v4: f64, v5: ref<non_null>):
  v6: ref = null_check v9 [s7 m0@3 entry locals(v9, _, v4, _) stack(v3, o1) monitors(v9, o0 elided) o0 = "A" length 0 locks 2 (i32 12: v3, ref 16: o1, f64 24: v4, ref 20: _) o1 = "[LObject;" length 2 locks 0 (ref 16: o0, ref 20: v2) parent [s2 m1@65535 after locals() stack(v2, o1) parent [s1 m0@0 after locals(o0) stack()]]]  ; m1@9
  v7: i32 = bounds_check v3, v3 [s7]  ; m0@0
  branch v7, b0(v3, v4), b1(), 65535
b0(v10: i32, v11: f64), frequency 0.125:
  switch v10, -2147483648: b4(), 0: b0(v10, v4), 7: b1(), default: b5()
b4():
  call.direct "A.use(LObject;)V" v9 [s2]  ; m0@1
  try b8(), b6()
b8():
  return v4
b6(), frequency 1000000.5:
  v20: ref<"Throwable" non_null> = take_exception  ; m0@1
  throw v20
b1():
  deopt unstable_if make_not_entrant [s7]
b5():
  none
}
"#;

#[test]
fn every_part() {
    let f = parse(EVERYTHING, World::get()).unwrap();
    assert_eq!(f.osr_bci, Some(12));
    assert_eq!(f.methods.values().map(|m| m.method.is_some()).collect::<Vec<_>>(), [true, false]);
    let states: Vec<&FrameState> = f.states.values().collect();
    assert_eq!(states.len(), 8);
    assert_eq!(states[7].virtuals.len(), 2);
    assert_eq!(states[7].virtuals[0].locks, 2);
    assert!(states[7].monitors[1].elided && !states[7].monitors[0].elided);
    assert_eq!(states[7].resume, Resume::MethodEntry);
    // The text is in reverse postorder of the graph only where the printer made it: compare what it makes of this.
    let text = f.to_string();
    let back = parse(&text, World::get()).unwrap();
    assert_eq!(back.to_string(), text);
    assert_eq!(canonical(&back), canonical(&f));
    let mut lines: Vec<&str> = text.lines().collect();
    let mut want: Vec<&str> = EVERYTHING.lines().collect();
    lines.sort_unstable();
    want.sort_unstable();
    assert_eq!(lines, want);
}

#[test]
fn canonical_text_is_read_too() {
    let f = parse(EVERYTHING, World::get()).unwrap();
    let text = canonical(&f);
    assert_eq!(canonical(&parse(&text, World::get()).unwrap()), text);
}

#[test]
fn faults_name_their_line() {
    let function = |body: &str| format!("function \"f\" {{\nm0 = \"f\"\nb0(v0: ref, v1: i32):\n{body}\n}}\n");
    let cases = [
        ("  return v2", "line 4: v2 is not defined"),
        ("  jump b1()", "line 4: b1 is not defined"),
        ("  v1: i32 = const 1\n  return", "line 4: v1 is defined twice"),
        ("  return\nb0():\n  return", "line 5: b0 is defined twice"),
        ("  v2: i32 = frobnicate v1\n  return", "line 4: no operation is frobnicate"),
        ("  v2: i32 = load.i33 4 v0\n  return", "line 4: no operation is load.i33"),
        ("  v2: i32 = add.i32 v1, v1\n  return", "line 4: no operation is add.i32"),
        ("  v2: i32 = const 0x1ffffffffffffffff\n  return", "is no number that fits here"),
        ("  v2: ref = new_instance \"Nowhere\"\n  return", "line 4: no class is Nowhere"),
        ("  call.direct \"A.no()V\"\n  return", "line 4: no method is A.no()V"),
        ("  v2: ref = null_check v0 [s1]\n  return", "line 4: s1 is not defined"),
        ("  v2: ref = null_check v0 [s1 m4@3 locals() stack()]\n  return", "line 4: m4 is not defined"),
        ("  v99999999: i32 = const 1\n  return", "line 4: a value is expected, not v99999999"),
        ("  return v0\n}\nfunction", "line 6: the function has ended"),
        ("  return \"x", "line 4: a text without end"),
        ("  guard unheard_of none v1\n  return", "line 4: no reason is unheard_of"),
        ("  branch v1, b0()", "is expected, not"),
        ("", "line 5: an instruction is expected, not Sign('}')"),
    ];
    for (body, want) in cases {
        let e = parse(&function(body), World::get()).err().map(|e| e.to_string());
        assert!(e.as_ref().is_some_and(|e| e.contains(want)), "{body}: {e:?}, not {want}");
    }
}
