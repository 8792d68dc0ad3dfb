//! Finding and loading classes by name (JVMS 5.3).

use super::constraints::{self, Entry};
use super::define;
use crate::exceptions::{throw, throw_with_cause, Thrown, VmResult};
use crate::heap::access::{load, load_ref, store, store_ref};
use crate::heap::layout::{BasicType, Oop};
use crate::heap::roots::RootSlot;
use crate::heap::{alloc, strings};
use crate::meta::class::*;
use crate::meta::constants::RuntimeConstantPool;
use crate::meta::loader::{self, Loader, LoaderRef, Placeholder, PlaceholderKind};
use crate::meta::symbol::Symbol;
use crate::meta::well_known::{Known, KnownField};
use crate::threads::{monitor, state, JavaThread};
use std::sync::atomic::{AtomicPtr, AtomicU16, AtomicU32, AtomicU64, AtomicU8, Ordering};
use std::sync::OnceLock;

/// The class or array class `name` (binary name with slashes, or array descriptor) as
/// `loader` finds it, loaded if need be. Throws what `loadClass` throws, and
/// ClassNotFoundException where nothing was found; resolution (`link::resolve`) turns that into
/// NoClassDefFoundError.
pub fn load_class(t: &JavaThread, loader: LoaderRef, name: Symbol) -> VmResult<ClassRef> {
    match try_load_class(t, loader, name)? {
        Some(c) => Ok(c),
        None => Err(throw(t, "java/lang/ClassNotFoundException", Some(name.to_text().into_owned()))),
    }
}

/// Like [`load_class`], but a class that is simply not there is `None`.
pub fn try_load_class(t: &JavaThread, loader: LoaderRef, name: Symbol) -> VmResult<Option<ClassRef>> {
    if name.as_bytes().first() == Some(&b'[') {
        return load_array(t, loader, name);
    }
    let loader = effective_loader(loader);
    if let Some(c) = loader.find(name) {
        return Ok(Some(c));
    }
    if is_super_in_progress(t, loader, name) {
        return Err(circularity(t, name));
    }
    if loader.is_boot() {
        load_boot(t, loader, name)
    } else {
        load_through_java(t, loader, name)
    }
}

/// [`load_class`] for resolution: ClassNotFoundException becomes NoClassDefFoundError with the
/// exception as its cause.
pub fn load_or_no_class_def(t: &JavaThread, loader: LoaderRef, name: Symbol) -> VmResult<ClassRef> {
    match try_load_class(t, loader, name) {
        Ok(Some(c)) => Ok(c),
        Ok(None) => Err(throw(t, "java/lang/NoClassDefFoundError", Some(name.to_text().into_owned()))),
        Err(thrown) => {
            let e = t.exception.get();
            if !e.class().is_subclass_of(Known::ClassNotFoundException.get()) {
                return Err(thrown);
            }
            t.take_exception();
            let message = Some(name.to_text().into_owned());
            Err(throw_with_cause(t, "java/lang/NoClassDefFoundError", message, e))
        }
    }
}

/// A direct superclass or superinterface of `of`, which `loader` is defining.
pub(super) fn load_super(t: &JavaThread, loader: LoaderRef, of: Symbol, name: Symbol) -> VmResult<ClassRef> {
    if name == of {
        return Err(circularity(t, name));
    }
    let mark = Placeholder { thread: t.id, kind: PlaceholderKind::Super(name) };
    during(loader, of, mark, || load_or_no_class_def(t, loader, name))
}

/// Runs `f` with `mark` set for the class `name`.
fn during<R>(loader: LoaderRef, name: Symbol, mark: Placeholder, f: impl FnOnce() -> R) -> R {
    loader.placeholders.lock().entry(name).or_default().push(mark);
    let result = f();
    let mut placeholders = loader.placeholders.lock();
    if let Some(list) = placeholders.get_mut(&name) {
        if let Some(i) = list.iter().position(|p| *p == mark) {
            list.swap_remove(i);
        }
        if list.is_empty() {
            placeholders.remove(&name);
        }
    }
    loader.placeholders_changed.notify_all();
    result
}

