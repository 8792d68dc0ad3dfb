//! The fixture runner: every `tests/fixtures/*.java` on HotSpot and on the VM under test,
//! whose standard output, normalised standard error and exit code must be equal.
//!
//! ```text
//! cargo test --release --test fixtures                            all, target/release/kiln
//! cargo test --release --test fixtures -- --filter Foo            those whose name contains Foo
//! cargo test --release --test fixtures -- --mode gcstress
//! ```
//!
//! Options (each can also come from the environment variable in brackets):
//!
//! * `--mode default|xint|gcstress|arm64` [`FIXTURES_MODE`]: `default` runs
//!   `target/release/kiln`, `xint` adds `-Xint`, `gcstress` adds `-XX:+GCStress`, `arm64` runs
//!   `scripts/kiln-arm64`. Time limits are multiplied by 1, 2, 10 and 15.
//! * `--vm PATH` [`FIXTURES_VM`]: another VM than the mode's; anything that takes `java`'s options.
//! * `--vmargs 'A B'` [`FIXTURES_VMARGS`]: options put before the fixture's own.
//! * `--filter TEXT` [`FIXTURES_FILTER`]: names containing TEXT; repeatable; `=Name` is exact.
//! * `--sample N/M` [`FIXTURES_SAMPLE`]: N of every M fixtures, spread over the whole list.
//! * `--shard I/M` [`FIXTURES_SHARD`]: the I-th (from 1) of M disjoint parts.
//! * `--jobs N` [`FIXTURES_JOBS`]: so many at once (default 2).
//! * `--timeout-factor F` [`FIXTURES_TIMEOUT_FACTOR`]: multiplies every time limit further.
//! * `--list`: names only; `--verbose`: a line for passes and skips too.
//!
//! `JAVA_HOME` names the JDK of the oracle (default: Debian's OpenJDK 17). Compiled fixtures,
//! expected results (keyed by a hash of the sources and the JDK's version) and what failing
//! fixtures really printed are under `target/fixtures/{classes,expected,actual}`.
//!
//! A fixture that starts another VM starts the command `FIXTURE_VM` of its environment: under
//! qemu the running executable is not one that this machine could start.
//!
//! Directives in a fixture's leading comment lines: `// args:`, `// vmargs:`, `// javac:`,
//! `// stdin:` (with `\n`, `\t`, `\\`), `// skip-arm64: reason`, `// skip-gcstress: reason`,
//! `// timeout: seconds` (default 20, before the mode's factor).
//!
//! Programs that `tests/fixtures/known-failures` lists for the mode are run and must fail; they
//! count as skipped.
//!
//! One line per failure, then `N passed, N failed, N skipped`; exit status 1 if any failed.

use std::collections::hash_map::DefaultHasher;
use std::collections::BTreeMap;
use std::hash::Hasher;
use std::io::{Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Mutex;
use std::time::{Duration, Instant};
use std::{env, fs, thread};

/// Part of every cache key: raise it when what is run or recorded changes.
const CACHE_VERSION: u32 = 2;
/// HotSpot's tier 4 leaves the message and the trace of an exception that is thrown often away; when it does depends
/// on when it has compiled what.
const ORACLE_ARGS: [&str; 1] = ["-XX:-OmitStackTraceInFastThrow"];
/// Output beyond this many bytes is read and dropped, so that a runaway fixture ends by its limit.
const OUTPUT_CAP: usize = 8 << 20;
const DEFAULT_TIMEOUT_SECONDS: f64 = 20.0;

/// What `--mode` stands for.
struct Mode {
    name: &'static str,
    vm: &'static str,
    vmargs: &'static [&'static str],
    timeout_factor: f64,
}

