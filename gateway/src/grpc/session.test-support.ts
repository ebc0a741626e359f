/** Sessions of the Session stream's tests: opened through a real client, and what came on them. */
import assert from "node:assert/strict";
import type { v1 } from "@quorate/proto";
import type { Caller, Inbox } from "../../../test/conformance/grpc-client.ts";

export interface Opened {
  readonly id: number;
  readonly secret: string;
  readonly inbox: Inbox<v1.SessionResponse>;
  readonly opened: v1.SessionOpened;
}

export async function create(caller: Caller): Promise<{ id: number; secret: string }> {
  const { sessionId = 0, secret = "" } = await caller.call("CreateSession", { timeout: { seconds: 5 } });
  return { id: sessionId, secret };
}

export async function open(caller: Caller, known?: { id: number; secret: string }, answeredUpTo = 0): Promise<Opened> {
  const { id, secret } = known ?? (await create(caller));
  const inbox = caller.session();
  inbox.send({ open: { sessionId: id, secret, answeredUpTo } });
  const { opened } = await inbox.next();
  assert.ok(opened);
  return { id, secret, inbox, opened };
}

export const repliesOf = (inbox: Inbox<v1.SessionResponse>): v1.SessionReply[] =>
  inbox.all.flatMap((each) => each.replies ?? []);

export async function replies(inbox: Inbox<v1.SessionResponse>, count: number): Promise<v1.SessionReply[]> {
  await inbox.until(() => repliesOf(inbox).length >= count);
  return repliesOf(inbox);
}

/** What came, in the order of the stream: events of a message stand before its replies. */
export function story(inbox: Inbox<v1.SessionResponse>): string[] {
  return inbox.all.flatMap(({ events = [], replies: answered = [] }) => [
    ...events.map(({ watchId, watch, error }) =>
      error === undefined
        ? `${watchId}: ${(watch?.events ?? []).map(({ type, path }) => `${type?.slice(5)} ${path}`).join(", ")}`
        : `${watchId}: ${error.reason}`,
    ),
    ...answered.map((each) => `reply ${each.requestId} ${each.error?.reason ?? each.result}`),
  ]);
}
