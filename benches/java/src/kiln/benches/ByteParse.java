package kiln.benches;

/** Parsing numbers and words out of a byte array. */
final class ByteParse implements Kernel {
    private static final int ROUNDS = 4600;
    private static final byte[] TEXT = ("{ id : 12345 , name : alpha , values : [ 1 , 22 , 333 , 4444 ] , nested : { x : 10 , y : 200 } , "
            + "list : [ { a : 7 } , { b : 88 } , { c : 999 } ] , text : thequickbrownfoxjumpsoverthelazydog , n : 2147483 }").getBytes(java.nio.charset.StandardCharsets.US_ASCII);

    @Override
    public String name() {
        return "byte-parse";
    }

    @Override
    public long run(int scale) {
        int n = scale * ROUNDS;
        byte[] text = TEXT;
        long sum = 0;
        for (int r = 0; r < n; r++) {
            int at = 0;
            while (at < text.length) {
                int c = text[at];
                if (c >= '0' && c <= '9') {
                    int v = 0;
                    while (at < text.length && text[at] >= '0' && text[at] <= '9') {
                        v = v * 10 + text[at++] - '0';
                    }
                    sum += v;
                } else if (c >= 'a' && c <= 'z') {
                    int hash = 0;
                    while (at < text.length && text[at] >= 'a' && text[at] <= 'z') {
                        hash = hash * 31 + text[at++];
                    }
                    sum ^= hash;
                } else {
                    at++;
                    sum += c == '{' ? 1 : c == '}' ? 2 : 0;
                }
            }
        }
        return sum;
    }
}
