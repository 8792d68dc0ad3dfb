//! Class loaders as the VM sees them, their classes, packages and modules
//! (JVMS 5.3; HotSpot's `ClassLoaderData`, `Dictionary`, `PackageEntry`, `ModuleEntry`).

use super::class::{Class, ClassRef};
use super::metaspace::{self, Arena};
use super::symbol::Symbol;
use crate::heap::layout::Oop;
use crate::heap::roots::{RootSlot, Table};
use crate::interpreter::insn::ReceiverSite;
use parking_lot::{Condvar, Mutex, RwLock};
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, Ordering};
use std::sync::OnceLock;

/// A loader; `'static` by convention, until unloaded.
pub type LoaderRef = &'static Loader;
/// A module; lives as long as its loader.
pub type ModuleRef = &'static Module;
/// A package; lives as long as its loader.
pub type PackageRef = &'static Package;

/// The VM's side of one `ClassLoader` object or of the boot loader; or what lives and dies with one non-strong
/// hidden class, which is unloaded alone: see [`Class::kept_by`](super::class::Class::kept_by).
pub struct Loader {
    /// The `java.lang.ClassLoader`, null for the boot loader.
    pub object: RootSlot,
    /// Classes this loader is an initiating loader of, by name (JVMS 5.3). Hidden classes are
    /// not in it. Written by `link::constraints::enter` only.
    pub dictionary: RwLock<HashMap<Symbol, ClassRef>>,
    /// Every class this loader defined, arrays and hidden classes included.
    pub defined: Mutex<Vec<ClassRef>>,
    /// Every class in the arena, those included whose definition failed.
    pub allocated: Mutex<Vec<ClassRef>>,
    /// The interpreter's inline caches in its classes' code.
    pub receiver_sites: Mutex<Vec<&'static ReceiverSite>>,
    /// Loads in progress: (class name) -> loading thread ids, for circularity checks and for
    /// loaders that are not parallel capable.
    pub placeholders: Mutex<HashMap<Symbol, Vec<Placeholder>>>,
    pub placeholders_changed: Condvar,
    pub packages: RwLock<HashMap<Symbol, PackageRef>>,
    pub modules: RwLock<HashMap<Symbol, ModuleRef>>,
    /// The loader's unnamed module.
    pub unnamed_module: AtomicPtr<Module>,
    pub arena: Arena,
    /// Whether the loader registered as parallel capable.
    pub parallel_capable: bool,
    /// The program may lose it (the JDK's own loaders it cannot): see `heap::unloading`.
    pub unloadable: bool,
    /// The last collection that has met it, if it is unloadable.
    pub kept_in: AtomicU32,
    /// The last collection that has found an address in its memory on a machine stack.
    pub sighted_in: AtomicU32,
    /// Unloadable loaders whose classes this one's have been linked with, by id.
    pub dependencies: Mutex<HashMap<u32, LoaderRef>>,
    /// What the constants and call sites of an unloadable loader's classes refer to.
    pub slots: Table,
    pub id: u32,
}

/// One load in progress.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Placeholder {
    pub thread: u64,
    pub kind: PlaceholderKind,
}

/// What the thread of a placeholder is doing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PlaceholderKind {
    /// Calling `loadClass` of a loader that is not parallel capable.
    Load,
    /// Resolving the superclass or a superinterface of this name.
    Super(Symbol),
}

/// A named or unnamed module (JVMS 5.3.6).
pub struct Module {
    /// `None` for an unnamed module.
    pub name: Option<Symbol>,
    /// The `java.lang.Module`; null until it is known.
    pub object: RootSlot,
    pub loader: LoaderRef,
    pub version: Option<String>,
    pub location: Option<String>,
    pub open: bool,
    /// Reads edges, apart from the universal one to java.base.
    pub reads: RwLock<HashSet<usize>>,
    /// Reads every unnamed module.
    pub reads_all_unnamed: AtomicBool,
    /// `reads` names a module that may be unloaded before this one.
    pub reads_unloadable: AtomicBool,
}

/// A run-time package.
pub struct Package {
    pub name: Symbol,
    pub module: AtomicPtr<Module>,
    /// Bit 0: exported unqualified (or open); bit 1: exported to all unnamed modules.
    pub export_flags: AtomicU32,
    /// Modules it is exported to, by address.
    pub qualified_exports: RwLock<HashSet<usize>>,
    /// `qualified_exports` names a module that may be unloaded before this package.
    pub exports_unloadable: AtomicBool,
    /// At least one class of it has been defined.
    pub defined: AtomicBool,
}

