"""Contenders for locks, each a thread, against Quorate, ZooKeeper (kazoo's Lock) or etcd (its lock service), for as long as asked.

Usage: load.py CLIENT HOSTS WORK CONTENDERS SECONDS, CLIENT one of quorate-rest, quorate-grpc, kazoo, etcd-json, etcd-grpc; HOSTS with
commas between.

  free    each contender has a lock of its own: acquire and release, in a closed loop; the time is that of both
  queue   all have one lock, and each comes again when it has released it; the time is that of a hand-over, from when the
          release is called until the next in the queue has its answer

With two contenders each holds the lock for a while, so that the other waits for it; with more there is always one that waits.
It says `ready`, waits for a line, says `begun`, works, says `ended` and a line of JSON.
"""

import base64
import http.client
import json
import os
import socket
import sys
import threading
import time
import uuid

threading.stack_size(256 * 1024)
kind, hosts, work, contenders, seconds = sys.argv[1:6]
hosts = hosts.split(",")
contenders = int(contenders)
seconds = float(seconds)
run = uuid.uuid4().hex[:8]
# A session's or lease's life, well beyond any run.
TTL = 600


def say(line):
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


class Http:
    """One kept connection, as http.client has it."""

    def __init__(self, number):
        host, port = hosts[number % len(hosts)].split(":")
        self.connection = http.client.HTTPConnection(host, int(port), timeout=120)
        self.connection.connect()
        self.connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, method, path, body=None, headers={}):
        self.connection.request(method, path, body, headers)
        answer = self.connection.getresponse()
        return answer.status, answer.read()


class QuorateRest:
    """A session and a connection for each; a poll waits for at most a third of the session's life."""

    def __init__(self, number, name):
        self.http = Http(number)
        status, text = self.http.ask(
            "POST", "/v1/sessions", json.dumps({"timeout": "%ds" % TTL}), {"Content-Type": "application/json"}
        )
        assert status == 201, text
        session = json.loads(text)
        self.headers = {"Quorate-Session": session["id"] + ":" + session["secret"]}
        self.acquiring = "/v1/locks/%s?wait=60s" % name
        self.releasing = "/v1/locks/%s" % name

    def acquire(self):
        while True:
            status, text = self.http.ask("POST", self.acquiring, None, self.headers)
            if status == 200:
                return
            assert status == 202, text

    def release(self):
        status, text = self.http.ask("DELETE", self.releasing, None, self.headers)
        assert status == 200, text

    @staticmethod
    def waiting(name):
        status, text = Http(0).ask("GET", "/v1/locks/%s?limit=0" % name)
        return json.loads(text)["waiting"] if status == 200 else 0


class Grpc:
    """A connection, shared by the calls of many contenders, whose messages are written by hand: there are few."""

    channels = []

    def __init__(self, number):
        import grpc

        while len(Grpc.channels) < min(contenders, 32):
            own = [("grpc.use_local_subchannel_pool", 1)]
            Grpc.channels.append(grpc.insecure_channel(hosts[len(Grpc.channels) % len(hosts)], own))
        self.channel = Grpc.channels[number % len(Grpc.channels)]
        self.methods = {}

    def ask(self, method, fields, metadata=()):
        call = self.methods.get(method)
        if call is None:
            call = self.methods[method] = self.channel.unary_unary(method)
        return decode(call(encode(fields), metadata=metadata))


def varint(value):
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def encode(fields):
    """Of (number, value): an int is a varint; text, bytes and lists (messages) have their lengths."""
    parts = []
    for number, value in fields:
        if isinstance(value, int):
            parts += [varint(number << 3), varint(value)]
        else:
            data = value.encode() if isinstance(value, str) else encode(value) if isinstance(value, list) else value
            parts += [varint(number << 3 | 2), varint(len(data)), data]
    return b"".join(parts)


def decode(data):
    """By number, the last of each: varints and what has a length."""
    fields = {}
    at = 0

    def number():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(data):
        tag = number()
        if tag & 7 == 0:
            fields[tag >> 3] = number()
        else:
            assert tag & 7 == 2, tag
            length = number()
            fields[tag >> 3] = data[at : at + length]
            at += length
    return fields


class QuorateGrpc:
    def __init__(self, number, name):
        self.grpc = Grpc(number)
        session = self.grpc.ask("/quorate.v1.Coordination/CreateSession", [(1, [(1, TTL)])])
        self.secret = (("quorate-session-secret", session[3].decode()),)
        self.acquiring = [(1, "/" + name), (6, [(1, 60)]), (7, session[2])]
        self.releasing = [(1, "/" + name), (2, session[2])]

    def acquire(self):
        while not self.grpc.ask("/quorate.v1.Locks/Acquire", self.acquiring, self.secret).get(3):
            pass

    def release(self):
        self.grpc.ask("/quorate.v1.Locks/Release", self.releasing, self.secret)

    @staticmethod
    def waiting(name):
        return Grpc(0).ask("/quorate.v1.Locks/GetLock", [(1, "/" + name), (2, 1)]).get(8, 0)


