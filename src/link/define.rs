//! Deriving a class from bytes (JVMS 5.3.5): parsing, superclass and superinterface checks,
//! layout, method tables, mirror. Publication in the loader is `load`'s.

use super::access::{self, ClassAccess};
use super::layout::{lay_out, Contention, Padding, Slot};
use super::load::{DefineOptions, HiddenOptions};
use super::vtable;
use crate::classfile::access::*;
use crate::classfile::{parse, ClassFile, Constant, ParseOptions};
use crate::exceptions::{throw, VmResult};
use crate::heap::access::{store, store_ref};
use crate::heap::layout::{align_object, BasicType, Oop};
use crate::heap::{alloc, strings};
use crate::heap::roots::RootSlot;
use crate::meta::class::*;
use crate::meta::constants::RuntimeConstantPool;
use crate::meta::field::{Field, FieldRef};
use crate::meta::loader::{LoaderRef, JAVA_BASE_DEFINED};
use crate::meta::metaspace::MetaspaceExhausted;
use crate::meta::method::{method_flags, Method, MethodKind, MethodRef};
use crate::meta::symbol::Symbol;
use crate::meta::well_known::{Known, KnownField, INJECTED_FIELDS};
use crate::threads::JavaThread;
use std::sync::atomic::{AtomicPtr, AtomicU16, AtomicU32, AtomicU64, AtomicU8, Ordering};
use std::sync::OnceLock;

const ICCE: &str = "java/lang/IncompatibleClassChangeError";

static NEXT_CLASS_ID: AtomicU32 = AtomicU32::new(0);
static NEXT_HIDDEN_ID: AtomicU64 = AtomicU64::new(1);

/// A serial number for the next class.
pub(super) fn next_class_id() -> u32 {
    NEXT_CLASS_ID.fetch_add(1, Ordering::Relaxed)
}

/// Throws `OutOfMemoryError: Metaspace`.
pub(super) fn metaspace<T>(t: &JavaThread, r: Result<T, MetaspaceExhausted>) -> VmResult<T> {
    r.map_err(|_| {
        // A dead word on the stack must not keep the loaders that a handler lets go of.
        crate::threads::stale::request(t);
        throw(t, "java/lang/OutOfMemoryError", Some("Metaspace".into()))
    })
}

/// Parses under the rules of the loader.
pub(super) fn parse_class(
    t: &JavaThread,
    loader: LoaderRef,
    name: Option<Symbol>,
    bytes: &'static [u8],
    hidden: Option<&HiddenOptions>,
) -> VmResult<ClassFile<'static>> {
    let vm = crate::vm::get();
    let trusted = loader.is_boot() || access::is_platform_loader(loader);
    let check_format = if trusted { vm.verify_local() } else { vm.verify_remote() };
    let privileged = trusted || hidden.is_some_and(|h| h.vm_annotations);
    let options = ParseOptions {
        expected_name: name.map(|n| n.as_bytes()),
        check_format,
        relax_names: trusted && !vm.verify_local(),
        preview_enabled: vm.preview_enabled(),
        hidden: hidden.is_some(),
        vm_annotations: privileged,
        contended: vm.options.settings.contended_padding.is_some_and(|c| privileged || !c.restricted),
    };
    match parse(bytes, &options) {
        Ok(file) => Ok(file),
        Err(e) => {
            // The superinterfaces are looked for as they are read: what is wrong with them comes first.
            if let Some(read) = &e.interfaces {
                let of = Symbol::intern(&read.class_name);
                for name in &read.names {
                    load_interface(t, loader, of, Symbol::intern(name))?;
                }
            }
            Err(throw(t, e.class, Some(e.message)))
        }
    }
}

/// A direct superinterface of the class `of`, which `loader` is defining.
fn load_interface(t: &JavaThread, loader: LoaderRef, of: Symbol, name: Symbol) -> VmResult<ClassRef> {
    let i = super::load::load_super(t, loader, of, name)?;
    if !i.is_interface() {
        let m = format!(
            "class {} can not implement {}, because it is not an interface ({})",
            of.dotted(),
            i,
            i.in_module_of_loader(false, false)
        );
        return Err(throw(t, ICCE, Some(m)));
    }
    Ok(i)
}

