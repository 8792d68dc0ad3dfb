import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import javax.tools.Diagnostic;
import javax.tools.DiagnosticCollector;
import javax.tools.FileObject;
import javax.tools.ForwardingJavaFileManager;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileManager;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;

/** A generated program: its class's name, its source, and, once compiled, its class files. */
final class Program {
    final String name;
    final String source;
    final Map<String, byte[]> classes = new LinkedHashMap<>();

    Program(String name, String source) {
        this.name = name;
        this.source = source;
    }

    private static final JavaCompiler JAVAC = ToolProvider.getSystemJavaCompiler();
    private static final StandardJavaFileManager FILES = JAVAC.getStandardFileManager(null, null, null);

    private static final class Source extends SimpleJavaFileObject {
        private final String text;

        Source(Program program) {
            super(URI.create("string:///" + program.name + ".java"), Kind.SOURCE);
            text = program.source;
        }

        @Override
        public CharSequence getCharContent(boolean ignoreEncodingErrors) {
            return text;
        }
    }

    private static final class Output extends SimpleJavaFileObject {
        final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

        Output(String name) {
            super(URI.create("mem:///" + name + ".class"), Kind.CLASS);
        }

        @Override
        public OutputStream openOutputStream() {
            return bytes;
        }
    }

    /** The program and what it extends in one file that needs nothing else. */
    static String alone(String source) throws IOException {
        String base = Files.readString(Path.of("tests/fuzz/Base.java"));
        StringBuilder out = new StringBuilder();
        for (String line : base.split("\n")) {
            if (line.startsWith("import ")) out.append(line).append("\n\n").append(source).append('\n');
            else if (!line.isBlank() && !line.trim().startsWith("/**") && !line.trim().startsWith("@")) {
                out.append(line.replaceFirst("^public class", "class")).append('\n');
            }
        }
        return out.toString();
    }

    /** Compiles all of them at once, in memory. Returns javac's errors: empty if it had none. */
    static List<String> compile(List<Program> programs) {
        Map<String, Output> outputs = new LinkedHashMap<>();
        JavaFileManager manager = new ForwardingJavaFileManager<>(FILES) {
            @Override
            public JavaFileObject getJavaFileForOutput(Location l, String name, JavaFileObject.Kind kind, FileObject sibling) {
                Output out = new Output(name);
                outputs.put(name, out);
                return out;
            }
        };
        DiagnosticCollector<JavaFileObject> found = new DiagnosticCollector<>();
        // Concatenation by invokedynamic costs a new class each: fixtures cover it.
        List<String> options = List.of("-cp", "target/fuzz-jit/driver", "-g:source,lines", "-nowarn", "-proc:none", "-XDstringConcat=inline");
        List<Source> sources = programs.stream().map(Source::new).toList();
        boolean compiled = JAVAC.getTask(null, manager, found, options, null, sources).call();
        List<String> errors = new ArrayList<>();
        for (Diagnostic<?> d : found.getDiagnostics()) {
            if (d.getKind() == Diagnostic.Kind.ERROR) errors.add(d.toString());
        }
        if (!compiled && errors.isEmpty()) errors.add("javac failed without a word");
        if (!errors.isEmpty()) return errors;
        Map<String, Program> byName = new LinkedHashMap<>();
        for (Program p : programs) byName.put(p.name, p);
        outputs.forEach((name, out) -> {
            int dollar = name.indexOf('$');
            Program p = byName.get(dollar < 0 ? name : name.substring(0, dollar));
            // A program that stands alone has classes of other names.
            if (p == null) p = programs.get(0);
            p.classes.put(name, out.bytes.toByteArray());
        });
        return errors;
    }

    /** What {@link Run} reads: for each program its name and its classes. */
    static void write(List<Program> programs, Path file) throws IOException {
        try (OutputStream raw = Files.newOutputStream(file); DataOutputStream out = new DataOutputStream(raw)) {
            ByteArrayOutputStream all = new ByteArrayOutputStream();
            DataOutputStream data = new DataOutputStream(all);
            data.writeInt(programs.size());
            for (Program p : programs) {
                data.writeUTF(p.name);
                data.writeInt(p.classes.size());
                for (Map.Entry<String, byte[]> c : p.classes.entrySet()) {
                    data.writeUTF(c.getKey());
                    data.writeInt(c.getValue().length);
                    data.write(c.getValue());
                }
            }
            all.writeTo(out);
        }
    }
}
