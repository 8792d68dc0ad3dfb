import java.io.*;
import java.nio.charset.StandardCharsets;
import java.nio.file.*;
import java.util.*;

/**
 * Says what the virtual machine that runs it thinks of class files: for each file of directory
 * args[0] + "/cases", in order of name, one record "== name", "loads: classes asked of the class
 * loader while it was linked", and "passes" or the error. Classes of args[0] + "/lib" are there
 * for them, in a class loader of their own.
 */
public class Oracle {
    static class Files extends ClassLoader {
        final Path directory;
        final List<String> asked = new ArrayList<>();

        Files(Path directory, ClassLoader parent) {
            super(parent);
            this.directory = directory;
        }

        @Override
        protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
            asked.add(name.replace('.', '/'));
            return super.loadClass(name, resolve);
        }

        @Override
        protected Class<?> findClass(String name) throws ClassNotFoundException {
            if (directory == null) throw new ClassNotFoundException(name);
            try {
                byte[] bytes = java.nio.file.Files.readAllBytes(directory.resolve(name.replace('.', '_')));
                return defineClass(name, bytes, 0, bytes.length);
            } catch (IOException e) {
                throw new ClassNotFoundException(name);
            }
        }

        Class<?> define(byte[] bytes) {
            return defineClass(null, bytes, 0, bytes.length);
        }
    }

    public static void main(String[] args) throws Exception {
        var out = new PrintStream(new FileOutputStream(FileDescriptor.out), false, StandardCharsets.UTF_8);
        var lib = new Files(Path.of(args[0], "lib"), null);
        var files = new TreeMap<String, Path>();
        try (var listing = java.nio.file.Files.list(Path.of(args[0], "cases"))) {
            listing.forEach(file -> files.put(file.getFileName().toString(), file));
        }
        for (var file : files.entrySet()) {
            var loader = new Files(null, lib);
            String result;
            try {
                byte[] bytes = java.nio.file.Files.readAllBytes(file.getValue());
                Class<?> c;
                try {
                    c = loader.define(bytes);
                } catch (LinkageError e) {
                    out.println("== " + file.getKey() + "\nnot defined: " + e);
                    continue;
                }
                loader.asked.clear();
                // Links it, but runs nothing of it. (Of an interface, getDeclaredConstructors does not.)
                if (c.isInterface()) {
                    c.getDeclaredMethods();
                } else {
                    c.getDeclaredConstructors();
                }
                result = "passes";
            } catch (LinkageError e) {
                result = e.toString();
            }
            out.println("== " + file.getKey());
            out.println("loads:" + (loader.asked.isEmpty() ? "" : " " + String.join(" ", loader.asked)));
            out.println(result);
        }
        out.flush();
    }
}
