package kiln.benches;

/** Two-dimensional arrays: a game of life on a torus. */
final class Grid implements Kernel {
    private static final int ROUNDS = 430;

    @Override
    public String name() {
        return "grid-2d";
    }

    @Override
    public long run(int scale) {
        int n = scale * ROUNDS;
        int size = 32;
        byte[][] now = new byte[size][size];
        byte[][] next = new byte[size][size];
        for (int i = 0; i < size; i++) {
            for (int j = 0; j < size; j++) {
                now[i][j] = (byte) ((i * 31 + j * 17 ^ i * j) % 3 == 0 ? 1 : 0);
            }
        }
        for (int r = 0; r < n; r++) {
            for (int i = 0; i < size; i++) {
                byte[] up = now[i + size - 1 & 31], mid = now[i], down = now[i + 1 & 31];
                for (int j = 0; j < size; j++) {
                    int w = j + 31 & 31, e = j + 1 & 31;
                    int live = up[w] + up[j] + up[e] + mid[w] + mid[e] + down[w] + down[j] + down[e];
                    next[i][j] = (byte) (live == 3 || live == 2 && mid[j] == 1 ? 1 : 0);
                }
            }
            byte[][] t = now;
            now = next;
            next = t;
        }
        long sum = 0;
        for (byte[] row : now) {
            for (byte b : row) {
                sum = sum * 3 + b;
            }
        }
        return sum;
    }
}
