//! What compiled code takes for granted of the program as loaded so far. Linking a class checks it, and so does
//! setting a call site's target.

use crate::heap::roots::RootSlot;
use crate::meta::class::ClassRef;
use crate::meta::method::MethodRef;

/// An object that a compile knows, by the slot that keeps it.
#[derive(Clone, Copy)]
pub struct KnownObject(pub &'static RootSlot);

impl PartialEq for KnownObject {
    fn eq(&self, other: &KnownObject) -> bool {
        std::ptr::eq(self.0, other.0)
    }
}

impl Eq for KnownObject {}

impl std::fmt::Debug for KnownObject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "object in slot {:#x}", self.0.address())
    }
}

/// One assumption. Code that made it must be given up as soon as it does not hold any more.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Dependency {
    /// The class has no subclass.
    LeafClass(ClassRef),
    /// Of the instances of `class` and its subclasses (for an interface: of its implementors), those that
    /// respond to `resolved` all do so by `target`.
    UniqueConcreteMethod { class: ClassRef, resolved: MethodRef, target: MethodRef },
    /// Apart from subclasses of it, `implementor` alone implements the interface.
    UniqueImplementor { interface: ClassRef, implementor: ClassRef },
    /// Of the abstract class only `subclass` and its subclasses have instances.
    UniqueConcreteSubclass { class: ClassRef, subclass: ClassRef },
    /// Neither the class nor any subclass has a finalizer.
    NoFinalizableSubclasses(ClassRef),
    /// The target of the mutable call site `object` is `target`. `site`: its number, from
    /// `code::dependencies::call_site_number`.
    CallSiteTarget { site: u64, object: KnownObject, target: KnownObject },
}

impl Dependency {
    /// Calls `f` with the address of each class, method and root slot that it names.
    pub fn metadata(&self, mut f: impl FnMut(usize)) {
        let class = |c: ClassRef| c.word() as usize;
        let method = |m: MethodRef| m as *const _ as usize;
        match *self {
            Dependency::LeafClass(c) | Dependency::NoFinalizableSubclasses(c) => f(class(c)),
            Dependency::UniqueConcreteMethod { class: c, resolved, target } => {
                f(class(c));
                f(method(resolved));
                f(method(target));
            }
            Dependency::UniqueImplementor { interface, implementor } => {
                f(class(interface));
                f(class(implementor));
            }
            Dependency::UniqueConcreteSubclass { class: c, subclass } => {
                f(class(c));
                f(class(subclass));
            }
            Dependency::CallSiteTarget { object, target, .. } => {
                f(object.0.address());
                f(target.0.address());
            }
        }
    }
}

/// The assumptions of one compile, each once, in the order they were made.
#[derive(Clone, Default, Debug, PartialEq)]
pub struct Dependencies(Vec<Dependency>);

impl Dependencies {
    pub fn add(&mut self, d: Dependency) {
        if !self.0.contains(&d) {
            self.0.push(d)
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = &Dependency> {
        self.0.iter()
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
