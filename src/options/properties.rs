//! The system properties that the VM hands to the class library.

use std::ffi::{OsStr, OsString};

/// One property.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Property {
    pub key: String,
    /// In the platform's encoding, as it came from the command line.
    pub value: OsString,
    /// Not shown to Java code through `System.getProperty`: it is read by the boot code only.
    pub internal: bool,
    /// Whether a later option may replace the value.
    pub writeable: bool,
}

/// The properties in the order in which they were first set.
#[derive(Clone, Default, Debug)]
pub struct Properties {
    list: Vec<Property>,
}

/// Properties `jdk.module.X` that only the module options may set.
const RESERVED: [&str; 9] = [
    "addexports",
    "addopens",
    "addreads",
    "patch",
    "addmods",
    "limitmods",
    "path",
    "upgrade.path",
    "enable.native.access",
];

/// Whether `text`, a key or a whole definition, names a property reserved for module options.
pub(super) fn is_reserved(text: &str) -> bool {
    let Some(suffix) = text.strip_prefix("jdk.module.") else { return false };
    RESERVED.iter().any(|name| {
        suffix
            .strip_prefix(name)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(['=', '.']))
    })
}

impl Properties {
    /// All properties, internal ones included.
    pub fn iter(&self) -> impl Iterator<Item = &Property> {
        self.list.iter()
    }

    /// The value of `key`.
    pub fn get(&self, key: &str) -> Option<&OsStr> {
        self.list.iter().find(|p| p.key == key).map(|p| p.value.as_os_str())
    }

    /// Appends a property, or replaces the value of the one with that key if it is writeable; a
    /// property that is not stays as it is, silently, as in HotSpot.
    pub fn set(&mut self, key: &str, value: impl Into<OsString>, writeable: bool, internal: bool) {
        let value = value.into();
        match self.list.iter_mut().find(|p| p.key == key) {
            Some(property) if property.writeable => property.value = value,
            Some(_) => {}
            None => {
                let key = key.to_string();
                self.list.push(Property { key, value, internal, writeable });
            }
        }
    }

    /// Appends to a path-valued property after a colon, or sets it.
    pub fn append_path(&mut self, key: &str, value: &OsStr, internal: bool) {
        match self.list.iter_mut().find(|p| p.key == key) {
            Some(property) if !property.value.is_empty() => {
                property.value.push(":");
                property.value.push(value);
            }
            Some(property) => property.value = value.to_os_string(),
            None => self.set(key, value, true, internal),
        }
    }
}

impl Properties {
    /// Gives a property of the VM's own its value (`java.vm.version`, `java.vm.vendor`,
    /// `java.vm.info`), whatever the command line says.
    pub fn define(&mut self, key: &str, value: impl Into<OsString>) {
        let value = value.into();
        match self.list.iter_mut().find(|p| p.key == key) {
            Some(property) => property.value = value,
            None => self.set(key, value, false, false),
        }
    }

    /// Gives a property its value unless the command line did (`java.home`, `java.library.path`).
    pub fn define_default(&mut self, key: &str, value: impl Into<OsString>) {
        match self.list.iter_mut().find(|p| p.key == key) {
            Some(property) if property.value.is_empty() => property.value = value.into(),
            Some(_) => {}
            None => self.set(key, value, true, false),
        }
    }
}
