/**
 * The requests of a connection whose session is attached, given to its lane in order and answered in order. What takes several
 * calls, or concerns what the door itself keeps, is in files of its own.
 */
import { type AuthId, errors, isBadPath, parsePath, zeroZxid } from "@quorate/api";
import type { ConnectionContext, ConnectionWatches, Slot } from "./context.ts";
import type { LaneCalls } from "./lane-calls.ts";
import { type CreateRequest, codes, type PathReadRequest, type Request, type RequestBody } from "./messages.ts";
import { allChildrenOf, readMany, writeMany } from "./multi.ts";
import { changesSomething } from "./read-only.ts";
import type { ReplyBody } from "./reply.ts";
import { toAcl, toChildren, toChildrenAndStat, toData, toNothing, toPath, toPathAndStat, toStat } from "./results.ts";
import { countBelow, listEphemerals } from "./seldom-reads.ts";
import { createOf, deleteOf, setAclOf, setOf } from "./writes.ts";

export interface OperationsOptions {
  readonly context: ConnectionContext;
  readonly calls: LaneCalls;
  readonly watches: ConnectionWatches;
  /** Nothing more is begun; the connection is closed once all replies are put out. */
  finish(): void;
}

const createType = 1;
/** Beside the digest that made it one. */
const superId: AuthId = { scheme: "super", id: "" };

export class Operations {
  readonly #options: OperationsOptions;

  constructor(options: OperationsOptions) {
    this.#options = options;
  }

  /** All but ping, auth and sasl, which have no place in the order. */
  begin({ body }: Request, slot: Slot): void {
    const { calls, context } = this.#options;
    if (context.readOnly && changesSomething(body.op)) return this.#fill(slot, codes.notReadOnly);
    switch (body.op) {
      case "getData":
      case "exists":
      case "getChildren":
      case "getChildren2":
        return this.#readPath(body, slot);
      case "setData":
        return calls.write(setOf(body), slot, toStat);
      case "create":
        return this.#create(body, slot);
      case "delete":
        return calls.write(deleteOf(body), slot, toNothing);
      case "multi":
        return writeMany(context, calls, body.operations, slot);
      default:
        return this.#beginSeldom(body, slot);
    }
  }

  #create(request: CreateRequest, slot: Slot): void {
    this.#options.calls.write(createOf(request), slot, request.type === createType ? toPath : toPathAndStat);
  }

  #readPath({ op, path: text, watch }: PathReadRequest, slot: Slot): void {
    const { calls, watches } = this.#options;
    const path = parsePath(text);
    // ZooKeeper looks it up and finds nothing.
    if (isBadPath(path)) {
      const isRefused = op === "exists" && text.includes("\0");
      return this.#fill(slot, isRefused ? codes.badArguments : codes.noNode);
    }
    if (watch) {
      slot.leaving = watches.expect(op === "getChildren2" ? "getChildren" : op, path);
      if (slot.leaving === undefined) return this.#fill(slot, errors.throttled.zookeeper);
    }
    switch (op) {
      case "getData":
        return calls.read({ kind: "get", path }, slot, toData);
      case "exists":
        return calls.read({ kind: "exists", path }, slot, toStat);
      case "getChildren":
        return calls.read(allChildrenOf(path), slot, toChildren);
      case "getChildren2":
        return calls.read(allChildrenOf(path), slot, toChildrenAndStat);
    }
  }

  #beginSeldom(body: RequestBody, slot: Slot): void {
    const { watches, calls, context } = this.#options;
    switch (body.op) {
      case "getAcl":
        return this.#readAcl(body.path, slot);
      case "setAcl":
        return calls.write(setAclOf(body), slot, toStat);
      case "sync":
        return calls.read({ kind: "sync" }, slot, () => ({ kind: "path", path: body.path }), "linearizable");
      case "multiRead":
        return readMany(context, calls, body.operations, slot);
      case "addWatch":
        return watches.addWatch(body.path, body.mode, slot);
      case "setWatches":
        return watches.setWatches(body, slot);
      case "checkWatches":
        return watches.checkWatches(body.path, body.watcherType, slot);
      case "removeWatches":
        return watches.removeWatches(body.path, body.watcherType, slot);
      case "getEphemerals":
        return listEphemerals(context, body.path, slot);
      case "getAllChildrenNumber":
        return countBelow(context, body.path, slot);
      case "closeSession":
        return this.#closeSession(slot);
      default:
        return this.#beginPlain(body, slot);
    }
  }

  #readAcl(text: string, slot: Slot): void {
    const path = parsePath(text);
    if (isBadPath(path)) return this.#fill(slot, codes.noNode);
    this.#options.calls.read({ kind: "getAcl", path }, slot, toAcl);
  }

  /** Its ephemerals are gone when it is answered; then the connection is closed. */
  #closeSession(slot: Slot): void {
    const { context, calls, watches, finish } = this.#options;
    finish();
    // No reply waits any more for events of a session that is about to be over.
    watches.close();
    calls.submit({ kind: "closeSession", session: context.acting.session }, slot, (outcome) => {
      if (outcome.ok) context.replies.fill(slot, outcome.zxid, codes.ok);
      else calls.fail(slot, outcome);
    });
  }

  /** What is answered here. */
  #beginPlain(body: RequestBody, slot: Slot): void {
    switch (body.op) {
      case "whoAmI": {
        const { ids, superUser } = this.#options.context.identity();
        const shown = ids.map(({ scheme, id }) => ({ scheme, id: userOf(scheme, id) }));
        return this.#fill(slot, codes.ok, { kind: "identities", ids: superUser ? [superId, ...shown] : shown });
      }
      case "reconfig":
        return this.#fill(slot, codes.reconfigDisabled);
      case "malformed":
        return this.#fill(slot, codes.marshallingError);
      default:
        // As ZooKeeper does: who asks so speaks another protocol.
        this.#fill(slot, codes.unimplemented);
        return this.#options.finish();
    }
  }

  /** By the door itself. */
  #fill(slot: Slot, code: number, body?: ReplyBody): void {
    this.#options.context.replies.fill(slot, zeroZxid, code, body);
  }
}

/** ClientInfo shows no hash. */
function userOf(scheme: string, id: string): string {
  return scheme === "digest" ? (id.split(":")[0] ?? "") : id;
}
