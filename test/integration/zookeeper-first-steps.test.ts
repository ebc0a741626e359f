/**
 * Everybody's first program with ZooKeeper, in Python with kazoo, unchanged: on port 2181, through a standalone gateway and
 * through a replica.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { makeReady, type Program } from "../polyglot/make-ready.ts";
import { kazoo } from "../zookeeper/foreign-kits.ts";
import { runForeign } from "../zookeeper/foreign-run.ts";
import { Ensemble, freePorts, isFree } from "./ensemble.ts";

const printed = [
  "connected CONNECTED",
  "exists None",
  "created /test",
  "event CREATED CONNECTED /test",
  "data hello 0 5",
  "set 1",
  "changes ['hello', 'hello again']",
  "children ['test']",
  "gone True",
];
const usualPort = 2181;

let ensemble: Ensemble | undefined;
let program: Program | undefined;
let skip = "";
let gatewayPort = usualPort;

describe("the first steps with ZooKeeper", { timeout: 440_000 }, () => {
  before(async () => {
    const ready = await makeReady(kazoo);
    if ("skip" in ready) {
      skip = ready.skip;
      return;
    }
    program = ready.program;
    // Somebody's own ZooKeeper may be there.
    if (!(await isFree(usualPort))) gatewayPort = (await freePorts(1))[0] ?? 0;
    ensemble = await Ensemble.start({
      environmentOf: (name) => (name === "gateway 1" ? { QUORATE_ZOOKEEPER_PORT: String(gatewayPort) } : {}),
    });
  });
  after(async () => {
    await ensemble?.stop();
  });

  for (const through of ["a gateway, on port 2181", "a replica"]) {
    it(`through ${through}`, async (t) => {
      if (program === undefined || ensemble === undefined) return t.skip(skip);
      const port = through === "a replica" ? ensemble.replica(2).zookeeperPort : gatewayPort;
      const args = [
        join(import.meta.dirname, "../zookeeper/python/first_steps.py"),
        ...(port === usualPort ? [] : [`127.0.0.1:${port}`]),
      ];
      const { output, errors, status } = await runForeign({ ...program, args }, { millis: 180_000 });
      assert.deepEqual(output.trimEnd().split("\n"), printed, errors);
      assert.equal(status, 0, errors);
      if (through !== "a replica" && port !== usualPort) t.diagnostic("port 2181 was taken");
    });
  }
});
