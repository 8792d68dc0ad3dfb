//! What the boot loader searches: the run-time image, in each module after what `--patch-module`
//! names for it, then what `-Xbootclasspath/a` names.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::ops::Deref;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::RwLock;

use super::directory::Directory;
use super::error::ClassPathError;
use super::jar::Jar;
use super::jimage::JImage;

/// The module that everything depends on. It is looked in first.
const JAVA_BASE: &str = "java.base";

/// An element of `-Xbootclasspath/a` or `--patch-module`.
#[derive(Debug)]
enum Element {
    Jar(Jar),
    Directory(Directory),
}

impl Element {
    fn open(path: &Path) -> Result<Element, ClassPathError> {
        let metadata = std::fs::metadata(path).map_err(|error| ClassPathError::io(path, error))?;
        if metadata.is_dir() {
            Ok(Element::Directory(Directory::new(path)))
        } else {
            Ok(Element::Jar(Jar::open(path)?))
        }
    }

    fn path(&self) -> &Path {
        match self {
            Element::Jar(jar) => jar.path(),
            Element::Directory(directory) => directory.path(),
        }
    }

    fn find(&self, name: &[u8]) -> Result<Option<Vec<u8>>, ClassPathError> {
        match self {
            Element::Jar(jar) => jar.find(name),
            Element::Directory(directory) => directory.find(name),
        }
    }
}

/// Where something was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin<'p> {
    /// In the run-time image, in this module.
    Module(&'p str),
    /// In this jar or directory, which `--patch-module` puts before a module.
    Patch(PathBuf),
    /// In this element of `-Xbootclasspath/a`, which counts from 0: the boot loader's unnamed
    /// module.
    Appended {
        /// Position among the elements.
        index: usize,
        /// The jar or directory.
        path: PathBuf,
    },
}

/// A class or resource that was found.
#[derive(Clone, Debug)]
pub struct Found<'p> {
    /// The contents, borrowed from the image where possible.
    pub bytes: Cow<'p, [u8]>,
    /// Where they are from.
    pub origin: Origin<'p>,
}

impl Deref for Found<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

/// The elements of a path, separated by colons; empty ones are left out.
fn elements(path: &OsStr) -> Vec<&Path> {
    let parts = path.as_bytes().split(|&byte| byte == b':');
    parts.filter(|part| !part.is_empty()).map(|part| Path::new(OsStr::from_bytes(part))).collect()
}

/// The boot loader's search path.
#[derive(Debug)]
pub struct BootPath {
    image: JImage,
    // An agent may append while others search.
    appended: RwLock<Vec<Arc<Element>>>,
    /// Modules with what patches them.
    patches: Vec<(String, Vec<Element>)>,
}

impl BootPath {
    /// Opens `lib/modules` of the JDK at `java_home`, and the elements of `append`, separated by
    /// colons, that `-Xbootclasspath/a` gave. As with HotSpot, elements that do not exist or are no
    /// jar are left out.
    ///
    /// # Errors
    /// When the run-time image cannot be read.
    pub fn open(java_home: &Path, append: Option<&OsStr>) -> Result<BootPath, ClassPathError> {
        let image = JImage::open(&java_home.join("lib").join("modules"))?;
        let path = BootPath { image, appended: RwLock::new(Vec::new()), patches: Vec::new() };
        for element in append.map_or(Vec::new(), elements) {
            if let Err(error) = path.append(element) {
                log::warn!("-Xbootclasspath/a: {error}");
            }
        }
        Ok(path)
    }

    /// Appends a jar or directory, as an agent may while the program runs.
    ///
    /// # Errors
    /// When there is nothing at `element` or it is no jar.
    pub fn append(&self, element: &Path) -> Result<(), ClassPathError> {
        self.appended.write().push(Arc::new(Element::open(element)?));
        Ok(())
    }

    /// Has `path`, elements separated by colons, searched before `module` (`--patch-module`). As
    /// with HotSpot, elements that do not exist or are no jar are left out.
    pub fn patch(&mut self, module: &str, path: &OsStr) {
        let open = |element: &Path| {
            let opened = Element::open(element);
            opened.inspect_err(|error| log::warn!("--patch-module {module}: {error}")).ok()
        };
        let found = elements(path).into_iter().filter_map(open).collect();
        self.patches.push((module.to_string(), found));
    }

