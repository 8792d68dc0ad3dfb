import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/**
 * Writes one Java program from a seed: some static methods of random shape over a small class hierarchy,
 * called in rounds with edge-case arguments, each method's results and exceptions folded into a checksum.
 *
 * <p>Every program ends: loops count, calls go to methods generated before, and the generator adds up the
 * cost of what it writes and stops adding loops and calls when a method has used up its budget. What a
 * program prints is determined by the Java specification alone.
 */
final class Generator {
    enum Ty {
        INT("int"), LONG("long"), FLOAT("float"), DOUBLE("double"), BOOL("boolean"), BYTE("byte"), SHORT("short"),
        CHAR("char"), STRING("String"), OBJ("Object"), I("I"), A("A"), Q("Q"), BOX("Integer"), INTS("int[]"), LONGS("long[]"),
        DOUBLES("double[]"), BYTES("byte[]"), CHARS("char[]"), FLOATS("float[]"), BOOLS("boolean[]"), SHORTS("short[]"), OBJS("Object[]"), GRID("int[][]");

        final String java;

        Ty(String java) {
            this.java = java;
        }
    }

    private static final Ty[] PRIMITIVES =
        {Ty.INT, Ty.INT, Ty.INT, Ty.LONG, Ty.LONG, Ty.DOUBLE, Ty.FLOAT, Ty.BOOL, Ty.BYTE, Ty.SHORT, Ty.CHAR};
    private static final Ty[] ARRAYS = {Ty.INTS, Ty.LONGS, Ty.DOUBLES, Ty.BYTES, Ty.CHARS, Ty.FLOATS, Ty.BOOLS, Ty.SHORTS,
        Ty.OBJS, Ty.GRID};
    private static final Ty[] LOCALS = {Ty.INT, Ty.INT, Ty.INT, Ty.INT, Ty.LONG, Ty.LONG, Ty.DOUBLE, Ty.FLOAT, Ty.BOOL,
        Ty.BYTE, Ty.SHORT, Ty.CHAR, Ty.STRING, Ty.OBJ, Ty.I, Ty.A, Ty.Q, Ty.Q, Ty.BOX, Ty.INTS, Ty.INTS, Ty.LONGS, Ty.DOUBLES,
        Ty.BYTES, Ty.CHARS, Ty.FLOATS, Ty.BOOLS, Ty.SHORTS, Ty.OBJS, Ty.GRID};

    /** Names that {@link #statics} gives. */
    private static final String INTS = "s13";
    private static final String LONGS = "s14";

    /** How often each method is called. */
    private static final int ROUNDS = 40;
    /** The most that one call of a method may cost, in units of roughly one expression. */
    private static final long BUDGET = 1200;

    private record Var(String name, Ty type, boolean assignable) {}

    private record Callee(String name, Ty result, Ty[] params, long cost) {}

    private final Random random;
    private final String name;
    private final StringBuilder out = new StringBuilder();
    private final List<Var> fields = new ArrayList<>();
    /** Statics of classes that are initialized when generated code first touches them. */
    private final List<Var> lazyFields = new ArrayList<>();
    private final List<Var> scope = new ArrayList<>();
    private final List<Callee> callees = new ArrayList<>();
    private final List<String> labels = new ArrayList<>();
    private int indent;
    private int names;
    private int loopDepth;
    private int switchDepth;
    private long cost;
    private long times;
    private Ty result;
    private boolean inInstance;
    /** The superclass, within a class that has one. */
    private String above;
    /** Lambdas are dear at start-up under -Xcomp: only some programs have them. */
    private final boolean lambdas;

    Generator(String name, long seed) {
        this.name = name;
        this.random = new Random(seed * 0x9E3779B97F4A7C15L ^ 0x5DEECE66DL);
        random.nextInt();
        lambdas = random.nextInt(12) == 0;
    }

    private int pick(int n) {
        return random.nextInt(n);
    }

    private boolean chance(int percent) {
        return random.nextInt(100) < percent;
    }

    @SafeVarargs
    private <T> T pick(T... of) {
        return of[random.nextInt(of.length)];
    }

    private void line(String text) {
        if (text.startsWith("}")) indent--;
        out.append("    ".repeat(indent)).append(text).append('\n');
        if (text.endsWith("{")) indent++;
    }

    String program() {
        line("public class " + name + " extends Base {");
        statics();
        line("interface I {");
        line("long f(int x, long y);");
        line("default int g(int x) {");
        line("return x + 31;");
        line("}");
        line("}");
        line("interface J extends I {");
        line("int j(int x, double y);");
        line("default int g(int x) {");
        line("return x - 5;");
        line("}");
        line("}");
        hierarchy();
        lazy();
        int methods = 2 + pick(4);
        List<Callee> tested = new ArrayList<>();
        for (int i = 0; i < methods; i++) {
            Callee made = chance(12) ? recursive("m" + i) : method("m" + i);
            tested.add(made);
        }
        run(tested);
        line("}");
        return out.toString();
    }

    private void statics() {
        Ty[] types = {Ty.INT, Ty.INT, Ty.LONG, Ty.DOUBLE, Ty.FLOAT, Ty.BOOL, Ty.BYTE, Ty.SHORT, Ty.CHAR, Ty.STRING, Ty.OBJ,
            Ty.Q, Ty.BOX, Ty.INTS, Ty.LONGS, Ty.DOUBLES, Ty.BYTES, Ty.CHARS, Ty.FLOATS, Ty.OBJS, Ty.GRID, Ty.BOOLS, Ty.SHORTS};
        for (Ty type : types) {
            String n = "s" + names++;
            String kind = chance(10) ? "static volatile " : "static ";
            line(kind + type.java + " " + n + " = " + initial(type) + ";");
            fields.add(new Var(n, type, true));
        }
        line("static final int K = ei(" + pick(40) + ");");
        fields.add(new Var("K", Ty.INT, false));
        line("static final I[] objs = new I[6];");
        line("static I obj(int i) {");
        line("return objs[Math.floorMod(i, 6)];");
        line("}");
        line("static final Object lock = new Object();");
        if (lambdas) {
            line("static final java.util.function.IntBinaryOperator[] ops = {(x, y) -> x * 31 + y, (x, y) -> x / y,"
                + " Math::max, (x, y) -> { s0 += x; return s0 ^ y; }};");
        }
    }

    private String initial(Ty type) {
        return switch (type) {
            case INTS -> "new int[" + (8 + pick(9)) + "]";
            case LONGS -> "new long[" + (8 + pick(9)) + "]";
            case DOUBLES -> "new double[" + (8 + pick(9)) + "]";
            case FLOATS -> "new float[" + (8 + pick(9)) + "]";
            case BYTES -> "new byte[" + (8 + pick(20)) + "]";
            case BOOLS -> "new boolean[" + (8 + pick(9)) + "]";
            case SHORTS -> "new short[" + (8 + pick(9)) + "]";
            case CHARS -> "\"some text here\".toCharArray()";
            case OBJS -> "new Object[" + (8 + pick(9)) + "]";
            case GRID -> "new int[4][" + (4 + pick(5)) + "]";
            case STRING -> pick("\"a\"", "\"hello\"", "\"\"", "\"na\\u00efve \\u4e2d\"");
            case OBJ, BOX, I, A, Q -> "null";
            default -> literal(type);
        };
    }

