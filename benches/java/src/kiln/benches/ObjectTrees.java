package kiln.benches;

/** Allocation and walking of binary trees. */
final class ObjectTrees implements Kernel {
    private static final int ROUNDS = 940;
    private static final class Tree {
        final Tree left, right;

        Tree(int depth) {
            left = depth == 0 ? null : new Tree(depth - 1);
            right = depth == 0 ? null : new Tree(depth - 1);
        }

        int count() {
            return left == null ? 1 : 1 + left.count() + right.count();
        }
    }

    @Override
    public String name() {
        return "object-trees";
    }

    @Override
    public long run(int scale) {
        int n = scale * ROUNDS;
        long sum = 0;
        Tree kept = new Tree(6);
        for (int r = 0; r < n; r++) {
            Tree t = new Tree(6);
            sum += t.count() + kept.count();
            if ((r & 31) == 0) {
                kept = t;
            }
        }
        return sum;
    }
}
