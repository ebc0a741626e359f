/** What locks and elections have in common: who asks for a place and how, waiting for a turn, and what is answered. */
import { isUtf8 } from "node:buffer";
import { type Acting, formatZxid, limits, type Path, type Zxid, zeroZxid } from "@quorate/api";
import type { Contest, Place, RecipeAnswer, RecipeRead, Waiting } from "../recipes/recipes.ts";
import { refuseBody } from "./body.ts";
import { actingOf, type Call, freshnessOf, keyOf, pathOf, timeoutOf } from "./call.ts";
import { answerFault } from "./dispatch.ts";
import { bad, problemOfFailure, problemOfUnavailable } from "./fault.ts";
import { lockPath } from "./fences.ts";
import { type Served, sendJson, sendProblem, sessionChallenge } from "./reply.ts";
import { unshown } from "./sessions.ts";
import type { Encoding } from "./stat-json.ts";
import { formatDuration, readAclText, readDuration, readZxid } from "./values.ts";
import { type Awaited, WaitingCall } from "./waiting-call.ts";

/** The name in the path. */
export function queueOf(call: Call): Path {
  return lockPath(pathOf(call), (fault) => bad(`path: ${fault}`));
}

/** As it stands in the path. */
export function nameOf(queue: Path): string {
  return queue.slice(1);
}

/** What differs between the calls for one place: they are one request under a key. */
const passing = ["wait", "timeout", "token"];

export function contestOf(call: Call, path: Path, data: Uint8Array): Contest {
  const { query, head, identity } = call;
  const acting = actingOf(call);
  const timeout = query.text("timeout");
  const token = tokenOf(call);
  const wait = query.text("wait");
  const acl = query.text("acl");
  if (acting === undefined) {
    if (token !== undefined) throw bad("token: it is a session's; send that in Quorate-Session");
    if (head.key !== undefined) {
      throw bad(
        "Idempotency-Key: it needs a session, or the secret of the one that is opened would be lost with its answer",
      );
    }
  } else if (timeout !== undefined) {
    throw bad("timeout: it is of a session that is opened, and Quorate-Session names one that is; leave it out");
  }
  const { sessionTimeoutMinMillis: least, sessionTimeoutMaxMillis: most, sessionTimeoutDefaultMillis } = limits;
  const waitMillis = wait === undefined ? 0 : readDuration(wait, "wait", 0, limits.watchWaitMaxMillis);
  const key = keyOf(call, path, data, passing);
  return {
    identity,
    path,
    data,
    address: identity.ids.find((each) => each.scheme === "ip")?.id ?? "",
    sessionTimeoutMillis:
      timeout === undefined ? sessionTimeoutDefaultMillis : readDuration(timeout, "timeout", least, most),
    waitMillis,
    ...(acting === undefined ? undefined : { acting }),
    ...(acl === undefined ? undefined : { acl: readAclText(acl, "acl") }),
    ...(token === undefined ? undefined : { token }),
    ...(key === undefined ? undefined : { key }),
  };
}

/** The place that is meant. */
function tokenOf({ query }: Call): Zxid | undefined {
  const text = query.text("token");
  if (text === undefined) return undefined;
  const token = readZxid(text, "token");
  if (token === zeroZxid) throw bad("token: zero never was one; send it as the answer had it, or leave it out");
  return token;
}

/** The session whose place it is. */
export function ownerOf(call: Call): Acting {
  const acting = actingOf(call);
  if (acting === undefined) throw unshown();
  return acting;
}

export function recipeReadOf(call: Call, path: Path): RecipeRead {
  const acting = actingOf(call);
  const read = { identity: call.identity, path, ...freshnessOf(call.head) };
  return acting === undefined ? read : { ...read, acting };
}