    private void hierarchy() {
        line("static abstract class A implements I, Folds {");
        line("int a0;");
        line("long a1;");
        line("double a2;");
        line("float a3;");
        line("byte a4;");
        line("boolean a5;");
        line("short a6;");
        line("char a7;");
        line("volatile int a8;");
        line("A link;");
        line("int[] arr;");
        line("public long fold() {");
        line("return mix(mix(mix(a0, a1), bits(a2)), bits(a3)) + a4 * 3 + a6 * 5 + a7 * 7 + a8 * 11 + bits(a5);");
        line("}");
        line("abstract double h(double x);");
        bodyOf("public long f(int x, long y)", Ty.LONG, new Var("x", Ty.INT, true), new Var("y", Ty.LONG, true));
        bodyOf("int k(int x)", Ty.INT, new Var("x", Ty.INT, true));
        line("}");
        String[][] classes = {{"B", "A"}, {"C", "A"}, {"D", "B"}, {"E", "C"}};
        for (String[] c : classes) {
            boolean j = c[0].equals("C");
            line("static class " + c[0] + " extends " + c[1] + (j ? " implements J" : "") + " {");
            above = c[1];
            line("long own = " + literal(Ty.LONG) + ";");
            if (chance(70) || c[1].equals("A")) bodyOf("double h(double x)", Ty.DOUBLE, new Var("x", Ty.DOUBLE, true));
            if (chance(60)) {
                bodyOf("public " + (chance(15) ? "synchronized " : "") + "long f(int x, long y)", Ty.LONG,
                    new Var("x", Ty.INT, true), new Var("y", Ty.LONG, true));
            }
            if (chance(50)) bodyOf("public int g(int x)", Ty.INT, new Var("x", Ty.INT, true));
            if (chance(40)) bodyOf("int k(int x)", Ty.INT, new Var("x", Ty.INT, true));
            if (j || c[0].equals("E") && chance(50)) {
                bodyOf("public int j(int x, double y)", Ty.INT, new Var("x", Ty.INT, true), new Var("y", Ty.DOUBLE, true));
            }
            line("}");
        }
        above = null;
        line("static final class Other implements J {");
        line("public int j(int x, double y) {");
        line("return x ^ (int) y;");
        line("}");
        line("public long f(int x, long y) {");
        line("return x - y;");
        line("}");
        line("}");
        line("static I late(int n) {");
        line("if (n == 0) return new D();");
        line("if (n == 1) return new E();");
        line("return new Other();");
        line("}");
    }

    /** Classes whose initializers have effects, one of which may fail. */
    private void lazy() {
        for (int n = 0; n < 2; n++) {
            String holder = "H" + n;
            line("static class " + holder + " {");
            line("static int v = s0 + " + pick(50) + ";");
            line("static long w = s2 ^ " + literal(Ty.LONG) + ";");
            line("static final Object o = obj(" + pick(6) + ");");
            line("static {");
            line("s0 += 17;");
            if (n == 1 && chance(40)) line(pick("v /= s0 - s0;", "s0 += " + INTS + "[v | 64];", "if (v != w) throw new Own(v);"));
            line("}");
            line("static int get(int x) {");
            line("return x * v + (int) w;");
            line("}");
            line("}");
            lazyFields.add(new Var(holder + ".v", Ty.INT, true));
            lazyFields.add(new Var(holder + ".w", Ty.LONG, true));
            lazyFields.add(new Var(holder + ".o", Ty.OBJ, false));
        }
    }

    /** A small method of a class of the hierarchy; calls nothing generated. */
    private void bodyOf(String header, Ty type, Var... params) {
        line(header + " {");
        inInstance = true;
        begin(type, 40);
        scope.addAll(Arrays.asList(params));
        scope.addAll(List.of(new Var("a0", Ty.INT, true), new Var("a1", Ty.LONG, true), new Var("a2", Ty.DOUBLE, true),
            new Var("a3", Ty.FLOAT, true), new Var("a4", Ty.BYTE, true), new Var("a5", Ty.BOOL, true),
            new Var("a6", Ty.SHORT, true), new Var("a7", Ty.CHAR, true), new Var("a8", Ty.INT, true),
            new Var("arr", Ty.INTS, true)));
        if (above != null && chance(40)) {
            if (header.contains(" f(")) line("y ^= super.f(x, y);");
            if (header.contains(" k(")) line("x += super.k(x - 1);");
        }
        for (int i = pick(3); i > 0; i--) statement(1);
        line("return " + expr(type, 2) + ";");
        line("}");
        inInstance = false;
    }

    private void begin(Ty type, long spent) {
        scope.clear();
        labels.clear();
        scope.addAll(fields);
        if (!inInstance && chance(40)) scope.addAll(lazyFields);
        result = type;
        cost = BUDGET - 1 - spent > 0 && spent > 0 ? BUDGET - spent : 0;
        times = 1;
        loopDepth = 0;
        switchDepth = 0;
    }

    private Ty[] params() {
        Ty[] types = new Ty[1 + pick(chance(10) ? 12 : 5)];
        for (int i = 0; i < types.length; i++) {
            types[i] = chance(75) ? pick(PRIMITIVES) : pick(Ty.I, Ty.A, Ty.INTS, Ty.STRING, Ty.OBJ, Ty.LONGS, Ty.BOX, Ty.Q);
        }
        return types;
    }

    private Ty resultType() {
        return chance(85) ? pick(PRIMITIVES) : pick(Ty.STRING, Ty.I, Ty.INTS, Ty.OBJ, Ty.BOX, Ty.Q);
    }

    private Callee method(String method) {
        Ty[] types = params();
        Ty type = resultType();
        begin(type, 0);
        StringBuilder header = new StringBuilder("static ").append(chance(8) ? "synchronized " : "");
        header.append(type.java).append(' ').append(method).append('(');
        for (int i = 0; i < types.length; i++) {
            header.append(i == 0 ? "" : ", ").append(types[i].java).append(" p").append(i);
            scope.add(new Var("p" + i, types[i], true));
        }
        line(header + ") {");
        List<Var> wide = new ArrayList<>();
        if (chance(18)) {
            // More values than registers, all used to the end.
            for (int i = 10 + pick(30); i > 0; i--) {
                Var v = new Var(fresh("w"), pick(Ty.INT, Ty.INT, Ty.LONG, Ty.LONG, Ty.DOUBLE, Ty.FLOAT, Ty.CHAR), true);
                line(v.type.java + " " + v.name + " = " + expr(v.type, 1) + ";");
                wide.add(v);
            }
            scope.addAll(wide);
        }
        block(2 + pick(6), 3);
        for (Var v : wide) line("s2 = mix(s2, bits(" + v.name + "));");
        line("return " + expr(type, 3) + ";");
        line("}");
        Callee made = new Callee(method, type, types, cost + 5);
        callees.add(made);
        return made;
    }

