//! The passes: functions in textual form, before and after.
//!
//! `tests/golden/passes/NAME/CASE.ir` holds what the case is about (a comment), a function, a line `=>`, and the
//! function as pass NAME leaves it. `KILN_BLESS=1` writes the second function anew; look at the difference.

mod generate;
#[path = "../heap_support/mod.rs"]
mod heap_support;
mod oracle;
mod round_trip;
mod world;

use jvm::compiler::ir::parse::{assert_round_trip, parse};
use jvm::compiler::ir::print::canonical;
use jvm::compiler::ir::verify::verify;
use jvm::compiler::passes::PASSES;
use std::path::Path;
use world::World;

/// Runs pass `name` on the case in `text`; the file as it should be.
fn run(name: &str, text: &str) -> Result<String, String> {
    let pass = PASSES.iter().find(|p| p.name == name).ok_or("no pass has this name")?;
    let (input, _) = text.split_once("\n=>\n").unwrap_or((text, ""));
    let mut f = parse(input, World::get()).map_err(|e| e.to_string())?;
    let valid = |f: &_, when: &str| match &verify(f)[..] {
        [] => Ok(()),
        problems => Err(format!("{when} it is broken:\n{}\n{f}", problems.join("\n"))),
    };
    valid(&f, "before the pass")?;
    assert_round_trip(&f, "before the pass");
    let before = canonical(&f);
    let changed = (pass.run)(&mut f);
    valid(&f, "after the pass")?;
    assert_round_trip(&f, "after the pass");
    let after = canonical(&f);
    if !changed && before != after {
        return Err(format!("the pass says it has changed nothing:\n{after}"));
    }
    Ok(format!("{}\n=>\n{after}", input.trim_end()))
}

#[test]
fn golden() {
    let bless = std::env::var_os("KILN_BLESS").is_some();
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/passes");
    let (mut wrong, mut cases) = (Vec::new(), 0);
    for dir in std::fs::read_dir(top).unwrap().map(|d| d.unwrap().path()) {
        let name = dir.file_name().unwrap().to_str().unwrap();
        for path in std::fs::read_dir(&dir).unwrap().map(|d| d.unwrap().path()) {
            let text = std::fs::read_to_string(&path).unwrap();
            cases += 1;
            match run(name, &text) {
                Ok(should) if should == text => {}
                Ok(should) if bless => std::fs::write(&path, should).unwrap(),
                Ok(should) => wrong.push(format!("{}: is now\n{should}", path.display())),
                Err(e) => wrong.push(format!("{}: {e}", path.display())),
            }
        }
    }
    assert!(cases > 0, "no cases");
    assert!(wrong.is_empty(), "{} of {cases} differ (KILN_BLESS=1 renews):\n{}", wrong.len(), wrong.join("\n"));
}

/// Every pass has its cases.
#[test]
fn every_pass_is_tested() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/passes");
    for p in PASSES {
        let n = std::fs::read_dir(top.join(p.name)).map_or(0, Iterator::count);
        assert!(n >= 6, "pass {} has {n} cases", p.name);
    }
}
