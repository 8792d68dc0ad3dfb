package kiln.benches;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.invoke.VarHandle;

/** Method handles and VarHandles: exact calls, adapted calls, field access. */
final class MethodHandleCalls implements Kernel {
    private static final int ROUNDS = 450;
    private static final MethodHandle STATIC;
    private static final MethodHandle BOUND;
    private static final MethodHandle ADAPTED;
    private static final VarHandle FIELD;
    private static final VarHandle ELEMENTS = MethodHandles.arrayElementVarHandle(int[].class);
    private final int[] cells = new int[8];
    private int field;

    static {
        try {
            MethodHandles.Lookup lookup = MethodHandles.lookup();
            STATIC = lookup.findStatic(MethodHandleCalls.class, "mix", MethodType.methodType(int.class, int.class, int.class));
            BOUND = MethodHandles.insertArguments(STATIC, 1, 99);
            ADAPTED = MethodHandles.explicitCastArguments(BOUND, MethodType.methodType(int.class, long.class));
            FIELD = lookup.findVarHandle(MethodHandleCalls.class, "field", int.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private static int mix(int a, int b) {
        return a * 31 + b;
    }

    @Override
    public String name() {
        return "method-handles";
    }

    @Override
    public long run(int scale) {
        int n = scale * ROUNDS;
        try {
            int v = 3;
            for (int r = 0; r < n; r++) {
                for (int i = 0; i < 20; i++) {
                    v = (int) STATIC.invokeExact(v, i);
                    v = (int) BOUND.invokeExact(v);
                    FIELD.set(this, v);
                    v = (int) FIELD.get(this) + (int) ADAPTED.invokeExact((long) i);
                    ELEMENTS.setVolatile(cells, i & 7, v);
                }
            }
            long sum = v;
            for (int c : cells) {
                sum = sum * 31 + c;
            }
            return sum;
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }
}
