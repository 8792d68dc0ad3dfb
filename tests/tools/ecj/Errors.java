import java.util.List;

/** One of each: what ecj says of them is compared. */
public class Errors implements Runnable {
    int missingReturn(boolean b) {
        if (b) return 1;
    }

    void types() {
        int i = "text";
        List<String> list = List.of(1, 2);
        undefined(i);
        new Unknown();
    }

    final int never;

    void unreachable() {
        return;
        types();
    }

    String syntax( { return null }

    sealed interface S permits A, B {}

    record A(int a) implements S {}
}
