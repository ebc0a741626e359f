package clients;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.framework.recipes.leader.LeaderLatch;
import org.apache.curator.framework.recipes.leader.LeaderLatchListener;
import org.apache.curator.framework.recipes.locks.InterProcessLock;
import org.apache.curator.framework.recipes.locks.InterProcessMutex;
import org.apache.curator.framework.recipes.locks.InterProcessReadWriteLock;
import org.apache.curator.retry.RetryNTimes;

/**
 * Curator's locks and latches, line by line: `mutex ID PATH`, `reader ID PATH`, `writer ID PATH` take a lock and say `held ID`;
 * `release ID` says `released ID`. `latch ID PATH` takes part in an election and says `leads ID` when it leads; `leader ID` says
 * `leader ID NAME`, whom it sees leading; `close ID` says `closed ID`. Given are the servers and the session's timeout.
 */
public final class LockTalk {
    private static final Map<String, CountDownLatch> HELD = new ConcurrentHashMap<>();
    private static final Map<String, LeaderLatch> LATCHES = new ConcurrentHashMap<>();

    public static void main(String[] args) throws Exception {
        CuratorFramework client = CuratorFrameworkFactory.builder()
                .connectString(args[0])
                .sessionTimeoutMs(Integer.parseInt(args[1]))
                .connectionTimeoutMs(10_000)
                .retryPolicy(new RetryNTimes(100, 100))
                .build();
        client.start();
        client.blockUntilConnected();
        say("connected");
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            String[] words = line.split(" ");
            switch (words[0]) {
                case "mutex" -> take(words[1], new InterProcessMutex(client, words[2]));
                case "reader" -> take(words[1], new InterProcessReadWriteLock(client, words[2]).readLock());
                case "writer" -> take(words[1], new InterProcessReadWriteLock(client, words[2]).writeLock());
                case "release" -> HELD.get(words[1]).countDown();
                case "latch" -> latch(client, words[1], words[2]);
                case "leader" -> say("leader " + words[1] + " " + LATCHES.get(words[1]).getLeader().getId());
                case "close" -> {
                    LATCHES.remove(words[1]).close();
                    say("closed " + words[1]);
                }
                default -> say("nobody understands " + line);
            }
        }
        System.exit(0);
    }

    /** A lock of Curator's belongs to a thread. */
    private static void take(String id, InterProcessLock lock) {
        CountDownLatch released = new CountDownLatch(1);
        HELD.put(id, released);
        new Thread(() -> {
            try {
                lock.acquire();
                say("held " + id);
                released.await();
                lock.release();
                say("released " + id);
            } catch (Exception error) {
                say("failed " + id + " " + error);
            }
        }).start();
    }

    private static void latch(CuratorFramework client, String id, String path) throws Exception {
        LeaderLatch latch = new LeaderLatch(client, path, id);
        latch.addListener(new LeaderLatchListener() {
            @Override
            public void isLeader() {
                say("leads " + id);
            }

            @Override
            public void notLeader() {
                say("follows " + id);
            }
        });
        LATCHES.put(id, latch);
        latch.start();
    }

    private static synchronized void say(String line) {
        System.out.println(line);
    }

    private LockTalk() {}
}
