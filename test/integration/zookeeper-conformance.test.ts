/**
 * The table of requests at the ZooKeeper port of real processes, a gateway's and a follower's own; then the rows of the error table
 * that a healthy ensemble never answers. At the end each row was reached through this door, or is named with why not.
 */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { errors } from "@quorate/api";
import { runDoorCase } from "../conformance/doors/door-runner.ts";
import { casesFor } from "../conformance/doors/table.ts";
import { ZookeeperDoor } from "../conformance/doors/zookeeper-door.ts";
import { WireClient, WireClosed } from "../zookeeper/wire-client.ts";
import { createFlags, openAcl, type WireRequest } from "../zookeeper/wire-records.ts";
import { Ensemble, type Process, superUser, until } from "./ensemble.ts";

/** Never answered through this door, and why. */
const unreachable: Readonly<Record<string, string>> = {
  fenced: "no request has a fence: its clients make their locks of znodes",
  cursorTooOld: "setWatches compares Stats then, as ZooKeeper does (zookeeper-watches.test.ts)",
  pageTooOld: "nobody is given pages; who counts a tree that is forgotten meanwhile is disconnected",
  keyReused: "no request has a key",
  behind: "who is attached reads where his attachment was applied, which is newer than what he has seen",
  timeout: "requests have no time limit: who will not wait disconnects",
  internal: "a fault of our own: that it was never answered is what the other tests watch",
};

const patienceMillis = 60_000;
const reached = new Map<string, string>();
let ensemble: Ensemble;

before(async () => {
  ensemble = await Ensemble.start();
});
after(() => ensemble?.stop());

async function runTable(process: Process): Promise<void> {
  const door = new ZookeeperDoor(process.zookeeperPort);
  const failing: string[] = [];
  try {
    for (const [index, each] of casesFor(door.name).entries()) {
      const at = `/${process.name.replace(" ", "-")}-${index}`;
      await runDoorCase(door, each, at, `${superUser.user}:${superUser.password}`).catch((fault: Error) => {
        failing.push(`${each.name}: ${fault.message}`);
      });
      if (each.fails !== undefined) reached.set(each.fails, `the table, ${process.name}`);
    }
  } finally {
    door.close();
  }
  assert.deepEqual(failing, []);
}

async function aFollower(): Promise<Process> {
  return ensemble.replica(((await ensemble.leader()) % 3) + 1);
}

function connect(process: Process): Promise<WireClient> {
  return WireClient.connect(process.zookeeperPort, { timeoutMillis: 40_000, patienceMillis });
}

function create(path: string, data = ""): WireRequest {
  return { op: "create", path, data: Buffer.from(data), acl: openAcl, flags: createFlags.persistent };
}

/** What is answered with the number of this row. */
async function fails(client: WireClient, code: keyof typeof errors, request: WireRequest): Promise<void> {
  const { error } = await client.send(request);
  assert.equal(error, errors[code].zookeeper, `${request.op}: ${code}`);
  reached.set(code, "a scene");
}

describe("the table of requests at the ZooKeeper port", { timeout: 400_000 }, () => {
  it("of a gateway", () => runTable(ensemble.gateway));
  it("of a follower", async () => runTable(await aFollower()));
});

