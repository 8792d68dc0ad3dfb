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
    &["-XX:ConcGCThreads=9"],
    &["-XX:ConcGCThreads=9", "-XX:+UseSerialGC"],
    &["-XX:ParallelGCThreads=0", "-XX:+UseG1GC"],
    &["-XX:ParallelGCThreads=0", "-XX:+UseParallelGC"],
    &["-XX:InitialTenuringThreshold=9", "-XX:MaxTenuringThreshold=4", "-XX:+UseParallelGC"],
    // Compilation.
    &["-XX:CICompilerCount=1"],
    &["-XX:CICompilerCount=0", "-Xint"],
    &["-XX:CICompilerCount=0", "-XX:TieredStopAtLevel=1"],
    &["-XX:CompileThreshold=-5"],
    &["-XX:OnStackReplacePercentage=5"],
    &["-XX:OnStackReplacePercentage=99999999999"],
    &["-Xint", "-XX:+TieredCompilation"],
    &["-XX:+UseCompiler", "-Djava.compiler=NONE"],
    &["-XX:+SegmentedCodeCache", "-Xint"],
    &["-Xcomp"],
    &["-Xint", "-XX:+UseCompiler"],
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

fn parse(args: &[&str]) -> Options {
    let args: Vec<OsString> = args.iter().map(OsString::from).collect();
    match Options::parse(&args, &|_| None, false) {
        Ok(options) => options,
        Err(error) => panic!("{args:?}: {error}"),
    }
}

/// Type, name, kind and layout of every flag are HotSpot's; values may differ, because HotSpot
/// computes many of them from the processor.
#[test]
fn flag_tables_are_hotspots() {
    let Some(java) = java() else {
        eprintln!("skipped: no JDK 17 found (KILN_JAVA_HOME, JAVA_HOME, /usr/lib/jvm)");
        return;
    };
    let own = ["KilnGC", "GCStress", "SafepointStress", "DeoptStress", "VerifyIR", "StressSeed", "PrintIR", "CompileTheWorld"];
    let own = |line: &&str| {
        !own.iter().any(|name| line.contains(name)) && !line.contains("CompilationReport")
    };
    for table in ["-XX:+PrintFlagsFinal", "-XX:+PrintFlagsRanges"] {
        let unlock = ["-XX:+UnlockDiagnosticVMOptions", "-XX:+UnlockExperimentalVMOptions"];
        let args = [unlock[0], unlock[1], table, "-XX:+UseSerialGC", "-Xmx64m"];
        let output = Command::new(&java).args(args).arg("-version").output().expect("java runs");
        let theirs = String::from_utf8(output.stdout).expect("the table is ASCII");
        let ours = parse(&args).messages().text(Stream::Stdout);
        let ours: Vec<&str> = ours.lines().filter(own).collect();
        let theirs: Vec<&str> = theirs.lines().filter(own).collect();
        assert_eq!(ours.len(), theirs.len(), "{table}");
        for (ours, theirs) in ours.iter().zip(&theirs) {
            // The columns after the value or the range start at the same place.
            let value = if table.ends_with("Final") { 53..84 } else { 0..0 };
            let fixed = |line: &str| {
                let kind = line.find('{').map(|at| &line[at..]).unwrap_or_default();
                let kind = kind.split("} {").next().unwrap_or_default().to_string();
                (line.get(..value.start).unwrap_or(line).trim_end().to_string(), kind)
            };
            assert_eq!(fixed(ours), fixed(theirs), "{table}");
            let known = ["UseSerialGC", "MaxHeapSize", "MaxRAMPercentage", "InitialHeapSize"];
            if known.iter().any(|name| ours.contains(&format!(" {name} "))) {
                assert_eq!(ours, theirs);
            }
        }
    }
}

