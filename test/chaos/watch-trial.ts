/** The watchers of a run and the archive that they are judged by. */
import { join } from "node:path";
import type { SeededRandom } from "../simulation/random.ts";
import type { Arena } from "./arena.ts";
import type { Hands } from "./hand.ts";
import { LogArchive } from "./log-archive.ts";
import { replicaName } from "./network.ts";
import { hex, type Tally } from "./tally.ts";
import { WatchClients } from "./watch-clients.ts";

/** Once all serve, everybody is told the last within this. */
const toldMillis = 30_000;
const equalMillis = 30_000;

export class WatchTrial {
  readonly #arena: Arena;
  readonly #hands: Hands;
  readonly #tally: Tally;
  readonly #archive: LogArchive;
  readonly #clients: WatchClients;

  constructor(arena: Arena, hands: Hands, random: SeededRandom, tally: Tally, folder: string) {
    this.#arena = arena;
    this.#hands = hands;
    this.#tally = tally;
    // The last one's may lie on a disk of its own; of all quorums each has one of the others.
    const data = arena.ids.slice(0, -1).map((id) => arena.dataOf(id));
    this.#archive = new LogArchive(join(folder, "archive"), data);
    const doors = arena.processes.map(({ base, name }) => ({ base, grpcPort: arena.grpcPorts.get(name) ?? 0 }));
    this.#clients = new WatchClients(doors, random, tally);
  }

  get counts(): WatchClients["counts"] {
    return this.#clients.counts;
  }

  /** All serve, and nobody writes any more. Ends the replicas. */
  async judge(): Promise<void> {
    const then = ["/ledger", "/ledger/last", "/last"].map((path) => ({ op: "put", path, data: "" }));
    const request = {
      method: "POST",
      target: "/v1/txn",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ then }),
      timeoutMillis: 10_000,
    } as const;
    const end = performance.now() + toldMillis;
    const said = await this.#hands.insist(request, () => performance.now() < end);
    if (said?.verdict !== "ok") {
      this.#tally.violate(`the last write of all is not done: ${said?.status} ${said?.code}`);
      return;
    }
    await this.#clients.stop(hex(said.zxid ?? 0), toldMillis);
    const differ = await this.#arena.isEqual(equalMillis);
    if (differ !== "") this.#tally.violate(`the replicas differ behind the last write: ${differ}`);
    await Promise.all(this.#arena.ids.map((id) => this.#arena.kill(replicaName(id))));
    this.#clients.judge(await this.#archive.read(this.#arena.dataOf(1)));
  }

  async close(): Promise<void> {
    this.#archive.close();
    await this.#clients.close();
  }
}
