/**
 * What writers were told, against what is there: every acknowledged write is there, once; what had no effect had none; what
 * was unknown is there at most once. Run it when the writers have stopped and the replicas are equal.
 */
import assert from "node:assert/strict";
import { Agent } from "node:http";
import { exchange } from "./http-client.ts";
import type { Attempt, Writers } from "./writers.ts";

export interface AuditReport {
  readonly acknowledged: number;
  /** Tries that had no effect and tries of unknown fate, by status and code, such as `503 noLeader`. */
  readonly noEffect: Readonly<Record<string, number>>;
  readonly unknown: Readonly<Record<string, number>>;
  /** Of the unknown ones, those that turned out to be done (creations and additions, where each can be told). */
  readonly unknownDone: number;
}

export async function audit(writers: Writers, base: string): Promise<AuditReport> {
  const agent = new Agent({ keepAlive: true });
  try {
    const { attempts, root } = writers;
    assert.deepEqual(writers.faults, []);
    const hung = attempts.filter((each) => each.code === "EPATIENCE");
    assert.deepEqual(hung, [], "a write was never answered");
    const queue = await readQueue(agent, base, `${root}/queue`);
    let unknownDone = auditCreates(
      attempts.filter((each) => each.kind === "create"),
      queue,
    );
    await auditPuts(
      attempts.filter((each) => each.kind === "put"),
      root,
      (path) => readZnode(agent, base, path),
    );
    unknownDone += await auditAdds(
      attempts.filter((each) => each.kind === "add"),
      (path) => readZnode(agent, base, path),
    );
    return {
      acknowledged: writers.acknowledged,
      noEffect: countBy(attempts.filter((each) => each.verdict === "noEffect")),
      unknown: countBy(attempts.filter((each) => each.verdict === "unknown")),
      unknownDone,
    };
  } finally {
    agent.destroy();
  }
}

function countBy(attempts: readonly Attempt[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { status, code } of attempts) {
    const key = status === 0 ? code : `${status} ${code}`;
    counts[key] = (counts[key] ?? 0) + 1;
  }
  return counts;
}

interface Znode {
  readonly data: string;
  readonly version: number;
}

async function readZnode(agent: Agent, base: string, path: string): Promise<Znode | undefined> {
  const { status, body } = await exchange(agent, base, `/v1/znodes${path}?format=json`);
  if (status === 404) return undefined;
  assert.equal(status, 200, body);
  const { data, stat } = JSON.parse(body) as { data: string; stat: { version: number } };
  return { data, version: stat.version };
}

/** Name by body of all children, page by page; two of one body are a write that was done twice. */
async function readQueue(agent: Agent, base: string, path: string): Promise<Map<string, string>> {
  const names = new Map<string, string>();
  let token = "";
  do {
    const page = token === "" ? "" : `&continue=${encodeURIComponent(token)}`;
    const { status, body } = await exchange(agent, base, `/v1/children${path}?data=true&limit=10000${page}`);
    assert.equal(status, 200, body);
    const found = JSON.parse(body) as { children: { name: string; data: string }[]; continue?: string };
    for (const { name, data } of found.children) {
      assert.ok(!names.has(data), `the write ${data} was done twice: ${names.get(data)} and ${name}`);
      names.set(data, name);
    }
    token = found.continue ?? "";
  } while (token !== "");
  return names;
}

/** Answers how many of the unknown were done. */
function auditCreates(attempts: readonly Attempt[], queue: Map<string, string>): number {
  let unknownDone = 0;
  const last = new Map<number, number>();
  for (const { body, verdict, node, client, status, code } of attempts) {
    const name = queue.get(body);
    if (verdict === "done") {
      assert.equal(
        name,
        node.slice(node.lastIndexOf("/") + 1),
        `the acknowledged creation ${body} is not where it was said to be`,
      );
      const number = Number(node.slice(-10));
      assert.ok(number > (last.get(client) ?? -1), `client ${client}: a later creation has the lower number ${number}`);
      last.set(client, number);
    } else if (verdict === "noEffect") {
      assert.equal(name, undefined, `the creation ${body} was answered ${status} ${code} and is there`);
    } else if (name !== undefined) unknownDone += 1;
    queue.delete(body);
  }
  assert.deepEqual([...queue], [], "children that nobody made");
  return unknownDone;
}

/** A znode's version counts what was done to it: one writer's acknowledged and at most its unknown writes. */
async function auditPuts(
  attempts: readonly Attempt[],
  root: string,
  read: (path: string) => Promise<Znode | undefined>,
): Promise<void> {
  for (const client of new Set(attempts.map((each) => each.client))) {
    const own = attempts.filter((each) => each.client === client);
    const possible = new Set<string>();
    let [done, unknown, version, latest] = [0, 0, -1, ""];
    for (const attempt of own) {
      if (attempt.verdict === "unknown") {
        unknown += 1;
        possible.add(attempt.body);
      }
      if (attempt.verdict !== "done") continue;
      done += 1;
      const range = `client ${client}: version ${attempt.version} after ${done} acknowledged and ${unknown} unknown writes`;
      assert.ok(attempt.version > version && attempt.version >= done - 1 && attempt.version < done + unknown, range);
      version = attempt.version;
      latest = attempt.body;
    }
    const now = await read(`${root}/own-${client}`);
    const total = (now?.version ?? -1) + 1;
    assert.ok(
      total >= done && total <= done + unknown,
      `client ${client}: ${total} writes were done, ${done} acknowledged, ${unknown} unknown`,
    );
    if (done > 0)
      assert.ok(
        now?.data === latest || possible.has(now?.data ?? ""),
        `client ${client}: ${now?.data} stands, ${latest} was the last`,
      );
  }
}

/** A counter's every value was written by one acknowledged addition, or else by an unknown one. */
async function auditAdds(
  attempts: readonly Attempt[],
  read: (path: string) => Promise<Znode | undefined>,
): Promise<number> {
  let unknownDone = 0;
  for (const target of new Set(attempts.map((each) => each.path))) {
    const own = attempts.filter((each) => each.path === target);
    const now = await read(target.slice("/v1/znodes".length));
    assert.ok(now, `${target} is gone`);
    const value = Number.parseInt(now.data, 10);
    assert.equal(value, now.version, `${target}: its value is not the number of its writes`);
    const told = new Set<number>();
    for (const { verdict, version, body } of own) {
      if (verdict !== "done") continue;
      assert.ok(!told.has(version), `${target}: ${body} was told ${version}, and so was another`);
      told.add(version);
      assert.ok(version >= 1 && version <= value, `${target}: ${body} was told ${version}, it stands at ${value}`);
    }
    const unknown = own.filter((each) => each.verdict === "unknown").length;
    const silent = value - told.size;
    assert.ok(
      silent <= unknown,
      `${target}: ${silent} values were written by nobody who may have (${unknown} unknown)`,
    );
    unknownDone += silent;
  }
  return unknownDone;
}
