package kiln.benches;

import java.util.TreeMap;

/** TreeMap: inserts in scattered order, lookups, floor, ordered iteration, removal. */
final class TreeMaps implements Kernel {
    private static final int ROUNDS = 130;

    @Override
    public String name() {
        return "tree-map";
    }

    @Override
    public long run(int scale) {
        int n = scale * ROUNDS;
        long sum = 0;
        for (int r = 0; r < n; r++) {
            TreeMap<Integer, String> tree = new TreeMap<>();
            for (int i = 0; i < 64; i++) {
                tree.put(i * 41 % 67, "v");
            }
            for (int i = 0; i < 64; i += 2) {
                Integer floor = tree.floorKey(i);
                sum += floor == null ? 0 : floor;
                tree.remove(i);
            }
            for (int key : tree.keySet()) {
                sum = sum * 3 + key;
            }
        }
        return sum;
    }
}