    private Callee recursive(String method) {
        Ty type = pick(Ty.INT, Ty.LONG, Ty.DOUBLE);
        Ty other = pick(PRIMITIVES);
        Ty[] types = {Ty.INT, type, other};
        begin(type, 0);
        line("static " + type.java + " " + method + "(int p0, " + type.java + " p1, " + other.java + " p2) {");
        line("if (p0 <= 0) return p1;");
        line("if (p0 > 12) p0 = p0 % 12;");
        scope.add(new Var("p0", Ty.INT, false));
        scope.add(new Var("p1", type, true));
        scope.add(new Var("p2", other, true));
        times = 12;
        block(1 + pick(3), 2);
        String again = method + "(p0 - 1, " + expr(type, 2) + ", " + expr(other, 2) + ")";
        line("return " + again + pick(" + ", " - ", " * ") + expr(type, 2) + ";");
        line("}");
        Callee made = new Callee(method, type, types, cost + 20);
        callees.add(made);
        return made;
    }

    private void run(List<Callee> tested) {
        int late = 20 + pick(15);
        line("public static long[] run() {");
        line("long[] h = new long[" + (tested.size() + 1) + "];");
        line("for (int i = 0; i < 5; i++) objs[i] = (i & 1) == 0 ? new B() : " + (chance(50) ? "new C();" : "new B();"));
        line("for (int r = 0; r < " + ROUNDS + "; r++) {");
        line("if (r >= " + late + ") objs[r % 5] = late(r - " + late + ");");
        for (int i = 0; i < tested.size(); i++) {
            Callee c = tested.get(i);
            line("try {");
            StringBuilder call = new StringBuilder(c.name).append('(');
            for (int p = 0; p < c.params.length; p++) {
                call.append(p == 0 ? "" : ", ").append(argument(c.params[p]));
            }
            line("h[" + i + "] = mix(h[" + i + "], bits(" + call + ")));");
            line("} catch (Throwable t) {");
            line("h[" + i + "] = mix(h[" + i + "], thrown(t));");
            line("}");
        }
        StringBuilder all = new StringBuilder("h[" + tested.size() + "]");
        for (Var v : fields) all = new StringBuilder("mix(").append(all).append(", bits(").append(v.name).append("))");
        line("h[" + tested.size() + "] = " + all + ";");
        // Not before, or the methods would not initialize them.
        line("if (r == " + (ROUNDS - 1) + ") {");
        for (Var v : lazyFields) {
            line("try {");
            line("h[" + tested.size() + "] = mix(h[" + tested.size() + "], bits(" + v.name + "));");
            line("} catch (Throwable t) {");
            line("h[" + tested.size() + "] = mix(h[" + tested.size() + "], thrown(t));");
            line("}");
        }
        line("}");
        line("for (int i = 0; i < 6; i++) h[" + tested.size() + "] = mix(h[" + tested.size() + "], bits(objs[i]));");
        line("}");
        line("return h;");
        line("}");
        line("public static void main(String[] args) {");
        line("for (long h : run()) System.out.println(Long.toHexString(h));");
        line("}");
    }

    private String argument(Ty type) {
        String r = "r * " + (1 + pick(7)) + " + " + pick(40);
        if (type == Ty.INT && chance(40)) return "r % " + (3 + pick(20));
        return switch (type) {
            case INT -> "ei(" + r + ")";
            case LONG -> "el(" + r + ")";
            case DOUBLE -> "ed(" + r + ")";
            case FLOAT -> "(float) ed(" + r + ")";
            case BOOL -> "(r & " + (1 + pick(4)) + ") == 0";
            case BYTE, SHORT, CHAR -> "(" + type.java + ") ei(" + r + ")";
            case I -> "obj(" + r + ")";
            case A -> "obj(" + r + ") instanceof A a ? a : null";
            case INTS -> pick(INTS, "new int[r]", "r % 7 == 6 ? null : " + INTS);
            case LONGS -> pick(LONGS, "new long[r]", "r % 9 == 6 ? null : " + LONGS);
            case STRING -> pick("\"r\" + r", "s9", "r == 30 ? null : \"x\"");
            case OBJ -> pick("obj(r)", "r < 20 ? obj(r) : s9", "(Object) r", INTS);
            case Q -> pick("new Q(r, 5L)", "r % 11 == 10 ? null : new Q(r, el(r))");
            case BOX -> pick("(Integer) r", "r == 33 ? null : (Integer) ei(r)");
            default -> throw new IllegalStateException("no argument of type " + type);
        };
    }

    // Statements

    private void block(int statements, int depth) {
        int outer = scope.size();
        for (int i = 0; i < statements; i++) statement(depth);
        while (scope.size() > outer) scope.remove(scope.size() - 1);
    }

    private boolean spent() {
        return cost > BUDGET;
    }

    private void statement(int depth) {
        cost += times * 3;
        int kind = pick(100);
        if (depth <= 0 || spent()) kind = kind % 45;
        if (kind < 18) declaration();
        else if (kind < 34) assignment();
        else if (kind < 39) arrayStore();
        else if (kind < 41) fieldStore();
        else if (kind < 42) objects();
        else if (kind < 45) jump();
        else if (kind < 58) conditional(depth);
        else if (kind < 78) loop(depth);
        else if (kind < 86) switchStatement(depth);
        else if (kind < 95) tryStatement(depth);
        else if (kind < 97) synchronizedStatement(depth);
        else if (kind == 97) line("objs[(" + expr(Ty.INT, 1) + ") & 7] = " + expr(Ty.I, 2) + ";");
        else arrayCopy();
    }

    private String fresh(String prefix) {
        return prefix + names++;
    }

    private void declaration() {
        Ty type = pick(LOCALS);
        String n = fresh("v");
        line(type.java + " " + n + " = " + expr(type, 3) + ";");
        scope.add(new Var(n, type, true));
    }

    private Var variable(Ty type, boolean assignable) {
        List<Var> fit = new ArrayList<>();
        for (Var v : scope) {
            if ((type == null || v.type == type) && (!assignable || v.assignable)) {
                fit.add(v);
                // Locals and parameters rather than the statics.
                if (!fields.contains(v)) {
                    fit.add(v);
                    fit.add(v);
                    fit.add(v);
                }
            }
        }
        return fit.isEmpty() ? null : fit.get(pick(fit.size()));
    }

    private static boolean isNumber(Ty t) {
        return switch (t) {
            case INT, LONG, FLOAT, DOUBLE, BYTE, SHORT, CHAR -> true;
            default -> false;
        };
    }

    private static boolean isWhole(Ty t) {
        return isNumber(t) && t != Ty.FLOAT && t != Ty.DOUBLE;
    }

    private void assignment() {
        Var v = variable(null, true);
        if (isWhole(v.type) && chance(20)) {
            line(v.name + pick("++", "--") + ";");
        } else if (isWhole(v.type) && chance(50)) {
            Ty from = chance(70) ? v.type : pick(Ty.INT, Ty.LONG);
            line(v.name + pick(" += ", " -= ", " *= ", " ^= ", " &= ", " |= ", " <<= ", " >>= ", " >>>= ", " /= ", " %= ")
                + expr(from, 2) + ";");
        } else if (isNumber(v.type) && chance(50)) {
            line(v.name + pick(" += ", " -= ", " *= ", " /= ", " %= ") + expr(chance(70) ? v.type : pick(Ty.INT, Ty.DOUBLE), 2)
                + ";");
        } else {
            line(v.name + " = " + expr(v.type, 3) + ";");
        }
    }

