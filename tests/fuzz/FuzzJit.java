import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.LongFunction;

/**
 * Generated programs on HotSpot and on Kiln in several modes, results compared.
 *
 * <pre>
 * FuzzJit SEED FROM COUNT [modes=xint,eager,...] [vm=target/release/kiln] [oracle=java] [jobs=2] [batch=250]
 *     [seconds=S] [stuck=60] [minimize=no] [keep=yes]
 * FuzzJit SEED PROGRAM source          prints that program
 * FuzzJit minimize FILE MODE [vm=...]  prints the least part of the program that the mode still answers otherwise
 * </pre>
 *
 * Programs SEED:FROM to SEED:FROM+COUNT-1. A program that a mode answers otherwise is saved, with its minimized form,
 * under target/fuzz-jit/failed. Exit status 1 if there was any. With {@code vm=scripts/kiln-arm64} the oracle is {@code
 * scripts/java-arm64}: the sign of the NaN that an operation makes is the processor's. With {@code seconds} no batch is
 * begun after that time; a program that says nothing for {@code stuck} seconds counts as hung: more than the default on a
 * busy machine; {@code keep} leaves the batches' class files in target/fuzz-jit, for {@code java -cp
 * target/fuzz-jit/driver Run BATCH 0}.
 */
public final class FuzzJit {
    private static final String EAGER = "-XX:-BackgroundCompilation -XX:Tier0InvokeNotifyFreqLog=0"
        + " -XX:Tier0BackedgeNotifyFreqLog=0 -XX:Tier3InvokeNotifyFreqLog=0 -XX:Tier3BackedgeNotifyFreqLog=0"
        + " -XX:Tier3InvocationThreshold=1 -XX:Tier3MinInvocationThreshold=1 -XX:Tier3CompileThreshold=1"
        + " -XX:Tier3BackEdgeThreshold=10 -XX:Tier4InvocationThreshold=10 -XX:Tier4MinInvocationThreshold=10"
        + " -XX:Tier4CompileThreshold=10 -XX:Tier4BackEdgeThreshold=100";

    /** Those that {@code tests/fixtures.rs} has too have the same flags there. */
    static final Map<String, String> MODES = new LinkedHashMap<>();

    static {
        MODES.put("xint", "-Xint");
        MODES.put("eager", EAGER);
        MODES.put("xcomp", "-Xcomp");
        MODES.put("xcomp3", "-Xcomp -XX:TieredStopAtLevel=3");
        // Tier 4 without a profile, before anything is resolved.
        MODES.put("xcomp4", "-Xcomp -XX:-TieredCompilation");
        // Loops enter compiled code in their middle, calls never do.
        MODES.put("osr", "-XX:-BackgroundCompilation -XX:Tier0BackedgeNotifyFreqLog=0 -XX:Tier3BackedgeNotifyFreqLog=0"
            + " -XX:Tier3InvocationThreshold=1000000 -XX:Tier3MinInvocationThreshold=1000000"
            + " -XX:Tier3CompileThreshold=1000000 -XX:Tier3BackEdgeThreshold=6 -XX:Tier4InvocationThreshold=1000000"
            + " -XX:Tier4MinInvocationThreshold=1000000 -XX:Tier4CompileThreshold=1000000 -XX:Tier4BackEdgeThreshold=40");
        MODES.put("deoptstress", EAGER + " -XX:+DeoptStress");
        MODES.put("gcxcomp", "-XX:+GCStress -Xcomp");
    }

    private static final Path DIR = Path.of("target/fuzz-jit").toAbsolutePath();

    /** What a VM said of a batch: a line for each program, or why there is none. */
    private record Answers(Map<String, String> lines, String log) {}

