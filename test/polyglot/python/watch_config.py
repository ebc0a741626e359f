"""Holds a session with an ephemeral znode of its own, and follows a znode until that is deleted.

    pip install grpcio grpcio-tools
    python -m grpc_tools.protoc -I proto --python_out=stubs --grpc_python_out=stubs proto/quorate/v1/*.proto
    PYTHONPATH=stubs python watch_config.py localhost:9090,localhost:9091 /config /members/me

It prints every change once, in order, whatever happens to gateways and leaders meanwhile.
"""

import os
import sys
import threading
import time

import grpc
from google.protobuf.duration_pb2 import Duration
from quorate.v1 import coordination_pb2_grpc, session_pb2, types_pb2, watch_pb2, znode_pb2

SESSION_SECONDS = 6
# What another try cures: a gateway that is gone, a leader that is not there yet, an answer that came too late.
PASSING = (
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.UNKNOWN,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
)


class Doors:
    """Several gateways; whoever meets one that is gone goes on to the next."""

    def __init__(self, endpoints):
        self.stubs = [coordination_pb2_grpc.CoordinationStub(grpc.insecure_channel(each)) for each in endpoints]
        self.at = 0

    def now(self):
        return self.stubs[self.at % len(self.stubs)]

    def call(self, ask, patience=30):
        """Only for what may be done twice."""
        end = time.monotonic() + patience
        while True:
            at = self.at
            try:
                return ask(self.stubs[at % len(self.stubs)])
            except grpc.RpcError as error:
                if error.code() not in PASSING or time.monotonic() > end:
                    raise
                self.at = at + 1
                time.sleep(0.1)


def keep(doors, session, metadata, sent, over):
    """You hold a session until its timeout after you *sent* the last renewal that was answered."""
    request = session_pb2.RenewSessionRequest(session_id=session.session_id)
    while not over.wait(SESSION_SECONDS / 3):
        began = time.monotonic()
        try:
            left = sent + SESSION_SECONDS - began
            doors.call(lambda door: door.RenewSession(request, metadata=metadata, timeout=2), left)
            sent = began
        except grpc.RpcError as error:
            print(f"lost {error.code().name}", flush=True)
            os._exit(1)  # Whatever only the owner may do ends here.


def changes(doors, path):
    """Everything that happens to `path`, each once: a watch is a cursor, and goes on behind the last one read."""
    cursor = None
    while True:
        try:
            for message in doors.now().Watch(watch_pb2.WatchRequest(nodes=[path], after_cursor=cursor)):
                if cursor is None:
                    print(f"watching {path}", flush=True)
                cursor = message.cursor
                yield from message.events
        except grpc.RpcError as error:
            if error.code() not in PASSING:
                raise
        doors.at += 1
        time.sleep(0.1)


def main(endpoints, watched, member):
    doors = Doors(endpoints.split(","))
    sent = time.monotonic()
    wanted = session_pb2.CreateSessionRequest(timeout=Duration(seconds=SESSION_SECONDS), name="python")
    session = doors.call(lambda door: door.CreateSession(wanted, timeout=10))
    print(f"session 0x{session.session_id:016x}", flush=True)
    metadata = [("quorate-session-secret", session.secret)]
    over = threading.Event()
    threading.Thread(target=keep, args=(doors, session, metadata, sent, over), daemon=True).start()

    # A put of one's own ephemeral may be repeated.
    put = znode_pb2.PutRequest(path=member, shape=types_pb2.Shape(kind=types_pb2.NODE_KIND_EPHEMERAL))
    put.options.session_id = session.session_id
    doors.call(lambda door: door.Put(put, metadata=metadata, timeout=10))
    print(f"member {member}", flush=True)

    for event in changes(doors, watched):
        kind = watch_pb2.WatchEvent.Type.Name(event.type).removeprefix("TYPE_").lower()
        print(f"{kind} {event.version} 0x{event.zxid:016x}", flush=True)
        if event.type == watch_pb2.WatchEvent.TYPE_DELETED:
            break

    over.set()
    close = session_pb2.CloseSessionRequest(session_id=session.session_id)
    doors.call(lambda door: door.CloseSession(close, metadata=metadata, timeout=10))
    print("closed", flush=True)


main(*sys.argv[1:])
