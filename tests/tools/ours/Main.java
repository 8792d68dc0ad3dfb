package ours;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Collectors;

/** Evaluates expressions; the classes beside it use what the language has up to Java 17. */
@Marked(value = "main", level = Marked.Level.HIGH, numbers = {1, 2, 3}, type = Main.class)
public class Main {
    private static final long LIMIT = 1L << 40;
    private static final String GREETING = "gr\u00fc\u00df\tGott \ud83d\ude00\0";
    private final Map<String, Integer> names = new TreeMap<>(Comparator.<String>naturalOrder().reversed());

    class Inner<T extends Comparable<? super T> & java.io.Serializable> {
        T best(List<? extends T> list) {
            T best = null;
            for (T each : list) {
                if (best == null || each.compareTo(best) > 0) best = each;
            }
            names.merge(String.valueOf(best), 1, Integer::sum);
            return best;
        }
    }

    static int parse(String word) {
        try {
            return Integer.parseInt(word);
        } catch (NumberFormatException e) {
            return -1;
        } finally {
            assert word != null : "null word";
        }
    }

    static int switches(Object value, String word) {
        int sum = switch (word) {
            case "one" -> 1;
            case "two", "zwei" -> 2;
            case "AaAa", "BBBB" -> 4;
            default -> {
                int parsed = parse(word);
                yield parsed == 0 ? -2 : parsed;
            }
        };
        if (value instanceof Integer i && i > 0) sum += i;
        outer:
        for (int a = 0; ; a++) {
            for (long b = a; b < 5; b++) {
                if (a * b > 6) break outer;
                sum += (int) b;
            }
            if (a > 100) throw new IllegalStateException();
        }
        switch (sum) {
            case 1: case 2: case 3: return -sum;
            case 1000: case 2_000_000: return 0;
            default: return sum;
        }
    }

    @Deprecated(since = "1")
    static synchronized double numbers(float f, double d, long l, short s, byte b, char c) {
        double[][] grid = new double[3][4];
        grid[1][2] = f * d % 7.5 - l / 3 + (s << 2 ^ b >>> 1 | c & 0x7f);
        grid[1][2]++;
        synchronized (Main.class) {
            return l > LIMIT ? -grid[1][2] : ~(int) grid[1][2];
        }
    }

    public static void main(String[] args) throws Exception {
        System.out.println(GREETING.length() + " " + GREETING.codePointCount(0, GREETING.length()));
        Expression e = new Expression.Sum(new Expression.Constant(3), new Expression.Product(
            new Expression.Constant(4), new Expression.Negation(new Expression.Constant(5))));
        System.out.println(e + " = " + e.value() + "; " + e.hashCode());
        for (String word : new String[] {"one", "zwei", "BBBB", "17", "x"}) System.out.println(word + " " + switches(word.length(), word));
        System.out.printf(Locale.ROOT, "%.3f%n", numbers(1.5f, 2.25, LIMIT + 1, (short) 7, (byte) -3, 'x'));
        Main main = new Main();
        Inner<String> inner = main.new Inner<>();
        System.out.println(inner.best(List.of("b", "c", "a")) + main.names);
        Function<Integer, Function<Integer, Integer>> add = x -> y -> x + y + args.length;
        System.out.println(add.apply(3).apply(4));
        System.out.println(new ArrayList<>(List.of(Color.values())).stream()
            .collect(Collectors.groupingBy(Color::warm, () -> new TreeMap<Boolean, String>(), Collectors.mapping(Color::mix, Collectors.joining("/")))));
        try (Resource a = new Resource("a"); Resource b = new Resource("b")) {
            System.out.println(a.name() + b.name());
            throw new Exception("body");
        } catch (Exception x) {
            System.out.println(x.getMessage() + x.getSuppressed().length);
        }
        Runnable local = new Runnable() {
            int count;

            @Override
            public void run() {
                count++;
                record Point(int x, int y) {}
                System.out.println(new Point(count, ++count) + getClass().getName());
            }
        };
        local.run();
        System.out.println("""
            a text
              block \
            goes "on"
            """);
    }
}

record Resource(@Marked("component") String name) implements AutoCloseable {
    Resource {
        if (name.isEmpty()) throw new IllegalArgumentException("empty");
    }

    @Override
    public void close() throws Exception {
        throw new Exception("close " + name);
    }
}
