package kiln.benches;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Streams: filter, map, sum, collect, grouping. */
final class StreamPipeline implements Kernel {
    private static final int ROUNDS = 170;

    @Override
    public String name() {
        return "streams";
    }

    @Override
    public long run(int scale) {
        int n = scale * ROUNDS;
        List<Integer> numbers = new ArrayList<>();
        for (int i = 0; i < 60; i++) {
            numbers.add(i * 17 % 61);
        }
        long sum = 0;
        for (int r = 0; r < n; r++) {
            int low = r & 15;
            sum += numbers.stream().filter(v -> v > low).mapToInt(v -> v * 2).sum();
            sum += IntStream.range(0, 40).map(v -> v * v).filter(v -> (v & 1) == 0).count();
            sum += numbers.stream().map(v -> v % 7).distinct().sorted().collect(Collectors.toList()).size();
            sum += numbers.stream().limit(20).collect(Collectors.groupingBy(v -> v % 3, Collectors.counting())).get(0);
        }
        return sum;
    }
}
