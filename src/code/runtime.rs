//! The run-time functions that compiled code calls: the Rust halves of `ir::Runtime` (its comments have the
//! arguments) and of the stubs that keep registers.
//!
//! A function that may stop or throw pushes the border of its caller first; an exception it leaves pending is
//! taken on by the stub.

use super::abi::INT_ARGS;
use super::compiled;
use super::frames::Border;
use super::stubs::{Arguments, Registers};
use crate::compiler::ir::Runtime;
use crate::deopt::{self, stress, Entry};
use crate::exceptions::throw;
use crate::heap::layout::Oop;
use crate::heap::{access, alloc, refs};
use crate::interpreter::{messages, semantics};
use crate::meta::class::{class_flags, Class};
use crate::meta::method::{Method, MethodRef};
use crate::profile::policy;
use crate::threads::{lifecycle, monitor, JavaThread};
use std::ffi::c_void;
use std::sync::OnceLock;

/// How a function takes its arguments.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Function {
    /// Thread, then the arguments, as C has it.
    Registers(usize),
    /// As `code::adapters::call_out`, in a block: any number of arguments.
    Block(usize),
}

/// Every function.
pub const ALL: &[Runtime] = &[
    Runtime::MultiNewArray,
    Runtime::MonitorEnter,
    Runtime::MonitorExit,
    Runtime::RegisterFinalizer,
    Runtime::ThrowNullPointer,
    Runtime::ThrowIndexOutOfBounds,
    Runtime::ThrowDivisionByZero,
    Runtime::ThrowClassCast,
    Runtime::ThrowArrayStore,
    Runtime::DRem,
    Runtime::FRem,
    Runtime::CounterOverflow,
    Runtime::ArrayCopy,
    Runtime::BytesEqual,
    Runtime::Sin,
    Runtime::Cos,
    Runtime::Tan,
    Runtime::Exp,
    Runtime::Log,
    Runtime::Log10,
    Runtime::Pow,
];

/// The Rust half of `r`.
pub(super) fn function(r: Runtime) -> Function {
    use Function::*;
    match r {
        Runtime::MultiNewArray => Block(multi_new_array as *const () as usize),
        Runtime::MonitorEnter => Registers(monitor_enter as *const () as usize),
        Runtime::MonitorExit => Registers(monitor_exit as *const () as usize),
        Runtime::RegisterFinalizer => Registers(register_finalizer as *const () as usize),
        Runtime::ThrowNullPointer => Registers(throw_null_pointer as *const () as usize),
        Runtime::ThrowIndexOutOfBounds => Registers(throw_index_out_of_bounds as *const () as usize),
        Runtime::ThrowDivisionByZero => Registers(throw_division_by_zero as *const () as usize),
        Runtime::ThrowClassCast => Registers(throw_class_cast as *const () as usize),
        Runtime::ThrowArrayStore => Registers(throw_array_store as *const () as usize),
        Runtime::DRem => Registers(drem as *const () as usize),
        Runtime::FRem => Registers(frem as *const () as usize),
        Runtime::CounterOverflow => Registers(counter_overflow as *const () as usize),
        Runtime::ArrayCopy => Registers(array_copy as *const () as usize),
        Runtime::BytesEqual => Registers(bytes_equal as *const () as usize),
        Runtime::Sin => Registers(sin as *const () as usize),
        Runtime::Cos => Registers(cos as *const () as usize),
        Runtime::Tan => Registers(tan as *const () as usize),
        Runtime::Log => Registers(log as *const () as usize),
        Runtime::Log10 => Registers(log10 as *const () as usize),
        Runtime::Exp => Registers(no_exp as *const () as usize),
        Runtime::Pow => Registers(no_pow as *const () as usize),
    }
}

/// Whether the function gives what the interpreter gives, bit for bit. `exp` and `pow` do not exist here: the
/// class library has them in Java, which is compiled like any other code.
pub fn is_available(r: Runtime) -> bool {
    !matches!(r, Runtime::Exp | Runtime::Pow)
}

// ---- functions with arguments in registers

unsafe extern "C" fn monitor_enter(t: &JavaThread, object: usize) {
    let _border = Border::of_anchor(t);
    stress::at_call(t);
    let _ = monitor::enter(t, Oop::from_address(object));
}

unsafe extern "C" fn monitor_exit(t: &JavaThread, object: usize) {
    // Never stops, so that no frame is left with the lock given up that its debug point says it holds.
    let _border = Border::of_anchor(t);
    let _ = monitor::exit(t, Oop::from_address(object));
}