const MODES: [Mode; 11] = [
    Mode {
        name: "default",
        vm: "target/release/kiln",
        vmargs: &[],
        timeout_factor: 1.0,
    },
    Mode {
        name: "xint",
        vm: "target/release/kiln",
        vmargs: &["-Xint"],
        timeout_factor: 2.0,
    },
    Mode {
        name: "gcstress",
        vm: "target/release/kiln",
        vmargs: &["-XX:+GCStress"],
        timeout_factor: 10.0,
    },
    Mode {
        name: "arm64",
        vm: "scripts/kiln-arm64",
        vmargs: &[],
        timeout_factor: 15.0,
    },
    Mode {
        name: "xcomp",
        vm: "target/release/kiln",
        vmargs: &["-Xcomp"],
        timeout_factor: 10.0,
    },
    Mode {
        name: "xcomp3",
        vm: "target/release/kiln",
        vmargs: &["-Xcomp", "-XX:TieredStopAtLevel=3"],
        timeout_factor: 10.0,
    },
    Mode {
        name: "eager",
        vm: "target/release/kiln",
        vmargs: &[
            "-XX:-BackgroundCompilation",
            "-XX:Tier0InvokeNotifyFreqLog=0",
            "-XX:Tier0BackedgeNotifyFreqLog=0",
            "-XX:Tier3InvokeNotifyFreqLog=0",
            "-XX:Tier3BackedgeNotifyFreqLog=0",
            "-XX:Tier3InvocationThreshold=1",
            "-XX:Tier3MinInvocationThreshold=1",
            "-XX:Tier3CompileThreshold=1",
            "-XX:Tier3BackEdgeThreshold=10",
            "-XX:Tier4InvocationThreshold=10",
            "-XX:Tier4MinInvocationThreshold=10",
            "-XX:Tier4CompileThreshold=10",
            "-XX:Tier4BackEdgeThreshold=100",
        ],
        timeout_factor: 20.0,
    },
    Mode {
        name: "deoptstress",
        vm: "target/release/kiln",
        vmargs: &["-XX:+DeoptStress"],
        timeout_factor: 20.0,
    },
    Mode {
        name: "gcxcomp",
        vm: "target/release/kiln",
        vmargs: &["-XX:+GCStress", "-Xcomp"],
        timeout_factor: 20.0,
    },
    Mode {
        name: "arm64xcomp",
        vm: "scripts/kiln-arm64",
        vmargs: &["-Xcomp"],
        timeout_factor: 40.0,
    },
    Mode {
        name: "arm64eager",
        vm: "scripts/kiln-arm64",
        vmargs: &["-XX:-BackgroundCompilation", "-XX:CompileThresholdScaling=0.01"],
        timeout_factor: 40.0,
    },
];

struct Options {
    mode: &'static Mode,
    vm: PathBuf,
    vmargs: Vec<String>,
    filters: Vec<String>,
    sample: Option<(usize, usize)>,
    shard: Option<(usize, usize)>,
    jobs: usize,
    timeout_factor: f64,
    list: bool,
    verbose: bool,
}

/// One `.java` file and its directives.
struct Fixture {
    name: String,
    source: PathBuf,
    text: Vec<u8>,
    args: Vec<String>,
    vmargs: Vec<String>,
    javac: Vec<String>,
    stdin: String,
    skip: BTreeMap<String, String>,
    timeout: f64,
}

/// What a run left: the exit code as a shell gives it (128 + signal), output, and whether it was killed.
#[derive(Clone, PartialEq)]
struct Outcome {
    code: i32,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
    timed_out: bool,
}

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(message) => {
            eprintln!("fixtures: {message}");
            ExitCode::from(2)
        }
    }
}

fn run() -> Result<bool, String> {
    let top = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let options = parse_options(&top)?;
    let fixtures = select(read_fixtures(&top)?, &options);
    if options.list {
        for fixture in &fixtures {
            println!("{}", fixture.name);
        }
        return Ok(true);
    }
    if fixtures.is_empty() {
        return Err("no fixture matches".into());
    }
    let work = top.join("target/fixtures");
    let jdk = Jdk::find()?;
    let support_hash = compile(&top, &work, &jdk)?;
    if !options.vm.is_file() {
        return Err(format!("no VM at {}", options.vm.display()));
    }

    let known = if options.vm.ends_with(options.mode.vm) {
        known_failures(&top, options.mode.name)?
    } else {
        BTreeMap::new()
    };
    let next = AtomicUsize::new(0);
    let results = Mutex::new((0usize, 0usize, 0usize));
    thread::scope(|scope| {
        for _ in 0..options.jobs {
            scope.spawn(|| {
                while let Some(fixture) = fixtures.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let mut verdict = check(fixture, &options, &work, &jdk, support_hash);
                    if let Some(reason) = known.get(&fixture.name) {
                        verdict = match verdict {
                            Verdict::Fail(why) => {
                                println!("KNOWN {}: {reason}: {why}", fixture.name);
                                Verdict::Skip(format!("known failure: {reason}"))
                            }
                            Verdict::Pass(_) => Verdict::Fail(
                                "passes: take it off tests/fixtures/known-failures".into(),
                            ),
                            skip => skip,
                        };
                    }
                    let mut counts = results.lock().unwrap_or_else(|e| e.into_inner());
                    match verdict {
                        Verdict::Pass(took) => {
                            counts.0 += 1;
                            if options.verbose {
                                println!("pass {} ({:.2} s)", fixture.name, took.as_secs_f64());
                            }
                        }
                        Verdict::Fail(why) => {
                            counts.1 += 1;
                            println!("FAIL {}: {why}", fixture.name);
                        }
                        Verdict::Skip(why) => {
                            counts.2 += 1;
                            if options.verbose {
                                println!("skip {}: {why}", fixture.name);
                            }
                        }
                    }
                }
            });
        }
    });
    let (passed, failed, skipped) = results.into_inner().unwrap_or_else(|e| e.into_inner());
    println!("{passed} passed, {failed} failed, {skipped} skipped");
    Ok(failed == 0)
}

