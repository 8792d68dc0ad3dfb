package kiln.benches;

/** Table-driven CRC-32, Adler-32 and FNV over bytes. */
final class Crc implements Kernel {
    private static final int ROUNDS = 1900;
    private static final int[] TABLE = new int[256];

    static {
        for (int i = 0; i < 256; i++) {
            int c = i;
            for (int k = 0; k < 8; k++) {
                c = (c & 1) != 0 ? c >>> 1 ^ 0xEDB88320 : c >>> 1;
            }
            TABLE[i] = c;
        }
    }

    @Override
    public String name() {
        return "crc";
    }

    @Override
    public long run(int scale) {
        int n = scale * ROUNDS;
        byte[] data = new byte[512];
        for (int i = 0; i < data.length; i++) {
            data[i] = (byte) (i * i >>> 3);
        }
        long sum = 0;
        for (int r = 0; r < n; r++) {
            data[r & 511]++;
            int crc = -1;
            int s1 = 1, s2 = 0;
            int fnv = 0x811C9DC5;
            for (byte b : data) {
                crc = crc >>> 8 ^ TABLE[(crc ^ b) & 255];
                s1 = (s1 + (b & 255)) % 65521;
                s2 = (s2 + s1) % 65521;
                fnv = (fnv ^ b & 255) * 0x01000193;
            }
            sum = sum * 31 + (~crc & 0xFFFFFFFFL) + (s2 << 16 | s1) + fnv;
        }
        return sum;
    }
}
