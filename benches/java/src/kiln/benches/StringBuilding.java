package kiln.benches;

/** StringBuilder: appends of every kind, insert, reverse, setLength. */
final class StringBuilding implements Kernel {
    private static final int ROUNDS = 550;

    @Override
    public String name() {
        return "string-builder";
    }

    @Override
    public long run(int scale) {
        int n = scale * ROUNDS;
        long sum = 0;
        StringBuilder sb = new StringBuilder();
        for (int r = 0; r < n; r++) {
            sb.setLength(0);
            for (int i = 0; i < 20; i++) {
                sb.append(i).append(':').append("item").append((long) i * r).append(i % 3 == 0).append(' ');
            }
            sb.insert(5, "mid").reverse();
            sum += sb.length() + sb.charAt(17) + sb.indexOf("eurt");
        }
        return sum;
    }
}
