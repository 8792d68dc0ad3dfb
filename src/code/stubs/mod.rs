//! Stubs: shared pieces of machine code between compiled methods and the run-time, made at start-up if there
//! are compilers. One file a processor; both are built on every host.
//!
//! Every stub keeps to the rules of `code::abi` for where a frame's return address lies (below the caller's
//! sp), so that walkers and lazy deoptimization treat a frame that has called a stub like any other.
//!
//! Where compiled code is left for good (an exception, deoptimization), the run-time sets `resume_*` in the
//! thread and the stub goes there.

pub mod arm64;
pub mod x64;

use super::assembled::Stub;
use super::cache::CodeCache;
use super::inline_cache;
use super::runtime;
use crate::compiler::ir::Runtime;
use crate::meta::{class, method};
use crate::threads::thread;
use std::collections::HashMap;
use std::mem::offset_of;
use std::sync::OnceLock;

/// All registers, as stubs that keep them lay them down: integer and floating-point ones by hardware number.
#[repr(C)]
pub struct Registers {
    pub int: [u64; if cfg!(target_arch = "aarch64") { 32 } else { 16 }],
    pub float: [u64; if cfg!(target_arch = "aarch64") { 32 } else { 16 }],
}

/// The argument registers of a call out of compiled code, in the order of `code::abi`.
#[repr(C)]
pub struct Arguments {
    pub ints: [u64; 8],
    pub floats: [u64; 8],
}

/// A call into compiled code. The stub takes the words for the integer arguments and those for the stack out: these
/// are in view of the collector for as long as the call takes.
#[repr(C)]
pub struct CallIn {
    pub entry: usize,
    pub method: *const method::Method,
    pub ints: [u64; 8],
    pub floats: [u64; 8],
    pub stack: *mut u64,
    pub stack_words: usize,
    pub int_result: u64,
    pub float_result: u64,
}

/// How far below its caller's stack pointer control stays where a frame has been dropped whose return address and
/// saved frame pointer are still needed: what lies below the stack pointer is a signal handler's.
pub const DROPPED: usize = 16;

/// Bytes below that which are cleared before the interpreter runs there: its frame has slots that it may not write
/// for long, and what the dropped frame left in them would be in view of the collector.
pub const CLEARED: usize = 2048;

/// Which method a stub looks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Redirect {
    Interface,
    InlineCache,
    MethodHandle,
}

/// What the assemblers need to know of the VM: offsets, and the function that finds where an exception goes,
/// `extern "C" fn(thread, sp, pc, fp)`.
#[derive(Clone, Debug)]
pub struct Layout {
    pub exception: i32,
    pub anchor_sp: i32,
    pub anchor_pc: i32,
    pub resume_sp: i32,
    pub resume_fp: i32,
    pub resume_pc: i32,
    pub resume_result: i32,
    pub method_entry: i32,
    pub method_class: i32,
    pub method_itable_index: i32,
    pub class_vtable: i32,
    pub class_vtable_length: i32,
    pub class_itable_words: i32,
    pub cache_entries: i32,
    pub cache_method: i32,
    pub cache_vtable_index: i32,
    pub cache_megamorphic: i32,
    pub in_entry: i32,
    pub in_method: i32,
    pub in_ints: i32,
    pub in_floats: i32,
    pub in_stack: i32,
    pub in_stack_words: i32,
    pub in_int_result: i32,
    pub in_float_result: i32,
    pub unwind: usize,
}

impl Layout {
    /// The VM's, with this function for exceptions.
    pub fn new(unwind: usize) -> Layout {
        let o = |offset: usize| offset as i32;
        Layout {
            exception: o(thread::offsets::EXCEPTION),
            anchor_sp: o(thread::offsets::ANCHOR_SP),
            anchor_pc: o(thread::offsets::ANCHOR_PC),
            resume_sp: o(thread::offsets::RESUME_SP),
            resume_fp: o(thread::offsets::RESUME_FP),
            resume_pc: o(thread::offsets::RESUME_PC),
            resume_result: o(thread::offsets::RESUME_RESULT),
            method_entry: o(method::offsets::COMPILED_ENTRY),
            method_class: o(method::offsets::CLASS),
            method_itable_index: o(method::offsets::ITABLE_INDEX),
            class_vtable: o(class::offsets::VTABLE),
            class_vtable_length: o(class::offsets::VTABLE_LENGTH),
            class_itable_words: o(class::offsets::ITABLE_WORDS),
            cache_entries: o(inline_cache::offsets::ENTRIES),
            cache_method: o(inline_cache::offsets::METHOD),
            cache_vtable_index: o(inline_cache::offsets::VTABLE_INDEX),
            cache_megamorphic: o(inline_cache::offsets::MEGAMORPHIC),
            in_entry: o(offset_of!(CallIn, entry)),
            in_method: o(offset_of!(CallIn, method)),
            in_ints: o(offset_of!(CallIn, ints)),
            in_floats: o(offset_of!(CallIn, floats)),
            in_stack: o(offset_of!(CallIn, stack)),
            in_stack_words: o(offset_of!(CallIn, stack_words)),
            in_int_result: o(offset_of!(CallIn, int_result)),
            in_float_result: o(offset_of!(CallIn, float_result)),
            unwind,
        }
    }
}

#[cfg(target_arch = "aarch64")]
use arm64 as native;
#[cfg(target_arch = "x86_64")]
use x64 as native;

