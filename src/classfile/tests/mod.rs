//! The reader on the class library, on damaged class files, and beside HotSpot.

mod damage;
mod image;
mod oracle;

use std::path::Path;
use std::process::Command;

use crate::classpath::JImage;

const JDK: &str = "/usr/lib/jvm/java-17-openjdk-amd64";

fn jdk_image() -> JImage {
    JImage::open(&Path::new(JDK).join("lib/modules")).expect("the installed JDK's image")
}

/// Runs javac with all debug information on `sources` (file name, text); returns the class files.
fn compile(directory: &Path, sources: &[(&str, &str)]) -> Vec<(String, Vec<u8>)> {
    std::fs::create_dir_all(directory).expect("temporary directory");
    let mut javac = Command::new(format!("{JDK}/bin/javac"));
    javac.current_dir(directory).args(["-g", "-parameters", "-nowarn", "-d", "out"]);
    for (name, text) in sources {
        std::fs::write(directory.join(name), text).expect("temporary file");
        javac.arg(name);
    }
    assert!(javac.status().expect("javac runs").success());
    let mut classes = Vec::new();
    for entry in std::fs::read_dir(directory.join("out")).expect("javac's output") {
        let path = entry.expect("javac's output").path();
        let name = path.file_stem().expect("a class file").to_string_lossy().into_owned();
        classes.push((name, std::fs::read(&path).expect("javac's output")));
    }
    classes.sort();
    classes
}

/// Something of everything that javac 17 writes into class files.
const SPECIMENS: &str = r#"
import java.lang.annotation.*;
import java.util.*;
import java.util.function.*;

sealed interface Shape permits Circle, Square {
    int COUNT = 2;
    String NAME = "shape";
    long BIG = 1L << 40;
    double PI = 3.25;
    float HALF = 0.5f;
    boolean YES = true;
    double area();
    default String show() { return getClass().getName() + area(); }
    static Shape of(double x) { return x < 0 ? new Square(-x) : new Circle(x); }
    private int hidden() { return 1; }
}
record Circle(@Mark("c") double radius) implements Shape {
    public double area() { return PI * radius * radius; }
}
record Square(double side, List<@Mark String>... tags) implements Shape {
    public double area() { return side * side; }
}
@Retention(RetentionPolicy.RUNTIME)
@Target({ElementType.TYPE_USE, ElementType.RECORD_COMPONENT, ElementType.METHOD, ElementType.TYPE})
@interface Mark { String value() default "none"; int[] numbers() default {1, 2}; }
enum Colour { RED, GREEN { int n() { return 2; } }; int n() { return 1; } }
@Mark(numbers = {3}) @Deprecated
@SuppressWarnings("unchecked")
class Specimen<T extends Comparable<T>> {
    private volatile int count;
    transient T last;
    static final int[][] TABLE = {{1}, {2, 3}};
    static { System.getProperty("x"); }
    class Inner { T get() { return last; } }
    static synchronized double sum(double... values) throws IllegalStateException {
        double total = 0;
        for (double value : values) { total += value; }
        return total;
    }
    native void outside();
    @Mark T pick(List<? extends T> from, long index, String how) throws Exception {
        Function<T, T> same = x -> x;
        Supplier<List<T>> make = ArrayList::new;
        try {
            switch (how) {
                case "first": return same.apply(from.get(0));
                case "last": last = from.get(from.size() - 1); return last;
                default: break;
            }
            Object o = new Object() { public String toString() { return how + index; } };
            return o instanceof String s && s.isEmpty() ? null : from.get((int) index);
        } catch (IndexOutOfBoundsException | NullPointerException e) {
            throw new Exception("none of " + from + index, e);
        } finally {
            count++;
        }
    }
}
"#;
