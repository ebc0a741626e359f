/** Writes that are done once whatever befalls the leader, and what a watch has to tell of each. */
import { randomUUID } from "node:crypto";
import { sleep } from "../integration/ensemble.ts";

export class Writer {
  readonly #base: string;

  constructor(base: string) {
    this.#base = base;
  }

  /** What a watch tells of it: `changed 3 0x…`. */
  async put(path: string, body: string): Promise<string> {
    const { status, zxid, json } = await this.#write("PUT", path, body);
    return `${status === 201 ? "created" : "changed"} ${json.stat?.version} ${zxid}`;
  }

  async remove(path: string): Promise<string> {
    const before = await fetch(`${this.#base}/v1/znodes${path}?format=json`);
    const { stat } = (await before.json()) as { readonly stat: { readonly version: number } };
    return `deleted ${stat.version} ${(await this.#write("DELETE", path)).zxid}`;
  }

  async #write(method: string, path: string, body?: string): Promise<Written> {
    const headers = { "idempotency-key": randomUUID() };
    for (let tries = 0; ; tries++) {
      const asked = { method, headers, ...(body === undefined ? {} : { body }) };
      const answer = await fetch(`${this.#base}/v1/znodes${path}`, asked);
      const text = await answer.text();
      if (answer.ok) {
        return { status: answer.status, zxid: answer.headers.get("quorate-zxid") ?? "", json: JSON.parse(text) };
      }
      if (answer.status < 500 || tries === 20) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
      await sleep(100);
    }
  }
}

interface Written {
  readonly status: number;
  readonly zxid: string;
  readonly json: { readonly stat?: { readonly version: number } };
}
