import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Takes lines and whole blocks out of a program as long as it still fails. */
final class Minimize {
    interface Test {
        boolean fails(String source) throws IOException, InterruptedException;
    }

    private Minimize() {}

    /** The line after the block that line {@code at} opens, or after {@code at} itself if it opens none. */
    private static int end(List<String> lines, int at) {
        int depth = 0;
        for (int i = at; i < lines.size(); i++) {
            String text = lines.get(i).trim();
            if (text.startsWith("}")) depth--;
            if (text.endsWith("{")) depth++;
            if (depth <= 0) return i + 1;
        }
        return lines.size();
    }

    private static String without(List<String> lines, int from, int to) {
        List<String> rest = new ArrayList<>(lines.subList(0, from));
        rest.addAll(lines.subList(to, lines.size()));
        return String.join("\n", rest) + "\n";
    }

    /** The smallest form found within {@code seconds}. */
    static String reduce(String source, Test test, int seconds) throws IOException, InterruptedException {
        long limit = System.nanoTime() + seconds * 1_000_000_000L;
        List<String> lines = new ArrayList<>(Arrays.asList(source.split("\n")));
        boolean changed = true;
        while (changed) {
            changed = false;
            // From the end: what is called comes before its callers.
            for (int i = lines.size() - 2; i > 0; i--) {
                if (System.nanoTime() > limit) return String.join("\n", lines) + "\n";
                if (i >= lines.size() || lines.get(i).trim().startsWith("}")) continue;
                int to = end(lines, i);
                String without = without(lines, i, to);
                if (test.fails(without)) {
                    lines.subList(i, to).clear();
                    changed = true;
                    continue;
                }
                // The block's contents without the block.
                if (to > i + 2 && lines.get(to - 1).trim().equals("}")) {
                    List<String> inner = new ArrayList<>(lines);
                    inner.remove(to - 1);
                    inner.remove(i);
                    if (test.fails(String.join("\n", inner) + "\n")) {
                        lines = inner;
                        changed = true;
                    }
                }
            }
        }
        return String.join("\n", lines) + "\n";
    }
}
