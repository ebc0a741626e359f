/** Faults of processes: killed, stopped for a while, restarted in turn; and the leadership handed over by hand. */

import type { FaultKind, Stage, Underway, Whom } from "./faults.ts";
import { drawTarget } from "./faults.ts";
import { pause } from "./hand.ts";
import { replicaName } from "./network.ts";

/** A replica that is told to end in peace does so within this. */
const peaceMillis = 10_000;
const serveMillis = 30_000;

function kill(whom: Whom, weight: number): FaultKind {
  return {
    name: `kill ${whom}`,
    weight,
    begin: async (stage) => {
      const name = drawTarget(stage, whom);
      if (name === undefined) return undefined;
      await stage.arena.kill(name);
      return { what: name, millis: stage.random.between(0, 3000), end: () => stage.arena.start(name) };
    },
  };
}

function stop(whom: Whom, weight: number): FaultKind {
  return {
    name: `stop ${whom}`,
    weight,
    holdsMessages: true,
    begin: (stage) => {
      const name = drawTarget(stage, whom);
      if (name === undefined) return undefined;
      stage.arena.stop(name);
      // Mostly about the election timeout, some for a blink, some for long.
      const millis = stage.random.pick([100, 400, 900, 1300, 1800, 2500, 4000, 8000]);
      return { what: `${name} for ${millis} ms`, millis, end: () => stage.arena.goOn(name) };
    },
  };
}

const restartOfAll: FaultKind = {
  name: "restart of all",
  weight: 5,
  isAlone: true,
  stopsWrites: true,
  begin: async ({ arena, random }) => {
    const gateways = arena.ensemble.gateways.map((each) => each.name).filter(() => random.chance(0.5));
    const names = [...arena.ids.map(replicaName), ...gateways];
    await Promise.all(names.map((each) => arena.kill(each)));
    const end = async (): Promise<void> => {
      for (const name of names.toSorted(() => random.between(-1, 1))) {
        arena.start(name);
        await pause(random.below(300));
      }
    };
    return { what: "all killed at once", millis: random.between(0, 1000), end };
  },
};

const handOver: FaultKind = {
  name: "hand-over",
  weight: 12,
  isAlone: true,
  begin: async ({ arena, random }) => {
    const turns: string[] = [];
    for (let turn = random.between(1, 4); turn > 0; turn--) {
      const to = random.pick(arena.ids.filter((id) => id !== arena.leader));
      turns.push(`${to}: ${await arena.handOver(to)}`);
      await pause(random.pick([50, 400, 900]));
    }
    return { what: `to ${turns.join(", ")}`, millis: 0, end: () => {} };
  },
};

/** One after the other, each when the one before serves again. */
async function restartInTurn({ arena, random, violate }: Stage, before: (name: string) => void): Promise<void> {
  const ids = arena.ids.toSorted(() => random.between(-1, 1));
  for (const id of ids) {
    const name = replicaName(id);
    const process = arena.process(name);
    const ended = await Promise.race([
      arena.kill(name, "SIGTERM").then(() => true),
      pause(peaceMillis).then(() => false),
    ]);
    if (!ended || process.ended !== 0) violate(`${name} does not end in peace: ${process.ended ?? "it runs on"}`);
    if (process.running) await arena.kill(name);
    before(name);
    arena.start(name);
    const why = await arena.serves(serveMillis);
    if (why !== "") violate(`after a restart of ${name} in turn not all serve: ${why}`);
  }
}

const rollingRestart: FaultKind = {
  name: "rolling restart",
  weight: 3,
  isAlone: true,
  begin: async (stage): Promise<Underway> => {
    await restartInTurn(stage, () => {});
    return { what: "all, one after the other", millis: 0, end: () => {} };
  },
};

/** Once in a run: rules versions only rise. */
const upgrade: FaultKind = {
  name: "rolling restart onto newer rules",
  weight: 3,
  isAlone: true,
  begin: async (stage): Promise<Underway | undefined> => {
    const { next } = stage.arena;
    if (next.size > 0) return undefined;
    await restartInTurn(stage, (name) => next.add(name));
    return { what: "all, one after the other, to the next rules version", millis: 0, end: () => {} };
  },
};

export const processFaults: readonly FaultKind[] = [
  kill("leader", 16),
  kill("follower", 5),
  kill("gateway", 3),
  stop("leader", 14),
  stop("follower", 5),
  stop("gateway", 4),
  restartOfAll,
  handOver,
  rollingRestart,
  upgrade,
];
