// What every iteration would test is tested once in front of the loop.
// shape sum: no bounds_check
// shape sumTo: no bounds_check
// shape sumTo: has guard predicate
// shape copy: no bounds_check
// shape scale: no bounds_check
// shape dot: has guard predicate
// Where the index is not counted by the loop there is no such test.
// shape gather: has bounds_check
// A loop whose tests in front of it have failed too often is compiled without them.
// shape beyond: has throw_index_out_of_bounds
// shape beyond: no guard predicate

public class Loops {
    static int sum(int[] a) { int s = 0; for (int i = 0; i < a.length; i++) s += a[i]; return s; }
    static int sumTo(int[] a, int n) { int s = 0; for (int i = 0; i < n; i++) s += a[i]; return s; }
    static void copy(int[] a, int[] b, int n) { for (int i = 0; i < n; i++) b[i] = a[i]; }
    static void scale(double[] x, double f, int from, int to) { for (int i = from; i < to; i++) x[i] *= f; }
    static double dot(double[][] a, double[] b, int row, int n) {
        double s = 0;
        for (int k = n - 1; k >= 0; k--) s += a[row][k] * b[k];
        return s;
    }
    static int gather(int[] a, int[] at) { int s = 0; for (int i = 0; i < at.length; i++) s += a[at[i]]; return s; }
    static int beyond(int[] a, int n) {
        int s = 0;
        try {
            for (int i = 0; i < n; i++) s += a[i];
        } catch (ArrayIndexOutOfBoundsException e) {
            s++;
        }
        return s;
    }

    public static void main(String[] args) {
        int[] a = new int[50], b = new int[50];
        double[] x = new double[50];
        double[][] m = {x, x};
        int t = 0;
        for (int i = 0; i < 30000; i++) {
            t += sum(a) + sumTo(a, 20 + i % 30) + gather(a, b) + beyond(a, 51);
            copy(a, b, i % 50);
            scale(x, 1.5, i % 10, 50);
            t += (int) dot(m, x, i & 1, 50);
        }
        System.out.println(t);
    }
}
