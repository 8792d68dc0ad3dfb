//! The run-time class (JVMS 5.3), HotSpot's `Klass`.
//!
//! A `Class` lies in metaspace, below 4 GiB; its address is the class word of its instances'
//! headers. The first fields, the vtable and the itable (both directly behind the struct) are
//! read by machine code and have fixed offsets.

use super::constants::RuntimeConstantPool;
use super::field::FieldRef;
use super::loader::{LoaderRef, ModuleRef, PackageRef};
use super::method::{Method, MethodRef};
use super::symbol::Symbol;
use crate::classfile::ClassFile;
use crate::heap::layout::{align_object, BasicType, Oop};
use crate::heap::roots::RootSlot;
use parking_lot::{Condvar, Mutex};
use std::sync::atomic::{AtomicPtr, AtomicU16, AtomicU32, AtomicU64, AtomicU8, Ordering};
use std::sync::OnceLock;

/// A class. `'static` by convention: it lives until its loader is unloaded, which cannot
/// happen while its mirror, an instance or a frame of one of its methods is reachable.
pub type ClassRef = &'static Class;

/// What the collector must know to visit an instance.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum InstanceKind {
    /// Fields as the oop maps say.
    Plain = 0,
    /// `java.lang.Class`: size and static reference fields are the mirror's own.
    Mirror = 1,
    /// A subclass of `java.lang.ref.Reference`: `referent` and `discovered` are not strong.
    Reference = 2,
    /// `java.lang.ClassLoader` or a subclass: keeps its classes alive.
    ClassLoader = 3,
    /// An array of references.
    ObjectArray = 4,
    /// An array of primitives.
    PrimitiveArray = 5,
}

/// Which `java.lang.ref` class a Reference class descends from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum ReferenceKind {
    None = 0,
    Soft = 1,
    Weak = 2,
    Final = 3,
    Phantom = 4,
}

/// Progress of loading, linking and initialization (JVMS 5.5); ordered.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[repr(u8)]
pub enum ClassState {
    Loaded = 0,
    Linking = 1,
    Linked = 2,
    BeingInitialized = 3,
    Initialized = 4,
    Erroneous = 5,
}

/// A run of consecutive narrow reference fields in an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OopMapBlock {
    /// Byte offset of the first.
    pub offset: u32,
    /// How many.
    pub count: u32,
}

/// Depth of the primary supers display; deeper classes and interfaces are secondary.
pub const PRIMARY_SUPERS: usize = 8;

/// `Class::layout` of an array class has this bit.
pub const LAYOUT_ARRAY: u32 = 1 << 31;
/// ... and this one if the elements are references.
pub const LAYOUT_OBJECT_ARRAY: u32 = 1 << 30;
/// Instances cannot be made by the fast path (abstract, or needs a finalizer registered,
/// or `java.lang.Class`).
pub const LAYOUT_SLOW: u32 = 1;

/// Internal class flags.
pub mod class_flags {
    /// Hidden class (JEP 371).
    pub const HIDDEN: u32 = 1 << 0;
    /// Instances have a non-trivial `finalize()`.
    pub const HAS_FINALIZER: u32 = 1 << 1;
    /// Declares or inherits default (non-abstract, non-static interface) methods.
    pub const HAS_DEFAULTS: u32 = 1 << 2;
    /// Declares non-static non-abstract interface methods itself.
    pub const DECLARES_DEFAULTS: u32 = 1 << 3;
    /// Defined with `STRONG` hidden-class option or ordinary: kept by its loader.
    pub const STRONG: u32 = 1 << 4;
    /// `@ValueBased`.
    pub const VALUE_BASED: u32 = 1 << 5;
    /// The class was verified, or needs no verification.
    pub const VERIFIED: u32 = 1 << 6;
    /// Subject to relaxed access: `jdk.internal.reflect.MagicAccessorImpl` subclasses.
    pub const MAGIC_ACCESSOR: u32 = 1 << 7;
    /// `Cloneable` is implemented: `Object.clone` may copy.
    pub const CLONEABLE: u32 = 1 << 8;
    /// Its loader is gone, and it is about to be freed. It has no mirror.
    pub const UNLOADED: u32 = 1 << 9;
}

