package kiln.benches;

/** Integer arithmetic in locals: add, multiply, shifts, compare and branch. */
final class IntLoop implements Kernel {
    private static final int ROUNDS = 1400;

    @Override
    public String name() {
        return "int-loop";
    }

    @Override
    public long run(int scale) {
        int n = scale * ROUNDS;
        int a = 1, b = 7, c = 0;
        for (int r = 0; r < n; r++) {
            for (int i = 0; i < 1000; i++) {
                a = a * 31 + (b ^ i);
                b = (b << 3) - b + (a >>> 5);
                if ((a & 4) != 0) {
                    c += b;
                } else {
                    c -= a % 7;
                }
            }
        }
        return a * 31L + b * 17L + c;
    }
}
