//! From a debug point to interpreter frames.

use crate::code::assembled::{DebugPoint, FrameInfo, VirtualInfo, Where};
use crate::code::frames::{self, slot_bits, Activation, Border};
use crate::code::stubs::{self, Registers};
use crate::code::{compiled, unwind};
use crate::compiler::ir::{Mem, Resume};
use crate::exceptions::VmResult;
use crate::heap::layout::{BasicType, Oop};
use crate::heap::{access, alloc};
use crate::interpreter::call::call;
use crate::interpreter::frame::{Frame, FrameKind};
use crate::interpreter::insn::Insn;
use crate::interpreter::run::{run, Start};
use crate::interpreter::slow::overflow;
use crate::log;
use crate::meta::method::MethodRef;
use crate::threads::{monitor, JavaThread};

/// How the innermost frame goes on.
#[derive(Clone, Copy, Debug)]
pub enum Entry {
    /// As its debug point says, nothing having come of the bytecode.
    Execute,
    /// With the pending exception, at its bytecode.
    Raise,
    /// What the frame had called has returned this.
    Returned { int: u64, float: u64 },
}

/// A frame about to be replaced, with where its values are.
struct Dead<'a> {
    activation: Activation,
    registers: Option<&'a Registers>,
    /// The scalar-replaced objects, made.
    virtuals: *const u64,
}

impl Dead<'_> {
    /// The interpreter's form of a value; 0 for dead ones.
    unsafe fn value(&self, w: &Where) -> u64 {
        let registers = || self.registers.expect("values live in registers only where a stub keeps them");
        match *w {
            Where::Dead => 0,
            Where::Int(ty, r) => slot_bits(ty, registers().int[r as usize]),
            Where::Float(ty, r) => slot_bits(ty, registers().float[r as usize]),
            Where::Virtual(i) => *self.virtuals.add(i as usize),
            _ => self.activation.value(w).expect("in the frame, or constant"),
        }
    }
}

/// Replaces the compiled frame at `sp`, which stands at return address `pc`, by interpreter frames, and sets that the
/// stub which runs them takes its place.
///
/// # Safety
/// The frame must be the thread's innermost; `registers` those at a point where values may be in registers. The
/// caller must go where `resume_*` says.
pub unsafe fn leave(t: &JavaThread, sp: usize, pc: usize, registers: Option<&Registers>, entry: Entry) {
    let code = compiled::find(pc).expect("a compiled frame stands in compiled code");
    let activation = Activation { code, sp, pc };
    let caller_sp = activation.caller_sp();
    // The frame does not count as one of the code's any more, which may be freed at the next pause.
    let point = activation.point().clone();
    let border = Border::push(t, caller_sp, frames::return_address(t, caller_sp));
    let dead = Dead { activation, registers, virtuals: border.top() };
    let rebuilt = rebuild(t, &border, dead, &point, entry);
    // What runs in its place may leave parts of it as they are.
    std::ptr::write_bytes(sp as *mut u8, 0, code.frame_size - stubs::DROPPED);
    match rebuilt {
        Ok(()) => {
            let stubs = stubs::get().expect("there is compiled code");
            set_resume_in_place(t, caller_sp, stubs.interpret, border.keep() as u64);
        }
        Err(_pending) => {
            drop(border);
            unwind_caller(t, caller_sp);
        }
    }
}

/// What the stub that [`leave`] names calls, in the place of the compiled frame: runs the frames above `border`, and
/// sets where their caller goes on, or what goes on in their place.
pub(crate) unsafe extern "C" fn interpret(t: &JavaThread, caller_sp: usize, border: *mut Frame) {
    let result = {
        let _border = Border::of_frame(t, border);
        let start = if t.has_pending_exception() { Start::Raise } else { Start::Execute };
        t.osr_handover.during(border, || run(t, start))
    };
    match result {
        Ok(value) => match t.osr_handover.take() {
            Some(buffer) => {
                let stubs = stubs::get().expect("there is compiled code");
                set_resume_in_place(t, caller_sp, stubs.enter_osr, buffer as u64);
            }
            None => {
                let (fp, pc) = caller_of(caller_sp);
                unwind::set_resume(t, caller_sp, fp, pc, value);
            }
        },
        Err(_pending) => unwind_caller(t, caller_sp),
    }
}

/// Goes on at `stub` with the frame beneath `caller_sp` dropped but for its return address and frame pointer.
unsafe fn set_resume_in_place(t: &JavaThread, caller_sp: usize, stub: usize, result: u64) {
    unwind::set_resume(t, caller_sp - stubs::DROPPED, caller_of(caller_sp).0, stub, result)
}

/// Raises the pending exception in the caller.
unsafe fn unwind_caller(t: &JavaThread, caller_sp: usize) {
    let (fp, pc) = caller_of(caller_sp);
    unwind::unwind(t, caller_sp, pc, fp)
}

/// Frame pointer and return address into the caller, as the callee's frame keeps them.
unsafe fn caller_of(caller_sp: usize) -> (usize, usize) {
    (*((caller_sp - 16) as *const usize), *((caller_sp - 8) as *const usize))
}

