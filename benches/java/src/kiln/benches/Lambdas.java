package kiln.benches;

import java.util.function.Function;
import java.util.function.IntBinaryOperator;
import java.util.function.IntUnaryOperator;
import java.util.function.Supplier;

/** Lambdas: capturing, non-capturing, composed, primitive specializations. */
final class Lambdas implements Kernel {
    private static final int ROUNDS = 930;

    @Override
    public String name() {
        return "lambdas";
    }

    @Override
    public long run(int scale) {
        int n = scale * ROUNDS;
        IntBinaryOperator add = (a, b) -> a + b;
        IntUnaryOperator chain = x -> x + 1;
        for (int i = 0; i < 5; i++) {
            int k = i;
            chain = chain.andThen(x -> x ^ k);
        }
        int sum = 0;
        for (int r = 0; r < n; r++) {
            int captured = r;
            IntUnaryOperator local = x -> x * 3 + captured;
            for (int i = 0; i < 20; i++) {
                sum = add.applyAsInt(sum, local.applyAsInt(i));
                sum = chain.applyAsInt(sum);
            }
            Supplier<Integer> boxed = () -> captured & 63;
            Function<Integer, Integer> twice = v -> v * 2;
            sum += twice.compose((Integer v) -> v + 1).apply(boxed.get());
        }
        return sum;
    }
}
