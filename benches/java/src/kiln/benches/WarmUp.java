package kiln.benches;

import java.time.Instant;
import java.util.Arrays;

/**
 * How long a kernel takes to get going: from the start of the process (property {@code kiln.benches.start},
 * nanoseconds since 1970 as {@code date +%s%N} gives them) until it runs at 90% of its own steady state.
 * Steady state is the median time of an iteration in the second half of the run; the kernel has reached 90% of it
 * with the first iteration from which on the median of {@link #WINDOW} iterations is at most steady / 0.9.
 */
final class WarmUp {
    /** Iterations looked at together: one that was interrupted by something else does not count. */
    private static final int WINDOW = 5;

    private WarmUp() {}

    static String measure(Kernel k, int seconds, int scale) {
        String property = System.getProperty("kiln.benches.start");
        if (property == null) {
            throw new IllegalStateException("-w wants -Dkiln.benches.start=$(date +%s%N)");
        }
        Instant now = Instant.now();
        long sinceStart = now.getEpochSecond() * 1_000_000_000L + now.getNano() - Long.parseLong(property);
        long zero = System.nanoTime() - sinceStart;
        long[] ends = new long[1024];
        long[] times = new long[1024];
        int n = 0;
        long checksum = 0;
        while (true) {
            long begin = System.nanoTime();
            long result = k.run(scale);
            long end = System.nanoTime();
            if (n > 0 && result != checksum) {
                throw new IllegalStateException(k.name() + ": checksum " + result + " after " + checksum);
            }
            checksum = result;
            if (n == ends.length) {
                ends = Arrays.copyOf(ends, 2 * n);
                times = Arrays.copyOf(times, 2 * n);
            }
            ends[n] = end - zero;
            times[n++] = end - begin;
            if (end - zero > seconds * 1_000_000_000L && n >= 4 * WINDOW) {
                break;
            }
        }
        long steady = median(times, n / 2, n);
        int i = 0;
        while (i < n - WINDOW && 9 * median(times, i, i + WINDOW) > 10 * steady) {
            i++;
        }
        return k.name() + "\t" + Main.millis(ends[i]) + "\t" + Main.millis(steady) + "\t" + checksum;
    }

    private static long median(long[] times, int from, int to) {
        long[] some = Arrays.copyOfRange(times, from, to);
        Arrays.sort(some);
        return some[some.length / 2];
    }
}
