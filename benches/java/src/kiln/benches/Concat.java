package kiln.benches;

/** Concatenation through invokedynamic. */
final class Concat implements Kernel {
    private static final int ROUNDS = 2300;

    @Override
    public String name() {
        return "string-concat";
    }

    @Override
    public long run(int scale) {
        int n = scale * ROUNDS;
        long sum = 0;
        for (int r = 0; r < n; r++) {
            String s = "row " + r + " of " + n;
            String t = s + '/' + (r * 3L) + (r % 2 == 0);
            sum += t.length() + t.charAt(t.length() - 1) + (t + s + t).hashCode();
        }
        return sum;
    }
}
