//! The dispatch loop.
//!
//! The running frame's state (instruction, operand stack and locals pointers) lives in local
//! variables; it is saved to the frame before anything that can stop at a safepoint, throw or
//! walk the stack. Everything uncommon is a function of `slow`, so that the loop stays small
//! enough for its state to stay in registers.

use super::frame::{save, Frame, FrameKind};
use super::insn::{LinkedSite, ReceiverSite, SwitchTable};
use super::op::Op;
use super::semantics::{dcmp, drem, fcmp, frem, idiv, lcmp};
use super::slow::{self, CallOutcome, GoOn};
use super::quicken::quicken;
use crate::exceptions::{Thrown, VmResult};
use crate::heap::access;
use crate::heap::alloc;
use crate::heap::layout::{widen, Oop, ARRAY_LENGTH_OFFSET, CLASS_OFFSET};
use crate::heap::roots::RootSlot;
use crate::meta::class::{offsets as class_offsets, Class};
use crate::meta::method::{Method, MethodRef};
use crate::threads::JavaThread;
use std::sync::atomic::{AtomicU64, Ordering};

/// How [`run`] begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Start {
    /// Execute the instruction at the topmost frame's saved pc.
    Execute,
    /// Raise the pending exception in the topmost frame.
    Raise,
}

#[inline(always)]
unsafe fn fetch(pc: *const u64) -> u64 {
    (*(pc as *const AtomicU64)).load(Ordering::Relaxed)
}

#[inline(always)]
unsafe fn load_class_word(object: u64) -> u32 {
    *((object as usize + CLASS_OFFSET) as *const u32)
}

#[inline(always)]
unsafe fn array_len(array: u64) -> u32 {
    *((array as usize + ARRAY_LENGTH_OFFSET) as *const u32)
}

