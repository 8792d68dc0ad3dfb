package kiln.benches;

/** Multiplication of double matrices. */
final class MatrixMultiply implements Kernel {
    private static final int ROUNDS = 220;

    @Override
    public String name() {
        return "matrix-multiply";
    }

    @Override
    public long run(int scale) {
        int n = scale * ROUNDS;
        int size = 20;
        double[][] a = new double[size][size], b = new double[size][size], c = new double[size][size];
        for (int i = 0; i < size; i++) {
            for (int j = 0; j < size; j++) {
                a[i][j] = (i + 1.0) / (j + 1);
                b[i][j] = (i - j) * 0.125;
            }
        }
        double trace = 0;
        for (int r = 0; r < n; r++) {
            for (int i = 0; i < size; i++) {
                for (int j = 0; j < size; j++) {
                    double sum = 0;
                    for (int k = 0; k < size; k++) {
                        sum += a[i][k] * b[k][j];
                    }
                    c[i][j] = sum;
                }
            }
            trace += c[r % size][r % size];
            a[0][0] += 0.001;
        }
        return Double.doubleToLongBits(trace);
    }
}
