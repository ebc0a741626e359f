package clients;

import static clients.Stage.check;
import static clients.Stage.equal;
import static clients.Stage.eventually;
import static clients.Stage.fails;
import static org.apache.zookeeper.ZooDefs.Ids.CREATOR_ALL_ACL;
import static org.apache.zookeeper.ZooDefs.Ids.OPEN_ACL_UNSAFE;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.zookeeper.AddWatchMode;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.KeeperException.Code;
import org.apache.zookeeper.Op;
import org.apache.zookeeper.OpResult;
import org.apache.zookeeper.ZooDefs;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.data.ACL;
import org.apache.zookeeper.data.Id;
import org.apache.zookeeper.data.Stat;

/** ZooKeeper's Java client by itself: every call that is no watch and no loss. */
final class PlainClient {
    static void addTo(Map<String, Main.Scenario> scenarios) {
        scenarios.put("create-modes", PlainClient::createModes);
        scenarios.put("ttl", PlainClient::ttl);
        scenarios.put("container", PlainClient::container);
        scenarios.put("stat", PlainClient::stat);
        scenarios.put("data", PlainClient::data);
        scenarios.put("multi", PlainClient::multi);
        scenarios.put("multi-failure", PlainClient::multiFailure);
        scenarios.put("multi-read", PlainClient::multiRead);
        scenarios.put("acl", PlainClient::acl);
        scenarios.put("who-am-i", PlainClient::whoAmI);
        scenarios.put("ephemerals", PlainClient::ephemerals);
        scenarios.put("children-number", PlainClient::childrenNumber);
        scenarios.put("config", PlainClient::config);
        scenarios.put("reserved", PlainClient::reserved);
        scenarios.put("pipelined", PlainClient::pipelined);
        scenarios.put("sync", PlainClient::sync);
        scenarios.put("long-listing", PlainClient::longListing);
    }

    static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static void createModes(Stage stage) throws Exception {
        ZooKeeper zk = stage.client(0);
        String at = stage.root;
        equal(zk.create(at + "/p", bytes("1"), OPEN_ACL_UNSAFE, CreateMode.PERSISTENT), at + "/p", "persistent");
        equal(zk.create(at + "/s-", null, OPEN_ACL_UNSAFE, CreateMode.PERSISTENT_SEQUENTIAL), at + "/s-0000000001", "sequential");
        equal(zk.create(at + "/e", null, OPEN_ACL_UNSAFE, CreateMode.EPHEMERAL), at + "/e", "ephemeral");
        equal(zk.create(at + "/es-", null, OPEN_ACL_UNSAFE, CreateMode.EPHEMERAL_SEQUENTIAL), at + "/es-0000000003", "both");
        Stat stat = new Stat();
        equal(zk.create(at + "/c", bytes("c"), OPEN_ACL_UNSAFE, CreateMode.CONTAINER, stat), at + "/c", "container");
        equal(stat.getEphemeralOwner(), 0L, "a container's owner is shown as none");
        equal(zk.create(at + "/ts-", null, OPEN_ACL_UNSAFE, CreateMode.PERSISTENT_SEQUENTIAL_WITH_TTL, stat, 60_000), at + "/ts-0000000005", "ttl");
        equal(zk.exists(at + "/e", false).getEphemeralOwner(), zk.getSessionId(), "owner");
        fails(Code.NODEEXISTS, () -> zk.create(at + "/p", null, OPEN_ACL_UNSAFE, CreateMode.PERSISTENT));
        fails(Code.NOCHILDRENFOREPHEMERALS, () -> zk.create(at + "/e/x", null, OPEN_ACL_UNSAFE, CreateMode.PERSISTENT));
        KeeperException lost = fails(Code.NONODE, () -> zk.create(at + "/no/x", null, OPEN_ACL_UNSAFE, CreateMode.PERSISTENT));
        equal(lost.getPath(), at + "/no/x", "the path of what failed");
        fails(Code.INVALIDACL, () -> zk.create(at + "/y", null, Collections.emptyList(), CreateMode.PERSISTENT));
        fails(Code.INVALIDACL, () -> zk.create(at + "/y", null, CREATOR_ALL_ACL, CreateMode.PERSISTENT));
        List<String> names = zk.getChildren(at, false);
        Collections.sort(names);
        equal(names, List.of("c", "e", "es-0000000003", "p", "s-0000000001", "ts-0000000005"), "children");
        zk.close();
        ZooKeeper other = stage.client(1);
        other.sync(at);
        eventually("ephemerals are gone", () -> other.getChildren(at, false).size(), size -> size == 4);
    }

