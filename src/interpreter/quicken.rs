//! Resolution of an instruction's constant-pool reference on its first execution, and the quick
//! form that replaces it.
//!
//! Each function returns the bits of the instruction to execute now. Unless the effect may
//! depend on who executes it (a class still being initialized), the same bits have replaced the
//! instruction. The store is a release: what the quick form points at was written before.

use super::frame::{save, Frame};
use super::insn::{Insn, LinkedSite, ReceiverSite, SiteKind};
use super::op::Op;
use crate::classfile::Constant;
use crate::exceptions::{throw, VmResult};
use crate::heap::layout::{narrow, BasicType, Oop};
use crate::heap::roots::{new_slot_of, RootSlot};
use crate::invoke::{self, LinkedCall};
use crate::link::resolve::{self, FieldUse, InvokeKind};
use crate::link::{init, load};
use crate::meta::class::{ClassRef, LAYOUT_SLOW};
use crate::meta::field::FieldRef;
use crate::meta::method::{MethodKind, MethodRef};
use crate::meta::well_known::Known;
use crate::threads::state::hidden;
use crate::threads::JavaThread;
use std::sync::atomic::{AtomicU64, Ordering};

/// Resolves the instruction `insn` at `pc`. That may run Java code for long: what the interpreter's loop has left behind
/// is hidden from the collector meanwhile.
///
/// # Safety
/// To be called by the interpreter's loop, which keeps no reference across this but on the Java stack. `frame` must be
/// the thread's topmost frame, `pc` and `sp` its own, `insn` the bits at `pc`.
#[cold]
#[inline(never)]
pub unsafe fn quicken(t: &JavaThread, frame: *mut Frame, pc: *const u64, sp: *mut u64, insn: u64) -> VmResult<u64> {
    hidden(t, || resolve_insn(t, frame, pc, sp, insn))
}

/// # Safety
/// As for [`quicken`].
#[inline(never)]
unsafe fn resolve_insn(t: &JavaThread, frame: *mut Frame, pc: *const u64, sp: *mut u64, insn: u64) -> VmResult<u64> {
    save(t, frame, pc, sp);
    let insn = Insn::from_bits(insn);
    let method = &*(*frame).method;
    let index = insn.b as u16;
    let (quick, keep) = match insn.operation() {
        Op::GetField => (get_field(resolve::field(t, method, index, FieldUse::GetField)?), true),
        Op::PutField => (put_field(resolve::field(t, method, index, FieldUse::PutField)?), true),
        Op::GetStatic => {
            let f = resolve::field(t, method, index, FieldUse::GetStatic)?;
            (get_static(f), f.class().is_initialized())
        }
        Op::PutStatic => {
            let f = resolve::field(t, method, index, FieldUse::PutStatic)?;
            (put_static(f), f.class().is_initialized())
        }
        Op::InvokeStatic => {
            let m = resolve::method(t, method.class(), index, InvokeKind::Static)?;
            (Insn::new(Op::InvokeStaticQ, m.arg_slots, address(m)), m.class().is_initialized())
        }
        Op::InvokeSpecial => {
            let m = resolve::method(t, method.class(), index, InvokeKind::Special)?;
            (invoke_special(t, method.class(), m)?, true)
        }
        Op::InvokeVirtual => {
            let quick = invoke_virtual(t, method, index)?;
            check_selected(t, method, index, quick, sp)?;
            (quick, true)
        }
        Op::InvokeInterface => (invoke_interface(t, method, index)?, true),
        Op::InvokeDynamic => {
            let call = invoke::link_dynamic(t, method, (*frame).bci(), index)?;
            (linked(t, method, call)?, true)
        }
        Op::New => {
            let c = resolve::class(t, method.class(), index)?;
            instantiable(t, c)?;
            init::initialize(t, c)?;
            (Insn::new(Op::NewQ, 0, c.word()), c.is_initialized())
        }
        Op::ANewArray => {
            let element = resolve::class(t, method.class(), index)?;
            let c = load::array_class(t, element)?;
            (Insn::new(Op::NewArray, 0, c.word()), true)
        }
        Op::MultiANewArray => {
            let c = resolve::class(t, method.class(), index)?;
            (Insn::new(Op::MultiANewArrayQ, insn.a, c.word()), true)
        }
        Op::CheckCast => (Insn::new(Op::CheckCastQ, 0, resolve::class(t, method.class(), index)?.word()), true),
        Op::InstanceOf => (Insn::new(Op::InstanceOfQ, 0, resolve::class(t, method.class(), index)?.word()), true),
        Op::Ldc => (ldc(t, method, index)?, true),
        op => unreachable!("{op:?} has no constant-pool reference"),
    };
    if keep {
        (*(pc as *const AtomicU64)).store(quick.bits(), Ordering::Release);
        fuse_back(frame, pc, quick);
    }
    Ok(quick.bits())
}

