//! What the dispatch loop does rarely, or not inline. Functions that take `frame, pc, sp` save
//! them first; the caller hands in the running frame's own.

use super::frame::{save, Frame, NativeFrame};
use super::insn::{PreparedCode, ReceiverSite, SiteKind};
use super::monitors;
use super::prepare::{self, PrepareError};
use super::unwind::unwind;
use crate::code::osr::{self, Left};
use crate::code::{adapters, compiled};
use crate::exceptions::{throw, VmResult};
use crate::heap::layout::{narrow, widen, BasicType, Oop};
use crate::heap::{access, alloc};
use crate::invoke;
use crate::link::resolve;
use crate::meta::class::{Class, ClassRef};
use crate::meta::field::Field;
use crate::meta::method::{MethodKind, MethodRef};
use crate::profile::policy;
use crate::threads::{monitor, JavaThread};
use std::sync::atomic::{AtomicI16, AtomicI8, AtomicU16, AtomicU32, AtomicU64, AtomicU8, Ordering};

/// What became of a call that the loop could not make itself.
pub enum CallOutcome {
    /// It is over; the new stack pointer, result pushed.
    Done(*mut u64),
    /// Call this method, whose arguments end at the stack pointer.
    Call(MethodRef, *mut u64),
    /// An exception pends.
    Thrown,
}

/// Calls a method that is not to be interpreted at once: calls its compiled code, prepares it, calls a native, follows a
/// method-handle intrinsic, or throws what an abstract or overpass method stands for.
#[inline(never)]
pub unsafe fn call(t: &JavaThread, frame: *mut Frame, pc: *const u64, sp: *mut u64, callee: MethodRef) -> CallOutcome {
    save(t, frame, pc, sp);
    let args = sp.sub(callee.arg_slots as usize);
    match dispatch(t, callee, args, sp) {
        Ok(Dispatch::Result(v)) => {
            *args = v;
            CallOutcome::Done(args.add(callee.return_type.slots()))
        }
        Ok(Dispatch::Call(m, top)) => CallOutcome::Call(m, top),
        Err(_pending) => CallOutcome::Thrown,
    }
}

/// What a method that is not to be interpreted at once comes to.
pub enum Dispatch {
    /// A native, or compiled code, has run.
    Result(u64),
    /// Go on with this method; its arguments end at the pointer.
    Call(MethodRef, *mut u64),
}

/// See [`call`]; `args..top` are the callee's arguments.
///
/// # Safety
/// They must lie at the top of the thread's Java stack, the frame below being saved.
pub unsafe fn dispatch(t: &JavaThread, callee: MethodRef, args: *mut u64, top: *mut u64) -> VmResult<Dispatch> {
    match callee.kind() {
        MethodKind::Native => native(t, callee, args, top).map(Dispatch::Result),
        MethodKind::Java => {
            if callee.prepared.load(Ordering::Acquire).is_null() {
                policy::on_first_call(t, callee);
            }
            if let Some(code) = compiled::of_method(callee) {
                return adapters::call_in(t, code, args).map(Dispatch::Result);
            }
            match prepare::of_method(callee) {
                Ok(_) => Ok(Dispatch::Call(callee, top)),
                Err(e) => Err(unpreparable(t, callee, e)),
            }
        }
        MethodKind::InvokeBasic => {
            let handle = Oop::from_address(*args as usize);
            if handle.is_null() {
                return Err(throw(t, "java/lang/NullPointerException", None));
            }
            Ok(Dispatch::Call(invoke::basic_target(handle), top))
        }
        kind @ (MethodKind::LinkToVirtual
        | MethodKind::LinkToStatic
        | MethodKind::LinkToSpecial
        | MethodKind::LinkToInterface) => {
            let top = top.sub(1);
            let member = Oop::from_address(*top as usize);
            let receiver = if kind == MethodKind::LinkToStatic { Oop::NULL } else { Oop::from_address(*args as usize) };
            if member.is_null() || receiver.is_null() && kind != MethodKind::LinkToStatic {
                return Err(throw(t, "java/lang/NullPointerException", None));
            }
            Ok(Dispatch::Call(invoke::link_to_target(t, kind, member, receiver)?, top))
        }
        MethodKind::Abstract if !callee.is_static() && *args != 0 => {
            abstract_call(t, callee, Oop::from_address(*args as usize).class()).map(|m| Dispatch::Call(m, top))
        }
        MethodKind::Abstract => Err(throw(
            t,
            "java/lang/AbstractMethodError",
            callee.overpass_message.clone().or_else(|| Some(callee.name_and_signature())),
        )),
        MethodKind::ConflictingDefaults => {
            Err(throw(t, "java/lang/IncompatibleClassChangeError", callee.overpass_message.clone()))
        }
        // Reached without a call site of their own: by reflection or JNI.
        MethodKind::InvokeGeneric | MethodKind::LinkToNative => Err(invoke::intrinsics::not_invocable(t, callee)),
    }
}