/// What `tests/fixtures/known-failures` lists for `mode`: lines `Name mode[,mode…] reason`. A
/// listed program must fail (it counts as skipped); one that passes is a failure, so that the
/// list cannot outlive its reasons.
fn known_failures(top: &Path, mode: &str) -> Result<BTreeMap<String, String>, String> {
    let path = top.join("tests/fixtures/known-failures");
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        Err(e) => return Err(format!("{}: {e}", path.display())),
    };
    let mut known = BTreeMap::new();
    for line in text.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#')) {
        let mut words = line.splitn(3, ' ');
        match (words.next(), words.next(), words.next()) {
            (Some(name), Some(modes), Some(reason)) => {
                if modes.split(',').any(|m| m == mode) {
                    known.insert(name.to_string(), reason.to_string());
                }
            }
            _ => return Err(format!("{}: not `Name modes reason`: {line}", path.display())),
        }
    }
    Ok(known)
}

// ---- options and directives -------------------------------------------------------------------

fn parse_options(top: &Path) -> Result<Options, String> {
    let mut given: BTreeMap<&'static str, Vec<String>> = BTreeMap::new();
    const VALUED: [(&str, &str); 8] = [
        ("--mode", "FIXTURES_MODE"),
        ("--vm", "FIXTURES_VM"),
        ("--vmargs", "FIXTURES_VMARGS"),
        ("--filter", "FIXTURES_FILTER"),
        ("--sample", "FIXTURES_SAMPLE"),
        ("--shard", "FIXTURES_SHARD"),
        ("--jobs", "FIXTURES_JOBS"),
        ("--timeout-factor", "FIXTURES_TIMEOUT_FACTOR"),
    ];
    for (option, variable) in VALUED {
        if let Ok(value) = env::var(variable) {
            given.insert(option, vec![value]);
        }
    }
    let (mut list, mut verbose) = (false, false);
    let mut from_arguments: BTreeMap<&'static str, Vec<String>> = BTreeMap::new();
    let mut arguments = env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let (key, inline) = match argument.split_once('=') {
            Some((key, value)) if key.starts_with("--") => {
                (key.to_string(), Some(value.to_string()))
            }
            _ => (argument.clone(), None),
        };
        if let Some((option, _)) = VALUED.iter().find(|(option, _)| *option == key) {
            let value = inline
                .or_else(|| arguments.next())
                .ok_or(format!("{key} needs a value"))?;
            from_arguments.entry(option).or_default().push(value);
        } else {
            match key.as_str() {
                "--list" => list = true,
                "--verbose" => verbose = true,
                // What cargo hands to libtest harnesses in a whole `cargo test` run.
                "--nocapture" | "-q" | "--quiet" | "--color" => {}
                other if !other.starts_with('-') => from_arguments
                    .entry("--filter")
                    .or_default()
                    .push(argument.clone()),
                other => {
                    return Err(format!(
                        "unknown option {other}; see the top of tests/fixtures.rs"
                    ))
                }
            }
        }
    }
    given.extend(from_arguments);
    let last = |key: &str| given.get(key).and_then(|values| values.last()).cloned();

    let mode_name = last("--mode").unwrap_or_else(|| "default".into());
    let mode = MODES
        .iter()
        .find(|mode| mode.name == mode_name)
        .ok_or(format!("unknown mode {mode_name}"))?;
    let vm = PathBuf::from(last("--vm").unwrap_or_else(|| mode.vm.into()));
    let mut vmargs: Vec<String> = mode.vmargs.iter().map(|s| s.to_string()).collect();
    vmargs.extend(
        given
            .get("--vmargs")
            .into_iter()
            .flatten()
            .flat_map(|s| split_words(s)),
    );
    let jobs = match last("--jobs") {
        Some(text) => text
            .parse()
            .ok()
            .filter(|n| *n > 0)
            .ok_or(format!("bad --jobs {text}"))?,
        None => 2,
    };
    let extra = match last("--timeout-factor") {
        Some(text) => text
            .parse::<f64>()
            .map_err(|_| format!("bad --timeout-factor {text}"))?,
        None => 1.0,
    };
    Ok(Options {
        mode,
        vm: top.join(vm),
        vmargs,
        filters: given.get("--filter").cloned().unwrap_or_default(),
        sample: last("--sample")
            .map(|s| fraction("--sample", &s))
            .transpose()?,
        shard: last("--shard")
            .map(|s| fraction("--shard", &s))
            .transpose()?,
        jobs,
        timeout_factor: extra * mode.timeout_factor,
        list,
        verbose,
    })
}

