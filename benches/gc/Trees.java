/** A tree that lives, and many that do not: much dies young, the rest never. */
public final class Trees {
    private static final class Node {
        Node left, right;
        int value;
    }

    private static Node build(int depth, int value) {
        Node n = new Node();
        n.value = value;
        if (depth > 0) {
            n.left = build(depth - 1, value * 2);
            n.right = build(depth - 1, value * 2 + 1);
        }
        return n;
    }

    private static long sum(Node n) {
        return n == null ? 0 : n.value + sum(n.left) + sum(n.right);
    }

    public static void main(String[] args) {
        Node kept = build(20, 1);
        Kernel.main(args, 120, () -> sum(build(14, 1)) + kept.left.right.value);
        if (sum(kept) == 0) throw new AssertionError();
    }
}
