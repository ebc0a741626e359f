/**
 * Sessions that take, wait, poll, renew, give up, release and end at random, through several gateways with delays, drops and
 * lost answers. Each answer is judged by the queue as it was at the answer's zxid, told by a naive model:
 *
 * 1. who is told to hold was a holder then, and stays one until his znode goes;
 * 2. who is told to wait was there, behind as many as he was told; and either was there yet when he asked;
 * 3. at no zxid do more hold than the kind allows, and who comes to hold later has the higher token;
 * 4. whose token is refused has no such place any more, and who gives up by his token gives up nothing that stands before it;
 * 5. in the end, with no more faults, each gets his turn, and no session has two places.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Acting, anyone, nameOf, type Path, type Zxid } from "@quorate/api";
import type { Contest, Layout, LockKind, LockMode, LockShape, Place, RecipeAnswer } from "./recipes.ts";
import { codeOf, done, type Fate, type Faults, faultless, type Port, path, Scene } from "./scene.test-support.ts";

interface Kind {
  readonly kind: LockKind;
  readonly layout: Layout;
  readonly permits?: number;
}

const kinds: readonly Kind[] = [
  { kind: "mutex", layout: "curator" },
  { kind: "mutex", layout: "kazoo" },
  { kind: "readWrite", layout: "curator" },
  { kind: "readWrite", layout: "kazoo" },
  { kind: "semaphore", layout: "curator", permits: 3 },
];

/** By number, which all of these names end with; nobody makes names by hand here. */
function inOrder(names: readonly string[]): readonly string[] {
  return [...names].sort((a, b) => Number(a.slice(-10)) - Number(b.slice(-10)));
}

function holdersOf(names: readonly string[], { kind, permits = 1 }: Kind): readonly string[] {
  const queue = inOrder(names);
  if (kind === "mutex") return queue.slice(0, 1);
  if (kind === "semaphore") return queue.slice(0, permits);
  const isReader = (name: string): boolean => name.includes("__READ__") || name.includes("__rlock__");
  const writer = queue.findIndex((name) => !isReader(name));
  if (writer === 0) return queue.slice(0, 1);
  return writer < 0 ? queue : queue.slice(0, writer);
}

interface Client {
  acting: Acting;
  shape: LockShape;
  place: Place | undefined;
  /** A call is under way. */
  busy: boolean;
}

/** With the token of `place`, when the tree stood at `before`. */
interface Asked {
  readonly before: Zxid;
  readonly place: Place | undefined;
}

const fates: readonly Fate[] = ["lose", "drop", "late"];

class Chaos {
  readonly scene: Scene;
  readonly gateways: readonly Port[];
  readonly queue: Path = path("/some/lock");
  readonly kind: Kind;
  readonly clients: Client[] = [];
  readonly faults: unknown[] = [];
  answers = 0;
  held = 0;

  constructor(seed: number, kind: Kind) {
    this.scene = new Scene(seed);
    this.kind = kind;
    this.scene.watch(this.queue);
    const { world } = this.scene;
    const faults: Faults = {
      delay: () => (world.chance(0.5) ? 0 : world.below(40)),
      fate: () => fates[world.below(25)] ?? "pass",
    };
    this.gateways = [this.scene.gateway(), this.scene.gateway(), this.scene.gateway()];
    for (const each of this.gateways) each.faults = faults;
  }

