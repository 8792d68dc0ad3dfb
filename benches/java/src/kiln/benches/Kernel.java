package kiln.benches;

/** A piece of work whose time is measured and whose result is checked. */
public interface Kernel {
    /** The name on the command line and in the output. */
    String name();

    /**
     * Does work proportional to {@code scale}; at 10 about 0.4 s on HotSpot's interpreter.
     *
     * @return a checksum that depends on all of the work and only on {@code scale}
     */
    long run(int scale);
}