/// Joins a load before a quickened field access with it.
unsafe fn fuse_back(frame: *mut Frame, pc: *const u64, quick: Insn) {
    let code = (*frame).prepared().expect("a Java frame runs prepared code");
    if pc == code.insns.as_ptr() as *const u64 {
        return;
    }
    let before = &*(pc.sub(1) as *const AtomicU64);
    let load = Insn::from_bits(before.load(Ordering::Relaxed));
    if load.operation() == Op::Load {
        if let Some(fused) = super::fuse::load_and(load.a, quick) {
            before.store(fused.bits(), Ordering::Release);
        }
    }
}

/// The 32-bit address of metadata.
fn address<T>(p: &T) -> u32 {
    let a = p as *const T as usize;
    debug_assert!(a < 1 << 32, "metadata lies below 4 GiB");
    a as u32
}

fn get_field(f: FieldRef) -> Insn {
    if f.is_volatile() {
        return Insn::new(Op::GetFieldV, f.basic_type as u16, f.offset);
    }
    let op = match f.basic_type {
        BasicType::Boolean | BasicType::Byte => Op::GetFieldB,
        BasicType::Char => Op::GetFieldC,
        BasicType::Short => Op::GetFieldS,
        BasicType::Int | BasicType::Float => Op::GetFieldI,
        BasicType::Long | BasicType::Double => Op::GetFieldJ,
        BasicType::Object | BasicType::Array | BasicType::Void => Op::GetFieldA,
    };
    Insn::new(op, 0, f.offset)
}

fn put_field(f: FieldRef) -> Insn {
    if f.is_volatile() {
        return Insn::new(Op::PutFieldV, f.basic_type as u16, f.offset);
    }
    let op = match f.basic_type {
        BasicType::Boolean => Op::PutFieldZ,
        BasicType::Byte => Op::PutFieldB,
        BasicType::Char | BasicType::Short => Op::PutFieldC,
        BasicType::Int | BasicType::Float => Op::PutFieldI,
        BasicType::Long | BasicType::Double => Op::PutFieldJ,
        BasicType::Object | BasicType::Array | BasicType::Void => Op::PutFieldA,
    };
    Insn::new(op, 0, f.offset)
}

fn get_static(f: FieldRef) -> Insn {
    if f.is_volatile() || f.offset > u32::from(u16::MAX) {
        return Insn::new(Op::GetStaticV, f.basic_type as u16, address(f));
    }
    let op = match f.basic_type {
        BasicType::Boolean | BasicType::Byte => Op::GetStaticB,
        BasicType::Char => Op::GetStaticC,
        BasicType::Short => Op::GetStaticS,
        BasicType::Int | BasicType::Float => Op::GetStaticI,
        BasicType::Long | BasicType::Double => Op::GetStaticJ,
        BasicType::Object | BasicType::Array | BasicType::Void => Op::GetStaticA,
    };
    Insn::new(op, f.offset as u16, narrow(f.class().mirror().address()))
}

fn put_static(f: FieldRef) -> Insn {
    if f.is_volatile() || f.offset > u32::from(u16::MAX) {
        return Insn::new(Op::PutStaticV, f.basic_type as u16, address(f));
    }
    let op = match f.basic_type {
        BasicType::Boolean => Op::PutStaticZ,
        BasicType::Byte => Op::PutStaticB,
        BasicType::Char | BasicType::Short => Op::PutStaticC,
        BasicType::Int | BasicType::Float => Op::PutStaticI,
        BasicType::Long | BasicType::Double => Op::PutStaticJ,
        BasicType::Object | BasicType::Array | BasicType::Void => Op::PutStaticA,
    };
    Insn::new(op, f.offset as u16, narrow(f.class().mirror().address()))
}

