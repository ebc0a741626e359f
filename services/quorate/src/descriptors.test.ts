import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { descriptorLimits, makeBudget, shareOut } from "./descriptors.ts";

const { own, mostPeers, leastPeers, leastDoors } = descriptorLimits;

describe("a process's open files", () => {
  it("are shared out so that no more are promised than there are", () => {
    for (let files = own + leastPeers + leastDoors; files < 200_000; files += 1 + (files >> 4)) {
      const { peers, doors } = shareOut(files, "replica");
      assert.equal(own + peers + doors, files);
      assert.ok(peers >= leastPeers && peers <= mostPeers && doors >= leastDoors, `${files}: ${peers}, ${doors}`);
    }
    assert.deepEqual(shareOut(1000, "gateway"), { files: 1000, peers: 0, doors: 1000 - own });
    assert.equal(shareOut(Number.POSITIVE_INFINITY, "replica").peers, mostPeers);
  });

  it("with fewer than are needed it does not start, and says how many", () => {
    const least = own + leastPeers + leastDoors;
    assert.throws(() => shareOut(least - 1, "replica"), {
      name: "SettingsError",
      message: new RegExp(`may open ${least - 1} files, and a replica needs ${least} at least: raise the hard limit`),
    });
    assert.doesNotThrow(() => shareOut(least - leastPeers, "gateway"));
    assert.throws(() => shareOut(least - leastPeers - 1, "gateway"), /a gateway needs/);
  });

  it("a limit below what the doors could take is told with what would be enough, and that is enough", () => {
    const said = (files: number, zookeeper = true): string[] => {
      const lines: string[] = [];
      makeBudget(
        shareOut(files, "replica"),
        { zookeeper },
        () => 0,
        (line) => void lines.push(line),
      );
      return lines;
    };
    const [line = ""] = said(20_000);
    assert.match(line, /the limit of 20000 open files leaves the ports 18848 connections together.*REST 24576/);
    const enough = Number(/: (\d+) would be enough/.exec(line)?.[1]);
    assert.deepEqual(said(enough), []);
    assert.equal(said(enough - 1).length, 1);
    assert.equal(said(enough - 1, false).length, 0);
  });
});
