//! Class files changed at random, defined, linked and reflected on by `tests/classfuzz/Mutate.java` on
//! HotSpot and on Kiln: what is thrown, and what reflection answers, must be the same.
//!
//! A few thousand of the classes of some fixtures in `make test`; `make fuzz-classfiles` sets
//! `CLASSFUZZ=SEED:FROM:TO` and takes classes of the JDK's own tools too.
//!
//! Compared are the classes of exceptions, not their messages: where a class file has two mistakes
//! in different methods, HotSpot reports the one in the method whose name has the lower address.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Fixtures with much in their class files.
const FIXTURES: [&str; 15] = [
    "Records", "SealedTypes", "Lambdas", "Enums", "Generics", "AnnotationsAll", "InnerClasses", "Interfaces",
    "LocalSlots", "Expressions", "Exceptions", "NestMates", "Switches", "ClassLoaders", "Subroutines",
];

fn java_home() -> PathBuf {
    let default = || "/usr/lib/jvm/java-17-openjdk-amd64".into();
    std::env::var_os("JAVA_HOME").map_or_else(default, PathBuf::from)
}

fn javac(args: &[&str], sources: &[PathBuf], out: &Path) {
    let mut command = Command::new(java_home().join("bin/javac"));
    let output = command.args(args).arg("-d").arg(out).args(sources).output().expect("javac is installed");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Lines without the messages in `{class: message}`.
fn without_messages(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for line in text.lines() {
        let mut out = String::new();
        for (i, part) in line.split('{').enumerate() {
            if i == 0 {
                out.push_str(part);
                continue;
            }
            // What came from a message has no brace of its own that would start with a class.
            let class = part.split([':', '}']).next().unwrap_or_default();
            let rest = part.rsplit_once('}').map_or("", |(_, rest)| rest);
            out.push_str(&format!("{{{class}}}{rest}"));
        }
        lines.push(out);
    }
    lines
}

#[test]
fn mutated_class_files_fare_as_on_hotspot() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("classfuzz");
    let (driver, corpus) = (dir.join("driver"), dir.join("corpus"));
    for d in [&driver, &corpus] {
        std::fs::create_dir_all(d).expect("the target directory is ours");
    }
    javac(&[], &[root.join("tests/classfuzz/Mutate.java")], &driver);
    let fixtures = root.join("tests/fixtures");
    let sources: Vec<PathBuf> = FIXTURES.iter().map(|f| fixtures.join(f).with_extension("java")).collect();
    for source in sources {
        // Each alone: their helper classes share names.
        let class_path = fixtures.display().to_string();
        javac(&["-g", "-parameters", "-nowarn", "-cp", &class_path], &[source], &corpus);
    }
    let wanted = std::env::var("CLASSFUZZ").ok();
    let plan: Vec<&str> = wanted.as_deref().unwrap_or("1:0:3000").split(':').collect();
    let [seed, from, to] = plan[..] else { panic!("CLASSFUZZ is SEED:FROM:TO, not {wanted:?}") };
    let run = |vm: &Path| {
        let mut c = Command::new(vm);
        c.arg("-cp").arg(&driver).args(["Mutate", seed, from, to]).arg(&corpus);
        if wanted.is_some() {
            c.args(["jrt:/jdk.jartool", "jrt:/jdk.jdeps", "jrt:/java.logging"]);
        }
        let o = c.output().expect("the VM starts");
        let text = String::from_utf8_lossy(&o.stdout).into_owned();
        let last = text.lines().last().unwrap_or_default().to_string();
        assert!(last == "done", "{vm:?} ended with {} at {last:.300}\n{}", o.status, String::from_utf8_lossy(&o.stderr));
        text
    };
    let expected = run(&java_home().join("bin/java"));
    let actual = run(Path::new(env!("CARGO_BIN_EXE_kiln")));
    let pairs = without_messages(&expected).into_iter().zip(without_messages(&actual));
    let different: Vec<_> = pairs.filter(|(e, a)| e != a).collect();
    let messages = expected.lines().zip(actual.lines()).filter(|(e, a)| e != a).count();
    println!("{} class files: {} fared differently, {messages} in message or more", expected.lines().count() - 1, different.len());
    for (e, a) in different.iter().take(20) {
        println!("- {e}\n+ {a}");
    }
    assert!(different.is_empty());
}
