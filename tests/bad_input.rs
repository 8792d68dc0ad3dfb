//! What is missing, cut off, corrupt or no such thing: standard output, standard error and exit
//! code must be HotSpot's.

use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

fn java_home() -> PathBuf {
    let default = || "/usr/lib/jvm/java-17-openjdk-amd64".into();
    std::env::var_os("JAVA_HOME").map_or_else(default, PathBuf::from)
}

struct Work(PathBuf);

impl Work {
    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().expect("in a directory")).expect("the directory is ours");
        std::fs::write(path, bytes).expect("the directory is ours");
    }

    fn copy(&self, from: &str, to: &str) {
        self.write(to, self.read(from));
    }

    /// A copy with its bytes changed.
    fn change(&self, from: &str, to: &str, how: impl FnOnce(&mut Vec<u8>)) {
        let mut bytes = self.read(from);
        how(&mut bytes);
        self.write(to, bytes);
    }

    fn tool(&self, name: &str, args: &[&str]) {
        let o = Command::new(java_home().join("bin").join(name)).args(args).current_dir(&self.0).output();
        let o = o.expect("the JDK is installed");
        assert!(o.status.success(), "{name} {args:?}: {}", String::from_utf8_lossy(&o.stderr));
    }

    fn run(&self, vm: &Path, args: &str) -> String {
        let mut c = Command::new(vm);
        c.args(args.split_whitespace()).current_dir(&self.0).stdin(Stdio::null());
        for variable in ["CLASSPATH", "JDK_JAVA_OPTIONS", "JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS"] {
            c.env_remove(variable);
        }
        let o = c.output().expect("the VM starts");
        let text = |b: &[u8]| String::from_utf8_lossy(b).into_owned();
        format!("exit {:?} signal {:?}\n{}--- stderr\n{}", o.status.code(), o.status.signal(), text(&o.stdout), text(&o.stderr))
    }
}

/// Replaces the first `from` by `to`, of the same length.
fn replace(bytes: &mut [u8], from: &[u8], to: &[u8]) {
    let at = bytes.windows(from.len()).position(|w| w == from).expect("it is there");
    bytes[at..at + to.len()].copy_from_slice(to);
}

/// Where the compressed bytes of the first entry that ends in `name` are in a jar.
fn entry_data(jar: &[u8], name: &[u8]) -> usize {
    let mut at = 0;
    while jar[at..].starts_with(b"PK\x03\x04") {
        let u2 = |i: usize| usize::from(u16::from_le_bytes([jar[i], jar[i + 1]]));
        let u4 = |i: usize| u2(i) | u2(i + 2) << 16;
        let (compressed, name_length, extra) = (u4(at + 18), u2(at + 26), u2(at + 28));
        let data = at + 30 + name_length + extra;
        if jar[at + 30..at + 30 + name_length].ends_with(name) {
            return data;
        }
        at = data + compressed;
    }
    panic!("no such entry, or one with a data descriptor in front of it")
}

