/**
 * All invariants together: none is forgotten, each has a test that shows it failing, none complains of a long life in
 * which nothing is wrong, and they cost little enough to look at ten thousand lives.
 */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { type Acting, anyone, type Outcome, type Path, type WriteOperation, type Zxid } from "@quorate/api";
import type { Invariant } from "../observation.ts";
import { SeededRandom } from "../random.ts";
import { createInvariants, flipped } from "./all.ts";
import { breaks, create, get, put, remove, Scene } from "./fixture.test-support.ts";

/** What a batch may cost all of them together, microseconds; measured is a third of it, and the machine may be busy. */
const limitMicros = 60;

const here = import.meta.dirname;

test("each file with an invariant is among them, bears its name and has a test that shows it failing", () => {
  const files = readdirSync(here).filter((each) => each.endsWith(".ts") && !/\.test(-support)?\.ts$/.test(each));
  const named = files.filter((each) => / extends Invariant /.test(readFileSync(join(here, each), "utf8")));
  const names = createInvariants().map((each) => each.name);
  assert.deepEqual([...names].sort(), named.map((each) => each.replace(/\.ts$/, "")).sort());
  for (const name of names) {
    const text = readFileSync(join(here, `${name}.test.ts`), "utf8");
    assert.match(text, new RegExp(`const name = "${name}"`));
    assert.match(text, /breaks\(name, /);
  }
});

test("each is fresh for each run", () => {
  const before = createInvariants();
  const after = createInvariants();
  for (const [at, each] of before.entries()) assert.notEqual(each, after[at]);
});

test("a replica whose memory was flipped is left out of account until it ends", () => {
  const invariants = createInvariants();
  const scene = new Scene(invariants);
  flipped(invariants, 2);
  const command = scene.command(scene.askWrite(put("/a", "one")).write);
  const batch = scene.batch([command]);
  const { payload } = scene.batch([{ ...command, operation: put("/a", "two") }]);
  scene.batches.push(batch);
  scene.apply(2, { ...batch, payload });
  scene.apply(1, batch);
  scene.apply(3, batch);
  scene.read(get("/a"), {}, 2);
  breaks("equal-digests", () => scene.finish(), /flipped memory was not found/);
  scene.stop(2);
  scene.restore(2, scene.copy(1), "start");
  scene.read(get("/a"), {}, 2);
  scene.finish();
});

/** A life in which much happens and nothing is wrong. */
class Life {
  readonly scene: Scene;
  readonly #random: SeededRandom;
  readonly #sessions: Acting[] = [];
  #seen = 0 as Zxid;

  constructor(scene: Scene, seed: number) {
    this.scene = scene;
    this.#random = new SeededRandom(seed);
  }

  step(): void {
    const random = this.#random;
    this.scene.at += random.below(20);
    const kind = random.below(100);
    if (kind < 50) this.#write();
    else if (kind < 80) this.#read();
    else if (kind < 84) this.#sessions.push(this.scene.openSession(1000, { client: random.between(1, 4) }));
    else if (kind < 92) this.#withSession();
    else if (kind < 94) this.#leader();
    else if (kind < 96) this.#comeBack();
    else this.#many();
  }

  #operation(): WriteOperation {
    const path = `/r${this.#random.below(8)}`;
    const kind = this.#random.below(5);
    if (kind === 0) return create(path);
    if (kind === 1) return remove(path);
    return put(path, `${this.#random.next()}`);
  }

  #write(): void {
    const { scene } = this;
    const who = { client: this.#random.between(1, 4), ...(this.#random.chance(0.2) ? { key: "key" } : {}) };
    const asked = scene.askWrite(this.#operation(), who);
    const twice = this.#random.chance(0.1);
    const again = twice ? scene.askWrite(asked.write.operation, { ...who, request: asked.request }) : undefined;
    const [first] = scene.commit([scene.command(asked.write)]);
    scene.answerOutcome(asked, first as Outcome, this.#random.between(1, 3));
    if (again === undefined) return;
    const [second] = scene.commit([scene.command(again.write)]);
    scene.answerOutcome(again, second as Outcome);
  }

  #read(): void {
    const path = `/r${this.#random.below(8)}` as Path;
    const children = { kind: "children", path: "/" as Path, limit: 1 + this.#random.below(9), withData: true } as const;
    const operation = this.#random.chance(0.3) ? children : ({ kind: "get", path } as const);
    const consistency = this.#random.pick(["linearizable", "session", "stale"] as const);
    const more = { consistency, minZxid: consistency === "session" ? this.#seen : (0 as Zxid), maxStaleMillis: 50 };
    const replica = this.#random.between(1, 3);
    this.#seen = this.scene.read(operation, more, replica, this.#random.between(1, 4)).zxid;
  }

  #withSession(): void {
    const { scene } = this;
    const acting = this.#sessions.pop();
    if (acting === undefined) return;
    const ephemeral = create(`/e${this.#random.below(5)}`, "ephemeral");
    const kind = this.#random.below(4);
    if (kind === 0) scene.write({ kind: "closeSession", session: acting.session }, { acting });
    else if (kind === 1) {
      scene.at += 1000;
      scene.commit([{ identity: anyone, operation: { kind: "expireSession", session: acting.session } }]);
    } else {
      scene.write(ephemeral, { acting });
      if (scene.tree(1).session(acting.session) === undefined) return;
      const asked = scene.askRenew(acting);
      scene.answer(asked, { kind: "renewed", zxid: scene.end, servedBy: 1 });
      this.#sessions.unshift(acting);
    }
  }

  #leader(): void {
    this.scene.elect(this.#random.between(1, 3));
  }

  #comeBack(): void {
    const replica = this.#random.between(1, 3);
    const tree = this.scene.copy(replica);
    this.scene.stop(replica);
    this.scene.restore(replica, tree, "start");
  }

  #many(): void {
    const { scene } = this;
    const asked = Array.from({ length: 1 + this.#random.below(6) }, () => scene.askWrite(this.#operation()));
    const outcomes = scene.commit(asked.map(({ write }) => scene.command(write)));
    for (const [at, each] of asked.entries()) scene.answerOutcome(each, outcomes[at] as Outcome);
  }

  /** All sessions that are left are expired in the end. */
  end(): void {
    this.scene.at += 2000;
    for (const { session } of this.#sessions) {
      this.scene.commit([{ identity: anyone, operation: { kind: "expireSession", session } }]);
    }
    this.scene.finish();
  }
}

test("a right life breaks none", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const life = new Life(new Scene(createInvariants()), seed);
    for (let i = 0; i < 300; i++) life.step();
    life.end();
  }
});

/** Microseconds for each batch that a replica applies, of a life watched by `watch`. */
function costOf(watch: readonly Invariant[], steps: number): number {
  const scene = new Scene(watch);
  const life = new Life(scene, 1);
  const started = performance.now();
  for (let i = 0; i < steps; i++) life.step();
  return ((performance.now() - started) * 1000) / (scene.batches.length * 3);
}

test("what they cost", (t) => {
  const steps = 3000;
  const watched = (): number => costOf(createInvariants(), steps) - costOf([], steps);
  watched();
  const micros = Math.min(watched(), watched(), watched());
  t.diagnostic(`${micros.toFixed(1)} µs for each batch that a replica applies`);
  assert.ok(micros < limitMicros, `${micros} µs`);
});
