// What a box holds is known where it is made: nothing is loaded from it.
// shape add: inlines java.lang.Integer::valueOf
// shape add: no load.i32
// shape compare: no null_check
// shape compare: no load.i64
// Equality of strings and hash codes are part of what calls them.
// shape same: inlines java.lang.String::equals
// shape same: no call

public class Boxes {
    static int add(int x) { Integer a = x; Integer b = x * 1000; return a + b; }
    static boolean compare(long x) { Long a = x; Long b = x + 1; return a.equals(b) || a.compareTo(b) > 0; }
    static boolean same(String a, String b) { return a.equals(b); }

    public static void main(String[] args) {
        int sum = 0;
        String[] words = {"red", "green", "gr" + args.length + "een"};
        for (int i = 0; i < 60000; i++) {
            sum += add(i % 300 - 150) + (compare(i % 300 - 150) ? 1 : 0) + (same(words[i % 3], words[i % 2]) ? 1 : 0);
        }
        System.out.println(sum);
    }
}
