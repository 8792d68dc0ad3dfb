// Calls that select a method by the receiver's class are split by what the profile has seen.
// shape one: inlines Receivers$A::value
// shape one: no call
// shape one: no interface
// shape two: inlines Receivers$A::value
// shape two: inlines Receivers$B::value
// shape two: no call
// shape mostly: inlines Receivers$A::value
// shape mostly: has call.interface
// shape many: has call.interface
// shape hierarchy: inlines Receivers$Only::twice
// shape hierarchy: no call
// shape hierarchy: no exact_class
// What a branch has found out about a reference needs no check.
// shape tested: no check_cast
// shape tested: no null_check
// shape factory: no call
// shape factory: no exact_class
// What compiled code alone calls is compiled too.
// shape Receivers$Late::value: no call

public class Receivers {
    interface Value { int value(); }
    static final class A implements Value { public int value() { return 1; } }
    static final class B implements Value { public int value() { return 2; } }
    static final class C implements Value { public int value() { return 3; } }
    abstract static class Base { abstract int twice(int x); }
    static class Only extends Base { int twice(int x) { return x + x; } }

    static final class Late implements Value { static int calls; public int value() { return calls++ & 3; } }

    // The result's class is known from what is inlined.
    static Value make(boolean first) { return first ? new A() : new A(); }

    static int one(Value v) { return v.value(); }
    static int two(Value v) { return v.value(); }
    static int mostly(Value v) { return v.value(); }
    static int many(Value v) { return v.value(); }
    static int hierarchy(Base b, int x) { return b.twice(x); }
    static int factory(int x) { return make((x & 1) == 0).value(); }

    static int tested(Object o) {
        if (o instanceof A) {
            return ((A) o).value();
        }
        return o instanceof int[] ? ((int[]) o).length : -1;
    }

    public static void main(String[] args) {
        Value[] all = {new A(), new B(), new C()};
        Base base = new Only();
        int sum = 0;
        for (int i = 0; i < 60000; i++) {
            sum += one(all[0]) + two(all[i & 1]) + many(all[i % 3]) + hierarchy(base, i) + factory(i);
            sum += tested((i & 1) == 0 ? all[0] : new int[3]);
            sum += mostly(all[i % 50 == 0 ? 1 + i % 100 / 50 : 0]);
        }
        all = new Value[] {new Late()};
        for (int i = 0; i < 60000; i++) {
            sum += many(all[0]);
        }
        System.out.println(sum);
    }
}