impl Package {
    pub const EXPORTED: u32 = 1;
    pub const EXPORTED_ALL_UNNAMED: u32 = 2;

    pub fn module(&self) -> ModuleRef {
        // SAFETY: set when the package is made; modules live as long as their loader.
        unsafe { &*self.module.load(Ordering::Acquire) }
    }
}

impl Module {
    /// "module java.base" or "unnamed module of loader 'app'".
    pub fn describe(&self) -> String {
        match self.name {
            Some(n) => format!("module {n}"),
            None => format!("unnamed module of loader {}", self.loader.name_and_id()),
        }
    }

    pub fn is_named(&self) -> bool {
        self.name.is_some()
    }

    /// Whether this module reads `other` (java.base is read by all).
    pub fn reads(&self, other: ModuleRef) -> bool {
        if std::ptr::eq(self, other) || !self.is_named() {
            return true;
        }
        if other.name.is_some_and(|n| n == "java.base") {
            return true;
        }
        if !other.is_named() && self.reads_all_unnamed.load(Ordering::Acquire) {
            return true;
        }
        self.reads.read().contains(&(other as *const Module as usize))
    }
}

static BOOT: OnceLock<LoaderRef> = OnceLock::new();
static LOADERS: Mutex<Vec<LoaderRef>> = Mutex::new(Vec::new());
static NEXT_ID: AtomicU32 = AtomicU32::new(0);

/// Whether java.base is defined. Until then no class is in a module: `Class.module` is null, even
/// where the boot loader has an unnamed module already.
pub static JAVA_BASE_DEFINED: AtomicBool = AtomicBool::new(false);

/// The boot loader.
pub fn boot() -> LoaderRef {
    BOOT.get_or_init(|| Loader::create(Oop::NULL, true))
}

/// Every loader alive, boot loader first.
pub fn all() -> Vec<LoaderRef> {
    LOADERS.lock().clone()
}

/// Takes those loaders off the list of all that are `dead`; in a pause.
pub(crate) fn remove(dead: impl Fn(&Loader) -> bool) -> Vec<LoaderRef> {
    let mut all = LOADERS.lock();
    let (gone, left) = all.iter().copied().partition(|l| dead(l));
    *all = left;
    gone
}

/// Whether loaders of this class are the JDK's own.
fn is_builtin(class: Symbol) -> bool {
    class.as_bytes().starts_with(b"jdk/internal/loader/ClassLoaders$")
}

/// Slots by which a loader's table grows.
const SLOT_CHUNK: usize = 64;

impl Loader {
    /// Makes and registers loader data. `object` is stored in a registered root slot.
    pub fn create(object: Oop, parallel_capable: bool) -> LoaderRef {
        let unloadable = object.non_null().is_some_and(|o| !is_builtin(o.class().name));
        let l = Loader::new(object, parallel_capable, unloadable);
        LOADERS.lock().push(l);
        l
    }

    /// What keeps one hidden class that `loader` defines and does not keep. [`Loader::register`] follows when the
    /// class has a mirror: before that a collection would find it dead.
    pub fn of_hidden_class(loader: LoaderRef) -> LoaderRef {
        let l = Loader::new(Oop::NULL, loader.parallel_capable, true);
        l.depend_on(loader);
        l
    }

    /// Enters a loader of [`Loader::of_hidden_class`] in the list of all.
    pub fn register(&'static self) {
        LOADERS.lock().push(self);
    }

    fn new(object: Oop, parallel_capable: bool, unloadable: bool) -> LoaderRef {
        let l: LoaderRef = Box::leak(Box::new(Loader {
            object: RootSlot::new(object),
            dictionary: RwLock::default(),
            defined: Mutex::default(),
            allocated: Mutex::default(),
            receiver_sites: Mutex::default(),
            placeholders: Mutex::default(),
            placeholders_changed: Condvar::new(),
            packages: RwLock::default(),
            modules: RwLock::default(),
            unnamed_module: AtomicPtr::new(std::ptr::null_mut()),
            arena: Arena::default(),
            parallel_capable,
            unloadable,
            kept_in: AtomicU32::new(0),
            sighted_in: AtomicU32::new(0),
            dependencies: Mutex::default(),
            slots: Table::new(SLOT_CHUNK),
            id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
        }));
        if unloadable {
            let tag = l as *const Loader as usize;
            l.arena.set_tag(tag);
            l.slots.set_tag(tag);
        }
        l
    }

