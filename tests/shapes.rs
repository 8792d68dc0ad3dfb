//! What compiled code looks like: `tests/shapes/*.java` are programs with assertions about the IR that tier 4 makes
//! of their methods.
//!
//! A program's main method calls what is asserted about often enough for it to be compiled. Assertions are
//! comment lines, `method` being a name in the class of the file, or `Class::name`:
//!
//! * `// shape method: inlines Class::name` - `-XX:+PrintInlining` says that this call, made by the method or by
//!   what it inlines, was inlined.
//! * `// shape method: calls Class::name, reason` - that it was not, and why.
//! * `// shape method: no text` - the optimized IR does not contain the text; `no call` for calls of any kind.
//! * `// shape method: has text` - it does.
//!
//! The last compile by tier 4 from the method's start counts. A line `// vmargs:` adds options. The program must
//! exit with 0, and print what HotSpot prints is the fixtures' business.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

struct Assertion {
    method: String,
    kind: String,
    text: String,
    line: usize,
}

fn main() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let filter: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with('-')).collect();
    let mut sources: Vec<PathBuf> = std::fs::read_dir(top.join("tests/shapes"))
        .expect("tests/shapes is there")
        .map(|e| e.expect("it can be read").path())
        .filter(|p| p.extension().is_some_and(|e| e == "java"))
        .filter(|p| filter.is_empty() || filter.iter().any(|f| p.to_string_lossy().contains(f.as_str())))
        .collect();
    sources.sort();
    assert!(!sources.is_empty(), "no program is called so");
    let classes = top.join("target/shapes");
    std::fs::create_dir_all(&classes).expect("a directory can be made");
    let mut failures = 0;
    let mut checked = 0;
    for source in &sources {
        let (n, failed) = check(top, source, &classes);
        checked += n;
        for f in &failed {
            println!("FAIL {}: {f}", source.file_name().unwrap_or_default().to_string_lossy());
        }
        failures += failed.len();
    }
    println!("{} assertions, {failures} failed", checked);
    if failures > 0 {
        std::process::exit(1);
    }
}

fn assertions(text: &str) -> Vec<Assertion> {
    text.lines()
        .enumerate()
        .filter_map(|(i, l)| Some((i + 1, l.trim().strip_prefix("// shape ")?)))
        .map(|(line, l)| {
            let (method, rest) = l.split_once(": ").unwrap_or_else(|| panic!("line {line}: no colon"));
            let (kind, text) = rest.split_once(' ').unwrap_or_else(|| panic!("line {line}: nothing is asserted"));
            Assertion { method: method.into(), kind: kind.into(), text: text.trim().into(), line }
        })
        .collect()
}

fn check(top: &Path, source: &Path, classes: &Path) -> (usize, Vec<String>) {
    let text = std::fs::read_to_string(source).expect("the source can be read");
    let name = source.file_stem().expect("it has a name").to_string_lossy().into_owned();
    let asserted = assertions(&text);
    assert!(!asserted.is_empty(), "{name} asserts nothing");
    let home = std::env::var("JAVA_HOME").unwrap_or_else(|_| "/usr/lib/jvm/java-17-openjdk-amd64".into());
    let javac = Command::new(format!("{home}/bin/javac")).arg("-d").arg(classes).arg(source).output();
    let javac = javac.expect("javac can be run");
    assert!(javac.status.success(), "{}", String::from_utf8_lossy(&javac.stderr));
    let kiln = std::env::var_os("SHAPES_VM").map_or(top.join("target/release/kiln"), PathBuf::from);
    let mut vm = Command::new(kiln);
    vm.args(["-XX:-BackgroundCompilation", "-XX:+UnlockDiagnosticVMOptions", "-XX:+PrintCompilation"]);
    vm.args(["-XX:+PrintInlining", "-XX:CICompilerCount=2"]);
    for l in text.lines().filter_map(|l| l.strip_prefix("// vmargs:")) {
        vm.args(l.split_whitespace());
    }
    let mut methods: Vec<&str> = asserted.iter().map(|a| a.method.as_str()).collect();
    methods.dedup();
    for m in methods {
        let (class, method) = m.split_once("::").unwrap_or((&name, m));
        vm.arg(format!("-XX:CompileCommand=PrintIR,{class}::{method}"));
    }
    let Output { status, stdout, stderr } = vm.arg("-cp").arg(classes).arg(&name).output().expect("the VM can be run");
    let out = String::from_utf8_lossy(&stdout);
    if !status.success() {
        return (asserted.len(), vec![format!("{status}: {}{}", last_lines(&out), String::from_utf8_lossy(&stderr))]);
    }
    let failed = asserted.iter().filter_map(|a| {
        violated(a, &name, &out).map(|why| format!("line {}: {} {} {}: {why}", a.line, a.method, a.kind, a.text))
    });
    (asserted.len(), failed.collect())
}

fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(5)..].join("\n")
}

/// Why the output does not show what is asserted.
fn violated(a: &Assertion, class: &str, out: &str) -> Option<String> {
    let (class, method) = a.method.split_once("::").unwrap_or((class, &a.method));
    match a.kind.as_str() {
        "no" | "has" => {
            let Some(ir) = optimized(out, class, method) else { return Some("not compiled by tier 4".into()) };
            // ` = call.virtual …`, `call.static …`, but no `call_runtime`.
            let is_call = |l: &str| l.split(" = ").last().is_some_and(|o| o.trim_start().starts_with("call."));
            let hit = match a.text.as_str() {
                "call" => ir.lines().find(|l| is_call(l)),
                text => ir.lines().find(|l| l.contains(text)),
            };
            match (a.kind.as_str(), hit) {
                ("no", Some(l)) => Some(format!("there is:{l}")),
                ("has", None) => Some(format!("there is none in\n{ir}")),
                _ => None,
            }
        }
        "inlines" | "calls" => {
            let decisions = decisions(out, class, method);
            if decisions.is_empty() {
                return Some("no tier 4 compile with calls".into());
            }
            let (callee, reason) = a.text.split_once(", ").unwrap_or((&a.text, ""));
            let of_callee: Vec<&&str> = decisions.iter().filter(|d| d.contains(&format!(" {callee} ("))).collect();
            if of_callee.is_empty() {
                return Some(format!("no such call in\n{}", decisions.join("\n")));
            }
            let inlined = |d: &str| ["inline", "accessor", "(intrinsic)"].iter().any(|w| verdict(d).contains(w));
            let ok = of_callee.iter().all(|d| match a.kind.as_str() {
                "inlines" => inlined(d) && !verdict(d).contains("don't"),
                _ => verdict(d).contains(reason),
            });
            (!ok).then(|| of_callee.iter().map(|d| d.trim()).collect::<Vec<_>>().join("; "))
        }
        other => Some(format!("'{other}' is no assertion")),
    }
}

/// What stands behind the size of the method in a line of `-XX:+PrintInlining`.
fn verdict(line: &str) -> &str {
    line.split_once(" bytes)").map_or("", |l| l.1)
}

/// The last listing of the method's optimized IR that tier 4 made from its start.
fn optimized<'a>(out: &'a str, class: &str, method: &str) -> Option<&'a str> {
    let head = format!("{class}.{method}(");
    let mut found = None;
    for (at, _) in out.match_indices(" tier 4, optimized:\n") {
        let line = out[..at].rfind('\n').map_or(0, |i| i + 1);
        if out[line..at].contains(&head) {
            let body = &out[at..];
            let body = &body[..body.find("\n}").unwrap_or(body.len())];
            if !body.contains(" (osr ") {
                found = Some(body);
            }
        }
    }
    found
}

/// The lines of `-XX:+PrintInlining` for the last such compile.
fn decisions<'a>(out: &'a str, class: &str, method: &str) -> Vec<&'a str> {
    let head = format!("{class}::{method} (");
    let lines: Vec<&str> = out.lines().collect();
    let is_compile = |l: &str| {
        let words: Vec<&str> = l.split_whitespace().collect();
        words.len() > 3 && words[0].parse::<u64>().is_ok() && words[1].parse::<u64>().is_ok()
    };
    let start = lines.iter().rposition(|l| {
        is_compile(l) && l.contains(&head) && l.split_whitespace().any(|w| w == "4") && !l.contains("made not entrant")
    });
    let Some(start) = start else { return vec![] };
    let rest = &lines[start + 1..];
    // Behind the listings of the IR.
    let end = rest.iter().position(|l| is_compile(l)).unwrap_or(rest.len());
    // Marks of synchronized methods and the like stand before the bytecode index.
    let is_decision = |l: &&str| l.trim_start_matches([' ', 's', '!', 'm']).starts_with("@ ");
    rest[..end].iter().copied().filter(is_decision).collect()
}
