package kiln.benches;

/** Instance and static fields of several types. */
final class FieldAccess implements Kernel {
    private static final int ROUNDS = 1900;
    private static int shared;

    private static final class Cell {
        int count;
        long total;
        double scale;
        boolean flag;
        short small;
        Cell next = this;
    }

    @Override
    public String name() {
        return "fields";
    }

    @Override
    public long run(int scale) {
        int n = scale * ROUNDS;
        Cell c = new Cell();
        for (int r = 0; r < n; r++) {
            for (int i = 0; i < 300; i++) {
                c.count += i;
                c.total += c.count;
                c.scale = c.scale * 0.99 + i;
                c.flag = !c.flag;
                shared += c.flag ? c.small : 1;
                c.small = (short) (c.count ^ c.total);
                c.next.count = c.count - 1;
                c = c.next;
            }
        }
        long result = c.total + (long) c.scale + shared;
        shared = 0;
        return result;
    }
}
