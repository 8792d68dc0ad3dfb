//! What the compilers say of themselves: `-XX:+PrintCompilation`, `-XX:+PrintInlining`, `-Xlog:jit+compilation`,
//! `-Xlog:deoptimization`, `-XX:+CITime`, a full code cache, the limits on recompilation, thread dumps.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// Optimized code that is given up: for a class of receiver and a branch that it has not seen, and for classes that
/// override what it calls.
const SOURCE: &str = r#"
public class Log {
    interface Shape { int area(int x); }
    static class Square implements Shape { public int area(int x) { return x * x + (x & 3); } }
    static class Line implements Shape { public int area(int x) { return 0; } }
    static int sum(Shape s, int n) { int r = 0; for (int i = 0; i < n; i++) r += s.area(i); return r; }
    static int rare(int x) { return x == 77777777 ? Integer.parseInt("5") : x * 3; }
    static synchronized int locked(int x) { try { return 10 / x; } catch (ArithmeticException e) { return -1; } }

    static int length(String s) { return s.length(); }

    static class Base { int a() { return 1; } int b() { return 2; } int c() { return 3; } int d() { return 4; } int e() { return 5; } }
    static class A extends Base { int a() { return 10; } }
    static class B extends Base { int b() { return 20; } }
    static class C extends Base { int c() { return 30; } }
    static class D extends Base { int d() { return 40; } }
    static class E extends Base { int e() { return 50; } }
    static int all(Base x) { return x.a() + x.b() + x.c() + x.d() + x.e(); }
    /// By reflection, so that the verifier does not load them all.
    static Base make(int i) throws Exception {
        return (Base) Class.forName("Log$" + (char) ('A' + i)).getDeclaredConstructor().newInstance();
    }

    public static void main(String[] args) throws Throwable {
        int r = 0;
        if (args[0].equals("nulls")) {
            for (int i = 0; i < 40; i++) {
                for (int k = 0; k < 9000; k++) r += length("four");
                for (int k = 0; k < 10; k++) {
                    try {
                        r += length(null);
                    } catch (NullPointerException e) {
                        r++;
                    }
                }
            }
        } else if (args[0].equals("classes")) {
            Base base = new Base();
            for (int i = 0; i < 5; i++) {
                for (int k = 0; k < 9000; k++) r += all(base);
                r += all(make(i));
            }
        } else {
            Shape square = new Square();
            for (int k = 0; k < 9000; k++) r += sum(square, 9) + rare(k) + locked(1 + (k & 1));
            System.out.println("---");
            r += sum(new Line(), 3) + rare(77777777) + locked(0);
            for (int k = 0; k < 9000; k++) r += sum(square, 9) + sum(new Line(), 2) + rare(k);
        }
        System.out.println("result " + r);
    }
}
"#;

fn java_home() -> PathBuf {
    let default = || "/usr/lib/jvm/java-17-openjdk-amd64".into();
    std::env::var_os("JAVA_HOME").map_or_else(default, PathBuf::from)
}

/// The directory with the compiled program.
fn classes() -> &'static Path {
    static DIR: OnceLock<PathBuf> = OnceLock::new();
    DIR.get_or_init(|| {
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("compile_log");
        std::fs::create_dir_all(&dir).expect("the target directory is ours");
        std::fs::write(dir.join("Log.java"), SOURCE).expect("the directory is writable");
        let mut javac = Command::new(java_home().join("bin/javac"));
        let out = javac.args(["-nowarn", "Log.java"]).current_dir(&dir).output().expect("javac is installed");
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        dir
    })
}

/// Standard output and error of the program with these options.
fn run(options: &[&str], args: &[&str]) -> (String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kiln"));
    command.args(["-XX:-BackgroundCompilation", "-cp", "."]).args(options).arg("Log").args(args);
    let out = command.current_dir(classes()).stdin(Stdio::null()).output().expect("kiln starts");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(out.status.success(), "{}\n{}\n{}", out.status, text(&out.stdout), text(&out.stderr));
    (text(&out.stdout), text(&out.stderr))
}

/// A line of `-XX:+PrintCompilation`: time, id, attributes, tier, the rest; `None` if it is none. The columns are
/// HotSpot's.
fn columns(line: &str) -> Option<(u64, u32, &str, u8, &str)> {
    let time = line.get(..7)?.trim_start().parse().ok()?;
    let id = line.get(8..12)?.trim_start().parse().ok()?;
    let attributes = line.get(13..18)?;
    let tier = line.get(19..20)?.parse().ok()?;
    let blanks = line.get(20..27)? == "       " && line.get(18..19)? == " ";
    (blanks && line.len() > 27).then(|| (time, id, attributes, tier, &line[27..]))
}

