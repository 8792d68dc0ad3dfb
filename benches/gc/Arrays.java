/** Arrays of all sizes, replaced at random: holes of every size. */
public final class Arrays {
    private static final int PLACES = 24_000;

    private static int size(Kernel random) {
        // From 8 to about 32,000 bytes, the small ones more often.
        return 2 + random.next(1 << 3 + random.next(11));
    }

    public static void main(String[] args) {
        Kernel random = new Kernel(17);
        int[][] all = new int[PLACES][];
        for (int i = 0; i < PLACES; i++) all[i] = new int[size(random) + 200];
        Kernel.main(args, 150, () -> {
            long sum = 0;
            for (int i = 0; i < 3_000; i++) {
                int at = random.next(PLACES);
                int[] fresh = new int[size(random) + 200];
                fresh[0] = i;
                fresh[fresh.length - 1] = all[at].length;
                all[at] = fresh;
                sum += all[random.next(PLACES)][0] + fresh[fresh.length - 1];
            }
            return sum;
        });
    }
}