/// Whether some load of the class `name` is in progress that `which` is true of.
fn loading(loader: LoaderRef, name: Symbol, which: impl Fn(&Placeholder) -> bool) -> bool {
    loader.placeholders.lock().get(&name).is_some_and(|l| l.iter().any(which))
}

fn is_super_in_progress(t: &JavaThread, loader: LoaderRef, name: Symbol) -> bool {
    loading(loader, name, |p| p.thread == t.id && matches!(p.kind, PlaceholderKind::Super(_)))
}

fn circularity(t: &JavaThread, name: Symbol) -> Thrown {
    throw(t, "java/lang/ClassCircularityError", Some(name.to_text().into_owned()))
}

/// If another thread is about to find the super of class `name`, finds it too. A circle of supers is found out so
/// before each of the threads in it waits for a lock that another one holds.
fn join_super_load(t: &JavaThread, loader: LoaderRef, name: Symbol) -> VmResult<()> {
    let wanted = loader.placeholders.lock().get(&name).and_then(|l| {
        l.iter().find_map(|p| match p.kind {
            PlaceholderKind::Super(s) if p.thread != t.id => Some(s),
            _ => None,
        })
    });
    match wanted {
        Some(s) => load_super(t, loader, name, s).map(drop),
        None => Ok(()),
    }
}

/// Waits until no other thread loads the class `name` through a loader that is not parallel capable; the current
/// thread owns the loader's lock. The other one has given that up, by `wait`: it is woken. Whether there was one.
fn await_load(t: &JavaThread, loader: LoaderRef, name: Symbol) -> VmResult<bool> {
    let is_other = |p: &Placeholder| p.thread != t.id && p.kind == PlaceholderKind::Load;
    if !loading(loader, name, is_other) {
        return Ok(false);
    }
    let object = loader.object.get();
    monitor::notify(t, object, true)?;
    monitor::released(t, object, || {
        state::blocked(t, || {
            let mut placeholders = loader.placeholders.lock();
            while placeholders.get(&name).is_some_and(|l| l.iter().any(is_other)) {
                loader.placeholders_changed.wait(&mut placeholders);
            }
        })
    })?;
    Ok(true)
}

/// Reflection's delegating loaders load through the loader behind.
fn effective_loader(l: LoaderRef) -> LoaderRef {
    let object = l.object.get();
    if object.is_null() {
        return loader::boot();
    }
    match Known::DelegatingClassLoader.try_get() {
        Some(d) if object.class().is_subclass_of(d) => {
            let parent = load_ref(object, KnownField::LoaderParent.offset());
            loader_data(parent).unwrap_or(l)
        }
        _ => l,
    }
}

/// Checks JVMS 5.3 and 4.2.1 would make no class of: such a name is just not found.
fn is_legal_binary_name(name: &[u8]) -> bool {
    !name.is_empty() && name.len() <= 65535 && !name.iter().any(|b| matches!(b, b'.' | b';' | b'['))
}

fn load_boot(t: &JavaThread, loader: LoaderRef, name: Symbol) -> VmResult<Option<ClassRef>> {
    if !is_legal_binary_name(name.as_bytes()) {
        return Ok(None);
    }
    let found = crate::vm::get().find_boot_class(loader, name);
    let found = found.map_err(|m| throw(t, "java/lang/ClassFormatError", Some(m)))?;
    let Some((bytes, source)) = found else { return Ok(None) };
    crate::heap::metadata::before_class(t, bytes.len());
    let file = define::parse_class(t, loader, Some(name), bytes, None)?;
    let options = DefineOptions { protection_domain: Oop::NULL, source: Some(&source), hidden: None };
    let class = define::build_class(t, loader, loader, file, &options)?;
    match enter_defined(loader, class) {
        Entry::New => {
            published(class);
            Ok(Some(class))
        }
        // Another thread was faster: its class is the one.
        Entry::Already(first) => Ok(Some(first)),
        Entry::Refused(demanded) => Err(constraints::refused(t, loader, class, demanded)),
    }
}

