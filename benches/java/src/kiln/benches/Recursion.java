package kiln.benches;

/** Recursive calls: Fibonacci, Ackermann, queens. */
final class Recursion implements Kernel {
    private static final int ROUNDS = 390;
    private static int fibonacci(int k) {
        return k < 2 ? k : fibonacci(k - 1) + fibonacci(k - 2);
    }

    private static int ackermann(int m, int k) {
        if (m == 0) {
            return k + 1;
        }
        return k == 0 ? ackermann(m - 1, 1) : ackermann(m - 1, ackermann(m, k - 1));
    }

    private static int queens(int size, int columns, int left, int right) {
        int full = (1 << size) - 1;
        if (columns == full) {
            return 1;
        }
        int count = 0;
        for (int free = full & ~(columns | left | right); free != 0; free &= free - 1) {
            int bit = free & -free;
            count += queens(size, columns | bit, (left | bit) << 1, (right | bit) >> 1);
        }
        return count;
    }

    @Override
    public String name() {
        return "recursion";
    }

    @Override
    public long run(int scale) {
        int n = scale * ROUNDS;
        long sum = 0;
        for (int r = 0; r < n; r++) {
            sum += fibonacci(14) + ackermann(2, 6) + queens(5, 0, 0, 0);
        }
        return sum;
    }
}
