//! The classes around the one being verified, as class files: what the linker is in the VM.

use std::collections::HashMap;
use std::rc::Rc;

use jvm::classfile::{self, access, ParseOptions};
use jvm::verify::VerifyEnv;

/// Where a class comes from: classes of the same package from different loaders are strangers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Loader {
    Boot,
    Lib,
    Case,
}

/// What the verifier can ask about a class.
pub struct Class {
    loader: Loader,
    name: Vec<u8>,
    superclass: Option<Vec<u8>>,
    interfaces: Vec<Vec<u8>>,
    is_interface: bool,
    fields: Vec<Member>,
    methods: Vec<Member>,
}

struct Member {
    access: u16,
    name: Vec<u8>,
    descriptor: Vec<u8>,
}

impl Class {
    /// What `file` says.
    pub fn new(loader: Loader, file: &classfile::ClassFile) -> Self {
        let members = |members: &[classfile::MemberInfo]| {
            let member = |member: &classfile::MemberInfo| Member {
                access: member.access_flags,
                name: member.name.to_vec(),
                descriptor: member.descriptor.to_vec(),
            };
            members.iter().map(member).collect()
        };
        Class {
            loader,
            name: file.name().to_vec(),
            superclass: file.super_name().map(<[u8]>::to_vec),
            interfaces: file.interface_names().map(<[u8]>::to_vec).collect(),
            is_interface: file.is_interface(),
            fields: members(&file.fields),
            methods: members(&file.methods),
        }
    }

    fn package(&self) -> &[u8] {
        let end = self.name.iter().rposition(|&byte| byte == b'/').unwrap_or(0);
        &self.name[..end]
    }

    fn declares<'c>(members: &'c [Member], name: &[u8], descriptor: &[u8]) -> Option<&'c Member> {
        members.iter().find(|member| member.name == name && member.descriptor == descriptor)
    }
}

/// All classes but the one being verified, found when asked for.
pub struct Hierarchy<'f> {
    find: Box<dyn FnMut(&[u8]) -> Option<(Loader, Vec<u8>)> + 'f>,
    classes: HashMap<Vec<u8>, Option<Rc<Class>>>,
}

impl<'f> Hierarchy<'f> {
    /// Classes whose class files `find` finds by name.
    pub fn new(find: impl FnMut(&[u8]) -> Option<(Loader, Vec<u8>)> + 'f) -> Self {
        Hierarchy { find: Box::new(find), classes: HashMap::new() }
    }

    fn get(&mut self, name: &[u8]) -> Option<Rc<Class>> {
        if let Some(class) = self.classes.get(name) {
            return class.clone();
        }
        let class = (self.find)(name).map(|(loader, bytes)| {
            let options = ParseOptions { check_format: false, ..ParseOptions::default() };
            let file = classfile::parse(&bytes, &options).expect("a class file around the test's");
            Rc::new(Class::new(loader, &file))
        });
        self.classes.insert(name.to_vec(), class.clone());
        class
    }
}

/// The environment of the verification of one class.
pub struct Env<'h, 'f> {
    hierarchy: &'h mut Hierarchy<'f>,
    class: Rc<Class>,
    /// Names of the classes asked for that were not loaded before, in order.
    pub loads: Vec<Vec<u8>>,
}

/// The class that is not there.
#[derive(Debug, PartialEq, Eq)]
pub struct NotFound(pub String);

impl<'h, 'f> Env<'h, 'f> {
    /// Of the verification of `class`.
    pub fn new(hierarchy: &'h mut Hierarchy<'f>, class: Class) -> Self {
        Env { hierarchy, class: Rc::new(class), loads: Vec::new() }
    }

    fn find(&mut self, name: &[u8]) -> Result<Rc<Class>, NotFound> {
        if name == self.class.name {
            return Ok(self.class.clone());
        }
        let known = self.class.superclass.as_deref() == Some(name)
            || self.class.interfaces.iter().any(|interface| interface == name)
            || self.loads.iter().any(|load| load == name);
        if !known {
            self.loads.push(name.to_vec());
        }
        self.hierarchy.get(name).ok_or_else(|| NotFound(String::from_utf8_lossy(name).into_owned()))
    }

    fn superclass(&mut self, class: &Class) -> Option<Rc<Class>> {
        class.superclass.as_ref().and_then(|name| self.hierarchy.get(name))
    }

    fn is_subclass(&mut self, class: &Rc<Class>, ancestor: &Rc<Class>) -> bool {
        let mut class = class.clone();
        loop {
            if class.name == ancestor.name && class.loader == ancestor.loader {
                return true;
            }
            match self.superclass(&class) {
                Some(superclass) => class = superclass,
                None => return false,
            }
        }
    }

    /// Field lookup (JVMS 5.4.3.2): the class that declares it and the flags.
    fn field(
        &mut self,
        class: &Rc<Class>,
        name: &[u8],
        descriptor: &[u8],
    ) -> Option<(Rc<Class>, u16)> {
        if let Some(field) = Class::declares(&class.fields, name, descriptor) {
            return Some((class.clone(), field.access));
        }
        for interface in &class.interfaces {
            if let Some(interface) = self.hierarchy.get(interface) {
                if let Some(found) = self.field(&interface, name, descriptor) {
                    return Some(found);
                }
            }
        }
        let superclass = self.superclass(class)?;
        self.field(&superclass, name, descriptor)
    }

    fn is_restricted(&self, holder: &Class, flags: u16) -> bool {
        let same_package =
            holder.loader == self.class.loader && holder.package() == self.class.package();
        flags & access::ACC_PROTECTED != 0 && !same_package
    }
}

impl VerifyEnv for Env<'_, '_> {
    type Error = NotFound;

    fn load(&mut self, name: &[u8]) -> Result<(), NotFound> {
        self.find(name).map(|_| ())
    }

    fn is_assignable(
        &mut self,
        from: &[u8],
        to: &[u8],
        protected_access: bool,
    ) -> Result<bool, NotFound> {
        let from_array = from[0] == b'[';
        assert!(from != to && to[0] != b'[' && to != b"java/lang/Object", "asked without need");
        let target = self.find(to)?;
        if target.is_interface && !(protected_access && from == b"java/lang/Object") {
            return Ok(!from_array
                || to == b"java/lang/Cloneable"
                || to == b"java/io/Serializable");
        }
        if from_array {
            return Ok(false);
        }
        let class = self.find(from)?;
        Ok(self.is_subclass(&class, &target))
    }

    fn is_superclass_name(&mut self, name: &[u8]) -> bool {
        let mut class = self.class.clone();
        while let Some(superclass) = self.superclass(&class) {
            if superclass.name == name {
                return true;
            }
            class = superclass;
        }
        false
    }

    fn is_protected_field(
        &mut self,
        class: &[u8],
        name: &[u8],
        descriptor: &[u8],
    ) -> Result<bool, NotFound> {
        let class = self.find(class)?;
        let found = self.field(&class, name, descriptor);
        Ok(found.is_some_and(|(holder, flags)| self.is_restricted(&holder, flags)))
    }

    fn is_protected_method(
        &mut self,
        class: &[u8],
        name: &[u8],
        descriptor: &[u8],
    ) -> Result<bool, NotFound> {
        let mut class = self.find(class)?;
        loop {
            if let Some(method) = Class::declares(&class.methods, name, descriptor) {
                return Ok(self.is_restricted(&class, method.access));
            }
            match self.superclass(&class) {
                Some(superclass) => class = superclass,
                None => return Ok(false),
            }
        }
    }
}
