package kiln.benches;

/** Dense and sparse integer switches, string and enum switches. */
final class Switches implements Kernel {
    private static final int ROUNDS = 3500;
    private static final String[] WORDS = {"red", "green", "blue", "black"};

    private enum Mode { FAST, SLOW, OFF }

    @Override
    public String name() {
        return "switches";
    }

    @Override
    public long run(int scale) {
        int n = scale * ROUNDS;
        Mode[] modes = Mode.values();
        int sum = 0;
        for (int r = 0; r < n; r++) {
            for (int i = 0; i < 40; i++) {
                switch (i & 7) {
                    case 0: sum += 1; break;
                    case 1: sum ^= 3; break;
                    case 2: sum += i; break;
                    case 3: case 4: sum -= 2; break;
                    default: sum++;
                }
                switch (i * 1000) {
                    case 0: sum += 7; break;
                    case 3000: sum += 5; break;
                    case 17000: sum -= 9; break;
                    case 39000: sum = sum * 5 + r; break;
                    default: sum += 2;
                }
                switch (WORDS[i & 3]) {
                    case "red": sum += 1; break;
                    case "green": sum += 2; break;
                    case "blue": sum += 3; break;
                    default: sum += 4;
                }
                switch (modes[i % 3]) {
                    case FAST: sum += 1; break;
                    case SLOW: sum += 2; break;
                    default: sum ^= 1;
                }
            }
        }
        return sum;
    }
}