/// Enters a new class into the hierarchy, then into its loader's dictionary: who can find it there can link it,
/// and compiled code then must reckon with it.
fn enter_defined(loader: LoaderRef, class: ClassRef) -> Entry {
    define::register_subclass(class);
    let entry = constraints::enter(loader, class);
    if !matches!(entry, Entry::New) {
        define::unregister_subclass(class);
    }
    entry
}

fn published(class: ClassRef) {
    class.kept_by.add_defined(class);
    if !std::ptr::eq(class.kept_by, class.loader) {
        class.kept_by.register();
    }
    crate::vm::log_class_load(class);
}

fn load_through_java(t: &JavaThread, loader: LoaderRef, name: Symbol) -> VmResult<Option<ClassRef>> {
    if !is_legal_binary_name(name.as_bytes()) {
        return Ok(None);
    }
    let object = loader.object.get();
    let dotted = strings::from_mutf8(t, name.dotted_bytes().as_slice())?;
    let call_loader = || {
        let method = crate::meta::well_known::method(
            Known::ClassLoader,
            "loadClass",
            "(Ljava/lang/String;)Ljava/lang/Class;",
        );
        super::resolve::select_virtual(t, method, object.class()).and_then(|m| {
            crate::interpreter::call::call(t, m, &[object.address() as u64, dotted.address() as u64])
        })
    };
    let result = if loader.parallel_capable {
        join_super_load(t, loader, name)?;
        call_loader()
    } else {
        monitor::enter(t, object)?;
        let found = alone(t, loader, name, call_loader);
        let pending = found.is_err().then(|| t.take_exception());
        monitor::exit(t, object)?;
        if let Some(e) = pending {
            return Err(t.set_exception(e));
        }
        match found? {
            Called::Before(c) => return Ok(Some(c)),
            Called::Now(mirror) => Ok(mirror),
        }
    };
    let mirror = Oop::from_address(result? as usize);
    if mirror.is_null() {
        return Ok(None);
    }
    match mirror_to_class(mirror) {
        // A loader that answers with a class of another name has not found this one.
        MirrorOf::Class(c) if c.name == name => {
            record_initiating(t, loader, c)?;
            Ok(Some(c))
        }
        _ => Ok(None),
    }
}

/// What has come of loading through a loader that is not parallel capable.
enum Called {
    /// Another thread had the class loaded.
    Before(ClassRef),
    /// What `loadClass` has given.
    Now(u64),
}

/// Loads through a loader that is not parallel capable, whose lock the current thread owns: one thread at a time loads
/// a class, even if `loadClass` gives the lock up.
fn alone(
    t: &JavaThread,
    loader: LoaderRef,
    name: Symbol,
    call_loader: impl FnOnce() -> VmResult<u64>,
) -> VmResult<Called> {
    loop {
        if let Some(c) = loader.find(name) {
            return Ok(Called::Before(c));
        }
        join_super_load(t, loader, name)?;
        let mark = Placeholder { thread: t.id, kind: PlaceholderKind::Load };
        if loading(loader, name, |p| *p == mark) {
            return Err(circularity(t, name));
        }
        if !await_load(t, loader, name)? {
            return during(loader, name, mark, call_loader).map(Called::Now);
        }
    }
}

/// Records `loader` as an initiating loader of `class` (JVMS 5.3), once.
fn record_initiating(t: &JavaThread, loader: LoaderRef, class: ClassRef) -> VmResult<()> {
    match constraints::enter(loader, class) {
        Entry::New => Ok(()),
        Entry::Already(first) if first == class => Ok(()),
        Entry::Already(_) => Err(duplicate(t, loader, class)),
        Entry::Refused(demanded) => Err(constraints::refused(t, loader, class, demanded)),
    }
}

