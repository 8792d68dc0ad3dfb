// The command line's limits and orders on inlining are followed, each with its reason.
// vmargs: -XX:MaxInlineSize=20 -XX:FreqInlineSize=40 -XX:MaxInlineLevel=2
// vmargs: -XX:CompileCommand=quiet -XX:CompileCommand=dontinline,Limits::never -XX:CompileCommand=inline,Limits::always
// shape sizes: calls Limits::large, hot method too big
// shape sizes: inlines Limits::small
// shape orders: calls Limits::never, disallowed by CompileCommand
// shape orders: inlines Limits::always
// shape depth: inlines Limits::two
// shape depth: calls Limits::three, inlining too deep

public class Limits {
    static int large(int x) {
        x = x * 31 + 7; x ^= x >>> 3; x = x * 17 + 5; x ^= x >>> 7; x = x * 13 + 3; x ^= x >>> 11;
        return x;
    }
    static int small(int x) { x = x * 31 + 7; return x ^ x >>> 3; }
    static int never(int x) { return x; }
    static int always(int x) {
        x = x * 31 + 7; x ^= x >>> 3; x = x * 17 + 5; x ^= x >>> 7; x = x * 13 + 3; x ^= x >>> 11;
        return x + 1;
    }
    static int one(int x) { return two(x * 3 + 1) * 5 + 1; }
    static int two(int x) { return three(x * 3 + 1) * 5 + 1; }
    static int three(int x) { return x * 3 + 1 ^ x; }

    static int sizes(int x) { return large(x) + small(x); }
    static int orders(int x) { return never(x) + always(x); }
    static int depth(int x) { return one(x); }

    public static void main(String[] args) {
        int sum = 0;
        for (int i = 0; i < 30000; i++) {
            sum += sizes(i) + orders(i) + depth(i);
        }
        System.out.println(sum);
    }
}
