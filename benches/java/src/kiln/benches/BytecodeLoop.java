package kiln.benches;

/** An interpreter's loop: a switch over small codes with an operand stack. */
final class BytecodeLoop implements Kernel {
    private static final int ROUNDS = 2200;
    /** while (l0 != 0) { l1 = (l1 * 3 + l0) ^ 5; l0 = l0 - 1; } */
    private static final byte[] PROGRAM = {1, 1, 0, 3, 5, 1, 0, 3, 0, 5, 6, 2, 1, 1, 0, 0, 1, 4, 7, 2, 0, 8, 0, 9};

    @Override
    public String name() {
        return "switch-interpreter";
    }

    @Override
    public long run(int scale) {
        int n = scale * ROUNDS;
        long sum = 0;
        int[] stack = new int[16];
        int[] locals = new int[4];
        for (int r = 0; r < n; r++) {
            locals[0] = 60;
            locals[1] = r & 7;
            int pc = 0, sp = 0;
            loop:
            while (true) {
                switch (PROGRAM[pc++]) {
                    case 0: stack[sp++] = PROGRAM[pc++]; break;
                    case 1: stack[sp++] = locals[PROGRAM[pc++]]; break;
                    case 2: locals[PROGRAM[pc++]] = stack[--sp]; break;
                    case 3: sp--; stack[sp - 1] += stack[sp]; break;
                    case 4: sp--; stack[sp - 1] -= stack[sp]; break;
                    case 5: sp--; stack[sp - 1] *= stack[sp]; break;
                    case 6: sp--; stack[sp - 1] ^= stack[sp]; break;
                    case 7: stack[sp] = stack[sp - 1]; sp++; break;
                    case 8: if (stack[--sp] != 0) { pc = PROGRAM[pc]; } else { pc++; } break;
                    case 9: break loop;
                    default: throw new IllegalStateException("code " + PROGRAM[pc - 1]);
                }
            }
            sum += locals[1];
        }
        return sum;
    }
}
