package kiln.benches;

import java.util.ArrayList;
import java.util.List;

/** ArrayList: add, get, set, iterate, remove, contains. */
final class ArrayLists implements Kernel {
    private static final int ROUNDS = 350;

    @Override
    public String name() {
        return "array-list";
    }

    @Override
    public long run(int scale) {
        int n = scale * ROUNDS;
        long sum = 0;
        for (int r = 0; r < n; r++) {
            List<Integer> list = new ArrayList<>();
            for (int i = 0; i < 100; i++) {
                list.add(i ^ r & 15);
            }
            for (int v : list) {
                sum += v;
            }
            for (int i = 0; i < 50; i++) {
                list.set(i, list.get(99 - i));
            }
            for (int i = 0; i < 20; i++) {
                list.remove(i * 3);
            }
            sum += list.contains(1000) ? 1 : list.indexOf(60);
        }
        return sum;
    }
}
