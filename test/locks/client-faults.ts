/** What befalls clients: they are stopped for longer than their sessions live, cut off, expired, killed. */
import type { SeededRandom } from "../simulation/random.ts";
import type { Contender } from "./crowd.ts";
import { pause } from "./turn.ts";

export interface ClientStage {
  readonly random: SeededRandom;
  /** One that nothing else befalls. */
  readonly contender: Contender;
  /** As the super user. */
  readonly endSession: (id: string) => Promise<void>;
  /** Kills it, and starts another in its place. */
  readonly replace: () => Promise<void>;
}

export interface ClientFault {
  readonly name: string;
  readonly weight: number;
  /** Resolves when it is taken back. False: it was not possible now. */
  readonly befall: (stage: ClientStage) => Promise<boolean>;
}

/** Everybody comes to the midst of a section so soon, if the lock goes round at all. */
const midstMillis = 15_000;
/** An expired session is noticed so long after its timeout; then somebody else has the lock. */
const noticedMillis = 1500;

/** The one that must not be missing: whoever wakes up believes that it still holds the lock, and writes. */
const stopInMidst: ClientFault = {
  name: "stopped in the midst of a section",
  weight: 8,
  befall: async ({ random, contender }) => {
    if (!(await contender.waitInMidst(midstMillis))) {
      contender.tell({ kind: "go on" });
      return false;
    }
    contender.signal("SIGSTOP");
    await pause(contender.plan.sessionMillis + noticedMillis + random.below(1000));
    contender.tell({ kind: "go on" });
    contender.signal("SIGCONT");
    return true;
  },
};

const stop: ClientFault = {
  name: "stopped",
  weight: 5,
  befall: async ({ random, contender }) => {
    contender.signal("SIGSTOP");
    await pause(random.pick([50, 300, 1200, contender.plan.sessionMillis + 1000]));
    contender.signal("SIGCONT");
    return true;
  },
};

const freeze: ClientFault = {
  name: "frozen connections",
  weight: 8,
  befall: async ({ random, contender }) => {
    const way = random.pick(["both", "there", "back"] as const);
    for (const proxy of contender.proxies) proxy.freeze(way);
    await pause(random.pick([150, 800, contender.plan.sessionMillis + noticedMillis]));
    // What was sent meanwhile arrives now, or never.
    if (random.chance(0.4)) for (const proxy of contender.proxies) proxy.break();
    for (const proxy of contender.proxies) proxy.heal();
    return true;
  },
};

const cut: ClientFault = {
  name: "cut connections",
  weight: 4,
  befall: async ({ random, contender }) => {
    const proxies = contender.proxies.filter(() => random.chance(0.8));
    for (const proxy of proxies) proxy.cut();
    await pause(random.pick([10, 300, contender.plan.sessionMillis + 1000]));
    for (const proxy of proxies) proxy.heal();
    return true;
  },
};

/** Whatever was asked just now was done, and nobody is told. */
const lostAnswers: ClientFault = {
  name: "lost answers",
  weight: 6,
  befall: async ({ random, contender }) => {
    for (const proxy of contender.proxies) proxy.freeze("back");
    await pause(random.pick([20, 80, 300]));
    for (const proxy of contender.proxies) {
      proxy.break();
      proxy.heal();
    }
    return true;
  },
};

const expire: ClientFault = {
  name: "session ended by the super user",
  weight: 5,
  befall: async ({ contender, endSession }) => {
    if (contender.session === "") return false;
    await endSession(contender.session);
    return true;
  },
};

const kill: ClientFault = {
  name: "killed",
  weight: 2,
  befall: async ({ replace }) => {
    await replace();
    return true;
  },
};

export const clientFaults: readonly ClientFault[] = [stopInMidst, stop, freeze, cut, lostAnswers, expire, kill];
export const stoppedInMidst: ClientFault = stopInMidst;
