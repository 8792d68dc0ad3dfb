//! The module graph as `java.lang.Module` and `jdk.internal.loader.BootLoader` define it
//! (JVMS 5.3.6): modules, packages, readability, exports.

use super::support::*;
use crate::classfile::is_legal_package_or_module_name;
use crate::exceptions::{throw, VmResult};
use crate::heap::access::{array_ref, load, load_ref, store, store_ref};
use crate::heap::layout::Oop;
use crate::heap::roots::RootSlot;
use crate::heap::strings;
use crate::{jvm_entry, log, log_enabled};
use crate::link::access::is_platform_loader;
use crate::link::load as loading;
use crate::meta::class::ClassRef;
use crate::meta::loader::{boot, Loader, JAVA_BASE_DEFINED, LoaderRef, Module, ModuleRef, Package, PackageRef};
use crate::meta::symbol::Symbol;
use crate::meta::well_known::{Known, KnownField};
use crate::threads::JavaThread;
use parking_lot::{Mutex, RwLock};
use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, Ordering};

const JAVA_BASE: &str = "java.base";
const ILLEGAL_STATE: &str = "java/lang/IllegalStateException";

/// Serializes changes of the graph. Nothing that may stop for a collection happens under it.
static GRAPH: Mutex<()> = Mutex::new(());

