int x = 3
x * 14
String greet(String who) { return "hello " + who; }
greet("kiln")
record Point(int x, int y) { double norm() { return Math.sqrt(x * x + y * y); } }
new Point(3, 4).norm()
var list = new ArrayList<>(List.of(3, 1, 2))
Collections.sort(list)
System.out.println(list)
list.stream().map(i -> i * i).collect(Collectors.toList())
int broken = "text"
undefined(3)
int fact(int n) { return n < 2 ? 1 : n * later(n - 1); }
fact(5)
int later(int n) { return fact(n); }
System.out.println(fact(6))
throw new IllegalStateException("thrown")
int[] a = {1, 2, 3}
a[3]
for (int i = 0; i < 3; i++) {
    System.out.print(i + " ");
}
System.out.println(Stream.of("a", "b").collect(Collectors.joining("+")))
interface Shape { default String name() { return getClass().getSimpleName(); } }
enum Color { RED, GREEN; Color next() { return values()[(ordinal() + 1) % 2]; } }
Color.RED.next()
System.out.println(Color.valueOf("GREEN").next())
import java.math.BigInteger
System.out.println(BigInteger.TWO.pow(100))
x = 7
/vars
/methods
/types
/imports
/drop x
/list
/set mode told silent -command
/set feedback told
/set format told display '{name} is {value}'
long y = 1L << 40
/exit 5
