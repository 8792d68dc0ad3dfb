import java.io.IOException;
import java.io.PrintStream;
import java.lang.reflect.Executable;
import java.net.URI;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;

/**
 * Changes class files at random (from a seed, so that two VMs see the same ones), defines and links
 * each and asks reflection about it, and prints what came of each, a line a class file.
 *
 * Arguments: seed, first and last number (each mutation has a seed of its own), then directories or
 * "jrt:/module" to take class files from.
 */
public class Mutate {
    static final PrintStream OUT = System.out;

    static final class Loader extends ClassLoader {
        Loader() {
            super(Mutate.class.getClassLoader());
        }

        Class<?> define(byte[] b) {
            return defineClass(null, b, 0, b.length);
        }

        /** The unchanged classes are this loader's own, so that the changed one may use what is not public. */
        @Override
        protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
            synchronized (getClassLoadingLock(name)) {
                Class<?> c = findLoadedClass(name);
                byte[] b = ORIGINALS.get(name);
                if (c != null) return c;
                return b == null ? super.loadClass(name, resolve) : defineClass(name, b, 0, b.length);
            }
        }
    }

    static final Map<String, byte[]> ORIGINALS = new HashMap<>();

    static List<byte[]> classFiles(String[] places, int from) throws IOException {
        List<byte[]> all = new ArrayList<>();
        for (int i = from; i < places.length; i++) {
            Path root = places[i].startsWith("jrt:/")
                ? FileSystems.getFileSystem(URI.create("jrt:/")).getPath("modules" + places[i].substring(4))
                : Path.of(places[i]);
            List<Path> paths;
            try (Stream<Path> s = Files.walk(root)) {
                paths = s.filter(p -> p.toString().endsWith(".class") && !p.endsWith("module-info.class")).sorted().toList();
            }
            for (Path p : paths) {
                byte[] b = Files.readAllBytes(p);
                all.add(b);
                String name = root.relativize(p).toString();
                ORIGINALS.put(name.substring(0, name.length() - 6).replace('/', '.'), b);
            }
        }
        return all;
    }

    static int u2(byte[] b, int i) {
        return (b[i] & 0xff) << 8 | b[i + 1] & 0xff;
    }

    static void setU2(byte[] b, int i, int v) {
        b[i] = (byte) (v >> 8);
        b[i + 1] = (byte) v;
    }

    /** Where the constant pool ends. */
    static int poolEnd(byte[] b) {
        int at = 10;
        for (int i = 1, n = u2(b, 8); i < n; i++) {
            int tag = b[at];
            switch (tag) {
                case 1 -> at += 3 + u2(b, at + 1);
                case 5, 6 -> { at += 9; i++; }
                case 7, 8, 16, 19, 20 -> at += 3;
                case 15 -> at += 4;
                default -> at += 5;
            }
        }
        return at;
    }

    /** One to three changes. */
    static byte[] mutate(byte[] original, Random r) {
        byte[] b = original.clone();
        int pool = u2(b, 8), end = poolEnd(b);
        for (int n = 1 + (r.nextInt(4) == 0 ? r.nextInt(3) : 0); n > 0; n--) {
            // Half of the changes go behind the pool, where the structure is.
            int at = r.nextBoolean() && end < b.length ? end + r.nextInt(b.length - end) : r.nextInt(b.length);
            int pair = Math.min(at, b.length - 2);
            switch (r.nextInt(12)) {
                case 0, 1, 2 -> b[at] = (byte) r.nextInt(256);
                case 3, 4 -> b[at] ^= 1 << r.nextInt(8);
                case 5 -> b[at] += r.nextBoolean() ? 1 : -1;
                case 6, 7 -> setU2(b, pair, r.nextInt(pool + 1));
                case 8 -> setU2(b, pair, u2(b, pair) + r.nextInt(5) - 2);
                case 9 -> setU2(b, pair, new int[] {0, 1, 0x7fff, 0x8000, 0xffff, 0x0400, 0x0200}[r.nextInt(7)]);
                case 10 -> {
                    if (r.nextInt(3) == 0) {
                        byte[] c = new byte[r.nextInt(b.length - 10) + 10];
                        System.arraycopy(b, 0, c, 0, c.length);
                        b = c;
                        end = Math.min(end, b.length);
                    } else {
                        // Another version: other rules and, before 50, another verifier.
                        setU2(b, 6, 43 + r.nextInt(20));
                    }
                }
                default -> {
                    int from = r.nextInt(b.length), length = Math.min(1 + r.nextInt(8), b.length - Math.max(from, at));
                    System.arraycopy(b, from, b, at, length);
                }
            }
        }
        return b;
    }

    interface Question {
        Object ask() throws Throwable;
    }

    static String clean(Throwable t) {
        String s = t.toString();
        int details = s.indexOf("\nException Details:");
        if (details >= 0) s = s.substring(0, details);
        return s.replaceAll("@[0-9a-f]+", "@").replaceAll("\\s+", " ").replaceAll("[^ -~]", "?");
    }

    static void note(StringBuilder out, String what, Question q) {
        try {
            out.append(' ').append(what).append('=').append(Integer.toHexString(String.valueOf(q.ask()).replaceAll("@[0-9a-f]+", "@").hashCode()));
        } catch (Throwable t) {
            out.append(' ').append(what).append(":{").append(clean(t)).append('}');
        }
    }

    static String names(Object[] a) {
        if (a == null) return "null";
        List<String> l = new ArrayList<>();
        for (Object o : a) l.add(String.valueOf(o));
        l.sort(null);
        return l.toString();
    }

    static String outcome(byte[] b) {
        Class<?> c;
        try {
            c = new Loader().define(b);
        } catch (Throwable t) {
            return "define {" + clean(t) + "}";
        }
        StringBuilder out = new StringBuilder("defined");
        note(out, "methods", () -> names(c.getDeclaredMethods()));
        note(out, "constructors", () -> names(c.getDeclaredConstructors()));
        note(out, "fields", () -> names(c.getDeclaredFields()));
        note(out, "modifiers", () -> c.getModifiers());
        note(out, "nested", () -> names(c.getDeclaredClasses()));
        note(out, "declaring", () -> c.getDeclaringClass());
        note(out, "enclosing", () -> c.getEnclosingMethod());
        note(out, "simple", () -> c.getSimpleName());
        note(out, "generic", () -> c.getGenericSuperclass() + names(c.getTypeParameters()) + names(c.getGenericInterfaces()));
        note(out, "annotations", () -> names(c.getDeclaredAnnotations()));
        note(out, "host", () -> c.getNestHost());
        note(out, "members", () -> names(c.getNestMembers()));
        note(out, "permitted", () -> names(c.getPermittedSubclasses()));
        note(out, "record", () -> c.isRecord() + names(c.getRecordComponents()));
        note(out, "all", () -> {
            StringBuilder s = new StringBuilder();
            List<Executable> l = new ArrayList<>(List.of(c.getDeclaredConstructors()));
            l.addAll(List.of(c.getDeclaredMethods()));
            l.sort(java.util.Comparator.comparing(Object::toString));
            for (Executable m : l)
                s.append(m.toGenericString()).append(names(m.getParameters())).append(names(m.getDeclaredAnnotations())).append(names(m.getExceptionTypes()));
            return s;
        });
        return out.toString();
    }

    public static void main(String[] args) throws Exception {
        long seed = Long.parseLong(args[0]);
        int first = Integer.parseInt(args[1]), last = Integer.parseInt(args[2]);
        List<byte[]> files = classFiles(args, 3);
        for (int i = first; i < last; i++) {
            Random r = new Random(seed * 1_000_003 + i);
            int which = r.nextInt(files.size());
            byte[] b = mutate(files.get(which), r);
            OUT.println(i + " " + outcome(b));
        }
        OUT.println("done");
    }
}