#[test]
fn module_options_become_numbered_properties() {
    let options = parse(&[
        "--add-exports=java.base/a=ALL-UNNAMED",
        "--add-modules=m1,m2",
        "--add-exports=java.base/b=x",
        "-Djava.vm.name=mine",
        "-Dk=1",
        "--module-path=p:q",
        "-Dk=2",
        "-Dempty",
        "--patch-module=java.base=/x:/y",
        "-Xbootclasspath/a:/one",
        "-Xbootclasspath/a:/two",
        "--limit-modules=java.base",
        "-Dcom.sun.management.x=1",
    ]);
    let expected = [
        ("jdk.module.addexports.0", "java.base/a=ALL-UNNAMED"),
        ("jdk.module.addexports.1", "java.base/b=x"),
        ("jdk.module.addmods.0", "m1,m2"),
        ("jdk.module.addmods.1", "jdk.management.agent"),
        ("jdk.module.path", "p:q"),
        ("jdk.module.patch.0", "java.base=/x:/y"),
        ("jdk.module.limitmods", "java.base"),
        ("jdk.boot.class.path.append", "/one:/two"),
        ("java.vm.name", "OpenJDK 64-Bit Server VM"),
        ("k", "2"),
        ("empty", ""),
    ];
    for (key, value) in expected {
        assert_eq!(options.properties.get(key), Some(value.as_ref()), "{key}");
    }
    let internal: Vec<&str> =
        options.properties.iter().filter(|p| p.internal).map(|p| p.key.as_str()).collect();
    assert!(internal.contains(&"jdk.module.patch.0") && !internal.contains(&"jdk.module.path"));
    assert_eq!(options.module_patches, [("java.base".to_string(), OsString::from("/x:/y"))]);
}

#[test]
fn settings_follow_the_flags() {
    let options = parse(&[
        "-Xmx5m",
        "-Xss300k",
        "-Xint",
        "-XX:+GCStress",
        "-XX:GCStressInterval=4k",
        "-XX:KilnGC=ImmixDefrag",
        "-XX:ActiveProcessorCount=3",
        "-XX:-ShowCodeDetailsInExceptionMessages",
        "-XX:StressSeed=7",
        "-Xverify:remote",
        "-Xcheck:jni",
    ]);
    let settings = &options.settings;
    // Rounded up to what HotSpot aligns heaps to.
    assert_eq!((settings.max_heap, settings.initial_heap), (6 << 20, 6 << 20));
    assert_eq!(settings.thread_stack, 300 << 10);
    assert_eq!(settings.mode.info(), "interpreted mode");
    assert_eq!(settings.gc_stress_interval, Some(4096));
    assert_eq!(settings.plan, jvm::options::Plan::ImmixDefrag);
    assert_eq!((settings.processors, settings.stress_seed), (3, 7));
    assert!(!settings.helpful_null_pointer_messages && settings.check_jni);
    assert!(!settings.verify_boot_classes && settings.verify_other_classes);
    assert_eq!(parse(&[]).settings.gc_stress_interval, None);
}

#[test]
fn what_needs_jvmti_is_refused_by_name() {
    let lines = [
        ("-agentlib:jdwp=transport=dt_socket", "Debugging agents are not supported in this VM\n"),
        ("-Xrunjdwp:x", "Debugging agents are not supported in this VM\n"),
        ("-agentpath:/a/libjdwp.so=x", "Debugging agents are not supported in this VM\n"),
        ("-agentlib:hprof", "JVMTI agents are not supported in this VM: -agentlib:hprof\n"),
        ("-javaagent:a.jar", "Instrumentation agents are not supported in this VM: -javaagent:a.jar\n"),
    ];
    for (option, message) in lines {
        match Options::parse(&[option.into()], &|_| None, true) {
            Ok(_) => panic!("{option} was accepted"),
            Err(error) => {
                assert_eq!(error.outcome, Outcome::Error);
                assert_eq!(error.messages.text(Stream::Stderr), message);
            }
        }
    }
}

/// Option and settings files, on both VMs.
#[test]
fn files_of_options() {
    let Some(java) = java() else {
        eprintln!("skipped: no JDK 17 found (KILN_JAVA_HOME, JAVA_HOME, /usr/lib/jvm)");
        return;
    };
    let directory = std::env::temp_dir().join(format!("kiln-options-{}", std::process::id()));
    std::fs::create_dir_all(&directory).expect("a directory for the files");
    let file = |name: &str, text: &str| {
        let path = directory.join(name);
        std::fs::write(&path, text).expect("the file is written");
        path.to_str().expect("the path is text").to_string()
    };
    let good = file("good", "-Xmx32m\n  -Da='b c' \"-Xlog:foo\"\n");
    let nested = file("nested", &format!("-XX:VMOptionsFile={good}"));
    let unmatched = file("unmatched", "-Da='b");
    let empty = file("empty", "");
    let flags = file("flags", "# comment\n+UseSerialGC MaxHeapFreeRatio=200\n+ZZZ -QQQ=1\n'+X'\n");
    let settings = file("settings", "+UseSerialGC\n-PrintVMOptions OnError='a b'");
    let directory_itself = directory.to_str().expect("the path is text").to_string();
    let lines: Vec<Vec<String>> = vec![
        vec![format!("-XX:VMOptionsFile={good}")],
        vec![format!("-XX:VMOptionsFile={nested}")],
        vec![format!("-XX:VMOptionsFile={unmatched}")],
        vec![format!("-XX:VMOptionsFile={empty}"), "-Xfoo".to_string()],
        vec![format!("-XX:VMOptionsFile={empty}"), format!("-XX:VMOptionsFile={good}")],
        vec![format!("-XX:VMOptionsFile={directory_itself}")],
        vec![format!("-XX:Flags={flags}")],
        vec![format!("-XX:Flags={settings}"), "-XX:+UseParallelGC".to_string()],
        vec![format!("-XX:Flags={settings}"), "-XX:+ZZZ".to_string()],
    ];
    for line in &lines {
        let args: Vec<&str> = line.iter().map(String::as_str).collect();
        assert_eq!(kiln(&args, &[]), hotspot(&java, &args, &[]), "{args:?}");
    }
    std::fs::remove_dir_all(&directory).expect("the files are removed");
}