    private static void ttl(Stage stage) throws Exception {
        ZooKeeper zk = stage.client(0);
        String path = stage.root + "/short";
        Stat stat = new Stat();
        zk.create(path, bytes("x"), OPEN_ACL_UNSAFE, CreateMode.PERSISTENT_WITH_TTL, stat, 300);
        check(stat.getCzxid() > 0 && stat.getDataLength() == 1, "create answers the stat: " + stat);
        eventually("it is over", () -> zk.exists(path, false), found -> found == null);
    }

    private static void container(Stage stage) throws Exception {
        ZooKeeper zk = stage.client(0);
        String path = stage.root + "/box";
        zk.create(path, null, OPEN_ACL_UNSAFE, CreateMode.CONTAINER);
        zk.create(path + "/x", null, OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
        zk.delete(path + "/x", -1);
        eventually("the empty container is deleted", () -> zk.exists(path, false), found -> found == null);
    }

    private static void stat(Stage stage) throws Exception {
        ZooKeeper zk = stage.client(0);
        String path = stage.root + "/n";
        Stat born = new Stat();
        zk.create(path, bytes("12345"), OPEN_ACL_UNSAFE, CreateMode.PERSISTENT, born);
        equal(born.getCzxid(), born.getMzxid(), "born");
        equal(born.getPzxid(), born.getCzxid(), "pzxid at birth");
        check(Math.abs(born.getCtime() - System.currentTimeMillis()) < 60_000, "ctime is a wall clock's: " + born.getCtime());
        Stat set = zk.setData(path, bytes("123"), 0);
        equal(List.of(set.getVersion(), set.getDataLength(), set.getCversion(), set.getAversion()), List.of(1, 3, 0, 0), "set");
        check(set.getMzxid() > born.getMzxid() && set.getMtime() >= born.getMtime(), "modified: " + set);
        zk.create(path + "/a", null, OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
        zk.create(path + "/b", null, OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
        zk.delete(path + "/a", 0);
        Stat parent = zk.exists(path, false);
        equal(List.of(parent.getCversion(), parent.getNumChildren(), parent.getVersion()), List.of(3, 1, 1), "children change the parent");
        check(parent.getPzxid() > set.getMzxid() && parent.getMzxid() == set.getMzxid(), "pzxid: " + parent);
        Stat ruled = zk.setACL(path, OPEN_ACL_UNSAFE, 0);
        equal(List.of(ruled.getAversion(), ruled.getVersion()), List.of(1, 1), "setACL");
        fails(Code.BADVERSION, () -> zk.setACL(path, OPEN_ACL_UNSAFE, 0));
    }

    private static void data(Stage stage) throws Exception {
        ZooKeeper zk = stage.client(0);
        String path = stage.root + "/d";
        zk.create(path, null, OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
        equal(zk.getData(path, false, null), null, "null data stays null");
        zk.setData(path, new byte[0], -1);
        equal(zk.getData(path, false, null).length, 0, "and no bytes are no bytes");
        byte[] large = new byte[1_000_000];
        for (int i = 0; i < large.length; i++) large[i] = (byte) (i * 31);
        zk.setData(path, large, 1);
        check(java.util.Arrays.equals(zk.getData(path, false, null), large), "a megabyte comes back");
        fails(Code.BADVERSION, () -> zk.setData(path, null, 1));
        fails(Code.NOTEMPTY, () -> zk.delete(stage.root, -1));
        fails(Code.BADVERSION, () -> zk.delete(path, 1));
        fails(Code.NONODE, () -> zk.getData(path + "/x", false, null));
        fails(Code.NONODE, () -> zk.getChildren(path + "/x", false));
        zk.delete(path, 2);
        equal(zk.exists(path, false), null, "deleted");
    }

    private static void multi(Stage stage) throws Exception {
        ZooKeeper zk = stage.client(0);
        String at = stage.root;
        zk.create(at + "/old", bytes("x"), OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
        List<OpResult> results = zk.multi(List.of(
                Op.create(at + "/a", bytes("a"), OPEN_ACL_UNSAFE, CreateMode.PERSISTENT),
                Op.create(at + "/a/s-", null, OPEN_ACL_UNSAFE, CreateMode.PERSISTENT_SEQUENTIAL),
                Op.create(at + "/a/s-", null, OPEN_ACL_UNSAFE, CreateMode.EPHEMERAL_SEQUENTIAL),
                Op.create(at + "/t", null, OPEN_ACL_UNSAFE, CreateMode.PERSISTENT_WITH_TTL, 60_000),
                Op.create(at + "/c", null, OPEN_ACL_UNSAFE, CreateMode.CONTAINER),
                Op.setData(at + "/a", bytes("b"), 0),
                Op.check(at + "/a", 1),
                Op.delete(at + "/old", 0)));
        equal(results.size(), 8, "a result for each");
        equal(((OpResult.CreateResult) results.get(0)).getPath(), at + "/a", "create");
        equal(((OpResult.CreateResult) results.get(1)).getPath(), at + "/a/s-0000000000", "sequence");
        equal(((OpResult.CreateResult) results.get(2)).getPath(), at + "/a/s-0000000001", "the next of it");
        check(results.get(3) instanceof OpResult.CreateResult, "ttl: " + results.get(3).getClass());
        equal(((OpResult.SetDataResult) results.get(5)).getStat().getVersion(), 1, "set");
        check(results.get(6) instanceof OpResult.CheckResult, "check: " + results.get(6).getClass());
        check(results.get(7) instanceof OpResult.DeleteResult, "delete: " + results.get(7).getClass());
        Stat a = zk.exists(at + "/a", false);
        equal(a.getPzxid(), a.getCzxid(), "all of it is one transaction");
        equal(zk.multi(List.of()).size(), 0, "an empty one");
    }

    private static void multiFailure(Stage stage) throws Exception {
        ZooKeeper zk = stage.client(0);
        String at = stage.root;
        KeeperException failed = fails(Code.BADVERSION, () -> zk.multi(List.of(
                Op.create(at + "/a", null, OPEN_ACL_UNSAFE, CreateMode.PERSISTENT),
                Op.check(at, 7),
                Op.delete(at + "/a", 0))));
        List<Integer> codes = new ArrayList<>();
        for (OpResult each : failed.getResults()) codes.add(((OpResult.ErrorResult) each).getErr());
        equal(codes, List.of(0, Code.BADVERSION.intValue(), Code.RUNTIMEINCONSISTENCY.intValue()), "what each is told");
        equal(zk.exists(at + "/a", false), null, "nothing was done");
        CountDownLatch told = new CountDownLatch(1);
        int[] code = new int[1];
        zk.multi(List.of(Op.delete(at + "/none", -1)), (rc, path, ctx, results) -> {
            code[0] = rc;
            told.countDown();
        }, null);
        check(told.await(10, TimeUnit.SECONDS), "answered");
        equal(code[0], Code.NONODE.intValue(), "also to a callback");
    }

    private static void multiRead(Stage stage) throws Exception {
        ZooKeeper zk = stage.client(0);
        String at = stage.root;
        zk.create(at + "/a", bytes("a"), OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
        List<OpResult> results = zk.multi(List.of(Op.getData(at + "/a"), Op.getData(at + "/none"), Op.getChildren(at)));
        equal(new String(((OpResult.GetDataResult) results.get(0)).getData(), StandardCharsets.UTF_8), "a", "data");
        equal(((OpResult.ErrorResult) results.get(1)).getErr(), Code.NONODE.intValue(), "an error of its own");
        equal(((OpResult.GetChildrenResult) results.get(2)).getChildren(), List.of("a"), "children");
    }

    private static void acl(Stage stage) throws Exception {
        ZooKeeper owner = stage.client(0);
        String path = stage.root + "/private";
        owner.addAuthInfo("digest", bytes("ann:secret"));
        owner.create(path, bytes("hers"), CREATOR_ALL_ACL, CreateMode.PERSISTENT);
        List<ACL> acl = owner.getACL(path, new Stat());
        equal(acl.size(), 1, "an entry");
        equal(acl.get(0).getId().getScheme(), "digest", "auth is the identities of the connection");
        check(acl.get(0).getId().getId().matches("ann:[A-Za-z0-9+/]{27}="), "with its digest: " + acl);
        ZooKeeper other = stage.client(1);
        other.sync(path);
        fails(Code.NOAUTH, () -> other.getData(path, false, null));
        fails(Code.NOAUTH, () -> other.setData(path, null, -1));
        fails(Code.NOAUTH, () -> other.create(path + "/x", null, OPEN_ACL_UNSAFE, CreateMode.PERSISTENT));
        fails(Code.NOAUTH, () -> other.setACL(path, OPEN_ACL_UNSAFE, -1));
        fails(Code.NOAUTH, () -> other.getACL(path, new Stat()));
        fails(Code.NOAUTH, () -> other.exists(path, false));
        other.addAuthInfo("digest", bytes("ann:secret"));
        equal(new String(other.getData(path, false, null), StandardCharsets.UTF_8), "hers", "with her password");
        List<ACL> open = java.util.Arrays.asList(
                new ACL(ZooDefs.Perms.ALL, new Id("auth", "")), new ACL(ZooDefs.Perms.READ, new Id("world", "anyone")),
                new ACL(ZooDefs.Perms.WRITE, new Id("ip", "127.0.0.1")));
        equal(other.setACL(path, open, 0).getAversion(), 1, "aversion");
        ZooKeeper third = stage.client(2);
        third.sync(path);
        third.getData(path, false, null);
        third.setData(path, bytes("by address"), -1);
        check(third.getACL(path, new Stat()).stream().anyMatch(each -> each.getId().getId().equals("ann:x")), "digests are not shown to readers");
        Events events = new Events();
        ZooKeeper refused = stage.client(stage.host(0), 10_000, events);
        refused.addAuthInfo("nosuchscheme", bytes("x"));
        events.state("AuthFailed");
        fails(Code.AUTHFAILED, () -> refused.exists("/", false));
    }

    private static void whoAmI(Stage stage) throws Exception {
        ZooKeeper zk = stage.client(0);
        equal(zk.whoAmI().toString().contains("127.0.0.1"), true, "by address: " + zk.whoAmI());
        zk.addAuthInfo("digest", bytes("bob:secret"));
        check(zk.whoAmI().stream().anyMatch(each -> each.getAuthScheme().equals("digest") && each.getUser().equals("bob")), "by name: " + zk.whoAmI());
    }

    private static void ephemerals(Stage stage) throws Exception {
        ZooKeeper zk = stage.client(0);
        ZooKeeper other = stage.client(1);
        String at = stage.root;
        zk.create(at + "/mine", null, OPEN_ACL_UNSAFE, CreateMode.EPHEMERAL);
        zk.create(at + "/mine-too", null, OPEN_ACL_UNSAFE, CreateMode.EPHEMERAL);
        other.create(at + "/other", null, OPEN_ACL_UNSAFE, CreateMode.EPHEMERAL);
        List<String> found = new ArrayList<>(zk.getEphemerals());
        Collections.sort(found);
        equal(found, List.of(at + "/mine", at + "/mine-too"), "all");
        equal(zk.getEphemerals(at + "/mine-"), List.of(at + "/mine-too"), "by prefix");
        equal(other.getEphemerals(at), List.of(at + "/other"), "of the other");
    }

    private static void childrenNumber(Stage stage) throws Exception {
        ZooKeeper zk = stage.client(0);
        for (String name : List.of("/a", "/a/b", "/a/b/c", "/d")) {
            zk.create(stage.root + name, null, OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
        }
        equal(zk.getAllChildrenNumber(stage.root), 4, "all below");
        equal(zk.getAllChildrenNumber(stage.root + "/a"), 2, "all below a");
        equal(zk.getAllChildrenNumber(stage.root + "/d"), 0, "a leaf");
    }

    private static void config(Stage stage) throws Exception {
        ZooKeeper zk = stage.client(0);
        String text = new String(zk.getConfig(false, new Stat()), StandardCharsets.UTF_8);
        String[] lines = text.split("\n");
        check(lines[lines.length - 1].matches("version=[0-9a-f]+"), "the version: " + text);
        long servers = java.util.Arrays.stream(lines).filter(line -> line.matches("server\\.\\d+=.+:\\d+:\\d+:participant.*")).count();
        equal(servers, 3L, "a line for each server: " + text);
    }

    private static void reserved(Stage stage) throws Exception {
        ZooKeeper zk = stage.client(0);
        check(zk.getChildren("/", false).contains("zookeeper"), "it is there");
        List<String> names = zk.getChildren("/zookeeper", false);
        Collections.sort(names);
        equal(names, List.of("config", "quota"), "as ZooKeeper has it");
        fails(Code.BADARGUMENTS, () -> zk.delete("/zookeeper/quota", -1));
    }

    private static void pipelined(Stage stage) throws Exception {
        ZooKeeper zk = stage.client(0);
        String path = stage.root + "/n";
        zk.create(path, null, OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
        int rounds = 2_000;
        List<Integer> seen = Collections.synchronizedList(new ArrayList<>());
        CountDownLatch all = new CountDownLatch(2 * rounds);
        for (int i = 0; i < rounds; i++) {
            zk.setData(path, bytes(Integer.toString(i)), i, (rc, p, ctx, stat) -> {
                seen.add(rc == 0 ? stat.getVersion() : rc);
                all.countDown();
            }, null);
            zk.getData(path, false, (rc, p, ctx, data, stat) -> {
                seen.add(rc == 0 ? stat.getVersion() : rc);
                all.countDown();
            }, null);
        }
        check(all.await(30, TimeUnit.SECONDS), "all answered");
        for (int i = 0; i < 2 * rounds; i++) equal(seen.get(i), i / 2 + 1, "answer " + i);
    }

    private static void sync(Stage stage) throws Exception {
        ZooKeeper writer = stage.client(0);
        ZooKeeper reader = stage.client(1);
        String path = stage.root + "/n";
        writer.create(path, null, OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
        for (int i = 1; i <= 100; i++) {
            writer.setData(path, bytes("x"), -1);
            CountDownLatch synced = new CountDownLatch(1);
            int[] code = {1};
            reader.sync(path, (rc, p, ctx) -> {
                code[0] = rc;
                synced.countDown();
            }, null);
            int version = reader.exists(path, false).getVersion();
            check(synced.await(10, TimeUnit.SECONDS) && code[0] == 0, "sync answers");
            equal(version, i, "behind a sync nothing older is read");
        }
    }

    /** 150 bytes a name: more than 1 MiB, and the client's own limit, would be 7,000 of them. */
    private static void longListing(Stage stage) throws Exception {
        ZooKeeper zk = stage.client(0);
        String name = "/" + "n".repeat(140);
        CountDownLatch all = new CountDownLatch(5_000);
        for (int i = 0; i < 5_000; i++) {
            zk.create(stage.root + name, null, OPEN_ACL_UNSAFE, CreateMode.PERSISTENT_SEQUENTIAL, (rc, p, ctx, made) -> {
                if (rc == 0) all.countDown();
            }, null);
        }
        check(all.await(30, TimeUnit.SECONDS), "all created; " + all.getCount() + " are not");
        equal(zk.getChildren(stage.root, false).size(), 5_000, "all listed");
        zk.addWatch(stage.root, AddWatchMode.PERSISTENT);
    }

    private PlainClient() {}
}
