//! Texts of exceptions that the interpreter throws, as HotSpot words them.

use crate::meta::class::ClassRef;
use crate::meta::loader::Module;

/// The message of a failed cast:
/// `class A cannot be cast to class B (A and B are in module java.base of loader 'bootstrap')`.
pub fn class_cast(from: ClassRef, to: ClassRef) -> String {
    let (a, b) = (from.external_name(), to.external_name());
    let place = if same_place(from, to) {
        joint_place(from, to)
    } else {
        format!("{}; {}", place_of(from), place_of(to))
    };
    format!("class {a} cannot be cast to class {b} ({place})")
}

fn module_of(c: ClassRef) -> Option<&'static Module> {
    c.bottom_class().module()
}

fn same_place(a: ClassRef, b: ClassRef) -> bool {
    match (module_of(a), module_of(b)) {
        (Some(x), Some(y)) => std::ptr::eq(x, y),
        (None, None) => true,
        _ => false,
    }
}

/// "in module java.base of loader 'bootstrap'", "in unnamed module of loader 'app'"; with the
/// module's version where the module is not one of the JDK's.
fn location(c: ClassRef) -> String {
    let loader = c.bottom_class().loader;
    let of_loader = loader.name_and_id();
    match module_of(c) {
        Some(m) if m.is_named() => {
            let version = match &m.version {
                Some(v) if shows_version(m) => format!("@{v}"),
                _ => String::new(),
            };
            let name = m.name.map(|n| n.to_text().into_owned()).unwrap_or_default();
            format!("in module {name}{version} of loader {of_loader}")
        }
        // Before the module system is up every class is java.base's.
        None if loader.is_boot() => format!("in module java.base of loader {of_loader}"),
        _ => format!("in unnamed module of loader {of_loader}"),
    }
}

/// JDK modules' versions go without saying.
fn shows_version(m: &Module) -> bool {
    !m.location.as_deref().is_some_and(|l| l.starts_with("jrt:/java.") || l.starts_with("jrt:/jdk."))
}

fn place_of(c: ClassRef) -> String {
    format!("{} is {}", c.external_name(), location(c))
}

fn joint_place(a: ClassRef, b: ClassRef) -> String {
    format!("{} and {} are {}", a.external_name(), b.external_name(), location(a))
}
