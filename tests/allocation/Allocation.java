import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Objects;

public class Allocation {
    static final class Point {
        final int x, y;

        Point(int x, int y) {
            this.x = x;
            this.y = y;
        }

        Point plus(Point p) {
            return new Point(x + p.x, y + p.y);
        }
    }

    static class Node {
        int value;
        Node next;
    }

    static class Range implements Iterator<Integer> {
        private int at;
        private final int end;

        Range(int end) {
            this.end = end;
        }

        public boolean hasNext() {
            return at < end;
        }

        public Integer next() {
            return at++;
        }
    }

    static class Counter {
        int n;

        synchronized void add(int k) {
            n += k;
        }
    }

    static Object sink;
    static final List<String> WORDS = new ArrayList<>(List.of("a", "bc", "def"));

    // left: 0 allocations, 0 locks
    static int fields(int n) {
        Point p = new Point(n, 2).plus(new Point(3, n));
        return p.x * p.y;
    }

    // left: 0 allocations, 0 locks
    static int branches(int n) {
        Node a = new Node();
        if ((n & 1) == 0) {
            a.value = n;
        } else {
            a.value = -n;
        }
        return a.value;
    }

    // left: 0 allocations, 0 locks
    static int nested(int n) {
        Node a = new Node();
        a.next = new Node();
        a.next.next = a;
        a.next.value = n;
        return a.next.next.next.value;
    }

    // left: 0 allocations, 0 locks
    static int loop(int n) {
        Node a = new Node();
        for (int i = 0; i < (n & 15); i++) {
            a.value += i;
        }
        return a.value;
    }

    // left: 0 allocations, 0 locks
    static int arrays(int n) {
        int[] a = {n, n + 1};
        Object[] o = {a, null};
        return ((int[]) o[0])[1] + a.length;
    }

    // left: 1 allocations, 0 locks
    static int variableIndex(int n) {
        int[] a = {n, n + 1};
        return a[n & 1];
    }

    // left: 0 allocations, 0 locks
    static int locks(int n) {
        Counter c = new Counter();
        Object lock = new Object();
        synchronized (lock) {
            c.add(n);
            c.add(1);
        }
        return c.n;
    }

    // left: 1 allocations, 1 locks
    static int escapes(int n) {
        Node a = new Node();
        synchronized (a) {
            a.value = n;
        }
        sink = a;
        return a.value;
    }

    // left: 0 allocations, 0 locks
    static int boxes(int n) {
        Integer a = n, b = n + 1;
        Long c = (long) n;
        return a + b + (int) (long) c;
    }

    // left: 0 allocations, 0 locks
    static int iterators(int n) {
        int sum = 0;
        Range r = new Range(n & 7);
        while (r.hasNext()) {
            sum += r.next();
        }
        return sum;
    }

    // left: 0 allocations, 0 locks
    static int lists(int n) {
        int sum = n;
        for (String w : WORDS) {
            sum += w.length();
        }
        return sum;
    }

    // left: 0 allocations, 0 locks
    static int varargs(int n) {
        return Objects.requireNonNull(first(n, "x", WORDS)) == WORDS ? 1 : 2;
    }

    static Object first(int n, Object... all) {
        return all[1];
    }

    public static void main(String[] args) {
        long sum = 0;
        for (int n = 0; n < 30000; n++) {
            sum += fields(n) + branches(n) + nested(n) + loop(n) + arrays(n) + variableIndex(n) + locks(n);
            sum += escapes(n) + boxes(n) + iterators(n) + lists(n) + varargs(n);
        }
        sink = sum;
        System.out.println("done");
    }
}