/// The class if `loader` is already recorded as an initiating loader (arrays included).
pub fn find_loaded(t: &JavaThread, loader: LoaderRef, name: Symbol) -> VmResult<Option<ClassRef>> {
    let bytes = name.as_bytes();
    let dims = bytes.iter().take_while(|&&b| b == b'[').count();
    if dims == 0 {
        return Ok(effective_loader(loader).find(name));
    }
    let base = match element_of(&bytes[dims..]) {
        Some(Element::Primitive(p)) => primitive_array_class(p),
        Some(Element::Class(n)) => match effective_loader(loader).find(n) {
            Some(c) => array_class(t, c)?,
            None => return Ok(None),
        },
        None => return Ok(None),
    };
    let mut c = base;
    for _ in 1..dims {
        c = array_class(t, c)?;
    }
    Ok(Some(c))
}

enum Element {
    Primitive(BasicType),
    Class(Symbol),
}

fn element_of(descriptor: &[u8]) -> Option<Element> {
    match descriptor {
        [b'L', name @ .., b';'] if is_legal_binary_name(name) => Some(Element::Class(Symbol::intern(name))),
        [c] => match BasicType::from_descriptor(*c)? {
            BasicType::Void | BasicType::Object | BasicType::Array => None,
            p => Some(Element::Primitive(p)),
        },
        _ => None,
    }
}

fn load_array(t: &JavaThread, loader: LoaderRef, name: Symbol) -> VmResult<Option<ClassRef>> {
    let bytes = name.as_bytes();
    let dims = bytes.iter().take_while(|&&b| b == b'[').count();
    if dims > 255 {
        return Ok(None);
    }
    let mut c = match element_of(&bytes[dims..]) {
        Some(Element::Primitive(p)) => primitive_array_class(p),
        Some(Element::Class(n)) => match try_load_class(t, loader, n)? {
            Some(c) => array_class(t, c)?,
            None => return Ok(None),
        },
        None => return Ok(None),
    };
    for _ in 1..dims {
        c = array_class(t, c)?;
    }
    Ok(Some(c))
}

/// The array class with elements of `component` (a class or array class).
pub fn array_class(t: &JavaThread, component: ClassRef) -> VmResult<ClassRef> {
    // SAFETY: null or an array class, which lives as long as its component.
    if let Some(c) = unsafe { component.array_class.load(Ordering::Acquire).as_ref() } {
        return Ok(c);
    }
    let made = make_array(t, Some(component), BasicType::Object)?;
    match component.array_class.compare_exchange(
        std::ptr::null_mut(),
        made as *const Class as *mut Class,
        Ordering::AcqRel,
        Ordering::Acquire,
    ) {
        Ok(_) => {
            made.kept_by.add_defined(made);
            Ok(made)
        }
        // SAFETY: as above.
        Err(first) => Ok(unsafe { &*first }),
    }
}

static PRIMITIVE_ARRAYS: [AtomicPtr<Class>; 12] = [const { AtomicPtr::new(std::ptr::null_mut()) }; 12];
static PRIMITIVE_MIRRORS: [RootSlot; 16] = [const { RootSlot::new(Oop::NULL) }; 16];

/// Calls `f` with the slots of the primitive mirrors, for the collector.
pub fn primitive_mirror_slots() -> &'static [RootSlot] {
    &PRIMITIVE_MIRRORS
}

/// The array class of a primitive.
pub fn primitive_array_class(element: BasicType) -> ClassRef {
    let p = PRIMITIVE_ARRAYS[element as usize].load(Ordering::Acquire);
    assert!(!p.is_null(), "array of {} before start-up made it", element.java_name());
    // SAFETY: boot classes are never unloaded.
    unsafe { &*p }
}