/// The initialization lock and owner (JVMS 5.5 steps 1 to 12).
#[derive(Default)]
pub struct InitLock {
    /// Who links the class (thread id in the low 48 bits, recursion above), or 0; its mutex
    /// guards every state change.
    pub owner: Mutex<u64>,
    /// Thread that runs the initializer, or 0.
    pub thread: AtomicU64,
    /// Signalled when initialization ends.
    pub changed: Condvar,
}

/// See the module comment.
#[repr(C)]
pub struct Class {
    // ---- read by machine code and the collector: fixed offsets, see `offsets`
    /// Instance size in bytes (| LAYOUT_SLOW), or LAYOUT_ARRAY | ... | log2 element << 8 | base.
    pub layout: u32,
    /// Byte offset, within `Class`, of the word to compare for a subtype check against this
    /// class: in its display for a primary class, `secondary_super_cache` otherwise.
    pub super_check_offset: u32,
    /// Last secondary super found (class word).
    pub secondary_super_cache: AtomicU32,
    /// Depth in the class hierarchy if primary (Object is 0).
    pub depth: u32,
    /// Class words of the first supers, self included, by depth.
    pub primary_supers: [u32; PRIMARY_SUPERS],
    /// Progress; see [`Class::state`].
    pub state: AtomicU8,
    pub instance_kind: InstanceKind,
    pub reference_kind: ReferenceKind,
    /// Element type of an array class; Void otherwise.
    pub element_type: BasicType,
    /// Internal flags, `class_flags`.
    pub flags: AtomicU32,
    /// The mirror, an instance of `java.lang.Class`; pinned, so its address is constant.
    pub mirror: RootSlot,
    /// Entries of the vtable that follows the struct.
    pub vtable_length: u32,
    /// Words (u64) of the itable that follows the vtable.
    pub itable_words: u32,
    // ---- the rest is for Rust code only
    /// Access flags of the class file (for arrays: those JVMS gives them).
    pub access_flags: u16,
    /// Access flags as reflection shows them (InnerClasses attribute applied).
    pub modifiers: AtomicU16,
    /// Binary name with slashes; for arrays the descriptor.
    pub name: Symbol,
    pub super_class: Option<ClassRef>,
    /// Direct superinterfaces.
    pub interfaces: Box<[ClassRef]>,
    /// All superinterfaces, without duplicates, and for arrays the secondary supers.
    pub secondary_supers: OnceLock<Box<[ClassRef]>>,
    /// The defining loader.
    pub loader: LoaderRef,
    /// What the class is unloaded with: its loader, but for a hidden class that is not strong.
    pub kept_by: LoaderRef,
    /// Null for arrays of primitives until modules are set; read through [`Class::module`].
    pub module: AtomicPtr<super::loader::Module>,
    pub package: Option<PackageRef>,
    /// The class file this was defined from; `None` for arrays.
    pub class_file: Option<Box<ClassFile<'static>>>,
    pub constants: RuntimeConstantPool,
    /// Declared fields, in class-file order, then injected ones.
    pub fields: Box<[FieldRef]>,
    /// Declared methods in class-file order. VM-made ones are in `synthetic_methods`.
    pub methods: Box<[MethodRef]>,
    /// Declared methods sorted by (name address, descriptor address), for lookup.
    pub method_index: Box<[MethodRef]>,
    /// Overpass methods: default-method conflicts and missing implementations (JVMS 5.4.6).
    pub synthetic_methods: OnceLock<Box<[MethodRef]>>,
    /// Instance reference fields, inherited ones included.
    pub oop_maps: Box<[OopMapBlock]>,
    /// Bytes of an instance up to the end of its fields, unaligned: where subclasses go on.
    pub fields_end: u32,
    /// Static reference fields in the mirror come first, this many.
    pub static_reference_count: u32,
    /// Size of the mirror in bytes.
    pub mirror_bytes: u32,
    /// For an array class: the type of its elements, `None` for primitives.
    pub component: Option<ClassRef>,
    /// The array class whose elements are this class (or array); made on demand.
    pub array_class: AtomicPtr<Class>,
    pub init: InitLock,
    /// Why linking or initialization failed: root slot of the Throwable or null.
    pub init_error: RootSlot,
    /// Nest host as resolved (JVMS 5.4.4), or injected for hidden classes.
    pub nest_host: AtomicPtr<Class>,
    /// Why the nest host that the class file names was not accepted, for error messages.
    pub nest_host_error: OnceLock<String>,
    /// Direct subclasses and (for interfaces) direct implementors, for class-hierarchy analysis.
    pub subclasses: Mutex<Vec<ClassRef>>,
    /// Serial number in order of definition.
    pub id: u32,
    /// Where the class came from: "jrt:/java.base", "file:/…", or empty; for class+load logging.
    pub source: OnceLock<String>,
    /// Bumped by class redefinition.
    pub redefinition_count: AtomicU32,
    /// Slot for data that a later part of the VM attaches (compiler dependencies).
    pub dependencies: AtomicU64,
}

