//! The launcher against the JDK's `java`: with HotSpot's own `libjvm.so` beneath both, every command
//! line must give the same standard output, standard error and exit code.

use std::ffi::OsStr;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A program that shows what the launcher handed to the VM and to it.
const SHOW: &str = r#"
public class Show {
    public static void main(String[] args) {
        System.out.println(String.join("|", args));
        for (String name : new String[] {"java.home", "sun.boot.library.path", "sun.java.command",
                "sun.java.launcher", "java.class.path", "jdk.module.main", "x"})
            System.out.println(name + "=" + System.getProperty(name));
        System.exit(args.length);
    }
}
"#;

/// The JDK under both launchers: Debian's, or the first 17 in `/usr/lib/jvm`.
fn jdk() -> PathBuf {
    let is_17 = |home: &Path| {
        std::fs::read_to_string(home.join("release")).is_ok_and(|text| text.contains("JAVA_VERSION=\"17"))
            && home.join("bin/javac").exists()
    };
    let mut homes: Vec<PathBuf> = std::fs::read_dir("/usr/lib/jvm")
        .expect("no JDK is installed: run make setup")
        .map(|entry| entry.unwrap().path())
        .filter(|home| !home.is_symlink() && is_17(home))
        .collect();
    homes.sort();
    homes.into_iter().next().expect("no JDK 17 with javac is installed: run make setup")
}

/// A fresh directory with `Show` compiled into `out` and jarred, an argument file and a module.
struct Work {
    dir: PathBuf,
    jdk: PathBuf,
}

impl Work {
    fn new(name: &str) -> Work {
        let dir = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("launcher-{name}"));
        if dir.exists() {
            std::fs::remove_dir_all(&dir).unwrap();
        }
        std::fs::create_dir_all(dir.join("module/p")).unwrap();
        let work = Work { dir, jdk: jdk() };
        work.write("Show.java", SHOW);
        work.write("args", "# a comment\n-cp out\n-Dx='a b' Show \"c d\" e\n");
        work.write("module/module-info.java", "module m { }");
        work.write("module/p/Show.java", &format!("package p;{SHOW}"));
        work.write("broken.jar", "this is no zip file");
        work.tool("javac", &["-d", "out", "Show.java"]);
        work.tool("javac", &["-d", "mods/m", "module/module-info.java", "module/p/Show.java"]);
        work.tool("jar", &["--create", "--file", "show.jar", "--main-class", "Show", "-C", "out", "."]);
        work
    }

    fn write(&self, file: &str, text: &str) {
        std::fs::write(self.dir.join(file), text).unwrap();
    }

    fn tool(&self, name: &str, args: &[&str]) {
        let status = Command::new(self.jdk.join("bin").join(name)).args(args).current_dir(&self.dir).status();
        assert!(status.unwrap().success(), "{name} {args:?}");
    }

    fn run(&self, launcher: &OsStr, args: &[&str], env: &[(&str, &str)]) -> Output {
        let mut command = Command::new(launcher);
        command.args(args).current_dir(&self.dir).stdin(Stdio::null());
        for variable in ["JAVA_HOME", "CLASSPATH", "JDK_JAVA_OPTIONS", "JAVA_TOOL_OPTIONS", "LD_LIBRARY_PATH"] {
            command.env_remove(variable);
        }
        command.env("KILN_JAVA_HOME", &self.jdk);
        command.env("KILN_LIBJVM", self.jdk.join("lib/server/libjvm.so"));
        command.envs(env.iter().copied());
        command.output().unwrap()
    }

    /// Runs both launchers and compares; standard error without the lines that differ by nature.
    fn same(&self, args: &[&str], env: &[(&str, &str)]) {
        let java = self.run(self.jdk.join("bin/java").as_os_str(), args, env);
        let kiln = self.run(OsStr::new(env!("CARGO_BIN_EXE_kiln")), args, env);
        let show = |output: &Output| {
            format!(
                "exit {:?} signal {:?}\n--- stdout\n{}--- stderr\n{}",
                output.status.code(),
                output.status.signal(),
                String::from_utf8_lossy(&output.stdout),
                String::from_utf8_lossy(&output.stderr)
            )
        };
        assert_eq!(show(&kiln), show(&java), "{args:?} {env:?}");
    }
}

