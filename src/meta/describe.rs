//! How messages describe classes: module, loader (HotSpot's `class_in_module_of_loader`).

use super::class::{Class, ClassRef};
use super::loader::{Loader, ModuleRef};
use crate::heap::access::load_ref;
use crate::heap::strings;
use crate::meta::well_known::KnownField;

impl Loader {
    /// `'app'`, `'platform'`, `'bootstrap'`, `'name' @hash` or `pkg.Class @hash`, as the class
    /// library computed it (`ClassLoader.nameAndId`), or the loader's class before it did.
    pub fn name_and_id(&self) -> String {
        let object = self.object.get();
        if object.is_null() {
            return "'bootstrap'".to_string();
        }
        match load_ref(object, KnownField::LoaderNameAndId.offset()).non_null() {
            Some(s) => strings::to_rust(s),
            None => object.class().external_name(),
        }
    }

    /// What `class+load` lines show for a class that came without a source.
    pub fn source_for_log(&self) -> String {
        let object = self.object.get();
        if object.is_null() {
            "__JVM_DefineClass__".to_string()
        } else {
            object.class().external_name()
        }
    }

    /// One of the three loaders of the JDK itself.
    pub fn is_builtin(&self) -> bool {
        let object = self.object.get();
        object.is_null()
            || matches!(
                object.class().name.as_bytes(),
                b"jdk/internal/loader/ClassLoaders$AppClassLoader"
                    | b"jdk/internal/loader/ClassLoaders$PlatformClassLoader"
            )
    }
}

impl Class {
    /// "class", "abstract class" or "interface".
    pub fn kind_text(&self) -> &'static str {
        if self.is_interface() {
            "interface"
        } else if self.is_abstract() {
            "abstract class"
        } else {
            "class"
        }
    }

    /// Module of the class, for arrays that of the bottom element (java.base for primitives).
    pub fn effective_module(&'static self) -> Option<ModuleRef> {
        self.bottom_class().module()
    }

    /// "java.lang.String is in module java.base of loader 'bootstrap'". With `use_are`: "are in";
    /// with `include_parent`: ", parent loader …" for loaders that are not the JDK's own.
    pub fn in_module_of_loader(&'static self, use_are: bool, include_parent: bool) -> String {
        let bottom = self.bottom_class();
        let mut out = self.external_name();
        out.push_str(if use_are { " are in " } else { " is in " });
        match bottom.module() {
            _ if bottom.is_array() => out.push_str("module java.base"),
            Some(m) if m.is_named() => {
                out.push_str("module ");
                out.push_str(&m.name.expect("named").to_text());
                if let Some(v) = m.version.as_deref().filter(|_| !is_jdk_module(m)) {
                    out.push('@');
                    out.push_str(v);
                }
            }
            None if self.loader.is_boot() => out.push_str("module java.base"),
            _ => out.push_str("unnamed module"),
        }
        out.push_str(" of loader ");
        out.push_str(&bottom.loader.name_and_id());
        if include_parent && !bottom.loader.is_builtin() {
            out.push_str(", parent loader ");
            let parent = load_ref(bottom.loader.object.get(), KnownField::LoaderParent.offset());
            match parent.non_null() {
                None => out.push_str("'bootstrap'"),
                Some(p) => match load_ref(p, KnownField::LoaderNameAndId.offset()).non_null() {
                    Some(s) => out.push_str(&strings::to_rust(s)),
                    None => out.push_str(&p.class().external_name()),
                },
            }
        }
        out
    }

    /// "A and B are in …" for two classes of one module.
    pub fn joint_in_module_of_loader(&'static self, other: ClassRef) -> String {
        format!("{} and {}", self.external_name(), other.in_module_of_loader(true, false))
    }

    /// "A and B are in …", or "A is in …; B is in …" where the modules differ.
    pub fn with_in_modules(&'static self, other: ClassRef) -> String {
        let (a, b) = (self.effective_module(), other.effective_module());
        let same = match (a, b) {
            (Some(a), Some(b)) => std::ptr::eq(a, b),
            (None, None) => true,
            _ => false,
        };
        if same {
            self.joint_in_module_of_loader(other)
        } else {
            format!("{}; {}", self.in_module_of_loader(false, false), other.in_module_of_loader(false, false))
        }
    }
}

/// Messages leave out the version of the JDK's own modules.
fn is_jdk_module(m: ModuleRef) -> bool {
    let java_base_location = m.location.as_deref().is_some_and(|l| l.starts_with("jrt:/java."));
    java_base_location || m.location.as_deref().is_some_and(|l| l.starts_with("jrt:/jdk."))
}
