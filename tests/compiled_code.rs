//! Compiled code at run time, without a compiler: hand-written machine code in a VM without a class library. Calls
//! both ways, exceptions, eager and lazy deoptimization, scalar-replaced objects, on-stack replacement, stack
//! walks, safepoints, allocation, invalidation and reuse of code memory.

mod heap_support;

use dynasmrt::{dynasm, DynasmApi, VecAssembler};
use jvm::classfile::Code;
use jvm::code::assembled::*;
use jvm::code::compiled::{self, CodeState};
use jvm::code::{abi, cache, sweep, Compilation, CompiledMethod};
use jvm::compiler::dependencies::{Dependencies, Dependency};
use jvm::compiler::ir::{Action, Mem, Reason, Resume, Runtime, Type};
use jvm::exceptions::{Thrown, VmResult};
use jvm::heap::layout::{BasicType, Oop};
use jvm::heap::{access, alloc, HeapConfig, Plan};
use jvm::interpreter::call::call;
use jvm::meta::class::{Class, ClassRef, InstanceKind, OopMapBlock};
use jvm::meta::loader;
use jvm::meta::method::{offsets as method_offsets, Method, MethodKind, MethodRef};
use jvm::meta::symbol::Symbol;
use jvm::threads::thread::offsets;
use jvm::threads::{lifecycle, stackwalk, JavaThread};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

const ACC_STATIC: u16 = 8;

#[cfg(target_arch = "x86_64")]
type Asm = VecAssembler<dynasmrt::x64::X64Relocation>;
#[cfg(target_arch = "aarch64")]
type Asm = VecAssembler<dynasmrt::aarch64::Aarch64Relocation>;

/// Bytes of the frames made here: return address, frame pointer, two slots.
const FRAME: u32 = 32;

/// A method being written.
struct Writer {
    ops: Asm,
    out: Assembled,
}

/// The first and second integer argument registers, and the result register.
const A0: u8 = abi::INT_ARGS[0];
const A1: u8 = abi::INT_ARGS[1];
const RESULT: u8 = 0;

/// Instructions that both processors have, on integer registers by number.
impl Writer {
    fn new() -> Writer {
        Writer { ops: Asm::new(0), out: Assembled { frame_size: FRAME, ..Assembled::default() } }
    }

    fn here(&self) -> u32 {
        self.ops.offset().0 as u32
    }