    private static Ty element(Ty array) {
        return switch (array) {
            case INTS -> Ty.INT;
            case LONGS -> Ty.LONG;
            case DOUBLES -> Ty.DOUBLE;
            case BYTES -> Ty.BYTE;
            case CHARS -> Ty.CHAR;
            case FLOATS -> Ty.FLOAT;
            case BOOLS -> Ty.BOOL;
            case SHORTS -> Ty.SHORT;
            case OBJS -> Ty.OBJ;
            case GRID -> Ty.INTS;
            default -> throw new IllegalStateException("not an array: " + array);
        };
    }

    /** An index that is mostly within the array. */
    private String index(String array, int depth) {
        int kind = pick(100);
        if (kind < 35) return "(" + expr(Ty.INT, depth) + ") & 7";
        if (kind < 50) return "Math.floorMod(" + expr(Ty.INT, depth) + ", 8)";
        if (kind < 70) return "" + pick(8);
        if (kind < 80) return array + ".length - " + (1 + pick(4));
        if (kind < 95) {
            Var v = variable(Ty.INT, false);
            return v.name + pick("", "", " + 1", " - 1", " & 15");
        }
        return expr(Ty.INT, depth);
    }

    private void arrayStore() {
        Ty array = pick(ARRAYS);
        Var v = variable(array, false);
        if (v == null) {
            assignment();
            return;
        }
        if (array == Ty.GRID && chance(80)) {
            line(v.name + "[(" + expr(Ty.INT, 1) + ") & 3][" + index(v.name + "[0]", 1) + "] = " + expr(Ty.INT, 2) + ";");
            return;
        }
        Ty e = element(array);
        String op = isNumber(e) && chance(30) ? pick(" += ", " -= ", " *= ") : " = ";
        line(v.name + "[" + index(v.name, 1) + "]" + op + expr(e, 2) + ";");
    }

    private static final Var[] MEMBERS = {new Var("a0", Ty.INT, true), new Var("a1", Ty.LONG, true),
        new Var("a2", Ty.DOUBLE, true), new Var("a3", Ty.FLOAT, true), new Var("a4", Ty.BYTE, true),
        new Var("a5", Ty.BOOL, true), new Var("a6", Ty.SHORT, true),
        new Var("a7", Ty.CHAR, true), new Var("a8", Ty.INT, true), new Var("link", Ty.A, true), new Var("arr", Ty.INTS, true)};

    private void fieldStore() {
        if (chance(45)) {
            Var q = variable(Ty.Q, false);
            Var to = pick(new Var("x", Ty.INT, true), new Var("y", Ty.LONG, true), new Var("z", Ty.DOUBLE, true),
                new Var("next", Ty.Q, true));
            if (q != null) {
                line(q.name + "." + to.name + (isNumber(to.type) && chance(50) ? " += " : " = ") + expr(to.type, 2) + ";");
                return;
            }
        }
        Var v = variable(Ty.A, false);
        String on = v == null ? "((A) (I) " + expr(Ty.I, 1) + ")" : v.name;
        Var f = pick(MEMBERS);
        line(on + "." + f.name + (isNumber(f.type) && chance(40) ? " += " : " = ") + expr(f.type, 2) + ";");
    }

    private void jump() {
        String condition = "if (" + expr(Ty.BOOL, 2) + ") ";
        int kind = pick(100);
        if (loopDepth > 0 && kind < 65) {
            String label = labels.get(pick(labels.size()));
            line(condition + pick("break", "continue") + (chance(40) ? " " + label : switchDepth > 0 ? " " + label : "") + ";");
        } else if (kind < 80) {
            line(condition + "return " + expr(result, 2) + ";");
        } else {
            line(condition + "throw " + pick("new Own(" + expr(Ty.INT, 1) + ")", "new IllegalStateException(\"ise\")",
                "new ArithmeticException()") + ";");
        }
    }

    private void conditional(int depth) {
        line("if (" + expr(Ty.BOOL, 3) + ") {");
        block(1 + pick(3), depth - 1);
        if (chance(50)) {
            line("} else {");
            block(1 + pick(3), depth - 1);
        }
        line("}");
    }

    private void loop(int depth) {
        long room = Math.max(1, (BUDGET - cost) / (times * 12));
        if (room < 2) {
            conditional(depth);
            return;
        }
        int trips = 1 + pick((int) Math.min(room, chance(25) ? 120 : 14));
        String label = fresh("L");
        String i = fresh("i");
        long before = times;
        times *= trips;
        int outer = scope.size();
        int kind = pick(100);
        String head = label + ": ";
        String close = "}";
        int start = chance(70) ? 0 : pick(20) - 10;
        if (kind < 30) {
            line(head + "for (int " + i + " = " + start + "; " + i + " < " + (start + trips) + "; " + i + "++) {");
            scope.add(new Var(i, Ty.INT, false));
        } else if (kind < 40) {
            line(head + "for (int " + i + " = " + (start + trips) + "; " + i + " >= " + (start + 1) + "; " + i + "--) {");
            scope.add(new Var(i, Ty.INT, false));
        } else if (kind < 48) {
            int step = 1 + pick(9);
            String limit = chance(20) ? "Integer.MAX_VALUE - " + (step * trips) : null;
            if (limit != null) {
                line(head + "for (int " + i + " = " + limit + "; " + i + " > 0 && " + i + " < Integer.MAX_VALUE; " + i + " += "
                    + step + ") {");
            } else {
                line(head + "for (int " + i + " = " + start + "; " + i + " < " + (start + trips * step) + "; " + i + " += "
                    + step + ") {");
            }
            scope.add(new Var(i, Ty.INT, false));
        } else if (kind < 60) {
            String base = pick("0L", "-3L", "4294967290L", "Long.MAX_VALUE - " + trips, "2147483640L");
            line(head + "for (long " + i + " = " + base + "; " + i + " < " + base + " + " + trips + "; " + i + "++) {");
            scope.add(new Var(i, Ty.LONG, false));
        } else if (kind < 66) {
            // Between values that nothing is known of, over arrays.
            Var a = variable(pick(Ty.INTS, Ty.LONGS, Ty.BYTES, Ty.CHARS), false);
            Var b = variable(pick(Ty.INTS, Ty.DOUBLES, Ty.CHARS, Ty.OBJS), false);
            times = before * 20;
            String low = fresh("n");
            String high = fresh("n");
            String bounds = "int " + low + " = " + pick("0", "0", "(" + expr(Ty.INT, 1) + ") & 7", "(" + expr(Ty.INT, 1) + ") % 9");
            line(bounds + ", " + high + " = " + pick(a.name + ".length", "Math.min(" + a.name + ".length, " + b.name + ".length)",
                "(" + expr(Ty.INT, 1) + ") % 24", a.name + ".length - " + pick(3), "(" + expr(Ty.INT, 1) + ") & 15") + ";");
            if (chance(60)) {
                line(head + "for (int " + i + " = " + low + "; " + i + " < " + high + "; " + i + pick("++", "++", " += 2", " += 3") + ") {");
            } else {
                line(head + "for (int " + i + " = " + high + pick(" - 1", " - 1", "") + "; " + i + " >= " + low + "; " + i
                    + pick("--", "--", " -= 2") + ") {");
            }
            scope.add(new Var(i, Ty.INT, false));
            String at = pick(i, i, i + " + 1", i + " - 1", i + " * 2", a.name + ".length - 1 - " + i, i + " >> 1",
                i + " + " + low, "(" + i + " + 3) & 7");
            Var sum = variable(Ty.LONG, true);
            line(sum.name + " += " + a.name + "[" + at + "];");
            if (chance(50)) line(b.name + "[" + pick(i, i, at) + "] = " + expr(element(b.type), 1) + ";");
        } else if (kind < 78) {
            // Over an array, perhaps one element too far.
            Ty type = pick(Ty.INTS, Ty.LONGS, Ty.DOUBLES, Ty.BYTES, Ty.CHARS);
            Var a = variable(type, false);
            times = before * Math.max(trips, 20);
            line(head + "for (int " + i + " = 0; " + i + pick(" < ", " < ", " < ", " <= ") + a.name + ".length && " + i
                + " < 28; " + i + pick("++", "++", " += 2") + ") {");
            scope.add(new Var(i, Ty.INT, false));
            if (chance(80)) {
                String e = a.name + "[" + i + pick("", "", " + 1", " - 1") + "]";
                if (type == Ty.INTS || type == Ty.LONGS || type == Ty.DOUBLES) {
                    line(e + pick(" += ", " = ", " -= ") + expr(element(type), 2) + ";");
                } else {
                    Var sum = variable(Ty.INT, true);
                    line(sum.name + " += " + e + ";");
                }
            }
        } else if (kind < 83) {
            line("int " + i + " = 0;");
            line(head + "for (;;) {");
            line("if (++" + i + " > " + trips + ") break;");
            scope.add(new Var(i, Ty.INT, false));
        } else if (kind < 90) {
            line("int " + i + " = " + trips + ";");
            line(head + "while (--" + i + " >= 0" + (chance(30) ? " && " + expr(Ty.BOOL, 2) : "") + ") {");
            scope.add(new Var(i, Ty.INT, false));
        } else {
            line("int " + i + " = 0;");
            line(head + "do {");
            scope.add(new Var(i, Ty.INT, false));
            close = "} while (++" + i + " < " + trips + (chance(30) ? " && " + expr(Ty.BOOL, 2) : "") + ");";
        }
        labels.add(label);
        loopDepth++;
        int switches = switchDepth;
        switchDepth = 0;
        block(1 + pick(4), depth - 1);
        switchDepth = switches;
        loopDepth--;
        labels.remove(labels.size() - 1);
        line(close);
        while (scope.size() > outer) scope.remove(scope.size() - 1);
        times = before;
    }

