package clients;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Scenarios with ZooKeeper's Java client and Curator, one after the other, against the servers whose addresses are given: a line
 * for each, `pass NAME MILLIS` or `fail NAME` with the reason behind it. With further arguments only the scenarios that they name.
 */
public final class Main {
    /** What is not done by then hangs. */
    private static final int SCENARIO_MILLIS = 60_000;

    interface Scenario {
        void play(Stage stage) throws Exception;
    }

    public static void main(String[] args) throws Exception {
        Map<String, Scenario> scenarios = new LinkedHashMap<>();
        PlainClient.addTo(scenarios);
        Watches.addTo(scenarios);
        Recipes.addTo(scenarios);
        Sessions.addTo(scenarios);
        for (Map.Entry<String, Scenario> each : scenarios.entrySet()) {
            if (args.length > 1 && !java.util.List.of(args).contains(each.getKey())) continue;
            play(each.getKey(), each.getValue(), new Stage(each.getKey(), args[0].split(",")));
        }
        System.out.println("done");
        // Threads of a client that hangs do not keep the process.
        System.exit(0);
    }

    private static void play(String name, Scenario scenario, Stage stage) throws InterruptedException {
        long began = System.nanoTime();
        Throwable[] thrown = new Throwable[1];
        Thread thread = new Thread(() -> {
            try (stage) {
                scenario.play(stage);
            } catch (Throwable error) {
                thrown[0] = error;
            }
        });
        thread.start();
        thread.join(SCENARIO_MILLIS);
        if (thread.isAlive()) {
            thrown[0] = new IllegalStateException("not done after " + SCENARIO_MILLIS + " ms");
            thrown[0].setStackTrace(thread.getStackTrace());
            thread.interrupt();
        }
        if (thrown[0] == null) {
            System.out.printf("pass %s %d%n", name, (System.nanoTime() - began) / 1_000_000);
        } else {
            StringWriter text = new StringWriter();
            thrown[0].printStackTrace(new PrintWriter(text));
            System.out.printf("fail %s %s%n", name, text.toString().strip().replace("\n", "\\n"));
        }
    }

    private Main() {}
}
