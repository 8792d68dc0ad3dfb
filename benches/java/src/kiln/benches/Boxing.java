package kiln.benches;

/** Boxing and unboxing inside and outside the caches. */
final class Boxing implements Kernel {
    private static final int ROUNDS = 340;

    @Override
    public String name() {
        return "boxing";
    }

    @Override
    public long run(int scale) {
        int n = scale * ROUNDS;
        Long total = 0L;
        Integer seen = 0;
        for (int r = 0; r < n; r++) {
            for (int i = 0; i < 100; i++) {
                Integer a = i;
                Integer b = i * 1000;
                total += a + b;
                if (a.equals(b) || b.compareTo(a) > 500) {
                    seen++;
                }
            }
        }
        return total * 31 + seen;
    }
}
