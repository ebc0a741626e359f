/** What operators and their machines ask: health, metrics, the cluster's state, the hand-over. */
import { counterOf, epochOf, formatZxid, limits } from "@quorate/api";
import { document } from "@quorate/openapi";
import type { ClusterMember } from "../backend.ts";
import { show } from "../show.ts";
import { readJsonBody, refuseBody } from "./body.ts";
import { type Call, requireSuperUser, timeoutOf } from "./call.ts";
import { bad, problemOf } from "./fault.ts";
import { integerOf } from "./json-body.ts";
import { byGateway, send, sendJson, sendProblem, settle } from "./reply.ts";
import { formatDuration } from "./values.ts";

export function livez(call: Call): void {
  sendJson(call, 200, byGateway, '{"live":true}');
}

export function readyz(call: Call): void {
  const verbose = call.query.flag("verbose");
  const require = call.query.text("require");
  if (require !== undefined && require !== "leader") throw bad(`require: ${show(require)} is not leader`);
  const { ready: able, leader, checks: all } = call.door.options.readiness();
  const { draining } = call.door;
  const ready = able && !draining;
  const checks = draining ? [{ name: "draining", ok: false, detail: "this process is about to stop" }, ...all] : all;
  const failing = checks.filter((each) => !each.ok).map((each) => `${each.name}: ${each.detail}`);
  if (!ready) {
    const problem = problemOf("behind", `not ready: ${failing.join("; ") || "it has just begun"}`);
    sendProblem(call, { ...problem, title: "Not ready" });
  } else if (require === "leader" && leader === 0) {
    sendProblem(call, problemOf("noLeader", "no leader is known to this process"));
  } else {
    sendJson(call, 200, byGateway, JSON.stringify(verbose ? { ready, leader, checks } : { ready }));
  }
}

export async function metrics(call: Call): Promise<void> {
  const text = await call.door.options.metrics();
  send(call, 200, byGateway, text, ["Content-Type", "text/plain; version=0.0.4; charset=utf-8"]);
}

/** Answers from what is known here, without a leader too. */
export function getCluster(call: Call): void {
  const { leader, members, silent } = call.door.options.backend.cluster();
  const furthest = members.reduce((most, each) => Math.max(each.committed, most), 0);
  const body = {
    leader,
    members: members.map((each) => memberJson(each, furthest)),
    silent,
    gateway: { version: call.door.options.version },
  };
  sendJson(call, 200, byGateway, JSON.stringify(body));
}

function memberJson(member: ClusterMember, furthest: number): object {
  const { id, reachable, standing, role, serving, reason, leader, epoch, acceptedEpoch, applied, committed, logged } =
    member;
  const zxids = { applied: formatZxid(applied), committed: formatZxid(committed), logged: formatZxid(logged) };
  // Counted within an epoch alone; between two nobody knows how many were spent.
  const far = furthest as typeof applied;
  const lag = epochOf(far) === epochOf(applied) ? Math.max(0, counterOf(far) - counterOf(applied)) : undefined;
  const { ensembleId, historyId, version, rules, digest, znodes, sessions, agoMillis, address } = member;
  const state = {
    id,
    address,
    reachable,
    standing,
    role,
    serving,
    reason: reason === "" ? undefined : reason,
    leader,
    epoch,
    acceptedEpoch,
  };
  return {
    ...state,
    ...zxids,
    lag,
    ensembleId,
    historyId,
    version,
    rules,
    digest,
    znodes,
    sessions,
    ago: formatDuration(agoMillis),
  };
}

export async function handOver(call: Call): Promise<void> {
  requireSuperUser(call, "hand the leadership over");
  const { json } = await readJsonBody(call, limits.requestBytes);
  const to = integerOf(json, "to", "body", 1, 255);
  if (to === undefined) throw bad("body.to is missing; give the id of the replica that shall lead");
  const settled = settle(call, await call.door.options.backend.handOver(to, timeoutOf(call)));
  if (settled !== undefined) sendJson(call, 200, settled, `{"to":${to},"zxid":"${formatZxid(settled.zxid)}"}`);
}

export function openapi(call: Call): void {
  refuseBody(call);
  sendJson(call, 200, byGateway, document);
}