    private void switchStatement(int depth) {
        boolean strings = chance(10);
        boolean dense = chance(60);
        line("switch (" + (strings ? expr(Ty.STRING, 2) : dense ? "(" + expr(Ty.INT, 2) + ") & 7" : expr(Ty.INT, 2)) + ") {");
        switchDepth++;
        List<String> values = new ArrayList<>();
        for (int i = 1 + pick(5); i > 0; i--) {
            String v = strings ? pick("\"a\"", "\"hello\"", "\"\"", "\"Aa\"", "\"BB\"")
                : dense ? "" + pick(8) : pick("0", "1", "-1", "100", "65536", "Integer.MIN_VALUE", "2147483647", "33", "-65537");
            if (values.contains(v)) continue;
            values.add(v);
            line("case " + v + ": {");
            block(1 + pick(2), depth - 1);
            line("}");
            if (chance(65)) line("break;");
        }
        if (chance(60)) {
            line("default: {");
            block(1 + pick(2), depth - 1);
            line("}");
        }
        switchDepth--;
        line("}");
    }

    private static final String[] CAUGHT = {"ArithmeticException", "ArrayIndexOutOfBoundsException", "NullPointerException",
        "ClassCastException", "Own", "NegativeArraySizeException", "RuntimeException", "Throwable"};

    private void tryStatement(int depth) {
        line("try {");
        block(1 + pick(4), depth - 1);
        boolean caught = false;
        int from = 0;
        for (int i = pick(3); i > 0 && from < CAUGHT.length; i--) {
            from += pick(CAUGHT.length - from);
            String e = fresh("e");
            line("} catch (" + CAUGHT[from] + " " + e + ") {");
            from++;
            caught = true;
            Var v = variable(Ty.INT, true);
            line(v.name + " ^= (int) thrown(" + e + ");");
            cost += times * 20;
            if (chance(60)) block(1 + pick(2), depth - 1);
            if (chance(15)) line("if (" + expr(Ty.BOOL, 2) + ") throw " + e + ";");
        }
        if (!caught || chance(35)) {
            line("} finally {");
            block(1 + pick(2), depth - 1);
        }
        line("}");
    }

    private void synchronizedStatement(int depth) {
        Var a = variable(Ty.A, false);
        Var q = variable(Ty.Q, false);
        line("synchronized (" + (q != null && chance(30) ? q.name : a == null || chance(60) ? "lock" : a.name) + ") {");
        block(1 + pick(3), depth - 1);
        line("}");
    }

    /** Objects and small arrays that may or may not escape. */
    private void objects() {
        String q = fresh("v");
        String t = fresh("v");
        line("Q " + q + " = new Q(" + expr(Ty.INT, 2) + ", " + expr(Ty.LONG, 1) + ");");
        scope.add(new Var(q, Ty.Q, true));
        line("int[] " + t + " = {" + expr(Ty.INT, 1) + ", " + expr(Ty.INT, 1) + ", " + pick(9) + "};");
        scope.add(new Var(t, Ty.INTS, true));
        for (int i = 1 + pick(4); i > 0; i--) {
            switch (pick(8)) {
                case 0 -> line(q + ".x += " + t + "[" + pick(3) + "];");
                case 1 -> line(t + "[" + pick("0", "1", "2", q + ".x & 1", "3") + "] = " + expr(Ty.INT, 2) + ";");
                case 2 -> line(q + ".next = " + pick("new Q(" + expr(Ty.INT, 1) + ", 9L)", q, "null") + ";");
                case 3 -> {
                    line("if (" + expr(Ty.BOOL, 2) + ") {");
                    line(pick(q + " = new Q(" + q + ");", t + " = new int[4];", variable(Ty.Q, true).name + " = " + q + ";"));
                    line("}");
                }
                case 4 -> {
                    line("synchronized (" + q + ") {");
                    line(q + ".y += " + expr(Ty.LONG, 2) + ";");
                    if (chance(40)) line(variable(Ty.INT, true).name + " = " + q + ".add(" + expr(Ty.INT, 1) + ");");
                    line("}");
                }
                case 5 -> line(variable(Ty.LONG, true).name + " += " + q + ".y + " + q + ".x;");
                case 6 -> line(q + ".z = " + expr(Ty.DOUBLE, 2) + ";");
                default -> line(variable(Ty.INT, true).name + " ^= " + t + "[" + pick(3) + "] + " + t + ".length;");
            }
        }
    }

