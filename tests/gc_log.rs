//! `-Xlog:gc*` and `-verbose:gc`: the collections' lines have HotSpot's form, and name the same causes.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The JDK of the oracle.
fn java_home() -> PathBuf {
    let default = || "/usr/lib/jvm/java-17-openjdk-amd64".into();
    std::env::var_os("JAVA_HOME").map_or_else(default, PathBuf::from)
}

/// Every run of digits as N.
fn shape(line: &str) -> String {
    let mut out = String::new();
    for c in line.chars() {
        match c {
            '0'..='9' if out.ends_with('N') => {}
            '0'..='9' => out.push('N'),
            c => out.push(c),
        }
    }
    out
}

/// What `vm` prints of the program's collections with `option`.
fn lines(vm: &Path, option: &str) -> Vec<String> {
    let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join("gc_log");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/gc/Garbage.java");
    let status = Command::new(java_home().join("bin/javac")).arg("-d").arg(&out).arg(source).status();
    assert!(status.is_ok_and(|s| s.success()), "javac");
    let output =
        Command::new(vm).args(["-XX:+UseSerialGC", "-Xmx16m", option, "-cp"]).arg(&out).arg("Garbage").output();
    let output = output.unwrap_or_else(|e| panic!("{}: {e}", vm.display()));
    assert!(output.status.success(), "{}: {output:?}", vm.display());
    String::from_utf8_lossy(&output.stdout).lines().map(str::to_string).collect()
}

fn kiln() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_kiln"))
}

#[test]
fn lines_of_collections_have_hotspots_form() {
    let shapes = |vm: &Path| -> BTreeSet<String> {
        let all = lines(vm, "-Xlog:gc*:stdout:none");
        all.iter().filter(|l| l.contains(" Pause ") || l.contains(" User=")).map(|l| shape(l)).collect()
    };
    let expected = shapes(&java_home().join("bin/java"));
    assert_eq!(expected.len(), 5, "start and end of two kinds of pauses, processor times: {expected:?}");
    assert_eq!(shapes(kiln()), expected);
}

#[test]
fn pauses_are_numbered_and_free_memory() {
    let all = lines(kiln(), "-Xlog:gc:stdout:none");
    let pauses: Vec<&String> = all.iter().filter(|l| l.contains(" Pause ")).collect();
    for (i, line) in pauses.iter().enumerate() {
        assert!(line.starts_with(&format!("GC({i}) ")), "{line}");
        let sizes = line.split(' ').find(|w| w.contains("->")).expect("sizes");
        let mb: Vec<u64> = sizes.split(|c: char| !c.is_ascii_digit()).filter_map(|n| n.parse().ok()).collect();
        assert!(matches!(mb[..], [before, after, 16] if after <= before && before <= 16), "{line}");
    }
    assert!(pauses.last().expect("a pause").contains("Pause Full (System.gc())"));
}

#[test]
fn verbose_gc_is_the_same_as_a_log_of_gc() {
    let titles = |option: &str| -> Vec<String> { lines(kiln(), option).iter().map(|l| shape(l)).collect() };
    let (verbose, log) = (titles("-verbose:gc"), titles("-Xlog:gc"));
    assert!(verbose.len() > 2, "{verbose:?}");
    assert_eq!(verbose.first(), log.first());
    assert_eq!(verbose.iter().collect::<BTreeSet<_>>(), log.iter().collect::<BTreeSet<_>>());
}

#[test]
fn references_are_told_of_as_hotspot_does() {
    let names = |vm: &Path| -> BTreeSet<String> {
        let all = lines(vm, "-Xlog:gc+phases+ref=debug:stdout:none");
        let told = all.iter().filter_map(|l| l.strip_prefix("GC(")?.split_once(") "));
        told.map(|(_, text)| text.split(':').next().unwrap_or_default().to_string()).collect()
    };
    let expected = names(&java_home().join("bin/java"));
    assert!(expected.contains("Reference Processing") && expected.len() > 10, "{expected:?}");
    assert_eq!(names(kiln()), expected);
}