class Kazoo:
    """kazoo's Lock. Clients (each a session, a connection and two threads) are shared by the locks of many contenders."""

    clients = []

    @classmethod
    def client(cls, number):
        from kazoo.client import KazooClient

        while len(cls.clients) < min(contenders, 32):
            client = KazooClient(hosts=hosts[len(cls.clients) % len(hosts)], timeout=30)
            client.start()
            cls.clients.append(client)
        return cls.clients[number % len(cls.clients)]

    def __init__(self, number, name):
        self.lock = Kazoo.client(number).Lock("/" + name, "contender-%d" % number)

    def acquire(self):
        self.lock.acquire()

    def release(self):
        self.lock.release()

    @staticmethod
    def waiting(name):
        client = Kazoo.client(0)
        return max(0, len(client.get_children("/" + name)) - 1) if client.exists("/" + name) else 0


class EtcdJson:
    """A lease and a connection for each, at the JSON side of the gRPC port."""

    def __init__(self, number, name):
        self.http = Http(number)
        lease = self.call("/v3/lease/grant", {"TTL": TTL})["ID"]
        self.locking = {"name": base64.b64encode(name.encode()).decode(), "lease": lease}

    def call(self, path, body):
        status, text = self.http.ask("POST", path, json.dumps(body))
        assert status == 200, text
        return json.loads(text)

    def acquire(self):
        self.key = self.call("/v3/lock/lock", self.locking)["key"]

    def release(self):
        self.call("/v3/lock/unlock", {"key": self.key})

    @staticmethod
    def waiting(name):
        prefix = (name + "/").encode()
        body = {"key": base64.b64encode(prefix).decode(), "count_only": True}
        body["range_end"] = base64.b64encode(prefix[:-1] + bytes([prefix[-1] + 1])).decode()
        status, text = Http(0).ask("POST", "/v3/kv/range", json.dumps(body))
        return max(0, int(json.loads(text).get("count", 0)) - 1)


class EtcdGrpc:
    """A lease for each."""

    def __init__(self, number, name):
        self.grpc = Grpc(number)
        lease = self.grpc.ask("/etcdserverpb.Lease/LeaseGrant", [(1, TTL)])[2]
        self.locking = [(1, name), (2, lease)]

    def acquire(self):
        self.key = self.grpc.ask("/v3lockpb.Lock/Lock", self.locking)[2]

    def release(self):
        self.grpc.ask("/v3lockpb.Lock/Unlock", [(1, self.key)])

    @staticmethod
    def waiting(name):
        prefix = (name + "/").encode()
        end = prefix[:-1] + bytes([prefix[-1] + 1])
        return max(0, Grpc(0).ask("/etcdserverpb.KV/Range", [(1, prefix), (2, end), (9, 1)]).get(4, 0) - 1)


Client = {
    "quorate-rest": QuorateRest,
    "quorate-grpc": QuorateGrpc,
    "kazoo": Kazoo,
    "etcd-json": EtcdJson,
    "etcd-grpc": EtcdGrpc,
}[kind]
HOLD = 0.010 if contenders == 2 else 0
times = []
running = True
measuring = False
released_at = 0.0
failures = []


def guarded(loop, *args):
    try:
        loop(*args)
    except Exception as error:
        if running:
            failures.append(repr(error))


def free(client):
    while running:
        began = time.perf_counter()
        client.acquire()
        client.release()
        if measuring:
            times.append(time.perf_counter() - began)


def queue(client):
    global released_at
    while running:
        client.acquire()
        now = time.perf_counter()
        if measuring and released_at:
            times.append(now - released_at)
        if HOLD:
            time.sleep(HOLD)
        released_at = time.perf_counter()
        client.release()


def start(loop, clients):
    for client in clients:
        threading.Thread(target=guarded, args=(loop, client), daemon=True).start()


def at(part):
    return sorted(times)[min(len(times) - 1, int(len(times) * part))] * 1000 if times else 0


name = "bench/%s/lock" % run
if work == "free":
    clients = [Client(i, "bench/%s/own-%d" % (run, i)) for i in range(contenders)]
    # What is made by the first use is there when it is measured.
    for client in clients:
        client.acquire()
        client.release()
    start(free, clients)
    time.sleep(0.5)
else:
    clients = [Client(i, name) for i in range(contenders)]
    gate = Client(contenders, name)
    gate.acquire()
    start(queue, clients)
    while Client.waiting(name) < contenders:
        assert not failures, failures[0]
        time.sleep(0.05)
    gate.release()
    time.sleep(0.5)
say("ready")
sys.stdin.readline()
measuring = True
cpu = time.process_time()
began = time.perf_counter()
say("begun")
time.sleep(seconds)
measuring = False
took = time.perf_counter() - began
cpu = time.process_time() - cpu
running = False
say("ended")
result = {"count": len(times), "seconds": took, "p50": at(0.5), "p99": at(0.99), "cpu": cpu, "failures": failures}
say(json.dumps(result))
# Threads that wait for the lock are not waited for.
os._exit(0)
