//! Finds the JDK whose class library and natives Kiln runs on, and checks that it is one that this
//! version of Kiln supports.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// The feature release of the class library that `libjvm.so` is written for.
const SUPPORTED_FEATURE: &str = "17";

/// Where Linux distributions put their JDKs.
const SYSTEM_JVM_DIR: &str = "/usr/lib/jvm";

/// A JDK (or JRE) that was checked.
#[derive(Debug)]
pub struct Jdk {
    /// The home directory, with all symbolic links resolved.
    pub home: PathBuf,
    /// `JAVA_RUNTIME_VERSION` of its `release` file, for example `17.0.15+6-Debian-1deb12u1`; the
    /// `JAVA_VERSION` where that is not given.
    pub runtime_version: String,
}

/// Finds a JDK: `--java-home`, then the variables `KILN_JAVA_HOME` and `JAVA_HOME`, each of which must
/// name a usable one when it is set; then the `java` on the `PATH`, then the directories of
/// `/usr/lib/jvm`, of which the first usable one is taken.
///
/// # Errors
/// A message of one or more lines that names what was found, why it is not usable, and what to install.
pub fn find(java_home_option: Option<OsString>) -> Result<Jdk, String> {
    if let Some(home) = java_home_option {
        return check(Path::new(&home)).map_err(|why| explain("--java-home: ", &[why]));
    }
    for variable in ["KILN_JAVA_HOME", "JAVA_HOME"] {
        if let Some(home) = std::env::var_os(variable).filter(|v| !v.is_empty()) {
            return check(Path::new(&home)).map_err(|why| explain(&format!("{variable}: "), &[why]));
        }
    }
    let mut rejected = Vec::new();
    for home in java_on_path().into_iter().chain(system_jdks()) {
        match check(&home) {
            Ok(jdk) => return Ok(jdk),
            Err(why) if !rejected.contains(&why) => rejected.push(why),
            Err(_) => {}
        }
    }
    Err(explain("", &rejected))
}

/// The message for a search that found no usable JDK; `rejected` says what was found instead.
fn explain(origin: &str, rejected: &[String]) -> String {
    let mut text = format!("{origin}no JDK {SUPPORTED_FEATURE} that Kiln can use");
    for why in rejected {
        let _ = write!(text, "\n  {why}");
    }
    let _ = write!(
        text,
        "\nKiln runs on the class library of OpenJDK {SUPPORTED_FEATURE}. Install it with\n  \
         apt-get install openjdk-{SUPPORTED_FEATURE}-jdk-headless\n\
         or name its home directory with --java-home or KILN_JAVA_HOME."
    );
    text
}

/// Checks that `home` is the home directory of a supported JDK.
///
/// # Errors
/// One line that says what is wrong with it.
fn check(home: &Path) -> Result<Jdk, String> {
    let shown = home.display();
    let home = home.canonicalize().map_err(|e| format!("{shown}: {e}"))?;
    let release_file = home.join("release");
    let release = std::fs::read(&release_file)
        .map_err(|e| format!("{shown} is not a JDK's home directory: {}: {e}", release_file.display()))?;
    let release = String::from_utf8_lossy(&release);
    let Some(version) = property(&release, "JAVA_VERSION") else {
        return Err(format!("{shown}: its release file names no JAVA_VERSION"));
    };
    if !is_supported(version) {
        return Err(format!("{shown} is version {version}; Kiln supports {SUPPORTED_FEATURE}"));
    }
    for needed in ["lib/modules", "lib/libjli.so"] {
        if let Err(e) = std::fs::metadata(home.join(needed)) {
            return Err(format!("{shown} is version {version}, but its {needed} cannot be used: {e}"));
        }
    }
    let runtime_version = property(&release, "JAVA_RUNTIME_VERSION").unwrap_or(version).to_string();
    Ok(Jdk { home, runtime_version })
}

/// The value of a line `KEY="value"` of a `release` file.
fn property<'a>(release: &'a str, key: &str) -> Option<&'a str> {
    release.lines().find_map(|line| {
        let value = line.strip_prefix(key)?.strip_prefix('=')?;
        Some(value.trim().trim_matches('"'))
    })
}

/// Whether a version such as `17.0.15`, `17` or `17-ea` is of the supported feature release.
fn is_supported(version: &str) -> bool {
    version
        .strip_prefix(SUPPORTED_FEATURE)
        .is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_digit()))
}

/// The home directory that the `java` found on the `PATH` belongs to, through all symbolic links (on
/// Debian `/usr/bin/java` leads to the JDK through `/etc/alternatives`).
fn java_on_path() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let java = std::env::split_paths(&path).map(|dir| dir.join("java")).find(|java| java.is_file())?;
    let java = java.canonicalize().ok()?;
    Some(java.parent()?.parent()?.to_path_buf())
}

/// The directories of `/usr/lib/jvm` that hold a `release` file, in name order; the links among them
/// are left out.
fn system_jdks() -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(SYSTEM_JVM_DIR) else {
        return Vec::new(); // no JDK was ever installed here
    };
    let mut homes: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| !path.is_symlink() && path.join("release").exists())
        .collect();
    homes.sort();
    homes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn release_properties_are_unquoted() {
        let release = "IMPLEMENTOR=\"Debian\"\nJAVA_VERSION_DATE=\"2025-04-15\"\nJAVA_VERSION=\"17.0.15\"\n";
        assert_eq!(property(release, "JAVA_VERSION"), Some("17.0.15"));
        assert_eq!(property(release, "JAVA_RUNTIME_VERSION"), None);
    }

    #[test]
    fn only_feature_release_17_is_supported() {
        for good in ["17", "17.0.15", "17-ea"] {
            assert!(is_supported(good), "{good}");
        }
        for bad in ["1.8.0_292", "11.0.2", "170.1", "21.0.1", ""] {
            assert!(!is_supported(bad), "{bad}");
        }
    }

    #[test]
    fn a_directory_that_is_no_jdk_is_named() {
        let why = check(Path::new("/usr/share")).unwrap_err();
        assert!(why.starts_with("/usr/share is not a JDK's home directory"), "{why}");
        let why = check(Path::new("/nonexistent")).unwrap_err();
        assert!(why.starts_with("/nonexistent: "), "{why}");
    }

    #[test]
    fn a_jdk_of_another_version_is_named_with_its_version() {
        let dir = std::env::temp_dir().join(format!("kiln-jdk-test-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        std::fs::write(dir.join("release"), "JAVA_VERSION=\"21.0.2\"\n").unwrap();
        let why = check(&dir).unwrap_err();
        std::fs::write(dir.join("release"), "JAVA_VERSION=\"17.0.2\"\n").unwrap();
        let no_modules = check(&dir).unwrap_err();
        std::fs::remove_dir_all(&dir).unwrap();
        assert!(why.ends_with("is version 21.0.2; Kiln supports 17"), "{why}");
        assert!(no_modules.contains("lib/modules cannot be used"), "{no_modules}");
    }
}
