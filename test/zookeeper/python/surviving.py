"""A client that owns a znode, follows two others and writes without end, whatever happens to its servers; it prints what it sees.

Hosts, its timeout in seconds, and the folder that it works in; a line on its input ends it.
"""

import sys
import threading

from kazoo.client import KazooClient
from kazoo.exceptions import ConnectionLoss, SessionExpiredError

hosts, timeout, root = sys.argv[1:4]


def say(line):
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


zk = KazooClient(hosts=hosts, timeout=float(timeout))
zk.add_listener(lambda state: say("state " + state))
zk.start()
zk.create(root + "/held", b"", ephemeral=True)
zk.ensure_path(root + "/made")
say("session 0x%016x" % zk.client_id[0])


@zk.DataWatch(root + "/data")
def on_data(value, stat):
    say("data " + (value or b"").decode())


@zk.ChildrenWatch(root + "/list")
def on_children(names):
    say("children " + ",".join(sorted(names)))


stopped = threading.Event()


def write():
    number = 0
    while not stopped.wait(0.02):
        number += 1
        try:
            zk.create("%s/made/%d" % (root, number), b"")
            say("made %d" % number)
        except ConnectionLoss:
            say("lost %d" % number)
        except Exception as error:
            say("failed %d: %r" % (number, error))
            if isinstance(error, SessionExpiredError):
                return


writing = threading.Thread(target=write)
writing.start()
say("begun")
sys.stdin.readline()
stopped.set()
writing.join()
say("ended 0x%016x" % zk.client_id[0])
sys.stdin.readline()
zk.stop()
zk.close()
