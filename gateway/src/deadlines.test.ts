/** The wheel against a sorted list; the queue against an array. */
import assert from "node:assert/strict";
import { it } from "node:test";
import fc from "fast-check";
import { Deadlines, type Timed } from "./deadlines.ts";
import { linkLimits } from "./limits.ts";
import { Queue, type Queued } from "./queue.ts";

class Item implements Timed, Queued<Item> {
  readonly deadline: number;
  wheelSlot = -1;
  wheelPlace = 0;
  queue: unknown = undefined;
  before: Item | undefined = undefined;
  after: Item | undefined = undefined;

  constructor(deadline: number) {
    this.deadline = deadline;
  }
}

it("expires each item once, never early, at most a tick late, whatever is removed and however long a tick fails", () => {
  const delays = fc.array(fc.tuple(fc.nat(30_000), fc.boolean()), { maxLength: 60 });
  const steps = fc.array(fc.oneof(fc.nat(30), fc.nat(20_000)), { minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(delays, steps, (items, ticks) => {
      let now = 12_345;
      const expired: Item[] = [];
      const wheel = new Deadlines<Item>(now, (item) => {
        assert.ok(item.deadline <= now, "early");
        expired.push(item);
      });
      const all = items.map(([delay, removed]) => ({ item: new Item(now + delay), removed }));
      for (const { item } of all) wheel.add(item);
      for (const { item, removed } of all) if (removed) wheel.remove(item);
      const kept = all.filter((each) => !each.removed).map((each) => each.item);
      for (const step of ticks) {
        now += step;
        wheel.tick(now);
        for (const item of kept) {
          if (item.deadline <= now - linkLimits.deadlineTickMillis) assert.ok(expired.includes(item), "late");
        }
      }
      assert.equal(new Set(expired).size, expired.length);
      assert.ok(expired.every((item) => kept.includes(item)));
      assert.equal(wheel.size, kept.length - expired.length);
    }),
    { numRuns: 200 },
  );
});

it("bears what an expiry does to the wheel", () => {
  let now = 0;
  const seen: number[] = [];
  const second = new Item(20);
  const wheel = new Deadlines<Item>(0, (item) => {
    seen.push(item.deadline);
    wheel.remove(second);
    if (seen.length < 3) wheel.add(new Item(now));
  });
  wheel.add(new Item(10));
  wheel.add(second);
  for (now = 0; now <= 100; now += 20) wheel.tick(now);
  assert.deepEqual(seen, [10, 20, 40]);
  assert.equal(wheel.size, 0);
});

it("keeps a queue's order whatever is taken from its midst", () => {
  const step = fc.tuple(fc.constantFrom("push", "pushFront", "remove"), fc.nat(20));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
      const queue = new Queue<Item>();
      const model: Item[] = [];
      for (const [kind, at] of steps) {
        const item = kind === "remove" ? model[at] : new Item(0);
        if (kind === "push") model.push(item as Item);
        if (kind === "pushFront") model.unshift(item as Item);
        if (kind === "remove") {
          if (item) model.splice(at, 1);
          queue.remove(item ?? new Item(0));
        } else if (kind === "push") queue.push(item as Item);
        else queue.pushFront(item as Item);
        assert.equal(queue.size, model.length);
        const seen: Item[] = [];
        for (let each = queue.first; each; each = each.after) seen.push(each);
        assert.deepEqual(
          seen.map((each) => model.indexOf(each)),
          model.map((_, index) => index),
        );
      }
    }),
    { numRuns: 200 },
  );
});
