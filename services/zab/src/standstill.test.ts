import assert from "node:assert/strict";
import { test } from "node:test";
import { TestEnsemble } from "./ensemble.test-support.ts";

/** No tick comes for so long, as when the machine stands still; then time goes on as always. */
function standStill(ensemble: TestEnsemble, millis: number): void {
  ensemble.now += millis;
}

test("a machine that stands still with all of them on it keeps its leader", () => {
  const ensemble = TestEnsemble.led(3);
  for (let time = 0; time < 5; time++) {
    standStill(ensemble, 3000);
    ensemble.advance(1000);
  }
  assert.equal(ensemble.leader(), 3);
  assert.equal(ensemble.at(3).running.view.state.currentEpoch, 1);
});

test("one that stood still still misses a leader that is silent, and a leader its quorum", () => {
  const ensemble = TestEnsemble.led(3);
  ensemble.hold(({ from, to }) => from === 3 || to === 3);
  standStill(ensemble, 3000);
  ensemble.advance(1150);
  const leader = ensemble.at(1).status?.leader;
  assert.equal(leader, 2);
  assert.equal(ensemble.at(3).status?.role, "looking");
});

test("ticks that always come late do not put a leader's end off for long", () => {
  const ensemble = TestEnsemble.led(3);
  ensemble.hold(({ from, to }) => from === 3 || to === 3);
  for (let time = 0; time < 5; time++) {
    standStill(ensemble, 300);
    ensemble.advance(20);
  }
  assert.notEqual(ensemble.at(1).status?.leader, 3);
});

for (const wanted of [false, true]) {
  const asked = wanted ? "for a confirmation" : "as ever";
  test(`the answer to a ping of before the standstill, sent ${asked}, does not undo the excuse`, () => {
    const ensemble = TestEnsemble.led(3);
    ensemble.hold(({ message }) => message.kind === "pong");
    if (wanted) ensemble.step(3, { kind: "confirm", ticket: 1 });
    else ensemble.advance(120);
    const before = Math.max(...ensemble.sentBy(3, "ping").map(({ number }) => number));
    ensemble.settle();
    standStill(ensemble, 3000);
    for (const id of ensemble.ids) ensemble.step(id, { kind: "tick" });
    ensemble.hold(({ message }) => message.kind === "pong" && message.number > before);
    ensemble.settle();
    ensemble.now += 20;
    for (const id of ensemble.ids) ensemble.step(id, { kind: "tick" });
    ensemble.hold();
    ensemble.settle();
    assert.equal(ensemble.at(3).running.view.state.currentEpoch, 1, ensemble.at(3).notes.join("; "));
  });
}

test("who stood still with a write under way answers the ping that it reads first", () => {
  const ensemble = TestEnsemble.led(3);
  ensemble.at(1).disk.hung = true;
  ensemble.submit(3);
  ensemble.settle();
  standStill(ensemble, 3000);
  const answered = ensemble.sentBy(1, "pong").length;
  ensemble.step(3, { kind: "tick" });
  ensemble.settle();
  assert.equal(ensemble.sentBy(1, "pong").length, answered + 1);
});
