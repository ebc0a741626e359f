"""What everybody's first program with ZooKeeper does: a client on port 2181, a watcher, and the znode /test that it waits for."""

import sys
import threading

from kazoo.client import KazooClient

hosts = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:2181"
zk = KazooClient(hosts=hosts)
zk.start()
print("connected", zk.state, flush=True)

events = []
told = threading.Event()


def watcher(event):
    events.append(event)
    told.set()


print("exists", zk.exists("/test", watch=watcher), flush=True)
print("created", zk.create("/test", b"hello"), flush=True)
told.wait(10)
print("event", *events[0][:3], flush=True)

data, stat = zk.get("/test")
print("data", data.decode(), stat.version, stat.data_length, flush=True)

changes = []
changed = threading.Event()


@zk.DataWatch("/test")
def on_change(value, state):
    changes.append(value)
    if value == b"hello again":
        changed.set()


print("set", zk.set("/test", b"hello again").version, flush=True)
changed.wait(10)
print("changes", [each.decode() for each in changes], flush=True)
print("children", sorted(name for name in zk.get_children("/") if name != "zookeeper"), flush=True)
zk.delete("/test")
print("gone", zk.exists("/test") is None, flush=True)
zk.stop()
zk.close()
