"""kazoo's locks and elections, line by line.

`mutex ID PATH`, `reader ID PATH`, `writer ID PATH` take a lock and say `held ID`; `release ID` says `released ID`. `latch ID PATH` takes part
in an election and says `leads ID` when it leads; `leader ID` says `leader ID NAME`, the first of those who contend; `close ID` says
`closed ID`. Given are the servers and the session's timeout in milliseconds.
"""

import sys
import threading

from kazoo.client import KazooClient

hosts, timeout = sys.argv[1:3]
ended = {}
elections = {}


def say(line):
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def take(name, lock):
    lock.acquire()
    say("held " + name)
    ended[name].wait()
    lock.release()
    say("released " + name)


def lead(name):
    say("leads " + name)
    ended[name].wait()


def campaign(name, election):
    election.run(lead, name)
    say("closed " + name)


def begin(name, work, argument):
    def guarded():
        try:
            work(name, argument)
        except Exception as error:
            say("failed %s %r" % (name, error))

    ended[name] = threading.Event()
    threading.Thread(target=guarded, daemon=True).start()


zk = KazooClient(hosts=hosts, timeout=float(timeout) / 1000)
zk.start()
say("connected")
for line in sys.stdin:
    verb, name, *path = line.split()
    if verb == "mutex":
        begin(name, take, zk.Lock(path[0], name))
    elif verb == "reader":
        begin(name, take, zk.ReadLock(path[0], name))
    elif verb == "writer":
        begin(name, take, zk.WriteLock(path[0], name))
    elif verb == "latch":
        elections[name] = zk.Election(path[0], name)
        begin(name, campaign, elections[name])
    elif verb == "leader":
        say("leader %s %s" % (name, elections[name].contenders()[0]))
    elif verb in ("release", "close"):
        ended[name].set()
    else:
        say("nobody understands " + line)
zk.stop()