/// Interprets from the thread's topmost frame, a Java frame whose pc, sp and locals are set,
/// until the border beneath it returns (its raw result, 0 for void) or is reached by an
/// exception. The border is then the topmost frame. This is also where deoptimized code goes
/// on: push the frames, then run.
///
/// # Safety
/// The frames from the topmost down to the nearest border must be well formed.
pub unsafe fn run(t: &JavaThread, start: Start) -> VmResult<u64> {
    let mut frame: *mut Frame = t.top_frame.get();
    let mut pc: *const u64;
    let mut sp: *mut u64;
    let mut locals: *mut u64;
    let mut raise = start == Start::Raise;
    loop {
        'exception: {
            if raise {
                break 'exception;
            }
            pc = (*frame).pc as *const u64;
            sp = (*frame).sp;
            locals = (*frame).locals;
            let mut insn = fetch(pc);

            macro_rules! a {
                () => {
                    ((insn >> 16) as u16) as usize
                };
            }
            macro_rules! b {
                () => {
                    (insn >> 32) as u32
                };
            }
            /// To the next instruction.
            macro_rules! next {
                () => {{
                    pc = pc.add(1);
                    insn = fetch(pc);
                    continue;
                }};
            }
            /// Past a fused sequence.
            macro_rules! skip {
                ($n:expr) => {{
                    pc = pc.add($n);
                    insn = fetch(pc);
                    continue;
                }};
            }
            /// Operands of the instruction `$n` further on.
            macro_rules! a_at {
                ($n:expr) => {
                    (fetch(pc.add($n)) >> 16) as u16 as usize
                };
            }
            macro_rules! b_at {
                ($n:expr) => {
                    (fetch(pc.add($n)) >> 32) as u32
                };
            }
            macro_rules! local {
                ($i:expr) => {
                    *locals.add($i)
                };
            }
            macro_rules! push {
                ($v:expr) => {{
                    let v: u64 = $v;
                    *sp = v;
                    sp = sp.add(1);
                }};
            }
            macro_rules! top {
                ($i:expr) => {
                    *sp.sub($i)
                };
            }
            /// The same, kept a load of its own: two slots stored one by one and read as a pair
            /// would miss store forwarding.
            macro_rules! slot {
                ($i:expr) => {
                    sp.sub($i).read_volatile()
                };
            }
            macro_rules! int {
                ($i:expr) => {
                    top!($i) as i32
                };
            }
            macro_rules! float {
                ($i:expr) => {
                    f32::from_bits(top!($i) as u32)
                };
            }
            macro_rules! double {
                ($i:expr) => {
                    f64::from_bits(top!($i))
                };
            }
            macro_rules! long {
                ($i:expr) => {
                    top!($i) as i64
                };
            }
            /// Two one-slot operands to one.
            macro_rules! binary_int {
                (|$x:ident, $y:ident| $e:expr) => {{
                    let ($x, $y) = (int!(2), int!(1));
                    let r: i32 = $e;
                    sp = sp.sub(1);
                    top!(1) = r as u32 as u64;
                    next!()
                }};
            }
            macro_rules! binary_float {
                (|$x:ident, $y:ident| $e:expr) => {{
                    let ($x, $y) = (f32::from_bits(slot!(2) as u32), f32::from_bits(slot!(1) as u32));
                    let r: f32 = $e;
                    sp = sp.sub(1);
                    top!(1) = r.to_bits() as u64;
                    next!()
                }};
            }
            /// Two two-slot operands to one.
            macro_rules! binary_long {
                (|$x:ident, $y:ident| $e:expr) => {{
                    let ($x, $y) = (long!(4), long!(2));
                    let r: i64 = $e;
                    sp = sp.sub(2);
                    top!(2) = r as u64;
                    next!()
                }};
            }
            macro_rules! binary_double {
                (|$x:ident, $y:ident| $e:expr) => {{
                    let ($x, $y) = (double!(4), double!(2));
                    let r: f64 = $e;
                    sp = sp.sub(2);
                    top!(2) = r.to_bits();
                    next!()
                }};
            }
            macro_rules! shift_long {
                (|$x:ident, $y:ident| $e:expr) => {{
                    let ($x, $y) = (long!(3), int!(1) as u32);
                    let r: i64 = $e;
                    sp = sp.sub(1);
                    top!(2) = r as u64;
                    next!()
                }};
            }
            /// The call threw: state is saved, the exception pends.
            macro_rules! attempt {
                ($e:expr) => {
                    match $e {
                        Ok(v) => v,
                        Err(_pending) => break 'exception,
                    }
                };
            }
            macro_rules! raise {
                ($f:ident $(, $arg:expr)*) => {{
                    slow::$f(t, frame, pc, sp $(, $arg)*);
                    break 'exception;
                }};
            }
            macro_rules! non_null {
                ($v:expr) => {{
                    let v: u64 = $v;
                    if v == 0 {
                        raise!(null_pointer);
                    }
                    v
                }};
            }
            macro_rules! jump {
                ($displacement:expr) => {{
                    let d: i32 = $displacement;
                    let target = pc.offset(d as isize);
                    if d <= 0 {
                        let method = &*(*frame).method;
                        let n = method.backedge_counter.load(Ordering::Relaxed).wrapping_add(1);
                        method.backedge_counter.store(n, Ordering::Relaxed);
                        if t.poll.load(Ordering::Relaxed) != 0 || n & t.backedge_mask.get() == 0 {
                            attempt!(slow::backedge(t, frame, target, sp));
                        }
                    }
                    pc = target;
                    insn = fetch(pc);
                    continue;
                }};
            }
            /// The branch instruction `$n` further on, of a fused sequence of `$n` + 1.
            macro_rules! fused_branch {
                ($n:expr, $c:expr) => {{
                    let c: bool = $c;
                    if c {
                        let d = b_at!($n) as i32;
                        pc = pc.add($n);
                        jump!(d);
                    }
                    skip!($n + 1)
                }};
            }
            /// A fused array load of `$n` + 1 instructions: the element, or only the first
            /// instruction's work, a load, if there is none.
            macro_rules! fused_element {
                ($n:expr, $array:expr, $index:expr, $base:expr, $ty:ty) => {{
                    let array: u64 = $array;
                    let index = $index as u32;
                    if array == 0 || index >= array_len(array) {
                        push!(local!(a!()));
                        next!()
                    }
                    *((array as usize + $base + index as usize * std::mem::size_of::<$ty>()) as *const $ty)
                }};
            }
            macro_rules! load_load_int {
                (|$x:ident, $y:ident| $e:expr) => {{
                    let ($x, $y) = (local!(a!()) as i32, local!(a_at!(1)) as i32);
                    let r: i32 = $e;
                    push!(r as u32 as u64);
                    skip!(3)
                }};
            }
            macro_rules! load_const_int {
                (|$x:ident, $y:ident| $e:expr) => {{
                    let ($x, $y) = (local!(a!()) as i32, b_at!(1) as i32);
                    let r: i32 = $e;
                    push!(r as u32 as u64);
                    skip!(3)
                }};
            }
            /// The operand on top with `$operand`.
            macro_rules! top_int {
                ($operand:expr, |$x:ident, $y:ident| $e:expr) => {{
                    let ($x, $y) = (int!(1), $operand as i32);
                    let r: i32 = $e;
                    top!(1) = r as u32 as u64;
                    skip!(2)
                }};
            }
            macro_rules! load_load_long {
                (|$x:ident, $y:ident| $e:expr) => {{
                    let ($x, $y) = (local!(a!()) as i64, local!(a_at!(1)) as i64);
                    *sp = $e as u64;
                    sp = sp.add(2);
                    skip!(3)
                }};
            }
            macro_rules! load_load_double {
                (|$x:ident, $y:ident| $e:expr) => {{
                    let ($x, $y) = (f64::from_bits(local!(a!())), f64::from_bits(local!(a_at!(1))));
                    let r: f64 = $e;
                    *sp = r.to_bits();
                    sp = sp.add(2);
                    skip!(3)
                }};
            }
            macro_rules! top_long {
                (|$x:ident, $y:ident| $e:expr) => {{
                    let ($x, $y) = (long!(2), local!(a!()) as i64);
                    top!(2) = $e as u64;
                    skip!(2)
                }};
            }
            macro_rules! top_double {
                (|$x:ident, $y:ident| $e:expr) => {{
                    let ($x, $y) = (double!(2), f64::from_bits(local!(a!())));
                    let r: f64 = $e;
                    top!(2) = r.to_bits();
                    skip!(2)
                }};
            }
            /// Load of a local and its field; on null only the load.
            macro_rules! load_get_field {
                ($ty:ty, |$v:ident| $e:expr) => {{
                    let object = local!(a!());
                    if object == 0 {
                        push!(object);
                        next!()
                    }
                    let $v = ((object as usize + b!() as usize) as *const $ty).read_volatile();
                    push!($e);
                    skip!(2)
                }};
            }
            macro_rules! branch_if {
                ($c:expr, $pop:expr) => {{
                    let c: bool = $c;
                    sp = sp.sub($pop);
                    if c {
                        jump!(b!() as i32);
                    }
                    next!()
                }};
            }
            /// Address of the element after null and bounds checks; array at depth `$at`.
            macro_rules! element {
                ($at:expr, $base:expr, $ty:ty) => {{
                    let array = non_null!(top!($at));
                    let index = top!($at - 1) as u32;
                    if index >= array_len(array) {
                        raise!(index_out_of_bounds, array, index as i32);
                    }
                    (array as usize + $base + index as usize * std::mem::size_of::<$ty>()) as *mut $ty
                }};
            }
            /// Field of the object on top.
            macro_rules! get_field {
                ($ty:ty, |$v:ident| $e:expr) => {{
                    let object = non_null!(top!(1));
                    let $v = ((object as usize + b!() as usize) as *const $ty).read_volatile();
                    top!(1) = $e;
                    next!()
                }};
            }
            macro_rules! put_field {
                ($ty:ty, $slots:expr, |$v:ident| $e:expr) => {{
                    let object = non_null!(top!($slots + 1));
                    let $v = top!($slots);
                    ((object as usize + b!() as usize) as *mut $ty).write_volatile($e);
                    sp = sp.sub($slots + 1);
                    next!()
                }};
            }
            macro_rules! static_address {
                ($ty:ty) => {
                    (widen(b!()) + a!()) as *mut $ty
                };
            }
            /// Drops the running frame and goes on in its caller, `$slots` results pushed.
            macro_rules! leave {
                ($result:expr, $slots:expr) => {{
                    let result: u64 = $result;
                    if t.poll.load(Ordering::Relaxed) != 0 {
                        attempt!(slow::return_poll(t, frame, pc, sp, result));
                    }
                    let caller = (*frame).prev;
                    let base = locals;
                    t.top_frame.set(caller);
                    if (*caller).kind != FrameKind::Java {
                        return Ok(result);
                    }
                    frame = caller;
                    pc = ((*frame).pc as *const u64).add(1);
                    locals = (*frame).locals;
                    sp = base;
                    if $slots > 0 {
                        *sp = result;
                        sp = sp.add($slots);
                    }
                    insn = fetch(pc);
                    continue;
                }};
            }
            macro_rules! quick {
                () => {{
                    insn = attempt!(quicken(t, frame, pc, sp, insn));
                    continue;
                }};
            }

            loop {
                let mut callee: MethodRef = loop {
                    // SAFETY: only values of Op are ever stored as an instruction's operation.
                    let op: Op = std::mem::transmute::<u16, Op>(insn as u16);
                    match op {
                        Op::Nop => next!(),
                        Op::Const => {
                            push!(insn >> 32);
                            next!()
                        }
                        Op::LConst => {
                            *sp = ((insn as i64) >> 32) as u64;
                            sp = sp.add(2);
                            next!()
                        }
                        Op::DConst1 => {
                            *sp = 1f64.to_bits();
                            sp = sp.add(2);
                            next!()
                        }
                        Op::Ldc => quick!(),
                        Op::LdcQ => {
                            push!((*(b!() as usize as *const RootSlot)).get().address() as u64);
                            next!()
                        }
                        Op::Ldc2Q => {
                            *sp = *(b!() as usize as *const u64);
                            sp = sp.add(2);
                            next!()
                        }
                        Op::Load => {
                            push!(*locals.add(a!()));
                            next!()
                        }
                        Op::Load2 => {
                            *sp = *locals.add(a!());
                            sp = sp.add(2);
                            next!()
                        }
                        Op::Store => {
                            sp = sp.sub(1);
                            *locals.add(a!()) = *sp;
                            next!()
                        }
                        Op::Store2 => {
                            sp = sp.sub(2);
                            *locals.add(a!()) = *sp;
                            next!()
                        }
                        Op::IALoad => {
                            let v = *element!(2, 12, u32);
                            sp = sp.sub(1);
                            top!(1) = u64::from(v);
                            next!()
                        }
                        Op::LALoad => {
                            let v = *element!(2, 16, u64);
                            top!(2) = v;
                            next!()
                        }
                        Op::AALoad => {
                            let v = *element!(2, 12, u32);
                            sp = sp.sub(1);
                            top!(1) = widen(v) as u64;
                            next!()
                        }
                        Op::BALoad => {
                            let v = *element!(2, 16, i8);
                            sp = sp.sub(1);
                            top!(1) = i32::from(v) as u32 as u64;
                            next!()
                        }
                        Op::CALoad => {
                            let v = *element!(2, 12, u16);
                            sp = sp.sub(1);
                            top!(1) = u64::from(v);
                            next!()
                        }
                        Op::SALoad => {
                            let v = *element!(2, 12, i16);
                            sp = sp.sub(1);
                            top!(1) = i32::from(v) as u32 as u64;
                            next!()
                        }
                        Op::IAStore => {
                            let p = element!(3, 12, u32);
                            *p = top!(1) as u32;
                            sp = sp.sub(3);
                            next!()
                        }
                        Op::LAStore => {
                            let p = element!(4, 16, u64);
                            *p = top!(2);
                            sp = sp.sub(4);
                            next!()
                        }
                        Op::AAStore => {
                            let p = element!(3, 12, u32);
                            let (array, value) = (top!(3), top!(1));
                            if value != 0 {
                                let class = &*(load_class_word(array) as usize as *const Class);
                                let component = class.component.unwrap_unchecked();
                                if load_class_word(value) != component.word()
                                    && !Class::from_word(load_class_word(value)).is_subclass_of(component)
                                {
                                    raise!(array_store, value);
                                }
                            }
                            let array = Oop::from_address(array as usize);
                            access::store_ref(t, array, p as usize - array.address(), Oop::from_address(value as usize));
                            sp = sp.sub(3);
                            next!()
                        }
                        Op::BAStore => {
                            let p = element!(3, 16, u8);
                            let v = top!(1) as u8;
                            // A boolean[] takes the lowest bit only.
                            let boolean = slow::is_boolean_array(top!(3));
                            *p = if boolean { v & 1 } else { v };
                            sp = sp.sub(3);
                            next!()
                        }
                        Op::CAStore => {
                            let p = element!(3, 12, u16);
                            *p = top!(1) as u16;
                            sp = sp.sub(3);
                            next!()
                        }
                        Op::Pop => {
                            sp = sp.sub(1);
                            next!()
                        }
                        Op::Pop2 => {
                            sp = sp.sub(2);
                            next!()
                        }
                        Op::Dup => {
                            push!(*sp.sub(1));
                            next!()
                        }
                        Op::DupX1 => {
                            let (x, y) = (slot!(2), slot!(1));
                            top!(2) = y;
                            top!(1) = x;
                            push!(y);
                            next!()
                        }
                        Op::DupX2 => {
                            let (x, y, z) = (slot!(3), slot!(2), slot!(1));
                            top!(3) = z;
                            top!(2) = x;
                            top!(1) = y;
                            push!(z);
                            next!()
                        }
                        Op::Dup2 => {
                            let (x, y) = (slot!(2), slot!(1));
                            *sp = x;
                            *sp.add(1) = y;
                            sp = sp.add(2);
                            next!()
                        }
                        Op::Dup2X1 => {
                            let (x, y, z) = (slot!(3), slot!(2), slot!(1));
                            top!(3) = y;
                            top!(2) = z;
                            top!(1) = x;
                            *sp = y;
                            *sp.add(1) = z;
                            sp = sp.add(2);
                            next!()
                        }
                        Op::Dup2X2 => {
                            let (w, x, y, z) = (slot!(4), slot!(3), slot!(2), slot!(1));
                            top!(4) = y;
                            top!(3) = z;
                            top!(2) = w;
                            top!(1) = x;
                            *sp = y;
                            *sp.add(1) = z;
                            sp = sp.add(2);
                            next!()
                        }
                        Op::Swap => {
                            let (x, y) = (slot!(2), slot!(1));
                            top!(2) = y;
                            top!(1) = x;
                            next!()
                        }
                        Op::IAdd => binary_int!(|x, y| x.wrapping_add(y)),
                        Op::ISub => binary_int!(|x, y| x.wrapping_sub(y)),
                        Op::IMul => binary_int!(|x, y| x.wrapping_mul(y)),
                        Op::IDiv => {
                            if int!(1) == 0 {
                                raise!(division_by_zero);
                            }
                            binary_int!(|x, y| idiv(x, y))
                        }
                        Op::IRem => {
                            if int!(1) == 0 {
                                raise!(division_by_zero);
                            }
                            binary_int!(|x, y| x.wrapping_rem(y))
                        }
                        Op::IAnd => binary_int!(|x, y| x & y),
                        Op::IOr => binary_int!(|x, y| x | y),
                        Op::IXor => binary_int!(|x, y| x ^ y),
                        Op::IShl => binary_int!(|x, y| x.wrapping_shl(y as u32)),
                        Op::IShr => binary_int!(|x, y| x.wrapping_shr(y as u32)),
                        Op::IUshr => binary_int!(|x, y| (x as u32).wrapping_shr(y as u32) as i32),
                        Op::LAdd => binary_long!(|x, y| x.wrapping_add(y)),
                        Op::LSub => binary_long!(|x, y| x.wrapping_sub(y)),
                        Op::LMul => binary_long!(|x, y| x.wrapping_mul(y)),
                        Op::LDiv => {
                            if long!(2) == 0 {
                                raise!(division_by_zero);
                            }
                            binary_long!(|x, y| x.wrapping_div(y))
                        }
                        Op::LRem => {
                            if long!(2) == 0 {
                                raise!(division_by_zero);
                            }
                            binary_long!(|x, y| x.wrapping_rem(y))
                        }
                        Op::LAnd => binary_long!(|x, y| x & y),
                        Op::LOr => binary_long!(|x, y| x | y),
                        Op::LXor => binary_long!(|x, y| x ^ y),
                        Op::LShl => shift_long!(|x, y| x.wrapping_shl(y)),
                        Op::LShr => shift_long!(|x, y| x.wrapping_shr(y)),
                        Op::LUshr => shift_long!(|x, y| (x as u64).wrapping_shr(y) as i64),
                        Op::FAdd => binary_float!(|x, y| x + y),
                        Op::FSub => binary_float!(|x, y| x - y),
                        Op::FMul => binary_float!(|x, y| x * y),
                        Op::FDiv => binary_float!(|x, y| x / y),
                        Op::FRem => binary_float!(|x, y| frem(x, y)),
                        Op::DAdd => binary_double!(|x, y| x + y),
                        Op::DSub => binary_double!(|x, y| x - y),
                        Op::DMul => binary_double!(|x, y| x * y),
                        Op::DDiv => binary_double!(|x, y| x / y),
                        Op::DRem => binary_double!(|x, y| drem(x, y)),
                        Op::INeg => {
                            top!(1) = int!(1).wrapping_neg() as u32 as u64;
                            next!()
                        }
                        Op::LNeg => {
                            top!(2) = long!(2).wrapping_neg() as u64;
                            next!()
                        }
                        Op::FNeg => {
                            top!(1) = u64::from(top!(1) as u32 ^ 1 << 31);
                            next!()
                        }
                        Op::DNeg => {
                            top!(2) ^= 1 << 63;
                            next!()
                        }
                        Op::DAbs => {
                            top!(2) &= !(1 << 63);
                            next!()
                        }
                        Op::IInc => {
                            let p = locals.add(a!());
                            *p = (*p as u32).wrapping_add(b!()) as u64;
                            next!()
                        }
                        Op::I2l => {
                            top!(1) = i64::from(int!(1)) as u64;
                            sp = sp.add(1);
                            next!()
                        }
                        Op::I2f => {
                            top!(1) = (int!(1) as f32).to_bits() as u64;
                            next!()
                        }
                        Op::I2d => {
                            top!(1) = f64::from(int!(1)).to_bits();
                            sp = sp.add(1);
                            next!()
                        }
                        Op::L2i => {
                            sp = sp.sub(1);
                            top!(1) = u64::from(top!(1) as u32);
                            next!()
                        }
                        Op::L2f => {
                            sp = sp.sub(1);
                            top!(1) = (long!(1) as f32).to_bits() as u64;
                            next!()
                        }
                        Op::L2d => {
                            top!(2) = (long!(2) as f64).to_bits();
                            next!()
                        }
                        Op::F2i => {
                            top!(1) = (float!(1) as i32) as u32 as u64;
                            next!()
                        }
                        Op::F2l => {
                            top!(1) = (float!(1) as i64) as u64;
                            sp = sp.add(1);
                            next!()
                        }
                        Op::F2d => {
                            top!(1) = f64::from(float!(1)).to_bits();
                            sp = sp.add(1);
                            next!()
                        }
                        Op::D2i => {
                            sp = sp.sub(1);
                            top!(1) = (double!(1) as i32) as u32 as u64;
                            next!()
                        }
                        Op::D2l => {
                            top!(2) = (double!(2) as i64) as u64;
                            next!()
                        }
                        Op::D2f => {
                            sp = sp.sub(1);
                            top!(1) = (double!(1) as f32).to_bits() as u64;
                            next!()
                        }
                        Op::I2b => {
                            top!(1) = i32::from(top!(1) as i8) as u32 as u64;
                            next!()
                        }
                        Op::I2c => {
                            top!(1) &= 0xffff;
                            next!()
                        }
                        Op::I2s => {
                            top!(1) = i32::from(top!(1) as i16) as u32 as u64;
                            next!()
                        }
                        Op::LCmp => {
                            let r = lcmp(long!(4), long!(2));
                            sp = sp.sub(3);
                            top!(1) = r as u32 as u64;
                            next!()
                        }
                        Op::FCmpL | Op::FCmpG => {
                            let nan = if op == Op::FCmpL { -1 } else { 1 };
                            let (x, y) = (f32::from_bits(slot!(2) as u32), f32::from_bits(slot!(1) as u32));
                            let r = fcmp(x, y, nan);
                            sp = sp.sub(1);
                            top!(1) = r as u32 as u64;
                            next!()
                        }
                        Op::DCmpL | Op::DCmpG => {
                            let nan = if op == Op::DCmpL { -1 } else { 1 };
                            let (x, y) = (f64::from_bits(slot!(4)), f64::from_bits(slot!(2)));
                            let r = dcmp(x, y, nan);
                            sp = sp.sub(3);
                            top!(1) = r as u32 as u64;
                            next!()
                        }
                        Op::IfEq => branch_if!(int!(1) == 0, 1),
                        Op::IfNe => branch_if!(int!(1) != 0, 1),
                        Op::IfLt => branch_if!(int!(1) < 0, 1),
                        Op::IfGe => branch_if!(int!(1) >= 0, 1),
                        Op::IfGt => branch_if!(int!(1) > 0, 1),
                        Op::IfLe => branch_if!(int!(1) <= 0, 1),
                        Op::IfICmpEq => branch_if!(int!(2) == int!(1), 2),
                        Op::IfICmpNe => branch_if!(int!(2) != int!(1), 2),
                        Op::IfICmpLt => branch_if!(int!(2) < int!(1), 2),
                        Op::IfICmpGe => branch_if!(int!(2) >= int!(1), 2),
                        Op::IfICmpGt => branch_if!(int!(2) > int!(1), 2),
                        Op::IfICmpLe => branch_if!(int!(2) <= int!(1), 2),
                        Op::IfACmpEq => branch_if!(top!(2) == top!(1), 2),
                        Op::IfACmpNe => branch_if!(top!(2) != top!(1), 2),
                        Op::IfNull => branch_if!(top!(1) == 0, 1),
                        Op::IfNonNull => branch_if!(top!(1) != 0, 1),
                        Op::Goto => jump!(b!() as i32),
                        Op::Jsr => {
                            push!(pc.add(1) as u64);
                            jump!(b!() as i32)
                        }
                        Op::Ret => {
                            let target = *locals.add(a!()) as *const u64;
                            jump!(target.offset_from(pc) as i32)
                        }
                        Op::TableSwitch => {
                            sp = sp.sub(1);
                            let key = *sp as i32;
                            let code = &*(*(*frame).method).prepared.load(Ordering::Relaxed);
                            let SwitchTable::Table { low, targets, default } = code.tables.get_unchecked(b!() as usize)
                            else {
                                unreachable!("a tableswitch has its table")
                            };
                            let i = key.wrapping_sub(*low) as u32 as usize;
                            jump!(targets.get(i).copied().unwrap_or(*default))
                        }
                        Op::LookupSwitch => {
                            sp = sp.sub(1);
                            let key = *sp as i32;
                            let code = &*(*(*frame).method).prepared.load(Ordering::Relaxed);
                            jump!(slow::lookup(code, b!(), key))
                        }
                        Op::Return => leave!(0, 0),
                        Op::Return1 => leave!(top!(1), 1),
                        Op::Return2 => leave!(top!(2), 2),
                        Op::ReturnZ => leave!(top!(1) & 1, 1),
                        Op::ReturnB => leave!(i32::from(top!(1) as i8) as u32 as u64, 1),
                        Op::ReturnC => leave!(top!(1) & 0xffff, 1),
                        Op::ReturnS => leave!(i32::from(top!(1) as i16) as u32 as u64, 1),
                        Op::ReturnMonitors => {
                            attempt!(slow::return_monitors(t, frame, pc, sp));
                            insn = a!() as u64;
                            continue;
                        }
                        Op::ReturnObjectInit => {
                            attempt!(slow::return_object_init(t, frame, pc, sp, locals));
                            insn = Op::Return as u64;
                            continue;
                        }
                        Op::SyncEnter => {
                            attempt!(slow::sync_enter(t, frame, pc, sp));
                            next!()
                        }
                        Op::GetField | Op::PutField | Op::GetStatic | Op::PutStatic => quick!(),
                        Op::GetFieldB => get_field!(i8, |v| i32::from(v) as u32 as u64),
                        Op::GetFieldC => get_field!(u16, |v| u64::from(v)),
                        Op::GetFieldS => get_field!(i16, |v| i32::from(v) as u32 as u64),
                        Op::GetFieldI => get_field!(u32, |v| u64::from(v)),
                        Op::GetFieldJ => {
                            let object = non_null!(top!(1));
                            top!(1) = ((object as usize + b!() as usize) as *const u64).read_volatile();
                            sp = sp.add(1);
                            next!()
                        }
                        Op::GetFieldA => get_field!(u32, |v| widen(v) as u64),
                        Op::GetFieldV => {
                            let object = non_null!(top!(1));
                            let (v, slots) = slow::load_volatile(object as usize + b!() as usize, a!() as u16);
                            top!(1) = v;
                            sp = sp.add(slots - 1);
                            next!()
                        }
                        Op::PutFieldZ => put_field!(u8, 1, |v| v as u8 & 1),
                        Op::PutFieldB => put_field!(u8, 1, |v| v as u8),
                        Op::PutFieldC => put_field!(u16, 1, |v| v as u16),
                        Op::PutFieldI => put_field!(u32, 1, |v| v as u32),
                        Op::PutFieldJ => put_field!(u64, 2, |v| v),
                        Op::PutFieldA => {
                            let object = non_null!(top!(2));
                            access::store_ref(
                                t,
                                Oop::from_address(object as usize),
                                b!() as usize,
                                Oop::from_address(top!(1) as usize),
                            );
                            sp = sp.sub(2);
                            next!()
                        }
                        Op::PutFieldV => {
                            let slots = slow::slots_of(a!() as u16);
                            let object = non_null!(top!(slots + 1));
                            slow::store_volatile(t, object as usize, b!() as usize, a!() as u16, top!(slots));
                            sp = sp.sub(slots + 1);
                            next!()
                        }
                        Op::GetStaticB => {
                            push!(i32::from(static_address!(i8).read_volatile()) as u32 as u64);
                            next!()
                        }
                        Op::GetStaticC => {
                            push!(u64::from(static_address!(u16).read_volatile()));
                            next!()
                        }
                        Op::GetStaticS => {
                            push!(i32::from(static_address!(i16).read_volatile()) as u32 as u64);
                            next!()
                        }
                        Op::GetStaticI => {
                            push!(u64::from(static_address!(u32).read_volatile()));
                            next!()
                        }
                        Op::GetStaticJ => {
                            *sp = static_address!(u64).read_volatile();
                            sp = sp.add(2);
                            next!()
                        }
                        Op::GetStaticA => {
                            push!(widen(static_address!(u32).read_volatile()) as u64);
                            next!()
                        }
                        Op::GetStaticV => {
                            let (v, slots) = slow::get_static_field(b!());
                            *sp = v;
                            sp = sp.add(slots);
                            next!()
                        }
                        Op::PutStaticZ => {
                            sp = sp.sub(1);
                            static_address!(u8).write_volatile(*sp as u8 & 1);
                            next!()
                        }
                        Op::PutStaticB => {
                            sp = sp.sub(1);
                            static_address!(u8).write_volatile(*sp as u8);
                            next!()
                        }
                        Op::PutStaticC => {
                            sp = sp.sub(1);
                            static_address!(u16).write_volatile(*sp as u16);
                            next!()
                        }
                        Op::PutStaticI => {
                            sp = sp.sub(1);
                            static_address!(u32).write_volatile(*sp as u32);
                            next!()
                        }
                        Op::PutStaticJ => {
                            sp = sp.sub(2);
                            static_address!(u64).write_volatile(*sp);
                            next!()
                        }
                        Op::PutStaticA => {
                            sp = sp.sub(1);
                            let mirror = Oop::from_address(widen(b!()));
                            access::store_ref(t, mirror, a!(), Oop::from_address(*sp as usize));
                            next!()
                        }
                        Op::PutStaticV => {
                            let slots = slow::slots_of(a!() as u16);
                            sp = sp.sub(slots);
                            slow::put_static_field(t, b!(), *sp);
                            next!()
                        }
                        Op::InvokeVirtual
                        | Op::InvokeSpecial
                        | Op::InvokeStatic
                        | Op::InvokeInterface
                        | Op::InvokeDynamic => quick!(),
                        Op::InvokeVirtualQ => {
                            let receiver = non_null!(*sp.sub(a!()));
                            let entry = load_class_word(receiver) as usize + class_offsets::VTABLE + b!() as usize * 8;
                            break &**(entry as *const *const Method);
                        }
                        Op::InvokeDirectQ => {
                            non_null!(*sp.sub(a!()));
                            break &*(b!() as usize as *const Method);
                        }
                        Op::InvokeStaticQ => break &*(b!() as usize as *const Method),
                        Op::InvokeInterfaceQ => {
                            let receiver = non_null!(*sp.sub(a!()));
                            let word = load_class_word(receiver);
                            let site = &*(b!() as usize as *const ReceiverSite);
                            match site.cached(word) {
                                Some(m) => break m,
                                None => break attempt!(slow::select(t, frame, pc, sp, site, word)),
                            }
                        }
                        Op::InvokeLinkedQ => {
                            let site = &*(b!() as usize as *const LinkedSite);
                            if let Some(appendix) = site.appendix {
                                push!(appendix.get().address() as u64);
                            }
                            break site.adapter;
                        }
                        Op::New => quick!(),
                        Op::NewQ => {
                            save(t, frame, pc, sp);
                            let class = &*(b!() as usize as *const Class);
                            push!(attempt!(alloc::instance(t, class)).address() as u64);
                            next!()
                        }
                        Op::NewArray => {
                            save(t, frame, pc, sp);
                            let class = &*(b!() as usize as *const Class);
                            let array = attempt!(alloc::array(t, class, int!(1)));
                            top!(1) = array.address() as u64;
                            next!()
                        }
                        Op::ANewArray => quick!(),
                        Op::ArrayLength => {
                            let array = non_null!(top!(1));
                            top!(1) = u64::from(array_len(array));
                            next!()
                        }
                        Op::AThrow => raise!(throw_object, top!(1)),
                        Op::CheckCast => {
                            // Null passes without resolving the class (JVMS 6.5.checkcast).
                            if top!(1) == 0 {
                                next!()
                            }
                            quick!()
                        }
                        Op::CheckCastQ => {
                            let object = top!(1);
                            if object != 0 {
                                let word = load_class_word(object);
                                if word != b!() && !Class::from_word(word).is_subclass_of(Class::from_word(b!())) {
                                    raise!(class_cast, object, b!());
                                }
                            }
                            next!()
                        }
                        Op::InstanceOf => {
                            if top!(1) == 0 {
                                next!() // Null is its own answer: 0.
                            }
                            quick!()
                        }
                        Op::InstanceOfQ => {
                            let object = top!(1);
                            if object != 0 {
                                let word = load_class_word(object);
                                let is = word == b!() || Class::from_word(word).is_subclass_of(Class::from_word(b!()));
                                top!(1) = u64::from(is);
                            }
                            next!()
                        }
                        Op::MonitorEnter => {
                            let object = non_null!(top!(1));
                            attempt!(slow::monitor_enter(t, frame, pc, sp, object));
                            sp = sp.sub(1);
                            next!()
                        }
                        Op::MonitorExit => {
                            let object = non_null!(top!(1));
                            attempt!(slow::monitor_exit(t, frame, pc, sp, object));
                            sp = sp.sub(1);
                            next!()
                        }
                        Op::MultiANewArray => quick!(),
                        Op::MultiANewArrayQ => {
                            let dims = a!();
                            let array = attempt!(slow::multi_new_array(t, frame, pc, sp, b!(), dims));
                            sp = sp.sub(dims);
                            push!(array.address() as u64);
                            next!()
                        }
                        Op::Illegal => raise!(illegal_code),
                        Op::LoadLoad => {
                            let (x, y) = (locals.add(a!()).read_volatile(), locals.add(a_at!(1)).read_volatile());
                            *sp = x;
                            *sp.add(1) = y;
                            sp = sp.add(2);
                            skip!(2)
                        }
                        Op::LoadLoadIfICmpEq => fused_branch!(2, (local!(a!()) as i32) == local!(a_at!(1)) as i32),
                        Op::LoadLoadIfICmpNe => fused_branch!(2, (local!(a!()) as i32) != local!(a_at!(1)) as i32),
                        Op::LoadLoadIfICmpLt => fused_branch!(2, (local!(a!()) as i32) < local!(a_at!(1)) as i32),
                        Op::LoadLoadIfICmpGe => fused_branch!(2, (local!(a!()) as i32) >= local!(a_at!(1)) as i32),
                        Op::LoadLoadIfICmpGt => fused_branch!(2, (local!(a!()) as i32) > local!(a_at!(1)) as i32),
                        Op::LoadLoadIfICmpLe => fused_branch!(2, (local!(a!()) as i32) <= local!(a_at!(1)) as i32),
                        Op::LoadConstIfICmpEq => fused_branch!(2, (local!(a!()) as i32) == b_at!(1) as i32),
                        Op::LoadConstIfICmpNe => fused_branch!(2, (local!(a!()) as i32) != b_at!(1) as i32),
                        Op::LoadConstIfICmpLt => fused_branch!(2, (local!(a!()) as i32) < b_at!(1) as i32),
                        Op::LoadConstIfICmpGe => fused_branch!(2, (local!(a!()) as i32) >= b_at!(1) as i32),
                        Op::LoadConstIfICmpGt => fused_branch!(2, (local!(a!()) as i32) > b_at!(1) as i32),
                        Op::LoadConstIfICmpLe => fused_branch!(2, (local!(a!()) as i32) <= b_at!(1) as i32),
                        Op::ConstIfICmpEq => {
                            sp = sp.sub(1);
                            fused_branch!(1, (*sp as i32) == b!() as i32)
                        }
                        Op::ConstIfICmpNe => {
                            sp = sp.sub(1);
                            fused_branch!(1, (*sp as i32) != b!() as i32)
                        }
                        Op::ConstIfICmpLt => {
                            sp = sp.sub(1);
                            fused_branch!(1, (*sp as i32) < b!() as i32)
                        }
                        Op::ConstIfICmpGe => {
                            sp = sp.sub(1);
                            fused_branch!(1, (*sp as i32) >= b!() as i32)
                        }
                        Op::ConstIfICmpGt => {
                            sp = sp.sub(1);
                            fused_branch!(1, (*sp as i32) > b!() as i32)
                        }
                        Op::ConstIfICmpLe => {
                            sp = sp.sub(1);
                            fused_branch!(1, (*sp as i32) <= b!() as i32)
                        }
                        Op::LoadIfEq => fused_branch!(1, (local!(a!()) as i32) == 0),
                        Op::LoadIfNe => fused_branch!(1, (local!(a!()) as i32) != 0),
                        Op::LoadIfLt => fused_branch!(1, (local!(a!()) as i32) < 0),
                        Op::LoadIfGe => fused_branch!(1, (local!(a!()) as i32) >= 0),
                        Op::LoadIfGt => fused_branch!(1, (local!(a!()) as i32) > 0),
                        Op::LoadIfLe => fused_branch!(1, (local!(a!()) as i32) <= 0),
                        Op::LoadIfNull => fused_branch!(1, local!(a!()) == 0),
                        Op::LoadIfNonNull => fused_branch!(1, local!(a!()) != 0),
                        Op::LoadLoadIALoad => {
                            let v = fused_element!(2, local!(a!()), local!(a_at!(1)), 12, u32);
                            push!(u64::from(v));
                            skip!(3)
                        }
                        Op::LoadLoadAALoad => {
                            let v = fused_element!(2, local!(a!()), local!(a_at!(1)), 12, u32);
                            push!(widen(v) as u64);
                            skip!(3)
                        }
                        Op::LoadLoadBALoad => {
                            let v = fused_element!(2, local!(a!()), local!(a_at!(1)), 16, i8);
                            push!(i32::from(v) as u32 as u64);
                            skip!(3)
                        }
                        Op::LoadLoadCALoad => {
                            let v = fused_element!(2, local!(a!()), local!(a_at!(1)), 12, u16);
                            push!(u64::from(v));
                            skip!(3)
                        }
                        Op::LoadLoadLALoad => {
                            let v = fused_element!(2, local!(a!()), local!(a_at!(1)), 16, u64);
                            *sp = v;
                            sp = sp.add(2);
                            skip!(3)
                        }
                        Op::LoadIALoad => {
                            let v = fused_element!(1, top!(1), local!(a!()), 12, u32);
                            top!(1) = u64::from(v);
                            skip!(2)
                        }
                        Op::LoadAALoad => {
                            let v = fused_element!(1, top!(1), local!(a!()), 12, u32);
                            top!(1) = widen(v) as u64;
                            skip!(2)
                        }
                        Op::LoadBALoad => {
                            let v = fused_element!(1, top!(1), local!(a!()), 16, i8);
                            top!(1) = i32::from(v) as u32 as u64;
                            skip!(2)
                        }
                        Op::LoadCALoad => {
                            let v = fused_element!(1, top!(1), local!(a!()), 12, u16);
                            top!(1) = u64::from(v);
                            skip!(2)
                        }
                        Op::LoadLALoad => {
                            let v = fused_element!(1, top!(1), local!(a!()), 16, u64);
                            top!(1) = v;
                            sp = sp.add(1);
                            skip!(2)
                        }
                        Op::LoadLoadIAdd => load_load_int!(|x, y| x.wrapping_add(y)),
                        Op::LoadLoadISub => load_load_int!(|x, y| x.wrapping_sub(y)),
                        Op::LoadLoadIMul => load_load_int!(|x, y| x.wrapping_mul(y)),
                        Op::LoadLoadIAnd => load_load_int!(|x, y| x & y),
                        Op::LoadLoadIOr => load_load_int!(|x, y| x | y),
                        Op::LoadLoadIXor => load_load_int!(|x, y| x ^ y),
                        Op::LoadIAdd => top_int!(local!(a!()), |x, y| x.wrapping_add(y)),
                        Op::LoadISub => top_int!(local!(a!()), |x, y| x.wrapping_sub(y)),
                        Op::LoadIMul => top_int!(local!(a!()), |x, y| x.wrapping_mul(y)),
                        Op::LoadIAnd => top_int!(local!(a!()), |x, y| x & y),
                        Op::LoadIOr => top_int!(local!(a!()), |x, y| x | y),
                        Op::LoadIXor => top_int!(local!(a!()), |x, y| x ^ y),
                        Op::LoadConstIAdd => load_const_int!(|x, y| x.wrapping_add(y)),
                        Op::LoadConstISub => load_const_int!(|x, y| x.wrapping_sub(y)),
                        Op::LoadConstIMul => load_const_int!(|x, y| x.wrapping_mul(y)),
                        Op::LoadConstIAnd => load_const_int!(|x, y| x & y),
                        Op::LoadConstIShl => load_const_int!(|x, y| x.wrapping_shl(y as u32)),
                        Op::LoadConstIShr => load_const_int!(|x, y| x.wrapping_shr(y as u32)),
                        Op::LoadConstIUshr => load_const_int!(|x, y| (x as u32).wrapping_shr(y as u32) as i32),
                        Op::ConstIAdd => top_int!(b!(), |x, y| x.wrapping_add(y)),
                        Op::ConstISub => top_int!(b!(), |x, y| x.wrapping_sub(y)),
                        Op::ConstIMul => top_int!(b!(), |x, y| x.wrapping_mul(y)),
                        Op::ConstIAnd => top_int!(b!(), |x, y| x & y),
                        Op::ConstIShl => top_int!(b!(), |x, y| x.wrapping_shl(y as u32)),
                        Op::ConstIShr => top_int!(b!(), |x, y| x.wrapping_shr(y as u32)),
                        Op::ConstIUshr => top_int!(b!(), |x, y| (x as u32).wrapping_shr(y as u32) as i32),
                        Op::Load2Load2 => {
                            let (x, y) = (local!(a!()), local!(a_at!(1)));
                            *sp = x;
                            *sp.add(2) = y;
                            sp = sp.add(4);
                            skip!(2)
                        }
                        Op::Load2Load2LAdd => load_load_long!(|x, y| x.wrapping_add(y)),
                        Op::Load2Load2LSub => load_load_long!(|x, y| x.wrapping_sub(y)),
                        Op::Load2Load2DAdd => load_load_double!(|x, y| x + y),
                        Op::Load2Load2DSub => load_load_double!(|x, y| x - y),
                        Op::Load2Load2DMul => load_load_double!(|x, y| x * y),
                        Op::Load2LAdd => top_long!(|x, y| x.wrapping_add(y)),
                        Op::Load2LSub => top_long!(|x, y| x.wrapping_sub(y)),
                        Op::Load2DAdd => top_double!(|x, y| x + y),
                        Op::Load2DSub => top_double!(|x, y| x - y),
                        Op::Load2DMul => top_double!(|x, y| x * y),
                        Op::IAddStore => {
                            let r = int!(2).wrapping_add(int!(1));
                            sp = sp.sub(2);
                            local!(a_at!(1)) = r as u32 as u64;
                            skip!(2)
                        }
                        Op::IXorStore => {
                            let r = int!(2) ^ int!(1);
                            sp = sp.sub(2);
                            local!(a_at!(1)) = r as u32 as u64;
                            skip!(2)
                        }
                        Op::LAddStore2 => {
                            let r = long!(4).wrapping_add(long!(2));
                            sp = sp.sub(4);
                            local!(a_at!(1)) = r as u64;
                            skip!(2)
                        }
                        Op::DAddStore2 => {
                            let r = double!(4) + double!(2);
                            sp = sp.sub(4);
                            local!(a_at!(1)) = r.to_bits();
                            skip!(2)
                        }
                        Op::LoadStore => {
                            local!(a_at!(1)) = local!(a!());
                            skip!(2)
                        }
                        Op::StoreLoad => {
                            local!(a!()) = top!(1);
                            top!(1) = local!(a_at!(1));
                            skip!(2)
                        }
                        Op::LoadArrayLength => {
                            let array = local!(a!());
                            if array == 0 {
                                push!(array);
                                next!()
                            }
                            push!(u64::from(array_len(array)));
                            skip!(2)
                        }
                        Op::IIncGoto => {
                            let p = locals.add(a!());
                            *p = (*p as u32).wrapping_add(b!()) as u64;
                            let d = b_at!(1) as i32;
                            pc = pc.add(1);
                            jump!(d)
                        }
                        Op::IIncLoad => {
                            let p = locals.add(a!());
                            *p = (*p as u32).wrapping_add(b!()) as u64;
                            push!(local!(a_at!(1)));
                            skip!(2)
                        }
                        Op::LoadGetFieldB => load_get_field!(i8, |v| i32::from(v) as u32 as u64),
                        Op::LoadGetFieldC => load_get_field!(u16, |v| u64::from(v)),
                        Op::LoadGetFieldI => load_get_field!(u32, |v| u64::from(v)),
                        Op::LoadGetFieldA => load_get_field!(u32, |v| widen(v) as u64),
                        Op::LoadGetFieldJ => {
                            let object = local!(a!());
                            if object == 0 {
                                push!(object);
                                next!()
                            }
                            *sp = ((object as usize + b!() as usize) as *const u64).read_volatile();
                            sp = sp.add(2);
                            skip!(2)
                        }
                        Op::LoadPutFieldI => {
                            let (object, v) = (top!(1), local!(a!()));
                            if object == 0 {
                                push!(v);
                                next!()
                            }
                            ((object as usize + b!() as usize) as *mut u32).write_volatile(v as u32);
                            sp = sp.sub(1);
                            skip!(2)
                        }
                        Op::LoadPutFieldA => {
                            let (object, v) = (top!(1), local!(a!()));
                            if object == 0 {
                                push!(v);
                                next!()
                            }
                            let object = Oop::from_address(object as usize);
                            access::store_ref(t, object, b!() as usize, Oop::from_address(v as usize));
                            sp = sp.sub(1);
                            skip!(2)
                        }
                    }
                };
                // A call: `callee`'s arguments are on top of the stack.
                loop {
                    let code = callee.interpreted.load(Ordering::Acquire);
                    if code.is_null() {
                        match slow::call(t, frame, pc, sp, callee) {
                            CallOutcome::Done(top) => {
                                sp = top;
                                pc = pc.add(1);
                                insn = fetch(pc);
                                break;
                            }
                            CallOutcome::Call(target, top) => {
                                callee = target;
                                sp = top;
                                continue;
                            }
                            CallOutcome::Thrown => break 'exception,
                        }
                    }
                    let code = &*code;
                    let base = sp.sub(callee.arg_slots as usize);
                    let new = base.add(code.frame_slots as usize) as *mut Frame;
                    let stack = new.add(1) as *mut u64;
                    let end = stack.add(code.extent as usize);
                    if end > t.stack_limit.get() {
                        raise!(stack_overflow, callee);
                    }
                    (*frame).pc = pc as *const _;
                    (*frame).sp = sp;
                    let first = code.insns.as_ptr() as *const u64;
                    new.write(Frame {
                        prev: frame,
                        method: callee,
                        pc: first as *const _,
                        locals: base,
                        sp: stack,
                        end,
                        kind: FrameKind::Java,
                        monitors: 0,
                    });
                    t.top_frame.set(new);
                    frame = new;
                    locals = base;
                    sp = stack;
                    pc = first;
                    let n = callee.invocation_counter.load(Ordering::Relaxed).wrapping_add(1);
                    callee.invocation_counter.store(n, Ordering::Relaxed);
                    if n & t.invoke_mask.get() == 0 {
                        slow::invocations(t, callee, n);
                    }
                    insn = fetch(pc);
                    break;
                }
            }
        }
        raise = false;
        match slow::go_on(t) {
            GoOn::Frame => frame = t.top_frame.get(),
            GoOn::Return(result) => return Ok(result),
            GoOn::Throw => return Err(Thrown::pending(t)),
        }
    }
}
