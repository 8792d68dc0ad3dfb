package kiln.benches;

/** Small static methods with one to four arguments. */
final class StaticCalls implements Kernel {
    private static final int ROUNDS = 530;
    private static int mix(int a, int b) {
        return a * 33 ^ b;
    }

    private static int clamp(int v, int low, int high, int other) {
        return v < low ? low + other : v > high ? high - other : v;
    }

    private static int one(int v) {
        return v & 1;
    }

    @Override
    public String name() {
        return "static-calls";
    }

    @Override
    public long run(int scale) {
        int n = scale * ROUNDS;
        int v = 1;
        long sum = 0;
        for (int r = 0; r < n; r++) {
            for (int i = 0; i < 300; i++) {
                v = mix(v, i);
                v = clamp(v, -100_000, 100_000, i);
                v += one(v);
            }
            sum = sum * 31 + v;
        }
        return sum;
    }
}
