import java.util.TreeMap;

/** Words that are made, joined, looked up and forgotten. */
public final class Strings {
    private static final int WORDS = 300_000;

    private static String word(Kernel random, int n) {
        StringBuilder b = new StringBuilder("word ").append(n).append(": ");
        for (int i = 0; i < 4; i++) b.append((char) ('a' + random.next(26))).append(random.next(1000)).append(' ');
        return b.toString();
    }

    public static void main(String[] args) {
        Kernel random = new Kernel(13);
        String[] words = new String[WORDS];
        for (int i = 0; i < WORDS; i++) words[i] = word(random, i);
        TreeMap<String, Integer> index = new TreeMap<>();
        for (int i = 0; i < WORDS; i += 4) index.put(words[i], i);
        Kernel.main(args, 40, () -> {
            long sum = 0;
            for (int i = 0; i < 2_500; i++) {
                int at = random.next(WORDS);
                if (at % 4 == 0) index.remove(words[at]);
                words[at] = word(random, at);
                if (at % 4 == 0) index.put(words[at], at);
                String joined = words[random.next(WORDS)] + words[at].substring(5).toUpperCase();
                String near = index.ceilingKey(words[at]);
                sum += joined.hashCode() + (near == null ? 0 : near.length());
            }
            return sum;
        });
    }
}
