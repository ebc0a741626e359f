package clients;

import static clients.PlainClient.bytes;
import static clients.Stage.check;
import static clients.Stage.equal;
import static clients.Stage.eventually;
import static clients.Stage.fails;
import static org.apache.zookeeper.ZooDefs.Ids.OPEN_ACL_UNSAFE;

import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.zookeeper.AddWatchMode;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException.Code;
import org.apache.zookeeper.ZooKeeper;

/** What happens to a session, its ephemerals and its watches when connections and servers are lost. */
final class Sessions {
    static void addTo(Map<String, Main.Scenario> scenarios) {
        scenarios.put("session-closed-elsewhere", Sessions::closedElsewhere);
        scenarios.put("session-taken-over", Sessions::takenOver);
        scenarios.put("session-wrong-password", Sessions::wrongPassword);
        scenarios.put("session-moves", Sessions::moves);
        scenarios.put("set-watches", Sessions::setWatches);
        scenarios.put("session-expires", Sessions::expires);
    }

    private static String ephemeral(ZooKeeper zk, Stage stage) throws Exception {
        return zk.create(stage.root + "/mine", null, OPEN_ACL_UNSAFE, CreateMode.EPHEMERAL);
    }

    private static void closedElsewhere(Stage stage) throws Exception {
        Events events = new Events();
        ZooKeeper zk = stage.client(stage.host(0), 10_000, events);
        String path = ephemeral(zk, stage);
        ZooKeeper same = new ZooKeeper(stage.host(1), 10_000, event -> {}, zk.getSessionId(), zk.getSessionPasswd());
        equal(same.exists(path, false).getEphemeralOwner(), zk.getSessionId(), "the same session");
        same.close();
        events.state("Expired");
        fails(Code.SESSIONEXPIRED, () -> zk.exists("/", false));
        ZooKeeper other = stage.client(2);
        other.sync("/");
        equal(other.exists(path, false), null, "its ephemeral is gone");
    }

    private static void takenOver(Stage stage) throws Exception {
        Events first = new Events();
        ZooKeeper zk = stage.client(stage.host(0), 10_000, first);
        String path = ephemeral(zk, stage);
        Events second = new Events();
        ZooKeeper same = stage.keep(new ZooKeeper(stage.host(1), 10_000, second, zk.getSessionId(), zk.getSessionPasswd()));
        second.state("SyncConnected");
        equal(same.exists(path, false).getEphemeralOwner(), zk.getSessionId(), "the same session");
        same.setData(path, bytes("1"), 0);
    }

    private static void wrongPassword(Stage stage) throws Exception {
        ZooKeeper zk = stage.client(0);
        byte[] wrong = zk.getSessionPasswd().clone();
        wrong[0] ^= 1;
        Events events = new Events();
        stage.keep(new ZooKeeper(stage.host(1), 10_000, events, zk.getSessionId(), wrong));
        events.state("Expired");
        check(zk.exists("/", false) != null, "the session itself lives");
    }

    /** The place of the server that a client is connected to. */
    private static int serverOf(ZooKeeper zk, Stage stage) {
        Matcher port = Pattern.compile("remoteserver:\\S*?:(\\d+)").matcher(zk.toString());
        check(port.find(), "connected: " + zk);
        for (int i = 0; i < 3; i++) if (stage.host(i).endsWith(":" + port.group(1))) return i;
        throw new AssertionError("no server of ours: " + zk);
    }

