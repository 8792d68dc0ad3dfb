//! Objects that a compile knows: constants of the pool, call sites' trailing arguments, static final fields, and what
//! hangs on final fields of such objects. Through them method handles are followed to what they call.

use super::super::dependencies::{Dependency, KnownObject};
use super::super::ir::{Op, RefFacts, Type, Value};
use super::memory::in_vm;
use super::{Builder, Tier};
use crate::code::dependencies::call_site_number;
use crate::heap::access;
use crate::heap::layout::{BasicType, Oop};
use crate::heap::roots::{new_slot, RootSlot};
use crate::invoke::member_name;
use crate::link::load::{mirror_to_class, MirrorOf};
use crate::meta::class::ClassRef;
use crate::meta::field::FieldRef;
use crate::meta::loader;
use crate::meta::method::{MethodKind, MethodRef};
use crate::meta::well_known::{Known, KnownField};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::LazyLock;

/// Slots of objects found through fields, by owner (a slot, or 0 and the class's address for statics) and offset.
/// The owners are never freed either, so that nothing is kept alive that they do not keep.
static DERIVED: LazyLock<Mutex<HashMap<(usize, u32), &'static RootSlot>>> = LazyLock::new(Mutex::default);

/// The slot for the object at a place that never changes.
fn derived(owner: usize, offset: u32, object: Oop) -> &'static RootSlot {
    DERIVED.lock().entry((owner, offset)).or_insert_with(|| new_slot(object))
}

/// Slots of the targets that mutable call sites have had when they were compiled in, by the site's slot.
static TARGETS: LazyLock<Mutex<HashMap<usize, Vec<&'static RootSlot>>>> = LazyLock::new(Mutex::default);

/// The slot for a target of the call site in slot `site`.
fn target_slot(site: usize, target: Oop) -> &'static RootSlot {
    let mut all = TARGETS.lock();
    let list = all.entry(site).or_default();
    if let Some(known) = list.iter().find(|s| s.get() == target) {
        return known;
    }
    let slot = new_slot(target);
    list.push(slot);
    slot
}

/// What a constant field holds.
enum Content {
    Bits(u64),
    Null,
    Object(&'static RootSlot),
}

fn content(object: Oop, owner: usize, f: FieldRef) -> Content {
    let offset = f.offset as usize;
    Content::Bits(match f.basic_type {
        BasicType::Boolean => u64::from(access::load::<u8>(object, offset)),
        BasicType::Byte => i64::from(access::load::<i8>(object, offset)) as u64,
        BasicType::Char => u64::from(access::load::<u16>(object, offset)),
        BasicType::Short => i64::from(access::load::<i16>(object, offset)) as u64,
        BasicType::Int => i64::from(access::load::<u32>(object, offset) as i32) as u64,
        BasicType::Float => u64::from(access::load::<u32>(object, offset)),
        BasicType::Long | BasicType::Double => access::load::<u64>(object, offset),
        BasicType::Object | BasicType::Array | BasicType::Void => {
            return match access::load_ref(object, offset).non_null() {
                Some(o) => Content::Object(derived(owner, f.offset, o)),
                None => Content::Null,
            }
        }
    })
}

/// Classes of this class's loader are never unloaded.
fn is_permanent(c: ClassRef) -> bool {
    if std::ptr::eq(c.loader, loader::boot()) && !c.is_hidden() {
        return true;
    }
    let name = c.loader.object.get().non_null().map(|o| o.class().name);
    !c.is_hidden()
        && name.is_some_and(|n| {
            n == "jdk/internal/loader/ClassLoaders$AppClassLoader"
                || n == "jdk/internal/loader/ClassLoaders$PlatformClassLoader"
        })
}

/// Final instance fields that nothing writes once the object is known to others (HotSpot's
/// `trust_final_non_static_fields`).
fn is_trusted(f: FieldRef) -> bool {
    let holder = f.class();
    f.is_final()
        && !f.is_static()
        && (member_name::is_trusted_final(f)
            || std::ptr::eq(holder.loader, loader::boot()) && holder.name.as_bytes().starts_with(b"java/lang/invoke/"))
        // `MethodHandle.form` is written when a handle is customized.
        && !(Some(holder) == Known::MethodHandle.try_get() && f.name == "form")
}

impl Builder<'_> {
    /// The object in `slot`, which is not null and never changes.
    pub(super) fn object(&mut self, slot: &'static RootSlot) -> Value {
        let (class, mirrored) = in_vm(|| {
            let o = slot.get();
            let class = o.class();
            let mirrored = match Some(class) == Known::Class.try_get() {
                true => match mirror_to_class(o) {
                    MirrorOf::Class(c) => Some(c),
                    MirrorOf::Primitive(_) => None,
                },
                false => None,
            };
            (class, mirrored)
        });
        if let Some(c) = mirrored {
            return self.mirror(c);
        }
        let address = slot.address() as u32;
        self.slots.insert(address, slot);
        let v = self.value(Op::Object(address), vec![], Type::Ref);
        self.set_facts(v, RefFacts { class: Some(class), exact: true, non_null: true });
        v
    }

