package kiln.benches;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Runs kernels: {@code [-l] [-m] [-n repetitions] [-w seconds] [-s scale] [name...]}; no names means all.
 * {@code -m} marks begin and end of each repetition for {@code benches/count-instructions.c}.
 * One line a kernel: {@code name<TAB>median_ms<TAB>min_ms<TAB>checksum}; with {@code -w}
 * {@code name<TAB>warm_ms<TAB>steady_ms<TAB>checksum}, see {@link WarmUp}.
 */
public final class Main {
    /** The begin mark; the end mark is 1 more. See {@code benches/count-instructions.c}. */
    private static final long MARK = 0x4b494c4e00L;

    private Main() {}

    static Kernel[] all() {
        return new Kernel[] {
            new IntLoop(), new LongMath(), new FloatingPoint(), new IntArrays(), new ByteParse(), new Grid(), new FieldAccess(),
            new StaticCalls(), new VirtualCalls(), new InterfaceCalls(), new Recursion(), new Strings(), new StringBuilding(),
            new Concat(), new HashMaps(), new ArrayLists(), new TreeMaps(), new LinkedLists(), new Exceptions(), new Lambdas(),
            new StreamPipeline(), new Boxing(), new Locks(), new MethodHandleCalls(), new Sorting(), new MatrixMultiply(),
            new NBody(), new Mandelbrot(), new Sieve(), new Crc(), new BytecodeLoop(), new ObjectTrees(), new Regex(),
            new TypeTests(), new Switches(),
        };
    }

    public static void main(String[] args) throws IOException {
        int repetitions = 5;
        int scale = 10;
        int seconds = 0;
        boolean list = false;
        boolean mark = false;
        List<String> names = new ArrayList<>();
        for (int i = 0; i < args.length; i++) {
            switch (args[i]) {
                case "-l": list = true; break;
                case "-m": mark = true; break;
                case "-w": seconds = number(args, ++i); break;
                case "-n": repetitions = number(args, ++i); break;
                case "-s": scale = number(args, ++i); break;
                default:
                    if (args[i].startsWith("-")) {
                        fail("unknown option " + args[i]);
                    }
                    names.add(args[i]);
            }
        }
        Map<String, Kernel> kernels = new LinkedHashMap<>();
        for (Kernel k : all()) {
            kernels.put(k.name(), k);
        }
        if (names.isEmpty()) {
            names.addAll(kernels.keySet());
        }
        for (String name : names) {
            Kernel k = kernels.get(name);
            if (k == null) {
                fail("no kernel " + name + "; -l lists them");
            }
            if (list) {
                System.out.println(name);
            } else if (seconds > 0) {
                System.out.println(WarmUp.measure(k, seconds, scale));
            } else if (mark) {
                try (RandomAccessFile marks = new RandomAccessFile("/dev/null", "r")) {
                    System.out.println(measure(k, repetitions, scale, marks));
                }
            } else {
                System.out.println(measure(k, repetitions, scale, null));
            }
        }
    }

    private static String measure(Kernel k, int repetitions, int scale, RandomAccessFile marks) throws IOException {
        long[] times = new long[repetitions];
        long checksum = 0;
        for (int i = 0; i < repetitions; i++) {
            if (marks != null) {
                marks.seek(MARK);
            }
            long start = System.nanoTime();
            long result = k.run(scale);
            times[i] = System.nanoTime() - start;
            if (marks != null) {
                marks.seek(MARK + 1);
            }
            if (i > 0 && result != checksum) {
                throw new IllegalStateException(k.name() + ": checksum " + result + " after " + checksum);
            }
            checksum = result;
        }
        Arrays.sort(times);
        return k.name() + "\t" + millis(times[repetitions / 2]) + "\t" + millis(times[0]) + "\t" + checksum;
    }

    static String millis(long nanos) {
        long micros = nanos / 1000;
        String fraction = Long.toString(1000 + micros % 1000).substring(1);
        return micros / 1000 + "." + fraction;
    }

    private static int number(String[] args, int i) {
        try {
            int n = Integer.parseInt(args[i]);
            if (n > 0) {
                return n;
            }
        } catch (NumberFormatException | ArrayIndexOutOfBoundsException e) {
            // Reported below, as for zero and less.
        }
        fail(args[i - 1] + " wants a positive number");
        return 0;
    }

    private static void fail(String message) {
        System.err.println("kiln.benches: " + message);
        System.exit(2);
    }
}
