use std::io::Write;
use std::process::Command;

use super::*;
use crate::classpath::ErrorKind;

const JDK: &str = "/usr/lib/jvm/java-17-openjdk-amd64";

fn installed() -> JImage {
    JImage::open(&Path::new(JDK).join("lib/modules")).expect("the installed JDK's image")
}

/// A resource of a made-up image.
struct Made<'a> {
    module: &'a str,
    parent: &'a str,
    base: &'a str,
    extension: &'a str,
    stored: Vec<u8>,
    uncompressed: u64,
    compressed: bool,
}

fn plain<'a>(module: &'a str, parent: &'a str, base: &'a str, contents: &[u8]) -> Made<'a> {
    let (base, extension) = base.split_once('.').unwrap_or((base, ""));
    Made {
        module,
        parent,
        base,
        extension,
        stored: contents.to_vec(),
        uncompressed: contents.len() as u64,
        compressed: false,
    }
}

fn zipped<'a>(mut resource: Made<'a>, decompressor: u32) -> Made<'a> {
    let mut encoder =
        flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(&resource.stored).expect("to memory");
    let data = encoder.finish().expect("to memory");
    let mut stored = RESOURCE_MAGIC.to_le_bytes().to_vec();
    stored.extend((data.len() as u64).to_le_bytes());
    stored.extend((resource.stored.len() as u64).to_le_bytes());
    stored.extend(decompressor.to_le_bytes());
    stored.extend([0; 4]);
    stored.push(1);
    stored.extend(data);
    resource.stored = stored;
    resource.compressed = true;
    resource
}

/// Offset of "zip" in the strings table of `image`, and of a decompressor that nobody knows.
const ZIP: u32 = 1;
const UNKNOWN: u32 = 5;

/// Slots of a made-up image's table. A prime, for modulo a power of two the hash keeps no more than
/// its low bits, and no seed parts what collides.
const SLOTS: u32 = 11;

