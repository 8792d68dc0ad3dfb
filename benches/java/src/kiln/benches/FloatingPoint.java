package kiln.benches;

/** Double and float arithmetic with conversions and comparisons. */
final class FloatingPoint implements Kernel {
    private static final int ROUNDS = 2300;

    @Override
    public String name() {
        return "floating-point";
    }

    @Override
    public long run(int scale) {
        int n = scale * ROUNDS;
        double acc = 0;
        float low = 1;
        for (int r = 0; r < n; r++) {
            double x = 0.5 + r % 10;
            for (int i = 1; i < 500; i++) {
                x = x * 0.75 + 1.0 / i;
                acc += x * x - (double) i / (x + 1);
                low = (float) (low * 0.5f + x);
                if (acc > 1e6) {
                    acc -= 1e6;
                }
            }
        }
        return (long) (acc * 1000) + (long) low;
    }
}
