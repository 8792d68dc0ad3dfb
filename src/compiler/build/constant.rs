//! Objects that a compile knows: constants of the pool, call sites' trailing arguments, static final fields, and what
//! hangs on final fields of such objects. Through them method handles are followed to what they call.

use super::super::dependencies::{Dependency, KnownObject};
use super::super::ir::{Mem, Op, Order, RefFacts, Type, Value};
use super::bytecode::Code;
use super::memory::in_vm;
use super::{Builder, Tier};
use crate::code::dependencies::call_site_number;
use crate::heap::access;
use crate::heap::layout::{BasicType, Oop};
use crate::heap::roots::{new_slot_of, Handle, RootSlot};
use crate::invoke::member_name;
use crate::link::load::{mirror_to_class, MirrorOf};
use crate::meta::class::ClassRef;
use crate::meta::field::FieldRef;
use crate::meta::loader::{self, LoaderRef};
use crate::meta::method::{MethodKind, MethodRef};
use crate::meta::well_known::{Known, KnownField};
use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use std::sync::LazyLock;

/// Slots of objects found through fields, by the loader of the method compiled, owner (a slot, or the class's address
/// for statics) and offset. The loader keeps the owners, so that nothing is kept alive that they do not keep.
static DERIVED: LazyLock<Mutex<FxHashMap<(u32, usize, u32), &'static RootSlot>>> = LazyLock::new(Mutex::default);

/// Who keeps what hangs on a known object: that object's place, and the loader of the method compiled.
#[derive(Clone, Copy)]
struct Owner {
    loader: LoaderRef,
    place: usize,
}

/// The slot for the object at a place that never changes.
fn derived(owner: Owner, offset: u32, object: Oop) -> &'static RootSlot {
    let key = (owner.loader.id, owner.place, offset);
    DERIVED.lock().entry(key).or_insert_with(|| new_slot_of(owner.loader, object))
}

/// Slots of the targets that mutable call sites have had when they were compiled in, by loader and the site's slot.
static TARGETS: LazyLock<Mutex<FxHashMap<(u32, usize), Vec<&'static RootSlot>>>> = LazyLock::new(Mutex::default);

/// The slot for a target of the call site that is the owner.
fn target_slot(site: Owner, target: Oop) -> &'static RootSlot {
    let mut all = TARGETS.lock();
    let list = all.entry((site.loader.id, site.place)).or_default();
    if let Some(known) = list.iter().find(|s| s.get() == target) {
        return known;
    }
    let slot = new_slot_of(site.loader, target);
    list.push(slot);
    slot
}

/// Forgets what belongs to loaders that are `dead`, or hangs on what was in their memory. In a pause without a compile.
pub(crate) fn purge(dead: &dyn Fn(usize) -> bool, dead_id: &dyn Fn(u32) -> bool) {
    DERIVED.lock().retain(|&(loader, place, _), _| !dead_id(loader) && !dead(place));
    TARGETS.lock().retain(|&(loader, place), _| !dead_id(loader) && !dead(place));
}

