/** `/v1/sessions`: opened, renewed, looked at, closed. A session belongs to no connection and to no gateway. */
import { createHash } from "node:crypto";
import { formatZxid, limits, type SessionId, type SessionInfo, utf8Length } from "@quorate/api";
import { readJsonBody, refuseBody } from "./body.ts";
import { actingOf, type Call, keyOf, readRequest, timeoutOf, writeRequest } from "./call.ts";
import { bad, RequestFault } from "./fault.ts";
import { textOf } from "./json-body.ts";
import { sendJson, sendProblem, sessionChallenge, settle } from "./reply.ts";
import { refusalOf } from "./session-keeping.ts";
import { timeText } from "./stat-json.ts";
import { formatDuration, readDuration, readInteger, readSessionId } from "./values.ts";
import { expectResult } from "./znodes.ts";

export async function createSession(call: Call): Promise<void> {
  const deadline = timeoutOf(call);
  const { json } = await readJsonBody(call, limits.requestBytes);
  const { sessionTimeoutMinMillis: least, sessionTimeoutMaxMillis: most } = limits;
  const text = textOf(json, "timeout", "body");
  const timeoutMillis =
    text === undefined ? limits.sessionTimeoutDefaultMillis : readDuration(text, "body.timeout", least, most);
  const name = textOf(json, "name", "body") ?? "";
  if (utf8Length(name) > limits.sessionNameBytes) throw bad(`body.name is over ${limits.sessionNameBytes} bytes`);
  const secret = call.door.options.world.randomBytes(16);
  const secretHash = createHash("sha256").update(secret).digest();
  const address = call.identity.ids.find((each) => each.scheme === "ip")?.id ?? "";
  const operation = { kind: "createSession", role: "client", timeoutMillis, secretHash, name, address } as const;
  const request = { identity: call.identity, operation };
  const settled = settle(call, await call.door.options.backend.write(request, deadline));
  if (settled === undefined) return;
  const result = expectResult(settled.outcome.result, "session");
  const id = formatZxid(result.session);
  const body = { id, secret: Buffer.from(secret).toString("hex"), timeout: formatDuration(result.timeoutMillis) };
  sendJson(call, 201, settled, JSON.stringify(body), ["Location", `/v1/sessions/${id}`]);
}

function idOf(call: Call): SessionId {
  return readSessionId(call.parameter, "id");
}

export async function renewSession(call: Call): Promise<void> {
  refuseBody(call);
  const session = idOf(call);
  const acting = actingOf(call);
  if (acting === undefined) throw unshown();
  if (acting.session !== session) {
    throw bad(`Quorate-Session: it names ${formatZxid(acting.session)}, but the path names ${formatZxid(session)}`);
  }
  const answer = await call.door.options.backend.renew(session, acting.secretHash, timeoutOf(call));
  const id = formatZxid(session);
  if (answer.kind === "renewed") {
    const { zxid, servedBy } = answer;
    const served = { zxid, servedBy, ageMillis: 0, replayed: false };
    sendJson(call, 200, served, `{"id":"${id}","zxid":"${formatZxid(zxid)}"}`);
    return;
  }
  const { problem, headers } = refusalOf(answer, session);
  sendProblem(call, problem, headers);
}

export function unshown(): RequestFault {
  const detail = "Quorate-Session is missing; send <id>:<secret> as POST /v1/sessions answered it";
  return new RequestFault("authFailed", detail, ["WWW-Authenticate", sessionChallenge]);
}

export async function getSession(call: Call): Promise<void> {
  refuseBody(call);
  const session = idOf(call);
  if (call.head.session === undefined && !call.identity.superUser) throw unshown();
  const request = readRequest(call, { kind: "getSession", session });
  const settled = settle(call, await call.door.options.backend.read(request, timeoutOf(call)), true);
  if (settled === undefined) return;
  const { info, ephemerals } = expectResult(settled.outcome.result, "sessionInfo");
  sendJson(call, 200, settled, JSON.stringify({ ...infoJson(info), ephemerals }), [], true);
}

/** `idle` stands there where the replica that answered can say it. */
function infoJson(info: SessionInfo): object {
  return {
    id: formatZxid(info.session),
    name: info.name,
    address: info.address,
    timeout: formatDuration(info.timeoutMillis),
    identity: info.identity,
    createdAt: timeText(info.createdAt),
    ephemeralCount: info.ephemeralCount,
    idle: info.idleMillis === undefined ? undefined : formatDuration(info.idleMillis),
  };
}

export async function listSessions(call: Call): Promise<void> {
  refuseBody(call);
  const limitText = call.query.text("limit");
  const limit =
    limitText === undefined ? limits.defaultPageNames : readInteger(limitText, "limit", 1, limits.pageNames);
  const token = call.query.text("continue");
  const place = token === undefined ? undefined : { after: readSessionId(token, "continue") };
  const request = readRequest(call, { kind: "listSessions", limit, ...place });
  const settled = settle(call, await call.door.options.backend.read(request, timeoutOf(call)), true);
  if (settled === undefined) return;
  const { sessions, more } = expectResult(settled.outcome.result, "sessionList");
  const last = more ? sessions.at(-1) : undefined;
  const body = {
    zxid: formatZxid(settled.zxid),
    sessions: sessions.map(infoJson),
    continue: last === undefined ? undefined : formatZxid(last.session),
  };
  sendJson(call, 200, settled, JSON.stringify(body), [], true);
}

/** With its ephemerals, in one transaction. */
export async function closeSession(call: Call): Promise<void> {
  refuseBody(call);
  const session = idOf(call);
  if (call.head.session === undefined && !call.identity.superUser) throw unshown();
  const key = keyOf(call, formatZxid(session), new Uint8Array(0));
  const request = writeRequest(call, { kind: "closeSession", session }, key);
  const settled = settle(call, await call.door.options.backend.write(request, timeoutOf(call)));
  if (settled === undefined) return;
  const { count } = expectResult(settled.outcome.result, "done");
  sendJson(call, 200, settled, `{"deleted":${count},"zxid":"${formatZxid(settled.zxid)}"}`);
}
