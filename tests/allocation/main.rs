//! What tier 4 leaves of the allocations and locks of Java methods: `Allocation.java` says it beside each method
//! (`// left: 0 allocations, 1 locks`), the compiler in its log.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Allocations and locks.
type Left = (usize, usize);

fn javac() -> PathBuf {
    let homes = ["KILN_JAVA_HOME", "JAVA_HOME"].into_iter().filter_map(std::env::var_os);
    let usual = ["amd64", "arm64"].map(|arch| format!("/usr/lib/jvm/java-17-openjdk-{arch}").into());
    let found = homes.chain(usual).map(|home| PathBuf::from(home).join("bin/javac")).find(|p| p.is_file());
    found.expect("no JDK 17 with javac is installed: run make setup")
}

/// The methods of the source with what it says is left, in order.
fn expected(source: &str) -> BTreeMap<String, Left> {
    let mut out = BTreeMap::new();
    let mut lines = source.lines();
    while let Some(line) = lines.next() {
        let Some(text) = line.trim().strip_prefix("// left: ") else { continue };
        let numbers: Vec<usize> = text.split_whitespace().filter_map(|w| w.parse().ok()).collect();
        let head = lines.next().expect("a method follows");
        let name = head.split('(').next().unwrap().split_whitespace().last().unwrap();
        out.insert(name.to_string(), (numbers[0], numbers[1]));
    }
    out
}

/// What the log of a run says of each method of the class `Allocation` that tier 4 compiled.
fn measured(classes: &Path, options: &[&str]) -> BTreeMap<String, Left> {
    let run = Command::new(env!("CARGO_BIN_EXE_kiln"))
        .args(["-XX:-BackgroundCompilation", "-Xlog:jit+compilation=trace", "-XX:+VerifyIR"])
        .args(options)
        .arg("-cp")
        .arg(classes)
        .arg("Allocation")
        .output()
        .expect("kiln runs");
    let text = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success(), "{text}{}", String::from_utf8_lossy(&run.stderr));
    assert!(text.lines().any(|l| l == "done"), "{text}");
    let mut out = BTreeMap::new();
    for line in text.lines() {
        let Some((_, rest)) = line.split_once("] Allocation.") else { continue };
        let Some((name, rest)) = rest.split_once('(') else { continue };
        let Some((_, rest)) = rest.split_once(" tier 4: ") else { continue };
        let numbers: Vec<usize> = rest.split_whitespace().filter_map(|w| w.parse().ok()).collect();
        // Left, of how many, left, of how many. The last compile counts.
        out.insert(name.to_string(), (numbers[0], numbers[2]));
    }
    out
}

#[test]
fn allocations_and_locks() {
    let source_path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/allocation/Allocation.java");
    let classes = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("allocation");
    std::fs::create_dir_all(&classes).unwrap();
    let made = Command::new(javac()).arg("-d").arg(&classes).arg(&source_path).status().expect("javac runs");
    assert!(made.success());
    let expected = expected(&std::fs::read_to_string(&source_path).unwrap());
    assert!(expected.len() > 10);
    assert_eq!(measured(&classes, &[]), expected);
    // HotSpot's flags: without the analysis nothing goes; without one of its uses the other goes on.
    let without = measured(&classes, &["-XX:-DoEscapeAnalysis"]);
    assert!(expected.keys().all(|m| without[m].0 + without[m].1 > 0), "{without:?}");
    let kept = measured(&classes, &["-XX:-EliminateAllocations"]);
    assert!(kept.iter().all(|(m, left)| left.1 == expected[m].1 && left.0 > 0), "{kept:?}");
    let locked = measured(&classes, &["-XX:-EliminateLocks"]);
    assert_eq!(locked["locks"], (2, 3));
    assert_eq!(locked["fields"], expected["fields"]);
    let boxed = measured(&classes, &["-XX:-EliminateAutoBox"]);
    assert!(boxed["boxes"].0 > 0 && boxed["fields"] == expected["fields"], "{boxed:?}");
}