/// The stubs of the running VM.
#[derive(Debug)]
pub struct Stubs {
    by_name: HashMap<Stub, usize>,
    /// Into the interpreter: the entry of every method without compiled code.
    pub call_out: usize,
    /// Into compiled code: `extern "C" fn(thread, *mut CallIn)`.
    pub call_in: usize,
    /// The return address within it: the end of a run of compiled frames.
    pub call_in_return: usize,
    /// Stands for the return address into a frame whose code has become invalid.
    pub lazy_deopt: usize,
    /// Deoptimizes the frame at sp, raising the pending exception in it.
    pub raise_deopt: usize,
    /// Runs the interpreter frames that stand for a compiled frame, in its place.
    pub interpret: usize,
    /// Enters an on-stack replacement in the place of interpreter frames.
    pub enter_osr: usize,
    /// Clears the stack before an exception handler runs.
    pub clear_and_go: usize,
    /// Where the stubs lie.
    range: (usize, usize),
}

static STUBS: OnceLock<Stubs> = OnceLock::new();

/// The stubs; `None` if the VM runs without compilers.
#[inline]
pub fn get() -> Option<&'static Stubs> {
    STUBS.get()
}

impl Stubs {
    /// Address of a stub.
    pub fn address(&self, stub: Stub) -> usize {
        self.by_name[&stub]
    }

    /// The name of the stub that `pc` is in, for listings.
    pub fn name_at(&self, pc: usize) -> Option<String> {
        if pc < self.range.0 || pc >= self.range.1 {
            return None;
        }
        let named = self.by_name.iter().map(|(s, &a)| (a, format!("{s:?}")));
        let others = [
            (self.call_out, "CallOut"),
            (self.call_in, "CallIn"),
            (self.lazy_deopt, "LazyDeopt"),
            (self.raise_deopt, "RaiseDeopt"),
            (self.interpret, "Interpret"),
            (self.enter_osr, "EnterOsr"),
            (self.clear_and_go, "ClearAndGo"),
        ];
        let others = others.into_iter().map(|(a, s)| (a, s.to_string()));
        named.chain(others).filter(|(a, _)| *a <= pc).max_by_key(|(a, _)| *a).map(|(_, s)| s)
    }
}

/// Makes the stubs, in the code cache.
pub(super) fn generate(cache: &CodeCache) -> &'static Stubs {
    STUBS.get_or_init(|| {
        let l = &Layout::new(super::unwind::unwind_entry as *const () as usize);
        let mut range = (usize::MAX, 0);
        let mut place = |code: Vec<u8>| {
            let at = cache.allocate(code.len()).expect("the smallest code cache holds the stubs");
            cache.write(at, &code);
            range = (range.0.min(at), range.1.max(at + code.len()));
            at
        };
        let mut by_name = HashMap::new();
        for &r in runtime::ALL {
            let code = match runtime::function(r) {
                runtime::Function::Registers(f) => native::runtime(l, f, r.is_leaf()),
                runtime::Function::Block(f) => native::call_out(l, f),
            };
            by_name.insert(Stub::Runtime(r), place(code));
        }
        use super::{adapters, unwind};
        use crate::deopt;
        for (stub, code) in [
            (Stub::Deopt, native::block(l, deopt::eager as *const () as usize)),
            (Stub::Safepoint, native::block(l, runtime::safepoint as *const () as usize)),
            (Stub::CounterOverflow, native::block(l, runtime::counter_came_round as *const () as usize)),
            (Stub::NewInstance, native::block(l, runtime::new_instance as *const () as usize)),
            (Stub::NewArray, native::block(l, runtime::new_array as *const () as usize)),
            (Stub::Barrier, native::block(l, runtime::barrier as *const () as usize)),
            (Stub::SearchSecondary, native::block(l, runtime::search_secondary as *const () as usize)),
            (Stub::StackOverflow, native::leave(l, unwind::stack_overflow as *const () as usize)),
            (Stub::Throw, native::leave(l, unwind::throw as *const () as usize)),
            (
                Stub::Interface,
                native::redirect(l, Redirect::Interface, adapters::interface_target as *const () as usize),
            ),
            (
                Stub::InlineCache,
                native::redirect(l, Redirect::InlineCache, inline_cache::select as *const () as usize),
            ),
            (
                Stub::MethodHandle,
                native::redirect(l, Redirect::MethodHandle, adapters::method_handle_target as *const () as usize),
            ),
        ] {
            by_name.insert(stub, place(code));
        }
        let call_out = place(native::call_out(l, adapters::call_out as *const () as usize));
        let (code, back) = native::call_in(l);
        let call_in = place(code);
        let lazy_deopt = place(native::arrive(l, deopt::lazy::returned as *const () as usize));
        let raise_deopt = place(native::arrive(l, deopt::raise as *const () as usize));
        let interpret = place(native::interpret(l, deopt::interpret as *const () as usize));
        let enter_osr = place(native::enter_osr());
        let clear_and_go = place(native::clear_and_go());
        Stubs {
            by_name,
            call_out,
            call_in,
            call_in_return: call_in + back,
            lazy_deopt,
            raise_deopt,
            interpret,
            enter_osr,
            clear_and_go,
            range,
        }
    })
}

/// Every stub that a method may name in a relocation.
pub fn is_known(r: Runtime) -> bool {
    runtime::ALL.contains(&r)
}
