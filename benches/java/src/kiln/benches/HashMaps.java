package kiln.benches;

import java.util.HashMap;
import java.util.Map;

/** HashMap with string and boxed keys: put, get, merge, iterate, remove. */
final class HashMaps implements Kernel {
    private static final int ROUNDS = 190;
    private static final String[] KEYS = {"north", "south", "east", "west", "up", "down", "in", "out", "left", "right"};

    @Override
    public String name() {
        return "hash-map";
    }

    @Override
    public long run(int scale) {
        int n = scale * ROUNDS;
        long sum = 0;
        for (int r = 0; r < n; r++) {
            Map<Integer, Integer> numbers = new HashMap<>();
            for (int i = 0; i < 100; i++) {
                numbers.merge(i * 37 % 61, i, Integer::sum);
            }
            Map<String, Integer> words = new HashMap<>();
            for (int i = 0; i < 50; i++) {
                String key = KEYS[i % KEYS.length];
                Integer old = words.get(key);
                words.put(key, old == null ? i : old + i);
            }
            for (Map.Entry<Integer, Integer> e : numbers.entrySet()) {
                sum += e.getKey() * e.getValue();
            }
            for (String key : KEYS) {
                sum += words.remove(key);
            }
        }
        return sum;
    }
}
