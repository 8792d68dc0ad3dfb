package ours;

public sealed interface Expression permits Expression.Constant, Expression.Sum, Expression.Product, Expression.Negation {
    long value();

    default boolean simple() {
        return this instanceof Constant;
    }

    record Constant(long value) implements Expression {
        @Override
        public String toString() {
            return Long.toString(value);
        }
    }

    record Sum(Expression left, Expression right) implements Expression {
        public long value() {
            return Math.addExact(left.value(), right.value());
        }
    }

    record Product(Expression left, Expression right) implements Expression {
        public long value() {
            return Math.multiplyExact(left.value(), right.value());
        }
    }

    non-sealed class Negation implements Expression {
        private final Expression of;

        public Negation(Expression of) {
            this.of = of;
        }

        public long value() {
            return -of.value();
        }

        @Override
        public String toString() {
            return of.simple() ? "-" + of : "-(" + of + ")";
        }

        @Override
        public int hashCode() {
            return of.hashCode();
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof Negation n && n.of.equals(of);
        }
    }
}
