package kiln.benches;

/** Throwing and catching: in the frame, over frames, with finally, with and without traces. */
final class Exceptions implements Kernel {
    private static final int ROUNDS = 3900;
    private static final int[] TABLE = new int[6];
    private static final Signal SIGNAL = new Signal(11);

    private static final class Signal extends RuntimeException {
        private static final long serialVersionUID = 1;
        final int code;

        Signal(int code) {
            super(null, null, false, false);
            this.code = code;
        }
    }

    private static int deep(int level, int r) {
        if (level == 0) {
            if ((r & 1) == 0) {
                throw SIGNAL;
            }
            return 5;
        }
        try {
            return deep(level - 1, r) + 1;
        } finally {
            if (level == 100) {
                throw new Signal(level);
            }
        }
    }

    @Override
    public String name() {
        return "exceptions";
    }

    @Override
    public long run(int scale) {
        int n = scale * ROUNDS;
        long sum = 0;
        for (int r = 0; r < n; r++) {
            for (int i = 0; i < 10; i++) {
                try {
                    sum += deep(i, r);
                } catch (Signal e) {
                    sum += e.code;
                } finally {
                    sum++;
                }
            }
            try {
                throw new IllegalStateException("traced");
            } catch (IllegalStateException e) {
                sum += e.getMessage().length();
            }
            try {
                sum += new int[3][0].length + TABLE[r & 7];
            } catch (ArrayIndexOutOfBoundsException e) {
                sum += 3;
            }
        }
        return sum;
    }
}
