package clients;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.apache.zookeeper.WatchedEvent;
import org.apache.zookeeper.Watcher;

/** A watcher that keeps what it was told: states apart from what happened to znodes. */
final class Events implements Watcher {
    private final LinkedBlockingQueue<String> states = new LinkedBlockingQueue<>();
    private final LinkedBlockingQueue<String> changes = new LinkedBlockingQueue<>();

    @Override
    public void process(WatchedEvent event) {
        if (event.getType() == Event.EventType.None) states.add(event.getState().name());
        else changes.add(event.getType().name() + " " + event.getPath());
    }

    /** Waits for it, past other states. */
    void state(String name) throws InterruptedException {
        List<String> seen = new ArrayList<>();
        while (true) {
            String next = states.poll(Stage.PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
            if (next == null) throw new AssertionError("state " + name + " did not come; " + seen + " did");
            if (next.equals(name)) return;
            seen.add(next);
        }
    }

    /** These come next, in this order. */
    void come(String... expected) throws InterruptedException {
        for (int i = 0; i < expected.length; i++) {
            String next = changes.poll(Stage.PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
            if (!expected[i].equals(next)) {
                throw new AssertionError("event " + i + " is " + next + " where " + expected[i] + " was expected; then " + changes);
            }
        }
    }

    /** Of all that came until now. */
    void none() {
        Stage.equal(List.copyOf(changes), List.of(), "further events");
    }

    boolean sawState(String name) {
        return states.contains(name);
    }
}
