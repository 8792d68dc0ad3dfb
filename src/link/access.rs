//! Access control (JVMS 5.4.4), with the module system's readability and exports.

use crate::classfile::access::{ACC_PRIVATE, ACC_PROTECTED, ACC_PUBLIC, ACC_STATIC};
use crate::exceptions::VmResult;
use crate::meta::class::{class_flags, ClassRef};
use crate::meta::loader::{LoaderRef, ModuleRef, Package};
use crate::meta::symbol::Symbol;
use crate::threads::{monitor, JavaThread};
use crate::heap::access::load_ref;
use crate::heap::layout::Oop;
use crate::heap::strings;
use crate::meta::well_known::KnownField;
use std::sync::atomic::Ordering;

/// Whether one class may refer to another, or why not.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ClassAccess {
    Ok,
    ModuleNotReadable,
    TypeNotExported,
    /// Not public and in another package.
    NotVisible,
}

/// The JDK's platform class loader.
pub fn is_platform_loader(l: LoaderRef) -> bool {
    let o = l.object.get();
    !o.is_null() && o.class().name == "jdk/internal/loader/ClassLoaders$PlatformClassLoader"
}

/// Whether `from`'s package system lets it see `package` of module `to`.
fn is_exported(package: &Package, to: ModuleRef, from: ModuleRef) -> bool {
    if !to.is_named() || to.open {
        return true;
    }
    let flags = package.export_flags.load(Ordering::Acquire);
    if flags & Package::EXPORTED != 0 {
        return true;
    }
    if !from.is_named() && flags & Package::EXPORTED_ALL_UNNAMED != 0 {
        return true;
    }
    package.qualified_exports.read().contains(&(from as *const _ as usize))
}

/// Class access check (JVMS 5.4.4). `classloader_only` skips the same-package test's
/// non-public case, as reflection's quick check wants.
pub fn class_access(from: ClassRef, to: ClassRef, classloader_only: bool) -> ClassAccess {
    let to = to.bottom_class();
    if std::ptr::eq(from, to) || to.is_array() || (classloader_only && std::ptr::eq(from.loader, to.loader)) {
        return ClassAccess::Ok;
    }
    if from.is_same_package(to) {
        return ClassAccess::Ok;
    }
    if to.is_public() {
        let (Some(mf), Some(mt)) = (from.module(), to.module()) else {
            // Before the module graph stands everything is java.base's.
            return ClassAccess::Ok;
        };
        if std::ptr::eq(mf, mt) {
            return ClassAccess::Ok;
        }
        if !mf.reads(mt) {
            return relax(from, ClassAccess::ModuleNotReadable);
        }
        let Some(package) = to.package else { return ClassAccess::Ok };
        if !is_exported(package, mt, mf) {
            return relax(from, ClassAccess::TypeNotExported);
        }
        return ClassAccess::Ok;
    }
    relax(from, ClassAccess::NotVisible)
}

fn relax(from: ClassRef, verdict: ClassAccess) -> ClassAccess {
    if from.has_flag(class_flags::MAGIC_ACCESSOR) {
        ClassAccess::Ok
    } else {
        verdict
    }
}

/// HotSpot's `Reflection::verify_class_access_msg`: `None` if the modules do not explain it.
pub fn class_access_message(t: &JavaThread, from: ClassRef, to: ClassRef, verdict: ClassAccess) -> Option<String> {
    let to = to.bottom_class();
    let (mf, mt) = (from.module()?, to.module()?);
    let hash = |m: ModuleRef| format!("0x{:x}", monitor::identity_hash(t, m.object.get()));
    let name = |m: ModuleRef| m.name.map_or_else(|| "unnamed module".to_string(), |n| n.to_text().into_owned());
    match verdict {
        ClassAccess::ModuleNotReadable if mt.is_named() => Some(format!(
            "class {from} (in module {0}) cannot access class {to} (in module {1}) because module {0} does not read module {1}",
            name(mf),
            name(mt)
        )),
        ClassAccess::ModuleNotReadable => Some(format!(
            "class {from} (in module {0}) cannot access class {to} (in unnamed module @{1}) because module {0} does not read unnamed module @{1}",
            name(mf),
            hash(mt)
        )),
        ClassAccess::TypeNotExported => {
            let package = String::from_utf8_lossy(to.package_name()).replace('/', ".");
            Some(if mf.is_named() {
                format!(
                    "class {from} (in module {0}) cannot access class {to} (in module {1}) because module {1} does not export {package} to module {0}",
                    name(mf),
                    name(mt)
                )
            } else {
                format!(
                    "class {from} (in unnamed module @{0}) cannot access class {to} (in module {1}) because module {1} does not export {package} to unnamed module @{0}",
                    hash(mf),
                    name(mt)
                )
            })
        }
        _ => None,
    }
}

/// Why `named` is not the nest host of `class`, which names it (JVMS 5.4.4).
fn refuse_host(class: ClassRef, named: ClassRef) -> Option<&'static str> {
    let Some(file) = named.class_file.as_ref().filter(|_| class.is_same_package(named)) else {
        return Some(if class.is_same_package(named) { "host is not an instance class" } else { "types are in different packages" });
    };
    let list = file.attributes.nest_members.as_deref().unwrap_or(&[]);
    let member = list.iter().any(|&i| named.constants.class_name(i) == class.name);
    (!member).then_some("current type is not listed as a nest member")
}

