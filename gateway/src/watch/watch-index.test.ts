/** The index against a search through all watchers. */
import assert from "node:assert/strict";
import { it } from "node:test";
import type { ChangeType, Path, WatchScopes } from "@quorate/api";
import { parentOf } from "@quorate/api";
import fc from "fast-check";
import { type Relation, WatchIndex } from "./watch-index.ts";

interface Watcher {
  readonly name: number;
  readonly scopes: WatchScopes;
}

const path = fc
  .array(fc.constantFrom("a", "b", "ab"), { maxLength: 4 })
  .map((names) => (names.length === 0 ? "/" : names.map((name) => `/${name}`).join("")) as Path);
const scopes = fc.record({
  node: fc.array(path, { maxLength: 2 }),
  children: fc.array(path, { maxLength: 2 }),
  subtree: fc.array(path, { maxLength: 2 }),
});
const change = fc.constantFrom<ChangeType | "acl">("created", "changed", "deleted", "acl");

function search(watchers: readonly Watcher[], at: Path, type: ChangeType | "acl"): Set<string> {
  const found = new Set<string>();
  for (const { name, scopes: each } of watchers) {
    const parent = parentOf(at);
    if (each.node.includes(at)) found.add(`node ${name}`);
    if (each.children.includes(at)) found.add(`parent ${name}`);
    if (each.subtree.includes(at)) found.add(`root ${name}`);
    const child = parent !== undefined && each.children.includes(parent);
    if (child && (type === "created" || type === "deleted")) found.add(`child ${name}`);
    if (each.subtree.some((root) => root !== at && (root === "/" || at.startsWith(`${root}/`))))
      found.add(`below ${name}`);
  }
  return found;
}

it("finds whom a search finds, while watchers come and go", () => {
  const step = fc.oneof(
    fc.record({ add: scopes }),
    fc.record({ remove: fc.nat(20) }),
    fc.record({ at: path, type: change }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const index = new WatchIndex<Watcher>();
      let watchers: Watcher[] = [];
      for (const [name, each] of steps.entries()) {
        if ("add" in each) {
          const watcher = { name, scopes: each.add };
          watchers.push(watcher);
          index.add(watcher.scopes, watcher);
        } else if ("remove" in each) {
          const gone = watchers[each.remove];
          if (!gone) continue;
          watchers = watchers.filter((other) => other !== gone);
          index.remove(gone.scopes, gone);
        } else {
          const found: string[] = [];
          index.find(each.at, each.type, (relation: Relation, { name: who }) => {
            found.push(`${relation} ${who}`);
          });
          // Below two roots of one watcher it is found by each.
          const once = found.filter((one) => !one.startsWith("below"));
          assert.equal(new Set(once).size, once.length, "each once for each relation");
          assert.deepEqual(new Set(found), search(watchers, each.at, each.type));
        }
      }
      for (const gone of watchers) index.remove(gone.scopes, gone);
      assert.equal(index.size, 0, "nothing is left of those who went");
    }),
    { numRuns: 500 },
  );
});