/// Start-up: makes the array classes of the primitives (their mirrors come later).
pub fn create_primitive_arrays(t: &JavaThread) -> VmResult<()> {
    for code in 4..12u8 {
        let e = BasicType::from_code(code).expect("codes 4 to 11 are primitives");
        let c = make_array(t, None, e)?;
        c.loader.add_defined(c);
        PRIMITIVE_ARRAYS[code as usize].store(c as *const Class as *mut Class, Ordering::Release);
    }
    Ok(())
}

/// Start-up: the mirrors of the primitives and void, then of every class loaded before
/// `java.lang.Class` was.
pub fn create_early_mirrors(t: &JavaThread) -> VmResult<()> {
    let class_class = Known::Class.get();
    for code in (4..12u8).chain([BasicType::Void as u8]) {
        let m = alloc::mirror(t, class_class, class_class.instance_bytes(), 0)?;
        store::<i32>(m, KnownField::ClassPrimitive.offset(), i32::from(code));
        PRIMITIVE_MIRRORS[code as usize].set(m);
        if code != BasicType::Void as u8 {
            let array = primitive_array_class(BasicType::from_code(code).expect("primitive"));
            match array.mirror().non_null() {
                None => define::create_mirror(t, array, &DefineOptions::default())?,
                // Made with its class, before there was a mirror of the element type.
                Some(a) => store_ref(t, a, KnownField::ClassComponentType.offset(), m),
            }
        }
    }
    let mut early = Vec::new();
    Loader::for_each_class(|c| {
        if c.mirror().is_null() {
            early.push(c)
        }
    });
    for c in early {
        define::create_mirror(t, c, &DefineOptions::default())?;
    }
    Ok(())
}

/// The class above `c` in the display: for arrays the array of the element's superclass
/// (Object[][] above I[][]), although `getSuperclass` says Object.
fn display_parent(c: ClassRef) -> Option<ClassRef> {
    let above = c.depth.wrapping_sub(1) as usize;
    match c.primary_supers.get(above) {
        // SAFETY: display entries are words of classes that `c` keeps.
        Some(&word) if c.is_array() && word != 0 => Some(unsafe { Class::from_word(word) }),
        _ => c.super_class,
    }
}

