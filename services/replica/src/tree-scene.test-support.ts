/** For tests: a tree to which batches of writes are applied, and a stream to a gateway that notes what is sent on it. */
import {
  type Acting,
  anyone,
  assert,
  type Batch,
  type Command,
  encodeCommand,
  joinCommands,
  type Path,
  persistentShape,
  type SessionId,
  type WriteOperation,
  type Zxid,
} from "@quorate/api";
import { decodeToGateway, type ToGateway } from "@quorate/proto";
import { type Applied, Tree, type TreeOptions } from "@quorate/tree";
import type { GatewayConnection } from "./gateways.ts";

const firstZxid = (2 ** 32 + 1) as Zxid;
const secretHash = new Uint8Array(32);

export class TreeScene {
  tree: Tree;
  readonly batches: Batch[] = [];
  /** Called behind each batch. */
  applied: (results: readonly Applied[], tree: Tree) => void = () => undefined;
  /** The gateway's session. */
  readonly lane = firstZxid as number as SessionId;
  #sequence = 0;

  constructor(options: TreeOptions = {}) {
    this.tree = new Tree(options);
    this.commit([{ identity: anyone, operation: session("gateway") }]);
  }

  commit(commands: readonly Command[]): readonly Applied[] {
    const { applied } = this.tree;
    const first = applied === 0 ? firstZxid : ((applied + 1) as Zxid);
    const batch = {
      first,
      last: (first + commands.length - 1) as Zxid,
      previous: applied,
      commit: applied,
      stamp: 1000 + this.batches.length,
      rules: 1,
      checksum: this.batches.length,
      payload: joinCommands(commands.map(encodeCommand)),
    };
    this.batches.push(batch);
    const results = this.tree.apply(batch);
    this.applied(results, this.tree);
    return results;
  }

  /** Of the gateway's lane, in one batch. */
  write(...operations: readonly WriteOperation[]): readonly Applied[] {
    return this.#write(operations);
  }

  #write(operations: readonly WriteOperation[], acting?: Acting): readonly Applied[] {
    return this.commit(
      operations.map((operation) => {
        const sequence = ++this.#sequence;
        const lane = { session: this.lane, attachment: 1, sequence, answeredUpTo: Math.max(0, sequence - 20) };
        const command = { lane, identity: { ids: [], superUser: true }, operation };
        return acting === undefined ? command : { ...command, acting };
      }),
    );
  }

  openSession(): Acting {
    const outcome = this.write(session("client"))[0]?.outcome;
    assert(outcome !== undefined && outcome !== "gap" && outcome.ok, "a session opens");
    return { session: outcome.zxid as number as SessionId, secretHash };
  }

  close(acting: Acting): void {
    this.#write([{ kind: "closeSession", session: acting.session }], acting);
  }

  expire(acting: Acting): void {
    this.commit([{ identity: anyone, operation: { kind: "expireSession", session: acting.session } }]);
  }
}

function session(role: "gateway" | "client"): WriteOperation {
  return { kind: "createSession", role, timeoutMillis: 10_000, secretHash, name: "", address: "" };
}

export function create(path: string, more: object = {}): WriteOperation {
  const data = new Uint8Array(0);
  return {
    kind: "create",
    path: path as Path,
    data,
    shape: persistentShape,
    sequential: false,
    parents: false,
    ...more,
  };
}

export function set(path: string): WriteOperation {
  return { kind: "set", path: path as Path, data: new Uint8Array(3), condition: {} };
}

export class TestStream implements GatewayConnection {
  readonly name = "a gateway";
  readonly rules: number;
  readonly queuedBytes = 0;
  readonly #sent: Uint8Array[] = [];

  constructor(rules = 0) {
    this.rules = rules;
  }

  send(message: Uint8Array): void {
    this.#sent.push(message);
  }

  flush(): void {}

  close(why: string): void {
    throw new Error(why);
  }

  /** The bytes that were sent since the last look. */
  bytes(): readonly Uint8Array[] {
    return this.#sent.splice(0);
  }

  /** As messages. */
  taken(): readonly ToGateway[] {
    return this.bytes().map((each) => {
      const message = decodeToGateway(each);
      assert(message !== undefined, "what is sent decodes");
      return message;
    });
  }
}