unsafe extern "C" fn register_finalizer(t: &JavaThread, object: usize) {
    let object = Oop::from_address(object);
    if object.class().has_flag(class_flags::HAS_FINALIZER) {
        let _border = Border::of_anchor(t);
        let _ = refs::register_finalizer(t, object);
    }
}

unsafe extern "C" fn throw_null_pointer(t: &JavaThread) {
    let _border = Border::of_anchor(t);
    let _pending = throw(t, "java/lang/NullPointerException", None);
}

unsafe extern "C" fn throw_index_out_of_bounds(t: &JavaThread, array: usize, index: i32) {
    let _border = Border::of_anchor(t);
    let length = Oop::from_address(array).array_length();
    let text = format!("Index {index} out of bounds for length {length}");
    let _pending = throw(t, "java/lang/ArrayIndexOutOfBoundsException", Some(text));
}

unsafe extern "C" fn throw_division_by_zero(t: &JavaThread) {
    let _border = Border::of_anchor(t);
    let _pending = throw(t, "java/lang/ArithmeticException", Some("/ by zero".into()));
}

unsafe extern "C" fn throw_class_cast(t: &JavaThread, object: usize, class: &'static Class) {
    let _border = Border::of_anchor(t);
    let text = messages::class_cast(Oop::from_address(object).class(), class);
    let _pending = throw(t, "java/lang/ClassCastException", Some(text));
}

unsafe extern "C" fn throw_array_store(t: &JavaThread, _array: usize, value: usize) {
    let _border = Border::of_anchor(t);
    let class = Oop::from_address(value).class();
    let _pending = throw(t, "java/lang/ArrayStoreException", Some(class.external_name()));
}

unsafe extern "C" fn counter_overflow(t: &JavaThread, method: MethodRef, bci: i32) -> i32 {
    let _border = Border::of_anchor(t);
    i32::from(policy::on_compiled_counter(t, method, bci))
}

// ---- leaves

extern "C" fn drem(_: &JavaThread, a: f64, b: f64) -> f64 {
    semantics::drem(a, b)
}

extern "C" fn frem(_: &JavaThread, a: f32, b: f32) -> f32 {
    semantics::frem(a, b)
}

extern "C" fn array_copy(t: &JavaThread, src: usize, src_pos: u32, dst: usize, dst_pos: u32, length: u32) {
    let (src, dst) = (Oop::from_address(src), Oop::from_address(dst));
    access::copy_elements(t, src, src_pos as usize, dst, dst_pos as usize, length as usize);
}

extern "C" fn bytes_equal(_: &JavaThread, a: usize, b: usize) -> i32 {
    let (a, b) = (Oop::from_address(a), Oop::from_address(b));
    // SAFETY: byte arrays, and a leaf: nothing moves them meanwhile. Other threads may write; what is compared then
    // is what Java's own loop might have seen.
    unsafe { i32::from(access::bytes(a) == access::bytes(b)) }
}

/// The class library's own functions: the natives of `StrictMath`, which are what the interpreter runs.
macro_rules! strict_math {
    ($($name:ident = $symbol:literal;)*) => {
        $(extern "C" fn $name(_: &JavaThread, a: f64) -> f64 {
            static FUNCTION: OnceLock<usize> = OnceLock::new();
            let f = *FUNCTION.get_or_init(|| {
                crate::jni::native::java_symbol($symbol).unwrap_or_else(|| panic!("libjava has no {}", $symbol))
            });
            // SAFETY: a static native method of a double: it looks at neither environment nor class.
            let f: extern "C" fn(*mut c_void, *mut c_void, f64) -> f64 = unsafe { std::mem::transmute(f) };
            f(std::ptr::null_mut(), std::ptr::null_mut(), a)
        })*
    };
}

strict_math! {
    sin = "Java_java_lang_StrictMath_sin";
    cos = "Java_java_lang_StrictMath_cos";
    tan = "Java_java_lang_StrictMath_tan";
    log = "Java_java_lang_StrictMath_log";
    log10 = "Java_java_lang_StrictMath_log10";
}

extern "C" fn no_exp(_: &JavaThread, _: f64) -> f64 {
    panic!("Runtime::Exp does not exist: is_available says so")
}

extern "C" fn no_pow(_: &JavaThread, _: f64, _: f64) -> f64 {
    panic!("Runtime::Pow does not exist: is_available says so")
}

// ---- functions with arguments in a block