/// Pushes the interpreter frames, above `border`, and makes the exception pend that they begin with, if any.
unsafe fn rebuild(t: &JavaThread, border: &Border<'_>, dead: Dead<'_>, point: &DebugPoint, entry: Entry) -> VmResult<()> {
    let (code, pc, at) = (dead.activation.code, dead.activation.pc, dead.activation.sp);
    log!(
        Debug,
        [deoptimization],
        "DEOPT PACKING pc={pc:#018x} sp={at:#018x} compile_id={} {}: {} frames, {} objects",
        code.id,
        code.method.name_and_signature(),
        point.frames.len(),
        point.virtuals.len(),
    );
    // HotSpot's modes: deopt, exception, uncommon_trap.
    let mode = match entry {
        Entry::Returned { .. } => 0,
        Entry::Raise => 1,
        Entry::Execute => 2,
    };
    log!(Debug, [deoptimization], "DEOPT UNPACKING pc={pc:#018x} sp={at:#018x} mode {mode}");
    let slots = border.top();
    let need = point.virtuals.len() + point.frames.iter().map(slots_of).sum::<usize>();
    let here = 0u8;
    // The reserve beyond the limits is for this as much as for raising the error; what it is too small for ends
    // in the error at once.
    let java_end = (t.java_stack_end.get() as usize).saturating_sub(RESERVE_KEPT);
    let native_end = t.native_stack_limit.get().saturating_sub(RESERVE_KEPT);
    if slots.add(need) as usize > java_end || (&here as *const u8 as usize) < native_end {
        release_monitors(t, &dead, point);
        t.take_exception();
        return Err(overflow(t));
    }
    let frames_at = slots.add(point.virtuals.len());
    for i in 0..point.virtuals.len() {
        *slots.add(i) = 0;
    }
    t.stack_top.set(frames_at);
    let kept = Kept(t.take_exception());
    // What a call has returned may be a reference: keep it in view of the collector.
    let entry = std::hint::black_box(entry);
    if materialize(t, &dead, &point.virtuals, slots).is_err() {
        // The frames cannot be made: the method ends with this error.
        let pending = t.take_exception();
        release_monitors(t, &dead, point);
        return Err(t.set_exception(pending));
    }
    relock(t, &dead, point)?;
    let mut top = frames_at;
    for (depth, f) in point.frames.iter().enumerate().rev() {
        let how = if depth == 0 { entry } else { Entry::Raise };
        top = push_frame(t, &dead, f, top, how);
    }
    std::hint::black_box(&entry);
    // The frames have them now, for as long as they need them.
    for i in 0..point.virtuals.len() {
        *slots.add(i) = 0;
    }
    debug_assert!(matches!(entry, Entry::Raise) != kept.0.is_null());
    t.exception.set(kept.0);
    Ok(())
}

/// An exception on its way, on the stack and so in view of the collector.
struct Kept(Oop);

/// Bytes of the stacks' reserves that rebuilding frames does not use up.
const RESERVE_KEPT: usize = 16 << 10;

fn slots_of(f: &FrameInfo) -> usize {
    let code = prepared(f.method);
    code.frame_slots as usize + crate::interpreter::frame::FRAME_SLOTS + code.extent as usize
}

fn prepared(m: MethodRef) -> &'static crate::interpreter::insn::PreparedCode {
    // SAFETY: lives as long as the method.
    unsafe { m.prepared.load(std::sync::atomic::Ordering::Acquire).as_ref() }
        .expect("installing code prepares the methods in it")
}

/// Makes the scalar-replaced objects, into the slots at `to` (which the collector sees).
unsafe fn materialize(t: &JavaThread, dead: &Dead<'_>, virtuals: &[VirtualInfo], to: *mut u64) -> VmResult<()> {
    for (i, v) in virtuals.iter().enumerate() {
        let object = if v.boxed {
            boxed(t, dead, v)?
        } else if v.class.is_array() {
            alloc::array(t, v.class, v.length as i32)?
        } else {
            alloc::instance(t, v.class)?
        };
        *to.add(i) = object.address() as u64;
    }
    for (i, v) in virtuals.iter().enumerate().filter(|x| !x.1.boxed) {
        let object = Oop::from_address(*to.add(i) as usize);
        for (offset, mem, w) in &v.fields {
            let (at, bits) = (*offset as usize, dead.value(w));
            match mem {
                Mem::I8 | Mem::U8 => access::store::<u8>(object, at, bits as u8),
                Mem::I16 | Mem::U16 => access::store::<i16>(object, at, bits as i16),
                Mem::I32 | Mem::F32 => access::store::<u32>(object, at, bits as u32),
                Mem::I64 | Mem::F64 => access::store::<u64>(object, at, bits),
                Mem::Ref => access::store_ref(t, object, at, Oop::from_address(bits as usize)),
                Mem::Ptr32 | Mem::Ptr64 | Mem::WideRef => unreachable!("no field of an object is an address of metadata"),
            }
        }
    }
    Ok(())
}

