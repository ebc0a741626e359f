import { test } from "node:test";
import { type Command, limits, type Outcome } from "@quorate/api";
import { breaks, create, put, Scene } from "./fixture.test-support.ts";
import { NoWriteAppliedTwice } from "./no-write-applied-twice.ts";
import { Order } from "./order.ts";

const name = "no-write-applied-twice";
const watched = (): Scene => new Scene([new NoWriteAppliedTwice(new Order())]);

/** As the order would have it if the tree did it: not from memory. */
function pretend(scene: Scene, command: Command, like: Outcome): void {
  const batch = scene.batch([command]);
  const outcome = { ...like, zxid: batch.last };
  scene.apply(1, batch, { results: [{ lane: command.lane, zxid: batch.last, outcome }] });
}

test("once for each try, and once under a key", () => {
  const scene = watched();
  scene.write(put("/a"), { request: 1 });
  scene.write(put("/a"), { request: 1 });
  scene.write(create("/b"), { request: 2, key: "k" });
  scene.write(create("/b"), { request: 2, key: "k" });
  // A number that comes again is answered from the lane's memory.
  const asked = scene.askWrite(put("/c"));
  const command = scene.command(asked.write);
  scene.commit([command, command]);
  scene.commit([command]);
  // Keys are kept for a minute.
  scene.at += limits.keyMillis + 1;
  scene.write(create("/b"), { request: 2, key: "k" });
});

test("a request that was tried once is executed under two numbers", () => {
  const scene = watched();
  const { write } = scene.askWrite(put("/a"));
  breaks(name, () => scene.commit([scene.command(write), scene.command(write)]), /tried 1 times .* executed 2 times/);
});

test("a number is executed twice", () => {
  const scene = watched();
  const { write } = scene.askWrite(put("/a"));
  scene.askWrite(put("/a"), { request: 1 });
  const command = scene.command(write);
  const [outcome] = scene.commit([command]);
  breaks(name, () => pretend(scene, command, outcome as Outcome), /number 1 of lane .* is executed at/);
});

test("a key decides twice within its minute", () => {
  const scene = watched();
  const outcome = scene.write(create("/a"), { request: 1, key: "k" });
  scene.at += limits.keyMillis - 1;
  const { write } = scene.askWrite(create("/a"), { request: 1, key: "k" });
  breaks(name, () => pretend(scene, scene.command(write), outcome), /the key k of request 1 is decided at/);
});

test("a key is forgotten because the stamps have jumped", () => {
  const scene = watched();
  const outcome = scene.write(create("/a"), { request: 1, key: "k" });
  scene.at += 500;
  const { write } = scene.askWrite(create("/a"), { request: 1, key: "k" });
  const command = scene.command(write);
  const stamp = 1_700_000_000_000 + scene.at + 2 * limits.keyMillis;
  const batch = scene.batch([command], { stamp });
  const again = { lane: command.lane, zxid: batch.last, outcome: { ...outcome, zxid: batch.last } };
  breaks(name, () => scene.apply(1, batch, { results: [again] }), /the key k of request 1 is decided at/);
});

test("a failure under a key is followed by a success", () => {
  const scene = watched();
  const done = scene.write(create("/a"));
  scene.write(create("/a"), { request: 2, key: "k" });
  const { write } = scene.askWrite(create("/a"), { request: 2, key: "k" });
  breaks(name, () => pretend(scene, scene.command(write), done), /the key k of request 2/);
});

test("a number that comes again bears another request", () => {
  const scene = watched();
  const command = scene.command(scene.askWrite(put("/a")).write);
  scene.commit([command]);
  const { identity, operation } = scene.askWrite(put("/b")).write;
  breaks(name, () => scene.commit([{ ...command, identity, operation }]), /request 2 at .* outcome of request 1/);
});
