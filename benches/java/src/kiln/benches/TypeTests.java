package kiln.benches;

/** instanceof and checkcast over classes, interfaces and arrays. */
final class TypeTests implements Kernel {
    private static final int ROUNDS = 10_000;

    @Override
    public String name() {
        return "type-tests";
    }

    @Override
    public long run(int scale) {
        int n = scale * ROUNDS;
        Object[] all = {"text", 7, 8L, new int[2], new String[1], 'c', new StringBuilder("b"), 2.5};
        long sum = 0;
        for (int r = 0; r < n; r++) {
            for (int i = 0; i < 40; i++) {
                Object o = all[i & 7];
                if (o instanceof String) {
                    sum += ((String) o).length();
                } else if (o instanceof Integer) {
                    sum += (Integer) o;
                } else if (o instanceof Object[]) {
                    sum += ((Object[]) o).length;
                } else if (o instanceof int[]) {
                    sum += ((int[]) o).length * 3;
                } else if (o instanceof CharSequence) {
                    sum += ((CharSequence) o).length() * 5;
                } else if (o instanceof Comparable) {
                    Comparable<?> c = (Comparable<?>) o;
                    sum += c instanceof Number ? 11 : 13;
                }
            }
        }
        return sum;
    }
}