// SAFETY: shared mutable parts are atomics, locks or once-cells; the rest is set before
// the class is published.
unsafe impl Sync for Class {}
unsafe impl Send for Class {}

/// Offsets for machine code.
pub mod offsets {
    use super::Class;
    use std::mem::offset_of;

    pub const LAYOUT: usize = offset_of!(Class, layout);
    pub const SUPER_CHECK_OFFSET: usize = offset_of!(Class, super_check_offset);
    pub const SECONDARY_SUPER_CACHE: usize = offset_of!(Class, secondary_super_cache);
    pub const PRIMARY_SUPERS: usize = offset_of!(Class, primary_supers);
    pub const STATE: usize = offset_of!(Class, state);
    pub const FLAGS: usize = offset_of!(Class, flags);
    /// Component class of an array class, 0 for none (`Option<ClassRef>`).
    pub const COMPONENT: usize = offset_of!(Class, component);
    /// Entry 0 of the vtable: `*const Method`, 8 bytes each.
    pub const VTABLE: usize = (std::mem::size_of::<Class>() + 7) & !7;
    pub const VTABLE_LENGTH: usize = offset_of!(Class, vtable_length);
    pub const ITABLE_WORDS: usize = offset_of!(Class, itable_words);
}

impl Class {
    /// The class word of instances: this class's address.
    #[inline(always)]
    pub fn word(&self) -> u32 {
        self as *const Class as usize as u32
    }

    /// The class that a class word denotes.
    ///
    /// # Safety
    /// `word` must come from [`Class::word`] of a class still loaded.
    #[inline(always)]
    pub unsafe fn from_word(word: u32) -> ClassRef {
        &*(word as usize as *const Class)
    }

    /// Current state.
    #[inline(always)]
    pub fn state(&self) -> ClassState {
        // SAFETY: only values of ClassState are stored.
        unsafe { std::mem::transmute::<u8, ClassState>(self.state.load(Ordering::Acquire)) }
    }

    /// Publishes a new state.
    pub fn set_state(&self, state: ClassState) {
        self.state.store(state as u8, Ordering::Release)
    }

    /// Id of the thread that runs the initializer, 0 if none does.
    pub fn initializing_thread(&self) -> u64 {
        self.init.thread.load(Ordering::Acquire)
    }

    pub fn set_initializing_thread(&self, id: u64) {
        self.init.thread.store(id, Ordering::Release)
    }

    /// Fully initialized (not: being initialized by this thread).
    #[inline(always)]
    pub fn is_initialized(&self) -> bool {
        self.state.load(Ordering::Acquire) == ClassState::Initialized as u8
    }

    pub fn is_linked(&self) -> bool {
        let s = self.state();
        s >= ClassState::Linked && s != ClassState::Erroneous
    }

    #[inline(always)]
    pub fn is_array(&self) -> bool {
        self.layout & LAYOUT_ARRAY != 0
    }

    #[inline(always)]
    pub fn is_object_array(&self) -> bool {
        self.layout & (LAYOUT_ARRAY | LAYOUT_OBJECT_ARRAY) == LAYOUT_ARRAY | LAYOUT_OBJECT_ARRAY
    }

    #[inline(always)]
    pub fn is_primitive_array(&self) -> bool {
        self.layout & (LAYOUT_ARRAY | LAYOUT_OBJECT_ARRAY) == LAYOUT_ARRAY
    }

    #[inline(always)]
    pub fn is_interface(&self) -> bool {
        self.access_flags & crate::classfile::access::ACC_INTERFACE != 0
    }

    pub fn is_abstract(&self) -> bool {
        self.access_flags & crate::classfile::access::ACC_ABSTRACT != 0
    }

