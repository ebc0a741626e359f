/** Faults of disks: full, hanging, failing, and lost with all that was on them. */
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { drawTarget, type FaultKind, idOf } from "./faults.ts";
import { pause } from "./hand.ts";
import { replicaName } from "./network.ts";

/** Below the reserve, and far from the end. */
const leftBytes = 48 * 1024 * 1024;

/** The leader refuses writes before its log meets the end; a follower does not care. Nobody ends. */
const fullDisk: FaultKind = {
  name: "full disk",
  weight: 4,
  isAlone: true,
  stopsWrites: true,
  begin: async ({ arena, random }) => {
    const { disk } = arena;
    if (!disk) return undefined;
    const owner = arena.ids.length;
    if (arena.leader !== owner && random.chance(0.7)) await arena.handOver(owner);
    await disk.fill(leftBytes);
    const millis = random.between(2000, 5000);
    return { what: `${replicaName(owner)} for ${millis} ms`, millis, end: () => disk.makeRoom() };
  },
};

/** No fsync ends: an ill leader hands over. */
const hangingDisk: FaultKind = {
  name: "hanging disk",
  weight: 4,
  begin: async (stage) => {
    const { arena, random } = stage;
    const name = drawTarget(stage, random.chance(0.7) ? "leader" : "follower");
    if (name === undefined) return undefined;
    const marker = join(arena.dataOf(idOf(name)), "hang-sync");
    await writeFile(marker, "");
    const millis = random.between(500, 4000);
    return { what: `${name} for ${millis} ms`, millis, end: () => rm(marker, { force: true }) };
  },
};

/** Every fsync fails: the replica ends, as it must, and comes back. */
const failingDisk: FaultKind = {
  name: "failing disk",
  weight: 3,
  begin: async (stage) => {
    const { arena, random } = stage;
    const name = drawTarget(stage, random.chance(0.5) ? "leader" : "follower");
    if (name === undefined) return undefined;
    const marker = join(arena.dataOf(idOf(name)), "fail-sync");
    arena.mayEnd(name);
    await writeFile(marker, "");
    const end = async (): Promise<void> => {
      await rm(marker, { force: true });
      // It may have met the failure this very moment.
      await pause(300);
      arena.start(name);
    };
    return { what: name, millis: random.between(500, 2500), end };
  },
};

/** A replica that has forgotten everything counts nowhere until it has all of it again. */
const wiped: FaultKind = {
  name: "wiped data folder",
  weight: 3,
  isAlone: true,
  begin: async (stage) => {
    const { arena, random } = stage;
    const name = drawTarget(stage, random.chance(0.3) ? "leader" : "follower");
    if (name === undefined) return undefined;
    await arena.kill(name);
    await rm(arena.dataOf(idOf(name)), { recursive: true, force: true });
    return { what: name, millis: random.between(0, 1500), end: () => arena.start(name) };
  },
};

export const diskFaults: readonly FaultKind[] = [fullDisk, hangingDisk, failingDisk, wiped];