/** What was done, or undefined when the failure has been answered. */
export function settleRecipe<T>(call: Call, answer: RecipeAnswer<T>): (Served & { readonly value: T }) | undefined {
  if (answer.kind === "unavailable") {
    sendProblem(call, problemOfUnavailable(answer));
    return undefined;
  }
  const { servedBy } = answer;
  if (answer.kind === "done") {
    const { value, zxid, ageMillis } = answer;
    return { value, zxid, servedBy, ageMillis, replayed: false };
  }
  const { failure } = answer;
  const challenge = failure.code === "authFailed" ? ["WWW-Authenticate", sessionChallenge] : [];
  sendProblem(call, problemOfFailure(failure, servedBy === 0 ? "gateway" : String(servedBy), false), challenge);
  return undefined;
}

/** Waits as watchers do, who are no requests under way; for how long is the recipes' business. */
export function awaitPlace(call: Call, begin: () => Waiting<Place>, say: (place: Place, served: Served) => void): void {
  new Turn(call, begin, say).start();
}

class Turn implements Awaited {
  readonly #call: Call;
  readonly #begin: () => Waiting<Place>;
  readonly #say: (place: Place, served: Served) => void;
  readonly #waiting: WaitingCall;
  #place: Waiting<Place> | undefined;
  #answered = false;

  constructor(call: Call, begin: () => Waiting<Place>, say: (place: Place, served: Served) => void) {
    this.#call = call;
    this.#begin = begin;
    this.#say = say;
    this.#waiting = new WaitingCall(call, call.route.operationId, this);
  }

  start(): void {
    this.#waiting.start();
    void this.#run().catch((fault: unknown) => {
      const { door, request, response } = this.#call;
      this.#waiting.gone();
      answerFault(door, request, response, fault);
    });
  }

  async #run(): Promise<void> {
    this.#place = this.#begin();
    if (this.#waiting.overdue) this.late();
    const answer = await this.#place.answer;
    this.#answered = true;
    this.#waiting.finish(() => {
      const settled = settleRecipe(this.#call, answer);
      if (settled !== undefined) this.#say(settled.value, settled);
    });
  }

  late(): void {
    this.#place?.finish();
  }

  /** The place stays, and is found again at another gateway. */
  close(): void {
    if (!this.#answered) this.#place?.abandon();
  }
}

/** `first`: the keys that the two kinds of places call differently. */
export function sendPlace(call: Call, queue: Path, first: object, place: Place, served: Served): void {
  const { held, token, znode, layout, permits, ahead, session, secret, sessionTimeoutMillis } = place;
  const body = {
    name: nameOf(queue),
    ...first,
    token: held ? formatZxid(token) : undefined,
    layout,
    permits,
    znode,
    ahead,
    session: {
      id: formatZxid(session),
      secret: secret === undefined ? undefined : Buffer.from(secret).toString("hex"),
      timeout: formatDuration(sessionTimeoutMillis),
    },
    zxid: formatZxid(served.zxid),
  };
  sendJson(call, held ? 200 : 202, served, JSON.stringify(body));
}

/** Releases and resignations are alike. */
export async function giveUp(call: Call, of: "release" | "resign"): Promise<void> {
  refuseBody(call);
  const path = queueOf(call);
  const token = tokenOf(call);
  const place = { identity: call.identity, path, acting: ownerOf(call) };
  const request = token === undefined ? place : { ...place, token };
  const settled = settleRecipe(call, await call.door.options.recipes[of](request, timeoutOf(call)));
  if (settled === undefined) return;
  const body = { name: nameOf(path), znode: settled.value.znode, zxid: formatZxid(settled.zxid) };
  sendJson(call, 200, settled, JSON.stringify(body));
}

/** Text where the bytes are valid UTF-8. */
export function textOf(
  data: Uint8Array,
  forced: Encoding | undefined,
): { readonly text: string; readonly encoding: Encoding } {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  if (forced === "base64" || !isUtf8(bytes)) return { text: bytes.toString("base64"), encoding: "base64" };
  return { text: bytes.toString("utf8"), encoding: "utf-8" };
}
