/** Makes the mistake of its second argument, or tells how many there are to make. */
public class CheckedJni {
    int number;
    static int count;

    static native int cases();

    static native void run(int number, Object object, int[] ints, Object[] objects, String text);

    static void fail() {
        throw new IllegalStateException("made by the test");
    }

    public static void main(String[] args) {
        System.load(args[0]);
        if (args.length == 1) {
            System.out.println(cases());
            return;
        }
        run(Integer.parseInt(args[1]), new CheckedJni(), new int[] {1, 2, 3}, new Object[2], "text");
        System.out.println("count " + count);
    }
}
