/** Faults of the network: who is cut off from whom, which way, how; late and flaky links. */
import type { SeededRandom } from "../simulation/random.ts";
import { drawTarget, type FaultKind, type Stage, type Underway, type Whom } from "./faults.ts";
import { type Node, replicaName, type Trouble } from "./network.ts";

const flakyMillis = 300;

function isReplica(node: Node): boolean {
  return node.startsWith("replica");
}

function lasting({ arena, random }: Stage, what: string, trouble: Trouble, longest = 5000): Underway {
  const millis = random.between(800, longest);
  const lift = arena.network.add(trouble);
  const { silent } = trouble;
  const isLost = silent !== undefined && random.chance(0.4);
  const end = (): void => {
    // What is still on its way never arrives: the connections break before anything passes again.
    if (isLost) arena.network.break(silent);
    lift();
  };
  return { what: `${what} for ${millis} ms${isLost ? ", what was sent meanwhile is lost" : ""}`, millis, end };
}

/** Both sides hear nothing of each other: the packets are dropped, or the connections are refused. */
function between(random: SeededRandom, apart: (one: Node, other: Node) => boolean): { how: string; trouble: Trouble } {
  const either = (one: Node, other: Node): boolean => apart(one, other) || apart(other, one);
  return random.chance(0.6)
    ? { how: "silent", trouble: { silent: either } }
    : { how: "broken", trouble: { broken: either } };
}

function isolate(whom: Whom, weight: number): FaultKind {
  return {
    name: `isolate ${whom}`,
    weight,
    holdsMessages: true,
    begin: (stage) => {
      const name = drawTarget(stage, whom);
      if (name === undefined) return undefined;
      // The gateways may still reach it, or be cut off from it as well.
      const gatewaysToo = stage.random.chance(0.5);
      const apart = (one: Node, other: Node): boolean => one === name && (isReplica(other) || gatewaysToo);
      const { how, trouble } = between(stage.random, apart);
      return lasting(stage, `${name}, ${how}${gatewaysToo ? ", from gateways too" : ""}`, trouble);
    },
  };
}

/** What it says is not heard, or it hears nothing; the other way everything passes. */
function oneWay(whom: Whom, weight: number): FaultKind {
  return {
    name: `one-way ${whom}`,
    weight,
    holdsMessages: true,
    begin: (stage) => {
      const name = drawTarget(stage, whom);
      if (name === undefined) return undefined;
      const isMute = stage.random.chance(0.5);
      const silent = (from: Node, to: Node): boolean =>
        isReplica(from) && isReplica(to) && (isMute ? from === name : to === name);
      return lasting(stage, `${name} is ${isMute ? "mute" : "deaf"}`, { silent });
    },
  };
}

/** What is asked of it arrives and is done; that it is done, nobody hears: the connections break. */
const lostAnswers: FaultKind = {
  name: "lost answers",
  weight: 6,
  holdsMessages: true,
  begin: (stage) => {
    const { arena, random } = stage;
    const name = drawTarget(stage, random.chance(0.7) ? "leader" : "follower");
    if (name === undefined) return undefined;
    const others = random.chance(0.5);
    const silent = (from: Node, to: Node): boolean => from === name && (others || !isReplica(to));
    const millis = random.pick([30, 100, 300, 700]);
    const lift = arena.network.add({ silent });
    const end = (): void => {
      arena.network.break(silent);
      lift();
    };
    return { what: `of ${name} to ${others ? "all" : "the gateways"}, for ${millis} ms`, millis, end };
  },
};

/** One group of replicas and gateways on each side; the leader is in the minority, or not. */
const split: FaultKind = {
  name: "majority/minority",
  weight: 6,
  isAlone: true,
  holdsMessages: true,
  begin: (stage) => {
    const { arena, random } = stage;
    if (arena.leader === 0) return undefined;
    const few = (arena.ids.length - 1) >> 1;
    const withLeader = random.chance(0.6);
    const others = arena.ids.filter((id) => id !== arena.leader).toSorted(() => random.between(-1, 1));
    const minority = new Set<Node>((withLeader ? [arena.leader, ...others] : others).slice(0, few).map(replicaName));
    for (const { name } of arena.ensemble.gateways) if (random.chance(0.4)) minority.add(name);
    const { how, trouble } = between(random, (one, other) => minority.has(one) && !minority.has(other));
    return lasting(stage, `${[...minority].join(", ")} ${how}`, trouble);
  },
};

/** Nobody hears anybody: what is left must stop, and go on afterwards. */
const lostMajority: FaultKind = {
  name: "lost majority",
  weight: 3,
  isAlone: true,
  stopsWrites: true,
  holdsMessages: true,
  begin: (stage) => {
    const { how, trouble } = between(stage.random, (one, other) => isReplica(one) && isReplica(other));
    return lasting(stage, `all from all, ${how}`, trouble, 3500);
  },
};

const flaky: FaultKind = {
  name: "flaky links",
  weight: 4,
  begin: (stage) => {
    const name = drawTarget(stage, stage.random.chance(0.6) ? "leader" : "follower");
    if (name === undefined) return undefined;
    const { network } = stage.arena;
    const timer = setInterval(() => network.break((one) => one === name), flakyMillis);
    const millis = stage.random.between(1000, 4000);
    return { what: `${name} for ${millis} ms`, millis, end: () => clearInterval(timer) };
  },
};

const slow: FaultKind = {
  name: "slow links",
  weight: 4,
  holdsMessages: true,
  begin: (stage) => {
    const name = drawTarget(stage, stage.random.chance(0.5) ? "leader" : "follower");
    if (name === undefined) return undefined;
    const late = stage.random.pick([20, 80, 200, 600]);
    const delayMillis = (one: Node, other: Node): number => (one === name || other === name ? late : 0);
    return lasting(stage, `${name}, ${late} ms late,`, { delayMillis });
  },
};

export const networkFaults: readonly FaultKind[] = [
  isolate("leader", 10),
  isolate("follower", 4),
  oneWay("leader", 8),
  oneWay("follower", 4),
  split,
  lostMajority,
  lostAnswers,
  flaky,
  slow,
];