/// Selection, decorations, padding, files and rotation, through the process's configuration.
#[test]
fn logging() {
    let directory = std::env::temp_dir().join(format!("kiln-log-{}", std::process::id()));
    std::fs::create_dir_all(&directory).expect("a directory for the logs");
    let log = directory.join("%p.log");
    let log = log.to_str().expect("the path is text");
    let option = format!("-Xlog:gc*=debug,gc+heap=off,class+load:file={log}:level,tags:filecount=2,filesize=80");
    parse(&[&option]).install();

    assert!(jvm::log_enabled!(Debug, [gc, start]) && jvm::log_enabled!(Info, [class, load]));
    assert!(!jvm::log_enabled!(Trace, [gc, start]) && !jvm::log_enabled!(Debug, [class, load]));
    // stdout keeps what it has by default.
    assert!(jvm::log_enabled!(Warning, [gc, heap]) && !jvm::log_enabled!(Info, [gc, heap]));
    assert!(!jvm::log_enabled!(Info, [safepoint]));

    jvm::log!(Info, [gc], "one");
    jvm::log!(Debug, [gc, start], "two {}", 2);
    jvm::log!(Trace, [gc], "not wanted {}", evaluated());
    jvm::log!(Info, [class, load], "three");
    jvm::log!(Info, [gc], "four");
    let read = |name: String| std::fs::read_to_string(directory.join(name)).expect("the log exists");
    let pid = std::process::id();
    let first = "[info][gc] one\n[debug][gc,start] two 2\n[info ][class,load] three\n[info ][gc        ] four\n";
    assert_eq!(read(format!("{pid}.log.0")), first);
    jvm::log!(Info, [gc], "five");
    assert_eq!(read(format!("{pid}.log")), "[info ][gc        ] five\n");
    std::fs::remove_dir_all(&directory).expect("the logs are removed");
}

fn evaluated() -> u32 {
    panic!("the arguments of a message that nobody wants were evaluated")
}

/// The heap sizes that HotSpot's default collector ends up with.
#[test]
fn heap_sizes_are_hotspots() {
    let Some(java) = java() else {
        eprintln!("skipped: no JDK 17 found (KILN_JAVA_HOME, JAVA_HOME, /usr/lib/jvm)");
        return;
    };
    let lines: [&[&str]; 12] = [
        &[],
        &["-Xmx5m"],
        &["-Xmx77m"],
        &["-Xmx9g"],
        &["-Xms100m"],
        &["-Xms100m", "-Xmx100m"],
        &["-Xms0", "-Xmx3g"],
        &["-XX:MaxRAM=1g"],
        &["-XX:MaxRAM=150m"],
        &["-XX:MaxRAMPercentage=60", "-XX:InitialRAMPercentage=10.5"],
        &["-XX:MaxRAMFraction=3", "-XX:-PrintWarnings"],
        &["-XX:MinHeapSize=50m", "-XX:MaxRAM=4g"],
    ];
    let names = [" MaxHeapSize ", " InitialHeapSize ", " MinHeapSize ", " SoftMaxHeapSize "];
    let sizes = |table: &str| -> Vec<String> {
        let rows = table.lines().filter(|line| names.iter().any(|name| line.contains(name)));
        rows.map(str::to_string).collect()
    };
    for line in lines {
        let mut args = line.to_vec();
        args.extend(["-XX:+UseG1GC", "-XX:+PrintFlagsFinal"]);
        let output = Command::new(&java).args(&args).arg("-version").output().expect("java runs");
        let theirs = sizes(&String::from_utf8_lossy(&output.stdout));
        assert_eq!(theirs.len(), 4, "{line:?}");
        assert_eq!(sizes(&parse(&args).messages().text(Stream::Stdout)), theirs, "{line:?}");
    }
}