#[test]
fn compiles_and_what_becomes_of_them_are_printed_once() {
    let (out, _) = run(&["-XX:+PrintCompilation"], &["shapes"]);
    let lines: Vec<_> = out.lines().filter_map(columns).collect();
    let ours: Vec<_> = lines.iter().filter(|l| l.4.starts_with("Log::")).collect();
    let find = |tier: u8, text: &str| ours.iter().filter(|l| l.3 == tier && l.4.contains(text)).count();
    for name in ["sum (", "rare (", "locked ("] {
        assert!(find(3, name) > 0 && find(4, name) > 0, "{name}\n{out}");
    }
    assert!(ours.iter().any(|l| l.2 == " s!b " && l.4.starts_with("Log::locked (")), "{out}");
    // Every line that takes code back has had one that announced it, under the same id, and there are no two.
    let mut given_up = std::collections::HashSet::new();
    for l in lines.iter().filter(|l| l.4.ends_with("   made not entrant")) {
        let name = l.4.strip_suffix("   made not entrant").unwrap();
        let osr = l.2.starts_with('%');
        assert!(given_up.insert((l.1, osr)), "twice: {l:?}");
        assert!(lines.iter().any(|x| x.1 == l.1 && x.2.starts_with('%') == osr && x.4 == name), "{l:?}\n{out}");
        assert_eq!(&l.2[3..4], " ", "nobody waits for this: {l:?}");
    }
    // The code that met a new class of receiver, and the branch never taken before.
    let after: Vec<_> = out.lines().skip_while(|l| *l != "---").filter_map(columns).collect();
    for name in ["Log::sum (", "Log::rare ("] {
        let gone = |l: &&(u64, u32, &str, u8, &str)| l.3 == 4 && l.4.starts_with(name) && l.4.ends_with("made not entrant");
        assert!(after.iter().any(|l| gone(&l)), "{name}\n{out}");
        let again = after.iter().skip_while(|l| !gone(l)).any(|l| l.3 == 4 && l.4.starts_with(name) && l.4.ends_with("bytes)"));
        assert!(again, "{name} is not optimized again\n{out}");
    }
}

#[test]
fn the_log_has_the_same_lines_without_the_time_and_the_deoptimizations() {
    let options = ["-XX:+PrintCompilation", "-Xlog:jit+compilation=debug,deoptimization=debug:file=log:none"];
    let (out, _) = run(&options, &["shapes"]);
    let log = std::fs::read_to_string(classes().join("log")).expect("the log is written");
    for line in out.lines().filter(|l| columns(l).is_some_and(|c| c.4.starts_with("Log::"))) {
        assert!(log.lines().any(|l| l == &line[8..]), "{line} is not in the log\n{log}");
    }
    let trap = |reason: &str, method: &str| {
        let start = format!("Uncommon trap: reason={reason} action=");
        log.lines().any(|l| l.starts_with(&start) && l.contains(" pc=0x") && l.contains(method) && l.contains(" @ "))
    };
    assert!(trap("unstable_if", "method=Log.rare(I)I @ "), "{log}");
    assert!(trap("class_check", "method=Log.sum(LLog$Shape;I)I @ "), "{log}");
    assert!(log.lines().any(|l| l.starts_with("DEOPT PACKING pc=0x")), "{log}");
    assert!(log.lines().any(|l| l.starts_with("DEOPT UNPACKING pc=0x") && l.ends_with(" mode 2")), "{log}");
}

#[test]
fn inlining_decisions_have_hotspots_columns() {
    let options = ["-XX:+UnlockDiagnosticVMOptions", "-XX:+PrintInlining", "-XX:FreqInlineSize=3", "-XX:MaxTrivialSize=0"];
    let (out, _) = run(&options, &["shapes"]);
    let indent = " ".repeat(30);
    assert!(out.lines().any(|l| l.starts_with(&format!("{indent}@ 12   Log$Square::area (8 bytes)   "))), "{out}");
    assert!(out.contains("hot method too big (8 > 3)"), "{out}");
    let (out, _) = run(&["-XX:+PrintCompilation", "-XX:CompileCommand=PrintInlining,Log::sum"], &["shapes"]);
    assert!(out.contains("   Log$Square::area (8 bytes)   inline (hot)"), "{out}");
    let command = "-XX:CompileCommand=dontinline,Log$Square::area";
    let (out, _) = run(&["-XX:CompileCommand=PrintInlining,Log::sum", command], &["shapes"]);
    assert!(out.contains("   Log$Square::area (8 bytes)   disallowed by CompileCommand"), "{out}");
}