    private static List<String> command(String vm, String mode, Path batch, int from) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(vm).toAbsolutePath().toString());
        String flags = mode.equals("hotspot") ? "-XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xshare:auto" : MODES.get(mode);
        command.addAll(Arrays.asList(flags.split(" ")));
        command.addAll(List.of("-Xmx400m", "-cp", DIR.resolve("driver").toString(), "Run", batch.toString(), "" + from));
        return command;
    }

    /** Runs the batch; a program that ends the VM or hangs gets that as its line, and the run goes on behind it. */
    private static Answers run(String vm, String mode, Path batch, List<Program> programs, int stuckSeconds)
        throws IOException, InterruptedException {
        Map<String, String> lines = new LinkedHashMap<>();
        StringBuilder log = new StringBuilder();
        int from = 0;
        while (from < programs.size()) {
            Path out = Path.of(batch + "." + mode + ".out");
            Path err = Path.of(batch + "." + mode + ".err");
            // Crash reports go beside the programs that failed.
            Process process = new ProcessBuilder(command(vm, mode, batch, from)).directory(DIR.resolve("failed").toFile())
                .redirectOutput(out.toFile())
                .redirectError(err.toFile()).start();
            long size = -1;
            int quiet = 0;
            boolean hung = false;
            while (!process.waitFor(1, TimeUnit.SECONDS)) {
                long now = Files.size(out);
                quiet = now == size ? quiet + 1 : 0;
                size = now;
                if (quiet > stuckSeconds) {
                    hung = true;
                    process.destroyForcibly().waitFor();
                }
            }
            for (String line : Files.readAllLines(out)) {
                if (!line.endsWith(" .")) continue;
                lines.put(line.substring(0, line.indexOf(' ')), line);
                from++;
            }
            if (from < programs.size()) {
                String why = hung ? "no answer in " + stuckSeconds + " s" : "VM ended with status " + process.exitValue();
                List<String> said = Files.readAllLines(err);
                String first = said.isEmpty() ? "" : ": " + String.join(" | ", said.subList(0, Math.min(6, said.size())));
                lines.put(programs.get(from).name, why);
                log.append(programs.get(from).name).append(' ').append(why).append(first).append('\n');
                from++;
            }
            Files.delete(out);
            Files.delete(err);
        }
        return new Answers(lines, log.toString());
    }

    /** The first method whose checksums differ; its results may come from what it called or from statics. */
    private static String where(String expected, String actual) {
        String[] e = expected.split(" ");
        String[] a = actual.split(" ");
        if (a.length != e.length) return actual;
        for (int i = 1; i < e.length; i++) {
            if (!e[i].equals(a[i])) return i == e.length - 2 ? "statics" : "m" + (i - 1);
        }
        return "nothing";
    }

    /** Programs that javac takes, from one process of it; what it does not take is said, and left out. */
    private record Batch(List<Program> programs, int rejected, long nanos) {
        static Batch compiled(long seed, long from, long to) {
            long start = System.nanoTime();
            List<Program> programs = new ArrayList<>();
            for (long i = from; i < to; i++) programs.add(generate(seed, i));
            int rejected = 0;
            List<String> errors = Program.compile(programs);
            if (!errors.isEmpty()) {
                // Such as a method larger than 64 KiB.
                errors.stream().limit(20).forEach(System.err::println);
                programs.removeIf(p -> errors.stream().anyMatch(e -> e.contains("/" + p.name + ".java")));
                rejected = (int) (to - from) - programs.size();
                if (rejected == 0) throw new IllegalStateException("javac's errors name no program");
                if (!Program.compile(programs).isEmpty()) throw new IllegalStateException("javac rejects what it took");
            }
            return new Batch(programs, rejected, System.nanoTime() - start);
        }
    }

    static Program generate(long seed, long number) {
        String name = "P" + seed + "_" + number;
        return new Program(name, new Generator(name, seed * 1_000_000_007L + number).program());
    }

    private static String hotspot;
    private static String vm = "target/release/kiln";

    /** Whether the program's answer in the mode is still not HotSpot's; programs that do not compile do not count. */
    static boolean disagrees(String name, String source, String mode) throws IOException, InterruptedException {
        Program p = new Program(name, source);
        List<Program> one = List.of(p);
        if (!Program.compile(one).isEmpty()) return false;
        Path batch = DIR.resolve("minimize-" + name + "-" + mode);
        Program.write(one, batch);
        try {
            Answers expected = run(hotspot, "hotspot", batch, one, 6);
            if (!expected.log.isEmpty()) return false;
            return !expected.lines.equals(run(vm, mode, batch, one, 6).lines);
        } finally {
            Files.delete(batch);
        }
    }

    public static void main(String[] args) throws Exception {
        hotspot = System.getProperty("java.home") + File.separator + "bin" + File.separator + "java";
        if (args[0].equals("minimize")) {
            Path file = Path.of(args[1]);
            String program = file.getFileName().toString().replace(".java", "");
            if (args.length > 3) vm = args[3].substring("vm=".length());
            Files.createDirectories(DIR.resolve("failed"));
            if (!disagrees(program, Files.readString(file), args[2])) {
                System.err.println(program + ": " + args[2] + " answers as HotSpot does");
                System.exit(1);
            }
            System.out.print(Minimize.reduce(Files.readString(file), s -> disagrees(program, s, args[2]), 1200));
            return;
        }
        long seed = Long.parseLong(args[0]);
        long first = Long.parseLong(args[1]);
        if (args[2].equals("source")) {
            System.out.print(Program.alone(generate(seed, first).source));
            return;
        }
        long count = Long.parseLong(args[2]);
        List<String> modes = List.of("xint", "xcomp", "xcomp3", "xcomp4", "eager", "deoptstress");
        int jobs = 2;
        int size = 250;
        long seconds = Long.MAX_VALUE / 2_000_000_000L;
        int stuck = 60;
        boolean minimize = true;
        boolean keep = false;
        for (String arg : Arrays.asList(args).subList(3, args.length)) {
            String value = arg.substring(arg.indexOf('=') + 1);
            switch (arg.substring(0, arg.indexOf('='))) {
                case "modes" -> modes = List.of(value.split(","));
                case "vm" -> vm = value;
                case "oracle" -> hotspot = value;
                case "jobs" -> jobs = Integer.parseInt(value);
                case "batch" -> size = Integer.parseInt(value);
                case "seconds" -> seconds = Long.parseLong(value);
                case "stuck" -> stuck = Integer.parseInt(value);
                case "keep" -> keep = value.equals("yes");
                case "minimize" -> minimize = value.equals("yes");
                default -> throw new IllegalArgumentException(arg);
            }
        }
        Path failed = Files.createDirectories(DIR.resolve("failed"));
        ExecutorService pool = Executors.newFixedThreadPool(jobs);
        long begin = System.nanoTime();
        long done = 0;
        int disagreements = 0;
        int rejected = 0;
        Map<String, Long> spent = new LinkedHashMap<>();
        // The next batch is compiled while this one runs.
        ExecutorService javac = Executors.newSingleThreadExecutor();
        int stuckSeconds = stuck;
        int step = size;
        LongFunction<Future<Batch>> prepare =
            at -> javac.submit(() -> Batch.compiled(seed, at, Math.min(first + count, at + step)));
        Future<Batch> next = prepare.apply(first);
        for (long at = first; at < first + count; at += size) {
            if ((System.nanoTime() - begin) / 1_000_000_000L >= seconds) break;
            Batch prepared = next.get();
            if (at + size < first + count) next = prepare.apply(at + size);
            List<Program> programs = prepared.programs;
            rejected += prepared.rejected;
            spent.merge("javac", prepared.nanos, Long::sum);
            Path batch = DIR.resolve("batch-" + seed + "-" + at);
            Program.write(programs, batch);
            Map<String, Future<Answers>> answers = new LinkedHashMap<>();
            List<String> all = new ArrayList<>(modes);
            all.add(0, "hotspot");
            for (String mode : all) {
                Callable<Answers> task = () -> {
                    long t = System.nanoTime();
                    Answers a = run(mode.equals("hotspot") ? hotspot : vm, mode, batch, programs, stuckSeconds);
                    synchronized (spent) {
                        spent.merge(mode, System.nanoTime() - t, Long::sum);
                    }
                    return a;
                };
                answers.put(mode, pool.submit(task));
            }
            Answers expected = answers.get("hotspot").get();
            if (!expected.log.isEmpty()) throw new IllegalStateException("HotSpot failed: " + expected.log);
            Map<String, List<String>> wrong = new LinkedHashMap<>();
            for (String mode : modes) {
                Answers actual = answers.get(mode).get();
                System.out.print(actual.log);
                for (Program p : programs) {
                    String e = expected.lines.get(p.name);
                    String a = actual.lines.get(p.name);
                    if (e.equals(a)) continue;
                    System.out.println(p.name + " " + mode + ": differs in " + where(e, a));
                    wrong.computeIfAbsent(p.name, n -> new ArrayList<>()).add(mode);
                }
            }
            if (!keep) Files.delete(batch);
            for (Program p : programs) {
                if (!wrong.containsKey(p.name)) continue;
                disagreements++;
                String alone = Program.alone(p.source);
                Files.writeString(failed.resolve(p.name + ".java"), alone);
                if (!minimize) continue;
                String mode = wrong.get(p.name).get(0);
                if (disagrees(p.name, alone, mode)) {
                    String small = Minimize.reduce(alone, s -> disagrees(p.name, s, mode), 180);
                    Path to = Files.createDirectories(failed.resolve("min")).resolve(p.name + ".java");
                    Files.writeString(to, "// " + mode + ": " + MODES.get(mode) + "\n" + small);
                    System.out.println(p.name + " " + mode + ": minimized to " + to);
                } else {
                    System.out.println(p.name + " " + mode + ": agrees when run alone");
                }
            }
            done += programs.size();
            System.err.println("fuzz-jit: " + done + " programs, " + disagreements + " disagree, "
                + (System.nanoTime() - begin) / 1_000_000_000L + " s");
        }
        pool.shutdown();
        javac.shutdown();
        StringBuilder times = new StringBuilder();
        spent.forEach((what, ns) -> times.append(' ').append(what).append(' ').append(ns / 1_000_000_000L).append(" s"));
        System.out.println("fuzz-jit: " + done + " programs, seed " + seed + " from " + first + ", modes " + String.join(" ", modes)
            + ": " + disagreements + " disagree, " + rejected + " rejected by javac; " + (System.nanoTime() - begin) / 1_000_000_000L + " s (" + times.toString().trim() + ")");
        System.exit(disagreements == 0 ? 0 : 1);
    }
}