describe("rows that no healthy request meets", { timeout: 400_000 }, () => {
  it("authFailed, unimplemented: and the connection is closed", async () => {
    const proving = await connect(ensemble.gateway);
    await fails(proving, "authFailed", { op: "auth", scheme: "kerberos", auth: Buffer.from("x") });
    await proving.closed;
    const asking = await connect(ensemble.gateway);
    await fails(asking, "unimplemented", { op: "deleteContainer", path: Buffer.from("/a") });
    await asking.closed;
  });

  it("quotaExceeded: one znode more than there may be", async () => {
    const client = await connect(ensemble.gateway);
    const quota = "/zookeeper/quota/full";
    const limits = create(`${quota}/zookeeper_limits`, "countHardLimit=2");
    for (const each of [
      create("/full"),
      create(quota),
      limits,
      create(`${quota}/zookeeper_stats`),
      create("/full/1"),
    ]) {
      assert.equal((await client.send(each)).error, 0);
    }
    await fails(client, "quotaExceeded", create("/full/2"));
    await client.close();
  });

  it("throttled: more is watched than a connection may watch", async () => {
    const client = await connect(ensemble.gateway);
    const name = "n".repeat(4000);
    const some = 500;
    for (let from = 0; !reached.has("throttled"); from += some) {
      assert.ok(from < 20_000, "80 MB of paths are watched");
      const paths = Array.from({ length: some }, (_, i) => `/${from + i}-${name}`);
      const replies = await Promise.all(paths.map((path) => client.send({ op: "exists", path, watch: true })));
      if (replies.some(({ error }) => error === errors.throttled.zookeeper)) reached.set("throttled", "a scene");
      else assert.ok(replies.every(({ error }) => error === errors.noNode.zookeeper));
    }
    assert.equal((await client.send({ op: "exists", path: "/", watch: false })).error, 0, "it reads on");
    await client.close();
  });

  it("sessionMoved: the connection that had it is closed, and nothing more is answered there", async () => {
    const first = await connect(ensemble.gateway);
    const { session, password } = first;
    const second = await WireClient.connect(ensemble.replica(1).zookeeperPort, { session, password, patienceMillis });
    assert.equal(second.session, session);
    while (first.open) {
      const reply = await first.send({ op: "sync", path: "/" }).catch(() => undefined);
      assert.ok(reply === undefined || reply.error === 0, "an answer, or the end");
    }
    reached.set("sessionMoved", "as the end of the connection");
    await second.close();
  });

  it("cursorOfAnotherHistory: who has seen more than there is, is not answered", async () => {
    const connecting = WireClient.connect(ensemble.gateway.zookeeperPort, { lastZxidSeen: 1n << 50n, patienceMillis });
    await assert.rejects(connecting, (error: Error) => error instanceof WireClosed && /closed/.test(error.message));
    const said = (): boolean => /its client comes from another history/.test(ensemble.gateway.output);
    await until(said, patienceMillis, () => `the log says why: ${ensemble.gateway.output}`);
    reached.set("cursorOfAnotherHistory", "as the end of the connection");
  });

  it("noLeader, connectionLoss: nobody is connected, and nobody is told what is not known", async () => {
    const waiting = await connect(ensemble.gateway);
    const leader = await ensemble.leader();
    const followers = ensemble.replicas.filter((each) => each !== ensemble.replica(leader));
    for (const each of followers) each.signal("SIGSTOP");
    try {
      const unanswered = waiting.send(create("/unknown"));
      unanswered.catch(() => {});
      await assert.rejects(connect(ensemble.gateway), WireClosed);
      const said = (): boolean => /no session could be opened/.test(ensemble.gateway.output);
      await until(said, patienceMillis, () => `the log says why: ${ensemble.gateway.output}`);
      reached.set("noLeader", "as the end of the connection");
      await ensemble.gateway.kill();
      await assert.rejects(unanswered, WireClosed);
      reached.set("connectionLoss", "as the end of the connection");
    } finally {
      for (const each of followers) each.signal("SIGCONT");
    }
  });

  it("each row was reached, or is named", (t) => {
    const all = Object.keys(errors);
    const named = Object.keys(unreachable);
    const missing = all.filter((code) => !reached.has(code) && !named.includes(code));
    assert.deepEqual(missing, [], "rows that nothing reached");
    const after = named.filter((code) => reached.has(code));
    assert.deepEqual(after, [], "reached after all");
    t.diagnostic(`${all.length - named.length} of ${all.length} rows reached; not: ${named.join(", ")}`);
  });
});
