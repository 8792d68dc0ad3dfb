import java.util.function.LongSupplier;

/** What the kernels share: a generator of random numbers that is the same everywhere, and how they print. */
final class Kernel {
    private long state;

    Kernel(long seed) {
        state = seed;
    }

    /** From 0 to {@code bound - 1} (Lehmer's generator with Knuth's multiplier). */
    int next(int bound) {
        state = state * 6364136223846793005L + 1442695040888963407L;
        return (int) ((state >>> 33) % bound);
    }

    /** Runs {@code rounds} rounds and prints the sum of what they answer; with {@code -Dlive=true} also what is live then. */
    static void main(String[] args, int rounds, LongSupplier round) {
        long sum = 0;
        int n = args.length > 0 ? Integer.parseInt(args[0]) : rounds;
        for (int i = 0; i < n; i++) sum = sum * 31 + round.getAsLong();
        System.out.println(sum);
        if (Boolean.getBoolean("live")) {
            System.gc();
            Runtime r = Runtime.getRuntime();
            System.out.println("live " + (r.totalMemory() - r.freeMemory() >> 20) + " MB");
        }
    }
}