/// Selection throws the AbstractMethodError with its message. An overpass has its own.
#[cold]
fn abstract_call(t: &JavaThread, callee: MethodRef, receiver: ClassRef) -> VmResult<MethodRef> {
    if let Some(message) = &callee.overpass_message {
        return Err(throw(t, "java/lang/AbstractMethodError", Some(message.clone())));
    }
    let m = if callee.class().is_interface() {
        resolve::select_interface(t, callee, receiver)?
    } else {
        // What the call named is not known here, and HotSpot does not say who the receiver is.
        return Err(resolve::abstract_method_error(t, callee, None, None));
    };
    if m.kind() == MethodKind::Abstract {
        return Err(throw(t, "java/lang/AbstractMethodError", Some(m.name_and_signature())));
    }
    Ok(m)
}

#[cold]
fn unpreparable(t: &JavaThread, m: MethodRef, e: PrepareError) -> crate::exceptions::Thrown {
    match e {
        PrepareError::MetaspaceExhausted => throw(t, "java/lang/OutOfMemoryError", Some("Metaspace".into())),
        PrepareError::Malformed(bci) => throw(
            t,
            "java/lang/VerifyError",
            Some(format!("Bad instruction at bytecode index {bci} of {}", m.name_and_signature())),
        ),
    }
}

/// Runs a native method; locks if it is synchronized.
unsafe fn native(t: &JavaThread, m: MethodRef, args: *mut u64, top: *mut u64) -> VmResult<u64> {
    let Some(frame) = NativeFrame::push(t, m, args, top) else {
        return Err(overflow(t));
    };
    let n = m.invocation_counter.load(Ordering::Relaxed).saturating_add(1);
    m.invocation_counter.store(n, Ordering::Relaxed);
    let run = |t: &JavaThread| match m.vm_native() {
        Some(f) => f(t, args),
        None => crate::jni::native::call(t, m, args),
    };
    let result = if m.is_synchronized() {
        let lock = monitors::method_object(m, args);
        monitor::enter(t, lock)?;
        let result = run(t);
        let pending = t.take_exception();
        let exit = monitor::exit(t, lock);
        if !pending.is_null() {
            t.exception.set(pending);
        }
        exit.and(result)
    } else {
        run(t)
    };
    drop(frame);
    debug_assert!(result.is_err() == t.has_pending_exception(), "{m:?} disagrees with the pending exception");
    result
}

/// Looks at a taken back-edge: safepoint, or the counter's turn. `target` is where it leads.
#[cold]
#[inline(never)]
pub unsafe fn backedge(t: &JavaThread, frame: *mut Frame, target: *const u64, sp: *mut u64) -> Result<(), Leave> {
    save(t, frame, target, sp);
    let method = &*(*frame).method;
    if method.backedge_counter.load(Ordering::Relaxed) == 0 {
        // Saturate: stay where the next look is due.
        method.backedge_counter.store(0u32.wrapping_sub(1 << 10), Ordering::Relaxed);
    }
    if t.poll.load(Ordering::Relaxed) != 0 {
        return Ok(safepoint(t)?);
    }
    let bci = (*frame).bci();
    policy::on_backedges(t, method, bci);
    if let Some(code) = compiled::osr_of_method(method, bci as u16) {
        let left = osr::enter(t, frame, code);
        if !matches!(left, Left::Stayed) {
            // What the loop knows of the frame is void: it goes on where it deals with exceptions.
            t.osr_left.set(Some(left));
            return Err(Leave);
        }
    }
    Ok(())
}

