package kiln.benches;

/** Hand-made linked lists: build, reverse, merge sort, walk. */
final class LinkedLists implements Kernel {
    private static final int ROUNDS = 800;
    private static final class Node {
        final int value;
        Node next;

        Node(int value, Node next) {
            this.value = value;
            this.next = next;
        }
    }

    private static Node sort(Node head, int length) {
        if (length <= 1) {
            head.next = null;
            return head;
        }
        Node middle = head;
        for (int i = 0; i < length / 2; i++) {
            middle = middle.next;
        }
        Node b = sort(middle, length - length / 2);
        Node a = sort(head, length / 2);
        Node first = new Node(0, null);
        Node last = first;
        while (a != null && b != null) {
            if (a.value <= b.value) {
                last.next = a;
                a = a.next;
            } else {
                last.next = b;
                b = b.next;
            }
            last = last.next;
        }
        last.next = a != null ? a : b;
        return first.next;
    }

    @Override
    public String name() {
        return "linked-list";
    }

    @Override
    public long run(int scale) {
        int n = scale * ROUNDS;
        long sum = 0;
        for (int r = 0; r < n; r++) {
            Node head = null;
            for (int i = 0; i < 64; i++) {
                head = new Node(i * 29 % 64, head);
            }
            head = sort(head, 64);
            Node reversed = null;
            while (head != null) {
                Node next = head.next;
                head.next = reversed;
                reversed = head;
                head = next;
            }
            for (Node p = reversed; p != null; p = p.next) {
                sum = sum * 3 + p.value;
            }
        }
        return sum;
    }
}
