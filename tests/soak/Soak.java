import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Threads that allocate, share, lock and drop an object graph that nearly fills the heap, and look for corruption.
 *
 * <pre>
 * Soak SECONDS MEGABYTES [threads=8]
 * </pre>
 *
 * The graph is a table of lists, each under a lock. An item has bytes, their checksum and an item of another list. A thread
 * takes a list, checks an item and its partner, and replaces a few. Prints the resident memory every ten seconds; exit
 * status 1 if anything was not as it had been written.
 */
public final class Soak {
    private static final int LISTS = 2048;
    private static final int ITEM_BYTES = 640;

    private static final class Item {
        final long id;
        final byte[] bytes;
        final long sum;
        Item next;
        volatile Item partner;

        Item(long id, int length) {
            this.id = id;
            bytes = new byte[length];
            long x = id;
            for (int i = 0; i < length; i += 16) {
                x = x * 6364136223846793005L + 1442695040888963407L;
                bytes[i] = (byte) (x >>> 56);
            }
            sum = sum();
        }

        long sum() {
            long s = id;
            for (int i = 0; i < bytes.length; i += 16) s = s * 31 + bytes[i];
            return s;
        }

        void check() {
            if (sum() != sum) throw new IllegalStateException("item " + id + " is corrupt: " + sum() + " instead of " + sum);
        }
    }

    private static final class Bucket {
        Item first;
        int size;
        long idSum;

        void add(Item item) {
            item.next = first;
            first = item;
            size++;
            idSum += item.id;
        }

        Item drop() {
            Item item = first;
            first = item.next;
            item.next = null;
            size--;
            idSum -= item.id;
            return item;
        }

        void check() {
            long sum = 0;
            int n = 0;
            for (Item i = first; i != null; i = i.next) {
                i.check();
                sum += i.id;
                n++;
            }
            if (sum != idSum || n != size) throw new IllegalStateException("a list has lost items: " + n + " of " + size);
        }
    }

    private static final Bucket[] TABLE = new Bucket[LISTS];
    private static final AtomicLong IDS = new AtomicLong();
    private static final AtomicLong TURNS = new AtomicLong();
    private static volatile boolean stop;
    private static volatile Throwable failure;

    private static Bucket bucket(long random) {
        return TABLE[(int) (random >>> 33) % LISTS];
    }

    private static long next(long random) {
        return random * 6364136223846793005L + 1442695040888963407L;
    }

    private static int length(long random) {
        return ITEM_BYTES / 2 + (int) (random >>> 40) % ITEM_BYTES;
    }

    private static void work(int thread, int items) {
        long random = thread * 77777L + 1;
        while (!stop) {
            random = next(random);
            Bucket b = bucket(random);
            random = next(random);
            Bucket other = bucket(random);
            Item partner;
            synchronized (other) {
                partner = other.first;
            }
            synchronized (b) {
                int steps = (int) (random >>> 35) % b.size;
                Item at = b.first;
                for (int i = 0; i < steps; i++) at = at.next;
                at.check();
                Item p = at.partner;
                if (p != null) p.check();
                // What has been dropped is kept by its last partner at most.
                at.partner = partner.partner == null ? partner : null;
                int n = 1 + (int) (random >>> 50) % 24;
                for (int i = 0; i < n; i++) {
                    random = next(random);
                    if (b.size > items / 2) b.drop().partner = null;
                    if (b.size < items) b.add(new Item(IDS.incrementAndGet(), length(random)));
                }
                if ((random & 1023) == 0) b.check();
            }
            TURNS.incrementAndGet();
        }
    }

    private static long residentMb() throws IOException {
        for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
            if (line.startsWith("VmRSS")) return Long.parseLong(line.replaceAll("\\D", "")) >> 10;
        }
        throw new IOException("no VmRSS");
    }

    public static void main(String[] args) throws Exception {
        long seconds = Long.parseLong(args[0]);
        int threads = args.length > 2 ? Integer.parseInt(args[2]) : 8;
        // An item's own 32 bytes, its array's header, and the bytes themselves.
        int items = (int) ((Long.parseLong(args[1]) << 20) / LISTS / (ITEM_BYTES + 52));
        long random = 5;
        for (int i = 0; i < LISTS; i++) {
            TABLE[i] = new Bucket();
            for (int k = 0; k < items; k++) {
                random = next(random);
                TABLE[i].add(new Item(IDS.incrementAndGet(), length(random)));
            }
        }
        System.out.println("filled: " + items + " items in each of " + LISTS + " lists, " + residentMb() + " MB");
        Thread[] all = new Thread[threads];
        for (int i = 0; i < threads; i++) {
            int number = i;
            all[i] = new Thread(() -> {
                try {
                    work(number, items);
                } catch (Throwable t) {
                    failure = t;
                    stop = true;
                }
            });
            all[i].start();
        }
        long begin = System.nanoTime();
        for (long s = 10; s <= seconds && !stop; s += 10) {
            while (!stop && System.nanoTime() - begin < s * 1_000_000_000L) Thread.sleep(50);
            System.out.println(s + " s: " + TURNS.get() + " turns, " + residentMb() + " MB");
        }
        stop = true;
        for (Thread t : all) t.join();
        for (Bucket b : TABLE) b.check();
        if (failure != null) {
            failure.printStackTrace();
            System.exit(1);
        }
        System.out.println("sound: " + IDS.get() + " items made, " + TURNS.get() + " turns");
    }
}
