import assert from "node:assert/strict";
import { test } from "node:test";
import { TestEnsemble } from "./ensemble.test-support.ts";

test("a silent leader is not joined again at once: the next one leads after one silence, not two", () => {
  const ensemble = TestEnsemble.led(3);
  ensemble.hold(({ from, to }) => from === 3 || to === 3);
  ensemble.advance(1000 + 150);
  assert.equal(ensemble.at(1).status?.leader, 2);
  assert.equal(ensemble.at(2).running.mayPropose, true);
});

test("one that missed its leader and is alone joins it again", () => {
  const ensemble = TestEnsemble.led(3);
  ensemble.hold(({ from, to }) => from === 3 && to === 1);
  ensemble.advance(1150);
  assert.equal(ensemble.at(1).status?.role, "looking");
  ensemble.hold();
  ensemble.connect(1, 2, 3);
  ensemble.advance(600);
  assert.equal(ensemble.leader(), 3);
  assert.equal(ensemble.at(1).status?.leader, 3);
  assert.equal(ensemble.at(1).status?.serving, true);
});

/** Its own log is longest, so it is everybody's choice; it hears no vote, so it can never lead: its links have to go. */
test("a leader that hears nobody is given up, although everybody hears it", () => {
  const ensemble = TestEnsemble.led(3);
  ensemble.hold(({ to }) => to === 3);
  ensemble.submit(3);
  ensemble.advance(1600);
  const leader = ensemble.leader();
  assert.ok(leader === 1 || leader === 2, `leader ${leader}`);
});
