//! Calls between interpreted and compiled code.

use super::compiled::CompiledMethod;
use super::frames::{self, Border};
use super::stubs::{self, Arguments, CallIn};
use crate::code::abi::{FLOAT_ARGS, INT_ARGS};
use crate::exceptions::{throw, Thrown, VmResult};
use crate::heap::layout::{BasicType, Oop};
use crate::interpreter::call;
use crate::interpreter::frame::FRAME_SLOTS;
use crate::interpreter::slow::overflow;
use crate::invoke;
use crate::link::resolve;
use crate::meta::method::{Method, MethodKind, MethodRef};
use crate::threads::JavaThread;
use std::mem::MaybeUninit;

/// Most argument words (JVMS 4.11: 255 slots).
const MAX_WORDS: usize = 256;

/// The types of the arguments in order, the receiver first.
fn argument_types(m: &Method) -> impl Iterator<Item = BasicType> + '_ {
    let receiver = (!m.is_static()).then_some(BasicType::Object);
    receiver.into_iter().chain(m.parameters.iter().copied())
}

fn is_float(t: BasicType) -> bool {
    matches!(t, BasicType::Float | BasicType::Double)
}

/// Calls compiled code from the interpreter (or from Rust): `args` are the argument slots. The raw result, as
/// the interpreter has it.
///
/// # Safety
/// The arguments must be the method's, at the top of the thread's Java stack, and the frame beneath saved.
pub unsafe fn call_in(t: &JavaThread, code: &CompiledMethod, args: *const u64) -> VmResult<u64> {
    let m = code.method;
    if m.arg_slots as usize > INT_ARGS.len() {
        return call_in_with_stack(t, code, args);
    }
    let mut c = new_call(code);
    // At most as many arguments as there are integer registers: none is on the stack.
    fill(m, args, &mut c, std::ptr::null_mut());
    enter(t, m, &mut c)
}

#[inline(never)]
unsafe fn call_in_with_stack(t: &JavaThread, code: &CompiledMethod, args: *const u64) -> VmResult<u64> {
    let mut stack = MaybeUninit::<[u64; MAX_WORDS]>::uninit();
    let mut c = new_call(code);
    let stack = stack.as_mut_ptr() as *mut u64;
    c.stack_words = fill(code.method, args, &mut c, stack);
    c.stack = stack;
    enter(t, code.method, &mut c)
}

/// Enters an on-stack replacement with its buffer of locals and monitors.
///
/// # Safety
/// As for [`call_in`]; the buffer must be laid out as the code expects.
pub unsafe fn call_osr(t: &JavaThread, code: &CompiledMethod, buffer: *const u64) -> VmResult<u64> {
    let mut c = new_call(code);
    c.ints[0] = buffer as u64;
    enter(t, code.method, &mut c)
}

fn new_call(code: &CompiledMethod) -> CallIn {
    CallIn {
        entry: code.entry,
        method: code.method,
        ints: [0; 8],
        floats: [0; 8],
        stack: std::ptr::null_mut(),
        stack_words: 0,
        int_result: 0,
        float_result: 0,
    }
}

/// Distributes argument slots; how many words went to `stack`.
unsafe fn fill(m: &Method, args: *const u64, c: &mut CallIn, stack: *mut u64) -> usize {
    let (mut ints, mut floats, mut words, mut slot) = (0, 0, 0, 0);
    for t in argument_types(m) {
        let v = *args.add(slot);
        slot += t.slots();
        if is_float(t) && floats < FLOAT_ARGS {
            c.floats[floats] = v;
            floats += 1;
        } else if !is_float(t) && ints < INT_ARGS.len() {
            c.ints[ints] = v;
            ints += 1;
        } else {
            *stack.add(words) = v;
            words += 1;
        }
    }
    words
}

/// How many words of the arguments lie on the machine stack.
pub(super) fn stack_words(m: &Method) -> usize {
    if m.arg_slots as usize <= INT_ARGS.len() {
        return 0;
    }
    let floats = argument_types(m).filter(|t| is_float(*t)).count();
    let ints = argument_types(m).count() - floats;
    floats.saturating_sub(FLOAT_ARGS) + ints.saturating_sub(INT_ARGS.len())
}

unsafe fn enter(t: &JavaThread, m: &Method, c: &mut CallIn) -> VmResult<u64> {
    let stub = stubs::get().expect("there is compiled code").call_in;
    // SAFETY: the stub was made with this signature.
    let stub: unsafe extern "C" fn(*const JavaThread, *mut CallIn) = std::mem::transmute(stub);
    let frame = t.top_frame.get();
    let top = t.stack_top.get();
    stub(t, c);
    debug_assert!(t.top_frame.get() == frame, "frames are balanced");
    t.stack_top.set(top);
    if t.has_pending_exception() {
        return Err(crate::exceptions::Thrown::pending(t));
    }
    Ok(match m.return_type {
        BasicType::Void => 0,
        BasicType::Float => u64::from(c.float_result as u32),
        BasicType::Double => c.float_result,
        BasicType::Long | BasicType::Object | BasicType::Array => c.int_result,
        BasicType::Boolean | BasicType::Byte | BasicType::Char | BasicType::Short | BasicType::Int => {
            u64::from(c.int_result as u32)
        }
    })
}

