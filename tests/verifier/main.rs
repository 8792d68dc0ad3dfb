//! The verifier, compared with HotSpot: the same classes pass, load the same other classes, and
//! fail with the same words.

mod cases;
mod hierarchy;
mod mutate;
mod writer;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use hierarchy::{Class, Env, Hierarchy, Loader, NotFound};
use jvm::classfile::{self, ParseOptions};
use jvm::classpath::JImage;
use jvm::verify::{verify_class, verify_hidden_class, VerifyError, VerifyFailure};

const EXPECTED: &str = include_str!("expected.txt");

/// The JDK whose class library and virtual machine we compare with.
fn java_home() -> PathBuf {
    let named = ["KILN_JAVA_HOME", "JAVA_HOME"].into_iter().filter_map(std::env::var_os);
    let installed = std::fs::read_dir("/usr/lib/jvm").into_iter().flatten().flatten();
    named
        .map(PathBuf::from)
        .chain(installed.map(|entry| entry.path()))
        .find(|home| {
            let release = std::fs::read_to_string(home.join("release")).unwrap_or_default();
            release.contains("JAVA_VERSION=\"17.") && home.join("lib/modules").exists()
        })
        .expect("a JDK 17, named by JAVA_HOME or in /usr/lib/jvm")
}

fn image() -> JImage {
    JImage::open(&java_home().join("lib/modules")).expect("the run-time image")
}

/// A class of java.base.
fn boot_class(image: &JImage, name: &[u8]) -> Option<Vec<u8>> {
    image.find_class("java.base", name).expect("a readable image").map(|bytes| bytes.to_vec())
}

/// java.base and, of another class loader, these classes.
fn surroundings(image: &JImage, library: impl Iterator<Item = (String, Vec<u8>)>) -> Hierarchy<'_> {
    let library: BTreeMap<Vec<u8>, Vec<u8>> =
        library.map(|(name, bytes)| (name.into_bytes(), bytes)).collect();
    Hierarchy::new(move |name| match library.get(name) {
        Some(bytes) => Some((Loader::Lib, bytes.clone())),
        None => boot_class(image, name).map(|bytes| (Loader::Boot, bytes)),
    })
}

fn case_library() -> impl Iterator<Item = (String, Vec<u8>)> {
    cases::library().into_iter().map(|class| (class.name.clone(), class.write()))
}

/// An error as `Throwable.toString` shows it.
fn shown(error: &VerifyError) -> String {
    format!("{}: {}", error.class.replace('/', "."), error.message)
}

/// What `Oracle.java` says of a class file, from us. The old verifier is not ours: what it would
/// have to decide is in the second part.
fn verdict(bytes: &[u8], hierarchy: &mut Hierarchy) -> (String, Option<VerifyError>) {
    let file = match classfile::parse(bytes, &ParseOptions::default()) {
        Ok(file) => file,
        Err(error) => return (format!("not defined: {error}"), None),
    };
    let mut env = Env::new(hierarchy, Class::new(Loader::Case, &file));
    let (result, old) = match verify_class(&file, &mut env) {
        Ok(()) => ("passes".to_owned(), None),
        Err(VerifyFailure::Error(error)) => (shown(&error), None),
        Err(VerifyFailure::NeedsOldVerifier(error)) => (shown(&error), Some(error)),
        Err(VerifyFailure::Pending(NotFound(name))) => {
            (format!("java.lang.NoClassDefFoundError: {name}"), None)
        }
    };
    let mut text = "loads:".to_owned();
    for load in &env.loads {
        text.push(' ');
        text.push_str(&String::from_utf8_lossy(load));
    }
    (format!("{text}\n{result}"), old)
}

/// The records of `Oracle.java`.
fn records(text: &str) -> BTreeMap<&str, &str> {
    text.strip_suffix('\n')
        .unwrap_or(text)
        .split("\n== ")
        .map(|record| record.strip_prefix("== ").unwrap_or(record))
        .filter(|record| !record.is_empty())
        .map(|record| record.split_once('\n').expect("a name's line"))
        .collect()
}

