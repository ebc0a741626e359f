/** A ledger of znodes that are written once: at the end each acknowledged one is there, and none that had no effect. */
import { Agent } from "node:http";
import { exchange } from "../integration/http-client.ts";
import type { Hands } from "./hand.ts";
import type { Tally } from "./tally.ts";

/** As many as a page of children has. */
const shardNames = 1000;
const root = "/ledger";

export class WrittenOnce {
  readonly #hands: Hands;
  /** By shard; what is in none of them had no effect. */
  readonly #acknowledged: Set<string>[] = [];
  readonly #unknown = new Set<string>();
  #next = 0;

  constructor(hands: Hands) {
    this.#hands = hands;
  }

  get acknowledged(): number {
    return this.#acknowledged.reduce((sum, each) => sum + each.size, 0);
  }

  async step(going: () => boolean): Promise<void> {
    const number = this.#next++;
    const shard = Math.floor(number / shardNames);
    const place = `${root}/${shard}`;
    if (!this.#acknowledged[shard]) {
      const request = { method: "PUT", target: `/v1/znodes${place}?parents=true`, body: "" } as const;
      if (!(await this.#hands.insist(request, going))) return;
      this.#acknowledged[shard] = new Set();
    }
    const name = `w${number}`;
    const said = await this.#hands.send({
      method: "PUT",
      target: `/v1/znodes${place}/${name}`,
      headers: { "If-None-Match": "*" },
      body: name,
    });
    if (said.verdict === "ok") this.#acknowledged[shard]?.add(name);
    else if (said.verdict === "unknown") this.#unknown.add(name);
    else if (said.verdict === "failed")
      this.#hands.tally.violate(`${place}/${name} is new and was there: ${said.code}`);
  }

  /** At one door; every shard is read to its end. */
  async verify(door: string, base: string, tally: Tally): Promise<void> {
    const agent = new Agent({ keepAlive: true });
    try {
      for (const [shard, acknowledged] of this.#acknowledged.entries()) {
        const names = await readNames(agent, base, `${root}/${shard}`);
        const lost = [...acknowledged].filter((each) => !names.has(each));
        if (lost.length > 0)
          tally.violate(`${door}: acknowledged writes are gone from ${root}/${shard}: ${lost.slice(0, 10)}`);
        const risen = [...names].filter((each) => !acknowledged.has(each) && !this.#unknown.has(each));
        if (risen.length > 0)
          tally.violate(`${door}: writes without effect are in ${root}/${shard}: ${risen.slice(0, 10)}`);
      }
    } finally {
      agent.destroy();
    }
  }
}

async function readNames(agent: Agent, base: string, path: string): Promise<Set<string>> {
  const names = new Set<string>();
  const { status, body } = await exchange(agent, base, `/v1/children${path}?data=true&limit=10000`);
  if (status !== 200) throw new Error(`${path}: ${status} ${body}`);
  for (const { name, data } of (JSON.parse(body) as { children: { name: string; data: string }[] }).children) {
    if (name === data) names.add(name);
  }
  return names;
}