/// Everything of a class that has no address yet.
struct Parts {
    name: Symbol,
    file: Box<ClassFile<'static>>,
    super_class: Option<ClassRef>,
    interfaces: Vec<ClassRef>,
    all_interfaces: Vec<ClassRef>,
}

/// Builds the class in the memory of `home`, its loader or what a hidden class is unloaded with. Its supers are resolved
/// through `loader`; it is not yet in the dictionary.
pub(super) fn build_class(
    t: &JavaThread,
    loader: LoaderRef,
    home: LoaderRef,
    file: ClassFile<'static>,
    options: &DefineOptions<'_>,
) -> VmResult<ClassRef> {
    let file_name = Symbol::intern(file.name());
    let name = match options.hidden {
        // A suffix that no class file can name (JVMS 4.2.1 forbids '.', HotSpot uses '+').
        Some(_) => {
            let id = NEXT_HIDDEN_ID.fetch_add(1, Ordering::Relaxed);
            let mut n = file_name.as_bytes().to_vec();
            n.extend_from_slice(format!("+0x{:016x}", 0x0000_0008_0000_0000u64 + id * 0x400).as_bytes());
            Symbol::intern(&n)
        }
        None => file_name,
    };
    let mut interfaces = Vec::with_capacity(file.interfaces.len());
    for i in file.interface_names() {
        interfaces.push(load_interface(t, loader, file_name, Symbol::intern(i))?);
    }
    let super_class = match file.super_name() {
        None => None,
        Some(s) => Some(super::load::load_super(t, loader, file_name, Symbol::intern(s))?),
    };
    let all_interfaces = collect_interfaces(super_class, &interfaces);
    let parts = Parts { name, file: Box::new(file), super_class, interfaces, all_interfaces };
    let class = assemble(t, loader, home, parts, options)?;
    check_supers(t, class)?;
    if Known::Class.try_get().is_some_and(|c| c.state() >= ClassState::Loaded && KnownField::ClassClass.is_laid_out()) {
        create_mirror(t, class, options)?;
    }
    Ok(class)
}

fn collect_interfaces(super_class: Option<ClassRef>, direct: &[ClassRef]) -> Vec<ClassRef> {
    let mut all: Vec<ClassRef> = Vec::new();
    let mut add = |c: ClassRef| {
        if !all.iter().any(|x| std::ptr::eq(*x, c)) {
            all.push(c);
        }
    };
    if let Some(s) = super_class {
        s.all_interfaces().for_each(&mut add);
    }
    for i in direct {
        i.all_interfaces().for_each(&mut add);
    }
    direct.iter().copied().for_each(&mut add);
    all
}

/// JVMS 5.3.5 points 3 and 4, after the class has its package and module.
fn check_supers(t: &JavaThread, class: ClassRef) -> VmResult<()> {
    if let Some(s) = class.super_class {
        if s.is_interface() {
            let m = format!("class {} has interface {} as super class", class, s);
            return Err(throw(t, ICCE, Some(m)));
        }
        if s.is_final() {
            return Err(throw(t, ICCE, Some(format!("class {class} cannot inherit from final class {s}"))));
        }
        check_permitted(t, class, s, "inherit from sealed class")?;
        let verdict = access::class_access(class, s, false);
        if verdict != ClassAccess::Ok {
            let m = match access::class_access_message(t, class, s, verdict) {
                Some(detail) => format!("superclass access check failed: {detail}"),
                None => format!(
                    "class {} cannot access its {}superclass {} ({})",
                    class,
                    if s.access_flags & ACC_ABSTRACT != 0 { "abstract " } else { "" },
                    s,
                    class.with_in_modules(s)
                ),
            };
            return Err(throw(t, "java/lang/IllegalAccessError", Some(m)));
        }
    }
    // HotSpot's order: the last first.
    for &i in class.interfaces.iter().rev() {
        let what = if class.is_interface() { "extend sealed interface" } else { "implement sealed interface" };
        check_permitted(t, class, i, what)?;
        let verdict = access::class_access(class, i, false);
        if verdict != ClassAccess::Ok {
            let m = match access::class_access_message(t, class, i, verdict) {
                Some(detail) => format!("superinterface check failed: {detail}"),
                None => format!("class {} cannot access its superinterface {} ({})", class, i, class.with_in_modules(i)),
            };
            return Err(throw(t, "java/lang/IllegalAccessError", Some(m)));
        }
    }
    check_final_overrides(t, class)
}

