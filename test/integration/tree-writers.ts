/**
 * Clients that create, change and delete znodes of a few small trees as fast as they are answered, alone and in transactions,
 * and note what each acknowledged write must have changed, and at which zxid.
 */
import { Poller } from "../conformance/watch-client.ts";
import { sleep } from "./ensemble.ts";

export interface TreeWritersOptions {
  /** Tried in turn. */
  readonly doors: readonly string[];
  readonly trees: readonly string[];
  readonly clients: number;
}

interface Write {
  readonly method: string;
  readonly target: string;
  readonly body?: string;
  /** By the answer's JSON. */
  readonly changed: (body: Answer, status: number) => readonly string[];
}

interface Answer {
  readonly path: string;
  readonly results: readonly { readonly path: string; readonly created?: boolean; readonly deleted?: number }[];
}

const names = 12;
const put = (path: string): Write => ({
  method: "PUT",
  target: `/v1/znodes${path}`,
  body: "x",
  changed: (_, status) => [`${status === 201 ? "created" : "changed"} ${path}`],
});
const remove = (path: string): Write => ({
  method: "DELETE",
  target: `/v1/znodes${path}`,
  changed: () => [`deleted ${path}`],
});

export class TreeWriters {
  /** `type path`, in order, by the zxid of the acknowledged write. */
  readonly changed = new Map<string, readonly string[]>();
  unknown = 0;
  refused = 0;
  readonly #options: TreeWritersOptions;
  #running = true;
  readonly #loops: readonly Promise<void>[];

  constructor(options: TreeWritersOptions) {
    this.#options = options;
    this.#loops = Array.from({ length: options.clients }, (_, client) => this.#run(client));
    for (const each of this.#loops) each.catch(() => {});
  }

  async stop(): Promise<void> {
    this.#running = false;
    await Promise.all(this.#loops);
  }

  async #run(client: number): Promise<void> {
    const { doors } = this.#options;
    let at = client;
    let seed = client + 1;
    const random = (below: number): number => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed % below;
    };
    const pollers = doors.map((door) => new Poller(door, { "quorate-timeout": "3s" }));
    while (this.#running) {
      const served = await this.#write(pollers[at % doors.length] as Poller, this.#draw(random));
      if (served) continue;
      at += 1;
      await sleep(20);
    }
    for (const each of pollers) each.close();
  }

  #path(random: (below: number) => number): string {
    const { trees } = this.#options;
    const name = random(names);
    const path = `${trees[random(trees.length)]}/n${name}`;
    return name < 4 && random(2) === 0 ? `${path}/s${random(4)}` : path;
  }

  #draw(random: (below: number) => number): Write {
    const kind = random(10);
    if (kind < 5) return put(this.#path(random));
    if (kind < 7) return remove(this.#path(random));
    if (kind < 9) return this.#txn(random, random(20) === 0 ? 40 : 5);
    const { trees } = this.#options;
    const target = `/v1/znodes${trees[random(trees.length)]}?prefix=q-`;
    return { method: "POST", target, body: "", changed: ({ path }) => [`created ${path}`] };
  }

  #txn(random: (below: number) => number, size: number): Write {
    // No path twice, so that each operation is one change.
    const paths = new Set(Array.from({ length: size }, () => this.#path(random)));
    const then = [...paths].map((path) =>
      random(12) === 0 ? { op: "delete", path } : { op: "put", path, data: String(size) },
    );
    return {
      method: "POST",
      target: "/v1/txn",
      body: JSON.stringify({ then }),
      changed: ({ results }) =>
        results.map(({ path, created, deleted }) => {
          if (deleted !== undefined) return `deleted ${path}`;
          return `${created ? "created" : "changed"} ${path}`;
        }),
    };
  }

  /** False: the door did not serve. */
  async #write(poller: Poller, { method, target, body, changed }: Write): Promise<boolean> {
    const headers = target === "/v1/txn" ? { "content-type": "application/json" } : {};
    const answer = await poller.send(method, target, headers, body).catch(() => undefined);
    const status = answer?.status ?? 0;
    if (answer !== undefined && status >= 200 && status < 300) {
      this.changed.set(String(answer.headers["quorate-zxid"]), changed(answer.body as Answer, status));
      return true;
    }
    if (status === 404 || status === 409 || status === 503) this.refused += 1;
    else if (status === 0 || status === 502 || status === 504) this.unknown += 1;
    else throw new Error(`${method} ${target}: ${status} ${answer?.text}`);
    return status === 404 || status === 409;
  }
}