/// What a thrown exception says, before there is one: class and text. Made under [`GRAPH`],
/// thrown after.
type Refusal = (&'static str, String);

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn optional_text(string: Oop) -> Option<String> {
    string.non_null().map(strings::to_rust)
}

/// Throws unless the object is a `java.lang.Module`.
fn check_module(t: &JavaThread, module: Oop) -> VmResult<()> {
    if module.class().is_subclass_of(Known::Module.get()) {
        return Ok(());
    }
    illegal_argument(t, Some("module is not an instance of type java.lang.Module"))
}

/// The VM's module of a Module object, `None` if it has not been defined to the VM.
pub fn module_of(t: &JavaThread, object: Oop) -> VmResult<Option<ModuleRef>> {
    check_module(t, object)?;
    let address = load::<u64>(object, KnownField::ModuleModule.offset()) as usize;
    if address != 0 {
        // SAFETY: the field holds the address of a module, which lives as long as its loader,
        // and the object keeps that alive.
        return Ok(Some(unsafe { &*(address as *const Module) }));
    }
    // An unnamed module is tied to its loader when that first comes to the VM.
    let loader = load_ref(object, KnownField::ModuleLoader.offset());
    if load_ref(object, KnownField::ModuleName.offset()).is_null() && !loader.is_null() {
        if load_ref(loader, KnownField::LoaderUnnamedModule.offset()) == object {
            let unnamed = loading::loader_of(t, loader).unnamed_module();
            bind(unnamed, object);
            return Ok(Some(unnamed));
        }
    }
    Ok(None)
}

fn bind(module: ModuleRef, object: Oop) {
    module.object.set(object);
    store::<u64>(object, KnownField::ModuleModule.offset(), module as *const Module as usize as u64);
}

/// A module's exception texts name it so.
fn name_of(m: ModuleRef) -> String {
    m.name.map_or_else(|| "unnamed module".to_string(), |n| n.to_text().into_owned())
}

/// The package names that Java passes, checked.
fn package_names(
    t: &JavaThread,
    packages: Oop,
    module: &str,
    loader: LoaderRef,
) -> VmResult<Vec<Symbol>> {
    let count = packages.non_null().map_or(0, |p| p.array_length());
    let java_is_prohibited = !loader.is_boot() && !is_platform_loader(loader);
    let mut names = Vec::with_capacity(count);
    for i in 0..count {
        let string = array_ref(packages, i);
        if string.is_null() || string.class() != Known::String.get() {
            return illegal_argument(t, Some("Bad package name"));
        }
        let name = internal_name(string);
        if name.is_empty() || name.len() > 65535 || !is_legal_package_or_module_name(&name) {
            let m = format!("Invalid package name: {} for module: {module}", text(&name));
            return illegal_argument(t, Some(&m));
        }
        if java_is_prohibited && (name == b"java" || name.starts_with(b"java/")) {
            let m = format!(
                "Class loader (instance of): {} tried to define prohibited package name: {}",
                loader.name_and_id(),
                text(&name).replace('/', ".")
            );
            return illegal_argument(t, Some(&m));
        }
        names.push(Symbol::intern(&name));
    }
    Ok(names)
}

fn new_module(name: Symbol, object: Oop, loader: LoaderRef, open: bool, version: Oop, location: Oop) -> ModuleRef {
    Box::leak(Box::new(Module {
        name: Some(name),
        object: RootSlot::new(object),
        loader,
        version: optional_text(version),
        location: optional_text(location),
        open,
        reads: RwLock::default(),
        reads_all_unnamed: AtomicBool::new(false),
        reads_unloadable: AtomicBool::new(false),
    }))
}

fn new_package(name: Symbol, module: ModuleRef) -> PackageRef {
    Box::leak(Box::new(Package {
        name,
        module: AtomicPtr::new(module as *const Module as *mut Module),
        export_flags: AtomicU32::new(0),
        qualified_exports: RwLock::new(HashSet::new()),
        exports_unloadable: AtomicBool::new(false),
        defined: AtomicBool::new(false),
    }))
}

/// Defines java.base: its packages so far belong to no named module, nor do the classes.
fn define_java_base(
    t: &JavaThread,
    object: Oop,
    names: &[Symbol],
    version: Oop,
    location: Oop,
) -> VmResult<()> {
    let loader = boot();
    let graph = GRAPH.lock();
    let name = Symbol::of(JAVA_BASE);
    if loader.modules.read().contains_key(&name) {
        drop(graph);
        return Err(throw(t, "java/lang/InternalError", Some("Module java.base is already defined".into())));
    }
    let module = new_module(name, object, loader, false, version, location);
    let stray = {
        let mut packages = loader.packages.write();
        let stray = packages.keys().find(|p| !names.contains(p)).copied();
        for &n in names {
            match packages.get(&n) {
                Some(p) => {
                    p.module.store(module as *const Module as *mut Module, Ordering::Release);
                    p.export_flags.store(0, Ordering::Release);
                }
                None => {
                    packages.insert(n, new_package(n, module));
                }
            }
        }
        stray
    };
    if let Some(p) = stray {
        crate::vm_out!("Error occurred during initialization of VM\n");
        crate::vm_out!("A non-java.base package was loaded prior to module system initialization: {p}\n");
        crate::os::console::exit(1);
    }
    loader.modules.write().insert(name, module);
    bind(module, object);
    JAVA_BASE_DEFINED.store(true, Ordering::Release);
    drop(graph);
    let mut classes: Vec<ClassRef> = Vec::new();
    Loader::for_each_class(|c| classes.push(c));
    for c in classes {
        if c.module().is_none_or(|m| !m.is_named()) && c.loader.is_boot() {
            c.module.store(module as *const Module as *mut Module, Ordering::Release);
        }
        if let Some(mirror) = c.mirror().non_null() {
            store_ref(t, mirror, KnownField::ClassModule.offset(), object);
        }
    }
    for slot in loading::primitive_mirror_slots() {
        if let Some(mirror) = slot.get().non_null() {
            store_ref(t, mirror, KnownField::ClassModule.offset(), object);
        }
    }
    log_defined(module, names);
    Ok(())
}

/// What HotSpot logs of a definition.
fn log_defined(module: ModuleRef, packages: &[Symbol]) {
    if !log_enabled!(Info, [module, load]) && !log_enabled!(Debug, [module]) {
        return;
    }
    let name = name_of(module);
    let (location, version) = (module.location.as_deref().unwrap_or("NULL"), module.version.as_deref().unwrap_or("NULL"));
    log!(Info, [module, load], "{name} location: {location}");
    let count = packages.len();
    let function = if name == JAVA_BASE { "define_javabase_module" } else { "define_module" };
    if name == JAVA_BASE {
        log!(
            Debug,
            [module],
            "{function}(): Definition of module: {name}, version: {version}, location: {location}, package #: {count}"
        );
    } else {
        let loader = module.loader;
        let of = match loader.object.get().non_null() {
            Some(o) => format!("for instance a '{}'{{{:#018x}}}", o.class().name, o.address()),
            None => "of 'bootstrap'".into(),
        };
        log!(
            Debug,
            [module],
            "{function}(): creation of module: {name}, version: {version}, location: {location}, \
             loader data: {loader:p} {of}, package #: {count}"
        );
    }
    for package in packages {
        log!(Trace, [module], "{function}(): creation of package {package} for module {name}");
    }
}

/// Whether modules of `of` may be unloaded while modules of `user` are there: another loader's, unless that is one of the
/// JDK's own or the system class loader, which live for ever.
fn may_go_before(of: LoaderRef, user: LoaderRef) -> bool {
    let is_system_loader = || {
        let class_loader = Known::ClassLoader.get().mirror();
        load_ref(class_loader, KnownField::LoaderSystem.offset()) == of.object.get()
    };
    !std::ptr::eq(of, user) && !of.is_builtin() && !is_system_loader()
}

/// Notes that `from` reads a module of `loader`: a list that names what may be unloaded is one to clean up.
fn note_read(from: ModuleRef, loader: LoaderRef) {
    if may_go_before(loader, from.loader) && !from.reads_unloadable.swap(true, Ordering::AcqRel) {
        log!(
            Trace,
            [module],
            "ModuleEntry::set_read_walk_required(): module {} reads list must be walked",
            name_of(from)
        );
    }
}

/// The same for a package that is exported to a module of `loader`.
fn note_export(package: PackageRef, loader: LoaderRef) {
    let module = package.module();
    if may_go_before(loader, module.loader) && !package.exports_unloadable.swap(true, Ordering::AcqRel) {
        log!(
            Trace,
            [module],
            "PackageEntry::set_export_walk_required(): package {} defined in module {}, exports list must be walked",
            package.name,
            name_of(module)
        );
    }
}

/// Loaders have been unloaded: drops their modules from the lists of others. In a pause, when everything that is alive
/// has been found.
pub(crate) fn forget_modules_of(dead: &[LoaderRef]) {
    if dead.is_empty() {
        return;
    }
    let is_dead = |l: LoaderRef| dead.iter().any(|d| std::ptr::eq(*d, l));
    // SAFETY: the lists hold addresses of modules, which are never freed.
    let module_at = |address: usize| unsafe { &*(address as *const Module) };
    for loader in crate::meta::loader::all() {
        let packages: Vec<PackageRef> = loader.packages.read().values().copied().collect();
        for p in packages.into_iter().filter(|p| p.exports_unloadable.load(Ordering::Acquire)) {
            log!(
                Trace,
                [module],
                "PackageEntry::purge_qualified_exports(): package {} defined in module {}, exports list being walked",
                p.name,
                name_of(p.module())
            );
            p.exports_unloadable.store(false, Ordering::Release);
            p.qualified_exports.write().retain(|&m| !is_dead(module_at(m).loader));
            p.qualified_exports.read().iter().for_each(|&m| note_export(p, module_at(m).loader));
        }
        let modules: Vec<ModuleRef> = loader.modules.read().values().copied().collect();
        for m in modules.into_iter().filter(|m| m.reads_unloadable.load(Ordering::Acquire)) {
            log!(Trace, [module], "ModuleEntry::purge_reads(): module {} reads list being walked", name_of(m));
            m.reads_unloadable.store(false, Ordering::Release);
            m.reads.write().retain(|&r| !is_dead(module_at(r).loader));
            m.reads.read().iter().for_each(|&r| note_read(m, module_at(r).loader));
        }
    }
}

/// Enters a module and its packages into its loader's tables.
fn enter_module(
    loader: LoaderRef,
    module: ModuleRef,
    names: &[Symbol],
) -> Result<(), Refusal> {
    let _graph = GRAPH.lock();
    let name = module.name.expect("a named module");
    let mut packages = loader.packages.write();
    let mut modules = loader.modules.write();
    let already = modules.contains_key(&name);
    let taken = names.iter().find_map(|n| packages.get(n).copied());
    if already {
        return Err((ILLEGAL_STATE, format!("Module {name} is already defined")));
    }
    if let Some(p) = taken {
        let owner = p.module();
        let m = match owner.name {
            Some(other) => format!(
                "Package {} for module {name} is already in another module, {other}, defined to the class loader",
                p.name
            ),
            None => format!(
                "Package {} for module {name} is already in the unnamed module defined to the class loader",
                p.name
            ),
        };
        return Err((ILLEGAL_STATE, m));
    }
    modules.insert(name, module);
    for &n in names {
        packages.insert(n, new_package(n, module));
    }
    Ok(())
}

/// Defines a named module; see [`JVM_DefineModule`].
pub(crate) fn define_module(t: &JavaThread, object: Oop, open: bool, version: Oop, location: Oop, packages: Oop) -> VmResult<()> {
    if object.is_null() {
        return Err(throw(t, NULL_POINTER, Some("Null module object".into())));
    }
    check_module(t, object)?;
    let Some(name) = load_ref(object, KnownField::ModuleName.offset()).non_null() else {
        return Err(throw(t, NULL_POINTER, Some("Null module name".into())));
    };
    let name = strings::to_mutf8(name);
    if name.is_empty() || name.len() > 65535 {
        return illegal_argument(t, Some(&format!("Invalid module name: {}", text(&name))));
    }
    let loader_object = load_ref(object, KnownField::ModuleLoader.offset());
    if name == JAVA_BASE.as_bytes() {
        let names = package_names(t, packages, JAVA_BASE, boot())?;
        if !loader_object.is_null() {
            return illegal_argument(t, Some("Class loader must be the boot class loader"));
        }
        return define_java_base(t, object, &names, version, location);
    }
    if !loader_object.is_null() && loader_object.class().is_subclass_of(Known::DelegatingClassLoader.get()) {
        return illegal_argument(t, Some("Class loader is an invalid delegating class loader"));
    }
    let loader = loading::loader_of(t, loader_object);
    let names = package_names(t, packages, &text(&name), loader)?;
    let module = new_module(Symbol::intern(&name), object, loader, open, version, location);
    if let Err((class, m)) = enter_module(loader, module, &names) {
        return Err(throw(t, class, Some(m)));
    }
    bind(module, object);
    log_defined(module, &names);
    Ok(())
}

/// The package called `name` of `module`, or the text that says it is not there.
fn package_of(module: ModuleRef, name: &[u8]) -> Option<PackageRef> {
    let symbol = Symbol::lookup(name)?;
    let found = module.loader.packages.read().get(&symbol).copied();
    found.filter(|p| std::ptr::eq(p.module(), module))
}

/// Exports a package of `from`; `None` for `to`: to everyone.
pub(crate) fn add_exports(t: &JavaThread, from: Oop, package: Oop, to: Option<Oop>) -> VmResult<()> {
    if package.is_null() {
        return Err(throw(t, NULL_POINTER, Some("package is null".into())));
    }
    if from.is_null() {
        return Err(throw(t, NULL_POINTER, Some("from_module is null".into())));
    }
    let Some(from) = module_of(t, from)? else {
        return illegal_argument(t, Some("from_module cannot be found"));
    };
    if !from.is_named() || from.open {
        return Ok(());
    }
    let to = match to {
        None => None,
        Some(o) => match module_of(t, o)? {
            Some(m) => Some(m),
            None => return illegal_argument(t, Some("to_module is invalid")),
        },
    };
    let name = internal_name(package);
    let Some(p) = package_of(from, &name) else {
        let m = format!("Package {} not found in from_module {}", text(&name), name_of(from));
        return illegal_argument(t, Some(&m));
    };
    let _graph = GRAPH.lock();
    match to {
        None => {
            p.export_flags.fetch_or(Package::EXPORTED, Ordering::AcqRel);
            p.qualified_exports.write().clear();
        }
        Some(m) if !std::ptr::eq(m, from) && p.export_flags.load(Ordering::Acquire) & Package::EXPORTED == 0 => {
            note_export(p, m.loader);
            p.qualified_exports.write().insert(m as *const Module as usize);
        }
        Some(_) => {}
    }
    log!(
        Debug,
        [module],
        "add_module_exports(): package {} in module {} is exported to module {}",
        p.name,
        name_of(from),
        to.map_or("NULL".into(), name_of)
    );
    Ok(())
}

/// Exports a package of `from` to the module `to`; see [`JVM_AddModuleExports`].
pub(crate) fn add_exports_to(t: &JavaThread, from: Oop, package: Oop, to: Oop) -> VmResult<()> {
    if to.is_null() {
        return Err(throw(t, NULL_POINTER, Some("to_module is null".into())));
    }
    add_exports(t, from, package, Some(to))
}

/// Exports a package to all unnamed modules; see [`JVM_AddModuleExportsToAllUnnamed`].
pub(crate) fn add_exports_to_unnamed(t: &JavaThread, module: Oop, package: Oop) -> VmResult<()> {
    if module.is_null() {
        return Err(throw(t, NULL_POINTER, Some("module is null".into())));
    }
    if package.is_null() {
        return Err(throw(t, NULL_POINTER, Some("package is null".into())));
    }
    let Some(m) = module_of(t, module)? else {
        return illegal_argument(t, Some("module is invalid"));
    };
    if !m.is_named() || m.open {
        return Ok(());
    }
    let name = internal_name(package);
    let Some(p) = package_of(m, &name) else {
        let text = format!("Package {} not found in module {}", text(&name), name_of(m));
        return illegal_argument(t, Some(&text));
    };
    p.export_flags.fetch_or(Package::EXPORTED_ALL_UNNAMED, Ordering::AcqRel);
    log!(
        Debug,
        [module],
        "add_module_exports_to_all_unnamed(): package {} in module {} is exported to all unnamed modules",
        p.name,
        name_of(m)
    );
    Ok(())
}

/// Makes `from` read `to`, null: every unnamed module; see [`JVM_AddReadsModule`].
pub(crate) fn add_reads(t: &JavaThread, from: Oop, to: Oop) -> VmResult<()> {
    if from.is_null() {
        return Err(throw(t, NULL_POINTER, Some("from_module is null".into())));
    }
    let Some(from) = module_of(t, from)? else {
        return illegal_argument(t, Some("from_module is not valid"));
    };
    let log_edge = |to: Option<ModuleRef>| {
        log!(
            Debug,
            [module],
            "add_reads_module(): Adding read from module {} to module {}",
            name_of(from),
            to.map_or("all unnamed".into(), name_of)
        );
    };
    if to.is_null() {
        log_edge(None);
        if from.is_named() {
            from.reads_all_unnamed.store(true, Ordering::Release);
        }
        return Ok(());
    }
    let Some(to) = module_of(t, to)? else {
        return illegal_argument(t, Some("to_module is invalid"));
    };
    log_edge(Some(to));
    if from.is_named() && !std::ptr::eq(from, to) {
        note_read(from, to.loader);
        from.reads.write().insert(to as *const Module as usize);
    }
    Ok(())
}

jvm_entry! {
    /// `Module.defineModule0`.
    fn JVM_DefineModule(t, module: Oop, open: bool, version: Oop, location: Oop, packages: Oop) -> () {
        define_module(t, module, open, version, location, packages)
    }

    /// `BootLoader.setBootLoaderUnnamedModule0`.
    fn JVM_SetBootLoaderUnnamedModule(t, module: Oop) -> () {
        if module.is_null() {
            return Err(throw(t, NULL_POINTER, Some("Null module object".into())));
        }
        check_module(t, module)?;
        if !load_ref(module, KnownField::ModuleName.offset()).is_null() {
            return illegal_argument(t, Some("boot loader's unnamed module's java.lang.Module has a name"));
        }
        if !load_ref(module, KnownField::ModuleLoader.offset()).is_null() {
            return illegal_argument(t, Some("Class loader must be the boot class loader"));
        }
        log!(Debug, [module], "set_bootloader_unnamed_module(): recording unnamed module for boot loader");
        bind(boot().unnamed_module(), module);
        Ok(())
    }

    /// `Module.addExports0`.
    fn JVM_AddModuleExports(t, from: Oop, package: Oop, to: Oop) -> () {
        add_exports_to(t, from, package, to)
    }

    /// `Module.addExportsToAll0`.
    fn JVM_AddModuleExportsToAll(t, from: Oop, package: Oop) -> () {
        add_exports(t, from, package, None)
    }

    /// `Module.addExportsToAllUnnamed0`.
    fn JVM_AddModuleExportsToAllUnnamed(t, module: Oop, package: Oop) -> () {
        add_exports_to_unnamed(t, module, package)
    }

    /// `Module.addReads0`; a null target is every unnamed module.
    fn JVM_AddReadsModule(t, from: Oop, to: Oop) -> () {
        add_reads(t, from, to)
    }

    /// `jdk.internal.module.ModuleBootstrap` with an archived boot layer. There is no class data
    /// sharing, and `CDS.initializeFromArchive` hands out no archived layer: nobody gets here.
    fn JVM_DefineArchivedModules(t, _platform: Oop, _system: Oop) -> () {
        let m = "archived modules need class data sharing, which Kiln does not have";
        Err(throw(t, "java/lang/InternalError", Some(m.into())))
    }
}
