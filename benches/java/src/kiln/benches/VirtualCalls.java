package kiln.benches;

/** Virtual calls with one, two and four receiver classes. */
final class VirtualCalls implements Kernel {
    private static final int ROUNDS = 1100;
    private static abstract class Shape {
        final int size;

        Shape(int size) {
            this.size = size;
        }

        abstract int area();

        int edges() {
            return 1;
        }
    }

    private static final class Square extends Shape {
        Square(int s) { super(s); }
        int area() { return size * size; }
        int edges() { return 4; }
    }

    private static final class Circle extends Shape {
        Circle(int s) { super(s); }
        int area() { return size * size * 355 / 113; }
    }

    private static final class Triangle extends Shape {
        Triangle(int s) { super(s); }
        int area() { return size * size / 2; }
        int edges() { return 3; }
    }

    private static final class Line extends Shape {
        Line(int s) { super(s); }
        int area() { return size; }
    }

    @Override
    public String name() {
        return "virtual-calls";
    }

    @Override
    public long run(int scale) {
        int n = scale * ROUNDS;
        Shape[] mono = {new Square(2), new Square(3), new Square(4), new Square(5)};
        Shape[] mega = {new Square(2), new Circle(3), new Triangle(4), new Line(5)};
        long sum = 0;
        for (int r = 0; r < n; r++) {
            for (int i = 0; i < 100; i++) {
                sum += mono[i & 3].area();
                sum += mega[i & 1].area();
                sum += mega[i & 3].area() + mega[i + 1 & 3].edges();
            }
        }
        return sum;
    }
}
