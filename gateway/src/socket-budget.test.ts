import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { budgetLimits, type DoorName, doorNames, SocketBudget, type SocketBudgetOptions } from "./socket-budget.ts";

const wanted = { rest: 100, grpc: 80, zookeeper: 90, refusals: 10 };

function budgetOf(sockets: number, more: Partial<SocketBudgetOptions> = {}) {
  const lines: string[] = [];
  const options = { sockets, files: sockets + 50, wanted, now: () => 0, log: (line: string) => void lines.push(line) };
  return { budget: new SocketBudget({ ...options, ...more }), lines };
}

/** Takes until it is refused. */
function fill(budget: SocketBudget, door: DoorName): number {
  let count = 0;
  while (budget.take(door)) count++;
  return count;
}

const all = (budget: SocketBudget): number => doorNames.reduce((sum, door) => sum + budget.of(door).connections, 0);

describe("the doors' common budget", () => {
  it("each door has its own limit where there is room for all", () => {
    const { budget, lines } = budgetOf(280);
    assert.deepEqual(
      doorNames.map((door) => fill(budget, door)),
      [100, 80, 90],
    );
    let refusals = 0;
    while (budget.takeRefusal()) refusals++;
    assert.equal(refusals, 10);
    // That is no matter of files.
    assert.deepEqual(lines, []);
    assert.deepEqual(budget.of("grpc"), { connections: 80, refused: 1 });
  });

  it("together they have no more than there is, and a door that takes all it can leaves each other its part", () => {
    const { budget } = budgetOf(64);
    const kept = 64 * budgetLimits.keptPart;
    const most = 64 - 2 * kept - 64 * budgetLimits.refusalsPart;
    assert.equal(fill(budget, "zookeeper"), most);
    assert.deepEqual([fill(budget, "rest"), fill(budget, "grpc")], [kept, kept]);
    budget.give("zookeeper");
    assert.equal(fill(budget, "rest"), 1, "what is given back is anybody's");
    assert.equal(fill(budget, "zookeeper"), 0);
  });

  it("nothing is kept for a door that is not served", () => {
    const { budget } = budgetOf(64, { wanted: { ...wanted, zookeeper: 0, refusals: 0 } });
    assert.equal(fill(budget, "zookeeper"), 0);
    assert.equal(fill(budget, "rest"), 56);
  });

  it("says what the limit is and what to do, once in a second, and how often it did not", () => {
    let now = 5000;
    const { budget, lines } = budgetOf(64, { now: () => now });
    const open = fill(budget, "zookeeper");
    budget.take("zookeeper");
    now += budgetLimits.noteMillis - 1;
    budget.take("zookeeper");
    assert.equal(lines.length, 1);
    const why = `the limit of 114 open files leaves the ports no more connections \\(REST 0, gRPC 0, ZooKeeper ${open}\\)`;
    assert.match(lines[0] ?? "", new RegExp(`^the ZooKeeper port refused a connection: ${why}; raise it: ulimit -n`));
    now += 1;
    budget.take("zookeeper");
    assert.match(lines[1] ?? "", /and 2 more like it/);
  });

  it("whoever takes and gives whatever: never more than there is, and a door's own part is always to be had", () => {
    const step = fc.record({ door: fc.constantFrom(...doorNames), takes: fc.boolean() });
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 300 }), fc.array(step, { maxLength: 400 }), (sockets, steps) => {
        const { budget } = budgetOf(sockets);
        const part = Math.floor(sockets * budgetLimits.keptPart);
        for (const { door, takes } of steps) {
          const { connections } = budget.of(door);
          if (!takes) {
            if (connections > 0) budget.give(door);
            continue;
          }
          const taken = budget.take(door);
          if (connections < Math.min(part, wanted[door])) assert.ok(taken);
          if (connections >= wanted[door]) assert.ok(!taken);
          assert.equal(budget.of(door).connections, connections + (taken ? 1 : 0));
          assert.ok(all(budget) <= sockets);
        }
      }),
    );
  });
});