/// Sealed supers: same module, same package unless the subclass is public, and listed by name
/// (JVMS 5.3.5).
fn check_permitted(t: &JavaThread, class: ClassRef, s: ClassRef, what: &str) -> VmResult<()> {
    let Some(permitted) = s.class_file.as_ref().and_then(|f| f.attributes.permitted_subclasses.as_ref()) else {
        return Ok(());
    };
    let same_module = match (class.module(), s.module()) {
        (Some(a), Some(b)) => std::ptr::eq(a, b),
        _ => std::ptr::eq(class.loader, s.loader),
    };
    let same_package = class.is_public() || class.is_same_package(s);
    let listed = permitted.iter().any(|&i| s.constants.class_name(i) == class.name);
    if same_module && same_package && listed {
        return Ok(());
    }
    let m = format!("class {class} cannot {what} {s}");
    Err(throw(t, ICCE, Some(m)))
}

/// A final method must not be overridden.
fn check_final_overrides(t: &JavaThread, class: ClassRef) -> VmResult<()> {
    for &m in class.methods.iter() {
        if m.is_static() || m.is_private() || m.name.as_bytes().starts_with(b"<") {
            continue;
        }
        let mut s = class.super_class;
        while let Some(c) = s {
            if let Some(o) = c.find_declared(m.name, m.descriptor) {
                let visible = o.is_public() || o.is_protected() || (!o.is_private() && class.is_same_package(c));
                if o.access_flags & ACC_FINAL != 0 && !o.is_static() && visible {
                    let text = format!(
                        "class {} overrides final method {}.{}{}",
                        class.external_name(),
                        c.external_name(),
                        o.name,
                        o.descriptor
                    );
                    return Err(throw(t, ICCE, Some(text)));
                }
            }
            s = c.super_class;
        }
    }
    Ok(())
}

fn annotation_flags(m: &crate::classfile::VmAnnotations) -> u32 {
    let mut f = 0;
    let mut set = |on: bool, flag: u32| {
        if on {
            f |= flag
        }
    };
    set(m.force_inline, method_flags::FORCE_INLINE);
    set(m.dont_inline, method_flags::DONT_INLINE);
    set(m.caller_sensitive, method_flags::CALLER_SENSITIVE);
    set(m.hidden, method_flags::HIDDEN);
    set(m.lambda_form_compiled, method_flags::LAMBDA_FORM_COMPILED);
    set(m.intrinsic_candidate, method_flags::INTRINSIC_CANDIDATE);
    set(m.reserved_stack_access, method_flags::RESERVED_STACK_ACCESS);
    set(m.scoped, method_flags::SCOPED);
    f
}

/// Whether the code is of the form that `interpreter::prepare` changes: `dload_0` first and two instructions more.
fn begins_with_dload_0(m: &crate::classfile::MemberInfo) -> bool {
    m.code.as_deref().is_some_and(|c| c.code.len() > 3 && c.code[0] == 0x26)
}

fn make_methods(
    t: &JavaThread,
    home: LoaderRef,
    class_name: Symbol,
    file: &'static ClassFile<'static>,
) -> VmResult<Vec<MethodRef>> {
    let mut methods: Vec<MethodRef> = Vec::with_capacity(file.methods.len());
    for (i, m) in file.methods.iter().enumerate() {
        let name = Symbol::intern(m.name);
        let descriptor = Symbol::intern(m.descriptor);
        let kind = if m.access_flags & ACC_NATIVE != 0 {
            crate::invoke::signature_polymorphic_kind(class_name, name, m.access_flags).unwrap_or(MethodKind::Native)
        } else if m.access_flags & ACC_ABSTRACT != 0 {
            MethodKind::Abstract
        } else {
            MethodKind::Java
        };
        let method = Method::new(name, descriptor, m.access_flags, kind, i as u16, Some(i as u16), m.code.as_deref());
        let mut flags = annotation_flags(&m.vm_annotations);
        if let Some(c) = m.code.as_deref() {
            if !c.exception_table.is_empty() {
                flags |= method_flags::HAS_HANDLERS;
            }
            if c.code == [0xb1] {
                flags |= method_flags::EMPTY;
            }
        }
        if class_name == "java/lang/Object" && name == "<init>" {
            flags |= method_flags::OBJECT_INIT;
        }
        if class_name == "java/lang/Math" && name == "abs" && m.descriptor == b"(D)D" && begins_with_dload_0(m) {
            flags |= method_flags::MATH_ABS;
        }
        method.flags.store(flags, Ordering::Relaxed);
        methods.push(metaspace(t, home.arena.place(method))?);
    }
    Ok(methods)
}

