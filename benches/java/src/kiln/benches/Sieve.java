package kiln.benches;

/** The sieve of Eratosthenes over a boolean array. */
final class Sieve implements Kernel {
    private static final int ROUNDS = 510;

    @Override
    public String name() {
        return "sieve";
    }

    @Override
    public long run(int scale) {
        int n = scale * ROUNDS;
        long sum = 0;
        boolean[] composite = new boolean[2000];
        for (int r = 0; r < n; r++) {
            for (int i = 0; i < composite.length; i++) {
                composite[i] = false;
            }
            int primes = 0;
            for (int i = 2; i < composite.length; i++) {
                if (!composite[i]) {
                    primes++;
                    for (int j = i * i; j < composite.length; j += i) {
                        composite[j] = true;
                    }
                }
            }
            sum += primes;
        }
        return sum;
    }
}