    /// The class with the internal name `name` from what patches `module`.
    fn find_patch(&self, module: &str, name: &[u8]) -> Result<Option<Found<'_>>, ClassPathError> {
        for element in self.patches.iter().filter(|(of, _)| of == module).flat_map(|(_, elements)| elements) {
            if let Some(bytes) = element.find(&[name, b".class"].concat())? {
                let origin = Origin::Patch(element.path().to_owned());
                return Ok(Some(Found { bytes: Cow::Owned(bytes), origin }));
            }
        }
        Ok(None)
    }

    /// The run-time image.
    pub fn image(&self) -> &JImage {
        &self.image
    }

    /// The jars and directories appended, in order.
    pub fn appended_paths(&self) -> Vec<PathBuf> {
        self.appended.read().iter().map(|element| element.path().to_owned()).collect()
    }

    /// The class with the internal name `name` (`java/lang/Object`, modified UTF-8), from whichever
    /// module of the image has its package, or else from what is appended. That module may be one
    /// that other loaders define: the caller knows which, and uses
    /// [`BootPath::find_class_appended`] then.
    ///
    /// # Errors
    /// When the image or a jar is damaged.
    pub fn find_class(&self, name: &[u8]) -> Result<Option<Found<'_>>, ClassPathError> {
        if let Some(found) = self.find_class_in_module(JAVA_BASE, name)? {
            return Ok(Some(found));
        }
        if let Some(slash) = name.iter().rposition(|&byte| byte == b'/') {
            if let Some(module) = self.image.package_bytes_to_module(&name[..slash])? {
                if let Some(found) = self.find_class_in_module(module, name)? {
                    return Ok(Some(found));
                }
            }
        }
        self.find_class_appended(name)
    }

    /// The class with the internal name `name` from `module` of the image, or what patches it.
    ///
    /// # Errors
    /// When the image or a jar is damaged.
    pub fn find_class_in_module<'p>(
        &'p self,
        module: &'p str,
        name: &[u8],
    ) -> Result<Option<Found<'p>>, ClassPathError> {
        if let Some(found) = self.find_patch(module, name)? {
            return Ok(Some(found));
        }
        let found = self.image.find_class(module, name)?;
        Ok(found.map(|bytes| Found { bytes, origin: Origin::Module(module) }))
    }

    /// The class with the internal name `name` from what is appended alone.
    ///
    /// # Errors
    /// When a jar is damaged.
    pub fn find_class_appended(&self, name: &[u8]) -> Result<Option<Found<'_>>, ClassPathError> {
        if self.appended.read().is_empty() {
            return Ok(None);
        }
        self.find_appended(&[name, b".class"].concat())
    }

    /// The resource `name` (`java/lang/Object.class`) in the image or what is appended.
    ///
    /// # Errors
    /// When the image or a jar is damaged.
    pub fn find_resource(&self, name: &str) -> Result<Option<Found<'_>>, ClassPathError> {
        let package = name.rsplit_once('/').map(|(package, _)| package);
        let module = match package {
            Some(package) => self.image.package_to_module(package)?,
            None => None,
        };
        for module in [Some(JAVA_BASE), module].into_iter().flatten() {
            if let Some(bytes) = self.image.find_resource(module, name)? {
                return Ok(Some(Found { bytes, origin: Origin::Module(module) }));
            }
        }
        self.find_appended(name.as_bytes())
    }

    fn find_appended(&self, name: &[u8]) -> Result<Option<Found<'_>>, ClassPathError> {
        // Not locked while reading: an element may be on a slow disk.
        let elements = self.appended.read().clone();
        for (index, element) in elements.iter().enumerate() {
            if let Some(bytes) = element.find(name)? {
                let origin = Origin::Appended { index, path: element.path().to_owned() };
                return Ok(Some(Found { bytes: Cow::Owned(bytes), origin }));
            }
        }
        Ok(None)
    }
}