fn fraction(option: &str, text: &str) -> Result<(usize, usize), String> {
    text.split_once('/')
        .and_then(|(n, m)| Some((n.parse().ok()?, m.parse().ok()?)))
        .filter(|(n, m): &(usize, usize)| *n > 0 && n <= m)
        .ok_or(format!("{option} wants N/M with 1 <= N <= M, not {text}"))
}

/// Words at white space; single quotes group.
fn split_words(text: &str) -> Vec<String> {
    let (mut words, mut word, mut quoted, mut open) = (Vec::new(), String::new(), false, false);
    for c in text.chars() {
        match c {
            '\'' => {
                quoted = !quoted;
                open = true;
            }
            c if c.is_whitespace() && !quoted => {
                if open {
                    words.push(std::mem::take(&mut word));
                    open = false;
                }
            }
            c => {
                word.push(c);
                open = true;
            }
        }
    }
    if open {
        words.push(word);
    }
    words
}

fn read_fixtures(top: &Path) -> Result<Vec<Fixture>, String> {
    let directory = top.join("tests/fixtures");
    let mut fixtures = Vec::new();
    for source in java_files(&directory)? {
        let text = fs::read(&source).map_err(|e| format!("{}: {e}", source.display()))?;
        let name = source
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let mut fixture = Fixture {
            name,
            source,
            text: Vec::new(),
            args: Vec::new(),
            vmargs: Vec::new(),
            javac: Vec::new(),
            stdin: String::new(),
            skip: BTreeMap::new(),
            timeout: DEFAULT_TIMEOUT_SECONDS,
        };
        for line in String::from_utf8_lossy(&text).lines() {
            let Some(comment) = line.strip_prefix("//") else {
                break;
            };
            let Some((key, value)) = comment.trim().split_once(':') else {
                continue;
            };
            let value = value.trim();
            match key {
                "args" => fixture.args.extend(split_words(value)),
                "vmargs" => fixture.vmargs.extend(split_words(value)),
                "javac" => fixture.javac.extend(split_words(value)),
                "stdin" => fixture.stdin.push_str(&unescape(value)),
                "timeout" => {
                    fixture.timeout = value
                        .parse()
                        .map_err(|_| format!("{}: bad timeout {value}", fixture.name))?
                }
                key => {
                    if let Some(mode) = key.strip_prefix("skip-") {
                        if !MODES.iter().any(|m| m.name == mode) {
                            return Err(format!("{}: unknown mode in {key}", fixture.name));
                        }
                        fixture.skip.insert(mode.into(), value.into());
                    }
                }
            }
        }
        fixture.text = text;
        fixtures.push(fixture);
    }
    Ok(fixtures)
}

fn unescape(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        out.push(match c {
            '\\' => match chars.next() {
                Some('n') => '\n',
                Some('t') => '\t',
                Some(other) => other,
                None => '\\',
            },
            c => c,
        });
    }
    out
}

fn select(all: Vec<Fixture>, options: &Options) -> Vec<Fixture> {
    let wanted = |name: &str| {
        options.filters.is_empty()
            || options.filters.iter().any(|f| match f.strip_prefix('=') {
                Some(exact) => name == exact,
                None => name.contains(f.as_str()),
            })
    };
    all.into_iter()
        .filter(|fixture| wanted(&fixture.name))
        .enumerate()
        .filter(|(i, _)| options.shard.is_none_or(|(n, m)| i % m == n - 1))
        // The i-th is taken when the running total i*N/M steps: N of M, evenly spread.
        .filter(|(i, _)| {
            options
                .sample
                .is_none_or(|(n, m)| (i + 1) * n / m != i * n / m)
        })
        .map(|(_, fixture)| fixture)
        .collect()
}

