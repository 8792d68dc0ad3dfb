//! `-Xlog:module` of the boot modules and of lists that name modules which are unloaded, as HotSpot logs them.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The JDK of the oracle.
fn java_home() -> PathBuf {
    let default = || "/usr/lib/jvm/java-17-openjdk-amd64".into();
    std::env::var_os("JAVA_HOME").map_or_else(default, PathBuf::from)
}

/// The lines that `vm` prints, sorted, addresses blanked; not those of what Kiln does not log.
fn lines(vm: &Path, args: &[&str]) -> Vec<String> {
    let output = Command::new(vm).args(["-Xshare:off", "-Xlog:module=trace:stdout:none"]).args(args).output();
    let output = output.unwrap_or_else(|e| panic!("{}: {e}", vm.display()));
    assert!(output.status.success(), "{} {args:?}: {output:?}", vm.display());
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let blank = |line: &str| {
        let mut parts = line.split("0x");
        let first = parts.next().unwrap_or_default().to_string();
        parts.fold(first, |all, p| all + "0x" + p.trim_start_matches(|c: char| c.is_ascii_hexdigit()))
    };
    let elsewhere = |l: &&str| !l.starts_with("Setting package") && !l.starts_with("get_module");
    let mut lines: Vec<String> = text.lines().filter(elsewhere).map(blank).collect();
    lines.sort();
    lines
}

#[test]
fn modules_of_the_boot_layer() {
    let kiln = lines(Path::new(env!("CARGO_BIN_EXE_kiln")), &["-version"]);
    assert!(kiln.len() > 500, "{} lines", kiln.len());
    assert_eq!(kiln, lines(&java_home().join("bin/java"), &["-version"]));
}

#[test]
fn lists_that_name_unloaded_modules_are_cleaned_up() {
    let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join("module_log");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/modules/Lists.java");
    let status = Command::new(java_home().join("bin/javac")).arg("-d").arg(&out).arg(source).status();
    assert!(status.is_ok_and(|s| s.success()), "javac");
    let class_path = out.display().to_string();
    let walked = |vm: &Path| {
        let mut l = lines(vm, &["-cp", &class_path, "Lists"]);
        l.retain(|l| l.contains("walked") || l.contains("gone"));
        l
    };
    let expected = walked(&java_home().join("bin/java"));
    assert_eq!(expected.len(), 5, "{expected:?}");
    assert_eq!(walked(Path::new(env!("CARGO_BIN_EXE_kiln"))), expected);
}
