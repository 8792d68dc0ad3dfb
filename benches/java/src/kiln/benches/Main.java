package kiln.benches;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Runs kernels: {@code [-l] [-n repetitions] [-s scale] [name...]}; no names means all.
 * One line a kernel: {@code name<TAB>median_ms<TAB>min_ms<TAB>checksum}.
 */
public final class Main {
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

    public static void main(String[] args) {
        int repetitions = 5;
        int scale = 10;
        boolean list = false;
        List<String> names = new ArrayList<>();
        for (int i = 0; i < args.length; i++) {
            switch (args[i]) {
                case "-l": list = true; break;
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
            System.out.println(list ? name : measure(k, repetitions, scale));
        }
    }

    private static String measure(Kernel k, int repetitions, int scale) {
        long[] times = new long[repetitions];
        long checksum = 0;
        for (int i = 0; i < repetitions; i++) {
            long start = System.nanoTime();
            long result = k.run(scale);
            times[i] = System.nanoTime() - start;
            if (i > 0 && result != checksum) {
                throw new IllegalStateException(k.name() + ": checksum " + result + " after " + checksum);
            }
            checksum = result;
        }
        Arrays.sort(times);
        return k.name() + "\t" + millis(times[repetitions / 2]) + "\t" + millis(times[0]) + "\t" + checksum;
    }

    private static String millis(long nanos) {
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
