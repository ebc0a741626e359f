/** Sessions that the gateway opens for one place, for clients that showed none, and closes with it. */
import { createHash } from "node:crypto";
import { type Acting, type Identity, limits, type Path, utf8Length } from "@quorate/api";
import { type Failed, isFailed, settled } from "./answers.ts";
import type { EnterPorts } from "./enter.ts";
import type { QueueShape } from "./layout.ts";
import { SessionMemory } from "./memory.ts";

export interface Opened {
  readonly acting: Acting;
  readonly secret: Uint8Array;
}

/** By it other gateways know what the session was opened for. */
export function ownSessionName(recipe: QueueShape["recipe"], queue: Path): string {
  const name = `${recipe} ${queue}`;
  return utf8Length(name) <= limits.sessionNameBytes ? name : `${name.slice(0, 80)}…`;
}

export async function openSession(
  { backend, world, memory }: EnterPorts,
  request: {
    readonly identity: Identity;
    readonly name: string;
    readonly address: string;
    readonly timeoutMillis: number;
    readonly deadline: number;
  },
): Promise<Opened | Failed> {
  const { identity, name, address, timeoutMillis, deadline } = request;
  const secret = world.randomBytes(16);
  const secretHash = createHash("sha256").update(secret).digest();
  const operation = { kind: "createSession", role: "client", timeoutMillis, secretHash, name, address } as const;
  const answer = settled(await backend.write({ identity, operation }, Math.max(1, deadline - world.now())));
  if (isFailed(answer)) return answer;
  const { result } = answer.outcome;
  if (result.kind !== "session") throw new Error(`a session's opening answered ${result.kind}`);
  const { session } = result;
  memory.sessions.set(session, new SessionMemory(result.timeoutMillis, true, true));
  return { acting: { session, secretHash }, secret };
}

/** Nobody was told of it, or its place is given up; if this fails, its time ends it. */
export function closeUnused({ backend, memory }: EnterPorts, identity: Identity, acting: Acting): void {
  const { session } = acting;
  memory.sessions.delete(session);
  void backend.write({ identity, acting, operation: { kind: "closeSession", session } }, closeMillis);
}

const closeMillis = 10_000;