    /// The slot of the object that `v` is known to be.
    pub(super) fn known_object(&self, v: Value) -> Option<&'static RootSlot> {
        match self.f.def(v)?.op {
            Op::Object(address) => self.slots.get(&address).copied(),
            _ => None,
        }
    }

    fn push_content(&mut self, f: FieldRef, content: Content) {
        let v = match content {
            Content::Null => self.null(),
            Content::Object(slot) => self.object(slot),
            Content::Bits(bits) => match f.basic_type {
                BasicType::Float => self.value(Op::FConst(bits), vec![], Type::F32),
                BasicType::Double => self.value(Op::FConst(bits), vec![], Type::F64),
                BasicType::Long => self.value(Op::Const(bits as i64), vec![], Type::I64),
                _ => self.iconst(bits as i32),
            },
        };
        self.push(v)
    }

    /// Pushes the value of a final field of a known object; whether that could be done.
    pub(super) fn constant_field(&mut self, f: FieldRef, object: Value) -> bool {
        if !is_trusted(f) {
            return false;
        }
        let Some(slot) = self.known_object(object) else { return false };
        if Some(f.class()) == Known::CallSite.try_get() && f.name == "target" {
            return self.call_site_target(slot);
        }
        let content = in_vm(|| content(slot.get(), slot.address(), f));
        self.push_content(f, content);
        true
    }

    /// Pushes the target of a known call site (the field is final only so that Java code cannot write it); whether
    /// that could be done. What is assumed of a site whose target can be set is a dependency.
    fn call_site_target(&mut self, site: &'static RootSlot) -> bool {
        if self.request.tier != Tier::Optimized {
            return false;
        }
        let known = in_vm(|| {
            // Null in a constant site that is still being made.
            let target = access::load_ref(site.get(), KnownField::CallSiteTarget.offset()).non_null()?;
            let constant = Known::ConstantCallSite.try_get().is_some_and(|c| site.get().class().is_subclass_of(c));
            let number = if constant { None } else { Some(call_site_number(site.get())?) };
            Some((target_slot(site.address(), target), number))
        });
        let Some((target, number)) = known else { return false };
        if let Some(number) = number {
            let (object, target) = (KnownObject(site), KnownObject(target));
            self.dependencies.add(Dependency::CallSiteTarget { site: number, object, target });
        }
        let v = self.object(target);
        self.push(v);
        true
    }

    /// The object in the static final field `name` of an initialized class that is never unloaded.
    pub(super) fn static_object(c: ClassRef, name: &str) -> Option<&'static RootSlot> {
        let f = c.fields.iter().find(|f| f.is_static() && f.is_final() && f.name == name)?;
        if !c.is_initialized() || !f.basic_type.is_reference() || !in_vm(|| is_permanent(c)) {
            return None;
        }
        match in_vm(|| content(c.mirror(), c.word() as usize, f)) {
            Content::Object(slot) => Some(slot),
            Content::Null | Content::Bits(_) => None,
        }
    }

    /// Pushes the value of a static final field of an initialized class; whether that could be done.
    pub(super) fn constant_static(&mut self, f: FieldRef) -> bool {
        let c = f.class();
        if !f.is_static() || !f.is_final() || !c.is_initialized() {
            return false;
        }
        // `System.setOut` and its like write these.
        if c.name == "java/lang/System" && ["in", "out", "err"].iter().any(|n| f.name == *n) {
            return false;
        }
        if f.basic_type.is_reference() && !in_vm(|| is_permanent(c)) {
            return false;
        }
        let content = in_vm(|| content(c.mirror(), c.word() as usize, f));
        self.push_content(f, content);
        true
    }

    /// The method that an `invokeBasic` or `linkTo*` with these arguments calls, how, and without what of the
    /// arguments: a known handle or member name tells.
    pub(super) fn handle_target(&self, m: MethodRef, args: &[Value]) -> Option<(MethodRef, MethodKind)> {
        let known = match m.kind() {
            MethodKind::InvokeBasic => self.known_object(*args.first()?)?,
            _ => self.known_object(*args.last()?)?,
        };
        let kind = m.kind();
        let wanted = if kind == MethodKind::InvokeBasic { Known::MethodHandle } else { Known::MemberName };
        if !in_vm(|| known.get().class().is_subclass_of(wanted.get())) {
            return None;
        }
        in_vm(|| match kind {
            MethodKind::InvokeBasic => {
                let form = access::load_ref(known.get(), KnownField::MethodHandleForm.offset()).non_null()?;
                let entry = access::load_ref(form, KnownField::LambdaFormVmentry.offset()).non_null()?;
                Some((member_name::target(entry)?, MethodKind::LinkToStatic))
            }
            MethodKind::LinkToVirtual if member_name::index(known.get()) < 0 => {
                Some((member_name::target(known.get())?, MethodKind::LinkToSpecial))
            }
            _ => Some((member_name::target(known.get())?, kind)),
        })
    }
}
