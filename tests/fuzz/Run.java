import java.io.ByteArrayInputStream;
import java.io.DataInputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/** Runs the programs of a batch on the VM under test, from the given one on: a line of checksums each. */
public final class Run {
    private static final class Loader extends ClassLoader {
        private final Map<String, byte[]> classes;

        Loader(Map<String, byte[]> classes) {
            super(Run.class.getClassLoader());
            this.classes = classes;
        }

        /** A minimized program has its own Base. */
        @Override
        protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
            if (!classes.containsKey(name)) return super.loadClass(name, resolve);
            synchronized (getClassLoadingLock(name)) {
                Class<?> c = findLoadedClass(name);
                return c == null ? findClass(name) : c;
            }
        }

        @Override
        protected Class<?> findClass(String name) throws ClassNotFoundException {
            byte[] bytes = classes.get(name);
            if (bytes == null) throw new ClassNotFoundException(name);
            return defineClass(name, bytes, 0, bytes.length);
        }
    }

    public static void main(String[] args) throws Exception {
        int from = Integer.parseInt(args[1]);
        DataInputStream in = new DataInputStream(new ByteArrayInputStream(Files.readAllBytes(Path.of(args[0]))));
        PrintStream out = System.out;
        int programs = in.readInt();
        for (int i = 0; i < programs; i++) {
            String name = in.readUTF();
            Map<String, byte[]> classes = new HashMap<>();
            for (int n = in.readInt(); n > 0; n--) {
                String c = in.readUTF();
                byte[] bytes = new byte[in.readInt()];
                in.readFully(bytes);
                classes.put(c, bytes);
            }
            if (i < from) continue;
            StringBuilder line = new StringBuilder(name);
            long[] sums = (long[]) new Loader(classes).loadClass(name).getMethod("run").invoke(null);
            for (long h : sums) line.append(' ').append(Long.toHexString(h));
            out.println(line.append(" ."));
            out.flush();
        }
    }
}