/// The loop must let go of its frame: an exception pends, or the frame is gone.
pub struct Leave;

impl From<crate::exceptions::Thrown> for Leave {
    fn from(_pending: crate::exceptions::Thrown) -> Leave {
        Leave
    }
}

/// How the loop goes on.
pub enum GoOn {
    /// In the topmost frame, as saved.
    Frame,
    /// With this result to the border.
    Return(u64),
    /// With the pending exception to the border.
    Throw,
}

/// After the loop has let go of its frame: finds the handler of the pending exception, or what an on-stack
/// replacement has left.
#[cold]
#[inline(never)]
pub unsafe fn go_on(t: &JavaThread) -> GoOn {
    match t.osr_left.take() {
        Some(Left::Resume) => GoOn::Frame,
        Some(Left::Return(v)) => GoOn::Return(v),
        Some(Left::Thrown | Left::Stayed) | None => {
            if unwind(t) {
                GoOn::Frame
            } else {
                GoOn::Throw
            }
        }
    }
}

/// The invocation counter's turn.
#[cold]
#[inline(never)]
pub fn invocations(t: &JavaThread, method: MethodRef, n: u32) {
    if n == 0 {
        method.invocation_counter.store(0u32.wrapping_sub(1 << 7), Ordering::Relaxed);
    }
    policy::on_invocations(t, method);
}

/// A poll on return: `result` may be a reference, kept in view of the collector.
#[cold]
#[inline(never)]
pub unsafe fn return_poll(t: &JavaThread, frame: *mut Frame, pc: *const u64, sp: *mut u64, result: u64) -> VmResult<()> {
    save(t, frame, pc, sp);
    let keep = std::hint::black_box(result);
    let r = safepoint(t);
    std::hint::black_box(keep);
    r
}

/// Stops if asked to; an exception that another thread sent (`Thread.stop`) is thrown here.
fn safepoint(t: &JavaThread) -> VmResult<()> {
    t.poll_safepoint();
    crate::threads::lifecycle::take_async_exception(t)
}

/// `lookupswitch`.
#[inline(never)]
pub fn lookup(code: &PreparedCode, table: u32, key: i32) -> i32 {
    code.tables[table as usize].target(key)
}

/// Whether the array is a boolean[] (not a byte[]).
#[inline(always)]
pub unsafe fn is_boolean_array(array: u64) -> bool {
    Oop::from_address(array as usize).class().element_type == BasicType::Boolean
}

/// Releases the frame's monitors.
#[inline(never)]
pub unsafe fn return_monitors(t: &JavaThread, frame: *mut Frame, pc: *const u64, sp: *mut u64) -> VmResult<()> {
    save(t, frame, pc, sp);
    monitors::release_on_return(t, frame)
}

/// Registers the new object if its class has a finalizer.
#[inline(always)]
pub unsafe fn return_object_init(
    t: &JavaThread,
    frame: *mut Frame,
    pc: *const u64,
    sp: *mut u64,
    locals: *mut u64,
) -> VmResult<()> {
    let object = Oop::from_address(*locals as usize);
    if object.class().has_flag(crate::meta::class::class_flags::HAS_FINALIZER) {
        return register_finalizer(t, frame, pc, sp, object);
    }
    Ok(())
}

#[cold]
#[inline(never)]
unsafe fn register_finalizer(t: &JavaThread, frame: *mut Frame, pc: *const u64, sp: *mut u64, object: Oop) -> VmResult<()> {
    save(t, frame, pc, sp);
    crate::heap::refs::register_finalizer(t, object)
}

/// Locks the monitor of a synchronized method.
#[inline(never)]
pub unsafe fn sync_enter(t: &JavaThread, frame: *mut Frame, pc: *const u64, sp: *mut u64) -> VmResult<()> {
    save(t, frame, pc, sp);
    let object = monitors::method_object(&*(*frame).method, (*frame).locals);
    monitors::enter(t, frame, object)
}

#[inline(never)]
pub unsafe fn monitor_enter(t: &JavaThread, frame: *mut Frame, pc: *const u64, sp: *mut u64, object: u64) -> VmResult<()> {
    save(t, frame, pc, sp);
    monitors::enter(t, frame, Oop::from_address(object as usize))
}

