/**
 * ZooKeeper's port as a door like any other. Requests that its protocol has no words for are `NotAskable`; put, parents and deletion
 * with all below are asked as its clients ask them, with several requests. A linearizable read is one behind a `sync`.
 */
import assert from "node:assert/strict";
import { type WireClient, WireClosed } from "../../zookeeper/wire-client.ts";
import { type Answer, type Asked, type Bad, bytesOf, type Door, type Good, type Request, shown } from "./door.ts";
import { isLockAsk } from "./lock-asks.ts";
import { Refused, shownOf, ZookeeperConnections } from "./zookeeper-connections.ts";
import { askTxn } from "./zookeeper-txns.ts";
import {
  Answered,
  aclOf,
  badOf,
  createOf,
  good,
  NotAskable,
  send,
  statOf,
  versionOf,
  wireAcl,
} from "./zookeeper-values.ts";
import { askEvents, askStates } from "./zookeeper-watches.ts";

const noNode = -101;
const sessionExpired = -112;
const connectionLoss = -4;

type Ask<Op extends Request["op"]> = Extract<Asked, { readonly op: Op }>;

export class ZookeeperDoor implements Door {
  readonly name = "ZooKeeper";
  readonly #connections: ZookeeperConnections;

  constructor(port: number) {
    this.#connections = new ZookeeperConnections(port);
  }

  close(): void {
    this.#connections.close();
  }

  async ask(asked: Asked): Promise<Answer> {
    if (isLockAsk(asked)) throw new NotAskable("no request takes a lock");
    if (asked.terms.key !== undefined) throw new NotAskable("no request has a key");
    try {
      return await this.#ask(asked);
    } catch (error) {
      if (error instanceof Answered) return error.bad;
      if (error instanceof Refused) return badOf(sessionExpired, "the session");
      if (error instanceof WireClosed) return await this.#lost(asked, error);
      throw error;
    }
  }