fn make_array(t: &JavaThread, component: Option<ClassRef>, element: BasicType) -> VmResult<ClassRef> {
    let object = Known::Object.get();
    let element = match component {
        Some(c) if c.is_array() => BasicType::Array,
        _ => element,
    };
    let mut name = vec![b'['];
    match component {
        None => name.push(element.descriptor()),
        Some(c) if c.is_array() => name.extend_from_slice(c.name.as_bytes()),
        Some(c) => {
            name.push(b'L');
            name.extend_from_slice(c.name.as_bytes());
            name.push(b';');
        }
    }
    let loader = component.map_or_else(loader::boot, |c| c.loader);
    // Supers: for T[] those arrays whose element is a super of T, Cloneable, Serializable.
    let mut secondary = vec![Known::Cloneable.get(), Known::Serializable.get()];
    let mut display_super = object;
    if let Some(c) = component {
        for s in c.secondary_supers.get().map_or(&[][..], |s| s).iter() {
            secondary.push(array_class(t, s)?);
        }
        if let Some(s) = display_parent(c) {
            let array_of_super = array_class(t, s)?;
            display_super = array_of_super;
            secondary.push(array_of_super);
            secondary.extend(array_of_super.secondary_supers.get().map_or(&[][..], |s| s).iter());
        }
        let mut seen: Vec<ClassRef> = Vec::new();
        secondary.retain(|x| {
            let fresh = !seen.iter().any(|y| std::ptr::eq(*x, *y));
            if fresh {
                seen.push(x);
            }
            fresh
        });
    }
    let vtable_length = object.vtable_length as usize;
    let itable_words = 6;
    let bytes = offsets::VTABLE + vtable_length * 8 + itable_words * 8;
    let home = component.map_or(loader, |c| c.kept_by);
    let address = define::metaspace(t, home.arena.alloc(bytes))?;
    // The display follows arrays of superclasses (String[] below Object[] below Object); arrays
    // of interfaces are found among the secondary supers, as interfaces are.
    let depth = display_super.depth + 1;
    let interface_elements = component.is_some_and(|c| c.bottom_class().is_interface());
    let primary = !interface_elements && (depth as usize) < PRIMARY_SUPERS;
    let mut primary_supers = display_super.primary_supers;
    if primary {
        primary_supers[depth as usize] = address as u32;
    }
    let super_check_offset =
        if primary { offsets::PRIMARY_SUPERS + depth as usize * 4 } else { offsets::SECONDARY_SUPER_CACHE };
    let bottom = component.map(|c| c.bottom_class());
    let visibility = bottom.map_or(crate::classfile::access::ACC_PUBLIC, |b| {
        if b.is_array() {
            crate::classfile::access::ACC_PUBLIC
        } else {
            b.modifiers.load(Ordering::Relaxed) & 0x0007
        }
    });
    let flags = visibility | crate::classfile::access::ACC_FINAL | crate::classfile::access::ACC_ABSTRACT;
    let object_array = component.is_some();
    let class = Class {
        layout: Class::array_layout(element),
        super_check_offset: super_check_offset as u32,
        secondary_super_cache: AtomicU32::new(0),
        depth,
        primary_supers,
        state: AtomicU8::new(ClassState::Initialized as u8),
        instance_kind: if object_array { InstanceKind::ObjectArray } else { InstanceKind::PrimitiveArray },
        reference_kind: ReferenceKind::None,
        element_type: element,
        flags: AtomicU32::new(class_flags::STRONG | class_flags::CLONEABLE | class_flags::VERIFIED),
        mirror: RootSlot::new(Oop::NULL),
        vtable_length: vtable_length as u32,
        itable_words: itable_words as u32,
        access_flags: flags,
        modifiers: AtomicU16::new(flags),
        name: Symbol::intern(&name),
        super_class: Some(object),
        interfaces: vec![Known::Cloneable.get(), Known::Serializable.get()].into(),
        secondary_supers: OnceLock::new(),
        loader,
        kept_by: home,
        module: AtomicPtr::new(bottom.map_or(std::ptr::null_mut(), |b| b.module.load(Ordering::Acquire))),
        package: bottom.and_then(|b| b.package),
        constants: RuntimeConstantPool::new(None),
        fields: Box::default(),
        methods: Box::default(),
        method_index: Box::default(),
        synthetic_methods: OnceLock::new(),
        oop_maps: Box::default(),
        fields_end: 0,
        static_reference_count: 0,
        mirror_bytes: 0,
        component,
        array_class: AtomicPtr::new(std::ptr::null_mut()),
        init: InitLock::default(),
        init_error: RootSlot::new(Oop::NULL),
        nest_host_error: OnceLock::new(),
        nest_host: AtomicPtr::new(std::ptr::null_mut()),
        subclasses: Default::default(),
        id: define::next_class_id(),
        source: OnceLock::new(),
        redefinition_count: AtomicU32::new(0),
        dependencies: AtomicU64::new(0),
        class_file: None,
    };
    // SAFETY: fresh memory of at least the struct's size, 8-byte aligned.
    let class: ClassRef = unsafe {
        (address as *mut Class).write(class);
        &*(address as *const Class)
    };
    home.allocated.lock().push(class);
    for i in 0..vtable_length {
        let m = object.vtable_slot(i).load(Ordering::Relaxed);
        class.vtable_slot(i).store(m, Ordering::Relaxed);
    }
    let is_set = class.secondary_supers.set(secondary.into()).is_ok();
    debug_assert!(is_set);
    super::vtable::fill_itable(class, &class.interfaces);
    if KnownField::ClassClass.is_laid_out() && !Known::Class.get().mirror().is_null() {
        define::create_mirror(t, class, &DefineOptions::default())?;
    }
    Ok(class)
}