#[inline(never)]
pub unsafe fn monitor_exit(t: &JavaThread, frame: *mut Frame, pc: *const u64, sp: *mut u64, object: u64) -> VmResult<()> {
    save(t, frame, pc, sp);
    monitors::exit(t, frame, Oop::from_address(object as usize))
}

/// Whether the constant pool entry of the `invokevirtual` at which `frame` stands has been linked.
fn is_linked_at(frame: &Frame) -> bool {
    let Some(m) = frame.method() else { return false };
    match m.code.get(frame.bci()..frame.bci() + 3) {
        Some(&[0xb6, high, low]) => super::quicken::is_linked(m.class(), u16::from_be_bytes([high, low])),
        _ => false,
    }
}

/// Inline cache miss of a `ReceiverSite`: selects and caches.
#[inline(never)]
pub unsafe fn select(
    t: &JavaThread,
    frame: *mut Frame,
    pc: *const u64,
    sp: *mut u64,
    site: &ReceiverSite,
    word: u32,
) -> VmResult<MethodRef> {
    let class = Class::from_word(word);
    let m = site.method;
    // A table for the interface itself says that it is implemented.
    let found = match (site.kind, usize::try_from(m.itable_index.load(Ordering::Relaxed))) {
        (SiteKind::Interface(i), Ok(index)) if i == m.class() => class.itable_lookup(i, index).flatten(),
        _ => None,
    };
    let target = match (found, site.kind) {
        (Some(x), _) => x,
        (None, SiteKind::Interface(i)) => {
            save(t, frame, pc, sp);
            resolve::check_implements(t, class, i)?;
            resolve::select_interface(t, m, class)?
        }
        (None, SiteKind::Special(caller)) => {
            save(t, frame, pc, sp);
            resolve::check_special_receiver(t, class, caller)?;
            m
        }
        (None, SiteKind::Virtual) => {
            save(t, frame, pc, sp);
            let selected = resolve::vtable_index(class, m).map(|i| class.vtable(i));
            if selected.is_some_and(|s| s.is_abstract() && s.overpass_message.is_none()) && is_linked_at(&*frame) {
                return Err(resolve::abstract_method_error(t, m, None, None));
            }
            resolve::select_virtual(t, m, class)?
        }
    };
    let pair = u64::from(word) | (target as *const _ as usize as u64) << 32;
    site.cache.store(pair, Ordering::Release);
    Ok(target)
}

/// Slots of a value of the type with this code.
#[inline(always)]
pub fn slots_of(code: u16) -> usize {
    if code == BasicType::Long as u16 || code == BasicType::Double as u16 {
        2
    } else {
        1
    }
}

/// Volatile load of a field; its slot value and its slots.
#[inline(never)]
pub unsafe fn load_volatile(address: usize, code: u16) -> (u64, usize) {
    const O: Ordering = Ordering::SeqCst;
    let v = match basic_type(code) {
        BasicType::Boolean => u64::from((*(address as *const AtomicU8)).load(O)),
        BasicType::Byte => i32::from((*(address as *const AtomicI8)).load(O)) as u32 as u64,
        BasicType::Char => u64::from((*(address as *const AtomicU16)).load(O)),
        BasicType::Short => i32::from((*(address as *const AtomicI16)).load(O)) as u32 as u64,
        BasicType::Int | BasicType::Float => u64::from((*(address as *const AtomicU32)).load(O)),
        BasicType::Long | BasicType::Double => (*(address as *const AtomicU64)).load(O),
        BasicType::Object | BasicType::Array | BasicType::Void => {
            widen((*(address as *const AtomicU32)).load(O)) as u64
        }
    };
    (v, slots_of(code))
}

