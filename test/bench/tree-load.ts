/** Batches for the benchmarks of the tree: one gateway's lane, commands of a given kind. */
import {
  anyone,
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
import { rulesVersion } from "@quorate/tree";

const first = 2 ** 32 + 1;

export class Load {
  #last = 0;
  #sequence = 0;
  #stamp = 1_700_000_000_000;

  batch(commands: readonly Command[]): Batch {
    const begin = this.#last === 0 ? first : this.#last + 1;
    const last = begin + commands.length - 1;
    const batch: Batch = {
      first: begin as Zxid,
      last: last as Zxid,
      previous: this.#last as Zxid,
      commit: this.#last as Zxid,
      stamp: ++this.#stamp,
      rules: rulesVersion,
      checksum: 0,
      payload: joinCommands(commands.map(encodeCommand)),
    };
    this.#last = last;
    return batch;
  }

  /** The gateway's session, which carries the rest. */
  open(): Batch {
    const secretHash = new Uint8Array(32).fill(7);
    return this.batch([
      {
        identity: anyone,
        operation: {
          kind: "createSession",
          role: "gateway",
          timeoutMillis: 30_000,
          secretHash,
          name: "bench",
          address: "",
        },
      },
    ]);
  }

  writes(operations: readonly WriteOperation[]): Batch {
    return this.batch(
      operations.map((operation) => {
        const sequence = ++this.#sequence;
        const lane = {
          session: first as SessionId,
          attachment: 1,
          sequence,
          answeredUpTo: Math.max(0, sequence - 200),
        };
        return { lane, identity: anyone, operation };
      }),
    );
  }
}

export function pathOf(index: number): Path {
  return `/services/group-${String(index >> 10).padStart(4, "0")}/instance-${String(index).padStart(10, "0")}` as Path;
}

const value = new Uint8Array(100).map((_, at) => 32 + ((at * 7) % 90));

export function createOf(index: number): WriteOperation {
  return { kind: "create", path: pathOf(index), data: value, shape: persistentShape, sequential: false, parents: true };
}

export function setOf(index: number): WriteOperation {
  return { kind: "set", path: pathOf(index), data: value, condition: {} };
}