/// (class, lengths…); how many lengths the bytecode says.
unsafe extern "C" fn multi_new_array(t: &JavaThread, _: usize, args: &Arguments, sp: usize) -> usize {
    let pc = *((sp - 8) as *const usize);
    let code = compiled::find(pc).expect("compiled code calls the stub");
    let frame = &code.point(pc).expect("an allocation has a debug point").frames[0];
    let dims = frame.method.code[frame.bci as usize + 3] as usize;
    let lengths: Vec<i32> = (1..=dims)
        .map(|i| match i.checked_sub(INT_ARGS.len()) {
            None => args.ints[i] as i32,
            Some(word) => *((sp + 8 * word) as *const i32),
        })
        .collect();
    let _border = Border::push(t, sp, pc);
    let class = &*(args.ints[0] as usize as *const Class);
    alloc::multi_array(t, class, &lengths).map_or(0, |o| o.address())
}

// ---- stubs that keep registers; non-zero: the frame has been left

/// The frame goes on in the interpreter if that was asked for meanwhile.
unsafe fn still_valid(t: &JavaThread, registers: &Registers, sp: usize, pc: usize) -> usize {
    if t.lazy_deopt.take(sp).is_none() && !stress::is_due() {
        return 0;
    }
    deopt::leave(t, sp, pc, Some(registers), Entry::Execute);
    1
}

/// `Stub::Safepoint`.
pub(super) unsafe extern "C" fn safepoint(t: &JavaThread, registers: &Registers, sp: usize, pc: usize) -> usize {
    let stopped = {
        let _border = Border::push(t, sp, pc);
        t.poll_safepoint();
        lifecycle::take_async_exception(t).is_err()
    };
    if stopped {
        t.lazy_deopt.take(sp);
        deopt::leave(t, sp, pc, Some(registers), Entry::Raise);
        return 1;
    }
    still_valid(t, registers, sp, pc)
}

/// `Stub::CounterOverflow`.
pub(super) unsafe extern "C" fn counter_came_round(
    t: &JavaThread,
    registers: &Registers,
    sp: usize,
    pc: usize,
) -> usize {
    let word = registers.int[SCRATCH];
    let method = &*(word as u32 as usize as *const Method);
    let bci = (word >> 32) as i32;
    let better = {
        let _border = Border::push(t, sp, pc);
        policy::on_compiled_counter(t, method, bci)
    };
    if better {
        t.lazy_deopt.take(sp);
        deopt::leave(t, sp, pc, Some(registers), Entry::Execute);
        return 1;
    }
    still_valid(t, registers, sp, pc)
}

unsafe fn allocated(
    t: &JavaThread,
    registers: &mut Registers,
    sp: usize,
    pc: usize,
    result: crate::exceptions::VmResult<Oop>,
) -> usize {
    match result {
        Ok(o) => {
            registers.int[0] = o.address() as u64;
            still_valid(t, registers, sp, pc)
        }
        Err(_pending) => {
            t.lazy_deopt.take(sp);
            deopt::leave(t, sp, pc, Some(registers), Entry::Raise);
            1
        }
    }
}

/// `Stub::NewInstance`.
pub(super) unsafe extern "C" fn new_instance(t: &JavaThread, registers: &mut Registers, sp: usize, pc: usize) -> usize {
    let result = {
        let _border = Border::push(t, sp, pc);
        alloc::instance(t, Class::from_word(registers.int[0] as u32))
    };
    allocated(t, registers, sp, pc, result)
}

/// `Stub::NewArray`.
pub(super) unsafe extern "C" fn new_array(t: &JavaThread, registers: &mut Registers, sp: usize, pc: usize) -> usize {
    let length = registers.int[INT_ARGS[0] as usize] as i32;
    let result = {
        let _border = Border::push(t, sp, pc);
        alloc::array(t, Class::from_word(registers.int[0] as u32), length)
    };
    allocated(t, registers, sp, pc, result)
}

/// The scratch register that arguments of leaf stubs are in: r11, x16.
const SCRATCH: usize = if cfg!(target_arch = "aarch64") { 16 } else { 11 };

/// `Stub::Barrier`.
pub(super) unsafe extern "C" fn barrier(t: &JavaThread, registers: &Registers, _: usize, _: usize) -> usize {
    access::barrier_slow(t, Oop::from_address(registers.int[SCRATCH] as usize));
    0
}

/// `Stub::SearchSecondary`.
pub(super) unsafe extern "C" fn search_secondary(
    _: &JavaThread,
    registers: &mut Registers,
    _: usize,
    _: usize,
) -> usize {
    let sub = Class::from_word(registers.int[SCRATCH] as u32);
    let super_class = Class::from_word(registers.int[0] as u32);
    registers.int[0] = u64::from(sub.is_subclass_of(super_class));
    0
}
