//! Bad and odd command lines: what Kiln's option parser prints, and with what status the process
//! would end, against `java -version` of the installed JDK 17.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;

use jvm::options::{Options, Outcome, Stream};

fn java() -> Option<PathBuf> {
    let homes = ["KILN_JAVA_HOME", "JAVA_HOME"].into_iter().filter_map(std::env::var_os);
    let usual = ["amd64", "arm64"].map(|arch| format!("/usr/lib/jvm/java-17-openjdk-{arch}").into());
    homes.chain(usual).map(|home| PathBuf::from(home).join("bin/java")).find(|java| java.is_file())
}

/// Drops what the parser does not print: the version, the launcher's closing words, messages of
/// parts of the VM that started; and makes times equal.
fn normalize(text: &str) -> String {
    let closing = "Error: Could not create the Java Virtual Machine.\n\
                   Error: A fatal exception has occurred. Program will exit.\n";
    let text = text.replace(closing, "");
    // A suggestion has no newline of its own.
    let text = text.replace("? openjdk version", "? \nopenjdk version");
    let mut kept = String::new();
    for line in text.split_inclusive('\n') {
        let noise = ["openjdk version", "OpenJDK Runtime Environment", "OpenJDK 64-Bit Server VM (build"];
        if noise.iter().any(|start| line.starts_with(start)) {
            continue;
        }
        if let Some((_, rest)) = line.strip_prefix('[').and_then(|line| line.split_once("s]")) {
            if rest.starts_with("[info") || rest.starts_with("[debug") {
                continue;
            }
            kept.push_str("[time]");
            kept.push_str(rest);
        } else {
            kept.push_str(line);
        }
    }
    kept.trim_end_matches([' ', '\n']).to_string()
}

#[derive(PartialEq, Debug)]
struct Printed {
    out: String,
    err: String,
    status: i32,
}

fn hotspot(java: &PathBuf, args: &[&str], env: &[(&str, &str)]) -> Printed {
    let output = Command::new(java)
        .args(args)
        .arg("-version")
        .env_remove("JAVA_TOOL_OPTIONS")
        .env_remove("_JAVA_OPTIONS")
        .env_remove("JDK_JAVA_OPTIONS")
        .envs(env.iter().copied())
        .output()
        .expect("java runs");
    Printed {
        out: normalize(&String::from_utf8_lossy(&output.stdout)),
        err: normalize(&String::from_utf8_lossy(&output.stderr)),
        status: output.status.code().expect("java exits"),
    }
}

fn kiln(args: &[&str], env: &[(&str, &str)]) -> Printed {
    let args: Vec<OsString> = args.iter().map(OsString::from).collect();
    let lookup = |name: &str| env.iter().find(|(key, _)| *key == name).map(|(_, v)| OsString::from(v));
    let (messages, status) = match Options::parse(&args, &lookup, false) {
        Ok(options) => (options.messages().clone(), 0),
        Err(error) => match error.outcome {
            Outcome::Exit(status) => (error.messages, status),
            Outcome::Error | Outcome::Invalid => (error.messages, 1),
        },
    };
    Printed {
        out: normalize(&messages.text(Stream::Stdout)),
        err: normalize(&messages.text(Stream::Stderr)),
        status,
    }
}