/// What `valueOf` gives for the contents of a box: one from its cache, or a new one.
unsafe fn boxed(t: &JavaThread, dead: &Dead<'_>, v: &VirtualInfo) -> VmResult<Oop> {
    let value_of = v.class.methods.iter().find(|m| {
        m.is_static() && m.name == "valueOf" && m.parameters.len() == 1 && !m.parameters[0].is_reference()
    });
    let value_of = value_of.expect("classes of boxes have valueOf");
    let mut args = [dead.value(&v.fields[0].2), 0];
    if value_of.parameters[0].slots() == 1 {
        args[0] &= 0xffff_ffff;
    }
    let bits = call(t, value_of, &args[..value_of.arg_slots as usize])?;
    Ok(Oop::from_address(bits as usize))
}

/// Takes the locks that compiled code did without. They are free, or this thread's: that is why.
unsafe fn relock(t: &JavaThread, dead: &Dead<'_>, point: &DebugPoint) -> VmResult<()> {
    for f in point.frames.iter().rev() {
        for (w, elided) in &f.monitors {
            if *elided {
                monitor::enter(t, Oop::from_address(dead.value(w) as usize))?;
            }
        }
    }
    Ok(())
}

/// Gives up the monitors of frames that are not made.
unsafe fn release_monitors(t: &JavaThread, dead: &Dead<'_>, point: &DebugPoint) {
    for f in &point.frames {
        for (w, elided) in f.monitors.iter().rev() {
            if !*elided {
                let _ = monitor::exit(t, Oop::from_address(dead.value(w) as usize));
                t.take_exception();
            }
        }
    }
}

/// Pushes the interpreter frame of `f`, its locals at `base`; where the frame it calls has its locals.
unsafe fn push_frame(t: &JavaThread, dead: &Dead<'_>, f: &FrameInfo, base: *mut u64, how: Entry) -> *mut u64 {
    let code = prepared(f.method);
    let frame = base.add(code.frame_slots as usize) as *mut Frame;
    let stack = frame.add(1) as *mut u64;
    let end = stack.add(code.extent as usize);
    let max_locals = f.method.max_locals as usize;
    for i in 0..max_locals {
        *base.add(i) = f.locals.get(i).map_or(0, |w| dead.value(w));
    }
    let records = (frame as *mut u64).sub(code.monitor_slots as usize);
    // What is held beyond the records, by entering in a loop, is not recorded: see `interpreter::monitors`.
    let monitors = f.monitors.len().min(code.monitor_slots as usize);
    for (i, (w, _)) in f.monitors.iter().take(monitors).enumerate() {
        *records.add(i) = dead.value(w);
    }
    let mut sp = stack;
    for w in &f.stack {
        *sp = dead.value(w);
        sp = sp.add(1);
    }
    let bci = f.bci as usize;
    let pc: *const Insn = match (f.resume, how) {
        (Resume::MethodEntry, _) => code.insns.as_ptr() as *const Insn,
        (Resume::Execute, _) | (Resume::AfterCall, Entry::Raise) => code.at_bci(bci),
        (Resume::AfterCall, Entry::Execute) => code.at_bci(bci).add(1),
        (Resume::AfterCall, Entry::Returned { int, float }) => {
            let ty = result_type(f.method, bci);
            let bits = match ty {
                BasicType::Void => 0,
                BasicType::Float => u64::from(float as u32),
                BasicType::Double => float,
                BasicType::Long | BasicType::Object | BasicType::Array => int,
                _ => u64::from(int as u32),
            };
            if ty.slots() > 0 {
                *sp = bits;
                sp = sp.add(ty.slots());
            }
            code.at_bci(bci).add(1)
        }
    };
    debug_assert!(sp <= end, "the operand stack fits");
    frame.write(Frame {
        prev: t.top_frame.get(),
        method: f.method,
        pc,
        locals: base,
        sp,
        end,
        kind: FrameKind::Java,
        monitors: monitors as u32,
    });
    t.top_frame.set(frame);
    t.stack_top.set(end);
    sp
}

/// Type of what the bytecode at `bci`, which calls compiled code or the run-time, leaves on the stack.
fn result_type(m: MethodRef, bci: usize) -> BasicType {
    use crate::classfile::Constant;
    let code = m.code;
    match code[bci] {
        0xb6..=0xba => {
            let index = u16::from_be_bytes([code[bci + 1], code[bci + 2]]);
            let pool = &m.class().constants;
            let (Constant::Methodref { name_and_type, .. }
            | Constant::InterfaceMethodref { name_and_type, .. }
            | Constant::InvokeDynamic { name_and_type, .. }) = pool.file().get(index)
            else {
                unreachable!("an invoke instruction names a method")
            };
            let (_, descriptor) = pool.name_and_type(name_and_type);
            crate::meta::method::parse_types(descriptor.as_bytes()).1
        }
        // new, newarray, anewarray, checkcast, multianewarray.
        0xbb | 0xbc | 0xbd | 0xc0 | 0xc5 => BasicType::Object,
        // instanceof, arraylength, irem; drem and frem do not stop.
        0xc1 | 0xbe => BasicType::Int,
        // monitorenter, monitorexit, returns, branches, stores.
        _ => BasicType::Void,
    }
}
