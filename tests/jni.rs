//! The JNI function table and native calls: `tests/jni/functions.c` and `JniFunctions.java` on
//! HotSpot and on Kiln, which must print the same and end alike; and what `-Xcheck:jni` says of `tests/jni/checked.c`.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The JDK of the oracle.
fn java_home() -> PathBuf {
    let default = || "/usr/lib/jvm/java-17-openjdk-amd64".into();
    std::env::var_os("JAVA_HOME").map_or_else(default, PathBuf::from)
}

fn run(command: &mut Command) -> Output {
    command.output().unwrap_or_else(|e| panic!("{command:?}: {e}"))
}

/// Runs a build step, which must succeed.
fn build(command: &mut Command) {
    let output = run(command);
    assert!(output.status.success(), "{command:?}\n{}", String::from_utf8_lossy(&output.stderr));
}

/// Compiles library `name` and class `java` into a directory of their own; the directory.
fn compile(source: &Path, jdk: &Path, name: &str, java: &str) -> PathBuf {
    let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join("jni").join(name);
    std::fs::create_dir_all(&out).expect("the target directory is ours");
    let include = jdk.join("include");
    build(
        Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-Wall"])
            .arg("-I")
            .arg(&include)
            .arg("-I")
            .arg(include.join("linux"))
            .arg("-o")
            .arg(out.join(format!("lib{name}.so")))
            .arg(source.join(format!("{name}.c"))),
    );
    build(Command::new(jdk.join("bin/javac")).arg("-d").arg(&out).arg(source.join(format!("{java}.java"))));
    out
}

#[test]
fn functions_behave_as_on_hotspot() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let jdk = java_home();
    let out = compile(&root.join("tests/jni"), &jdk, "functions", "JniFunctions");
    let run_on = |vm: &Path| {
        run(Command::new(vm).arg("-cp").arg(&out).arg("JniFunctions").arg(out.join("libfunctions.so")))
    };
    let expected = run_on(&jdk.join("bin/java"));
    assert!(expected.status.success(), "{expected:?}");
    let actual = run_on(Path::new(env!("CARGO_BIN_EXE_kiln")));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    for (a, e) in [(&actual.stdout, &expected.stdout), (&actual.stderr, &expected.stderr)] {
        let (a, e) = (text(a), text(e));
        for (number, (a, e)) in a.lines().zip(e.lines()).enumerate() {
            assert_eq!(a, e, "line {}", number + 1);
        }
        assert_eq!(a.lines().count(), e.lines().count(), "lines printed; the last: {:?}", a.lines().last());
    }
    assert_eq!(actual.status, expected.status);
}

#[test]
fn checks_say_what_hotspots_say() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let jdk = java_home();
    let out = compile(&root.join("tests/jni"), &jdk, "checked", "CheckedJni");
    let run_on = |vm: &Path, case: Option<usize>| {
        let mut command = Command::new(vm);
        command.current_dir(&out).args(["-Xcheck:jni", "-XX:-CreateCoredumpOnCrash", "-cp"]).arg(&out);
        let output = run(command.arg("CheckedJni").arg(out.join("libchecked.so")).args(case.map(|n| n.to_string())));
        // The lines that must be the same: addresses and stacks are not.
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let kept = |l: &&str| ["WARNING", "FATAL", "Warning", "count "].iter().any(|start| l.starts_with(start));
        let lines: Vec<String> = text.lines().filter(kept).map(str::to_string).collect();
        (lines, output.status.code(), text)
    };
    let (java, kiln) = (jdk.join("bin/java"), Path::new(env!("CARGO_BIN_EXE_kiln")));
    let cases: usize = run_on(&java, None).2.trim().parse().expect("HotSpot prints the number of cases");
    let mut different = Vec::new();
    for case in 0..cases {
        let (expected, actual) = (run_on(&java, Some(case)), run_on(kiln, Some(case)));
        if (&expected.0, expected.1) != (&actual.0, actual.1) {
            different.push(format!("case {case}: HotSpot {:?} {:?}, Kiln {:?} {:?}", expected.0, expected.1, actual.0, actual.1));
        }
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
}