  /** As a client would: it shows its session once more. */
  async #lost(asked: Asked, { message }: WireClosed): Promise<Bad> {
    const { session } = asked.terms;
    if (session !== undefined) {
      try {
        await this.#connections.of(asked.terms);
      } catch (error) {
        if (error instanceof Refused) return badOf(sessionExpired, "the session");
      }
    }
    return badOf(connectionLoss, `${asked.op} (${message})`);
  }

  #ask(asked: Asked): Promise<Answer> {
    switch (asked.op) {
      case "create":
      case "put":
      case "set":
      case "delete":
      case "setAcl":
        return this.#write(asked);
      case "get":
      case "exists":
      case "children":
      case "getAcl":
        return this.#read(asked);
      case "txn":
        return this.#connections.of(asked.terms).then((client) => askTxn(client, asked));
      case "watch":
        return this.#watch(asked);
      case "sync":
        return this.#sync(asked);
      default:
        return this.#session(asked);
    }
  }

  async #write(asked: Ask<"create" | "put" | "set" | "delete" | "setAcl">): Promise<Answer> {
    const { path } = asked;
    switch (asked.op) {
      case "create": {
        if (asked.kind === "ephemeral" && asked.terms.session === undefined) {
          throw new NotAskable("every request is on behalf of its connection's session");
        }
        const request = createOf(asked);
        const client = await this.#connections.of(asked.terms);
        if (asked.parents) await makeParents(client, path);
        const { zxid, result } = await send(client, request);
        return { ...good(zxid), path: result.path, stat: statOf(result.stat) };
      }
      case "put":
        return await this.#put(asked);
      case "set": {
        const version = versionOf(asked.condition);
        const client = await this.#connections.of(asked.terms);
        const { zxid, result } = await send(client, { op: "setData", path, data: bytesOf(asked.data), version });
        return { ...good(zxid), path, stat: statOf(result.stat) };
      }
      case "delete": {
        const version = versionOf(asked.condition);
        const client = await this.#connections.of(asked.terms);
        const below = asked.recursive ? await deleteBelow(client, path) : 0;
        const { zxid } = await send(client, { op: "delete", path, version });
        return { ...good(zxid), deleted: below + 1 };
      }
      case "setAcl": {
        const { aversion: version = -1, czxid } = asked;
        if (czxid !== undefined) throw new NotAskable("no condition but one version");
        const acl = wireAcl(asked.acl);
        const client = await this.#connections.of(asked.terms);
        const { zxid, result } = await send(client, { op: "setAcl", path, acl, version });
        return { ...good(zxid), path, stat: statOf(result.stat) };
      }
    }
  }

  /** Looks, and makes or sets it. */
  async #put(asked: Ask<"put">): Promise<Answer> {
    const { path, condition, terms } = asked;
    const data = bytesOf(asked.data);
    const version = versionOf(condition);
    const client = await this.#connections.of(terms);
    const looks = condition?.exists === undefined && condition?.version === undefined;
    const isThere = looks
      ? (await client.send({ op: "exists", path, watch: false })).error === 0
      : condition?.exists !== false;
    if (isThere) {
      if (asked.kind ?? asked.ttlMillis ?? asked.acl) throw new NotAskable("what is there is set by its data alone");
      const { zxid, result } = await send(client, { op: "setData", path, data, version });
      return { ...good(zxid), path, stat: statOf(result.stat), created: false };
    }
    if (asked.parents) await makeParents(client, path);
    const { zxid, result } = await send(client, createOf({ ...asked, op: "create" }));
    return { ...good(zxid), path: result.path, stat: statOf(result.stat), created: true };
  }

  async #read(asked: Ask<"get" | "exists" | "children" | "getAcl">): Promise<Answer> {
    const { path, terms } = asked;
    const { consistency = "linearizable", maxStaleMillis } = terms;
    if (consistency === "stale" || maxStaleMillis !== undefined) throw new NotAskable("no read may be stale");
    const client = await this.#connections.of(terms);
    if (consistency === "linearizable") await send(client, { op: "sync", path: "/" });
    const head = (zxid: bigint): Good => ({ ...good(zxid), consistency });
    switch (asked.op) {
      case "get": {
        const { zxid, result } = await send(client, { op: "getData", path, watch: false });
        assert.ok(result.data, "nobody has written null");
        return { ...head(zxid), path, data: shown(result.data), stat: statOf(result.stat) };
      }
      case "exists": {
        const { zxid, error, result } = await client.send({ op: "exists", path, watch: false });
        if (error !== 0 && error !== noNode) return badOf(error, "exists", path);
        return { ...head(zxid), exists: error === 0, ...(result ? { stat: statOf(result.stat) } : {}) };
      }
      case "children": {
        const { limit, token, withData } = asked;
        if (limit ?? token) throw new NotAskable("children are told all at once");
        if (withData) throw new NotAskable("children are told by their names alone");
        const { zxid, result } = await send(client, { op: "getChildren", path, watch: false });
        return { ...head(zxid), names: result.children };
      }
      case "getAcl": {
        const { zxid, result } = await send(client, { op: "getAcl", path });
        return { ...head(zxid), acl: aclOf(result.acl), aversion: result.stat.aversion };
      }
    }
  }

  async #sync({ terms }: Ask<"sync">): Promise<Answer> {
    const { zxid } = await send(await this.#connections.of(terms), { op: "sync", path: "/" });
    return good(zxid);
  }

  async #watch(asked: Ask<"watch">): Promise<Answer> {
    if (asked.after === undefined) return await askStates(await this.#connections.of(asked.terms), asked);
    if (asked.withData) throw new NotAskable("events have no data");
    // Its watches are to be its own; a session that is shown has no other connection then.
    const client = await this.#connections.alone(asked.terms);
    try {
      return await askEvents(client, asked, asked.after);
    } finally {
      if (asked.terms.session === undefined) await client.close();
      else client.cut();
    }
  }

  async #session(asked: Asked): Promise<Answer> {
    const { terms } = asked;
    if ("id" in asked && asked.id !== undefined) throw new NotAskable("a session is the connection's own");
    switch (asked.op) {
      case "createSession": {
        if ((asked.name ?? "").length > 256) throw new NotAskable("a session has no name");
        const client = await this.#connections.open(terms.as, asked.timeoutMillis ?? 30_000);
        const { zxid } = await send(client, { op: "ping" });
        const { session: id, secret } = shownOf(client);
        return { ...good(zxid), id, secret, timeoutMillis: client.timeoutMillis };
      }
      case "renewSession": {
        const { zxid } = await send(await this.#connections.of(terms), { op: "ping" });
        return good(zxid);
      }
      case "getSession": {
        const client = await this.#connections.of(terms);
        const { zxid, result } = await send(client, { op: "getEphemerals", prefix: "/" });
        return { ...good(zxid), ephemerals: result.ephemerals };
      }
      case "closeSession": {
        const { zxid } = await send(await this.#connections.of(terms), { op: "closeSession" });
        return good(zxid);
      }
      case "tree":
        throw new NotAskable("no request tells a tree");
      default:
        throw new NotAskable("what operators ask has no request here");
    }
  }
}

async function makeParents(client: WireClient, path: string): Promise<void> {
  for (let at = path.indexOf("/", 1); at > 0; at = path.indexOf("/", at + 1)) {
    const parent = path.slice(0, at);
    const { error } = await client.send({ op: "exists", path: parent, watch: false });
    if (error === noNode) await send(client, createOf({ op: "create", path: parent }));
  }
}

async function deleteBelow(client: WireClient, path: string): Promise<number> {
  const { result } = await send(client, { op: "getChildren", path, watch: false });
  let count = 0;
  for (const name of result.children) {
    const child = `${path}/${name}`;
    count += (await deleteBelow(client, child)) + 1;
    await send(client, { op: "delete", path: child, version: -1 });
  }
  return count;
}
