package kiln.benches;

/** Loads and stores of int arrays: prefix sums, reversal, histogram. */
final class IntArrays implements Kernel {
    private static final int ROUNDS = 1200;

    @Override
    public String name() {
        return "int-arrays";
    }

    @Override
    public long run(int scale) {
        int n = scale * ROUNDS;
        int[] a = new int[512];
        int[] h = new int[64];
        for (int i = 0; i < a.length; i++) {
            a[i] = i * 7919 & 1023;
        }
        for (int r = 0; r < n; r++) {
            for (int i = 1; i < a.length; i++) {
                a[i] = a[i] + a[i - 1] & 0xFFFFF;
            }
            for (int i = 0, j = a.length - 1; i < j; i++, j--) {
                int t = a[i];
                a[i] = a[j];
                a[j] = t;
            }
            for (int v : a) {
                h[v & 63]++;
            }
        }
        long sum = 0;
        for (int i = 0; i < h.length; i++) {
            sum = sum * 31 + h[i] + a[i];
        }
        return sum;
    }
}
