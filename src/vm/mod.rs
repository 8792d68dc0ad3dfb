//! The virtual machine as a whole: what start-up fixed once, and the boot loader's view of the
//! class path.

pub mod crash;
pub mod shutdown;
pub mod startup;

use crate::classpath::{BootPath, Origin};
use crate::meta::class::ClassRef;
use crate::meta::loader::LoaderRef;
use crate::meta::symbol::Symbol;
use crate::options::Options;
use crate::os::java_home::JdkPaths;
use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::OnceLock;

/// Bytes from address 0 on that are never mapped: accesses through null end there.
pub const NULL_PAGE: usize = 4096;

/// `java.vm.name`; tools look for "OpenJDK" in it.
pub const VM_NAME: &str = "OpenJDK 64-Bit Kiln Server VM";
/// `java.vm.vendor`.
pub const VM_VENDOR: &str = "Kiln";
/// `java.vm.version`.
pub const VM_VERSION: &str = env!("CARGO_PKG_VERSION");

/// The one VM of the process.
pub struct Vm {
    pub options: Options,
    pub paths: JdkPaths,
    pub boot_path: BootPath,
    /// `System.initPhase2` has run: packages belong to modules now.
    module_system_ready: AtomicBool,
    /// `System.initPhase3` has run.
    booted: AtomicBool,
}

static VM: OnceLock<Vm> = OnceLock::new();

/// The VM; panics before `JNI_CreateJavaVM` has come that far.
#[inline]
pub fn get() -> &'static Vm {
    VM.get().expect("the VM has not been created")
}

/// The VM, if it has been created.
pub fn try_get() -> Option<&'static Vm> {
    VM.get()
}

/// A boot class found: its bytes for good, and where they are from.
pub type BootClass = (&'static [u8], String);

impl Vm {
    /// Verify classes of the boot loader (`-XX:+BytecodeVerificationLocal`).
    pub fn verify_local(&self) -> bool {
        self.options.settings.verify_boot_classes
    }

    /// Verify classes of all other loaders (`-XX:-BytecodeVerificationRemote` turns it off).
    pub fn verify_remote(&self) -> bool {
        self.options.settings.verify_other_classes
    }

    /// `--enable-preview`.
    pub fn preview_enabled(&self) -> bool {
        self.options.enable_preview
    }

    pub fn is_module_system_ready(&self) -> bool {
        self.module_system_ready.load(Ordering::Acquire)
    }

    pub fn is_booted(&self) -> bool {
        self.booted.load(Ordering::Acquire)
    }

    /// The run-time image.
    pub fn boot_image(&self) -> &crate::classpath::JImage {
        self.boot_path.image()
    }

    /// Looks for a class file on the boot path. While the module graph is being built, wherever
    /// the image has the package; then in the module that the boot loader has it in, or, if
    /// that is its unnamed one, in what `-Xbootclasspath/a` appends.
    ///
    /// # Errors
    /// The image or an appended jar is corrupt: the text says which and how.
    pub fn find_boot_class(&'static self, boot: LoaderRef, name: Symbol) -> Result<Option<BootClass>, String> {
        let bytes = name.as_bytes();
        let found = if self.is_module_system_ready() {
            let package = bytes.iter().rposition(|&b| b == b'/').map_or(&b""[..], |i| &bytes[..i]);
            let module = Symbol::lookup(package)
                .and_then(|p| boot.packages.read().get(&p).map(|p| p.module()))
                .and_then(|m| m.name);
            match module {
                Some(m) => {
                    let m: &'static str = std::str::from_utf8(m.as_bytes()).map_err(|e| e.to_string())?;
                    self.boot_path.find_class_in_module(m, bytes).map_err(|e| e.to_string())?
                }
                None => self.boot_path.find_class_appended(bytes).map_err(|e| e.to_string())?,
            }
        } else {
            self.boot_path.find_class(bytes).map_err(|e| e.to_string())?
        };
        Ok(found.map(|f| {
            let source = match &f.origin {
                Origin::Module(m) => format!("jrt:/{m}"),
                Origin::Patch(path) | Origin::Appended { path, .. } => path.display().to_string(),
            };
            let bytes: &'static [u8] = match f.bytes {
                Cow::Borrowed(b) => b,
                Cow::Owned(b) => Box::leak(b.into_boxed_slice()),
            };
            (bytes, source)
        }))
    }
}

/// The `class+load` line of a class just published.
pub fn log_class_load(class: ClassRef) {
    match class.source.get() {
        Some(source) => crate::log!(Info, [class, load], "{} source: {}", class, source),
        None => crate::log!(Info, [class, load], "{} source: {}", class, class.loader.source_for_log()),
    }
}