/// The stub behind `Method::compiled_entry` of methods without compiled code: runs the method in the interpreter
/// (or the native, or throws what an abstract method stands for). `sp` is the caller's.
pub(super) unsafe extern "C" fn call_out(t: &JavaThread, m: MethodRef, args: *mut Arguments, sp: usize) -> u64 {
    let border = Border::push(t, sp, *((sp - 8) as *const usize));
    crate::deopt::stress::at_call(t);
    let here = 0u8;
    let stack = border.top();
    let top = stack.add(m.arg_slots as usize);
    if (&here as *const u8 as usize) < t.native_stack_limit.get() || top.add(FRAME_SLOTS) > t.stack_limit.get() {
        let _pending = overflow(t);
        return 0;
    }
    let (mut ints, mut floats, mut words, mut slot) = (0, 0, 0, 0);
    for ty in argument_types(m) {
        let v = if is_float(ty) && floats < FLOAT_ARGS {
            floats += 1;
            (*args).floats[floats - 1]
        } else if !is_float(ty) && ints < INT_ARGS.len() {
            ints += 1;
            (*args).ints[ints - 1]
        } else {
            words += 1;
            *((sp + 8 * (words - 1)) as *const u64)
        };
        let wide = matches!(ty, BasicType::Long | BasicType::Double) || ty.is_reference();
        *stack.add(slot) = if wide { v } else { u64::from(v as u32) };
        slot += ty.slots();
    }
    if m.kind() == MethodKind::Abstract && m.overpass_message.is_none() && !m.class().is_interface() {
        let _pending = abstract_target(t, m, sp, Oop::from_address((*args).ints[0] as usize));
        return 0;
    }
    // The interpreter frame has them now, for as long as it needs them.
    std::ptr::write_bytes(args, 0, 1);
    t.stack_top.set(top);
    let result = call::enter(t, m, stack, top);
    t.stack_top.set(stack);
    match result {
        Ok(v) => v,
        Err(_pending) => 0,
    }
}

/// The virtual call at which the compiled frame at `sp` stands selects the abstract method `selected`. Unlike the
/// interpreter's calls, of which only that is known, HotSpot's compiled calls tell what was called and for which class.
unsafe fn abstract_target(t: &JavaThread, selected: MethodRef, sp: usize, receiver: Oop) -> Thrown {
    let caller = frames::activations(t, sp, frames::return_address(t, sp)).next().expect("compiled code has called");
    let at = &caller.point().frames[0];
    let code = at.method.code;
    let bci = usize::from(at.bci);
    let named = match code.get(bci..bci + 3) {
        Some(&[0xb6, high, low]) => at.method.class().constants.method(u16::from_be_bytes([high, low])),
        _ => None,
    };
    resolve::abstract_method_error(t, named.unwrap_or(selected), Some(selected), Some(receiver.class()))
}

/// What the method-handle intrinsic `m` comes to (null: an exception pends). A `linkTo*` drops its last argument,
/// which leaves the others where they are.
pub(super) unsafe extern "C" fn method_handle_target(
    t: &JavaThread,
    m: MethodRef,
    args: *const Arguments,
    sp: usize,
) -> *const Method {
    let kind = m.kind();
    let first = Oop::from_address((*args).ints[0] as usize);
    let null_pointer = || {
        let _border = Border::push(t, sp, *((sp - 8) as *const usize));
        let _pending = throw(t, "java/lang/NullPointerException", None);
        std::ptr::null()
    };
    if kind == MethodKind::InvokeBasic {
        if first.is_null() {
            return null_pointer();
        }
        return invoke::basic_target(first);
    }
    let member = Oop::from_address(last_argument(m, args, sp) as usize);
    let receiver = if kind == MethodKind::LinkToStatic { Oop::NULL } else { first_reference(m, args) };
    if member.is_null() || receiver.is_null() && kind != MethodKind::LinkToStatic {
        return null_pointer();
    }
    let _border = Border::push(t, sp, *((sp - 8) as *const usize));
    match invoke::link_to_target(t, kind, member, receiver) {
        Ok(target) => target,
        Err(_pending) => std::ptr::null(),
    }
}

/// `linkTo*` are static: their first parameter is the receiver of what they call.
unsafe fn first_reference(m: &Method, args: *const Arguments) -> Oop {
    debug_assert!(m.parameters.first().is_some_and(|p| p.is_reference()));
    Oop::from_address((*args).ints[0] as usize)
}

/// The last argument, a reference.
unsafe fn last_argument(m: &Method, args: *const Arguments, sp: usize) -> u64 {
    let (mut ints, mut floats, mut words) = (0, 0, 0);
    let mut last = 0;
    for ty in argument_types(m) {
        if is_float(ty) && floats < FLOAT_ARGS {
            floats += 1;
        } else if !is_float(ty) && ints < INT_ARGS.len() {
            ints += 1;
            last = (*args).ints[ints - 1];
        } else {
            words += 1;
            last = *((sp + 8 * (words - 1)) as *const u64);
        }
    }
    last
}

/// The slow path of interface dispatch: selects the method for the receiver, or throws (null).
pub(super) unsafe extern "C" fn interface_target(
    t: &JavaThread,
    m: MethodRef,
    args: *const Arguments,
    sp: usize,
) -> *const Method {
    let receiver = Oop::from_address((*args).ints[0] as usize);
    let _border = Border::push(t, sp, *((sp - 8) as *const usize));
    match resolve::select_interface(t, m, receiver.class()) {
        Ok(target) => target,
        Err(_pending) => std::ptr::null(),
    }
}