/// Volatile store of a field.
#[inline(never)]
pub unsafe fn store_volatile(t: &JavaThread, object: usize, offset: usize, code: u16, v: u64) {
    const O: Ordering = Ordering::SeqCst;
    let address = object + offset;
    match basic_type(code) {
        BasicType::Boolean => (*(address as *const AtomicU8)).store(v as u8 & 1, O),
        BasicType::Byte => (*(address as *const AtomicU8)).store(v as u8, O),
        BasicType::Char | BasicType::Short => (*(address as *const AtomicU16)).store(v as u16, O),
        BasicType::Int | BasicType::Float => (*(address as *const AtomicU32)).store(v as u32, O),
        BasicType::Long | BasicType::Double => (*(address as *const AtomicU64)).store(v, O),
        BasicType::Object | BasicType::Array | BasicType::Void => {
            debug_assert!(widen(narrow(v as usize)) as u64 == v);
            access::store_ref_volatile(t, Oop::from_address(object), offset, Oop::from_address(v as usize))
        }
    }
}

fn basic_type(code: u16) -> BasicType {
    BasicType::from_code(code as u8).unwrap_or(BasicType::Object)
}

/// `getstatic` of a field that the quick forms do not reach.
#[inline(never)]
pub unsafe fn get_static_field(field: u32) -> (u64, usize) {
    let f = &*(field as usize as *const Field);
    load_volatile(f.static_address(), f.basic_type as u16)
}

/// `putstatic` likewise.
#[inline(never)]
pub unsafe fn put_static_field(t: &JavaThread, field: u32, v: u64) {
    let f = &*(field as usize as *const Field);
    store_volatile(t, f.class().mirror().address(), f.offset as usize, f.basic_type as u16, v)
}

#[inline(never)]
pub unsafe fn multi_new_array(
    t: &JavaThread,
    frame: *mut Frame,
    pc: *const u64,
    sp: *mut u64,
    class: u32,
    dims: usize,
) -> VmResult<Oop> {
    save(t, frame, pc, sp);
    let base = sp.sub(dims);
    let lengths: Vec<i32> = (0..dims).map(|i| *base.add(i) as i32).collect();
    alloc::multi_array(t, Class::from_word(class), &lengths)
}

macro_rules! raisers {
    ($($(#[$m:meta])* $name:ident($t:ident, $frame:ident $(, $arg:ident: $ty:ty)*) $body:block)*) => {
        $($(#[$m])*
        #[cold]
        #[inline(never)]
        pub unsafe fn $name($t: &JavaThread, $frame: *mut Frame, pc: *const u64, sp: *mut u64 $(, $arg: $ty)*) {
            save($t, $frame, pc, sp);
            let _pending = $body;
        })*
    };
}

raisers! {
    /// NullPointerException; its message is made when asked for (JEP 358).
    null_pointer(t, _frame) { throw(t, "java/lang/NullPointerException", None) }

    index_out_of_bounds(t, _frame, array: u64, index: i32) {
        let length = Oop::from_address(array as usize).array_length();
        throw(
            t,
            "java/lang/ArrayIndexOutOfBoundsException",
            Some(format!("Index {index} out of bounds for length {length}")),
        )
    }

    division_by_zero(t, _frame) {
        throw(t, "java/lang/ArithmeticException", Some("/ by zero".into()))
    }

    array_store(t, _frame, value: u64) {
        let class = Oop::from_address(value as usize).class();
        throw(t, "java/lang/ArrayStoreException", Some(class.external_name()))
    }

    class_cast(t, _frame, object: u64, target: u32) {
        let class = Oop::from_address(object as usize).class();
        let message = super::messages::class_cast(class, Class::from_word(target));
        throw(t, "java/lang/ClassCastException", Some(message))
    }

    /// `athrow`.
    throw_object(t, _frame, object: u64) {
        if object == 0 {
            throw(t, "java/lang/NullPointerException", None)
        } else {
            t.set_exception(Oop::from_address(object as usize))
        }
    }

    /// No room for the frame of `callee`.
    stack_overflow(t, _frame, _callee: MethodRef) { overflow(t) }

    /// Code that runs off its end.
    illegal_code(t, frame) {
        let m = &*(*frame).method;
        throw(
            t,
            "java/lang/VerifyError",
            Some(format!("Control flow falls through code end of {}", m.name_and_signature())),
        )
    }
}

/// StackOverflowError. It is allocated without running Java code, so that the reserve beyond
/// the limit is not needed for it.
#[cold]
pub fn overflow(t: &JavaThread) -> crate::exceptions::Thrown {
    throw(t, "java/lang/StackOverflowError", None)
}
