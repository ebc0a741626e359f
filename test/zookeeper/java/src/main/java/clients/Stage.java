package clients;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.retry.RetryNTimes;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.ZooDefs;
import org.apache.zookeeper.ZooKeeper;

/** What a scenario stands on: the servers, a path of its own, clients that are closed behind it, and whoever started this process. */
final class Stage implements AutoCloseable {
    static final int PATIENCE_MILLIS = 20_000;
    private static final BufferedReader REPLIES = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));

    /** Its own znode, which exists once a client has been asked for. */
    final String root;
    private final String[] hosts;
    private final List<AutoCloseable> opened = new ArrayList<>();
    private boolean rooted;

    Stage(String name, String[] hosts) {
        this.root = "/java-" + name;
        this.hosts = hosts;
    }

    /** A server by its place, from 0. */
    String host(int place) {
        return hosts[place % hosts.length];
    }

    String allHosts() {
        return String.join(",", hosts);
    }

    /** Connected. */
    ZooKeeper client(String connect, int timeoutMillis, Events events) throws Exception {
        ZooKeeper client = keep(new ZooKeeper(connect, timeoutMillis, events));
        events.state("SyncConnected");
        if (!rooted) {
            client.create(root, new byte[0], ZooDefs.Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
            rooted = true;
        }
        return client;
    }

    ZooKeeper client(int place) throws Exception {
        return client(host(place), 10_000, new Events());
    }

    /** Connected, at one server of its own. */
    CuratorFramework curator(int place) throws Exception {
        return curator(host(place), 10_000);
    }

    CuratorFramework curator(String connect, int timeoutMillis) throws Exception {
        CuratorFramework client = CuratorFrameworkFactory.builder()
                .connectString(connect)
                .sessionTimeoutMs(timeoutMillis)
                .connectionTimeoutMs(10_000)
                .retryPolicy(new RetryNTimes(100, 100))
                .build();
        keep(client).start();
        check(client.blockUntilConnected(PATIENCE_MILLIS, TimeUnit.MILLISECONDS), "connects");
        return client;
    }

    <T extends AutoCloseable> T keep(T closeable) {
        opened.add(closeable);
        return closeable;
    }

    /** Asks whoever started this process, who has the servers in hand: `kill 1`, `start 1`, `stop 1`, `continue 1`. */
    static void ask(String what) throws IOException {
        synchronized (REPLIES) {
            System.out.println("ask " + what);
            String reply = REPLIES.readLine();
            check("done".equals(reply), what + ": " + reply);
        }
    }

    @Override
    public void close() throws Exception {
        Exception last = null;
        for (int i = opened.size() - 1; i >= 0; i--) {
            try {
                opened.get(i).close();
            } catch (Exception error) {
                last = error;
            }
        }
        if (last != null) throw last;
    }

    static void check(boolean holds, String what) {
        if (!holds) throw new AssertionError("not so: " + what);
    }

    static void equal(Object found, Object expected, String what) {
        if (!Objects.equals(found, expected)) {
            throw new AssertionError(what + ": found " + found + " where " + expected + " was expected");
        }
    }

    interface Attempt {
        void run() throws Exception;
    }

    /** That it fails, and with which of ZooKeeper's codes. */
    static KeeperException fails(KeeperException.Code code, Attempt attempt) throws Exception {
        try {
            attempt.run();
        } catch (KeeperException error) {
            equal(error.code(), code, error.getMessage());
            return error;
        }
        throw new AssertionError("it did not fail with " + code);
    }

    static <T> T eventually(String what, Callable<T> call, Predicate<T> holds) throws Exception {
        long end = System.currentTimeMillis() + PATIENCE_MILLIS;
        while (true) {
            T found = call.call();
            if (holds.test(found)) return found;
            if (System.currentTimeMillis() > end) throw new AssertionError("not in time: " + what + "; found " + found);
            Thread.sleep(20);
        }
    }
}