/// Builds an image. Where several resources hash to one slot, seeds are tried until they part, as
/// the class library's ImageBuilder does.
fn image(resources: &[Made<'_>]) -> Vec<u8> {
    let mut strings = b"\0zip\0mystery\0".to_vec();
    let mut intern = |text: &str| {
        if text.is_empty() {
            return 0;
        }
        let at = strings.len() as u64;
        strings.extend(text.as_bytes());
        strings.push(0);
        at
    };
    let count = SLOTS;
    let mut locations = vec![0];
    let mut data: Vec<u8> = Vec::new();
    let mut location_offsets = Vec::new();
    let mut buckets = vec![Vec::new(); SLOTS as usize];
    let mut paths = Vec::new();
    for (n, resource) in resources.iter().enumerate() {
        location_offsets.push(locations.len() as u32);
        let attributes = [
            (1, intern(resource.module)),
            (2, intern(resource.parent)),
            (3, intern(resource.base)),
            (4, intern(resource.extension)),
            (5, data.len() as u64),
            (6, if resource.compressed { resource.stored.len() as u64 } else { 0 }),
            (7, resource.uncompressed),
        ];
        for (kind, value) in attributes {
            locations.push(kind << 3 | 7);
            locations.extend(value.to_be_bytes());
        }
        locations.push(0);
        data.extend(&resource.stored);
        let mut path = String::new();
        if !resource.module.is_empty() {
            path += &format!("/{}/", resource.module);
        }
        if !resource.parent.is_empty() {
            path += &format!("{}/", resource.parent);
        }
        path += resource.base;
        if !resource.extension.is_empty() {
            path += &format!(".{}", resource.extension);
        }
        buckets[(hash(&[path.as_bytes()], HASH_MULTIPLIER) % count) as usize].push(n);
        paths.push(path);
    }
    let mut redirect = vec![0i32; SLOTS as usize];
    let mut offsets = vec![None; SLOTS as usize];
    let mut order: Vec<usize> = (0..buckets.len()).collect();
    order.sort_by_key(|&bucket| std::cmp::Reverse(buckets[bucket].len()));
    for bucket in order {
        match buckets[bucket][..] {
            [] => {}
            [only] => {
                let slot = offsets.iter().position(Option::is_none).expect("a slot is left");
                offsets[slot] = Some(location_offsets[only]);
                redirect[bucket] = -1 - slot as i32;
            }
            ref several => {
                let (seed, slots) = (1..10_000)
                    .find_map(|seed| {
                        let mut slots: Vec<u32> = several
                            .iter()
                            .map(|&n| hash(&[paths[n].as_bytes()], seed as u32) % count)
                            .collect();
                        let chosen = slots.clone();
                        slots.sort_unstable();
                        slots.dedup();
                        let free = slots.iter().all(|&slot| offsets[slot as usize].is_none());
                        (free && slots.len() == chosen.len()).then_some((seed, chosen))
                    })
                    .expect("some seed parts them");
                redirect[bucket] = seed;
                for (&n, slot) in several.iter().zip(slots) {
                    offsets[slot as usize] = Some(location_offsets[n]);
                }
            }
        }
    }
    let mut out = Vec::new();
    let header = [
        MAGIC,
        MAJOR_VERSION << 16 | MINOR_VERSION,
        0,
        count,
        count,
        locations.len() as u32,
        strings.len() as u32,
    ];
    out.extend(header.iter().flat_map(|field| field.to_le_bytes()));
    out.extend(redirect.iter().flat_map(|seed| seed.to_le_bytes()));
    out.extend(offsets.iter().flat_map(|offset| offset.unwrap_or(0).to_le_bytes()));
    out.extend(locations);
    out.extend(strings);
    out.extend(data);
    out
}

fn sample() -> Vec<u8> {
    let text = "compress me, compress me, compress me, compress me".as_bytes();
    // The decompressor's table of modules: (is empty, name).
    let mut image = image(&[
        plain("java.base", "java/lang", "Object.class", b"an object"),
        plain("java.base", "java/lang", "String.class", b"a string"),
        plain("java.base", "", "module-info.class", b"a module"),
        plain("my.module", "p", "noextension", b"x"),
        zipped(plain("my.module", "p", "zipped.txt", text), ZIP),
        zipped(plain("my.module", "p", "twice.txt", text), ZIP),
        zipped(plain("my.module", "p", "odd.txt", text), UNKNOWN),
        plain("", "/packages", "java.lang", &[1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0]),
    ]);
    image.extend([0; 3]);
    image
}

fn open(bytes: &[u8], name: &str) -> Result<JImage, ClassPathError> {
    let path = std::env::temp_dir().join(format!("kiln-jimage-{}-{name}", std::process::id()));
    std::fs::write(&path, bytes).expect("temporary file");
    let opened = JImage::open(&path);
    std::fs::remove_file(&path).expect("temporary file");
    opened
}

#[test]
fn made_image() {
    let image = open(&sample(), "made").expect("well-formed");
    let find = |module: &str, name: &str| image.find_resource(module, name).expect("well-formed");
    assert_eq!(find("java.base", "java/lang/Object.class").as_deref(), Some(&b"an object"[..]));
    assert_eq!(find("java.base", "java/lang/String.class").as_deref(), Some(&b"a string"[..]));
    assert_eq!(find("java.base", "module-info.class").as_deref(), Some(&b"a module"[..]));
    assert_eq!(find("my.module", "p/noextension").as_deref(), Some(&b"x"[..]));
    let zipped = find("my.module", "p/zipped.txt").expect("there");
    assert!(matches!(zipped, Cow::Owned(_)));
    assert_eq!(&zipped[..], b"compress me, compress me, compress me, compress me");
    assert_eq!(find("java.base", "java/lang/Nothing.class"), None);
    assert_eq!(find("java.base", "java/lang/Object"), None);
    assert_eq!(find("java.bas", "e/java/lang/Object.class"), None);
    assert_eq!(
        image.find_class("java.base", b"java/lang/Object").expect("well-formed").as_deref(),
        Some(&b"an object"[..])
    );
    assert_eq!(image.package_to_module("java/lang").expect("well-formed"), Some("mystery"));
    assert_eq!(image.package_to_module("java/nothing").expect("well-formed"), None);
    assert_eq!(image.modules().expect("well-formed"), ["java.base", "my.module"]);
    let error = image.find_resource("my.module", "p/odd.txt").expect_err("unknown compression");
    assert!(matches!(error.kind, ErrorKind::Unsupported(_)), "{error}");
    assert!(error.to_string().contains("jlink's plug-in 'mystery'"), "{error}");
}

/// Looks at everything in `image`; what it returns does not matter, only that it returns.
fn use_all(image: &JImage) -> usize {
    let mut seen = 0;
    for entry in image.entries().flatten() {
        seen += usize::from(image.read(&entry).is_ok());
    }
    for (module, name) in [
        ("java.base", "java/lang/Object.class"),
        ("java.base", "module-info.class"),
        ("my.module", "p/zipped.txt"),
        ("my.module", "p/noextension"),
    ] {
        seen += usize::from(image.find_resource(module, name).is_ok());
    }
    seen += usize::from(image.package_to_module("java/lang").is_ok());
    seen + usize::from(image.modules().is_ok())
}

#[test]
fn damage_never_panics() {
    let good = sample();
    assert_eq!(use_all(&open(&good, "good").expect("well-formed")), 10 + 6);
    let mut rejected = 0;
    for length in 0..good.len() {
        match open(&good[..length], "cut") {
            Ok(image) => rejected += usize::from(use_all(&image) < 16),
            Err(_) => rejected += 1,
        }
    }
    // Only the three bytes of padding may go unmissed.
    assert!(rejected >= good.len() - 3 && rejected <= good.len(), "{rejected} of {}", good.len());
    for at in 0..good.len() {
        for value in [0, 0x7f, 0x80, 0xff, good[at] ^ 1] {
            let mut bad = good.clone();
            bad[at] = value;
            if let Ok(image) = open(&bad, "changed") {
                use_all(&image);
            }
        }
    }
}

#[test]
fn refuses_other_files() {
    let reason = |bytes: &[u8]| open(bytes, "other").expect_err("no image").to_string();
    assert!(reason(b"").contains("too short"));
    assert!(reason(&[0; 64]).contains("not a run-time image"));
    let mut big_endian = sample();
    big_endian[..4].copy_from_slice(&MAGIC.to_be_bytes());
    assert!(reason(&big_endian).contains("big-endian"));
    let mut newer = sample();
    newer[6] = 2;
    assert!(reason(&newer).contains("image format 2.0"));
    let missing = JImage::open(Path::new("/nonexistent/modules")).expect_err("missing");
    assert!(matches!(missing.kind, ErrorKind::Io(_)));
}

/// The JDK's own tool must list the same entries as we do.
#[test]
fn agrees_with_the_jimage_tool() {
    let image = installed();
    let output = Command::new(format!("{JDK}/bin/jimage"))
        .args(["list", &format!("{JDK}/lib/modules")])
        .output()
        .expect("jimage runs");
    assert!(output.status.success());
    let listing = String::from_utf8(output.stdout).expect("ASCII");
    let mut expected = Vec::new();
    let (mut module, mut package) = ("", "");
    for line in listing.lines() {
        if let Some(name) = line.strip_prefix("Module: ") {
            (module, package) = (name.trim(), "");
        } else if let Some(name) = line.strip_prefix("Package: ") {
            package = name.trim();
        } else if let Some(name) = line.strip_prefix("    ").filter(|_| !module.is_empty()) {
            let name = name.trim();
            expected.push(match package {
                "" => format!("{module} {name}"),
                _ => format!("{module} {}/{name}", package.replace('.', "/")),
            });
        }
    }
    assert!(expected.len() > 25_000, "{} entries listed", expected.len());
    let mut found = Vec::new();
    for entry in image.entries() {
        let entry = entry.expect("well-formed");
        if !matches!(entry.module, "" | "modules" | "packages") {
            found.push(format!("{} {}", entry.module, entry.name()));
            let contents = image.find_resource(entry.module, &entry.name()).expect("well-formed");
            let Some(contents) = contents else { panic!("{entry:?} is not found") };
            assert_eq!(contents.len() as u64, entry.size, "{entry:?}");
        }
    }
    expected.sort_unstable();
    found.sort_unstable();
    let missing: Vec<_> = expected.iter().filter(|e| found.binary_search(e).is_err()).collect();
    let surplus: Vec<_> = found.iter().filter(|e| expected.binary_search(e).is_err()).collect();
    assert!(missing.is_empty() && surplus.is_empty(), "{missing:?} {surplus:?}");
}

#[test]
fn packages_and_modules_of_the_installed_image() {
    let image = installed();
    for (package, module) in [
        ("java/lang", Some("java.base")),
        ("java/util/concurrent/atomic", Some("java.base")),
        ("java/sql", Some("java.sql")),
        ("com/sun/tools/javac/main", Some("jdk.compiler")),
        ("no/such", None),
        ("", None),
    ] {
        assert_eq!(image.package_to_module(package).expect("well-formed"), module, "{package}");
    }
    let modules = image.modules().expect("well-formed");
    assert!(modules.contains(&"java.base") && modules.contains(&"jdk.jlink"));
    assert!(!modules.contains(&"packages") && !modules.contains(&""));
}