/// The mirror of a primitive type or void.
pub fn primitive_mirror(b: BasicType) -> Oop {
    PRIMITIVE_MIRRORS[b as usize].get()
}

/// What a mirror stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MirrorOf {
    Class(ClassRef),
    Primitive(BasicType),
}

/// The class or primitive type of a `java.lang.Class` object.
pub fn mirror_to_class(mirror: Oop) -> MirrorOf {
    let address = load::<u64>(mirror, KnownField::ClassClass.offset()) as usize;
    if address != 0 {
        // SAFETY: a mirror keeps its class alive.
        return MirrorOf::Class(unsafe { &*(address as *const Class) });
    }
    let code = load::<i32>(mirror, KnownField::ClassPrimitive.offset()) as u8;
    MirrorOf::Primitive(BasicType::from_code(code).unwrap_or(BasicType::Void))
}

/// The mirror of the type that a field descriptor (or 'V') denotes, loaded through `loader`.
pub fn mirror_of_descriptor(t: &JavaThread, loader: LoaderRef, descriptor: &[u8]) -> VmResult<Oop> {
    match descriptor {
        [b'L', name @ .., b';'] => Ok(load_or_no_class_def(t, loader, Symbol::intern(name))?.mirror()),
        [b'[', ..] => Ok(load_or_no_class_def(t, loader, Symbol::intern(descriptor))?.mirror()),
        [c] => Ok(primitive_mirror(BasicType::from_descriptor(*c).expect("descriptor was checked"))),
        _ => unreachable!("descriptor was checked"),
    }
}

/// Loader data recorded in a `ClassLoader` object; boot for null.
pub fn loader_data(object: Oop) -> Option<LoaderRef> {
    if object.is_null() {
        return Some(loader::boot());
    }
    let p = load::<u64>(object, KnownField::LoaderLoader.offset()) as usize as *const Loader;
    // SAFETY: the object keeps its loader data alive.
    unsafe { p.as_ref() }
}

/// The VM's loader data of a `ClassLoader` object (null: the boot loader), made if it is new.
pub fn loader_of(_t: &JavaThread, object: Oop) -> LoaderRef {
    static CREATE: parking_lot::Mutex<()> = parking_lot::Mutex::new(());
    if let Some(l) = loader_data(object) {
        return l;
    }
    let _guard = CREATE.lock();
    if let Some(l) = loader_data(object) {
        return l;
    }
    let parallel = !load_ref(object, KnownField::LoaderParallelLockMap.offset()).is_null();
    let l = Loader::create(object, parallel);
    store::<u64>(object, KnownField::LoaderLoader.offset(), l as *const Loader as usize as u64);
    let unnamed = load_ref(object, KnownField::LoaderUnnamedModule.offset());
    // Only the constructors of ClassLoader set it: who got around them must not come further.
    if unnamed.non_null().is_none_or(|m| !m.class().is_subclass_of(Known::Module.get())) {
        crate::vm::crash::fatal_error(&format!(
            "The unnamed module for ClassLoader {}, is null or not an instance of java.lang.Module. \
             The class loader has not been initialized correctly.",
            l.name_and_id()
        ));
    }
    let m = l.unnamed_module();
    m.object.set(unnamed);
    store::<u64>(unnamed, KnownField::ModuleModule.offset(), m as *const _ as usize as u64);
    l
}

/// How a class is defined.
pub struct DefineOptions<'a> {
    pub protection_domain: Oop,
    pub source: Option<&'a str>,
    /// Hidden class: `Some` with its options.
    pub hidden: Option<HiddenOptions>,
}

impl Default for DefineOptions<'_> {
    fn default() -> Self {
        DefineOptions { protection_domain: Oop::NULL, source: None, hidden: None }
    }
}