    /// The unloadable loader in whose memory `address` lies: that of a class, method, field or root slot of it.
    #[inline]
    pub fn owning(address: usize) -> Option<LoaderRef> {
        // SAFETY: loaders tag their arenas with their address, and are freed after these.
        unsafe { (metaspace::owner(address) as *const Loader).as_ref() }
    }

    /// Frees the loader with the metadata of its classes.
    ///
    /// # Safety
    /// It is not in the list of all, and nothing refers to it, to a class of it or to what belongs to one.
    pub unsafe fn free(&'static self) {
        for &c in self.allocated.lock().iter() {
            for &m in c.methods.iter().chain(c.synthetic_methods.get().into_iter().flatten()) {
                m.free();
            }
            std::ptr::drop_in_place(c as *const Class as *mut Class);
        }
        for &p in self.packages.read().values() {
            drop(Box::from_raw(p as *const Package as *mut Package));
        }
        let unnamed = self.unnamed_module.load(Ordering::Acquire) as *const Module;
        let named: Vec<*const Module> = self.modules.read().values().map(|&m| m as *const Module).collect();
        for m in named.into_iter().filter(|&m| m != unnamed).chain((!unnamed.is_null()).then_some(unnamed)) {
            drop(Box::from_raw(m as *mut Module));
        }
        drop(Box::from_raw(self as *const Loader as *mut Loader));
    }

    /// Records that classes of this loader have been linked with one of `other`'s: they keep it.
    pub fn depend_on(&self, other: LoaderRef) {
        if other.unloadable && !std::ptr::eq(self, other) {
            self.dependencies.lock().insert(other.id, other);
        }
    }

    pub fn is_boot(&self) -> bool {
        self.object.get().is_null()
    }

    /// The class of this name that this loader is recorded as initiating loader of.
    pub fn find(&self, name: Symbol) -> Option<ClassRef> {
        self.dictionary.read().get(&name).copied()
    }

    /// The unnamed module; made on first use.
    pub fn unnamed_module(&'static self) -> ModuleRef {
        let p = self.unnamed_module.load(Ordering::Acquire);
        if !p.is_null() {
            // SAFETY: set once, lives as long as the loader.
            return unsafe { &*p };
        }
        let fresh = Box::into_raw(Box::new(Module {
            name: None,
            object: RootSlot::new(Oop::NULL),
            loader: self,
            version: None,
            location: None,
            open: true,
            reads: RwLock::default(),
            reads_all_unnamed: AtomicBool::new(true),
            reads_unloadable: AtomicBool::new(false),
        }));
        match self.unnamed_module.compare_exchange(
            std::ptr::null_mut(),
            fresh,
            Ordering::AcqRel,
            Ordering::Acquire,
        ) {
            // SAFETY: published by us, or the winner's (ours is unshared and freed).
            Ok(_) => unsafe { &*fresh },
            Err(first) => unsafe {
                drop(Box::from_raw(fresh));
                &*first
            },
        }
    }

    /// The package of this name, made (in the unnamed module) if it is not there.
    pub fn package(&'static self, name: Symbol) -> PackageRef {
        if let Some(p) = self.packages.read().get(&name) {
            return p;
        }
        let module = self.unnamed_module() as *const Module as *mut Module;
        let mut packages = self.packages.write();
        packages.entry(name).or_insert_with(|| {
            Box::leak(Box::new(Package {
                name,
                module: AtomicPtr::new(module),
                export_flags: AtomicU32::new(Package::EXPORTED),
                qualified_exports: RwLock::default(),
                exports_unloadable: AtomicBool::new(false),
                defined: AtomicBool::new(false),
            }))
        })
    }

    /// Records a class this loader defined.
    pub fn add_defined(&self, class: ClassRef) {
        self.defined.lock().push(class)
    }

    /// Calls `f` for every class that any loader defined.
    pub fn for_each_class(mut f: impl FnMut(ClassRef)) {
        for l in all() {
            let classes: Vec<&'static Class> = l.defined.lock().clone();
            classes.into_iter().for_each(&mut f);
        }
    }
}