const COMMAND_LINES: &[&[&str]] = &[
    &[],
    // Sizes.
    &["-Xmx0k"],
    &["-Xmx"],
    &["-Xmxfoo"],
    &["-Xmx10mb"],
    &["-Xmx-5m"],
    &["-Xmx1m"],
    &["-Xmx0x1000000"],
    &["-Xmx99999999999999999999"],
    &["-Xms"],
    &["-Xms1k", "-Xmx8m"],
    &["-Xms0"],
    &["-Xms5m", "-Xmx4m"],
    &["-Xms3g", "-Xmx2g"],
    &["-XX:InitialHeapSize=64m", "-Xmx32m"],
    &["-XX:MinHeapSize=4g", "-Xmx2g"],
    &["-XX:MinHeapSize=64m", "-XX:InitialHeapSize=32m"],
    &["-XX:MaxHeapSize=1x"],
    &["-Xmn0"],
    &["-Xmnx"],
    &["-Xss1k"],
    &["-Xss1x"],
    &["-Xss2g"],
    &["-XX:ThreadStackSize=10"],
    &["-XX:ThreadStackSize=-1"],
    &["-XX:CompilerThreadStackSize=1"],
    &["-XX:VMThreadStackSize=1"],
    &["-Xmaxf2"],
    &["-Xmaxfx"],
    &["-Xminf"],
    &["-Xminf0.9", "-Xmaxf0.5"],
    &["-XX:ReservedCodeCacheSize=0"],
    &["-XX:ReservedCodeCacheSize=1k"],
    &["-XX:ReservedCodeCacheSize=3g"],
    // Unknown and removed options.
    &["-Xfoo"],
    &["-foo"],
    &["-XX:"],
    &["-XX:+"],
    &["-XX:ZZZ"],
    &["-XX:+ZZZ"],
    &["-XX:-ZZZ=1"],
    &["-XX:Foo=bar=baz"],
    &["-XX:+UseParNewGC"],
    &["-XX:+UseConcMarkSweepGC"],
    &["-XX:MaxHeapSiz=3"],
    &["-XX:+PrintFlagsFinall"],
    &["-XX:+UseG1G"],
    &["-XX:PermSize=64m"],
    &["-XX:#+Verbose"],
    &["-XX:+IgnoreUnrecognizedVMOptions", "-XX:+ZZZ", "-Xfoo", "-XX:Quux=3"],
    &["-XX:+IgnoreUnrecognizedVMOptions", "-XX:+VerifyOops"],
    &["-XX:+IgnoreUnrecognizedVMOptions", "-XX:+VerifyOops", "-XX:+PrintInlining"],
    &["-XX:+IgnoreUnrecognizedVMOptions", "-XX:MaxRAM=x"],
    &["-Xprof"],
    &["-green"],
    &["-native"],
    &["-Xnoagent"],
    &["-Xdebug"],
    &["-Xbootclasspath:/x"],
    &["-Xbootclasspath/p:/x"],
    &["-Xbootclasspath/a:/nonexistent"],
    &["--illegal-access=deny"],
    &["-Xcheck:foo"],
    &["-Xverify:none"],
    &["-Xverify:foo"],
    &["-Xverify:remote"],
    // Flags: kinds, signs, types, ranges.
    &["-XX:+PrintInlining"],
    &["-XX:+UnlockDiagnosticVMOptions", "-XX:+VerifyBeforeGC", "-XX:-VerifyBeforeGC"],
    &["-XX:+UseEpsilonGC"],
    &["-XX:+TraceBytecodes"],
    &["-XX:+CountBytecodes"],
    &["-XX:+CITraceTypeFlow"],
    &["-XX:UseSerialGC"],
    &["-XX:UseSerialGC=1"],
    &["-XX:UseSerialGC=true"],
    &["-XX:+MaxRAM"],
    &["-XX:+MaxRAM=3"],
    &["-XX:MaxRAM"],
    &["-XX:MaxRAM="],
    &["-XX:MaxRAM=abc"],
    &["-XX:ParallelGCThreads=-1"],
    &["-XX:TieredStopAtLevel=9"],
    &["-XX:TieredStopAtLevel=-1"],
    &["-XX:TieredStopAtLevel=1.5"],
    &["-XX:MaxRAMPercentage=200.0"],
    &["-XX:MaxRAMPercentage=-1.5"],
    &["-XX:MaxRAMPercentage=abc"],
    &["-XX:MaxRAMPercentage=50"],
    &["-XX:MaxRAMPercentage=2.5e1"],
    &["-XX:ObjectAlignmentInBytes=9"],
    &["-XX:ObjectAlignmentInBytes=512"],
    &["-XX:LargePageSizeInBytes=3000"],
    &["-XX:PerfDataSamplingInterval=55"],
    &["-XX:ContendedPaddingWidth=3"],
    &["-XX:MaxTenuringThreshold=x"],
    &["-XX:MaxTenuringThreshold=17"],
    &["-XX:MinHeapFreeRatio=80", "-XX:MaxHeapFreeRatio=60"],
    &["-XX:MinMetaspaceFreeRatio=80", "-XX:MaxMetaspaceFreeRatio=60"],
    &["-XX:MetaspaceSize=64m", "-XX:MaxMetaspaceSize=32m"],
    &["-XX:TLABRefillWasteFraction=0"],
    &["-XX:CompilationMode=foo"],
    &["-XX:CompilationMode=quick-only"],
    &["-XX:NativeMemoryTracking=foo"],
    &["-XX:+PrintVMOptions", "-XX:+UseSerialGC", "-Xint"],
    // Renamed, deprecated, obsolete.
    &["-XX:DefaultMaxRAMFraction=2"],
    &["-XX:MaxRAMFraction=2"],
    &["-XX:+UseBiasedLocking"],
    &["-XX:-UseBiasedLocking", "-XX:-PrintWarnings"],
    &["-XX:-PrintWarnings", "-XX:-UseBiasedLocking"],
    &["-XX:+TLABStats"],
    &["-XX:+CreateMinidumpOnCrash"],
    &["-XX:SuspendRetryCount=3"],
    &["-XX:+AssertOnSuspendWaitFailure"],
    &["-XX:+FlightRecorder"],
    // Collectors.
    &["-XX:+UseSerialGC", "-XX:+UseG1GC"],
    &["-XX:-UseG1GC"],
    &["-XX:+UseParallelGC"],
    // Properties and modules.
    &["-Djdk.module.path=x"],
    &["-Djdk.module.addmods.0=x", "-Djdk.module.pathology=y"],
    &["-Djava.endorsed.dirs=/x"],
    &["-Djava.endorsed.dirs="],
    &["-Djava.ext.dirs=/x"],
    &["--patch-module=foo"],
    &["--patch-module=java.base=a", "--patch-module=java.base=b"],
    // Files.
    &["-XX:Flags=/nonexistent"],
    &["-XX:VMOptionsFile=/nonexistent"],
    // Logging.
    &["-Xlogg"],
    &["-Xlog:foo"],
    &["-Xlog:clas"],
    &["-Xlog:gc=xx"],
    &["-Xlog:gc=inf"],
    &["-Xlog:gc*=foo,bar"],
    &["-Xlog:gc+gc"],
    &["-Xlog:gc+heap+exit+init+start+ref"],
    &["-Xlog:gc+"],
    &["-Xlog:g*c"],
    &["-Xlog:gc:foo=bar"],
    &["-Xlog:gc:stdout:foo"],
    &["-Xlog:gc:#7"],
    &["-Xlog:gc:file=/nonexistent/x.log"],
    &["-Xlog:gc:file=\"x"],
    &["-Xlog:gc:a\"b\""],
    &["-Xlog:gc:file=/tmp/x.log::filecount=99999"],
    &["-Xlog:gc:file=/tmp/x.log::filecount=x"],
    &["-Xlog:gc:file=/tmp/x.log::filesize=x"],
    &["-Xlog:gc:file=/tmp/x.log::foo=1"],
    &["-Xlog:gc:file=/tmp/x.log::foo"],
    &["-Xlog:gc:file=/tmp"],
    &["-Xlog:gc:::a:b:c:d"],
    &["-Xlog:disable", "-Xlog:foo"],
    &["-Xlog:load+unload"],
    &["-XX:+PrintGC"],
];

