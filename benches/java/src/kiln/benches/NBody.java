package kiln.benches;

/** Planets attracting each other: fields, square roots. */
final class NBody implements Kernel {
    private static final int ROUNDS = 3800;
    private static final class Body {
        double x, y, z, vx, vy, vz;
        final double mass;

        Body(double x, double y, double z, double mass) {
            this.x = x;
            this.y = y;
            this.z = z;
            this.mass = mass;
        }
    }

    @Override
    public String name() {
        return "nbody";
    }

    @Override
    public long run(int scale) {
        int n = scale * ROUNDS;
        Body[] bodies = new Body[5];
        for (int i = 0; i < bodies.length; i++) {
            bodies[i] = new Body(i * 1.7 + 0.1, i * i * 0.9 - 2, 3.3 - i * 0.4, 1.0 / (i + 1));
        }
        for (int r = 0; r < n; r++) {
            for (int step = 0; step < 5; step++) {
                for (int i = 0; i < bodies.length; i++) {
                    Body p = bodies[i];
                    for (int j = i + 1; j < bodies.length; j++) {
                        Body q = bodies[j];
                        double dx = p.x - q.x, dy = p.y - q.y, dz = p.z - q.z;
                        double square = dx * dx + dy * dy + dz * dz + 0.01;
                        double pull = 0.001 / (square * Math.sqrt(square));
                        p.vx -= dx * q.mass * pull;
                        p.vy -= dy * q.mass * pull;
                        p.vz -= dz * q.mass * pull;
                        q.vx += dx * p.mass * pull;
                        q.vy += dy * p.mass * pull;
                        q.vz += dz * p.mass * pull;
                    }
                }
                for (Body p : bodies) {
                    p.x += 0.001 * p.vx;
                    p.y += 0.001 * p.vy;
                    p.z += 0.001 * p.vz;
                }
            }
        }
        long sum = 0;
        for (Body p : bodies) {
            sum = sum * 31 + Double.doubleToLongBits(p.x + p.y + p.z);
        }
        return sum;
    }
}
