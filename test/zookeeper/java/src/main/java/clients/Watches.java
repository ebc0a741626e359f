package clients;

import static clients.PlainClient.bytes;
import static clients.Stage.check;
import static clients.Stage.equal;
import static clients.Stage.fails;
import static org.apache.zookeeper.ZooDefs.Ids.OPEN_ACL_UNSAFE;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.zookeeper.AddWatchMode;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException.Code;
import org.apache.zookeeper.Watcher.WatcherType;
import org.apache.zookeeper.ZooKeeper;

/** What a watcher is told, and in which order, while the connection stands. */
final class Watches {
    static void addTo(Map<String, Main.Scenario> scenarios) {
        scenarios.put("watch-once", Watches::once);
        scenarios.put("watch-children", Watches::children);
        scenarios.put("watch-persistent", Watches::persistent);
        scenarios.put("watch-recursive", Watches::recursive);
        scenarios.put("watch-removed", Watches::removed);
        scenarios.put("event-before-data", Watches::eventBeforeData);
        scenarios.put("watch-denied", Watches::denied);
    }

    private static void create(ZooKeeper zk, String path) throws Exception {
        zk.create(path, null, OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
    }

    /** Behind it everything that was told of what `zk` has done has been told. */
    private static void settle(ZooKeeper watching) throws Exception {
        CountDownLatch synced = new CountDownLatch(1);
        watching.sync("/", (rc, path, ctx) -> synced.countDown(), null);
        check(synced.await(10, TimeUnit.SECONDS), "sync answers");
    }

    private static void once(Stage stage) throws Exception {
        ZooKeeper zk = stage.client(0);
        ZooKeeper other = stage.client(1);
        String path = stage.root + "/n";
        Events events = new Events();
        equal(zk.exists(path, events), null, "not yet there");
        create(other, path);
        events.come("NodeCreated " + path);
        other.setData(path, bytes("1"), -1);
        settle(zk);
        events.none();
        zk.getData(path, events, null);
        other.setData(path, bytes("2"), -1);
        other.setData(path, bytes("3"), -1);
        events.come("NodeDataChanged " + path);
        // The second change may not be here yet.
        settle(zk);
        zk.getData(path, events, null);
        other.delete(path, -1);
        events.come("NodeDeleted " + path);
        fails(Code.NONODE, () -> zk.getData(path, events, null));
        create(other, path);
        settle(zk);
        events.none();
    }

    private static void children(Stage stage) throws Exception {
        ZooKeeper zk = stage.client(0);
        ZooKeeper other = stage.client(1);
        String path = stage.root + "/n";
        create(zk, path);
        Events events = new Events();
        zk.getChildren(path, events);
        other.setData(path, bytes("no change of children"), -1);
        create(other, path + "/a");
        events.come("NodeChildrenChanged " + path);
        zk.getChildren(path, events);
        other.delete(path + "/a", -1);
        events.come("NodeChildrenChanged " + path);
        // Of the node itself, its parent and its data at once: deleted, once, before the parent's.
        zk.getChildren(path, events);
        zk.getData(path, events, null);
        zk.getChildren(stage.root, events);
        other.delete(path, -1);
        events.come("NodeDeleted " + path, "NodeChildrenChanged " + stage.root);
        settle(zk);
        events.none();
    }

    private static void persistent(Stage stage) throws Exception {
        ZooKeeper zk = stage.client(0);
        ZooKeeper other = stage.client(1);
        String path = stage.root + "/n";
        Events events = new Events();
        zk.addWatch(path, events, AddWatchMode.PERSISTENT);
        create(other, path);
        other.setData(path, bytes("1"), -1);
        create(other, path + "/a");
        other.setData(path + "/a", bytes("not its own"), -1);
        other.delete(path + "/a", -1);
        other.delete(path, -1);
        create(other, path);
        events.come(
                "NodeCreated " + path, "NodeDataChanged " + path, "NodeChildrenChanged " + path,
                "NodeChildrenChanged " + path, "NodeDeleted " + path, "NodeCreated " + path);
        settle(zk);
        events.none();
    }

    private static void recursive(Stage stage) throws Exception {
        ZooKeeper zk = stage.client(0);
        ZooKeeper other = stage.client(1);
        String path = stage.root + "/n";
        create(zk, path);
        Events events = new Events();
        zk.addWatch(path, events, AddWatchMode.PERSISTENT_RECURSIVE);
        create(other, path + "/a");
        create(other, path + "/a/b");
        create(other, stage.root + "/elsewhere");
        other.setData(path + "/a/b", bytes("1"), -1);
        other.delete(path + "/a/b", -1);
        other.setData(path, bytes("2"), -1);
        events.come(
                "NodeCreated " + path + "/a", "NodeCreated " + path + "/a/b", "NodeDataChanged " + path + "/a/b",
                "NodeDeleted " + path + "/a/b", "NodeDataChanged " + path);
        settle(zk);
        events.none();
    }

    private static void removed(Stage stage) throws Exception {
        ZooKeeper zk = stage.client(0);
        String path = stage.root + "/n";
        create(zk, path);
        Events data = new Events();
        Events children = new Events();
        Events kept = new Events();
        zk.getData(path, data, null);
        zk.getChildren(path, children);
        zk.addWatch(path, kept, AddWatchMode.PERSISTENT_RECURSIVE);
        zk.removeWatches(path, data, WatcherType.Data, false);
        data.come("DataWatchRemoved " + path);
        zk.removeAllWatches(path, WatcherType.Children, false);
        children.come("ChildWatchRemoved " + path);
        fails(Code.NOWATCHER, () -> zk.removeWatches(path, data, WatcherType.Any, false));
        fails(Code.NOWATCHER, () -> zk.removeAllWatches(path + "/none", WatcherType.Any, false));
        zk.setData(path, bytes("1"), -1);
        create(zk, path + "/a");
        kept.come("NodeDataChanged " + path, "NodeCreated " + path + "/a");
        zk.removeWatches(path, kept, WatcherType.PersistentRecursive, false);
        kept.come("PersistentWatchRemoved " + path);
        zk.setData(path, bytes("2"), -1);
        settle(zk);
        for (Events each : List.of(data, children, kept)) each.none();
    }

    /** A thousand times: whoever reads the new data has been told of it before. */
    private static void eventBeforeData(Stage stage) throws Exception {
        ZooKeeper zk = stage.client(0);
        ZooKeeper other = stage.client(1);
        String path = stage.root + "/n";
        create(zk, path);
        List<String> told = Collections.synchronizedList(new ArrayList<>());
        zk.addWatch(path, event -> told.add("event"), AddWatchMode.PERSISTENT);
        for (int i = 1; i <= 300; i++) {
            CountDownLatch set = new CountDownLatch(1);
            other.setData(path, bytes(Integer.toString(i)), -1, (rc, p, ctx, stat) -> set.countDown(), null);
            int version = i;
            CountDownLatch read = new CountDownLatch(1);
            read(zk, path, version, told, read);
            check(set.await(10, TimeUnit.SECONDS) && read.await(10, TimeUnit.SECONDS), "round " + i);
            equal(List.copyOf(told), List.of("event", "data"), "order of round " + i);
            told.clear();
        }
    }

    /** Again and again, until it is there. Callbacks and events come in one order. */
    private static void read(ZooKeeper zk, String path, int version, List<String> told, CountDownLatch done) {
        zk.getData(path, false, (rc, p, ctx, data, stat) -> {
            if (rc != 0) return;
            if (stat.getVersion() < version) {
                read(zk, path, version, told, done);
            } else {
                told.add("data");
                done.countDown();
            }
        }, null);
    }

    private static void denied(Stage stage) throws Exception {
        ZooKeeper zk = stage.client(0);
        ZooKeeper owner = stage.client(1);
        String path = stage.root + "/n";
        owner.addAuthInfo("digest", bytes("ann:secret"));
        Events events = new Events();
        zk.addWatch(stage.root, events, AddWatchMode.PERSISTENT_RECURSIVE);
        owner.create(path, bytes("hers"), org.apache.zookeeper.ZooDefs.Ids.CREATOR_ALL_ACL, CreateMode.PERSISTENT);
        owner.setData(path, bytes("hers still"), -1);
        create(owner, stage.root + "/open");
        events.come("NodeCreated " + stage.root + "/open");
        events.none();
    }

    private Watches() {}
}