fn java_files(directory: &Path) -> Result<Vec<PathBuf>, String> {
    let entries = fs::read_dir(directory).map_err(|e| format!("{}: {e}", directory.display()))?;
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| entry.ok().map(|e| e.path()))
        .filter(|path| path.extension().is_some_and(|e| e == "java"))
        .collect();
    files.sort();
    Ok(files)
}

// ---- the oracle's JDK and javac ---------------------------------------------------------------

struct Jdk {
    home: PathBuf,
    /// The text of its `release` file: identifies the version and build.
    release: Vec<u8>,
}

impl Jdk {
    fn find() -> Result<Jdk, String> {
        let home = env::var_os("JAVA_HOME")
            .map(PathBuf::from)
            .unwrap_or_else(|| "/usr/lib/jvm/java-17-openjdk-amd64".into());
        let release = fs::read(home.join("release"))
            .map_err(|e| format!("no JDK for the oracle at {}: {e}", home.display()))?;
        Ok(Jdk { home, release })
    }
}

fn hash(parts: &[&[u8]]) -> u64 {
    let mut hasher = DefaultHasher::new();
    for part in parts {
        hasher.write_usize(part.len());
        hasher.write(part);
    }
    hasher.finish()
}

/// Compiles `support/` and every fixture into `classes`, one javac per distinct `// javac:` line,
/// each only if a source of it changed. Returns the hash of the support sources.
fn compile(top: &Path, work: &Path, jdk: &Jdk) -> Result<u64, String> {
    let classes = work.join("classes");
    let support = java_files(&top.join("tests/fixtures/support"))?;
    let support_texts: Vec<Vec<u8>> = support
        .iter()
        .map(fs::read)
        .collect::<Result<_, _>>()
        .map_err(|e| e.to_string())?;
    let mut parts: Vec<&[u8]> = support_texts.iter().map(Vec::as_slice).collect();
    parts.push(&jdk.release);
    let support_hash = hash(&parts);
    javac(work, &classes, jdk, "support", &[], &support, support_hash)?;

    // All fixtures, not only those selected: a filter must not change what is on the class path.
    let fixtures = read_fixtures(top)?;
    let mut groups: BTreeMap<Vec<String>, Vec<&Fixture>> = BTreeMap::new();
    for fixture in &fixtures {
        groups
            .entry(fixture.javac.clone())
            .or_default()
            .push(fixture);
    }
    for (options, members) in groups {
        let name = format!("group{:016x}", hash(&[options.join(" ").as_bytes()]));
        let mut parts: Vec<&[u8]> = Vec::new();
        for member in &members {
            parts.push(member.name.as_bytes());
            parts.push(&member.text);
        }
        let key = support_hash.to_le_bytes();
        parts.push(&key);
        let sources: Vec<PathBuf> = members.iter().map(|m| m.source.clone()).collect();
        javac(work, &classes, jdk, &name, &options, &sources, hash(&parts))?;
    }
    Ok(support_hash)
}