    private void arrayCopy() {
        if (chance(30)) {
            Var a = variable(pick(Ty.INTS, Ty.BYTES, Ty.LONGS, Ty.CHARS), false);
            line("java.util.Arrays.fill(" + a.name + ", " + expr(element(a.type), 1) + ");");
            return;
        }
        Ty type = pick(Ty.INTS, Ty.LONGS, Ty.BYTES, Ty.OBJS);
        Var a = variable(type, false);
        Var b = variable(type, false);
        line("System.arraycopy(" + a.name + ", " + pick(4) + ", " + b.name + ", " + pick(4) + ", "
            + (chance(70) ? "" + pick(5) : expr(Ty.INT, 1)) + ");");
    }

    // Expressions

    private String literal(Ty type) {
        return switch (type) {
            case INT -> {
                int v = pick(pick(16), pick(16), -1, 31, 32, 255, 65535, Integer.MAX_VALUE, Integer.MIN_VALUE, random.nextInt());
                yield v < 0 ? "(" + v + ")" : "" + v;
            }
            case LONG -> {
                long v = pick((long) pick(16), -1L, 63L, 1L << 32, Long.MAX_VALUE, Long.MIN_VALUE, random.nextLong(),
                    (long) random.nextInt());
                yield v < 0 ? "(" + v + "L)" : v + "L";
            }
            case FLOAT -> pick("0.0f", "(-0.0f)", "1.0f", "1.5f", "(-2.25f)", "1e10f", "3e38f", "Float.NaN", "1e-40f",
                "Float.POSITIVE_INFINITY", "16777217f", random.nextInt(1000) / 8f + "f");
            case DOUBLE -> pick("0.0", "(-0.0)", "1.0", "0.5", "(-3.75)", "1e100", "1e308", "Double.NaN", "5e-324",
                "Double.NEGATIVE_INFINITY", "2147483648.0", random.nextInt(10000) / 16.0 + "");
            case BOOL -> pick("true", "false");
            case BYTE -> "(byte) " + pick(256);
            case SHORT -> "(short) " + pick(65536);
            case CHAR -> "(char) " + pick(65536);
            case STRING -> pick("\"a\"", "\"hello\"", "\"\"", "\"Aa\"", "\"BB\"");
            default -> "null";
        };
    }

    private String expr(Ty type, int depth) {
        cost += times;
        if (depth <= 0 || chance(12)) return leaf(type);
        if (chance(10)) {
            String call = call(type, depth);
            if (call != null) return call;
        }
        if (chance(6)) {
            return "(" + expr(Ty.BOOL, depth - 1) + " ? " + expr(type, depth - 1) + " : " + expr(type, depth - 1) + ")";
        }
        int d0 = depth - 1;
        String read = chance(18) ? elementOf(type, depth) : null;
        if (read != null) return read;
        return switch (type) {
            case INT -> whole(Ty.INT, depth);
            case LONG -> whole(Ty.LONG, depth);
            case FLOAT, DOUBLE -> floating(type, depth);
            case BOOL -> bool(depth);
            case BYTE, SHORT, CHAR -> "(" + type.java + ") (" + expr(pick(Ty.INT, Ty.INT, Ty.LONG, Ty.DOUBLE, Ty.FLOAT), depth - 1) + ")";
            case STRING -> string(depth);
            case OBJ -> pick(expr(pick(Ty.I, Ty.A, Ty.STRING, Ty.INTS, Ty.OBJS, Ty.BOX), depth - 1),
                "((Object) (" + expr(Ty.INT, depth - 1) + "))");
            case I -> pick("obj(" + expr(Ty.INT, depth - 1) + ")", "obj(" + pick(6) + ")", expr(Ty.A, depth - 1),
                chance(30) ? "((I) (Object) " + expr(Ty.OBJ, depth - 1) + ")" : "obj(1)");
            case A -> pick("((A) (I) " + expr(Ty.I, depth - 1) + ")", "new B()", "((A) obj(" + pick(5) + "))",
                "((B) (I) " + expr(Ty.I, depth - 1) + ")", inInstance ? "this" : "new C()");
            case Q -> pick("new Q(" + expr(Ty.INT, d0) + ", " + expr(Ty.LONG, d0) + ")", "new Q(3, 4L)", qMember(),
                "new Q(" + expr(Ty.Q, d0) + ")");
            case BOX -> pick("((Integer) (" + expr(Ty.INT, depth - 1) + "))", "Integer.valueOf(" + pick(300) + ")",
                chance(10) ? "((Integer) (Object) " + expr(Ty.OBJ, depth - 1) + ")" : "((Integer) 5)");
            default -> arrayExpr(type, depth);
        };
    }

    private String qMember() {
        Var v = variable(Ty.Q, false);
        return v == null ? "new Q(1, 2L)" : v.name + ".next";
    }

    private String leaf(Ty type) {
        if (chance(70)) {
            Var v = variable(type, false);
            if (v != null) return v.name;
        }
        return switch (type) {
            case I -> "obj(" + pick(5) + ")";
            case A -> chance(80) ? "new B()" : "((A) null)";
            case Q -> chance(80) ? "new Q(" + pick(9) + ", 1L)" : "((Q) null)";
            case BOX -> "((Integer) " + pick(300) + ")";
            case OBJ -> pick("\"s\"", "null", "lock", "obj(2)");
            case INTS, LONGS, DOUBLES, BYTES, CHARS, FLOATS, BOOLS, SHORTS, OBJS, GRID -> {
                Var v = variable(type, false);
                yield v != null && chance(90) ? v.name : initial(type);
            }
            default -> literal(type);
        };
    }

    private String elementOf(Ty type, int depth) {
        if (chance(35) && (type == Ty.INT || type == Ty.LONG || type == Ty.DOUBLE)) {
            Var v = variable(Ty.Q, false);
            String on = v == null || chance(20) ? expr(Ty.Q, depth - 1) : v.name;
            if (type == Ty.INT && chance(25)) return on + ".add(" + expr(Ty.INT, depth - 1) + ")";
            return on + (type == Ty.INT ? ".x" : type == Ty.LONG ? ".y" : ".z");
        }
        if (chance(30)) {
            Var f = pick(MEMBERS);
            if (f.type == type) {
                Var v = variable(Ty.A, false);
                return (v == null ? expr(Ty.A, depth - 1) : v.name) + "." + f.name;
            }
        }
        for (Ty array : ARRAYS) {
            if (element(array) == type) {
                Var v = variable(array, false);
                return v == null ? null : v.name + "[" + index(v.name, depth - 1) + "]";
            }
        }
        return null;
    }