/// What a constant field holds.
enum Content {
    Bits(u64),
    Null,
    /// Kept for good.
    Object(&'static RootSlot),
    /// Kept by what the code it is known to finds it through, which may be unloaded: the code loads it.
    Held(Handle),
}

/// An object that is known while compiling.
enum Source<'a> {
    Slot(&'static RootSlot),
    Held(&'a Handle),
}

impl Source<'_> {
    fn get(&self) -> Oop {
        match self {
            Source::Slot(s) => s.get(),
            Source::Held(h) => h.get(),
        }
    }

    /// Who keeps what hangs on the object, if that is for good.
    fn owner(&self, loader: LoaderRef) -> Option<Owner> {
        match self {
            Source::Slot(s) => Some(Owner { loader, place: s.address() }),
            Source::Held(_) => None,
        }
    }
}

impl Content {
    /// What a field holds that has not been written.
    fn is_default(&self) -> bool {
        matches!(self, Content::Null | Content::Bits(0))
    }
}

/// The value of type `ty` at `at`, a field's or element's offset, of an object kept by `owner` if it is for good.
fn content(object: Oop, owner: Option<Owner>, at: u32, ty: BasicType) -> Content {
    let offset = at as usize;
    Content::Bits(match ty {
        BasicType::Boolean => u64::from(access::load::<u8>(object, offset)),
        BasicType::Byte => i64::from(access::load::<i8>(object, offset)) as u64,
        BasicType::Char => u64::from(access::load::<u16>(object, offset)),
        BasicType::Short => i64::from(access::load::<i16>(object, offset)) as u64,
        BasicType::Int => i64::from(access::load::<u32>(object, offset) as i32) as u64,
        BasicType::Float => u64::from(access::load::<u32>(object, offset)),
        BasicType::Long | BasicType::Double => access::load::<u64>(object, offset),
        BasicType::Object | BasicType::Array | BasicType::Void => {
            return match access::load_ref(object, offset).non_null() {
                Some(o) => match owner {
                    Some(owner) => Content::Object(derived(owner, at, o)),
                    None => Content::Held(Handle::new(o)),
                },
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
        && (member_name::is_trusted_final(f) || std::ptr::eq(holder.loader, loader::boot()) && is_trusting(holder))
        // `MethodHandle.form` is written when a handle is customized.
        && !(Some(holder) == Known::MethodHandle.try_get() && f.name == "form")
}

/// The class library's classes whose final fields nobody overwrites.
fn is_trusting(holder: ClassRef) -> bool {
    let name = holder.name.as_bytes();
    let package = &name[..name.iter().rposition(|&c| c == b'/').unwrap_or(0)];
    matches!(
        package,
        b"java/lang"
            | b"java/lang/invoke"
            | b"sun/invoke"
            | b"jdk/internal/foreign"
            | b"jdk/incubator/foreign"
            | b"jdk/internal/vm/vector"
            | b"jdk/incubator/vector"
    ) || matches!(
        name,
        b"java/util/concurrent/atomic/AtomicIntegerFieldUpdater$AtomicIntegerFieldUpdaterImpl"
            | b"java/util/concurrent/atomic/AtomicLongFieldUpdater$CASUpdater"
            | b"java/util/concurrent/atomic/AtomicLongFieldUpdater$LockedUpdater"
            | b"java/util/concurrent/atomic/AtomicReferenceFieldUpdater$AtomicReferenceFieldUpdaterImpl"
    )
}

/// `@Stable`: constant once it is not 0 or null.
fn is_stable(f: FieldRef) -> bool {
    f.member().is_some_and(|m| m.vm_annotations.stable)
}

/// Dimensions of the array type that a field is declared with.
fn dimensions(f: FieldRef) -> u8 {
    f.descriptor.as_bytes().iter().take_while(|&&c| c == b'[').count() as u8
}

/// Whether the class may write its static final fields after it has been initialized: class files before
/// version 53 may do so in any method (JVMS 6.5.putstatic).
fn writes_finals_late(c: ClassRef) -> bool {
    static KNOWN: LazyLock<Mutex<FxHashMap<usize, bool>>> = LazyLock::new(Mutex::default);
    if c.file().major_version >= 53 {
        return false;
    }
    let writes = || c.methods.iter().filter(|m| m.name != "<clinit>").any(|m| writes_final(c, m));
    // Classes that can be unloaded leave their address to others. (Lambda forms are such, and small.)
    match in_vm(|| is_permanent(c)) {
        true => *KNOWN.lock().entry(c as *const _ as usize).or_insert_with(writes),
        false => writes(),
    }
}

/// Whether the method has an instruction that writes a final field of `c`, its class.
fn writes_final(c: ClassRef, m: MethodRef) -> bool {
    let code = Code(m.code);
    let mut bci = 0;
    while bci < code.len() {
        if code.op(bci) == 0xb3 && final_of(c, code.u16(bci + 1)) {
            return true;
        }
        match code.length(bci) {
            Ok(n) => bci += n,
            // Code that cannot be read is not trusted.
            Err(_) => return true,
        }
    }
    false
}

/// The class of an object, and the class whose mirror it is.
fn describe(o: Oop) -> (ClassRef, Option<ClassRef>) {
    let class = o.class();
    let mirrored = match Some(class) == Known::Class.try_get() {
        true => match mirror_to_class(o) {
            MirrorOf::Class(c) => Some(c),
            MirrorOf::Primitive(_) => None,
        },
        false => None,
    };
    (class, mirrored)
}

/// Whether the pool's entry names a final field of the class itself.
fn final_of(c: ClassRef, index: u16) -> bool {
    let Some(r) = c.constants.file().member_ref(index) else { return true };
    c.fields.iter().any(|f| f.is_final() && f.name.as_bytes() == r.name && f.descriptor.as_bytes() == r.descriptor)
}

impl Builder<'_> {
    /// The object in `slot`, which is not null and never changes.
    pub(super) fn object(&mut self, slot: &'static RootSlot) -> Value {
        let (class, mirrored) = in_vm(|| describe(slot.get()));
        if let Some(c) = mirrored {
            return self.mirror(c);
        }
        let address = slot.address() as u32;
        self.slots.insert(address, slot);
        let v = self.value(Op::Object(address), vec![], Type::Ref);
        self.set_facts(v, RefFacts { class: Some(class), exact: true, non_null: true });
        v
    }

    /// The object that `v` is known to be.
    fn source(&self, v: Value) -> Option<Source<'_>> {
        match self.held.get(&v) {
            Some(h) => Some(Source::Held(h)),
            None => self.known_object(v).map(Source::Slot),
        }
    }

    /// What the mirror `v` is known to stand for.
    pub(super) fn mirrored(&self, v: Value) -> Option<MirrorOf> {
        if let Op::Mirror(c) = self.f.def(v)?.op {
            return Some(MirrorOf::Class(c));
        }
        let source = self.source(v)?;
        in_vm(|| {
            let o = source.get();
            (Some(o.class()) == Known::Class.try_get()).then(|| mirror_to_class(o))
        })
    }

    /// The slot of the object that `v` is known to be, which is kept for good.
    pub(super) fn known_object(&self, v: Value) -> Option<&'static RootSlot> {
        match self.f.def(v)?.op {
            Op::Object(address) => self.slots.get(&address).copied(),
            _ => None,
        }
    }

    /// Whether two references are the same object, if both are known.
    pub(super) fn same_object(&self, a: Value, b: Value) -> Option<bool> {
        let (x, y) = (self.source(a)?, self.source(b)?);
        Some(in_vm(|| x.get().address() == y.get().address()))
    }

    /// The value is the same in every run of the code.
    pub(super) fn is_constant(&self, v: Value) -> bool {
        use Op::*;
        self.held.contains_key(&v) || self.f.def(v).is_some_and(|d| matches!(d.op, Const(_) | FConst(_) | Null | Object(_) | Mirror(_)))
    }

    pub(super) fn array_length(&mut self, array: Value) -> Value {
        match self.source(array).map(|s| in_vm(|| s.get().array_length())) {
            Some(n) => self.iconst(n as i32),
            None => self.value(Op::ArrayLength, vec![array], Type::I32),
        }
    }

    /// The element of a known array that is constant.
    pub(super) fn constant_element(&mut self, array: Value, index: Value) -> Option<Value> {
        let dimensions = *self.stable.get(&array)?;
        let source = self.source(array)?;
        let n = usize::try_from(self.f.as_const(index)?).ok()?;
        let loader = self.root_loader();
        let (content, ty) = in_vm(|| {
            let object = source.get();
            let ty = object.class().element_type;
            if n >= object.array_length() {
                return None;
            }
            let at = ty.array_base() + (n << Mem::of(ty).log2_bytes());
            Some((content(object, source.owner(loader), at as u32, ty), ty))
        })?;
        if content.is_default() {
            return None;
        }
        let v = self.constant(content, ty, (Op::LoadElement(Mem::of(ty)), vec![array, index]));
        if dimensions > 1 {
            self.stable.insert(v, dimensions - 1);
        }
        Some(v)
    }

    /// The value of a constant; `load` is how code gets at it that must not keep it.
    fn constant(&mut self, content: Content, ty: BasicType, load: (Op, Vec<Value>)) -> Value {
        match content {
            Content::Held(handle) => {
                let (class, mirrored) = in_vm(|| describe(handle.get()));
                if let Some(c) = mirrored {
                    return self.mirror(c);
                }
                let v = self.value(load.0, load.1, Type::Ref);
                self.set_facts(v, RefFacts { class: Some(class), exact: true, non_null: true });
                self.held.insert(v, handle);
                v
            }
            Content::Null => self.null(),
            Content::Object(slot) => self.object(slot),
            Content::Bits(bits) => match ty {
                BasicType::Float => self.value(Op::FConst(bits), vec![], Type::F32),
                BasicType::Double => self.value(Op::FConst(bits), vec![], Type::F64),
                BasicType::Long => self.value(Op::Const(bits as i64), vec![], Type::I64),
                _ => self.iconst(bits as i32),
            },
        }
    }

    /// Pushes what a field holds that is final and trusted, or stable; whether it is constant.
    fn push_field(&mut self, f: FieldRef, content: Content, object: Value) -> bool {
        let stable = is_stable(f);
        if stable && content.is_default() {
            return false;
        }
        let load = Op::Load(Mem::of(f.basic_type), f.offset, Order::Plain);
        let v = self.constant(content, f.basic_type, (load, vec![object]));
        if stable && dimensions(f) > 0 {
            self.stable.insert(v, dimensions(f));
        }
        self.push(v);
        true
    }

    /// Pushes the value of a final field of a known object; whether that could be done.
    pub(super) fn constant_field(&mut self, f: FieldRef, object: Value) -> bool {
        let Some(source) = self.source(object) else { return false };
        if !is_trusted(f) && !is_stable(f) {
            return false;
        }
        if Some(f.class()) == Known::CallSite.try_get() && f.name == "target" {
            return self.known_object(object).is_some_and(|slot| self.call_site_target(slot));
        }
        let loader = self.root_loader();
        let content = in_vm(|| content(source.get(), source.owner(loader), f.offset, f.basic_type));
        self.push_field(f, content, object)
    }

    /// The loader of the method compiled, which keeps what its code refers to.
    fn root_loader(&self) -> LoaderRef {
        self.scopes[0].method.class().kept_by
    }

    /// Pushes the target of a known call site (the field is final only so that Java code cannot write it); whether
    /// that could be done. What is assumed of a site whose target can be set is a dependency.
    fn call_site_target(&mut self, site: &'static RootSlot) -> bool {
        if self.request.tier != Tier::Optimized {
            return false;
        }
        let owner = Owner { loader: self.root_loader(), place: site.address() };
        let known = in_vm(|| {
            // Null in a constant site that is still being made.
            let target = access::load_ref(site.get(), KnownField::CallSiteTarget.offset()).non_null()?;
            let constant = Known::ConstantCallSite.try_get().is_some_and(|c| site.get().class().is_subclass_of(c));
            let number = if constant { None } else { Some(call_site_number(site.get())?) };
            Some((target_slot(owner, target), number))
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
        match in_vm(|| {
            let owner = Owner { loader: c.loader, place: c.word() as usize };
            content(c.mirror(), Some(owner), f.offset, f.basic_type)
        }) {
            Content::Object(slot) => Some(slot),
            Content::Null | Content::Bits(_) | Content::Held(_) => None,
        }
    }

    /// Pushes the value of a static final field of an initialized class; whether that could be done.
    pub(super) fn constant_static(&mut self, f: FieldRef) -> bool {
        let c = f.class();
        if !f.is_static() || !c.is_initialized() || !(f.is_final() && !writes_finals_late(c) || is_stable(f)) {
            return false;
        }
        // `System.setOut` and its like write these.
        if c.name == "java/lang/System" && ["in", "out", "err"].iter().any(|n| f.name == *n) {
            return false;
        }
        let loader = self.root_loader();
        let content = in_vm(|| {
            let owner = is_permanent(c).then_some(Owner { loader, place: c.word() as usize });
            content(c.mirror(), owner, f.offset, f.basic_type)
        });
        let mirror = self.mirror(c);
        self.push_field(f, content, mirror)
    }

    /// The method that an `invokeBasic` or `linkTo*` with these arguments calls, how, and without what of the
    /// arguments: a known handle or member name tells.
    pub(super) fn handle_target(&self, m: MethodRef, args: &[Value]) -> Option<(MethodRef, MethodKind)> {
        let known = match m.kind() {
            MethodKind::InvokeBasic => self.source(*args.first()?)?,
            _ => self.source(*args.last()?)?,
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