const ENVIRONMENTS: &[(&[&str], &[(&str, &str)])] = &[
    (&[], &[("JAVA_TOOL_OPTIONS", "-Da=b")]),
    (&[], &[("JAVA_TOOL_OPTIONS", "")]),
    (&["-Xmx20m"], &[("JAVA_TOOL_OPTIONS", "-Xms16m"), ("_JAVA_OPTIONS", "-Xmx8m")]),
    (&["-Xfoo"], &[("JAVA_TOOL_OPTIONS", "-Xmx0"), ("_JAVA_OPTIONS", "-XX:+ZZZ")]),
    (&[], &[("_JAVA_OPTIONS", "-Da='b")]),
    (&[], &[("_JAVA_OPTIONS", "-Xlog:'foo bar'")]),
    (&[], &[("_JAVA_OPTIONS", "-X\"fo'o\"  \t -Xb'a r'")]),
    (&["-XX:+IgnoreUnrecognizedVMOptions"], &[("_JAVA_OPTIONS", "-XX:+ZZZ")]),
];

#[test]
fn messages_are_hotspots() {
    let Some(java) = java() else {
        eprintln!("skipped: no JDK 17 found (KILN_JAVA_HOME, JAVA_HOME, /usr/lib/jvm)");
        return;
    };
    let lines = COMMAND_LINES.iter().map(|args| (*args, &[] as &[(&str, &str)]));
    let mut differing = Vec::new();
    for (args, env) in lines.chain(ENVIRONMENTS.iter().map(|(args, env)| (*args, *env))) {
        let (expected, actual) = (hotspot(&java, args, env), kiln(args, env));
        if expected != actual {
            differing.push(format!("{args:?} {env:?}\n  java {expected:?}\n  kiln {actual:?}"));
        }
    }
    assert!(differing.is_empty(), "{} differ:\n{}", differing.len(), differing.join("\n"));
}
