/**
 * Somebody who changes a few znodes all the time and knows exactly what he did: he writes through REST, each time under a key and
 * until he is answered. What readers of the ZooKeeper port are told is held against it.
 */
import { ask, show } from "./door-client.ts";
import { sleep } from "./ensemble.ts";
import type { ZookeeperClient } from "./zookeeper-client.ts";
import type { Written } from "./zookeeper-client-watches.ts";

const pauseMillis = 25;
const listed = 6;

export class News {
  /** In zxid order. */
  readonly written: Written[] = [];
  readonly root: string;
  readonly #base: string;
  #turn = 0;
  #key = 0;
  #there = false;
  readonly #names: string[] = [];
  #stopped = false;
  #abandoned = false;
  #running: Promise<void> | undefined;

  /** Through the REST door at `base`, which must not be struck. */
  constructor(base: string, root: string) {
    this.#base = base;
    this.root = root;
  }

  async start(): Promise<void> {
    for (const path of ["", "/data", "/list", "/quiet"]) await this.#write("PUT", `${this.root}${path}`, "created");
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  /** As `stop`, where nobody answers any more. */
  abandon(): void {
    this.#stopped = true;
    this.#abandoned = true;
  }

  /** Changed at no other time. */
  async setQuiet(): Promise<void> {
    await this.#write("PUT", `${this.root}/quiet`, "changed");
  }

  async #run(): Promise<void> {
    const { root } = this;
    for (; !this.#stopped; this.#turn++) {
      switch (this.#turn % 3) {
        case 0:
          await this.#write("PUT", `${root}/data`, "changed");
          break;
        case 1:
          await this.#write(this.#there ? "DELETE" : "PUT", `${root}/brief`, this.#there ? "deleted" : "created");
          this.#there = !this.#there;
          break;
        default: {
          const first = this.#names.length >= listed ? this.#names.shift() : undefined;
          if (first !== undefined) await this.#write("DELETE", first, "deleted");
          const path = `${root}/list/${this.#turn}`;
          await this.#write("PUT", path, "created");
          this.#names.push(path);
        }
      }
      await sleep(pauseMillis);
    }
  }

  async #write(method: "PUT" | "DELETE", path: string, type: Written["type"]): Promise<void> {
    const key = `news${this.root.replaceAll("/", "-")}-${this.#key++}`;
    const headers = { "idempotency-key": key, "quorate-timeout": "2s" };
    while (!this.#abandoned) {
      const body = String(this.#key);
      const answer = await ask(this.#base, method, `/v1/znodes${path}`, {
        headers,
        ...(method === "PUT" ? { body } : {}),
      });
      if (answer.status >= 500 || answer.status === 0) {
        await sleep(pauseMillis);
        continue;
      }
      const status = { created: 201, changed: 200, deleted: 200 }[type];
      if (answer.status !== status) throw new Error(`${method} ${path}: ${show(answer)}`);
      const zxid = BigInt(answer.zxid);
      // Two writers, of whom one changes what is quiet.
      const at = this.written.findLastIndex((each) => each.zxid < zxid) + 1;
      this.written.splice(at, 0, { zxid, type, path });
      return;
    }
  }
}

/** Keeps one-shot watches on all of it: what fires is read and watched again. */
export class NewsReader {
  readonly client: ZookeeperClient;
  readonly #root: string;
  #stopped = false;
  readonly #loops: Promise<void>[] = [];

  constructor(client: ZookeeperClient, root: string) {
    this.client = client;
    this.#root = root;
  }

  /** The watches are set when it resolves. */
  async start(): Promise<void> {
    const firsts = (["data", "quiet", "brief", "list"] as const).map(
      (name) => new Promise<void>((set, failed) => this.#loops.push(this.#follow(name, set).catch(failed))),
    );
    await Promise.all(firsts);
  }

  /** Reads no more; the watches stay. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.client.watches.wake();
    await Promise.all(this.#loops);
  }

  async #follow(name: "data" | "quiet" | "brief" | "list", set: () => void): Promise<void> {
    const { client } = this;
    const path = `${this.#root}/${name}`;
    const op = name === "list" ? "getChildren2" : name === "brief" ? "exists" : "getData";
    while (!this.#stopped) {
      const { error } = await client.insist({ op, path, watch: true });
      if (error !== 0 && !(op === "exists" && error === -101)) throw new Error(`${op} ${path} was answered ${error}`);
      set();
      await client.watches.spent(path, () => this.#stopped);
    }
  }
}
