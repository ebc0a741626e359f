/**
 * What the gateway's link costs for each write and each read, with a replica in the same process that answers at once:
 * `node test/bench/link.ts`. The figures include that replica's decoding; a real stream comes on top.
 */
import { anyone, asZxid, composeZxid, type Path, persistentShape, sessionIdOf } from "@quorate/api";
import type { FromGateway, MemberStatus, ToGateway } from "@quorate/proto";
import { type Dial, type ReplicaEvents, ReplicaLink } from "../../gateway/src/replica-link.ts";
import { createNodeWorld } from "../../gateway/src/world-node.ts";

const session = sessionIdOf(composeZxid(1, 1));
const zxid = composeZxid(1, 2);
const done = { ok: true, zxid, result: { kind: "done", count: 0 } } as const;
const self: MemberStatus = {
  id: 1,
  standing: "member",
  role: "leading",
  serving: true,
  reason: "",
  leader: 1,
  epoch: 1,
  acceptedEpoch: 1,
  applied: zxid,
  committed: zxid,
  logged: zxid,
  ensembleId: "",
  historyId: "",
  version: "",
  rules: 1,
  digest: "",
  znodes: 0,
  sessions: 0,
  agoMillis: 0,
  address: "r",
};

function answer(message: FromGateway): ToGateway | undefined {
  switch (message.kind) {
    case "open": {
      const result = { kind: "session", session, timeoutMillis: 30_000, attachment: 1, lastSequence: 0 } as const;
      return { kind: "answer", id: message.id, outcome: { ok: true, zxid, result }, ageMillis: 0 };
    }
    case "lane":
      return { kind: "laneState", session, exists: true, attachment: 1, lastSequence: 0, fence: message.fence };
    case "write":
      return { kind: "written", session, sequence: message.sequence, outcome: done };
    case "read":
      return { kind: "answer", id: message.id, outcome: done, ageMillis: 0 };
    case "touch":
      return {
        kind: "touched",
        id: message.id,
        results: message.sessions.map((each) => ({ ...each, result: "renewed" })),
      };
    default:
      return undefined;
  }
}

const dial: Dial = (_address: string, events: ReplicaEvents) => {
  let queued: FromGateway[] = [];
  const status = setInterval(() => events.received([{ kind: "status", self, others: [] }]), 200);
  setImmediate(() => events.received([{ kind: "status", self, others: [] }]));
  return {
    send: (message) => void queued.push(message),
    flush: () => {
      const taken = queued;
      queued = [];
      setImmediate(() => events.received(taken.map(answer).filter((each) => each !== undefined)));
    },
    close: () => {
      clearInterval(status);
      events.down("closed");
    },
    queuedBytes: 0,
  };
};

const link = new ReplicaLink({ replicas: ["r"], dial, world: createNodeWorld(), name: "bench", log: () => {} });
await link.ready();

async function run(what: string, count: number, inFlight: number, one: () => Promise<unknown>): Promise<void> {
  const startedAt = performance.now();
  const cpu = process.cpuUsage();
  let left = count;
  const client = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      await one();
    }
  };
  await Promise.all(Array.from({ length: inFlight }, client));
  const seconds = (performance.now() - startedAt) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  const micros = (user + system) / count;
  console.log(`${what} ${inFlight} in flight: ${Math.round(count / seconds)}/s, ${micros.toFixed(2)} µs of CPU each`);
}

const data = new Uint8Array(100).fill(65);
const path = "/app/config/some-znode-of-forty-bytes-xx" as Path;
const condition = {};
const write = (): Promise<unknown> =>
  link.write(
    { identity: anyone, operation: { kind: "put", path, data, shape: persistentShape, parents: false, condition } },
    10_000,
  );
const read = (): Promise<unknown> =>
  link.read(
    {
      identity: anyone,
      operation: { kind: "get", path },
      consistency: "linearizable",
      minZxid: asZxid(0),
      maxStaleMillis: 0,
    },
    10_000,
  );
for (const inFlight of [256, 32, 256]) {
  await run("write", 200_000, inFlight, write);
  await run("read", 200_000, inFlight, read);
}
await link.stop();
