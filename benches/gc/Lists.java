import java.util.ArrayDeque;
import java.util.LinkedList;

/** A queue: what comes lives until all before it have gone. */
public final class Lists {
    private static final int LENGTH = 1_000_000;

    public static void main(String[] args) {
        LinkedList<Integer> queue = new LinkedList<>();
        ArrayDeque<int[]> recent = new ArrayDeque<>();
        for (int i = 0; i < LENGTH; i++) queue.add(i + 1000);
        Kernel random = new Kernel(7);
        Kernel.main(args, 60, () -> {
            long sum = 0;
            for (int i = 0; i < 30_000; i++) {
                sum += queue.removeFirst();
                queue.addLast(random.next(1 << 30));
                recent.add(new int[] {i, 1, 2});
                if (recent.size() > 10_000) sum += recent.remove()[0];
            }
            return sum;
        });
    }
}
