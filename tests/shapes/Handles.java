// Constant method handles and VarHandles are followed to what they call: no call is left.
// shape exact: inlines Handles::mix
// shape exact: no call
// shape bound: no call
// shape adapted: no call
// shape field: no call
// shape field: no load_unsafe
// shape element: no call
// shape lambda: no call
// shape guarded: no call
// shape virtual: inlines Handles::instance
// shape virtual: no call

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.invoke.VarHandle;
import java.util.function.IntUnaryOperator;

public class Handles {
    static final MethodHandle STATIC, BOUND, ADAPTED, GUARDED, VIRTUAL;
    static final VarHandle FIELD;
    static final VarHandle ELEMENTS = MethodHandles.arrayElementVarHandle(int[].class);
    int field;

    static {
        try {
            MethodHandles.Lookup l = MethodHandles.lookup();
            MethodType ii = MethodType.methodType(int.class, int.class);
            STATIC = l.findStatic(Handles.class, "mix", MethodType.methodType(int.class, int.class, int.class));
            BOUND = MethodHandles.insertArguments(STATIC, 1, 99);
            ADAPTED = MethodHandles.explicitCastArguments(BOUND, MethodType.methodType(int.class, long.class));
            GUARDED = MethodHandles.guardWithTest(
                l.findStatic(Handles.class, "odd", MethodType.methodType(boolean.class, int.class)),
                BOUND, MethodHandles.identity(int.class));
            VIRTUAL = l.findVirtual(Handles.class, "instance", ii);
            FIELD = l.findVarHandle(Handles.class, "field", int.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    static boolean odd(int a) { return (a & 1) != 0; }
    static int mix(int a, int b) { return a * 31 + b; }
    int instance(int a) { return a + field; }

    static int exact(int v) throws Throwable { return (int) STATIC.invokeExact(v, 5); }
    static int bound(int v) throws Throwable { return (int) BOUND.invokeExact(v); }
    static int adapted(int v) throws Throwable { return (int) ADAPTED.invokeExact((long) v); }
    static int guarded(int v) throws Throwable { return (int) GUARDED.invokeExact(v); }
    static int virtual(Handles h, int v) throws Throwable { return (int) VIRTUAL.invokeExact(h, v); }
    static int field(Handles h, int v) { FIELD.set(h, v); return (int) FIELD.get(h) + (int) FIELD.getAndAdd(h, 3); }
    static int element(int[] a, int i) { ELEMENTS.setVolatile(a, i, 7); return (int) ELEMENTS.get(a, i); }
    static int lambda(int v) {
        IntUnaryOperator plain = x -> x * 3;
        IntUnaryOperator captured = x -> x + v;
        return captured.applyAsInt(plain.applyAsInt(v));
    }

    public static void main(String[] args) throws Throwable {
        Handles h = new Handles();
        int[] a = new int[8];
        int sum = 0;
        for (int i = 0; i < 30000; i++) {
            sum += exact(i) + bound(i) + adapted(i) + guarded(i) + virtual(h, i) + field(h, i);
            sum += element(a, i & 7) + lambda(i);
        }
        System.out.println(sum);
    }
}
