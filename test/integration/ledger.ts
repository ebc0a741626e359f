/** Writes through a door and remembers what was acknowledged, so that it can be looked for at the end. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type { Process } from "./ensemble.ts";

export interface Answer {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
}

export interface FillOptions {
  readonly bytes: number;
  readonly clients?: number;
  readonly timeout?: string;
}

/** A body of `bytes` that only this path has. */
function bodyOf(path: string, bytes: number): Buffer {
  return Buffer.alloc(Math.max(bytes, 32), createHash("sha256").update(path).digest("hex"));
}

export class Ledger {
  /** Size of the body by path, of everything that was acknowledged. */
  readonly acknowledged = new Map<string, number>();
  /** Asked for, and nobody knows. */
  readonly unknown = new Map<string, number>();
  /** Asked for, and answered that there was no effect. */
  readonly refused = new Map<string, number>();
  readonly #prefix: string;
  #next = 1;

  constructor(prefix = "w") {
    this.#prefix = prefix;
  }

  /** One new znode; never repeated. An exception counts as unknown. */
  async put(door: Process, bytes = 32, timeout = "10s"): Promise<Answer> {
    const path = `/${this.#prefix}${String(this.#next++).padStart(6, "0")}`;
    try {
      const url = `${door.base}/v1/znodes${path}`;
      const response = await fetch(url, {
        method: "PUT",
        headers: { "If-None-Match": "*", "Quorate-Timeout": timeout },
        body: bodyOf(path, bytes),
      });
      const json = (await response.json()) as { code?: string; detail?: string; certainty?: string };
      if (response.ok) this.acknowledged.set(path, bytes);
      else if (json.certainty === "noEffect") this.refused.set(path, bytes);
      else this.unknown.set(path, bytes);
      return { status: response.status, code: json.code ?? "", detail: json.detail ?? "" };
    } catch (error) {
      this.unknown.set(path, bytes);
      return { status: 0, code: "", detail: error instanceof Error ? error.message : String(error) };
    }
  }

  /** As `put`, and it has to be acknowledged. */
  async write(door: Process, count = 1, bytes = 32): Promise<void> {
    for (let i = 0; i < count; i++) {
      const answer = await this.put(door, bytes);
      assert.equal(answer.status, 201, `${answer.code} ${answer.detail}`);
    }
  }

  /** `count` znodes, several at once; the answers. */
  async fill(door: Process, count: number, options: FillOptions): Promise<Answer[]> {
    const answers: Answer[] = [];
    let left = count;
    const client = async (): Promise<void> => {
      while (left-- > 0) answers.push(await this.put(door, options.bytes, options.timeout));
    };
    await Promise.all(Array.from({ length: options.clients ?? 16 }, client));
    return answers;
  }

  /** As `fill`, and all of it has to be acknowledged. */
  async fillAll(door: Process, count: number, options: FillOptions): Promise<void> {
    const failed = (await this.fill(door, count, options)).find((each) => each.status !== 201);
    assert.equal(failed, undefined, failed && `${failed.status} ${failed.code} ${failed.detail}`);
  }

  /** Writes until it is told to stop; resolves with the longest time between two acknowledgements, in ms. */
  async writeUntil(door: () => Process, stopped: () => boolean, clients = 8): Promise<number> {
    let last = performance.now();
    let gap = 0;
    const client = async (): Promise<void> => {
      while (!stopped()) {
        const { status } = await this.put(door(), 32, "5s");
        if (status !== 201) continue;
        const now = performance.now();
        gap = Math.max(gap, now - last);
        last = now;
      }
    };
    await Promise.all(Array.from({ length: clients }, client));
    return gap;
  }

  /** Everything acknowledged is there as it was written, nothing refused is; says how many unknown ones are. */
  async verify(door: Process): Promise<{ readonly acknowledged: number; readonly unknownThere: number }> {
    const there = new Map<string, number>();
    let more = "";
    do {
      const response = await fetch(`${door.base}/v1/children/?data=true&encoding=base64&limit=500${more}`);
      const page = (await response.json()) as {
        children: { name: string; data?: string; stat?: { dataLength?: number } }[];
        continue?: string;
      };
      assert.equal(response.status, 200, JSON.stringify(page).slice(0, 300));
      for (const { name, data } of page.children) {
        const path = `/${name}`;
        const bytes = this.acknowledged.get(path) ?? this.unknown.get(path) ?? this.refused.get(path);
        if (bytes === undefined) continue;
        assert.ok(bodyOf(path, bytes).equals(Buffer.from(data ?? "", "base64")), `${path} is not what was written`);
        there.set(path, bytes);
      }
      more = page.continue === undefined ? "" : `&continue=${encodeURIComponent(page.continue)}`;
    } while (more !== "");
    const lost = [...this.acknowledged.keys()].filter((path) => !there.has(path));
    assert.deepEqual(lost, [], "acknowledged writes are gone");
    const risen = [...this.refused.keys()].filter((path) => there.has(path));
    assert.deepEqual(risen, [], "writes that had no effect are there");
    const unknownThere = [...this.unknown.keys()].filter((path) => there.has(path)).length;
    return { acknowledged: this.acknowledged.size, unknownThere };
  }
}
