package kiln.benches;

import java.util.Arrays;
import java.util.Comparator;

/** Sorting: own quicksort and insertion sort, Arrays.sort, comparator sort. */
final class Sorting implements Kernel {
    private static final int ROUNDS = 290;
    private static void fill(int[] data, int seed) {
        int x = seed * 2654435 + 1;
        for (int i = 0; i < data.length; i++) {
            x = x * 1103515245 + 12345;
            data[i] = x >>> 8;
        }
    }

    private static void quick(int[] a, int low, int high) {
        if (high - low < 8) {
            for (int i = low + 1; i <= high; i++) {
                int v = a[i];
                int j = i - 1;
                while (j >= low && a[j] > v) {
                    a[j + 1] = a[j--];
                }
                a[j + 1] = v;
            }
            return;
        }
        int pivot = a[low + high >>> 1];
        int i = low, j = high;
        while (i <= j) {
            while (a[i] < pivot) {
                i++;
            }
            while (a[j] > pivot) {
                j--;
            }
            if (i <= j) {
                int t = a[i];
                a[i++] = a[j];
                a[j--] = t;
            }
        }
        quick(a, low, j);
        quick(a, i, high);
    }

    @Override
    public String name() {
        return "sorting";
    }

    @Override
    public long run(int scale) {
        int n = scale * ROUNDS;
        int[] data = new int[128];
        Integer[] boxed = new Integer[32];
        long sum = 0;
        for (int r = 0; r < n; r++) {
            fill(data, r);
            quick(data, 0, data.length - 1);
            sum = sum * 31 + data[17];
            fill(data, r + 7);
            Arrays.sort(data);
            sum = sum * 31 + data[100];
            for (int i = 0; i < boxed.length; i++) {
                boxed[i] = data[i * 37 & 127] & 127;
            }
            Arrays.sort(boxed, Comparator.reverseOrder());
            sum = sum * 31 + boxed[5];
        }
        return sum;
    }
}
