//! The installed HotSpot judges thousands of damaged class files: we must give the same exceptions
//! with the same messages.

use std::path::Path;
use std::process::Command;

use super::{compile, JDK, SPECIMENS};
use crate::classfile::{parse, ParseOptions};

/// Defines each class of a file (length, bytes, ...) in a loader of its own; one line for each.
const DEFINER: &str = r#"
import java.io.*;
import java.nio.charset.StandardCharsets;
import java.nio.file.*;

public class Definer extends ClassLoader {
    public static void main(String[] args) throws Exception {
        StringBuilder out = new StringBuilder();
        try (DataInputStream in = new DataInputStream(
                new BufferedInputStream(Files.newInputStream(Path.of(args[0]))))) {
            for (int n = in.readInt(); n > 0; n--) {
                byte[] bytes = in.readNBytes(in.readInt());
                try {
                    new Definer().defineClass(null, bytes, 0, bytes.length);
                    out.append("ok");
                } catch (Throwable t) {
                    String message = String.valueOf(t.getMessage());
                    out.append(t.getClass().getName().replace('.', '/')).append(": ");
                    out.append(message.replace("\n", "\\n").replace("\r", "\\r"));
                }
                out.append('\n');
            }
        }
        Files.write(Path.of(args[1]), out.toString().getBytes(StandardCharsets.UTF_8));
    }
}
"#;

/// What HotSpot says of each of `classes`.
fn hotspot(directory: &Path, classes: &[Vec<u8>]) -> Vec<String> {
    compile(directory, &[("Definer.java", DEFINER)]);
    let mut input = (classes.len() as u32).to_be_bytes().to_vec();
    for class in classes {
        input.extend((class.len() as u32).to_be_bytes());
        input.extend(class);
    }
    std::fs::write(directory.join("input"), input).expect("temporary file");
    let status = Command::new(format!("{JDK}/bin/java"))
        .current_dir(directory)
        .args(["-cp", "out", "Definer", "input", "output"])
        .status()
        .expect("java runs");
    assert!(status.success());
    let output = std::fs::read_to_string(directory.join("output")).expect("UTF-8");
    output.lines().map(str::to_owned).collect()
}

fn ours(class: &[u8]) -> String {
    match parse(class, &ParseOptions::default()) {
        Ok(_) => "ok".to_owned(),
        Err(error) => {
            let message = error.message.replace('\n', "\\n").replace('\r', "\\r");
            format!("{}: {message}", error.class)
        }
    }
}

/// Whether an answer is about the format, and not about other classes or what the loader forbids.
fn is_about_format(answer: &str) -> bool {
    answer.starts_with("java/lang/ClassFormatError")
        || answer.starts_with("java/lang/UnsupportedClassVersionError")
        || answer.contains("ACC_MODULE")
}

#[test]
fn agrees_with_hotspot() {
    let directory = std::env::temp_dir().join(format!("kiln-oracle-{}", std::process::id()));
    let originals = compile(&directory.join("specimens"), &[("Specimens.java", SPECIMENS)]);
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = |limit: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        (random % limit as u64) as usize
    };
    let mut classes = Vec::new();
    for (_, good) in &originals {
        classes.push(good.clone());
        for change in 0..1200 {
            let mut bad = good.clone();
            // Old versions have rules of their own.
            if change % 3 == 0 {
                bad[7] = [45, 47, 48, 49, 50, 51, 52, 54, 55, 59, 60, 62][next(12)];
            }
            for _ in 0..=next(2) {
                let at = next(bad.len());
                let value = bad[at];
                bad[at] = match next(4) {
                    0 => next(256) as u8,
                    1 => value.wrapping_add(1),
                    2 => value.wrapping_sub(1),
                    _ => value ^ 1 << next(8),
                };
            }
            if next(50) == 0 {
                bad.truncate(next(bad.len()));
            }
            classes.push(bad);
        }
    }
    let theirs = hotspot(&directory, &classes);
    assert_eq!(theirs.len(), classes.len());
    let mut rejected = 0;
    let mut differences = Vec::new();
    for (class, theirs) in classes.iter().zip(&theirs) {
        let ours = ours(class);
        rejected += usize::from(is_about_format(theirs));
        // HotSpot looks for superclass and interfaces halfway through; if it does not get past that
        // there is no telling what it would have found further on.
        let beyond = !is_about_format(theirs) && theirs != "ok";
        // HotSpot reads the count of MethodParameters without looking whether the file goes on.
        let over_read = ours.ends_with("Truncated class file")
            && theirs.contains("Invalid MethodParameters method attribute length");
        let same = ours == *theirs || beyond || over_read;
        if !same {
            differences.push(format!("HotSpot: {theirs}\nKiln:    {ours}"));
        }
    }
    std::fs::remove_dir_all(&directory).expect("temporary directory");
    assert!(rejected > 2000, "only {rejected} rejected");
    differences.sort();
    differences.dedup();
    assert!(differences.is_empty(), "{} differ:\n{}", differences.len(), differences.join("\n"));
}
