import java.nio.ByteBuffer;

/** Calls the natives of functions.c, which print what the functions of the JNI table do. */
public class JniFunctions {
    static class Base {
        String name() { return "Base"; }
        boolean same(boolean x) { return x; }
        byte same(byte x) { return x; }
        char same(char x) { return x; }
        short same(short x) { return x; }
        int same(int x) { return x; }
        long same(long x) { return x; }
        float same(float x) { return x; }
        double same(double x) { return x; }
    }

    static class Data extends Base {
        boolean z = true;
        byte b = 1;
        char c = 'c';
        short s = 2;
        int i = 3;
        volatile long j = 4;
        float f = 5;
        volatile double d = 6;
        volatile Object l = "seven";
        static volatile boolean sz;
        static byte sb;
        static char sc;
        static short ss;
        static volatile int si;
        static long sj;
        static float sf;
        static double sd;
        static Object sl;

        Data() {}
        Data(int i, long j) { this.i = i; this.j = j; }

        @Override String name() { return "Data"; }
        @Override boolean same(boolean x) { return !x; }
        @Override byte same(byte x) { return (byte) (x * 2); }
        @Override char same(char x) { return (char) (x + 1); }
        @Override short same(short x) { return (short) (x * 2); }
        @Override int same(int x) { return x * 2; }
        @Override long same(long x) { return x * 2; }
        @Override float same(float x) { return x * 2; }
        @Override double same(double x) { return x * 2; }

        static boolean echo(boolean x) { return x; }
        static byte echo(byte x) { return x; }
        static char echo(char x) { return x; }
        static short echo(short x) { return x; }
        static int echo(int x) { return x; }
        static long echo(long x) { return x; }
        static float echo(float x) { return x; }
        static double echo(double x) { return x; }
        static int twice(int x) { return 2 * x; }
        static void fail(String why) { throw new UnsupportedOperationException(why); }

        String describe(boolean z, byte b, char c, short s, int i, long j, float f, double d, String l) {
            return z + " " + b + " " + (int) c + " " + s + " " + i + " " + j + " " + f + " " + d + " " + l;
        }

        @Override public String toString() { return "Data " + i + " " + j; }
    }

    static class Broken {
        static int x = 1 / Integer.parseInt("0");
    }

    static class Thrower {
        Thrower() { throw new IllegalArgumentException("no instances"); }
    }

    static class NoStringConstructor extends RuntimeException {
        NoStringConstructor(int x) { super("number " + x); }
    }

    static native void classes();
    static native void members(Object data, Object method, Object field);
    static native void fields(Object data);
    static native void calls(Object data);
    static native void strings(String latin, String wide);
    static native void arrays();
    static native void exceptions();
    static native void throwing() throws java.io.IOException;
    static native void references(Object o);
    static native void registration();
    static native void monitors(Object o);
    static native ByteBuffer buffers(ByteBuffer direct, ByteBuffer onHeap);
    static native int triple(int x);
    static native boolean negate(boolean x);
    static native long overloaded(long x);
    static native int overloaded(int x);
    static native int with_underscore();
    static native void nowhere(int[] x, String y);
    native String manyArguments(int a, long b, float c, double d, byte e, short f, char g, boolean h, String i, int j,
            long k, float l, double m, double n, double o, double p, double q, double r, int s, byte t);

    public static void main(String[] args) throws Exception {
        System.load(args[0]);
        classes();
        Data data = new Data();
        members(data, Data.class.getDeclaredMethod("twice", int.class), Data.class.getDeclaredField("i"));
        fields(data);
        System.out.println(data + " " + Data.sz + " " + Data.sb + " " + (int) Data.sc + " " + Data.ss + " " + Data.si
                + " " + Data.sj + " " + Data.sf + " " + Data.sd);
        calls(new Data());
        strings("latin \u00e9\0\u00ff", "wide \u20ac\ud83d\ude00\0");
        arrays();
        exceptions();
        try {
            throwing();
            System.out.println("not reached");
        } catch (java.io.IOException e) {
            System.out.println(e + " at " + e.getStackTrace()[0]);
        }
        references(new Object());
        registration();
        System.out.println(triple(14));
        monitors(new Object());
        ByteBuffer direct = ByteBuffer.allocateDirect(10);
        ByteBuffer made = buffers(direct, ByteBuffer.allocate(5));
        System.out.println(direct.get(0) + " " + made + " " + (char) made.get(0));
        System.out.println(new JniFunctions().manyArguments(1, 2, 3, 4, (byte) -5, (short) -6, '\u0007', true, "nine",
                -10, -11, 12.5f, 13.5, 14.5, 15.5, 16.5, 17.5, 18.5, 19, (byte) 20));
        System.out.println(negate(true) + " " + negate(false));
        System.out.println(overloaded(5) + " " + overloaded(5L) + " " + with_underscore());
        try {
            nowhere(null, null);
        } catch (UnsatisfiedLinkError e) {
            System.out.println(e.getMessage());
        }
        try {
            System.load("/nowhere/libnothing.so");
        } catch (UnsatisfiedLinkError e) {
            System.out.println(e.getMessage());
        }
    }
}