/// `new` of an abstract class, an interface or `java.lang.Class` (JVMS 6.5.new).
fn instantiable(t: &JavaThread, c: ClassRef) -> VmResult<()> {
    if c.is_abstract() || c.is_interface() || c.is_array() || c == Known::Class.get() {
        return Err(throw(t, "java/lang/InstantiationError", Some(c.external_name())));
    }
    debug_assert!(c.layout & LAYOUT_SLOW == 0 || !c.is_abstract());
    Ok(())
}

fn invoke_virtual(t: &JavaThread, method: MethodRef, index: u16) -> VmResult<Insn> {
    let holder = method.class();
    if resolve::is_signature_polymorphic(t, holder, index)? {
        let call = invoke::link_handle_call(t, holder, index)?;
        return linked(t, method, call);
    }
    let m = resolve::method(t, holder, index, InvokeKind::Virtual)?;
    if m.is_private() || m.is_final() && !m.class().is_interface() {
        return Ok(Insn::new(Op::InvokeDirectQ, m.arg_slots, address(m)));
    }
    if !m.class().is_interface() {
        let v = m.vtable_index.load(Ordering::Acquire);
        if v >= 0 {
            return Ok(Insn::new(Op::InvokeVirtualQ, m.arg_slots, v as u32));
        }
        return Ok(Insn::new(Op::InvokeDirectQ, m.arg_slots, address(m)));
    }
    // A default or abstract interface method found through a class.
    receiver_site(t, holder, m, SiteKind::Virtual)
}

/// The first call by a constant pool entry links it together with what the receiver selects: if that
/// is abstract the message tells both, and the entry stays unlinked. Later calls know only what was
/// selected.
///
/// # Safety
/// `sp` is the top of the operand stack, with the call's arguments on it.
unsafe fn check_selected(t: &JavaThread, method: MethodRef, index: u16, quick: Insn, sp: *mut u64) -> VmResult<()> {
    if quick.operation() == Op::InvokeVirtualQ {
        let receiver = Oop::from_address(*sp.sub(usize::from(quick.a)) as usize);
        if let Some(class) = receiver.non_null().map(Oop::class) {
            let selected = class.vtable(quick.b as usize);
            if selected.is_abstract() && selected.overpass_message.is_none() && !is_linked(method.class(), index) {
                let named = resolve::method(t, method.class(), index, InvokeKind::Virtual)?;
                return Err(resolve::abstract_method_error(t, named, Some(selected), Some(class)));
            }
        }
    }
    Ok(())
}

/// Whether some `invokevirtual` has been linked by this constant pool entry.
pub(super) fn is_linked(holder: ClassRef, index: u16) -> bool {
    let operand = index.to_be_bytes();
    holder.methods.iter().any(|m| {
        // SAFETY: prepared code lives as long as the method.
        let Some(code) = (unsafe { m.prepared.load(Ordering::Acquire).as_ref() }) else { return false };
        code.insns.iter().zip(&code.bci).any(|(insn, &bci)| {
            m.code.get(bci as usize..bci as usize + 3) == Some(&[0xb6, operand[0], operand[1]])
                && is_linked_call(Insn::from_bits(insn.load(Ordering::Relaxed)))
        })
    })
}

/// Whether an `invokevirtual` as it stands now has been linked: a call of an interface method by its first receiver
/// that has one.
fn is_linked_call(insn: Insn) -> bool {
    match insn.operation() {
        Op::InvokeVirtual => false,
        // SAFETY: the operand of this operation is its site, which lives as long as the loader.
        Op::InvokeInterfaceQ => unsafe { (*(insn.b as usize as *const ReceiverSite)).cache.load(Ordering::Relaxed) != 0 },
        _ => true,
    }
}

fn invoke_interface(t: &JavaThread, method: MethodRef, index: u16) -> VmResult<Insn> {
    let holder = method.class();
    // Public methods of Object too (JVMS 5.4.3.4): their receivers must implement the interface.
    let m = resolve::method(t, holder, index, InvokeKind::Interface)?;
    let named = holder.constants.file().member_ref(index).expect("format checking accepted the entry").class_index;
    let interface = resolve::class(t, holder, named)?;
    receiver_site(t, holder, m, SiteKind::Interface(interface))
}

