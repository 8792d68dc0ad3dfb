//! Where the JDK is that this `libjvm.so` serves.
//!
//! In a JDK (`target/image`) the library is `<home>/lib/server/libjvm.so`, and the home follows from the
//! library's own real path, as in HotSpot. Run by the `kiln` launcher it lies outside any JDK, and the
//! launcher says where the JDK is through [`FROM_LAUNCHER`].

use std::ffi::{c_void, CStr, OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// The environment variable in which the `kiln` launcher passes the JDK's home directory.
pub const FROM_LAUNCHER: &str = "_KILN_JAVA_HOME";

/// The properties of the system that depend on where the JDK is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JdkPaths {
    /// `java.home`, all symbolic links resolved.
    pub java_home: PathBuf,
    /// `sun.boot.library.path`: the directory of `libjava.so` and the other natives.
    pub boot_library_path: PathBuf,
    /// `java.library.path`: `LD_LIBRARY_PATH`, then the system's directories.
    pub library_path: OsString,
}

/// Finds the JDK, and removes [`FROM_LAUNCHER`] from the environment so that neither Java code nor the
/// processes that it starts see it. To be called once, from `JNI_CreateJavaVM`, before any other thread
/// of ours exists.
///
/// # Errors
/// When this library is in no JDK and no launcher said where one is.
pub fn find() -> Result<JdkPaths, String> {
    let libjvm = own_path()?;
    let from_launcher = std::env::var_os(FROM_LAUNCHER);
    std::env::remove_var(FROM_LAUNCHER);
    let java_home = home_of(&libjvm, from_launcher.as_deref())?;
    Ok(JdkPaths {
        boot_library_path: java_home.join("lib"),
        java_home,
        library_path: library_path(std::env::var_os("LD_LIBRARY_PATH").as_deref()),
    })
}

/// The real path of the object that holds this code.
fn own_path() -> Result<PathBuf, String> {
    // SAFETY: Dl_info is a structure of integers and pointers, for which zero is valid.
    let mut info: libc::Dl_info = unsafe { std::mem::zeroed() };
    // SAFETY: dladdr takes any address; it fills `info` when it returns non-zero.
    let found = unsafe { libc::dladdr(own_path as *const c_void, &mut info) };
    if found == 0 || info.dli_fname.is_null() {
        return Err("the dynamic linker does not know this library's path".to_string());
    }
    // SAFETY: a NUL-terminated string that lives as long as the library is loaded.
    let name = unsafe { CStr::from_ptr(info.dli_fname) };
    let name = Path::new(OsStr::from_bytes(name.to_bytes()));
    name.canonicalize().map_err(|e| format!("{}: {e}", name.display()))
}

/// The JDK around `libjvm` (`<home>/lib/<variant>/libjvm.so`), else the one the launcher named.
fn home_of(libjvm: &Path, from_launcher: Option<&OsStr>) -> Result<PathBuf, String> {
    if let Some(home) = libjvm.ancestors().nth(3) {
        if home.join("lib/libjava.so").exists() {
            return Ok(home.to_path_buf());
        }
    }
    let home = from_launcher.filter(|home| !home.is_empty()).ok_or_else(|| {
        format!("{} is in no JDK: run it through kiln, or from an image made with make image", libjvm.display())
    })?;
    Path::new(home).canonicalize().map_err(|e| format!("{FROM_LAUNCHER}: {}: {e}", Path::new(home).display()))
}

/// The default of `java.library.path`. Debian's builds add the directories of its multi-arch layout; they
/// are added here where that layout is in use.
fn library_path(ld_library_path: Option<&OsStr>) -> OsString {
    let mut path = OsString::new();
    if let Some(first) = ld_library_path {
        path.push(first);
        path.push(":");
    }
    path.push("/usr/java/packages/lib:");
    let triplet = debian_triplet();
    if Path::new("/usr/lib").join(triplet).is_dir() {
        path.push(format!("/usr/lib/{triplet}/jni:/lib/{triplet}:/usr/lib/{triplet}:/usr/lib/jni:/lib:/usr/lib"));
    } else {
        path.push("/usr/lib64:/lib64:/lib:/usr/lib");
    }
    path
}

/// Debian's name for this machine's architecture.
fn debian_triplet() -> &'static str {
    if cfg!(target_arch = "aarch64") {
        "aarch64-linux-gnu"
    } else {
        "x86_64-linux-gnu"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An empty JDK home below the temporary directory; removed when dropped.
    struct Home(PathBuf);

    impl Home {
        fn new(name: &str) -> Home {
            let home = std::env::temp_dir().join(format!("kiln-{name}-{}", std::process::id()));
            std::fs::create_dir_all(home.join("lib/server")).unwrap();
            std::fs::write(home.join("lib/libjava.so"), "").unwrap();
            Home(home.canonicalize().unwrap())
        }
    }

    impl Drop for Home {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn in_a_jdk_the_librarys_own_path_decides() {
        let image = Home::new("image");
        let other = Home::new("other");
        let libjvm = image.0.join("lib/server/libjvm.so");
        assert_eq!(home_of(&libjvm, None), Ok(image.0.clone()));
        assert_eq!(home_of(&libjvm, Some(other.0.as_os_str())), Ok(image.0.clone()));
    }

    #[test]
    fn elsewhere_the_launcher_decides() {
        let jdk = Home::new("jdk");
        let libjvm = Path::new("/nowhere/target/release/libjvm.so");
        assert_eq!(home_of(libjvm, Some(jdk.0.as_os_str())), Ok(jdk.0.clone()));
        assert!(home_of(libjvm, None).unwrap_err().contains("is in no JDK"));
        assert!(home_of(libjvm, Some(OsStr::new("/nowhere"))).is_err());
    }

    #[test]
    fn the_users_library_path_comes_first() {
        let path = library_path(Some(OsStr::new("/a:/b")));
        assert!(path.to_str().unwrap().starts_with("/a:/b:/usr/java/packages/lib:"), "{path:?}");
        assert!(library_path(None).to_str().unwrap().ends_with(":/lib:/usr/lib"));
    }

    #[test]
    fn this_code_knows_the_file_it_is_in() {
        assert_eq!(own_path(), Ok(std::env::current_exe().unwrap().canonicalize().unwrap()));
    }
}
