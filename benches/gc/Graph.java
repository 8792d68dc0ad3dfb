/** A graph whose nodes are replaced and linked anew: the old refer to the young at every turn. */
public final class Graph {
    private static final int NODES = 500_000;

    private static final class Node {
        final int id;
        final Node[] to = new Node[4];
        Object payload;

        Node(int id) {
            this.id = id;
        }
    }

    public static void main(String[] args) {
        Kernel random = new Kernel(19);
        Node[] all = new Node[NODES];
        for (int i = 0; i < NODES; i++) all[i] = new Node(i);
        for (Node n : all) for (int i = 0; i < 4; i++) n.to[i] = all[random.next(NODES)];
        Kernel.main(args, 60, () -> {
            long sum = 0;
            for (int i = 0; i < 15_000; i++) {
                Node from = all[random.next(NODES)];
                Node fresh = new Node(from.id ^ i);
                fresh.payload = new long[] {i};
                // Whom a node refers to dies with it only if nobody else does: edges to what was replaced are dropped.
                for (int k = 0; k < 4; k++) fresh.to[k] = all[random.next(NODES)];
                from.to[i & 3] = fresh;
                from.to[i + 1 & 3] = all[random.next(NODES)];
                fresh.to[0].payload = fresh.payload;
                for (Node n = from; n != null && sum % 7 != 3; n = n.to[(int) (sum & 3)]) sum += n.id + 1;
                int at = random.next(NODES);
                Node old = all[at];
                java.util.Arrays.fill(old.to, null);
                all[at] = fresh;
            }
            return sum;
        });
    }
}