/// Has HotSpot say what it thinks of these class files.
fn ask_hotspot(
    files: &[(String, Vec<u8>)],
    library: impl Iterator<Item = (String, Vec<u8>)>,
    directory: &Path,
) -> String {
    let (lib, cases) = (directory.join("lib"), directory.join("cases"));
    std::fs::create_dir_all(&lib).expect("directory");
    std::fs::create_dir_all(&cases).expect("directory");
    for (name, bytes) in library {
        std::fs::write(lib.join(name.replace('/', "_")), bytes).expect("write");
    }
    for (name, bytes) in files {
        std::fs::write(cases.join(name.replace('/', "_")), bytes).expect("write");
    }
    let oracle = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/verifier/Oracle.java");
    let output = Command::new(java_home().join("bin/java"))
        .arg(oracle)
        .arg(directory)
        .output()
        .expect("java");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// Not a test: writes what HotSpot says of the cases to `expected.txt`.
#[test]
#[ignore = "writes expected.txt, by HotSpot"]
fn record() {
    let directory = std::env::temp_dir().join(format!("kiln-verifier-{}", std::process::id()));
    let files: Vec<_> =
        cases::cases().iter().map(|(name, class)| ((*name).to_owned(), class.write())).collect();
    let said = ask_hotspot(&files, case_library(), &directory);
    let expected = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/verifier/expected.txt");
    std::fs::write(expected, said).expect("write");
    std::fs::remove_dir_all(directory).expect("remove");
}

#[test]
fn bad_classes_fail_as_on_hotspot() {
    let expected = records(EXPECTED);
    let image = image();
    let mut hierarchy = surroundings(&image, case_library());
    let mut wrong = 0;
    let cases = cases::cases();
    for (name, class) in &cases {
        let (said, old) = verdict(&class.write(), &mut hierarchy);
        let expected = expected.get(name).unwrap_or_else(|| panic!("{name} is not recorded"));
        // What the old verifier accepts does not tell of us.
        let old_accepts = old.is_some() && expected.ends_with("\npasses");
        if said != *expected && !old_accepts {
            wrong += 1;
            println!("== {name}\n-- HotSpot:\n{expected}\n-- Kiln:\n{said}\n");
        }
    }
    assert_eq!(expected.len(), cases.len(), "cases and records");
    assert_eq!(wrong, 0, "cases that differ");
}

#[test]
fn hidden_classes_go_by_their_own_name() {
    let image = image();
    let mut hierarchy = surroundings(&image, case_library());
    let cases: BTreeMap<_, _> = cases::cases().into_iter().collect();
    let name = b"T+0x0000000800c01000";
    let mut verify = |case: &str| {
        let bytes = cases[case].write();
        let file = classfile::parse(&bytes, &ParseOptions::default()).expect("a class file");
        let mut env = Env::new(&mut hierarchy, Class::new(Loader::Case, &file));
        let result = verify_hidden_class(&file, name, &mut env);
        assert!(env.loads.is_empty(), "a hidden class is never loaded");
        result
    };
    assert_eq!(verify("constructor_own_call"), Ok(()));
    let Err(VerifyFailure::Error(error)) = verify("new_index_beyond") else { panic!("passes") };
    let text = "Illegal constant pool index 999 in class T/0x0000000800c01000\n\
                Exception Details:\n  Location:\n    T+0x0000000800c01000.m()V @0: new\n";
    assert!(error.message.starts_with(text), "{}", error.message);
}

/// All classes of java.base, except that HotSpot never verifies Object.
fn java_base(image: &JImage) -> Vec<Vec<u8>> {
    let mut classes = Vec::new();
    for entry in image.entries() {
        let entry = entry.expect("an entry");
        let unverified = ["module-info", "Object"].contains(&entry.base);
        if entry.module == "java.base" && entry.extension == "class" && !unverified {
            classes.push(image.read(&entry).expect("a readable image").to_vec());
        }
    }
    assert!(classes.len() > 5000, "{} classes in java.base", classes.len());
    classes
}

fn boot_hierarchy(image: &JImage) -> Hierarchy<'_> {
    Hierarchy::new(|name| boot_class(image, name).map(|bytes| (Loader::Boot, bytes)))
}

#[test]
fn java_base_passes() {
    let image = image();
    let mut hierarchy = boot_hierarchy(&image);
    for bytes in java_base(&image) {
        let file = classfile::parse(&bytes, &ParseOptions::default()).expect("a class file");
        let mut env = Env::new(&mut hierarchy, Class::new(Loader::Boot, &file));
        if let Err(failure) = verify_class(&file, &mut env) {
            panic!("{}: {failure:?}", String::from_utf8_lossy(file.name()));
        }
    }
}

