//! Class-hierarchy speculation under fire: `tests/fixtures/LateSubclasses.java` loads 1,000 subclasses, each of which
//! breaks an assumption of code that 4 threads run. The fixture checks the results; this checks by the log that
//! every one of the assumptions had been made and was given up, and that the compilers come to rest.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What the fixture asks of the white box.
const WHITE_BOX: &str = r#"
package jdk.test.whitebox;
public class WhiteBox {
    private static native void registerNatives();
    static { registerNatives(); }
    public native int getMethodCompilationLevel0(java.lang.reflect.Executable m, boolean isOsr);
}
"#;

fn java_home() -> PathBuf {
    let default = || "/usr/lib/jvm/java-17-openjdk-amd64".into();
    std::env::var_os("JAVA_HOME").map_or_else(default, PathBuf::from)
}

fn javac(dir: &Path, args: &[&str]) {
    let out = Command::new(java_home().join("bin/javac")).arg("-nowarn").args(args).current_dir(dir).output();
    let out = out.expect("javac is installed");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
}

/// The number in `text` behind `prefix`.
fn number_after(text: &str, prefix: &str) -> Option<u32> {
    let rest = &text[text.find(prefix)? + prefix.len()..];
    rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

#[test]
fn each_of_1000_subclasses_invalidates_code_and_steady_state_returns() {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("hierarchy");
    if dir.exists() {
        std::fs::remove_dir_all(&dir).expect("the directory is ours");
    }
    std::fs::create_dir_all(dir.join("boot")).expect("the target directory is ours");
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let fixture = fixtures.join("LateSubclasses.java");
    javac(&dir, &["-d", ".", "-sourcepath", fixtures.to_str().unwrap(), fixture.to_str().unwrap()]);
    std::fs::write(dir.join("WhiteBox.java"), WHITE_BOX).expect("the directory is writable");
    javac(&dir, &["-d", "boot", "WhiteBox.java"]);

    let flags = std::fs::read_to_string(&fixture).expect("the fixture is there");
    let flags = flags.lines().next().and_then(|l| l.strip_prefix("// vmargs: ")).expect("the fixture's flags");
    let out = Command::new(env!("CARGO_BIN_EXE_kiln"))
        .args(flags.split_whitespace())
        .args(["-XX:+UnlockDiagnosticVMOptions", "-XX:+WhiteBoxAPI", "-Xbootclasspath/a:boot"])
        .args(["-Xlog:deoptimization=debug,jit+compilation=debug:stdout:none", "-cp", ".", "LateSubclasses", "log"])
        .current_dir(&dir)
        .stdin(Stdio::null())
        .output()
        .expect("kiln starts");
    let text = String::from_utf8_lossy(&out.stdout);
    std::fs::write(dir.join("log"), &out.stdout).expect("the directory is writable");
    assert!(out.status.success(), "{}\n{}", out.status, String::from_utf8_lossy(&out.stderr));
    assert!(text.lines().any(|l| l == "1000 classes, 0 wrong"), "log: {}", dir.display());

    // Every class has broken the assumption about its method in its group's code, at tier 4.
    let broken: HashSet<u32> = text
        .lines()
        .filter(|l| l.starts_with("Invalidated compile id=") && l.contains(" Group") && l.contains(".of("))
        .filter_map(|l| {
            let (class, group) = (number_after(l, ": class S")?, number_after(l, " Group")?);
            assert_eq!(class / 10, group, "{l}");
            Some(class)
        })
        .collect();
    let missing: Vec<u32> = (0..1000).filter(|i| !broken.contains(i)).collect();
    assert!(missing.is_empty(), "no code was given up for the classes {missing:?}, log: {}", dir.display());
    let given_up = text.lines().filter(|l| l.contains("Group") && l.ends_with("made not entrant")).count();
    assert!(given_up >= 1000, "{given_up} lines say that code was made not entrant");

    // Two seconds of the same work, and all code stays.
    let steady = text.lines().skip_while(|l| *l != "steady").skip(1);
    let late: Vec<&str> = steady.filter(|l| l.contains("Group") && l.contains("made not entrant")).collect();
    assert!(late.is_empty(), "code is still given up: {late:?}");
}