const SOURCES: &str = "
class Base { }
interface Face { }
public class Show { public static void main(String[] a) { System.out.println(\"shown \" + a.length); } }
class HasSuper extends Base { public static void main(String[] a) { System.out.println(\"has super\"); } }
class HasFace implements Face { public static void main(String[] a) { System.out.println(\"has face\"); } }
class Uses { public static void main(String[] a) { System.out.println(new Base()); } }
class UsesLate { static void f() { new Base(); } public static void main(String[] a) { try { f(); } catch (Throwable t) { System.out.println(t + \" \" + t.getCause()); } } }
class NoMain { }
class NotStatic { public void main(String[] a) { } }
class NotPublic { static void main(String[] a) { } }
class ReturnsInt { public static int main(String[] a) { return 1; } }
class FailsInit { static int i = 1 / Integer.parseInt(\"0\"); public static void main(String[] a) { } }
class Throws { public static void main(String[] a) throws Exception { throw new java.io.IOException(\"told\"); } }
class Finds { public static void main(String[] a) throws Exception {
    for (String n : a) try { System.out.println(Class.forName(n)); } catch (Throwable t) { System.out.println(t + \" / \" + t.getCause()); }
    for (String n : a) System.out.println(ClassLoader.getSystemResource(n + \".class\") != null);
} }
";

fn prepare() -> Work {
    let w = Work(Path::new(env!("CARGO_TARGET_TMPDIR")).join("bad-input"));
    if w.0.exists() {
        std::fs::remove_dir_all(&w.0).expect("the directory is ours");
    }
    w.write("Show.java", SOURCES);
    w.tool("javac", &["-d", "good", "Show.java"]);
    w.tool("jar", &["--create", "--file", "good.jar", "--main-class", "Show", "-C", "good", "."]);
    // Class files.
    let class = |to: &str, how: &dyn Fn(&mut Vec<u8>)| w.change("good/Show.class", to, |b| how(b));
    class("empty/Show.class", &|b| b.clear());
    class("four/Show.class", &|b| b.truncate(4));
    class("seven/Show.class", &|b| b.truncate(7));
    class("half/Show.class", &|b| b.truncate(b.len() / 2));
    class("short/Show.class", &|b| b.truncate(b.len() - 1));
    class("long/Show.class", &|b| b.push(0));
    class("magic/Show.class", &|b| b[0] = 0);
    class("newer/Show.class", &|b| b[7] = 99);
    class("older/Show.class", &|b| b[7] = 44);
    class("minor/Show.class", &|b| b[5] = 7);
    class("preview/Show.class", &|b| b[4..6].copy_from_slice(&[0xff, 0xff]));
    class("tag/Show.class", &|b| b[10] = 99);
    class("utf8/Show.class", &|b| replace(b, b"shown", b"\xff\xfe\xfd\xfc\xfb"));
    class("name/Other.class", &|_| ());
    class("descriptor/Show.class", &|b| replace(b, b"([Ljava/lang/String;)V", b"([Ljava/lang/String;)Q"));
    class("flags/Show.class", &|b| replace(b, &[0x00, 0x21], &[0x06, 0x31]));
    // getstatic becomes iadd, on an empty stack.
    class("verify/Show.class", &|b| replace(b, &[0xb2, 0x00], &[0x60, 0x00]));
    std::fs::create_dir_all(w.path("directory/Show.class")).expect("the directory is ours");
    for c in ["HasSuper", "HasFace", "Uses", "UsesLate"] {
        w.copy(&format!("good/{c}.class"), &format!("lacks/{c}.class"));
        w.copy(&format!("good/{c}.class"), &format!("broken/{c}.class"));
    }
    for c in ["Base", "Face"] {
        w.change(&format!("good/{c}.class"), &format!("broken/{c}.class"), |b| b.truncate(30));
    }
    // Jars.
    w.write("empty.jar", "");
    w.write("text.jar", "this is no zip file, although it is long enough to be one\n");
    w.change("good.jar", "half.jar", |b| b.truncate(b.len() / 2));
    w.change("good.jar", "short.jar", |b| b.truncate(b.len() - 5));
    w.change("good.jar", "end-only.jar", |b| drop(b.drain(..b.len() - 22)));
    w.change("good.jar", "prefixed.jar", |b| drop(b.splice(0..0, *b"#!/bin/sh\n")));
    w.change("good.jar", "suffixed.jar", |b| b.extend_from_slice(b"trailing"));
    w.change("good.jar", "central.jar", |b| {
        let at = b.windows(4).position(|w| w == b"PK\x01\x02").expect("a central directory");
        b[at] = b'X';
    });
    w.tool("jar", &["--create", "--no-compress", "--file", "stored.jar", "--main-class", "Show", "-C", "good", "."]);
    w.change("stored.jar", "crc.jar", |b| replace(b, b"shown", b"SHOWN"));
    w.tool("jar", &["--create", "--no-manifest", "--file", "no-manifest.jar", "-C", "good", "."]);
    w.tool("jar", &["--create", "--file", "no-main.jar", "-C", "good", "."]);
    w.tool("jar", &["--create", "--file", "main-missing.jar", "--main-class", "Absent", "-C", "good", "."]);
    w.tool("jar", &["--create", "--file", "class-half.jar", "--main-class", "Show", "-C", "half", "."]);
    w.write("manifest.txt", "Main-Class Show\n");
    w.tool("jar", &["--create", "--file", "plain.jar", "-C", "good", "Show.class"]);
    // An archive whose deflated bytes are changed, sizes given in front of them.
    let script = "import java.io.*; import java.util.zip.*; import java.nio.file.*; public class Zip { public static void main(String[] a) throws Exception { \
        byte[] c = Files.readAllBytes(Path.of(\"good/Show.class\")); byte[] m = \"Manifest-Version: 1.0\\nMain-Class: Show\\n\".getBytes(); \
        try (ZipOutputStream z = new ZipOutputStream(new FileOutputStream(\"sized.jar\"))) { \
        z.setMethod(ZipOutputStream.STORED); CRC32 r = new CRC32(); ZipEntry e = new ZipEntry(\"META-INF/MANIFEST.MF\"); r.update(m); e.setCrc(r.getValue()); e.setSize(m.length); z.putNextEntry(e); z.write(m); z.closeEntry(); \
        r = new CRC32(); e = new ZipEntry(\"Show.class\"); r.update(c); e.setCrc(r.getValue()); e.setSize(c.length); z.putNextEntry(e); z.write(c); z.closeEntry(); } } }";
    w.write("Zip.java", script);
    w.tool("java", &["Zip.java"]);
    w.change("sized.jar", "data.jar", |b| {
        let at = entry_data(b, b"Show.class");
        b[at] = 0;
    });
    // Modules.
    w.write("m/module-info.java", "module m { }");
    w.write("m/p/Main.java", "package p; public class Main { public static void main(String[] a) { System.out.println(\"module\"); } }");
    w.tool("javac", &["-d", "mods/m", "m/module-info.java", "m/p/Main.java"]);
    w.write("n/module-info.java", "module n { requires m; }");
    w.tool("javac", &["-p", "mods", "-d", "lonely/n", "n/module-info.java"]);
    w.copy("mods/m/p/Main.class", "badmods/m/p/Main.class");
    w.change("mods/m/module-info.class", "badmods/m/module-info.class", |b| b.truncate(20));
    w
}

const CASES: &[&str] = &[
    // Class files.
    "-cp good Show 1 2",
    "-cp good Absent",
    "-cp absent Show",
    "-cp empty Show",
    "-cp four Show",
    "-cp seven Show",
    "-cp half Show",
    "-cp short Show",
    "-cp long Show",
    "-cp magic Show",
    "-cp newer Show",
    "-cp older Show",
    "-cp minor Show",
    "-cp preview Show",
    "-cp preview --enable-preview Show",
    "-cp tag Show",
    "-cp utf8 Show",
    "-cp name Other",
    "-cp name Show",
    "-cp descriptor Show",
    "-cp flags Show",
    "-cp verify Show",
    "-cp directory Show",
    "-cp lacks HasSuper",
    "-cp lacks HasFace",
    "-cp lacks Uses",
    "-cp lacks UsesLate",
    "-cp broken HasSuper",
    "-cp broken HasFace",
    "-cp broken Uses",
    "-cp broken UsesLate",
    "-cp half:good Show",
    "-cp good:half Show",
    "-cp good Finds half.Show [I [LShow; [LAbsent; [[ L Show; a/b a.b. .a int",
    "-cp good NoMain",
    "-cp good NotStatic",
    "-cp good NotPublic",
    "-cp good ReturnsInt",
    "-cp good FailsInit",
    "-cp good Throws",
    "-cp good show",
    "-cp good Show.class",
    "-cp good good/Show",
    // Jars.
    "-jar good.jar",
    "-jar absent.jar",
    "-jar good",
    "-jar empty.jar",
    "-jar text.jar",
    "-jar half.jar",
    "-jar short.jar",
    "-jar end-only.jar",
    "-jar prefixed.jar",
    "-jar suffixed.jar",
    "-jar central.jar",
    "-jar crc.jar",
    "-jar data.jar",
    "-jar no-manifest.jar",
    "-jar no-main.jar",
    "-jar main-missing.jar",
    "-jar class-half.jar",
    "-jar /dev/null",
    "-cp text.jar:good Show",
    "-cp half.jar:good Show",
    "-cp central.jar:good Show",
    "-cp empty.jar Show",
    "-cp crc.jar Show",
    "-cp data.jar Show",
    "-cp class-half.jar:good Show",
    // The boot loader's.
    "-Xbootclasspath/a:absent.jar -cp good Show",
    "-Xbootclasspath/a:text.jar -cp good Show",
    "-Xbootclasspath/a:half.jar -cp good Show",
    "-Xbootclasspath/a:central.jar -cp good Show",
    "-Xbootclasspath/a:empty.jar -cp good Show",
    "-Xbootclasspath/a:good.jar Show",
    "-Xbootclasspath/a:half Show",
    "-Xbootclasspath/a:class-half.jar Show",
    "-Xbootclasspath/a:data.jar Show",
    "-Xbootclasspath/a:crc.jar Show",
    "-Xbootclasspath/a:directory -cp good Show",
    "-Xbootclasspath/a:magic Show",
    "-Xbootclasspath/a:newer Show",
    // Modules.
    "-p mods -m m/p.Main",
    "-p mods -m m",
    "-p mods -m m/p.Absent",
    "-p mods -m absent/p.Main",
    "-p absent -m m/p.Main",
    "-p badmods -m m/p.Main",
    "-p text.jar -m m/p.Main",
    "-p lonely -m n/p.Main",
    "-p mods --add-modules absent -m m/p.Main",
    "--limit-modules absent -cp good Show",
    "--upgrade-module-path badmods -cp good Show",
    "--patch-module java.base=absent -cp good Show",
    "--patch-module absent=good -cp good Show",
    "--patch-module java.base=text.jar -cp good Show",
    // Launcher.
    "@absent",
    "-cp",
    "-jar",
    "-m",
    "",
];

#[test]
fn bad_input_gets_hotspots_answer() {
    let w = prepare();
    let java = java_home().join("bin/java");
    let kiln = Path::new(env!("CARGO_BIN_EXE_kiln"));
    let mut failed = 0;
    for args in CASES {
        let (expected, actual) = (w.run(&java, args), w.run(kiln, args));
        if expected != actual {
            failed += 1;
            println!("== {args}\n-- HotSpot: {expected:.1500}\n-- Kiln: {actual:.1500}");
        }
    }
    assert_eq!(failed, 0, "of {} cases", CASES.len());
}
