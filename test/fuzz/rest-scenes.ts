/** The statuses that no request brings about in a healthy ensemble: each operation over a backend that answers with them. */
import type { ErrorCode } from "@quorate/api";
import { errors } from "@quorate/api";
import { type Answer, type Backend, digestOf } from "@quorate/gateway";
import { MemoryBackend } from "../conformance/memory-backend.ts";
import { restDoor } from "../conformance/rest-door.ts";
import { judge } from "./judge.ts";
import { authorization } from "./request.ts";
import type { Tally } from "./rest-fuzz.ts";
import { type Operation, operations } from "./specification.ts";

type Unavailable = Extract<Answer, { kind: "unavailable" }>;

/** Whatever it is asked. */
function failing(code: ErrorCode): Backend {
  const { certainty } = errors[code];
  const answer: Unavailable = {
    kind: "unavailable",
    code,
    detail: "as the scene wants it",
    certainty,
    retryAfterMillis: 1000,
  };
  const memory = new MemoryBackend();
  return {
    write: () => Promise.resolve(answer),
    read: () => Promise.resolve(answer),
    renew: () => Promise.resolve(answer),
    handOver: () => Promise.resolve(answer),
    listTree: () => ({ next: () => Promise.resolve(answer), close: () => {} }),
    watch: (_, __, listener) => {
      queueMicrotask(() => listener.ended({ code, detail: answer.detail, retryAfterMillis: 1000 }));
      return { cursor: { zxid: memory.tree.applied }, close: () => {} };
    },
    follow: () => {
      throw new Error("REST follows nothing");
    },
    attach: () => {
      throw new Error("REST attaches nothing");
    },
    cluster: () => memory.cluster(),
  };
}

function fail(): never {
  throw new Error("as the scene wants it");
}

function broken(): Backend {
  return {
    write: fail,
    read: fail,
    renew: fail,
    handOver: fail,
    listTree: fail,
    watch: fail,
    follow: fail,
    attach: fail,
    cluster: fail,
  };
}

/** A request of each operation that reaches the backend. */
function canonical({ id, method, path }: Operation): { readonly path: string; readonly init: RequestInit } {
  const session = { "Quorate-Session": `0x0000000100000007:${"0".repeat(32)}` };
  const bodies: Readonly<Record<string, string>> = {
    txn: '{"then":[{"op":"put","path":"/a"}]}',
    setAcl: '{"acl":[{"scheme":"world","id":"anyone","perms":"r"}]}',
    handOver: '{"to":1}',
  };
  const body = bodies[id];
  const headers: Record<string, string> = {
    Authorization: authorization("root:toor"),
    ...(path.includes("{id}") || /^(releaseLock|proclaim|resign)$/.test(id) ? session : {}),
    ...(body === undefined ? {} : { "Content-Type": "application/json" }),
  };
  const query = id === "watch" ? "?node=/a" : "";
  const place = path.replace("{path}", "a").replace("{id}", "0x0000000100000007");
  return { path: `${place}${query}`, init: { method, headers, ...(body === undefined ? {} : { body }) } };
}

/** Notes what it reaches; throws where an answer is not by the specification. */
export async function playScenes(tally: Tally): Promise<void> {
  const codes: readonly ErrorCode[] = ["connectionLoss", "noLeader", "timeout", "throttled"];
  for (const code of codes) await play(failing(code), {}, tally);
  await play(broken(), {}, tally, fail);
  // Every request is one too many.
  await play(new MemoryBackend(), { inFlight: 0 }, tally);
  await play(new MemoryBackend(), { watchers: 0 }, tally);
}

async function play(backend: Backend, limits: object, tally: Tally, health?: () => never): Promise<void> {
  const door = restDoor(backend, {
    superUserDigest: digestOf("root", "toor"),
    readiness: health ?? (() => ({ ready: false, leader: 0, checks: [] })),
    metrics: health ?? (() => "quorate_up 1\n"),
    log: () => {},
    limits,
  });
  await door.listen();
  try {
    for (const operation of operations) {
      const { path, init } = canonical(operation);
      const answer = await fetch(`${door.base}${path}`, init);
      const text = await answer.text();
      const headers = Object.fromEntries(answer.headers.entries());
      judge(operation, operation.method, { status: answer.status, headers, text, partial: false });
      const key = `${operation.id} ${answer.status}`;
      // That it succeeds has to be seen without a scene.
      if (answer.status >= 400 && !tally.reached.has(key)) tally.reached.set(key, 1);
    }
  } finally {
    await door.stop();
  }
}
