/** What a healthy tree in memory never does to a watcher: a scripted port behind the door does it, step by step. */
import assert from "node:assert/strict";
import { connect } from "node:net";
import { after, before, beforeEach, describe, it } from "node:test";
import { type Outcome, type Path, parsePath, type WatchEvent, type Zxid } from "@quorate/api";
import type {
  Answer,
  Backend,
  ReadRequest,
  RenewAnswer,
  Watching,
  WatchListener,
  WatchRequest,
} from "@quorate/gateway";
import { sleep, until } from "../integration/ensemble.ts";
import type { MemoryBackend } from "./memory-backend.ts";
import { isChange, named, type Poller } from "./watch-client.ts";
import { WatchDoor } from "./watch-door.ts";

const history = "00112233445566ff";

/** One watch that the door opened; the test plays the hub. */
class Played implements Watching {
  readonly request: WatchRequest;
  readonly listener: WatchListener;
  closed = false;
  #zxid: Zxid;

  constructor(request: WatchRequest, listener: WatchListener) {
    this.request = request;
    this.listener = listener;
    this.#zxid = request.after?.zxid ?? (1 as Zxid);
  }

  get cursor(): { readonly zxid: Zxid; readonly history: string } {
    return { zxid: this.#zxid, history };
  }

  open(sessionTimeoutMillis = 0): void {
    this.listener.opened({ states: [], servedBy: 1, ageMillis: 0, sessionTimeoutMillis });
  }

  tell(events: readonly WatchEvent[], more = false): void {
    this.listener.events(events, more);
    this.#zxid = events.at(-1)?.zxid ?? this.#zxid;
  }

  close(): void {
    this.closed = true;
  }
}

let played: Played[] = [];
let reads: { readonly request: ReadRequest; readonly answer: (answer: Answer) => void }[] = [];
let renewed: ((answer: RenewAnswer) => void)[] = [];

function script(memory: MemoryBackend): Backend {
  return {
    write: (request) => memory.write(request),
    read: (request) => new Promise((answer) => reads.push({ request, answer })),
    listTree: (request) => memory.listTree(request),
    renew: () => new Promise((answer) => renewed.push(answer)),
    handOver: (target) => memory.handOver(target),
    watch: (request, _, listener) => {
      const watching = new Played(request, listener);
      played.push(watching);
      return watching;
    },
    follow: (acting, listener) => memory.follow(acting, listener),
    attach: (acting, identity, deadline, listener) => memory.attach(acting, identity, deadline, listener),
    cluster: () => memory.cluster(),
  };
}

async function nthWatch(count: number): Promise<Played> {
  await until(() => played.length >= count, 10_000, `watch ${count} is opened`);
  return played[count - 1] as Played;
}

let zxid = 1000;

function event(path = "/a", at = ++zxid): WatchEvent {
  const parsed = parsePath(path) as Path;
  return { zxid: at as Zxid, type: "changed", path: parsed, version: 1, czxid: 5 as Zxid, time: 0 };
}

/** The data of one event, as of its own zxid. */
function dataOf(each: WatchEvent, text: string): Answer {
  const stat = { mzxid: each.zxid } as never;
  const result = { kind: "data", path: each.path, data: Buffer.from(text), stat } as const;
  const outcome: Outcome = { ok: true, zxid: each.zxid, result };
  return { kind: "outcome", outcome, servedBy: 1, ageMillis: 0 };
}

const door = new WatchDoor(
  {
    watchBeatMillis: 2500,
    watchLingerMillis: 1000,
    watchUnsentBytes: 200_000,
    watchSoftBytes: 50_000,
    watchQueuedEvents: 4,
  },
  script,
);
let client: Poller;
before(async () => {
  await door.listen();
  client = door.poller();
});
beforeEach(() => {
  played = [];
  reads = [];
  renewed = [];
});
after(async () => {
  await door.stop();
  assert.deepEqual(door.logged, [], "a fault of our own was logged");
});

const session = { "quorate-session": `0x0000000100000005:${"ab".repeat(16)}` };
const long = `/${"long-name-".repeat(300)}`;

describe("a poll", () => {
  it("answers nothing before it knows that nothing has happened", async () => {
    let answered = false;
    const poll = client.get("/v1/watch?node=/a&after=0x1&wait=0s").finally(() => {
      answered = true;
    });
    const watch = await nthWatch(1);
    watch.open();
    watch.tell([], true);
    await sleep(150);
    assert.equal(answered, false);
    const some = event();
    watch.tell([some], true);
    const { body } = await poll;
    assert.deepEqual([body.events.length, body.more], [1, true]);
    assert.equal(body.cursor, `0x${some.zxid.toString(16).padStart(16, "0")}.${history}`);
    assert.equal(watch.closed, true);
  });

  it("answers nothing before its session is renewed", async () => {
    let answered = false;
    const poll = client.get("/v1/watch?node=/a&after=0x1&wait=20s", session).finally(() => {
      answered = true;
    });
    const watch = await nthWatch(1);
    watch.open(30_000);
    watch.tell([event()]);
    await sleep(150);
    assert.equal(answered, false);
    renewed[0]?.({ kind: "renewed", zxid: 1 as Zxid, servedBy: 1 });
    assert.equal((await poll).body.events.length, 1);
  });

  it("says that its session is over, whatever it has found", async () => {
    const poll = client.get("/v1/watch?node=/a&after=0x1&wait=20s", session);
    const watch = await nthWatch(1);
    watch.open(30_000);
    watch.tell([event()]);
    renewed[0]?.({ kind: "expired" });
    assert.equal((await poll).status, 410);
    const read = client.get("/v1/znodes/a?wait=20s", { ...session, "if-none-match": '"0x1"' });
    await until(() => reads.length === 1, 5000, "it reads");
    reads[0]?.answer(dataOf(event(), "x"));
    await sleep(50);
    renewed[1]?.({ kind: "expired" });
    assert.equal((await read).status, 410);
  });

  it("passes on why the watch was not opened", async () => {
    const poll = client.get("/v1/watch?node=/a&after=0x1&wait=20s");
    const watch = await nthWatch(1);
    watch.listener.ended({ code: "noLeader", detail: "scripted", retryAfterMillis: 3000 });
    const { status, body, headers } = await poll;
    assert.deepEqual([status, body.code, body.certainty, headers["retry-after"]], [503, "noLeader", "noEffect", "3"]);
    const late = client.get("/v1/watch?node=/a&after=0x1&wait=20s");
    (await nthWatch(2)).listener.ended({ code: "timeout", detail: "scripted", retryAfterMillis: 0 });
    const timeout = await late;
    assert.deepEqual([timeout.status, timeout.body.certainty], [504, "noEffect"]);
  });

  it("is let go with those that wait behind it on its connection", async () => {
    const { port, hostname } = new URL(door.base);
    const socket = connect(Number(port), hostname);
    const ask = "GET /v1/watch?node=/a&after=0x1 HTTP/1.1\r\nHost: x\r\n\r\n";
    socket.write(ask.repeat(3));
    await nthWatch(3);
    socket.destroy();
    await until(() => played.every((each) => each.closed), 5000, "all three are let go");
  });
});

describe("a stream", () => {
  it("that catches up waits for its reader, and goes on where it was", async () => {
    const stream = door.stream("node=/a&after=0x1");
    const first = await nthWatch(1);
    first.open();
    await stream.opened;
    stream.pause();
    let told = 0;
    await until(
      () => {
        for (let i = 0; i < 20 && !first.closed; i++, told++) first.tell([event(long)], true);
        return first.closed;
      },
      10_000,
      "the watch is closed for a while",
    );
    stream.resume();
    const second = await nthWatch(2);
    assert.deepEqual(second.request.after, { zxid, history });
    second.open();
    const last = event(long);
    second.tell([last]);
    await until(() => stream.events.filter(isChange).length === told + 1, 10_000, "all are there");
    const zxids = stream.events.filter(isChange).map((each) => Number(each.data.zxid));
    assert.deepEqual(
      zxids,
      Array.from({ length: told + 1 }, (_, i) => last.zxid - told + i),
    );
    assert.deepEqual(stream.events.filter(named("end")), []);
    stream.close();
  });

  it("of new events is cut off when its reader is too slow", async () => {
    const stream = door.stream("node=/a&after=0x1", "application/x-ndjson");
    let told = 0;
    const watch = await nthWatch(1);
    watch.open();
    await stream.opened;
    stream.pause();
    await until(
      () => {
        for (let i = 0; i < 20 && !watch.closed; i++, told++) watch.tell([event(long)]);
        return watch.closed;
      },
      10_000,
      "it is cut off",
    );
    stream.resume();
    const { data } = await stream.next(named("end"));
    const changes = stream.events.filter(isChange);
    assert.deepEqual([data.code, data.cursor], ["throttled", changes.at(-1)?.id]);
    // By the event that was too much, and not later by a beat: it is not told.
    assert.equal(changes.length, told - 1);
    assert.equal(played.length, 1);
  });

  it("whose reader never reads again is left after a while, paused or cut off", async () => {
    for (const more of [true, false]) {
      played = [];
      const stream = door.stream("node=/a&after=0x1");
      const watch = await nthWatch(1);
      watch.open();
      await stream.opened;
      stream.pause();
      await until(
        () => {
          for (let i = 0; i < 20 && !watch.closed; i++) watch.tell([event(long)], more);
          return watch.closed;
        },
        10_000,
        "its watch is closed",
      );
      const standing = await door.connections();
      await until(async () => (await door.connections()) < standing, 10_000, "its connection is closed");
      assert.equal(played.length, 1);
    }
  });

  it("says its last word behind the data that is still being read", async () => {
    const stream = door.stream("node=/a&after=0x1&include=data");
    const watch = await nthWatch(1);
    watch.open();
    const some = [event(), event()];
    watch.tell(some);
    watch.listener.ended({ code: "noAuth", detail: "scripted", retryAfterMillis: 0 });
    for (const [i, each] of some.entries()) {
      await until(() => reads.length === i + 1, 5000, `read ${i + 1}`);
      assert.deepEqual([reads[i]?.request.minZxid, reads[i]?.request.consistency], [each.zxid, "session"]);
      reads[i]?.answer(dataOf(each, `data ${i}`));
    }
    const end = await stream.next(named("end"));
    const seen = stream.events.filter(isChange).map((each) => each.data.data);
    assert.deepEqual([seen, end.data.code, end.id], [["data 0", "data 1"], "noAuth", stream.events[1]?.id]);
  });

  it("keeps no more events waiting for their data than it may", async () => {
    const stream = door.stream("subtree=/&after=0x1&include=data");
    const first = await nthWatch(1);
    first.open();
    const some = Array.from({ length: 6 }, () => event());
    first.tell(some);
    assert.equal(first.closed, true);
    for (const [i, each] of some.entries()) {
      await until(() => reads.length === i + 1, 5000, `read ${i + 1}`);
      assert.equal(played.length, 1);
      reads[i]?.answer(dataOf(each, "x"));
    }
    const second = await nthWatch(2);
    assert.deepEqual(second.request.after, { zxid, history });
    assert.equal(stream.events.filter(isChange).length, 6);
    stream.close();
    await until(() => second.closed, 5000, "it is let go");
  });

  it("ends where its data cannot be read, with the cursor before", async () => {
    const stream = door.stream("node=/a&after=0x1&include=data");
    const watch = await nthWatch(1);
    watch.open();
    const some = [event(), event()];
    watch.tell(some);
    await until(() => reads.length === 1, 5000, "the first read");
    reads[0]?.answer(dataOf(some[0] as WatchEvent, "x"));
    await until(() => reads.length === 2, 5000, "the second read");
    const detail = "scripted";
    reads[1]?.answer({ kind: "unavailable", code: "noLeader", detail, certainty: "noEffect", retryAfterMillis: 1000 });
    const end = await stream.next(named("end"));
    assert.equal(stream.events.filter(isChange).length, 1);
    assert.deepEqual([end.data.code, end.id], ["noLeader", stream.events[0]?.id]);
  });
});