    /** The server that it is attached to is killed: another one takes it, with its ephemerals, its watches and its rights. */
    private static void moves(Stage stage) throws Exception {
        Events events = new Events();
        ZooKeeper zk = stage.client(stage.allHosts(), 10_000, events);
        zk.addAuthInfo("digest", bytes("ann:secret"));
        String path = ephemeral(zk, stage);
        String secret = zk.create(stage.root + "/secret", null, org.apache.zookeeper.ZooDefs.Ids.CREATOR_ALL_ACL, CreateMode.PERSISTENT);
        Events watched = new Events();
        zk.getData(path, watched, null);
        long session = zk.getSessionId();
        int server = serverOf(zk, stage);
        Stage.ask("kill " + server);
        events.state("Disconnected");
        events.state("SyncConnected");
        equal(zk.getSessionId(), session, "the same session");
        equal(zk.exists(path, false).getEphemeralOwner(), session, "its ephemeral is there");
        zk.getData(secret, false, null);
        ZooKeeper other = stage.client(stage.host(server + 1), 10_000, new Events());
        eventually("a write", () -> other.setData(path, bytes("1"), 0), stat -> stat.getVersion() == 1);
        watched.come("NodeDataChanged " + path);
        Stage.ask("start " + server);
        check(!events.sawState("Expired"), "no expiry");
    }

    /** All kinds of watches, and changes of each kind while the connection is down. */
    private static void setWatches(Stage stage) throws Exception {
        Events states = new Events();
        ZooKeeper zk = stage.client(stage.host(1), 30_000, states);
        String at = stage.root;
        for (String name : new String[] {"/set", "/gone", "/kids", "/kids-gone", "/same", "/kept", "/tree"}) {
            zk.create(at + name, null, OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
        }
        Events[] told = new Events[9];
        for (int i = 0; i < told.length; i++) told[i] = new Events();
        zk.getData(at + "/set", told[0], null);
        zk.getData(at + "/gone", told[1], null);
        zk.exists(at + "/new", told[2]);
        zk.getChildren(at + "/kids", told[3]);
        zk.getChildren(at + "/kids-gone", told[4]);
        zk.getData(at + "/same", told[5], null);
        zk.exists(at + "/never", told[6]);
        zk.addWatch(at + "/kept", told[7], AddWatchMode.PERSISTENT);
        zk.addWatch(at + "/tree", told[8], AddWatchMode.PERSISTENT_RECURSIVE);
        Stage.ask("kill 1");
        states.state("Disconnected");
        ZooKeeper other = stage.client(stage.host(0) + "," + stage.host(2), 10_000, new Events());
        eventually("a write", () -> other.setData(at + "/set", bytes("1"), -1), stat -> true);
        other.delete(at + "/gone", -1);
        other.create(at + "/new", null, OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
        other.create(at + "/kids/a", null, OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
        other.delete(at + "/kids-gone", -1);
        Stage.ask("start 1");
        states.state("SyncConnected");
        told[0].come("NodeDataChanged " + at + "/set");
        told[1].come("NodeDeleted " + at + "/gone");
        told[2].come("NodeCreated " + at + "/new");
        told[3].come("NodeChildrenChanged " + at + "/kids");
        told[4].come("NodeDeleted " + at + "/kids-gone");
        // The others still watch.
        for (int i = 5; i < told.length; i++) told[i].none();
        other.setData(at + "/same", bytes("1"), -1);
        other.create(at + "/never", null, OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
        other.setData(at + "/kept", bytes("1"), -1);
        other.create(at + "/tree/a", null, OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
        told[5].come("NodeDataChanged " + at + "/same");
        told[6].come("NodeCreated " + at + "/never");
        told[7].come("NodeDataChanged " + at + "/kept");
        told[8].come("NodeCreated " + at + "/tree/a");
    }

    /** Its only server stands still for longer than its timeout: the others end the session, and it learns of it. */
    private static void expires(Stage stage) throws Exception {
        Events events = new Events();
        ZooKeeper zk = stage.client(stage.host(2), 4_000, events);
        String path = ephemeral(zk, stage);
        ZooKeeper other = stage.client(stage.host(0) + "," + stage.host(1), 20_000, new Events());
        Stage.ask("stop 2");
        events.state("Disconnected");
        eventually("its ephemeral is gone", () -> {
            try {
                return other.exists(path, false) == null;
            } catch (org.apache.zookeeper.KeeperException.ConnectionLossException error) {
                return false;
            }
        }, gone -> gone);
        Stage.ask("continue 2");
        events.state("Expired");
        fails(Code.SESSIONEXPIRED, () -> zk.exists("/", false));
    }

    private Sessions() {}
}