fn javac(
    work: &Path,
    classes: &Path,
    jdk: &Jdk,
    group: &str,
    options: &[String],
    sources: &[PathBuf],
    key: u64,
) -> Result<(), String> {
    let stamp = work.join(format!("{group}.stamp"));
    let key = format!("{key:016x}");
    if fs::read_to_string(&stamp).is_ok_and(|old| old == key) {
        return Ok(());
    }
    fs::create_dir_all(classes).map_err(|e| e.to_string())?;
    let output = Command::new(jdk.home.join("bin/javac"))
        .args([
            "-encoding",
            "UTF-8",
            "-proc:none",
            "-nowarn",
            "-Xlint:none",
            "-XDignore.symbol.file",
        ])
        .args(options)
        .arg("-d")
        .arg(classes)
        .arg("-cp")
        .arg(classes)
        .args(sources)
        .output()
        .map_err(|e| format!("javac: {e}"))?;
    if !output.status.success() {
        return Err(format!(
            "javac failed:\n{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        ));
    }
    fs::write(&stamp, key).map_err(|e| e.to_string())
}

// ---- one fixture ------------------------------------------------------------------------------

enum Verdict {
    Pass(Duration),
    Fail(String),
    Skip(String),
}

fn check(
    fixture: &Fixture,
    options: &Options,
    work: &Path,
    jdk: &Jdk,
    support_hash: u64,
) -> Verdict {
    if let Some(reason) = fixture.skip.get(options.mode.name) {
        return Verdict::Skip(reason.clone());
    }
    let expected = match expected(fixture, work, jdk, support_hash) {
        Ok(expected) => expected,
        Err(why) => return Verdict::Fail(why),
    };
    let limit = Duration::from_secs_f64(fixture.timeout * options.timeout_factor);
    let start = Instant::now();
    let actual = match execute(
        &options.vm,
        &options.vmargs,
        fixture,
        work,
        options.mode.name,
        limit,
    ) {
        Ok(actual) => actual,
        Err(why) => return Verdict::Fail(why),
    };
    let took = start.elapsed();
    let directory = work.join("actual").join(options.mode.name);
    let files = [
        (
            directory.join(format!("{}.out", fixture.name)),
            &actual.stdout,
        ),
        (
            directory.join(format!("{}.err", fixture.name)),
            &actual.stderr,
        ),
    ];
    match compare(&expected, &actual, limit) {
        None => {
            for (path, _) in &files {
                // Absent unless an earlier run failed.
                let _ = fs::remove_file(path);
            }
            Verdict::Pass(took)
        }
        Some(why) => {
            let written = fs::create_dir_all(&directory).and_then(|()| {
                files
                    .iter()
                    .try_for_each(|(path, bytes)| fs::write(path, bytes))
            });
            match written {
                Ok(()) => Verdict::Fail(why),
                Err(e) => Verdict::Fail(format!("{why} (output not kept: {e})")),
            }
        }
    }
}

/// HotSpot's outcome, from the cache or by running it.
fn expected(
    fixture: &Fixture,
    work: &Path,
    jdk: &Jdk,
    support_hash: u64,
) -> Result<Outcome, String> {
    let key = hash(&[
        &CACHE_VERSION.to_le_bytes(),
        &fixture.text,
        fixture.name.as_bytes(),
        &jdk.release,
        &support_hash.to_le_bytes(),
    ]);
    let directory = work.join("expected");
    let path = directory.join(format!("{}-{key:016x}", fixture.name));
    if let Some(outcome) = fs::read(&path).ok().and_then(|bytes| decode(&bytes)) {
        return Ok(outcome);
    }
    let limit = Duration::from_secs_f64(fixture.timeout * 3.0);
    let outcome = execute(
        &jdk.home.join("bin/java"),
        &ORACLE_ARGS.map(String::from),
        fixture,
        work,
        "oracle",
        limit,
    )?;
    if outcome.timed_out {
        return Err(format!(
            "HotSpot itself did not end within {} s",
            limit.as_secs()
        ));
    }
    if outcome.code >= 128 {
        return Err(format!("HotSpot itself crashed with code {}", outcome.code));
    }
    fs::create_dir_all(&directory).map_err(|e| e.to_string())?;
    // What the fixture printed before it was changed.
    let stale = format!("{}-", fixture.name);
    for entry in fs::read_dir(&directory)
        .map_err(|e| e.to_string())?
        .flatten()
    {
        if entry.file_name().to_string_lossy().starts_with(&stale) {
            // Another runner may have removed it.
            let _ = fs::remove_file(entry.path());
        }
    }
    // Written aside and renamed: another runner may share the cache.
    let aside = directory.join(format!(".{}-{}", fixture.name, std::process::id()));
    fs::write(&aside, encode(&outcome))
        .and_then(|()| fs::rename(&aside, &path))
        .map_err(|e| e.to_string())?;
    Ok(outcome)
}

fn encode(outcome: &Outcome) -> Vec<u8> {
    let mut bytes = format!(
        "{} {} {}\n",
        outcome.code,
        outcome.stdout.len(),
        outcome.stderr.len()
    )
    .into_bytes();
    bytes.extend_from_slice(&outcome.stdout);
    bytes.extend_from_slice(&outcome.stderr);
    bytes
}

fn decode(bytes: &[u8]) -> Option<Outcome> {
    let end = bytes.iter().position(|b| *b == b'\n')?;
    let head = std::str::from_utf8(&bytes[..end]).ok()?;
    let numbers: Vec<i64> = head
        .split(' ')
        .map(str::parse)
        .collect::<Result<_, _>>()
        .ok()?;
    let [code, out, err] = numbers[..] else {
        return None;
    };
    let body = &bytes[end + 1..];
    let out = usize::try_from(out).ok()?;
    if body.len() != out.checked_add(usize::try_from(err).ok()?)? {
        return None;
    }
    Some(Outcome {
        code: i32::try_from(code).ok()?,
        stdout: body[..out].to_vec(),
        stderr: body[out..].to_vec(),
        timed_out: false,
    })
}

/// Runs the fixture in a fresh directory of its own, as the leader of a process group, which is
/// killed as a whole at the time limit and (children left behind) at the end.
fn execute(
    vm: &Path,
    vmargs: &[String],
    fixture: &Fixture,
    work: &Path,
    label: &str,
    limit: Duration,
) -> Result<Outcome, String> {
    let scratch = work
        .join("run")
        .join(format!("{}-{}-{label}", fixture.name, std::process::id()));
    let temporary = scratch.join("tmp");
    fs::create_dir_all(&temporary).map_err(|e| format!("{}: {e}", scratch.display()))?;
    let mut command = Command::new(vm);
    command
        .args(vmargs)
        .arg(format!("-Djava.io.tmpdir={}", temporary.display()))
        .args(&fixture.vmargs)
        .arg("-cp")
        .arg(work.join("classes"))
        .arg(&fixture.name)
        .args(&fixture.args)
        .current_dir(&scratch)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .env("LC_ALL", "C.UTF-8")
        .env("TZ", "UTC")
        .env("FIXTURE_VARIABLE", "set by the runner")
        .env("FIXTURE_VM", vm)
        .process_group(0);
    for variable in [
        "JAVA_TOOL_OPTIONS",
        "_JAVA_OPTIONS",
        "JDK_JAVA_OPTIONS",
        "CLASSPATH",
        "LANG",
        "LANGUAGE",
    ] {
        command.env_remove(variable);
    }
    let mut child = command
        .spawn()
        .map_err(|e| format!("{}: {e}", vm.display()))?;
    let group = child.id() as i32;
    let input = child.stdin.take();
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let outcome = thread::scope(|scope| {
        let text = fixture.stdin.as_bytes();
        scope.spawn(move || {
            if let Some(mut pipe) = input {
                // A fixture need not read its input: a closed pipe is no error.
                let _ = pipe.write_all(text);
            }
        });
        let out = scope.spawn(|| drain(out));
        let err = scope.spawn(|| drain(err));
        let (status, timed_out) = wait(&mut child, limit);
        kill_group(group);
        let stdout = out.join().map_err(|_| "stdout reader failed".to_string())?;
        let stderr = err.join().map_err(|_| "stderr reader failed".to_string())?;
        let status = status.map_err(|e| format!("waiting for {}: {e}", vm.display()))?;
        let code = status
            .code()
            .unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
        Ok(Outcome {
            code,
            stdout,
            stderr,
            timed_out,
        })
    });
    // Only a convenience: what is left is under target/.
    let _ = fs::remove_dir_all(&scratch);
    outcome
}

fn wait(child: &mut Child, limit: Duration) -> (std::io::Result<ExitStatus>, bool) {
    let start = Instant::now();
    let mut pause = Duration::from_millis(2);
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return (Ok(status), false),
            Err(e) => return (Err(e), false),
            Ok(None) if start.elapsed() >= limit => {
                kill_group(child.id() as i32);
                return (child.wait(), true);
            }
            Ok(None) => {
                thread::sleep(pause);
                pause = (pause * 2).min(Duration::from_millis(20));
            }
        }
    }
}

