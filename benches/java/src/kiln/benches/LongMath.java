package kiln.benches;

/** 64-bit arithmetic: xorshift, modular powers, division. */
final class LongMath implements Kernel {
    private static final int ROUNDS = 1600;

    @Override
    public String name() {
        return "long-math";
    }

    @Override
    public long run(int scale) {
        int n = scale * ROUNDS;
        long x = 88172645463325252L;
        long sum = 0;
        for (int r = 0; r < n; r++) {
            for (int i = 0; i < 200; i++) {
                x ^= x << 13;
                x ^= x >>> 7;
                x ^= x << 17;
                long base = (x & 0xFFFF) + 3;
                long p = 1;
                for (int e = 5; e != 0; e >>= 1) {
                    if ((e & 1) != 0) {
                        p = p * base % 1_000_003L;
                    }
                    base = base * base % 1_000_003L;
                }
                sum += p + x / 1_000_000_007L;
            }
        }
        return sum;
    }
}