/// In a class the verifier has seen to it that receivers are its instances, in an interface only the
/// call itself can tell.
fn invoke_special(t: &JavaThread, holder: ClassRef, m: MethodRef) -> VmResult<Insn> {
    if holder.is_interface() && !m.is_constructor() {
        return receiver_site(t, holder, m, SiteKind::Special(holder));
    }
    Ok(Insn::new(Op::InvokeDirectQ, m.arg_slots, address(m)))
}

fn receiver_site(t: &JavaThread, holder: ClassRef, m: MethodRef, kind: SiteKind) -> VmResult<Insn> {
    let site = ReceiverSite { cache: AtomicU64::new(0), method: m, kind };
    let site: &'static ReceiverSite = holder.kept_by.arena.place(site).map_err(|_| metaspace(t))?;
    holder.kept_by.receiver_sites.lock().push(site);
    Ok(Insn::new(Op::InvokeInterfaceQ, m.arg_slots, address(site)))
}

fn linked(t: &JavaThread, method: MethodRef, call: LinkedCall) -> VmResult<Insn> {
    if call.appendix.is_null() && call.adapter.kind() == MethodKind::InvokeBasic {
        return Ok(Insn::new(Op::InvokeDirectQ, call.adapter.arg_slots, address(call.adapter)));
    }
    if call.appendix.is_null() && call.adapter.is_static() {
        return Ok(Insn::new(Op::InvokeStaticQ, call.adapter.arg_slots, address(call.adapter)));
    }
    let loader = method.class().kept_by;
    let appendix = call.appendix.non_null().map(|o| new_slot_of(loader, o));
    let site = loader.arena.place(LinkedSite { adapter: call.adapter, appendix }).map_err(|_| metaspace(t))?;
    Ok(Insn::new(Op::InvokeLinkedQ, call.adapter.arg_slots, address(site)))
}

fn ldc(t: &JavaThread, method: MethodRef, index: u16) -> VmResult<Insn> {
    let holder = method.class();
    let object = invoke::resolve_constant(t, holder, index)?;
    let pool = holder.constants.file();
    if let Constant::Dynamic { name_and_type, .. } = pool.get(index) {
        let (_, descriptor) = holder.constants.name_and_type(name_and_type);
        let ty = BasicType::from_descriptor(descriptor.as_bytes()[0]).unwrap_or(BasicType::Object);
        if !ty.is_reference() {
            let bits = unbox(object, ty);
            if ty.slots() == 1 {
                return Ok(Insn::new(Op::Const, 0, bits as u32));
            }
            let cell = holder.kept_by.arena.place(bits).map_err(|_| metaspace(t))?;
            return Ok(Insn::new(Op::Ldc2Q, 0, address(cell)));
        }
    }
    if object.is_null() {
        return Ok(Insn::new(Op::Const, 0, 0));
    }
    let slot: &'static RootSlot = match pool.get(index) {
        // Class constants are recorded as classes: the slot is the mirror's own, in metaspace.
        Constant::Class { .. } => &resolve::class(t, holder, index)?.mirror,
        _ => holder.constants.slot(index).unwrap_or_else(|| new_slot_of(holder.kept_by, object)),
    };
    Ok(Insn::new(Op::LdcQ, 0, address(slot)))
}

/// The bits of a boxed primitive as a stack slot holds them.
pub fn unbox(object: Oop, ty: BasicType) -> u64 {
    use crate::heap::access::load as get;
    use crate::meta::well_known::KnownField as F;
    match ty {
        BasicType::Boolean => u64::from(get::<u8>(object, F::BooleanValue.offset())),
        BasicType::Char => u64::from(get::<u16>(object, F::CharacterValue.offset())),
        BasicType::Byte => u64::from(i32::from(get::<i8>(object, F::ByteValue.offset())) as u32),
        BasicType::Short => u64::from(i32::from(get::<i16>(object, F::ShortValue.offset())) as u32),
        BasicType::Int => u64::from(get::<u32>(object, F::IntegerValue.offset())),
        BasicType::Float => u64::from(get::<u32>(object, F::FloatValue.offset())),
        BasicType::Long => get::<u64>(object, F::LongValue.offset()),
        BasicType::Double => get::<u64>(object, F::DoubleValue.offset()),
        BasicType::Object | BasicType::Array | BasicType::Void => object.address() as u64,
    }
}

#[cold]
fn metaspace(t: &JavaThread) -> crate::exceptions::Thrown {
    throw(t, "java/lang/OutOfMemoryError", Some("Metaspace".into()))
}
