//! No bytes whatever make the reader panic.

use super::{compile, jdk_image, SPECIMENS};
use crate::classfile::{parse, ParseOptions};

fn try_all(bytes: &[u8]) -> bool {
    let strict = ParseOptions::default();
    let boot = ParseOptions { check_format: false, vm_annotations: true, ..strict };
    let first = parse(bytes, &strict).is_ok();
    first | parse(bytes, &boot).is_ok()
}

#[test]
fn truncated_and_changed_class_files() {
    let directory = std::env::temp_dir().join(format!("kiln-damage-{}", std::process::id()));
    let classes = compile(&directory, &[("Specimens.java", SPECIMENS)]);
    std::fs::remove_dir_all(&directory).expect("temporary directory");
    assert!(classes.len() >= 8);
    for (name, good) in &classes {
        assert!(try_all(good), "{name}");
        for length in 0..good.len() {
            assert!(!try_all(&good[..length]), "{name} cut to {length} bytes");
        }
        for at in 0..good.len() {
            for value in [0, 1, 0x7f, 0x80, 0xff, good[at].wrapping_add(1), good[at] ^ 0x20] {
                let mut bad = good.clone();
                bad[at] = value;
                try_all(&bad);
            }
        }
    }
}

#[test]
fn changed_classes_of_the_jdk() {
    let image = jdk_image();
    let mut random = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = |limit: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        (random % limit as u64) as usize
    };
    let mut survived = 0;
    for entry in image.entries().step_by(97) {
        let entry = entry.expect("well-formed");
        if entry.extension != "class" {
            continue;
        }
        let good = image.read(&entry).expect("well-formed").into_owned();
        for _ in 0..40 {
            let mut bad = good.clone();
            for _ in 0..=next(3) {
                let at = next(bad.len());
                bad[at] = next(256) as u8;
            }
            survived += usize::from(try_all(&bad));
        }
    }
    // Most changes hit bytecode or text, where nothing is wrong with them.
    assert!(survived > 1000, "{survived}");
}
