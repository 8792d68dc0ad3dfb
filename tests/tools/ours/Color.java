package ours;

public enum Color {
    RED(0xff0000) {
        @Override
        boolean warm() {
            return true;
        }
    },
    GREEN(0x00ff00),
    BLUE(0x0000ff);

    private final int rgb;

    Color(int rgb) {
        this.rgb = rgb;
    }

    boolean warm() {
        return false;
    }

    String mix() {
        return switch (this) {
            case RED -> "r";
            case GREEN -> "g";
            case BLUE -> "b";
        } + Integer.toHexString(rgb);
    }
}