    private String whole(Ty type, int depth) {
        int d = depth - 1;
        boolean wide = type == Ty.LONG;
        String box = wide ? "Long" : "Integer";
        int kind = pick(100);
        if (kind < 34) return "(" + expr(type, d) + pick(" + ", " - ", " * ", " & ", " | ", " ^ ") + expr(type, d) + ")";
        if (kind < 46) {
            String shift = chance(40) ? "" + pick(70) : expr(chance(80) ? Ty.INT : Ty.LONG, d);
            return "(" + expr(type, d) + pick(" << ", " >> ", " >>> ") + shift + ")";
        }
        if (kind < 56) {
            String by = switch (pick(5)) {
                case 0 -> expr(type, d);
                case 1, 2 -> pick("1", "(-1)", "2", "3", "7", "(-8)", "10", "1000", "16", "(-2147483648)") + (wide ? "L" : "");
                case 3 -> "(" + (random.nextInt() >> pick(31)) + ")" + (wide ? "L" : "");
                default -> "(" + expr(type, d) + " | 1)";
            };
            by = by.replace(")L", "L)");
            return "(" + expr(type, d) + pick(" / ", " % ") + by + ")";
        }
        if (kind < 62) return pick("(-", "(~") + expr(type, d) + ")";
        if (kind < 74) {
            Ty from = wide ? pick(Ty.INT, Ty.INT, Ty.FLOAT, Ty.DOUBLE, Ty.CHAR, Ty.BYTE) : pick(Ty.LONG, Ty.LONG, Ty.FLOAT, Ty.DOUBLE, Ty.BYTE, Ty.SHORT, Ty.CHAR);
            return "(" + type.java + ") (" + expr(from, d) + ")";
        }
        if (kind < 77) return "(" + expr(Ty.BOOL, d) + " ? 1 : " + (wide ? "0L" : "0") + ")";
        if (kind < 81) {
            Var v = variable(type, true);
            if (v == null) return literal(type);
            return chance(50) ? "(" + v.name + pick(" += ", " = ", " -= ") + expr(type, d) + ")" : pick("(++" + v.name + ")", "(" + v.name + "--)");
        }
        if (kind < 91) {
            if (lambdas && !wide && chance(30)) {
                return "ops[" + pick(4) + "].applyAsInt(" + expr(Ty.INT, d) + ", " + expr(Ty.INT, d) + ")";
            }
            if (chance(40)) return library(type, wide, box, d);
            return switch (pick(wide ? 9 : 13)) {
                case 0 -> "Math.max(" + expr(type, d) + ", " + expr(type, d) + ")";
                case 1 -> "Math.min(" + expr(type, d) + ", " + expr(type, d) + ")";
                case 2 -> "Math.abs(" + expr(type, d) + ")";
                case 3 -> box + ".rotateLeft(" + expr(type, d) + ", " + expr(Ty.INT, d) + ")";
                case 4 -> box + ".bitCount(" + expr(type, d) + ")";
                case 5 -> box + ".numberOfTrailingZeros(" + expr(type, d) + ")";
                case 6 -> box + ".reverseBytes(" + expr(type, d) + ")";
                case 7 -> "Math." + pick("floorMod", "floorDiv") + "(" + expr(type, d) + ", " + expr(type, d) + " | 1)";
                case 8 -> pick("Math.addExact(", "Math.multiplyExact(", box + ".compare(", box + ".compareUnsigned(")
                    + expr(type, d) + ", " + expr(type, d) + ")";
                case 9 -> expr(Ty.STRING, d) + ".length()";
                case 10 -> expr(Ty.STRING, d) + ".hashCode()";
                case 11 -> chance(50) || inInstance ? "(int) " + expr(Ty.BOX, d) : "H" + pick(2) + ".get(" + expr(Ty.INT, d) + ")";
                default -> {
                    Var a = variable(pick(ARRAYS), false);
                    yield a == null ? "3" : a.name + ".length";
                }
            };
        }
        // The hierarchy's own methods call none of it: they would not end.
        if (inInstance) return "new Other()." + (wide ? "f(" + expr(Ty.INT, d) + ", 7L)" : "g(" + expr(Ty.INT, d) + ")");
        String on = chance(50) ? receiver(Ty.I, d) : receiver(Ty.A, d);
        if (wide) return on + ".f(" + expr(Ty.INT, d) + ", " + expr(Ty.LONG, d) + ")";
        if (chance(15)) return "((J) " + receiver(Ty.I, d) + ").j(" + expr(Ty.INT, d) + ", " + expr(Ty.DOUBLE, d) + ")";
        if (chance(50)) return receiver(Ty.A, d) + ".k(" + expr(Ty.INT, d) + ")";
        return on + ".g(" + expr(Ty.INT, d) + ")";
    }

    /** Calls that the compilers know, or that are worth inlining. */
    private String library(Ty type, boolean wide, String box, int d) {
        String a = expr(type, d);
        String b = expr(type, d);
        if (chance(55)) {
            return switch (pick(12)) {
                case 0 -> box + ".numberOfLeadingZeros(" + a + ")";
                case 1 -> box + ".highestOneBit(" + a + ")";
                case 2 -> box + ".reverse(" + a + ")";
                case 3 -> box + ".divideUnsigned(" + a + ", " + b + ")";
                case 4 -> box + ".remainderUnsigned(" + a + ", " + b + ")";
                case 5 -> "Math.subtractExact(" + a + ", " + b + ")";
                case 6 -> "Math.negateExact(" + a + ")";
                case 7 -> "Math.incrementExact(" + a + ")";
                case 8 -> wide ? "Math.multiplyHigh(" + a + ", " + b + ")" : "Math.toIntExact(" + expr(Ty.LONG, d) + ")";
                case 9 -> wide ? "Math.round(" + expr(Ty.DOUBLE, d) + ")" : "Math.round(" + expr(Ty.FLOAT, d) + ")";
                case 10 -> box + ".signum(" + a + ")";
                default -> box + ".rotateRight(" + a + ", " + pick(70) + ")";
            };
        }
        if (wide) return pick("Integer.toUnsignedLong(" + expr(Ty.INT, d) + ")", "Double.doubleToRawLongBits(" + expr(Ty.DOUBLE, d) + ")");
        cost += times * 25;
        Var array = variable(pick(Ty.INTS, Ty.BYTES, Ty.CHARS, Ty.LONGS, Ty.DOUBLES), false);
        Var other = variable(array.type, false);
        return switch (pick(10)) {
            case 0 -> "(" + expr(Ty.STRING, d) + ".charAt(" + expr(Ty.INT, d) + " & 3) + 0)";
            case 1 -> expr(Ty.STRING, d) + ".indexOf(" + pick("'a'", "'l'", "'\u00ef'", "\"lo\"") + ")";
            case 2 -> expr(Ty.STRING, d) + ".compareTo(" + expr(Ty.STRING, d) + ")";
            case 3 -> "(java.util.Arrays.equals(" + array.name + ", " + other.name + ") ? 5 : 6)";
            case 4 -> "java.util.Arrays.hashCode(" + array.name + ")";
            case 5 -> "java.util.Objects.checkIndex(" + expr(Ty.INT, d) + ", " + pick(20) + ")";
            case 6 -> "Float.compare(" + expr(Ty.FLOAT, d) + ", " + expr(Ty.FLOAT, d) + ")";
            case 7 -> "Float.floatToRawIntBits(" + expr(Ty.FLOAT, d) + ")";
            case 8 -> "java.util.Arrays.mismatch(" + array.name + ", " + other.name + ")";
            default -> "Character.getNumericValue((char) " + expr(Ty.INT, d) + ")";
        };
    }

