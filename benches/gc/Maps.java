import java.util.HashMap;

/** A map whose entries are replaced at random: what is old dies as often as what is new. */
public final class Maps {
    private static final int KEYS = 600_000;

    public static void main(String[] args) {
        HashMap<Integer, Long> map = new HashMap<>();
        for (int i = 0; i < KEYS; i++) map.put(i + 1000, (long) i << 20);
        Kernel random = new Kernel(11);
        Kernel.main(args, 50, () -> {
            long sum = 0;
            for (int i = 0; i < 20_000; i++) {
                Integer key = random.next(KEYS) + 1000;
                sum += map.remove(key);
                map.put(key, sum << 8 | 255);
                sum += map.getOrDefault(random.next(KEYS * 2) + 1000, 1L);
            }
            return sum;
        });
    }
}
