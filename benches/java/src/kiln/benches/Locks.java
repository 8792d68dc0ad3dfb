package kiln.benches;

/** Uncontended monitors: synchronized methods, blocks, nested and recursive; StringBuffer. */
final class Locks implements Kernel {
    private static final int ROUNDS = 4500;
    private long count;

    private synchronized void bump(int i) {
        count ^= i;
    }

    @Override
    public String name() {
        return "locks";
    }

    @Override
    public long run(int scale) {
        int n = scale * ROUNDS;
        Object a = new Object(), b = new Object();
        count = 0;
        StringBuffer buffer = new StringBuffer();
        for (int r = 0; r < n; r++) {
            for (int i = 0; i < 50; i++) {
                bump(i);
                synchronized (a) {
                    synchronized (b) {
                        count += i;
                    }
                    synchronized (a) {
                        count--;
                    }
                }
            }
            buffer.setLength(0);
            buffer.append('x').append('y');
        }
        return count + buffer.length();
    }
}
