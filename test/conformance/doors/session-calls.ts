/**
 * gRPC's unary calls asked on `Session` streams instead, where these have them: one stream for each identity and session, a
 * session of its own where the request names none. All else is asked by unary calls.
 */
import assert from "node:assert/strict";
import type { v1 } from "@quorate/proto";
import { type Asking, Caller, type Inbox } from "../grpc-client.ts";

type Operation = Exclude<keyof v1.SessionOperation, "requestId" | "sequence" | "timeout">;

const operations: Readonly<Record<string, Operation>> = {
  Create: "create",
  Put: "put",
  Set: "set",
  Delete: "delete",
  SetAcl: "setAcl",
  Txn: "txn",
  Get: "get",
  Exists: "exists",
  ListChildren: "listChildren",
  GetAcl: "getAcl",
  Sync: "sync",
};
const writes = /^(create|put|set|delete|setAcl)$/;

/** What a stream answers an operation that fails. */
export class StreamFailure extends Error {
  readonly failure: v1.Failure;

  constructor(failure: v1.Failure) {
    super(failure.detail);
    this.failure = failure;
  }
}

interface Stream {
  readonly inbox: Inbox<v1.SessionResponse>;
  requests: number;
  sequence: number;
}

interface Request {
  readonly options?: { readonly sessionId?: number | undefined };
  readonly then?: readonly v1.TxnOperation[];
  readonly otherwise?: v1.TxnBranch;
}

export class SessionCaller extends Caller {
  readonly #streams = new Map<string, Promise<Stream>>();

  override async call<Name extends Parameters<Caller["call"]>[0]>(
    name: Name,
    request: Parameters<Caller["call"]>[1],
    asking: Asking = {},
  ): Promise<never> {
    const operation = operations[name];
    if (operation === undefined) return (await super.call(name, request as never, asking)) as never;
    return (await this.#ask(operation, request as Request, asking)) as never;
  }

  async #ask(operation: Operation, request: Request, asking: Asking): Promise<unknown> {
    const {
      authorization = "",
      "quorate-session-secret": secret = "",
      "grpc-timeout": timeout,
    } = asking.metadata ?? {};
    const id = request.options?.sessionId ?? 0;
    const key = `${authorization} ${id} ${secret}`;
    const opening = this.#streams.get(key) ?? this.#open(authorization, id, secret);
    this.#streams.set(key, opening);
    try {
      const stream = await opening;
      return await this.#exchange(stream, operation, request, timeout);
    } catch (error) {
      // It is over: who asks again opens another.
      if (!(error instanceof StreamFailure)) this.#streams.delete(key);
      throw error;
    }
  }

  async #open(authorization: string, given: number, shown: string): Promise<Stream> {
    const identity: Record<string, string> = authorization === "" ? {} : { authorization };
    let [sessionId, secret] = [given, shown];
    if (given === 0) {
      const session = await super.call("CreateSession", { timeout: { seconds: 3600 } }, { metadata: identity });
      [sessionId, secret] = [session.sessionId ?? 0, session.secret ?? ""];
    }
    const inbox = this.session({ metadata: identity });
    inbox.send({ open: { sessionId, secret } });
    const { opened } = await inbox.next();
    assert.ok(opened, "opened comes first");
    return { inbox, requests: 0, sequence: opened.lastSequence ?? 0 };
  }

  async #exchange(
    stream: Stream,
    operation: Operation,
    request: Request,
    timeout: string | undefined,
  ): Promise<unknown> {
    stream.requests++;
    const requestId = stream.requests;
    const isWrite = writes.test(operation) || (operation === "txn" && writesSomething(request));
    const sequence = isWrite ? stream.sequence + 1 : 0;
    const millis = timeout === undefined ? undefined : Number(timeout.slice(0, -1));
    const limit = millis === undefined ? {} : { timeout: { seconds: 0, nanos: millis * 1e6 } };
    stream.inbox.send({
      operations: [{ requestId, sequence, ...limit, [operation]: request }],
      answeredUpTo: stream.sequence,
    });
    let reply: v1.SessionReply | undefined;
    await stream.inbox.until(() => {
      reply = stream.inbox.all.flatMap((each) => each.replies ?? []).find((each) => each.requestId === requestId);
      return reply !== undefined;
    });
    assert.ok(reply);
    stream.inbox.all.length = 0;
    if (isWrite && reply.decided) stream.sequence = sequence;
    if (reply.error !== undefined) throw new StreamFailure(reply.error);
    assert.equal(reply.decided ?? false, isWrite, "a write that succeeds has used its number");
    return reply[operation as keyof v1.SessionReply];
  }
}

function writesSomething({ then = [], otherwise }: Request): boolean {
  const all = [...then, ...(otherwise?.operations ?? [])];
  return all.some(({ create, put, set, delete: del, setAcl }) => create ?? put ?? set ?? del ?? setAcl);
}
