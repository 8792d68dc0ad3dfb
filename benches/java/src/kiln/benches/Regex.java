package kiln.benches;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** java.util.regex: matching with groups, classes, alternation, and replacement. */
final class Regex implements Kernel {
    private static final int ROUNDS = 170;
    private static final Pattern PAIR = Pattern.compile("(\\w+)=(\\w+)");
    private static final Pattern DATE = Pattern.compile("(\\d{4})-(\\d{2})-(\\d{2})");
    private static final Pattern LEVEL = Pattern.compile("INFO|WARN|ERROR");

    @Override
    public String name() {
        return "regex";
    }

    @Override
    public long run(int scale) {
        int n = scale * ROUNDS;
        String text = "2026-11-21 ERROR [main] user=ada id=77 took 1234 ms; retry in 5 s";
        long sum = 0;
        for (int r = 0; r < n; r++) {
            Matcher m = PAIR.matcher(text);
            while (m.find()) {
                sum += m.start() + m.group(2).length();
            }
            Matcher d = DATE.matcher(text);
            if (d.lookingAt()) {
                sum += d.group(1).length() * 100 + d.end(3);
            }
            sum += LEVEL.matcher(text).replaceAll("#").length();
        }
        return sum;
    }
}