#[test]
fn code_given_up_too_often_is_not_optimized_any_more() {
    let (out, _) = run(&["-XX:+PrintCompilation", "-XX:PerMethodRecompilationCutoff=3"], &["classes"]);
    let last = "made not compilable on level 4  Log::all (25 bytes)   decompile_count > PerMethodRecompilationCutoff";
    assert_eq!(out.lines().filter(|l| *l == last).count(), 1, "{out}");
    let optimized = |text: &str| {
        let of_it = |l: &&str| columns(l).is_some_and(|c| c.3 == 4 && c.2.starts_with(' ') && c.4 == "Log::all (25 bytes)");
        text.lines().filter(of_it).count()
    };
    assert_eq!(optimized(&out), 4, "{out}");
    // Code that does not count takes its place.
    let after = out.lines().skip_while(|l| *l != last).filter_map(columns);
    assert!(after.into_iter().any(|c| c.3 == 1 && c.4 == "Log::all (25 bytes)"), "{out}");
    let (out, _) = run(&["-XX:+PrintCompilation"], &["classes"]);
    assert!(optimized(&out) > 4 && !out.contains("made not compilable on level 4  Log"), "{out}");
}

#[test]
fn a_check_that_fails_again_and_again_is_compiled_with_its_slow_path() {
    for (bytecode, method, traps) in [(4, 100, 4), (9, 100, 9), (50, 7, 7)] {
        let option = format!("-XX:PerBytecodeTrapLimit={bytecode}");
        let more = format!("-XX:PerMethodTrapLimit={method}");
        let (out, _) = run(&[&option, &more, "-XX:+PrintCompilation", "-Xlog:deoptimization=debug"], &["nulls"]);
        assert!(out.ends_with("result 1440400\n"), "{out}");
        let trap = |l: &&str| l.contains("Uncommon trap: reason=null_check") && l.contains("method=Log.length(");
        assert_eq!(out.lines().filter(trap).count(), traps, "{option} {more}\n{out}");
        let last = out.lines().filter_map(columns).filter(|c| c.2.starts_with(' ') && c.4.starts_with("Log::length (")).last();
        assert!(last.is_some_and(|c| c.3 == 4 && c.4.ends_with("bytes)")), "{option}: {last:?}\n{out}");
    }
}

#[test]
fn totals_are_printed_at_the_end() {
    let (out, _) = run(&["-XX:+CITime"], &["shapes"]);
    let end: Vec<&str> = out.lines().skip_while(|l| !l.starts_with("result ")).skip(1).collect();
    for start in [
        "Individual compiler times (for compiled methods only)",
        "  C1 {speed: ",
        "  C2 {speed: ",
        "  Tier1 {speed: ",
        "  Tier3 {speed: ",
        "  Total compilation time   : ",
        "  Average compilation speed : ",
        "  nmethod total size        : ",
    ] {
        assert!(end.iter().any(|l| l.starts_with(start)), "{start}\n{out}");
    }
    let total = |start: &str| {
        let line = end.iter().find(|l| l.starts_with(start)).unwrap_or_else(|| panic!("{start}\n{out}"));
        line.split_whitespace().filter_map(|w| w.parse::<f64>().ok()).next().expect("a number")
    };
    assert!(total("  Total compiled methods    :") >= 8.0 && total("  Total compiled bytecodes  :") > 100.0, "{out}");
}

#[test]
fn a_full_code_cache_stops_compiling_with_hotspots_warning() {
    let size = ["-XX:InitialCodeCacheSize=512k", "-XX:ReservedCodeCacheSize=1m"];
    let (out, err) = run(&["-Xcomp", size[0], size[1]], &["shapes"]);
    let warning = "OpenJDK 64-Bit Server VM warning: CodeCache is full. Compiler has been disabled.";
    assert_eq!(err.matches(warning).count(), 1, "{err}\n{out}");
    assert!(err.contains("Try increasing the code cache size using -XX:ReservedCodeCacheSize="), "{err}");
    assert!(out.contains("[warning][codecache] CodeCache is full. Compiler has been disabled."), "{out}");
    assert!(out.lines().any(|l| l.starts_with("CodeCache: size=1024Kb used=")), "{out}");
    assert!(out.contains(" compilation: disabled (not enough contiguous free space left)"), "{out}");
    // The program goes on in the interpreter.
    let result = |text: &str| text.lines().find(|l| l.starts_with("result ")).map(str::to_string);
    assert_eq!(result(&out), result(&run(&[], &["shapes"]).0));
    assert!(result(&out).is_some());
}