    #[cfg(target_arch = "x86_64")]
    fn enter(&mut self) {
        dynasm!(self.ops; .arch x64; push rbp; mov rbp, rsp; sub rsp, FRAME as i32 - 16);
    }
    #[cfg(target_arch = "aarch64")]
    fn enter(&mut self) {
        dynasm!(self.ops; .arch aarch64; stp x29, x30, [sp, #-16]!; mov x29, sp; sub sp, sp, FRAME - 16);
    }

    #[cfg(target_arch = "x86_64")]
    fn pop_frame(&mut self) {
        dynasm!(self.ops; .arch x64; add rsp, FRAME as i32 - 16; pop rbp);
    }
    #[cfg(target_arch = "aarch64")]
    fn pop_frame(&mut self) {
        dynasm!(self.ops; .arch aarch64; add sp, sp, FRAME - 16; ldp x29, x30, [sp], #16);
    }

    fn leave(&mut self) {
        self.pop_frame();
        self.ret();
    }

    #[cfg(target_arch = "x86_64")]
    fn ret(&mut self) {
        dynasm!(self.ops; .arch x64; ret);
    }
    #[cfg(target_arch = "aarch64")]
    fn ret(&mut self) {
        dynasm!(self.ops; .arch aarch64; ret);
    }

    #[cfg(target_arch = "x86_64")]
    fn constant(&mut self, r: u8, v: u64) {
        dynasm!(self.ops; .arch x64; mov Rq(r), QWORD v as i64);
    }
    #[cfg(target_arch = "aarch64")]
    fn constant(&mut self, r: u8, v: u64) {
        let part = |i: u32| (v >> (16 * i)) as u16 as u32;
        dynasm!(self.ops
            ; .arch aarch64
            ; movz X(r), part(0)
            ; movk X(r), part(1), lsl #16
            ; movk X(r), part(2), lsl #32
            ; movk X(r), part(3), lsl #48
        );
    }

    #[cfg(target_arch = "x86_64")]
    fn mov(&mut self, to: u8, from: u8) {
        dynasm!(self.ops; .arch x64; mov Rq(to), Rq(from));
    }
    #[cfg(target_arch = "aarch64")]
    fn mov(&mut self, to: u8, from: u8) {
        dynasm!(self.ops; .arch aarch64; mov X(to), X(from));
    }

    #[cfg(target_arch = "x86_64")]
    fn add(&mut self, to: u8, from: u8) {
        dynasm!(self.ops; .arch x64; add Rd(to), Rd(from));
    }
    #[cfg(target_arch = "aarch64")]
    fn add(&mut self, to: u8, from: u8) {
        dynasm!(self.ops; .arch aarch64; add W(to), W(to), W(from));
    }

    /// To or from the slot at `sp + at`.
    #[cfg(target_arch = "x86_64")]
    fn store_slot(&mut self, at: u32, r: u8) {
        dynasm!(self.ops; .arch x64; mov [rsp + at as i32], Rq(r));
    }
    #[cfg(target_arch = "aarch64")]
    fn store_slot(&mut self, at: u32, r: u8) {
        dynasm!(self.ops; .arch aarch64; str X(r), [sp, at]);
    }
    #[cfg(target_arch = "x86_64")]
    fn load_slot(&mut self, r: u8, at: u32) {
        dynasm!(self.ops; .arch x64; mov Rq(r), [rsp + at as i32]);
    }
    #[cfg(target_arch = "aarch64")]
    fn load_slot(&mut self, r: u8, at: u32) {
        dynasm!(self.ops; .arch aarch64; ldr X(r), [sp, at]);
    }
    #[cfg(target_arch = "x86_64")]
    fn load(&mut self, r: u8, base: u8, at: u32) {
        dynasm!(self.ops; .arch x64; mov Rq(r), [Rq(base) + at as i32]);
    }
    #[cfg(target_arch = "aarch64")]
    fn load(&mut self, r: u8, base: u8, at: u32) {
        dynasm!(self.ops; .arch aarch64; ldr X(r), [X(base), at]);
    }

    /// A field of the thread.
    fn load_thread(&mut self, r: u8, at: usize) {
        let thread = if cfg!(target_arch = "x86_64") { 15 } else { 28 };
        self.load(r, thread, at as u32)
    }
    #[cfg(target_arch = "x86_64")]
    fn clear_exception(&mut self) {
        dynasm!(self.ops; .arch x64; mov QWORD [r15 + offsets::EXCEPTION as i32], 0);
    }
    #[cfg(target_arch = "aarch64")]
    fn clear_exception(&mut self) {
        dynasm!(self.ops; .arch aarch64; str xzr, [x28, offsets::EXCEPTION as u32]);
    }

    /// Calls `m` as any call does.
    fn call(&mut self, m: MethodRef) {
        self.set_method(m);
        #[cfg(target_arch = "x86_64")]
        dynasm!(self.ops; .arch x64; call QWORD [rax + method_offsets::COMPILED_ENTRY as i32]);
        #[cfg(target_arch = "aarch64")]
        dynasm!(self.ops; .arch aarch64; ldr x16, [x12, method_offsets::COMPILED_ENTRY as u32]; blr x16);
    }

    /// Jumps to it with the arguments in place.
    fn jump(&mut self, m: MethodRef) {
        self.set_method(m);
        #[cfg(target_arch = "x86_64")]
        dynasm!(self.ops; .arch x64; jmp QWORD [rax + method_offsets::COMPILED_ENTRY as i32]);
        #[cfg(target_arch = "aarch64")]
        dynasm!(self.ops; .arch aarch64; ldr x16, [x12, method_offsets::COMPILED_ENTRY as u32]; br x16);
    }

    fn set_method(&mut self, m: MethodRef) {
        let r = if cfg!(target_arch = "x86_64") { 0 } else { 12 };
        self.constant(r, m as *const Method as u64);
    }

    fn call_stub(&mut self, target: Stub) {
        #[cfg(target_arch = "x86_64")]
        {
            self.ops.push(0xe8);
            let offset = self.here();
            self.ops.push_i32(0);
            self.out.relocations.push(Relocation { offset, target });
        }
        #[cfg(target_arch = "aarch64")]
        {
            let offset = self.here();
            self.ops.push_u32(0x9400_0000);
            self.out.relocations.push(Relocation { offset, target });
        }
    }

    fn jump_stub(&mut self, target: Stub) {
        #[cfg(target_arch = "x86_64")]
        {
            self.ops.push(0xe9);
            let offset = self.here();
            self.ops.push_i32(0);
            self.out.relocations.push(Relocation { offset, target });
        }
        #[cfg(target_arch = "aarch64")]
        {
            let offset = self.here();
            self.ops.push_u32(0x1400_0000);
            self.out.relocations.push(Relocation { offset, target });
        }
    }

    fn point(&mut self, kind: PointKind, frames: Vec<FrameInfo>, virtuals: Vec<VirtualInfo>) {
        let pc = self.here();
        self.out.points.push(DebugPoint { pc, kind, frames, virtuals });
    }

    fn install(self, method: MethodRef, osr_bci: Option<u16>) -> &'static CompiledMethod {
        static ID: AtomicUsize = AtomicUsize::new(1);
        let mut assembled = self.out;
        assembled.code = self.ops.finalize().expect("no labels");
        let id = ID.fetch_add(1, Ordering::Relaxed) as u32;
        compiled::install(Compilation { id, method, tier: 4, osr_bci, assembled, ..Compilation::new(method) })
            .expect("there is room")
    }
}

fn frame(method: MethodRef, bci: u16, resume: Resume, locals: Vec<Where>, stack: Vec<Where>) -> FrameInfo {
    FrameInfo { method, bci, resume, locals, stack, monitors: vec![] }
}

/// What the tests share.
struct World {
    t: &'static JavaThread,
    class: ClassRef,
    /// An int at 8, a reference at 12.
    node: ClassRef,
}

impl World {
    fn bytecode(&self, descriptor: &'static str, max_stack: u16, max_locals: u16, code: &'static [u8]) -> MethodRef {
        let code: &'static Code<'static> = Box::leak(Box::new(Code {
            max_stack,
            max_locals,
            code,
            exception_table: vec![],
            line_numbers: vec![],
            local_variables: vec![],
            stack_map_table: None,
        }));
        self.place(Method::new(
            Symbol::of("m"),
            Symbol::of(descriptor),
            ACC_STATIC,
            MethodKind::Java,
            0,
            None,
            Some(code),
        ))
    }

    fn native(&self, descriptor: &'static str, f: jvm::meta::method::VmNative) -> MethodRef {
        let m = Method::new(
            Symbol::of("n"),
            Symbol::of(descriptor),
            ACC_STATIC | 0x100,
            MethodKind::Native,
            0,
            None,
            None,
        );
        m.set_vm_native(f);
        self.place(m)
    }

    fn place(&self, m: Method) -> MethodRef {
        let m = loader::boot().arena.place(m).expect("metaspace");
        m.set_class(self.class);
        m
    }

    /// `(II)I`, adds.
    fn adder(&self) -> MethodRef {
        self.bytecode("(II)I", 2, 2, &[0x1a, 0x1b, 0x60, 0xac])
    }
}

#[test]
fn compiled_code_and_the_interpreter() {
    let config = HeapConfig { max: 64 << 20, initial: 64 << 20, plan: Plan::StickyImmix, ..HeapConfig::default() };
    jvm::heap::init(&config).unwrap();
    jvm::code::initialize(16 << 20).unwrap();
    let t = lifecycle::attach(false).expect("a thread");
    let class = heap_support::class("Test", 16, InstanceKind::Plain, &[]);
    let node = heap_support::class("Node", 16, InstanceKind::Plain, &[OopMapBlock { offset: 12, count: 1 }]);
    let w = &World { t, class, node };
    calls_both_ways(w);
    arguments_and_results_of_all_types(w);
    stacks_are_walked_through_compiled_frames(w);
    exceptions_find_handlers(w);
    checks_deoptimize(w);
    scalar_replaced_objects_are_made(w);
    invalid_frames_go_on_in_the_interpreter(w);
    exceptions_pass_invalid_frames(w);
    loops_are_replaced_on_the_stack(w);
    registers_survive_safepoints_and_allocation(w);
    runtime_functions_compute(w);
    linking_a_class_gives_up_what_it_breaks(w);
    code_memory_is_reused(w);
}

fn calls_both_ways(w: &World) {
    let m = w.adder();
    assert_eq!(call(w.t, m, &[2, 3]), Ok(5), "interpreted");
    let mut a = Writer::new();
    a.mov(RESULT, A0);
    a.add(RESULT, A1);
    a.add(RESULT, A1);
    a.ret();
    let code = a.install(m, None);
    assert_eq!(call(w.t, m, &[2, 3]), Ok(8), "compiled, and not quite the same");
    // Compiled to compiled, and after that to interpreted.
    let outer = w.adder();
    let mut a = Writer::new();
    a.enter();
    a.call(m);
    a.point(PointKind::Call, vec![frame(outer, 2, Resume::Execute, vec![], vec![])], vec![]);
    a.leave();
    a.install(outer, None);
    assert_eq!(call(w.t, outer, &[2, 3]), Ok(8));
    assert!(compiled::make_not_entrant(code));
    assert!(!compiled::make_not_entrant(code));
    assert_eq!(call(w.t, outer, &[2, 3]), Ok(5), "compiled to interpreted");
    assert_eq!(call(w.t, m, &[(-2i32) as u32 as u64, 1]), Ok((-1i32) as u32 as u64));
}

fn arguments_and_results_of_all_types(w: &World) {
    // More of each than there are registers, through compiled code that passes them on in place.
    fn collect(_: &JavaThread, args: *const u64) -> VmResult<u64> {
        let at = |i: usize| unsafe { *args.add(i) };
        let ints = (0..9).map(|i| at(2 * i)).fold(0u64, |a, v| a.wrapping_mul(31).wrapping_add(v));
        let doubles = (0..9).map(|i| f64::from_bits(at(18 + 2 * i))).fold(0.0, |a, v| a * 3.0 + v);
        let (int, float) = (at(36) as i32, f32::from_bits(at(37) as u32));
        assert_eq!((at(36) >> 32, at(37) >> 32), (0, 0), "the high half of one-slot values");
        Ok((ints as f64 + doubles + f64::from(int) + f64::from(float)).to_bits())
    }
    let d = "(JJJJJJJJJDDDDDDDDDIF)D";
    let target = w.native(d, collect);
    let through = w.bytecode(d, 2, 38, &[0x0e, 0xaf]);
    let mut a = Writer::new();
    a.jump(target);
    a.install(through, None);
    let mut args = vec![];
    for i in 0..9u64 {
        args.extend([i + 1, 0]);
    }
    for i in 0..9 {
        args.extend([(f64::from(i) + 0.5).to_bits(), 0]);
    }
    args.extend([7, u64::from(2.5f32.to_bits())]);
    let expected = call(w.t, target, &args);
    assert_eq!(call(w.t, through, &args), expected);
    assert!(expected.is_ok_and(|v| f64::from_bits(v) > 1000.0));

    // A float comes back as one.
    let twice = w.native("(F)F", |_, args| Ok(u64::from((f32::from_bits(unsafe { *args } as u32) * 2.0).to_bits())));
    let through = w.bytecode("(F)F", 1, 1, &[0x0b, 0xae]);
    let mut a = Writer::new();
    a.enter();
    a.call(twice);
    a.point(PointKind::Call, vec![frame(through, 0, Resume::Execute, vec![], vec![])], vec![]);
    a.leave();
    a.install(through, None);
    assert_eq!(call(w.t, through, &[u64::from(1.25f32.to_bits())]), Ok(u64::from(2.5f32.to_bits())));
}

fn stacks_are_walked_through_compiled_frames(w: &World) {
    fn walk(t: &JavaThread, _: *const u64) -> VmResult<u64> {
        let frames: Vec<_> = stackwalk::frames(t).map(|f| (f.method.name.to_string(), f.bci)).collect();
        let want = [("n", 0), ("m", 3), ("m", 1), ("m", 2)].map(|(n, b)| (n.to_string(), b));
        assert_eq!(frames[..4], want);
        let locals: Vec<_> = stackwalk::frames(t).map(|f| f.local(0)).collect();
        assert_eq!(locals[1..4], [Some(77), None, Some(5)], "constant, dead, in the frame");
        Ok(frames.len() as u64)
    }
    let native = w.native("(I)I", walk);
    let (inner, outer) = (w.adder(), w.adder());
    let middle = w.adder();
    let mut a = Writer::new();
    a.enter();
    a.call(native);
    let seven = vec![Where::Const(Type::I32, 77)];
    let inlined = frame(inner, 3, Resume::Execute, seven, vec![]);
    a.point(PointKind::Call, vec![inlined, frame(middle, 1, Resume::AfterCall, vec![Where::Dead], vec![])], vec![]);
    a.leave();
    a.install(middle, None);
    let mut a = Writer::new();
    a.enter();
    a.store_slot(0, A0);
    a.call(middle);
    let local = vec![Where::Frame(Type::I32, 0)];
    a.point(PointKind::Call, vec![frame(outer, 2, Resume::Execute, local, vec![])], vec![]);
    a.leave();
    a.install(outer, None);
    assert_eq!(call(w.t, outer, &[5, 6]), Ok(4));
}

/// A method of `(II)I` that calls `target` with its arguments and returns its result; with a handler that returns
/// 1000 if asked for.
fn caller_of(w: &World, target: MethodRef, handler: bool) -> MethodRef {
    let m = w.adder();
    let mut a = Writer::new();
    a.enter();
    a.call(target);
    let pc = a.here();
    a.point(PointKind::Call, vec![frame(m, 2, Resume::Execute, vec![], vec![])], vec![]);
    a.leave();
    if handler {
        let at = a.here();
        a.out.handlers.push((pc, at));
        a.clear_exception();
        a.constant(RESULT, 1000);
        a.leave();
    }
    a.install(m, None);
    m
}

fn exceptions_find_handlers(w: &World) {
    let exception = alloc::instance(w.t, w.node).unwrap();
    access::store::<i32>(exception, 8, 42);
    // Thrown by compiled code whose frame is gone.
    let thrower = w.adder();
    let mut a = Writer::new();
    a.constant(RESULT, exception.address() as u64);
    a.jump_stub(Stub::Throw);
    a.install(thrower, None);
    assert_thrown(w, call(w.t, thrower, &[1, 2]), exception);
    let middle = caller_of(w, thrower, false);
    assert_thrown(w, call(w.t, middle, &[1, 2]), exception);
    let catcher = caller_of(w, middle, true);
    assert_eq!(call(w.t, catcher, &[1, 2]), Ok(1000));
    // Thrown by a native: through the interpreter's entry.
    static THROWN: AtomicU64 = AtomicU64::new(0);
    THROWN.store(exception.address() as u64, Ordering::Relaxed);
    let native = w.native("(II)I", |t, _| {
        Err(t.set_exception(Oop::from_address(THROWN.load(Ordering::Relaxed) as usize)))
    });
    assert_thrown(w, call(w.t, caller_of(w, native, false), &[1, 2]), exception);
    assert_eq!(call(w.t, caller_of(w, native, true), &[1, 2]), Ok(1000));
    std::hint::black_box(exception);
}

fn assert_thrown(w: &World, result: VmResult<u64>, exception: Oop) {
    assert_eq!(result, Err(Thrown::pending(w.t)));
    assert_eq!(w.t.take_exception(), exception);
}

fn checks_deoptimize(w: &World) {
    // iload_0; iload_1; iadd; ireturn: the failing check is in iadd, with the operands in a register and constant.
    let m = w.adder();
    let mut a = Writer::new();
    a.enter();
    let temporary = if cfg!(target_arch = "x86_64") { 3 } else { 20 };
    a.mov(temporary, A0);
    a.call_stub(Stub::Deopt);
    let stack = vec![Where::Int(Type::I32, temporary), Where::Const(Type::I32, 30)];
    let locals = vec![Where::Int(Type::I32, A0), Where::Dead];
    a.point(
        PointKind::Deopt(Reason::RangeCheck, Action::Reinterpret),
        vec![frame(m, 2, Resume::Execute, locals, stack)],
        vec![],
    );
    let code = a.install(m, None);
    assert_eq!(call(w.t, caller_of(w, m, false), &[0xffff_ffff_0000_0004, 3]), Ok(34));
    assert_eq!(code.state(), CodeState::NotEntrant, "the action says so");
    assert_eq!(call(w.t, m, &[4, 3]), Ok(7));
    // Two inlined methods: the inner one's result goes onto the outer one's stack.
    let (inner, outer) = (w.adder(), w.adder());
    let mut a = Writer::new();
    a.enter();
    a.call_stub(Stub::Deopt);
    let locals = vec![Where::Int(Type::I32, A0), Where::Int(Type::I32, A1)];
    a.point(
        PointKind::Deopt(Reason::UnstableIf, Action::None),
        vec![
            frame(inner, 0, Resume::Execute, locals, vec![]),
            // As if iload_1 had been a call.
            frame(outer, 1, Resume::AfterCall, vec![], vec![Where::Const(Type::I32, 100)]),
        ],
        vec![],
    );
    let code = a.install(outer, None);
    assert_eq!(call(w.t, outer, &[4, 3]), Ok(107));
    assert_eq!(code.state(), CodeState::Entrant);
    // The call is the last instruction and fills the block: its return address is where the next block begins.
    let m = w.adder();
    let mut a = Writer::new();
    a.call_stub(Stub::Deopt);
    let length = a.here() as usize;
    let mut a = Writer::new();
    a.enter();
    while (a.here() as usize + length) % jvm::code::cache::UNIT != 0 {
        #[cfg(target_arch = "x86_64")]
        a.ops.push(0x90);
        #[cfg(target_arch = "aarch64")]
        a.ops.push_u32(0xd503_201f);
    }
    a.call_stub(Stub::Deopt);
    let locals = vec![Where::Int(Type::I32, A0), Where::Int(Type::I32, A1)];
    a.point(
        PointKind::Deopt(Reason::UnstableIf, Action::None),
        vec![frame(m, 0, Resume::Execute, locals, vec![])],
        vec![],
    );
    a.install(m, None);
    let next = w.adder();
    let mut a = Writer::new();
    a.ret();
    a.install(next, None);
    assert_eq!(call(w.t, m, &[4, 3]), Ok(7));
}

fn scalar_replaced_objects_are_made(w: &World) {
    // aload_0; areturn
    let m = w.bytecode("(I)Ljava/lang/Object;", 1, 1, &[0x2a, 0xb0]);
    let mut a = Writer::new();
    a.enter();
    a.call_stub(Stub::Deopt);
    let field = |offset, mem, place| (offset, mem, place);
    a.point(
        PointKind::Deopt(Reason::ClassCheck, Action::None),
        vec![frame(m, 0, Resume::Execute, vec![Where::Virtual(1)], vec![])],
        vec![
            VirtualInfo {
                class: w.node,
                length: 0,
                fields: vec![field(8, Mem::I32, Where::Const(Type::I32, 9)), field(12, Mem::Ref, Where::Virtual(1))],
                locks: 0,
                boxed: false,
            },
            VirtualInfo {
                class: w.node,
                length: 0,
                fields: vec![
                    field(8, Mem::I32, Where::Int(Type::I32, A0)),
                    field(12, Mem::Ref, Where::Virtual(0)),
                ],
                locks: 0,
                boxed: false,
            },
        ],
    );
    a.install(m, None);
    let made = Oop::from_address(call(w.t, m, &[1234]).unwrap() as usize);
    assert_eq!(made.class(), w.node);
    assert_eq!(access::load::<i32>(made, 8), 1234);
    let other = access::load_ref(made, 12);
    assert_eq!(access::load::<i32>(other, 8), 9);
    assert_eq!(access::load_ref(other, 12), made);
}

static INVALIDATED: AtomicUsize = AtomicUsize::new(0);

/// Invalidates the code at `INVALIDATED` while it has a frame.
fn invalidate(t: &JavaThread) {
    let code = compiled::find(INVALIDATED.load(Ordering::Relaxed)).expect("installed");
    sweep::sweep(t);
    sweep::invalidate(t, &[code], &"test");
    assert_eq!(code.state(), CodeState::NotEntrant);
    assert_eq!(sweep::sweep(t), 0, "a frame is still in it");
}

fn invalid_frames_go_on_in_the_interpreter(w: &World) {
    let native = w.native("(II)I", |t, args| {
        let before: Vec<_> = stackwalk::frames(t).map(|f| (f.method, f.bci)).collect();
        invalidate(t);
        let after: Vec<_> = stackwalk::frames(t).map(|f| (f.method, f.bci)).collect();
        assert_eq!(before, after, "walkers see no difference");
        Ok(unsafe { *args } + 10)
    });
    // iload_0; arraylength (stands for the call: its result is an int); iadd; ireturn
    let m = w.bytecode("(II)I", 2, 2, &[0x1a, 0xbe, 0x60, 0xac]);
    let mut a = Writer::new();
    a.enter();
    a.store_slot(8, A1);
    a.call(native);
    let stack = vec![Where::Frame(Type::I32, 8)];
    a.point(PointKind::Call, vec![frame(m, 1, Resume::AfterCall, vec![], stack)], vec![]);
    a.constant(RESULT, 0);
    a.leave();
    let code = a.install(m, None);
    INVALIDATED.store(code.entry, Ordering::Relaxed);
    let outer = caller_of(w, m, false);
    // Compiled, the result would be 0.
    assert_eq!(call(w.t, outer, &[5, 3]), Ok(18));
    assert!(sweep::sweep(w.t) > 0, "no frame is in it any more");
    assert_eq!(code.state(), CodeState::Freed);
}

fn exceptions_pass_invalid_frames(w: &World) {
    static THROWN: AtomicU64 = AtomicU64::new(0);
    let exception = alloc::instance(w.t, w.node).unwrap();
    THROWN.store(exception.address() as u64, Ordering::Relaxed);
    let native = w.native("(II)I", |t, _| {
        invalidate(t);
        Err(t.set_exception(Oop::from_address(THROWN.load(Ordering::Relaxed) as usize)))
    });
    let m = caller_of(w, native, false);
    INVALIDATED.store(compiled::of_method(m).expect("installed").entry, Ordering::Relaxed);
    let catcher = caller_of(w, m, true);
    assert_eq!(call(w.t, catcher, &[5, 3]), Ok(1000));
    // The bytecode has no handler: what compiled code did with its own is not known to the interpreter.
    let m = caller_of(w, native, true);
    INVALIDATED.store(compiled::of_method(m).expect("installed").entry, Ordering::Relaxed);
    assert_thrown(w, call(w.t, caller_of(w, m, false), &[5, 3]), exception);
    std::hint::black_box(exception);
}

fn loops_are_replaced_on_the_stack(w: &World) {
    // 0 iconst_0; 1 istore_1; 2 iload_1; 3 iload_0; 4 if_icmpge 13; 7 iinc 1 1; 10 goto 2; 13 iload_1; ireturn
    let code = &[0x03, 0x3c, 0x1b, 0x1a, 0xa2, 0, 9, 0x84, 1, 1, 0xa7, 0xff, 0xf8, 0x1b, 0xac];
    let m = w.bytecode("(I)I", 2, 2, code);
    assert_eq!(call(w.t, m, &[5000]), Ok(5000));
    let mut a = Writer::new();
    a.load(RESULT, A0, 8);
    a.constant(A1, 1_000_000);
    a.add(RESULT, A1);
    a.ret();
    a.install(m, Some(2));
    let result = call(w.t, m, &[5000]).unwrap();
    assert!((1_000_001..1_005_000).contains(&result), "left after {result} - 1000000 rounds");
    // With an interpreted caller, whose stack gets the result: the other method is the same, its loop replaced
    // too, so that a frame of compiled code lies between.
    assert!((1_000_001..1_005_000).contains(&call(w.t, caller_of(w, m, false), &[5000, 0]).unwrap()));
}

fn registers_survive_safepoints_and_allocation(w: &World) {
    let m = w.adder();
    let mut a = Writer::new();
    a.enter();
    a.call_stub(Stub::Safepoint);
    a.point(PointKind::Poll, vec![frame(m, 0, Resume::Execute, vec![], vec![])], vec![]);
    a.store_slot(0, A0);
    a.constant(RESULT, u64::from(w.node.word()));
    a.call_stub(Stub::NewInstance);
    a.point(PointKind::Call, vec![frame(m, 0, Resume::Execute, vec![], vec![])], vec![]);
    // The object's class word, the arguments being where they were.
    a.load(RESULT, RESULT, 0);
    #[cfg(target_arch = "x86_64")]
    dynasm!(a.ops; .arch x64; shr rax, 32; sub eax, w.node.word() as i32);
    #[cfg(target_arch = "aarch64")]
    {
        a.constant(9, u64::from(w.node.word()));
        dynasm!(a.ops; .arch aarch64; lsr x0, x0, #32; sub w0, w0, w9);
    }
    a.add(RESULT, A0);
    a.add(RESULT, A1);
    a.load_slot(A0, 0);
    a.add(RESULT, A0);
    a.load_thread(A1, offsets::EXCEPTION);
    a.add(RESULT, A1);
    a.leave();
    a.install(m, None);
    assert_eq!(call(w.t, m, &[30, 4]), Ok(64));
    // Length in the first argument register.
    let ints = heap_support::class("[I", Class::array_layout(BasicType::Int), InstanceKind::PrimitiveArray, &[]);
    let m = w.bytecode("(I)Ljava/lang/Object;", 1, 1, &[0x01, 0xb0]);
    let mut a = Writer::new();
    a.enter();
    a.constant(RESULT, u64::from(ints.word()));
    a.call_stub(Stub::NewArray);
    a.point(PointKind::Call, vec![frame(m, 0, Resume::Execute, vec![], vec![])], vec![]);
    a.leave();
    a.install(m, None);
    let made = Oop::from_address(call(w.t, m, &[1000]).unwrap() as usize);
    assert_eq!((made.class(), made.array_length()), (ints, 1000));
}

fn runtime_functions_compute(w: &World) {
    let m = w.bytecode("(DD)D", 2, 4, &[0x0e, 0xaf]);
    let mut a = Writer::new();
    a.enter();
    a.call_stub(Stub::Runtime(Runtime::DRem));
    a.leave();
    a.install(m, None);
    assert_eq!(call(w.t, m, &[7.5f64.to_bits(), 0, 2.0f64.to_bits(), 0]), Ok(1.5f64.to_bits()));
    // A lock, and its release.
    let m = w.bytecode("(Ljava/lang/Object;)I", 1, 1, &[0x03, 0xac]);
    let object = alloc::instance(w.t, w.node).unwrap();
    let mut a = Writer::new();
    a.enter();
    a.store_slot(0, A0);
    a.call_stub(Stub::Runtime(Runtime::MonitorEnter));
    a.point(PointKind::Call, vec![frame(m, 0, Resume::Execute, vec![], vec![])], vec![]);
    a.load_slot(A0, 0);
    let held = w.native("(Ljava/lang/Object;)I", |t, args| {
        Ok(u64::from(jvm::threads::monitor::holds(t, Oop::from_address(unsafe { *args } as usize))))
    });
    a.call(held);
    a.point(PointKind::Call, vec![frame(m, 0, Resume::Execute, vec![], vec![])], vec![]);
    a.store_slot(8, RESULT);
    a.load_slot(A0, 0);
    a.call_stub(Stub::Runtime(Runtime::MonitorExit));
    a.point(PointKind::Call, vec![frame(m, 0, Resume::Execute, vec![], vec![])], vec![]);
    a.load_slot(RESULT, 8);
    a.leave();
    a.install(m, None);
    assert_eq!(call(w.t, m, &[object.address() as u64]), Ok(1));
    assert!(!jvm::threads::monitor::holds(w.t, object));
}

fn linking_a_class_gives_up_what_it_breaks(w: &World) {
    let base = heap_support::class("Base", 16, InstanceKind::Plain, &[]);
    let m = w.adder();
    let assume = |assumption: Dependency| {
        let mut a = Writer::new();
        a.constant(RESULT, 77);
        a.ret();
        let mut dependencies = Dependencies::default();
        dependencies.add(assumption);
        let code = a.ops.finalize().expect("no labels");
        let assembled = Assembled { code, frame_size: FRAME, ..Assembled::default() };
        compiled::install(Compilation { assembled, dependencies, ..Compilation::new(m) })
    };
    let code = assume(Dependency::LeafClass(base)).expect("it is a leaf");
    assert_eq!(call(w.t, m, &[1, 2]), Ok(77));
    let sub = heap_support::subclass("Sub", base);
    assert!(assume(Dependency::LeafClass(base)).is_ok(), "a class that is not linked has no instances");
    jvm::code::dependencies::class_linked(w.t, sub);
    assert_ne!(code.state(), CodeState::Entrant);
    assert_eq!(call(w.t, m, &[1, 2]), Ok(3), "interpreted again");
    let refused = assume(Dependency::LeafClass(base)).map(|c| c.id);
    assert_eq!(refused, Err(jvm::code::InstallError::BrokenDependency));
    assert_eq!(call(w.t, m, &[1, 2]), Ok(3));
    // One subclass with instances below an abstract class is what this says; a second one is too many.
    let unique = Dependency::UniqueConcreteSubclass { class: base, subclass: sub };
    let code = assume(unique).expect("there is but one");
    jvm::code::dependencies::class_linked(w.t, heap_support::subclass("Below", sub));
    assert_eq!(code.state(), CodeState::Entrant);
    jvm::code::dependencies::class_linked(w.t, heap_support::subclass("Beside", base));
    assert_ne!(code.state(), CodeState::Entrant);
}

fn code_memory_is_reused(w: &World) {
    let m = w.adder();
    let mut entries = std::collections::BTreeSet::new();
    for i in 0..100 {
        let mut a = Writer::new();
        a.constant(RESULT, i);
        a.ret();
        let code = a.install(m, None);
        entries.insert(code.entry);
        assert_eq!(call(w.t, m, &[1, 2]), Ok(i));
        assert_eq!(compiled::find(code.entry + 4).map(|c| c.id), Some(code.id));
        sweep::sweep(w.t);
    }
    assert!(entries.len() < 10, "{} places", entries.len());
    let (reserved, used, _) = cache::get().expect("a cache").usage();
    assert!(used < reserved / 10);
    let code = compiled::of_method(m).expect("installed");
    assert_eq!(call(w.t, m, &[1, 2]), Ok(99));
    compiled::make_not_entrant(code);
    assert!(sweep::sweep(w.t) > 0);
    assert!(compiled::find(code.entry).is_none());
}
