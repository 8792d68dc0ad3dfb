import java.util.Arrays;

/** What every generated program extends: edge cases, and the folding of results and exceptions into a checksum. */
public class Base {
    public static final int[] EI = {0, 1, -1, 2, 3, 7, 8, -8, 31, 32, 33, 63, 64, 100, 255, -128, 32767, 65536, -65537,
        1000003, Integer.MAX_VALUE, Integer.MIN_VALUE, Integer.MIN_VALUE + 1};
    public static final long[] EL = {0, 1, -1, 2, 5, 63, 64, -100, 4294967295L, 4294967296L, -4294967297L,
        9007199254740993L, Long.MAX_VALUE, Long.MIN_VALUE, Long.MIN_VALUE + 1, 0x123456789abcdefL, Integer.MIN_VALUE};
    public static final double[] ED = {0.0, -0.0, 1.0, -1.5, 0.1, 1e10, -3e9, 1e19, 1e-310, Double.NaN,
        Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY, Double.MAX_VALUE, Double.MIN_VALUE, 2147483647.5, 9.3e18};

    public static int ei(int r) {
        return EI[Math.floorMod(r, EI.length)];
    }

    public static long el(int r) {
        return EL[Math.floorMod(r, EL.length)];
    }

    public static double ed(int r) {
        return ED[Math.floorMod(r, ED.length)];
    }

    public static long mix(long h, long v) {
        h = (h ^ v) * 0x9E3779B97F4A7C15L;
        return h ^ (h >>> 29);
    }

    public static long bits(long v) {
        return v;
    }

    public static long bits(boolean v) {
        return v ? 1 : 2;
    }

    public static long bits(float v) {
        return Float.floatToIntBits(v);
    }

    public static long bits(double v) {
        return Double.doubleToLongBits(v);
    }

    public static long bits(Object v) {
        if (v == null) return 77;
        if (v instanceof String s) return s.hashCode();
        if (v instanceof Integer n) return n;
        if (v instanceof Folds f) return f.fold();
        if (v instanceof int[] x) return Arrays.hashCode(x);
        if (v instanceof long[] x) return Arrays.hashCode(x);
        if (v instanceof double[] x) return Arrays.hashCode(x);
        if (v instanceof float[] x) return Arrays.hashCode(x);
        if (v instanceof byte[] x) return Arrays.hashCode(x);
        if (v instanceof char[] x) return Arrays.hashCode(x);
        if (v instanceof boolean[] x) return Arrays.hashCode(x);
        if (v instanceof short[] x) return Arrays.hashCode(x);
        if (v instanceof Object[] x) return x.length;
        return v.getClass().getName().hashCode();
    }

    /** The frames tell whether deoptimization and inlining kept the methods and lines right. */
    public static long thrown(Throwable t) {
        long h = t.getClass().getName().hashCode();
        if (t instanceof StackOverflowError) return h;
        String m = t.getMessage();
        // Class casts name the loaders, with their identity hashes, in parentheses.
        if (m != null) h = mix(h, (m.indexOf(" (") < 0 ? m : m.substring(0, m.indexOf(" ("))).hashCode());
        for (StackTraceElement e : t.getStackTrace()) {
            if (e.getClassName().startsWith("jdk.internal.reflect")) break;
            h = mix(h, e.getMethodName().hashCode() * 31L + e.getLineNumber());
            if (e.getMethodName().equals("run")) break;
        }
        return h;
    }

    /** An object that is more than its class. */
    public interface Folds {
        long fold();
    }

    /** Small enough to be scalar-replaced where it does not escape. */
    public static final class Q implements Folds {
        public int x;
        public long y;
        public double z;
        public Q next;

        public Q(int x, long y) {
            this.x = x;
            this.y = y;
        }

        public Q(Q next) {
            this(next.x + 1, next.y);
            this.next = next;
        }

        public synchronized int add(int d) {
            x += d;
            return x;
        }

        @Override
        public long fold() {
            return mix(mix(mix(mix(5, x), y), bits(z)), next == null ? 1 : next.x);
        }
    }

    /** An exception of the programs' own. */
    public static class Own extends RuntimeException {
        public final int code;

        public Own(int code) {
            super("own");
            this.code = code;
        }
    }
}
