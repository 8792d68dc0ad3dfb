//! The back ends: small functions in SSA form, compiled, run and compared with Rust (for the host), and their
//! machine code compared with what is in tests/golden (for both processors; KILN_BLESS=1 writes it anew).

mod arith;
mod flow;
mod golden;
#[path = "../heap_support/mod.rs"]
mod heap_support;
mod run;

use jvm::compiler::backend::{Arch, Features, Options};
use jvm::compiler::ir::*;
use jvm::meta::class::{offsets, Class, ClassRef, InstanceKind};
use jvm::meta::method::{Method, MethodKind, MethodRef};
use jvm::meta::symbol::Symbol;
use jvm::heap::layout::BasicType;
use std::sync::OnceLock;

/// Options to try everything with.
fn all_options() -> Vec<Options> {
    let host = Options { check: true, ..Options::new(Arch::HOST) };
    let mut v = Vec::new();
    for quick in [false, true] {
        v.push(Options { quick, features: Features::host(), ..host });
        v.push(Options { quick, features: Features { v3: false, lse: false, ..Features::host() }, ..host });
    }
    v
}

/// The origin of every instruction here.
fn nowhere() -> (MethodIx, u16) {
    (MethodIx::from_u32(0), 0)
}

struct Build {
    f: Function,
    at: Block,
}

impl Build {
    fn new(params: &[Type], ret: Type) -> Build {
        let f = Function::new("test".to_string(), params, Some(ret));
        let at = f.entry;
        Build { f, at }
    }

    fn param(&self, n: usize) -> Value {
        self.f.blocks[self.f.entry].params[n]
    }

    fn op(&mut self, op: Op, args: &[Value], ty: Type) -> Value {
        self.f.append(self.at, op, args.to_vec(), Some(ty), None, nowhere()).unwrap()
    }

    /// An operation without result.
    fn effect(&mut self, op: Op, args: &[Value]) {
        self.f.append(self.at, op, args.to_vec(), None, None, nowhere());
    }

    /// An operation with a state.
    fn with_state(&mut self, op: Op, args: &[Value], ty: Option<Type>, state: State) -> Option<Value> {
        self.f.append(self.at, op, args.to_vec(), ty, Some(state), nowhere())
    }

    /// A state of the test method with these locals.
    fn state(&mut self, bci: u16, resume: Resume, locals: &[Value]) -> State {
        if self.f.methods.is_empty() {
            let m = world().method;
            self.f.methods.push(MethodName { method: Some(m), name: m.name.to_string() });
        }
        self.f.states.push(FrameState {
            parent: None,
            method: MethodIx::from_u32(0),
            bci,
            resume,
            locals: locals
                .iter()
                .flat_map(|&v| {
                    let second = self.f.ty(v).is_two_slots().then_some(Slot::Dead);
                    [Slot::Value(v)].into_iter().chain(second)
                })
                .collect(),
            stack: vec![],
            monitors: vec![],
            virtuals: vec![],
        })
    }

    fn jump(&mut self, to: Block, args: &[Value]) {
        self.f.blocks[self.at].term = Terminator::Jump(Edge::new(to, args.to_vec()));
    }

    fn branch(&mut self, cond: Value, then: Edge, other: Edge) {
        self.f.blocks[self.at].term = Terminator::Branch { cond, then, other, probability: 1 << 15 };
    }

    fn int(&mut self, c: i32) -> Value {
        self.op(Op::Const(c as i64), &[], Type::I32)
    }

    fn ret(mut self, v: Value) -> Function {
        self.f.blocks[self.at].term = Terminator::Return(Some(v));
        self.f
    }
}

/// A function that applies `op` to its parameters.
fn one_op(op: Op, params: &[Type], ret: Type) -> Function {
    let mut b = Build::new(params, ret);
    let args: Vec<Value> = (0..params.len()).map(|n| b.param(n)).collect();
    let v = b.op(op, &args, ret);
    b.ret(v)
}


/// Made-up classes and methods.
struct World {
    /// An instance has 24 bytes; a primary class.
    node: ClassRef,
    /// One that is checked through the secondary supers.
    interface: ClassRef,
    ints: ClassRef,
    /// `int test(int)`, not static.
    method: MethodRef,
}

/// A method of the class `Node`.
fn method(node: ClassRef, descriptor: &str, is_static: bool) -> MethodRef {
    let access = if is_static { jvm::classfile::access::ACC_STATIC } else { 0 };
    let m = Method::new(Symbol::of("test"), Symbol::of(descriptor), access, MethodKind::Java, 0, None, None);
    m.set_class(node);
    jvm::meta::loader::boot().arena.place(m).unwrap()
}

fn world() -> &'static World {
    static WORLD: OnceLock<World> = OnceLock::new();
    WORLD.get_or_init(|| {
        let node = heap_support::class("Node", 24, InstanceKind::Plain, &[]);
        let interface = heap_support::class("Marker", 16, InstanceKind::Plain, &[]);
        // SAFETY: nobody else knows these classes yet.
        unsafe {
            let field = |c: ClassRef, at: usize| (c.word() as usize + at) as *mut u32;
            field(interface, offsets::SUPER_CHECK_OFFSET).write(offsets::SECONDARY_SUPER_CACHE as u32);
            field(node, offsets::PRIMARY_SUPERS).write(node.word());
        }
        World {
            node,
            interface,
            ints: heap_support::class("[I", Class::array_layout(BasicType::Int), InstanceKind::PrimitiveArray, &[]),
            method: method(node, "(I)I", false),
        }
    })
}
