//! What compiled code takes for granted of the program as loaded so far. Linking a class checks it.

use crate::meta::class::ClassRef;
use crate::meta::method::MethodRef;

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
