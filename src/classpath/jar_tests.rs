use std::io::Write;
use std::process::Command;

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::*;
use crate::classpath::{BootPath, ErrorKind, Origin};

const JDK: &str = "/usr/lib/jvm/java-17-openjdk-amd64";

/// A directory that goes with the test.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Scratch {
        let path = std::env::temp_dir().join(format!("kiln-jar-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).expect("temporary directory");
        Scratch(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // A leftover directory in /tmp is no reason to fail.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn make(path: &Path, method: CompressionMethod, entries: &[(&str, &[u8])]) {
    let mut writer = ZipWriter::new(File::create(path).expect("temporary file"));
    let options = SimpleFileOptions::default().compression_method(method);
    for (name, contents) in entries {
        writer.start_file(*name, options).expect("temporary file");
        writer.write_all(contents).expect("temporary file");
    }
    writer.finish().expect("temporary file");
}

const TEXT: &[u8] = b"compress me, compress me, compress me, compress me";
const ENTRIES: [(&str, &[u8]); 4] = [
    ("META-INF/manifest.mf", b"Manifest-Version: 1.0\nMain-Class: p.Main\n"),
    ("p/Main.class", TEXT),
    ("empty", b""),
    ("naïve/ü", b"x"),
];

#[test]
fn finds_entries() {
    let scratch = Scratch::new("finds");
    let path = scratch.0.join("a.jar");
    for method in [CompressionMethod::Stored, CompressionMethod::Deflated] {
        make(&path, method, &ENTRIES);
        let jar = Jar::open(&path).expect("well-formed");
        for (name, contents) in ENTRIES {
            let found = jar.find(name.as_bytes()).expect("well-formed");
            assert_eq!(found.as_deref(), Some(contents), "{name}");
        }
        assert_eq!(jar.find(b"p/Main").expect("well-formed"), None);
        assert_eq!(jar.find(b"/p/Main.class").expect("well-formed"), None);
        assert_eq!(jar.names().len(), ENTRIES.len());
        let manifest = jar.manifest().expect("well-formed").expect("in lower case");
        assert_eq!(manifest.main_attribute("Main-Class"), Some("p.Main"));
    }
}

#[test]
fn reads_what_the_jar_tool_writes() {
    let scratch = Scratch::new("tool");
    std::fs::create_dir(scratch.0.join("p")).expect("temporary directory");
    std::fs::write(scratch.0.join("p/a.txt"), TEXT).expect("temporary file");
    let status = Command::new(format!("{JDK}/bin/jar"))
        .current_dir(&scratch.0)
        .args(["--create", "--file", "a.jar", "--main-class", "p.Main", "p"])
        .status()
        .expect("jar runs");
    assert!(status.success());
    let jar = Jar::open(&scratch.0.join("a.jar")).expect("well-formed");
    let mut names = jar.names();
    names.sort_unstable();
    let expected: [&[u8]; 4] = [b"META-INF/", b"META-INF/MANIFEST.MF", b"p/", b"p/a.txt"];
    assert_eq!(names, expected);
    assert_eq!(jar.find(b"p/a.txt").expect("well-formed").as_deref(), Some(TEXT));
    let manifest = jar.manifest().expect("well-formed").expect("there");
    assert_eq!(manifest.main_attribute("Main-Class"), Some("p.Main"));
    assert!(manifest.main_attribute("Created-By").is_some_and(|by| by.starts_with("17.")));
}

#[test]
fn damage_never_panics() {
    let scratch = Scratch::new("damage");
    let path = scratch.0.join("a.jar");
    make(&path, CompressionMethod::Deflated, &ENTRIES);
    let good = std::fs::read(&path).expect("just written");
    let check = |bytes: &[u8]| {
        let mut wrong_contents = 0;
        std::fs::write(&path, bytes).expect("temporary file");
        let Ok(jar) = Jar::open(&path) else { return 0 };
        for (name, contents) in ENTRIES {
            if let Ok(Some(found)) = jar.find(name.as_bytes()) {
                wrong_contents += usize::from(found != contents);
            }
        }
        drop(jar.manifest());
        wrong_contents
    };
    for length in 0..good.len() {
        assert_eq!(check(&good[..length]), 0, "cut off after {length} bytes");
    }
    for at in 0..good.len() {
        for value in [0, 0xff, good[at] ^ 1] {
            let mut bad = good.clone();
            bad[at] = value;
            // No panic. The contents may have changed: checksums are not looked at.
            let changed = check(&bad);
            assert!(changed <= 1, "byte {at} as {value} changed {changed} entries");
        }
    }
}

#[test]
fn no_jar_at_all() {
    let missing = Jar::open(Path::new("/nonexistent.jar")).expect_err("missing");
    assert!(matches!(missing.kind, ErrorKind::Io(_)), "{missing}");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    let text = Jar::open(&source).expect_err("text");
    assert!(matches!(text.kind, ErrorKind::Corrupt(_)), "{text}");
}

#[test]
fn boot_path_searches_in_order() {
    let scratch = Scratch::new("boot");
    let (first, second) = (scratch.0.join("first"), scratch.0.join("second.jar"));
    std::fs::create_dir_all(first.join("p")).expect("temporary directory");
    std::fs::write(first.join("p/InBoth.class"), b"from the directory").expect("temporary file");
    make(
        &second,
        CompressionMethod::Deflated,
        &[
            ("p/InBoth.class", b"from the jar"),
            ("p/InJar.class", TEXT),
            ("java/lang/Object.class", b"not this one"),
        ],
    );
    let list = format!("{}::/nonexistent:{}", first.display(), second.display());
    let path = BootPath::open(Path::new(JDK), Some(list.as_ref())).expect("the installed JDK");
    assert_eq!(path.appended_paths(), [first.clone(), second.clone()]);

    let find = |name: &[u8]| path.find_class(name).expect("well-formed");
    let object = find(b"java/lang/Object").expect("there");
    assert_eq!(object.origin, Origin::Module("java.base"));
    assert_eq!(object[..4], [0xca, 0xfe, 0xba, 0xbe]);
    let sql = find(b"java/sql/Driver").expect("there");
    assert_eq!(sql.origin, Origin::Module("java.sql"));
    let both = find(b"p/InBoth").expect("there");
    assert_eq!(&both[..], b"from the directory");
    assert_eq!(both.origin, Origin::Appended { index: 0, path: first });
    let jar = find(b"p/InJar").expect("there");
    assert_eq!(&jar[..], TEXT);
    assert_eq!(jar.origin, Origin::Appended { index: 1, path: second });
    assert!(find(b"p/Nowhere").is_none());
    assert!(find(b"Nowhere").is_none());

    let appended = path.find_class_appended(b"java/lang/Object").expect("well-formed");
    assert_eq!(&appended.expect("there")[..], b"not this one");
    let in_module = path.find_class_in_module("java.sql", b"java/sql/Driver");
    assert!(in_module.expect("well-formed").is_some());
    let elsewhere = path.find_class_in_module("java.sql", b"java/lang/Object");
    assert!(elsewhere.expect("well-formed").is_none());
    let resource = path.find_resource("java/lang/Object.class").expect("well-formed");
    assert_eq!(resource.expect("there").origin, Origin::Module("java.base"));
    let resource = path.find_resource("p/InJar.class").expect("well-formed");
    assert_eq!(&resource.expect("there")[..], TEXT);
}