    pub fn is_final(&self) -> bool {
        self.access_flags & crate::classfile::access::ACC_FINAL != 0
    }

    pub fn is_public(&self) -> bool {
        self.access_flags & crate::classfile::access::ACC_PUBLIC != 0
    }

    #[inline(always)]
    pub fn has_flag(&self, flag: u32) -> bool {
        self.flags.load(Ordering::Relaxed) & flag != 0
    }

    pub fn set_flag(&self, flag: u32) {
        self.flags.fetch_or(flag, Ordering::Relaxed);
    }

    pub fn is_hidden(&self) -> bool {
        self.has_flag(class_flags::HIDDEN)
    }

    /// Bytes of an instance (not for arrays or mirrors).
    #[inline(always)]
    pub fn instance_bytes(&self) -> usize {
        debug_assert!(!self.is_array());
        (self.layout & !7) as usize
    }

    /// Offset of element 0 of instances of this array class.
    #[inline(always)]
    pub fn array_base(&self) -> usize {
        (self.layout & 0xff) as usize
    }

    /// log2 of the element size of this array class.
    #[inline(always)]
    pub fn array_log2(&self) -> u32 {
        (self.layout >> 8) & 0xff
    }

    /// `layout` for an array of `element`.
    pub const fn array_layout(element: BasicType) -> u32 {
        let reference = if element.is_reference() { LAYOUT_OBJECT_ARRAY } else { 0 };
        LAYOUT_ARRAY | reference | element.log2_bytes() << 8 | element.array_base() as u32
    }

    /// Heap bytes of an array of this class with `length` elements.
    #[inline(always)]
    pub fn array_bytes(&self, length: usize) -> usize {
        align_object(self.array_base() + (length << self.array_log2()))
    }

    /// Subtype test (JVMS 6.5.instanceof), self included.
    #[inline(always)]
    pub fn is_subclass_of(&self, other: &Class) -> bool {
        if std::ptr::eq(self, other) {
            return true;
        }
        let off = other.super_check_offset as usize;
        // SAFETY: super_check_offset is the offset of a u32 within Class.
        let word = unsafe { *((self as *const Class as usize + off) as *const u32) };
        if word == other.word() {
            return true;
        }
        off == offsets::SECONDARY_SUPER_CACHE && self.search_secondary(other)
    }

    #[cold]
    fn search_secondary(&self, other: &Class) -> bool {
        let found = self
            .secondary_supers
            .get()
            .is_some_and(|s| s.iter().any(|c| std::ptr::eq(*c, other)));
        if found {
            self.secondary_super_cache.store(other.word(), Ordering::Relaxed);
        }
        found
    }

    /// The mirror (null only before `java.lang.Class` is loaded).
    #[inline(always)]
    pub fn mirror(&self) -> Oop {
        self.mirror.get()
    }

    /// vtable entry `index`.
    #[inline(always)]
    pub fn vtable(&self, index: usize) -> MethodRef {
        debug_assert!(index < self.vtable_length as usize);
        // SAFETY: entries are set before the class is published.
        unsafe { &*self.vtable_slot(index).load(Ordering::Relaxed) }
    }

    /// The vtable entry as a cell, to build it.
    pub fn vtable_slot(&self, index: usize) -> &AtomicPtr<Method> {
        assert!(index < self.vtable_length as usize);
        // SAFETY: within the table allocated behind the struct.
        unsafe { &*((self as *const Class as usize + offsets::VTABLE + index * 8) as *const AtomicPtr<Method>) }
    }

    /// The itable: pairs (interface address, byte offset from this class of its methods),
    /// ended by a zero pair; then the method pointers.
    pub fn itable(&self) -> *mut u64 {
        (self as *const Class as usize + offsets::VTABLE + self.vtable_length as usize * 8) as *mut u64
    }

    /// The implementation of `interface`'s method with itable index `index`, if this class
    /// implements the interface. A null entry (no implementation) is `Some(None)`.
    pub fn itable_lookup(&self, interface: &Class, index: usize) -> Option<Option<MethodRef>> {
        let mut p = self.itable() as *const u64;
        // SAFETY: the table is well formed and ended by a zero pair.
        unsafe {
            if self.itable_words == 0 {
                return None;
            }
            loop {
                let i = *p;
                if i == 0 {
                    return None;
                }
                if i == interface as *const Class as usize as u64 {
                    let base = (self as *const Class as usize + *p.add(1) as usize) as *const *const Method;
                    return Some((*base.add(index)).as_ref());
                }
                p = p.add(2);
            }
        }
    }