/// SIGKILL to a process group that this program created.
fn kill_group(group: i32) {
    // SAFETY: kill touches no memory; a group that is gone gives ESRCH, which is what we want.
    unsafe { libc::kill(-group, libc::SIGKILL) };
}

fn drain(pipe: Option<impl Read>) -> Vec<u8> {
    let mut kept = Vec::new();
    let mut buffer = [0u8; 16384];
    if let Some(mut pipe) = pipe {
        while let Ok(n) = pipe.read(&mut buffer) {
            if n == 0 {
                break;
            }
            kept.extend_from_slice(&buffer[..n.min(OUTPUT_CAP - kept.len().min(OUTPUT_CAP))]);
        }
    }
    kept
}

// ---- comparison -------------------------------------------------------------------------------

fn compare(expected: &Outcome, actual: &Outcome, limit: Duration) -> Option<String> {
    let mut faults = Vec::new();
    if actual.timed_out {
        faults.push(format!("killed after {:.0} s", limit.as_secs_f64()));
    } else if expected.code != actual.code {
        faults.push(format!(
            "exit code {} instead of {}",
            actual.code, expected.code
        ));
    }
    if let Some(signature) = crash_signature(expected, actual) {
        faults.push(signature);
    }
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if expected.stdout != actual.stdout {
        faults.push(first_difference(
            "stdout",
            &text(&expected.stdout),
            &text(&actual.stdout),
        ));
    }
    let (want, got) = (
        normalise(&text(&expected.stderr)),
        normalise(&text(&actual.stderr)),
    );
    if want != got {
        faults.push(first_difference("stderr", &want, &got));
    }
    (!faults.is_empty()).then(|| faults.join("; "))
}