/// Class and message of an exception.
fn describe(throwable: Oop) -> String {
    let class = throwable.class().external_name();
    match load_ref(throwable, KnownField::ThrowableDetailMessage.offset()).non_null() {
        Some(message) => format!("{class}: {}", strings::to_rust(message)),
        None => class,
    }
}

/// What is added to the message when access to a private member is refused and a nest host that
/// one of the classes names was not accepted.
pub fn nest_host_errors(from: ClassRef, to: ClassRef) -> String {
    let errors: Vec<&str> = [from, to].iter().filter_map(|c| c.nest_host_error.get()).map(String::as_str).collect();
    if errors.is_empty() { String::new() } else { format!(", ({})", errors.join(", ")) }
}

/// The nest host of `class` (JVMS 5.4.4): itself if it names none or the named one does not
/// agree. Linkage problems of the host class are no errors: the class is then its own host.
pub fn nest_host(t: &JavaThread, class: ClassRef) -> VmResult<ClassRef> {
    // SAFETY: null, or a class that is kept by `class`'s loader.
    if let Some(h) = unsafe { class.nest_host.load(Ordering::Acquire).as_ref() } {
        return Ok(h);
    }
    let mut host = class;
    if let Some(index) = class.class_file.as_ref().and_then(|f| f.attributes.nest_host) {
        match super::resolve::class(t, class, index) {
            Ok(named) => match refuse_host(class, named) {
                None => host = named,
                Some(why) => {
                    let text = format!(
                        "Type {class} (loader: {}) is not a nest member of type {named} (loader: {}): {why}",
                        class.loader.name_and_id(),
                        named.loader.name_and_id()
                    );
                    class.nest_host_error.get_or_init(|| text);
                }
            },
            Err(thrown) => {
                let e = t.exception.get().class();
                if e.is_subclass_of(crate::meta::well_known::Known::VirtualMachineError.get()) {
                    return Err(thrown);
                }
                let thrown = describe(t.take_exception());
                let named = class.constants.class_name(index);
                let text = format!("Nest host resolution of {class} with host {named} failed: {thrown}");
                class.nest_host_error.get_or_init(|| text);
            }
        }
    }
    class.nest_host.store(host as *const _ as *mut _, Ordering::Release);
    Ok(host)
}

/// Same nest (private access).
pub fn are_nestmates(t: &JavaThread, a: ClassRef, b: ClassRef) -> VmResult<bool> {
    Ok(std::ptr::eq(a, b) || std::ptr::eq(nest_host(t, a)?, nest_host(t, b)?))
}

/// Member access (JVMS 5.4.4). `resolved` is the class named in the reference, `holder`
/// declares the member; for protected members `resolved` must be related to `from`.
pub fn member_access(
    t: &JavaThread,
    from: ClassRef,
    resolved: ClassRef,
    holder: ClassRef,
    flags: u16,
    protected_restriction: bool,
) -> VmResult<bool> {
    if flags & ACC_PUBLIC != 0 || std::ptr::eq(from, holder) {
        return Ok(true);
    }
    if flags & ACC_PROTECTED != 0 {
        if !protected_restriction && from.is_subclass_of(holder) && !from.is_interface() {
            let related = flags & ACC_STATIC != 0
                || std::ptr::eq(from, resolved)
                || resolved.is_subclass_of(from)
                || from.is_subclass_of(resolved);
            if related {
                return Ok(true);
            }
        }
        // Arrays make Object's protected clone public.
        if resolved.is_array() {
            return Ok(true);
        }
    }
    if flags & ACC_PRIVATE == 0 && from.is_same_package(holder) {
        return Ok(true);
    }
    if flags & ACC_PRIVATE != 0 && are_nestmates(t, from, holder)? {
        return Ok(true);
    }
    Ok(from.has_flag(class_flags::MAGIC_ACCESSOR) || access_is_relaxed(from, holder))
}

/// `-XX:+RelaxAccessControlCheck`: members of old classes that are not verified are open to such
/// classes of the same loader and protection domain.
fn access_is_relaxed(from: ClassRef, holder: ClassRef) -> bool {
    const FIRST_STRICT_VERSION: u16 = 52;
    let old = |c: ClassRef| c.class_file.as_ref().is_some_and(|f| f.major_version < FIRST_STRICT_VERSION);
    let domain = |c: ClassRef| load_ref(c.mirror(), KnownField::ClassProtectionDomain.offset());
    if !crate::vm::get().options.flags.bool("RelaxAccessControlCheck") || !old(from) || !old(holder) {
        return false;
    }
    std::ptr::eq(from.loader, holder.loader) && domain(from) == domain(holder) && is_relaxed_loader(from.loader)
}

/// HotSpot trusts the system loader and its parents here, unless everything is verified.
fn is_relaxed_loader(l: LoaderRef) -> bool {
    let vm = crate::vm::get();
    let o = l.object.get();
    let trusted = !o.is_null() && o.class().name.as_bytes().starts_with(b"jdk/internal/loader/ClassLoaders$");
    !(vm.verify_remote() && (vm.verify_local() || !trusted))
}

/// The name of a package with dots.
pub fn package_text(name: Symbol) -> String {
    name.dotted()
}