    /// The module, once the module system has been started for the loader.
    pub fn module(&self) -> Option<ModuleRef> {
        // SAFETY: null or a module that its loader keeps.
        unsafe { self.module.load(Ordering::Acquire).as_ref() }
    }

    /// The innermost element class of an array of references, else self.
    pub fn bottom_class(&'static self) -> ClassRef {
        let mut c = self;
        while let Some(e) = c.component {
            c = e;
        }
        c
    }

    /// Declared method with this name and descriptor; the first in the class file where several
    /// are there, which is so only without verification.
    pub fn find_declared(&self, name: Symbol, descriptor: Symbol) -> Option<MethodRef> {
        let key = (name.address(), descriptor.address());
        let first = self.method_index.partition_point(|m| (m.name.address(), m.descriptor.address()) < key);
        self.method_index.get(first).filter(|m| m.name == name && m.descriptor == descriptor).copied()
    }

    /// Declared field with this name and descriptor (injected fields are never found).
    pub fn find_declared_field(&self, name: Symbol, descriptor: Symbol) -> Option<FieldRef> {
        self.fields
            .iter()
            .find(|f| f.name == name && f.descriptor == descriptor && !f.injected)
            .copied()
    }

    /// All superinterfaces without duplicates.
    pub fn all_interfaces(&self) -> impl Iterator<Item = ClassRef> + '_ {
        self.secondary_supers
            .get()
            .map_or(&[][..], |b| b)
            .iter()
            .copied()
            .filter(|c| c.is_interface())
    }

    /// Same run-time package (JVMS 5.3): same defining loader and package name.
    pub fn is_same_package(&self, other: &Class) -> bool {
        std::ptr::eq(self.loader, other.loader) && self.package_name() == other.package_name()
    }

    /// The package part of the name ("java/lang"), empty for the unnamed package; for arrays
    /// that of the bottom element.
    pub fn package_name(&self) -> &'static [u8] {
        let mut n = self.name.as_bytes();
        if n.first() == Some(&b'[') {
            let dims = n.iter().take_while(|&&b| b == b'[').count();
            if n.get(dims) != Some(&b'L') {
                return b"";
            }
            n = &n[dims + 1..n.len() - 1];
        }
        n.iter().rposition(|&b| b == b'/').map_or(b"", |i| &n[..i])
    }

    /// Whether the name is that of a hidden class, or of an array of one (which is not hidden).
    pub fn has_hidden_name(&self) -> bool {
        self.component.map_or(self.is_hidden(), |c| c.bottom_class().is_hidden())
    }

    /// The name as `Class.getName` and messages show it: dots for slashes; for a hidden class
    /// the last separator stays a slash.
    pub fn external_name(&self) -> String {
        if self.has_hidden_name() {
            let n = self.name.to_text().into_owned();
            return match n.rfind('+').or_else(|| n.rfind('/')) {
                Some(i) => format!("{}/{}", n[..i].replace('/', "."), &n[i + 1..]),
                None => n,
            };
        }
        self.name.dotted()
    }

    /// The array class whose elements are this class, if it has been made.
    pub fn array_class_if_made(&self) -> Option<ClassRef> {
        // SAFETY: null or an array class, which lives as long as its component.
        unsafe { self.array_class.load(Ordering::Acquire).as_ref() }
    }

    /// The class file, which only arrays lack.
    pub fn file(&self) -> &ClassFile<'static> {
        self.class_file.as_ref().expect("array classes have no class file")
    }
}

impl PartialEq for Class {
    fn eq(&self, other: &Class) -> bool {
        std::ptr::eq(self, other)
    }
}
impl Eq for Class {}
impl std::hash::Hash for Class {
    fn hash<H: std::hash::Hasher>(&self, h: &mut H) {
        h.write_usize(self as *const Class as usize)
    }
}
impl std::fmt::Debug for Class {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.external_name())
    }
}
impl std::fmt::Display for Class {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.external_name())
    }
}