#[test]
fn mutants_fail_in_order() {
    let image = image();
    let mut hierarchy = boot_hierarchy(&image);
    let classes = java_base(&image);
    let mut random = mutate::Random::new(1);
    let (mut passed, mut failed) = (0, 0);
    for _ in 0..10_000 {
        let mutant = mutate::mutate(&classes[random.below(classes.len())], &mut random);
        let Ok(file) = classfile::parse(&mutant, &ParseOptions::default()) else { continue };
        let mut env = Env::new(&mut hierarchy, Class::new(Loader::Boot, &file));
        match verify_class(&file, &mut env) {
            Ok(()) => passed += 1,
            Err(VerifyFailure::Pending(NotFound(name))) => assert!(!name.is_empty()),
            Err(VerifyFailure::Error(error) | VerifyFailure::NeedsOldVerifier(error)) => {
                assert!(!error.message.is_empty());
                failed += 1;
            }
        }
    }
    assert!(passed > 500 && failed > 5000, "{passed} passed, {failed} failed");
}

/// Compares with HotSpot on mutations of classes, for whoever changes the verifier. `FUZZ_CLASSES` is
/// a directory of class files, such as the compiled fixtures; `FUZZ_SEED` and
/// `FUZZ_COUNT` are numbers. Mutants that differ are left in the directory for temporary files.
#[test]
#[ignore = "needs FUZZ_CLASSES"]
fn fuzz() {
    let Ok(classes) = std::env::var("FUZZ_CLASSES") else { panic!("FUZZ_CLASSES not set") };
    let seed = std::env::var("FUZZ_SEED").map_or(1, |seed| seed.parse().expect("a number"));
    let count = std::env::var("FUZZ_COUNT").map_or(2000, |count| count.parse().expect("a number"));
    let directory = std::env::temp_dir().join(format!("kiln-fuzz-{}", std::process::id()));
    let mut files: Vec<(String, Vec<u8>)> = Vec::new();
    let mut directories = vec![PathBuf::from(classes)];
    while let Some(directory) = directories.pop() {
        for entry in std::fs::read_dir(directory).expect("a directory") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                directories.push(path);
            } else if path.extension().is_some_and(|extension| extension == "class") {
                let bytes = std::fs::read(path).expect("a readable file");
                if let Ok(file) = classfile::parse(&bytes, &ParseOptions::default()) {
                    files.push((String::from_utf8_lossy(file.name()).into_owned(), bytes.clone()));
                }
            }
        }
    }
    files.sort();
    // Classes that do not work in the oracle's class loaders tell nothing.
    let said = ask_hotspot(&files, files.iter().cloned(), &directory);
    let works = records(&said);
    let all = files.clone();
    files.retain(|(name, _)| works[name.replace('/', "_").as_str()].ends_with("\npasses"));
    println!("{} of {} classes", files.len(), all.len());
    std::fs::remove_dir_all(directory.join("cases")).expect("well-formed");
    let mut random = mutate::Random::new(seed);
    let mutants: Vec<(String, Vec<u8>)> = (0..count)
        .map(|index| {
            let (_, bytes) = &files[random.below(files.len())];
            (format!("{index:06}"), mutate::mutate(bytes, &mut random))
        })
        .collect();
    let said = ask_hotspot(&mutants, std::iter::empty(), &directory);
    let expected = records(&said);
    let image = image();
    let mut hierarchy = surroundings(&image, all.into_iter());
    let result = |text: &str| match text.strip_prefix("loads:") {
        Some(rest) => rest.split_once('\n').expect("well-formed").1.to_owned(),
        None => text.to_owned(),
    };
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    let mut wrong = 0;
    for (name, bytes) in &mutants {
        let hotspot = result(expected[name.as_str()]);
        let kiln = result(&verdict(bytes, &mut hierarchy).0);
        *kinds
            .entry(hotspot.lines().next().expect("well-formed").chars().take(60).collect())
            .or_default() += 1;
        // What other classes forbid, or what the parser has to say, is not our matter.
        if hotspot.starts_with("not defined") && !hotspot.contains("ClassFormatError") {
            continue;
        }
        // Found by the oracle's question for constructors.
        if hotspot.starts_with("java.lang.NoClassDefFoundError") && kiln == "passes" {
            continue;
        }
        if hotspot != kiln {
            wrong += 1;
            let kept = std::env::temp_dir().join(format!("kiln-fuzz-{seed}-{name}.class"));
            std::fs::write(kept, bytes).expect("write");
            println!("== {name}\n-- HotSpot:\n{hotspot}\n-- Kiln:\n{kiln}\n");
        }
    }
    for (kind, count) in kinds {
        println!("{count:6} {kind}");
    }
    println!("{wrong} differ");
    std::fs::remove_dir_all(directory).expect("well-formed");
    assert_eq!(wrong, 0);
}
