package clients;

import static clients.PlainClient.bytes;
import static clients.Stage.PATIENCE_MILLIS;
import static clients.Stage.check;
import static clients.Stage.equal;
import static clients.Stage.eventually;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.recipes.atomic.DistributedAtomicLong;
import org.apache.curator.framework.recipes.barriers.DistributedBarrier;
import org.apache.curator.framework.recipes.barriers.DistributedDoubleBarrier;
import org.apache.curator.framework.recipes.cache.ChildData;
import org.apache.curator.framework.recipes.cache.CuratorCache;
import org.apache.curator.framework.recipes.leader.LeaderLatch;
import org.apache.curator.framework.recipes.locks.InterProcessMutex;
import org.apache.curator.framework.recipes.locks.InterProcessReadWriteLock;
import org.apache.curator.framework.recipes.locks.InterProcessSemaphoreV2;
import org.apache.curator.framework.recipes.nodes.GroupMember;
import org.apache.curator.framework.recipes.queue.DistributedQueue;
import org.apache.curator.framework.recipes.queue.QueueBuilder;
import org.apache.curator.framework.recipes.queue.QueueConsumer;
import org.apache.curator.framework.recipes.queue.QueueSerializer;
import org.apache.curator.framework.recipes.shared.SharedCount;
import org.apache.curator.framework.state.ConnectionState;
import org.apache.curator.retry.RetryNTimes;

/** Curator's recipes between clients that are connected to different servers. */
final class Recipes {
    static void addTo(Map<String, Main.Scenario> scenarios) {
        scenarios.put("mutex", Recipes::mutex);
        scenarios.put("read-write-lock", Recipes::readWriteLock);
        scenarios.put("semaphore", Recipes::semaphore);
        scenarios.put("leader-latch", Recipes::leaderLatch);
        scenarios.put("leader-lost", Recipes::leaderLost);
        scenarios.put("cache", Recipes::cache);
        scenarios.put("cache-through-loss", Recipes::cacheThroughLoss);
        scenarios.put("barrier", Recipes::barrier);
        scenarios.put("double-barrier", Recipes::doubleBarrier);
        scenarios.put("queue", Recipes::queue);
        scenarios.put("counters", Recipes::counters);
        scenarios.put("group-member", Recipes::groupMember);
        scenarios.put("transaction", Recipes::transaction);
    }

