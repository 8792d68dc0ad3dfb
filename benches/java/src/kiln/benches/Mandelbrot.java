package kiln.benches;

/** Escape times of points of the complex plane. */
final class Mandelbrot implements Kernel {
    private static final int ROUNDS = 3100;

    @Override
    public String name() {
        return "mandelbrot";
    }

    @Override
    public long run(int scale) {
        int n = scale * ROUNDS;
        long sum = 0;
        for (int r = 0; r < n; r++) {
            double ci = -1.2 + r % 40 * 0.06;
            for (int px = 0; px < 20; px++) {
                double cr = -2.0 + px * 0.15;
                double x = 0, y = 0;
                int k = 0;
                while (k < 50 && x * x + y * y <= 4) {
                    double t = x * x - y * y + cr;
                    y = 2 * x * y + ci;
                    x = t;
                    k++;
                }
                sum = sum * 3 + k;
            }
        }
        return sum;
    }
}
