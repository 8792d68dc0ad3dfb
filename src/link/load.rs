//! Finding and loading classes by name (JVMS 5.3).

use crate::exceptions::VmResult;
use crate::heap::layout::{BasicType, Oop};
use crate::meta::class::ClassRef;
use crate::meta::loader::LoaderRef;
use crate::meta::symbol::Symbol;
use crate::threads::JavaThread;

/// The class or array class `name` (binary name with slashes, or array descriptor) as
/// `loader` finds it, loaded if need be. Throws NoClassDefFoundError-free: the raw
/// ClassNotFoundException of `loadClass`, or for the boot loader ClassNotFoundException too;
/// resolution (`link::resolve`) turns it into NoClassDefFoundError.
pub fn load_class(_t: &JavaThread, _loader: LoaderRef, _name: Symbol) -> VmResult<ClassRef> {
    unimplemented!("link::load::load_class")
}

/// The class if `loader` is already recorded as an initiating loader (arrays included).
pub fn find_loaded(_t: &JavaThread, _loader: LoaderRef, _name: Symbol) -> VmResult<Option<ClassRef>> {
    unimplemented!("link::load::find_loaded")
}

/// The array class with elements of `component`.
pub fn array_class(_t: &JavaThread, _component: ClassRef) -> VmResult<ClassRef> {
    unimplemented!("link::load::array_class")
}

/// The array class of a primitive.
pub fn primitive_array_class(_element: BasicType) -> ClassRef {
    unimplemented!("link::load::primitive_array_class")
}

/// The mirror of a primitive type or void.
pub fn primitive_mirror(_t: BasicType) -> Oop {
    unimplemented!("link::load::primitive_mirror")
}

/// What a mirror stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MirrorOf {
    Class(ClassRef),
    Primitive(BasicType),
}

/// The class or primitive type of a `java.lang.Class` object.
pub fn mirror_to_class(_mirror: Oop) -> MirrorOf {
    unimplemented!("link::load::mirror_to_class")
}

/// The VM's loader data of a `ClassLoader` object (null: the boot loader), made if it is new.
pub fn loader_of(_t: &JavaThread, _loader_object: Oop) -> LoaderRef {
    unimplemented!("link::load::loader_of")
}

/// How a class is defined.
pub struct DefineOptions<'a> {
    pub protection_domain: Oop,
    pub source: Option<&'a str>,
    /// Hidden class: `Some` with its options.
    pub hidden: Option<HiddenOptions>,
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
    _t: &JavaThread,
    _loader: LoaderRef,
    _name: Option<Symbol>,
    _bytes: &[u8],
    _options: DefineOptions<'_>,
) -> VmResult<ClassRef> {
    unimplemented!("link::load::define_class")
}