    private String receiver(Ty type, int depth) {
        cost += times * 30;
        return times > 60 ? (type == Ty.I ? "obj(3)" : "((A) obj(0))") : expr(type, depth);
    }

    private String floating(Ty type, int depth) {
        int d = depth - 1;
        int kind = pick(100);
        if (kind < 50) return "(" + expr(type, d) + pick(" + ", " - ", " * ", " / ", " % ") + expr(type, d) + ")";
        if (kind < 58) return "(-" + expr(type, d) + ")";
        if (kind < 76) {
            Ty from = pick(Ty.INT, Ty.LONG, type == Ty.FLOAT ? Ty.DOUBLE : Ty.FLOAT, Ty.SHORT, Ty.CHAR);
            return "(" + type.java + ") (" + expr(from, d) + ")";
        }
        if (kind < 90) {
            return switch (pick(8)) {
                case 5 -> "Math.signum(" + expr(type, d) + ")";
                // Math's may take the sign of a NaN, which is any; StrictMath's may not.
                case 6 -> "StrictMath.copySign(" + expr(type, d) + ", " + expr(type, d) + ")";
                case 7 -> "Math.fma(" + expr(type, d) + ", " + expr(type, d) + ", " + expr(type, d) + ")";
                case 0 -> "Math.max(" + expr(type, d) + ", " + expr(type, d) + ")";
                case 1 -> "Math.min(" + expr(type, d) + ", " + expr(type, d) + ")";
                case 2 -> "Math.abs(" + expr(type, d) + ")";
                case 3 -> type == Ty.DOUBLE ? pick("Math.sqrt(", "Math.floor(", "Math.rint(", "Math.ceil(") + expr(type, d) + ")"
                    : "(float) Math.sqrt(" + expr(Ty.DOUBLE, d) + ")";
                default -> type == Ty.DOUBLE ? "Double.longBitsToDouble(" + expr(Ty.LONG, d) + ")"
                    : "Float.intBitsToFloat(" + expr(Ty.INT, d) + ")";
            };
        }
        if (type == Ty.DOUBLE && !inInstance) return receiver(Ty.A, d) + ".h(" + expr(Ty.DOUBLE, d) + ")";
        return literal(type);
    }

    private String bool(int depth) {
        int d = depth - 1;
        int kind = pick(100);
        if (kind < 62) {
            Ty t = pick(Ty.INT, Ty.INT, Ty.INT, Ty.LONG, Ty.DOUBLE, Ty.FLOAT, Ty.CHAR, Ty.BYTE);
            String right = chance(40) ? literal(t) : expr(t, d);
            return "(" + expr(t, d) + pick(" < ", " <= ", " > ", " >= ", " == ", " != ") + right + ")";
        }
        if (kind < 76) return "(" + expr(Ty.BOOL, d) + pick(" && ", " || ", " ^ ", " & ", " | ") + expr(Ty.BOOL, d) + ")";
        if (kind < 82) return "(!" + expr(Ty.BOOL, d) + ")";
        if (kind < 88) {
            Ty t = pick(Ty.I, Ty.A, Ty.OBJ, Ty.INTS, Ty.STRING);
            // javac knows classes that nothing can be both of: as Objects they compare.
            return "((Object) " + expr(t, d) + pick(" == ", " != ") + (chance(60) ? "null" : expr(t, d)) + ")";
        }
        if (kind < 97) {
            return chance(50) ? "((I) " + expr(Ty.I, d) + " instanceof " + pick("A", "B", "C", "D", "E", "Other") + ")"
                : "((Object) " + expr(Ty.OBJ, d) + " instanceof " + pick("A", "I", "String", "int[]", "Integer", "B", "Object[]", "Comparable") + ")";
        }
        return pick("Double.isNaN(" + expr(Ty.DOUBLE, d) + ")", "(((Object) " + expr(Ty.OBJ, d) + ").getClass() == " + pick("B", "C", "E", "String", "int[]") + ".class)",
            pick("B", "A", "D", "I", "Integer") + ".class.isInstance(" + expr(Ty.OBJ, d) + ")", expr(Ty.STRING, d) + ".equals(" + expr(Ty.STRING, d) + ")",
            expr(Ty.STRING, d) + ".isEmpty()");
    }

    private String string(int depth) {
        int d = depth - 1;
        cost += times * 20;
        if (times > 40) return literal(Ty.STRING);
        return switch (pick(5)) {
            case 0 -> "(\"\" + " + expr(Ty.INT, d) + ")";
            case 1 -> "(" + literal(Ty.STRING) + " + (" + expr(pick(Ty.LONG, Ty.CHAR, Ty.BOOL), d) + "))";
            case 2 -> "String.valueOf(" + expr(Ty.INT, d) + ")";
            case 3 -> "(" + literal(Ty.STRING) + " + " + leaf(Ty.INT) + " + 'x')";
            default -> "\"abcdefgh\".substring((" + expr(Ty.INT, d) + ") & 7)";
        };
    }

    private String arrayExpr(Ty type, int depth) {
        int d = depth - 1;
        cost += times * 5;
        if (chance(45)) return leaf(type);
        String length = chance(70) ? "" + (8 + pick(8)) : chance(60) ? "(" + expr(Ty.INT, d) + ") & 31" : "(" + expr(Ty.INT, d) + ") % 40";
        return switch (type) {
            case INTS -> chance(15) ? INTS + ".clone()" : chance(50) ? "new int[" + length + "]"
                : "new int[] {" + expr(Ty.INT, d) + ", " + expr(Ty.INT, d) + ", " + pick(9) + "}";
            case LONGS -> chance(20) ? "java.util.Arrays.copyOf(" + leaf(type) + ", " + length + ")" : "new long[" + length + "]";
            case DOUBLES -> chance(50) ? "new double[" + length + "]" : "new double[] {" + expr(Ty.DOUBLE, d) + ", 1.5}";
            case BYTES -> "new byte[" + length + "]";
            case CHARS -> chance(50) ? "new char[" + length + "]" : "\"abcdefgh\".toCharArray()";
            case FLOATS -> chance(30) ? "java.util.Arrays.copyOf(" + leaf(type) + ", " + length + ")" : "new float[" + length + "]";
            case BOOLS -> "new boolean[" + length + "]";
            case SHORTS -> chance(30) ? leaf(type) + ".clone()" : "new short[" + length + "]";
            case OBJS -> chance(60) ? "new Object[" + length + "]" : chance(50) ? "new String[" + length + "]" : "new I[9]";
            case GRID -> "new int[" + (4 + pick(3)) + "][" + (8 + pick(4)) + "]";
            default -> throw new IllegalStateException("no expression of type " + type);
        };
    }

    private String call(Ty type, int depth) {
        List<Callee> fit = new ArrayList<>();
        for (Callee c : callees) {
            if (c.result == type && cost + times * c.cost < BUDGET * 3) fit.add(c);
        }
        if (fit.isEmpty() || inInstance) return null;
        Callee c = fit.get(pick(fit.size()));
        cost += times * c.cost;
        StringBuilder call = new StringBuilder(c.name).append('(');
        for (int i = 0; i < c.params.length; i++) call.append(i == 0 ? "" : ", ").append(expr(c.params[i], depth - 1));
        return call + ")";
    }
}
