/** Makes more garbage than the heap holds, then asks for a collection. */
public class Garbage {
    private static byte[] garbage;

    public static void main(String[] args) {
        for (int i = 0; i < 60_000; i++) garbage = new byte[1 << 10];
        System.gc();
        System.out.println(garbage.length);
    }
}