    /** All at the same time; the first failure is thrown. */
    private static void together(int count, ThrowingTask task) throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(count);
        try {
            List<Callable<Void>> calls = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                int number = i;
                calls.add(() -> {
                    task.run(number);
                    return null;
                });
            }
            for (Future<Void> each : threads.invokeAll(calls, 45, TimeUnit.SECONDS)) each.get();
        } catch (ExecutionException error) {
            throw error.getCause() instanceof Exception cause ? cause : error;
        } finally {
            threads.shutdownNow();
        }
    }

    interface ThrowingTask {
        void run(int number) throws Exception;
    }

    private static void mutex(Stage stage) throws Exception {
        CuratorFramework[] clients = {stage.curator(0), stage.curator(1)};
        AtomicInteger inside = new AtomicInteger();
        // Guarded by the mutex alone.
        int[] count = new int[1];
        together(4, number -> {
            InterProcessMutex mutex = new InterProcessMutex(clients[number % 2], stage.root + "/lock");
            for (int i = 0; i < 25; i++) {
                check(mutex.acquire(PATIENCE_MILLIS, TimeUnit.MILLISECONDS), "acquired");
                equal(inside.incrementAndGet(), 1, "holders");
                count[0]++;
                inside.decrementAndGet();
                mutex.release();
            }
        });
        equal(count[0], 100, "rounds");
    }

    private static void readWriteLock(Stage stage) throws Exception {
        InterProcessReadWriteLock one = new InterProcessReadWriteLock(stage.curator(0), stage.root + "/lock");
        InterProcessReadWriteLock two = new InterProcessReadWriteLock(stage.curator(1), stage.root + "/lock");
        one.readLock().acquire();
        check(two.readLock().acquire(10, TimeUnit.SECONDS), "readers share");
        two.readLock().release();
        check(!two.writeLock().acquire(300, TimeUnit.MILLISECONDS), "a writer waits");
        one.readLock().release();
        check(two.writeLock().acquire(10, TimeUnit.SECONDS), "until the last reader leaves");
        check(!one.readLock().acquire(300, TimeUnit.MILLISECONDS), "and keeps readers out");
        two.writeLock().release();
    }

    private static void semaphore(Stage stage) throws Exception {
        CuratorFramework[] clients = {stage.curator(0), stage.curator(1)};
        AtomicInteger inside = new AtomicInteger();
        AtomicInteger most = new AtomicInteger();
        together(6, number -> {
            InterProcessSemaphoreV2 semaphore = new InterProcessSemaphoreV2(clients[number % 2], stage.root + "/leases", 3);
            for (int i = 0; i < 5; i++) {
                var lease = semaphore.acquire(PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
                check(lease != null, "a lease");
                most.accumulateAndGet(inside.incrementAndGet(), Math::max);
                Thread.sleep(5);
                inside.decrementAndGet();
                semaphore.returnLease(lease);
            }
        });
        check(most.get() >= 2 && most.get() <= 3, "at most three, and more than one: " + most);
    }

    private static LeaderLatch latch(Stage stage, CuratorFramework client, String id) throws Exception {
        LeaderLatch latch = new LeaderLatch(client, stage.root + "/leader", id);
        latch.start();
        return latch;
    }

    private static void leaderLatch(Stage stage) throws Exception {
        LeaderLatch one = latch(stage, stage.curator(0), "one");
        check(one.await(PATIENCE_MILLIS, TimeUnit.MILLISECONDS), "the first leads");
        LeaderLatch two = latch(stage, stage.curator(1), "two");
        eventually("both take part", () -> two.getParticipants().size(), size -> size == 2);
        equal(two.getLeader().getId(), "one", "whom the second sees");
        check(!two.await(200, TimeUnit.MILLISECONDS), "it waits");
        one.close();
        check(two.await(PATIENCE_MILLIS, TimeUnit.MILLISECONDS), "the second leads");
        two.close();
    }

    /** The leader's session is lost, and not closed: the other leads when it has expired. */
    private static void leaderLost(Stage stage) throws Exception {
        CuratorFramework lost = stage.curator(stage.host(2), 4_000);
        LeaderLatch one = latch(stage, lost, "one");
        check(one.await(PATIENCE_MILLIS, TimeUnit.MILLISECONDS), "the first leads");
        LeaderLatch two = latch(stage, stage.curator(stage.host(0) + "," + stage.host(1), 10_000), "two");
        eventually("both take part", () -> two.getParticipants().size(), size -> size == 2);
        Stage.ask("stop 2");
        check(two.await(PATIENCE_MILLIS, TimeUnit.MILLISECONDS), "the second leads");
        check(!one.hasLeadership(), "the first knows that it does not");
        Stage.ask("continue 2");
        eventually("the first is back, behind it", () -> two.getParticipants().size(), size -> size == 2);
        check(two.hasLeadership() && !one.hasLeadership(), "and the second still leads");
        one.close();
        two.close();
    }

    private static Map<String, String> textOf(CuratorCache cache, String root) {
        Map<String, String> found = new TreeMap<>();
        cache.stream().forEach(each -> found.put(each.getPath().substring(root.length()), text(each)));
        return found;
    }

    private static String text(ChildData each) {
        return each.getData() == null ? null : new String(each.getData(), StandardCharsets.UTF_8);
    }

    private static void cache(Stage stage) throws Exception {
        CuratorFramework writer = stage.curator(1);
        String at = stage.root + "/tree";
        writer.create().creatingParentsIfNeeded().forPath(at + "/a/b", bytes("1"));
        CuratorCache cache = stage.keep(CuratorCache.build(stage.curator(0), at));
        ConcurrentLinkedQueue<String> told = new ConcurrentLinkedQueue<>();
        CountDownLatch begun = new CountDownLatch(1);
        cache.listenable().addListener((type, before, after) -> {
            told.add(type + " " + (after == null ? before : after).getPath().substring(at.length()));
        });
        cache.listenable().addListener(org.apache.curator.framework.recipes.cache.CuratorCacheListener.builder()
                .forInitialized(begun::countDown).build());
        cache.start();
        check(begun.await(PATIENCE_MILLIS, TimeUnit.MILLISECONDS), "it is filled");
        equal(textOf(cache, at).get("/a/b"), "1", "what was there before");
        told.clear();
        // One after the other: it reads what it is told of, and tells that in the order in which it was read.
        writer.create().forPath(at + "/a/c", bytes("2"));
        eventually("the creation is told", () -> List.copyOf(told), List.of("NODE_CREATED /a/c")::equals);
        writer.setData().forPath(at + "/a/b", bytes("3"));
        eventually("the change is told", () -> List.copyOf(told), List.of("NODE_CREATED /a/c", "NODE_CHANGED /a/b")::equals);
        writer.delete().forPath(at + "/a/c");
        eventually("the deletion is told", told::size, size -> size == 3);
        equal(List.copyOf(told).get(2), "NODE_DELETED /a/c", "the third");
        equal(textOf(cache, at).get("/a/b"), "3", "and kept");
    }

    /** The server of the cache's client is killed, and the tree changes meanwhile. */
    private static void cacheThroughLoss(Stage stage) throws Exception {
        CuratorFramework writer = stage.curator(stage.host(0) + "," + stage.host(2), 10_000);
        String at = stage.root + "/tree";
        for (int i = 0; i < 20; i++) writer.create().creatingParentsIfNeeded().forPath(at + "/n" + i, bytes("1"));
        CuratorFramework reader = stage.curator(stage.host(1), 30_000);
        CuratorCache cache = stage.keep(CuratorCache.build(reader, at));
        cache.start();
        eventually("it is filled", () -> textOf(cache, at).size(), size -> size == 21);
        CountDownLatch suspended = new CountDownLatch(1);
        reader.getConnectionStateListenable().addListener((client, state) -> {
            if (state == ConnectionState.SUSPENDED) suspended.countDown();
        });
        Stage.ask("kill 1");
        check(suspended.await(PATIENCE_MILLIS, TimeUnit.MILLISECONDS), "it has lost its server");
        for (int i = 0; i < 10; i++) writer.delete().forPath(at + "/n" + i);
        for (int i = 10; i < 20; i++) writer.setData().forPath(at + "/n" + i, bytes("2"));
        writer.create().forPath(at + "/new", bytes("3"));
        Stage.ask("start 1");
        Map<String, String> expected = new TreeMap<>(Map.of("", textOf(cache, at).get(""), "/new", "3"));
        for (int i = 10; i < 20; i++) expected.put("/n" + i, "2");
        eventually("it is as the tree is", () -> textOf(cache, at), expected::equals);
    }

    private static void barrier(Stage stage) throws Exception {
        DistributedBarrier gate = new DistributedBarrier(stage.curator(0), stage.root + "/gate");
        gate.setBarrier();
        CountDownLatch through = new CountDownLatch(2);
        CuratorFramework[] clients = {stage.curator(1), stage.curator(2)};
        List<Thread> waiting = new ArrayList<>();
        for (CuratorFramework client : clients) {
            client.sync().forPath(stage.root);
            Thread thread = new Thread(() -> {
                try {
                    if (new DistributedBarrier(client, stage.root + "/gate").waitOnBarrier(PATIENCE_MILLIS, TimeUnit.MILLISECONDS)) {
                        through.countDown();
                    }
                } catch (Exception error) {
                    error.printStackTrace();
                }
            });
            thread.start();
            waiting.add(thread);
        }
        check(!through.await(300, TimeUnit.MILLISECONDS) && through.getCount() == 2, "they wait");
        gate.removeBarrier();
        check(through.await(PATIENCE_MILLIS, TimeUnit.MILLISECONDS), "they go on");
        for (Thread each : waiting) each.join(PATIENCE_MILLIS);
    }

    private static void doubleBarrier(Stage stage) throws Exception {
        CuratorFramework[] clients = {stage.curator(0), stage.curator(1), stage.curator(2)};
        AtomicInteger arrived = new AtomicInteger();
        AtomicInteger left = new AtomicInteger();
        together(3, number -> {
            DistributedDoubleBarrier barrier = new DistributedDoubleBarrier(clients[number], stage.root + "/double", 3);
            Thread.sleep(100L * number);
            arrived.incrementAndGet();
            check(barrier.enter(PATIENCE_MILLIS, TimeUnit.MILLISECONDS), "enters");
            equal(arrived.get(), 3, "all are there");
            Thread.sleep(100L * number);
            left.incrementAndGet();
            check(barrier.leave(PATIENCE_MILLIS, TimeUnit.MILLISECONDS), "leaves");
            equal(left.get(), 3, "all are done");
        });
    }

    private static final QueueSerializer<String> TEXTS = new QueueSerializer<>() {
        @Override
        public byte[] serialize(String item) {
            return bytes(item);
        }

        @Override
        public String deserialize(byte[] data) {
            return new String(data, StandardCharsets.UTF_8);
        }
    };

    private static QueueConsumer<String> consumer(ConcurrentLinkedQueue<String> into) {
        return new QueueConsumer<>() {
            @Override
            public void consumeMessage(String message) {
                into.add(message);
            }

            @Override
            public void stateChanged(CuratorFramework client, ConnectionState state) {}
        };
    }

    /** Two consumers at two servers: each item once, and none lost. */
    private static void queue(Stage stage) throws Exception {
        ConcurrentLinkedQueue<String> consumed = new ConcurrentLinkedQueue<>();
        String at = stage.root + "/queue";
        try (DistributedQueue<String> out = QueueBuilder.builder(stage.curator(0), null, TEXTS, at).buildQueue();
                DistributedQueue<String> one = QueueBuilder.builder(stage.curator(1), consumer(consumed), TEXTS, at).lockPath(stage.root + "/locks").buildQueue();
                DistributedQueue<String> two = QueueBuilder.builder(stage.curator(2), consumer(consumed), TEXTS, at).lockPath(stage.root + "/locks").buildQueue()) {
            out.start();
            one.start();
            two.start();
            List<String> all = new ArrayList<>();
            for (int i = 0; i < 50; i++) {
                String item = String.format("item %02d", i);
                all.add(item);
                out.put(item);
            }
            eventually("all are consumed", consumed::size, size -> size >= 50);
            List<String> found = new ArrayList<>(consumed);
            Collections.sort(found);
            equal(found, all, "each once");
        }
    }

    private static void counters(Stage stage) throws Exception {
        CuratorFramework[] clients = {stage.curator(0), stage.curator(1), stage.curator(2)};
        together(3, number -> {
            DistributedAtomicLong counter = new DistributedAtomicLong(clients[number], stage.root + "/count", new RetryNTimes(200, 5));
            for (int i = 0; i < 20; i++) check(counter.increment().succeeded(), "counted");
        });
        clients[1].sync().forPath(stage.root);
        equal(new DistributedAtomicLong(clients[1], stage.root + "/count", new RetryNTimes(1, 5)).get().postValue(), 60L, "in all");
        SharedCount one = stage.keep(new SharedCount(clients[0], stage.root + "/shared", 7));
        SharedCount two = stage.keep(new SharedCount(clients[1], stage.root + "/shared", 7));
        one.start();
        two.start();
        one.setCount(8);
        eventually("the other is told", two::getCount, count -> count == 8);
    }

    private static void groupMember(Stage stage) throws Exception {
        GroupMember one = stage.keep(new GroupMember(stage.curator(0), stage.root + "/group", "one", bytes("1")));
        GroupMember two = new GroupMember(stage.curator(1), stage.root + "/group", "two", bytes("2"));
        one.start();
        two.start();
        eventually("both are seen", () -> one.getCurrentMembers().keySet(), names -> names.containsAll(List.of("one", "two")));
        two.close();
        eventually("one has left", () -> one.getCurrentMembers().size(), size -> size == 1);
    }

    private static void transaction(Stage stage) throws Exception {
        CuratorFramework client = stage.curator(0);
        client.create().creatingParentContainersIfNeeded().forPath(stage.root + "/a", bytes("1"));
        var results = client.transaction().forOperations(
                client.transactionOp().create().forPath(stage.root + "/b", bytes("2")),
                client.transactionOp().setData().withVersion(0).forPath(stage.root + "/a", bytes("3")),
                client.transactionOp().check().withVersion(1).forPath(stage.root + "/a"));
        equal(results.size(), 3, "results");
        equal(results.get(1).getResultStat().getVersion(), 1, "set");
    }

    private Recipes() {}
}