fn first_difference(stream: &str, expected: &str, actual: &str) -> String {
    let (mut want, mut got) = (expected.lines(), actual.lines());
    let mut line = 1;
    loop {
        match (want.next(), got.next()) {
            (None, None) => return format!("{stream} differs in line ends only"),
            (w, g) if w == g => line += 1,
            (w, g) => {
                let show =
                    |s: Option<&str>| s.map_or("end".to_string(), |s| format!("{:?}", clip(s)));
                return format!("{stream}:{line} expected {} actual {}", show(w), show(g));
            }
        }
    }
}

fn clip(text: &str) -> String {
    if text.chars().count() <= 140 {
        return text.into();
    }
    text.chars().take(140).collect::<String>() + "…"
}

/// The line that names a crash of the VM itself, if the output has one and HotSpot's has not.
fn crash_signature(expected: &Outcome, actual: &Outcome) -> Option<String> {
    const SIGNS: [&str; 6] = [
        "panicked at",
        "SIGSEGV",
        "SIGBUS",
        "SIGILL",
        "SIGABRT",
        "stack overflow, aborting",
    ];
    let all = String::from_utf8_lossy(&actual.stderr).into_owned()
        + &String::from_utf8_lossy(&actual.stdout);
    if let Some((_, report)) = all.split_once("# A fatal error has been detected") {
        // The whole head of the report: where the suite ran on another machine it is all that is left.
        let head: Vec<&str> = report
            .lines()
            .skip(1)
            .map_while(|line| line.strip_prefix('#'))
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .take(8)
            .collect();
        if actual.code != expected.code {
            return Some(format!("crash: {}", head.join(" | ")));
        }
    }
    if !expected.stderr.windows(4).any(|w| w == b"SIGS") {
        let mut lines = all.lines();
        while let Some(line) = lines.next() {
            if SIGNS.iter().any(|sign| line.contains(sign)) {
                // Rust prints a panic's message on the line after its place.
                let more = if line.contains("panicked at") {
                    lines.next().unwrap_or("")
                } else {
                    ""
                };
                return Some(
                    format!("crash: {} {}", clip(line.trim()), clip(more))
                        .trim_end()
                        .into(),
                );
            }
        }
    }
    (!actual.timed_out && actual.code >= 128 && expected.code < 128)
        .then(|| format!("crash: code {} (signal {})", actual.code, actual.code - 128))
}

/// What may differ between two runs of one VM is made equal: addresses, identity hashes,
/// the numbers of lambda classes; the VM's own warnings and notes are dropped.
fn normalise(text: &str) -> String {
    let mut out = String::new();
    for line in text.lines() {
        if line.starts_with("OpenJDK 64-Bit") && line.contains("VM warning:")
            || line.starts_with("Picked up ")
        {
            continue;
        }
        let line = replace_run(line, "0x", |c| c.is_ascii_hexdigit(), 6);
        let line = replace_run(&line, "@", |c| c.is_ascii_hexdigit(), 5);
        let line = replace_run(&line, "$$Lambda$", |c| c.is_ascii_digit(), 1);
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// Replaces what follows `lead`, if it is at least `least` characters of the kind, by `#`.
fn replace_run(line: &str, lead: &str, kind: impl Fn(char) -> bool, least: usize) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some(at) = rest.find(lead) {
        let (before, after) = rest.split_at(at + lead.len());
        out.push_str(before);
        let run = after.chars().take_while(|c| kind(*c)).count();
        if run >= least {
            out.push('#');
            rest = &after[run..];
        } else {
            rest = after;
        }
    }
    out + rest
}