/// `Lookup.defineHiddenClass` (JVMS 5.4.4 nest host injection, class data).
pub struct HiddenOptions {
    /// Host of the nest to join (`NESTMATE`).
    pub nest_host: Option<ClassRef>,
    /// Lives as long as its loader.
    pub strong: bool,
    /// `ACCESS_VM_ANNOTATIONS`.
    pub vm_annotations: bool,
    pub class_data: Oop,
}

/// Derives a class from bytes (JVMS 5.3.5): parses, resolves supers, lays out, publishes in
/// the loader. `name` is the expected name, if known. Throws ClassFormatError,
/// NoClassDefFoundError, UnsupportedClassVersionError, LinkageError (duplicate), ….
pub fn define_class(
    t: &JavaThread,
    loader: LoaderRef,
    name: Option<Symbol>,
    bytes: &[u8],
    options: DefineOptions<'_>,
) -> VmResult<ClassRef> {
    let home = match options.hidden {
        Some(HiddenOptions { strong: false, .. }) => Loader::of_hidden_class(loader),
        _ => loader,
    };
    let defined = define_in(t, loader, home, name, bytes, &options);
    if defined.is_err() && !std::ptr::eq(home, loader) {
        // A mirror may be there, when memory ran out for what it holds, and a stale word keep it.
        for m in home.allocated.lock().iter().filter_map(|c| c.mirror().non_null()) {
            store::<u64>(m, KnownField::ClassClass.offset(), 0);
        }
        // SAFETY: nobody has seen what was to be the class.
        unsafe { home.free() }
    }
    defined
}

/// [`define_class`] in the memory of `home`.
fn define_in(
    t: &JavaThread,
    loader: LoaderRef,
    home: LoaderRef,
    name: Option<Symbol>,
    bytes: &[u8],
    options: &DefineOptions<'_>,
) -> VmResult<ClassRef> {
    // The class file is read in place for the life of the class.
    crate::heap::metadata::before_class(t, bytes.len());
    let place = define::metaspace(t, home.arena.alloc(bytes.len()))?;
    // SAFETY: fresh memory of that size, for the life of the class.
    let bytes: &'static [u8] = unsafe {
        std::ptr::copy_nonoverlapping(bytes.as_ptr(), place as *mut u8, bytes.len());
        std::slice::from_raw_parts(place as *const u8, bytes.len())
    };
    let file = define::parse_class(t, loader, name, bytes, options.hidden.as_ref())?;
    let file_name = Symbol::intern(file.name());
    let trusted = loader.is_boot() || super::access::is_platform_loader(loader);
    if !trusted && file_name.as_bytes().starts_with(b"java/") {
        let n = file_name.to_text();
        let package = n.rsplit_once('/').map_or("java", |(p, _)| p).replace('/', ".");
        let m = format!(
            "Class loader (instance of): {} tried to load prohibited package name: {package}",
            loader.name_and_id()
        );
        return Err(throw(t, "java/lang/SecurityException", Some(m)));
    }
    let hidden = options.hidden.is_some();
    if !hidden && is_super_in_progress(t, loader, file_name) {
        return Err(circularity(t, file_name));
    }
    let class = define::build_class(t, loader, home, file, options)?;
    if hidden {
        define::register_subclass(class);
    } else {
        match enter_defined(loader, class) {
            Entry::New => {}
            Entry::Already(_) => return Err(duplicate(t, loader, class)),
            Entry::Refused(demanded) => return Err(constraints::refused(t, loader, class, demanded)),
        }
    }
    published(class);
    Ok(class)
}

fn duplicate(t: &JavaThread, loader: LoaderRef, class: ClassRef) -> crate::exceptions::Thrown {
    let m = format!(
        "loader {} attempted duplicate {} definition for {}. ({})",
        loader.name_and_id(),
        class.kind_text(),
        class,
        class.in_module_of_loader(false, true)
    );
    throw(t, "java/lang/LinkageError", Some(m))
}