  #shape(): LockShape {
    const { world } = this.scene;
    const { kind, layout, permits = 1 } = this.kind;
    const mode: LockMode =
      kind === "mutex" ? "exclusive" : kind === "semaphore" ? "permit" : world.chance(0.6) ? "read" : "write";
    return kind === "semaphore" ? { mode, layout, permits } : { mode, layout };
  }

  async client(): Promise<Client> {
    const acting = await this.scene.session(3000 + this.scene.world.below(9000));
    const client = { acting, shape: this.#shape(), place: undefined, busy: false };
    this.clients.push(client);
    return client;
  }

  #gateway(): Port {
    return this.gateways[this.scene.world.below(this.gateways.length)] as Port;
  }

  /** Asks for the place, perhaps twice at once, perhaps with the token. */
  async ask(client: Client, wait = this.scene.world.below(4000)): Promise<void> {
    const { world } = this.scene;
    const { acting, shape, place } = client;
    const token: Pick<Contest, "token"> = place !== undefined && world.chance(0.5) ? { token: place.token } : {};
    const asked = { before: this.scene.memory.tree.applied, place: "token" in token ? place : undefined };
    const call = this.#gateway().acquire(this.queue, { acting, shape, waitMillis: wait, ...token });
    if (world.chance(0.2)) world.after(world.below(500), () => call.finish());
    const beside = world.chance(0.1) ? this.#gateway().acquire(this.queue, { acting, shape }) : undefined;
    this.#judge(client, await call.answer, asked);
    if (beside !== undefined) this.#judge(client, await beside.answer, { ...asked, place: undefined });
  }

  #judge(client: Client, answer: RecipeAnswer<Place>, { before, place: shown }: Asked): void {
    this.answers += 1;
    if (answer.kind !== "done") {
      const code = codeOf(answer);
      const known = ["noLeader", "timeout", "connectionLoss", "fenced", "sessionExpired"];
      assert.ok(known.includes(`${code}`), JSON.stringify(answer));
      if (code === "fenced" && shown !== undefined) {
        assert.ok(!this.scene.names(this.queue).includes(nameOf(shown.znode)), `${shown.znode} stands all the same`);
      }
      if (code === "fenced" || code === "sessionExpired") client.place = undefined;
      return;
    }
    const { value: place, zxid } = answer;
    const names = this.scene.at(this.queue, zxid);
    const name = nameOf(place.znode);
    assert.ok(names.includes(name), `${name} is not there at ${zxid}`);
    assert.equal(place.session, client.acting.session);
    if (shown !== undefined) assert.equal(place.token, shown.token);
    const since = this.scene.at(this.queue, zxid < before ? before : zxid);
    assert.ok(since.includes(name), `${name} was gone before it was asked for`);
    client.place = place;
    if (place.held) {
      this.held += 1;
      assert.ok(holdersOf(names, this.kind).includes(name), `${name} does not hold at ${zxid}`);
      assert.equal(place.ahead, 0);
      return;
    }
    assert.ok(!holdersOf(names, this.kind).includes(name), `${name} holds at ${zxid} and was told to wait`);
    assert.equal(place.ahead, inOrder(names).indexOf(name));
  }

  async release(client: Client): Promise<void> {
    const shown = this.scene.world.chance(0.5) ? client.place : undefined;
    const answer = await this.#gateway().release(this.queue, client.acting, shown?.token);
    if (answer.kind === "done") client.place = undefined;
    if (shown === undefined) return;
    const name = nameOf(shown.znode);
    if (answer.kind === "done") {
      const left = this.scene.at(this.queue, answer.zxid);
      const before = this.scene.at(this.queue, (answer.zxid - 1) as Zxid);
      assert.equal(
        inOrder(before).find((each) => !left.includes(each)),
        name,
        "the place that it meant went first",
      );
    } else if (codeOf(answer) === "fenced") {
      assert.ok(!this.scene.names(this.queue).includes(name), `${name} stands all the same`);
      client.place = undefined;
    }
  }

  expire(client: Client): void {
    this.scene.expire(client.acting.session);
    this.clients.splice(this.clients.indexOf(client), 1);
  }

  act(client: Client): void {
    const { world } = this.scene;
    if (client.busy && world.chance(0.9)) return;
    if (world.chance(0.03)) return this.expire(client);
    client.busy = true;
    const what = client.place !== undefined && world.chance(0.4) ? this.release(client) : this.ask(client);
    void what.then(
      () => {
        client.busy = false;
      },
      (error: unknown) => this.faults.push(error),
    );
  }

  /** 3. */
  judgeHistory(): void {
    const tokens = new Map<string, number>();
    let highest = 0;
    let before: readonly string[] = [];
    for (const { names } of this.scene.history.get(this.queue) ?? []) {
      const holders = holdersOf(names, this.kind);
      for (const each of before) if (names.includes(each)) assert.ok(holders.includes(each), `${each} lost its hold`);
      for (const each of holders) {
        if (tokens.has(each)) continue;
        const number = Number(each.slice(-10));
        assert.ok(number >= highest || tokens.size === 0 || number === 0, `${each} comes late`);
        highest = number;
        tokens.set(each, number);
      }
      // The queue was swept, and numbers begin again.
      if (names.length === 0) highest = 0;
      before = holders;
    }
  }

  /** 5. */
  async settle(): Promise<void> {
    for (const each of this.gateways) each.faults = faultless;
    await this.scene.pass(6000);
    const waiting = [...this.clients];
    const turns: Zxid[] = [];
    const runs = waiting.map(async (client) => {
      for (let polls = 0; polls < 200; polls += 1) {
        const answer = await this.#gateway().acquire(this.queue, {
          acting: client.acting,
          shape: client.shape,
          waitMillis: 2000,
        }).answer;
        if (codeOf(answer) === "fenced") continue;
        const place = done(answer);
        if (!place.held) continue;
        turns.push(place.token);
        done(await this.#gateway().release(this.queue, client.acting, place.token));
        return;
      }
      throw new Error("somebody waits for ever");
    });
    await this.scene.until(Promise.all(runs), 600_000);
    await this.scene.pass(200);
    assert.equal(turns.length, waiting.length);
    assert.deepEqual(this.scene.names(this.queue), [], "nobody left a place behind");
  }
}

async function run(seed: number, kind: Kind): Promise<{ answers: number; held: number }> {
  const chaos = new Chaos(seed, kind);
  const { scene } = chaos;
  for (let round = 0; round < 400; round += 1) {
    if (chaos.clients.length < 8 && scene.world.chance(0.3)) await chaos.client();
    for (const client of [...chaos.clients]) if (scene.world.chance(0.2)) chaos.act(client);
    if (scene.world.chance(0.02)) scene.memory.watches.breakFeed();
    if (scene.world.chance(0.05) && scene.names(chaos.queue).length === 0) {
      const sweep = { kind: "delete", path: chaos.queue, condition: {}, recursive: false } as const;
      await scene.write({ identity: anyone, operation: sweep });
    }
    await scene.pass(scene.world.below(60));
    for (const each of chaos.faults) throw each;
  }
  chaos.judgeHistory();
  await chaos.settle();
  for (const each of chaos.gateways) assert.deepEqual(each.log, []);
  return { answers: chaos.answers, held: chaos.held };
}

describe("locks through gateways that delay, drop and lose", () => {
  for (const [index, kind] of kinds.entries()) {
    it(`a ${kind.kind} in the layout ${kind.layout}`, async () => {
      const { RECIPES_SEED: seed } = process.env;
      const seeds = seed === undefined ? [index + 1, index + 101, index + 202] : [Number(seed)];
      for (const each of seeds) {
        const { answers, held } = await run(each, kind).catch((error: unknown) => {
          throw new Error(`RECIPES_SEED=${each}`, { cause: error });
        });
        assert.ok(answers > 100 && held > 20, `something was asked: ${answers}, ${held}`);
      }
    });
  }
});
