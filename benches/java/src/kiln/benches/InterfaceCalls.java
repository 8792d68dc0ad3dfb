package kiln.benches;

/** Interface calls over implementors with several interfaces; a default method. */
final class InterfaceCalls implements Kernel {
    private static final int ROUNDS = 720;
    private interface Named {
        default int id() {
            return 1;
        }
    }

    private interface Step {
        int apply(int v);

        default int twice(int v) {
            return apply(apply(v));
        }
    }

    private static final class Add implements Step {
        public int apply(int v) { return v + 77; }
    }

    private static final class Xor implements Named, Step {
        public int apply(int v) { return v ^ 0x5A5A; }
    }

    private static final class Rotate implements Comparable<Rotate>, Named, Step {
        public int apply(int v) { return v << 3 | v >>> 29; }
        public int compareTo(Rotate o) { return 0; }
    }

    private static final class Negate implements Step, Named {
        public int apply(int v) { return -v + id(); }
    }

    @Override
    public String name() {
        return "interface-calls";
    }

    @Override
    public long run(int scale) {
        int n = scale * ROUNDS;
        Step[] steps = {new Add(), new Xor(), new Rotate(), new Negate()};
        int v = 12345;
        for (int r = 0; r < n; r++) {
            for (int i = 0; i < 100; i++) {
                v = steps[0].apply(v);
                v = steps[i & 1].apply(v);
                v = steps[i & 3].apply(v);
                v = steps[i + 2 & 3].twice(v);
            }
        }
        return v;
    }
}
