package kiln.benches;

/** String methods: charAt, indexOf, substring, equals, compareTo, hashCode, split. */
final class Strings implements Kernel {
    private static final int ROUNDS = 380;

    @Override
    public String name() {
        return "strings";
    }

    @Override
    public long run(int scale) {
        int n = scale * ROUNDS;
        String text = "It was the sort of sentence, long and winding, that asks to be cut into words; so we cut it.";
        long sum = 0;
        for (int r = 0; r < n; r++) {
            int vowels = 0;
            for (int i = 0; i < text.length(); i++) {
                char c = text.charAt(i);
                if (c == 'a' || c == 'e' || c == 'i' || c == 'o' || c == 'u') {
                    vowels++;
                }
            }
            int from = 0;
            int space;
            String last = "";
            while ((space = text.indexOf(' ', from)) >= 0) {
                String word = text.substring(from, space);
                sum += word.hashCode() + (word.compareTo(last) > 0 ? 1 : 0) + (word.equals("cut") ? 100 : 0);
                last = word;
                from = space + 1;
            }
            sum += vowels + text.toUpperCase().length() + text.lastIndexOf("cut") + text.replace('e', 'E').hashCode();
        }
        return sum;
    }
}
