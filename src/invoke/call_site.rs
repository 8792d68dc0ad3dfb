//! Linking of `invokedynamic` instructions and of calls of signature-polymorphic methods
//! (JVMS 6.5.invokedynamic, 2.9.3). Each site is linked once; the first thread to finish decides
//! what it is, failures with a LinkageError included.

use super::bootstrap::{object_array, wrap, Specifier};
use super::{intrinsics, member_name, method_type, natives_call, slot, LinkedCall};
use crate::exceptions::{throw, VmResult};
use crate::heap::access::array_ref;
use crate::heap::layout::Oop;
use crate::heap::roots::{free_slot_of, new_slot_of, RootSlot};
use crate::heap::strings;
use crate::link::resolve::{self, Reference};
use crate::link::init;
use crate::meta::class::{Class, ClassRef};
use crate::meta::constants::ResolutionError;
use crate::meta::loader::LoaderRef;
use crate::meta::method::{Method, MethodKind, MethodRef};
use crate::meta::symbol::Symbol;
use crate::meta::well_known::Known;
use crate::threads::JavaThread;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::LazyLock;

/// What became of a site.
#[derive(Clone)]
enum Outcome {
    Linked { adapter: MethodRef, appendix: Option<&'static RootSlot> },
    Failed(ResolutionError),
}

/// An `invokedynamic` is known by its method and bytecode index, a signature-polymorphic
/// reference by its class and pool index. Never held across a safepoint.
type Sites = HashMap<(usize, u32), Outcome>;

static SITES: LazyLock<Mutex<Sites>> = LazyLock::new(Mutex::default);

/// What the site is linked to, or the failure thrown again.
fn settled(t: &JavaThread, key: (usize, u32)) -> Option<VmResult<LinkedCall>> {
    let outcome = SITES.lock().get(&key).cloned()?;
    Some(match outcome {
        Outcome::Linked { adapter, appendix } => {
            Ok(LinkedCall { adapter, appendix: appendix.map_or(Oop::NULL, RootSlot::get) })
        }
        Outcome::Failed(e) => Err(resolve::throw_again(t, e)),
    })
}

/// What a site has been linked to, for the compilers: the adapter and the root slot of its trailing argument.
pub type Linked = (MethodRef, Option<&'static RootSlot>);

fn peek(key: (usize, u32)) -> Option<Linked> {
    match SITES.lock().get(&key)? {
        Outcome::Linked { adapter, appendix } => Some((adapter, *appendix)),
        Outcome::Failed(_) => None,
    }
}

/// What the `invokedynamic` at `bci` of `method` is linked to.
pub fn linked_dynamic(method: MethodRef, bci: usize) -> Option<Linked> {
    peek((method as *const Method as usize, bci as u32))
}

/// What the call of a signature-polymorphic method at `index` of `holder`'s pool is linked to.
pub fn linked_handle(holder: ClassRef, index: u16) -> Option<Linked> {
    peek((holder as *const Class as usize, u32::from(index)))
}

/// Forgets the sites of classes that are `dead`. In a pause.
pub(crate) fn purge(dead: &dyn Fn(usize) -> bool) {
    SITES.lock().retain(|&(place, _), _| !dead(place))
}

/// Records how the site was linked, unless another thread was first; what holds.
fn settle(t: &JavaThread, loader: LoaderRef, key: (usize, u32), call: LinkedCall) -> VmResult<LinkedCall> {
    loader.depend_on(call.adapter.class().kept_by);
    let appendix = call.appendix.non_null().map(|o| new_slot_of(loader, o));
    let mut sites = SITES.lock();
    if let std::collections::hash_map::Entry::Vacant(v) = sites.entry(key) {
        v.insert(Outcome::Linked { adapter: call.adapter, appendix });
        return Ok(call);
    }
    drop(sites);
    if let Some(s) = appendix {
        // SAFETY: ours was not published.
        unsafe { free_slot_of(loader, s) }
    }
    settled(t, key).expect("another thread has settled the site")
}

/// Links the `invokedynamic` at `bci` of `method` (pool index `index`). All threads get the
/// same result, or fail with the same error.
pub fn link_dynamic(t: &JavaThread, method: MethodRef, bci: usize, index: u16) -> VmResult<LinkedCall> {
    let key = (method as *const Method as usize, bci as u32);
    if let Some(result) = settled(t, key) {
        return result;
    }
    let specifier = Specifier::at(method.class(), index).expect("format checking accepted the entry");
    match run_bootstrap(t, &specifier) {
        Ok(call) => settle(t, method.class().kept_by, key, call),
        Err(thrown) => {
            let thrown = wrap(t, thrown);
            let Some(mut error) = resolve::error_to_record(t.exception.get()) else {
                // As if the bootstrap method had never been called.
                return Err(thrown);
            };
            // HotSpot remembers no cause for call sites.
            error.cause = None;
            let mut sites = SITES.lock();
            if let std::collections::hash_map::Entry::Vacant(v) = sites.entry(key) {
                v.insert(Outcome::Failed(error));
                return Err(thrown);
            }
            drop(sites);
            t.take_exception();
            settled(t, key).expect("another thread has settled the site")
        }
    }
}

fn run_bootstrap(t: &JavaThread, specifier: &Specifier) -> VmResult<LinkedCall> {
    let r = specifier.resolve(t)?;
    let appendix_box = object_array(t, 1)?;
    let mname = natives_call(
        t,
        "linkCallSite",
        "(Ljava/lang/Object;ILjava/lang/Object;Ljava/lang/Object;Ljava/lang/Object;Ljava/lang/Object;[Ljava/lang/Object;)Ljava/lang/invoke/MemberName;",
        &[
            slot(specifier.holder.mirror()),
            u64::from(specifier.index),
            slot(r.bootstrap_method),
            slot(r.name),
            slot(r.ty),
            slot(r.arguments),
            slot(appendix_box),
        ],
    )?;
    unpack(t, mname, appendix_box)
}

/// The adapter and appendix that `linkCallSite` or `linkMethod` came up with.
fn unpack(t: &JavaThread, mname: Oop, appendix_box: Oop) -> VmResult<LinkedCall> {
    let Some(adapter) = mname.non_null().and_then(member_name::target) else {
        return Err(throw(t, "java/lang/LinkageError", Some("bad value from MethodHandleNatives".into())));
    };
    init::initialize(t, adapter.class())?;
    Ok(LinkedCall { adapter, appendix: array_ref(appendix_box, 0) })
}

/// Links a signature-polymorphic Methodref (MethodHandle.invoke/invokeExact, VarHandle access
/// mode) of `holder`'s pool through `MethodHandleNatives.linkMethod`; for
/// invokeBasic/linkToX the adapter is the intrinsic and the appendix null.
pub fn link_handle_call(t: &JavaThread, holder: ClassRef, index: u16) -> VmResult<LinkedCall> {
    let key = (holder as *const Class as usize, u32::from(index));
    if let Some(result) = settled(t, key) {
        return result;
    }
    let m = holder.constants.file().member_ref(index).expect("format checking accepted the entry");
    let class = resolve::class(t, holder, m.class_index)?;
    let (name, descriptor) = (Symbol::intern(m.name), Symbol::intern(m.descriptor));
    if let Some(intrinsic) = intrinsics::lookup(class, name, descriptor) {
        let r = Reference { class, name, descriptor, from: Some(holder), interface_entry: Some(false), loader_constraints: true };
        resolve::check_method_access(t, &r, intrinsic)?;
        return Ok(LinkedCall { adapter: intrinsic, appendix: Oop::NULL });
    }
    if member_name::polymorphic_kind(class, name) != Some(MethodKind::InvokeGeneric) {
        // A private or differently typed method of that name.
        let text = format!("{}.{name}{descriptor} is not signature polymorphic", class.external_name());
        return Err(throw(t, "java/lang/NoSuchMethodError", Some(text)));
    }
    let call = link_invoker(t, class, name, descriptor, holder)?;
    settle(t, holder.kept_by, key, call)
}

/// Has the library link a call of `class.name` (MethodHandle or VarHandle) with this
/// descriptor, as seen from `caller`.
pub(super) fn link_invoker(
    t: &JavaThread,
    class: ClassRef,
    name: Symbol,
    descriptor: Symbol,
    caller: ClassRef,
) -> VmResult<LinkedCall> {
    let ty = method_type::find(t, descriptor, Some(caller))?;
    let name_string = strings::intern_symbol(t, name)?;
    let appendix_box = object_array(t, 1)?;
    let mname = natives_call(
        t,
        "linkMethod",
        "(Ljava/lang/Class;ILjava/lang/Class;Ljava/lang/String;Ljava/lang/Object;[Ljava/lang/Object;)Ljava/lang/invoke/MemberName;",
        &[
            slot(caller.mirror()),
            u64::from(member_name::ref_kind::INVOKE_VIRTUAL),
            slot(class.mirror()),
            slot(name_string),
            slot(ty),
            slot(appendix_box),
        ],
    )?;
    debug_assert!(class == Known::MethodHandle.get() || class == Known::VarHandle.get());
    unpack(t, mname, appendix_box)
}