fn assemble(
    t: &JavaThread,
    loader: LoaderRef,
    home: LoaderRef,
    parts: Parts,
    options: &DefineOptions<'_>,
) -> VmResult<ClassRef> {
    let Parts { name, file, super_class, interfaces, all_interfaces } = parts;
    // The box moves into the class, which outlives every use; its contents do not move.
    // SAFETY: `file` is owned by the class built below, for the class's life.
    let file_ref: &'static ClassFile<'static> = unsafe { &*(&*file as *const ClassFile<'static>) };
    let known = Known::ALL.iter().copied().find(|k| loader.is_boot() && name == k.name());

    // ---- fields
    let mut slots: Vec<Slot> = Vec::new();
    let mut specs: Vec<(Symbol, Symbol, u16, Option<u16>)> = Vec::new();
    for (i, f) in file_ref.fields.iter().enumerate() {
        specs.push((Symbol::intern(f.name), Symbol::intern(f.descriptor), f.access_flags, Some(i as u16)));
    }
    if let Some(k) = known {
        for &(_, n, d) in INJECTED_FIELDS.iter().filter(|(c, _, _)| *c == k) {
            specs.push((Symbol::of(n), Symbol::of(d), ACC_PRIVATE | ACC_SYNTHETIC, None));
        }
    }
    for &(_, d, flags, index) in &specs {
        let basic_type = BasicType::from_descriptor(d.as_bytes()[0]).expect("field descriptor was checked");
        let contention = match index.and_then(|i| file_ref.fields[i as usize].vm_annotations.contended) {
            None => Contention::None,
            Some(0) => Contention::Alone,
            Some(group) => Contention::Group(group),
        };
        slots.push(Slot { basic_type, is_static: flags & ACC_STATIC != 0, contention, offset: 0 });
    }
    let padding = Padding {
        width: crate::vm::get().options.settings.contended_padding.map_or(0, |c| c.width),
        of_class: file_ref.attributes.vm_annotations.contended.is_some(),
    };
    let statics_start = match (known, Known::Class.try_get()) {
        (_, Some(c)) => c.instance_bytes() as u32,
        _ => 0,
    };
    assert!(
        statics_start != 0 || known == Some(Known::Class) || slots.iter().all(|s| !s.is_static),
        "{name} has static fields and was loaded before java.lang.Class"
    );
    let mut layout = lay_out(super_class, &mut slots, statics_start, padding);
    if known == Some(Known::Class) {
        // Now the statics of Class itself can be placed behind its own instance fields.
        layout = lay_out(super_class, &mut slots, align_object(layout.fields_end as usize) as u32, padding);
    }
    let mut fields: Vec<FieldRef> = Vec::with_capacity(specs.len());
    for (i, ((n, d, flags, file_index), s)) in specs.iter().zip(&slots).enumerate() {
        let f = Field::new(*n, *d, *flags, s.basic_type, i as u16, *file_index, s.offset);
        fields.push(metaspace(t, home.arena.place(f))?);
    }

    // ---- methods and tables
    let methods = make_methods(t, home, name, file_ref)?;
    let is_interface = file_ref.access_flags & ACC_INTERFACE != 0;
    let package_bytes = name.as_bytes().iter().rposition(|&b| b == b'/').map_or(&b""[..], |i| &name.as_bytes()[..i]);
    let target = vtable::Target {
        name,
        package: package_bytes,
        loader,
        is_final: file_ref.access_flags & ACC_FINAL != 0,
        is_interface,
        super_class,
        all_interfaces: &all_interfaces,
        methods: &methods,
    };
    let plan = vtable::plan(&target);
    let mut method_index = methods.clone();
    method_index.sort_by_key(|m| (m.name.address(), m.descriptor.address()));
    let itable_words = if is_interface { 0 } else { vtable::itable_words(&all_interfaces) };

    // ---- kinds and flags
    let (mut instance_kind, mut reference_kind) =
        super_class.map_or((InstanceKind::Plain, ReferenceKind::None), |s| (s.instance_kind, s.reference_kind));
    match known {
        Some(Known::Class) => instance_kind = InstanceKind::Mirror,
        Some(Known::ClassLoader) => instance_kind = InstanceKind::ClassLoader,
        Some(Known::Reference) => instance_kind = InstanceKind::Reference,
        Some(Known::SoftReference) => reference_kind = ReferenceKind::Soft,
        Some(Known::WeakReference) => reference_kind = ReferenceKind::Weak,
        Some(Known::FinalReference) => reference_kind = ReferenceKind::Final,
        Some(Known::PhantomReference) => reference_kind = ReferenceKind::Phantom,
        _ => {}
    }
    let mut flags = super_class.map_or(0, |s| {
        s.flags.load(Ordering::Relaxed)
            & (class_flags::HAS_FINALIZER | class_flags::HAS_DEFAULTS | class_flags::CLONEABLE | class_flags::MAGIC_ACCESSOR)
    });
    if known == Some(Known::MagicAccessorImpl) {
        flags |= class_flags::MAGIC_ACCESSOR;
    }
    if all_interfaces.iter().any(|i| i.name == "java/lang/Cloneable" && i.loader.is_boot()) {
        flags |= class_flags::CLONEABLE;
    }
    if file_ref.attributes.vm_annotations.value_based {
        flags |= class_flags::VALUE_BASED;
    }
    let finalize = methods.iter().find(|m| {
        m.name == "finalize" && m.descriptor == "()V" && !m.is_static() && !m.has_flag(method_flags::EMPTY)
    });
    if finalize.is_some() && name != "java/lang/Object" && !is_interface {
        flags |= class_flags::HAS_FINALIZER;
    } else if methods.iter().any(|m| m.name == "finalize" && m.descriptor == "()V" && !m.is_static()) {
        flags &= !class_flags::HAS_FINALIZER;
    }
    let declares_defaults = is_interface && methods.iter().any(|m| !m.is_static() && !m.is_abstract());
    if declares_defaults {
        flags |= class_flags::DECLARES_DEFAULTS | class_flags::HAS_DEFAULTS;
    }
    if all_interfaces.iter().any(|i| i.has_flag(class_flags::HAS_DEFAULTS)) {
        flags |= class_flags::HAS_DEFAULTS;
    }
    if options.hidden.is_some() {
        flags |= class_flags::HIDDEN;
    }
    if options.hidden.as_ref().is_none_or(|h| h.strong) {
        flags |= class_flags::STRONG;
    }
    let mut layout_word = align_object(layout.fields_end as usize) as u32;
    let slow = file_ref.access_flags & (ACC_ABSTRACT | ACC_INTERFACE) != 0
        || flags & class_flags::HAS_FINALIZER != 0
        || known == Some(Known::Class);
    if slow {
        layout_word |= LAYOUT_SLOW;
    }

    // ---- the class itself
    let bytes = offsets::VTABLE + plan.entries.len() * 8 + itable_words * 8;
    let address = metaspace(t, home.arena.alloc(bytes))?;
    let package = loader.package(Symbol::intern(package_bytes));
    package.defined.store(true, Ordering::Relaxed);
    let module = package.module.load(Ordering::Acquire);
    let depth = super_class.map_or(0, |s| s.depth + 1);
    let primary = !is_interface && (depth as usize) < PRIMARY_SUPERS;
    let mut primary_supers = super_class.map_or([0; PRIMARY_SUPERS], |s| s.primary_supers);
    if primary {
        primary_supers[depth as usize] = address as u32;
    }
    let super_check_offset = if primary {
        (offsets::PRIMARY_SUPERS + depth as usize * 4) as u32
    } else {
        offsets::SECONDARY_SUPER_CACHE as u32
    };
    let mut secondary: Vec<ClassRef> = all_interfaces.clone();
    // Superclasses too deep for the display are secondary supers.
    let mut s = super_class;
    while let Some(c) = s {
        if c.depth as usize >= PRIMARY_SUPERS {
            secondary.push(c);
        }
        s = c.super_class;
    }
    let constants = RuntimeConstantPool::new(Some(file_ref.constant_pool.clone()));
    let source = OnceLock::new();
    if let Some(text) = options.source {
        // A fresh cell takes its first value.
        let _ = source.set(text.to_string());
    }
    let class = Class {
        layout: layout_word,
        super_check_offset,
        secondary_super_cache: AtomicU32::new(0),
        depth,
        primary_supers,
        state: AtomicU8::new(ClassState::Loaded as u8),
        instance_kind,
        reference_kind,
        element_type: BasicType::Void,
        flags: AtomicU32::new(flags),
        mirror: RootSlot::new(Oop::NULL),
        vtable_length: plan.entries.len() as u32,
        itable_words: itable_words as u32,
        access_flags: file_ref.access_flags,
        modifiers: AtomicU16::new(modifiers(file_ref)),
        name,
        super_class,
        interfaces: interfaces.into(),
        secondary_supers: OnceLock::new(),
        loader,
        kept_by: home,
        module: AtomicPtr::new(module),
        package: Some(package),
        constants,
        fields: fields.into(),
        methods: methods.into(),
        method_index: method_index.into(),
        synthetic_methods: OnceLock::new(),
        oop_maps: layout.oop_maps.into(),
        fields_end: layout.fields_end,
        static_reference_count: layout.static_references,
        mirror_bytes: align_object(layout.statics_end as usize) as u32,
        component: None,
        array_class: AtomicPtr::new(std::ptr::null_mut()),
        init: InitLock::default(),
        init_error: RootSlot::new(Oop::NULL),
        nest_host_error: OnceLock::new(),
        nest_host: AtomicPtr::new(
            options.hidden.as_ref().and_then(|h| h.nest_host).map_or(std::ptr::null_mut(), |h| h as *const _ as *mut _),
        ),
        subclasses: Default::default(),
        id: next_class_id(),
        source,
        redefinition_count: AtomicU32::new(0),
        dependencies: AtomicU64::new(0),
        class_file: Some(file),
    };
    // SAFETY: fresh memory of at least the struct's size, 8-byte aligned.
    let class: ClassRef = unsafe {
        (address as *mut Class).write(class);
        &*(address as *const Class)
    };
    home.allocated.lock().push(class);
    let nest_host = options.hidden.as_ref().and_then(|h| h.nest_host);
    for s in class.super_class.iter().chain(class.interfaces.iter()).chain(nest_host.iter()) {
        class.kept_by.depend_on(s.kept_by);
    }
    let is_set = class.secondary_supers.set(secondary.into()).is_ok();
    debug_assert!(is_set);
    for f in class.fields.iter() {
        f.set_holder(class);
    }
    for m in class.methods.iter() {
        m.set_class(class);
    }
    let mut overpasses: Vec<MethodRef> = Vec::new();
    for (i, e) in plan.entries.iter().enumerate() {
        class.vtable_slot(i).store(*e as *const Method as *mut Method, Ordering::Relaxed);
    }
    for c in plan.conflicts {
        let mut m =
            Method::new(c.name, c.descriptor, ACC_PUBLIC | ACC_SYNTHETIC, c.kind, u16::MAX, None, None);
        m.overpass_message = Some(c.message);
        m.flags.store(method_flags::SYNTHETIC_VM, Ordering::Relaxed);
        m.vtable_index.store(c.slot as i32, Ordering::Relaxed);
        let m: MethodRef = metaspace(t, home.arena.place(m))?;
        m.set_class(class);
        class.vtable_slot(c.slot).store(m as *const Method as *mut Method, Ordering::Relaxed);
        overpasses.push(m);
    }
    if !overpasses.is_empty() {
        let is_set = class.synthetic_methods.set(overpasses.into()).is_ok();
        debug_assert!(is_set);
    }
    vtable::fill_itable(class, &all_interfaces);
    if let Some(k) = known {
        k.set(class);
        if let Err(m) = KnownField::resolve_all_of(k) {
            // No Java exception can be made yet: start-up ends here.
            crate::vm::startup::fail(&m);
        }
    }
    crate::natives::bind(class);
    Ok(class)
}

/// Flags as reflection shows them: those of the InnerClasses entry for the class itself.
fn modifiers(file: &ClassFile<'_>) -> u16 {
    file.attributes
        .inner_classes
        .iter()
        .find(|i| i.inner_class == file.this_class || file.constant_pool.class_name(i.inner_class) == Some(file.name()))
        .map_or(file.access_flags, |i| i.access_flags)
        & !ACC_SUPER
}

/// Enters a class, about to be published, into the hierarchy.
pub(super) fn register_subclass(class: ClassRef) {
    if let Some(s) = class.super_class {
        if !class.is_interface() {
            s.subclasses.lock().push(class);
        }
    }
    for i in class.interfaces.iter() {
        i.subclasses.lock().push(class);
    }
}

/// Takes back [`register_subclass`]: the class is not published after all.
pub(super) fn unregister_subclass(class: ClassRef) {
    for c in class.super_class.iter().chain(class.interfaces.iter()) {
        c.subclasses.lock().retain(|x| *x != class);
    }
}

/// Makes the mirror, with static fields set from their ConstantValue attributes.
pub(super) fn create_mirror(t: &JavaThread, class: ClassRef, options: &DefineOptions<'_>) -> VmResult<()> {
    let class_class = Known::Class.get();
    let bytes = (class.mirror_bytes as usize).max(class_class.instance_bytes());
    let mirror = alloc::mirror(t, class_class, bytes, class.static_reference_count)?;
    store::<u64>(mirror, KnownField::ClassClass.offset(), class as *const Class as usize as u64);
    class.mirror.set(mirror);
    store_ref(t, mirror, KnownField::ClassLoaderField.offset(), class.loader.object.get());
    if let Some(m) = class.effective_module().filter(|_| JAVA_BASE_DEFINED.load(Ordering::Acquire)) {
        store_ref(t, mirror, KnownField::ClassModule.offset(), m.object.get());
    }
    if let Some(c) = class.component {
        store_ref(t, mirror, KnownField::ClassComponentType.offset(), c.mirror());
    } else if class.is_primitive_array() {
        let p = super::load::primitive_mirror(class.element_type);
        store_ref(t, mirror, KnownField::ClassComponentType.offset(), p);
    }
    store_ref(t, mirror, KnownField::ClassProtectionDomain.offset(), options.protection_domain);
    if let Some(h) = &options.hidden {
        store_ref(t, mirror, KnownField::ClassClassData.offset(), h.class_data);
    }
    for f in class.fields.iter().filter(|f| f.is_static()) {
        if let Some(index) = f.member().and_then(|m| m.constant_value) {
            initialize_constant(t, class, mirror, f, index)?;
        }
    }
    Ok(())
}

fn initialize_constant(t: &JavaThread, class: ClassRef, mirror: Oop, f: FieldRef, index: u16) -> VmResult<()> {
    let at = f.offset as usize;
    match (class.constants.file().get(index), f.basic_type) {
        (Constant::Integer(v), BasicType::Boolean | BasicType::Byte) => store::<i8>(mirror, at, v as i8),
        (Constant::Integer(v), BasicType::Char | BasicType::Short) => store::<i16>(mirror, at, v as i16),
        (Constant::Integer(v), _) => store::<i32>(mirror, at, v),
        (Constant::Float(v), _) => store::<u32>(mirror, at, v),
        (Constant::Long(v), _) => store::<i64>(mirror, at, v),
        (Constant::Double(v), _) => store::<u64>(mirror, at, v),
        (Constant::String { utf8 }, _) => {
            let text = class.constants.symbol(utf8);
            let s = strings::intern_symbol(t, text)?;
            store_ref(t, mirror, at, s);
        }
        (other, _) => unreachable!("format checking let {other:?} be a ConstantValue"),
    }
    Ok(())
}