#[test]
fn command_lines_are_javas() {
    let work = Work::new("same");
    let jvm_dir = work.jdk.join("lib/server");
    let none: &[(&str, &str)] = &[];
    for args in [
        &[] as &[&str],
        &["-version"],
        &["--version"],
        &["-fullversion"],
        &["--help"],
        &["-X"],
        &["-cp", "out", "Show", "a", "b"],
        &["-classpath", "out", "-Dx=y", "Show", "-server", "-XXaltjvm=nowhere", "@args"],
        &["-server", "-cp", "out", "Show"],
        &["-cp", "out", "-client", "Show"],
        &["-jar", "show.jar", "-jar", "c"],
        &["-jar", "nowhere.jar"],
        &["-jar", "broken.jar"],
        &["-p", "mods", "-m", "m/p.Show", "a", "-b"],
        &["--module-path=mods", "--module=m/p.Show", "a"],
        &["-m", "nowhere/p.Show"],
        &["@args", "f"],
        &["@nowhere"],
        &["--disable-@files", "@args"],
        &["@@args"],
        &["-cp"],
        &["-jar"],
        &["-m"],
        &["-nonsense"],
        &["--nonsense=1", "Show"],
        &["-XX:+Nonsense", "-cp", "out", "Show"],
        &["-Xmx1", "-cp", "out", "Show"],
        &["-Xss1k", "-cp", "out", "Show"],
        &["-cp", "out", "Nowhere"],
        &["--dry-run", "-cp", "out", "Show"],
        &["-showversion", "-cp", "out", "Show"],
        &["Show.java", "z"],
        &["--source", "17", "Show.java"],
        &["-version:1.6", "Show"],
    ] {
        work.same(args, none);
    }
    work.same(&["Show", "r"], &[("CLASSPATH", "out")]);
    work.same(&["Show", "r"], &[("JDK_JAVA_OPTIONS", "-cp out '-Dx=1 2'")]);
    work.same(&["Show", "r"], &[("JDK_JAVA_OPTIONS", "-cp 'out")]);
    work.same(&["r"], &[("JDK_JAVA_OPTIONS", "@args")]);
    work.same(&["r"], &[("JDK_JAVA_OPTIONS", "-cp out Show")]);
    work.same(&["-cp", "out", "Show"], &[("_JAVA_OPTIONS", "-Dx=1")]);
    work.same(&["-cp", "out", "Show"], &[("JAVA_TOOL_OPTIONS", "-Dx=1")]);
    // A library path that names a VM makes libjli start the launcher again.
    work.same(&["-cp", "out", "Show"], &[("LD_LIBRARY_PATH", jvm_dir.to_str().unwrap())]);
    std::fs::remove_dir_all(&work.dir).unwrap();
}

#[test]
fn what_is_wrong_with_the_jdk_is_said() {
    let work = Work::new("errors");
    let kiln = OsStr::new(env!("CARGO_BIN_EXE_kiln"));
    work.write("release", "JAVA_VERSION=\"21.0.2\"\n");
    let cases: [(&[&str], &[(&str, &str)], &str); 5] = [
        (&["--java-home", "/nowhere", "Show"], &[], "/nowhere: No such file or directory"),
        (&["--java-home=.", "Show"], &[], ". is version 21.0.2; Kiln supports 17"),
        (&["Show"], &[("KILN_JAVA_HOME", "/usr")], "/usr is not a JDK's home directory"),
        (&["--java-home"], &[], "--java-home requires the home directory of a JDK"),
        (&["Show"], &[("KILN_LIBJVM", "/etc/passwd")], "which is not called libjvm.so"),
    ];
    for (args, env, expected) in cases {
        let output = work.run(kiln, args, env);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{args:?}: {stderr}");
        assert!(stderr.starts_with("Error: ") && stderr.contains(expected), "{args:?}: {stderr}");
        assert!(output.stdout.is_empty());
    }
    std::fs::remove_dir_all(&work.dir).unwrap();
}
